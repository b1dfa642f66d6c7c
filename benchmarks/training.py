"""Fine-tuning as kit does it against a textbook Trainer script: seconds and accuracy, in one run.

Both train the sentiment recipe's base model on the same rows with the same optimizer, schedule
and seed. The textbook pads every text to the maximum length when it tokenizes, draws rows in
random order and computes in fp32. kit pads each batch to its longest text, groups texts by length
and computes in bf16 where the CPU or GPU multiplies in it. From the repository's root::

    # SST-2 sentences at 128 tokens
    .venv/bin/python -m benchmarks.training --max-length 128 \\
        --data ../shared/data/sentiment/sst2-sentences-train.jsonl.gz \\
        --eval ../shared/data/sentiment/sst2-sentences-dev.jsonl.gz

    # IMDB at 512 tokens: the rows that were not drawn for training are evaluated
    .venv/bin/python -m benchmarks.training --max-length 512 \\
        --data ../shared/data/sentiment/imdb-train-4000.jsonl.gz \\
        --eval ../shared/data/sentiment/imdb-train-4000.jsonl.gz

``--precision fp32`` leaves padding and order as the only differences. Seconds are those of
tokenizing and training, without evaluation and checkpoints, which kit's way would shorten too.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from kit.data.labels import as_text, label_matcher
from kit.data.sources import read_rows
from kit.errors import InputError, KitError
from kit.evaluation.intervals import proportion
from kit.hub.sources import fetch_model
from kit.recipe import TextClassification, Training, find_recipe
from kit.records import Metric
from kit.tasks.text_classification.loading import load_model, load_tokenizer
from kit.tasks.text_classification.predicting import logits
from kit.training.arguments import choose_precision, trainer_arguments
from kit.training.batching import batch_by_length
from kit.training.measuring import hardware, versions

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import TrainingArguments

ROOT = Path(__file__).parents[1]
WARMUP_ROWS = 16

Texts = Sequence[tuple[str, int]]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How texts become batches, and the arithmetic."""

    name: str
    padded_whole: bool
    precision: str


@dataclass(frozen=True)
class Shared:
    """What both ways have in common."""

    base: Path
    task: TextClassification
    training: Training


@dataclass(frozen=True)
class Result:
    """What one way took and reached. ``positions`` are the tokens computed, padding included."""

    seconds: float
    steps: int
    positions: int
    precision: str
    accuracy: Metric


class Counting:
    """A collator that counts the positions of its batches."""

    def __init__(self, collate: Callable[[Any], Any]) -> None:
        self.collate = collate
        self.positions = 0

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        """Return the batch of ``rows``; ``input_ids`` has the shape [rows, length]."""
        batch = self.collate(rows)
        self.positions += batch["input_ids"].numel()
        return batch


def main() -> None:
    """Measure both ways and print the table, or one JSON document."""
    options = _options()
    recipe = find_recipe(ROOT, "sentiment")
    task, preset = recipe.task, recipe.preset("starter")
    if not isinstance(task, TextClassification):
        raise InputError(f"expected a classifier's recipe, got {task.kind}")
    training = replace(
        preset.training,
        epochs=options.epochs,
        max_length=options.max_length,
        precision=options.precision,
    )
    shared = Shared(fetch_model(preset.base).folder, task, training)
    train = _drawn(_read(options.data, task), options.rows, training.seed)
    known = {text for text, _ in train}
    held_out = [row for row in _read(options.eval, task) if row[0] not in known]
    if not held_out:
        raise InputError(
            f"expected rows in {options.eval} that were not trained on, got none; "
            "lower --rows or give another --eval file"
        )
    results = measured(shared, train, held_out)
    document = summary(shared.training, len(train), len(held_out), results)
    print(json.dumps(document, indent=1) if options.json else table(document))


def ways(precision: str) -> tuple[Way, Way]:
    """Return the textbook's way and kit's, whose precision is ``fp32`` or ``auto``."""
    chosen = choose_precision(precision)
    return (
        Way(name="textbook", padded_whole=True, precision="fp32"),
        Way(name="kit", padded_whole=False, precision=chosen),
    )


def measured(shared: Shared, train: Texts, held_out: Texts) -> dict[str, Result]:
    """Train each way on ``train`` and evaluate it on ``held_out``."""
    results = {}
    for way in ways(shared.training.precision):
        _say(f"{way.name}: {len(train)} rows, {way.precision}")
        # The first steps of a process load kernels; neither way shall pay for that.
        _trained(way, shared, train[:WARMUP_ROWS])
        results[way.name] = _measured(way, shared, train, held_out)
        _say(f"{way.name}: {results[way.name].seconds:.1f} s")
    return results


def _measured(way: Way, shared: Shared, train: Texts, held_out: Texts) -> Result:
    trainer, seconds, positions = _trained(way, shared, train)
    tokenizer = load_tokenizer(shared.base, shared.training.max_length)
    found = logits(trainer.model, tokenizer, [text for text, _ in held_out]).argmax(1)
    correct = sum(int(a == b) for a, (_, b) in zip(found, held_out, strict=True))
    steps = int(trainer.state.global_step)
    return Result(seconds, steps, positions, way.precision, proportion(correct, len(held_out)))


