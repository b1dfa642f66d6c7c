"""Probes on four pairs worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kit.errors import InputError
from kit.evaluation.probes import probe

GROUPS = ["name", "gender", "name", "gender"]
A = np.array([0.9, 0.4, 0.6, 0.7])
B = np.array([0.8, 0.6, 0.9, 0.7])
LABELS_A = ["yes", "no", "yes", "yes"]
LABELS_B = ["yes", "yes", "yes", "yes"]


def test_each_group_is_summed_up_in_order_and_all_comes_last() -> None:
    found = probe(GROUPS, A, B, LABELS_A, LABELS_B)
    assert [(p.group, p.pairs, p.flips) for p in found] == [
        ("name", 2, 0),
        ("gender", 2, 1),
        ("all", 4, 1),
    ]
    assert [p.mean_shift for p in found] == pytest.approx([0.2, 0.1, 0.15])
    assert [p.largest_shift for p in found] == pytest.approx([0.3, 0.2, 0.3])


def test_shifts_to_both_sides_do_not_cancel() -> None:
    there, back = np.array([0.2, 0.8]), np.array([0.8, 0.2])
    assert probe(["name"] * 2, there, back, [0, 1], [1, 0])[-1].mean_shift == pytest.approx(0.6)


def test_swapping_the_texts_of_every_pair_changes_nothing() -> None:
    assert probe(GROUPS, A, B, LABELS_A, LABELS_B) == probe(GROUPS, B, A, LABELS_B, LABELS_A)


def test_labels_may_be_indices() -> None:
    found = probe(GROUPS, A, B, np.array([1, 0, 1, 1]), np.array([1, 1, 1, 1]))
    assert found == probe(GROUPS, A, B, LABELS_A, LABELS_B)


def test_no_pairs_have_no_summary() -> None:
    assert probe([], np.zeros(0), np.zeros(0), [], []) == ()


def test_a_group_called_all_is_refused() -> None:
    with pytest.raises(InputError, match="rename"):
        probe(["all"], A[:1], B[:1], ["yes"], ["yes"])


def test_columns_of_different_length_are_a_bug() -> None:
    with pytest.raises(ValueError, match="expected 4 pairs"):
        probe(GROUPS, A, B[:3], LABELS_A, LABELS_B)
