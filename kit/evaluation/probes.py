"""Counterfactual probes: how answers change when only a name or a pronoun does.

Each pair holds two texts, a and b, that a fair model answers alike::

    probe(["gender"], np.array([0.97]), np.array([0.91]), ["positive"], ["positive"])
    # (Probe(group='gender', pairs=1, flips=0, mean_shift=0.06, ...), Probe(group='all', ...))
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kit.errors import InputError
from kit.records import Probe

ALL = "all"


def probe(
    groups: Sequence[str],
    probabilities_a: npt.NDArray[np.floating],
    probabilities_b: npt.NDArray[np.floating],
    labels_a: Sequence[object] | npt.NDArray[np.integer],
    labels_b: Sequence[object] | npt.NDArray[np.integer],
) -> tuple[Probe, ...]:
    """Return one summary per group, in order of first appearance, and one of "all" pairs.

    A shift is the absolute change of the probability of one label: shifts to both sides do not
    cancel. A flip is a pair whose two answers differ.

    Args:
        groups: shape [m], what each pair changes, such as "gender".
        probabilities_a: shape [m], of one and the same label for both texts of a pair.
        probabilities_b: shape [m].
        labels_a: shape [m], the answers to the texts a.
        labels_b: shape [m].

    Returns:
        The summaries; none for no pairs.

    Raises:
        InputError: a group is called "all".
    """
    if ALL in groups:
        raise InputError('expected a group of probes other than "all", which is the sum; rename it')
    columns = (probabilities_a, probabilities_b, labels_a, labels_b)
    if any(len(column) != len(groups) for column in columns):
        raise ValueError(f"expected {len(groups)} pairs, got {[len(c) for c in columns]}")
    if not groups:
        return ()
    shifts = np.abs(np.asarray(probabilities_b, np.float64) - probabilities_a)
    flips = np.asarray(labels_a) != np.asarray(labels_b)
    of_pair = np.asarray(groups, dtype=object)
    masks = {group: of_pair == group for group in dict.fromkeys(groups)}
    masks[ALL] = np.ones(len(groups), np.bool_)
    return tuple(_summary(group, shifts[rows], flips[rows]) for group, rows in masks.items())


def _summary(group: str, shifts: npt.NDArray[np.float64], flips: npt.NDArray[np.bool_]) -> Probe:
    return Probe(
        group=group,
        pairs=len(shifts),
        flips=int(flips.sum()),
        mean_shift=float(shifts.mean()),
        largest_shift=float(shifts.max()),
    )
