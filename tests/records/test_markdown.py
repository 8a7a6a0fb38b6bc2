"""Text that means something in Markdown stays text."""

from __future__ import annotations

import re

import pytest

from gui.records.markdown import code, code_block, escaped, table


def cells(line: str) -> list[str]:
    """The cells of a row as GitHub parts them: at each pipe that has no backslash before it."""
    return [part.strip().replace(r"\|", "|") for part in re.split(r"(?<!\\)\|", line)[1:-1]]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain words, 1.2-3 (4)", "plain words, 1.2-3 (4)"),
        ("CPU_device_id", "CPU_device_id"),  # underscores inside a word mean nothing
        ("__init__", r"\_\_init\_\_"),
        ("_a b_", r"\_a b\_"),
        ("*a* `b` ~c~ $d$", r"\*a\* \`b\` \~c\~ \$d\$"),
        ("[a](b) <br>", r"\[a\](b) \<br\>"),
        ("C:\\eps", r"C:\\eps"),
        ("a & b &lt; &#38;", r"a & b \&lt; \&#38;"),
        ("in C#", r"in C\#"),
        ("one\ntwo\r\n\n three\t", "one two three"),
        ("\x1b[31mred\x1b[0m \x07 \udcff", "red \ufffd \ufffd"),
    ],
)
def test_that_what_markdown_would_take_for_markup_is_escaped(text: str, written: str) -> None:
    assert escaped(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("a_b *c* <d> #2", "`a_b *c* <d> #2`"),
        ("a`b", "``a`b``"),
        ("a``b`", "``` a``b` ```"),
        ("`", "`` ` ``"),
        (" a", "`  a `"),
        ("  ", "`“  ”`"),
        ("a\nb\r\nc\rd", "`a↵b↵c↵d`"),
        ("\x1b[1mbold\x00\udcff", "`bold\ufffd\ufffd`"),
    ],
)
def test_that_a_code_span_shows_the_text_as_it_is(text: str, written: str) -> None:
    assert code(text) == written


@pytest.mark.parametrize(("line", "fence"), [("plain", "```"), ("a ``` b", "````"), ("`````", "``````")])
def test_that_no_line_ends_the_block_of_code_it_stands_in(line: str, fence: str) -> None:
    assert code_block(["first", line]) == f"{fence}text\nfirst\n{line}\n{fence}"


def test_that_a_block_of_code_holds_no_colours_and_nothing_that_is_no_text() -> None:
    assert code_block(["\x1b[31mred\x1b[0m\r", "\x08\udcff\ttab"]) == "```text\nred\n\ufffd\ufffd\ttab\n```"


def test_that_pipes_do_not_part_cells() -> None:
    text = "a|b\\|c|"
    written = table(("K", "V"), [(code(text), escaped(text)), ("x", "y")])
    _titles, _rule, first, second = written.splitlines()
    assert cells(first) == [f"`{text}`", r"a|b\\|c|"]
    assert cells(second) == ["x", "y"]


def test_that_columns_are_in_line_but_for_cells_that_are_very_long() -> None:
    long = "x" * 60
    lines = table(("Key", "Value"), [("a", "1"), ("longer", "2"), (long, "3")]).splitlines()
    assert lines == [
        "| Key    | Value |",
        "| ------ | ----- |",
        "| a      | 1     |",
        "| longer | 2     |",
        f"| {long} | 3     |",
    ]


def test_that_a_table_without_rows_has_its_titles() -> None:
    assert table(("A", "B"), []) == "| A   | B   |\n| --- | --- |"
