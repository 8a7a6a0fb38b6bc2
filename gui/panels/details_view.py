"""Groups of key and value beside a table, copied as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QWidget

from ..models.detail_tree import DetailGroup, DetailTreeModel

_LEAST_KEY_WIDTH: Final = 60


class DetailsView(QTreeView):
    """Everything known of the record that is selected beside it."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._details = DetailTreeModel(self)
        self.setModel(self._details)
        self.setAccessibleName(name)
        self.setAlternatingRowColors(True)
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setIndentation(12)
        self.setUniformRowHeights(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.header().setStretchLastSection(False)  # it would not let the section get narrower than it was once
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._add_copy_actions()

    def show_groups(self, groups: Sequence[DetailGroup]) -> None:
        """Show these groups, all of them open."""
        self._details.set_groups(groups)
        self.expandAll()
        for row in range(self._details.rowCount()):
            self.setFirstColumnSpanned(row, self.rootIndex(), True)
        self._fit_keys()

    def _fit_keys(self) -> None:
        keys = self._details.longest_key()
        needed = self.fontMetrics().horizontalAdvance(keys) + 2 * self.indentation()
        self.header().resizeSection(0, min(needed, max(self.viewport().width() // 2, _LEAST_KEY_WIDTH)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; the values get their half."""
        super().resizeEvent(event)
        self._fit_keys()

    def _add_copy_actions(self) -> None:
        for text, column in (
            (self.tr("Copy value"), 1),
            (self.tr("Copy key"), 0),
            (self.tr("Copy key and value"), None),
        ):
            action = QAction(text, self)
            action.setData(column)
            action.triggered.connect(self._copy)
            if column is None:
                action.setShortcut(QKeySequence.StandardKey.Copy)
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            self.addAction(action)

    def _copy(self) -> None:
        action = self.sender()
        column = action.data() if isinstance(action, QAction) else None
        lines = []
        for index in self.selectionModel().selectedRows(0):
            key, value = str(index.data()), str(index.siblingAtColumn(1).data())
            lines.append(f"{key}\t{value}" if column is None else (key, value)[column])
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))
