"""The report of one trial as Markdown and as HTML, to be read in an issue, a mail or a browser. Always the C locale."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from . import markdown
from .kept_trial import KeptTrial
from .trial_chart import chart_svg
from .trial_sections import Block, Code, Points, Quote, Section, Table, sections, title_of, verdicts

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
td code { overflow-wrap: anywhere; }
pre { background: rgba(128, 128, 128, .14); padding: .6em .8em; overflow-x: auto; white-space: pre-wrap; }
svg { max-width: 100%; height: auto; margin: .6em 0; }
footer { margin-top: 2em; opacity: .75; font-size: .9em; }
"""
_FOOTER: Final = "Made by ORT Device Explorer. Times are those of whole runs with inputs in ordinary memory."


# ---- Markdown ----


def trial_markdown(kept: KeptTrial) -> str:
    """Return the report of a trial as a Markdown document; it ends with one newline."""
    first, *others = verdicts(kept)
    points = [f"- **{markdown.escaped(first)}**", *(f"- {markdown.escaped(text)}" for text in others)]
    blocks = [f"# {markdown.escaped(title_of(kept))}", "\n".join(points)]
    for section in sections(kept):
        blocks += [f"## {section.title}", *(_markdown_block(block) for block in section.blocks)]
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


def trial_html(kept: KeptTrial) -> str:
    """Return the report of a trial as one HTML document that needs no other file, its charts in it."""
    title = _html(title_of(kept))
    points = "\n".join(f"<li>{_html(text)}</li>" for text in verdicts(kept))
    body = [f"<h1>{title}</h1>", f'<ul class="verdict">\n{points}\n</ul>']
    if len(kept.samples):
        body.append(chart_svg(kept).strip())
    body += [_html_section(section) for section in sections(kept)]
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
    inner = (f"<code>{_html(cell)}</code>" if isinstance(cell, Code) and cell else _html(cell) for cell in cells)
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in inner) + "</tr>"


def _html(text: str) -> str:
    return escape(markdown.clean_text(text))
