"""What weakens a comparison: rows whose number is not their own, and ways in which they were not measured alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .check import Agreement
from .compared import Compared, early_end, is_by_turns
from .comparison_groups import CPU_EP, is_own_number, model_names, models_of
from .comparison_ratio import MIN_ROUNDS_TO_TELL, MIN_SAMPLES_TO_TELL, Ratio, Verdict, rounds_to_tell
from .comparison_sentences import names_text
from .placement import PlacementVerdict, verdict_text
from .result import Outcome

_Found = tuple[Compared, Compared, Ratio]
"""A row, the one that it is compared with, and how."""
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
            yield f"{_names(those)} {_was(those)} stopped{rounds}."


# ---- What was not alike ----


def cautions_of(
    rows: Sequence[Compared], groups: Iterable[Sequence[int]], ratios: Mapping[int, tuple[Ratio, int]]
) -> tuple[str, ...]:
    """Return a sentence for each way in which the rows were not measured alike, or say less than they seem to.

    `groups` are the indices of rows of the same model and sizes, `ratios` those found, by the index of the row, each
    with the index of the row that this one is compared with.
    """
    measured = [row for row in rows if len(row.samples)]
    alike = [[rows[index] for index in group if len(rows[index].samples)] for group in groups]
    found = [(rows[index], rows[base], ratio) for index, (ratio, base) in ratios.items()]
    own = [entry for entry in found if is_own_number(entry[0])]
    return (
        *_turns(found),
        *_models(measured),
        *_circumstances(measured),
        *_settings(alike),
        *_made_anew(measured),
        *_few(own, rounds_to_tell(len(ratios))),
        *_noise([ratio for _row, _base, ratio in own]),
        *_parts(measured),
    )


def _turns(found: Sequence[_Found]) -> Iterable[str]:
    """Tell of ratios of rows that were not measured by turns; rows that nobody compares may be from anywhere."""
    apart = [(row, base) for row, base, ratio in found if ratio.rounds is None]
    if not apart:
        return
    what = "what changed between them (heat, clocks, other load) is part of the difference."
    alone = [row for pair in apart for row in pair if _is_alone(row)]
    others = {row.id for row, base, _ratio in found for row in (row, base)} - {row.id for row in alone}
    if all(_is_alone(row) or _is_alone(base) for row, base in apart) and len(others) > 1:
        those = list(dict.fromkeys(alone))
        yield f"{_names(those)} {_was(those)} not measured by turns with the others: {what}"
    elif len(apart) < len(found):
        those, bases = [row for row, _base in apart], list(dict.fromkeys(base for _row, base in apart))
        yield f"{_names(those)} {_was(those)} not measured by turns with {_names(bases)}: {what}"
    else:
        yield f"Not measured by turns: {what}"


def _models(rows: Sequence[Compared]) -> Iterable[str]:
    """Tell of models that are not compared with each other, and of files that may hold different ones."""
    names, numbers = model_names(rows), models_of(rows)
    if len(names) > 1:
        yield f"Different models are not compared with each other: {names_text(names)}."
    for model in range(len(names)):
        of_model = [row for row, number in zip(rows, numbers, strict=True) if number == model]
        paths = _distinct(row.settings.model_path for row in of_model)
        if len(paths) > 1:
            yield f"Different model files: {', '.join(paths)}; whether their contents are the same is not known."
        elif len({row.machine for row in of_model}) > 1:
            yield f"Whether {paths[0]} is the same file on each machine is not known."


def _circumstances(rows: Sequence[Compared]) -> Iterable[str]:
    machines = _distinct(row.machine or "one that is not known" for row in rows)
    if len(machines) > 1:
        yield f"Measured on different machines: {'; '.join(machines)}."
    versions = _distinct(row.onnxruntime or "not known" for row in rows)
    if len(versions) > 1:
        yield f"Measured with different versions of ONNX Runtime: {', '.join(versions)}."


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
        yield f"For want of memory the {sessions} {_names(anew)} {_was(anew)} made anew for each round."


def _few(found: Sequence[_Found], needed: int) -> Iterable[str]:
    """Tell what there is too little of; of rows that have too few rounds in common, which of them ended early."""
    ended: dict[Compared, list[Compared]] = {}
    counts = []
    for row, base, ratio in found:
        if ratio.verdict is not Verdict.TOO_FEW or ratio.rounds is None:
            continue
        shorter, longer = (row, base) if _round_count(row) < _round_count(base) else (base, row)
        if early_end(shorter) and _round_count(shorter) < _round_count(longer):
            ended.setdefault(shorter, []).append(longer)
        else:
            counts.append(ratio.rounds)
    for row, others in ended.items():
        yield (
            f"{row.label} {early_end(row)}: too few in common with {_names(others)} to tell a difference "
            f"({needed} are needed)."
        )
    if counts and needed == MIN_ROUNDS_TO_TELL:
        yield f"An interval of 99 % needs at least {needed} rounds; there are {min(counts)}."
    elif counts:
        yield f"Intervals of 99 % for so many rows need at least {needed} rounds; there are {min(counts)}."
    if any(ratio.verdict is Verdict.TOO_FEW and ratio.rounds is None for _row, _base, ratio in found):
        yield f"Where too little was measured there is no interval: it needs {MIN_SAMPLES_TO_TELL} samples of each row."


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


def _was(rows: Sequence[Compared]) -> str:
    return "was" if len(rows) == 1 else "were"


def _is_alone(row: Compared) -> bool:
    return row.part is not None and row.part.is_alone


def _round_count(row: Compared) -> int:
    return 0 if row.part is None else len(row.part.rounds)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
