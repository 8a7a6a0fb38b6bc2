"""The main window without an engine behind it: what it shows is set by the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.client.inspector import Inspector
from gui.comparison_keeper import ComparisonKeeper
from gui.compile_keeper import CompileKeeper
from gui.libraries import LibraryKeeper
from gui.logs import LogSource
from gui.main_window import MainWindow
from gui.model_keeper import ModelKeeper
from gui.policy_keeper import PolicyKeeper
from gui.profile_keeper import ProfileKeeper
from gui.settings import Settings
from gui.state import State
from gui.trial_archive import TrialArchive
from gui.trials import TrialKeeper

from .finding import child, rows_of, wait_until_gone
from .keepers import TIMEOUT_MS, open_settings


@dataclass(kw_only=True)
class Idle:
    """A window that is shown and whose engine was never started."""

    qtbot: QtBot
    state: State
    settings: Settings
    client: EngineClient
    archive: TrialArchive
    log: LogSource
    window: MainWindow

    def log_messages(self) -> list[str]:
        """What stands in the log."""
        view = child(self.window.log_panel, QTableView, "Log")
        return [row[3] for row in rows_of(view.model())]

    def wait_for_log(self, words: str) -> None:
        """Wait until a message with these words stands in the log."""
        self.qtbot.waitUntil(lambda: any(words in text for text in self.log_messages()), timeout=TIMEOUT_MS)


@contextmanager
def idle_window(qtbot: QtBot, ini: Path) -> Iterator[Idle]:
    """Show a window on the settings in `ini`; close it afterwards, and the client with it."""
    state, settings, client, log = State(), open_settings(ini), EngineClient(), LogSource()
    libraries = LibraryKeeper(client, Inspector(), state, settings)
    models, trials, compiler = ModelKeeper(client, state), TrialKeeper(client, state), CompileKeeper(client, state)
    policies, profiler, archive = PolicyKeeper(client, state), ProfileKeeper(client, state), TrialArchive(state)
    comparer = ComparisonKeeper(client, state)
    window = MainWindow(
        state,
        settings,
        client,
        libraries,
        models,
        trials,
        compiler,
        policies,
        profiler,
        comparer,
        archive,
        log,
    )
    window.closed.connect(client.close)
    client.closed.connect(archive.close)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    try:
        yield Idle(qtbot=qtbot, state=state, settings=settings, client=client, archive=archive, log=log, window=window)
    finally:
        with qtbot.waitSignal(archive.closed, timeout=TIMEOUT_MS):
            if not window.close() or not window.isVisible():
                client.close()
        window.deleteLater()
        wait_until_gone(qtbot, window)
