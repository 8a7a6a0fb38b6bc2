"""Throughput against latency over the sizes of one dimension, with a budget of latency that the user moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QLocale, QSignalBlocker, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from .. import theme
from ..models.comparison_table import ComparisonRow, target_of
from ..models.texts import rate_text, time_text
from .comparison_chart_plot import ComparisonPlot, LatencyAxis, RowsWidget, padded, spans_decade
from .series_legend import LegendEntry, SeriesLegend
from .series_styles import COLOR_COUNT, series_style
from .widgets import ElidedLabel, MutedLabel

_MOST_MS: Final = 1e7
_LEAST_MS: Final = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One target through its sizes."""

    label: str
    rows: tuple[ComparisonRow, ...]
    """Those that were measured, the smallest size first."""

    @property
    def style(self) -> int:
        """How its line is drawn: in the colour of all its rows."""
        return self.rows[0].style % COLOR_COUNT


def sweeps_of(rows: Sequence[ComparisonRow], dimension: str) -> tuple[Sweep, ...]:
    """Return the measured rows by target, those with several sizes and those with one."""
    found: dict[object, list[ComparisonRow]] = {}
    for row in rows:
        if row.rate_per_s is not None and row.items is not None:
            found.setdefault(target_of(row.compared, dimension), []).append(row)
    groups = [tuple(sorted(group, key=lambda row: row.items or 0)) for group in found.values()]
    return tuple(Sweep(label=_shared_label(group), rows=group) for group in groups)


def _shared_label(rows: Sequence[ComparisonRow]) -> str:
    """Return what the labels of a target's rows have in common: all but the size."""
    if len(rows) == 1:
        return rows[0].label
    pieces = [row.label.split(", ") for row in rows]
    same = [piece for piece in pieces[0] if all(piece in others for others in pieces)]
    return ", ".join(same) or rows[0].compared.target_text


