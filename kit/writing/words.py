"""Words that follow from numbers, so that a sentence changes when its record does."""

from __future__ import annotations

from kit.records import Comparison, EvaluationRecord

LEVEL = 0.05


def verdict(comparison: Comparison) -> str:
    """Return "beats", "trails" or "cannot be told from", by the paired test at 5 %."""
    if comparison.p_value >= LEVEL:
        return "cannot be told from"
    return "beats" if comparison.difference > 0 else "trails"


def against(evaluation: EvaluationRecord, opponent: str) -> str:
    """Return the verdict of the tuned model against a system."""
    return verdict(_comparison(evaluation, opponent))


def strongest_baseline(evaluation: EvaluationRecord) -> str:
    """Return the best system by the headline metric that is not the tuned one."""
    others = [name for name in evaluation.systems if name != "tuned"]
    return max(others, key=lambda name: evaluation.systems[name][evaluation.headline].value)


def weakest_slice(evaluation: EvaluationRecord, field: str) -> int | None:
    """Return the position in ``slices`` of the field's lowest accuracy; None without the field."""
    found = [(s.accuracy.value, i) for i, s in enumerate(evaluation.slices) if s.field == field]
    return min(found)[1] if found else None


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
