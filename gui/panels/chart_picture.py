"""The charts of a trial as a picture: as they are seen, with title, units and machine.

Only as PNG: what QSvgGenerator makes of pyqtgraph's plots lacks axes and lines. `records.trial_chart` draws SVG.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPalette
from PySide6.QtWidgets import QGraphicsView

from .. import theme
from .latency_charts import LatencyCharts

_SCALE: Final = 2
"""Pixels of the picture for each of the screen."""
_EDGE: Final = 10


def charts_png(charts: LatencyCharts, title: str, under: str) -> bytes:
    """Return the charts as the bytes of a PNG file: `title` stands above, `under` below them."""
    line = charts.fontMetrics().height() + 4
    size = charts.size() + QSize(2 * _EDGE, 2 * line + 3 * _EDGE)
    image = QImage(size * _SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_SCALE)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(painter, charts, size, title, under)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # PySide6's hints know the format as bytes only
    return bytes(buffer.data().data())


def _paint(painter: QPainter, charts: LatencyCharts, size: QSize, title: str, under: str) -> None:
    palette = charts.palette()
    painter.fillRect(QRect(0, 0, size.width(), size.height()), palette.color(QPalette.ColorRole.Base))
    line = charts.fontMetrics().height() + 4
    font = charts.font()
    painter.setPen(theme.muted(palette))
    painter.setFont(font)
    width = size.width() - 2 * _EDGE
    painter.drawText(QRect(_EDGE, size.height() - _EDGE - line, width, line), Qt.AlignmentFlag.AlignVCenter, under)
    font.setBold(True)
    painter.setPen(palette.color(QPalette.ColorRole.Text))
    painter.setFont(font)
    painter.drawText(QRect(_EDGE, _EDGE, width, line), Qt.AlignmentFlag.AlignVCenter, title)
    for plot in charts.plots:
        place = plot.mapTo(charts, plot.rect().topLeft())
        target = QRectF(_EDGE + place.x(), 2 * _EDGE + line - 2 + place.y(), plot.width(), plot.height())
        painter.save()
        painter.setClipRect(target)
        QGraphicsView.render(plot, painter, target, plot.viewport().rect())
        painter.restore()
