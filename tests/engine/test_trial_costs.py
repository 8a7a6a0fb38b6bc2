"""What a trial of a real engine tells of its costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.records.costs import TrialCosts, cpu_share
from gui.records.failure import FailureError
from gui.records.library import CPU_EP_NAME
from gui.records.trial import Stage, StopRule, Target, TrialFacts, TrialSettings

from ..engine_process import EngineProcess
from .conftest import Register, settings_for

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
WEIGHTS = 100 << 20


def heavy_model(path: Path) -> Path:
    """Save y = the sum of x + 100 MiB of weights."""
    weights = np.ones(WEIGHTS // 4, np.float32)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["s"]), helper.make_node("ReduceSum", ["s"], ["y"])],
        "heavy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    return path


def sizes(costs: TrialCosts | None) -> tuple[int, int, int]:
    assert costs is not None
    before, created, peak = costs.memory_before_bytes, costs.memory_created_bytes, costs.memory_peak_bytes
    assert before is not None
    assert created is not None
    assert peak is not None
    return before, created, peak


@LINUX
def test_that_a_session_is_told_to_cost_at_least_its_weights(engine: EngineProcess, tmp_path: Path) -> None:
    (cpu,) = (device.key for device in engine.inventory().devices if device.ep_name == CPU_EP_NAME)
    settings = TrialSettings(
        model_path=str(heavy_model(tmp_path / "heavy.onnx")),
        target=Target(device_keys=(cpu,)),
        warmup=0,
        stop_rule=StopRule(iterations=2),
    )
    before, created, peak = sizes(engine.run_trial(settings).costs)
    assert created - before >= WEIGHTS
    assert peak - created >= WEIGHTS  # the sum holds as much again
    # The next trial of a small model does not begin with a peak that was this one's.
    small = engine.run_trial(replace(settings, model_path=str(small_model(tmp_path / "small.onnx")))).costs
    assert small is not None
    assert sizes(small)[2] < peak or small.peak_since_start


def small_model(path: Path) -> Path:
    """Save y = -x."""
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    return path


def test_that_a_busy_ep_on_one_thread_is_told_as_one_core(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    facts = engine.run_trial(settings_for(add_model, *register(engine, "delay_us=2000"), iterations=150))
    assert facts.costs is not None
    assert facts.costs.cpu_count >= 1
    share = cpu_share(facts.costs, facts.measured_ns)
    assert share is not None
    assert 0.3 < share < 1.3  # less where other programs want the processors too


def test_that_memory_is_told_before_processor_time(engine: EngineProcess, register: Register, add_model: Path) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine)))
    last = engine.answer(trial, TrialFacts)
    told = {facts.stage: facts.costs for facts in engine.facts(trial)}
    assert (told[Stage.PREPARING] or TrialCosts()).memory_before_bytes is None
    during = told[Stage.MEASURING]
    assert during is not None
    assert during.cpu_ns is None
    before, created, peak = sizes(during)
    assert before <= created <= peak
    assert last.costs is not None
    assert last.costs.cpu_ns is not None
    assert sizes(last.costs)[2] >= peak


def test_that_a_trial_without_a_session_tells_what_there_was_before(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine, "compile=error")))
    with pytest.raises(FailureError):
        engine.answer(trial, TrialFacts)
    costs = engine.facts(trial)[-1].costs
    assert costs is not None
    assert costs.memory_before_bytes is not None
    assert (costs.memory_created_bytes, costs.cpu_ns) == (None, None)
