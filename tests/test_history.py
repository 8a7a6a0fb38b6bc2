"""The history in the window: its dock, the store behind it, and trials that come back in another sitting."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QLineEdit, QTabBar, QTableView, QWidget
from pytestqt.qtbot import QtBot

from gui.keeping import kept_trial_of
from gui.panels.history_panel import HistoryPanel
from gui.panels.widgets import FailureBox
from gui.records.result import Outcome
from gui.store.store import TrialStore

from .conftest import SAMPLE_MODELS
from .explorer import Session, running_explorer
from .finding import child, click_row, rows_of
from .keepers import STORE_NAME, TIMEOUT_MS
from .models.makers import trial as trial_with
from .records.examples import PART
from .window import Idle, idle_window


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / STORE_NAME


@pytest.fixture
def idle(qtbot: QtBot, tmp_path: Path, path: Path) -> Iterator[Idle]:
    """A window without an engine, on a store with two trials."""
    with TrialStore(path) as store:
        for number in (1, 2):
            store.keep(kept_trial_of(trial_with(number, *range(number * 10), outcome=Outcome.FINISHED)))
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        idle.archive.start(path)
        yield idle


def open_history(qtbot: QtBot, window: QWidget) -> QTableView:
    """Click the tab of the history and wait for its trials."""
    bar, index = next(
        (bar, index)
        for bar in window.findChildren(QTabBar)
        for index in range(bar.count())
        if bar.tabText(index) == "History"
    )
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())
    qtbot.waitUntil(lambda: bool(window.findChildren(HistoryPanel)), timeout=TIMEOUT_MS)
    view = child(window.findChildren(HistoryPanel)[0], QTableView, "History")
    qtbot.waitUntil(lambda: view.model().rowCount() > 0, timeout=TIMEOUT_MS)
    return view


# ---- In the window ----


def test_that_the_panel_is_made_and_the_store_read_when_the_history_is_first_seen(qtbot: QtBot, idle: Idle) -> None:
    assert idle.window.findChildren(HistoryPanel) == []
    told: list[int] = []
    idle.archive.rows_read.connect(lambda rows: told.append(len(rows)))
    view = open_history(qtbot, idle.window)
    assert told == [2]
    assert view.model().rowCount() == 2
    panel = idle.window.findChildren(HistoryPanel)[0]
    assert not any(widget.acceptDrops() for widget in (panel, *panel.findChildren(QWidget)))
    assert panel.sizeHint().width() < 1280


def test_that_a_history_that_was_seen_last_is_made_once_the_window_is_painted(
    qtbot: QtBot, tmp_path: Path, idle: Idle, path: Path
) -> None:
    open_history(qtbot, idle.window)
    idle.window.close()
    with idle_window(qtbot, tmp_path / "settings.ini") as second:
        dock = second.window.findChild(QDockWidget, "history")
        assert dock is not None
        assert not dock.visibleRegion().isEmpty()
        assert second.window.findChildren(HistoryPanel) == []
        second.archive.start(path)
        view = child(second.window.findChildren(HistoryPanel)[0], QTableView, "History")
        qtbot.waitUntil(lambda: view.model().rowCount() == 2, timeout=TIMEOUT_MS)


def test_that_deleting_and_undoing_reach_the_store(qtbot: QtBot, idle: Idle, path: Path) -> None:
    view = open_history(qtbot, idle.window)
    click_row(qtbot, view, 0)
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: view.model().rowCount() == 1, timeout=TIMEOUT_MS)
    with TrialStore(path) as store:
        assert store.count() == 1
    qtbot.keyClick(view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: view.model().rowCount() == 2, timeout=TIMEOUT_MS)
    with TrialStore(path) as store:
        assert store.count() == 2


def test_that_trials_selected_in_the_history_are_compared_without_taking_the_place_of_the_one_shown(
    qtbot: QtBot, idle: Idle
) -> None:
    view = open_history(qtbot, idle.window)
    idle.state.add_trial(shown := trial_with(1, 5, 6, outcome=Outcome.FINISHED))
    click_row(qtbot, view, 0)
    click_row(qtbot, view, 1, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: idle.state.comparison is not None, timeout=TIMEOUT_MS)
    comparison = idle.state.comparison
    assert comparison is not None
    assert [len(run.series) for run in comparison.runs] == [10, 20]
    assert all(run.is_from_history for run in comparison.runs)
    assert idle.state.current_trial is shown


def test_that_one_trial_of_a_comparison_opens_the_whole(qtbot: QtBot, idle: Idle, path: Path) -> None:
    runs = [
        trial_with(3 + cell, 5, 6, outcome=Outcome.FINISHED, comparison=replace(PART, cell=cell, label=f"cell {cell}"))
        for cell in (1, 0)
    ]
    with TrialStore(path) as store:
        store.keep(*map(kept_trial_of, runs))
    view = open_history(qtbot, idle.window)
    row = next(number for number, texts in enumerate(rows_of(view.model())) if "cell 1" in texts)
    click_row(qtbot, view, row)
    qtbot.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: idle.state.comparison is not None, timeout=TIMEOUT_MS)
    comparison = idle.state.comparison
    assert comparison is not None
    assert [run.id for run in comparison.runs] == [runs[1].id, runs[0].id]


def test_that_what_another_window_writes_is_seen(qtbot: QtBot, idle: Idle, path: Path) -> None:
    view = open_history(qtbot, idle.window)
    with TrialStore(path) as other:
        other.set_note([other.summaries()[0].id], "by another")
    idle.window.findChildren(HistoryPanel)[0]._look.timeout.emit()  # else it does so every few seconds
    qtbot.waitUntil(lambda: "by another" in rows_of(view.model())[1], timeout=TIMEOUT_MS)


def test_that_find_goes_to_the_filter_of_the_history_when_that_has_the_keys(qtbot: QtBot, idle: Idle) -> None:
    view = open_history(qtbot, idle.window)
    view.setFocus()
    idle.window.actions_.find.trigger()
    assert child(idle.window, QLineEdit, "Filter trials").hasFocus()
    child(idle.window.trial_panel, QTableView, "Inputs").setFocus()
    idle.window.actions_.find.trigger()
    assert child(idle.window, QLineEdit, "Filter devices").hasFocus()


def test_that_a_store_that_cannot_be_used_is_said_in_panel_log_and_status(
    qtbot: QtBot, tmp_path: Path, path: Path
) -> None:
    with TrialStore(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        idle.archive.start(path)
        idle.wait_for_log("newer version")
        assert "newer version" in idle.window.status.currentMessage()
        dock = idle.window.findChild(QDockWidget, "history")
        assert dock is not None
        dock.raise_()
        qtbot.waitUntil(lambda: bool(idle.window.findChildren(HistoryPanel)), timeout=TIMEOUT_MS)
        boxes = idle.window.findChildren(HistoryPanel)[0].findChildren(FailureBox)
        assert ["newer version" in str(box.failure) for box in boxes] == [True]


# ---- In another sitting ----


def drawn(session: Session) -> list[float]:
    plot = child(session.explorer.window.latency_panel, pg.PlotWidget, "Latency over iteration")
    _, y = plot.listDataItems()[0].getData()
    return [float(value) for value in y]


def test_that_a_trial_of_one_sitting_opens_in_the_next_with_its_numbers_and_charts(
    qtbot: QtBot, tmp_path: Path
) -> None:
    model = SAMPLE_MODELS / "tiny_mlp.onnx"
    with running_explorer(qtbot, tmp_path, model) as first:
        trial = first.run_trial()
        measures, points = first.measures(), drawn(first)
    assert trial.outcome is Outcome.FINISHED
    with running_explorer(qtbot, tmp_path, model) as second:
        assert not second.state.trials
        view = open_history(qtbot, second.explorer.window)
        click_row(qtbot, view, 0)
        qtbot.keyClick(view, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: len(second.state.trials) == 1, timeout=TIMEOUT_MS)
        opened = second.state.trials[0]
        assert kept_trial_of(opened) == kept_trial_of(trial)
        assert np.array_equal(opened.series.values, trial.series.values)
        assert (second.measures(), drawn(second)) == (measures, points)
        trials = child(second.explorer.window.latency_panel, QTableView, "Trials of this sitting")
        assert [row[0] for row in rows_of(trials.model())] == ["1 (kept)"]
        later = second.run_trial()
        assert later.number == 2
        qtbot.waitUntil(lambda: view.model().rowCount() == 2, timeout=TIMEOUT_MS)  # seen at once
    with running_explorer(qtbot, tmp_path, model) as third:  # where it is seen from the start
        assert open_history(qtbot, third.explorer.window).model().rowCount() == 2
