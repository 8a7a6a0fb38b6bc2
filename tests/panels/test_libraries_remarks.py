"""What the list of libraries says beside failures: remarks, findings, choices while one hangs, and reloading."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QPushButton, QTableView, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.panels.check_box import CheckBox
from gui.panels.libraries_panel import LibrariesPanel
from gui.panels.widgets import FailureBox
from gui.records.failure import Failure, FailureKind
from gui.records.library import Library, LibraryState
from gui.records.library_check import Mark
from gui.state import State

from ..finding import action_named, child, click_row, show, shown_texts
from ..models.makers import check, device, gpu, library, told

REFUSED = Failure(kind=FailureKind.REFUSED_BY_EP, message="It refused.", hint="Ask again.")
LOADED = library("good", LibraryState.LOADED, device_keys=("one",))
EMPTY = library("empty", LibraryState.LOADED)
SLOW = library("slow", LibraryState.LOADING, overdue=True)
FAILED = library("bad", LibraryState.FAILED, error=REFUSED)


def choices(box: FailureBox) -> list[QPushButton]:
    """The buttons beside what is told, those included that are not shown yet or not deleted yet."""
    return [button for button in box.findChildren(QPushButton) if button.text() != "Copy"]


def wait_for_choices(qtbot: QtBot, box: FailureBox, *texts: str) -> None:
    """Wait until these buttons are offered and there are no others: a layout shows new ones a little later."""

    def are_offered() -> bool:
        shown = [button.text() for button in choices(box) if button.isVisible()]
        return shown == [button.text() for button in choices(box)] == list(texts)

    qtbot.waitUntil(are_offered, timeout=1000)


def press(qtbot: QtBot, box: FailureBox, text: str) -> None:
    """Press the one button of this text as soon as it is there."""

    def of_text() -> list[QPushButton]:
        return [button for button in choices(box) if button.text() == text]

    qtbot.waitUntil(lambda: [button.isVisible() for button in of_text()] == [True], timeout=1000)
    qtbot.mouseClick(of_text()[0], Qt.MouseButton.LeftButton)


class Hands:
    """A panel, and what it asked for."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.qtbot, self.state = qtbot, state
        self.asked: list[tuple[str, str]] = []
        self.add, self.find = QAction("Add library…"), QAction("Add from this computer…")
        self.panel = LibrariesPanel(state, (self.add, self.find))
        self.panel.reload_requested.connect(lambda name: self.asked.append(("reload", name)))
        self.panel.keep_waiting_requested.connect(lambda name: self.asked.append(("keep waiting", name)))
        self.panel.stop_requested.connect(lambda name: self.asked.append(("stop", name)))
        show(qtbot, self.panel, 460, 500)
        self.view = child(self.panel, QTableView, "Libraries")
        (self.box,) = self.panel.findChildren(FailureBox)
        (self.check_box,) = self.panel.findChildren(CheckBox)

    def press(self, text: str) -> None:
        press(self.qtbot, self.box, text)

    def close_box(self) -> None:
        self.qtbot.mouseClick(child(self.box, QToolButton, "Close this message"), Qt.MouseButton.LeftButton)

    def told(self) -> str:
        """What stands in the box; nothing when it is not to be seen."""
        return "\n".join(shown_texts(self.box))

    def wait_for_choices(self, *texts: str) -> None:
        wait_for_choices(self.qtbot, self.box, *texts)


@pytest.fixture
def hands(qtbot: QtBot, state: State) -> Hands:
    return Hands(qtbot, state)


# ---- Choices of a failure box ----


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    QVBoxLayout(window).addWidget(FailureBox(window))
    show(qtbot, window, 400, 300)
    return window


@pytest.fixture
def box(window: QWidget) -> FailureBox:
    (box,) = window.findChildren(FailureBox)
    box.show_failure(REFUSED)
    return box


def test_that_a_failure_offers_its_choices_and_does_what_is_chosen(qtbot: QtBot, box: FailureBox) -> None:
    done: list[str] = []
    box.set_choices(("Do it", lambda: done.append("it")), ("Do that", lambda: done.append("that")))
    wait_for_choices(qtbot, box, "Do it", "Do that")
    press(qtbot, box, "Do that")
    press(qtbot, box, "Do it")
    assert done == ["that", "it"]


def test_that_the_next_choices_take_the_place_of_the_last(qtbot: QtBot, box: FailureBox) -> None:
    done: list[str] = []
    box.set_choices(("Do it", lambda: done.append("old")), ("Do that", lambda: done.append("that")))
    wait_for_choices(qtbot, box, "Do it", "Do that")
    old = choices(box)
    box.set_choices(("Do it", lambda: done.append("new")))
    assert not any(button.isVisible() for button in old)
    press(qtbot, box, "Do it")
    assert done == ["new"]
    box.set_choices()
    wait_for_choices(qtbot, box)


