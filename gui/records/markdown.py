"""Text as Markdown: CommonMark with GitHub's tables, laid out so that it also reads well as it is written.

`escaped` and `code` return parts of a line, for use outside tables and inside: `table` itself escapes the pipes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_WIDEST_PADDED = 40
"""Cells longer than this do not make the others of their column as wide."""

_COLOUR_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SPECIAL = re.compile(
    r"""[\\`*\[\]<>~$]              # mean something anywhere
    | (?<![^\W_])_+ | _+(?![^\W_])  # underscores mean nothing inside a word
    | &(?=\#?\w+;)                  # the beginning of an entity
    | \#+\s*$                       # would end a heading""",
    re.VERBOSE,
)


def escaped(text: str) -> str:
    """Return `text` on one line, with a backslash before what Markdown would take for markup inside a line.

    What means something only at the beginning of a line is left as it is: put a word before it.
    """
    line = " ".join(clean_text(text).split())
    return _SPECIAL.sub(lambda found: re.sub(r"[^\w\s]|_", r"\\\g<0>", found[0]), line)


def code(text: str) -> str:
    """Return `text` as a code span, which shows it as it is; ends of lines become “↵”. Nothing for an empty text."""
    line = re.sub(r"\r\n|\r|\n", "↵", clean_text(text)).replace("\t", " ")
    if not line.strip():
        return f"`“{line}”`" if line else ""
    fence = "`" * (_longest_run(line) + 1)
    edge = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{fence}{edge}{line}{edge}{fence}"


def code_block(lines: Sequence[str]) -> str:
    """Return lines as a block of code whose fence is longer than any run of backticks inside."""
    text = "\n".join(clean_text(line) for line in lines).replace("\r\n", "\n").replace("\r", "\n")
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of titles and cells that are Markdown already; columns are in line where they are narrow."""
    lines = [[cell.replace("|", r"\|") for cell in cells] for cells in (titles, *rows)]
    widths = [max(3, _width(column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(_row(cells, widths) for cells in (lines[0], rule, *lines[1:]))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def _width(cells: Iterable[str]) -> int:
    return max((len(cell) for cell in cells if len(cell) <= _WIDEST_PADDED), default=0)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def clean_text(text: str) -> str:
    """Return `text` without colour codes, with a mark for what is no text: control characters, bytes of no UTF-8."""
    return _NOT_TEXT.sub("\ufffd", _COLOUR_CODES.sub("", text))
