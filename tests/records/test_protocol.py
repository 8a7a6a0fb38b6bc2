from __future__ import annotations

import json
from typing import Any

import pytest

from gui.records.codec import DecodeError
from gui.records.protocol import StderrMark, decode_line, decode_mark, encode_line, encode_mark
from gui.records.trial import Stage


@pytest.mark.parametrize(
    "text",
    ["plain", "a\nb\r\n", "“ä” 日本 🙂", "\u2028\u2029\x85", "\x00\x1b[0m", "/caf\udce9.so", "lone \ud800"],
)
def test_that_any_text_comes_back_from_one_line(text: str) -> None:
    line = encode_line({"text": text, text: 1})
    assert line.endswith(b"\n")
    assert len(line.splitlines()) == 1
    assert decode_line(line) == {"text": text, text: 1}


def test_that_utf8_of_another_writer_is_read() -> None:
    assert decode_line(json.dumps({"a": "日本"}, ensure_ascii=False).encode()) == {"a": "日本"}


def test_that_bytes_that_are_no_utf8_come_through() -> None:
    assert decode_line(b'{"a":"caf\xe9"}') == {"a": "caf\udce9"}


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"{", b"garbage", b"[]", b"1", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b"9" * 10_000]
)
def test_that_a_line_that_is_no_json_object_is_refused(line: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_line(line)


def test_that_what_json_cannot_hold_is_not_sent() -> None:
    unsendable: Any = object()
    with pytest.raises(TypeError):
        encode_line({"a": unsendable})


# ---- Marks in stderr ----


@pytest.mark.parametrize(
    "mark",
    [
        StderrMark(request=17),
        StderrMark(request=17, ends=True),
        *(StderrMark(request=3, stage=stage.value) for stage in Stage),
    ],
)
def test_that_a_mark_comes_back_from_its_line(mark: StderrMark) -> None:
    before, line, after = encode_mark(mark).decode().split("\n")
    assert (before, after) == ("", "")  # a line of its own, whatever stood before it
    assert decode_mark(line) == mark


@pytest.mark.parametrize(
    "line",
    [
        "",
        "17 ends",
        "\x1e",
        "\x1e17",
        "\x1e17 stops",
        "\x1e17 enters ",
        "\x1e17 enters",
        "\x1ex ends",
        "\x1e-1 ends",
        "error \x1e17 ends",
    ],
)
def test_that_another_line_is_no_mark(line: str) -> None:
    assert decode_mark(line) is None
