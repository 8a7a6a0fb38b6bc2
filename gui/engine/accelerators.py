"""How much of the GPUs and NPUs is used while a trial is measured, where the system tells without extra rights.

Counters are read at begin and end. What the system tells only as a gauge is sampled in between, on a thread that exists
only where there is such a gauge. Files that are not there, vanish, or hold nonsense are as if nothing was told.
"""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Final, Protocol

from ..records.costs import AcceleratorUse
from .drm_clients import DrmSnapshot, read_clients, uses_in
from .kernel_files import entries_of, read_number, read_text
from .nvidia import open_nvml

_DEVICE: Final = re.compile(r"(?:card|accel)\d+")
_SAMPLE_S: Final = 0.5
_PATIENCE_S: Final = 1.0
"""So long the end waits for a sample under way: a driver may be slow to answer."""


class Gauge(Protocol):
    """Something that tells only how it is at the moment."""

    def sample(self) -> None:
        """Look once."""

    def uses(self) -> list[AcceleratorUse]:
        """Return what the samples say."""


class AcceleratorMeter:
    """Looks for what there is when it is made, and measures once: `begin`, then `end`. `close` may come any time.

    In between it may `pause` and `begin` again: what is told then is the use in all the spans together.
    """

    def __init__(self, proc: Path = Path("/proc"), sys_root: Path = Path("/sys")) -> None:
        self._proc = proc
        self._npus = [NpuCounter(path) for path in _devices(sys_root, "accel", "npu_busy_time_us")]
        self._nvml = open_nvml()
        gauges: list[Gauge] = [AmdGauge(path) for path in _devices(sys_root, "drm", "gpu_busy_percent")]
        self._sampler = _Sampler([*gauges, *(self._nvml.gauges if self._nvml is not None else ())])
        self._before: DrmSnapshot | None = None
        self._spans: list[tuple[DrmSnapshot, DrmSnapshot]] = []

    def begin(self) -> None:
        """Read the counters, and begin to sample what is none."""
        self._before = read_clients(self._proc)
        for npu in self._npus:
            npu.begin()
        self._sampler.start()

    def pause(self) -> None:
        """Stop looking until the next `begin`."""
        if self._before is None:
            return
        self._sampler.stop(with_last_look=True)
        self._spans.append((self._before, read_clients(self._proc)))
        self._before = None
        for npu in self._npus:
            npu.pause()

    def end(self) -> tuple[AcceleratorUse, ...] | None:
        """Return the use since `begin`; None where nothing is told. What is not freed yet counts as memory."""
        self.pause()
        uses = uses_in(self._spans)
        for npu in self._npus:
            uses += npu.uses()
        # Beside an own counter of the same device: work that ROCm hands over is in no client's counter.
        uses += self._sampler.uses()
        self.close()
        return tuple(uses) or None

    def close(self) -> None:
        """Stop sampling and let NVIDIA's library go."""
        self._sampler.stop(with_last_look=False)
        if self._nvml is not None:
            self._nvml.close()
            self._nvml = None


class NpuCounter:
    """Intel's NPU: the driver ivpu counts the time in which it had work, of all programs."""

    def __init__(self, folder: Path) -> None:
        self._counter = folder / "npu_busy_time_us"
        self._memory = folder / "npu_memory_utilization"
        self._name = f"Intel NPU {folder.resolve().name}"
        self._began_ns = 0
        self._began_us: int | None = None
        self._wall_ns = 0
        self._busy_us = 0
        self._memory_bytes: int | None = None

    def begin(self) -> None:
        """Read the counter."""
        self._began_ns, self._began_us = time.perf_counter_ns(), read_number(self._counter)

    def pause(self) -> None:
        """Add what was counted since `begin`, if it is told."""
        wall_ns, busy_us = time.perf_counter_ns() - self._began_ns, read_number(self._counter)
        if busy_us is not None and self._began_us is not None:
            self._wall_ns += wall_ns
            self._busy_us += max(0, busy_us - self._began_us)
        self._memory_bytes = read_number(self._memory)

    def uses(self) -> list[AcceleratorUse]:
        """Return what was counted, if anything was told."""
        share = min(1.0, self._busy_us * 1000 / self._wall_ns) if self._wall_ns > 0 else None
        memory = self._memory_bytes
        if share is None and memory is None:
            return []
        return [
            AcceleratorUse(
                name=self._name,
                source=str(self._counter),
                busy_share=share,
                memory_bytes=memory,
                of_this_engine=False,
            )
        ]


class AmdGauge:
    """A GPU of AMD's: the driver amdgpu tells how busy it is at the moment, with the work of all programs."""

    def __init__(self, folder: Path) -> None:
        self._percent = folder / "gpu_busy_percent"
        self._memory = folder / "mem_info_vram_used"
        self._name = f"amdgpu {folder.resolve().name}"
        self._percents: list[int] = []
        self._sizes: list[int] = []

    def sample(self) -> None:
        """Look once; a GPU that sleeps does not answer."""
        for path, values in ((self._percent, self._percents), (self._memory, self._sizes)):
            number = read_number(path)
            if number is not None:
                values.append(number)

    def uses(self) -> list[AcceleratorUse]:
        """Return what the samples say: how busy on average, the most memory."""
        if not self._percents and not self._sizes:
            return []
        share = min(1.0, sum(self._percents) / len(self._percents) / 100) if self._percents else None
        return [
            AcceleratorUse(
                name=self._name,
                source=str(self._percent),
                busy_share=share,
                memory_bytes=max(self._sizes, default=None),
                of_this_engine=False,
            )
        ]


class _Sampler:
    """Samples gauges twice a second on a thread of its own; without gauges there is none.

    The thread holds Python's lock for some ten microseconds a sample, and not while the driver answers: a run that
    falls together with one may take so much longer.
    """

    def __init__(self, gauges: list[Gauge]) -> None:
        self._gauges = gauges
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._gauges:
            self._ends = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(self._ends,), name="accelerators", daemon=True)
            self._thread.start()

    def stop(self, *, with_last_look: bool) -> None:
        """End the thread; the last look is that of a measuring too short for the thread."""
        if self._thread is None:
            return
        self._ends.set()
        self._thread.join(_PATIENCE_S)
        if with_last_look and not self._thread.is_alive():
            self._sample()
        self._thread = None

    def uses(self) -> list[AcceleratorUse]:
        return [use for gauge in self._gauges for use in gauge.uses()]

    def _run(self, ends: threading.Event) -> None:
        while not ends.wait(_SAMPLE_S):
            self._sample()

    def _sample(self) -> None:
        for gauge in self._gauges:
            gauge.sample()


def _devices(sys_root: Path, kind: str, file_name: str) -> list[Path]:
    """Return the folders of devices of a class that have this file; `card0-DP-1` is a plug of `card0`, not a device."""
    folders = [entry / "device" for entry in entries_of(sys_root / "class" / kind) if _DEVICE.fullmatch(entry.name)]
    return [folder for folder in folders if read_text(folder / file_name) is not None]
