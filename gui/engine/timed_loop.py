"""Calls a function again and again and takes the time of each call; nothing else happens between two calls."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..records.samples import Nanoseconds
from ..records.statistics import is_stable
from ..records.trial import Ending, Stage
from .cancellation import Cancellation

BATCH_NS: Final = 33_000_000
"""Samples are sent at most this often."""
_BUFFER: Final = 1 << 16
_NEVER: Final = 1 << 62
_CHECK_GROWTH: Final = 1.1
"""Whether the median is stable is looked at when there are so many times as many samples as at the last look."""

Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments."""
Send = Callable[[Stage, Nanoseconds, int], None]
"""Gets the stage, a batch of samples, and the nanoseconds since the stage began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a loop ends by itself; None for never."""

    iterations: int | None = None
    seconds: float | None = None
    stable_percent: float | None = None


class _Stability:
    """Keeps the samples and tells when their median is stable."""

    def __init__(self, percent: float | None) -> None:
        self._percent = percent
        self._kept: list[Nanoseconds] = []
        self._count = 0
        self._next_look = 0

    def add(self, batch: Nanoseconds) -> None:
        if self._percent is not None:
            self._kept.append(batch.copy())
            self._count += len(batch)

    def is_reached(self) -> bool:
        if self._percent is None or self._count < self._next_look:
            return False
        self._next_look = int(self._count * _CHECK_GROWTH) + 1
        self._kept = [np.concatenate(self._kept)] if self._kept else []
        return bool(self._kept) and is_stable(self._kept[0], self._percent)


class TimedLoop:
    """One caller. About 30 times a second it pauses to send the samples taken: then, and only then, is anything
    allocated or written.
    """

    def __init__(self, call: Call, cancellation: Cancellation, send: Send, *, pause_s: float = 0.0) -> None:
        self._function, self._arguments = call
        self._cancellation = cancellation
        self._send = send
        self._pause_s = pause_s
        self._array = np.zeros(_BUFFER, np.int64)
        self._lock = threading.Lock()
        self._stage = Stage.MEASURING
        self._began = 0
        self._rescued = 0
        self._stability = _Stability(None)
        self.count = 0
        """Calls that ended, in the last `measure`."""
        self.elapsed_ns = 0
        """Wall-clock time of the last `measure`, up to the end of its last call."""
        self.ending: Ending | None = None
        """Why the last `measure` ended; None when it raised."""

    def measure(self, stage: Stage, limits: Limits) -> None:
        """Call until a limit is reached or the cancellation is requested.

        Raises what the function raises; the samples taken before are sent then, too.
        """
        clock, function, arguments = time.perf_counter_ns, self._function, self._arguments
        cancellation, slots, pause_s = self._cancellation, self._array.data, self._pause_s
        is_long_pause = pause_s * 1e9 >= BATCH_NS  # what was measured is not kept back so long
        limit = -1 if limits.iterations is None else limits.iterations
        self._stage, self._rescued, self._stability = stage, 0, _Stability(limits.stable_percent)
        self.count, self.elapsed_ns, self.ending, filled, is_steady = 0, 0, None, 0, False
        began = self._began = clock()
        deadline = began + int(limits.seconds * 1e9) if limits.seconds is not None else _NEVER
        send_at = min(began + BATCH_NS, deadline)
        last = now = began
        try:
            while self.count + filled != limit and not cancellation.is_requested() and now < deadline and not is_steady:
                start = clock()
                function(*arguments)
                now = last = clock()
                slots[filled] = last - start
                filled += 1
                if last >= send_at or filled == _BUFFER or is_long_pause:
                    self._flush(filled, last - began)
                    filled = 0
                    is_steady = self._stability.is_reached()
                    send_at = min(clock() + BATCH_NS, deadline)
                if pause_s:
                    cancellation.wait(min(pause_s, max(0, deadline - last) / 1e9))
                    now = clock()
            self.ending = self._why(limits, filled, is_steady=is_steady)
        finally:
            self._flush(filled, last - began)

    def rescue(self) -> None:
        """Send what was measured but not sent, from another thread: the function does not come back."""
        with self._lock:
            filled = int(np.count_nonzero(self._array))  # a slot is 0 until it is used, and again once it is sent
            self._send_from(self._rescued, filled, time.perf_counter_ns() - self._began)
            self._rescued = max(self._rescued, filled)

    def _why(self, limits: Limits, filled: int, *, is_steady: bool) -> Ending:
        if self._cancellation.is_requested():
            return Ending.STOPPED
        if is_steady:
            return Ending.STABLE
        return Ending.ITERATIONS if self.count + filled == limits.iterations else Ending.SECONDS

    def _flush(self, filled: int, elapsed_ns: int) -> None:
        with self._lock:
            self.count += filled
            self.elapsed_ns = elapsed_ns
            self._stability.add(self._array[:filled])
            self._send_from(self._rescued, filled, elapsed_ns)
            self._array[:filled] = 0
            self._rescued = 0

    def _send_from(self, first: int, last: int, elapsed_ns: int) -> None:
        if last > first:
            self._send(self._stage, self._array[first:last], elapsed_ns)


