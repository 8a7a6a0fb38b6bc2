"""Fills arrays with generated values of every element type."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NoReturn

import numpy as np

from ..records.failure import FailureKind, failure_error
from ..records.inputs import Fill, InputSource, Number
from .elements import Array, Element, bits_of_floats, is_finite

_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})
_WORDS: Final = ("a", "b")
_CHUNK: Final = 1 << 20
"""So many values are drawn at once: what is drawn, in wider types, must not take much beside the array."""

Draw = Callable[[int], Array]
"""Returns so many values, one after the other as the generator gives them."""


def filled(
    name: str, element: Element, shape: tuple[int, ...], source: InputSource, random: np.random.Generator
) -> Array:
    """Return an array of the element's storage. `name` is the input's, for the sentences.

    AUTOMATIC is what the type suggests: floating-point values uniform in [0, 1); integers of up to 8 bits over their
    whole range, as quantised data has them; wider ones 0 or 1, which nearly every model can take as an index or a mask.
    What a NORMAL fill makes beyond the bounds of the type is cut off there. Of truths, those are true that are above 0
    in a NORMAL fill, and in the upper half of a UNIFORM one. Raises `FailureError` when a value does not fit the type.
    """
    match source.fill:
        case Fill.AUTOMATIC if element.is_text:
            return _drawn(element, shape, lambda count: np.array(_WORDS, object)[random.integers(0, 2, count)])
        case Fill.AUTOMATIC:
            return filled(name, element, shape, _by_type(element, source), random)
        case Fill.ZEROS | Fill.ONES:
            return _constant(name, element, shape, "1" if source.fill is Fill.ONES else "0")
        case Fill.CONSTANT:
            return _constant(name, element, shape, source.value)
        case Fill.VALUES:
            return _values(name, element, shape, source.value)
        case Fill.INTEGERS:
            return _integers(name, element, shape, (math.ceil(source.low), math.floor(source.high)), random)
        case Fill.UNIFORM:
            return _uniform(name, element, shape, (source.low, source.high), random)
    return _normal(name, element, shape, source, random)


def _by_type(element: Element, source: InputSource) -> InputSource:
    if element.is_float:
        return replace(source, fill=Fill.UNIFORM, low=0, high=1)
    is_narrow = element.is_integer and element.high - element.low <= 255
    low, high = (element.low, element.high) if is_narrow else (0, 1)
    return replace(source, fill=Fill.INTEGERS, low=low, high=high)


def _drawn(element: Element, shape: tuple[int, ...], draw: Draw) -> Array:
    result = np.empty(math.prod(shape), element.storage)
    for start in range(0, len(result), _CHUNK):
        part = result[start : start + _CHUNK]
        part[:] = draw(len(part))
    return result.reshape(shape)


def _uniform(
    name: str, element: Element, shape: tuple[int, ...], bounds: tuple[Number, Number], random: np.random.Generator
) -> Array:
    low, high = bounds
    if element.is_integer:
        first = math.ceil(low)
        return _integers(name, element, shape, (first, first if low == high else math.ceil(high) - 1), random)
    if element.name == "bool":
        return _drawn(element, shape, lambda count: random.random(count) >= 0.5)
    for bound in bounds:
        _check_float(name, element, bound or max(element.least, 0))
    kind = np.float64 if element.name == "double" or element.is_text else np.float32
    span = float(high) - float(low)

    def draw(count: int) -> Array:
        unit = random.random(count, dtype=kind).astype(np.float64, copy=False)
        if math.isinf(span):
            return unit * float(high) + (1 - unit) * float(low)
        return unit * span + float(low)

    if element.least > 0:  # there is no 0
        return _drawn(element, shape, lambda count: _as_stored(element, np.maximum(draw(count), element.least)))
    return _drawn(element, shape, lambda count: _as_stored(element, draw(count)))


def _normal(
    name: str, element: Element, shape: tuple[int, ...], source: InputSource, random: np.random.Generator
) -> Array:
    mean, deviation = float(source.low), float(source.high)
    if element.name == "bool":
        return _drawn(element, shape, lambda count: random.normal(mean, deviation, count) > 0)
    if element.is_integer:
        low, high = float(element.low), float(element.high)
        if int(high) > element.high:  # 64 bits: the nearest float lies beyond
            high = math.nextafter(high, 0)
        return _drawn(element, shape, lambda count: np.clip(np.rint(random.normal(mean, deviation, count)), low, high))
    _check_float(name, element, mean or max(element.least, 0))

    def draw(count: int) -> Array:
        drawn = random.normal(mean, deviation, count)
        return drawn if element.is_text else np.clip(drawn, element.least, element.limit)

    return _drawn(element, shape, lambda count: _as_stored(element, draw(count)))


def _integers(
    name: str, element: Element, shape: tuple[int, ...], bounds: tuple[int, int], random: np.random.Generator
) -> Array:
    low, high = bounds
    if low > high:
        message = f"The range of the input {name} holds no whole number."
        raise failure_error(FailureKind.BAD_INPUT, message, hint="Change the range.")
    for bound in bounds:
        if element.is_float:
            _check_float(name, element, bound)
        elif not element.is_text and not element.low <= bound <= element.high:
            _tell_misfit(name, element, bound)
    dtype: Any = np.int64 if low >= -(2**63) and high < 2**63 else np.uint64
    if (low < 0 and dtype is np.uint64) or not -(2**63) <= low <= high < 2**64:
        message = f"The range of the input {name} is wider than 64 bits."
        raise failure_error(FailureKind.BAD_INPUT, message, hint="Change the range.")
    if element.is_integer and np.dtype(element.storage).itemsize == 1:
        dtype = element.storage  # as it always was: the same seed gives the same bytes
    return _drawn(
        element, shape, lambda count: _as_stored(element, random.integers(low, high, count, dtype, endpoint=True))
    )


def _constant(name: str, element: Element, shape: tuple[int, ...], text: str) -> Array:
    value = np.array([_parsed(name, element, text)], _working_type(element))
    return np.full(shape, _as_stored(element, value)[0], element.storage)


def _values(name: str, element: Element, shape: tuple[int, ...], text: str) -> Array:
    try:
        rows = csv.reader(io.StringIO(text), skipinitialspace=True, strict=True)
        entries = [entry for row in rows for entry in row]
    except csv.Error as error:
        raise failure_error(
            FailureKind.BAD_INPUT,
            f"The values of the input {name} cannot be told apart: {error}.",
            hint="Separate them by commas; put text that holds commas or line breaks between double quotes.",
        ) from error
    count = math.prod(shape)
    if len(entries) != count:
        raise failure_error(
            FailureKind.BAD_INPUT,
            f"The input {name} has {count} values in the shape {list(shape)}; {len(entries)} are given.",
            hint="Give as many values as it has, separated by commas, or change the free dimensions.",
        )
    values = np.empty(count, _working_type(element))
    for index, entry in enumerate(entries):
        values[index] = _parsed(name, element, entry)
    return _as_stored(element, values).reshape(shape)


def _working_type(element: Element) -> Any:
    """Return a type that holds what was parsed without loss."""
    return np.float64 if element.is_float else element.storage


def _parsed(name: str, element: Element, text: str) -> Any:
    """Return a value of the element from its text. Raises `FailureError`."""
    if element.is_text:
        return text
    word = text.strip()
    if element.name == "bool":
        if word.lower() in _TRUE | _FALSE:
            return word.lower() in _TRUE
        _tell_no_value(name, element, text, "true or false")
    try:
        value = float(word) if element.is_float else _whole_number(word)
    except ValueError:
        _tell_no_value(name, element, text, "a number" if element.is_float else "a whole number")
    if element.is_float:
        if math.isfinite(value):
            _check_float(name, element, value, word)
        elif "inf" not in word.lower() and "nan" not in word.lower():
            _tell_misfit(name, element, word)
    elif not element.low <= value <= element.high:
        _tell_misfit(name, element, value)
    return value


def _whole_number(word: str) -> int:
    try:
        return int(word, 0)
    except ValueError:
        return int(word)  # 007


def _check_float(name: str, element: Element, value: Number, text: str = "") -> None:
    """Raise when a number becomes infinite, or none, in the element's type."""
    if not element.is_float:
        return
    try:
        number = float(value)
    except OverflowError:
        _tell_misfit(name, element, value)
    if not is_finite(element, _as_stored(element, np.array([number]))):
        _tell_misfit(name, element, text or value)


def _as_stored(element: Element, values: Array) -> Array:
    """Return numbers as the element's storage; for text, each as it is written."""
    if element.is_text:
        texts = np.empty(len(values), object)
        texts[:] = [f"{entry:g}" if isinstance(entry, float) else str(entry) for entry in values.tolist()]
        return texts
    with np.errstate(over="ignore", invalid="ignore"):
        if element.is_bits:
            return bits_of_floats(element, values.astype(np.float32))
        return values.astype(element.storage, copy=False)


def _tell_misfit(name: str, element: Element, value: Number | str) -> NoReturn:
    hint = f"Stay between {element.low} and {element.high}." if element.is_integer else "Change the value."
    raise failure_error(
        FailureKind.BAD_INPUT, f"The input {name} holds {element.name}, which cannot hold {value}.", hint=hint
    )


def _tell_no_value(name: str, element: Element, text: str, wanted: str) -> NoReturn:
    raise failure_error(
        FailureKind.BAD_INPUT,
        f"The input {name} holds {element.name}; “{text[:60]}” is not {wanted}.",
        hint="Change the value.",
    )
