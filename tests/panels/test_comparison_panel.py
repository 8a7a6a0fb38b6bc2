"""The comparison that is shown: the answer, how far it is, its table, and what can be asked for."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt, QThreadPool
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QTableView
from pytestqt.qtbot import QtBot

from gui import theme
from gui.comparison_run import ComparisonRun, Phase
from gui.models.comparison_table import MACHINE, OUTCOME, RATE, RATIO, SIZES
from gui.panels.comparison_charts import ComparisonPage
from gui.panels.comparison_head import ComparisonHead
from gui.panels.comparison_panel import ComparisonActions, ComparisonPanel
from gui.records.protocol import Greeting
from gui.records.result import Outcome
from gui.records.trial import TrialFacts
from gui.settings import ColorScheme
from gui.state import State

from ..finding import action_named, child, click_row, rows_of, show, shown_texts
from ..models.comparison_makers import CPU, DIED, add_rounds, cell, comparison_of, running, sweep, two_rows
from ..models.makers import column_named

MACHINE_A = Greeting(
    protocol=1, application="0", onnxruntime="1.30.0", python="3", platform="Linux", numpy="2", process_id=1, cpu="Zen"
)
MACHINE_B = Greeting(
    protocol=1, application="0", onnxruntime="1.30.0", python="3", platform="Windows", numpy="2", process_id=1, cpu="M4"
)


class Hands:
    """A panel and the hands on it."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.qtbot, self.state = qtbot, state
        self.compare = QAction("Compare…")
        self.compare.setIconText("Compare…")
        self.panel = ComparisonPanel(state, ComparisonActions(compare=self.compare))
        show(qtbot, self.panel, 900, 520)
        self.table = child(self.panel, QTableView, "Rows of the comparison")
        self.head = self.panel.findChildren(ComparisonHead)[0]

    def show(self, comparison: ComparisonRun) -> ComparisonRun:
        self.state.show_comparison(comparison)
        return comparison

    def column(self, title: str) -> list[str]:
        number = column_named(self.table.model(), title)
        return [row[number] for row in rows_of(self.table.model())]

    def button(self, text: str) -> QPushButton:
        return child(self.head, QPushButton, text)

    def click(self, text: str) -> None:
        self.qtbot.mouseClick(self.button(text), Qt.MouseButton.LeftButton)


@pytest.fixture
def hands(qtbot: QtBot, state: State) -> Hands:
    return Hands(qtbot, state)


def with_failure() -> ComparisonRun:
    dead = cell(2, "cuda", None, outcome=Outcome.FAILED, failure=DIED, facts=TrialFacts())
    return comparison_of(*two_rows().runs, dead)


# ---- The answer ----


def test_that_before_the_first_comparison_it_says_what_it_is_for_and_begins_one(hands: Hands) -> None:
    texts = [label.text() for label in hands.panel.findChildren(QLabel) if label.isVisible()]
    assert "No comparison yet" in texts
    buttons = [it for it in hands.panel.findChildren(QPushButton) if it.isVisible() and it.text() == "Compare…"]
    assert len(buttons) == 1
    with hands.qtbot.waitSignal(hands.compare.triggered):
        hands.qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)


def test_that_the_answer_stands_first(hands: Hands) -> None:
    hands.show(two_rows())
    assert hands.head.answer.startswith(f"ggml is 1.30 × faster than {CPU}")
    assert "No comparison yet" not in shown_texts(hands.panel)
    assert hands.head.doing == ""
    assert not hands.button("Stop").isVisible()


def test_that_nothing_is_answered_while_there_is_too_little_and_so_far_when_there_is_enough(hands: Hands) -> None:
    comparison = hands.show(running(rounds=1))
    assert hands.head.answer == "3 targets are being compared."
    for run, median in zip(comparison.runs, (2_600_000, 2_000_000, 2_590_000), strict=True):
        add_rounds(run, 15, median)
        hands.state.trial_changed.emit(run)
    hands.qtbot.waitUntil(lambda: hands.head.answer.startswith("So far: ggml is"), timeout=5000)


def many_samples() -> ComparisonRun:
    slow = cell(0, CPU, 2_000_000, count=2, a_round=800)
    return comparison_of(slow, cell(1, "a", 1_000_000, count=2, a_round=800))


def test_that_the_answer_of_many_samples_comes_a_moment_later(hands: Hands) -> None:
    hands.show(many_samples())
    hands.qtbot.waitUntil(lambda: hands.head.answer.startswith("a is 1.999 × faster"), timeout=5000)
    hands.qtbot.waitUntil(lambda: hands.column("To the baseline")[0] == "baseline", timeout=5000)


