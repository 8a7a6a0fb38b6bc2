"""How far outputs may be from those of the CPU EP: two numbers for each element type."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from ..models.tolerance_table import ABSOLUTE_COLUMN, RELATIVE_COLUMN, ToleranceTableModel
from ..panels.widgets import MutedLabel, TableView
from ..records.check import Tolerance

_SHOWN_ROWS: Final = 12


class TolerancesDialog(QDialog):
    """A table to type into, and what its numbers mean above it."""

    tolerances_chosen = Signal(object)
    """tuple of `Tolerance`, those other than by themselves, when *OK* is pressed."""

    def __init__(self, tolerances: tuple[Tolerance, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Tolerances of outputs"))
        self._model = ToleranceTableModel(self)
        self._view = _ToleranceView(self.tr("Tolerances by element type"), self)
        self._problem = QLabel(self)
        standard = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(standard.Ok | standard.Cancel, self)
        self._reset = self._buttons.addButton(self.tr("Reset to defaults"), QDialogButtonBox.ButtonRole.ResetRole)
        self._model.show_tolerances(tolerances)
        self._build()
        self._connect()
        self._on_changed()

    def _build(self) -> None:
        rule = QLabel(
            self.tr(
                "An output a agrees with the CPU's b when |a − b| ≤ absolute + relative · |b| for every element and,"
                " of floats, the noise is at most a tenth of the signal."
            ),
            self,
        )
        exact = MutedLabel(
            self.tr("With 0 and 0 a type is compared exactly, as text, sequences and maps always are."), self
        )
        layout = QVBoxLayout(self)
        for label in (rule, exact, self._problem):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(rule)
        layout.addWidget(exact)
        self._view.setModel(self._model)
        self._view.build()
        layout.addWidget(self._view, 1)
        self._problem.setMinimumHeight(self.fontMetrics().lineSpacing())
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons)
        for button in (self._reset, self._buttons.button(QDialogButtonBox.StandardButton.Cancel)):
            button.setAutoDefault(False)
        rows = self._view.verticalHeader().defaultSectionSize() * _SHOWN_ROWS
        self.resize(440, rows + 190)
        self._view.setFocus()

    def _connect(self) -> None:
        self._model.dataChanged.connect(self._on_changed)
        self._model.refused.connect(self._problem.setText)
        self._reset.clicked.connect(self._reset_all)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    def accept(self) -> None:
        """Qt's; tells what is chosen."""
        self.tolerances_chosen.emit(self._model.tolerances)
        super().accept()

    def _reset_all(self) -> None:
        self._model.show_tolerances(())
        self._problem.clear()
        self._view.setFocus()  # the button cannot be pressed again

    def _on_changed(self) -> None:
        self._reset.setEnabled(bool(self._model.tolerances))


class _ToleranceView(TableView):
    """Keys go from number to number: Tab while one is edited, typing edits the current one."""

    def build(self) -> None:
        """Set the view up; call when it has its model."""
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(
            trigger.AnyKeyPressed | trigger.EditKeyPressed | trigger.DoubleClicked | trigger.SelectedClicked
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setShowGrid(True)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setCurrentIndex(self.model().index(0, ABSOLUTE_COLUMN))

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Qt's; Tab passes over the names."""
        index = super().moveCursor(action, modifiers)
        if not index.isValid() or index.column() >= ABSOLUTE_COLUMN:
            return index
        if action is QAbstractItemView.CursorAction.MovePrevious:
            count = self.model().rowCount()
            return self.model().index((index.row() - 1) % count, RELATIVE_COLUMN)
        return index.siblingAtColumn(ABSOLUTE_COLUMN)
