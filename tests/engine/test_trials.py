"""Trials that run, are stopped, or fail without harm to the engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.model import TensorInfo
from gui.records.protocol import Op
from gui.records.trial import DimensionSize, Ending, Stage, StopRule, Target, TrialFacts, TrialSettings

from ..conftest import SAMPLE_MODELS
from ..engine_process import EngineProcess
from .conftest import Register, settings_for, unmaps_libraries

ENDLESS = 10_000_000
"""Iterations enough for any test to cancel before they are done."""

ALL_STAGES = [
    Stage.PREPARING,
    Stage.CREATING_SESSION,
    Stage.FIRST_RUN,
    Stage.WARMING_UP,
    Stage.MEASURING,
    Stage.CHECKING,
    Stage.CLOSING,
    Stage.CHECKING,
]


def failure_of(engine: EngineProcess, settings: TrialSettings) -> Failure:
    with pytest.raises(FailureError) as caught:
        engine.run_trial(settings)
    return caught.value.failure


def small_model(path: Path, op_type: str, other: float) -> Path:
    """Save y = x `op_type` other for x of [4]."""
    graph = helper.make_graph(
        [helper.make_node(op_type, ["x", "c"], ["y"])],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [numpy_helper.from_array(np.array(other, np.float32), "c")],
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    return path


# ---- Running ----


def test_that_stages_are_told_in_their_order(engine: EngineProcess, register: Register, add_model: Path) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine)))
    assert engine.answer(trial, TrialFacts).stage is Stage.CHECKING
    assert engine.stages(trial) == ALL_STAGES


def test_that_there_is_no_warm_up_unless_asked_for(engine: EngineProcess, register: Register, add_model: Path) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine), warmup=0))
    facts = engine.answer(trial, TrialFacts)
    assert engine.stages(trial) == [stage for stage in ALL_STAGES if stage is not Stage.WARMING_UP]
    assert facts.warmup_runs == 0
    assert len(engine.samples(trial, Stage.WARMING_UP)) == 0


def test_that_each_stage_is_told_with_what_is_known_before_it(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine)
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=30, warmup=5))
    last = engine.answer(trial, TrialFacts)
    told = {facts.stage: facts for facts in engine.facts(trial)}
    assert told[Stage.PREPARING] == TrialFacts(stage=Stage.PREPARING)
    (given,) = told[Stage.CREATING_SESSION].inputs
    assert (given.name, given.type, given.shape) == ("x", "tensor(float)", (2, 4))
    dimensions = (DimensionSize(name="N", size=2),)
    expected = TrialFacts(stage=Stage.CREATING_SESSION, inputs=(given,), dimensions=dimensions)
    assert replace(told[Stage.CREATING_SESSION], costs=None) == expected
    first_run = told[Stage.FIRST_RUN]
    assert first_run.target_devices == keys
    assert first_run.placement is not None
    assert (first_run.session_creation_ns or 0) > 0
    assert (first_run.first_run_ns, first_run.outputs) == (None, ())
    warming_up = told[Stage.WARMING_UP]
    assert (warming_up.first_run_ns or 0) > 0
    assert warming_up.outputs
    assert (told[Stage.MEASURING].warmup_runs, told[Stage.MEASURING].sample_count) == (5, 0)
    assert (told[Stage.CLOSING].sample_count, told[Stage.CLOSING].ending) == (30, Ending.ITERATIONS)
    assert told[Stage.CHECKING].check is None
    assert replace(told[Stage.CHECKING], check=last.check) == last


@pytest.mark.parametrize("iterations", [1, 2, 100, 3000])
@pytest.mark.parametrize("warmup", [0, 1, 50])
def test_that_as_many_samples_arrive_as_were_asked_for(
    engine: EngineProcess, register: Register, add_model: Path, iterations: int, warmup: int
) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine), iterations=iterations, warmup=warmup))
    facts = engine.answer(trial, TrialFacts)
    assert (facts.sample_count, facts.warmup_runs, facts.ending) == (iterations, warmup, Ending.ITERATIONS)
    samples = engine.samples(trial)
    assert (len(samples), len(engine.samples(trial, Stage.WARMING_UP))) == (iterations, warmup)
    assert samples.min() > 0
    assert samples.sum() <= facts.measured_ns


def test_that_a_run_counted_is_a_run_made(engine: EngineProcess, register: Register, add_model: Path) -> None:
    keys = register(engine, "trace=1,vendor=counted")
    before = engine.stderr().count("double: compute")
    engine.run_trial(settings_for(add_model, *keys, iterations=40, warmup=5))
    engine.unregister("double")
    engine.wait_for_stderr("double: release")
    assert engine.stderr().count("double: compute") - before == 1 + 5 + 40 + 1  # the last is for its outputs


def test_that_a_time_rule_measures_that_long(engine: EngineProcess, register: Register, add_model: Path) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine), iterations=None, seconds=0.1))
    facts = engine.answer(trial, TrialFacts)
    assert facts.ending is Ending.SECONDS
    assert facts.measured_ns >= 0.1e9
    assert facts.sample_count == len(engine.samples(trial)) > 0


def test_that_the_shortest_time_rule_takes_one_sample(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    facts = engine.run_trial(settings_for(add_model, *register(engine), iterations=None, seconds=1e-9))
    assert (facts.sample_count, facts.ending) == (1, Ending.SECONDS)


def test_that_a_sample_is_a_runs_duration(engine: EngineProcess, register: Register, add_model: Path) -> None:
    keys = register(engine, "delay_us=2000")
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=10))
    facts = engine.answer(trial, TrialFacts)
    assert engine.samples(trial).min() >= 2_000_000
    assert facts.measured_ns >= 10 * 2_000_000
    assert (facts.first_run_ns or 0) >= 2_000_000


def test_that_outputs_have_the_shape_of_the_sizes_chosen(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    facts = engine.run_trial(settings_for(add_model, *register(engine), rows=7))
    assert facts.outputs == (TensorInfo(name="y", type="tensor(float)", shape=(7, 4)),)


def test_that_a_dimension_without_a_size_is_one(engine: EngineProcess, register: Register, add_model: Path) -> None:
    settings = TrialSettings(model_path=str(add_model), target=Target(device_keys=register(engine)))
    assert engine.run_trial(settings).outputs[0].shape == (1, 4)


@pytest.mark.parametrize("path", sorted(SAMPLE_MODELS.glob("*.onnx")), ids=lambda path: path.stem)
def test_that_every_sample_model_runs_on_the_cpu(engine: EngineProcess, path: Path) -> None:
    cpu = engine.inventory().devices[0]
    sizes = tuple(DimensionSize(name=name, size=2) for name in engine.describe_model(path).free_dimensions)
    settings = TrialSettings(
        model_path=str(path),
        target=Target(device_keys=(cpu.key,)),
        dimensions=sizes,
        warmup=1,
        stop_rule=StopRule(iterations=3),
        intra_op_threads=1,
    )
    facts = engine.run_trial(settings)
    assert facts.sample_count == 3
    assert facts.intra_op_threads == 1
    assert facts.non_finite_outputs == ()
    assert facts.placement is not None
    assert [part.ep_name for part in facts.placement] == [cpu.ep_name]


@pytest.mark.parametrize(("op_type", "other", "bad"), [("Div", 0.0, ("y",)), ("Div", 2.0, ()), ("Mul", np.nan, ("y",))])
def test_that_outputs_with_nan_or_infinity_are_named(
    engine: EngineProcess, tmp_path: Path, op_type: str, other: float, bad: tuple[str, ...]
) -> None:
    cpu = engine.inventory().devices[0].key
    facts = engine.run_trial(settings_for(small_model(tmp_path / "small.onnx", op_type, other), cpu))
    assert facts.non_finite_outputs == bad


# ---- Stopping ----


@pytest.mark.parametrize(("iterations", "seconds"), [(ENDLESS, None), (None, 3600.0)])
def test_that_a_trial_stopped_while_measuring_keeps_its_samples(
    engine: EngineProcess, register: Register, add_model: Path, iterations: int | None, seconds: float | None
) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine), iterations=iterations, seconds=seconds))
    engine.wait_for_samples(trial)
    assert engine.ok(engine.send(Op.CANCEL, request=trial)) == {}
    facts = engine.answer(trial, TrialFacts)
    assert facts.ending is Ending.STOPPED
    assert facts.sample_count == len(engine.samples(trial)) > 0
    assert facts.measured_ns >= engine.samples(trial).sum()
    assert engine.stages(trial)[-1] is Stage.CLOSING


def test_that_a_trial_stopped_while_warming_up_has_no_samples(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine, "delay_us=500"), warmup=1_000_000))
    engine.wait_for_samples(trial, Stage.WARMING_UP)
    engine.send(Op.CANCEL, request=trial)
    facts = engine.answer(trial, TrialFacts)
    assert (facts.ending, facts.sample_count) == (Ending.STOPPED, 0)
    assert len(engine.samples(trial)) == 0
    assert facts.warmup_runs == len(engine.samples(trial, Stage.WARMING_UP)) > 0


def test_that_a_trial_stopped_while_its_session_is_made_does_not_go_on(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine, "compile=slow,slow_ms=1000,trace=1,vendor=slow")
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=ENDLESS))
    engine.wait_for_stage(trial, Stage.CREATING_SESSION)
    engine.send(Op.CANCEL, request=trial)
    facts = engine.answer(trial, TrialFacts)
    assert facts.ending is Ending.STOPPED
    assert facts.sample_count == 0


def test_that_a_trial_stopped_while_it_waits_is_answered_as_stopped(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine)
    under_way = engine.start_trial(settings_for(add_model, *keys, iterations=ENDLESS))
    engine.wait_for_samples(under_way)
    waiting = engine.start_trial(settings_for(add_model, *keys))
    engine.ok(engine.send(Op.CANCEL, request=waiting))
    with pytest.raises(FailureError) as caught:  # at once, while the other goes on
        engine.answer(waiting, TrialFacts)
    assert caught.value.failure.kind is FailureKind.STOPPED
    assert engine.stages(waiting) == []
    engine.send(Op.CANCEL, request=under_way)
    assert engine.answer(under_way, TrialFacts).sample_count > 0


def test_that_only_the_trial_named_is_stopped(engine: EngineProcess, register: Register, add_model: Path) -> None:
    keys = register(engine)
    first = engine.start_trial(settings_for(add_model, *keys, iterations=ENDLESS))
    second = engine.start_trial(settings_for(add_model, *keys, iterations=50))
    engine.wait_for_samples(first)
    engine.send(Op.CANCEL, request=first)
    assert engine.answer(first, TrialFacts).ending is Ending.STOPPED
    facts = engine.answer(second, TrialFacts)
    assert (facts.ending, facts.sample_count) == (Ending.ITERATIONS, 50)


# ---- Failing; that no session is left the engine's fixture proves too, which unregisters the double ----


def test_that_a_run_that_fails_tells_its_stage_and_the_eps_words(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine, "compute=error,text=out of luck")
    failure = failure_of(engine, settings_for(add_model, *keys))
    assert failure.kind is FailureKind.RUN_FAILED
    assert "first run" in failure.message
    assert "out of luck" in failure.message
    assert engine.unregister("double").libraries == ()


def test_that_the_last_facts_of_a_failed_trial_tell_where_it_failed(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine, "compute=error")
    trial = engine.start_trial(settings_for(add_model, *keys))
    with pytest.raises(FailureError):
        engine.answer(trial, TrialFacts)
    assert engine.stages(trial)[-2:] == [Stage.CLOSING, Stage.FIRST_RUN]  # its session is gone, and there it failed


def test_that_the_samples_before_a_failure_are_kept(engine: EngineProcess, register: Register, add_model: Path) -> None:
    keys = register(engine, "compute=error,run_after=33")
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=100, warmup=2))
    with pytest.raises(FailureError) as caught:
        engine.answer(trial, TrialFacts)
    assert caught.value.failure.kind is FailureKind.RUN_FAILED
    assert "measuring" in caught.value.failure.message
    assert len(engine.samples(trial)) == 33 - 1 - 2
    closing, last = engine.facts(trial)[-2:]
    assert (closing.stage, closing.sample_count, closing.ending) == (Stage.CLOSING, 30, None)
    assert (last.stage, last.sample_count, last.ending) == (Stage.MEASURING, 30, None)


def test_that_a_run_that_fails_is_not_repeated_on_the_cpu(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    """ORT's own `run` answers EPFail with a new session on the CPU and its numbers, unless told not to."""
    keys = register(engine, "compute=error,code=11,text=device lost")
    failure = failure_of(engine, settings_for(add_model, *keys))
    assert failure.kind is FailureKind.REFUSED_BY_EP
    assert "device lost" in failure.message


