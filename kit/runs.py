"""A run: one execution of a recipe in one folder, ``runs/<recipe>/<preset>-<hash8>/``.

The hash covers what determines the result: the preset's settings, the bytes of the data, the pinned
base model, the seed and the versions that matter. The same inputs are the same folder.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kit.errors import InputError, RecipeError, RunError, did_you_mean
from kit.files import sha256, write_atomically
from kit.project import Project
from kit.recipe import (
    DataSource,
    GitHistories,
    HubData,
    LocalData,
    LocalModel,
    ModelSource,
    PreferenceData,
    Preset,
    Recipe,
)

Progress = Callable[[str, int, int | None], None]
"""What a stage calls as it goes on: (what, done, of how many)."""

VERSIONS = ("torch", "transformers", "tokenizers", "accelerate", "numpy")
SETTINGS = "settings.json"
POSITIVE = {"epochs", "batch_size", "learning_rate", "max_length", "lora_rank", "beta"}
MOST = {"seed": 2**32 - 1, "dropout": 1, "near_duplicate": 1}


@dataclass(frozen=True)
class Run:
    """One recipe with one preset as overridden, and its folder."""

    project: Project
    recipe: Recipe
    preset_name: str
    preset: Preset
    folder: Path

    @property
    def settings(self) -> dict[str, Any]:
        """What determines the result, as JSON values."""
        return settings_of(self.recipe, self.preset)

    @property
    def base(self) -> ModelSource:
        """The base model, a local one by its absolute path."""
        base = self.preset.base
        if isinstance(base, LocalModel):
            return replace(base, path=str(self.recipe.folder / base.path))
        return base

    @property
    def relative(self) -> str:
        """The folder, relative to the project."""
        return self.folder.relative_to(self.project.root).as_posix()


def open_run(project: Project, recipe: Recipe, preset_name: str | None, preset: Preset) -> Run:
    """Return the run that matches the settings; its folder need not exist yet."""
    name = preset_name or recipe.default_preset
    text = json.dumps(settings_of(recipe, preset), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    folder = project.runs / recipe.name / f"{name}-{digest}"
    return Run(project, recipe, name, preset, folder)


def settings_of(recipe: Recipe, preset: Preset) -> dict[str, Any]:
    """Return the settings that name a run: recipe task, preset, data and base bytes, versions."""
    values: dict[str, Any] = {
        "labels": list(recipe.task.labels),
        "preset": json.loads(json.dumps(asdict(preset), default=str)),
        "data": _data_digest(recipe, preset.data),
        "test_data": _data_digest(recipe, preset.test_data) if preset.test_data else None,
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
    }
    if preset.training.objective == "dpo":
        values["preferences"] = preset.preferences and _data_digest(recipe, preset.preferences)
    else:
        # What is not read names no run.
        del values["preset"]["preferences"], values["preset"]["training"]["beta"]
    for source in (values["preset"].get(name) for name in ("data", "test_data", "preferences")):
        # The bytes name local data; where they lie does not change a result.
        if source and "path" in source:
            source["path"] = Path(source["path"]).name
        if source and "paths" in source:
            source["paths"] = [Path(path).name for path in source["paths"]]
    if isinstance(preset.base, LocalModel):
        values["preset"]["base"]["path"] = _folder_digest(recipe.folder / preset.base.path)
    return values


def data_path(recipe: Recipe, source: LocalData | PreferenceData) -> Path:
    """Return where a local source lies: relative paths start at the recipe's folder."""
    return (recipe.folder / source.path).resolve()


def _data_digest(recipe: Recipe, source: DataSource | PreferenceData) -> str:
    if isinstance(source, HubData):
        return f"{source.repo_id}@{source.revision}"
    if isinstance(source, GitHistories):
        return " ".join(_head(Path(path)) for path in source.paths)
    path = data_path(recipe, source)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "none"
        option = "--preferences" if isinstance(source, PreferenceData) else "--data"
        raise InputError(f"expected a data file at {path}, found {what}; name one with {option}")
    return sha256(path)


