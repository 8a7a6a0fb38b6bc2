"""The devices: filter, order, selection, details, copies."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QLineEdit, QTableView, QTreeView
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels.devices_panel import DevicesPanel
from gui.records.device import DeviceType, MemoryInfo
from gui.settings import ColorScheme
from gui.state import State

from ..finding import action_named, child, click_index, click_row, rows_of, show, shown_texts
from ..models.makers import column_named, device

CPU = device("cpu", ep_name="CPUExecutionProvider", ep_vendor="Microsoft", version="1.32.0", vendor_id=0x1022)
GPU = device(
    "gpu",
    ep_name="Fast",
    type=DeviceType.GPU,
    vendor="Maker",
    vendor_id=0x10DE,
    device_id=9,
    version="1.10.0",
    metadata=(("driver", "Nouveau"),),
    hardware=(("pci_bus_id", "0000:01:00.0"),),
    ep_options=(("threads", "4"),),
    memory_info=(MemoryInfo(kind="DEFAULT", name="Cuda", fields=(("alignment", "256"),)),),
    library="fast",
)
NPU = device("npu", ep_name="Frugal", type=DeviceType.NPU, vendor_id=0x8086, version="1.9.0", library="frugal")


class Hands:
    """A panel on three devices whose wishes are granted, and what it wished."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.qtbot, self.state = qtbot, state
        self.wishes: list[tuple[str, ...]] = []
        self._refresh = QAction("Refresh devices")
        self.panel = DevicesPanel(state, self._refresh)
        self.panel.selection_requested.connect(self.wishes.append)
        self.panel.selection_requested.connect(state.select_devices)
        show(qtbot, self.panel, 1200, 400)
        state.set_devices((CPU, GPU, NPU))
        self.view = child(self.panel, QTableView, "Devices")
        self.tree = child(self.panel, QTreeView, "Details of the selected device")
        self.filter = child(self.panel, QLineEdit, "Filter devices")

    def names(self) -> list[str]:
        return [row[0] for row in rows_of(self.view.model())]

    def selected(self) -> list[str]:
        return sorted(str(index.data()) for index in self.view.selectionModel().selectedRows())

    def click_header(self, title: str) -> None:
        header = self.view.horizontalHeader()
        x = header.sectionViewportPosition(column_named(self.view.model(), title)) + 8
        point = QPoint(x, header.height() // 2)
        self.qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=point)

    def groups(self) -> dict[str, list[tuple[str, str]]]:
        model = self.tree.model()
        found = {}
        for row in range(model.rowCount()):
            top = model.index(row, 0)
            pairs = [(model.index(n, 0, top).data(), model.index(n, 1, top).data()) for n in range(model.rowCount(top))]
            found[str(top.data())] = pairs
        return found

    def click_detail(self, group: str, key: str) -> None:
        model = self.tree.model()
        top = model.index(list(self.groups()).index(group), 0)
        keys = [model.index(row, 0, top).data() for row in range(model.rowCount(top))]
        click_index(self.qtbot, self.tree, model.index(keys.index(key), 0, top))


@pytest.fixture
def hands(qtbot: QtBot, state: State) -> Hands:
    return Hands(qtbot, state)


# ---- Filter and order ----


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("nouveau", ["Fast"]),
        ("PCI_BUS_ID", ["Fast"]),
        ("alignment 256", ["Fast"]),
        ("threads", ["Fast"]),
        ("0x8086", ["Frugal"]),
        ("microsoft cpu", ["CPUExecutionProvider"]),
        ("npu maker", []),
    ],
)
def test_that_the_filter_looks_through_all_metadata(hands: Hands, words: str, found: list[str]) -> None:
    hands.qtbot.keyClicks(hands.filter, words)
    assert hands.names() == found
    assert f"{len(found)} of 3" in shown_texts(hands.panel)


def test_that_an_empty_filter_shows_all_devices_again(hands: Hands) -> None:
    hands.qtbot.keyClicks(hands.filter, "npu")
    hands.filter.clear()
    assert len(hands.names()) == 3
    assert "3 devices" in shown_texts(hands.panel)


def test_that_a_click_on_a_title_sorts_by_number_and_the_next_the_other_way(hands: Hands) -> None:
    hands.click_header("Vendor ID")
    assert hands.names() == ["CPUExecutionProvider", "Fast", "Frugal"]
    hands.click_header("Vendor ID")
    assert hands.names() == ["Frugal", "Fast", "CPUExecutionProvider"]
    hands.click_header("Version")
    assert hands.names() == ["Frugal", "Fast", "CPUExecutionProvider"]  # 1.9, 1.10, 1.32


def test_that_devices_come_in_orts_order_until_sorted(hands: Hands) -> None:
    hands.state.set_devices((NPU, CPU, GPU))
    assert hands.names() == ["Frugal", "CPUExecutionProvider", "Fast"]


def test_that_focusing_the_filter_selects_what_is_in_it(hands: Hands) -> None:
    hands.filter.setText("old")
    hands.panel.focus_filter()
    assert hands.filter.hasFocus()
    hands.qtbot.keyClicks(hands.filter, "n")
    assert hands.filter.text() == "n"


# ---- Selection ----


def test_that_the_first_device_is_selected_at_first(hands: Hands) -> None:
    assert hands.selected() == ["CPUExecutionProvider"]
    assert hands.wishes == []  # it is the state's choice


def test_that_clicks_ask_for_the_devices_of_their_rows(hands: Hands) -> None:
    hands.click_header("Vendor ID")
    hands.click_header("Vendor ID")
    click_row(hands.qtbot, hands.view, 0)
    click_row(hands.qtbot, hands.view, 1, Qt.KeyboardModifier.ControlModifier)
    assert [set(wish) for wish in hands.wishes] == [{"npu"}, {"npu", "gpu"}]


