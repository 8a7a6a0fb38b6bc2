"""How much faster one row of a comparison is than another: the ratio of their latencies, its interval, the verdict.

Medians are nearest rank, as all of the program's (`records.statistics`).

**By turns** (both rows have rounds in common): of each common round the medians of both rows are compared, and nothing
else. What changes from round to round hits both; and as the order within a round is drawn by chance, the logarithm of
the ratio in a round is symmetric about 0 when the targets are equal, whatever its distribution. So the estimate is that
of Hodges and Lehmann, and the interval is that of the Wilcoxon signed-rank test, of which the level is exact.

**Not by turns** (kept trials, other machines, a cell measured anew by itself): the samples of each row are cut into
blocks that follow each other, for neighbours are alike; the medians of the blocks are compared by the shift of
their logarithms, with the interval of the Mann–Whitney test. It knows of what changed within a trial, not of what
changed between the two: that is for a caution to say.

Intervals are of 99 %. Where several rows are compared with one, each is made so much wider that all of them hold at
once with 99 % (Bonferroni), which needs a few rounds more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from .compared import Compared
from .comparison import ComparisonPart
from .rank_intervals import Shift, fewest_pairs, rank_sum_shift, signed_rank_shift
from .samples import Nanoseconds
from .statistics import nearest_rank

NOISE_PERCENT = 2.0
"""A difference of less is not told: two sessions of one model on one device can differ by as much.

