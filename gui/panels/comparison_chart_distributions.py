"""The distributions of a comparison's rows side by side: boxes, and the share of runs up to each latency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from ..models.comparison_table import ComparisonRow
from ..records.samples import Nanoseconds
from .comparison_chart_plot import ComparisonPlot, LatencyAxis, RowsWidget, padded
from .comparison_chart_rows import BoxesChart, evenly
from .series_styles import series_style

_POINTS: Final = 500
"""A curve is drawn with at most so many steps."""
_TAIL: Final = 4.0
"""Beyond p95 so many times its distance from the median is shown, unless the user zooms out."""


class DistributionsChart(RowsWidget):
    """Boxes on the left, which name the rows, and cumulative distributions on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes = BoxesChart(self)
        self._axis = LatencyAxis("bottom")
        self._plot = ComparisonPlot(self.tr("Share of runs up to a latency"), axes={"bottom": self._axis})
        self._curves: list[Any] = []
        self._steps: dict[str, tuple[int, bool, Nanoseconds, npt.NDArray[np.float64]]] = {}
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._build()
        self._tint()

    def _build(self) -> None:
        self._axis.setLabel(self.tr("Latency"))
        left = self._plot.getAxis("left")
        left.setLabel(self.tr("Share of runs"))
        shares = (0, 25, 50, 75, 100)
        left.setTicks([[(share / 100, self.tr("{0} %").format(share)) for share in shares]])
        self._plot.showGrid(x=True, y=True, alpha=0.18)
        self._plot.view_all_requested.connect(self._show)
        self.splitter.addWidget(self._boxes)
        self.splitter.addWidget(self._plot)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([500, 400])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What a picture of it shows."""
        return (self._boxes.plot, self._plot)

    def _show(self) -> None:
        rows = [row for row in self._rows if row.statistics is not None]
        self._boxes.show_rows(self._rows, self._chosen)
        self._axis.set_log(self._boxes.axis.is_log)
        shown = {row.trial.id for row in rows}
        self._steps = {key: value for key, value in self._steps.items() if key in shown}
        while len(self._curves) < len(rows):
            curve = pg.PlotCurveItem(connect="all", skipFiniteCheck=True)
            self._plot.addItem(curve)
            self._curves.append(curve)
        for number, curve in enumerate(self._curves):
            curve.setVisible(number < len(rows))
            if number < len(rows):
                self._show_curve(curve, rows[number])
        for side in ("bottom", "left"):
            self._plot.getAxis(side).setStyle(showValues=bool(rows))
        self._plot.show_range(self._reach(rows), (-0.09, 1.1))

    def _show_curve(self, curve: Any, row: ComparisonRow) -> None:
        is_faded = bool(self._chosen) and row.number not in self._chosen
        steps, shares = self._steps_of(row)
        curve.setPen(series_style(self.palette(), row.style, faded=is_faded).pen(1.6))
        curve.setZValue(0 if is_faded else 1)
        curve.setData(self._axis.places(steps), shares)

    def _steps_of(self, row: ComparisonRow) -> tuple[Nanoseconds, npt.NDArray[np.float64]]:
        """Return the corners of the curve: at each latency it rises by the share of the runs that took so long."""
        trial = row.trial
        kept = self._steps.get(trial.id)
        if kept is None or kept[:2] != (len(trial.series), trial.is_running):
            samples = np.sort(evenly(row))
            count = len(samples)
            ranks = np.unique(np.linspace(0, count - 1, min(count, _POINTS)).round().astype(np.int64))
            shares = np.empty(2 * len(ranks))
            shares[1::2] = (ranks + 1) / count
            shares[0], shares[2::2] = 0.0, shares[1:-1:2]
            kept = self._steps[trial.id] = (len(trial.series), trial.is_running, np.repeat(samples[ranks], 2), shares)
        return kept[2], kept[3]

    def _reach(self, rows: Sequence[ComparisonRow]) -> tuple[float, float]:
        """Return the range from the fastest sample to well beyond p95: a few slow ones would press all others."""
        lows, highs = [], []
        for row in rows:
            if row.statistics is not None:
                statistics = row.statistics
                beyond = statistics.p95_ns + _TAIL * (statistics.p95_ns - statistics.median_ns)
                lows.append(self._axis.place(statistics.min_ns))
                highs.append(self._axis.place(min(statistics.max_ns, beyond)))
        return padded(min(lows), max(highs), 0.03) if lows else (0.0, 1.0)

    def _tint(self) -> None:
        self._boxes.tint()
        self._plot.tint(self.palette())
        self._show()
