"""Title variants of an idea card, and the counts of how often each was shown and clicked.

A file of counts is CSV with a head, or JSONL::

    title,views,clicks
    A sentiment model that runs in your browser tab,2000,120
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kit.brief.card import Brief
from kit.errors import InputError, did_you_mean

COLUMNS = ("title", "views", "clicks")
LARGEST = 10**12
QUOTES = str.maketrans("“”„‘’‚–—", "\"\"\"'''--")


class Counts(NamedTuple):
    """How often a title was shown, and how often it was clicked."""

    title: str
    views: int
    clicks: int


def title_variants(brief: Brief) -> tuple[str, ...]:
    """Return the card's titles, each once: its own, the post's H1, the video titles."""
    outline = brief.editorial.blog_outline
    given = [brief.title, outline.h1, *brief.editorial.video_titles]
    found: dict[str, str] = {}
    for title in filter(None, given):
        found.setdefault(_plain(title), title)
    return tuple(found.values())


def read_counts(path: Path, variants: Iterable[str]) -> list[Counts]:
    """Read a file of title, views, clicks; the rows of one title, such as its days, are added.

    Args:
        path: CSV with a head, or JSONL where the name ends in .jsonl or .json.
        variants: the titles that may occur; quotes, dashes, case and spaces may differ.

    Returns:
        The titles that were shown at least once, in the order of ``variants``.

    Raises:
        InputError: no such file, columns or counts; more clicks than views; an unknown title.
    """
    known = {_plain(title): title for title in variants}
    sums: dict[str, tuple[int, int]] = {}
    for number, row in _rows(path):
        where = f"{path}, line {number}"
        given = str(row["title"]).strip()
        if _plain(given) not in known:
            raise InputError(
                f"{where}: the brief has no title {given!r}; {did_you_mean(given, known.values())}"
            )
        views, clicks = (_whole(row[name], f"{where}: expected {name}") for name in COLUMNS[1:])
        if clicks > views:
            raise InputError(
                f"{where}: expected at most {views} clicks, as many as views, got {clicks}"
            )
        before = sums.get(known[_plain(given)], (0, 0))
        sums[known[_plain(given)]] = (before[0] + views, before[1] + clicks)
    return [Counts(title, *sums[title]) for title in known.values() if sums.get(title, (0,))[0]]


def _plain(title: str) -> str:
    return " ".join(title.translate(QUOTES).casefold().split())


def _rows(path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the rows with their line numbers; each has the three columns."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise InputError(f"expected counts in UTF-8 at {path}, got: {error}") from error
    read = _json_rows if path.suffix in (".jsonl", ".json", ".ndjson") else _csv_rows
    rows = read(text, path)
    for number, row in rows:
        if missing := [name for name in COLUMNS if row.get(name) is None]:
            raise InputError(
                f"{path}, line {number}: expected {', '.join(COLUMNS)}, found no {missing[0]}"
            )
    if not rows:
        raise InputError(f"expected counts in {path}, found none; a row is title,views,clicks")
    return rows


def _csv_rows(text: str, path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InputError(f"expected CSV in {path}, got: {error}") from error


def _json_rows(text: str, path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}, line {number}: expected JSON, got: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f'{path}, line {number}: expected {{"title": …}}, got {line[:60]!r}')
        rows.append((number, row))
    return rows


def _whole(value: Any, expected: str) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,13}", text) or int(text) > LARGEST:
        raise InputError(f"{expected} as a whole number from 0 to {LARGEST:,}, got {text[:40]!r}")
    return int(text)