def test_that_an_answer_that_comes_too_late_is_not_shown(hands: Hands) -> None:
    hands.show(many_samples())
    hands.show(two_rows())
    assert QThreadPool.globalInstance().waitForDone(5000)
    hands.state.trial_changed.emit(hands.panel.selected_trials()[0])
    hands.qtbot.waitUntil(lambda: not hands.panel._timer.isActive(), timeout=5000)
    assert hands.head.answer.startswith("ggml is 1.30 ×")


def test_that_another_comparison_takes_the_place_of_the_first(hands: Hands) -> None:
    hands.show(two_rows())
    hands.table.selectAll()
    hands.show(sweep())
    assert len(hands.column("Target")) == 10
    assert not hands.table.selectionModel().selectedRows()
    hands.state.show_comparison(None)
    assert "No comparison yet" in shown_texts(hands.panel)


def test_that_notes_of_how_it_ran_are_shown_with_what_weakens_the_answer(hands: Hands) -> None:
    comparison = two_rows()
    comparison.notes = ("Sessions were made anew for each round.",)
    hands.show(comparison)
    assert "Sessions were made anew for each round." in shown_texts(hands.panel)


# ---- While it runs ----


def test_that_it_says_what_is_done_and_how_long_it_will_take(hands: Hands) -> None:
    comparison = hands.show(running())
    assert hands.head.doing == "round 7 of 20 · measuring ggml · about 12 s left"
    bar = child(hands.panel, QProgressBar, "Progress of the comparison")
    assert bar.value() == round(bar.maximum() * 6 / 20)
    comparison.phase, comparison.current, comparison.seconds_left = Phase.OPENING, 2, None
    hands.state.show_comparison(comparison)
    hands.qtbot.waitUntil(lambda: hands.head.doing == "creating the session of webgpu", timeout=5000)
    comparison.phase = Phase.CLOSING
    hands.state.show_comparison(comparison)
    hands.qtbot.waitUntil(lambda: hands.head.doing == "checking the outputs of webgpu", timeout=5000)


def test_that_it_can_be_stopped_once_and_resumed(hands: Hands) -> None:
    comparison = hands.show(running())
    with hands.qtbot.waitSignal(hands.panel.stop_requested):
        hands.click("Stop")
    comparison.stopping = True
    hands.state.show_comparison(comparison)
    hands.qtbot.waitUntil(lambda: hands.head.doing == "stopping…", timeout=5000)
    assert not hands.button("Stop").isEnabled()
    comparison.phase, comparison.stopping, comparison.current = Phase.ENDED, False, None
    for run in comparison.runs:
        run.outcome = Outcome.STOPPED
    hands.state.show_comparison(comparison)
    assert hands.column("Outcome") == ["stopped, 6 of 20 rounds"] * 3
    assert not hands.button("Stop").isVisible()
    with hands.qtbot.waitSignal(hands.panel.resume_requested):
        hands.click("Resume")


def test_that_the_table_and_the_chart_grow_without_being_asked_and_then_rest(hands: Hands) -> None:
    comparison = hands.show(running(rounds=2))
    before = hands.panel.charts.medians.shapes
    add_rounds(comparison.runs[1], 4, 2_000_000)
    hands.state.trial_changed.emit(comparison.runs[1])
    hands.qtbot.waitUntil(lambda: hands.column("Outcome") == ["2 of 20", "6 of 20", "2 of 20"], timeout=5000)
    hands.qtbot.waitUntil(lambda: hands.panel.charts.medians.shapes != before, timeout=5000)
    hands.qtbot.waitUntil(lambda: not hands.panel._timer.isActive(), timeout=5000)


def test_that_a_trial_of_no_comparison_moves_nothing(hands: Hands) -> None:
    hands.show(two_rows())
    hands.state.trial_changed.emit(cell(5, "other", 1_000_000))
    assert not hands.panel._timer.isActive()


# ---- The table ----


def test_that_columns_that_say_the_same_of_all_rows_are_hidden(hands: Hands) -> None:
    comparison = hands.show(two_rows())
    assert hands.table.isColumnHidden(MACHINE)
    assert hands.table.isColumnHidden(SIZES)
    comparison.runs[0].environment, comparison.runs[1].environment = MACHINE_A, MACHINE_B
    hands.state.show_comparison(comparison)
    assert not hands.table.isColumnHidden(MACHINE)
    hands.show(sweep())
    assert hands.table.isColumnHidden(MACHINE)
    assert not hands.table.isColumnHidden(SIZES)
    assert hands.table.model().headerData(RATE, Qt.Orientation.Horizontal) == "Items"


