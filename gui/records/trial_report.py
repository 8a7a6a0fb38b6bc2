"""The report of one trial as Markdown and as HTML, to be read in an issue, a mail or a browser. Always the C locale."""

from __future__ import annotations

from .kept_trial import KeptTrial
from .report_document import Report, html_text, markdown_text
from .trial_chart import chart_svg
from .trial_sections import sections, title_of, verdicts


def trial_markdown(kept: KeptTrial) -> str:
    """Return the report of a trial as a Markdown document; it ends with one newline."""
    return markdown_text(Report(title=title_of(kept), verdicts=verdicts(kept), sections=sections(kept)))


def trial_html(kept: KeptTrial) -> str:
    """Return the report of a trial as one HTML document that needs no other file, its charts in it."""
    picture = chart_svg(kept) if len(kept.samples) else ""
    return html_text(Report(title=title_of(kept), verdicts=verdicts(kept), sections=sections(kept), picture=picture))
