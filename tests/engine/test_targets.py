"""Where a trial runs: devices, policies, options, and which EP really got the nodes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.library import CPU_EP_NAME
from gui.records.placement import OpCount, Placement
from gui.records.trial import Ending, Policy, Target, TrialFacts, TrialSettings

from ..conftest import ORT_VERSION
from ..engine_process import EngineProcess
from .conftest import Register, settings_for

ALL_POLICIES = pytest.mark.parametrize("policy", list(Policy), ids=lambda policy: policy.value)


echoes_options = pytest.mark.skipif(
    ORT_VERSION < (1, 30), reason="an older onnxruntime does not tell the options of plugin EPs"
)


def placed(facts: TrialFacts) -> dict[str, set[str]]:
    """Return the operator types by EP, after a look at the counts."""
    assert facts.placement is not None
    assert all(part.node_count == sum(op.count for op in part.op_types) for part in facts.placement)
    return {part.ep_name: {op.op_type for op in part.op_types} for part in facts.placement}


def options_of(facts: TrialFacts, ep_name: str) -> dict[str, str]:
    (options,) = (entry.options for entry in facts.provider_options if entry.ep_name == ep_name)
    return dict(options)


def with_policy(model: Path, policy: Policy, options: tuple[tuple[str, str], ...] = ()) -> TrialSettings:
    return replace(settings_for(model, "x", options=options), target=Target(policy=policy))


def failure_of(engine: EngineProcess, settings: TrialSettings) -> Failure:
    with pytest.raises(FailureError) as caught:
        engine.run_trial(settings)
    return caught.value.failure


# ---- Devices ----


def test_that_a_model_claimed_wholly_is_placed_on_the_ep(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    facts = engine.run_trial(settings_for(add_model, *register(engine)))
    assert facts.placement == (
        Placement(
            ep_name="double",
            node_count=2,
            op_types=(OpCount(op_type="Add", count=1), OpCount(op_type="Mul", count=1)),
        ),
    )
    assert facts.providers == ("double", CPU_EP_NAME)


def test_that_a_node_the_ep_does_not_claim_is_placed_on_the_cpu(
    engine: EngineProcess, register: Register, tail_model: Path
) -> None:
    facts = engine.run_trial(settings_for(tail_model, *register(engine)))
    assert placed(facts) == {"double": {"Add", "Mul"}, CPU_EP_NAME: {"Neg"}}


def test_that_an_ep_that_claims_nothing_is_not_said_to_run(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    facts = engine.run_trial(settings_for(add_model, *register(engine, "claim=none")))
    assert placed(facts) == {CPU_EP_NAME: {"Add", "Mul"}}
    assert "double" in facts.providers  # which is why these prove nothing


def test_that_an_ep_that_fails_to_claim_leaves_the_model_to_the_cpu_and_is_heard(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    facts = engine.run_trial(settings_for(add_model, *register(engine, "capability=error,text=can not look")))
    assert facts.ending is Ending.ITERATIONS
    assert placed(facts) == {CPU_EP_NAME: {"Add", "Mul"}}
    if any("can not look" in record.message for record in engine.logs()):
        return
    engine.wait_for_stderr("can not look")  # an ORT without a logger callback


def test_that_the_ep_is_called_by_its_own_name(engine: EngineProcess, register: Register, add_model: Path) -> None:
    facts = engine.run_trial(settings_for(add_model, *register(engine, "name=OwnName")))
    assert placed(facts) == {"OwnName": {"Add", "Mul"}}


def test_that_several_devices_of_one_ep_make_one_target(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine, "count=3")
    facts = engine.run_trial(settings_for(add_model, *reversed(keys)))
    assert facts.target_devices == tuple(reversed(keys))
    assert placed(facts) == {"double": {"Add", "Mul"}}


def test_that_the_cpu_of_ort_is_a_target_like_any(engine: EngineProcess, register: Register, add_model: Path) -> None:
    register(engine)
    facts = engine.run_trial(settings_for(add_model, engine.inventory().devices[0].key))
    assert placed(facts) == {CPU_EP_NAME: {"Add", "Mul"}}
    assert facts.providers == (CPU_EP_NAME,)


@pytest.mark.skipif(ORT_VERSION < (1, 24), reason="needs onnxruntime 1.24")
@pytest.mark.parametrize("kind", ["GPU", "NPU"])
def test_that_a_device_of_any_type_is_a_target(
    engine: EngineProcess, register: Register, add_model: Path, kind: str
) -> None:
    assert placed(engine.run_trial(settings_for(add_model, *register(engine, f"type={kind}")))) == {
        "double": {"Add", "Mul"}
    }


def test_that_devices_of_different_eps_are_refused(engine: EngineProcess, register: Register, add_model: Path) -> None:
    one, two = register(engine, "", "one"), register(engine, "", "two")
    failure = failure_of(engine, settings_for(add_model, *one, *two))
    assert failure.kind is FailureKind.MIXED_TARGET
    assert failure.hint


@pytest.mark.parametrize("keys", [("nothing",), ("nothing", "neither")])
def test_that_a_device_that_is_not_there_is_told_by_its_key(
    engine: EngineProcess, add_model: Path, keys: tuple[str, ...]
) -> None:
    failure = failure_of(engine, settings_for(add_model, *keys))
    assert failure.kind is FailureKind.DEVICE_VANISHED
    assert failure.detail.splitlines() == list(keys)


def test_that_a_device_vanishes_with_its_library(engine: EngineProcess, register: Register, add_model: Path) -> None:
    keys = register(engine, "count=2")
    engine.unregister("double")
    failure = failure_of(engine, settings_for(add_model, engine.inventory().devices[0].key, keys[1]))
    assert failure.kind is FailureKind.DEVICE_VANISHED
    assert failure.detail == keys[1]


# ---- Policies ----


@ALL_POLICIES
def test_that_every_policy_prefers_a_registered_cpu_device(
    engine: EngineProcess, register: Register, add_model: Path, policy: Policy
) -> None:
    keys = register(engine)
    facts = engine.run_trial(with_policy(add_model, policy))
    assert facts.ending is Ending.ITERATIONS
    assert placed(facts) == {"double": {"Add", "Mul"}}
    assert facts.target_devices == keys


@ALL_POLICIES
def test_that_every_policy_falls_to_ort_without_libraries(
    engine: EngineProcess, add_model: Path, policy: Policy
) -> None:
    facts = engine.run_trial(with_policy(add_model, policy))
    assert placed(facts) == {CPU_EP_NAME: {"Add", "Mul"}}
    assert facts.target_devices == (engine.inventory().devices[0].key,)


@pytest.mark.skipif(ORT_VERSION < (1, 24), reason="needs onnxruntime 1.24")
@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        (Policy.PREFER_GPU, "gpu"),
        (Policy.MAX_PERFORMANCE, "gpu"),
        (Policy.PREFER_NPU, "npu"),
        (Policy.MAX_EFFICIENCY, "npu"),
        (Policy.MIN_OVERALL_POWER, "npu"),
    ],
)
def test_that_a_policy_tells_which_device_it_chose(
    engine: EngineProcess, register: Register, add_model: Path, policy: Policy, chosen: str
) -> None:
    keys = {name: register(engine, f"type={name.upper()}", name) for name in ("gpu", "npu")}
    facts = engine.run_trial(with_policy(add_model, policy))
    assert placed(facts) == {chosen: {"Add", "Mul"}}
    assert facts.target_devices == keys[chosen]


@pytest.mark.parametrize("orders", ["create=error,text=no licence", "create=error,code=11,text=no licence"])
def test_that_a_policy_that_stumbles_over_an_ep_says_so(
    engine: EngineProcess, register: Register, add_model: Path, orders: str
) -> None:
    register(engine, orders)
    failure = failure_of(engine, with_policy(add_model, Policy.PREFER_CPU))
    assert failure.kind is FailureKind.POLICY_FAILED
    assert "no licence" in failure.message
    assert engine.unregister("double").libraries == ()
    assert engine.run_trial(with_policy(add_model, Policy.PREFER_CPU)).ending is Ending.ITERATIONS


# ---- Options ----


@echoes_options
def test_that_options_are_handed_to_the_ep(engine: EngineProcess, register: Register, add_model: Path) -> None:
    options = (("mode", "fast"), ("cache dir", "/a b/ä"))
    facts = engine.run_trial(settings_for(add_model, *register(engine), options=options))
    assert options_of(facts, "double") == dict(options)
    assert options_of(facts, CPU_EP_NAME) == {}


@echoes_options
def test_that_the_default_options_of_a_device_hold_unless_changed(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine, "option.mode=slow,option.level=3")
    facts = engine.run_trial(settings_for(add_model, *keys, options=(("mode", "fast"),)))
    assert options_of(facts, "double") == {"mode": "fast", "level": "3"}


def test_that_options_of_one_trial_are_gone_in_the_next(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    keys = register(engine)
    engine.run_trial(settings_for(add_model, *keys, options=(("mode", "fast"),)))
    assert options_of(engine.run_trial(settings_for(add_model, *keys)), "double") == {}


# ---- A real plugin EP ----


@pytest.mark.ggml
def test_that_a_real_ep_runs_the_sample_model(engine: EngineProcess, ggml_library: Path) -> None:
    from ..conftest import SAMPLE_MODELS

    inventory = engine.register("ggml", ggml_library)
    (library,) = inventory.libraries
    facts = engine.run_trial(settings_for(SAMPLE_MODELS / "tiny_mlp.onnx", library.device_keys[0]))
    assert "ggml" in placed(facts)
    assert facts.sample_count == 20
    assert facts.non_finite_outputs == ()


@pytest.mark.ggml
def test_that_an_option_reaches_a_real_ep(engine: EngineProcess, ggml_library: Path, add_model: Path) -> None:
    (library,) = engine.register("ggml", ggml_library).libraries
    key = library.device_keys[0]
    failure = failure_of(engine, settings_for(add_model, key, options=(("device", "gpu"),)))
    assert failure.kind is FailureKind.REFUSED_BY_EP
    assert "device=gpu" in failure.message
    assert engine.run_trial(settings_for(add_model, key, options=(("device", "cpu"),))).ending is Ending.ITERATIONS


@pytest.mark.ggml
def test_that_options_reach_the_ep_a_policy_chooses(engine: EngineProcess, ggml_library: Path, add_model: Path) -> None:
    engine.register("ggml", ggml_library)
    assert engine.run_trial(with_policy(add_model, Policy.PREFER_CPU)).ending is Ending.ITERATIONS
    failure = failure_of(engine, with_policy(add_model, Policy.PREFER_CPU, (("device", "gpu"),)))
    assert failure.kind is FailureKind.POLICY_FAILED
    assert "device=gpu" in failure.message


@pytest.mark.ggml
def test_that_a_real_ep_can_come_and_go(engine: EngineProcess, ggml_library: Path, add_model: Path) -> None:
    keys = set()
    for _ in range(3):
        (library,) = engine.register("ggml", ggml_library).libraries
        keys.add(library.device_keys)
        engine.run_trial(settings_for(add_model, library.device_keys[0]))
        engine.unregister("ggml")
    assert len(keys) == 1
