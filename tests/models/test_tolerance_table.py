"""Tolerances as an editable table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt

from gui.models.tolerance_table import ABSOLUTE_COLUMN, RELATIVE_COLUMN, ToleranceTableModel, number_text
from gui.records.check import DEFAULT_TOLERANCES, TOLERANCE_TYPES, Tolerance

from .makers import ModelTester, texts

OWN = Tolerance(type="int8", absolute=1, relative=0)


@pytest.fixture
def model() -> ToleranceTableModel:
    return ToleranceTableModel()


@pytest.fixture
def german() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.German))
    yield
    QLocale.setDefault(before)


def enter(model: ToleranceTableModel, element: str, column: int, text: str) -> bool:
    row = model.row_number(element)
    assert row is not None
    return model.setData(model.index(row, column), text)


def shown(model: ToleranceTableModel, element: str, column: int) -> str:
    row = model.row_number(element)
    assert row is not None
    return str(model.index(row, column).data())


def test_that_the_table_keeps_the_rules_of_item_models(model: ToleranceTableModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    enter(model, "float", ABSOLUTE_COLUMN, "1")
    model.show_tolerances((OWN, Tolerance(type="float99", absolute=1, relative=1)))
    model.show_tolerances(())


def test_that_every_type_is_there_with_what_is_usual(model: ToleranceTableModel) -> None:
    assert tuple(texts(model, 0)) == TOLERANCE_TYPES
    for entry in DEFAULT_TOLERANCES:
        assert float(shown(model, entry.type, ABSOLUTE_COLUMN)) == entry.absolute
        assert float(shown(model, entry.type, RELATIVE_COLUMN)) == entry.relative
    assert shown(model, "int64", ABSOLUTE_COLUMN) == shown(model, "int64", RELATIVE_COLUMN) == "0"
    assert model.tolerances == ()


def test_that_the_numbers_can_be_edited_and_the_types_cannot(model: ToleranceTableModel) -> None:
    flags = [model.index(0, column).flags() for column in range(model.columnCount())]
    assert [bool(entry & Qt.ItemFlag.ItemIsEditable) for entry in flags] == [False, True, True]
    assert not model.setData(model.index(0, 0), "1")
    assert not model.setData(model.index(0, 1), "1", Qt.ItemDataRole.DisplayRole)


def test_that_only_what_differs_is_given_back_and_written_in_bold(model: ToleranceTableModel) -> None:
    assert enter(model, "int8", ABSOLUTE_COLUMN, " 1 ")
    assert enter(model, "double", RELATIVE_COLUMN, "1e-3")
    assert model.tolerances == (Tolerance(type="double", absolute=1e-6, relative=1e-3), OWN)
    bold = [row.type for number, row in enumerate(model.rows) if model.index(number, 0).data(Qt.ItemDataRole.FontRole)]
    assert bold == ["double", "int8"]
    enter(model, "int8", ABSOLUTE_COLUMN, "0")
    enter(model, "double", RELATIVE_COLUMN, "0.000001")
    assert not model.tolerances


def test_that_tolerances_shown_come_back_with_those_of_types_that_are_not_known(model: ToleranceTableModel) -> None:
    strange = Tolerance(type="float99", absolute=1, relative=1)
    model.show_tolerances((OWN, strange))
    assert set(model.tolerances) == {OWN, strange}
    model.show_tolerances(())
    assert model.tolerances == ()


@pytest.mark.parametrize("text", ["-1", "", "much", "nan", "inf", "1e999", "1,5", "1 2"])
def test_that_what_is_no_tolerance_is_refused_in_words_and_changes_nothing(
    model: ToleranceTableModel, text: str
) -> None:
    said: list[str] = []
    model.refused.connect(said.append)
    assert not enter(model, "float", ABSOLUTE_COLUMN, text)
    assert said == [f"“{text}” is not a number of at least 0."]
    assert model.tolerances == ()
    assert enter(model, "float", ABSOLUTE_COLUMN, "2")
    assert said[1:] == [""]


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize("text", ["0,25", "0.25"])
def test_that_numbers_are_read_by_the_locale_and_as_c_writes_them(model: ToleranceTableModel, text: str) -> None:
    assert enter(model, "float", ABSOLUTE_COLUMN, text)
    assert model.tolerances == (Tolerance(type="float", absolute=0.25, relative=1e-2),)
    assert shown(model, "float", ABSOLUTE_COLUMN) == "0,25"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.1, "0.1"), (1000.0, "1000"), (1e-6, "1e-06"), (0.30000000000000004,) * 2]
)
def test_that_a_number_has_as_many_digits_as_it_needs(value: float, text: object) -> None:
    assert number_text(value) == str(text)


def test_that_the_tip_says_what_is_usual(model: ToleranceTableModel) -> None:
    row = model.row_number("float")
    assert row is not None
    cell = model.index(row, ABSOLUTE_COLUMN)
    assert cell.data(Qt.ItemDataRole.ToolTipRole) is None
    enter(model, "float", ABSOLUTE_COLUMN, "2")
    assert cell.data(Qt.ItemDataRole.ToolTipRole) == "By itself 0.005 absolute, 0.01 relative"
    last = model.index(model.rowCount() - 1, 0)
    assert last.data(Qt.ItemDataRole.ToolTipRole) == "Compared exactly"
