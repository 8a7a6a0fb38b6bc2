"""The status bar: what runs, how far it is, and the engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QToolButton
from pytestqt.qtbot import QtBot

from gui.comparison_run import ComparisonRun, Phase
from gui.panels.status import StatusBar
from gui.records.comparison import ComparisonCell, ComparisonPlan
from gui.records.library import LibraryState
from gui.records.result import Outcome
from gui.records.trial import Stage, StopRule, Target, TrialFacts, TrialSettings
from gui.state import EngineStatus, State
from gui.trial_run import TrialRun

from ..finding import child, show, shown_texts
from ..models.makers import library, trial
from ..records.examples import GREETING


class Hands:
    """A status bar and its parts."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.qtbot, self.state = qtbot, state
        self.bar = StatusBar(state)
        show(qtbot, self.bar, 1200, 30)
        self.progress = self.bar.findChildren(QProgressBar)[0]

    def texts(self) -> list[str]:
        return shown_texts(self.bar)

    def log_button(self) -> QToolButton:
        return self.bar.findChildren(QToolButton)[0]

    def wait_for(self, *texts: str) -> None:
        self.qtbot.waitUntil(lambda: self.texts() == list(texts), timeout=5000)


@pytest.fixture
def hands(qtbot: QtBot, state: State) -> Hands:
    return Hands(qtbot, state)


@pytest.fixture
def ready(hands: Hands) -> Hands:
    hands.state.set_engine(EngineStatus.READY, GREETING)
    hands.wait_for("ONNX Runtime 1.32.0")
    return hands


def measuring(rule: StopRule, count: int, elapsed_ns: int) -> TrialRun:
    run = trial(1, facts=TrialFacts(stage=Stage.MEASURING), elapsed_ns=elapsed_ns)
    run.settings = TrialSettings(model_path="/m.onnx", target=Target(device_keys=("cpu",)), stop_rule=rule)
    run.series.append(np.full(count, 1000, np.int64))
    return run


@pytest.mark.parametrize(
    ("status", "text"),
    [(EngineStatus.STARTING, "Engine is starting…"), (EngineStatus.GAVE_UP, "No engine")],
)
def test_that_the_engines_state_is_told(ready: Hands, status: EngineStatus, text: str) -> None:
    ready.state.set_engine(status)
    ready.wait_for(text)
    assert not ready.progress.isVisible()


def test_that_a_stage_without_a_known_end_tells_how_long_it_takes(ready: Hands) -> None:
    ready.state.add_trial(trial(1, facts=TrialFacts(stage=Stage.CREATING_SESSION)))
    ready.wait_for("net on CPUExecutionProvider: creating session, 0 s", "ONNX Runtime 1.32.0")
    assert (ready.progress.minimum(), ready.progress.maximum()) == (0, 0)  # busy


def test_that_measuring_tells_how_many_runs_are_done_and_what_is_left(ready: Hands) -> None:
    ready.state.add_trial(measuring(StopRule(iterations=200), 50, 1_000_000_000))
    ready.wait_for("net on CPUExecutionProvider: measuring, 50 of 200, 3 s left", "ONNX Runtime 1.32.0")
    assert ready.progress.value() / ready.progress.maximum() == pytest.approx(0.25)


def test_that_measuring_by_time_tells_the_time_that_is_left(ready: Hands) -> None:
    ready.state.add_trial(measuring(StopRule(seconds=80), 50, 20_000_000_000))
    ready.wait_for("net on CPUExecutionProvider: measuring, 50, 1 min 00 s left", "ONNX Runtime 1.32.0")
    assert ready.progress.value() / ready.progress.maximum() == pytest.approx(0.25)


def test_that_measuring_until_stable_tells_the_longest_time_that_is_left(ready: Hands) -> None:
    ready.state.add_trial(measuring(StopRule(seconds=60, stable_percent=1.0), 5000, 18_000_000_000))
    ready.wait_for("net on CPUExecutionProvider: measuring, 5000, at most 42 s left", "ONNX Runtime 1.32.0")
    assert (ready.progress.minimum(), ready.progress.maximum()) == (0, 0)  # busy


def test_that_a_known_end_after_an_unknown_one_is_shown_as_a_share(ready: Hands) -> None:
    first = measuring(StopRule(seconds=60, stable_percent=1.0), 5000, 18_000_000_000)
    ready.state.add_trial(first)
    ready.wait_for("net on CPUExecutionProvider: measuring, 5000, at most 42 s left", "ONNX Runtime 1.32.0")
    first.outcome = Outcome.FINISHED
    ready.state.trial_changed.emit(first)
    ready.state.add_trial(measuring(StopRule(seconds=80), 50, 20_000_000_000))
    ready.wait_for("net on CPUExecutionProvider: measuring, 50, 1 min 00 s left", "ONNX Runtime 1.32.0")
    assert ready.progress.value() / ready.progress.maximum() == pytest.approx(0.25)


