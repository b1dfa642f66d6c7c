"""Metrics of generated commit messages: one number, its interval, its n.

Texts are as a system gave them; nothing is repaired before it is scored::

    metrics = score_texts(predicted, references, diffs)
    metrics["type_accuracy"]  # Metric(value=0.55, low=0.52, high=0.58, n=1200, method='wilson')
    metrics["bleu"]           # Metric(value=6.7, low=5.9, high=7.6, n=1200, method='bootstrap')

``score_texts(references, references, diffs)`` gives what people wrote on the same scale: the share
of names that are not in the diff and of messages that say nothing is not 0 for them either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from kit.errors import InputError
from kit.evaluation import classification, overlap, paired
from kit.evaluation.commits import TYPES, ConventionalCommit, parse
from kit.evaluation.intervals import bootstrap, enclosing, proportion
from kit.evaluation.wording import filler, invented
from kit.records import Comparison, Metric, Slice

SAMPLES = 1000
# The smallest p-value of a bootstrap test is 1 / (resamples + 1): here below 0.001.
PAIRED_SAMPLES = 2000
NO_TYPE = "none"
CORPUS_METRICS: tuple[overlap.Corpus, ...] = ("chrf", "bleu")

Commits = list[ConventionalCommit | None]
Booleans = npt.NDArray[np.bool_]


def score_texts(
    predicted: Sequence[str],
    references: Sequence[str],
    diffs: Sequence[str],
    types: Collection[str] = TYPES,
    samples: int = SAMPLES,
    seed: int = 0,
) -> dict[str, Metric]:
    """Return every metric of one system, each with its 95 % interval.

    - ``format_validity``: share of valid Conventional Commits; see ``kit.evaluation.commits``.
    - ``type_accuracy``, ``scope_accuracy``: share with the reference's type, and scope, where none
      equals none and case does not count. A message that is not valid has neither. Rows whose
      reference is not valid are left out; n says how many are left.
    - ``chrf``, ``bleu``: sacreBLEU's scores of the corpus, in [0, 100].
    - ``bleu_norm``: mean of ``overlap.b_norm``, in [0, 100]. It is not the figure of the NNGen
      paper, which is the BLEU of Moses' script: for the same answers the two lie far apart.
    - ``rouge_l``: mean of ``overlap.rouge_l``, in [0, 1].
    - ``mean_words``: words between blanks, type included.
    - ``invented``: share of the names in all messages that are not in their diffs, n the number of
      names; see ``wording.invented``.
    - ``filler``: share of messages without a word of content; see ``wording.filler``.

    Shares of rows have Wilson's interval, the rest the percentile bootstrap over rows.

    Args:
        predicted: shape [n], as the system gave them.
        references: shape [n].
        diffs: shape [n], whole: names that only a cut part holds are not made up.
        types: the allowed types.
        samples: bootstrap resamples.
        seed: of the bootstrap.

    Raises:
        InputError: there are no rows.
    """
    _check_rows(predicted, references, diffs)
    right, wanted = _hits(predicted, references, types)
    validity = [commit is not None for commit in _parsed(predicted, types)]
    metrics = {
        "format_validity": proportion(sum(validity), len(predicted)),
        "type_accuracy": proportion(int(right["type"].sum()), int(wanted.sum())),
        "scope_accuracy": proportion(int(right["scope"].sum()), int(wanted.sum())),
    }
    for metric in CORPUS_METRICS:
        rows = overlap.counts(metric, predicted, references)
        metrics[metric] = overlap.corpus_metric(metric, rows, samples, seed)
    means = {
        "bleu_norm": overlap.b_norm(predicted, references),
        "rouge_l": overlap.rouge_l(predicted, references),
        "mean_words": np.array([len(text.split()) for text in predicted], np.float64),
    }
    for name, values in means.items():
        metrics[name] = _mean(values, samples, seed)
    metrics["invented"] = _invented(predicted, diffs, samples, seed)
    metrics["filler"] = proportion(sum(map(filler, predicted)), len(predicted))
    return metrics


def signatures() -> dict[str, str]:
    """Return how each score of overlap is computed, in words that another can follow."""
    return {
        "bleu": overlap.signature("bleu"),
        "chrf": overlap.signature("chrf"),
        "bleu_norm": "mean of sentence BLEU-4, lower case, punctuation apart, +1 for 2- to "
        "4-grams, as metrics/B-Norm.py of Tao et al., ICSME 2021",
        "rouge_l": f"mean F of rougeL, rouge-score {version('rouge-score')}, Porter stemmer",
    }


def compare_texts(
    name_a: str,
    name_b: str,
    predicted_a: Sequence[str],
    predicted_b: Sequence[str],
    references: Sequence[str],
    types: Collection[str] = TYPES,
    samples: int = PAIRED_SAMPLES,
    seed: int = 0,
) -> tuple[Comparison, ...]:
    """Compare two systems on the same rows: format, type, chrF and BLEU; differences are a minus b.

    ``format_validity`` and ``type_accuracy`` are compared by ``kit.evaluation.paired``, ``chrf``
    and ``bleu`` by ``overlap.compare_corpus``.

    Args:
        name_a: the system whose score comes first in the difference.
        name_b: the system that is subtracted.
        predicted_a: shape [n].
        predicted_b: shape [n].
        references: shape [n].
        types: the allowed types.
        samples: draws; the smallest p-value is 1 / (samples + 1).
        seed: of the draws.

    Raises:
        InputError: there are no rows, or no reference has a type.
    """
    _check_rows(predicted_a, predicted_b, references)
    valid = [
        np.array([commit is not None for commit in _parsed(texts, types)])
        for texts in (predicted_a, predicted_b)
    ]
    right_a, wanted = _hits(predicted_a, references, types)
    right_b, _ = _hits(predicted_b, references, types)
    types_right = (right_a["type"][wanted], right_b["type"][wanted])
    return (
        paired.compare("format_validity", name_a, name_b, valid[0], valid[1]),
        paired.compare("type_accuracy", name_a, name_b, *types_right),
        *(
            overlap.compare_corpus(
                metric,
                (name_a, name_b),
                overlap.counts(metric, predicted_a, references),
                overlap.counts(metric, predicted_b, references),
                samples,
                seed,
            )
            for metric in CORPUS_METRICS
        ),
    )


def type_confusion(
    predicted: Sequence[str], references: Sequence[str], types: Sequence[str] = TYPES
) -> dict[str, dict[str, int]]:
    """Return rows per type of the reference and type answered: ``[true][answered]``.

    A message that is not valid has the answer "none". Rows whose reference is not valid are left
    out.
    """
    names = (*types, NO_TYPE)
    truth, answers, wanted = _type_indices(predicted, references, types)
    table = classification.confusion(names, truth[wanted], answers[wanted])
    return {true: table[true] for true in types}


def text_slices(
    fields: Mapping[str, Sequence[str]],
    predicted: Sequence[str],
    references: Sequence[str],
    types: Sequence[str] = TYPES,
    smallest: int = 5,
    samples: int = SAMPLES,
    seed: int = 0,
) -> dict[str, tuple[Slice, ...]]:
    """Return type accuracy and chrF on the rows of each value of each field.

    Args:
        fields: per field one value per row; the empty string marks a row without that field and
            forms no slice.
        predicted: shape [n].
        references: shape [n].
        types: the allowed types.
        smallest: a value with fewer rows is left out.
        samples: bootstrap resamples for chrF.
        seed: of the bootstrap.

    Returns:
        ``{"type_accuracy": slices, "chrf": slices}``. The ``accuracy`` of a slice holds the metric,
        which for chrF is in [0, 100].
    """
    truth, answers, wanted = _type_indices(predicted, references, types)
    kept = {name: np.asarray(column, np.str_)[wanted].tolist() for name, column in fields.items()}
    rows = overlap.counts("chrf", predicted, references)
    return {
        "type_accuracy": classification.slices(kept, truth[wanted], answers[wanted], smallest),
        "chrf": tuple(
            Slice(
                field=name,
                value=value,
                accuracy=overlap.corpus_metric("chrf", rows[of], samples, seed),
            )
            for name, column in fields.items()
            for value, of in _members(column, smallest)
        ),
    }


def _check_rows(*columns: Sequence[str]) -> None:
    lengths = [len(column) for column in columns]
    if len(set(lengths)) != 1:
        raise ValueError(f"expected the same rows, got {lengths}")
    if not lengths[0]:
        raise InputError("expected at least one message to score, got 0; give a split with rows")


def _parsed(texts: Sequence[str], types: Collection[str]) -> Commits:
    return [parse(text, types) for text in texts]


def _hits(
    predicted: Sequence[str], references: Sequence[str], types: Collection[str]
) -> tuple[dict[str, Booleans], Booleans]:
    """Return per part whether it is the reference's, and whether there is a reference at all."""
    pairs = list(zip(_parsed(predicted, types), _parsed(references, types), strict=True))
    right = {
        "type": [bool(a and b and a.type == b.type) for a, b in pairs],
        "scope": [bool(a and b and _scope(a) == _scope(b)) for a, b in pairs],
    }
    wanted = np.array([b is not None for _, b in pairs])
    return {part: np.array(column) for part, column in right.items()}, wanted


