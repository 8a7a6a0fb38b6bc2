"""The libraries: a row each, its button, its failure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels.libraries_panel import LibrariesPanel
from gui.panels.widgets import FailureBox
from gui.records.failure import Failure, FailureKind
from gui.records.library import LibraryState
from gui.settings import ColorScheme
from gui.state import State

from ..finding import action_named, child, click_row, rows_of, show, shown_texts, spoken_name
from ..models.makers import library

DIED = Failure(kind=FailureKind.DIED, message="The engine died while loading it.", hint="Go on.", detail="trace")
LOADED = library("good", LibraryState.LOADED, device_keys=("one",))
FAILED = library("bad", LibraryState.FAILED, error=DIED, killed_engine=True)


class Hands:
    """A panel and what it asked for."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.qtbot, self.state = qtbot, state
        self.asked: list[tuple[str, str]] = []
        self.add = QAction("Add library…")
        self.panel = LibrariesPanel(state, (self.add,))
        self.panel.load_requested.connect(lambda name: self.asked.append(("load", name)))
        self.panel.unregister_requested.connect(lambda name: self.asked.append(("unregister", name)))
        self.panel.stop_requested.connect(lambda name: self.asked.append(("stop", name)))
        self.panel.remove_requested.connect(lambda name: self.asked.append(("remove", name)))
        show(qtbot, self.panel, 420, 400)
        self.view = child(self.panel, QTableView, "Libraries")

    @property
    def box(self) -> FailureBox:
        return self.panel.findChildren(FailureBox)[0]

    def button(self, row: int) -> QToolButton:
        button = self.view.indexWidget(self.view.model().index(row, 3))
        assert isinstance(button, QToolButton)
        return button

    def press(self, row: int) -> None:
        self.qtbot.mouseClick(self.button(row), Qt.MouseButton.LeftButton)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(self.view, key, modifier)


@pytest.fixture
def hands(qtbot: QtBot, state: State) -> Hands:
    return Hands(qtbot, state)


@pytest.mark.parametrize(
    ("library_state", "text", "asks"),
    [
        (LibraryState.LOADED, "Unregister", "unregister"),
        (LibraryState.LOADING, "Stop", "stop"),
        (LibraryState.UNREGISTERING, "Stop", "stop"),
        (LibraryState.NOT_LOADED, "Load", "load"),
        (LibraryState.FAILED, "Load", "load"),
    ],
)
def test_that_the_button_of_a_row_does_what_its_state_allows(
    hands: Hands, library_state: LibraryState, text: str, asks: str
) -> None:
    hands.state.set_libraries((library("it", LibraryState.LOADED), library("other", LibraryState.LOADED)))
    hands.state.set_libraries((library("it", library_state), library("other", LibraryState.LOADED)))
    assert hands.button(0).text() == text
    assert spoken_name(hands.button(0)) == f"{text}: it"
    hands.press(0)
    assert hands.asked == [(asks, "it")]
    assert rows_of(hands.view.model())[hands.view.currentIndex().row()][0] == "it"


def test_that_buttons_stay_with_their_libraries_when_others_go(hands: Hands) -> None:
    hands.state.set_libraries((library("one"), library("two"), library("three")))
    hands.state.set_libraries((library("two"), library("three"), library("four")))
    for row in range(3):
        hands.press(row)
    assert hands.asked == [("load", "two"), ("load", "three"), ("load", "four")]
    hands.state.set_libraries((library("four"), library("two")))
    hands.asked.clear()
    hands.press(0)
    assert hands.asked == [("load", "four")]


@pytest.mark.parametrize(
    ("library_state", "usable"),
    [
        (LibraryState.LOADED, {"Unregister"}),
        (LibraryState.LOADING, {"Stop loading"}),
        (LibraryState.UNREGISTERING, {"Stop loading"}),
        (LibraryState.NOT_LOADED, {"Load", "Remove from list"}),
        (LibraryState.FAILED, {"Load", "Remove from list"}),
    ],
)
def test_that_the_context_menu_offers_what_the_selected_library_allows(
    hands: Hands, library_state: LibraryState, usable: set[str]
) -> None:
    hands.state.set_libraries((library("it", library_state),))
    texts = ("Unregister", "Load", "Stop loading", "Remove from list")
    assert {text for text in texts if action_named(hands.view, text).isEnabled()} == usable
    for text in usable:
        action_named(hands.view, text).trigger()
    assert [name for _, name in hands.asked] == ["it"] * len(usable)


