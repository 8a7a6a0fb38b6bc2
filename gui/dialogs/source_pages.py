"""The pages of the dialog for an input's source: one a kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from ..models.input_files import archive_entries, array_header, is_file
from ..models.input_table import shape_text
from ..models.input_types import (
    INTEGER_RANGES,
    element_count,
    fills_for,
    parsed_shape,
    real_number,
    short_type,
    split_values,
    value_type,
    whole_number,
)
from ..models.texts import count_text
from ..panels.widgets import MutedLabel
from ..records.inputs import ARRAY_SUFFIXES, MAX_LENGTH, Fill, InputSource, Number, SourceKind
from ..records.model import TensorInfo


class SourcePage(QWidget):
    """Fields for one kind of source."""

    changed = Signal()

    def __init__(self, tensor: TensorInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tensor = tensor
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)

    def show_source(self, source: InputSource) -> None:
        """Fill the fields with those of a source."""

    def source(self) -> InputSource:
        """Return the source that the fields describe. Raises `ValueError` with a sentence for the user."""
        raise NotImplementedError

    def first_field(self) -> QWidget:
        """Return the field to begin with."""
        raise NotImplementedError


def fill_combo(combo: QComboBox, choices: Iterable[tuple[str, Enum]]) -> None:
    """Offer these choices, each with its value as data."""
    for text, value in choices:
        combo.addItem(text, value)


class GeneratedPage(SourcePage):
    """How values are generated, with the fields that the fill asks for."""

    def __init__(
        self,
        tensor: TensorInfo,
        sizes: Mapping[str, int],
        *,
        also: tuple[Fill, ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        """`sizes` are those of the free dimensions; `also` are fills to offer beside those that fit the type."""
        super().__init__(tensor, parent)
        self._sizes = sizes
        self._type = value_type(tensor.type)
        self._fill = QComboBox(self)
        self._low = QLineEdit(self)
        self._high = QLineEdit(self)
        self._value = QLineEdit(self)
        self._values = QPlainTextEdit(self)
        self._count = MutedLabel(parent=self)
        self._length = QSpinBox(self)
        self._shape = QLineEdit(self)
        self._build(also)
        self._fill.currentIndexChanged.connect(self._show_fields)
        self._length.valueChanged.connect(self.changed)
        for field in (self._low, self._high, self._value, self._values, self._shape):
            field.textChanged.connect(self._on_typed)
        self._show_fields()

    def _build(self, also: tuple[Fill, ...]) -> None:
        texts = {
            Fill.AUTOMATIC: self.tr("automatic"),
            Fill.UNIFORM: self.tr("uniform"),
            Fill.NORMAL: self.tr("normal"),
            Fill.ZEROS: self.tr("zeros"),
            Fill.ONES: self.tr("ones"),
            Fill.CONSTANT: self.tr("constant"),
            Fill.INTEGERS: self.tr("integer range"),
            Fill.VALUES: self.tr("values"),
        }
        asks_shape = self.tensor.shape is None
        fills = fills_for(self.tensor)
        fills += tuple(fill for fill in also if fill not in fills and fill is not Fill.AUTOMATIC)
        if asks_shape or self._type.has_entries:
            fills = (Fill.AUTOMATIC, *fills)
        fill_combo(self._fill, [(texts[fill], fill) for fill in fills])
        self._values.setTabChangesFocus(True)
        self._values.setFixedHeight(self.fontMetrics().height() * 4)
        self._length.setRange(0, MAX_LENGTH)
        self._length.setValue(1)
        self._length.setGroupSeparatorShown(True)
        self._shape.setPlaceholderText(self.tr("empty for a scalar; else as in 2, 3"))
        self._add(self.tr("F&ill"), self._fill)
        for text, field in (
            (self.tr("F&rom"), self._low),
            (self.tr("&To"), self._high),
            (self.tr("&Value"), self._value),
            (self.tr("&Values"), self._values),
        ):
            self._add(text, field)
        self.form.addRow("", self._count)
        if self._type.has_entries:
            self._add(self.tr("&Entries"), self._length)
            self._length.setToolTip(self.tr("Entries of the sequence or map"))
        if asks_shape:
            self._add(self.tr("&Shape"), self._shape)
            self._shape.setToolTip(self.tr("The model leaves the number of dimensions open."))
        self._length.setVisible(self._type.has_entries)
        self._shape.setVisible(asks_shape)

    def _add(self, text: str, field: QWidget) -> None:
        label = QLabel(text, self)
        label.setBuddy(field)
        self.form.addRow(label, field)

    def first_field(self) -> QWidget:
        """Return the field to begin with."""
        return self._fill

    def show_source(self, source: InputSource) -> None:
        """Fill the fields with those of a source."""
        at = self._fill.findData(source.fill)
        self._fill.setCurrentIndex(max(at, 0))
        is_whole = source.fill is Fill.INTEGERS or self._type.element in INTEGER_RANGES
        self._low.setText(_number_text(source.low, is_whole=is_whole))
        self._high.setText(_number_text(source.high, is_whole=is_whole))
        self._value.setText(source.value)
        self._values.setPlainText(source.value)
        self._length.setValue(source.length)
        self._shape.setText("" if source.shape is None else shape_text(source.shape))

    def source(self) -> InputSource:
        """Return the source that the fields describe. Raises `ValueError` with a sentence for the user."""
        fill = self._chosen()
        numbers = self._numbers(fill)
        if fill in (Fill.UNIFORM, Fill.INTEGERS) and numbers[0] > numbers[1]:
            raise ValueError(self.tr("The range ends before it begins."))
        if fill is Fill.NORMAL and numbers[1] < 0:
            raise ValueError(self.tr("The deviation must not be negative."))
        value = self._value.text() if fill is Fill.CONSTANT else ""
        return InputSource(
            name=self.tensor.name,
            fill=fill,
            low=numbers[0],
            high=numbers[1],
            value=self._values_text() if fill is Fill.VALUES else value,
            shape=parsed_shape(self._shape.text()) if self.tensor.shape is None else None,
            length=self._length.value() if self._type.has_entries else 1,
        )

    def _numbers(self, fill: Fill) -> tuple[Number, Number]:
        element = self._type.element
        if fill is Fill.INTEGERS:
            return whole_number(self._low.text(), element), whole_number(self._high.text(), element)
        if fill in (Fill.UNIFORM, Fill.NORMAL):
            return real_number(self._low.text(), element), real_number(self._high.text(), element)
        return 0, 1

    def _chosen(self) -> Fill:
        return Fill(self._fill.currentData())

    def _values_text(self) -> str:
        """Return the list as typed; a line's end separates as a comma does."""
        lines = (line.strip().removesuffix(",") for line in self._values.toPlainText().splitlines())
        return ", ".join(line for line in lines if line)

    def _show_fields(self) -> None:
        fill = self._chosen()
        bounds = {
            Fill.UNIFORM: (self.tr("F&rom"), self.tr("&To, not reached")),
            Fill.INTEGERS: (self.tr("F&rom"), self.tr("&To, included")),
            Fill.NORMAL: (self.tr("Mea&n"), self.tr("&Deviation")),
        }.get(fill)
        for number, field in enumerate((self._low, self._high)):
            self.form.setRowVisible(field, bounds is not None)
            label = self.form.labelForField(field)
            if bounds is not None and isinstance(label, QLabel):
                label.setText(bounds[number])
        self.form.setRowVisible(self._value, fill is Fill.CONSTANT)
        self.form.setRowVisible(self._values, fill is Fill.VALUES)
        self.form.setRowVisible(self._count, fill is Fill.VALUES)
        self._on_typed()

    def _on_typed(self) -> None:
        if self._chosen() is Fill.VALUES:
            self._count.setText(self._count_text())
        self.changed.emit()

    def _count_text(self) -> str:
        typed = count_text(len(split_values(self._values_text())))
        try:
            shape = parsed_shape(self._shape.text())
        except ValueError:
            shape = None
        needed = element_count(self.tensor, shape, self._sizes)
        if needed is None:
            return self.tr("{0} values, separated by commas").format(typed)
        return self.tr("{0} of {1} values, separated by commas").format(typed, count_text(needed))


