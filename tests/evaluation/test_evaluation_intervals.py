"""Intervals against published values, scipy, and brute force."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, binomtest

from kit.errors import InputError
from kit.evaluation import intervals
from kit.evaluation.intervals import bootstrap, bootstrap_counts, enclosing, proportion, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_values_that_newcombe_published(
    successes: int, n: int, low: float, high: float
) -> None:
    # Newcombe 1998 (two-sided intervals for the single proportion), table I, method 3.
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_equals_scipy_on_every_small_table() -> None:
    for n in range(1, 25):
        for successes in range(n + 1):
            theirs = binomtest(successes, n).proportion_ci(method="wilson")
            assert wilson(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_limits_solve_the_score_equation() -> None:
    share = 37 / 120
    for limit in wilson(37, 120):
        spread = math.sqrt(limit * (1 - limit) / 120)
        assert abs(share - limit) / spread == pytest.approx(1.959964, abs=1e-6)


def test_wilson_encloses_the_share_and_mirrors_with_it() -> None:
    for n in (1, 2, 7, 400):
        for successes in {0, 1, n // 2, n}:
            low, high = wilson(successes, n)
            assert 0 <= low <= successes / n <= high <= 1
            assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_covers_the_true_share_about_as_often_as_it_says() -> None:
    covered = sum(
        binom.pmf(k, 60, 0.3) for k in range(61) if wilson(k, 60)[0] <= 0.3 <= wilson(k, 60)[1]
    )
    assert covered == pytest.approx(0.95, abs=0.02)


def test_a_higher_level_is_wider_and_more_rows_are_narrower() -> None:
    low, high = wilson(30, 100)
    wide_low, wide_high = wilson(30, 100, level=0.99)
    narrow_low, narrow_high = wilson(300, 1000)
    assert wide_low < low < narrow_low < 0.3 < narrow_high < high < wide_high


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_that_is_no_fraction_is_a_bug(level: float) -> None:
    with pytest.raises(ValueError, match="level between 0 and 1"):
        wilson(1, 2, level)
    with pytest.raises(ValueError, match="level between 0 and 1"):
        bootstrap(np.mean, np.ones(3), samples=2, level=level)


@pytest.mark.parametrize("successes", [-1, 4])
def test_successes_outside_the_rows_are_a_bug(successes: int) -> None:
    with pytest.raises(ValueError, match="0 to 3 successes"):
        wilson(successes, 3)


def test_no_rows_are_a_users_error_in_one_line() -> None:
    empty = np.zeros(0, np.int64)
    measures: list[Callable[[], object]] = [
        lambda: wilson(0, 0),
        lambda: bootstrap(np.mean, empty),
        lambda: bootstrap_counts(lambda tables: tables.sum(axis=1), empty),
    ]
    for measure in measures:
        with pytest.raises(InputError, match="at least one row") as caught:
            measure()
        assert "\n" not in str(caught.value)


def test_a_share_of_no_rows_is_marked_as_not_measured() -> None:
    metric = proportion(0, 0)
    assert (metric.value, metric.low, metric.high, metric.n) == (0, 0, 1, 0)
    assert metric.method == "none"
    assert proportion(0, 1).method == "wilson"


def test_bootstrap_of_a_mean_agrees_with_normal_theory() -> None:
    rows = np.random.default_rng(3).normal(5, 2, 400)
    half = 1.959964 * rows.std(ddof=1) / math.sqrt(400)
    low, high = bootstrap(np.mean, rows)
    assert (low, high) == pytest.approx((rows.mean() - half, rows.mean() + half), abs=0.03)


def test_bootstrap_is_the_percentile_of_resampled_rows() -> None:
    rows = np.arange(10.0)
    rng = np.random.default_rng(7)
    values = sorted(float(np.median(rows[rng.integers(0, 10, 10)])) for _ in range(41))
    # Of 41 sorted values the quantiles 0.025 and 0.975 are the second and the last but one.
    expected = pytest.approx((values[1], values[-2]))
    assert bootstrap(np.median, rows, samples=41, seed=7) == expected


def test_bootstrap_keeps_the_columns_of_a_row_together() -> None:
    a = np.random.default_rng(0).random(50)

    def difference(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
        return float((x - y).mean())

    assert bootstrap(difference, a, a - 1, samples=20) == pytest.approx((1, 1))


def test_columns_of_different_length_are_a_bug() -> None:
    with pytest.raises(ValueError, match="one length"):
        bootstrap(np.mean, np.ones(3), np.ones(4))


def test_the_seed_alone_decides_the_draw() -> None:
    rows = np.random.default_rng(0).random(30)
    counts = np.array([12, 0, 18])
    intervals_of: list[Callable[[int], tuple[float, float]]] = [
        lambda seed: bootstrap(np.mean, rows, samples=50, seed=seed),
        lambda seed: bootstrap_counts(lambda t: t[:, 0] / 30, counts, samples=50, seed=seed),
    ]
    for interval in intervals_of:
        assert interval(1) == interval(1)
        assert interval(1) != interval(2)


def test_resampled_counts_are_distributed_like_resampled_rows() -> None:
    counts = np.array([[40, 7], [0, 23]])
    cells = np.repeat(np.arange(4), counts.ravel())

    def of_rows(rows: npt.NDArray[np.int64]) -> float:
        return float((rows == 0).sum() / max((rows < 2).sum(), 1))

    def of_tables(tables: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.asarray(tables[:, 0, 0] / tables[:, 0].sum(axis=1))

    by_row = bootstrap(of_rows, cells, samples=4000, seed=1)
    by_count = bootstrap_counts(of_tables, counts, samples=4000, seed=2)
    assert by_count == pytest.approx(by_row, abs=0.015)


def test_a_resampled_table_keeps_the_number_of_rows_and_its_empty_cells() -> None:
    seen: list[npt.NDArray[np.int64]] = []

    def keep(tables: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        seen.append(tables)
        return np.zeros(len(tables))

    bootstrap_counts(keep, np.array([[3, 0], [5, 2]]), samples=25)
    tables = np.concatenate(seen)
    assert tables.shape == (25, 2, 2)
    assert (tables.sum(axis=(1, 2)) == 10).all()
    assert (tables[:, 0, 1] == 0).all()


def test_working_in_parts_does_not_change_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.array([12, 5, 18])

    def share(tables: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.asarray(tables[:, 0] / 35)

    whole = bootstrap_counts(share, counts, samples=100)
    monkeypatch.setattr(intervals, "CELLS_AT_ONCE", 21)
    assert bootstrap_counts(share, counts, samples=100) == whole


def test_an_interval_beside_its_value_is_widened_to_it() -> None:
    assert enclosing(0.1, 0.2, 0.3, 9).low == 0.1
    assert enclosing(0.4, 0.2, 0.3, 9).high == 0.4
