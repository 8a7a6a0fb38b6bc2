"""Intervals of a shift that assume no distribution: Hodges–Lehmann estimates with exact rank intervals.

Of paired differences (`signed_rank_shift`): the estimate is the median of the Walsh averages, those of all pairs of
differences, each with itself too; the interval is that of the Wilcoxon signed-rank test. Its level is exact when the
differences are symmetric about the shift.

Of two independent samples (`rank_sum_shift`): the estimate is the median of all differences between one of the first
and one of the second; the interval is that of the Mann–Whitney test, of which the level is exact when both samples
differ in nothing but the shift.

Each interval is closed and holds every shift that the two-sided test does not refuse; ties make it wider, never too
narrow.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
"""Shape (n,)."""

_MOST_EXACT = 200
"""Of more differences the normal approximation takes over; its tails are heavier, so intervals are a little wider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """An estimate with its interval."""

    value: float
    low: float | None
    """The lower end of the interval; None when there are too few values for its level."""
    high: float | None


def signed_rank_shift(differences: Values, error: float) -> Shift:
    """Return the shift of paired differences, at least one; its interval fails with a probability of at most `error`.

    Takes memory for n (n + 1) / 2 averages.
    """
    first, second = np.triu_indices(len(differences))
    return _shift_of((differences[first] + differences[second]) / 2, signed_rank_cut(len(differences), error))


def rank_sum_shift(first: Values, second: Values, error: float) -> Shift:
    """Return by how much `first` lies above `second`, at least one value each; see `signed_rank_shift` for `error`."""
    return _shift_of(np.subtract.outer(first, second).ravel(), rank_sum_cut(len(first), len(second), error))


def fewest_pairs(error: float) -> int:
    """Return how many paired differences an interval needs at least."""
    return math.ceil(1 - math.log2(error))


def _shift_of(averages: Values, cut: int | None) -> Shift:
    value = float(np.median(averages))
    if cut is None:
        return Shift(value=value, low=None, high=None)
    last = len(averages) - 1
    ordered = np.partition(averages, (cut, last - cut))
    return Shift(value=value, low=float(ordered[cut]), high=float(ordered[last - cut]))


@functools.lru_cache(maxsize=1024)
def signed_rank_cut(count: int, error: float) -> int | None:
    """Return how many of the sorted Walsh averages the interval leaves out at each end; None when there are too few.

    It is the largest c with P(T <= c) <= error / 2, T being the sum of the ranks of the positive differences, which is
    how many of the averages are positive.
    """
    if count > _MOST_EXACT:
        mean = count * (count + 1) / 4
        deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
        return max(0, math.floor(mean - NormalDist().inv_cdf(1 - error / 2) * deviation - 0.5))
    chances = np.zeros(count * (count + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, count + 1):  # each rank is among the positive ones or not, with 1/2
        chances[rank:] += chances[:-rank]
        chances /= 2
    return _cut_of(chances, error)


@functools.lru_cache(maxsize=1024)
def rank_sum_cut(first: int, second: int, error: float) -> int | None:
    """Return how many of the differences of two samples of these sizes the interval leaves out at each end.

    As `signed_rank_cut`, with U in place of T: how many of the differences are positive.
    """
    # The number of arrangements with U = u is the coefficient of q^u in the Gaussian binomial, of which each factor
    # is (1 - q^(second + i)) / (1 - q^i). Whole numbers without bound, for a division must leave nothing.
    ways = [1] + [0] * (first * second)
    for size in range(1, first + 1):
        for index in range(len(ways) - 1, second + size - 1, -1):
            ways[index] -= ways[index - second - size]
        for index in range(size, len(ways)):
            ways[index] += ways[index - size]
    total = math.comb(first + second, first)
    return _cut_of(np.array([number / total for number in ways]), error)


def _cut_of(chances: Values, error: float) -> int | None:
    """Return the largest c for which the chances of 0 to c come to at most error / 2; None when that of 0 is more."""
    allowed = int(np.searchsorted(np.cumsum(chances), error / 2, "right"))
    return allowed - 1 if allowed else None
