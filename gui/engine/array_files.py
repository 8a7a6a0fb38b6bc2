"""Reads `.npy` and `.npz` files, without trusting them: the head first, no pickled objects, no more than there is."""

from __future__ import annotations

import ast
import lzma
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from ..records.failure import FailureError, FailureKind, failure_error
from .elements import Array

_MAGIC: Final = b"\x93NUMPY"
_MAX_HEAD: Final = 1 << 16
_MAX_NAMES: Final = 12
_ERRORS: Final = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # an unknown compression
    RuntimeError,  # an encrypted entry
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayHead:
    """What an array file says of its array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    """In the file's byte order. What `ml_dtypes` wrote is a nameless one of one or two bytes."""
    is_fortran: bool

    @property
    def count(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """The size of its data."""
        return self.count * self.dtype.itemsize


def array_head(path: str, entry: str, name: str) -> ArrayHead:
    """Return the head of an array. Of an `.npz` it is that of `entry`, of the one called `name`, or of the only one.

    Raises `FailureError` when the file cannot be used.
    """
    with _opened(path, entry, name) as (stream, size):
        return _head(stream, size, Path(path).name)


def read_array(path: str, entry: str, name: str) -> Array:
    """Return an array as it lies in the file, in its byte order and of its layout; see `array_head`."""
    with _opened(path, entry, name) as (stream, size):
        head = _head(stream, size, Path(path).name)
        data = np.empty(head.size_bytes, np.uint8)
        view, filled = data.data, 0
        while filled < len(data):
            count = stream.readinto(view[filled : filled + (1 << 24)])  # type: ignore[attr-defined]
            if not count:
                raise EOFError(f"{filled} of {len(data)} bytes are there")
            filled += count
    array: Array = data.view(head.dtype) if head.dtype.itemsize else np.empty(head.count, head.dtype)
    return array.reshape(head.shape, order="F" if head.is_fortran else "C")


@contextmanager
def _opened(path: str, entry: str, name: str) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file, or an entry of an archive, and tell its size. What goes wrong meanwhile becomes a failure."""
    file = Path(path)
    try:
        if file.suffix.lower() != ".npz":
            with file.open("rb") as stream:
                yield stream, file.stat().st_size
            return
        with zipfile.ZipFile(file) as archive:
            info = archive.getinfo(_entry(archive, file.name, entry, name))
            with archive.open(info) as stream:
                yield stream, info.file_size
    except FailureError:
        raise
    except MemoryError as error:
        message = f"{file.name} does not fit into memory."
        raise failure_error(FailureKind.OUT_OF_MEMORY, message, hint="Choose a smaller one.") from error
    except PermissionError as error:
        message = f"{file.name} cannot be read: permission denied."
        hint = "Check that you may read the file."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint=hint, detail=str(error)) from error
    except _ERRORS as error:
        message = f"{file.name} is damaged, or no {file.suffix.lower()} file."
        hint = "Save or copy it again: with numpy.save or numpy.savez."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint=hint, detail=str(error)) from error


def _entry(archive: zipfile.ZipFile, file: str, entry: str, name: str) -> str:
    names = [member.removesuffix(".npy") for member in archive.namelist() if member.endswith(".npy")]
    wanted = entry or (names[0] if len(names) == 1 else name)
    if wanted in names:
        return f"{wanted}.npy"
    there = ", ".join(names[:_MAX_NAMES]) + (", …" if len(names) > _MAX_NAMES else "")
    raise failure_error(
        FailureKind.BAD_INPUT_FILE,
        f"{file} has no array “{wanted}”; there are: {there or 'none'}.",
        hint="Choose one of these." if names else "Choose another file.",
    )


def _head(stream: IO[bytes], size: int, file: str) -> ArrayHead:
    """Read the head. Raises `ValueError` for what is none, and when the data is not all there."""
    start = stream.read(8)
    if not start.startswith(_MAGIC) or len(start) < 8 or start[6] not in (1, 2, 3):
        raise ValueError("the file does not begin as numpy's do")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > _MAX_HEAD:
        raise ValueError(f"the head would take {length} bytes")
    text = stream.read(length).decode("utf-8" if start[6] == 3 else "latin-1")
    try:
        fields = ast.literal_eval(re.sub(r"(\d)L\b", r"\1", text).strip())  # Python 2 wrote 3L
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"the head cannot be read: {text[:100]}") from error
    if not isinstance(fields, dict) or not {"descr", "fortran_order", "shape"} <= fields.keys():
        raise ValueError(f"the head lacks something: {text[:100]}")
    shape, descr = fields["shape"], fields["descr"]
    if not isinstance(shape, tuple) or not all(type(entry) is int and entry >= 0 for entry in shape):
        raise ValueError(f"the shape is {shape}")
    head = ArrayHead(shape=shape, dtype=_dtype(descr, file), is_fortran=bool(fields["fortran_order"]))
    there = size - len(start) - width - length
    if head.size_bytes > there:
        raise ValueError(f"{there} of {head.size_bytes} bytes are there")
    return head


def _dtype(descr: Any, file: str) -> np.dtype[Any]:
    if descr in ("<f1", "|f1"):  # so `ml_dtypes` writes its float8_e5m2, which numpy cannot read
        return np.dtype("V1")
    dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(descr)
    if dtype.hasobject:
        raise failure_error(
            FailureKind.BAD_INPUT_FILE,
            f"{file} holds Python objects, which are not read: they could run code.",
            hint="Save it as a plain array: array.astype(str) for text, for example.",
        )
    return dtype
