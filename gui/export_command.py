"""`--export` and `--show` without a window: trials as files to be handed over, and saved ones told and converted."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .console import fail, say, say_table, write_text
from .records.export_kinds import ExportKind, export_kind
from .records.failure import FailureError, FailureKind, failure_error
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
    """Tell what saved trials were, and write what --export names; nothing is written when one cannot be read."""
    try:
        trials = [_read(path) for path in arguments.show]
        _check_places(arguments.show, arguments.export)
        for number, kept in enumerate(trials, start=1):
            if number > 1:
                say("")
            log = TrialLog.restored(kept.log, kept.log_left_out)
            say_table(trial_rows(kept.result, kept.devices, log, kept.remarks))
            export_trial(arguments.export, kept, number if len(trials) > 1 else None)
        export_summaries(arguments.export, trials)
    except FailureError as error:
        return fail(error.failure)
    return 0


def _read(path: str) -> KeptTrial:
    file = Path(path).expanduser()
    try:
        return parse_trial_file(file.read_bytes(), file.name)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}."
        raise failure_error(FailureKind.NOT_A_TRIAL, message, hint="Name a file that --output wrote.") from error


def _check_places(read: Sequence[str], written: Sequence[str]) -> None:
    """Raise `FailureError` when what is written would replace what was read."""
    sources = {Path(path).expanduser().resolve() for path in read}
    for path in written:
        if Path(path).expanduser().resolve() in sources:
            message = f"--export would replace {path}, which is shown."
            raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.")
