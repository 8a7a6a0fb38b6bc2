"""Puts a comparison together: which targets, with which options and sizes, and how much is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..models.compare_plan import (
    CompareBase,
    CompareRow,
    PlanEstimate,
    compare_plan,
    compare_rows,
    size_count,
)
from ..models.compare_table import TARGET_COLUMN, CompareTableModel, options_problem
from ..models.texts import count_text, duration_text
from ..panels.dimensions_editor import DimensionsEditor
from ..panels.form import CountBox, NumberBox
from ..panels.widgets import TableView, TickDelegate
from ..records.comparison import MAX_CELLS, MAX_ROUNDS, MIN_ROUNDS, ComparisonPlan
from ..records.setup import MAX_TRIALS, DimensionSweep
from ..records.trial import MAX_ITERATIONS, MAX_SECONDS
from ..settings import ComparisonChoices
from ..state import State

_SECONDS, _ITERATIONS = 0, 1
_LEAST_SECONDS: Final = 0.001
_LEAST_CELLS: Final = 2
_WIDEST: Final = {0: 40, 1: 36, 2: 46, 4: 24, 5: 70}
"""Of the columns, in characters."""


class CompareTargetsDialog(QDialog):
    """Shown over the window; the trial panel behind it stays as it is meanwhile."""

    comparison_requested = Signal(object)
    """A `ComparisonPlan`, when *Compare* is pressed."""

    def __init__(
        self,
        state: State,
        base: CompareBase,
        choices: ComparisonChoices,
        before: Mapping[str, CompareRow],
        *,
        baseline: str,
        problem: Callable[[], str | None],
        estimate: Callable[[ComparisonPlan], PlanEstimate],
        parent: QWidget | None = None,
    ) -> None:
        """`before` are the rows by their keys as they were left, `baseline` the key of the one chosen then.

        `problem` tells why nothing can be run now, in a sentence, or None.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Compare targets"))
        self._state = state
        self._base = base
        self._problem_outside = problem
        self._estimate = estimate
        self._baseline_key = baseline
        self._model = CompareTableModel(self, warning=_warning, muted=_muted)
        self._view = _CompareView(self.tr("Targets"), self)
        self._add = QPushButton(self.tr("&Add variant"), self)
        self._remove = QPushButton(self.tr("&Remove variant"), self)
        self._sizes = DimensionsEditor(self, counts_trials=False)
        self._sizes_title = QLabel(self.tr("Sizes; several, as in 1, 4, 16, are measured on each target"), self)
        self._rounds = CountBox(MIN_ROUNDS, MAX_ROUNDS, self)
        self._amount = QStackedWidget(self)
        self._seconds = NumberBox(_LEAST_SECONDS, MAX_SECONDS, self._amount)
        self._iterations = CountBox(1, MAX_ITERATIONS, self._amount)
        self._kind = QComboBox(self)
        self._baseline = QComboBox(self)
        self._summary = QLabel(self)
        self._problem = QLabel(self)
        self._refused = ""
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self._compare = self._buttons.addButton(self.tr("&Compare"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._build()
        self._show_choices(choices)
        self._model.set_rows(compare_rows(base, state.devices, before))
        self._view.fit_columns(_WIDEST)
        self._select(0)
        self._connect()
        self._follow()

    # ---- Building ----

    def _build(self) -> None:
        intro = QLabel(
            self.tr(
                "{0} on each target that is ticked. All are measured by turns, in rounds and in an order drawn anew for"
                " each, so that what changes meanwhile hits them alike. Inputs, session, callers and check are those"
                " of the trial."
            ).format(Path(self._base.settings.model_path).stem),
            self,
        )
        intro.setTextFormat(Qt.TextFormat.PlainText)
        for label in (intro, self._summary, self._problem):
            label.setWordWrap(True)
        self._view.setModel(self._model)
        self._view.setItemDelegateForColumn(TARGET_COLUMN, TickDelegate(self._view))
        self._view.build()
        self._add.setToolTip(self.tr("Put the selected target into the table once more, for options of its own"))
        self._remove.setToolTip(self.tr("Take the selected variant out of the table"))
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        below = QHBoxLayout()
        below.addWidget(self._add)
        below.addWidget(self._remove)
        below.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(intro)
        layout.addWidget(self._view, 1)
        layout.addLayout(below)
        layout.addWidget(self._sizes_title)
        layout.addWidget(self._sizes)
        layout.addLayout(self._how_much())
        layout.addWidget(self._summary)
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons)
        for button in (self._add, self._remove, self._buttons.button(QDialogButtonBox.StandardButton.Cancel)):
            button.setAutoDefault(False)
        self._compare.setDefault(True)
        self._show_sizes()
        self.resize(980, 600)
        self._view.setFocus()

    def _how_much(self) -> QHBoxLayout:
        self._amount.addWidget(self._seconds)
        self._amount.addWidget(self._iterations)
        self._kind.addItems([self.tr("seconds for each"), self.tr("iterations for each")])
        self._seconds.setAccessibleName(self.tr("Seconds for each cell"))
        self._iterations.setAccessibleName(self.tr("Iterations for each cell"))
        self._kind.setAccessibleName(self.tr("What is measured for each cell"))
        tip = self.tr("For each target and size, in all rounds together")
        for field in (self._seconds, self._iterations, self._kind):
            field.setToolTip(tip)
        self._rounds.setToolTip(
            self.tr("In how many turns it is measured: more of them even out what changes meanwhile, as clocks do")
        )
        self._baseline.setToolTip(self.tr("What the others are compared with; another can be chosen afterwards"))
        self._baseline.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._baseline.setMinimumContentsLength(18)
        rounds, baseline = QLabel(self.tr("R&ounds"), self), QLabel(self.tr("&Baseline"), self)
        rounds.setBuddy(self._rounds)
        baseline.setBuddy(self._baseline)
        self._measure_label = QLabel(self.tr("&Measure"), self)
        row = QHBoxLayout()
        for widget, stretch in (
            (rounds, 0),
            (self._rounds, 2),
            (self._measure_label, 0),
            (self._amount, 2),
            (self._kind, 0),
            (baseline, 0),
            (self._baseline, 4),
        ):
            row.addWidget(widget, stretch)
            row.addSpacing(4)
        return row

    def _show_sizes(self) -> None:
        model = self._state.model
        description = None if model is None else model.description
        if description is not None:
            self._sizes.show_dimensions(description.free_names, description.inputs)
        self._sizes.remember(self._base.settings.dimensions, self._base.sweeps)
        self._sizes_title.setVisible(description is not None and bool(description.free_names))

    def _show_choices(self, choices: ComparisonChoices) -> None:
        self._rounds.setValue(choices.rounds)
        self._seconds.setValue(choices.seconds)
        self._iterations.setValue(choices.iterations)
        self._kind.setCurrentIndex(_ITERATIONS if choices.by_iterations else _SECONDS)

    def _connect(self) -> None:
        state = self._state
        for signal in (state.engine_changed, state.libraries_changed, state.model_changed, state.work_changed):
            signal.connect(self._follow)
        state.devices_changed.connect(self._on_devices_changed)
        self._model.changed_by_hand.connect(self._on_changed)
        self._model.refused.connect(self._on_refused)
        self._view.selectionModel().selectionChanged.connect(self._follow)
        self._add.clicked.connect(self._add_variant)
        self._remove.clicked.connect(self._remove_variant)
        self._sizes.changed.connect(self._follow)
        for box in (self._rounds, self._seconds, self._iterations):
            box.valueChanged.connect(self._follow)
        self._kind.currentIndexChanged.connect(self._follow)
        self._baseline.activated.connect(self._on_baseline)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    # ---- What is chosen ----

    @property
    def rows(self) -> tuple[CompareRow, ...]:
        """The rows as they stand."""
        return self._model.rows

    @property
    def baseline(self) -> str:
        """The key of the row that the others are compared with."""
        return str(self._baseline.currentData() or self._baseline_key)

    @property
    def choices(self) -> ComparisonChoices:
        """How much is to be measured."""
        return ComparisonChoices(
            rounds=self._rounds.value(),
            by_iterations=self._kind.currentIndex() == _ITERATIONS,
            iterations=self._iterations.value(),
            seconds=self._seconds.value(),
        )

    def plan(self) -> ComparisonPlan:
        """Return what is chosen; `problem` must be None."""
        choices = self.choices
        return compare_plan(
            self._base,
            self.rows,
            dimensions=self._sizes.sizes,
            sweeps=self._sweeps,
            stop_rule=choices.stop_rule,
            rounds=choices.rounds,
            baseline=self.baseline,
        )

    @property
    def _sweeps(self) -> tuple[DimensionSweep, ...]:
        """The dimensions with several sizes, each size once."""
        return tuple(
            DimensionSweep(name=sweep.name, sizes=tuple(dict.fromkeys(sweep.sizes))) for sweep in self._sizes.sweeps
        )

    def problem(self) -> str | None:
        """Return why this cannot be compared, in one sentence with what to do, or None."""
        if self._state.is_busy:
            return self.tr("The engine is at other work. Wait until it is done.")
        return self._problem_outside() or self._sizes.problem() or self._problem_of_rows()

    def _problem_of_rows(self) -> str | None:
        chosen = self._model.chosen
        for row in chosen:
            problem = options_problem(row)
            if problem:
                return self.tr("{0}: {1}").format(self._model.label(row), problem)
        cells = len(chosen) * size_count(self._sweeps)
        if not chosen or cells < _LEAST_CELLS:
            return self.tr("Tick two targets at least, or name several sizes.")
        if cells > min(MAX_CELLS, MAX_TRIALS):
            text = self.tr("{0} targets × {1} sizes are {2} cells; at most {3} are compared. Tick or name fewer.")
            sizes = size_count(self._sweeps)
            return text.format(len(chosen), sizes, count_text(cells), MAX_CELLS)
        labels = [self._model.label(row) for row in chosen]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            return self.tr("Two targets have the label “{0}”. Type another for one of them.").format(twice)
        return None

    def accept(self) -> None:
        """Qt's; tells what is chosen."""
        self._compare.setFocus()  # what is being typed into a cell is taken over
        if self.problem() is None:
            self.comparison_requested.emit(self.plan())
            super().accept()

    # ---- Reactions ----

    def _add_variant(self) -> None:
        row = self._current()
        if row is not None:
            self._select(self._model.add_variant(row))
            self._view.setFocus()

    def _remove_variant(self) -> None:
        row = self._current()
        if row is not None:
            self._model.remove_variant(row)
            self._select(row - 1)
            self._view.setFocus()

    def _current(self) -> int | None:
        indexes = self._view.selectionModel().selectedRows()
        return indexes[0].row() if indexes else None

    def _select(self, row: int) -> None:
        self._view.choose_row(row)

    def _on_devices_changed(self) -> None:
        before = {row.key: row for row in self.rows}
        self._model.set_rows(compare_rows(self._base, self._state.devices, before))
        self._on_changed()

    def _on_changed(self) -> None:
        self._view.fit_columns(_WIDEST)
        self._follow()

    def _on_refused(self, sentence: str) -> None:
        self._refused = sentence
        self._follow()

    def _on_baseline(self) -> None:
        self._baseline_key = self.baseline
        self._follow()

    def _follow(self) -> None:
        """Show what follows from all that is chosen."""
        by_iterations = self._kind.currentIndex() == _ITERATIONS
        self._amount.setCurrentIndex(_ITERATIONS if by_iterations else _SECONDS)
        self._measure_label.setBuddy(self._iterations if by_iterations else self._seconds)
        self._show_baselines()
        current = self._current()
        row = None if current is None else self._model.row(current)
        self._add.setEnabled(row is not None and not row.obstacle)
        self._remove.setEnabled(row is not None and bool(row.variant_of))
        problem = self.problem()
        self._summary.setText("" if problem is not None else self._summary_text())
        self._summary.setVisible(problem is None)
        self._problem.setText(" ".join(filter(None, (self._refused, problem))))
        self._problem.setVisible(bool(self._problem.text()))
        self._compare.setEnabled(problem is None)

    def _show_baselines(self) -> None:
        """Offer the ticked targets; the one chosen stays so as long as it is ticked."""
        chosen = self._model.chosen
        entries = [(self._model.label(row), row.key) for row in chosen]
        with QSignalBlocker(self._baseline):
            self._baseline.clear()
            for label, key in entries:
                self._baseline.addItem(label, key)
            self._baseline.setCurrentIndex(max(0, self._baseline.findData(self._baseline_key)) if entries else -1)
        self._baseline.setEnabled(bool(entries))

    def _summary_text(self) -> str:
        plan = self.plan()
        targets, sizes = len(self._model.chosen), size_count(self._sweeps)
        if sizes > 1:
            what = self.tr("{0} targets × {1} sizes = {2} cells").format(targets, sizes, len(plan.cells))
        else:
            what = self.tr("{0} targets").format(targets)
        estimate = self._estimate(plan)
        if estimate.is_known:
            how_long = self.tr("about {0}").format(duration_text(estimate.seconds))
        else:
            how_long = self.tr("at least {0}; known better after the first runs").format(
                duration_text(estimate.seconds)
            )
        rounds = self.tr("1 round") if plan.rounds == 1 else self.tr("{0} rounds each").format(count_text(plan.rounds))
        return self.tr("{0}, {1}; {2}.").format(what, rounds, how_long)


class _CompareView(TableView):
    """Space ticks the current row, whichever of its cells is the current one."""

    def build(self) -> None:
        """Set the view up; call when it has its model."""
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.DoubleClicked | trigger.EditKeyPressed)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.horizontalHeader().setStretchLastSection(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt's."""
        model, index = self.model(), self.currentIndex()
        is_editing = self.state() is QAbstractItemView.State.EditingState
        if event.key() == Qt.Key.Key_Space and isinstance(model, CompareTableModel) and index.isValid():
            if not is_editing:
                model.toggle(index.row())
            event.accept()
            return
        super().keyPressEvent(event)


def _warning() -> QIcon:
    return theme.icon("warning")  # in the application's colours; a method would keep the closed dialog alive


def _muted() -> QColor:
    return theme.muted(QGuiApplication.palette())
