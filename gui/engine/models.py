"""Reads what a model asks for and gives, without making a session that could run it.

The `onnx` package reads models of any operators and of EPs that are not there; where it is not installed, ORT's CPU
provider opens the model instead, which takes longer and refuses operators it does not know.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..records.codec import StringMap
from ..records.failure import FailureKind, failure_error
from ..records.model import Dimension, ModelDescription, TensorInfo
from ..records.trial import Stage
from . import ort
from .failures import trial_failure


def describe_model(path: str) -> ModelDescription:
    """Return the description of the model file at `path`. Raises `FailureError`."""
    file = Path(path).expanduser().absolute()
    if not os.path.exists(file):  # noqa: PTH110 Path.exists raises for a path that is too long or may not be looked at
        raise failure_error(
            FailureKind.NO_SUCH_FILE, f"There is no file {file.name} in {file.parent}.", hint="Choose the model again."
        )
    if file.is_dir():
        raise failure_error(
            FailureKind.NOT_A_MODEL, f"{file.name} is a folder, not a model.", hint="Choose the .onnx file inside it."
        )
    try:
        import onnx
    except ImportError:
        return _described_by_session(file)
    return _described_by_onnx(onnx, file)


def tensor_info_of_arg(arg: Any) -> TensorInfo:
    """Return the record of an ORT NodeArg. ORT gives `[]` for a scalar and for an unknown rank alike."""
    shape = tuple(size if isinstance(size, int) or size else None for size in arg.shape)
    return TensorInfo(name=arg.name, type=arg.type, shape=shape if arg.type.startswith("tensor(") else None)


def _described_by_onnx(onnx: Any, file: Path) -> ModelDescription:
    try:
        # ORT takes no other form either; onnx would go by the file's ending.
        model = onnx.load(str(file), format="protobuf", load_external_data=False)
    except OSError as error:
        raise failure_error(
            FailureKind.NO_SUCH_FILE,
            f"{file.name} cannot be read.",
            hint="Check that you may read the file.",
            detail=str(error),
        ) from error
    except Exception as error:
        raise _not_a_model(file, f"{type(error).__name__}: {error}") from error
    if not model.HasField("graph") or not (model.graph.node or model.graph.output):
        raise _not_a_model(file, "The file holds no graph.")
    external_bytes = _size_of_external_data(model, file)
    graph = model.graph
    initialized = {tensor.name for tensor in graph.initializer}
    initialized.update(tensor.values.name for tensor in graph.sparse_initializer)
    return ModelDescription(
        path=str(file),
        size_bytes=file.stat().st_size + external_bytes,
        inputs=tuple(_tensor_info(onnx, value) for value in graph.input if value.name not in initialized),
        outputs=tuple(_tensor_info(onnx, value) for value in graph.output),
        node_count=len(graph.node),
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        graph_name=graph.name,
        description=(model.doc_string or graph.doc_string).strip(),
        opsets=tuple((entry.domain or "ai.onnx", str(entry.version)) for entry in model.opset_import),
    )


def _not_a_model(file: Path, detail: str) -> Exception:
    return failure_error(
        FailureKind.NOT_A_MODEL,
        f"{file.name} is not an ONNX model.",
        hint="Choose a file that an ONNX exporter wrote, mostly one that ends in .onnx.",
        detail=detail,
    )


def _size_of_external_data(model: Any, file: Path) -> int:
    """Return the bytes of the files that hold the model's weights. Raises `FailureError` when one is missing."""
    needed: dict[str, int] = {}
    for tensor in model.graph.initializer:
        if not tensor.external_data:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        end = _whole_number(entries.get("offset")) + _whole_number(entries.get("length"))
        needed[location] = max(needed.get(location, 0), end)
    total = 0
    for location, end in needed.items():
        data_file = file.parent / location
        if not data_file.is_file():
            raise failure_error(
                FailureKind.MISSING_EXTERNAL_DATA,
                f"The model's weights lie in {location}, which is missing.",
                hint=f"Put {location} into {file.parent}.",
            )
        size = data_file.stat().st_size
        if size < end:
            raise failure_error(
                FailureKind.MISSING_EXTERNAL_DATA,
                f"The model's weights in {location} are cut off: {size:,} of {end:,} bytes are there.",
                hint="Copy or download the file again.",
            )
        total += size
    return total


def _whole_number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _tensor_info(onnx: Any, value: Any) -> TensorInfo:
    kind = value.type
    is_tensor = kind.WhichOneof("value") == "tensor_type"
    if not is_tensor or not kind.tensor_type.HasField("shape"):
        return TensorInfo(name=value.name, type=_type_text(onnx, kind), shape=None)
    shape = tuple(_dimension(entry) for entry in kind.tensor_type.shape.dim)
    return TensorInfo(name=value.name, type=_type_text(onnx, kind), shape=shape)


def _dimension(entry: Any) -> Dimension:
    if entry.HasField("dim_value") and entry.dim_value >= 0:
        return int(entry.dim_value)
    return str(entry.dim_param) or None


def _type_text(onnx: Any, kind: Any) -> str:
    """Return a type as ORT spells it."""
    which = kind.WhichOneof("value")
    if which == "tensor_type":
        return f"tensor({_element_text(onnx, kind.tensor_type.elem_type)})"
    if which == "sparse_tensor_type":
        return f"sparse_tensor({_element_text(onnx, kind.sparse_tensor_type.elem_type)})"
    if which == "sequence_type":
        return f"seq({_type_text(onnx, kind.sequence_type.elem_type)})"
    if which == "optional_type":
        return f"optional({_type_text(onnx, kind.optional_type.elem_type)})"
    if which == "map_type":
        key = _element_text(onnx, kind.map_type.key_type)
        return f"map({key},{_type_text(onnx, kind.map_type.value_type)})"
    return "unknown"


def _element_text(onnx: Any, element: int) -> str:
    name = str(onnx.TensorProto.DataType.Name(element)).lower()
    return {"undefined": "unknown"}.get(name, name)


def _described_by_session(file: Path) -> ModelDescription:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except ort.ERRORS as error:
        failure = trial_failure(error, Stage.CREATING_SESSION, by_policy=False)
        raise failure_error(failure.kind, failure.message, hint=failure.hint, detail=failure.detail) from error
    meta = session.get_modelmeta()
    opsets: StringMap = ()
    return ModelDescription(
        path=str(file),
        size_bytes=file.stat().st_size,
        inputs=tuple(tensor_info_of_arg(arg) for arg in session.get_inputs()),
        outputs=tuple(tensor_info_of_arg(arg) for arg in session.get_outputs()),
        producer=meta.producer_name,
        graph_name=meta.graph_name,
        description=meta.description,
        opsets=opsets,
    )
