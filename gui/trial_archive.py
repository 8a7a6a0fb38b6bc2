"""Keeps every trial of the window in the store, and brings kept ones back.

A trial that has ended is only called finished once it is in the store: until then it `is_being_kept`. Those of a
comparison are kept as they grow, so that a kill of the window costs them no more than the last seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from .comparison_run import ComparisonRun
from .keeping import kept_so_far, kept_trial_of, trial_run_of
from .records.failure import Failure
from .records.kept_trial import KeptTrial
from .records.profile import Profile
from .state import State
from .trial_run import TrialRun

if TYPE_CHECKING:
    from .archive_worker import ArchiveWorker

_AGAIN_MS: Final = 30_000
"""How often it is tried to write what could not be written."""
_CLOSE_MS: Final = 15_000
"""Longer than one window waits for another. What does not end by then is left to the end of the process."""


class TrialArchive(QObject):
    """Writes a trial as soon as it has ended, whatever became of it; a thread of its own does the work."""

    started = Signal()
    rows_read = Signal(object)
    """list of `TrialSummary`: all, in the order in which they came into the store."""
    rows_added = Signal(object)
    """list of `TrialSummary`: those that came since the last were told."""
    trial_kept = Signal(str)
    """The id of a trial that is in the store now, also of one under way as far as it was."""
    compare_ready = Signal(object)
    """tuple of `TrialRun`: those that were to be compared, all in the state's list now."""
    rows_changed = Signal(object)
    """list of `TrialSummary`: those of trials that have grown."""
    changed = Signal()
    """Something else than a new trial has changed in the store, by this window or another."""
    deleted = Signal(tuple)
    """The ids of trials that are deleted now, and can be brought back."""
    failed = Signal(object)
    """A `Failure`; not again while it is known."""
    failure_changed = Signal()
    closed = Signal()
    """All that was to be written has been."""

    def __init__(self, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._worker: ArchiveWorker | None = None
        self._waiting: dict[str, tuple[KeptTrial, int]] = {}  # until there is a thread
        self._profiles: dict[str, Profile | None] = {}  # of each trial that was handed to the thread as it had ended
        self._being_kept: dict[str, tuple[TrialRun, int]] = {}  # with the ticket that tells that it is
        self._last_ticket = 0
        self._so_far: dict[str, int] = {}  # how many rounds of each trial under way were handed to the thread
        self._unsettled: set[str] = set()
        self._deleted: set[str] = set()
        self._failure: Failure | None = None
        self._closing = self._ended = False
        self._again = QTimer(self)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self.write_again)
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.setInterval(_CLOSE_MS)
        self._limit.timeout.connect(self._on_ended)
        state.trial_changed.connect(self._on_trial_changed)

    @property
    def failure(self) -> Failure | None:
        """What is wrong with the store, or with what was last asked of it."""
        return self._failure

    @property
    def is_started(self) -> bool:
        """Whether there is a thread, so that what is asked for is answered."""
        return self._worker is not None

    def start(self, path: Path) -> None:
        """Start the thread, with the store in this file; it is made when there is none."""
        if self._worker is not None or self._closing:
            return
        from .archive_worker import ArchiveWorker  # the window starts without it

        worker = self._worker = ArchiveWorker(path)
        signals = worker.signals
        signals.kept.connect(self._on_kept)
        signals.changed.connect(self.changed)
        signals.rows_read.connect(self.rows_read)
        signals.rows_added.connect(self.rows_added)
        signals.rows_changed.connect(self.rows_changed)
        signals.loaded.connect(self._on_loaded)
        signals.comparison_found.connect(self._on_comparison_found)
        signals.deleted.connect(self._on_deleted)
        signals.failed.connect(self._on_failed)
        signals.set_aside.connect(self._on_set_aside)
        signals.recovered.connect(self._on_recovered)
        signals.ended.connect(self._on_ended)
        for kept, ticket in self._waiting.values():
            worker.keep(kept, ticket)
        self._waiting.clear()
        worker.start()
        worker.purge()
        self.started.emit()

    def close(self) -> None:
        """Write what is still to be written, then end; `closed` tells when."""
        if self._ended or self._worker is None:
            self._ended = True
            self.closed.emit()
        elif not self._closing:
            self._closing = True
            self._again.stop()
            self._limit.start()
            self._finish_once_settled()

    # ---- What the history asks for ----

    def read(self) -> None:
        """Ask for all summaries."""
        if self._worker is not None:
            self._worker.read()

    def read_new(self) -> None:
        """Ask for the summaries of those trials that came since the last were told."""
        if self._worker is not None:
            self._worker.read_new()

    def look(self) -> None:
        """Find out whether another window has changed the store; `changed` tells it."""
        if self._worker is not None:
            self._worker.look()

    def write_again(self) -> None:
        """Try at once to write what could not be written."""
        if self._worker is not None:
            self._worker.write_again()

    def open(self, ids: tuple[str, ...]) -> None:
        """Show kept trials beside those of this sitting; one that is listed already is shown again."""
        listed = {trial.id: trial for trial in self._state.trials}
        missing = tuple(trial_id for trial_id in ids if trial_id not in listed)
        if missing and self._worker is not None:
            self._worker.load(missing)
        elif ids and ids[-1] in listed:
            trial = listed[ids[-1]]
            self._state.show_trial(trial)
            self._state.post(self.tr("The trial is in the list already, as #{0}.").format(trial.number))

    def compare(self, ids: tuple[str, ...]) -> None:
        """Bring kept trials together for a comparison; `compare_ready` tells them once all are in the list.

        Trials that all belong to one comparison come in the order of its cells, others in the order of their ids.
        """
        listed = {trial.id for trial in self._state.trials}
        missing = tuple(trial_id for trial_id in ids if trial_id not in listed)
        if missing and self._worker is not None:
            self._worker.load(missing, ids)
        elif ids:
            self._tell_compared(ids)

    def open_comparison(self, comparison: str) -> None:
        """Bring the trials of the comparison with this id together, of each cell the last."""
        if self._worker is not None:
            self._worker.find_comparison(comparison)

    def set_words(self, ids: tuple[str, ...], tags: tuple[str, ...] | None, note: str | None) -> None:
        """Replace tags and note of kept trials; None leaves them as they are."""
        if self._worker is not None:
            self._worker.set_words(ids, tags, note)
        for trial in self._state.trials:
            if trial.id in ids:
                trial.tags = trial.tags if tags is None else tags
                trial.note = trial.note if note is None else note

    def delete(self, ids: tuple[str, ...]) -> None:
        """Delete trials from the store; they stay in the list of this sitting."""
        if self._worker is not None:
            self._deleted.update(ids)
            self._worker.delete(ids)

    def restore(self, ids: tuple[str, ...]) -> None:
        """Bring deleted trials back."""
        if self._worker is not None:
            self._deleted.difference_update(ids)
            self._worker.restore(ids)

    def forget_failure(self) -> None:
        """Take the failure as read."""
        self._set_failure(None)

    # ---- What is kept ----

    def keep_so_far(self, comparison: ComparisonRun) -> None:
        """Keep the rounds so far of those trials of a comparison that are under way, as if they had been stopped.

        Only of those that have more than before. Writing takes time from what is measured beside it: the keeper of
        comparisons asks for it every few seconds.
        """
        for run in comparison.runs:
            rounds = 0 if run.comparison is None else len(run.comparison.rounds)
            if run.is_running and rounds > self._so_far.get(run.id, 0):
                self._so_far[run.id] = rounds
                self._hand_over(kept_so_far(run))

    def _on_trial_changed(self, trial: TrialRun) -> None:
        if trial.is_opened:
            return
        if trial.is_running:  # perhaps again: a comparison was resumed
            self._profiles.pop(trial.id, None)
            self._being_kept.pop(trial.id, None)
            trial.is_being_kept = False
            return
        if not trial.is_settled:  # the statistics of millions of samples are being computed
            trial.is_being_kept = True
            self._unsettled.add(trial.id)
            return
        self._unsettled.discard(trial.id)
        if trial.id not in self._profiles:
            self._keep(trial)
        elif trial.profile is not None and trial.profile is not self._profiles[trial.id]:
            self._profiles[trial.id] = trial.profile
            if self._worker is not None:
                self._worker.set_profile(trial.id, trial.profile)
        if self._closing:
            self._finish_once_settled()

    def _keep(self, trial: TrialRun) -> None:
        self._profiles[trial.id] = trial.profile
        self._so_far.pop(trial.id, None)
        self._last_ticket += 1
        self._being_kept[trial.id] = (trial, self._last_ticket)
        trial.is_being_kept = True
        self._hand_over(kept_trial_of(trial), self._last_ticket)

    def _hand_over(self, kept: KeptTrial, ticket: int = 0) -> None:
        if self._worker is None:
            self._waiting[kept.id] = (kept, ticket)
        else:
            self._worker.keep(kept, ticket)

    def _finish_once_settled(self) -> None:
        if not self._unsettled and self._worker is not None:
            self._worker.finish()

    # ---- What the thread tells ----

    def _on_kept(self, trial_id: str, ticket: int) -> None:
        trial, awaited = self._being_kept.get(trial_id, (None, None))
        if trial is not None and ticket == awaited:
            del self._being_kept[trial_id]
            trial.is_being_kept = False
            self._state.trial_changed.emit(trial)
        self.trial_kept.emit(trial_id)

    def _on_loaded(self, found: list[KeptTrial], compared: tuple[str, ...]) -> None:
        listed = {trial.id for trial in self._state.trials}
        first = 1 + max((trial.number for trial in self._state.trials), default=0)
        new = [kept for kept in found if kept.id not in listed]
        for number, kept in enumerate(new, start=first):
            self._state.add_trial(trial_run_of(kept, number), show=not compared)
        if compared:
            self._tell_compared(compared)
        elif len(new) == 1:
            self._state.post(self.tr("The trial is open, as #{0}.").format(first))
        elif new:
            self._state.post(self.tr("{0} trials are open.").format(len(new)))

    def _on_comparison_found(self, ids: tuple[str, ...]) -> None:
        self.compare(ids)

    def _tell_compared(self, ids: tuple[str, ...]) -> None:
        """Tell those of the trials that are listed: what is wrong with others has been said."""
        listed = {trial.id: trial for trial in self._state.trials}
        runs = [listed[trial_id] for trial_id in ids if trial_id in listed]
        parts = [run.comparison for run in runs if run.comparison is not None]
        if len(parts) == len(runs) and len({part.id for part in parts}) == 1:
            runs.sort(key=lambda run: 0 if run.comparison is None else run.comparison.cell)
        if runs:
            self.compare_ready.emit(tuple(runs))

    def _on_deleted(self, ids: tuple[str, ...]) -> None:
        self.deleted.emit(ids)

    def _on_failed(self, failure: Failure, waits: bool) -> None:
        if waits and not self._closing:
            self._again.start()
        is_told = self._failure is not None and self._failure.message == failure.message
        if not is_told:
            self._set_failure(failure)
            self.failed.emit(failure)

    def _on_set_aside(self) -> None:
        """Nothing of this sitting shall be lost with the damaged store."""
        self._so_far.clear()
        for trial in self._state.trials:
            if trial.is_settled and not trial.is_opened and trial.id not in self._deleted:
                self._keep(trial)
        self.changed.emit()

    def _on_recovered(self, had_waited: bool) -> None:
        self._again.stop()
        self._set_failure(None)
        if had_waited:
            self._state.post(self.tr("All trials are in the store now."))

    def _on_ended(self) -> None:
        self._limit.stop()
        if not self._ended:
            self._ended = True
            self.closed.emit()

    def _set_failure(self, failure: Failure | None) -> None:
        if failure != self._failure:
            self._failure = failure
            self.failure_changed.emit()
