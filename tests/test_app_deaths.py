"""EPs that take their engine along, or keep it for ever: the window lives, says so in place, and goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPlainTextEdit, QPushButton, QSpinBox, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from gui.panels.widgets import FailureBox
from gui.records.failure import FailureKind
from gui.records.library import LibraryState
from gui.records.result import Outcome
from gui.records.trial import Stage
from gui.trial_run import TrialRun

from .conftest import DoubleFactory
from .doubles import build
from .explorer import Session, running_explorer
from .finding import child, click_row, rows_of, shown_texts, wait_until_gone
from .keepers import TIMEOUT_MS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the doubles are for Linux")


@pytest.fixture
def session(
    qtbot: QtBot, tmp_path: Path, add_model: Path, double_library: DoubleFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Session]:
    """With a good library loaded, the model it runs, and little patience for what hangs."""
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    with running_explorer(qtbot, tmp_path, add_model) as session:
        session.add("good", double_library("name=GoodEp"))
        yield session


def states(session: Session) -> dict[str, LibraryState]:
    return {library.name: library.state for library in session.state.libraries}


def set_iterations(session: Session, count: int) -> None:
    session.open_page("Run")
    child(session.explorer.window.trial_panel, QSpinBox, "Iterations").setValue(count)


def assert_goes_on(session: Session) -> None:
    """The engine is another, the good library is loaded again, and a trial on it ends well."""
    assert states(session)["good"] is LibraryState.LOADED
    session.select_device_of("good")
    set_iterations(session, 20)
    trial = session.run_trial()
    assert trial.outcome is Outcome.FINISHED
    assert session.measures()["Ran on"] == "GoodEp"
    assert session.failures_in(session.explorer.window.latency_panel) == []


def run_on(session: Session, library: Path, iterations: int) -> TrialRun:
    """Load a bad library and start a trial on it."""
    assert session.add("bad", library).state is LibraryState.LOADED
    session.select_device_of("bad")
    set_iterations(session, iterations)
    return session.start_trial()


# ---- At load ----


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ("load=abort", "it aborted, signal 6 SIGABRT"),
        ("devices=segv", "a memory error (segmentation fault), signal 11 SIGSEGV"),
        ("factory=exit", "it exited with code"),
    ],
)
def test_that_a_library_that_kills_its_engine_at_load_is_told_beside_the_list(
    session: Session, double_library: DoubleFactory, orders: str, words: str
) -> None:
    before = session.explorer.client.process_id()
    session.add("bad", double_library(orders))
    assert session.explorer.client.process_id() not in (0, before)
    assert states(session) == {"good": LibraryState.LOADED, "bad": LibraryState.FAILED}
    window = session.explorer.window
    (text,) = session.failures_in(window.libraries_panel)
    assert text.startswith("The engine died while loading “bad”: " + words)
    assert session.failure_boxes() == [text]
    session.wait_for_log("The engine died while loading “bad”")
    assert_goes_on(session)


def test_that_the_last_lines_of_a_dead_engine_are_behind_details(
    session: Session, double_library: DoubleFactory
) -> None:
    session.add("bad", double_library("devices=abort,trace=1"))
    panel = session.explorer.window.libraries_panel
    (box,) = panel.findChildren(FailureBox)
    session.press(child(box, QToolButton, "Details"))
    assert "double: devices" in child(box, QPlainTextEdit, "Details of the failure").toPlainText()


def test_that_a_library_cut_short_is_told_and_nothing_else_is_lost(
    session: Session, double_library: DoubleFactory, tmp_path: Path
) -> None:
    session.add("cut", build.truncated_copy(double_library(), tmp_path))
    (text,) = session.failures_in(session.explorer.window.libraries_panel)
    assert "is truncated" in text
    assert_goes_on(session)


def test_that_a_library_that_hangs_at_load_is_stopped_by_its_button(
    session: Session, double_library: DoubleFactory
) -> None:
    window = session.explorer.window
    window.add_libraries((str(double_library("devices=hang,trace=1")),))
    session.fill_dialog("hang")
    session.wait_for_log("double: devices")
    assert not window.actions_.run.isEnabled()
    assert "Waiting for “hang”…" in shown_texts(window.trial_panel)
    button = session.library_button("hang")
    assert button.text() == "Stop"
    session.press(button)
    session.qtbot.waitUntil(lambda: session.library("hang").state is LibraryState.FAILED, timeout=TIMEOUT_MS)
    session.wait_until_ready()
    (text,) = session.failures_in(window.libraries_panel)
    assert text.startswith("Stopped while loading “hang”.")
    assert_goes_on(session)


def test_that_an_ep_that_refuses_keeps_its_engine(session: Session, double_library: DoubleFactory) -> None:
    before = session.explorer.client.process_id()
    library = session.add("bad", double_library("factory=error,text=No licence here"))
    assert session.explorer.client.process_id() == before
    assert library.error is not None
    assert library.error.kind is FailureKind.REFUSED_BY_EP
    (text,) = session.failures_in(session.explorer.window.libraries_panel)
    assert "No licence here" in text
    assert not library.killed_engine


# ---- Asking before it is loaded again ----


@pytest.mark.parametrize("answer", ["Cancel", "Load again"])
def test_that_a_library_that_killed_an_engine_is_loaded_again_only_when_confirmed(
    session: Session, double_library: DoubleFactory, answer: str
) -> None:
    session.add("bad", double_library("load=abort"))
    before = session.explorer.client.process_id()
    session.press(session.library_button("bad"))
    box = session.explorer.window.findChild(QMessageBox)
    assert box is not None
    assert box.isVisible()
    assert box.text() == "Loading “bad” did not end well last time. Load it again?"
    session.press(child(box, QPushButton, answer))
    wait_until_gone(session.qtbot, box)
    if answer == "Load again":
        session.qtbot.waitUntil(lambda: session.explorer.client.process_id() != before, timeout=TIMEOUT_MS)
        session.wait_until_ready()
    else:
        assert session.explorer.client.process_id() == before
    assert states(session) == {"good": LibraryState.LOADED, "bad": LibraryState.FAILED}


def test_that_a_library_that_refused_is_loaded_again_without_asking(
    session: Session, double_library: DoubleFactory, tmp_path: Path
) -> None:
    library = tmp_path / "later.so"
    session.add("later", library)
    assert states(session)["later"] is LibraryState.FAILED
    library.write_bytes(double_library("name=LateEp").read_bytes())
    session.press(session.library_button("later"))
    session.wait_until_ready()
    assert session.explorer.window.findChild(QMessageBox) is None
    assert states(session)["later"] is LibraryState.LOADED
    assert session.failure_boxes() == []


# ---- While it runs ----


def test_that_an_ep_that_dies_while_measured_leaves_the_samples_it_gave(
    session: Session, double_library: DoubleFactory
) -> None:
    trial = run_on(session, double_library("compute=abort,run_after=2000,delay_us=100"), 100_000)
    session.wait_for_end(trial)
    window = session.explorer.window
    (text,) = session.failures_in(window.latency_panel)
    assert text.startswith("The engine died while running the trial (stage: measuring): it aborted")
    assert session.failures_in(window.libraries_panel) == []
    assert trial.outcome is Outcome.FAILED
    assert 100 < len(trial.series) < 2000
    assert session.measures()["Samples"] == str(len(trial.series))
    assert trial.exact is not None
    assert states(session) == {"good": LibraryState.LOADED, "bad": LibraryState.LOADED}
    assert_goes_on(session)


@pytest.mark.parametrize(
    ("orders", "stage"),
    [
        ("create=segv", Stage.CREATING_SESSION),
        ("compile=abort", Stage.CREATING_SESSION),
        ("compute=exit", Stage.FIRST_RUN),
    ],
)
def test_that_the_stage_in_which_an_ep_died_is_named(
    session: Session, double_library: DoubleFactory, orders: str, stage: Stage
) -> None:
    trial = run_on(session, double_library(orders), 10)
    session.wait_for_end(trial)
    (text,) = session.failures_in(session.explorer.window.latency_panel)
    assert text.startswith(f"The engine died while running the trial (stage: {stage.value}): ")
    assert session.measures()["Samples"] == "–"
    assert_goes_on(session)


def test_that_an_ep_that_hangs_while_measured_is_stopped_with_its_samples_kept(
    session: Session, double_library: DoubleFactory
) -> None:
    trial = run_on(session, double_library("compute=hang,run_after=1000,delay_us=100,trace=1"), 100_000)
    session.wait_for_log("double: compute")
    assert len(trial.series) > 0
    window = session.explorer.window
    with session.qtbot.waitActive(window):
        window.activateWindow()  # no window manager does after a dialog
    session.qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.actions_.stop.isEnabled()
    session.wait_for_end(trial)
    assert trial.outcome is Outcome.STOPPED
    assert trial.failure is not None  # it had to be killed
    assert session.measures()["Samples"] == str(len(trial.series))
    view = child(session.explorer.window.latency_panel, QTableView, "Trials of this sitting")
    assert "stopped" in rows_of(view.model())[0]
    assert_goes_on(session)


def test_that_an_ep_that_hangs_before_the_first_run_ends_is_stopped(
    session: Session, double_library: DoubleFactory
) -> None:
    trial = run_on(session, double_library("compute=hang,trace=1"), 10)
    session.wait_for_log("double: compute")
    session.explorer.window.actions_.stop.trigger()
    session.wait_for_end(trial)
    assert trial.outcome is Outcome.STOPPED
    (text,) = session.failures_in(session.explorer.window.latency_panel)
    assert text.startswith("Stopped while running the trial (stage: first run).")
    assert_goes_on(session)


def test_that_an_error_of_the_ep_is_told_in_its_own_words(session: Session, double_library: DoubleFactory) -> None:
    before = session.explorer.client.process_id()
    trial = run_on(session, double_library("compute=error,run_after=50,text=Out of ink"), 1000)
    session.wait_for_end(trial)
    (text,) = session.failures_in(session.explorer.window.latency_panel)
    assert "Out of ink" in text
    assert session.explorer.client.process_id() == before
    assert_goes_on(session)


def test_that_older_trials_keep_their_failures(session: Session, double_library: DoubleFactory) -> None:
    trial = run_on(session, double_library("compile=error,text=Out of ink"), 10)
    session.wait_for_end(trial)
    assert_goes_on(session)
    view = child(session.explorer.window.latency_panel, QTableView, "Trials of this sitting")
    click_row(session.qtbot, view, 0)
    assert "Out of ink" in session.failures_in(session.explorer.window.latency_panel)[0]


# ---- Asked for ----


def test_that_unregistering_a_library_stops_the_trial_on_it(session: Session) -> None:
    session.select_device_of("good")
    set_iterations(session, 10_000_000)
    trial = session.start_trial()
    session.qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)
    session.press(session.library_button("good"))
    session.wait_for_end(trial)
    assert trial.outcome is Outcome.STOPPED
    assert states(session) == {"good": LibraryState.NOT_LOADED}
    assert [device.library for device in session.state.devices] == [None]


def test_that_restarting_the_engine_loads_the_libraries_again(session: Session) -> None:
    before = session.explorer.client.process_id()
    set_iterations(session, 10_000_000)
    trial = session.start_trial()
    session.qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)
    session.explorer.window.actions_.restart_engine.trigger()
    session.wait_for_end(trial)
    assert trial.outcome is Outcome.STOPPED
    assert session.explorer.client.process_id() not in (0, before)
    assert_goes_on(session)


def test_that_a_library_that_dies_while_it_is_unregistered_is_unregistered(
    session: Session, double_library: DoubleFactory
) -> None:
    session.add("bad", double_library("release=segv"))
    session.press(session.library_button("bad"))
    session.qtbot.waitUntil(lambda: session.library("bad").state is LibraryState.NOT_LOADED, timeout=TIMEOUT_MS)
    session.wait_until_ready()
    assert_goes_on(session)
