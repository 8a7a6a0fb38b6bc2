"""Profiling an ended trial: told while it goes on, stopped, failed, survived; and its trace saved."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from gui.profile_keeper import ProfileKeeper
from gui.records.failure import FailureKind
from gui.records.library import LibraryState
from gui.records.result import Outcome
from gui.records.trial import StopRule, TrialSettings
from gui.trial_run import TrialRun

from .conftest import DoubleFactory
from .keepers import TIMEOUT_MS, TINY_MODEL, Keepers, running_keepers


@pytest.fixture(autouse=True)
def _no_traces_left() -> Iterator[None]:
    def folders() -> set[Path]:
        return set(Path(tempfile.gettempdir()).glob("ort-device-explorer-profile-*"))

    before = folders()
    yield
    for folder in folders() - before:
        shutil.rmtree(folder)


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        yield keepers


@pytest.fixture
def profiler(keepers: Keepers) -> ProfileKeeper:
    """A keeper of profiles, wired as in the window."""
    keeper = ProfileKeeper(keepers.client, keepers.state)
    keepers.libraries.trial_in_the_way.connect(keeper.make_way_for)
    return keeper


def ended(keepers: Keepers, library: str | None = None, model: Path = TINY_MODEL, **fields: Any) -> TrialRun:
    """Run a trial and wait for its end."""
    settings = TrialSettings(
        model_path=str(model), target=keepers.target(library), warmup=1, stop_rule=StopRule(iterations=5), **fields
    )
    trial = keepers.run(settings)
    keepers.wait_for_end(trial)
    assert trial.outcome is Outcome.FINISHED
    return trial


def wait_for_profile(qtbot: QtBot, keepers: Keepers) -> None:
    qtbot.waitUntil(lambda: not keepers.state.work, timeout=TIMEOUT_MS)


def test_that_the_profile_of_an_ended_trial_is_kept_with_it(
    qtbot: QtBot, keepers: Keepers, profiler: ProfileKeeper
) -> None:
    trial = ended(keepers)
    works: list[str] = []
    keepers.state.work_changed.connect(lambda: works.append(keepers.state.work))
    profiler.profile(trial)
    assert keepers.state.is_busy
    changed: list[TrialRun] = []
    keepers.state.trial_changed.connect(changed.append)
    wait_for_profile(qtbot, keepers)
    assert works == ["profiling tiny_mlp", ""]
    assert set(changed) == {trial}  # once more when it is in the store
    assert trial.profile is not None
    assert trial.profile.nodes
    assert trial.profile_failure is None
    assert len(trial.series) == 5


def test_that_nothing_is_profiled_while_the_engine_is_busy(
    qtbot: QtBot, keepers: Keepers, profiler: ProfileKeeper
) -> None:
    first = ended(keepers)
    running = keepers.run(TrialSettings(model_path=str(TINY_MODEL), target=keepers.target()))
    profiler.profile(first)
    profiler.profile(running)
    assert keepers.state.work == ""
    keepers.wait_for_end(running)
    assert (first.profile, running.profile) == (None, None)
    profiler.profile(first)
    profiler.profile(running)
    keepers.trials.run(first.settings)
    assert keepers.state.trials == (first, running)
    wait_for_profile(qtbot, keepers)
    assert first.profile is not None
    assert running.profile is None


def test_that_the_death_of_an_engine_is_a_failure_of_the_profile_only(
    qtbot: QtBot, keepers: Keepers, profiler: ProfileKeeper, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library("compute=abort,run_after=30"))
    trial = ended(keepers, "double", add_model)
    failed: list[TrialRun] = []
    profiler.profile_failed.connect(failed.append)
    samples = trial.series.values.tolist()
    profiler.profile(trial)
    wait_for_profile(qtbot, keepers)
    assert trial.profile_failure is not None
    assert trial.profile_failure.kind is FailureKind.DIED
    assert (trial.outcome, trial.failure, trial.profile) == (Outcome.FINISHED, None, None)
    assert trial.series.values.tolist() == samples
    assert failed == [trial]
    keepers.wait_for_death()
    assert keepers.library("double").state is LibraryState.LOADED


def test_that_a_later_profile_takes_the_place_of_a_failure(
    qtbot: QtBot, keepers: Keepers, profiler: ProfileKeeper, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library("delay_us=100000"))
    trial = ended(keepers, "double", add_model)
    failed: list[TrialRun] = []
    profiler.profile_failed.connect(failed.append)
    profiler.profile(trial)
    profiler.stop()
    profiler.stop()
    wait_for_profile(qtbot, keepers)
    assert trial.profile_failure is not None
    assert trial.profile_failure.kind is FailureKind.STOPPED
    assert failed == []
    shown: list[object] = []
    keepers.state.trial_changed.connect(lambda run: shown.append(run.profile_failure))
    profiler.profile(trial)
    wait_for_profile(qtbot, keepers)
    assert shown == [None, None]
    assert trial.profile is not None
    assert keepers.deaths == []


def test_that_a_profile_in_an_ep_that_hangs_is_stopped_with_its_engine(
    qtbot: QtBot, keepers: Keepers, profiler: ProfileKeeper, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library("compute=hang,run_after=30"))
    trial = ended(keepers, "double", add_model)
    profiler.profile(trial)
    profiler.stop()
    wait_for_profile(qtbot, keepers)
    assert trial.profile_failure is not None
    assert trial.profile_failure.kind is FailureKind.STOPPED
    keepers.wait_until_ready()


def test_that_a_profile_makes_way_for_its_library_and_for_no_other(
    qtbot: QtBot, keepers: Keepers, profiler: ProfileKeeper, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("double", double_library("delay_us=100000"))
    trial = ended(keepers, "double", add_model)
    profiler.profile(trial)
    profiler.make_way_for("another")
    wait_for_profile(qtbot, keepers)
    assert trial.profile is not None
    profiler.profile(trial)
    keepers.libraries.unregister("double")
    wait_for_profile(qtbot, keepers)
    assert trial.profile_failure is not None
    assert trial.profile_failure.kind is FailureKind.STOPPED
    keepers.wait_until_ready()
    assert keepers.library("double").state is not LibraryState.LOADED


def test_that_a_trace_is_saved_as_it_is(
    qtbot: QtBot, keepers: Keepers, profiler: ProfileKeeper, tmp_path: Path
) -> None:
    trial = ended(keepers)
    profiler.profile(trial)
    wait_for_profile(qtbot, keepers)
    assert trial.profile is not None
    place = tmp_path / "trace.json"
    with qtbot.waitSignal(keepers.state.trial_changed, timeout=TIMEOUT_MS):
        profiler.save_trace(trial, str(place))
    assert place.read_bytes() == Path(trial.profile.trace_path).read_bytes()
    assert keepers.notices[-1] == f"Trace saved: {place}"
    assert trial.profile_failure is None
    assert [file.name for file in tmp_path.glob("*trace*")] == ["trace.json"]


@pytest.mark.parametrize(
    ("gone", "place", "kind"),
    [(True, "trace.json", FailureKind.NO_SUCH_FILE), (False, "missing/trace.json", FailureKind.BAD_SETTING)],
    ids=["trace gone", "no folder"],
)
def test_that_a_trace_that_cannot_be_saved_is_told_with_a_next_step(
    qtbot: QtBot,
    keepers: Keepers,
    profiler: ProfileKeeper,
    tmp_path: Path,
    gone: bool,
    place: str,
    kind: FailureKind,
) -> None:
    trial = ended(keepers)
    profiler.profile(trial)
    wait_for_profile(qtbot, keepers)
    assert trial.profile is not None
    if gone:
        Path(trial.profile.trace_path).unlink()
    with qtbot.waitSignal(keepers.state.trial_changed, timeout=TIMEOUT_MS):
        profiler.save_trace(trial, str(tmp_path / place))
    assert trial.profile_failure is not None
    assert trial.profile_failure.kind is kind
    assert trial.profile_failure.hint
    assert trial.profile is not None
    assert not (tmp_path / place).exists()


def test_that_a_trial_without_a_profile_has_no_trace_to_save(
    keepers: Keepers, profiler: ProfileKeeper, tmp_path: Path
) -> None:
    trial = ended(keepers)
    profiler.save_trace(trial, str(tmp_path / "trace.json"))
    assert trial.profile_failure is None
    assert not (tmp_path / "trace.json").exists()
