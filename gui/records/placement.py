"""Placement: which EP got which nodes of a model.

Source: `InferenceSession.get_provider_graph_assignment_info()`, taken before ORT's later fusions.
"""

from __future__ import annotations

from dataclasses import dataclass


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


def placement_text(placement: tuple[Placement, ...] | None) -> str:
    """Return the EPs that got nodes, as in `ggml (12 of 14 nodes), CPUExecutionProvider (2 of 14 nodes)`."""
    if placement is None:
        return ""
    total = sum(part.node_count for part in placement)
    return ", ".join(f"{part.ep_name} ({part.node_count} of {total} nodes)" for part in placement)
