"""The chart of a profile: a bar an operator, the slowest on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from .. import theme
from ..models.profile_table import OpRow, percent_text
from .widgets import ElidedLabel, MutedLabel

MAX_BARS: Final = 12
_HUES: Final = (205, 28, 130, 285, 0, 55)
_PATTERNS: Final = (
    Qt.BrushStyle.SolidPattern,
    Qt.BrushStyle.BDiagPattern,
    Qt.BrushStyle.Dense4Pattern,
    Qt.BrushStyle.FDiagPattern,
    Qt.BrushStyle.CrossPattern,
    Qt.BrushStyle.HorPattern,
)
"""Each EP has a colour and a pattern: colour alone would not do."""
_HEIGHT: Final = 0.72
_MARK: Final = 12
_FEWEST: Final = 6
"""Bars of fewer are no thicker."""
_ROOM: Final = 2.0
"""Of the longest bar, its share beside it."""
_LONGEST_NAME: Final = 22


class ProfileChart(QWidget):
    """Shows the operators that take most of a run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[OpRow, ...] = ()
        self._eps: tuple[str, ...] = ()
        self._plot = pg.PlotWidget()
        self._bars: list[Any] = []
        self._legend = QGridLayout()
        self._entries: list[tuple[str, QLabel]] = []
        self._note = MutedLabel(parent=self)
        self._build()
        self._tint()

    def _build(self) -> None:
        plot = self._plot
        plot.setAccessibleName(self.tr("Time by operator"))
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.disableAutoRange()
        plot.getViewBox().invertY(True)
        plot.hideAxis("bottom")  # each bar has its share beside it
        plot.getAxis("left").setStyle(showValues=False, tickLength=0, autoExpandTextSpace=True)
        plot.setMinimumSize(150, 90)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(plot, 1)
        self._legend.setColumnStretch(1, 1)
        self._legend.setVerticalSpacing(1)
        layout.addLayout(self._legend)
        layout.addWidget(self._note)

    def show_rows(self, rows: Sequence[OpRow], eps: Sequence[tuple[str, float]]) -> None:
        """Show operators, the slowest first; `eps` are all EPs of the profile and their shares, the largest first."""
        self._rows = tuple(rows)
        self._eps = tuple(name for name, _share in eps)
        self._show_legend(eps)
        self._draw()

    def marker(self, ep_name: str) -> QIcon | None:
        """Return the mark of an EP: a square as its bars are."""
        if ep_name not in self._eps:
            return None
        pixmap = QPixmap(_MARK, _MARK)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setPen(self._color(ep_name))
        painter.setBrush(self._brush(ep_name))
        painter.drawRect(0, 0, _MARK - 1, _MARK - 1)
        painter.end()
        return QIcon(pixmap)

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def _show_legend(self, eps: Sequence[tuple[str, float]]) -> None:
        while (item := self._legend.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._entries = []
        for line, (name, share) in enumerate(eps):
            mark, said = QLabel(self), ElidedLabel(self)
            said.show_text(f"{name} {percent_text(share)}")
            self._entries.append((name, mark))
            self._legend.addWidget(mark, line, 0)
            self._legend.addWidget(said, line, 1)
        self._mark_legend()

    def _mark_legend(self) -> None:
        for name, mark in self._entries:
            icon = self.marker(name)
            if icon is not None:
                mark.setPixmap(icon.pixmap(_MARK, _MARK))

    def _draw(self) -> None:
        for item in self._bars:
            self._plot.removeItem(item)
        shown = self._rows[:MAX_BARS]
        self._bars = [item for number, row in enumerate(shown) for item in self._bar(number, row)]
        for item in self._bars:
            self._plot.addItem(item, ignoreBounds=True)
        left = self._plot.getAxis("left")
        left.setTicks([[(number, _short(row.op.op_type)) for number, row in enumerate(shown)]])
        left.setStyle(showValues=bool(shown))
        longest = max((row.run_ns for row in shown), default=0)
        x, y = (0, longest * _ROOM or 1), (-0.6, max(_FEWEST, len(shown)) - 0.4)
        self._plot.getViewBox().setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)
        hidden = len(self._rows) - len(shown)
        self._note.setVisible(hidden > 0)
        self._note.setText(self.tr("The slowest %n; all are in the table.", "", len(shown)) if hidden > 0 else "")

    def _bar(self, number: int, row: OpRow) -> tuple[Any, Any]:
        bar = pg.BarGraphItem(
            x0=0,
            width=[row.run_ns],
            y=[number],
            height=_HEIGHT,
            pen=pg.mkPen(self._color(row.op.ep_name)),
            brush=self._brush(row.op.ep_name),
        )
        said = pg.TextItem(percent_text(row.share), anchor=(0, 0.5))
        said.setColor(self.palette().color(QPalette.ColorRole.Text))
        said.setPos(row.run_ns, number)
        return bar, said

    def _color(self, ep_name: str) -> QColor:
        return theme.chart_color(self.palette(), _HUES[self._eps.index(ep_name) % len(_HUES)])

    def _brush(self, ep_name: str) -> QBrush:
        fill = self._color(ep_name)
        fill.setAlpha(150)
        return QBrush(fill, _PATTERNS[self._eps.index(ep_name) % len(_PATTERNS)])

    def _tint(self) -> None:
        palette = self.palette()
        ground, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        self._plot.setBackground(ground)
        axis = self._plot.getAxis("left")
        axis.setPen(pg.mkPen(theme.mixed(text, ground, 0.45)))
        axis.setTextPen(pg.mkPen(text))
        self._mark_legend()
        self._draw()


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
