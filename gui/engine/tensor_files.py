"""Reads and writes `.pb` files as ONNX test data sets have them: tensors, sequences, maps, optionals.

The messages of protobuf do not say what they are, and one may be read as another without an error. So the numbers of
the fields are looked at before a file is taken for what an input needs.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NoReturn

import numpy as np

from ..records.failure import FailureError, FailureKind, failure_error
from ..records.model import TensorInfo
from .elements import ELEMENTS, Array, Element, element_of, packed, unpacked, without_optional

MAX_MESSAGE_BYTES: Final = (1 << 31) - 1
"""protobuf's own limit."""

_BY_NUMBER: Final = {element.onnx_number: element for element in ELEMENTS.values()}
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5
_HOLDER_FIELDS: Final = frozenset({(1, _COUNTED), (2, _VARINT)} | {(number, _COUNTED) for number in range(3, 8)})
_FIELDS: Final = {
    "MapProto": frozenset({(1, _COUNTED), (2, _VARINT), (3, _VARINT), (3, _COUNTED), (4, _COUNTED), (5, _COUNTED)}),
    "SequenceProto": _HOLDER_FIELDS,
    "OptionalProto": _HOLDER_FIELDS,
}
"""Field numbers and how they are written, by message."""


def read_tensor_file(tensor: TensorInfo, path: str) -> Any:
    """Return what a `.pb` file holds for an input.

    A tensor is an array in its element's storage, a sequence a list, a map a dict, an empty optional None; an optional
    may also be given as what it holds. Raises `FailureError` for a file that cannot be used, or is of another type.
    """
    data = _bytes_of(path)
    reader = _Reader(_onnx(path), tensor.name, Path(path).name)
    try:
        return reader.value(tensor.type, data)
    except (ValueError, TypeError) as error:
        _tell_damaged(tensor, path, error)
    except Exception as error:
        if type(error).__name__ != "DecodeError":  # of protobuf, which this module does not import
            raise
        _tell_damaged(tensor, path, error)


def tensor_file_shape(tensor: TensorInfo, path: str) -> tuple[int, ...] | None:
    """Return the shape of the tensor in a `.pb` file, without reading its values; None where it is none."""
    if element_of(without_optional(tensor.type)) is None:
        return None
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            return _dims(file, 0, size, is_optional=tensor.type.startswith("optional("))
    except OSError as error:
        _tell_unreadable(path, error)
    except ValueError as error:
        _tell_damaged(tensor, path, error)


def write_tensor_file(path: Path, name: str, value: Any, type_text: str) -> None:
    """Write a value of a type as ORT spells it: an array in its element's storage, a list, a dict or None.

    Raises `OSError`, `ImportError` without the package onnx, and `ValueError` for what such a file cannot hold.
    """
    import onnx

    path.write_bytes(_message_of(onnx, name, value, type_text).SerializeToString())


# ---- Reading ----


