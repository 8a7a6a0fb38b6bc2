"""How a trial is run, as the page shows and takes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.dialogs.tolerances import TolerancesDialog
from gui.panels.run_page import RunPage
from gui.records.check import CheckSettings, Tolerance
from gui.records.trial import MAX_SECONDS, Binding, StopRule
from gui.settings import RunChoices, StopKind

from ..finding import child, show, shown_texts, spoken_name, wait_until_gone


class Hands:
    """A page and how often it told of a change."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.page = RunPage()
        self.told = 0
        self.page.choices_changed.connect(self._count)
        show(qtbot, self.page, 396, 260)

    def _count(self) -> None:
        self.told += 1

    def choose(self, name: str, text: str) -> None:
        combo = child(self.page, QComboBox, name)
        combo.setCurrentIndex(combo.findText(text))

    def enter(self, name: str, text: str, kind: type[QAbstractSpinBox] = QSpinBox) -> None:
        box = child(self.page, kind, name)
        box.setFocus()
        box.selectAll()
        self.qtbot.keyClicks(box, text)
        self.qtbot.keyClick(box, Qt.Key.Key_Return)

    @property
    def compare(self) -> QCheckBox:
        return child(self.page, QCheckBox, "Compare the outputs with the CPU's")

    def tolerances(self) -> QPushButton:
        """The button, whatever is on it."""
        (found,) = (button for button in self.page.findChildren(QPushButton) if "olerances" in button.text())
        return found

    def open_tolerances(self) -> TolerancesDialog:
        self.tolerances().click()
        dialog = self.page.findChildren(TolerancesDialog)[-1]
        self.qtbot.waitUntil(dialog.isVisible)
        return dialog

    def set_tolerance(self, element: str, absolute: str, relative: str) -> None:
        dialog = self.open_tolerances()
        model = dialog.findChildren(QTableView)[0].model()
        (row,) = (number for number in range(model.rowCount()) if model.index(number, 0).data() == element)
        assert model.setData(model.index(row, 1), absolute)
        assert model.setData(model.index(row, 2), relative)
        dialog.accept()
        wait_until_gone(self.qtbot, dialog)

    def fields(self) -> list[str]:
        """The names of the fields that are to be seen."""
        kinds = (QAbstractSpinBox, QComboBox)
        return [spoken_name(field) for kind in kinds for field in self.page.findChildren(kind) if field.isVisible()]

    def text(self, name: str, kind: type[QAbstractSpinBox] = QDoubleSpinBox) -> str:
        return child(self.page, kind, name).text()


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


OWN = Tolerance(type="float16", absolute=0.5, relative=0.25)
EVERYTHING = RunChoices(
    warmup=3,
    stop_kind=StopKind.STABLE,
    iterations=1234,
    seconds=2.5,
    stable_percent=0.5,
    longest_s=42,
    binding=Binding.IO_BINDING,
    callers=8,
    pause_ms=0.125,
    run_timeout_s=7.5,
    check=CheckSettings(enabled=False, tolerances=(OWN,)),
)


# ---- What is shown and taken ----


def test_that_a_page_begins_with_the_defaults(hands: Hands) -> None:
    assert hands.page.choices == RunChoices()
    assert hands.page.problem() is None
    assert hands.text("Pause between runs") == "none"
    assert hands.text("Longest run") == "no limit"


@pytest.mark.parametrize("kind", list(StopKind))
def test_that_choices_shown_come_back_and_nobody_is_told(hands: Hands, tmp_path: Path, kind: StopKind) -> None:
    choices = replace(EVERYTHING, stop_kind=kind, outputs_folder=str(tmp_path))
    hands.page.show_choices(choices)
    assert hands.page.choices == choices
    assert hands.told == 0


