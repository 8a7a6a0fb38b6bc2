"""What `--compare` shall compare: the targets of a model with each of its sizes, or the trials of set-ups."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from .compare_targets import ALL, NamedTarget, TargetWord, named_targets, unused
from .records.codec import StringMap
from .records.comparison import (
    DEFAULT_ROUNDS,
    DEFAULT_SECONDS,
    MAX_CELLS,
    ComparisonCell,
    ComparisonPlan,
    round_limits,
)
from .records.device import Device
from .records.failure import FailureKind, failure_error
from .records.kept_trial import model_name
from .records.library import Library
from .records.model import ModelDescription, free_names
from .records.setup import Setup, trials_of
from .records.trial import StopRule, Target, TrialSettings
from .run_setup import LONGEST_S, RunOrder
from .trial_summary import target_text

_FOREIGN: Final = ("device", "policy", "second_device")


class CompareOrder:
    """One `--compare`: first the libraries it needs, then, with the devices that came, its plan."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Read the set-ups that are named. Raises `FailureError`."""
        self._arguments = arguments
        self._paths: list[str] = arguments.compare
        is_setup = all(path.lower().endswith(".json") for path in self._paths)
        self._words: tuple[TargetWord, ...] | None = None
        if arguments.targets is not None or not is_setup:
            self._words = tuple(arguments.targets or (TargetWord(text=ALL),))
        # With targets those of the set-ups do not count, so that the libraries of these may be gone.
        first = {"device": "CPUExecutionProvider"} if self._words is not None else {}
        self._orders = [RunOrder(self._as_run(path, **first)) for path in self._paths]
        self.remarks: tuple[str, ...] = ()
        """What is to be told of how the set-ups fit to this machine."""

    def libraries(self) -> list[tuple[str, str]]:
        """Return the libraries to load, name and path each. Raises `FailureError` when they cannot be told."""
        found: dict[str, str] = {}
        for order in self._orders:
            for name, path in order.libraries():
                if found.setdefault(name, path) != path:
                    message = f"Two set-ups call different libraries “{name}”: {found[name]} and {path}."
                    hint = f"Say which is meant by --library {name}=PATH."
                    raise failure_error(FailureKind.NAME_IN_USE, message, hint=hint)
        return list(found.items())

    def plan(self, libraries: tuple[Library, ...], devices: tuple[Device, ...]) -> ComparisonPlan:
        """Return what is to be compared on these devices. Raises `FailureError` when something is missing."""
        cells: list[ComparisonCell] = []
        firsts: dict[str, int] = {}
        for label, setup in self._setups(libraries, devices):
            firsts[label] = len(cells)
            names = {sweep.name for sweep in setup.sweeps}
            text = target_text(setup.settings.target, devices)
            for trial in trials_of(setup):
                settings = replace(trial, stop_rule=self._stop_rule())
                sizes = [f"{entry.name} {entry.size}" for entry in settings.dimensions if entry.name in names]
                name = unused(", ".join((label, *sizes)), (cell.label for cell in cells))
                cells.append(ComparisonCell(label=name, target_text=text, settings=settings))
        _check_cells(cells)
        return ComparisonPlan(
            cells=tuple(cells),
            baseline=self._baseline(cells, firsts),
            rounds=self._arguments.rounds or DEFAULT_ROUNDS,
            seed=self._arguments.seed or 0,
        )

    def check_model(self, model: ModelDescription) -> None:
        """Raise `FailureError` when a dimension that is given a size is none of the model's."""
        names = free_names((*model.inputs, *(model.initializers or ())))
        unknown = [name for name, _sizes in self._arguments.dim if name not in names]
        if unknown:
            message = f"No input has the free dimension {', '.join(unknown)}; they have: {', '.join(names) or 'none'}."
            raise failure_error(FailureKind.BAD_DIMENSION, message, hint="Name one of them by --dim.")

    def notes(self, plan: ComparisonPlan) -> tuple[str, ...]:
        """Return what is to be known of how this plan does what was asked for, a sentence each."""
        asked = self._arguments.iterations
        each = round_limits(self._stop_rule(), plan.rounds).iterations
        if asked is None or each is None or each * plan.rounds == asked:
            return ()
        runs = "one run" if each == 1 else f"{each} runs"
        return (f"{plan.rounds} rounds of {runs} make {each * plan.rounds} for each row, not {asked}.",)

    def _setups(self, libraries: tuple[Library, ...], devices: tuple[Device, ...]) -> Iterator[tuple[str, Setup]]:
        """Yield label and set-up of each target, or of each set-up."""
        if self._words is None:
            labels: list[str] = []
            for path, order in zip(self._paths, self._orders, strict=True):
                setup = order.setup(libraries, devices)
                self.remarks += order.remarks
                labels.append(unused(Path(path).stem, labels))
                yield labels[-1], setup
            return
        base = self._orders[0].setup(libraries, devices)
        self.remarks = self._orders[0].remarks
        options = tuple(self._arguments.option)
        for target in named_targets(self._words, devices):
            yield target.label, replace(base, settings=_on(base.settings, target, options))

    def _as_run(self, path: str, **changes: str) -> argparse.Namespace:
        """Return the arguments as `--run` would have them for one of the paths."""
        foreign = dict.fromkeys(_FOREIGN)
        given = {**vars(self._arguments), **foreign, "run": path, **changes}
        if self._words is not None:
            given["option"] = []  # each target gets those that are for it
        return argparse.Namespace(**given)

    def _stop_rule(self) -> StopRule:
        """Return what is measured of each cell; rules of set-ups do not count, so that all get as much."""
        arguments = self._arguments
        if arguments.iterations is not None:
            return StopRule(iterations=arguments.iterations)
        seconds = arguments.seconds or (DEFAULT_SECONDS if arguments.stable is None else LONGEST_S)
        return StopRule(seconds=seconds, stable_percent=arguments.stable)

    def _baseline(self, cells: list[ComparisonCell], firsts: dict[str, int]) -> int:
        """Return the index of the cell that is named, or of the first one of a target that is named."""
        wanted = self._arguments.baseline
        if wanted is None:
            return 0
        labels = {cell.label.lower(): number for number, cell in enumerate(cells)}
        labels = {**{label.lower(): number for label, number in firsts.items()}, **labels}
        if wanted.lower() in labels:
            return labels[wanted.lower()]
        message = f"There is no “{wanted}” in this comparison; there are {', '.join(cell.label for cell in cells)}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Name one of them by --baseline.")


