"""The words of `--targets`, and the devices and policies they mean."""

from __future__ import annotations

import pytest

from gui.compare_arguments import targets
from gui.compare_targets import named_targets
from gui.records.device import Device, DeviceType, HardwareDevice, with_keys
from gui.records.failure import FailureError
from gui.records.trial import Policy


def gpu(vendor: str, *, virtual: bool = False) -> Device:
    hardware = HardwareDevice(type=DeviceType.GPU, vendor=vendor, metadata=(("is_virtual", "1"),) if virtual else ())
    return Device(ep_name="WebGpuExecutionProvider", device=hardware, library="gpus")


DEVICES = with_keys(
    [
        Device(ep_name="CPUExecutionProvider", device=HardwareDevice(type=DeviceType.CPU)),
        gpu("A"),
        gpu("B"),
        Device(ep_name="ggml", device=HardwareDevice(type=DeviceType.CPU), library="quick"),
    ]
)


def labels(text: str, devices: tuple[Device, ...] = DEVICES) -> list[str]:
    return [target.label for target in named_targets(targets(text), devices)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("cpu", DEVICES[0].key),
        ("CPUExecutionProvider", DEVICES[0].key),
        ("webgpu", DEVICES[1].key),
        ("WebGpu:1", DEVICES[2].key),
        ("gpus:1", DEVICES[2].key),
        ("quick", DEVICES[3].key),
        ("GGML:0", DEVICES[3].key),
    ],
)
def test_that_a_device_is_meant_by_its_ep_a_short_form_or_its_library(text: str, key: str) -> None:
    (target,) = named_targets(targets(text), DEVICES)
    assert target.device is not None
    assert target.device.key == key


def test_that_devices_of_one_ep_are_told_apart_by_their_numbers() -> None:
    assert labels("cpu,webgpu,webgpu:1") == ["CPU", "WebGpu:0", "WebGpu:1"]


def test_that_options_make_a_row_of_their_own() -> None:
    plain, fast = named_targets(targets("ggml, ggml+mode=fast+threads=2"), DEVICES)
    assert (plain.label, plain.options) == ("ggml", ())
    assert (fast.label, fast.options) == ("ggml, mode=fast, threads=2", (("mode", "fast"), ("threads", "2")))


def test_that_all_adds_what_is_not_named_and_no_virtual_device() -> None:
    assert labels("ggml,all") == ["ggml", "CPU", "WebGpu:0", "WebGpu:1"]
    assert labels("all,ggml") == ["CPU", "WebGpu:0", "WebGpu:1", "ggml"]
    assert labels("all", with_keys([DEVICES[0], gpu("A", virtual=True)])) == ["CPU"]


def test_that_what_is_named_twice_is_compared_with_itself() -> None:
    assert labels("cpu,cpu,cpu") == ["CPU", "CPU (2)", "CPU (3)"]


def test_that_policies_are_named_one_by_one_or_all() -> None:
    (target,) = named_targets(targets("policy:prefer_gpu"), DEVICES)
    assert (target.label, target.policy, target.device) == ("PREFER_GPU", Policy.PREFER_GPU, None)
    assert labels("policy:PREFER_NPU,all-policies")[:2] == ["PREFER_NPU", "DEFAULT"]
    assert sorted(labels("policy:PREFER_NPU,all-policies")) == sorted(policy.value for policy in Policy)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("npu", "There is no device npu; EPs here: CPU, WebGpu, ggml."),
        ("webgpu:2", "webgpu has 2 device(s), counted from 0; there is no webgpu:2."),
    ],
)
def test_that_what_is_not_there_is_said_with_what_is(text: str, words: str) -> None:
    with pytest.raises(FailureError) as caught:
        labels(text)
    assert caught.value.failure.message == words
