"""Trials that are opened, measured in rounds by turns, and closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gui.records.check import Agreement
from gui.records.comparison import RoundFacts, RoundLimits
from gui.records.costs import TrialCosts
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.protocol import EventKind, Op, decode_mark
from gui.records.trial import Ending, Stage, TrialFacts, TrialSettings

from ..conftest import StartEngine
from ..engine_process import EngineEndedError, EngineProcess
from .conftest import Register, settings_for, unmaps_libraries
from .onnx_models import long_chain

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
ONE = RoundLimits(iterations=1)
ENDLESS = RoundLimits(iterations=10_000_000)
"""Iterations enough for any test to cancel before they are done."""


class Rounds:
    """Opens trials of one engine and closes those that a test has left open."""

    def __init__(self, engine: EngineProcess) -> None:
        self.engine = engine
        self._open: list[str] = []

    def open(self, settings: TrialSettings, trial: str = "a") -> TrialFacts:
        facts = self.engine.open_session(trial, settings)
        self._open.append(trial)
        return facts

    def close(self, trial: str = "a", *, check: bool = True) -> TrialFacts:
        self._open.remove(trial)
        return self.engine.close_session(trial, check=check)

    def close_all(self) -> None:
        for trial in tuple(self._open):
            self.close(trial, check=False)


@pytest.fixture
def rounds(engine: EngineProcess) -> Iterator[Rounds]:
    rounds = Rounds(engine)
    yield rounds
    rounds.close_all()


def failure_of(engine: EngineProcess, request: int) -> Failure:
    with pytest.raises(FailureError) as caught:
        engine.answer(request, TrialFacts)
    return caught.value.failure


def marks(engine: EngineProcess, request: int) -> list[str]:
    """Return the marks of a request in stderr: a stage, or where it begins and ends."""
    found = [mark for mark in map(decode_mark, engine.stderr()) if mark is not None and mark.request == request]
    return [mark.stage or ("ends" if mark.ends else "begins") for mark in found]


# ---- From its opening to its close ----


def test_that_it_tells_the_same_as_a_trial_in_one_go(rounds: Rounds, register: Register, add_model: Path) -> None:
    engine, settings = rounds.engine, settings_for(add_model, *register(rounds.engine), iterations=20)
    trial = engine.start_trial(settings)
    whole = engine.answer(trial, TrialFacts)
    opened = rounds.open(settings)
    assert (opened.stage, opened.warmup_runs, opened.sample_count) == (Stage.WARMING_UP, 2, 0)
    assert (opened.ending, opened.check) == (None, None)
    for _ in range(4):
        engine.measure_round("a", RoundLimits(iterations=5))
    last = rounds.close()
    assert (last.sample_count, last.warmup_runs, last.ending) == (20, 2 + 4, Ending.ITERATIONS)
    assert last.check is not None
    assert last.check.agreement is Agreement.IDENTICAL
    assert timeless(last) == timeless(whole)


def timeless(facts: TrialFacts) -> TrialFacts:
    """Return what does not differ from one trial to the next with the same settings."""
    return replace(facts, session_creation_ns=1, first_run_ns=1, measured_ns=1, costs=None, warmup_runs=0)


def test_that_stages_and_nodes_are_told_and_marked_but_not_in_a_round(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine, settings = rounds.engine, settings_for(add_model, *register(rounds.engine))
    opening = engine.start_open("a", settings)
    engine.answer(opening, TrialFacts)
    measuring = engine.start_round("a", ONE)
    engine.answer(measuring, RoundFacts)
    closing = engine.start_close("a", check=True)
    engine.answer(closing, TrialFacts)
    engine.wait_for_stderr(f"{closing} ends")
    made = [Stage.PREPARING, Stage.CREATING_SESSION, Stage.FIRST_RUN, Stage.WARMING_UP]
    assert engine.stages(opening) == made
    assert engine.stages(measuring) == []
    assert engine.stages(closing) == [Stage.CHECKING, Stage.CLOSING, Stage.CHECKING]
    assert marks(engine, opening) == ["begins", *(stage.value for stage in made), "ends"]
    assert marks(engine, measuring) == []
    assert marks(engine, closing) == ["begins", "checking", "closing", "checking", "ends"]
    told = [entry["id"] for entry in engine.messages() if entry.get("event") == EventKind.NODES.value]
    assert told[-1] == opening


def test_that_no_run_is_made_and_nothing_compared_when_it_is_only_released(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    engine.open_session("a", settings_for(add_model, *register(engine)))
    engine.measure_round("a", ONE)
    closing = engine.start_close("a", check=False)
    facts = engine.answer(closing, TrialFacts)
    assert engine.stages(closing) == [Stage.CLOSING]
    assert (facts.check, facts.sample_count) == (None, 1)


def test_that_a_run_counted_is_a_run_made(rounds: Rounds, register: Register, add_model: Path) -> None:
    engine = rounds.engine
    keys = register(engine, "trace=1,vendor=rounds")
    before = engine.stderr().count("double: compute")
    rounds.open(settings_for(add_model, *keys, warmup=3))
    told = [engine.measure_round("a", RoundLimits(iterations=5)) for _ in range(2)]
    facts = rounds.close()
    assert [(entry.lead_in_runs, entry.sample_count, entry.stopped) for entry in told] == [(1, 5, False)] * 2
    engine.unregister("double")
    engine.wait_for_stderr("double: release")
    made = engine.stderr().count("double: compute") - before
    assert made == 1 + facts.warmup_runs + facts.sample_count + 1 == 1 + (3 + 2) + 10 + 1


def test_that_a_trial_without_rounds_can_be_closed(rounds: Rounds, register: Register, add_model: Path) -> None:
    rounds.open(settings_for(add_model, *register(rounds.engine), warmup=0))
    facts = rounds.close()
    assert (facts.sample_count, facts.measured_ns, facts.warmup_runs, facts.ending) == (0, 0, 0, None)
    assert facts.check is not None
    assert facts.costs is not None
    assert facts.costs.cpu_ns is None


@pytest.mark.parametrize(("wrong_from", "where"), [(0, ""), (4, "after the measured ones")])
def test_that_wrong_outputs_are_found_at_the_close(
    rounds: Rounds, register: Register, add_model: Path, wrong_from: int, where: str
) -> None:
    keys = register(rounds.engine, f"factor=2,wrong_from={wrong_from}")
    rounds.open(settings_for(add_model, *keys))
    rounds.engine.measure_round("a", ONE)
    check = rounds.close().check
    assert check is not None
    assert check.agreement is Agreement.DIFFERENT
    assert where in check.outputs[0].note


# ---- A round ----


def test_that_the_samples_of_each_round_come_with_its_request(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    rounds.open(settings_for(add_model, *register(engine)))
    measured = 0
    for count in (1, 7, 3000):
        request = engine.start_round("a", RoundLimits(iterations=count))
        facts = engine.answer(request, RoundFacts)
        samples, lead_in = engine.samples(request), engine.samples(request, Stage.WARMING_UP)
        assert (len(samples), facts.sample_count) == (count, count)
        assert (len(lead_in), facts.lead_in_runs) == (1, 1)
        assert 0 < samples.sum() <= facts.measured_ns
        assert elapsed(engine, request, Stage.MEASURING) == facts.measured_ns  # of this round alone
        measured += facts.measured_ns
    facts_of_all = rounds.close()
    assert (facts_of_all.sample_count, facts_of_all.measured_ns) == (3008, measured)


def elapsed(engine: EngineProcess, request: int, stage: Stage) -> int:
    """Return what was told last of the time since the stage began."""
    *_, last = (
        entry["elapsed_ns"]
        for entry in engine.messages()
        if entry.get("id") == request and entry.get("event") == "samples" and entry["stage"] == stage.value
    )
    return int(last)


def test_that_a_lead_in_takes_its_time_before_the_first_measured_run(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    rounds.open(settings_for(add_model, *register(engine, "delay_us=500")))
    before = time.time_ns()
    request = engine.start_round("a", RoundLimits(iterations=3, lead_in_s=0.02))
    facts = engine.answer(request, RoundFacts)
    assert elapsed(engine, request, Stage.WARMING_UP) >= 20e6
    assert len(engine.samples(request, Stage.WARMING_UP)) == facts.lead_in_runs
    assert before + 20e6 <= facts.began_ns <= time.time_ns() - facts.measured_ns


def test_that_a_round_by_time_measures_that_long_and_one_run_at_least(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    rounds.open(settings_for(add_model, *register(engine, "delay_us=200")))
    assert engine.measure_round("a", RoundLimits(seconds=0.03)).measured_ns >= 30e6
    assert engine.measure_round("a", RoundLimits(seconds=1e-9)).sample_count == 1
    assert rounds.close().ending is Ending.SECONDS


def test_that_two_measured_by_turns_have_their_speeds(rounds: Rounds, register: Register, add_model: Path) -> None:
    engine = rounds.engine
    for trial, delay in (("quick", 1000), ("slow", 3000)):
        rounds.open(settings_for(add_model, *register(engine, f"delay_us={delay}", trial)), trial)
    samples: dict[str, list[float]] = {"quick": [], "slow": []}
    for number in range(10):
        for trial in ("quick", "slow") if number % 2 else ("slow", "quick"):
            request = engine.start_round(trial, RoundLimits(seconds=0.02, lead_in_s=0.002))
            engine.answer(request, RoundFacts)
            samples[trial] += engine.samples(request).tolist()
    quick, slow = (np.quantile(samples[trial], [0.0, 0.1, 0.5]) for trial in ("quick", "slow"))
    assert quick[0] >= 1e6
    assert slow[0] >= 3e6
    assert 2.5 < slow[1] / quick[1] < 3.5  # not the medians: other programs want the processors, too
    assert quick[2] < slow[2]


def test_that_callers_share_a_round_after_a_run_of_each(rounds: Rounds, register: Register, add_model: Path) -> None:
    engine = rounds.engine
    rounds.open(replace(settings_for(add_model, *register(engine)), callers=3))
    request = engine.start_round("a", RoundLimits(iterations=60))
    facts = engine.answer(request, RoundFacts)
    assert (facts.sample_count, facts.lead_in_runs) == (60, 3)
    assert (len(engine.samples(request)), len(engine.samples(request, Stage.WARMING_UP))) == (60, 3)
    assert rounds.close().sample_count == 60


def test_that_pauses_stand_between_all_runs_of_a_round(rounds: Rounds, register: Register, add_model: Path) -> None:
    engine = rounds.engine
    rounds.open(replace(settings_for(add_model, *register(engine), warmup=0), pause_ms=20))
    before = time.time_ns()
    facts = engine.measure_round("a", RoundLimits(iterations=3))
    assert facts.began_ns - before >= 20e6  # after the lead-in, too
    assert facts.measured_ns >= 2 * 20e6


# ---- Stopping ----


def test_that_a_stopped_round_keeps_its_samples_and_the_next_one_goes_on(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    rounds.open(settings_for(add_model, *register(engine)))
    request = engine.start_round("a", ENDLESS)
    engine.wait_for_samples(request)
    engine.send(Op.CANCEL, request=request)
    facts = engine.answer(request, RoundFacts)
    assert facts.stopped
    assert facts.sample_count == len(engine.samples(request)) > 0
    after = engine.measure_round("a", RoundLimits(iterations=4))
    assert (after.sample_count, after.lead_in_runs, after.stopped) == (4, 1, False)
    assert after.began_ns > facts.began_ns + facts.measured_ns
    last = rounds.close()
    assert (last.sample_count, last.ending) == (facts.sample_count + 4, Ending.ITERATIONS)


def test_that_a_round_can_be_stopped_in_the_pause_after_its_lead_in(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    rounds.open(replace(settings_for(add_model, *register(engine), warmup=0), pause_ms=3_600_000))
    request = engine.start_round("a", ONE)
    engine.wait_for_samples(request, Stage.WARMING_UP)
    engine.send(Op.CANCEL, request=request)
    facts = engine.answer(request, RoundFacts)
    assert (facts.stopped, facts.sample_count, facts.lead_in_runs) == (True, 0, 1)
    assert rounds.close().ending is Ending.STOPPED


def test_that_a_run_that_was_ended_within_leaves_the_session_usable(rounds: Rounds, tmp_path: Path) -> None:
    """ORT's flag stays set until it is reset: every later run would end at once."""
    engine = rounds.engine
    cpu = engine.inventory().devices[0].key
    rounds.open(settings_for(long_chain(tmp_path / "long.onnx", 100, 192), cpu, warmup=0))
    for _ in range(3):
        request = engine.start_round("a", ENDLESS)
        engine.wait_for_samples(request, Stage.WARMING_UP)
        engine.send(Op.CANCEL, request=request)
        assert engine.answer(request, RoundFacts).stopped
        assert engine.measure_round("a", ONE).sample_count == 1
    check = rounds.close().check
    assert check is not None
    assert check.agreement is Agreement.IDENTICAL


