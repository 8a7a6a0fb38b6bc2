"""Shown when this application met an error of its own: what to report."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from .. import __version__
from ..records.protocol import Greeting


def version_lines(greeting: Greeting | None) -> str:
    """Return the versions of the application and its parts, a line each."""
    lines = [
        f"ORT Device Explorer {__version__}",
        f"Python {platform.python_version()}, PySide6 {PySide6.__version__}",
        platform.platform(),
    ]
    if greeting is not None:
        lines.insert(
            1, f"onnxruntime {greeting.onnxruntime}, numpy {greeting.numpy} (engine, Python {greeting.python})"
        )
    return "\n".join(lines)


class BugReportDialog(QDialog):
    """Versions and traceback, to be copied into a report."""

    def __init__(self, text: str, greeting: Greeting | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Something went wrong in this application"))
        label = QLabel(
            self.tr(
                "This is a fault of ORT Device Explorer, not yours. You can go on; please report it with this text."
            ),
            self,
        )
        label.setWordWrap(True)
        self._text = QPlainTextEdit(f"{version_lines(greeting)}\n\n{text}", self)
        self._text.setReadOnly(True)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(label)
        layout.addWidget(self._text, 1)
        layout.addWidget(buttons)
        self.resize(720, 420)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText())
