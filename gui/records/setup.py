"""Set-ups: all that is needed to run the same trials again, here or elsewhere."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from .device import Device
from .trial import DimensionSize, TrialSettings

SETUP_FORMAT = "ort-device-explorer set-up 1"
MAX_TRIALS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionSweep:
    """Several sizes of one free dimension: a trial each."""

    name: str
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.sizes or any(size < 1 for size in self.sizes):
            raise ValueError(f"the sizes of {self.name} must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupLibrary:
    """An EP library that the target needs."""

    name: str
    """The registration name."""
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A trial's set-up. `settings.dimensions` holds the first size of each dimension."""

    settings: TrialSettings
    sweeps: tuple[DimensionSweep, ...] = ()
    """The dimensions with more than one size."""
    libraries: tuple[SetupLibrary, ...] = ()
    devices: tuple[Device, ...] = ()
    """The devices of `settings.target`, first and second choice, as they were: to be found again."""


def trials_of(setup: Setup) -> tuple[TrialSettings, ...]:
    """Return the settings of each trial: one for each combination of sizes. Raises `ValueError` beyond `MAX_TRIALS`.

    What several write on request goes to places of their own, see `numbered`.
    """
    count = 1
    for sweep in setup.sweeps:
        count *= len(sweep.sizes)
    if count > MAX_TRIALS:
        raise ValueError(f"these sizes make {count} trials; at most {MAX_TRIALS} are run in a row")
    names = [sweep.name for sweep in setup.sweeps]
    found = []
    for sizes in itertools.product(*(sweep.sizes for sweep in setup.sweeps)):
        chosen = dict(zip(names, sizes, strict=True))
        dimensions = tuple(
            DimensionSize(name=entry.name, size=chosen.pop(entry.name, entry.size))
            for entry in setup.settings.dimensions
        )
        dimensions += tuple(DimensionSize(name=name, size=size) for name, size in chosen.items())
        found.append(replace(setup.settings, dimensions=dimensions))
    if len(found) > 1:
        found = [_with_places_of_its_own(settings, number) for number, settings in enumerate(found, start=1)]
    return tuple(found)


def numbered(target: str, number: int) -> str:
    """Return the name of a file or folder for one of several trials: `NAME-1.json`, `NAME-2.json`, …"""
    if target in ("", "-"):
        return target
    path = Path(target)
    return str(path.with_name(f"{path.stem}-{number}{path.suffix}"))


def _with_places_of_its_own(settings: TrialSettings, number: int) -> TrialSettings:
    session = settings.session
    return replace(
        settings,
        session=replace(session, optimized_model_path=numbered(session.optimized_model_path, number)),
        outputs_folder=numbered(settings.outputs_folder, number),
    )
