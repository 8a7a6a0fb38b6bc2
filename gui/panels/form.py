"""What pages of settings are made of: fields in two columns, and numbers that are hard to change by chance."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

DECIMALS: Final = 3
"""Digits after the point of a `NumberBox`; what is more is rounded."""
COLUMNS: Final = 4
"""Label, field, label, field."""


class CountBox(QSpinBox):
    """A whole number; what is being typed is not taken before Enter, Tab or a click elsewhere."""

    def __init__(self, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(low, high)
        _set_up(self)


class NumberBox(QDoubleSpinBox):
    """A number without needless zeros; what is being typed is not taken before Enter, Tab or a click elsewhere."""

    def __init__(self, low: float, high: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(DECIMALS)
        self.setRange(low, high)
        _set_up(self)

    def textFromValue(self, value: float) -> str:
        """Qt's."""
        text, point = super().textFromValue(value), self.locale().decimalPoint()
        return text.rstrip(self.locale().zeroDigit()).removesuffix(point) if point in text else text


def _set_up(box: QSpinBox | QDoubleSpinBox) -> None:
    box.setGroupSeparatorShown(True)
    box.setKeyboardTracking(False)
    box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(box.fontMetrics().averageCharWidth() * 12)


class WheelGuard(QObject):
    """Keeps fields that have not the focus from turning with the wheel, so that it scrolls the page instead."""

    def guard(self, page: QWidget) -> None:
        """Guard all numbers and choices of a page."""
        for kind in (QAbstractSpinBox, QComboBox):
            for field in page.findChildren(kind):
                field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel does not give it either
                field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's."""
        if event.type() is QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


class FormPage(QWidget):
    """Fields with labels in two columns, which scroll where there is little room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body = QWidget()
        """Holds the fields."""
        self.grid = QGridLayout(self.body)
        """Label, field, label, field."""
        self.grid.setContentsMargins(6, 6, 6, 6)
        self.grid.setHorizontalSpacing(6)
        self.grid.setVerticalSpacing(4)
        self.grid.setColumnStretch(1, 1)
        self.grid.setColumnStretch(3, 1)
        self._guard = WheelGuard(self)
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidgetResizable(True)
        area.setWidget(self.body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    def add_field(self, row: int, column: int, text: str, field: QWidget, *, span: int = 1) -> QLabel:
        """Put a field and its label into the grid; `span` columns for the field. Returns the label."""
        label = QLabel(text, self.body)
        label.setBuddy(field)
        self.grid.addWidget(label, row, column)
        self.grid.addWidget(field, row, column + 1, 1, span)
        return label

    def guard_fields(self) -> None:
        """Call when all fields are there."""
        self._guard.guard(self.body)


def fill_combo(combo: QComboBox, entries: tuple[tuple[str, object, str], ...]) -> None:
    """Give a combo box its entries: text, data, tip."""
    for text, data, tip in entries:
        combo.addItem(text, data)
        combo.setItemData(combo.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
    combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    combo.setMinimumWidth(combo.fontMetrics().averageCharWidth() * 12)
