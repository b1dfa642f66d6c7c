"""How much of a reference text is in a predicted one: BLEU, chrF, B-Norm and ROUGE-L per row.

BLEU and chrF are scores of a corpus: each row gives counts, and the score is computed from their
sums. ``counts`` gives them once, so that a resample costs a sum and not a comparison of texts::

    rows = counts("chrf", ["feat: add a cache"], ["feat: add cache"])    # shape [1, 18]
    corpus_score("chrf")(rows)                                          # 80.5
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kit.evaluation.intervals import bootstrap, enclosing
from kit.records import Comparison, Metric

Corpus = Literal["bleu", "chrf"]
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LONGEST_NGRAM = 4


def counts(metric: Corpus, predicted: Sequence[str], references: Sequence[str]) -> Counts:
    """Return what each row adds to the sums of a corpus score.

    Args:
        metric: "bleu" or "chrf".
        predicted: shape [n].
        references: shape [n], one for each row.

    Returns:
        Shape [n, 10] for BLEU: both lengths in tokens, then matched and predicted n-grams of one
        to four tokens. Shape [n, 18] for chrF: predicted, reference and matched n-grams of one to
        six characters.
    """
    if len(predicted) != len(references):
        raise ValueError(f"expected the same rows, got {len(predicted)} and {len(references)}")
    # sacreBLEU keeps these private, and its own significance tests are built on them.
    rows = _sacrebleu(metric)._extract_corpus_statistics(predicted, [references])
    return np.asarray(rows, np.int64).reshape(len(predicted), -1)


def corpus_score(metric: Corpus) -> Callable[[Counts], float]:
    """Return the function from rows of ``counts`` to sacreBLEU's score, in [0, 100]."""
    scorer = _sacrebleu(metric)

    def score(rows: Counts) -> float:
        return float(scorer._compute_score_from_stats(rows.sum(axis=0).tolist()).score)

    return score


def corpus_metric(metric: Corpus, rows: Counts, samples: int, seed: int) -> Metric:
    """Return the score of rows of ``counts`` with its bootstrap interval."""
    score = corpus_score(metric)
    low, high = bootstrap(score, rows, samples=samples, seed=seed)
    return enclosing(score(rows), low, high, len(rows))


def compare_corpus(
    metric: Corpus,
    names: tuple[str, str],
    rows_a: Counts,
    rows_b: Counts,
    samples: int,
    seed: int,
) -> Comparison:
    """Compare two systems' corpus scores by a paired bootstrap.

    Rows are drawn with replacement, the same for both systems. The interval is that of the
    percentiles. The p-value is the share of draws whose difference lies as far from the mean of all
    draws as the found difference lies from 0; the found one counts as a draw, so that p is at least
    1 / (samples + 1).

    Source: P. Koehn, Statistical significance tests for machine translation evaluation, EMNLP 2004;
    S. Riezler and J. T. Maxwell, On some pitfalls in automatic evaluation and significance testing
    for MT, ACL workshop 2005, for the shift to the mean.

    Args:
        metric: "bleu" or "chrf".
        names: of system a, and of system b, which is subtracted.
        rows_a: ``counts`` of system a.
        rows_b: ``counts`` of system b on the same rows.
        samples: draws.
        seed: of the draws.
    """
    score = corpus_score(metric)
    found = score(rows_a) - score(rows_b)
    rng = np.random.default_rng(seed)
    drawn = np.empty(samples)
    for i in range(samples):
        rows = rng.integers(0, len(rows_a), len(rows_a))
        drawn[i] = score(rows_a[rows]) - score(rows_b[rows])
    low, high = np.quantile(drawn, [0.025, 0.975])
    as_far = int((np.abs(drawn - drawn.mean()) >= abs(found)).sum())
    return Comparison(
        metric=metric,
        a=names[0],
        b=names[1],
        difference=found,
        low=min(float(low), found),
        high=max(float(high), found),
        p_value=(as_far + 1) / (samples + 1),
        test=f"paired bootstrap, {samples} draws",
    )


def signature(metric: Corpus) -> str:
    """Return sacreBLEU's signature: all that one must know to compute the score again."""
    scorer = _sacrebleu(metric)
    scorer.num_refs = 1
    return str(scorer.get_signature())


