"""A trial's samples over time, summarised in blocks, so that drawing and zooming cost the same for however many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..records.comparison import Round
from ..records.samples import Nanoseconds, SampleSeries
from ..trial_run import TrialRun

Seconds = npt.NDArray[np.float64]
"""Shape (n,), seconds."""

_BLOCK: Final = 32
_EXACTLY: Final = 16
"""Up to so many samples a column their own times are taken; beyond, those of blocks."""
_STRETCHES: Final = 40
"""Of a trial without rounds, for the line of its medians."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeEnvelope:
    """Minima and maxima of the samples of each column, shape (n,); with one sample a column they are the same."""

    times_s: Seconds
    lows: Nanoseconds
    highs: Nanoseconds
    joined: npt.NDArray[np.bool_]
    """Whether a column and the next are of one round: between rounds nothing was measured."""


class TimeLine:
    """When each sample of a trial was taken: within a round they follow each other, scaled to its wall-clock time.

    `update` takes what has come since; about 1.3 bytes a sample are held beside the series.
    """

    def __init__(self) -> None:
        self._firsts = np.empty(0, np.int64)
        self._times = np.empty(0, np.float64)
        self._scales = np.empty(0, np.float32)
        self._stretches = np.empty(0, np.int32)
        self._lows = np.empty(0, np.int64)
        self._highs = np.empty(0, np.int64)
        self._median_times: list[float] = []
        self._medians: list[float] = []
        self._rounds = 0
        self._count = 0
        self._series = SampleSeries()
        self._end_s = 0.0

    @property
    def end_s(self) -> float:
        """When the last sample ended, seconds; 0 without any."""
        return self._end_s

    @property
    def medians(self) -> tuple[Seconds, npt.NDArray[np.float64]]:
        """The middle of each round, seconds, and its median latency, nanoseconds."""
        return np.array(self._median_times), np.array(self._medians)

    def update(self, trial: TrialRun, origin_ns: int | None) -> None:
        """Take what has come since. `origin_ns` is when the comparison began; None lets the trial begin at 0."""
        self._series = trial.series
        part = trial.comparison
        rounds = () if part is None else part.rounds
        if rounds:
            self._add_rounds(rounds, rounds[0].began_ns if origin_ns is None else origin_ns)
        elif not trial.is_running and self._count == 0 and len(trial.series):
            self._add_whole(trial)

    def envelope(self, left_s: float, right_s: float, columns: int) -> TimeEnvelope:
        """Return what lies between two times, and a sample more to both sides, in at most about so many columns."""
        blocks = len(self._firsts)
        from_block = max(0, int(np.searchsorted(self._times, left_s, "right")) - 1)
        to_block = min(blocks, int(np.searchsorted(self._times, right_s, "right")) + 1)
        if from_block >= to_block:
            empty = np.empty(0, np.int64)
            return TimeEnvelope(times_s=np.empty(0), lows=empty, highs=empty, joined=np.empty(0, np.bool_))
        first = int(self._firsts[from_block])
        last = int(self._firsts[to_block]) if to_block < blocks else self._count
        if last - first <= _EXACTLY * columns:
            return self._exact(from_block, to_block, first, last, left_s, right_s, columns)
        which = slice(from_block, to_block)
        return _reduced(self._times[which], self._lows[which], self._highs[which], self._stretches[which], columns)

    def _exact(
        self, from_block: int, to_block: int, first: int, last: int, left_s: float, right_s: float, columns: int
    ) -> TimeEnvelope:
        values = self._series.values[first:last]
        before = np.cumsum(values) - values
        offsets = self._firsts[from_block:to_block] - first
        lengths = np.diff(np.append(offsets, last - first))
        since_block = before - np.repeat(before[offsets], lengths)
        times = np.repeat(self._times[from_block:to_block], lengths)
        times += since_block * np.repeat(self._scales[from_block:to_block], lengths)
        stretches = np.repeat(self._stretches[from_block:to_block], lengths)
        seen = slice(max(0, int(np.searchsorted(times, left_s)) - 1), int(np.searchsorted(times, right_s, "right")) + 1)
        return _reduced(times[seen], values[seen], values[seen], stretches[seen], columns)

    def _add_rounds(self, rounds: tuple[Round, ...], origin_ns: int) -> None:
        for entry in rounds[self._rounds :]:
            last = self._count + entry.sample_count
            if last > len(self._series):  # they have not come yet, or were too many to be kept
                break
            self._rounds += 1
            # The system's clock may be set back meanwhile: rounds follow each other all the same.
            began = max((entry.began_ns - origin_ns) / 1e9, self._end_s)
            self._add(self._series.values[self._count : last], began, entry.measured_ns, self._rounds)

    def _add_whole(self, trial: TrialRun) -> None:
        values = trial.series.values
        step = -(-len(values) // _STRETCHES)
        began = 0.0
        total = int(values.sum())
        # Callers at the same time and pauses make the wall clock another than the sum of the latencies.
        scale = trial.elapsed_ns / total if total > 0 and trial.elapsed_ns > 0 else 1.0
        for first in range(0, len(values), step):
            stretch = values[first : first + step]
            measured = round(int(stretch.sum()) * scale)
            self._add(stretch, began, measured, 0)
            began += measured / 1e9

    def _add(self, values: Nanoseconds, began_s: float, measured_ns: int, stretch: int) -> None:
        """Add samples that follow each other; those of one `stretch` are joined."""
        if not len(values):
            return
        starts = np.arange(0, len(values), _BLOCK, dtype=np.int64)
        sums = np.add.reduceat(values, starts)
        total = int(sums.sum())
        scale = (measured_ns / total if measured_ns > 0 and total > 0 else 1.0) / 1e9
        times = began_s + (np.cumsum(sums) - sums) * scale
        self._firsts = np.append(self._firsts, starts + self._count)
        self._times = np.append(self._times, times)
        self._scales = np.append(self._scales, np.full(len(starts), scale, np.float32))
        self._stretches = np.append(self._stretches, np.full(len(starts), stretch, np.int32))
        self._lows = np.append(self._lows, np.minimum.reduceat(values, starts))
        self._highs = np.append(self._highs, np.maximum.reduceat(values, starts))
        self._count += len(values)
        self._end_s = began_s + total * scale
        self._median_times.append((began_s + self._end_s) / 2)
        self._medians.append(float(np.median(values)))


def _reduced(
    times: Seconds, lows: Nanoseconds, highs: Nanoseconds, stretches: npt.NDArray[np.int32], columns: int
) -> TimeEnvelope:
    step = -(-len(times) // columns)
    if step > 1:
        offsets = np.arange(0, len(times), step)
        times, stretches = times[offsets], stretches[offsets]
        lows, highs = np.minimum.reduceat(lows, offsets), np.maximum.reduceat(highs, offsets)
    joined = np.empty(len(times), np.bool_)
    joined[-1:] = False
    np.equal(stretches[:-1], stretches[1:], out=joined[:-1])
    return TimeEnvelope(times_s=times, lows=lows, highs=highs, joined=joined)
