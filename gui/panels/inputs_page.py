"""What a model is run with: the values of its inputs, the sizes of its free dimensions, the seed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..models.input_files import place_files
from ..models.input_table import InputRow, InputTableModel, input_rows
from ..models.input_types import looks_like_image, takes_image
from ..models.kept_sources import KeptSources
from ..records.failure import Failure, FailureKind
from ..records.inputs import ARRAY_SUFFIXES, IMAGE_SUFFIXES, InputProposal, InputProposals, InputSource
from ..records.model import ModelDescription
from ..records.setup import DimensionSweep
from ..records.trial import DimensionSize
from .dimensions_editor import DimensionsEditor
from .widgets import ActionButton, FailureBox, TableView

MAX_SEED: Final = 2**31 - 1
_NAMED_FILES: Final = 3
_WIDEST: Final = (0.26, 0.14, 0.2)
"""The shares of the table's width that name, type and shape may take; the values get the rest."""
_DIMENSIONS_SHARE: Final = 0.42
"""The share of the page's height that the free dimensions may take before they are scrolled."""


class _InputView(TableView):
    """Tells when its width has changed."""

    resized = Signal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's."""
        super().resizeEvent(event)
        self.resized.emit()


class InputsPage(QWidget):
    """Sources are kept by the model's path, sizes by the dimension's name, while other models are shown."""

    inputs_changed = Signal()
    """Sources, seed, sizes, or whether they can be used."""
    sizes_changed = Signal(dict)
    """Name and first size of each free dimension, when a field with another was left or choices were set."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._description: ModelDescription | None = None
        self._kept = KeptSources()
        self._proposals: dict[str, InputProposal] = {}
        self._edited = ("", "")
        """The model's path and the input that the dialog, of which there is one at a time, was opened for."""
        self._fitted: list[int] = []
        self._model = InputTableModel(self._warning, self)
        self._view = _InputView(self.tr("Inputs"), self)
        self.dimensions = DimensionsEditor(self)
        self._seed = QSpinBox(self)
        self._failure = FailureBox(self)
        self._edit = QAction(self.tr("Values…"), self)
        self._reset = QAction(self.tr("Back to automatic"), self)
        self._choose = QAction(self.tr("Choose file…"), self)
        self._load = QPushButton(self.tr("&Load files…"), self)
        self._build()
        self._connect()
        self._show_rows()

    def _build(self) -> None:
        view = self._view
        view.setModel(self._model)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.horizontalHeader().setStretchLastSection(True)
        view.horizontalHeader().setMinimumSectionSize(30)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setMinimumHeight(self.fontMetrics().height() * 5)
        self._edit.setIconText(self._edit.text())  # Qt would leave the dots out
        self._edit.setShortcuts([QKeySequence(key) for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2)])
        self._edit.setToolTip(self.tr("Say where the values of the selected input come from (Enter)"))
        self._reset.setShortcut(QKeySequence.StandardKey.Delete)
        for number, action in enumerate((self._edit, self._reset, self._choose)):
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            view.insertAction(view.actions()[number], action)
        menu = QMenu(self.tr("Load files"), self._load)
        menu.addAction(self.tr("&Files…"), self._choose_files)
        menu.addAction(self.tr("&Data set folder…"), self._choose_folder)
        self._load.setMenu(menu)
        self._load.setToolTip(
            self.tr(
                "Files for several inputs: arrays or images named after them, an .npz, input_0.pb … of an ONNX test"
                " data set"
            )
        )
        self._seed.setRange(0, MAX_SEED)
        self._seed.setToolTip(self.tr("The same seed generates the same values again"))
        label = QLabel(self.tr("Seed"), self)
        label.setBuddy(self._seed)
        row = QHBoxLayout()
        row.addWidget(ActionButton(self._edit, self))
        row.addWidget(self._load)
        row.addStretch(1)
        row.addWidget(label)
        row.addWidget(self._seed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(5)
        layout.addWidget(view, 1)
        layout.addWidget(self._failure)
        layout.addLayout(row)
        layout.addWidget(self.dimensions)

    def _connect(self) -> None:
        self._edit.triggered.connect(self._open_dialog)
        self._reset.triggered.connect(self._reset_selected)
        self._choose.triggered.connect(self._choose_file)
        self._view.doubleClicked.connect(self._open_dialog)
        self._view.resized.connect(self._fit_columns)
        self._view.selectionModel().selectionChanged.connect(self._update_actions)
        self._seed.valueChanged.connect(self.inputs_changed)
        self.dimensions.changed.connect(self.inputs_changed)
        self.dimensions.sizes_changed.connect(self._tell_sizes)

    # ------------------------------------------------------------- what is shown

    def show_model(self, description: ModelDescription | None) -> None:
        """Show a model's inputs; those set for it before are set again."""
        if description == self._description:
            return
        self._description = description
        self._proposals = {}
        self._fitted = []
        self._failure.show_failure(None)
        blocked = self.dimensions.blockSignals(True)
        if description is None:
            self.dimensions.show_dimensions(())
        else:
            self.dimensions.show_dimensions(description.free_names, description.inputs)
        self.dimensions.blockSignals(blocked)
        self._show_rows()
        if description is not None and not self._view.currentIndex().isValid():
            self._view.choose_row(0)
        self.inputs_changed.emit()

    def show_proposals(self, proposals: InputProposals | None) -> None:
        """Show what the engine would generate for inputs left to it; None while that is not known."""
        found = () if proposals is None else proposals.proposals
        self._proposals = {proposal.source.name: proposal for proposal in found}
        self._show_rows()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._show_rows()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; the dimensions leave room for the table."""
        super().resizeEvent(event)
        self.dimensions.setMaximumHeight(round(self.height() * _DIMENSIONS_SHARE))

    # ------------------------------------------------------------- what is chosen

    @property
    def sources(self) -> tuple[InputSource, ...]:
        """The sources that the user set for inputs of the model shown."""
        return tuple(row.source for row in self._model.rows if row.source is not None)

    @property
    def seed(self) -> int:
        """Of the generated values."""
        return self._seed.value()

    @property
    def sizes(self) -> tuple[DimensionSize, ...]:
        """The first size of each free dimension asked for."""
        return self.dimensions.sizes

    @property
    def sweeps(self) -> tuple[DimensionSweep, ...]:
        """The free dimensions with several sizes."""
        return self.dimensions.sweeps

    def set_choices(
        self,
        sources: tuple[InputSource, ...],
        seed: int,
        sizes: tuple[DimensionSize, ...],
        sweeps: tuple[DimensionSweep, ...],
        *,
        model_path: str | None = None,
    ) -> None:
        """Use these choices.

        The sources are for the model of that path; without one for the model shown, or the next when none is.
        """
        self._kept.set_all(self._path if model_path is None else model_path, sources)
        self._seed.setValue(min(max(seed, 0), MAX_SEED))
        self.dimensions.remember(sizes, sweeps)
        self._show_rows()
        self.inputs_changed.emit()

    def problem(self) -> str | None:
        """Return why these choices cannot be run, in one sentence, or None."""
        problem = self.dimensions.problem()
        if problem is not None:
            return problem
        wrong = next((row for row in self._model.rows if row.problem), None)
        return None if wrong is None else self.tr("{0}: {1}").format(wrong.tensor.name, wrong.problem)

    def take_files(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Give files, or what lies in folders, to the inputs they are named after; see `place_files`.

        One single file of another name is for the selected input. Returns those that fit none, which are told here too.
        """
        description = self._description
        if description is None:
            return tuple(paths)
        selected = self._view.selectionModel().selectedRows()
        chosen = self._model.row(selected[0].row()).tensor.name if len(selected) == 1 else None
        images = self._images()
        likely = [row.tensor.name for row in self._model.rows if looks_like_image(row.tensor)] or list(images)
        placed = place_files(
            tuple(paths),
            description.inputs,
            description.initializers or (),
            images=images,
            chosen=chosen,
            image_input=likely[0] if len(likely) == 1 else None,
        )
        for source in placed.sources:
            self._kept.put(description.path, source.name, source)
        self._show_left(placed.left)
        self._on_sources_changed()
        return placed.left

    # ------------------------------------------------------------- inside

    @property
    def _path(self) -> str:
        return self._description.path if self._description is not None else ""

    def _show_rows(self) -> None:
        description = self._description
        self._model.set_muted(theme.muted(self.palette()))
        if description is None:
            self._model.set_rows(())
            self._view.empty_hint = self.tr("Choose a sample, or open or drop an ONNX file.")
        else:
            self._model.set_rows(input_rows(description, self._kept.for_model(description), self._proposals))
            self._view.empty_hint = self.tr("This model has no inputs.")
        self._fit_columns()
        self._update_actions()
        self._load.setEnabled(description is not None and bool(self._model.rows))

    def _fit_columns(self) -> None:
        """Give name, type and shape what they need or their share, unless the user has set their widths."""
        header, view = self._view.horizontalHeader(), self._view
        now = [header.sectionSize(column) for column in range(len(_WIDEST))]
        if self._fitted and now != self._fitted:
            return
        for column, share in enumerate(_WIDEST):
            title = self.fontMetrics().horizontalAdvance(str(self._model.headerData(column, Qt.Orientation.Horizontal)))
            needed = max(title + 12, view.sizeHintForColumn(column) + 4)
            header.resizeSection(column, min(needed, round(view.viewport().width() * share)))
        self._fitted = [header.sectionSize(column) for column in range(len(_WIDEST))]

    def _update_actions(self) -> None:
        rows = self._selected_rows()
        self._edit.setEnabled(bool(rows))
        self._choose.setEnabled(len(rows) == 1)
        self._reset.setEnabled(any(row.source is not None for row in rows))

    def _selected_rows(self) -> list[InputRow]:
        return [self._model.row(index.row()) for index in self._view.selectionModel().selectedRows()]

    def _images(self) -> frozenset[str]:
        return frozenset(row.tensor.name for row in self._model.rows if takes_image(row.tensor))

    def _open_dialog(self) -> None:
        self._open_dialog_for("")

    def _open_dialog_for(self, file: str) -> None:
        """Open the dialog for the current row; with a file, to choose what of it."""
        from ..dialogs.input_source import InputSourceDialog

        index = self._view.currentIndex()
        if not index.isValid():
            return
        row = self._model.row(index.row())
        dialog = InputSourceDialog(
            row.tensor,
            row.source,
            row.proposal,
            is_initializer=row.is_initializer,
            sizes={entry.name: entry.size for entry in self.sizes},
            parent=self,
        )
        if file:
            dialog.choose_file(file)
        self._edited = (self._path, row.tensor.name)
        dialog.source_chosen.connect(self._on_source_chosen)
        dialog.open()

    def _on_source_chosen(self, source: InputSource | None) -> None:
        self._kept.put(*self._edited, source)
        self._on_sources_changed()

    def _on_sources_changed(self) -> None:
        self._show_rows()
        self.inputs_changed.emit()

    def _reset_selected(self) -> None:
        for row in self._selected_rows():
            self._kept.put(self._path, row.tensor.name, None)
        self._on_sources_changed()

    def _choose_file(self) -> None:
        title = self.tr("Values of {0}").format(self._selected_rows()[0].tensor.name)
        dialog = self._file_dialog(title, QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_file_chosen)
        dialog.open()

    def _on_file_chosen(self, path: str) -> None:
        """A file for the selected input, whatever it is called; of an `.npz` the array is asked for."""
        rows = self._selected_rows()
        if len(rows) != 1:
            return
        tensor = rows[0].tensor
        placed = place_files((path,), (tensor,), (), images=self._images(), chosen=tensor.name)
        if not placed.sources and path.lower().endswith(".npz"):
            self._open_dialog_for(path)
            return
        for source in placed.sources:
            self._kept.put(self._path, tensor.name, source)
        self._show_left(placed.left)
        self._on_sources_changed()

    def _choose_files(self) -> None:
        dialog = self._file_dialog(self.tr("Files for the inputs"), QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self.take_files)
        dialog.open()

    def _choose_folder(self) -> None:
        dialog = self._file_dialog(self.tr("Folder of an ONNX test data set"), QFileDialog.FileMode.Directory)
        dialog.filesSelected.connect(self.take_files)
        dialog.open()

    def _file_dialog(self, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
        """Return a dialog that begins beside the model, where test data usually lies."""
        dialog = QFileDialog(self, title, str(Path(self._path).parent))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        if mode is not QFileDialog.FileMode.Directory:
            patterns = " ".join(f"*{suffix}" for suffix in (*ARRAY_SUFFIXES, *IMAGE_SUFFIXES))
            dialog.setNameFilters(
                [self.tr("Arrays, tensors and images ({0})").format(patterns), self.tr("All files (*)")]
            )
        return dialog

    def _show_left(self, left: tuple[str, ...]) -> None:
        """Say which files fit no input."""
        if not left:
            self._failure.show_failure(None)
            return
        names = ", ".join(Path(path).name for path in left[:_NAMED_FILES])
        more = self.tr(" and {0} more").format(len(left) - _NAMED_FILES) if len(left) > _NAMED_FILES else ""
        self._failure.show_failure(
            Failure(
                kind=FailureKind.BAD_INPUT_FILE,
                message=self.tr("No input takes {0}{1}.").format(names, more),
                hint=self.tr("Name a file after its input, or select the input and choose its file."),
                detail="\n".join(left),
            )
        )

    def _tell_sizes(self) -> None:
        if self._description is not None:
            self.sizes_changed.emit({entry.name: entry.size for entry in self.sizes})

    def _warning(self) -> QIcon:
        return theme.icon("warning", self.palette())