def _trained(way: Way, shared: Shared, train: Texts) -> tuple[Any, float, int]:
    """Return the trainer after its last step, the seconds, and the positions it computed."""
    from transformers import (
        DataCollatorWithPadding,
        PrinterCallback,
        Trainer,
        default_data_collator,
        set_seed,
    )

    set_seed(shared.training.seed)
    model = load_model(shared.base, shared.task)
    tokenizer = load_tokenizer(shared.base, shared.training.max_length)
    padding = default_data_collator if way.padded_whole else DataCollatorWithPadding(tokenizer)
    collator = Counting(padding)
    with tempfile.TemporaryDirectory() as folder:
        arguments = _arguments(way, shared.training, Path(folder))
        start = perf_counter()
        rows = _tokenized(tokenizer, train, way.padded_whole)
        trainer = Trainer(
            model=model,
            args=arguments,
            data_collator=collator,
            train_dataset=rows,
            callbacks=[_reporter(way.name)],
        )
        trainer.remove_callback(PrinterCallback)
        if not way.padded_whole:
            batch_by_length(trainer, rows["length"], shared.training.batch_size)
        trainer.train()
        return trainer, perf_counter() - start, collator.positions


def _reporter(name: str) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        """Says now and then how far a training is, at the same steps whatever the way."""

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            _say(f"{name}: step {state.global_step} of {state.max_steps}")

    return Reporter()


def _arguments(way: Way, training: Training, folder: Path) -> TrainingArguments:
    """Return kit's arguments but for the way's own, with nothing besides training in the time."""
    arguments: TrainingArguments = trainer_arguments(training, folder, way.precision)
    return replace(
        arguments,
        eval_strategy="no",
        save_strategy="no",
        load_best_model_at_end=False,
    )


def _tokenized(tokenizer: Any, rows: Texts, padded_whole: bool) -> Dataset:
    from datasets import Dataset

    ids = tokenizer(
        [text for text, _ in rows],
        truncation=True,
        max_length=tokenizer.model_max_length,
        padding="max_length" if padded_whole else False,
    )
    lengths = [len(row) for row in ids["input_ids"]]
    return Dataset.from_dict({**ids, "labels": [label for _, label in rows], "length": lengths})


def _read(path: Path, task: TextClassification) -> list[tuple[str, int]]:
    """Return (text, index of its label) of every row.

    Raises:
        InputError: the file cannot be used, or a label is none of the task's.
    """
    rows = [
        (as_text(row["text"]), as_text(row["label"]))
        for row in read_rows(path, {"text": "text", "label": "label"})
    ]
    matched = label_matcher(task, {label for _, label in rows})
    found = []
    for text, given in rows:
        label = matched(given)
        if label is None:
            raise InputError(f"{path} has the label '{given}'; expected {', '.join(task.labels)}")
        found.append((text, task.labels.index(label)))
    return found


def _drawn(rows: list[tuple[str, int]], count: int, seed: int) -> list[tuple[str, int]]:
    """Draw rows by seed: the first ones of a file sorted by label would be of one class."""
    if not 1 <= count <= len(rows):
        raise InputError(f"expected --rows from 1 to the file's {len(rows)}, got {count}")
    return random.Random(seed).sample(rows, count)


def summary(
    training: Training, rows: int, eval_rows: int, results: dict[str, Result]
) -> dict[str, Any]:
    """Return what was measured as one document; ``ratio`` is textbook seconds to kit's."""
    textbook, kit = results["textbook"], results["kit"]
    a, b = textbook.accuracy, kit.accuracy
    return {
        "rows": rows,
        "eval_rows": eval_rows,
        "settings": asdict(training),
        "ways": {
            name: {**asdict(result), "accuracy": result.accuracy.model_dump()}
            for name, result in results.items()
        },
        "ratio": textbook.seconds / kit.seconds,
        "intervals_overlap": a.low <= b.high and b.low <= a.high,
        "hardware": hardware(),
        "versions": versions(),
    }


def table(document: dict[str, Any]) -> str:
    """Return the document as lines for a terminal."""
    settings = document["settings"]
    lines = [
        f"{document['rows']} rows, {settings['epochs']} epochs of batches of "
        f"{settings['batch_size']}, at most {settings['max_length']} tokens; "
        f"evaluated on {document['eval_rows']} rows",
        f"{'way':8} {'precision':9} {'seconds':>8} {'steps':>6} {'positions':>11} "
        f"{'accuracy':>8}  95 % interval (Wilson)",
    ]
    for name, result in document["ways"].items():
        accuracy = result["accuracy"]
        lines.append(
            f"{name:8} {result['precision']:9} {result['seconds']:8.1f} {result['steps']:6} "
            f"{result['positions']:11,} {accuracy['value']:8.4f}  "
            f"{accuracy['low']:.4f} to {accuracy['high']:.4f}"
        )
    overlap = "overlap" if document["intervals_overlap"] else "do NOT overlap"
    lines.append(f"kit is {document['ratio']:.2f} times as fast; the intervals {overlap}")
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="rows with text and label")
    parser.add_argument("--eval", type=Path, required=True, help="rows to evaluate on")
    parser.add_argument("--rows", type=int, default=2000, help="drawn from --data (2000)")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--max-length", type=int, default=128, help="in tokens (128)")
    parser.add_argument("--precision", choices=("auto", "fp32"), default="auto", help="of kit's")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KitError as error:
        sys.exit(str(error))
