"""Comparing in the window: the dialog, the page, and trials that are there, with a real engine behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtWidgets import QPushButton, QTableView, QTabWidget
from pytestqt.qtbot import QtBot

from gui.comparison_run import ComparisonRun, Phase
from gui.comparisons import comparison_of
from gui.dialogs.compare_targets import CompareTargetsDialog
from gui.models.compare_table import LABEL_COLUMN, THREADS_COLUMN
from gui.panels.comparison_panel import ComparisonPanel
from gui.records.comparison import ComparisonPart
from gui.records.result import Outcome
from gui.settings import ComparisonChoices
from gui.trial_run import TrialRun

from .conftest import DoubleFactory
from .explorer import Session, running_explorer
from .finding import child, click_index, shown_texts, wait_until_gone
from .keepers import TIMEOUT_MS
from .models.makers import texts, trial
from .window import Idle, idle_window

QUICK = ComparisonChoices(rounds=2, by_iterations=True, iterations=10)
ENDLESS = ComparisonChoices(rounds=1000, seconds=10)


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path, add_model: Path) -> Iterator[Session]:
    with running_explorer(qtbot, tmp_path, add_model) as session:
        yield session


@pytest.fixture
def idle(qtbot: QtBot, tmp_path: Path) -> Iterator[Idle]:
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        yield idle


class Dialog:
    """The dialog of a session, opened by the command."""

    def __init__(self, session: Session, choices: ComparisonChoices) -> None:
        self.session = session
        session.explorer.window._settings.comparison_choices = choices
        session.explorer.window.actions_.compare_targets.trigger()
        dialog = session.explorer.window.findChild(CompareTargetsDialog)
        assert dialog is not None
        self.dialog = dialog
        self.view = child(dialog, QTableView, "Targets")

    def labels(self) -> list[str]:
        return texts(self.view.model(), LABEL_COLUMN)

    def add_variant(self, row: int, threads: str) -> None:
        click_index(self.session.qtbot, self.view, self.view.model().index(row, LABEL_COLUMN))
        self.session.press(child(self.dialog, QPushButton, "Add variant"))
        assert self.view.model().setData(self.view.model().index(row + 1, THREADS_COLUMN), threads)

    def words(self) -> str:
        return " ".join(shown_texts(self.dialog))

    def compare(self) -> ComparisonRun:
        """Press *Compare* and return what is compared from then on."""
        self.session.press(child(self.dialog, QPushButton, "Compare"))
        wait_until_gone(self.session.qtbot, self.dialog)
        comparison = self.session.state.comparison
        assert comparison is not None
        return comparison

    def cancel(self) -> None:
        self.session.qtbot.keyClick(self.dialog, Qt.Key.Key_Escape)
        wait_until_gone(self.session.qtbot, self.dialog)


def wait_for_end(session: Session, comparison: ComparisonRun) -> None:
    session.qtbot.waitUntil(
        lambda: not comparison.is_running and all(run.is_settled for run in comparison.runs), timeout=TIMEOUT_MS
    )
    session.wait_until_ready()


def wait_for_samples(session: Session, comparison: ComparisonRun) -> None:
    session.qtbot.waitUntil(lambda: all(len(run.series) for run in comparison.runs), timeout=TIMEOUT_MS)


def pages(session: Session | Idle) -> QTabWidget:
    window = session.window if isinstance(session, Idle) else session.explorer.window
    found = window.centralWidget()
    assert isinstance(found, QTabWidget)
    return found


def panel(session: Session | Idle) -> ComparisonPanel:
    found = pages(session).currentWidget()
    assert isinstance(found, ComparisonPanel)
    return found


def select_rows(view: QTableView, *rows: int) -> None:
    flag = QItemSelectionModel.SelectionFlag
    view.clearSelection()
    for row in rows:
        view.selectionModel().select(view.model().index(row, 0), flag.Select | flag.Rows)


# ---- A new one ----


def test_that_two_targets_are_compared_and_their_page_comes_to_the_front(session: Session) -> None:
    assert pages(session).count() == 1
    assert not pages(session).tabBar().isVisible()
    dialog = Dialog(session, QUICK)
    dialog.add_variant(0, "1")
    comparison = dialog.compare()
    assert comparison.is_running
    assert panel(session).isVisible()
    assert pages(session).tabBar().isVisible()
    actions = session.explorer.window.actions_
    assert [action.isEnabled() for action in (actions.run, actions.compare_targets, actions.stop)] == [
        False,
        False,
        True,
    ]
    wait_for_end(session, comparison)
    assert actions.run.isEnabled()
    assert [run.outcome for run in comparison.runs] == [Outcome.FINISHED] * 2
    assert [len(run.series) for run in comparison.runs] == [10, 10]
    assert [run.settings.intra_op_threads for run in comparison.runs] == [0, 1]
    assert session.state.trials == comparison.runs


def test_that_what_was_chosen_is_there_again_and_the_time_is_known_then(session: Session) -> None:
    dialog = Dialog(session, QUICK)
    assert "at least" in dialog.words()
    dialog.add_variant(0, "1")
    labels = dialog.labels()
    wait_for_end(session, dialog.compare())
    again = Dialog(session, replace(QUICK, rounds=3))
    assert again.labels() == labels
    assert "2 targets, 3 rounds each; about" in again.words()
    again.add_variant(1, "2")
    again.cancel()
    assert session.explorer.window._settings.comparison_choices.rounds == 3
    last = Dialog(session, QUICK)
    assert len(last.labels()) == len(labels) + 1
    click_index(session.qtbot, last.view, last.view.model().index(1, LABEL_COLUMN))
    session.press(child(last.dialog, QPushButton, "Remove variant"))
    last.cancel()
    assert len(Dialog(session, QUICK).labels()) == len(labels)


def test_that_a_comparison_is_stopped_resumed_and_repeated(session: Session) -> None:
    dialog = Dialog(session, ENDLESS)
    dialog.add_variant(0, "1")
    comparison = dialog.compare()
    wait_for_samples(session, comparison)
    session.explorer.window.actions_.stop.trigger()
    wait_for_end(session, comparison)
    assert [run.outcome for run in comparison.runs] == [Outcome.STOPPED] * 2
    counts = [len(run.series) for run in comparison.runs]
    panel(session).resume_requested.emit()
    session.qtbot.waitUntil(
        lambda: all(len(run.series) > count for run, count in zip(comparison.runs, counts, strict=True)),
        timeout=TIMEOUT_MS,
    )
    panel(session).stop_requested.emit()
    wait_for_end(session, comparison)
    first = comparison.runs[0]
    panel(session).repeat_requested.emit(0)
    session.qtbot.waitUntil(lambda: len(comparison.runs[0].series) > 0, timeout=TIMEOUT_MS)
    assert comparison.runs[0] is not first
    session.explorer.window.actions_.stop.trigger()
    wait_for_end(session, comparison)


def test_that_a_target_that_fails_is_told_once_and_a_library_that_shall_go_stops_the_others(
    session: Session, double_library: DoubleFactory
) -> None:
    session.add("bad", double_library("compile=error"))
    comparison = Dialog(session, QUICK).compare()
    wait_for_end(session, comparison)
    assert [run.outcome for run in comparison.runs] == [Outcome.FINISHED, Outcome.FAILED]
    number = comparison.runs[1].number
    session.wait_for_log(f"#{number}: ")
    panel(session).repeat_requested.emit(0)
    wait_for_end(session, comparison)
    assert sum(f"#{number}: " in text for text in session.log_messages()) == 1

    endless = Dialog(session, ENDLESS).compare()
    session.qtbot.waitUntil(lambda: len(endless.runs[0].series) > 0, timeout=TIMEOUT_MS)
    session.press(session.library_button("bad"))
    wait_for_end(session, endless)
    assert [run.outcome for run in endless.runs] == [Outcome.STOPPED, Outcome.FAILED]


# ---- The page ----


def test_that_a_trial_of_a_comparison_is_shown_among_the_trials(session: Session) -> None:
    dialog = Dialog(session, QUICK)
    dialog.add_variant(0, "1")
    comparison = dialog.compare()
    wait_for_end(session, comparison)
    page = panel(session)
    page.baseline_requested.emit(1)
    assert comparison.baseline == 1
    page.show_trial_requested.emit(comparison.runs[1])
    assert session.state.current_trial is comparison.runs[1]
    assert pages(session).currentWidget() is session.explorer.window.latency_panel
    session.state.remove_trials((comparison.runs[1],))
    page.show_trial_requested.emit(comparison.runs[1])
    assert session.state.trials == (comparison.runs[0], comparison.runs[1])
    pages(session).setCurrentWidget(page)
    single = session.run_trial()
    assert pages(session).currentWidget() is session.explorer.window.latency_panel

    session.explorer.archive.compare((comparison.runs[1].id, single.id))
    session.qtbot.waitUntil(lambda: pages(session).currentWidget() is page, timeout=TIMEOUT_MS)
    assert session.state.comparison is not comparison
    assert [run.id for run in page.selected_trials()] == [comparison.runs[1].id, single.id]


def test_that_the_splitter_of_the_page_is_back_at_the_next_start(qtbot: QtBot, tmp_path: Path) -> None:
    with idle_window(qtbot, tmp_path / "settings.ini") as first:
        first.state.show_comparison(ComparisonRun(id="it", runs=(trial(1, 1000, outcome=Outcome.FINISHED),)))
        panel(first).upright.setSizes([150, 350])
        upper = panel(first).upright.sizes()[0]
    with idle_window(qtbot, tmp_path / "settings.ini") as second:
        second.state.show_comparison(ComparisonRun(id="it", runs=(trial(1, 1000, outcome=Outcome.FINISHED),)))
        assert panel(second).upright.sizes()[0] == upper


# ---- Trials that are there ----


def ended(number: int, part: ComparisonPart | None = None) -> TrialRun:
    run = trial(number, *(1000 + np.arange(20) % 3), outcome=Outcome.FINISHED, comparison=part)
    run.exact = run.exact_statistics()
    return run


def part_of(cell: int, *, comparison: str = "one", is_baseline: bool = False) -> ComparisonPart:
    return ComparisonPart(
        id=comparison,
        created="2026-11-25T12:00:00.000+00:00",
        label=f"cell {cell}",
        cell=cell,
        cell_count=3,
        is_baseline=is_baseline,
        planned_rounds=2,
    )


def test_that_two_ended_trials_can_be_compared_and_no_fewer(idle: Idle) -> None:
    compare, view = idle.window.actions_.compare_trials, child(idle.window, QTableView, "Trials of this sitting")
    assert compare in view.actions()
    running = trial(3)
    for run in (ended(1), ended(2), running):
        idle.state.add_trial(run)
    select_rows(view, 0)
    assert not compare.isEnabled()
    select_rows(view, 0, 2)
    assert not compare.isEnabled()
    running.outcome = Outcome.FINISHED
    idle.state.trial_changed.emit(running)
    select_rows(view, 0, 2)
    assert compare.isEnabled()
    compare.trigger()
    comparison = idle.state.comparison
    assert comparison is not None
    assert [run.number for run in comparison.runs] == [1, 3]
    assert (comparison.baseline, comparison.plan, comparison.can_repeat) == (0, None, False)
    assert panel(idle).isVisible()


def test_that_the_comparison_under_way_is_not_replaced(idle: Idle) -> None:
    under_way = ComparisonRun(id="it", runs=(trial(1), trial(2)), phase=Phase.MEASURING)
    idle.state.show_comparison(under_way)
    idle.window.comparisons.show_trials((ended(3), ended(4)))
    assert idle.state.comparison is under_way
    assert "A comparison is under way" in idle.window.status.currentMessage()


def test_that_trials_of_one_comparison_come_in_the_order_of_its_cells() -> None:
    runs = (ended(1, part_of(2)), ended(2, part_of(0)), ended(3, part_of(1, is_baseline=True)))
    comparison = comparison_of(runs)
    assert [run.number for run in comparison.runs] == [2, 3, 1]
    assert comparison.baseline == 1


def test_that_a_baseline_that_is_named_is_taken() -> None:
    runs = (ended(1, part_of(0, is_baseline=True)), ended(2, part_of(1)))
    assert comparison_of(runs, runs[1]).baseline == 1
    assert comparison_of((ended(3), *runs), runs[1]).baseline == 2


@pytest.mark.parametrize("second", [None, part_of(0, comparison="other", is_baseline=True)])
def test_that_other_trials_stay_in_their_order(second: ComparisonPart | None) -> None:
    runs = (ended(1, part_of(1)), ended(2, second))
    comparison = comparison_of(runs)
    assert (comparison.runs, comparison.baseline) == (runs, 0)


def test_that_the_list_of_trials_is_sorted_as_it_is_seen(idle: Idle) -> None:
    """What is compared with what follows the list: its first trial is the baseline."""
    view = child(idle.window, QTableView, "Trials of this sitting")
    for run in (ended(1), ended(2)):
        idle.state.add_trial(run)
    view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    select_rows(view, 0, 1)
    idle.window.actions_.compare_trials.trigger()
    comparison = idle.state.comparison
    assert comparison is not None
    assert [run.number for run in comparison.runs] == [2, 1]
    assert view.model().index(0, 0, QModelIndex()).data() == "2"
