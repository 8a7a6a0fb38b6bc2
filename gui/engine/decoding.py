"""The numbers that elements stand for, as float64: exact for every floating-point type that ORT has."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .elements import Element

Doubles = npt.NDArray[np.float64]


def _eight_bits(exponent_bits: int, bias: int, *, ieee: bool = False, nan: tuple[int, ...] = ()) -> Doubles:
    """Return what each byte stands for: a sign, the exponent, the mantissa.

    `ieee` is a type whose highest exponent is kept for infinity and NaN; `nan` are the bytes that are not a number in
    one that has numbers there, too.
    """
    mantissa_bits = 7 - exponent_bits
    parts, highest = 1 << mantissa_bits, (1 << exponent_bits) - 1
    values = np.empty(256)
    for code in range(256):
        exponent, mantissa = (code & 0x7F) >> mantissa_bits, code & (parts - 1)
        if code in nan or (ieee and exponent == highest and mantissa):
            value = np.nan
        elif ieee and exponent == highest:
            value = np.inf
        elif exponent == 0:
            value = mantissa / parts * 2.0 ** (1 - bias)
        else:
            value = (1 + mantissa / parts) * 2.0 ** (exponent - bias)
        values[code] = -value if code & 0x80 else value
    return values


def _powers_of_two() -> Doubles:
    values = 2.0 ** np.arange(-127, 129, dtype=np.float64)
    values[0xFF] = np.nan
    return values


_TABLES: Final = {
    "float8e4m3fn": _eight_bits(4, 7, nan=(0x7F, 0xFF)),
    "float8e4m3fnuz": _eight_bits(4, 8, nan=(0x80,)),
    "float8e5m2": _eight_bits(5, 15, ieee=True),
    "float8e5m2fnuz": _eight_bits(5, 16, nan=(0x80,)),
    "float8e8m0": _powers_of_two(),
}


def as_doubles(element: Element, array: npt.NDArray[Any]) -> Doubles:
    """Return the values of an array in the storage of a floating-point element."""
    if not element.is_bits:
        with np.errstate(invalid="ignore"):  # some NaN of a narrower type signal when they are widened
            return array.astype(np.float64)
    if element.name == "bfloat16":
        with np.errstate(invalid="ignore"):
            return (array.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    found: Doubles = _TABLES[element.name][array]
    return found
