"""The history's panel beside what would tell it: what it shows, and what it asks for when."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QIcon, QImage
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from gui import theme
from gui.dialogs.trial_words import TrialWordsDialog
from gui.panels.history_panel import HistoryPanel
from gui.panels.undo_bar import UndoBar
from gui.panels.widgets import FailureBox, TableView
from gui.records.failure import Failure, FailureKind
from gui.records.placement import PlacementVerdict
from gui.records.result import Outcome
from gui.settings import ColorScheme
from gui.store.summaries import TrialSummary

from ..finding import child, click_row, rows_of, show, shown_texts
from ..models.test_history_table import summary

FULL = Failure(kind=FailureKind.STORE_UNUSABLE, message="There is no room left.", hint="Make room.", detail="full")
ASIDE = Failure(kind=FailureKind.STORE_DAMAGED, message="It was damaged.", hint="A new one is there.")


class Hands:
    """A panel, and what it asked for."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.panel = HistoryPanel()
        self.asked: list[tuple[Any, ...]] = []
        for name in ("read", "new", "look", "open", "compare", "comparison", "delete", "restore", "again"):
            getattr(self.panel, f"{name}_requested").connect(lambda *what, name=name: self.asked.append((name, *what)))
        self.panel.words_chosen.connect(lambda *what: self.asked.append(("words", *what)))
        self.panel.failure_dismissed.connect(lambda: self.asked.append(("dismissed",)))
        self.view = child(self.panel, QTableView, "History")

    def show(self) -> None:
        show(self.qtbot, self.panel, 900, 300)

    def fill(self, *rows: TrialSummary) -> None:
        self.panel.show_rows(list(rows))
        self.asked.clear()

    def shown(self) -> list[str]:
        return [row[1] for row in rows_of(self.view.model())]

    @property
    def hint(self) -> str:
        assert isinstance(self.view, TableView)
        return self.view.empty_hint

    def selected(self) -> list[str]:
        return [self.panel._model.row(number).id for number in self.panel._selected_rows()]

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(self.view, key, modifier)

    def said(self) -> list[str]:
        return shown_texts(self.panel)


@pytest.fixture
def hidden(qtbot: QtBot) -> Hands:
    hands = Hands(qtbot)
    qtbot.addWidget(hands.panel)
    return hands


@pytest.fixture
def hands(hidden: Hands) -> Hands:
    hidden.show()
    return hidden


@pytest.fixture
def filled(hands: Hands) -> Hands:
    """With three trials: the models c, b, a from top to bottom."""
    hands.fill(*(summary(number, model_name=name) for number, name in enumerate("abc", start=1)))
    return hands


# ---- When it asks ----


def test_that_it_asks_for_nothing_until_it_is_seen(hidden: Hands) -> None:
    hidden.panel.note_kept()
    hidden.panel.note_changed()
    assert hidden.asked == []
    assert not hidden.panel._look.isActive()
    hidden.show()
    assert hidden.asked == [("read",)]
    assert hidden.panel._look.isActive()


def test_that_it_looks_for_what_others_wrote_only_while_it_is_seen(filled: Hands) -> None:
    filled.panel.hide()
    assert not filled.panel._look.isActive()
    filled.panel.show()
    assert filled.asked == [("look",)]
    filled.panel._look.timeout.emit()
    assert filled.asked == [("look",), ("look",)]


def test_that_what_came_while_it_was_hidden_is_read_when_it_is_seen(filled: Hands) -> None:
    filled.panel.hide()
    filled.panel.note_kept()
    filled.panel.note_kept()
    assert filled.asked == []
    filled.panel.show()
    assert filled.asked == [("read",)]


def test_that_a_new_trial_is_asked_for_alone(filled: Hands) -> None:
    filled.panel.note_kept()
    assert filled.asked == [("new",)]
    filled.panel.add_rows([summary(4, model_name="d")])
    assert filled.shown() == ["d", "c", "b", "a"]


