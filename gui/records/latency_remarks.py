"""Sentences about a trial's latencies, only where they are true, each with what to do.

What is measured against chance is made so that samples of one distribution, whatever it is, are hardly ever remarked
upon: intervals of the median that must not meet, and a run of slow samples that would come once in 2,000 trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from .samples import Nanoseconds
from .statistics import LatencyStatistics, median_interval, nearest_rank
from .units import time_text

_MOST = 200_000
"""Of more samples course and distribution are told from so many, spread evenly."""
_CALL_NS = 4_000
"""What the Python binding takes of each `run`, about."""
_SHORT_NS = 100_000
_FEWEST = 30
"""Of fewer samples nothing is said but that they are few."""
_MIN_CHANGE = 0.03
"""Of warm-up and drift, of the median: less is not worth a sentence."""
_SETTLED = 0.02
"""Within so much of its later median a beginning counts as warm."""
_WIDE = 0.05
_SLOW_GAIN, _OTHER_LOSS = float(np.log(8)), float(np.log(0.9 / 0.2))
"""Logarithms of how much likelier a sample beyond the 90th percentile is during the warm-up (8 of 10) than after it
(1 of 10), and how much less likely another one."""
_EVIDENCE = float(np.log(2000))
_MIN_SIDE = 0.1
_MIN_APART = 0.05
_MIN_EXPLAINED = 0.85
_MAX_VALLEY = 0.25


class RemarkKind(Enum):
    """What a remark is about."""

    WARMING_UP = "still warming up"
    DRIFTING = "drifting"
    BIMODAL = "bimodal"
    OUTLIERS = "outliers"
    CALL_OVERHEAD = "call overhead"
    OVERSUBSCRIBED = "more threads than cores"
    FEW_SAMPLES = "few samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One sentence, and one of what to do."""

    kind: RemarkKind
    text: str
    advice: str


def latency_remarks(
    samples: Nanoseconds,
    statistics: LatencyStatistics | None,
    *,
    callers: int,
    intra_op_threads: int,
    cpu_count: int,
) -> tuple[Remark, ...]:
    """Return what is to be said of the samples of an ended trial (shape (n,), nanoseconds, in their order).

    `statistics` are those of all samples. `intra_op_threads` 0 is ORT's own choice, `cpu_count` 0 is not known.
    """
    if statistics is None or len(samples) == 0:
        return ()
    part, step = _spread(samples)
    warming_up, steady = _warming_up(part, step)
    remarks = (
        warming_up,
        _drifting(steady, "after that, " if warming_up is not None else ""),
        _bimodal(steady, callers, intra_op_threads, cpu_count),
        _outliers(samples, statistics),
        _call_overhead(statistics),
        _oversubscribed(callers, intra_op_threads, cpu_count),
        _few_samples(statistics),
    )
    return tuple(remark for remark in remarks if remark is not None)


# ---- The course: warm-up and drift ----


