"""Conventional Commits 1.0.0: read a message into its parts, or refuse it.

>>> commit = parse("feat(parser)!: read arrays")
>>> commit.type, commit.scope, commit.breaking, commit.description
('feat', 'parser', True, 'read arrays')
>>> valid("feat: read arrays"), valid("feet: read arrays"), valid("Read arrays")
(True, False, False)

The rules, from https://www.conventionalcommits.org/en/v1.0.0/ (section "Specification"):

- The first line is the type, a scope in parentheses or none, ``!`` or none, a colon, one space and
  the description. The description follows that space at once: a second space, or nothing but
  spaces, is refused.
- A type is one word: a letter, then letters, digits, ``-`` and ``_``. A scope is text without
  parentheses that neither begins nor ends with a space.
- What follows the first line stands after a blank line. Several blank lines are read as one, which
  is what ``git commit`` makes of them.
- A footer is a token, ``: `` or `` #``, and a value that goes on until the next footer. A token is
  letters, digits and ``-``; only ``BREAKING CHANGE`` has a space. Footers are the last paragraphs,
  of which each begins with one, so that a body may hold a line such as "Note: this is prose". From
  a paragraph that begins with ``BREAKING CHANGE: `` on, everything is footer.
- A commit is breaking by ``!`` or by a footer ``BREAKING CHANGE: `` or ``BREAKING-CHANGE: ``,
  in capitals, with a colon. In everything else case says nothing, so a type is given in lower case.

The specification leaves the set of types open. The eleven of ``TYPES`` are the list of
commitlint's conventional configuration.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

TYPES = (
    "build",
    "chore",
    "ci",
    "docs",
    "feat",
    "fix",
    "perf",
    "refactor",
    "revert",
    "style",
    "test",
)

_SUBJECT = re.compile(
    r"(?P<type>[^\W\d_][\w-]*)"
    r"(?:\((?P<scope>[^()\s](?:[^()]*[^()\s])?)\))?"
    r"(?P<breaking>!)?"
    r": (?P<description>\S.*)"
)
_FOOTER = re.compile(
    r"(?P<token>BREAKING CHANGE(?=: )|(?!BREAKING-CHANGE #)[^\W_](?:[^\W_]|-)*)"
    r"(?:: | #)(?P<value>\S.*)"
)
_BREAKING = ("BREAKING CHANGE", "BREAKING-CHANGE")


class Footer(NamedTuple):
    """One footer: ``Refs #133`` is token "Refs", value "133"."""

    token: str
    value: str


@dataclass(frozen=True)
class ConventionalCommit:
    """The parts of a message. ``scope`` is None and ``body`` is empty where there is none."""

    type: str
    scope: str | None
    breaking: bool
    description: str
    body: str = ""
    footers: tuple[Footer, ...] = ()


def parse(message: str, types: Collection[str] | None = None) -> ConventionalCommit | None:
    """Read a message by the rules of the module's docstring.

    Args:
        message: a subject line, or a whole message. Blanks at the end are passed over.
        types: the types that are allowed, in lower case; None allows any word.

    Returns:
        The parts, or None where the message is not a Conventional Commit.
    """
    subject, *rest = message.replace("\r\n", "\n").rstrip().split("\n")
    found = _SUBJECT.fullmatch(subject.rstrip())
    if found is None or (rest and rest[0].strip()):
        return None
    type_ = found["type"].lower()
    if types is not None and type_ not in types:
        return None
    body, footers = _body_and_footers("\n".join(rest))
    return ConventionalCommit(
        type=type_,
        scope=found["scope"],
        breaking=bool(found["breaking"]) or any(footer.token in _BREAKING for footer in footers),
        description=found["description"],
        body=body,
        footers=footers,
    )


def valid(message: str, types: Collection[str] = TYPES) -> bool:
    """Return whether the message is a Conventional Commit of one of the types.

    This is what ``format_validity`` is the share of.
    """
    return parse(message, types) is not None


def _body_and_footers(text: str) -> tuple[str, tuple[Footer, ...]]:
    paragraphs = [part.strip("\n") for part in re.split(r"\n[ \t]*(?:\n[ \t]*)+", "\n" + text)]
    paragraphs = [part for part in paragraphs if part.strip()]
    start = _first_footer(paragraphs)
    body = "\n\n".join(paragraphs[:start])
    return body, _footers("\n\n".join(paragraphs[start:]))


def _first_footer(paragraphs: list[str]) -> int:
    """Return the index of the paragraph that begins the footers, else how many there are."""
    start = len(paragraphs)
    for index in range(len(paragraphs) - 1, -1, -1):
        found = _FOOTER.match(paragraphs[index])
        if found and (start == index + 1 or found["token"] in _BREAKING):
            start = index
    return start


def _footers(text: str) -> tuple[Footer, ...]:
    footers: list[Footer] = []
    for line in text.split("\n") if text else ():
        if found := _FOOTER.fullmatch(line):
            footers.append(Footer(found["token"], found["value"]))
        else:
            token, value = footers[-1]
            footers[-1] = Footer(token, f"{value}\n{line}")
    return tuple(Footer(token, value.rstrip()) for token, value in footers)
