"""The journal of a publication: what was about to be sent, and what came of it.

One JSON line an entry, on disk before the request is sent, so that a publication that was killed or
cut off can be carried on or taken back:

    {"plan": {...}}                                                  first, once
    {"start": ["commit", "model", "you/sentiment-minilm"]}           about to be sent
    {"done": ["commit", "model", "you/sentiment-minilm"], "commit": "3f0c..."}
    {"refused": ["create", "model", "you/sentiment-minilm"]}         somebody else's: not touched
    {"back": true}                                                   from here on it is taken back
    {"undone": ["commit", "model", "you/sentiment-minilm"]}
    {"end": "finished"}                                              or "rolled back"

A last line that a kill left half written is dropped: a step is then done, or taken back, again.
Journals are numbered; one that was taken back whole makes the one before it the last again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kit.errors import RunError
from kit.hub.remote import Repo
from kit.publishing.planning import Plan, Step, read_plan

End = Literal["finished", "rolled back"]


@dataclass
class Journal:
    """The entries of one publication, in memory and in a file."""

    path: Path
    plan: Plan
    started: list[Step] = field(default_factory=list)
    done: dict[Step, str] = field(default_factory=dict)
    undone: set[Step] = field(default_factory=set)
    going_back: bool = False
    end: End | None = None

    @property
    def branch(self) -> str:
        """The branch on which a public repo's new commit waits."""
        return f"{self.plan.tag}-staging"

    def made(self, repo: Repo) -> str:
        """Return the last commit that this publication made in a repo, else the one it found."""
        verbs = ("merge", "commit", "stage", "create")
        found = [self.done[(verb, repo)] for verb in verbs if (verb, repo) in self.done]
        return found[0] if found else str(self.plan.repo(repo).head)

    def start(self, step: Step) -> None:
        """Say that a step is about to be sent."""
        self._write({"start": _names(step)})
        if step not in self.started:
            self.started.append(step)

    def finish(self, step: Step, commit: str) -> None:
        """Say that a step is done; ``commit`` is what it made, or empty."""
        self._write({"done": _names(step), "commit": commit})
        self.done[step] = commit

    def refuse(self, step: Step) -> None:
        """Say that a step met something of somebody else's: there is nothing to take back."""
        self._write({"refused": _names(step)})
        self.started.remove(step)

    def go_back(self) -> None:
        """Say that from here on steps are taken back."""
        if not self.going_back:
            self._write({"back": True})
            self.going_back, self.end = True, None

    def undo(self, step: Step) -> None:
        """Say that a step was taken back."""
        self._write({"undone": _names(step)})
        self.undone.add(step)

    def close(self, end: End) -> None:
        """Say how it ended."""
        self._write({"end": end})
        self.end = end

    def _write(self, entry: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def new_journal(folder: Path, plan: Plan) -> Journal:
    """Start a journal in a folder, after those that stand there."""
    folder.mkdir(parents=True, exist_ok=True)
    number = max((int(path.stem.rpartition("-")[2]) for path in _journals(folder)), default=0) + 1
    journal = Journal(folder / f"journal-{number:04d}.jsonl", plan)
    journal._write({"plan": plan.document()})
    return journal


def last_journal(folder: Path) -> Journal | None:
    """Return the newest journal that was not taken back; None where there is none."""
    for path in sorted(_journals(folder), reverse=True):
        journal = read_journal(path)
        if journal is not None and journal.end != "rolled back":
            return journal
    return None


def _journals(folder: Path) -> list[Path]:
    return list(folder.glob("journal-[0-9]*.jsonl"))


def read_journal(path: Path) -> Journal | None:
    """Return a journal, None where not even its plan was written whole.

    Raises:
        RunError: it cannot be read.
    """
    content = path.read_bytes()
    whole, _, half = content.rpartition(b"\n")
    if half:
        os.truncate(path, len(content) - len(half))
    if not whole:
        return None
    try:
        entries = [json.loads(line) for line in whole.split(b"\n")]
        journal = Journal(path, read_plan(entries[0]["plan"]))
        for entry in entries[1:]:
            _replay(journal, entry)
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"expected the journal of a publication in {path}, got {error}; "
            "look at the repos on the Hub, then remove the file"
        ) from error
    return journal


def _replay(journal: Journal, entry: dict[str, Any]) -> None:
    known = {
        (verb, plan.repo.kind, plan.repo.id): (verb, plan.repo)
        for plan in journal.plan.repos
        for verb, _ in journal.plan.steps
    }
    if "start" in entry:
        step = known[tuple(entry["start"])]
        if step not in journal.started:
            journal.started.append(step)
    elif "done" in entry:
        journal.done[known[tuple(entry["done"])]] = entry["commit"]
    elif "refused" in entry:
        journal.started.remove(known[tuple(entry["refused"])])
    elif "undone" in entry:
        journal.undone.add(known[tuple(entry["undone"])])
    elif "back" in entry:
        journal.going_back, journal.end = True, None
    else:
        journal.end = entry["end"]


def _names(step: Step) -> list[str]:
    verb, repo = step
    return [verb, repo.kind, repo.id]
