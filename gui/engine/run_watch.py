"""Ends runs that take too long: asks ORT first, then has the engine give up on itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final, Self

from .cancellation import Cancellation
from .timed_loop import Call

_GRACE_S: Final = 3.0
"""How long a run may take to end after it was asked to."""
_MAX_STEP_S: Final = 0.05


class RunTimedOutError(RuntimeError):
    """A run took longer than it may, and has ended since."""


class RunWatch:
    """Watches runs from a thread of its own; lives while a trial runs. Use it in a `with` statement."""

    def __init__(self, limit_s: float, cancellation: Cancellation, run_options: Any, give_up: Callable[[], None]):
        """`give_up` is called, on the watch's thread, when a run does not end although it was asked to."""
        self._limit_ns = int(limit_s * 1e9)
        self._cancellation = cancellation
        self._run_options = run_options
        self._give_up = give_up
        self._starts: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="run watch", daemon=True)
        self.is_overdue = False
        """Whether a run took too long."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()  # what comes next may use the same run options: they are not touched any more

    def guarded(self, call: Call) -> Call:
        """Return a call that does the same under watch. It raises `RunTimedOutError` when it took too long."""
        function, arguments = call
        starts, clock, limit_ns, number = self._starts, time.perf_counter_ns, self._limit_ns, len(self._starts)
        starts.append(0)

        def run(*given: Any) -> Any:
            start = starts[number] = clock()
            try:
                result = function(*given)
            finally:
                starts[number] = 0
            if clock() - start > limit_ns:
                self.is_overdue = True
                raise RunTimedOutError
            return result

        return run, arguments

    def _look(self) -> None:
        step = min(_MAX_STEP_S, self._limit_ns / 1e9 / 4)
        asked_at: int | None = None
        while not self._over.wait(step):
            now = time.perf_counter_ns()
            overdue = any(start and now - start > self._limit_ns for start in tuple(self._starts))
            if not overdue or self._cancellation.is_requested():  # a stopped trial is ended by its own rules
                continue
            if asked_at is None:
                asked_at = now
                self.is_overdue = True
                self._run_options.terminate = True
            elif now - asked_at > _GRACE_S * 1e9:
                self._give_up()
                return
