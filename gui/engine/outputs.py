"""Outputs of a run: what they are, whether they are finite, and how they are saved.

A value is what `run`, `run_with_ort_values` or an IO binding gave: an array, a list, a dict, None, or an OrtValue. An
OrtValue without a value must not be asked for its type: that ends the process.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..records.failure import FailureKind, failure_error
from ..records.model import TensorInfo
from . import ort
from .elements import ELEMENTS, element_name, element_of, is_finite, unpacked, without_optional
from .tensor_files import write_tensor_file

_RETURNED_AS_BITS: Final = frozenset({"float8e4m3fn"})
"""`run` returns it, but as whole numbers of 8 bits."""


def run_needs_ort_values(session: Any) -> bool:
    """Whether an output has a type that `session.run` cannot return: numpy lacks it."""
    for output in session.get_outputs():
        if not output.type.startswith("tensor("):
            continue
        element = element_of(output.type)
        if element is None or ((element.is_bits or element.is_packed) and element.name not in _RETURNED_AS_BITS):
            return True
    return False


def numpy_of(value: Any) -> Any:
    """Return an OrtValue's tensor as an array in its element's storage, nothing as None, and all else as it is.

    Raises `ValueError` for an OrtValue that holds something else, which the binding cannot read.
    """
    if not isinstance(value, ort.OrtValue):
        return value
    if not value.has_value():
        return None
    type_text = value.data_type()
    element = element_of(type_text) if value.is_tensor() else None
    if element is None:
        raise ValueError(f"a {type_text} cannot be read from an OrtValue")
    if not (element.is_bits or element.is_packed):
        return value.numpy()
    shape, size = tuple(value.shape()), value.tensor_size_in_bytes()
    data = ctypes.string_at(value.data_ptr(), size) if size else b""
    if element.is_packed:
        return unpacked(element, data, math.prod(shape)).reshape(shape)
    return np.frombuffer(data, element.storage).reshape(shape)


def output_info(name: str, value: Any, type_text: str = "") -> TensorInfo:
    """Return type and true shape of an output. `type_text` is the model's, for what its value does not tell."""
    if isinstance(value, ort.OrtValue):
        if not value.has_value():
            return TensorInfo(name=name, type=type_text, shape=None)
        shape = tuple(value.shape()) if value.is_tensor() else None
        return TensorInfo(name=name, type=value.data_type(), shape=shape)
    if not isinstance(value, np.ndarray):
        return TensorInfo(name=name, type=type_text or type(value).__name__, shape=None)
    inner = without_optional(type_text)
    if element_of(inner) is None:
        inner = f"tensor({element_name(value.dtype)})"
    return TensorInfo(name=name, type=inner, shape=tuple(value.shape))


def non_finite(names: Sequence[str], outputs: Sequence[Any], types: Sequence[str] = ()) -> Iterator[str]:
    """Yield the names of the outputs that hold NaN or infinity. `types` are the model's: some come as mere bits."""
    for index, (name, value) in enumerate(zip(names, outputs, strict=True)):
        if not _is_finite(value, types[index] if types else ""):
            yield name


def save_outputs(folder: str, names: list[str], outputs: list[Any], types: list[str]) -> tuple[str, ...]:
    """Write `output_0.pb`, `output_1.pb`, … as ONNX test data sets have them, and return their paths.

    `types` are the model's. The folder is made when it is not there. Raises `FailureError`.
    """
    place = Path(folder).expanduser().absolute()
    saved = []
    name = ""
    try:
        place.mkdir(parents=True, exist_ok=True)
        for number, (name, value, type_text) in enumerate(zip(names, outputs, types, strict=True)):
            path = place / f"output_{number}.pb"
            write_tensor_file(path, name, numpy_of(value), type_text)
            saved.append(str(path))
    except OSError as error:
        raise failure_error(
            FailureKind.BAD_SETTING,
            f"The outputs cannot be saved in {place}: {error.strerror or error}.",
            hint="Choose another folder.",
        ) from error
    except ImportError as error:
        raise failure_error(
            FailureKind.BAD_SETTING,
            "Saving outputs needs the package onnx, which the engine's Python lacks.",
            hint="Install it: python -m pip install onnx. Or do not save them.",
        ) from error
    except ValueError as error:
        raise failure_error(
            FailureKind.BAD_SETTING,
            f"The output {name} cannot be saved as .pb: {error}.",
            hint="Do not save the outputs, or choose arrays instead of IO binding.",
        ) from error
    return tuple(saved)


def _is_finite(value: Any, type_text: str) -> bool:
    if isinstance(value, ort.OrtValue):
        if not value.has_value() or not value.is_tensor():
            return True
        type_text = value.data_type()
        return element_of(type_text) is None or _is_finite(numpy_of(value), type_text)
    if isinstance(value, np.ndarray):
        element = element_of(without_optional(type_text)) or ELEMENTS.get(element_name(value.dtype))
        return element is None or is_finite(element, value)
    if isinstance(value, dict):
        return all(_is_finite(np.asarray(entry), "") for entry in value.values())
    if isinstance(value, list):
        return all(_is_finite(entry, "") for entry in value)
    return True
