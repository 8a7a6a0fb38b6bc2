"""A field for each free dimension of a model: one size, or several for a trial each."""

from __future__ import annotations

import itertools
import re
from typing import Final

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..models.texts import count_text
from ..records.dimensions import MAX_SIZE, asked_for, with_derived
from ..records.model import TensorInfo, dimension_name
from ..records.setup import MAX_TRIALS, DimensionSweep
from ..records.trial import DimensionSize
from .widgets import MutedLabel

_PER_ROW: Final = 2
_LEAST_ROWS: Final = 2
_SPACING: Final = 4
_LABEL_WIDTH: Final = 112
_SHOWN_SIZES: Final = 4
_SEPARATORS: Final = re.compile(r"[\s,;]+")


def parsed_sizes(text: str) -> tuple[int, ...]:
    """Return the sizes of a text such as `1, 2, 4, 8`, none of an empty one. Raises `ValueError` with the bad part."""
    parts = [part for part in _SEPARATORS.split(text) if part]
    sizes = []
    for part in parts:
        # Not `007`, and not the thousands of `1,024`, which would be sizes of 1 and 24.
        if not (part.isascii() and part.isdigit()) or part[0] == "0" or len(part) > 10 or int(part) > MAX_SIZE:
            raise ValueError(part if len(part) <= 20 else f"{part[:19]}…")
        sizes.append(int(part))
    return tuple(sizes)


class _Area(QScrollArea):
    """Scrolls its fields up and down; wants the height of them all, and no less than two rows."""

    def sizeHint(self) -> QSize:
        """Qt's."""
        return self._height_of(None)

    def minimumSizeHint(self) -> QSize:
        """Qt's."""
        return self._height_of(_LEAST_ROWS)

    def _height_of(self, rows: int | None) -> QSize:
        inner = self.widget()
        whole = inner.sizeHint().height() if inner is not None else 0
        field = inner.findChild(QLineEdit) if inner is not None else None
        if rows is not None and isinstance(field, QLineEdit):
            whole = min(whole, rows * (field.sizeHint().height() + _SPACING))
        return QSize(100, whole)


