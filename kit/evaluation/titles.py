"""``kit titles NAME --counts FILE``: which title of an idea card wins, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kit.brief import read_brief
from kit.brief.board import card_path
from kit.brief.titles import Counts, read_counts, title_variants
from kit.errors import InputError
from kit.evaluation.click_rates import best_chances, difference, views_needed
from kit.evaluation.intervals import LEVEL, proportion

SEED = 0


def title_report(
    root: Path, name: str, path: Path, power: float
) -> tuple[dict[str, Any], list[str]]:
    """Return what the counts of a card's titles say: a JSON document, and lines to print.

    Raises:
        InputError: no such card or file, or fewer than two titles to compare.
    """
    variants = title_variants(read_brief(card_path(root, name)))
    if len(variants) < 2:
        raise InputError(
            f"expected two titles or more in the brief of '{name}', found one; "
            "add Video titles to its Editorial brief"
        )
    counts = read_counts(path, variants)
    if len(counts) < 2:
        raise InputError(
            f"expected views of two titles or more in {path}, found {len(counts)}; "
            f"the brief has {len(variants)}"
        )
    document = {"recipe": name, **compare_titles(counts, power)}
    document["not_shown"] = sorted(set(variants) - {row.title for row in counts})
    return document, report_lines(document)


def compare_titles(counts: Sequence[Counts], power: float, seed: int = SEED) -> dict[str, Any]:
    """Rank titles by click rate and say whether the first is the best.

    It is decided when the first title is the best with a probability of 0.95 or more and the test
    against the second has p < 0.05. Settle the number of views beforehand: looking again and
    again until a title wins finds winners that are none.

    Args:
        counts: two titles or more, shown at least once each.
        power: the chance that a test after ``more_views`` finds the differences seen now.
        seed: of the draws behind ``chance_of_best``.

    Returns:
        ``titles`` by rate, highest first, ``comparison`` of the first with the second, ``decided``
        and ``winner``; rates and chances are fractions. ``more_views`` is None where the rates are
        equal, and 0 for all once it is decided.
    """
    ranked = sorted(counts, key=lambda row: (-row.clicks / row.views, -row.views, row.title))
    clicks = np.array([row.clicks for row in ranked])
    views = np.array([row.views for row in ranked])
    chances = best_chances(clicks, views, seed)
    first, second = ranked[:2]
    found = difference(first.clicks, first.views, second.clicks, second.views)
    decided = bool(chances[0] >= LEVEL and found.p_value < 1 - LEVEL)
    more = [0] * len(ranked) if decided else _more_views(ranked, power)
    rates = [proportion(row.clicks, row.views) for row in ranked]
    return {
        "titles": [
            {
                **row._asdict(),
                "rate": {"value": rate.value, "low": rate.low, "high": rate.high, "n": rate.n},
                "chance_of_best": float(chance),
                "more_views": missing,
            }
            for row, rate, chance, missing in zip(ranked, rates, chances, more, strict=True)
        ],
        "comparison": {"a": first.title, "b": second.title, **asdict(found)},
        "decided": decided,
        "winner": first.title if decided else None,
        "power": power,
        "seed": seed,
    }


def _more_views(ranked: Sequence[Counts], power: float) -> list[int | None]:
    """Return the views that each title lacks until the test tells it from the first.

    The first needs as many as the hardest of those comparisons. A title that the test tells from
    it already needs none, unless that is all of them, and only together they leave a doubt.
    """
    first, *others = ranked
    against = [difference(first.clicks, first.views, row.clicks, row.views) for row in others]
    is_open = [found.p_value >= 1 - LEVEL for found in against]
    needed = [
        views_needed(first.clicks / first.views, row.clicks / row.views, power)
        if unsure or not any(is_open)
        else 0
        for row, unsure in zip(others, is_open, strict=True)
    ]
    known = [number for number in needed if number is not None]
    most = max(known) if len(known) == len(needed) else None
    pairs = zip(ranked, [most, *needed], strict=True)
    return [None if number is None else max(0, number - row.views) for row, number in pairs]


def report_lines(document: dict[str, Any]) -> list[str]:
    """Return a comparison as a table and two sentences."""
    lines = [f"{'views':>9} {'clicks':>8} {'rate':>8}  {'95 % interval':17} {'best':>6}  title"]
    for row in document["titles"]:
        rate = row["rate"]
        interval = f"{rate['low']:.2%} to {rate['high']:.2%}"
        lines.append(
            f"{row['views']:9,} {row['clicks']:8,} {rate['value']:8.2%}  {interval:17} "
            f"{row['chance_of_best']:6.1%}  {row['title']}"
        )
    lines += [f"{'not shown':>9} {'':43}  {title}" for title in document["not_shown"]]
    return [*lines, "", _compared(document), _verdict(document)]


def _compared(document: dict[str, Any]) -> str:
    found = document["comparison"]
    points = [100 * found[name] for name in ("difference", "low", "high")]
    return (
        f"First against second: {points[0]:+.2f} points "
        f"(95 % interval {points[1]:+.2f} to {points[2]:+.2f}, p = {found['p_value']:.2g})."
    )


def _verdict(document: dict[str, Any]) -> str:
    first = document["titles"][0]
    sure = f"{first['chance_of_best']:.1%}"
    if document["decided"]:
        return f"Decided: “{first['title']}” is the best with a probability of {sure}."
    said = f"Not decided: “{first['title']}” leads, and is the best with a probability of {sure}."
    missing = [row for row in document["titles"] if row["more_views"]]
    if any(row["more_views"] is None for row in document["titles"]):
        return f"{said} Two rates are equal, and no number of views tells equal rates apart."
    more = "; ".join(f"{row['more_views']:,} for “{row['title']}”" for row in missing)
    return f"{said} If the rates stay, a power of {document['power']:.0%} takes more views: {more}."
