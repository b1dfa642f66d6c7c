"""Reading an idea card: the file, its front matter, its sections."""

from __future__ import annotations

import datetime
import re
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from kit.brief.card import Brief, Findings
from kit.brief.markdown import divided, normal
from kit.brief.sections import KNOWN, READERS
from kit.errors import InputError

FRONT = re.compile(r"\A\s*^---[ \t]*\n(.*?)^---[ \t]*$\n?(.*)\Z", re.DOTALL | re.MULTILINE)
LARGEST = 200_000
"""How many bytes a card may have: twenty times what people write."""
# A terminal would obey them.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SECTIONS = tuple(dict.fromkeys(KNOWN.values()))


def read_brief(path: Path) -> Brief:
    """Parse an idea card.

    Sections may be missing, in any order and in any case, and carry text that was decoded wrongly
    (â€“ for –): it is repaired. What is not understood is kept verbatim in ``kept``; every such
    text, and what is missing, is named in ``warnings``.

    Raises:
        InputError: no such file, no front matter, or a title or pubDate that cannot be used.
    """
    return _parsed(_text(path), path)


# A site asks for each card twice, for the recipe's pages and for the board of ideas.
@lru_cache(maxsize=1000)
def _parsed(text: str, path: Path) -> Brief:
    findings = Findings()
    found = FRONT.match(_repaired(CONTROL.sub("", text), findings))
    if not found:
        raise InputError(f"expected {path} to begin with front matter between two lines of ---")
    front = _front(found[1], path)
    title, date = front.pop("title", None), _day(front.pop("pubdate", None), path)
    if not isinstance(title, str) or not title.strip():
        raise InputError(
            f"expected 'title: …' in the front matter of {path}, got {_shown(title)}; "
            "a title of digits or with a colon goes between quotes"
        )
    if front:
        findings.warn("front matter", f"{', '.join(map(str, front))}: not used, kept")
    sections = _sections(found[2], findings)
    read = {
        name: reader(sections[heading], findings)
        for heading, (name, reader) in READERS.items()
        if heading in sections
    }
    return Brief(
        title=" ".join(CONTROL.sub("", title).split()),
        date=date,
        sections=sections,
        front=front,
        **read,
        kept=tuple(findings.kept),
        warnings=tuple(findings.warnings),
    )


def _text(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"expected the idea card at {path}, found none; write a brief.md")
    if path.stat().st_size > LARGEST:
        raise InputError(
            f"expected an idea card of at most {LARGEST // 1000} kB at {path}, "
            f"got {path.stat().st_size // 1000} kB"
        )
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"expected UTF-8 in {path}, got: {error}") from error


def _repaired(text: str, findings: Findings) -> str:
    """Undo wrong decodings line by line; quotes, entities, width and forms stay as they are."""
    if text.isascii():
        return text
    from ftfy import TextFixerConfig, fix_text

    config = TextFixerConfig(
        unescape_html=False,
        uncurl_quotes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        normalization=None,
        explain=False,
    )
    lines = text.split("\n")
    fixed = [line if line.isascii() else str(fix_text(line, config)) for line in lines]
    changed = sum(a != b for a, b in zip(lines, fixed, strict=True))
    if changed:
        findings.warn(
            "encoding", f"lines that were decoded wrongly once, read as repaired: {changed}"
        )
    return "\n".join(fixed)


def _front(text: str, path: Path) -> dict[str, Any]:
    """Return the values of the front matter, ``title`` and ``pubdate`` in lower case."""
    import yaml

    try:
        values = yaml.safe_load(text) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A day that no calendar has, such as 2026-13-01, is a ValueError.
        said = f"expected YAML at the head of {path}, got: {error}"
        raise InputError(f"{said}; a text with a colon goes between quotes") from error
    if not isinstance(values, dict):
        raise InputError(f"expected 'title: …' and 'pubDate: …' at the head of {path}")
    lower = {str(key): str(key).lower() for key in values}
    known = ("title", "pubdate")
    return {
        lower[str(key)] if lower[str(key)] in known else str(key): value
        for key, value in values.items()
    }


def _day(value: object, path: Path) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value.strip()).date()
        except ValueError:
            value = value.strip()
    if not isinstance(value, datetime.date):
        raise InputError(f"expected 'pubDate: YYYY-MM-DD' in {path}, got {_shown(value)}")
    return value


def _shown(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 80 else said[:79] + "…"


def _sections(text: str, findings: Findings) -> dict[str, str]:
    """Return the sections by heading, in order; a known heading under its one name."""
    before, parts = divided(text, level=2)
    findings.keep("before the first section", _without_title(before))
    sections: dict[str, str] = {}
    for heading, body, _ in parts:
        name = KNOWN.get(normal(heading), heading)
        if name not in SECTIONS:
            _name_unknown(heading, body, findings)
        if name in sections:
            findings.warn(name, "stands twice; read as one")
        sections[name] = f"{sections.get(name, '')}\n\n{body}".strip()
    unsaid = [name for name in SECTIONS if not sections.get(name, "").strip()]
    if unsaid:
        findings.warn("sections", f"no {', '.join(unsaid)}")
    return sections


def _without_title(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("# "))


def _name_unknown(heading: str, body: str, findings: Findings) -> None:
    near = get_close_matches(normal(heading), KNOWN, n=1, cutoff=0.75)
    hint = f" (did you mean '{KNOWN[near[0]]}'?)" if near else ""
    findings.keep(heading, body, f"not a known section{hint}, kept")
    if not body.strip():
        findings.warn(heading, f"not a known section{hint}, and empty")
