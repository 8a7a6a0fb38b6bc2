"""What was measured: the current trial, and the list of those of this sitting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from gui.models.verdict_texts import TrialPage
from gui.panels.latency_panel import LatencyPanel, TrialListActions
from gui.panels.placement_page import PlacementPage
from gui.panels.profile_page import ProfilePage
from gui.panels.trial_badges import TrialBadge
from gui.panels.trial_banner import AlarmStrip
from gui.panels.widgets import FailureBox
from gui.records.failure import Failure, FailureKind
from gui.records.latency_remarks import Remark, RemarkKind
from gui.records.log import LogSeverity
from gui.records.placement import Placement
from gui.records.result import Outcome
from gui.records.trial import DimensionSize, Stage, StopRule, Target, TrialFacts, TrialSettings
from gui.records.trial_log import TrialLogLine
from gui.state import State
from gui.trial_run import LIVE_SAMPLES, TrialRun

from ..finding import action_named, child, click_row, rows_of, show, shown_texts
from ..models.makers import column_named, record, trial

DIED = Failure(kind=FailureKind.DIED, message="The engine died.", hint="Go on.")
MEASURING = TrialFacts(stage=Stage.MEASURING)


class Hands:
    """A panel whose wishes are granted."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.qtbot, self.state = qtbot, state
        self.panel = LatencyPanel(state, TrialListActions(of_list=(), of_trial=(), of_charts=()))
        self.panel.show_requested.connect(state.show_trial)
        self.panel.remove_requested.connect(state.remove_trials)
        show(qtbot, self.panel, 900, 500)
        self.list = child(self.panel, QTableView, "Trials of this sitting")

    def title(self) -> str:
        return shown_texts(self.panel)[0]

    def note(self) -> str:
        return shown_texts(self.panel)[1]

    def measures(self) -> dict[str, str]:
        view = child(self.panel, QTableView, "Measures")
        return {row[0]: row[1] for row in rows_of(view.model())}

    def drawn(self) -> int:
        """The last iteration in the chart."""
        plot: Any = child(self.panel, pg.PlotWidget, "Latency over iteration")
        x, _ = plot.listDataItems()[0].getData()
        return 0 if x is None or not len(x) else int(x[-1])

    def numbers(self) -> list[str]:
        return [row[0] for row in rows_of(self.list.model())]

    def selected(self) -> list[str]:
        return [str(index.data()) for index in self.list.selectionModel().selectedRows()]

    def box(self) -> FailureBox:
        return self.panel.findChildren(FailureBox)[0]


@pytest.fixture
def hands(qtbot: QtBot, state: State) -> Hands:
    return Hands(qtbot, state)


def ended(number: int, *samples_ns: int, **fields: Any) -> TrialRun:
    return trial(number, *samples_ns, outcome=fields.pop("outcome", Outcome.FINISHED), **fields)


# ---- The current trial ----


def test_that_before_the_first_trial_it_says_how_to_start_one(hands: Hands) -> None:
    assert hands.title() == "No trial yet"
    assert "then Run" in hands.note()
    assert set(hands.measures().values()) == {"–"}
    assert hands.drawn() == 0


def test_that_a_trial_is_shown_with_chart_numbers_and_its_settings(hands: Hands) -> None:
    settings = TrialSettings(
        model_path="/models/net.onnx",
        target=Target(device_keys=("cpu",)),
        options=(("mode", "fast"),),
        dimensions=(DimensionSize(name="batch", size=8),),
        warmup=3,
        stop_rule=StopRule(iterations=77),
        intra_op_threads=2,
    )
    hands.state.add_trial(ended(7, 10_000, 30_000, 20_000, settings=settings))
    assert hands.title() == "net on CPUExecutionProvider  ·  #7"
    assert hands.note().split(" · ") == [
        "77 iterations",
        "warm-up 3",
        "threads: 2",
        "batch = 8",
        "mode = fast",
        "inputs generated",
    ]
    assert hands.measures()["Median"] == "20.00 µs"
    assert hands.measures()["Samples"] == "3"
    assert hands.drawn() == 3


