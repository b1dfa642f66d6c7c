"""How a publication is received, as a section of the recipe's results page.

It comes from ``results/stats.json``, which ``kit stats NAME`` keeps; without it there is none.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from kit.recipe import Recipe
from kit.records import StatsRecord
from kit.rendering import Ledger, render

MOST_DAYS = 7
"""So many of the latest days are shown; the file has them all."""


def reception(recipe: Recipe) -> str:
    """Return the section, its numbers by the ledger; empty where nothing was counted."""
    record = StatsRecord.of(recipe.folder / "results")
    if not record.days:
        return ""
    endpoint = record.days[-1].endpoint
    days = [(place, day) for place, day in enumerate(record.days) if day.endpoint == endpoint]
    return "\n" + render(
        "stats.md.jinja",
        "results.md",
        Ledger({"stats": record}),
        host=urlsplit(endpoint).netloc,
        days=days[::-1][:MOST_DAYS],
    )
