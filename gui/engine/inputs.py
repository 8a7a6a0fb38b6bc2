"""Makes the inputs of a trial: generated from a fixed seed, read from files, or left out.

The same model, sizes and seed give the same values everywhere, whatever other inputs there are.
"""

from __future__ import annotations

import ctypes
import math
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

import numpy as np

from ..records.failure import FailureKind, failure_error
from ..records.inputs import InputFact, InputSource, SourceKind
from ..records.model import TensorInfo, dimension_name
from . import ort
from .elements import ELEMENTS, Array, Element, element_of, packed, without_optional
from .fills import filled
from .input_files import head_of, read_value

_MAP_KEYS: Final = ("int64", "string")
_ENTRY_BYTES: Final = 200
"""About what an entry of a list or a dict takes beside its numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeInputs:
    """What a session is fed with, by name, and what is told of it. An input that is left out has no feed."""

    feeds: dict[str, Any]
    """numpy arrays, OrtValues for types that numpy lacks, lists for sequences, dicts for maps."""
    facts: tuple[InputFact, ...]


def make_inputs(
    tensors: tuple[TensorInfo, ...],
    sizes: Mapping[str, int],
    seed: int,
    sources: tuple[InputSource, ...] = (),
    reasons: Mapping[str, str] | None = None,
    initializers: Collection[str] | None = None,
) -> MadeInputs:
    """Return the feeds of these inputs. `sizes` are the free dimensions by `dimension_name`; others are 1.

    An input without a source is generated as its type suggests: see `fills.filled`. `reasons` are told with the facts.
    `initializers` are those of the tensors that the model has a value for, so that they may be left out; None when that
    is not known. Raises `FailureError` for what cannot be generated, left out or given at all, files that do not fit,
    and sizes that do not fit into memory.
    """
    by_name = {source.name: source for source in sources}
    unknown = sorted(by_name.keys() - {tensor.name for tensor in tensors})
    if unknown:
        raise failure_error(
            FailureKind.BAD_INPUT,
            f"The model has no input {unknown[0]}.",
            hint="Its inputs are: " + (", ".join(tensor.name for tensor in tensors) or "none") + ".",
        )
    chosen = [(tensor, by_name.get(tensor.name, InputSource(name=tensor.name))) for tensor in tensors]
    for tensor, source in chosen:
        if source.kind is not SourceKind.OMITTED:
            _check_type(tensor, source)
        elif initializers is not None and not _may_be_omitted(tensor, initializers):
            raise failure_error(
                FailureKind.BAD_INPUT,
                f"The input {tensor.name} cannot be left out: the model has no value of its own for it.",
                hint="Generate it, or give it a file.",
            )
    _check_memory(chosen, sizes)
    feeds: dict[str, Any] = {}
    facts = []
    for tensor, source in chosen:
        fact = InputFact(name=tensor.name, type=tensor.type, source=source, reason=(reasons or {}).get(tensor.name, ""))
        if source.kind is not SourceKind.OMITTED:
            value, note = _made(tensor, source, sizes, seed)
            if value is not None:  # an optional that its file leaves empty is given to ORT by leaving it out
                feeds[tensor.name] = _feed(value, without_optional(tensor.type))
            fact = replace(fact, shape=value.shape if isinstance(value, np.ndarray) else None, note=note)
            if source.kind is SourceKind.GENERATED and "seq(tensor(" in tensor.type:  # the shape of its entries
                fact = replace(fact, source=replace(source, shape=shape_of(tensor, source, sizes)))
        facts.append(fact)
    return MadeInputs(feeds=feeds, facts=tuple(facts))


def sizes_of_files(
    tensors: tuple[TensorInfo, ...], sources: tuple[InputSource, ...], given: Mapping[str, int]
) -> dict[str, int]:
    """Return the sizes of free dimensions that files determine, by name; only the files' heads are read.

    An image determines its height and width only when nothing else does: it is resized. Raises `FailureError` when two
    files, or a file and a size that is `given`, do not agree, or a file cannot be used.
    """
    by_name = {tensor.name: tensor for tensor in tensors}
    found: dict[str, tuple[int, str]] = {name: (size, "") for name, size in given.items()}
    for source in sources:
        if source.kind is SourceKind.FILE and source.name in by_name:
            tensor = by_name[source.name]
            for name, size in _free_sizes(tensor, head_of(tensor, source, given).shape):
                before, owner = found.setdefault(name, (size, tensor.name))
                if before != size:
                    _tell_conflict(tensor, name, size, before, owner)
    for source in sources:
        if source.kind is SourceKind.IMAGE and source.name in by_name:
            tensor = by_name[source.name]
            known = {name: size for name, (size, _) in found.items()}
            for name, size in _free_sizes(tensor, head_of(tensor, source, known).shape):
                if size != 1:  # a batch of one is no more than what is taken anyway
                    found.setdefault(name, (size, tensor.name))
    return {name: size for name, (size, owner) in found.items() if owner}


def as_ort_values(feeds: Mapping[str, Any]) -> dict[str, Any]:
    """Return the feeds as OrtValues in CPU memory. Raises `FailureError` for what cannot be one."""
    values: dict[str, Any] = {}
    for name, feed in feeds.items():
        if isinstance(feed, ort.OrtValue):
            values[name] = feed
        elif isinstance(feed, np.ndarray) and feed.dtype.kind not in "OUS":
            values[name] = ort.OrtValue.ortvalue_from_numpy(feed)
        else:
            what = "text" if isinstance(feed, np.ndarray) else "no tensor"
            raise failure_error(
                FailureKind.UNSUPPORTED_INPUT,
                f"The input {name} is {what}, of which ONNX Runtime makes no OrtValue in Python.",
                hint="Choose arrays instead of IO binding. Beside outputs of a type that numpy lacks it cannot be run.",
            )
    return values


def shape_of(tensor: TensorInfo, source: InputSource, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape of an input's tensors with these sizes of its free dimensions, which are 1 by default.

    Where the model leaves the rank open it is that of the source; else one value, in a sequence as a vector: many
    operators on sequences refuse scalars.
    """
    if tensor.shape is None:
        is_sequence = without_optional(tensor.type).startswith("seq(tensor(")
        return source.shape if source.shape is not None else ((1,) if is_sequence else ())
    return tuple(
        size if isinstance(size, int) else sizes.get(dimension_name(tensor, axis), 1)
        for axis, size in enumerate(tensor.shape)
    )


