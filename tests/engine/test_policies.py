"""The policy explainer: what it says a policy takes is what a trial with that policy then really used."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from gui.records.codec import StringMap
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.library import CPU_EP_NAME
from gui.records.placement import PlacementVerdict, judge_placement
from gui.records.policies import PolicyOutcome, expected_device
from gui.records.protocol import Op
from gui.records.trial import Policy, StopRule, Target, TrialFacts, TrialSettings

from ..conftest import ORT_VERSION, SAMPLE_MODELS, DoubleFactory, StartEngine
from ..engine_process import EngineEndedError, EngineProcess
from .conftest import Register, settings_for

POLICY_MODEL = SAMPLE_MODELS.parent / "policy_model.onnx"
GPU_POLICIES = (Policy.PREFER_GPU, Policy.MAX_PERFORMANCE)
NPU_POLICIES = (Policy.PREFER_NPU, Policy.MAX_EFFICIENCY, Policy.MIN_OVERALL_POWER)
CPU_POLICIES = (Policy.DEFAULT, Policy.PREFER_CPU)
HARDWARE_VENDOR = "that of the CPU"

needs_types = pytest.mark.skipif(ORT_VERSION < (1, 24), reason="GPU and NPU doubles need onnxruntime 1.24")
needs_qnn = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime_qnn") is None, reason="onnxruntime-qnn is not installed"
)


def ask(engine: EngineProcess, policy: Policy, model: Path | None = None, options: StringMap = ()) -> PolicyOutcome:
    path = "" if model is None else str(model)
    return engine.call(Op.EXPLAIN_POLICY, PolicyOutcome, policy=policy.value, path=path, options=dict(options))


def really_used(engine: EngineProcess, policy: Policy, model: Path, options: StringMap) -> TrialFacts | Failure:
    """What a trial with the policy comes to."""
    settings = TrialSettings(
        model_path=str(model),
        target=Target(policy=policy),
        options=options,
        warmup=0,
        stop_rule=StopRule(iterations=1),
        intra_op_threads=1,
    )
    try:
        return engine.run_trial(settings)
    except FailureError as error:
        return error.failure


def check_agreement(
    engine: EngineProcess, model: Path | None = None, options: StringMap = ()
) -> dict[Policy, PolicyOutcome]:
    """Ask about every policy, run a trial with each, compare, and return what was said."""
    devices = {device.key: device for device in engine.inventory().devices}
    told = {policy: ask(engine, policy, model, options) for policy in Policy}
    for policy, outcome in told.items():
        used = really_used(engine, policy, model or POLICY_MODEL, options)
        assert outcome.policy is policy
        if isinstance(used, Failure):
            assert outcome.failure is not None, (policy, used)
            assert (outcome.failure.kind, outcome.failure.message) == (used.kind, used.message)
            assert (outcome.ep_name, outcome.placement) == ("", None)
            assert outcome.device_key == expected_device(policy, outcome.order or (), tuple(devices.values()))
        else:
            assert outcome.failure is None, policy
            assert outcome.providers == used.providers
            assert (outcome.ep_name,) == used.providers[:1]
            assert outcome.placement == used.placement
            assert devices[outcome.device_key].ep_name == outcome.ep_name
            of_the_ep = [key for key in used.target_devices if devices[key].ep_name == outcome.ep_name]
            assert not of_the_ep or outcome.device_key in of_the_ep
            expected = devices[expected_device(policy, outcome.order or (), tuple(devices.values()))]
            assert expected.ep_name == outcome.ep_name  # so it is told rightly also where no session comes of it
            assert outcome.creation_ns is not None
            assert outcome.creation_ns > 0
    orders = {outcome.order for outcome in told.values()}
    assert len(orders) == 1  # the same for all
    (order,) = orders
    assert order is not None
    assert sorted(order) == sorted(devices)
    return told


def taken(engine: EngineProcess, told: dict[Policy, PolicyOutcome], policies: tuple[Policy, ...]) -> set[str]:
    """Return the libraries, or the EPs without one, that these policies take."""
    devices = {device.key: device for device in engine.inventory().devices}
    found = (devices[told[policy].device_key] for policy in policies)
    return {device.library or device.ep_name for device in found}


# ---- Doubles ----


def test_that_without_libraries_every_policy_takes_orts_own_cpu(engine: EngineProcess) -> None:
    told = check_agreement(engine)
    assert taken(engine, told, tuple(Policy)) == {CPU_EP_NAME}


def test_that_a_plugins_cpu_device_is_taken_by_every_policy(engine: EngineProcess, register: Register) -> None:
    register(engine)
    told = check_agreement(engine)
    assert taken(engine, told, tuple(Policy)) == {"double"}


@needs_types
@pytest.mark.parametrize(("kind", "policies"), [("GPU", GPU_POLICIES), ("NPU", NPU_POLICIES)])
def test_that_a_device_is_taken_by_those_that_prefer_its_type(
    engine: EngineProcess, register: Register, kind: str, policies: tuple[Policy, ...]
) -> None:
    keys = register(engine, f"type={kind}")
    told = check_agreement(engine)
    assert {told[policy].device_key for policy in policies} == set(keys)
    others = tuple(policy for policy in Policy if policy not in policies)
    assert taken(engine, told, others) == {CPU_EP_NAME}


@needs_types
def test_that_each_preference_takes_its_own_of_several_libraries(engine: EngineProcess, register: Register) -> None:
    for name, kind in (("cpu", "CPU"), ("gpu", "GPU"), ("npu", "NPU")):
        register(engine, f"type={kind}", name)
    told = check_agreement(engine)
    assert taken(engine, told, GPU_POLICIES) == {"gpu"}
    assert taken(engine, told, NPU_POLICIES) == {"npu"}
    assert taken(engine, told, CPU_POLICIES) == {"cpu"}
    owners = {device.key: device.library for device in engine.inventory().devices}
    order = told[Policy.DEFAULT].order
    assert order is not None
    assert [owners[key] for key in order] == ["npu", "gpu", "cpu", None]
    assert told[Policy.PREFER_GPU].providers == ("gpu", "cpu", CPU_EP_NAME)  # the plugin's CPU EP gets the rest


@needs_types
@pytest.mark.parametrize("orders", ["type=GPU,count=3", "type=GPU+NPU,count=4"])
def test_that_of_several_devices_of_one_library_the_one_used_is_told(
    engine: EngineProcess, register: Register, orders: str
) -> None:
    keys = register(engine, orders)
    told = check_agreement(engine)
    assert told[Policy.PREFER_GPU].device_key in keys


@pytest.mark.parametrize("vendors", [("Double", "Double"), ("Double", "Another"), ("Double", HARDWARE_VENDOR)])
def test_that_a_tie_between_eps_is_told_as_ort_breaks_it(
    engine: EngineProcess, register: Register, vendors: tuple[str, str]
) -> None:
    hardware = engine.inventory().devices[0].device.vendor
    first, second = (hardware if vendor == HARDWARE_VENDOR else vendor for vendor in vendors)
    register(engine, f"name=B,vendor={first}", "one")
    register(engine, f"name=A,vendor={second}", "two")
    told = check_agreement(engine)
    assert len({outcome.ep_name for outcome in told.values()}) == 1
    if second == hardware and first != hardware:
        assert told[Policy.DEFAULT].ep_name == "A"  # the hardware's own vendor goes first


@needs_types
def test_that_an_ep_that_takes_no_node_is_told_with_its_device(engine: EngineProcess, register: Register) -> None:
    keys = register(engine, "type=GPU,claim=none")
    told = check_agreement(engine)
    outcome = told[Policy.PREFER_GPU]
    assert outcome.device_key == keys[0]
    assert judge_placement(outcome.placement, ("double",)) is PlacementVerdict.NONE


@needs_types
@pytest.mark.parametrize("code", [1, 11])
def test_that_an_ep_that_refuses_fails_the_policies_that_take_it_and_no_other(
    engine: EngineProcess, register: Register, code: int
) -> None:
    register(engine, f"type=NPU,create=error,code={code},text=no licence")
    told = check_agreement(engine)
    assert {policy for policy, outcome in told.items() if outcome.failure is not None} == set(NPU_POLICIES)
    failure = told[Policy.PREFER_NPU].failure
    assert failure is not None
    assert failure.kind is FailureKind.POLICY_FAILED
    assert "no licence" in failure.message


@needs_types
def test_that_a_chosen_model_is_tried_with_its_free_dimensions_at_1(
    engine: EngineProcess, register: Register, tail_model: Path
) -> None:
    register(engine, "type=GPU")
    told = check_agreement(engine, tail_model)
    placement = told[Policy.PREFER_GPU].placement
    assert placement is not None
    assert {part.ep_name: part.node_count for part in placement} == {"double": 2, CPU_EP_NAME: 1}


def test_that_a_library_can_go_right_after_it_was_tried(engine: EngineProcess, register: Register) -> None:
    register(engine)
    assert ask(engine, Policy.DEFAULT).ep_name == "double"
    assert engine.unregister("double").libraries == ()
    assert ask(engine, Policy.DEFAULT).ep_name == CPU_EP_NAME


# ---- What is refused ----


def test_that_a_model_that_is_not_there_is_refused(engine: EngineProcess, tmp_path: Path) -> None:
    with pytest.raises(FailureError) as caught:
        ask(engine, Policy.DEFAULT, tmp_path / "none.onnx")
    assert caught.value.failure.kind is FailureKind.NO_SUCH_FILE


def test_that_a_policy_that_does_not_exist_is_refused(engine: EngineProcess) -> None:
    with pytest.raises(FailureError) as caught:
        engine.call(Op.EXPLAIN_POLICY, PolicyOutcome, policy="PREFER_MAGIC", path="")
    assert caught.value.failure.kind is FailureKind.BAD_REQUEST


@needs_types
def test_that_an_engine_that_dies_of_a_policy_does_not_die_of_another(
    start_engine: StartEngine, double_library: DoubleFactory
) -> None:
    engine = start_engine()
    engine.register("double", double_library("type=GPU,create=abort"))
    assert ask(engine, Policy.PREFER_CPU).ep_name == CPU_EP_NAME
    with pytest.raises(EngineEndedError):
        ask(engine, Policy.PREFER_GPU)


@needs_types
def test_that_trying_a_slow_ep_can_be_stopped(engine: EngineProcess, register: Register) -> None:
    register(engine, "type=GPU,compile=slow,slow_ms=1500")
    request = engine.send(Op.EXPLAIN_POLICY, policy=Policy.PREFER_GPU.value, path="")
    engine.wait_for(lambda entry: entry.get("id") == request and entry.get("event") == "begun")
    engine.ok(engine.send(Op.CANCEL, request=request))
    with pytest.raises(FailureError) as caught:
        engine.answer(request, PolicyOutcome)
    assert caught.value.failure.kind is FailureKind.STOPPED
    assert ask(engine, Policy.PREFER_CPU).ep_name == CPU_EP_NAME


# ---- Real plugin EPs ----


@pytest.mark.ggml
@pytest.mark.parametrize("model", [None, "tiny_mlp.onnx", "image_classifier.onnx"])
def test_that_it_agrees_for_ggml(engine: EngineProcess, ggml_library: Path, model: str | None) -> None:
    engine.register("ggml", ggml_library)
    told = check_agreement(engine, None if model is None else SAMPLE_MODELS / model)
    assert {outcome.ep_name for outcome in told.values()} == {"ggml"}
    verdict = judge_placement(told[Policy.DEFAULT].placement, ("ggml",))
    assert verdict is (PlacementVerdict.NONE if model == "image_classifier.onnx" else PlacementVerdict.ALL)


@needs_qnn
def test_that_it_agrees_for_qnn_which_fails_every_policy_without_options(engine: EngineProcess) -> None:
    import onnxruntime_qnn

    engine.register("qnn", onnxruntime_qnn.get_library_path())
    told = check_agreement(engine)
    for outcome in told.values():
        assert outcome.failure is not None
        assert outcome.failure.kind is FailureKind.POLICY_FAILED
        assert "Could not determine default backend path" in outcome.failure.message


@needs_qnn
@pytest.mark.parametrize("key", ["backend_path", "ep.qnn.backend_path"])
def test_that_it_agrees_for_qnn_with_the_option_it_asks_for(engine: EngineProcess, key: str) -> None:
    import onnxruntime_qnn

    engine.register("qnn", onnxruntime_qnn.get_library_path())
    told = check_agreement(engine, options=((key, str(onnxruntime_qnn.get_qnn_htp_path())),))
    assert all(outcome.failure is None for outcome in told.values())
    assert {outcome.ep_name for outcome in told.values()} == {"qnn"}


@needs_types
def test_that_a_trial_and_the_explainer_name_the_same_device(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    """In the trial's own words: the device that its inputs went to."""
    register(engine, "type=NPU", "npu")
    facts = engine.run_trial(replace(settings_for(add_model, "x"), target=Target(policy=Policy.PREFER_NPU)))
    assert facts.target_devices == (ask(engine, Policy.PREFER_NPU, add_model).device_key,)
