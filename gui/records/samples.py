"""Samples: latencies of timed runs, int64 nanoseconds, as batches on the wire and as a growing series."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .codec import DecodeError

Nanoseconds = npt.NDArray[np.int64]
"""Shape (n,), nanoseconds."""

MAX_SAMPLES = 20_000_000
"""More are counted but not kept: 160 MB a trial."""

_BLOCK = 256
_MANY = 1 << 20


def encode_samples(samples: Nanoseconds) -> str:
    """Return the samples as base64 of little-endian int64: the wire form of a batch."""
    return base64.b64encode(samples.astype("<i8", copy=False).tobytes()).decode("ascii")


def decode_samples(text: str) -> Nanoseconds:
    """Return the samples of a batch, shape (n,), nanoseconds. Raises `DecodeError` when it is no batch."""
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), dtype="<i8").astype(np.int64)
    except (binascii.Error, ValueError) as error:
        raise DecodeError(f"not a batch of samples: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Minima and maxima of consecutive samples, for drawing more samples than there are pixels.

    `starts` holds the index of the first sample of each column, shape (n,); `lows` and `highs` are nanoseconds of the
    same shape. With one sample a column the lows are the highs.
    """

    starts: npt.NDArray[np.int64]
    lows: Nanoseconds
    highs: Nanoseconds


class SampleSeries:
    """The samples of one trial, in order; appending and drawing stay cheap however many there are."""

    def __init__(self) -> None:
        self._values = np.empty(4096, np.int64)
        self._lows = np.empty(16, np.int64)
        self._highs = np.empty(16, np.int64)
        self._count = 0
        self._blocks = 0
        self._dropped = 0

    def __len__(self) -> int:
        return self._count

    @property
    def dropped(self) -> int:
        """How many samples came after `MAX_SAMPLES` and were not kept."""
        return self._dropped

    @property
    def values(self) -> Nanoseconds:
        """All samples, shape (n,), nanoseconds; a read-only view that later batches do not change."""
        view = self._values[: self._count]
        view.flags.writeable = False
        return view

    def append(self, batch: Nanoseconds) -> None:
        """Add a batch, shape (n,), nanoseconds."""
        room = MAX_SAMPLES - self._count
        if len(batch) > room:
            self._dropped += len(batch) - room
            batch = batch[:room]
        end = self._count + len(batch)
        self._values = _grown(self._values, self._count, end)
        self._values[self._count : end] = batch
        self._count = end
        self._summarise_blocks()

    def subsample(self, limit: int) -> Nanoseconds:
        """Return at most `limit` samples spread evenly over the series, shape (m,), nanoseconds; all if they fit."""
        if self._count <= limit:
            return self.values
        step = -(-self._count // limit)
        return self.values[::step]

    def extremes(self) -> tuple[int, int]:
        """Return the fastest and the slowest sample, nanoseconds. There must be one."""
        rest = self._values[self._blocks * _BLOCK : self._count]
        lows = np.concatenate((self._lows[: self._blocks], rest))
        highs = np.concatenate((self._highs[: self._blocks], rest))
        return int(lows.min()), int(highs.max())

    def envelope(self, first: int, last: int, columns: int) -> Envelope:
        """Return minima and maxima of the samples `first` to `last` (exclusive) in at most about `columns` columns."""
        first, last = max(0, first), min(self._count, last)
        count = max(0, last - first)
        if count <= columns:
            values = self.values[first:last]
            return Envelope(starts=np.arange(first, last, dtype=np.int64), lows=values, highs=values)
        if count < columns * _BLOCK * 2:
            return _reduced(self.values[first:last], self.values[first:last], first, 1, columns)
        from_block, to_block = -(-first // _BLOCK), last // _BLOCK
        head, tail = self.values[first : from_block * _BLOCK], self.values[to_block * _BLOCK : last]
        whole = _reduced(
            self._lows[from_block:to_block], self._highs[from_block:to_block], from_block * _BLOCK, _BLOCK, columns
        )
        if len(tail):
            whole.lows[-1], whole.highs[-1] = min(whole.lows[-1], tail.min()), max(whole.highs[-1], tail.max())
        if len(head):
            whole.lows[0], whole.highs[0] = min(whole.lows[0], head.min()), max(whole.highs[0], head.max())
            whole.starts[0] = first
        return whole

    def _summarise_blocks(self) -> None:
        blocks = self._count // _BLOCK
        if blocks == self._blocks:
            return
        fresh = self._values[self._blocks * _BLOCK : blocks * _BLOCK].reshape(-1, _BLOCK)
        self._lows = _grown(self._lows, self._blocks, blocks)
        self._highs = _grown(self._highs, self._blocks, blocks)
        self._lows[self._blocks : blocks] = fresh.min(axis=1)
        self._highs[self._blocks : blocks] = fresh.max(axis=1)
        self._blocks = blocks


def _grown(array: Nanoseconds, used: int, needed: int) -> Nanoseconds:
    if needed <= len(array):
        return array
    # Doubling copies, which takes long for millions. Memory that is not written to yet costs nothing but addresses, so
    # from some size on there is room for all that will ever be kept.
    size = max(needed, 2 * len(array))
    larger = np.empty(max(size, MAX_SAMPLES) if size > _MANY else size, np.int64)
    larger[:used] = array[:used]
    return larger


def _reduced(lows: Nanoseconds, highs: Nanoseconds, first: int, stride: int, columns: int) -> Envelope:
    step = -(-len(lows) // columns)
    offsets = np.arange(0, len(lows), step, dtype=np.int64)
    return Envelope(
        starts=first + offsets * stride,
        lows=np.minimum.reduceat(lows, offsets),
        highs=np.maximum.reduceat(highs, offsets),
    )
