"""What the command line says of a comparison, and the files it makes of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from .console import say, say_columns
from .records.comparison_exports import comparison_export_text
from .records.comparison_table import ComparedTrials, table_rows
from .records.export_kinds import export_kind


def say_comparison(found: ComparedTrials) -> None:
    """Print the answer, the table, what weakens the answer, and how it was measured."""
    for sentence in found.answer.sentences:
        say(sentence)
    say("")
    titles, rows = table_rows(found)
    say_columns([titles, *rows])
    told = [f"Caution: {caution}" for caution in found.answer.cautions] + [f"Note: {note}" for note in found.notes]
    if told:
        say("")
    for text in told:
        say(text)


def comparison_exports(paths: Sequence[str], found: ComparedTrials) -> list[tuple[str, Callable[[], str]]]:
    """Return names and texts of the files of a comparison, each of the kind that its ending says."""
    kinds = ((path, export_kind(path)) for path in paths)
    return [(path, partial(comparison_export_text, kind, found)) for path, kind in kinds if kind is not None]