def _free_sizes(tensor: TensorInfo, shape: tuple[int, ...] | None) -> list[tuple[str, int]]:
    """Return names and sizes of a tensor's free dimensions; nothing when the file's shape is of another rank."""
    if shape is None or tensor.shape is None or len(shape) != len(tensor.shape):
        return []
    return [
        (dimension_name(tensor, axis), size)
        for axis, size in enumerate(shape)
        if not isinstance(tensor.shape[axis], int)
    ]


def _tell_conflict(tensor: TensorInfo, name: str, size: int, before: int, owner: str) -> NoReturn:
    other = "another axis of it" if owner == tensor.name else f"the file of {owner}"
    other = f"{other} says {before}" if owner else f"{before} is chosen"
    raise failure_error(
        FailureKind.BAD_INPUT,
        f"The file of {tensor.name} says {name} = {size}, but {other}.",
        hint="Choose other files." if owner else f"Choose {name} = {size}, or another file.",
    )


def _may_be_omitted(tensor: TensorInfo, initializers: Collection[str]) -> bool:
    return tensor.type.startswith("optional(") or tensor.name in initializers


def _check_type(tensor: TensorInfo, source: InputSource) -> None:
    """Raise `FailureError` for a type that ORT does not take from Python, whatever its values."""
    inner = without_optional(tensor.type)
    while inner.startswith("seq("):
        inner = inner[len("seq(") : -1]
    if inner.startswith("map("):
        key, _, value = inner[len("map(") : -1].partition(",")
        if key not in _MAP_KEYS or value.strip() != "tensor(float)":
            raise failure_error(
                FailureKind.UNSUPPORTED_INPUT,
                f"The input {tensor.name} is a {tensor.type}; from Python, ONNX Runtime takes only maps of float.",
                hint="Choose a model without such an input.",
            )
        if source.kind is SourceKind.GENERATED and not source.length and not tensor.type.startswith("seq("):
            raise failure_error(
                FailureKind.BAD_INPUT,
                f"The input {tensor.name} is a map, which ONNX Runtime does not take without an entry.",
                hint="Set its length to 1 or more.",
            )
    elif element_of(inner) is None:
        raise failure_error(
            FailureKind.UNSUPPORTED_INPUT,
            f"The input {tensor.name} is a {tensor.type}, which cannot be given to ONNX Runtime from Python.",
            hint="Choose a model without such an input.",
        )


