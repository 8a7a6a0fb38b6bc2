"""EP options as an editable table."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.models.option_table import OptionTableModel
from gui.records.codec import StringMap

from .makers import ModelTester


@pytest.fixture
def model() -> OptionTableModel:
    model = OptionTableModel()
    model.set_options((("threads", "4"), ("mode", "fast")))
    return model


def cells(model: OptionTableModel) -> list[tuple[str, str]]:
    return [(model.index(row, 0).data(), model.index(row, 1).data()) for row in range(model.rowCount())]


def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = OptionTableModel()
    qtmodeltester.check(model)
    model.setData(model.index(0, 0), "threads=4")
    model.setData(model.index(1, 1), "fast")
    model.remove_row(0)
    assert cells(model) == [("", "fast"), ("", "")]
    model.set_options(())
    assert cells(model) == [("", "")]


def test_that_an_empty_row_waits_at_the_end(model: OptionTableModel) -> None:
    assert cells(model) == [("threads", "4"), ("mode", "fast"), ("", "")]
    assert model.options == (("threads", "4"), ("mode", "fast"))


def test_that_every_cell_can_be_edited(model: OptionTableModel) -> None:
    indexes = [model.index(row, column) for row in range(3) for column in range(2)]
    assert all(model.flags(index) & Qt.ItemFlag.ItemIsEditable for index in indexes)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("device=gpu", ("device", "gpu")),
        (" device = gpu ", ("device", "gpu")),
        ("path=a=b", ("path", "a=b")),
        ("flag=", ("flag", "")),
        ("device", ("device", "")),
    ],
)
def test_that_a_key_may_be_pasted_with_its_value(model: OptionTableModel, text: str, pair: tuple[str, str]) -> None:
    assert model.setData(model.index(2, 0), text)
    assert model.options[2] == pair
    assert model.rowCount() == 4  # another empty one


def test_that_an_equals_sign_in_a_value_is_part_of_it(model: OptionTableModel) -> None:
    assert model.setData(model.index(0, 1), "a=b")
    assert model.options[0] == ("threads", "a=b")


def test_that_a_new_key_keeps_the_value(model: OptionTableModel) -> None:
    assert model.setData(model.index(0, 0), "intra_threads")
    assert model.options[0] == ("intra_threads", "4")


def test_that_leaving_the_empty_row_empty_adds_nothing(qtbot: QtBot, model: OptionTableModel) -> None:
    with qtbot.assertNotEmitted(model.options_changed):
        assert not model.setData(model.index(2, 0), "  ")
    assert model.rowCount() == 3


def test_that_each_change_is_told(qtbot: QtBot, model: OptionTableModel) -> None:
    with qtbot.waitSignal(model.options_changed):
        model.setData(model.index(0, 1), "8")
    with qtbot.waitSignal(model.options_changed):
        model.setData(model.index(2, 0), "new")
    with qtbot.waitSignal(model.options_changed):
        model.remove_row(0)
    with qtbot.waitSignal(model.options_changed):
        model.set_options(())


def test_that_only_rows_that_are_there_can_be_removed(qtbot: QtBot, model: OptionTableModel) -> None:
    with qtbot.assertNotEmitted(model.options_changed):
        model.remove_row(2)  # the empty one at the end
        model.remove_row(-1)
    model.remove_row(0)
    assert model.options == (("mode", "fast"),)


def test_that_a_row_emptied_by_hand_is_no_option(model: OptionTableModel) -> None:
    model.setData(model.index(0, 0), "")
    model.setData(model.index(0, 1), " ")
    assert model.options == (("mode", "fast"),)
    assert model.problem() is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((), None),
        ((("a", "1"), ("b", "1")), None),
        ((("a", ""),), None),
        ((("a", "1"), ("", "loose")), "The option value “loose” has no key. Type options as key and value."),
        ((("a", "1"), (" a ", "2")), "The option “a” is there twice. Remove one."),
    ],
)
def test_that_the_problem_is_one_sentence(options: StringMap, problem: str | None) -> None:
    model = OptionTableModel()
    model.set_options(options)
    assert model.problem() == problem


def test_that_other_roles_cannot_be_set(model: OptionTableModel) -> None:
    assert not model.setData(model.index(0, 0), "x", int(Qt.ItemDataRole.ToolTipRole))
    assert model.options[0] == ("threads", "4")


def test_that_the_header_names_option_and_value(model: OptionTableModel) -> None:
    assert [model.headerData(column, Qt.Orientation.Horizontal) for column in range(3)] == ["Option", "Value", None]
