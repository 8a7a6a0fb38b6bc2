"""The dialog that compares two reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QDateTime, QLocale, QPoint, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gui import theme
from gui.dialogs.compare_reports import CompareReportsDialog
from gui.panels.widgets import TableView
from gui.records.device import DeviceType, HardwareDevice
from gui.records.report import DeviceReport
from gui.records.report_changes import ChangeKind, changes_markdown, compare_reports
from gui.settings import ColorScheme

from ..finding import action_named, child, click_row, rows_of, show, shown_texts, wait_until_gone
from ..models.makers import device
from ..records.examples import GREETING

OLD = DeviceReport(
    created="2026-01-02T03:04:05+00:00",
    environment=GREETING,
    libraries=(),
    devices=(device("a", ep_name="A", version="1.9"), device("b", ep_name="B")),
)
NEW = replace(
    OLD,
    created="some day",
    environment=replace(GREETING, onnxruntime="1.33.0", platform="Windows <11>"),
    devices=(device("a", ep_name="A", version="1.10"), device("c", ep_name="C")),
)
ROWS = [
    ["changed", "environment", "onnxruntime", "", "1.32.0", "1.33.0"],
    ["changed", "environment", "Platform", "", "Linux", "Windows <11>"],
    ["changed", "device", "A · CPU", "EP version", "1.9", "1.10"],
    ["came", "device", "C · CPU", "", "–", "vendor 0x0000, device 0x0000"],
    ["went", "device", "B · CPU", "", "vendor 0x0000, device 0x0000", "–"],
]

MakeDialog = Callable[..., CompareReportsDialog]


@pytest.fixture
def make_dialog(qtbot: QtBot) -> MakeDialog:
    def make(old: DeviceReport = OLD, new: DeviceReport = NEW, name: str = "saved.json") -> CompareReportsDialog:
        dialog = CompareReportsDialog(old, name, new)
        show(qtbot, dialog, 900, 520)
        return dialog

    return make


@pytest.fixture
def color_scheme(qtbot: QtBot) -> Iterator[Callable[[ColorScheme], None]]:
    """Change between light and dark; the test leaves it as it was."""
    yield theme.apply_color_scheme
    theme.apply_color_scheme(ColorScheme.SYSTEM)


def view_of(dialog: CompareReportsDialog) -> TableView:
    return child(dialog, TableView, "Changes")


def filter_of(dialog: CompareReportsDialog) -> QLineEdit:
    return child(dialog, QLineEdit, "Filter changes")


def test_that_the_headline_counts_the_changes(make_dialog: MakeDialog) -> None:
    assert "1 device came, 1 device went, 3 values changed." in shown_texts(make_dialog())


def test_that_it_tells_what_is_compared(make_dialog: MakeDialog) -> None:
    said = shown_texts(make_dialog(name="<b>saved</b>.json"))
    then, now = (next(text for text in said if text.startswith(start)) for start in ("Then: ", "Now: "))
    created = QDateTime.fromString(OLD.created, Qt.DateFormat.ISODate).toLocalTime()
    time = QLocale().toString(created, QLocale.FormatType.ShortFormat)
    assert then == f"Then: <b>saved</b>.json, {time}, onnxruntime 1.32.0, Linux"
    assert now == "Now: some day, onnxruntime 1.33.0, Windows <11>"  # no time: as it is written


def test_that_what_a_file_says_is_never_taken_for_markup(make_dialog: MakeDialog) -> None:
    dialog = make_dialog(name="<b>saved</b>.json")
    shown = [label for label in dialog.findChildren(QLabel) if "<b>" in label.text() or "<11>" in label.text()]
    assert [label.textFormat() for label in shown] == [Qt.TextFormat.PlainText] * 2


def test_that_the_changes_show_in_the_order_in_which_they_are_told(make_dialog: MakeDialog) -> None:
    dialog = make_dialog()
    assert rows_of(view_of(dialog).model()) == ROWS


def test_that_a_click_on_a_title_sorts(qtbot: QtBot, make_dialog: MakeDialog) -> None:
    dialog = make_dialog()
    view = view_of(dialog)
    header = view.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(2) + 12, header.height() // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert [row[2] for row in rows_of(view.model())] == ["A · CPU", "B · CPU", "C · CPU", "onnxruntime", "Platform"]


def test_that_the_filter_is_one_shortcut_away_and_counts_what_it_leaves(qtbot: QtBot, make_dialog: MakeDialog) -> None:
    dialog = make_dialog()
    assert not any(text.endswith(" of 5") for text in shown_texts(dialog))
    qtbot.keyClick(dialog, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert filter_of(dialog).hasFocus()
    qtbot.keyClicks(filter_of(dialog), "device cpu")
    assert rows_of(view_of(dialog).model()) == ROWS[2:]
    assert "3 of 5" in shown_texts(dialog)
    filter_of(dialog).clear()
    assert rows_of(view_of(dialog).model()) == ROWS
    assert not any(text.endswith(" of 5") for text in shown_texts(dialog))


def test_that_enter_in_the_filter_does_not_close_the_dialog(qtbot: QtBot, make_dialog: MakeDialog) -> None:
    dialog = make_dialog()
    QGuiApplication.clipboard().clear()
    filter_of(dialog).setFocus()
    qtbot.keyClick(filter_of(dialog), Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert not QGuiApplication.clipboard().text()


def test_that_equal_reports_are_said_to_be_equal(make_dialog: MakeDialog) -> None:
    dialog = make_dialog(OLD, OLD)
    assert "Nothing has changed." in shown_texts(dialog)
    assert view_of(dialog).model().rowCount() == 0
    assert view_of(dialog).empty_hint == "Nothing has changed."


def test_that_a_filter_that_leaves_nothing_is_not_said_to_be_no_change(make_dialog: MakeDialog) -> None:
    dialog = make_dialog()
    filter_of(dialog).setText("nowhere")
    assert view_of(dialog).model().rowCount() == 0
    assert view_of(dialog).empty_hint == "No change holds these words."


def test_that_all_changes_are_copied_as_markdown_whatever_the_filter_hides(
    qtbot: QtBot, make_dialog: MakeDialog
) -> None:
    QGuiApplication.clipboard().clear()
    dialog = make_dialog()
    filter_of(dialog).setText("came")
    qtbot.mouseClick(child(dialog, QPushButton, "Copy"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == changes_markdown(compare_reports(OLD, NEW), OLD, NEW)


def test_that_selected_rows_are_copied_as_a_table_is(qtbot: QtBot, make_dialog: MakeDialog) -> None:
    dialog = make_dialog()
    view = view_of(dialog)
    click_row(qtbot, view, 2)
    action_named(view, "Copy rows").trigger()
    assert QGuiApplication.clipboard().text() == "\t".join(ROWS[2])


def test_that_the_whole_value_is_in_the_tip(make_dialog: MakeDialog) -> None:
    long = "x" * 300
    old, new = (replace(OLD, environment=replace(GREETING, cpu=name)) for name in ("y", long))
    dialog = make_dialog(old, new)
    model = view_of(dialog).model()
    assert model.index(0, 5).data(Qt.ItemDataRole.ToolTipRole) == long


def test_that_it_leaves_the_window_to_be_used(qtbot: QtBot) -> None:
    window = QWidget()
    show(qtbot, window, 400, 300)
    dialog = CompareReportsDialog(OLD, "saved.json", NEW, window)
    dialog.show()
    assert not dialog.isModal()
    assert dialog.windowTitle() == "Changes since saved.json"
    dialog.close()
    wait_until_gone(qtbot, dialog)


def test_that_it_is_wide_enough_for_its_columns_at_first(qtbot: QtBot) -> None:
    long = "a long value, as the names of processors and files are, " * 3
    old = replace(OLD, devices=tuple(replace(entry, ep_vendor=long) for entry in OLD.devices))
    dialog = CompareReportsDialog(old, "saved.json", replace(NEW, environment=replace(GREETING, cpu=long)))
    qtbot.addWidget(dialog)
    assert dialog.size() == QSize(900, 520)
    with qtbot.waitExposed(dialog):
        dialog.show()
    assert view_of(dialog).horizontalScrollBar().maximum() == 0


@pytest.mark.parametrize("close", ["click", "escape"])
def test_that_the_dialog_closes_for_good(qtbot: QtBot, make_dialog: MakeDialog, close: str) -> None:
    dialog = make_dialog()
    if close == "click":
        qtbot.mouseClick(child(dialog, QPushButton, "Close"), Qt.MouseButton.LeftButton)
    else:
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    wait_until_gone(qtbot, dialog)


def test_that_the_icons_follow_the_colours(
    qtbot: QtBot, make_dialog: MakeDialog, color_scheme: Callable[[ColorScheme], None]
) -> None:
    dialog = make_dialog()
    model = view_of(dialog).model()

    def lightness() -> float:
        image = model.index(0, 0).data(Qt.ItemDataRole.DecorationRole).pixmap(16, 16).toImage()
        drawn = [image.pixelColor(x, y) for x in range(16) for y in range(16) if image.pixelColor(x, y).alpha() > 200]
        return float(sum(color.lightness() for color in drawn) / len(drawn))

    color_scheme(ColorScheme.LIGHT)
    qtbot.waitUntil(lambda: lightness() < 100, timeout=5000)
    color_scheme(ColorScheme.DARK)
    qtbot.waitUntil(lambda: lightness() > 150, timeout=5000)


def test_that_each_kind_of_change_has_an_icon_of_its_own() -> None:
    pictures = [theme.icon(kind.value).pixmap(16, 16).toImage() for kind in ChangeKind]
    assert all(pictures[a] != pictures[b] for a, b in ((0, 1), (0, 2), (1, 2)))
    empty = QImage(pictures[0].size(), pictures[0].format())
    empty.fill(Qt.GlobalColor.transparent)
    assert empty not in pictures


def test_that_a_thousand_equal_devices_show(make_dialog: MakeDialog) -> None:
    card = HardwareDevice(type=DeviceType.GPU, vendor="Maker", metadata=(("driver", "30"),))
    newer = replace(card, metadata=(("driver", "31"),))
    old, new = (
        replace(OLD, devices=tuple(replace(device(f"{hardware}#{n}"), device=hardware) for n in range(1024)))
        for hardware in (card, newer)
    )
    dialog = make_dialog(old, new)
    assert "1024 values changed." in shown_texts(dialog)
    assert view_of(dialog).model().rowCount() == 1024
    assert view_of(dialog).model().index(1023, 2).data() == "Ep · GPU Maker #1024"
