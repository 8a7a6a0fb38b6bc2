"""The dialog for a fault of this application's own."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from gui import __version__
from gui.dialogs.bug_report import BugReportDialog, version_lines

from ..finding import child, show, wait_until_gone
from ..records.examples import GREETING


def test_that_versions_of_window_and_engine_are_told() -> None:
    first, engine, window, _system = version_lines(GREETING).splitlines()
    assert first == f"ORT Device Explorer {__version__}"
    assert engine == "onnxruntime 1.32.0, numpy 2.4 (engine, Python 3.13.0)"
    assert "PySide6" in window
    assert "onnxruntime" not in version_lines(None)


def test_that_the_report_can_be_copied_whole(qtbot: QtBot) -> None:
    QGuiApplication.clipboard().clear()
    dialog = BugReportDialog("Traceback: <boom>", GREETING)
    show(qtbot, dialog, 700, 400)
    qtbot.mouseClick(child(dialog, QPushButton, "Copy"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == f"{version_lines(GREETING)}\n\nTraceback: <boom>"
    (text,) = dialog.findChildren(QPlainTextEdit)
    assert text.isReadOnly()


@pytest.mark.parametrize("close", ["click", "escape"])
def test_that_the_dialog_closes_for_good(qtbot: QtBot, close: str) -> None:
    dialog = BugReportDialog("boom", None)
    show(qtbot, dialog, 700, 400)
    if close == "click":
        qtbot.mouseClick(child(dialog, QPushButton, "Close"), Qt.MouseButton.LeftButton)
    else:
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    wait_until_gone(qtbot, dialog)
