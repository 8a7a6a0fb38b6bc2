"""Placement: which EP got which nodes of a model, and whether that is what was wanted.

Source: `InferenceSession.get_provider_graph_assignment_info()`, taken before ORT's later fusions; where that has gaps,
the nodes of one run under ORT's profiler, after all fusions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MAX_NODE_NAMES = 200_000
"""Names of more nodes are left out; they are counted all the same."""

COUNTED_NOTE = (
    "ORT's record misses nodes of this EP, so those of one run under ORT's profiler were counted, in a session of its "
    "own after the measuring."
)
"""A note of trials of which ORT recorded too few nodes."""

NOT_COUNTED_NOTE = (
    "ORT's record of which EP got which nodes cannot be all there is. They were not counted: the trial was stopped, or "
    "the run for it failed."
)

_FEW_OPS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class OpCount:
    """How many nodes of one operator type."""

    op_type: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The nodes that one EP got."""

    ep_name: str
    node_count: int
    op_types: tuple[OpCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroup:
    """The nodes of one operator type that one EP got."""

    ep_name: str
    op_type: str
    domain: str
    names: tuple[str, ...]
    """In the order in which ORT told them; a name may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedNodes:
    """The names of all nodes, at most `MAX_NODE_NAMES`; sent once, for there may be many."""

    groups: tuple[NodeGroup, ...] = ()
    left_out: int = 0


class PlacementVerdict(Enum):
    """How many of the nodes the wanted EP got."""

    ALL = "all nodes"
    PART = "part of the nodes"
    NONE = "none of the nodes"
    EMPTY = "no node left to run"
    """ORT folded the model into constants: its latency is nobody's."""
    UNKNOWN = "not known"
    """The session was not created, or ORT cannot tell."""


def placement_text(placement: tuple[Placement, ...] | None) -> str:
    """Return the EPs that got nodes, as in `ggml (12 of 14 nodes), CPUExecutionProvider (2 of 14 nodes)`."""
    if placement is None:
        return ""
    total = node_total(placement)
    return ", ".join(f"{part.ep_name} ({part.node_count} of {total} nodes)" for part in placement)


def node_total(placement: tuple[Placement, ...] | None) -> int:
    """Return how many nodes were placed."""
    return sum(part.node_count for part in placement or ())


def judge_placement(placement: tuple[Placement, ...] | None, wanted: tuple[str, ...]) -> PlacementVerdict:
    """Return how much of what was wanted came true. `wanted` are the names of the EPs in the order they were offered
    the nodes: what the first leaves to the second counts as wanted, but the first must have got some.
    """
    total = node_total(placement)
    if placement is None or not wanted:
        return PlacementVerdict.UNKNOWN
    if total == 0:
        return PlacementVerdict.EMPTY
    counts = {part.ep_name: part.node_count for part in placement}
    if counts.get(wanted[0], 0) == 0:
        return PlacementVerdict.NONE
    got = sum(counts.get(name, 0) for name in dict.fromkeys(wanted))
    return PlacementVerdict.ALL if got == total else PlacementVerdict.PART


def verdict_text(placement: tuple[Placement, ...] | None, wanted: tuple[str, ...]) -> str:
    """Return the verdict as a sentence: `ggml ran 41 of 42 nodes; 1 on CPUExecutionProvider: GlobalAveragePool.`

    Empty when it is not known.
    """
    verdict = judge_placement(placement, wanted)
    if placement is None or verdict is PlacementVerdict.UNKNOWN:
        return ""
    if verdict is PlacementVerdict.EMPTY:
        return "No node is left to run: ORT folded the model into constants."
    total = node_total(placement)
    counts = {part.ep_name: part for part in placement}
    parts = []
    for name in dict.fromkeys(wanted):
        count = counts[name].node_count if name in counts else 0
        parts.append(f"{name} ran {_amount_text(count, total)}")
    others = [part for part in placement if part.ep_name not in wanted]
    parts += [f"{part.node_count} on {part.ep_name}: {ops_text(part)}" for part in others]
    text = "; ".join(parts)
    return text if text.endswith("…") else f"{text}."


def _amount_text(count: int, total: int) -> str:
    if total == 1:
        return "the only node" if count else "no node"
    if count == total:
        return f"all {total} nodes"
    return f"{count} of {total} nodes" if count else f"none of the {total} nodes"


def ops_text(part: Placement) -> str:
    """Return the operators of an EP's nodes, the most frequent first: `Conv ×12, Relu ×11, Add`."""
    texts = [entry.op_type + (f" ×{entry.count}" if entry.count > 1 else "") for entry in part.op_types]
    return ", ".join(texts[:_FEW_OPS]) + (", …" if len(texts) > _FEW_OPS else "")
