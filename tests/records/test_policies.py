"""What a policy's outcome comes to in words, and the file in which outcomes are kept."""

from __future__ import annotations

import json

import pytest

from gui.records.codec import from_json
from gui.records.device import Device, DeviceType, HardwareDevice
from gui.records.failure import Failure, FailureKind
from gui.records.library import CPU_EP_NAME
from gui.records.placement import OpCount, Placement
from gui.records.policies import (
    POLICIES_FORMAT,
    POLICY_MEANING,
    PolicyMark,
    PolicyOutcome,
    mark_of,
    missed_preference,
    nodes_text,
    order_text,
    policies_json,
    preferred_type,
    result_text,
    taken_text,
    warning_of,
)
from gui.records.trial import Policy

from .examples import GREETING


def device(ep_name: str, kind: DeviceType) -> Device:
    return Device(ep_name=ep_name, device=HardwareDevice(type=kind, vendor="Maker"), key=ep_name)


def placed(**counts: int) -> tuple[Placement, ...]:
    return tuple(
        Placement(ep_name=name, node_count=count, op_types=(OpCount(op_type="Add", count=count),))
        for name, count in counts.items()
    )


CPU = device(CPU_EP_NAME, DeviceType.CPU)
GPU = device("Fast", DeviceType.GPU)
NPU = device("Npu", DeviceType.NPU)
FAILURE = Failure(kind=FailureKind.POLICY_FAILED, message="The policy led to no session: no licence.")


def test_that_every_policy_has_a_meaning() -> None:
    assert set(POLICY_MEANING) == set(Policy)


@pytest.mark.parametrize(
    ("policy", "taken", "warning"),
    [
        (Policy.PREFER_NPU, DeviceType.CPU, "PREFER_NPU prefers an NPU and took the CPU."),
        (Policy.MAX_PERFORMANCE, DeviceType.CPU, "MAX_PERFORMANCE prefers a GPU and took the CPU."),
        (Policy.PREFER_GPU, DeviceType.GPU, ""),
        (Policy.PREFER_GPU, None, ""),
        (Policy.PREFER_CPU, DeviceType.CPU, ""),
        (Policy.DEFAULT, DeviceType.GPU, ""),
    ],
)
def test_that_only_a_preference_that_was_missed_is_warned_of(
    policy: Policy, taken: DeviceType | None, warning: str
) -> None:
    assert missed_preference(policy, taken) == warning


def test_that_a_preference_that_lands_on_the_cpu_is_a_warning_in_words() -> None:
    outcome = PolicyOutcome(policy=Policy.PREFER_NPU, ep_name=CPU_EP_NAME)
    assert mark_of(outcome, CPU) is PolicyMark.WARNING
    assert result_text(outcome, CPU) == "warning: prefers an NPU and took the CPU."
    assert result_text(outcome, None) == "warning: prefers an NPU and took the CPU."  # ORT's own is known by its name


def test_that_an_ep_that_was_taken_and_got_no_node_is_a_warning() -> None:
    outcome = PolicyOutcome(policy=Policy.PREFER_GPU, ep_name="Fast", placement=placed(**{CPU_EP_NAME: 3}))
    assert warning_of(outcome, GPU) == "Fast was taken, but got none of the nodes."
    assert mark_of(outcome, GPU) is PolicyMark.WARNING
    assert nodes_text(outcome) == "Fast gets none of the 3 nodes; 3 on CPUExecutionProvider: Add ×3."


def test_that_what_was_wished_and_came_is_ok() -> None:
    outcome = PolicyOutcome(policy=Policy.PREFER_GPU, ep_name="Fast", placement=placed(Fast=2))
    assert (mark_of(outcome, GPU), result_text(outcome, GPU)) == (PolicyMark.GOOD, "ok")
    assert nodes_text(outcome) == "Fast gets all 2 nodes."


def test_that_a_failure_counts_more_than_all_else() -> None:
    outcome = PolicyOutcome(policy=Policy.PREFER_GPU, failure=FAILURE)
    assert mark_of(outcome, None) is PolicyMark.FAILED
    assert result_text(outcome, None) == "failed: no licence."
    assert (taken_text(outcome, None), nodes_text(outcome)) == ("", "")


def test_that_an_ep_that_comes_second_is_named_and_orts_own_is_not() -> None:
    outcome = PolicyOutcome(policy=Policy.PREFER_GPU, ep_name="Fast", providers=("Fast", "Slow", CPU_EP_NAME))
    assert taken_text(outcome, GPU) == "Fast (GPU, Maker), then Slow"
    assert taken_text(outcome, None) == "Fast, then Slow"


def test_that_the_order_is_told_device_by_device() -> None:
    assert order_text(("Npu", "gone", CPU_EP_NAME), (CPU, NPU)) == (
        "Npu (NPU, Maker)",
        "gone",
        "CPUExecutionProvider (CPU, Maker)",
    )


def test_that_the_preferred_type_is_none_for_those_that_ask_for_the_cpu() -> None:
    assert [policy for policy in Policy if preferred_type(policy) is None] == [Policy.DEFAULT, Policy.PREFER_CPU]


def test_that_the_file_holds_every_outcome_and_says_what_it_is() -> None:
    outcomes = (
        PolicyOutcome(policy=Policy.PREFER_GPU, ep_name="Fast", order=("Fast",), placement=placed(Fast=2)),
        PolicyOutcome(policy=Policy.PREFER_NPU, failure=FAILURE),
    )
    text = policies_json(outcomes, model="/m.onnx", environment=GREETING, libraries=(), devices=(GPU,))
    data = json.loads(text)
    assert (data["format"], data["model"]) == (POLICIES_FORMAT, "/m.onnx")
    assert data["environment"]["onnxruntime"] == GREETING.onnxruntime
    assert tuple(from_json(PolicyOutcome, entry) for entry in data["outcomes"]) == outcomes
    assert [from_json(Device, entry) for entry in data["devices"]] == [GPU]
