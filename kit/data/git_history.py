"""Commits of a local git repository as rows: a diff, and the message that somebody wrote for it.

``kit data commit_messages --repo PATH`` calls it. Every commit becomes a row or is counted under
the reason why not, one of ``REASONS``::

    >>> rows, left_out = mine(Path("src/app"), MiningRules(since="2024-01-01"), progress=show)
    >>> rows[0].repo, rows[0].license, rows[0].message
    ('ada/engine', 'mit', 'fix(cache): keep the entry of a failed retry')
    >>> left_out
    Counter({'merge': 41, 'not_conventional': 17, 'bot': 9, 'no_readable_change': 4})

A root commit has no parent to be compared with and is left out; so is the commit at which a
shallow clone ends. Nothing in the repository is changed or executed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kit.data.git_licenses import PERMISSIVE, check_allowed, license_at
from kit.data.git_log import LogEntry, head_of, name_of, read_diffs, read_entries
from kit.data.git_process import Git, opened
from kit.data.git_text import (
    body_of,
    code_words,
    decoded,
    holds_secret,
    section_without_people,
    sections,
    without_people,
)
from kit.errors import InputError

TYPES = (
    *("feat", "fix", "docs", "style", "refactor", "perf", "test", "build", "ci", "chore"),
    "revert",
)
CONVENTIONAL = (
    rf"(?P<type>{'|'.join(TYPES)})(?:\((?P<scope>[^()]+)\))?(?P<breaking>!)?: (?P<description>\S.*)"
)
# In the order in which a commit is judged.
REASONS = {
    "message_too_large": "its message has more than 64 KiB",
    "merge": "it has several parents",
    "root": "it has no parent",
    "shallow_boundary": "its parent is missing: the clone is shallow",
    "bot": "a program wrote it",
    "not_text": "its message or diff is no UTF-8, or holds control characters",
    "not_conventional": "its subject does not match the pattern",
    "version_bump": "it says no more than a new version",
    "subject_too_long": "its subject has more than max_subject_characters",
    "commit_too_large": "its diff has more than max_commit_bytes",
    "no_readable_change": "no line was changed in a file that people read",
    "diff_too_short": "the changed lines have less than min_diff_characters",
    "diff_too_long": "what is left of the diff has more than max_diff_characters",
    "secret": "it holds a key, a token or a password",
}
MESSAGE_BYTES = 2**16
SHOWN_EVERY = 200

_ISSUES_ROOM = 200
_ISSUE = r"(?:[\w.-]+/[\w.-]+)?(?:#|gh-|!)\d+"
_ISSUES = re.compile(
    rf"(?:\s*\((?:[a-z]{{3,8}}:?\ )?{_ISSUE}(?:[,\ ]+{_ISSUE})*\))+$", re.IGNORECASE
)
_BOT_NAME = re.compile(
    r"\[bot\]|\b(?:ro)?bot\b|_bot\b|dependabot|renovate|greenkeeper|github[- ]actions"
    r"|semantic-release|pre-commit-ci|allcontributors|mergify|weblate|imgbot|travis ci",
    re.IGNORECASE,
)
_BOT_ADDRESS = re.compile(r"\[bot\]|(?:\b|_)bot@", re.IGNORECASE)
_NUMBER = r"\S*?\d+\.\d\S*"
_VERSION_BUMP = re.compile(
    rf"""(?:(?:a|back|begin|bumps?|bumped|cut|dev|development|for|from|increment|iteration|new|next
        |of|package|packages|prepare|preparing|publish|publishing|release|released|releases
        |releasing|set|snapshot|start|tag|the|to|update|updated|upgrade|version|versions)\b[\s:,-]*)*
        (?:{_NUMBER}|v\d+)(?:\s+(?:final|release|stable|\[skip\ ci\]))*
    |(?:bump|increment|update)s?\ (?:the\ )?(?:\S+\ )?versions?(?:\ numbers?)?
    |(?:publish|release|releases|new\ release|prepare\ release)
    |(?:bump|update|upgrade)s?\ \S.*\ (?:from\ \S*\d\S*\ )?to\ (?:{_NUMBER}|v\d+)(?:\ in\ \S+)?
    |(?:bump|update|upgrade)s?\ (?:dependency\ )?\S+\ (?:{_NUMBER}|v\d+)""",
    re.IGNORECASE | re.VERBOSE,
)

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Commit:
    """One row. ``repo``, ``sha`` and ``license`` are its attribution; nobody's name is in it.

    ``repo`` is owner/name; ``license`` an SPDX id in lower case; ``date`` the day of the commit in
    UTC as YYYY-MM-DD; ``message`` the subject without issue numbers at its end.
    """

    repo: str
    sha: str
    license: str
    date: str
    type: str
    message: str
    body: str
    diff: str


@dataclass(frozen=True, kw_only=True)
class MiningRules:
    """Which commits become rows.

    ``subject`` is a regular expression for the whole subject, its groups ``type`` and
    ``description`` used where it has them. ``min_diff_characters`` counts changed lines without
    their indents, ``max_diff_characters`` all that is left of the diff. A diff of more than
    ``max_commit_bytes`` is dropped while it streams, a file of that size is never compared.
    ``since`` is a day as YYYY-MM-DD; older commits are not read.
    """

    subject: str = CONVENTIONAL
    max_subject_characters: int = 100
    min_diff_characters: int = 20
    max_diff_characters: int = 4000
    max_commit_bytes: int = 8 * 2**20
    allowed_licenses: tuple[str, ...] = PERMISSIVE
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit whose message qualifies; its diff is not read yet."""

    sha: str
    date: str
    author: str
    type: str
    subject: str
    body: str


