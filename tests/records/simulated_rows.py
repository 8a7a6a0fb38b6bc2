"""Rows of comparisons whose samples are drawn, with what is to be found in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gui.records.check import Agreement, OutputCheck
from gui.records.compared import Compared
from gui.records.comparison import ComparisonPart, Round
from gui.records.comparison_answer import Answer, Ratio, answer_of
from gui.records.failure import Failure, FailureKind
from gui.records.placement import Placement
from gui.records.result import Outcome
from gui.records.trial import DimensionSize, Target, TrialFacts, TrialSettings

Values = npt.NDArray[np.float64]

MS = 1_000_000
ROUNDS = 20
CPU = "CPUExecutionProvider"
NAMES = (("CPU", 10_000), ("ggml", 20_000))
"""Labels of two rows, and what tells their seeds apart."""
COMPARISON = "7d1a3a52-6f7a-4a3b-9c1d-2f0a6b8f4e21"


def placed(**counts: int) -> tuple[Placement, ...]:
    return tuple(Placement(ep_name=name, node_count=count) for name, count in counts.items())


def row(
    label: str,
    samples: Sequence[int] | npt.NDArray[np.int64],
    *,
    ep: str = "",
    rounds: int = ROUNDS,
    sizes: tuple[DimensionSize, ...] = (),
    placement: tuple[Placement, ...] | None = None,
    is_baseline: bool = False,
) -> Compared:
    """A row measured by turns, its samples spread evenly over the rounds, all of its nodes on its EP."""
    values = np.asarray(samples, np.int64)
    name = ep or label.partition(",")[0]
    per_round = len(values) // rounds if rounds else 0
    return Compared(
        id=label,
        label=label,
        target_text=name,
        settings=TrialSettings(model_path="/m.onnx", target=Target(device_keys=(name,)), dimensions=sizes),
        facts=TrialFacts(
            wanted_eps=(name,), placement=placed(**{name: 9}) if placement is None else placement, dimensions=sizes
        ),
        outcome=Outcome.FINISHED,
        samples=values,
        part=ComparisonPart(
            id=COMPARISON,
            created="2026-01-01T00:00:00+00:00",
            label=label,
            cell=0,
            cell_count=2,
            is_baseline=is_baseline,
            planned_rounds=ROUNDS,
            rounds=tuple(
                Round(number=number, position=1, began_ns=0, sample_count=per_round, measured_ns=1)
                for number in range(1, rounds + 1)
            ),
        ),
        machine="Some CPU, Linux",
        onnxruntime="1.32.0",
    )


def by_itself(compared: Compared) -> Compared:
    return replace(compared, part=None)


def alone(compared: Compared) -> Compared:
    assert compared.part is not None
    return replace(compared, part=replace(compared.part, is_alone=True))


def course(seed: int, *, spread: float) -> Values:
    """How slow the machine is in each round: a random walk."""
    factors: Values = np.exp(np.random.default_rng(seed).normal(0, spread, ROUNDS).cumsum())
    return factors


def drawn(seed: int, level: float, machine: Values | None = None, *, noise: float = 0.01, runs: int = 15) -> Values:
    """Latencies of so many runs in each round: the machine's course, a deviation of each round, and noise."""
    random = np.random.default_rng(seed)
    of_rounds = (np.ones(ROUNDS) if machine is None else machine) * random.lognormal(0, noise, ROUNDS)
    latencies: Values = level * MS * np.repeat(of_rounds, runs) * random.lognormal(0, noise, ROUNDS * runs)
    return latencies.round()


def quiet(label: str, level: float, seed: int = 0, **others: object) -> Compared:
    """A row with little noise."""
    return row(label, drawn(seed + round(level * 1000), level, noise=0.002).astype(np.int64), **others)  # type: ignore[arg-type]


def with_placement(compared: Compared, placement: tuple[Placement, ...]) -> Compared:
    return replace(compared, facts=replace(compared.facts, placement=placement))


def with_check(compared: Compared, agreement: Agreement) -> Compared:
    return replace(compared, facts=replace(compared.facts, check=OutputCheck(agreement=agreement)))


def failed(compared: Compared, message: str) -> Compared:
    failure = Failure(kind=FailureKind.DIED, message=message)
    return replace(compared, outcome=Outcome.FAILED, failure=failure)


def sized(label: str, level: float, **sizes: int) -> Compared:
    dimensions = tuple(DimensionSize(name=name, size=size) for name, size in sizes.items())
    words = "".join(f", {name} {size}" for name, size in sizes.items())
    return quiet(f"{label}{words}", level, sizes=dimensions)


def first_sentence(*rows: Compared, baseline: int | None = None) -> str:
    return answer_of(rows, baseline).sentences[0]


def some_ratio(answer: Answer, index: int) -> Ratio:
    found = answer.ratios[index]
    assert found is not None
    return found
