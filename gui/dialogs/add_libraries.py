"""Asks under which names libraries shall be registered."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..records.library import VIRTUAL_SUFFIX, name_problem, propose_name, unique_name


class AddLibrariesDialog(QDialog):
    """A row a file: name, whether virtual devices are wanted."""

    libraries_chosen = Signal(list)
    """Of pairs: registration name, absolute path."""

    def __init__(self, paths: tuple[str, ...], taken: frozenset[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Load EP libraries"))
        self._taken = taken
        self._paths = paths
        self._names: list[QLineEdit] = []
        self._virtual: list[QCheckBox] = []
        self._problem = QLabel(self)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self._load = self._buttons.addButton(self.tr("Load"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._build()
        self._buttons.accepted.connect(self._on_accepted)
        self._buttons.rejected.connect(self.reject)
        self._check()

    def _build(self) -> None:
        intro = QLabel(
            self.tr(
                "ONNX Runtime registers each library under a name. Some EPs, QNN and ggml, take it as their EP name."
            ),
            self,
        )
        intro.setWordWrap(True)
        rows = QWidget(self)
        grid = QGridLayout(rows)
        for column, title in enumerate((self.tr("File"), self.tr("Registration name"))):
            grid.addWidget(QLabel(title, rows), 0, column)
        taken = set(self._taken)
        for row, path in enumerate(self._paths, start=1):
            name = unique_name(propose_name(path), frozenset(taken))
            taken.add(name)
            self._add_row(grid, row, path, name)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(len(self._paths) + 1, 1)
        area = QScrollArea(self)
        area.setWidget(rows)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        self._problem.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(intro)
        layout.addWidget(area, 1)
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons)
        self.resize(640, min(480, 200 + 34 * len(self._paths)))
        self._names[0].setFocus()

    def _add_row(self, grid: QGridLayout, row: int, path: str, name: str) -> None:
        file_name = QLabel(PurePath(path).name, self)
        file_name.setToolTip(path)
        file_name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        edit = QLineEdit(name, self)
        edit.setAccessibleName(self.tr("Registration name of {0}").format(PurePath(path).name))
        edit.setMinimumWidth(edit.fontMetrics().averageCharWidth() * 28)
        edit.textChanged.connect(self._check)
        virtual = QCheckBox(self.tr("Allow virtual devices"), self)
        virtual.setToolTip(
            self.tr("Ends the name in “.virtual”: the EP may then offer devices that are not there, to compile for.")
        )
        virtual.setChecked(name.endswith(VIRTUAL_SUFFIX))
        virtual.toggled.connect(self._on_virtual)
        grid.addWidget(file_name, row, 0)
        grid.addWidget(edit, row, 1)
        grid.addWidget(virtual, row, 2)
        self._names.append(edit)
        self._virtual.append(virtual)

    def _on_virtual(self) -> None:
        for edit, virtual in zip(self._names, self._virtual, strict=True):
            stem = edit.text().removesuffix(VIRTUAL_SUFFIX)
            edit.setText(stem + VIRTUAL_SUFFIX if virtual.isChecked() else stem)

    def _check(self) -> None:
        problem = self._first_problem()
        self._problem.setText(problem or "")
        self._load.setEnabled(problem is None)
        for edit, virtual in zip(self._names, self._virtual, strict=True):
            wanted = edit.text().endswith(VIRTUAL_SUFFIX)
            if virtual.isChecked() != wanted:
                virtual.blockSignals(True)  # the text is already what the box would make of it
                virtual.setChecked(wanted)
                virtual.blockSignals(False)

    def _first_problem(self) -> str | None:
        taken = set(self._taken)
        for edit in self._names:
            problem = name_problem(edit.text(), frozenset(taken))
            if problem is not None:
                return problem
            taken.add(edit.text())
        return None

    def _on_accepted(self) -> None:
        if self._first_problem() is None:
            names = (edit.text() for edit in self._names)
            self.libraries_chosen.emit(list(zip(names, self._paths, strict=True)))
            self.accept()
