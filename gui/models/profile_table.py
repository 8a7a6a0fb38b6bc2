"""A profile as tables, by operator and by node, and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QLocale, QObject
from PySide6.QtGui import QIcon

from ..records.profile import NodeTime, OpTime, Profile, ep_times, share_of_nodes, unexplained_share
from .table import Column, RecordTableModel
from .texts import count_text, size_text, time_text


def _tr(text: str) -> str:
    return QCoreApplication.translate("ProfileTable", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpRow:
    """An operator on an EP."""

    op: OpTime
    run_ns: float
    """Of all its nodes, in a run."""
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """A node; nodes of different subgraphs may have the same name."""

    number: int
    """Among all, the slowest first."""
    node: NodeTime
    run_ns: float
    share: float


_Row = TypeVar("_Row", OpRow, NodeRow)
Marker = Callable[[str], QIcon | None]
"""Gets the name of an EP and gives the mark by which the chart shows it."""


class OpTableModel(RecordTableModel[OpRow]):
    """One row an operator on an EP."""

    def __init__(self, marker: Marker, parent: QObject | None = None) -> None:
        columns = (
            Column[OpRow](title=_tr("Operator"), text=lambda row: row.op.op_type),
            Column[OpRow](title=_tr("EP"), text=lambda row: row.op.ep_name, icon=lambda row: marker(row.op.ep_name)),
            _number(OpRow, _tr("Nodes"), lambda row: row.op.node_count, count_text),
            _time_per_run(OpRow),
            _share(OpRow),
        )
        super().__init__(columns, lambda row: (row.op.op_type, row.op.ep_name), parent)


class NodeTableModel(RecordTableModel[NodeRow]):
    """One row a node."""

    def __init__(self, marker: Marker, parent: QObject | None = None) -> None:
        columns = (
            Column[NodeRow](title=_tr("Node"), text=lambda row: row.node.name),
            Column[NodeRow](title=_tr("Operator"), text=lambda row: row.node.op_type),
            Column[NodeRow](
                title=_tr("EP"), text=lambda row: row.node.ep_name, icon=lambda row: marker(row.node.ep_name)
            ),
            _number(
                NodeRow, _tr("Calls"), lambda row: row.node.calls, count_text, _tr("In all profiled runs together")
            ),
            _time_per_run(NodeRow),
            _number(NodeRow, _tr("Max"), lambda row: row.node.max_ns, time_text, _tr("The longest of its calls")),
            _share(NodeRow),
            Column[NodeRow](title=_tr("Output shapes"), text=lambda row: row.node.output_shapes),
        )
        super().__init__(columns, lambda row: row.number, parent)


def op_rows(profile: Profile | None) -> tuple[OpRow, ...]:
    """Return the operators of a profile, the slowest first."""
    if profile is None:
        return ()
    return tuple(
        OpRow(op=op, run_ns=op.total_ns / max(1, profile.runs), share=share_of_nodes(profile, op.total_ns))
        for op in profile.ops
    )


def node_rows(profile: Profile | None) -> tuple[NodeRow, ...]:
    """Return the nodes of a profile, the slowest first."""
    if profile is None:
        return ()
    return tuple(
        NodeRow(
            number=number,
            node=node,
            run_ns=node.total_ns / max(1, profile.runs),
            share=share_of_nodes(profile, node.total_ns),
        )
        for number, node in enumerate(profile.nodes)
    )


def summary_text(profile: Profile) -> str:
    """Return what a profile says in one line: its runs, what no node explains, and the EPs' shares."""
    runs = _tr("1 run profiled") if profile.runs == 1 else _tr("{0} runs profiled").format(count_text(profile.runs))
    parts = [_tr("{0}, {1} each on average").format(runs, time_text(profile.wall_ns / max(1, profile.runs)))]
    eps = [
        _tr("{0} on {1}").format(percent_text(share_of_nodes(profile, total_ns)), ep_name)
        for ep_name, total_ns in ep_times(profile)
    ]
    if eps:
        parts.append(_tr("nodes: {0}").format(", ".join(eps)))
    unexplained = unexplained_share(profile)
    if unexplained is not None:
        parts.append(_tr("{0} of a run is no node's").format(percent_text(unexplained)))
    left_out = profile.node_total - len(profile.nodes)
    if left_out > 0:
        listed, total = count_text(len(profile.nodes)), count_text(profile.node_total)
        parts.append(_tr("the slowest {0} of {1} nodes listed").format(listed, total))
    return " · ".join(parts)


def trace_tip(profile: Profile | None) -> str:
    """Return what can be done with a trace."""
    tip = _tr("Save ORT's trace; it opens in ui.perfetto.dev")
    return tip if profile is None else f"{tip} ({size_text(profile.trace_bytes)})"


def percent_text(share: float) -> str:
    """Return a share (0 to 1) as a percentage."""
    return _tr("{0} %").format(QLocale().toString(100.0 * share, "f", 1))


def _number(
    _kind: type[_Row], title: str, value: Callable[[_Row], int], text: Callable[[int], str], header_tip: str = ""
) -> Column[_Row]:
    return Column[_Row](
        title=title, text=lambda row: text(value(row)), sort=value, is_number=True, header_tip=header_tip
    )


def _time_per_run(_kind: type[_Row]) -> Column[_Row]:
    return Column[_Row](
        title=_tr("Time per run"),
        text=lambda row: time_text(row.run_ns),
        sort=lambda row: row.run_ns,
        is_number=True,
        header_tip=_tr("Under the profiler, which makes every run slower"),
    )


def _share(_kind: type[_Row]) -> Column[_Row]:
    return Column[_Row](
        title=_tr("Share"),
        text=lambda row: percent_text(row.share),
        sort=lambda row: row.share,
        is_number=True,
        header_tip=_tr("Of the time of all nodes together"),
    )