def test_that_doubtful_numbers_say_why(hands: Hands) -> None:
    run = trial(1, facts=TrialFacts(stage=Stage.MEASURING, non_finite_outputs=("y",)))
    run.settings = TrialSettings(model_path="/m", target=Target(device_keys=("c",)), stop_rule=StopRule(seconds=5))
    run.series.append(np.full(LIVE_SAMPLES + 1, 1000, np.int64))
    hands.state.add_trial(run)
    assert hands.note().startswith("5 s · ")
    assert "threads: ORT's choice" in hands.note()
    assert "percentiles of 20000 samples until it ends" in hands.note()
    assert "output y holds NaN or infinity" in hands.note()


def test_that_a_running_trial_grows_without_being_asked(hands: Hands) -> None:
    run = trial(1, *[1000] * 10, facts=MEASURING)
    hands.state.add_trial(run)
    run.series.append(np.full(90, 2000, np.int64))
    hands.state.trial_changed.emit(run)
    hands.qtbot.waitUntil(lambda: hands.drawn() == 100, timeout=5000)
    hands.qtbot.waitUntil(lambda: hands.measures()["Samples"] == "100", timeout=5000)
    samples = column_named(hands.list.model(), "Samples")
    hands.qtbot.waitUntil(lambda: rows_of(hands.list.model())[0][samples] == "100", timeout=5000)


def test_that_redrawing_ends_with_the_samples(hands: Hands) -> None:
    run = trial(1, 1000, facts=MEASURING)
    hands.state.add_trial(run)
    hands.state.trial_changed.emit(run)
    assert hands.panel._timer.isActive()
    hands.qtbot.waitUntil(lambda: not hands.panel._timer.isActive(), timeout=5000)


def test_that_an_end_is_shown_at_once(hands: Hands) -> None:
    run = trial(1, 1000, facts=MEASURING)
    hands.state.add_trial(run)
    run.series.append(np.full(9, 2000, np.int64))
    run.outcome, run.failure = Outcome.FAILED, DIED
    hands.state.trial_changed.emit(run)
    assert hands.drawn() == 10
    assert hands.measures()["Samples"] == "10"
    assert hands.box().isVisible()
    assert hands.box().failure == DIED
    outcome = column_named(hands.list.model(), "Outcome")
    assert rows_of(hands.list.model())[0][outcome] == "failed: engine died"


# ---- The list ----


def test_that_the_newest_trial_is_shown_and_selected(hands: Hands) -> None:
    hands.state.add_trial(ended(1, 1000))
    hands.state.add_trial(ended(2, 1000, 1000))
    assert hands.numbers() == ["1", "2"]
    assert hands.selected() == ["2"]
    assert hands.drawn() == 2


def test_that_a_trial_started_while_ctrl_is_down_is_the_only_one_selected(hands: Hands) -> None:
    """As with Ctrl+R: Qt's own way to select a row would add to the selection then."""
    hands.state.add_trial(ended(1, 1000))
    hands.qtbot.mouseClick(hands.panel, Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.ControlModifier)
    hands.state.add_trial(ended(2, 1000))
    assert hands.selected() == ["2"]
    hands.qtbot.mouseClick(hands.panel, Qt.MouseButton.MiddleButton)


def test_that_a_click_shows_an_older_trial_while_another_runs(hands: Hands) -> None:
    hands.state.add_trial(ended(1, *[1000] * 5, outcome=Outcome.FAILED, failure=DIED))
    hands.state.add_trial(trial(2, 1000, facts=MEASURING))
    click_row(hands.qtbot, hands.list, 0)
    assert "#1" in hands.title()
    assert hands.drawn() == 5
    assert hands.box().isVisible()
    running = hands.state.trials[1]
    running.outcome = Outcome.FINISHED
    hands.state.trial_changed.emit(running)
    assert "#1" in hands.title()
    click_row(hands.qtbot, hands.list, 1)
    assert "#2" in hands.title()
    assert not hands.box().isVisible()


