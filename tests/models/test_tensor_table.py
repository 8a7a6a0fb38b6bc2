"""A model's inputs and outputs as a table."""

from __future__ import annotations

from gui.models.tensor_table import TensorTableModel, tensor_rows
from gui.records.model import ModelDescription, TensorInfo

from .makers import ModelTester, column_named, texts

DESCRIPTION = ModelDescription(
    path="/models/net.onnx",
    size_bytes=10,
    inputs=(
        TensorInfo(name="x", type="tensor(float)", shape=("batch", 3, None)),
        TensorInfo(name="s", type="seq(tensor(int64))"),
    ),
    outputs=(TensorInfo(name="x", type="tensor(int64)", shape=()),),
)


def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = TensorTableModel()
    qtmodeltester.check(model)
    model.set_rows(tensor_rows(DESCRIPTION))
    model.set_rows(tensor_rows(DESCRIPTION)[1:])
    model.set_rows(())
    assert model.rowCount() == 0


def test_that_inputs_come_before_outputs_though_names_are_equal() -> None:
    model = TensorTableModel()
    model.set_rows(tensor_rows(DESCRIPTION))
    assert texts(model, 0) == ["in", "in", "out"]
    assert texts(model, column_named(model, "Name")) == ["x", "s", "x"]


def test_that_types_are_short_and_shapes_as_people_write_them() -> None:
    model = TensorTableModel()
    model.set_rows(tensor_rows(DESCRIPTION))
    assert texts(model, column_named(model, "Type")) == ["float", "seq(tensor(int64))", "int64"]
    assert texts(model, column_named(model, "Shape")) == ["[batch, 3, ?]", "unknown", "[]"]