def test_that_a_trial_that_has_grown_is_shown_so_and_read_anew_when_it_grew_unseen(filled: Hands) -> None:
    click_row(filled.qtbot, filled.view, 1)
    filled.panel.update_rows([summary(2, model_name="grown")])
    assert filled.shown() == ["c", "grown", "a"]
    assert filled.selected() == ["id-2"]
    filled.panel.hide()
    filled.panel.update_rows([summary(2, model_name="more")])
    filled.panel.show()
    assert filled.asked == [("read",)]


def test_that_many_changes_are_read_once_and_once_more_when_others_come_meanwhile(filled: Hands) -> None:
    filled.panel.note_changed()
    filled.panel.note_changed()
    filled.qtbot.waitUntil(lambda: filled.asked == [("read",)])
    with filled.qtbot.waitSignal(filled.panel._soon.timeout):
        filled.panel.note_changed()
    assert filled.asked == [("read",)]  # the first is not answered yet
    filled.panel.show_rows([])
    filled.qtbot.waitUntil(lambda: filled.asked == [("read",), ("read",)])


# ---- What it shows ----


def test_that_an_empty_history_says_why(hands: Hands) -> None:
    assert "being read" in hands.hint
    hands.panel.show_failure(FULL)
    assert "cannot be read" in hands.hint
    hands.fill()
    assert "No trial was kept yet" in hands.hint
    hands.fill(summary(1))
    hands.qtbot.keyClicks(child(hands.panel, QLineEdit, "Filter trials"), "nothing")
    assert "passes the filter" in hands.hint
    assert "0 of 1 trial" in hands.said()


def test_that_words_outcome_and_placement_filter(filled: Hands) -> None:
    filled.fill(
        summary(1, model_name="a"),
        summary(2, model_name="b", outcome=Outcome.FAILED),
        summary(3, model_name="c", verdict=PlacementVerdict.NONE, note="night"),
    )
    outcomes = child(filled.panel, QComboBox, "Outcome")
    assert [outcomes.itemText(row) for row in range(4)] == ["Any outcome", "finished", "stopped", "failed"]
    outcomes.setCurrentIndex(3)
    assert filled.shown() == ["b"]
    outcomes.setCurrentIndex(0)
    verdicts = child(filled.panel, QComboBox, "Placement")
    verdicts.setCurrentIndex(verdicts.findText("none of the nodes"))
    assert filled.shown() == ["c"]
    assert "1 of 3 trials" in filled.said()
    verdicts.setCurrentIndex(0)
    filled.panel.focus_filter()
    filled.qtbot.keyClicks(child(filled.panel, QLineEdit, "Filter trials"), "NIGHT")
    assert filled.shown() == ["c"]


def test_that_a_click_on_a_title_sorts(filled: Hands) -> None:
    header = filled.view.horizontalHeader()
    assert (header.sortIndicatorSection(), header.sortIndicatorOrder()) == (0, Qt.SortOrder.DescendingOrder)
    filled.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert filled.shown() == ["a", "b", "c"]
    filled.panel.add_rows([summary(4, model_name="B")])
    assert filled.shown() == ["a", "B", "b", "c"]


def test_that_the_selection_stays_with_its_trials(filled: Hands) -> None:
    click_row(filled.qtbot, filled.view, 0)
    click_row(filled.qtbot, filled.view, 2, Qt.KeyboardModifier.ControlModifier)
    assert filled.selected() == ["id-3", "id-1"]
    filled.panel.add_rows([summary(4)])
    assert filled.selected() == ["id-3", "id-1"]
    filled.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert set(filled.selected()) == {"id-3", "id-1"}
    assert filled.panel._model.row(filled.view.currentIndex().row()).id == "id-1"
    filled.panel.show_rows([summary(2), summary(3)])
    assert filled.selected() == ["id-3"]


def test_that_the_icons_follow_the_colours(filled: Hands) -> None:
    def icon() -> QImage:
        found = filled.view.model().index(0, 3).data(Qt.ItemDataRole.DecorationRole)
        assert isinstance(found, QIcon)
        return found.pixmap(16, 16).toImage()

    try:
        theme.apply_color_scheme(ColorScheme.LIGHT)
        light = icon()
        theme.apply_color_scheme(ColorScheme.DARK)
        filled.qtbot.waitUntil(lambda: icon() != light)
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)


