"""``kit bundle``: the same bytes every time, whole, with its licences, and refused in one line."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from kit.errors import InputError, RunError
from kit.files import sha256
from kit.records import Record
from kit.runs import Run
from kit.spaces.bundling import write_bundle
from kit.tasks import implementation
from tests.asking import ask, copied_project
from tests.conftest import toy_run
from tests.tiny import ROOT

Finished = tuple[Run, dict[str, Record]]
BOTH = {
    *("ATTRIBUTION.md", "README.md", "notebook.ipynb", "tutorial.py"),
    *("LICENSE", "NOTICE", "data/README.md"),
    *(f"data/{split}.parquet" for split in ("train", "validation", "test")),
    *("records/dataset.json", "records/checkpoint.json", "records/evaluation.json"),
    "records/predictions.jsonl",
    *("base/config.json", "base/model.safetensors", "base/tokenizer.json"),
    "base/tokenizer_config.json",
}


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Run:
    """Return the finished run in a copy of its project, which a test may change."""
    root = copied_project(finished[0].project.root, tmp_path / "copy")
    for name in ("LICENSE", "NOTICE"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    return toy_run(root)


def names(path: Path) -> set[str]:
    """Return the paths in a zip, without the one folder that all of them lie in."""
    with zipfile.ZipFile(path) as read:
        found = [info.filename.partition("/") for info in read.infolist()]
    assert {top for top, _, _ in found} == {"toy"}
    return {name for _, _, name in found}


def test_a_bundle_twice_is_the_same_bytes(copied: Run, tmp_path: Path) -> None:
    first = write_bundle(copied, tmp_path / "1.zip")
    for path in [*copied.folder.rglob("*")]:
        if path.is_file() and path.suffix != ".lock":
            os.utime(path, (1e9, 1e9))
    (copied.folder / "pages" / "tutorial.py").chmod(0o755)
    second = write_bundle(copied, tmp_path / "2.zip")
    assert first.sha256 == second.sha256 == sha256(tmp_path / "2.zip")


def test_names_are_sorted_and_times_and_permissions_fixed(copied: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(write_bundle(copied, tmp_path / "b.zip").path) as read:
        assert read.testzip() is None
        found = read.infolist()
    assert [info.filename for info in found] == sorted(info.filename for info in found)
    assert {info.date_time for info in found} == {(1980, 1, 1, 0, 0, 0)}
    assert {stat.S_IMODE(info.external_attr >> 16) for info in found} == {0o644}


def test_a_bundle_holds_data_base_records_and_licences(copied: Run, tmp_path: Path) -> None:
    assert names(write_bundle(copied, tmp_path / "b.zip").path) == BOTH


def test_the_bundle_of_a_generator_brings_its_prompt(commits: Finished, tmp_path: Path) -> None:
    bundle = implementation("text_generation").bundle(commits[0], tmp_path / "b.zip")
    assert names(bundle.path) == BOTH - {"LICENSE", "NOTICE"} | {
        "prompts.py",
        "base/generation_config.json",
    }


def test_the_attribution_names_every_source_with_its_license(commits: Finished) -> None:
    run, _ = commits
    text = (run.folder / "pages" / "bundle" / "ATTRIBUTION.md").read_text("utf-8")
    dataset = json.loads((run.folder / "dataset.json").read_text())
    base = json.loads((run.folder / "checkpoint.json").read_text())["base"]
    for source in (*dataset["sources"], base):
        assert f"| `{source['license']}` |" in text
        assert source["revision"] in text


def test_the_command_says_where_it_stands_and_what_is_in_it(copied: Run, tmp_path: Path) -> None:
    root = copied.project.root
    said = ask(root, "bundle", "toy", "--json")
    assert said.code == 0
    path = root / said.document["path"]
    assert said.document["path"] == f"build/bundles/toy-{copied.folder.name}.zip"
    assert said.document["sha256"] == sha256(path)
    assert said.document["bytes"] == path.stat().st_size
    assert set(said.document["files"]) == BOTH
    out = tmp_path / "elsewhere" / "mine.zip"
    assert ask(root, "bundle", "toy", "--out", str(out)).code == 0
    assert sha256(out) == sha256(path)


@pytest.mark.parametrize("place", ["run", "recipe"])
def test_what_is_not_as_recorded_is_not_bundled(
    commits: Finished, tmp_path: Path, place: str
) -> None:
    run = toy_run(copied_project(commits[0].project.root, tmp_path / "copy"))
    files = {
        "run": run.folder / "data" / "test.parquet",
        "recipe": run.recipe.folder / "base" / "model.safetensors",
    }
    content = files[place].read_bytes()
    files[place].unlink()
    files[place].write_bytes(content + b" ")
    # What a run was made of names it: asked for by its folder, it is the same run.
    run = replace(run, folder=tmp_path / "copy" / commits[0].relative)
    with pytest.raises(RunError, match="as the run recorded it"):
        write_bundle(run, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_a_run_without_a_tutorial_is_refused_in_one_line(copied: Run) -> None:
    (copied.folder / "pages" / "tutorial.py").unlink()
    said = ask(copied.project.root, "bundle", "toy")
    assert said.code == 1
    assert "train all weights" in said.fault


def test_a_target_that_is_a_folder_is_refused_and_nothing_is_left(
    copied: Run, tmp_path: Path
) -> None:
    (tmp_path / "b.zip").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        write_bundle(copied, tmp_path / "b.zip")
    assert [path.name for path in tmp_path.glob(".*")] == []
