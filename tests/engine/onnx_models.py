"""Models that tests write, and the failures that come of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.records.failure import Failure, FailureError

WEIGHTS = np.arange(2048, dtype=np.float32)


def value(name: str, *shape: int | str | None, element: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """An input or output with a shape."""
    return helper.make_tensor_value_info(name, element, shape)


def long_chain(path: Path, count: int, size: int) -> Path:
    """Save a model whose run takes long: `count` products of matrices, between which ORT looks whether it shall end."""
    nodes = [helper.make_node("MatMul", [f"x{n}" if n else "x", "w"], [f"x{n + 1}"]) for n in range(count)]
    weights = numpy_helper.from_array(np.eye(size, dtype=np.float32), "w")
    inputs, outputs = [value("x", size, size)], [value(f"x{count}", size, size)]
    return save(path, helper.make_graph(nodes, "long", inputs, outputs, [weights]), opset=13)


def save(path: Path, graph: onnx.GraphProto, *, ir_version: int = 8, opset: int = 14, **fields: Any) -> Path:
    """Write a model of a graph. Nothing is checked."""
    fields.setdefault("opset_imports", [helper.make_opsetid("", opset)])
    path.write_bytes(helper.make_model(graph, ir_version=ir_version, **fields).SerializeToString())
    return path


def identity(path: Path, *inputs: onnx.ValueInfoProto, opset: int = 14) -> Path:
    """A model that gives each input back."""
    nodes = [helper.make_node("Identity", [entry.name], [f"{entry.name}_out"]) for entry in inputs]
    outputs = [onnx.ValueInfoProto(name=f"{entry.name}_out", type=entry.type) for entry in inputs]
    return save(path, helper.make_graph(nodes, "identities", inputs, outputs), opset=opset)


def external(name: str, location: str, *, dims: Sequence[int] = (2048,), **places: int) -> onnx.TensorProto:
    """A float tensor with its values in another file; `places` are `offset` and `length`."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, entry in {"location": location, **places}.items():
        tensor.external_data.add(key=key, value=str(entry))
    return tensor


def adding_weights(path: Path, ir_version: int, *, sparse: bool = False) -> Path:
    """y = x + w, where `w`, and `unused`, is an input with a value of its own."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [value("x", "N"), value("w", "M"), value("unused", 3)],
        [value("y", None)],
        [numpy_helper.from_array(np.ones(3, np.float32), "unused")],
    )
    if sparse:
        values, indices = np.ones(2, np.float32), np.array([0, 3], np.int64)
        pair = numpy_helper.from_array(values, "w"), numpy_helper.from_array(indices, "w_indices")
        graph.sparse_initializer.append(helper.make_sparse_tensor(*pair, [4]))
    else:
        graph.initializer.append(numpy_helper.from_array(np.ones(4, np.float32), "w"))
    return save(path, graph, ir_version=ir_version)


def failure_of(action: Callable[[], object]) -> Failure:
    """Return the failure an action ends with."""
    with pytest.raises(FailureError) as caught:
        action()
    failure = caught.value.failure
    assert failure.message.endswith(".")
    assert failure.hint
    return failure
