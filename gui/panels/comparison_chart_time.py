"""The latencies of all rows over time, one over the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPalette, QPen, QTransform
from PySide6.QtWidgets import QHBoxLayout, QStyleOptionGraphicsItem, QWidget

from .. import theme
from ..models.comparison_table import ComparisonRow
from ..models.texts import time_text
from ..records.comparison import ComparisonPart
from .comparison_chart_lines import Seconds, TimeLine
from .comparison_chart_plot import ComparisonPlot, LatencyAxis, RowsWidget, WholeViewItem, padded, spans_decade
from .series_legend import LegendEntry, SeriesLegend
from .series_styles import SeriesStyle, series_style

_COLUMNS: Final = 5000
"""Of all rows together; and no more of one than the plot has pixels."""
_FEWEST_COLUMNS: Final = 150
_MARKED: Final = 400
"""Medians of rounds get marks as long as there are no more of them."""
_MEDIANS: Final = 200
"""Of a row, at most, for the line through them."""
_ENVELOPE_ALPHA: Final = 120
_MARK: Final = 3.2
"""The radius of a mark, pixels."""
_TAIL: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is drawn of a row, in the places of the plot."""

    envelope: QPainterPath
    times_s: Seconds
    medians: Seconds
    """The places of the medians of its rounds at these times, shape (n,)."""
    style: SeriesStyle
    is_faded: bool


