"""A folder for recipes, and a recipe that runs: ``kit init`` and ``kit new``.

    kit init my-models && cd my-models
    kit new moods --data notes.csv --text-column body --label-column mood --license cc-by-4.0
    kit new messages --task text_generation --data commits.jsonl --license mit
    kit run moods

The files come from ``kit/skeleton/`` and belong to the creator from then on: what every recipe has
from ``recipe/``, the rest from the folder of its task. Without ``--data`` the recipe gets rows made
up from a few phrases, so that the whole chain can be tried before there is data.
"""

from __future__ import annotations

from kit.starting.writing import start_project, start_recipe

__all__ = ["start_project", "start_recipe"]
