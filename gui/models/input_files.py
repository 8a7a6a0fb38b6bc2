"""Files given as inputs: which are, what lies in an `.npz`, and which file belongs to which input.

Arrays are read by the engine. Here only names and headers are looked at, without numpy.
"""

from __future__ import annotations

import ast
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from ..records.inputs import ARRAY_SUFFIXES, IMAGE_SUFFIXES, InputSource, SourceKind
from ..records.model import TensorInfo

_POSITION: Final = re.compile(r"input_(\d{1,6})")
_UNNAMED: Final = re.compile(r"arr_(\d{1,6})")
_MAGIC: Final = b"\x93NUMPY"
_MAX_HEADER: Final = 65_536
_NUMPY_NAMES: Final = {"f2": "float16", "f4": "float", "f8": "double", "b1": "bool", "c8": "complex64"}
_UNREADABLE: Final = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
_NUMBER: Final = re.compile(r"(\d+)")


def is_array_file(path: str) -> bool:
    """Whether a name is that of a file of values."""
    return path.lower().endswith(ARRAY_SUFFIXES)


def is_image_file(path: str) -> bool:
    """Whether a name is that of an image."""
    return path.lower().endswith(IMAGE_SUFFIXES)


def is_file(path: str) -> bool:
    """Whether there is such a file."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name too long, a null character
        return False


def archive_entries(path: str) -> tuple[str, ...]:
    """Return the names of the arrays in an `.npz`. Raises `OSError`, or `ValueError` when it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ValueError(str(error)) from error
    return tuple(name.removesuffix(".npy") for name in names if name.endswith(".npy"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayHeader:
    """What an array in a file is, by its header."""

    type: str
    """The element type in ORT's words where there is one, else numpy's."""
    shape: tuple[int, ...]


def array_header(path: str, entry: str = "") -> ArrayHeader | None:
    """Return type and shape of an `.npy`, or of an entry of an `.npz`; None where they cannot be told."""
    try:
        if path.lower().endswith(".npy"):
            with Path(path).open("rb") as file:
                return _header(file)
        if path.lower().endswith(".npz"):
            with zipfile.ZipFile(path) as archive, archive.open(f"{entry}.npy") as member:
                return _header(member)
    except _UNREADABLE:
        return None  # what is wrong with it is told by the engine, which reads it
    return None


def _header(file: IO[bytes]) -> ArrayHeader | None:
    start = file.read(8)
    if start[:6] != _MAGIC:
        return None
    (length,) = struct.unpack("<H", file.read(2)) if start[6] == 1 else struct.unpack("<I", file.read(4))
    if length > _MAX_HEADER:
        return None
    entries = ast.literal_eval(file.read(length).decode("utf-8" if start[6] >= 3 else "latin-1").strip())
    if not isinstance(entries, dict) or not isinstance(entries.get("descr"), str):
        return None
    return ArrayHeader(type=_type_name(entries["descr"]), shape=tuple(int(size) for size in entries.get("shape", ())))


def _type_name(descr: str) -> str:
    plain = descr.lstrip("<>|=")
    if plain[:1] in ("U", "S", "O"):
        return "string"
    if plain[:1] in ("i", "u") and plain[1:].isdecimal():
        return f"{'u' if plain[0] == 'u' else ''}int{8 * int(plain[1:])}"
    return _NUMPY_NAMES.get(plain, descr)


# ---- Which file is for which input ----


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFiles:
    """Files that were given to inputs, and those that fit none."""

    sources: tuple[InputSource, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Placing:
    """What is known while files are placed."""

    inputs: tuple[TensorInfo, ...]
    names: Mapping[str, str]
    """Of inputs and initializers by what a file of theirs may be called."""
    images: frozenset[str]
    """The names of those that take an image."""
    single: str | None
    """The input that a single file is for when its name tells of none."""
    sources: dict[str, InputSource] = field(default_factory=dict)

    def put(self, name: str, path: str, entry: str = "") -> bool:
        kind = SourceKind.IMAGE if is_image_file(path) else SourceKind.FILE
        if kind is SourceKind.IMAGE and name not in self.images:
            return False
        self.sources[name] = InputSource(name=name, kind=kind, path=path, entry=entry)
        return True

    def at(self, position: str) -> str | None:
        number = int(position)
        return self.inputs[number].name if number < len(self.inputs) else None


def place_files(
    paths: Sequence[str],
    inputs: tuple[TensorInfo, ...],
    initializers: tuple[TensorInfo, ...],
    *,
    images: frozenset[str],
    chosen: str | None,
    image_input: str | None = None,
) -> PlacedFiles:
    """Give files to a model's inputs, folders being what lies in them.

    `input_N.pb` goes to the Nth input, an `.npz` to the inputs that its arrays are named after (or in order, where
    numpy named them), any other file to the input of its name. One single file that says no input goes to `chosen`, or
    to the only input; an image that `chosen` does not take, as those of `images` do, to `image_input`.
    """
    found = {path: _files_of(path) for path in paths}
    files = [file for some in found.values() for file in some]
    tensors = (*inputs, *initializers)
    names = {_file_form(tensor.name): tensor.name for tensor in reversed(tensors)}
    names |= {tensor.name: tensor.name for tensor in tensors}
    single = chosen or (inputs[0].name if len(inputs) == 1 else None)
    if len(files) == 1 and is_image_file(files[0]) and single not in images:
        single = image_input
    placing = _Placing(inputs=inputs, names=names, images=images, single=single if len(files) == 1 else None)
    left = [path for path in files if not _place(placing, path)]
    empty = [path for path, some in found.items() if not some]
    return PlacedFiles(sources=tuple(placing.sources.values()), left=(*empty, *left))


def _place(placing: _Placing, path: str) -> bool:
    if path.lower().endswith(".npz"):
        return _place_archive(placing, path)
    if not is_array_file(path) and not is_image_file(path):
        return False
    stem = Path(path).stem
    name: str | None = None
    position = _POSITION.fullmatch(stem)
    if position is not None and path.lower().endswith(".pb"):
        name = placing.at(position[1])
    name = name or placing.names.get(stem) or placing.names.get(_file_form(stem)) or placing.single
    return name is not None and placing.put(name, path)


def _place_archive(placing: _Placing, path: str) -> bool:
    try:
        entries = archive_entries(path)
    except (OSError, ValueError):
        return False
    found = False
    for entry in entries:
        name = placing.names.get(entry) or placing.names.get(_file_form(entry))
        unnamed = _UNNAMED.fullmatch(entry)
        if name is None and unnamed is not None:
            name = placing.at(unnamed[1])
        if name is None and len(entries) == 1:
            name = placing.single
        found = (name is not None and placing.put(name, path, entry)) or found
    return found


def _files_of(path: str) -> list[str]:
    """Return the files that a path stands for: of a folder those that can be inputs, in the order of their numbers."""
    try:
        if not Path(path).is_dir():
            return [path]
        entries = sorted(Path(path).iterdir(), key=lambda entry: _natural(entry.name))
    except (OSError, ValueError):
        return []
    files = [str(entry) for entry in entries if is_array_file(entry.name) or is_image_file(entry.name)]
    files = [file for file in files if not Path(file).name.startswith("output_")]
    if not files:  # the folder of a model, beside which the sets lie
        sets = [entry for entry in entries if entry.name.startswith("test_data_set_") and entry.is_dir()]
        return _files_of(str(sets[0])) if sets else []
    return files


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in _NUMBER.split(name)]


def _file_form(name: str) -> str:
    """Return an input's name as a file's can be: `input:0`, `encoder/mask` cannot."""
    return re.sub(r"[^\w.-]", "_", name)
