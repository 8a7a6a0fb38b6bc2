"""What all that run trials share: how a `TrialRun` begins, what it takes from the engine, how it is settled."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QObject, QRunnable, QThreadPool, Signal

from .records.device import Device
from .records.latency_remarks import Remark
from .records.library import LibraryState
from .records.samples import Nanoseconds
from .records.statistics import LatencyStatistics
from .records.trial import Stage, TrialSettings
from .state import State
from .targets import target_text
from .trial_run import TrialRun

_AT_ONCE: Final = 200_000
"""Statistics of so many samples are computed without a thread of their own: a few milliseconds."""


def new_trial(state: State, settings: TrialSettings, **fields: Any) -> TrialRun:
    """Return a trial that begins now, with what the state tells of its devices, libraries and engine.

    `fields` are others of the `TrialRun`.
    """
    keys = settings.target.device_keys + settings.target.second_keys
    by_key = {device.key: device for device in state.devices}
    devices = tuple(by_key[key] for key in keys if key in by_key)
    registrations = _registrations(state, settings, devices)
    used = {name for name, _duration in registrations}
    return TrialRun(
        **{
            "number": 1 + max((other.number for other in state.trials), default=0),
            "settings": settings,
            "model_name": Path(settings.model_path).stem,
            "target_text": target_text(settings.target, state.devices),
            "devices": devices,
            "registrations": registrations,
            "environment": state.greeting,
            "libraries": tuple(library for library in state.libraries if library.name in used),
            "reachable": state.devices,
            **fields,
        }
    )


def _registrations(
    state: State, settings: TrialSettings, devices: tuple[Device, ...]
) -> tuple[tuple[str, int | None], ...]:
    """Return the libraries that a trial uses, or by a policy may use, and how long registering each took."""
    owners = {device.library for device in devices}
    return tuple(
        (library.name, library.registration_ns)
        for library in state.libraries
        if library.name in owners or (settings.target.policy is not None and library.state is LibraryState.LOADED)
    )


def may_use(trial: TrialRun, library_name: str) -> bool:
    """Whether a trial uses, or by a policy may use, a library."""
    return not trial.devices or any(device.library == library_name for device in trial.devices)


def add_samples(trial: TrialRun, stage: Stage, samples: Nanoseconds) -> None:
    """Add a batch to the samples of a trial, or to its warm-up."""
    (trial.warmup if stage is Stage.WARMING_UP else trial.series).append(samples)


def lost_samples_text(trial: TrialRun) -> str:
    """Return a sentence when other samples have arrived than the engine counted; empty when all is well."""
    arrived = len(trial.series) + trial.series.dropped
    if arrived == trial.facts.sample_count:
        return ""
    text = QCoreApplication.translate("TrialWork", "Of {0} samples, {1} arrived; please report this.")
    return text.format(trial.facts.sample_count, arrived)


class TrialSettler(QObject):
    """Computes the exact statistics of trials that have ended, and what is to be said of them."""

    def __init__(self, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._jobs: set[_StatisticsJob] = set()  # alive until they have answered
        self._newest: dict[str, _StatisticsJob] = {}  # of each trial

    def settle(self, trial: TrialRun) -> None:
        """Settle a trial that has ended, and tell the state: at once, or with many samples in a while once more."""
        if len(trial.series) <= _AT_ONCE:
            trial.exact = trial.exact_statistics()
            trial.remarks = trial.latency_remarks(trial.exact, self._cpu_count)
        else:
            job = _StatisticsJob(trial, self._cpu_count)
            job.signals.computed.connect(self._on_computed)
            self._jobs.add(job)
            self._newest[trial.id] = job
            QThreadPool.globalInstance().start(job)
        self._state.trial_changed.emit(trial)

    def _on_computed(self, job: _StatisticsJob) -> None:
        self._jobs.discard(job)
        trial = job.trial
        if self._newest.get(trial.id) is job:
            del self._newest[trial.id]
            if not trial.is_running:  # it may have been resumed meanwhile
                trial.exact, trial.remarks = job.statistics, job.remarks
                self._state.trial_changed.emit(trial)

    @property
    def _cpu_count(self) -> int:
        return 0 if self._state.greeting is None else self._state.greeting.cpu_count


class _Signals(QObject):
    computed = Signal(object)


class _StatisticsJob(QRunnable):
    """Computes the statistics of an ended trial, and what is to be said of them, on a thread of the pool."""

    def __init__(self, trial: TrialRun, cpu_count: int) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self.trial = trial
        self._cpu_count = cpu_count
        self.statistics: LatencyStatistics | None = None
        self.remarks: tuple[Remark, ...] = ()
        self.signals = _Signals()

    def run(self) -> None:
        """Runs on the pool's thread; the answer comes by a queued signal."""
        self.statistics = self.trial.exact_statistics()
        self.remarks = self.trial.latency_remarks(self.statistics, self._cpu_count)
        with contextlib.suppress(RuntimeError):  # the window has gone meanwhile, and the signal with it
            self.signals.computed.emit(self)