def test_that_what_is_said_of_a_failed_row_reaches_over_its_empty_cells_also_when_sorted(hands: Hands) -> None:
    hands.show(with_failure())
    assert [hands.table.columnSpan(row, OUTCOME) for row in range(3)] == [1, 1, RATE - OUTCOME + 1]
    header = hands.table.horizontalHeader()
    x = header.sectionViewportPosition(RATIO) + 8
    hands.qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, header.height() // 2))
    assert hands.column("Target") == ["cuda", CPU, "ggml"]
    assert [hands.table.columnSpan(row, OUTCOME) for row in range(3)] == [RATE - OUTCOME + 1, 1, 1]


def test_that_rows_that_are_selected_stand_out_in_the_chart(hands: Hands) -> None:
    hands.show(two_rows())
    plain = [shape.color for shape in hands.panel.charts.medians.shapes]
    click_row(hands.qtbot, hands.table, 1)
    chosen = [shape.color for shape in hands.panel.charts.medians.shapes]
    assert chosen[0] != plain[0]
    assert chosen[1] == plain[1]


# ---- What can be asked for ----


def test_that_the_commands_of_a_row_name_the_row_whatever_the_order(hands: Hands) -> None:
    comparison = hands.show(with_failure())
    hands.table.sortByColumn(RATIO, Qt.SortOrder.AscendingOrder)
    click_row(hands.qtbot, hands.table, 2)
    asked: list[object] = []
    hands.panel.repeat_requested.connect(asked.append)
    hands.panel.baseline_requested.connect(asked.append)
    hands.panel.show_trial_requested.connect(asked.append)
    for text in ("Repeat this cell", "Use as baseline", "Show trial"):
        action_named(hands.table, text).trigger()
    assert asked == [1, 1, comparison.runs[1]]


def test_that_commands_that_cannot_be_done_are_not_offered(hands: Hands) -> None:
    comparison = hands.show(with_failure())
    repeat, baseline = action_named(hands.table, "Repeat this cell"), action_named(hands.table, "Use as baseline")
    assert not repeat.isEnabled()
    click_row(hands.qtbot, hands.table, 0)
    assert repeat.isEnabled()
    assert not baseline.isEnabled()  # it is that already
    click_row(hands.qtbot, hands.table, 2)
    assert not baseline.isEnabled()  # it has no samples
    comparison.plan = None
    hands.state.show_comparison(comparison)
    assert not repeat.isEnabled()
    assert action_named(hands.table, "Show trial").isEnabled()


def test_that_another_baseline_gives_another_answer(hands: Hands) -> None:
    comparison = hands.show(two_rows())
    assert hands.column("To the baseline")[0] == "baseline"
    comparison.baseline = 1
    hands.state.show_comparison(comparison)
    found = hands.column("To the baseline")
    assert found[1] == "baseline"
    assert found[0].startswith("1.30 × slower")


def test_that_the_enter_key_shows_the_trial(hands: Hands) -> None:
    comparison = hands.show(two_rows())
    click_row(hands.qtbot, hands.table, 1)
    hands.table.setFocus()
    with hands.qtbot.waitSignal(hands.panel.show_trial_requested) as asked:
        hands.qtbot.keyClick(hands.table, Qt.Key.Key_Return)
    assert asked.args == [comparison.runs[1]]


# ---- Pictures and colours ----


@pytest.mark.parametrize("page", ComparisonPage)
def test_that_each_chart_can_be_had_as_a_picture(hands: Hands, page: ComparisonPage) -> None:
    hands.show(sweep())
    hands.panel.charts.show_page(page)
    image = QImage.fromData(hands.panel.picture())
    assert image.width() >= 2 * hands.panel.charts.plots[0].width()
    assert image.height() > 2 * hands.panel.charts.plots[0].height()
    colors = {image.pixelColor(x, y).name() for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert len(colors) > 3


def test_that_every_page_is_drawn_in_the_colours_of_the_palette(hands: Hands) -> None:
    hands.show(with_failure())
    try:
        for scheme in (ColorScheme.LIGHT, ColorScheme.DARK):
            theme.apply_color_scheme(scheme)
            for page in ComparisonPage:
                hands.panel.charts.show_page(page)
                image = hands.panel.grab().toImage()
                corner = image.pixelColor(image.width() // 2, image.height() - 12)
                is_dark = theme.is_dark(hands.panel.palette())
                assert (corner.lightness() < 128) is is_dark
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)
