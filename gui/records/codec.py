"""The JSON form of records, driven by their annotations.

Dataclasses become objects, enums their values, tuples arrays, a `StringMap` an object of strings.
Both directions read the annotations, so a record and its JSON form cannot drift apart.
"""

from __future__ import annotations

import functools
import types
import typing
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

StringMap = tuple[tuple[str, str], ...]
"""An immutable mapping of strings, in the order it was given; in JSON an object."""

_T = TypeVar("_T")


class DecodeError(ValueError):
    """JSON that is not the form of the record it should be; the text says where."""


def string_map(mapping: typing.Mapping[Any, Any]) -> StringMap:
    """Return `mapping` as a `StringMap`, keys and values as text."""
    return tuple((str(key), str(value)) for key, value in mapping.items())


def to_json(record: Any) -> dict[str, Any]:
    """Return the JSON object of a record (a dataclass instance)."""
    record_type: Any = type(record)
    return {name: _encode(kind, getattr(record, name)) for name, kind in _fields_of(record_type).items()}


def from_json(record_type: type[_T], data: Any) -> _T:
    """Return the record of `record_type` that `data` describes.

    Unknown keys are passed over, so that a newer peer can say more. Raises `DecodeError` for a missing key without a
    default or a value of the wrong kind.
    """
    result: _T = _decode(record_type, data, record_type.__name__)
    return result


@functools.cache
def _fields_of(record_type: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(record_type)
    return {field.name: hints[field.name] for field in fields(record_type)}


def _encode(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if kind == StringMap:
        return dict(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return to_json(value)
    if isinstance(value, tuple):
        item = typing.get_args(_without_none(kind))[0]
        if item is str:  # there may be tens of thousands: the names of a model's nodes
            return list(value)
        return [_encode(item, entry) for entry in value]
    return value


def _decode(kind: Any, data: Any, where: str) -> Any:
    if kind == StringMap:
        if not isinstance(data, dict):
            raise DecodeError(f"{where}: expected an object, got {data!r}")
        return string_map(data)
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(kind, data, where)
    if origin is tuple:
        if not isinstance(data, list):
            raise DecodeError(f"{where}: expected an array, got {data!r}")
        item = typing.get_args(kind)[0]
        if item is str and all(type(entry) is str for entry in data):
            return tuple(data)
        return tuple(_decode(item, entry, f"{where}[{index}]") for index, entry in enumerate(data))
    if is_dataclass(kind):
        return _decode_record(kind, data, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(data)
        except ValueError as error:
            raise DecodeError(f"{where}: {error}") from error
    return _decode_plain(kind, data, where)


def _decode_record(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise DecodeError(f"{where}: expected an object, got {data!r}")
    known = _fields_of(kind)
    values = {name: _decode(known[name], data[name], f"{where}.{name}") for name in known if name in data}
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise DecodeError(f"{where}: {error}") from error


def _decode_union(kind: Any, data: Any, where: str) -> Any:
    choices = typing.get_args(kind)
    if data is None and type(None) in choices:
        return None
    last: DecodeError | None = None
    for choice in choices:
        if choice is type(None):
            continue
        try:
            return _decode(choice, data, where)
        except DecodeError as error:
            last = error
    raise last or DecodeError(f"{where}: unexpected null")


def _decode_plain(kind: Any, data: Any, where: str) -> Any:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        try:
            return float(data)
        except OverflowError as error:
            raise DecodeError(f"{where}: {error}") from error
    if kind is Any or (isinstance(data, kind) and not (kind is int and isinstance(data, bool))):
        return data
    raise DecodeError(f"{where}: expected {kind.__name__}, got {data!r}")


def _without_none(kind: Any) -> Any:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(choice for choice in typing.get_args(kind) if choice is not type(None))
    return kind
