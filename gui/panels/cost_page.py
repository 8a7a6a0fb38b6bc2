"""What a trial cost: a bar of what took time before measuring, and a table of all the rest."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QRect, QSize
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from .. import theme
from ..models.cost_table import CostStage, StageTime, cost_measures, stage_name, stage_times
from ..models.texts import time_text
from ..models.trial_table import MeasureTableModel
from ..trial_run import TrialRun
from .widgets import MutedLabel, TableView

_HUES: Final = {
    CostStage.REGISTRATION: 275,
    CostStage.CREATION: 205,
    CostStage.FIRST_RUN: 28,
    CostStage.WARM_UP: 130,
}
_THINNEST: Final = 3
"""Pixels of a stage that took some time, however short."""


class CostPage(QWidget):
    """Shows what one trial cost."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heading = MutedLabel(parent=self)
        self._bar = StageBar(self)
        self._measures = MeasureTableModel(self)
        self._view = TableView(self.tr("What it cost"), self)
        self._build()
        self.show_trial(None)

    def _build(self) -> None:
        self._view.setModel(self._measures)
        self._view.setSelectionMode(TableView.SelectionMode.ExtendedSelection)
        self._view.empty_hint = self.tr("What a trial costs in time, memory and processors is listed here.")
        header = self._view.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(3)
        layout.addWidget(self._heading)
        layout.addWidget(self._bar)
        layout.addWidget(self._view, 1)

    def show_trial(self, trial: TrialRun | None) -> None:
        """Show what is known of a trial's costs, or that there is no trial."""
        times = stage_times(trial)
        self._measures.set_rows(cost_measures(trial))
        self._bar.show_times(times)
        self._bar.setVisible(bool(times))
        self._heading.setVisible(bool(times))
        total = time_text(sum(entry.nanoseconds for entry in times))
        self._heading.setText(self.tr("Before the first timed run: {0}").format(total))


class StageBar(QWidget):
    """One bar of several pieces, as long as they took, with what they are in words below it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._times: tuple[StageTime, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_times(self, times: tuple[StageTime, ...]) -> None:
        """Show these pieces."""
        if times == self._times:
            return
        self._times = times
        self.setAccessibleName(", ".join(map(_words, times)))
        self.updateGeometry()
        self.update()

    def pieces(self) -> list[QRect]:
        """Return where each piece is drawn."""
        total = sum(entry.nanoseconds for entry in self._times)
        spare = self.width() - _THINNEST * len(self._times)
        edges = [0]
        for entry in self._times:
            share = entry.nanoseconds / total if total else 1 / len(self._times)
            edges.append(edges[-1] + _THINNEST + max(0, round(spare * share)))
        edges[-1] = max(edges[-1], self.width()) if self._times else 0
        height = self._bar_height()
        return [QRect(left, 0, right - left, height) for left, right in pairwise(edges)]

    def sizeHint(self) -> QSize:
        """Qt's."""
        width = self.fontMetrics().averageCharWidth() * 60
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Qt's."""
        return QSize(self.fontMetrics().averageCharWidth() * 20, self._bar_height())

    def hasHeightForWidth(self) -> bool:
        """Qt's."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Qt's."""
        places = self._places(width)
        return (places[-1].y() if places else self._bar_height()) + self.fontMetrics().height() + 2

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        side = self._swatch()
        for entry, piece in zip(self._times, self.pieces(), strict=True):
            painter.fillRect(piece.adjusted(0, 0, -1, 0), self._color(entry.stage))  # a pixel of ground between two
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        metrics = self.fontMetrics()
        for entry, place in zip(self._times, self._places(self.width()), strict=True):
            top = place.y() + (metrics.height() - side) // 2
            painter.fillRect(QRect(place.x(), top, side, side), self._color(entry.stage))
            painter.drawText(place.x() + side + 5, place.y() + metrics.ascent(), _words(entry))
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Qt's; the tip is that of the piece under the mouse."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos()), self)
            return True
        return super().event(event)

    def tip_at(self, position: QPoint) -> str:
        """Return what is said of the piece there, empty beside them."""
        return next(
            (
                _words(entry)
                for entry, piece in zip(self._times, self.pieces(), strict=True)
                if piece.contains(position)
            ),
            "",
        )

    def _places(self, width: int) -> list[QPoint]:
        """Return where each piece's words begin: side by side, on a new line where they do not fit."""
        metrics = self.fontMetrics()
        places, x, y = [], 0, self._bar_height() + 3
        for entry in self._times:
            needed = self._swatch() + 5 + metrics.horizontalAdvance(_words(entry))
            if x and x + needed > width:
                x, y = 0, y + metrics.height() + 1
            places.append(QPoint(x, y))
            x += needed + metrics.averageCharWidth() * 2
        return places

    def _bar_height(self) -> int:
        return self.fontMetrics().height()

    def _swatch(self) -> int:
        return self.fontMetrics().ascent() * 3 // 4

    def _color(self, stage: CostStage) -> QColor:
        return theme.chart_color(self.palette(), _HUES[stage])


def _words(entry: StageTime) -> str:
    return f"{stage_name(entry.stage)} {time_text(entry.nanoseconds)}"
