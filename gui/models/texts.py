"""Numbers as the window shows them: by the user's locale."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale

from ..records.units import scaled_time

DASH = "–"


def time_text(nanoseconds: float | None) -> str:
    """Return a time with a unit that suits it; a dash for None."""
    if nanoseconds is None:
        return DASH
    value, unit, decimals = scaled_time(nanoseconds)
    return f"{QLocale().toString(value, 'f', decimals)} {unit}"


def count_text(count: int | None) -> str:
    """Return a number with the locale's separators; a dash for None."""
    return DASH if count is None else QLocale().toString(count)


def rate_text(per_second: float | None) -> str:
    """Return a throughput in runs per second; a dash for None."""
    if per_second is None:
        return DASH
    decimals = 0 if per_second >= 1000 else 1 if per_second >= 10 else 3
    return QCoreApplication.translate("Texts", "{0} /s").format(QLocale().toString(per_second, "f", decimals))


def duration_text(seconds: float) -> str:
    """Return a duration people wait for: `4 s`, `2 min 05 s`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return QCoreApplication.translate("Texts", "{0} s").format(whole)
    return QCoreApplication.translate("Texts", "{0} min {1:02d} s").format(whole // 60, whole % 60)


def size_text(size_bytes: int) -> str:
    """Return a file size."""
    return QLocale().formattedDataSize(size_bytes, 1)