def b_norm(predicted: Sequence[str], references: Sequence[str]) -> Floats:
    """Return BLEU-4 of each row, in [0, 100], as the B-Norm of commit messages; shape [n].

    Source: the script metrics/B-Norm.py of W. Tao et al., On the evaluation of commit message
    generation models, ICSME 2021, which goes back to Moses. Case is ignored, every punctuation
    mark and underscore is a token, one is added to both counts of n-grams of two to four tokens,
    and the penalty of a short text is exp(1 - (reference + 1) / (predicted + 1)). B-Norm is the
    mean over rows.
    """
    return np.array(
        [_smoothed_bleu(*pair) for pair in zip(predicted, references, strict=True)], np.float64
    )


def rouge_l(predicted: Sequence[str], references: Sequence[str]) -> Floats:
    """Return F of the longest common subsequence of each row's words, in [0, 1]; shape [n].

    Source: C.-Y. Lin, ROUGE: a package for automatic evaluation of summaries, 2004, as in the
    package rouge-score: lower case, letters and digits only, words over three letters stemmed.
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_Stems())
    pairs = zip(references, predicted, strict=True)
    return np.array([scorer.score(*pair)["rougeL"].fmeasure for pair in pairs], np.float64)


def bleu_4(predicted: str, reference: str) -> float:
    """Return BLEU-4 of one text, in [0, 1], tokens divided by spaces, nothing smoothed.

    Source: K. Papineni et al., BLEU: a method for automatic evaluation of machine translation,
    ACL 2002. A text that shares no four tokens in a row with the reference has 0.
    """
    told, wanted = _ngrams(predicted), _ngrams(reference)
    matched = _matched(told, wanted)
    if not matched[-1]:
        return 0.0
    totals = [sum(of_order.values()) for of_order in told]
    log_precision = sum(math.log(m / t) for m, t in zip(matched, totals, strict=True))
    return math.exp(log_precision / LONGEST_NGRAM + min(0.0, 1 - _length(wanted) / totals[0]))


class _Stems:
    """rouge-score's own tokens, each word stemmed only once."""

    def __init__(self) -> None:
        from rouge_score.tokenizers import DefaultTokenizer

        self._stem = lru_cache(maxsize=None)(DefaultTokenizer(use_stemmer=True).tokenize)

    def tokenize(self, text: str) -> list[str]:
        words = re.split(r"[^a-z0-9]+", text.lower())
        return [stem for word in words for stem in self._stem(word)]


def _sacrebleu(metric: Corpus) -> Any:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    # "force" only silences a warning about texts that end in " .".
    return BLEU(force=True) if metric == "bleu" else CHRF()


def _smoothed_bleu(predicted: str, reference: str) -> float:
    told, wanted = (_of_tokens(_b_norm_tokens(text)) for text in (predicted, reference))
    logs = 0.0
    for order, matched in enumerate(_matched(told, wanted)):
        total = sum(told[order].values())
        # The script's smallest number stands in for log 0.
        added = min(order, 1) + sys.float_info.min
        logs += math.log(matched + added) - math.log(total + added)
    penalty = min(0.0, 1 - (_length(wanted) + 1) / (_length(told) + 1))
    return 100 * math.exp(logs / LONGEST_NGRAM + penalty)


def _b_norm_tokens(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+|_|[^\w\s]", text.lower()))


@lru_cache(maxsize=256)
def _ngrams(text: str) -> list[Counter[tuple[str, ...]]]:
    return _of_tokens(tuple(text.split()))


def _of_tokens(tokens: tuple[str, ...]) -> list[Counter[tuple[str, ...]]]:
    """One counter per order, 1 to 4."""
    return [
        Counter(zip(*(tokens[skip:] for skip in range(order)), strict=False))
        for order in range(1, LONGEST_NGRAM + 1)
    ]


def _matched(
    told: Sequence[Counter[tuple[str, ...]]], wanted: Sequence[Counter[tuple[str, ...]]]
) -> list[int]:
    return [
        sum(min(n, theirs[ngram]) for ngram, n in ours.items() if ngram in theirs)
        for ours, theirs in zip(told, wanted, strict=True)
    ]


def _length(ngrams: Sequence[Counter[tuple[str, ...]]]) -> int:
    return sum(ngrams[0].values())
