"""The charts of a trial or a comparison as a picture: as they are seen, with title, units and machine.

Only as PNG: what QSvgGenerator makes of pyqtgraph's plots lacks axes and lines. `records.trial_chart` and
`records.comparison_chart` draw SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPalette
from PySide6.QtWidgets import QGraphicsView, QWidget

from .. import theme

_SCALE: Final = 2
"""Pixels of the picture for each of the screen."""
_EDGE: Final = 10


def charts_png(charts: QWidget, plots: Sequence[QWidget], title: str, under: str, said: str = "") -> bytes:
    """Return plots of a widget as the bytes of a PNG file: `title` and what is `said` stand above, `under` below."""
    line = charts.fontMetrics().height() + 4
    area = QRect()
    for plot in plots:
        area = area.united(QRect(plot.mapTo(charts, QPoint()), plot.size()))
    above = (2 if said else 1) * line
    size = area.size() + QSize(2 * _EDGE, above + line + 3 * _EDGE)
    image = QImage(size * _SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_SCALE)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _write(painter, charts, size, title, under, said)
    for plot in plots:
        place = plot.mapTo(charts, QPoint()) - area.topLeft() + QPoint(_EDGE, 2 * _EDGE + above - 2)
        _paint(painter, plot, place)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # PySide6's hints know the format as bytes only
    return bytes(buffer.data().data())


def _write(painter: QPainter, charts: QWidget, size: QSize, title: str, under: str, said: str) -> None:
    palette, metrics = charts.palette(), charts.fontMetrics()
    painter.fillRect(QRect(QPoint(), size), palette.color(QPalette.ColorRole.Base))
    line, width = metrics.height() + 4, size.width() - 2 * _EDGE
    font = charts.font()
    middle, cut = Qt.AlignmentFlag.AlignVCenter, Qt.TextElideMode.ElideRight
    painter.setPen(theme.muted(palette))
    painter.setFont(font)
    painter.drawText(
        QRect(_EDGE, size.height() - _EDGE - line, width, line), middle, metrics.elidedText(under, cut, width)
    )
    painter.setPen(palette.color(QPalette.ColorRole.Text))
    if said:
        painter.drawText(QRect(_EDGE, _EDGE + line, width, line), middle, metrics.elidedText(said, cut, width))
    font.setBold(True)
    painter.setFont(font)
    painter.drawText(QRect(_EDGE, _EDGE, width, line), middle, title)


def _paint(painter: QPainter, plot: QWidget, place: QPoint) -> None:
    painter.save()
    if isinstance(plot, QGraphicsView):
        target = QRectF(place.x(), place.y(), plot.width(), plot.height())
        painter.setClipRect(target)
        QGraphicsView.render(plot, painter, target, plot.viewport().rect())
    else:
        plot.render(painter, place)
    painter.restore()
