"""Options as an editable table of key and value, with what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QIcon

from ..records.codec import StringMap
from .known_options import (
    EP_KEY_PREFIX,
    KnownOption,
    Note,
    details_of,
    full_key,
    note_of,
    similar_note,
    tip_of,
)
from .table import Index
from .texts import count_text

KEY_COLUMN, VALUE_COLUMN, NOTE_COLUMN = 0, 1, 2
MAX_KEY_LENGTH: Final = 1024
"""ORT's, with the `ep.<name>.` that it puts before the key of an EP's option."""
MAX_VALUE_LENGTH: Final = 8192
"""ORT's."""
_COLUMNS: Final = 3
_SHOWN_LENGTH: Final = 40
_NO_PARENT: Final = QModelIndex()


class OptionTableModel(QAbstractTableModel):
    """One row an option, and an empty one at the end to type the next into."""

    options_changed = Signal()

    def __init__(self, parent: QObject | None = None, *, warning: Callable[[], QIcon] | None = None) -> None:
        """`warning` returns the mark of a note that warns, beside its words."""
        super().__init__(parent)
        self._pairs: list[tuple[str, str]] = []
        self._known: Mapping[str, KnownOption] = {}
        self._ep_names: tuple[str, ...] = ()
        self._warning = warning

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

    def set_known(self, known: Mapping[str, KnownOption], ep_names: tuple[str, ...]) -> None:
        """Tell which options are known, and the names of the EPs that are handed those of the table."""
        if known != self._known or ep_names != self._ep_names:
            self._known, self._ep_names = known, ep_names
            self._notes_changed()  # not the other cells: a view would set back what is being typed into them

    def known(self, row: int) -> KnownOption | None:
        """Return what is known of the option in a row; None for an unknown or an empty one."""
        return self._known.get(self._pair(row)[KEY_COLUMN].strip())

    def offered_keys(self, row: int) -> tuple[KnownOption, ...]:
        """Return the known options that a row may still name: its own, and those of use that no row names."""
        used = {key.strip() for number, (key, _) in enumerate(self._pairs) if number != row}
        own = self._pair(row)[KEY_COLUMN].strip()
        return tuple(
            known for key, known in self._known.items() if key not in used and (key == own or not known.is_ignored)
        )

    def details(self, row: int) -> str:
        """Return some sentences on the option in a row; empty for a row without a key."""
        key, value = (text.strip() for text in self._pair(row))
        return details_of(self._known.get(key), value) if key else ""

    def details_of_key(self, key: str) -> str:
        """Return some sentences on an option that is not set."""
        return details_of(self._known.get(key), "")

    def problem(self) -> str | None:
        """Return what is wrong with the options, in one sentence, or None."""
        keys = [key for key, _ in self.options]
        if "" in keys:
            value = next(value for key, value in self.options if not key)
            return self.tr("The option value “{0}” has no key. Type options as key and value.").format(value)
        for key, value in self.options:
            if keys.count(key) > 1:
                return self.tr("The option “{0}” is there twice. Remove one.").format(key)
            problem = self._length_problem(key, value)
            if problem is not None:
                return problem
        return None

    def _length_problem(self, key: str, value: str) -> str | None:
        shown = key if len(key) <= _SHOWN_LENGTH else f"{key[:_SHOWN_LENGTH]}…"
        if "\0" in key + value:
            return self.tr("The option “{0}” holds a null character, where ORT would cut it off. Type it anew.").format(
                shown.replace("\0", "")
            )
        if max(map(len, self._config_keys(key))) > MAX_KEY_LENGTH:
            return self.tr("The option “{0}” is longer than ORT takes, {1} characters in all. Shorten it.").format(
                shown, count_text(MAX_KEY_LENGTH)
            )
        if len(value) > MAX_VALUE_LENGTH:
            return self.tr("The value of “{0}” is longer than ORT takes, {1} characters. Shorten it.").format(
                shown, count_text(MAX_VALUE_LENGTH)
            )
        return None

    def _config_keys(self, key: str) -> tuple[str, ...]:
        """Return what ORT makes of a key: as the key of a session-config entry, one for each EP."""
        if key.startswith(EP_KEY_PREFIX) or not self._ep_names:
            return (key,)
        return tuple(full_key(name, key) for name in self._ep_names)

    def remove_row(self, row: int) -> None:
        """Remove one option."""
        if 0 <= row < len(self._pairs):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._pairs[row]
            self.endRemoveRows()
            self._notes_changed()
            self.options_changed.emit()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(self._pairs) + 1

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else _COLUMNS

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt's."""
        base = super().flags(index)
        can_be_edited = index.isValid() and index.column() != NOTE_COLUMN
        return base | Qt.ItemFlag.ItemIsEditable if can_be_edited else base

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if not index.isValid():
            return None
        row, column = index.row(), index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._note(row).text if column == NOTE_COLUMN else self._pair(row)[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row)
        if role == Qt.ItemDataRole.DecorationRole and column == NOTE_COLUMN and self._warning is not None:
            return self._warning() if self._note(row).is_warning else None
        return None

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Qt's. A key typed or pasted as `key=value` fills both cells."""
        if not index.isValid() or role != Qt.ItemDataRole.EditRole or index.column() == NOTE_COLUMN:
            return False
        text = str(value)
        if index.row() == len(self._pairs):
            if not text.strip():
                return False
            self.beginInsertRows(QModelIndex(), len(self._pairs) + 1, len(self._pairs) + 1)
            self._pairs.append(("", ""))
            self.endInsertRows()
        key, option = self._pairs[index.row()]
        if index.column() == KEY_COLUMN and "=" in text:
            key, _, option = text.partition("=")
        elif index.column() == KEY_COLUMN:
            key = text
        else:
            option = text
        self._pairs[index.row()] = (key, option)
        self.dataChanged.emit(self.index(index.row(), KEY_COLUMN), self.index(index.row(), VALUE_COLUMN))
        self._notes_changed()
        self.options_changed.emit()
        return True

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """Qt's."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            titles = (self.tr("Option"), self.tr("Value"), self.tr("Known as"))
            return titles[section] if 0 <= section < _COLUMNS else None
        return None

    def _pair(self, row: int) -> tuple[str, str]:
        return self._pairs[row] if 0 <= row < len(self._pairs) else ("", "")

    def _notes_changed(self) -> None:
        """Tell that any note may be another: whether a key is there twice depends on all rows."""
        self.dataChanged.emit(self.index(0, NOTE_COLUMN), self.index(len(self._pairs), NOTE_COLUMN))

    def _note(self, row: int) -> Note:
        key, value = (text.strip() for text in self._pair(row))
        if not key:
            return Note(text=self.tr("has no key"), is_warning=True) if value else Note(text="")
        if [other.strip() for other, _ in self._pairs].count(key) > 1:
            return Note(text=self.tr("is there twice"), is_warning=True)
        known = self._known.get(key)
        if known is None:
            folded = key.casefold()
            similar = next((other for other in self._known if other.casefold() == folded), None)
            if similar is not None:
                return similar_note(similar)
        return note_of(known, value)

    def _tip(self, row: int) -> str | None:
        key, value = (text.strip() for text in self._pair(row))
        return tip_of(self._known.get(key), value) if key else None
