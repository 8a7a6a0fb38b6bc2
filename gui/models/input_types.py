"""What a model's input can be given: its type taken apart, the fills that suit it, what is wrong with a source."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QLocale

from ..records.inputs import Fill, InputSource, Number, SourceKind
from ..records.model import TensorInfo, dimension_name
from .input_files import is_array_file, is_file, is_image_file

INTEGER_RANGES: Final = {
    f"{sign}int{bits}": (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for bits in (2, 4, 8, 16, 32, 64)
    for sign in ("", "u")
}
"""Smallest and largest value, by element type."""
FLOAT_LIMITS: Final = {
    "float": 3.4028234663852886e38,
    "double": 1.7976931348623157e308,
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float8e4m3fn": 448.0,
    "float8e4m3fnuz": 240.0,
    "float8e5m2": 57344.0,
    "float8e5m2fnuz": 57344.0,
    "float4e2m1": 6.0,
}
"""Largest finite value, by element type."""
_FLOAT_FILLS: Final = (Fill.UNIFORM, Fill.NORMAL, Fill.INTEGERS, Fill.ZEROS, Fill.ONES, Fill.CONSTANT, Fill.VALUES)
_INTEGER_FILLS: Final = (Fill.INTEGERS, Fill.ZEROS, Fill.ONES, Fill.CONSTANT, Fill.VALUES)
_TEXT_FILLS: Final = (Fill.CONSTANT, Fill.VALUES)
_CHANNELS: Final = (1, 3, 4)
_TRUTHS: Final = ("0", "1", "true", "false")
_WHOLE: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_TENSOR: Final = re.compile(r"(?<![a-z_])tensor\((\w+)\)")
_SEPARATORS: Final = re.compile(r"[\s,;x×]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueType:
    """An input's type as ORT spells it, taken apart."""

    element: str
    """Of the tensors within: `float`, `int64`, …; empty where there are none."""
    is_optional: bool = False
    has_entries: bool = False
    """A sequence or a map."""

    @property
    def is_plain(self) -> bool:
        """Whether it is a tensor and nothing else."""
        return not self.is_optional and not self.has_entries


def value_type(text: str) -> ValueType:
    """Return what `tensor(float)`, `optional(seq(tensor(int64)))`, `map(int64,tensor(float))` … are made of."""
    tensors = _TENSOR.findall(text)
    return ValueType(
        element=tensors[-1] if tensors else "",
        is_optional=text.startswith("optional("),
        has_entries="seq(" in text or "map(" in text,
    )


def short_type(text: str) -> str:
    """Return a type for a narrow column: `float` for `tensor(float)`, `seq(int64)` for `seq(tensor(int64))`."""
    return _TENSOR.sub(r"\1", text).replace(",", ", ")


def fills_for(tensor: TensorInfo) -> tuple[Fill, ...]:
    """Return the ways of generating that make sense for an input, `AUTOMATIC` left out."""
    kind = value_type(tensor.type)
    fills: tuple[Fill, ...]
    if kind.element in FLOAT_LIMITS:
        fills = _FLOAT_FILLS
    elif kind.element in INTEGER_RANGES or kind.element == "bool":
        fills = _INTEGER_FILLS
    elif kind.element == "string":
        fills = _TEXT_FILLS
    else:
        fills = (Fill.ZEROS, Fill.ONES)
    return tuple(fill for fill in fills if fill is not Fill.VALUES or not kind.has_entries)


def may_be_left_out(tensor: TensorInfo, *, is_initializer: bool) -> bool:
    """Whether a run goes without it: an optional, or an initializer that has a value of its own."""
    return is_initializer or value_type(tensor.type).is_optional


def takes_image(tensor: TensorInfo) -> bool:
    """Whether an image could be its values: a tensor of numbers with three or four axes."""
    kind = value_type(tensor.type)
    is_numeric = kind.element in FLOAT_LIMITS or kind.element in INTEGER_RANGES
    return kind.is_plain and is_numeric and len(tensor.shape or ()) in (3, 4)


def looks_like_image(tensor: TensorInfo) -> bool:
    """Whether it takes an image and has an axis of one, three or four channels where images have theirs."""
    shape = tensor.shape or ()
    return takes_image(tensor) and (shape[-3] in _CHANNELS or shape[-1] in _CHANNELS)


def element_count(tensor: TensorInfo, shape: tuple[int, ...] | None, sizes: Mapping[str, int]) -> int | None:
    """Return how many values a tensor takes; None when its rank or a size is not known.

    `shape` is that of the source, for an input whose rank the model leaves open.
    """
    if tensor.shape is None:
        return None if shape is None else math.prod(shape)
    known = [
        size if isinstance(size, int) else sizes.get(dimension_name(tensor, axis))
        for axis, size in enumerate(tensor.shape)
    ]
    return None if None in known else math.prod(size for size in known if size is not None)


# ---- Numbers as typed; each raises `ValueError` with a sentence for the user ----


