"""The hardware, offered by an EP or not, and what EPs say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import QTableView, QTreeView
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels.hardware_panel import HardwarePanel
from gui.panels.widgets import TableView
from gui.records.device import Device, DeviceType, HardwareDevice
from gui.settings import ColorScheme
from gui.state import EngineStatus, State

from ..finding import child, click_row, rows_of, show
from ..models.makers import column_named, gpu, told
from ..records.examples import GREETING

CPU = HardwareDevice(type=DeviceType.CPU, vendor="AMD", vendor_id=0x1022)
GPU = gpu(device_id=7)
NPU = HardwareDevice(type=DeviceType.NPU, vendor_id=0x1022)
OWN = Device(ep_name="CPUExecutionProvider", device=CPU, key="cpu")
FAST = Device(ep_name="Fast", device=GPU, library="fast", key="gpu")


class Hands:
    """A panel beside a state."""

    def __init__(self, qtbot: QtBot, state: State) -> None:
        self.qtbot, self.state = qtbot, state
        self.panel = HardwarePanel(state)
        show(qtbot, self.panel, 1100, 300)
        self.view = child(self.panel, QTableView, "Hardware")
        self.tree = child(self.panel, QTreeView, "What EPs say of the selected hardware")

    @property
    def hint(self) -> str:
        assert isinstance(self.view, TableView)
        return self.view.empty_hint

    def column(self, title: str) -> list[str]:
        number = column_named(self.view.model(), title)
        return [row[number] for row in rows_of(self.view.model())]

    def selected(self) -> list[str]:
        return [str(index.data()) for index in self.view.selectionModel().selectedRows()]

    def groups(self) -> dict[str, list[tuple[str, str]]]:
        model = self.tree.model()
        shown = {}
        for row in range(model.rowCount()):
            top = model.index(row, 0)
            pairs = [(model.index(n, 0, top).data(), model.index(n, 1, top).data()) for n in range(model.rowCount(top))]
            shown[str(top.data())] = pairs
        return shown

    def icon(self) -> QImage:
        icon = self.view.model().index(0, 0).data(Qt.ItemDataRole.DecorationRole)
        assert isinstance(icon, QIcon)
        return icon.pixmap(16, 16).toImage()


@pytest.fixture
def hands(qtbot: QtBot, state: State) -> Hands:
    return Hands(qtbot, state)


@pytest.fixture
def filled(hands: Hands) -> Hands:
    """A panel of a processor and two cards, of which one is offered."""
    hands.state.set_hardware((CPU, GPU, NPU))
    hands.state.set_devices((OWN, FAST))
    return hands


# ---- Hints ----


def test_that_an_empty_table_says_that_the_engine_is_starting(hands: Hands) -> None:
    assert rows_of(hands.view.model()) == []
    assert "is starting" in hands.hint
    hands.state.set_engine(EngineStatus.READY, GREETING)
    assert "is starting" in hands.hint  # what it finds is still awaited


def test_that_an_onnxruntime_that_tells_no_hardware_is_said_to(hands: Hands) -> None:
    hands.state.set_devices((OWN,))
    hands.state.set_engine(EngineStatus.READY, GREETING)
    assert "does not tell which hardware" in hands.hint


def test_that_the_hint_follows_the_devices_too(hands: Hands) -> None:
    hands.state.set_engine(EngineStatus.READY, GREETING)
    hands.state.set_devices((OWN,))
    assert "does not tell which hardware" in hands.hint


# ---- Rows ----


def test_that_a_row_is_a_piece_of_hardware_offered_or_not(filled: Hands) -> None:
    assert filled.column("Type") == ["CPU", "GPU", "NPU"]
    assert filled.column("Offered by") == ["CPUExecutionProvider", "Fast [fast]", "no EP"]


def test_that_the_table_follows_hardware_devices_and_what_eps_say(filled: Hands) -> None:
    filled.state.set_devices((OWN,))
    assert filled.column("Offered by") == ["CPUExecutionProvider", "no EP", "no EP"]
    filled.state.set_incompatibilities("fast", (told(GPU, "no driver", library="fast"),))
    assert filled.column("Not offered by") == ["–", "Fast [fast] (no driver)", "–"]
    filled.state.set_incompatibilities("fast", ())
    assert filled.column("Not offered by") == ["–", "–", "–"]
    filled.state.set_hardware((CPU, GPU))
    assert filled.column("Type") == ["CPU", "GPU"]
    filled.state.set_hardware(None)
    assert filled.column("Type") == []


def test_that_a_panel_made_later_shows_what_is_there(qtbot: QtBot, filled: Hands) -> None:
    assert Hands(qtbot, filled.state).column("Type") == ["CPU", "GPU", "NPU"]


def test_that_a_click_on_a_title_sorts_by_number(filled: Hands) -> None:
    header = filled.view.horizontalHeader()
    section = column_named(filled.view.model(), "Device ID")
    point = QPoint(header.sectionViewportPosition(section) + 12, header.height() // 2)
    for _ in range(2):
        filled.qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert filled.column("Device ID") == ["0x0007", "0x0000", "0x0000"]


def test_that_hardware_comes_in_orts_order_until_sorted(hands: Hands) -> None:
    hands.state.set_hardware((NPU, CPU, GPU))
    assert hands.column("Type") == ["NPU", "CPU", "GPU"]


# ---- Selection and details ----


def test_that_the_first_piece_is_selected_at_first(filled: Hands) -> None:
    assert filled.selected() == ["CPU"]
    assert filled.groups()["Offered by"] == [("CPUExecutionProvider", "as a device")]


def test_that_the_details_are_those_of_the_selected_piece(filled: Hands) -> None:
    filled.state.set_incompatibilities("fast", (told(NPU, "no driver", notes="Install it."),))
    click_row(filled.qtbot, filled.view, 2)
    assert filled.groups() == {
        "Hardware": [
            ("type", "NPU"),
            ("vendor", ""),
            ("vendor_id", "0x1022 (4130)"),
            ("device_id", "0x0000 (0)"),
        ],
        "Hardware metadata: none": [],
        "Offered by: none": [],
        "Fast does not offer it": [("reason", "no driver"), ("notes", "Install it.")],
    }


def test_that_the_details_are_those_of_the_selected_row_of_a_sorted_table(filled: Hands) -> None:
    filled.view.sortByColumn(column_named(filled.view.model(), "Type"), Qt.SortOrder.DescendingOrder)
    click_row(filled.qtbot, filled.view, 0)
    assert filled.groups()["Hardware"][0] == ("type", "NPU")


def test_that_news_of_the_selected_piece_show_in_its_details_and_leave_it_selected(filled: Hands) -> None:
    click_row(filled.qtbot, filled.view, 1)
    filled.state.set_incompatibilities("fast", (told(GPU, "old driver", offered=True),))
    assert filled.selected() == ["GPU"]
    assert filled.groups()["Fast warns"] == [("reason", "old driver")]
    filled.state.set_devices((OWN, FAST, replace(FAST, ep_name="Other", library=None)))
    assert filled.selected() == ["GPU"]
    assert dict(filled.groups()["Offered by"]) == {"Fast [fast]": "as a device", "Other": "as a device"}


def test_that_the_first_is_selected_when_the_selected_piece_is_gone(filled: Hands) -> None:
    click_row(filled.qtbot, filled.view, 2)
    filled.state.set_hardware((CPU, GPU))
    assert filled.selected() == ["CPU"]
    assert filled.groups()["Hardware"][0] == ("type", "CPU")


def test_that_there_are_no_details_without_hardware(filled: Hands) -> None:
    filled.state.set_hardware(None)
    assert filled.groups() == {}


# ---- Colours ----


def test_that_icons_follow_the_colours_and_the_selection_stays(filled: Hands) -> None:
    click_row(filled.qtbot, filled.view, 1)
    before = filled.icon()
    try:
        theme.apply_color_scheme(ColorScheme.DARK)
        filled.qtbot.waitUntil(lambda: filled.icon() != before, timeout=1000)
        assert filled.selected() == ["GPU"]
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)
