"""Rows into train, validation and test, and the refusals before and after.

::

    >>> splits, leaked = divide(rows_of_54_short_reviews, None, Cleaning(), 13, Tally())
    >>> {name: len(rows) for name, rows in splits.items()}, leaked
    ({'train': 43, 'validation': 5, 'test': 6}, {'validation': 0, 'test': 0})
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from kit.data.licenses import LICENSES, known_license
from kit.data.rows import LEAKED, Row, Tally
from kit.data.splits import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    remove_leaks,
    seeded_order,
    split,
    split_groups,
)
from kit.errors import InputError, RecipeError, did_you_mean
from kit.recipe import Cleaning, GitHistories, Preset

LOWEST_THRESHOLD = 0.5


def check_recipe(preset: Preset) -> None:
    """Refuse a preset whose data stage cannot work, before anything is read.

    Raises:
        InputError: a source has no license, or one that the Hub does not know.
        RecipeError: a threshold, limit or action that cannot work.
    """
    if not isinstance(preset.data, GitHistories):  # a history says its license itself
        _check_license("data", preset.data.license)
    if preset.test_data:
        _check_license("test_data", preset.test_data.license)
    cleaning = preset.cleaning
    if not LOWEST_THRESHOLD <= cleaning.near_duplicate <= 1:
        raise RecipeError(
            f"expected cleaning.near_duplicate in [{LOWEST_THRESHOLD}, 1], got "
            f"{cleaning.near_duplicate}; below that, texts merely share a subject"
        )
    if cleaning.personal_data not in ("mask", "drop", "keep"):
        raise RecipeError(
            f"expected cleaning.personal_data to be mask, drop or keep, got "
            f"'{cleaning.personal_data}'"
        )
    if cleaning.max_rows is not None and cleaning.max_rows < 1:
        raise RecipeError(
            f"expected cleaning.max_rows to be at least 1, got {cleaning.max_rows}; "
            "leave it out to keep all rows"
        )


def divide(
    pool: Sequence[Row], given: Sequence[Row] | None, cleaning: Cleaning, seed: int, tally: Tally
) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Return the rows of each split in a seeded order, and the leaks removed per other split.

    Args:
        pool: rows to divide, without copies among them.
        given: the rows of a test set of its own, else None: then test is cut from the pool too.
        cleaning: the shares, ``stratify_by`` and the threshold of near copies.
        seed: of the split and of the order.
        tally: its ``removed`` grows by the leaks.

    Raises:
        InputError: ``stratify_by`` names a field that no row has.
        RecipeError: shares that leave nothing to train on, or groups held out beside a test set.
    """
    if given is not None and cleaning.hold_out:
        raise RecipeError(
            "expected one test set, got a file of its own and groups in cleaning.hold_out; "
            "leave one of them out"
        )
    leaked = {VALIDATION: 0, TEST: 0}
    rows = list(pool)
    if given is not None:
        # Before the cut, so that the model is not selected on rows of the test set either.
        rows = _without_leaks(rows, {TEST: given}, cleaning, leaked)
    rows = [rows[i] for i in seeded_order([row.id for row in rows], seed)]
    test_share = 0.0 if given is not None else cleaning.test_share
    names = _assigned(rows, cleaning, test_share, seed)
    splits = {
        name: [row for row, of in zip(rows, names, strict=True) if of == name] for name in SPLITS
    }
    if given is not None:
        splits[TEST] = [given[i] for i in seeded_order([row.id for row in given], seed)]
    others = {TEST: splits[TEST], VALIDATION: splits[VALIDATION]}
    splits[TRAIN] = _without_leaks(splits[TRAIN], others, cleaning, leaked)
    tally.removed[LEAKED] += sum(leaked.values())
    return splits, leaked


