"""This process' own use of GPUs and NPUs, as Linux tells it to everybody: the `drm-` lines of /proc/self/fdinfo.

The kernel documents them as “DRM client usage stats”. i915, xe, amdgpu, amdxdna, ivpu and others write them, each as
many of them as it can.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..records.costs import AcceleratorUse
from .kernel_files import entries_of, read_text, whole_number

_SIZES: Final = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_TOTAL_CYCLES: Final = "drm-total-cycles-"
_MEMORY_KEYS: Final = ("drm-resident-", "drm-memory-", "drm-total-")
"""What tells the memory of a region, the truest first: what is there, the old name of that, what was asked for."""


@dataclass(slots=True, kw_only=True)
class _Client:
    """One open device; counters only grow, but for the moments in which a driver is behind."""

    device: str
    busy_ns: dict[str, int] = field(default_factory=dict)
    cycles: dict[str, int] = field(default_factory=dict)
    total_cycles: dict[str, int] = field(default_factory=dict)
    capacity: dict[str, int] = field(default_factory=dict)
    regions: dict[str, int] = field(default_factory=dict)

    def share(self, engine: str, before: _Client | None, wall_ns: int) -> float | None:
        """Return how busy this client has kept an engine since `before`; None where that cannot be told."""
        capacity = self.capacity.get(engine) or 1
        if engine in self.busy_ns:
            earlier = 0 if before is None else before.busy_ns.get(engine, 0)
            # “Upon observing a value lower than what was previously read” it is the earlier one that still holds.
            return max(0, self.busy_ns[engine] - earlier) / (wall_ns * capacity) if wall_ns > 0 else None
        if before is None or engine not in self.total_cycles or engine not in before.total_cycles:
            return None
        passed = self.total_cycles[engine] - before.total_cycles[engine]
        used = self.cycles[engine] - before.cycles.get(engine, 0)
        return max(0, used) / (passed * capacity) if passed > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrmSnapshot:
    """All devices that this process has open, at one moment."""

    taken_ns: int
    folder: str
    clients: dict[tuple[str, str], _Client]
    """By device and the client's number: a descriptor that was duplicated tells of the same client."""


@dataclass(slots=True, kw_only=True)
class _DeviceUse:
    """What the clients of one device tell together."""

    folder: str
    shares: dict[str, float] = field(default_factory=dict)
    """By engine."""
    memory: int | None = None


def read_clients(proc: Path) -> DrmSnapshot:
    """Return the DRM clients of this process; none where the system has no such files. Never raises `OSError`."""
    folder = proc / "self" / "fdinfo"
    taken, clients = time.perf_counter_ns(), {}
    for path in entries_of(folder):
        lines = dict(_pairs(read_text(path) or ""))  # a descriptor may have been closed meanwhile
        driver = lines.get("drm-driver", "")
        if driver:
            device = f"{driver} {lines.get('drm-pdev', '')}".strip()
            client = lines.get("drm-client-id") or f"descriptor {path.name}"
            clients[device, client] = _client_of(device, lines)
    return DrmSnapshot(taken_ns=taken, folder=str(folder), clients=clients)


def uses_in(spans: Sequence[tuple[DrmSnapshot, DrmSnapshot]]) -> list[AcceleratorUse]:
    """Return the use of each device: its memory at the end, and each of its engines that was busy in these spans.

    A span lies between two snapshots; what lies between two spans does not count.
    """
    whole_ns = sum(after.taken_ns - before.taken_ns for before, after in spans)
    found: dict[str, _DeviceUse] = {}
    for before, after in spans:
        wall_ns = after.taken_ns - before.taken_ns
        part = 1.0 if len(spans) == 1 else wall_ns / max(1, whole_ns)
        for device in dict.fromkeys(client.device for client in after.clients.values()):
            own = {key: client for key, client in after.clients.items() if client.device == device}
            use = found.setdefault(device, _DeviceUse(folder=after.folder))
            for key, client in own.items():
                for engine in (*client.busy_ns, *(name for name in client.cycles if name not in client.busy_ns)):
                    share = client.share(engine, before.clients.get(key), wall_ns)
                    if share is not None:
                        use.shares[engine] = use.shares.get(engine, 0.0) + part * share
            sizes = [sum(client.regions.values()) for client in own.values() if client.regions]
            use.memory = sum(sizes) if sizes else None
    return [entry for device, use in found.items() for entry in _uses(device, use.folder, use.shares, use.memory)]


def _uses(device: str, source: str, shares: dict[str, float], memory: int | None) -> Iterator[AcceleratorUse]:
    busy = {engine: share for engine, share in shares.items() if share > 0}
    if memory is not None or (shares and not busy):
        share = 0.0 if shares and not busy else None
        yield AcceleratorUse(name=device, source=source, busy_share=share, memory_bytes=memory)
    for engine, share in busy.items():
        yield AcceleratorUse(name=f"{device}, engine {engine}", source=source, busy_share=min(1.0, share))


def _client_of(device: str, lines: dict[str, str]) -> _Client:
    client = _Client(device=device)
    for key, text in lines.items():
        number, unit = _number(text)
        if number is None:
            continue
        for prefix, values, units in (
            ("drm-engine-capacity-", client.capacity, ("",)),  # before `drm-engine-`, which begins as it does
            ("drm-engine-", client.busy_ns, ("ns",)),
            ("drm-cycles-", client.cycles, ("",)),
            (_TOTAL_CYCLES, client.total_cycles, ("",)),
        ):
            if key.startswith(prefix):
                if unit in units:
                    values[key.removeprefix(prefix)] = number
                break
    for prefix in reversed(_MEMORY_KEYS):  # the truest last: it takes the place of the others
        for key, text in lines.items():
            number, unit = _number(text)
            if key.startswith(prefix) and not key.startswith(_TOTAL_CYCLES) and number is not None and unit in _SIZES:
                client.regions[key.removeprefix(prefix)] = number * _SIZES[unit]
    return client


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.startswith("drm-"):
            yield key, value.strip()


def _number(text: str) -> tuple[int | None, str]:
    """Return the number of a value and its unit; None for what is no number."""
    number, _, unit = text.partition(" ")
    return whole_number(number), unit.strip()
