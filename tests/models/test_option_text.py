"""Options as a line of text: what is shown comes back when it is typed."""

from __future__ import annotations

import pytest

from gui.models.option_text import options_text, parsed_options, short_text
from gui.records.codec import StringMap


@pytest.mark.parametrize(
    "options",
    [(), (("a", "b"),), (("a", "b"), ("c", "d=e")), (("a", ";b;;c"), ("d", "")), (("path", "C:\\dir\\"), ("x", "1"))],
)
def test_that_options_come_back_from_their_text(options: StringMap) -> None:
    assert parsed_options(options_text(options)) == options


def test_that_white_space_and_empty_parts_do_not_count() -> None:
    assert parsed_options("  a = 1 ;; ; b=2 ; ") == (("a", "1 ;"), ("b", "2"))


@pytest.mark.parametrize(
    ("text", "words"), [("a", "“a” is no option"), ("=1", "“=1” is no option"), ("a=1; a=2", "twice")]
)
def test_that_what_is_no_option_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parsed_options(text)


def test_that_long_texts_are_cut() -> None:
    assert short_text("x" * 40) == "x" * 40
    assert short_text("x" * 41) == "x" * 39 + "…"
