"""The log as a bounded table."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt

from gui.models import log_table
from gui.models.log_table import LogFilterProxy, LogTableModel, severity_text
from gui.records.log import LogSeverity

from .makers import ModelTester, column_named, record, texts

LIMIT = 5


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_table, "MAX_RECORDS", LIMIT)


def messages(model: LogTableModel | LogFilterProxy) -> list[str]:
    return texts(model, column_named(model, "Message"))


@pytest.mark.usefixtures("small")
def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = LogTableModel()
    qtmodeltester.check(model)
    model.append([])
    model.append([record("a")])
    model.append([record("b"), record("c"), record("d")])
    model.append([record("e"), record("f"), record("g")])
    assert messages(model) == ["c", "d", "e", "f", "g"]
    model.clear()
    assert messages(model) == []
    model.append([record("h")])
    assert messages(model) == ["h"]


@pytest.mark.usefixtures("small")
def test_that_the_proxy_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model, proxy = LogTableModel(), LogFilterProxy()
    proxy.setSourceModel(model)
    qtmodeltester.check(proxy)
    model.append([record("a"), record("b", LogSeverity.ERROR), record("c")])
    proxy.set_least_severity(LogSeverity.WARNING)
    model.append([record("d", LogSeverity.FATAL), record("e"), record("f"), record("g")])
    assert messages(proxy) == ["d"]
    proxy.set_least_severity(LogSeverity.VERBOSE)
    assert messages(proxy) == ["c", "d", "e", "f", "g"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("sizes", [[LIMIT], [LIMIT + 3], [1] * 12, [2, 2, 2], [LIMIT, LIMIT], [3, 10]])
def test_that_only_the_newest_records_stay(sizes: list[int]) -> None:
    model = LogTableModel()
    said: list[str] = []
    for size in sizes:
        new = [str(len(said) + number) for number in range(size)]
        said += new
        model.append([record(text) for text in new])
        assert messages(model) == said[-LIMIT:]


def test_that_the_limit_is_ten_thousand() -> None:
    model = LogTableModel()
    model.append([record(str(number)) for number in range(10_001)])
    assert model.rowCount() == 10_000
    assert model.row(0).message == "1"


@pytest.mark.usefixtures("small")
def test_that_a_selected_record_stays_selected_when_old_ones_go() -> None:
    model = LogTableModel()
    model.append([record(text) for text in "abcde"])
    selection = QItemSelectionModel(model)
    flags = QItemSelectionModel.SelectionFlag
    selection.select(model.index(3, 0), flags.Select | flags.Rows)
    model.append([record("f"), record("g")])
    assert [model.row(index.row()).message for index in selection.selectedRows()] == ["d"]


@pytest.mark.parametrize("least", LogSeverity)
def test_that_what_is_less_severe_is_left_out(least: LogSeverity) -> None:
    model, proxy = LogTableModel(), LogFilterProxy()
    proxy.setSourceModel(model)
    model.append([record(severity.name, severity) for severity in LogSeverity])
    proxy.set_least_severity(least)
    assert messages(proxy) == [severity.name for severity in LogSeverity if severity >= least]


def test_that_severity_and_words_are_both_wanted() -> None:
    model, proxy = LogTableModel(), LogFilterProxy()
    proxy.setSourceModel(model)
    model.append([record("no device", LogSeverity.ERROR), record("no device"), record("bad", LogSeverity.ERROR)])
    proxy.set_least_severity(LogSeverity.WARNING)
    proxy.set_filter_text("device")
    assert proxy.rowCount() == 1
    assert proxy.index(0, column_named(proxy, "Severity")).data() == "Error"


def test_that_severities_sort_by_weight_and_times_by_time() -> None:
    model, proxy = LogTableModel(), LogFilterProxy()
    proxy.setSourceModel(model)
    model.append(
        [
            record("warning", LogSeverity.WARNING, time=10.0),
            record("verbose", LogSeverity.VERBOSE, time=9.0),
            record("fatal", LogSeverity.FATAL, time=100.0),
        ]
    )
    proxy.sort(column_named(proxy, "Severity"), Qt.SortOrder.DescendingOrder)
    assert messages(proxy) == ["fatal", "warning", "verbose"]
    proxy.sort(column_named(proxy, "Time"))
    assert messages(proxy) == ["verbose", "warning", "fatal"]


def test_that_every_severity_has_a_word_of_its_own() -> None:
    assert len({severity_text(severity) for severity in LogSeverity}) == len(LogSeverity)
