"""The store of trials: kept at once, found again at once, never lost.

What survives: a trial is there as soon as `keep` has returned, whatever kills the process, or the machine, afterwards;
one that was being written is there as a whole or as it was before. A damaged file is set aside under another name, and
one of a newer version left alone: neither is ever written over.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ..records.codec import DecodeError, to_json
from ..records.kept_trial import KeptTrial
from ..records.profile import Profile
from ..records.result import Outcome
from . import bodies, errors, files, schema
from .errors import StoreError
from .summaries import (
    COLUMNS,
    TrialSummary,
    read_summaries,
    row_of,
    storable,
    tags_of,
    tags_text,
    wanted_words,
    words_of,
)

PURGE_AFTER_DAYS: Final = 30.0
"""How long a deleted trial can be brought back."""


class TrialStore:
    """One connection to the store; any number may be open, in this process and in others.

    Belongs to the thread that made it: each thread that reads or writes makes its own. Every method raises
    `StoreError`. After one with `set_aside` the store is closed; a new `TrialStore` makes a new file.
    """

    def __init__(self, path: Path) -> None:
        """Open the store, or make it with its folder."""
        self._path = path.absolute()
        self._connection: sqlite3.Connection | None = None
        self._identity: files.FileIdentity | None = None
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """Where the file lies; absolute."""
        return self._path

    def close(self) -> None:
        """Close the file; nothing is left to be written then. Closing twice does no harm."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- Written ----

    def keep(self, *trials: KeptTrial) -> int:
        """Keep trials, all or none; return how many of them took the place of an earlier state.

        A trial may be kept while it is under way and has grown since: the later state replaces the earlier one, under
        its number, with the tags and the note it has here, and stays deleted when it was. One that has not grown
        changes nothing.
        """
        with self._writing() as connection:
            return sum(_keep(connection, kept) for kept in trials)

    def set_tags(self, ids: Iterable[str], tags: Iterable[str]) -> None:
        """Replace the tags of trials."""
        self._set("tags", tags_text(tags), ids)

    def set_note(self, ids: Iterable[str], note: str) -> None:
        """Replace the note of trials."""
        self._set("note", storable(note), ids)

    def set_profile(self, trial_id: str, profile: Profile) -> None:
        """Keep the profile that was made of a trial after it had ended."""
        with self._writing() as connection:
            number, _tags, _note = _found(connection, trial_id)
            try:
                bodies.replace_json(connection, number, "profile", to_json(profile))
            except DecodeError as error:
                raise errors.trial_damaged(str(error)) from error

    def delete(self, ids: Iterable[str]) -> None:
        """Delete trials, to be brought back by `restore` until they are purged."""
        now = _time_text(datetime.now(UTC))
        with self._writing() as connection:
            connection.executemany(
                "UPDATE trials SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", [(now, each) for each in ids]
            )

    def restore(self, ids: Iterable[str]) -> None:
        """Bring deleted trials back."""
        with self._writing() as connection:
            connection.executemany("UPDATE trials SET deleted_at = NULL WHERE id = ?", [(each,) for each in ids])

    def purge(self, days: float = PURGE_AFTER_DAYS) -> int:
        """Remove for good what was deleted longer than so many days ago; return how many trials that were."""
        until = _time_text(datetime.now(UTC) - timedelta(days=days))
        with self._writing() as connection:
            count = connection.execute("DELETE FROM trials WHERE deleted_at <= ?", (until,)).rowcount
            if count:
                bodies.drop_unused_parts(connection)
        if count:
            with self._telling():
                self._live().executescript("PRAGMA incremental_vacuum")  # `execute` would stop after one page
        return count

    # ---- Read ----

    def summaries(
        self,
        *,
        ids: Iterable[str] = (),
        words: str = "",
        tags: Iterable[str] = (),
        outcomes: Iterable[Outcome] = (),
        since: str = "",
        after: int = 0,
        deleted: bool = False,
    ) -> list[TrialSummary]:
        """Return those trials that hold all of the words and tags, in the order in which they came into the store.

        `ids` leaves only these, `outcomes` those that ended so, `since` those created then or later (ISO 8601, UTC),
        `after` those with a greater number, `deleted` returns those that were deleted. Words are found within others
        and in either case.
        """
        query = _Query(f"SELECT {', '.join(COLUMNS)} FROM trials")  # noqa: S608
        query.where(f"deleted_at IS {'NOT ' if deleted else ''}NULL")
        wanted = tuple(ids)
        if wanted:
            query.where(f"id IN ({', '.join('?' * len(wanted))})", *wanted)
        for word in wanted_words(words):
            query.where("instr((SELECT text FROM words WHERE words.number = trials.number), ?) > 0", word)
        for tag in tags:
            query.where("instr(tags, ?) > 0", tags_text([tag]))
        kinds = [outcome.value for outcome in outcomes]
        if kinds:
            query.where(f"outcome IN ({', '.join('?' * len(kinds))})", *kinds)
        if since:
            query.where("created >= ?", since)
        if after:
            query.where("number > ?", after)
        with self._telling():
            rows = self._live().execute(f"{query.text} ORDER BY number", query.values)
            try:
                return read_summaries(rows)
            except KeyError as error:
                raise self._put_aside(f"a word that has no meaning: {error}") from error

    def load(self, trial_id: str) -> KeptTrial:
        """Return a trial with everything, its samples exactly; also one that was deleted."""
        with self._telling():
            connection = self._live()
            number, tags, note = _found(connection, trial_id)
            try:
                return bodies.read_trial(connection, number, tags, note)
            except (DecodeError, sqlite3.DatabaseError) as error:
                if isinstance(error, sqlite3.Error) and not errors.is_damage(error):
                    raise
                raise errors.trial_damaged(str(error)) from error

    def comparison_ids(self, comparison: str) -> tuple[str, ...]:
        """Return the ids of the trials of a comparison in the order of its cells, of each cell the last."""
        with self._telling():
            rows = self._live().execute(
                "SELECT id, max(number) FROM trials WHERE comparison = ? AND deleted_at IS NULL "
                "GROUP BY cell ORDER BY cell",
                (comparison,),
            )
            return tuple(trial_id for trial_id, _number in rows)

    def count(self) -> int:
        """Return how many trials there are, without those deleted."""
        with self._telling():
            return int(self._live().execute("SELECT count(*) FROM trials WHERE deleted_at IS NULL").fetchone()[0])

    def tags(self) -> tuple[str, ...]:
        """Return all tags in use, sorted."""
        with self._telling():
            rows = self._live().execute("SELECT DISTINCT tags FROM trials WHERE deleted_at IS NULL").fetchall()
        return tuple(sorted({tag for (text,) in rows for tag in tags_of(text)}, key=str.casefold))

    def data_version(self) -> int:
        """Return a number that is another one after another connection, of this window or another, has changed it."""
        with self._telling():
            return int(self._live().execute("PRAGMA data_version").fetchone()[0])

    # ---- The connection ----

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise errors.of_system(self._path.parent, error) from error
        self._identity = files.identity_of(self._path)
        if files.was_emptied(self._path):
            raise self._put_aside("the file is empty, but its log is not")
        with self._telling():
            self._connection = schema.connect(self._path)
        self._identity = files.identity_of(self._path)

    def _live(self) -> sqlite3.Connection:
        """Return the connection to the file that lies there now.

        It may have been set aside by another window or deleted: what is written to a file without a name is lost.
        """
        if self._connection is None:
            raise sqlite3.ProgrammingError("the store is closed")
        if files.identity_of(self._path) != self._identity:
            self.close()
            self._open()
        return self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes: committed as a whole at the end, undone at any error."""
        with self._telling():
            connection = self._live()
            connection.execute("BEGIN IMMEDIATE")  # a later wait for the lock could not be waited out
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what SQLite says into a `StoreError`; a damaged file is set aside."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # a fault of ours
        except sqlite3.Error as error:
            if errors.is_damage(error):
                raise self._put_aside(str(error)) from error
            raise errors.of_sqlite(self._path, error) from error

    def _put_aside(self, detail: str) -> StoreError:
        judged = self._identity
        self.close()
        return errors.damaged(self._path, files.set_aside(self._path, judged), detail)

    def _set(self, column: str, value: str, ids: Iterable[str]) -> None:
        with self._writing() as connection:
            for trial_id in ids:
                number, _tags, _note = _found(connection, trial_id)
                connection.execute(f"UPDATE trials SET {column} = ? WHERE number = ?", (value, number))  # noqa: S608
                cursor = connection.execute("SELECT * FROM trials WHERE number = ?", (number,))
                names = [entry[0] for entry in cursor.description]
                row = dict(zip(names, cursor.fetchone(), strict=True))
                connection.execute("UPDATE words SET text = ? WHERE number = ?", (words_of(row), number))


class _Query:
    """A SELECT that grows."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: list[Any] = []

    def where(self, condition: str, *values: Any) -> None:
        self.text += f" {'AND' if ' WHERE ' in self.text else 'WHERE'} {condition}"
        self.values += values


