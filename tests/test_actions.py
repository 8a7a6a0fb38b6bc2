"""Every command: reachable by menu, by keyboard without ambiguity, and named for those who cannot see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyqtgraph as pg
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui import theme
from gui.actions import Actions
from gui.records.library import LibraryState
from gui.state import EngineStatus, ModelChoice

from .finding import spoken_name
from .models.makers import device, library, trial
from .panels.test_model_chooser import NET
from .records.examples import FAILURE, GREETING
from .window import Idle, idle_window

INTERACTIVE = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    pg.PlotWidget,
)


@pytest.fixture
def idle(qtbot: QtBot, tmp_path: Path) -> Iterator[Idle]:
    """A window with something in every part of it."""
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        idle.state.set_engine(EngineStatus.READY, GREETING)
        idle.state.set_devices((device("cpu"),))
        idle.state.set_model(ModelChoice(path=NET.path, description=NET))
        idle.state.set_libraries((library("bad", LibraryState.FAILED, error=FAILURE),))
        idle.state.add_trial(trial(1, 1000, 2000))
        yield idle


def menus(idle: Idle) -> list[QMenu]:
    return [
        menu
        for menu in idle.window.menuBar().findChildren(QMenu)
        if menu.menuAction() in idle.window.menuBar().actions()
    ]


def actions_in_menus(idle: Idle) -> list[QAction]:
    return [action for menu in menus(idle) for action in menu.actions() if not action.isSeparator()]


# ---- Reachable ----


def test_that_every_command_is_in_a_menu_once(idle: Idle) -> None:
    reachable = Counter(actions_in_menus(idle))
    made = [made for made in vars(idle.window.actions_).values() if isinstance(made, QAction)]
    made += idle.window.actions_.color_schemes.actions()
    assert len(made) >= 13
    assert [reachable[action] for action in made] == [1] * len(made)


def test_that_every_panel_can_be_brought_back_by_the_view_menu(idle: Idle) -> None:
    checkable = {action.text(): action for action in actions_in_menus(idle) if action.isCheckable()}
    for title in ("Libraries", "Devices", "Trial", "Log"):
        was_checked = checkable[title].isChecked()
        assert was_checked
        checkable[title].trigger()
        checkable[title].trigger()
        assert checkable[title].isChecked()


def test_that_every_action_has_a_text(idle: Idle) -> None:
    widgets = [widget for widget in idle.window.findChildren(QWidget) if not widget.objectName().startswith("qt_")]
    actions = [action for widget in widgets for action in widget.actions() if not action.isSeparator()]
    actions = [action for action in actions if not isinstance(action.parent(), QLineEdit)]  # what clears it is Qt's
    assert len(actions) > 30
    assert [(action, action.parent()) for action in actions if not action.text()] == []


def test_that_every_command_says_what_it_does(idle: Idle) -> None:
    made = [made for made in vars(idle.window.actions_).values() if isinstance(made, QAction)]
    assert [
        action.text() for action in made if not action.statusTip() or action.statusTip() not in action.toolTip()
    ] == []


def test_that_tips_name_the_keys(qapp: QApplication) -> None:
    parent = QAction()
    actions = Actions(parent)
    assert actions.run.toolTip() == "Run: Run the model on the target (Ctrl+R)"
    assert actions.open_model.iconText() == "Open model…"
    assert actions.about.toolTip() == "About: Versions of this application and its parts"


# ---- By keyboard ----


def shortcuts_of(actions: list[QAction]) -> list[str]:
    return [key.toString() for action in actions for key in action.shortcuts() if not key.isEmpty()]


def test_that_no_two_commands_of_the_window_share_a_shortcut(idle: Idle) -> None:
    wide = [
        action
        for action in idle.window.findChildren(QAction)
        if action.shortcutContext() is not Qt.ShortcutContext.WidgetShortcut
    ]
    shortcuts = shortcuts_of(wide)
    assert {"Ctrl+R", "Esc", "F5", "Ctrl+O", "Ctrl+F", "Ctrl+L", "Ctrl+Q"} <= set(shortcuts)
    assert [key for key, count in Counter(shortcuts).items() if count > 1] == []
    for widget in idle.window.findChildren(QWidget):
        own = [action for action in widget.actions() if action.shortcutContext() is Qt.ShortcutContext.WidgetShortcut]
        inside = Counter(shortcuts_of(own) + shortcuts)
        assert [key for key, count in inside.items() if count > 1] == [], widget.accessibleName()


def alt_key(text: str) -> Qt.Key:
    """The key that goes with Alt for a text with an ampersand."""
    return Qt.Key(ord(QKeySequence.mnemonic(text).toString()[-1]))


def mnemonics(idle: Idle) -> list[tuple[str, str]]:
    """The Alt keys of the window: of its menus, labels and buttons."""
    texts = [menu.title() for menu in menus(idle)]
    panel = idle.window.trial_panel
    labels = [label for label in idle.window.findChildren(QLabel) if label.buddy() is not None]
    widgets: list[QLabel | QAbstractButton] = [*labels, *idle.window.findChildren(QAbstractButton)]
    # The panel's pages are seen one at a time.
    texts += [widget.text() for widget in widgets if widget.isVisible() or not panel.isAncestorOf(widget)]
    found = ((QKeySequence.mnemonic(text).toString(), text) for text in texts)
    return [(key, text) for key, text in found if key]


@pytest.mark.parametrize("page", range(5))
def test_that_no_two_parts_of_the_window_share_an_alt_key(idle: Idle, page: int) -> None:
    """With each page of the trial panel: those behind it are not to be seen at the same time."""
    idle.window.trial_panel.findChildren(QTabBar)[0].setCurrentIndex(page)
    keys = mnemonics(idle)
    assert len(keys) >= 9
    count = Counter(key for key, _ in keys)
    assert [(key, text) for key, text in keys if count[key] > 1] == []


@pytest.mark.parametrize("title", ["&File", "&Trial", "&Engine", "&View", "&Help"])
def test_that_the_alt_key_of_a_menu_opens_it(idle: Idle, title: str) -> None:
    key = alt_key(title)
    idle.qtbot.keyClick(idle.window, key, Qt.KeyboardModifier.AltModifier)
    (menu,) = [menu for menu in menus(idle) if menu.title() == title]
    idle.qtbot.waitUntil(menu.isVisible, timeout=5000)
    menu.close()


def test_that_no_two_entries_of_a_menu_share_a_key(idle: Idle) -> None:
    for menu in menus(idle):
        keys = [QKeySequence.mnemonic(action.text()).toString() for action in menu.actions()]
        assert [key for key, count in Counter(filter(None, keys)).items() if count > 1] == [], menu.title()


# ---- By name ----


def is_part_of_another(widget: QWidget) -> bool:
    """Whether a widget is Qt's own part of one that has the name: a spin box's field, a list's header, …"""
    parent = widget.parentWidget()
    return (
        isinstance(widget, QHeaderView)
        or widget.objectName().startswith(("qt_", "ScrollLeft", "ScrollRight"))
        or type(widget).__name__ in ("QTableCornerButton", "QWidget")
        or (isinstance(widget, QAbstractButton) and isinstance(parent, (QAbstractItemView, QLineEdit)))
        or "QComboBoxPrivateContainer" in str(parent and parent.metaObject().className())
    )


