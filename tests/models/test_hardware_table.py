"""The hardware as a table: which EPs offer it, which do not and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QPixmap
from pytestqt.qtbot import QtBot

from gui.models.hardware_table import HardwareTableModel, hardware_details, hardware_rows
from gui.models.table import FilterProxy
from gui.records.device import Device, DeviceType, HardwareDevice, Incompatibility

from .makers import ModelTester, column_named, device, gpu, texts, told

CPU = HardwareDevice(type=DeviceType.CPU, vendor="AMD", vendor_id=0x1022)
GPU = gpu(device_id=7, metadata=(("pci_bus_id", "0000:01:00.0"),))
OWN = Device(ep_name="CPUExecutionProvider", device=CPU)
FAST = Device(ep_name="Fast", device=GPU, library="fast")


@pytest.fixture
def model() -> HardwareTableModel:
    return HardwareTableModel(lambda _type: None)


def column(
    model: HardwareTableModel,
    title: str,
    devices: Sequence[Device] = (),
    said: Sequence[Incompatibility] = (),
    hardware: Sequence[HardwareDevice] = (CPU, GPU),
) -> list[str]:
    """What a column shows of this."""
    model.set_rows(hardware_rows(hardware, devices, said))
    return texts(model, column_named(model, title))


def groups(said: Sequence[Incompatibility] = (), devices: Sequence[Device] = ()) -> dict[str, list[tuple[str, str]]]:
    """The details of the graphics card."""
    (row,) = hardware_rows((GPU,), devices, said)
    return {group.title: list(group.pairs) for group in hardware_details(row)}


def test_that_the_table_keeps_the_rules_of_item_models(model: HardwareTableModel, qtmodeltester: ModelTester) -> None:
    model.set_rows(hardware_rows((CPU, GPU, GPU), (OWN, FAST), (told(CPU, "no driver"),)))
    qtmodeltester.check(model)
    model.set_rows(hardware_rows((CPU,), (OWN,), ()))
    model.set_rows(hardware_rows((GPU, CPU), (), ()))
    assert texts(model) == ["GPU", "CPU"]


# ---- Columns ----


def test_that_a_piece_of_hardware_tells_type_vendor_and_ids(model: HardwareTableModel) -> None:
    hardware = (CPU, GPU, HardwareDevice(type=DeviceType.NPU))
    shown = [column(model, title, hardware=hardware) for title in ("Type", "Vendor", "Vendor ID", "Device ID")]
    assert shown == [
        ["CPU", "GPU", "NPU"],
        ["AMD", "Maker", "–"],
        ["0x1022", "0x10DE", "0x0000"],
        ["0x0000", "0x0007", "0x0000"],
    ]


def test_that_the_eps_that_offer_hardware_are_named_once_each(model: HardwareTableModel) -> None:
    devices = (OWN, FAST, FAST, Device(ep_name="Other", device=GPU, library="Other"))
    assert column(model, "Offered by", devices) == ["CPUExecutionProvider", "Fast [fast], Other"]


def test_that_hardware_without_an_ep_says_so(model: HardwareTableModel) -> None:
    assert column(model, "Offered by", (OWN,)) == ["CPUExecutionProvider", "no EP"]


def test_that_two_libraries_with_one_ep_name_are_told_apart(model: HardwareTableModel) -> None:
    twins = (FAST, replace(FAST, library="fast-2"))
    assert column(model, "Offered by", twins)[1] == "Fast [fast], Fast [fast-2]"


def test_that_an_ep_that_does_not_offer_hardware_is_named_with_its_reasons(model: HardwareTableModel) -> None:
    said = (told(GPU, "no driver", "too old", library="fast"), told(GPU, ep_name="Silent"))
    assert column(model, "Not offered by", said=said) == ["–", "Fast [fast] (no driver, too old), Silent"]
    assert column(model, "Warnings", said=said) == ["–", "–"]


def test_that_an_ep_that_offers_hardware_and_warns_is_no_ep_that_does_not_offer_it(model: HardwareTableModel) -> None:
    said = (told(GPU, "old driver", offered=True),)
    assert column(model, "Warnings", (FAST,), said) == ["–", "Fast (old driver)"]
    assert column(model, "Not offered by", (FAST,), said) == ["–", "–"]


def test_that_ids_sort_as_numbers(model: HardwareTableModel) -> None:
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    model.set_rows(hardware_rows([gpu(device_id=number) for number in (3, 0xFFFF_FFFF, 0x10000)], (), ()))
    number = column_named(model, "Device ID")
    proxy.sort(number)
    assert texts(proxy, number) == ["0x0003", "0x10000", "0xFFFFFFFF"]


def test_that_the_type_shows_with_its_icon(qtbot: QtBot) -> None:
    pixmap = QPixmap(8, 8)
    pixmap.fill(Qt.GlobalColor.red)
    icon = QIcon(pixmap)
    model = HardwareTableModel(lambda kind: icon if kind is DeviceType.GPU else None)
    model.set_rows(hardware_rows((CPU, GPU), (), ()))
    cpu, gpu_icon = (model.index(row, 0).data(Qt.ItemDataRole.DecorationRole) for row in range(2))
    assert cpu is None
    assert isinstance(gpu_icon, QIcon)
    assert gpu_icon.cacheKey() == icon.cacheKey()


# ---- Equal and like hardware ----


def test_that_equal_cards_are_rows_of_their_own(model: HardwareTableModel) -> None:
    assert column(model, "Type", hardware=(GPU, GPU, CPU)) == ["GPU", "GPU", "CPU"]
    first, second, _cpu = model.rows
    assert first.hardware == second.hardware
    assert first != second


def test_that_cards_that_differ_only_in_metadata_are_not_taken_for_each_other(model: HardwareTableModel) -> None:
    other = gpu(device_id=7, metadata=(("pci_bus_id", "0000:02:00.0"),))
    said = (told(other, "no driver"),)
    assert column(model, "Offered by", (FAST,), said, (GPU, other)) == ["Fast [fast]", "no EP"]
    assert column(model, "Not offered by", (FAST,), said, (GPU, other)) == ["–", "Fast (no driver)"]


# ---- Details ----


def test_that_the_details_hold_every_field() -> None:
    assert groups(devices=(FAST, OWN)) == {
        "Hardware": [
            ("type", "GPU"),
            ("vendor", "Maker"),
            ("vendor_id", "0x10DE (4318)"),
            ("device_id", "0x0007 (7)"),
        ],
        "Hardware metadata": [("pci_bus_id", "0000:01:00.0")],
        "Offered by": [("Fast [fast]", "as a device")],
    }


def test_that_the_details_say_what_each_ep_told() -> None:
    said = (
        told(GPU, "no driver", "too old", library="fast", notes="Install it.", error_code=-3),
        told(GPU, "slow", ep_name="Other", offered=True),
        told(GPU, ep_name="Silent"),
        told(CPU, "of other hardware"),
    )
    shown = groups(said)
    assert list(shown)[3:] == ["Fast [fast] does not offer it", "Other warns", "Silent does not offer it"]
    assert shown["Fast [fast] does not offer it"] == [
        ("reason", "no driver"),
        ("reason", "too old"),
        ("notes", "Install it."),
        ("error_code", "-3"),
    ]
    assert shown["Other warns"] == [("reason", "slow")]
    assert shown["Silent does not offer it"] == [("reason", "none given")]


def test_that_hardware_that_nobody_offers_has_an_empty_group_for_it() -> None:
    assert groups()["Offered by"] == []


def test_that_the_hardware_of_a_device_is_found_by_its_record(model: HardwareTableModel) -> None:
    shown = device("key", ep_name="It", vendor_id=5)
    assert column(model, "Offered by", (shown,), hardware=(shown.device,)) == ["It"]
