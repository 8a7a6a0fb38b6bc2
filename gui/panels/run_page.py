"""How a trial is run: warm-up, when it stops, who calls, how inputs are handed over."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from ..records.check import CheckSettings, Tolerance
from ..records.trial import (
    MAX_CALLERS,
    MAX_ITERATIONS,
    MAX_PAUSE_MS,
    MAX_SECONDS,
    MAX_STABLE_PERCENT,
    MAX_WARMUP,
    MIN_STABLE_PERCENT,
    Binding,
)
from ..settings import RunChoices, StopKind
from .form import COLUMNS, CountBox, FormPage, NumberBox, fill_combo
from .path_field import PathField, PathKind
from .widgets import MutedLabel

_LEAST_SECONDS = 0.001
"""What a field of seconds can show beside 0."""


class RunPage(FormPage):
    """Every field of `RunChoices`."""

    choices_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        body = self.body
        self._warmup = CountBox(0, MAX_WARMUP, body)
        self._kind = QComboBox(body)
        self._iterations = CountBox(1, MAX_ITERATIONS, body)
        self._seconds = NumberBox(_LEAST_SECONDS, MAX_SECONDS, body)
        self._percent = NumberBox(MIN_STABLE_PERCENT, MAX_STABLE_PERCENT, body)
        self._amounts = {
            StopKind.ITERATIONS: self._iterations,
            StopKind.SECONDS: self._seconds,
            StopKind.STABLE: self._percent,
        }
        self._amount = QStackedWidget(body)
        self._longest = NumberBox(_LEAST_SECONDS, MAX_SECONDS, body)
        self._pause = NumberBox(0, MAX_PAUSE_MS, body)
        self._callers = CountBox(1, MAX_CALLERS, body)
        self._binding = QComboBox(body)
        self._timeout = NumberBox(0, MAX_SECONDS, body)
        self._outputs = PathField(PathKind.FOLDER, self.tr("Save the outputs"), body)
        self._compare = QCheckBox(self.tr("Compare with the CPU's"), body)
        self._tolerances: tuple[Tolerance, ...] = ()
        self._tolerances_button = QPushButton(body)
        self._trust = MutedLabel(parent=body)
        self._fill()
        self._build()
        self._set_tips()
        self.show_choices(RunChoices())
        self._connect()

    # ---- Building ----

    def _fill(self) -> None:
        fill_combo(
            self._kind,
            (
                (self.tr("iterations"), StopKind.ITERATIONS, self.tr("After so many timed runs")),
                (self.tr("seconds"), StopKind.SECONDS, self.tr("After so long a time")),
                (
                    self.tr("until stable"),
                    StopKind.STABLE,
                    self.tr("When enough runs were timed to know the median so closely"),
                ),
            ),
        )
        fill_combo(
            self._binding,
            (
                (
                    self.tr("numpy arrays, with run"),
                    Binding.ARRAYS,
                    self.tr("As in most programs: each run takes arrays and makes new ones (InferenceSession.run)"),
                ),
                (
                    self.tr("IO binding"),
                    Binding.IO_BINDING,
                    self.tr("Inputs and outputs are bound once, to CPU memory (run_with_iobinding)"),
                ),
            ),
        )
        self._percent.setPrefix(self.tr("median ± "))
        self._percent.setSuffix(self.tr(" %"))
        self._seconds.setSuffix(self.tr(" s"))
        self._longest.setPrefix(self.tr("at most "))
        self._longest.setSuffix(self.tr(" s"))
        self._pause.setSuffix(self.tr(" ms"))
        self._pause.setSpecialValueText(self.tr("none"))
        self._timeout.setSuffix(self.tr(" s"))
        self._timeout.setSpecialValueText(self.tr("no limit"))

    def _build(self) -> None:
        for box in self._amounts.values():
            self._amount.addWidget(box)
        self._amount.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._after = self.add_field(0, 0, self.tr("Stop &after"), self._amount)
        self.grid.addWidget(self._kind, 0, 2, 1, 2)
        self.grid.addWidget(self._longest, 1, 2, 1, 2)
        self.add_field(2, 0, self.tr("&Warm-up"), self._warmup)
        self.add_field(2, 2, self.tr("Pa&use"), self._pause)
        self.add_field(3, 0, self.tr("&Callers"), self._callers)
        self.add_field(3, 2, self.tr("Lon&gest run"), self._timeout)
        self.add_field(4, 0, self.tr("Hand-over"), self._binding, span=COLUMNS - 1)
        label = self.add_field(5, 0, self.tr("Outputs"), self._outputs, span=COLUMNS - 1)
        label.setBuddy(self._outputs.edit)
        check = QHBoxLayout()
        check.setSpacing(6)
        check.addWidget(self._compare)
        check.addStretch(1)
        check.addWidget(self._tolerances_button)
        self.grid.addWidget(QLabel(self.tr("Check"), self.body), 6, 0)
        self.grid.addLayout(check, 6, 1, 1, COLUMNS - 1)
        self._trust.setWordWrap(True)
        self.grid.addWidget(self._trust, 7, 0, 1, COLUMNS)
        self.grid.setRowStretch(8, 1)
        self._iterations.setAccessibleName(self.tr("Iterations"))
        self._seconds.setAccessibleName(self.tr("Seconds"))
        self._percent.setAccessibleName(self.tr("Median within, percent"))
        self._longest.setAccessibleName(self.tr("At most, seconds"))
        self._kind.setAccessibleName(self.tr("What the trial stops after"))
        self._compare.setAccessibleName(self.tr("Compare the outputs with the CPU's"))
        self._pause.setAccessibleName(self.tr("Pause between runs"))
        self._callers.setAccessibleName(self.tr("Concurrent callers"))
        self.guard_fields()
        self._set_tab_order()

    def _set_tab_order(self) -> None:
        order = (
            self._iterations,
            self._seconds,
            self._percent,
            self._kind,
            self._longest,
            self._warmup,
            self._pause,
            self._callers,
            self._timeout,
            self._binding,
            self._outputs.edit,
            self._outputs.button,
            self._compare,
            self._tolerances_button,
        )
        for before, after in itertools.pairwise(order):
            QWidget.setTabOrder(before, after)

    def _set_tips(self) -> None:
        self._percent.setToolTip(
            self.tr("Stop when the 95 % interval of the median lies within so many percent of it, to both sides")
        )
        self._longest.setToolTip(self.tr("Stop then, stable or not"))
        self._iterations.setToolTip(self.tr("Timed runs of all callers together"))
        self._seconds.setToolTip(self.tr("How long to measure; a run under way is finished"))
        self._warmup.setToolTip(
            self.tr("Runs after the first and before measuring, while caches fill and clocks rise; not counted")
        )
        self._pause.setToolTip(
            self.tr("Between the end of a run and the next: shows what a program that calls now and then sees")
        )
        self._callers.setToolTip(
            self.tr(
                "So many threads run the one session at the same time. Each run is timed by itself; the throughput"
                " is from the wall clock."
            )
        )
        self._timeout.setToolTip(self.tr("A run that takes longer ends the trial; what was measured is kept"))
        self._outputs.set_placeholder(self.tr("not saved"))
        self._outputs.set_tip(
            self.tr("A folder for the outputs of the first run, a .pb file each as in ONNX test data")
        )
        self._compare.setToolTip(
            self.tr(
                "After measuring, the model runs once on ORT's own CPU EP with the same inputs, and the outputs of the"
                " first run are compared with its own. Switch it off for models that are large or slow there."
            )
        )

    def _connect(self) -> None:
        for signal in (
            self._warmup.valueChanged,
            self._kind.currentIndexChanged,
            self._iterations.valueChanged,
            self._seconds.valueChanged,
            self._percent.valueChanged,
            self._longest.valueChanged,
            self._pause.valueChanged,
            self._callers.valueChanged,
            self._binding.currentIndexChanged,
            self._timeout.valueChanged,
            self._outputs.path_changed,
            self._compare.toggled,
        ):
            signal.connect(self._on_changed)
        self._tolerances_button.clicked.connect(self._open_tolerances)

    # ---- What is chosen ----

    @property
    def choices(self) -> RunChoices:
        """The choices as they stand; the numbers of the rules not chosen, too."""
        return RunChoices(
            warmup=self._warmup.value(),
            stop_kind=StopKind(self._kind.currentData()),
            iterations=self._iterations.value(),
            seconds=self._seconds.value(),
            stable_percent=self._percent.value(),
            longest_s=self._longest.value(),
            binding=Binding(self._binding.currentData()),
            callers=self._callers.value(),
            pause_ms=self._pause.value(),
            run_timeout_s=self._timeout.value() or None,
            outputs_folder=self._outputs.path,
            check=CheckSettings(enabled=self._compare.isChecked(), tolerances=self._tolerances),
        )

    def show_choices(self, choices: RunChoices) -> None:
        """Show these choices; does not tell of it. Numbers are rounded to three digits after the point."""
        with QSignalBlocker(self):
            self._warmup.setValue(choices.warmup)
            self._kind.setCurrentIndex(self._kind.findData(choices.stop_kind))
            self._iterations.setValue(choices.iterations)
            self._seconds.setValue(choices.seconds)
            self._percent.setValue(choices.stable_percent)
            self._longest.setValue(choices.longest_s)
            self._pause.setValue(choices.pause_ms)
            self._callers.setValue(choices.callers)
            self._binding.setCurrentIndex(self._binding.findData(choices.binding))
            limit = choices.run_timeout_s
            self._timeout.setValue(0 if limit is None else max(limit, _LEAST_SECONDS))
            self._outputs.show_path(choices.outputs_folder)
            self._compare.setChecked(choices.check.enabled)
            self._tolerances = choices.check.tolerances
            self._on_changed()

    def problem(self) -> str | None:
        """Return why no trial can be run like this, in one sentence with what to do, or None."""
        return self._outputs.problem()

    def _on_changed(self) -> None:
        kind = StopKind(self._kind.currentData())
        self._amount.setCurrentWidget(self._amounts[kind])
        self._after.setBuddy(self._amounts[kind])
        self._longest.setVisible(kind is StopKind.STABLE)
        function = "run_with_iobinding" if self._binding.currentData() is Binding.IO_BINDING else "run"
        trust = self.tr(
            "Only {0} is timed: making inputs, pauses and this window are not. The first run and the warm-up do not"
            " count."
        ).format(function)
        if self._callers.value() > 1 or self._pause.value() > 0:
            counted = self.tr("Throughput is runs over wall-clock time, of all callers and with pauses.")
            trust = f"{trust} {counted}"
        self._trust.setText(trust)
        self._show_tolerances()
        self.choices_changed.emit()

    # ---- Tolerances ----

    def _show_tolerances(self) -> None:
        """Say on the button whether they are those of the beginning."""
        own = self._tolerances
        self._tolerances_button.setEnabled(self._compare.isChecked())
        self._tolerances_button.setText(self.tr("Own tolerances…") if own else self.tr("Tolerances…"))
        tip = self.tr("How far outputs may be from the CPU's, by element type")
        if own:
            tip += "\n" + self.tr("Your own: {0}").format(", ".join(entry.type for entry in own))
        self._tolerances_button.setToolTip(tip)

    def _open_tolerances(self) -> None:
        from ..dialogs.tolerances import TolerancesDialog

        dialog = TolerancesDialog(self._tolerances, self)
        dialog.tolerances_chosen.connect(self._on_tolerances_chosen)
        dialog.open()

    def _on_tolerances_chosen(self, tolerances: tuple[Tolerance, ...]) -> None:
        if tolerances != self._tolerances:
            self._tolerances = tolerances
            self._on_changed()
