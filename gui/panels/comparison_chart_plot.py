"""What the charts of a comparison share: a plot that follows until the user zooms, and an axis of latencies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QLocale, QRectF, Signal
from PySide6.QtGui import QPalette, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from .. import theme
from ..models.comparison_table import ComparisonRow

SECONDS: Final = 1e-9
_DECADE: Final = 10.0
"""Latencies that span more are drawn on a logarithmic axis."""
_UNITS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_NARROW: Final = 0.7
"""Decades; a logarithmic axis that shows less has evenly spaced numbers."""
_TITLE_LINES: Final = 15
"""From so many lines of text in height on, a plot has a title below it."""
_TICK_ROOM: Final = 52.0
"""Pixels that a number takes along its axis."""


def spans_decade(values_ns: Iterable[float]) -> bool:
    """Whether the slowest of these is more than ten times the fastest."""
    found = [value for value in values_ns if value > 0]
    return bool(found) and max(found) > _DECADE * min(found)


class LatencyAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """An axis of seconds, or of their decimal logarithms. It tells how a latency is to be drawn on it."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.is_log = False
        self.enableAutoSIPrefix(False)  # each number has its unit

    def set_log(self, is_log: bool) -> None:
        """Show logarithms, or seconds."""
        if is_log == self.is_log:
            return
        self.is_log = is_log
        self.picture = None
        self.update()

    def place(self, nanoseconds: float) -> float:
        """Return where a latency lies on the axis."""
        return math.log10(max(nanoseconds, 1.0) * SECONDS) if self.is_log else nanoseconds * SECONDS

    def places(self, nanoseconds: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return where latencies lie on the axis; shape (n,), like theirs."""
        if self.is_log:
            return np.asarray(np.log10(np.maximum(nanoseconds, 1) * SECONDS))
        return np.asarray(nanoseconds * SECONDS)

    def latency_ns(self, place: float) -> float:
        """Return the latency at a place of the axis."""
        return (10.0 ** min(place, 12.0) if self.is_log else place) / SECONDS

    def tickValues(self, minimum: float, maximum: float, size: float) -> list[tuple[float, list[float]]]:
        """pyqtgraph's: spacing and places of the lines, the coarsest first."""
        if not self.is_log:
            return list(super().tickValues(minimum, maximum, size))
        if maximum - minimum < _NARROW:
            low, high = 10.0**minimum, 10.0**maximum
            rough = (high - low) / max(2.0, size / (1.6 * _TICK_ROOM))
            power = 10.0 ** math.floor(math.log10(rough))
            step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
            numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
            return [(_NARROW / 10, [math.log10(number * step) for number in numbers if number > 0])]
        decades = range(math.floor(minimum), math.ceil(maximum) + 1)
        room = size / (maximum - minimum)
        digits = (1, 2, 5) if room > 3 * _TICK_ROOM else (1,)
        places = [decade + math.log10(digit) for decade in decades for digit in digits]
        return [(1.0, [place for place in places if minimum <= place <= maximum])]

    def tickStrings(self, values: Sequence[float], _scale: float, spacing: float) -> list[str]:
        """pyqtgraph's: the numbers beside the lines."""
        if self.is_log:
            return [_short_time(10.0**value) for value in values]
        largest = max((abs(end) for end in self.range), default=0.0)
        size, unit = next(((size, unit) for size, unit in _UNITS if largest >= size), _UNITS[-1])
        decimals = max(0, -math.floor(math.log10(spacing / size) + 1e-9))
        return [f"{QLocale().toString(value / size, 'f', decimals)} {unit}" if value else "0" for value in values]


def _short_time(seconds: float) -> str:
    """Return a time with as few digits as it needs: `20 µs`."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size * 0.9995), _UNITS[-1])
    return f"{QLocale().toString(seconds / size, 'g', 6)} {unit}"


class ComparisonPlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """A plot that shows everything until the user zooms into it; a double-click shows everything again."""

    view_all_requested = Signal()

    def __init__(self, name: str, *, axes: dict[str, Any] | None = None, can_zoom: bool = True) -> None:
        super().__init__(axisItems=axes or {})
        self.setAccessibleName(name)
        self.follows = True
        self._can_zoom = can_zoom
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMinimumSize(150, 90)
        self.disableAutoRange()
        self.setMouseEnabled(x=can_zoom, y=can_zoom)
        if can_zoom:
            self.getViewBox().sigRangeChangedManually.connect(self._on_zoomed)
            self.setToolTip(self.tr("Wheel and drag zoom and move; double-click shows everything again"))
        for side in ("bottom", "left"):
            # Lines only where numbers stand: those between would take most of the time of a frame.
            self.getAxis(side).setStyle(autoExpandTextSpace=True, tickTextOffset=4, maxTickLevel=0)

    def show_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Show this range, unless the user has zoomed into another."""
        if not self.follows:
            return
        shown_x, shown_y = self.getViewBox().viewRange()
        if tuple(shown_x) != x or tuple(shown_y) != y:
            self.getViewBox().setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; where there is little room the plot has it rather than the title of the axis."""
        super().resizeEvent(event)
        axis = getattr(self, "plotItem", None) and self.getAxis("bottom")  # pyqtgraph resizes before it is made
        if axis:
            has_room = self.height() > _TITLE_LINES * self.fontMetrics().height()
            axis.showLabel(has_room and bool(axis.labelText))

    def view_all(self) -> None:
        """Follow what comes."""
        self.follows = True

    def mouseDoubleClickEvent(self, event: object) -> None:
        """Qt's."""
        super().mouseDoubleClickEvent(event)
        self.view_all()
        self.view_all_requested.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt's; a plot that cannot be zoomed leaves the wheel to what it lies in."""
        if self._can_zoom:
            super().wheelEvent(event)
        else:
            event.ignore()

    def tint(self, palette: QPalette) -> None:
        """Take the palette's colours."""
        ground, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        self.setBackground(ground)
        for side in ("bottom", "left"):
            axis = self.getAxis(side)
            axis.setPen(pg.mkPen(theme.mixed(text, ground, 0.45)))
            axis.setTextPen(pg.mkPen(text))

    def _on_zoomed(self) -> None:
        self.follows = False


class WholeViewItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """Draws all rows at once, over all that is seen: an item each would take most of the time of a frame."""

    def boundingRect(self) -> QRectF:
        """Qt's: all that may be seen."""
        return QRectF(self.viewRect())

    def viewTransformChanged(self) -> None:
        """pyqtgraph's."""
        super().viewTransformChanged()
        self.prepareGeometryChange()


class RowsWidget(QWidget):
    """A chart of the rows of a comparison. Subclasses make the plot, draw the rows in `_show`, and take colours in
    `_tint`.
    """

    _plot: ComparisonPlot

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ComparisonRow, ...] = ()
        self._chosen: frozenset[int] = frozenset()

    def show_rows(self, rows: Sequence[ComparisonRow], chosen: frozenset[int]) -> None:
        """Show these rows; where some are chosen the others step back."""
        self._rows, self._chosen = tuple(rows), chosen
        self._show()

    def view_all(self) -> None:
        """Show everything again."""
        self._plot.view_all()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def _show(self) -> None:
        """Draw the rows."""
        raise NotImplementedError

    def _tint(self) -> None:
        """Take the palette's colours."""
        raise NotImplementedError


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """Return a range with some room to both sides."""
    room = (high - low) * share or abs(high) * share or share
    return low - room, high + room
