"""Paths that are typed or chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from gui.panels.path_field import PathField, PathKind, absolute_path

from ..finding import child, show, wait_until_gone


class Hands:
    """A field and what it told."""

    def __init__(self, qtbot: QtBot, kind: PathKind) -> None:
        self.qtbot = qtbot
        self.field = PathField(kind, "Outputs", filters="Models (*.onnx)", suffix="onnx")
        self.told: list[str] = []
        self.field.path_changed.connect(self.told.append)
        show(qtbot, self.field, 400, 40)
        self.edit = child(self.field, QLineEdit, "Outputs")

    def type_path(self, text: str) -> None:
        self.edit.setFocus()
        self.edit.selectAll()
        self.qtbot.keyClicks(self.edit, text)

    def enter(self, text: str) -> None:
        self.type_path(text)
        self.qtbot.keyClick(self.edit, Qt.Key.Key_Return)

    def warning(self) -> QAction:
        """The mark in the line."""
        (mark,) = [action for action in self.edit.actions() if action.parent() is self.field]
        return mark

    def open_dialog(self) -> QFileDialog:
        self.qtbot.mouseClick(child(self.field, QPushButton, "Choose: Outputs"), Qt.MouseButton.LeftButton)
        (dialog,) = self.field.findChildren(QFileDialog)
        return dialog


@pytest.fixture
def folder(qtbot: QtBot) -> Hands:
    return Hands(qtbot, PathKind.FOLDER)


@pytest.fixture
def file(qtbot: QtBot) -> Hands:
    return Hands(qtbot, PathKind.FILE)


# ---- What is typed ----


def test_that_a_path_is_taken_with_enter_and_not_while_it_is_typed(folder: Hands, tmp_path: Path) -> None:
    folder.type_path(str(tmp_path))
    assert (folder.field.path, folder.told) == ("", [])
    folder.qtbot.keyClick(folder.edit, Qt.Key.Key_Return)
    assert (folder.field.path, folder.told) == (str(tmp_path), [str(tmp_path)])
    folder.qtbot.keyClick(folder.edit, Qt.Key.Key_Return)
    assert folder.told == [str(tmp_path)]


def test_that_a_path_is_taken_when_the_focus_goes(folder: Hands, tmp_path: Path) -> None:
    folder.type_path(str(tmp_path))
    folder.edit.clearFocus()
    assert folder.told == [str(tmp_path)]


def test_that_a_relative_path_is_shown_as_it_is_taken(
    folder: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder.enter("some/../deep")
    assert folder.field.path == folder.edit.text() == str(tmp_path / "deep")


@pytest.mark.parametrize("text", ["~", "~/x/model.onnx"])
def test_that_a_tilde_is_the_home_folder(text: str) -> None:
    assert absolute_path(text) == str(Path.home() / text[2:])


def test_that_a_tilde_with_nobodys_name_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_path("~nobody-is-called-so/x") == str(tmp_path / "~nobody-is-called-so" / "x")


def test_that_quotes_white_space_and_addresses_of_files_become_paths(tmp_path: Path) -> None:
    path = tmp_path / "a b.onnx"
    for text in (f"  {path} ", f'"{path}"', f" '{path}'", QUrl.fromLocalFile(str(path)).toString()):
        assert absolute_path(text) == str(path)
    assert [absolute_path(text) for text in ("", "  ", '""', '"')] == ["", "", "", str(Path.cwd() / '"')]


def test_that_emptying_the_line_is_told_at_once(folder: Hands, tmp_path: Path) -> None:
    folder.field.show_path(str(tmp_path))
    (clear,) = [
        button for button in folder.edit.findChildren(QToolButton) if button.defaultAction() is not folder.warning()
    ]
    folder.qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert (folder.field.path, folder.told) == ("", [""])


def test_that_showing_a_path_tells_nobody(folder: Hands, tmp_path: Path) -> None:
    folder.field.show_path(str(tmp_path))
    assert (folder.field.path, folder.edit.text(), folder.told) == (str(tmp_path), str(tmp_path), [])


# ---- What is wrong with it ----


def test_that_a_folder_may_be_made_and_a_file_in_its_place_is_said_in_words_and_marked(
    folder: Hands, tmp_path: Path
) -> None:
    folder.enter(str(tmp_path / "gone"))
    assert folder.field.problem() is None
    assert not folder.warning().isVisible()
    (tmp_path / "file").touch()
    folder.enter(str(tmp_path / "file"))
    sentence = f"{tmp_path / 'file'} is a file. Choose a folder."
    assert folder.field.problem() == sentence
    assert folder.warning().isVisible()
    assert folder.warning().toolTip() == sentence
    assert sentence in folder.edit.toolTip()
    assert folder.edit.accessibleDescription() == sentence
    folder.enter(str(tmp_path))
    assert folder.field.problem() is None
    assert not folder.warning().isVisible()


def test_that_a_folder_made_meanwhile_is_good(folder: Hands, tmp_path: Path) -> None:
    folder.enter(str(tmp_path / "soon"))
    (tmp_path / "soon").mkdir()
    assert folder.field.problem() is None
    folder.field.hide()
    folder.field.show()
    assert not folder.warning().isVisible()


def test_that_a_file_is_no_folder(folder: Hands, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    folder.enter(str(tmp_path / "x"))
    assert folder.field.problem() == f"{tmp_path / 'x'} is a file. Choose a folder."


def test_that_a_file_need_not_be_there_but_its_folder_must(file: Hands, tmp_path: Path) -> None:
    file.enter(str(tmp_path / "new.onnx"))
    assert file.field.problem() is None
    file.enter(str(tmp_path / "gone" / "new.onnx"))
    assert file.field.problem() == f"There is no folder {tmp_path / 'gone'}. Make it, or choose another place."
    file.enter(str(tmp_path))
    assert file.field.problem() == f"{tmp_path} is a folder. Add the name of a file."


def test_that_a_name_longer_than_the_system_takes_is_no_crash(folder: Hands) -> None:
    folder.field.show_path("/" + "x" * 5000)
    assert folder.field.problem() is None  # the engine says why it cannot be made


def test_that_the_tip_tells_the_whole_path_and_what_it_is_for(file: Hands, tmp_path: Path) -> None:
    file.field.set_tip("Where it goes")
    assert file.edit.toolTip() == "Where it goes"
    file.field.show_path(str(tmp_path / "x.onnx"))
    assert file.edit.toolTip() == f"{tmp_path / 'x.onnx'}\nWhere it goes"


# ---- What is chosen ----


def test_that_a_folder_can_be_chosen(folder: Hands, tmp_path: Path) -> None:
    dialog = folder.open_dialog()
    assert dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.setDirectory(str(tmp_path.parent))
    dialog.selectFile(str(tmp_path))
    with folder.qtbot.waitSignal(folder.field.path_changed, timeout=5000):
        dialog.accept()
    assert folder.field.path == folder.edit.text() == str(tmp_path)
    wait_until_gone(folder.qtbot, dialog)


def test_that_a_file_to_write_can_be_named_and_gets_its_suffix(file: Hands, tmp_path: Path) -> None:
    file.field.show_path(str(tmp_path / "before.onnx"))
    dialog = file.open_dialog()
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    assert Path(dialog.directory().absolutePath()).samefile(tmp_path)
    name = dialog.findChildren(QLineEdit)[0]
    assert name.text() == "before.onnx"
    name.setText("after")
    with file.qtbot.waitSignal(file.field.path_changed, timeout=5000):
        dialog.accept()
    assert file.field.path == str(tmp_path / "after.onnx")