def test_that_several_selected_trials_leave_the_shown_one(hands: Hands) -> None:
    hands.state.add_trial(ended(1, 1000))
    hands.state.add_trial(ended(2, 1000, 1000))
    click_row(hands.qtbot, hands.list, 0, Qt.KeyboardModifier.ControlModifier)
    assert sorted(hands.selected()) == ["1", "2"]
    assert "#2" in hands.title()


def test_that_trials_are_sorted_by_their_latency(hands: Hands) -> None:
    for number, latency in ((1, 3_000_000), (2, 900), (3, 20_000)):
        hands.state.add_trial(ended(number, latency))
    header = hands.list.horizontalHeader()
    x = header.sectionViewportPosition(column_named(hands.list.model(), "Median")) + 8
    hands.qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, header.height() // 2))
    assert hands.numbers() == ["2", "3", "1"]
    assert hands.selected() == ["3"]


def test_that_the_delete_key_removes_the_selected_trials_but_not_a_running_one(hands: Hands) -> None:
    for number in (1, 2):
        hands.state.add_trial(ended(number, 1000))
    hands.state.add_trial(trial(3, 1000, facts=MEASURING))
    hands.list.setFocus()
    hands.list.selectAll()
    hands.qtbot.keyClick(hands.list, Qt.Key.Key_Delete)
    assert hands.numbers() == ["3"]
    assert hands.selected() == ["3"]
    assert "#3" in hands.title()


def test_that_removing_the_shown_trial_shows_the_newest_left(hands: Hands) -> None:
    for number in (1, 2, 3):
        hands.state.add_trial(ended(number, *[1000] * number))
    click_row(hands.qtbot, hands.list, 1)
    action_named(hands.list, "Remove trials").trigger()
    assert hands.numbers() == ["1", "3"]
    assert "#3" in hands.title()
    assert hands.selected() == ["3"]
    hands.list.selectAll()
    action_named(hands.list, "Remove trials").trigger()
    assert hands.title() == "No trial yet"
    assert hands.drawn() == 0


# ---- Its pages, and what must not be missed ----


def on_the_cpu(number: int = 1, **fields: Any) -> TrialRun:
    placement = (Placement(ep_name="CPUExecutionProvider", node_count=12),)
    facts = TrialFacts(stage=Stage.CLOSING, placement=placement, wanted_eps=("ggml",), session_creation_ns=1)
    return ended(number, *[1000] * 20, facts=facts, **fields)


def page_of(hands: Hands) -> TrialPage:
    return hands.panel._pages.page


def test_that_a_trial_that_ran_elsewhere_alarms_on_whatever_page(hands: Hands) -> None:
    hands.state.add_trial(on_the_cpu())
    words = "None of the 12 nodes ran on ggml. These latencies are the CPU's."
    assert words in shown_texts(hands.panel)
    qt_click(hands, child(hands.panel, AlarmStrip, ""), "Placement")
    assert page_of(hands) is TrialPage.PLACEMENT
    assert words in shown_texts(hands.panel)
    assert child(hands.panel, QTableView, "EPs and operators").isVisible()
    hands.state.add_trial(ended(2, 1000))
    assert words not in shown_texts(hands.panel)


def qt_click(hands: Hands, parent: QWidget, name: str) -> None:
    hands.qtbot.mouseClick(child(parent, QPushButton, name), Qt.MouseButton.LeftButton)


def test_that_a_reason_that_comes_later_is_shown_beside_the_alarm(hands: Hands) -> None:
    run = on_the_cpu()
    hands.state.add_trial(run)
    said = record("no gpu backend is available", LogSeverity.WARNING)
    run.log.add([TrialLogLine(stage="creating session", record=said)])
    hands.state.trial_changed.emit(run)
    assert "It said: no gpu backend is available" in shown_texts(hands.panel)


def test_that_a_badge_opens_its_page(hands: Hands) -> None:
    hands.state.add_trial(on_the_cpu())
    hands.qtbot.mouseClick(child(hands.panel, TrialBadge, "Outputs not checked"), Qt.MouseButton.LeftButton)
    assert page_of(hands) is TrialPage.OUTPUTS
    badge = next(it for it in hands.panel.findChildren(TrialBadge) if it.accessibleName().startswith("median"))
    hands.qtbot.mouseClick(badge, Qt.MouseButton.LeftButton)
    assert page_of(hands) is TrialPage.LATENCY


