"""The dialog that shows what each policy takes; what the engine says is told by the test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QListWidget, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from gui.dialogs.policies import PoliciesDialog
from gui.panels.widgets import FailureBox
from gui.records.device import DeviceType
from gui.records.failure import Failure, FailureKind
from gui.records.library import CPU_EP_NAME, LibraryState
from gui.records.placement import OpCount, Placement
from gui.records.policies import PolicyOutcome, preferred_type
from gui.records.trial import Policy
from gui.state import EngineStatus, ModelChoice, State

from ..finding import child, click_row, rows_of, shown_texts, wait_until_gone
from ..models.makers import device, library
from ..panels.test_model_chooser import NET
from ..records.examples import GREETING

CPU = device("cpu", ep_name=CPU_EP_NAME)
FAST = device("fast", ep_name="Fast", library="fast", type=DeviceType.GPU)
REFUSED = Failure(
    kind=FailureKind.POLICY_FAILED, message="The policy led to no session: no licence.", hint="Ask.", detail="raw"
)
STOPPED = Failure(kind=FailureKind.STOPPED, message="Stopped before it was tried.")
MODEL, TINY = 0, 1


def outcome_of(policy: Policy) -> PolicyOutcome:
    """What is told of a policy: GPUs are taken, NPUs are missed, and one preference fails."""
    if policy is Policy.MAX_EFFICIENCY:
        return PolicyOutcome(policy=policy, order=("fast", "cpu"), failure=REFUSED)
    taken = FAST if preferred_type(policy) is DeviceType.GPU else CPU
    return PolicyOutcome(
        policy=policy,
        order=("fast", "cpu"),
        ep_name=taken.ep_name,
        device_key=taken.key,
        placement=(Placement(ep_name=taken.ep_name, node_count=2, op_types=(OpCount(op_type="Add", count=2),)),),
    )


class Hands:
    """A dialog before a model and a library, and what it asked for."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.qtbot, self.state = qtbot, state
        self.asked: list[str] = []
        self.stops = 0
        self.runs: list[Policy] = []
        self._window = QWidget()
        qtbot.addWidget(self._window)
        self.dialog = PoliciesDialog(state, self._window)
        self.dialog.explain_requested.connect(self.asked.append)
        self.dialog.stop_requested.connect(self._count_stop)
        self.dialog.run_requested.connect(self.runs.append)
        with qtbot.waitActive(self.dialog):
            self.dialog.show()
            self.dialog.activateWindow()
        self.view = child(self.dialog, QTableView, "Policies")
        self.which = child(self.dialog, QComboBox, "Try with the model")
        self.order = self.dialog.findChildren(QListWidget)[0]
        self.box = self.dialog.findChildren(FailureBox)[0]

    def _count_stop(self) -> None:
        self.stops += 1

    def button(self, name: str) -> QPushButton:
        return child(self.dialog, QPushButton, name)

    def press(self, name: str) -> None:
        assert self.button(name).isEnabled()
        self.qtbot.mouseClick(self.button(name), Qt.MouseButton.LeftButton)

    def choose(self, index: int) -> None:
        self.which.setCurrentIndex(index)
        self.which.activated.emit(index)  # what a click in the list emits

    def try_all(self) -> None:
        self.dialog.start()
        for policy in Policy:
            self.dialog.show_asked(policy)
            self.dialog.add_outcome(outcome_of(policy))
        self.dialog.end()

    def selected(self) -> str:
        (index,) = self.view.selectionModel().selectedRows()
        return str(index.data())

    def results(self) -> list[str]:
        return [row[3] for row in rows_of(self.view.model())]


@pytest.fixture
def state() -> State:
    state = State()
    state.set_engine(EngineStatus.READY, GREETING)
    state.set_libraries((library("fast", LibraryState.LOADED),))
    state.set_devices((CPU, FAST))
    state.set_model(ModelChoice(path=NET.path, description=NET))
    return state


@pytest.fixture
def hands(qtbot: QtBot, state: State) -> Hands:
    return Hands(qtbot, state)


# ---- One go ----