def _warming_up(samples: Nanoseconds, step: int) -> tuple[Remark | None, Nanoseconds]:
    """Return the remark and the samples after the warm-up; all samples where there was none.

    The beginning is slower, or faster, than the second half, for at most a third of the samples (more is a drift), and
    what comes after it changes little beside that. One of `step` runs is among the samples.
    """
    if len(samples) < _FEWEST:
        return None, samples
    later = samples[len(samples) // 2 :]
    usual = _median(later)
    rank = nearest_rank(len(later), 90)
    for sign in (1, -1):
        # The faster beginning is the slower one of the mirrored samples.
        limit = max(int(np.partition(sign * later, rank)[rank]), round(sign * usual + _SETTLED * usual))
        length = _beginning(sign * samples > limit)
        if not 0 < length <= len(samples) // 3:
            continue
        change = _median(samples[:length]) / usual - 1 if usual else 0.0
        flat = _change(samples[length:])
        if sign * change >= _MIN_CHANGE and abs(flat) <= max(0.01, abs(change) / 4):
            return _warm_up_remark(length * step, change, usual), samples[length:]
    return None, samples


def _beginning(is_beyond: npt.NDArray[np.bool_]) -> int:
    """Return how many samples from the first on are mostly beyond the limit; 0 when that may be chance.

    The sum of the likelihood ratio's logarithm is greatest where the beginning ends. By chance it reaches `_EVIDENCE`
    once in 2,000 times.
    """
    evidence = np.cumsum(np.where(is_beyond, _SLOW_GAIN, -_OTHER_LOSS))
    end = int(evidence.argmax())
    return end + 1 if evidence[end] >= _EVIDENCE else 0


def _warm_up_remark(length: int, change: float, usual: int) -> Remark:
    more = f"raise the warm-up by about {_round_number(length * 1.2)} runs"
    if change > 0:
        advice = f"R{more[1:]}, so that they are left out of the statistics."
    else:
        advice = (
            "A processor or GPU is fast while it is cool or its power budget lasts, then slows down: "
            f"{more} to see what it keeps up."
        )
    return Remark(
        kind=RemarkKind.WARMING_UP,
        text=f"Still warming up: the first {length:,} runs were {_percent(abs(change))} "
        f"{'slower' if change > 0 else 'faster'} than the second half, of which the median is {time_text(usual)}.",
        advice=advice,
    )


def _drifting(samples: Nanoseconds, where: str) -> Remark | None:
    """Compare the first third with the last one."""
    change = _change(samples)
    if abs(change) <= _MIN_CHANGE:
        return None
    third = len(samples) // 3
    first, last = _median(samples[:third]), _median(samples[-third:])
    slower = change > 0
    return Remark(
        kind=RemarkKind.DRIFTING,
        text=f"Drifting: {where}the last third of the runs was {_percent(abs(change))} "
        f"{'slower' if slower else 'faster'} than the first (median {time_text(last)} against {time_text(first)}).",
        advice="Likely heat, a power limit or other load that came: let the machine cool down, watch clock and "
        "temperature, and measure for longer to see where it settles."
        if slower
        else "It may still be warming up, or other load went away: raise the warm-up and measure again until the "
        "thirds agree.",
    )


def _change(samples: Nanoseconds) -> float:
    """Return by how much of the first third's median that of the last differs; 0 when their 95 % intervals meet."""
    third = len(samples) // 3
    first, last = samples[:third], samples[len(samples) - third :]
    before, after = median_interval(first), median_interval(last)
    if before is None or after is None or (before[0] <= after[1] and after[0] <= before[1]):
        return 0.0
    base = _median(first)
    return _median(last) / base - 1 if base else 0.0


# ---- The distribution ----


def _bimodal(samples: Nanoseconds, callers: int, intra_op_threads: int, cpu_count: int) -> Remark | None:
    levels = _two_levels(np.sort(samples))
    if levels is None:
        return None
    fast, slow, share = levels
    percent = round(share * 100)  # the other is what is left, so that both make 100
    advice = (
        "Something switches between two states: set a fixed power mode, end other load, and keep the intra-op threads "
        "fewer than the cores (their affinities can be set as a session option)."
    )
    if cpu_count and _busy_threads(callers, intra_op_threads, cpu_count) >= cpu_count:
        advice += (
            " All cores are taken here, so that each thread that loses its core holds up a run; a virtual machine's"
            " host takes one now and then (steal time)."
        )
    return Remark(
        kind=RemarkKind.BIMODAL,
        text=f"Bimodal: {100 - percent} % of the runs took about {time_text(fast)}, {percent} % about "
        f"{time_text(slow)}: the median tells of only one of them.",
        advice=advice,
    )


def _two_levels(ordered: Nanoseconds) -> tuple[int, int, float] | None:
    """Return the medians of two clusters and the share of the slower one; None where there are not two.

    Otsu's split of the samples from 1 to 99 %: it must explain most of the variance (of a uniform distribution it does
    75 %, of a normal one 64 %), leave a tenth of the samples on each side, and lie in a valley.
    """
    count = len(ordered)
    if count < _FEWEST:
        return None
    trimmed = ordered[count // 100 : count - count // 100]
    split, explained = _otsu(trimmed)
    if explained < _MIN_EXPLAINED:
        return None
    fast_count = count // 100 + split
    fast, slow = _median(ordered[:fast_count]), _median(ordered[fast_count:])
    if min(fast_count, count - fast_count) < _MIN_SIDE * count or slow < fast * (1 + _MIN_APART):
        return None
    if not _has_valley(ordered, fast, slow):
        return None
    return fast, slow, 1 - fast_count / count


def _otsu(ordered: Nanoseconds) -> tuple[int, float]:
    """Return how many of the sorted samples are in the lower class, and the share of the variance between classes."""
    values = ordered - ordered.mean()
    total = float(np.dot(values, values))
    if total == 0:
        return 0, 0.0
    below = np.arange(1, len(values))
    sums = np.cumsum(values)[:-1]  # of the lower class; that of the upper is its negative
    between = sums**2 * (1 / below + 1 / (len(values) - below))
    best = int(between.argmax())
    return best + 1, float(between[best]) / total


def _has_valley(ordered: Nanoseconds, fast: int, slow: int) -> bool:
    """Whether, between the two levels, a window of a quarter of their distance holds few samples beside those around
    the levels."""
    width = (slow - fast) / 4

    def held(centres: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        ends = np.searchsorted(ordered, centres + width / 2, "right")
        return (ends - np.searchsorted(ordered, centres - width / 2, "left")).astype(np.int64)

    peaks = held(np.array([fast, slow], np.float64))
    valley = held(np.linspace(fast + width, slow - width, 33)).min()
    # The root is what counting so many leaves to chance, the 2 what an empty window does.
    return bool(valley + np.sqrt(valley) + 2 <= _MAX_VALLEY * peaks.min())


def _outliers(samples: Nanoseconds, statistics: LatencyStatistics) -> Remark | None:
    limit = 2 * statistics.p99_ns
    if statistics.is_p99_rough or statistics.max_ns <= limit:
        return None
    count = int(np.count_nonzero(samples > limit))
    many = f"{count:,} of {len(samples):,} runs took" if count > 1 else f"one of {len(samples):,} runs took"
    return Remark(
        kind=RemarkKind.OUTLIERS,
        text=f"Outliers: {many} more than twice the p99 ({time_text(statistics.p99_ns)}), the slowest "
        f"{time_text(statistics.max_ns)}: likely thermal or noise of the system.",
        advice="Judge by the median and the percentiles, not by the mean or the slowest run; end other programs and "
        "measure again to see whether they come back.",
    )


# ---- The circumstances ----


def _call_overhead(statistics: LatencyStatistics) -> Remark | None:
    median = statistics.median_ns
    if median >= _SHORT_NS:
        return None
    share = _CALL_NS / median if median > 0 else 1.0
    part = "dominates it" if share >= 0.5 else f"is about {_percent(share)} of it"
    return Remark(
        kind=RemarkKind.CALL_OVERHEAD,
        text=f"Call overhead: the median is only {time_text(median)}; the Python binding's own time of each run, some "
        f"{_CALL_NS // 1000} µs, {part}.",
        advice="To measure the model rather than the call, give a run more work, such as a larger batch, and compare "
        "differences rather than ratios.",
    )


def _busy_threads(callers: int, intra_op_threads: int, cpu_count: int) -> int:
    """Return how many threads may compute at once.

    Not callers times threads: a session has one pool of a thread less than asked for, since the caller is the last one,
    and all callers share it.
    """
    return callers + (intra_op_threads or cpu_count) - 1


def _oversubscribed(callers: int, intra_op_threads: int, cpu_count: int) -> Remark | None:
    if not cpu_count or _busy_threads(callers, intra_op_threads, cpu_count) <= cpu_count:
        return None
    cores = f"{cpu_count:,} {'core' if cpu_count == 1 else 'cores'}"
    if intra_op_threads == 0:
        text = (
            f"ORT's own choice of threads takes all of {cores}, and of {callers:,} callers each but one adds another."
        )
    elif callers == 1:
        text = f"{intra_op_threads:,} intra-op threads compute at once, on {cores}."
    elif intra_op_threads == 1:
        text = f"{callers:,} callers compute at once, on {cores}."
    else:
        busy = _busy_threads(callers, intra_op_threads, cpu_count)
        text = (
            f"{callers:,} callers and the {intra_op_threads - 1:,} other intra-op threads that they share compute at "
        )
        text += f"once, {busy:,} on {cores}."
    return Remark(
        kind=RemarkKind.OVERSUBSCRIBED,
        text=f"More threads than cores: {text}",
        advice="They take turns, which makes single runs slower and their times uneven: take fewer callers or fewer "
        "intra-op threads, unless it is the throughput under such load that you want to know.",
    )


def _few_samples(statistics: LatencyStatistics) -> Remark | None:
    median, low, high = statistics.median_ns, statistics.median_low_ns, statistics.median_high_ns
    advice = "Measure more iterations, or until stable."
    if low is None or high is None:
        runs = "1 run" if statistics.count == 1 else f"{statistics.count:,} runs"
        return Remark(
            kind=RemarkKind.FEW_SAMPLES,
            text=f"Few samples: {runs} cannot tell how far the true median may lie from the one measured.",
            advice=advice,
        )
    if max(high - median, median - low) <= _WIDE * median:
        return None
    below, above = ((median - low) / median, (high - median) / median) if median else (0.0, float("inf"))
    return Remark(
        kind=RemarkKind.FEW_SAMPLES,
        text=f"Few samples for so much spread: the true median lies between {time_text(low)} and {time_text(high)} "
        f"with 95 % (-{_percent(below)}, +{_percent(above)} of the one measured).",
        advice=advice,
    )


# ---- Small parts ----


def _spread(samples: Nanoseconds) -> tuple[Nanoseconds, int]:
    """Return at most `_MOST` of the samples in their order, one of so many, and of how many.

    Which one is left to a fixed chance: every second of two that alternate would be all of one kind.
    """
    step = -(-len(samples) // _MOST)
    if step == 1:
        return samples, 1
    starts = np.arange(0, len(samples), step)
    picked = starts + np.random.default_rng(0).integers(0, step, len(starts))
    return samples[np.minimum(picked, len(samples) - 1)], step


def _median(samples: Nanoseconds) -> int:
    rank = nearest_rank(len(samples), 50)
    return int(np.partition(samples, rank)[rank])


def _percent(share: float) -> str:
    """Return a share such as `4.2 %` or `12 %`, `0 %` for nothing."""
    percent = share * 100
    return f"{percent:.1f} %" if 0.05 <= percent < 9.95 else f"{percent:.0f} %"


def _round_number(number: float) -> str:
    """Return the next of 10, 20, 50, 100, 200, …"""
    size = 10
    while True:
        for factor in (1, 2, 5):
            if number <= factor * size:
                return f"{factor * size:,}"
        size *= 10
