"""A unified diff in its parts, every line kept: what changes a diff and writes it again stands on.

>>> preamble, sections = read(diff)
>>> write(preamble, sections) == diff
True

``kit.prompts.changes`` reads a diff too, but for a prompt: it keeps only what a model is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$", re.DOTALL)


@dataclass
class Hunk:
    """``lines`` with their signs; the counts in the header are those of the lines."""

    old_start: int
    new_start: int
    heading: str
    lines: list[str] = field(default_factory=list)

    @property
    def old_lines(self) -> int:
        """How many lines of the old file the hunk holds."""
        return sum(line[:1] not in ("+", "\\") for line in self.lines)

    @property
    def new_lines(self) -> int:
        """How many lines of the new file the hunk holds."""
        return sum(line[:1] not in ("-", "\\") for line in self.lines)

    @property
    def header(self) -> str:
        """The line with the numbers, a count of 1 left out as git does."""
        old = _range(self.old_start, self.old_lines)
        return f"@@ -{old} +{_range(self.new_start, self.new_lines)} @@{self.heading}"


@dataclass
class Section:
    """One file: the lines before its first hunk, its hunks, and text behind them."""

    head: list[str]
    hunks: list[Hunk] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """The paths that the lines before the first hunk name, old before new, as git writes them.

        Prefixes a/ and b/ are taken off.
        """
        named = re.compile(
            r"^(?:---|\+\+\+|rename from|rename to|copy from|copy to) \"?([^\t\"\r]+)"
        )
        found = [match[1] for line in self.head if (match := named.match(line))]
        found = found or re.findall(r"(?<= )[ab]/\S+", self.head[0])
        return [re.sub(r"^[ab]/", "", path) for path in found if path != "/dev/null"]


def read(diff: str) -> tuple[list[str], list[Section]]:
    """Return the lines before the first file, and the files.

    The counts in a hunk's header say where it ends. A hunk that is cut off ends with the text.
    """
    preamble: list[str] = []
    sections: list[Section] = []
    old = new = 0
    for line in _lines(diff):
        if (old > 0 or new > 0) and line[:1] in ("", " ", "+", "-", "\\"):
            old -= line[:1] not in ("+", "\\")
            new -= line[:1] not in ("-", "\\")
            sections[-1].hunks[-1].lines.append(line)
        elif line.startswith("diff --git ") or _starts_plain_file(line, sections):
            sections.append(Section([line]))
            old = new = 0
        elif sections and (found := _HUNK.match(line)):
            sections[-1].hunks.append(Hunk(int(found[1]), int(found[3]), found[5]))
            old, new = int(found[2] or 1), int(found[4] or 1)
        else:
            _keep(line, preamble, sections)
    return preamble, sections


def write(preamble: Iterable[str], sections: Iterable[Section]) -> str:
    """Return the text of a diff, with a newline at its end."""
    return "".join(f"{line}\n" for line in (*preamble, *_written(sections)))


def _lines(diff: str) -> list[str]:
    lines = diff.split("\n")
    return lines if lines[-1] else lines[:-1]


def _starts_plain_file(line: str, sections: list[Section]) -> bool:
    """A file of ``diff -u`` begins with its ``---``; git's has a line before that."""
    return line.startswith("--- ") and (not sections or bool(sections[-1].hunks))


def _keep(line: str, preamble: list[str], sections: list[Section]) -> None:
    if not sections:
        preamble.append(line)
    elif not sections[-1].hunks:
        sections[-1].head.append(line)
    elif line.startswith("\\"):
        sections[-1].hunks[-1].lines.append(line)
    else:
        sections[-1].tail.append(line)


def _written(sections: Iterable[Section]) -> Iterator[str]:
    for section in sections:
        yield from section.head
        for hunk in section.hunks:
            yield hunk.header
            yield from hunk.lines
        yield from section.tail


def _range(start: int, lines: int) -> str:
    return str(start) if lines == 1 else f"{start},{lines}"
