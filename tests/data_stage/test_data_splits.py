"""Splits keep their shares in every stratum, and nothing stands on both sides."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from kit.data.splits import contradictions, remove_leaks, seeded_order, split
from kit.errors import RecipeError

Key = tuple[str, str]


def rows(sizes: dict[Key, int]) -> tuple[list[str], list[Key]]:
    keys = [key for key, size in sizes.items() for _ in range(size)]
    return [f"row {i}" for i in range(len(keys))], keys


def cut(ids: list[str], keys: list[Key], seed: int = 13) -> list[str]:
    return split(ids, keys, validation_share=0.1, test_share=0.2, seed=seed)


def test_every_stratum_has_its_share_within_one_row() -> None:
    sizes = {("films", "neg"): 203, ("films", "pos"): 97, ("books", "neg"): 55, ("x", "pos"): 45}
    ids, keys = rows(sizes)
    counts = Counter(zip(keys, cut(ids, keys), strict=True))
    for key, size in sizes.items():
        assert abs(counts[key, "test"] - 0.2 * size) < 1
        assert abs(counts[key, "validation"] - 0.1 * size) < 1


def test_the_shares_of_the_whole_are_met_to_the_row() -> None:
    ids, keys = rows({(str(i), "pos"): 7 for i in range(30)})
    assert Counter(cut(ids, keys)) == {"test": 42, "validation": 21, "train": 147}


def test_the_split_does_not_depend_on_the_order_of_rows() -> None:
    ids, keys = rows({("a", "neg"): 40, ("a", "pos"): 33, ("b", "neg"): 5, ("c", "pos"): 1})
    expected = dict(zip(ids, cut(ids, keys), strict=True))
    order = list(range(len(ids)))
    random.Random(1).shuffle(order)
    shuffled = cut([ids[i] for i in order], [keys[i] for i in order])
    assert {ids[i]: name for i, name in zip(order, shuffled, strict=True)} == expected


def test_another_seed_draws_other_rows() -> None:
    ids, keys = rows({("a", "neg"): 100})
    assert cut(ids, keys, seed=1) != cut(ids, keys, seed=2)


def test_the_last_row_of_a_stratum_stays_in_train() -> None:
    ids, keys = rows({(str(i), "pos"): 1 + i % 3 for i in range(60)})
    names = split(ids, keys, validation_share=0.4, test_share=0.4, seed=3)
    assert {key for key, name in zip(keys, names, strict=True) if name == "train"} == set(keys)
    assert Counter(names) == {"train": 60, "test": 48, "validation": 12}


def test_a_seat_goes_to_the_largest_remainder() -> None:
    ids, keys = rows({("a", "pos"): 11, ("b", "pos"): 14, ("c", "pos"): 15})
    names = split(ids, keys, validation_share=0, test_share=0.2, seed=1)
    counts = Counter(key[0] for key, name in zip(keys, names, strict=True) if name == "test")
    assert counts == {"a": 2, "b": 3, "c": 3}


def test_no_share_is_no_split() -> None:
    ids, keys = rows({("a", "pos"): 9})
    assert set(split(ids, keys, validation_share=0, test_share=0, seed=1)) == {"train"}


def test_nothing_to_split_is_split_into_nothing() -> None:
    assert cut([], []) == []


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.2), (0.9, 0.2)])
def test_shares_that_leave_nothing_to_train_on_are_refused(validation: float, test: float) -> None:
    with pytest.raises(RecipeError, match="with a sum under 1"):
        split(["a"], [("x",)], validation_share=validation, test_share=test, seed=1)


def test_the_seeded_order_is_a_shuffle_that_ids_decide() -> None:
    ids = [str(i) for i in range(50)]
    shuffled = [ids[i] for i in seeded_order(ids, 13)]
    assert shuffled != ids
    assert sorted(shuffled) == sorted(ids)
    assert [ids[::-1][i] for i in seeded_order(ids[::-1], 13)] == shuffled


def test_a_leaked_row_is_removed_from_train_and_counted_once() -> None:
    long = "the boat came late and the coffee was cold but the crew made up for all of it"
    train = ["Dull!", long + " twice", "new", "old"]
    found = remove_leaks(train, {"test": ["dull", long], "validation": ["DULL", "Old."]}, 0.8)
    assert found.kept == (2,)
    assert found.removed == {"test": 2, "validation": 1}


def test_all_copies_of_a_text_under_two_labels_are_named() -> None:
    texts = ["Fine.", "fine", "FINE!", "Good.", "good"]
    assert contradictions(texts, ["neg", "pos", "pos", "pos", "pos"]) == [0, 1, 2]
