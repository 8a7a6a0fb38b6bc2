"""The dialog that puts a comparison together, used by its widgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.dialogs.compare_targets import CompareTargetsDialog
from gui.models.compare_plan import CompareRow, PlanEstimate, compare_rows
from gui.models.compare_table import LABEL_COLUMN, OPTIONS_COLUMN, THREADS_COLUMN
from gui.records.comparison import DEFAULT_ROUNDS, DEFAULT_SECONDS, ComparisonPlan
from gui.records.setup import DimensionSweep
from gui.records.trial import StopRule
from gui.settings import ComparisonChoices
from gui.state import EngineStatus, ModelChoice, State

from ..finding import child, click_index, shown_texts, wait_until_gone
from ..models.makers import texts, trial
from ..models.test_compare_plan import CPU, DEVICES, GGML, OPTIONS, base
from ..panels.test_model_chooser import NET
from ..records.examples import GREETING

FIRST_POLICY = 3


class Hands:
    """A dialog over a state with three devices, and what it asked for."""

    def __init__(
        self,
        qtbot: QtBot,
        *,
        choices: ComparisonChoices | None = None,
        before: dict[str, CompareRow] | None = None,
        baseline: str = "",
        problem: Callable[[], str | None] = lambda: None,
        estimate: Callable[[ComparisonPlan], PlanEstimate] = lambda _plan: PlanEstimate(seconds=25, is_known=True),
        **fields: Any,
    ) -> None:
        self.qtbot = qtbot
        self.state = State()
        self.state.set_engine(EngineStatus.READY, GREETING)
        self.state.set_devices(DEVICES)
        self.state.set_model(ModelChoice(path=NET.path, description=NET))
        self._window = QWidget()
        qtbot.addWidget(self._window)
        self.dialog = CompareTargetsDialog(
            self.state,
            base(**{"first_ep": "ggml", "options": OPTIONS, **fields}),
            choices or ComparisonChoices(),
            before or {},
            baseline=baseline,
            problem=problem,
            estimate=estimate,
            parent=self._window,
        )
        self.view = child(self.dialog, QTableView, "Targets")
        self.plans: list[ComparisonPlan] = []
        self.dialog.comparison_requested.connect(self.plans.append)
        with qtbot.waitActive(self.dialog):
            self.dialog.open()
            self.dialog.activateWindow()

    @property
    def compare(self) -> QPushButton:
        return child(self.dialog, QPushButton, "Compare")

    @property
    def words(self) -> str:
        return " ".join(shown_texts(self.dialog))

    def press(self, name: str) -> None:
        self.qtbot.mouseClick(child(self.dialog, QPushButton, name), Qt.MouseButton.LeftButton)

    def tick(self, row: int) -> None:
        """Press Space on a row."""
        click_index(self.qtbot, self.view, self.view.model().index(row, LABEL_COLUMN))
        self.qtbot.keyClick(self.view, Qt.Key.Key_Space)

    def type_into_cell(self, row: int, column: int, text: str, *, end: bool = True) -> None:
        """Press F2 in a cell, type, and press Enter unless the editor shall stay open."""
        click_index(self.qtbot, self.view, self.view.model().index(row, column))
        self.qtbot.keyClick(self.view, Qt.Key.Key_F2)
        (editor,) = self.view.viewport().findChildren(QLineEdit)
        editor.selectAll()
        self.qtbot.keyClicks(editor, text)
        if end:
            self.qtbot.keyClick(editor, Qt.Key.Key_Return)
            self.qtbot.waitUntil(lambda: not self.view.viewport().findChildren(QLineEdit), timeout=5000)

    def type_sizes(self, name: str, text: str) -> None:
        field = child(self.dialog, QLineEdit, f"Size of {name}")
        field.selectAll()
        self.qtbot.keyClicks(field, text)

    def type_number(self, kind: type[QAbstractSpinBox], name: str, text: str) -> None:
        box = child(self.dialog, kind, name)
        box.setFocus()
        box.selectAll()
        self.qtbot.keyClicks(box, text)
        self.qtbot.keyClick(box, Qt.Key.Key_Tab)

    def choose(self, name: str, text: str) -> None:
        combo = child(self.dialog, QComboBox, name)
        row = combo.findText(text)
        assert row >= 0, [combo.itemText(n) for n in range(combo.count())]
        combo.setCurrentIndex(row)
        combo.activated.emit(row)  # what a click in the list emits


def labels(plan: ComparisonPlan) -> list[str]:
    return [cell.label for cell in plan.cells]


# ---- At once ----


def test_that_devices_are_compared_with_the_cpu_without_choosing_anything(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    assert "2 targets, 20 rounds each; about 25 s." in hands.words
    hands.press("Compare")
    (plan,) = hands.plans
    assert (labels(plan), plan.baseline, plan.rounds) == (["CPU", "ggml"], 0, DEFAULT_ROUNDS)
    assert [cell.settings.options for cell in plan.cells] == [(), OPTIONS]
    assert {cell.settings.stop_rule for cell in plan.cells} == {StopRule(seconds=DEFAULT_SECONDS)}
    wait_until_gone(qtbot, hands.dialog)


def test_that_cancel_compares_nothing(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    (box,) = hands.dialog.findChildren(QDialogButtonBox)
    qtbot.mouseClick(box.button(QDialogButtonBox.StandardButton.Cancel), Qt.MouseButton.LeftButton)
    wait_until_gone(qtbot, hands.dialog)
    assert hands.plans == []


# ---- Targets ----


def test_that_space_ticks_a_policy_and_takes_the_tick_away(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.tick(FIRST_POLICY)
    assert "3 targets" in hands.words
    hands.tick(FIRST_POLICY)
    assert "2 targets" in hands.words


def test_that_one_target_of_one_size_is_no_comparison(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.tick(0)
    assert "Tick two targets at least" in hands.words
    assert not hands.compare.isEnabled()
    hands.type_sizes("batch", "1, 8")
    assert "1 targets × 2 sizes = 2 cells" in hands.words
    hands.press("Compare")
    assert labels(hands.plans[0]) == ["ggml, batch 1", "ggml, batch 8"]


def test_that_wrong_options_are_told_until_they_are_right_or_not_wanted(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.type_into_cell(1, OPTIONS_COLUMN, "fast")
    assert "ggml: “fast” is no option: type key=value; key=value." in hands.words
    assert not hands.compare.isEnabled()
    hands.tick(1)
    hands.tick(FIRST_POLICY)
    assert hands.compare.isEnabled()
    hands.tick(1)
    hands.type_into_cell(1, OPTIONS_COLUMN, "fast=2; slow=0")
    hands.press("Compare")
    assert hands.plans[0].cells[1].settings.options == (("fast", "2"), ("slow", "0"))


def test_that_a_number_of_threads_that_is_none_is_told(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.type_into_cell(0, THREADS_COLUMN, "many")
    assert "“many” is no number of threads" in hands.words
    hands.type_into_cell(0, THREADS_COLUMN, "2")
    assert "is no number" not in hands.words
    hands.press("Compare")
    assert [cell.settings.intra_op_threads for cell in hands.plans[0].cells] == [2, 0]


def test_that_a_variant_has_options_and_threads_of_its_own(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    remove = child(hands.dialog, QPushButton, "Remove variant")
    click_index(qtbot, hands.view, hands.view.model().index(1, LABEL_COLUMN))
    assert not remove.isEnabled()
    hands.press("Add variant")
    assert remove.isEnabled()
    hands.type_into_cell(2, THREADS_COLUMN, "4")
    hands.press("Compare")
    cells = hands.plans[0].cells
    assert [cell.label for cell in cells] == ["CPU", "ggml", "ggml, threads=4"]
    assert [cell.settings.intra_op_threads for cell in cells] == [0, 0, 4]
    assert cells[1].settings.options == cells[2].settings.options == OPTIONS


def test_that_a_removed_variant_is_gone(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    before = texts(hands.view.model(), LABEL_COLUMN)
    click_index(qtbot, hands.view, hands.view.model().index(0, LABEL_COLUMN))
    hands.press("Add variant")
    assert len(texts(hands.view.model(), LABEL_COLUMN)) == len(before) + 1
    hands.press("Remove variant")
    assert texts(hands.view.model(), LABEL_COLUMN) == before


def test_that_a_row_that_cannot_run_has_no_variants(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    click_index(qtbot, hands.view, hands.view.model().index(2, LABEL_COLUMN))
    assert "QNN" in texts(hands.view.model(), LABEL_COLUMN)[2]
    assert not child(hands.dialog, QPushButton, "Add variant").isEnabled()


def test_that_two_equal_labels_are_told(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.type_into_cell(0, LABEL_COLUMN, "same")
    hands.type_into_cell(1, LABEL_COLUMN, "same")
    assert "Two targets have the label “same”" in hands.words
    assert not hands.compare.isEnabled()


def test_that_what_is_being_typed_counts_when_compare_is_pressed(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.type_into_cell(1, OPTIONS_COLUMN, "fast=3", end=False)
    hands.press("Compare")
    assert hands.plans[0].cells[1].settings.options == (("fast", "3"),)


# ---- Sizes and how much ----


def test_that_the_sizes_of_the_trial_are_shown_and_can_be_changed(qtbot: QtBot) -> None:
    hands = Hands(qtbot, sweeps=(DimensionSweep(name="batch", sizes=(1, 4, 16)),))
    assert child(hands.dialog, QLineEdit, "Size of batch").text() == "1, 4, 16"
    assert "2 targets × 3 sizes = 6 cells" in hands.words
    hands.type_sizes("batch", "2, x")
    assert "“x” is no size for batch" in hands.words
    assert not hands.compare.isEnabled()


def test_that_a_size_named_twice_is_measured_once(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.type_sizes("batch", "1, 8, 1")
    assert labels(hands.dialog.plan()) == ["CPU, batch 1", "CPU, batch 8", "ggml, batch 1", "ggml, batch 8"]


def test_that_more_than_a_hundred_cells_are_too_many(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.type_sizes("batch", ", ".join(map(str, range(1, 51))))
    assert hands.compare.isEnabled()
    hands.type_sizes("batch", ", ".join(map(str, range(1, 52))))
    assert "2 targets × 51 sizes are 102 cells; at most 100 are compared" in hands.words
    assert not hands.compare.isEnabled()


def test_that_rounds_and_amounts_are_those_of_the_plan(qtbot: QtBot) -> None:
    hands = Hands(qtbot, choices=ComparisonChoices(rounds=7, by_iterations=True, iterations=500))
    assert "7 rounds each" in hands.words
    hands.type_number(QSpinBox, "Iterations for each cell", "600")
    hands.type_number(QSpinBox, "Rounds", "1")
    assert "1 round;" in hands.words
    hands.press("Compare")
    assert hands.plans[0].rounds == 1
    assert {cell.settings.stop_rule for cell in hands.plans[0].cells} == {StopRule(iterations=600)}


def test_that_seconds_are_chosen_in_place_of_iterations(qtbot: QtBot) -> None:
    hands = Hands(qtbot, choices=ComparisonChoices(by_iterations=True))
    hands.choose("What is measured for each cell", "seconds for each")
    hands.type_number(QDoubleSpinBox, "Seconds for each cell", "1.5")
    assert hands.dialog.choices == ComparisonChoices(seconds=1.5)
    assert hands.dialog.plan().cells[0].settings.stop_rule == StopRule(seconds=1.5)


def test_that_a_time_that_is_not_known_is_called_a_lower_bound(qtbot: QtBot) -> None:
    hands = Hands(qtbot, estimate=lambda _plan: PlanEstimate(seconds=18, is_known=False))
    assert "2 targets, 20 rounds each; at least 18 s; known better after the first runs." in hands.words


# ---- The baseline ----


def test_that_the_baseline_is_one_of_the_ticked_targets(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    combo = child(hands.dialog, QComboBox, "Baseline")
    assert [combo.itemText(n) for n in range(combo.count())] == ["CPU", "ggml"]
    hands.choose("Baseline", "ggml")
    hands.tick(FIRST_POLICY)
    assert combo.currentText() == "ggml"
    hands.press("Compare")
    assert hands.plans[0].baseline == 1


def test_that_a_baseline_without_a_tick_gives_way_to_the_first(qtbot: QtBot) -> None:
    hands = Hands(qtbot, baseline="ggml")
    hands.tick(FIRST_POLICY)
    hands.tick(1)
    assert child(hands.dialog, QComboBox, "Baseline").currentText() == "CPU"
    assert hands.dialog.plan().baseline == 0


# ---- What is remembered, and what changes meanwhile ----


def test_that_what_was_typed_before_is_there_again(qtbot: QtBot) -> None:
    first = Hands(qtbot)
    first.tick(FIRST_POLICY)
    first.type_into_cell(1, OPTIONS_COLUMN, "own=1")
    click_index(qtbot, first.view, first.view.model().index(0, LABEL_COLUMN))
    first.press("Add variant")
    before = {row.key: row for row in first.dialog.rows}
    second = Hands(qtbot, before=before)
    assert labels(second.dialog.plan()) == ["CPU", "CPU (2)", "ggml", "DEFAULT"]
    assert second.dialog.plan().cells[2].settings.options == (("own", "1"),)


def test_that_devices_that_come_and_go_are_followed(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    hands.tick(0)
    hands.state.set_devices((CPU,))
    assert [row.key for row in hands.dialog.rows][0:2] == ["cpu", "policy DEFAULT"]
    hands.state.set_devices((CPU, GGML))
    assert [row.is_chosen for row in hands.dialog.rows][0:2] == [False, True]
    assert hands.dialog.rows == compare_rows(
        base(first_ep="ggml", options=OPTIONS), (CPU, GGML), {row.key: row for row in hands.dialog.rows}
    )


@pytest.mark.parametrize("why", ["busy", "outside"])
def test_that_nothing_is_compared_when_it_cannot_be(qtbot: QtBot, why: str) -> None:
    problems = [None] if why == "busy" else ["Getting ready…"]
    hands = Hands(qtbot, problem=lambda: problems[0])
    if why == "busy":
        hands.state.add_trial(trial(1))
        hands.state.set_work("profiling")
    words = "The engine is at other work." if why == "busy" else "Getting ready…"
    assert words in hands.words
    assert not hands.compare.isEnabled()
    hands.dialog.accept()
    assert hands.plans == []
