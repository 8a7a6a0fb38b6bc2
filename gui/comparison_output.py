"""What the command line says of a comparison, and the files it makes of one."""

from __future__ import annotations

from collections.abc import Sequence

from .console import say, say_columns, write_text
from .records.comparison_exports import comparison_export_text
from .records.comparison_table import ComparedTrials, table_rows
from .records.export_kinds import export_kind


def say_comparison(found: ComparedTrials, notes: Sequence[str] = ()) -> None:
    """Print the answer, the table, what weakens the answer, and `notes` on how it was measured."""
    for sentence in found.answer.sentences:
        say(sentence)
    say("")
    titles, rows = table_rows(found)
    say_columns([titles, *rows])
    told = [f"Caution: {caution}" for caution in found.answer.cautions] + [f"Note: {note}" for note in notes]
    if told:
        say("")
    for text in told:
        say(text)


def export_comparison(paths: Sequence[str], found: ComparedTrials) -> None:
    """Write a comparison to files of the kinds that their endings say. Raises `FailureError`."""
    for path in paths:
        kind = export_kind(path)
        if kind is not None:
            write_text(path, comparison_export_text(kind, found))
