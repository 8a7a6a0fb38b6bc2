"""Models from files: one is asked for and opened, and those opened last are remembered."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from . import theme
from .model_keeper import ModelKeeper
from .settings import Settings
from .state import State


class ModelFiles(QObject):
    """Asks the user and passes on what was decided."""

    def __init__(self, window: QWidget, state: State, settings: Settings, models: ModelKeeper) -> None:
        super().__init__(window)
        self._window = window
        self._state = state
        self._settings = settings
        self._models = models
        state.model_changed.connect(self._on_model_changed)
        models.model_failed.connect(self._on_model_failed)

    def open_path(self, path: str) -> None:
        """Choose a model by its path."""
        self._models.choose(str(Path(path).expanduser().absolute()))

    def open(self) -> None:
        """Ask for a model to open."""
        folder = self._settings.model_folder or str(theme.RESOURCES / "models")
        dialog = QFileDialog(self._window, self.tr("Open a model"), folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setNameFilters([self.tr("ONNX models (*.onnx *.ort)"), self.tr("All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_selected)
        dialog.open()

    def _on_selected(self, path: str) -> None:
        self._settings.model_folder = str(Path(path).parent)
        self.open_path(path)

    def _on_model_changed(self) -> None:
        model = self._state.model
        if model is not None and model.description is not None and Path(model.path) not in theme.sample_models():
            self._settings.add_recent_model(model.path)

    def _on_model_failed(self) -> None:
        model = self._state.model
        if model is not None and not Path(model.path).exists():
            self._settings.remove_recent_model(model.path)
