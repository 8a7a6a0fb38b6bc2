"""The trial: model, target, options, and when to stop."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QRadioButton,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ..models.option_table import OptionTableModel
from ..records.library import LibraryState
from ..records.trial import (
    MAX_ITERATIONS,
    MAX_SECONDS,
    MAX_WARMUP,
    Policy,
    StopRule,
    Target,
    TrialSettings,
)
from ..settings import Settings, TrialChoices
from ..state import EngineStatus, State
from .model_chooser import ModelChooser
from .widgets import ActionButton, ElidedLabel, MutedLabel, TableView


class TrialPanel(QWidget):
    """Puts a trial's settings together; asks to run it when they are complete."""

    run_requested = Signal(TrialSettings)

    def __init__(
        self,
        state: State,
        settings: Settings,
        actions: tuple[QAction, QAction, QAction],
        parent: QWidget | None = None,
    ) -> None:
        """`actions` are those to open a model, to run, and to stop."""
        super().__init__(parent)
        self._state = state
        self._settings = settings
        open_action, self._run, self._stop = actions
        self.model_chooser = ModelChooser(state, settings, open_action, self)
        self._by_devices = QRadioButton(self.tr("&Devices"), self)
        self._by_policy = QRadioButton(self.tr("&Policy"), self)
        self._devices = ElidedLabel(self)
        self._policy = QComboBox(self)
        self._options = OptionTableModel(self)
        self._option_view = TableView(self.tr("EP options"), self)
        self._warmup = QSpinBox(self)
        self._rule = QComboBox(self)
        self._iterations = QSpinBox(self)
        self._seconds = QDoubleSpinBox(self)
        self._amount = QStackedWidget(self)
        self._after = QLabel(self.tr("Stop &after"), self)
        self._threads = QSpinBox(self)
        self._problem = MutedLabel(parent=self)
        self._build()
        self._restore(settings.trial_choices)
        self._connect()
        self._update()

    def _build(self) -> None:
        self._build_target()
        self._build_options()
        self._build_numbers()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(5)
        layout.addWidget(self.model_chooser, 1)
        layout.addLayout(self._target_layout())
        layout.addWidget(self._option_view)
        layout.addLayout(self._number_layout())
        self._problem.setWordWrap(True)
        layout.addWidget(self._problem)
        buttons = QHBoxLayout()
        for action in (self._run, self._stop):
            button = ActionButton(action, self)
            button.setMinimumHeight(self.fontMetrics().height() + 16)
            buttons.addWidget(button, 2 if action is self._run else 1)
        layout.addLayout(buttons)

    def _build_target(self) -> None:
        group = QButtonGroup(self)
        group.addButton(self._by_devices)
        group.addButton(self._by_policy)
        self._by_devices.setToolTip(self.tr("Run on the devices selected in the table (add_provider_for_devices)"))
        self._by_policy.setToolTip(self.tr("Let ONNX Runtime choose the device (set_provider_selection_policy)"))
        tips = {
            Policy.DEFAULT: self.tr("ORT's default, which prefers CPU devices"),
            Policy.PREFER_CPU: self.tr("A CPU device"),
            Policy.PREFER_NPU: self.tr("An NPU, else what ORT falls back to"),
            Policy.PREFER_GPU: self.tr("A GPU, else what ORT falls back to"),
            Policy.MAX_PERFORMANCE: self.tr("The device ORT takes for the fastest"),
            Policy.MAX_EFFICIENCY: self.tr("The device ORT takes for the most efficient"),
            Policy.MIN_OVERALL_POWER: self.tr("The device ORT takes for the most frugal"),
        }
        for policy in Policy:
            self._policy.addItem(policy.value, policy)
            self._policy.setItemData(self._policy.count() - 1, tips[policy], Qt.ItemDataRole.ToolTipRole)
        self._policy.setAccessibleName(self.tr("Selection policy"))

    def _target_layout(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(3)
        grid.addWidget(QLabel(self.tr("Target"), self), 0, 0)
        grid.addWidget(self._by_devices, 0, 1)
        grid.addWidget(self._devices, 0, 2)
        grid.addWidget(self._by_policy, 1, 1)
        grid.addWidget(self._policy, 1, 2)
        grid.setColumnStretch(2, 1)
        return grid

    def _build_options(self) -> None:
        view = self._option_view
        view.setModel(self._options)
        view.setEditTriggers(QAbstractItemView.EditTrigger.AllEditTriggers)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        view.setTabKeyNavigation(True)
        view.setShowGrid(True)
        view.setToolTip(
            self.tr("Options for the EP: type a key and a value, or key=value. With a policy, every EP gets them.")
        )
        view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        rows = view.verticalHeader().defaultSectionSize()
        view.setFixedHeight(view.horizontalHeader().sizeHint().height() + 2 * rows + 4)
        remove = QAction(self.tr("Remove option"), view)
        remove.setShortcut(QKeySequence.StandardKey.Delete)
        remove.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        remove.triggered.connect(self._remove_option)
        view.addAction(remove)

    def _build_numbers(self) -> None:
        self._warmup.setRange(0, MAX_WARMUP)
        self._warmup.setGroupSeparatorShown(True)
        self._warmup.setToolTip(self.tr("Runs before measuring; not part of the samples"))
        self._rule.addItem(self.tr("iterations"), False)
        self._rule.addItem(self.tr("seconds"), True)
        self._rule.setAccessibleName(self.tr("What the trial stops after"))
        self._iterations.setRange(1, MAX_ITERATIONS)
        self._iterations.setGroupSeparatorShown(True)
        self._iterations.setAccessibleName(self.tr("Iterations"))
        self._seconds.setRange(0.1, MAX_SECONDS)
        self._seconds.setDecimals(1)
        self._seconds.setGroupSeparatorShown(True)
        self._seconds.setAccessibleName(self.tr("Seconds"))
        self._amount.addWidget(self._iterations)
        self._amount.addWidget(self._seconds)
        self._amount.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._threads.setRange(0, 1024)
        self._threads.setSpecialValueText(self.tr("ORT's choice"))
        self._threads.setToolTip(self.tr("Intra-op threads of the session (intra_op_num_threads)"))

    def _number_layout(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(4)
        for column, text, field in ((0, self.tr("&Warm-up"), self._warmup), (2, self.tr("Th&reads"), self._threads)):
            label = QLabel(text, self)
            label.setBuddy(field)
            grid.addWidget(label, 0, column)
            grid.addWidget(field, 0, column + 1)
        grid.addWidget(self._after, 1, 0)
        grid.addWidget(self._amount, 1, 1)
        grid.addWidget(self._rule, 1, 2, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return grid

    def _connect(self) -> None:
        state = self._state
        for signal in (
            state.engine_changed,
            state.libraries_changed,
            state.selection_changed,
            state.model_changed,
            state.trial_added,
            self._options.options_changed,
            self._by_devices.toggled,
        ):
            signal.connect(self._update)
        state.trial_changed.connect(self._on_trial_changed)
        self._policy.activated.connect(self._by_policy.click)
        self._rule.currentIndexChanged.connect(self._show_amount)

    def request_run(self) -> None:
        """Ask for the trial to be run, when it is complete."""
        self._commit_editor()
        if self.problem() is None:
            self._settings.trial_choices = self.choices()
            self.run_requested.emit(self.trial_settings())

    def trial_settings(self) -> TrialSettings:
        """Return the settings as they stand; `problem` must be None."""
        model = self._state.model
        assert model is not None  # noqa: S101 `problem` would have said so
        by_policy = self._by_policy.isChecked()
        by_seconds = bool(self._rule.currentData())
        return TrialSettings(
            model_path=model.path,
            target=Target(policy=Policy(self._policy.currentData()))
            if by_policy
            else Target(device_keys=tuple(device.key for device in self._state.selected_devices)),
            options=self._options.options,
            dimensions=self.model_chooser.dimensions.sizes,
            warmup=self._warmup.value(),
            stop_rule=StopRule(seconds=self._seconds.value())
            if by_seconds
            else StopRule(iterations=self._iterations.value()),
            intra_op_threads=self._threads.value(),
        )

    def choices(self) -> TrialChoices:
        """Return what is to be remembered until the next start."""
        model = self._state.model
        return TrialChoices(
            model_path="" if model is None else model.path,
            policy=Policy(self._policy.currentData()) if self._by_policy.isChecked() else None,
            warmup=self._warmup.value(),
            iterations=self._iterations.value(),
            seconds=self._seconds.value(),
            by_seconds=bool(self._rule.currentData()),
            intra_op_threads=self._threads.value(),
            options=self._options.options,
            dimensions=self.model_chooser.dimensions.sizes,
            device_keys=self._state.selected_keys,
        )

    def problem(self) -> str | None:
        """Return why no trial can be run now, in one sentence with what to do, or None."""
        state, model = self._state, self._state.model
        busy = (LibraryState.LOADING, LibraryState.UNREGISTERING)
        if state.engine_status is EngineStatus.GAVE_UP:
            return self.tr("There is no engine. Choose Restart engine in the Engine menu.")
        if model is None:
            return self.tr("Choose a model first.")
        if model.failure is not None:
            return self.tr("This model cannot be used. Choose another.")
        if state.engine_status is not EngineStatus.READY or model.is_loading:
            return self.tr("Getting ready…")
        waiting = next((library.name for library in state.libraries if library.state in busy), None)
        if waiting is not None:
            return self.tr("Waiting for “{0}”…").format(waiting)
        return self._target_problem() or self._options.problem()

    def _target_problem(self) -> str | None:
        if self._by_policy.isChecked():
            return None
        devices = self._state.selected_devices
        if not devices:
            return self.tr("Select a device in the table, or choose a policy.")
        if len({device.ep_name for device in devices}) == 1 and len({device.library for device in devices}) > 1:
            return self.tr(
                "The selected devices come from different libraries that offer an EP of the same name, {0}."
                " A trial runs on devices of one library: select others."
            ).format(devices[0].ep_name)
        if len({device.ep_name for device in devices}) > 1:
            return self.tr(
                "The selected devices belong to different EPs. A trial runs on devices of one: select others."
            )
        return None

    def _restore(self, choices: TrialChoices) -> None:
        self._by_policy.setChecked(choices.policy is not None)
        self._by_devices.setChecked(choices.policy is None)
        self._policy.setCurrentIndex(max(0, self._policy.findData(choices.policy or Policy.DEFAULT)))
        self._warmup.setValue(choices.warmup)
        self._iterations.setValue(choices.iterations)
        self._seconds.setValue(choices.seconds)
        self._rule.setCurrentIndex(self._rule.findData(choices.by_seconds))
        self._show_amount()
        self._threads.setValue(choices.intra_op_threads)
        self._options.set_options(choices.options)
        self.model_chooser.dimensions.remember(choices.dimensions)
        self._state.prefer_devices(choices.device_keys)

    def _show_amount(self) -> None:
        """Show the field of the stop rule chosen."""
        self._amount.setCurrentIndex(self._rule.currentIndex())
        self._after.setBuddy(self._seconds if self._rule.currentData() else self._iterations)

    def _update(self) -> None:
        devices = self._state.selected_devices
        names = ", ".join(f"{device.ep_name} ({device.type.value})" for device in devices)
        self._devices.show_text(names or self.tr("none selected in the table"))
        self._devices.setEnabled(self._by_devices.isChecked())
        problem, trial = self.problem(), self._state.running_trial
        self._problem.setText("" if trial is not None or problem is None else problem)
        self._problem.setVisible(bool(self._problem.text()))
        self._run.setEnabled(problem is None and trial is None)
        self._stop.setEnabled(trial is not None and not trial.stopping)

    def _on_trial_changed(self) -> None:
        running = self._state.running_trial
        wanted = running is not None and not running.stopping
        if self._stop.isEnabled() != wanted or self._run.isEnabled() == (running is not None):
            self._update()

    def _commit_editor(self) -> None:
        """Take over what is being typed into an option or a number."""
        focused = self.focusWidget()
        if focused is not None and focused is not self:
            focused.clearFocus()

    def _remove_option(self) -> None:
        self._options.remove_row(self._option_view.currentIndex().row())
