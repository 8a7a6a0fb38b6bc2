"""The window without its widgets: the keepers around a real engine, and how tests wait for them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.client.inspector import Inspector
from gui.client.requests import PendingRequest
from gui.comparison_keeper import ComparisonKeeper
from gui.compile_keeper import CompileKeeper
from gui.engine_keeper import EngineKeeper
from gui.hardware_keeper import HardwareKeeper
from gui.libraries import LibraryKeeper
from gui.model_keeper import ModelKeeper
from gui.policy_keeper import PolicyKeeper
from gui.records.device import DeviceType
from gui.records.library import Library, LibraryState
from gui.records.log import LogRecord
from gui.records.process_exit import ProcessExit
from gui.records.trial import Target, TrialSettings
from gui.settings import Settings
from gui.state import EngineStatus, State
from gui.trial_archive import TrialArchive
from gui.trial_run import TrialRun
from gui.trials import TrialKeeper

TIMEOUT_MS = 30_000
"""Long, for a machine under load; no test waits so long unless it fails."""
STORE_NAME = "trials.sqlite"
TINY_MODEL = Path(__file__).resolve().parents[1] / "resources" / "models" / "tiny_mlp.onnx"


def open_settings(ini: Path) -> Settings:
    """Settings in a file of the test's own."""
    return Settings(QSettings(str(ini), QSettings.Format.IniFormat))


def outcome_of(qtbot: QtBot, request: PendingRequest) -> Any:
    """Wait for the answer of a request just made, or for its failure, and return it."""
    ended: list[Any] = []
    request.succeeded.connect(ended.append)
    request.failed.connect(ended.append)
    qtbot.waitUntil(lambda: bool(ended), timeout=TIMEOUT_MS)
    return ended[0]


def end_client(qtbot: QtBot, client: EngineClient) -> None:
    """Close a client and wait until its engine is gone."""
    with qtbot.waitSignal(client.closed, timeout=TIMEOUT_MS):
        client.close()


def end_archive(qtbot: QtBot, archive: TrialArchive) -> None:
    """Close an archive and wait until all is written."""
    with qtbot.waitSignal(archive.closed, timeout=TIMEOUT_MS):
        archive.close()


def forbid_core_dumps() -> None:
    """Let the engines that die in a test leave no core file behind."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def is_running(process_id: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass(kw_only=True)
class Keepers:
    """What the window has behind its panels, wired as there, and what was said."""

    qtbot: QtBot
    client: EngineClient
    state: State
    settings: Settings
    libraries: LibraryKeeper
    hardware: HardwareKeeper
    models: ModelKeeper
    trials: TrialKeeper
    compiler: CompileKeeper
    policies: PolicyKeeper
    comparisons: ComparisonKeeper
    archive: TrialArchive
    engine: EngineKeeper
    deaths: list[ProcessExit] = field(default_factory=list)
    records: list[LogRecord] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failed_libraries: list[Library] = field(default_factory=list)
    failed_trials: list[TrialRun] = field(default_factory=list)

    def is_ready(self) -> bool:
        """Whether an engine is ready and no library is on its way."""
        on_the_way = (LibraryState.LOADING, LibraryState.UNREGISTERING)
        return self.state.engine_status is EngineStatus.READY and all(
            library.state not in on_the_way for library in self.state.libraries
        )

    def wait_until_ready(self) -> None:
        """Wait until an engine is ready and no library is on its way."""
        self.qtbot.waitUntil(self.is_ready, timeout=TIMEOUT_MS)

    def wait_for_death(self, number: int = 1) -> None:
        """Wait until so many engines have died and the next is ready."""
        self.qtbot.waitUntil(lambda: len(self.deaths) >= number, timeout=TIMEOUT_MS)
        self.wait_until_ready()

    def library(self, name: str) -> Library:
        """The library of this name; there must be one."""
        library = self.state.library(name)
        assert library is not None, f"no library {name}"
        return library

    def has_said(self, words: str) -> bool:
        """Whether a log record that holds these words has come."""
        return any(words in record.message for record in self.records)

    def states(self) -> dict[str, LibraryState]:
        """Where each library stands."""
        return {library.name: library.state for library in self.state.libraries}

    def add(self, name: str, path: Path) -> Library:
        """Add a library and wait until it is loaded, or failed and another engine ready."""
        self.libraries.add([(name, str(path))])
        self.wait_until_ready()
        return self.library(name)

    def owners(self) -> list[str | None]:
        """The libraries of the devices in the table, in order."""
        return [device.library for device in self.state.devices]

    def target(self, library: str | None = None, kind: DeviceType = DeviceType.CPU) -> Target:
        """The first device of a library, of ORT's own without one."""
        keys = (device.key for device in self.state.devices if device.library == library and device.type is kind)
        return Target(device_keys=(next(keys),))

    def run(self, settings: TrialSettings) -> TrialRun:
        """Start a trial."""
        self.trials.run(settings)
        trial = self.state.running_trial
        assert trial is not None
        return trial

    def wait_for_end(self, trial: TrialRun) -> None:
        """Wait until a trial has ended and its statistics are computed."""
        self.qtbot.waitUntil(lambda: not trial.is_running, timeout=TIMEOUT_MS)
        self.qtbot.waitUntil(lambda: trial.exact is not None or not len(trial.series), timeout=TIMEOUT_MS)


@contextmanager
def running_keepers(qtbot: QtBot, ini: Path) -> Iterator[Keepers]:
    """Start the keepers as the window does, with the libraries that `ini` remembers; end the engine afterwards."""
    forbid_core_dumps()
    client, inspector, state, settings = EngineClient(), Inspector(), State(), open_settings(ini)
    keepers = Keepers(
        qtbot=qtbot,
        client=client,
        state=state,
        settings=settings,
        engine=EngineKeeper(client, state),
        libraries=LibraryKeeper(client, inspector, state, settings),
        hardware=HardwareKeeper(client, state),
        models=ModelKeeper(client, state),
        trials=TrialKeeper(client, state),
        compiler=CompileKeeper(client, state),
        policies=PolicyKeeper(client, state),
        comparisons=ComparisonKeeper(client, state),
        archive=TrialArchive(state),
    )
    client.died.connect(keepers.deaths.append)
    client.log_received.connect(keepers.records.extend)
    state.notice_posted.connect(keepers.notices.append)
    keepers.libraries.library_loaded.connect(keepers.hardware.explain)
    keepers.libraries.library_failed.connect(keepers.failed_libraries.append)
    keepers.libraries.trial_in_the_way.connect(keepers.trials.make_way_for)
    keepers.libraries.trial_in_the_way.connect(keepers.compiler.make_way_for)
    keepers.libraries.trial_in_the_way.connect(keepers.policies.make_way_for)
    keepers.libraries.trial_in_the_way.connect(keepers.comparisons.make_way_for)
    keepers.trials.trial_failed.connect(keepers.failed_trials.append)
    try:
        keepers.libraries.restore()
        client.start()
        keepers.archive.start(ini.parent / STORE_NAME)
        keepers.wait_until_ready()
        qtbot.waitUntil(lambda: bool(state.devices), timeout=TIMEOUT_MS)
        yield keepers
    finally:
        with qtbot.waitSignal(inspector.closed, timeout=TIMEOUT_MS):
            inspector.close()
        end_client(qtbot, client)
        end_archive(qtbot, keepers.archive)
