"""Generates the inputs of a trial from a fixed seed: the same model and sizes get the same values everywhere."""

from __future__ import annotations

import math
import zlib

import numpy as np
import numpy.typing as npt

from ..records.failure import FailureKind, failure_error
from ..records.model import TensorInfo, dimension_name

_DTYPES: dict[str, type[np.generic]] = {
    "float": np.float32,
    "double": np.float64,
    "float16": np.float16,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "bool": np.bool_,
    "string": np.object_,
}
_BYTE_TYPES = ("int8", "uint8")


def generate_inputs(
    tensors: tuple[TensorInfo, ...], sizes: dict[str, int], seed: int
) -> dict[str, npt.NDArray[np.generic]]:
    """Return one array an input, by name. Free dimensions take their size from `sizes`, or are 1.

    Floating-point values are uniform in [0, 1); 8-bit integers use their whole range, as quantised data does; wider
    integers are 0 or 1, which nearly every model can take as an index or a mask. Each input has a generator of its
    own, from the seed and its name. Raises `FailureError` for a type that cannot be generated and for sizes that do
    not fit into memory.
    """
    plans = [(tensor, _shape_of(tensor, sizes)) for tensor in tensors]
    _check_memory(plans)
    return {tensor.name: _values(tensor, shape, seed) for tensor, shape in plans}


def _shape_of(tensor: TensorInfo, sizes: dict[str, int]) -> tuple[int, ...]:
    if not tensor.type.startswith("tensor(") or _element(tensor) not in _DTYPES:
        raise failure_error(
            FailureKind.UNSUPPORTED_INPUT,
            f"The input {tensor.name} is a {tensor.type}, for which no values can be generated yet.",
            hint="Choose a model whose inputs are plain tensors.",
        )
    return tuple(
        size if isinstance(size, int) else sizes.get(dimension_name(tensor, axis), 1)
        for axis, size in enumerate(tensor.shape or ())
    )


def _element(tensor: TensorInfo) -> str:
    return tensor.type.removeprefix("tensor(").removesuffix(")")


def _check_memory(plans: list[tuple[TensorInfo, tuple[int, ...]]]) -> None:
    needed = sum(math.prod(shape) * np.dtype(_DTYPES[_element(tensor)]).itemsize for tensor, shape in plans)
    available = _available_bytes()
    if available is not None and needed > available // 2:
        raise failure_error(
            FailureKind.OUT_OF_MEMORY,
            f"The inputs would take {needed / 2**30:,.1f} GiB; {available / 2**30:,.1f} GiB of memory are free.",
            hint="Make the free dimensions smaller.",
        )


def _available_bytes() -> int | None:
    try:
        import psutil
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)


def _values(tensor: TensorInfo, shape: tuple[int, ...], seed: int) -> npt.NDArray[np.generic]:
    element = _element(tensor)
    dtype = _DTYPES[element]
    random = np.random.default_rng([seed, zlib.crc32(tensor.name.encode())])
    if element == "double":
        return random.random(shape, dtype=np.float64)
    if element in ("float", "float16"):
        return random.random(shape, dtype=np.float32).astype(dtype, copy=False)
    if element in _BYTE_TYPES:
        bounds = np.iinfo(np.dtype(dtype))
        return random.integers(bounds.min, bounds.max, shape, dtype=dtype, endpoint=True)
    bits = random.integers(0, 1, shape, dtype=np.int64, endpoint=True)
    if element == "string":
        return np.where(bits == 1, "b", "a").astype(object)
    return bits.astype(dtype)
