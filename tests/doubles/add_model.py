"""A small model which the double EP claims wholly, or but for its last node."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUT_NAME = "x"
OUTPUT_NAME = "y"
COLUMNS = 4

_BIAS = np.array([0.5, -1.0, 2.0, 0.0], dtype=np.float32)
_SCALE = np.array([2.0, 3.0, -1.0, 0.25], dtype=np.float32)


def write_add_model(path: Path, *, unclaimed_tail: bool = False) -> Path:
    """Write y = (x + bias) * scale with x and y float32 of shape [N, 4], N free; return `path`.

    With `unclaimed_tail` the result goes through a Neg, which the double doesn't claim: one node runs on the CPU.
    """
    last = "negated" if unclaimed_tail else OUTPUT_NAME
    nodes = [
        helper.make_node("Add", [INPUT_NAME, "bias"], ["sum"], name="add"),
        helper.make_node("Mul", ["sum", "scale"], [last], name="mul"),
    ]
    if unclaimed_tail:
        nodes.append(helper.make_node("Neg", [last], [OUTPUT_NAME], name="neg"))
    graph = helper.make_graph(
        nodes,
        "add_model",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["N", COLUMNS])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["N", COLUMNS])],
        [numpy_helper.from_array(_BIAS, "bias"), numpy_helper.from_array(_SCALE, "scale")],
    )
    # Old versions, which every onnxruntime with plugin EPs reads, whatever the installed onnx writes by default.
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def add_model_output(x: npt.NDArray[np.float32], *, unclaimed_tail: bool = False) -> npt.NDArray[np.float32]:
    """What the model of `write_add_model` answers to `x`."""
    result = (x + _BIAS) * _SCALE
    return -result if unclaimed_tail else result
