"""Right or wrong: a trial's outputs against those of ORT's own CPU EP on the same inputs.

The terms, for an output a and the reference b, in float64 and over the elements that are finite in both:

- maximum absolute difference: max |a - b|
- maximum relative difference: max |a - b| / |b|, where b is not 0
- cosine similarity: a·b / (|a| |b|)
- signal-to-noise ratio: 10 log10(Σ b² / Σ (a - b)²) dB
- top-1 agreement: the share of rows along the last axis whose largest element is the same one, of several equally
  large ones any of them

An output agrees when |a - b| ≤ absolute + relative · |b| for every element, NaN and infinities stand in the same
places, and, of floats, the noise is at most a tenth of the signal (`MIN_SNR_DB`): an absolute tolerance alone would let
zeros pass for small numbers. Where the reference is zero throughout there is no signal, and the tolerance decides
alone. Integers, booleans, strings, sequences and maps agree when they are equal, unless a tolerance is given for the
integer's type.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

MIN_SNR_DB = 20.0
"""Less is never within a tolerance: the noise is more than a tenth of the signal's amplitude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far the outputs of one element type may be from the reference."""

    type: str
    """As ORT spells it within `tensor(…)`."""
    absolute: float
    relative: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) and value >= 0 for value in (self.absolute, self.relative)):
            raise ValueError(f"a tolerance of {self.type} must be a number of at least 0")


DEFAULT_TOLERANCES = (
    Tolerance(type="float", absolute=5e-3, relative=1e-2),
    Tolerance(type="double", absolute=1e-6, relative=1e-6),
    Tolerance(type="float16", absolute=5e-3, relative=1e-2),
    Tolerance(type="bfloat16", absolute=2e-2, relative=5e-2),
    Tolerance(type="float8e4m3fn", absolute=0.1, relative=0.15),
    Tolerance(type="float8e4m3fnuz", absolute=0.1, relative=0.15),
    Tolerance(type="float8e5m2", absolute=0.1, relative=0.3),
    Tolerance(type="float8e5m2fnuz", absolute=0.1, relative=0.3),
)
"""For floats: room for another order of summation, and in float for float16 inside: many EPs hold weights so, or
calculate so. All else is compared exactly."""

TOLERANCE_TYPES = (
    *(entry.type for entry in DEFAULT_TOLERANCES),
    *("float8e8m0", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("int4", "uint4", "int2", "uint2"),
)
"""The element types that a tolerance can be given for: all numbers."""


def default_tolerance(type_name: str) -> Tolerance:
    """Return the tolerance for an element type when none is given."""
    return next(
        (entry for entry in DEFAULT_TOLERANCES if entry.type == type_name),
        Tolerance(type=type_name, absolute=0.0, relative=0.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """Whether and how outputs are compared."""

    enabled: bool = True
    tolerances: tuple[Tolerance, ...] = ()
    """Those other than `DEFAULT_TOLERANCES`, one a type."""

    def __post_init__(self) -> None:
        types = [entry.type for entry in self.tolerances]
        if len(types) != len(set(types)):
            raise ValueError("a type has two tolerances")

    def tolerance(self, type_name: str) -> Tolerance:
        """Return the tolerance for an element type."""
        own = (entry for entry in self.tolerances if entry.type == type_name)
        return next(own, default_tolerance(type_name))

    def with_tolerances(self, tolerances: Iterable[Tolerance]) -> CheckSettings:
        """Return these settings with tolerances in place of those for the same types; defaults are not kept."""
        found = {entry.type: entry for entry in (*self.tolerances, *tolerances)}
        changed = tuple(entry for entry in found.values() if entry != default_tolerance(entry.type))
        return replace(self, tolerances=changed)


class Agreement(Enum):
    """How an output, or all of them, compares with the reference."""

    IDENTICAL = "identical to the CPU's"
    WITHIN = "within tolerance"
    DIFFERENT = "different from the CPU's"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDifference:
    """One output against its reference; see the head of this module for the terms. None where a term has no meaning."""

    name: str
    type: str
    """The model's, as in `tensor(float)`."""
    shape: tuple[int, ...] | None = None
    agreement: Agreement
    element_count: int = 0
    mismatches: int = 0
    """Elements beyond the tolerance."""
    max_absolute: float | None = None
    max_relative: float | None = None
    cosine: float | None = None
    snr_db: float | None = None
    """None also when there is no noise at all."""
    top1_agreement: float | None = None
    """From 0 to 1; only of outputs that look like scores of classes."""
    nan_count: int = 0
    inf_count: int = 0
    reference_nan_count: int = 0
    reference_inf_count: int = 0
    tolerance: Tolerance | None = None
    """The one applied; None for what is compared exactly."""
    note: str = ""
    """Why it could not be compared, or what else is to be known: a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCheck:
    """All outputs of a trial against their references."""

    agreement: Agreement
    """The worst of all outputs."""
    outputs: tuple[OutputDifference, ...] = ()
    note: str = ""
    """Why nothing was compared: a sentence."""
    reference: str = ""
    """What the reference is: a sentence."""


def worst(outputs: tuple[OutputDifference, ...]) -> Agreement:
    """Return the agreement of all outputs together: different when one is, not checked when one could not be."""
    found = {entry.agreement for entry in outputs}
    for agreement in (Agreement.DIFFERENT, Agreement.NOT_CHECKED, Agreement.WITHIN):
        if agreement in found:
            return agreement
    return Agreement.IDENTICAL if found else Agreement.NOT_CHECKED
