"""The main window: menus, files, docks, and what it says; without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PySide6
import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui import __version__, theme
from gui.dialogs.add_libraries import AddLibrariesDialog
from gui.dialogs.bug_report import BugReportDialog
from gui.library_dialogs import is_library_name
from gui.records.failure import Failure, FailureKind
from gui.records.library import LibraryState
from gui.records.log import LogRecord, LogSeverity
from gui.settings import ColorScheme, Settings
from gui.state import EngineStatus, ModelChoice

from .finding import child, wait_until_gone
from .keepers import TIMEOUT_MS
from .models.makers import library
from .panels.test_model_chooser import NET
from .records.examples import GREETING
from .window import Idle, idle_window


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    return tmp_path / "settings.ini"


@pytest.fixture
def idle(qtbot: QtBot, ini: Path) -> Iterator[Idle]:
    with idle_window(qtbot, ini) as idle:
        yield idle


def dock(idle: Idle, name: str) -> QDockWidget:
    found = idle.window.findChild(QDockWidget, name)
    assert isinstance(found, QDockWidget)
    return found


def is_seen(widget: QWidget) -> bool:
    """Whether any of it is on the screen: what lies behind another tab is not, though Qt calls it visible."""
    return not widget.visibleRegion().isEmpty()


# ---- Files ----


def mime_of(*paths: str | Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def drag(target: QWidget, data: QMimeData) -> QDragEnterEvent:
    """Drag over a widget, as Qt does: to it, then to its parents until one accepts."""
    point: Any = QPointF if PySide6.__version_info__ >= (6, 12) else QPoint  # the latter is deprecated since
    middle = point(target.width() // 2, target.height() // 2)
    event = QDragEnterEvent(
        middle, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.ignore()
    QApplication.sendEvent(target, event)
    return event


def drop(target: QWidget, data: QMimeData) -> QDropEvent:
    """Drag over a widget and let go; Qt gives the files to what accepted the drag."""
    drag(target, data)
    middle = QPointF(target.width() / 2, target.height() / 2)
    event = QDropEvent(
        middle, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(target, event)
    return event


def test_that_dropped_libraries_are_named_and_a_dropped_model_is_chosen(idle: Idle, tmp_path: Path) -> None:
    data = mime_of(tmp_path / "libone.so", tmp_path / "net.onnx", tmp_path / "libtwo.so.1", tmp_path / "other.onnx")
    assert drag(idle.window, data).isAccepted()
    assert drop(idle.window, data).isAccepted()
    assert idle.state.model == ModelChoice(path=str(tmp_path / "net.onnx"))
    dialog = idle.window.findChild(AddLibrariesDialog)
    assert dialog is not None
    assert dialog.isVisible()
    assert [edit.text() for edit in dialog.findChildren(QLineEdit)] == ["one", "two"]
    assert idle.settings.library_folder == str(tmp_path)


def test_that_a_dropped_model_alone_asks_for_no_names(idle: Idle, tmp_path: Path) -> None:
    drop(idle.window, mime_of(tmp_path / "net.onnx"))
    assert idle.state.model == ModelChoice(path=str(tmp_path / "net.onnx"))
    assert idle.window.findChild(AddLibrariesDialog) is None


def test_that_only_files_may_be_dropped(idle: Idle) -> None:
    text, web = QMimeData(), QMimeData()
    text.setText("/eps/libone.so")
    web.setUrls([QUrl("https://example.com/libone.so")])
    assert not drag(idle.window, text).isAccepted()
    assert not drag(idle.window, web).isAccepted()


def test_that_files_may_be_dropped_anywhere_on_the_window(idle: Idle, tmp_path: Path) -> None:
    idle.state.set_model(ModelChoice(path=NET.path, description=NET))
    data = mime_of(tmp_path / "net.onnx")
    kept = [
        widget
        for widget in idle.window.findChildren(QWidget)
        if widget.window() is idle.window and widget.acceptDrops()
    ]
    assert kept == []  # none of them takes a file for itself
    assert drag(idle.window.latency_panel, data).isAccepted()


@pytest.mark.parametrize(
    ("path", "is_library"),
    [
        ("/x/libep.so", True),
        ("/x/libep.so.1.2", True),
        ("C:/x/ep.DLL", True),
        ("/x/ep.dylib", True),
        ("/x/net.onnx", False),
        ("/x.so/net.onnx", False),
        ("/x/also", False),
    ],
)
def test_that_libraries_are_told_by_their_names(path: str, is_library: bool) -> None:
    assert is_library_name(path) is is_library


def test_that_a_model_is_chosen_by_a_file_dialog_which_remembers_the_folder(idle: Idle, tmp_path: Path) -> None:
    model = tmp_path / "net.onnx"
    model.touch()
    idle.window.actions_.open_model.trigger()
    dialog = idle.window.findChild(QFileDialog)
    assert dialog is not None
    assert Path(dialog.directory().path()) == theme.RESOURCES / "models"
    assert "*.onnx" in dialog.nameFilters()[0]
    dialog.setDirectory(str(tmp_path))
    child(dialog, QLineEdit, "File name:").setText(str(model))
    dialog.accept()
    wait_until_gone(idle.qtbot, dialog)
    assert idle.state.model == ModelChoice(path=str(model))
    idle.window.actions_.open_model.trigger()
    again = idle.window.findChild(QFileDialog)
    assert again is not None
    assert Path(again.directory().path()) == tmp_path
    again.reject()


def test_that_libraries_are_chosen_by_a_file_dialog_and_then_named(idle: Idle, tmp_path: Path) -> None:
    paths = [tmp_path / "libone.so", tmp_path / "libtwo.so"]
    for path in paths:
        path.touch()
    idle.window.actions_.add_library.trigger()
    dialog = idle.window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFiles
    dialog.setDirectory(str(tmp_path))
    child(dialog, QLineEdit, "File name:").setText('"libone.so" "libtwo.so"')
    dialog.accept()
    names = idle.window.findChild(AddLibrariesDialog)
    assert names is not None
    assert [edit.text() for edit in names.findChildren(QLineEdit)] == ["one", "two"]
    assert idle.state.libraries == ()  # nothing is loaded before the names are chosen
    names.accept()
    assert idle.state.libraries == ()
    names.reject()


def test_that_names_in_the_list_are_not_proposed_again(idle: Idle) -> None:
    idle.window.add_libraries(("/x/libone.so",))
    first = idle.window.findChild(AddLibrariesDialog)
    assert first is not None
    idle.qtbot.keyClick(child(first, QLineEdit, "Registration name of libone.so"), Qt.Key.Key_Return)
    wait_until_gone(idle.qtbot, first)
    assert [library.name for library in idle.state.libraries] == ["one"]
    idle.window.add_libraries(("/y/libone.so",))
    second = idle.window.findChild(AddLibrariesDialog)
    assert second is not None
    assert child(second, QLineEdit, "Registration name of libone.so").text() == "one-2"


def test_that_a_relative_path_of_a_model_is_made_absolute(idle: Idle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/tmp")
    idle.window.open_model("net.onnx")
    assert idle.state.model == ModelChoice(path="/tmp/net.onnx")


def test_that_a_model_that_can_be_read_is_recent_unless_it_is_a_sample(idle: Idle) -> None:
    idle.state.set_model(ModelChoice(path=str(theme.sample_models()[0]), description=NET))
    idle.state.set_model(ModelChoice(path="/models/bad.onnx"))
    idle.state.set_model(ModelChoice(path="/models/net.onnx", description=NET))
    assert idle.settings.recent_models == ("/models/net.onnx",)


# ---- Docks ----


def test_that_the_log_lies_behind_the_devices_until_it_is_asked_for(idle: Idle) -> None:
    assert is_seen(idle.window.devices_panel)
    assert not is_seen(idle.window.log_panel)
    idle.log.logged.emit((LogRecord(time=0, severity=LogSeverity.ERROR, source="window", message="oh"),))
    button = next(button for button in idle.window.status.findChildren(QToolButton))
    idle.qtbot.waitUntil(lambda: button.text() == "Log: 1 new", timeout=TIMEOUT_MS)
    idle.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    idle.qtbot.waitUntil(lambda: is_seen(idle.window.log_panel) and button.text() == "Log", timeout=TIMEOUT_MS)


def test_that_finding_brings_the_devices_back_and_puts_the_cursor_into_the_filter(idle: Idle) -> None:
    dock(idle, "devices").close()
    assert not is_seen(idle.window.devices_panel)
    idle.window.actions_.find.trigger()
    idle.qtbot.waitUntil(lambda: is_seen(idle.window.devices_panel), timeout=TIMEOUT_MS)
    assert child(idle.window, QLineEdit, "Filter devices").hasFocus()


def test_that_the_layout_is_back_at_the_next_start(qtbot: QtBot, ini: Path) -> None:
    with idle_window(qtbot, ini) as first:
        first.window.resize(900, 700)
        dock(first, "libraries").close()
        first.window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock(first, "trial"))
        first.window.latency_panel.upright.setSizes([200, 300])
        sizes = first.window.latency_panel.upright.sizes()
    with idle_window(qtbot, ini) as second:
        assert second.window.height() == 700
        assert not dock(second, "libraries").isVisible()
        assert second.window.dockWidgetArea(dock(second, "trial")) is Qt.DockWidgetArea.RightDockWidgetArea
        found = second.window.latency_panel.upright.sizes()
        assert found[0] / sum(found) == pytest.approx(sizes[0] / sum(sizes), abs=0.1)


def test_that_resetting_the_layout_puts_all_panels_back_now_and_at_the_next_start(qtbot: QtBot, ini: Path) -> None:
    with idle_window(qtbot, ini) as first:
        dock(first, "libraries").close()
        dock(first, "devices").setFloating(True)
        first.window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock(first, "trial"))
        first.window.actions_.reset_layout.trigger()
        assert dock(first, "libraries").isVisible()
        assert not dock(first, "devices").isFloating()
        assert first.window.dockWidgetArea(dock(first, "trial")) is Qt.DockWidgetArea.LeftDockWidgetArea
        behind = [dock(first, name) for name in ("hardware", "history", "log")]
        assert first.window.tabifiedDockWidgets(dock(first, "devices")) == behind
    with idle_window(qtbot, ini) as second:
        assert not second.settings.dock_state.isEmpty()
        second.window.actions_.reset_layout.trigger()
        assert second.settings.dock_state.isEmpty()
        assert dock(second, "libraries").isVisible()
        assert second.window.dockWidgetArea(dock(second, "trial")) is Qt.DockWidgetArea.LeftDockWidgetArea


def test_that_a_layout_that_cannot_be_used_is_left_out(qtbot: QtBot, ini: Path) -> None:
    settings = Settings(QSettings(str(ini), QSettings.Format.IniFormat))
    settings.geometry = settings.dock_state = QByteArray(b"\x00garbage")
    settings.set_splitter_state("devices", QByteArray(b"garbage"))
    del settings
    with idle_window(qtbot, ini) as idle:
        assert idle.window.width() > 600
        assert all(dock(idle, name).isVisible() for name in ("libraries", "trial", "devices"))


# ---- What it says ----


def test_that_an_engine_that_gave_up_is_told_in_the_log_which_is_shown(idle: Idle) -> None:
    failure = Failure(kind=FailureKind.ENGINE_UNAVAILABLE, message="It died three times.", detail="the last line")
    idle.state.set_engine(EngineStatus.GAVE_UP, failure=failure)
    idle.wait_for_log("It died three times.")
    assert is_seen(idle.window.log_panel)
    assert any("the last line" in text for text in idle.log_messages())


def test_that_notices_stand_in_the_log_too(idle: Idle) -> None:
    idle.state.post("Something happened.")
    idle.wait_for_log("Something happened.")
    assert idle.window.status.currentMessage() == "Something happened."


def test_that_about_tells_the_versions(idle: Idle) -> None:
    idle.state.set_engine(EngineStatus.READY, GREETING)
    idle.window.actions_.about.trigger()
    box = idle.window.findChild(QMessageBox)
    assert box is not None
    assert __version__ in box.informativeText()
    assert "onnxruntime 1.32.0" in box.informativeText()
    box.accept()


def test_that_a_fault_of_our_own_is_shown_once_at_a_time(idle: Idle) -> None:
    idle.log.bug_met.emit("Traceback: first")
    idle.log.bug_met.emit("Traceback: second")
    (dialog,) = idle.window.findChildren(BugReportDialog)
    assert "first" in dialog.findChildren(QPlainTextEdit)[0].toPlainText()
    dialog.reject()
    wait_until_gone(idle.qtbot, dialog)
    idle.log.bug_met.emit("Traceback: third")
    (dialog,) = idle.window.findChildren(BugReportDialog)
    assert "third" in dialog.findChildren(QPlainTextEdit)[0].toPlainText()


# ---- Colours ----


def test_that_the_colours_chosen_are_used_and_remembered(qtbot: QtBot, ini: Path) -> None:
    try:
        with idle_window(qtbot, ini) as first:
            actions = {action.data(): action for action in first.window.actions_.color_schemes.actions()}
            assert actions[ColorScheme.SYSTEM].isChecked()
            run = first.window.actions_.run
            before = run.icon().pixmap(16, 16).toImage()
            actions[ColorScheme.DARK].trigger()
            assert first.settings.color_scheme is ColorScheme.DARK
            qtbot.waitUntil(lambda: theme.is_dark(first.window.palette()), timeout=TIMEOUT_MS)
            qtbot.waitUntil(lambda: run.icon().pixmap(16, 16).toImage() != before, timeout=TIMEOUT_MS)
            first.window.grab()
        with idle_window(qtbot, ini) as second:
            checked = second.window.actions_.color_schemes.checkedAction()
            assert checked.data() is ColorScheme.DARK
            light = next(
                action
                for action in second.window.actions_.color_schemes.actions()
                if action.data() is ColorScheme.LIGHT
            )
            light.trigger()
            qtbot.waitUntil(lambda: not theme.is_dark(second.window.palette()), timeout=TIMEOUT_MS)
            assert second.window.palette().color(QPalette.ColorRole.Window).lightness() > 128
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)


# ---- The end ----


def test_that_closing_remembers_the_choices_and_says_so(qtbot: QtBot, ini: Path) -> None:
    with idle_window(qtbot, ini) as idle:
        idle.window.open_model("/models/net.onnx")
        with qtbot.waitSignal(idle.window.closed, timeout=TIMEOUT_MS):
            idle.window.actions_.quit.trigger()
        assert idle.settings.trial_choices.model_path == "/models/net.onnx"


def test_that_a_library_of_the_list_that_did_not_end_well_is_asked_about(idle: Idle) -> None:
    idle.state.set_libraries((library("bad", LibraryState.FAILED, killed_engine=True),))
    idle.window.libraries_panel.load_requested.emit("bad")
    box = idle.window.findChild(QMessageBox)
    assert box is not None
    assert "bad" in box.text()
    assert box.defaultButton() is None or box.defaultButton().text().replace("&", "") == "Cancel"
    box.reject()
    assert idle.state.libraries[0].state is LibraryState.FAILED
