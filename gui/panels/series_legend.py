"""The legend beside a chart: a piece of each row's line with its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from .. import theme
from .series_styles import SWATCH_WIDTH, paint_swatch

_GAP: Final = 5
_WIDEST: Final = 24
"""Characters; longer labels are cut in their middle."""


class LegendEntry(NamedTuple):
    """One row of a chart."""

    style: int
    """As `series_style` takes it."""
    label: str
    is_faded: bool = False
    """Whether it steps back for others."""


class SeriesLegend(QWidget):
    """As many entries as fit; the table has the others."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[LegendEntry, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Ignored)
        self.setAccessibleName(self.tr("Legend"))

    @property
    def entries(self) -> tuple[LegendEntry, ...]:
        """All of them, also those that do not fit."""
        return self._entries

    def show_entries(self, entries: Sequence[LegendEntry]) -> None:
        """Show these, in their order."""
        if tuple(entries) == self._entries:
            return
        self._entries = tuple(entries)
        self.setToolTip("\n".join(entry.label for entry in entries))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's."""
        metrics, labels = self.fontMetrics(), [entry.label for entry in self._entries]
        widest = max((metrics.horizontalAdvance(label) for label in labels), default=0)
        width = min(widest, metrics.averageCharWidth() * _WIDEST)
        return QSize(width + SWATCH_WIDTH + 3 * _GAP, len(self._entries) * self._line)

    def minimumSizeHint(self) -> QSize:
        """Qt's."""
        return QSize(self.sizeHint().width() if self._entries else 0, 0)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, line = self.palette(), self._line
        painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Base))
        room = max(1, self.height() // line)
        shown = self._entries if len(self._entries) <= room else self._entries[: room - 1]
        text = palette.color(QPalette.ColorRole.Text)
        muted = theme.mixed(text, palette.color(QPalette.ColorRole.Base), 0.45)
        left = 2 * _GAP + SWATCH_WIDTH
        for place, entry in enumerate(shown):
            middle = QPointF(_GAP, place * line + line / 2)
            paint_swatch(painter, palette, entry.style, middle, faded=entry.is_faded)
            painter.setPen(muted if entry.is_faded else text)
            self._write(painter, QRect(left, place * line, self.width() - left - 2, line), entry.label)
        hidden = len(self._entries) - len(shown)
        if hidden:
            painter.setPen(muted)
            said = self.tr("+{0} in the table").format(hidden)
            self._write(painter, QRect(_GAP, len(shown) * line, self.width() - _GAP, line), said)
        painter.end()

    @property
    def _line(self) -> int:
        return self.fontMetrics().height() + 3

    def _write(self, painter: QPainter, area: QRect, text: str) -> None:
        cut = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), cut)
