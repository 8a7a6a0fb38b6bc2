"""What a report of a comparison says below its answer, section by section, before it is Markdown or HTML."""

from __future__ import annotations

from collections.abc import Sequence

from .compared import Compared, is_by_turns
from .comparison_ratio import NOISE_PERCENT
from .comparison_table import ComparedTrials, outcome_text, table_rows
from .kept_trial import KeptTrial
from .placement import PlacementVerdict, verdict_text
from .report_document import Block, Code, Points, Quote, Section, Table
from .result import Outcome
from .trial_sections import device_blocks, environment_rows, first_lines, library_blocks
from .trial_setup_rows import setup_rows
from .units import time_text

_SPEED = (
    "Speed says how many times as fast a row is as the baseline: 1.31 × is 31 % more runs in the same time. By turns, "
    "the medians of each round are compared; the ratios of all rounds give the value and, in brackets, its 99 % "
    "interval."
)
_NOISE = (
    f"A difference is told only when the whole interval is more than {NOISE_PERCENT:g} % away from 1: two sessions of "
    "one model on one device can differ by as much. Else there is no difference larger than the noise."
)
_LATENCY = (
    "Medians, p90 and p99 are nearest rank, of the samples of all rounds; the interval of a median is its 95 % one. "
    "The first run, the warm-up and the lead-in of each round are left out."
)
_RATE = "Runs a second are samples over the wall-clock time of the measured runs, of all callers together."
DEFINITIONS = (_SPEED, _NOISE, _LATENCY, _RATE)
_Pair = tuple[str, str]


def comparison_sections(found: ComparedTrials) -> tuple[Section, ...]:
    """Return all that is told of a comparison; sections of which nothing is known are left out."""
    titles, rows = table_rows(found)
    labelled = [(found.rows[number], found.trials[number]) for number in found.order]
    sections = (
        Section(title="Results", blocks=(Table(titles=titles, rows=rows), *_group_sentences(found))),
        Section(title="Cautions", blocks=_points(found.answer.cautions)),
        Section(title="What failed", blocks=_failures(labelled)),
        Section(title="Placement and remarks", blocks=_points(_remarks(labelled))),
        Section(title="How it was measured", blocks=_measuring(found)),
        Section(title="Set-up", blocks=_setups(labelled)),
        Section(title="Environment", blocks=_environments(labelled)),
        Section(title="Libraries", blocks=_libraries(found.trials)),
        Section(title="Devices", blocks=_devices(found.trials)),
    )
    return tuple(section for section in sections if section.blocks)


def _points(texts: Sequence[str]) -> tuple[Block, ...]:
    return (Points(texts=tuple(texts)),) if texts else ()


def _group_sentences(found: ComparedTrials) -> tuple[Block, ...]:
    """Return the answer for each of many sizes, where those before the table do not say it."""
    said = found.answer.sentences
    sentences = dict.fromkeys(group.sentence for group in found.answer.groups)
    return _points([sentence for sentence in sentences if sentence and sentence not in said])


def _failures(labelled: Sequence[tuple[Compared, KeptTrial]]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for row, _kept in labelled:
        if row.outcome is Outcome.FINISHED:
            continue
        reason = f"{row.label} {outcome_text(row)}" + (f": {row.failure}" if row.failure is not None else ".")
        if row.failure is not None and row.failure.detail:
            blocks.append(Quote(text=f"{reason} Word for word:", lines=first_lines((row.failure.detail,))))
        else:
            blocks.append(Points(texts=(reason,)))
    return tuple(blocks)


def _remarks(labelled: Sequence[tuple[Compared, KeptTrial]]) -> list[str]:
    """Return what is to be minded of each row, in few words: its own report says it at length."""
    found = []
    for row, kept in labelled:
        check = row.facts.check
        said = [] if row.verdict is PlacementVerdict.ALL else [verdict_text(row.facts.placement, row.facts.wanted_eps)]
        said += [] if check is None else [check.note]
        said += [f"To be minded: {', '.join(remark.kind.value for remark in kept.remarks)}."] if kept.remarks else []
        found += [f"{row.label}: {text}" for text in (*said, *kept.facts.notes) if text]
    return found


# ---- How ----


def _measuring(found: ComparedTrials) -> tuple[Block, ...]:
    parts = [row.part for row in found.rows if row.part is not None]
    began = min((row.created for row in found.rows if row.created), default="")
    pairs: list[_Pair] = [("Began", began)] if began else []
    if is_by_turns(found.rows) and parts:
        order = "By turns, each row for a short while in every round, in an order drawn anew for each round"
        pairs += [("Order", order), ("Comparison id", Code(parts[0].id))]
        if any(part.is_made_anew for part in parts):
            pairs.append(("Sessions", "Made anew for each round, for want of memory"))
    else:
        pairs.append(("Order", "Not by turns: drift between the rows is part of what tells them apart"))
    rows = tuple(_measured(found.rows[number]) for number in found.order)
    return (
        Table(titles=("What", "Value"), rows=tuple(pairs)),
        Table(titles=("Row", "Rounds", "Runs", "Measured for", "Session creation", "First run"), rows=rows),
        *_points(found.notes),
        Points(texts=DEFINITIONS),
    )


def _measured(row: Compared) -> tuple[str, ...]:
    part, facts = row.part, row.facts
    return (
        row.label,
        "alone" if part is None else f"{len(part.rounds)} of {part.planned_rounds}" + (", alone" * part.is_alone),
        str(len(row.samples)),
        f"{row.elapsed_ns / 1e9:.2f} s",
        time_text(facts.session_creation_ns),
        time_text(facts.first_run_ns),
    )


# ---- On what ----


def _setups(labelled: Sequence[tuple[Compared, KeptTrial]]) -> tuple[Block, ...]:
    return _common_and_own([(row, setup_rows(kept)) for row, kept in labelled])


def _environments(labelled: Sequence[tuple[Compared, KeptTrial]]) -> tuple[Block, ...]:
    return _common_and_own([(row, environment_rows(kept)) for row, kept in labelled])


def _common_and_own(told: Sequence[tuple[Compared, Sequence[_Pair]]]) -> tuple[Block, ...]:
    """Return a table of what is so for all rows, and one of what is not."""
    pairs = [tuple(dict.fromkeys(pairs)) for _row, pairs in told]
    common = [pair for pair in pairs[0] if all(pair in others for others in pairs)] if pairs else []
    own = tuple(
        (row.label, *pair)
        for (row, _pairs), each in zip(told, pairs, strict=True)
        for pair in each
        if pair not in common
    )
    blocks: list[Block] = []
    if common:
        blocks.append(Table(titles=("What", "Value"), rows=tuple(common)))
    if own:
        blocks.append(Table(titles=("Row", "What", "Value"), rows=own))
    return tuple(blocks)


def _libraries(trials: Sequence[KeptTrial]) -> tuple[Block, ...]:
    found = {(library.name, library.path): library for kept in trials for library in kept.libraries}
    return library_blocks(tuple(found.values()))


def _devices(trials: Sequence[KeptTrial]) -> tuple[Block, ...]:
    found = dict.fromkeys(device for kept in trials for device in kept.devices)
    return device_blocks(tuple(found))
