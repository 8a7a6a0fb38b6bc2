"""Times and sizes as people read them. These are for files and the command line: always the C locale."""

from __future__ import annotations

_TIME_UNITS = (("s", 1e9), ("ms", 1e6), ("µs", 1e3))


def time_unit(nanoseconds: float) -> tuple[str, float]:
    """Return the unit that suits a time and how many nanoseconds it has."""
    for unit, size in _TIME_UNITS:
        if abs(nanoseconds) >= size:
            return unit, size
    return "µs", 1e3


def scaled_time(nanoseconds: float) -> tuple[float, str, int]:
    """Return value, unit and number of decimals of a time, with about four significant digits."""
    unit, size = time_unit(nanoseconds)
    value = nanoseconds / size
    decimals = 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1
    return value, unit, decimals


def time_text(nanoseconds: float | None) -> str:
    """Return a time such as `71.23 µs`; a dash for None."""
    if nanoseconds is None:
        return "–"
    value, unit, decimals = scaled_time(nanoseconds)
    return f"{value:.{decimals}f} {unit}"


def hex_id(number: int) -> str:
    """Return a vendor or device id as it is written in driver files: at least four hexadecimal digits."""
    return f"0x{number:04X}"


def size_text(size_bytes: int) -> str:
    """Return a size of files or memory: `15.7 MiB`."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