class ThroughputChart(RowsWidget):
    """A line a target, a point a size; below it the best within the budget as a sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axis = LatencyAxis("bottom")
        self._plot = ComparisonPlot(self.tr("Throughput over latency"), axes={"bottom": self._axis})
        self._legend = SeriesLegend(self)
        self._budget_line = pg.InfiniteLine(angle=90, movable=True)
        self._budget = QDoubleSpinBox(self)
        self._budget_label = QLabel(self.tr("Latency &budget"), self)
        self._sentence = ElidedLabel(self, cut=Qt.TextElideMode.ElideRight)
        self._hint = MutedLabel(parent=self)
        self._pages = QStackedLayout()
        self._curves: list[Any] = []
        self._sizes: list[Any] = []
        self._sweeps: tuple[Sweep, ...] = ()
        self._dimension: str | None = None
        self._is_set = False
        self._build()
        self._tint()

    def _build(self) -> None:
        self._axis.setLabel(self.tr("Median latency"))
        self._plot.getAxis("left").setLabel(self.tr("Items per second"))
        self._plot.showGrid(x=True, y=True, alpha=0.18)
        self._plot.getAxis("left").enableAutoSIPrefix(False)
        self._plot.addItem(self._budget_line, ignoreBounds=True)
        self._plot.view_all_requested.connect(self._show)
        self._budget_line.setZValue(5)
        self._budget_line.setCursor(Qt.CursorShape.SplitHCursor)
        self._budget_line.sigPositionChanged.connect(self._on_dragged)
        self._budget.setRange(_LEAST_MS, _MOST_MS)
        self._budget.setDecimals(3)
        self._budget.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self._budget.setSuffix(self.tr(" ms"))
        self._budget.setKeyboardTracking(False)
        self._budget.setToolTip(self.tr("How long a run may take by the median; the line in the chart can be dragged"))
        self._budget.valueChanged.connect(self._on_typed)
        self._budget_label.setBuddy(self._budget)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.setMargin(16)
        chart, below = QHBoxLayout(), QHBoxLayout()
        chart.setSpacing(0)
        chart.addWidget(self._plot, 1)
        chart.addWidget(self._legend)
        below.addWidget(self._budget_label)
        below.addWidget(self._budget)
        below.addWidget(self._sentence, 1)
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(chart, 1)
        column.addLayout(below)
        self._pages.addWidget(page)
        self._pages.addWidget(self._hint)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self.setLayout(self._pages)

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What a picture of it shows."""
        return (self._plot, self._legend) if self._sweeps else ()

    @property
    def sentence(self) -> str:
        """The best within the budget; empty without several sizes."""
        return self._sentence.text() if self._sweeps else ""

    @property
    def budget_ns(self) -> float:
        """How long a run may take, nanoseconds."""
        return self._budget.value() * 1e6

    def show_rows(self, rows: Sequence[ComparisonRow], chosen: frozenset[int], dimension: str | None = None) -> None:
        """Show these rows over the sizes of that dimension; None where no sizes differ."""
        self._dimension = dimension
        super().show_rows(rows, chosen)

    def view_all(self) -> None:
        """Show everything again, with a budget that suits it."""
        self._is_set = False
        super().view_all()

    # ---- What is drawn ----

    def _show(self) -> None:
        dimension = self._dimension
        self._sweeps = () if dimension is None else sweeps_of(self._rows, dimension)
        self._pages.setCurrentIndex(0 if self._sweeps else 1)
        if dimension is None or not self._sweeps:
            self._hint.setText(self._hint_text())
            return
        self._plot.getAxis("left").setToolTip(self.tr("Runs per second × {0}").format(dimension))
        points = [row for sweep in self._sweeps for row in sweep.rows]
        medians = [row.statistics.median_ns for row in points if row.statistics is not None]
        self._axis.set_log(spans_decade(medians))
        if not self._is_set:
            self._is_set = True
            self._set_budget(_round_up((min(medians) * max(medians)) ** 0.5))
        x = padded(self._axis.place(min(medians)), self._axis.place(max(medians)), 0.09)
        top = max(row.rate_per_s or 0.0 for row in points)
        line = 2.2 * self.fontMetrics().height()  # the size of the highest point stands above it
        room = min(0.5, line / max(1.0, float(self._plot.getViewBox().height())))
        self._plot.show_range(x, (0.0, top / (1 - room)))
        self._legend.show_entries(
            [LegendEntry(sweep.style, sweep.label, self._is_faded(sweep)) for sweep in self._sweeps]
        )
        self._draw()
        self._place_budget()

    def _hint_text(self) -> str:
        if self._dimension is not None:
            return self.tr("Throughput over latency is drawn as soon as something is measured.")
        return self.tr(
            "Throughput over latency needs several sizes: in Compare, give a free dimension of the model several, "
            "such as 1, 2, 4, 8 for the batch. Each target then becomes a line through its sizes."
        )

    def _is_faded(self, sweep: Sweep) -> bool:
        return bool(self._chosen) and not any(row.number in self._chosen for row in sweep.rows)

    def _draw(self) -> None:
        while len(self._curves) < len(self._sweeps):
            curve = pg.PlotDataItem(symbolSize=9)
            self._plot.addItem(curve)
            self._curves.append(curve)
        for item in self._sizes:
            self._plot.removeItem(item)
        self._sizes = []
        palette = self.palette()
        ground, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        for number, curve in enumerate(self._curves):
            curve.setVisible(number < len(self._sweeps))
            if number >= len(self._sweeps):
                continue
            sweep = self._sweeps[number]
            is_faded = self._is_faded(sweep)
            style = series_style(palette, sweep.style, faded=is_faded)
            places = [self._place(row) for row in sweep.rows]
            curve.setData(
                [x for x, _y in places],
                [y for _x, y in places],
                pen=style.pen(1.8),
                symbol=style.symbol,
                symbolBrush=[pg.mkBrush(style.color if row.is_own else ground) for row in sweep.rows],
                symbolPen=pg.mkPen(style.color, width=1.6),
            )
            color = theme.mixed(text, ground, 0.6) if is_faded else text
            self._sizes += [self._size_item(row, place, color) for row, place in zip(sweep.rows, places, strict=True)]
        for item in self._sizes:
            self._plot.addItem(item, ignoreBounds=True)

    def _place(self, row: ComparisonRow) -> tuple[float, float]:
        median = 0 if row.statistics is None else row.statistics.median_ns
        return self._axis.place(median), row.rate_per_s or 0.0

    def _size_item(self, row: ComparisonRow, place: tuple[float, float], color: QColor) -> Any:
        item = pg.TextItem(QLocale().toString(row.items or 0), anchor=(0.5, 1.15))
        item.setColor(color)
        item.setPos(*place)
        return item

    # ---- The budget ----

    def _set_budget(self, nanoseconds: float) -> None:
        with QSignalBlocker(self._budget):
            self._budget.setValue(nanoseconds / 1e6)

    def _place_budget(self) -> None:
        self._budget_line.blockSignals(True)
        self._budget_line.setPos(self._axis.place(self.budget_ns))
        self._budget_line.blockSignals(False)
        self._say()

    def _on_dragged(self) -> None:
        self._set_budget(self._axis.latency_ns(float(self._budget_line.value())))
        self._say()

    def _on_typed(self) -> None:
        self._place_budget()

    def _say(self) -> None:
        """Say which of what counts as its target's own is the best within the budget."""
        rows = [row for sweep in self._sweeps for row in sweep.rows if row.is_own and row.statistics is not None]
        within = [row for row in rows if _median(row) <= self.budget_ns]
        budget = self.tr("{0} ms").format(QLocale().toString(self._budget.value(), "g", 4))
        if within:
            best = max(within, key=lambda row: row.rate_per_s or 0.0)
            text = self.tr("Within {0}: {1}, {2}.").format(budget, self._named(best), self._rate(best))
        elif rows:
            fastest = min(rows, key=_median)
            text = self.tr("Nothing is within {0}; the fastest is {1} with {2}.").format(
                budget, self._named(fastest), time_text(_median(fastest))
            )
        else:
            text = self.tr("No target ran the model as it should.")
        self._sentence.show_text(text)

    def _named(self, row: ComparisonRow) -> str:
        size = f"{self._dimension} {row.items}"
        return row.label if size in row.label else f"{row.label}, {size}"

    def _rate(self, row: ComparisonRow) -> str:
        return self.tr("{0} items/s").format(rate_text(row.rate_per_s).removesuffix(" /s"))

    def _tint(self) -> None:
        palette = self.palette()
        self._plot.tint(palette)
        color = palette.color(QPalette.ColorRole.Text)
        self._budget_line.setPen(pg.mkPen(color, width=2, style=Qt.PenStyle.DashLine))
        self._budget_line.setHoverPen(pg.mkPen(palette.color(QPalette.ColorRole.Highlight), width=3))
        self._show()


def _median(row: ComparisonRow) -> int:
    return 0 if row.statistics is None else row.statistics.median_ns


def _round_up(nanoseconds: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, …"""
    power = 10.0 ** math.floor(math.log10(max(nanoseconds, 1.0)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= nanoseconds)
