"""The changes between two reports as a table."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QIcon, QPixmap
from pytestqt.qtbot import QtBot

from gui.models.change_table import ChangeTableModel, kind_text, part_text
from gui.models.table import FilterProxy
from gui.records.report_changes import Change, ChangeKind, Part

from ..finding import rows_of
from .makers import ModelTester, column_named, texts


def change(
    kind: ChangeKind, part: Part, item: str, field: str = "", old: str | None = None, new: str | None = None
) -> Change:
    return Change(kind=kind, part=part, item=item, field=field, old=old, new=new)


CHANGES = (
    change(ChangeKind.CHANGED, Part.ENVIRONMENT, "onnxruntime", old="1.9.0", new="1.10.0"),
    change(ChangeKind.CAME, Part.DEVICE, "ep #10", new="vendor 0x1022"),
    change(ChangeKind.CHANGED, Part.DEVICE, "ep #2", "EP metadata: k", "1.10.0", ""),
    change(ChangeKind.WENT, Part.LIBRARY, "lib", old="/x/lib.so"),
)


@pytest.fixture
def model() -> ChangeTableModel:
    model = ChangeTableModel(lambda _kind: None)
    model.set_rows(CHANGES)
    return model


@pytest.fixture
def proxy(model: ChangeTableModel) -> FilterProxy:
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    return proxy


def test_that_the_table_keeps_the_rules_of_item_models(model: ChangeTableModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.set_rows(CHANGES[1:3])
    model.set_rows(CHANGES)
    assert model.rows == CHANGES
    model.set_rows([])
    assert model.rowCount() == 0


def test_that_the_proxy_keeps_the_rules_of_item_models(
    model: ChangeTableModel, proxy: FilterProxy, qtmodeltester: ModelTester
) -> None:
    qtmodeltester.check(proxy)
    proxy.sort(2)
    proxy.set_filter_text("device ep")
    model.set_rows(CHANGES[:2])
    assert texts(proxy, 2) == ["ep #10"]
    proxy.set_filter_text("")
    assert proxy.rowCount() == 2


def test_that_a_change_is_a_row_of_what_where_then_and_now(model: ChangeTableModel) -> None:
    titles = [model.headerData(column, Qt.Orientation.Horizontal) for column in range(model.columnCount())]
    assert titles == ["What", "Part", "Item", "Field", "Then", "Now"]
    assert rows_of(model) == [
        ["changed", "environment", "onnxruntime", "", "1.9.0", "1.10.0"],
        ["came", "device", "ep #10", "", "–", "vendor 0x1022"],
        ["changed", "device", "ep #2", "EP metadata: k", "1.10.0", "(empty)"],
        ["went", "library", "lib", "", "/x/lib.so", "–"],
    ]


def test_that_each_kind_and_each_part_has_its_own_word() -> None:
    assert [kind_text(kind) for kind in ChangeKind] == ["came", "went", "changed"]
    assert [part_text(part) for part in Part] == ["environment", "library", "device", "hardware"]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("What", ["came", "went", "changed", "changed"]),
        ("Part", ["environment", "library", "device", "device"]),
        ("Item", ["ep #2", "ep #10", "lib", "onnxruntime"]),
        ("Then", ["–", "/x/lib.so", "1.9.0", "1.10.0"]),
    ],
)
def test_that_columns_sort_by_what_they_mean(proxy: FilterProxy, title: str, shown: list[str]) -> None:
    column = column_named(proxy, title)
    proxy.sort(column)
    assert texts(proxy, column) == shown
    proxy.sort(column, Qt.SortOrder.DescendingOrder)
    assert texts(proxy, column) == shown[::-1]


@pytest.mark.parametrize(
    ("words", "items"),
    [
        ("came", ["ep #10"]),
        ("DEVICE ep", ["ep #10", "ep #2"]),
        ("metadata", ["ep #2"]),
        ("1.10", ["onnxruntime", "ep #2"]),
        ("library device", []),
    ],
)
def test_that_the_filter_looks_through_every_column(proxy: FilterProxy, words: str, items: list[str]) -> None:
    proxy.set_filter_text(words)
    assert texts(proxy, 2) == items


def test_that_a_row_that_stays_stays_selected(model: ChangeTableModel) -> None:
    selection = QItemSelectionModel(model)
    flags = QItemSelectionModel.SelectionFlag
    selection.select(model.index(2, 0), flags.Select | flags.Rows)
    model.set_rows(CHANGES[2:])
    assert [index.row() for index in selection.selectedRows()] == [0]


def test_that_what_happened_shows_with_its_icon(qtbot: QtBot) -> None:
    pixmap = QPixmap(8, 8)
    pixmap.fill(Qt.GlobalColor.red)
    icon = QIcon(pixmap)
    model = ChangeTableModel(lambda kind: icon if kind is ChangeKind.CAME else None)
    model.set_rows(CHANGES)
    shown = [model.index(row, 0).data(Qt.ItemDataRole.DecorationRole) for row in range(len(CHANGES))]
    assert isinstance(shown[1], QIcon)
    assert shown[1].cacheKey() == icon.cacheKey()
    assert [shown[0], *shown[2:]] == [None, None, None]
