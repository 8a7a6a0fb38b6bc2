"""Groups of key and value as a tree."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.qtbot import QtBot

from gui.models.detail_tree import DetailGroup, DetailTreeModel

from .makers import ModelTester

GROUPS = (
    DetailGroup(title="First", pairs=(("a", "1"), ("b", "2"))),
    DetailGroup(title="Empty", pairs=()),
    DetailGroup(title="Last", pairs=(("c", "3"),)),
)


@pytest.fixture
def model() -> DetailTreeModel:
    model = DetailTreeModel()
    model.set_groups(GROUPS)
    return model


def test_that_the_tree_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = DetailTreeModel()
    qtmodeltester.check(model)
    for groups in (GROUPS, GROUPS[1:], (), GROUPS[::-1]):
        model.set_groups(groups)
        assert model.rowCount() == len(groups)


def test_that_each_group_holds_its_pairs(model: DetailTreeModel) -> None:
    shown = {}
    for row in range(model.rowCount()):
        group = model.index(row, 0)
        pairs = range(model.rowCount(group))
        shown[group.data()] = [tuple(model.index(pair, column, group).data() for column in (0, 1)) for pair in pairs]
    assert shown == {"First": [("a", "1"), ("b", "2")], "Empty: none": [], "Last": [("c", "3")]}


def test_that_a_group_without_pairs_says_so(model: DetailTreeModel) -> None:
    assert [model.index(row, 0).data() for row in range(3)] == ["First", "Empty: none", "Last"]


def test_that_a_pair_knows_its_group_and_a_group_none(model: DetailTreeModel) -> None:
    last = model.index(2, 0)
    assert model.parent(model.index(0, 1, last)) == last
    assert model.parent(last) == QModelIndex()


def test_that_pairs_have_no_children(model: DetailTreeModel) -> None:
    pair = model.index(0, 0, model.index(0, 0))
    assert model.rowCount(pair) == 0
    assert not model.index(0, 0, pair).isValid()


def test_that_only_titles_are_bold(model: DetailTreeModel) -> None:
    role = Qt.ItemDataRole.FontRole
    assert model.index(0, 0).data(role).bold()
    assert model.index(0, 1).data(role) is None
    assert model.index(0, 0, model.index(0, 0)).data(role) is None


def test_that_a_long_value_is_in_the_tool_tip(model: DetailTreeModel) -> None:
    assert model.index(1, 1, model.index(0, 0)).data(Qt.ItemDataRole.ToolTipRole) == "2"


def test_that_the_same_groups_change_nothing(qtbot: QtBot, model: DetailTreeModel) -> None:
    with qtbot.assertNotEmitted(model.modelReset):
        model.set_groups(list(GROUPS))
    with qtbot.waitSignal(model.modelReset):
        model.set_groups(GROUPS[:1])


def test_that_the_header_names_key_and_value(model: DetailTreeModel) -> None:
    assert [model.headerData(column, Qt.Orientation.Horizontal) for column in range(3)] == ["Key", "Value", None]
