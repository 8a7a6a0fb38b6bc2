"""Sentences about a trial's latencies, only where they are true, each with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .samples import Nanoseconds
from .statistics import LatencyStatistics


class RemarkKind(Enum):
    """What a remark is about."""

    WARMING_UP = "still warming up"
    DRIFTING = "drifting"
    BIMODAL = "bimodal"
    OUTLIERS = "outliers"
    CALL_OVERHEAD = "call overhead"
    OVERSUBSCRIBED = "more threads than cores"
    FEW_SAMPLES = "few samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One sentence, and one of what to do."""

    kind: RemarkKind
    text: str
    advice: str


def latency_remarks(
    samples: Nanoseconds,
    statistics: LatencyStatistics | None,
    *,
    callers: int,
    intra_op_threads: int,
    cpu_count: int,
) -> tuple[Remark, ...]:
    """Return what is to be said of the samples of an ended trial (shape (n,), nanoseconds, in their order)."""
    return ()
