"""Fit a sequence classifier with the Trainer of transformers, and keep its best epoch.

A killed fit goes on from the last epoch's checkpoint and ends in the same bytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import RecipeError
from kit.files import put_in_place
from kit.hub.sources import fetch_model
from kit.recipe import Training
from kit.records import CheckpointRecord, Epoch, Source, file_entries
from kit.runs import Progress, Run
from kit.tasks.text_classification.loading import Rows, load_model, load_tokenizer, read_split
from kit.training.adapters import folded, wrap
from kit.training.arguments import choose_precision, trainer_arguments
from kit.training.checkpoints import newest
from kit.training.measuring import Meter, hardware, peak_memory, versions

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import Trainer


def fit(run: Run, progress: Progress) -> CheckpointRecord:
    """Train, and leave the best epoch's weights in ``checkpoint/`` of the run's folder."""
    from transformers import set_seed

    training = run.preset.training
    refuse_what_cannot_work(training)
    base = fetch_model(run.preset.base)
    precision = choose_precision(training.precision)
    tokenizer = load_tokenizer(base.folder, training.max_length)
    splits = [_tokenized(tokenizer, read_split(run, name)) for name in ("train", "validation")]
    set_seed(training.seed)
    model = wrap(load_model(base.folder, run.recipe.task), training, "SEQ_CLS")
    work = run.folder / "trainer"
    trainer = _trainer(model, tokenizer, splits, training, work, precision, progress)
    counts = _parameters(model)
    with Meter(run.project.country) as meter:
        trainer.train(resume_from_checkpoint=_resume(work, progress))
    _keep(folded(trainer.model), tokenizer, run.folder / "checkpoint")
    record = _record(run, base.source, trainer, meter, precision, counts, splits)
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
        eval_dataset=splits[1],
        processing_class=tokenizer,
        callbacks=[EarlyStoppingCallback(training.patience), _reporter(progress)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _reporter(progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        """Tells the progress bar each step, and each epoch's validation loss."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            progress("train", state.global_step, state.max_steps)

        def on_evaluate(
            self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any
        ) -> None:
            loss = f"epoch {state.epoch:.0f}: validation loss {metrics['eval_loss']:.4f}"
            progress(loss, state.global_step, state.max_steps)

    return Reporter()


def _resume(work: Path, progress: Progress) -> str | None:
    found = newest(work)
    if found is None:
        return None
    step = json.loads((found / "trainer_state.json").read_text())["global_step"]
    progress(f"going on from step {step}", step, None)
    return str(found)


def _keep(model: Any, tokenizer: Any, folder: Path) -> None:
    def write(temporary: Path) -> None:
        model.save_pretrained(temporary, safe_serialization=True)
        # Tokenizing for training leaves its last truncation and padding in tokenizer.json.
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
        tokenizer.save_pretrained(temporary)

    put_in_place(folder, write)


def _parameters(model: Any) -> tuple[int, int]:
    every = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(n for n, _ in every), sum(n for n, trained in every if trained)


def _record(
    run: Run,
    base: Source,
    trainer: Trainer,
    meter: Meter,
    precision: str,
    counts: tuple[int, int],
    splits: Sequence[Dataset],
) -> CheckpointRecord:
    from dataclasses import asdict

    state, training = trainer.state, run.preset.training
    epochs = _epochs(state.log_history)
    best = min(epochs, key=lambda epoch: epoch.eval_loss)
    tokens = round(sum(splits[0]["length"]) * float(state.epoch or 0))
    price = run.project.price_per_hour
    return CheckpointRecord(
        base=base,
        method=training.method,
        objective=training.objective,
        quantization=training.quantization,
        settings=asdict(training),
        parameters=counts[0],
        trainable_parameters=counts[1],
        loss_curve=tuple((log["step"], log["loss"]) for log in state.log_history if "loss" in log),
        epochs=epochs,
        best_step=best.step,
        best_epoch=best.epoch,
        stopped_early=state.global_step < state.max_steps,
        steps=state.global_step,
        seconds=meter.seconds,
        tokens=tokens,
        tokens_per_second=tokens / meter.seconds,
        peak_memory_bytes=peak_memory(),
        energy_wh=meter.energy_wh,
        energy_method=meter.energy_method,
        cost=price * meter.seconds / 3600 if price else None,
        cost_currency=run.project.currency,
        precision=precision,
        hardware=hardware(),
        versions=versions(),
        seed=training.seed,
        files=file_entries(run.folder / "checkpoint"),
    )


def _epochs(history: Sequence[dict[str, Any]]) -> tuple[Epoch, ...]:
    """Pair each epoch's validation loss with the mean training loss logged since the last."""
    epochs: list[Epoch] = []
    losses: list[float] = []
    for log in history:
        if "loss" in log:
            losses.append(log["loss"])
        if "eval_loss" in log:
            mean = sum(losses) / len(losses) if losses else log["eval_loss"]
            epochs.append(
                Epoch(
                    epoch=log["epoch"],
                    step=log["step"],
                    train_loss=mean,
                    eval_loss=log["eval_loss"],
                )
            )
            losses = []
    return tuple(epochs)
