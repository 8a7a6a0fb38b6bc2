"""Runs a comparison on paper: says what comes next, and takes the answers. Nothing is measured here.

Sessions of all cells are opened first, then come the rounds: in each of them every cell is measured once, in an order
drawn anew, so that drift hits all alike; then all are closed, and their outputs checked. Where memory does not hold all
sessions at a time, each is made anew for each of its rounds. A cell that fails is closed, and the others go on.

No Qt, no engine and no clock: the window (`comparison_keeper.py`) and the command line ask the engine for what
`next_action` says and tell how it went.
"""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Final

from .comparison_run import Phase
from .experiment_cell import CellProgress
from .experiment_plan import Action, Close, Measure, Open, estimate_seconds, order_of_round, seconds_to_go
from .records.comparison import ComparisonPart, ComparisonPlan, RoundFacts, round_limits
from .records.failure import Failure, FailureKind
from .records.identity import new_id
from .records.result import Outcome
from .records.samples import Nanoseconds
from .records.statistics import is_stable
from .records.trial import TrialFacts

__all__ = ["MIN_STABLE_ROUNDS", "Action", "Close", "Experiment", "Measure", "Open", "estimate_seconds"]

MIN_STABLE_ROUNDS: Final = 10
"""Before so many rounds nothing is called stable: drift must have had its chance."""
_MEMORY_MARGIN: Final = 1.2
_MOST_LOSSES: Final = 3
"""So many engines may end by themselves without a round measured between; then the cell at turn is given up."""


