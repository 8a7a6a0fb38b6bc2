"""The page of what a trial cost."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from gui import theme
from gui.models.cost_table import CostStage, StageTime
from gui.panels.cost_page import CostPage, StageBar
from gui.records.trial import TrialFacts
from gui.trial_run import TrialRun

from ..finding import child, rows_of, show, shown_texts
from ..models.makers import trial

TIMES = (
    StageTime(stage=CostStage.REGISTRATION, nanoseconds=50_000_000),
    StageTime(stage=CostStage.CREATION, nanoseconds=149_999_000),
    StageTime(stage=CostStage.FIRST_RUN, nanoseconds=1_000),
)


def run(**fields: object) -> TrialRun:
    return trial(1, 5, 6, facts=TrialFacts(session_creation_ns=30_000_000, first_run_ns=10_000_000), **fields)


@pytest.fixture
def page(qtbot: QtBot) -> CostPage:
    page = CostPage()
    show(qtbot, page, 600, 300)
    return page


@pytest.fixture
def bar(qtbot: QtBot) -> StageBar:
    bar = StageBar()
    bar.show_times(TIMES)
    show(qtbot, bar, 400, 40)
    return bar


def bar_of(page: CostPage) -> StageBar:
    (bar,) = page.findChildren(StageBar)
    return bar


def test_that_without_a_trial_there_is_a_hint_and_no_bar(page: CostPage) -> None:
    assert rows_of(child(page, QTableView, "What it cost").model()) == []
    assert not bar_of(page).isVisible()
    assert shown_texts(page) == []


def test_that_a_trial_is_shown_with_bar_and_table(page: CostPage) -> None:
    page.show_trial(run())
    assert shown_texts(page) == ["Before the first timed run: 40.00 ms"]
    assert bar_of(page).isVisible()
    assert bar_of(page).accessibleName() == "Session creation 30.00 ms, First run 10.00 ms"
    rows = rows_of(child(page, QTableView, "What it cost").model())
    assert ["Session creation", "30.00 ms"] in rows
    page.show_trial(None)
    assert not bar_of(page).isVisible()


def test_that_a_trial_of_which_no_time_is_known_has_a_table_without_a_bar(page: CostPage) -> None:
    page.show_trial(trial(1))
    assert not bar_of(page).isVisible()
    assert rows_of(child(page, QTableView, "What it cost").model())


def test_that_the_bar_grows_with_its_words_where_it_is_narrow(bar: StageBar) -> None:
    assert bar.heightForWidth(100) > bar.heightForWidth(1000)


def test_that_pieces_fill_the_bar_as_long_as_they_took_and_the_shortest_is_seen(bar: StageBar) -> None:
    first, second, third = bar.pieces()
    assert (first.left(), third.right()) == (0, bar.width() - 1)
    assert first.right() + 1 == second.left()
    assert abs(first.width() - bar.width() / 4) < 5
    assert 0 < third.width() < 6


def test_that_each_piece_says_what_it_is(bar: StageBar) -> None:
    tips = [bar.tip_at(piece.center()) for piece in bar.pieces()]
    assert tips == ["Registration 50.00 ms", "Session creation 150.0 ms", "First run 1.000 µs"]
    assert bar.tip_at(QPoint(5, bar.height() - 1)) == ""


def test_that_pieces_of_no_time_at_all_share_the_bar(bar: StageBar) -> None:
    bar.show_times(tuple(StageTime(stage=entry.stage, nanoseconds=0) for entry in TIMES))
    assert [abs(piece.width() - bar.width() / 3) < 5 for piece in bar.pieces()] == [True] * 3


def test_that_no_pieces_are_no_bar(bar: StageBar) -> None:
    bar.show_times(())
    assert bar.pieces() == []
    assert bar.tip_at(QPoint(5, 5)) == ""
    assert bar.heightForWidth(400) > 0


def test_that_pieces_are_drawn_in_colours_of_the_palette(bar: StageBar) -> None:
    seen = []
    for ground, text in (("white", "black"), ("black", "white")):
        palette = QPalette(bar.palette())
        palette.setColor(QPalette.ColorRole.Window, ground)
        palette.setColor(QPalette.ColorRole.WindowText, text)
        bar.setPalette(palette)
        picture = bar.grab().toImage()
        ratio = picture.devicePixelRatio()
        color = picture.pixelColor((bar.pieces()[1].center().toPointF() * ratio).toPoint())
        assert abs(color.hslHue() - theme.chart_color(palette, 205).hslHue()) < 5
        seen.append(color.lightness())
    assert seen[1] > seen[0]
