"""Comparisons run by a real engine: to their end, with targets that fail, die or hang, stopped, resumed, repeated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.comparison_run import ComparisonRun, Phase
from gui.records.check import Agreement
from gui.records.comparison import ComparisonCell, ComparisonPlan
from gui.records.failure import FailureKind
from gui.records.library import LibraryState
from gui.records.result import Outcome
from gui.records.statistics import summarize
from gui.records.trial import Ending, Stage, StopRule, TrialSettings
from gui.trial_run import TrialRun

from .conftest import DoubleFactory
from .keepers import TIMEOUT_MS, TINY_MODEL, Keepers, running_keepers

ENDLESS = StopRule(seconds=3600)


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        yield keepers


def plan_of(
    keepers: Keepers, *libraries: str | None, model: Path = TINY_MODEL, rounds: int = 4, **fields: Any
) -> ComparisonPlan:
    """A plan with a cell for the first device of each library, of ORT's own for None."""
    fields.setdefault("stop_rule", StopRule(iterations=5 * rounds))
    fields.setdefault("warmup", 3)
    fields.setdefault("intra_op_threads", 1)  # several go on spinning for a while, and the next round waits for them
    cells = tuple(
        ComparisonCell(
            label=f"{library or 'CPU'} {index}",
            target_text=f"target {index}",
            settings=TrialSettings(model_path=str(model), target=keepers.target(library), **fields),
        )
        for index, library in enumerate(libraries)
    )
    return ComparisonPlan(cells=cells, rounds=rounds, seed=1)


def begun(keepers: Keepers, plan: ComparisonPlan) -> ComparisonRun:
    """Start a comparison."""
    keepers.comparisons.run(plan)
    run = keepers.state.comparison
    assert run is not None
    assert run.is_running
    return run


def wait_for_end(keepers: Keepers, run: ComparisonRun) -> None:
    keepers.qtbot.waitUntil(lambda: not run.is_running, timeout=TIMEOUT_MS)
    assert not keepers.state.is_busy


def ended(keepers: Keepers, plan: ComparisonPlan) -> ComparisonRun:
    """Run a comparison to its end."""
    run = begun(keepers, plan)
    wait_for_end(keepers, run)
    return run


def outcomes(run: ComparisonRun) -> list[Outcome]:
    return [trial.outcome for trial in run.runs]


def assert_whole(trial: TrialRun) -> None:
    """Nothing of a trial that has ended contradicts anything else."""
    assert trial.comparison is not None
    assert trial.is_settled
    assert len(trial.series) == trial.facts.sample_count
    assert sum(entry.sample_count for entry in trial.comparison.rounds) == len(trial.series)
    assert trial.elapsed_ns == trial.facts.measured_ns
    assert trial.exact == summarize(trial.series.values, trial.elapsed_ns, len(trial.series))


def numbers(trial: TrialRun) -> list[int]:
    assert trial.comparison is not None
    return [entry.number for entry in trial.comparison.rounds]


# ---- To the end ----


def test_that_two_targets_are_measured_by_turns_and_become_two_trials(keepers: Keepers) -> None:
    told: list[tuple[Phase, int, int | None, str]] = []
    keepers.state.comparison_changed.connect(
        lambda: told.append((run.phase, run.round, run.current, keepers.state.work)) if run is not None else None
    )
    kept: list[ComparisonRun] = []
    keepers.comparisons.rounds_done.connect(kept.append)
    over: list[ComparisonRun] = []
    keepers.comparisons.ended.connect(over.append)
    run: ComparisonRun | None = None
    shown_before = keepers.state.current_trial
    plan = plan_of(keepers, None, None)
    run = begun(keepers, plan)
    assert keepers.state.is_busy
    wait_for_end(keepers, run)

    assert keepers.state.trials == run.runs
    assert keepers.state.current_trial is shown_before
    assert outcomes(run) == [Outcome.FINISHED] * 2
    for index, trial in enumerate(run.runs):
        assert_whole(trial)
        assert numbers(trial) == [1, 2, 3, 4]
        assert (len(trial.series), len(trial.warmup)) == (20, 3 + 4)  # a run of lead-in in each round
        assert trial.facts.warmup_runs == 3 + 4
        assert trial.facts.ending is Ending.ITERATIONS
        assert trial.facts.check is not None
        assert trial.facts.check.agreement is Agreement.IDENTICAL
        assert trial.nodes is not None
        assert (trial.number, trial.target_text) == (index + 1, f"target {index}")
        assert trial.environment == keepers.state.greeting
        assert trial.comparison is not None
        assert (trial.comparison.id, trial.comparison.cell) == (plan.id, index)
        assert not trial.stopping
    parts = [trial.comparison for trial in run.runs]
    for first, second in zip(*(part.rounds for part in parts if part is not None), strict=True):
        assert {first.position, second.position} == {1, 2}
        assert (first.began_ns < second.began_ns) == (first.position < second.position)

    phases = [phase for phase, _round, _current, _work in told]
    assert list(dict.fromkeys(phases)) == [Phase.OPENING, Phase.MEASURING, Phase.CLOSING, Phase.ENDED]
    assert {number for phase, number, *_ in told if phase is Phase.MEASURING} == {1, 2, 3, 4}
    assert {current for *_, current, _work in told} == {None, 0, 1}
    assert {work for *_, work in told[:-1]} == {"comparing 2 targets with tiny_mlp"}
    assert kept == [run]  # once: the rounds after it followed too soon
    assert over == [run]


