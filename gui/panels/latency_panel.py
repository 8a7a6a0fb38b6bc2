"""What was measured and how true it is: charts, numbers, and the trials of this sitting."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QSortFilterProxyModel, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QSplitter, QVBoxLayout, QWidget

from .. import theme
from ..models.table import ROW_ROLE, SORT_ROLE
from ..models.texts import DASH, count_text
from ..models.trial_table import MeasureTableModel, TrialTableModel, measures
from ..models.trial_texts import inputs_text, origin_text, run_texts, stop_rule_text
from ..models.verdict_texts import Alarm, TrialPage, Verdict, alarms
from ..records.failure import Failure
from ..records.kept_trial import machine_text
from ..records.result import Outcome
from ..records.statistics import DEFINITION
from ..state import State
from ..trial_run import LIVE_SAMPLES, TrialRun
from .tones import tone_icon
from .trial_badges import TrialBadges
from .trial_banner import TrialBanner
from .trial_pages import TrialPages
from .widgets import ElidedLabel, FailureBox, TableView

_REDRAW_MS = 40
_OUTCOME_ICONS = {
    Outcome.RUNNING: "loading",
    Outcome.FINISHED: "loaded",
    Outcome.STOPPED: "stopped",
    Outcome.FAILED: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialListActions:
    """The commands that the context menus offer."""

    of_list: tuple[QAction, ...]
    """Those beside the list's own."""
    of_trial: tuple[QAction, ...]
    """Those for the trial that is shown, in the list, too."""
    of_charts: tuple[QAction, ...]


