"""How the rows of a comparison look: eight colours, each with a mark of its own, then the same with other lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPen, QPixmap

from .. import theme

# Searched for, from those of Okabe and Ito: apart for colour-blind eyes, too, and 3 to 1 from their ground.
_ON_LIGHT: Final = ("#1240a8", "#a3260b", "#137847", "#cb70a9", "#8a8d10", "#1095ff", "#323232", "#8a1af0")
_ON_DARK: Final = ("#2f8ac0", "#d0741c", "#4fe8a4", "#e0356a", "#ffd23d", "#a5cfff", "#a6a6a6", "#a552ee")
_LINES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
)
SYMBOLS: Final = ("o", "s", "t1", "d", "t", "p", "h", "star")
"""Those of pyqtgraph, one a colour."""
COLOR_COUNT: Final = len(_ON_LIGHT)
_FADED: Final = 0.72
_SWATCH: Final = QSize(20, 16)
_SCALE: Final = 2


@dataclass(frozen=True, slots=True)
class SeriesStyle:
    """Colour, line and mark of one row."""

    color: QColor
    line: Qt.PenStyle
    symbol: str

    def pen(self, width: float = 1.0) -> QPen:
        """Return a pen that is as wide at any zoom."""
        pen = QPen(self.color, width, self.line)
        pen.setCosmetic(True)
        return pen


def series_style(palette: QPalette, number: int, *, faded: bool = False) -> SeriesStyle:
    """Return the style of row `number`, counted from 0; `faded` steps back for a row that is looked at."""
    color = QColor((_ON_DARK if theme.is_dark(palette) else _ON_LIGHT)[number % COLOR_COUNT])
    if faded:
        color = theme.mixed(color, palette.color(QPalette.ColorRole.Base), _FADED)
    line = _LINES[number // COLOR_COUNT % len(_LINES)]
    return SeriesStyle(color, line, SYMBOLS[number % COLOR_COUNT])


def swatch(palette: QPalette, number: int) -> QIcon:
    """Return a piece of the row's line, for tables."""
    pixmap = QPixmap(_SWATCH * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_swatch(painter, palette, number, QPointF(0, _SWATCH.height() / 2))
    painter.end()
    return QIcon(pixmap)


def paint_swatch(painter: QPainter, palette: QPalette, number: int, left: QPointF, *, faded: bool = False) -> None:
    """Draw a piece of the row's line from its left end on, with a dot in its middle."""
    style = series_style(palette, number, faded=faded)
    pen = style.pen(2.4)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    end = left + QPointF(_SWATCH.width(), 0)
    painter.drawLine(left + QPointF(1, 0), end - QPointF(1, 0))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.color)
    painter.drawEllipse(left + QPointF(_SWATCH.width() / 2, 0), 3.6, 3.6)


SWATCH_WIDTH: Final = _SWATCH.width()
