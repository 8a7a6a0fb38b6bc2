"""Kept trials side by side: their rows, what is to be said of them, and the table of both. Always the C locale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .check import Agreement
from .compared import Compared, compared_of, with_labels
from .comparison_answer import Answer, answer_of, items_of, varying_dimension
from .comparison_ratio import Ratio, Verdict, ratio_texts
from .kept_trial import KeptTrial, model_name
from .placement import PlacementVerdict
from .result import Outcome
from .units import time_text

_DASH = "–"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedTrials:
    """What reports, charts and tables of a comparison are made of."""

    trials: tuple[KeptTrial, ...]
    rows: tuple[Compared, ...]
    """One a trial, in the same order, no two of the same label."""
    answer: Answer
    baseline: int | None = None
    """The index of the row chosen to be compared with; None leaves it to what the trials say."""
    notes: tuple[str, ...] = ()
    """What is to be known of how it was measured, a sentence each."""

    @property
    def baselines(self) -> frozenset[int]:
        """The indices of the rows that others are compared with: one of each size."""
        return frozenset(group.baseline for group in self.answer.groups if group.baseline is not None)

    @property
    def order(self) -> tuple[int, ...]:
        """The indices of the rows, those of the same sizes together."""
        return tuple(number for group in self.answer.groups for number in group.rows)

    @property
    def title(self) -> str:
        """What is compared: one model on several targets, as a rule."""
        names = tuple(dict.fromkeys(model_name(row.settings.model_path) for row in self.rows))
        what = names[0] if len(names) == 1 else f"{len(names)} models"
        return f"{what}: comparison of {len(self.rows)}"


def compared_trials(
    trials: Sequence[KeptTrial], baseline: int | None = None, notes: Sequence[str] = ()
) -> ComparedTrials:
    """Return trials as they are compared; `baseline` is an index, None leaves it to what the trials say."""
    rows = with_labels([compared_of(kept) for kept in trials])
    answer = answer_of(rows, baseline)
    return ComparedTrials(trials=tuple(trials), rows=rows, answer=answer, baseline=baseline, notes=tuple(notes))


def table_rows(found: ComparedTrials) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return titles, and as many cells a row: latency, ratio, throughput, where it ran, whether it is right.

    Where there are several models, also which.
    """
    dimension = varying_dimension(found.rows)
    rate = () if dimension is None else (f"Items a second ({dimension})",)
    models = {number: group.model for group in found.answer.groups for number in group.rows if group.model}
    titles = (
        "Row",
        *(("Model",) if models else ()),
        "Median",
        "95 % interval",
        "Speed",
        "p90",
        "p99",
        "Runs a second",
        *rate,
    )
    rows = []
    for number in found.order:
        row = found.rows[number]
        throughput = None if row.statistics is None else row.statistics.throughput_per_s
        items = None if dimension is None or throughput is None else throughput * items_of(row, dimension)
        rows.append(
            (
                row.label,
                *((models[number],) if models else ()),
                *_latency_cells(row)[:2],
                speed_text(found, number),
                *_latency_cells(row)[2:],
                _rate_text(throughput),
                *(() if dimension is None else (_rate_text(items),)),
                ran_text(row),
                outputs_text(row),
                outcome_text(row),
            )
        )
    return (*titles, "Ran on", "Outputs", "Outcome"), tuple(rows)


def speed_text(found: ComparedTrials, number: int) -> str:
    """Return how fast a row is against the baseline of its sizes, with the interval of that."""
    if number in found.baselines:
        return "baseline"
    ratio = found.answer.ratios[number]
    return _DASH if ratio is None else ratio_text(ratio)


def ratio_text(ratio: Ratio) -> str:
    """Return a ratio with its interval: `1.31 × (1.24 to 1.38)`, and what it is when it is no difference."""
    ends = () if ratio.low is None or ratio.high is None else (ratio.low, ratio.high)
    value, *interval = ratio_texts((ratio.value, *ends))
    text = f"{value} × ({interval[0]} to {interval[1]})" if interval else f"{value} ×"
    said = {Verdict.NO_DIFFERENCE: ", no difference", Verdict.TOO_FEW: ", too few rounds"}
    return text + said.get(ratio.verdict, "")


def ran_text(row: Compared) -> str:
    """Return how many nodes the wanted EP ran; where it was a policy's, which EP that was."""
    verdict = row.verdict
    match verdict:
        case PlacementVerdict.UNKNOWN:
            return _DASH
        case PlacementVerdict.EMPTY:
            return str(verdict.value)
    return f"{', '.join(row.facts.wanted_eps)}: {verdict.value}"


def outputs_text(row: Compared) -> str:
    """Return whether the outputs are right."""
    check = row.facts.check
    text = Agreement.NOT_CHECKED.value if check is None else check.agreement.value
    return f"{text}, NaN or infinity" if row.facts.non_finite_outputs else text


def outcome_text(row: Compared) -> str:
    """Return how a row ended, and at what when that was too early."""
    if row.outcome in (Outcome.FINISHED, Outcome.RUNNING):
        return str(row.outcome.value)
    return f"{row.outcome.value} while {row.facts.stage.value}"


def _latency_cells(row: Compared) -> tuple[str, str, str, str]:
    """Return the median, its interval, p90 and p99."""
    found = row.statistics
    if found is None:
        return _DASH, _DASH, _DASH, _DASH
    low, high = found.median_low_ns, found.median_high_ns
    interval = _DASH if low is None else f"{time_text(low)} to {time_text(high)}"
    p99 = time_text(found.p99_ns) + (" (rough)" if found.is_p99_rough else "")
    return time_text(found.median_ns), interval, time_text(found.p90_ns), p99


def _rate_text(rate: float | None) -> str:
    return _DASH if rate is None else f"{rate:.1f}"
