"""Fit a sequence classifier with the Trainer of transformers, and keep its best epoch.

A killed fit goes on from the last epoch's checkpoint and ends in the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import RecipeError
from kit.files import put_in_place
from kit.hub.sources import fetch_model
from kit.recipe import Training
from kit.records import CheckpointRecord
from kit.runs import Progress, Run
from kit.tasks.text_classification.loading import Rows, load_model, load_tokenizer, read_split, spec
from kit.training.adapters import folded, prepared, wrap
from kit.training.arguments import choose_precision, trainer_arguments
from kit.training.batching import batch_by_length
from kit.training.checkpoints import train
from kit.training.recording import checkpoint_record, parameters, reporter

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import Trainer


def fit(run: Run, progress: Progress) -> CheckpointRecord:
    """Train, and leave the best epoch's weights in ``checkpoint/`` of the run's folder."""
    from transformers import set_seed

    training = run.preset.training
    refuse_what_cannot_work(training)
    base = fetch_model(run.base)
    precision = choose_precision(training.precision)
    tokenizer = load_tokenizer(base.folder, training.max_length)
    splits = [_tokenized(tokenizer, read_split(run, name)) for name in ("train", "validation")]
    set_seed(training.seed)
    model = load_model(base.folder, spec(run))
    model = wrap(prepared(model, training), training, "SEQ_CLS")
    work = run.folder / "trainer"
    trainer = _trainer(model, tokenizer, splits, training, work, precision, progress)
    counts = parameters(model)
    meter = train(trainer, work, run.project.country, progress)
    _keep(folded(trainer.model), tokenizer, run.folder / "checkpoint")
    record = checkpoint_record(
        run, base.source, trainer, meter, precision, counts, sum(splits[0]["length"])
    )
    shutil.rmtree(work, ignore_errors=True)
    return record


def refuse_what_cannot_work(training: Training) -> None:
    """Refuse combinations that a classifier cannot be trained with.

    Raises:
        RecipeError: names the setting, the reason and what works.
    """
    if training.objective != "sft":
        raise RecipeError(
            f"training.objective={training.objective} needs pairs of answers to prefer, "
            "a classifier has labels; use sft"
        )
    if training.method not in {"full", "lora", "dora"}:
        raise RecipeError(
            f"training.method={training.method} cannot be folded into a classifier's weights "
            "for export; use full, lora or dora"
        )
    if training.quantization:
        raise RecipeError(
            "training.quantization=nf4 saves memory on large generators; an encoder of this size "
            "fits whole, and its head would stay in full precision: use none"
        )


def _tokenized(tokenizer: Any, rows: Rows) -> Dataset:
    from datasets import Dataset

    ids = tokenizer(list(rows.texts), truncation=True, max_length=tokenizer.model_max_length)
    lengths = [len(row) for row in ids["input_ids"]]
    return Dataset.from_dict({**ids, "labels": rows.truth.tolist(), "length": lengths})


def _trainer(
    model: Any,
    tokenizer: Any,
    splits: Sequence[Dataset],
    training: Training,
    work: Path,
    precision: str,
    progress: Progress,
) -> Trainer:
    from transformers import (
        DataCollatorWithPadding,
        EarlyStoppingCallback,
        PrinterCallback,
        Trainer,
    )

    trainer = Trainer(
        model=model,
        args=trainer_arguments(training, work, precision),
        data_collator=DataCollatorWithPadding(tokenizer),
        train_dataset=splits[0],
        # In order of length: in any other, most of what is evaluated is padding.
        eval_dataset=splits[1].sort("length"),
        processing_class=tokenizer,
        callbacks=[EarlyStoppingCallback(training.patience), reporter(progress)],
    )
    trainer.remove_callback(PrinterCallback)
    batch_by_length(trainer, splits[0]["length"], training.batch_size)
    return trainer


def _keep(model: Any, tokenizer: Any, folder: Path) -> None:
    def write(temporary: Path) -> None:
        model.save_pretrained(temporary, safe_serialization=True)
        # Tokenizing for training leaves its last truncation and padding in tokenizer.json.
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
        tokenizer.save_pretrained(temporary)

    put_in_place(folder, write)
