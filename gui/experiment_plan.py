"""The actions of a comparison, the order of the cells in each round, and how long it will take."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .experiment_cell import CellProgress
from .records.comparison import ComparisonPlan, RoundLimits, round_limits
from .records.trial import TrialFacts

_REST_S: Final = 0.06
"""What the engine waits before a round, until the session before it rests: measured with two threads a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Open a session for a cell: `Op.OPEN_SESSION`."""

    cell: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Measure a cell that is open for one round: `Op.MEASURE_ROUND`."""

    cell: int
    limits: RoundLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close the session of a cell: `Op.CLOSE_SESSION`."""

    cell: int
    check: bool


Action = Open | Measure | Close


def order_of_round(cells: Sequence[int], seed: int, number: int) -> tuple[int, ...]:
    """Return the order in which these cells are measured in a round, counted from 1: drawn by the seed.

    Of two rounds, the first with the second, the third with the fourth and so on, none begins as the other.
    """
    drawn = random.Random(f"{seed}, round {number}")  # noqa: S311 nothing secret
    order = list(cells)
    drawn.shuffle(order)
    if number % 2 == 0 and len(cells) > 1:
        before = order_of_round(cells, seed, number - 1)
        while order[0] == before[0]:
            drawn.shuffle(order)
    return tuple(order)


def estimate_seconds(plan: ComparisonPlan, known: Mapping[int, TrialFacts | None]) -> tuple[float, bool]:
    """Return how long a comparison will take at least or about, in seconds, and whether it may well take longer.

    `known` are earlier trials of the cells: of them come the time to create a session, and that of a run.
    """
    rest_s = _REST_S if len(plan.cells) > 1 else 0.0
    total, is_lower_bound = 0.0, False
    for index, cell in enumerate(plan.cells):
        facts = known.get(index)
        limits = round_limits(cell.settings.stop_rule, plan.rounds)
        run_s = 0.0
        if facts is not None and facts.sample_count:
            run_s = facts.measured_ns / facts.sample_count / 1e9
        if facts is None or not run_s or facts.session_creation_ns is None:
            is_lower_bound = True
        measuring_s = limits.seconds if limits.seconds is not None else (limits.iterations or 1) * run_s
        total += plan.rounds * (rest_s + max(limits.lead_in_s, run_s) + max(measuring_s, run_s))
        if facts is not None:
            total += ((facts.session_creation_ns or 0) + (facts.first_run_ns or 0)) / 1e9
        total += cell.settings.warmup * run_s
    return total, is_lower_bound


def seconds_to_go(cells: Sequence[CellProgress], last_round: int, *, is_made_anew: bool) -> float | None:
    """Return how long the living cells will still take by what all took so far; None before a round was measured.

    What is not known of a cell yet is taken to be as with the others.
    """
    rounds = _means([cell.measuring.mean_s for cell in cells])
    if rounds is None:
        return None
    openings = _means([cell.opening.mean_s for cell in cells]) or [0.0] * len(cells)
    closings = _means([cell.closing.mean_s for cell in cells]) or [0.0] * len(cells)
    left = 0.0
    for cell, round_s, opening_s, closing_s in zip(cells, rounds, openings, closings, strict=True):
        if cell.is_living:
            to_go = max(0, last_round - cell.done)
            sessions = to_go if is_made_anew else 1
            left += to_go * round_s + sessions * closing_s + max(0, sessions - cell.is_open) * opening_s
    return left


def _means(known: Sequence[float | None]) -> list[float] | None:
    """Return the numbers, and where one is missing the mean of the others; None when all are missing."""
    there = [value for value in known if value is not None]
    if not there:
        return None
    mean = sum(there) / len(there)
    return [mean if value is None else value for value in known]
