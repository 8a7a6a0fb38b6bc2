"""Models chosen and trials run, to the end, stopped, or cut short by a death."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from gui.records.failure import FailureKind
from gui.records.library import LibraryState
from gui.records.result import Outcome
from gui.records.statistics import LatencyStatistics, summarize
from gui.records.trial import DimensionSize, Ending, Policy, Stage, StopRule, Target, TrialSettings
from gui.state import EngineStatus
from gui.trial_run import TrialRun

from .conftest import DoubleFactory
from .keepers import TIMEOUT_MS, TINY_MODEL, Keepers, running_keepers

ENDLESS = StopRule(seconds=3600)


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        yield keepers


def settings(keepers: Keepers, library: str | None = None, model: Path = TINY_MODEL, **fields: Any) -> TrialSettings:
    """A trial on the first device of a library, of ORT's own without one."""
    fields.setdefault("target", keepers.target(library))
    return TrialSettings(model_path=str(model), **fields)


def started(qtbot: QtBot, keepers: Keepers, what: TrialSettings) -> TrialRun:
    """Run a trial and wait for its first samples."""
    trial = keepers.run(what)
    qtbot.waitUntil(lambda: len(trial.series) > 0 or not trial.is_running, timeout=TIMEOUT_MS)
    assert trial.is_running
    return trial


def ended(keepers: Keepers, what: TrialSettings) -> TrialRun:
    """Run a trial to its end."""
    trial = keepers.run(what)
    keepers.wait_for_end(trial)
    return trial


def summary_of(trial: TrialRun) -> LatencyStatistics | None:
    return summarize(trial.series.values, trial.elapsed_ns, len(trial.series))


# ---- Trials to their end ----


def test_that_a_trial_ends_with_the_statistics_of_all_its_samples(keepers: Keepers) -> None:
    trial = ended(keepers, settings(keepers, warmup=5, stop_rule=StopRule(iterations=500)))
    assert trial.outcome is Outcome.FINISHED
    assert trial.failure is None
    assert (len(trial.series), len(trial.warmup)) == (500, 5)
    assert trial.facts.ending is Ending.ITERATIONS
    assert trial.elapsed_ns == trial.facts.measured_ns >= int(trial.series.values.sum())
    assert trial.exact == summary_of(trial)
    assert trial.statistics() == trial.exact
    assert trial.progress == 1.0
    assert keepers.state.running_trial is None
    assert keepers.failed_trials == []


def test_that_a_trial_grows_before_the_eyes(qtbot: QtBot, keepers: Keepers) -> None:
    told: list[tuple[Stage, int, Outcome, bool]] = []
    keepers.state.trial_changed.connect(
        lambda trial: told.append((trial.facts.stage, len(trial.series), trial.outcome, trial.is_being_kept))
    )
    added: list[TrialRun] = []
    keepers.state.trial_added.connect(added.append)
    trial = ended(keepers, settings(keepers, stop_rule=StopRule(seconds=0.3)))
    qtbot.waitUntil(lambda: not trial.is_being_kept, timeout=TIMEOUT_MS)
    assert added == [trial]
    assert keepers.state.current_trial is trial
    stages = list(dict.fromkeys(stage for stage, _count, _outcome, _keeping in told))
    assert stages == [stage for stage in Stage if stage is not Stage.COMPILING]
    counts = [count for _stage, count, _outcome, _keeping in told]
    assert counts == sorted(counts)
    assert len(set(counts)) > 3  # batches, not all at the end
    # Its end is told once, and once more when the thread of the store has it.
    ends = [(count, outcome, keeping) for _stage, count, outcome, keeping in told if outcome is not Outcome.RUNNING]
    assert ends == [(counts[-1], Outcome.FINISHED, True), (counts[-1], Outcome.FINISHED, False)]


def test_that_trials_are_numbered_in_this_sitting(keepers: Keepers) -> None:
    what = settings(keepers, stop_rule=StopRule(iterations=1))
    assert [ended(keepers, what).number for _ in range(3)] == [1, 2, 3]
    keepers.state.remove_trials(keepers.state.trials[:1])
    assert ended(keepers, what).number == 4
    assert [trial.number for trial in keepers.state.trials] == [2, 3, 4]


