"""Which run a command is about: options become a preset, a preset a folder.

A bare name means the run that matches the present settings; else the newest that has what the
command needs, and stderr says so.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from kit.errors import RecipeError, RunError
from kit.project import Project
from kit.recipe import (
    DataSource,
    GitHistories,
    HubModel,
    LocalData,
    LocalModel,
    ModelSource,
    PreferenceData,
    Preset,
    find_recipe,
)
from kit.runs import SETTINGS, Run, finished, open_run, override, settings_of


def choose_run(
    project: Project,
    name: str,
    *,
    preset: str | None = None,
    assignments: tuple[str, ...] = (),
    seed: int | None = None,
    data: str | None = None,
    test_data: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    license_id: str | None = None,
    base: str | None = None,
    repos: tuple[str, ...] = (),
    preferences: str | None = None,
) -> Run:
    """Return the run that the options name; its folder need not exist yet."""
    recipe = find_recipe(project.root, name)
    chosen = override(recipe.preset(preset), assignments)
    columns = {
        key: value
        for key, value in (
            ("text_column", text_column),
            ("label_column", label_column),
            ("license", license_id),
        )
        if value
    }
    if repos:
        paths = tuple(str(Path(repo).expanduser().resolve()) for repo in repos)
        chosen = replace(chosen, data=GitHistories(paths, license_id), test_data=None)
    chosen = _with_data(chosen, data, test_data, {} if repos else columns)
    if preferences:
        chosen = _with_preferences(chosen, preferences)
    if base:
        chosen = replace(chosen, base=_base(base))
    if seed is not None:
        chosen = override(chosen, (f"training.seed={seed}",))
    return open_run(project, recipe, preset, chosen)


def finished_run(project: Project, name: str, record: str, **chosen: Any) -> Run:
    """Return the run that the options name if it has the record, else the newest that has.

    Raises:
        RunError: no run of the recipe has it, or that run's settings cannot be read.
    """
    run = choose_run(project, name, **chosen)
    if (run.folder / record).is_file():
        return run
    found = finished(project, name, record)
    asked = [value for value in chosen.values() if value not in (None, (), "")]
    if asked or not found:
        raise RunError(
            f"expected a run of '{name}' with {record}, found none; `kit run {name}` makes it"
        )
    other = _restored(run, found[0])
    print(f"kit: using {other.relative}, the newest finished run", file=sys.stderr)  # noqa: T201
    return other


def _restored(run: Run, folder: Path) -> Run:
    """Return the run of a folder, with the training settings and the base it was made with."""
    preset_name = folder.name.rpartition("-")[0]
    preset = run.recipe.presets.get(preset_name, run.preset)
    try:
        noted = json.loads((folder / SETTINGS).read_bytes())
        training = replace(preset.training, **noted["preset"]["training"])
        base = _restored_base(run, replace(preset, training=training), noted)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"expected the settings of {run.recipe.name} in {folder / SETTINGS}, got none that "
            f"this kit can read; run the recipe again, or remove {folder}"
        ) from error
    preset = replace(preset, training=training, base=base)
    return Run(run.project, run.recipe, preset_name, preset, folder)


def _restored_base(run: Run, preset: Preset, noted: dict[str, Any]) -> ModelSource:
    """Return the base that settings name: the preset's, one of the Hub, or a folder.

    The folder may be gone, or hold another model by now: what needs the base then refuses.
    """
    made = noted["preset"]["base"]
    if made == settings_of(run.recipe, preset)["preset"]["base"]:
        return preset.base
    if "repo_id" in made:
        return HubModel(**made)
    return LocalModel(**{**made, "path": noted["base_folder"]})


def _with_data(
    preset: Preset, data: str | None, test_data: str | None, columns: dict[str, str]
) -> Preset:
    """Put files in the place of the preset's data; a license not given is ``unknown``.

    An unknown license trains, evaluates and renders; no gate lets its result out.
    """
    if data:
        source = _local(preset, data, columns)
        # Other rows have other columns: only the label is sure to be there to stratify by.
        cleaning = replace(preset.cleaning, stratify_by=("label",))
        preset = replace(preset, data=source, test_data=None, cleaning=cleaning)
    elif columns:
        preset = replace(preset, data=_with_columns(preset.data, columns))
    if test_data:
        preset = replace(preset, test_data=_local(preset, test_data, columns))
    return preset


def _with_preferences(preset: Preset, path: str) -> Preset:
    """Put a file in the place of the preset's pairs; its license is ``unknown``."""
    if preset.training.objective != "dpo":
        raise RecipeError(
            f"--preferences is read where training.objective is dpo, it is "
            f"{preset.training.objective}; add --set training.objective=dpo"
        )
    pairs = PreferenceData(str(Path(path).expanduser().resolve()), license="unknown")
    return replace(preset, preferences=pairs)


def _local(preset: Preset, path: str, columns: dict[str, str]) -> LocalData:
    """Return a file as a source; its columns are called as the recipe's own unless named."""
    given = {"license": "unknown", **columns}
    if isinstance(preset.data, LocalData):
        own = {"text_column": preset.data.text_column, "label_column": preset.data.label_column}
        given = {**own, **given}
    return LocalData(str(Path(path).resolve()), **given)


def _with_columns(source: DataSource, columns: dict[str, Any]) -> DataSource:
    if isinstance(source, GitHistories):
        raise RecipeError(
            "expected a file or a Hub data set for --text-column, --label-column and --license, "
            "got git histories, whose columns are given; leave the options out"
        )
    return replace(source, **columns)


def _base(given: str) -> ModelSource:
    folder = Path(given)
    if folder.is_dir() or given.startswith((".", "/", "~")) or given.count("/") != 1:
        return LocalModel(str(folder.expanduser().resolve()))
    repo_id, _, revision = given.partition("@")
    return HubModel(repo_id, revision=revision or None)
