"""Comparisons for the tests of table, charts and panel: trials with real series, measured by turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gui.comparison_run import ComparisonRun, Phase
from gui.records.check import Agreement, OutputCheck, OutputDifference
from gui.records.comparison import ComparisonCell, ComparisonPart, ComparisonPlan, Round
from gui.records.failure import Failure, FailureKind
from gui.records.placement import Placement
from gui.records.protocol import Greeting
from gui.records.result import Outcome
from gui.records.samples import Nanoseconds
from gui.records.trial import DimensionSize, Stage, StopRule, Target, TrialFacts, TrialSettings
from gui.trial_run import TrialRun

CPU: Final = "CPUExecutionProvider"
BEGAN_NS: Final = 1_790_000_000_000_000_000
DIED: Final = Failure(
    kind=FailureKind.DIED, message="The engine ended while it created the session.", hint="Try another driver."
)
ID: Final = "0b5ab1a4-3f7b-4c9e-9d0e-2f4f8a6f0c11"
CREATED: Final = "2026-11-25T10:00:00Z"


def samples_of(median_ns: float, count: int, seed: int, *, spread: float = 0.04) -> Nanoseconds:
    """Latencies with the tail to the slow side that real ones have."""
    drawn = np.random.default_rng(seed).lognormal(0.0, spread, count)
    return (median_ns * drawn).astype(np.int64)


def settings_of(batch: int | None = None, device: str = "cpu") -> TrialSettings:
    """Settings of `/models/net.onnx`."""
    dimensions = () if batch is None else (DimensionSize(name="batch", size=batch),)
    return TrialSettings(
        model_path="/models/net.onnx",
        target=Target(device_keys=(device,)),
        dimensions=dimensions,
        stop_rule=StopRule(seconds=3.0),
    )


def on(ep_name: str, *, ran: str | None = None, **fields: Any) -> TrialFacts:
    """Facts of a session for `ep_name`, all of whose twelve nodes `ran` took (that EP, where nothing is said)."""
    placement = (Placement(ep_name=ran or ep_name, node_count=12),)
    fields.setdefault("stage", Stage.CLOSING)
    return TrialFacts(placement=placement, wanted_eps=(ep_name,), session_creation_ns=1, **fields)


def checked(agreement: Agreement) -> OutputCheck:
    """A comparison of the outputs that came out so."""
    output = OutputDifference(name="y", type="float", agreement=agreement, element_count=10, max_absolute=0.5)
    return OutputCheck(agreement=agreement, outputs=(output,), reference="ORT's CPU EP on the same inputs.")


def cell(
    number: int,
    label: str,
    median_ns: float | None,
    *,
    count: int = 3,
    rounds: int = 20,
    a_round: int = 12,
    period_ns: int = 2_000_000_000,
    batch: int | None = None,
    environment: Greeting | None = None,
    is_baseline: bool | None = None,
    **fields: Any,
) -> TrialRun:
    """The trial of a cell among `count`, measured by turns in so many rounds; without a median it has no samples."""
    ep_name = label.partition(",")[0]
    facts = fields.pop("facts", on(ep_name))
    run = TrialRun(
        number=number + 1,
        settings=settings_of(batch, ep_name),
        model_name="net",
        target_text=fields.pop("target_text", ep_name),
        devices=(),
        facts=facts,
        outcome=fields.pop("outcome", Outcome.FINISHED),
        environment=environment,
        created=CREATED,
        **fields,
    )
    planned = max(rounds, 20)
    run.comparison = part_of(number, label, count, planned, (), is_baseline=is_baseline)
    if median_ns is not None:
        add_rounds(run, rounds, median_ns, a_round=a_round, period_ns=period_ns)
    if not run.is_running:
        run.exact = run.exact_statistics()
    return run


def part_of(
    number: int,
    label: str,
    count: int,
    planned: int,
    rounds: tuple[Round, ...],
    *,
    is_baseline: bool | None = None,
) -> ComparisonPart:
    """What a trial is part of."""
    return ComparisonPart(
        id=ID,
        created=CREATED,
        label=label,
        cell=number,
        cell_count=count,
        is_baseline=number == 0 if is_baseline is None else is_baseline,
        planned_rounds=planned,
        rounds=rounds,
    )


def add_rounds(
    run: TrialRun, rounds: int, median_ns: float, *, a_round: int = 12, period_ns: int = 2_000_000_000
) -> None:
    """Let a trial be measured in more rounds: each cell has its turn in a round of `period_ns`."""
    part = run.comparison
    assert part is not None
    told = list(part.rounds)
    for _ in range(rounds):
        number = len(told) + 1
        drift = 1 + 0.03 * np.sin(number / 3)
        taken = samples_of(median_ns * drift, a_round, seed=1000 * part.cell + number)
        run.series.append(taken)
        measured = int(taken.sum())
        run.elapsed_ns += measured
        began = BEGAN_NS + (number - 1) * period_ns + part.cell * period_ns // part.cell_count
        told.append(
            Round(
                number=number,
                position=part.cell + 1,
                began_ns=began,
                sample_count=a_round,
                measured_ns=measured,
            )
        )
    run.comparison = part_of(
        part.cell,
        part.label,
        part.cell_count,
        part.planned_rounds,
        tuple(told),
        is_baseline=part.is_baseline,
    )


def plan_of(runs: Sequence[TrialRun], rounds: int = 20) -> ComparisonPlan:
    """The plan that these trials follow."""
    cells = tuple(
        ComparisonCell(
            label=run.comparison.label if run.comparison is not None else run.target_text,
            target_text=run.target_text,
            settings=run.settings,
        )
        for run in runs
    )
    return ComparisonPlan(id=ID, created=CREATED, cells=cells, rounds=rounds)


def comparison_of(*runs: TrialRun, **fields: Any) -> ComparisonRun:
    """A comparison of these trials; `phase`, `round`, `current` and others may be given."""
    fields.setdefault("plan", plan_of(runs))
    return ComparisonRun(id=ID, runs=runs, **fields)


def two_rows() -> ComparisonRun:
    """The CPU, and ggml 1.3 times as fast."""
    return comparison_of(
        cell(0, CPU, 2_600_000, count=2, facts=on(CPU, check=checked(Agreement.IDENTICAL))),
        cell(1, "ggml", 2_000_000, count=2, facts=on("ggml", check=checked(Agreement.WITHIN))),
    )


def sweep() -> ComparisonRun:
    """Two targets, four sizes each."""
    runs = []
    for number, (name, base, cost) in enumerate(((CPU, 200_000, 1_900_000), ("ggml", 900_000, 800_000))):
        for place, batch in enumerate((1, 2, 4, 8, 16)):
            place_of = 5 * number + place
            label = f"{name}, batch {batch}"
            fields: dict[str, Any] = {"batch": batch, "target_text": name, "is_baseline": not number}
            run = cell(place_of, label, base + cost * batch, count=10, **fields)
            runs.append(run)
    return comparison_of(*runs)


def running(rounds: int = 6) -> ComparisonRun:
    """Three targets in the middle of their rounds; the second is being measured."""
    runs = [
        cell(number, label, median, rounds=rounds, outcome=Outcome.RUNNING, facts=on(label, stage=Stage.MEASURING))
        for number, (label, median) in enumerate(((CPU, 2_600_000), ("ggml", 2_000_000), ("webgpu", 2_590_000)))
    ]
    return comparison_of(*runs, phase=Phase.MEASURING, round=rounds + 1, current=1, seconds_left=11.6)