def test_that_only_one_trial_runs_at_a_time(qtbot: QtBot, keepers: Keepers) -> None:
    trial = started(qtbot, keepers, settings(keepers, stop_rule=ENDLESS))
    keepers.trials.run(settings(keepers))
    assert keepers.state.trials == (trial,)


def test_that_no_trial_starts_without_an_engine(qtbot: QtBot, keepers: Keepers) -> None:
    what = settings(keepers)
    with qtbot.waitSignal(keepers.client.died, timeout=TIMEOUT_MS):
        keepers.client.restart()
    assert keepers.state.engine_status is EngineStatus.STARTING
    keepers.trials.run(what)
    assert keepers.state.trials == ()


def test_that_a_long_trial_gets_its_exact_statistics_from_the_pool(keepers: Keepers) -> None:
    told: list[bool] = []
    keepers.state.trial_changed.connect(lambda trial: told.extend(() if trial.is_running else (trial.is_estimate,)))
    trial = ended(keepers, settings(keepers, stop_rule=StopRule(iterations=250_000), intra_op_threads=1))
    assert trial.outcome is Outcome.FINISHED
    assert len(trial.series) == 250_000
    assert trial.exact == summary_of(trial)
    assert told == [True, False]  # ended with an estimate, then exact


def test_that_the_target_is_told_in_words(keepers: Keepers, double_library: DoubleFactory) -> None:
    keepers.add("double", double_library("count=2"))
    rule = StopRule(iterations=1)
    two = Target(device_keys=keepers.library("double").device_keys)
    policy = Target(policy=Policy.PREFER_CPU)
    targets = [ended(keepers, settings(keepers, stop_rule=rule, target=target)) for target in (two, policy)]
    assert [trial.target_text for trial in targets] == ["double, 2 devices", "PREFER_CPU"]
    assert [len(trial.devices) for trial in targets] == [2, 0]
    assert targets[0].model_name == "tiny_mlp"


# ---- Trials that fail ----


def test_that_a_trial_on_a_vanished_device_failed(keepers: Keepers) -> None:
    trial = ended(keepers, settings(keepers, target=Target(device_keys=("gone",))))
    assert trial.outcome is Outcome.FAILED
    assert trial.failure is not None
    assert trial.failure.kind is FailureKind.DEVICE_VANISHED
    assert keepers.failed_trials == [trial]
    assert trial.exact is None
    assert keepers.deaths == []


def test_that_a_run_that_fails_keeps_the_samples_before_it(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library("compute=error,run_after=50,text=out of luck"))
    trial = ended(keepers, settings(keepers, "double", add_model, warmup=4, stop_rule=ENDLESS))
    assert trial.outcome is Outcome.FAILED
    assert trial.failure is not None
    assert "out of luck" in trial.failure.detail
    assert len(trial.series) == 50 - 4 - 1
    assert trial.exact == summary_of(trial)
    assert keepers.deaths == []


@pytest.mark.parametrize(("action", "words"), [("abort", "SIGABRT"), ("exit", "it exited with code 3")])
def test_that_a_death_while_measuring_keeps_the_samples_that_had_come(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path, action: str, words: str
) -> None:
    # 2 ms a run and batches of 33 ms: of the last batch alone nothing comes.
    keepers.add("double", double_library(f"compute={action},run_after=100,delay_us=2000"))
    trial = ended(keepers, settings(keepers, "double", add_model, warmup=4, stop_rule=ENDLESS))
    assert trial.outcome is Outcome.FAILED
    assert trial.failure is not None
    assert trial.failure.kind is FailureKind.DIED
    assert "(stage: measuring)" in trial.failure.message
    assert words in trial.failure.message
    assert 50 < len(trial.series) < 96
    assert int(trial.series.values.min()) >= 2_000_000
    assert trial.exact == summary_of(trial)
    assert keepers.failed_trials == [trial]
    keepers.wait_for_death()
    assert keepers.states() == {"double": LibraryState.LOADED}  # it did not die while loading
    again = ended(keepers, settings(keepers, stop_rule=StopRule(iterations=3)))
    assert again.outcome is Outcome.FINISHED


@pytest.mark.parametrize(
    ("orders", "stage"),
    [("create=segv", "creating session"), ("compile=exit", "creating session"), ("compute=abort", "first run")],
)
def test_that_a_death_names_the_stage(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path, orders: str, stage: str
) -> None:
    keepers.add("double", double_library(orders))
    trial = ended(keepers, settings(keepers, "double", add_model))
    assert trial.failure is not None
    assert f"(stage: {stage})" in trial.failure.message
    assert trial.facts.stage.value == stage


