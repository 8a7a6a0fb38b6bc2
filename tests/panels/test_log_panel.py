"""The log: batches, filters, what was not seen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QTableView
from pytestqt.qtbot import QtBot

from gui.models.log_table import MAX_RECORDS
from gui.panels.log_panel import LogPanel
from gui.records.log import LogRecord, LogSeverity

from ..finding import child, rows_of, show
from ..models.makers import record


class Hands:
    """A panel, and the numbers of unseen messages it told."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.unseen: list[int] = []
        self.panel = LogPanel()
        self.panel.unseen_changed.connect(self.unseen.append)
        qtbot.addWidget(self.panel)
        self.view = child(self.panel, QTableView, "Log")
        self.total = 0

    def add(self, *records: LogRecord) -> None:
        """Let these come, and wait for the batch that shows them."""
        model = self.panel._model
        with self.qtbot.waitSignal(model.rowsInserted, timeout=5000):
            self.panel.add(records)

    def messages(self) -> list[str]:
        return [row[3] for row in rows_of(self.view.model())]


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


def test_that_records_of_one_moment_are_shown_in_one_batch(hands: Hands) -> None:
    batches: list[int] = []
    hands.panel._model.rowsInserted.connect(lambda _parent, first, last: batches.append(last - first + 1))
    hands.panel.add((record("one"), record("two")))
    assert hands.messages() == []
    hands.add(record("three", LogSeverity.ERROR))
    assert hands.messages() == ["one", "two", "three"]
    assert batches == [3]
    assert rows_of(hands.view.model())[2][1:3] == ["Error", "onnxruntime"]


def test_that_severity_and_words_filter_together(hands: Hands) -> None:
    hands.add(record("a cat"), record("a dog", LogSeverity.WARNING), record("a CAT", LogSeverity.FATAL))
    combo = child(hands.panel, QComboBox, "Show")
    combo.setCurrentIndex(combo.findData(LogSeverity.WARNING))
    assert hands.messages() == ["a dog", "a CAT"]
    hands.qtbot.keyClicks(child(hands.panel, QLineEdit, "Filter messages"), "cat")
    assert hands.messages() == ["a CAT"]
    combo.setCurrentIndex(combo.findData(LogSeverity.VERBOSE))
    assert hands.messages() == ["a cat", "a CAT"]


def test_that_every_severity_can_be_chosen(hands: Hands) -> None:
    combo = child(hands.panel, QComboBox, "Show")
    assert [combo.itemText(row) for row in range(combo.count())] == [
        "Verbose and worse",
        "Info and worse",
        "Warning and worse",
        "Error and worse",
        "Fatal",
    ]


@pytest.mark.usefixtures("clipboard")
def test_that_copy_all_takes_what_is_shown(hands: Hands) -> None:
    hands.add(record("one"), record("two", LogSeverity.ERROR), record("three", LogSeverity.ERROR))
    combo = child(hands.panel, QComboBox, "Show")
    combo.setCurrentIndex(combo.findData(LogSeverity.ERROR))
    hands.qtbot.mouseClick(child(hands.panel, QPushButton, "Copy all"), Qt.MouseButton.LeftButton)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert [line.split("\t")[3] for line in lines] == ["Message", "two", "three"]
    assert not hands.view.selectionModel().hasSelection()


def test_that_clear_forgets_also_what_waits_to_be_shown(hands: Hands) -> None:
    hands.add(record("one"))
    hands.panel.add((record("two"),))
    hands.qtbot.mouseClick(child(hands.panel, QPushButton, "Clear"), Qt.MouseButton.LeftButton)
    hands.add(record("three"))
    assert hands.messages() == ["three"]


def test_that_the_log_stays_bounded(hands: Hands) -> None:
    hands.add(*(record(str(number)) for number in range(MAX_RECORDS + 5)))
    hands.add(record("last"))
    assert len(hands.messages()) == MAX_RECORDS
    assert hands.messages()[0] == "6"
    assert hands.messages()[-1] == "last"


def test_that_warnings_and_worse_count_as_unseen_while_hidden(hands: Hands) -> None:
    hands.add(record("fine"), record("hm", LogSeverity.WARNING), record("oh", LogSeverity.FATAL))
    hands.add(record("fine"))
    hands.add(record("no", LogSeverity.ERROR))
    assert hands.unseen == [2, 3]
    hands.panel.mark_seen()
    hands.panel.mark_seen()
    assert hands.unseen == [2, 3, 0]


def test_that_what_comes_while_it_is_to_be_seen_is_seen(hands: Hands) -> None:
    show(hands.qtbot, hands.panel, 600, 300)
    hands.add(record("oh", LogSeverity.FATAL))
    assert hands.unseen == []


def test_that_it_follows_the_newest_unless_scrolled_up(hands: Hands) -> None:
    show(hands.qtbot, hands.panel, 600, 200)
    hands.add(*(record(str(number)) for number in range(100)))
    bar = hands.view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    bar.setValue(3)
    hands.add(record("last"))
    assert bar.value() == 3
