"""Which device the words of the command line mean: `ggml`, `webgpu`, `WebGpuExecutionProvider:1`."""

from __future__ import annotations

from .records.device import Device
from .records.failure import FailureKind, failure_error

_EP_ENDING = "ExecutionProvider"


def short_name(ep_name: str) -> str:
    """Return an EP's name without the ending that many have: `WebGpu`."""
    return ep_name.removesuffix(_EP_ENDING) or ep_name


def device_named(wish: str, devices: tuple[Device, ...]) -> Device:
    """Return the device that `EP` or `EP:N` means, EP being an EP's name, its short form, or its library's name.

    Case does not matter. Raises `FailureError`.
    """
    name, number = wish, 0
    head, separator, tail = wish.rpartition(":")
    if separator and tail.isdecimal() and not any(_is_ep(device, wish) for device in devices):
        name, number = head, int(tail)
    for is_meant in (_is_ep, _is_library):
        those = [device for device in devices if is_meant(device, name)]
        if number < len(those):
            return those[number]
        if those:
            message = f"{name} has {len(those)} device(s), counted from 0; there is no {name}:{number}."
            raise failure_error(FailureKind.DEVICE_VANISHED, message)
    there = ", ".join(dict.fromkeys(short_name(device.ep_name) for device in devices))
    message = f"There is no device {wish}; EPs here: {there}."
    raise failure_error(FailureKind.DEVICE_VANISHED, message, hint="Load its library with --library NAME=PATH.")


def _is_ep(device: Device, name: str) -> bool:
    return name.lower() in (device.ep_name.lower(), short_name(device.ep_name).lower())


def _is_library(device: Device, name: str) -> bool:
    return device.library is not None and name.lower() == device.library.lower()