class ConcurrentLoop:
    """Several callers at the same time, each on a thread of its own; their samples are collected 30 times a second."""

    def __init__(self, calls: Sequence[Call], cancellation: Cancellation, send: Send, *, pause_s: float = 0.0) -> None:
        self._calls = calls
        self._cancellation = cancellation
        self._send = send
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._taken: tuple[deque[int], ...] = ()
        self._stage = Stage.MEASURING
        self._began = 0
        self._last: list[int] = []
        self._stability = _Stability(None)
        self._errors: list[Exception] = []
        self._ends = threading.Event()
        self.count = 0
        """Calls that ended, in the last `measure`."""
        self.elapsed_ns = 0
        """Wall-clock time of the last `measure`, up to the end of its last call."""
        self.ending: Ending | None = None
        """Why the last `measure` ended; None when it raised."""

    def measure(self, stage: Stage, limits: Limits) -> None:
        """Call until a limit is reached, by all callers together, or the cancellation is requested.

        Raises what the function first raised, after the other callers have ended; all samples are sent then, too.
        """
        self._stage, self._stability = stage, _Stability(limits.stable_percent)
        self._taken = tuple(deque() for _ in self._calls)
        self.count, self.elapsed_ns, self.ending = 0, 0, None
        self._errors, self._ends = [], threading.Event()
        tickets = itertools.count()
        gate = threading.Barrier(len(self._calls) + 1)
        threads = [
            threading.Thread(target=self._call, args=(number, gate, tickets, limits), daemon=True)
            for number in range(len(self._calls))
        ]
        self._last = [0] * len(self._calls)
        for thread in threads:
            thread.start()
        self._began = time.perf_counter_ns()
        gate.wait()
        is_steady = False
        while any(thread.is_alive() for thread in threads):
            next(thread for thread in threads if thread.is_alive()).join(BATCH_NS / 1e9)
            self.rescue()
            if not is_steady and self._stability.is_reached():
                is_steady = True
                self._ends.set()
        self.rescue()
        if self._errors:
            raise self._errors[0]
        self.ending = self._why(limits, is_steady=is_steady)

    def rescue(self) -> None:
        """Send what was measured but not sent; may be called on any thread."""
        with self._lock:
            values = [taken.popleft() for taken in self._taken for _ in range(len(taken))]
            self.count += len(values)
            self.elapsed_ns = max(self._last) - self._began if any(self._last) else 0
            if values:
                batch = np.array(values, np.int64)
                self._stability.add(batch)
                self._send(self._stage, batch, self.elapsed_ns)

    def _call(self, number: int, gate: threading.Barrier, tickets: itertools.count[int], limits: Limits) -> None:
        clock, (function, arguments), taken = time.perf_counter_ns, self._calls[number], self._taken[number]
        cancellation, ends, last_of = self._cancellation, self._ends, self._last
        limit = _NEVER if limits.iterations is None else limits.iterations
        gate.wait()
        deadline = self._began + int(limits.seconds * 1e9) if limits.seconds is not None else _NEVER
        now = self._began
        try:
            while not (ends.is_set() or cancellation.is_requested() or now >= deadline) and next(tickets) < limit:
                start = clock()
                function(*arguments)
                now = clock()
                taken.append(now - start)
                last_of[number] = now
                if self._pause_s:
                    cancellation.wait(min(self._pause_s, max(0, deadline - now) / 1e9))
                    now = clock()
        except Exception as error:  # noqa: BLE001 raised again on the thread that asked
            self._errors.append(error)
            ends.set()

    def _why(self, limits: Limits, *, is_steady: bool) -> Ending:
        if self._cancellation.is_requested():
            return Ending.STOPPED
        if is_steady:
            return Ending.STABLE
        return Ending.ITERATIONS if self.count == limits.iterations else Ending.SECONDS
