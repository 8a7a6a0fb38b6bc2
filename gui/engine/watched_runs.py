"""How the runs of a trial are made: watched for the longest they may take, and timed with garbage collection off.

Lives on the worker thread.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..records.trial import TrialSettings
from .cancellation import Cancellation
from .run_watch import RunWatch
from .timed_loop import Call, ConcurrentLoop, Send, TimedLoop

Loop = TimedLoop | ConcurrentLoop


class WatchedRuns:
    """The runs of one session, for one request after the other."""

    def __init__(self, settings: TrialSettings, calls: list[Call], run_options: Any, give_up: Callable[[], None]):
        """`give_up` is called, on a thread of its own, when a run does not end although it must."""
        self._settings = settings
        self._calls = calls
        self._run_options = run_options
        self._give_up = give_up
        self._watch: RunWatch | None = None
        self._loop: Loop | None = None

    @property
    def is_overdue(self) -> bool:
        """Whether one of those watched last took too long."""
        return self._watch is not None and self._watch.is_overdue

    @contextmanager
    def watched(self, cancellation: Cancellation) -> Iterator[list[Call]]:
        """Give a call for each caller, watched if a run may not take for ever."""
        limit = self._settings.run_timeout_s
        if limit is None:
            yield self._calls
            return
        with RunWatch(limit, cancellation, self._run_options, self._on_stuck) as watch:
            self._watch = watch
            yield [watch.guarded(call) for call in self._calls]

    @contextmanager
    def timed(self, cancellation: Cancellation, send: Send) -> Iterator[Loop]:
        """Give the loop that makes runs and takes their time."""
        pause_s = self._settings.pause_ms / 1e3
        with self.watched(cancellation) as calls:
            if len(calls) == 1:
                loop: Loop = TimedLoop(calls[0], cancellation, send, pause_s=pause_s)
            else:
                loop = ConcurrentLoop(calls, cancellation, send, pause_s=pause_s)
            self._loop = loop
            cancellation.when_stuck(loop.rescue)
            try:
                with _no_garbage_collection():
                    yield loop
            finally:
                cancellation.when_stuck(None)
                self._loop = None

    def _on_stuck(self) -> None:
        """On the watch's thread: the run does not come back. What was measured is sent before it is given up."""
        loop = self._loop
        if loop is not None:
            loop.rescue()
        self._give_up()


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
