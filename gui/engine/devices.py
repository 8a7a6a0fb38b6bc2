"""Copies OrtEpDevice objects into records, at once: the objects dangle as soon as their library is gone."""

from __future__ import annotations

from typing import Any

from ..records.codec import string_map
from ..records.device import Device, DeviceType, HardwareDevice, MemoryInfo
from . import ort


def copy_device(device: Any, library: str | None) -> Device:
    """Return the record of an OrtEpDevice that the library registered under that name offers; its key is not set."""
    return Device(
        ep_name=device.ep_name,
        ep_vendor=device.ep_vendor,
        ep_metadata=string_map(device.ep_metadata),
        ep_options=string_map(device.ep_options),
        device=copy_hardware(device.device),
        memory_info=_copy_memory_info(device),
        library=library,
    )


def copy_hardware(hardware: Any) -> HardwareDevice:
    """Return the record of an OrtHardwareDevice."""
    return HardwareDevice(
        type=DeviceType(hardware.type.name),
        vendor=hardware.vendor,
        vendor_id=hardware.vendor_id,
        device_id=hardware.device_id,
        metadata=string_map(hardware.metadata),
    )


def _copy_memory_info(device: Any) -> tuple[MemoryInfo, ...]:
    copied = []
    for kind in (ort.OrtDeviceMemoryType.DEFAULT, ort.OrtDeviceMemoryType.HOST_ACCESSIBLE):
        try:
            info = device.memory_info(kind)
        except ort.ERRORS:  # devices without memory of their own refuse in several ways
            continue
        if info is not None:
            copied.append(MemoryInfo(kind=kind.name, name=str(info.name), fields=_memory_fields(info)))
    return tuple(copied)


def _memory_fields(info: Any) -> tuple[tuple[str, str], ...]:
    found = []
    for label, attribute in (
        ("id", "id"),
        ("device id", "device_id"),
        ("device type", "device_type"),
        ("vendor id", "device_vendor_id"),
        ("memory type", "mem_type"),
        ("device memory type", "device_mem_type"),
        ("allocator type", "allocator_type"),
    ):
        value = getattr(info, attribute, None)
        if callable(value):
            value = value()
        if value is not None:
            found.append((label, getattr(value, "name", str(value))))
    return tuple(found)
