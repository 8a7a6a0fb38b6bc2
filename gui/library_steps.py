"""How a library's record goes from one state to another, and what of it is remembered between two starts."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from .records.failure import Failure, FailureKind
from .records.library import Library, LibraryState
from .settings import RememberedLibrary


def _tr(text: str) -> str:
    return QCoreApplication.translate("LibraryKeeper", text)


def anew(library: Library) -> Library:
    """Return the library as one whose file is to be read and loaded."""
    return replace(
        library,
        state=LibraryState.LOADING,
        error=None,
        killed_engine=False,
        overdue=False,
        check=None,
        said=(),
        device_keys=(),
        registration_ns=None,
    )


def with_told(library: Library, told: Library) -> Library:
    """Return the library with what the engine tells of it."""
    return replace(library, device_keys=told.device_keys, registration_ns=told.registration_ns)


def hung(library: Library, seconds: int, detail: str) -> Failure:
    """Return the failure of a library that was stopped after it had been loading for so long."""
    return Failure(
        kind=FailureKind.HANGS,
        message=_tr("“{0}” was stopped: it was still loading after {1} seconds.").format(library.name, seconds),
        hint=_tr("A fresh engine has taken over. Ask the EP's makers, or load it again to wait longer."),
        detail=detail,
    )


def remembered_library(entry: RememberedLibrary) -> Library:
    """Return a library as a start finds it: to be loaded if it was, unless it killed an engine."""
    library = replace(entry.library, device_keys=(), overdue=False, said=(), check=None, registration_ns=None)
    if library.killed_engine:
        return replace(library, state=LibraryState.FAILED, error=library.error or _killed_before(library))
    if entry.load:
        return replace(library, state=LibraryState.LOADING, error=None)
    return replace(library, state=LibraryState.NOT_LOADED)


def to_remember(library: Library, suspect: str | None) -> RememberedLibrary:
    """Return what to remember of a library; while the `suspect` is being loaded it counts as one that kills."""
    killed = library.killed_engine or (library.name == suspect and library.state is LibraryState.LOADING)
    load = library.state in (LibraryState.LOADED, LibraryState.LOADING)
    return RememberedLibrary(library=replace(library, killed_engine=killed, said=(), check=None), load=load)


def _killed_before(library: Library) -> Failure:
    return Failure(
        kind=FailureKind.DIED,
        message=_tr("Loading “{0}” did not end well when it was tried last.").format(library.name),
        hint=_tr("Choose Load to try it again."),
    )
