"""The options of a session, as the page shows and takes them."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.panels.session_page import SessionPage
from gui.records.log import LogSeverity
from gui.records.trial import ExecutionMode, Optimization, SessionSettings

from ..finding import child, show, spoken_name

EVERYTHING = SessionSettings(
    optimization=Optimization.BASIC,
    inter_op_threads=3,
    execution_mode=ExecutionMode.PARALLEL,
    memory_pattern=False,
    memory_arena=False,
    deterministic=True,
    log_severity=LogSeverity.VERBOSE,
    strict=True,
    config=(("session.set_denormal_as_zero", "1"),),
)


class Hands:
    """A page and how often it told of a change."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.page = SessionPage()
        self.told = 0
        self.page.choices_changed.connect(self._count)
        show(qtbot, self.page, 396, 260)

    def _count(self) -> None:
        self.told += 1

    def choose(self, name: str, text: str) -> None:
        combo = child(self.page, QComboBox, name)
        combo.setCurrentIndex(combo.findText(text))

    def enter(self, name: str, text: str) -> None:
        box = child(self.page, QSpinBox, name)
        box.setFocus()
        box.selectAll()
        self.qtbot.keyClicks(box, text)
        self.qtbot.keyClick(box, Qt.Key.Key_Return)

    def tick(self, name: str) -> None:
        child(self.page, QCheckBox, name).click()

    def config(self) -> QTableView:
        return child(self.page, QTableView, "Session-config entries")

    def defaults(self) -> QPushButton:
        return child(self.page, QPushButton, "Back to defaults")


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


# ---- What is shown and taken ----


def test_that_a_page_begins_with_what_ort_does_by_itself(hands: Hands) -> None:
    assert (hands.page.session, hands.page.intra_op_threads) == (SessionSettings(), 0)
    assert hands.page.problem() is None
    assert child(hands.page, QSpinBox, "Intra-op threads").text() == "ORT's choice"
    assert not hands.defaults().isEnabled()


def test_that_options_shown_come_back_and_nobody_is_told(hands: Hands, tmp_path: Path) -> None:
    options = replace(EVERYTHING, optimized_model_path=str(tmp_path / "x.onnx"))
    defaults = SessionSettings()
    assert all(getattr(options, field.name) != getattr(defaults, field.name) for field in fields(options))
    hands.page.show_choices(options, 7)
    assert (hands.page.session, hands.page.intra_op_threads) == (options, 7)
    assert hands.told == 0


@pytest.mark.parametrize("level", list(Optimization))
@pytest.mark.parametrize("severity", [None, *LogSeverity])
def test_that_every_level_and_severity_can_be_shown(
    hands: Hands, level: Optimization, severity: LogSeverity | None
) -> None:
    options = SessionSettings(optimization=level, log_severity=severity)
    hands.page.show_choices(options, 0)
    assert hands.page.session == options


def test_that_every_field_is_taken_and_told_of(hands: Hands, tmp_path: Path) -> None:
    hands.enter("Intra-op threads", "7")
    hands.choose("Optimisation level", "basic")
    hands.choose("Execution mode", "parallel")
    hands.enter("Inter-op threads", "3")
    hands.choose("Log severity", "verbose")
    for name in ("Memory pattern", "Memory arena", "Deterministic", "Strict"):
        hands.tick(name)
    assert hands.told == 9
    edit = child(hands.page, QLineEdit, "Save the optimised model")
    edit.setFocus()
    hands.qtbot.keyClicks(edit, str(tmp_path / "x.onnx"))
    hands.qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert hands.told == 10
    model = hands.config().model()
    model.setData(model.index(0, 0), "session.set_denormal_as_zero=1")
    assert hands.told == 11
    expected = replace(EVERYTHING, optimized_model_path=str(tmp_path / "x.onnx"))
    assert (hands.page.session, hands.page.intra_op_threads) == (expected, 7)


def test_that_a_number_half_typed_is_not_taken(hands: Hands) -> None:
    box = child(hands.page, QSpinBox, "Intra-op threads")
    box.setFocus()
    box.selectAll()
    hands.qtbot.keyClicks(box, "12")
    assert (hands.page.intra_op_threads, hands.told) == (0, 0)
    box.clearFocus()
    assert (hands.page.intra_op_threads, hands.told) == (12, 1)


@pytest.mark.parametrize(("count", "text"), [(0, "ORT's choice"), (1, "1 thread"), (4, "4 threads")])
def test_that_the_unit_of_threads_is_told(hands: Hands, count: int, text: str) -> None:
    hands.page.show_choices(SessionSettings(), count)
    assert child(hands.page, QSpinBox, "Intra-op threads").text() == text


