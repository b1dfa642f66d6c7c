"""Raw rows of commits made usable: a diff that can be read, a subject that follows the convention.

A row has the diff in ``text`` and the message in ``label``; what comes out has the commit's type as
its label and the subject in ``fields["message"]``::

    >>> rows = usable_commits([{"text": diff, "label": "fix(io): close the file"}], task, ...)
    >>> rows[0].label, rows[0].fields["message"]
    ('fix', 'fix(io): close the file')
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kit.data.cleaning import EMPTY, NOT_TEXT, TOO_LONG, TOO_SHORT
from kit.data.git_history import MiningRules, mine
from kit.data.git_licenses import license_at
from kit.data.git_log import head_of, name_of
from kit.data.git_process import opened
from kit.data.labels import as_text
from kit.data.rows import REPORT_ROWS, Row, Tally, audited, row_id
from kit.errors import InputError
from kit.prompts import changes
from kit.recipe import Cleaning, GitHistories, TextGeneration
from kit.records import Source

NOT_CONVENTIONAL = "not_conventional"
NO_CHANGED_LINE = "no_changed_line"
DERIVED = frozenset({"text", "label", "type", "message"})
ATTRIBUTION = frozenset({"sha", "date", "license"})
"""Kept as they are: digits of a hash or a date are nobody's number."""


def mined_rows(
    data: GitHistories, tally: Tally, progress: Callable[[str, int, int | None], None]
) -> tuple[list[Source], list[dict[str, Any]]]:
    """Return the commits of local repositories as raw rows, and each repository as a source.

    What mining left out is tallied by its own reasons.
    """
    sources, rows = [], list[dict[str, Any]]()
    for path in map(Path, data.paths):
        commits, left_out = mine(path, MiningRules(), progress, data.license)
        tally.removed.update(left_out)
        tally.rows_read += sum(left_out.values())
        with opened(path) as git:
            head, name = head_of(git), name_of(git)
            terms = data.license or license_at(git, head)
        sources.append(Source(kind="local", name=name, revision=head, license=terms))
        for commit in commits:
            row = asdict(commit)
            rows.append({**row, "text": row.pop("diff"), "label": row.pop("message")})
    return sources, rows


def usable_commits(
    raw: Sequence[Mapping[str, Any]],
    task: TextGeneration,
    cleaning: Cleaning,
    tally: Tally,
    advance: Callable[[int], None] = lambda done: None,
) -> list[Row]:
    """Return the commits that can be used, in their order; the others are tallied by reason.

    Args:
        raw: rows with the diff as "text", the message as "label" and any other fields.
        task: its labels are the types that a subject may have.
        cleaning: the limits, in words of the subject and characters of the diff, and what to do
            with personal data.
        tally: grows.
        advance: called now and then with the number of rows done.

    Raises:
        InputError: no row has a conventional message.
    """
    subject = re.compile(rf"({'|'.join(task.labels)})(\([^()\s][^()\n]*\))?!?: \S")
    rows: list[Row] = []
    removed = Counter[str]()
    for done, source in enumerate(raw):
        if done % REPORT_ROWS == 0:
            advance(done)
        row = _usable_commit(source, subject, cleaning, tally)
        if isinstance(row, Row):
            rows.append(row)
        else:
            removed[row] += 1
    tally.removed.update(removed)
    if raw and removed[NOT_CONVENTIONAL] == len(raw):
        raise InputError(
            "expected messages such as 'fix(parser): keep the offset', got "
            f"{as_text(raw[0]['label'])[:60]!r}; name the column with --label-column"
        )
    return rows


def _usable_commit(
    source: Mapping[str, Any], subject: re.Pattern[str], cleaning: Cleaning, tally: Tally
) -> Row | str:
    """Return the row, or the reason to drop it."""
    diff, message = source["text"], as_text(source["label"]).strip().split("\n")[0].strip()
    if not isinstance(diff, str):
        return EMPTY if diff is None else NOT_TEXT
    refusal = _refusal(diff, message, subject, cleaning)
    if refusal:
        return refusal
    fields = {as_text(name): as_text(value) for name, value in source.items()}
    said = {"message": message, "body": fields.get("body", "")}
    others = {k: v for k, v in fields.items() if k not in DERIVED | ATTRIBUTION | set(said)}
    checked = audited(as_text(diff), others | said, cleaning, tally)
    if isinstance(checked, str):
        return checked
    text, kept = checked
    subject_line = kept["message"]
    kind = re.split(r"[(!:]", subject_line)[0]
    if not kept["body"]:
        del kept["body"]
    kept |= {name: fields[name] for name in ATTRIBUTION if name in fields}
    return Row(row_id(subject_line, text), text, kind, kept)


def _refusal(diff: str, message: str, subject: re.Pattern[str], cleaning: Cleaning) -> str | None:
    if not diff.strip() or not message:
        return EMPTY
    if len(diff) > cleaning.max_characters:
        return TOO_LONG
    if not subject.match(message):
        return NOT_CONVENTIONAL
    words = len(message.split())
    if words < cleaning.min_words:
        return TOO_SHORT
    if words > cleaning.max_words:
        return TOO_LONG
    return None if any(change.lines for change in changes(diff)) else NO_CHANGED_LINE