def test_that_samples_that_come_are_told_with_the_next_tick(ready: Hands) -> None:
    run = measuring(StopRule(iterations=200), 50, 1_000_000_000)
    ready.state.add_trial(run)
    run.series.append(np.full(50, 1000, np.int64))
    run.elapsed_ns = 2_000_000_000
    ready.state.trial_changed.emit(run)
    ready.wait_for("net on CPUExecutionProvider: measuring, 100 of 200, 2 s left", "ONNX Runtime 1.32.0")


def test_that_stopping_is_told_and_nothing_after_the_end(ready: Hands) -> None:
    run = measuring(StopRule(iterations=200), 50, 1_000_000_000)
    ready.state.add_trial(run)
    run.stopping = True
    ready.state.trial_changed.emit(run)
    ready.wait_for("net on CPUExecutionProvider: stopping…", "ONNX Runtime 1.32.0")
    run.outcome = Outcome.STOPPED
    ready.state.trial_changed.emit(run)
    ready.wait_for("ONNX Runtime 1.32.0")
    assert not ready.progress.isVisible()


@pytest.mark.parametrize(
    ("library_state", "text"),
    [(LibraryState.LOADING, "Loading “it”, 0 s"), (LibraryState.UNREGISTERING, "Unregistering “it”, 0 s")],
)
def test_that_a_library_on_its_way_is_told(ready: Hands, library_state: LibraryState, text: str) -> None:
    it = library("it", library_state)
    ready.state.set_libraries((library("other", LibraryState.LOADED), it))
    ready.wait_for(text, "ONNX Runtime 1.32.0")
    ready.state.set_libraries((library("other", LibraryState.LOADED), replace(it, state=LibraryState.LOADED)))
    ready.wait_for("ONNX Runtime 1.32.0")


def test_that_a_library_that_waits_for_an_engine_is_not_said_to_be_loading(ready: Hands) -> None:
    ready.state.set_engine(EngineStatus.STARTING)
    ready.state.set_libraries((library("it", LibraryState.LOADING),))
    ready.wait_for("Engine is starting…")


def test_that_a_notice_stands_on_the_left(ready: Hands) -> None:
    ready.state.post("“it” is loaded.")
    assert ready.bar.currentMessage() == "“it” is loaded."


def test_that_unseen_messages_are_counted_at_the_button_that_shows_them(ready: Hands) -> None:
    button = child(ready.bar, QToolButton, "Log")
    assert button.icon().isNull()
    ready.bar.show_unseen(3)
    assert button.text() == "Log: 3 new"
    assert not button.icon().isNull()
    with ready.qtbot.waitSignal(ready.bar.log_requested, timeout=1000):
        ready.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    ready.bar.show_unseen(0)
    assert button.text() == "Log"
    assert button.icon().isNull()


def test_that_work_beside_trials_is_told_while_it_goes_on(ready: Hands) -> None:
    ready.state.set_work("profiling net")
    ready.qtbot.waitUntil(lambda: any(text.startswith("Profiling net, ") for text in ready.texts()), timeout=5000)
    assert ready.progress.maximum() == 0  # how far it is, nobody knows
    ready.state.set_work("")
    ready.wait_for("ONNX Runtime 1.32.0")


def test_that_a_comparison_is_told_by_its_rounds_not_by_its_trials(ready: Hands) -> None:
    runs = (trial(1), trial(2))
    settings = TrialSettings(model_path="/models/net.onnx", target=Target(device_keys=("cpu",)))
    cells = tuple(ComparisonCell(label=text, target_text=text, settings=settings) for text in ("one", "two"))
    run = ComparisonRun(
        id="it", runs=runs, plan=ComparisonPlan(cells=cells, rounds=20), phase=Phase.OPENING, seconds_left=None
    )
    for part in runs:
        ready.state.add_trial(part, show=False)
    ready.state.show_comparison(run)
    ready.wait_for("Comparing 2 targets: creating sessions, 0 s", "ONNX Runtime 1.32.0")
    run.phase, run.round, run.seconds_left = Phase.MEASURING, 11, 8.0
    ready.state.show_comparison(run)
    ready.wait_for("Comparing 2 targets: round 11 of 20, 8 s left", "ONNX Runtime 1.32.0")
    assert ready.progress.value() == 500
    run.stopping = True
    ready.state.show_comparison(run)
    ready.wait_for("Comparing 2 targets: stopping…", "ONNX Runtime 1.32.0")
