"""Repairs a text, and refuses by name one that cannot be used.

::

    >>> clean_text("It&#39;s cafÃ©<br /><br />good")
    ("It's café good", True)
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from kit.recipe import Cleaning

EMPTY = "empty"
TOO_SHORT = "too_short"
TOO_LONG = "too_long"
NO_LABEL = "no_label"
UNKNOWN_LABEL = "unknown_label"
NOT_TEXT = "not_text"

# Attributes must look like attributes: in "if a <b and c> d" there is no tag.
_ATTRIBUTES = r"""(?:\s+[\w-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))*"""
_BREAKS = re.compile(rf"</?(?:br|p){_ATTRIBUTES}\s*/?>", re.IGNORECASE)
_EMPHASIS = re.compile(rf"</?(?:i|b|em|strong){_ATTRIBUTES}\s*>", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


class Cleaned(NamedTuple):
    """A text after cleaning; ``refused`` is the reason it cannot be used, else None."""

    text: str
    repaired: bool = False
    refused: str | None = None


def clean(value: Any, cleaning: Cleaning) -> Cleaned:
    """Clean one value of the text column and hold it to the limits of a preset.

    A value over ``cleaning.max_characters`` is refused before any repair, whose time grows with
    the length. The limits in words count what stands between white space.
    """
    if value is None:
        return Cleaned("", refused=EMPTY)
    if not isinstance(value, str):
        return Cleaned("", refused=NOT_TEXT)
    if len(value) > cleaning.max_characters:
        return Cleaned("", refused=TOO_LONG)
    text, repaired = clean_text(value)
    return Cleaned(text, repaired, _refusal(text, cleaning))


def clean_text(text: str) -> tuple[str, bool]:
    """Return the text on one line, and whether its encoding or HTML had to be repaired.

    Wrongly decoded characters are mended by ftfy. The tags br, p, i, b, em and strong are
    removed and entities are unescaped once; any other tag is text that somebody typed. White
    space becomes single spaces, which does not count as a repair. Quotes, ligatures and
    character widths stay: readers type them into the demo as well.
    """
    repaired = _emphasis_and_entities(_repaired_encoding(text))
    return " ".join(repaired.split()), repaired != text


def _repaired_encoding(text: str) -> str:
    # In printable ASCII there is nothing to mend, and ftfy takes 30 µs to find that out.
    if text.isascii() and not _CONTROLS.search(text):
        return text
    import ftfy

    return str(ftfy.fix_text(text, _fixes()))


@cache
def _fixes() -> Any:
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,
        uncurl_quotes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        fix_line_breaks=False,
        explain=False,
    )


def _emphasis_and_entities(text: str) -> str:
    if "<" in text:
        text = _EMPHASIS.sub("", _BREAKS.sub(" ", text))
    if "&" in text:
        from ftfy.fixes import unescape_html

        text = str(unescape_html(text))
    return text


def _refusal(text: str, cleaning: Cleaning) -> str | None:
    if not any(character.isprintable() and character != " " for character in text):
        return EMPTY
    words = text.count(" ") + 1
    if words < cleaning.min_words:
        return TOO_SHORT
    if words > cleaning.max_words:
        return TOO_LONG
    return None
