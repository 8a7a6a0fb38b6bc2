"""The charts of a comparison behind tabs; only the one that is seen is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ..models.comparison_table import ComparisonRow
from .comparison_chart_distributions import DistributionsChart
from .comparison_chart_rows import MediansChart
from .comparison_chart_throughput import ThroughputChart
from .comparison_chart_time import OverTimeChart


class ComparisonPage(Enum):
    """The charts, in their order."""

    MEDIANS = 0
    DISTRIBUTIONS = 1
    OVER_TIME = 2
    THROUGHPUT = 3


class _Chart(Protocol):
    @property
    def parts(self) -> tuple[QWidget, ...]: ...


class ComparisonCharts(QTabWidget):
    """Shows the rows of a comparison in one of four ways."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.medians = MediansChart(self)
        self.distributions = DistributionsChart(self)
        self.over_time = OverTimeChart(self)
        self.throughput = ThroughputChart(self)
        self._rows: tuple[ComparisonRow, ...] = ()
        self._chosen: frozenset[int] = frozenset()
        self._dimension: str | None = None
        self._build()
        self.currentChanged.connect(self.redraw)

    def _build(self) -> None:
        for widget, title in (
            (self.medians, self.tr("Medians")),
            (self.distributions, self.tr("Distributions")),
            (self.over_time, self.tr("Over time")),
            (self.throughput, self.tr("Throughput")),
        ):
            holder = QWidget(self)
            column = QVBoxLayout(holder)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(widget)
            self.addTab(holder, title)
        self.setDocumentMode(True)
        self.medians.tint()

    @property
    def page(self) -> ComparisonPage:
        """The one that is seen."""
        return ComparisonPage(self.currentIndex())

    def show_page(self, page: ComparisonPage) -> None:
        """Bring a chart to the front."""
        self.setCurrentIndex(page.value)

    def add_commands(self, actions: Sequence[QAction]) -> None:
        """Offer commands in the context menu of the charts."""
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.addActions(actions)

    def show_rows(
        self, rows: Sequence[ComparisonRow], chosen: frozenset[int], dimension: str | None, *, draw: bool = True
    ) -> None:
        """Show these rows; where some are chosen the others step back. `dimension` is the one whose sizes differ."""
        self._rows, self._chosen, self._dimension = tuple(rows), chosen, dimension
        if draw:
            self.redraw()

    def view_all(self) -> None:
        """Show everything again, where the user has zoomed: another comparison is shown."""
        for chart in (self.distributions, self.over_time, self.throughput):
            chart.view_all()

    def redraw(self) -> None:
        """Draw the chart that is seen."""
        if self.page is ComparisonPage.MEDIANS:
            self.medians.show_rows(self._rows, self._chosen)
        elif self.page is ComparisonPage.DISTRIBUTIONS:
            self.distributions.show_rows(self._rows, self._chosen)
        elif self.page is ComparisonPage.OVER_TIME:
            self.over_time.show_rows(self._rows, self._chosen)
        else:
            self.throughput.show_rows(self._rows, self._chosen, self._dimension)

    @property
    def plots(self) -> tuple[QWidget, ...]:
        """What a picture of the chart that is seen shows."""
        charts: dict[ComparisonPage, _Chart] = {
            ComparisonPage.MEDIANS: self.medians,
            ComparisonPage.DISTRIBUTIONS: self.distributions,
            ComparisonPage.OVER_TIME: self.over_time,
            ComparisonPage.THROUGHPUT: self.throughput,
        }
        return charts[self.page].parts

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self.medians.tint()
            self.redraw()
