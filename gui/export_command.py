"""`--export` and `--show` without a window: trials as files to be handed over, and saved ones told and converted."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from .comparison_output import comparison_exports, say_comparison
from .console import fail, say, say_table, write_all
from .records.comparison_file import KeptComparison, parse_comparison_file
from .records.comparison_table import ComparedTrials, compared_trials
from .records.export_kinds import ExportKind, export_kind
from .records.failure import FailureError, FailureKind, failure_error
from .records.kept_files import COMPARISON_FILE, HEAD_BYTES, kind_of
from .records.kept_trial import KeptTrial
from .records.setup import numbered
from .records.trial_exports import export_text
from .records.trial_file import parse_trial_file
from .records.trial_log import TrialLog
from .trial_summary import trial_rows
from .written_places import check_places


def is_summary(path: str) -> bool:
    """Whether a file of this name holds a line for each of several trials."""
    return export_kind(path) is ExportKind.SUMMARIES


def trial_exports(paths: Sequence[str], kept: KeptTrial, number: int | None) -> list[tuple[str, Callable[[], str]]]:
    """Return names and texts of all files of a trial but summaries; of several trials each has a `number`."""
    kinds = ((path, export_kind(path)) for path in paths)
    return [
        (path if number is None else numbered(path, number), partial(export_text, kind, (kept,)))
        for path, kind in kinds
        if kind is not None and kind is not ExportKind.SUMMARIES
    ]


def summary_exports(paths: Sequence[str], trials: Sequence[KeptTrial]) -> list[tuple[str, Callable[[], str]]]:
    """Return names and texts of the files that hold a line for each trial."""
    return [(path, partial(export_text, ExportKind.SUMMARIES, trials)) for path in filter(is_summary, paths)]


def run_show(arguments: argparse.Namespace) -> int:
    """Tell what saved trials and comparisons were, several of them compared, and write what --export names.

    Nothing is written when one cannot be read. A trial alone is exported as one, several as a comparison of them.
    """
    paths: list[str] = arguments.show
    try:
        read = [_read(path) for path in paths]
        check_places({f"--export {path}": path for path in arguments.export}, paths, reader="--show")
        trials = _each_once(kept for entry in read for kept in _trials_of(entry))
        comparisons = [entry for entry in read if isinstance(entry, KeptComparison)]
        found = None
        if comparisons or len(trials) > 1:
            found = _compared(paths, read, trials, arguments.baseline)
        if found is None and arguments.baseline is not None:
            message = "A trial alone is compared with nothing, so it has no baseline."
            raise failure_error(FailureKind.BAD_SETTING, message, hint="Show several, or a comparison.")
    except FailureError as error:
        return fail(error.failure)
    if found is not None:
        is_written = write_all(comparison_exports(arguments.export, found))
    else:
        exports = trial_exports(arguments.export, trials[0], None) + summary_exports(arguments.export, trials)
        is_written = write_all(exports)
    for kept in () if comparisons else trials:
        log = TrialLog.restored(kept.log, kept.log_left_out)
        say_table(trial_rows(kept.result, kept.devices, log, kept.remarks))
        if found is not None:
            say("")
    if found is not None:
        say_comparison(found)
    return 0 if is_written else 1


def _compared(
    paths: Sequence[str],
    read: Sequence[KeptTrial | KeptComparison],
    trials: tuple[KeptTrial, ...],
    wanted: str | None,
) -> ComparedTrials:
    """Return trials compared with the row that is wanted, else as the first file says. Raises `FailureError`.

    A row is named by its label, that of a trial's own file also by the name of that.
    """
    first = read[0]
    baseline = first.baseline if isinstance(first, KeptComparison) else None
    notes = dict.fromkeys(note for entry in read if isinstance(entry, KeptComparison) for note in entry.notes)
    found = compared_trials(trials, baseline, tuple(notes))
    if wanted is None:
        return found
    places = {kept.id: number for number, kept in enumerate(trials)}
    names = {
        name.lower(): places[entry.id]
        for path, entry in zip(paths, read, strict=True)
        if isinstance(entry, KeptTrial)
        for name in (path, Path(path).name, Path(path).stem)
    }
    names |= {row.label.lower(): number for number, row in enumerate(found.rows)}
    chosen = names.get(wanted.lower())
    if chosen is None:
        labels = ", ".join(row.label for row in found.rows)
        message = f"There is no “{wanted}” in this comparison; there are {labels}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Name one of them by --baseline.")
    return compared_trials(trials, chosen, tuple(notes))


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
