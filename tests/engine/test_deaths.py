"""Libraries that end or hang the engine: where it was is known, and the samples it had are not lost."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from gui.records.process_exit import ProcessExit
from gui.records.protocol import Inventory, Op
from gui.records.trial import Stage, TrialFacts

from ..conftest import DoubleFactory, StartEngine
from ..doubles import build
from ..engine_process import EngineEndedError, EngineProcess
from .conftest import Register, settings_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the ends are told as signals")

ENDS = {
    "abort": ProcessExit(code=signal.SIGABRT, crashed=True),
    "segv": ProcessExit(code=signal.SIGSEGV, crashed=True),
    "exit": ProcessExit(code=3, crashed=False),
}
ENDING = pytest.mark.parametrize("action", list(ENDS))
WHILE_REGISTERING = pytest.mark.parametrize("place", ["load", "factory", "devices"])
STAGE_OF_PLACE = {
    # What the double is asked to misbehave in, and the stage of ours in which that is reached.
    "create": Stage.CREATING_SESSION,
    "capability": Stage.CREATING_SESSION,
    "compile": Stage.CREATING_SESSION,
    "compute": Stage.FIRST_RUN,
}
IN_A_TRIAL = pytest.mark.parametrize("place", list(STAGE_OF_PLACE))
# The first run is one computation and the warm-up of these trials has two.
STAGE_AFTER_RUNS = {0: Stage.FIRST_RUN, 1: Stage.WARMING_UP, 2: Stage.WARMING_UP, 3: Stage.MEASURING}


def end_of(engine: EngineProcess, action: str) -> ProcessExit:
    """Wait for the end and check that it is that of `action`, and in its words."""
    ended = engine.wait_for_end()
    expected = ENDS[action]
    assert (ended.code, ended.crashed, ended.intended) == (expected.code, expected.crashed, False)
    assert str(ended) == str(expected)
    if expected.crashed:
        assert any("Fatal Python error" in line for line in ended.last_lines), ended.last_lines
    return ended


# ---- Ends ----


@WHILE_REGISTERING
@ENDING
def test_that_a_library_that_ends_the_engine_while_it_is_registered_leaves_no_answer(
    start_engine: StartEngine, double_library: DoubleFactory, place: str, action: str
) -> None:
    engine = start_engine()
    request = engine.send(Op.REGISTER, name="double", path=str(double_library(f"{place}={action},trace=1")))
    end_of(engine, action)
    assert [line for line in engine.stderr() if line.startswith("double: ")][-1] == f"double: {place}"
    with pytest.raises(EngineEndedError):
        engine.answer(request, Inventory)


@IN_A_TRIAL
@ENDING
def test_that_the_last_stage_heard_is_where_an_ep_ended_the_engine(
    start_engine: StartEngine, register: Register, add_model: Path, place: str, action: str
) -> None:
    engine = start_engine()
    trial = engine.start_trial(settings_for(add_model, *register(engine, f"{place}={action}")))
    end_of(engine, action)
    assert engine.stages(trial)[-1] is STAGE_OF_PLACE[place]
    with pytest.raises(EngineEndedError):
        engine.answer(trial, TrialFacts)


@ENDING
def test_that_a_library_that_ends_the_engine_while_it_is_unregistered_leaves_no_answer(
    start_engine: StartEngine, register: Register, add_model: Path, action: str
) -> None:
    engine = start_engine()
    keys = register(engine, f"release={action}")
    assert engine.run_trial(settings_for(add_model, *keys)).sample_count == 20
    request = engine.send(Op.UNREGISTER, name="double")
    end_of(engine, action)
    with pytest.raises(EngineEndedError):
        engine.answer(request, Inventory)


@pytest.mark.parametrize("runs", list(STAGE_AFTER_RUNS))
def test_that_a_death_in_a_run_is_told_from_one_in_the_warm_up(
    start_engine: StartEngine, register: Register, add_model: Path, runs: int
) -> None:
    engine = start_engine()
    trial = engine.start_trial(settings_for(add_model, *register(engine, f"compute=segv,run_after={runs}"), warmup=2))
    end_of(engine, "segv")
    assert engine.stages(trial)[-1] is STAGE_AFTER_RUNS[runs]


@ENDING
def test_that_the_samples_sent_before_a_death_have_arrived(
    start_engine: StartEngine, register: Register, add_model: Path, action: str
) -> None:
    """A run takes 5 ms at least, so a batch of 33 ms holds 7 of 27 at most, and less than that was not sent yet."""
    engine = start_engine()
    keys = register(engine, f"compute={action},run_after=30,delay_us=5000")
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=1000, warmup=2))
    end_of(engine, action)
    assert engine.stages(trial)[-1] is Stage.MEASURING
    samples = engine.samples(trial)
    assert 27 - 6 <= len(samples) <= 27
    assert samples.min() >= 5_000_000


def test_that_half_a_library_ends_the_engine_with_a_bus_error(
    start_engine: StartEngine, double_library: DoubleFactory, tmp_path: Path
) -> None:
    engine = start_engine()
    truncated = build.truncated_copy(double_library(""), tmp_path)
    engine.send(Op.REGISTER, name="half", path=str(truncated))
    ended = engine.wait_for_end()
    assert (ended.code, ended.crashed) == (signal.SIGBUS, True)


# ---- Hangs ----


@WHILE_REGISTERING
def test_that_an_engine_whose_library_hangs_while_registered_can_be_killed(
    start_engine: StartEngine, double_library: DoubleFactory, place: str
) -> None:
    engine = start_engine()
    request = engine.send(Op.REGISTER, name="double", path=str(double_library(f"{place}=hang,trace=1")))
    engine.wait_for_stderr(f"double: {place}")
    assert engine.is_alive()
    engine.kill()
    assert str(engine.wait_for_end()) == "it was killed, signal 9 SIGKILL"
    with pytest.raises(EngineEndedError):
        engine.answer(request, Inventory)


@IN_A_TRIAL
def test_that_the_last_stage_heard_is_where_an_ep_hangs(
    start_engine: StartEngine, register: Register, add_model: Path, place: str
) -> None:
    engine = start_engine()
    trial = engine.start_trial(settings_for(add_model, *register(engine, f"{place}=hang,trace=1")))
    engine.wait_for_stage(trial, STAGE_OF_PLACE[place])
    engine.wait_for_stderr(f"double: {place}")
    assert engine.stages(trial)[-1] is STAGE_OF_PLACE[place]
    assert engine.is_alive()
    engine.kill()
    assert str(engine.wait_for_end()) == "it was killed, signal 9 SIGKILL"


def test_that_samples_sent_before_a_hang_have_arrived_and_a_cancellation_is_answered(
    start_engine: StartEngine, register: Register, add_model: Path
) -> None:
    engine = start_engine()
    keys = register(engine, "compute=hang,run_after=30,delay_us=5000")
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=1000, warmup=2))
    engine.wait_for_samples(trial)
    assert engine.ok(engine.send(Op.PING)) == {}
    engine.kill()
    assert len(engine.samples(trial)) > 0
    assert engine.stages(trial)[-1] is Stage.MEASURING


def test_that_a_hanging_unregistration_can_be_killed(start_engine: StartEngine, register: Register) -> None:
    engine = start_engine()
    register(engine, "release=hang,trace=1")
    engine.send(Op.UNREGISTER, name="double")
    engine.wait_for_stderr("double: release")
    assert engine.is_alive()
    engine.kill()
    assert str(engine.wait_for_end()) == "it was killed, signal 9 SIGKILL"
