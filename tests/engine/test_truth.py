"""What a trial says of itself is true: who ran the nodes, whether the outputs are right, what it cost.

Every way in which ORT or an EP falls back to the CPU without a word is here: none may pass for the EP's own numbers.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.records.check import Agreement, CheckSettings, Tolerance
from gui.records.codec import from_json
from gui.records.failure import FailureError
from gui.records.placement import PlacedNodes, PlacementVerdict, judge_placement
from gui.records.protocol import Op
from gui.records.trial import Ending, Policy, Stage, Target, TrialFacts

from ..engine_process import EngineProcess
from .conftest import Register, settings_for

CPU = "CPUExecutionProvider"


def verdict_of(facts: TrialFacts) -> PlacementVerdict:
    return judge_placement(facts.placement, facts.wanted_eps)


def counts_of(facts: TrialFacts) -> dict[str, int]:
    assert facts.placement is not None
    return {part.ep_name: part.node_count for part in facts.placement}


# ---- Placement ----


@pytest.mark.parametrize(
    ("orders", "verdict", "counts"),
    [
        ("", PlacementVerdict.ALL, {"double": 2}),
        ("claim=Add", PlacementVerdict.PART, {"double": 1, CPU: 1}),
        ("claim=none", PlacementVerdict.NONE, {CPU: 2}),
        ("capability=error", PlacementVerdict.NONE, {CPU: 2}),  # ORT logs it, and runs everything on the CPU
    ],
)
def test_that_the_verdict_tells_how_many_nodes_the_ep_got(
    engine: EngineProcess,
    register: Register,
    add_model: Path,
    orders: str,
    verdict: PlacementVerdict,
    counts: dict[str, int],
) -> None:
    facts = engine.run_trial(settings_for(add_model, *register(engine, orders)))
    assert facts.wanted_eps == ("double",)
    assert counts_of(facts) == counts
    assert verdict_of(facts) is verdict
    assert facts.providers[0] == "double"  # what ORT's own list says proves nothing


def test_that_nodes_are_told_by_name_before_the_first_run(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine, "claim=Mul")))
    engine.answer(trial, TrialFacts)
    told = [
        entry.get("event") if entry["event"] == "nodes" else entry["facts"]["stage"]
        for entry in engine.messages()
        if entry.get("id") == trial and entry.get("event") in ("nodes", "stage")
    ]
    assert told[:4] == ["preparing", "creating session", "nodes", "first run"]
    assert told.count("nodes") == 1
    (event,) = (entry for entry in engine.messages() if entry.get("id") == trial and entry.get("event") == "nodes")
    nodes = from_json(PlacedNodes, event["nodes"])
    placed = {(group.ep_name, name) for group in nodes.groups for name in group.names}
    assert placed == {(CPU, "add"), ("double", "mul")}


def test_that_an_ep_that_fails_in_a_run_fails_the_trial(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    """onnxruntime's Python would build the session anew on the CPU after an EP_FAIL and return its results."""
    keys = register(engine, "compute=error,code=11,text=device lost,run_after=5")
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=1000, warmup=0))
    with pytest.raises(FailureError) as caught:
        engine.answer(trial, TrialFacts)
    assert "device lost" in caught.value.failure.detail
    assert len(engine.samples(trial)) == 4  # the first run was the fifth
    assert engine.inventory().libraries  # and it goes on


def test_that_an_ep_that_cannot_be_made_fails_the_trial(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    with pytest.raises(FailureError) as caught:
        engine.run_trial(settings_for(add_model, *register(engine, "create=error,text=no licence")))
    assert "no licence" in str(caught.value.failure.detail)


def test_that_a_policy_wants_what_it_took(engine: EngineProcess, register: Register, add_model: Path) -> None:
    register(engine, "claim=Add")
    settings = settings_for(add_model, "any")
    facts = engine.run_trial(replace(settings, target=Target(policy=Policy.PREFER_CPU)))
    assert facts.wanted_eps == ("double",)
    assert verdict_of(facts) is PlacementVerdict.PART


def test_that_a_policy_without_plugins_wants_the_cpu(engine: EngineProcess, add_model: Path) -> None:
    settings = replace(settings_for(add_model, "any"), target=Target(policy=Policy.PREFER_NPU))
    facts = engine.run_trial(settings)
    assert facts.wanted_eps == (CPU,)
    assert verdict_of(facts) is PlacementVerdict.ALL


def test_that_a_second_choice_is_wanted_after_the_first(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    first, second = register(engine, "claim=Add", "first"), register(engine, "claim=Mul", "second")
    settings = settings_for(add_model, *first)
    facts = engine.run_trial(replace(settings, target=Target(device_keys=first, second_keys=second)))
    assert facts.wanted_eps == ("first", "second")
    assert verdict_of(facts) is PlacementVerdict.ALL


# ---- Right or wrong ----


def test_that_a_right_ep_agrees_with_the_cpu(engine: EngineProcess, register: Register, add_model: Path) -> None:
    check = engine.run_trial(settings_for(add_model, *register(engine))).check
    assert check is not None
    assert check.agreement in (Agreement.IDENTICAL, Agreement.WITHIN)
    (output,) = check.outputs
    assert (output.name, output.element_count, output.mismatches) == ("y", 8, 0)


def test_that_a_wrong_ep_is_told_by_how_much(engine: EngineProcess, register: Register, add_model: Path) -> None:
    check = engine.run_trial(settings_for(add_model, *register(engine, "factor=1.5"))).check
    assert check is not None
    assert check.agreement is Agreement.DIFFERENT
    (output,) = check.outputs
    assert output.max_relative == pytest.approx(0.5, rel=1e-5)
    assert output.snr_db == pytest.approx(6.0206, abs=1e-3)  # noise of half the signal
    assert output.cosine == pytest.approx(1.0)
    assert output.mismatches == output.element_count


def test_that_an_ep_that_goes_wrong_while_it_is_measured_is_found(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    check = engine.run_trial(settings_for(add_model, *register(engine, "factor=2,wrong_from=3"))).check
    assert check is not None
    assert check.agreement is Agreement.DIFFERENT
    (output,) = check.outputs
    assert output.note == "In a run after the measured ones; in the first one: identical to the CPU's."
    assert output.max_relative == pytest.approx(1.0)


def test_that_a_model_that_draws_numbers_is_not_compared(engine: EngineProcess, tmp_path: Path) -> None:
    """Dropout in training draws anew each time; ORT's own CPU EP is not to be taken for a measure of itself then."""
    nodes = [helper.make_node("Dropout", ["x", "ratio", "training"], ["y"])]
    ratio = numpy_helper.from_array(np.array(0.5, np.float32), "ratio")
    training = numpy_helper.from_array(np.array(True), "training")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [64]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "dropout", values[:1], values[1:], [ratio, training])
    path = tmp_path / "dropout.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    settings = replace(settings_for(path, "any"), target=Target(policy=Policy.DEFAULT), dimensions=())
    check = engine.run_trial(settings).check
    assert check is not None
    assert check.agreement is Agreement.NOT_CHECKED
    assert "random numbers" in check.note


def test_that_a_model_folded_into_constants_has_no_node_left(engine: EngineProcess, tmp_path: Path) -> None:
    constants = [numpy_helper.from_array(np.ones(4, np.float32), name) for name in ("a", "b")]
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["y"])], "constant", [], [result], constants)
    path = tmp_path / "constant.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    settings = replace(settings_for(path, "any"), target=Target(policy=Policy.DEFAULT), dimensions=())
    assert verdict_of(engine.run_trial(settings)) is PlacementVerdict.EMPTY