def whole_number(text: str, element: str) -> int:
    """Return the whole number of a text, all its digits kept, when the element type can hold it."""
    plain = _written(text)
    if not _WHOLE.fullmatch(plain) or len(plain) > 400:
        raise ValueError(_tr("“{0}” is not a whole number.").format(_cut(plain)))
    number = int(plain)
    _check_range(number, element)
    return number


def real_number(text: str, element: str) -> float:
    """Return the finite number of a text, with a point or the locale's sign before the decimals."""
    number = _real(text)
    if not math.isfinite(number):
        raise ValueError(_tr("The number must be finite."))
    _check_range(number, element)
    return number


def checked_value(text: str, element: str) -> None:
    """Look whether a text is one value of an element type."""
    if element == "string":
        return
    if element == "bool":
        if text.strip().lower() not in _TRUTHS:
            raise ValueError(_tr("“{0}” is neither true nor false.").format(_cut(text.strip())))
    elif element in INTEGER_RANGES:
        whole_number(text, element)
    else:
        number = _real(text)
        if math.isfinite(number):
            _check_range(number, element)


def split_values(text: str) -> tuple[str, ...]:
    """Return the entries of a list separated by commas."""
    return tuple(text.split(",")) if text.strip() else ()


def parsed_shape(text: str) -> tuple[int, ...] | None:
    """Return the shape typed as `2, 3`, `[2, 3]` or `2 x 3`; None for nothing."""
    inner = text.strip().removeprefix("[").removesuffix("]").strip()
    if not inner:
        return () if text.strip() else None
    parts = _SEPARATORS.split(inner)
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise ValueError(_tr("“{0}” is not a shape; write its sizes as in 2, 3.").format(_cut(text.strip())))
    return tuple(int(part) for part in parts)


# ---- A source beside its input ----


def source_problem(tensor: TensorInfo, source: InputSource, *, is_initializer: bool = False) -> str | None:
    """Return what keeps a source from being used for an input, in one sentence, or None.

    What only the reading of a file can tell is the engine's to say.
    """
    match source.kind:
        case SourceKind.OMITTED:
            if not may_be_left_out(tensor, is_initializer=is_initializer):
                return _tr("Only optional inputs and initializers can be left out.")
            return None
        case SourceKind.GENERATED:
            try:
                _check_generated(tensor, source)
            except ValueError as error:
                return str(error)
            return None
    return _file_problem(tensor, source)


def _file_problem(tensor: TensorInfo, source: InputSource) -> str | None:
    is_image = source.kind is SourceKind.IMAGE
    if is_image and not takes_image(tensor):
        return _tr("An image needs a tensor of numbers with three or four axes.")
    if not (is_image_file if is_image else is_array_file)(source.path):
        if is_image:
            return _tr("This is not the name of an image: PNG, JPEG, BMP, GIF, TIFF or WebP.")
        return _tr("Files of values end in .npy, .npz or .pb.")
    if not is_file(source.path):
        return _tr("There is no file {0}.").format(source.path)
    return None


def _check_generated(tensor: TensorInfo, source: InputSource) -> None:
    element = value_type(tensor.type).element
    match source.fill:
        case Fill.UNIFORM | Fill.INTEGERS:
            _check_range(source.low, element)
            _check_range(source.high, element)
        case Fill.CONSTANT:
            checked_value(source.value, element)
        case Fill.VALUES:
            _check_values(source.value, element, element_count(tensor, source.shape, {}))


def _check_values(text: str, element: str, count: int | None) -> None:
    entries = split_values(text)
    for entry in entries:
        checked_value(entry, element)
    if not entries and count != 0:
        raise ValueError(_tr("Write the values, separated by commas."))
    if count is not None and len(entries) != count:
        raise ValueError(
            _tr("These are {0} values; the tensor has {1}.").format(
                QLocale().toString(len(entries)), QLocale().toString(count)
            )
        )


def _check_range(number: Number, element: str) -> None:
    if element == "bool" and number not in (0, 1):
        raise ValueError(_tr("{0} is neither 0 nor 1.").format(number))
    if element in INTEGER_RANGES:
        low, high = INTEGER_RANGES[element]
        if not low <= number <= high:
            raise ValueError(_tr("{0} does not fit into {1}: {2} to {3}.").format(number, element, low, high))
    limit = FLOAT_LIMITS.get(element)
    if limit is not None and abs(number) > limit:
        raise ValueError(_tr("{0:g} does not fit into {1}: at most {2:g}.").format(float(number), element, limit))


def _written(text: str) -> str:
    plain = text.strip()
    if not plain:
        raise ValueError(_tr("A number is missing."))
    return plain


def _real(text: str) -> float:
    plain = _written(text)
    try:
        if "_" not in plain:
            return float(plain)
    except ValueError:
        number, is_number = QLocale().toDouble(plain)
        if is_number:
            return number
    raise ValueError(_tr("“{0}” is not a number.").format(_cut(plain)))


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _tr(text: str) -> str:
    return QCoreApplication.translate("InputTypes", text)
