"""The command line when something is wrong: one line on stderr, exit 1, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kit.records import Record
from kit.runs import Run
from tests import tiny
from tests.asking import ask, copied_project

Finished = tuple[Run, dict[str, Record]]
FREE = ("--license", "cc0-1.0")
HOLDER = """
import sys
from pathlib import Path
from kit.runs import locked
from tests.conftest import toy_run
with locked(toy_run(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def root(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the finished run's project; what a test breaks in it, it mends."""
    return copied_project(finished[0].project.root, tmp_path_factory.mktemp("refused") / "project")


@pytest.fixture(scope="module")
def folder(finished: Finished, root: Path) -> Path:
    return root / finished[0].relative


def contents(root: Path) -> dict[str, Any]:
    """Return every file of a project: its bytes, of large ones the size and the time."""
    found: dict[str, Any] = {}
    for path in root.rglob("*"):
        if path.is_file():
            state = path.stat()
            large = state.st_size > 2**20
            found[str(path)] = (state.st_size, state.st_mtime_ns) if large else path.read_bytes()
    return found


def refused(root: Path, *words: str, stdin: bytes = b"") -> str:
    """Return the one line of a command that exits 1 and loses nothing."""
    before = contents(root)
    said = ask(root, *words, stdin=stdin)
    assert said.code == 1
    after = contents(root)
    assert {path for path, content in before.items() if after.get(path) != content} == set()
    return said.fault


def lines(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


ROWS = tiny.rows(20)
DATA = {
    "empty": (b"", "is empty; expected rows with a text and a label"),
    "blank": (b"\n  \n", "has no rows"),
    "other columns": (
        lines([{"body": row["text"], "stars": row["label"]} for row in ROWS]),
        "has no column 'text' for the text; known: body, stars",
    ),
    "unknown label": (
        lines([row | {"label": "mixed"} for row in ROWS]),
        "expected the labels negative, positive, got 'mixed'",
    ),
    "single class": (
        lines([row for row in ROWS if row["label"] == "positive"]),
        "got only 'positive'; add rows of the others",
    ),
    "binary": (bytes(range(256)) * 9, "expected text, got a binary file"),
    "broken JSON": (
        lines(ROWS) + b'{"text": "half\n',
        "line 21: expected one JSON object per line, got broken JSON",
    ),
    "10 MB line": (
        lines([{"text": "a" * 10 * 2**20, "label": "positive"}]),
        "line 1 has 10.0 MB; expected at most 8 MB a line",
    ),
}


@pytest.mark.parametrize("kind", DATA)
def test_unusable_data_is_refused(root: Path, tmp_path: Path, kind: str) -> None:
    content, said = DATA[kind]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)
    assert said in refused(root, "data", "toy", "--data", str(file), *FREE)


@pytest.mark.parametrize("option", ["--data", "--test-data", "--on"])
def test_a_missing_file_is_named(root: Path, option: str) -> None:
    command = "evaluate" if option == "--on" else "data"
    assert "nowhere.jsonl" in refused(root, command, "toy", option, "nowhere.jsonl")


def test_a_wrong_column_of_an_outside_file_lists_those_there(root: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.csv").write_text("body,stars\ngood,positive\n")
    words = ("evaluate", "toy", "--on", str(tmp_path / "theirs.csv"), "--text-column", "boddy")
    said = refused(root, *words)
    assert "has no column 'boddy'" in said
    assert "did you mean 'body'? known: body, stars" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "../toy"), "expected a recipe name of a-z, 0-9 and _, got '../toy'"),
        (("run", "tou"), "there is no recipe 'tou'; did you mean 'toy'?"),
        (("run", "toy", "--preset", "startr"), "did you mean 'starter'?"),
        (("run", "toy", "--set", "training.epoch=2"), "did you mean 'epochs'?"),
        (("run", "toy", "--set", "training.epochs=many"), "Input should be a valid integer"),
        (("run", "toy", "--set", "training.epochs=0"), "expected a number, more than 0"),
        (("run", "toy", "--set", "training.learning_rate=nan"), "expected a number, more than 0"),
        (("run", "toy", "--set", "training.weight_decay=-1"), "expected a number, at least 0"),
        (("run", "toy", "--seed", "-1"), "'training.seed' got '-1': expected a number, at least 0"),
        (("run", "toy", "--seed", "5000000000"), "at least 0 and at most 4294967295"),
        (("run", "toy", "--set", "training.dropout=1.5"), "at least 0 and at most 1"),
        (("predict", "toy", "a text", "--seed", "0"), "expected a run of 'toy' with export.json"),
        (("site", "serve", "--port", "99999"), "cannot serve on port 99999"),
        (("run", "toy", "--set", "training.epochs"), "expected --set name=value"),
        (("run", "toy", "--set", "training.epochs.x=1"), "has no part 'x'"),
        (("run", "toy", "--from", "exprt"), "there is no stage 'exprt'; did you mean 'export'?"),
        (("run", "toy", "--from", "export", "--to", "data"), "expected --from before --to"),
        (("run", "toy", "--base", "site"), "expected a model folder with config.json"),
        (("train", "toy", "--seed", "4"), "expected dataset.json in runs/toy/starter-"),
        (("run", "toy", "--seed", "5", "--from", "write"), "expected dataset.json in runs/toy/"),
        (("predict", "toy", ""), "expected a text, got none"),
        (("predict", "toy"), "expected a text, got none"),
        (("predict", "toy", "-"), "expected a text, got none"),
        (("predict", "toy", "a \udcff b"), "expected a text in UTF-8"),
        (("predict", "toy", "--input", "none.txt"), "expected a file of text lines at none.txt"),
    ],
)
def test_a_wrong_choice_is_refused(root: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refused(root, *words)


def test_stdin_and_files_that_hold_no_text_are_refused(root: Path, tmp_path: Path) -> None:
    assert "expected a text in UTF-8" in refused(root, "predict", "toy", "-", stdin=b"\xff\xfe")
    blank = tmp_path / "blank.txt"
    blank.write_text("\n \n")
    assert "expected a text, got none" in refused(root, "predict", "toy", "--input", str(blank))


def test_a_base_that_is_not_to_be_had_without_the_hub_is_refused(project: Path) -> None:
    words = ("train", "toy", "--base", "someone/model")
    ask(project, "data", *words[1:])
    said = refused(project, *words)
    assert "base model someone/model is not in the cache and HF_HUB_OFFLINE=1" in said


@pytest.mark.parametrize("command", ["predict", "demo", "check", "accept", "evaluate"])
def test_what_needs_a_finished_run_says_which_command_makes_one(
    project: Path, command: str
) -> None:
    more = {"predict": ["a text"], "evaluate": ["--on", "rows.csv"]}.get(command, [])
    said = refused(project, command, "toy", *more)
    assert "found none; `kit run toy` makes it" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "samples=(",
            "samples=() and (",
            "expected a Sample in the task of recipe 'toy', got none",
        ),
        ("title=", "titel=", "recipe.py, line 7: TypeError: "),
        ("Preset(", "Preste(", "NameError: name 'Preste' is not defined"),
        ("RECIPE = ", "RECIPE == ", "NameError: name 'RECIPE' is not defined"),
        ("RECIPE = ", "RECIPES = ", "recipe.py to bind RECIPE = Recipe(name='toy', ...)"),
        ("},", "},)", "recipe.py, line 24: unmatched"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused_by_line(
    root: Path, old: str, new: str, said: str
) -> None:
    file = root / "recipes" / "toy" / "recipe.py"
    text = file.read_text()
    file.write_text(text.replace(old, new, 1))
    assert said in refused(root, "run", "toy")
    file.write_text(text)


def test_a_folder_without_kit_toml_is_no_project(tmp_path: Path) -> None:
    assert "expected a kit.toml in" in refused(tmp_path, "recipes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("owner = ", "expected TOML"),
        ("ownr = 'ann'", "unknown key 'ownr'; did you mean 'owner'"),
        ("model_host = 'cdn'", "expected 'site' or 'hub' for 'model_host'"),
        ("price_per_hour = 'cheap'", "expected a number for 'price_per_hour'"),
        ("owner = 5", "expected text for 'owner'"),
    ],
)
def test_a_wrong_kit_toml_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "kit.toml").write_text(text)
    assert said in refused(tmp_path, "recipes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No head.", "front matter"),
        ("---\n- a\n---\n", "expected 'title: …' and 'pubDate: …'"),
        ("---\ntitle: [a\n---\n", "expected YAML"),
        ("---\ntitle: A\npubDate: 2026-13-01\n---\n", "expected YAML"),
        ("---\ntitle: A\npubDate: soon\n---\n", "expected 'pubDate: YYYY-MM-DD'"),
        ("---\ntitle: A\udcff\n---\n", "expected UTF-8"),
    ],
)
def test_a_broken_brief_keeps_the_pages(root: Path, folder: Path, text: str, said: str) -> None:
    brief, record = root / "recipes" / "toy" / "brief.md", folder / "pages.json"
    whole, pages = brief.read_bytes(), contents(folder / "pages")
    brief.write_bytes(text.encode("utf-8", "surrogateescape"))
    rendered = record.read_bytes()
    try:
        assert said in ask(root, "write", "toy").fault
        assert contents(folder / "pages") == pages
    finally:
        brief.write_bytes(whole)
        record.write_bytes(rendered)