Measured by turns, 20 rounds, in 267 pairs of equal sessions of ORT's CPU EP in one process: where their weights and
buffers happen to lie makes one of them faster for as long as it lives, at 15 µs a run by 0.5 to 0.9 % (standard
deviation, 2.4 % at most), at 250 µs and 4 ms by 0.6 % (2.3 % at most). Of the intervals 40 % did not hold 1 at 15 µs,
for they tell such a difference truly; none lay beyond 2 %, one beyond 1 %.
"""
ERROR = 0.01
"""How often at most one of the intervals of a comparison may miss."""
MIN_ROUNDS_TO_TELL = fewest_pairs(ERROR)
"""Fewer rounds allow no interval of 99 %."""
MIN_SAMPLES_TO_TELL = 8
"""The same of the samples of trials that were not measured by turns."""
_MOST_BLOCKS = 20
_BLOCK_SAMPLES = 4
"""A block shall have so many samples, where that leaves enough blocks."""


class Verdict(Enum):
    """How a row's median latency compares with that of the baseline."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no difference larger than the noise"
    TOO_FEW = "too few rounds to tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The median latency of the baseline over that of a row: 1.31 says that the row is 1.31 times as fast."""

    value: float
    low: float | None
    """The lower end of the 99 % interval; None where there is too little to say."""
    high: float | None
    verdict: Verdict
    is_paired: bool
    """Whether both were measured by turns; else drift between them is part of the difference."""
    rounds: int | None = None
    """How many rounds of one comparison both have in common; None when they were not measured by turns."""

    @property
    def inverse(self) -> Ratio:
        """The ratio the other way round: of the row over the baseline."""
        verdicts = {Verdict.FASTER: Verdict.SLOWER, Verdict.SLOWER: Verdict.FASTER}
        return Ratio(
            value=1 / self.value,
            low=None if self.high is None else 1 / self.high,
            high=None if self.low is None else 1 / self.low,
            verdict=verdicts.get(self.verdict, self.verdict),
            is_paired=self.is_paired,
            rounds=self.rounds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """What is taken of a row's samples to compare it, so that of many rows each is gone through once."""

    part: ComparisonPart | None
    rounds: dict[int, float]
    """The logarithm of the median of each round that has samples, by its number."""
    samples: Nanoseconds


def timings_of(row: Compared) -> Timings:
    """Return what is compared of a row."""
    rounds: dict[int, float] = {}
    if row.part is not None and not row.part.is_alone:
        first = 0
        for entry in row.part.rounds:
            samples = row.samples[first : first + entry.sample_count]
            first += entry.sample_count
            if len(samples):  # of a trial with too many, the last are not kept
                rounds[entry.number] = _log_median(samples)
    return Timings(part=row.part, rounds=rounds, samples=row.samples)


def ratio_of(row: Compared, base: Compared, *, comparisons: int = 1) -> Ratio:
    """Return how a row compares with another one. Raises `ValueError` when one of them has no samples.

    `comparisons` is how many such ratios are looked at together.
    """
    return ratio_between(timings_of(row), timings_of(base), comparisons=comparisons)


def ratio_between(row: Timings, base: Timings, *, comparisons: int = 1) -> Ratio:
    """Return the ratio of two rows, see `ratio_of`."""
    if not len(row.samples) or not len(base.samples):
        raise ValueError("a row without samples cannot be compared")
    error = ERROR / max(1, comparisons)
    if is_paired(row, base):
        common = sorted(row.rounds.keys() & base.rounds.keys())
        if common:
            differences = np.array([base.rounds[number] - row.rounds[number] for number in common])
            return _judged(signed_rank_shift(differences, error), rounds=len(common))
        # One of them ended before the other began: nothing they have in common.
        shift = Shift(value=_log_median(base.samples) - _log_median(row.samples), low=None, high=None)
        return _judged(shift, rounds=0)
    shift = rank_sum_shift(_blocks(base.samples), _blocks(row.samples), error)
    if min(len(row.samples), len(base.samples)) < MIN_SAMPLES_TO_TELL:
        shift = Shift(value=shift.value, low=None, high=None)
    return _judged(shift)


def rounds_to_tell(comparisons: int) -> int:
    """Return how many rounds in common so many ratios need that are looked at together."""
    return fewest_pairs(ERROR / max(1, comparisons))


def is_paired(row: Timings, base: Timings) -> bool:
    """Whether two rows were measured by turns in one comparison."""
    return (
        row.part is not None
        and base.part is not None
        and row.part.id == base.part.id
        and not row.part.is_alone
        and not base.part.is_alone
    )


def ratio_texts(values: Sequence[float]) -> tuple[str, ...]:
    """Return a ratio and the ends of its interval as text, all with as many decimals as show how wide it is.

    `1.31` and `12.4`, but `1.003` where the interval is that narrow. Always in the C locale.
    """
    largest = max(values)
    spread = largest - min(values)
    if largest >= 100:
        decimals = 0
    elif largest >= 9.995:
        decimals = 1
    else:
        decimals = 3 if len(values) > 1 and spread < 0.02 else 2
    return tuple(f"{value:.{decimals}f}" for value in values)


def _judged(shift: Shift, *, rounds: int | None = None) -> Ratio:
    """Return the ratio of a shift of logarithms, with the verdict; `rounds` are those in common."""
    value = math.exp(shift.value)
    is_paired = bool(rounds)
    if shift.low is None or shift.high is None:
        return Ratio(value=value, low=None, high=None, verdict=Verdict.TOO_FEW, is_paired=is_paired, rounds=rounds)
    low, high = math.exp(shift.low), math.exp(shift.high)
    noise = 1 + NOISE_PERCENT / 100
    verdict = Verdict.FASTER if low > noise else Verdict.SLOWER if high < 1 / noise else Verdict.NO_DIFFERENCE
    return Ratio(value=value, low=low, high=high, verdict=verdict, is_paired=is_paired, rounds=rounds)


def _blocks(samples: Nanoseconds) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the logarithms of the medians of blocks that follow each other."""
    count = min(len(samples), max(MIN_SAMPLES_TO_TELL, min(_MOST_BLOCKS, len(samples) // _BLOCK_SAMPLES)))
    return np.array([_log_median(block) for block in np.array_split(samples, count)])


def _log_median(samples: Nanoseconds) -> float:
    """Return the logarithm of the median, at least 0: what a coarse clock calls 0 took less than 1 ns of its ticks."""
    rank = nearest_rank(len(samples), 50)
    return math.log(max(1.0, float(np.partition(samples, rank)[rank])))
