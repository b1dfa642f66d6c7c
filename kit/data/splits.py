"""Train, validation and test: a stratified split, and what must not stand on both sides.

::

    >>> split(["a", "b", "c", "d"], [("x",)] * 4, validation_share=0.25, test_share=0.25, seed=13)
    ['validation', 'train', 'test', 'train']
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.data.near_duplicates import normalized, overlaps
from kit.errors import RecipeError

TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class Leaks:
    """What stays of a training split: indices kept, and rows removed per other split."""

    kept: tuple[int, ...]
    removed: dict[str, int]


def split(
    ids: Sequence[str],
    keys: Sequence[Sequence[str]],
    *,
    validation_share: float,
    test_share: float,
    seed: int,
) -> list[str]:
    """Return the split of each row, stratified by its key.

    Each share of the whole is met to the row, and divided among the strata by largest remainder
    (Hamilton's method). The last row of a stratum stays in train. Which rows are drawn depends
    on their ids and the seed, not on their order.

    Args:
        ids: one a row; they should differ.
        keys: the stratum of each row, for example (domain, label).
        validation_share: fraction of all rows in [0, 1).
        test_share: fraction of all rows in [0, 1).
        seed: another seed draws other rows.

    Raises:
        RecipeError: the shares are negative, or leave nothing to train on.
    """
    if min(validation_share, test_share) < 0 or validation_share + test_share >= 1:
        raise RecipeError(
            "expected validation_share and test_share to be fractions with a sum under 1, got "
            f"{validation_share} and {test_share}; change cleaning in the preset"
        )
    strata: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in seeded_order(ids, seed):
        strata[tuple(keys[row])].append(row)
    names = sorted(strata)
    # Equal remainders go by this order, so that it is not always the first of the alphabet.
    groups = [strata[names[i]] for i in seeded_order([repr(name) for name in names], seed)]
    sizes = [len(group) for group in groups]
    tests = _apportion(sizes, test_share, [size - 1 for size in sizes])
    room = [size - 1 - taken for size, taken in zip(sizes, tests, strict=True)]
    validations = _apportion(sizes, validation_share, room)
    assigned = [TRAIN] * len(ids)
    for group, test, validation in zip(groups, tests, validations, strict=True):
        for position, row in enumerate(group[: test + validation]):
            assigned[row] = TEST if position < test else VALIDATION
    return assigned


def seeded_order(ids: Sequence[str], seed: int) -> list[int]:
    """Return the indices of ids, shuffled in a way that depends on the ids and the seed alone."""
    digests = [hashlib.sha256(f"{seed}:{one}".encode()).digest() for one in ids]
    return sorted(range(len(ids)), key=lambda row: (digests[row], ids[row]))


def remove_leaks(
    train: Sequence[str], others: Mapping[str, Sequence[str]], threshold: float
) -> Leaks:
    """Remove from train each text of which a copy, exact or near, stands in another split.

    Args:
        train: the texts of the training split.
        others: the texts of the other splits by name; a row that leaks into several counts for
            the first of them.
        threshold: the Jaccard index from which two texts are near copies, in (0, 1].
    """
    kept = list(range(len(train)))
    removed: dict[str, int] = {}
    for name, texts in others.items():
        leaked = set(overlaps([train[row] for row in kept], texts, threshold))
        kept = [row for place, row in enumerate(kept) if place not in leaked]
        removed[name] = len(leaked)
    return Leaks(tuple(kept), removed)


def contradictions(texts: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the indices of all copies of a text that stands there under different labels."""
    keys = [normalized(text) for text in texts]
    seen: dict[str, set[str]] = defaultdict(set)
    for key, label in zip(keys, labels, strict=True):
        seen[key].add(label)
    return [row for row, key in enumerate(keys) if len(seen[key]) > 1]


def _apportion(sizes: Sequence[int], share: float, room: Sequence[int]) -> list[int]:
    """Divide round(share of the total) seats by largest remainder, at most ``room`` each.

    Equal remainders are served in the order given.
    """
    seats = min(int(sum(sizes) * share + 0.5), sum(room))
    quotas = [size * share for size in sizes]
    taken = [min(int(quota), limit) for quota, limit in zip(quotas, room, strict=True)]
    order = sorted(range(len(sizes)), key=lambda i: int(quotas[i]) - quotas[i])
    while sum(taken) < seats:
        for i in order:
            if taken[i] < room[i] and sum(taken) < seats:
                taken[i] += 1
    return taken