def test_that_all_policies_stand_side_by_side_with_what_they_take(hands: Hands) -> None:
    hands.try_all()
    rows = {row[0]: row[2:] for row in rows_of(hands.view.model())}
    assert list(rows) == [policy.value for policy in Policy]
    assert rows["PREFER_GPU"] == ["Fast (GPU)", "ok", "all 2"]
    assert rows["PREFER_CPU"] == [f"{CPU_EP_NAME} (CPU)", "ok", "all 2"]
    assert rows["PREFER_NPU"][1] == "warning: prefers an NPU and took the CPU."
    assert rows["MAX_EFFICIENCY"] == ["–", "failed: no licence.", "–"]


def test_that_rows_fill_in_one_by_one(hands: Hands) -> None:
    hands.dialog.start()
    assert hands.results() == ["–"] * 7
    hands.dialog.show_asked(Policy.DEFAULT)
    assert hands.results()[0] == "being tried…"
    assert "0 of 7 tried…" in shown_texts(hands.dialog)
    hands.dialog.add_outcome(outcome_of(Policy.DEFAULT))
    hands.dialog.show_asked(Policy.PREFER_CPU)
    assert hands.results()[:2] == ["ok", "being tried…"]
    assert "1 of 7 tried…" in shown_texts(hands.dialog)


def test_that_the_order_of_preference_is_a_numbered_list(hands: Hands) -> None:
    hands.try_all()
    lines = [hands.order.item(row).text() for row in range(hands.order.count())]
    assert lines == ["1. Fast (GPU)", f"2. {CPU_EP_NAME} (CPU)"]


def test_that_an_order_that_is_not_known_is_said_to_be_so(hands: Hands) -> None:
    hands.dialog.start()
    for policy in Policy:
        hands.dialog.add_outcome(PolicyOutcome(policy=policy, failure=REFUSED))
    hands.dialog.end()
    assert hands.order.count() == 0
    assert any("is not known" in text for text in shown_texts(hands.dialog))


def test_that_it_ends_on_the_first_failure_with_its_reason_and_next_step(hands: Hands) -> None:
    hands.try_all()
    assert hands.selected() == "MAX_EFFICIENCY"
    assert hands.box.isVisible()
    assert hands.box.failure == REFUSED


def test_that_a_row_chosen_meanwhile_stays(hands: Hands) -> None:
    hands.dialog.start()
    click_row(hands.qtbot, hands.view, 1)
    for policy in Policy:
        hands.dialog.add_outcome(outcome_of(policy))
    hands.dialog.end()
    assert hands.selected() == "PREFER_CPU"


def test_that_a_selected_warning_is_told_in_a_sentence(hands: Hands) -> None:
    hands.try_all()
    click_row(hands.qtbot, hands.view, 2)
    assert not hands.box.isVisible()
    assert any("PREFER_NPU prefers an NPU and took the CPU." in text for text in shown_texts(hands.dialog))


def test_that_it_can_be_stopped_once_and_also_by_closing(qtbot: QtBot, hands: Hands) -> None:
    hands.dialog.start()
    assert not hands.button("Try again").isVisible()
    hands.press("Stop")
    assert (hands.stops, hands.button("Stop").isEnabled()) == (1, False)
    assert "Stopping…" in shown_texts(hands.dialog)
    for policy in Policy:
        hands.dialog.add_outcome(PolicyOutcome(policy=policy, failure=STOPPED))
    hands.dialog.end()
    assert hands.results() == ["stopped"] * 7
    hands.press("Try again")
    assert hands.asked == [NET.path] * 2
    dialog = hands.dialog
    dialog.close()
    assert hands.stops == 2
    wait_until_gone(qtbot, dialog)


def test_that_closing_a_dialog_that_has_ended_stops_nothing(qtbot: QtBot, hands: Hands) -> None:
    hands.try_all()
    hands.qtbot.mouseClick(hands.button("Close"), Qt.MouseButton.LeftButton)
    assert hands.stops == 0
    wait_until_gone(qtbot, hands.dialog)


def test_that_what_a_dialog_closed_before_has_left_is_not_taken_for_an_answer(hands: Hands) -> None:
    hands.dialog.show_asked(Policy.DEFAULT)
    hands.dialog.add_outcome(outcome_of(Policy.DEFAULT))
    hands.dialog.end()
    assert hands.view.model().rowCount() == 0


# ---- The model ----


