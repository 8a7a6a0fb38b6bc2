"""What can go wrong with the store, in words."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Final

from ..records.failure import Failure, FailureError, FailureKind

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class StoreError(FailureError):
    """Carries the failure of a store.

    `set_aside` is where the file is now, when it was damaged and has been moved; `is_gone` says that no more is wrong
    than that there is no such trial.
    """

    def __init__(self, failure: Failure, set_aside: Path | None = None, *, is_gone: bool = False) -> None:
        super().__init__(failure)
        self.set_aside = set_aside
        self.is_gone = is_gone


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is damaged or no database; its text that is no text counts as damage, too."""
    code = getattr(error, "sqlite_errorcode", None)
    return "decode to UTF-8" in str(error) if code is None else code & 0xFF in _DAMAGED


def damaged(path: Path, moved: Path | None, detail: str) -> StoreError:
    """Return the error of a store that is damaged and has been set aside, or could not be."""
    if moved is None:
        message = f"The store of trials is damaged and cannot be moved away: {path}."
        hint = "Close all other windows, or move the file away yourself. It has not been changed."
    else:
        message = f"The store of trials was damaged and has been set aside as {moved}."
        hint = "New trials go into a new store; nothing in the old one has been changed."
    return StoreError(_failure(message, hint, detail, kind=FailureKind.STORE_DAMAGED), moved)


def newer(path: Path, version: int) -> StoreError:
    """Return the error of a store that a later version of this application has made."""
    message = f"The store of trials was made by a newer version of ORT Device Explorer: {path}."
    hint = "Update this application. The file is left as it is, and trials are not kept until then."
    return StoreError(_failure(message, hint, f"schema version {version}"))


def foreign(path: Path) -> StoreError:
    """Return the error of a database that is another program's."""
    message = f"The file in the place of the store of trials is another program's database: {path}."
    return StoreError(_failure(message, "Move it away; it is left as it is, and trials are not kept until then.", ""))


def gone() -> StoreError:
    """Return the error of a trial that was asked for and is not there."""
    failure = _failure("The trial is not in the store any more.", "Refresh the history.", "")
    return StoreError(failure, is_gone=True)


def trial_damaged(detail: str) -> StoreError:
    """Return the error of one trial that cannot be read, in a store of which the rest can."""
    message = "The trial cannot be read: what the store holds of it is damaged."
    hint = "Other trials can still be read; delete this one."
    return StoreError(_failure(message, hint, detail, kind=FailureKind.STORE_DAMAGED))


def of_sqlite(path: Path, error: sqlite3.Error) -> StoreError:
    """Return the error for what SQLite says, other than damage."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    detail = f"{getattr(error, 'sqlite_errorname', '')} {error}".strip()
    if code == sqlite3.SQLITE_FULL:
        message, hint = f"There is no room left for the store of trials: {path}.", "Make room on the disk."
    elif code in _BUSY:
        message, hint = f"The store of trials is busy: {path}.", "Another window is writing to it; try again."
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        message = f"The store of trials cannot be opened for writing: {path}."
        hint = "Mend the permissions of the file and its folder."
    else:
        message, hint = f"The store of trials cannot be read or written: {path}.", "Look into the details."
    return StoreError(_failure(message, hint, detail))


def of_system(path: Path, error: OSError) -> StoreError:
    """Return the error for what the system says of the store's folder."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    hint = "Make room on the disk." if error.errno == errno.ENOSPC else "Mend the permissions of the folder."
    message = f"The store of trials cannot be made: {path} ({reason})."
    return StoreError(_failure(message, hint, str(error)))


def _failure(message: str, hint: str, detail: str, kind: FailureKind = FailureKind.STORE_UNUSABLE) -> Failure:
    return Failure(kind=kind, message=message, hint=hint, detail=detail)
