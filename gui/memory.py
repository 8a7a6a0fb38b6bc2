"""What the system tells of its memory and its files, as `experiment.py` wants to know it. No Qt here."""

from __future__ import annotations

from pathlib import Path

_KIB = 1024


def available_bytes(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Return how many bytes of memory can be had without swapping; None where nothing tells."""
    try:
        for line in meminfo.read_text(encoding="ascii", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * _KIB
    except (OSError, ValueError, IndexError):
        pass  # no Linux, or another form: psutil knows
    try:
        import psutil
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)


def file_bytes(path: str) -> int:
    """Return the size of a file, 0 when there is none. What it refers to is not counted."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