def test_that_nothing_begins_while_another_thing_runs(keepers: Keepers) -> None:
    run = begun(keepers, plan_of(keepers, None, None))
    keepers.comparisons.run(plan_of(keepers, None))
    keepers.trials.run(plan_of(keepers, None).cells[0].settings)
    keepers.comparisons.resume()
    keepers.comparisons.repeat(0)
    assert keepers.state.trials == run.runs
    wait_for_end(keepers, run)
    assert keepers.state.trials == run.runs


def test_that_a_comparison_is_told_only_while_it_is_the_one_shown(keepers: Keepers) -> None:
    run = begun(keepers, plan_of(keepers, None, None))
    other = ComparisonRun(id="another", runs=())
    keepers.state.show_comparison(other)
    wait_for_end(keepers, run)
    assert keepers.state.comparison is other
    assert outcomes(run) == [Outcome.FINISHED] * 2


# ---- Targets that fail, die or hang ----


def test_that_a_target_that_fails_keeps_its_samples_and_the_other_goes_on(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library("compute=error,run_after=16,text=out of luck,say=a word of warning"))
    run = ended(keepers, plan_of(keepers, "double", None, model=add_model))
    failing, good = run.runs
    assert outcomes(run) == [Outcome.FAILED, Outcome.FINISHED]
    assert failing.failure is not None
    assert "out of luck" in failing.failure.detail
    said = [any("a word of warning" in line.record.message for line in trial.log.lines) for trial in run.runs]
    assert said == [True, False]
    assert [library.name for library in failing.libraries] == ["double"]
    assert len(failing.series) == 16 - 1 - 3 - 2  # but the first run, the warm-up, and the lead-in of two rounds
    assert numbers(failing) == [1, 2]
    assert_whole(failing)
    assert_whole(good)
    assert numbers(good) == [1, 2, 3, 4]
    assert keepers.deaths == []


def test_that_a_target_that_dies_is_named_and_the_other_is_opened_again(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library("compute=abort,run_after=11"))
    run = ended(keepers, plan_of(keepers, None, "double", model=add_model))
    good, dead = run.runs
    assert outcomes(run) == [Outcome.FINISHED, Outcome.FAILED]
    assert dead.failure is not None
    assert dead.failure.kind is FailureKind.DIED
    assert dead.facts.stage is Stage.MEASURING
    assert_whole(dead)
    assert numbers(good) == [1, 2, 3, 4]
    assert len(good.series) == 20
    assert good.facts.check is not None
    assert_whole(good)
    assert len(keepers.deaths) == 1
    assert keepers.states() == {"double": LibraryState.LOADED}


def test_that_a_target_that_hangs_too_long_fails_and_the_other_goes_on_in_a_fresh_engine(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library("compute=hang,run_after=12"))
    run = ended(keepers, plan_of(keepers, "double", None, model=add_model, run_timeout_s=0.2))
    late, good = run.runs
    assert outcomes(run) == [Outcome.FAILED, Outcome.FINISHED]
    assert late.failure is not None
    assert late.failure.kind is FailureKind.TIMED_OUT
    assert len(late.series) == 12 - 1 - 3 - 2  # rescued from the round in which it hung
    assert_whole(late)
    assert_whole(good)
    assert [death.intended for death in keepers.deaths] == [True]


# ---- Stopped, resumed, repeated ----


def wait_for_round(keepers: Keepers, run: ComparisonRun, number: int) -> None:
    keepers.qtbot.waitUntil(lambda: run.round >= number or not run.is_running, timeout=TIMEOUT_MS)
    assert run.is_running


