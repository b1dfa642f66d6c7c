"""Scores of messages, each computed a second way: sacreBLEU's own calls, scipy, or by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import exp, log

import numpy as np
import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from scipy.stats import binomtest

from kit.errors import InputError
from kit.evaluation.commits import TYPES
from kit.evaluation.generation import (
    compare_texts,
    score_texts,
    signatures,
    text_slices,
    type_confusion,
)
from kit.evaluation.intervals import wilson
from kit.evaluation.overlap import b_norm, bleu_4, compare_corpus, counts, rouge_l

WORDS = [
    "cache",
    "retry",
    "the",
    "a",
    "pool",
    "parser",
    "of",
    "on",
    "empty",
    "line",
    "read",
    "user",
]
Texts = list[str]


def messages(n: int, seed: int) -> Texts:
    rng = np.random.default_rng(seed)
    types = rng.choice(["fix", "feat", "docs", "fix(core)", "Broken"], n)
    words = [" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(n)]
    return [f"{type_}: {text}" for type_, text in zip(types, words, strict=True)]


def near(texts: Sequence[str], share: float, seed: int) -> Texts:
    """Return texts of which a share are the given ones and the rest are others."""
    rng = np.random.default_rng(seed)
    others = messages(len(texts), seed + 100)
    return [a if rng.random() < share else b for a, b in zip(texts, others, strict=True)]


@pytest.fixture(scope="module")
def references() -> Texts:
    return [text.replace("Broken", "perf") for text in messages(160, 1)]


@pytest.fixture(scope="module")
def predicted(references: Texts) -> Texts:
    return [*near(references[:-2], 0.3, 2), "", "not a commit"]


def test_corpus_scores_equal_those_of_sacrebleu(predicted: Texts, references: Texts) -> None:
    metrics = score_texts(predicted, references, [""] * 160, samples=20)
    bleu = sacrebleu.corpus_bleu(predicted, [references]).score
    chrf = sacrebleu.corpus_chrf(predicted, [references]).score
    assert metrics["bleu"].value == pytest.approx(bleu, abs=1e-9)
    assert metrics["chrf"].value == pytest.approx(chrf, abs=1e-9)
    assert 20 < bleu < 80
    assert 20 < chrf < 80


def test_intervals_of_corpus_scores_agree_with_sacrebleus_bootstrap(
    predicted: Texts, references: Texts
) -> None:
    metrics = score_texts(predicted, references, [""] * 160)
    for name, scorer in {"bleu": BLEU(), "chrf": CHRF()}.items():
        theirs = scorer.corpus_score(predicted, [references], n_bootstrap=1000)
        half = (metrics[name].high - metrics[name].low) / 2
        assert half == pytest.approx(theirs._ci, rel=0.1)
        assert metrics[name].n == 160


def test_the_signatures_are_those_of_sacrebleu(predicted: Texts, references: Texts) -> None:
    found = signatures()
    for name, scorer in {"bleu": BLEU(), "chrf": CHRF()}.items():
        scorer.corpus_score(predicted, [references])
        assert found[name] == str(scorer.get_signature())
    assert set(found) == {"bleu", "chrf", "bleu_norm", "rouge_l"}


def test_b_norm_equals_a_calculation_by_hand() -> None:
    # Tokens: fix : add a cache | fix : add cache _ size
    n_grams = log(4 / 5) + log((2 + 1) / (4 + 1)) + log((1 + 1) / (3 + 1)) + log((0 + 1) / (2 + 1))
    by_hand = 100 * exp(n_grams / 4 + (1 - 7 / 6))
    assert b_norm(["Fix: add a CACHE"], ["fix: add cache_size"]) == pytest.approx([by_hand])
    assert b_norm(["fix: add a cache"], ["Fix: Add a Cache"]) == pytest.approx([100.0])
    assert b_norm(["x"], ["a b c d"])[0] < 1e-60


def test_a_longer_text_than_the_reference_pays_no_penalty() -> None:
    by_hand = 100 * exp((log(2 / 4) + log(2 / 4) + log(1 / 3) + log(1 / 2)) / 4)
    assert b_norm(["a b c d"], ["a b"]) == pytest.approx([by_hand])


def test_rouge_l_equals_the_scorer_with_its_own_tokens(predicted: Texts, references: Texts) -> None:
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    theirs = [
        scorer.score(reference, text)["rougeL"].fmeasure
        for text, reference in zip(predicted, references, strict=True)
    ]
    assert rouge_l(predicted, references) == pytest.approx(theirs)
    assert rouge_l(["fixes reading"], ["fix(x): fixed reads"])[0] == pytest.approx(2 * 2 / (2 + 4))


def test_bleu_of_diffs_equals_sacrebleu_without_smoothing() -> None:
    scorer = BLEU(tokenize="none", smooth_method="none")
    rng = np.random.default_rng(3)
    for _ in range(30):
        a, b = (" ".join(rng.choice(list("abc"), rng.integers(4, 40))) for _ in "ab")
        assert 100 * bleu_4(a, b) == pytest.approx(scorer.corpus_score([a], [[b]]).score)
    assert bleu_4("a b c", "a b c") == 0
    assert bleu_4("", "a") == 0


def test_types_and_scopes_are_right_only_in_a_valid_message() -> None:
    references = ["fix: a", "feat(Core): b", "docs: c", "feat(cli): d", "no commit", "fix: f"]
    predicted = ["fix: z", "feat(core)!: z", "docs(x): z", "fix(cli): z", "fix: z", "fix:z"]
    metrics = score_texts(predicted, references, [""] * 6, samples=5)
    assert (metrics["format_validity"].value, metrics["format_validity"].n) == (5 / 6, 6)
    assert (metrics["type_accuracy"].value, metrics["type_accuracy"].n) == (3 / 5, 5)
    assert (metrics["scope_accuracy"].value, metrics["scope_accuracy"].n) == (3 / 5, 5)
    assert (metrics["type_accuracy"].low, metrics["type_accuracy"].high) == wilson(3, 5)
    assert metrics["mean_words"].value == pytest.approx(11 / 6)


def test_every_metric_has_an_interval_around_its_value(predicted: Texts, references: Texts) -> None:
    for n in (1, 2, 160):
        diffs = ["+cache_size = v2"] * n
        metrics = score_texts(predicted[:n], references[:n], diffs, samples=20)
        assert list(metrics) == [
            "format_validity",
            "type_accuracy",
            "scope_accuracy",
            "chrf",
            "bleu",
            "bleu_norm",
            "rouge_l",
            "mean_words",
            "invented",
            "filler",
        ]
        assert all(m.low <= m.value <= m.high for m in metrics.values())
        assert all(m.n == n for name, m in metrics.items() if name not in ("invented",))


def test_a_message_that_is_the_reference_has_the_highest_scores(references: Texts) -> None:
    metrics = score_texts(references, references, [""] * 160, samples=5)
    for name, best in {"bleu": 100, "chrf": 100, "bleu_norm": 100, "rouge_l": 1}.items():
        assert metrics[name].value == pytest.approx(best)


def test_the_share_of_made_up_names_is_one_of_names_not_of_messages() -> None:
    predicted = ["fix: a_b c_d e_f", "fix: g_h", "fix: none"]
    metric = score_texts(predicted, predicted, ["a_b g_h", "", "x"])["invented"]
    assert metric.value == pytest.approx(3 / 4)
    assert (metric.n, metric.method) == (4, "bootstrap")
    none = score_texts(["fix: x"], ["fix: x"], ["x"])["invented"]
    assert (none.n, none.method) == (0, "none")


def test_comparisons_of_shares_use_mcnemars_test(references: Texts) -> None:
    a, b = near(references, 0.7, 5), near(references, 0.4, 6)
    by_name = {c.metric: c for c in compare_texts("a", "b", a, b, references, samples=20)}
    assert list(by_name) == ["format_validity", "type_accuracy", "chrf", "bleu"]
    types = [[re.split(r"\W", text)[0] for text in texts] for texts in (a, b, references)]
    right = [[x == z for x, z in zip(column, types[2], strict=True)] for column in types[:2]]
    only_a = sum(x and not y for x, y in zip(*right, strict=True))
    only_b = sum(y and not x for x, y in zip(*right, strict=True))
    expected = binomtest(only_a, only_a + only_b, 0.5).pvalue
    assert by_name["type_accuracy"].p_value == pytest.approx(expected)
    assert by_name["type_accuracy"].difference == pytest.approx((only_a - only_b) / 160)
    broken = [sum(text.startswith("Broken") for text in texts) for texts in (a, b)]
    assert by_name["format_validity"].difference == pytest.approx((broken[1] - broken[0]) / 160)


def test_comparisons_of_corpus_scores_are_differences_of_sacrebleu(references: Texts) -> None:
    a, b = near(references, 0.6, 7), near(references, 0.3, 8)
    by_name = {c.metric: c for c in compare_texts("a", "b", a, b, references)}
    differences = {
        "bleu": sacrebleu.corpus_bleu(a, [references]).score
        - sacrebleu.corpus_bleu(b, [references]).score,
        "chrf": sacrebleu.corpus_chrf(a, [references]).score
        - sacrebleu.corpus_chrf(b, [references]).score,
    }
    for name, difference in differences.items():
        comparison = by_name[name]
        assert comparison.difference == pytest.approx(difference)
        assert 0 < comparison.low < difference < comparison.high
        assert comparison.p_value == pytest.approx(1 / 2001)
        assert comparison.p_value < 0.001


def test_swapping_the_systems_mirrors_a_comparison(references: Texts) -> None:
    a, b = near(references, 0.5, 9), near(references, 0.45, 10)
    there = compare_texts("a", "b", a, b, references, samples=200)
    back = compare_texts("b", "a", b, a, references, samples=200)
    for one, other in zip(there, back, strict=True):
        assert one.difference == pytest.approx(-other.difference)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
        assert one.p_value == pytest.approx(other.p_value)


def test_equal_systems_have_a_p_value_of_1(references: Texts) -> None:
    a = near(references, 0.5, 11)
    comparisons = compare_texts("a", "b", a, a, references, samples=50)
    assert all(c.p_value == 1 and c.difference == 0 for c in comparisons)


def test_p_values_of_systems_that_are_equally_good_are_rarely_small() -> None:
    """About one in twenty is below 0.05, so a test that finds differences in noise fails here."""
    small = 0
    for seed in range(60):
        references = messages(80, 1000 + seed)
        a, b = near(references, 0.4, 3000 + seed), near(references, 0.4, 7000 + seed)
        rows = [counts("chrf", texts, references) for texts in (a, b)]
        small += compare_corpus("chrf", ("a", "b"), rows[0], rows[1], 100, seed).p_value < 0.05
    assert small <= 9


def test_the_confusion_has_a_column_for_messages_without_a_type() -> None:
    references = ["fix: a", "fix: b", "fix: c", "docs: d", "nothing"]
    table = type_confusion(["fix: a", "feat: b", "no", "docs: d", "fix: e"], references)
    assert list(table) == list(TYPES)
    assert all(list(row) == [*TYPES, "none"] for row in table.values())
    assert {name: n for name, n in table["fix"].items() if n} == {"fix": 1, "feat": 1, "none": 1}
    assert sum(sum(row.values()) for row in table.values()) == 4


def test_slices_score_only_their_own_rows(predicted: Texts, references: Texts) -> None:
    size = ["small" if i % 3 else "large" for i in range(158)] + ["", "rare"]
    slices = text_slices({"size": size}, predicted, references, samples=30)
    for of_metric in slices.values():
        assert [(s.field, s.value) for s in of_metric] == [("size", "small"), ("size", "large")]
    for of_type, of_chrf in zip(*slices.values(), strict=True):
        rows = [i for i, value in enumerate(size) if value == of_chrf.value]
        texts, wanted = [predicted[i] for i in rows], [references[i] for i in rows]
        chrf = sacrebleu.corpus_chrf(texts, [wanted]).score
        assert of_chrf.accuracy.value == pytest.approx(chrf)
        alone = score_texts(texts, wanted, [""] * len(rows), samples=5)["type_accuracy"]
        assert of_type.accuracy == alone


def test_slices_of_types_leave_out_references_without_one() -> None:
    references = ["fix: a", "fix: b", "no commit", "no commit either"]
    field = {"size": ["small"] * 4}
    slices = text_slices(field, ["fix: a", "no", "no", "no"], references, smallest=1, samples=5)
    assert [slice_.accuracy.n for slice_ in slices["type_accuracy"]] == [2]
    assert [slice_.accuracy.n for slice_ in slices["chrf"]] == [4]


def test_no_rows_are_a_users_error_and_other_rows_a_bug() -> None:
    with pytest.raises(InputError, match="at least one message"):
        score_texts([], [], [])
    with pytest.raises(InputError, match="at least one message"):
        compare_texts("a", "b", [], [], [])
    with pytest.raises(ValueError, match="the same rows"):
        score_texts(["fix: a"], ["fix: a"], [])
