"""Reads the traces of ORT's profiler: which node of which run took how long. Knows no session."""

from __future__ import annotations

import json
import re
import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..records.library import CPU_EP_NAME
from ..records.profile import FUSED, MAX_NODES, NodeTime, OpTime
from ..records.units import time_text

_SUFFIX: Final = "_kernel_time"
_RUN: Final = "model_run"
_NS: Final = 1000
"""The trace is in microseconds."""
_SHAPES: Final = 4
_NUMBERED: Final = re.compile(r"_\d+$")


class NodeKey(NamedTuple):
    """What tells nodes apart; the number alone does not, within a loop or a branch it is that of another graph."""

    name: str
    op_type: str
    ep_name: str
    number: str


class NodeEvent(NamedTuple):
    """One call of a node. Microseconds."""

    key: NodeKey
    thread: int
    begin: int
    duration: int
    shapes: str


@dataclass(slots=True)
class RunEvents:
    """One run of the model and the calls of nodes in it. Microseconds."""

    begin: int
    duration: int
    nodes: list[NodeEvent]


@dataclass(slots=True)
class Trace:
    """The last runs of a trace."""

    run_count: int = 0
    """Of all runs in it."""
    runs: list[RunEvents] = field(default_factory=list)
    unread: int = 0
    """Lines that are no JSON: ORT writes names of nodes as they are, whatever characters they have."""


@dataclass(slots=True)
class _Sum:
    calls: int = 0
    total: int = 0
    longest: int = 0
    shapes: str = ""

    def add(self, microseconds: int, shapes: str) -> None:
        self.calls += 1
        self.total += microseconds
        self.longest = max(self.longest, microseconds)
        if not self.shapes:
            self.shapes = shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSums:
    """The times of nodes, of several runs together. Nanoseconds."""

    wall_ns: int
    nodes_ns: int
    median_nodes_ns: float
    """Of the runs: a run that something else held up does not count for more than others."""
    ops: tuple[OpTime, ...]
    nodes: tuple[NodeTime, ...]
    """At most `MAX_NODES`."""
    node_total: int
    calls: int
    containers: tuple[str, ...]
    """The operators that ran others within them: If, Loop, Scan, …"""


def read_trace(path: Path, last: int) -> Trace:
    """Return the last so many runs of a trace. Raises `OSError`.

    ORT writes an event a line, each node's when it has ended and the run's after those of its nodes.
    """
    trace, runs, pending = Trace(), deque[RunEvents](maxlen=last), list[NodeEvent]()
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if _SUFFIX not in line and _RUN not in line:
                continue
            try:
                event = json.loads(line.rstrip().rstrip(","))
                node = _node_event(event)
            except (ValueError, KeyError, TypeError, AttributeError):
                trace.unread += 1
                continue
            if node is not None:
                pending.append(node)
            elif event.get("cat") == "Session" and event.get("name") == _RUN:
                trace.run_count += 1
                begin, duration = event["ts"], event["dur"]
                inside = [node for node in pending if begin <= node.begin <= begin + duration]
                runs.append(RunEvents(begin=begin, duration=duration, nodes=inside))
                pending = []
    trace.runs = list(runs)
    return trace


def nodes_that_ran(path: Path) -> list[tuple[str, str, str]] | None:
    """Return EP, operator and name of each node in a trace's last run, once each, in the order of their first calls.

    None where it holds no whole run: ORT stops recording at a million calls. Raises `OSError`.
    """
    runs = read_trace(path, 1).runs
    if not runs:
        return None
    keys = dict.fromkeys(event.key for event in runs[-1].nodes)
    return [(key.ep_name, _shown_op(key), key.name) for key in keys]


def typical(runs: list[RunEvents]) -> tuple[list[RunEvents], list[RunEvents]]:
    """Return the runs that count, and those left out because something held them up: they took more than twice the
    median. One of them could be most of a small model's time. Where they are many they belong to it: none is left out.
    """
    if not runs:
        return [], []
    limit = 2 * max(1.0, statistics.median(run.duration for run in runs))
    held_up = [run for run in runs if run.duration > limit]
    if len(held_up) > len(runs) / 4:
        return runs, []
    return [run for run in runs if run.duration <= limit], held_up


def held_up_text(held_up: list[RunEvents], count: int) -> str:
    """Return that runs were left out, of so many, with the slowest and the node it was held up in; a sentence."""
    slowest = max(held_up, key=lambda run: run.duration)
    text = f"{len(held_up)} of {count} runs were held up and are left out; the slowest took {_time(slowest.duration)}"
    calls = _own_times(slowest.nodes)
    if not calls:
        return f"{text}."
    event, own, _holds = max(calls, key=lambda call: call[1])
    if 2 * own < slowest.duration:
        return f"{text}, most of it outside of any one node."
    return f"{text}, {_time(own)} of it in {event.key.name or _shown_op(event.key)}."


