"""Baselines against plain loops and scikit-learn called by hand."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

import kit
from kit.errors import InputError
from kit.evaluation.baselines import C_CANDIDATES, majority, nearest_centroid, tfidf_logistic

WORDS = (["kind", "warm", "good", "film"], ["dull", "cold", "poor", "film"], ["map", "sea", "film"])


def sentences(n: int, seed: int, noise: float) -> tuple[list[str], np.ndarray]:
    """Rows of three labels: words of the label, some of another."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    texts = []
    for label in labels:
        kinds = np.where(rng.random(6) < noise, rng.integers(0, 3, 6), label)
        texts.append(" ".join(str(rng.choice(WORDS[kind])) for kind in kinds))
    return texts, labels


def by_hand(train: list[str], labels: np.ndarray, texts: list[str], c: float) -> np.ndarray:
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=c, max_iter=1000)
    model.fit(vectorizer.fit_transform(train), labels)
    return np.asarray(model.predict_proba(vectorizer.transform(texts)))


def test_majority_answers_the_most_frequent_label_the_first_of_equals() -> None:
    assert majority(np.array([2, 0, 2]), 2, 4).tolist() == [[0, 0, 1, 0]] * 2
    assert majority(np.array([1, 0, 1, 0]), 1, 2).tolist() == [[1, 0]]
    assert majority(np.array([1]), 0, 2).shape == (0, 2)


def test_tfidf_logistic_without_validation_rows_is_that_pipeline_with_c_10() -> None:
    train, labels = sentences(60, seed=1, noise=0.5)
    texts, _ = sentences(20, seed=2, noise=0.5)
    found = tfidf_logistic(train, labels, texts, k=3, seed=0)
    assert found == pytest.approx(by_hand(train, labels, texts, 10.0), abs=1e-4)


def test_tfidf_logistic_takes_the_c_with_the_least_validation_loss() -> None:
    train, labels = sentences(60, seed=1, noise=0.7)
    validation, truth = sentences(40, seed=3, noise=0.7)
    texts, _ = sentences(20, seed=2, noise=0.7)
    losses = [log_loss(truth, by_hand(train, labels, validation, c)) for c in C_CANDIDATES]
    best = C_CANDIDATES[int(np.argmin(losses))]
    assert best != 10.0
    found = tfidf_logistic(train, labels, texts, 3, 0, validation, truth)
    assert found == pytest.approx(by_hand(train, labels, texts, best), abs=1e-4)


def test_tfidf_logistic_learns_words_of_one_character() -> None:
    found = tfidf_logistic(["a", "b"] * 4, np.array([0, 1] * 4), ["b", "a"], k=2, seed=0)
    assert found.argmax(axis=1).tolist() == [1, 0]


def test_tfidf_logistic_is_the_same_for_every_call_and_seed() -> None:
    train, labels = sentences(30, seed=1, noise=0.5)
    first = tfidf_logistic(train, labels, train[:5], k=3, seed=0)
    assert np.array_equal(first, tfidf_logistic(train, labels, train[:5], k=3, seed=1))


def test_a_label_without_training_rows_gets_probability_0() -> None:
    labels = np.array([0, 2, 0, 2])
    by_words = tfidf_logistic(["good", "bad"] * 2, labels, ["good", "new"], k=4, seed=0)
    by_meaning = nearest_centroid(np.eye(4), labels, np.eye(4)[:2], k=4)
    for found in (by_words, by_meaning):
        assert found.shape == (2, 4)
        assert (found[:, [1, 3]] == 0).all()
        assert found.sum(axis=1) == pytest.approx(1)


def test_no_texts_get_no_answers() -> None:
    assert tfidf_logistic(["good", "bad"], np.array([0, 1]), [], k=2, seed=0).shape == (0, 2)
    assert nearest_centroid(np.eye(2), np.array([0, 1]), np.zeros((0, 2)), 2).shape == (0, 2)


def test_training_rows_that_teach_nothing_are_a_users_error() -> None:
    with pytest.raises(InputError, match="words in the training texts"):
        tfidf_logistic(["!!", "?"], np.array([0, 1]), ["x"], k=2, seed=0)
    with pytest.raises(InputError, match="only label 1"):
        tfidf_logistic(["x", "y"], np.array([1, 1]), ["x"], k=2, seed=0)


def test_no_training_rows_are_a_users_error() -> None:
    none = np.zeros(0, np.int64)
    calls: list[Callable[[], object]] = [
        lambda: majority(none, 3, 2),
        lambda: tfidf_logistic([], none, ["x"], k=2, seed=0),
        lambda: nearest_centroid(np.zeros((0, 4)), none, np.ones((1, 4)), 2),
    ]
    for call in calls:
        with pytest.raises(InputError, match="training rows"):
            call()


def test_a_training_label_outside_the_labels_is_a_bug() -> None:
    with pytest.raises(ValueError, match="labels 0 to 1"):
        majority(np.array([0, 2]), 1, 2)


def test_nearest_centroid_equals_a_plain_loop() -> None:
    rng = np.random.default_rng(4)
    train, labels, rows = rng.normal(size=(30, 5)), rng.integers(0, 3, 30), rng.normal(size=(6, 5))
    found = nearest_centroid(train, labels, rows, 3)
    for row, probabilities in zip(rows, found, strict=True):
        weights = []
        for label in range(3):
            members = [
                v / math.sqrt(v @ v) for v, own in zip(train, labels, strict=True) if own == label
            ]
            centroid = sum(members) / len(members)
            cosine = row @ centroid / math.sqrt((row @ row) * (centroid @ centroid))
            weights.append(math.exp(20 * cosine))
        assert probabilities == pytest.approx(np.array(weights) / sum(weights))


def test_nearest_centroid_does_not_read_the_length_of_an_embedding() -> None:
    rng = np.random.default_rng(4)
    train, labels, rows = rng.normal(size=(9, 4)), np.arange(9) % 3, rng.normal(size=(5, 4))
    scaled = nearest_centroid(train * rng.uniform(1, 9, (9, 1)), labels, rows * 7, 3)
    assert scaled == pytest.approx(nearest_centroid(train, labels, rows, 3))


def test_an_embedding_of_zeros_is_equally_near_to_every_class() -> None:
    found = nearest_centroid(np.eye(2), np.array([0, 1]), np.zeros((1, 2)), 2)
    assert found.tolist() == [[0.5, 0.5]]


def test_importing_the_package_loads_neither_sklearn_nor_scipy() -> None:
    modules = ("baselines", "calibration", "classification", "intervals", "paired", "probes")
    code = "import sys\n" + "\n".join(f"import kit.evaluation.{name}" for name in modules)
    code += "\nprint(sorted({'sklearn', 'scipy', 'torch'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(Path(kit.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
