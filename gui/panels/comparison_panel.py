"""A comparison: the answer first, then the charts behind it, and every row with its numbers and how true they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QSortFilterProxyModel, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..comparison_run import ComparisonRun
from ..models.comparison_table import (
    LABEL,
    MACHINE,
    MEASURED,
    OUTCOME,
    RATIO,
    SIZES,
    ComparisonRow,
    ComparisonTableModel,
    sizes_text,
)
from ..models.table import ROW_ROLE, SORT_ROLE
from ..models.texts import DASH, count_text
from ..models.verdict_texts import Verdict
from ..records.result import Outcome
from ..state import State
from ..trial_run import TrialRun
from .comparison_charts import ComparisonCharts, ComparisonPage
from .comparison_findings import ComparisonFindings
from .comparison_head import ComparisonHead
from .series_styles import swatch
from .tones import tone_icon
from .widgets import ActionButton, TableView

_REDRAW_MS: Final = 40
_PARTS: Final = 3
_WIDEST: Final = {LABEL: 31, SIZES: 20, OUTCOME: 14, RATIO: 34, MACHINE: 40}
_ROOMY: Final = 170
"""Characters; in a table that is wider labels may take twice as much."""
_OUTCOME_ICONS: Final = {Outcome.FINISHED: "loaded", Outcome.STOPPED: "stopped", Outcome.FAILED: "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonActions:
    """The commands of the window that the panel offers."""

    compare: QAction
    """Begins a comparison; it asks what of."""
    of_charts: tuple[QAction, ...] = ()
    """In the context menu of the charts, and of the table."""


class ComparisonPanel(QWidget):
    """Shows the state's comparison; redraws at most 25 times a second, one part at a time."""

    stop_requested = Signal()
    resume_requested = Signal()
    repeat_requested = Signal(int)
    """The place of a run among those of the comparison."""
    baseline_requested = Signal(int)
    """The same, of the one to compare the others with."""
    show_trial_requested = Signal(object)
    """A `TrialRun`."""

    def __init__(self, state: State, actions: ComparisonActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._actions = actions
        self._comparison: ComparisonRun | None = None
        self._found = ComparisonFindings(self)
        self._head = ComparisonHead(actions.compare, self)
        self.charts = ComparisonCharts(self)
        self._model = ComparisonTableModel(
            swatch=lambda row: swatch(self.palette(), row.style),
            outcome_icon=self._outcome_icon,
            verdict_icon=self._verdict_icon,
            rough_color=lambda: theme.muted(self.palette()),
            parent=self,
        )
        self._proxy = QSortFilterProxyModel(self)
        self._view = TableView(self.tr("Rows of the comparison"), self)
        self._show_trial = QAction(self.tr("Show trial"), self._view)
        self._use_as_baseline = QAction(self.tr("Use as baseline"), self._view)
        self._repeat = QAction(self.tr("Repeat this cell"), self._view)
        self.upright = QSplitter(Qt.Orientation.Vertical, self)
        self._pages = QStackedLayout()
        self._timer = QTimer(self)
        self._turn = self._dirty = 0
        self._build()
        self._connect()
        self._on_comparison()

    # ---- Built ----

    def _build(self) -> None:
        view, header = self._view, self._view.horizontalHeader()
        self._proxy.setSourceModel(self._model)
        self._proxy.setSortRole(SORT_ROLE)
        self._proxy.setSortCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        view.setModel(self._proxy)
        view.setSortingEnabled(True)
        view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self._show_trial.setShortcuts([QKeySequence("Return"), QKeySequence("Enter")])
        self._show_trial.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        for action, tip in (
            (self._show_trial, self.tr("Show samples, placement, outputs and log of this row")),
            (self._use_as_baseline, self.tr("Compare the other rows with this one")),
            (self._repeat, self.tr("Measure this row anew, by itself")),
        ):
            action.setToolTip(tip)
            action.setStatusTip(tip)
        line = QAction(view)
        line.setSeparator(True)
        view.addActions([self._show_trial, self._use_as_baseline, self._repeat, line, *self._actions.of_charts])
        self.charts.add_commands(self._actions.of_charts)
        self._timer.setInterval(_REDRAW_MS)
        self._assemble()

    def _assemble(self) -> None:
        self.upright.addWidget(self.charts)
        self.upright.addWidget(self._view)
        self.upright.setStretchFactor(0, 3)
        self.upright.setStretchFactor(1, 2)
        self.upright.setChildrenCollapsible(False)
        self.upright.setSizes([300, 190])
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(6, 4, 6, 6)
        column.setSpacing(4)
        column.addWidget(self._head)
        column.addWidget(self.upright, 1)
        self._pages.addWidget(self._empty_page())
        self._pages.addWidget(page)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self.setLayout(self._pages)

    def _empty_page(self) -> QWidget:
        page = QWidget(self)
        title, text = QLabel(self.tr("No comparison yet"), page), QLabel(page)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.25)
        font.setBold(True)
        title.setFont(font)
        text.setText(
            self.tr(
                "Which device should it be? A comparison measures the model on several targets by turns, in rounds of "
                "varied order, so that drift of the machine hits all alike, and says what is faster, by how much, and "
                "whether that is more than the noise. Devices, policies, options and sizes can be compared; or select "
                "trials of the history."
            )
        )
        text.setWordWrap(True)
        text.setMaximumWidth(self.fontMetrics().averageCharWidth() * 78)
        for label in (title, text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(ActionButton(self._actions.compare, page))
        row.addStretch(1)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(text, 20)
        middle.addStretch(1)
        column = QVBoxLayout(page)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(title)
        column.addLayout(middle)
        column.addLayout(row)
        column.addStretch(1)
        return page

    def _connect(self) -> None:
        self._state.comparison_changed.connect(self._on_comparison)
        self._state.trial_changed.connect(self._on_trial)
        self._head.stop_requested.connect(self.stop_requested)
        self._head.resume_requested.connect(self.resume_requested)
        self._found.answered.connect(self._start)
        self._timer.timeout.connect(self._redraw)
        self._view.selectionModel().selectionChanged.connect(self._on_selection)
        self._view.doubleClicked.connect(self._show_trial.trigger)
        self._show_trial.triggered.connect(self._ask_trial)
        self._use_as_baseline.triggered.connect(self._ask_baseline)
        self._repeat.triggered.connect(self._ask_repeat)
        self._proxy.layoutChanged.connect(self._span)
        self._proxy.modelReset.connect(self._span)

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._model.set_rows(self._found.rows)

    # ---- What has changed ----

    def _on_comparison(self) -> None:
        comparison = self._state.comparison
        is_other = comparison is not self._comparison
        self._comparison = comparison
        self._pages.setCurrentIndex(0 if comparison is None else 1)
        self._found.set_comparison(comparison)
        if is_other:
            self._view.clearSelection()
            self.charts.view_all()
        if is_other or comparison is None or not comparison.is_running:
            self._show_all()
        else:
            self._start()

    def _on_trial(self, trial: TrialRun) -> None:
        if self._comparison is not None and any(trial is run for run in self._comparison.runs):
            self._found.set_due()
            self._start()

    def _start(self) -> None:
        self._dirty = 2 * _PARTS - 1  # wherever the turn is: the rows are found anew, then all else is drawn
        if not self._timer.isActive():
            self._timer.start()

    def _redraw(self) -> None:
        """Draw one of the parts in turn: each stays short, so that the window answers in between."""
        if self._dirty == 0 and not self._found.is_due:
            self._timer.stop()
            return
        self._dirty = max(0, self._dirty - 1)
        self._turn = (self._turn + 1) % _PARTS
        if self._turn == 0:
            before = self._found.answer
            self._found.find_answer(now=False)
            if self._found.answer is not before:
                self._dirty = max(self._dirty, _PARTS - 1)
            self._found.find_rows()
            self._show_head()
        elif self._turn == 1:
            self.charts.show_rows(self._found.rows, self._chosen(), self._found.dimension)
        else:
            self._show_table()

    def _show_all(self) -> None:
        """Show everything now."""
        self._timer.stop()
        self._dirty = 0
        self._found.find_answer(now=True)
        self._found.find_rows()
        self._show_head()
        self._show_table()
        self.charts.show_rows(self._found.rows, self._chosen(), self._found.dimension)

    # ---- What is shown ----

    def _show_head(self) -> None:
        comparison, answer = self._comparison, self._found.answer
        if comparison is None:
            return
        current = next((row.label for row in self._found.rows if row.is_current), "")
        self._head.show_progress(comparison, current)
        about = self._about()
        if answer is None or (comparison.is_running and not self._found.can_tell):
            text = self.tr("%n targets are being compared.", "", len(self._found.rows))
            self._head.show_answer(text, about, (), comparison.notes)
            return
        first, *further = answer.sentences
        text = self.tr("So far: {0}").format(first) if comparison.is_running else first
        self._head.show_answer(text, about, tuple(further), (*answer.cautions, *comparison.notes))

    def _about(self) -> str:
        """Return what is the same of all rows: model, sizes, rounds, machine."""
        comparison = self._comparison
        models = tuple(dict.fromkeys(row.trial.model_name for row in self._found.rows))
        sizes = {sizes_text(row.trial) for row in self._found.rows}
        machines = {row.compared.machine for row in self._found.rows}
        parts = [", ".join(models)]
        if len(sizes) == 1:
            parts.append(*sizes)
        if comparison is not None and comparison.plan is not None:
            rounds = comparison.plan.rounds
            parts.append(self.tr("1 round") if rounds == 1 else self.tr("{0} rounds").format(count_text(rounds)))
        if len(machines) == 1:
            parts.append(*machines)
        return " · ".join(part for part in parts if part)

    def _show_table(self) -> None:
        self._model.set_dimension(self._found.dimension)
        self._model.set_rows(self._found.rows)
        self._view.setColumnHidden(SIZES, len({sizes_text(row.trial) for row in self._found.rows}) <= 1)
        self._view.setColumnHidden(MACHINE, len({row.compared.machine for row in self._found.rows}) <= 1)
        widest = dict(_WIDEST)
        if self._view.isColumnHidden(SIZES):
            widest[OUTCOME] += _WIDEST[OUTCOME]
        if self._view.width() > self.fontMetrics().averageCharWidth() * _ROOMY:
            widest[LABEL] *= 2
        self._view.fit_columns(widest)
        self._span()
        self._show_commands()

    def _span(self) -> None:
        """Let what is said of a failed row reach over the cells that have nothing to say."""
        first, last = MEASURED
        wanted = [
            number
            for number in range(self._proxy.rowCount())
            if (row := self._proxy.index(number, LABEL).data(ROW_ROLE)) is not None and row.statistics is None
        ]
        self._view.clearSpans()
        for number in wanted:
            self._view.setSpan(number, first, 1, last - first + 1)

    def _outcome_icon(self, row: ComparisonRow) -> QIcon | None:
        if row.trial.is_running:
            return theme.icon("run" if row.is_current else "loading", self.palette())
        return theme.icon(_OUTCOME_ICONS[row.trial.outcome], self.palette())

    def _verdict_icon(self, verdict: Verdict) -> QIcon | None:
        return None if verdict.cell == DASH else tone_icon(verdict.icon, self.palette(), verdict.tone)

    # ---- What is asked for ----

    def selected_rows(self) -> tuple[ComparisonRow, ...]:
        """Return the rows that are selected, in the order of the table."""
        rows = sorted(self._view.selectionModel().selectedRows(), key=QModelIndex.row)
        return tuple(index.data(ROW_ROLE) for index in rows)

    def selected_trials(self) -> tuple[TrialRun, ...]:
        """Return the trials of the rows that are selected; of all where none is."""
        chosen = self.selected_rows()
        return tuple(row.trial for row in (chosen or self._found.rows))

    def picture(self) -> bytes:
        """Return the chart that is seen as the bytes of a PNG file, with title, units and machine."""
        from .chart_picture import charts_png  # the window starts without it

        page = self.charts.page
        titles = {
            ComparisonPage.MEDIANS: self.tr("medians with their 95 % intervals"),
            ComparisonPage.DISTRIBUTIONS: self.tr("distributions of the latencies"),
            ComparisonPage.OVER_TIME: self.tr("latency over time"),
            ComparisonPage.THROUGHPUT: self.tr("throughput over latency"),
        }
        models = ", ".join(dict.fromkeys(row.trial.model_name for row in self._found.rows))
        versions = dict.fromkeys(row.compared.onnxruntime for row in self._found.rows if row.compared.onnxruntime)
        machines = dict.fromkeys(row.compared.machine for row in self._found.rows if row.compared.machine)
        said = self.charts.throughput.sentence if page is ComparisonPage.THROUGHPUT else self._head.answer
        dates = dict.fromkeys(row.compared.created[:10] for row in self._found.rows if row.compared.created)
        under = (*machines, *(self.tr("onnxruntime {0}").format(version) for version in versions), *dates)
        title = self.tr("{0}: {1}").format(models, titles[page])
        return charts_png(self.charts, self.charts.plots, title, " · ".join(under), said)

    def _chosen(self) -> frozenset[int]:
        """Return the numbers of the rows that are selected; none where all are, which says the same."""
        chosen = frozenset(row.number for row in self.selected_rows())
        return frozenset() if len(chosen) == len(self._found.rows) else chosen

    def _on_selection(self) -> None:
        self._show_commands()
        self.charts.show_rows(self._found.rows, self._chosen(), self._found.dimension)

    def _show_commands(self) -> None:
        chosen, comparison = self.selected_rows(), self._comparison
        is_one = len(chosen) == 1 and comparison is not None
        self._show_trial.setEnabled(is_one)
        self._use_as_baseline.setEnabled(is_one and not chosen[0].is_baseline and chosen[0].statistics is not None)
        self._repeat.setEnabled(is_one and comparison is not None and comparison.can_repeat)

    def _ask_trial(self) -> None:
        chosen = self.selected_rows()
        if len(chosen) == 1:
            self.show_trial_requested.emit(chosen[0].trial)

    def _ask_baseline(self) -> None:
        chosen = self.selected_rows()
        if len(chosen) == 1:
            self.baseline_requested.emit(chosen[0].number)

    def _ask_repeat(self) -> None:
        chosen = self.selected_rows()
        if len(chosen) == 1:
            self.repeat_requested.emit(chosen[0].number)
