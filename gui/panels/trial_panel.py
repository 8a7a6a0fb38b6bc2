"""The trial: model and target, and behind tabs its inputs, options, session, run control and the model's details."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from ..models.compare_plan import CompareBase
from ..models.texts import count_text
from ..records.codec import StringMap
from ..records.library import CPU_EP_NAME, LibraryState
from ..records.setup import Setup, trials_of
from ..records.setup_file import setup_of
from ..records.trial import SessionSettings, TrialSettings
from ..settings import Settings, TrialChoices
from ..state import EngineStatus, State
from ..trial_run import TrialRun
from .compile_box import CompileBox
from .inputs_page import InputsPage
from .model_chooser import ModelChooser
from .setup_bar import SetupBar
from .target_chooser import TargetChooser
from .trial_choices import changed_pages, choices_of, compare_base_of, settings_of
from .widgets import ActionButton, MutedLabel

if TYPE_CHECKING:  # the window starts without the pages that lie behind
    from .model_page import ModelPage
    from .options_page import OptionsPage
    from .run_page import RunPage
    from .session_page import SessionPage

_Page = TypeVar("_Page", bound=QWidget)
_MARK: Final = " •"


class TrialActions:
    """The actions that the panel shows as buttons."""

    def __init__(
        self, *, open_model: QAction, run: QAction, compare: QAction, compile_model: QAction, stop: QAction
    ) -> None:
        self.open_model, self.run, self.compare = open_model, run, compare
        self.compile_model, self.stop = compile_model, stop


class TrialPanel(QWidget):
    """Puts a trial's settings together; asks to run it, or to compile its model, when they are complete."""

    run_requested = Signal(tuple)
    """Of `TrialSettings`: several when a dimension has several sizes."""
    compile_requested = Signal(TrialSettings)
    proposals_requested = Signal(dict)
    """Sizes of the free dimensions by name, for which values of the inputs are to be proposed."""

    def __init__(self, state: State, settings: Settings, actions: TrialActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._settings = settings
        self._actions = actions
        self._kept = settings.trial_choices  # of the pages that are not built yet
        self.model_chooser = ModelChooser(state, settings, actions.open_model, self)
        self.target = TargetChooser(self)
        self.inputs = InputsPage(self)
        self.setup_bar = SetupBar(self)
        self.compile_box = CompileBox(state, self)
        self._options: OptionsPage | None = None
        self._session: SessionPage | None = None
        self._run: RunPage | None = None
        self._model: ModelPage | None = None
        self._tabs = QTabWidget(self)
        self._places: dict[int, QVBoxLayout] = {}
        self._problem = MutedLabel(parent=self)
        self._buttons: dict[QAction, ActionButton] = {}
        self._build()
        self._connect()
        self.show_choices(self._kept)
        self._show_model()
        self._update()

    def _build(self) -> None:
        self._tabs.addTab(self.inputs, self.tr("Inputs"))
        for title in (self.tr("EP options"), self.tr("Session"), self.tr("Run"), self.tr("Model")):
            page = QWidget(self)
            place = QVBoxLayout(page)
            place.setContentsMargins(0, 0, 0, 0)
            self._places[self._tabs.addTab(page, title)] = place
        self._tabs.setDocumentMode(True)
        self._tabs.setUsesScrollButtons(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(5)
        layout.addWidget(self.model_chooser)
        layout.addWidget(self.target)
        layout.addWidget(self._tabs, 1)
        layout.addWidget(self.setup_bar)
        layout.addWidget(self.compile_box)
        self._problem.setWordWrap(True)
        layout.addWidget(self._problem)
        buttons = QHBoxLayout()
        actions = self._actions
        for action, stretch in ((actions.run, 2), (actions.compare, 1), (actions.compile_model, 1), (actions.stop, 1)):
            button = ActionButton(action, self)
            button.setMinimumHeight(self.fontMetrics().height() + 16)
            buttons.addWidget(button, stretch)
            self._buttons[action] = button
        layout.addLayout(buttons)

    def _connect(self) -> None:
        state = self._state
        for signal in (
            state.engine_changed,
            state.libraries_changed,
            state.selection_changed,
            state.devices_changed,
            state.trial_added,
            state.waiting_changed,
            state.compilation_changed,
            state.work_changed,
            self.target.target_changed,
            self.inputs.inputs_changed,
        ):
            signal.connect(self._update)
        state.model_changed.connect(self._show_model)
        state.proposals_changed.connect(self._show_proposals)
        state.trial_changed.connect(self._on_trial_changed)
        state.comparison_changed.connect(self._on_progress)
        self.inputs.sizes_changed.connect(self.proposals_requested)
        self._tabs.currentChanged.connect(self._on_tab)

    # ------------------------------------------------- pages, built when needed

    def _on_tab(self, index: int) -> None:
        makers: dict[int, Callable[[], QWidget]] = {
            1: self.options_page,
            2: self.session_page,
            3: self.run_page,
            4: self._model_page,
        }
        if index in makers:
            makers[index]()

    def options_page(self) -> OptionsPage:
        """The page of the EP options."""
        if self._options is None:
            from .options_page import OptionsPage

            page = self._options = self._placed(1, OptionsPage(self))
            kept = self._kept
            page.set_choices(kept.options, kept.second_keys, kept.second_options)
            page.choices_changed.connect(self._update)
            for trial in self._state.trials:
                self._learn(trial)
            self._update()
        return self._options

    def session_page(self) -> SessionPage:
        """The page of the session's options."""
        if self._session is None:
            from .session_page import SessionPage

            page = self._session = self._placed(2, SessionPage(self))
            page.show_choices(self._kept.session, self._kept.intra_op_threads)
            page.choices_changed.connect(self._update)
        return self._session

    def run_page(self) -> RunPage:
        """The page of the run control."""
        if self._run is None:
            from .run_page import RunPage

            page = self._run = self._placed(3, RunPage(self))
            page.show_choices(self._kept.run)
            page.choices_changed.connect(self._update)
        return self._run

    def _model_page(self) -> ModelPage:
        if self._model is None:
            from .model_page import ModelPage

            self._model = self._placed(4, ModelPage(self))
            self._show_model()
        return self._model

    def _placed(self, index: int, page: _Page) -> _Page:
        self._places[index].addWidget(page)
        page.show()  # the place is seen already, so Qt would show it only later
        page.setAcceptDrops(False)  # files dropped anywhere are the window's
        for child in page.findChildren(QWidget):
            child.setAcceptDrops(False)
        return page

    # ------------------------------------------------------------ the choices

    def choices(self) -> TrialChoices:
        """Return what is to be remembered until the next start."""
        model, options, session, run = self._state.model, self._options, self._session, self._run
        return TrialChoices(
            model_path="" if model is None else model.path,
            policy=self.target.policy,
            device_keys=self._state.selected_keys,
            second_keys=self._kept.second_keys if options is None else options.second_keys,
            options=self._kept.options if options is None else options.options,
            second_options=self._kept.second_options if options is None else options.second_options,
            dimensions=self.inputs.sizes,
            sweeps=self.inputs.sweeps,
            inputs=self.inputs.sources,
            seed=self.inputs.seed,
            session=self._kept.session if session is None else session.session,
            intra_op_threads=self._kept.intra_op_threads if session is None else session.intra_op_threads,
            run=self._kept.run if run is None else run.choices,
        )

    def show_choices(self, choices: TrialChoices) -> None:
        """Show these choices, those of model and devices apart."""
        self._kept = choices
        self.target.choose(choices.policy)
        self.inputs.set_choices(
            choices.inputs, choices.seed, choices.dimensions, choices.sweeps, model_path=choices.model_path or None
        )
        if self._options is not None:
            self._options.set_choices(choices.options, choices.second_keys, choices.second_options)
        elif choices.options or choices.second_keys:
            self.options_page()  # what may be wrong with them is said before the run
        if self._session is not None:
            self._session.show_choices(choices.session, choices.intra_op_threads)
        elif choices.session != SessionSettings():
            self.session_page()
        if self._run is not None:
            self._run.show_choices(choices.run)
        elif choices.run.outputs_folder:
            self.run_page()
        self._state.prefer_devices(choices.device_keys)
        self._update()

    def policy_options(self) -> StringMap:
        """Return the EP options as they stand, as a policy gives them on: those for the EP chosen to that one alone."""
        options = self.choices().options
        if self.target.policy is not None:
            return options
        names = {device.ep_name.lower() for device in self._state.selected_devices if device.library is not None}
        return tuple((f"ep.{name}.{key}", value) for name in sorted(names) for key, value in options)

    def setup(self) -> Setup:
        """Return the set-up as it stands; `problem` must be None."""
        return setup_of(self._trial_settings(), self.inputs.sweeps, self._state.libraries, self._state.devices)

    def show_setup(self, setup: Setup) -> None:
        """Show a set-up, its model apart; devices that are not there are selected when they come."""
        settings = setup.settings
        self.show_choices(choices_of(setup, self.choices().run))
        there = {device.key for device in self._state.devices}
        if settings.target.device_keys and set(settings.target.device_keys) <= there:
            self._state.select_devices(settings.target.device_keys)

    def take_files(self, paths: tuple[str, ...]) -> None:
        """Give files of values to the model's inputs, when one is there."""
        model = self._state.model
        if model is None or model.description is None:
            self._state.post(self.tr("Open the model first, then drop the files for its inputs."))
            return
        self._tabs.setCurrentWidget(self.inputs)
        self.inputs.take_files(paths)

    def request_run(self) -> None:
        """Ask for the trials to be run, when they are complete."""
        self.commit_editor()
        if self.problem() is None and not self._is_virtual():
            self._settings.trial_choices = self.choices()
            self.run_requested.emit(trials_of(self.setup()))

    def request_compile(self) -> None:
        """Ask for the model to be compiled, when the settings are complete."""
        self.commit_editor()
        if self.problem() is None and self._can_compile():
            self._settings.trial_choices = self.choices()
            self.compile_requested.emit(self._trial_settings())

    def _trial_settings(self) -> TrialSettings:
        """Return the settings as they stand, with the first size of each dimension; `problem` must be None."""
        choices = self.choices()
        return settings_of(choices, self.target.target(self._state.selected_devices, choices.second_keys))

    def compare_base(self) -> CompareBase:
        """Return what a comparison takes over; `common_problem` must be None."""
        choices, selected = self.choices(), self._state.selected_devices
        is_complete = self.target.problem(selected) is None and not self._is_virtual()
        return compare_base_of(
            choices,
            self.target.target(selected, choices.second_keys) if is_complete else None,
            sweeps=self.inputs.sweeps,
            selected=selected,
            devices=self._state.devices,
            policy_options=self.policy_options(),
        )

    def problem(self) -> str | None:
        """Return why no trial can be run now, in one sentence with what to do, or None."""
        state = self._state
        return self._readiness_problem() or self.target.problem(state.selected_devices) or self._page_problem()

    def common_problem(self) -> str | None:
        """Return why no trial can be run now on any target, in one sentence with what to do, or None."""
        return self._readiness_problem() or self._page_problem()

    def _readiness_problem(self) -> str | None:
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
        return None

    def _page_problem(self) -> str | None:
        pages = (self.inputs, self._options, self._session, self._run)
        return next((problem for page in pages if page is not None and (problem := page.problem())), None)

    def _is_virtual(self) -> bool:
        devices = self._state.selected_devices
        return self.target.policy is None and any(device.is_virtual for device in devices)

    def _can_compile(self) -> bool:
        """Whether the target may have an EP that compiles: ORT's own does not."""
        if self.target.policy is not None:
            return any(device.library is not None for device in self._state.devices)
        return any(device.ep_name != CPU_EP_NAME for device in self._state.selected_devices)

    # -------------------------------------------------------- what is to be seen

    def _show_model(self) -> None:
        model = self._state.model
        description = None if model is None else model.description
        self.inputs.show_model(description)
        if self._model is not None:
            self._model.show_model(description)
        if description is not None and self._state.proposals is None:
            self.proposals_requested.emit({entry.name: entry.size for entry in self.inputs.sizes})
        self._update()

    def _show_proposals(self) -> None:
        self.inputs.show_proposals(self._state.proposals)

    def _update(self) -> None:
        state = self._state
        self.target.show_devices(state.selected_devices)
        if self._options is not None:
            by_policy = self.target.policy is not None
            self._options.show_target(state.selected_devices, state.devices, by_policy=by_policy)
        if self._session is not None:
            self._session.set_strict_obstacle(self._strict_obstacle())
        problem, is_virtual = self.problem(), self._is_virtual()
        text = problem or ""
        if not text and is_virtual:
            text = self.tr("This device is virtual: no hardware is behind it to run on. Compile the model for it.")
        elif not text and state.waiting_trials:
            text = self.tr("Trials still to come: {0}").format(count_text(state.waiting_trials))
        self._problem.setText("" if state.is_busy and problem is not None else text)
        self._problem.setVisible(bool(self._problem.text()))
        actions = self._actions
        actions.run.setEnabled(problem is None and not state.is_busy and not is_virtual)
        actions.compare.setEnabled(self.common_problem() is None and not state.is_busy)
        actions.compile_model.setEnabled(problem is None and not state.is_busy and self._can_compile())
        actions.stop.setEnabled(self._can_stop())
        self._buttons[actions.run].setVisible(not is_virtual)
        self._mark_tabs()

    def _strict_obstacle(self) -> str | None:
        """Return why *Strict* cannot be used with this target, in a sentence with what to do."""
        devices = self._state.selected_devices
        if self.target.policy is None and any(device.ep_name == CPU_EP_NAME for device in devices):
            return self.tr(
                "The target is ORT's own CPU EP, which Strict refuses. Switch Strict off, or choose another."
            )
        return None

    def _mark_tabs(self) -> None:
        """Mark the tabs behind which something is not as it is by itself."""
        for index, is_changed in enumerate(changed_pages(self.choices())):
            plain = self._tabs.tabText(index).removesuffix(_MARK)
            self._tabs.setTabText(index, plain + _MARK if is_changed else plain)
            self._tabs.setTabToolTip(index, self.tr("Changed from the defaults") if is_changed else "")

    def _can_stop(self) -> bool:
        """Whether something is under way that was not asked to stop yet."""
        state = self._state
        works = (state.running_trial, state.compilation, state.comparison)
        return state.is_busy and not any(work is not None and work.is_running and work.stopping for work in works)

    def _on_trial_changed(self, trial: TrialRun) -> None:
        if not trial.is_running:
            self._learn(trial)
        self._on_progress()

    def _on_progress(self) -> None:
        """Update only where what can be done has changed: samples come often."""
        if self._actions.stop.isEnabled() != self._can_stop() or self._actions.run.isEnabled() == self._state.is_busy:
            self._update()

    def _learn(self, trial: TrialRun) -> None:
        """Take over which options an EP echoed: it knows these keys, or at least was given them."""
        if self._options is not None:
            for entry in trial.facts.provider_options:
                self._options.learn(entry.ep_name, entry.options)

    def commit_editor(self) -> None:
        """Take over what is being typed into an option or a number."""
        focused = self.focusWidget()
        if focused is not None and focused is not self:
            focused.clearFocus()
