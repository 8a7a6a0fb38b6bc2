"""The file of a trial: one JSON that carries everything; docs/trial_file.md describes it.

`--output` and the window write the same file. Version 1 has grown: what 0.1 wrote lacks keys, and a reader passes over
those it does not know. Samples are integers and stay exact.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from .codec import DecodeError, from_json, to_json
from .comparison import ComparisonPart
from .device import Device
from .failure import Failure
from .kept_files import TRIAL_FILE, damaged, object_of, text_of
from .kept_trial import MAX_NS, KeptTrial, clean_tags
from .latency_remarks import Remark
from .library import Library
from .placement import PlacedNodes, judge_placement, verdict_text
from .profile import Profile
from .protocol import Greeting
from .result import RESULT_FORMAT, Outcome
from .samples import Nanoseconds
from .statistics import DEFINITION, LatencyStatistics, summarize
from .trial import TrialFacts, TrialSettings
from .trial_log import TrialLogLine

ABOUT: Final = {
    "id": "a UUID; the same trial has the same one in every file and store",
    "created": "when the trial began: ISO 8601, UTC",
    "environment": "ONNX Runtime, Python, system and processor it ran on",
    "target_text": "the target in words; settings.target and target_devices say it exactly",
    "settings": "everything a trial needs to be repeated",
    "outcome": "finished, stopped or failed; failure says why",
    "statistics": DEFINITION,
    "facts.placement": "which EP got which nodes, before ORT's later fusions; null when ORT cannot tell",
    "facts.wanted_eps": "the EPs that were to run the model; compare with facts.placement",
    "facts.check": "the outputs of the first run against those of ORT's CPU EP on the same inputs",
    "facts.costs": "resident memory of the engine's process in bytes, its processor time while it measured",
    "placement": "what facts.placement says of facts.wanted_eps: all, part or none of the nodes",
    "target_devices": "the devices chosen, and those a policy took, with all that ONNX Runtime tells of them",
    "libraries": "the EP libraries it needs; check holds SHA-256 and version of the file",
    "registrations": "how long ONNX Runtime took to register each library, nanoseconds",
    "remarks": "what is to be said of the samples, each with what to do",
    "nodes": "the names of the nodes by EP and operator",
    "profile": "where the time of the model's runs goes, by ORT's profiler in a session of its own; null when not made",
    "comparison": "the comparison it was part of: its id, the cell, and which samples belong to which round; else null",
    "log": "what ORT and the EP said, with the stage it was said in; log_left_out lines are not there",
    "elapsed_ns": "wall-clock time of the measuring stage, also of a trial that failed in it",
    "warmup_ns": "the runs between the first run and the measuring stage; not part of the statistics",
    "samples_ns": "one entry a timed run, in order, nanoseconds; inputs generated from settings.seed",
}
_IDS: Final = uuid.UUID("5e0f5a0e-8f0b-4a53-9a6e-0c6a3f0c7b11")
"""The namespace of ids made for files that have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Registration:
    library: str
    duration_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Everything in the file but the samples, under the names it has there. What has a default, 0.1 did not write."""

    id: str = ""
    created: str = ""
    environment: Greeting | None = None
    target_text: str = ""
    settings: TrialSettings
    outcome: Outcome
    facts: TrialFacts
    statistics: LatencyStatistics | None = None
    failure: Failure | None = None
    target_devices: tuple[Device, ...] = ()
    libraries: tuple[Library, ...] = ()
    registrations: tuple[_Registration, ...] = ()
    remarks: tuple[Remark, ...] = ()
    nodes: PlacedNodes | None = None
    profile: Profile | None = None
    comparison: ComparisonPart | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    log: tuple[TrialLogLine, ...] = ()
    log_left_out: int = 0
    elapsed_ns: int = 0


# ---- Written ----


def trial_file_json(kept: KeptTrial, *, one_line: bool = False) -> str:
    """Return the text of a trial's file, to be written as UTF-8: a key a line, so that the samples take one.

    In one line alone it can be told from others on a console.
    """
    data = trial_object(kept)
    data = {"format": data.pop("format"), "about": ABOUT, **data}
    entries = {key: json.dumps(value, ensure_ascii=False) for key, value in data.items()}
    return text_of(entries, one_line=one_line)


def trial_object(kept: KeptTrial) -> dict[str, Any]:
    """Return all of a trial as it stands in a file, but what the fields mean; `trial_of_object` reads it."""
    verdict = {
        "verdict": judge_placement(kept.facts.placement, kept.facts.wanted_eps).value,
        "text": verdict_text(kept.facts.placement, kept.facts.wanted_eps),
    }
    return {
        "format": RESULT_FORMAT,
        **told_json(kept),
        "placement": verdict,
        "warmup_ns": kept.warmup.tolist(),
        "samples_ns": kept.samples.tolist(),
    }


def told_json(kept: KeptTrial) -> dict[str, Any]:
    """Return everything of a trial but its samples, as it stands in the file; `trial_of` reads it."""
    return to_json(
        _Told(
            id=kept.id,
            created=kept.created,
            environment=kept.environment,
            target_text=kept.target_text,
            settings=kept.settings,
            outcome=kept.outcome,
            facts=kept.facts,
            statistics=kept.statistics,
            failure=kept.failure,
            target_devices=kept.devices,
            libraries=kept.libraries,
            registrations=tuple(_Registration(library=name, duration_ns=ns) for name, ns in kept.registrations),
            remarks=kept.remarks,
            nodes=kept.nodes,
            profile=kept.profile,
            comparison=kept.comparison,
            tags=clean_tags(kept.tags),
            note=kept.note,
            log=kept.log,
            log_left_out=kept.log_left_out,
            elapsed_ns=kept.elapsed_ns,
        )
    )


# ---- Read ----


def parse_trial_file(text: str | bytes, name: str = "The file") -> KeptTrial:
    """Return the trial that a file holds. Raises `FailureError` (NOT_A_TRIAL), which calls the file `name`."""
    data = object_of(text, name, TRIAL_FILE)
    if not data.get("id"):
        data = {**data, "id": _id_of(text)}
    try:
        return trial_of_object(data)
    except (DecodeError, RecursionError) as error:
        raise damaged(name, TRIAL_FILE, error, "_Told") from error


def trial_of_object(data: dict[str, Any]) -> KeptTrial:
    """Return the trial that `trial_object` has told, or a version before it. Raises `DecodeError`."""
    samples, warmup = _samples(data, "samples_ns"), _samples(data, "warmup_ns")
    return trial_of(_with_all_statistics(data, samples), samples, warmup)


def trial_of(told: Any, samples: Nanoseconds, warmup: Nanoseconds) -> KeptTrial:
    """Return the trial of which `told_json` is told. Raises `DecodeError`."""
    found = from_json(_Told, told)
    _check_range(found)
    try:
        return KeptTrial(
            id=found.id,
            created=found.created,
            settings=found.settings,
            outcome=found.outcome,
            facts=found.facts,
            failure=found.failure,
            statistics=found.statistics,
            remarks=found.remarks,
            samples=samples,
            warmup=warmup,
            elapsed_ns=found.elapsed_ns,
            log=found.log,
            log_left_out=found.log_left_out,
            nodes=found.nodes,
            environment=found.environment,
            devices=found.target_devices,
            target_text=found.target_text,
            libraries=found.libraries,
            registrations=tuple((entry.library, entry.duration_ns) for entry in found.registrations),
            profile=found.profile,
            comparison=found.comparison,
            tags=clean_tags(found.tags),
            note=found.note,
        )
    except ValueError as error:
        raise DecodeError(str(error)) from error


def _samples(data: dict[str, Any], key: str) -> Nanoseconds:
    values = data.get(key)
    if not isinstance(values, list):
        raise DecodeError(f"{key}: expected an array")
    if not set(map(type, values)) <= {int}:
        raise DecodeError(f"{key}: expected integers")
    try:
        return np.array(values, np.int64)
    except OverflowError as error:
        raise DecodeError(f"{key}: a number is too large") from error


def _with_all_statistics(data: dict[str, Any], samples: Nanoseconds) -> dict[str, Any]:
    """Return what a file tells, with statistics of today where 0.1 wrote fewer: they follow from the samples."""
    old, facts = data.get("statistics"), data.get("facts")
    if not isinstance(old, dict) or not isinstance(facts, dict) or "median_low_ns" in old:
        return data
    measured, count = facts.get("measured_ns"), facts.get("sample_count")
    found = summarize(
        samples, measured if isinstance(measured, int) else 0, count if isinstance(count, int) and count else None
    )
    return {**data, "statistics": None if found is None else to_json(found)}


def _check_range(found: _Told) -> None:
    """Raise `DecodeError` when a number of the statistics is beyond what can be kept."""
    if found.statistics is not None:
        for entry in fields(found.statistics):
            value = getattr(found.statistics, entry.name)
            if isinstance(value, int) and not 0 <= value <= MAX_NS:
                raise DecodeError(f"statistics.{entry.name}: {value} is out of range")
    if not 0 <= found.elapsed_ns <= MAX_NS:
        raise DecodeError(f"elapsed_ns: {found.elapsed_ns} is out of range")


def _id_of(text: str | bytes) -> str:
    """Return the id of a trial whose file has none: another one for another text, the same for the same."""
    import hashlib  # the window starts without it

    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return str(uuid.uuid5(_IDS, hashlib.sha256(data.removeprefix(b"\xef\xbb\xbf")).hexdigest()))
