"""Rows and models as the stages of this task read them from a run's folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kit.recipe import TextClassification
from kit.runs import Run

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows of one split; ``truth`` holds label indices, shape [rows]."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    truth: Labels
    fields: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.texts)


def spec(run: Run) -> TextClassification:
    """Return the recipe's task as what it is here."""
    task = run.recipe.task
    if not isinstance(task, TextClassification):
        raise TypeError(f"expected a recipe of text_classification, got {task.kind}")
    return task


def read_split(run: Run, split: str) -> Rows:
    """Read ``data/<split>.parquet`` of a run."""
    return read_rows(run.folder / "data" / f"{split}.parquet", run.recipe.task.labels)


def read_rows(path: Path, labels: Sequence[str]) -> Rows:
    """Read prepared rows: columns id, text, label and any others as fields of text."""
    import pyarrow.parquet as pq

    columns: dict[str, list[str]] = pq.read_table(path).to_pydict()
    truth = np.array([labels.index(label) for label in columns["label"]], np.int64)
    fields = {
        name: tuple(str(value) for value in values)
        for name, values in columns.items()
        if name not in {"id", "text", "label"}
    }
    return Rows(tuple(columns["id"]), tuple(columns["text"]), truth, fields)


def load_model(folder: Path, task: TextClassification) -> Any:
    """Load a sequence classifier in fp32 with the task's labels; a new head where it has none."""
    from transformers import AutoModelForSequenceClassification, logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    names = dict(enumerate(task.labels))
    return AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(names),
        id2label=names,
        label2id={name: index for index, name in names.items()},
        ignore_mismatched_sizes=True,
        use_safetensors=True,
        dtype="float32",
    )


def load_tokenizer(folder: Path, max_length: int) -> Any:
    """Load a tokenizer without the padding and truncation that its file may carry."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.model_max_length = max_length
    return tokenizer
