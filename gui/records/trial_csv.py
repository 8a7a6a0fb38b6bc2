"""Trials as CSV (RFC 4180, C locale): the samples of one, or a line for each of several. Latencies are nanoseconds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from .check import Agreement
from .costs import cpu_share
from .kept_trial import KeptTrial
from .markdown import clean_text
from .placement import judge_placement, node_total
from .trial import Stage

SAMPLE_COLUMNS = ("index", "stage", "latency_ns")
"""`index` counts from 1 within each stage."""
SUMMARY_COLUMNS = (
    *("id", "created", "onnxruntime", "platform", "cpu", "model", "target", "dimensions", "options", "callers"),
    *("outcome", "failure", "placement", "wanted_nodes", "nodes", "outputs"),
    *("samples", "min_ns", "median_ns", "median_low_ns", "median_high_ns", "mean_ns", "p90_ns", "p95_ns", "p99_ns"),
    *("p99_9_ns", "max_ns", "std_ns", "throughput_per_s", "session_creation_ns", "first_run_ns"),
    *("memory_peak_bytes", "processors_busy", "remarks", "tags"),
)
"""`median_low_ns` and `median_high_ns` are the ends of the median's 95 % interval."""

Cell = str | int | float | None


def samples_csv(kept: KeptTrial) -> str:
    """Return the first run, the warm-up and the samples of a trial, in their order."""
    first = kept.facts.first_run_ns
    rows = [] if first is None else [(1, Stage.FIRST_RUN.value, first)]
    for stage, values in ((Stage.WARMING_UP, kept.warmup), (Stage.MEASURING, kept.samples)):
        rows += [(number, stage.value, value) for number, value in enumerate(values.tolist(), start=1)]
    return csv_text(SAMPLE_COLUMNS, rows)


def summaries_csv(trials: Iterable[KeptTrial]) -> str:
    """Return a line for each trial; a cell is empty where something is not known."""
    return csv_text(SUMMARY_COLUMNS, [summary_cells(kept) for kept in trials])


def summary_cells(kept: KeptTrial) -> tuple[Cell, ...]:
    """Return what stands under `SUMMARY_COLUMNS` for a trial."""
    settings, facts, environment = kept.settings, kept.facts, kept.environment
    wanted = set(facts.wanted_eps)
    dimensions = facts.dimensions or settings.dimensions
    verdict = judge_placement(facts.placement, facts.wanted_eps)
    agreement = Agreement.NOT_CHECKED if facts.check is None else facts.check.agreement
    return (
        kept.id,
        kept.created,
        *(
            (environment.onnxruntime, environment.platform, environment.cpu)
            if environment is not None
            else ("", "", "")
        ),
        kept.model_name,
        kept.target_text,
        " ".join(f"{entry.name}={entry.size}" for entry in dimensions),
        " ".join(f"{key}={value}" for key, value in (*settings.options, *settings.second_options)),
        settings.callers,
        kept.outcome.value,
        "" if kept.failure is None else kept.failure.message,
        verdict.value,
        None if facts.placement is None else sum(part.node_count for part in facts.placement if part.ep_name in wanted),
        None if facts.placement is None else node_total(facts.placement),
        agreement.value,
        *_statistics(kept),
        facts.session_creation_ns,
        facts.first_run_ns,
        None if facts.costs is None else facts.costs.memory_peak_bytes,
        cpu_share(facts.costs, facts.measured_ns),
        ", ".join(remark.kind.value for remark in kept.remarks),
        ", ".join(kept.tags),
    )


def _statistics(kept: KeptTrial) -> tuple[Cell, ...]:
    found = kept.statistics
    if found is None:
        return (len(kept.samples), *(None for _ in range(12)))
    return (
        *(found.count, found.min_ns, found.median_ns, found.median_low_ns, found.median_high_ns, found.mean_ns),
        *(found.p90_ns, found.p95_ns, found.p99_ns, found.p999_ns, found.max_ns, found.std_ns, found.throughput_per_s),
    )


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return lines of cells below their titles."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_plain(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def _plain(text: str) -> str:
    """Return a text on one line which no spreadsheet takes for a formula: names come from files of others, too."""
    line = " ".join(clean_text(text).split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
