"""Rows are divided, and what stands on two sides leaves train."""

from __future__ import annotations

import pytest

from kit.data.dividing import check_splits, divide
from kit.data.rows import Row, Tally, row_id
from kit.errors import InputError, RecipeError
from kit.recipe import Cleaning

LONG = "the boat came late and the coffee was cold but the crew made up for all of it"


def row(text: str, label: str = "pos") -> Row:
    return Row(row_id(label, text), text, label, {})


def test_near_copies_that_a_split_tore_apart_leave_train() -> None:
    rows = [row(f"{LONG} {ending}") for ending in "abcdefghijkl"] + [row("new"), row("old")]
    tally = Tally()
    splits, leaked = divide(rows, None, Cleaning(near_duplicate=0.7), 13, tally)
    held_out = [one.text for name in ("validation", "test") for one in splits[name]]
    assert any(text.startswith(LONG) for text in held_out)
    assert not any(one.text.startswith(LONG) for one in splits["train"])
    assert sum(leaked.values()) == tally.removed["leaked"] > 0
    assert sum(map(len, splits.values())) + tally.removed["leaked"] == len(rows)


def test_a_given_test_set_is_kept_whole_and_in_a_seeded_order() -> None:
    given = [row(f"text {i}") for i in range(20)]
    splits, _ = divide([row(f"other {i}") for i in range(20)], given, Cleaning(), 13, Tally())
    assert splits["test"] != given
    assert sorted(one.text for one in splits["test"]) == sorted(one.text for one in given)


def test_groups_held_out_beside_a_test_set_are_refused() -> None:
    rows = [row(f"text {i}") for i in range(6)]
    with pytest.raises(RecipeError, match="expected one test set"):
        divide(rows, rows[:1], Cleaning(hold_out=("a",)), 13, Tally())


@pytest.mark.parametrize("empty", ["train", "validation", "test"])
def test_an_empty_split_is_refused_by_name(empty: str) -> None:
    splits = {name: [row("a"), row("b", "neg")] for name in ("train", "validation", "test")}
    splits[empty] = []
    with pytest.raises(InputError, match=f"expected rows in the {empty} split"):
        check_splits(splits, ("neg", "pos"), Tally())


def test_one_label_of_three_that_is_missing_from_train_is_named() -> None:
    splits = {name: [row("a"), row("b", "neg")] for name in ("train", "validation", "test")}
    splits["test"].append(row("c", "mixed"))
    with pytest.raises(InputError, match="in the train split of 2 rows, got none of 'mixed'"):
        check_splits(splits, ("neg", "pos", "mixed"), Tally())