def open_store(path: Path) -> tuple[TrialStore | None, StoreError | None]:
    """Return the store, in the place of one that was damaged and set aside a new one, and what there is to be said.

    None for the store when it cannot be used at all.
    """
    try:
        return TrialStore(path), None
    except StoreError as error:
        if error.set_aside is None:
            return None, error
        said = error
    try:
        return TrialStore(path), said
    except StoreError as error:
        return None, error


def _keep(connection: sqlite3.Connection, kept: KeptTrial) -> bool:
    """Write a trial, or its later state in the place of an earlier one; return whether it was that."""
    found = connection.execute("SELECT number, tags, note FROM trials WHERE id = ?", (kept.id,)).fetchone()
    if found is None:
        _insert(connection, kept)
        return False
    number, tags, note = int(found[0]), str(found[1]), str(found[2])
    kept = replace(kept, tags=tags_of(tags), note=note)
    if not _has_grown(connection, number, kept):
        return False
    row = {name: value for name, value in row_of(kept).items() if name not in ("id", "deleted_at")}
    connection.execute(
        f"UPDATE trials SET {', '.join(f'{name} = ?' for name in row)} WHERE number = ?",  # noqa: S608
        (*row.values(), number),
    )
    connection.execute("UPDATE words SET text = ? WHERE number = ?", (words_of(row), number))
    bodies.replace_body(connection, number, kept)
    return True


