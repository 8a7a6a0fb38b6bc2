"""What became of compiling a model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from gui.panels.compile_box import CompileBox
from gui.panels.widgets import FailureBox
from gui.records.failure import Failure, FailureKind
from gui.records.trial import CompiledModel
from gui.state import Compilation, State

from ..finding import child, show, shown_texts

UNDER_WAY = Compilation(model_name="net", target_text="QNN", path="/models/net_ctx.onnx")
RESULT = CompiledModel(
    path="/models/net_ctx.onnx",
    size_bytes=2048,
    duration_ns=1_200_000_000,
    files=("/models/net_ctx.onnx", "/models/net_ctx.bin"),
    context_nodes=1,
    other_nodes=3,
)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def box(qtbot: QtBot, state: State) -> CompileBox:
    made = CompileBox(state)
    show(qtbot, made, 400, 120)
    made.setVisible(state.compilation is not None)
    return made


def test_that_it_is_hidden_until_something_is_compiled(box: CompileBox, state: State) -> None:
    assert not box.isVisible()
    state.set_compilation(UNDER_WAY)
    assert box.isVisible()
    assert "Compiling net for QNN…" in shown_texts(box)
    assert not any(button.isVisible() for button in box.findChildren(QPushButton))
    state.set_compilation(replace(UNDER_WAY, stopping=True))
    assert "Compiling net for QNN: stopping…" in shown_texts(box)
    state.set_compilation(None)
    assert not box.isVisible()


def test_that_a_result_is_told_and_can_be_used(qtbot: QtBot, box: CompileBox, state: State) -> None:
    state.set_compilation(replace(UNDER_WAY, result=RESULT))
    (words,) = [text for text in shown_texts(box) if text.startswith("Compiled")]
    assert words == "Compiled in 1.200 s: net_ctx.onnx, 2.0 KiB in 2 files; EPContext nodes: 1, others: 3."
    with qtbot.waitSignal(box.use_requested, timeout=1000) as used:
        qtbot.mouseClick(child(box, QPushButton, "Use it"), LEFT)
    assert used.args == ["/models/net_ctx.onnx"]
    with qtbot.waitSignal(box.dismissed, timeout=1000):
        qtbot.mouseClick(child(box, QToolButton, "Dismiss"), LEFT)


def test_that_nodes_that_cannot_be_counted_are_not(box: CompileBox, state: State) -> None:
    alone = replace(RESULT, files=RESULT.files[:1], context_nodes=None, other_nodes=None)
    state.set_compilation(replace(UNDER_WAY, result=alone))
    assert "Compiled in 1.200 s: net_ctx.onnx, 2.0 KiB." in shown_texts(box)


def test_that_a_failure_is_told_and_can_be_dismissed(qtbot: QtBot, box: CompileBox, state: State) -> None:
    failure = Failure(kind=FailureKind.NOTHING_COMPILED, message="Nothing was compiled.", hint="Try another.")
    state.set_compilation(replace(UNDER_WAY, failure=failure))
    assert "net was not compiled for QNN." in shown_texts(box)
    (shown,) = box.findChildren(FailureBox)
    assert shown.failure == failure
    assert not child(box, QPushButton, "Use it").isVisible()
    with qtbot.waitSignal(box.dismissed, timeout=1000):
        qtbot.mouseClick(child(shown, QToolButton, "Close this message"), LEFT)
