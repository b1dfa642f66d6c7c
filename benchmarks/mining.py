"""Mining a git history against PyDriller: the same rows from the same repository, and both times.

From the repository's root, on a history made on the spot (a few thousand commits, all of the kinds
that mining tells apart), or on any repository of yours::

    .venv/bin/python -m pip install pydriller
    .venv/bin/python -m benchmarks.mining
    .venv/bin/python -m benchmarks.mining --repo ../app --license mit

PyDriller reads the commits and compares the files; which commits become rows, and what is cut from
them, is decided by the same functions for both. It is asked for the files of a commit only if the
message qualifies. Both sides find the repository in the page cache. kit and its git run at the same
time: where other work keeps the cores busy, the processor time says more than the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.synthetic_history import synthetic_history
from kit.data.git_history import Candidate, Commit, MiningRules, finish, mine, screen
from kit.data.git_log import LogEntry
from kit.errors import InputError, KitError, SourceError

TARGET = 20
COMMITS = 5000


@dataclass(frozen=True)
class Measurement:
    """One way of reading a history; processor seconds include git's."""

    system: str
    seconds: float
    processor_seconds: float
    commits_per_second: float
    rows: int


def main() -> None:
    """Mine with both and print the table, or one JSON document."""
    options = _options()
    if not options.repo:
        _say(f"making a history of {options.commits} commits")
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = options.repo or synthetic_history(Path(folder) / "made.git", options.commits)
            rules = MiningRules(max_diff_characters=options.max_diff_characters)
            terms = options.license if options.repo else "mit"
            document = measured(path, rules, terms, options.repeat)
    except KitError as error:
        sys.exit(f"error: {error}")
    print(json.dumps(document, indent=1) if options.json else table(document))