def mine(
    path: Path,
    rules: MiningRules,
    progress: Progress,
    license: str | None = None,  # noqa: A002
) -> tuple[list[Commit], Counter[str]]:
    """Return the commits that HEAD reaches as rows, newest first, and the others by reason.

    Args:
        path: a repository, bare or not, or a folder in its work tree; all of it is read.
        progress: called with (step, commits done, commits in all or None where not known). A
            shallow clone is reported as a step of its own.
        license: an SPDX id for a repository whose license file is not known.

    Raises:
        InputError: no repository, no commit, a corrupt object, a license that is not known or not
            allowed, rules that cannot work.
        SourceError: git is not installed, or too old.
    """
    pattern = _checked(rules)
    left_out: Counter[str] = Counter()
    with opened(path) as git:
        head = head_of(git)
        terms = check_allowed(license or license_at(git, head), rules.allowed_licenses, path)
        name = name_of(git)
        candidates = _candidates(git, head, rules, pattern, left_out, progress)
        rows = []
        diffs = read_diffs(git, [one.sha for one in candidates], rules.max_commit_bytes)
        for number, (candidate, diff) in enumerate(zip(candidates, diffs, strict=True)):
            if number % SHOWN_EVERY == 0:
                progress("reading diffs", number, len(candidates))
            row = finish(candidate, diff, rules, name, terms)
            if isinstance(row, str):
                left_out[row] += 1
            else:
                rows.append(row)
    progress("reading diffs", len(candidates), len(candidates))
    return rows, left_out


def screen(
    entry: LogEntry | None, rules: MiningRules, pattern: re.Pattern[str], cut_off: frozenset[str]
) -> Candidate | str:
    """Return a commit whose message qualifies, else the reason why it is left out."""
    if entry is None:
        return "message_too_large"
    if len(entry.parents) != 1:
        alone = "shallow_boundary" if entry.sha in cut_off else "root"
        return "merge" if entry.parents else alone
    if _BOT_NAME.search(entry.author) or _BOT_ADDRESS.search(entry.email):
        return "bot"
    try:
        message = decoded(entry.message)
    except ValueError:
        return "not_text"
    subject = message.partition("\n")[0].rstrip()
    if len(subject) > rules.max_subject_characters + _ISSUES_ROOM:
        return "subject_too_long"
    subject = _ISSUES.sub("", subject)
    found = pattern.fullmatch(subject)
    if not found:
        return "not_conventional"
    named = found.groupdict()
    if _VERSION_BUMP.fullmatch(named.get("description") or subject):
        return "version_bump"
    if len(subject) > rules.max_subject_characters:
        return "subject_too_long"
    kind = named.get("type") or ""
    return Candidate(entry.sha, entry.date, entry.author, kind, subject, body_of(message))


def finish(
    candidate: Candidate, diff: bytes | None, rules: MiningRules, repo: str, terms: str
) -> Commit | str:
    """Return a commit with its diff as a row, else the reason why it is left out."""
    if diff is None:
        return "commit_too_large"
    try:
        kept = sections(diff)
    except ValueError:
        return "not_text"
    if not any(section.changed for section in kept):
        return "no_readable_change"
    if sum(section.changed for section in kept) < rules.min_diff_characters:
        return "diff_too_short"
    text = "".join(section.text for section in kept)
    if len(text) > rules.max_diff_characters:
        return "diff_too_long"
    if holds_secret(f"{candidate.subject}\n{candidate.body}\n{text}"):
        return "secret"
    known, author = code_words(kept), candidate.author
    return Commit(
        repo=repo,
        sha=candidate.sha,
        license=terms,
        date=candidate.date,
        type=candidate.type,
        message=without_people(candidate.subject, author, known),
        body=without_people(candidate.body, author, known),
        diff="".join(section_without_people(section, author, known) for section in kept),
    )


def _checked(rules: MiningRules) -> re.Pattern[str]:
    if rules.since is not None and not _is_day(rules.since):
        raise InputError(f"expected since as a day such as 2024-01-31, got '{rules.since}'")
    try:
        return re.compile(rules.subject)
    except re.error as error:
        raise InputError(
            f"expected subject as a regular expression, got '{rules.subject}': {error}"
        ) from error


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _candidates(
    git: Git,
    head: str,
    rules: MiningRules,
    pattern: re.Pattern[str],
    left_out: Counter[str],
    progress: Progress,
) -> list[Candidate]:
    if git.cut_off:
        progress("shallow clone: commits before its end are not here", 0, None)
    found = []
    for number, entry in enumerate(read_entries(git, head, rules.since, MESSAGE_BYTES)):
        if number % SHOWN_EVERY == 0:
            progress("reading messages", number, None)
        judged = screen(entry, rules, pattern, git.cut_off)
        if isinstance(judged, str):
            left_out[judged] += 1
        else:
            found.append(judged)
    return found
