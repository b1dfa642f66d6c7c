"""Two systems on the same rows: is the difference of their accuracies more than chance?

>>> import numpy as np
>>> tuned = np.array([True] * 90 + [False] * 10)
>>> base = np.array([True] * 70 + [False] * 30)
>>> comparison = compare("accuracy", "tuned", "base", tuned, base)
>>> round(comparison.difference, 2), comparison.p_value < 0.001
(0.2, True)
"""

from __future__ import annotations

import math
import sys

import numpy as np
import numpy.typing as npt

from kit.errors import InputError
from kit.evaluation.intervals import wilson
from kit.records import Comparison

Booleans = npt.NDArray[np.bool_]


def mcnemar(correct_a: Booleans, correct_b: Booleans) -> float:
    """Return the two-sided p-value of McNemar's test, exact binomial form.

    Only rows where one system is right and the other wrong count; if the systems are equally good,
    either is the right one with probability 1/2. Without such rows the p-value is 1.

    Source: Q. McNemar, Note on the sampling error of the difference between correlated
    proportions or percentages, Psychometrika 12 (1947), 153-157.

    Args:
        correct_a: shape [n], whether system a answered the row correctly.
        correct_b: shape [n], the same rows for system b.

    Returns:
        A p-value in (0, 1]. One too small for a double is given as the smallest normal double,
        2.2e-308, which bounds it from above: no finite data has p = 0.

    Raises:
        InputError: there are no rows.
    """
    from scipy.stats import binomtest

    _, only_a, only_b, _ = _table(correct_a, correct_b)
    if only_a + only_b == 0:
        return 1.0
    p_value = float(binomtest(min(only_a, only_b), only_a + only_b, 0.5).pvalue)
    return max(p_value, sys.float_info.min)


def newcombe(correct_a: Booleans, correct_b: Booleans) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two paired accuracies, a minus b.

    Source: method 10 of R. G. Newcombe, Improved confidence intervals for the difference between
    binomial proportions based on paired data, Statistics in Medicine 17 (1998), 2635-2650: the
    Wilson limits of both accuracies, combined with their correlation phi, whose numerator is
    corrected for continuity where it is positive.

    It and the exact test are different methods: close to p = 0.05 one may call a difference real
    and the other not.

    Args:
        correct_a: shape [n], whether system a answered the row correctly.
        correct_b: shape [n], the same rows for system b.

    Returns:
        (low, high), in [-1, 1].

    Raises:
        InputError: there are no rows.
    """
    both, only_a, only_b, neither = _table(correct_a, correct_b)
    n = both + only_a + only_b + neither
    a, b = (both + only_a) / n, (both + only_b) / n
    a_low, a_high = wilson(both + only_a, n)
    b_low, b_high = wilson(both + only_b, n)
    phi = _correlation(both, only_a, only_b, neither)
    difference = (only_a - only_b) / n
    return (
        max(-1.0, difference - _combined(a - a_low, b_high - b, phi)),
        min(1.0, difference + _combined(a_high - a, b - b_low, phi)),
    )


def compare(
    metric: str, name_a: str, name_b: str, correct_a: Booleans, correct_b: Booleans
) -> Comparison:
    """Return the difference of two accuracies on the same rows, its interval and its p-value.

    Args:
        metric: the name of what ``correct`` is a share of, such as "accuracy".
        name_a: the system whose share comes first in the difference.
        name_b: the system that is subtracted.
        correct_a: shape [n], whether system a answered the row correctly.
        correct_b: shape [n], the same rows for system b.

    Returns:
        A comparison with the interval of ``newcombe`` and the p-value of ``mcnemar``.

    Raises:
        InputError: there are no rows.
    """
    _, only_a, only_b, _ = _table(correct_a, correct_b)
    low, high = newcombe(correct_a, correct_b)
    return Comparison(
        metric=metric,
        a=name_a,
        b=name_b,
        difference=(only_a - only_b) / len(correct_a),
        low=low,
        high=high,
        p_value=mcnemar(correct_a, correct_b),
        test="exact McNemar",
    )


def _table(correct_a: Booleans, correct_b: Booleans) -> tuple[int, int, int, int]:
    """Rows that both, only a, only b and neither answered correctly."""
    if len(correct_a) != len(correct_b):
        raise ValueError(f"expected the same rows, got {len(correct_a)} and {len(correct_b)}")
    if not len(correct_a):
        raise InputError("expected at least one row to compare on, got 0; give a split with rows")
    a, b = np.asarray(correct_a, np.bool_), np.asarray(correct_b, np.bool_)
    return int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())


def _correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    n = both + only_a + only_b + neither
    product = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if product == 0:
        return 0.0
    numerator: float = both * neither - only_a * only_b
    if numerator > 0:
        numerator = max(numerator - n / 2, 0)
    return numerator / math.sqrt(product)


def _combined(x: float, y: float, phi: float) -> float:
    # Not below 0 for |phi| <= 1, but for rounding.
    return math.sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))