def test_that_pages_are_built_when_first_seen(hands: Hands) -> None:
    hands.state.add_trial(on_the_cpu())
    assert not hands.panel.findChildren(PlacementPage)
    hands.panel._pages.show_page(TrialPage.PLACEMENT)
    assert len(hands.panel.findChildren(PlacementPage)) == 1
    hands.panel._pages.show_page(TrialPage.LATENCY)
    hands.panel._pages.show_page(TrialPage.PLACEMENT)
    assert len(hands.panel.findChildren(PlacementPage)) == 1


def test_that_the_charts_are_drawn_only_when_they_are_seen(hands: Hands) -> None:
    hands.state.add_trial(ended(1, *[1000] * 5))
    hands.panel._pages.show_page(TrialPage.PLACEMENT)
    run = trial(2, *[1000] * 30, facts=MEASURING)
    hands.state.add_trial(run)
    hands.state.trial_changed.emit(run)
    hands.qtbot.waitUntil(lambda: not hands.panel._timer.isActive(), timeout=5000)
    assert hands.drawn() == 5
    hands.panel._pages.show_page(TrialPage.LATENCY)
    assert hands.drawn() == 30


def test_that_the_page_that_is_seen_follows_a_running_trial(hands: Hands) -> None:
    run = trial(1, 1000, facts=MEASURING)
    hands.state.add_trial(run)
    hands.panel._pages.show_page(TrialPage.LOG)
    run.log.add([TrialLogLine(stage="measuring", record=record("hello"))])
    hands.state.trial_changed.emit(run)
    view = child(hands.panel, QTableView, "Log of the trial")
    hands.qtbot.waitUntil(lambda: [row[4] for row in rows_of(view.model())] == ["hello"], timeout=5000)


def test_that_a_failed_trial_offers_its_log(hands: Hands) -> None:
    run = ended(1, outcome=Outcome.FAILED, failure=DIED)
    hands.state.add_trial(run)
    assert not [button for button in hands.box().findChildren(QPushButton) if button.text() == "Show log"]
    run.log.add([TrialLogLine(stage="first run", record=record("out of ink", LogSeverity.ERROR))])
    hands.state.trial_changed.emit(run)
    assert page_of(hands) is TrialPage.LATENCY
    qt_click(hands, hands.box(), "Show log")
    assert page_of(hands) is TrialPage.LOG
    assert [row[4] for row in rows_of(child(hands.panel, QTableView, "Log of the trial").model())] == ["out of ink"]


def test_that_remarks_stand_below_the_charts_once_a_trial_has_ended(hands: Hands) -> None:
    run = trial(1, 1000, facts=MEASURING)
    run.remarks = (Remark(kind=RemarkKind.DRIFTING, text="It drifts.", advice="Wait."),)
    hands.state.add_trial(run)
    assert "It drifts. Wait." not in shown_texts(hands.panel)
    run.outcome = Outcome.FINISHED
    hands.state.trial_changed.emit(run)
    assert "It drifts. Wait." in shown_texts(hands.panel)


def test_that_what_the_page_of_the_profile_asks_for_is_asked_by_the_panel(hands: Hands) -> None:
    run = on_the_cpu()
    hands.state.add_trial(run)
    hands.panel._pages.show_page(TrialPage.PROFILE)
    page = hands.panel.findChildren(ProfilePage)[0]
    for of_page, of_panel in (
        (page.profile_requested, hands.panel.profile_requested),
        (page.save_trace_requested, hands.panel.save_trace_requested),
    ):
        with hands.qtbot.waitSignal(of_panel) as asked:
            of_page.emit(run)
        assert asked.args == [run]


def test_that_every_page_can_be_seen_without_a_trial(hands: Hands) -> None:
    for page in reversed(TrialPage):
        hands.panel._pages.show_page(page)
        assert page_of(hands) is page
    assert hands.title() == "No trial yet"
