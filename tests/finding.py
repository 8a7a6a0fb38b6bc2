"""How tests find widgets and use them as a hand would: by the names that a screen reader says."""

from __future__ import annotations

from typing import TypeVar

import shiboken6
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLabel, QWidget
from pytestqt.qtbot import QtBot

W = TypeVar("W", bound=QWidget)


def spoken_name(widget: QWidget) -> str:
    """What a screen reader calls a widget: its accessible name, its label (as a buddy), or a button's own text."""
    labels = widget.window().findChildren(QLabel)
    buddies = [label.text() for label in labels if label.buddy() is widget]
    own = widget.text() if isinstance(widget, QAbstractButton) else ""
    return (widget.accessibleName() or next(iter(buddies), own)).replace("&", "")


def child(parent: QWidget, kind: type[W], name: str) -> W:
    """The one widget of that kind and name below `parent`."""
    found = [widget for widget in parent.findChildren(kind) if spoken_name(widget) == name]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} “{name}”"
    return found[0]


def action_named(parent: QWidget, text: str) -> QAction:
    """The one action of the widget's context menu with that text."""
    found = [action for action in parent.actions() if action.text().replace("&", "") == text]
    assert len(found) == 1, f"{len(found)} actions “{text}”"
    return found[0]


def shown_texts(parent: QWidget) -> list[str]:
    """The texts of all labels that are to be seen below `parent`."""
    return [label.text() for label in parent.findChildren(QLabel) if label.isVisible() and label.text()]


def rows_of(model: QAbstractItemModel) -> list[list[str]]:
    """What a table shows, row by row."""
    columns = range(model.columnCount())
    return [[str(model.index(row, column).data() or "") for column in columns] for row in range(model.rowCount())]


def click_row(
    qtbot: QtBot, view: QAbstractItemView, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Click into the first cell of a row."""
    click_index(qtbot, view, view.model().index(row, 0), modifier)


def click_index(
    qtbot: QtBot,
    view: QAbstractItemView,
    index: QModelIndex,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Click into a cell, after it was scrolled to."""
    view.scrollTo(index)
    area = view.visualRect(index)
    point = QPoint(area.left() + min(12, area.width() // 2), area.center().y())
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, point)


def show(qtbot: QtBot, widget: QWidget, width: int, height: int) -> None:
    """Show a widget of a test's own as the active window; it is closed with the test."""
    qtbot.addWidget(widget)
    widget.resize(width, height)
    with qtbot.waitActive(widget):
        widget.show()
        widget.activateWindow()


def wait_until_gone(qtbot: QtBot, widget: QWidget) -> None:
    """Wait until a widget that is to be deleted is."""
    qtbot.waitUntil(lambda: not shiboken6.isValid(widget), timeout=5000)
