"""EP options as an editable table of key and value."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from ..records.codec import StringMap
from .table import Index

_NO_PARENT: Final = QModelIndex()


class OptionTableModel(QAbstractTableModel):
    """One row an option, and an empty one at the end to type the next into."""

    options_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pairs: list[tuple[str, str]] = []

    @property
    def options(self) -> StringMap:
        """The options as typed, without white space around them; rows without a key and value are left out."""
        return tuple((key.strip(), value.strip()) for key, value in self._pairs if key.strip() or value.strip())

    def set_options(self, options: StringMap) -> None:
        """Show these options."""
        self.beginResetModel()
        self._pairs = list(options)
        self.endResetModel()
        self.options_changed.emit()

    def problem(self) -> str | None:
        """Return what is wrong with the options, in one sentence, or None."""
        keys = [key for key, _ in self.options]
        if "" in keys:
            value = next(value for key, value in self.options if not key)
            return self.tr("The option value “{0}” has no key. Type options as key and value.").format(value)
        for key in keys:
            if keys.count(key) > 1:
                return self.tr("The option “{0}” is there twice. Remove one.").format(key)
        return None

    def remove_row(self, row: int) -> None:
        """Remove one option."""
        if 0 <= row < len(self._pairs):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._pairs[row]
            self.endRemoveRows()
            self.options_changed.emit()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(self._pairs) + 1

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else 2

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt's."""
        base = super().flags(index)
        return base | Qt.ItemFlag.ItemIsEditable if index.isValid() else base

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return None
        if index.row() == len(self._pairs):
            return ""
        return self._pairs[index.row()][index.column()]

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Qt's. A key typed or pasted as `key=value` fills both cells."""
        if not index.isValid() or role != Qt.ItemDataRole.EditRole:
            return False
        text = str(value)
        if index.row() == len(self._pairs):
            if not text.strip():
                return False
            self.beginInsertRows(QModelIndex(), len(self._pairs) + 1, len(self._pairs) + 1)
            self._pairs.append(("", ""))
            self.endInsertRows()
        key, option = self._pairs[index.row()]
        if index.column() == 0 and "=" in text:
            key, _, option = text.partition("=")
        elif index.column() == 0:
            key = text
        else:
            option = text
        self._pairs[index.row()] = (key, option)
        self.dataChanged.emit(self.index(index.row(), 0), self.index(index.row(), 1))
        self.options_changed.emit()
        return True

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """Qt's."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Option"), self.tr("Value"))[section] if 0 <= section < 2 else None
        return None
