"""The thread that reads and writes the store of trials: none of that is waited for by the window."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, SignalInstance

from .records.failure import FailureKind
from .records.kept_trial import KeptTrial
from .records.profile import Profile
from .records.statistics import summarize

if TYPE_CHECKING:
    from .store.errors import StoreError
    from .store.store import TrialStore

_Job = Callable[[], None]
_Handed = tuple[KeptTrial, int]
"""A trial to be written, and its ticket."""

SO_FAR: Final = 0
"""The ticket of trials that are under way."""


class ArchiveSignals(QObject):
    """Emitted on the worker's thread; the window's slots run on the window's."""

    kept = Signal(str, int)
    """The id of a trial that is in the store now, and the ticket it was handed over with."""
    changed = Signal()
    """Something else than a new trial has changed in the store, by this window or another."""
    rows_read = Signal(object)
    """list of `TrialSummary`: all, in the order in which they came into the store."""
    rows_added = Signal(object)
    """list of `TrialSummary`: those that came since the last were told."""
    rows_changed = Signal(object)
    """list of `TrialSummary`: those of trials that have grown."""
    loaded = Signal(object, tuple)
    """list of `KeptTrial`, and the ids that were to be compared; none when they were only to be opened."""
    comparison_found = Signal(tuple)
    """The ids of the trials of a comparison."""
    deleted = Signal(tuple)
    """The ids of trials."""
    failed = Signal(object, bool)
    """A `Failure`, and whether trials wait to be written because of it."""
    set_aside = Signal()
    """The store was damaged; a new one is in its place."""
    recovered = Signal(bool)
    """The store can be used again; whether trials had waited for it, which are written now."""
    ended = Signal()


