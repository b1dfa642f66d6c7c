"""What a fit leaves behind: steps on the progress bar, then the record of the checkpoint.

trainer = Trainer(..., callbacks=[reporter(progress)])
record = checkpoint_record(run, base.source, trainer, meter, "fp32", counts, tokens)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.records import CheckpointRecord, Epoch, Source, file_entries
from kit.runs import Progress, Run
from kit.training.measuring import Meter, hardware, peak_memory, versions


def reporter(progress: Progress) -> Any:
    """Return the trainer's callback that tells steps and validation losses as they come."""
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


def parameters(model: Any) -> tuple[int, int]:
    """Return how many numbers a model has, and how many of them are trained."""
    every = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(n for n, _ in every), sum(n for n, trained in every if trained)


def checkpoint_record(
    run: Run,
    base: Source,
    trainer: Any,
    meter: Meter,
    precision: str,
    counts: tuple[int, int],
    epoch_tokens: int,
) -> CheckpointRecord:
    """Return the record of a fit whose weights are in ``checkpoint/`` of the run's folder.

    Args:
        run: its settings.
        base: where the base model came from.
        trainer: after its training.
        meter: that measured it.
        precision: fp32 or bf16.
        counts: parameters in all, and trained ones.
        epoch_tokens: tokens of one epoch, padding not counted.
    """
    from dataclasses import asdict

    state, training = trainer.state, run.preset.training
    epochs = epochs_of(state.log_history)
    best = min(epochs, key=lambda epoch: epoch.eval_loss)
    tokens = round(epoch_tokens * float(state.epoch or 0))
    price, seconds = run.project.price_per_hour, meter.spent.seconds
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
        seconds=seconds,
        tokens=tokens,
        tokens_per_second=tokens / seconds,
        peak_memory_bytes=peak_memory(),
        energy_wh=meter.spent.energy_wh,
        energy_method=meter.energy_method,
        cost=price * seconds / 3600 if price else None,
        cost_currency=run.project.currency,
        precision=precision,
        hardware=hardware(),
        versions=versions(),
        seed=training.seed,
        files=file_entries(run.folder / "checkpoint"),
    )


def epochs_of(history: Sequence[dict[str, Any]]) -> tuple[Epoch, ...]:
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
