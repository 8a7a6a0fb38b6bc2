"""What the window does to compare: puts a comparison together, shows one, and compares trials that are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSplitter, QTabWidget, QWidget

from .comparison_keeper import ComparisonKeeper
from .comparison_run import ComparisonRun
from .experiment import estimate_seconds
from .models.compare_plan import CompareRow, PlanEstimate
from .panels.trial_panel import TrialPanel
from .records.comparison import ComparisonCell, ComparisonPlan
from .records.identity import new_id
from .records.trial import TrialFacts
from .settings import Settings
from .state import State
from .trial_run import TrialRun

if TYPE_CHECKING:  # the window starts without them
    from .dialogs.compare_targets import CompareTargetsDialog
    from .panels.comparison_panel import ComparisonPanel

_LEAST_TRIALS: Final = 2
_TRIALS_PAGE: Final = 0
_SPLITTER: Final = "comparison"


class Comparisons(QObject):
    """Owns the page of the comparison, which is made when there is one to be shown."""

    offered = Signal(bool)
    """Whether the trials selected can be compared."""

    def __init__(
        self,
        window: QWidget,
        state: State,
        settings: Settings,
        keeper: ComparisonKeeper,
        trial_panel: TrialPanel,
        pages: QTabWidget,
        *,
        compare: QAction,
        of_comparison: tuple[QAction, ...],
        selected: Callable[[], tuple[TrialRun, ...]],
    ) -> None:
        """`pages` holds the trials and gets the comparison; `selected` returns the trials selected in the list.

        `compare` is the command that asks which targets shall be compared; `of_comparison` are those for the comparison
        that is shown.
        """
        super().__init__(window)
        self._window = window
        self._state = state
        self._settings = settings
        self._keeper = keeper
        self._trial_panel = trial_panel
        self._pages = pages
        self._compare = compare
        self._of_comparison = of_comparison
        self._selected = selected
        self._is_offered = False
        self._rows: dict[str, CompareRow] = {}  # of the dialog as it was left, of targets that are gone, too
        self._baseline = ""
        self._panel: ComparisonPanel | None = None
        state.comparison_changed.connect(self._on_comparison)
        state.current_trial_changed.connect(self._on_current_trial)
        for signal in (state.trial_added, state.trial_changed, state.current_trial_changed, state.comparison_changed):
            signal.connect(self.offer)

    # ---- A new one ----

    def choose_targets(self) -> None:
        """Ask which targets shall be compared."""
        if self._trial_panel.common_problem() is not None:
            return
        from .dialogs.compare_targets import CompareTargetsDialog  # the window starts without it

        self._trial_panel.commit_editor()
        dialog = CompareTargetsDialog(
            self._state,
            self._trial_panel.compare_base(),
            self._settings.comparison_choices,
            self._rows,
            baseline=self._baseline,
            problem=self._trial_panel.common_problem,
            estimate=self._estimate,
            parent=self._window,
        )
        dialog.comparison_requested.connect(self._run)
        dialog.finished.connect(lambda _result, dialog=dialog: self._remember(dialog))
        dialog.open()

    def _run(self, plan: ComparisonPlan) -> None:
        self._keeper.run(plan)
        self._show_page()

    def _remember(self, dialog: CompareTargetsDialog) -> None:
        """Keep what was typed; variants that were removed are gone."""
        shown = {row.key for row in dialog.rows}
        shown |= {row.key for row in self._rows.values() if row.variant_of in shown}
        self._rows = {key: row for key, row in self._rows.items() if key not in shown}
        self._rows |= {row.key: row for row in dialog.rows}
        self._baseline = dialog.baseline
        if dialog.result() == dialog.DialogCode.Accepted:
            self._settings.comparison_choices = dialog.choices
            self._settings.trial_choices = self._trial_panel.choices()

    def _estimate(self, plan: ComparisonPlan) -> PlanEstimate:
        known = {index: self._facts_of(cell) for index, cell in enumerate(plan.cells)}
        seconds, may_be_longer = estimate_seconds(plan, known)
        return PlanEstimate(seconds=seconds, is_known=not may_be_longer)

    def _facts_of(self, cell: ComparisonCell) -> TrialFacts | None:
        """Return the facts of the last trial of this sitting that did what a cell shall do."""
        wanted = cell.settings
        for trial in reversed(self._state.trials):
            settings = trial.settings
            is_same = (
                settings.model_path == wanted.model_path
                and settings.target == wanted.target
                and settings.dimensions == wanted.dimensions
                and not trial.is_opened
            )
            if is_same and not trial.is_running and trial.facts.session_creation_ns is not None:
                return trial.facts
        return None

    # ---- Trials that are there ----

    def offer(self) -> None:
        """Tell whether the trials selected can be compared, when that has changed."""
        trials = self._selected()
        is_offered = (
            len(trials) >= _LEAST_TRIALS and not any(trial.is_running for trial in trials) and not self._is_running()
        )
        if is_offered != self._is_offered:
            self._is_offered = is_offered
            self.offered.emit(is_offered)

    def show_selected(self) -> None:
        """Compare the trials that are selected in the list."""
        self.show_trials(self._selected())

    def show_trials(
        self, trials: tuple[TrialRun, ...], baseline: TrialRun | None = None, notes: tuple[str, ...] = ()
    ) -> None:
        """Compare trials that have ended; those of one comparison are put into the order of its cells.

        `baseline` is the one that the others are compared with, None leaves it to what they say. `notes` are what else
        is known of how the comparison ran.
        """
        trials = tuple(trial for trial in trials if not trial.is_running)
        if not trials:
            return
        if self._is_running():
            self._state.post(self.tr("A comparison is under way. Stop it, or wait until it has ended."))
            return
        comparison = comparison_of(trials, baseline)
        comparison.notes = notes
        self._state.show_comparison(comparison)
        self._show_page()

    def _is_running(self) -> bool:
        comparison = self._state.comparison
        return comparison is not None and comparison.is_running

    # ---- The page ----

    @property
    def panel(self) -> ComparisonPanel:
        """The page of the comparison; made when there is one, or when it is first asked for."""
        if self._panel is None:
            from .panels.comparison_panel import ComparisonActions, ComparisonPanel  # the window starts without it

            actions = ComparisonActions(compare=self._compare, of_charts=self._of_comparison)
            panel = self._panel = ComparisonPanel(self._state, actions, self._pages)
            for child in (panel, *panel.findChildren(QWidget)):
                child.setAcceptDrops(False)  # files dropped anywhere are the window's
            panel.stop_requested.connect(self._keeper.stop)
            panel.resume_requested.connect(self._keeper.resume)
            panel.repeat_requested.connect(self._keeper.repeat)
            panel.baseline_requested.connect(self._choose_baseline)
            panel.show_trial_requested.connect(self._show_trial)
            state = self._settings.splitter_state(_SPLITTER)
            if not state.isEmpty():
                panel.upright.restoreState(state)
            self._pages.addTab(panel, self.tr("Comparison"))
        return self._panel

    def picture(self) -> bytes:
        """Return the chart that is seen of the comparison as the bytes of a PNG file."""
        return self.panel.picture()

    def splitters(self) -> dict[str, QSplitter]:
        """Return the splitters of the page, by the names under which they are remembered; none before it is made."""
        return {} if self._panel is None else {_SPLITTER: self._panel.upright}

    def _choose_baseline(self, index: int) -> None:
        comparison = self._state.comparison
        if comparison is not None and 0 <= index < len(comparison.runs):
            comparison.baseline = index
            self._state.show_comparison(comparison)

    def _show_trial(self, trial: TrialRun) -> None:
        """Show a trial among those of this sitting; one of the history is put there."""
        if trial not in self._state.trials:
            self._state.add_trial(trial, show=False)
        self._state.show_trial(trial)
        self._pages.setCurrentIndex(_TRIALS_PAGE)

    def _on_comparison(self) -> None:
        if self._panel is None and self._state.comparison is not None:
            self._show_page()

    def _on_current_trial(self) -> None:
        """Another trial is shown: it is begun, opened or chosen, and shall be seen."""
        if self._state.current_trial is not None:
            self._pages.setCurrentIndex(_TRIALS_PAGE)

    def _show_page(self) -> None:
        self._pages.setCurrentWidget(self.panel)


def comparison_of(trials: tuple[TrialRun, ...], baseline: TrialRun | None = None) -> ComparisonRun:
    """Return a comparison of trials that have ended; `baseline` is one of them, the first when none is given.

    Of trials that were all measured in one comparison the order is that of its cells, and the baseline its own.
    """
    parts = [trial.comparison for trial in trials if trial.comparison is not None]
    if len(parts) < len(trials) or len({part.id for part in parts}) > 1:
        return _of_runs(trials, baseline)
    ordered = sorted(zip(parts, trials, strict=True), key=lambda pair: pair[0].cell)
    own = next((trial for part, trial in ordered if part.is_baseline), None)
    return _of_runs(tuple(trial for _part, trial in ordered), baseline or own)


def _of_runs(runs: tuple[TrialRun, ...], baseline: TrialRun | None) -> ComparisonRun:
    place = next((number for number, run in enumerate(runs) if run is baseline), 0)
    return ComparisonRun(id=new_id(), runs=runs, baseline=place)
