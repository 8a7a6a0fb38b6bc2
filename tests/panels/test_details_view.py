"""Groups of key and value: shown open, copied as text."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from pytestqt.qtbot import QtBot

from gui.models.detail_tree import DetailGroup
from gui.panels.details_view import DetailsView

from ..finding import action_named, click_index, show, spoken_name

HARDWARE = DetailGroup(title="Hardware", pairs=(("type", "GPU"), ("vendor", "Maker")))
OPTIONS = DetailGroup(title="Options", pairs=(("a_much_longer_key", "1"),))
NONE = DetailGroup(title="Metadata", pairs=())


@pytest.fixture
def view(qtbot: QtBot) -> DetailsView:
    view = DetailsView("Details of it")
    show(qtbot, view, 400, 300)
    view.show_groups((HARDWARE, NONE, OPTIONS))
    return view


def titles(view: DetailsView) -> list[str]:
    model = view.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def pair(view: DetailsView, group: int, row: int, column: int = 0) -> QModelIndex:
    return view.model().index(row, column, view.model().index(group, 0))


def copied(view: DetailsView, action: str) -> str:
    action_named(view, action).trigger()
    return QGuiApplication.clipboard().text()


# ---- What is shown ----


def test_that_it_is_called_what_it_shows(view: DetailsView) -> None:
    assert spoken_name(view) == "Details of it"


def test_that_all_groups_are_open_and_their_titles_as_wide_as_the_view(view: DetailsView) -> None:
    assert titles(view) == ["Hardware", "Metadata: none", "Options"]
    for row in range(3):
        assert view.isExpanded(view.model().index(row, 0))
        assert view.isFirstColumnSpanned(row, view.rootIndex())
    assert pair(view, 0, 1, 1).data() == "Maker"
    assert view.visualRect(pair(view, 2, 0)).isValid()  # it is laid out, not folded away


def test_that_other_groups_are_open_too(view: DetailsView) -> None:
    view.show_groups((OPTIONS, HARDWARE))
    assert titles(view) == ["Options", "Hardware"]
    assert all(view.isExpanded(view.model().index(row, 0)) for row in range(2))
    view.show_groups(())
    assert titles(view) == []


def test_that_there_is_room_for_the_longest_key_and_no_more(view: DetailsView) -> None:
    wide = view.header().sectionSize(0)
    assert wide >= view.fontMetrics().horizontalAdvance("a_much_longer_key")
    view.show_groups((HARDWARE,))
    assert view.fontMetrics().horizontalAdvance("vendor") <= view.header().sectionSize(0) < wide


def test_that_no_value_lies_beyond_the_edge(view: DetailsView) -> None:
    view.show_groups((DetailGroup(title="Hardware", pairs=(("path", "/long" * 200),)),))
    for width in (400, 250, 500):
        view.resize(width, 300)
        assert view.header().length() == view.viewport().width()


# ---- Copies ----


@pytest.mark.usefixtures("clipboard")
@pytest.mark.parametrize(
    ("action", "text"), [("Copy value", "Maker"), ("Copy key", "vendor"), ("Copy key and value", "vendor\tMaker")]
)
def test_that_value_key_or_both_of_a_line_are_copied(view: DetailsView, qtbot: QtBot, action: str, text: str) -> None:
    click_index(qtbot, view, pair(view, 0, 1))
    assert copied(view, action) == text


@pytest.mark.usefixtures("clipboard")
def test_that_several_lines_are_copied_one_below_the_other(view: DetailsView, qtbot: QtBot) -> None:
    click_index(qtbot, view, pair(view, 0, 0))
    click_index(qtbot, view, pair(view, 2, 0), Qt.KeyboardModifier.ControlModifier)
    assert copied(view, "Copy value") == "GPU\n1"
    qtbot.keySequence(view, QKeySequence(QKeySequence.StandardKey.Copy))
    assert QGuiApplication.clipboard().text() == "type\tGPU\na_much_longer_key\t1"


@pytest.mark.usefixtures("clipboard")
def test_that_copying_nothing_leaves_the_clipboard_alone(view: DetailsView) -> None:
    QGuiApplication.clipboard().setText("before")
    assert copied(view, "Copy value") == "before"


@pytest.mark.usefixtures("clipboard")
def test_that_a_line_is_clicked_by_its_value_too(view: DetailsView, qtbot: QtBot) -> None:
    click_index(qtbot, view, pair(view, 0, 0, 1))
    assert copied(view, "Copy key and value") == "type\tGPU"
