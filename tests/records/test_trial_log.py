"""The log of a trial: bounded, and what in it tells why nodes were left to the CPU."""

from __future__ import annotations

import pytest

from gui.records.log import LogRecord, LogSeverity
from gui.records.trial_log import TrialLog, TrialLogLine, placement_reasons


def line(message: str, *, stage: str = "creating session", severity: LogSeverity = LogSeverity.INFO) -> TrialLogLine:
    return TrialLogLine(stage=stage, record=LogRecord(time=0.0, severity=severity, source="native", message=message))


def test_that_a_short_log_keeps_all_in_order() -> None:
    log = TrialLog()
    log.add([line("a"), line("b")])
    log.add([line("c")])
    assert [entry.record.message for entry in log.lines] == ["a", "b", "c"]
    assert (len(log), log.left_out) == (3, 0)


def test_that_a_long_log_keeps_its_ends() -> None:
    log = TrialLog()
    log.add(line(str(number)) for number in range(10_000))
    kept = [int(entry.record.message) for entry in log.lines]
    assert kept == [*range(500), *range(8500, 10_000)]
    assert (len(log), log.left_out) == (10_000, 8000)


@pytest.mark.parametrize(
    ("entry", "is_reason"),
    [
        (line("OrtEp::GetCapability() for ggml failed with error: no", severity=LogSeverity.ERROR), True),
        (line("anything that warns", severity=LogSeverity.WARNING), True),
        (line("ggml: op Einsum is not supported"), True),
        (line("GGML skips 3 nodes"), True),
        (line("ggml: 3 nodes taken"), False),
        (line("qnn: op Einsum is not supported"), False),
        (line("a warning of a run", stage="measuring", severity=LogSeverity.WARNING), False),
        (line("  ", severity=LogSeverity.WARNING), False),
        (
            line(
                "Some nodes were not assigned to the preferred execution providers which …",
                severity=LogSeverity.WARNING,
            ),
            False,
        ),
    ],
)
def test_that_a_reason_warns_or_names_the_ep_with_its_refusal(entry: TrialLogLine, is_reason: bool) -> None:
    assert bool(placement_reasons([entry], ("ggml",))) is is_reason


def test_that_a_reason_is_told_once_and_not_too_many_are() -> None:
    lines = [line(f"warning {number % 20}", severity=LogSeverity.WARNING) for number in range(100)]
    assert placement_reasons(lines, ("ggml",)) == tuple(f"warning {number}" for number in range(12))
