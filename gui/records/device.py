"""Devices: what ORT says of an OrtEpDevice, copied at once, and a key that outlives the object.

Source of the names: OrtEpDevice and OrtHardwareDevice of ONNX Runtime's Python binding.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from .codec import StringMap


class DeviceType(Enum):
    """OrtHardwareDeviceType."""

    CPU = "CPU"
    GPU = "GPU"
    NPU = "NPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareDevice:
    """An OrtHardwareDevice. `device_id` is the product id of the hardware (PCI), not an index: equal cards share it."""

    type: DeviceType
    vendor: str = ""
    vendor_id: int = 0
    device_id: int = 0
    metadata: StringMap = ()

    @property
    def is_virtual(self) -> bool:
        """Whether the EP offers the device without hardware behind it, to compile for (`is_virtual`=1)."""
        return dict(self.metadata).get("is_virtual") == "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incompatibility:
    """Why an EP does not offer a piece of hardware, or will not get far with it, in ORT's and the EP's words.

    Source: OrtDeviceEpIncompatibilityDetails, by `get_hardware_device_ep_incompatibility_details` of the binding.
    """

    ep_name: str
    library: str | None = None
    """The registration name of the EP's library; None for ORT's own."""
    hardware: HardwareDevice
    offered: bool = False
    """Whether the EP offers this hardware as a device all the same."""
    reasons: tuple[str, ...] = ()
    """In words; empty when the EP gives none."""
    notes: str = ""
    """The EP's own text."""
    error_code: int = 0
    """The EP's own number; 0 when it gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryInfo:
    """The memory a device offers for one use: `OrtMemoryInfo` of `OrtEpDevice.memory_info(kind)`."""

    kind: str
    """The OrtDeviceMemoryType asked for: DEFAULT or HOST_ACCESSIBLE."""
    name: str
    fields: StringMap = ()
    """Whatever else the binding tells of it: id, device type, memory type, allocator type, alignment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An OrtEpDevice: a piece of hardware as offered by one EP of one library."""

    ep_name: str
    ep_vendor: str = ""
    ep_metadata: StringMap = ()
    ep_options: StringMap = ()
    device: HardwareDevice
    memory_info: tuple[MemoryInfo, ...] = ()
    library: str | None = None
    """The registration name of the library it came from; None for devices that ORT brought along."""
    key: str = ""
    """Equal in every engine in which the same library offers the same device; see `with_keys`."""

    @property
    def ep_version(self) -> str:
        """The EP's version from its metadata, or an empty text."""
        return dict(self.ep_metadata).get("version", "")

    @property
    def type(self) -> DeviceType:
        """The kind of hardware."""
        return self.device.type

    @property
    def is_virtual(self) -> bool:
        """Whether there is no hardware behind the device."""
        return self.device.is_virtual


def with_keys(devices: Iterable[Device]) -> tuple[Device, ...]:
    """Return the devices, each with its stable key; equal ones are told apart by an ordinal.

    The EP's version is left out, so that a device keeps its key when its library was rebuilt.
    """
    seen: Counter[str] = Counter()
    keyed = []
    for device in devices:
        stem = _key_stem(device)
        keyed.append(replace(device, key=f"{stem}#{seen[stem]}"))
        seen[stem] += 1
    return tuple(keyed)


def type_in_key(key: str) -> DeviceType | None:
    """Return the kind of hardware of a device by its key, also when the device is gone; None for what is no key."""
    found = re.search(r"/(CPU|GPU|NPU):[0-9a-f]+:[0-9a-f]+/[0-9a-f]{8}#[0-9]+$", key)
    return None if found is None else DeviceType(found[1])


def _key_stem(device: Device) -> str:
    hardware = device.device
    ep_metadata = sorted(pair for pair in device.ep_metadata if pair[0] not in ("version", "library_path"))
    import hashlib  # the window, which makes no keys, starts without it

    rest = json.dumps([sorted(hardware.metadata), ep_metadata])
    digest = hashlib.sha256(rest.encode()).hexdigest()[:8]
    owner = "" if device.library is None else device.library
    return f"{owner}/{device.ep_name}/{hardware.type.value}:{hardware.vendor_id:04x}:{hardware.device_id:04x}/{digest}"