def test_that_a_choice_may_change_the_choices(qtbot: QtBot, box: FailureBox) -> None:
    box.set_choices(("Do it", lambda: box.set_choices(("Undo it", box.dismiss))))
    press(qtbot, box, "Do it")
    wait_for_choices(qtbot, box, "Undo it")
    press(qtbot, box, "Undo it")
    assert not box.isVisible()


# ---- A library that hangs ----


def test_that_a_library_that_takes_too_long_may_be_waited_for_or_stopped(hands: Hands) -> None:
    hands.state.set_libraries((replace(SLOW, overdue=False),))
    assert hands.told() == ""
    hands.state.set_libraries((SLOW,))
    assert "“slow” has been loading for more than" in hands.told()
    hands.wait_for_choices("Keep waiting", "Stop")
    hands.press("Keep waiting")
    hands.press("Stop")
    assert hands.asked == [("keep waiting", "slow"), ("stop", "slow")]


def test_that_patience_closes_the_message_until_it_is_at_an_end_again(hands: Hands) -> None:
    hands.state.set_libraries((SLOW,))
    hands.state.set_libraries((replace(SLOW, overdue=False),))
    assert hands.told() == ""
    hands.state.set_libraries((SLOW,))
    hands.wait_for_choices("Keep waiting", "Stop")


def test_that_the_choices_are_about_the_library_selected(hands: Hands) -> None:
    hands.state.set_libraries((SLOW, library("slower", LibraryState.LOADING, overdue=True)))
    assert "“slower”" in hands.told()
    hands.press("Stop")
    hands.panel.select("slow")
    assert "“slow”" in hands.told()
    hands.press("Stop")
    assert hands.asked == [("stop", "slower"), ("stop", "slow")]


@pytest.mark.parametrize("other", [FAILED, EMPTY], ids=["a failure", "a remark"])
def test_that_nothing_but_a_hang_offers_to_wait(hands: Hands, other: Library) -> None:
    hands.state.set_libraries((SLOW, other))
    hands.panel.select("slow")
    hands.wait_for_choices("Keep waiting", "Stop")
    hands.panel.select(other.name)
    assert hands.told() != ""
    hands.wait_for_choices()
    hands.panel.select("slow")
    hands.wait_for_choices("Keep waiting", "Stop")


def test_that_the_choices_go_when_the_library_fails_after_all(hands: Hands) -> None:
    hands.state.set_libraries((SLOW,))
    hands.state.set_libraries((replace(SLOW, state=LibraryState.FAILED, overdue=False, error=REFUSED),))
    assert hands.told().startswith("It refused.")
    hands.wait_for_choices()


# ---- Remarks ----


def test_that_a_library_without_devices_is_remarked_on(hands: Hands) -> None:
    hands.state.set_libraries((EMPTY,))
    assert "“empty” is loaded, but offers no device here." in hands.told()
    hands.state.set_libraries((replace(EMPTY, device_keys=("one",)),))
    assert hands.told() == ""


def test_that_the_reason_shows_as_soon_as_the_ep_tells_it(hands: Hands) -> None:
    hands.state.set_libraries((EMPTY,))
    hands.state.set_incompatibilities("empty", (told(gpu(), "no driver", library="empty"),))
    assert "GPU Maker is not offered: no driver." in hands.told()


def test_that_a_remark_follows_the_devices(hands: Hands) -> None:
    twins = (device("one", ep_name="Ep", library="good"), device("two", ep_name="Ep", library="other"))
    hands.state.set_libraries((LOADED,))
    assert hands.told() == ""
    hands.state.set_devices(twins)
    assert "The EP name Ep is offered by “other”, too." in hands.told()
    hands.state.set_devices(twins[:1])
    assert hands.told() == ""


def test_that_several_remarks_are_told_at_once(hands: Hands) -> None:
    hands.state.set_libraries((replace(LOADED, name="twin"), LOADED))  # of one path
    hands.state.set_incompatibilities("good", (told(gpu(), "old driver", library="good", offered=True),))
    assert "GPU Maker is offered, but old driver." in hands.told()
    assert "The same file is loaded as “twin”, too" in hands.told()
    assert hands.told().index("old driver") < hands.told().index("same file")


def test_that_a_failure_is_told_before_any_remark(hands: Hands) -> None:
    hands.state.set_libraries((replace(EMPTY, error=REFUSED),))
    assert hands.told() == "It refused.\nAsk again."


