"""The files beside a model that hold weights or compiled parts of it: which they are, and whether they are all there.

Sizes and places are looked at, nothing in the files is read. Lives on the worker thread.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..records.failure import FailureError, FailureKind, failure_error
from ..records.model import ExternalFile
from .graphs import graphs_of, lfs_hint, nodes_of, tensors_of

_MAX_NAMES: Final = 3
_WEIGHTS: Final = "weights"
_SIZES: Final = {
    2: (25, 26),
    4: (21, 22, 23),
    6: (27, 28),
    8: (2, 3, 9, 17, 18, 19, 20, 24),
    16: (4, 5, 10, 16),
    32: (1, 6, 12),
    64: (7, 11, 13, 14),
    128: (15,),
}
_BITS: Final = {element: bits for bits, elements in _SIZES.items() for element in elements}
"""Bits of an element by its number in TensorProto.DataType."""


@dataclass(slots=True)
class _Needed:
    """What a model needs of one file."""

    holds: str
    """In words that stand behind “The model's”."""
    end: int = 0
    """Bytes it must have at least."""


def external_files(model: Any, file: Path) -> tuple[tuple[ExternalFile, ...], int]:
    """Return the files that `model` (an `onnx.ModelProto`) names, and their bytes together.

    `file` is the model's own. Raises `FailureError` when one is missing, cut off, or where ORT does not read it.
    """
    needed = _needed(model, file)
    missing: list[str] = []
    sizes: dict[Path, int] = {}
    found: list[ExternalFile] = []
    for location, need in needed.items():
        place = _place(file, location, need)
        if place is None:
            missing.append(location)
            continue
        sizes[place] = place.stat().st_size
        if sizes[place] < need.end:
            raise _cut_off(location, need, place, sizes[place])
        found.append(ExternalFile(name=location, size_bytes=sizes[place]))
    if missing:
        raise _missing(missing, needed[missing[0]], file)
    return tuple(found), sum(sizes.values())


def _needed(model: Any, file: Path) -> dict[str, _Needed]:
    """Return what is needed of each file, by the location that the model gives it."""
    needed: dict[str, _Needed] = {}
    external = [tensor for tensor in tensors_of(model) if tensor.data_location == tensor.EXTERNAL]
    unused = _unused_initializers(model) if external else frozenset()
    for tensor in external:
        if tensor.name in unused:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = _text(entries.get("location", ""))
        if not location:
            raise failure_error(
                FailureKind.MISSING_EXTERNAL_DATA,
                f"{file.name} keeps {_text(tensor.name) or 'a tensor'} in another file, but does not say in which.",
                hint="Export the model again.",
            )
        need = needed.setdefault(location, _Needed(_WEIGHTS))
        length = _whole_number(entries.get("length")) or _size_of(tensor)
        need.end = max(need.end, _whole_number(entries.get("offset")) + length)
    for location in _context_files(model):
        needed.setdefault(location, _Needed("compiled parts"))
    return needed


def _unused_initializers(model: Any) -> frozenset[str]:
    """Return the names of initializers that nothing takes: ORT drops them before it looks for their data."""
    names: set[str] = set()
    used: set[str] = set()
    for graph in graphs_of(model):
        names.update(tensor.name for tensor in getattr(graph, "initializer", ()))
        for node in graph.node:
            used.update(node.input)
        if graph.DESCRIPTOR.name == "GraphProto":
            used.update(value.name for value in (*graph.input, *graph.output))
    return frozenset(names - used)


def _context_files(model: Any) -> Iterator[str]:
    """Give the files of nodes that an EP compiled and that keep the result beside the model.

    Only those by a relative path: what an EP makes of others is its own affair, as is where it may lie.
    """
    for node in nodes_of(model):
        if node.op_type != "EPContext":
            continue
        attributes = {entry.name: entry for entry in node.attribute}
        embedded = attributes.get("embed_mode")
        context = attributes.get("ep_cache_context")
        if embedded is None or embedded.i != 0 or context is None:
            continue  # embedding is the operator's default
        location = _text(context.s)
        if location and not Path(location).is_absolute():
            yield location


def _place(file: Path, location: str, need: _Needed) -> Path | None:
    """Return where a location leads to, None when no file is there. Raises `FailureError` where ORT does not go."""
    hint = f"Put the file itself into {file.parent}, and save the model so that it names it by its bare name."
    path = Path(location)
    if path.is_absolute() or path.root:
        raise failure_error(
            FailureKind.MISSING_EXTERNAL_DATA,
            f"The model's {need.holds} lie at {location}; ONNX Runtime reads them only inside the model's folder.",
            hint=hint,
        )
    try:
        place = (file.parent / path).resolve()
        is_inside = any(place.is_relative_to(folder) for folder in (file.parent.resolve(), file.resolve().parent))
        is_there = place.is_file()
    except (OSError, ValueError, RuntimeError):  # too long, with a zero byte, links in a circle
        return None
    if need.holds == _WEIGHTS and not is_inside:
        raise failure_error(
            FailureKind.MISSING_EXTERNAL_DATA,
            f"The model's {need.holds} in {location} lie outside the model's folder, where ONNX Runtime reads nothing.",
            hint=hint,
            detail=f"{location} leads to {place}.",
        )
    return place if is_there else None


def _missing(locations: list[str], first: _Needed, file: Path) -> FailureError:
    if len(locations) == 1:
        (name,) = locations
        message, what = f"The model's {first.holds} lie in {name}, which is missing.", name
    else:
        rest = len(locations) - _MAX_NAMES
        names = ", ".join(locations[:_MAX_NAMES]) + (f" and {rest} more" if rest > 0 else "")
        message, what = f"{len(locations)} files that the model needs are missing: {names}.", "them"
    return failure_error(
        FailureKind.MISSING_EXTERNAL_DATA,
        message,
        hint=f"Put {what} into {file.parent}.",
        detail="\n".join(str(file.parent / location) for location in locations),
    )


def _cut_off(location: str, need: _Needed, place: Path, size: int) -> FailureError:
    return failure_error(
        FailureKind.MISSING_EXTERNAL_DATA,
        f"The model's {need.holds} in {location} are cut off: {size:,} of {need.end:,} bytes are there.",
        hint=lfs_hint(place) or "Copy or download the file again.",
        detail=str(place),
    )


def _size_of(tensor: Any) -> int:
    """Return the bytes of a tensor's values, 0 when its type does not tell."""
    elements = math.prod(max(0, int(size)) for size in tensor.dims)
    return (elements * _BITS.get(tensor.data_type, 0) + 7) // 8


def _whole_number(text: str | None) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 20 else 0


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
