"""Trials as the text of each kind of file."""

from __future__ import annotations

from collections.abc import Sequence

from .export_kinds import ExportKind
from .kept_trial import KeptTrial
from .trial_chart import chart_svg
from .trial_csv import samples_csv, summaries_csv
from .trial_file import trial_file_json
from .trial_report import trial_html, trial_markdown


def export_text(kind: ExportKind, trials: Sequence[KeptTrial]) -> str:
    """Return the text of a file of this kind, to be written as UTF-8; all but SUMMARIES are of the first trial."""
    match kind:
        case ExportKind.SUMMARIES:
            return summaries_csv(trials)
        case ExportKind.SAMPLES:
            return samples_csv(trials[0])
        case ExportKind.MARKDOWN:
            return trial_markdown(trials[0])
        case ExportKind.HTML:
            return trial_html(trials[0])
        case ExportKind.CHART:
            return chart_svg(trials[0])
        case ExportKind.TRIAL:
            return trial_file_json(trials[0])
