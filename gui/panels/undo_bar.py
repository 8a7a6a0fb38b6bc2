"""What was deleted last, and the way to have it back."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from .. import theme
from .widgets import ActionButton


class UndoBar(QFrame):
    """Hidden while there is nothing to be undone."""

    dismissed = Signal()

    def __init__(self, undo: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel(self)
        self._undo = ActionButton(undo, self)
        self._dismiss = QToolButton(self)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._undo.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._dismiss.setAutoRaise(True)
        self._dismiss.setAccessibleName(self.tr("Dismiss"))
        self._dismiss.setToolTip(self.tr("Dismiss"))
        self._dismiss.clicked.connect(self.dismissed)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 4, 2)
        row.addWidget(self._text)
        row.addWidget(self._undo)
        row.addStretch(1)
        row.addWidget(self._dismiss)
        self._tint()
        self.hide()

    def show_text(self, text: str) -> None:
        """Show what was done; an empty text hides the bar."""
        self._text.setText(text)
        self.setVisible(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        self._dismiss.setIcon(theme.icon("remove", self.palette()))
