"""Loads, unregisters and remembers libraries, one at a time, and brings them back after an engine's death."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from .client.client import EngineClient
from .client.inspector import Inspection, Inspector
from .client.requests import PendingRequest
from .library_steps import anew, hung, remembered_library, to_remember, with_told
from .records.failure import Failure, FailureKind
from .records.library import Library, LibraryState, name_problem
from .records.library_check import LibraryCheck
from .records.library_remarks import PATIENCE_S
from .records.process_exit import ProcessExit
from .records.protocol import Greeting, Inventory
from .settings import Settings
from .state import State

_UNREGISTER_MS: Final = 10_000
"""A library that has not let go by then goes with its engine."""
_SAID_LINES: Final = 100
_ON_THE_WAY: Final = (LibraryState.LOADING, LibraryState.UNREGISTERING)
_AWAY: Final = (LibraryState.NOT_LOADED, LibraryState.FAILED)


class LibraryKeeper(QObject):
    """Owns the list of libraries in the state, the devices and the hardware."""

    library_loaded = Signal(str)
    library_failed = Signal(Library)
    library_hangs = Signal(str)
    """The name of one that has been loading for a suspiciously long time."""
    trial_in_the_way = Signal(str)
    """The name of a library that shall go while a trial may be using it."""

    patience_ms = PATIENCE_S * 1000

    def __init__(
        self,
        client: EngineClient,
        inspector: Inspector,
        state: State,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._client = client
        self._inspector = inspector
        self._state = state
        self._settings = settings
        self._waiting: deque[str] = deque()
        self._under_way: tuple[str, PendingRequest | Inspection] | None = None
        self._reloading: set[str] = set()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._on_overdue)
        client.ready.connect(self._on_ready)
        client.died.connect(self._on_died)
        state.work_changed.connect(self._next)

    def restore(self) -> None:
        """Bring the remembered libraries back: those that were loaded are loaded, unless they killed an engine."""
        libraries = tuple(remembered_library(entry) for entry in self._settings.libraries)
        self._waiting += (library.name for library in libraries if library.state is LibraryState.LOADING)
        self._state.set_libraries(libraries)
        self._next()

    def add(self, entries: Sequence[tuple[str, str]]) -> None:
        """Add libraries, name and absolute path each, and load them."""
        for name, path in entries:
            taken = frozenset(library.name for library in self._state.libraries)
            problem = name_problem(name, taken)
            library = Library(name=name, path=path, state=LibraryState.LOADING)
            if problem is not None:
                failure = Failure(
                    kind=FailureKind.NAME_IN_USE if name in taken else FailureKind.BAD_NAME,
                    message=problem,
                    hint=self.tr("Add it under another name."),
                )
                self.library_failed.emit(replace(library, state=LibraryState.FAILED, error=failure))
                continue
            self._state.set_libraries((*self._state.libraries, library))
            self._waiting.append(name)
        self._remember()
        self._next()

    def load(self, name: str) -> None:
        """Load a library of the list that is not loaded; whether to dare it was asked before."""
        library = self._state.library(name)
        if library is None or library.state not in _AWAY:
            return
        self._put(anew(library))
        self._waiting.append(name)
        self._next()

    def reload(self, name: str) -> None:
        """Load the library's file anew, which may have been rebuilt; one that is loaded is unregistered before."""
        library = self._state.library(name)
        if library is not None and library.state is LibraryState.LOADED:
            self._reloading.add(name)
            self.unregister(name)
        else:
            self.load(name)

    def keep_waiting(self, name: str) -> None:
        """Be patient once more with a library that is being loaded."""
        library = self._state.library(name)
        if library is not None and library.overdue:
            self._put(replace(library, overdue=False))
            if self.loading() == name:
                self._patience.start(self.patience_ms)

    def unregister(self, name: str) -> None:
        """Unregister a loaded library; loading of one that is not loaded yet is stopped."""
        library = self._state.library(name)
        if library is None:
            return
        if library.state is LibraryState.LOADED:
            self._put(replace(library, state=LibraryState.UNREGISTERING))
            self._waiting.append(name)
            self.trial_in_the_way.emit(name)
            self._next()
        elif library.state in _ON_THE_WAY:
            self.stop(name)

    def stop(self, name: str) -> None:
        """Stop the loading or unregistering of a library; one that hangs takes its engine along."""
        self._reloading.discard(name)
        if self._under_way is not None and self._under_way[0] == name:
            if isinstance(self._under_way[1], Inspection):
                self._under_way[1].stop()
                self._put(replace(self._finish(), state=LibraryState.NOT_LOADED))
                self._remember()
                self._next()
            else:
                self._client.cancel(self._under_way[1])
        elif name in self._waiting:
            self._waiting.remove(name)
            library = self._state.library(name)
            if library is not None:
                if library.state is LibraryState.UNREGISTERING:
                    self._put(replace(library, state=LibraryState.LOADED))
                else:
                    self._put_not_loaded(library)
                self._remember()

    def remove(self, name: str) -> None:
        """Take a library that is not loaded from the list."""
        library = self._state.library(name)
        if library is not None and library.state in _AWAY:
            self._state.set_libraries(tuple(other for other in self._state.libraries if other.name != name))
            self._remember()

    def find(self, folders: tuple[str, ...]) -> Inspection:
        """Look for EP libraries in the installed Python packages and in these folders."""
        return self._inspector.find(folders)

    def refresh(self) -> None:
        """Ask the engine for its devices anew."""
        request = self._client.list_devices()
        request.succeeded.connect(self._on_inventory)

    def loading(self) -> str | None:
        """The name of the library that is being loaded or unregistered now."""
        return None if self._under_way is None else self._under_way[0]

    def _next(self) -> None:
        name = next((name for name in self._waiting if not self._is_held(name)), None)
        if self._under_way is not None or self._client.greeting is None or name is None:
            return
        self._waiting.remove(name)
        library = self._state.library(name)
        if library is None:
            self._next()
        elif library.state is LibraryState.UNREGISTERING:
            request = self._client.unregister(name)
            request.succeeded.connect(self._on_unregistered)
            request.failed.connect(self._on_unregister_failed)
            self._watch(name, request)
        elif library.check is None:
            inspection = self._inspector.check((library.path,))
            inspection.checked.connect(self._on_checked)
            self._under_way = (name, inspection)
        else:
            self._register(library)

    def _is_held(self, name: str) -> bool:
        """Whether a library cannot go yet: the sessions of a comparison stay open from one request to the next."""
        library, trial = self._state.library(name), self._state.running_trial
        is_compared = trial is not None and trial.comparison is not None
        return is_compared and library is not None and library.state is LibraryState.UNREGISTERING

    def _on_checked(self, check: LibraryCheck) -> None:
        if self._under_way is None or self.sender() is not self._under_way[1]:
            return  # it was stopped
        library = replace(self._finish(), check=check)
        self._put(library)
        if check.failure is not None:
            self._fail(library, check.failure, killed=False)
        elif self._client.greeting is None:  # the engine died meanwhile; the next one loads it
            self._waiting.appendleft(library.name)
        else:
            self._register(library)

    def _register(self, library: Library) -> None:
        # Until the answer is there it counts as one that kills: should the window die with it, the next start asks.
        self._remember(suspect=library.name)
        request = self._client.register(library.name, library.path)
        request.succeeded.connect(self._on_registered)
        request.failed.connect(self._on_register_failed)
        self._watch(library.name, request)

    def _watch(self, name: str, request: PendingRequest) -> None:
        """Wait for the end of a request, but not without end."""
        self._under_way = (name, request)
        request.begun.connect(self._on_begun)

    def _on_begun(self) -> None:
        if self._under_way is not None and self.sender() is self._under_way[1]:
            library = self._state.library(self._under_way[0])
            is_loading = library is not None and library.state is LibraryState.LOADING
            self._patience.start(self.patience_ms if is_loading else _UNREGISTER_MS)

    def _on_overdue(self) -> None:
        library = None if self._under_way is None else self._state.library(self._under_way[0])
        if library is None or self._under_way is None or not isinstance(self._under_way[1], PendingRequest):
            return
        if library.state is LibraryState.LOADING:
            self._put(replace(library, overdue=True))
            self.library_hangs.emit(library.name)
        else:
            self._client.cancel(self._under_way[1])

    def _finish(self) -> Library:
        """Return the library whose request has ended."""
        assert self._under_way is not None  # noqa: S101 only answers to it are connected here
        name, self._under_way = self._under_way[0], None
        self._patience.stop()
        library = self._state.library(name)
        return library or Library(name=name, path="")

    def _on_registered(self, inventory: Inventory) -> None:
        said = self._said()
        library = self._finish()
        self._put(
            replace(library, state=LibraryState.LOADED, error=None, killed_engine=False, overdue=False, said=said)
        )
        known = {device.key for device in self._state.devices}
        self._on_inventory(inventory)
        own = [device.key for device in inventory.devices if device.library == library.name]
        self._state.set_new_devices(tuple(key for key in own if key not in known))
        self._state.post(self.tr("“{0}” is loaded. Devices: {1}.").format(library.name, len(own)))
        self._remember()
        self.library_loaded.emit(library.name)
        self._next()

    def _on_register_failed(self, failure: Failure) -> None:
        said = self._said()
        library = self._finish()
        if failure.kind is FailureKind.ENGINE_UNAVAILABLE:
            self._waiting.appendleft(library.name)  # the next engine loads it
            return
        if self._was_not_begun(failure):
            self._put_not_loaded(library)
            self._remember()
            self._next()
            return
        if failure.kind is FailureKind.STOPPED and library.overdue:
            failure = hung(library, self.patience_ms // 1000, failure.detail)
        killed = failure.kind in (FailureKind.DIED, FailureKind.STOPPED, FailureKind.HANGS)
        self._fail(replace(library, said=said), failure, killed=killed)

    def _fail(self, library: Library, failure: Failure, *, killed: bool) -> None:
        library = replace(
            library,
            state=LibraryState.FAILED,
            error=failure,
            killed_engine=killed,
            device_keys=(),
            overdue=False,
        )
        self._put(library)
        self._drop_devices_of(library.name)
        self.library_failed.emit(library)
        self._remember()
        self._next()

    def _said(self) -> tuple[str, ...]:
        request = None if self._under_way is None else self._under_way[1]
        return tuple(request.said[-_SAID_LINES:]) if isinstance(request, PendingRequest) else ()

    def _on_unregistered(self, inventory: Inventory) -> None:
        library = self._finish()
        again = self._let_go(library)
        self._on_inventory(inventory)
        if library.path in inventory.still_mapped:
            self._state.post(
                self.tr("“{0}” stays in memory after it was unregistered; a fresh engine takes over.").format(
                    library.name
                )
            )
            self._client.restart()
            return
        if not again:
            self._state.post(self.tr("“{0}” is unregistered.").format(library.name))
        self._next()

    def _on_unregister_failed(self, failure: Failure) -> None:
        """The user's wish holds all the same: an engine that never had the library takes over."""
        library = self._finish()
        if self._was_not_begun(failure):
            self._reloading.discard(library.name)
            self._put(replace(library, state=LibraryState.LOADED))
            self._remember()
            self._next()
            return
        self._let_go(library)
        self._state.post(self.tr("“{0}” is gone with its engine: {1}").format(library.name, failure.message))
        if failure.kind not in (FailureKind.DIED, FailureKind.STOPPED, FailureKind.ENGINE_UNAVAILABLE):
            self._client.restart()

    def _let_go(self, library: Library) -> bool:
        """Note that a library is gone; return whether it shall be loaded anew."""
        self._state.set_incompatibilities(library.name, ())
        again = library.name in self._reloading
        self._reloading.discard(library.name)
        if again:
            self._put(anew(library))
            self._waiting.append(library.name)
        else:
            self._put(replace(library, state=LibraryState.NOT_LOADED, device_keys=()))
        self._remember()
        return again

    def _on_inventory(self, inventory: Inventory) -> None:
        told = {library.name: library for library in inventory.libraries}
        self._state.set_libraries(
            tuple(
                with_told(library, told[library.name]) if library.name in told else library
                for library in self._state.libraries
            )
        )
        # While libraries wait to be loaded again after a death, their devices stay in the table.
        waiting = {name for name in (*self._waiting, self.loading()) if name is not None and self._is_loading(name)}
        kept = tuple(device for device in self._state.devices if device.library in waiting)
        self._state.set_devices((*inventory.devices, *kept))
        self._state.set_hardware(inventory.hardware)

    def _is_loading(self, name: str) -> bool:
        library = self._state.library(name)
        return library is not None and library.state is LibraryState.LOADING

    def _on_ready(self, _greeting: Greeting) -> None:
        self.refresh()
        self._next()

    def _on_died(self, _process_exit: ProcessExit) -> None:
        back: deque[str] = deque()
        libraries = []
        for entry in self._state.libraries:
            library = entry
            if library.state is LibraryState.UNREGISTERING and library.name in self._reloading:
                library = anew(library)
                back.append(library.name)
            elif library.state is LibraryState.UNREGISTERING:
                library = replace(library, state=LibraryState.NOT_LOADED, device_keys=())
            elif library.state in (LibraryState.LOADED, LibraryState.LOADING):
                library = replace(library, state=LibraryState.LOADING)
                back.append(library.name)
            libraries.append(library)
        self._reloading.clear()
        inspected = self._under_way[0] if self._under_way and isinstance(self._under_way[1], Inspection) else None
        self._waiting = deque(name for name in back if name != inspected)
        self._state.set_libraries(tuple(libraries))

    def _was_not_begun(self, failure: Failure) -> bool:
        """Whether a request was stopped while it waited for its turn: the engine lives on and has not touched it."""
        return failure.kind is FailureKind.STOPPED and self._client.greeting is not None

    def _put_not_loaded(self, library: Library) -> None:
        self._put(replace(library, state=LibraryState.NOT_LOADED, device_keys=()))
        self._drop_devices_of(library.name)

    def _drop_devices_of(self, name: str) -> None:
        """Take devices from the table that were kept there while their library was to be loaded again."""
        self._state.set_devices(tuple(device for device in self._state.devices if device.library != name))

    def _put(self, library: Library) -> None:
        self._state.set_libraries(
            tuple(library if other.name == library.name else other for other in self._state.libraries)
        )

    def _remember(self, suspect: str | None = None) -> None:
        suspect = suspect or self.loading()
        self._settings.libraries = tuple(to_remember(library, suspect) for library in self._state.libraries)
