"""What goes wrong is said where the user asked for it; here it is repeated in the log, and in the status bar."""

from __future__ import annotations

from PySide6.QtCore import QObject

from .comparison_run import ComparisonRun
from .logs import LogSource
from .records.failure import Failure
from .records.library import Library
from .records.log import LogSeverity
from .records.result import Outcome
from .state import Compilation, State
from .trial_run import TrialRun


class FailureLog(QObject):
    """The keepers tell it of failures by their signals."""

    def __init__(self, state: State, log: LogSource, parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._log = log
        self._told: set[str] = set()  # trials of comparisons, which may be resumed
        state.notice_posted.connect(self._on_notice)

    def library(self, library: Library) -> None:
        """A library cannot be loaded or used."""
        failure = library.error
        if failure is not None:
            self._error(f"{library.name}: {failure}")
            self._state.post(failure.message)

    def trial(self, trial: TrialRun) -> None:
        """A trial failed."""
        if trial.failure is not None:
            self._error(f"#{trial.number}: {trial.failure}")

    def comparison(self, comparison: ComparisonRun) -> None:
        """A comparison has ended: those of its trials that failed, each once."""
        for trial in comparison.runs:
            if trial.outcome is Outcome.FAILED and trial.id not in self._told:
                self._told.add(trial.id)
                self.trial(trial)

    def compilation(self, compilation: Compilation) -> None:
        """A model could not be compiled."""
        if compilation.failure is not None:
            self._error(f"{compilation.model_name}: {compilation.failure}")

    def profile(self, trial: TrialRun) -> None:
        """A trial could not be profiled."""
        self._error(f"{trial.model_name}: {trial.profile_failure}")

    def store(self, failure: Failure) -> None:
        """The store of trials cannot be written or read."""
        self._error(f"{failure}\n{failure.detail}".strip())
        self._state.post(failure.message)

    def model(self, failure: Failure) -> None:
        """The model cannot be read."""
        self._error(str(failure))

    def engine(self, failure: Failure) -> None:
        """There is no engine any more."""
        self._log.emit_record(LogSeverity.FATAL, "window", f"{failure}\n{failure.detail}")

    def _error(self, text: str) -> None:
        self._log.emit_record(LogSeverity.ERROR, "window", text)

    def _on_notice(self, text: str) -> None:
        self._log.emit_record(LogSeverity.INFO, "window", text)
