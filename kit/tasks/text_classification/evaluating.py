"""Every system on the same rows: the tuned model, its base, and baselines that cost nothing.

The base is asked in two ways. ``base`` is the pre-trained model with the head that a load gives it,
untrained: the seed of median accuracy stands for several. ``base_centroid`` is the fair opponent:
its frozen embeddings, and the nearest mean of each class of the training rows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from kit.evaluation.baselines import majority, nearest_centroid, tfidf_logistic
from kit.evaluation.calibration import calibration_bins
from kit.evaluation.classification import confident_mistakes, confusion, score, slices
from kit.evaluation.paired import compare
from kit.evaluation.probes import probe
from kit.files import write_atomically
from kit.hub.sources import fetch_again
from kit.inference import softmax
from kit.records import (
    Answer,
    CheckpointRecord,
    Comparison,
    EvaluationRecord,
    Metric,
    Probe,
    Source,
)
from kit.runs import Progress, Run
from kit.tasks.text_classification.loading import Rows, load_model, load_tokenizer, read_split, spec
from kit.tasks.text_classification.predicting import logits, with_heads

Probabilities = npt.NDArray[np.float64]
HEAD_SEEDS = (0, 1, 2)
CENTROID_ROWS = 1000
MISTAKES = 12
_SAID: dict[tuple[Any, ...], npt.NDArray[np.float32]] = {}

DESCRIPTIONS = {
    "tuned": "the fine-tuned model",
    "tfidf": "TF-IDF of words and word pairs with logistic regression, trained on the same rows",
    "base_centroid": "the base model, frozen: nearest class mean of its sentence embeddings",
    "base": "the base model with an untrained head, the median of several seeds",
    "majority": "always the most common label of the training rows",
}


def evaluate_test_split(run: Run, progress: Progress) -> EvaluationRecord:
    """Evaluate on the run's own test split and leave ``predictions.jsonl`` beside the record."""
    rows = read_split(run, "test")
    file = run.folder / "data" / "test.parquet"
    source = Source(kind="local", name=file.name, revision="", license="")
    record, predictions = evaluate_rows(run, rows, "test", source, progress)
    write_atomically(run.folder / "predictions.jsonl", predictions)
    return record


def evaluate_rows(
    run: Run, rows: Rows, split: str, source: Source, progress: Progress
) -> tuple[EvaluationRecord, bytes]:
    """Put every system on the rows; return the record and the tuned model's answers as JSONL."""
    start = time.perf_counter()
    labels = run.recipe.task.labels
    answers, seeds = _systems(run, rows, progress)
    tuned = answers["tuned"]
    predicted = tuned.argmax(1)
    systems = {
        name: score(labels, rows.truth, found, calibrated=name != "majority")
        for name, found in answers.items()
    }
    systems["base"].update(seeds)
    record = EvaluationRecord(
        split=split,
        n=len(rows),
        labels=labels,
        systems=systems,
        descriptions=DESCRIPTIONS,
        comparisons=_comparisons(rows, answers),
        confusion=confusion(labels, rows.truth, predicted),
        slices=slices(_sliced(run, rows), rows.truth, predicted),
        calibration=calibration_bins(rows.truth, tuned),
        mistakes=tuple(
            _answer(rows, int(index), tuned, labels)
            for index in confident_mistakes(rows.truth, tuned)[:MISTAKES]
        ),
        samples=_samples(run),
        probes=_probes(run),
        source=source,
        seconds=time.perf_counter() - start,
    )
    return record, _predictions(rows, tuned, labels)


def _systems(
    run: Run, rows: Rows, progress: Progress
) -> tuple[dict[str, Probabilities], dict[str, Metric]]:
    """Return each system's probabilities [rows, labels], and the range over the head's seeds."""
    train, validation = read_split(run, "train"), read_split(run, "validation")
    k, seed = len(run.recipe.task.labels), run.preset.training.seed
    steps: list[tuple[str, Callable[[], Any]]] = [
        ("tuned", lambda: tuned_probabilities(run, rows.texts)),
        (
            "tfidf",
            lambda: tfidf_logistic(
                train.texts, train.truth, rows.texts, k, seed, validation.texts, validation.truth
            ),
        ),
        ("base", lambda: _base(run, train, rows)),
        ("majority", lambda: majority(train.truth, len(rows), k)),
    ]
    found: dict[str, Any] = {}
    for done, (name, step) in enumerate(steps):
        progress(f"evaluate {name}", done, len(steps))
        found[name] = step()
    progress("evaluate", len(steps), len(steps))
    found["base_centroid"], found["base"], seeds = found["base"]
    return {name: found[name] for name in DESCRIPTIONS}, seeds


def tuned_probabilities(run: Run, texts: tuple[str, ...]) -> Probabilities:
    """Return the checkpoint's probabilities, shape [texts, labels]."""
    return softmax(tuned_logits(run, texts))


