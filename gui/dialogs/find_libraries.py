"""EP libraries that lie on this computer: to be ticked, named and loaded."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..models.found_table import TICK_COLUMN, FoundRow, FoundTableModel
from ..panels.widgets import FailureBox, MutedLabel, TableView, TickDelegate
from ..records.failure import Failure
from ..records.library import Library, LibraryState, name_problem, propose_name, unique_name
from ..records.library_check import FoundLibrary
from ..records.library_remarks import is_same_file


class FindLibrariesDialog(QDialog):
    """A row a library; asks for searches and tells what was chosen."""

    search_requested = Signal(tuple)
    """The folders to look into beside the installed packages."""
    folders_changed = Signal(tuple)
    libraries_chosen = Signal(list)
    """Of pairs: registration name, absolute path."""

    def __init__(self, libraries: tuple[Library, ...], folders: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Add EP libraries from this computer"))
        self._libraries = libraries
        self._before: dict[str, FoundRow] = {}
        self._model = FoundTableModel(self)
        self._view = TableView(self.tr("EP libraries found"), self)
        self._busy = QProgressBar(self)
        self._folders = QListWidget(self)
        self._problem = QLabel(self)
        self._notes = MutedLabel(parent=self)
        self._failure = FailureBox(self)
        self._again = QPushButton(self.tr("Look again"), self)
        self._add_folder = QPushButton(self.tr("Add folder…"), self)
        self._remove_folder = QPushButton(self.tr("Remove folder"), self)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self._load = self._buttons.addButton(self.tr("Load"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._folders.addItems(folders)
        self._build()
        self._connect()
        self._check()

    def _build(self) -> None:
        intro = QLabel(
            self.tr(
                "EP libraries in the installed Python packages and in your folders. Nothing is loaded or imported"
                " before you tick a file and press Load."
            ),
            self,
        )
        intro.setWordWrap(True)
        self._view.setModel(self._model)
        self._view.setItemDelegateForColumn(TICK_COLUMN, TickDelegate(self._view))
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self._view.horizontalHeader().setStretchLastSection(True)
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setMaximumHeight(6)
        self._problem.setWordWrap(True)
        self._notes.setWordWrap(True)
        self._folders.setAccessibleName(self.tr("Folders to look into"))
        self._folders.setMaximumHeight(self.fontMetrics().height() * 4)
        label = QLabel(self.tr("Folders to look into as &well:"), self)
        label.setBuddy(self._folders)
        side = QVBoxLayout()
        side.addWidget(self._add_folder)
        side.addWidget(self._remove_folder)
        side.addStretch(1)
        folders = QHBoxLayout()
        folders.addWidget(self._folders, 1)
        folders.addLayout(side)
        self._buttons.addButton(self._again, QDialogButtonBox.ButtonRole.ActionRole)
        layout = QVBoxLayout(self)
        for widget in (intro, self._view, self._busy, self._notes, self._failure, label):
            layout.addWidget(widget, 1 if widget is self._view else 0)
        layout.addLayout(folders)
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons)
        self.resize(1100, 520)

    def _connect(self) -> None:
        self._buttons.accepted.connect(self._on_accepted)
        self._buttons.rejected.connect(self.reject)
        self._again.clicked.connect(self.search)
        self._add_folder.clicked.connect(self._choose_folder)
        self._remove_folder.clicked.connect(self._on_remove_folder)
        self._folders.itemSelectionChanged.connect(self._check)
        self._model.changed_by_hand.connect(self._check)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders to look into."""
        return tuple(self._folders.item(row).text() for row in range(self._folders.count()))

    def search(self) -> None:
        """Look anew; what is ticked stays so where it is found again."""
        self._before |= {row.library.path: row for row in self._model.rows}
        self._model.set_rows(())
        self._check()
        self._view.empty_hint = self.tr("Looking through packages and folders…")
        self._notes.setText("")
        self._notes.hide()
        self._failure.show_failure(None)
        self._busy.show()
        self._again.setEnabled(False)
        self.search_requested.emit(self.folders)

    def add_found(self, library: FoundLibrary) -> None:
        """Show a library that was found."""
        twin = next((other for other in self._libraries if is_same_file(other.path, library.path)), None)
        before = self._before.get(library.path)
        row = FoundRow(
            library=library,
            name=before.name if before else self._free_name(library.ep_name or propose_name(library.path)),
            ticked=before is not None and before.ticked,
            listed_as="" if twin is None else twin.name,
            is_loaded=twin is not None and twin.state is LibraryState.LOADED,
        )
        self._model.set_rows((*self._model.rows, row))
        self._view.fit_columns({0: 36, 1: 32, 2: 36, 3: 34, 5: 60})
        self._check()

    def end_search(self, failure: Failure | None, problems: tuple[str, ...]) -> None:
        """The search has ended."""
        self._busy.hide()
        self._again.setEnabled(True)
        self._failure.show_failure(failure)
        self._notes.setText("\n".join(problems))
        self._notes.setVisible(bool(problems))
        self._view.empty_hint = self.tr(
            "No EP library was found. Install one, for example with “python -m pip install onnxruntime-ggml”,"
            " or add the folder of one you have built."
        )
        self._view.viewport().update()
        self._check()

    def add_folder(self, folder: str) -> None:
        """Look into a folder, too, from now on."""
        folder = str(Path(folder))
        if folder not in self.folders:
            self._folders.addItem(folder)
            self.folders_changed.emit(self.folders)
            self.search()

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder with EP libraries"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.add_folder)
        dialog.open()

    def _on_remove_folder(self) -> None:
        for item in self._folders.selectedItems():
            self._folders.takeItem(self._folders.row(item))
        self.folders_changed.emit(self.folders)
        self.search()

    def _free_name(self, name: str) -> str:
        rows = (*self._model.rows, *self._before.values())
        taken = {library.name for library in self._libraries} | {row.name for row in rows}
        return unique_name(name, frozenset(taken))

    def _check(self) -> None:
        ticked = self._model.ticked
        problem = self._first_problem()
        self._problem.setText(problem or "")
        self._problem.setVisible(problem is not None)
        self._load.setEnabled(bool(ticked) and problem is None)
        self._load.setText(self.tr("Load {0}").format(len(ticked)) if ticked else self.tr("Load"))
        self._remove_folder.setEnabled(bool(self._folders.selectedItems()))

    def _first_problem(self) -> str | None:
        listed = frozenset(library.name for library in self._libraries)
        names: set[str] = set()
        for row in self._model.ticked:
            if row.name in names:
                return self.tr("Two of the ticked libraries have the name “{0}”.").format(row.name)
            problem = name_problem(row.name, listed)
            if problem is not None:
                return problem
            names.add(row.name)
        return None

    def _on_accepted(self) -> None:
        if self._model.ticked and self._first_problem() is None:
            self.libraries_chosen.emit([(row.name, row.library.path) for row in self._model.ticked])
            self.accept()
