"""Comparisons as CSV (RFC 4180, C locale): a line for each row with its ratio, or one for each sample of all rows."""

from __future__ import annotations

from collections.abc import Iterator

from .comparison_table import ComparedTrials
from .trial_csv import SUMMARY_COLUMNS, Cell, csv_text, summary_cells

RATIO_COLUMNS = (
    "label",
    "baseline",
    "ratio",
    "ratio_low",
    "ratio_high",
    "verdict",
    "by_turns",
    "rounds",
    "round_order",
)
"""`baseline` is the label of the row it is compared with; `ratio` is that one's median over this one's. `by_turns` says
whether both were measured so; `round_order` is the place the row had in each round."""
SAMPLE_COLUMNS = ("label", "round", "index", "latency_ns")
"""`index` counts from 1 within a row; `round` is empty of a trial that was not measured in rounds."""


def comparison_summaries_csv(found: ComparedTrials) -> str:
    """Return a line for each row, in the order of the trials; a cell is empty where something is not known."""
    baselines = {number: group.baseline for group in found.answer.groups for number in group.rows}
    lines = []
    for number, (row, kept) in enumerate(zip(found.rows, found.trials, strict=True)):
        baseline, ratio = baselines.get(number), found.answer.ratios[number]
        ratio_cells: tuple[Cell, ...] = (None, None, None, "", None)
        if ratio is not None:
            ratio_cells = (ratio.value, ratio.low, ratio.high, ratio.verdict.value, "yes" if ratio.is_paired else "no")
        rounds = () if row.part is None else row.part.rounds
        lines.append(
            (
                row.label,
                "" if baseline is None else found.rows[baseline].label,
                *ratio_cells,
                None if row.part is None else len(rounds),
                " ".join(str(entry.position) for entry in rounds),
                *summary_cells(kept),
            )
        )
    return csv_text((*RATIO_COLUMNS, *SUMMARY_COLUMNS), lines)


def comparison_samples_csv(found: ComparedTrials) -> str:
    """Return a line for each sample of all rows, in long form."""
    return csv_text(SAMPLE_COLUMNS, _sample_lines(found))


def _sample_lines(found: ComparedTrials) -> Iterator[tuple[Cell, ...]]:
    for row in found.rows:
        rounds: list[int | None] = []
        for entry in () if row.part is None else row.part.rounds:
            rounds += [entry.number] * entry.sample_count
        rounds += [None] * (len(row.samples) - len(rounds))  # those of a round that was cut short by a death
        for index, latency in enumerate(row.samples.tolist()):
            yield row.label, rounds[index], index + 1, latency
