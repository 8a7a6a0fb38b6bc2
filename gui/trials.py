"""Runs trials one at a time, stops them, and keeps whatever was measured."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QRunnable, QThreadPool, QTimer, Signal

from .client.client import EngineClient
from .client.requests import PendingRequest
from .records.device import Device
from .records.failure import Failure, FailureKind
from .records.latency_remarks import Remark
from .records.library import LibraryState
from .records.placement import PlacedNodes
from .records.result import Outcome
from .records.samples import Nanoseconds
from .records.statistics import LatencyStatistics
from .records.trial import Ending, Stage, TrialFacts, TrialSettings
from .records.trial_log import TrialLogLine
from .state import EngineStatus, State
from .targets import target_text
from .trial_run import TrialRun

_AT_ONCE: Final = 200_000
"""Statistics of so many samples are computed without a thread of their own: a few milliseconds."""


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
        self._jobs: dict[int, _StatisticsJob] = {}  # alive until they have answered
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
        keys = settings.target.device_keys + settings.target.second_keys
        chosen = tuple(self._device(key) for key in keys)
        devices = tuple(device for device in chosen if device is not None)
        registrations = self._registrations(settings, devices)
        used = {name for name, _duration in registrations}
        trial = TrialRun(
            number=1 + max((other.number for other in self._state.trials), default=0),
            settings=settings,
            model_name=Path(settings.model_path).stem,
            target_text=target_text(settings.target, self._state.devices),
            devices=devices,
            registrations=registrations,
            environment=self._state.greeting,
            libraries=tuple(library for library in self._state.libraries if library.name in used),
            reachable=self._state.devices,
        )
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
        if self._trial is None:
            return
        if not self._trial.devices or any(device.library == library_name for device in self._trial.devices):
            self.stop()

    def _on_facts(self, facts: TrialFacts) -> None:
        if self._trial is not None:
            self._trial.facts = facts
            self._state.trial_changed.emit(self._trial)

    def _on_samples(self, stage: Stage, samples: Nanoseconds, elapsed_ns: int) -> None:
        if self._trial is None:
            return
        if stage is Stage.WARMING_UP:
            self._trial.warmup.append(samples)
        else:
            self._trial.series.append(samples)
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
            arrived = len(self._trial.series) + self._trial.series.dropped
            if arrived != facts.sample_count:
                text = self.tr("Of {0} samples, {1} arrived; please report this.")
                self._state.post(text.format(facts.sample_count, arrived))
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
        if len(trial.series) <= _AT_ONCE:
            trial.exact = trial.exact_statistics()
            trial.remarks = trial.latency_remarks(trial.exact, self._cpu_count)
        else:
            job = _StatisticsJob(trial, self._cpu_count)
            job.signals.computed.connect(self._on_computed)
            self._jobs[trial.number] = job
            QThreadPool.globalInstance().start(job)
        self._state.trial_changed.emit(trial)
        self._run_next_soon()

    def _on_computed(self, trial: TrialRun, statistics: LatencyStatistics | None, remarks: tuple[Remark, ...]) -> None:
        trial.exact, trial.remarks = statistics, remarks
        self._jobs.pop(trial.number, None)
        self._state.trial_changed.emit(trial)

    @property
    def _cpu_count(self) -> int:
        return 0 if self._state.greeting is None else self._state.greeting.cpu_count

    def _registrations(
        self, settings: TrialSettings, devices: tuple[Device, ...]
    ) -> tuple[tuple[str, int | None], ...]:
        """Return the libraries that a trial uses, or by a policy may use, and how long registering each took."""
        owners = {device.library for device in devices}
        return tuple(
            (library.name, library.registration_ns)
            for library in self._state.libraries
            if library.name in owners or (settings.target.policy is not None and library.state is LibraryState.LOADED)
        )

    def _device(self, key: str) -> Device | None:
        return next((device for device in self._state.devices if device.key == key), None)


class _Signals(QObject):
    computed = Signal(object, object, tuple)


class _StatisticsJob(QRunnable):
    """Computes the statistics of an ended trial, and what is to be said of them, on a thread of the pool."""

    def __init__(self, trial: TrialRun, cpu_count: int) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self._trial = trial
        self._cpu_count = cpu_count
        self.signals = _Signals()

    def run(self) -> None:
        """Runs on the pool's thread; the answer comes by a queued signal."""
        statistics = self._trial.exact_statistics()
        remarks = self._trial.latency_remarks(statistics, self._cpu_count)
        with contextlib.suppress(RuntimeError):  # the window has gone meanwhile, and the signal with it
            self.signals.computed.emit(self._trial, statistics, remarks)
