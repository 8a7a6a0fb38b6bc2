"""A path to type or to choose: of a file to be written, or of a folder."""

from __future__ import annotations

import contextlib
import os.path
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QEvent, QFileInfo, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from .. import theme


class PathKind(Enum):
    """What a path is of."""

    FILE = "file"
    """A file to be written; its folder must be there."""
    FOLDER = "folder"
    """It is made when it is not there."""


class PathField(QWidget):
    """A line to type into, with a button to empty it, and one to choose.

    What is typed is taken with Enter or when the focus goes, and made absolute; an empty line at once.
    """

    path_changed = Signal(str)

    def __init__(
        self, kind: PathKind, name: str, parent: QWidget | None = None, *, filters: str = "", suffix: str = ""
    ) -> None:
        """`name` is what a screen reader says; `filters` and `suffix` are the dialog's, for a file."""
        super().__init__(parent)
        self._kind = kind
        self._name = name
        self._filters = filters
        self._suffix = suffix
        self._path = ""
        self._tip = ""
        self._edit = QLineEdit(self)
        self._browse = QPushButton(self.tr("Browse…"), self)
        self._warning = QAction(self)
        self._build()
        self._edit.editingFinished.connect(self._take_typed)
        self._edit.textEdited.connect(self._take_empty)
        self._browse.clicked.connect(self._choose)

    def _build(self) -> None:
        self._edit.setClearButtonEnabled(True)
        self._edit.setAccessibleName(self._name)
        self._edit.addAction(self._warning, QLineEdit.ActionPosition.LeadingPosition)
        self._edit.setMinimumWidth(self.fontMetrics().averageCharWidth() * 12)
        self._browse.setAccessibleName(self.tr("Choose: {0}").format(self._name))
        self._browse.setAutoDefault(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._edit, 1)
        layout.addWidget(self._browse)
        self.setFocusProxy(self._edit)
        self._show_state()

    @property
    def path(self) -> str:
        """The absolute path, with the system's separators; empty for none."""
        return self._path

    @property
    def edit(self) -> QLineEdit:
        """The line, for labels and the order of tabs."""
        return self._edit

    @property
    def button(self) -> QPushButton:
        """The button beside it, for the order of tabs."""
        return self._browse

    def show_path(self, path: str) -> None:
        """Show a path, empty for none; does not tell of it."""
        self._path = absolute_path(path)
        self._show_state()

    def set_tip(self, tip: str) -> None:
        """Say what the path is for."""
        self._tip = tip
        self._browse.setToolTip(tip)
        self._show_state()

    def set_placeholder(self, text: str) -> None:
        """Say what an empty line means."""
        self._edit.setPlaceholderText(text)

    def problem(self) -> str | None:
        """Return why nothing can be written there, in one sentence with what to do, or None."""
        if not self._path:
            return None
        here = QFileInfo(self._path)
        if self._kind is PathKind.FOLDER:
            is_file = here.exists() and not here.isDir()
            return self.tr("{0} is a file. Choose a folder.").format(self._path) if is_file else None
        if here.isDir():
            return self.tr("{0} is a folder. Add the name of a file.").format(self._path)
        if not QFileInfo(here.absolutePath()).isDir():
            folder = str(Path(self._path).parent)
            return self.tr("There is no folder {0}. Make it, or choose another place.").format(folder)
        return None

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's; folders come and go while nobody looks."""
        super().showEvent(event)
        self._mark()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._mark()

    def _take_typed(self) -> None:
        self._take(self._edit.text())

    def _take_empty(self, text: str) -> None:
        if not text:
            self._take("")

    def _take(self, text: str) -> None:
        before, self._path = self._path, absolute_path(text)
        self._show_state()
        if self._path != before:
            self.path_changed.emit(self._path)

    def _show_state(self) -> None:
        if self._edit.text() != self._path:
            self._edit.setText(self._path)
        self._mark()

    def _mark(self) -> None:
        problem = self.problem()
        self._warning.setVisible(problem is not None)
        if problem is not None:
            self._warning.setIcon(theme.icon("warning", self.palette()))
            self._warning.setToolTip(problem)
        self._edit.setToolTip("\n".join(part for part in (problem, self._path, self._tip) if part))
        self._edit.setAccessibleDescription(problem or self._tip)

    def _choose(self) -> None:
        dialog = QFileDialog(self, self._name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._kind is PathKind.FOLDER:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        else:
            dialog.setFileMode(QFileDialog.FileMode.AnyFile)
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setNameFilter(self._filters)
            dialog.setDefaultSuffix(self._suffix)
        if self._path:
            folder = QFileInfo(self._path).absolutePath()
            if QFileInfo(folder).isDir():
                dialog.setDirectory(folder)
            dialog.selectFile(self._path)
        dialog.fileSelected.connect(self._take)
        dialog.open()


def absolute_path(text: str) -> str:
    """Return what was typed, pasted or dropped as an absolute path with the system's separators.

    White space and quotes around it go, `~` is the home folder, `file:` addresses become paths; empty stays empty.
    """
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if text.lower().startswith("file:"):
        text = QUrl(text).toLocalFile()
    if not text:
        return ""
    path = Path(text)
    with contextlib.suppress(RuntimeError):  # `~name` without such a user: a file may well be called like that
        path = path.expanduser()
    return os.path.normpath(path.absolute())
