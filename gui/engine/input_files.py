"""Reads inputs from files, and tells before that what they hold: arrays of numpy, tensors of ONNX test data, images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from ..records.failure import FailureKind, failure_error
from ..records.inputs import InputSource, SourceKind
from ..records.model import TensorInfo, dimension_name
from .array_files import array_head, read_array
from .elements import Array, Element, element_name, element_of, stored, takes, without_optional
from .images import image_shape, read_image
from .tensor_files import read_tensor_file, tensor_file_shape

_NUMPY_NAMES: Final = {"float": "float32", "double": "float64", "bool": "bool_"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHead:
    """What a file holds for an input, as far as its head tells."""

    shape: tuple[int, ...] | None
    """None for what is no tensor."""
    size_bytes: int
    """About what reading it takes."""


def head_of(tensor: TensorInfo, source: InputSource, sizes: Mapping[str, int]) -> FileHead:
    """Return what a file holds. Raises `FailureError` when it cannot be used, or is of another type or shape."""
    if source.kind is SourceKind.IMAGE:
        shape = image_shape(tensor, source, sizes)
        element = element_of(without_optional(tensor.type))
        return FileHead(shape=shape, size_bytes=0 if element is None else element.size_bytes(math.prod(shape)))
    if _suffix(source) == ".pb":
        return FileHead(shape=tensor_file_shape(tensor, source.path), size_bytes=Path(source.path).stat().st_size)
    head = array_head(source.path, source.entry, tensor.name)
    _check_type(tensor, head.dtype, source)
    return FileHead(shape=head.shape, size_bytes=head.size_bytes)


def read_value(tensor: TensorInfo, source: InputSource, sizes: Mapping[str, int]) -> tuple[Any, str]:
    """Return the value of an input from its file, and what was done to the data.

    Tensors are arrays in their element's storage, C-contiguous and of the machine's byte order; sequences are lists,
    maps dicts, an empty optional None. Raises `FailureError` when the file cannot be used, or does not fit, with
    expected and found.
    """
    if source.kind is SourceKind.IMAGE:
        return read_image(tensor, source, sizes)
    if _suffix(source) == ".pb":
        value = read_tensor_file(tensor, source.path)
        if isinstance(value, np.ndarray):
            check_shape(tensor, value.shape, _name_of(source), sizes)
        return value, ""
    head = array_head(source.path, source.entry, tensor.name)
    element = _check_type(tensor, head.dtype, source)
    check_shape(tensor, head.shape, _name_of(source), sizes)
    return _normalised(tensor, element, read_array(source.path, source.entry, tensor.name), source)


def check_shape(tensor: TensorInfo, shape: tuple[int, ...], name: str, sizes: Mapping[str, int]) -> None:
    """Raise `FailureError` when the tensor of the file `name` has not the shape of the input with these sizes."""
    if tensor.shape is None:
        return
    wanted = [
        size if isinstance(size, int) else sizes.get(dimension_name(tensor, axis))
        for axis, size in enumerate(tensor.shape)
    ]
    if len(wanted) == len(shape) and all(size in (None, found) for size, found in zip(wanted, shape, strict=True)):
        return
    if len(wanted) != len(shape):
        what, hint = "rank", "Choose another file, or add or remove axes: array.reshape(…)."
    else:
        what, hint = "shape", "Choose another file, or change the free dimensions."
    raise failure_error(
        FailureKind.BAD_INPUT,
        f"{name} has the wrong {what}: {tensor.name} expects {_shape_text(tensor, sizes)}, "
        f"the file holds {list(shape)}.",
        hint=hint,
    )


def _shape_text(tensor: TensorInfo, sizes: Mapping[str, int]) -> str:
    """Return the shape as in `[batch = 4, 3, ?]`."""
    parts = []
    for axis, size in enumerate(tensor.shape or ()):
        text = "?" if size is None else str(size)
        chosen = None if isinstance(size, int) else sizes.get(dimension_name(tensor, axis))
        parts.append(text if chosen is None else f"{text} = {chosen}")
    return f"[{', '.join(parts)}]"


def _suffix(source: InputSource) -> str:
    """Return the ending of the file's name. Raises `FailureError` when there is no such file."""
    file = Path(source.path)
    try:
        is_folder, is_there = file.is_dir(), file.exists()
    except OSError as error:
        message = f"The file of {source.name} cannot be reached: {error.strerror or error}."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint="Choose the file again.") from error
    if is_folder:
        message = f"{file.name or source.path} is a folder, not the values of {source.name}."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint="Choose a file inside it.")
    if not is_there:
        message = f"The file of {source.name} is not there: {source.path}."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint="Choose the file again.")
    suffix = file.suffix.lower()
    if suffix not in (".npy", ".npz", ".pb") or not file.is_file():
        raise failure_error(
            FailureKind.BAD_INPUT_FILE,
            f"{file.name} cannot be read as values of {source.name}.",
            hint="Choose a .npy, .npz or .pb file, or give it as an image.",
        )
    return suffix


def _check_type(tensor: TensorInfo, dtype: np.dtype[Any], source: InputSource) -> Element:
    """Return the input's element type. Raises `FailureError` when the array is of another one."""
    element = element_of(without_optional(tensor.type))
    if element is None:
        raise failure_error(
            FailureKind.BAD_INPUT,
            f"The input {tensor.name} is a {tensor.type}; {_name_of(source)} holds one array.",
            hint="Give it a .pb file of that type, or generate it.",
        )
    if not takes(element, dtype):
        _tell_wrong_type(tensor, element, dtype, source)
    return element


def _normalised(tensor: TensorInfo, element: Element, array: Array, source: InputSource) -> tuple[Array, str]:
    notes = []
    native = array.dtype.newbyteorder("=")
    if native != array.dtype:
        array = array.astype(native)
        notes.append("byte order changed")
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
        notes.append("made contiguous")
    if (element.is_bits or element.is_packed) and element_name(array.dtype) != element.name:
        notes.append(f"read as {element.name}")
    try:
        return stored(element, array), ", ".join(notes)
    except UnicodeDecodeError as error:
        message, hint = f"{_name_of(source)} holds text that is not UTF-8.", "Save it as text: array.astype(str)."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint=hint, detail=str(error)) from error
    except ValueError as error:
        raise failure_error(
            FailureKind.BAD_INPUT,
            f"{_name_of(source)} holds values that the {element.name} of {tensor.name} cannot hold.",
            hint=f"Stay between {element.low} and {element.high}.",
            detail=str(error),
        ) from error


def _tell_wrong_type(tensor: TensorInfo, element: Element, dtype: np.dtype[Any], source: InputSource) -> NoReturn:
    name = _NUMPY_NAMES.get(element.name, element.name)
    if element.is_bits:
        hint = f"Save its bits as {np.dtype(element.storage).name}, or save it as a .pb tensor."
    elif element.is_packed:
        hint = f"Save it as {np.dtype(element.storage).name}, or as a .pb tensor."
    elif element.is_text:
        hint = "Save it as text: array.astype(str)."
    else:
        hint = f"Save it as that type: array.astype(np.{name})."
    found = "text" if dtype.kind in "US" else dtype.name
    raise failure_error(
        FailureKind.BAD_INPUT, f"{tensor.name} expects {element.name}, {_name_of(source)} holds {found}.", hint=hint
    )


def _name_of(source: InputSource) -> str:
    name = Path(source.path).name
    return f"{source.entry} of {name}" if source.entry else name
