"""Train, validation and test: a stratified split, and what must not stand on both sides.

::

    >>> split(["a", "b", "c", "d"], [("x",)] * 4, validation_share=0.25, test_share=0.25, seed=13)
    ['validation', 'train', 'test', 'train']
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.data.near_duplicates import normalized, overlaps
from kit.errors import RecipeError, did_you_mean

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
    _check_shares(validation_share, test_share)
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


def _check_shares(validation_share: float, test_share: float) -> None:
    if min(validation_share, test_share) < 0 or validation_share + test_share >= 1:
        raise RecipeError(
            "expected validation_share and test_share to be fractions with a sum under 1, got "
            f"{validation_share} and {test_share}; change cleaning in the preset"
        )


def split_groups(
    groups: Sequence[str],
    dates: Sequence[str],
    *,
    hold_out: Sequence[str],
    validation_share: float,
    test_share: float,
    seed: int,
) -> list[str]:
    """Return the split of each row such that no group stands in train and in test.

    Test takes the groups of ``hold_out``, else whole groups in a seeded order until its share is
    met. Validation takes the newest rows of every other group where rows have dates, else whole
    groups too. A single group is cut by date: the newest rows are the test split.

    Args:
        groups: the group of each row, such as its repository.
        dates: ISO dates, or "" where there are none.
        hold_out: the groups of the test split; none leaves the choice to the seed.
        validation_share: fraction of all rows in [0, 1).
        test_share: fraction of all rows in [0, 1); not looked at with ``hold_out``.
        seed: another seed draws other groups.

    Raises:
        RecipeError: a group to hold out that no row has, one group without dates, or shares
            that leave nothing to train on.
    """
    _check_shares(validation_share, test_share)
    sizes = Counter(groups)
    unknown = sorted(set(hold_out) - set(sizes))
    if unknown:
        raise RecipeError(
            f"cleaning.hold_out names '{unknown[0]}', which is no group of the data; "
            + did_you_mean(unknown[0], sizes)
        )
    if len(sizes) < 3:
        return _split_by_date(groups, dates, hold_out, validation_share, test_share)
    order = [sorted(sizes)[i] for i in seeded_order(sorted(sizes), seed)]
    test = set(hold_out) or set(_filled(order, sizes, test_share))
    rest = [name for name in order if name not in test]
    if all(dates):
        newest = _newest(groups, dates, rest, validation_share)
        return [
            TEST if name in test else VALIDATION if row in newest else TRAIN
            for row, name in enumerate(groups)
        ]
    validation = set(_filled(rest, sizes, validation_share))
    names = {**dict.fromkeys(test, TEST), **dict.fromkeys(validation, VALIDATION)}
    return [names.get(name, TRAIN) for name in groups]


def _filled(order: Sequence[str], sizes: Mapping[str, int], share: float) -> list[str]:
    """Return the first groups, until their rows are ``share`` of all; always leave one."""
    wanted, taken = share * sum(sizes.values()), list[str]()
    for name in order[:-1]:
        if sum(sizes[one] for one in taken) >= wanted:
            break
        taken.append(name)
    return taken


def _newest(
    groups: Sequence[str], dates: Sequence[str], chosen: Sequence[str], share: float
) -> set[int]:
    """Return the rows that are the newest ``share`` of each chosen group."""
    found: set[int] = set()
    for name in chosen:
        rows = sorted((dates[i], i) for i, group in enumerate(groups) if group == name)
        found.update(i for _, i in rows[len(rows) - round(share * len(rows)) :])
    return found


def _split_by_date(
    groups: Sequence[str],
    dates: Sequence[str],
    hold_out: Sequence[str],
    validation_share: float,
    test_share: float,
) -> list[str]:
    """Cut one or two repositories by time: train on the past, test on what came after."""
    if not all(dates) and not hold_out:
        raise RecipeError(
            f"expected a date in every row to split {len(set(groups))} group(s) by time, or three "
            "groups or more; add a 'date' column"
        )
    names = sorted(set(groups))
    test = {i for i, name in enumerate(groups) if name in hold_out}
    test = test or _newest(groups, dates, names, test_share)
    share = validation_share / (1 - test_share)
    past = [i for i in range(len(groups)) if i not in test]
    inner = _newest([groups[i] for i in past], [dates[i] for i in past], names, share)
    validation = {past[i] for i in inner}
    return [
        TEST if i in test else VALIDATION if i in validation else TRAIN for i in range(len(groups))
    ]


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