@pytest.mark.parametrize("stage", ["create", "compile"])
@pytest.mark.parametrize(("code", "kind"), [(1, FailureKind.RUN_FAILED), (11, FailureKind.REFUSED_BY_EP)])
def test_that_an_ep_that_makes_no_session_is_quoted(
    engine: EngineProcess, register: Register, add_model: Path, stage: str, code: int, kind: FailureKind
) -> None:
    keys = register(engine, f"{stage}=error,code={code},text=no licence")
    trial = engine.start_trial(settings_for(add_model, *keys))
    with pytest.raises(FailureError) as caught:
        engine.answer(trial, TrialFacts)
    failure = caught.value.failure
    assert failure.kind is kind
    assert "no licence" in failure.message
    assert "creating session" in failure.message
    assert failure.hint
    assert engine.stages(trial) == [Stage.PREPARING, Stage.CREATING_SESSION]
    assert engine.unregister("double").libraries == ()


@pytest.mark.parametrize("orders", ["create=error", "compile=error", "compute=error", "compute=error,run_after=3"])
def test_that_the_engine_goes_on_after_a_failed_trial(
    engine: EngineProcess, register: Register, add_model: Path, orders: str
) -> None:
    bad, good = register(engine, orders), register(engine, "", "good")
    failure_of(engine, settings_for(add_model, *bad))
    assert engine.run_trial(settings_for(add_model, *good)).sample_count == 20
    assert [library.name for library in engine.unregister("double").libraries] == ["good"]
    assert engine.run_trial(settings_for(add_model, *good)).sample_count == 20


@unmaps_libraries
def test_that_a_failed_trials_library_is_let_go_of(engine: EngineProcess, register: Register, add_model: Path) -> None:
    mapped = Path(f"/proc/{engine.process_id}/maps")
    failure_of(engine, settings_for(add_model, *register(engine, "compute=error,run_after=5,vendor=let go")))
    assert "vendor=let go" in mapped.read_text(encoding="utf-8")
    engine.unregister("double")
    assert "vendor=let go" not in mapped.read_text(encoding="utf-8")


def test_that_sizes_that_do_not_fit_together_fail_the_first_run(engine: EngineProcess, tmp_path: Path) -> None:
    shape = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [size]) for name, size in (("a", "M"), ("b", "N"))]
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["y"])],
        "g",
        shape,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    path = tmp_path / "add.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    settings = TrialSettings(
        model_path=str(path),
        target=Target(device_keys=(engine.inventory().devices[0].key,)),
        dimensions=(DimensionSize(name="M", size=2), DimensionSize(name="N", size=3)),
    )
    assert failure_of(engine, settings).kind in (FailureKind.RUN_FAILED, FailureKind.UNSUPPORTED_MODEL)
