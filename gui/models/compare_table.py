"""The targets that may be compared: to be ticked, and given options, threads and labels of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QColor, QIcon

from ..records.trial import MAX_THREADS
from .compare_plan import CompareRow, labels_of, variant_of
from .option_text import options_text, parsed_options
from .table import Column, Index, RecordTableModel
from .texts import count_text

TARGET_COLUMN: Final = 0
LABEL_COLUMN: Final = 1
OPTIONS_COLUMN: Final = 2
THREADS_COLUMN: Final = 3
_EDITABLE: Final = (LABEL_COLUMN, OPTIONS_COLUMN, THREADS_COLUMN)
_EDIT_ROLE: Final = int(Qt.ItemDataRole.EditRole)


def _tr(text: str) -> str:
    return QCoreApplication.translate("CompareTable", text)


class CompareTableModel(RecordTableModel[CompareRow]):
    """One row a target; the target is ticked, what is its own is typed into the cells."""

    changed_by_hand = Signal()
    refused = Signal(str)
    """Told what was typed that cannot be taken: a sentence. Empty when it was taken."""

    def __init__(
        self, parent: QObject | None = None, *, warning: Callable[[], QIcon], muted: Callable[[], QColor]
    ) -> None:
        """`warning` returns the mark of a row that cannot run, `muted` the colour of its words."""
        self._labels: dict[str, str] = {}

        def color(row: CompareRow) -> QColor | None:
            return muted() if row.obstacle else None

        columns = (
            Column[CompareRow](title=_tr("Target"), text=_name, color=color),
            Column[CompareRow](
                title=_tr("Label"),
                text=lambda row: self._labels.get(row.key, ""),
                is_bold=lambda row: bool(row.label),
                color=color,
                header_tip=_tr("How it is called in charts and tables; a double click changes it"),
            ),
            Column[CompareRow](
                title=_tr("EP options"),
                text=_options,
                tip=lambda row: options_problem(row) or _options(row),
                is_bold=lambda row: row.has_own_options,
                icon=lambda row: warning() if row.typed_options else None,
                color=color,
                header_tip=_tr("As in key=value; key=value. At first those of the trial; a double click changes them"),
            ),
            Column[CompareRow](
                title=_tr("Threads"),
                text=lambda row: count_text(row.threads) if row.threads else _tr("ORT's choice"),
                sort=lambda row: row.threads,
                is_bold=lambda row: row.has_own_threads,
                color=color,
                header_tip=_tr("Intra-op threads; 0 leaves the number to ORT"),
            ),
            Column[CompareRow](title=_tr("Hardware"), text=lambda row: row.hardware, color=color),
            Column[CompareRow](
                title=_tr("Note"),
                text=lambda row: row.obstacle or options_problem(row),
                icon=lambda row: warning() if row.obstacle or row.typed_options else None,
                color=color,
            ),
        )
        super().__init__(columns, lambda row: row.key, parent)

    @property
    def chosen(self) -> tuple[CompareRow, ...]:
        """The rows that are to be compared."""
        return tuple(row for row in self.rows if row.is_chosen)

    def label(self, row: CompareRow) -> str:
        """Return the label of a row: the one typed, or the one proposed."""
        return self._labels[row.key]

    def set_rows(self, rows: Sequence[CompareRow]) -> None:
        """Show these rows."""
        labels = labels_of(rows)
        self._labels |= labels  # rows that go are asked for theirs on the way
        super().set_rows(rows)
        self._labels = labels

    def add_variant(self, number: int) -> int:
        """Put a variant of a row behind it and those that it has; return the variant's place."""
        row, rows = self.row(number), list(self.rows)
        origin = row.variant_of or row.key
        place = max(n for n, other in enumerate(rows) if origin in (other.key, other.variant_of)) + 1
        rows.insert(place, variant_of(row, rows))
        self.set_rows(rows)
        self.changed_by_hand.emit()
        return place

    def remove_variant(self, number: int) -> None:
        """Remove a variant; rows that are none stay."""
        rows = list(self.rows)
        if rows[number].variant_of:
            del rows[number]
            self.set_rows(rows)
            self.changed_by_hand.emit()

    def toggle(self, number: int) -> None:
        """Tick a row, or take the tick away."""
        row = self.row(number)
        if not row.obstacle:
            self._replace(replace(row, ticked=not row.ticked))

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt's."""
        flags = super().flags(index)
        if not index.isValid() or self.row(index.row()).obstacle:
            return flags
        if index.column() == TARGET_COLUMN:
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() in _EDITABLE else flags

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if index.isValid() and role == Qt.ItemDataRole.CheckStateRole and index.column() == TARGET_COLUMN:
            return Qt.CheckState.Checked if self.row(index.row()).is_chosen else Qt.CheckState.Unchecked
        if index.isValid() and role == Qt.ItemDataRole.EditRole and index.column() in _EDITABLE:
            row = self.row(index.row())
            if index.column() == THREADS_COLUMN:
                return str(row.threads)
            return _options(row) if index.column() == OPTIONS_COLUMN else self.label(row)
        return super().data(index, role)

    def setData(self, index: Index, value: Any, role: int = _EDIT_ROLE) -> bool:
        """Qt's; options that are none stay to be corrected."""
        if not index.isValid():
            return False
        row = self.row(index.row())
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == TARGET_COLUMN:
            self._replace(replace(row, ticked=Qt.CheckState(value) is Qt.CheckState.Checked))
            return True
        if role != _EDIT_ROLE or index.column() not in _EDITABLE:
            return False
        changed = self._typed(row, index.column(), str(value).strip())
        if changed is None:
            return False
        self.refused.emit("")
        if changed != row:
            self._replace(changed)
        return True

    def _typed(self, row: CompareRow, column: int, text: str) -> CompareRow | None:
        """Return a row with what was typed into one of its cells; None for what cannot be taken."""
        if column == LABEL_COLUMN:
            return row if text == self.label(row) else replace(row, label=text)
        if column == OPTIONS_COLUMN:
            if text == _options(row):
                return row
            try:
                return replace(row, options=parsed_options(text), typed_options="", has_own_options=True)
            except ValueError:
                return replace(row, typed_options=text, has_own_options=True)
        threads = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        if not 0 <= threads <= MAX_THREADS:
            sentence = _tr("“{0}” is no number of threads: it must be between 0 and {1}.")
            self.refused.emit(sentence.format(text, count_text(MAX_THREADS)))
            return None
        return row if threads == row.threads else replace(row, threads=threads, has_own_threads=True)

    def _replace(self, row: CompareRow) -> None:
        self.set_rows([row if other.key == row.key else other for other in self.rows])  # labels of others may change
        self.changed_by_hand.emit()


def options_problem(row: CompareRow) -> str:
    """Return what is wrong with the options that were typed, in a sentence; empty when nothing is."""
    if not row.typed_options:
        return ""
    try:
        parsed_options(row.typed_options)
    except ValueError as error:
        return str(error)
    return ""


def _options(row: CompareRow) -> str:
    return row.typed_options or options_text(row.options)


def _name(row: CompareRow) -> str:
    return _tr("    variant of {0}").format(row.text) if row.variant_of else row.text
