"""Words follow from numbers: a verdict and the prose around it change with the record."""

from __future__ import annotations

import pytest

from kit.records import Comparison, EvaluationRecord, Metric, Record, Slice
from kit.rendering import Ledger, environment
from kit.runs import Run
from kit.writing import words
from tests.tiny import ROOT

Finished = tuple[Run, dict[str, Record]]
COMPARE = (ROOT / "recipes" / "sentiment" / "prose" / "compare.md").read_text("utf-8")
CASES = {
    "beats": (0.05, 0.001, "The tuned encoder adds 5.0 points", "Counting words gets further"),
    "trails": (-0.05, 0.001, "no reason to ship a neural network", "Counting words wins"),
    "cannot be told apart from": (
        0.05,
        0.3,
        "Ship the simpler one.",
        "cannot be told apart from TF-IDF",
    ),
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
        (0.05, 0.3, "cannot be told apart from"),
        (-0.05, 0.3, "cannot be told apart from"),
        (0.05, 0.05, "cannot be told apart from"),
        (0.05, 0.0499, "beats"),
        (0.0, 1.0, "cannot be told apart from"),
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


def sliced(record: EvaluationRecord, *slices: tuple[str, str, float, float]) -> EvaluationRecord:
    """Return the record with other slices: field, value, accuracy and the end of its interval."""
    made = tuple(
        Slice(
            field=field,
            value=value,
            accuracy=Metric(value=found, low=0, high=high, n=9, method="wilson"),
        )
        for field, value, found, high in slices
    )
    return record.model_copy(update={"slices": made})


def test_the_weakest_slices_are_sought_in_their_field_only(evaluation: EvaluationRecord) -> None:
    others = (("size", "up to 8 lines", 0.0, 0.1), ("kind", "plain", 0.9, 1.0))
    record = sliced(evaluation, *others, ("kind", "irony", 0.5, 0.6), ("kind", "mixed", 0.5, 1.0))
    assert words.weakest_slices(record, "kind") == [2, 3]
    assert words.weakest_slices(record, "colour") == []
    assert words.surely_weak(record, [2, 3]) == ["irony"]


def test_slices_that_are_all_alike_have_no_weakest(evaluation: EvaluationRecord) -> None:
    record = sliced(evaluation, ("kind", "plain", 1.0, 1.0), ("kind", "irony", 1.0, 1.0))
    assert words.weakest_slices(record, "kind") == []


def test_classes_of_size_are_listed_by_their_size(evaluation: EvaluationRecord) -> None:
    values = ("9 to 20 lines", "46 lines and more", "up to 8 lines")
    sizes = (("size", value, 0.5, 0.6) for value in values)
    record = sliced(evaluation, ("kind", "b", 0.5, 0.6), *sizes, ("kind", "a", 0.5, 0.6))
    assert words.slices_in_order(record) == [0, 4, 3, 1, 2]


def test_names_are_listed_as_a_sentence_has_them() -> None:
    said = [words.listed(names) for names in ((), ("a",), ("a", "b"), ("a", "b", "c"))]
    assert said == ["", "a", "a and b", "a, b and c"]


def test_an_opponent_that_was_not_compared_is_an_error(evaluation: EvaluationRecord) -> None:
    with pytest.raises(KeyError):
        words.against(evaluation, "gpt")
