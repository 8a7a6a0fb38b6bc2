"""Chooses a model: samples, recent files, a file picker; says in a line what it is, or why it cannot be used."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..models.texts import count_text, size_text
from ..records.model import ModelDescription
from ..settings import Settings
from ..state import State
from .widgets import ActionButton, ElidedLabel, FailureBox


class ModelChooser(QWidget):
    """The chosen model; its inputs and details are on pages of their own."""

    model_requested = Signal(str)

    def __init__(self, state: State, settings: Settings, open_action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._settings = settings
        self._combo = QComboBox(self)
        self._summary = ElidedLabel(self)
        self._failure = FailureBox(self)
        self._build(open_action)
        self._combo.activated.connect(self._on_activated)
        state.model_changed.connect(self._show_model)
        self._show_model()

    def _build(self, open_action: QAction) -> None:
        label = QLabel(self.tr("&Model"), self)
        label.setBuddy(self._combo)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._combo.setMinimumContentsLength(8)
        self._combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._combo.setPlaceholderText(self.tr("Choose a model"))
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self._combo, 1)
        row.addWidget(ActionButton(open_action, self))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self._summary)
        layout.addWidget(self._failure)

    def _show_model(self) -> None:
        model = self._state.model
        self._fill_combo(None if model is None else model.path)
        description = None if model is None else model.description
        self._failure.show_failure(None if model is None else model.failure)
        if description is not None:
            self._summary.show_text(self._summary_of(description))
        else:
            self._summary.show_text(self._hint())
        self._summary.setToolTip(description.description if description is not None else "")
        self._summary.setVisible(model is None or model.failure is None)

    def _hint(self) -> str:
        model = self._state.model
        if model is None:
            return self.tr("Choose a sample, or open or drop an ONNX file.")
        if not model.is_loading:
            return ""
        if self._state.is_busy:
            return self.tr("The model is read when the trial has ended.")
        return self.tr("Reading the model…")

    def _summary_of(self, description: ModelDescription) -> str:
        parts = []
        if description.node_count is not None:
            parts.append(self.tr("{0} nodes").format(count_text(description.node_count)))
        parts.append(size_text(description.size_bytes))
        opset = dict(description.opsets).get("ai.onnx")
        if opset:
            parts.append(self.tr("opset {0}").format(opset))
        if description.context_eps:
            parts.append(self.tr("compiled for {0}").format(", ".join(description.context_eps)))
        if description.producer:
            parts.append(description.producer)
        return " · ".join(parts)

    def _fill_combo(self, chosen: str | None) -> None:
        self._combo.clear()
        samples = [str(path) for path in theme.sample_models()]
        recent = [path for path in self._settings.recent_models if path not in samples]
        if chosen is not None and chosen not in samples and chosen not in recent:
            recent.insert(0, chosen)
        for path in samples:
            self._add(path, self.tr("{0} (sample)").format(Path(path).stem))
        if samples and recent:
            self._combo.insertSeparator(self._combo.count())
        for path in recent:
            self._add(path, Path(path).name)
        self._combo.setCurrentIndex(-1 if chosen is None else self._combo.findData(chosen))
        self._combo.setToolTip(chosen or "")

    def _add(self, path: str, text: str) -> None:
        self._combo.addItem(text, path)
        self._combo.setItemData(self._combo.count() - 1, path, Qt.ItemDataRole.ToolTipRole)

    def _on_activated(self, row: int) -> None:
        path = self._combo.itemData(row)
        if isinstance(path, str):
            self.model_requested.emit(path)
