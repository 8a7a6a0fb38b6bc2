"""Trials kept as they end, and brought back: real stores, and a real engine where a trial must be real."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.comparison_run import ComparisonRun, Phase
from gui.keeping import kept_trial_of
from gui.models.trial_table import outcome_text
from gui.records.comparison import Round
from gui.records.failure import Failure, FailureKind
from gui.records.result import Outcome
from gui.records.statistics import summarize
from gui.records.trial import Ending, StopRule, TrialSettings
from gui.state import EngineStatus, State
from gui.store.store import TrialStore
from gui.store.summaries import TrialSummary
from gui.trial_archive import TrialArchive
from gui.trial_run import TrialRun

from .conftest import DoubleFactory
from .keepers import STORE_NAME, TIMEOUT_MS, TINY_MODEL, Keepers, end_archive, running_keepers
from .models.makers import trial as trial_with
from .records.examples import FAILURE, PART, PROFILE


@dataclass(kw_only=True)
class Hands:
    """An archive beside a state without an engine, and what it told."""

    qtbot: QtBot
    path: Path
    state: State = field(default_factory=State)
    failures: list[Failure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    rows: list[TrialSummary] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.archive = TrialArchive(self.state)
        self.archive.failed.connect(self.failures.append)
        self.archive.trial_kept.connect(lambda _id: self.told.append("kept"))
        self.archive.changed.connect(lambda: self.told.append("changed"))
        self.archive.rows_read.connect(self._take)
        self.archive.rows_added.connect(self.rows.extend)
        self.state.notice_posted.connect(self.notices.append)

    def _take(self, rows: list[TrialSummary]) -> None:
        self.rows = rows
        self.told.append("read")

    def add(self, *samples_ns: int, **fields: Any) -> TrialRun:
        """A trial that runs."""
        number = 1 + max((other.number for other in self.state.trials), default=0)
        trial = trial_with(number, *samples_ns, **fields)
        self.state.add_trial(trial)
        return trial

    def end(self, trial: TrialRun, outcome: Outcome = Outcome.FINISHED) -> None:
        """End a trial."""
        trial.outcome = outcome
        trial.exact = trial.exact_statistics()
        self.state.trial_changed.emit(trial)

    def ended(self, *samples_ns: int, **fields: Any) -> TrialRun:
        """A trial that has ended."""
        trial = self.add(*samples_ns, **fields)
        self.end(trial)
        return trial

    def wait_for(self, told: str, times: int = 1) -> None:
        self.qtbot.waitUntil(lambda: self.told.count(told) >= times, timeout=TIMEOUT_MS)

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=TIMEOUT_MS)

    def read(self) -> list[str]:
        """The ids of what the store holds, as the archive tells them."""
        times = self.told.count("read")
        self.archive.read()
        self.wait_for("read", times + 1)
        return [row.id for row in self.rows]


def stored(path: Path) -> list[str]:
    with TrialStore(path) as store:
        return [row.id for row in store.summaries()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / STORE_NAME


@pytest.fixture
def idle(qtbot: QtBot, path: Path) -> Iterator[Hands]:
    """With an archive that has not been started."""
    hands = Hands(qtbot=qtbot, path=path)
    yield hands
    end_archive(qtbot, hands.archive)


@pytest.fixture
def hands(idle: Hands) -> Hands:
    idle.archive.start(idle.path)
    return idle


# ---- Kept ----


@pytest.mark.parametrize("outcome", [Outcome.FINISHED, Outcome.STOPPED, Outcome.FAILED])
def test_that_a_trial_is_kept_as_it_ends_whatever_becomes_of_it(hands: Hands, outcome: Outcome) -> None:
    trial = hands.add(5, 6, 7)
    hands.state.trial_changed.emit(trial)
    assert hands.read() == []
    trial.failure = FAILURE if outcome is Outcome.FAILED else None
    hands.end(trial, outcome)
    hands.wait_for("kept")
    with TrialStore(hands.path) as store:
        assert store.load(trial.id) == kept_trial_of(trial)


def test_that_a_trial_is_kept_once_however_often_it_is_told(hands: Hands) -> None:
    trial = hands.ended(1, 2)
    hands.state.trial_changed.emit(trial)
    hands.state.trial_changed.emit(trial)
    hands.wait_for("kept")
    assert hands.read() == [trial.id]
    assert hands.told.count("kept") == 1


def test_that_trials_without_samples_are_kept(hands: Hands) -> None:
    trial = hands.add(failure=FAILURE)
    hands.end(trial, Outcome.FAILED)
    assert hands.read() == [trial.id]


def test_that_the_statistics_of_many_samples_are_waited_for(hands: Hands) -> None:
    trial = hands.add(1, 2)
    trial.outcome = Outcome.FINISHED
    hands.state.trial_changed.emit(trial)
    assert hands.read() == []
    trial.exact = trial.exact_statistics()
    hands.state.trial_changed.emit(trial)
    assert hands.read() == [trial.id]


def test_that_a_profile_made_later_is_kept_with_its_trial(hands: Hands) -> None:
    trial = hands.ended(1, 2)
    hands.wait_for("kept")
    trial.profile = PROFILE
    hands.state.trial_changed.emit(trial)
    hands.read()
    with TrialStore(hands.path) as store:
        assert store.load(trial.id).profile == PROFILE


def test_that_trials_that_end_before_the_thread_is_there_are_kept(idle: Hands) -> None:
    trial = idle.ended(3)
    assert not idle.path.exists()
    idle.archive.start(idle.path)
    idle.wait_for("kept")
    assert stored(idle.path) == [trial.id]


def test_that_one_opened_from_elsewhere_is_not_kept(hands: Hands) -> None:
    hands.ended(1, file_name="some.json")
    hands.ended(1, is_from_history=True)
    assert hands.read() == []


def test_that_what_is_still_to_be_written_is_written_before_the_archive_closes(qtbot: QtBot, path: Path) -> None:
    hands = Hands(qtbot=qtbot, path=path)
    hands.archive.start(path)
    trials = [hands.ended(*range(1000)) for _ in range(30)]
    late = hands.add(8)
    late.outcome = Outcome.STOPPED
    hands.state.trial_changed.emit(late)  # its statistics are being computed
    with qtbot.waitSignal(hands.archive.closed, timeout=TIMEOUT_MS):
        hands.archive.close()
        hands.end(late, Outcome.STOPPED)
    assert stored(path) == [trial.id for trial in (*trials, late)]
    with qtbot.waitSignal(hands.archive.closed):
        hands.archive.close()  # once more does no harm


def test_that_closing_does_not_wait_for_ever_for_another_window(qtbot: QtBot, path: Path) -> None:
    hands = Hands(qtbot=qtbot, path=path)
    hands.archive.start(path)
    assert hands.read() == []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        trial = hands.ended(1)
        hands.archive._limit.setInterval(10)
        end_archive(qtbot, hands.archive)
        assert _is_alive(hands)
        other.execute("ROLLBACK")
    qtbot.waitUntil(lambda: not _is_alive(hands), timeout=TIMEOUT_MS)
    assert stored(path) == [trial.id]  # where the process lives that long


def test_that_an_archive_that_was_never_started_closes(qtbot: QtBot, path: Path) -> None:
    hands = Hands(qtbot=qtbot, path=path)
    end_archive(qtbot, hands.archive)
    assert not path.exists()


# ---- Called finished only once it is kept ----


def shown(trial: TrialRun) -> tuple[bool, str]:
    return trial.is_being_kept, outcome_text(trial)


def test_that_a_trial_is_only_called_finished_once_the_store_has_it(idle: Hands) -> None:
    trial = idle.ended(1, 2)
    assert shown(trial) == (True, "finished, not kept yet")
    with idle.qtbot.waitSignal(idle.state.trial_changed, timeout=TIMEOUT_MS):
        idle.archive.start(idle.path)
    assert shown(trial) == (False, "finished")
    assert stored(idle.path) == [trial.id]


def test_that_one_whose_statistics_are_being_computed_is_being_kept(hands: Hands) -> None:
    trial = hands.add(1, 2)
    trial.outcome = Outcome.FINISHED
    hands.state.trial_changed.emit(trial)
    assert shown(trial)[0]
    hands.end(trial)
    hands.wait(lambda: not trial.is_being_kept)
    assert stored(hands.path) == [trial.id]


def test_that_one_that_goes_on_is_not_taken_for_kept_by_what_was_written_before(hands: Hands) -> None:
    trial = hands.ended(1, 2)
    trial.outcome = Outcome.RUNNING
    hands.state.trial_changed.emit(trial)
    assert not shown(trial)[0]
    trial.series.append(np.array([3, 4], np.int64))
    hands.end(trial)
    assert hands.archive._worker is not None
    hands.archive._worker.signals.kept.emit(trial.id, 1)  # what was told late of the first
    assert shown(trial)[0]
    hands.wait(lambda: not trial.is_being_kept)
    with TrialStore(hands.path) as store:
        assert store.load(trial.id).samples.tolist() == [1, 2, 3, 4]


def test_that_one_that_cannot_be_written_stays_to_be_kept(idle: Hands) -> None:
    idle.path.parent.write_text("a file where the folder should be", encoding="utf-8")
    idle.archive.start(idle.path)
    trial = idle.ended(1)
    idle.wait(lambda: bool(idle.failures))
    assert shown(trial)[0]
    idle.path.parent.unlink()
    idle.archive.write_again()
    idle.wait(lambda: not trial.is_being_kept)


# ---- Comparisons, as they grow ----


def with_rounds(run: TrialRun, rounds: int, *, under_way: int = 0) -> None:
    """Give a trial so many rounds of three samples, and some samples of the next."""
    assert run.comparison is not None
    before = len(run.comparison.rounds)
    added = tuple(
        Round(number=number, position=1, began_ns=1 << 60, sample_count=3, measured_ns=100 * number)
        for number in range(before + 1, rounds + 1)
    )
    run.comparison = replace(run.comparison, rounds=(*run.comparison.rounds, *added))
    run.series.append(np.arange(1, 3 * len(added) + under_way + 1, dtype=np.int64))


def comparison_of(hands: Hands, cells: int = 2) -> ComparisonRun:
    """A comparison under way, without samples."""
    part = replace(PART, rounds=(), cell_count=cells)
    runs = (hands.add(comparison=replace(part, cell=cell, label=f"cell {cell}")) for cell in range(cells))
    return ComparisonRun(id=PART.id, runs=tuple(runs), phase=Phase.MEASURING)


def test_that_the_rounds_so_far_are_kept_as_those_of_a_stopped_trial(hands: Hands) -> None:
    comparison = comparison_of(hands)
    first = comparison.runs[0]
    with_rounds(first, 2, under_way=2)
    hands.archive.keep_so_far(comparison)
    assert hands.read() == [first.id]
    with TrialStore(hands.path) as store:
        kept = store.load(first.id)
    assert (kept.outcome, kept.facts.ending, kept.facts.sample_count) == (Outcome.STOPPED, Ending.STOPPED, 6)
    assert (kept.samples.tolist(), kept.elapsed_ns, kept.comparison) == ([1, 2, 3, 4, 5, 6], 300, first.comparison)
    assert kept.statistics == summarize(kept.samples, 300)
    assert (first.outcome, first.facts.ending, first.is_being_kept) == (Outcome.RUNNING, None, False)


def test_that_only_those_that_have_grown_are_kept_again(hands: Hands) -> None:
    comparison = comparison_of(hands)
    first, second = comparison.runs
    with_rounds(first, 1)
    with_rounds(second, 1)
    hands.archive.keep_so_far(comparison)
    hands.wait_for("kept", 2)
    with_rounds(second, 3, under_way=1)
    with hands.qtbot.waitSignal(hands.archive.rows_changed, timeout=TIMEOUT_MS) as told:
        hands.archive.keep_so_far(comparison)
    assert [(row.id, row.sample_count) for row in told.args[0]] == [(second.id, 9)]
    assert hands.read() == [first.id, second.id]
    assert hands.told.count("kept") == 3


def test_that_of_what_comes_faster_than_it_is_written_only_the_last_is(hands: Hands) -> None:
    comparison = comparison_of(hands, 1)
    (run,) = comparison.runs
    assert hands.read() == []
    with closing(sqlite3.connect(hands.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for rounds in range(1, 6):
            with_rounds(run, rounds)
            hands.archive.keep_so_far(comparison)
        hands.end(run)
        other.execute("ROLLBACK")
    hands.wait(lambda: not run.is_being_kept)
    hands.read()
    assert [(row.outcome, row.sample_count) for row in hands.rows] == [(Outcome.FINISHED, 15)]
    assert hands.told.count("kept") <= 2  # the one that waited for the other window, and the last


def test_that_what_grows_before_the_thread_is_there_is_kept_as_it_ended(idle: Hands) -> None:
    comparison = comparison_of(idle, 1)
    (run,) = comparison.runs
    with_rounds(run, 1)
    idle.archive.keep_so_far(comparison)
    idle.end(run)
    idle.archive.start(idle.path)
    idle.wait(lambda: not run.is_being_kept)
    assert idle.told.count("kept") == 1
    with TrialStore(idle.path) as store:
        assert store.load(run.id) == kept_trial_of(run)


def test_that_a_trial_kept_so_far_is_kept_again_as_it_ends(hands: Hands) -> None:
    comparison = comparison_of(hands)
    first, second = comparison.runs
    with_rounds(first, 2)
    with_rounds(second, 2)
    hands.archive.keep_so_far(comparison)
    hands.archive.set_words((first.id,), ("night",), None)
    with_rounds(first, 3)
    hands.end(first)
    hands.end(second, Outcome.STOPPED)
    hands.wait(lambda: not first.is_being_kept and not second.is_being_kept)
    with TrialStore(hands.path) as store:
        assert store.load(first.id) == kept_trial_of(first)
        assert store.load(second.id) == kept_trial_of(second)
        assert store.load(first.id).tags == ("night",)
    assert hands.read() == [first.id, second.id]


def test_that_a_comparison_that_goes_on_is_kept_with_what_came_then(hands: Hands) -> None:
    comparison = comparison_of(hands, 1)
    (run,) = comparison.runs
    with_rounds(run, 1)
    hands.end(run, Outcome.STOPPED)
    hands.wait(lambda: not run.is_being_kept)
    run.outcome, run.exact = Outcome.RUNNING, None
    hands.state.trial_changed.emit(run)
    with_rounds(run, 2)
    hands.archive.keep_so_far(comparison)
    hands.read()
    assert [(row.outcome, row.sample_count) for row in hands.rows] == [(Outcome.STOPPED, 6)]
    hands.end(run)
    hands.wait(lambda: not run.is_being_kept)
    with TrialStore(hands.path) as store:
        assert store.load(run.id) == kept_trial_of(run)


def test_that_a_comparison_under_way_goes_into_the_store_that_replaces_a_damaged_one(hands: Hands) -> None:
    comparison = comparison_of(hands, 1)
    (run,) = comparison.runs
    with_rounds(run, 1)
    hands.archive.keep_so_far(comparison)
    hands.read()
    for name in ("-wal", "-shm"):
        hands.path.with_name(hands.path.name + name).unlink(missing_ok=True)
    hands.path.unlink()
    hands.path.write_bytes(b"no database at all" * 1000)
    hands.archive.look()
    hands.wait(lambda: bool(hands.failures))
    hands.archive.keep_so_far(comparison)
    assert hands.read() == [run.id]


# ---- Compared ----


def told_to_compare(hands: Hands) -> list[tuple[TrialRun, ...]]:
    told: list[tuple[TrialRun, ...]] = []
    hands.archive.compare_ready.connect(told.append)
    return told


def test_that_kept_trials_come_together_in_the_order_asked_for_without_being_shown(hands: Hands) -> None:
    gone, first, shown = hands.ended(1, 2), hands.ended(3, 4), hands.ended(5, 6)
    hands.read()
    hands.state.remove_trials((gone,))
    told = told_to_compare(hands)
    hands.archive.compare((first.id, gone.id, shown.id))
    hands.wait(lambda: bool(told))
    assert [run.id for run in told[0]] == [first.id, gone.id, shown.id]
    assert (told[0][0], told[0][2]) == (first, shown)
    assert told[0][1] in hands.state.trials
    assert kept_trial_of(told[0][1]) == kept_trial_of(gone)
    assert hands.state.current_trial is shown
    hands.archive.compare((shown.id, first.id))
    assert told[1] == (shown, first)


def test_that_a_comparison_opens_as_a_whole_in_the_order_of_its_cells(hands: Hands) -> None:
    comparison = comparison_of(hands, 3)
    for cell, run in reversed(tuple(enumerate(comparison.runs))):
        with_rounds(run, cell + 1)
        hands.end(run)
    hands.ended(9)
    hands.read()
    hands.state.remove_trials(comparison.runs[1:])
    told = told_to_compare(hands)
    hands.archive.open_comparison(PART.id)
    hands.wait(lambda: bool(told))
    assert [run.id for run in told[0]] == [run.id for run in comparison.runs]
    assert [run.comparison for run in told[0]] == [run.comparison for run in comparison.runs]
    hands.archive.compare(tuple(run.id for run in reversed(comparison.runs)))
    assert told[1] == told[0]


def test_that_those_that_can_be_read_are_compared_and_the_others_said(hands: Hands) -> None:
    trials = tuple(hands.ended(number) for number in (7, 8, 9))
    hands.read()
    hands.state.remove_trials(trials)
    with closing(sqlite3.connect(hands.path)) as connection:
        connection.execute("UPDATE bodies SET json = '{' WHERE number = 1")
        connection.commit()
    told = told_to_compare(hands)
    hands.archive.compare(tuple(trial.id for trial in trials))
    hands.wait(lambda: bool(told))
    assert [run.id for run in told[0]] == [trial.id for trial in trials[1:]]
    assert [failure.kind for failure in hands.failures] == [FailureKind.STORE_DAMAGED]


# ---- Brought back ----


def test_that_a_kept_trial_opens_with_a_number_of_this_sitting(hands: Hands) -> None:
    before = hands.ended(4, 5, 6, tags=("night",), note="warm")
    hands.wait_for("kept")
    hands.state.remove_trials((before,))
    running = hands.add(1)
    hands.archive.open((before.id,))
    hands.wait(lambda: len(hands.state.trials) == 2)
    opened = hands.state.trials[-1]
    assert (opened.number, opened.id, opened.is_opened) == (running.number + 1, before.id, True)
    assert hands.state.current_trial is opened
    assert kept_trial_of(opened) == kept_trial_of(before)
    assert hands.told.count("kept") == 1


def test_that_one_that_is_listed_is_shown_again(hands: Hands) -> None:
    first, second = hands.ended(1), hands.ended(2)
    assert hands.state.current_trial is second
    hands.archive.open((first.id,))
    assert hands.state.current_trial is first
    assert len(hands.state.trials) == 2
    assert "#1" in hands.notices[-1]


def test_that_several_open_in_their_order(hands: Hands) -> None:
    trials = tuple(hands.ended(number) for number in (7, 8, 9))
    hands.read()
    hands.state.remove_trials(trials)
    hands.archive.open(tuple(trial.id for trial in trials))
    hands.wait(lambda: len(hands.state.trials) == 3)
    assert [trial.id for trial in hands.state.trials] == [trial.id for trial in trials]
    assert "3 trials" in hands.notices[-1]


def test_that_one_that_cannot_be_read_is_said_and_the_others_open(hands: Hands) -> None:
    trials = tuple(hands.ended(number) for number in (7, 8))
    hands.read()
    hands.state.remove_trials(trials)
    with closing(sqlite3.connect(hands.path)) as connection:
        connection.execute("UPDATE bodies SET json = '{' WHERE number = 1")
        connection.commit()
    hands.archive.open(tuple(trial.id for trial in trials))
    hands.wait(lambda: len(hands.state.trials) == 1)
    assert hands.state.trials[0].id == trials[1].id
    assert [failure.kind for failure in hands.failures] == [FailureKind.STORE_DAMAGED]
    assert hands.path.exists()


# ---- Changed ----


def test_that_deleted_trials_come_back(hands: Hands) -> None:
    trials = [hands.ended(number) for number in (1, 2, 3)]
    hands.read()
    gone = (trials[0].id, trials[2].id)
    with hands.qtbot.waitSignal(hands.archive.deleted, timeout=TIMEOUT_MS) as told:
        hands.archive.delete(gone)
    assert told.args == [gone]
    assert hands.read() == [trials[1].id]
    assert len(hands.state.trials) == 3
    hands.archive.restore(gone)
    hands.wait_for("changed")
    assert hands.read() == [trial.id for trial in trials]


def test_that_tags_and_note_are_kept_and_shown_with_the_open_trial(hands: Hands) -> None:
    trial, other = hands.ended(1), hands.ended(2)
    hands.archive.set_words((trial.id,), ("a", "b"), "a note")
    hands.archive.set_words((trial.id,), None, "another")
    hands.wait_for("changed", 2)
    hands.read()
    assert [(row.tags, row.note) for row in hands.rows] == [(("a", "b"), "another"), ((), "")]
    assert (trial.tags, trial.note, other.tags) == (("a", "b"), "another", ())


def test_that_only_new_trials_are_told_when_only_they_are_asked_for(hands: Hands) -> None:
    first = hands.ended(1)
    assert hands.read() == [first.id]
    second = hands.ended(2)
    with hands.qtbot.waitSignal(hands.archive.rows_added, timeout=TIMEOUT_MS) as told:
        hands.archive.read_new()
    assert [row.id for row in told.args[0]] == [second.id]


def test_that_what_another_window_writes_is_told(hands: Hands) -> None:
    trial = hands.ended(1)
    hands.read()
    hands.archive.look()
    hands.read()
    assert "changed" not in hands.told  # by this one
    with TrialStore(hands.path) as other:
        other.set_note([trial.id], "by another")
    hands.archive.look()
    hands.wait_for("changed")
    assert hands.told.count("changed") == 1


def test_that_what_was_deleted_long_ago_is_removed_at_the_start(idle: Hands) -> None:
    with TrialStore(idle.path) as store:
        store.keep(kept_trial_of(_ended_trial()), kept_trial_of(_ended_trial()))
        store.delete([row.id for row in store.summaries()])
        first = store.summaries(deleted=True)[0].id
    with closing(sqlite3.connect(idle.path)) as connection:
        connection.execute("UPDATE trials SET deleted_at = '2020-01-01T00:00:00.000+00:00' WHERE id = ?", (first,))
        connection.commit()
    idle.archive.start(idle.path)
    assert idle.read() == []
    with TrialStore(idle.path) as store:
        assert len(store.summaries(deleted=True)) == 1
        assert store.summaries(deleted=True)[0].id != first


def _ended_trial() -> TrialRun:
    return trial_with(1, 5, outcome=Outcome.FINISHED)


# ---- Stores that fail ----


def test_that_a_store_that_cannot_be_made_is_said_once_and_nothing_is_lost(idle: Hands) -> None:
    blocked = idle.path.parent
    blocked.write_text("a file where the folder should be", encoding="utf-8")
    idle.archive.start(idle.path)
    attempts: list[bool] = []
    assert idle.archive._worker is not None
    idle.archive._worker.signals.failed.connect(lambda _failure, waits: attempts.append(waits))
    trials = [idle.ended(number) for number in (1, 2, 3)]
    idle.archive.read()
    idle.wait(lambda: attempts[-4:] == [True] * 4)  # to keep, to read; to purge was tried before, perhaps unheard
    blocked_failure = idle.archive.failure
    assert blocked_failure is not None
    assert blocked_failure.kind is FailureKind.STORE_UNUSABLE
    assert idle.failures == [blocked_failure]
    blocked.unlink()
    idle.archive.write_again()
    idle.wait(lambda: idle.archive.failure is None)
    assert stored(idle.path) == [trial.id for trial in trials]
    assert idle.failures == [blocked_failure]
    assert "All trials are in the store now." in idle.notices


def test_that_a_profile_waits_with_its_trial(idle: Hands) -> None:
    idle.path.parent.write_text("a file", encoding="utf-8")
    idle.archive.start(idle.path)
    trial = idle.ended(1)
    trial.profile = PROFILE
    idle.state.trial_changed.emit(trial)
    idle.wait(lambda: bool(idle.failures))
    idle.path.parent.unlink()
    idle.archive.write_again()
    idle.wait(lambda: idle.archive.failure is None)
    with TrialStore(idle.path) as store:
        assert store.load(trial.id).profile == PROFILE


def test_that_a_newer_store_is_left_alone_and_said(idle: Hands) -> None:
    with TrialStore(idle.path):
        pass
    with closing(sqlite3.connect(idle.path)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    before = idle.path.read_bytes()
    idle.archive.start(idle.path)
    idle.ended(1)
    idle.wait(lambda: bool(idle.failures))
    idle.archive.close()
    idle.qtbot.waitUntil(lambda: not _is_alive(idle), timeout=TIMEOUT_MS)
    assert "newer version" in idle.failures[0].message
    assert idle.path.read_bytes() == before


def test_that_a_damaged_store_is_set_aside_and_the_sitting_goes_into_the_new_one(hands: Hands) -> None:
    first, deleted = hands.ended(1), hands.ended(2)
    hands.archive.delete((deleted.id,))
    hands.read()
    damaged = b"no database at all" * 1000
    for name in ("-wal", "-shm"):
        hands.path.with_name(hands.path.name + name).unlink(missing_ok=True)
    hands.path.unlink()
    hands.path.write_bytes(damaged)
    second = hands.ended(3)
    hands.wait(lambda: hands.told.count("kept") >= 4)
    assert [failure.kind for failure in hands.failures] == [FailureKind.STORE_DAMAGED]
    assert hands.archive.failure is not None  # until it is dismissed: a window may not be looked at
    assert set(hands.read()) == {first.id, second.id}
    aside = [path for path in hands.path.parent.iterdir() if "damaged" in path.name]
    assert [path.read_bytes() for path in aside] == [damaged]
    hands.archive.forget_failure()
    assert hands.archive.failure is None


def test_that_a_store_that_is_damaged_at_the_start_is_replaced(idle: Hands) -> None:
    idle.path.parent.mkdir()
    idle.path.write_bytes(b"SQLite format 3\0" + b"nonsense" * 1000)
    idle.archive.start(idle.path)
    trial = idle.ended(1)
    idle.wait_for("kept")
    assert idle.read() == [trial.id]
    assert [failure.kind for failure in idle.failures] == [FailureKind.STORE_DAMAGED]


def _is_alive(hands: Hands) -> bool:
    worker = hands.archive._worker
    return worker is not None and worker.is_alive


# ---- Real trials ----


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        yield keepers


def test_that_real_trials_come_back_as_they_were(qtbot: QtBot, keepers: Keepers, tmp_path: Path) -> None:
    kept: list[str] = []
    keepers.archive.trial_kept.connect(kept.append)
    target = keepers.target()
    trial = keepers.run(
        TrialSettings(model_path=str(TINY_MODEL), target=target, warmup=3, stop_rule=StopRule(iterations=400))
    )
    keepers.wait_for_end(trial)
    broken = keepers.run(TrialSettings(model_path=str(tmp_path / "gone.onnx"), target=target))
    keepers.wait_for_end(broken)
    qtbot.waitUntil(lambda: kept == [trial.id, broken.id], timeout=TIMEOUT_MS)
    keepers.state.remove_trials((trial, broken))
    keepers.archive.open((trial.id, broken.id))
    qtbot.waitUntil(lambda: len(keepers.state.trials) == 2, timeout=TIMEOUT_MS)
    for before, after in zip((trial, broken), keepers.state.trials, strict=True):
        assert kept_trial_of(after) == kept_trial_of(before)
        assert after.statistics() == before.statistics()
        assert np.array_equal(after.series.values, before.series.values)
    assert keepers.state.trials[1].failure == broken.failure


def test_that_a_trial_whose_engine_dies_is_kept_with_what_was_measured(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path, tmp_path: Path
) -> None:
    library = keepers.add("dies", double_library("compile=abort"))
    assert library.error is None
    trial = keepers.run(TrialSettings(model_path=str(add_model), target=keepers.target("dies")))
    with qtbot.waitSignal(keepers.archive.trial_kept, timeout=TIMEOUT_MS):
        keepers.wait_for_death()
    keepers.wait_for_end(trial)
    assert trial.failure is not None
    assert trial.failure.kind is FailureKind.DIED
    with TrialStore(tmp_path / STORE_NAME) as store:
        assert store.load(trial.id).failure == trial.failure
    assert keepers.state.engine_status is EngineStatus.READY


def test_that_a_trial_that_runs_as_the_window_closes_is_kept(qtbot: QtBot, tmp_path: Path) -> None:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        settings = TrialSettings(model_path=str(TINY_MODEL), target=keepers.target(), stop_rule=StopRule(seconds=3600))
        trial = keepers.run(settings)
        qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)
    with TrialStore(tmp_path / STORE_NAME) as store:
        (row,) = store.summaries()
        assert row.outcome is Outcome.STOPPED
        assert np.array_equal(store.load(row.id).samples, trial.series.values)
        assert row.sample_count > 0
