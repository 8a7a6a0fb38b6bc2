"""The page of a trial's profile: what it says before, while and after it is made, and what it asks for."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from gui.panels.profile_page import ProfilePage
from gui.panels.widgets import FailureBox, TableView
from gui.records.failure import Failure, FailureKind
from gui.records.profile import NodeTime, OpTime, Profile
from gui.records.result import Outcome
from gui.state import EngineStatus, State
from gui.trial_run import TrialRun

from ..finding import action_named, child, click_row, rows_of, show, shown_texts
from ..models.makers import column_named, texts, trial

CPU = "CPUExecutionProvider"
FAILURE = Failure(kind=FailureKind.DIED, message="The engine died while profiling.", hint="Look out.")
COST = "Under the profiler a run took hardly longer."


def profile(*op_types: str, notes: tuple[str, ...] = (COST,)) -> Profile:
    """Each operator takes half of the time of the one before."""
    times = [1_000_000 >> number for number in range(len(op_types))]
    ops = tuple(
        OpTime(op_type=op_type, ep_name=CPU, node_count=1, total_ns=time)
        for op_type, time in zip(op_types, times, strict=True)
    )
    nodes = tuple(
        NodeTime(
            name=f"the_{op.op_type}", op_type=op.op_type, ep_name=CPU, calls=10, total_ns=op.total_ns, max_ns=200_000
        )
        for op in ops
    )
    return Profile(
        runs=10,
        wall_ns=4_000_000,
        nodes_ns=sum(times),
        run_median_ns=400_000,
        plain_median_ns=390_000,
        ops=ops,
        nodes=nodes,
        node_total=len(nodes),
        notes=notes,
    )


class Page:
    """A page beside a state, and what it asked for."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.state = state
        state.set_engine(EngineStatus.READY)
        self.widget = ProfilePage(state)
        show(qtbot, self.widget, 600, 300)
        self.wishes: list[TrialRun] = []
        self.saves: list[TrialRun] = []
        self.widget.profile_requested.connect(self.wishes.append)
        self.widget.save_trace_requested.connect(self.saves.append)
        self.ops = child(self.widget, TableView, "Time by operator")
        self.nodes = child(self.widget, TableView, "Slowest nodes")
        self.failure = self.widget.findChildren(FailureBox)[0]

    def button(self, text: str) -> QPushButton:
        return child(self.widget, QPushButton, text)

    def ended(self, **fields: Any) -> TrialRun:
        """A trial that has ended, shown."""
        run = trial(1, 5, 6, outcome=Outcome.FINISHED)
        for name, value in fields.items():
            setattr(run, name, value)
        self.widget.show_trial(run)
        return run

    def says(self, words: str) -> bool:
        return any(words in text for text in shown_texts(self.widget))


@pytest.fixture
def page(qtbot: QtBot, state: State) -> Page:
    return Page(qtbot, state)


# ---- Of a file ----


def test_that_a_trial_of_a_file_is_not_profiled_here_and_its_trace_is_not_looked_for(page: Page) -> None:
    page.ended(file_name="trial.json")
    assert not page.button("Profile this trial").isEnabled()
    assert page.says("Use its set-up to run it here.")
    page.ended(file_name="trial.json", profile=profile("Conv"))
    assert not page.button("Profile again").isEnabled()
    assert not page.button("Save trace…").isEnabled()


# ---- Before ----


def test_that_without_a_trial_it_says_what_to_do_first(page: Page) -> None:
    assert page.says("First run a trial.")
    assert not page.button("Profile this trial").isEnabled()


def test_that_it_says_what_a_profile_is_and_costs_and_offers_to_make_it(qtbot: QtBot, page: Page) -> None:
    run = page.ended()
    assert page.says("operators and nodes of net")
    assert page.says("Two sessions are created")
    qtbot.mouseClick(page.button("Profile this trial"), Qt.MouseButton.LeftButton)
    assert page.wishes == [run]


def test_that_a_running_trial_is_profiled_later(page: Page) -> None:
    run = trial(1)
    page.widget.show_trial(run)
    assert not page.button("Profile this trial").isEnabled()
    assert page.says("when the trial has ended")
    run.outcome = Outcome.STOPPED
    page.state.trial_changed.emit(run)
    assert page.button("Profile this trial").isEnabled()
    assert not page.says("when the trial has ended")


