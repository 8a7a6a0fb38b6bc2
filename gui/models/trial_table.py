"""The trials of this sitting as a table, and the measures of one as another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QIcon

from ..records.placement import placement_text
from ..records.result import Outcome
from ..records.statistics import LatencyStatistics
from ..trial_run import TrialRun
from .table import Column, RecordTableModel
from .texts import DASH, count_text, rate_text, time_text


def _tr(text: str) -> str:
    return QCoreApplication.translate("TrialTable", text)


def outcome_text(trial: TrialRun) -> str:
    """Return how a trial ended, or what it is doing, in words."""
    match trial.outcome:
        case Outcome.RUNNING:
            return _tr("stopping…") if trial.stopping else trial.facts.stage.value
        case Outcome.FINISHED:
            return _tr("finished")
        case Outcome.STOPPED:
            return _tr("stopped")
    return _tr("failed: {0}").format(trial.failure.kind.value if trial.failure else "")


class TrialTableModel(RecordTableModel[TrialRun]):
    """One row a trial. `outcome_icon` gives the icon of its outcome."""

    def __init__(self, outcome_icon: Callable[[TrialRun], QIcon | None], parent: QObject | None = None) -> None:
        columns = (
            Column[TrialRun](title=_tr("#"), text=lambda trial: str(trial.number), sort=lambda trial: trial.number),
            Column[TrialRun](title=_tr("Model"), text=_model_text, tip=lambda trial: trial.settings.model_path),
            Column[TrialRun](title=_tr("Target"), text=lambda trial: trial.target_text),
            Column[TrialRun](
                title=_tr("Ran on"),
                text=lambda trial: _ran_on(trial, short=True) or DASH,
                tip=lambda trial: placement_text(trial.facts.placement),
                header_tip=_tr("The EPs that got nodes of the model"),
            ),
            Column[TrialRun](
                title=_tr("Outcome"),
                text=outcome_text,
                icon=outcome_icon,
                tip=lambda trial: str(trial.failure) if trial.failure else outcome_text(trial),
            ),
            _latency_column(_tr("Median"), lambda statistics: statistics.median_ns),
            _latency_column(_tr("p90"), lambda statistics: statistics.p90_ns),
            _latency_column(_tr("p99"), lambda statistics: statistics.p99_ns),
            Column[TrialRun](
                title=_tr("Samples"),
                text=lambda trial: count_text(len(trial.series)),
                sort=lambda trial: len(trial.series),
                is_number=True,
            ),
        )
        super().__init__(columns, lambda trial: trial.number, parent)


def _model_text(trial: TrialRun) -> str:
    """Return the model with those sizes of its free dimensions that are not 1: they tell trials of a row apart."""
    dimensions = trial.facts.dimensions or trial.settings.dimensions
    sizes = [f"{entry.name} = {entry.size}" for entry in dimensions if entry.size != 1]
    return f"{trial.model_name}, {', '.join(sizes)}" if sizes else trial.model_name


def _latency_column(title: str, value: Callable[[LatencyStatistics], int]) -> Column[TrialRun]:
    def nanoseconds(trial: TrialRun) -> int | None:
        statistics = trial.statistics()
        return None if statistics is None else value(statistics)

    return Column[TrialRun](
        title=title,
        text=lambda trial: time_text(nanoseconds(trial)),
        sort=lambda trial: nanoseconds(trial) or 0,
        is_number=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One line of the table beside the chart."""

    name: str
    value: str
    tip: str = ""


class MeasureTableModel(RecordTableModel[Measure]):
    """One row a measure."""

    def __init__(self, parent: QObject | None = None) -> None:
        columns = (
            Column[Measure](title=_tr("Measure"), text=lambda measure: measure.name, tip=lambda measure: measure.tip),
            Column[Measure](
                title=_tr("Value"),
                text=lambda measure: measure.value,
                tip=lambda measure: measure.tip or measure.value,
                is_number=True,
            ),
        )
        super().__init__(columns, lambda measure: measure.name, parent)


def measures(trial: TrialRun | None) -> tuple[Measure, ...]:
    """Return what is shown of a trial in numbers; dashes for what is not known (yet)."""
    statistics = None if trial is None else trial.statistics()
    facts = None if trial is None else trial.facts

    def latency(value: Callable[[LatencyStatistics], float | None]) -> str:
        return DASH if statistics is None else time_text(value(statistics))

    few = statistics is not None and statistics.count < 100
    p99_tip = _tr("Nearest rank. With fewer than 100 samples it is the slowest one.")
    ran_on = _ran_on(trial, short=False) if trial is not None else ""
    rank = _tr("Nearest rank: the smallest sample that so many percent of all samples do not exceed.")
    return (
        Measure(name=_tr("Median"), value=latency(lambda it: it.median_ns), tip=rank),
        Measure(name=_tr("Mean"), value=latency(lambda it: it.mean_ns)),
        Measure(name=_tr("Min"), value=latency(lambda it: it.min_ns)),
        Measure(name=_tr("p90"), value=latency(lambda it: it.p90_ns), tip=rank),
        Measure(name=_tr("p95"), value=latency(lambda it: it.p95_ns), tip=rank),
        Measure(name=_tr("p99 ≈ max") if few else _tr("p99"), value=latency(lambda it: it.p99_ns), tip=p99_tip),
        Measure(name=_tr("Max"), value=latency(lambda it: it.max_ns)),
        Measure(
            name=_tr("Std deviation"),
            value=latency(lambda it: it.std_ns),
            tip=_tr("Standard deviation of the samples, with n-1"),
        ),
        Measure(name=_tr("Samples"), value=DASH if statistics is None else count_text(statistics.count)),
        Measure(
            name=_tr("Throughput"),
            value=DASH if statistics is None else rate_text(statistics.throughput_per_s),
            tip=_tr("Samples over the wall-clock time of the measuring stage, of all callers together"),
        ),
        Measure(
            name=_tr("Session creation"), value=time_text(facts.session_creation_ns if facts is not None else None)
        ),
        Measure(
            name=_tr("First run"),
            value=time_text(facts.first_run_ns if facts is not None else None),
            tip=_tr("Not part of the samples"),
        ),
        Measure(
            name=_tr("Warm-up mean"),
            value=time_text(trial.warmup_mean_ns() if trial is not None else None),
            tip=_tr("Not part of the samples"),
        ),
        Measure(name=_tr("Ran on"), value=ran_on or DASH, tip=_ran_on_tip(trial)),
    )


def _ran_on(trial: TrialRun, *, short: bool) -> str:
    placement = trial.facts.placement
    if placement is None:
        return ""
    total = sum(part.node_count for part in placement)
    if short or len(placement) == 1:
        return ", ".join(part.ep_name for part in placement)
    return ", ".join(f"{part.ep_name} {part.node_count}/{total}" for part in placement)


def _ran_on_tip(trial: TrialRun | None) -> str:
    if trial is None or trial.facts.placement is None:
        return _tr("Which EPs got nodes of the model")
    lines = [placement_text(trial.facts.placement)]
    for part in trial.facts.placement:
        ops = ", ".join(f"{entry.op_type} ×{entry.count}" for entry in part.op_types[:12])
        lines.append(f"{part.ep_name}: {ops}{'…' if len(part.op_types) > 12 else ''}")
    return "\n".join(lines)
