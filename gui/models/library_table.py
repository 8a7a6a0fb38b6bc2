"""The libraries as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QIcon

from ..records.library import Library, LibraryState
from .device_table import devices_text
from .table import Column, RecordTableModel


def _tr(text: str) -> str:
    return QCoreApplication.translate("LibraryTable", text)


def state_text(library: Library) -> str:
    """Return where a library stands, in words."""
    match library.state:
        case LibraryState.LOADED:
            count = len(library.device_keys)
            return _tr("loaded, {0}").format(devices_text(count) if count else _tr("no devices"))
        case LibraryState.LOADING:
            return _tr("loading…")
        case LibraryState.UNREGISTERING:
            return _tr("unregistering…")
        case LibraryState.FAILED:
            return _tr("failed: {0}").format(library.error.kind.value if library.error else "")
    return _tr("not loaded")


class LibraryTableModel(RecordTableModel[Library]):
    """One row a library. `state_icon` gives the icon of a state."""

    def __init__(self, state_icon: Callable[[Library], QIcon | None], parent: QObject | None = None) -> None:
        columns = (
            Column[Library](title=_tr("Name"), text=lambda library: library.name),
            Column[Library](
                title=_tr("File"), text=lambda library: PurePath(library.path).name, tip=lambda library: library.path
            ),
            Column[Library](
                title=_tr("State"),
                text=state_text,
                icon=state_icon,
                tip=lambda library: str(library.error) if library.error else state_text(library),
            ),
            Column[Library](title="", text=lambda _library: "", tip=lambda _library: ""),
        )
        super().__init__(columns, lambda library: library.name, parent)