def test_that_nothing_is_asked_for_while_the_engine_is_busy_or_away(page: Page) -> None:
    page.ended()
    button = page.button("Profile this trial")
    page.state.set_work("profiling another")
    assert not button.isEnabled()
    page.state.set_work("")
    assert button.isEnabled()
    page.state.set_waiting_trials(1)
    assert not button.isEnabled()
    page.state.set_waiting_trials(0)
    page.state.set_engine(EngineStatus.STARTING)
    assert not button.isEnabled()
    page.state.set_engine(EngineStatus.READY)
    other = trial(2)
    page.state.add_trial(other)
    assert not button.isEnabled()
    other.outcome = Outcome.FINISHED
    page.state.trial_changed.emit(other)
    assert button.isEnabled()


def test_that_a_line_says_what_the_engine_does(page: Page) -> None:
    page.ended()
    page.state.set_work("profiling net")
    assert page.says("The engine is profiling net…")
    page.state.set_work("")
    assert not page.says("The engine is")


# ---- A profile ----


def test_that_a_profile_is_shown_when_it_comes(page: Page) -> None:
    run = page.ended()
    run.profile = profile("Conv", "Add")
    page.state.trial_changed.emit(run)
    assert page.says("10 runs profiled, 400.0 µs each on average")
    assert page.says(f"100.0 % on {CPU}")
    assert page.says(COST)
    assert rows_of(page.ops.model()) == [
        ["Conv", CPU, "1", "100.0 µs", "66.7 %"],
        ["Add", CPU, "1", "50.00 µs", "33.3 %"],
    ]
    assert texts(page.nodes.model()) == ["the_Conv", "the_Add"]
    assert not page.button("Profile this trial").isVisible()


def test_that_all_notes_are_said(page: Page) -> None:
    page.ended(profile=profile("Conv", notes=(COST, "Nodes overlap.")))
    assert page.says(f"{COST} Nodes overlap.")


def test_that_it_can_be_made_again_and_its_trace_saved(qtbot: QtBot, page: Page) -> None:
    run = page.ended(profile=profile("Conv"))
    qtbot.mouseClick(page.button("Profile again"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.button("Save trace…"), Qt.MouseButton.LeftButton)
    assert (page.wishes, page.saves) == ([run], [run])
    assert "ui.perfetto.dev" in page.button("Save trace…").toolTip()


def test_that_another_trial_has_a_profile_of_its_own_or_none(page: Page) -> None:
    page.ended(profile=profile("Conv"))
    other = page.ended()
    assert page.ops.model().rowCount() == 0
    assert page.button("Profile this trial").isVisible()
    first = trial(3, outcome=Outcome.FINISHED, profile=profile("Neg"))
    page.state.trial_changed.emit(first)
    assert page.ops.model().rowCount() == 0
    other.profile = profile("Exp")
    page.state.trial_changed.emit(other)
    assert texts(page.ops.model()) == ["Exp"]
    page.widget.show_trial(None)
    assert page.says("First run a trial.")


def test_that_tables_are_sorted_by_numbers_and_filtered_by_words(qtbot: QtBot, page: Page) -> None:
    page.ended(profile=profile("Conv", "Add", "Neg"))
    page.ops.sortByColumn(column_named(page.ops.model(), "Time per run"), Qt.SortOrder.AscendingOrder)
    assert texts(page.ops.model()) == ["Neg", "Add", "Conv"]
    qtbot.keyClicks(child(page.widget, QLineEdit, "Filter operators and nodes"), "add")
    assert texts(page.ops.model()) == ["Add"]
    assert texts(page.nodes.model()) == ["the_Add"]


@pytest.mark.usefixtures("clipboard")
def test_that_rows_are_copied(qtbot: QtBot, page: Page) -> None:
    page.ended(profile=profile("Conv", "Add"))
    click_row(qtbot, page.ops, 1)
    action_named(page.ops, "Copy rows").trigger()
    assert QGuiApplication.clipboard().text() == f"Add\t{CPU}\t1\t50.00 µs\t33.3 %"


# ---- Failures ----


def test_that_a_failure_is_shown_with_its_next_step_and_goes_with_the_trial(page: Page) -> None:
    run = page.ended()
    run.profile_failure = FAILURE
    page.state.trial_changed.emit(run)
    assert page.failure.isVisible()
    assert page.says(FAILURE.message)
    assert page.says(FAILURE.hint)
    assert page.button("Profile this trial").isEnabled()
    page.ended()
    assert not page.failure.isVisible()


def test_that_a_failure_leaves_the_profile_before_it(page: Page) -> None:
    page.ended(profile=profile("Conv"), profile_failure=FAILURE)
    assert page.failure.isVisible()
    assert texts(page.ops.model()) == ["Conv"]


def test_that_a_failure_that_was_closed_does_not_come_back(page: Page) -> None:
    run = page.ended(profile_failure=FAILURE)
    page.failure.dismiss()
    page.state.trial_changed.emit(run)
    page.widget.show_trial(run)
    assert not page.failure.isVisible()
    assert run.profile_failure is None
