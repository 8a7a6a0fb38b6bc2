"""One row of a comparison, as its statistics, tables, charts and reports take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .comparison import ComparisonPart
from .failure import Failure
from .kept_trial import KeptTrial, machine_text
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


def is_by_turns(rows: Sequence[Compared]) -> bool:
    """Whether all rows were measured by turns in one comparison, so that drift has hit all of them alike."""
    parts = [row.part for row in rows if row.part is not None and not row.part.is_alone]
    return len(parts) == len(rows) and len({part.id for part in parts}) == 1