def test_that_the_remark_is_that_of_the_selected_library(hands: Hands) -> None:
    hands.state.set_libraries((LOADED, EMPTY))
    assert "“empty”" in hands.told()
    click_row(hands.qtbot, hands.view, 0)
    assert hands.told() == ""
    click_row(hands.qtbot, hands.view, 1)
    assert "“empty”" in hands.told()


def test_that_a_closed_remark_stays_closed_while_nothing_else_is_to_be_said(hands: Hands) -> None:
    hands.state.set_libraries((LOADED, EMPTY))
    hands.close_box()
    assert hands.told() == ""
    click_row(hands.qtbot, hands.view, 0)
    click_row(hands.qtbot, hands.view, 1)
    hands.state.set_devices((device("one", ep_name="Ep"),))
    assert hands.told() == ""
    hands.state.set_incompatibilities("empty", (told(gpu(), "no driver", library="empty"),))
    assert "no driver" in hands.told()


def test_that_a_remark_of_one_library_is_no_remark_of_another_when_closed(hands: Hands) -> None:
    hands.state.set_libraries((replace(EMPTY, name="first"), EMPTY))
    hands.close_box()
    hands.panel.select("first")
    assert "“first” is loaded, but offers no device here." in hands.told()


# ---- Findings ----


def test_that_the_findings_are_those_of_the_selected_library(hands: Hands) -> None:
    one, two = check(("format", Mark.GOOD), format="ELF"), check(("format", Mark.DOUBTFUL), format="PE")
    hands.state.set_libraries((replace(LOADED, check=one), replace(EMPTY, check=two), library("new")))
    assert not hands.check_box.isVisible()
    lines = []
    for row in (0, 1):
        click_row(hands.qtbot, hands.view, row)
        assert hands.check_box.isVisible()
        lines += [button.text() for button in hands.check_box.findChildren(QToolButton)]
    assert lines == ["File in order: ELF", "File doubtful: PE"]


def test_that_findings_show_as_soon_as_the_file_is_read(hands: Hands) -> None:
    reading = library("new", LibraryState.LOADING)
    hands.state.set_libraries((reading,))
    assert not hands.check_box.isVisible()
    hands.state.set_libraries((replace(reading, check=check(("exports", Mark.BAD))),))
    assert child(hands.check_box, QTableView, "Findings about the file").isVisible()
    hands.state.set_libraries(())
    assert not hands.check_box.isVisible()


# ---- Reload ----


@pytest.mark.parametrize(
    ("library_state", "can_reload"),
    [
        (LibraryState.LOADED, True),
        (LibraryState.NOT_LOADED, True),
        (LibraryState.FAILED, True),
        (LibraryState.LOADING, False),
        (LibraryState.UNREGISTERING, False),
    ],
)
def test_that_a_library_is_reloaded_unless_it_is_on_its_way(
    hands: Hands, library_state: LibraryState, can_reload: bool
) -> None:
    assert not action_named(hands.view, "Reload").isEnabled()
    hands.state.set_libraries((library("it", library_state),))
    assert action_named(hands.view, "Reload").isEnabled() is can_reload
    action_named(hands.view, "Reload").trigger()
    assert hands.asked == ([("reload", "it")] if can_reload else [])


def test_that_ctrl_f5_reloads_the_selected_library_of_the_list(hands: Hands) -> None:
    hands.state.set_libraries((LOADED, EMPTY))
    click_row(hands.qtbot, hands.view, 0)
    hands.qtbot.keySequence(hands.view, QKeySequence("Ctrl+F5"))
    assert hands.asked == [("reload", "good")]


def test_that_ctrl_f5_elsewhere_reloads_nothing(hands: Hands) -> None:
    hands.state.set_libraries((LOADED,))
    button = next(button for button in hands.panel.findChildren(QPushButton) if button.text().startswith("Add library"))
    button.setFocus()
    hands.qtbot.keySequence(button, QKeySequence("Ctrl+F5"))
    assert hands.asked == []


def test_that_the_button_above_the_list_reloads_and_says_its_keys(hands: Hands) -> None:
    hands.state.set_libraries((LOADED,))
    button = child(hands.panel, QToolButton, "Reload")
    assert "Ctrl+F5" in button.toolTip()
    hands.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert hands.asked == [("reload", "good")]


# ---- Adding ----


def test_that_libraries_are_added_by_files_or_from_those_on_this_computer(hands: Hands) -> None:
    for action, name in ((hands.add, "Add library"), (hands.find, "Add from this computer")):
        button = next(button for button in hands.panel.findChildren(QPushButton) if button.text().startswith(name))
        with hands.qtbot.waitSignal(action.triggered, timeout=1000):
            hands.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
