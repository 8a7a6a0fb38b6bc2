"""The table of targets: ticking, typing, and what cannot be taken."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon
from pytestqt.qtbot import QtBot

from gui.models.compare_plan import compare_rows
from gui.models.compare_table import LABEL_COLUMN, OPTIONS_COLUMN, TARGET_COLUMN, THREADS_COLUMN, CompareTableModel
from gui.records.trial import MAX_THREADS

from .makers import ModelTester, column_named, texts
from .test_compare_plan import DEVICES, OPTIONS, base

CPU, GGML, NPU = 0, 1, 2


@pytest.fixture
def model(qtbot: QtBot) -> CompareTableModel:
    model = CompareTableModel(warning=QIcon, muted=QColor)
    model.set_rows(compare_rows(base(first_ep="ggml", options=OPTIONS), DEVICES))
    return model


def tick(model: CompareTableModel, row: int) -> bool:
    return model.setData(model.index(row, TARGET_COLUMN), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)


def is_ticked(model: CompareTableModel, row: int) -> bool:
    return model.index(row, TARGET_COLUMN).data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked


def test_that_the_model_obeys_the_rules_of_qt(model: CompareTableModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.add_variant(GGML)
    model.setData(model.index(GGML + 1, THREADS_COLUMN), "4")
    model.remove_variant(GGML + 1)
    model.toggle(CPU)


def test_that_a_row_that_cannot_run_is_neither_ticked_nor_edited(model: CompareTableModel) -> None:
    assert not is_ticked(model, NPU)
    model.toggle(NPU)
    assert not is_ticked(model, NPU)
    flags = model.flags(model.index(NPU, TARGET_COLUMN)) | model.flags(model.index(NPU, OPTIONS_COLUMN))
    assert not flags & (Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable)
    assert "irtual" in model.index(NPU, column_named(model, "Note")).data()


def test_that_a_tick_is_told(model: CompareTableModel, qtbot: QtBot) -> None:
    policy = NPU + 1
    with qtbot.waitSignal(model.changed_by_hand):
        assert tick(model, policy)
    assert [row.key for row in model.chosen] == ["cpu", "ggml", "policy DEFAULT"]
    model.toggle(CPU)
    assert not is_ticked(model, CPU)


def test_that_options_are_typed_as_keys_and_values(model: CompareTableModel) -> None:
    index = model.index(GGML, OPTIONS_COLUMN)
    assert index.data() == "threads=2; fast=1"
    assert not model.row(GGML).has_own_options
    assert model.setData(index, "threads=8")
    assert model.row(GGML).options == (("threads", "8"),)
    assert model.row(GGML).has_own_options


def test_that_options_that_are_none_stay_to_be_corrected(model: CompareTableModel) -> None:
    index, note = model.index(GGML, OPTIONS_COLUMN), model.index(GGML, column_named(model, "Note"))
    model.setData(index, "threads")
    assert (index.data(), index.data(Qt.ItemDataRole.EditRole)) == ("threads", "threads")
    assert "“threads” is no option" in note.data()
    assert "“threads” is no option" in index.data(Qt.ItemDataRole.ToolTipRole)
    model.setData(index, "")
    assert (model.row(GGML).options, note.data()) == ((), "")


@pytest.mark.parametrize("text", ["-1", "", "two", "1.5", str(MAX_THREADS + 1)])
def test_that_what_is_no_number_of_threads_is_refused(model: CompareTableModel, qtbot: QtBot, text: str) -> None:
    with qtbot.waitSignal(model.refused) as told:
        assert not model.setData(model.index(CPU, THREADS_COLUMN), text)
    assert f"“{text}”" in told.args[0]
    assert model.row(CPU).threads == 0


def test_that_opening_and_closing_an_editor_leaves_everything_as_it_was(model: CompareTableModel) -> None:
    before = model.rows
    for column in (LABEL_COLUMN, OPTIONS_COLUMN, THREADS_COLUMN):
        index = model.index(GGML, column)
        assert model.setData(index, index.data(Qt.ItemDataRole.EditRole))
    assert model.rows == before


def test_that_a_variants_label_follows_what_is_typed_until_it_is_typed_itself(model: CompareTableModel) -> None:
    row = model.add_variant(GGML)
    assert row == GGML + 1
    model.setData(model.index(row, THREADS_COLUMN), "4")
    assert texts(model, LABEL_COLUMN)[: row + 1] == ["CPU", "ggml", "ggml, threads=4"]
    model.setData(model.index(row, LABEL_COLUMN), "four")
    model.setData(model.index(row, THREADS_COLUMN), "8")
    assert texts(model, LABEL_COLUMN)[row] == "four"
    model.setData(model.index(row, LABEL_COLUMN), "")
    assert texts(model, LABEL_COLUMN)[row] == "ggml, threads=8"


def test_that_only_variants_are_removed(model: CompareTableModel) -> None:
    row = model.add_variant(GGML)
    assert model.add_variant(GGML) == row + 1
    keys = [entry.key for entry in model.rows]
    model.remove_variant(GGML)
    assert [entry.key for entry in model.rows] == keys
    model.remove_variant(row)
    assert [entry.key for entry in model.rows] == [key for key in keys if key != "ggml #1"]
