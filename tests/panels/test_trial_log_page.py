"""The page of a trial's log."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QTableView
from pytestqt.qtbot import QtBot

from gui.panels.trial_log_page import TrialLogPage
from gui.records.failure import Failure, FailureKind
from gui.records.log import LogSeverity
from gui.records.result import Outcome
from gui.records.trial_log import TrialLogLine
from gui.trial_run import TrialRun

from ..finding import child, rows_of, show, shown_texts
from ..models.makers import record, trial

FAILURE = Failure(kind=FailureKind.RUN_FAILED, message="It failed.")


def line(message: str, severity: LogSeverity = LogSeverity.INFO) -> TrialLogLine:
    return TrialLogLine(stage="first run", record=record(message, severity))


def talking(*, fails: bool) -> TrialRun:
    run = trial(1)
    run.log.add([*(line(f"a{number}") for number in range(40)), line("out of ink", LogSeverity.ERROR), line("end")])
    if fails:
        run.outcome, run.failure = Outcome.FAILED, FAILURE
    return run


def selected(page: TrialLogPage) -> list[str]:
    view = child(page, QTableView, "Log of the trial")
    return [index.siblingAtColumn(4).data() for index in view.selectionModel().selectedRows()]


def test_that_a_failed_trial_opens_on_its_last_error(qtbot: QtBot) -> None:
    page = TrialLogPage()
    show(qtbot, page, 640, 200)
    page.show_trial(talking(fails=True))
    assert selected(page) == ["out of ink"]
    view = child(page, QTableView, "Log of the trial")
    assert view.viewport().rect().contains(view.visualRect(view.selectionModel().selectedRows()[0]).center())


def test_that_other_trials_open_on_their_last_line(qtbot: QtBot) -> None:
    page = TrialLogPage()
    show(qtbot, page, 640, 200)
    page.show_trial(talking(fails=False))
    assert selected(page) == ["end"]


def test_that_a_trial_that_fails_while_it_is_seen_goes_to_the_error(qtbot: QtBot) -> None:
    page, run = TrialLogPage(), talking(fails=False)
    show(qtbot, page, 640, 200)
    page.show_trial(run)
    run.failure = FAILURE
    page.show_trial(run)
    assert selected(page) == ["out of ink"]


def test_that_what_comes_is_followed_unless_scrolled_away(qtbot: QtBot) -> None:
    page, run = TrialLogPage(), talking(fails=False)
    show(qtbot, page, 640, 200)
    page.show_trial(run)
    bar = child(page, QTableView, "Log of the trial").verticalScrollBar()
    run.log.add([line("b")])
    page.show_trial(run)
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    run.log.add([line("c")])
    page.show_trial(run)
    assert bar.value() == 0


def test_that_it_is_filtered_by_severity(qtbot: QtBot) -> None:
    page = TrialLogPage()
    show(qtbot, page, 640, 200)
    page.show_trial(talking(fails=True))
    severity = child(page, QComboBox, "Show")
    severity.setCurrentIndex(severity.findData(LogSeverity.WARNING))
    rows = rows_of(child(page, QTableView, "Log of the trial").model())
    assert [(row[0], row[2], row[4]) for row in rows] == [("first run", "Error", "out of ink")]


def test_that_lines_left_out_are_counted(qtbot: QtBot) -> None:
    page, run = TrialLogPage(), trial(1)
    run.log.add([line(str(number)) for number in range(2010)])
    page.show_trial(run)
    show(qtbot, page, 640, 200)
    assert "10 messages in between were left out." in shown_texts(page)
    page.show_trial(talking(fails=False))
    assert "10 messages in between were left out." not in shown_texts(page)
    page.show_trial(None)
    assert rows_of(child(page, QTableView, "Log of the trial").model()) == []
