"""Trial files written and read on threads of the pool: one of millions of samples takes seconds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QIODevice, QObject, QRunnable, QSaveFile, Signal

from .records.failure import Failure, FailureError, FailureKind
from .records.kept_files import COMPARISON_FILE, HEAD_BYTES, kind_of
from .records.kept_trial import KeptTrial

if TYPE_CHECKING:
    from .records.comparison_file import KeptComparison


class _Signals(QObject):
    done = Signal(object)


class FileJob(QRunnable):
    """Works on a thread of the pool; `signals.done` comes by a queued signal, with the job."""

    def __init__(self) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self.signals = _Signals()

    def run(self) -> None:
        """Runs on the pool's thread."""
        self.work()
        with contextlib.suppress(RuntimeError):  # the window has gone meanwhile, and the signal with it
            self.signals.done.emit(self)

    def work(self) -> None:
        """Do what is to be done, and keep what came of it."""
        raise NotImplementedError


class WriteJob(FileJob):
    """Writes what `render` returns; a file that is there is replaced only by a whole new one."""

    def __init__(self, path: str, render: Callable[[], bytes]) -> None:
        super().__init__()
        self.path = path
        self.error = ""
        """The system's words when it cannot be written."""
        self._render = render

    def work(self) -> None:
        """Render and write."""
        data = self._render()
        file = QSaveFile(self.path)
        is_open = file.open(QIODevice.OpenModeFlag.WriteOnly)
        if not is_open or file.write(data) != len(data) or not file.commit():
            self.error = file.errorString() or "unknown"


class ReadJob(FileJob):
    """Reads the file of a trial or of a comparison."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        super().__init__()
        self.path = path
        self.kept: KeptTrial | None = None
        self.comparison: KeptComparison | None = None
        self.failure: Failure | None = None
        self._most_bytes = most_bytes

    def work(self) -> None:
        """Read and parse."""
        from .records.comparison_file import parse_comparison_file  # the window starts without them
        from .records.trial_file import parse_trial_file

        try:
            if self.path.stat().st_size > self._most_bytes:
                raise OSError("it is too large for a trial")
            data = self.path.read_bytes()
            if kind_of(data[:HEAD_BYTES]) is COMPARISON_FILE:
                self.comparison = parse_comparison_file(data, self.path.name)
            else:
                self.kept = parse_trial_file(data, self.path.name)
        except OSError as error:
            self.failure = Failure(
                kind=FailureKind.NOT_A_TRIAL,
                message=f"{self.path.name} cannot be read: {error.strerror or error}.",
                hint="Choose a file that “Save trial” or --output wrote.",
            )
        except FailureError as error:
            self.failure = error.failure
