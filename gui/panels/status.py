"""The status bar: what runs, its stage, how far it is, what is left."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from .. import theme
from ..comparison_run import ComparisonRun, Phase
from ..models.texts import count_text, duration_text
from ..records.library import LibraryState
from ..records.trial import Stage
from ..state import EngineStatus, State
from ..trial_run import TrialRun

_NOTICE_MS = 12_000
_TICK_MS = 250


class StatusBar(QStatusBar):
    """Follows the state; a notice stands on the left for a while."""

    log_requested = Signal()

    def __init__(self, state: State, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._activity = QLabel(self)
        self._progress = QProgressBar(self)
        self._engine = QLabel(self)
        self._log = QToolButton(self)
        self._since = QElapsedTimer()
        self._doing = ""
        self._timer = QTimer(self)
        self._build()
        for signal in (
            state.engine_changed,
            state.libraries_changed,
            state.trial_changed,
            state.trial_added,
            state.work_changed,
            state.comparison_changed,
        ):
            signal.connect(self._wake)
        state.notice_posted.connect(self._show_notice)
        self._timer.timeout.connect(self._show)
        self._show()

    def _build(self) -> None:
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._progress.setFixedWidth(self.fontMetrics().averageCharWidth() * 22)
        self._progress.setMaximumHeight(self.fontMetrics().height())
        self._progress.setAccessibleName(self.tr("Progress"))
        self._log.setAutoRaise(True)
        self._log.setText(self.tr("Log"))
        self._log.setToolTip(self.tr("Show the log"))
        self._log.clicked.connect(self.log_requested)
        self.addPermanentWidget(self._activity)
        self.addPermanentWidget(self._progress)
        self.addPermanentWidget(self._engine)
        self.addPermanentWidget(self._log)
        self._timer.setInterval(_TICK_MS)

    def show_unseen(self, count: int) -> None:
        """Tell how many warnings and errors the log has that were not seen."""
        self._log.setText(self.tr("Log") if not count else self.tr("Log: %n new", "", count))
        self._log.setIcon(theme.icon("warning") if count else QIcon())

    def _wake(self) -> None:
        """Show what has changed with the next tick: samples come far more often than people read."""
        if not self._timer.isActive():
            self._timer.start()
            self._show()

    def _show(self) -> None:
        trial, comparison = self._state.running_trial, self._state.comparison
        if comparison is not None and comparison.is_running:
            text, share = self._of_comparison(comparison)
        else:
            text, share = self._of_trial(trial) if trial is not None else self._of_others()
        self._activity.setText(text)
        self._activity.setVisible(bool(text))
        self._progress.setVisible(bool(text))
        if share is None:
            self._progress.setRange(0, 0)
        else:
            self._progress.setRange(0, 1000)
            self._progress.setValue(round(share * 1000))
        self._engine.setText(self._engine_text())
        if not text:
            self._timer.stop()

    def _of_trial(self, trial: TrialRun) -> tuple[str, float | None]:
        name = self.tr("{0} on {1}").format(trial.model_name, trial.target_text)
        if trial.stopping:
            return self.tr("{0}: stopping…").format(name), None
        if trial.facts.stage is not Stage.MEASURING:
            return self.tr("{0}: {1}, {2}").format(
                name, trial.facts.stage.value, self._for(trial.facts.stage.value)
            ), None
        rule = trial.settings.stop_rule
        done = count_text(len(trial.series))
        if rule.iterations is not None:
            done = self.tr("{0} of {1}").format(done, count_text(rule.iterations))
        text = self.tr("{0}: measuring, {1}").format(name, done)
        if trial.seconds_left is not None:
            left = self.tr("{0}, at most {1} left") if trial.may_end_sooner else self.tr("{0}, {1} left")
            text = left.format(text, duration_text(trial.seconds_left))
        return text, trial.progress

    def _of_comparison(self, comparison: ComparisonRun) -> tuple[str, float | None]:
        name = self.tr("Comparing {0} targets").format(len(comparison.runs))
        if comparison.stopping:
            return self.tr("{0}: stopping…").format(name), None
        if comparison.phase is not Phase.MEASURING or comparison.plan is None:
            doing = comparison.phase.value
            return self.tr("{0}: {1}, {2}").format(name, doing, self._for(doing)), None
        text = self.tr("{0}: round {1} of {2}").format(
            name, count_text(comparison.round), count_text(comparison.plan.rounds)
        )
        if comparison.seconds_left is not None:
            text = self.tr("{0}, {1} left").format(text, duration_text(comparison.seconds_left))
        return text, comparison.progress

    def _of_others(self) -> tuple[str, float | None]:
        work = self._state.work
        if work:
            return self.tr("{0}, {1}").format(work[:1].upper() + work[1:], self._for(work)), None
        for library in self._state.libraries:
            if library.state is LibraryState.LOADING and self._state.engine_status is EngineStatus.READY:
                return self.tr("Loading “{0}”, {1}").format(library.name, self._for(library.name)), None
            if library.state is LibraryState.UNREGISTERING:
                return self.tr("Unregistering “{0}”, {1}").format(library.name, self._for(library.name)), None
        return "", 0.0

    def _for(self, doing: str) -> str:
        """Return how long the same thing has been going on."""
        if doing != self._doing or not self._since.isValid():
            self._doing = doing
            self._since.start()
        return duration_text(self._since.elapsed() / 1000)

    def _engine_text(self) -> str:
        greeting = self._state.greeting
        match self._state.engine_status:
            case EngineStatus.READY if greeting is not None:
                return self.tr("ONNX Runtime {0}").format(greeting.onnxruntime)
            case EngineStatus.GAVE_UP:
                return self.tr("No engine")
        return self.tr("Engine is starting…")

    def _show_notice(self, text: str) -> None:
        self.showMessage(text, _NOTICE_MS)