def tuned_logits(run: Run, texts: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """Return the checkpoint's raw outputs, shape [texts, labels].

    Evaluation and export ask the same checkpoint about the same rows: it answers once.
    """
    folder = run.folder / "checkpoint"
    files = CheckpointRecord.load(run.folder / "checkpoint.json").files
    asked = (*(file.sha256 for file in files), texts)
    if asked not in _SAID:
        tokenizer = load_tokenizer(folder, run.preset.training.max_length)
        _SAID[asked] = logits(load_model(folder, spec(run)), tokenizer, texts)
    return _SAID[asked]


def _base(
    run: Run, train: Rows, rows: Rows
) -> tuple[Probabilities, Probabilities, dict[str, Metric]]:
    """Return what the base says by nearest class mean, and with the untrained head of median seed.

    The means are those of the first rows of a fixed shuffle: of a thousand, they have settled.
    """
    from transformers import set_seed

    trained_from = CheckpointRecord.load(run.folder / "checkpoint.json").base
    base, labels = fetch_again(run.base, trained_from), run.recipe.task.labels
    tokenizer = load_tokenizer(base, run.preset.training.max_length)
    models = []
    for seed in HEAD_SEEDS:
        set_seed(seed)
        models.append(load_model(base, spec(run)))
    chosen = np.random.default_rng(0).permutation(len(train))[:CENTROID_ROWS]
    _, known = with_heads(models[:1], tokenizer, [train.texts[i] for i in chosen])
    outputs, asked = with_heads(models, tokenizer, rows.texts)
    centroid = nearest_centroid(known, train.truth[chosen], asked, len(labels))
    tries = [softmax(found) for found in outputs]
    tries.sort(key=lambda found: float((found.argmax(1) == rows.truth).mean()))
    ends = {"accuracy_lowest_seed": tries[0], "accuracy_highest_seed": tries[-1]}
    seeds = {name: score(labels, rows.truth, found)["accuracy"] for name, found in ends.items()}
    return centroid, tries[len(tries) // 2], seeds


def _comparisons(rows: Rows, answers: Mapping[str, Probabilities]) -> tuple[Comparison, ...]:
    right = {name: found.argmax(1) == rows.truth for name, found in answers.items()}
    return tuple(
        compare("accuracy", "tuned", name, right["tuned"], right[name])
        for name in answers
        if name != "tuned"
    )


def _sliced(run: Run, rows: Rows) -> dict[str, tuple[str, ...]]:
    """Return the fields that the recipe slices by, and the length in words, in four classes."""
    fields = {name: rows.fields[name] for name in run.recipe.task.slices if name in rows.fields}
    return {**fields, "length": tuple(_length_class(text) for text in rows.texts)}


def _length_class(text: str) -> str:
    words = len(text.split())
    ends = ((12, "4 to 12 words"), (25, "13 to 25 words"), (45, "26 to 45 words"))
    return next((name for end, name in ends if words <= end), "46 words and more")


def _answer(rows: Rows, index: int, found: Probabilities, labels: tuple[str, ...]) -> Answer:
    top = int(found[index].argmax())
    return Answer(
        id=rows.ids[index],
        text=rows.texts[index],
        label=labels[rows.truth[index]],
        predicted=labels[top],
        probability=float(found[index, top]),
        note=rows.fields["kind"][index] if "kind" in rows.fields else "",
    )


def _samples(run: Run) -> tuple[Answer, ...]:
    task = run.recipe.task
    if not task.samples:
        return ()
    found = tuned_probabilities(run, tuple(sample.text for sample in task.samples))
    return tuple(
        Answer(
            id=f"sample-{number}",
            text=sample.text,
            label=None,
            predicted=task.labels[int(row.argmax())],
            probability=float(row.max()),
            note=sample.note,
        )
        for number, (sample, row) in enumerate(zip(task.samples, found, strict=True), 1)
    )


def _probes(run: Run) -> tuple[Probe, ...]:
    """Ask both texts of each pair; the shift is in the probability of the last label."""
    pairs = run.recipe.task.probes
    if not pairs:
        return ()
    texts = tuple(text for pair in pairs for text in (pair.a, pair.b))
    found = tuned_probabilities(run, texts)
    a, b = found[0::2], found[1::2]
    groups = [pair.group for pair in pairs]
    return probe(groups, a[:, -1], b[:, -1], a.argmax(1), b.argmax(1))


def _predictions(rows: Rows, found: Probabilities, labels: tuple[str, ...]) -> bytes:
    lines = [
        json.dumps(_answer(rows, index, found, labels).model_dump(exclude={"note"}))
        for index in range(len(rows))
    ]
    return ("\n".join(lines) + "\n").encode()
