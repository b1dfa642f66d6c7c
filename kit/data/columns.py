"""From a source's columns to our fields.

::

    >>> rename({"review": "Kind.", "id": 7}, {"text": "review"})
    {'text': 'Kind.', 'source_id': 7}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kit.errors import InputError, did_you_mean

_RESERVED = "id"


def check_columns(where: str, columns: Mapping[str, str], known: Iterable[str]) -> None:
    """Refuse a mapping that names a column which is not there, listing those that are.

    Raises:
        InputError: ``columns`` maps a field to an absent column.
    """
    names = [str(name) for name in known]
    for field, column in columns.items():
        if column not in names:
            hint = did_you_mean(column, names)
            listed = "" if hint.startswith("known") else f" known: {', '.join(sorted(names))};"
            raise InputError(
                f"{where} has no column '{column}' for the {field}; {hint}{listed} "
                f"name the right one with {field}_column"
            )


def rename(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """Return a row under our field names; ``columns`` maps our field to the source's column.

    Other columns keep their name; one that is called like a field of ours, or "id", becomes
    ``source_<name>``. A column that this row lacks is None.
    """
    renamed: dict[str, Any] = {field: row.get(column) for field, column in columns.items()}
    mapped = set(columns.values())
    for name, value in row.items():
        if name not in mapped:
            taken = name in columns or name == _RESERVED
            renamed[f"source_{name}" if taken else name] = value
    return renamed