def test_that_the_chosen_model_is_tried_unless_it_is_large(qtbot: QtBot, state: State) -> None:
    small = Hands(qtbot, state)
    small.dialog.start()
    assert small.asked == [NET.path]
    state.set_model(ModelChoice(path=NET.path, description=replace(NET, size_bytes=64 * 1024 * 1024 + 1)))
    large = Hands(qtbot, state)
    assert large.which.currentIndex() == TINY
    large.dialog.start()
    assert large.asked == [""]


@pytest.mark.parametrize(
    "model",
    [None, ModelChoice(path="/m.onnx"), ModelChoice(path="/m.onnx", failure=REFUSED)],
    ids=["none", "loading", "unusable"],
)
def test_that_a_model_that_cannot_be_used_cannot_be_chosen(
    qtbot: QtBot, state: State, model: ModelChoice | None
) -> None:
    state.set_model(model)
    hands = Hands(qtbot, state)
    assert hands.which.currentIndex() == TINY
    assert not hands.which.model().index(MODEL, 0).flags() & Qt.ItemFlag.ItemIsEnabled


def test_that_another_choice_is_tried_at_once(hands: Hands) -> None:
    hands.try_all()
    hands.choose(TINY)
    assert hands.asked == [NET.path, ""]


def test_that_another_model_in_the_window_is_told_and_not_tried_by_itself(hands: Hands) -> None:
    hands.try_all()
    hands.state.set_model(ModelChoice(path="/other.onnx", description=replace(NET, path="/other.onnx")))
    assert hands.asked == [NET.path]
    assert "The model has changed: try again." in shown_texts(hands.dialog)
    assert Path(hands.which.itemText(MODEL)).name == "chosen in the window: other.onnx"
    hands.press("Try again")
    assert hands.asked == [NET.path, "/other.onnx"]
    assert "The model has changed: try again." not in shown_texts(hands.dialog)


def test_that_another_model_does_not_matter_where_the_tiny_one_was_tried(hands: Hands) -> None:
    hands.choose(TINY)
    hands.dialog.end()
    hands.state.set_model(ModelChoice(path="/other.onnx", description=replace(NET, path="/other.onnx")))
    assert "The model has changed: try again." not in shown_texts(hands.dialog)


# ---- What changes meanwhile ----


def test_that_changed_libraries_are_told_and_not_tried_by_themselves(hands: Hands) -> None:
    hands.try_all()
    hands.state.set_libraries((library("fast", LibraryState.LOADED), library("new", LibraryState.LOADED)))
    assert "Libraries have changed: try again." in shown_texts(hands.dialog)
    assert hands.asked == [NET.path]
    hands.press("Try again")
    assert "Libraries have changed: try again." not in shown_texts(hands.dialog)


def test_that_libraries_on_their_way_back_after_a_death_are_no_change(hands: Hands) -> None:
    hands.dialog.start()
    hands.state.set_libraries((library("fast", LibraryState.LOADING),))
    hands.state.set_libraries((library("fast", LibraryState.LOADED),))
    hands.dialog.end()
    assert not any("changed" in text for text in shown_texts(hands.dialog))


def test_that_a_busy_engine_is_told_and_can_be_asked_when_it_is_done(hands: Hands) -> None:
    hands.state.set_work("profiling net")
    hands.dialog.start()
    hands.dialog.refuse()
    assert any("at other work" in text for text in shown_texts(hands.dialog))
    assert not hands.button("Try again").isEnabled()
    hands.state.set_work("")
    hands.press("Try again")
    assert len(hands.asked) == 2


# ---- Running one ----


def test_that_the_selected_policy_can_be_run(hands: Hands) -> None:
    assert not hands.button("Run this policy").isEnabled()
    hands.try_all()
    click_row(hands.qtbot, hands.view, 3)
    hands.press("Run this policy")
    assert hands.runs == [Policy.PREFER_GPU]


def test_that_no_policy_can_be_run_while_they_are_tried_or_the_engine_is_busy_or_without_a_model(hands: Hands) -> None:
    hands.try_all()
    run = hands.button("Run this policy")
    assert run.isEnabled()
    hands.state.set_work("profiling net")
    assert not run.isEnabled()
    hands.state.set_work("")
    assert run.isEnabled()
    hands.state.set_engine(EngineStatus.STARTING)
    assert not run.isEnabled()
    hands.state.set_engine(EngineStatus.READY)
    hands.state.set_model(None)
    assert not run.isEnabled()
    hands.dialog.start()
    click_row(hands.qtbot, hands.view, 0)
    assert not run.isEnabled()
