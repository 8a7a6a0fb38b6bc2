"""The table over records and its proxy, seen through the library table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QItemSelectionModel, QPersistentModelIndex, Qt
from pytestqt.qtbot import QtBot

from gui.models.library_table import LibraryTableModel
from gui.models.table import ROW_ROLE, SORT_ROLE, Column, FilterProxy, RecordTableModel
from gui.records.library import LibraryState

from .makers import ModelTester, library, row_of, texts


@pytest.fixture
def model() -> LibraryTableModel:
    return LibraryTableModel(lambda _library: None)


@pytest.fixture
def selection(model: LibraryTableModel) -> QItemSelectionModel:
    model.set_rows([library("a"), library("b"), library("c")])
    selection = QItemSelectionModel(model)
    flags = QItemSelectionModel.SelectionFlag
    selection.select(model.index(1, 0), flags.Select | flags.Rows)
    return selection


def selected_names(selection: QItemSelectionModel) -> list[str]:
    return [index.data() for index in selection.selectedRows()]


def test_that_the_table_keeps_the_rules_of_item_models(model: LibraryTableModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    for names in ("abc", "c", "xcy", "xyc", "", "ab"):  # the tester looks again after each change
        model.set_rows([library(name) for name in names])
        assert texts(model) == list(names)


def test_that_the_proxy_keeps_the_rules_of_item_models(model: LibraryTableModel, qtmodeltester: ModelTester) -> None:
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    qtmodeltester.check(proxy)
    proxy.sort(0, Qt.SortOrder.DescendingOrder)
    for names, shown in (("abc", "cba"), ("c", "c"), ("xcy", "yxc"), ("xyc", "yxc"), ("", ""), ("ab", "ba")):
        model.set_rows([library(name) for name in names])
        assert texts(proxy) == list(shown)
    proxy.set_filter_text("liba")
    assert texts(proxy) == ["a"]


@pytest.mark.parametrize("names", ["abc", "b", "xbx2", "bc", "ab", "axbyc"], ids=lambda names: f"abc to {names}")
def test_that_a_row_that_stays_stays_selected(
    model: LibraryTableModel, selection: QItemSelectionModel, names: str
) -> None:
    kept = QPersistentModelIndex(model.index(1, 0))
    model.set_rows([library(name) for name in dict.fromkeys(names)])
    assert selected_names(selection) == ["b"]
    assert kept.data() == "b"
    assert row_of(kept) == texts(model).index("b")


def test_that_the_selection_goes_with_its_row(model: LibraryTableModel, selection: QItemSelectionModel) -> None:
    model.set_rows([library("a"), library("c")])
    assert selected_names(selection) == []


def test_that_rows_that_stay_are_not_reset(qtbot: QtBot, model: LibraryTableModel) -> None:
    model.set_rows([library("a"), library("b")])
    with qtbot.assertNotEmitted(model.modelReset):
        model.set_rows([library("b"), library("c")])


def test_that_a_new_order_resets_the_model(
    qtbot: QtBot, model: LibraryTableModel, selection: QItemSelectionModel
) -> None:
    with qtbot.waitSignal(model.modelReset):
        model.set_rows([library("b"), library("a"), library("c")])
    assert texts(model) == ["b", "a", "c"]


def test_that_a_row_that_stays_shows_its_new_record(qtbot: QtBot, model: LibraryTableModel) -> None:
    model.set_rows([library("a"), library("b")])
    loading = library("a", LibraryState.LOADING)
    with qtbot.waitSignal(model.dataChanged):
        model.set_rows([loading, library("b")])
    assert model.row(0) == loading
    assert model.index(0, 2).data() == "loading…"


def test_that_update_row_tells_of_the_one_row(qtbot: QtBot, model: LibraryTableModel) -> None:
    model.set_rows([library("a"), library("b"), library("c")])
    loading = library("b", LibraryState.LOADING)
    with qtbot.waitSignal(model.dataChanged) as changed:
        model.update_row(loading)
    first, last, _roles = changed.args
    assert (first.row(), last.row()) == (1, 1)
    assert (first.column(), last.column()) == (0, model.columnCount() - 1)
    assert model.rows == (library("a"), loading, library("c"))


def test_that_update_row_of_an_unknown_record_changes_nothing(qtbot: QtBot, model: LibraryTableModel) -> None:
    model.set_rows([library("a")])
    with qtbot.assertNotEmitted(model.dataChanged):
        model.update_row(library("z"))
    assert model.rows == (library("a"),)


def test_that_a_row_is_found_by_its_key(model: LibraryTableModel) -> None:
    model.set_rows([library("a"), library("b")])
    assert model.row_number("b") == 1
    assert model.row_number("z") is None


def test_that_the_record_is_had_by_its_role(model: LibraryTableModel) -> None:
    model.set_rows([library("a")])
    assert model.index(0, 0).data(ROW_ROLE) == library("a")


@pytest.mark.parametrize("order", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder])
@pytest.mark.parametrize(
    "numbers",
    [[9, 10, 1], [3_000_000_000, 1_000_000_000, 2_500_000_000, 5], [2**40, 2**33, 1], [1.5, 3, 0.5]],
    ids=["text sorts otherwise", "beyond 32 bits", "far beyond 32 bits", "with fractions"],
)
def test_that_numbers_sort_as_numbers(qtbot: QtBot, numbers: list[float], order: Qt.SortOrder) -> None:
    column = Column[float](title="Number", text=str, sort=lambda number: number)
    model = RecordTableModel[float]((column,), lambda number: number)
    model.set_rows(numbers)
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    proxy.sort(0, order)
    expected = sorted(numbers, reverse=order is Qt.SortOrder.DescendingOrder)
    assert texts(proxy) == [str(number) for number in expected]


def test_that_text_sorts_without_regard_to_case(model: LibraryTableModel) -> None:
    model.set_rows([library("b"), library("C"), library("A")])
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    proxy.sort(0)
    assert texts(proxy) == ["A", "b", "C"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("", ["alpha", "beta"]),
        ("ALPHA", ["alpha"]),
        ("alpha not", ["alpha"]),  # in two columns
        ("not ALPHA", ["alpha"]),
        ("alpha beta", []),
        ("libbeta", ["beta"]),
        ("gamma", []),
    ],
)
def test_that_the_filter_wants_each_word_in_any_column(model: LibraryTableModel, words: str, shown: list[str]) -> None:
    model.set_rows([library("alpha"), library("beta")])
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    proxy.set_filter_text(words)
    assert texts(proxy) == shown


def test_that_the_filter_follows_changed_rows(model: LibraryTableModel) -> None:
    model.set_rows([library("a"), library("b")])
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    proxy.set_filter_text("loading")
    assert texts(proxy) == []
    model.set_rows([library("a"), replace(library("b"), state=LibraryState.LOADING)])
    assert texts(proxy) == ["b"]


def test_that_the_header_tells_titles_only(model: LibraryTableModel) -> None:
    assert model.headerData(0, Qt.Orientation.Horizontal) == "Name"
    assert model.headerData(0, Qt.Orientation.Vertical) is None
    assert model.headerData(99, Qt.Orientation.Horizontal) is None


def test_that_numbers_stand_right_and_texts_left(qtbot: QtBot) -> None:
    columns = (
        Column[str](title="Text", text=str),
        Column[str](title="Number", text=str, is_number=True, header_tip="how many"),
    )
    model = RecordTableModel[str](columns, lambda text: text)
    model.set_rows(["1"])
    role = Qt.ItemDataRole.TextAlignmentRole
    assert model.index(0, 0).data(role) & Qt.AlignmentFlag.AlignLeft
    assert model.index(0, 1).data(role) & Qt.AlignmentFlag.AlignRight
    assert model.headerData(1, Qt.Orientation.Horizontal, role) & Qt.AlignmentFlag.AlignRight
    assert model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) == "how many"


def test_that_the_sort_role_gives_the_text_where_nothing_else_is_said(model: LibraryTableModel) -> None:
    model.set_rows([library("a")])
    assert model.index(0, 0).data(SORT_ROLE) == "a"
