"""What reading a library's file told: a line that opens into a short list with marks."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from .. import theme
from ..models.finding_table import FindingTableModel, check_summary
from ..records.library_check import LibraryCheck, Mark
from .widgets import TableView

ICONS: Final = {
    Mark.GOOD: "loaded",
    Mark.NOTE: "note",
    Mark.DOUBTFUL: "warning",
    Mark.BAD: "failed",
    Mark.UNKNOWN: "unknown",
}
_MARK_COLUMN: Final = 1
_MOST_ROWS: Final = 8
_LEAST_ROWS: Final = 3


class CheckBox(QWidget):
    """Shows one `LibraryCheck`, opened by itself when something is wrong."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._check: LibraryCheck | None = None
        self._head = QToolButton(self)
        self._model = FindingTableModel(self._icon_of, self)
        self._view = TableView(self.tr("Findings about the file"), self)
        self._build()
        self._head.toggled.connect(self._on_toggled)
        self.hide()

    def _build(self) -> None:
        self._head.setCheckable(True)
        self._head.setAutoRaise(True)
        self._head.setArrowType(Qt.ArrowType.RightArrow)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setAccessibleName(self.tr("What reading the file told"))
        self._head.setToolTip(self.tr("What reading the file told before it was loaded"))
        self._head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._view.setModel(self._model)
        self._view.setColumnHidden(_MARK_COLUMN, True)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._view.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._view.horizontalHeader().hide()
        self._view.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._head)
        layout.addWidget(self._view)

    def show_check(self, check: LibraryCheck | None) -> None:
        """Show the findings about a file, or nothing."""
        if check == self._check:
            return
        self._check = check
        self.setVisible(check is not None)
        if check is None:
            return
        self._model.set_rows(check.findings)
        self._view.fit_columns({2: 20})
        rows = min(len(check.findings), _MOST_ROWS)
        height = self._view.verticalHeader().defaultSectionSize()
        self._view.setMinimumHeight(min(rows, _LEAST_ROWS) * height + 4)
        self._view.setMaximumHeight(rows * height + 4)
        self._head.setText(check_summary(check))
        self._head.setAccessibleName(check_summary(check))
        worst = next((row for row, finding in enumerate(check.findings) if finding.mark is Mark.BAD), None)
        self._head.setChecked(worst is not None)
        if worst is not None:
            self._view.choose_row(worst)
            self._view.scrollTo(self._model.index(worst, 0))

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and self._check is not None:
            self._model.set_rows(self._check.findings)

    def _on_toggled(self, opened: bool) -> None:
        self._head.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self._view.setVisible(opened)

    def _icon_of(self, mark: Mark) -> QIcon:
        return theme.icon(ICONS[mark], self.palette())
