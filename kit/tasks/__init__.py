"""What differs by task: one folder each, looked up by the task's ``kind``."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from kit.errors import RecipeError
from kit.recipe import find_recipe, recipe_names


def implementation(kind: str) -> ModuleType:
    """Return the package of a task: its stages, ``render``, ``predict`` and ``evaluate_…``."""
    return importlib.import_module(f"kit.tasks.{kind}")


def recipe_that_reads(project: Path, what: str, name: str | None = None) -> str:
    """Return the name of the recipe that answers such an input: the one given, else the only one.

    Args:
        project: the project's folder.
        what: what the task's ``READS`` must be, such as "diff".
        name: a recipe's name.

    Raises:
        RecipeError: the recipe named reads something else; or none is named and not just one fits.
    """
    if name:
        reads = implementation(find_recipe(project, name).task.kind).READS
        if reads != what:
            raise RecipeError(f"expected a recipe that reads a {what}, '{name}' reads a {reads}")
        return name
    reading = {
        found: implementation(find_recipe(project, found).task.kind).READS
        for found in recipe_names(project)
    }
    able = [found for found, reads in reading.items() if reads == what]
    if len(able) != 1:
        raise RecipeError(
            f"expected the name of a recipe that reads a {what}, got none; "
            f"known: {', '.join(able) or 'none'}"
        )
    return able[0]
