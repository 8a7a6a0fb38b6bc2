"""A trial as it is kept: everything that is known of it, by itself, after the engine and the window are gone."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

import numpy as np

from .comparison import ComparisonPart
from .device import Device
from .failure import Failure
from .identity import new_id, now_text
from .latency_remarks import Remark
from .library import Library
from .placement import PlacedNodes
from .profile import Profile
from .protocol import Greeting
from .result import Outcome, TrialResult
from .samples import Nanoseconds
from .statistics import LatencyStatistics
from .trial import TrialFacts, TrialSettings
from .trial_log import TrialLogLine

MAX_NS = (1 << 63) - 1
"""The most that files and the store can hold: int64."""


def _no_samples() -> Nanoseconds:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptTrial:
    """One trial that has ended. Two are equal when all of it is, each sample included."""

    id: str = field(default_factory=new_id)
    """A UUID as text."""
    created: str = field(default_factory=now_text)
    """When it began: ISO 8601, UTC. Empty when that is not known: version 0.1 did not write it."""
    settings: TrialSettings
    outcome: Outcome
    facts: TrialFacts
    failure: Failure | None = None
    statistics: LatencyStatistics | None = None
    remarks: tuple[Remark, ...] = ()
    samples: Nanoseconds = field(default_factory=_no_samples)
    """Of the measuring stage, in their order."""
    warmup: Nanoseconds = field(default_factory=_no_samples)
    """The runs between the first run and the measuring stage."""
    elapsed_ns: int = 0
    """Wall-clock time of the measuring stage, also of a trial that failed in it."""
    log: tuple[TrialLogLine, ...] = ()
    """What ORT and the EPs said while it ran."""
    log_left_out: int = 0
    """How many lines between the first and the last of them were not kept."""
    nodes: PlacedNodes | None = None
    environment: Greeting | None = None
    """The engine it ran in: ORT, Python, system, processor. None when there was none."""
    devices: tuple[Device, ...] = ()
    """Those chosen, and those a policy took, with all that was told of them."""
    target_text: str = ""
    """The target in words."""
    libraries: tuple[Library, ...] = ()
    """Those of its devices, of a policy all that were loaded; `check` holds the file's SHA-256 and version."""
    registrations: tuple[tuple[str, int | None], ...] = ()
    """The registration names of `libraries` and how long ORT took to register each, ns."""
    profile: Profile | None = None
    comparison: ComparisonPart | None = None
    """What it was part of; None for a trial by itself."""
    tags: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.outcome is Outcome.RUNNING:
            raise ValueError("a trial is kept when it has ended")
        if not _is_uuid(self.id):
            raise ValueError(f"the id is no UUID: {self.id}")
        if self.created and not _is_utc(self.created):
            raise ValueError(f"the time is not one in UTC: {self.created}")
        if any(int(array.min()) < 0 for array in (self.samples, self.warmup) if len(array)):
            raise ValueError("a latency is less than 0")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeptTrial):
            return NotImplemented
        pairs = ((getattr(self, entry.name), getattr(other, entry.name)) for entry in fields(self))
        return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def model_name(self) -> str:
        """The name of the model's file without folder and ending."""
        return model_name(self.settings.model_path)

    @property
    def result(self) -> TrialResult:
        """What is told of it, as the command line's summaries take it."""
        return TrialResult(
            settings=self.settings,
            outcome=self.outcome,
            facts=self.facts,
            statistics=self.statistics,
            failure=self.failure,
        )


def model_name(path: str) -> str:
    """Return the name of a model's file without folder and ending, whichever system the path is of."""
    separators = r"[\\/]" if re.match(r"[A-Za-z]:|\\\\", path) else "/"
    name = re.split(separators, path)[-1]
    stem = name.rpartition(".")[0]
    return stem or name


def machine_text(environment: Greeting | None) -> str:
    """Return the machine in words: its processor and system; empty when it is not known."""
    if environment is None:
        return ""
    return ", ".join(part for part in (environment.cpu, environment.platform) if part)


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as they are kept: spaces trimmed and collapsed, each once, in the order given."""
    trimmed = (" ".join(tag.split()) for tag in tags)
    return tuple(dict.fromkeys(tag for tag in trimmed if tag))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _is_utc(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False
