"""Comparisons: one model on several targets, measured by turns so that drift hits all of them alike.

Each target and size is a *cell*, and each cell is a trial. In a *round* every cell is measured for a short while, in an
order drawn anew for each round; the samples of all rounds together are those of the trial.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .identity import new_id, now_text
from .trial import MAX_ITERATIONS, MAX_SECONDS, StopRule, TrialSettings

COMPARISON_FORMAT = "ort-device-explorer comparison 1"
"""What `comparison_file` writes and reads."""
DEFAULT_ROUNDS = 20
MIN_ROUNDS, MAX_ROUNDS = 1, 1000
MAX_CELLS = 100
DEFAULT_SECONDS = 3.0
"""To be measured for each cell, when nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonCell:
    """One target with its options and sizes."""

    label: str
    """Short, and different for each cell of a comparison: “ggml”, “ggml, batch 8”."""
    target_text: str
    """The target in words, as a trial has it."""
    settings: TrialSettings
    """`stop_rule` is what is to be measured in all rounds together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPlan:
    """What shall be compared, and how."""

    id: str = field(default_factory=new_id)
    """A UUID as text."""
    created: str = field(default_factory=now_text)
    """ISO 8601, UTC."""
    cells: tuple[ComparisonCell, ...]
    baseline: int = 0
    """The index of the cell that the others are compared with."""
    rounds: int = DEFAULT_ROUNDS
    seed: int = 0
    """Of the order in each round."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.cells) <= MAX_CELLS:
            raise ValueError(f"a comparison has between 1 and {MAX_CELLS} cells")
        if not MIN_ROUNDS <= self.rounds <= MAX_ROUNDS:
            raise ValueError(f"there must be between {MIN_ROUNDS} and {MAX_ROUNDS} rounds")
        if not 0 <= self.baseline < len(self.cells):
            raise ValueError("the baseline is no cell of the comparison")
        labels = [cell.label for cell in self.cells]
        if len(labels) != len(set(labels)):
            raise ValueError("two cells have the same label")
        models = {cell.settings.model_path for cell in self.cells}
        if len(models) > 1:
            raise ValueError("a comparison is of one model")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundLimits:
    """How long one cell is measured in one round: at least one run, then until either is reached."""

    iterations: int | None = None
    seconds: float | None = None
    lead_in_s: float = 0.0
    """Runs before it for so long, one at least, which are not measured: the others have emptied the caches."""

    def __post_init__(self) -> None:
        if (self.iterations is None) == (self.seconds is None):
            raise ValueError("a round is limited either by iterations or by seconds")
        if self.iterations is not None and not 1 <= self.iterations <= MAX_ITERATIONS:
            raise ValueError(f"iterations must be between 1 and {MAX_ITERATIONS}")
        if self.seconds is not None and not 0 < self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds must be more than 0 and at most {MAX_SECONDS:g}")
        if not 0 <= self.lead_in_s <= MAX_SECONDS:
            raise ValueError(f"the lead-in must be between 0 and {MAX_SECONDS:g} seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFacts:
    """What an engine tells of one cell in one round. Times are nanoseconds."""

    began_ns: int
    """Of the first measured run: nanoseconds since 1970, UTC."""
    sample_count: int
    measured_ns: int
    """Wall-clock time of the measured runs."""
    lead_in_runs: int
    stopped: bool = False
    """Whether it ended because it was asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Which samples of a trial belong to a round: they follow each other in the order of the rounds."""

    number: int
    """Counted from 1."""
    position: int
    """Which place the cell had in the order of this round, counted from 1."""
    began_ns: int
    """Of the first measured run: nanoseconds since 1970, UTC."""
    sample_count: int
    measured_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPart:
    """What a trial was part of."""

    id: str
    """Of the comparison."""
    created: str
    label: str
    """Of the cell."""
    cell: int
    """Its place among the cells, counted from 0."""
    cell_count: int
    is_baseline: bool
    planned_rounds: int
    rounds: tuple[Round, ...] = ()
    """Those that were measured, also of a trial that failed in one."""
    is_alone: bool = False
    """Whether it was measured anew by itself, not by turns with the others."""
    is_made_anew: bool = False
    """Whether its session was made anew for each round, for want of memory."""


def round_limits(rule: StopRule, rounds: int) -> RoundLimits:
    """Return the share of a stop rule that falls to one round, with a tenth of its time, at most 20 ms, of lead-in."""
    if rule.iterations is not None:
        return RoundLimits(iterations=max(1, -(-rule.iterations // rounds)))
    seconds = (rule.seconds or DEFAULT_SECONDS) / rounds
    return RoundLimits(seconds=seconds, lead_in_s=min(0.02, seconds / 10))
