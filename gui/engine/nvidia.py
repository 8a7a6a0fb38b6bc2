"""What NVIDIA's management library tells of the GPUs, where its Python package `nvidia-ml-py` is installed."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Final

from ..records.costs import AcceleratorUse

_SOURCE: Final = "NVML"


class Nvml:
    """NVIDIA's library, held until it is closed."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.gauges: tuple[NvidiaGauge, ...] = ()
        """One a GPU."""
        try:
            self.gauges = tuple(
                NvidiaGauge(library, index, library.nvmlDeviceGetHandleByIndex(index))
                for index in range(library.nvmlDeviceGetCount())
            )
        except library.NVMLError:  # the GPU fell off its bus, or may not be asked: nothing is told of it
            self.gauges = ()

    def close(self) -> None:
        """Let the library go; what was sampled stays."""
        with suppress(self._library.NVMLError):  # it may be gone already
            self._library.nvmlShutdown()


def open_nvml() -> Nvml | None:
    """Return NVIDIA's library, or None where there is no package, no driver, or no GPU of theirs."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return Nvml(pynvml)


class NvidiaGauge:
    """One GPU: how busy it is with the work of all programs, and how much of its memory this process has."""

    def __init__(self, library: Any, index: int, handle: Any) -> None:
        self._library = library
        self._handle = handle
        name = library.nvmlDeviceGetName(handle)
        self._name = f"{name.decode() if isinstance(name, bytes) else name}, GPU {index}"
        self._percents: list[int] = []
        self._own_bytes: int | None = None

    def sample(self) -> None:
        """Look once."""
        with suppress(self._library.NVMLError):  # of a part of a GPU (MIG) it is not told
            self._percents.append(int(self._library.nvmlDeviceGetUtilizationRates(self._handle).gpu))
        try:
            running = self._library.nvmlDeviceGetComputeRunningProcesses(self._handle)
        except self._library.NVMLError:
            return
        # Windows' driver model leaves the size of a process out: it is None then.
        sizes = [entry.usedGpuMemory for entry in running if entry.pid == os.getpid() and entry.usedGpuMemory]
        if sizes:
            self._own_bytes = max(self._own_bytes or 0, sum(sizes))

    def uses(self) -> list[AcceleratorUse]:
        """Return what the samples say."""
        found = []
        if self._own_bytes is not None:
            found.append(AcceleratorUse(name=self._name, source=_SOURCE, memory_bytes=self._own_bytes))
        if self._percents:
            share = sum(self._percents) / len(self._percents) / 100
            found.append(
                AcceleratorUse(name=self._name, source=_SOURCE, busy_share=min(1.0, share), of_this_engine=False)
            )
        return found
