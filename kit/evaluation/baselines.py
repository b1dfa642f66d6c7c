"""What a fine-tuned classifier has to beat: three systems that need no training of a model.

Each returns probabilities of shape [n, k] and is deterministic. ``majority`` gives one-hot rows
that are answers, not probabilities: score them with ``calibrated=False``::

    probabilities = tfidf_logistic(train_texts, train_labels, test_texts, k=2, seed=13)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kit.errors import InputError

Integers = npt.NDArray[np.integer]
Probabilities = npt.NDArray[np.float64]

# scikit-learn's own pattern drops words of one character.
WORD = r"(?u)\b\w+\b"
# Inverse strength of the L2 penalty. Rows of unit length want more than scikit-learn's 1.
C_CANDIDATES = (1.0, 3.0, 10.0, 30.0)
C_WITHOUT_VALIDATION = 10.0
# The scale on cosines that sentence-transformers trains with (MultipleNegativesRankingLoss).
COSINE_SCALE = 20.0


def majority(train_labels: Integers, n: int, k: int) -> Probabilities:
    """Return n one-hot rows for the most frequent label, the first one of equals.

    Args:
        train_labels: shape [rows], indices 0 to k - 1.
        n: how many rows to answer.
        k: how many labels.

    Raises:
        InputError: there are no training rows.
    """
    _check_labels(train_labels, k)
    answers = np.zeros((n, k))
    answers[:, np.bincount(train_labels, minlength=k).argmax()] = 1.0
    return answers


def tfidf_logistic(
    train_texts: Sequence[str],
    train_labels: Integers,
    texts: Sequence[str],
    k: int,
    seed: int,
    validation_texts: Sequence[str] = (),
    validation_labels: Integers | None = None,
) -> Probabilities:
    """Answer by logistic regression on TF-IDF of words and pairs of words.

    Term frequencies are sublinear, 1 + ln(tf), and rows have unit length; a single character is a
    word too. Of ``C_CANDIDATES`` the one with the least log loss on the validation rows is taken,
    the smallest of equals; without such rows it is ``C_WITHOUT_VALIDATION``.

    Args:
        train_texts: the training rows; only they make the vocabulary.
        train_labels: shape [rows], indices 0 to k - 1. A label without rows gets probability 0.
        texts: the n texts to answer.
        k: how many labels.
        seed: handed to scikit-learn. Its present solver, lbfgs, draws no random numbers.
        validation_texts: rows to choose C on.
        validation_labels: their labels.

    Returns:
        Probabilities, shape [n, k].

    Raises:
        InputError: there are no words in the training rows, or fewer than two labels.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    _check_labels(train_labels, k)
    _check_trainable(train_texts, train_labels)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD)
    train = vectorizer.fit_transform(train_texts)
    if not len(validation_texts) or validation_labels is None:
        model = _fit(train, train_labels, C_WITHOUT_VALIDATION, seed)
    else:
        validation = vectorizer.transform(validation_texts)
        # A generator: one model of a large vocabulary and many labels can fill the memory.
        model = min(
            (_fit(train, train_labels, c, seed) for c in C_CANDIDATES),
            key=lambda fitted: _log_loss(_predict(fitted, validation, k), validation_labels),
        )
    return _predict(model, vectorizer.transform(texts), k) if len(texts) else np.zeros((0, k))


def nearest_centroid(
    train_embeddings: npt.NDArray[np.floating],
    train_labels: Integers,
    embeddings: npt.NDArray[np.floating],
    k: int,
) -> Probabilities:
    """Answer with the class whose mean embedding has the largest cosine.

    A centroid is the mean of its training rows, each scaled to unit length. The probability is
    softmax(COSINE_SCALE * cosine): it ranks answers well, but nothing has fitted the scale to
    these rows, so it is no calibrated probability.

    Args:
        train_embeddings: shape [rows, d].
        train_labels: shape [rows], indices 0 to k - 1. A label without rows gets probability 0.
        embeddings: shape [n, d].
        k: how many labels.

    Returns:
        Probabilities, shape [n, k].

    Raises:
        InputError: there are no training rows.
    """
    _check_labels(train_labels, k)
    members = np.eye(k)[train_labels]
    centroids = _unit(members.T @ _unit(train_embeddings))
    logits = COSINE_SCALE * (_unit(embeddings) @ centroids.T)
    logits[:, members.sum(axis=0) == 0] = -np.inf
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), np.float64)


def _check_labels(labels: Integers, k: int) -> None:
    if not len(labels):
        raise InputError("expected training rows for the baselines, got 0; give a train split")
    if labels.min() < 0 or labels.max() >= k:
        raise ValueError(f"expected labels 0 to {k - 1}, got {np.unique(labels).tolist()}")


def _check_trainable(texts: Sequence[str], labels: Integers) -> None:
    if not any(re.search(WORD, text) for text in texts):
        raise InputError("expected words in the training texts, got none; check the text column")
    if len(np.unique(labels)) < 2:
        raise InputError(
            f"expected two or more labels in the training rows, got only label {labels[0]}; "
            "check the label column"
        )


def _fit(rows: Any, labels: Integers, c: float, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c, max_iter=1000, random_state=seed).fit(rows, labels)


def _predict(model: Any, rows: Any, k: int) -> Probabilities:
    probabilities = np.zeros((rows.shape[0], k))
    probabilities[:, model.classes_] = model.predict_proba(rows)
    return probabilities


def _log_loss(probabilities: Probabilities, labels: Integers) -> float:
    of_truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(of_truth, np.finfo(np.float64).tiny)).mean())


def _unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Rows of length 1; a row of zeros stays, and its cosines are 0."""
    rows = np.asarray(rows, np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length == 0, 1, length), np.float64)
