"""The model: samples, recent ones, what is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels.model_chooser import ModelChooser
from gui.panels.widgets import FailureBox
from gui.records.failure import Failure, FailureKind
from gui.records.model import ModelDescription, TensorInfo
from gui.settings import Settings
from gui.state import ModelChoice, State

from ..finding import child, show, shown_texts
from ..models.makers import trial

SAMPLES = [path.stem for path in theme.sample_models()]
NOT_A_MODEL = Failure(kind=FailureKind.NOT_A_MODEL, message="net.onnx is not an ONNX model.", hint="Choose another.")
NET = ModelDescription(
    path="/models/net.onnx",
    size_bytes=2048,
    inputs=(TensorInfo(name="x", type="tensor(float)", shape=("batch", 3, None)),),
    outputs=(TensorInfo(name="y", type="tensor(int64)", shape=()),),
    node_count=1234,
    producer="me 1.0",
    description="What it is for.",
    opsets=(("com.microsoft", "1"), ("ai.onnx", "17")),
)


class Hands:
    """A chooser, and the models it asked for."""

    def __init__(self, qtbot: QtBot, state: State, settings: Settings) -> None:
        self.qtbot, self.state, self.settings = qtbot, state, settings
        self.wishes: list[str] = []
        self.open = QAction("Open model…")
        self.chooser = ModelChooser(state, settings, self.open)
        self.chooser.model_requested.connect(self.wishes.append)
        show(qtbot, self.chooser, 420, 300)
        self.combo = child(self.chooser, QComboBox, "Model")

    def entries(self) -> list[str]:
        return [self.combo.itemText(row) for row in range(self.combo.count())]


@pytest.fixture
def hands(qtbot: QtBot, state: State, settings: Settings) -> Hands:
    return Hands(qtbot, state, settings)


def test_that_the_samples_are_offered_at_first(hands: Hands) -> None:
    assert len(SAMPLES) >= 3
    assert hands.entries() == [f"{name} (sample)" for name in SAMPLES]
    assert hands.combo.currentIndex() == -1


def test_that_choosing_an_entry_by_hand_asks_for_its_file(hands: Hands) -> None:
    hands.qtbot.keyClick(hands.combo, Qt.Key.Key_Down)
    hands.qtbot.keyClick(hands.combo, Qt.Key.Key_Down)
    assert hands.wishes == [str(path) for path in theme.sample_models()[:2]]


def test_that_recent_models_follow_the_samples_each_once(hands: Hands, tmp_path: Path) -> None:
    for name in ("old.onnx", "new.onnx"):
        hands.settings.add_recent_model(str(tmp_path / name))
    hands.state.set_model(ModelChoice(path=str(tmp_path / "old.onnx")))
    assert hands.entries()[len(SAMPLES) :] == ["", "new.onnx", "old.onnx"]  # the first is the line between
    assert hands.combo.currentText() == "old.onnx"
    assert hands.combo.toolTip() == str(tmp_path / "old.onnx")


def test_that_a_model_not_used_before_is_in_the_list_too(hands: Hands) -> None:
    hands.state.set_model(ModelChoice(path="/models/net.onnx"))
    assert hands.entries()[-1] == hands.combo.currentText() == "net.onnx"
    assert hands.wishes == []  # it is the state's choice


def test_that_a_summary_is_shown(hands: Hands) -> None:
    hands.state.set_model(ModelChoice(path=NET.path, description=NET))
    (summary,) = [text for text in shown_texts(hands.chooser) if "nodes" in text]
    assert summary.split(" · ") == ["1234 nodes", "2.0 KiB", "opset 17", "me 1.0"]


def test_that_a_compiled_model_says_for_what(hands: Hands) -> None:
    hands.state.set_model(ModelChoice(path=NET.path, description=replace(NET, context_eps=("QNN",))))
    assert any("compiled for QNN" in text for text in shown_texts(hands.chooser))


def test_that_without_a_model_the_way_to_one_is_told(hands: Hands) -> None:
    assert any("drop an ONNX file" in text for text in shown_texts(hands.chooser))


def test_that_a_model_being_read_says_so(hands: Hands) -> None:
    hands.state.set_model(ModelChoice(path=NET.path, description=NET))
    hands.state.set_model(ModelChoice(path="/models/next.onnx"))
    assert "Reading the model…" in shown_texts(hands.chooser)


def test_that_a_model_that_waits_for_a_trial_says_so(hands: Hands) -> None:
    hands.state.add_trial(trial(1))
    hands.state.set_model(ModelChoice(path="/models/next.onnx"))
    assert "The model is read when the trial has ended." in shown_texts(hands.chooser)


def test_that_an_unusable_model_shows_its_failure_in_place_of_the_summary(hands: Hands) -> None:
    (box,) = hands.chooser.findChildren(FailureBox)
    hands.state.set_model(ModelChoice(path="/models/net.onnx", failure=NOT_A_MODEL))
    assert box.isVisible()
    assert box.failure == NOT_A_MODEL
    assert not any("nodes" in text for text in shown_texts(hands.chooser))
    hands.state.set_model(ModelChoice(path=NET.path, description=NET))
    assert not box.isVisible()
    assert any("nodes" in text for text in shown_texts(hands.chooser))


def test_that_a_file_is_chosen_by_the_button(hands: Hands) -> None:
    with hands.qtbot.waitSignal(hands.open.triggered, timeout=1000):
        hands.qtbot.mouseClick(child(hands.chooser, QPushButton, "Open model"), Qt.MouseButton.LeftButton)
