"""From a source's labels to the labels of the task.

::

    >>> aliases = {"pos": "positive"}
    >>> task = TextClassification(labels=("negative", "positive"), label_aliases=aliases)
    >>> matched = label_matcher(task, ["pos", "Negative"])
    >>> matched("pos"), matched("Negative"), matched("mixed")
    ('positive', 'negative', None)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from kit.errors import RecipeError, did_you_mean
from kit.recipe import TextClassification

_INDEX = re.compile(r"(-?\d{1,9})(?:\.0+)?")
NOT_GIVEN = -1


def as_text(value: Any) -> str:
    """Return a cell as a string: "" for None, JSON for lists and objects, "true" for True.

    What a file cannot hold as UTF-8 text, a lone surrogate or a zero character, is replaced or
    removed.
    """
    if value is None:
        return ""
    if isinstance(value, bool | list | dict | tuple):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    else:
        text = str(value)
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def label_matcher(task: TextClassification, seen: Collection[str]) -> Callable[[str], str | None]:
    """Return the function from a label of one file to the task's label, None if it has none.

    A label is matched as an alias, then as a label, each first as written and then whatever its
    case. Numbers count as the index of a label when every label in the file is one; -1, which
    stands for "not given", may be among them.

    Args:
        task: its ``labels`` and ``label_aliases``.
        seen: the different labels of the file; empty ones do not count.

    Raises:
        RecipeError: an alias stands for something that is no label of the task.
    """
    for alias, label in task.label_aliases.items():
        if label not in task.labels:
            raise RecipeError(
                f"label_aliases maps '{alias}' to '{label}', which is no label of the task; "
                + did_you_mean(label, task.labels)
            )
    names: dict[str, str] = {}
    for label in task.labels:
        names.setdefault(label.casefold(), label)
    names |= {alias.casefold(): label for alias, label in task.label_aliases.items()}
    names |= {label: label for label in task.labels} | dict(task.label_aliases)
    if not any(_matched(names, label) for label in seen):
        names |= _indices(task, seen)
    return lambda label: _matched(names, label)


def _matched(names: dict[str, str], label: str) -> str | None:
    stripped = label.strip()
    return names.get(stripped) or names.get(stripped.casefold())


def _indices(task: TextClassification, seen: Collection[str]) -> dict[str, str]:
    """Map number to label; nothing if one label is no index, as in ratings from 1 to 5."""
    names: dict[str, str] = {}
    for label in filter(None, (one.strip() for one in seen)):
        match = _INDEX.fullmatch(label)
        index = int(match[1]) if match else len(task.labels)
        if not NOT_GIVEN <= index < len(task.labels):
            return {}
        if index != NOT_GIVEN:
            names[label] = task.labels[index]
    return names
