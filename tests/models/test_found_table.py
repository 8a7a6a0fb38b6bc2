"""EP libraries found on this computer: ticked and named in the table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.models.found_table import NAME_COLUMN, FoundRow, FoundTableModel

from .makers import ModelTester, column_named, found, texts

CHECK = Qt.ItemDataRole.CheckStateRole
ONE = FoundRow(
    library=found(
        "/site/one/libone.so", distribution="onnxruntime-one", distribution_version="1.2", library_version="3.4"
    ),
    name="one",
)
TWO = FoundRow(library=found("/home/me/build/libtwo.so.1", folder="/home/me/build"), name="two")


@pytest.fixture
def model() -> FoundTableModel:
    model = FoundTableModel()
    model.set_rows([ONE, TWO])
    return model


def test_that_the_table_keeps_the_rules_of_item_models(model: FoundTableModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.setData(model.index(0, 0), Qt.CheckState.Checked, CHECK)
    model.set_rows([TWO, replace(ONE, library=found("/third.so"))])
    model.set_rows([])
    assert model.rowCount() == 0


# ---- What a row shows ----


def test_that_a_row_tells_file_package_version_and_folder(model: FoundTableModel) -> None:
    shown = {title: texts(model, column_named(model, title)) for title in ("File", "Package", "Version", "Folder")}
    assert shown == {
        "File": ["libone.so", "libtwo.so.1"],
        "Package": ["onnxruntime-one 1.2", "–"],
        "Version": ["3.4", "–"],
        "Folder": ["/site/one", "/home/me/build"],
    }
    assert model.index(1, 0).data(Qt.ItemDataRole.ToolTipRole) == "/home/me/build/libtwo.so.1"


def test_that_a_package_without_version_is_named_all_the_same(model: FoundTableModel) -> None:
    model.set_rows([replace(ONE, library=found("/libone.so", distribution="mine"))])
    assert texts(model, column_named(model, "Package")) == ["mine"]


@pytest.mark.parametrize(
    ("listed_as", "is_loaded", "text"),
    [
        ("", False, "not in the list"),
        ("first", False, "in the list as “first”"),
        ("first", True, "loaded as “first”"),
    ],
)
def test_that_a_row_says_whether_its_file_is_in_the_list(
    model: FoundTableModel, listed_as: str, is_loaded: bool, text: str
) -> None:
    model.set_rows([replace(ONE, listed_as=listed_as, is_loaded=is_loaded)])
    assert texts(model, column_named(model, "State")) == [text]


# ---- Ticks and names ----


def test_that_only_files_are_ticked_and_only_names_are_typed(model: FoundTableModel) -> None:
    columns = range(model.columnCount())
    can_tick = [bool(model.flags(model.index(0, n)) & Qt.ItemFlag.ItemIsUserCheckable) for n in columns]
    can_type = [bool(model.flags(model.index(0, n)) & Qt.ItemFlag.ItemIsEditable) for n in columns]
    assert can_tick == [column == column_named(model, "File") for column in columns]
    assert can_type == [column == column_named(model, "Registration name") == NAME_COLUMN for column in columns]
    assert [model.index(0, n).data(CHECK) is not None for n in columns] == can_tick
    assert all(model.flags(model.index(0, n)) & Qt.ItemFlag.ItemIsSelectable for n in columns)


def test_that_a_tick_is_set_and_taken_away(model: FoundTableModel, qtbot: QtBot) -> None:
    assert not model.ticked
    with qtbot.waitSignals([model.changed_by_hand, model.dataChanged], timeout=1000):
        assert model.setData(model.index(1, 0), Qt.CheckState.Checked, CHECK)
    assert model.ticked == (replace(TWO, ticked=True),)
    assert [model.index(row, 0).data(CHECK) for row in range(2)] == [Qt.CheckState.Unchecked, Qt.CheckState.Checked]
    with qtbot.waitSignal(model.changed_by_hand, timeout=1000):
        assert model.setData(model.index(1, 0), Qt.CheckState.Unchecked, CHECK)
    assert not model.ticked


def test_that_a_tick_may_come_as_a_number_as_views_give_it(model: FoundTableModel) -> None:
    assert model.setData(model.index(0, 0), Qt.CheckState.Checked.value, CHECK)
    assert model.ticked == (replace(ONE, ticked=True),)


def test_that_typing_a_name_ticks_its_row(model: FoundTableModel, qtbot: QtBot) -> None:
    assert model.index(0, NAME_COLUMN).data(Qt.ItemDataRole.EditRole) == "one"
    with qtbot.waitSignal(model.changed_by_hand, timeout=1000):
        assert model.setData(model.index(0, NAME_COLUMN), "  uno ")
    assert model.ticked == (replace(ONE, name="uno", ticked=True),)
    assert texts(model, NAME_COLUMN) == ["uno", "two"]


def test_that_nothing_else_can_be_changed(model: FoundTableModel, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(model.changed_by_hand):
        assert not model.setData(model.index(0, 0), "other")
        assert not model.setData(model.index(0, NAME_COLUMN), Qt.CheckState.Checked, CHECK)
        assert not model.setData(model.index(0, 2), "loaded")
        assert not model.setData(model.index(7, 0), Qt.CheckState.Checked, CHECK)
    assert model.rows == (ONE, TWO)
