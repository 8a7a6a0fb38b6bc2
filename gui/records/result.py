"""The outcome of a trial."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .failure import Failure
from .statistics import LatencyStatistics
from .trial import TrialFacts, TrialSettings

RESULT_FORMAT = "ort-device-explorer trial 1"
"""What `trial_file` writes and reads."""


class Outcome(Enum):
    """How a trial ended, or that it has not."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """Everything told of one trial but its samples."""

    settings: TrialSettings
    outcome: Outcome
    facts: TrialFacts
    statistics: LatencyStatistics | None = None
    failure: Failure | None = None
