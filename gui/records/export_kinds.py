"""What a trial or a comparison can be exported as: the kind of a file goes by the ending of its name."""

from __future__ import annotations

from enum import Enum


class ExportKind(Enum):
    """The endings of each kind; the first is the usual one."""

    SUMMARIES = (".summary.csv",)
    """A line for each of several trials; of a comparison with their ratios."""
    SAMPLES = (".csv",)
    MARKDOWN = (".md", ".markdown")
    HTML = (".html", ".htm")
    CHART = (".svg",)
    TRIAL = (".json",)
    """The file of the trial or of the comparison, which can be opened again."""


ENDINGS = ", ".join(ending for kind in ExportKind for ending in kind.value)


def export_kind(path: str) -> ExportKind | None:
    """Return the kind of a file by its name; None for an ending that is none of `ENDINGS`."""
    return next((kind for kind in ExportKind if path.lower().endswith(kind.value)), None)
