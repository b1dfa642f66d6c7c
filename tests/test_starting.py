"""`kit init` and `kit new`: an empty folder becomes a project whose recipe runs to its pages."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from kit.cli import kit
from kit.errors import InputError
from kit.evaluation.commits import valid
from kit.pipeline import run_stages
from kit.project import Project, find_project
from kit.recipe import LocalData, LocalModel, TextGeneration, find_recipe
from kit.runs import open_run
from kit.sites.building import build_site
from kit.starting import start_project, start_recipe
from tests import tiny, tiny_commits
from tests.conftest import silent

KIND = "text_classification"


def _project(folder: Path) -> Project:
    start_project(folder, "ann")
    if (tiny.ROOT / "build" / "runtime").is_dir():
        (folder / "build").mkdir()
        (folder / "build" / "runtime").symlink_to(tiny.ROOT / "build" / "runtime")
    return find_project(folder)


@pytest.mark.parametrize(
    ("kind", "base", "title"),
    [
        ("text_classification", tiny.classifier, "# Tickets, sorted by a small model"),
        ("text_generation", tiny_commits.base, "# Tickets, written by a small model"),
    ],
)
def test_a_new_recipe_runs_from_an_empty_folder_to_its_site(
    kind: str, base: Callable[[Path], None], title: str, tmp_path: Path
) -> None:
    project = _project(tmp_path / "models")
    start_recipe(project, "tickets", kind, None, {}, None)
    base(tmp_path / "base")
    recipe = find_recipe(project.root, "tickets")
    preset = recipe.preset(None)
    length = 16
    if isinstance(recipe.task, TextGeneration):
        # The toy's tokenizer knows few words, and takes more tokens for the others.
        recipe, length = replace(recipe, task=replace(recipe.task, max_new_tokens=60)), 160
    training = replace(preset.training, epochs=1, max_length=length)
    fewer = replace(preset.cleaning, max_rows=120)
    tiny_base = LocalModel(str(tmp_path / "base"), license="mit")
    preset = replace(preset, base=tiny_base, training=training, cleaning=fewer)
    run = open_run(project, recipe, None, preset)
    stages = [stage.name for stage, _, ran in run_stages(run, silent) if ran]
    assert stages[-1] == "assemble"
    post = (run.folder / "pages" / "post.md").read_text("utf-8")
    assert post.startswith(title)
    assert "put together by a program" in post
    home = (build_site(project, silent) / "index.html").read_text("utf-8")
    assert "models" in home


def test_made_up_commits_are_read_by_git_and_follow_the_convention(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    start_recipe(project, "messages", "text_generation", None, {}, None)
    file = project.root / "recipes" / "messages" / "data" / "rows.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    both = "".join(row["diff"] for row in rows)
    said = subprocess.run(
        ["git", "apply", "--numstat", "-"], input=both, text=True, capture_output=True, check=True
    )
    assert len(said.stdout.splitlines()) == len(rows) == len({row["diff"] for row in rows})
    assert all(valid(row["message"]) for row in rows)


def test_a_file_of_commits_is_split_by_its_projects(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    file = tmp_path / "mine.jsonl"
    rows = [{**row, "patch": row.pop("diff")} for row in tiny_commits.rows(12)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    start_recipe(project, "messages", "text_generation", file, {"text": "patch"}, "mit")
    recipe = find_recipe(project.root, "messages")
    preset = recipe.preset(None)
    assert preset.cleaning.group_by == ("project",)
    assert isinstance(preset.data, LocalData)
    assert (preset.data.text_column, preset.data.label_column) == ("patch", "message")
    assert {sample.text for sample in recipe.task.samples} <= {row["patch"] for row in rows}


def test_a_file_without_a_commit_that_can_be_used_is_refused(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    file = tmp_path / "mine.csv"
    file.write_text("diff,message\nno diff at all,fix: this\n", "utf-8")
    with pytest.raises(InputError, match=r"none that can be used .*no_changed_line 1"):
        start_recipe(project, "messages", "text_generation", file, {}, None)
    assert not (project.root / "recipes" / "messages").exists()


def test_options_that_describe_a_file_want_one(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    with pytest.raises(InputError, match="expected --data"):
        start_recipe(project, "moods", KIND, None, {"text": "body"}, None)


def test_a_file_brings_its_labels_and_is_copied(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    file = tmp_path / "mine.csv"
    file.write_text('body,mood\n"Say ""no"" \\ {{ 1 }} 😀",calm\nGo away,"up ""set"""\n', "utf-8")
    start_recipe(project, "moods", KIND, file, {"text": "body", "label": "mood"}, "cc-by-4.0")
    recipe = find_recipe(project.root, "moods")
    assert recipe.task.labels == ("calm", 'up "set"')
    assert [sample.text for sample in recipe.task.samples] == ['Say "no" \\ {{ 1 }} 😀', "Go away"]
    file.unlink()
    assert (project.root / "recipes" / "moods" / "data" / "mine.csv").is_file()


def test_a_file_without_licence_is_unknown_so_that_no_gate_lets_it_out(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    file = tmp_path / "mine.csv"
    file.write_text("text,label\na,b\nc,d\n", "utf-8")
    start_recipe(project, "moods", KIND, file, {}, None)
    data = find_recipe(project.root, "moods").preset(None).data
    assert getattr(data, "license", None) == "unknown"


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    start_recipe(project, "moods", KIND, None, {}, None)
    with pytest.raises(InputError, match="is there already"):
        start_recipe(project, "moods", KIND, None, {}, None)
    with pytest.raises(InputError, match="is there already"):
        start_project(project.root, "ann")


@pytest.mark.parametrize(("name", "said"), [("../x", "a-z"), ("Moods", "a-z"), ("", "a-z")])
def test_a_name_that_is_no_name_is_one_line(tmp_path: Path, name: str, said: str) -> None:
    project = _project(tmp_path / "models")
    with pytest.raises(InputError, match=said):
        start_recipe(project, name, KIND, None, {}, None)


def test_a_column_of_one_label_is_refused(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    file = tmp_path / "mine.csv"
    file.write_text("text,label\na,b\nc,b\n", "utf-8")
    with pytest.raises(InputError, match="2 to 20 different labels"):
        start_recipe(project, "moods", KIND, file, {}, None)


def test_the_commands_name_the_files_that_they_wrote(tmp_path: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(kit, ["init", "models", "--owner", "ann"])
    assert made.exit_code == 0
    assert all(Path(line).is_file() for line in made.stdout.split())
    assert "recipes/moods" not in made.stdout


def test_a_new_project_builds_with_the_settings_of_this_one(tmp_path: Path) -> None:
    start_project(tmp_path / "models", "ann")
    ours, theirs = (
        yaml.safe_load((folder / "mkdocs.yml").read_text("utf-8"))
        for folder in (tiny.ROOT, tmp_path / "models")
    )
    for key in ("theme", "markdown_extensions", "validation", "extra_css", "docs_dir"):
        assert theirs[key] == ours[key]
