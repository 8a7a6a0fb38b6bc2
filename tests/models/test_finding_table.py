"""What reading a library file told, as a table and as one line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QIcon, QPixmap
from pytestqt.qtbot import QtBot

from gui.models.finding_table import FindingTableModel, check_summary, mark_text
from gui.records.library_check import Mark

from ..finding import rows_of
from .makers import ModelTester, check, texts

ALL = check(
    ("format", Mark.GOOD),
    ("version", Mark.NOTE),
    ("needs", Mark.DOUBTFUL),
    ("exports", Mark.BAD),
    ("signature", Mark.UNKNOWN),
)


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


@pytest.fixture
def model() -> FindingTableModel:
    model = FindingTableModel(lambda _mark: None)
    model.set_rows(ALL.findings)
    return model


def test_that_the_table_keeps_the_rules_of_item_models(model: FindingTableModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.set_rows(check(("exports", Mark.GOOD), ("entropy", Mark.NOTE)).findings)
    model.set_rows(check(("entropy", Mark.NOTE), ("exports", Mark.GOOD), ("exports", Mark.NOTE)).findings)
    assert texts(model) == ["entropy", "exports", "exports"]


def test_that_a_row_is_topic_mark_and_text(model: FindingTableModel) -> None:
    assert rows_of(model) == [
        ["format", "in order", "format told"],
        ["version", "to be known", "version told"],
        ["needs", "doubtful", "doubtful: needs told"],
        ["exports", "wrong", "wrong: exports told"],
        ["signature", "not available", "not available: signature told"],
    ]


def test_that_every_mark_has_a_word_of_its_own() -> None:
    assert len({mark_text(mark) for mark in Mark}) == len(Mark)


def test_that_the_icon_of_a_row_is_that_of_its_mark(qtbot: QtBot) -> None:
    pixmap = QPixmap(8, 8)
    pixmap.fill(Qt.GlobalColor.red)
    icon = QIcon(pixmap)
    model = FindingTableModel(lambda mark: icon if mark is Mark.BAD else None)
    model.set_rows(ALL.findings)
    icons = [model.index(row, 0).data(Qt.ItemDataRole.DecorationRole) for row in range(model.rowCount())]
    assert [getattr(shown, "cacheKey", lambda: None)() for shown in icons] == [None] * 3 + [icon.cacheKey(), None]


def test_that_the_tip_of_the_topic_says_the_mark_in_words(model: FindingTableModel) -> None:
    assert model.index(3, 0).data(Qt.ItemDataRole.ToolTipRole) == "exports: wrong"
    assert model.index(3, 2).data(Qt.ItemDataRole.ToolTipRole) == "wrong: exports told"


# ---- The line above ----


@pytest.mark.parametrize(
    ("marks", "verdict"),
    [
        ((), "in order"),
        ((Mark.GOOD, Mark.NOTE), "in order"),
        ((Mark.GOOD, Mark.UNKNOWN), "not all is known"),
        ((Mark.UNKNOWN, Mark.DOUBTFUL), "doubtful"),
        ((Mark.DOUBTFUL, Mark.BAD, Mark.UNKNOWN), "cannot be loaded"),
    ],
)
def test_that_the_worst_mark_gives_the_verdict(marks: tuple[Mark, ...], verdict: str) -> None:
    findings = [(f"topic {number}", mark) for number, mark in enumerate(marks)]
    assert check_summary(check(*findings)) == f"File {verdict}"
    assert check_summary(check(*findings, format="ELF")) == f"File {verdict}: ELF"


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"format": "ELF", "architecture": "x86-64", "size_bytes": 1 << 20, "version": "1.2"}, "x86-64, 1.0 MiB, "),
        ({"size_bytes": 3}, "3 bytes"),
        ({"version": "1.2"}, "version 1.2"),
    ],
)
def test_that_the_line_says_what_is_known_of_the_file(fields: dict[str, object], what: str) -> None:
    summary = check_summary(check(**fields))
    assert what in summary
    assert not summary.endswith((", ", ": "))
    assert ", ," not in summary
