"""The idea card: ``recipes/<name>/brief.md``, Markdown with front matter and second-level sections.

---
title: A sentiment model that runs in your browser tab
pubDate: 2026-11-21
---
## Summary
...
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from kit.errors import InputError

FRONT = re.compile(r"\A---\n(.*?)\n---\n?(.*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Brief:
    """An idea card: title, day of publication, and its sections by heading, in order."""

    title: str
    date: datetime.date
    sections: dict[str, str]

    @property
    def summary(self) -> str:
        """The Summary section on one line; empty where the card has none."""
        return " ".join(self.sections.get("Summary", "").split())


def read_brief(path: Path) -> Brief:
    """Parse an idea card.

    Raises:
        InputError: no such file, no front matter, or a title or pubDate that cannot be used.
    """
    if not path.is_file():
        raise InputError(f"expected the idea card at {path}, found none; write a brief.md")
    try:
        found = FRONT.match(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"expected UTF-8 in {path}, got: {error}") from error
    if not found:
        raise InputError(f"expected {path} to begin with front matter between two lines of ---")
    try:
        values = yaml.safe_load(found[1]) or {}
    except (yaml.YAMLError, ValueError) as error:
        # A day that no calendar has, such as 2026-13-01, is a ValueError.
        raise InputError(f"expected YAML at the head of {path}, got: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"expected 'title: …' and 'pubDate: …' at the head of {path}")
    title, date = values.get("title"), values.get("pubDate")
    if not isinstance(title, str) or not title.strip():
        raise InputError(f"expected 'title: …' in the front matter of {path}, got {title!r}")
    if not isinstance(date, datetime.date):
        raise InputError(f"expected 'pubDate: YYYY-MM-DD' in {path}, got {date!r}")
    parts = re.split(r"^## +(.+?) *$", found[2], flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))
    return Brief(title.strip(), date, sections)
