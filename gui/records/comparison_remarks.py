"""What weakens a comparison: rows whose number is not their own, and ways in which they were not measured alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .check import Agreement
from .compared import Compared, is_by_turns
from .comparison_groups import CPU_EP, is_own_number
from .comparison_ratio import MIN_ROUNDS_TO_TELL, MIN_SAMPLES_TO_TELL, Ratio, Verdict
from .comparison_sentences import names_text
from .placement import PlacementVerdict, verdict_text
from .result import Outcome

_MOST_FAILURES = 6
_WIDE = 1.1
"""A difference of so much that is lost in the noise is worth a word."""


# ---- What does not count ----


def not_counted(rows: Sequence[Compared]) -> tuple[str, ...]:
    """Return a sentence for each reason why a number is missing, or is not that of the target."""
    return (*_nowhere(rows), *_wrong(rows), *_failed(rows), *_stopped(rows))


def _nowhere(rows: Sequence[Compared]) -> Iterable[str]:
    """Tell of those none of whose nodes ran on the EP that was wanted."""
    by_eps: dict[str, list[Compared]] = {}
    for row in rows:
        if row.verdict is PlacementVerdict.NONE:
            eps = " and ".join(
                "the CPU" if part.ep_name == CPU_EP else part.ep_name for part in row.facts.placement or ()
            )
            by_eps.setdefault(eps, []).append(row)
    for eps, those in by_eps.items():
        if not any(len(row.samples) for row in those):
            yield f"{_names(those)} ran none of the nodes."
        elif len(those) == 1:
            yield f"{_names(those)} ran none of the nodes: its number is that of {eps}."
        else:
            yield f"{_names(those)} ran none of the nodes: their numbers are those of {eps}."
    folded = [row for row in rows if row.verdict is PlacementVerdict.EMPTY]
    if folded:
        yield f"{_names(folded)} had no node left to run: ORT folded the model into constants."


def _wrong(rows: Sequence[Compared]) -> Iterable[str]:
    wrong = [row for row in rows if row.facts.check is not None and row.facts.check.agreement is Agreement.DIFFERENT]
    if wrong:
        yield f"The outputs of {_names(wrong)} differ from the CPU's."


def _failed(rows: Sequence[Compared]) -> Iterable[str]:
    by_reason: dict[str, list[Compared]] = {}
    for row in rows:
        if row.outcome is Outcome.FAILED:
            reason = "" if row.failure is None else f": {row.failure.message.rstrip('.')}"
            by_reason.setdefault(reason, []).append(row)
    for reason, those in list(by_reason.items())[:_MOST_FAILURES]:
        yield f"{_names(those)} failed{reason}."
    rest = sum(len(those) for those in list(by_reason.values())[_MOST_FAILURES:])
    if rest:
        yield f"{rest} more failed."


def _stopped(rows: Sequence[Compared]) -> Iterable[str]:
    by_rounds: dict[str, list[Compared]] = {}
    for row in rows:
        if row.outcome is not Outcome.STOPPED:
            continue
        if row.part is not None and not row.part.is_alone:
            rounds = f" after {len(row.part.rounds)} of {row.part.planned_rounds} rounds"
        else:
            rounds = "" if len(row.samples) else " before anything was measured"
        by_rounds.setdefault(rounds, []).append(row)
    for rounds, those in by_rounds.items():
        if len(those) == len(rows) > 1 and is_by_turns(rows):
            yield f"The comparison was stopped{rounds}."
        else:
            yield f"{_names(those)} {'was' if len(those) == 1 else 'were'} stopped{rounds}."


# ---- What was not alike ----


def cautions_of(
    rows: Sequence[Compared], groups: Iterable[Sequence[int]], ratios: Mapping[int, Ratio]
) -> tuple[str, ...]:
    """Return a sentence for each way in which the rows were not measured alike, or say less than they seem to.

    `groups` are the indices of rows of the same sizes, `ratios` those found, by the index of the row.
    """
    measured = [row for row in rows if len(row.samples)]
    alike = [[rows[index] for index in group if len(rows[index].samples)] for group in groups]
    own = [ratio for index, ratio in ratios.items() if is_own_number(rows[index])]
    return (
        *_turns(measured),
        *_circumstances(measured),
        *_settings(alike),
        *_made_anew(measured),
        *_few([row for row in measured if is_own_number(row)], own),
        *_noise(own),
        *_parts(measured),
    )


def _turns(rows: Sequence[Compared]) -> Iterable[str]:
    if len(rows) < 2 or is_by_turns(rows):
        return
    what = "what changed between them (heat, clocks, other load) is part of the difference."
    alone = [row for row in rows if row.part is not None and row.part.is_alone]
    others = [row for row in rows if row not in alone]
    if alone and is_by_turns(others):
        yield f"{_names(alone)} {'was' if len(alone) == 1 else 'were'} not measured by turns with the others: {what}"
    else:
        yield f"Not measured by turns: {what}"


def _circumstances(rows: Sequence[Compared]) -> Iterable[str]:
    machines = _distinct(row.machine or "one that is not known" for row in rows)
    if len(machines) > 1:
        yield f"Measured on different machines: {'; '.join(machines)}."
    versions = _distinct(row.onnxruntime or "not known" for row in rows)
    if len(versions) > 1:
        yield f"Measured with different versions of ONNX Runtime: {', '.join(versions)}."
    models = _distinct(row.settings.model_path for row in rows)
    if len(models) > 1:
        yield f"Different model files: {', '.join(models)}; whether their contents are the same is not known."
    elif len(machines) > 1:
        yield f"Whether {models[0]} is the same file on each machine is not known."


def _settings(groups: Sequence[Sequence[Compared]]) -> Iterable[str]:
    """Compare within groups: of other sizes the inputs are others, too."""
    if any(len({(row.settings.inputs, row.settings.seed) for row in rows}) > 1 for rows in groups):
        yield "Their inputs are not the same: other sources, or another seed."
    threads = [sorted({row.facts.intra_op_threads or row.settings.intra_op_threads for row in rows}) for rows in groups]
    differing = next((entry for entry in threads if len(entry) > 1), None)
    if differing is not None:
        numbers = ", ".join(str(number) if number else "ORT's choice" for number in differing)
        yield f"They ran with different numbers of intra-op threads: {numbers}."
    callers = [sorted({row.settings.callers for row in rows}) for rows in groups]
    differing = next((entry for entry in callers if len(entry) > 1), None)
    if differing is not None:
        numbers = ", ".join(map(str, differing))
        yield f"They were called by different numbers of threads at the same time: {numbers}."
    if any(len({row.settings.pause_ms for row in rows}) > 1 for rows in groups):
        yield "The pauses between their runs were not the same."


def _made_anew(rows: Sequence[Compared]) -> Iterable[str]:
    anew = [row for row in rows if row.part is not None and row.part.is_made_anew]
    if anew:
        sessions = "session of" if len(anew) == 1 else "sessions of"
        made = "was" if len(anew) == 1 else "were"
        yield f"For want of memory the {sessions} {_names(anew)} {made} made anew for each round."


def _few(rows: Sequence[Compared], ratios: Sequence[Ratio]) -> Iterable[str]:
    too_few = [ratio for ratio in ratios if ratio.verdict is Verdict.TOO_FEW]
    if any(ratio.is_paired for ratio in too_few):
        counts = [len(row.part.rounds) for row in rows if row.part is not None and not row.part.is_alone]
        fewest = min(counts)
        if fewest < MIN_ROUNDS_TO_TELL:
            yield f"An interval of 99 % needs at least {MIN_ROUNDS_TO_TELL} rounds; there are {fewest}."
        else:
            yield f"{fewest} rounds are too few for intervals of so many rows: measure more."
    if any(not ratio.is_paired for ratio in too_few):
        yield (
            f"Where too little was measured there is no interval: it needs {MIN_SAMPLES_TO_TELL} samples of each row "
            "at least, and by turns rounds that both have in common."
        )


def _noise(ratios: Sequence[Ratio]) -> Iterable[str]:
    """Say how large a difference may be that was not told."""
    lost = [
        max(ratio.high, 1 / ratio.low)
        for ratio in ratios
        if ratio.verdict is Verdict.NO_DIFFERENCE and ratio.low is not None and ratio.high is not None
    ]
    if lost and max(lost) > _WIDE:
        yield (
            f"Differences of up to {max(lost):.2f} × may be lost in the noise: "
            "end other programs, or measure for longer."
        )


def _parts(rows: Sequence[Compared]) -> Iterable[str]:
    for row in rows:
        if row.verdict is PlacementVerdict.PART:
            yield f"{row.label}: {verdict_text(row.facts.placement, row.facts.wanted_eps)}"


def _names(rows: Sequence[Compared]) -> str:
    return names_text([row.label for row in rows])


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