class _Reader:
    """Reads the messages of one file. Raises `ValueError` or protobuf's `DecodeError` for what is no such message."""

    def __init__(self, onnx: Any, input_name: str, file_name: str) -> None:
        self._onnx = onnx
        self._input = input_name
        self._file = file_name

    def value(self, type_text: str, data: bytes) -> Any:
        """Return what a file of this content holds for an input of this type."""
        if type_text.startswith("optional("):
            found = self._of_optional(type_text, data)
            return self.value(without_optional(type_text), data) if found is _NOT_OPTIONAL else found
        if type_text.startswith("seq("):
            return self._of_sequence(type_text, self._parsed("SequenceProto", data))
        if type_text.startswith("map("):
            return self._of_map(type_text, self._parsed("MapProto", data))
        return self._of_tensor(type_text, self._onnx.TensorProto.FromString(data))

    def _parsed(self, kind: str, data: bytes) -> Any:
        if not _is_message(kind, data):
            raise ValueError(f"the file holds no {kind}")
        return getattr(self._onnx, kind).FromString(data)

    def _of_optional(self, type_text: str, data: bytes) -> Any:
        if not _is_message("OptionalProto", data):
            return _NOT_OPTIONAL
        try:
            optional = self._onnx.OptionalProto.FromString(data)
        except Exception as error:
            if type(error).__name__ == "DecodeError":
                return _NOT_OPTIONAL
            raise
        inner = without_optional(type_text)
        if inner.startswith("seq(") and optional.elem_type not in (0, self._onnx.OptionalProto.SEQUENCE):
            return _NOT_OPTIONAL  # on the wire, a sequence of tensors looks the same as an optional tensor
        if optional.HasField("tensor_value"):
            return self._of_tensor(inner, optional.tensor_value)
        if optional.HasField("sequence_value"):
            return self._of_sequence(inner, optional.sequence_value)
        if optional.HasField("map_value"):
            return self._of_map(inner, optional.map_value)
        if optional.HasField("sparse_tensor_value") or optional.HasField("optional_value"):
            self._tell_wrong_type(type_text, "an optional of something else")
        return None

    def _of_sequence(self, type_text: str, sequence: Any) -> list[Any]:
        if not type_text.startswith("seq("):
            self._tell_wrong_type(type_text, "a sequence")
        within = type_text[len("seq(") : -1]
        is_of_maps = within.startswith("map(")
        kinds = self._onnx.SequenceProto
        if sequence.elem_type not in (0, kinds.MAP if is_of_maps else kinds.TENSOR):
            self._tell_wrong_type(type_text, "a sequence of something else")
        if is_of_maps:
            return [self._of_map(within, entry) for entry in sequence.map_values]
        return [self._of_tensor(within, entry) for entry in sequence.tensor_values]

    def _of_map(self, type_text: str, entries: Any) -> dict[Any, Any]:
        if not type_text.startswith("map("):
            self._tell_wrong_type(type_text, "a map")
        key_type, _, within = type_text[len("map(") : -1].partition(",")
        keys: list[Any] = list(getattr(entries, "keys"))  # noqa: B009 a field that is named as a method
        if key_type == "string":
            keys = [key.decode("utf-8") for key in entries.string_keys]
        values = self._of_sequence(f"seq({within.strip()})", entries.values)
        if len(keys) != len(values):
            self._tell_wrong_type(type_text, f"{len(keys)} keys of type {key_type} for {len(values)} values")
        return {
            key: value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
            for key, value in zip(keys, values, strict=True)
        }

    def _of_tensor(self, type_text: str, tensor: Any) -> Array:
        element = element_of(type_text)
        if tensor.data_type == 0 or tensor.HasField("segment"):
            raise ValueError("the file holds no tensor")
        found = _BY_NUMBER.get(tensor.data_type)
        if element is None or found is not element:
            kinds = self._onnx.TensorProto.DataType
            is_known = tensor.data_type in kinds.values()
            name = kinds.Name(tensor.data_type).lower() if is_known else f"type {tensor.data_type}"
            self._tell_wrong_type(type_text, found.name if found is not None else name)
        if tensor.external_data or tensor.data_location == self._onnx.TensorProto.EXTERNAL:
            message = f"{self._file} keeps its values in another file."
            raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint="Save the values in the file itself.")
        shape = tuple(tensor.dims)
        if any(size < 0 for size in shape):
            raise ValueError(f"the shape is {list(shape)}")
        if element.is_bits or element.is_packed:
            return _bits(element, tensor, shape)
        if element.is_text:
            texts = np.empty(len(tensor.string_data), object)
            texts[:] = [bytes(text).decode("utf-8") for text in tensor.string_data]
            return texts.reshape(shape)
        array: Array = np.asarray(self._onnx.numpy_helper.to_array(tensor))
        return array

    def _tell_wrong_type(self, expected: str, found: str) -> NoReturn:
        element = element_of(expected)
        raise failure_error(
            FailureKind.BAD_INPUT,
            f"{self._input} expects {expected if element is None else element.name}, {self._file} holds {found}.",
            hint="Choose another file, or save it as that type.",
        )


_NOT_OPTIONAL: Final = object()


def _bits(element: Element, tensor: Any, shape: tuple[int, ...]) -> Array:
    count = math.prod(shape)
    raw = bytes(tensor.raw_data)
    if element.is_packed:
        data = raw or np.asarray(tensor.int32_data, np.int32).astype(np.uint8).tobytes()
        return unpacked(element, data, count).reshape(shape)
    if raw:
        little = np.dtype(element.storage).newbyteorder("<")
        return np.frombuffer(raw, little).astype(element.storage).reshape(shape)
    return np.asarray(tensor.int32_data, np.int32).astype(element.storage).reshape(shape)


def _onnx(path: str) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise failure_error(
            FailureKind.BAD_INPUT_FILE,
            f"{Path(path).name} needs the package onnx to be read, which the engine's Python lacks.",
            hint="Install it: python -m pip install onnx. Or save the values as .npy.",
        ) from error
    return onnx


def _bytes_of(path: str) -> bytes:
    try:
        if Path(path).stat().st_size > MAX_MESSAGE_BYTES:
            message = f"{Path(path).name} is larger than the 2 GiB that a .pb file can hold."
            raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint="Save the values as .npy.")
        return Path(path).read_bytes()
    except OSError as error:
        _tell_unreadable(path, error)


# ---- The wire format ----


def _is_message(kind: str, data: bytes) -> bool:
    """Whether the fields are those of such a message, and of a sequence or an optional also the values it speaks of."""
    try:
        found = list(_fields(io.BytesIO(data), 0, len(data)))
    except ValueError:
        return False
    if not {(number, wire) for number, wire, _ in found} <= _FIELDS[kind]:
        return False
    if kind == "MapProto":
        return True
    types = [value for number, _, value in found if number == 2]
    values = {number for number, _, _ in found if number > 2}
    element_type = types[-1] if types else 0
    return values <= {element_type + 2} if element_type else not values


