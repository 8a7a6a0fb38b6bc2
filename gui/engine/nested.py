"""Compares sequences and maps, entry by entry and exactly."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ..records.check import Agreement, OutputDifference
from .elements import Array

_CHUNK: Final = 1 << 16
"""Elements at a time: where they differ, each becomes a Python number."""
_CONTAINERS: Final = (np.ndarray, dict, list)


@dataclass(slots=True)
class _Tally:
    """What was found in the entries so far."""

    mismatches: int = 0
    max_absolute: float | None = None
    note: str = ""

    def say(self, note: str) -> None:
        """Keep the first remark."""
        self.note = self.note or note


def compare_nested(different: OutputDifference, output: Any, reference: Any) -> OutputDifference:
    """Return how a sequence, a map or nothing compares with its reference; `different` holds name and type."""
    tally = _Tally()
    _compare(tally, output, reference)
    is_same = not tally.mismatches and not tally.note
    return replace(
        different,
        agreement=Agreement.IDENTICAL if is_same else Agreement.DIFFERENT,
        element_count=_count(output),
        mismatches=tally.mismatches,
        max_absolute=tally.max_absolute,
        note=tally.note or ("" if is_same else "Sequences and maps are compared exactly."),
    )


def _compare(tally: _Tally, output: Any, reference: Any) -> None:
    if isinstance(output, np.ndarray) and isinstance(reference, np.ndarray):
        _compare_arrays(tally, output, reference)
    elif isinstance(output, dict) and isinstance(reference, dict):
        if output.keys() != reference.keys():
            tally.say("It has other keys than the CPU's.")
        for key, other in reference.items():
            if key in output:
                _compare(tally, output[key], other)
    elif isinstance(output, list) and isinstance(reference, list):
        if len(output) != len(reference):
            tally.say(f"It has {len(output)} entries, the CPU's has {len(reference)}.")
        for mine, other in zip(output, reference, strict=False):
            _compare(tally, mine, other)
    elif isinstance(output, _CONTAINERS) or isinstance(reference, _CONTAINERS):
        tally.say(f"It holds a {type(output).__name__} where the CPU's holds a {type(reference).__name__}.")
    else:
        _compare_values(tally, output, reference)


def _compare_arrays(tally: _Tally, output: Array, reference: Array) -> None:
    if output.shape != reference.shape:
        tally.say(f"A tensor in it has the shape {list(output.shape)}, the CPU's has {list(reference.shape)}.")
        return
    ours, theirs = output.reshape(-1), reference.reshape(-1)
    is_plain = ours.dtype == theirs.dtype and ours.dtype.kind in "fiu"
    for begin in range(0, ours.size, _CHUNK):
        mine, other = ours[begin : begin + _CHUNK], theirs[begin : begin + _CHUNK]
        if is_plain and not ((mine != other) & ~((mine != mine) & (other != other))).any():  # noqa: PLR0124 NaN
            if np.isfinite(mine).any():
                tally.max_absolute = tally.max_absolute or 0.0
            continue
        for one, two in zip(mine.tolist(), other.tolist(), strict=True):
            _compare_values(tally, one, two)


def _compare_values(tally: _Tally, mine: Any, other: Any) -> None:
    numbers = _is_number(mine) and _is_number(other)
    if numbers and math.isnan(mine) and math.isnan(other):
        return
    tally.mismatches += bool(mine != other)
    if numbers and math.isfinite(mine) and math.isfinite(other):
        apart = min(abs(float(mine - other)), sys.float_info.max)
        tally.max_absolute = max(tally.max_absolute or 0.0, apart)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: Any) -> int:
    """Return how many plain values there are in a sequence, a map or a tensor."""
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, dict | list):
        return sum(map(_count, value.values() if isinstance(value, dict) else value))
    return 0 if value is None else 1
