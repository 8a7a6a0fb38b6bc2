"""One cell of a comparison under way: what was measured of it, in how many sessions, and how long it took.

No Qt and no engine here: `experiment.py` writes it, the window and the command line read it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

from .records.check import Agreement
from .records.comparison import ComparisonCell, ComparisonPart, ComparisonPlan, Round, RoundFacts
from .records.costs import TrialCosts
from .records.failure import Failure
from .records.identity import new_id
from .records.result import Outcome
from .records.trial import Ending, Stage, TrialFacts


@dataclass(slots=True, kw_only=True)
class Durations:
    """How long something took each time, in seconds."""

    total_s: float = 0.0
    count: int = 0

    def add(self, seconds: float) -> None:
        """Add one time."""
        self.total_s += seconds
        self.count += 1

    @property
    def mean_s(self) -> float | None:
        """The mean; None before the first."""
        return self.total_s / self.count if self.count else None


@dataclass(slots=True, kw_only=True)
class CellProgress:
    """How far one cell is. Its sessions come one after the other; what was measured adds up over all of them."""

    cell: ComparisonCell
    index: int
    trial_id: str = field(default_factory=new_id)
    outcome: Outcome = Outcome.RUNNING
    failure: Failure | None = None
    is_open: bool = False
    """Whether it has a session."""
    done: int = 0
    """Rounds measured in full."""
    rounds: list[Round] = field(default_factory=list)
    """Those and the one that was cut short, if any."""
    partial: RoundFacts | None = None
    """What came so far of the round under way."""
    is_alone: bool = False
    is_made_anew: bool = False
    is_stable: bool = False
    """Whether measuring ended because the medians were stable."""
    opening: Durations = field(default_factory=Durations)
    measuring: Durations = field(default_factory=Durations)
    closing: Durations = field(default_factory=Durations)
    _earlier: TrialFacts | None = None  # of the sessions before the present one
    _session: TrialFacts | None = None
    _last_stage: Stage | None = None  # where it failed or was stopped; its session is closed after that
    _began_with: int = 0  # so many samples there were when the present session was opened
    _cpu_is_lost: bool = False  # a session has ended without telling the processor time of what it measured

    @property
    def is_living(self) -> bool:
        """Whether it goes on."""
        return self.outcome is Outcome.RUNNING

    @property
    def sample_count(self) -> int:
        """Samples of all rounds, also of one under way."""
        return sum(entry.sample_count for entry in self._all_rounds())

    def part(self, plan: ComparisonPlan) -> ComparisonPart:
        """Return what its trial is part of, with the rounds so far."""
        return ComparisonPart(
            id=plan.id,
            created=plan.created,
            label=self.cell.label,
            cell=self.index,
            cell_count=len(plan.cells),
            is_baseline=self.index == plan.baseline,
            planned_rounds=plan.rounds,
            rounds=tuple(self.rounds),
            is_alone=self.is_alone,
            is_made_anew=self.is_made_anew,
        )

    def facts(self) -> TrialFacts:
        """Return what is known of its trial: of its first session, with what all of them measured."""
        known = merged_facts(self._earlier, self._session)
        if self._cpu_is_lost and known.costs is not None:
            known = replace(known, costs=replace(known.costs, cpu_ns=None, cpu_wall_ns=None))
        return replace(
            known,
            stage=self._last_stage or known.stage,
            sample_count=self.sample_count,
            measured_ns=sum(entry.measured_ns for entry in self._all_rounds()),
            ending=self._ending(),
        )

    def told(self, facts: TrialFacts) -> None:
        """Take what is known of the present session."""
        self._session = facts

    def opens(self) -> None:
        """A session is about to be made; the one before is over."""
        self._fold()
        self._began_with = self.sample_count

    def measures(self) -> None:
        """A round is about to be measured."""
        self._session = replace(self._session or TrialFacts(), stage=Stage.MEASURING)

    def ends_round(self, number: int, position: int, facts: RoundFacts) -> None:
        """Keep what was measured in a round; what was cut short before and is measured on is one round."""
        self.partial = None
        if self._session is not None:  # until the session is closed, which tells it all
            runs = self._session.warmup_runs + facts.lead_in_runs
            self._session = replace(self._session, warmup_runs=runs)
        if facts.sample_count == 0:
            return
        if self.rounds and self.rounds[-1].number == number:
            before = self.rounds.pop()
            position = before.position
            facts = replace(
                facts,
                began_ns=before.began_ns,
                sample_count=before.sample_count + facts.sample_count,
                measured_ns=before.measured_ns + facts.measured_ns,
            )
        self.rounds.append(
            Round(
                number=number,
                position=position,
                began_ns=facts.began_ns,
                sample_count=facts.sample_count,
                measured_ns=facts.measured_ns,
            )
        )

    def fails(self, failure: Failure) -> None:
        """It has failed where it is now."""
        self.outcome, self.failure = Outcome.FAILED, failure
        self.keeps_stage()

    def keeps_stage(self) -> None:
        """It is to be closed without having been done: the stage it is at is where it ended."""
        if self._last_stage is None:
            self._last_stage = self.facts().stage

    def goes_on(self) -> None:
        """It was stopped, and is resumed in a session to come."""
        self.outcome, self.failure, self._last_stage = Outcome.RUNNING, None, None

    def _fold(self) -> None:
        """Take the present session to those before."""
        if self._session is None:
            return
        has_measured = self.sample_count > self._began_with
        costs = self._session.costs
        if has_measured and (costs is None or costs.cpu_ns is None):
            self._cpu_is_lost = True
        self._earlier, self._session = merged_facts(self._earlier, self._session), None

    def _all_rounds(self) -> tuple[Round | RoundFacts, ...]:
        return (*self.rounds, *(() if self.partial is None else (self.partial,)))

    def _ending(self) -> Ending | None:
        if self.outcome is Outcome.STOPPED:
            return Ending.STOPPED
        if self.outcome is not Outcome.FINISHED:
            return None
        if self.is_stable:
            return Ending.STABLE
        return Ending.ITERATIONS if self.cell.settings.stop_rule.iterations is not None else Ending.SECONDS


def merged_facts(earlier: TrialFacts | None, later: TrialFacts | None) -> TrialFacts:
    """Return the facts of two sessions of one trial as those of the trial.

    How long creating it and its first run took is told of the earlier one: the later may find caches. Warm-up runs
    and processor time add up; of the rest the later one's word counts, where it has one.
    """
    if earlier is None or later is None:
        return later or earlier or TrialFacts()
    known = {
        entry.name: getattr(later, entry.name) or getattr(earlier, entry.name)
        for entry in fields(TrialFacts)
        if entry.name not in ("stage", "costs", "check")
    }
    is_checked = later.check is not None and (
        earlier.check is None or later.check.agreement is not Agreement.NOT_CHECKED
    )
    return replace(
        TrialFacts(**known),
        stage=later.stage,
        session_creation_ns=_first(earlier.session_creation_ns, later.session_creation_ns),
        first_run_ns=_first(earlier.first_run_ns, later.first_run_ns),
        warmup_runs=earlier.warmup_runs + later.warmup_runs,
        saved_files=_union(earlier.saved_files, later.saved_files),
        notes=_union(earlier.notes, later.notes),
        check=later.check if is_checked else earlier.check,
        costs=_merged_costs(earlier.costs, later.costs),
    )


def _merged_costs(earlier: TrialCosts | None, later: TrialCosts | None) -> TrialCosts | None:
    if earlier is None or later is None:
        return earlier or later
    return replace(
        later,
        memory_before_bytes=_first(earlier.memory_before_bytes, later.memory_before_bytes),
        memory_created_bytes=_first(earlier.memory_created_bytes, later.memory_created_bytes),
        memory_peak_bytes=_both(max, earlier.memory_peak_bytes, later.memory_peak_bytes),
        peak_since_start=earlier.peak_since_start or later.peak_since_start,
        cpu_ns=_both(_sum, earlier.cpu_ns, later.cpu_ns),
        cpu_wall_ns=_both(_sum, earlier.cpu_wall_ns, later.cpu_wall_ns),
        accelerators=later.accelerators or earlier.accelerators,
    )


def _sum(one: int, other: int) -> int:
    return one + other


def _first(earlier: int | None, later: int | None) -> int | None:
    return later if earlier is None else earlier


def _both(join: Callable[[int, int], int], one: int | None, other: int | None) -> int | None:
    return _first(one, other) if one is None or other is None else join(one, other)


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))
