"""What this process uses while a trial is run: memory, processor time, GPUs and NPUs.

Nothing here runs between two timed runs, but for the sampling that `accelerators.py` tells of.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..records.costs import TrialCosts
from .accelerators import AcceleratorMeter
from .kernel_files import read_text, whole_number

_KIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Resident memory of this process in bytes; None where it is not told."""

    resident: int | None = None
    peak: int | None = None
    """The most so far: since the process began, or since `begin_peak_anew`."""


class UsageMeter:
    """Measures one trial. Its methods are called in this order, on the worker thread; `close` ends it anywhere.

    A trial that is measured in rounds says `opened` once it is ready for them, `measuring_begins` and
    `measuring_paused` in each, and `rounds_ended` after the last. Its memory is looked at until it is ready: from then
    on there are others' sessions in the process.
    """

    def __init__(self, proc: Path = Path("/proc"), sys_root: Path = Path("/sys")) -> None:
        self._proc = proc
        self._sys_root = sys_root
        self._costs = TrialCosts(cpu_count=usable_processors())
        self._accelerators: AcceleratorMeter | None = None
        self._cpu_began: int | None = None
        self._wall_began = 0

    @property
    def costs(self) -> TrialCosts:
        """What is known so far."""
        return self._costs

    def before_session(self) -> None:
        """The inputs are made, the session is not. The peak begins anew here, where the system can do that."""
        self._accelerators = AcceleratorMeter(self._proc, self._sys_root)  # first: its memory is none of the session's
        is_anew = begin_peak_anew(self._proc)
        memory = read_memory(self._proc)
        self._costs = replace(
            self._costs,
            memory_before_bytes=memory.resident,
            memory_peak_bytes=memory.peak,
            peak_since_start=memory.peak is not None and not is_anew,
        )

    def session_created(self) -> None:
        """The session is made, and nothing was run."""
        memory = read_memory(self._proc)
        self._costs = replace(self._costs, memory_created_bytes=memory.resident, memory_peak_bytes=memory.peak)

    def measuring_begins(self) -> None:
        """To be called right before the timed runs."""
        if self._accelerators is not None:
            self._accelerators.begin()
        self._wall_began = time.perf_counter_ns()
        self._cpu_began = time.process_time_ns()

    def measuring_ended(self) -> None:
        """To be called right after the timed runs, also when one of them failed; without a begin it does nothing."""
        if self._cpu_began is None:
            return
        self.measuring_paused()
        self.opened()
        self.rounds_ended()

    def opened(self) -> None:
        """The session has run, and is measured later: the peak is that up to here."""
        self._costs = replace(self._costs, memory_peak_bytes=read_memory(self._proc).peak)

    def measuring_paused(self) -> None:
        """To be called right after the timed runs of a round; without a begin it does nothing."""
        if self._cpu_began is None:
            return
        used = time.process_time_ns() - self._cpu_began
        wall = time.perf_counter_ns() - self._wall_began
        self._cpu_began = None
        if self._accelerators is not None:
            self._accelerators.pause()
        costs = self._costs
        self._costs = replace(costs, cpu_ns=(costs.cpu_ns or 0) + used, cpu_wall_ns=(costs.cpu_wall_ns or 0) + wall)

    def rounds_ended(self) -> None:
        """There are no more timed runs: tell what GPUs and NPUs did in them."""
        if self._accelerators is not None and self._costs.cpu_ns is not None:
            self._costs = replace(self._costs, accelerators=self._accelerators.end())

    def close(self) -> None:
        """Let go of what looks at GPUs; what is known stays."""
        if self._accelerators is not None:
            self._accelerators.close()
            self._accelerators = None


def begin_peak_anew(proc: Path = Path("/proc")) -> bool:
    """Make the peak the memory of now; return whether the system can do that. Linux can, if it was built to."""
    try:
        descriptor = os.open(proc / "self" / "clear_refs", os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(descriptor, b"5")
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def read_memory(proc: Path = Path("/proc")) -> Memory:
    """Return the memory of this process by what the system has for it: /proc, else psutil and getrusage."""
    text = read_text(proc / "self" / "status")
    if text is None:
        return _memory_elsewhere()
    lines = dict(line.partition(":")[::2] for line in text.splitlines())
    resident, peak = (_kibibytes(lines.get(key, "")) for key in ("VmRSS", "VmHWM"))
    return Memory(resident=resident, peak=_at_least(peak, resident))


def usable_processors() -> int:
    """Return how many processors this process may use."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 0
    if sys.platform != "win32" and hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 0


def _kibibytes(text: str) -> int | None:
    digits, _, unit = text.strip().partition(" ")
    number = whole_number(digits)
    return None if number is None or unit != "kB" else number * _KIB


def _memory_elsewhere() -> Memory:
    peak = _peak_of_resource()
    try:
        import psutil
    except ImportError:
        return Memory(peak=peak)
    try:
        info = psutil.Process().memory_info()
    except psutil.Error:
        return Memory(peak=peak)
    return Memory(resident=info.rss, peak=_at_least(getattr(info, "peak_wset", peak), info.rss))


def _peak_of_resource() -> int | None:
    """Return the peak since the process began by getrusage; None on Windows, which has none."""
    if sys.platform == "win32":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * _KIB


def _at_least(peak: int | None, resident: int | None) -> int | None:
    """The system counts the two apart, by pages at a time: the peak may lag behind."""
    return peak if peak is None or resident is None else max(peak, resident)
