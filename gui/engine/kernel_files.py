"""Files below /proc and /sys: any of them may be missing, vanish, be closed to us, or hold something unforeseen."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_DIGITS: Final = 20
"""Of the largest number of 64 bits."""


def read_text(path: Path) -> str | None:
    """Return what a file holds; None where it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None


def read_number(path: Path) -> int | None:
    """Return the number that a file holds; None where it cannot be read or holds something else."""
    text = read_text(path)
    return None if text is None else whole_number(text.strip())


def whole_number(text: str) -> int | None:
    """Return a text of digits as a number; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def entries_of(folder: Path) -> list[Path]:
    """Return what lies in a folder, by name; nothing where it cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
