"""Element types of tensors: how ORT spells them, what numpy has for them, and how values become their bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..records.failure import FailureKind, failure_error

Array = npt.NDArray[Any]

_STRING_BYTES: Final = 64
"""About what a short text takes in an array of numpy's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element type. What numpy lacks is kept as bits: `storage` is then an unsigned type of the same width."""

    name: str
    """As ORT spells it within `tensor(…)`."""
    onnx_number: int
    """Of `TensorProto.DataType`."""
    storage: type[np.generic]
    is_float: bool = False
    is_bits: bool = False
    """Whether `storage` holds bits that numpy cannot read as numbers."""
    packed_bits: int = 0
    """Of elements that share a byte in ORT's memory, the first in the lowest bits; in arrays each has its own byte."""
    low: int = 0
    high: int = 0
    """Bounds of whole numbers."""
    limit: float = 0.0
    """The largest finite floating-point number."""
    least: float = 0.0
    """The smallest one; of a type without sign and zero it is more than 0."""

    @property
    def is_packed(self) -> bool:
        """Whether elements share a byte in ORT's memory."""
        return self.packed_bits > 0

    @property
    def is_integer(self) -> bool:
        """Whether its values are whole numbers."""
        return self.high > 0 and self.name != "bool"

    @property
    def is_text(self) -> bool:
        """Whether its values are strings."""
        return self.name == "string"

    def size_bytes(self, count: int) -> int:
        """Return about how many bytes an array of so many elements takes."""
        return count * (_STRING_BYTES if self.is_text else np.dtype(self.storage).itemsize)


def _whole(name: str, number: int, storage: type[Any]) -> Element:
    bounds = np.iinfo(storage)
    return Element(name=name, onnx_number=number, storage=storage, low=int(bounds.min), high=int(bounds.max))


def _float(
    name: str, number: int, storage: type[Any], limit: float, *, is_bits: bool = False, least: float | None = None
) -> Element:
    least = -limit if least is None else least
    return Element(
        name=name, onnx_number=number, storage=storage, is_float=True, is_bits=is_bits, limit=limit, least=least
    )


ELEMENTS: Final = {
    element.name: element
    for element in (
        _float("float", 1, np.float32, 3.4028234663852886e38),
        _whole("uint8", 2, np.uint8),
        _whole("int8", 3, np.int8),
        _whole("uint16", 4, np.uint16),
        _whole("int16", 5, np.int16),
        _whole("int32", 6, np.int32),
        _whole("int64", 7, np.int64),
        Element(name="string", onnx_number=8, storage=np.object_),
        Element(name="bool", onnx_number=9, storage=np.bool_, high=1),
        _float("float16", 10, np.float16, 65504.0),
        _float("double", 11, np.float64, 1.7976931348623157e308),
        _whole("uint32", 12, np.uint32),
        _whole("uint64", 13, np.uint64),
        _float("bfloat16", 16, np.uint16, 3.3895313892515355e38, is_bits=True),
        _float("float8e4m3fn", 17, np.uint8, 448.0, is_bits=True),
        _float("float8e4m3fnuz", 18, np.uint8, 240.0, is_bits=True),
        _float("float8e5m2", 19, np.uint8, 57344.0, is_bits=True),
        _float("float8e5m2fnuz", 20, np.uint8, 57344.0, is_bits=True),
        Element(name="uint4", onnx_number=21, storage=np.uint8, packed_bits=4, low=0, high=15),
        Element(name="int4", onnx_number=22, storage=np.int8, packed_bits=4, low=-8, high=7),
        _float("float8e8m0", 24, np.uint8, 2.0**127, is_bits=True, least=2.0**-127),
        Element(name="uint2", onnx_number=25, storage=np.uint8, packed_bits=2, low=0, high=3),
        Element(name="int2", onnx_number=26, storage=np.int8, packed_bits=2, low=-2, high=1),
    )
}
"""All that ORT can be given from Python, by name."""

_ML_DTYPES: Final = {
    "bfloat16": "bfloat16",
    "float8e4m3fn": "float8_e4m3fn",
    "float8e4m3fnuz": "float8_e4m3fnuz",
    "float8e5m2": "float8_e5m2",
    "float8e5m2fnuz": "float8_e5m2fnuz",
    "float8e8m0": "float8_e8m0fnu",
    "uint4": "uint4",
    "int4": "int4",
    "uint2": "uint2",
    "int2": "int2",
}
_OF_ML_DTYPES: Final = {other: name for name, other in _ML_DTYPES.items()}
_OF_NUMPY: Final = {"float32": "float", "float64": "double", "object": "string"}
_NON_FINITE: Final = {
    "bfloat16": (0x7F80, 0x7F80),
    "float8e4m3fn": (0x7F, 0x7F),
    "float8e4m3fnuz": (0xFF, 0x80),
    "float8e5m2": (0x7C, 0x7C),
    "float8e5m2fnuz": (0xFF, 0x80),
    "float8e8m0": (0xFF, 0xFF),
}
"""Mask, and what the masked bits of NaN and infinity are."""


def element_of(type_text: str) -> Element | None:
    """Return the element type of `tensor(…)`, or None for what is no tensor or cannot be given to ORT."""
    if not (type_text.startswith("tensor(") and type_text.endswith(")")):
        return None
    return ELEMENTS.get(type_text[len("tensor(") : -1])


