"""The rows of a comparison as a table: how fast each is, beside the baseline, and how true its numbers are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QLocale, QObject, Qt
from PySide6.QtGui import QColor, QIcon

from ..records.check import Agreement
from ..records.compared import Compared
from ..records.comparison_answer import Ratio
from ..records.comparison_answer import Verdict as RatioVerdict
from ..records.placement import PlacementVerdict
from ..records.result import Outcome
from ..records.statistics import MIN_P99_SAMPLES, LatencyStatistics
from ..trial_run import TrialRun
from .table import Column, RecordTableModel
from .texts import DASH, count_text, rate_text, time_text
from .verdict_texts import Tone, Verdict, outputs_verdict, placement_share, placement_verdict

LABEL, SIZES, OUTCOME, MEDIAN, RATIO, P90, P99, RATE, PLACEMENT, OUTPUTS, MACHINE = range(11)
"""The columns in their order."""
MEASURED: Final = (OUTCOME, RATE)
"""The first and the last of the columns that have nothing to say of a row without samples but its outcome."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("ComparisonTable", text)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparisonRow:
    """One row of a comparison as the panel shows it, now."""

    number: int
    """Its place among the cells, counted from 0."""
    style: int
    """Of its line and colour in the charts; see `styles_of`."""
    trial: TrialRun
    compared: Compared
    ratio: Ratio | None = None
    """To the baseline of its sizes; None of the baseline itself, and as long as nothing can be said."""
    is_baseline: bool = False
    is_current: bool = False
    """Whether it is being worked on."""
    items: int | None = None
    """How many items a run is of: the size of the dimension that varies; None where none does."""

    @property
    def label(self) -> str:
        """Different for each row."""
        return self.compared.label

    @property
    def statistics(self) -> LatencyStatistics | None:
        """Those so far; None before the first sample."""
        return self.compared.statistics

    @property
    def rate_per_s(self) -> float | None:
        """Runs a second, or items where the rows differ in how many a run is of."""
        rate = None if self.statistics is None else self.statistics.throughput_per_s
        return None if rate is None else rate * (self.items or 1)

    @property
    def is_own(self) -> bool:
        """Whether its number is its target's own: nodes ran where they should, and the outputs are right."""
        check = self.trial.facts.check
        is_wrong = check is not None and check.agreement is Agreement.DIFFERENT
        return self.trial.verdict not in (PlacementVerdict.NONE, PlacementVerdict.EMPTY) and not is_wrong


def target_of(row: Compared, dimension: str) -> Hashable:
    """Return what is the same of rows that differ in nothing but the size of that dimension."""
    others = tuple(entry for entry in row.settings.dimensions if entry.name != dimension)
    return row.target_text, row.machine, replace(row.settings, dimensions=others)


def styles_of(rows: Sequence[Compared], dimension: str | None, colors: int) -> tuple[int, ...]:
    """Return the style of each row: another colour first, then another line, for so many colours.

    Over the sizes of a dimension each target has a colour, and each of its sizes a line.
    """
    if dimension is None:
        return tuple(range(len(rows)))
    targets: dict[Hashable, int] = {}
    sizes: dict[Hashable, int] = {}
    found = []
    for row in rows:
        key = target_of(row, dimension)
        color = targets.setdefault(key, len(targets)) % colors
        found.append(color + colors * sizes.setdefault(key, 0))
        sizes[key] += 1
    return tuple(found)


# ---- Texts ----


def sizes_text(trial: TrialRun) -> str:
    """Return the sizes of the free dimensions: `batch 8, width 224`; empty where there are none."""
    dimensions = trial.facts.dimensions or trial.settings.dimensions
    return ", ".join(f"{entry.name} {entry.size}" for entry in dimensions)


def doubt_text(row: ComparisonRow) -> str:
    """Return why a row's number is not what it seems, or why it has none; empty when all is well."""
    if row.trial.outcome is Outcome.FAILED:
        return outcome_text(row)
    if row.trial.verdict in (PlacementVerdict.NONE, PlacementVerdict.EMPTY):
        return placement_verdict(row.trial).short
    outputs = outputs_verdict(row.trial)
    return outputs.short if outputs.tone in (Tone.BAD, Tone.DOUBTFUL) else ""