def _fields(file: IO[bytes], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, wire type and value of each field; for one of so many bytes it is their count, and they follow.

    The place in the file may be changed by whoever takes them. Raises `ValueError` for what is no message.
    """
    place = start
    while place < end:
        file.seek(place)
        key = _varint(file)
        number, wire = key >> 3, key & 7
        if wire in (_VARINT, _COUNTED):
            value = _varint(file)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            value = 0
        else:
            raise ValueError(f"no such wire type: {wire}")
        place = file.tell() + {_COUNTED: value, _EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire, 0)
        if not number or place > end:
            raise ValueError("a field reaches beyond the end")
        yield number, wire, value


def _varint(file: IO[bytes]) -> int:
    result = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("the file ends within a number")
        result |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return result
    raise ValueError("a number is longer than 64 bits")


def _dims(file: IO[bytes], start: int, end: int, *, is_optional: bool) -> tuple[int, ...] | None:
    """Return the dimensions of the tensor within these bytes; None when there is none."""
    dims: list[int] = []
    seen: list[tuple[int, int]] = []
    within: tuple[int, int] | None = None
    for number, wire, value in _fields(file, start, end):
        if number > 3 and seen and seen[-1][0] == 2 and not is_optional:
            break  # the values: writers put the fields in the order of their numbers
        seen.append((number, wire))
        if number == 1 and wire == _VARINT:
            dims.append(value)
        elif number == 1 and wire == _COUNTED and not is_optional:
            until = file.tell() + value
            while file.tell() < until:
                dims.append(_varint(file))
        elif number == 3 and wire == _COUNTED:
            within = (file.tell(), file.tell() + value)
    if is_optional and set(seen) <= _HOLDER_FIELDS and (within is not None or len(seen) <= 2):
        return None if within is None else _dims(file, *within, is_optional=False)
    if any(size >= 1 << 63 for size in dims):
        raise ValueError("a dimension is negative")
    return tuple(dims)


# ---- Writing ----


def _message_of(onnx: Any, name: str, value: Any, type_text: str) -> Any:
    if type_text.startswith("optional("):
        return _optional_message(onnx, name, value, without_optional(type_text))
    if type_text.startswith("seq("):
        within = type_text[len("seq(") : -1]
        is_map = within.startswith("map(")
        kinds = onnx.SequenceProto
        sequence = onnx.SequenceProto(name=name, elem_type=kinds.MAP if is_map else kinds.TENSOR)
        field = sequence.map_values if is_map else sequence.tensor_values
        field.extend(_message_of(onnx, "", entry, within) for entry in value)
        return sequence
    if type_text.startswith("map("):
        return _map_message(onnx, name, value, type_text)
    element = element_of(type_text)
    if element is None:
        raise ValueError(f"{type_text} cannot be written")
    return _tensor_message(onnx, name, np.asarray(value), element)


def _optional_message(onnx: Any, name: str, value: Any, inner: str) -> Any:
    kinds = onnx.OptionalProto
    is_sequence = inner.startswith("seq(")
    optional = onnx.OptionalProto(name=name, elem_type=kinds.SEQUENCE if is_sequence else kinds.TENSOR)
    if value is not None:
        held = optional.sequence_value if is_sequence else optional.tensor_value
        held.CopyFrom(_message_of(onnx, "", value, inner))
    return optional


def _map_message(onnx: Any, name: str, value: dict[Any, Any], type_text: str) -> Any:
    key_type, _, within = type_text[len("map(") : -1].partition(",")
    message = onnx.MapProto(name=name)
    if key_type == "string":
        message.key_type = onnx.TensorProto.STRING
        message.string_keys.extend(str(key).encode("utf-8") for key in value)
    else:
        message.key_type = onnx.TensorProto.INT64
        getattr(message, "keys").extend(int(key) for key in value)  # noqa: B009 a field that is named as a method
    message.values.CopyFrom(_message_of(onnx, "", list(value.values()), f"seq({within.strip()})"))
    return message


def _tensor_message(onnx: Any, name: str, array: Array, element: Element) -> Any:
    tensor = onnx.TensorProto(name=name, data_type=element.onnx_number, dims=array.shape)
    if element.is_text:
        tensor.string_data.extend(str(text).encode("utf-8") for text in array.ravel().tolist())
        return tensor
    if element.size_bytes(array.size) > MAX_MESSAGE_BYTES - (1 << 16):
        raise ValueError("it is larger than the 2 GiB that a .pb file can hold")
    little = np.dtype(element.storage).newbyteorder("<")
    tensor.raw_data = packed(element, array) if element.is_packed else array.astype(little, copy=False).tobytes()
    return tensor


# ---- Failures ----


def _tell_unreadable(path: str, error: OSError) -> NoReturn:
    raise failure_error(
        FailureKind.BAD_INPUT_FILE,
        f"{Path(path).name} cannot be read: {error.strerror or error}.",
        hint="Check that you may read the file.",
    ) from error


def _tell_damaged(tensor: TensorInfo, path: str, error: Exception) -> NoReturn:
    if isinstance(error, FailureError):
        raise error
    raise failure_error(
        FailureKind.BAD_INPUT_FILE,
        f"{Path(path).name} is damaged, or no {tensor.type} as {tensor.name} needs it.",
        hint="Choose a .pb file as ONNX test data sets have them.",
        detail=str(error),
    ) from error
