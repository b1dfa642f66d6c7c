"""Metrics of a classifier from its probabilities: one number, its interval, its n.

Labels are indices 0 to k - 1 throughout, named by ``labels``; the answer of a system is the label
of its largest probability, the first one of equals::

    metrics = score(("negative", "positive"), truth, probabilities)
    metrics["accuracy"]   # Metric(value=0.9, low=0.867, high=0.926, n=400, method='wilson')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kit.evaluation.calibration import (
    calibration_bins,
    check_probabilities,
    confidence_and_correct,
    expected_calibration_error,
)
from kit.evaluation.intervals import SAMPLES, bootstrap_counts, enclosing, proportion
from kit.records import Metric, Slice

__all__ = [
    "calibration_bins",
    "confident_mistakes",
    "confusion",
    "expected_calibration_error",
    "score",
    "slices",
]

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]


def score(
    labels: Sequence[str],
    truth: Integers,
    probabilities: Floats,
    calibrated: bool = True,
    samples: int = SAMPLES,
    seed: int = 0,
) -> dict[str, Metric]:
    """Return every metric of one system, each with its 95 % interval.

    - ``accuracy``: Wilson interval.
    - ``macro_f1``: the unweighted mean of F1 over the labels that occur in the truth or the
      answers; percentile bootstrap. Of a system without a mistake that interval has no width, so
      read it beside the accuracy's.
    - ``precision_<label>``, ``recall_<label>``: Wilson interval, n is the denominator. A label
      never answered, or never true, has the metric of no rows: see ``proportion``.
    - ``expected_calibration_error``: see there; bootstrap.

    Args:
        labels: names of the k labels, in the order of the columns.
        truth: shape [n].
        probabilities: shape [n, k]; rows sum to 1. One-hot rows for a system that gives none.
        calibrated: whether these are probabilities; False leaves the calibration error out.
        samples: bootstrap resamples.
        seed: of the bootstrap.

    Raises:
        InputError: there are no rows, or the probabilities are none (a diverged model).
    """
    check_probabilities(truth, probabilities)
    if probabilities.shape[1] != len(labels):
        raise ValueError(f"expected {len(labels)} columns, got {probabilities.shape[1]}")
    counts = _counts(len(labels), truth, probabilities.argmax(axis=1))
    hits, of_truth, of_answers = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    metrics = {
        "accuracy": proportion(int(hits.sum()), int(counts.sum())),
        "macro_f1": _macro_f1(counts, samples, seed),
    }
    for i, label in enumerate(labels):
        metrics[f"precision_{label}"] = proportion(int(hits[i]), int(of_answers[i]))
        metrics[f"recall_{label}"] = proportion(int(hits[i]), int(of_truth[i]))
    if calibrated:
        error = expected_calibration_error(truth, probabilities, samples, seed)
        metrics["expected_calibration_error"] = error
    return metrics


def confusion(
    labels: Sequence[str], truth: Integers, predicted: Integers
) -> dict[str, dict[str, int]]:
    """Return rows per true label and answered label: ``confusion(...)[true][answered]``.

    Args:
        labels: names of the k labels.
        truth: shape [n], indices of labels.
        predicted: shape [n], indices of labels.
    """
    counts = _counts(len(labels), truth, predicted)
    return {
        true: {answered: int(n) for answered, n in zip(labels, row, strict=True)}
        for true, row in zip(labels, counts, strict=True)
    }


def slices(
    fields: Mapping[str, Sequence[str]],
    truth: Integers,
    predicted: Integers,
    smallest: int = 5,
) -> tuple[Slice, ...]:
    """Return the accuracy on the rows of each value of each field.

    Args:
        fields: per field one value per row; the empty string marks a row without that field and
            forms no slice.
        truth: shape [n], indices of labels.
        predicted: shape [n], indices of labels.
        smallest: a value with fewer rows is left out.

    Returns:
        Slices in the order of the fields, in each the largest first, equals by name.
    """
    correct = np.asarray(truth) == np.asarray(predicted)
    return tuple(
        slice_
        for field, column in fields.items()
        for slice_ in _slices_of(field, column, correct, smallest)
    )


def confident_mistakes(
    truth: Integers, probabilities: Floats, limit: int | None = None
) -> npt.NDArray[np.intp]:
    """Return the indices of the wrongly answered rows, the most confident first.

    Rows are sorted by the probability of the wrong label that was answered; equals keep their
    order.

    Args:
        truth: shape [n], indices of labels.
        probabilities: shape [n, k].
        limit: return at most so many; None returns all.
    """
    confidence, correct = confidence_and_correct(truth, probabilities)
    wrong = np.flatnonzero(~correct)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:limit]


def _slices_of(
    field: str, column: Sequence[str], correct: npt.NDArray[np.bool_], smallest: int
) -> list[Slice]:
    if len(column) != len(correct):
        raise ValueError(f"field {field!r}: {len(column)} values for {len(correct)} rows")
    names, rows = np.unique(np.asarray(column, np.str_), return_inverse=True)
    sizes, hits = np.bincount(rows), np.bincount(rows, weights=correct)
    return [
        Slice(field=field, value=str(names[i]), accuracy=proportion(int(hits[i]), int(sizes[i])))
        for i in np.argsort(-sizes, kind="stable")
        if sizes[i] >= smallest and names[i]
    ]


def _counts(k: int, truth: Integers, predicted: Integers) -> npt.NDArray[np.int64]:
    """Rows are true labels, columns are answers."""
    for indices in (truth, predicted):
        if len(indices) and (indices.min() < 0 or indices.max() >= k):
            raise ValueError(f"expected labels 0 to {k - 1}, got {np.unique(indices).tolist()}")
    flat = np.asarray(truth, np.int64) * k + np.asarray(predicted, np.int64)
    return np.bincount(flat, minlength=k * k).reshape(k, k).astype(np.int64)


def _macro_f1(counts: npt.NDArray[np.int64], samples: int, seed: int) -> Metric:
    occurs = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    counts = counts[np.ix_(occurs, occurs)]
    value = float(_mean_f1(counts[None])[0])
    low, high = bootstrap_counts(_mean_f1, counts, samples, seed)
    return enclosing(value, low, high, int(counts.sum()))


def _mean_f1(tables: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """From [samples, k, k] to [samples]; a label that a resample lost counts as F1 = 0."""
    hits = tables.diagonal(axis1=1, axis2=2)
    total = tables.sum(axis=1) + tables.sum(axis=2)
    return np.asarray((2 * hits / np.maximum(total, 1)).mean(axis=1), np.float64)