class DimensionsEditor(QWidget):
    """What is typed for a dimension's name is kept while other models are chosen."""

    changed = Signal()
    """Something was typed, or other dimensions are shown."""
    sizes_changed = Signal()
    """A field with another first size was left, or other dimensions are shown."""

    def __init__(self, parent: QWidget | None = None, *, counts_trials: bool = True) -> None:
        """`counts_trials` says how many trials several sizes make; not where something else multiplies them."""
        super().__init__(parent)
        self._counts_trials = counts_trials
        self._texts: dict[str, str] = {}
        """By name, of all models."""
        self._told: dict[str, int] | None = None
        self._names: tuple[str, ...] = ()
        self._tensors: tuple[TensorInfo, ...] = ()
        self._fields: dict[str, QLineEdit] = {}
        self._derived: dict[str, QLabel] = {}
        self._area = _Area(self)
        self._message = MutedLabel(parent=self)
        self._message.setWordWrap(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._area)
        layout.addWidget(self._message)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._fill()

    @property
    def sizes(self) -> tuple[DimensionSize, ...]:
        """The first size of each dimension for which one is typed: the others are the engine's to choose."""
        found = ((name, self._sizes_of(name)) for name in self._fields)
        return tuple(DimensionSize(name=name, size=sizes[0]) for name, sizes in found if sizes)

    @property
    def sweeps(self) -> tuple[DimensionSweep, ...]:
        """The dimensions with several sizes."""
        found = ((name, self._sizes_of(name)) for name in self._fields)
        return tuple(DimensionSweep(name=name, sizes=sizes) for name, sizes in found if len(sizes) > 1)

    def problem(self) -> str | None:
        """Return what is wrong with the sizes, in one sentence, or None."""
        for name, field in self._fields.items():
            try:
                parsed_sizes(field.text())
            except ValueError as error:
                return self._sentence(name, str(error))
        count = self._trial_count()
        if count > MAX_TRIALS:
            return self.tr("These sizes make {0} trials; at most {1} are run in a row. Name fewer.").format(
                count_text(count), MAX_TRIALS
            )
        try:
            self._derived_sizes()
        except ValueError as error:
            return self.tr("With these sizes {0}. Choose others.").format(error)
        return None

    def remember(self, sizes: tuple[DimensionSize, ...], sweeps: tuple[DimensionSweep, ...] = ()) -> None:
        """Use these sizes, and no others, for the dimensions of their names, now and for models to come."""
        self._texts = {}
        self._texts.update((entry.name, str(entry.size)) for entry in sizes)
        self._texts.update((sweep.name, _text_of(sweep.sizes)) for sweep in sweeps)
        for name, field in self._fields.items():
            with QSignalBlocker(field):
                field.setText(self._texts.get(name, ""))
        self._on_edited()
        self._on_finished()

    def show_dimensions(self, names: tuple[str, ...], tensors: tuple[TensorInfo, ...] = ()) -> None:
        """Show fields for these dimensions; those not seen before are empty.

        Of those that follow from others (see `records.dimensions`) only what they come to is shown. `tensors` are the
        inputs that have them, for the tips.
        """
        if names == self._names and tensors == self._tensors:
            return
        self._names, self._tensors = names, tensors
        self._fill()
        self._told = None
        self._on_edited()
        self._on_finished()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            icon = theme.icon("warning", self.palette())
            for action in (action for field in self._fields.values() for action in field.actions()):
                action.setIcon(icon)

    def _fill(self) -> None:
        self._fields, self._derived = {}, {}
        inner = QWidget(self._area)
        grid = QGridLayout(inner)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(_SPACING)
        asked = asked_for(self._names)
        for number, name in enumerate(asked):
            row, column = divmod(number, _PER_ROW)
            self._add_field(grid, inner, name, (row, 2 * column))
        for column in range(1, 2 * min(_PER_ROW, max(1, len(asked))), 2):
            grid.setColumnStretch(column, 1)
        first = -(-len(asked) // _PER_ROW)
        for number, name in enumerate(name for name in self._names if name not in asked):
            label = MutedLabel(parent=inner)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._derived[name] = label
            grid.addWidget(label, first + number, 0, 1, 2 * _PER_ROW)
        self._area.setWidget(inner)  # deletes the one before
        inner.setAutoFillBackground(False)
        self._area.viewport().setAutoFillBackground(False)
        self._area.updateGeometry()
        self.setVisible(bool(self._names))

    def _add_field(self, grid: QGridLayout, inner: QWidget, name: str, place: tuple[int, int]) -> None:
        field = QLineEdit(self._texts.get(name, ""), inner)
        field.setPlaceholderText("1")
        field.setAcceptDrops(False)  # files dropped anywhere are the window's
        field.setAccessibleName(self.tr("Size of {0}").format(name))
        field.setToolTip(self._tip(name))
        field.setMinimumWidth(field.fontMetrics().horizontalAdvance("0000000"))
        field.textChanged.connect(self._on_edited)
        field.editingFinished.connect(self._on_finished)
        action = field.addAction(theme.icon("warning", self.palette()), QLineEdit.ActionPosition.TrailingPosition)
        action.setVisible(False)
        label = QLabel(self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, _LABEL_WIDTH), inner)
        label.setToolTip(self._tip(name))
        label.setBuddy(field)
        grid.addWidget(label, place[0], place[1])
        grid.addWidget(field, place[0], place[1] + 1)
        self._fields[name] = field

    def _tip(self, name: str) -> str:
        several = self.tr("Several sizes, as in 1, 2, 4, 8, make a trial each.")
        empty = self.tr("Empty: as the files of the inputs say, else 1.")
        return "\n".join(line for line in (name, self._users_of(name), several, empty) if line)

    def _users_of(self, name: str) -> str:
        users = [
            tensor.name
            for tensor in self._tensors
            if any(
                not isinstance(size, int) and dimension_name(tensor, axis) == name
                for axis, size in enumerate(tensor.shape or ())
            )
        ]
        return self.tr("Used by {0}").format(", ".join(users)) if users else ""

    def _sizes_of(self, name: str) -> tuple[int, ...]:
        """Return the sizes typed; none where nothing, or nothing usable is."""
        try:
            return parsed_sizes(self._fields[name].text())
        except ValueError:
            return ()

    def _trial_count(self) -> int:
        count = 1
        for name in self._fields:
            count *= max(1, len(self._sizes_of(name)))
        return count

    def _derived_sizes(self) -> dict[str, tuple[int, ...]]:
        """Return what the others come to, over all trials. Raises `ValueError` as `with_derived` does."""
        if not self._derived:
            return {}
        found: dict[str, dict[int, None]] = {name: {} for name in self._derived}
        combinations = itertools.product(*(self._sizes_of(name) or (1,) for name in self._fields))
        for sizes in itertools.islice(combinations, MAX_TRIALS):
            whole = with_derived(self._names, dict(zip(self._fields, sizes, strict=True)))
            for name, values in found.items():
                values[whole[name]] = None
        return {name: tuple(values) for name, values in found.items()}

    def _sentence(self, name: str, part: str) -> str:
        return self.tr(
            "“{0}” is no size for {1}: write whole numbers from 1 on without thousands separators, as in 1, 2, 4, 8."
        ).format(part, name)

    def _on_edited(self) -> None:
        for name, field in self._fields.items():
            self._texts[name] = field.text()
            try:
                parsed_sizes(field.text())
                problem = None
            except ValueError as error:
                problem = self._sentence(name, str(error))
            for action in field.actions():
                action.setVisible(problem is not None)
                action.setToolTip(problem or "")
        self._show_derived()
        problem, count = self.problem(), self._trial_count()
        note = ""
        if count > 1 and self._counts_trials:
            note = self.tr("{0} trials, one for each combination of sizes").format(count_text(count))
        self._message.setText(problem or note)
        self._message.setVisible(bool(problem or note))
        self.changed.emit()

    def _show_derived(self) -> None:
        try:
            sizes = self._derived_sizes()
        except ValueError:
            sizes = {}
        for name, label in self._derived.items():
            values = sizes.get(name, ())
            text = ", ".join(count_text(value) for value in values[:_SHOWN_SIZES])
            if len(values) > _SHOWN_SIZES:
                text += ", …"
            label.setText(f"{name} = {text or '?'}")
            lines = (label.text(), self.tr("Follows from the others"), self._users_of(name))
            label.setToolTip("\n".join(line for line in lines if line))

    def _on_finished(self) -> None:
        if self.problem() is not None:
            return
        for name, field in self._fields.items():
            text = _text_of(self._sizes_of(name))
            if field.text() != text and not field.hasFocus():
                field.setText(text)
        sizes = {entry.name: entry.size for entry in self.sizes}
        if sizes != self._told:
            self._told = sizes
            self.sizes_changed.emit()


def _text_of(sizes: tuple[int, ...]) -> str:
    return ", ".join(map(str, sizes))
