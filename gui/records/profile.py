"""A profile: where the time of a model's runs goes, by ORT's own profiler, in a session of its own.

The profiler makes every run slower, the more nodes the more; its figures are shares, the latency is the trial's.
All times are nanoseconds; ORT tells microseconds, so short nodes are rough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .codec import to_json
from .protocol import Greeting
from .trial import TrialSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class OpTime:
    """All nodes of one operator type on one EP. A fused subgraph of a plugin EP is one node."""

    op_type: str
    ep_name: str
    node_count: int
    total_ns: int
    """Of all profiled runs together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTime:
    """One node."""

    name: str
    op_type: str
    ep_name: str
    calls: int
    """In all profiled runs; a node within a loop is called more often than the model runs."""
    total_ns: int
    max_ns: int
    output_shapes: str = ""
    """As ORT tells them, for example `float[1,1000]`; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The profile of a model on a target."""

    runs: int
    """Those profiled, after the first and the warm-up runs."""
    wall_ns: int
    """Wall-clock time of these runs together."""
    nodes_ns: int
    """Time of all nodes together; less than `wall_ns` by what no node explains."""
    run_median_ns: int
    """Median of a run under the profiler: against the trial's it tells what profiling costs."""
    plain_median_ns: int
    """Median of a run of the same session options without the profiler, measured right before."""
    ops: tuple[OpTime, ...] = ()
    """The slowest first."""
    nodes: tuple[NodeTime, ...] = ()
    """The slowest first, at most `MAX_NODES`."""
    node_total: int = 0
    """How many different nodes ran."""
    trace_path: str = ""
    """ORT's file, Chrome's trace format: opens in Perfetto (https://ui.perfetto.dev)."""
    trace_bytes: int = 0
    notes: tuple[str, ...] = ()
    """What is to be known of it: a sentence each."""


MAX_NODES = 500
FUSED = "fused subgraph"
"""Stands for the operator of a node that a plugin EP took as a whole; the node's name is ORT's own for it."""

PROFILE_FORMAT = "ort-device-explorer profile 1"


def unexplained_share(profile: Profile) -> float | None:
    """Return the share (0 to 1) of the wall-clock time that no node explains; None for parallel execution, where the
    times of nodes overlap.
    """
    if profile.wall_ns <= 0 or profile.nodes_ns > profile.wall_ns:
        return None
    return 1 - profile.nodes_ns / profile.wall_ns


def share_of_nodes(profile: Profile, total_ns: int) -> float:
    """Return a time as a share (0 to 1) of that of all nodes together."""
    return total_ns / profile.nodes_ns if profile.nodes_ns > 0 else 0.0


def slowdown(profile: Profile) -> float | None:
    """Return how many times as long a run took under the profiler; None when nothing was measured without it."""
    return profile.run_median_ns / profile.plain_median_ns if profile.plain_median_ns > 0 else None


def ep_times(profile: Profile) -> tuple[tuple[str, int], ...]:
    """Return the EPs and the time of their nodes in all profiled runs, ns, the slowest first."""
    times: dict[str, int] = {}
    for op in profile.ops:
        times[op.ep_name] = times.get(op.ep_name, 0) + op.total_ns
    return tuple(sorted(times.items(), key=lambda entry: entry[1], reverse=True))


def profile_json(profile: Profile, settings: TrialSettings, environment: Greeting | None) -> dict[str, Any]:
    """Return the file form of a profile, with what is needed to understand it."""
    return {
        "format": PROFILE_FORMAT,
        "about": {
            "profile": "where the time of a model's runs goes, by ORT's profiler, in a session of its own; nanoseconds",
            "profile.runs": "those profiled, after the first and the warm-up runs; all times are of them together",
            "profile.wall_ns": "wall-clock time of these runs; less profile.nodes_ns it is what no node explains",
            "profile.ops": "all nodes of one operator on one EP; what ran within an If or a Loop is not counted twice",
            "profile.nodes": f"the slowest first, at most {MAX_NODES}; profile.node_total says how many ran",
            "profile.run_median_ns": "a run under the profiler; compare with profile.plain_median_ns, without it",
        },
        "environment": None if environment is None else to_json(environment),
        "settings": to_json(settings),
        "profile": to_json(profile),
    }
