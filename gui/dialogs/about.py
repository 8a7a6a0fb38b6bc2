"""What the application is, with the versions of its parts."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from .. import theme
from ..records.protocol import Greeting
from .bug_report import version_lines


def about_box(greeting: Greeting | None, parent: QWidget) -> QMessageBox:
    """Return the box, still to be opened. `greeting` is the engine's."""

    def translated(text: str) -> str:
        return QCoreApplication.translate("About", text)

    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(translated("About ORT Device Explorer"))
    box.setIconPixmap(theme.application_icon().pixmap(64, 64))
    box.setText(translated("See which devices ONNX Runtime can reach, and try a model on each."))
    box.setInformativeText(version_lines(greeting))
    return box