def _time(microseconds: int) -> str:
    return time_text(microseconds * _NS)


def sum_up(runs: Iterable[RunEvents]) -> NodeSums:
    """Add up the times of nodes. What ran within another node is counted for itself alone, not for that one too."""
    sums: dict[NodeKey, _Sum] = {}
    containers: dict[str, None] = {}
    wall, totals = 0, []
    for run in runs:
        wall += run.duration
        calls = _own_times(run.nodes)
        totals.append(sum(own for _event, own, _holds in calls))
        for event, own, holds in calls:
            sums.setdefault(event.key, _Sum()).add(own, event.shapes)
            if holds:
                containers[event.key.op_type] = None
    ops: dict[tuple[str, str], list[int]] = {}
    for key, found in sums.items():
        count_and_total = ops.setdefault((_shown_op(key), key.ep_name), [0, 0])
        count_and_total[0] += 1
        count_and_total[1] += found.total
    slowest = sorted(sums.items(), key=lambda entry: entry[1].total, reverse=True)
    return NodeSums(
        wall_ns=wall * _NS,
        nodes_ns=sum(found.total for found in sums.values()) * _NS,
        median_nodes_ns=statistics.median(totals or [0]) * _NS,
        ops=tuple(
            OpTime(op_type=op_type, ep_name=ep_name, node_count=count, total_ns=total * _NS)
            for (op_type, ep_name), (count, total) in sorted(ops.items(), key=lambda entry: entry[1][1], reverse=True)
        ),
        nodes=tuple(
            NodeTime(
                name=key.name,
                op_type=_shown_op(key),
                ep_name=key.ep_name,
                calls=found.calls,
                total_ns=found.total * _NS,
                max_ns=found.longest * _NS,
                output_shapes=found.shapes,
            )
            for key, found in slowest[:MAX_NODES]
        ),
        node_total=len(sums),
        calls=sum(found.calls for found in sums.values()),
        containers=tuple(containers),
    )


def _node_event(event: dict[str, Any]) -> NodeEvent | None:
    name = event["name"]
    if event["cat"] != "Node" or not name.endswith(_SUFFIX):
        return None
    details = event["args"]
    key = NodeKey(
        name.removesuffix(_SUFFIX),
        details.get("op_name", ""),
        details.get("provider", ""),
        str(details.get("node_index", "")),
    )
    shapes = _shapes_text(details.get("output_type_shape"))
    return NodeEvent(key, event["tid"], event["ts"], event["dur"], shapes)


def _shapes_text(shapes: Any) -> str:
    """Return the shapes of a node's outputs: `float[1,1000], int64[]`."""
    if not isinstance(shapes, list):
        return ""
    parts = [
        f"{element}[{','.join(map(str, sizes))}]"
        for entry in shapes
        if isinstance(entry, dict)
        for element, sizes in entry.items()
        if isinstance(sizes, list)
    ]
    return ", ".join(parts[:_SHAPES]) + (", …" if len(parts) > _SHAPES else "")


def _own_times(nodes: list[NodeEvent]) -> list[tuple[NodeEvent, int, bool]]:
    """Return each call with its own microseconds, and whether others ran within it.

    A Loop ends after all that its body ran on the same thread: their time lies within its own.
    """
    own = [node.duration for node in nodes]
    holds = [False] * len(nodes)
    order = sorted(range(len(nodes)), key=lambda n: (nodes[n].thread, nodes[n].begin, -nodes[n].duration))
    around: list[int] = []
    for number in order:
        node = nodes[number]
        while around and not _is_within(node, nodes[around[-1]]):
            around.pop()
        if around:
            own[around[-1]] -= node.duration
            holds[around[-1]] = holds[around[-1]] or node.duration > 0
        around.append(number)
    return [(node, max(0, own[number]), holds[number]) for number, node in enumerate(nodes)]


def _is_within(node: NodeEvent, other: NodeEvent) -> bool:
    """Whether a call, which began no sooner than the other, lies within it. Both times are rounded down."""
    return node.thread == other.thread and node.begin < other.begin + other.duration


def _shown_op(key: NodeKey) -> str:
    """Return the operator; of a subgraph that an EP took as a whole ORT makes one with a long generated name."""
    is_made_up = key.ep_name != CPU_EP_NAME and bool(_NUMBERED.search(key.op_type))
    return FUSED if is_made_up else key.op_type
