"""`kit init` and `kit new`: an empty folder becomes a project whose recipe runs to its pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from kit.cli import kit
from kit.errors import InputError
from kit.pipeline import run_stages
from kit.project import Project, find_project
from kit.recipe import LocalModel, find_recipe
from kit.runs import open_run
from kit.sites.building import build_site
from kit.starting import start_project, start_recipe
from tests import tiny
from tests.conftest import silent

COLUMNS = {"text": "text", "label": "label"}


def _project(folder: Path) -> Project:
    start_project(folder, "ann")
    if (tiny.ROOT / "build" / "runtime").is_dir():
        (folder / "build").mkdir()
        (folder / "build" / "runtime").symlink_to(tiny.ROOT / "build" / "runtime")
    return find_project(folder)


def test_a_new_recipe_runs_from_an_empty_folder_to_its_site(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    start_recipe(project, "tickets", None, COLUMNS, None)
    tiny.classifier(tmp_path / "base")
    recipe = find_recipe(project.root, "tickets")
    preset = recipe.preset(None)
    training = replace(preset.training, epochs=1, max_length=16)
    base = LocalModel(str(tmp_path / "base"), license="mit")
    run = open_run(project, recipe, None, replace(preset, base=base, training=training))
    stages = [stage.name for stage, _, ran in run_stages(run, silent) if ran]
    assert stages[-1] == "assemble"
    post = (run.folder / "pages" / "post.md").read_text("utf-8")
    assert post.startswith("# Tickets, sorted by a small model")
    assert "put together by a program" in post
    home = (build_site(project, silent) / "index.html").read_text("utf-8")
    assert "models" in home


def test_a_file_brings_its_labels_and_is_copied(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    file = tmp_path / "mine.csv"
    file.write_text('body,mood\n"Say ""no"" \\ {{ 1 }} 😀",calm\nGo away,"up ""set"""\n', "utf-8")
    start_recipe(project, "moods", file, {"text": "body", "label": "mood"}, "cc-by-4.0")
    recipe = find_recipe(project.root, "moods")
    assert recipe.task.labels == ("calm", 'up "set"')
    assert [sample.text for sample in recipe.task.samples] == ['Say "no" \\ {{ 1 }} 😀', "Go away"]
    file.unlink()
    assert (project.root / "recipes" / "moods" / "data" / "mine.csv").is_file()


def test_a_file_without_licence_is_unknown_so_that_no_gate_lets_it_out(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    file = tmp_path / "mine.csv"
    file.write_text("text,label\na,b\nc,d\n", "utf-8")
    start_recipe(project, "moods", file, COLUMNS, None)
    data = find_recipe(project.root, "moods").preset(None).data
    assert getattr(data, "license", None) == "unknown"


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    start_recipe(project, "moods", None, COLUMNS, None)
    with pytest.raises(InputError, match="is there already"):
        start_recipe(project, "moods", None, COLUMNS, None)
    with pytest.raises(InputError, match="is there already"):
        start_project(project.root, "ann")


@pytest.mark.parametrize(("name", "said"), [("../x", "a-z"), ("Moods", "a-z"), ("", "a-z")])
def test_a_name_that_is_no_name_is_one_line(tmp_path: Path, name: str, said: str) -> None:
    project = _project(tmp_path / "models")
    with pytest.raises(InputError, match=said):
        start_recipe(project, name, None, COLUMNS, None)


def test_a_column_of_one_label_is_refused(tmp_path: Path) -> None:
    project = _project(tmp_path / "models")
    file = tmp_path / "mine.csv"
    file.write_text("text,label\na,b\nc,b\n", "utf-8")
    with pytest.raises(InputError, match="2 to 20 different labels"):
        start_recipe(project, "moods", file, COLUMNS, None)


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