def test_that_nothing_can_be_asked_of_an_empty_list(hands: Hands) -> None:
    assert not any(action_named(hands.view, text).isEnabled() for text in ("Unregister", "Load", "Remove from list"))


def test_that_the_delete_key_removes_and_with_ctrl_unregisters(hands: Hands) -> None:
    hands.state.set_libraries((LOADED, FAILED))
    click_row(hands.qtbot, hands.view, 0)
    hands.key(Qt.Key.Key_Delete)  # a loaded library stays in the list
    hands.key(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    click_row(hands.qtbot, hands.view, 1)
    hands.key(Qt.Key.Key_Delete)
    assert hands.asked == [("unregister", "good"), ("remove", "bad")]


def test_that_a_new_library_is_selected_and_a_change_leaves_the_selection(hands: Hands) -> None:
    hands.state.set_libraries((LOADED,))
    hands.state.set_libraries((LOADED, library("new", LibraryState.LOADING)))
    assert hands.view.currentIndex().row() == 1
    click_row(hands.qtbot, hands.view, 0)
    hands.state.set_libraries((LOADED, library("new", LibraryState.LOADED)))
    assert [index.row() for index in hands.view.selectionModel().selectedRows()] == [0]


def test_that_the_failure_of_the_selected_library_is_shown_below(hands: Hands) -> None:
    hands.state.set_libraries((LOADED, FAILED))
    assert hands.box.failure == DIED
    assert "The engine died while loading it.\nGo on." in shown_texts(hands.panel)
    click_row(hands.qtbot, hands.view, 0)
    assert not hands.box.isVisible()
    hands.panel.select("bad")
    assert hands.box.isVisible()


def test_that_a_closed_failure_stays_closed_until_the_next_one(hands: Hands) -> None:
    hands.state.set_libraries((LOADED, FAILED))
    hands.box.dismiss()
    hands.state.set_libraries((replace(LOADED, device_keys=("one", "two")), FAILED))
    assert not hands.box.isVisible()
    hands.state.set_libraries((LOADED, library("bad", LibraryState.LOADING)))
    hands.state.set_libraries((LOADED, replace(FAILED, error=replace(DIED, message="It died again."))))
    assert hands.box.isVisible()


def test_that_a_library_that_loads_after_all_shows_no_failure(hands: Hands) -> None:
    hands.state.set_libraries((FAILED,))
    hands.state.set_libraries((library("bad", LibraryState.LOADED, device_keys=("one",)),))
    assert not hands.box.isVisible()


def test_that_selecting_a_library_that_is_not_there_changes_nothing(hands: Hands) -> None:
    hands.state.set_libraries((LOADED, FAILED))
    hands.panel.select("nobody")
    assert hands.view.currentIndex().row() == 1


def test_that_libraries_are_added_from_the_panel(hands: Hands) -> None:
    with hands.qtbot.waitSignal(hands.add.triggered, timeout=1000):
        hands.qtbot.mouseClick(child(hands.panel, QPushButton, "Add library"), Qt.MouseButton.LeftButton)


def test_that_the_buttons_icons_follow_the_colours(hands: Hands) -> None:
    hands.state.set_libraries((LOADED,))
    before = hands.button(0).icon().pixmap(16, 16).toImage()
    try:
        theme.apply_color_scheme(ColorScheme.DARK)
        hands.qtbot.waitUntil(lambda: hands.button(0).icon().pixmap(16, 16).toImage() != before, timeout=1000)
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)


def test_that_a_closed_failure_is_told_again_when_a_new_try_ends_the_same_way(hands: Hands) -> None:
    hands.state.set_libraries((FAILED,))
    hands.box.dismiss()
    hands.state.set_libraries((library("bad", LibraryState.LOADING),))
    hands.state.set_libraries((FAILED,))
    assert hands.box.isVisible()


def test_that_closing_one_failure_leaves_another_closed(hands: Hands) -> None:
    other = library("other", LibraryState.FAILED, error=replace(DIED, message="It died, too."))
    hands.state.set_libraries((FAILED, other))
    hands.box.dismiss()
    hands.panel.select("bad")
    hands.box.dismiss()
    hands.panel.select("other")
    assert not hands.box.isVisible()
    hands.panel.select("bad")
    assert not hands.box.isVisible()