def _made(tensor: TensorInfo, source: InputSource, sizes: Mapping[str, int], seed: int) -> tuple[Any, str]:
    if source.kind is not SourceKind.GENERATED:
        return read_value(tensor, source, sizes)
    random = np.random.default_rng([seed, zlib.crc32(tensor.name.encode())])
    return _generated(tensor, without_optional(tensor.type), source, shape_of(tensor, source, sizes), random), ""


def _generated(
    tensor: TensorInfo, type_text: str, source: InputSource, shape: tuple[int, ...], random: np.random.Generator
) -> Any:
    """Return a value of a type that is no optional, with arrays in their elements' storage."""
    element = element_of(type_text)
    if element is not None:
        return filled(tensor.name, element, shape, source, random)
    if type_text.startswith("seq("):
        within = type_text[len("seq(") : -1]
        # The entries of a sequence of maps have one key each: the length is that of the sequence.
        entry = replace(source, length=1) if within.startswith("map(") else source
        return [_generated(tensor, within, entry, shape, random) for _ in range(source.length)]
    key_type = type_text[len("map(") :].partition(",")[0]
    keys = range(source.length) if key_type == "int64" else map(_letters, range(source.length))
    values = filled(tensor.name, ELEMENTS["float"], (source.length,), source, random)
    return dict(zip(keys, values.tolist(), strict=True))


def _letters(number: int) -> str:
    """Return a, b, …, z, aa, ab, …."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def _feed(value: Any, type_text: str) -> Any:
    """Return a value as ORT takes it: OrtValues for elements that numpy lacks."""
    element = element_of(type_text)
    if element is not None and (element.is_bits or element.is_packed):
        return _ort_value(element, value)
    return value


def _ort_value(element: Element, array: Array) -> Any:
    if not element.is_packed:
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(array, element.onnx_number)
    value = ort.OrtValue.ortvalue_from_shape_and_type(list(array.shape), element.onnx_number)
    data = packed(element, array)
    if data:
        ctypes.memmove(value.data_ptr(), data, len(data))
    return value


def _check_memory(chosen: list[tuple[TensorInfo, InputSource]], sizes: Mapping[str, int]) -> None:
    """Raise `FailureError` before anything is made that would not fit, or a file is read that cannot be used."""
    needed = 0
    for tensor, source in chosen:
        if source.kind in (SourceKind.FILE, SourceKind.IMAGE):
            needed += head_of(tensor, source, sizes).size_bytes
        elif source.kind is SourceKind.GENERATED:
            needed += _generated_bytes(tensor, source, sizes)
    available = _available_bytes()
    if available is not None and needed > available // 2:
        raise failure_error(
            FailureKind.OUT_OF_MEMORY,
            f"The inputs would take {needed / 2**30:,.1f} GiB; {available / 2**30:,.1f} GiB of memory are free.",
            hint="Make the free dimensions smaller.",
        )


def _generated_bytes(tensor: TensorInfo, source: InputSource, sizes: Mapping[str, int]) -> int:
    inner = without_optional(tensor.type)
    if "map(" in inner:
        return source.length * _ENTRY_BYTES
    element = ELEMENTS[inner.rpartition("(")[2].rstrip(")")]
    size = element.size_bytes(math.prod(shape_of(tensor, source, sizes)))
    return source.length * (size + _ENTRY_BYTES) if inner.startswith("seq(") else size


def _available_bytes() -> int | None:
    try:
        import psutil
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)