def _scope(commit: ConventionalCommit) -> str:
    return (commit.scope or "").lower()


def _type_indices(
    predicted: Sequence[str], references: Sequence[str], types: Sequence[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Booleans]:
    """Types as indices, ``len(types)`` for none; and which references have one."""
    truth, answers = (
        np.array(
            [types.index(c.type) if c else len(types) for c in _parsed(texts, types)], np.int64
        )
        for texts in (references, predicted)
    )
    return truth, answers, truth < len(types)


def _members(column: Sequence[str], smallest: int) -> list[tuple[str, npt.NDArray[np.intp]]]:
    """Return each value with its rows, the largest first, equals by name."""
    names, rows = np.unique(np.asarray(column, np.str_), return_inverse=True)
    members = [(str(name), np.flatnonzero(rows == i)) for i, name in enumerate(names) if name]
    return sorted((m for m in members if len(m[1]) >= smallest), key=lambda m: -len(m[1]))


def _mean(values: overlap.Floats, samples: int, seed: int) -> Metric:
    low, high = bootstrap(lambda drawn: float(drawn.mean()), values, samples=samples, seed=seed)
    return enclosing(float(values.mean()), low, high, len(values))


def _invented(predicted: Sequence[str], diffs: Sequence[str], samples: int, seed: int) -> Metric:
    pairs = np.array([invented(*row) for row in zip(predicted, diffs, strict=True)])
    made_up, found = (int(total) for total in pairs.sum(axis=0))
    if not found:
        return proportion(0, 0)

    def share(drawn: npt.NDArray[np.int64]) -> float:
        return float(drawn[:, 0].sum() / max(drawn[:, 1].sum(), 1))

    low, high = bootstrap(share, pairs, samples=samples, seed=seed)
    return enclosing(made_up / found, low, high, found)