class LatencyPanel(QWidget):
    """Shows the current trial; redraws at most 25 times a second, one part at a time."""

    show_requested = Signal(object)
    """A `TrialRun` of the list."""
    remove_requested = Signal(tuple)
    """Of `TrialRun`."""
    profile_requested = Signal(object)
    """The `TrialRun` to be profiled."""
    save_trace_requested = Signal(object)
    """As the page of the profile asks."""
    selection_changed = Signal()
    """Other trials are selected in the list."""

    def __init__(self, state: State, actions: TrialListActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._actions = actions
        self._title = ElidedLabel(self)
        self._note = ElidedLabel(self)
        self._badges = TrialBadges(self)
        self._banner = TrialBanner(self)
        self._alarms_of: tuple[object, ...] = ()
        self._failure = FailureBox(self)
        self._choices_of: tuple[Failure | None, bool] = (None, False)
        self._pages = TrialPages(state, self)
        self.charts = self._pages.charts
        self._measures = MeasureTableModel(self, rough_color=lambda: theme.muted(self.palette()))
        self._measure_view = TableView(self.tr("Measures"), self)
        self._trials = TrialTableModel(self._icon_of, self._verdict_icon, self)
        self._proxy = QSortFilterProxyModel(self)
        self._trial_view = TableView(self.tr("Trials of this sitting"), self)
        self.upright = QSplitter(Qt.Orientation.Vertical, self)
        self.sideways = QSplitter(Qt.Orientation.Horizontal, self)
        self._timer = QTimer(self)
        self._turn = 0
        self._dirty = 0
        self._showing = False
        self._build()
        self._connect()
        self._show_current()

    def _build(self) -> None:
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self._measure_view.setModel(self._measures)
        self._measure_view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        header = self._measure_view.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._measure_view.setToolTip(DEFINITION)
        self._measure_view.setMinimumWidth(self.fontMetrics().averageCharWidth() * 44)
        self._proxy.setSourceModel(self._trials)
        self._proxy.setSortRole(SORT_ROLE)
        self._trial_view.setModel(self._proxy)
        self._trial_view.setSortingEnabled(True)
        self._trial_view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._trial_view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._trial_view.empty_hint = self.tr("Trials of this sitting are listed here.")
        self._set_column_widths()
        self._trial_view.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.charts.add_commands(self._actions.of_charts)
        self._separate()
        self._trial_view.addActions(self._actions.of_trial)
        self._separate()
        self._trial_view.addActions(self._actions.of_list)
        remove = QAction(self.tr("Remove trials"), self._trial_view)
        remove.setShortcut(QKeySequence.StandardKey.Delete)
        remove.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        remove.triggered.connect(self._ask_remove)
        self._trial_view.addAction(remove)
        self._timer.setInterval(_REDRAW_MS)
        self._assemble()

    def _separate(self) -> None:
        line = QAction(self._trial_view)
        line.setSeparator(True)
        self._trial_view.addAction(line)

    def _assemble(self) -> None:
        charts = QWidget(self)
        column = QVBoxLayout(charts)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._title)
        column.addWidget(self._note)
        column.addWidget(self._badges)
        column.addWidget(self._banner)
        column.addWidget(self._failure)
        column.addWidget(self._pages, 1)
        self.sideways.addWidget(charts)
        self.sideways.addWidget(self._measure_view)
        self.upright.addWidget(self.sideways)
        self.upright.addWidget(self._trial_view)
        self.upright.setStretchFactor(0, 4)
        self.upright.setStretchFactor(1, 1)
        self.upright.setChildrenCollapsible(False)
        self.upright.setSizes([400, 112])
        self.sideways.setStretchFactor(0, 1)
        self.sideways.setStretchFactor(1, 0)
        self.sideways.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.addWidget(self.upright)

    def _set_column_widths(self) -> None:
        header, metrics = self._trial_view.horizontalHeader(), self.fontMetrics()
        for column, characters in enumerate((7, 18, 22, 16, 13, 18, 11, 11, 11, 9)):
            header.resizeSection(column, metrics.averageCharWidth() * characters + 8)

    def _connect(self) -> None:
        self._state.trial_added.connect(self._on_trials)
        self._state.current_trial_changed.connect(self._show_current)
        self._state.current_trial_changed.connect(self._on_trials)
        self._state.trial_changed.connect(self._on_trial_changed)
        self._badges.page_requested.connect(self._pages.show_page)
        self._banner.page_requested.connect(self._pages.show_page)
        self._pages.profile_requested.connect(self.profile_requested)
        self._pages.save_trace_requested.connect(self.save_trace_requested)
        self._timer.timeout.connect(self._redraw)
        self._trial_view.selectionModel().selectionChanged.connect(self._on_selection)
        self._trial_view.selectionModel().selectionChanged.connect(self.selection_changed)

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._on_trials()

    def _on_trials(self) -> None:
        self._showing = True
        self._trials.set_rows(self._state.trials)
        trial = self._state.current_trial
        row = None if trial is None else self._trials.row_number(trial.number)
        if row is not None:
            chosen = self._proxy.mapFromSource(self._trials.index(row, 0))
            selection = self._trial_view.selectionModel()
            if not selection.isRowSelected(chosen.row(), chosen.parent()):
                self._trial_view.choose_row(chosen.row())
            self._trial_view.scrollTo(chosen)
        self._showing = False

    def _show_current(self) -> None:
        self._pages.show_trial(self._state.current_trial)
        self._show_numbers()

    def _on_trial_changed(self, trial: TrialRun) -> None:
        if not trial.is_running:
            self._trials.update_row(trial)
            if trial is self._state.current_trial:
                self._dirty = 0
                self._timer.stop()
                self._show_current()
            return
        self._dirty = 3
        if not self._timer.isActive():
            self._timer.start()

    def _redraw(self) -> None:
        """Draw one of the parts in turn: each stays short, so that the window answers in between."""
        if self._dirty == 0:
            self._timer.stop()
            return
        self._dirty -= 1
        self._turn = (self._turn + 1) % 3
        if self._turn == 0:
            self._pages.redraw_first()
        elif self._turn == 1:
            self._pages.redraw_second()
        else:
            self._show_numbers()
            running = self._state.running_trial
            if running is not None:
                self._trials.update_row(running)

    def _show_numbers(self) -> None:
        trial = self._state.current_trial
        self._measures.set_rows(measures(trial))
        self._show_failure(trial)
        self._badges.show_trial(trial)
        self._show_alarms(trial)
        if trial is None:
            self._title.show_text(self.tr("No trial yet"))
            self._note.show_text(
                self.tr("Choose model and target on the left, then Run: the chart grows while it runs.")
            )
            return
        self._title.show_text(
            self.tr("{0} on {1}").format(trial.model_name, trial.target_text) + f"  ·  #{trial.number}"
        )
        self._note.show_text(self._note_of(trial))

    def _show_failure(self, trial: TrialRun | None) -> None:
        failure = None if trial is None else trial.failure
        has_log = trial is not None and len(trial.log) > 0
        if (failure, has_log) != self._choices_of:
            self._choices_of = (failure, has_log)
            offers_log = failure is not None and has_log
            self._failure.set_choices(*(((self.tr("Show log"), self._show_log),) if offers_log else ()))
        self._failure.show_failure(failure)

    def _show_log(self) -> None:
        self._pages.show_page(TrialPage.LOG)

    def _show_alarms(self, trial: TrialRun | None) -> None:
        """Show what must not be missed; the log is looked through only when one of the things it goes by is new."""
        seen: tuple[object, ...] = ()
        if trial is not None:
            seen = (trial, trial.facts.placement, trial.facts.check, trial.facts.wanted_eps, len(trial.log))
        if seen == self._alarms_of:
            return
        self._alarms_of = seen
        found: tuple[Alarm, ...] = () if trial is None else alarms(trial)
        self._banner.show_alarms(found)

    def _note_of(self, trial: TrialRun) -> str:
        settings, facts = trial.settings, trial.facts
        threads = settings.intra_op_threads
        origin = origin_text(trial)
        parts = [
            *((origin,) if origin else ()),
            stop_rule_text(settings.stop_rule),
            self.tr("warm-up {0}").format(count_text(settings.warmup)),
            self.tr("threads: ORT's choice") if threads == 0 else self.tr("threads: {0}").format(threads),
        ]
        parts += [f"{entry.name} = {entry.size}" for entry in facts.dimensions or settings.dimensions]
        parts += run_texts(settings)
        parts += [f"{key} = {value}" for key, value in (*settings.options, *settings.second_options)]
        parts.append(inputs_text(facts.inputs))
        if trial.is_estimate:
            parts.append(self.tr("percentiles of {0} samples until it ends").format(count_text(LIVE_SAMPLES)))
        if facts.non_finite_outputs:
            names = ", ".join(facts.non_finite_outputs)
            parts.append(self.tr("output {0} holds NaN or infinity").format(names))
        parts += facts.notes
        if facts.saved_files:
            parts.append(self.tr("saved: {0}").format(", ".join(facts.saved_files)))
        return " · ".join(parts)

    def _on_selection(self) -> None:
        """Wish for what was selected by hand; not for what is left selected while trials are removed."""
        if self._showing:
            return
        rows = self._trial_view.selectionModel().selectedRows()
        if len(rows) == 1:
            trial = rows[0].data(ROW_ROLE)
            if isinstance(trial, TrialRun) and trial is not self._state.current_trial:
                self.show_requested.emit(trial)

    def selected_trials(self) -> tuple[TrialRun, ...]:
        """Return the trials that are selected in the list, in its order."""
        rows = sorted(self._trial_view.selectionModel().selectedRows(), key=QModelIndex.row)
        return tuple(index.data(ROW_ROLE) for index in rows)

    def picture(self, trial: TrialRun) -> bytes:
        """Return a trial's charts as the bytes of a PNG file; of the trial shown as they are seen."""
        from .chart_picture import charts_png  # the window starts without it

        self.charts.show_trial(trial)
        title = self.tr("{0} on {1}").format(trial.model_name, trial.target_text)
        environment = trial.environment
        parts = [machine_text(environment)]
        if environment is not None:
            parts.append(self.tr("onnxruntime {0}").format(environment.onnxruntime))
        under = " · ".join(part for part in (*parts, trial.created[:10]) if part)
        data = charts_png(self.charts, self.charts.plots, title, under)
        self._pages.show_trial(self._state.current_trial)
        return data

    def _ask_remove(self) -> None:
        rows = self._trial_view.selectionModel().selectedRows()
        self.remove_requested.emit(tuple(index.data(ROW_ROLE) for index in rows))

    def _icon_of(self, trial: TrialRun) -> QIcon:
        return theme.icon(_OUTCOME_ICONS[trial.outcome], self.palette())

    def _verdict_icon(self, verdict: Verdict) -> QIcon | None:
        return None if verdict.cell == DASH else tone_icon(verdict.icon, self.palette(), verdict.tone)
