"""The findings about a library's file, below the list of libraries."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import QTableView, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels.check_box import ICONS, CheckBox
from gui.records.library_check import Mark
from gui.settings import ColorScheme

from ..finding import child, rows_of, show, spoken_name
from ..models.makers import check

GOOD = check(("format", Mark.GOOD), ("version", Mark.NOTE), format="ELF")
BAD = check(("format", Mark.GOOD), ("exports", Mark.BAD), format="ELF")


class Hands:
    """A box within a window, as in its panel."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.window = QWidget()
        self.box = CheckBox(self.window)
        layout = QVBoxLayout(self.window)
        layout.addWidget(self.box)
        layout.addStretch(1)
        show(qtbot, self.window, 400, 400)
        (self.head,) = self.box.findChildren(QToolButton)
        self.view = child(self.box, QTableView, "Findings about the file")

    def click_head(self) -> None:
        self.qtbot.mouseClick(self.head, Qt.MouseButton.LeftButton, pos=self.head.rect().center())

    def icon(self, row: int) -> QImage:
        icon = self.view.model().index(row, 0).data(Qt.ItemDataRole.DecorationRole)
        assert isinstance(icon, QIcon)
        return icon.pixmap(16, 16).toImage()


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


# ---- Whether it is there and open ----


def test_that_nothing_is_to_be_seen_without_a_check(hands: Hands) -> None:
    assert not hands.box.isVisible()
    hands.box.show_check(GOOD)
    assert hands.box.isVisible()
    hands.box.show_check(None)
    assert not hands.box.isVisible()
    hands.box.show_check(GOOD)
    assert hands.box.isVisible()


def test_that_a_check_without_a_fault_is_one_line_that_a_click_opens_and_closes(hands: Hands) -> None:
    hands.box.show_check(GOOD)
    assert hands.head.isVisible()
    assert not hands.view.isVisible()
    assert hands.head.arrowType() is Qt.ArrowType.RightArrow
    hands.click_head()
    assert hands.view.isVisible()
    assert hands.head.arrowType() is Qt.ArrowType.DownArrow
    hands.click_head()
    assert not hands.view.isVisible()
    assert hands.head.arrowType() is Qt.ArrowType.RightArrow


def test_that_the_line_is_opened_by_the_keyboard(hands: Hands) -> None:
    hands.box.show_check(GOOD)
    hands.head.setFocus()
    hands.qtbot.keyClick(hands.head, Qt.Key.Key_Space)
    assert hands.view.isVisible()


@pytest.mark.parametrize("mark", list(Mark))
def test_that_only_a_fault_opens_it_by_itself(hands: Hands, mark: Mark) -> None:
    hands.box.show_check(check(("format", Mark.GOOD), ("exports", mark)))
    assert hands.view.isVisible() is (mark is Mark.BAD)


def test_that_the_next_check_opens_or_closes_it_anew(hands: Hands) -> None:
    hands.box.show_check(BAD)
    hands.box.show_check(GOOD)
    assert not hands.view.isVisible()
    hands.box.show_check(BAD)
    assert hands.view.isVisible()


def test_that_the_same_check_again_leaves_it_as_the_user_put_it(hands: Hands) -> None:
    hands.box.show_check(BAD)
    hands.click_head()
    hands.box.show_check(check(("format", Mark.GOOD), ("exports", Mark.BAD), format="ELF"))
    assert not hands.view.isVisible()


# ---- What it shows ----


def test_that_the_line_sums_the_check_up_for_eyes_and_ears(hands: Hands) -> None:
    hands.box.show_check(BAD)
    assert hands.head.text() == spoken_name(hands.head) == "File cannot be loaded: ELF"
    hands.box.show_check(GOOD)
    assert hands.head.text() == spoken_name(hands.head) == "File in order: ELF"


def test_that_the_findings_of_the_newest_check_are_listed(hands: Hands) -> None:
    hands.box.show_check(GOOD)
    hands.box.show_check(BAD)
    assert rows_of(hands.view.model()) == [
        ["format", "in order", "format told"],
        ["exports", "wrong", "wrong: exports told"],
    ]


def test_that_the_first_fault_is_selected_and_to_be_seen(hands: Hands) -> None:
    marks = [Mark.GOOD] * 20 + [Mark.BAD, Mark.BAD]
    hands.box.show_check(check(*((f"topic {number}", mark) for number, mark in enumerate(marks))))
    assert [index.data() for index in hands.view.selectionModel().selectedRows()] == ["topic 20"]
    shown = hands.view.viewport().rect()
    hands.qtbot.waitUntil(
        lambda: shown.contains(hands.view.visualRect(hands.view.model().index(20, 0)).center()), timeout=1000
    )


def test_that_few_findings_are_all_seen_and_many_leave_room_for_the_rest(hands: Hands) -> None:
    row_height = hands.view.verticalHeader().defaultSectionSize()
    heights = []
    for count in (1, 3, 8, 30):
        hands.box.show_check(check(*((f"topic {number}", Mark.BAD) for number in range(count))))
        hands.qtbot.waitUntil(lambda: hands.view.height() == hands.view.maximumHeight(), timeout=1000)
        heights.append(hands.view.viewport().height())
    assert [height // row_height for height in heights] == [1, 3, 8, 8]


# ---- Icons ----


def test_that_each_mark_has_an_icon_of_its_own(hands: Hands) -> None:
    assert len(set(ICONS.values())) == len(Mark)
    hands.box.show_check(check(*((mark.value, mark) for mark in Mark)))
    icons = [hands.icon(row) for row in range(len(Mark))]
    assert all(one != other for number, one in enumerate(icons) for other in icons[:number])


def test_that_the_icons_follow_the_colours(hands: Hands) -> None:
    hands.box.show_check(BAD)
    before = hands.icon(1)
    try:
        theme.apply_color_scheme(ColorScheme.DARK)
        hands.qtbot.waitUntil(lambda: hands.icon(1) != before, timeout=1000)
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)
