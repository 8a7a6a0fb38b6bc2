"""Reads what a model asks for and gives, without making a session that could run it.

The `onnx` package reads models of any operators and of EPs that are not there. Where it is not installed, and for ORT's
own format, ORT's CPU provider opens the model instead, which takes longer, refuses operators it does not know and tells
less. Lives on the worker thread.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..records.codec import string_map
from ..records.failure import FailureKind, failure_error
from ..records.model import Dimension, ModelDescription, TensorInfo
from ..records.placement import OpCount
from ..records.trial import Stage
from . import ort
from .failures import trial_failure
from .graphs import is_ort_format, nodes_of, not_a_model, read_graph
from .model_files import external_files

_ELEMENTS: Final = (
    *("unknown", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16"),
    *("double", "uint32", "uint64", "complex64", "complex128", "bfloat16"),
    *("float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0"),
    *("uint2", "int2", "float6e2m3", "float6e3m2"),
)
"""ORT's names of TensorProto.DataType by number; an older `onnx` package knows not all of them."""
_FIRST_IR_WITH_CONSTANTS: Final = 4
"""Before it, each initializer is an input, too, and ORT lets none of them be overridden."""
_NO_VERSION: Final = (1 << 63) - 1
"""What ORT tells of a model that has no version."""
_MAX_NAMES: Final = 3
_MAX_ENTRIES: Final = 10_000
"""Entries of a folder that are looked at."""


def describe_model(path: str) -> ModelDescription:
    """Return the description of the model file at `path`. Raises `FailureError`."""
    file = Path(path).expanduser().absolute()
    if not os.path.exists(file):  # noqa: PTH110 Path.exists raises for a path that is too long or may not be looked at
        raise failure_error(
            FailureKind.NO_SUCH_FILE, f"There is no file {file.name} in {file.parent}.", hint="Choose the model again."
        )
    if file.is_dir():
        raise failure_error(
            FailureKind.NOT_A_MODEL, f"{file.name} is a folder, not a model.", hint=_models_inside(file)
        )
    model = read_graph(str(file))
    return _described_by_session(file) if model is None else _described_by_onnx(model, file)


def tensor_info_of_arg(arg: Any) -> TensorInfo:
    """Return the record of an ORT NodeArg. ORT gives `[]` for a scalar and for an unknown rank alike."""
    shape = tuple(size if isinstance(size, int) or size else None for size in arg.shape)
    return TensorInfo(name=arg.name, type=arg.type, shape=shape if arg.type.startswith("tensor(") else shape or None)


def _models_inside(folder: Path) -> str:
    """Return what to do with a folder: the models in it or, when it has none itself, in those right below."""
    try:
        names = _names_of_models(folder, "*.onnx") or _names_of_models(folder, "*/*.onnx")
    except OSError:
        names = []
    if not names:
        return "Choose a model file; this folder holds none that ends in .onnx."
    if len(names) == 1:
        return f"Choose {names[0]} inside it."
    rest = len(names) - _MAX_NAMES
    return f"Choose one of the files inside it: {', '.join(names[:_MAX_NAMES])}{f' and {rest} more' * (rest > 0)}."


def _names_of_models(folder: Path, pattern: str) -> list[str]:
    found = itertools.islice(folder.glob(pattern), _MAX_ENTRIES)
    return sorted(file.relative_to(folder).as_posix() for file in found if file.is_file())


# ---- By the onnx package ----


def _described_by_onnx(model: Any, file: Path) -> ModelDescription:
    graph = model.graph
    names_of_initializers = {tensor.name for tensor in graph.initializer}
    names_of_initializers.update(tensor.values.name for tensor in graph.sparse_initializer)
    overridable = model.ir_version >= _FIRST_IR_WITH_CONSTANTS
    files, external_bytes = external_files(model, file)
    try:
        return ModelDescription(
            path=str(file),
            size_bytes=file.stat().st_size + external_bytes,
            inputs=tuple(_tensor_info(value) for value in graph.input if value.name not in names_of_initializers),
            outputs=tuple(_tensor_info(value) for value in graph.output),
            initializers=tuple(
                _tensor_info(value) for value in graph.input if overridable and value.name in names_of_initializers
            ),
            node_count=len(graph.node),
            op_counts=_op_counts(model),
            external_files=files,
            producer=f"{_text(model.producer_name)} {_text(model.producer_version)}".strip(),
            domain=_text(model.domain),
            model_version=int(model.model_version) if model.HasField("model_version") else None,
            ir_version=int(model.ir_version) if model.HasField("ir_version") else None,
            graph_name=_text(graph.name),
            description=_text(model.doc_string or graph.doc_string).strip(),
            opsets=tuple((_text(entry.domain) or "ai.onnx", str(entry.version)) for entry in model.opset_import),
            metadata=tuple((_text(entry.key), _text(entry.value)) for entry in model.metadata_props),
            context_eps=tuple(dict.fromkeys(_sources(model))),
        )
    except UnicodeDecodeError as error:  # older protobuf packages; newer ones give bytes
        raise not_a_model(file, f"A text in it is not UTF-8: {error}") from error


