"""Charts with a row a cell: the medians with their intervals, and the distributions as boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QStyleOptionGraphicsItem, QWidget

from .. import theme
from ..models.comparison_table import ComparisonRow, doubt_text, outcome_text, ratio_text
from ..models.texts import DASH, time_text
from ..records.samples import Nanoseconds
from ..trial_run import LIVE_SAMPLES
from .comparison_chart_plot import ComparisonPlot, LatencyAxis, WholeViewItem, padded, spans_decade
from .series_styles import series_style

_ROW_HEIGHT: Final = 1.15
"""Lines of text that a row takes at least."""
_AXIS_HEIGHT: Final = 1.7
"""The same of the axis below them."""
_FEWEST: Final = 3
"""Of fewer the rows lie no farther apart."""
_LABEL_SHARE: Final = 0.34
"""Of the width, that a label may take."""
_BOX: Final = 0.5
_DOT: Final = 4.5
"""Its radius, pixels."""
_ENDED_SAMPLES: Final = 200_000
"""From so many, spread evenly, the box of an ended trial is drawn: to the pixel it is that of all."""
_QUANTILES: Final = (5, 25, 50, 75, 95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is drawn of a row; places on the axis of latencies. Without a box it is an interval with a dot."""

    line: int
    middle: float
    reach: tuple[float, float] | None
    """The interval, or the whiskers."""
    box: tuple[float, float] | None = None
    color: QColor
    is_hollow: bool = False


class ShapesItem(WholeViewItem):
    """Draws the shapes of all rows."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: tuple[Shape, ...] = ()
        self._ground = QColor()

    def set_shapes(self, shapes: Sequence[Shape], ground: QColor) -> None:
        """Draw these, hollow ones on the ground's colour."""
        self.prepareGeometryChange()
        self.shapes, self._ground = tuple(shapes), ground
        self.update()

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Qt's; in pixels, so that ends and dots are round and no thicker where the view is stretched."""
        transform = painter.transform()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for shape in self.shapes:
            middle = transform.map(QPointF(shape.middle, shape.line))
            if shape.reach is not None:
                left, right = (transform.map(QPointF(end, shape.line)) for end in shape.reach)
                self._paint_reach(painter, shape, left, right)
            if shape.box is None:
                painter.setPen(QPen(shape.color, 2))
                painter.setBrush(self._ground if shape.is_hollow else shape.color)
                painter.drawEllipse(middle, _DOT, _DOT)
                continue
            low = transform.map(QPointF(shape.box[0], shape.line - _BOX / 2))
            high = transform.map(QPointF(shape.box[1], shape.line + _BOX / 2))
            box = QRectF(low, high).normalized()
            fill = theme.mixed(shape.color, self._ground, 1.0 if shape.is_hollow else 0.6)
            painter.setPen(QPen(shape.color, 1.2))
            painter.setBrush(fill)
            painter.drawRect(box)
            painter.setPen(QPen(shape.color, 2.6))
            painter.drawLine(QPointF(middle.x(), box.top()), QPointF(middle.x(), box.bottom()))
        painter.restore()

    def _paint_reach(self, painter: QPainter, shape: Shape, left: QPointF, right: QPointF) -> None:
        painter.setPen(QPen(shape.color, 1.4 if shape.box else 2.2))
        painter.drawLine(left, right)
        if shape.box is None and right.x() - left.x() < 4 * _DOT:
            return  # its ends lie within the dot, or so near that they would only blur it
        for end in (left, right):
            painter.drawLine(end - QPointF(0, _DOT), end + QPointF(0, _DOT))


