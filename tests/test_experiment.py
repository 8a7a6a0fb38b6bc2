"""Which action of a comparison comes next, whatever is answered: no engine, the answers are made here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.comparison_run import Phase
from gui.experiment import MIN_STABLE_ROUNDS, Action, Close, Experiment, Measure, Open, estimate_seconds
from gui.experiment_cell import merged_facts
from gui.experiment_plan import order_of_round
from gui.memory import available_bytes, file_bytes
from gui.records.check import Agreement, CheckSettings, OutputCheck
from gui.records.comparison import ComparisonCell, ComparisonPlan, RoundFacts, RoundLimits
from gui.records.costs import TrialCosts
from gui.records.failure import Failure, FailureKind
from gui.records.result import Outcome
from gui.records.samples import Nanoseconds
from gui.records.trial import Ending, Stage, StopRule, Target, TrialFacts, TrialSettings

DIED = Failure(kind=FailureKind.DIED, message="The engine died.")
BROKEN = Failure(kind=FailureKind.RUN_FAILED, message="A run failed.")
NO_MEMORY = Failure(kind=FailureKind.OUT_OF_MEMORY, message="Out of memory.")
KILLED = Failure(kind=FailureKind.STOPPED, message="Stopped while measuring a round.")
UNAVAILABLE = Failure(kind=FailureKind.ENGINE_UNAVAILABLE, message="The engine ended before this was begun.")
TWENTY = StopRule(iterations=20)
RUNS = 5
"""Samples of a round."""
SESSION_BYTES = 100
REST_S = 0.06
"""Until the session before it rests, in a comparison of several."""


def plan_of(
    count: int = 3, rounds: int = 4, rule: StopRule = TWENTY, check: bool = True, **fields: Any
) -> ComparisonPlan:
    cells = tuple(
        ComparisonCell(
            label=f"cell {index}",
            target_text=f"target {index}",
            settings=TrialSettings(
                model_path="/model.onnx",
                target=Target(device_keys=(f"device {index}",)),
                stop_rule=rule,
                check=CheckSettings(enabled=check),
            ),
        )
        for index in range(count)
    )
    return ComparisonPlan(cells=cells, rounds=rounds, **fields)


@dataclass(kw_only=True)
class Trouble:
    """What goes wrong: the answer to the n-th action of a kind about a cell, counted from 1."""

    kind: type[Action]
    cell: int
    failure: Failure
    number: int = 1
    engine_lost: bool = False
    partial: int = 0
    """Samples that came before."""


@dataclass(kw_only=True)
class Engine:
    """Answers the actions of an experiment as an engine would, and writes down what was asked."""

    plan: ComparisonPlan
    troubles: tuple[Trouble, ...] = ()
    free: Callable[[int], int | None] = lambda _open: None
    """Free memory, by the number of open sessions."""
    before: Callable[[Action, int], None] = lambda _action, _number: None
    """Called with each action and its number, counted from 1, before it is answered."""
    noisy: frozenset[int] = frozenset()
    asked: list[Action] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    samples: dict[int, list[int]] = field(default_factory=dict)
    counts: Counter[tuple[type, int]] = field(default_factory=Counter)
    experiment: Experiment = field(init=False)

    def __post_init__(self) -> None:
        self.experiment = Experiment(
            self.plan, lambda: self.free(len(self.open)), model_bytes=SESSION_BYTES, samples_of=self.samples_of
        )

    def samples_of(self, cell: int) -> Nanoseconds:
        return np.array(self.samples.get(cell, []), np.int64)

    def run(self, most: int = 10_000) -> list[Action]:
        """Answer until it has ended, or so many times; return what was asked this time."""
        first = len(self.asked)
        for _ in range(most):
            action = self.experiment.next_action()
            if action is None:
                break
            self.asked.append(action)
            self.before(action, len(self.asked))
            self.answer(action)
        return self.asked[first:]

    def answer(self, action: Action) -> None:
        key = (type(action), action.cell)
        self.counts[key] += 1
        for trouble in self.troubles:
            if (trouble.kind, trouble.cell, trouble.number) == (*key, self.counts[key]):
                self.fail(action, trouble)
                return
        if isinstance(action, Open):
            assert action.cell not in self.open
            self.open.add(action.cell)
            costs = TrialCosts(memory_before_bytes=1000, memory_created_bytes=1000 + SESSION_BYTES)
            self.experiment.opened(
                TrialFacts(stage=Stage.WARMING_UP, session_creation_ns=7, warmup_runs=10, costs=costs), seconds=2.0
            )
        elif isinstance(action, Measure):
            assert action.cell in self.open
            taken = self.samples.setdefault(action.cell, [])
            taken.extend([1000] * RUNS if action.cell not in self.noisy else [1, 10**9] * (RUNS // 2) + [5])
            self.experiment.measured(self.round_facts(), seconds=3.0)
        else:
            assert action.cell in self.open
            self.open.remove(action.cell)
            check = OutputCheck(agreement=Agreement.IDENTICAL) if action.check else None
            facts = TrialFacts(stage=Stage.CLOSING, check=check, warmup_runs=10)
            self.experiment.closed(facts, seconds=1.0)

    def fail(self, action: Action, trouble: Trouble) -> None:
        if trouble.partial:
            self.samples.setdefault(action.cell, []).extend([1000] * trouble.partial)
            self.experiment.sampled(trouble.partial, 1000 * trouble.partial, now_ns=50_000)
        if trouble.engine_lost:
            self.open.clear()
        elif not isinstance(action, Measure):
            self.open.discard(action.cell)
        self.experiment.failed(trouble.failure, engine_lost=trouble.engine_lost)

    @staticmethod
    def round_facts(stopped: bool = False, count: int = RUNS) -> RoundFacts:
        return RoundFacts(began_ns=1, sample_count=count, measured_ns=count * 1000, lead_in_runs=1, stopped=stopped)

    # ---- What is to be looked at ----

    @property
    def outcomes(self) -> list[Outcome]:
        return [self.experiment.outcome(index) for index in range(len(self.plan.cells))]

    def numbers(self, cell: int) -> list[int]:
        return [entry.number for entry in self.experiment.part(cell).rounds]


def words(actions: list[Action]) -> str:
    """Actions in short: o0 opens cell 0, m0 measures it, c0 closes it, C0 with the check of its outputs."""
    letters = {Open: "o", Measure: "m"}
    return " ".join(
        f"{letters.get(type(action)) or ('C' if isinstance(action, Close) and action.check else 'c')}{action.cell}"
        for action in actions
    )


def measured_cells(actions: list[Action]) -> list[int]:
    return [action.cell for action in actions if isinstance(action, Measure)]


# ---- When all goes well ----


def test_that_all_are_opened_then_measured_by_turns_then_closed_and_checked() -> None:
    engine = Engine(plan=plan_of(3, rounds=4))
    actions = engine.run()
    assert words(actions[:3]) == "o0 o1 o2"
    assert words(actions[-3:]) == "C0 C1 C2"
    turns = measured_cells(actions[3:-3])
    assert len(turns) == 12
    for begin in range(0, 12, 3):
        assert sorted(turns[begin : begin + 3]) == [0, 1, 2]
    assert engine.outcomes == [Outcome.FINISHED] * 3
    assert engine.experiment.phase is Phase.ENDED
    assert engine.experiment.notes == ()


def test_that_the_parts_tell_the_rounds_and_the_places_in_them() -> None:
    engine = Engine(plan=plan_of(3, rounds=4, baseline=1, seed=3))
    turns = measured_cells(engine.run())
    for cell in range(3):
        part = engine.experiment.part(cell)
        assert [entry.number for entry in part.rounds] == [1, 2, 3, 4]
        places = [1 + turns[begin : begin + 3].index(cell) for begin in range(0, 12, 3)]
        assert [entry.position for entry in part.rounds] == places
        assert {entry.sample_count for entry in part.rounds} == {RUNS}
        assert (part.cell, part.cell_count, part.planned_rounds) == (cell, 3, 4)
        assert part.is_baseline == (cell == 1)
        assert (part.id, part.created, part.label) == (engine.plan.id, engine.plan.created, f"cell {cell}")
        assert not part.is_alone
        assert not part.is_made_anew


def test_that_the_facts_of_a_cell_are_those_of_all_its_rounds() -> None:
    engine = Engine(plan=plan_of(2, rounds=4))
    engine.run()
    facts = engine.experiment.facts(0)
    assert (facts.sample_count, facts.measured_ns) == (4 * RUNS, 4 * RUNS * 1000)
    assert facts.ending is Ending.ITERATIONS
    assert facts.check is not None
    assert facts.check.agreement is Agreement.IDENTICAL


def test_that_a_lead_in_is_counted_as_warm_up_until_the_engine_tells_it_all() -> None:
    engine = Engine(plan=plan_of(1, rounds=4))
    engine.run(1)
    assert engine.experiment.facts(0).warmup_runs == 10
    engine.run(3)
    assert engine.experiment.facts(0).warmup_runs == 13


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (StopRule(iterations=20), RoundLimits(iterations=5)),
        (StopRule(seconds=2.0), RoundLimits(seconds=0.5, lead_in_s=0.02)),
    ],
)
def test_that_each_round_measures_its_share_of_the_stop_rule(rule: StopRule, expected: RoundLimits) -> None:
    engine = Engine(plan=plan_of(2, rounds=4, rule=rule))
    assert {action.limits for action in engine.run() if isinstance(action, Measure)} == {expected}


def test_that_phase_round_and_cell_are_told_on_the_way() -> None:
    engine = Engine(plan=plan_of(2, rounds=2))
    told: list[tuple[Phase, int, int | None]] = []
    engine.before = lambda _action, _number: told.append(
        (engine.experiment.phase, engine.experiment.round, engine.experiment.current)
    )
    actions = engine.run()
    assert [entry[2] for entry in told] == [action.cell for action in actions]
    opening, measuring, closing = Phase.OPENING, Phase.MEASURING, Phase.CLOSING
    expected = [(opening, 0)] * 2 + [(measuring, 1)] * 2 + [(measuring, 2)] * 2 + [(closing, 2)] * 2
    assert [entry[:2] for entry in told] == expected
    assert engine.experiment.current is None


def test_that_the_action_stays_the_same_until_it_is_answered() -> None:
    experiment = Engine(plan=plan_of(2)).experiment
    assert experiment.next_action() is experiment.next_action()
    with pytest.raises(ValueError, match="answers no action"):
        experiment.measured(Engine.round_facts(), seconds=1.0)


def test_that_a_comparison_of_one_is_measured_in_its_rounds() -> None:
    engine = Engine(plan=plan_of(1, rounds=3))
    assert words(engine.run()) == "o0 m0 m0 m0 C0"


# ---- The order ----


def test_that_the_order_depends_on_the_seed_alone_and_varies_from_round_to_round() -> None:
    orders = [order_of_round(range(5), 7, number) for number in range(1, 41)]
    assert orders == [order_of_round(range(5), 7, number) for number in range(1, 41)]
    assert orders != [order_of_round(range(5), 8, number) for number in range(1, 41)]
    assert all(sorted(order) == list(range(5)) for order in orders)
    assert len(set(orders)) > 20


@pytest.mark.parametrize("count", [2, 3, 7])
def test_that_no_cell_is_first_in_both_rounds_of_a_pair(count: int) -> None:
    for seed in range(50):
        one, two, three, four = (order_of_round(range(count), seed, number)[0] for number in range(1, 5))
        assert one != two
        assert three != four


def test_that_each_place_comes_to_each_cell_equally_often() -> None:
    orders = [order_of_round(range(4), 1, number) for number in range(1, 2001)]
    for place in range(4):
        counts = Counter(order[place] for order in orders)
        assert all(abs(counts[cell] - 500) < 100 for cell in range(4))  # 5 standard deviations


# ---- Until the medians are stable ----


STABLE = StopRule(seconds=2.0, stable_percent=1.0)


def test_that_stable_medians_end_the_rounds_after_the_tenth() -> None:
    engine = Engine(plan=plan_of(2, rounds=30, rule=STABLE))
    engine.run()
    assert engine.numbers(0) == engine.numbers(1) == list(range(1, MIN_STABLE_ROUNDS + 1))
    assert engine.outcomes == [Outcome.FINISHED] * 2
    assert engine.experiment.facts(1).ending is Ending.STABLE
    assert engine.experiment.part(0).planned_rounds == 30
    assert engine.experiment.notes == ("All medians were stable after 10 of 30 rounds.",)


def test_that_one_noisy_cell_keeps_all_going() -> None:
    engine = Engine(plan=plan_of(2, rounds=14, rule=STABLE), noisy=frozenset({1}))
    engine.run()
    assert engine.numbers(0) == list(range(1, 15))
    assert engine.experiment.facts(0).ending is Ending.SECONDS


def test_that_a_noisy_cell_that_failed_keeps_none_going() -> None:
    trouble = Trouble(kind=Measure, cell=1, failure=BROKEN, number=3)
    engine = Engine(plan=plan_of(2, rounds=14, rule=STABLE), noisy=frozenset({1}), troubles=(trouble,))
    engine.run()
    assert engine.numbers(0) == list(range(1, 11))
    assert engine.outcomes == [Outcome.FINISHED, Outcome.FAILED]


# ---- Cells that fail ----


def test_that_a_cell_that_cannot_be_opened_fails_alone() -> None:
    engine = Engine(plan=plan_of(3), troubles=(Trouble(kind=Open, cell=1, failure=BROKEN),))
    actions = engine.run()
    assert words(actions[:3]) == "o0 o1 o2"
    assert set(measured_cells(actions)) == {0, 2}
    assert engine.outcomes == [Outcome.FINISHED, Outcome.FAILED, Outcome.FINISHED]
    assert engine.experiment.failure(1) is BROKEN
    assert engine.experiment.is_final(1)


def test_that_a_cell_that_fails_in_a_round_is_closed_unchecked_and_keeps_what_it_had() -> None:
    trouble = Trouble(kind=Measure, cell=1, failure=BROKEN, number=3, partial=2)
    engine = Engine(plan=plan_of(3), troubles=(trouble,))
    finality: list[bool] = []
    engine.before = lambda action, _number: finality.append(
        isinstance(action, Close) and action.cell == 1 and not engine.experiment.is_final(1)
    )
    actions = engine.run()
    failed_at = [index for index, action in enumerate(actions) if action == Close(cell=1, check=False)]
    assert len(failed_at) == 1
    assert actions[failed_at[0] - 1].cell == 1  # at once
    assert finality[failed_at[0]]  # what its closing tells is still to come
    assert engine.experiment.is_final(1)
    part = engine.experiment.part(1)
    assert [(entry.number, entry.sample_count) for entry in part.rounds] == [(1, RUNS), (2, RUNS), (3, 2)]
    assert part.rounds[-1].began_ns == 50_000 - 2000
    facts = engine.experiment.facts(1)
    assert (facts.sample_count, facts.measured_ns) == (2 * RUNS + 2, (2 * RUNS + 2) * 1000)
    assert facts.ending is None
    assert facts.stage is Stage.MEASURING  # there it failed, and was closed since
    assert engine.numbers(0) == engine.numbers(2) == [1, 2, 3, 4]


def test_that_failing_to_close_a_failed_cell_leaves_its_first_failure() -> None:
    troubles = (
        Trouble(kind=Measure, cell=0, failure=BROKEN),
        Trouble(kind=Close, cell=0, failure=replace(BROKEN, message="Another.")),
    )
    engine = Engine(plan=plan_of(2), troubles=troubles)
    engine.run()
    assert engine.experiment.failure(0) is BROKEN
    assert engine.outcomes == [Outcome.FAILED, Outcome.FINISHED]


def test_that_it_ends_when_all_have_failed() -> None:
    troubles = tuple(Trouble(kind=Open, cell=index, failure=BROKEN) for index in range(3))
    engine = Engine(plan=plan_of(3), troubles=troubles)
    assert words(engine.run()) == "o0 o1 o2"
    assert engine.experiment.phase is Phase.ENDED
    assert not engine.experiment.can_resume


# ---- Engines that die ----


def test_that_a_death_in_a_round_blames_its_cell_and_the_others_go_on_where_they_were() -> None:
    trouble = Trouble(kind=Measure, cell=1, failure=DIED, number=2, engine_lost=True, partial=3)
    engine = Engine(plan=plan_of(3, rounds=3), troubles=(trouble,))
    actions = engine.run()
    dead_at = [index for index, action in enumerate(actions) if action.cell == 1][-1]
    assert isinstance(actions[dead_at], Measure)  # never asked again, not even to be closed
    assert words(actions[dead_at + 1 : dead_at + 3]) == "o0 o2"
    assert engine.outcomes == [Outcome.FINISHED, Outcome.FAILED, Outcome.FINISHED]
    assert engine.numbers(0) == engine.numbers(2) == [1, 2, 3]  # each round once, whoever was before the dead one
    assert engine.numbers(1) == [1, 2]
    assert words(actions).count("C") == 2
    facts = engine.experiment.facts(0)
    assert facts.sample_count == 3 * RUNS
    lead_ins = sum(1 for action in actions[:dead_at] if action == Measure(cell=0, limits=RoundLimits(iterations=7)))
    assert facts.warmup_runs == 10 + lead_ins + 10  # of both sessions


def test_that_a_death_while_opening_opens_the_others_again() -> None:
    trouble = Trouble(kind=Open, cell=1, failure=DIED, engine_lost=True)
    engine = Engine(plan=plan_of(3, rounds=1), troubles=(trouble,))
    assert words(engine.run()[:4]) == "o0 o1 o0 o2"
    assert engine.outcomes == [Outcome.FINISHED, Outcome.FAILED, Outcome.FINISHED]


def test_that_a_death_while_closing_lets_the_others_be_checked_in_another_session() -> None:
    trouble = Trouble(kind=Close, cell=1, failure=DIED, engine_lost=True)
    engine = Engine(plan=plan_of(4, rounds=1), troubles=(trouble,))
    actions = engine.run()
    assert words(actions[-6:]) == "C0 C1 o2 C2 o3 C3"
    assert engine.outcomes == [Outcome.FINISHED, Outcome.FAILED, Outcome.FINISHED, Outcome.FINISHED]
    assert engine.experiment.facts(3).sample_count == RUNS


def test_that_nothing_is_opened_again_for_a_check_that_is_switched_off() -> None:
    trouble = Trouble(kind=Close, cell=0, failure=DIED, engine_lost=True)
    engine = Engine(plan=plan_of(3, rounds=1, check=False), troubles=(trouble,))
    assert words(engine.run()[-1:]) == "C0"
    assert engine.outcomes == [Outcome.FAILED, Outcome.FINISHED, Outcome.FINISHED]


def test_that_an_engine_that_ended_before_is_none_of_the_cells_fault() -> None:
    trouble = Trouble(kind=Measure, cell=0, failure=UNAVAILABLE, engine_lost=True)
    engine = Engine(plan=plan_of(2, rounds=2), troubles=(trouble,))
    actions = engine.run()
    assert words(actions).count("o") == 4
    assert engine.outcomes == [Outcome.FINISHED] * 2
    assert engine.numbers(0) == [1, 2]


def test_that_a_cell_for_which_no_engine_lives_is_given_up() -> None:
    troubles = tuple(
        Trouble(kind=Open, cell=0, failure=UNAVAILABLE, number=number, engine_lost=True) for number in range(1, 5)
    )
    engine = Engine(plan=plan_of(2, rounds=2), troubles=troubles)
    assert words(engine.run()[:5]) == "o0 o0 o0 o0 o1"
    assert engine.outcomes == [Outcome.FAILED, Outcome.FINISHED]


def test_that_an_engine_lost_between_two_actions_opens_all_again() -> None:
    engine = Engine(plan=plan_of(2, rounds=2))
    engine.run(3)
    engine.open.clear()
    engine.experiment.engine_lost()
    actions = engine.run()
    assert words(actions[:2]) == "o0 o1"
    assert engine.outcomes == [Outcome.FINISHED] * 2
    assert engine.numbers(0) == engine.numbers(1) == [1, 2]


# ---- Memory ----


def room_for(sessions: int) -> Callable[[int], int]:
    return lambda opened: (sessions - opened) * SESSION_BYTES + SESSION_BYTES // 4


@pytest.mark.parametrize("sessions", [0, 1, 2])
def test_that_sessions_are_made_anew_where_memory_does_not_hold_them(sessions: int) -> None:
    engine = Engine(plan=plan_of(3, rounds=2), free=room_for(sessions))
    most: list[int] = []
    engine.before = lambda _action, _number: most.append(len(engine.open))
    actions = engine.run()
    begin = sessions * 2  # opened, then closed again
    assert words(actions[:begin]) == " ".join([f"o{i}" for i in range(sessions)] + [f"c{i}" for i in range(sessions)])
    for index in range(begin, len(actions), 3):
        opened, measured, closed = actions[index : index + 3]
        assert isinstance(opened, Open)
        assert isinstance(measured, Measure)
        assert closed == Close(cell=opened.cell, check=index >= begin + 9)  # the outputs are checked in the last round
    assert max(most) == max(1, sessions)
    assert engine.outcomes == [Outcome.FINISHED] * 3
    assert all(engine.experiment.part(cell).is_made_anew for cell in range(3))
    assert len(engine.experiment.notes) == 1
    assert engine.numbers(1) == [1, 2]


def test_that_enough_memory_leaves_all_sessions_open() -> None:
    engine = Engine(plan=plan_of(3, rounds=2), free=room_for(3))
    assert words(engine.run()[:3]) == "o0 o1 o2"
    assert not engine.experiment.part(0).is_made_anew


def test_that_one_cell_alone_is_opened_however_little_memory_there_is() -> None:
    engine = Engine(plan=plan_of(1, rounds=2), free=room_for(0))
    assert words(engine.run()) == "o0 m0 m0 C0"


def test_that_a_session_refused_for_want_of_memory_is_tried_again_when_the_others_are_closed() -> None:
    engine = Engine(plan=plan_of(3, rounds=1), troubles=(Trouble(kind=Open, cell=2, failure=NO_MEMORY),))
    actions = engine.run()
    assert words(actions[:5]) == "o0 o1 o2 c0 c1"
    assert engine.outcomes == [Outcome.FINISHED] * 3


def test_that_a_session_too_large_for_the_whole_memory_fails() -> None:
    troubles = tuple(Trouble(kind=Open, cell=1, failure=NO_MEMORY, number=number) for number in (1, 2))
    engine = Engine(plan=plan_of(2, rounds=2), troubles=troubles)
    engine.run()
    assert engine.outcomes == [Outcome.FINISHED, Outcome.FAILED]


def test_that_stable_medians_of_sessions_made_anew_are_checked_at_the_end() -> None:
    engine = Engine(plan=plan_of(2, rounds=30, rule=STABLE), free=room_for(0))
    actions = engine.run()
    assert words(actions[-4:]) == "o0 C0 o1 C1"
    assert engine.outcomes == [Outcome.FINISHED] * 2
    assert engine.numbers(0) == list(range(1, 11))


def test_that_a_death_among_sessions_made_anew_costs_the_others_nothing() -> None:
    trouble = Trouble(kind=Measure, cell=0, failure=DIED, engine_lost=True)
    engine = Engine(plan=plan_of(3, rounds=2), free=room_for(0), troubles=(trouble,))
    engine.run()
    assert engine.outcomes == [Outcome.FAILED, Outcome.FINISHED, Outcome.FINISHED]
    assert (engine.counts[Open, 1], engine.counts[Open, 2]) == (2, 2)


# ---- Stopping, resuming, repeating ----


def stop_after(engine: Engine, number: int) -> list[Action]:
    """Run, and ask for the end while the action of this number is under way."""
    engine.before = lambda _action, at: engine.experiment.request_stop() if at == number else None
    return engine.run()


@pytest.mark.parametrize(("number", "still_open"), [(1, "c0"), (2, "c0 c1"), (3, "c0 c1 c2"), (8, "c0 c1 c2")])
def test_that_a_stop_closes_all_unchecked_after_the_action_under_way(number: int, still_open: str) -> None:
    engine = Engine(plan=plan_of(3))
    actions = stop_after(engine, number)
    assert words(actions[number:]) == still_open
    assert engine.outcomes == [Outcome.STOPPED] * 3
    assert engine.experiment.phase is Phase.ENDED
    assert engine.experiment.can_resume
    assert not engine.experiment.is_stopping
    assert engine.experiment.facts(0).ending is Ending.STOPPED
    assert engine.experiment.facts(0).stage is (Stage.MEASURING if number == 8 else Stage.WARMING_UP)
    assert all(engine.experiment.is_final(cell) for cell in range(3))


def test_that_cells_with_all_their_rounds_are_finished_when_the_closing_is_stopped() -> None:
    engine = Engine(plan=plan_of(2, rounds=1))
    actions = stop_after(engine, 5)
    assert words(actions[4:]) == "C0 c1"
    assert engine.outcomes == [Outcome.FINISHED] * 2
    assert not engine.experiment.can_resume


def test_that_a_resumed_comparison_measures_what_is_missing_under_the_same_ids() -> None:
    whole = Engine(plan=plan_of(3, rounds=4, seed=5))
    expected = measured_cells(whole.run())
    engine = Engine(plan=plan_of(3, rounds=4, seed=5))
    actions = stop_after(engine, 3 + 5)  # in the second round
    ids = [engine.experiment.trial_id(cell) for cell in range(3)]
    engine.experiment.resume()
    later = engine.run()
    assert words(later[:3]) == "o0 o1 o2"
    assert measured_cells(actions) + measured_cells(later) == expected  # the order goes on, too
    assert [engine.experiment.trial_id(cell) for cell in range(3)] == ids
    assert engine.outcomes == [Outcome.FINISHED] * 3
    assert all(engine.numbers(cell) == [1, 2, 3, 4] for cell in range(3))
    assert engine.experiment.facts(0).sample_count == 4 * RUNS


def test_that_a_round_cut_short_is_measured_on_and_stays_one_round() -> None:
    engine = Engine(plan=plan_of(1, rounds=2))
    engine.run(2)
    assert isinstance(engine.experiment.next_action(), Measure)
    engine.experiment.request_stop()
    engine.experiment.measured(Engine.round_facts(stopped=True, count=2), seconds=1.0)
    assert words(engine.run()) == "c0"
    assert engine.outcomes == [Outcome.STOPPED]
    engine.experiment.resume()
    assert words(engine.run()) == "o0 m0 C0"
    rounds = engine.experiment.part(0).rounds
    assert [(entry.number, entry.sample_count, entry.measured_ns) for entry in rounds] == [
        (1, RUNS, RUNS * 1000),
        (2, RUNS + 2, (RUNS + 2) * 1000),
    ]


def test_that_an_engine_killed_on_purpose_stops_all() -> None:
    trouble = Trouble(kind=Measure, cell=1, failure=KILLED, number=2, engine_lost=True, partial=1)
    engine = Engine(plan=plan_of(3), troubles=(trouble,))
    actions = engine.run()
    assert isinstance(actions[-1], Measure)  # there is nothing left to be closed
    assert engine.outcomes == [Outcome.STOPPED] * 3
    assert engine.experiment.failure(1) is KILLED
    assert engine.experiment.failure(0) is None
    engine.experiment.resume()
    assert engine.experiment.failure(1) is None
    engine.run()
    assert engine.outcomes == [Outcome.FINISHED] * 3


def test_that_an_opening_that_was_stopped_has_not_failed() -> None:
    trouble = Trouble(kind=Open, cell=1, failure=KILLED)
    engine = Engine(plan=plan_of(2), troubles=(trouble,))
    assert words(engine.run()) == "o0 o1 c0"
    assert engine.outcomes == [Outcome.STOPPED] * 2
    assert engine.experiment.failure(1) is None


def test_that_failed_and_finished_cells_are_not_resumed() -> None:
    engine = Engine(plan=plan_of(3, rounds=2), troubles=(Trouble(kind=Open, cell=1, failure=BROKEN),))
    stop_after(engine, 4)
    engine.experiment.resume()
    assert {action.cell for action in engine.run()} == {0, 2}
    assert engine.outcomes == [Outcome.FINISHED, Outcome.FAILED, Outcome.FINISHED]


def test_that_only_what_was_stopped_can_be_resumed() -> None:
    engine = Engine(plan=plan_of(2))
    engine.experiment.resume()
    engine.run()
    assert not engine.experiment.can_resume
    engine.experiment.resume()
    assert engine.experiment.next_action() is None


def test_that_a_repeated_cell_is_another_trial_measured_alone() -> None:
    engine = Engine(plan=plan_of(3, rounds=2))
    engine.run()
    before = [engine.experiment.trial_id(cell) for cell in range(3)]
    engine.experiment.repeat(1)
    assert engine.experiment.outcome(1) is Outcome.RUNNING
    assert engine.experiment.facts(1).sample_count == 0
    assert words(engine.run()) == "o1 m1 m1 C1"
    after = [engine.experiment.trial_id(cell) for cell in range(3)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]
    assert [engine.experiment.part(cell).is_alone for cell in range(3)] == [False, True, False]
    assert engine.outcomes == [Outcome.FINISHED] * 3


def test_that_a_cell_repeated_after_want_of_memory_keeps_its_session() -> None:
    engine = Engine(plan=plan_of(3, rounds=2), free=room_for(0))
    engine.run()
    engine.experiment.repeat(1)
    assert words(engine.run()) == "o1 m1 m1 C1"
    assert not engine.experiment.part(1).is_made_anew


def test_that_the_only_cell_that_may_succeed_is_not_alone_when_repeated() -> None:
    engine = Engine(plan=plan_of(2, rounds=2), troubles=(Trouble(kind=Open, cell=1, failure=BROKEN),))
    engine.run()
    engine.experiment.repeat(0)
    engine.run()
    assert not engine.experiment.part(0).is_alone


def test_that_nothing_is_repeated_while_it_runs() -> None:
    engine = Engine(plan=plan_of(2, rounds=2))
    engine.run(3)
    before = engine.experiment.trial_id(0)
    engine.experiment.repeat(0)
    assert engine.experiment.trial_id(0) == before


# ---- How long it takes ----


def test_that_the_time_left_goes_down_to_nothing_but_the_closing() -> None:
    engine = Engine(plan=plan_of(2, rounds=4))
    left: list[float | None] = []
    engine.before = lambda _action, _number: left.append(engine.experiment.seconds_left)
    engine.run()
    assert left == [None, None, None, 21.0, 18.0, 15.0, 12.0, 9.0, 6.0, 3.0, 0.0, 1.0]
    assert engine.experiment.seconds_left is None


def test_that_sessions_made_anew_are_part_of_the_time_left() -> None:
    engine = Engine(plan=plan_of(2, rounds=4), free=room_for(0))
    engine.run(6)  # the first round
    assert engine.experiment.seconds_left == 2 * 3 * (2.0 + 3.0 + 1.0)


def known_facts(run_ms: float = 10.0) -> TrialFacts:
    return TrialFacts(
        session_creation_ns=2 * 10**9, first_run_ns=10**9, sample_count=100, measured_ns=int(100 * run_ms * 1e6)
    )


def test_that_the_estimate_adds_rounds_sessions_and_warm_up() -> None:
    plan = plan_of(2, rounds=10, rule=StopRule(seconds=4.0))
    rounds = 2 * 10 * (REST_S + 0.4 + 0.02)
    seconds, is_lower_bound = estimate_seconds(plan, {})
    assert seconds == pytest.approx(rounds)
    assert is_lower_bound
    seconds, is_lower_bound = estimate_seconds(plan, {0: known_facts(), 1: known_facts()})
    assert seconds == pytest.approx(rounds + 2 * (2.0 + 1.0 + 10 * 0.010))
    assert not is_lower_bound


def test_that_the_estimate_counts_one_run_and_one_of_lead_in_at_least() -> None:
    plan = plan_of(1, rounds=10, rule=StopRule(seconds=1.0))
    seconds, _ = estimate_seconds(plan, {0: known_facts(run_ms=500.0)})
    assert seconds == pytest.approx(10 * (0.5 + 0.5) + 3.0 + 10 * 0.5)


def test_that_iterations_of_an_unknown_duration_make_the_estimate_a_lower_bound() -> None:
    plan = plan_of(2, rounds=10, rule=StopRule(iterations=100))
    seconds, is_lower_bound = estimate_seconds(plan, {0: known_facts(), 1: None})
    assert seconds == pytest.approx(2 * 10 * REST_S + 10 * (10 + 1) * 0.010 + 3.0 + 10 * 0.010)
    assert is_lower_bound


# ---- The facts of several sessions ----


def test_that_the_first_session_tells_the_creation_and_all_of_them_the_costs() -> None:
    first = TrialFacts(
        session_creation_ns=5,
        first_run_ns=3,
        warmup_runs=10,
        target_devices=("a",),
        notes=("One.",),
        costs=TrialCosts(memory_before_bytes=1, memory_created_bytes=9, memory_peak_bytes=20, cpu_ns=4, cpu_wall_ns=5),
    )
    second = TrialFacts(
        stage=Stage.CLOSING,
        session_creation_ns=1,
        first_run_ns=1,
        warmup_runs=12,
        notes=("One.", "Two."),
        check=OutputCheck(agreement=Agreement.IDENTICAL),
        costs=TrialCosts(memory_before_bytes=7, memory_created_bytes=8, memory_peak_bytes=19, cpu_ns=2, cpu_wall_ns=3),
    )
    both = merged_facts(first, second)
    assert (both.session_creation_ns, both.first_run_ns, both.warmup_runs) == (5, 3, 22)
    assert (both.target_devices, both.notes, both.stage) == (("a",), ("One.", "Two."), Stage.CLOSING)
    assert both.check is second.check
    assert both.costs == TrialCosts(
        memory_before_bytes=1, memory_created_bytes=9, memory_peak_bytes=20, cpu_ns=6, cpu_wall_ns=8
    )
    assert merged_facts(second, replace(first, check=None)).check is second.check
    unchecked = replace(first, check=OutputCheck(agreement=Agreement.NOT_CHECKED))
    assert merged_facts(second, unchecked).check is second.check


def test_that_the_processor_time_is_not_told_where_a_part_of_it_is_lost() -> None:
    trouble = Trouble(kind=Measure, cell=1, failure=DIED, number=2, engine_lost=True)
    engine = Engine(plan=plan_of(2, rounds=2), troubles=(trouble,))
    engine.run()
    costs = engine.experiment.facts(0).costs
    assert costs is not None
    assert costs.memory_created_bytes == 1000 + SESSION_BYTES
    assert costs.cpu_ns is None


def test_that_what_is_told_on_the_way_is_known_when_the_cell_dies() -> None:
    engine = Engine(plan=plan_of(1))
    engine.experiment.next_action()
    engine.experiment.told(TrialFacts(stage=Stage.CREATING_SESSION, target_devices=("a",)))
    assert engine.experiment.facts(0).stage is Stage.CREATING_SESSION
    engine.experiment.failed(DIED, engine_lost=True)
    assert engine.experiment.facts(0).target_devices == ("a",)


# ---- What the system tells ----


def test_that_available_memory_is_read_where_the_system_has_it(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16000 kB\nMemAvailable:    1234 kB\n", encoding="ascii")
    assert available_bytes(meminfo) == 1234 * 1024


def test_that_psutil_tells_the_memory_where_proc_does_not(tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    told = available_bytes(tmp_path / "nothing")
    assert told is not None
    assert 0 < told <= psutil.virtual_memory().total


def test_that_a_file_that_is_not_there_has_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"12345")
    assert file_bytes(str(tmp_path / "model")) == 5
    assert file_bytes(str(tmp_path / "gone")) == 0