@pytest.mark.usefixtures("clipboard")
def test_that_rows_are_copied_with_their_titles(filled: Hands) -> None:
    click_row(filled.qtbot, filled.view, 0)
    click_row(filled.qtbot, filled.view, 1, Qt.KeyboardModifier.ShiftModifier)
    filled.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().split("\n")]
    assert [line[1] for line in lines] == ["Model", "c", "b"]
    assert len(lines[0]) == 16


# ---- Opened ----


def test_that_a_double_click_and_enter_open_what_is_selected_the_oldest_first(filled: Hands) -> None:
    click_row(filled.qtbot, filled.view, 1)
    area = filled.view.visualRect(filled.view.model().index(1, 0))
    filled.qtbot.mouseDClick(filled.view.viewport(), Qt.MouseButton.LeftButton, pos=area.center())
    assert filled.asked == [("open", ("id-2",))]
    filled.view.selectAll()
    filled.key(Qt.Key.Key_Return)
    assert filled.asked[1:] == [("open", ("id-1", "id-2", "id-3"))]


def test_that_far_too_many_are_not_opened(hands: Hands) -> None:
    hands.fill(*(summary(number) for number in range(1, 150)))
    hands.view.selectAll()
    hands.key(Qt.Key.Key_Return)
    assert hands.asked == []
    assert any("149 trials are selected" in text for text in hands.said())


def test_that_without_a_selection_nothing_can_be_done(filled: Hands) -> None:
    buttons = [child(filled.panel, QToolButton, name) for name in ("Open", "Tags and note", "Delete")]
    assert not any(button.isEnabled() for button in buttons)
    click_row(filled.qtbot, filled.view, 1)
    assert all(button.isEnabled() for button in buttons)
    filled.fill()
    assert not any(button.isEnabled() for button in buttons)


# ---- Compared ----


def compare_button(hands: Hands, name: str = "Compare") -> QToolButton:
    return child(hands.panel, QToolButton, name)


def test_that_two_or_more_are_compared_the_oldest_first(filled: Hands) -> None:
    assert not compare_button(filled).isEnabled()
    click_row(filled.qtbot, filled.view, 0)
    assert not compare_button(filled).isEnabled()  # a trial by itself
    click_row(filled.qtbot, filled.view, 2, Qt.KeyboardModifier.ControlModifier)
    filled.qtbot.mouseClick(compare_button(filled), Qt.MouseButton.LeftButton)
    filled.view.selectAll()
    filled.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert filled.asked == [("compare", ("id-1", "id-3")), ("compare", ("id-1", "id-2", "id-3"))]


def test_that_one_that_belongs_to_a_comparison_opens_the_whole(filled: Hands) -> None:
    filled.fill(summary(1), summary(2, comparison="some", cell_label="ggml", cell=1), summary(3))
    click_row(filled.qtbot, filled.view, 1)
    filled.qtbot.mouseClick(compare_button(filled, "Open its comparison"), Qt.MouseButton.LeftButton)
    assert filled.asked == [("comparison", "some")]
    click_row(filled.qtbot, filled.view, 0, Qt.KeyboardModifier.ControlModifier)
    assert compare_button(filled).isEnabled()
    filled.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert filled.asked[1:] == [("compare", ("id-2", "id-3"))]


def test_that_far_too_many_are_not_compared(hands: Hands) -> None:
    hands.fill(*(summary(number) for number in range(1, 150)))
    hands.view.selectAll()
    hands.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert hands.asked == []
    assert any("149 trials are selected" in text for text in hands.said())


def test_that_comparing_is_offered_in_the_menu_of_the_table(filled: Hands) -> None:
    assert "&Compare" in [action.text() for action in filled.view.actions()]


# ---- Described ----