def test_that_nodes_of_a_branch_are_said_to_be_counted(engine: EngineProcess, tmp_path: Path) -> None:
    def branch(operator: str) -> onnx.GraphProto:
        result = helper.make_tensor_value_info("out", TensorProto.FLOAT, [4])
        return helper.make_graph([helper.make_node(operator, ["x"], ["out"])], operator, [], [result])

    choice = helper.make_node("If", ["choose"], ["y"], then_branch=branch("Sin"), else_branch=branch("Cos"))
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [4]),
        helper.make_tensor_value_info("choose", TensorProto.BOOL, []),
    ]
    graph = helper.make_graph([choice], "choice", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])])
    path = tmp_path / "choice.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    settings = replace(settings_for(path, "any"), target=Target(policy=Policy.DEFAULT), dimensions=())
    assert any("branch" in note for note in engine.run_trial(settings).notes)


def test_that_a_tolerance_of_the_settings_is_applied(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    settings = settings_for(add_model, *register(engine, "factor=1.05"))
    loose = CheckSettings(tolerances=(Tolerance(type="float", absolute=0.0, relative=0.06),))
    strict = engine.run_trial(settings).check
    lenient = engine.run_trial(replace(settings, check=loose)).check
    assert strict is not None
    assert lenient is not None
    assert (strict.agreement, lenient.agreement) == (Agreement.DIFFERENT, Agreement.WITHIN)


def test_that_a_check_that_is_off_makes_no_second_session(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    settings = replace(settings_for(add_model, *register(engine)), check=CheckSettings(enabled=False))
    trial = engine.start_trial(settings)
    check = engine.answer(trial, TrialFacts).check
    assert check is not None
    assert check.agreement is Agreement.NOT_CHECKED
    assert Stage.CHECKING not in engine.stages(trial)


def test_that_a_trial_stopped_while_it_measures_is_not_checked_any_more(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine), iterations=10_000_000))
    engine.wait_for_samples(trial)
    engine.send(Op.CANCEL, request=trial)
    facts = engine.answer(trial, TrialFacts)
    assert facts.ending is Ending.STOPPED
    assert facts.check is not None
    assert facts.check.agreement is Agreement.NOT_CHECKED
    assert "stopped" in facts.check.note


def test_that_the_session_is_gone_when_outputs_are_compared(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    """Two sessions at a time would need twice the memory: the double tells of its closing before the check."""
    trial = engine.start_trial(settings_for(add_model, *register(engine)))
    engine.answer(trial, TrialFacts)
    assert engine.stages(trial)[-2:] == [Stage.CLOSING, Stage.CHECKING]


# ---- What it cost ----


def test_that_costs_are_told_from_stage_to_stage(engine: EngineProcess, register: Register, add_model: Path) -> None:
    keys = register(engine, "delay_us=2000")
    trial = engine.start_trial(settings_for(add_model, *keys, iterations=50))
    facts = engine.answer(trial, TrialFacts)
    costs = facts.costs
    assert costs is not None
    assert costs.memory_before_bytes is not None
    assert costs.memory_created_bytes is not None
    assert costs.memory_peak_bytes is not None
    assert costs.memory_peak_bytes >= costs.memory_created_bytes > 0
    assert costs.cpu_ns is not None
    assert costs.cpu_ns >= 0.5 * facts.measured_ns  # the double is busy while it waits
    before = {entry.stage: entry.costs for entry in engine.facts(trial)}
    first_run = before[Stage.FIRST_RUN]
    assert first_run is not None
    assert (first_run.memory_created_bytes, first_run.cpu_ns) == (costs.memory_created_bytes, None)