def test_that_the_selection_survives_a_refresh_in_any_order(hands: Hands) -> None:
    click_row(hands.qtbot, hands.view, 1)
    click_row(hands.qtbot, hands.view, 2, Qt.KeyboardModifier.ControlModifier)
    hands.click_header("EP vendor")
    hands.wishes.clear()
    newer = device("gpu", ep_name="Fast", version="2.0.0", library="fast")
    for devices in ((CPU, newer, NPU), (NPU, newer, CPU), (device("new", ep_name="New"), NPU, newer, CPU)):
        hands.state.set_devices(devices)
        assert hands.selected() == ["Fast", "Frugal"]
        assert set(hands.state.selected_keys) == {"gpu", "npu"}
    assert hands.wishes == []


def test_that_a_selected_device_that_vanishes_is_not_selected_any_more(hands: Hands) -> None:
    click_row(hands.qtbot, hands.view, 1)
    hands.state.set_devices((CPU, NPU))
    assert hands.selected() == ["CPUExecutionProvider"]
    assert hands.state.selected_keys == ("cpu",)


def test_that_a_device_hidden_by_the_filter_does_not_stay_selected_unseen(hands: Hands) -> None:
    click_row(hands.qtbot, hands.view, 1)
    click_row(hands.qtbot, hands.view, 2, Qt.KeyboardModifier.ControlModifier)
    hands.filter.setText("npu")
    assert hands.state.selected_keys == ("npu",)
    assert hands.selected() == ["Frugal"]


def test_that_a_selection_of_the_state_is_shown(hands: Hands) -> None:
    hands.state.select_devices(("npu",))
    assert hands.selected() == ["Frugal"]
    assert hands.groups()["Execution provider"][0] == ("ep_name", "Frugal")
    assert hands.wishes == []


# ---- Details ----


def test_that_the_details_show_every_group_of_the_selected_device(hands: Hands) -> None:
    click_row(hands.qtbot, hands.view, 1)
    assert hands.groups() == {
        "Execution provider": [("ep_name", "Fast"), ("ep_vendor", ""), ("library", "fast")],
        "EP metadata": [("version", "1.10.0"), ("driver", "Nouveau")],
        "EP options": [("threads", "4")],
        "Hardware": [
            ("type", "GPU"),
            ("vendor", "Maker"),
            ("vendor_id", "0x10DE (4318)"),
            ("device_id", "0x0009 (9)"),
        ],
        "Hardware metadata": [("pci_bus_id", "0000:01:00.0")],
        "Memory: DEFAULT": [("name", "Cuda"), ("alignment", "256")],
    }
    model = hands.tree.model()
    assert all(hands.tree.isExpanded(model.index(row, 0)) for row in range(model.rowCount()))


def test_that_groups_without_entries_say_so(hands: Hands) -> None:
    assert hands.groups()["Memory info: none"] == []
    assert hands.groups()["EP options: none"] == []


def test_that_there_are_no_details_without_a_device(hands: Hands) -> None:
    hands.state.select_devices(())
    assert hands.groups() == {}


# ---- Copies ----


@pytest.mark.usefixtures("clipboard")
def test_that_ctrl_c_copies_the_selected_rows_with_titles(hands: Hands) -> None:
    click_row(hands.qtbot, hands.view, 0)
    click_row(hands.qtbot, hands.view, 1, Qt.KeyboardModifier.ControlModifier)
    hands.qtbot.keySequence(hands.view, QKeySequence(QKeySequence.StandardKey.Copy))
    titles, first, second = (line.split("\t") for line in QGuiApplication.clipboard().text().split("\n"))
    assert titles[:3] == ["EP", "Library", "Type"]
    assert dict(zip(titles, first, strict=True))["EP"] == "CPUExecutionProvider"
    assert dict(zip(titles, second, strict=True))["Vendor ID"] == "0x10DE"


@pytest.mark.usefixtures("clipboard")
@pytest.mark.parametrize(
    ("action", "copied"), [("Copy value", "Nouveau"), ("Copy key", "driver"), ("Copy key and value", "driver\tNouveau")]
)
def test_that_key_and_value_of_a_detail_can_be_copied(hands: Hands, action: str, copied: str) -> None:
    click_row(hands.qtbot, hands.view, 1)
    hands.click_detail("EP metadata", "driver")
    action_named(hands.tree, action).trigger()
    assert QGuiApplication.clipboard().text() == copied


@pytest.mark.usefixtures("clipboard")
def test_that_ctrl_c_in_the_details_copies_key_and_value(hands: Hands) -> None:
    click_row(hands.qtbot, hands.view, 1)
    hands.click_detail("Hardware metadata", "pci_bus_id")
    hands.qtbot.keySequence(hands.tree, QKeySequence(QKeySequence.StandardKey.Copy))
    assert QGuiApplication.clipboard().text() == "pci_bus_id\t0000:01:00.0"


# ---- Colours ----


def test_that_icons_and_count_follow_the_colours(hands: Hands) -> None:
    def icon() -> object:
        return hands.view.model().index(0, 2).data(Qt.ItemDataRole.DecorationRole).pixmap(16, 16).toImage()

    before = icon()
    try:
        theme.apply_color_scheme(ColorScheme.DARK)
        hands.qtbot.waitUntil(lambda: icon() != before, timeout=1000)
        assert hands.selected() == ["CPUExecutionProvider"]
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)
