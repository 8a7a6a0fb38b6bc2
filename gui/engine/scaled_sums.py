"""Sums of squares and products of float64 that neither overflow nor vanish, and what is made of them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from .decoding import Doubles

_EASY: Final = 400
"""Numbers up to 2 to this power, either way, are squared as they are: the sum of any memory full of them is finite."""


class ScaledSum:
    """A sum of products, kept as parts that are each to be multiplied by a power of two."""

    def __init__(self) -> None:
        self._parts: dict[int, list[float]] = {}

    def add_squares(self, values: Doubles, *, halved: bool = False) -> None:
        """Add the square of each value; `halved` says that they are half of what they stand for."""
        exponent = _exponent(values)
        scaled = _scaled(values, exponent)
        self._parts.setdefault(2 * (exponent + halved), []).append(float(scaled @ scaled))

    def add_products(self, first: Doubles, second: Doubles) -> None:
        """Add the products of two arrays, element by element."""
        exponents = _exponent(first), _exponent(second)
        product = _scaled(first, exponents[0]) @ _scaled(second, exponents[1])
        self._parts.setdefault(sum(exponents), []).append(float(product))

    def value(self) -> tuple[float, int]:
        """Return mantissa and exponent, as `math.frexp`."""
        found = [(*math.frexp(math.fsum(parts)), shift) for shift, parts in self._parts.items()]
        found = [entry for entry in found if entry[0]]
        if not found:
            return 0.0, 0
        top = max(exponent + shift for _mantissa, exponent, shift in found)
        total = math.fsum(math.ldexp(mantissa, exponent + shift - top) for mantissa, exponent, shift in found)
        mantissa, exponent = math.frexp(total)
        return mantissa, exponent + top


def similarity(both: ScaledSum, first: ScaledSum, second: ScaledSum) -> float | None:
    """Return the cosine of two vectors from their product and their squares; None when one has no length."""
    (dot, dot_exponent), (one, one_exponent), (two, two_exponent) = both.value(), first.value(), second.value()
    if not one or not two:
        return None
    shift = one_exponent + two_exponent
    square = one * two
    if shift % 2:
        square, shift = 2 * square, shift - 1
    return max(-1.0, min(1.0, math.ldexp(dot / math.sqrt(square), dot_exponent - shift // 2)))


def decibels(signal: ScaledSum, noise: ScaledSum) -> float | None:
    """Return the ratio of two sums of squares in dB; None when one of them is 0."""
    (top, top_exponent), (bottom, bottom_exponent) = signal.value(), noise.value()
    if not top or not bottom:
        return None
    return 10 * (math.log10(top / bottom) + (top_exponent - bottom_exponent) * math.log10(2))


def _exponent(values: Doubles) -> int:
    """Return the power of two that brings the values near 1; 0 where that is not needed."""
    if not values.size:
        return 0
    exponent = math.frexp(float(np.abs(values).max()))[1]
    return exponent if abs(exponent) > _EASY else 0


def _scaled(values: Doubles, exponent: int) -> Doubles:
    return np.ldexp(values, -exponent) if exponent else values