def test_a_record_of_a_newer_kit_is_refused(root: Path, folder: Path) -> None:
    record = folder / "dataset.json"
    whole = record.read_text()
    record.write_text(whole.replace('"schema_version": 1', '"schema_version": 2'))
    try:
        for command in ("run", "check"):
            assert "has schema 2, this kit reads up to 1" in refused(root, command, "toy")
    finally:
        record.write_text(whole)


def test_settings_that_cannot_be_read_are_refused(root: Path, folder: Path) -> None:
    moved = folder.with_name("starter-00000000")
    folder.rename(moved)
    settings = moved / "settings.json"
    whole = settings.read_bytes()
    try:
        for broken in (b"{", b"[]", b'{"preset": {"training": {"epoch": 1}, "base": {}}}'):
            settings.write_bytes(broken)
            said = refused(root, "predict", "toy", "a text")
            assert "got none that this kit can read; run the recipe again" in said
    finally:
        settings.write_bytes(whole)
        moved.rename(folder)


def test_an_outside_evaluation_refuses_a_base_that_is_not_the_runs(
    root: Path, folder: Path, tmp_path: Path
) -> None:
    """A folder that the settings name may hold another model by now."""
    moved = folder.with_name("starter-00000000")
    folder.rename(moved)
    settings = moved / "settings.json"
    whole = settings.read_bytes()
    values = json.loads(whole)
    tiny.classifier(tmp_path / "other", spread=0.3)
    values["preset"]["base"]["path"] = "0" * 64
    values["base_folder"] = str(tmp_path / "other")
    settings.write_text(json.dumps(values))
    file = tmp_path / "theirs.jsonl"
    file.write_bytes(lines(ROWS))
    try:
        said = ask(root, "evaluate", "toy", "--on", str(file))
    finally:
        settings.write_bytes(whole)
        moved.rename(folder)
    assert said.code == 1
    assert said.err.splitlines()[-1].endswith("found another model; mend --base")


def test_an_export_without_its_weights_is_refused(root: Path, folder: Path) -> None:
    weights = folder / "export" / "onnx" / "model_quantized.onnx"
    moved = weights.rename(weights.with_suffix(".away"))
    try:
        assert "`kit export toy` writes it again" in refused(root, "predict", "toy", "a text")
    finally:
        moved.rename(weights)


def test_two_processes_cannot_work_in_one_run_folder(root: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(root)]
    with subprocess.Popen(
        command, cwd=tiny.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        said = refused(root, "run", "toy")
        holder.stdin.close()
    assert "another process works in runs/toy/starter-" in said
    assert ask(root, "data", "toy").code == 0