def test_that_inter_op_threads_can_be_set_only_with_parallel_execution_and_are_kept(hands: Hands) -> None:
    box = child(hands.page, QSpinBox, "Inter-op threads")
    assert not box.isEnabled()
    assert "only with parallel execution" in box.toolTip()
    hands.choose("Execution mode", "parallel")
    assert box.isEnabled()
    assert "only with parallel execution" not in box.toolTip()
    hands.enter("Inter-op threads", "3")
    hands.choose("Execution mode", "sequential")
    assert not box.isEnabled()
    assert hands.page.session.inter_op_threads == 3


def test_that_defaults_set_everything_back_and_tell_once(hands: Hands, tmp_path: Path) -> None:
    hands.page.show_choices(replace(EVERYTHING, optimized_model_path=str(tmp_path / "x.onnx")), 7)
    assert hands.defaults().isEnabled()
    hands.qtbot.mouseClick(hands.defaults(), Qt.MouseButton.LeftButton)
    assert (hands.page.session, hands.page.intra_op_threads, hands.told) == (SessionSettings(), 0, 1)
    assert not hands.defaults().isEnabled()


# ---- What is wrong ----


def test_that_strict_is_a_problem_only_where_the_target_forbids_it(hands: Hands) -> None:
    sentence = "The target is the CPU EP itself. Switch Strict off."
    hands.page.set_strict_obstacle(sentence)
    assert hands.page.problem() is None
    hands.tick("Strict")
    assert hands.page.problem() == sentence
    assert sentence in child(hands.page, QCheckBox, "Strict").toolTip()
    hands.page.set_strict_obstacle(None)
    assert hands.page.problem() is None
    assert sentence not in child(hands.page, QCheckBox, "Strict").toolTip()


def test_that_a_place_that_is_not_there_is_a_problem(hands: Hands, tmp_path: Path) -> None:
    hands.page.show_choices(SessionSettings(optimized_model_path=str(tmp_path / "gone" / "x.onnx")), 0)
    problem = hands.page.problem()
    assert problem is not None
    assert problem.startswith(f"There is no folder {tmp_path / 'gone'}.")


def test_that_a_wrong_entry_is_a_problem(hands: Hands) -> None:
    hands.page.show_choices(SessionSettings(config=(("session.execution_mode", "1"),)), 0)
    assert hands.page.problem() == (
        "“session.execution_mode” has a field of its own: set “Execution” and remove the entry."
    )


# ---- Room and keys ----


@pytest.mark.parametrize("options", [SessionSettings(), EVERYTHING])
def test_that_everything_fits_the_panel_without_scrolling(hands: Hands, options: SessionSettings) -> None:
    hands.page.show_choices(options, 0)
    QApplication.processEvents()
    (area,) = hands.page.findChildren(QScrollArea)
    assert (area.verticalScrollBar().maximum(), area.horizontalScrollBar().maximum()) == (0, 0)


def test_that_tab_goes_through_the_fields_in_the_order_they_are_read(hands: Hands) -> None:
    hands.page.show_choices(EVERYTHING, 0)
    child(hands.page, QSpinBox, "Intra-op threads").setFocus()
    reached = []
    for _ in range(13):
        focused: QWidget | None = QApplication.focusWidget()
        assert focused is not None
        reached.append(spoken_name(focused))
        hands.qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert reached == [
        "Intra-op threads",
        "Inter-op threads",
        "Optimisation level",
        "Execution mode",
        "Log severity",
        "Strict",
        "Memory pattern",
        "Memory arena",
        "Deterministic",
        "Save the optimised model",
        "Choose: Save the optimised model",
        "Back to defaults",
        "Session-config entries",
    ]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("I", "Intra-op threads"),
        ("N", "Inter-op threads"),
        ("O", "Optimisation level"),
        ("X", "Execution mode"),
        ("L", "Log severity"),
        ("R", "Session-config entries"),
    ],
)
def test_that_a_field_is_reached_by_its_letter(hands: Hands, key: str, name: str) -> None:
    hands.page.show_choices(EVERYTHING, 0)
    child(hands.page, QPushButton, "Choose: Save the optimised model").setFocus()
    hands.qtbot.keyClick(hands.page, getattr(Qt.Key, f"Key_{key}"), Qt.KeyboardModifier.AltModifier)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert spoken_name(focused) == name
