"""Waits until a session that was run is at rest: the threads of ORT's pools go on spinning after a run, for more work.

It takes some 60 ms with two threads, in which a round of another session would share the processors with them.
Lives on the worker thread.
"""

from __future__ import annotations

import time
from typing import Final

from .cancellation import Cancellation

_LOOK_S: Final = 0.02
"""Long enough for the coarsest clock: Windows counts processor time in steps of 15.6 ms."""
_QUIET_LOOKS: Final = 2
"""In a row: where others want the processors too, a thread that spins may get none for one of them."""
_LONGEST_S: Final = 0.5
_AT_REST: Final = 0.1
"""Of a processor: less is what stands around the runs."""


def time_to_rest(cancellation: Cancellation) -> float:
    """Wait until this process rests and return how long that took, in seconds.

    An EP that always works is at rest as much as it ever will be: then it is 0.
    """
    took, since, quiet = 0.0, 0.0, 0
    while took < _LONGEST_S:
        used, began = time.process_time_ns(), time.perf_counter_ns()
        if cancellation.wait(_LOOK_S):
            break
        passed_ns = time.perf_counter_ns() - began
        since += passed_ns / 1e9
        if time.process_time_ns() - used >= _AT_REST * passed_ns:
            took, quiet = since, 0
            continue
        quiet += 1
        if quiet == _QUIET_LOOKS:
            return took
    return 0.0


class Rest:
    """Knows how long the session that was run last will go on spinning."""

    def __init__(self) -> None:
        self._ends_at = 0.0

    def begins(self, seconds: float) -> None:
        """A session has just been run that takes so long."""
        self._ends_at = time.monotonic() + seconds

    def wait(self, cancellation: Cancellation) -> None:
        """Wait until it rests, or for the cancellation."""
        left = self._ends_at - time.monotonic()
        if left > 0:
            cancellation.wait(left)
