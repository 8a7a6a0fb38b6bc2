"""Code that generates an input's values as `gui.engine.fills` does: from the same generator, bit for bit the same."""

from __future__ import annotations

import math
import textwrap
from dataclasses import replace
from typing import Final

from .inputs import Fill, InputSource, Number
from .script_elements import ScriptElement, entries_of, number_code, parsed

_CHUNK: Final = 1 << 20
"""The engine draws so many values at once; a generator of bytes gives others when it is asked for all of them."""
_FAR: Final = 40
"""So many deviations from the mean no normally distributed value ever lies."""


def fill_code(element: ScriptElement, shape: tuple[int, ...], source: InputSource) -> str:
    """Return an expression for an array of this shape in the element's storage. It may use `random`, a generator.

    Raises `ValueError` when the values given are none of the element's.
    """
    if source.fill is Fill.AUTOMATIC and not element.is_text:
        source = _by_type(element, source)
    match source.fill:
        case Fill.ZEROS | Fill.ONES:
            return _constant(element, shape, "1" if source.fill is Fill.ONES else "0")
        case Fill.CONSTANT:
            return _constant(element, shape, source.value)
        case Fill.VALUES:
            return _reshaped(_values(element, source.value), shape)
    count = math.prod(shape)
    if count <= _CHUNK:
        return _reshaped(_drawn(element, source, str(count)), shape)
    draw = _drawn(element, source, "count")
    return _reshaped(f"in_parts(lambda count: {draw}, {count})", shape)


def _reshaped(code: str, shape: tuple[int, ...]) -> str:
    return code if len(shape) == 1 else f"{_grouped(code)}.reshape({', '.join(map(str, shape)) or '()'})"


def _by_type(element: ScriptElement, source: InputSource) -> InputSource:
    if element.is_float:
        return replace(source, fill=Fill.UNIFORM, low=0, high=1)
    is_narrow = element.is_integer and element.high - element.low <= 255
    low, high = (element.low, element.high) if is_narrow else (0, 1)
    return replace(source, fill=Fill.INTEGERS, low=low, high=high)


def _drawn(element: ScriptElement, source: InputSource, count: str) -> str:
    """Return an expression for so many values, in a row."""
    match source.fill:
        case Fill.AUTOMATIC:  # of text
            return f'np.array(["a", "b"], object)[random.integers(0, 2, {count})]'
        case Fill.INTEGERS:
            return _integers(element, math.ceil(source.low), math.floor(source.high), count)
        case Fill.UNIFORM:
            return _uniform(element, source.low, source.high, count)
    return _normal(element, float(source.low), float(source.high), count)


def _integers(element: ScriptElement, low: int, high: int, count: str) -> str:
    kind = "np.int64" if high < 2**63 else "np.uint64"
    if element.is_integer and element.storage in ("np.int8", "np.uint8"):
        kind = element.storage
    dtype = "" if kind == "np.int64" else f", {kind}"
    drawn = f"random.integers({low}, {high}, {count}{dtype}, endpoint=True)"
    return drawn if element.storage == kind and element.is_integer else stored_code(element, drawn, kind)


def _uniform(element: ScriptElement, low: Number, high: Number, count: str) -> str:
    if element.is_integer:
        first = math.ceil(low)
        return _integers(element, first, first if low == high else math.ceil(high) - 1, count)
    if element.is_bool:
        return f"random.random({count}) >= 0.5"
    is_wide = element.name == "double" or element.is_text
    unit = f"random.random({count})" if is_wide else f"random.random({count}, np.float32)"
    low, high = float(low), float(high)
    span = high - low
    if math.isinf(span):
        low_part = f"(1 - unit) * {number_code(low)}"
        doubles = "" if is_wide else ".astype(np.float64)"
        whole = f"(lambda unit: unit * {number_code(high)} + {low_part})({unit}{doubles})"
        return stored_code(element, whole, "np.float64")
    if (low, span) == (0.0, 1.0):
        return stored_code(element, _at_least(element, unit), "np.float64" if is_wide else "np.float32")
    scaled = unit if is_wide else f"{unit}.astype(np.float64)"
    scaled += "" if span == 1.0 else f" * {number_code(span)}"
    scaled += "" if low == 0.0 else f" {'-' if low < 0 else '+'} {number_code(abs(low))}"
    return stored_code(element, _at_least(element, scaled), "np.float64")


def _at_least(element: ScriptElement, code: str) -> str:
    """There is no 0 in a type without one."""
    return f"np.maximum({code}, {element.least!r})" if element.least > 0 else code


def _normal(element: ScriptElement, mean: float, deviation: float, count: str) -> str:
    drawn = f"random.normal({number_code(mean)}, {number_code(deviation)}, {count})"
    if element.is_bool:
        return f"{drawn} > 0"
    if element.is_text:
        return stored_code(element, drawn, "np.float64")
    low, high = (float(element.low), float(element.high)) if element.is_integer else (element.least, element.limit)
    if element.is_integer and int(high) > element.high:  # 64 bits: the nearest float lies beyond
        high = math.nextafter(high, 0)
    if element.is_integer:
        drawn = f"np.rint({drawn})"
    if not low < mean - _FAR * deviation <= mean + _FAR * deviation < high:
        drawn = f"np.clip({drawn}, {number_code(low)}, {number_code(high)})"
    return stored_code(element, drawn, "np.float64")


def _constant(element: ScriptElement, shape: tuple[int, ...], text: str) -> str:
    value = parsed(element, text)
    where = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    if element.is_plain and not element.is_text and value in (0, 1) and not text.strip().startswith("-"):
        return f"np.{'ones' if value else 'zeros'}({where}, {element.storage})"
    if element.is_bits:
        return f"np.full({where}, {stored_code(element, f'np.array([{number_code(value)}])', 'np.float64')}[0])"
    return f"np.full({where}, {number_code(value)}, {element.storage})"


def _values(element: ScriptElement, text: str) -> str:
    entries = ", ".join(number_code(parsed(element, entry)) for entry in entries_of(text))
    if len(entries) > 80 and not element.is_text:
        lines = textwrap.wrap(entries, 100, break_long_words=False, break_on_hyphens=False)
        entries = "\n" + textwrap.indent("\n".join(lines), " " * 12) + "\n" + " " * 8
    if element.is_bits:
        return stored_code(element, f"np.array([{entries}], np.float64)", "np.float64")
    return f"np.array([{entries}], {element.storage})"


def stored_code(element: ScriptElement, code: str, kind: str) -> str:
    """Return an expression for numbers of numpy's type `kind` as the element's storage."""
    if element.is_text:
        return f"as_texts({code})"
    if element.name == "bfloat16":
        return f"bfloat16_bits({code})"
    if element.is_bits:
        inner = code if kind == "np.float32" else f"{_grouped(code)}.astype(np.float32)"
        return f"{_grouped(inner)}.astype(ml_dtypes.{element.ml_dtype}).view({element.storage})"
    return code if kind == element.storage else f"{_grouped(code)}.astype({element.storage})"


def _grouped(code: str) -> str:
    """Put an expression of several terms between brackets."""
    depth = 0
    for place, character in enumerate(code):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character in "*/+->" and code[place - 1 : place] == " " and code[place + 1] in " =":
            return f"({code})"
    return code
