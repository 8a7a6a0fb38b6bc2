"""The chart of a profile: its bars, its legend, and how it takes colours."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
import pytest
from PySide6.QtGui import QPalette
from pytestqt.qtbot import QtBot

from gui import theme
from gui.models.profile_table import OpRow
from gui.panels.profile_chart import MAX_BARS, ProfileChart
from gui.records.profile import OpTime
from gui.settings import ColorScheme

from ..finding import child, show, shown_texts

CPU = "CPUExecutionProvider"


def row(op_type: str, run_ns: float, ep_name: str = CPU, share: float = 0.1) -> OpRow:
    op = OpTime(op_type=op_type, ep_name=ep_name, node_count=1, total_ns=round(run_ns))
    return OpRow(op=op, run_ns=run_ns, share=share)


class Chart:
    """A chart to be looked at."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.widget = ProfileChart()
        show(qtbot, self.widget, 280, 240)
        self.plot = child(self.widget, pg.PlotWidget, "Time by operator")

    def bars(self) -> list[Any]:
        """From top to bottom."""
        items = [item for item in self.plot.getPlotItem().items if isinstance(item, pg.BarGraphItem)]
        return sorted(items, key=lambda item: item.opts["y"][0])

    def lengths(self) -> list[float]:
        return [float(item.opts["width"][0]) for item in self.bars()]

    def names(self) -> list[str]:
        """Those beside the bars, from top to bottom."""
        return [text for _place, text in self.plot.getAxis("left")._tickLevels[0]]

    def shares(self) -> list[str]:
        items = [item for item in self.plot.getPlotItem().items if isinstance(item, pg.TextItem)]
        return [item.toPlainText() for item in sorted(items, key=lambda item: item.pos().y())]


@pytest.fixture
def chart(qtbot: QtBot) -> Chart:
    return Chart(qtbot)


def test_that_each_operator_has_a_bar_with_its_name_and_share(chart: Chart) -> None:
    chart.widget.show_rows([row("Conv", 6000, share=0.75), row("Add", 2000, share=0.25)], [(CPU, 1.0)])
    assert chart.lengths() == [6000, 2000]
    assert chart.names() == ["Conv", "Add"]
    assert chart.shares() == ["75.0 %", "25.0 %"]
    (left, right), (_top, _bottom) = chart.plot.getViewBox().viewRange()
    assert left <= 0
    assert right > 6000


def test_that_the_slowest_are_on_top_and_the_rest_is_named(chart: Chart) -> None:
    rows = [row(f"Op{number}", 1000 - number) for number in range(MAX_BARS + 3)]
    chart.widget.show_rows(rows, [(CPU, 1.0)])
    assert chart.names() == [f"Op{number}" for number in range(MAX_BARS)]
    assert chart.plot.getViewBox().yInverted()
    assert f"The slowest {MAX_BARS}; all are in the table." in shown_texts(chart.widget)
    chart.widget.show_rows(rows[:2], [(CPU, 1.0)])
    assert len(chart.bars()) == 2
    assert not any("slowest" in text for text in shown_texts(chart.widget))


def test_that_a_long_name_is_cut(chart: Chart) -> None:
    chart.widget.show_rows([row("AVeryLongNameOfAnOperatorIndeed", 1)], [(CPU, 1.0)])
    assert chart.names()[0].endswith("…")
    assert len(chart.names()[0]) < 25


def test_that_eps_differ_by_colour_and_pattern_and_the_legend_names_them(chart: Chart) -> None:
    chart.widget.show_rows([row("Conv", 6000, "Fast"), row("Add", 2000)], [("Fast", 0.75), (CPU, 0.25)])
    one, other = (item.opts["brush"] for item in chart.bars())
    assert one.color() != other.color()
    assert one.style() != other.style()
    wanted = {"Fast 75.0 %", f"{CPU} 25.0 %"}
    chart.qtbot.waitUntil(lambda: wanted <= set(shown_texts(chart.widget)), timeout=1000)
    marks = [chart.widget.marker(name) for name in ("Fast", CPU)]
    assert all(mark is not None for mark in marks)
    pictures = [mark.pixmap(12, 12).toImage() for mark in marks if mark is not None]
    assert pictures[0] != pictures[1]
    assert chart.widget.marker("unheard of") is None


def test_that_without_a_profile_there_is_nothing_to_see(chart: Chart) -> None:
    chart.widget.show_rows([row("Conv", 6000)], [(CPU, 1.0)])
    chart.widget.show_rows([], [])
    assert (chart.bars(), chart.shares(), chart.names()) == ([], [], [])
    assert shown_texts(chart.widget) == []


def test_that_bars_that_take_no_time_are_drawn(chart: Chart) -> None:
    chart.widget.show_rows([row("Add", 0, share=0)], [(CPU, 0.0)])
    assert chart.lengths() == [0]
    assert chart.shares() == ["0.0 %"]


def test_that_ground_bars_and_axis_follow_the_palette(chart: Chart) -> None:
    chart.widget.show_rows([row("Conv", 6000)], [(CPU, 1.0)])

    def colors() -> tuple[str, str, str]:
        return (
            chart.plot.backgroundBrush().color().name(),
            chart.bars()[0].opts["pen"].color().name(),
            chart.plot.getAxis("left").textPen().color().name(),
        )

    light = colors()
    assert light[0] == chart.widget.palette().color(QPalette.ColorRole.Base).name()
    try:
        theme.apply_color_scheme(ColorScheme.DARK)
        dark_ground = theme._palette(dark=True).color(QPalette.ColorRole.Base).name()
        chart.qtbot.waitUntil(lambda: colors()[0] == dark_ground, timeout=1000)
        assert all(dark != before for dark, before in zip(colors(), light, strict=True))
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)
    chart.qtbot.waitUntil(lambda: colors() == light, timeout=1000)
