"""A table over records: one row a record, columns as data."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QIcon

Index = QModelIndex | QPersistentModelIndex
_Row = TypeVar("_Row")

SORT_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1
"""The value to sort by: a number for numbers, not their text."""
ROW_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 2
"""The record of the row."""

_NO_PARENT: Final = QModelIndex()


@dataclass(frozen=True, kw_only=True)  # without slots: with them `Column[…](…)` is a TypeError below Python 3.12
class Column(Generic[_Row]):
    """One column: how a record shows in it."""

    title: str
    text: Callable[[_Row], str]
    sort: Callable[[_Row], float | str] | None = None
    """None sorts by the text."""
    icon: Callable[[_Row], QIcon | None] | None = None
    tip: Callable[[_Row], str] | None = None
    """None shows the text itself, which may be cut off in the cell."""
    is_number: bool = False
    is_bold: Callable[[_Row], bool] | None = None
    color: Callable[[_Row], QColor | None] | None = None
    """Of the text; None is the view's own."""
    header_tip: str = ""


class RecordTableModel(QAbstractTableModel, Generic[_Row]):
    """Shows records; `set_rows` changes as little as it can, so that selections stay."""

    def __init__(
        self, columns: Sequence[Column[_Row]], key: Callable[[_Row], Hashable], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self._key = key
        self._rows: list[_Row] = []

    @property
    def rows(self) -> tuple[_Row, ...]:
        """The records, in the model's order."""
        return tuple(self._rows)

    def row(self, number: int) -> _Row:
        """Return the record of a row."""
        return self._rows[number]

    def set_rows(self, rows: Sequence[_Row]) -> None:
        """Show these records: rows that stay are updated, others removed or inserted; a new order resets the model."""
        new_keys = [self._key(row) for row in rows]
        wanted = set(new_keys)
        self._remove_all_but(wanted)
        present = {self._key(row) for row in self._rows}
        kept = [key for key in new_keys if key in present]
        if kept != [self._key(row) for row in self._rows]:
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()
            return
        self._insert_missing(list(rows), present)
        self._rows = list(rows)
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(self._columns) - 1))

    def update_row(self, row: _Row) -> None:
        """Tell that a record has changed within itself."""
        for number, other in enumerate(self._rows):
            if self._key(other) == self._key(row):
                self._rows[number] = row
                self.dataChanged.emit(self.index(number, 0), self.index(number, len(self._columns) - 1))
                return

    def row_number(self, key: Hashable) -> int | None:
        """Return the number of the row with this key."""
        return next((number for number, row in enumerate(self._rows) if self._key(row) == key), None)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], self._columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(row)
            case Qt.ItemDataRole.ToolTipRole:
                return (column.tip or column.text)(row) or None
            case Qt.ItemDataRole.DecorationRole:
                return column.icon(row) if column.icon else None
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.FontRole:
                return _bold() if column.is_bold is not None and column.is_bold(row) else None
            case Qt.ItemDataRole.ForegroundRole:
                return column.color(row) if column.color else None
            case _ if role == SORT_ROLE:
                value = (column.sort or column.text)(row)
                # Qt compares an int of 32 bits with a larger one as if both had 32; a double holds all of them.
                return value if isinstance(value, str) else float(value)
            case _ if role == ROW_ROLE:
                return row
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """Qt's."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return column.header_tip or None
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def _remove_all_but(self, wanted: set[Hashable]) -> None:
        for number in reversed(range(len(self._rows))):
            if self._key(self._rows[number]) not in wanted:
                self.beginRemoveRows(QModelIndex(), number, number)
                del self._rows[number]
                self.endRemoveRows()

    def _insert_missing(self, rows: list[_Row], present: set[Hashable]) -> None:
        first = 0
        while first < len(rows):
            if self._key(rows[first]) in present:
                first += 1
                continue
            last = first
            while last + 1 < len(rows) and self._key(rows[last + 1]) not in present:
                last += 1
            self.beginInsertRows(QModelIndex(), first, last)
            self._rows[first:first] = rows[first : last + 1]
            self.endInsertRows()
            first = last + 1


def _bold() -> QFont:
    font = QFont()
    font.setBold(True)
    return font


class FilterProxy(QSortFilterProxyModel):
    """Sorts by `SORT_ROLE` and lets rows through that hold every word of the filter, in any column."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT_ROLE)
        self.setSortCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._words: tuple[str, ...] = ()

    def set_filter_text(self, text: str) -> None:
        """Let only rows through that hold each of the words."""
        words = tuple(text.casefold().split())
        if words != self._words:
            with self.filter_change():
                self._words = words

    @contextmanager
    def filter_change(self) -> Iterator[None]:
        """Change within what the filter goes by: the rows are looked through anew afterwards."""
        if hasattr(self, "endFilterChange"):  # since Qt 6.10, which deprecates the other
            self.beginFilterChange()
            yield
            self.endFilterChange()
        else:
            yield
            self.invalidateFilter()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Qt's."""
        if not self._words:
            return True
        text = self.row_text(source_row, source_parent)
        return all(word in text for word in self._words)

    def row_text(self, source_row: int, source_parent: Index) -> str:
        """Return what the filter looks through, case folded."""
        model = self.sourceModel()
        columns = range(model.columnCount(source_parent))
        texts = (model.index(source_row, column, source_parent).data() for column in columns)
        return "\t".join(str(text) for text in texts if text is not None).casefold()
