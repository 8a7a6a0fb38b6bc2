"""Compares the outputs of a run with a reference; the terms are those of `gui.records.check`.

All is done in float64 and a chunk at a time, so that large outputs need little memory beside their own. Lives on the
worker thread.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from ..records.check import (
    MIN_SNR_DB,
    Agreement,
    CheckSettings,
    OutputCheck,
    OutputDifference,
    Tolerance,
    worst,
)
from .decoding import Doubles, as_doubles
from .elements import ELEMENTS, Array, Element, element_name, element_of, stored, takes, without_optional
from .nested import compare_nested
from .scaled_sums import ScaledSum, decibels, similarity

_CHUNK: Final = 1 << 16
"""Elements at a time."""
_PLAIN: Final = (np.ndarray, list, dict, str, int, float, type(None))
_MAX_CLASSES: Final = 1_000_000
_MAX_CLASS_RANK: Final = 3


class ComparisonStoppedError(Exception):
    """It was asked to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Stands for an output that the binding cannot read."""

    reason: str
    """A sentence."""


def compare_outputs(
    names: Sequence[str],
    types: Sequence[str],
    outputs: Sequence[Any],
    references: Sequence[Any],
    settings: CheckSettings,
    is_stopped: Callable[[], bool] = lambda: False,
) -> OutputCheck:
    """Return how outputs compare with their references, both as `outputs.numpy_of` gives them.

    `types` are the model's. Raises `ComparisonStoppedError` soon after `is_stopped` has become true.
    """
    if not names:
        return OutputCheck(agreement=Agreement.NOT_CHECKED, note="The model has no outputs.")
    with np.errstate(all="ignore"):
        found = tuple(
            _compared(name, kind, output, reference, settings, is_stopped)
            for name, kind, output, reference in zip(names, types, outputs, references, strict=True)
        )
    return OutputCheck(agreement=worst(found), outputs=found)


def _compared(
    name: str, kind: str, output: Any, reference: Any, settings: CheckSettings, is_stopped: Callable[[], bool]
) -> OutputDifference:
    different = OutputDifference(name=name, type=kind, agreement=Agreement.DIFFERENT)
    for value in (output, reference):
        if isinstance(value, Unreadable):
            return replace(different, agreement=Agreement.NOT_CHECKED, note=value.reason)
    if isinstance(output, np.ndarray):
        different = replace(different, shape=tuple(output.shape), element_count=output.size)
    if (output is None) != (reference is None):
        return replace(
            different, note="It is empty, the CPU's is not." if output is None else "It is not empty, the CPU's is."
        )
    if not (isinstance(output, np.ndarray) and isinstance(reference, np.ndarray)):
        if not all(isinstance(value, _PLAIN) for value in (output, reference)):
            return replace(different, agreement=Agreement.NOT_CHECKED, note=f"A {kind} cannot be compared.")
        return compare_nested(different, output, reference)
    element = _element(kind, output, reference)
    if element is None or element.is_text:
        return _compared_objects(different, output, reference, is_stopped)
    for whose, value in (("It", output), ("The CPU's", reference)):
        if not takes(element, value.dtype):
            return replace(different, note=f"{whose} holds {element_name(value.dtype)}, not {element.name}.")
    ours, theirs = stored(element, output), stored(element, reference)
    pair = _Pair(element=element, ours=ours, theirs=theirs, is_stopped=is_stopped)
    given = settings.tolerance(element.name)
    tolerance = given if given.absolute or given.relative else None
    different = replace(different, tolerance=tolerance)
    if output.shape != reference.shape:
        return replace(_with_counts(different, pair), note=_shapes(output, reference))
    return _compared_floats(different, pair) if element.is_float else _compared_integers(different, pair)


def _element(kind: str, output: Array, reference: Array) -> Element | None:
    """Return the element type by the model, else by the arrays when they are of one."""
    found = element_of(without_optional(kind))
    if found is None and output.dtype == reference.dtype:
        return ELEMENTS.get(element_name(output.dtype))
    return found


def _shapes(output: Array, reference: Array) -> str:
    return f"Its shape is {list(output.shape)}, the CPU's is {list(reference.shape)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """An output and its reference, in the storage of their element."""

    element: Element
    ours: Array
    theirs: Array
    is_stopped: Callable[[], bool]

    def chunks(self) -> Iterator[tuple[Array, Array]]:
        """Give both a chunk at a time."""
        ours, theirs = self.ours.reshape(-1), self.theirs.reshape(-1)
        yield from self._pieces(ours, theirs, _CHUNK)

    def rows(self) -> Iterator[tuple[Doubles, Doubles]]:
        """Give both as rows along the last axis, a chunk of whole rows at a time."""
        length = self.ours.shape[-1]
        whole = self.ours.reshape(-1, length), self.theirs.reshape(-1, length)
        for ours, theirs in self._pieces(*whole, max(1, _CHUNK // length)):
            yield as_doubles(self.element, ours), as_doubles(self.element, theirs)

    def _pieces(self, ours: Array, theirs: Array, step: int) -> Iterator[tuple[Array, Array]]:
        for begin in range(0, len(ours), step):
            _heed(self.is_stopped)
            yield ours[begin : begin + step], theirs[begin : begin + step]


def _heed(is_stopped: Callable[[], bool]) -> None:
    if is_stopped():
        raise ComparisonStoppedError


# ---- Floats ----


@dataclass(slots=True)
class _NonFinite:
    """How many are no finite numbers."""

    nan: int = 0
    inf: int = 0

    def add(self, values: Doubles) -> None:
        self.nan += int(np.count_nonzero(np.isnan(values)))
        self.inf += int(np.count_nonzero(np.isinf(values)))


@dataclass(slots=True)
class _Seen:
    """What was found in the chunks so far."""

    of_ours: _NonFinite = field(default_factory=_NonFinite)
    of_theirs: _NonFinite = field(default_factory=_NonFinite)
    differing: int = 0
    mismatches: int = 0
    max_absolute: float = 0.0
    max_relative: float | None = None
    compared: bool = False
    """Whether an element is finite in both."""
    ours: ScaledSum = field(default_factory=ScaledSum)
    theirs: ScaledSum = field(default_factory=ScaledSum)
    noise: ScaledSum = field(default_factory=ScaledSum)
    both: ScaledSum = field(default_factory=ScaledSum)


def _compared_floats(different: OutputDifference, pair: _Pair) -> OutputDifference:
    tolerance = different.tolerance or Tolerance(type=pair.element.name, absolute=0.0, relative=0.0)
    seen = _Seen()
    for ours, theirs in pair.chunks():
        _look(seen, as_doubles(pair.element, ours), as_doubles(pair.element, theirs), tolerance)
    snr_db = decibels(seen.theirs, seen.noise)
    agreement, note = Agreement.IDENTICAL, ""
    if seen.mismatches:
        agreement = Agreement.DIFFERENT
    elif seen.differing and snr_db is not None and snr_db < MIN_SNR_DB:
        agreement = Agreement.DIFFERENT
        note = "Each element is within the tolerance, but the noise is more than a tenth of the signal."
    elif seen.differing:
        agreement = Agreement.WITHIN
    elif not pair.ours.size:
        note = "It has no elements."
    elif not seen.compared:
        agreement, note = Agreement.NOT_CHECKED, "No element is a finite number, so there is nothing to compare."
    elif seen.max_relative is None:
        note = "All elements are zero."
    return replace(
        _counted(different, seen.of_ours, seen.of_theirs),
        agreement=agreement,
        mismatches=seen.mismatches,
        max_absolute=seen.max_absolute if seen.compared else None,
        max_relative=seen.max_relative,
        cosine=similarity(seen.both, seen.ours, seen.theirs),
        snr_db=snr_db,
        top1_agreement=_top1(pair),
        note=note,
    )


def _look(seen: _Seen, ours: Doubles, theirs: Doubles, tolerance: Tolerance) -> None:
    """Take a chunk of both into account."""
    equal = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    finite = np.isfinite(ours) & np.isfinite(theirs)
    seen.differing += equal.size - int(np.count_nonzero(equal))
    if not finite.all():
        seen.of_ours.add(ours)
        seen.of_theirs.add(theirs)
        seen.mismatches += int(np.count_nonzero(~equal & ~finite))
        ours, theirs = ours[finite], theirs[finite]
    if not ours.size:
        return
    seen.compared = True
    apart = np.abs(ours - theirs)
    size = np.abs(theirs)
    seen.mismatches += int(np.count_nonzero(apart > tolerance.absolute + tolerance.relative * size))
    seen.max_absolute = max(seen.max_absolute, _bounded(apart.max()))
    seen.ours.add_squares(ours)
    seen.theirs.add_squares(theirs)
    seen.both.add_products(ours, theirs)
    is_halved = bool(np.isinf(apart.max()))
    if is_halved:  # two large doubles of opposite signs; their halves are not so far apart
        apart, size = np.abs(ours / 2 - theirs / 2), size / 2
    seen.noise.add_squares(apart, halved=is_halved)
    nonzero = size > 0
    if nonzero.any():
        largest = _bounded((apart[nonzero] / size[nonzero]).max())
        seen.max_relative = max(seen.max_relative or 0.0, largest)


def _bounded(value: Any) -> float:
    """Return a number that a file can hold: what is beyond float64 is its largest."""
    return min(float(value), sys.float_info.max)


def _top1(pair: _Pair) -> float | None:
    """Return the share of rows whose largest element is the same one; None for what does not look like classes."""
    shape = pair.ours.shape
    if not 1 <= len(shape) <= _MAX_CLASS_RANK or not 2 <= shape[-1] <= _MAX_CLASSES or not pair.ours.size:
        return None
    same, count = 0, 0
    for ours, theirs in pair.rows():
        best, wanted = ours.argmax(axis=1), theirs.argmax(axis=1)  # the first NaN, where there is one
        numbers = np.arange(len(ours))
        nan_ours, nan_theirs = np.isnan(ours[numbers, best]), np.isnan(theirs[numbers, wanted])
        alike = theirs[numbers, best] == theirs[numbers, wanted]  # of several as large any will do
        same += int(np.count_nonzero(np.where(nan_ours | nan_theirs, nan_ours & nan_theirs & (best == wanted), alike)))
        count += len(ours)
    return same / count


def _with_counts(different: OutputDifference, pair: _Pair) -> OutputDifference:
    """Return the record with the NaN and infinities of both, which differ in shape."""
    if not pair.element.is_float:
        return different
    counts = [_NonFinite(), _NonFinite()]
    for array, count in zip((pair.ours, pair.theirs), counts, strict=True):
        flat = array.reshape(-1)
        for begin in range(0, flat.size, _CHUNK):
            _heed(pair.is_stopped)
            count.add(as_doubles(pair.element, flat[begin : begin + _CHUNK]))
    return _counted(different, *counts)


def _counted(different: OutputDifference, ours: _NonFinite, theirs: _NonFinite) -> OutputDifference:
    return replace(
        different,
        nan_count=ours.nan,
        inf_count=ours.inf,
        reference_nan_count=theirs.nan,
        reference_inf_count=theirs.inf,
    )


# ---- Whole numbers and all else ----


def _compared_integers(different: OutputDifference, pair: _Pair) -> OutputDifference:
    """Whole numbers and bool."""
    tolerance = different.tolerance
    differing, mismatches, largest = 0, 0, 0
    for ours, theirs in pair.chunks():
        unequal = ours != theirs
        found = int(np.count_nonzero(unequal))
        differing += found
        if not found or not pair.element.is_integer:
            mismatches += found
            continue
        apart = _distances(ours[unequal], theirs[unequal])
        largest = max(largest, int(apart.max()))
        if tolerance is None:
            mismatches += found
        else:
            allowed = tolerance.absolute + tolerance.relative * np.abs(theirs[unequal].astype(np.float64))
            mismatches += int(np.count_nonzero(apart.astype(np.float64) > allowed))
    agreement = Agreement.IDENTICAL
    if differing:
        agreement = Agreement.DIFFERENT if mismatches else Agreement.WITHIN
    is_measured = pair.element.is_integer and bool(pair.ours.size)
    return replace(
        different,
        agreement=agreement,
        mismatches=mismatches,
        max_absolute=float(largest) if is_measured else None,
        tolerance=tolerance if pair.element.is_integer else None,
    )


def _distances(ours: Array, theirs: Array) -> Array:
    """Return |a - b| of whole numbers as uint64, which holds the distance of any two of 64 bits."""
    high, low = np.maximum(ours, theirs), np.minimum(ours, theirs)
    return high.astype(np.uint64) - low.astype(np.uint64)  # wraps around, and back


def _compared_objects(
    different: OutputDifference, output: Array, reference: Array, is_stopped: Callable[[], bool]
) -> OutputDifference:
    """Texts, and what is no element of ours."""
    if output.shape != reference.shape:
        return replace(different, note=_shapes(output, reference))
    ours, theirs = output.reshape(-1), reference.reshape(-1)
    mismatches = 0
    for begin in range(0, ours.size, _CHUNK):
        _heed(is_stopped)
        pieces = zip(ours[begin : begin + _CHUNK].tolist(), theirs[begin : begin + _CHUNK].tolist(), strict=True)
        mismatches += sum(not _is_same(mine, other) for mine, other in pieces)
    agreement = Agreement.DIFFERENT if mismatches else Agreement.IDENTICAL
    return replace(different, agreement=agreement, mismatches=mismatches)


def _is_same(mine: Any, other: Any) -> bool:
    return bool(mine == other) or (
        isinstance(mine, float) and isinstance(other, float) and math.isnan(mine) and math.isnan(other)
    )
