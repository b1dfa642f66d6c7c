"""A toy project of commits whose run has an export and nothing else: enough to be asked."""

from __future__ import annotations

import shutil
from pathlib import Path

from kit.choosing import choose_run
from kit.project import find_project
from kit.runs import Run
from tests import tiny_text

RECIPE = '''"""A toy recipe of commits for tests."""
from kit.recipe import LocalData, LocalModel, Preset, Recipe, Sample, %(task)s

RECIPE = Recipe(
    name="%(name)s", title="A toy", slug="toy", language="en",
    task=%(task)s(samples=(Sample("a text"),), %(given)s),
    presets={"starter": Preset(data=LocalData("rows.jsonl"), base=LocalModel("base"))},
)
'''


def recipe(project: Path, name: str, task: str = "TextGeneration", given: str = "") -> None:
    """Write a recipe without rows worth reading or a base worth loading."""
    folder = project / "recipes" / name
    (folder / "base").mkdir(parents=True)
    (folder / "base" / "config.json").write_text("{}")
    (folder / "rows.jsonl").write_text("{}\n")
    (folder / "recipe.py").write_text(RECIPE % {"name": name, "task": task, "given": given})


def project(folder: Path) -> Run:
    """Write a project with one recipe, toy, and return its exported run."""
    folder.mkdir(parents=True)
    (folder / "kit.toml").write_text('owner = "ann"\n')
    recipe(folder, "toy")
    run = choose_run(find_project(folder), "toy")
    shutil.copytree(tiny_text.exported("llama"), run.folder / "export")
    (run.folder / "export.json").write_text("{}")
    return run
