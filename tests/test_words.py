"""Words follow from numbers: a verdict and the prose around it change with the record."""

from __future__ import annotations

import pytest

from kit.records import Comparison, EvaluationRecord, Metric, Record
from kit.rendering import Ledger, environment
from kit.runs import Run
from kit.writing import words
from tests.tiny import ROOT

Finished = tuple[Run, dict[str, Record]]
COMPARE = (ROOT / "recipes" / "sentiment" / "prose" / "compare.md").read_text("utf-8")
CASES = {
    "beats": (0.05, 0.001, "The tuned encoder adds +5.0 points", "Counting words gets further"),
    "trails": (-0.05, 0.001, "no reason to ship a neural network", "Counting words wins"),
    "cannot be told from": (0.05, 0.3, "Ship the simpler one.", "cannot be told from TF-IDF"),
}


def comparison(difference: float, p_value: float, opponent: str = "tfidf") -> Comparison:
    return Comparison(
        metric="accuracy",
        a="tuned",
        b=opponent,
        difference=difference,
        low=difference - 0.01,
        high=difference + 0.01,
        p_value=p_value,
        test="mcnemar",
    )


@pytest.fixture
def evaluation(finished: Finished) -> EvaluationRecord:
    record = finished[1]["evaluate"]
    assert isinstance(record, EvaluationRecord)
    return record


def with_comparison(record: EvaluationRecord, changed: Comparison) -> EvaluationRecord:
    """Return the record with one opponent's comparison in the place of its own."""
    others = [changed if c.b == changed.b else c for c in record.comparisons]
    return record.model_copy(update={"comparisons": tuple(others)})


def prose(record: EvaluationRecord) -> str:
    """Render the sentiment recipe's comparison as a post does, on one line."""
    opponents = [c.b for c in record.comparisons]
    text = environment().from_string(COMPARE)
    said = text.render(
        num=Ledger({"evaluation": record}).printer("post.md"),
        verdicts={name: words.against(record, name) for name in opponents},
        index={name: words.comparison_index(record, name) for name in opponents},
    )
    return " ".join(said.replace("\ue000", "").replace("\ue001", "").split())


@pytest.mark.parametrize(
    ("difference", "p_value", "said"),
    [
        (0.05, 0.001, "beats"),
        (-0.05, 0.001, "trails"),
        (0.05, 0.3, "cannot be told from"),
        (-0.05, 0.3, "cannot be told from"),
        (0.05, 0.05, "cannot be told from"),
        (0.05, 0.0499, "beats"),
        (0.0, 1.0, "cannot be told from"),
    ],
)
def test_the_verdict_follows_the_paired_test(difference: float, p_value: float, said: str) -> None:
    assert words.verdict(comparison(difference, p_value)) == said


@pytest.mark.parametrize("verdict", CASES)
def test_the_comparisons_prose_says_the_verdict(evaluation: EvaluationRecord, verdict: str) -> None:
    difference, p_value, *wanted = CASES[verdict]
    said = prose(with_comparison(evaluation, comparison(difference, p_value)))
    assert all(phrase in said for phrase in wanted)
    others = [phrase for name in CASES if name != verdict for phrase in CASES[name][2:]]
    assert [phrase for phrase in others if phrase in said] == []


@pytest.mark.parametrize("verdict", CASES)
def test_the_base_is_judged_apart_from_the_baseline(
    evaluation: EvaluationRecord, verdict: str
) -> None:
    difference, p_value, *_ = CASES[verdict]
    changed = comparison(difference, p_value, "base_centroid")
    said = prose(with_comparison(evaluation, changed))
    assert f"the tuned model {verdict} it" in said
    assert f"{100 * difference:+.1f} points".replace("-", "−") in said


def test_the_strongest_baseline_is_the_best_of_the_others(evaluation: EvaluationRecord) -> None:
    for name in ("majority", "base"):
        best = Metric(value=2, low=1, high=3, n=48, method="none")
        systems = evaluation.systems | {name: evaluation.systems[name] | {"accuracy": best}}
        record = evaluation.model_copy(update={"systems": systems})
        assert words.strongest_baseline(record) == name


def test_the_tuned_model_is_no_baseline(evaluation: EvaluationRecord) -> None:
    alone = {name: evaluation.systems[name] for name in ("majority", "tuned")}
    record = evaluation.model_copy(update={"systems": alone})
    assert words.strongest_baseline(record) == "majority"


def test_the_weakest_slice_is_sought_in_its_field_only(evaluation: EvaluationRecord) -> None:
    place = words.weakest_slice(evaluation, "kind")
    assert place is not None
    found = evaluation.slices[place]
    assert found.field == "kind"
    assert found.accuracy.value == min(
        s.accuracy.value for s in evaluation.slices if s.field == "kind"
    )
    assert words.weakest_slice(evaluation, "colour") is None


def test_an_opponent_that_was_not_compared_is_an_error(evaluation: EvaluationRecord) -> None:
    with pytest.raises(KeyError):
        words.against(evaluation, "gpt")
