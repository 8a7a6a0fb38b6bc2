"""The wish to end a job, passed on to whatever can be asked to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

_STUCK_AFTER_S: Final = 1.0
"""What has not ended so long after it was asked to is taken for stuck in a run."""


class Cancellation:
    """The wish to end a job; `request` may be called on any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._requested = False
        self._session_options: Any = None
        self._run_options: Any = None
        self._when_stuck: Callable[[], None] | None = None

    def is_requested(self) -> bool:
        """Whether the job shall end."""
        return self._requested

    def wait(self, seconds: float) -> bool:
        """Wait for the request, so long at most, and return whether it has come."""
        return self._event.wait(seconds)

    def request(self) -> None:
        """Ask ORT to leave what it is in; the timed loop looks at `is_requested` between two runs."""
        self._requested = True
        self._event.set()
        with self._lock:
            if self._session_options is not None:
                self._session_options.set_load_cancellation_flag(True)
            if self._run_options is not None:
                self._run_options.terminate = True
            if self._when_stuck is not None:
                timer = threading.Timer(_STUCK_AFTER_S, self._on_stuck)
                timer.daemon = True
                timer.start()

    def watch(self, *, session_options: Any, run_options: Any) -> None:
        """Name the objects through which ORT can be asked."""
        self._session_options, self._run_options = session_options, run_options
        if self._requested:
            self.request()

    def let_go(self) -> None:
        """Forget those objects: the job is done, and what comes next may use them, too."""
        with self._lock:
            self._session_options = self._run_options = self._when_stuck = None

    def when_stuck(self, rescue: Callable[[], None] | None) -> None:
        """Have `rescue` called, on a thread of its own, when the job has not ended a second after the request."""
        self._when_stuck = rescue

    def _on_stuck(self) -> None:
        rescue = self._when_stuck
        if rescue is not None:
            rescue()
