"""A number field for each free dimension of a model."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QSpinBox, QWidget

from ..records.trial import DimensionSize

_MAX_SIZE: Final = 1_000_000_000
_PER_ROW: Final = 2


class DimensionsEditor(QWidget):
    """Sizes typed for a dimension's name are kept while other models are chosen."""

    sizes_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sizes: dict[str, int] = {}
        self._boxes: dict[str, QSpinBox] = {}
        self._labels: list[QLabel] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    @property
    def sizes(self) -> tuple[DimensionSize, ...]:
        """The sizes of the dimensions shown."""
        return tuple(DimensionSize(name=name, size=box.value()) for name, box in self._boxes.items())

    def remember(self, sizes: tuple[DimensionSize, ...]) -> None:
        """Use these sizes for the dimensions of their names."""
        self._sizes.update((entry.name, entry.size) for entry in sizes)

    def show_dimensions(self, names: tuple[str, ...]) -> None:
        """Show fields for these dimensions; those not seen before are 1."""
        if names == tuple(self._boxes):
            return
        for widget in (*self._boxes.values(), *self._labels):
            self._grid.removeWidget(widget)
            widget.deleteLater()
        self._boxes, self._labels = {}, []
        for number, name in enumerate(names):
            self._add_field(number, name)
        self.setVisible(bool(names))
        self.sizes_changed.emit()

    def _add_field(self, number: int, name: str) -> None:
        box = QSpinBox(self)
        box.setRange(1, _MAX_SIZE)
        box.setValue(self._sizes.get(name, 1))
        box.setGroupSeparatorShown(True)
        box.setAccessibleName(self.tr("Size of {0}").format(name))
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        box.setMinimumWidth(box.fontMetrics().horizontalAdvance("00000000"))
        box.valueChanged.connect(self._on_changed)
        label = QLabel(self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, 130), self)
        label.setToolTip(name)
        label.setBuddy(box)
        row, column = divmod(number, _PER_ROW)
        self._grid.addWidget(label, row, 2 * column)
        self._grid.addWidget(box, row, 2 * column + 1)
        self._boxes[name] = box
        self._labels.append(label)

    def _on_changed(self) -> None:
        self._sizes.update((name, box.value()) for name, box in self._boxes.items())
        self.sizes_changed.emit()
