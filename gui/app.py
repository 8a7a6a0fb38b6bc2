"""The composition root of the window: makes the parts and lets them run."""

from __future__ import annotations

import faulthandler
import gc
import signal
import sys
from pathlib import Path
from typing import TextIO

from PySide6.QtCore import QSettings, QStandardPaths, QTimer
from PySide6.QtWidgets import QApplication

from . import __version__, theme
from .client.client import EngineClient
from .client.inspector import Inspector
from .comparison_keeper import ComparisonKeeper
from .compile_keeper import CompileKeeper
from .engine_keeper import EngineKeeper
from .hardware_keeper import HardwareKeeper
from .libraries import LibraryKeeper
from .logs import LogSource
from .main_window import MainWindow
from .model_keeper import ModelKeeper
from .policy_keeper import PolicyKeeper
from .profile_keeper import ProfileKeeper
from .records.log import LogSeverity
from .settings import Settings
from .state import State
from .trial_archive import TrialArchive
from .trials import TrialKeeper

_PAINT_MS = 700
_STARTED_MS = 2000
_NAME = "ort-device-explorer"


def run(model: str | None = None) -> int:
    """Open the window, with a model, set-up or trial (.json) if one is named, and return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    application = QApplication(sys.argv[:1])
    application.setApplicationName(_NAME)
    application.setApplicationDisplayName("ORT Device Explorer")
    application.setApplicationVersion(__version__)
    application.setOrganizationName(_NAME)
    application.setDesktopFileName(_NAME)
    application.setQuitOnLastWindowClosed(False)  # the engine ends first
    settings = Settings(QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, _NAME, _NAME))
    theme.apply_color_scheme(settings.color_scheme)
    window = Explorer(settings, model)
    window.archive.closed.connect(application.quit)
    QTimer.singleShot(_STARTED_MS, _collect_garbage_again)
    window.start()
    return application.exec()


def _data_folder() -> Path:
    """Return where the application keeps what is the user's: the store of trials, the file for crashes."""
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation))


def _collect_garbage_again() -> None:
    gc.freeze()  # what is there now stays until the end
    gc.enable()


class Explorer:
    """All parts of the running application."""

    def __init__(self, settings: Settings, model: str | None = None) -> None:
        self.log = LogSource()
        self.state = State()
        self.client = EngineClient()
        self.engine = EngineKeeper(self.client, self.state)
        self.inspector = Inspector()
        self.libraries = LibraryKeeper(self.client, self.inspector, self.state, settings)
        self.hardware = HardwareKeeper(self.client, self.state)
        self.libraries.library_loaded.connect(self.hardware.explain)
        self.models = ModelKeeper(self.client, self.state)
        self.trials = TrialKeeper(self.client, self.state)
        self.compiler = CompileKeeper(self.client, self.state)
        self.policies = PolicyKeeper(self.client, self.state)
        self.profiler = ProfileKeeper(self.client, self.state)
        self.comparer = ComparisonKeeper(self.client, self.state)
        self.archive = TrialArchive(self.state)
        self.window = MainWindow(
            self.state,
            settings,
            self.client,
            self.libraries,
            self.models,
            self.trials,
            self.compiler,
            self.policies,
            self.profiler,
            self.comparer,
            self.archive,
            self.log,
        )
        self.window.closed.connect(self.inspector.close)
        self.inspector.closed.connect(self.client.close)
        self.client.closed.connect(self.archive.close)  # the trial under way has ended by then
        self._model = model or self._last_model(settings)
        self._crash_file: TextIO | None = None
        self._has_begun = False

    def start(self) -> None:
        """Show the window; once it is painted, start the engine beside it."""
        self.log.install()
        self.window.first_painted.connect(self._begin)
        self.window.show()
        QTimer.singleShot(_PAINT_MS, self.window, self._begin)  # a window that starts minimized is not painted

    def _begin(self) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        self.client.start()
        self.archive.start(_data_folder() / "trials.sqlite")
        self.libraries.restore()
        if self._model is not None and self.window.handover.is_trial(self._model):
            self.window.handover.open_path(self._model)
        elif self._model is not None and self._model.lower().endswith(".json"):
            self.window.setups.open_path(self._model)
        elif self._model is not None:
            self.window.open_model(self._model)
        self._watch_for_crashes()

    def _watch_for_crashes(self) -> None:
        """Write a crash of the window itself to a file, and tell of the last one."""
        folder = _data_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / "crash.log"
            before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            self._crash_file = path.open("w", encoding="utf-8")
        except OSError as error:
            self.log.emit_record(LogSeverity.WARNING, "window", f"Crashes of the window cannot be recorded: {error}")
            return
        faulthandler.enable(self._crash_file)
        if before.strip():
            self.log.emit_record(LogSeverity.ERROR, "window", f"The window crashed when it ran last:\n{before}")

    @staticmethod
    def _last_model(settings: Settings) -> str | None:
        """The model chosen last, or a sample at the first start and when it is gone."""
        last = settings.trial_choices.model_path
        if last and Path(last).exists():
            return last
        samples = theme.sample_models()
        return str(samples[0]) if samples else None