class PathRow(QWidget):
    """A path to type, and a button that chooses one."""

    changed = Signal()

    def __init__(self, title: str, filters: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._filters = filters
        self.edit = QLineEdit(self)
        self.edit.setAccessibleName(title)
        button = QPushButton(self.tr("&Browse…"), self)
        button.setAutoDefault(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.edit, 1)
        layout.addWidget(button)
        self.setFocusProxy(self.edit)
        self.edit.textChanged.connect(self.changed)
        button.clicked.connect(self._browse)

    @property
    def path(self) -> str:
        """The path typed; empty for none."""
        return self.edit.text().strip()

    def _browse(self) -> None:
        folder = str(Path(self.path).parent) if self.path else ""
        dialog = QFileDialog(self, self._title, folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([*self._filters, self.tr("All files (*)")])
        dialog.fileSelected.connect(self.edit.setText)
        dialog.open()


class FilePage(SourcePage):
    """A file of values, and which array of it."""

    def __init__(self, tensor: TensorInfo, parent: QWidget | None = None) -> None:
        super().__init__(tensor, parent)
        patterns = " ".join(f"*{suffix}" for suffix in ARRAY_SUFFIXES)
        self._path = PathRow(self.tr("File of values"), (self.tr("Arrays and tensors ({0})").format(patterns),), self)
        self._entry = QComboBox(self)
        self._wanted_entry = tensor.name
        self._listed = ""
        self._broken = ""
        expected = MutedLabel(f"{short_type(tensor.type)} {tensor.shape_text}", self)
        self._found = MutedLabel(parent=self)
        for told in (expected, self._found):
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for text, field in ((self.tr("Fil&e"), self._path), (self.tr("Arra&y"), self._entry)):
            label = QLabel(text, self)
            label.setBuddy(field)
            self.form.addRow(label, field)
        self.form.addRow(self.tr("Expected"), expected)
        self.form.addRow(self.tr("Found"), self._found)
        self.form.setRowVisible(self._entry, False)
        self.form.setRowVisible(self._found, False)
        self._path.changed.connect(self._on_path)
        self._entry.currentIndexChanged.connect(self._on_entry)

    def first_field(self) -> QWidget:
        """Return the field to begin with."""
        return self._path

    def show_source(self, source: InputSource) -> None:
        """Fill the fields with those of a source."""
        self._wanted_entry = source.entry or source.name
        self._path.edit.setText(source.path)

    def source(self) -> InputSource:
        """Return the source that the fields describe. Raises `ValueError` with a sentence for the user."""
        path = self._path.path
        if not path:
            raise ValueError(self.tr("Choose a file: .npy, .npz or .pb."))
        if self._broken:
            raise ValueError(self._broken)
        entry: Any = self._entry.currentData() if path == self._listed else ""
        return InputSource(name=self.tensor.name, kind=SourceKind.FILE, path=path, entry=entry or "")

    def _on_path(self) -> None:
        path = self._path.path
        self._listed, self._broken = "", ""
        names: tuple[str, ...] = ()
        if path.lower().endswith(".npz") and is_file(path):
            try:
                names = archive_entries(path)
                self._broken = "" if names else self.tr("This .npz holds no array.")
            except (OSError, ValueError) as error:
                self._broken = self.tr("This file cannot be read: {0}").format(error)
            self._listed = path
        was = self._entry.blockSignals(True)
        self._entry.clear()
        for name in names:
            self._entry.addItem(name, name)
        self._entry.setCurrentIndex(max(0, self._entry.findData(self._wanted_entry)) if names else -1)
        self._entry.blockSignals(was)
        self.form.setRowVisible(self._entry, bool(names))
        self._show_found()

    def _on_entry(self) -> None:
        self._wanted_entry = self._entry.currentData() or self._wanted_entry
        self._show_found()

    def _show_found(self) -> None:
        header = array_header(self._path.path, self._entry.currentData() or "") if self._path.path else None
        self.form.setRowVisible(self._found, header is not None)
        if header is not None:
            self._found.setText(f"{header.type} {shape_text(header.shape)}")
        self.changed.emit()


def _number_text(number: Number, *, is_whole: bool) -> str:
    """Return a number with all its digits, without a point where only whole ones are asked for."""
    if is_whole and isinstance(number, float) and number.is_integer():
        return str(int(number))
    return f"{number:.17g}" if isinstance(number, float) and number.is_integer() else repr(number)
