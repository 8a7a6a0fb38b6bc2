from __future__ import annotations

from dataclasses import replace

import pytest

from gui.records.codec import StringMap
from gui.records.device import Device, DeviceType, HardwareDevice, type_in_key, with_keys

CARD = HardwareDevice(
    type=DeviceType.GPU, vendor="Maker", vendor_id=0x10DE, device_id=7, metadata=(("pci_bus_id", "01:00"), ("idx", "0"))
)
DEVICE = Device(
    ep_name="ep",
    ep_metadata=(("library_path", "/old/lib.so"), ("version", "1.0.0"), ("mode", "fast")),
    device=CARD,
    library="lib",
)


def key_of(device: Device) -> str:
    (keyed,) = with_keys([device])
    return keyed.key


def test_that_setting_keys_changes_nothing_else() -> None:
    (keyed,) = with_keys([DEVICE])
    assert replace(keyed, key="") == DEVICE
    assert keyed.key


def test_that_the_same_devices_get_the_same_keys_again() -> None:
    devices = [DEVICE, DEVICE, replace(DEVICE, ep_name="other")]
    assert with_keys(devices) == with_keys(devices)
    assert with_keys(with_keys(devices)) == with_keys(devices)


def test_that_a_key_is_the_same_in_every_process() -> None:
    # Written down once: settings remember keys, so another way to make them is a change of the file form.
    assert key_of(
        Device(ep_name="ep", device=HardwareDevice(type=DeviceType.CPU, vendor_id=0x1022), library="lib")
    ) == ("lib/ep/CPU:1022:0000/a6830960#0")


def test_that_equal_devices_get_distinct_keys() -> None:
    keys = [device.key for device in with_keys([DEVICE] * 9)]
    assert len(set(keys)) == 9


def test_that_the_key_of_one_device_does_not_depend_on_the_others() -> None:
    others = [replace(DEVICE, ep_name="other"), replace(DEVICE, library="another")]
    assert with_keys([*others, DEVICE])[-1].key == key_of(DEVICE)


@pytest.mark.parametrize(
    "metadata",
    [
        (("library_path", "/old/lib.so"), ("version", "2.0.0"), ("mode", "fast")),
        (("library_path", "/new/lib.so"), ("version", "1.0.0"), ("mode", "fast")),
        (("mode", "fast"),),
        (("mode", "fast"), ("version", "1.0.0"), ("library_path", "/old/lib.so")),
    ],
)
def test_that_a_key_outlives_a_rebuilt_or_moved_library(metadata: StringMap) -> None:
    assert key_of(replace(DEVICE, ep_metadata=metadata)) == key_of(DEVICE)


def test_that_the_order_of_hardware_metadata_does_not_matter() -> None:
    card = replace(CARD, metadata=tuple(reversed(CARD.metadata)))
    assert key_of(replace(DEVICE, device=card)) == key_of(DEVICE)


@pytest.mark.parametrize(
    "other",
    [
        replace(DEVICE, library="lib2"),
        replace(DEVICE, library=None),
        replace(DEVICE, ep_name="ep2"),
        replace(DEVICE, ep_metadata=(("mode", "slow"),)),
        replace(DEVICE, device=replace(CARD, type=DeviceType.NPU)),
        replace(DEVICE, device=replace(CARD, vendor_id=1)),
        replace(DEVICE, device=replace(CARD, device_id=8)),
        replace(DEVICE, device=replace(CARD, metadata=(("pci_bus_id", "02:00"), ("idx", "0")))),
    ],
)
def test_that_other_devices_have_other_keys(other: Device) -> None:
    assert key_of(other) != key_of(DEVICE)


@pytest.mark.parametrize(
    ("metadata", "virtual"), [((("is_virtual", "1"),), True), ((("is_virtual", "0"),), False), ((), False)]
)
def test_that_is_virtual_is_read_from_the_hardware(metadata: StringMap, virtual: bool) -> None:
    device = replace(DEVICE, device=replace(CARD, metadata=metadata))
    assert device.is_virtual is virtual
    assert device.device.is_virtual is virtual


def test_that_the_version_is_that_of_the_ep() -> None:
    assert DEVICE.ep_version == "1.0.0"
    assert replace(DEVICE, ep_metadata=()).ep_version == ""


def test_that_the_type_is_that_of_the_hardware() -> None:
    assert DEVICE.type is DeviceType.GPU


@pytest.mark.parametrize("kind", list(DeviceType))
@pytest.mark.parametrize("library", [None, "a/CPU:0000:0000/b"])
def test_that_a_key_tells_the_kind_of_hardware(kind: DeviceType, library: str | None) -> None:
    hardware = replace(DEVICE.device, type=kind)
    assert type_in_key(key_of(replace(DEVICE, device=hardware, library=library))) is kind


def test_that_what_is_no_key_tells_nothing() -> None:
    assert type_in_key("cpu") is None
