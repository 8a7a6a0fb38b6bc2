"""One row of a comparison, as its statistics, tables, charts and reports take it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .comparison import ComparisonPart
from .failure import Failure
from .kept_trial import KeptTrial, machine_text, model_name
from .placement import PlacementVerdict, judge_placement
from .result import Outcome
from .samples import Nanoseconds
from .statistics import LatencyStatistics
from .trial import TrialFacts, TrialSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """One trial among those compared. It may be under way: then the samples are those so far."""

    id: str
    """Of the trial."""
    label: str
    """Different for each row."""
    target_text: str
    settings: TrialSettings
    facts: TrialFacts
    outcome: Outcome
    failure: Failure | None = None
    samples: Nanoseconds
    """Of the measuring stage, in their order."""
    elapsed_ns: int = 0
    """Wall-clock time of the measuring stage."""
    statistics: LatencyStatistics | None = None
    part: ComparisonPart | None = None
    """What it was part of; None for a trial that was run by itself."""
    machine: str = ""
    onnxruntime: str = ""
    created: str = ""
    """ISO 8601, UTC."""

    @property
    def verdict(self) -> PlacementVerdict:
        """How many of the nodes the wanted EP got."""
        return judge_placement(self.facts.placement, self.facts.wanted_eps)


def compared_of(kept: KeptTrial) -> Compared:
    """Return a kept trial as a row; see `with_labels` for several."""
    environment = kept.environment
    return Compared(
        id=kept.id,
        label=kept.target_text if kept.comparison is None else kept.comparison.label,
        target_text=kept.target_text,
        settings=kept.settings,
        facts=kept.facts,
        outcome=kept.outcome,
        failure=kept.failure,
        samples=kept.samples,
        elapsed_ns=kept.elapsed_ns or kept.facts.measured_ns,
        statistics=kept.statistics,
        part=kept.comparison,
        machine=machine_text(environment),
        onnxruntime="" if environment is None else environment.onnxruntime,
        created=kept.created,
    )


def with_labels(rows: Sequence[Compared]) -> tuple[Compared, ...]:
    """Return rows of which no two have the same label: what tells them apart is added, else a number."""
    labels = [row.label or row.target_text for row in rows]
    for detail in _DETAILS:
        equal = {label for label, count in Counter(labels).items() if count > 1}
        for label in equal:
            those = [number for number, other in enumerate(labels) if other == label]
            details = {number: detail(rows[number]) for number in those}
            if len(set(details.values())) > 1:
                for number, words in details.items():
                    labels[number] = f"{label}, {words}" if words else label
    taken: set[str] = set()
    for number, label in enumerate(labels):
        names = (label if count == 1 else f"{label} ({count})" for count in range(1, len(labels) + 1))
        labels[number] = next(name for name in names if name not in taken)
        taken.add(labels[number])
    return tuple(
        row if row.label == label else replace(row, label=label) for row, label in zip(rows, labels, strict=True)
    )


def _sizes_text(row: Compared) -> str:
    return ", ".join(f"{entry.name} {entry.size}" for entry in row.facts.dimensions or row.settings.dimensions)


def _options_text(row: Compared) -> str:
    return ", ".join(f"{key}={value}" for key, value in (*row.settings.options, *row.settings.second_options))


_DETAILS: Final[tuple[Callable[[Compared], str], ...]] = (
    lambda row: model_name(row.settings.model_path),
    _sizes_text,
    _options_text,
    lambda row: row.machine,
    lambda row: row.onnxruntime and f"ONNX Runtime {row.onnxruntime}",
    lambda row: row.created[:19].replace("T", " "),
)
"""What may tell rows of the same label apart, the most telling first."""


def is_by_turns(rows: Sequence[Compared]) -> bool:
    """Whether all rows were measured by turns in one comparison, so that drift has hit all of them alike."""
    parts = [row.part for row in rows if row.part is not None and not row.part.is_alone]
    return len(parts) == len(rows) and len({part.id for part in parts}) == 1


def early_end(row: Compared) -> str:
    """Return how a row ended before its last round: `failed after 7 rounds`; empty when it did not."""
    part = row.part
    if part is None or part.is_alone or len(part.rounds) >= part.planned_rounds:
        return ""
    count = len(part.rounds)
    rounds = f"{count} {'round' if count == 1 else 'rounds'}"
    match row.outcome:
        case Outcome.FAILED:
            return f"failed after {rounds}"
        case Outcome.STOPPED:
            return f"was stopped after {rounds}"
    return ""
