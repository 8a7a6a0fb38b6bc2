"""What a trial costs beside its latency: memory, processor time, and the use of GPUs and NPUs."""

from __future__ import annotations

from dataclasses import dataclass

MIN_CPU_NS = 20_000_000
"""Processor time of less measuring says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorUse:
    """How much of a GPU or NPU was used while the trial was measured."""

    name: str
    """As in `amdgpu 0000:03:00.0, engine gfx`, `NVIDIA GeForce RTX 4070`."""
    source: str
    """Where the system tells it: a file below /proc or /sys, or NVML."""
    busy_share: float | None = None
    """From 0 to 1 of the wall-clock time; None where only memory is told."""
    memory_bytes: int | None = None
    of_this_engine: bool = True
    """Whether it is the engine's own use, or that of all programs on the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCosts:
    """Resident memory of the engine's process in bytes, processor time in nanoseconds; None where it is not told."""

    memory_before_bytes: int | None = None
    """With the inputs made and no session yet."""
    memory_created_bytes: int | None = None
    """With the session."""
    memory_peak_bytes: int | None = None
    """The most between the two and the end of measuring."""
    peak_since_start: bool = False
    """Whether the peak is that since the engine began, because the system cannot begin anew."""
    cpu_ns: int | None = None
    """Processor time of the engine while it measured, all its threads together."""
    cpu_wall_ns: int | None = None
    """Wall-clock time in which `cpu_ns` was taken: measuring, and what stands around it."""
    cpu_count: int = 0
    """Processors that the engine may use."""
    accelerators: tuple[AcceleratorUse, ...] | None = None
    """None where the system tells nothing of GPUs or NPUs without extra rights."""


def cpu_share(costs: TrialCosts | None, measured_ns: int) -> float | None:
    """Return how many processors the engine kept busy while it measured: 1.0 is one of them all the time.

    None where it is not told, and for a trial too short to tell: what stands around the runs would count for more.
    """
    if costs is None or costs.cpu_ns is None or measured_ns < MIN_CPU_NS:
        return None
    return costs.cpu_ns / max(measured_ns, costs.cpu_wall_ns or 0)
