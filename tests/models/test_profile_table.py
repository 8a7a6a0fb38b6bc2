"""A profile as tables and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QIcon, QPixmap

from gui.models.profile_table import NodeTableModel, OpTableModel, node_rows, op_rows, summary_text, trace_tip
from gui.models.table import FilterProxy
from gui.records.profile import NodeTime, OpTime, Profile

from .makers import ModelTester, column_named, texts

CPU = "CPUExecutionProvider"


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


def node(name: str, total_ns: int, **fields: object) -> NodeTime:
    values = {"op_type": "Add", "ep_name": CPU, "calls": 4, "max_ns": total_ns, **fields}
    return NodeTime(name=name, total_ns=total_ns, **values)  # type: ignore[arg-type]


PROFILE = Profile(
    runs=4,
    wall_ns=10_000_000,
    nodes_ns=8_000_000,
    run_median_ns=2_500_000,
    plain_median_ns=2_400_000,
    ops=(
        OpTime(op_type="Conv", ep_name="Fast", node_count=10, total_ns=6_000_000),
        OpTime(op_type="Conv", ep_name=CPU, node_count=9, total_ns=2_000_000),
    ),
    nodes=(
        node("conv1", 6_000_000, op_type="Conv", ep_name="Fast", output_shapes="float[1,8]"),
        node("same", 1_200_000),
        node("same", 800_000, calls=400),
    ),
    node_total=3,
    trace_bytes=2048,
)


def test_that_the_operator_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = OpTableModel(lambda _ep: None)
    qtmodeltester.check(model)
    for profile in (None, PROFILE, replace(PROFILE, ops=PROFILE.ops[1:]), None):
        model.set_rows(op_rows(profile))
    assert model.rowCount() == 0


def test_that_the_node_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = NodeTableModel(lambda _ep: None)
    qtmodeltester.check(model)
    for profile in (PROFILE, replace(PROFILE, nodes=PROFILE.nodes[:1]), None, PROFILE):
        model.set_rows(node_rows(profile))
    assert texts(model) == ["conv1", "same", "same"]


def test_that_times_are_those_of_a_run_and_shares_those_of_all_nodes() -> None:
    ops, nodes = OpTableModel(lambda _ep: None), NodeTableModel(lambda _ep: None)
    ops.set_rows(op_rows(PROFILE))
    nodes.set_rows(node_rows(PROFILE))
    assert texts(ops, column_named(ops, "Time per run")) == ["1.500 ms", "500.0 µs"]
    assert texts(ops, column_named(ops, "Share")) == ["75.0 %", "25.0 %"]
    assert texts(nodes, column_named(nodes, "Time per run")) == ["1.500 ms", "300.0 µs", "200.0 µs"]
    assert texts(nodes, column_named(nodes, "Max")) == ["6.000 ms", "1.200 ms", "800.0 µs"]
    assert texts(nodes, column_named(nodes, "Share")) == ["75.0 %", "15.0 %", "10.0 %"]
    assert texts(nodes, column_named(nodes, "Output shapes")) == ["float[1,8]", "", ""]


@pytest.mark.parametrize(
    ("title", "ordered"),
    [
        ("Nodes", ["9", "10"]),
        ("Time per run", ["500.0 µs", "1.500 ms"]),
        ("Share", ["25.0 %", "75.0 %"]),
    ],
)
def test_that_operators_sort_by_numbers_not_by_their_texts(title: str, ordered: list[str]) -> None:
    model, proxy = OpTableModel(lambda _ep: None), FilterProxy()
    proxy.setSourceModel(model)
    model.set_rows(op_rows(PROFILE))
    column = column_named(proxy, title)
    proxy.sort(column)
    assert texts(proxy, column) == ordered


def test_that_nodes_sort_by_calls_and_are_filtered_by_words() -> None:
    model, proxy = NodeTableModel(lambda _ep: None), FilterProxy()
    proxy.setSourceModel(model)
    model.set_rows(node_rows(PROFILE))
    column = column_named(proxy, "Calls")
    proxy.sort(column, Qt.SortOrder.DescendingOrder)
    assert texts(proxy, column)[0] == "400"
    proxy.set_filter_text("fast conv")
    assert texts(proxy) == ["conv1"]


@pytest.mark.usefixtures("qapp")
def test_that_eps_are_marked_as_in_the_chart() -> None:
    icon = QIcon(QPixmap(4, 4))
    model = OpTableModel(lambda ep_name: icon if ep_name == "Fast" else None)
    model.set_rows(op_rows(PROFILE))
    column = column_named(model, "EP")
    marks = [model.index(row, column).data(Qt.ItemDataRole.DecorationRole) for row in range(2)]
    assert [mark is None for mark in marks] == [False, True]


def test_that_the_summary_tells_runs_eps_and_what_no_node_explains() -> None:
    assert summary_text(PROFILE) == (
        "4 runs profiled, 2.500 ms each on average · nodes: 75.0 % on Fast, 25.0 % on CPUExecutionProvider · "
        "20.0 % of a run is no node's"
    )


def test_that_the_summary_of_overlapping_nodes_tells_no_rest() -> None:
    assert "no node's" not in summary_text(replace(PROFILE, wall_ns=7_000_000))


def test_that_the_summary_tells_that_nodes_are_left_out() -> None:
    assert "the slowest 3 of 2000 nodes listed" in summary_text(replace(PROFILE, node_total=2000)).replace(",", "")


def test_that_the_summary_of_one_run_is_in_the_singular() -> None:
    assert summary_text(replace(PROFILE, runs=1)).startswith("1 run profiled, ")


def test_that_the_tip_of_a_trace_tells_its_viewer_and_size() -> None:
    assert "ui.perfetto.dev" in trace_tip(None)
    assert trace_tip(PROFILE).endswith("(2.0 KiB)")