def _insert(connection: sqlite3.Connection, kept: KeptTrial) -> None:
    row = row_of(kept)
    cursor = connection.execute(
        f"INSERT INTO trials ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
        tuple(row.values()),
    )
    number = cursor.lastrowid or 0
    connection.execute("INSERT INTO words (number, text) VALUES (?, ?)", (number, words_of(row)))
    bodies.insert_body(connection, number, kept)


def _has_grown(connection: sqlite3.Connection, number: int, kept: KeptTrial) -> bool:
    """Whether a trial has more samples than are kept of it, or as many and something else of it is another."""
    (count,) = connection.execute("SELECT sample_count FROM trials WHERE number = ?", (number,)).fetchone()
    grown_by = len(kept.samples) - int(count)
    if grown_by:
        return grown_by > 0
    try:
        return bodies.read_trial(connection, number, tags_text(kept.tags), kept.note) != kept
    except DecodeError:  # what is there cannot be read
        return True


def _found(connection: sqlite3.Connection, trial_id: str) -> tuple[int, str, str]:
    """Return number, tags and note of a trial. Raises `StoreError` when there is none."""
    found = connection.execute("SELECT number, tags, note FROM trials WHERE id = ?", (trial_id,)).fetchone()
    if found is None:
        raise errors.gone()
    return int(found[0]), str(found[1]), str(found[2])


def _time_text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
