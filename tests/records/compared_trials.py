"""Trials measured by turns, for the tests of what is made of comparisons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gui.records.check import Agreement, OutputCheck
from gui.records.comparison import ComparisonPart, Round
from gui.records.failure import Failure, FailureKind
from gui.records.kept_trial import KeptTrial
from gui.records.placement import Placement
from gui.records.result import Outcome
from gui.records.statistics import summarize
from gui.records.trial import DimensionSize, Stage, StopRule, Target, TrialFacts, TrialSettings

from .examples import GREETING

COMPARISON_ID = "0b5ab1a4-3f7b-4c9e-9d0e-2f4f8a6f0c11"
CREATED = "2026-02-03T10:00:00.000+00:00"
ROUNDS, EACH = 20, 50
DIED = Failure(kind=FailureKind.DIED, message="The engine died: signal 11.", hint="Ask its makers.", detail="boom `x`")


def row(label: str, cell: int, median_ns: int, *, batch: int | None = None, **changes: Any) -> KeptTrial:
    """A trial with 50 samples around a median in each of 20 rounds, on an EP of that name."""
    drawn = np.random.default_rng(cell).lognormal(0.0, 0.05, ROUNDS * EACH)
    samples = (median_ns * drawn).astype(np.int64)
    measured_ns = int(samples.sum())
    rounds = tuple(
        Round(
            number=number,
            position=1 + (cell + number) % 3,
            began_ns=number,
            sample_count=EACH,
            measured_ns=measured_ns // ROUNDS,
        )
        for number in range(1, ROUNDS + 1)
    )
    dimensions = () if batch is None else (DimensionSize(name="batch", size=batch),)
    kept = KeptTrial(
        id=f"00000000-0000-4000-8000-00000000000{cell}",
        created=CREATED,
        settings=TrialSettings(
            model_path="/models/net.onnx",
            target=Target(device_keys=(label,)),
            dimensions=dimensions,
            stop_rule=StopRule(seconds=3.0),
        ),
        outcome=Outcome.FINISHED,
        facts=TrialFacts(
            stage=Stage.CLOSING,
            wanted_eps=(label,),
            placement=(Placement(ep_name=label, node_count=4),),
            dimensions=dimensions,
            session_creation_ns=5_000_000,
            first_run_ns=2_000_000,
            measured_ns=measured_ns,
            sample_count=len(samples),
            check=OutputCheck(agreement=Agreement.WITHIN),
        ),
        statistics=summarize(samples, measured_ns),
        samples=samples,
        elapsed_ns=measured_ns,
        environment=GREETING,
        target_text=f"{label} (CPU Some)",
        comparison=ComparisonPart(
            id=COMPARISON_ID,
            created=CREATED,
            label=label if batch is None else f"{label}, batch {batch}",
            cell=cell,
            cell_count=3,
            is_baseline=cell == 0,
            planned_rounds=ROUNDS,
            rounds=rounds,
        ),
    )
    return replace(kept, **changes)


def dead(label: str, cell: int) -> KeptTrial:
    """A trial that ended its engine while its session was created."""
    alive = row(label, cell, 1000)
    assert alive.comparison is not None
    return replace(
        alive,
        outcome=Outcome.FAILED,
        failure=DIED,
        facts=TrialFacts(stage=Stage.CREATING_SESSION),
        statistics=None,
        samples=alive.samples[:0],
        elapsed_ns=0,
        comparison=replace(alive.comparison, rounds=()),
    )


THREE = (row("CPU", 0, 2_000_000), row("ggml", 1, 1_000_000), dead("NPU", 2))
