"""The pages of a trial behind tabs. Those behind are built when first seen, and shown anew when they are seen again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ..models.verdict_texts import TrialPage
from ..state import State
from ..trial_run import TrialRun
from .latency_charts import LatencyCharts
from .remark_lines import RemarkLines


class _Page(Protocol):
    def show_trial(self, trial: TrialRun | None) -> None: ...


class TrialPages(QTabWidget):
    """Shows one trial: its charts, and what else is known of it. Only the page that is seen is drawn."""

    profile_requested = Signal(object)
    """Of a `TrialRun`."""
    save_trace_requested = Signal(object)
    """Of a `TrialRun`'s profile."""

    def __init__(self, state: State, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._trial: TrialRun | None = None
        self.charts = LatencyCharts(self)
        self._remarks = RemarkLines(self)
        self._places: dict[TrialPage, QVBoxLayout] = {}
        self._pages: dict[TrialPage, _Page] = {}
        self._build()
        self.currentChanged.connect(self._on_tab)

    def _build(self) -> None:
        titles = {
            TrialPage.LATENCY: self.tr("Latency"),
            TrialPage.PLACEMENT: self.tr("Placement"),
            TrialPage.OUTPUTS: self.tr("Outputs"),
            TrialPage.COST: self.tr("Cost"),
            TrialPage.PROFILE: self.tr("Profile"),
            TrialPage.LOG: self.tr("Log"),
        }
        for page, title in titles.items():
            holder = QWidget(self)
            place = self._places[page] = QVBoxLayout(holder)
            place.setContentsMargins(0, 0, 0, 0)
            place.setSpacing(3)
            self.addTab(holder, title)
        self._places[TrialPage.LATENCY].addWidget(self.charts, 1)
        self._places[TrialPage.LATENCY].addWidget(self._remarks)
        self.setDocumentMode(True)
        self.setUsesScrollButtons(True)

    @property
    def page(self) -> TrialPage:
        """The one that is seen."""
        return TrialPage(self.currentIndex())

    def show_page(self, page: TrialPage) -> None:
        """Bring a page to the front."""
        self.setCurrentIndex(page.value)

    def show_trial(self, trial: TrialRun | None) -> None:
        """Show a trial on the page that is seen."""
        self._trial = trial
        if self.page is TrialPage.LATENCY:
            self.charts.show_trial(trial)
            self._remarks.show_remarks(() if trial is None or trial.is_running else trial.remarks)
        else:
            self._seen_page().show_trial(trial)

    def redraw_first(self) -> None:
        """Draw the first half of what has changed of the page that is seen."""
        if self.page is TrialPage.LATENCY:
            self.charts.redraw_samples()
        else:
            self._seen_page().show_trial(self._trial)

    def redraw_second(self) -> None:
        """Draw the rest of it."""
        if self.page is TrialPage.LATENCY:
            self.charts.redraw_histogram()

    def _on_tab(self) -> None:
        self.show_trial(self._trial)

    def _seen_page(self) -> _Page:
        makers: dict[TrialPage, Callable[[], tuple[_Page, QWidget]]] = {
            TrialPage.PLACEMENT: self._placement_page,
            TrialPage.OUTPUTS: self._check_page,
            TrialPage.COST: self._cost_page,
            TrialPage.PROFILE: self._profile_page,
            TrialPage.LOG: self._log_page,
        }
        page = self.page
        if page not in self._pages:
            self._pages[page], widget = makers[page]()
            self._places[page].addWidget(widget)
            widget.show()  # the place is seen already, so Qt would show it only later
            for child in (widget, *widget.findChildren(QWidget)):
                child.setAcceptDrops(False)  # files dropped anywhere are the window's
        return self._pages[page]

    def _placement_page(self) -> tuple[_Page, QWidget]:
        from .placement_page import PlacementPage

        page = PlacementPage(self)
        return page, page

    def _check_page(self) -> tuple[_Page, QWidget]:
        from .check_page import CheckPage

        page = CheckPage(self)
        return page, page

    def _cost_page(self) -> tuple[_Page, QWidget]:
        from .cost_page import CostPage

        page = CostPage(self)
        return page, page

    def _profile_page(self) -> tuple[_Page, QWidget]:
        from .profile_page import ProfilePage

        page = ProfilePage(self._state, self)
        page.profile_requested.connect(self.profile_requested)
        page.save_trace_requested.connect(self.save_trace_requested)
        return page, page

    def _log_page(self) -> tuple[_Page, QWidget]:
        from .trial_log_page import TrialLogPage

        page = TrialLogPage(self)
        return page, page
