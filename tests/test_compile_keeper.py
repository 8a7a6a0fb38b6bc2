"""Compiling: told while it goes on, stopped, failed, survived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from gui.records.failure import FailureKind
from gui.records.trial import Stage, TrialSettings
from gui.state import Compilation

from .conftest import DoubleFactory
from .keepers import TIMEOUT_MS, Keepers, running_keepers


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        yield keepers


def settings(keepers: Keepers, library: str | None, model: Path, **fields: Any) -> TrialSettings:
    return TrialSettings(model_path=str(model), target=keepers.target(library), **fields)


def compiled(qtbot: QtBot, keepers: Keepers, what: TrialSettings, path: Path) -> Compilation:
    """Compile and wait for what becomes of it."""
    keepers.compiler.compile(what, str(path))
    assert keepers.state.is_busy
    qtbot.waitUntil(lambda: not keepers.state.is_busy, timeout=TIMEOUT_MS)
    assert keepers.state.compilation is not None
    return keepers.state.compilation


def test_that_a_failure_is_told_with_what_was_compiled_for_what(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path, tmp_path: Path
) -> None:
    keepers.add("double", double_library("compile=error,text=no licence"))
    stages: list[Stage] = []
    failed: list[Compilation] = []
    keepers.compiler.compile_failed.connect(failed.append)

    def note() -> None:
        compilation = keepers.state.compilation
        if compilation is not None and compilation.is_running:
            stages.append(compilation.stage)

    keepers.state.compilation_changed.connect(note)
    done = compiled(qtbot, keepers, settings(keepers, "double", add_model), tmp_path / "out.onnx")
    assert done.failure is not None
    assert done.failure.kind is FailureKind.COMPILE_FAILED
    assert "no licence" in done.failure.message
    assert (done.model_name, done.target_text, done.result) == ("add", "double", None)
    assert stages[-1] is Stage.COMPILING
    assert failed == [done]


def test_that_the_death_of_an_engine_that_compiles_is_survived(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path, tmp_path: Path
) -> None:
    keepers.add("double", double_library("compile=abort"))
    done = compiled(qtbot, keepers, settings(keepers, "double", add_model), tmp_path / "out.onnx")
    assert done.failure is not None
    assert done.failure.kind is FailureKind.DIED
    assert Stage.COMPILING.value in done.failure.message
    keepers.wait_for_death()
    assert keepers.library("double").device_keys


def test_that_compiling_can_be_stopped_also_when_the_ep_hangs(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path, tmp_path: Path
) -> None:
    keepers.add("double", double_library("compile=hang"))
    keepers.compiler.compile(settings(keepers, "double", add_model), str(tmp_path / "out.onnx"))
    qtbot.waitUntil(
        lambda: keepers.state.compilation is not None and keepers.state.compilation.stage is Stage.COMPILING,
        timeout=TIMEOUT_MS,
    )
    keepers.compiler.stop()
    assert keepers.state.compilation is not None
    assert keepers.state.compilation.stopping
    qtbot.waitUntil(lambda: not keepers.state.is_busy, timeout=TIMEOUT_MS)
    assert keepers.state.compilation.failure is not None
    assert keepers.state.compilation.failure.kind is FailureKind.STOPPED
    keepers.wait_until_ready()


def test_that_compiling_waits_for_no_trial_and_no_trial_for_it(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path, tmp_path: Path
) -> None:
    keepers.add("double", double_library("compile=slow,slow_ms=500"))
    what = settings(keepers, "double", add_model)
    keepers.compiler.compile(what, str(tmp_path / "out.onnx"))
    keepers.trials.run(what)
    assert keepers.state.trials == ()
    qtbot.waitUntil(lambda: not keepers.state.is_busy, timeout=TIMEOUT_MS)
    before = keepers.state.compilation
    trial = keepers.run(what)
    keepers.compiler.compile(what, str(tmp_path / "other.onnx"))
    assert keepers.state.compilation is before
    keepers.wait_for_end(trial)
    keepers.compiler.forget()
    assert keepers.state.compilation is None