def measured(path: Path, rules: MiningRules, terms: str | None, repeat: int) -> dict[str, Any]:
    """Mine a repository with kit and with PyDriller, and compare rows and times.

    kit is over in a second or two, so it is run several times and the median counts.

    Raises:
        InputError: the repository cannot be mined.
        SourceError: PyDriller is not installed.
    """
    pydriller = _pydriller()
    _say("reading once, so that files are in memory and libraries loaded")
    warm, left_out = mine(path, rules, _silent, terms)
    commits = len(warm) + left_out.total()
    if not warm:
        raise InputError(f"no commit of {path} becomes a row; there is nothing to compare")
    repo, known = warm[0].repo, warm[0].license
    _say(f"kit, {commits} commits, {repeat} times")
    read = partial(mine, path, rules, _silent, terms)
    several = sorted((_timed("kit", commits, lambda: read()[0]) for _ in range(repeat)), key=_took)
    ours, kit = several[len(several) // 2]
    _say(f"PyDriller, {commits} commits")
    theirs, other = _timed(
        "PyDriller", commits, lambda: list(by_pydriller(pydriller, path, rules, repo, known))
    )
    diffs = {row.sha: row.diff for row in theirs}
    return {
        "commits": commits,
        "systems": [asdict(kit), asdict(other)],
        "same_shas": sorted(diffs) == sorted(row.sha for row in ours),
        "equal_diffs": sum(diffs.get(row.sha) == row.diff for row in ours),
        "equal_rows": len(set(ours) & set(theirs)),
        "ratio": other.seconds / kit.seconds,
        "processor_ratio": other.processor_seconds / kit.processor_seconds,
        "target": TARGET,
    }


def by_pydriller(
    pydriller: Any, path: Path, rules: MiningRules, repo: str, terms: str
) -> Iterator[Commit]:
    """Yield the rows of a repository, its commits and their files read by PyDriller."""
    pattern = re.compile(rules.subject)
    for commit in pydriller.Repository(str(path)).traverse_commits():
        candidate = screen(_entry(commit), rules, pattern, frozenset())
        if isinstance(candidate, Candidate):
            diff = b"\n".join(map(_section, commit.modified_files))
            row = finish(candidate, diff, rules, repo, terms)
            if isinstance(row, Commit):
                yield row


def _entry(commit: Any) -> LogEntry:
    return LogEntry(
        sha=commit.hash,
        parents=tuple(commit.parents),
        date=commit.committer_date.astimezone(UTC).date().isoformat(),
        author=commit.author.name or "",
        email=commit.author.email or "",
        message=commit.msg.encode(),
    )


def _section(modified: Any) -> bytes:
    """Return a file's part of the diff as git writes it; PyDriller keeps the lines from @@ on."""
    # Modes and bytes are in GitPython's object only.
    raw = modified._c_diff
    old, new = modified.old_path or modified.new_path, modified.new_path or modified.old_path
    lines = [f"diff --git a/{old} b/{new}"]
    if raw.new_file:
        lines.append(f"new file mode {raw.b_mode:o}")
    elif raw.deleted_file:
        lines.append(f"deleted file mode {raw.a_mode:o}")
    elif raw.a_mode and raw.b_mode and raw.a_mode != raw.b_mode:
        lines += [f"old mode {raw.a_mode:o}", f"new mode {raw.b_mode:o}"]
    if raw.renamed_file:
        lines += [f"rename from {old}", f"rename to {new}"]
    if raw.diff.startswith(b"@@"):
        lines.append("--- /dev/null" if raw.new_file else f"--- a/{old}{_tab(old)}")
        lines.append("+++ /dev/null" if raw.deleted_file else f"+++ b/{new}{_tab(new)}")
    hunks: bytes = raw.diff
    return "\n".join(lines).encode() + b"\n" + hunks.removesuffix(b"\n")


def _tab(path: str) -> str:
    # git ends a name that holds a space with a tab.
    return "\t" if " " in path else ""


def _timed(
    system: str, commits: int, read: Callable[[], list[Commit]]
) -> tuple[list[Commit], Measurement]:
    before, started = os.times(), perf_counter()
    rows = read()
    seconds, after = perf_counter() - started, os.times()
    # User and system time, of this process and of those it waited for.
    processor = sum(after[:4]) - sum(before[:4])
    return rows, Measurement(system, seconds, processor, commits / seconds, len(rows))


def _took(measured: tuple[list[Commit], Measurement]) -> float:
    return measured[1].seconds


def table(document: dict[str, Any]) -> str:
    """Return the document as lines for a terminal."""
    lines = [f"{'':>10} {'rows':>7} {'seconds':>9} {'commits/s':>10} {'processor s':>12}"]
    for one in document["systems"]:
        lines.append(
            f"{one['system']:>10} {one['rows']:7,} {one['seconds']:9.2f} "
            f"{one['commits_per_second']:10,.0f} {one['processor_seconds']:12.2f}"
        )
    rows = document["systems"][0]["rows"]
    kept = "the same commits kept" if document["same_shas"] else "NOT the same commits kept"
    lines.append(
        f"{document['commits']:,} commits, {kept}; {document['equal_diffs']:,} of {rows:,} diffs "
        f"and {document['equal_rows']:,} rows are equal"
    )
    reached = "reached" if document["ratio"] >= TARGET else "NOT reached"
    lines.append(
        f"{document['ratio']:.1f} times as fast, {document['processor_ratio']:.1f} in processor "
        f"time (target {TARGET}: {reached})"
    )
    return "\n".join(lines)


def _pydriller() -> Any:
    try:
        return import_module("pydriller")
    except ImportError as error:
        raise SourceError(
            "PyDriller is not installed; run: python -m pip install pydriller"
        ) from error


def _silent(step: str, done: int, total: int | None) -> None:
    """Take progress and say nothing."""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mining", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--repo", type=Path, help="repository; without it one is made")
    parser.add_argument("--license", help="its SPDX id, where its license file is not known")
    parser.add_argument(
        "--commits", type=int, default=COMMITS, help=f"of the history made ({COMMITS})"
    )
    parser.add_argument(
        "--max-diff-characters", type=int, default=MiningRules().max_diff_characters
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of kit (3)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


if __name__ == "__main__":
    main()
