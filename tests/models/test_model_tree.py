"""What is known of a model, as groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QLocale

from gui.models.detail_tree import DetailGroup, DetailTreeModel
from gui.models.model_tree import filtered, model_groups
from gui.records.model import ExternalFile, ModelDescription, TensorInfo
from gui.records.placement import OpCount

from .makers import ModelTester

KNOWN = ModelDescription(
    path="/models/net.onnx",
    size_bytes=3_000_000,
    inputs=(
        TensorInfo(name="ids", type="tensor(int64)", shape=("batch", "past + new")),
        TensorInfo(name="past", type="tensor(float)", shape=("batch", "past", "new")),
    ),
    outputs=(TensorInfo(name="y", type="seq(tensor(float))"),),
    initializers=(TensorInfo(name="scale", type="tensor(float)", shape=()),),
    node_count=1200,
    op_counts=(OpCount(op_type="MatMul", count=1100), OpCount(op_type="com.microsoft.Gelu", count=2)),
    external_files=(ExternalFile(name="net.onnx.data", size_bytes=2_000_000),),
    producer="pytorch 2.5",
    domain="org.example",
    model_version=4,
    ir_version=9,
    graph_name="main",
    description="What it is for.",
    opsets=(("ai.onnx", "17"),),
    metadata=(("author", "me"),),
    context_eps=("QNNExecutionProvider",),
)
UNKNOWN = ModelDescription(path="/models/net.onnx", size_bytes=10, inputs=(), outputs=())


@pytest.fixture(autouse=True)
def _us_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    yield
    QLocale.setDefault(before)


def shown(description: ModelDescription) -> dict[str, dict[str, str]]:
    return {group.title: dict(group.pairs) for group in model_groups(description)}


def test_that_the_tree_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = DetailTreeModel()
    qtmodeltester.check(model)
    for description in (KNOWN, UNKNOWN):
        model.set_groups(model_groups(description))
        model.set_groups(filtered(model_groups(description), "net"))
    assert model.rowCount() == 1


def test_that_every_field_is_shown() -> None:
    groups = shown(KNOWN)
    assert groups["Model"] == {
        "File": "/models/net.onnx",
        "Size": "2.9 MiB (3,000,000 bytes)",
        "External data of it": "1.9 MiB (2,000,000 bytes)",
        "Nodes of the main graph": "1,200",
        "Graph": "main",
        "Description": "What it is for.",
        "Producer": "pytorch 2.5",
        "Domain": "org.example",
        "Model version": "4",
        "IR version": "9",
    }
    assert groups["Operator sets"] == {"ai.onnx": "17"}
    assert groups["Inputs"] == {"ids": "int64 [batch, past + new]", "past": "float [batch, past, new]"}
    assert groups["Outputs"] == {"y": "seq(float) of unknown rank"}
    assert groups["Initializers that inputs may override"] == {"scale": "float []"}
    assert groups["External data files"] == {"net.onnx.data": "1.9 MiB (2,000,000 bytes)"}
    assert groups["Compiled for"] == {"QNNExecutionProvider": "EPContext"}
    assert groups["Metadata"] == {"author": "me"}
    assert list(groups["Operators"].items()) == [("MatMul", "1,100"), ("com.microsoft.Gelu", "2")]


def test_that_free_dimensions_say_whose_they_are_and_which_follow() -> None:
    assert shown(KNOWN)["Free dimensions"] == {
        "batch": "of ids, past",
        "past + new": "of ids; follows from others",
        "past": "of past",
        "new": "of past",
    }


def test_that_what_the_reader_cannot_tell_is_not_available_and_not_none() -> None:
    groups = shown(UNKNOWN)
    for title in ("Initializers that inputs may override", "External data files", "Operators"):
        assert groups[title] == {"not available": ""}
    for key in ("Nodes of the main graph", "Model version", "IR version"):
        assert groups["Model"][key] == "not available"
    none = shown(replace(UNKNOWN, initializers=(), external_files=(), op_counts=()))
    assert none["Operators"] == none["External data files"] == {}


def test_that_a_filter_leaves_the_lines_that_hold_every_word() -> None:
    groups = (
        DetailGroup(title="Inputs", pairs=(("ids", "int64"), ("past", "float"))),
        DetailGroup(title="Outputs", pairs=(("y", "float"),)),
        DetailGroup(title="None", pairs=()),
    )
    assert filtered(groups, " ") == groups
    assert filtered(groups, "FLOAT") == (DetailGroup(title="Inputs", pairs=(("past", "float"),)), groups[1])
    assert filtered(groups, "inputs float") == (DetailGroup(title="Inputs", pairs=(("past", "float"),)),)
    assert filtered(groups, "nothing") == ()
