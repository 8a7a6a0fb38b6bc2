"""The rest of a trial: its JSON, what it shares with others, its samples. All within the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
import zlib
from typing import Any, Final

from ..records.codec import DecodeError
from ..records.kept_trial import KeptTrial
from ..records.trial_file import told_json, trial_of
from .sample_blobs import pack_samples, unpack_samples
from .summaries import tags_of

SHARED: Final = ("environment", "target_devices", "libraries", "nodes")
"""The keys of a trial's JSON that `parts` holds. Names in statements are all our own (S608)."""
_SHORT: Final = 400
"""JSON of fewer bytes is kept as text: nothing is to be gained."""


def insert_body(connection: sqlite3.Connection, number: int, kept: KeptTrial) -> None:
    """Write the rest of a trial under its number."""
    told = told_json(kept)
    for name in ("tags", "note"):  # they change, and lie in the row
        del told[name]
    parts = [_part(connection, told.pop(name)) for name in SHARED]
    connection.execute(
        f"INSERT INTO bodies (number, {', '.join(SHARED)}, json, warmup, samples) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (number, *parts, _packed(told), pack_samples(kept.warmup), pack_samples(kept.samples)),
    )


def replace_body(connection: sqlite3.Connection, number: int, kept: KeptTrial) -> None:
    """Write the rest of a trial in the place of what was there, and let go of what no trial shares any more."""
    before = connection.execute(f"SELECT {', '.join(SHARED)} FROM bodies WHERE number = ?", (number,)).fetchone()  # noqa: S608
    connection.execute("DELETE FROM bodies WHERE number = ?", (number,))
    insert_body(connection, number, kept)
    is_unused = " AND ".join(f"NOT EXISTS (SELECT 1 FROM bodies WHERE {name} = parts.number)" for name in SHARED)  # noqa: S608
    for part in set(before or ()):
        connection.execute(f"DELETE FROM parts WHERE number = ? AND {is_unused}", (part,))  # noqa: S608


def replace_json(connection: sqlite3.Connection, number: int, key: str, value: Any) -> None:
    """Put a value in the place of another in a trial's own JSON. Raises `DecodeError` when that cannot be read."""
    (text,) = connection.execute("SELECT json FROM bodies WHERE number = ?", (number,)).fetchone()
    told = _unpacked(text)
    connection.execute("UPDATE bodies SET json = ? WHERE number = ?", (_packed({**told, key: value}), number))


def read_trial(connection: sqlite3.Connection, number: int, tags: str, note: str) -> KeptTrial:
    """Return the trial with a number. Raises `DecodeError` when what is kept of it cannot be read."""
    parts = ", ".join(f"(SELECT json FROM parts WHERE number = bodies.{name})" for name in SHARED)  # noqa: S608
    found = connection.execute(
        f"SELECT json, warmup, samples, {parts} FROM bodies WHERE number = ?",  # noqa: S608
        (number,),
    ).fetchone()
    if found is None:
        raise DecodeError("only its summary is there")
    text, warmup, samples, *shared = found
    told = _unpacked(text)
    told |= {name: _unpacked(part) for name, part in zip(SHARED, shared, strict=True)}
    told |= {"tags": list(tags_of(tags)), "note": note}
    return trial_of(told, unpack_samples(samples), unpack_samples(warmup))


def drop_unused_parts(connection: sqlite3.Connection) -> None:
    """Delete what no trial shares any more."""
    used = " UNION ".join(f"SELECT {name} FROM bodies" for name in SHARED)  # noqa: S608
    connection.execute(f"DELETE FROM parts WHERE number NOT IN ({used})")  # noqa: S608


def _part(connection: sqlite3.Connection, value: Any) -> int:
    """Return the number of a part with this value, which is written if it is new."""
    import hashlib  # the window starts without it

    digest = hashlib.sha256(_text(value)).digest()
    found = connection.execute("SELECT number FROM parts WHERE digest = ?", (digest,)).fetchone()
    if found is None:
        found = connection.execute(
            "INSERT INTO parts (digest, json) VALUES (?, ?) RETURNING number", (digest, _packed(value))
        ).fetchone()
    return int(found[0])


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _packed(value: Any) -> str | bytes:
    """Return JSON as text, or compressed when that pays."""
    text = _text(value)
    return text.decode("ascii") if len(text) < _SHORT else zlib.compress(text)


def _unpacked(stored: Any) -> Any:
    try:
        return json.loads(zlib.decompress(stored) if isinstance(stored, bytes) else stored)
    except (zlib.error, ValueError, TypeError) as error:
        raise DecodeError(f"damaged JSON: {error}") from error
