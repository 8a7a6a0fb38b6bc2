"""Loads, unregisters and remembers libraries, one at a time, and brings them back after an engine's death."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from .client.client import EngineClient
from .client.requests import PendingRequest
from .records.failure import Failure, FailureKind
from .records.library import Library, LibraryState, name_problem
from .records.process_exit import ProcessExit
from .records.protocol import Greeting, Inventory
from .settings import RememberedLibrary, Settings
from .state import State


class LibraryKeeper(QObject):
    """Owns the list of libraries in the state."""

    library_failed = Signal(Library)
    trial_in_the_way = Signal(str)
    """The name of a library that shall go while a trial may be using it."""

    def __init__(self, client: EngineClient, state: State, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._state = state
        self._settings = settings
        self._waiting: deque[str] = deque()
        self._under_way: tuple[str, PendingRequest] | None = None
        client.ready.connect(self._on_ready)
        client.died.connect(self._on_died)

    def restore(self) -> None:
        """Bring the remembered libraries back: those that were loaded are loaded, unless they killed an engine."""
        libraries = []
        for remembered in self._settings.libraries:
            library = remembered.library
            if library.killed_engine:
                library = replace(
                    library, state=LibraryState.FAILED, error=library.error or self._killed_before(library)
                )
            elif remembered.load:
                library = replace(library, state=LibraryState.LOADING, error=None)
                self._waiting.append(library.name)
            else:
                library = replace(library, state=LibraryState.NOT_LOADED)
            libraries.append(replace(library, device_keys=()))
        self._state.set_libraries(tuple(libraries))
        self._next()

    def add(self, entries: Sequence[tuple[str, str]]) -> None:
        """Add libraries, name and absolute path each, and load them."""
        for name, path in entries:
            taken = frozenset(library.name for library in self._state.libraries)
            problem = name_problem(name, taken)
            library = Library(name=name, path=path, state=LibraryState.LOADING)
            if problem is not None:
                failure = Failure(
                    kind=FailureKind.BAD_NAME, message=problem, hint=self.tr("Add it under another name.")
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
        if library is None or library.state not in (LibraryState.NOT_LOADED, LibraryState.FAILED):
            return
        self._put(replace(library, state=LibraryState.LOADING, error=None, killed_engine=False))
        self._waiting.append(name)
        self._next()

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
        elif library.state in (LibraryState.LOADING, LibraryState.UNREGISTERING):
            self.stop(name)

    def stop(self, name: str) -> None:
        """Stop the loading or unregistering of a library; one that hangs takes its engine along."""
        if self._under_way is not None and self._under_way[0] == name:
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
        if library is not None and library.state in (LibraryState.NOT_LOADED, LibraryState.FAILED):
            self._state.set_libraries(tuple(other for other in self._state.libraries if other.name != name))
            self._remember()

    def refresh(self) -> None:
        """Ask the engine for its devices anew."""
        request = self._client.list_devices()
        request.succeeded.connect(self._on_inventory)

    def loading(self) -> str | None:
        """The name of the library that is being loaded or unregistered now."""
        return None if self._under_way is None else self._under_way[0]

    def _next(self) -> None:
        if self._under_way is not None or self._client.greeting is None or not self._waiting:
            return
        name = self._waiting.popleft()
        library = self._state.library(name)
        if library is None:
            self._next()
            return
        if library.state is LibraryState.LOADING:
            # Until the answer is there it counts as one that kills: should the window die with it, the next start asks.
            self._remember(suspect=name)
            request = self._client.register(name, library.path)
            request.succeeded.connect(self._on_registered)
            request.failed.connect(self._on_register_failed)
        else:
            request = self._client.unregister(name)
            request.succeeded.connect(self._on_unregistered)
            request.failed.connect(self._on_unregister_failed)
        self._under_way = (name, request)

    def _finish(self) -> Library:
        """Return the library whose request has ended."""
        assert self._under_way is not None  # noqa: S101 only answers to it are connected here
        name, self._under_way = self._under_way[0], None
        library = self._state.library(name)
        return library or Library(name=name, path="")

    def _on_registered(self, inventory: Inventory) -> None:
        library = self._finish()
        self._put(replace(library, state=LibraryState.LOADED, error=None, killed_engine=False))
        self._on_inventory(inventory)
        count = sum(device.library == library.name for device in inventory.devices)
        self._state.post(self.tr("“{0}” is loaded. Devices: {1}.").format(library.name, count))
        self._remember()
        self._next()

    def _on_register_failed(self, failure: Failure) -> None:
        library = self._finish()
        if failure.kind is FailureKind.ENGINE_UNAVAILABLE:
            self._waiting.appendleft(library.name)  # the next engine loads it
            return
        if self._was_not_begun(failure):
            self._put_not_loaded(library)
        else:
            killed = failure.kind in (FailureKind.DIED, FailureKind.STOPPED)
            library = replace(library, state=LibraryState.FAILED, error=failure, killed_engine=killed, device_keys=())
            self._put(library)
            self._drop_devices_of(library.name)
            self.library_failed.emit(library)
        self._remember()
        self._next()

    def _on_unregistered(self, inventory: Inventory) -> None:
        library = self._finish()
        self._put(replace(library, state=LibraryState.NOT_LOADED, device_keys=()))
        self._on_inventory(inventory)
        self._state.post(self.tr("“{0}” is unregistered.").format(library.name))
        self._remember()
        self._next()

    def _on_unregister_failed(self, failure: Failure) -> None:
        """The user's wish holds all the same: an engine that never had the library takes over."""
        library = self._finish()
        if self._was_not_begun(failure):
            self._put(replace(library, state=LibraryState.LOADED))
            self._remember()
            self._next()
            return
        self._put(replace(library, state=LibraryState.NOT_LOADED, device_keys=()))
        self._state.post(self.tr("“{0}” is gone with its engine: {1}").format(library.name, failure.message))
        self._remember()
        if failure.kind not in (FailureKind.DIED, FailureKind.STOPPED, FailureKind.ENGINE_UNAVAILABLE):
            self._client.restart()

    def _on_inventory(self, inventory: Inventory) -> None:
        keys = {library.name: library.device_keys for library in inventory.libraries}
        self._state.set_libraries(
            tuple(
                replace(library, device_keys=keys[library.name]) if library.name in keys else library
                for library in self._state.libraries
            )
        )
        # While libraries wait to be loaded again after a death, their devices stay in the table.
        waiting = {name for name in (*self._waiting, self.loading()) if name is not None and self._is_loading(name)}
        kept = tuple(device for device in self._state.devices if device.library in waiting)
        self._state.set_devices((*inventory.devices, *kept))

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
            if library.state is LibraryState.UNREGISTERING:
                library = replace(library, state=LibraryState.NOT_LOADED, device_keys=())
            elif library.state in (LibraryState.LOADED, LibraryState.LOADING):
                library = replace(library, state=LibraryState.LOADING)
                back.append(library.name)
            libraries.append(library)
        self._waiting = back
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
        remembered = []
        for library in self._state.libraries:
            killed = library.killed_engine or (library.name == suspect and library.state is LibraryState.LOADING)
            load = library.state in (LibraryState.LOADED, LibraryState.LOADING)
            remembered.append(RememberedLibrary(library=replace(library, killed_engine=killed), load=load))
        self._settings.libraries = tuple(remembered)

    def _killed_before(self, library: Library) -> Failure:
        return Failure(
            kind=FailureKind.DIED,
            message=self.tr("Loading “{0}” did not end well when it was tried last.").format(library.name),
            hint=self.tr("Choose Load to try it again."),
        )
