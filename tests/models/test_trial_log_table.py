"""A trial's messages as a table."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPersistentModelIndex

from gui.models.trial_log_table import TrialLogFilterProxy, TrialLogTableModel, line_that_matters
from gui.records.failure import Failure, FailureKind
from gui.records.log import LogSeverity
from gui.records.trial_log import TrialLogLine

from .makers import ModelTester, record, texts, trial

FAILURE = Failure(kind=FailureKind.RUN_FAILED, message="It failed.")


def line(message: str, severity: LogSeverity = LogSeverity.INFO, stage: str = "measuring") -> TrialLogLine:
    return TrialLogLine(stage=stage, record=record(message, severity))


def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model, proxy = TrialLogTableModel(), TrialLogFilterProxy()
    qtmodeltester.check(model)
    proxy.setSourceModel(model)
    lines = [line(str(number)) for number in range(5)]
    for shown in ([], lines[:2], lines, lines, lines[2:], []):
        model.show_lines(shown)
        assert list(model.rows) == shown


def test_that_what_was_shown_stays_when_more_is_said() -> None:
    model, lines = TrialLogTableModel(), [line("a"), line("b"), line("c")]
    model.show_lines(lines[:2])
    kept = QPersistentModelIndex(model.index(1, 4))
    model.show_lines(lines)
    assert (kept.data(), texts(model, 4)) == ("b", ["a", "b", "c"])


def test_that_lines_of_another_trial_replace_those_shown() -> None:
    model = TrialLogTableModel()
    model.show_lines([line("a"), line("b")])
    model.show_lines([line("a"), line("x"), line("y")])
    assert texts(model, 4) == ["a", "x", "y"]


def test_that_it_is_filtered_by_severity_and_words_of_any_column() -> None:
    model, proxy = TrialLogTableModel(), TrialLogFilterProxy()
    proxy.setSourceModel(model)
    model.show_lines([line("a"), line("b", LogSeverity.ERROR), line("c", LogSeverity.WARNING, stage="first run")])
    proxy.set_least_severity(LogSeverity.WARNING)
    assert texts(proxy, 4) == ["b", "c"]
    proxy.set_filter_text("first")
    assert texts(proxy, 4) == ["c"]


@pytest.mark.parametrize(
    ("failure", "severities", "number"),
    [
        (FAILURE, "IEFI", 2),
        (FAILURE, "EIW", 0),
        (FAILURE, "IWI", 2),
        (None, "IEI", 2),
        (FAILURE, "", None),
    ],
)
def test_that_the_line_that_matters_is_the_last_error_of_a_failed_trial(
    failure: Failure | None, severities: str, number: int | None
) -> None:
    run = trial(1, failure=failure)
    known = {"I": LogSeverity.INFO, "W": LogSeverity.WARNING, "E": LogSeverity.ERROR, "F": LogSeverity.FATAL}
    run.log.add([line("x", known[letter]) for letter in severities])
    assert line_that_matters(run) == number
