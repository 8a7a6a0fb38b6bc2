"""The dialog that lists the EP libraries on this computer; what a search finds is told by the test."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QProgressBar,
    QPushButton,
    QStyle,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.dialogs.find_libraries import FindLibrariesDialog
from gui.models.found_table import NAME_COLUMN
from gui.panels.widgets import FailureBox, TableView
from gui.records.failure import Failure, FailureKind
from gui.records.library import Library, LibraryState
from gui.records.library_check import FoundLibrary

from ..finding import child, click_index, rows_of, shown_texts, wait_until_gone
from ..models.makers import column_named, found, library

DIED = Failure(kind=FailureKind.DIED, message="What looks for libraries died.", hint="Add them by their files.")
GGML = found("/site/libonnxruntime_ggml.so", distribution="onnxruntime-ggml", distribution_version="0.2.0")
NAMED = found("/site/vendor/libvendor_ep.so", ep_name="VendorExecutionProvider")
PLAIN = found("/build/libmine.so", folder="/build")


class Hands:
    """A dialog, and what it asked for."""

    def __init__(self, qtbot: QtBot, libraries: tuple[Library, ...] = (), folders: tuple[str, ...] = ()) -> None:
        self.qtbot = qtbot
        self._window = QWidget()
        qtbot.addWidget(self._window)
        self.dialog = FindLibrariesDialog(libraries, folders, self._window)
        self.searches: list[tuple[str, ...]] = []
        self.folders_told: list[tuple[str, ...]] = []
        self.chosen: list[list[tuple[str, str]]] = []
        self.dialog.search_requested.connect(self.searches.append)
        self.dialog.folders_changed.connect(self.folders_told.append)
        self.dialog.libraries_chosen.connect(self.chosen.append)
        with qtbot.waitActive(self.dialog):
            self.dialog.show()
            self.dialog.activateWindow()
        self.view = child(self.dialog, QTableView, "EP libraries found")
        self.list = child(self.dialog, QListWidget, "Folders to look into")
        self.busy = self.dialog.findChildren(QProgressBar)[0]
        self.box = self.dialog.findChildren(FailureBox)[0]
        (self.load,) = (button for button in self.dialog.findChildren(QPushButton) if button.text().startswith("Load"))

    @property
    def model(self) -> QAbstractItemModel:
        return self.view.model()

    @property
    def hint(self) -> str:
        assert isinstance(self.view, TableView)
        return self.view.empty_hint

    def search(self, *libraries: FoundLibrary, failure: Failure | None = None, problems: tuple[str, ...] = ()) -> None:
        """Have it look and find these."""
        self.dialog.search()
        self.answer(*libraries, failure=failure, problems=problems)

    def answer(self, *libraries: FoundLibrary, failure: Failure | None = None, problems: tuple[str, ...] = ()) -> None:
        """Find these for a search that was asked for."""
        for entry in libraries:
            self.dialog.add_found(entry)
        self.dialog.end_search(failure, problems)

    def press(self, name: str) -> None:
        self.qtbot.mouseClick(child(self.dialog, QPushButton, name), Qt.MouseButton.LeftButton)

    def column(self, title: str) -> list[str]:
        number = column_named(self.model, title)
        return [row[number] for row in rows_of(self.model)]

    def names(self) -> list[str]:
        return self.column("Registration name")

    def ticks(self) -> list[bool]:
        states = [self.model.index(row, 0).data(Qt.ItemDataRole.CheckStateRole) for row in range(self.model.rowCount())]
        return [state is Qt.CheckState.Checked for state in states]

    def tick(self, row: int) -> None:
        """Click on the box of a row."""
        index = self.model.index(row, 0)
        self.view.scrollTo(index)
        option = QStyleOptionViewItem()
        self.view.initViewItemOption(option)
        option.rect = self.view.visualRect(index)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
        option.index = index
        box = self.view.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, self.view)
        self.qtbot.mouseClick(self.view.viewport(), Qt.MouseButton.LeftButton, pos=box.center())

    def open_editor(self, row: int) -> QLineEdit:
        """Begin to edit the name of a row by a double click."""
        index: QModelIndex = self.model.index(row, NAME_COLUMN)
        click_index(self.qtbot, self.view, index)
        self.qtbot.mouseDClick(
            self.view.viewport(), Qt.MouseButton.LeftButton, pos=self.view.visualRect(index).center()
        )
        (editor,) = self.view.viewport().findChildren(QLineEdit)
        return editor

    def rename(self, row: int, name: str) -> None:
        """Type a name into the cell of a row."""
        editor = self.open_editor(row)
        editor.selectAll()
        self.qtbot.keyClick(editor, Qt.Key.Key_Delete)
        self.qtbot.keyClicks(editor, name)
        self.qtbot.keyClick(editor, Qt.Key.Key_Return)
        wait_until_gone(self.qtbot, editor)


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


# ---- The search ----


def test_that_a_search_is_asked_for_with_the_folders(qtbot: QtBot) -> None:
    hands = Hands(qtbot, folders=("/one", "/two"))
    assert hands.searches == []
    hands.dialog.search()
    assert hands.searches == [("/one", "/two")]
    assert child(hands.dialog, QListWidget, "Folders to look into").count() == 2


def test_that_it_shows_that_it_is_looking_until_it_has_looked(hands: Hands) -> None:
    hands.dialog.search()
    assert hands.busy.isVisible()
    assert "Looking" in hands.hint
    assert not child(hands.dialog, QPushButton, "Look again").isEnabled()
    hands.dialog.add_found(GGML)
    assert hands.column("File") == ["libonnxruntime_ggml.so"]  # it does not wait for the rest
    hands.dialog.end_search(None, ())
    assert not hands.busy.isVisible()
    hands.press("Look again")
    assert hands.busy.isVisible()
    assert hands.searches == [(), ()]


def test_that_a_search_that_found_nothing_says_what_may_help(hands: Hands) -> None:
    hands.search()
    assert "No EP library was found." in hands.hint
    assert "pip install" in hands.hint
    assert not hands.load.isEnabled()


def test_that_a_search_that_failed_says_so_and_keeps_what_it_found(hands: Hands) -> None:
    hands.search(GGML, failure=DIED)
    assert f"{DIED.message}\n{DIED.hint}" in shown_texts(hands.box)
    assert hands.names() == ["ggml"]
    hands.dialog.search()
    assert not hands.box.isVisible()
    hands.answer(GGML)
    assert not hands.box.isVisible()


def test_that_places_that_could_not_be_looked_at_are_listed(hands: Hands) -> None:
    hands.search(problems=("/one cannot be read: no", "/two cannot be read: no"))
    lines = "/one cannot be read: no\n/two cannot be read: no"
    assert lines in shown_texts(hands.dialog)
    hands.dialog.search()
    assert lines not in shown_texts(hands.dialog)


# ---- Names ----


def test_that_the_eps_own_name_comes_before_one_made_of_the_file_name(hands: Hands) -> None:
    hands.search(GGML, NAMED, PLAIN)
    assert hands.names() == ["ggml", "VendorExecutionProvider", "mine"]


def test_that_no_name_is_proposed_twice_nor_one_of_the_list(qtbot: QtBot) -> None:
    hands = Hands(qtbot, (library("mine"), library("VendorExecutionProvider")))
    hands.search(NAMED, PLAIN, found("/other/libmine.so"), found("/third/mine.dll"))
    assert hands.names() == ["VendorExecutionProvider-2", "mine-2", "mine-3", "mine-4"]


def test_that_a_file_of_the_list_is_said_to_be_there(qtbot: QtBot, tmp_path: Path) -> None:
    real = tmp_path / "libreal.so"
    real.touch()
    link = tmp_path / "liblink.so"
    link.symlink_to(real)
    loaded = Library(name="first", path=str(real), state=LibraryState.LOADED)
    hands = Hands(qtbot, (loaded, library("mine", LibraryState.FAILED)))
    hands.search(found(str(link)), found("/opt/eps/libmine.so"), PLAIN)
    assert hands.column("State") == ["loaded as “first”", "in the list as “mine”", "not in the list"]


def test_that_a_name_is_typed_into_its_cell_and_ticks_the_file(hands: Hands) -> None:
    hands.search(GGML, PLAIN)
    hands.rename(1, "my.virtual")
    assert hands.names() == ["ggml", "my.virtual"]
    assert hands.ticks() == [False, True]
    assert hands.dialog.isVisible()  # Enter ended the typing, not the dialog


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "A library needs a registration name."),
        ("CPUExecutionProvider", "CPUExecutionProvider is the name of ONNX Runtime's own provider."),
        ("taken", "Another library is registered as “taken”."),
    ],
)
def test_that_a_name_that_cannot_be_used_is_explained_and_not_loaded(qtbot: QtBot, name: str, problem: str) -> None:
    hands = Hands(qtbot, (library("taken"),))
    hands.search(PLAIN)
    hands.rename(0, name)
    assert problem in shown_texts(hands.dialog)
    assert not hands.load.isEnabled()
    hands.dialog.findChildren(QDialogButtonBox)[0].accepted.emit()  # should it be said in spite of the button
    assert hands.chosen == []
    assert hands.dialog.isVisible()


def test_that_a_problem_is_gone_with_its_cause(hands: Hands) -> None:
    hands.search(PLAIN)
    hands.rename(0, "")
    hands.rename(0, "fine")
    assert "A library needs a registration name." not in shown_texts(hands.dialog)
    assert hands.load.isEnabled()


def test_that_two_files_cannot_get_one_name_unless_one_stays_away(hands: Hands) -> None:
    hands.search(GGML, PLAIN)
    hands.tick(0)
    hands.rename(1, "ggml")
    assert "Two of the ticked libraries have the name “ggml”." in shown_texts(hands.dialog)
    assert not hands.load.isEnabled()
    hands.tick(0)
    assert hands.load.isEnabled()


# ---- Ticks, and what is chosen ----


def test_that_only_what_is_ticked_can_be_loaded_and_the_button_says_how_many(hands: Hands) -> None:
    hands.search(GGML, NAMED, PLAIN)
    assert (hands.load.text(), hands.load.isEnabled()) == ("Load", False)
    hands.tick(0)
    assert (hands.load.text(), hands.load.isEnabled()) == ("Load 1", True)
    hands.tick(2)
    assert (hands.load.text(), hands.load.isEnabled()) == ("Load 2", True)
    hands.tick(2)
    hands.tick(0)
    assert (hands.load.text(), hands.load.isEnabled()) == ("Load", False)


def test_that_the_space_key_ticks(hands: Hands) -> None:
    hands.search(GGML, PLAIN)
    hands.view.setFocus()
    hands.view.setCurrentIndex(hands.model.index(1, 0))
    hands.qtbot.keyClick(hands.view, Qt.Key.Key_Space)
    assert hands.ticks() == [False, True]


def test_that_the_ticked_files_are_chosen_with_their_names(hands: Hands) -> None:
    hands.search(GGML, NAMED, PLAIN)
    hands.tick(0)
    hands.rename(2, "built")
    with hands.qtbot.waitSignal(hands.dialog.accepted, timeout=1000):
        hands.qtbot.mouseClick(hands.load, Qt.MouseButton.LeftButton)
    assert hands.chosen == [[("ggml", GGML.path), ("built", PLAIN.path)]]


def test_that_cancel_chooses_nothing(hands: Hands) -> None:
    hands.search(GGML)
    hands.tick(0)
    with hands.qtbot.waitSignal(hands.dialog.rejected, timeout=1000):
        hands.press("Cancel")
    assert hands.chosen == []


def test_that_what_is_ticked_or_named_stays_so_where_it_is_found_again(hands: Hands) -> None:
    hands.search(GGML, PLAIN, NAMED)
    hands.tick(0)
    hands.rename(1, "built")
    hands.press("Look again")
    hands.answer(found("/new/libnew.so"), PLAIN, GGML)
    assert list(zip(hands.names(), hands.ticks(), strict=True)) == [("new", False), ("built", True), ("ggml", True)]
    assert hands.load.text() == "Load 2"


def test_that_a_ticked_file_that_is_gone_is_not_loaded(hands: Hands) -> None:
    hands.search(GGML, PLAIN)
    hands.tick(0)
    hands.tick(1)
    hands.press("Look again")
    assert not hands.load.isEnabled()
    hands.answer(PLAIN)
    hands.qtbot.mouseClick(hands.load, Qt.MouseButton.LeftButton)
    assert hands.chosen == [[("mine", PLAIN.path)]]


def test_that_ticks_outlive_a_search_that_is_begun_anew_before_it_has_ended(hands: Hands) -> None:
    hands.search(GGML, PLAIN)
    hands.tick(1)
    hands.dialog.add_folder("/one")
    hands.dialog.add_found(GGML)
    hands.dialog.add_folder("/two")
    hands.answer(GGML, PLAIN)
    assert hands.ticks() == [False, True]


def test_that_what_is_found_again_shows_what_it_is_now(hands: Hands) -> None:
    hands.search(GGML)
    hands.press("Look again")
    hands.answer(found(GGML.path, distribution="onnxruntime-ggml", distribution_version="0.3.0"))
    assert hands.column("Package") == ["onnxruntime-ggml 0.3.0"]


def test_that_a_new_file_gets_no_name_that_is_kept_for_another(hands: Hands) -> None:
    hands.search(PLAIN)
    hands.tick(0)
    hands.press("Look again")
    hands.answer(found("/aaa/libmine.so"), PLAIN)
    assert hands.names() == ["mine-2", "mine"]


# ---- Folders ----


def test_that_an_added_folder_is_told_and_looked_into(hands: Hands, tmp_path: Path) -> None:
    hands.dialog.add_folder(f"{tmp_path}/")
    assert hands.folders_told == hands.searches == [(str(tmp_path),)]
    assert hands.dialog.folders == (str(tmp_path),)
    hands.dialog.add_folder(str(tmp_path))
    assert len(hands.searches) == 1  # it is there already


def test_that_a_folder_is_chosen_by_a_dialog_for_folders(hands: Hands, tmp_path: Path) -> None:
    hands.press("Add folder…")
    (chooser,) = hands.dialog.findChildren(QFileDialog)
    assert chooser.fileMode() is QFileDialog.FileMode.Directory
    chooser.setDirectory(str(tmp_path.parent))
    chooser.selectFile(str(tmp_path))
    with hands.qtbot.waitSignal(hands.dialog.folders_changed, timeout=5000):
        chooser.accept()
    assert hands.searches == [(str(tmp_path),)]


def test_that_a_removed_folder_is_told_and_not_looked_into_again(qtbot: QtBot) -> None:
    hands = Hands(qtbot, folders=("/one", "/two"))
    remove = child(hands.dialog, QPushButton, "Remove folder")
    assert not remove.isEnabled()
    click_index(qtbot, hands.list, hands.list.model().index(0, 0))
    assert remove.isEnabled()
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert hands.folders_told == hands.searches == [("/two",)]
    assert hands.dialog.folders == ("/two",)


# ---- Keyboard ----


def test_that_enter_in_the_table_loads_nothing_that_is_not_ticked(hands: Hands) -> None:
    hands.search(GGML)
    hands.view.setFocus()
    hands.qtbot.keyClick(hands.view, Qt.Key.Key_Return)
    assert hands.chosen == []
    assert QApplication.activeWindow() is hands.dialog
