"""Fields of forms: numbers as they are shown and typed, and the wheel."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from gui.panels.form import CountBox, FormPage, NumberBox, fill_combo

from ..finding import show


@pytest.mark.parametrize(
    ("value", "text"), [(5, "5"), (0.5, "0.5"), (2.125, "2.125"), (2.1254, "2.125"), (100, "100"), (86400, "86,400")]
)
def test_that_a_number_has_no_needless_zeros(qtbot: QtBot, value: float, text: str) -> None:
    box = NumberBox(0, 100_000)
    qtbot.addWidget(box)
    box.setValue(value)
    assert box.text() == text


def test_that_a_unit_follows_the_number(qtbot: QtBot) -> None:
    box = NumberBox(0, 100)
    qtbot.addWidget(box)
    box.setSuffix(" ms")
    box.setValue(2.5)
    assert box.text() == "2.5 ms"


@pytest.mark.parametrize("kind", [CountBox, NumberBox])
def test_that_a_number_half_typed_is_not_taken(qtbot: QtBot, kind: type[CountBox | NumberBox]) -> None:
    box = kind(0, 1000)
    show(qtbot, box, 200, 30)
    told: list[float] = []
    box.valueChanged.connect(told.append)
    box.selectAll()
    qtbot.keyClicks(box, "125")
    assert (box.value(), told) == (0, [])
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (box.value(), told) == (125, [125])


class Page(FormPage):
    """Two fields, and more rows than fit."""

    def __init__(self) -> None:
        super().__init__()
        self.count = CountBox(0, 100, self.body)
        self.combo = QComboBox(self.body)
        fill_combo(self.combo, (("one", 1, "The first"), ("two", 2, "The second")))
        self.add_field(0, 0, "Count", self.count)
        self.add_field(0, 2, "Kind", self.combo)
        filler = QWidget(self.body)
        filler.setMinimumHeight(500)
        self.grid.addWidget(filler, 1, 0)
        self.guard_fields()

    def scrolled(self) -> int:
        (area,) = self.findChildren(QScrollArea)
        return area.verticalScrollBar().value()

    def scroll_to_top(self) -> None:
        (area,) = self.findChildren(QScrollArea)
        area.verticalScrollBar().setValue(0)


def turn_wheel(widget: QWidget) -> None:
    """One notch towards the user, over the middle of a widget, as it comes from a mouse: Qt hands it on to parents."""
    window = widget.window()
    QTest.wheelEvent(window.windowHandle(), widget.mapTo(window, widget.rect().center()), QPoint(0, -120))


def test_that_the_wheel_scrolls_the_page_and_leaves_fields_without_the_focus_alone(qtbot: QtBot) -> None:
    page = Page()
    show(qtbot, page, 400, 200)
    page.count.setValue(50)
    page.count.clearFocus()
    turn_wheel(page.count)
    assert page.scrolled() > 0
    page.scroll_to_top()
    turn_wheel(page.combo)
    assert page.scrolled() > 0
    assert (page.count.value(), page.combo.currentIndex()) == (50, 0)


def test_that_the_wheel_turns_the_field_that_has_the_focus(qtbot: QtBot) -> None:
    page = Page()
    show(qtbot, page, 400, 200)
    page.count.setValue(50)
    page.count.setFocus()
    turn_wheel(page.count)
    assert page.count.value() < 50
    page.combo.setFocus()
    turn_wheel(page.combo)
    assert page.combo.currentIndex() == 1


def test_that_entries_of_a_choice_have_their_tips(qtbot: QtBot) -> None:
    page = Page()
    qtbot.addWidget(page)
    assert page.combo.itemData(1) == 2
    assert page.combo.itemData(1, Qt.ItemDataRole.ToolTipRole) == "The second"
