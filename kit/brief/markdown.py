"""Taking a card's Markdown apart: headings, labelled groups, list items, tables.

>>> groups("- Primary: sentiment\\n- Related: reviews, tone", {"primary": "p", "related": "r"})
({'p': 'sentiment', 'r': 'reviews, tone'}, '')
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

BULLET = re.compile(r"^([ \t]*)(?:[-*+•]|\d{1,3}[.)])[ \t]+(.*)$")
LABEL = re.compile(
    r"^(?P<indent>[ \t]*)(?P<bullet>(?:[-*+•]|\d{1,3}[.)])[ \t]+)?(?P<bold>\*\*|__)?"
    r"(?P<label>[^\W\d_][^:：*\n]{0,60}?)"
    r"(?:[ \t]*[:：]?(?:\*\*|__)[ \t]*[:：]?|[ \t]*[:：]|[ \t]+[–—-][ \t]|[ \t]*$)"
    r"[ \t]*(?P<rest>.*)$"
)


class Part(NamedTuple):
    """What a heading heads: its words, the text below it, and its own line, verbatim."""

    heading: str
    text: str
    line: str


class Heading(NamedTuple):
    """An ATX heading outside lists and code: its line, the line after it, its level, its words."""

    line: int
    end: int
    level: int
    words: str


@lru_cache(maxsize=1)
def _parser() -> Any:
    from markdown_it import MarkdownIt

    # Blocks are all that is asked for; inline rules are slow on text made to be so.
    return MarkdownIt("commonmark").disable(["inline", "text_join"])


def headings(text: str) -> list[Heading]:
    """Return the headings that begin with #, in order; those in code or in a list are none.

    A line of --- under a paragraph would make a heading of it; in a card it is a divider.
    """
    if "#" not in text:
        return []
    tokens = _parser().parse(text)
    return [
        Heading(token.map[0], token.map[1], int(token.tag[1]), tokens[i + 1].content.strip())
        for i, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.markup.startswith("#")
    ]


def divided(text: str, level: int | None = None) -> tuple[str, list[Part]]:
    """Split a text at its headings of one level: this one, or else the highest that it has.

    Returns:
        What stands before the first, and the parts in order, verbatim.
    """
    found = headings(text)
    levels = {heading.level for heading in found}
    if level not in levels:
        level = min(levels, default=1)
    found = [heading for heading in found if heading.level == level]
    lines = text.splitlines()
    ends = [*(heading.line for heading in found[1:]), len(lines)][: len(found)]
    parts = [
        Part(heading.words, "\n".join(lines[heading.end : end]), lines[heading.line])
        for heading, end in zip(found, ends, strict=True)
    ]
    return "\n".join(lines[: found[0].line] if found else lines), parts


def normal(label: str) -> str:
    """Return a label as it is looked up: lower case, words by one space, no remark, no number.

    >>> normal("**3. CTA / Monetization:** (draft)")
    'cta monetization'
    """
    plain = re.sub(r"\([^()]*\)", " ", unicodedata.normalize("NFKC", label).casefold())
    plain = re.sub(r"^\W*\d+[.)]\s", " ", plain)
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


def groups(text: str, names: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Find the parts of a text that carry known labels: headings, bullets, bold or plain lines.

    Args:
        text: Markdown. Where it has headings, those of the highest level are the labels.
        names: what to call a label, by the label as `normal` writes it.

    Returns:
        The texts by name, dedented; and what belongs to no known label, verbatim.
    """
    before, parts = divided(text)
    if not parts:
        return _labelled(text, names)
    found, rest = _labelled(before, names)
    left = [rest] if rest.strip() else []
    for heading, body, line in parts:
        label, _, value = heading.partition(":")
        if (name := names.get(normal(heading))) is not None:
            _add(found, name, body)
        elif (name := names.get(normal(label))) is not None:
            _add(found, name, f"{value.strip()}\n{body}")
        else:
            left.append(f"{line}\n{body}")
    return found, "\n".join(left)


