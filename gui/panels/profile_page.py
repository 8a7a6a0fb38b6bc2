"""Where the time of a trial's runs goes: by operator and by node, on request."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ..models.profile_table import (
    NodeTableModel,
    OpTableModel,
    node_rows,
    op_rows,
    summary_text,
    trace_tip,
)
from ..models.table import FilterProxy
from ..records.profile import Profile, ep_times, share_of_nodes
from ..state import EngineStatus, State
from ..trial_run import TrialRun
from .profile_chart import ProfileChart
from .widgets import FailureBox, MutedLabel, TableView


class ProfilePage(QWidget):
    """Shows the profile of one trial, or offers to make it."""

    profile_requested = Signal(object)
    """A `TrialRun`."""
    save_trace_requested = Signal(object)
    """A `TrialRun` that has a profile."""

    def __init__(self, state: State, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._trial: TrialRun | None = None
        self._shown: Profile | None = None
        self._failure = FailureBox(self)
        self._progress = QLabel(self)
        self._invitation = QLabel(self)
        self._start = QPushButton(self.tr("Profile this trial"), self)
        self._again = QPushButton(self.tr("Profile again"), self)
        self._save = QPushButton(self.tr("Save trace…"), self)
        self._summary = QLabel(self)
        self._notes = MutedLabel(parent=self)
        self._filter = QLineEdit(self)
        self._chart = ProfileChart(self)
        self._ops = OpTableModel(self._marker, self)
        self._nodes = NodeTableModel(self._marker, self)
        self._op_view = TableView(self.tr("Time by operator"), self)
        self._node_view = TableView(self.tr("Slowest nodes"), self)
        self._tabs = QTabWidget(self)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._stack = QStackedWidget(self)
        self._build()
        self._connect()
        self.show_trial(None)

    def _build(self) -> None:
        self._invitation.setWordWrap(True)
        self._summary.setWordWrap(True)
        self._summary.setTextFormat(Qt.TextFormat.PlainText)
        self._summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._notes.setWordWrap(True)
        self._notes.setTextFormat(Qt.TextFormat.PlainText)
        self._notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._progress.setTextFormat(Qt.TextFormat.PlainText)
        self._filter.setPlaceholderText(self.tr("Filter"))
        self._filter.setAccessibleName(self.tr("Filter operators and nodes"))
        self._filter.setClearButtonEnabled(True)
        self._filter.setMaximumWidth(self.fontMetrics().averageCharWidth() * 16)
        for model, view, title in (
            (self._ops, self._op_view, self.tr("By operator")),
            (self._nodes, self._node_view, self.tr("Slowest nodes")),
        ):
            proxy = FilterProxy(self)
            proxy.setSourceModel(model)
            self._filter.textChanged.connect(proxy.set_filter_text)
            view.setModel(proxy)
            view.setSortingEnabled(True)
            view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
            view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
            view.empty_hint = self.tr("Nothing here has these words.")
            self._tabs.addTab(view, title)
        self._tabs.setCornerWidget(self._filter)
        self._tabs.setDocumentMode(True)
        self.splitter.addWidget(self._chart)
        self.splitter.addWidget(self._tabs)
        self.splitter.setSizes([205, 395])
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        self._assemble()

    def _assemble(self) -> None:
        empty = QWidget(self)
        column = QVBoxLayout(empty)
        column.addWidget(self._invitation)
        column.addWidget(self._start, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        content = QWidget(self)
        head = QHBoxLayout()
        head.addWidget(self._summary, 1)
        head.addWidget(self._again, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._save, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(head)
        column.addWidget(self._notes)
        column.addWidget(self.splitter, 1)
        self._stack.addWidget(empty)
        self._stack.addWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(3)
        layout.addWidget(self._failure)
        layout.addWidget(self._progress)
        layout.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self._start.clicked.connect(self._ask_profile)
        self._again.clicked.connect(self._ask_profile)
        self._save.clicked.connect(self._ask_save)
        self._failure.closed.connect(self._forget_failure)
        self._state.trial_changed.connect(self._on_trial_changed)
        for signal in (
            self._state.work_changed,
            self._state.engine_changed,
            self._state.compilation_changed,
            self._state.waiting_changed,
            self._state.trial_added,
        ):
            signal.connect(self._show_what_can_be_done)

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._op_view.viewport().update()
            self._node_view.viewport().update()

    def show_trial(self, trial: TrialRun | None) -> None:
        """Show the profile of a trial, or what stands in its place."""
        self._trial = trial
        self._show_profile(None if trial is None else trial.profile)
        self._failure.show_failure(None if trial is None else trial.profile_failure)
        self._show_what_can_be_done()

    def _on_trial_changed(self, trial: TrialRun) -> None:
        if trial is not self._trial:
            self._show_what_can_be_done()
            return
        if trial.profile is not self._shown:
            self._show_profile(trial.profile)
        if trial.profile_failure is not self._failure.failure:
            self._failure.show_failure(trial.profile_failure)
        self._show_what_can_be_done()

    def _show_profile(self, profile: Profile | None) -> None:
        self._shown = profile
        self._stack.setCurrentIndex(0 if profile is None else 1)
        ops = op_rows(profile)
        eps = () if profile is None else ep_times(profile)
        self._chart.show_rows(
            ops, [(name, share_of_nodes(profile, total_ns)) for name, total_ns in eps] if profile is not None else []
        )
        self._ops.set_rows(ops)
        self._nodes.set_rows(node_rows(profile))
        self._op_view.fit_columns({0: 17, 1: 12})
        self._node_view.fit_columns({0: 24, 1: 16, 2: 14, 7: 30})
        notes = () if profile is None else profile.notes
        self._summary.setText("" if profile is None else summary_text(profile))
        self._notes.setText(" ".join(notes))
        is_opened = self._trial is not None and self._trial.is_opened
        self._save.setToolTip(self.tr("The trace is not part of the file") if is_opened else trace_tip(profile))

    def _show_what_can_be_done(self) -> None:
        trial, state = self._trial, self._state
        is_ready = state.engine_status is EngineStatus.READY and not state.is_busy
        can_start = trial is not None and not trial.is_running and not trial.is_opened and is_ready
        for button in (self._start, self._again):
            button.setEnabled(can_start)
        self._save.setEnabled(trial is not None and trial.profile is not None and not trial.is_opened)
        self._progress.setVisible(bool(state.work))
        self._progress.setText(self.tr("The engine is {0}…").format(state.work) if state.work else "")
        self._invitation.setText(self._words())

    def _words(self) -> str:
        trial = self._trial
        if trial is None:
            return self.tr("A profile tells which operators and nodes of a model take the time. First run a trial.")
        if trial.is_from_history:
            return self.tr("This trial comes from the history and has no profile. Use its set-up to run it here.")
        if trial.is_opened:
            return self.tr(
                "This trial comes from a file and was saved without a profile. Use its set-up to run it here."
            )
        text = self.tr(
            "A profile tells which operators and nodes of {0} take the time on {1}. ORT's own profiler makes it, in "
            "sessions of their own: the numbers of the trial stay as they are. Two sessions are created, one without "
            "the profiler and one with it, and run for three seconds at most. Under the profiler every run is slower, "
            "so read shares from it, and latencies from the trial."
        ).format(trial.model_name, trial.target_text)
        if trial.is_running:
            text += "\n\n" + self.tr("It can be made when the trial has ended.")
        return text

    def _marker(self, ep_name: str) -> QIcon | None:
        return self._chart.marker(ep_name)

    def _ask_profile(self) -> None:
        if self._trial is not None:
            self.profile_requested.emit(self._trial)

    def _ask_save(self) -> None:
        if self._trial is not None and self._trial.profile is not None:
            self.save_trace_requested.emit(self._trial)

    def _forget_failure(self) -> None:
        if self._trial is not None:
            self._trial.profile_failure = None
