"""How the values of arguments are read. Each function is a `type` of argparse: it refuses what it cannot read."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from .records.check import TOLERANCE_TYPES, Tolerance
from .records.export_kinds import ENDINGS, export_kind
from .records.inputs import ARRAY_SUFFIXES, IMAGE_SUFFIXES, MAX_LENGTH, Fill, InputSource, Number, SourceKind
from .records.trial import MAX_SECONDS

_MAX_SIZE: Final = 2**31 - 1
FILLS: Final = "automatic, zeros, ones, uniform:LOW:HIGH, normal:MEAN:DEVIATION, integers:LOW:HIGH, constant:VALUE"
_ALL_FILLS: Final = f"{FILLS}, values:V,V,…, omitted"


def pair(text: str) -> tuple[str, str]:
    """Read `NAME=VALUE`."""
    name, separator, value = text.partition("=")
    if not separator or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"“{text}” is not of the form NAME=VALUE")
    return name.strip(), value.strip()


def sizes(text: str) -> tuple[str, tuple[int, ...]]:
    """Read `NAME=SIZE` or `NAME=SIZE,SIZE,…`; a size that comes twice counts once."""
    name, value = pair(text)
    read = whole(1, _MAX_SIZE)
    return name, tuple(dict.fromkeys(read(size.strip()) for size in value.split(",")))


def shape(text: str) -> tuple[str, tuple[int, ...]]:
    """Read `NAME=SIZE,SIZE,…`; `NAME=scalar` is the shape without an axis."""
    name, value = pair(text)
    read = whole(0, _MAX_SIZE)
    return name, () if value == "scalar" else tuple(read(size.strip()) for size in value.split(","))


def length(text: str) -> tuple[str, int]:
    """Read `NAME=N`."""
    name, value = pair(text)
    return name, whole(0, MAX_LENGTH)(value)


def tolerance(text: str) -> Tolerance:
    """Read `TYPE=ABSOLUTE:RELATIVE`, or `TYPE=ABSOLUTE` for no relative part."""
    name, value = pair(text)
    if name not in TOLERANCE_TYPES:
        raise argparse.ArgumentTypeError(f"“{name}” is none of the types {', '.join(TOLERANCE_TYPES)}")
    first, separator, second = value.partition(":")
    read = number(0, sys.float_info.max)
    return Tolerance(type=name, absolute=read(first.strip()), relative=read(second.strip()) if separator else 0.0)


def file_source(text: str) -> InputSource:
    """Read `NAME=FILE`, of an `.npz` also `NAME=FILE.npz:ENTRY`."""
    name, value = pair(text)
    entry = ""
    archived = re.fullmatch(r"(.+\.npz):(.+)", value, re.IGNORECASE)
    if archived is not None:
        value, entry = archived.groups()
    ending = value.lower()
    if not ending.endswith(ARRAY_SUFFIXES + IMAGE_SUFFIXES):
        raise argparse.ArgumentTypeError(f"“{value}” is neither {', '.join(ARRAY_SUFFIXES)} nor an image")
    kind = SourceKind.IMAGE if ending.endswith(IMAGE_SUFFIXES) else SourceKind.FILE
    return InputSource(name=name, kind=kind, path=absolute(value), entry=entry)


def fill_source(text: str) -> InputSource:
    """Read `NAME=SPEC`, where SPEC is one of `FILLS`, `values:V,V,…` or `omitted`."""
    name, spec = pair(text)
    word, separator, rest = spec.partition(":")
    try:
        match word, bool(separator):
            case "automatic", False:
                return InputSource(name=name)
            case "omitted", False:
                return InputSource(name=name, kind=SourceKind.OMITTED)
            case "zeros", False:
                return InputSource(name=name, fill=Fill.ZEROS)
            case "ones", False:
                return InputSource(name=name, fill=Fill.ONES)
            case "uniform", True:
                return _between(name, Fill.UNIFORM, rest)
            case "normal", True:
                return _between(name, Fill.NORMAL, rest)
            case "integers", True:
                return _between(name, Fill.INTEGERS, rest)
            case "constant", True:
                return InputSource(name=name, fill=Fill.CONSTANT, value=rest)
            case "values", True:
                return InputSource(name=name, fill=Fill.VALUES, value=rest)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"“{text}”: {error}") from error
    raise argparse.ArgumentTypeError(f"“{spec}” is none of {_ALL_FILLS}")


def _between(name: str, fill: Fill, text: str) -> InputSource:
    low, separator, high = text.partition(":")
    if not separator:
        raise ValueError("two numbers are needed, separated by a colon")
    integers = fill is Fill.INTEGERS
    return InputSource(name=name, fill=fill, low=_number(low, whole=integers), high=_number(high, whole=integers))


def _number(text: str, *, whole: bool) -> Number:
    try:
        return int(text)
    except ValueError:
        if whole:
            raise ValueError(f"“{text}” is not a whole number") from None
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"“{text}” is not a number") from None


class whole:  # noqa: N801 used like a function
    """Reads a whole number in a range."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def __call__(self, text: str) -> int:
        """Read it."""
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not self._low <= value <= self._high:
            raise argparse.ArgumentTypeError(f"“{text}” is not a whole number from {self._low} to {self._high}")
        return value


class number:  # noqa: N801 used like a function
    """Reads a number in a range."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def __call__(self, text: str) -> float:
        """Read it."""
        try:
            value = float(text)
        except ValueError:
            value = self._low - 1
        if not self._low <= value <= self._high:  # also what is not a number
            raise argparse.ArgumentTypeError(f"“{text}” is not a number from {self._low:g} to {self._high:g}")
        return value


def export_file(text: str) -> str:
    """Read the name of a file of which the ending says what it shall hold."""
    if export_kind(text) is None:
        raise argparse.ArgumentTypeError(f"“{text}” ends in none of {ENDINGS}")
    return text


def seconds(text: str) -> float:
    """Read a number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds above 0, up to {MAX_SECONDS:g}")
    return value


def absolute(path: str) -> str:
    """Return a path that stays the same wherever a process is."""
    return str(Path(path).expanduser().absolute())
