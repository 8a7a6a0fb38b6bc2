"""Statistics of a trial's samples, under one stated definition.

Percentiles are nearest rank: the smallest sample that at least p percent of all samples do not exceed, so each is a
latency that really happened. The median is the 50th. The standard deviation is that of a sample (n - 1). Throughput is
samples over the wall-clock time of the measuring stage, not the inverse of a latency. The coefficient of variation is
the standard deviation over the mean. The interval of the median is distribution-free: two samples, chosen by their rank
alone so that the true median lies between them with at least 95 % (`median_ranks`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .samples import Nanoseconds

DEFINITION = (
    "Percentiles are nearest rank (a latency that happened), the median is the 50th; its 95 % interval is "
    "distribution-free, from order statistics; standard deviation with n-1, coefficient of variation over the mean; "
    "throughput is samples over the wall-clock time of the measuring stage. The first run and the warm-up are left out."
)


MIN_P99_SAMPLES = 200
"""With fewer the p99 is the slowest sample or the one before it."""
MIN_P999_SAMPLES = 2000
"""The same of the p99.9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyStatistics:
    """Latencies are nanoseconds."""

    count: int
    min_ns: int
    median_ns: int
    mean_ns: float
    p90_ns: int
    p95_ns: int
    p99_ns: int
    p999_ns: int
    max_ns: int
    std_ns: float | None
    """None for a single sample."""
    throughput_per_s: float | None
    """None when the measuring time is not known."""
    median_low_ns: int | None = None
    """The lower end of the median's 95 % interval; None below 6 samples."""
    median_high_ns: int | None = None

    @property
    def variation(self) -> float | None:
        """The coefficient of variation, 1.0 for 100 %; None for a single sample."""
        return None if self.std_ns is None or not self.mean_ns else self.std_ns / self.mean_ns

    @property
    def is_p99_rough(self) -> bool:
        """Whether there are too few samples for the p99 to be more than one of the slowest."""
        return self.count < MIN_P99_SAMPLES

    @property
    def is_p999_rough(self) -> bool:
        """The same of the p99.9."""
        return self.count < MIN_P999_SAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """`counts[i]` samples lie in `edges_ns[i]` up to `edges_ns[i + 1]`; `beyond` lie above the last edge."""

    counts: npt.NDArray[np.int64]
    edges_ns: npt.NDArray[np.float64]
    beyond: int


def nearest_rank(count: int, percent: float) -> int:
    """Return the index of the percentile in `count` sorted samples: ceil(p/100 * n) - 1, at least 0.

    Exact for percentages of at most three decimals, in whole numbers: 99.9 is no float.
    """
    thousandths = round(percent * 1000)
    return max(0, -(-thousandths * count // 100_000) - 1)


def summarize(samples: Nanoseconds, measured_ns: int = 0, total_count: int | None = None) -> LatencyStatistics | None:
    """Return the statistics of samples (shape (n,), nanoseconds), or None when there are none.

    `measured_ns` is the wall-clock time of the measuring stage. `total_count` is the number of samples that
    `samples` stands for, when it is only a part of them.
    """
    count = len(samples)
    if count == 0:
        return None
    ranks = [nearest_rank(count, percent) for percent in (50, 90, 95, 99, 99.9)]
    interval = median_ranks(count)
    ordered = np.partition(samples, sorted({*ranks, *(interval or ())}))
    median, p90, p95, p99, p999 = (int(ordered[rank]) for rank in ranks)
    total = count if total_count is None else total_count
    return LatencyStatistics(
        count=total,
        min_ns=int(samples.min()),
        median_ns=median,
        mean_ns=float(samples.mean()),
        p90_ns=p90,
        p95_ns=p95,
        p99_ns=p99,
        p999_ns=p999,
        max_ns=int(samples.max()),
        std_ns=float(samples.std(ddof=1)) if count > 1 else None,
        throughput_per_s=total / (measured_ns / 1e9) if measured_ns > 0 else None,
        median_low_ns=None if interval is None else int(ordered[interval[0]]),
        median_high_ns=None if interval is None else int(ordered[interval[1]]),
    )


MIN_STABLE_SAMPLES = 30
"""Fewer say too little about a median, however close together they are."""


def median_ranks(count: int) -> tuple[int, int] | None:
    """Return the indices, in `count` sorted samples, of the 95 % interval of the median; None below 6 samples.

    Distribution-free: each sample lies below the median with probability 1/2, so the count of those below is binomial.
    The interval is the narrowest symmetric one that holds the median with at least 95 %: exactly so up to 1,000
    samples, beyond by the normal approximation with its continuity correction (a rank wider than
    needed for fewer than one count in a thousand, never narrower).
    """
    if count > 1000:
        low = math.floor(count / 2 - 1.959964 * math.sqrt(count) / 2 - 0.5)
        return low, count - 1 - low
    tail, below, limit = 0, -1, 0.025 * 2**count
    for rank in range(count):
        tail += math.comb(count, rank)
        if tail > limit:
            break
        below = rank
    return (below, count - 1 - below) if below >= 0 else None


def median_interval(samples: Nanoseconds) -> tuple[int, int] | None:
    """Return the 95 % interval of the median, nanoseconds, see `median_ranks`; None below 6 samples."""
    ranks = median_ranks(len(samples))
    if ranks is None:
        return None
    ordered = np.partition(samples, ranks)
    return int(ordered[ranks[0]]), int(ordered[ranks[1]])


def is_stable(samples: Nanoseconds, percent: float) -> bool:
    """Whether the 95 % interval of the median lies within so many percent of it, to both sides."""
    if len(samples) < MIN_STABLE_SAMPLES:
        return False
    interval = median_interval(samples)
    rank = nearest_rank(len(samples), 50)
    median = int(np.partition(samples, rank)[rank])
    if interval is None:
        return False
    return max(interval[1] - median, median - interval[0]) <= percent / 100 * median


def histogram(samples: Nanoseconds, bins: int = 60) -> Histogram | None:
    """Return equal bins from the fastest sample to well beyond the 95th percentile; None without samples.

    What lies beyond is counted, not drawn: a few slow samples would otherwise press all others into one bin.
    """
    if len(samples) == 0:
        return None
    low, highest = int(samples.min()), int(samples.max())
    rank = nearest_rank(len(samples), 95)
    p95 = int(np.partition(samples, rank)[rank])
    high = max(min(float(highest), p95 + 1.5 * (p95 - low)), low + bins)
    counts, edges = np.histogram(samples, bins=bins, range=(low, high))
    return Histogram(counts=counts.astype(np.int64), edges_ns=edges, beyond=len(samples) - int(counts.sum()))
