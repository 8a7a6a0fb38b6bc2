"""The charts of a trial: latency over iteration, and the distribution of the latencies. pyqtgraph lives here alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QColor, QPalette, QPen
from PySide6.QtWidgets import QGraphicsView, QHBoxLayout, QSplitter, QWidget

from .. import theme
from ..models.texts import count_text, time_text
from ..records.samples import SampleSeries
from ..records.statistics import LatencyStatistics, histogram
from ..trial_run import LIVE_SAMPLES, TrialRun

_FEWEST_COLUMNS: Final = 200
_SLACK: Final = 0.3
"""While a trial runs, a range is kept as long as it fits and is not larger than needed by more than this share."""
_SECONDS: Final = 1e-9
_BELOW: Final = [(0.0, 0.0), (0.0, 0.0)]
_ABOVE: Final = [(0.0, 1.0), (0.0, 1.0)]
_BESIDE: Final = [(0.0, 0.5), (1.0, 0.5)]
_HUE_SAMPLES, _HUE_MEDIAN, _HUE_P90 = 205, 130, 28


class LatencyCharts(QWidget):
    """Two plots side by side. Redrawing costs the same however many samples there are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trial: TrialRun | None = None
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._over_time = _Plot(self.tr("Latency over iteration"), self.tr("Iteration"), self.tr("Latency"))
        self._distribution = _Plot(self.tr("Histogram of latencies"), self.tr("Latency"), self.tr("Samples"))
        self._samples = pg.PlotCurveItem(connect="all")
        self._bars = pg.PlotCurveItem([0, 1], [0], stepMode="center", fillLevel=0)
        self._beyond = pg.TextItem(anchor=(1, 0))
        self._outside = pg.TextItem(anchor=(1, 0))
        self._median_line = _LevelLine(0, 0.02, _BELOW)
        self._p90_line = _LevelLine(0, 0.02, _ABOVE)
        self._median_bar = _LevelLine(90, 0.93, _BESIDE)
        self._p90_bar = _LevelLine(90, 0.8, _BESIDE)
        self._build()
        self._tint()

    def _build(self) -> None:
        self._over_time.addItem(self._samples)
        self._distribution.addItem(self._bars)
        for line in (self._median_line, self._p90_line):
            self._over_time.addItem(line, ignoreBounds=True)
        for line in (self._median_bar, self._p90_bar):
            self._distribution.addItem(line, ignoreBounds=True)
        self._outside.setParentItem(self._over_time.getViewBox())
        self._beyond.setParentItem(self._distribution.getViewBox())
        self._over_time.getAxis("left").setLabel(self.tr("Latency"), units="s")
        self._distribution.getAxis("bottom").setLabel(self.tr("Latency"), units="s")
        self._over_time.getViewBox().sigResized.connect(self._place_notes)
        self._distribution.getViewBox().sigResized.connect(self._place_notes)
        self._over_time.getViewBox().sigXRangeChanged.connect(self._on_zoomed)
        self.splitter.addWidget(self._over_time)
        self.splitter.addWidget(self._distribution)
        self.splitter.setStretchFactor(0, 5)
        self.splitter.setStretchFactor(1, 3)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    @property
    def plots(self) -> tuple[QGraphicsView, ...]:
        """The two plots."""
        return (self._over_time, self._distribution)

    def add_commands(self, actions: Sequence[QAction]) -> None:
        """Offer commands in the context menu of the plots."""
        for plot in self.plots:
            plot.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
            plot.addActions(actions)

    def show_trial(self, trial: TrialRun | None) -> None:
        """Show a trial from its first to its newest sample; into the one shown already the user may have zoomed."""
        if trial is not self._trial:
            self._over_time.view_all()
            self._distribution.view_all()
        self._trial = trial
        self.redraw_samples()
        self.redraw_histogram()

    def redraw_samples(self) -> None:
        """Draw the samples taken so far."""
        trial = self._trial
        for plot in (self._over_time, self._distribution):
            plot.show_values(trial is not None and len(trial.series) > 0)
        statistics = None if trial is None else trial.statistics()
        if trial is None or statistics is None:
            self._samples.setData([], [])
            self._outside.setText("")
        else:
            self._draw_range(trial.series)
            if self._over_time.follows:
                self._follow(trial, statistics)
        self._show_levels(self._median_line, self._p90_line, statistics)
        self._over_time.prepare()

    def redraw_histogram(self) -> None:
        """Draw the distribution of the samples taken so far."""
        trial = self._trial
        statistics = None if trial is None else trial.statistics()
        found = None if trial is None else histogram(trial.series.subsample(LIVE_SAMPLES))
        if trial is None or found is None:
            self._bars.setData([0, 1], [0])
            self._beyond.setText("")
        else:
            scale = len(trial.series) / max(1, int(found.counts.sum()) + found.beyond)
            self._bars.setData(found.edges_ns * _SECONDS, found.counts * scale)
            beyond = round(found.beyond * scale)
            self._beyond.setText(self.tr("{0} beyond ▸").format(count_text(beyond)) if beyond else "")
            if self._distribution.follows:
                edges = found.edges_ns * _SECONDS
                top = float(found.counts.max()) * scale * 1.06
                self._distribution.show_range((edges[0], edges[-1]), (0, top), exactly=not trial.is_running)
        self._show_levels(self._median_bar, self._p90_bar, statistics)
        self._distribution.prepare()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def _draw_range(self, series: SampleSeries) -> None:
        first, last = 0, len(series)
        if not self._over_time.follows:
            (left, right), _ = self._over_time.getViewBox().viewRange()
            first, last = max(0, int(left) - 2), min(last, int(right) + 3)
        columns = max(_FEWEST_COLUMNS, int(self._over_time.getViewBox().width()))  # more than pixels only cost time
        envelope = series.envelope(first, last, columns)
        x = np.repeat(envelope.starts + 1, 2)
        y = np.empty(len(x))
        y[0::2], y[1::2] = envelope.lows, envelope.highs
        self._samples.setData(x, y * _SECONDS)

    def _follow(self, trial: TrialRun, statistics: LatencyStatistics) -> None:
        """Show all iterations, and latencies up to well beyond p95: slower samples are counted in the corner."""
        right = float(len(trial.series))
        progress = trial.progress if trial.is_running else None
        if progress:
            right = max(right, right / progress)  # where it will end
        spread = max(statistics.p95_ns - statistics.min_ns, statistics.median_ns // 50, 1)
        top = min(statistics.max_ns, statistics.p95_ns + 4 * spread)
        low = statistics.min_ns - 0.1 * (top - statistics.min_ns) - 0.02 * statistics.min_ns  # room for a label
        high = top + 0.12 * (top - statistics.min_ns) + 0.02 * statistics.min_ns
        self._over_time.show_range(
            (0, max(2, right) * 1.01), (low * _SECONDS, high * _SECONDS), exactly=not trial.is_running
        )
        above = int(np.count_nonzero(trial.series.subsample(LIVE_SAMPLES) > high))
        if trial.is_estimate or len(trial.series) > LIVE_SAMPLES:
            text = self.tr("▲ slowest {0}").format(time_text(statistics.max_ns)) if statistics.max_ns > high else ""
        else:
            text = self.tr("▲ %n slower, up to {0}", "", above).format(time_text(statistics.max_ns)) if above else ""
        self._outside.setText(text)

    def _show_levels(self, median: _LevelLine, p90: _LevelLine, statistics: LatencyStatistics | None) -> None:
        for line in (median, p90):
            line.setVisible(statistics is not None)
        if statistics is None:
            return
        median.show_level(statistics.median_ns, self.tr("median {0}").format(time_text(statistics.median_ns)))
        p90.show_level(statistics.p90_ns, self.tr("p90 {0}").format(time_text(statistics.p90_ns)))

    def _on_zoomed(self) -> None:
        if self._trial is not None and not self._over_time.follows:
            self._draw_range(self._trial.series)

    def _place_notes(self) -> None:
        self._outside.setPos(self._over_time.getViewBox().rect().width() - 2, 0)
        below_labels = 5 * self.fontMetrics().height()
        self._beyond.setPos(self._distribution.getViewBox().rect().width() - 2, below_labels)

    def _tint(self) -> None:
        palette = self.palette()
        for plot in (self._over_time, self._distribution):
            plot.tint(palette)
        samples, text = theme.chart_color(palette, _HUE_SAMPLES), palette.color(QPalette.ColorRole.Text)
        self._samples.setPen(pg.mkPen(samples))
        fill = QColor(samples)
        fill.setAlpha(110)
        self._bars.setPen(pg.mkPen(samples))
        self._bars.setBrush(pg.mkBrush(fill))
        for note in (self._outside, self._beyond):
            note.setColor(theme.mixed(text, palette.color(QPalette.ColorRole.Base), 0.25))
            note.fill = pg.mkBrush(palette.color(QPalette.ColorRole.Base))
            note.update()
        for lines, hue, style in (
            ((self._median_line, self._median_bar), _HUE_MEDIAN, Qt.PenStyle.SolidLine),
            ((self._p90_line, self._p90_bar), _HUE_P90, Qt.PenStyle.DashLine),
        ):
            for line in lines:
                line.tint(theme.chart_color(palette, hue), palette.color(QPalette.ColorRole.Base), style)


class _Plot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """A plot that shows everything until the user zooms into it; *View all* lets it follow again."""

    def __init__(self, name: str, x_title: str, y_title: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.follows = True
        self._has_values = False
        self.setMenuEnabled(False)
        self.getAxis("bottom").setLabel(x_title)
        self.getAxis("left").setLabel(y_title)
        self.hideButtons()
        self.setMinimumSize(150, 110)
        self.getViewBox().sigRangeChangedManually.connect(self._on_zoomed)
        self.setToolTip(self.tr("Wheel and drag zoom and move; double-click shows everything again"))
        self.disableAutoRange()
        for side in ("bottom", "left"):
            # Lines only where numbers stand: those between would take most of the time of a frame.
            axis = self.getAxis(side)
            axis.setStyle(autoExpandTextSpace=True, tickTextOffset=4, showValues=False, maxTickLevel=0)

    def show_range(self, x: tuple[float, float], y: tuple[float, float], *, exactly: bool) -> None:
        """Show this range, or keep the one shown where it does as well: drawing the axes anew costs most."""
        shown_x, shown_y = self.getViewBox().viewRange()
        if exactly or not (_is_enough(shown_x, x) and _is_enough(shown_y, y)):
            self.getViewBox().setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)

    def prepare(self) -> None:
        """Place everything now: left to the painting, moved lines would ask for a second one."""
        self.scene().prepareForPaint()

    def show_values(self, shown: bool) -> None:
        """Show or hide the numbers at the axes: without samples they would mean nothing."""
        if shown != self._has_values:
            self._has_values = shown
            self.showGrid(x=shown, y=shown, alpha=0.18)
            for side in ("bottom", "left"):
                self.getAxis(side).setStyle(showValues=shown)

    def view_all(self) -> None:
        """Follow what comes."""
        self.follows = True

    def mouseDoubleClickEvent(self, event: object) -> None:
        """Qt's."""
        super().mouseDoubleClickEvent(event)
        self.view_all()
        charts = self.parent().parent() if self.parent() is not None else None
        if isinstance(charts, LatencyCharts):
            charts.redraw_samples()
            charts.redraw_histogram()

    def tint(self, palette: QPalette) -> None:
        """Take the palette's colours."""
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        text = palette.color(QPalette.ColorRole.Text)
        for side in ("bottom", "left"):
            axis = self.getAxis(side)
            axis.setPen(pg.mkPen(theme.mixed(text, palette.color(QPalette.ColorRole.Base), 0.45)))
            axis.setTextPen(pg.mkPen(text))

    def _on_zoomed(self) -> None:
        self.follows = False


def _is_enough(shown: list[float], wanted: tuple[float, float]) -> bool:
    """Whether what is shown holds what is wanted, and little more."""
    holds = shown[0] <= wanted[0] and wanted[1] <= shown[1]
    return holds and (shown[1] - shown[0]) * (1 - _SLACK) <= wanted[1] - wanted[0]


class _LevelLine(pg.InfiniteLine):  # type: ignore[misc]  # pyqtgraph has no types
    """A line at a latency with its value beside it."""

    def __init__(self, angle: int, position: float, anchors: list[tuple[float, float]]) -> None:
        """`anchors` tell where the text lies: for a line near one side of the view, and near the other."""
        super().__init__(angle=angle, label="", labelOpts={"position": position, "anchors": anchors})
        self.setVisible(False)

    def show_level(self, nanoseconds: float, text: str) -> None:
        """Move to a latency."""
        self.setPos(nanoseconds * _SECONDS)
        if self.label.format != text:
            self.label.setFormat(text)

    def tint(self, color: QColor, ground: QColor, style: Qt.PenStyle) -> None:
        """Take colours and line style."""
        pen: QPen = pg.mkPen(color, width=1.4)
        pen.setStyle(style)
        self.setPen(pen)
        background = QColor(ground)
        background.setAlpha(190)
        self.label.setColor(color)
        self.label.fill = pg.mkBrush(background)
