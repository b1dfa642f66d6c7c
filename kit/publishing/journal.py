"""The journal of a publication: what was about to be sent, and what came of it.

One JSON line an entry, on disk before the request is sent, so that a publication that was killed or
cut off can be carried on or taken back:

    {"plan": {...}}                                                  first, once
    {"start": ["commit", "model", "you/sentiment-minilm"]}           about to be sent
    {"done": ["commit", "model", "you/sentiment-minilm"], "commit": "3f0c..."}
    {"back": true}                                                   from here on it is taken back
    {"undone": ["commit", "model", "you/sentiment-minilm"]}
    {"end": "finished"}                                              or "rolled back"

A last line that a kill left half written is dropped: its request was not sent.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kit.errors import RunError
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

    def start(self, step: Step) -> None:
        """Say that a step is about to be sent."""
        self._write({"start": _names(step)})
        self.started.append(step)

    def finish(self, step: Step, commit: str) -> None:
        """Say that a step is done; ``commit`` is what it made, or empty."""
        self._write({"done": _names(step), "commit": commit})
        self.done[step] = commit

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


def new_journal(path: Path, plan: Plan) -> Journal:
    """Start a journal; one that stood there is kept beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        path.replace(path.with_name(f"before-{plan.tag}.jsonl"))
    journal = Journal(path, plan)
    journal._write({"plan": plan.document()})
    return journal


def read_journal(path: Path) -> Journal | None:
    """Return the journal of the last publication, None where there is none.

    Raises:
        RunError: it cannot be read.
    """
    if not path.is_file():
        return None
    text = path.read_text("utf-8")
    whole, _, half = text.rpartition("\n")
    if half:
        path.write_text(f"{whole}\n" if whole else "", "utf-8")
    if not whole:
        return None
    try:
        entries = [json.loads(line) for line in whole.splitlines()]
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
        journal.started.append(known[tuple(entry["start"])])
    elif "done" in entry:
        journal.done[known[tuple(entry["done"])]] = entry["commit"]
    elif "undone" in entry:
        journal.undone.add(known[tuple(entry["undone"])])
    elif "back" in entry:
        journal.going_back, journal.end = True, None
    else:
        journal.end = entry["end"]


def _names(step: Step) -> list[str]:
    verb, repo = step
    return [verb, repo.kind, repo.id]