def _head(repository: Path) -> str:
    """Return the commit at a repository's HEAD, as 40 hex digits."""
    import subprocess

    command = ["git", "-C", str(repository), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise InputError("expected git on the PATH to read --repo, found none") from error
    if found.returncode:
        raise InputError(
            f"expected a git repository with commits at {repository}, git said: "
            f"{found.stderr.strip()[:200]}; mend --repo"
        )
    return found.stdout.strip()


def _folder_digest(folder: Path) -> str:
    if not (folder / "config.json").is_file():
        raise InputError(
            f"expected a model folder with config.json at {folder}, found none; mend --base"
        )
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in {".json", ".safetensors", ".txt"}:
            digest.update(f"{path.name} {sha256(path)}\n".encode())
    return digest.hexdigest()


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Begin or go on with a run: note its settings, where its base lies, and hold its folder.

    Raises:
        RunError: another process works in it.
    """
    noted = dict(run.settings)
    if isinstance(run.base, LocalModel):
        noted["base_folder"] = run.base.path
    write_atomically(
        run.folder / SETTINGS, (json.dumps(noted, indent=1, sort_keys=True) + "\n").encode()
    )
    with held(run):
        yield


@contextmanager
def held(run: Run) -> Iterator[None]:
    """Hold the run's folder against other processes.

    Raises:
        RunError: another process works in it.
    """
    import filelock

    lock = filelock.FileLock(run.folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise RunError(
            f"another process works in {run.relative}; wait for it, or stop it, and run again"
        ) from error
    try:
        yield
    finally:
        lock.release()


def finished(project: Project, recipe: str, record: str) -> list[Path]:
    """Return the recipe's run folders that hold the record, newest first."""
    found = (project.runs / recipe).glob(f"*/{record}")
    return [path.parent for path in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)]


def publications(project: Project, recipe: str, endpoint: str) -> Path:
    """Return where the publications of a recipe on that Hub leave their journals and record."""
    host = urlsplit(endpoint).netloc.replace(":", "-")
    return project.runs / recipe / "publication" / host


def override(preset: Preset, assignments: tuple[str, ...]) -> Preset:
    """Apply ``training.epochs=2`` and the like to a preset.

    Raises:
        RecipeError: an unknown setting, a value of the wrong type, or a number below its least.
    """
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        if not equals:
            raise RecipeError(f"expected --set name=value, got {assignment!r}")
        if (path, value) == ("training.method", "qlora"):
            preset = override(preset, ("training.method=lora", "training.quantization=nf4"))
        else:
            preset = _replaced(preset, path.split("."), value, path)
    return preset


def _replaced(owner: Any, path: list[str], value: str, whole: str) -> Any:
    from dataclasses import fields, is_dataclass

    names = [item.name for item in fields(owner)]
    if path[0] not in names:
        raise RecipeError(f"unknown setting '{whole}'; {did_you_mean(path[0], names)}")
    current = getattr(owner, path[0])
    if len(path) > 1:
        if not is_dataclass(current):
            raise RecipeError(f"setting '{whole}' has no part '{path[1]}'")
        return replace(owner, **{path[0]: _replaced(current, path[1:], value, whole)})
    return replace(owner, **{path[0]: _typed(owner, path[0], value, whole)})


def _typed(owner: Any, name: str, value: str, whole: str) -> Any:
    from pydantic import TypeAdapter, ValidationError

    hints = _hints(type(owner))
    try:
        given: Any = None if value.lower() == "none" else value
        if getattr(hints[name], "__origin__", None) is tuple:
            given = [part for part in value.split(",") if part]
        found = TypeAdapter(hints[name]).validate_python(given)
    except ValidationError as error:
        said = error.errors()[0]["msg"]
        raise RecipeError(f"setting '{whole}' got {value!r}: {said}") from error
    if isinstance(found, int | float) and not _possible(name, found):
        bounds = "more than 0" if name in POSITIVE else "at least 0"
        if name in MOST:
            bounds += f" and at most {MOST[name]}"
        raise RecipeError(f"setting '{whole}' got {value!r}: expected a number, {bounds}")
    return found


def _possible(name: str, number: float) -> bool:
    if not math.isfinite(number) or number > MOST.get(name, number):
        return False
    return number > 0 if name in POSITIVE else number >= 0


def _hints(owner: type) -> dict[str, Any]:
    import typing

    return typing.get_type_hints(owner)