def test_that_everything_one_can_use_has_a_name(idle: Idle) -> None:
    used = [widget for widget in idle.window.findChildren(QWidget) if isinstance(widget, INTERACTIVE)]
    used = [widget for widget in used if not is_part_of_another(widget)]
    assert len(used) > 30
    assert [widget for widget in used if not spoken_name(widget).strip()] == []


def test_that_a_buddy_can_be_reached_by_its_alt_key(idle: Idle) -> None:
    tabs = idle.window.trial_panel.findChildren(QTabBar)[0]
    tabs.setCurrentIndex(next(n for n in range(tabs.count()) if tabs.tabText(n) == "Run"))
    labels = [label for label in idle.window.findChildren(QLabel) if label.buddy() is not None]
    reachable = [label for label in labels if label.isVisible() and "&" in label.text()]
    assert len(reachable) >= 4
    for label in reachable:
        if label.buddy().visibleRegion().isEmpty():
            continue  # in the log, behind the devices
        key = alt_key(label.text())
        idle.qtbot.keyClick(idle.window, key, Qt.KeyboardModifier.AltModifier)
        assert label.buddy().hasFocus(), label.text()


# ---- Colours ----


def test_that_icons_are_drawn_anew_in_the_palettes_colours(idle: Idle) -> None:
    actions = idle.window.actions_
    iconic = [action for action in vars(actions).values() if isinstance(action, QAction) and not action.icon().isNull()]
    assert len(iconic) >= 6
    before = [action.icon().cacheKey() for action in iconic]
    actions.retint()
    assert all(action.icon().cacheKey() != key for action, key in zip(iconic, before, strict=True))
    disabled = theme.icon("run").pixmap(16, 16, QIcon.Mode.Disabled).toImage()
    assert disabled != theme.icon("run").pixmap(16, 16).toImage()
