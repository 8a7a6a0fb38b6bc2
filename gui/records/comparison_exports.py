"""Comparisons as the text of each kind of file."""

from __future__ import annotations

from .comparison_chart import comparison_svg
from .comparison_csv import comparison_samples_csv, comparison_summaries_csv
from .comparison_file import comparison_file_json
from .comparison_report import comparison_html, comparison_markdown
from .comparison_table import ComparedTrials
from .export_kinds import ExportKind


def comparison_export_text(kind: ExportKind, found: ComparedTrials) -> str:
    """Return the text of a file of this kind, to be written as UTF-8."""
    match kind:
        case ExportKind.SUMMARIES:
            return comparison_summaries_csv(found)
        case ExportKind.SAMPLES:
            return comparison_samples_csv(found)
        case ExportKind.MARKDOWN:
            return comparison_markdown(found)
        case ExportKind.HTML:
            return comparison_html(found)
        case ExportKind.CHART:
            return comparison_svg(found)
        case ExportKind.TRIAL:
            return comparison_file_json(found.trials, found.baseline, found.notes)
