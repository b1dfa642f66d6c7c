"""Paired comparisons against published tables and exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import numpy.typing as npt
import pytest

from kit.errors import InputError
from kit.evaluation.intervals import bootstrap
from kit.evaluation.paired import compare, mcnemar, newcombe

Booleans = npt.NDArray[np.bool_]


def systems(both: int, only_a: int, only_b: int, neither: int) -> tuple[Booleans, Booleans]:
    counts = [both, only_a, only_b, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False] * 2, counts)


def exact(only_a: int, only_b: int) -> float:
    """Twice the smaller tail of the fair coin, in whole numbers."""
    n = only_a + only_b
    tail = sum(comb(n, i) for i in range(min(only_a, only_b) + 1))
    return float(min(Fraction(1), Fraction(2 * tail, 2**n)))


@pytest.mark.parametrize(
    ("only_a", "only_b", "published"),
    # M. W. Fagerland, S. Lydersen, P. Laake, BMC Medical Research Methodology 13:91 (2013), exact
    # conditional test: Bentur et al. 2009 and Cavo et al. 2012.
    [(1, 7, 0.070), (6, 16, 0.052)],
)
def test_mcnemar_gives_published_values(only_a: int, only_b: int, published: float) -> None:
    assert mcnemar(*systems(30, only_a, only_b, 20)) == pytest.approx(published, abs=5e-4)


def test_mcnemar_equals_the_sum_of_whole_numbers() -> None:
    for only_a in range(8):
        for only_b in range(8):
            found = mcnemar(*systems(3, only_a, only_b, 2))
            assert found == pytest.approx(exact(only_a, only_b), rel=1e-12)
    assert mcnemar(*systems(9, 211, 340, 9)) == pytest.approx(exact(211, 340), rel=1e-9)


def test_mcnemar_reads_only_the_rows_that_differ_and_not_their_order() -> None:
    a, b = systems(5, 9, 2, 4)
    shuffled = np.random.default_rng(0).permutation(len(a))
    assert mcnemar(a, b) == mcnemar(*systems(0, 9, 2, 0)) == mcnemar(a[shuffled], b[shuffled])
    assert mcnemar(a, b) == mcnemar(b, a)


def test_systems_that_answer_alike_have_a_p_value_of_1() -> None:
    assert mcnemar(*systems(7, 0, 0, 3)) == 1.0
    assert mcnemar(*systems(7, 4, 4, 3)) == 1.0


def test_a_p_value_is_never_0() -> None:
    assert mcnemar(*systems(0, 1000, 0, 0)) == pytest.approx(2.0**-999, rel=1e-6)
    assert 0 < mcnemar(*systems(0, 5000, 0, 0)) < 1e-300


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Cavo et al. 2012 as in Fagerland, Lydersen, Laake, Statistical Analysis of Contingency
        # Tables (2017), chapter 8; the R package contingencytables gives the same.
        ((59, 6, 16, 80), -0.1186, -0.0046),
        # Altman et al., Statistics with Confidence (2000), table 6.2.
        ((14, 5, 0, 22), 0.011, 0.226),
    ],
)
def test_newcombe_gives_published_limits(
    table: tuple[int, int, int, int], low: float, high: float
) -> None:
    digits = 5e-4 if table[0] == 14 else 5e-5
    assert newcombe(*systems(*table)) == pytest.approx((low, high), abs=digits)


@pytest.mark.parametrize(
    "table", [(1500, 260, 180, 560), (200, 900, 700, 100)], ids=["alike", "opposed"]
)
def test_newcombe_agrees_with_a_paired_bootstrap_on_many_rows(
    table: tuple[int, int, int, int],
) -> None:
    a, b = systems(*table)
    by_row = bootstrap(lambda x, y: float(x.mean() - y.mean()), a, b, samples=1000)
    assert newcombe(a, b) == pytest.approx(by_row, abs=0.004)


def test_swapping_the_systems_mirrors_the_interval() -> None:
    for table in [(5, 9, 2, 4), (0, 3, 0, 0), (1, 0, 0, 0), (0, 2, 2, 0), (40, 1, 7, 12)]:
        a, b = systems(*table)
        low, high = newcombe(a, b)
        assert newcombe(b, a) == pytest.approx((-high, -low), abs=1e-12)


def test_the_interval_encloses_the_difference_and_stays_within_1() -> None:
    for table in np.ndindex(4, 4, 4, 4):
        if sum(table):
            difference = (table[1] - table[2]) / sum(table)
            low, high = newcombe(*systems(*table))
            assert -1 <= low <= difference <= high <= 1


def test_a_comparison_holds_the_difference_the_interval_and_the_test() -> None:
    a, b = systems(60, 25, 5, 10)
    comparison = compare("accuracy", "tuned", "base", a, b)
    assert (comparison.metric, comparison.a, comparison.b) == ("accuracy", "tuned", "base")
    assert comparison.difference == pytest.approx(a.mean() - b.mean()) == pytest.approx(0.2)
    assert (comparison.low, comparison.high) == newcombe(a, b)
    assert comparison.p_value == mcnemar(a, b) < 0.001
    assert comparison.test == "exact McNemar"


def test_a_system_compared_with_itself_shows_no_difference() -> None:
    a, _ = systems(8, 5, 0, 0)
    comparison = compare("accuracy", "one", "other", a, a)
    assert (comparison.difference, comparison.p_value) == (0, 1)
    assert comparison.low < 0 < comparison.high


def test_no_rows_to_compare_are_a_users_error() -> None:
    empty = np.zeros(0, np.bool_)
    for call in (mcnemar, newcombe):
        with pytest.raises(InputError, match="at least one row"):
            call(empty, empty)


def test_different_rows_are_a_bug() -> None:
    with pytest.raises(ValueError, match="the same rows, got 2 and 3"):
        compare("accuracy", "a", "b", np.ones(2, np.bool_), np.ones(3, np.bool_))
