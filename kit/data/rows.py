"""Raw rows of one source made usable: cleaned, labelled and audited, with a tally of the rest.

::

    >>> tally = Tally()
    >>> usable([{"text": "Write to ada@example.org", "label": "pos"}], task, Cleaning(), tally)
    [Row(id='5979121e9578', text='Write to [EMAIL]', label='positive', fields={})]
    >>> tally.personal_data
    Counter({'email': 1})
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kit.data.audit import has_secret, mask
from kit.data.cleaning import NO_LABEL, UNKNOWN_LABEL, clean
from kit.data.labels import as_text, label_matcher
from kit.data.near_duplicates import duplicates
from kit.data.splits import contradictions
from kit.errors import InputError
from kit.recipe import Cleaning, TextClassification

ID_DIGITS = 12
REPORT_ROWS = 2000
SECRET = "secret"  # noqa: S105
PERSONAL_DATA = "personal_data"
EXACT_DUPLICATE = "exact_duplicate"
NEAR_DUPLICATE = "near_duplicate"
LEAKED = "leaked"
CONTRADICTORY_LABEL = "contradictory_label"


@dataclass(frozen=True, slots=True)
class Row:
    """One usable row. ``id`` is the start of the sha256 of its label and text."""

    id: str
    text: str
    label: str
    fields: Mapping[str, str]


@dataclass
class Tally:
    """What the data stage counts on its way.

    ``removed`` holds every row that was read and not kept, by reason; ``personal_data`` counts
    findings by kind, of which one row may hold several.
    """

    rows_read: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    personal_data: Counter[str] = field(default_factory=Counter)
    decoded: Counter[str] = field(default_factory=Counter)


def usable(
    raw: Sequence[Mapping[str, Any]],
    task: TextClassification,
    cleaning: Cleaning,
    tally: Tally,
    advance: Callable[[int], None] = lambda done: None,
) -> list[Row]:
    """Return the rows that can be used, in their order; the others are tallied by reason.

    Args:
        raw: rows with "text", "label" and any other fields.
        task: whose labels the rows must have.
        cleaning: the limits and what to do with personal data.
        tally: grows.
        advance: called now and then with the number of rows done.

    Raises:
        InputError: no row has a label of the task.
    """
    given = {as_text(row["label"]) for row in raw}
    matched = label_matcher(task, given)
    named = sorted(label for label in given if label.strip())
    if named and not any(matched(label) for label in named):
        raise InputError(
            f"expected the labels {', '.join(task.labels)}, got {_listed(named)}; "
            "map them with label_aliases in the recipe, or name another label_column"
        )
    rows: list[Row] = []
    for done, source in enumerate(raw):
        if done % REPORT_ROWS == 0:
            advance(done)
        row = _usable_row(source, matched, cleaning, tally)
        if isinstance(row, Row):
            rows.append(row)
        else:
            tally.removed[row] += 1
    return rows


def _usable_row(
    source: Mapping[str, Any],
    matched: Callable[[str], str | None],
    cleaning: Cleaning,
    tally: Tally,
) -> Row | str:
    """Return the row, or the reason to drop it."""
    text, repaired, reason = clean(source["text"], cleaning)
    if reason:
        return reason
    tally.repaired += repaired
    given = as_text(source["label"])
    label = matched(given)
    if label is None:
        return UNKNOWN_LABEL if given.strip() else NO_LABEL
    fields = {
        as_text(name): as_text(value)
        for name, value in source.items()
        if name not in ("text", "label")
    }
    checked = audited(text, fields, cleaning, tally)
    if isinstance(checked, str):
        return checked
    text, fields = checked
    return Row(row_id(label, text), text, label, fields)


def row_id(label: str, text: str) -> str:
    """Return the 12 hex digits that name a row wherever its label and text stand."""
    return hashlib.sha256(f"{label}\n{text}".encode()).hexdigest()[:ID_DIGITS]


def without_copies(rows: Sequence[Row], cleaning: Cleaning, tally: Tally) -> list[Row]:
    """Return the rows whose text is said once, the first of each group of copies.

    A text that stands there under different labels is dropped with all its exact copies.
    """
    torn = set(contradictions([row.text for row in rows], [row.label for row in rows]))
    kept = [row for i, row in enumerate(rows) if i not in torn]
    found = duplicates([row.text for row in kept], cleaning.near_duplicate)
    tally.removed[CONTRADICTORY_LABEL] += len(torn)
    tally.removed[EXACT_DUPLICATE] += len(found.exact)
    tally.removed[NEAR_DUPLICATE] += len(found.near)
    copies = {*found.exact, *found.near}
    return [row for i, row in enumerate(kept) if i not in copies]


def audited(
    text: str, fields: dict[str, str], cleaning: Cleaning, tally: Tally
) -> tuple[str, dict[str, str]] | str:
    """Return text and fields with personal data masked if so set, or the reason to drop the row."""
    masked, found, secret = _audited_value(text)
    checked = {key: _audited_field(value) for key, value in fields.items()}
    if secret or any(value[2] for value in checked.values()):
        return SECRET
    kinds = Counter(found)
    for _, counts, _ in checked.values():
        kinds.update(counts)
    tally.personal_data.update(kinds)
    if not kinds or cleaning.personal_data == "keep":
        return text, fields
    if cleaning.personal_data == "drop":
        return PERSONAL_DATA
    return masked, {key: value[0] for key, value in checked.items()}


def _audited_field(value: str) -> tuple[str, dict[str, int], bool]:
    return _audited_value(value) if len(value) > _REPEATED_LENGTH else _repeated_value(value)


def _audited_value(value: str) -> tuple[str, dict[str, int], bool]:
    return *mask(value), has_secret(value)


# A field such as "domain" has few values and many rows.
_REPEATED_LENGTH = 200
_repeated_value = lru_cache(maxsize=4096)(_audited_value)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:6])
    return f"{shown} and {len(names) - 6} more" if len(names) > 6 else shown