def _text(value: str | bytes) -> str:
    """Return a text of the model. Protobuf gives one that is not UTF-8 as bytes; ORT takes such a model."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _op_counts(model: Any) -> tuple[OpCount, ...]:
    counts: Counter[str] = Counter()
    for node in nodes_of(model):
        domain = _text(node.domain)
        op_type = _text(node.op_type)
        counts[op_type if domain in ("", "ai.onnx") else f"{domain}.{op_type}"] += 1
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(OpCount(op_type=op_type, count=count) for op_type, count in ordered)


def _sources(model: Any) -> Iterator[str]:
    """Give the EP of each node that one compiled."""
    for node in nodes_of(model):
        if node.op_type == "EPContext":
            yield from (_text(entry.s) for entry in node.attribute if entry.name == "source" and entry.s)


def _tensor_info(value: Any) -> TensorInfo:
    return TensorInfo(name=_text(value.name), type=_type_text(value.type), shape=_shape(value.type))


def _shape(kind: Any) -> tuple[Dimension, ...] | None:
    """Return the shape of a tensor or of the tensors within; None when the model leaves the rank open."""
    which = kind.WhichOneof("value")
    if which in ("sequence_type", "optional_type"):
        return _shape(getattr(kind, which).elem_type)
    if which == "map_type":
        return _shape(kind.map_type.value_type)
    if which not in ("tensor_type", "sparse_tensor_type") or not getattr(kind, which).HasField("shape"):
        return None
    return tuple(_dimension(entry) for entry in getattr(kind, which).shape.dim)


def _dimension(entry: Any) -> Dimension:
    if entry.HasField("dim_value") and entry.dim_value >= 0:
        return int(entry.dim_value)
    return _text(entry.dim_param) or None


def _type_text(kind: Any) -> str:
    """Return a type as ORT spells it."""
    match kind.WhichOneof("value"):
        case "tensor_type":
            return f"tensor({_element_text(kind.tensor_type.elem_type)})"
        case "sparse_tensor_type":
            return f"sparse_tensor({_element_text(kind.sparse_tensor_type.elem_type)})"
        case "sequence_type":
            return f"seq({_type_text(kind.sequence_type.elem_type)})"
        case "optional_type":
            return f"optional({_type_text(kind.optional_type.elem_type)})"
        case "map_type":
            key = _element_text(kind.map_type.key_type)
            return f"map({key},{_type_text(kind.map_type.value_type)})"
        case "opaque_type":
            domain, name = _text(kind.opaque_type.domain), _text(kind.opaque_type.name)
            return f"opaque({domain},{name})" if domain else f"opaque({name})"
    return "unknown"


def _element_text(element: int) -> str:
    return _ELEMENTS[element] if 0 <= element < len(_ELEMENTS) else _ELEMENTS[0]


# ---- By a session ----


def _described_by_session(file: Path) -> ModelDescription:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except ort.ERRORS as error:
        failure = trial_failure(error, Stage.CREATING_SESSION, by_policy=False)
        if failure.kind is FailureKind.UNSUPPORTED_MODEL and not is_ort_format(str(file)):
            hint = "Install the onnx package into the engine's Python: it reads models of operators that are not there."
            failure = replace(failure, hint=hint)
        raise failure_error(failure.kind, failure.message, hint=failure.hint, detail=failure.detail) from error
    meta = session.get_modelmeta()
    return ModelDescription(
        path=str(file),
        size_bytes=file.stat().st_size,
        inputs=tuple(tensor_info_of_arg(arg) for arg in session.get_inputs()),
        outputs=tuple(tensor_info_of_arg(arg) for arg in session.get_outputs()),
        initializers=tuple(tensor_info_of_arg(arg) for arg in session.get_overridable_initializers()),
        producer=meta.producer_name,
        domain=meta.domain,
        model_version=meta.version if meta.version != _NO_VERSION else None,
        graph_name=meta.graph_name,
        description=meta.description.strip(),
        metadata=string_map(meta.custom_metadata_map),
    )