class ArchiveWorker:
    """Does one thing at a time, in the order asked for. What is public is called by the window's thread.

    A thread of Python's rather than Qt's: one that hangs in a file system does not keep the process from ending.
    """

    def __init__(self, path: Path) -> None:
        self.signals = ArchiveSignals()
        self._thread = threading.Thread(target=self._run, name="trial archive", daemon=True)
        self._path = path
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._store: TrialStore | None = None
        self._handed: dict[str, _Handed] = {}  # written by the window's thread, taken from by this one
        self._unwritten: dict[str, _Handed] = {}
        self._profiles: dict[str, Profile] = {}
        self._is_failing = self._had_to_wait = False
        self._version: int | None = None
        self._last_number = 0

    # ---- Called by the window's thread ----

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def keep(self, kept: KeptTrial, ticket: int = SO_FAR) -> None:
        """Write a trial; as long as that fails it is tried again with everything else that is written.

        The ticket is told when it is written; without one it is a trial under way, as far as it is. Of what comes for
        one trial faster than it can be written only the last is written.
        """
        self._handed[kept.id] = (kept, ticket)
        self._jobs.put(partial(self._keep, kept.id))

    def set_profile(self, trial_id: str, profile: Profile) -> None:
        """Write a profile that was made of a trial after that had been written."""
        self._jobs.put(partial(self._set_profile, trial_id, profile))

    def write_again(self) -> None:
        """Try again to write what could not be written."""
        self._jobs.put(self._write)

    def read(self) -> None:
        """Read all summaries."""
        self._jobs.put(self._read)

    def read_new(self) -> None:
        """Read the summaries of those trials that came since the last were read."""
        self._jobs.put(self._read_new)

    def look(self) -> None:
        """Tell `changed` when another window has written since the last look; try again what could not be written."""
        self._jobs.put(self._look)

    def load(self, ids: tuple[str, ...], compared: tuple[str, ...] = ()) -> None:
        """Read trials with everything; `compared` is told with them."""
        self._jobs.put(partial(self._load, ids, compared))

    def find_comparison(self, comparison: str) -> None:
        """Look for the trials of a comparison."""
        self._jobs.put(partial(self._find_comparison, comparison))

    def set_words(self, ids: tuple[str, ...], tags: tuple[str, ...] | None, note: str | None) -> None:
        """Replace tags and note of trials; None leaves them as they are."""
        self._jobs.put(partial(self._set_words, ids, tags, note))

    def delete(self, ids: tuple[str, ...]) -> None:
        """Delete trials, to be brought back."""
        self._jobs.put(partial(self._delete, ids))

    def restore(self, ids: tuple[str, ...]) -> None:
        """Bring deleted trials back."""
        self._jobs.put(partial(self._restore, ids))

    def purge(self) -> None:
        """Remove for good what was deleted long ago."""
        self._jobs.put(self._purge)

    def finish(self) -> None:
        """End once all that was asked for is done; `ended` tells it."""
        self._jobs.put(None)

    # ---- On its own thread ----

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._do(job)
        self._do(self._write)
        self._close()
        self._tell(self.signals.ended)

    def _do(self, job: _Job, *, again: bool = True) -> None:
        from .store.errors import StoreError  # the window starts without it, and this thread may take its time

        try:
            job()
        except StoreError as error:
            self._fail(error)
            if error.set_aside is not None and again:
                self._do(job, again=False)  # on the new store
            return
        if self._is_failing and not self._unwritten and not self._profiles:
            self._tell(self.signals.recovered, self._had_to_wait)
            self._is_failing = self._had_to_wait = False

    def _fail(self, error: StoreError) -> None:
        self._close()
        if error.set_aside is not None:
            self._tell(self.signals.failed, error.failure, False)
            self._tell(self.signals.set_aside)
            return
        waits = bool(self._unwritten or self._profiles)
        if error.failure.kind is FailureKind.STORE_UNUSABLE and not error.is_gone:  # else it concerns one trial
            self._is_failing = True
            self._had_to_wait = self._had_to_wait or waits
        self._tell(self.signals.failed, error.failure, waits)

    def _opened(self) -> TrialStore:
        """Return the store, opened anew after each failure. Raises `StoreError`."""
        if self._store is None:
            from .store.store import TrialStore

            self._store = TrialStore(self._path)
            self._version = None
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _keep(self, trial_id: str) -> None:
        handed = self._handed.pop(trial_id, None)
        if handed is not None:  # else a later one was in its place when that before was taken
            kept, ticket = handed
            if ticket == SO_FAR:
                statistics = summarize(kept.samples, kept.elapsed_ns, kept.facts.sample_count)
                kept = replace(kept, statistics=statistics)
            self._unwritten[trial_id] = (kept, ticket)
            self._write()

    def _set_profile(self, trial_id: str, profile: Profile) -> None:
        if trial_id in self._unwritten:
            kept, ticket = self._unwritten[trial_id]
            self._unwritten[trial_id] = (replace(kept, profile=profile), ticket)
        else:
            self._profiles[trial_id] = profile
        self._write()

    def _write(self) -> None:
        from .store.errors import StoreError

        for kept, ticket in tuple(self._unwritten.values()):
            has_grown = self._opened().keep(kept) > 0
            del self._unwritten[kept.id]
            self._tell(self.signals.kept, kept.id, ticket)
            if has_grown:
                self._tell(self.signals.rows_changed, self._opened().summaries(ids=(kept.id,)))
        for trial_id, profile in tuple(self._profiles.items()):
            try:
                self._opened().set_profile(trial_id, profile)
            except StoreError as error:
                if not error.is_gone:  # else it has been removed for good meanwhile, and nothing is to be said
                    raise
            del self._profiles[trial_id]

    def _read(self) -> None:
        store = self._opened()
        self._version = store.data_version()  # before: what is written meanwhile is seen with the next look
        rows = store.summaries()
        self._last_number = rows[-1].number if rows else 0
        self._tell(self.signals.rows_read, rows)

    def _read_new(self) -> None:
        rows = self._opened().summaries(after=self._last_number)
        if rows:
            self._last_number = rows[-1].number
            self._tell(self.signals.rows_added, rows)

    def _look(self) -> None:
        self._write()
        version = self._opened().data_version()
        if version != self._version:
            self._version = version
            self._tell(self.signals.changed)

    def _load(self, ids: tuple[str, ...], compared: tuple[str, ...]) -> None:
        from .store.errors import StoreError

        found: list[KeptTrial] = []
        for trial_id in ids:
            try:
                found.append(self._opened().load(trial_id))
            except StoreError as error:  # the others can be read all the same
                self._fail(error)
                if error.set_aside is not None:
                    break
        self._tell(self.signals.loaded, found, compared)

    def _find_comparison(self, comparison: str) -> None:
        self._tell(self.signals.comparison_found, self._opened().comparison_ids(comparison))

    def _set_words(self, ids: tuple[str, ...], tags: tuple[str, ...] | None, note: str | None) -> None:
        if tags is not None:
            self._opened().set_tags(ids, tags)
        if note is not None:
            self._opened().set_note(ids, note)
        self._tell(self.signals.changed)

    def _delete(self, ids: tuple[str, ...]) -> None:
        self._opened().delete(ids)
        self._tell(self.signals.deleted, ids)

    def _restore(self, ids: tuple[str, ...]) -> None:
        self._opened().restore(ids)
        self._tell(self.signals.changed)

    def _purge(self) -> None:
        self._opened().purge()

    @staticmethod
    def _tell(signal: SignalInstance, *values: object) -> None:
        with contextlib.suppress(RuntimeError):  # the window has gone meanwhile, and the signal with it
            signal.emit(*values)