def test_that_tags_and_note_of_the_selected_are_asked_for(filled: Hands) -> None:
    filled.fill(summary(1, tags=("a",)), summary(2, tags=("a", "b")))
    filled.view.selectAll()
    filled.key(Qt.Key.Key_F2)
    dialog = filled.panel.findChild(TrialWordsDialog)
    assert dialog is not None
    assert dialog.windowTitle() == "Tags and note of 2 trials"
    child(dialog, QLineEdit, "Tags").setText("c")
    dialog.accept()
    assert sorted(filled.asked) == [("words", ("id-1",), ("c",), None), ("words", ("id-2",), ("c", "b"), None)]


# ---- Deleted ----


def undo_button(hands: Hands) -> QPushButton:
    return child(hands.panel, QPushButton, "Undo")


def test_that_deleted_trials_are_offered_back(filled: Hands) -> None:
    click_row(filled.qtbot, filled.view, 0)
    click_row(filled.qtbot, filled.view, 1, Qt.KeyboardModifier.ShiftModifier)
    filled.key(Qt.Key.Key_Delete)
    assert filled.asked == [("delete", ("id-3", "id-2"))]
    assert filled.shown() == ["c", "b", "a"]  # until they are
    filled.panel.show_deleted(("id-3", "id-2"))
    assert filled.shown() == ["a"]
    assert filled.selected() == ["id-1"]
    assert "2 trials deleted." in filled.said()
    filled.qtbot.mouseClick(undo_button(filled), Qt.MouseButton.LeftButton)
    assert filled.asked[1:] == [("restore", ("id-3", "id-2"))]
    assert not undo_button(filled).isVisible()


def test_that_each_deletion_is_undone_by_itself_the_last_first(filled: Hands) -> None:
    filled.panel.show_deleted(("id-3",))
    filled.panel.show_deleted(("id-2", "id-1"))
    control = Qt.KeyboardModifier.ControlModifier
    filled.key(Qt.Key.Key_Z, control)
    assert "1 trial deleted." in filled.said()
    filled.key(Qt.Key.Key_Z, control)
    filled.key(Qt.Key.Key_Z, control)
    assert filled.asked == [("restore", ("id-2", "id-1")), ("restore", ("id-3",))]


def test_that_the_offer_can_be_dismissed(filled: Hands) -> None:
    filled.panel.show_deleted(("id-3",))
    bar = filled.panel.findChildren(UndoBar)[0]
    filled.qtbot.mouseClick(child(bar, QToolButton, "Dismiss"), Qt.MouseButton.LeftButton)
    assert not bar.isVisible()
    filled.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert filled.asked == []


def test_that_undoing_in_the_filter_is_the_filters(filled: Hands) -> None:
    filled.panel.show_deleted(("id-3",))
    field = child(filled.panel, QLineEdit, "Filter trials")
    field.setFocus()
    filled.qtbot.keyClicks(field, "b")
    filled.qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (field.text(), filled.asked) == ("", [])


# ---- Failures ----


def test_that_a_failure_stands_in_the_panel_and_can_be_tried_again(filled: Hands) -> None:
    filled.panel.show_failure(FULL)
    assert any("There is no room left." in text for text in filled.said())
    filled.qtbot.mouseClick(child(filled.panel, QPushButton, "Try again"), Qt.MouseButton.LeftButton)
    assert filled.asked == [("again",)]
    filled.panel.show_failure(None)
    filled.qtbot.waitUntil(lambda: filled.asked == [("again",), ("read",)])
    assert not filled.panel.findChildren(FailureBox)[0].isVisible()


def test_that_damage_offers_no_second_try_and_is_dismissed(filled: Hands) -> None:
    filled.panel.show_failure(ASIDE)
    assert [button for button in filled.panel.findChildren(QPushButton) if button.text() == "Try again"] == []
    box = filled.panel.findChildren(FailureBox)[0]
    filled.qtbot.mouseClick(child(box, QToolButton, "Close this message"), Qt.MouseButton.LeftButton)
    assert filled.asked == [("dismissed",)]
    assert [label for label in box.findChildren(QLabel) if label.isVisible()] == []
