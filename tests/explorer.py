"""The whole window with a real engine behind it, used through its widgets."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QTabBar,
    QTableView,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.app import Explorer
from gui.dialogs.add_libraries import AddLibrariesDialog
from gui.logs import LogSource
from gui.models.table import ROW_ROLE
from gui.panels.widgets import FailureBox
from gui.records.device import Device
from gui.records.library import Library, LibraryState
from gui.state import EngineStatus, State
from gui.trial_run import TrialRun

from .finding import child, click_row, rows_of, wait_until_gone
from .keepers import TIMEOUT_MS, forbid_core_dumps, open_settings


@dataclass(kw_only=True)
class Session:
    """One sitting: the application, and hands for it."""

    qtbot: QtBot
    explorer: Explorer

    @property
    def state(self) -> State:
        """What the window shows."""
        return self.explorer.state

    def is_ready(self) -> bool:
        """Whether the engine is ready, and nothing is on its way."""
        on_the_way = (LibraryState.LOADING, LibraryState.UNREGISTERING)
        return (
            self.state.engine_status is EngineStatus.READY
            and bool(self.state.devices)
            and (self.state.model is None or not self.state.model.is_loading)
            and all(library.state not in on_the_way for library in self.state.libraries)
        )

    def wait_until_ready(self) -> None:
        """Wait until the engine is ready, and nothing is on its way."""
        self.qtbot.waitUntil(self.is_ready, timeout=TIMEOUT_MS)

    def library(self, name: str) -> Library:
        """The library of this name; there must be one."""
        library = self.state.library(name)
        assert library is not None, f"no library {name}"
        return library

    def fill_dialog(self, *names: str) -> None:
        """Type the names into the dialog that asks for them, and load."""
        dialog = self.explorer.window.findChild(AddLibrariesDialog)
        assert dialog is not None
        for edit, name in zip(dialog.findChildren(QLineEdit), names, strict=True):
            edit.selectAll()
            self.qtbot.keyClicks(edit, name)
        self.qtbot.mouseClick(child(dialog, QPushButton, "Load"), Qt.MouseButton.LeftButton)

    def add(self, name: str, path: Path) -> Library:
        """Add a library through the dialog and wait until it is known what became of it."""
        self.explorer.window.add_libraries((str(path),))
        self.fill_dialog(name)
        self.qtbot.waitUntil(lambda: self.state.library(name) is not None, timeout=TIMEOUT_MS)
        self.wait_until_ready()
        return self.library(name)

    def library_button(self, name: str) -> QToolButton:
        """The button in a library's row."""
        view = child(self.explorer.window.libraries_panel, QTableView, "Libraries")
        row = [cells[0] for cells in rows_of(view.model())].index(name)
        button = view.indexWidget(view.model().index(row, 3))
        assert isinstance(button, QToolButton)
        return button

    def press(self, button: QPushButton | QToolButton) -> None:
        """Click a button."""
        assert button.isEnabled()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def select_device_of(self, library: str | None, *, also: bool = False) -> None:
        """Click the first device of a library in the table, of ORT's own without one."""
        view = child(self.explorer.window.devices_panel, QTableView, "Devices")
        devices = [view.model().index(row, 0).data(ROW_ROLE) for row in range(view.model().rowCount())]
        row = next(n for n, device in enumerate(devices) if isinstance(device, Device) and device.library == library)
        modifier = Qt.KeyboardModifier.ControlModifier if also else Qt.KeyboardModifier.NoModifier
        click_row(self.qtbot, view, row, modifier)

    def start_trial(self) -> TrialRun:
        """Trigger the Run action and return the trial that it started."""
        actions = self.explorer.window.actions_
        assert actions.run.isEnabled(), self.explorer.window.trial_panel.problem()
        actions.run.trigger()
        trial = self.state.running_trial
        assert trial is not None
        return trial

    def wait_for_end(self, trial: TrialRun) -> None:
        """Wait until a trial has ended, and an engine is ready."""
        self.qtbot.waitUntil(lambda: not trial.is_running, timeout=TIMEOUT_MS)
        self.wait_until_ready()

    def run_trial(self) -> TrialRun:
        """Run a trial to its end."""
        trial = self.start_trial()
        self.wait_for_end(trial)
        return trial

    def open_page(self, title: str) -> None:
        """Click the tab of a page of the trial panel."""
        bar = self.explorer.window.trial_panel.findChildren(QTabBar)[0]
        index = next(n for n in range(bar.count()) if bar.tabText(n).removesuffix(" •") == title)
        self.qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())

    def type_into(self, kind: type[QLineEdit | QAbstractSpinBox], name: str, text: str) -> None:
        """Type into a field of the trial panel that is to be seen, and press Enter."""
        field: QWidget = child(self.explorer.window.trial_panel, kind, name)
        assert not field.visibleRegion().isEmpty(), name
        field.setFocus()
        field.selectAll()  # type: ignore[attr-defined]
        self.qtbot.keyClicks(field, text)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    def type_sizes(self, name: str, text: str) -> None:
        """Type the sizes of a free dimension."""
        self.open_page("Inputs")
        self.type_into(QLineEdit, f"Size of {name}", text)

    def choose(self, name: str, text: str) -> None:
        """Choose an entry of a combo box of the trial panel that is to be seen."""
        combo = child(self.explorer.window.trial_panel, QComboBox, name)
        assert not combo.visibleRegion().isEmpty(), name
        row = combo.findText(text)
        assert row >= 0, [combo.itemText(n) for n in range(combo.count())]
        combo.setCurrentIndex(row)
        combo.activated.emit(row)  # what a click in the list emits

    def measures(self) -> dict[str, str]:
        """The numbers beside the chart."""
        view = child(self.explorer.window.latency_panel, QTableView, "Measures")
        return {row[0]: row[1] for row in rows_of(view.model())}

    def log_messages(self) -> list[str]:
        """What stands in the log."""
        return [row[3] for row in rows_of(child(self.explorer.window.log_panel, QTableView, "Log").model())]

    def wait_for_log(self, words: str) -> None:
        """Wait until a message with these words stands in the log."""
        self.qtbot.waitUntil(lambda: any(words in text for text in self.log_messages()), timeout=TIMEOUT_MS)

    def failure_boxes(self) -> list[str]:
        """The sentences of all failures that are to be seen."""
        return self.failures_in(self.explorer.window)

    def failures_in(self, panel: QWidget) -> list[str]:
        """The sentences of the failures to be seen in one panel."""
        boxes = panel.findChildren(FailureBox)
        return [str(box.failure) for box in boxes if not box.visibleRegion().isEmpty()]


@contextmanager
def running_explorer(qtbot: QtBot, folder: Path, model: Path | None = None) -> Iterator[Session]:
    """Start the application on the settings in `folder`, wait until it is ready, and end it afterwards."""
    forbid_core_dumps()
    explorer = Explorer(open_settings(folder / "settings.ini"), None if model is None else str(model))
    session = Session(qtbot=qtbot, explorer=explorer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        # What takes over hooks of the whole process is proved elsewhere: here pytest shall hear of all that goes wrong.
        patch.setattr(faulthandler, "enable", lambda _file: None)
        patch.setattr(LogSource, "install", lambda _self: None)
        with qtbot.waitActive(explorer.window):
            explorer.start()
            explorer.window.activateWindow()
        try:
            session.wait_until_ready()
            yield session
        finally:
            with qtbot.waitSignal(explorer.archive.closed, timeout=TIMEOUT_MS):
                explorer.window.close()
            explorer.window.deleteLater()
            wait_until_gone(qtbot, explorer.window)
            if explorer._crash_file is not None:
                explorer._crash_file.close()
