"""An outside test set: somebody else's commits, put to every system of a finished run."""

from __future__ import annotations

from pathlib import Path

from kit.data.commit_rows import usable_commits
from kit.data.rows import Tally
from kit.data.sources import read_rows
from kit.errors import InputError
from kit.files import sha256
from kit.recipe import Cleaning
from kit.records import EvaluationRecord, Source
from kit.runs import Progress, Run
from kit.tasks.text_generation.evaluating import evaluate_rows
from kit.tasks.text_generation.loading import Commits, spec

AS_GIVEN = Cleaning(personal_data="keep")
"""Every row with a readable diff and a conventional subject is asked; nothing is masked."""


def evaluate_outside(
    run: Run, path: Path, columns: tuple[str | None, str | None], progress: Progress
) -> tuple[EvaluationRecord, Path]:
    """Evaluate on the rows of a file; leave the record in ``evaluations/`` and return both.

    Args:
        run: a run whose checkpoint is there.
        path: JSONL, CSV or Parquet, gzipped too.
        columns: of the diff and the message, "diff" and "message" where None.
        progress: called as each system is asked.

    Raises:
        InputError: the file cannot be used, or none of its rows can.
    """
    digest = sha256(path) if path.is_file() else ""
    rows = _rows(run, path, columns)
    source = Source(kind="local", name=path.name, revision=digest, license="unknown")
    record, _ = evaluate_rows(run, rows, path.name, source, progress)
    file = run.folder / "evaluations" / f"{path.name.partition('.')[0]}-{digest[:8]}.json"
    record.save(file)
    return record, file


def _rows(run: Run, path: Path, columns: tuple[str | None, str | None]) -> Commits:
    names = {"text": columns[0] or "diff", "label": columns[1] or "message"}
    found = usable_commits(list(read_rows(path, names)), spec(run), AS_GIVEN, Tally())
    if not found:
        raise InputError(f"expected rows with diff and message in {path}, got none to be used")
    fields = set.intersection(*(set(row.fields) for row in found)) - {"message"}
    columns_of = {name: tuple(row.fields[name] for row in found) for name in sorted(fields)}
    return Commits(
        tuple(row.id for row in found),
        tuple(row.text for row in found),
        tuple(row.fields["message"] for row in found),
        {**columns_of, "type": tuple(row.label for row in found)},
    )
