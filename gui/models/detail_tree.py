"""Groups of key and value as a tree of two levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QFont

from ..records.codec import StringMap
from .table import Index

_TOP: Final = 0
"""The internal id of groups; pairs have their group's number plus one."""
_NO_PARENT: Final = QModelIndex()


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailGroup:
    """A title and the pairs under it; without any it says that there are none."""

    title: str
    pairs: StringMap


class DetailTreeModel(QAbstractItemModel):
    """Two columns, key and value; the rows of a group's pairs lie under it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._groups: tuple[DetailGroup, ...] = ()

    def set_groups(self, groups: Sequence[DetailGroup]) -> None:
        """Show these groups; nothing changes when they are the same."""
        if tuple(groups) != self._groups:
            self.beginResetModel()
            self._groups = tuple(groups)
            self.endResetModel()

    def longest_key(self) -> str:
        """Return the longest key, to make room for."""
        return max((key for group in self._groups for key, _ in group.pairs), key=len, default="")

    def index(self, row: int, column: int, parent: Index = _NO_PARENT) -> QModelIndex:
        """Qt's."""
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else _TOP)

    def parent(self, index: Index = _NO_PARENT) -> Any:
        """Qt's."""
        if not index.isValid() or index.internalId() == _TOP:
            return QModelIndex()
        return self.createIndex(int(index.internalId()) - 1, 0, _TOP)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        if not parent.isValid():
            return len(self._groups)
        if parent.internalId() != _TOP or parent.column() != 0:
            return 0
        return len(self._groups[parent.row()].pairs)

    def columnCount(self, _parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 2

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if not index.isValid():
            return None
        is_group = index.internalId() == _TOP
        if role == Qt.ItemDataRole.FontRole and is_group and index.column() == 0:
            font = QFont()
            font.setBold(True)
            return font
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        if is_group:
            group = self._groups[index.row()]
            if index.column() != 0:
                return ""
            return group.title if group.pairs else self.tr("{0}: none").format(group.title)
        return self._groups[int(index.internalId()) - 1].pairs[index.row()][index.column()]

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """Qt's."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Key"), self.tr("Value"))[section] if 0 <= section < 2 else None
        return None
