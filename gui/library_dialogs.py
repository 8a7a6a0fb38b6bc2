"""The dialogs around libraries: choose files, find some on this computer, dare one again."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from .client.inspector import Inspection
from .libraries import LibraryKeeper
from .settings import Settings
from .state import State

_PATTERNS: Final = {"win32": "*.dll", "darwin": "*.dylib"}
_ENDINGS: Final = (".dll", ".dylib", ".so")


class LibraryDialogs(QObject):
    """Asks the user and passes on what was decided."""

    def __init__(self, window: QWidget, state: State, settings: Settings, libraries: LibraryKeeper) -> None:
        super().__init__(window)
        self._window = window
        self._state = state
        self._settings = settings
        self._libraries = libraries
        self._searching: Inspection | None = None

    def choose(self) -> None:
        """Let the user choose library files."""
        pattern = _PATTERNS.get(sys.platform, "*.so *.so.*")
        folder = self._settings.library_folder or sysconfig.get_path("platlib")  # where pip puts EP packages
        dialog = QFileDialog(self._window, self.tr("Add EP libraries"), folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setNameFilters([self.tr("EP libraries ({0})").format(pattern), self.tr("All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self.add)
        dialog.open()

    def add(self, paths: list[str]) -> None:
        """Ask for the names of these libraries, then load them."""
        if not paths:
            return
        from .dialogs.add_libraries import AddLibrariesDialog  # the window starts without it

        self._settings.library_folder = str(Path(paths[0]).parent)
        dialog = AddLibrariesDialog(tuple(paths), self._taken(), self._window)
        dialog.libraries_chosen.connect(self._libraries.add)
        dialog.open()

    def find(self) -> None:
        """Show the libraries that lie on this computer."""
        from .dialogs.find_libraries import FindLibrariesDialog  # the window starts without it

        dialog = FindLibrariesDialog(self._state.libraries, self._settings.library_folders, self._window)
        dialog.libraries_chosen.connect(self._libraries.add)
        dialog.folders_changed.connect(self._remember_folders)
        dialog.search_requested.connect(self._search)
        dialog.finished.connect(self._stop_search)
        dialog.search()
        dialog.open()

    def load(self, name: str) -> None:
        """Load a library of the list; one that ended an engine only when the user dares."""
        library = self._state.library(name)
        if library is None or not library.killed_engine:
            self._libraries.load(name)
            return
        box = QMessageBox(
            QMessageBox.Icon.Warning,
            self.tr("Load “{0}” again?").format(name),
            self.tr("Loading “{0}” did not end well last time. Load it again?").format(name),
            QMessageBox.StandardButton.Cancel,
            self._window,
        )
        box.setInformativeText(self.tr("Should the engine die, a fresh one takes over and nothing else is lost."))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        load = box.addButton(self.tr("Load again"), QMessageBox.ButtonRole.AcceptRole)
        load.clicked.connect(lambda: self._libraries.load(name))
        box.open()

    def reload(self, name: str) -> None:
        """Load a library's file anew; one that ended an engine only when the user dares."""
        library = self._state.library(name)
        if library is not None and library.killed_engine:
            self.load(name)
        else:
            self._libraries.reload(name)

    def _taken(self) -> frozenset[str]:
        return frozenset(library.name for library in self._state.libraries)

    def _remember_folders(self, folders: tuple[str, ...]) -> None:
        self._settings.library_folders = folders

    def _search(self, folders: tuple[str, ...]) -> None:
        from .dialogs.find_libraries import FindLibrariesDialog

        dialog = self.sender()
        if not isinstance(dialog, FindLibrariesDialog):
            return
        if self._searching is not None:  # an older one, without the folder that was added
            self._searching.found.disconnect(dialog.add_found)
            self._searching.ended.disconnect(dialog.end_search)
            self._searching.stop()
        inspection = self._libraries.find(folders)
        self._searching = inspection
        inspection.found.connect(dialog.add_found)
        inspection.ended.connect(dialog.end_search)
        inspection.ended.connect(self._on_search_ended)

    def _stop_search(self) -> None:
        """End the search of a dialog that is closed; the next dialog begins its own."""
        searching, self._searching = self._searching, None
        if searching is not None:
            searching.stop()

    def _on_search_ended(self) -> None:
        if self.sender() is self._searching:
            self._searching = None


def is_library_name(path: str) -> bool:
    """Whether a file is named like a shared library: `x.dll`, `x.dylib`, `x.so`, `x.so.1.2`."""
    name = Path(path).name.lower()
    return name.endswith(_ENDINGS) or ".so." in name
