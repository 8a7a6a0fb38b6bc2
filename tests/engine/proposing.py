"""Models written as text, and what is run with the values that are proposed for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx
import onnx.parser
import onnxruntime as ort
from onnx import numpy_helper

from gui.engine.models import describe_model
from gui.engine.proposals import propose_inputs
from gui.records.dimensions import with_derived
from gui.records.inputs import Fill, InputProposal, InputSource, SourceKind
from gui.records.model import dimension_name, free_names

CHOICES = ("lowest", "highest", "mixed")
"""Of the values a source allows: each of them must do."""


class Write(Protocol):
    """Writes a model given as onnx's text; `tables` are initializers of zeros to 1, by name."""

    def __call__(
        self, text: str, *, opset: int = 17, ms: bool = False, functions: str = "", **tables: tuple[int, ...]
    ) -> Path: ...


def write_model(
    folder: Path, text: str, *, opset: int = 17, ms: bool = False, functions: str = "", **tables: tuple[int, ...]
) -> Path:
    """Write a model given as onnx's text into a folder and return its file."""
    imports = f'"" : {opset}' + (', "com.microsoft" : 1' if ms else "") + (', "own" : 1' if functions else "")
    model = onnx.parser.parse_model(f"<ir_version: 8, opset_import: [{imports}]> main {text} {functions}")
    random = np.random.default_rng(0)
    for name, shape in tables.items():
        model.graph.initializer.append(numpy_helper.from_array(random.random(shape, np.float32), name))
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def proposals(path: Path, **sizes: int) -> dict[str, InputProposal]:
    """Return what is proposed for each input of a model, by name."""
    found = propose_inputs(str(path), sizes).proposals
    assert all(entry.source.fill is not Fill.AUTOMATIC or entry.source.kind is SourceKind.OMITTED for entry in found)
    return {entry.source.name: entry for entry in found}


def span(proposal: InputProposal) -> tuple[Any, ...]:
    """Return what a source gives, short: its fill and what belongs to it."""
    source = proposal.source
    match source.fill:
        case Fill.INTEGERS | Fill.UNIFORM:
            return source.fill, source.low, source.high
        case Fill.CONSTANT | Fill.VALUES:
            return source.fill, source.value
    return (source.fill,)


def values(source: InputSource, dtype: str, shape: tuple[int, ...], choice: str) -> npt.NDArray[Any]:
    """Return values that a source allows."""
    random = np.random.default_rng(1)
    match source.fill:
        case Fill.INTEGERS | Fill.UNIFORM if choice != "mixed":
            found: Any = np.full(shape, source.low if choice == "lowest" else source.high)
        case Fill.INTEGERS:
            found = random.integers(int(source.low), int(source.high), shape, endpoint=True)
        case Fill.UNIFORM:
            found = random.uniform(source.low, source.high, shape)
        case Fill.ZEROS | Fill.ONES:
            found = np.full(shape, int(source.fill is Fill.ONES))
        case _:
            numbers = [float(entry) for entry in source.value.split(",")]
            found = np.array(numbers).reshape(shape) if source.fill is Fill.VALUES else np.full(shape, numbers[0])
    return np.asarray(found).astype(dtype)


NUMPY_TYPES = {"float": "float32", "double": "float64"}


def run(path: Path, choice: str = "mixed", sizes: Mapping[str, int] | None = None) -> list[Any]:
    """Run a model in ORT with what is proposed and return its outputs."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"], enable_fallback=0)
    description = describe_model(str(path))
    chosen = with_derived(free_names(description.inputs), sizes or {})
    found = proposals(path, **(sizes or {}))
    feeds = {}
    for tensor in description.inputs:
        shape = tuple(
            size if isinstance(size, int) else chosen[dimension_name(tensor, axis)]
            for axis, size in enumerate(tensor.shape or ())
        )
        element = tensor.type.removeprefix("tensor(").removesuffix(")")
        feeds[tensor.name] = values(found[tensor.name].source, NUMPY_TYPES.get(element, element), shape, choice)
    outputs: list[Any] = session.run(None, feeds)
    return outputs