class LinesItem(WholeViewItem):
    """Draws the lines of all rows."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[Line, ...] = ()
        self._has_marks = False

    def set_lines(self, lines: Sequence[Line], *, has_marks: bool) -> None:
        """Draw these, the last on top; with a mark at each median, or without."""
        self.prepareGeometryChange()
        self.lines, self._has_marks = tuple(lines), has_marks
        self.update()

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Qt's."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for line in self.lines:
            color = QColor(line.style.color)
            color.setAlpha(_ENVELOPE_ALPHA // (3 if line.is_faded else 1))
            pen = QPen(color, 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawPath(line.envelope)
        transform, view = painter.transform(), self.viewRect()
        painter.save()
        painter.resetTransform()
        for line in self.lines:
            self._paint_medians(painter, line, transform, view)
        painter.restore()

    def _paint_medians(self, painter: QPainter, line: Line, transform: QTransform, view: QRectF) -> None:
        first, last = np.searchsorted(line.times_s, (view.left(), view.right()))
        seen = slice(max(0, int(first) - 1), int(last) + 1)
        places = zip(line.times_s[seen].tolist(), line.medians[seen].tolist(), strict=True)
        points = [transform.map(QPointF(x, y)) for x, y in places]
        painter.setPen(line.style.pen(1.0))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        # Two thin lines, one below the other: Qt draws those many times faster than a thick one.
        painter.drawPolyline(points)
        painter.drawPolyline([point + QPointF(0, 1) for point in points])
        if self._has_marks or len(line.times_s) == 1:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(line.style.color)
            for point in points:
                painter.drawEllipse(point, _MARK, _MARK)


class OverTimeChart(RowsWidget):
    """For each row the fastest and slowest of each stretch of time, and a line through the medians of its rounds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axis = LatencyAxis("left")
        self._plot = ComparisonPlot(
            self.tr("Latency over time"), axes={"left": self._axis, "bottom": LatencyAxis("bottom")}
        )
        self._legend = SeriesLegend(self)
        self._slower = pg.TextItem(anchor=(1, 0))
        self._lines: dict[str, TimeLine] = {}
        self._item = LinesItem()
        self._build()
        self._tint()

    def _build(self) -> None:
        self._axis.setLabel(self.tr("Latency"))
        box = self._plot.getViewBox()
        self._plot.showGrid(x=True, y=True, alpha=0.18)
        self._plot.addItem(self._item, ignoreBounds=True)
        self._slower.setParentItem(box)
        self._plot.view_all_requested.connect(self._show)
        box.sigXRangeChanged.connect(self._on_zoomed)
        box.sigResized.connect(self._place_note)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._plot, 1)
        layout.addWidget(self._legend)

    @property
    def plot(self) -> ComparisonPlot:
        """The plot."""
        return self._plot

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What a picture of it shows."""
        return (self._plot, self._legend)

    # ---- What is drawn ----

    def _show(self) -> None:
        drawn = self._update_lines()
        self._axis.set_log(spans_decade(row.statistics.median_ns for row in drawn if row.statistics is not None))
        self._legend.show_entries([LegendEntry(row.style, row.label, self._is_faded(row)) for row in drawn])
        for side in ("bottom", "left"):
            self._plot.getAxis(side).setStyle(showValues=bool(drawn))
        self._follow(drawn)
        self._draw(drawn)

    def _update_lines(self) -> list[ComparisonRow]:
        """Take what has come since; return the rows of which there is something to draw."""
        began = _beginnings(self._rows)
        shared = len(began) == 1 and all(_is_by_turns(row) for row in self._rows)
        self._plot.getAxis("bottom").setLabel(
            self.tr("Time since the comparison began") if shared else self.tr("Time since its own beginning")
        )
        self._lines = {row.trial.id: self._lines.get(row.trial.id) or TimeLine() for row in self._rows}
        for row in self._rows:
            part = row.compared.part
            origin = began.get(part.id) if part is not None and not part.is_alone else None
            self._lines[row.trial.id].update(row.trial, origin)
        return [row for row in self._rows if self._lines[row.trial.id].end_s > 0 and row.statistics is not None]

    def _follow(self, rows: Sequence[ComparisonRow]) -> None:
        """Show all times, and latencies up to well beyond p95: how long slower ones took is said in the corner."""
        found = [row.statistics for row in rows if row.statistics is not None]
        if not found:
            self._slower.setText("")
            return
        tops = [min(it.max_ns, it.p95_ns + _TAIL * max(it.p95_ns - it.median_ns, it.median_ns // 50)) for it in found]
        low, high = min(it.min_ns for it in found), max(tops)
        end = max(self._lines[row.trial.id].end_s for row in rows)
        y = padded(self._axis.place(low), self._axis.place(high), 0.05)
        if self._plot.follows:
            self._plot.show_range((-0.01 * end, 1.01 * end), y)
        slowest = max(it.max_ns for it in found)
        text = self.tr("▲ slowest {0}").format(time_text(slowest)) if self._axis.place(slowest) > y[1] else ""
        self._slower.setText(text)

    def _draw(self, rows: Sequence[ComparisonRow]) -> None:
        """Draw what of the rows is to be seen; those that step back below the others."""
        (left, right), _y = self._plot.getViewBox().viewRange()
        width = max(_FEWEST_COLUMNS, int(self._plot.getViewBox().width()))
        columns = max(_FEWEST_COLUMNS, min(width, _COLUMNS // max(1, len(rows))))
        lines = [self._line(row, left, right, columns) for row in sorted(rows, key=self._is_faded, reverse=True)]
        self._item.set_lines(lines, has_marks=sum(len(line.times_s) for line in lines) <= _MARKED)

    def _line(self, row: ComparisonRow, left: float, right: float, columns: int) -> Line:
        is_faded = self._is_faded(row)
        envelope = self._lines[row.trial.id].envelope(left, right, columns)
        y = np.empty(2 * len(envelope.lows))
        y[0::2], y[1::2] = self._axis.places(envelope.lows), self._axis.places(envelope.highs)
        joined = np.ones(len(y), np.int32)
        joined[1::2] = envelope.joined
        times, medians = self._lines[row.trial.id].medians
        step = max(1, -(-len(times) // _MEDIANS))
        return Line(
            envelope=pg.arrayToQPath(np.repeat(envelope.times_s, 2), y, connect=joined, finiteCheck=False),
            times_s=times[::step],
            medians=self._axis.places(medians[::step]),
            style=series_style(self.palette(), row.style, faded=is_faded),
            is_faded=is_faded,
        )

    def _is_faded(self, row: ComparisonRow) -> bool:
        return bool(self._chosen) and row.number not in self._chosen

    def _on_zoomed(self) -> None:
        self._draw([row for row in self._rows if row.trial.id in self._lines and self._lines[row.trial.id].end_s > 0])

    def _place_note(self) -> None:
        self._slower.setPos(self._plot.getViewBox().rect().width() - 2, 0)

    def _tint(self) -> None:
        palette = self.palette()
        self._plot.tint(palette)
        ground = palette.color(QPalette.ColorRole.Base)
        self._slower.setColor(theme.mixed(palette.color(QPalette.ColorRole.Text), ground, 0.25))
        self._slower.fill = pg.mkBrush(ground)
        self._slower.update()
        self._show()


def _is_by_turns(row: ComparisonRow) -> bool:
    return row.compared.part is not None and not row.compared.part.is_alone


def _beginnings(rows: Sequence[ComparisonRow]) -> dict[str, int]:
    """Return when each comparison that rows are of began: nanoseconds since 1970 of the first measured run."""
    found: dict[str, int] = {}
    for row in rows:
        part: ComparisonPart | None = row.compared.part
        if part is not None and not part.is_alone and part.rounds:
            began = part.rounds[0].began_ns
            found[part.id] = min(began, found.get(part.id, began))
    return found
