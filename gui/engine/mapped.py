"""Which library files are mapped into this process: some stay after ORT has let go of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_DELETED = " (deleted)"


def still_mapped(paths: Iterable[str]) -> tuple[str, ...]:
    """Return those of the paths whose files are mapped as code; none where the system does not tell."""
    if os.name == "nt":
        return tuple(path for path in paths if _windows_has(path))
    mapped = _linux_maps()
    return tuple(path for path in paths if os.path.realpath(path) in mapped)


def _linux_maps() -> set[str]:
    try:
        lines = Path("/proc/self/maps").read_bytes().splitlines()
    except OSError:  # a system without it
        return set()
    fields = (line.split(maxsplit=5) for line in lines)
    names = (os.fsdecode(parts[5]) for parts in fields if len(parts) == 6)
    return {name.removesuffix(_DELETED) for name in names}  # a file that was rebuilt meanwhile is another one


def _windows_has(path: str) -> bool:
    import ctypes

    kernel = vars(ctypes)["windll"].kernel32  # exists on Windows alone
    kernel.GetModuleHandleW.restype = ctypes.c_void_p
    return bool(kernel.GetModuleHandleW(path))
