"""The trial's settings: when they are complete, what is asked for, what is remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QTabBar,
    QTableView,
)
from pytestqt.qtbot import QtBot

from gui.comparison_run import ComparisonRun, Phase
from gui.panels.trial_panel import TrialActions, TrialPanel
from gui.records.failure import Failure, FailureKind
from gui.records.inputs import Fill, InputSource
from gui.records.library import CPU_EP_NAME, LibraryState
from gui.records.result import Outcome
from gui.records.setup import DimensionSweep
from gui.records.trial import (
    DimensionSize,
    Optimization,
    Policy,
    SessionSettings,
    StopRule,
    Target,
    TrialSettings,
)
from gui.settings import RunChoices, Settings, StopKind, TrialChoices
from gui.state import Compilation, EngineStatus, ModelChoice, State

from ..finding import action_named, child, click_index, rows_of, show, shown_texts
from ..keepers import open_settings
from ..models.makers import device, library, trial
from ..records.examples import GREETING
from .test_model_chooser import NET

ONE = device("one", ep_name="Good", library="good")
TWO = device("two", ep_name="Good", library="good")
OTHER = device("other", ep_name="Other", library="other")
VIRTUAL = device("virtual", ep_name="Good", library="good", hardware=(("is_virtual", "1"),))
CPU = device("cpu", ep_name=CPU_EP_NAME, library=None)
TWIN = device("twin", ep_name="Good", library="good-2")


class Hands:
    """A panel that is ready to run `NET` on `ONE`, and what it asked for."""

    def __init__(self, qtbot: QtBot, state: State, settings: Settings) -> None:
        self.qtbot, self.state, self.settings = qtbot, state, settings
        self.open, self.run, self.stop = QAction("Open model"), QAction("Run"), QAction("Stop")
        self.compile, self.compare = QAction("Compile"), QAction("Compare")
        self.wishes: list[TrialSettings] = []
        self.compile_wishes: list[TrialSettings] = []
        self.sizes: list[dict[str, int]] = []
        actions = TrialActions(
            open_model=self.open,
            run=self.run,
            compare=self.compare,
            compile_model=self.compile,
            stop=self.stop,
        )
        self.panel = TrialPanel(state, settings, actions)
        self.panel.run_requested.connect(self.wishes.extend)
        self.panel.compile_requested.connect(self.compile_wishes.append)
        self.panel.proposals_requested.connect(self.sizes.append)
        self.run.triggered.connect(self.panel.request_run)
        self.compile.triggered.connect(self.panel.request_compile)
        show(qtbot, self.panel, 420, 600)

    def make_ready(self) -> None:
        self.state.set_engine(EngineStatus.READY, GREETING)
        self.state.set_devices((ONE, TWO, OTHER, TWIN))
        self.state.set_model(ModelChoice(path=NET.path, description=NET))

    def type_number(self, name: str, text: str, kind: type[QAbstractSpinBox] = QSpinBox) -> None:
        box = child(self.panel, kind, name)
        box.setFocus()
        box.selectAll()
        self.qtbot.keyClicks(box, text)

    def open_page(self, title: str) -> None:
        """Click the tab of a page."""
        bar = self.panel.findChildren(QTabBar)[0]
        index = next(n for n in range(bar.count()) if bar.tabText(n).removesuffix(" •") == title)
        self.qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())

    def marked_pages(self) -> list[str]:
        bar = self.panel.findChildren(QTabBar)[0]
        texts = [bar.tabText(n) for n in range(bar.count())]
        return [text.removesuffix(" •") for text in texts if text.endswith(" •")]

    def type_sizes(self, name: str, text: str) -> None:
        field = child(self.panel, QLineEdit, f"Size of {name}")
        field.selectAll()
        self.qtbot.keyClicks(field, text)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    def option_view(self) -> QTableView:
        return child(self.panel, QTableView, "EP options")

    def type_option(self, row: int, column: int, text: str) -> QLineEdit:
        """Type into a cell and leave the editor open."""
        view = self.option_view()
        click_index(self.qtbot, view, view.model().index(row, column))
        (editor,) = view.viewport().findChildren(QLineEdit)
        self.qtbot.keyClicks(editor, text)
        return editor

    def enter_option(self, row: int, column: int, text: str) -> None:
        """Type into a cell and press Enter."""
        editors = self.option_view().viewport()
        self.qtbot.keyClick(self.type_option(row, column, text), Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: not editors.findChildren(QLineEdit), timeout=5000)


@pytest.fixture
def hands(qtbot: QtBot, state: State, settings: Settings) -> Hands:
    return Hands(qtbot, state, settings)


@pytest.fixture
def ready(hands: Hands) -> Hands:
    hands.make_ready()
    return hands


# ---- What is missing ----


def test_that_a_complete_trial_has_no_problem_and_can_be_run(ready: Hands) -> None:
    assert ready.panel.problem() is None
    assert ready.run.isEnabled()
    assert not ready.stop.isEnabled()


@pytest.mark.parametrize(
    ("sentence", "spoil"),
    [
        ("Choose a model first.", lambda state: state.set_model(None)),
        ("Getting ready…", lambda state: state.set_model(ModelChoice(path="/m.onnx"))),
        ("Getting ready…", lambda state: state.set_engine(EngineStatus.STARTING)),
        ("There is no engine.", lambda state: state.set_engine(EngineStatus.GAVE_UP)),
        (
            "This model cannot be used.",
            lambda state: state.set_model(
                ModelChoice(path="/m.onnx", failure=Failure(kind=FailureKind.NOT_A_MODEL, message="No."))
            ),
        ),
        (
            "Waiting for “new”…",
            lambda state: state.set_libraries((library("new", LibraryState.LOADING),)),
        ),
        (
            "Waiting for “old”…",
            lambda state: state.set_libraries((library("old", LibraryState.UNREGISTERING),)),
        ),
        ("Select a device in the table", lambda state: state.select_devices(())),
        ("The selected devices belong to different EPs.", lambda state: state.select_devices(("one", "other"))),
        ("The selected devices come from different libraries", lambda state: state.select_devices(("one", "twin"))),
    ],
)
def test_that_what_is_missing_is_said_in_a_sentence_and_run_waits(ready: Hands, sentence: str, spoil: object) -> None:
    assert callable(spoil)
    spoil(ready.state)
    assert any(text.startswith(sentence) for text in shown_texts(ready.panel))
    assert not ready.run.isEnabled()
    ready.panel.request_run()
    assert ready.wishes == []
    ready.state.set_libraries(())
    ready.make_ready()
    ready.state.select_devices(("one",))
    assert ready.run.isEnabled()
    assert not any(text.startswith(sentence) for text in shown_texts(ready.panel))


def test_that_a_policy_does_not_mind_which_devices_are_selected(ready: Hands) -> None:
    ready.state.select_devices(("one", "other"))
    child(ready.panel, QRadioButton, "Policy").click()
    assert ready.panel.problem() is None
    assert ready.run.isEnabled()


def test_that_a_running_trial_can_be_stopped_and_no_other_started(ready: Hands) -> None:
    run = trial(1)
    ready.state.add_trial(run)
    assert (ready.run.isEnabled(), ready.stop.isEnabled()) == (False, True)
    run.stopping = True
    ready.state.trial_changed.emit(run)
    assert (ready.run.isEnabled(), ready.stop.isEnabled()) == (False, False)
    run.outcome = Outcome.STOPPED
    ready.state.trial_changed.emit(run)
    assert (ready.run.isEnabled(), ready.stop.isEnabled()) == (True, False)


# ---- What is asked for ----


def test_that_the_settings_are_those_chosen(ready: Hands) -> None:
    ready.state.select_devices(("two", "one"))
    ready.type_sizes("batch", "8")
    ready.open_page("Run")
    ready.type_number("Warm-up", "3")
    ready.type_number("Iterations", "77")
    ready.open_page("Session")
    ready.type_number("Intra-op threads", "2")
    ready.open_page("EP options")
    ready.enter_option(0, 0, "mode=fast")
    ready.qtbot.mouseClick(child(ready.panel, QPushButton, "Run"), Qt.MouseButton.LeftButton)
    assert ready.wishes == [
        TrialSettings(
            model_path=NET.path,
            target=Target(device_keys=("one", "two")),
            options=(("mode", "fast"),),
            dimensions=(DimensionSize(name="batch", size=8),),
            warmup=3,
            stop_rule=StopRule(iterations=77),
            intra_op_threads=2,
        )
    ]


def test_that_a_trial_can_end_after_a_time(ready: Hands) -> None:
    ready.open_page("Run")
    combo = child(ready.panel, QComboBox, "What the trial stops after")
    ready.qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert not child(ready.panel, QSpinBox, "Iterations").isVisible()
    ready.qtbot.keyClick(ready.panel, Qt.Key.Key_A, Qt.KeyboardModifier.AltModifier)  # “Stop &after”
    assert child(ready.panel, QDoubleSpinBox, "Seconds").hasFocus()
    ready.type_number("Seconds", "2.5", QDoubleSpinBox)
    ready.panel.request_run()
    assert ready.wishes[0].stop_rule == StopRule(seconds=2.5)


@pytest.mark.parametrize("policy", Policy)
def test_that_choosing_a_policy_makes_it_the_target(ready: Hands, policy: Policy) -> None:
    combo = child(ready.panel, QComboBox, "Selection policy")
    row = combo.findText(policy.value)
    combo.setCurrentIndex(row)
    combo.activated.emit(row)  # what a click in the list emits
    assert child(ready.panel, QRadioButton, "Policy").isChecked()
    ready.panel.request_run()
    assert ready.wishes[0].target == Target(policy=policy)
    assert combo.itemData(row, Qt.ItemDataRole.ToolTipRole)


def test_that_what_each_policy_would_take_is_one_click_away_once_a_policy_is_chosen(ready: Hands) -> None:
    asked: list[bool] = []
    ready.panel.target.explanation_requested.connect(lambda: asked.append(True))
    button = child(ready.panel, QPushButton, "What would each take?")
    assert not button.isVisible()
    ready.panel.target.choose(Policy.PREFER_NPU)
    assert button.isVisible()
    ready.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked == [True]
    ready.panel.target.choose(None)
    assert not button.isVisible()


def test_that_policies_are_tried_with_the_options_as_they_stand(ready: Hands) -> None:
    ready.state.select_devices(("one",))
    ready.open_page("EP options")
    ready.enter_option(0, 0, "mode=fast")
    assert ready.panel.policy_options() == (("ep.good.mode", "fast"),)  # they are this EP's alone
    ready.panel.target.choose(Policy.PREFER_NPU)
    assert ready.panel.policy_options() == (("mode", "fast"),)  # as a trial by a policy gives them on


def test_that_other_work_of_the_engine_keeps_trials_from_being_run_and_can_be_stopped(ready: Hands) -> None:
    ready.state.set_work("trying policies")
    assert (ready.run.isEnabled(), ready.stop.isEnabled()) == (False, True)
    ready.state.set_work("")
    assert (ready.run.isEnabled(), ready.stop.isEnabled()) == (True, False)


def test_that_the_target_tells_the_selected_devices(ready: Hands) -> None:
    ready.state.select_devices(("one", "two"))
    assert "Good (CPU), Good (CPU)" in shown_texts(ready.panel)
    ready.state.select_devices(())
    assert "none selected in the table" in shown_texts(ready.panel)


# ---- Options ----


def test_that_a_value_without_a_key_is_a_problem_until_it_is_removed(ready: Hands) -> None:
    ready.open_page("EP options")
    ready.enter_option(0, 1, "fast")
    assert any("“fast” has no key" in text for text in shown_texts(ready.panel))
    assert not ready.run.isEnabled()
    view = ready.option_view()
    view.setCurrentIndex(view.model().index(0, 1))
    action_named(view, "Remove option").trigger()
    assert ready.run.isEnabled()
    assert [row[:2] for row in rows_of(view.model())] == [["", ""]]


def test_that_an_option_still_being_typed_keeps_run_from_starting_when_it_has_no_key(ready: Hands) -> None:
    ready.open_page("EP options")
    ready.type_option(0, 1, "fast")
    ready.panel.request_run()
    assert ready.wishes == []
    assert any("“fast” has no key" in text for text in shown_texts(ready.panel))


def test_that_the_same_option_twice_is_a_problem(ready: Hands) -> None:
    ready.open_page("EP options")
    for row, text in enumerate(("a=1", "a=2")):
        ready.enter_option(row, 0, text)
    assert any("“a” is there twice" in text for text in shown_texts(ready.panel))
    assert not ready.run.isEnabled()


# ---- What is remembered ----


def test_that_a_run_remembers_the_choices(ready: Hands) -> None:
    ready.open_page("Run")
    ready.type_number("Warm-up", "4")
    ready.panel.request_run()
    remembered = ready.settings.trial_choices
    assert remembered.run.warmup == 4
    assert remembered.model_path == NET.path
    assert remembered.device_keys == ("one",)


def test_that_the_choices_come_back(qtbot: QtBot, settings: Settings) -> None:
    choices = TrialChoices(
        model_path=NET.path,
        policy=Policy.PREFER_NPU,
        device_keys=("two",),
        options=(("key", "value"),),
        dimensions=(DimensionSize(name="batch", size=6), DimensionSize(name="x[2]", size=1)),
        sweeps=(DimensionSweep(name="batch", sizes=(6, 8)),),
        inputs=(InputSource(name="x", fill=Fill.ZEROS),),
        seed=7,
        session=SessionSettings(optimization=Optimization.BASIC),
        intra_op_threads=3,
        run=RunChoices(warmup=0, iterations=5, seconds=7.5, stop_kind=StopKind.SECONDS, callers=2),
    )
    settings.trial_choices = choices
    hands = Hands(qtbot, State(), settings)
    hands.make_ready()
    assert hands.panel.choices() == choices
    assert hands.marked_pages() == ["Inputs", "EP options", "Session", "Run"]
    hands.open_page("Run")
    assert child(hands.panel, QDoubleSpinBox, "Seconds").value() == 7.5
    hands.open_page("EP options")
    assert rows_of(hands.option_view().model())[0][:2] == ["key", "value"]
    hands.open_page("Session")
    assert child(hands.panel, QSpinBox, "Intra-op threads").value() == 3
    assert hands.panel.choices() == choices  # also now that the pages are there


def test_that_choices_without_a_policy_choose_devices(qtbot: QtBot, settings: Settings) -> None:
    settings.trial_choices = replace(TrialChoices(), device_keys=("other",))
    hands = Hands(qtbot, State(), settings)
    hands.make_ready()
    assert child(hands.panel, QRadioButton, "Devices").isChecked()
    hands.panel.request_run()
    assert hands.wishes[0].target == Target(device_keys=("other",))


def test_that_no_page_is_marked_while_all_is_as_it_is_by_itself(ready: Hands) -> None:
    for title in ("EP options", "Session", "Run", "Model", "Inputs"):
        ready.open_page(title)
    assert ready.marked_pages() == []


# ---- Several sizes ----


def test_that_several_sizes_ask_for_a_trial_each(ready: Hands) -> None:
    ready.type_sizes("batch", "1, 2, 4, 8")
    assert ready.marked_pages() == ["Inputs"]
    ready.panel.request_run()
    assert [wish.dimensions[0].size for wish in ready.wishes] == [1, 2, 4, 8]
    assert ready.settings.trial_choices.sweeps == (DimensionSweep(name="batch", sizes=(1, 2, 4, 8)),)


def test_that_values_are_proposed_for_the_sizes_chosen(ready: Hands) -> None:
    assert ready.sizes[-1] == {}
    ready.type_sizes("batch", "5")
    assert ready.sizes[-1] == {"batch": 5}


def test_that_what_is_no_size_keeps_run_from_starting(ready: Hands) -> None:
    ready.type_sizes("batch", "two")
    assert not ready.run.isEnabled()
    assert any("two" in text for text in shown_texts(ready.panel))


# ---- A row of trials ----


def test_that_trials_still_to_come_are_counted_and_can_be_stopped(ready: Hands) -> None:
    ready.state.set_waiting_trials(3)
    assert (ready.run.isEnabled(), ready.stop.isEnabled()) == (False, True)
    assert "Trials still to come: 3" in shown_texts(ready.panel)
    ready.state.set_waiting_trials(0)
    assert (ready.run.isEnabled(), ready.stop.isEnabled()) == (True, False)


# ---- Compiling ----


def test_that_a_virtual_device_offers_to_compile_in_place_of_running(ready: Hands) -> None:
    ready.state.set_devices((ONE, VIRTUAL))
    ready.state.select_devices(("virtual",))
    assert any(text.startswith("This device is virtual") for text in shown_texts(ready.panel))
    buttons = {button.text(): button.isVisible() for button in ready.panel.findChildren(QPushButton)}
    assert (buttons["Run"], buttons["Compile"]) == (False, True)
    ready.panel.request_run()
    assert ready.wishes == []
    ready.qtbot.mouseClick(child(ready.panel, QPushButton, "Compile"), Qt.MouseButton.LeftButton)
    assert [wish.target for wish in ready.compile_wishes] == [Target(device_keys=("virtual",))]
    ready.state.select_devices(("one",))
    assert child(ready.panel, QPushButton, "Run").isVisible()


def test_that_nothing_is_compiled_for_the_cpu_ep(ready: Hands) -> None:
    assert ready.compile.isEnabled()
    ready.state.set_devices((CPU,))
    ready.state.select_devices(("cpu",))
    assert (ready.run.isEnabled(), ready.compile.isEnabled()) == (True, False)


def test_that_nothing_else_starts_while_a_model_is_compiled(ready: Hands) -> None:
    under_way = Compilation(model_name="net", target_text="Good", path="/tmp/out.onnx")
    ready.state.set_compilation(under_way)
    assert (ready.run.isEnabled(), ready.compile.isEnabled(), ready.stop.isEnabled()) == (False, False, True)
    ready.state.set_compilation(replace(under_way, stopping=True))
    assert not ready.stop.isEnabled()
    ready.state.set_compilation(replace(under_way, failure=Failure(kind=FailureKind.STOPPED, message="Stopped.")))
    assert (ready.run.isEnabled(), ready.compile.isEnabled(), ready.stop.isEnabled()) == (True, True, False)


# ---- Set-ups ----


def test_that_a_set_up_comes_back_as_it_was(ready: Hands) -> None:
    ready.type_sizes("batch", "2, 4")
    ready.open_page("Run")
    ready.type_number("Iterations", "33")
    kept = ready.panel.setup()
    other = Hands(ready.qtbot, State(), open_settings(Path("/nonexistent/settings.ini")))
    other.make_ready()
    other.state.select_devices(("other",))
    other.panel.show_setup(kept)
    assert other.panel.setup() == kept
    assert other.state.selected_keys == ("one",)


# ---- Comparing ----


def test_that_comparing_needs_no_target(hands: Hands) -> None:
    """Targets are chosen for each comparison; what is common to them must be complete."""
    hands.make_ready()
    hands.state.select_devices(("one", "other"))
    assert not hands.run.isEnabled()
    assert hands.compare.isEnabled()
    assert hands.panel.compare_base().target is None
    hands.type_sizes("batch", "none")
    assert not hands.compare.isEnabled()
    assert hands.panel.common_problem() == hands.panel.inputs.problem()


def test_that_nothing_is_compared_while_a_trial_runs(hands: Hands) -> None:
    hands.make_ready()
    running = trial(1)
    hands.state.add_trial(running)
    assert not hands.compare.isEnabled()
    running.outcome = Outcome.FINISHED
    hands.state.trial_changed.emit(running)
    assert hands.compare.isEnabled()


def test_that_a_comparison_can_be_stopped_once(hands: Hands) -> None:
    hands.make_ready()
    run = ComparisonRun(id="one", runs=(trial(1), trial(2)), phase=Phase.MEASURING)
    for part in run.runs:
        hands.state.add_trial(part, show=False)
    hands.state.show_comparison(run)
    assert hands.stop.isEnabled()
    run.stopping = True
    hands.state.show_comparison(run)
    assert not hands.stop.isEnabled()


def test_that_a_comparison_takes_over_the_trial_as_it_stands(hands: Hands) -> None:
    hands.make_ready()
    choices = TrialChoices(
        device_keys=("one", "two"),
        second_keys=("other",),
        options=(("fast", "1"),),
        second_options=(("slow", "1"),),
        intra_op_threads=3,
        sweeps=(DimensionSweep(name="batch", sizes=(1, 8)),),
    )
    hands.panel.show_choices(choices)
    hands.state.select_devices(choices.device_keys)
    base = hands.panel.compare_base()
    assert base.target == Target(device_keys=("one", "two"), second_keys=("other",))
    assert (base.by_policy, base.first_ep, base.second_ep) == (False, "Good", "Other")
    assert (base.settings.options, base.settings.second_options) == ((("fast", "1"),), (("slow", "1"),))
    assert (base.settings.intra_op_threads, base.sweeps) == (3, choices.sweeps)
    assert base.policy_options == (("ep.good.fast", "1"),)