def _add(found: dict[str, str], name: str, text: str) -> None:
    text = textwrap.dedent(text).strip("\n")
    found[name] = f"{found[name]}\n{text}" if name in found else text


def _labelled(text: str, names: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Do the work of `groups` on a text without headings; code is never a label."""
    code = _code_lines(text)
    found: dict[str, list[str]] = {}
    left: list[str] = []
    into, indent, bulleted = left, "", False
    for number, line in enumerate(text.splitlines()):
        label = None if number in code else LABEL.match(line)
        name = names.get(normal(label["label"])) if label else None
        if label and name is not None and (not found or label["indent"] == indent):
            indent, bulleted = label["indent"], bool(label["bullet"])
            into = found.setdefault(name, [])
            into.append(label["rest"])
            continue
        if found and number not in code and _is_stray(line, indent, bulleted, into):
            into = left
        into.append(line)
    texts: dict[str, str] = {}
    for name, lines in found.items():
        _add(texts, name, "\n".join([lines[0], textwrap.dedent("\n".join(lines[1:]))]))
    return texts, "\n".join(left)


def _is_stray(line: str, indent: str, bulleted: bool, into: list[str]) -> bool:
    """Tell whether a line ends the group above it: a label beside it that nobody knows."""
    label, bullet = LABEL.match(line), BULLET.match(line)
    if label and label["bold"] and label["indent"] == indent and not label["bullet"]:
        return True
    beside = bulleted and bullet is not None and bullet[1] == indent
    return beside and bool(into) and bool(into[0].strip())


def _code_lines(text: str) -> set[int]:
    """Return the numbers of the lines that fences enclose, the fences included."""
    if "```" not in text and "~~~" not in text:
        return set()
    tokens = _parser().parse(text)
    return {n for t in tokens if t.type == "fence" for n in range(t.map[0], t.map[1])}


def items(text: str) -> tuple[str, ...]:
    """Return the items of a list, each with what is indented below it; else the paragraphs."""
    lines = textwrap.dedent(text).splitlines()
    if not any(BULLET.match(line) for line in lines):
        return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip())
    first = next(found[1] for line in lines if (found := BULLET.match(line)))
    made: list[list[str]] = []
    for line in lines:
        bullet = BULLET.match(line)
        if bullet and len(bullet[1]) <= len(first):
            made.append([bullet[2]])
        elif line.strip() and made:
            made[-1].append(line)
        elif line.strip():
            made.append([line])
    return tuple(_joined(lines) for lines in made)


def _joined(lines: list[str]) -> str:
    """Join an item's lines: a wrapped sentence by spaces, a nested list by line ends."""
    nested = any(BULLET.match(line) for line in lines[1:])
    below = textwrap.dedent("\n".join(lines[1:]))
    return "\n".join([lines[0], below]) if nested else " ".join(" ".join(lines).split())


def terms(text: str) -> tuple[str, ...]:
    """Return words and phrases that stand in a list or between commas, without quotes."""
    found = [term for item in items(text) for term in re.split(r"[,;\n]", item)]
    bare = [re.sub(r"^[\s\-*+•]*[\"'“”‘’`]*|[\"'“”‘’`.\s]*$", "", term) for term in found]
    return tuple(term for term in bare if term)


def table(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of the first pipe table; both empty where there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    cells = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
    ]
    if len(cells) < 2 or not all(re.fullmatch(r":?-+:?", cell) for cell in cells[1]):
        return [], []
    return [normal(head) for head in cells[0]], cells[2:]


def unquoted(text: str) -> str:
    """Return a text without the marks of a block quote or of the fence around it."""
    lines = [re.sub(r"^\s*> ?", "", line) for line in text.strip().splitlines()]
    return "\n".join(line for line in lines if not re.match(r"\s*(```|~~~)", line)).strip()
