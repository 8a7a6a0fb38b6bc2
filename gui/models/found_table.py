"""EP libraries found on this computer, to be ticked and named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal

from ..records.library_check import FoundLibrary
from .table import Column, Index, RecordTableModel
from .texts import DASH

NAME_COLUMN: Final = 1
TICK_COLUMN: Final = 0


def _tr(text: str) -> str:
    return QCoreApplication.translate("FoundTable", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """A library that was found, whether it is wanted, and under which name."""

    library: FoundLibrary
    name: str
    """The registration name proposed or typed."""
    ticked: bool = False
    listed_as: str = ""
    """The name under which it is in the list of libraries already; empty when it is not."""
    is_loaded: bool = False


class FoundTableModel(RecordTableModel[FoundRow]):
    """One row a file; the file is ticked, the name is typed into its cell."""

    changed_by_hand = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        columns = (
            Column[FoundRow](
                title=_tr("File"),
                text=lambda row: PurePath(row.library.path).name,
                tip=lambda row: row.library.path,
            ),
            Column[FoundRow](
                title=_tr("Registration name"),
                text=lambda row: row.name,
                header_tip=_tr("The name it will be registered under; a double click changes it"),
            ),
            Column[FoundRow](title=_tr("State"), text=_state_text),
            Column[FoundRow](
                title=_tr("Package"),
                text=lambda row: f"{row.library.distribution} {row.library.distribution_version}".strip() or DASH,
                header_tip=_tr("The installed Python distribution that carries the file"),
            ),
            Column[FoundRow](
                title=_tr("Version"),
                text=lambda row: row.library.library_version or DASH,
                header_tip=_tr("The library's own version, where the file tells it"),
            ),
            Column[FoundRow](title=_tr("Folder"), text=lambda row: str(PurePath(row.library.path).parent)),
        )
        super().__init__(columns, lambda row: row.library.path, parent)

    @property
    def ticked(self) -> tuple[FoundRow, ...]:
        """The rows that are wanted."""
        return tuple(row for row in self.rows if row.ticked)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt's."""
        flags = super().flags(index)
        if index.column() == TICK_COLUMN:
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME_COLUMN else flags

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if index.isValid() and role == Qt.ItemDataRole.CheckStateRole and index.column() == TICK_COLUMN:
            return Qt.CheckState.Checked if self.row(index.row()).ticked else Qt.CheckState.Unchecked
        if index.isValid() and role == Qt.ItemDataRole.EditRole and index.column() == NAME_COLUMN:
            return self.row(index.row()).name
        return super().data(index, role)

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Qt's; typing a name ticks its row."""
        if not index.isValid():
            return False
        row = self.row(index.row())
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == TICK_COLUMN:
            changed = replace(row, ticked=Qt.CheckState(value) is Qt.CheckState.Checked)
        elif role == Qt.ItemDataRole.EditRole and index.column() == NAME_COLUMN:
            changed = replace(row, name=str(value).strip(), ticked=True)
        else:
            return False
        self.update_row(changed)
        self.changed_by_hand.emit()
        return True


def _state_text(row: FoundRow) -> str:
    if not row.listed_as:
        return _tr("not in the list")
    words = _tr("loaded as “{0}”") if row.is_loaded else _tr("in the list as “{0}”")
    return words.format(row.listed_as)
