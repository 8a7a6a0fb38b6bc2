"""Runs trials one at a time, stops them, and keeps whatever was measured."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from .client.client import EngineClient
from .client.requests import PendingRequest
from .records.failure import Failure, FailureKind
from .records.library import LibraryState
from .records.placement import PlacedNodes
from .records.result import Outcome
from .records.samples import Nanoseconds
from .records.trial import Ending, Stage, TrialFacts, TrialSettings
from .records.trial_log import TrialLogLine
from .state import EngineStatus, State
from .trial_run import TrialRun
from .trial_work import TrialSettler, add_samples, lost_samples_text, may_use, new_trial


class TrialKeeper(QObject):
    """Owns the trials in the state."""

    trial_failed = Signal(object)
    """A `TrialRun`."""

    def __init__(self, client: EngineClient, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._state = state
        self._request: PendingRequest | None = None
        self._trial: TrialRun | None = None
        self._settler = TrialSettler(state, self)
        self._waiting: list[TrialSettings] = []
        state.engine_changed.connect(self._run_next_soon)
        state.libraries_changed.connect(self._run_next_soon)

    def run_all(self, trials: tuple[TrialSettings, ...]) -> None:
        """Run these trials one after the other, whatever becomes of each; nothing when one is running."""
        if not self._state.is_busy and self._state.engine_status is EngineStatus.READY:
            self._waiting = list(trials)
            self._run_next()

    def run(self, settings: TrialSettings) -> None:
        """Start a trial, unless one is running."""
        self.run_all((settings,))

    def _run_next_soon(self) -> None:
        """After all others have heard of what happened: a failure is told before the death that caused it."""
        if self._waiting:
            QTimer.singleShot(0, self, self._run_next)

    def _run_next(self) -> None:
        """Start the next trial that waits, as soon as there is an engine with all its libraries."""
        loading = any(library.state is LibraryState.LOADING for library in self._state.libraries)
        if self._waiting and self._trial is None and self._state.engine_status is EngineStatus.READY and not loading:
            self._start(self._waiting.pop(0))
        elif self._state.engine_status is EngineStatus.GAVE_UP:
            self._waiting.clear()
        self._state.set_waiting_trials(len(self._waiting))

    def _start(self, settings: TrialSettings) -> None:
        trial = new_trial(self._state, settings)
        self._trial = trial
        self._state.add_trial(trial)
        self._request = self._client.run_trial(settings)
        self._request.facts_received.connect(self._on_facts)
        self._request.samples_received.connect(self._on_samples)
        self._request.nodes_received.connect(self._on_nodes)
        self._request.logged.connect(self._on_logged)
        self._request.succeeded.connect(self._on_succeeded)
        self._request.failed.connect(self._on_failed)

    def stop(self) -> None:
        """Stop the running trial and those that wait; what does not end is killed after the client's grace period."""
        self._forget_waiting()
        if self._trial is not None and self._request is not None and not self._trial.stopping:
            self._trial.stopping = True
            self._client.cancel(self._request)
            self._state.trial_changed.emit(self._trial)

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._state.set_waiting_trials(0)

    def make_way_for(self, library_name: str) -> None:
        """Stop the running trial when it uses, or by a policy may use, a library that shall go."""
        if self._trial is not None and may_use(self._trial, library_name):
            self.stop()

    def _on_facts(self, facts: TrialFacts) -> None:
        if self._trial is not None:
            self._trial.facts = facts
            self._state.trial_changed.emit(self._trial)

    def _on_samples(self, stage: Stage, samples: Nanoseconds, elapsed_ns: int) -> None:
        if self._trial is None:
            return
        add_samples(self._trial, stage, samples)
        if stage is not Stage.WARMING_UP:
            self._trial.elapsed_ns = elapsed_ns
        self._state.trial_changed.emit(self._trial)

    def _on_nodes(self, nodes: PlacedNodes) -> None:
        if self._trial is not None:
            self._trial.nodes = nodes
            self._state.trial_changed.emit(self._trial)

    def _on_logged(self, lines: tuple[TrialLogLine, ...]) -> None:
        if self._trial is not None:
            self._trial.log.add(lines)
            self._state.trial_changed.emit(self._trial)

    def _on_succeeded(self, facts: TrialFacts) -> None:
        if self._trial is not None:
            self._trial.facts = facts
            self._trial.elapsed_ns = facts.measured_ns
            if complaint := lost_samples_text(self._trial):
                self._state.post(complaint)
            self._end(Outcome.STOPPED if facts.ending is Ending.STOPPED else Outcome.FINISHED)

    def _on_failed(self, failure: Failure) -> None:
        if self._trial is None:
            return
        if failure.kind is FailureKind.STOPPED:
            self._forget_waiting()  # its engine was replaced on purpose
            self._trial.failure = failure
            self._end(Outcome.STOPPED)
            return
        self._trial.failure = failure
        trial = self._trial
        self._end(Outcome.FAILED)
        self.trial_failed.emit(trial)

    def _end(self, outcome: Outcome) -> None:
        trial, self._trial, self._request = self._trial, None, None
        if trial is None:
            return
        trial.outcome = outcome
        trial.stopping = False
        self._settler.settle(trial)
        self._run_next_soon()