def test_that_every_field_is_taken_and_told_of(hands: Hands, tmp_path: Path) -> None:
    hands.enter("Warm-up", "3")
    hands.enter("Iterations", "1234")
    hands.choose("What the trial stops after", "seconds")
    hands.enter("Seconds", "2.5", QDoubleSpinBox)
    hands.choose("What the trial stops after", "until stable")
    hands.enter("Median within, percent", "0.5", QDoubleSpinBox)
    hands.enter("At most, seconds", "42", QDoubleSpinBox)
    hands.choose("Hand-over", "IO binding")
    hands.enter("Concurrent callers", "8")
    hands.enter("Pause between runs", "0.125", QDoubleSpinBox)
    hands.enter("Longest run", "7.5", QDoubleSpinBox)
    assert hands.told == 11
    edit = child(hands.page, QLineEdit, "Save the outputs")
    edit.setFocus()
    hands.qtbot.keyClicks(edit, str(tmp_path))
    hands.qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert hands.told == 12
    hands.set_tolerance("float16", "0.5", "0.25")
    assert hands.told == 13
    hands.compare.click()
    assert hands.told == 14
    assert hands.page.choices == replace(EVERYTHING, outputs_folder=str(tmp_path))


def test_that_a_number_half_typed_is_not_taken(hands: Hands) -> None:
    box = child(hands.page, QSpinBox, "Iterations")
    box.setFocus()
    box.selectAll()
    hands.qtbot.keyClicks(box, "50")
    assert (hands.page.choices.iterations, hands.told) == (200, 0)
    box.clearFocus()
    assert (hands.page.choices.iterations, hands.told) == (50, 1)


def test_that_a_limit_too_small_to_be_shown_does_not_become_none(hands: Hands) -> None:
    hands.page.show_choices(RunChoices(run_timeout_s=0.0001))
    assert hands.page.choices.run_timeout_s == 0.001


def test_that_the_longest_times_fit(hands: Hands) -> None:
    choices = RunChoices(seconds=MAX_SECONDS, longest_s=MAX_SECONDS, run_timeout_s=MAX_SECONDS)
    hands.page.show_choices(choices)
    assert hands.page.choices == choices


# ---- Stop rules ----


@pytest.mark.parametrize(
    ("text", "shown", "rule"),
    [
        ("iterations", ["Iterations"], StopRule(iterations=1234)),
        ("seconds", ["Seconds"], StopRule(seconds=2.5)),
        (
            "until stable",
            ["Median within, percent", "At most, seconds"],
            StopRule(seconds=42, stable_percent=0.5),
        ),
    ],
)
def test_that_only_the_numbers_of_the_rule_chosen_are_to_be_seen(
    hands: Hands, text: str, shown: list[str], rule: StopRule
) -> None:
    hands.page.show_choices(EVERYTHING)
    hands.choose("What the trial stops after", text)
    numbers = {"Iterations", "Seconds", "Median within, percent", "At most, seconds"}
    assert [name for name in hands.fields() if name in numbers] == shown
    assert hands.page.choices.stop_rule == rule


def test_that_the_numbers_of_rules_not_chosen_are_kept(hands: Hands) -> None:
    hands.page.show_choices(EVERYTHING)
    for text in ("iterations", "seconds", "until stable"):
        hands.choose("What the trial stops after", text)
        assert replace(hands.page.choices, stop_kind=StopKind.STABLE) == EVERYTHING


# ---- What can be trusted ----


def test_that_the_page_says_what_is_timed(hands: Hands) -> None:
    assert any(text.startswith("Only run is timed") for text in shown_texts(hands.page))
    hands.choose("Hand-over", "IO binding")
    assert any(text.startswith("Only run_with_iobinding is timed") for text in shown_texts(hands.page))


@pytest.mark.parametrize("choices", [RunChoices(callers=2), RunChoices(pause_ms=1)])
def test_that_with_callers_or_pauses_it_is_said_what_the_throughput_is(hands: Hands, choices: RunChoices) -> None:
    assert not any("wall-clock" in text for text in shown_texts(hands.page))
    hands.page.show_choices(choices)
    assert any("wall-clock" in text for text in shown_texts(hands.page))


