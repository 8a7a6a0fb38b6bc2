"""What is remembered between two starts: a typed property a key, with its default and its range."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, TypeVar

from PySide6.QtCore import QByteArray, QSettings

from .records.check import CheckSettings
from .records.codec import DecodeError, StringMap, from_json, to_json
from .records.comparison import DEFAULT_ROUNDS, DEFAULT_SECONDS, MAX_ROUNDS, MIN_ROUNDS
from .records.inputs import InputSource
from .records.library import Library
from .records.setup import DimensionSweep
from .records.trial import (
    MAX_CALLERS,
    MAX_ITERATIONS,
    MAX_PAUSE_MS,
    MAX_SECONDS,
    MAX_STABLE_PERCENT,
    MAX_THREADS,
    MAX_WARMUP,
    MIN_STABLE_PERCENT,
    Binding,
    DimensionSize,
    Policy,
    SessionSettings,
    StopRule,
)

_LOG = logging.getLogger(__name__)
_MAX_RECENT: Final = 10
_Record = TypeVar("_Record")


class ColorScheme(Enum):
    """Which colours the window has."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedLibrary:
    """A library of the list, and whether it was loaded."""

    library: Library
    load: bool


class StopKind(Enum):
    """Which stop rule is chosen; the numbers of the others are kept beside it."""

    ITERATIONS = "iterations"
    SECONDS = "seconds"
    STABLE = "stable"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChoices:
    """The last choices of how a trial is run; see `TrialSettings` and `StopRule`."""

    warmup: int = 10
    stop_kind: StopKind = StopKind.ITERATIONS
    iterations: int = 200
    seconds: float = 5.0
    stable_percent: float = 1.0
    longest_s: float = 60.0
    """The limit of *until stable*."""
    binding: Binding = Binding.ARRAYS
    callers: int = 1
    pause_ms: float = 0.0
    run_timeout_s: float | None = None
    outputs_folder: str = ""
    check: CheckSettings = field(default_factory=CheckSettings)

    def __post_init__(self) -> None:
        inside = (
            0 <= self.warmup <= MAX_WARMUP
            and 1 <= self.iterations <= MAX_ITERATIONS
            and 0 < self.seconds <= MAX_SECONDS
            and 0 < self.longest_s <= MAX_SECONDS
            and MIN_STABLE_PERCENT <= self.stable_percent <= MAX_STABLE_PERCENT
            and 1 <= self.callers <= MAX_CALLERS
            and 0 <= self.pause_ms <= MAX_PAUSE_MS
            and (self.run_timeout_s is None or 0 < self.run_timeout_s <= MAX_SECONDS)
        )
        if not inside:
            raise ValueError("a choice is out of its range")

    @property
    def stop_rule(self) -> StopRule:
        """The rule chosen."""
        match self.stop_kind:
            case StopKind.ITERATIONS:
                return StopRule(iterations=self.iterations)
            case StopKind.SECONDS:
                return StopRule(seconds=self.seconds)
        return StopRule(seconds=self.longest_s, stable_percent=self.stable_percent)

    def with_stop_rule(self, rule: StopRule) -> RunChoices:
        """Return these choices with that rule chosen; the numbers of the other rules stay."""
        if rule.iterations is not None:
            return replace(self, stop_kind=StopKind.ITERATIONS, iterations=rule.iterations)
        seconds = rule.seconds or self.seconds
        if rule.stable_percent is not None:
            return replace(self, stop_kind=StopKind.STABLE, stable_percent=rule.stable_percent, longest_s=seconds)
        return replace(self, stop_kind=StopKind.SECONDS, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialChoices:
    """The last choices of the trial panel."""

    model_path: str = ""
    policy: Policy | None = None
    device_keys: tuple[str, ...] = ()
    second_keys: tuple[str, ...] = ()
    options: StringMap = ()
    second_options: StringMap = ()
    dimensions: tuple[DimensionSize, ...] = ()
    sweeps: tuple[DimensionSweep, ...] = ()
    inputs: tuple[InputSource, ...] = ()
    seed: int = 0
    session: SessionSettings = field(default_factory=SessionSettings)
    intra_op_threads: int = 0
    run: RunChoices = field(default_factory=RunChoices)

    def __post_init__(self) -> None:
        if not 0 <= self.intra_op_threads <= MAX_THREADS or self.seed < 0:
            raise ValueError("a choice is out of its range")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonChoices:
    """How much was measured in the last comparison."""

    rounds: int = DEFAULT_ROUNDS
    by_iterations: bool = False
    """Whether `iterations` are measured for each cell, not `seconds`; the other number is kept."""
    iterations: int = 200
    seconds: float = DEFAULT_SECONDS

    def __post_init__(self) -> None:
        inside = (
            MIN_ROUNDS <= self.rounds <= MAX_ROUNDS
            and 1 <= self.iterations <= MAX_ITERATIONS
            and 0 < self.seconds <= MAX_SECONDS
        )
        if not inside:
            raise ValueError("a choice is out of its range")

    @property
    def stop_rule(self) -> StopRule:
        """What is to be measured for each cell, in all rounds together."""
        return StopRule(iterations=self.iterations) if self.by_iterations else StopRule(seconds=self.seconds)


class Settings:
    """Wraps a `QSettings`; a value that cannot be used is logged and replaced by its default."""

    def __init__(self, store: QSettings) -> None:
        self._store = store

    @property
    def geometry(self) -> QByteArray:
        """The main window's `saveGeometry`."""
        return self._bytes("window/geometry")

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._store.setValue("window/geometry", value)

    @property
    def dock_state(self) -> QByteArray:
        """The main window's `saveState`."""
        return self._bytes("window/state")

    @dock_state.setter
    def dock_state(self, value: QByteArray) -> None:
        self._store.setValue("window/state", value)

    def splitter_state(self, name: str) -> QByteArray:
        """The `saveState` of the splitter or header of that name."""
        return self._bytes(f"splitters/{name}")

    def set_splitter_state(self, name: str, value: QByteArray) -> None:
        """Remember the state of a splitter or header."""
        self._store.setValue(f"splitters/{name}", value)

    def forget_layout(self) -> None:
        """Forget geometry, docks and splitters."""
        for key in ("window/geometry", "window/state", "splitters"):
            self._store.remove(key)

    @property
    def color_scheme(self) -> ColorScheme:
        """System, light or dark."""
        text = self._text("window/color_scheme", ColorScheme.SYSTEM.value)
        try:
            return ColorScheme(text)
        except ValueError:
            self._unusable("window/color_scheme", text)
            return ColorScheme.SYSTEM

    @color_scheme.setter
    def color_scheme(self, value: ColorScheme) -> None:
        self._store.setValue("window/color_scheme", value.value)

    @property
    def library_folder(self) -> str:
        """Where the last EP library was chosen."""
        return self._text("folders/library")

    @library_folder.setter
    def library_folder(self, value: str) -> None:
        self._store.setValue("folders/library", value)

    @property
    def library_folders(self) -> tuple[str, ...]:
        """Folders in which EP libraries are looked for."""
        return tuple(path for path in self._list("folders/libraries") if isinstance(path, str))

    @library_folders.setter
    def library_folders(self, value: tuple[str, ...]) -> None:
        self._store.setValue("folders/libraries", json.dumps(list(value)))

    @property
    def report_folder(self) -> str:
        """Where the last device report was saved or opened."""
        return self._text("folders/report")

    @report_folder.setter
    def report_folder(self, value: str) -> None:
        self._store.setValue("folders/report", value)

    @property
    def model_folder(self) -> str:
        """Where the last model was chosen."""
        return self._text("folders/model")

    @model_folder.setter
    def model_folder(self, value: str) -> None:
        self._store.setValue("folders/model", value)

    @property
    def compiled_folder(self) -> str:
        """Where the last compiled model was saved."""
        return self._text("folders/compiled")

    @compiled_folder.setter
    def compiled_folder(self, value: str) -> None:
        self._store.setValue("folders/compiled", value)

    @property
    def trace_folder(self) -> str:
        """Where the last trace of a profile was saved."""
        return self._text("folders/trace")

    @trace_folder.setter
    def trace_folder(self, value: str) -> None:
        self._store.setValue("folders/trace", value)

    @property
    def trial_folder(self) -> str:
        """Where the last trial was saved, exported or opened."""
        return self._text("folders/trial")

    @trial_folder.setter
    def trial_folder(self, value: str) -> None:
        self._store.setValue("folders/trial", value)

    @property
    def setup_folder(self) -> str:
        """Where the last set-up was saved or opened."""
        return self._text("folders/setup")

    @setup_folder.setter
    def setup_folder(self, value: str) -> None:
        self._store.setValue("folders/setup", value)

    @property
    def recent_models(self) -> tuple[str, ...]:
        """Paths of the models used last, the newest first."""
        found = self._list("trial/recent_models")
        return tuple(path for path in found if isinstance(path, str))[:_MAX_RECENT]

    def add_recent_model(self, path: str) -> None:
        """Put a model at the head of the recent ones."""
        others = [other for other in self.recent_models if other != path]
        self._store.setValue("trial/recent_models", json.dumps([path, *others][:_MAX_RECENT]))

    def remove_recent_model(self, path: str) -> None:
        """Take a model that is gone from the recent ones."""
        self._store.setValue(
            "trial/recent_models", json.dumps([other for other in self.recent_models if other != path])
        )

    @property
    def recent_setups(self) -> tuple[str, ...]:
        """Paths of the set-ups used last, the newest first."""
        found = self._list("trial/recent_setups")
        return tuple(path for path in found if isinstance(path, str))[:_MAX_RECENT]

    def add_recent_setup(self, path: str) -> None:
        """Put a set-up at the head of the recent ones."""
        others = [other for other in self.recent_setups if other != path]
        self._store.setValue("trial/recent_setups", json.dumps([path, *others][:_MAX_RECENT]))

    def remove_recent_setup(self, path: str) -> None:
        """Take a set-up that is gone from the recent ones."""
        self._store.setValue(
            "trial/recent_setups", json.dumps([other for other in self.recent_setups if other != path])
        )

    @property
    def trial_choices(self) -> TrialChoices:
        """The last choices of the trial panel."""
        return self._record("trial/choices", TrialChoices) or TrialChoices()

    @trial_choices.setter
    def trial_choices(self, value: TrialChoices) -> None:
        self._store.setValue("trial/choices", json.dumps(to_json(value)))

    @property
    def comparison_choices(self) -> ComparisonChoices:
        """How much was measured in the last comparison."""
        return self._record("comparison/choices", ComparisonChoices) or ComparisonChoices()

    @comparison_choices.setter
    def comparison_choices(self, value: ComparisonChoices) -> None:
        self._store.setValue("comparison/choices", json.dumps(to_json(value)))

    @property
    def libraries(self) -> tuple[RememberedLibrary, ...]:
        """The libraries of the list."""
        remembered = []
        for entry in self._list("libraries/list"):
            try:
                remembered.append(from_json(RememberedLibrary, entry))
            except DecodeError as error:
                self._unusable("libraries/list", error)
        return tuple(remembered)

    @libraries.setter
    def libraries(self, value: tuple[RememberedLibrary, ...]) -> None:
        self._store.setValue("libraries/list", json.dumps([to_json(entry) for entry in value]))
        self._store.sync()  # must outlive a crash: it tells which library not to load without asking

    def _text(self, key: str, default: str = "") -> str:
        value = self._store.value(key, default)
        if isinstance(value, str):
            return value
        self._unusable(key, value)
        return default

    def _bytes(self, key: str) -> QByteArray:
        value = self._store.value(key, QByteArray())
        if isinstance(value, QByteArray):
            return value
        self._unusable(key, value)
        return QByteArray()

    def _json(self, key: str) -> Any:
        text = self._text(key)
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError:
            self._unusable(key, text)
            return None

    def _list(self, key: str) -> list[Any]:
        found = self._json(key)
        if found is None or isinstance(found, list):
            return found or []
        self._unusable(key, found)
        return []

    def _record(self, key: str, record_type: type[_Record]) -> _Record | None:
        found = self._json(key)
        if found is None:
            return None
        try:
            return from_json(record_type, found)
        except DecodeError as error:
            self._unusable(key, error)
            return None

    @staticmethod
    def _unusable(key: str, value: object) -> None:
        _LOG.warning("The setting %s cannot be used and is left out: %s", key, str(value)[:200])
