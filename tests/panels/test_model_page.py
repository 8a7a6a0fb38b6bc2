"""What is known of the model, searched and copied."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QLineEdit, QTreeView
from pytestqt.qtbot import QtBot

from gui.panels.model_page import ModelPage
from gui.records.model import ModelDescription, TensorInfo
from gui.records.placement import OpCount

from ..finding import child, click_index, show, shown_texts

NET = ModelDescription(
    path="/models/net.onnx",
    size_bytes=2048,
    inputs=(TensorInfo(name="ids", type="tensor(int64)", shape=("batch",)),),
    outputs=(TensorInfo(name="logits", type="tensor(float)", shape=("batch", 10)),),
    op_counts=tuple(OpCount(op_type=f"Op{number}", count=number) for number in range(5000, 0, -1)),
)


class Hands:
    """A page."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.page = ModelPage()
        show(qtbot, self.page, 400, 300)
        self.view = next(iter(self.page.findChildren(QTreeView)))
        self.filter = child(self.page, QLineEdit, "Filter what is known of the model")

    def groups(self) -> dict[str, list[tuple[str, str]]]:
        model = self.view.model()
        shown = {}
        for row in range(model.rowCount()):
            top = model.index(row, 0)
            pairs = [(model.index(n, 0, top).data(), model.index(n, 1, top).data()) for n in range(model.rowCount(top))]
            shown[str(top.data())] = pairs
        return shown


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


def test_that_without_a_model_it_says_what_to_do(hands: Hands) -> None:
    assert "Choose a model to see what it is made of." in shown_texts(hands.page)
    assert not hands.view.isVisible()
    assert not hands.filter.isEnabled()


def test_that_all_of_a_model_is_shown_operators_in_their_order(hands: Hands) -> None:
    hands.page.show_model(NET)
    groups = hands.groups()
    assert groups["Inputs"] == [("ids", "int64 [batch]")]
    assert groups["Outputs"] == [("logits", "float [batch, 10]")]
    assert groups["Operators"][0] == ("Op5000", "5000")
    assert len(groups["Operators"]) == 5000
    hands.page.show_model(None)
    assert hands.groups() == {}


def test_that_the_filter_leaves_what_holds_its_words(hands: Hands) -> None:
    hands.page.show_model(NET)
    hands.qtbot.keyClicks(hands.filter, "batch 10")
    assert hands.groups() == {"Outputs": [("logits", "float [batch, 10]")]}
    hands.filter.clear()
    assert len(hands.groups()["Operators"]) == 5000


def test_that_a_filter_that_leaves_nothing_says_so(hands: Hands) -> None:
    hands.page.show_model(NET)
    hands.qtbot.keyClicks(hands.filter, "nowhere")
    assert shown_texts(hands.page) == ["Nothing known of the model holds these words."]
    hands.filter.clear()
    assert hands.view.isVisible()


def test_that_the_filter_stays_for_the_next_model(hands: Hands) -> None:
    hands.page.show_model(NET)
    hands.filter.setText("op17")
    hands.page.show_model(ModelDescription(path="/op17.onnx", size_bytes=1, inputs=(), outputs=()))
    assert hands.groups() == {"Model": [("File", "/op17.onnx")]}


@pytest.mark.usefixtures("clipboard")
def test_that_lines_are_copied(hands: Hands) -> None:
    hands.page.show_model(NET)
    model = hands.view.model()
    titles = [str(model.index(row, 0).data()) for row in range(model.rowCount())]
    for number, title in enumerate(("Inputs", "Outputs")):
        top = model.index(titles.index(title), 0)
        modifier = Qt.KeyboardModifier.ControlModifier if number else Qt.KeyboardModifier.NoModifier
        click_index(hands.qtbot, hands.view, model.index(0, 0, top), modifier)
    hands.qtbot.keySequence(hands.view, QKeySequence(QKeySequence.StandardKey.Copy))
    assert QGuiApplication.clipboard().text() == "ids\tint64 [batch]\nlogits\tfloat [batch, 10]"
