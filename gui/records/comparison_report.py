"""The report of a comparison as Markdown and as HTML, to be read in an issue, a mail or a browser; in the C locale."""

from __future__ import annotations

from .comparison_chart import comparison_svg
from .comparison_sections import comparison_sections
from .comparison_table import ComparedTrials
from .report_document import Report, html_text, markdown_text


def comparison_markdown(found: ComparedTrials) -> str:
    """Return the report of a comparison as a Markdown document; it ends with one newline."""
    return markdown_text(_report(found))


def comparison_html(found: ComparedTrials) -> str:
    """Return the report of a comparison as one HTML document that needs no other file, its charts in it."""
    has_samples = any(len(row.samples) for row in found.rows)
    return html_text(_report(found, comparison_svg(found) if has_samples else ""))


def _report(found: ComparedTrials, picture: str = "") -> Report:
    return Report(
        title=found.title, verdicts=found.answer.sentences, sections=comparison_sections(found), picture=picture
    )
