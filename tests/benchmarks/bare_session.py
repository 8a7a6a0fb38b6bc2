"""The plain script that `onnx_suite.py` compares the engine with: ONNX Runtime's CPU provider and nothing else.

    python tests/benchmarks/bare_session.py

reads a JSON object a line, `{"model": path, "files": [input_0.pb, …], "folder": path}`, runs the model twice with these
inputs (in the order of its inputs; those without a file are left out), writes the outputs of the first run into the
folder as `output_0.pb`, … and answers with a line: `{"names": […], "omitted": […], "types": […], "random": …}`, the
names of the inputs with and without a file, the types of the outputs and whether the second run gave something else,
or `{"error": …}`. It is a process of its own because some models end the process that runs them.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

PLAIN_TYPES = frozenset(
    f"tensor({name})"
    for name in (
        *("float", "double", "float16", "bool", "string"),
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    )
)
"""The types that numpy arrays carry in and out."""


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what native code prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = _run(request["model"], request["files"], Path(request["folder"]))
        except Exception as error:  # noqa: BLE001 whatever it is, it is the answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _run(model: str, files: list[str], folder: Path) -> dict[str, Any]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    args = session.get_inputs()[: len(files)]
    if len(args) < len(files):
        raise ValueError(f"{len(files)} files for {len(args)} inputs")
    feeds = {arg.name: _value(arg.type, Path(file)) for arg, file in zip(args, files, strict=True)}
    first, second = _outputs(session, feeds), _outputs(session, feeds)
    for index, proto in enumerate(first):
        (folder / f"output_{index}.pb").write_bytes(proto)
    names = [arg.name for arg in session.get_inputs()]
    types = [out.type for out in session.get_outputs()]
    return {"names": names[: len(files)], "omitted": names[len(files) :], "types": types, "random": first != second}


def _outputs(session: Any, feeds: dict[str, Any]) -> list[bytes]:
    """Run once and return each output as the bytes of a proto."""
    outputs = session.get_outputs()
    if any(out.type.startswith("tensor(") and out.type not in PLAIN_TYPES for out in outputs):
        values = {
            name: value if isinstance(value, ort.OrtValue) else ort.OrtValue.ortvalue_from_numpy(value)
            for name, value in feeds.items()
            if value is not None
        }
        names = [out.name for out in outputs]
        given = session.run_with_ort_values(names, values)
        return [_proto_of_ort_value(name, value) for name, value in zip(names, given, strict=True)]
    return [
        _proto(out.name, out.type, value).SerializeToString(deterministic=True)
        for out, value in zip(outputs, session.run(None, feeds), strict=True)
    ]


def _proto(name: str, kind: str, value: Any) -> Any:
    if kind.startswith("optional("):
        return numpy_helper.from_optional(value, name)
    if kind.startswith("seq("):
        return numpy_helper.from_list(value, name)
    if kind.startswith("map("):
        return numpy_helper.from_dict(value, name)
    return numpy_helper.from_array(np.asarray(value), name)


def _proto_of_ort_value(name: str, value: Any) -> bytes:
    if value.data_type() == "tensor(string)":
        return bytes(numpy_helper.from_array(value.numpy(), name).SerializeToString())
    proto = onnx.TensorProto(name=name, data_type=value.element_type(), dims=value.shape())
    proto.raw_data = (
        ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes()) if value.tensor_size_in_bytes() else b""
    )
    return bytes(proto.SerializeToString())


def _value(kind: str, file: Path) -> Any:
    """Return what ORT takes for an input of this type: an array, an OrtValue, a list, a dictionary or None."""
    data = file.read_bytes()
    if kind.startswith("optional("):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    if kind.startswith("seq("):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind.startswith("map("):
        return numpy_helper.to_dict(onnx.MapProto.FromString(data))
    proto = onnx.TensorProto.FromString(data)
    array = numpy_helper.to_array(proto)
    if kind == "tensor(string)":
        texts = [text.decode() if isinstance(text, bytes) else text for text in array.ravel().tolist()]
        return np.array(texts, dtype=object).reshape(array.shape)
    if kind in PLAIN_TYPES:
        return array
    if array.dtype.name.endswith("int4") or array.dtype.name.endswith("int2") or "float4" in array.dtype.name:
        return _packed_value(proto)
    bits = np.dtype(f"u{array.dtype.itemsize}")
    return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(array.view(bits), proto.data_type)


def _packed_value(proto: Any) -> Any:
    """Return a tensor whose elements share bytes."""
    value = ort.OrtValue.ortvalue_from_shape_and_type(list(proto.dims), proto.data_type)
    packed = proto.raw_data or bytes(number & 0xFF for number in proto.int32_data)
    ctypes.memmove(value.data_ptr(), packed, min(len(packed), value.tensor_size_in_bytes()))
    return value


if __name__ == "__main__":
    main()
