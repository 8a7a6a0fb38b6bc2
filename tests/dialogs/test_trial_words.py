"""Tags and note of kept trials, of one or several."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from gui.dialogs.trial_words import TrialWordsDialog

from ..finding import child, shown_texts

Told = list[tuple[tuple[str, ...], tuple[str, ...] | None, str | None]]


class Hands:
    """A dialog, and what it told."""

    def __init__(self, qtbot: QtBot, *trials: tuple[str, tuple[str, ...], str], known: tuple[str, ...] = ()) -> None:
        self.qtbot = qtbot
        self.dialog = TrialWordsDialog(trials, known)
        self.told: Told = []
        self.dialog.words_chosen.connect(lambda *words: self.told.append(words))
        with qtbot.waitActive(self.dialog):
            self.dialog.open()
            self.dialog.activateWindow()
        self.tags = child(self.dialog, QLineEdit, "Tags")
        self.note = child(self.dialog, QPlainTextEdit, "Note")

    def accept(self) -> Told:
        buttons = self.dialog.findChildren(QDialogButtonBox)[0]
        self.qtbot.mouseClick(buttons.button(QDialogButtonBox.StandardButton.Ok), Qt.MouseButton.LeftButton)
        return self.told


def test_that_tags_and_note_of_one_trial_are_shown_and_changed(qtbot: QtBot) -> None:
    hands = Hands(qtbot, ("1", ("a", "two words"), "before"))
    assert hands.tags.hasFocus()
    assert (hands.tags.text(), hands.note.toPlainText()) == ("a, two words", "before")
    hands.tags.setText(" a,, new , a")
    hands.note.setPlainText("after\nit")
    assert hands.accept() == [(("1",), ("a", "new"), "after\nit")]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_that_nothing_is_told_when_nothing_has_changed(qtbot: QtBot, key: Qt.Key) -> None:
    hands = Hands(qtbot, ("1", ("a",), "before"), ("2", ("a", "b"), "before"))
    qtbot.keyClick(hands.tags, key)
    assert hands.told == []


def test_that_only_what_has_changed_is_told(qtbot: QtBot) -> None:
    hands = Hands(qtbot, ("1", ("a",), "before"))
    hands.note.clear()
    assert hands.accept() == [(("1",), None, "")]


def test_that_tags_which_only_some_have_stay_with_them(qtbot: QtBot) -> None:
    hands = Hands(qtbot, ("1", ("a", "b"), "x"), ("2", ("a",), "y"), ("3", ("a",), "z"))
    assert (hands.tags.text(), hands.note.toPlainText()) == ("a", "")
    assert "differ" in hands.note.placeholderText()
    assert any("stay" in text for text in shown_texts(hands.dialog))
    hands.tags.setText("c")
    assert hands.accept() == [(("1",), ("c", "b"), None), (("2", "3"), ("c",), None)]


def test_that_differing_notes_are_replaced_only_by_what_is_written(qtbot: QtBot) -> None:
    hands = Hands(qtbot, ("1", (), "x"), ("2", (), "y"))
    hands.note.setPlainText("same")
    assert hands.accept() == [(("1", "2"), None, "same")]


def test_that_known_tags_are_offered_for_the_tag_being_typed(qtbot: QtBot) -> None:
    hands = Hands(qtbot, ("1", (), ""), known=("night", "noon"))
    qtbot.keyClicks(hands.tags, "first, NI")
    completer = hands.tags.completer()
    assert completer.currentCompletion() == "first, night"
