"""Words that follow from numbers, so that a sentence changes when its record does."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kit.records import Comparison, EvaluationRecord
from kit.rendering import escape_markdown

LEVEL = 0.05
SAID = {
    "tfidf": "counting words",
    "base_centroid": "its frozen base",
    "base": "its base without tuning",
    "base_few_shot": "its base, shown examples",
    "majority": "the most common label",
    "nearest": "the nearest neighbour",
    "rules": "the rule",
}
"""What a heading calls an opponent."""
SIZE = re.compile(r"(up to )?(\d{1,9})( to \d+)? \w+( and more)?")
"""A class of size, such as "4 to 12 words"."""


def verdict(comparison: Comparison) -> str:
    """Return "beats", "trails" or "cannot be told apart from", by the paired test at 5 %."""
    if comparison.p_value >= LEVEL:
        return "cannot be told apart from"
    return "beats" if comparison.difference > 0 else "trails"


def against(evaluation: EvaluationRecord, opponent: str) -> str:
    """Return the verdict of the tuned model against a system."""
    return verdict(_comparison(evaluation, opponent))


def strongest_baseline(evaluation: EvaluationRecord) -> str:
    """Return the best system by the headline metric that is not the tuned one."""
    others = [name for name in evaluation.systems if name != "tuned"]
    return max(others, key=lambda name: evaluation.systems[name][evaluation.headline].value)


def said(system: str) -> str:
    """Return what a heading calls a system that is not ours."""
    return SAID.get(system, system)


def fails_heading(kinds: Sequence[str]) -> str:
    """Return the heading of the part on failures: it names the kinds that are surely weak."""
    return f"Where it fails: {escape_markdown(listed(kinds))}" if kinds else "Where it fails"


def weakest_slices(evaluation: EvaluationRecord, field: str) -> list[int]:
    """Return the positions in ``slices`` of the field's lowest accuracy: several where they tie.

    There is none without the field, or where all its slices are alike.
    """
    found = {i: s.accuracy.value for i, s in enumerate(evaluation.slices) if s.field == field}
    lowest = [i for i, value in found.items() if value == min(found.values())]
    return lowest if len(lowest) < len(found) else []


def surely_weak(evaluation: EvaluationRecord, places: Sequence[int]) -> list[str]:
    """Return the values of those slices whose whole interval is below the score of all rows."""
    whole = evaluation.systems["tuned"][evaluation.headline].value
    found = [evaluation.slices[place] for place in places]
    return [item.value for item in found if item.accuracy.high < whole]


def slices_in_order(evaluation: EvaluationRecord) -> list[int]:
    """Return the positions of ``slices`` as a table lists them: classes of size by their size."""

    def place(at: int) -> tuple[int, int]:
        item = evaluation.slices[at]
        size = SIZE.fullmatch(item.value)
        return fields.index(item.field), int(size[2]) * (not size[1]) if size else 0

    fields = [item.field for item in evaluation.slices]
    return sorted(range(len(fields)), key=place)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them.

    >>> listed(["perf", "revert", "style"])
    'perf, revert and style'
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def comparison_index(evaluation: EvaluationRecord, opponent: str, metric: str | None = None) -> int:
    """Return the position in ``comparisons`` of a metric, the headline one if left out."""
    return evaluation.comparisons.index(_comparison(evaluation, opponent, metric))


def _comparison(
    evaluation: EvaluationRecord, opponent: str, metric: str | None = None
) -> Comparison:
    wanted = metric or evaluation.headline
    for comparison in evaluation.comparisons:
        if comparison.b == opponent and comparison.metric == wanted:
            return comparison
    raise KeyError(opponent)
