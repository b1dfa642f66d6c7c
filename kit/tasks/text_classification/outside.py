"""An outside test set: somebody else's rows, put to every system of a finished run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kit.data.rows import Tally, usable
from kit.data.sources import read_rows
from kit.errors import InputError
from kit.files import sha256
from kit.recipe import Cleaning
from kit.records import EvaluationRecord, Source
from kit.runs import Progress, Run
from kit.tasks.text_classification.evaluating import evaluate_rows
from kit.tasks.text_classification.loading import Rows, spec

AS_GIVEN = Cleaning(personal_data="keep")
"""Every row that has a text and a known label is asked, however short; nothing is masked."""


def evaluate_outside(
    run: Run, path: Path, columns: tuple[str | None, str | None], progress: Progress
) -> tuple[EvaluationRecord, Path]:
    """Evaluate on the rows of a file; leave the record in ``evaluations/`` and return both.

    Args:
        run: a run whose checkpoint is there.
        path: JSONL, CSV or Parquet, gzipped too.
        columns: of the text and the label, "text" and "label" where None.
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


def _rows(run: Run, path: Path, columns: tuple[str | None, str | None]) -> Rows:
    names = {"text": columns[0] or "text", "label": columns[1] or "label"}
    tally, task = Tally(), spec(run)
    found = usable(list(read_rows(path, names)), task, AS_GIVEN, tally)
    if not found:
        raise InputError(f"expected rows with text and label in {path}, got none that can be used")
    fields = set.intersection(*(set(row.fields) for row in found))
    return Rows(
        tuple(row.id for row in found),
        tuple(row.text for row in found),
        np.array([task.labels.index(row.label) for row in found], np.int64),
        {name: tuple(row.fields[name] for row in found) for name in sorted(fields)},
    )
