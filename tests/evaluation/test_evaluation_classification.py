"""Metrics of three-label data, each computed a second way: scikit-learn or a plain loop."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
import sklearn.metrics

from kit.errors import InputError
from kit.evaluation.calibration import expected_calibration_error
from kit.evaluation.classification import (
    calibration_bins,
    confident_mistakes,
    confusion,
    score,
    slices,
)
from kit.evaluation.intervals import bootstrap, wilson

LABELS = ("fix", "feat", "docs")
Rows = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """200 rows, labels of unequal size, answers right in about two of three."""
    rng = np.random.default_rng(5)
    truth = rng.choice(3, 200, p=[0.6, 0.3, 0.1])
    weights = rng.dirichlet(np.ones(3), 200) + 0.5 * np.eye(3)[truth]
    return truth, weights / weights.sum(axis=1, keepdims=True)


def one_hot(answers: list[int], k: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.eye(k)[answers], np.float64)


def test_point_values_equal_those_of_scikit_learn(rows: Rows) -> None:
    truth, probabilities = rows
    predicted = probabilities.argmax(axis=1)
    metrics = score(LABELS, truth, probabilities, samples=50)
    theirs = sklearn.metrics.classification_report(
        truth, predicted, target_names=LABELS, output_dict=True
    )
    assert metrics["accuracy"].value == pytest.approx(theirs["accuracy"])
    assert metrics["macro_f1"].value == pytest.approx(theirs["macro avg"]["f1-score"])
    for label in LABELS:
        assert metrics[f"precision_{label}"].value == pytest.approx(theirs[label]["precision"])
        assert metrics[f"recall_{label}"].value == pytest.approx(theirs[label]["recall"])
        assert metrics[f"recall_{label}"].n == theirs[label]["support"]


def test_shares_have_wilson_intervals_on_their_own_denominators(rows: Rows) -> None:
    truth, probabilities = rows
    predicted = probabilities.argmax(axis=1)
    metrics = score(LABELS, truth, probabilities, samples=50)
    pairs = Counter(zip(truth.tolist(), predicted.tolist(), strict=True))
    answered = sum(n for (_, answer), n in pairs.items() if answer == 1)
    expected = {
        "accuracy": (int((truth == predicted).sum()), 200),
        "precision_feat": (pairs[1, 1], answered),
        "recall_docs": (pairs[2, 2], int((truth == 2).sum())),
    }
    for name, (successes, n) in expected.items():
        metric = metrics[name]
        assert (metric.low, metric.high) == wilson(successes, n)
        assert (metric.n, metric.method) == (n, "wilson")


def test_every_interval_encloses_its_value(rows: Rows) -> None:
    truth, probabilities = rows
    for n in (1, 2, 3, 10, 200):
        for metric in score(LABELS, truth[:n], probabilities[:n], samples=60).values():
            assert 0 <= metric.low <= metric.value <= metric.high <= 1


def test_the_macro_f1_interval_agrees_with_resampling_rows(rows: Rows) -> None:
    truth, probabilities = rows

    def f1(true: npt.NDArray[np.int64], answered: npt.NDArray[np.int64]) -> float:
        scores = [
            2 * ((true == i) & (answered == i)).sum() / ((true == i).sum() + (answered == i).sum())
            for i in range(3)
        ]
        return float(np.mean(scores))

    metric = score(LABELS, truth, probabilities)["macro_f1"]
    by_row = bootstrap(f1, truth, probabilities.argmax(axis=1), seed=9)
    assert (metric.low, metric.high) == pytest.approx(by_row, abs=0.012)
    assert (metric.n, metric.method) == (200, "bootstrap")


def test_a_label_that_occurs_nowhere_is_not_in_the_macro_mean() -> None:
    truth, answers = np.array([0, 0, 1, 1]), [0, 1, 1, 1]
    metrics = score(LABELS, truth, one_hot(answers, 3), samples=20)
    assert metrics["macro_f1"].value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert metrics["macro_f1"].value == sklearn.metrics.f1_score(truth, answers, average="macro")


def test_a_label_never_answered_has_a_precision_of_no_rows() -> None:
    metrics = score(("no", "yes"), np.array([0, 0, 1]), one_hot([0, 0, 0], 2), samples=20)
    precision = metrics["precision_yes"]
    assert (precision.value, precision.low, precision.high) == (0, 0, 1)
    assert (precision.n, precision.method) == (0, "none")
    assert (metrics["recall_yes"].value, metrics["recall_yes"].n) == (0, 1)


def test_a_system_without_probabilities_has_no_calibration_error(rows: Rows) -> None:
    truth, probabilities = rows
    with_error = score(LABELS, truth, probabilities, samples=20)
    answers = one_hot(probabilities.argmax(axis=1).tolist(), 3)
    without = score(LABELS, truth, answers, calibrated=False, samples=20)
    assert set(with_error) - set(without) == {"expected_calibration_error"}
    assert without["macro_f1"] == with_error["macro_f1"]


def test_the_calibration_error_equals_a_plain_loop_over_15_bins(rows: Rows) -> None:
    truth, probabilities = rows
    total = 0.0
    for i in range(15):
        inside = [
            (row.max(), row.argmax() == true)
            for true, row in zip(truth, probabilities, strict=True)
            if i / 15 <= row.max() < (i + 1) / 15
        ]
        if inside:
            confidence, correct = np.mean(inside, axis=0)
            total += len(inside) / 200 * abs(confidence - correct)
    assert expected_calibration_error(truth, probabilities).value == pytest.approx(total)


def test_the_calibration_error_of_one_bin_is_known_by_hand() -> None:
    # Ten answers at 0.9, of which seven are right: the error is 0.2.
    probabilities = np.tile([0.9, 0.1], (10, 1))
    metric = expected_calibration_error(np.array([0] * 7 + [1] * 3), probabilities)
    assert metric.value == pytest.approx(0.2)
    assert metric.low < 0.1 < 0.3 < metric.high


def test_the_calibration_interval_of_a_calibrated_model_reaches_its_small_error() -> None:
    rng = np.random.default_rng(11)
    top = rng.uniform(0.5, 1, 300)
    truth = (rng.random(300) > top).astype(np.int64)
    metric = expected_calibration_error(truth, np.column_stack([top, 1 - top]))
    assert metric.low < 0.01
    assert metric.value <= metric.high < 0.1


def test_confusion_counts_true_labels_by_row(rows: Rows) -> None:
    truth, probabilities = rows
    predicted = probabilities.argmax(axis=1)
    ours = confusion(LABELS, truth, predicted)
    theirs = sklearn.metrics.confusion_matrix(truth, predicted)
    assert [[ours[a][b] for b in LABELS] for a in LABELS] == theirs.tolist()
    assert confusion(LABELS, np.array([2]), np.array([0]))["docs"]["fix"] == 1


def test_calibration_bins_hold_every_row_once_between_their_edges(rows: Rows) -> None:
    truth, probabilities = rows
    found = calibration_bins(truth, probabilities)
    assert sum(part.n for part in found) == 200
    assert all(part.low <= part.confidence < part.high for part in found)
    hits = sum(part.n * part.accuracy for part in found)
    assert hits == pytest.approx((probabilities.argmax(axis=1) == truth).sum())


def test_an_edge_belongs_to_the_upper_bin_and_1_to_the_last() -> None:
    top = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    found = calibration_bins(np.zeros(6, np.int64), np.column_stack([top, 1 - top]))
    assert [round(part.low, 1) for part in found] == [0.5, 0.6, 0.7, 0.8, 0.9]
    assert [part.n for part in found] == [1, 1, 1, 1, 2]


def test_slices_are_ordered_by_size_and_small_ones_are_left_out() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1, 0])
    predicted = np.array([0, 0, 1, 1, 0, 1, 0])
    column = ["short", "short", "long", "long", "long", "", "once"]
    found = slices({"length": column}, truth, predicted, smallest=2)
    assert [(s.field, s.value, s.accuracy.n) for s in found] == [
        ("length", "long", 3),
        ("length", "short", 2),
    ]
    assert found[0].accuracy.value == pytest.approx(1 / 3)
    assert (found[0].accuracy.low, found[0].accuracy.high) == wilson(1, 3)


def test_a_slice_of_one_row_has_a_wide_interval_and_no_error() -> None:
    found = slices({"a": ["x", "y"], "b": ["z", "z"]}, np.array([0, 1]), np.array([0, 0]), 1)
    assert [(s.field, s.value, s.accuracy.value) for s in found] == [
        ("a", "x", 1),
        ("a", "y", 0),
        ("b", "z", 0.5),
    ]
    assert found[0].accuracy.low < 0.25
    assert found[0].accuracy.high == 1


def test_a_field_with_a_value_too_few_is_a_bug() -> None:
    with pytest.raises(ValueError, match="1 values for 2 rows"):
        slices({"a": ["x"]}, np.array([0, 1]), np.array([0, 0]))


def test_mistakes_are_sorted_by_the_probability_of_the_wrong_label() -> None:
    truth = np.array([0, 1, 2, 0, 1])
    probabilities = np.array(
        [[0.3, 0.6, 0.1], [0.1, 0.9, 0.0], [0.8, 0.1, 0.1], [0.4, 0.0, 0.6], [0.5, 0.2, 0.3]]
    )
    assert confident_mistakes(truth, probabilities).tolist() == [2, 0, 3, 4]
    assert confident_mistakes(truth, probabilities, limit=1).tolist() == [2]
    assert confident_mistakes(truth[1:2], probabilities[1:2]).tolist() == []


def test_no_rows_to_score_are_a_users_error() -> None:
    with pytest.raises(InputError, match="at least one row"):
        score(LABELS, np.zeros(0, np.int64), np.zeros((0, 3)))


@pytest.mark.parametrize("row", [[np.nan] * 3, [0.2, 0.2, 0.2], [1.5, -0.5, 0.0], [np.inf, 0, 0]])
def test_what_is_no_probability_is_refused_with_its_row(row: list[float]) -> None:
    with pytest.raises(InputError, match="in row 1; the model diverged"):
        score(LABELS, np.array([0, 1]), np.array([[0.2, 0.3, 0.5], row]))


def test_half_precision_probabilities_are_scored(rows: Rows) -> None:
    truth, probabilities = rows
    metrics = score(LABELS, truth, probabilities.astype(np.float16), samples=20)
    exact = score(LABELS, truth, probabilities, samples=20)
    assert metrics["accuracy"] == exact["accuracy"]


def test_shapes_and_labels_that_do_not_fit_are_bugs() -> None:
    truth = np.array([0, 2])
    with pytest.raises(ValueError, match="expected 3 columns"):
        score(LABELS, truth, one_hot([0, 1], 2))
    with pytest.raises(ValueError, match="expected shape"):
        score(LABELS, truth, one_hot([0], 3))
    with pytest.raises(ValueError, match="labels 0 to 1"):
        score(("no", "yes"), truth, one_hot([0, 1], 2))
