"""The store: there and back, found, changed, deleted and brought back; several connections; files that are none."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.records.check import Agreement
from gui.records.engine_command import PACKAGE_ROOT
from gui.records.failure import FailureKind
from gui.records.identity import new_id
from gui.records.kept_trial import KeptTrial, machine_text
from gui.records.placement import PlacementVerdict
from gui.records.result import Outcome
from gui.store import schema
from gui.store.errors import StoreError
from gui.store.sample_blobs import pack_samples
from gui.store.store import TrialStore, open_store
from gui.store.summaries import TrialSummary

from ..records.examples import FACTS, PART, PROFILE, SETTINGS
from ..records.test_trial_file import BARE, KEPT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "trials.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[TrialStore]:
    with TrialStore(path) as opened:
        yield opened


def like(kept: KeptTrial = BARE, **fields: Any) -> KeptTrial:
    return replace(kept, id=new_id(), **fields)


def ids(summaries: list[TrialSummary]) -> list[str]:
    return [summary.id for summary in summaries]


def latencies(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.random.default_rng(0).normal(100_000, 5_000, count).astype(np.int64)


@contextmanager
def refused(kind: FailureKind) -> Iterator[list[StoreError]]:
    found: list[StoreError] = []
    with pytest.raises(StoreError) as caught:
        yield found
    found.append(caught.value)
    failure = caught.value.failure
    assert failure.kind is kind
    assert failure.message.endswith(".")
    assert failure.hint


# ---- There and back ----


def test_that_a_trial_comes_back_with_every_field(path: Path) -> None:
    for kept in (KEPT, BARE):
        with TrialStore(path) as store:
            store.keep(kept)
        with TrialStore(path) as store:
            assert store.load(kept.id) == kept


@pytest.mark.parametrize(
    "samples",
    [np.array([(1 << 63) - 1, 0], np.int64), np.random.default_rng(0).integers(0, 1 << 63, 1000), latencies(100_001)],
)
def test_that_samples_come_back_exactly(store: TrialStore, samples: Any) -> None:
    kept = like(samples=samples)
    store.keep(kept)
    assert store.load(kept.id).samples.tolist() == samples.tolist()


def test_that_samples_take_a_fraction_of_their_bytes_and_never_more_than_one_beyond_them() -> None:
    assert len(pack_samples(latencies(100_000))) < 2.5 * 100_000
    assert len(pack_samples(np.random.default_rng(0).integers(0, 1 << 62, 1000))) <= 8001
    assert len(pack_samples(np.empty(0, np.int64))) <= 1 + 8


def test_that_what_trials_share_is_kept_once(store: TrialStore, path: Path) -> None:
    store.keep(*(like(KEPT) for _ in range(20)))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM parts").fetchone() == (4,)
    connection.close()


def test_that_a_summary_says_what_a_table_shows(store: TrialStore) -> None:
    store.keep(KEPT)
    (found,) = store.summaries()
    assert found == TrialSummary(
        number=1,
        id=KEPT.id,
        created=KEPT.created,
        deleted_at=None,
        model_name="m",
        model_path="/m.onnx",
        sizes="batch=4",
        target="ggml, then the CPU",
        eps="ggml",
        verdict=PlacementVerdict.ALL,
        agreement=Agreement.DIFFERENT,
        outcome=Outcome.FAILED,
        failure="Refused: “no”.",
        median_ns=1,
        median_low_ns=1,
        median_high_ns=2,
        p90_ns=2,
        p99_ns=2,
        sample_count=3,
        throughput_per_s=1e9 / 3,
        machine=machine_text(KEPT.environment),
        onnxruntime="1.32.0",
        tags=("baseline", "two words"),
        note="ä note\nof two lines",
        comparison=PART.id,
        cell_label="ggml, batch 8",
        cell=2,
    )


def test_that_a_trial_of_which_nothing_is_known_has_a_summary(store: TrialStore) -> None:
    store.keep(BARE)
    (found,) = store.summaries()
    assert (found.verdict, found.agreement, found.median_ns) == (PlacementVerdict.UNKNOWN, None, None)
    assert (found.machine, found.tags, found.outcome) == ("", (), Outcome.STOPPED)


def test_that_a_path_that_is_no_utf_8_is_kept_exactly_and_shown_spelled_out(store: TrialStore) -> None:
    kept = like(settings=replace(SETTINGS, model_path="/ä\udcff.onnx"))
    store.keep(kept)
    assert store.load(kept.id) == kept
    assert store.summaries()[0].model_path == "/ä\\udcff.onnx"


# ---- Kept again ----


def grown(kept: KeptTrial, count: int, **fields: Any) -> KeptTrial:
    """A later state of a trial, with so many samples."""
    return replace(kept, samples=latencies(count), **fields)


def test_that_a_trial_that_has_grown_takes_the_place_of_its_earlier_state(store: TrialStore) -> None:
    so_far = like(outcome=Outcome.STOPPED, samples=latencies(10))
    later = grown(so_far, 500, outcome=Outcome.FAILED, failure=KEPT.failure, comparison=PART, nodes=KEPT.nodes)
    assert store.keep(so_far, BARE) == 0
    assert store.keep(later) == 1
    assert store.load(later.id) == later
    first, second = store.summaries()
    assert (first.id, first.number, first.sample_count, first.outcome) == (later.id, 1, 500, Outcome.FAILED)
    assert (first.failure, first.cell_label) == ("Refused: “no”.", PART.label)
    assert second.id == BARE.id
    assert ids(store.summaries(words="refused")) == [later.id]
    assert ids(store.summaries(words="stopped")) == [BARE.id]


def test_that_one_that_was_kept_as_it_ran_may_end_without_another_sample(store: TrialStore) -> None:
    so_far = like(outcome=Outcome.STOPPED, samples=latencies(10))
    ended = replace(so_far, outcome=Outcome.FINISHED, facts=FACTS)
    assert (store.keep(so_far), store.keep(ended)) == (0, 1)
    assert store.load(ended.id) == ended


def test_that_a_state_that_has_not_grown_changes_nothing(store: TrialStore, path: Path) -> None:
    kept = grown(like(KEPT), 500)
    store.keep(kept)
    with TrialStore(path) as other:
        before = other.data_version()
        for same_or_earlier in (
            kept,
            replace(kept, note="another", tags=()),
            grown(kept, 499, outcome=Outcome.STOPPED),
        ):
            assert store.keep(same_or_earlier) == 0
            assert store.load(kept.id) == kept
        assert other.data_version() == before


def test_that_tags_and_note_and_deletion_outlast_growing(store: TrialStore) -> None:
    so_far, gone = like(samples=latencies(10)), like(samples=latencies(10))
    store.keep(so_far, gone)
    store.set_tags([so_far.id], ["night"])
    store.set_note([so_far.id], "warm")
    store.delete([gone.id])
    assert store.keep(grown(so_far, 20, tags=("theirs",)), grown(gone, 20)) == 2
    assert store.load(so_far.id) == grown(so_far, 20, tags=("night",), note="warm")
    assert ids(store.summaries(words="night warm")) == [so_far.id]
    assert [(row.id, row.sample_count) for row in store.summaries(deleted=True)] == [(gone.id, 20)]


def test_that_growing_leaves_no_part_that_nobody_shares(store: TrialStore, path: Path) -> None:
    so_far = like(KEPT, samples=latencies(10), nodes=None)
    store.keep(so_far, like(KEPT), later := grown(like(KEPT), 20, environment=None))
    store.keep(grown(so_far, 30, nodes=KEPT.nodes), grown(later, 40, environment=KEPT.environment))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM parts").fetchone() == (4,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_that_one_whose_earlier_state_is_damaged_is_mended_by_the_later(store: TrialStore, path: Path) -> None:
    kept = like(KEPT)
    store.keep(kept)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE bodies SET json = '{'")
    connection.close()
    assert store.keep(kept) == 1
    assert store.load(kept.id) == kept


def test_that_of_trials_kept_together_none_is_there_when_one_cannot_be(store: TrialStore) -> None:
    so_far = like(samples=latencies(10))
    store.keep(so_far)
    (pages,) = store._live().execute("PRAGMA page_count").fetchone()
    store._live().execute(f"PRAGMA max_page_count = {pages + 2}")
    with refused(FailureKind.STORE_UNUSABLE):
        store.keep(grown(so_far, 20), grown(like(), 300_000))
    assert store.load(so_far.id) == so_far
    assert store.count() == 1


# ---- Comparisons ----


def of_comparison(cell: int, **fields: Any) -> KeptTrial:
    return like(comparison=replace(PART, cell=cell, label=f"cell-{cell}", **fields))


def test_that_the_trials_of_a_comparison_are_found_in_the_order_of_its_cells(store: TrialStore) -> None:
    second, first, other = of_comparison(1), of_comparison(0), of_comparison(0, id=new_id())
    store.keep(second, other, BARE, first)
    assert store.comparison_ids(PART.id) == (first.id, second.id)
    assert store.comparison_ids(new_id()) == ()
    assert [(row.comparison, row.cell, row.cell_label) for row in store.summaries()][1:3] == [
        (other.comparison.id if other.comparison else "", 0, "cell-0"),
        (None, None, ""),
    ]
    assert ids(store.summaries(words="cell-1")) == [second.id]


def test_that_of_a_cell_that_was_repeated_the_last_trial_is_found_unless_it_is_deleted(store: TrialStore) -> None:
    first, again = of_comparison(0), of_comparison(0, is_alone=True)
    store.keep(first, of_comparison(1), again)
    assert store.comparison_ids(PART.id)[0] == again.id
    store.delete([again.id])
    assert store.comparison_ids(PART.id)[0] == first.id


# ---- Found ----


def test_that_words_are_found_in_all_texts_in_either_case_and_all_must_be_there(store: TrialStore) -> None:
    other = like(note="STRASSE and Ärger")
    store.keep(KEPT, other)
    assert ids(store.summaries(words="GGML basel")) == [KEPT.id]
    assert ids(store.summaries(words="straße ärger")) == [other.id]
    assert ids(store.summaries(words="ggml ärger")) == []
    assert ids(store.summaries(words="m.onnx")) == [KEPT.id, other.id]
    assert ids(store.summaries(words="100%")) == []
    assert ids(store.summaries(words="  ")) == [KEPT.id, other.id]


def test_that_filters_leave_what_fits_all_of_them(store: TrialStore) -> None:
    early = like(created="2025-01-01T00:00:00.000+00:00", tags=("base", "old"))
    late = like(created="2027-01-01T00:00:00.000+00:00", tags=("baseline",), outcome=Outcome.FINISHED)
    store.keep(early, late)
    assert ids(store.summaries(tags=["base"])) == [early.id]
    assert ids(store.summaries(tags=["base", "baseline"])) == []
    assert ids(store.summaries(outcomes=[Outcome.FINISHED, Outcome.FAILED])) == [late.id]
    assert ids(store.summaries(since="2026")) == [late.id]
    assert store.tags() == ("base", "baseline", "old")


# ---- Changed ----


def test_that_tags_and_note_are_replaced_and_found_by_their_new_words(store: TrialStore) -> None:
    other = like()
    store.keep(KEPT, other)
    store.set_tags([KEPT.id, other.id], [" New ", "tag\tx", "New"])
    store.set_note([KEPT.id], "fresh")
    assert (store.load(KEPT.id).tags, store.load(KEPT.id).note) == (("New", "tag x"), "fresh")
    assert store.load(other.id).tags == ("New", "tag x")
    assert ids(store.summaries(words="fresh new")) == [KEPT.id]
    assert ids(store.summaries(words="baseline")) == []
    assert replace(store.load(KEPT.id), tags=KEPT.tags, note=KEPT.note) == KEPT


def test_that_a_profile_is_added_to_a_trial(store: TrialStore) -> None:
    store.keep(BARE)
    store.set_profile(BARE.id, PROFILE)
    assert store.load(BARE.id) == replace(BARE, profile=PROFILE)


def test_that_a_change_of_a_trial_that_is_gone_changes_no_other(store: TrialStore) -> None:
    store.keep(BARE)
    with refused(FailureKind.STORE_UNUSABLE):
        store.set_note([BARE.id, new_id()], "changed")
    assert store.load(BARE.id) == BARE
    with refused(FailureKind.STORE_UNUSABLE):
        store.load(new_id())


# ---- Deleted ----


def test_that_a_deleted_trial_is_hidden_until_it_is_restored(store: TrialStore) -> None:
    store.keep(KEPT, BARE)
    store.delete([KEPT.id])
    assert (ids(store.summaries()), store.count()) == ([BARE.id], 1)
    (deleted,) = store.summaries(deleted=True)
    assert deleted.id == KEPT.id
    assert deleted.deleted_at is not None
    assert store.load(KEPT.id) == KEPT
    store.restore([KEPT.id])
    assert ids(store.summaries()) == [KEPT.id, BARE.id]
    assert store.summaries(deleted=True) == []


def test_that_only_what_was_deleted_long_enough_ago_is_purged_with_all_its_parts(store: TrialStore, path: Path) -> None:
    big = like(KEPT, samples=np.random.default_rng(0).integers(0, 1 << 62, 300_000))
    store.keep(big, BARE)
    store.delete([big.id])
    assert store.purge(days=1) == 0
    assert store.load(big.id) == big
    assert store.purge(days=0) == 1
    assert store.summaries(deleted=True) == []
    with refused(FailureKind.STORE_UNUSABLE):
        store.load(big.id)
    assert store.load(BARE.id) == BARE
    store.close()
    assert path.stat().st_size < 300_000  # the disk has got its room back
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM words").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM bodies").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM parts").fetchone()[0] <= 4
    connection.close()


# ---- Several connections ----


def test_that_two_windows_see_what_the_other_has_done(store: TrialStore, path: Path) -> None:
    with TrialStore(path) as other:
        before = other.data_version()
        store.keep(KEPT)
        assert other.data_version() != before
        assert ids(other.summaries()) == [KEPT.id]
        other.keep(BARE)
        other.delete([KEPT.id])
        assert ids(store.summaries()) == [BARE.id]


def test_that_a_reader_does_not_wait_for_a_writer(store: TrialStore, path: Path) -> None:
    store.keep(KEPT)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM trials")
    assert store.load(KEPT.id) == KEPT
    writer.execute("ROLLBACK")
    writer.close()


def test_that_many_processes_may_make_and_fill_one_store_at_once(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from dataclasses import replace\n"
        "from gui.store.store import TrialStore; from gui.records.identity import new_id\n"
        "from tests.records.test_trial_file import KEPT\n"
        "sys.stdin.readline()\n"
        "store = TrialStore(Path(sys.argv[1]))\n"
        "for _ in range(20): store.keep(replace(KEPT, id=new_id()))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], cwd=PACKAGE_ROOT, stdin=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
    assert [process.wait() for process in processes] == [0] * 4
    with TrialStore(path) as store:
        assert store.count() == 80


def test_that_a_store_whose_file_was_taken_away_goes_on_in_a_new_one(store: TrialStore, path: Path) -> None:
    store.keep(KEPT)
    path.rename(path.with_name("moved"))
    store.keep(BARE)
    with TrialStore(path) as other:
        assert ids(other.summaries()) == [BARE.id]


# ---- No room, no right ----


def test_that_a_full_disk_is_said_and_nothing_is_lost(store: TrialStore, path: Path) -> None:
    store.keep(KEPT)
    (pages,) = store._live().execute("PRAGMA page_count").fetchone()
    store._live().execute(f"PRAGMA max_page_count = {pages + 2}")
    big = like(samples=np.random.default_rng(0).integers(0, 1 << 62, 100_000))
    with refused(FailureKind.STORE_UNUSABLE) as found:
        store.keep(BARE, big)
    assert "no room" in found[0].failure.message
    assert ids(store.summaries()) == [KEPT.id]
    assert store.load(KEPT.id) == KEPT
    store._live().execute("PRAGMA max_page_count = 1000000")
    store.keep(BARE, big)  # and it goes on once there is room
    assert store.load(big.id) == big


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may write anywhere: be somebody else for a while."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder, within ones that everybody may enter, that can only be read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such rights there")
def test_that_a_folder_that_cannot_be_written_is_said(locked_folder: Path) -> None:
    for path in (locked_folder / "trials.sqlite", locked_folder / "deeper" / "trials.sqlite"):
        with refused(FailureKind.STORE_UNUSABLE) as found, without_rights():
            TrialStore(path)
        assert str(locked_folder) in found[0].failure.message
        assert found[0].set_aside is None
    assert list(locked_folder.iterdir()) == []


def test_that_a_folder_in_the_place_of_the_store_is_said(tmp_path: Path) -> None:
    with refused(FailureKind.STORE_UNUSABLE):
        TrialStore(tmp_path)


# ---- Files that are no store ----


def filled(path: Path, count: int = 50) -> bytes:
    """Make a store with so many trials and return what is in its file."""
    with TrialStore(path) as store:
        store.keep(*(like(KEPT, samples=latencies(500)) for _ in range(count)))
    return path.read_bytes()


def garbage(count: int) -> bytes:
    return np.random.default_rng(0).bytes(count)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:1000],
        lambda data: data[:50],
        lambda _data: b"hello",
        lambda _data: b"{}" * 5000,
        lambda data: garbage(len(data)),
        lambda data: garbage(100) + data[100:],
        lambda data: data[:100] + garbage(4000) + data[4100:],
        lambda data: data[:16] + bytes(84) + data[100:],
    ],
)
def test_that_a_damaged_file_is_set_aside_as_it_is_and_a_new_one_takes_its_place(path: Path, damage: Any) -> None:
    damaged = damage(filled(path))
    path.write_bytes(damaged)
    with refused(FailureKind.STORE_DAMAGED) as found:
        TrialStore(path)
    aside = found[0].set_aside
    assert aside is not None
    assert aside.name.startswith("trials.sqlite.damaged-")
    assert aside.read_bytes() == damaged
    assert str(aside) in found[0].failure.message
    with TrialStore(path) as store:
        store.keep(KEPT)
        assert ids(store.summaries()) == [KEPT.id]
    assert aside.read_bytes() == damaged


def test_that_a_second_damaged_file_does_not_replace_the_first(path: Path) -> None:
    path.parent.mkdir()
    places = set()
    for text in ("one", "two", "three"):
        path.write_text(text)
        store, error = open_store(path)
        assert store is not None
        assert error is not None
        assert error.set_aside is not None
        places.add(error.set_aside.read_text())
        store.close()
        path.unlink()
    assert places == {"one", "two", "three"}


def test_that_damage_among_the_summaries_is_found_when_they_are_read(path: Path) -> None:
    data = filled(path, 400)
    with sqlite3.connect(path) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'trials'").fetchone()
    connection.close()
    start = (root - 1) * 4096
    path.write_bytes(data[:start] + garbage(4096) + data[start + 4096 :])
    store = TrialStore(path)
    with refused(FailureKind.STORE_DAMAGED) as found:
        store.summaries()
    assert found[0].set_aside is not None
    fresh, said = open_store(path)
    assert (fresh is not None, said) == (True, None)
    assert fresh is not None
    assert fresh.summaries() == []
    fresh.close()


def test_that_of_two_windows_that_find_the_damage_both_learn_where_the_file_is(path: Path) -> None:
    filled(path)
    first, second = TrialStore(path), TrialStore(path)
    judged = first._identity
    moved = first._put_aside("").set_aside
    assert moved is not None
    assert second._identity == judged
    assert second._put_aside("").set_aside == moved
    assert not path.exists()


def test_that_one_damaged_trial_leaves_the_others_readable(store: TrialStore, path: Path) -> None:
    store.keep(KEPT, BARE)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE bodies SET samples = x'0107' WHERE number = 1")
        connection.execute("UPDATE bodies SET json = '{' WHERE number = 2")
    connection.close()
    for kept in (KEPT, BARE):
        with refused(FailureKind.STORE_DAMAGED) as found:
            store.load(kept.id)
        assert found[0].set_aside is None
    store.keep(other := like())
    assert store.load(other.id) == other
    assert store.count() == 3


def test_that_an_empty_file_becomes_a_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with TrialStore(path) as store:
        store.keep(KEPT)
        assert store.load(KEPT.id) == KEPT


def test_that_a_store_emptied_while_its_log_lies_there_is_set_aside_with_it(path: Path) -> None:
    with TrialStore(path) as store:
        store.keep(KEPT)
        log = path.with_name("trials.sqlite-wal")
        kept_log = log.read_bytes()
    path.write_bytes(b"")
    log.write_bytes(kept_log)
    with refused(FailureKind.STORE_DAMAGED) as found:
        TrialStore(path)
    aside = found[0].set_aside
    assert aside is not None
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == kept_log


# ---- Older versions ----


@pytest.fixture
def old_path(path: Path) -> Path:
    """A store with three trials, one of them deleted, made by the application when its schema was version 1."""
    path.parent.mkdir()
    shutil.copy(Path(__file__).with_name("version_1.sqlite"), path)
    return path


def described(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()


def test_that_the_script_of_version_1_still_makes_the_tables_of_its_time(old_path: Path) -> None:
    with closing(sqlite3.connect(old_path)) as old, closing(sqlite3.connect(":memory:")) as new:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        new.executescript(schema._SCRIPTS[0])
        assert described(new) == described(old)


def test_that_a_store_of_version_1_is_brought_up_to_date_with_all_that_is_in_it(old_path: Path) -> None:
    with TrialStore(old_path) as store:
        full, bare = store.summaries()
        (deleted,) = store.summaries(deleted=True)
        assert (full.number, full.target, full.tags) == (1, "ggml, then the CPU", ("baseline", "two words"))
        assert (full.comparison, full.cell_label, full.cell) == (None, "", None)
        assert (bare.number, bare.outcome, deleted.note) == (2, Outcome.FINISHED, "deleted")
        kept = store.load(full.id)
        assert kept.samples.tolist() == [(1 << 63) - 1, 0, (1 << 53) + 1]
        assert (kept.note, kept.comparison, len(kept.log)) == ("ä note\nof two lines", None, 1)
        store.keep(replace(kept, samples=latencies(10), comparison=PART), later := of_comparison(0))
        store.restore([deleted.id])
        assert store.comparison_ids(PART.id) == (later.id, full.id)
        assert store.count() == 4
    with closing(sqlite3.connect(old_path)) as connection, closing(sqlite3.connect(":memory:")) as new:
        for script in schema._SCRIPTS:
            new.executescript(script)
        assert described(connection) == described(new)
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_that_two_windows_may_bring_one_store_up_to_date_at_once(old_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gui.store.store import TrialStore\n"
        "sys.stdin.readline()\n"
        "print(TrialStore(Path(sys.argv[1])).count())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(old_path)],
            cwd=PACKAGE_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == [b"2\n"] * 3


def test_that_a_newer_store_is_left_as_it_is_and_said(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with refused(FailureKind.STORE_UNUSABLE) as found:
        TrialStore(path)
    assert "newer version" in found[0].failure.message
    assert (found[0].set_aside, path.read_bytes()) == (None, before)
    assert open_store(path)[0] is None


def test_that_another_programs_database_is_left_as_it_is_and_said(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    before = path.read_bytes()
    with refused(FailureKind.STORE_UNUSABLE) as found:
        TrialStore(path)
    assert "another program" in found[0].failure.message
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["trials.sqlite"]


def test_that_a_store_of_today_says_what_it_is(store: TrialStore, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_that_facts_of_a_trial_are_not_shared_by_mistake(store: TrialStore) -> None:
    one, two = like(KEPT), like(KEPT, facts=replace(FACTS, notes=("other",)), environment=None)
    store.keep(one, two)
    assert store.load(one.id) == one
    assert store.load(two.id) == two
