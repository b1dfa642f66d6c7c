"""Labels of a file are matched to those of the task, and never by guessing."""

from __future__ import annotations

import pytest

from kit.data.labels import as_text, label_matcher
from kit.errors import RecipeError
from kit.recipe import TextClassification

TASK = TextClassification(
    labels=("negative", "positive"), label_aliases={"neg": "negative", "Pos": "positive"}
)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("negative", "negative"),
        (" Positive ", "positive"),
        ("NEG", "negative"),
        ("pos", "positive"),
        ("mixed", None),
        ("", None),
        ("1", None),
    ],
)
def test_a_label_is_matched_by_name_or_alias_whatever_its_case(
    given: str, label: str | None
) -> None:
    assert label_matcher(TASK, ["neg", "positive", "1"])(given) == label


@pytest.mark.parametrize(("zero", "one"), [("0", "1"), ("0.0", "1.0")])
def test_numbers_are_indices_when_every_label_is_one(zero: str, one: str) -> None:
    matched = label_matcher(TASK, [zero, one, "-1", ""])
    assert [matched(label) for label in (zero, one, "-1", "")] == [
        "negative",
        "positive",
        None,
        None,
    ]


@pytest.mark.parametrize("seen", [["1", "2"], ["1", "2", "3", "4", "5"], ["0", "1", "maybe"]])
def test_ratings_are_not_taken_for_indices(seen: list[str]) -> None:
    matched = label_matcher(TASK, seen)
    assert [matched(label) for label in seen] == [None] * len(seen)


def test_a_number_that_is_an_alias_is_no_index() -> None:
    task = TextClassification(labels=("b", "a"), label_aliases={"1": "b", "0": "a"})
    assert label_matcher(task, ["0", "1"])("0") == "a"


def test_an_alias_for_no_label_of_the_task_is_refused() -> None:
    task = TextClassification(labels=("a", "positive"), label_aliases={"x": "positiv"})
    with pytest.raises(RecipeError, match="did you mean 'positive'"):
        label_matcher(task, [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (3, "3"),
        (True, "true"),
        ({"b": [1], "a": None}, '{"a": null, "b": [1]}'),
        ("a\x00\ud800", "a?"),
    ],
)
def test_any_cell_becomes_text_that_a_file_can_hold(value: object, text: str) -> None:
    assert as_text(value) == text