class Experiment:
    """One comparison, from its start to the last answer; it may be resumed and parts of it repeated.

    `available_bytes` tells how much memory is free, None where that is not known; `model_bytes` is the size of the
    model's files, by which the first session is judged. `samples_of` gives the samples so far of a cell, or enough of
    them spread evenly: asked after each round from the tenth on, with a rule “until stable” only.
    """

    def __init__(
        self,
        plan: ComparisonPlan,
        available_bytes: Callable[[], int | None],
        *,
        model_bytes: int = 0,
        samples_of: Callable[[int], Nanoseconds],
    ) -> None:
        self._plan = plan
        self._available_bytes = available_bytes
        self._samples_of = samples_of
        self._session_bytes = model_bytes  # what the next session is thought to take
        self._cells = tuple(CellProgress(cell=cell, index=index) for index, cell in enumerate(plan.cells))
        self._notes: list[str] = []
        self._phase = Phase.OPENING
        self._round = 0
        self._last_round = plan.rounds  # less once the medians are stable
        self._order: tuple[int, ...] = ()
        self._action: Action | None = None
        self._stopping = False
        self._is_made_anew = False
        self._losses = 0

    # ---- What is asked of the engine, and its answers ----

    def next_action(self) -> Action | None:
        """Return what is to be done now, the same until it is answered; None when it has ended."""
        if self._action is None:
            self._action = self._choose()
            if isinstance(self._action, Open):
                self._cells[self._action.cell].opens()
            elif isinstance(self._action, Measure):
                self._cells[self._action.cell].measures()
        return self._action

    def told(self, facts: TrialFacts) -> None:
        """Take what is known on the way to the answer: the facts of a stage."""
        if self._action is not None:
            self._cells[self._action.cell].told(facts)

    def sampled(self, count: int, elapsed_ns: int, *, now_ns: int) -> None:
        """Take it that so many more samples have come of the round being measured, which has lasted so long.

        `now_ns` are the nanoseconds since 1970, UTC. A round that is not answered keeps what was told here.
        """
        if isinstance(self._action, Measure):
            cell = self._cells[self._action.cell]
            before = cell.partial
            cell.partial = RoundFacts(
                began_ns=now_ns - elapsed_ns if before is None else before.began_ns,
                sample_count=count + (0 if before is None else before.sample_count),
                measured_ns=elapsed_ns,
                lead_in_runs=0,
            )

    def opened(self, facts: TrialFacts, *, seconds: float) -> None:
        """The session is open; it took so many seconds by the wall clock."""
        cell = self._answered(Open)
        cell.told(facts)
        cell.is_open = True
        cell.opening.add(seconds)
        costs = facts.costs
        if costs is not None and costs.memory_before_bytes is not None and costs.memory_created_bytes is not None:
            taken = costs.memory_created_bytes - costs.memory_before_bytes
            is_first = sum(other.opening.count for other in self._cells) == 1
            self._session_bytes = taken if is_first else max(self._session_bytes, taken)

    def measured(self, facts: RoundFacts, *, seconds: float) -> None:
        """A round of the cell was measured; it took so many seconds by the wall clock, the lead-in with it."""
        cell = self._answered(Measure)
        cell.ends_round(self._round, self._position(cell), facts)
        self._losses = 0
        if facts.stopped:
            self._stopping = True
        else:
            cell.done = self._round
            cell.measuring.add(seconds)

    def closed(self, facts: TrialFacts, *, seconds: float) -> None:
        """The session is closed; it took so many seconds by the wall clock."""
        is_last = isinstance(self._action, Close) and self._action.check
        cell = self._answered(Close)
        cell.told(facts)
        cell.is_open = False
        cell.closing.add(seconds)
        if is_last and cell.is_living:
            cell.outcome = Outcome.FINISHED

    def failed(self, failure: Failure, *, engine_lost: bool) -> None:
        """The action has failed; `engine_lost` when the engine has ended with it, and all its sessions."""
        action = self._action
        cell = self._answered(Open | Measure | Close)
        if cell.partial is not None:
            cell.ends_round(self._round, self._position(cell), cell.partial)
        if engine_lost:
            self._lose_sessions()
        elif not isinstance(action, Measure):
            cell.is_open = False
        if failure.kind is FailureKind.STOPPED:  # its engine may have been killed on purpose: all is stopped with it
            cell.failure = failure if cell.is_living and engine_lost else cell.failure
            self._stopping = True
        elif failure.kind is FailureKind.ENGINE_UNAVAILABLE and self._losses < _MOST_LOSSES:
            self._losses += 1  # it is none of the cell's: the engine ended before this was begun
        elif isinstance(action, Open) and failure.kind is FailureKind.OUT_OF_MEMORY and self._open_cells():
            self._make_anew()
        elif cell.is_living:
            cell.fails(failure)

    def engine_lost(self) -> None:
        """The engine has ended while nothing was asked of it: all sessions are gone, and no cell is to blame.

        After a failure that told so, this does nothing more.
        """
        if self._open_cells():
            self._lose_sessions()
            self._losses += 1

    # ---- What the user asks for ----

    def request_stop(self) -> None:
        """Close all after the action under way is answered; what was measured is kept."""
        if self._phase is not Phase.ENDED:
            self._stopping = True

    def resume(self) -> None:
        """Go on with the missing rounds of the cells that were stopped, as the same trials in new sessions."""
        if not self.can_resume:
            return
        stopped = [cell for cell in self._cells if cell.outcome is Outcome.STOPPED]
        for cell in stopped:
            cell.goes_on()
        self._begin(min(cell.done for cell in stopped))

    def repeat(self, index: int) -> None:
        """Measure a cell anew, under a new trial id and by itself, in as many rounds. Only once all has ended."""
        if self._phase is not Phase.ENDED:
            return
        others = [cell for cell in self._cells if cell.index != index]
        fresh = CellProgress(
            cell=self._plan.cells[index],
            index=index,
            trial_id=new_id(),
            is_alone=any(cell.outcome is not Outcome.FAILED for cell in others),
        )
        self._cells = tuple(fresh if cell.index == index else cell for cell in self._cells)
        self._is_made_anew = False
        self._begin(0)

    # ---- How it stands ----

    @property
    def phase(self) -> Phase:
        """What it is at."""
        return self._phase

    @property
    def round(self) -> int:
        """The round under way, counted from 1; 0 before the first."""
        return self._round

    @property
    def rounds_done(self) -> int:
        """How many rounds were measured in full by all that go on."""
        return min((cell.done for cell in self._living()), default=self._round)

    @property
    def current(self) -> int | None:
        """The cell that the action under way is about."""
        return None if self._action is None else self._action.cell

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop and has not ended."""
        return self._stopping

    @property
    def can_resume(self) -> bool:
        """Whether there are cells that were stopped, and it has ended."""
        return self._phase is Phase.ENDED and any(cell.outcome is Outcome.STOPPED for cell in self._cells)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is to be known of how it ran, a sentence each."""
        return tuple(self._notes)

    @property
    def seconds_left(self) -> float | None:
        """An estimate by what was measured so far, the lead-in with it; None before there is anything."""
        if self._phase is Phase.ENDED:
            return None
        return seconds_to_go(self._cells, self._last_round, is_made_anew=self._is_made_anew)

    def facts(self, cell: int) -> TrialFacts:
        """Return what is known of a cell's trial, of all its sessions together."""
        return self._cells[cell].facts()

    def part(self, cell: int) -> ComparisonPart:
        """Return what a cell's trial is part of, with its rounds so far."""
        return self._cells[cell].part(self._plan)

    def outcome(self, cell: int) -> Outcome:
        """Return how a cell's trial ended, or that it has not."""
        return self._cells[cell].outcome

    def failure(self, cell: int) -> Failure | None:
        """Return why a cell failed, or was stopped by force."""
        return self._cells[cell].failure

    def trial_id(self, cell: int) -> str:
        """Return the id of a cell's trial."""
        return self._cells[cell].trial_id

    def is_final(self, cell: int) -> bool:
        """Whether a cell's trial has ended and its session is closed: nothing is added to it any more."""
        return not self._cells[cell].is_living and not self._cells[cell].is_open

    # ---- What comes next ----

    def _choose(self) -> Action | None:
        if self._phase is Phase.ENDED:
            return None
        for cell in self._open_cells():
            if self._stopping or not cell.is_living:
                if not self._is_complete(cell):
                    cell.keeps_stage()
                return Close(cell=cell.index, check=False)
        while self._living() and not self._stopping:
            action = self._closing() if self._phase is Phase.CLOSING else self._measuring()
            if action is not None:
                return action
            if self._phase is not Phase.CLOSING:
                self._begin_round()
        self._end()
        return None

    def _measuring(self) -> Action | None:
        """Return what is to be done in this round, before the first one to open all; None when it is done."""
        missing = [cell for cell in self._living() if not cell.is_open and not self._is_complete(cell)]
        if not self._is_made_anew and missing:
            if not self._fits() and len(self._living()) > 1:
                self._make_anew()
            else:
                return Open(cell=missing[0].index)
        due = [cell for cell in self._in_order() if cell.is_living and cell.done < self._round]
        if self._is_made_anew:
            for cell in self._open_cells():
                if cell not in due[:1]:
                    return Close(cell=cell.index, check=self._is_complete(cell))
            if due and not due[0].is_open:
                due[0].is_made_anew = True
                return Open(cell=due[0].index)
        if not due:
            return None
        limits = round_limits(due[0].cell.settings.stop_rule, self._plan.rounds)
        return Measure(cell=due[0].index, limits=limits)

    def _closing(self) -> Action | None:
        """Return how the next living cell is closed; one that lost its session gets another, for its check."""
        for cell in self._living():
            if cell.is_open:
                return Close(cell=cell.index, check=True)
            if cell.cell.settings.check.enabled:
                return Open(cell=cell.index)
            cell.outcome = Outcome.FINISHED
        return None

    def _begin(self, round_number: int) -> None:
        self._phase, self._round, self._order = Phase.OPENING, round_number, ()
        self._last_round = self._plan.rounds
        self._stopping, self._losses = False, 0

    def _begin_round(self) -> None:
        """Go to the next round, or to the end after the last."""
        if self._round < self._last_round and self._are_stable():
            self._last_round = self._round
            for cell in self._living():
                cell.is_stable = True
            self._note(f"All medians were stable after {self._round} of {self._plan.rounds} rounds.")
        if self._round >= self._last_round:
            self._phase = Phase.CLOSING
            return
        self._phase = Phase.MEASURING
        self._round += 1
        self._order = order_of_round([cell.index for cell in self._living()], self._plan.seed, self._round)

    def _end(self) -> None:
        for cell in self._living():
            cell.outcome = Outcome.FINISHED if self._is_complete(cell) else Outcome.STOPPED
        self._phase, self._stopping = Phase.ENDED, False

    def _are_stable(self) -> bool:
        if self._round < MIN_STABLE_ROUNDS:
            return False
        for cell in self._living():
            percent = cell.cell.settings.stop_rule.stable_percent
            if percent is None or not is_stable(self._samples_of(cell.index), percent):
                return False
        return True

    def _is_complete(self, cell: CellProgress) -> bool:
        return cell.done >= self._last_round

    def _fits(self) -> bool:
        """Whether memory holds one session more."""
        available = self._available_bytes()
        return available is None or self._session_bytes * _MEMORY_MARGIN <= available

    def _make_anew(self) -> None:
        self._is_made_anew = True
        self._note("Memory does not hold all sessions at a time, so they are made anew for each round.")

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

    def _answered(self, kind: type | UnionType) -> CellProgress:
        """Take the action as answered and return its cell. Raises `ValueError` when there is none of that kind."""
        action = self._action
        if action is None or not isinstance(action, kind):
            raise ValueError(f"this answers no action: {action}")
        self._action = None
        return self._cells[action.cell]

    def _lose_sessions(self) -> None:
        for cell in self._cells:
            cell.is_open = False

    def _living(self) -> list[CellProgress]:
        return [cell for cell in self._cells if cell.is_living]

    def _open_cells(self) -> list[CellProgress]:
        return [cell for cell in self._cells if cell.is_open]

    def _in_order(self) -> list[CellProgress]:
        return [self._cells[index] for index in self._order]

    def _position(self, cell: CellProgress) -> int:
        return 1 + self._order.index(cell.index)
