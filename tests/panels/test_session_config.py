"""Free session-config entries: typed with proposals, and refused where a field is meant."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QTableView
from pytestqt.qtbot import QtBot

from gui.panels.session_config import SessionConfigTable, config_catalogue

from ..finding import action_named, child, click_index, show, shown_texts

SPINNING = "session.intra_op.allow_spinning"


class Hands:
    """A table and how often it told of a change."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.table = SessionConfigTable()
        self.told = 0
        self.table.entries_changed.connect(self._count)
        show(qtbot, self.table, 400, 140)
        self.view = child(self.table, QTableView, "Session-config entries")

    def _count(self) -> None:
        self.told += 1

    def editor(self) -> QLineEdit:
        (editor,) = [edit for edit in self.view.viewport().findChildren(QLineEdit) if edit.isVisible()]
        return editor

    def open(self, row: int, column: int) -> QLineEdit:
        click_index(self.qtbot, self.view, self.view.model().index(row, column))
        return self.editor()

    def enter(self, row: int, column: int, text: str) -> None:
        editor = self.open(row, column)
        self.qtbot.keyClicks(editor, text)
        self.qtbot.keyClick(editor, Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: not self.view.viewport().findChildren(QLineEdit), timeout=5000)

    def proposals(self, editor: QLineEdit) -> list[str]:
        model = editor.completer().completionModel()
        return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


# ---- Typing ----


def test_that_an_entry_is_typed_as_key_and_value(hands: Hands) -> None:
    hands.enter(0, 0, "my.key")
    hands.enter(0, 1, "some value")
    assert hands.table.entries == (("my.key", "some value"),)
    assert hands.told == 2


def test_that_only_key_and_value_are_to_be_seen(hands: Hands) -> None:
    columns = range(hands.view.model().columnCount())
    assert [column for column in columns if not hands.view.isColumnHidden(column)] == [0, 1]


def test_that_well_known_keys_are_proposed_by_any_part_of_their_name(hands: Hands) -> None:
    editor = hands.open(0, 0)
    hands.qtbot.keyClicks(editor, "ALLOW_spin")
    popup = editor.completer().popup()
    assert popup is not None
    hands.qtbot.waitUntil(popup.isVisible, timeout=5000)
    assert hands.proposals(editor) == [SPINNING, "session.inter_op.allow_spinning"]
    hands.qtbot.keyClick(popup, Qt.Key.Key_Down)
    hands.qtbot.keyClick(popup, Qt.Key.Key_Return)
    hands.qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert hands.table.entries == ((SPINNING, ""),)
    assert hands.editor().accessibleName() == f"Value of {SPINNING}"  # Tab goes on to the value


def test_that_a_proposal_tells_what_it_does(hands: Hands) -> None:
    model = hands.open(0, 0).completer().model()
    tips = {
        model.index(row, 0).data(): model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole)
        for row in range(model.rowCount())
    }
    assert tips == {entry.key: entry.description for entry in config_catalogue().keys}


def test_that_the_values_of_a_well_known_key_are_proposed(hands: Hands) -> None:
    hands.table.show_entries((("session.graph_optimizations_loop_level", ""), ("my.key", "")))
    editor = hands.open(0, 1)
    assert hands.proposals(editor) == ["0", "1", "2"]
    hands.qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert hands.open(1, 1).completer() is None


def test_that_the_meaning_of_the_current_entry_is_told(hands: Hands) -> None:
    hands.table.show_entries((("my.key", "1"), (SPINNING, "0")))
    assert shown_texts(hands.table) == []
    hands.view.setCurrentIndex(hands.view.model().index(1, 1))
    (text,) = shown_texts(hands.table)
    assert text.startswith("Idle intra-op threads wait actively")
    assert text.endswith("Values: 0, 1; default 1.")
    hands.view.setCurrentIndex(hands.view.model().index(0, 1))
    assert shown_texts(hands.table) == []


def test_that_an_entry_is_removed(hands: Hands) -> None:
    hands.table.show_entries((("a", "1"), ("b", "2")))
    hands.view.setCurrentIndex(hands.view.model().index(0, 0))
    action_named(hands.view, "Remove entry").trigger()
    assert hands.table.entries == (("b", "2"),)
    hands.view.setFocus()
    hands.view.setCurrentIndex(hands.view.model().index(0, 1))
    hands.qtbot.keyClick(hands.view, Qt.Key.Key_Delete)
    assert not hands.table.entries


def test_that_there_is_nothing_to_remove_in_the_empty_row(hands: Hands) -> None:
    remove = action_named(hands.view, "Remove entry")
    hands.table.show_entries((("a", "1"),))
    hands.view.setCurrentIndex(hands.view.model().index(0, 0))
    assert remove.isEnabled()
    hands.view.setCurrentIndex(hands.view.model().index(1, 0))
    assert not remove.isEnabled()


def test_that_the_same_entries_again_are_no_change(hands: Hands) -> None:
    hands.table.show_entries((("a", "1"),))
    told = hands.told
    hands.table.show_entries((("a", "1"),))
    assert hands.told == told


# ---- What is wrong ----


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("session.disable_cpu_ep_fallback", "set “Strict”"),
        ("session.intra_op_num_threads", "set “Intra-op”"),
        ("session.optimized_model_filepath", "set “Save optimised”"),
        ("session.record_ep_graph_assignment_info", "always switched on"),
        ("session.compile_only", "choose Compile"),
        ("k" * 1025, "longer than ORT takes"),
    ],
)
def test_that_an_entry_that_is_not_free_is_a_problem_with_a_way_out(hands: Hands, key: str, told: str) -> None:
    hands.table.show_entries((("session.set_denormal_as_zero", "1"), (key, "1")))
    problem = hands.table.problem()
    assert problem is not None
    assert key[:40] in problem
    assert told in problem
    hands.table.show_entries((("session.set_denormal_as_zero", "1"), ("my.key", "1")))
    assert hands.table.problem() is None


def test_that_a_key_that_is_there_twice_is_a_problem(hands: Hands) -> None:
    hands.table.show_entries((("a", "1"), ("a", "2")))
    assert hands.table.problem() is not None


def test_that_no_key_is_proposed_that_is_refused(hands: Hands) -> None:
    for entry in config_catalogue().keys:
        hands.table.show_entries(((entry.key, ""),))
        assert hands.table.problem() is None, entry.key