def _assigned(rows: Sequence[Row], cleaning: Cleaning, test_share: float, seed: int) -> list[str]:
    """Return the split of each row: by whole groups where the recipe names them, else by strata."""
    group = _group_column(rows, cleaning.group_by)
    if group is None:
        return split(
            [row.id for row in rows],
            _strata(rows, cleaning.stratify_by),
            validation_share=cleaning.validation_share,
            test_share=test_share,
            seed=seed,
        )
    return split_groups(
        [row.fields.get(group, "") for row in rows],
        [row.fields.get("date", "") for row in rows],
        hold_out=cleaning.hold_out,
        validation_share=cleaning.validation_share,
        test_share=test_share,
        seed=seed,
    )


def _group_column(rows: Sequence[Row], names: Sequence[str]) -> str | None:
    """Return the first of the columns that the rows have; None where none is asked for.

    Raises:
        InputError: columns are asked for, and the rows have none of them.
    """
    known = {name for row in rows for name in row.fields}
    for name in names:
        if name in known:
            return name
    if names and rows:
        raise InputError(
            f"expected a column {' or '.join(names)} to split the rows by, got "
            f"{', '.join(sorted(known)) or 'none'}; name it in cleaning.group_by"
        )
    return None


def check_splits(splits: Mapping[str, Sequence[Row]], labels: Sequence[str], tally: Tally) -> None:
    """Refuse splits that cannot be trained on and measured.

    Raises:
        InputError: no rows are left, one class only, an empty split, or a label of the task
            that is missing from train or test.
    """
    total = Counter(row.label for rows in splits.values() for row in rows)
    if not total:
        reasons = ", ".join(f"{reason} {n}" for reason, n in tally.removed.most_common() if n)
        raise InputError(
            f"expected rows to train on, but all {tally.rows_read} were removed ({reasons}); "
            "mend the data or the limits in cleaning"
        )
    if labels and len(total) == 1:
        raise InputError(
            f"expected rows of {len(labels)} classes ({', '.join(labels)}), got only "
            f"'{next(iter(total))}'; add rows of the others"
        )
    for name in (VALIDATION, TEST, TRAIN):
        _check_split(name, splits[name], labels)


def _check_split(name: str, rows: Sequence[Row], labels: Sequence[str]) -> None:
    share = "" if name == TRAIN else f", raise cleaning.{name}_share"
    advice = f"add rows{share}" + (" or give --test-data FILE" if name == TEST else "")
    if not rows:
        raise InputError(f"expected rows in the {name} split, none are left; {advice}")
    if name == VALIDATION:
        return
    missing = [label for label in labels if label not in {row.label for row in rows}]
    if missing:
        raise InputError(
            f"expected every label in the {name} split of {len(rows)} rows, got none of "
            f"'{missing[0]}'; {advice}"
        )


def _without_leaks(
    rows: list[Row],
    others: Mapping[str, Sequence[Row]],
    cleaning: Cleaning,
    leaked: dict[str, int],
) -> list[Row]:
    texts = {name: [row.text for row in others[name]] for name in others}
    found = remove_leaks([row.text for row in rows], texts, cleaning.near_duplicate)
    for name, count in found.removed.items():
        leaked[name] += count
    return [rows[i] for i in found.kept]


def _strata(rows: Sequence[Row], stratify_by: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the key of each row: its values of ``stratify_by``, and always its label."""
    fields = [name for name in stratify_by if name != "label"]
    known = {name for row in rows for name in row.fields}
    for name in fields:
        if rows and name not in known:
            raise InputError(
                f"cleaning.stratify_by names '{name}', which is no column of the data; "
                + did_you_mean(name, known)
            )
    return [(*(row.fields.get(name, "") for name in fields), row.label) for row in rows]


def _check_license(name: str, license_id: str | None) -> None:
    if not license_id:
        raise InputError(
            f"expected a license for the preset's {name}, got none; set license= in its "
            f"{name}=...(...) or give --license ID, such as cc-by-4.0 (see the data's own page)"
        )
    if not known_license(license_id):
        raise InputError(
            f"expected a license id of the Hub for the preset's {name}, got '{license_id}'; "
            f"{did_you_mean(license_id, LICENSES)} Set license= or --license; 'other' fits any"
        )
