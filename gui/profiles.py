"""What the window does with profiles: asks where a trace shall be saved, and has it saved."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from .profile_keeper import ProfileKeeper
from .settings import Settings
from .trial_run import TrialRun


class Profiles(QObject):
    """Asks the user and passes on what was decided."""

    def __init__(self, window: QWidget, settings: Settings, keeper: ProfileKeeper) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._keeper = keeper

    def ask_trace(self, trial: TrialRun) -> None:
        """Ask where the trace of a trial's profile shall be saved, then have it saved."""
        target = re.sub(r"[^\w.-]+", "_", trial.target_text)
        name = f"{trial.model_name}_{target}_trace.json"
        folder = Path(self._settings.trace_folder or Path(trial.settings.model_path).parent)
        dialog = QFileDialog(self._window, self.tr("Save the trace"), str(folder / name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.setNameFilters([self.tr("Traces (*.json)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(lambda path: self._save(trial, path))
        dialog.open()

    def _save(self, trial: TrialRun, path: str) -> None:
        self._settings.trace_folder = str(Path(path).parent)
        self._keeper.save_trace(trial, path)
