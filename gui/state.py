"""What the window shows: facts, set by those who do the work, told to the panels by signals when they change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QObject, Signal

from .comparison_run import ComparisonRun
from .records.device import Device, HardwareDevice, Incompatibility
from .records.failure import Failure
from .records.inputs import InputProposals
from .records.library import Library
from .records.model import ModelDescription
from .records.protocol import Greeting
from .records.trial import CompiledModel, Stage
from .trial_run import TrialRun


class EngineStatus(Enum):
    """Where the engine stands."""

    STARTING = "starting"
    READY = "ready"
    GAVE_UP = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """The chosen model: being read, described, or unreadable."""

    path: str
    description: ModelDescription | None = None
    failure: Failure | None = None

    @property
    def is_loading(self) -> bool:
        """Whether its description is still awaited."""
        return self.description is None and self.failure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """A model being compiled for a target, or what came of it: a result or a failure."""

    model_name: str
    target_text: str
    path: str
    """Of the file to be written."""
    stage: Stage = Stage.PREPARING
    stopping: bool = False
    result: CompiledModel | None = None
    failure: Failure | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        return self.result is None and self.failure is None


class State(QObject):
    """One object for the window's facts. Setters compare, then emit."""

    engine_changed = Signal()
    libraries_changed = Signal()
    devices_changed = Signal()
    hardware_changed = Signal()
    """The hardware, or what EPs say of it."""
    selection_changed = Signal()
    model_changed = Signal()
    proposals_changed = Signal()
    compilation_changed = Signal()
    work_changed = Signal()
    """The engine began or ended work beside trials and compiling: a profile, policies."""
    waiting_changed = Signal()
    """Another number of trials waits to be run."""
    trial_added = Signal(object)
    trial_changed = Signal(object)
    """A `TrialRun` has new facts, samples or an outcome."""
    current_trial_changed = Signal()
    comparison_changed = Signal()
    """Another comparison is shown, or the one shown has moved on."""
    notice_posted = Signal(str)
    """One line for the status bar; what it says is in the log or beside the asker, too."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine_status = EngineStatus.STARTING
        self._greeting: Greeting | None = None
        self._engine_failure: Failure | None = None
        self._libraries: tuple[Library, ...] = ()
        self._devices: tuple[Device, ...] = ()
        self._new_keys: frozenset[str] = frozenset()
        self._hardware: tuple[HardwareDevice, ...] | None = None
        self._incompatibilities: dict[str, tuple[Incompatibility, ...]] = {}
        self._selected_keys: tuple[str, ...] = ()
        self._preferred_keys: tuple[str, ...] = ()
        self._model: ModelChoice | None = None
        self._proposals: InputProposals | None = None
        self._compilation: Compilation | None = None
        self._work = ""
        self._waiting_trials = 0
        self._trials: tuple[TrialRun, ...] = ()
        self._current_trial: TrialRun | None = None
        self._comparison: ComparisonRun | None = None

    @property
    def engine_status(self) -> EngineStatus:
        """Where the engine stands."""
        return self._engine_status

    @property
    def greeting(self) -> Greeting | None:
        """What the newest engine said first; kept while it is replaced."""
        return self._greeting

    @property
    def engine_failure(self) -> Failure | None:
        """Why there is no engine, when it gave up."""
        return self._engine_failure

    def set_engine(
        self, status: EngineStatus, greeting: Greeting | None = None, failure: Failure | None = None
    ) -> None:
        """Tell where the engine stands."""
        greeting = greeting or self._greeting
        if (status, greeting, failure) != (self._engine_status, self._greeting, self._engine_failure):
            self._engine_status, self._greeting, self._engine_failure = status, greeting, failure
            self.engine_changed.emit()

    @property
    def libraries(self) -> tuple[Library, ...]:
        """The libraries of the list, in the order they were added."""
        return self._libraries

    def set_libraries(self, libraries: tuple[Library, ...]) -> None:
        """Replace the list of libraries."""
        if libraries != self._libraries:
            self._libraries = libraries
            self.libraries_changed.emit()

    def library(self, name: str) -> Library | None:
        """Return the library of that name."""
        return next((library for library in self._libraries if library.name == name), None)

    @property
    def devices(self) -> tuple[Device, ...]:
        """All devices ORT reaches."""
        return self._devices

    def set_devices(self, devices: tuple[Device, ...]) -> None:
        """Replace the devices; a selection of devices that are gone shrinks, and falls back to the first."""
        if devices == self._devices:
            return
        self._devices = devices
        self.devices_changed.emit()
        known = {device.key for device in devices}
        kept = tuple(key for key in self._selected_keys if key in known)
        preferred = tuple(key for key in self._preferred_keys if key in known)
        if not kept and devices:
            kept = (devices[0].key,)
        self._select(preferred or kept)

    @property
    def new_keys(self) -> frozenset[str]:
        """The keys of the devices that came with what was loaded last."""
        return self._new_keys

    def set_new_devices(self, keys: tuple[str, ...]) -> None:
        """Tell which devices came last; those before are not new any more."""
        if frozenset(keys) != self._new_keys:
            self._new_keys = frozenset(keys)
            self.devices_changed.emit()

    @property
    def hardware(self) -> tuple[HardwareDevice, ...] | None:
        """The hardware ORT found, offered by an EP or not; None where it does not tell, or not yet."""
        return self._hardware

    def set_hardware(self, hardware: tuple[HardwareDevice, ...] | None) -> None:
        """Replace the hardware."""
        if hardware != self._hardware:
            self._hardware = hardware
            self.hardware_changed.emit()

    @property
    def incompatibilities(self) -> tuple[Incompatibility, ...]:
        """What the EPs of all libraries say of hardware they do not offer, or warn of."""
        return tuple(entry for entries in self._incompatibilities.values() for entry in entries)

    def set_incompatibilities(self, library: str, entries: tuple[Incompatibility, ...]) -> None:
        """Replace what the EPs of one library say."""
        if entries != self._incompatibilities.get(library, ()):
            self._incompatibilities[library] = entries
            self.hardware_changed.emit()

    def prefer_devices(self, keys: tuple[str, ...]) -> None:
        """Select these devices as soon as they are there, unless others are selected before."""
        self._preferred_keys = keys

    @property
    def selected_keys(self) -> tuple[str, ...]:
        """The keys of the selected devices."""
        return self._selected_keys

    @property
    def selected_devices(self) -> tuple[Device, ...]:
        """The selected devices, in the table's own order."""
        chosen = set(self._selected_keys)
        return tuple(device for device in self._devices if device.key in chosen)

    def select_devices(self, keys: tuple[str, ...]) -> None:
        """Select devices by their keys."""
        self._preferred_keys = ()
        self._select(keys)

    def _select(self, keys: tuple[str, ...]) -> None:
        if keys != self._selected_keys:
            self._selected_keys = keys
            self.selection_changed.emit()

    @property
    def model(self) -> ModelChoice | None:
        """The chosen model."""
        return self._model

    def set_model(self, model: ModelChoice | None) -> None:
        """Choose a model, or tell what became of it."""
        if model != self._model:
            self._model = model
            self.model_changed.emit()

    @property
    def proposals(self) -> InputProposals | None:
        """What the engine takes for the inputs of the chosen model; None while that is not known."""
        return self._proposals

    def set_proposals(self, proposals: InputProposals | None) -> None:
        """Tell what the engine takes for the inputs."""
        if proposals != self._proposals:
            self._proposals = proposals
            self.proposals_changed.emit()

    @property
    def compilation(self) -> Compilation | None:
        """The model being compiled, or compiled last."""
        return self._compilation

    def set_compilation(self, compilation: Compilation | None) -> None:
        """Tell how far compiling is."""
        if compilation != self._compilation:
            self._compilation = compilation
            self.compilation_changed.emit()

    @property
    def waiting_trials(self) -> int:
        """How many trials of a row are still to be run after the one under way."""
        return self._waiting_trials

    def set_waiting_trials(self, count: int) -> None:
        """Tell how many trials of a row are still to be run."""
        if count != self._waiting_trials:
            self._waiting_trials = count
            self.waiting_changed.emit()

    @property
    def work(self) -> str:
        """What the engine does beside trials and compiling, as in “profiling text_transformer”; empty for nothing."""
        return self._work

    def set_work(self, text: str) -> None:
        """Tell what the engine does beside trials and compiling; an empty text for nothing."""
        if text != self._work:
            self._work = text
            self.work_changed.emit()

    @property
    def is_busy(self) -> bool:
        """Whether the engine runs or compiles a model, or will at once."""
        compiling = self._compilation is not None and self._compilation.is_running
        return compiling or bool(self._work) or self._waiting_trials > 0 or self.running_trial is not None

    @property
    def trials(self) -> tuple[TrialRun, ...]:
        """The trials of this sitting, the oldest first."""
        return self._trials

    @property
    def running_trial(self) -> TrialRun | None:
        """The trial under way; of a comparison the last of those that are."""
        return next((trial for trial in reversed(self._trials) if trial.is_running), None)

    def add_trial(self, trial: TrialRun, *, show: bool = True) -> None:
        """Add a trial, and show it or not."""
        self._trials = (*self._trials, trial)
        self.trial_added.emit(trial)
        if show:
            self.show_trial(trial)

    def remove_trials(self, trials: tuple[TrialRun, ...]) -> None:
        """Take ended trials from the list."""
        gone = {id(trial) for trial in trials if not trial.is_running}
        self._trials = tuple(trial for trial in self._trials if id(trial) not in gone)
        if self._current_trial is not None and id(self._current_trial) in gone:
            self._current_trial = self._trials[-1] if self._trials else None
        self.current_trial_changed.emit()

    @property
    def current_trial(self) -> TrialRun | None:
        """The trial shown in the chart."""
        return self._current_trial

    def show_trial(self, trial: TrialRun) -> None:
        """Show a trial of the list in the chart."""
        if trial is not self._current_trial:
            self._current_trial = trial
            self.current_trial_changed.emit()

    @property
    def comparison(self) -> ComparisonRun | None:
        """The comparison that is shown."""
        return self._comparison

    def show_comparison(self, comparison: ComparisonRun | None) -> None:
        """Show a comparison, or tell that the one shown has moved on."""
        self._comparison = comparison
        self.comparison_changed.emit()

    def post(self, text: str) -> None:
        """Say one line in the status bar."""
        self.notice_posted.emit(text)
