"""The trials of this sitting as a table, and the measures of one as another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QLocale, QObject
from PySide6.QtGui import QColor, QIcon

from ..records.check import Agreement
from ..records.placement import placement_text
from ..records.result import Outcome
from ..records.statistics import MIN_P99_SAMPLES, MIN_P999_SAMPLES, LatencyStatistics
from ..trial_run import TrialRun
from .table import Column, RecordTableModel
from .texts import DASH, count_text, rate_text, time_text
from .trial_texts import origin_text
from .verdict_texts import Verdict, outputs_verdict, placement_share, placement_verdict, range_text


def _tr(text: str) -> str:
    return QCoreApplication.translate("TrialTable", text)


def outcome_text(trial: TrialRun) -> str:
    """Return how a trial ended, or what it is doing, in words."""
    match trial.outcome:
        case Outcome.RUNNING:
            return _tr("stopping…") if trial.stopping else trial.facts.stage.value
        case Outcome.FINISHED:
            return _tr("finished, not kept yet") if trial.is_being_kept else _tr("finished")
        case Outcome.STOPPED:
            return _tr("stopped")
    return _tr("failed: {0}").format(trial.failure.kind.value if trial.failure else "")


class TrialTableModel(RecordTableModel[TrialRun]):
    """One row a trial. The two callables give the icon of its outcome and of what is true of it."""

    def __init__(
        self,
        outcome_icon: Callable[[TrialRun], QIcon | None],
        verdict_icon: Callable[[Verdict], QIcon | None],
        parent: QObject | None = None,
    ) -> None:
        columns = (
            Column[TrialRun](title=_tr("#"), text=_number_text, sort=lambda trial: trial.number, tip=origin_text),
            Column[TrialRun](title=_tr("Model"), text=_model_text, tip=_model_tip),
            Column[TrialRun](
                title=_tr("Target"),
                text=lambda trial: trial.target_text,
                tip=lambda trial: origin_text(trial) or trial.target_text,
            ),
            Column[TrialRun](
                title=_tr("Placement"),
                text=lambda trial: placement_verdict(trial).cell,
                sort=placement_share,
                icon=lambda trial: verdict_icon(placement_verdict(trial)),
                tip=lambda trial: placement_verdict(trial).tip,
                header_tip=_tr("How many nodes of the model the EP of the target got"),
            ),
            Column[TrialRun](
                title=_tr("Outputs"),
                text=lambda trial: outputs_verdict(trial).cell,
                sort=_agreement_order,
                icon=lambda trial: verdict_icon(outputs_verdict(trial)),
                tip=lambda trial: outputs_verdict(trial).tip,
                header_tip=_tr("Whether the outputs agree with those of ORT's CPU EP"),
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


def _agreement_order(trial: TrialRun) -> int:
    check = trial.facts.check
    return len(Agreement) if check is None else list(Agreement).index(check.agreement)


def _number_text(trial: TrialRun) -> str:
    """Return the number, with a mark where it is not of this sitting."""
    if trial.is_from_history:
        return _tr("{0} (kept)").format(trial.number)
    return _tr("{0} (file)").format(trial.number) if trial.is_opened else str(trial.number)


def _model_tip(trial: TrialRun) -> str:
    return "\n".join(text for text in (trial.settings.model_path, origin_text(trial)) if text)


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
    is_rough: bool = False
    """Whether it says little, and is greyed."""
    key: str = ""
    """What it is whatever its name is now; empty for the name."""


class MeasureTableModel(RecordTableModel[Measure]):
    """One row a measure. `rough_color` gives the colour of those that say little."""

    def __init__(self, parent: QObject | None = None, *, rough_color: Callable[[], QColor] | None = None) -> None:
        def color(measure: Measure) -> QColor | None:
            return rough_color() if measure.is_rough and rough_color is not None else None

        columns = (
            Column[Measure](
                title=_tr("Measure"), text=lambda measure: measure.name, tip=lambda measure: measure.tip, color=color
            ),
            Column[Measure](
                title=_tr("Value"),
                text=lambda measure: measure.value,
                tip=lambda measure: measure.tip or measure.value,
                is_number=True,
                color=color,
            ),
        )
        super().__init__(columns, lambda measure: measure.key or measure.name, parent)


def measures(trial: TrialRun | None) -> tuple[Measure, ...]:
    """Return what is shown of a trial in numbers; dashes for what is not known (yet)."""
    statistics = None if trial is None else trial.statistics()
    facts = None if trial is None else trial.facts

    def latency(value: Callable[[LatencyStatistics], float | None]) -> str:
        return DASH if statistics is None else time_text(value(statistics))

    rank = _tr("Nearest rank: the smallest sample that so many percent of all samples do not exceed.")
    return (
        Measure(name=_tr("Median"), value=latency(lambda it: it.median_ns), tip=rank),
        Measure(
            name=_tr("Median, 95 % interval"),
            value=DASH if statistics is None else range_text(statistics.median_low_ns, statistics.median_high_ns),
            tip=_tr("The true median lies in it with at least 95 %, whatever the distribution; from 6 samples on"),
        ),
        Measure(name=_tr("Mean"), value=latency(lambda it: it.mean_ns)),
        Measure(name=_tr("Min"), value=latency(lambda it: it.min_ns)),
        Measure(name=_tr("p90"), value=latency(lambda it: it.p90_ns), tip=rank),
        Measure(name=_tr("p95"), value=latency(lambda it: it.p95_ns), tip=rank),
        _tail(
            _tr("p99"),
            latency(lambda it: it.p99_ns),
            statistics is not None and statistics.is_p99_rough,
            MIN_P99_SAMPLES,
        ),
        _tail(
            _tr("p99.9"),
            latency(lambda it: it.p999_ns),
            statistics is not None and statistics.is_p999_rough,
            MIN_P999_SAMPLES,
        ),
        Measure(name=_tr("Max"), value=latency(lambda it: it.max_ns)),
        Measure(
            name=_tr("Std deviation"),
            value=latency(lambda it: it.std_ns),
            tip=_tr("Standard deviation of the samples, with n-1"),
        ),
        Measure(
            name=_tr("Coefficient of variation"),
            value=_percent_text(None if statistics is None else statistics.variation),
            tip=_tr("The standard deviation as a share of the mean"),
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
        Measure(name=_tr("Ran on"), value=_ran_on(trial) if trial is not None else DASH, tip=_ran_on_tip(trial)),
    )


def _tail(name: str, value: str, is_rough: bool, least: int) -> Measure:
    """Return a percentile far out: of too few samples it is no more than one of the slowest, and is called so."""
    if not is_rough:
        tip = _tr("Nearest rank: the smallest sample that so many percent of all samples do not exceed.")
        return Measure(name=name, value=value, tip=tip, key=name)
    tip = _tr("Rough: with fewer than {0} samples it is the slowest sample or the one before it.").format(
        count_text(least)
    )
    return Measure(name=_tr("{0} ≈ slowest").format(name), value=value, tip=tip, is_rough=True, key=name)


def _percent_text(share: float | None) -> str:
    return DASH if share is None else _tr("{0} %").format(QLocale().toString(share * 100, "f", 1))


def _ran_on(trial: TrialRun) -> str:
    placement = trial.facts.placement
    if not placement:
        return DASH
    total = sum(part.node_count for part in placement)
    if len(placement) == 1:
        return placement[0].ep_name
    return ", ".join(f"{part.ep_name} {part.node_count}/{total}" for part in placement)


def _ran_on_tip(trial: TrialRun | None) -> str:
    if trial is None or trial.facts.placement is None:
        return _tr("Which EPs got nodes of the model")
    lines = [placement_text(trial.facts.placement)]
    for part in trial.facts.placement:
        ops = ", ".join(f"{entry.op_type} ×{entry.count}" for entry in part.op_types[:12])
        lines.append(f"{part.ep_name}: {ops}{'…' if len(part.op_types) > 12 else ''}")
    return "\n".join(lines)