def without_optional(type_text: str) -> str:
    """Return the type within `optional(…)`, and any other as it is."""
    return type_text[len("optional(") : -1] if type_text.startswith("optional(") else type_text


def element_name(dtype: np.dtype[Any]) -> str:
    """Return how ORT spells the element type of an array, also of one of `ml_dtypes`; numpy's name of any other."""
    if dtype.kind in "US":
        return "string"
    return _OF_NUMPY.get(dtype.name) or _OF_ML_DTYPES.get(dtype.name, dtype.name)


def takes(element: Element, dtype: np.dtype[Any]) -> bool:
    """Whether an array of this type holds such elements: the type itself, that of `ml_dtypes`, or bare bits.

    Bare bits are an unsigned type of the same width, or the nameless one that numpy reads of a file of `ml_dtypes`.
    Elements of two or four bits have a byte each.
    """
    if element_name(dtype) == element.name:
        return True
    if not (element.is_bits or element.is_packed):
        return False
    is_nameless = dtype.type is np.void and dtype.names is None and dtype.subdtype is None
    storage = np.dtype(element.storage)
    return dtype.newbyteorder("=") == storage or (is_nameless and dtype.itemsize == storage.itemsize)


def stored(element: Element, array: Array) -> Array:
    """Return an array that the element `takes`, of the machine's byte order, as the element's storage.

    Raises `ValueError` for text that is not UTF-8, and for whole numbers that two or four bits cannot hold.
    """
    if element.is_text:
        return _texts(array)
    if element.is_bits:
        return array.view(element.storage)
    if not element.is_packed:
        return array
    if array.dtype.kind == "V":  # of `ml_dtypes`: in the lowest bits of a byte each
        return _signed(element, array.view(np.uint8) & np.uint8(_mask(element)))
    if array.size and not element.low <= int(array.min()) <= int(array.max()) <= element.high:
        raise ValueError(f"the values lie between {array.min()} and {array.max()}")
    return array


def bits_of_floats(element: Element, values: npt.NDArray[np.float32]) -> Array:
    """Return values as the bits of a float type that numpy lacks, rounded to the nearest. Too large ones become
    infinite or NaN. Raises `FailureError`.
    """
    if element.name == "bfloat16":
        return _bfloat16_bits(values)
    bits: Array = values.astype(_ml_dtype(element)).view(element.storage)
    return bits


def is_finite(element: Element, array: Array) -> bool:
    """Whether an array of the element's storage holds neither NaN nor infinity."""
    if not element.is_float:
        return True
    if not element.is_bits:
        return bool(np.isfinite(array).all())
    mask, value = _NON_FINITE[element.name]
    return not bool(((array & mask) == value).any())


def packed(element: Element, array: Array) -> bytes:
    """Return values of two or four bits, one each in an array, as ORT keeps them: the first in the lowest bits."""
    per_byte = 8 // element.packed_bits
    parts = np.zeros(-(-array.size // per_byte) * per_byte, np.uint8)
    parts[: array.size] = array.astype(np.uint8).ravel() & np.uint8(_mask(element))
    result = np.zeros(len(parts) // per_byte, np.uint8)
    for index in range(per_byte):
        result |= parts[index::per_byte] << np.uint8(index * element.packed_bits)
    return result.tobytes()


def unpacked(element: Element, data: bytes, count: int) -> Array:
    """Return so many values of two or four bits from ORT's memory, one each in an array.

    Raises `ValueError` when there are fewer.
    """
    raw = np.frombuffer(data, np.uint8)
    per_byte = 8 // element.packed_bits
    if per_byte * len(raw) < count:
        raise ValueError(f"{len(raw)} bytes cannot hold {count} values of {element.packed_bits} bits")
    shifts = np.arange(0, 8, element.packed_bits, dtype=np.uint8)
    return _signed(element, ((raw[:, np.newaxis] >> shifts) & np.uint8(_mask(element))).ravel()[:count])


def _mask(element: Element) -> int:
    return (1 << element.packed_bits) - 1


def _signed(element: Element, parts: npt.NDArray[np.uint8]) -> Array:
    numbers = np.asarray(parts, np.int8)
    return np.where(numbers > element.high, numbers - (1 << element.packed_bits), numbers).astype(element.storage)


def _texts(array: Array) -> Array:
    """ORT misreads numpy's bytes, and takes objects only when they are `str`."""
    if array.dtype.kind == "U":
        return array.astype(object)
    texts = [entry.decode("utf-8") if isinstance(entry, bytes) else str(entry) for entry in array.ravel().tolist()]
    result = np.empty(len(texts), object)
    result[:] = texts
    return result.reshape(array.shape)


def _bfloat16_bits(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    raw = np.ascontiguousarray(values, np.float32).view(np.uint32).reshape(values.shape)
    rounded = (raw + np.uint32(0x7FFF) + ((raw >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    quiet = (raw >> np.uint32(16)) | np.uint32(0x40)  # rounding would turn some NaN into infinity
    return np.where(np.isnan(values), quiet, rounded).astype(np.uint16)


def _ml_dtype(element: Element) -> Any:
    try:
        import ml_dtypes
    except ImportError as error:
        raise failure_error(
            FailureKind.UNSUPPORTED_INPUT,
            f"Values of {element.name} need the package ml_dtypes, which the engine's Python lacks.",
            hint="Install it: python -m pip install ml_dtypes. Or give the input a file.",
        ) from error
    return getattr(ml_dtypes, _ML_DTYPES[element.name])
