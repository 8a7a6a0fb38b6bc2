"""What the window does to compile a model: asks where to save it, and takes the result up for a trial."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from .compile_keeper import CompileKeeper
from .records.trial import TrialSettings
from .settings import Settings
from .state import State
from .targets import target_text


class Compilations(QObject):
    """Asks the user and passes on what was decided."""

    def __init__(self, window: QWidget, state: State, settings: Settings, keeper: CompileKeeper) -> None:
        super().__init__(window)
        self._window = window
        self._state = state
        self._settings = settings
        self._keeper = keeper

    def ask(self, trial: TrialSettings) -> None:
        """Ask where the compiled model shall be saved, then have it compiled."""
        model = Path(trial.model_path)
        target = re.sub(r"[^\w.-]+", "_", target_text(trial.target, self._state.devices))
        name = f"{model.stem}_{target}_ctx.onnx"
        folder = Path(self._settings.compiled_folder or model.parent)
        dialog = QFileDialog(self._window, self.tr("Save the compiled model"), str(folder / name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("onnx")
        dialog.setNameFilters([self.tr("ONNX models (*.onnx)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(lambda path: self._compile(trial, path))
        dialog.open()

    def _compile(self, trial: TrialSettings, path: str) -> None:
        self._settings.compiled_folder = str(Path(path).parent)
        self._keeper.compile(trial, path)
