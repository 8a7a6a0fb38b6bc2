"""A model's inputs as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication

from gui.models.input_table import VALUES_COLUMN, InputTableModel, input_rows, is_automatic
from gui.records.inputs import Fill, InputProposal, InputSource, SourceKind
from gui.records.model import ModelDescription, TensorInfo

from .makers import ModelTester, column_named, texts

DESCRIPTION = ModelDescription(
    path="/models/net.onnx",
    size_bytes=10,
    inputs=(
        TensorInfo(name="ids", type="tensor(int64)", shape=("batch", None)),
        TensorInfo(name="s", type="seq(tensor(float))"),
    ),
    outputs=(),
    initializers=(TensorInfo(name="scale", type="tensor(float)", shape=()),),
)
PROPOSALS = {
    "ids": InputProposal(
        source=InputSource(name="ids", fill=Fill.INTEGERS, low=0, high=9), reason="indices into 10 rows"
    ),
    "s": InputProposal(source=InputSource(name="s", fill=Fill.UNIFORM, length=3, shape=(2,))),
    "scale": InputProposal(source=InputSource(name="scale", kind=SourceKind.OMITTED)),
}
IDS = InputSource(name="ids", fill=Fill.CONSTANT, value="3")


@pytest.fixture
def model(qapp: QApplication) -> InputTableModel:
    model = InputTableModel(lambda: QIcon(QPixmap(4, 4)))
    model.set_rows(input_rows(DESCRIPTION, {}, PROPOSALS))
    return model


def values(model: InputTableModel) -> list[str]:
    return texts(model, VALUES_COLUMN)


def role(model: InputTableModel, row: int, column: int, role: Qt.ItemDataRole) -> object:
    return model.index(row, column).data(role)


def test_that_the_table_keeps_the_rules_of_item_models(qapp: QApplication, qtmodeltester: ModelTester) -> None:
    model = InputTableModel(QIcon)
    qtmodeltester.check(model)
    model.set_rows(input_rows(DESCRIPTION, {}, {}))
    model.set_muted(QColor("gray"))
    model.set_rows(input_rows(DESCRIPTION, {"ids": IDS}, PROPOSALS))
    model.set_rows(input_rows(replace(DESCRIPTION, inputs=DESCRIPTION.inputs[1:]), {}, PROPOSALS))
    model.set_rows(())
    assert model.rowCount() == 0


def test_that_initializers_follow_the_inputs_and_are_marked(model: InputTableModel) -> None:
    assert texts(model) == ["ids", "s", "scale"]
    assert values(model)[2] == "model's own value"
    assert "initializer" in str(role(model, 2, 0, Qt.ItemDataRole.ToolTipRole))


def test_that_an_initializer_that_is_an_input_as_well_is_there_once(qapp: QApplication) -> None:
    rows = input_rows(replace(DESCRIPTION, initializers=DESCRIPTION.inputs[:1]), {}, {})
    assert [(row.tensor.name, row.is_initializer) for row in rows] == [("ids", False), ("s", False)]


def test_that_types_are_short_and_whole_in_the_tip(model: InputTableModel) -> None:
    column = column_named(model, "Type")
    assert texts(model, column) == ["int64", "seq(float)", "float"]
    assert role(model, 1, column, Qt.ItemDataRole.ToolTipRole) == "seq(tensor(float))"
    assert texts(model, column_named(model, "Shape")) == ["[batch, ?]", "unknown", "[]"]


def test_that_what_the_engine_chooses_is_said_to_be_automatic(model: InputTableModel) -> None:
    assert values(model)[:2] == ["automatic: integers 0 to 9", "automatic: 3 × uniform 0 to 1, shape [2]"]
    assert role(model, 0, VALUES_COLUMN, Qt.ItemDataRole.ToolTipRole) == (
        "automatic: integers 0 to 9\nindices into 10 rows"
    )


def test_that_without_a_proposal_it_is_just_automatic(model: InputTableModel) -> None:
    model.set_rows(input_rows(DESCRIPTION, {}, {}))
    assert values(model) == ["automatic", "automatic", "model's own value"]


def test_that_what_the_user_set_stands_in_its_place(model: InputTableModel) -> None:
    file = InputSource(name="scale", kind=SourceKind.FILE, path="/data/scale.npy")
    model.set_rows(input_rows(DESCRIPTION, {"ids": IDS, "scale": file}, PROPOSALS))
    assert values(model)[::2] == ["constant 3", "scale.npy"]
    assert "/data/scale.npy" in str(role(model, 2, VALUES_COLUMN, Qt.ItemDataRole.ToolTipRole))


def test_that_only_automatic_values_are_muted_and_italic(model: InputTableModel) -> None:
    model.set_muted(QColor("gray"))
    model.set_rows(input_rows(DESCRIPTION, {"ids": IDS}, PROPOSALS))
    assert role(model, 0, VALUES_COLUMN, Qt.ItemDataRole.ForegroundRole) is None
    assert role(model, 0, VALUES_COLUMN, Qt.ItemDataRole.FontRole) is None
    assert role(model, 1, VALUES_COLUMN, Qt.ItemDataRole.ForegroundRole) == QColor("gray")
    font = model.index(1, VALUES_COLUMN).data(Qt.ItemDataRole.FontRole)
    assert font.italic()
    assert role(model, 1, 0, Qt.ItemDataRole.FontRole) is None


def test_that_a_source_that_cannot_be_used_is_marked_and_says_why(model: InputTableModel) -> None:
    model.set_rows(input_rows(DESCRIPTION, {"ids": replace(IDS, value="x")}, PROPOSALS))
    assert role(model, 0, VALUES_COLUMN, Qt.ItemDataRole.DecorationRole) is not None
    assert "not a whole number" in str(role(model, 0, VALUES_COLUMN, Qt.ItemDataRole.ToolTipRole))
    model.set_rows(input_rows(DESCRIPTION, {"ids": IDS}, PROPOSALS))
    assert role(model, 0, VALUES_COLUMN, Qt.ItemDataRole.DecorationRole) is None


def test_that_a_source_that_says_nothing_is_automatic() -> None:
    ids, entries = DESCRIPTION.inputs
    assert is_automatic(InputSource(name="ids"), ids, is_initializer=False)
    assert is_automatic(InputSource(name="ids", length=5, shape=(2,)), ids, is_initializer=False)
    assert not is_automatic(InputSource(name="s", length=5), entries, is_initializer=False)
    assert not is_automatic(InputSource(name="s", shape=(2,)), entries, is_initializer=False)
    assert not is_automatic(IDS, ids, is_initializer=False)
    assert is_automatic(InputSource(name="scale", kind=SourceKind.OMITTED), ids, is_initializer=True)
    assert not is_automatic(InputSource(name="scale"), ids, is_initializer=True)