def outcome_text(row: ComparisonRow) -> str:
    """Return how a row ended, with its reason, or how far it is."""
    trial, part = row.trial, row.compared.part
    match trial.outcome:
        case Outcome.FAILED:
            return _tr("failed: {0}").format(trial.failure.kind.value if trial.failure else "")
        case Outcome.FINISHED if trial.is_being_kept:
            return _tr("finished, not kept yet")
        case Outcome.FINISHED:
            return _tr("finished, by itself") if part is not None and part.is_alone else _tr("finished")
        case Outcome.STOPPED:
            return _tr("stopped, {0}").format(_rounds_text(row)) if part is not None else _tr("stopped")
    if trial.stopping:
        return _tr("stopping…")
    if part is not None and part.rounds:
        return _rounds_text(row)
    return trial.facts.stage.value if row.is_current else _tr("waits")


def _rounds_text(row: ComparisonRow) -> str:
    part = row.compared.part
    if part is None:
        return ""
    return _tr("{0} of {1} rounds").format(count_text(len(part.rounds)), count_text(part.planned_rounds))


def _outcome_cell(row: ComparisonRow) -> str:
    """Return the outcome; of a failure what was said, which the view lets reach over the empty cells beside it."""
    failure, part = row.trial.failure, row.compared.part
    text = outcome_text(row)
    if row.trial.is_running and part is not None and part.rounds:
        return _tr("{0} of {1}").format(count_text(len(part.rounds)), count_text(part.planned_rounds))
    return f"{text}: {failure.message}" if failure is not None and row.trial.outcome is Outcome.FAILED else text


def _outcome_tip(row: ComparisonRow) -> str:
    part, failure = row.compared.part, row.trial.failure
    lines = [outcome_text(row)]
    if failure is not None:
        lines += [line for line in (failure.message, failure.hint) if line]
    if part is not None:
        rounds = _rounds_text(row)
        if rounds not in lines[0]:
            lines.append(rounds)
        if part.is_alone:
            lines.append(_tr("Measured anew by itself, not by turns: drift may be part of a difference."))
        if part.is_made_anew:
            lines.append(_tr("For want of memory its session was made anew for each round."))
    return "\n".join(lines)


def ratio_text(row: ComparisonRow) -> str:
    """Return how a row compares with the baseline: `1.31 × faster (1.24–1.38)`, `no difference`, `baseline`."""
    if row.is_baseline:
        return _tr("baseline")
    ratio = row.ratio
    if ratio is None:
        return DASH
    match ratio.verdict:
        case RatioVerdict.TOO_FEW:
            return _tr("too few rounds")
        case RatioVerdict.NO_DIFFERENCE:
            return _tr("no difference")
        case RatioVerdict.FASTER:
            value, low, high, form = ratio.value, ratio.low, ratio.high, _tr("{0} × faster")
        case RatioVerdict.SLOWER:
            value, form = 1 / ratio.value, _tr("{0} × slower")
            low, high = (None if end is None else 1 / end for end in (ratio.high, ratio.low))
    text = form.format(_factor(value))
    return text if low is None or high is None else f"{text} ({_factor(low)}–{_factor(high)})"


def _ratio_tip(row: ComparisonRow) -> str:
    ratio = row.ratio
    if row.is_baseline:
        return _tr("The others of its sizes are compared with this row.")
    if ratio is None:
        return _tr("Nothing can be said: the row or its baseline has no samples.")
    lines = [_tr("The median latency of the baseline over that of this row: {0}").format(_factor(ratio.value))]
    if ratio.low is not None and ratio.high is not None:
        lines[0] += _tr(", 99 %: {0} to {1}").format(_factor(ratio.low), _factor(ratio.high))
    lines.append(ratio.verdict.value)
    if not ratio.is_paired:
        lines.append(_tr("Not measured by turns: drift between the two is part of the difference."))
    return "\n".join(lines)


def _factor(value: float) -> str:
    """Return a factor with three digits that say something: 1.31, 12.4, 131."""
    return QLocale().toString(value, "f", 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)


# ---- The table ----


