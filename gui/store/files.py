"""The files of a store, looked at and moved without opening them.

None of this may open the database itself: on POSIX, closing a file drops all locks that the process has on it, also
those of its other connections (https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import glob
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

FileIdentity = tuple[int, int]
"""Device and number of a file: another one under the same name has others."""

_COMPANIONS: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database while it is open, and after a kill."""


def identity_of(path: Path) -> FileIdentity | None:
    """Return which file lies there, or None when none does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_empty(path: Path) -> bool:
    """Whether there is nothing in a file, or no file."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return True


def was_emptied(path: Path) -> bool:
    """Whether a store was cut to nothing from outside: SQLite would throw away its log, taking it for a new file."""
    try:
        return path.stat().st_size == 0 and path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False


def set_aside(path: Path, judged: FileIdentity | None) -> Path | None:
    """Rename a damaged store to `NAME.damaged-TIME`, with its log; return its new place, None when it could not be.

    When it is no longer the file that was judged, another window has done it; then that place is returned.
    """
    if judged is None or identity_of(path) != judged:
        others = path.parent.glob(f"{glob.escape(path.name)}.damaged-*")
        return next((other for other in others if judged is not None and identity_of(other) == judged), None)
    stem = f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    target, number = path.with_name(stem), 2
    while target.exists():
        target, number = path.with_name(f"{stem}-{number}"), number + 1
    try:
        for suffix in _COMPANIONS:  # the database last: after a kill in between it is still found damaged
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                companion.rename(target.with_name(target.name + suffix))
        path.rename(target)
    except OSError:
        return None
    return target
