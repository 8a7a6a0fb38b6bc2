"""EPs, operators and nodes as tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt

from gui.models.placement_table import NodeTableModel, PlacementTableModel, placed_ops
from gui.models.table import FilterProxy
from gui.records.placement import NodeGroup, OpCount, PlacedNodes, Placement

from .makers import ModelTester, column_named, texts

CPU = "CPUExecutionProvider"
PLACEMENT = (
    Placement(
        ep_name="ggml", node_count=3, op_types=(OpCount(op_type="MatMul", count=2), OpCount(op_type="Add", count=1))
    ),
    Placement(ep_name=CPU, node_count=1, op_types=(OpCount(op_type="Neg", count=1),)),
)
NODES = PlacedNodes(
    groups=(
        NodeGroup(ep_name="ggml", op_type="MatMul", domain="", names=("b_10", "A_2")),
        NodeGroup(ep_name="ggml", op_type="Add", domain="com.x", names=("c",)),
        NodeGroup(ep_name=CPU, op_type="Neg", domain="", names=("",)),
    )
)


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


def nodes() -> NodeTableModel:
    model = NodeTableModel()
    model.show_nodes(placed_ops(PLACEMENT, NODES, ("ggml",)))
    return model


def test_that_the_operators_keep_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model, proxy = PlacementTableModel(lambda _wanted: None), FilterProxy()
    qtmodeltester.check(model)
    proxy.setSourceModel(model)
    for nodes_told in (None, NODES, None):
        model.set_rows(placed_ops(PLACEMENT, nodes_told, ("ggml",)))
    proxy.sort(column_named(proxy, "Nodes"), Qt.SortOrder.DescendingOrder)
    assert texts(proxy, column_named(proxy, "Operator")) == ["MatMul", "Add", "Neg"]
    model.set_rows(())


def test_that_an_operator_is_told_with_its_count_share_and_domain() -> None:
    model = PlacementTableModel(lambda _wanted: None)
    model.set_rows(placed_ops(PLACEMENT, NODES, ("ggml",)))
    assert texts(model) == ["ggml", "ggml", CPU]
    assert texts(model, column_named(model, "Share")) == ["50.0 %", "25.0 %", "25.0 %"]
    assert [row.is_wanted for row in model.rows] == [True, True, False]
    assert model.index(1, 1).data(Qt.ItemDataRole.ToolTipRole) == "Add (com.x)"


def test_that_a_few_of_many_do_not_read_as_none_nor_as_all() -> None:
    counts = (OpCount(op_type="A", count=20_000), OpCount(op_type="B", count=2))
    model = PlacementTableModel(lambda _wanted: None)
    model.set_rows(placed_ops((Placement(ep_name="e", node_count=20_002, op_types=counts),), None, ("e",)))
    assert texts(model, column_named(model, "Share")) == ["> 99.9 %", "< 0.1 %"]


def test_that_nothing_placed_is_no_row() -> None:
    assert placed_ops(None, None, ("ggml",)) == ()
    assert placed_ops((), PlacedNodes(), ("ggml",)) == ()


def test_that_the_nodes_keep_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = NodeTableModel()
    qtmodeltester.check(model)
    model.show_nodes(placed_ops(PLACEMENT, NODES, ("ggml",)))
    model.set_filter_text("matmul")
    model.sort(0)
    assert texts(model) == ["A_2", "b_10"]
    model.show_nodes(())
    assert texts(model) == []


def test_that_nodes_stand_in_orts_order_until_sorted() -> None:
    model = nodes()
    assert texts(model) == ["b_10", "A_2", "c", "(no name)"]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert texts(model, 1) == ["Neg", "MatMul", "MatMul", "Add"]
    model.sort(-1)
    assert texts(model) == ["b_10", "A_2", "c", "(no name)"]


def test_that_the_filter_wants_every_word_in_any_column() -> None:
    model = nodes()
    model.set_filter_text("MATMUL b_")
    assert texts(model) == ["b_10"]
    model.set_filter_text("ggml")
    assert texts(model) == ["b_10", "A_2", "c"]
    model.show_nodes(placed_ops(PLACEMENT[1:], NODES, ()))
    assert (texts(model), model.total) == ([], 1)
    model.set_filter_text("")
    assert texts(model) == ["(no name)"]