class ComparisonTableModel(RecordTableModel[ComparisonRow]):
    """One row a cell of the comparison. The callables give icons, and the colour of what says little."""

    def __init__(
        self,
        *,
        swatch: Callable[[ComparisonRow], QIcon | None],
        outcome_icon: Callable[[ComparisonRow], QIcon | None],
        verdict_icon: Callable[[Verdict], QIcon | None],
        rough_color: Callable[[], QColor],
        parent: QObject | None = None,
    ) -> None:
        columns = (
            Column[ComparisonRow](
                title=_tr("Target"),
                text=lambda row: row.label,
                icon=swatch,
                tip=lambda row: "\n".join(dict.fromkeys((row.label, row.compared.target_text))),
                is_bold=lambda row: row.is_baseline,
            ),
            Column[ComparisonRow](title=_tr("Sizes"), text=lambda row: sizes_text(row.trial), sort=_sizes_order),
            Column[ComparisonRow](
                title=_tr("Outcome"), text=_outcome_cell, sort=outcome_text, icon=outcome_icon, tip=_outcome_tip
            ),
            _latency_column(_tr("Median"), lambda statistics: statistics.median_ns),
            Column[ComparisonRow](
                title=_tr("To the baseline"),
                text=ratio_text,
                sort=_ratio_order,
                tip=_ratio_tip,
                header_tip=_tr("How many times as fast as the baseline by the median, with the 99 % interval"),
            ),
            _latency_column(_tr("p90"), lambda statistics: statistics.p90_ns),
            _latency_column(
                _tr("p99"),
                lambda statistics: statistics.p99_ns,
                color=lambda row: rough_color() if _is_rough(row) else None,
                tip=_p99_tip,
            ),
            Column[ComparisonRow](
                title=_tr("Throughput"),
                text=lambda row: rate_text(row.rate_per_s),
                sort=lambda row: row.rate_per_s or 0.0,
                is_number=True,
                header_tip=_tr("Runs a second, by the wall-clock time of the measured runs; items where sizes differ"),
            ),
            Column[ComparisonRow](
                title=_tr("Placement"),
                text=lambda row: placement_verdict(row.trial).cell,
                sort=lambda row: placement_share(row.trial),
                icon=lambda row: verdict_icon(placement_verdict(row.trial)),
                tip=lambda row: placement_verdict(row.trial).tip,
                header_tip=_tr("How many nodes of the model the EP of the target got"),
            ),
            Column[ComparisonRow](
                title=_tr("Outputs"),
                text=lambda row: outputs_verdict(row.trial).cell,
                sort=_agreement_order,
                icon=lambda row: verdict_icon(outputs_verdict(row.trial)),
                tip=lambda row: outputs_verdict(row.trial).tip,
                header_tip=_tr("Whether the outputs agree with those of ORT's CPU EP"),
            ),
            Column[ComparisonRow](title=_tr("Machine"), text=lambda row: row.compared.machine or DASH),
        )
        super().__init__(columns, lambda row: row.trial.id, parent)
        self._unit = ""

    def set_dimension(self, name: str | None) -> None:
        """Tell the dimension whose sizes differ: throughput is then that of its items."""
        unit = "" if name is None else _tr("Items")
        if unit != self._unit:
            self._unit = unit
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, RATE, RATE)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """Qt's."""
        is_rate = section == RATE and orientation is Qt.Orientation.Horizontal
        if is_rate and role == Qt.ItemDataRole.DisplayRole and self._unit:
            return self._unit
        return super().headerData(section, orientation, role)


def _latency_column(
    title: str,
    value: Callable[[LatencyStatistics], int],
    *,
    color: Callable[[ComparisonRow], QColor | None] | None = None,
    tip: Callable[[ComparisonRow], str] | None = None,
) -> Column[ComparisonRow]:
    def nanoseconds(row: ComparisonRow) -> int | None:
        return None if row.statistics is None else value(row.statistics)

    return Column[ComparisonRow](
        title=title,
        text=lambda row: time_text(nanoseconds(row)),
        sort=lambda row: nanoseconds(row) or 0,
        is_number=True,
        color=color,
        tip=tip,
    )


def _is_rough(row: ComparisonRow) -> bool:
    return row.statistics is not None and row.statistics.is_p99_rough


def _p99_tip(row: ComparisonRow) -> str:
    if row.statistics is None:
        return DASH
    text = time_text(row.statistics.p99_ns)
    if not _is_rough(row):
        return text
    rough = _tr("Rough: with fewer than {0} samples it is the slowest sample or the one before it.")
    return f"{text}\n{rough.format(count_text(MIN_P99_SAMPLES))}"


def _sizes_order(row: ComparisonRow) -> str:
    """Return the sizes so that 8 comes before 16 as text, too."""
    dimensions = row.trial.facts.dimensions or row.trial.settings.dimensions
    return ", ".join(f"{entry.name} {entry.size:020d}" for entry in dimensions)


def _ratio_order(row: ComparisonRow) -> float:
    if row.is_baseline:
        return 1.0
    return -1.0 if row.ratio is None else row.ratio.value


def _agreement_order(row: ComparisonRow) -> int:
    check = row.trial.facts.check
    return len(Agreement) if check is None else list(Agreement).index(check.agreement)
