"""A report before it is Markdown or HTML: sections of blocks; and how they are written as either."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from . import markdown

_STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; margin-bottom: .3em; }
h2 { font-size: 1.15em; margin: 1.8em 0 .4em; }
.verdict { border-left: .3em solid; padding: .2em 0 .2em .9em; margin: 1em 0; list-style: none; }
.verdict li:first-child { font-weight: bold; }
table { border-collapse: collapse; margin: .6em 0; }
th, td { border: 1px solid rgba(128, 128, 128, .45); padding: .2em .6em; text-align: left; vertical-align: top; }
th { background: rgba(128, 128, 128, .14); }
td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
td.number { white-space: nowrap; }
td code { overflow-wrap: anywhere; }
pre { background: rgba(128, 128, 128, .14); padding: .6em .8em; overflow-x: auto; white-space: pre-wrap; }
svg { max-width: 100%; height: auto; margin: .6em 0; }
footer { margin-top: 2em; opacity: .75; font-size: .9em; }
"""
_NUMBER: Final = r"\(?[-+]?\d[\d.]*\)?"
_NUMBERS: Final = re.compile(rf"{_NUMBER}( ({_NUMBER}|to|of|×|%|[nµm]?s|([KMGT]i)?B|\(rough\)))*")
"""Numbers with their units: a cell of these is not broken, that a unit may not stand below its number."""
_WIDEST_NUMBER: Final = 48
_FOOTER: Final = "Made by ORT Device Explorer. Times are those of whole runs with inputs in ordinary memory."


class Code(str):
    """A text that is shown as it is: a path, a key, what a program said."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of as many cells as there are titles."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Sentences, one below the other."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Lines that a program said, below a sentence about them."""

    text: str
    lines: tuple[str, ...]


Block = str | Table | Points | Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report: what matters most comes first, a sentence each, and then all else."""

    title: str
    verdicts: tuple[str, ...]
    sections: tuple[Section, ...]
    picture: str = ""
    """SVG; only HTML can hold it."""


# ---- Markdown ----


def markdown_text(report: Report) -> str:
    """Return a report as a Markdown document; it ends with one newline."""
    first, *others = report.verdicts
    points = [f"- **{markdown.escaped(first)}**", *(f"- {markdown.escaped(text)}" for text in others)]
    blocks = [f"# {markdown.escaped(report.title)}", "\n".join(points)]
    for section in report.sections:
        blocks += [f"## {markdown.escaped(section.title)}", *(_markdown_block(block) for block in section.blocks)]
    return "\n\n".join(blocks) + "\n"


def _markdown_block(block: Block) -> str:
    match block:
        case Table(titles=titles, rows=rows):
            cells = [[_markdown_cell(cell) for cell in row] for row in rows]
            return markdown.table([markdown.escaped(title) for title in titles], cells)
        case Points(texts=texts):
            return "\n".join(f"- {_markdown_line(text)}" for text in texts)
        case Quote(text=text, lines=lines):
            return f"{markdown.escaped(text)}\n\n{markdown.code_block(lines)}"
    return "\n\n".join(_markdown_line(line) for line in block.splitlines() if line.strip())


def _markdown_line(text: str) -> str:
    """Return a line of its own: what means something at its beginning is kept from it."""
    line = markdown.escaped(text)
    if line[:1] in "#+-=" or line[:1].isdigit():
        return line.replace(line[0], f"&#{ord(line[0])};", 1)
    return line


def _markdown_cell(cell: str) -> str:
    return markdown.code(cell) if isinstance(cell, Code) else markdown.escaped(cell)


# ---- HTML ----


def html_text(report: Report) -> str:
    """Return a report as one HTML document that needs no other file."""
    title = _html(report.title)
    points = "\n".join(f"<li>{_html(text)}</li>" for text in report.verdicts)
    body = [f"<h1>{title}</h1>", f'<ul class="verdict">\n{points}\n</ul>']
    if report.picture:
        body.append(report.picture.strip())
    body += [_html_section(section) for section in report.sections]
    head = f'<meta charset="utf-8">\n<title>{title}</title>\n<style>\n{_STYLE}</style>'
    text = "\n".join([*body, f"<footer>{_html(_FOOTER)}</footer>"])
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{text}\n</body>\n</html>\n'


def _html_section(section: Section) -> str:
    blocks = "\n".join(_html_block(block) for block in section.blocks)
    return f"<h2>{_html(section.title)}</h2>\n{blocks}"


def _html_block(block: Block) -> str:
    match block:
        case Table(titles=titles, rows=rows):
            return (
                f"<table>\n{_html_row('th', titles)}\n" + "\n".join(_html_row("td", row) for row in rows) + "\n</table>"
            )
        case Points(texts=texts):
            return "<ul>\n" + "\n".join(f"<li>{_html(text)}</li>" for text in texts) + "\n</ul>"
        case Quote(text=text, lines=lines):
            return f"<p>{_html(text)}</p>\n<pre>{_html(chr(10).join(lines))}</pre>"
    return "\n".join(f"<p>{_html(line)}</p>" for line in block.splitlines() if line.strip())


def _html_row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(_html_cell(tag, cell) for cell in cells) + "</tr>"


def _html_cell(tag: str, cell: str) -> str:
    if isinstance(cell, Code) and cell:
        return f"<{tag}><code>{_html(cell)}</code></{tag}>"
    is_number = tag == "td" and len(cell) < _WIDEST_NUMBER and _NUMBERS.fullmatch(cell.partition(", ")[0]) is not None
    return f'<td class="number">{_html(cell)}</td>' if is_number else f"<{tag}>{_html(cell)}</{tag}>"


def _html(text: str) -> str:
    return escape(markdown.clean_text(text))
