"""Click rates against computations of another kind, and against what papers print."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from kit.evaluation.click_rates import best_chances, difference, views_needed


def integrated_chances(clicks: list[int], views: list[int]) -> list[float]:
    """Integrate density of one rate times the distribution functions of all others."""
    posteriors = [stats.beta(c + 0.5, v - c + 0.5) for c, v in zip(clicks, views, strict=True)]
    grid = np.linspace(0, 1, 400_001)[1:-1]
    below = [posterior.cdf(grid) for posterior in posteriors]
    return [
        float(
            integrate.trapezoid(
                posterior.pdf(grid) * np.prod([b for j, b in enumerate(below) if j != i], axis=0),
                grid,
            )
        )
        for i, posterior in enumerate(posteriors)
    ]


@pytest.mark.parametrize(
    ("clicks", "views"),
    [
        ([120, 80], [2000, 2000]),
        ([30, 33, 31], [900, 1000, 700]),
        ([5, 0, 9], [40, 12, 90]),
        ([1000, 1010], [50_000, 50_000]),
    ],
)
def test_chances_are_those_of_numerical_integration(clicks: list[int], views: list[int]) -> None:
    chances = best_chances(np.array(clicks), np.array(views))
    assert chances.sum() == pytest.approx(1)
    assert chances == pytest.approx(integrated_chances(clicks, views), abs=0.004)


def test_the_same_seed_gives_the_same_chances() -> None:
    counts = (np.array([3, 4, 5]), np.array([50, 50, 50]))
    assert (best_chances(*counts) == best_chances(*counts)).all()
    assert (best_chances(*counts) != best_chances(*counts, seed=1)).any()


@pytest.mark.parametrize("counts", [(120, 2000, 80, 2000), (9, 90, 5, 40), (1, 1000, 999, 1001)])
def test_the_p_value_is_that_of_pearsons_chi_squared(counts: tuple[int, int, int, int]) -> None:
    a, n_a, b, n_b = counts
    table = [[a, n_a - a], [b, n_b - b]]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert difference(*counts).p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        # Newcombe 1998, table II, method 10.
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
    ],
)
def test_the_interval_is_the_published_one(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    found = difference(*counts)
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-4)
    assert found.low <= found.difference <= found.high


@pytest.mark.parametrize("clicks", [0, 50])
def test_rates_that_are_equal_at_the_edge_are_no_difference(clicks: int) -> None:
    assert difference(clicks, 50, clicks, 50).p_value == 1
    assert views_needed(clicks / 50, clicks / 50) is None


@pytest.mark.parametrize(("rate_a", "rate_b"), [(0.06, 0.05), (0.5, 0.4), (0.02, 0.01)])
@pytest.mark.parametrize("power", [0.8, 0.95])
def test_with_the_views_needed_the_test_has_its_power(
    rate_a: float, rate_b: float, power: float
) -> None:
    n = views_needed(rate_a, rate_b, power)
    assert n is not None
    rng = np.random.default_rng(2)
    draws = zip(rng.binomial(n, rate_a, 4000), rng.binomial(n, rate_b, 4000), strict=True)
    found = np.mean([difference(int(a), n, int(b), n).p_value < 0.05 for a, b in draws])
    # 4,000 draws have a standard error of at most 0.0064.
    assert found == pytest.approx(power, abs=0.02)
