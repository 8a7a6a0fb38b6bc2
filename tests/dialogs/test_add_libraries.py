"""The dialog that asks for registration names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from gui.dialogs.add_libraries import AddLibrariesDialog

from ..finding import child, show, shown_texts

MakeDialog = Callable[..., AddLibrariesDialog]
Pairs = list[tuple[str, str]]


@pytest.fixture
def make_dialog(qtbot: QtBot) -> MakeDialog:
    def make(*paths: str, taken: tuple[str, ...] = ()) -> AddLibrariesDialog:
        dialog = AddLibrariesDialog(paths, frozenset(taken))
        show(qtbot, dialog, 700, 300)
        return dialog

    return make


def edits(dialog: AddLibrariesDialog) -> list[QLineEdit]:
    return dialog.findChildren(QLineEdit)


def load(dialog: AddLibrariesDialog) -> QPushButton:
    return child(dialog, QPushButton, "Load")


def retype(qtbot: QtBot, edit: QLineEdit, text: str) -> None:
    edit.selectAll()
    if text:
        qtbot.keyClicks(edit, text)
    else:
        qtbot.keyClick(edit, Qt.Key.Key_Delete)


def test_that_the_names_proposed_are_chosen_with_one_key(qtbot: QtBot, make_dialog: MakeDialog) -> None:
    dialog = make_dialog("/eps/libonnxruntime_ggml.so", "/eps/libmine.so")
    assert [edit.text() for edit in edits(dialog)] == ["ggml", "mine"]
    assert edits(dialog)[0].hasFocus()
    with qtbot.waitSignal(dialog.libraries_chosen, timeout=1000) as chosen:
        qtbot.keyClick(edits(dialog)[0], Qt.Key.Key_Return)
    assert chosen.args == [[("ggml", "/eps/libonnxruntime_ggml.so"), ("mine", "/eps/libmine.so")]]


def test_that_names_taken_are_not_proposed(make_dialog: MakeDialog) -> None:
    dialog = make_dialog("/a/libmine.so", "/b/libmine.so", taken=("mine",))
    assert [edit.text() for edit in edits(dialog)] == ["mine-2", "mine-3"]
    assert load(dialog).isEnabled()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "A library needs a registration name."),
        ("   ", "A library needs a registration name."),
        (" x", "A registration name cannot begin or end with a space."),
        ("CPUExecutionProvider", "CPUExecutionProvider is the name of ONNX Runtime's own provider."),
        ("taken", "Another library is registered as “taken”."),
        ("other", "Another library is registered as “other”."),
    ],
)
def test_that_a_name_that_cannot_be_used_is_explained_and_not_loaded(
    qtbot: QtBot, make_dialog: MakeDialog, name: str, problem: str
) -> None:
    dialog = make_dialog("/a/libmine.so", "/b/libother.so", taken=("taken",))
    chosen: list[Pairs] = []
    dialog.libraries_chosen.connect(chosen.append)
    retype(qtbot, edits(dialog)[0], name)
    assert problem in shown_texts(dialog)
    assert not load(dialog).isEnabled()
    qtbot.keyClick(edits(dialog)[0], Qt.Key.Key_Return)
    assert chosen == []
    assert dialog.isVisible()
    retype(qtbot, edits(dialog)[0], "fine")
    assert problem not in shown_texts(dialog)
    assert load(dialog).isEnabled()


def test_that_virtual_devices_are_allowed_by_the_end_of_the_name(qtbot: QtBot, make_dialog: MakeDialog) -> None:
    dialog = make_dialog("/a/libmine.so", "/b/libother.so")
    first, second = dialog.findChildren(QCheckBox)
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton, pos=first.rect().center() * 0.2)
    assert [edit.text() for edit in edits(dialog)] == ["mine.virtual", "other"]
    retype(qtbot, edits(dialog)[1], "x.virtual")
    assert second.isChecked()
    second.toggle()
    assert edits(dialog)[1].text() == "x"
    retype(qtbot, edits(dialog)[0], "plain")
    assert not first.isChecked()


def test_that_cancel_chooses_nothing(qtbot: QtBot, make_dialog: MakeDialog) -> None:
    dialog = make_dialog("/a/libmine.so")
    chosen: list[Pairs] = []
    dialog.libraries_chosen.connect(chosen.append)
    with qtbot.waitSignal(dialog.rejected, timeout=1000):
        qtbot.mouseClick(child(dialog, QPushButton, "Cancel"), Qt.MouseButton.LeftButton)
    assert chosen == []


def test_that_each_field_says_whose_name_it_holds(make_dialog: MakeDialog) -> None:
    dialog = make_dialog("/a/libmine.so", "/b/libother.so.1")
    child(dialog, QLineEdit, "Registration name of libmine.so")
    child(dialog, QLineEdit, "Registration name of libother.so.1")
    assert {"libmine.so", "libother.so.1"} <= set(shown_texts(dialog))
