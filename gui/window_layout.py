"""Where the panels lie: in their docks at first, and as the user has left them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSplitter, QWidget

from .settings import Settings

_LEFT_WIDTH: Final = 412
_LEFT: Final = Qt.DockWidgetArea.LeftDockWidgetArea
_TOP: Final = Qt.DockWidgetArea.TopDockWidgetArea


def _tr(text: str) -> str:
    return QCoreApplication.translate("WindowLayout", text)


class WindowLayout:
    """The docks of the main window. Reading order: libraries, devices, trial, results; the log lies behind devices."""

    def __init__(self, window: QMainWindow, settings: Settings) -> None:
        self._window = window
        self._settings = settings
        self.libraries = self._dock(_tr("Libraries"), "libraries")
        self.trial = self._dock(_tr("Trial"), "trial")
        self.devices = self._dock(_tr("Devices"), "devices")
        self.hardware = self._dock(_tr("Hardware"), "hardware")
        self.history = self._dock(_tr("History"), "history")
        self.log = self._dock(_tr("Log"), "log")

    @property
    def docks(self) -> tuple[QDockWidget, ...]:
        """All docks, in reading order."""
        return (self.libraries, self.trial, self.devices, self.hardware, self.history, self.log)

    def _dock(self, title: str, name: str) -> QDockWidget:
        dock = QDockWidget(title, self._window)
        dock.setObjectName(name)
        dock.setWidget(QWidget(dock))
        return dock

    def fill(self, dock: QDockWidget, panel: QWidget) -> None:
        """Put a panel into a dock, in place of what was there."""
        before = dock.widget()
        dock.setWidget(panel)
        before.deleteLater()

    def place(self) -> None:
        """Put all docks where they are at first."""
        window = self._window
        window.setDockNestingEnabled(True)
        window.setCorner(Qt.Corner.TopLeftCorner, _LEFT)
        window.setCorner(Qt.Corner.BottomLeftCorner, _LEFT)
        for dock in self.docks:
            dock.setFloating(False)
            window.addDockWidget(_LEFT if dock in (self.libraries, self.trial) else _TOP, dock)
            dock.show()
        window.tabifyDockWidget(self.devices, self.hardware)
        window.tabifyDockWidget(self.hardware, self.history)
        window.tabifyDockWidget(self.history, self.log)
        self.devices.raise_()
        window.resizeDocks([self.libraries], [_LEFT_WIDTH], Qt.Orientation.Horizontal)
        window.resizeDocks([self.libraries, self.trial], [220, 480], Qt.Orientation.Vertical)
        window.resizeDocks([self.devices], [230], Qt.Orientation.Vertical)

    def reset(self) -> None:
        """Forget how the user left them."""
        self._settings.forget_layout()
        self.place()

    def restore(self, splitters: Mapping[str, QSplitter]) -> None:
        """Lay everything as it was left; `splitters` by the names under which they are remembered."""
        self._window.resize(1280, 800)
        if not self._settings.geometry.isEmpty():
            self._window.restoreGeometry(self._settings.geometry)
        if not self._settings.dock_state.isEmpty():
            self._window.restoreState(self._settings.dock_state)
        for name, splitter in splitters.items():
            self.restore_splitter(name, splitter)

    def restore_splitter(self, name: str, splitter: QSplitter) -> None:
        """Lay one splitter as it was left."""
        state = self._settings.splitter_state(name)
        if not state.isEmpty():
            splitter.restoreState(state)

    def remember(self, splitters: Mapping[str, QSplitter]) -> None:
        """Remember how everything lies."""
        self._settings.geometry = self._window.saveGeometry()
        self._settings.dock_state = self._window.saveState()
        for name, splitter in splitters.items():
            self._settings.set_splitter_state(name, splitter.saveState())
