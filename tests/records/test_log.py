from __future__ import annotations

import pytest

from gui.records.log import LogSeverity, record_of_stderr_line, strip_ansi

ORT_LINE = "\x1b[0;93m2026-11-23 18:37:58.500000001 [W:onnxruntime:logid, graph.cc:55 Graph] an [odd] text: 1\x1b[m\n"


def test_that_a_line_of_ort_is_taken_apart() -> None:
    record = record_of_stderr_line(ORT_LINE, 12.5)
    assert record.severity is LogSeverity.WARNING
    assert record.source == "onnxruntime"
    assert record.message == "an [odd] text: 1"
    assert record.time == 12.5


@pytest.mark.parametrize(
    ("letter", "severity"),
    [
        ("V", LogSeverity.VERBOSE),
        ("I", LogSeverity.INFO),
        ("W", LogSeverity.WARNING),
        ("E", LogSeverity.ERROR),
        ("F", LogSeverity.FATAL),
    ],
)
def test_that_the_letter_of_ort_is_its_severity(letter: str, severity: LogSeverity) -> None:
    record = record_of_stderr_line(f"2026-11-23 18:37:58.5 [{letter}:onnxruntime:, a.cc:1 F] error fatal warning", 0)
    assert record.severity is severity


def test_that_an_ep_that_logs_through_ort_is_the_source() -> None:
    record = record_of_stderr_line("2026-11-23 18:37:58.5 [I:ggml:x, a.cc:1 void F(int, long)] ready", 0)
    assert (record.source, record.message) == ("ggml", "ready")


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("found nothing", LogSeverity.INFO),
        ("", LogSeverity.INFO),
        ("warning: slow", LogSeverity.WARNING),
        ("WARN nothing there", LogSeverity.WARNING),
        ("ggml_vulkan: Error: no device", LogSeverity.ERROR),
        ("the allocation failed", LogSeverity.ERROR),
        ("terminate called after throwing an instance of 'int'", LogSeverity.FATAL),
        ("Fatal Python error: Aborted", LogSeverity.FATAL),
        ("a.h:12: get(): Assertion 'x' failed.", LogSeverity.FATAL),
        ("0 errors, mirrored", LogSeverity.INFO),
    ],
)
def test_that_another_line_is_native_and_its_severity_guessed(line: str, severity: LogSeverity) -> None:
    record = record_of_stderr_line(line + "\n", 0)
    assert (record.source, record.message, record.severity) == ("native", line, severity)


def test_that_a_line_that_only_looks_like_ort_is_native() -> None:
    assert record_of_stderr_line("2026-11-23 18:37:58.5 [X:onnxruntime:, a.cc:1 F] text", 0).source == "native"
    assert record_of_stderr_line("see 2026-11-23 18:37:58.5 [W:onnxruntime:, a.cc:1 F] text", 0).source == "native"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[2K\x1b[?25lprogress", "progress"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\rb\x00c\x7fd\x08e", "abcde"),
        ("“ä” 日本", "“ä” 日本"),
    ],
)
def test_that_colours_and_control_characters_go(text: str, plain: str) -> None:
    assert strip_ansi(text) == plain
