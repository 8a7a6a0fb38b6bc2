"""Sessions of one operator, made and run in the tests' own process, to see what ONNX Runtime takes and gives."""

from __future__ import annotations

import ctypes
from typing import Any

import ml_dtypes
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from gui.engine.elements import ELEMENTS

FLOATS_OF_BITS = {
    "bfloat16": ml_dtypes.bfloat16,
    "float8e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "float8e5m2": ml_dtypes.float8_e5m2,
    "float8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "float8e8m0": ml_dtypes.float8_e8m0fnu,
}
PACKED = {"int4": ml_dtypes.int4, "uint4": ml_dtypes.uint4, "int2": ml_dtypes.int2, "uint2": ml_dtypes.uint2}
"""What numpy lacks, as arrays of ml_dtypes."""

NEWEST = ("int2", "uint2", "float8e8m0")
"""Elements that older versions of onnxruntime do not load."""


def tensor_type(element: str, *shape: int | str | None) -> Any:
    """The type of a tensor of elements as ORT spells them."""
    return helper.make_tensor_type_proto(ELEMENTS[element].onnx_number, list(shape))


def sequence_type(within: Any) -> Any:
    """The type of a sequence."""
    return helper.make_sequence_type_proto(within)


def optional_type(within: Any) -> Any:
    """The type of an optional."""
    return helper.make_optional_type_proto(within)


def map_type(key: int, value: int) -> Any:
    """The type of a map, by the numbers of its types."""
    return helper.make_map_type_proto(key, helper.make_tensor_type_proto(value, []))


def session_of(
    nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], initializers: tuple[Any, ...] = ()
) -> Any:
    """A session on the CPU."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_value_info(name, kind) for name, kind in inputs.items()],
        [helper.make_value_info(name, kind) for name, kind in outputs.items()],
        initializer=list(initializers),
    )
    domains = [helper.make_opsetid("", 25), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, ir_version=11, opset_imports=domains)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def identity(kind: Any) -> Any:
    """A session that returns its input x as y."""
    return session_of([helper.make_node("Identity", ["x"], ["y"])], {"x": kind}, {"y": kind})


def cast(source: str, target: str, *shape: int | str | None) -> Any:
    """A session that makes other elements of x."""
    node = helper.make_node("Cast", ["x"], ["y"], to=ELEMENTS[target].onnx_number)
    try:
        return session_of([node], {"x": tensor_type(source, *shape)}, {"y": tensor_type(target, *shape)})
    except Exception as error:
        if {source, target} & set(NEWEST):
            pytest.skip(f"this onnxruntime has no {source} to {target}: {error}")
        raise


def session_with(element: str, *shape: int | str | None) -> Any:
    """A session that takes such elements as x: it returns them where it can, or makes floats or bytes of them."""
    known = ELEMENTS[element]
    if known.is_packed or element == "float8e8m0":
        return cast(element, "float" if known.is_float else "int8" if known.low < 0 else "uint8", *shape)
    return identity(tensor_type(element, *shape))


STRING, INT64, FLOAT = int(TensorProto.STRING), int(TensorProto.INT64), int(TensorProto.FLOAT)


def bytes_of(value: Any) -> bytes:
    """What an OrtValue holds."""
    size = value.tensor_size_in_bytes()
    return ctypes.string_at(value.data_ptr(), size) if size else b""
