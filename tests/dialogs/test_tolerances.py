"""The dialog for tolerances, used by its keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLineEdit, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from gui.dialogs.tolerances import TolerancesDialog
from gui.records.check import Tolerance

from ..finding import child, shown_texts, wait_until_gone

OWN = Tolerance(type="int8", absolute=1, relative=0)


class Hands:
    """A dialog and what it told."""

    def __init__(self, qtbot: QtBot, *tolerances: Tolerance) -> None:
        self.qtbot = qtbot
        self._window = QWidget()
        qtbot.addWidget(self._window)
        self.dialog = TolerancesDialog(tolerances, self._window)
        self.view = child(self.dialog, QTableView, "Tolerances by element type")
        self.chosen: list[tuple[Tolerance, ...]] = []
        self.dialog.tolerances_chosen.connect(self.chosen.append)
        with qtbot.waitActive(self.dialog):
            self.dialog.open()
            self.dialog.activateWindow()

    @property
    def ok(self) -> QPushButton:
        (box,) = self.dialog.findChildren(QDialogButtonBox)
        return box.button(QDialogButtonBox.StandardButton.Ok)

    @property
    def reset(self) -> QPushButton:
        return child(self.dialog, QPushButton, "Reset to defaults")

    @property
    def cell(self) -> tuple[int, int]:
        index = self.view.currentIndex()
        return index.row(), index.column()

    def key(self, key: Qt.Key) -> None:
        """Press a key where the focus is."""
        focused = QApplication.focusWidget()
        assert focused is not None
        self.qtbot.keyClick(focused, key)

    def end_editing(self) -> None:
        """Press Enter in a cell; Qt takes the number a moment later."""
        self.key(Qt.Key.Key_Return)
        self.qtbot.waitUntil(self.view.hasFocus)

    def type(self, text: str) -> None:
        """Type into the current cell, as far as an editor that is left open."""
        for letter in text:
            focused = QApplication.focusWidget()
            assert focused is not None
            self.qtbot.keyClicks(focused, letter)
        assert isinstance(QApplication.focusWidget(), QLineEdit)


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


def test_that_numbers_are_typed_one_after_the_other_without_the_mouse(hands: Hands) -> None:
    assert hands.cell == (0, 1)
    hands.type("0.5")
    hands.key(Qt.Key.Key_Tab)
    assert hands.cell == (0, 2)
    hands.type("0.25")
    hands.key(Qt.Key.Key_Tab)
    assert hands.cell == (1, 1)  # past the name
    hands.type("1e-3")
    hands.key(Qt.Key.Key_Backtab)
    assert hands.cell == (0, 2)
    hands.end_editing()
    assert hands.dialog.isVisible()  # that ended the editing alone
    hands.key(Qt.Key.Key_Return)
    wait_until_gone(hands.qtbot, hands.dialog)
    assert hands.chosen == [
        (
            Tolerance(type="float", absolute=0.5, relative=0.25),
            Tolerance(type="double", absolute=1e-3, relative=1e-6),
        )
    ]


def test_that_nothing_is_told_when_it_is_cancelled(hands: Hands) -> None:
    hands.type("5")
    hands.key(Qt.Key.Key_Escape)
    assert hands.dialog.isVisible()  # that left the number as it was
    hands.key(Qt.Key.Key_Escape)
    wait_until_gone(hands.qtbot, hands.dialog)
    assert hands.chosen == []


def test_that_a_number_being_typed_counts_when_ok_is_pressed(hands: Hands) -> None:
    hands.type("5")
    hands.qtbot.mouseClick(hands.ok, Qt.MouseButton.LeftButton)
    wait_until_gone(hands.qtbot, hands.dialog)
    assert hands.chosen == [(Tolerance(type="float", absolute=5, relative=1e-2),)]


def test_that_what_is_no_number_is_said_to_be_none_until_one_is_typed(hands: Hands) -> None:
    hands.type("x")
    hands.end_editing()
    assert "“x” is not a number of at least 0." in shown_texts(hands.dialog)
    hands.type("1")
    hands.end_editing()
    assert not any("not a number" in text for text in shown_texts(hands.dialog))


def test_that_everything_is_set_back_at_once(qtbot: QtBot) -> None:
    hands = Hands(qtbot, OWN, Tolerance(type="float", absolute=9, relative=9))
    hands.reset.click()
    assert not hands.reset.isEnabled()
    hands.ok.click()
    wait_until_gone(qtbot, hands.dialog)
    assert hands.chosen == [()]


def test_that_there_is_nothing_to_set_back_before_a_number_differs(hands: Hands) -> None:
    assert not hands.reset.isEnabled()
    hands.type("5")
    hands.end_editing()
    assert hands.reset.isEnabled()


def test_that_the_rule_is_explained(hands: Hands) -> None:
    text = " ".join(shown_texts(hands.dialog))
    assert "|a − b| ≤ absolute + relative · |b| for every element" in text
    assert "at most a tenth of the signal" in text
