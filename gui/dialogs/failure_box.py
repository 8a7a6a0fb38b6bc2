"""A failure where there is no panel to show it in: the sentence, what to do, and the raw text behind *Details*."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from ..records.failure import Failure


def failure_box(title: str, failure: Failure, window: QWidget) -> QMessageBox:
    """Return a box that is to be opened; it ends itself when it is closed."""
    box = QMessageBox(QMessageBox.Icon.Warning, title, failure.message, QMessageBox.StandardButton.Ok, window)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(failure.hint)
    if failure.detail:
        box.setDetailedText(failure.detail)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box
