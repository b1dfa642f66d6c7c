"""The rows that a new recipe begins with: a creator's file, looked at, or made-up ones."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import InputError
from kit.recipe import Cleaning, TextGeneration

MADE_UP = Path(__file__).parents[1] / "skeleton" / "made_up"
MOST_LABELS = 20
TEXTS = 420
COMMITS = 540
GROUPS = ("project", "repo")
LONGEST_SAMPLE = 160
LONGEST_DIFF = 1_500
MOST_SAMPLES = 6


@dataclass(frozen=True)
class Start:
    """What a new recipe takes from its rows.

    ``labels`` are those found, sorted; ``samples`` one short text of each label, at most
    ``MOST_SAMPLES``; ``group`` the column by which commits are split, None where there is none.
    """

    labels: tuple[str, ...]
    samples: tuple[str, ...]
    group: str | None = None


def labelled_texts(data: Path, columns: Mapping[str, str]) -> Start:
    """Look at a file of labelled texts.

    Raises:
        InputError: it cannot be read, or its labels are no classification.
    """
    from kit.data.labels import as_text
    from kit.data.sources import read_rows

    found = ((as_text(row["text"]), as_text(row["label"])) for row in read_rows(data, columns))
    rows = [row for row in found if all(row)]
    labels = sorted({label for _, label in rows})
    if not 2 <= len(labels) <= MOST_LABELS:
        raise InputError(
            f"expected 2 to {MOST_LABELS} different labels in {data}, got {len(labels)} "
            f"({', '.join(labels[:5])}); name the column with --label-column"
        )
    texts = [(" ".join(text.split()), label) for text, label in rows]
    samples = (text[:LONGEST_SAMPLE] for text in _one_of_each(texts, LONGEST_SAMPLE))
    return Start(tuple(labels), tuple(samples))


def commits(data: Path, columns: Mapping[str, str]) -> Start:
    """Look at a file of diffs with their messages.

    Raises:
        InputError: it cannot be read, or holds no diff with a conventional message.
    """
    from kit.data.commit_rows import usable_commits
    from kit.data.rows import Tally
    from kit.data.sources import read_rows

    tally = Tally()
    rows = usable_commits(list(read_rows(data, columns)), TextGeneration(), Cleaning(), tally)
    if not rows:
        reasons = ", ".join(f"{reason} {n}" for reason, n in tally.removed.most_common())
        raise InputError(
            f"expected diffs with messages such as 'fix(parser): keep the offset' in {data}, got "
            f"none that can be used ({reasons or 'no rows'}); name the columns with --text-column "
            "and --label-column"
        )
    pairs = [(row.text, row.label) for row in rows]
    group = next((name for name in GROUPS if any(row.fields.get(name) for row in rows)), None)
    return Start(
        tuple(sorted({row.label for row in rows})), _one_of_each(pairs, LONGEST_DIFF), group
    )


def _one_of_each(rows: Sequence[tuple[str, str]], longest: int) -> tuple[str, ...]:
    """Return a text of each label: the first that is no longer than ``longest``, else the first."""
    chosen: dict[str, str] = {}
    for text, label in sorted(rows, key=lambda row: len(row[0]) > longest):
        chosen.setdefault(label, text)
    return tuple(chosen[label] for label in sorted(chosen)[:MOST_SAMPLES])


def made_up_texts() -> bytes:
    """Return made-up rows as JSONL, the same every time: what users write to a help desk."""
    phrases = json.loads((MADE_UP / "texts.json").read_text("utf-8"))
    draw = random.Random(11)
    rows: dict[str, str] = {}
    labels = sorted(phrases)
    while len(rows) < TEXTS:
        label = labels[len(rows) % len(labels)]
        rows.setdefault(" ".join(draw.choice(part) for part in phrases[label]), label)
    return _jsonl([{"text": text, "label": label} for text, label in rows.items()])


def made_up_commits() -> bytes:
    """Return made-up commits as JSONL, the same every time: small changes to invented projects."""
    shapes = json.loads((MADE_UP / "commits.json").read_text("utf-8"))
    draw = random.Random(11)
    rows: dict[str, dict[str, str]] = {}
    kinds = sorted(shapes["kinds"])
    while len(rows) < COMMITS:
        path, lines, message = draw.choice(shapes["kinds"][kinds[len(rows) % len(kinds)]])
        words = {slot: draw.choice(choices) for slot, choices in shapes["words"].items()}
        diff = _diff(path.format(**words), [line.format(**words) for line in lines], draw)
        project = draw.choice(shapes["projects"])
        said = {"project": project, "diff": diff, "message": message.format(**words)}
        rows.setdefault(diff, said)
    return _jsonl(list(rows.values()))


def _diff(path: str, lines: Sequence[str], draw: random.Random) -> str:
    """Return a unified diff of one hunk somewhere in a file."""
    old = sum(not line.startswith("+") for line in lines)
    new = sum(not line.startswith("-") for line in lines)
    at = draw.randint(1, 200)
    head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
    return f"{head}@@ -{at},{old} +{at},{new} @@\n" + "".join(f"{line}\n" for line in lines)


def _jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