# ---- Trials that are stopped ----


def test_that_a_stopped_trial_keeps_its_samples(qtbot: QtBot, keepers: Keepers) -> None:
    trial = started(qtbot, keepers, settings(keepers, stop_rule=ENDLESS))
    keepers.trials.stop()
    stopping = trial.stopping
    with qtbot.assertNotEmitted(keepers.state.trial_changed):
        keepers.trials.stop()  # once more does nothing
    keepers.wait_for_end(trial)
    assert trial.outcome is Outcome.STOPPED
    assert (stopping, trial.stopping) == (True, False)
    assert trial.failure is None
    assert trial.facts.ending is Ending.STOPPED
    assert len(trial.series) == trial.facts.sample_count > 0
    assert trial.exact == summary_of(trial)
    assert keepers.failed_trials == []
    assert keepers.deaths == []


def test_that_stopping_nothing_does_nothing(keepers: Keepers) -> None:
    keepers.trials.stop()
    keepers.trials.make_way_for("nothing")
    assert keepers.state.trials == ()


def test_that_a_trial_that_hangs_is_stopped_with_its_engine_and_keeps_its_samples(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    keepers.add("double", double_library("compute=hang,run_after=100,delay_us=2000,trace=1"))
    trial = started(qtbot, keepers, settings(keepers, "double", add_model, warmup=4, stop_rule=ENDLESS))
    qtbot.waitUntil(lambda: keepers.has_said("double: compute"), timeout=TIMEOUT_MS)  # it hangs now
    keepers.trials.stop()
    keepers.wait_for_end(trial)
    assert trial.outcome is Outcome.STOPPED
    assert 50 < len(trial.series) < 96
    assert trial.exact == summary_of(trial)
    keepers.wait_for_death()
    assert [death.intended for death in keepers.deaths] == [True]
    assert keepers.states() == {"double": LibraryState.LOADED}
    assert keepers.failed_trials == []


def test_that_a_restart_of_the_engine_stops_the_trial(qtbot: QtBot, keepers: Keepers) -> None:
    trial = started(qtbot, keepers, settings(keepers, stop_rule=ENDLESS))
    keepers.client.restart()
    keepers.wait_for_end(trial)
    assert trial.outcome is Outcome.STOPPED
    assert len(trial.series) > 0
    assert trial.exact == summary_of(trial)
    keepers.wait_for_death()


# ---- Libraries that shall go ----


@pytest.mark.parametrize("by_policy", [False, True], ids=["on its device", "by a policy"])
def test_that_a_trial_makes_way_for_a_library_that_shall_go(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path, by_policy: bool
) -> None:
    keepers.add("double", double_library(""))
    target = Target(policy=Policy.PREFER_CPU) if by_policy else keepers.target("double")
    trial = started(qtbot, keepers, settings(keepers, model=add_model, target=target, stop_rule=ENDLESS))
    order: list[str] = []
    keepers.state.trial_changed.connect(
        lambda changed: order.extend(() if changed.is_running or "trial" in order else ("trial",))
    )
    keepers.state.libraries_changed.connect(lambda: order.append(keepers.library("double").state.value))
    keepers.libraries.unregister("double")
    keepers.wait_for_end(trial)
    keepers.wait_until_ready()
    assert trial.outcome is Outcome.STOPPED
    assert len(trial.series) > 0
    assert keepers.states() == {"double": LibraryState.NOT_LOADED}
    assert order == ["unregistering", "trial", "not loaded"]
    assert keepers.owners() == [None]
    assert keepers.deaths == []


def test_that_a_trial_goes_on_when_a_library_it_does_not_use_shall_go(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.add("double", double_library(""))
    trial = started(qtbot, keepers, settings(keepers, stop_rule=StopRule(seconds=0.5)))
    keepers.libraries.unregister("double")
    keepers.wait_for_end(trial)
    assert trial.outcome is Outcome.FINISHED
    keepers.wait_until_ready()
    assert keepers.states() == {"double": LibraryState.NOT_LOADED}


# ---- Several trials in a row ----


def rows(
    keepers: Keepers, *sizes: int, library: str | None = None, model: Path = TINY_MODEL
) -> tuple[TrialSettings, ...]:
    """Trials that differ in the size of the batch."""
    return tuple(
        settings(keepers, library, model, dimensions=(DimensionSize(name="batch", size=size),)) for size in sizes
    )


def wait_for_all(qtbot: QtBot, keepers: Keepers, count: int) -> list[TrialRun]:
    qtbot.waitUntil(lambda: len(keepers.state.trials) == count and not keepers.state.is_busy, timeout=TIMEOUT_MS)
    return list(keepers.state.trials)


def test_that_trials_in_a_row_run_one_after_the_other(qtbot: QtBot, keepers: Keepers) -> None:
    waiting: list[int] = []
    keepers.state.waiting_changed.connect(lambda: waiting.append(keepers.state.waiting_trials))
    keepers.trials.run_all(rows(keepers, 1, 2, 4))
    assert keepers.state.is_busy
    trials = wait_for_all(qtbot, keepers, 3)
    assert [trial.settings.dimensions[0].size for trial in trials] == [1, 2, 4]
    assert [trial.facts.inputs[0].shape[0] for trial in trials if trial.facts.inputs[0].shape] == [1, 2, 4]
    assert [trial.outcome for trial in trials] == [Outcome.FINISHED] * 3
    assert waiting == [2, 1, 0]


def test_that_a_trial_that_fails_or_kills_its_engine_does_not_end_the_row(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("bad", double_library("compute=abort"))
    keepers.add("good", double_library("name=good"))
    keepers.trials.run_all(
        (
            settings(keepers, "good", add_model),
            settings(keepers, "bad", add_model),
            settings(keepers, "good", Path("/no/such/model.onnx")),
            settings(keepers, "good", add_model),
        )
    )
    trials = wait_for_all(qtbot, keepers, 4)
    kinds = [None if trial.failure is None else trial.failure.kind for trial in trials]
    assert kinds == [None, FailureKind.DIED, FailureKind.NO_SUCH_FILE, None]


def test_that_stopping_ends_the_whole_row(qtbot: QtBot, keepers: Keepers) -> None:
    keepers.trials.run_all(tuple(replace(entry, stop_rule=ENDLESS) for entry in rows(keepers, 1, 2, 4)))
    trial = keepers.state.running_trial
    assert trial is not None
    qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)
    keepers.trials.stop()
    (only,) = wait_for_all(qtbot, keepers, 1)
    assert only.outcome is Outcome.STOPPED
    assert len(only.series) > 0


def test_that_replacing_the_engine_ends_the_whole_row(qtbot: QtBot, keepers: Keepers) -> None:
    keepers.trials.run_all(tuple(replace(entry, stop_rule=ENDLESS) for entry in rows(keepers, 1, 2)))
    trial = keepers.state.running_trial
    assert trial is not None
    qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)
    keepers.client.restart()
    (only,) = wait_for_all(qtbot, keepers, 1)
    keepers.wait_for_death()
    assert only.outcome is Outcome.STOPPED
    assert keepers.state.waiting_trials == 0


def test_that_no_row_starts_while_another_runs(qtbot: QtBot, keepers: Keepers) -> None:
    keepers.trials.run_all(rows(keepers, 1, 2))
    keepers.trials.run_all(rows(keepers, 8, 16))
    sizes = [trial.settings.dimensions[0].size for trial in wait_for_all(qtbot, keepers, 2)]
    assert sizes == [1, 2]


# ---- Runs that take too long ----


def test_that_a_run_that_hangs_too_long_fails_alone_and_the_row_goes_on_in_a_fresh_engine(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("bad", double_library("compute=hang,run_after=8"))
    keepers.add("good", double_library("name=good"))
    before = keepers.client.process_id()
    hanging = settings(keepers, "bad", add_model, run_timeout_s=0.2, warmup=0)
    keepers.trials.run_all((hanging, settings(keepers, "good", add_model)))
    late, good = wait_for_all(qtbot, keepers, 2)
    assert late.failure is not None
    assert late.failure.kind is FailureKind.TIMED_OUT
    assert (late.outcome, len(late.series)) == (Outcome.FAILED, 7)
    assert good.outcome is Outcome.FINISHED
    assert keepers.client.process_id() != before
    assert [death.intended for death in keepers.deaths] == [True]