def test_that_a_stopped_comparison_is_resumed_as_the_same_trials(keepers: Keepers) -> None:
    plan = plan_of(keepers, None, None, rounds=20, stop_rule=StopRule(seconds=0.4))
    run = begun(keepers, plan)
    wait_for_round(keepers, run, 3)
    keepers.comparisons.stop()
    assert run.stopping
    assert all(trial.stopping for trial in run.runs)
    wait_for_end(keepers, run)
    assert outcomes(run) == [Outcome.STOPPED] * 2
    assert run.can_resume
    counts = [len(trial.series) for trial in run.runs]
    for trial in run.runs:
        assert_whole(trial)
        assert trial.facts.ending is Ending.STOPPED
        assert 2 <= len(numbers(trial)) < 20

    trials, before = run.runs, run.runs[0].series.values.copy()
    keepers.comparisons.resume()
    assert outcomes(run) == [Outcome.RUNNING] * 2
    assert not any(trial.is_settled for trial in run.runs)
    wait_for_end(keepers, run)
    assert run.runs == trials == keepers.state.trials
    assert [trial.failure for trial in run.runs] == [None, None]
    assert outcomes(run) == [Outcome.FINISHED] * 2
    for trial, count in zip(run.runs, counts, strict=True):
        assert_whole(trial)
        assert numbers(trial) == list(range(1, 21))
        assert len(trial.series) > count
    assert np.array_equal(run.runs[0].series.values[: len(before)], before)
    assert keepers.deaths == []


def test_that_a_target_that_hangs_is_stopped_with_its_engine(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    keepers.add("double", double_library("compute=hang,run_after=10,trace=1"))
    run = begun(keepers, plan_of(keepers, "double", None, model=add_model))
    qtbot.waitUntil(lambda: keepers.has_said("double: compute"), timeout=TIMEOUT_MS)  # it hangs now
    keepers.comparisons.stop()
    wait_for_end(keepers, run)
    keepers.wait_for_death()
    assert outcomes(run) == [Outcome.STOPPED] * 2
    assert run.runs[0].failure is not None
    assert run.runs[0].failure.kind is FailureKind.STOPPED
    for trial in run.runs:
        assert_whole(trial)


def test_that_a_restart_of_the_engine_stops_the_comparison(keepers: Keepers) -> None:
    run = begun(keepers, plan_of(keepers, None, None, stop_rule=ENDLESS))
    wait_for_round(keepers, run, 1)
    keepers.client.restart()
    wait_for_end(keepers, run)
    assert outcomes(run) == [Outcome.STOPPED] * 2
    keepers.wait_for_death()
    assert run.can_resume


def test_that_a_repeated_cell_takes_the_place_of_the_first(keepers: Keepers) -> None:
    run = ended(keepers, plan_of(keepers, None, None))
    first, second = run.runs
    keepers.comparisons.repeat(1)
    assert keepers.state.is_busy
    wait_for_end(keepers, run)
    third = run.runs[1]
    assert run.runs == (first, third)
    assert keepers.state.trials == (first, second, third)
    assert third.id != second.id
    assert third.comparison is not None
    assert third.comparison.is_alone
    assert outcomes(run) == [Outcome.FINISHED] * 2
    assert_whole(third)


# ---- Libraries that shall go ----


def test_that_a_comparison_makes_way_for_a_library_it_uses(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library(""))
    run = begun(keepers, plan_of(keepers, None, "double", model=add_model, stop_rule=ENDLESS))
    wait_for_round(keepers, run, 1)
    keepers.libraries.unregister("double")
    wait_for_end(keepers, run)
    keepers.wait_until_ready()
    assert outcomes(run) == [Outcome.STOPPED] * 2
    assert keepers.states() == {"double": LibraryState.NOT_LOADED}
    assert keepers.deaths == []


def test_that_a_library_it_does_not_use_goes_when_the_comparison_has_ended(
    keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.add("double", double_library(""))
    run = begun(keepers, plan_of(keepers, None, None, rounds=10))
    wait_for_round(keepers, run, 1)
    keepers.libraries.unregister("double")
    assert keepers.states() == {"double": LibraryState.UNREGISTERING}
    wait_for_end(keepers, run)
    keepers.wait_until_ready()
    assert outcomes(run) == [Outcome.FINISHED] * 2
    assert keepers.states()["double"] is LibraryState.NOT_LOADED
    assert keepers.deaths == []
