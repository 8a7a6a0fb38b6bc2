"""The outcome of a trial and its file form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from .codec import to_json
from .device import Device
from .failure import Failure
from .latency_remarks import Remark
from .library import Library
from .placement import PlacedNodes, judge_placement, verdict_text
from .protocol import Greeting
from .samples import Nanoseconds
from .statistics import DEFINITION, LatencyStatistics
from .trial import TrialFacts, TrialSettings
from .trial_log import TrialLog

RESULT_FORMAT = "ort-device-explorer trial 1"


class Outcome(Enum):
    """How a trial ended, or that it has not."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """Everything told of one trial but its samples."""

    settings: TrialSettings
    outcome: Outcome
    facts: TrialFacts
    statistics: LatencyStatistics | None = None
    failure: Failure | None = None


def result_json(
    result: TrialResult,
    *,
    samples: Nanoseconds,
    warmup: Nanoseconds,
    environment: Greeting | None,
    libraries: tuple[Library, ...],
    devices: tuple[Device, ...],
    remarks: tuple[Remark, ...] = (),
    log: TrialLog | None = None,
    nodes: PlacedNodes | None = None,
) -> dict[str, Any]:
    """Return the file form of a trial: raw samples in nanoseconds and what is needed to understand them."""
    return {
        "format": RESULT_FORMAT,
        "about": {
            "samples_ns": "one entry a timed run, in order, nanoseconds; inputs generated from settings.seed",
            "warmup_ns": "the runs between the first run and the measuring stage; not part of the statistics",
            "statistics": DEFINITION,
            "facts.placement": "which EP got which nodes, before ORT's later fusions; null when ORT cannot tell",
            "facts.wanted_eps": "the EPs that were to run the model; compare with facts.placement",
            "facts.check": "the outputs of the first run against those of ORT's CPU EP on the same inputs",
            "facts.costs": "resident memory of the engine's process in bytes, its processor time while it measured",
            "placement": "what facts.placement says of facts.wanted_eps: all, part or none of the nodes",
            "remarks": "what is to be said of the samples, each with what to do",
            "nodes": "the names of the nodes by EP and operator",
            "log": "what ORT and the EP said, with the stage it was said in",
        },
        "environment": None if environment is None else to_json(environment),
        **to_json(result),
        "target_devices": [to_json(device) for device in devices],
        "libraries": [to_json(library) for library in libraries],
        "placement": {
            "verdict": judge_placement(result.facts.placement, result.facts.wanted_eps).value,
            "text": verdict_text(result.facts.placement, result.facts.wanted_eps),
        },
        "remarks": [to_json(remark) for remark in remarks],
        "nodes": None if nodes is None else to_json(nodes),
        "log": [] if log is None else [to_json(line) for line in log.lines],
        "warmup_ns": warmup.tolist(),
        "samples_ns": samples.tolist(),
    }
