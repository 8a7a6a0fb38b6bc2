"""`--export` and `--show` without a window: trials as files to be handed over, and saved ones told and converted."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from .comparison_output import export_comparison, say_comparison
from .console import fail, say, say_table, write_text
from .records.comparison_file import KeptComparison, parse_comparison_file
from .records.comparison_table import compared_trials
from .records.export_kinds import ExportKind, export_kind
from .records.failure import FailureError, FailureKind, failure_error
from .records.kept_files import COMPARISON_FILE, HEAD_BYTES, kind_of
from .records.kept_trial import KeptTrial
from .records.setup import numbered
from .records.trial_exports import export_text
from .records.trial_file import parse_trial_file
from .records.trial_log import TrialLog
from .trial_summary import trial_rows


def is_summary(path: str) -> bool:
    """Whether a file of this name holds a line for each of several trials."""
    return export_kind(path) is ExportKind.SUMMARIES


def export_trial(paths: Sequence[str], kept: KeptTrial, number: int | None) -> None:
    """Write a trial to all files but summaries; of several trials each has a `number`. Raises `FailureError`."""
    for path in paths:
        kind = export_kind(path)
        if kind is not None and kind is not ExportKind.SUMMARIES:
            write_text(path if number is None else numbered(path, number), export_text(kind, (kept,)))


def export_summaries(paths: Sequence[str], trials: Sequence[KeptTrial]) -> None:
    """Write a line for each trial to the files that are summaries. Raises `FailureError`."""
    for path in filter(is_summary, paths):
        write_text(path, export_text(ExportKind.SUMMARIES, trials))


def run_show(arguments: argparse.Namespace) -> int:
    """Tell what saved trials and comparisons were, several of them compared, and write what --export names.

    Nothing is written when one cannot be read. Each trial is exported, or all as one when a comparison is among them.
    """
    try:
        read = [_read(path) for path in arguments.show]
        _check_places(arguments.show, arguments.export)
        trials = _each_once(kept for entry in read for kept in _trials_of(entry))
        found = None
        if len(trials) > 1 or any(isinstance(entry, KeptComparison) for entry in read):
            first = read[0]
            baseline = first.baseline if isinstance(first, KeptComparison) else None
            found = compared_trials(trials, baseline)
        if found is not None and any(isinstance(entry, KeptComparison) for entry in read):
            say_comparison(found)
            export_comparison(arguments.export, found)
            return 0
        for number, kept in enumerate(trials, start=1):
            if number > 1:
                say("")
            log = TrialLog.restored(kept.log, kept.log_left_out)
            say_table(trial_rows(kept.result, kept.devices, log, kept.remarks))
            export_trial(arguments.export, kept, number if len(trials) > 1 else None)
        export_summaries(arguments.export, trials)
        if found is not None:
            say("")
            say_comparison(found)
    except FailureError as error:
        return fail(error.failure)
    return 0


def _trials_of(entry: KeptTrial | KeptComparison) -> tuple[KeptTrial, ...]:
    return entry.trials if isinstance(entry, KeptComparison) else (entry,)


def _each_once(trials: Iterable[KeptTrial]) -> tuple[KeptTrial, ...]:
    """Return trials without those that came before: a trial may lie in several files."""
    return tuple({kept.id: kept for kept in trials}.values())


def _read(path: str) -> KeptTrial | KeptComparison:
    file = Path(path).expanduser()
    try:
        data = file.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}."
        hint = "Name a file that --output wrote."
        raise failure_error(FailureKind.NOT_A_TRIAL, message, hint=hint) from error
    if kind_of(data[:HEAD_BYTES]) is COMPARISON_FILE:
        return parse_comparison_file(data, file.name)
    return parse_trial_file(data, file.name)


def _check_places(read: Sequence[str], written: Sequence[str]) -> None:
    """Raise `FailureError` when what is written would replace what was read."""
    sources = {Path(path).expanduser().resolve() for path in read}
    for path in written:
        if Path(path).expanduser().resolve() in sources:
            message = f"--export would replace {path}, which is shown."
            raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.")
