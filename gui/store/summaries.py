"""What a table of trials shows of each: the columns of `trials`, and the words a search looks at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, NamedTuple

from ..records.check import Agreement
from ..records.kept_trial import KeptTrial, clean_tags, machine_text
from ..records.placement import PlacementVerdict, judge_placement
from ..records.result import Outcome


class TrialSummary(NamedTuple):
    """One trial of the store, without its samples. Bytes of a path that are no UTF-8 are written as `\\udc80`.

    A named tuple, where other records are dataclasses: 100,000 of them are made at once, in half the time.
    """

    number: int
    """Counts the trials of this store, in the order in which they came into it."""
    id: str
    created: str
    """ISO 8601, UTC; empty when it is not known."""
    deleted_at: str | None
    model_name: str
    model_path: str
    sizes: str
    """Of the free dimensions, as in `batch=4, length=16`."""
    target: str
    eps: str
    """The EPs that were to run it, comma-separated."""
    verdict: PlacementVerdict
    agreement: Agreement | None
    """None when the outputs were not compared."""
    outcome: Outcome
    failure: str
    """Why it failed: a sentence; empty when it did not."""
    median_ns: int | None
    median_low_ns: int | None
    median_high_ns: int | None
    p90_ns: int | None
    p99_ns: int | None
    sample_count: int
    throughput_per_s: float | None
    machine: str
    onnxruntime: str
    """Its version."""
    tags: tuple[str, ...]
    note: str
    comparison: str | None = None
    """The id of the comparison it was part of."""
    cell_label: str = ""
    """What it was called there; empty for a trial by itself."""
    cell: int | None = None
    """Its place among the cells, counted from 0."""


COLUMNS: Final = TrialSummary._fields
"""The columns of `trials`, in the order of a summary's fields."""

_SEARCHED: Final = (
    *("model_path", "sizes", "target", "eps", "verdict", "agreement", "outcome", "failure", "machine", "onnxruntime"),
    *("tags", "note", "created", "cell_label"),
)
_VERDICTS: Final = {verdict.value: verdict for verdict in PlacementVerdict}
_AGREEMENTS: Final[dict[str | None, Agreement | None]] = {
    None: None,
    **{agreement.value: agreement for agreement in Agreement},
}
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}


def row_of(kept: KeptTrial) -> dict[str, Any]:
    """Return the row of a trial, without its number."""
    facts, statistics, part = kept.facts, kept.statistics, kept.comparison
    row: dict[str, Any] = {
        "id": kept.id,
        "created": kept.created,
        "deleted_at": None,
        "model_name": kept.model_name,
        "model_path": kept.settings.model_path,
        "sizes": ", ".join(f"{entry.name}={entry.size}" for entry in facts.dimensions or kept.settings.dimensions),
        "target": kept.target_text,
        "eps": ", ".join(facts.wanted_eps),
        "verdict": judge_placement(facts.placement, facts.wanted_eps).value,
        "agreement": None if facts.check is None else facts.check.agreement.value,
        "outcome": kept.outcome.value,
        "failure": "" if kept.failure is None else kept.failure.message,
        "median_ns": None,
        "median_low_ns": None,
        "median_high_ns": None,
        "p90_ns": None,
        "p99_ns": None,
        "sample_count": len(kept.samples),
        "throughput_per_s": None,
        "machine": machine_text(kept.environment),
        "onnxruntime": "" if kept.environment is None else kept.environment.onnxruntime,
        "tags": tags_text(kept.tags),
        "note": kept.note,
        "comparison": None if part is None else part.id,
        "cell_label": "" if part is None else part.label,
        "cell": None if part is None else part.cell,
    }
    if statistics is not None:
        row |= {
            "median_ns": statistics.median_ns,
            "median_low_ns": statistics.median_low_ns,
            "median_high_ns": statistics.median_high_ns,
            "p90_ns": statistics.p90_ns,
            "p99_ns": statistics.p99_ns,
            "throughput_per_s": statistics.throughput_per_s,
        }
    return {key: storable(value) if isinstance(value, str) else value for key, value in row.items()}


def storable(text: str) -> str:
    """Return a text as SQLite can hold it: what is no Unicode is spelled out, a null character left out."""
    return text.replace("\0", "").encode("utf-8", "backslashreplace").decode("utf-8")


def tags_text(tags: Iterable[str]) -> str:
    """Return tags as the column holds them: a tab before and after each, so that one is found as a whole."""
    cleaned = clean_tags(storable(tag) for tag in tags)
    return "\t" + "\t".join(cleaned) + "\t" if cleaned else ""


@cache
def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags of such a column."""
    return tuple(text.strip("\t").split("\t")) if text else ()


def words_of(row: dict[str, Any]) -> str:
    """Return what a search looks at of a row."""
    return "\n".join(str(row[name]) for name in _SEARCHED if row[name]).casefold()


def wanted_words(text: str) -> tuple[str, ...]:
    """Return the words that a search asks for."""
    return tuple(dict.fromkeys(storable(text).casefold().split()))


def read_summaries(rows: sqlite3.Cursor) -> list[TrialSummary]:
    """Return the summaries of rows that hold `COLUMNS`. Raises `KeyError` where a word is none that we wrote."""
    make = TrialSummary._make
    return [
        make(
            (
                *row[:9],
                _VERDICTS[row[9]],
                _AGREEMENTS[row[10]],
                _OUTCOMES[row[11]],
                *row[12:22],
                tags_of(row[22]),
                *row[23:],
            )
        )
        for row in rows
    ]
