"""Has ended trials profiled, stops that, and saves ORT's traces."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from .client.client import EngineClient
from .client.requests import PendingRequest
from .records.failure import Failure, FailureKind
from .records.profile import Profile
from .state import EngineStatus, State
from .trial_run import TrialRun


class ProfileKeeper(QObject):
    """Owns the profiles of the trials in the state."""

    profile_failed = Signal(object)
    """A `TrialRun`, with its `profile_failure`; not for one that was stopped."""

    def __init__(self, client: EngineClient, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._state = state
        self._request: PendingRequest | None = None
        self._trial: TrialRun | None = None
        self._stopping = False
        self._jobs: set[_CopyJob] = set()  # alive until they have answered

    def profile(self, trial: TrialRun) -> None:
        """Profile an ended trial's model on its target, unless the engine is busy."""
        if trial.is_running or self._state.is_busy or self._state.engine_status is not EngineStatus.READY:
            return
        self._trial, self._stopping = trial, False
        trial.profile_failure = None
        self._request = self._client.profile(trial.settings)
        self._request.succeeded.connect(self._on_succeeded)
        self._request.failed.connect(self._on_failed)
        self._state.set_work(self.tr("profiling {0}").format(trial.model_name))
        self._state.trial_changed.emit(trial)

    def stop(self) -> None:
        """Stop profiling; what does not end by itself is killed after the client's grace period."""
        if self._request is not None and not self._stopping:
            self._stopping = True
            self._client.cancel(self._request)

    def make_way_for(self, library_name: str) -> None:
        """Stop profiling when that uses, or by a policy may use, a library that shall go."""
        if self._trial is None:
            return
        if not self._trial.devices or any(device.library == library_name for device in self._trial.devices):
            self.stop()

    def save_trace(self, trial: TrialRun, path: str) -> None:
        """Copy the trace of a trial's profile to a file; a failure becomes the profile's."""
        if trial.profile is None:
            return
        job = _CopyJob(trial, Path(trial.profile.trace_path), Path(path))
        job.signals.done.connect(self._on_copied)
        self._jobs.add(job)
        QThreadPool.globalInstance().start(job)

    def _on_succeeded(self, profile: Profile) -> None:
        trial = self._trial
        if trial is not None:
            trial.profile = profile
            self._end(trial)

    def _on_failed(self, failure: Failure) -> None:
        trial = self._trial
        if trial is None:
            return
        trial.profile_failure = failure
        self._end(trial)
        if failure.kind is not FailureKind.STOPPED:
            self.profile_failed.emit(trial)

    def _end(self, trial: TrialRun) -> None:
        self._trial = self._request = None
        self._state.set_work("")
        self._state.trial_changed.emit(trial)

    def _on_copied(self, job: _CopyJob) -> None:
        self._jobs.discard(job)
        trial, source, target = job.trial, job.source, job.target
        if not job.error:
            trial.profile_failure = None
            self._state.post(self.tr("Trace saved: {0}").format(target))
        elif not source.is_file():
            trial.profile_failure = Failure(
                kind=FailureKind.NO_SUCH_FILE,
                message=self.tr(
                    "The trace is not there any more: temporary files are removed after a day, or by hand."
                ),
                hint=self.tr("Profile the trial again, then save its trace."),
                detail=job.error,
            )
        else:
            trial.profile_failure = Failure(
                kind=FailureKind.BAD_SETTING,
                message=self.tr("The trace cannot be saved as {0}.").format(target),
                hint=self.tr("Choose another place."),
                detail=job.error,
            )
        self._state.trial_changed.emit(trial)


class _Signals(QObject):
    done = Signal(object)


class _CopyJob(QRunnable):
    """Copies a trace on a thread of the pool: it may have more than a hundred megabytes."""

    def __init__(self, trial: TrialRun, source: Path, target: Path) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self.trial = trial
        self.source = source
        self.target = target
        self.error = ""
        self.signals = _Signals()

    def run(self) -> None:
        """Runs on the pool's thread; the answer comes by a queued signal."""
        part = self.target.with_name(f".{self.target.name}.part")
        try:
            shutil.copyfile(self.source, part)
            part.replace(self.target)
        except OSError as error:
            self.error = str(error)
            with contextlib.suppress(OSError):  # it may not even be there
                part.unlink(missing_ok=True)
        with contextlib.suppress(RuntimeError):  # the window has gone meanwhile, and the signal with it
            self.signals.done.emit(self)
