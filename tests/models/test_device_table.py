"""The devices as a table, their proxy and their details."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QIcon, QPixmap
from pytestqt.qtbot import QtBot

from gui.models.device_table import DeviceFilterProxy, DeviceTableModel, device_details
from gui.records.device import DeviceType, MemoryInfo

from .makers import ModelTester, column_named, device, texts


@pytest.fixture
def model() -> DeviceTableModel:
    model = DeviceTableModel(lambda _type: None, lambda _device: None)
    model.set_rows(
        [
            device("a", ep_name="A", vendor_id=0x8086, version="1.10.0", hardware=(("pci_bus_id", "0000:01:00.0"),)),
            device("b", ep_name="B", vendor_id=0x1002, version="1.9.0", metadata=(("os_driver_version", "31.0"),)),
            device("c", ep_name="C", vendor_id=0x10DE, version="1.9.0-beta", ep_options=(("mode", "Turbo"),)),
        ]
    )
    return model


@pytest.fixture
def proxy(model: DeviceTableModel) -> DeviceFilterProxy:
    proxy = DeviceFilterProxy()
    proxy.setSourceModel(model)
    return proxy


def test_that_the_table_keeps_the_rules_of_item_models(model: DeviceTableModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.set_rows([device("c"), device("d")])
    assert model.rowCount() == 2


def test_that_the_proxy_keeps_the_rules_of_item_models(
    model: DeviceTableModel, proxy: DeviceFilterProxy, qtmodeltester: ModelTester
) -> None:
    qtmodeltester.check(proxy)
    proxy.sort(0)
    proxy.set_filter_text("turbo")
    model.set_rows([device("c", ep_name="C", ep_options=(("mode", "Turbo"),)), device("d")])
    assert texts(proxy) == ["C"]
    proxy.set_filter_text("")
    assert proxy.rowCount() == 2


@pytest.mark.parametrize(
    ("title", "ascending"),
    [
        ("EP", ["A", "B", "C"]),
        ("Vendor ID", ["B", "C", "A"]),  # 0x1002, 0x10DE, 0x8086
        ("Version", ["C", "B", "A"]),  # 1.9.0-beta, 1.9.0, 1.10.0
    ],
)
def test_that_columns_sort_by_what_they_mean(proxy: DeviceFilterProxy, title: str, ascending: list[str]) -> None:
    column = column_named(proxy, title)
    proxy.sort(column)
    assert texts(proxy) == ascending
    proxy.sort(column, Qt.SortOrder.DescendingOrder)
    assert texts(proxy) == ascending[::-1]


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.9", "1.10"), ("", "0.1"), ("9.0.0", "10.0.0"), ("1.2.3-rc1", "1.2.3"), ("1.2", "1.2.1"), ("beta", "0.0.1")],
)
def test_that_an_older_version_comes_first(proxy: DeviceFilterProxy, older: str, newer: str) -> None:
    model = proxy.sourceModel()
    assert isinstance(model, DeviceTableModel)
    model.set_rows([device("new", version=newer), device("old", version=older)])
    column = column_named(proxy, "Version")
    proxy.sort(column)
    assert texts(proxy, column) == [older, newer]


def test_that_ids_beyond_31_bits_sort_as_numbers(proxy: DeviceFilterProxy) -> None:
    model = proxy.sourceModel()
    assert isinstance(model, DeviceTableModel)
    model.set_rows([device(str(number), device_id=number) for number in (3, 0xFFFF_FFFF, 2, 0x9000_0000)])
    column = column_named(proxy, "Device ID")
    proxy.sort(column)
    assert texts(proxy, column) == ["0x0002", "0x0003", "0x90000000", "0xFFFFFFFF"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("0000:01", ["A"]),  # hardware metadata, in no column
        ("os_driver_version", ["B"]),  # a key of the EP's metadata
        ("TURBO", ["C"]),  # an EP option
        ("mode c", ["C"]),
        ("turbo 0000:01", []),
        ("0x1002", ["B"]),
        ("4098", ["B"]),  # the same, decimal, as the details show it
    ],
)
def test_that_the_filter_looks_through_all_that_is_known(
    proxy: DeviceFilterProxy, words: str, shown: list[str]
) -> None:
    proxy.set_filter_text(words)
    assert texts(proxy) == shown


def test_that_a_filter_that_matches_still_keeps_the_selection(proxy: DeviceFilterProxy) -> None:
    selection = QItemSelectionModel(proxy)
    flags = QItemSelectionModel.SelectionFlag
    selection.select(proxy.index(1, 0), flags.Select | flags.Rows)
    proxy.set_filter_text("b")
    proxy.set_filter_text("")
    assert [index.data() for index in selection.selectedRows()] == ["B"]


def test_that_the_type_shows_with_its_icon(qtbot: QtBot) -> None:
    pixmap = QPixmap(8, 8)
    pixmap.fill(Qt.GlobalColor.red)
    icon = QIcon(pixmap)
    model = DeviceTableModel(lambda kind: icon if kind is DeviceType.GPU else None, lambda _device: None)
    model.set_rows([device("gpu", type=DeviceType.GPU), device("cpu", type=DeviceType.CPU)])
    column = column_named(model, "Type")
    shown = [model.index(row, column).data(Qt.ItemDataRole.DecorationRole) for row in range(2)]
    assert isinstance(shown[0], QIcon)
    assert shown[0].cacheKey() == icon.cacheKey()
    assert shown[1] is None
    assert texts(model, column) == ["GPU", "CPU"]


def test_that_a_device_of_no_library_is_built_in(model: DeviceTableModel) -> None:
    model.set_rows([device("own"), device("other", library="ggml")])
    assert texts(model, column_named(model, "Library")) == ["built in", "ggml"]


def test_that_a_virtual_device_says_so(model: DeviceTableModel) -> None:
    model.set_rows([device("virtual", hardware=(("is_virtual", "1"),)), device("real")])
    assert texts(model, column_named(model, "Virtual")) == ["virtual", "no"]


def test_that_the_details_hold_every_field() -> None:
    shown = device(
        "key",
        ep_name="Name",
        ep_vendor="Maker",
        metadata=(("m", "1"),),
        ep_options=(("o", "2"),),
        vendor="AMD",
        vendor_id=0x1002,
        device_id=16,
        hardware=(("h", "3"),),
        library="lib",
        memory_info=(MemoryInfo(kind="DEFAULT", name="Cpu", fields=(("alignment", "64"),)),),
    )
    groups = {group.title: dict(group.pairs) for group in device_details(shown)}
    assert groups == {
        "Execution provider": {"ep_name": "Name", "ep_vendor": "Maker", "library": "lib"},
        "EP metadata": {"m": "1"},
        "EP options": {"o": "2"},
        "Hardware": {
            "type": "CPU",
            "vendor": "AMD",
            "vendor_id": "0x1002 (4098)",
            "device_id": "0x0010 (16)",
        },
        "Hardware metadata": {"h": "3"},
        "Memory: DEFAULT": {"name": "Cpu", "alignment": "64"},
    }


def test_that_a_device_without_memory_info_says_so() -> None:
    assert [group.pairs for group in device_details(device("key")) if group.title == "Memory info"] == [()]