def test_that_a_trial_stopped_while_it_is_opened_is_not_open(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    settings = settings_for(add_model, *register(engine, "delay_us=500"), warmup=1_000_000)
    opening = engine.start_open("a", settings)
    engine.wait_for_samples(opening, Stage.WARMING_UP)
    engine.send(Op.CANCEL, request=opening)
    assert failure_of(engine, opening).kind is FailureKind.STOPPED
    assert engine.stages(opening)[-2:] == [Stage.CLOSING, Stage.WARMING_UP]  # its session is gone, there it was stopped
    assert failure_of(engine, engine.start_round("a", ONE)).kind is FailureKind.BAD_REQUEST
    assert engine.unregister("double").libraries == ()


# ---- Failing ----


@pytest.mark.parametrize("orders", ["create=error", "compile=error", "compute=error", "compute=error,run_after=2"])
def test_that_a_failed_opening_leaves_nothing_open(
    rounds: Rounds, register: Register, add_model: Path, orders: str
) -> None:
    engine = rounds.engine
    opening = engine.start_open("a", settings_for(add_model, *register(engine, f"{orders},text=out of luck")))
    assert "out of luck" in failure_of(engine, opening).message
    assert failure_of(engine, engine.start_close("a", check=False)).kind is FailureKind.BAD_REQUEST
    assert engine.unregister("double").libraries == ()
    rounds.open(settings_for(add_model, *register(engine)))  # the id is free
    assert engine.measure_round("a", ONE).sample_count == 1


def test_that_a_run_that_fails_fails_the_round_and_the_trial_stays_open(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    rounds.open(settings_for(add_model, *register(engine, "compute=error,run_after=12,text=out of luck")))
    assert engine.measure_round("a", RoundLimits(iterations=2)).sample_count == 2
    request = engine.start_round("a", RoundLimits(iterations=100))
    failure = failure_of(engine, request)
    assert failure.kind is FailureKind.RUN_FAILED
    assert "measuring" in failure.message
    assert "out of luck" in failure.message
    measured = 12 - (1 + 2) - (1 + 2) - 1
    assert len(engine.samples(request)) == measured
    assert "warming up" in failure_of(engine, engine.start_round("a", ONE)).message  # now in the lead-in
    facts = rounds.close()
    assert (facts.sample_count, facts.warmup_runs, facts.ending) == (2 + measured, 2 + 2, None)
    assert facts.check is not None
    assert facts.check.agreement is Agreement.NOT_CHECKED
    assert engine.unregister("double").libraries == ()


def test_that_a_run_that_takes_too_long_fails_its_round(rounds: Rounds, register: Register, add_model: Path) -> None:
    engine = rounds.engine
    keys = register(engine, "compute=slow,slow_ms=400,run_after=8")
    rounds.open(replace(settings_for(add_model, *keys), run_timeout_s=0.1))
    assert engine.measure_round("a", ONE).sample_count == 1
    request = engine.start_round("a", RoundLimits(iterations=100))
    failure = failure_of(engine, request)
    assert failure.kind is FailureKind.TIMED_OUT
    assert "stage: measuring" in failure.message
    assert len(engine.samples(request)) == 8 - (1 + 2) - (1 + 1) - 1
    assert rounds.close(check=False).sample_count == 1 + 2


def test_that_a_run_that_does_not_end_is_given_up_with_its_engine_under_its_round(
    start_engine: StartEngine, register: Register, add_model: Path
) -> None:
    engine = start_engine()
    keys = register(engine, "compute=hang,run_after=8")
    engine.open_session("a", replace(settings_for(add_model, *keys), run_timeout_s=0.2))
    request = engine.start_round("a", RoundLimits(iterations=100))
    assert failure_of(engine, request).kind is FailureKind.TIMED_OUT
    assert len(engine.samples(request)) == 8 - (1 + 2) - 1
    assert engine.wait_for_end().code == 0


def test_that_an_ep_that_ends_the_engine_in_a_round_leaves_no_answer(
    start_engine: StartEngine, register: Register, add_model: Path
) -> None:
    engine = start_engine()
    keys = register(engine, "compute=exit,run_after=5")
    engine.open_session("a", settings_for(add_model, *keys))
    request = engine.start_round("a", RoundLimits(iterations=100))
    assert engine.wait_for_end().code == 3
    with pytest.raises(EngineEndedError):
        engine.answer(request, RoundFacts)


# ---- Several at once ----


def test_that_a_library_stays_while_a_trial_is_open(rounds: Rounds, register: Register, add_model: Path) -> None:
    engine = rounds.engine
    rounds.open(settings_for(add_model, *register(engine)))
    with pytest.raises(FailureError) as caught:
        engine.unregister("double")
    assert caught.value.failure.kind is FailureKind.LIBRARY_IN_USE
    assert engine.measure_round("a", ONE).sample_count == 1
    rounds.close()
    assert engine.unregister("double").libraries == ()


@unmaps_libraries
def test_that_a_closed_trials_library_is_let_go_of(rounds: Rounds, register: Register, add_model: Path) -> None:
    engine = rounds.engine
    mapped = Path(f"/proc/{engine.process_id}/maps")
    rounds.open(settings_for(add_model, *register(engine, "vendor=let go of rounds")))
    engine.measure_round("a", ONE)
    assert "vendor=let go of rounds" in mapped.read_text(encoding="utf-8")
    rounds.close()
    engine.unregister("double")
    assert "vendor=let go of rounds" not in mapped.read_text(encoding="utf-8")


def test_that_a_trial_in_one_go_may_run_while_others_are_open(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    settings = settings_for(add_model, *register(rounds.engine))
    rounds.open(settings, "a")
    rounds.open(settings, "b")
    assert rounds.engine.run_trial(settings).sample_count == 20
    assert rounds.engine.measure_round("b", ONE).sample_count == 1
    assert (rounds.close("a").sample_count, rounds.close("b").sample_count) == (0, 1)


@pytest.mark.parametrize(
    ("op", "parameters", "kind"),
    [
        (Op.OPEN_SESSION, {"settings": {}}, FailureKind.BAD_REQUEST),
        (Op.OPEN_SESSION, {"trial": "b"}, FailureKind.BAD_SETTING),
        (Op.MEASURE_ROUND, {"limits": {"iterations": 1}}, FailureKind.BAD_REQUEST),
        (Op.MEASURE_ROUND, {"trial": "b", "limits": {"iterations": 1}}, FailureKind.BAD_REQUEST),
        (Op.MEASURE_ROUND, {"trial": "a", "limits": {"iterations": 0}}, FailureKind.BAD_SETTING),
        (Op.MEASURE_ROUND, {"trial": "a"}, FailureKind.BAD_SETTING),
        (Op.CLOSE_SESSION, {"trial": "b", "check": True}, FailureKind.BAD_REQUEST),
        (Op.CLOSE_SESSION, {"trial": "a"}, FailureKind.BAD_REQUEST),
        (Op.CLOSE_SESSION, {"trial": "a", "check": 1}, FailureKind.BAD_REQUEST),
    ],
)
def test_that_what_is_not_open_or_not_understood_is_refused(
    rounds: Rounds, register: Register, add_model: Path, op: Op, parameters: dict[str, object], kind: FailureKind
) -> None:
    rounds.open(settings_for(add_model, *register(rounds.engine)))
    assert failure_of(rounds.engine, rounds.engine.send(op, **parameters)).kind is kind
    assert rounds.engine.measure_round("a", ONE).sample_count == 1


def test_that_an_id_is_open_once(rounds: Rounds, register: Register, add_model: Path) -> None:
    settings = settings_for(add_model, *register(rounds.engine))
    rounds.open(settings)
    for trial in ("a", ""):
        failure = failure_of(rounds.engine, rounds.engine.start_open(trial, settings))
        assert failure.kind is FailureKind.BAD_REQUEST
    assert rounds.engine.measure_round("a", ONE).sample_count == 1
    assert rounds.close().sample_count == 1


# ---- Costs ----


def test_that_only_what_is_measured_counts_as_processor_time(
    rounds: Rounds, register: Register, add_model: Path
) -> None:
    engine = rounds.engine
    rounds.open(settings_for(add_model, *register(engine, "delay_us=1000")), "a")
    rounds.open(settings_for(add_model, *register(engine, "delay_us=1000", "other")), "b")
    for _ in range(2):
        engine.measure_round("a", RoundLimits(iterations=10))
        engine.measure_round("b", RoundLimits(iterations=150))
    facts = rounds.close()
    assert facts.costs is not None
    assert facts.costs.cpu_ns is not None
    assert facts.costs.cpu_wall_ns is not None
    assert facts.costs.cpu_wall_ns >= facts.measured_ns
    others_ns = 2 * 150 * 1_000_000
    assert facts.costs.cpu_ns < others_ns
    assert facts.costs.cpu_wall_ns - facts.measured_ns < others_ns


@LINUX
def test_that_the_memory_of_a_trial_is_looked_at_before_others_have_theirs(
    rounds: Rounds, register: Register, add_model: Path, tmp_path: Path
) -> None:
    engine = rounds.engine
    cpu = engine.inventory().devices[0].key
    rows = 1_000_000
    opened = rounds.open(settings_for(add_model, *register(engine), rows=rows), "first").costs or TrialCosts()
    assert opened.memory_before_bytes is not None
    assert opened.memory_created_bytes is not None
    assert opened.memory_peak_bytes is not None
    assert opened.memory_before_bytes <= opened.memory_created_bytes
    assert opened.memory_peak_bytes - opened.memory_created_bytes >= 16 * rows  # the outputs of its runs
    rounds.open(settings_for(long_chain(tmp_path / "long.onnx", 100, 192), cpu, warmup=0), "second")
    engine.measure_round("first", ONE)
    closed = rounds.close("first").costs or TrialCosts()
    assert (closed.memory_before_bytes, closed.memory_created_bytes, closed.memory_peak_bytes) == (
        opened.memory_before_bytes,
        opened.memory_created_bytes,
        opened.memory_peak_bytes,
    )
