"""A comparison of this sitting, or one put together from kept trials: what the panel shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .records.comparison import ComparisonPlan
from .records.result import Outcome
from .trial_run import TrialRun


class Phase(Enum):
    """What a comparison is at."""

    OPENING = "creating sessions"
    MEASURING = "measuring"
    CLOSING = "checking outputs"
    ENDED = "ended"


@dataclass(eq=False, slots=True, kw_only=True)
class ComparisonRun:
    """Belongs to the window's thread; `gui.comparison_keeper` writes it, panels read it."""

    id: str
    runs: tuple[TrialRun, ...]
    """One a cell, in the order of the cells."""
    baseline: int = 0
    """The index of the run that the others are compared with; the user may choose another."""
    plan: ComparisonPlan | None = None
    """None for one that was put together from trials that were there."""
    phase: Phase = Phase.ENDED
    round: int = 0
    """The round under way, counted from 1."""
    current: int | None = None
    """The index of the run being worked on."""
    seconds_left: float | None = None
    """An estimate; None while nothing is known."""
    stopping: bool = False
    notes: tuple[str, ...] = ()
    """What else is to be known of how it ran, a sentence each."""

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        return self.phase is not Phase.ENDED

    @property
    def can_resume(self) -> bool:
        """Whether it was stopped before all rounds were done, and can go on."""
        return (
            self.plan is not None and not self.is_running and any(run.outcome is Outcome.STOPPED for run in self.runs)
        )

    @property
    def can_repeat(self) -> bool:
        """Whether one of its cells can be measured anew."""
        return self.plan is not None and not self.is_running

    @property
    def progress(self) -> float:
        """How much of it is done, from 0 to 1: by the rounds."""
        if not self.is_running:
            return 1.0
        if self.plan is None or self.phase is Phase.OPENING:
            return 0.0
        if self.phase is Phase.CLOSING:
            return 1.0
        return max(0, self.round - 1) / self.plan.rounds