def test_that_a_file_in_place_of_the_folder_is_a_problem(hands: Hands, tmp_path: Path) -> None:
    hands.page.show_choices(RunChoices(outputs_folder=str(tmp_path / "gone")))
    assert hands.page.problem() is None
    (tmp_path / "file").touch()
    hands.page.show_choices(RunChoices(outputs_folder=str(tmp_path / "file")))
    assert hands.page.problem() == f"{tmp_path / 'file'} is a file. Choose a folder."


# ---- Whether outputs are compared ----


def test_that_tolerances_of_ones_own_are_told_on_the_button_and_named_in_its_tip(hands: Hands) -> None:
    button = hands.tolerances()
    assert button.text() == "Tolerances…"
    hands.page.show_choices(RunChoices(check=CheckSettings(tolerances=(OWN,))))
    assert button.text() == "Own tolerances…"
    assert "float16" in button.toolTip()
    hands.page.show_choices(RunChoices())
    assert button.text() == "Tolerances…"
    assert "float16" not in button.toolTip()


def test_that_tolerances_cannot_be_set_while_nothing_is_compared_and_are_kept(hands: Hands) -> None:
    hands.page.show_choices(RunChoices(check=CheckSettings(tolerances=(OWN,))))
    hands.compare.click()
    assert not hands.tolerances().isEnabled()
    assert hands.page.choices.check == CheckSettings(enabled=False, tolerances=(OWN,))
    hands.compare.click()
    assert hands.tolerances().isEnabled()
    assert hands.page.choices.check == CheckSettings(tolerances=(OWN,))


def test_that_a_dialog_that_is_left_or_changes_nothing_tells_nobody(hands: Hands) -> None:
    hands.page.show_choices(RunChoices(check=CheckSettings(tolerances=(OWN,))))
    for end in ("reject", "accept"):
        dialog = hands.open_tolerances()
        getattr(dialog, end)()
        wait_until_gone(hands.qtbot, dialog)
    assert hands.told == 0
    assert hands.page.choices.check.tolerances == (OWN,)


# ---- Room and keys ----


def test_that_everything_fits_the_panel_without_scrolling(hands: Hands) -> None:
    hands.page.show_choices(replace(EVERYTHING, check=CheckSettings(tolerances=(OWN,))))
    QApplication.processEvents()
    (area,) = hands.page.findChildren(QScrollArea)
    assert (area.verticalScrollBar().maximum(), area.horizontalScrollBar().maximum()) == (0, 0)


def test_that_tab_goes_through_the_fields_in_the_order_they_are_read(hands: Hands) -> None:
    hands.page.show_choices(replace(EVERYTHING, check=CheckSettings()))
    child(hands.page, QDoubleSpinBox, "Median within, percent").setFocus()
    reached = []
    for _ in range(12):
        focused: QWidget | None = QApplication.focusWidget()
        assert focused is not None
        reached.append(spoken_name(focused))
        hands.qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert reached == [
        "Median within, percent",
        "What the trial stops after",
        "At most, seconds",
        "Warm-up",
        "Pause between runs",
        "Concurrent callers",
        "Longest run",
        "Hand-over",
        "Save the outputs",
        "Choose: Save the outputs",
        "Compare the outputs with the CPU's",
        "Tolerances…",
    ]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("A", "Iterations"),
        ("W", "Warm-up"),
        ("U", "Pause between runs"),
        ("C", "Concurrent callers"),
        ("G", "Longest run"),
    ],
)
def test_that_a_field_is_reached_by_its_letter(hands: Hands, key: str, name: str) -> None:
    child(hands.page, QPushButton, "Choose: Save the outputs").setFocus()
    hands.qtbot.keyClick(hands.page, getattr(Qt.Key, f"Key_{key}"), Qt.KeyboardModifier.AltModifier)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert spoken_name(focused) == name
