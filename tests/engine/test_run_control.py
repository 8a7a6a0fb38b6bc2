"""How a trial is run: pauses, callers, IO binding, until stable, and runs that take too long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.records.failure import FailureError, FailureKind
from gui.records.protocol import Op
from gui.records.statistics import is_stable
from gui.records.trial import Binding, Ending, Stage, StopRule, TrialFacts, TrialSettings

from ..conftest import StartEngine
from ..engine_process import EngineProcess
from .conftest import Register, settings_for
from .onnx_models import long_chain


def on_cpu(engine: EngineProcess, model: Path) -> TrialSettings:
    return settings_for(model, engine.inventory().devices[0].key)


# ---- IO binding ----


def test_that_io_binding_measures_and_gives_the_same_outputs(
    engine: EngineProcess, register: Register, add_model: Path, tmp_path: Path
) -> None:
    keys, outputs = register(engine), {}
    for binding in Binding:
        folder = tmp_path / binding.name
        settings = replace(settings_for(add_model, *keys), binding=binding, outputs_folder=str(folder))
        facts = engine.run_trial(settings)
        assert (facts.sample_count, facts.outputs[0].shape) == (20, (2, 4))
        assert facts.saved_files == (str(folder / "output_0.pb"),)
        outputs[binding] = numpy_helper.to_array(onnx.load_tensor(str(folder / "output_0.pb")))
    np.testing.assert_array_equal(outputs[Binding.ARRAYS], outputs[Binding.IO_BINDING])


def test_that_io_binding_refuses_what_it_cannot_bind(engine: EngineProcess, tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("SequenceLength", ["many"], ["y"])],
        "g",
        [helper.make_tensor_sequence_value_info("many", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.INT64, [])],
    )
    path = tmp_path / "sequence.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    settings = on_cpu(engine, path)
    assert engine.run_trial(settings).sample_count == 20
    with pytest.raises(FailureError) as caught:
        engine.run_trial(replace(settings, binding=Binding.IO_BINDING))
    assert caught.value.failure.kind is FailureKind.UNSUPPORTED_INPUT
    assert caught.value.failure.hint


# ---- Callers ----


@pytest.mark.parametrize("binding", list(Binding))
def test_that_callers_share_the_iterations(
    engine: EngineProcess, register: Register, add_model: Path, binding: Binding
) -> None:
    keys = register(engine, "trace=1,vendor=shared")
    before = engine.stderr().count("double: compute")
    settings = replace(settings_for(add_model, *keys, iterations=200, warmup=10), callers=3, binding=binding)
    trial = engine.start_trial(settings)
    facts = engine.answer(trial, TrialFacts)
    assert (facts.sample_count, facts.warmup_runs, facts.ending) == (200, 10, Ending.ITERATIONS)
    assert len(engine.samples(trial)) == 200
    assert len(engine.samples(trial, Stage.WARMING_UP)) == 10
    engine.unregister("double")
    engine.wait_for_stderr("double: release")
    assert engine.stderr().count("double: compute") - before == 1 + 10 + 200 + 1  # the last is for its outputs


def test_that_the_wall_clock_tells_the_throughput_of_callers(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    """Each compute is busy for 5 ms; two callers at once need less time than the sum of their runs."""
    keys = register(engine, "delay_us=5000")
    trial = engine.start_trial(replace(settings_for(add_model, *keys, iterations=40), callers=2))
    facts = engine.answer(trial, TrialFacts)
    assert engine.samples(trial).min() >= 5_000_000
    assert facts.measured_ns < engine.samples(trial).sum()


def test_that_callers_can_be_stopped(engine: EngineProcess, register: Register, add_model: Path) -> None:
    keys = register(engine)
    trial = engine.start_trial(replace(settings_for(add_model, *keys, iterations=10_000_000), callers=4))
    engine.wait_for_samples(trial)
    engine.send(Op.CANCEL, request=trial)
    facts = engine.answer(trial, TrialFacts)
    assert facts.ending is Ending.STOPPED
    assert facts.sample_count == len(engine.samples(trial)) > 0


def test_that_a_failure_of_one_caller_keeps_the_samples(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine, "compute=error,run_after=50,text=out of luck")
    trial = engine.start_trial(replace(settings_for(add_model, *keys, iterations=1000, warmup=0), callers=2))
    with pytest.raises(FailureError) as caught:
        engine.answer(trial, TrialFacts)
    assert "out of luck" in caught.value.failure.message
    assert 40 <= len(engine.samples(trial)) <= 49


# ---- Pauses ----


def test_that_a_pause_is_in_the_wall_clock_and_in_no_sample(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine)
    trial = engine.start_trial(replace(settings_for(add_model, *keys, iterations=8, warmup=0), pause_ms=20))
    facts = engine.answer(trial, TrialFacts)
    assert facts.measured_ns >= 7 * 20e6
    assert engine.samples(trial).sum() < facts.measured_ns / 2


def test_that_a_trial_is_stopped_in_the_middle_of_a_pause(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine)
    trial = engine.start_trial(replace(settings_for(add_model, *keys, warmup=0), pause_ms=3_600_000))
    engine.wait_for_samples(trial)
    engine.send(Op.CANCEL, request=trial)
    facts = engine.answer(trial, TrialFacts)
    assert (facts.ending, facts.sample_count) == (Ending.STOPPED, 1)


# ---- Until stable ----


def test_that_a_steady_model_is_measured_until_its_median_is_stable(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine, "delay_us=1000")
    settings = replace(settings_for(add_model, *keys), stop_rule=StopRule(seconds=60, stable_percent=20))
    trial = engine.start_trial(settings)
    facts = engine.answer(trial, TrialFacts)
    assert facts.ending is Ending.STABLE
    samples = engine.samples(trial)
    assert facts.sample_count == len(samples) >= 30
    assert is_stable(samples, 20)


def test_that_a_median_that_is_not_stable_in_time_ends_by_the_seconds(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine, "delay_us=20000")
    settings = replace(settings_for(add_model, *keys), stop_rule=StopRule(seconds=0.1, stable_percent=0.1))
    facts = engine.run_trial(settings)
    assert facts.ending is Ending.SECONDS
    assert facts.sample_count < 30


# ---- The longest a run may take ----


def test_that_a_run_that_ort_can_end_is_ended_and_the_engine_goes_on(engine: EngineProcess, tmp_path: Path) -> None:
    settings = replace(on_cpu(engine, long_chain(tmp_path / "long.onnx", 400, 256)), run_timeout_s=0.02)
    with pytest.raises(FailureError) as caught:
        engine.run_trial(settings)
    failure = caught.value.failure
    assert failure.kind is FailureKind.TIMED_OUT
    assert "0.02 s" in failure.message
    assert "first run" in failure.message
    assert engine.is_alive()
    assert engine.run_trial(replace(settings, run_timeout_s=60, stop_rule=StopRule(iterations=1))).sample_count == 1


def test_that_an_ep_that_does_not_end_is_given_up_with_its_engine_and_the_samples_are_kept(
    start_engine: StartEngine, register: Register, add_model: Path
) -> None:
    engine = start_engine()
    keys = register(engine, "compute=hang,run_after=8")
    trial = engine.start_trial(replace(settings_for(add_model, *keys, iterations=100, warmup=2), run_timeout_s=0.2))
    with pytest.raises(FailureError) as caught:
        engine.answer(trial, TrialFacts)
    assert caught.value.failure.kind is FailureKind.TIMED_OUT
    assert "replaced" in caught.value.failure.hint
    assert len(engine.samples(trial)) == 8 - 1 - 2
    assert engine.wait_for_end().code == 0


def test_that_the_samples_before_a_run_that_hangs_are_sent_when_it_is_stopped(
    start_engine: StartEngine, register: Register, add_model: Path
) -> None:
    """They were taken within one batch: nothing would send them any more."""
    engine = start_engine()
    keys = register(engine, "compute=hang,run_after=8,trace=1")
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=100, warmup=2))
    engine.wait_for_stage(trial, Stage.MEASURING)
    engine.wait_for_stderr("double: compute")  # it tells of the run in which it hangs
    engine.send(Op.CANCEL, request=trial)
    engine.wait_for_samples(trial)
    assert len(engine.samples(trial)) == 8 - 1 - 2


def test_that_quick_runs_do_not_mind_a_limit(engine: EngineProcess, register: Register, add_model: Path) -> None:
    keys = register(engine)
    for callers in (1, 2):
        settings = replace(settings_for(add_model, *keys, iterations=500), run_timeout_s=60, callers=callers)
        assert engine.run_trial(settings).sample_count == 500
