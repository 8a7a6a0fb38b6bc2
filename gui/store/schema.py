"""The tables of the store, and how one is opened, made, brought up to date or refused.

`trials` holds what a table of trials shows: short rows, so that 100,000 of them are read at once. `words` holds what a
search looks at. `bodies` holds the rest of a trial: the JSON of the trial file without samples, tags and note, and the
samples (see `sample_blobs`). What many trials share (environment, devices, libraries, nodes) is kept once, in `parts`.
Those of a comparison hold its id.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from . import errors, files

APPLICATION_ID: Final = 0x4F44_4554
"""Tells our files from other programs' (`ODET`); see PRAGMA application_id."""

BUSY_TIMEOUT_S: Final = 10.0
"""How long one window waits for another. A transaction takes milliseconds, with millions of samples a second."""

_VERSION_1: Final = """
CREATE TABLE trials (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    deleted_at TEXT,
    model_name TEXT NOT NULL,
    model_path TEXT NOT NULL,
    sizes TEXT NOT NULL,
    target TEXT NOT NULL,
    eps TEXT NOT NULL,
    verdict TEXT NOT NULL,
    agreement TEXT,
    outcome TEXT NOT NULL,
    failure TEXT NOT NULL,
    median_ns INTEGER,
    median_low_ns INTEGER,
    median_high_ns INTEGER,
    p90_ns INTEGER,
    p99_ns INTEGER,
    sample_count INTEGER NOT NULL,
    throughput_per_s REAL,
    machine TEXT NOT NULL,
    onnxruntime TEXT NOT NULL,
    tags TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX trials_deleted ON trials (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TABLE words (
    number INTEGER PRIMARY KEY REFERENCES trials ON DELETE CASCADE,
    text TEXT NOT NULL
) STRICT;
CREATE TABLE parts (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    json ANY NOT NULL
) STRICT;
CREATE TABLE bodies (
    number INTEGER PRIMARY KEY REFERENCES trials ON DELETE CASCADE,
    environment INTEGER NOT NULL REFERENCES parts,
    target_devices INTEGER NOT NULL REFERENCES parts,
    libraries INTEGER NOT NULL REFERENCES parts,
    nodes INTEGER NOT NULL REFERENCES parts,
    json ANY NOT NULL,
    warmup BLOB NOT NULL,
    samples BLOB NOT NULL
) STRICT;
"""

_VERSION_2: Final = """
ALTER TABLE trials ADD COLUMN comparison TEXT;
ALTER TABLE trials ADD COLUMN cell_label TEXT NOT NULL DEFAULT '';
ALTER TABLE trials ADD COLUMN cell INTEGER;
CREATE INDEX trials_comparison ON trials (comparison, cell) WHERE comparison IS NOT NULL;
CREATE INDEX bodies_environment ON bodies (environment);
CREATE INDEX bodies_target_devices ON bodies (target_devices);
CREATE INDEX bodies_libraries ON bodies (libraries);
CREATE INDEX bodies_nodes ON bodies (nodes);
"""
# The indexes of `bodies` tell at once whether a part is still used: a trial that grows may let go of one.

_SCRIPTS: Final = (_VERSION_1, _VERSION_2)
"""What brings a store from each version to the next. One that has been released is never changed."""

VERSION: Final = len(_SCRIPTS)
"""PRAGMA user_version of a store of today."""


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to a store, which is made where there is none. It belongs to the thread that asks for it.

    Raises `sqlite3.Error` for what SQLite says, `StoreError` for a newer or foreign database, which it leaves as it is.
    """
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if files.is_empty(path):
        # Has to come before anything is read: room that deleted trials leave goes back to the disk.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    version = _version_of(connection, path)
    # A commit lies in the log file as a whole or not at all. NORMAL would be enough to survive a SIGKILL: what was
    # written is the system's by then. FULL also waits until the disk has it, so that a trial which took minutes
    # survives a power cut, too; that costs some milliseconds a trial, on the thread that writes.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_size_limit = 67108864")  # a large trial makes the log large: cut it back
    if version < VERSION:
        _bring_up_to_date(connection, path)
    # Readers do not wait for a writer. Where it cannot be had (some network file systems), the old journal is as safe.
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise  # busy: another window, which has just made this store, is about to switch it


def _version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a store, 0 of an empty file. Raises `StoreError` for what is not ours or newer."""
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise errors.foreign(path)
    if version > VERSION:
        raise errors.newer(path, version)
    return version


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version_of(connection, path)  # another window may have done it meanwhile
        for script in _SCRIPTS[version:]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
