"""Rank intervals against the tests they come from, as scipy computes them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gui.records.rank_intervals import (
    Values,
    fewest_pairs,
    rank_sum_cut,
    rank_sum_shift,
    signed_rank_cut,
    signed_rank_shift,
)


def walsh(values: Values) -> Values:
    """All averages of two differences, by the definition."""
    return np.array(sorted((values[i] + values[j]) / 2 for i in range(len(values)) for j in range(i, len(values))))


def signed_rank_inverted(values: Values, error: float) -> tuple[float, float]:
    """The shifts that scipy's exact test does not refuse: tried between any two neighbours among the averages."""
    averages = walsh(values)
    between = (averages[1:] + averages[:-1]) / 2
    kept = [
        index for index, shift in enumerate(between) if stats.wilcoxon(values - shift, method="exact").pvalue > error
    ]
    return float(averages[kept[0]]), float(averages[kept[-1] + 1])


def rank_sum_inverted(first: Values, second: Values, error: float) -> tuple[float, float]:
    """The same for two samples."""
    differences = np.sort(np.subtract.outer(first, second).ravel())
    between = (differences[1:] + differences[:-1]) / 2
    kept = [
        index
        for index, shift in enumerate(between)
        if stats.mannwhitneyu(first - shift, second, method="exact").pvalue > error
    ]
    return float(differences[kept[0]]), float(differences[kept[-1] + 1])


# ---- Against scipy ----


@pytest.mark.parametrize(("count", "error"), [(8, 0.01), (9, 0.01), (13, 0.05), (20, 0.01), (20, 0.001), (31, 0.01)])
def test_that_the_interval_of_paired_differences_is_the_exact_test_inverted(count: int, error: float) -> None:
    values = np.random.default_rng(count).normal(0.2, 1, count)
    found = signed_rank_shift(values, error)
    assert (found.low, found.high) == pytest.approx(signed_rank_inverted(values, error))
    assert found.value == pytest.approx(np.median(walsh(values)))


@pytest.mark.parametrize(("first", "second", "error"), [(8, 8, 0.01), (20, 20, 0.01), (8, 20, 0.001), (5, 7, 0.05)])
def test_that_the_interval_of_two_samples_is_the_exact_test_inverted(first: int, second: int, error: float) -> None:
    random = np.random.default_rng(first)
    one, other = random.normal(1, 1, first), random.normal(0, 1, second)
    found = rank_sum_shift(one, other, error)
    assert (found.low, found.high) == pytest.approx(rank_sum_inverted(one, other, error))
    assert found.value == pytest.approx(np.median([a - b for a in one for b in other]))


@pytest.mark.parametrize("error", [0.05, 0.01, 0.0001])
def test_that_beyond_the_exact_counts_the_approximation_goes_on_where_they_end(error: float) -> None:
    below, above, far = (signed_rank_cut(count, error) for count in (200, 201, 1000))
    assert below is not None
    assert above is not None
    assert far is not None
    step = 200 / 2 - stats.norm.isf(error / 2) * math.sqrt(200) * 3 / 4 / math.sqrt(3)  # the derivative by the count
    assert below + step - 0.01 * below <= above <= below + step + 1  # a little wider, never narrower
    chance = stats.norm.cdf((far + 0.5 - 250_250) / math.sqrt(1000 * 1001 * 2001 / 24))
    assert 0.999 * error / 2 < chance <= error / 2


# ---- How many there must be ----


@pytest.mark.parametrize("error", [0.05, 0.01, 0.01 / 3, 0.01 / 99, 0.25, 0.5])
def test_that_the_fewest_pairs_are_those_with_which_there_is_an_interval(error: float) -> None:
    fewest = fewest_pairs(error)
    assert signed_rank_cut(fewest, error) == 0
    assert fewest == 1 or signed_rank_cut(fewest - 1, error) is None


def test_that_eight_pairs_allow_an_interval_of_99_percent_from_the_least_to_the_greatest() -> None:
    values = np.array([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0])
    found = signed_rank_shift(values, 0.01)
    assert (found.low, found.high) == (1.0, 9.0)
    assert signed_rank_shift(values[:7], 0.01).low is None
    assert signed_rank_shift(values[:7], 0.01).high is None


def test_that_a_single_value_has_an_estimate_and_no_interval() -> None:
    found = signed_rank_shift(np.array([0.25]), 0.01)
    assert (found.value, found.low, found.high) == (0.25, None, None)
    found = rank_sum_shift(np.array([2.0]), np.array([1.5]), 0.01)
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert rank_sum_cut(3, 3, 0.01) is None


def test_that_equal_values_have_an_interval_of_no_width() -> None:
    found = signed_rank_shift(np.full(20, 0.5), 0.01)
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_that_an_outlier_moves_the_estimate_little() -> None:
    values = np.random.default_rng(1).normal(0.1, 0.01, 20)
    spoilt = values.copy()
    spoilt[7] = 50.0
    assert signed_rank_shift(spoilt, 0.01).value == pytest.approx(signed_rank_shift(values, 0.01).value, abs=0.005)


# ---- The level ----


def test_that_intervals_of_paired_differences_hold_what_they_should() -> None:
    """2,000 of 99 %: 20 misses expected at most, 39 are beyond chance (four standard deviations)."""
    random = np.random.default_rng(3)
    misses = 0
    for _ in range(2000):
        found = signed_rank_shift(random.laplace(0.3, 1, 12), 0.01)
        assert found.low is not None
        assert found.high is not None
        misses += not found.low <= 0.3 <= found.high
    assert 0 < misses <= 38


def test_that_intervals_of_two_samples_hold_what_they_should() -> None:
    random = np.random.default_rng(4)
    misses = 0
    for _ in range(2000):
        found = rank_sum_shift(0.3 + random.exponential(1, 12), random.exponential(1, 15), 0.01)
        assert found.low is not None
        assert found.high is not None
        misses += not found.low <= 0.3 <= found.high
    assert 0 < misses <= 38