def _on(settings: TrialSettings, target: NamedTarget, given: StringMap) -> TrialSettings:
    """Return settings for a target, with the EP options that are for it: those of `--option`, then its word's."""
    device = target.device
    if device is None:
        return replace(settings, target=Target(policy=target.policy), options=_joined(given, target.options))
    own = f"ep.{device.ep_name.lower()}."
    general = () if device.library is None else tuple(pair for pair in given if not pair[0].startswith("ep."))
    special = tuple((key.removeprefix(own), value) for key, value in given if key.startswith(own))
    options = _joined(general, special, target.options)
    return replace(settings, target=Target(device_keys=(device.key,)), options=options)


def _joined(*parts: StringMap) -> StringMap:
    return tuple({key: value for part in parts for key, value in part}.items())


def _check_cells(cells: list[ComparisonCell]) -> None:
    """Raise `FailureError` when there is nothing to compare, too much, or what cannot be."""
    models = tuple(dict.fromkeys(cell.settings.model_path for cell in cells))
    if len(models) > 1:
        names = ", ".join(dict.fromkeys(model_name(path) for path in models))
        message = f"These set-ups use different models: {names if len(set(names)) > 1 else ', '.join(models)}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="A comparison is of one model.")
    if len(cells) < 2:
        message = f"There is nothing to compare {cells[0].label} with."
        hint = "Name more targets by --targets, more sizes by --dim, or load a library by --library."
        raise failure_error(FailureKind.BAD_SETTING, message, hint=hint)
    if len(cells) > MAX_CELLS:
        message = f"These targets and sizes make {len(cells)} rows; at most {MAX_CELLS} are compared."
        raise failure_error(FailureKind.BAD_SETTING, message)
