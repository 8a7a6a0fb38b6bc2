"""The dialogs around libraries, with the real process that looks for some; no engine."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QListWidget, QMessageBox, QProgressBar, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.client.inspector import Inspection, Inspector
from gui.dialogs.add_libraries import AddLibrariesDialog
from gui.dialogs.find_libraries import FindLibrariesDialog
from gui.libraries import LibraryKeeper
from gui.library_dialogs import LibraryDialogs
from gui.models.found_table import FoundRow, FoundTableModel
from gui.records.failure import Failure, FailureKind
from gui.records.library import Library, LibraryState
from gui.settings import Settings
from gui.state import State

from .conftest import DoubleFactory
from .finding import child, click_index, wait_until_gone
from .keepers import TIMEOUT_MS, open_settings
from .models.makers import library

KILLER = library("bad", LibraryState.FAILED, killed_engine=True)
NEW = library("new")


@dataclass(kw_only=True)
class Hands:
    """The dialogs over a bare window, and what they act on."""

    qtbot: QtBot
    window: QWidget
    state: State
    settings: Settings
    inspector: Inspector
    dialogs: LibraryDialogs

    def find(self) -> Finding:
        """Open the dialog that finds libraries."""
        self.dialogs.find()
        found = [dialog for dialog in self.window.findChildren(FindLibrariesDialog) if dialog.isVisible()]
        assert len(found) == 1
        return Finding(qtbot=self.qtbot, dialog=found[0])

    def folders(self) -> tuple[str, ...]:
        """The folders that are remembered."""
        return self.settings.library_folders

    def searches(self) -> list[Inspection]:
        """The searches that have not ended."""
        return self.inspector.findChildren(Inspection)

    def box(self) -> QMessageBox:
        """The message box that is open."""
        (box,) = self.window.findChildren(QMessageBox)
        assert box.isVisible()
        return box

    def states(self) -> dict[str, LibraryState]:
        return {library.name: library.state for library in self.state.libraries}


@dataclass(kw_only=True)
class Finding:
    """The open dialog that finds libraries."""

    qtbot: QtBot
    dialog: FindLibrariesDialog

    @property
    def rows(self) -> dict[str, FoundRow]:
        """What is listed, by the path."""
        model = child(self.dialog, QTableView, "EP libraries found").model()
        assert isinstance(model, FoundTableModel)
        return {row.library.path: row for row in model.rows}

    def paths(self) -> list[str]:
        model = child(self.dialog, QTableView, "EP libraries found").model()
        assert isinstance(model, FoundTableModel)
        return [row.library.path for row in model.rows]

    def tick(self, path: Path) -> None:
        model = child(self.dialog, QTableView, "EP libraries found").model()
        index = model.index(self.paths().index(str(path)), 0)
        assert model.setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)

    def wait_for_end(self) -> None:
        busy = self.dialog.findChildren(QProgressBar)[0]
        self.qtbot.waitUntil(lambda: not busy.isVisible(), timeout=TIMEOUT_MS)

    def press(self, name: str) -> None:
        self.qtbot.mouseClick(child(self.dialog, QPushButton, name), Qt.MouseButton.LeftButton)


@pytest.fixture
def hands(qtbot: QtBot, tmp_path: Path) -> Iterator[Hands]:
    client, inspector, state = EngineClient(), Inspector(), State()
    settings = open_settings(tmp_path / "settings.ini")
    window = QWidget()
    keeper = LibraryKeeper(client, inspector, state, settings)
    dialogs = LibraryDialogs(window, state, settings, keeper)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    try:
        yield Hands(qtbot=qtbot, window=window, state=state, settings=settings, inspector=inspector, dialogs=dialogs)
    finally:
        with qtbot.waitSignal(inspector.closed, timeout=TIMEOUT_MS):
            inspector.close()
        with qtbot.waitSignal(client.closed, timeout=TIMEOUT_MS):
            client.close()
        window.close()
        window.deleteLater()
        wait_until_gone(qtbot, window)


@pytest.fixture
def double(tmp_path: Path, double_library: DoubleFactory) -> Path:
    """An EP library alone in a folder, beside a file that is none."""
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "libother.so").write_bytes(b"no library at all")
    return Path(shutil.copy(double_library(), folder / "libmine.so"))


# ---- Libraries on this computer ----


def test_that_libraries_in_the_remembered_folders_are_found(hands: Hands, double: Path) -> None:
    hands.settings.library_folders = (str(double.parent),)
    finding = hands.find()
    finding.wait_for_end()
    assert finding.rows[str(double)].name == "mine"
    assert str(double.with_name("libother.so")) not in finding.rows
    assert hands.state.libraries == ()  # nothing is loaded before it is chosen


def test_that_what_is_chosen_is_added_to_the_list_and_loaded(hands: Hands, double: Path) -> None:
    hands.settings.library_folders = (str(double.parent),)
    finding = hands.find()
    finding.wait_for_end()
    finding.tick(double)
    finding.press("Load 1")
    assert hands.state.libraries == (Library(name="mine", path=str(double), state=LibraryState.LOADING),)
    wait_until_gone(hands.qtbot, finding.dialog)


def test_that_a_file_of_the_list_is_said_to_be_there(hands: Hands, double: Path) -> None:
    hands.settings.library_folders = (str(double.parent),)
    hands.state.set_libraries((Library(name="mine", path=str(double), state=LibraryState.LOADED),))
    finding = hands.find()
    finding.wait_for_end()
    row = finding.rows[str(double)]
    assert (row.name, row.listed_as, row.is_loaded) == ("mine-2", "mine", True)


def test_that_added_and_removed_folders_are_remembered(hands: Hands, double: Path) -> None:
    finding = hands.find()
    finding.wait_for_end()
    assert str(double) not in finding.rows
    finding.dialog.add_folder(str(double.parent))
    assert hands.folders() == (str(double.parent),)
    finding.wait_for_end()
    assert str(double) in finding.rows
    folders = child(finding.dialog, QListWidget, "Folders to look into")
    click_index(hands.qtbot, folders, folders.model().index(0, 0))
    finding.press("Remove folder")
    assert hands.folders() == ()
    finding.wait_for_end()
    assert str(double) not in finding.rows


def test_that_a_folder_that_is_not_there_is_told(hands: Hands, tmp_path: Path) -> None:
    hands.settings.library_folders = (str(tmp_path / "gone"),)
    finding = hands.find()
    finding.wait_for_end()
    texts = [label.text() for label in finding.dialog.findChildren(QWidget) if hasattr(label, "text")]
    assert any(str(tmp_path / "gone") in text and "cannot be read" in text for text in texts)


def test_that_a_folder_added_during_a_search_begins_it_anew(hands: Hands, double: Path) -> None:
    finding = hands.find()
    (first,) = hands.searches()
    with hands.qtbot.waitSignal(first.ended, timeout=TIMEOUT_MS) as ended:
        finding.dialog.add_folder(str(double.parent))
    assert stopped(ended.args)
    finding.wait_for_end()
    assert str(double) in finding.rows
    assert len(finding.rows) == len(finding.paths())


def test_that_closing_the_dialog_ends_its_search(hands: Hands) -> None:
    finding = hands.find()
    (search,) = hands.searches()
    with hands.qtbot.waitSignal(search.ended, timeout=TIMEOUT_MS) as ended:
        finding.dialog.reject()
    assert stopped(ended.args)


def test_that_the_dialog_may_be_opened_again_while_the_search_of_the_last_one_ends(hands: Hands, double: Path) -> None:
    hands.settings.library_folders = (str(double.parent),)
    hands.find().dialog.reject()
    assert hands.searches() != []
    finding = hands.find()
    finding.wait_for_end()
    assert str(double) in finding.rows


def test_that_a_dialog_may_look_again_and_be_closed_after_its_search(hands: Hands, double: Path) -> None:
    hands.settings.library_folders = (str(double.parent),)
    finding = hands.find()
    finding.wait_for_end()
    double.rename(double.with_name("libyours.so"))
    finding.press("Look again")
    finding.wait_for_end()
    assert str(double) not in finding.rows
    assert str(double.with_name("libyours.so")) in finding.rows
    hands.qtbot.waitUntil(lambda: hands.searches() == [], timeout=TIMEOUT_MS)
    finding.dialog.reject()
    wait_until_gone(hands.qtbot, finding.dialog)


def stopped(ended: list[object] | None) -> bool:
    """Whether a search was stopped, by what it said at its end."""
    assert ended is not None
    failure = ended[0]
    return isinstance(failure, Failure) and failure.kind is FailureKind.STOPPED


# ---- Chosen files ----


def test_that_files_are_looked_for_where_pip_puts_packages_at_first(hands: Hands, tmp_path: Path) -> None:
    hands.dialogs.choose()
    (first,) = hands.window.findChildren(QFileDialog)
    assert Path(first.directory().path()) == Path(sysconfig.get_path("platlib"))
    first.reject()
    wait_until_gone(hands.qtbot, first)
    hands.settings.library_folder = str(tmp_path)
    hands.dialogs.choose()
    (second,) = hands.window.findChildren(QFileDialog)
    assert Path(second.directory().path()) == tmp_path


def test_that_no_names_are_asked_for_without_files(hands: Hands) -> None:
    hands.dialogs.add([])
    assert hands.window.findChildren(AddLibrariesDialog) == []
    assert hands.settings.library_folder == ""


# ---- Load and reload ----


@pytest.mark.parametrize("wish", ["load", "reload"])
def test_that_a_library_that_ended_no_engine_is_loaded_without_asking(hands: Hands, wish: str) -> None:
    hands.state.set_libraries((NEW, KILLER))
    getattr(hands.dialogs, wish)("new")
    assert hands.states() == {"new": LibraryState.LOADING, "bad": LibraryState.FAILED}
    assert hands.window.findChildren(QMessageBox) == []


@pytest.mark.parametrize("wish", ["load", "reload"])
def test_that_a_library_that_ended_an_engine_is_loaded_only_when_the_user_dares(hands: Hands, wish: str) -> None:
    hands.state.set_libraries((KILLER,))
    getattr(hands.dialogs, wish)("bad")
    box = hands.box()
    assert "“bad” did not end well" in box.text()
    hands.qtbot.keyClick(box, Qt.Key.Key_Escape)
    wait_until_gone(hands.qtbot, box)
    assert hands.states() == {"bad": LibraryState.FAILED}
    getattr(hands.dialogs, wish)("bad")
    box = hands.box()
    hands.qtbot.mouseClick(child(box, QPushButton, "Load again"), Qt.MouseButton.LeftButton)
    wait_until_gone(hands.qtbot, box)
    assert hands.states() == {"bad": LibraryState.LOADING}


def test_that_a_loaded_library_is_unregistered_before_it_is_loaded_anew(hands: Hands) -> None:
    hands.state.set_libraries((library("good", LibraryState.LOADED),))
    hands.dialogs.reload("good")
    assert hands.states() == {"good": LibraryState.UNREGISTERING}
