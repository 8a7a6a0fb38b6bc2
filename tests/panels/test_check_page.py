"""The page of a trial's outputs."""

from __future__ import annotations

from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from gui.panels.check_page import CheckPage
from gui.records.check import Agreement, OutputCheck, OutputDifference
from gui.records.trial import TrialFacts
from gui.trial_run import TrialRun

from ..finding import child, rows_of, show, shown_texts
from ..models.makers import trial


def checked() -> TrialRun:
    outputs = (
        OutputDifference(name="y", type="tensor(float)", agreement=Agreement.DIFFERENT, max_absolute=0.5),
        OutputDifference(name="z", type="tensor(int64)", agreement=Agreement.IDENTICAL, note="Compared exactly."),
    )
    check = OutputCheck(agreement=Agreement.DIFFERENT, outputs=outputs, reference="The CPU EP on the same inputs.")
    return trial(1, facts=TrialFacts(check=check))


def test_that_the_outputs_are_shown_with_what_is_to_be_known(qtbot: QtBot) -> None:
    page = CheckPage()
    page.show_trial(checked())
    show(qtbot, page, 600, 200)
    assert shown_texts(page) == [
        "Different from the CPU's: y. The CPU EP on the same inputs.",
        "z: Compared exactly.",
    ]
    rows = rows_of(child(page, QTableView, "Outputs against the CPU's").model())
    assert [row[:3] for row in rows] == [["y", "differs", "0.5"], ["z", "identical", "–"]]


def test_that_a_trial_that_is_not_checked_says_why(qtbot: QtBot) -> None:
    page = CheckPage()
    show(qtbot, page, 600, 200)
    page.show_trial(checked())
    page.show_trial(trial(2))
    assert shown_texts(page) == []
    assert page._view.empty_hint == "The outputs are not compared yet."
    assert rows_of(child(page, QTableView, "Outputs against the CPU's").model()) == []
