"""Remarks below the charts: a line each at first, as a whole on request."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from gui.panels.remark_lines import RemarkLines
from gui.panels.widgets import ElidedLabel
from gui.records.latency_remarks import Remark, RemarkKind

from ..finding import show


def remark(text: str, advice: str = "Do something about it.") -> Remark:
    return Remark(kind=RemarkKind.DRIFTING, text=text, advice=advice)


class Hands:
    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.lines = RemarkLines()
        show(qtbot, self.lines, 300, 80)
        self.button = self.lines.findChildren(QToolButton)[0]

    def shown(self) -> list[str]:
        return [label.text() for label in self.lines.findChildren(ElidedLabel) if label.isVisible()]

    def whole(self) -> str:
        labels = [label for label in self.lines.findChildren(QLabel) if label.wordWrap() and label.isVisible()]
        return labels[0].text() if labels else ""

    def press(self) -> None:
        self.qtbot.mouseClick(self.button, Qt.MouseButton.LeftButton)


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


def test_that_two_remarks_are_shown_and_the_others_counted(hands: Hands) -> None:
    hands.lines.show_remarks((remark("One."), remark("Two."), remark("Three.")))
    assert hands.shown() == ["One. Do something about it.", "Two. Do something about it."]
    assert hands.button.text() == "+1 more"


def test_that_a_press_shows_all_of_them_as_a_whole(hands: Hands) -> None:
    hands.lines.show_remarks((remark("One."), remark("Two."), remark("Three.")))
    hands.press()
    assert hands.shown() == []
    assert hands.whole().splitlines() == [f"{text}. Do something about it." for text in ("One", "Two", "Three")]
    assert hands.button.text() == "Less"
    hands.press()
    assert (len(hands.shown()), hands.whole()) == (2, "")


def test_that_also_a_single_remark_can_be_read_as_a_whole(hands: Hands) -> None:
    hands.lines.show_remarks((remark("A long sentence that does not fit into a narrow panel at all."),))
    assert hands.button.text() == "More"
    hands.press()
    assert hands.whole().endswith("Do something about it.")


def test_that_other_remarks_begin_short_again(hands: Hands) -> None:
    hands.lines.show_remarks((remark("One."),))
    hands.press()
    hands.lines.show_remarks((remark("Another."),))
    assert hands.shown() == ["Another. Do something about it."]
    hands.lines.show_remarks(())
    assert not hands.lines.isVisible()
