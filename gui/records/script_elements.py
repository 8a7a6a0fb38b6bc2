"""Element types as scripts spell them: numpy's names, ONNX's numbers and the bounds that decide how values are made.

What the engine does with them is in `gui.engine.elements`; a test holds the two tables together.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from .inputs import Number


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptElement:
    """An element type. `storage` is the code of the numpy type that holds it, of bits where numpy lacks the type."""

    name: str
    onnx_number: int
    storage: str
    is_float: bool = False
    is_bits: bool = False
    packed_bits: int = 0
    low: int = 0
    high: int = 0
    limit: float = 0.0
    least: float = 0.0
    ml_dtype: str = ""
    """The name in `ml_dtypes` that is needed to make its bits; empty where a script does without."""

    @property
    def is_text(self) -> bool:
        """Whether its values are strings."""
        return self.name == "string"

    @property
    def is_bool(self) -> bool:
        """Whether its values are truths."""
        return self.name == "bool"

    @property
    def is_integer(self) -> bool:
        """Whether its values are whole numbers."""
        return self.high > 0

    @property
    def is_plain(self) -> bool:
        """Whether numpy has the type, so that arrays of it go into a run and come out of one."""
        return not self.is_bits and not self.packed_bits


def _whole(name: str, number: int, bits: int, *, signed: bool) -> ScriptElement:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if bits >= 8:
        return ScriptElement(name=name, onnx_number=number, storage=f"np.{name}", low=low, high=high)
    storage = "np.int8" if signed else "np.uint8"
    return ScriptElement(name=name, onnx_number=number, storage=storage, packed_bits=bits, low=low, high=high)


def _float(
    name: str,
    number: int,
    storage: str,
    limit: float,
    *,
    is_bits: bool = False,
    least: float | None = None,
    ml_dtype: str = "",
) -> ScriptElement:
    return ScriptElement(
        name=name,
        onnx_number=number,
        storage=storage,
        is_float=True,
        is_bits=is_bits,
        limit=limit,
        least=-limit if least is None else least,
        ml_dtype=ml_dtype,
    )


def _eight(name: str, number: int, limit: float, ml_dtype: str, least: float | None = None) -> ScriptElement:
    return _float(name, number, "np.uint8", limit, is_bits=True, least=least, ml_dtype=ml_dtype)


SCRIPT_ELEMENTS: Final = {
    element.name: element
    for element in (
        _float("float", 1, "np.float32", 3.4028234663852886e38),
        _whole("uint8", 2, 8, signed=False),
        _whole("int8", 3, 8, signed=True),
        _whole("uint16", 4, 16, signed=False),
        _whole("int16", 5, 16, signed=True),
        _whole("int32", 6, 32, signed=True),
        _whole("int64", 7, 64, signed=True),
        ScriptElement(name="string", onnx_number=8, storage="object"),
        ScriptElement(name="bool", onnx_number=9, storage="np.bool_"),
        _float("float16", 10, "np.float16", 65504.0),
        _float("double", 11, "np.float64", 1.7976931348623157e308),
        _whole("uint32", 12, 32, signed=False),
        _whole("uint64", 13, 64, signed=False),
        _float("bfloat16", 16, "np.uint16", 3.3895313892515355e38, is_bits=True),
        _eight("float8e4m3fn", 17, 448.0, "float8_e4m3fn"),
        _eight("float8e4m3fnuz", 18, 240.0, "float8_e4m3fnuz"),
        _eight("float8e5m2", 19, 57344.0, "float8_e5m2"),
        _eight("float8e5m2fnuz", 20, 57344.0, "float8_e5m2fnuz"),
        _whole("uint4", 21, 4, signed=False),
        _whole("int4", 22, 4, signed=True),
        _eight("float8e8m0", 24, 2.0**127, "float8_e8m0fnu", least=2.0**-127),
        _whole("uint2", 25, 2, signed=False),
        _whole("int2", 26, 2, signed=True),
    )
}
"""All that ORT can be given from Python, by name."""


def script_element(type_text: str) -> ScriptElement | None:
    """Return the element type of `tensor(…)`; None for what is no tensor, or has elements that no script can make."""
    found = re.fullmatch(r"tensor\((\w+)\)", type_text)
    return None if found is None else SCRIPT_ELEMENTS.get(found[1])


def without_optional(type_text: str) -> str:
    """Return the type within `optional(…)`, and any other as it is."""
    return type_text[len("optional(") : -1] if type_text.startswith("optional(") else type_text


def within_sequence(type_text: str) -> str | None:
    """Return the type within `seq(…)`, or None for what is no sequence."""
    return type_text[len("seq(") : -1] if type_text.startswith("seq(") else None


# ---- Code ----


def text_code(text: str) -> str:
    """Return a text as Python code, between double quotes where nothing in it speaks against that."""
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain and "\\'" not in plain else plain


def number_code(value: Number | str | bool) -> str:
    """Return a value as Python code; infinity and NaN as numpy's."""
    if isinstance(value, str):
        return text_code(value)
    if isinstance(value, float) and value != value:  # noqa: PLR0124 NaN
        return "np.nan"
    if value in (float("inf"), float("-inf")):
        return "np.inf" if value > 0 else "-np.inf"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return repr(value)


def parsed(element: ScriptElement, text: str) -> Number | str | bool:
    """Return the value of an element that its text stands for. Raises `ValueError`."""
    if element.is_text:
        return text
    word = text.strip()
    if element.is_bool:
        return word.lower() in ("true", "1", "yes")
    if element.is_float:
        return float(word)
    try:
        return int(word, 0)
    except ValueError:
        return int(word)  # 007


def entries_of(text: str) -> list[str]:
    """Return the entries of values that are separated by commas. Raises `ValueError`."""
    try:
        rows = csv.reader(io.StringIO(text), skipinitialspace=True, strict=True)
        return [entry for row in rows for entry in row]
    except csv.Error as error:
        raise ValueError(str(error)) from error
