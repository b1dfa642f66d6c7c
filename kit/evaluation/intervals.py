"""Confidence intervals: Wilson's for a proportion, the percentile bootstrap for the rest.

>>> low, high = wilson(81, 263)
>>> round(low, 4), round(high, 4)
(0.2553, 0.3662)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from kit.errors import InputError
from kit.records import Metric

LEVEL = 0.95
SAMPLES = 2000
# Bounds the memory of the resampled tables: 4 million counts are 32 MB.
CELLS_AT_ONCE = 4_000_000


def wilson(successes: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval of a proportion, without continuity correction.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    JASA 22 (1927), 209-212; method 3 of R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872.

    Args:
        successes: how many of the rows have the property, 0 to ``n``.
        n: the number of rows.
        level: the coverage, a fraction between 0 and 1.

    Returns:
        (low, high), fractions in [0, 1] that enclose ``successes / n``.

    Raises:
        InputError: there are no rows.
    """
    _check_rows(n)
    if not 0 <= successes <= n:
        raise ValueError(f"expected 0 to {n} successes, got {successes}")
    z2 = NormalDist().inv_cdf(_upper(level)) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the formula gives 0 and 1 but for rounding.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high


def proportion(successes: int, n: int) -> Metric:
    """Return a share of rows with its 95 % Wilson interval.

    A share of no rows is not known: its value is written as 0, its interval is all of [0, 1] and
    its method "none", so that a page can tell it from a measured 0.
    """
    if n == 0:
        return Metric(value=0.0, low=0.0, high=1.0, n=0, method="none")
    low, high = wilson(successes, n)
    return Metric(value=successes / n, low=low, high=high, n=n, method="wilson")


def bootstrap(
    statistic: Callable[..., float],
    *arrays: npt.NDArray[Any],
    samples: int = SAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a statistic of rows.

    Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.

    Args:
        statistic: takes the resampled ``arrays`` in their order and returns a number.
        arrays: one or more, of the same length; a row is the same index in all of them.
        samples: how many resamples are drawn.
        seed: of the draw; the same seed gives the same interval.
        level: the coverage, a fraction between 0 and 1.

    Returns:
        (low, high), in the statistic's unit.

    Raises:
        InputError: there are no rows.
    """
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        raise ValueError(f"expected arrays of one length, got {sorted(lengths)}")
    n = lengths.pop()
    _check_rows(n)
    rng = np.random.default_rng(seed)
    values = np.empty(samples)
    for i in range(samples):
        rows = rng.integers(0, n, n)
        values[i] = statistic(*(array[rows] for array in arrays))
    return _percentiles(values, level)


def bootstrap_counts(
    statistic: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]],
    counts: npt.NDArray[np.int64],
    samples: int = SAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a statistic of a table of counts.

    To draw n rows with replacement and count them anew is to draw the table from a multinomial
    distribution with the observed shares. The result is distributed as that of ``bootstrap`` over
    the rows, and its cost does not grow with them.

    Args:
        statistic: takes tables, shape [samples, *counts.shape], and returns shape [samples]. It
            may be called several times, with some of the samples each time.
        counts: rows per cell, of any shape.
        samples: how many resamples are drawn.
        seed: of the draw; the same seed gives the same interval.
        level: the coverage, a fraction between 0 and 1.

    Returns:
        (low, high), in the statistic's unit.

    Raises:
        InputError: the table counts no rows.
    """
    n = int(counts.sum())
    _check_rows(n)
    flat = counts.ravel()
    filled = np.flatnonzero(flat)
    rng = np.random.default_rng(seed)
    at_once = max(1, CELLS_AT_ONCE // flat.size)
    values = []
    for start in range(0, samples, at_once):
        size = min(at_once, samples - start)
        tables = np.zeros((size, flat.size), np.int64)
        tables[:, filled] = rng.multinomial(n, flat[filled] / n, size=size)
        values.append(statistic(tables.reshape(size, *counts.shape)))
    return _percentiles(np.concatenate(values), level)


def enclosing(value: float, low: float, high: float, n: int) -> Metric:
    """Return a metric with a bootstrap interval, widened to enclose its value.

    A figure draws the value inside its interval, which a bootstrap does not promise.
    """
    return Metric(value=value, low=min(low, value), high=max(high, value), n=n, method="bootstrap")


def _check_rows(n: int) -> None:
    if n < 1:
        raise InputError(
            f"expected at least one row to measure on, got {n}; give a split or file with rows"
        )


def _upper(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}")
    return 0.5 + level / 2


def _percentiles(values: npt.NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [1 - _upper(level), _upper(level)])
    return float(low), float(high)