class RowsChart(QScrollArea):
    """A row a cell, its label on the left; rows that do not fit are scrolled to."""

    def __init__(self, *, has_texts: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axis = LatencyAxis("bottom")
        self.plot = ComparisonPlot("", axes={"bottom": self._axis}, can_zoom=False)
        self._item = ShapesItem()
        self._texts: list[Any] = []
        self._has_texts = has_texts
        self._baseline = pg.InfiniteLine(angle=90)
        self._rows: tuple[ComparisonRow, ...] = ()
        self._build()

    def _build(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(self.plot)
        self.plot.getViewBox().invertY(True)
        self.plot.getAxis("left").setStyle(tickLength=0)
        self.plot.showGrid(x=True, y=False, alpha=0.18)
        self.plot.addItem(self._baseline, ignoreBounds=True)
        self.plot.addItem(self._item, ignoreBounds=True)
        self._baseline.setVisible(False)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What is drawn."""
        return self._item.shapes

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What a picture of it shows."""
        return (self.plot,)

    @property
    def axis(self) -> LatencyAxis:
        """That of the latencies."""
        return self._axis

    def show_shapes(
        self, rows: Sequence[ComparisonRow], shapes: Sequence[Shape], x: tuple[float, float], texts: Sequence[str]
    ) -> None:
        """Show the rows in their order, with these shapes, and a text beside each."""
        self._rows = tuple(rows)
        line = self.fontMetrics().height()
        self.plot.setMinimumHeight(round((max(_FEWEST, len(rows)) * _ROW_HEIGHT + _AXIS_HEIGHT) * line))
        self.plot.show_range(x, (-0.6, max(_FEWEST, len(rows)) - 0.4))
        self._item.set_shapes(shapes, self.palette().color(QPalette.ColorRole.Base))
        self._show_labels()
        if self._has_texts:
            self._show_texts(shapes, x, texts)
        baselines = [row for row in rows if row.is_baseline and row.statistics is not None]
        self._baseline.setVisible(len(baselines) == 1)
        if len(baselines) == 1 and baselines[0].statistics is not None:
            self._baseline.setPos(self._axis.place(baselines[0].statistics.median_ns))

    def tint(self) -> None:
        """Take the palette's colours."""
        palette = self.palette()
        self.plot.tint(palette)
        color = theme.mixed(palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base), 0.45)
        self._baseline.setPen(pg.mkPen(color, style=Qt.PenStyle.DashLine))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; labels are cut anew."""
        super().resizeEvent(event)
        self._show_labels()

    def _show_labels(self) -> None:
        metrics, room = self.fontMetrics(), int(self.width() * _LABEL_SHARE)
        cut = Qt.TextElideMode.ElideMiddle
        labels = [(number, metrics.elidedText(row.label, cut, room)) for number, row in enumerate(self._rows)]
        self.plot.getAxis("left").setTicks([labels])

    def _show_texts(self, shapes: Sequence[Shape], x: tuple[float, float], texts: Sequence[str]) -> None:
        """Write beside each shape, on the side where there is more room."""
        while len(self._texts) < len(texts):
            item = pg.TextItem()
            self.plot.addItem(item, ignoreBounds=True)
            self._texts.append(item)
        palette = self.palette()
        text_color, ground = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base)
        muted = theme.mixed(text_color, ground, 0.35)
        ground.setAlpha(200)
        by_line = {shape.line: shape for shape in shapes}
        for number, item in enumerate(self._texts):
            item.setVisible(number < len(texts))
            if number >= len(texts):
                continue
            shape = by_line.get(number)
            item.setText(texts[number])
            item.setColor(muted if shape is None else text_color)
            item.fill = pg.mkBrush(ground)
            if shape is None:
                place, anchor = x[0], (0.0, 0.5)
            else:
                ends = (shape.middle, shape.middle) if shape.reach is None else shape.reach
                is_right = sum(ends) / 2 > sum(x) / 2
                place, anchor = (ends[0], (1.06, 0.5)) if is_right else (ends[1], (-0.06, 0.5))
            item.setAnchor(anchor)
            item.setPos(place, number)


# ---- The medians ----


class MediansChart(RowsChart):
    """The median of each row with its 95 % interval, and how it compares with the baseline."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(has_texts=True, parent=parent)
        self.plot.setAccessibleName(self.tr("Medians with intervals"))
        self.axis.setLabel(self.tr("Median latency with its 95 % interval"))

    def show_rows(self, rows: Sequence[ComparisonRow], chosen: frozenset[int]) -> None:
        """Show these rows; where some are chosen the others step back."""
        found = [row.statistics for row in rows if row.statistics is not None]
        self.axis.set_log(spans_decade(statistics.median_ns for statistics in found))
        shapes = [
            self._shape(line, row, bool(chosen) and row.number not in chosen)
            for line, row in enumerate(rows)
            if row.statistics is not None
        ]
        ends = [end for shape in shapes for end in (shape.middle, *(shape.reach or ()))]
        x = padded(min(ends), max(ends), 0.12) if ends else (0.0, 1.0)
        self.plot.getAxis("bottom").setStyle(showValues=bool(ends))
        self.show_shapes(rows, shapes, x, [_text_of(row) for row in rows])

    def _shape(self, line: int, row: ComparisonRow, is_faded: bool) -> Shape:
        statistics, axis = row.statistics, self.axis
        assert statistics is not None  # noqa: S101  # only rows with statistics have a shape
        low, high = statistics.median_low_ns, statistics.median_high_ns
        return Shape(
            line=line,
            middle=axis.place(statistics.median_ns),
            reach=None if low is None or high is None else (axis.place(low), axis.place(high)),
            color=series_style(self.palette(), row.style, faded=is_faded).color,
            is_hollow=not row.is_own,
        )


def _text_of(row: ComparisonRow) -> str:
    if row.statistics is None:
        return outcome_text(row)
    ratio, doubt = ratio_text(row), doubt_text(row)
    parts = (time_text(row.statistics.median_ns), "" if ratio == DASH else ratio, doubt)
    return "  ·  ".join(part for part in parts if part)


# ---- The distributions ----


class BoxesChart(RowsChart):
    """The distribution of each row: whiskers from p5 to p95, the box between the quartiles, the median in it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(has_texts=False, parent=parent)
        self.plot.setAccessibleName(self.tr("Distributions as boxes"))
        self.plot.setToolTip(self.tr("Whiskers: p5 to p95; box: the quartiles; the thick line: the median"))
        self.axis.setLabel(self.tr("Latency"))
        self._quantiles: dict[str, tuple[int, bool, tuple[float, ...]]] = {}

    def show_rows(self, rows: Sequence[ComparisonRow], chosen: frozenset[int]) -> None:
        """Show these rows; where some are chosen the others step back."""
        found = {row.number: self._quantiles_of(row) for row in rows if row.statistics is not None}
        self._quantiles = {key: value for key, value in self._quantiles.items() if any(r.trial.id == key for r in rows)}
        self.axis.set_log(spans_decade(value for values in found.values() for value in values))
        shapes = []
        for line, row in enumerate(rows):
            if row.number in found:
                p5, q1, median, q3, p95 = (self.axis.place(value) for value in found[row.number])
                is_faded = bool(chosen) and row.number not in chosen
                color = series_style(self.palette(), row.style, faded=is_faded).color
                shapes.append(
                    Shape(
                        line=line, middle=median, reach=(p5, p95), box=(q1, q3), color=color, is_hollow=not row.is_own
                    )
                )
        ends = [end for shape in shapes for end in shape.reach or ()]
        x = padded(min(ends), max(ends)) if ends else (0.0, 1.0)
        self.plot.getAxis("bottom").setStyle(showValues=bool(ends))
        self.show_shapes(rows, shapes, x, ())

    def _quantiles_of(self, row: ComparisonRow) -> tuple[float, ...]:
        trial = row.trial
        kept = self._quantiles.get(trial.id)
        if kept is None or kept[:2] != (len(trial.series), trial.is_running):
            samples = evenly(row)
            values = tuple(float(value) for value in np.percentile(samples, _QUANTILES, method="inverted_cdf"))
            kept = self._quantiles[trial.id] = (len(trial.series), trial.is_running, values)
        return kept[2]


def evenly(row: ComparisonRow) -> Nanoseconds:
    """Return the samples that the distribution of a row is drawn from, shape (n,), nanoseconds."""
    return row.trial.series.subsample(LIVE_SAMPLES if row.trial.is_running else _ENDED_SAMPLES)
