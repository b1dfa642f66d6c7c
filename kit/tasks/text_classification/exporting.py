"""Export a checkpoint: the files that Python, a Space and a browser run, held against it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kit.export.costing import thousand_answers
from kit.export.identity import model_id
from kit.export.onnx import FP32, INT8, write_onnx
from kit.export.parity import parity
from kit.files import put_in_place
from kit.inference import Classifier
from kit.records import Answer, ExportRecord, Parity, file_entries
from kit.runs import Progress, Run
from kit.tasks.text_classification.evaluating import tuned_logits
from kit.tasks.text_classification.loading import (
    Rows,
    load_model,
    load_tokenizer,
    read_rows,
    read_split,
    spec,
)

BESIDE = ("config.json", "tokenizer.json", "tokenizer_config.json")
THREADS = 1
EVERY = 50


def export_checkpoint(run: Run, progress: Progress) -> ExportRecord:
    """Write ``export/`` and measure each ONNX file on all test rows."""
    start = time.perf_counter()
    folder = run.folder / "export"
    progress("export", 0, None)
    put_in_place(folder, lambda temporary: _write(run, temporary))
    rows = read_split(run, "test")
    reference = tuned_logits(run, rows.texts)
    parity_of = {
        name: _measured(folder, file, rows, reference, progress)
        for name, file in (("fp32", FP32), ("int8", INT8))
    }
    return ExportRecord(
        model_id=model_id(folder, (*BESIDE, INT8)),
        files=file_entries(folder),
        parity=parity_of,
        checkpoint_accuracy=float((reference.argmax(1) == rows.truth).mean()),
        samples=_samples(run, Classifier(folder)),
        thousand=thousand_answers(
            run.project,
            seconds=parity_of["int8"].latency_ms["32"] / 1000,
            tokens_read=_tokens(run, rows),
            tokens_written=1,
        ),
        threads=THREADS,
        seconds=time.perf_counter() - start,
    )


def _write(run: Run, folder: Path) -> None:
    checkpoint = run.folder / "checkpoint"
    model = load_model(checkpoint, spec(run)).eval()
    write_onnx(model, _example(model), folder)
    for name in BESIDE:
        shutil.copyfile(checkpoint / name, folder / name)


def _example(model: Any) -> dict[str, Any]:
    """Return two rows of eight tokens; BERT's kind has token types, DistilBERT's none."""
    import inspect

    import torch

    taken = inspect.signature(model.forward).parameters
    ids = torch.arange(2, 18).reshape(2, 8) % model.config.vocab_size
    example = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if "token_type_ids" in taken:
        example["token_type_ids"] = torch.zeros_like(ids)
    return example


def _measured(
    folder: Path, file: str, rows: Rows, reference: npt.NDArray[np.float32], progress: Progress
) -> Parity:
    classifier = Classifier(folder, file, threads=THREADS)
    size = (folder / file).stat().st_size
    return parity(file, size, classifier, rows.texts, rows.truth, reference, progress)


def _tokens(run: Run, rows: Rows) -> float:
    """Return how many tokens a row has on average."""
    tokenizer = load_tokenizer(run.folder / "checkpoint", run.preset.training.max_length)
    ids = tokenizer(list(rows.texts), truncation=True)["input_ids"]
    return sum(map(len, ids)) / len(ids)


def _samples(run: Run, classifier: Classifier) -> tuple[Answer, ...]:
    """Record what the int8 file says to the recipe's samples: a page shows it before it loads."""
    found = []
    for number, sample in enumerate(run.recipe.task.samples, 1):
        top = classifier.answer(sample.text)[0]
        found.append(
            Answer(
                id=f"sample-{number}",
                text=sample.text,
                label=None,
                predicted=top["label"],
                probability=top["probability"],
                note=sample.note,
            )
        )
    return tuple(found)


def measure(
    folder: Path, test: Path, labels: Sequence[str], progress: Progress
) -> dict[str, float]:
    """Return the accuracy of the fp32 file on prepared rows."""
    rows, classifier = read_rows(test, labels), Classifier(folder, FP32)
    right = 0
    for done, (text, truth) in enumerate(zip(rows.texts, rows.truth, strict=True)):
        if done % EVERY == 0:
            progress("answer the test rows again", done, len(rows))
        right += int(classifier.logits([text])[0].argmax()) == truth
    return {"accuracy": right / len(rows)}
