"""Reads the graph of a model file without its weights.

What is kept in memory is the model's protobuf message without the values of large tensors: dims, types, names and
places of external data stay. The file is walked by its wire format and large values are never read, so the cost is
that of the graph, whatever the weights weigh. Needs the `onnx` package, which is imported only here.
"""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from ..records.failure import FailureError, FailureKind, failure_error

LARGEST_VALUE: Final = 4096
"""Bytes up to which a tensor or an attribute is kept whole."""
_MOST_NESTED: Final = 100
"""As deep as protobuf itself goes."""
_ORT_FORMAT: Final = b"ORTM"
_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_LONGEST_HEAD: Final = 20
"""Bytes of a field's number and its length, at most."""

_Fields = Mapping[int, Any]
"""Fields of a message by number: None drops one, a mapping looks into it when it is large; others stay."""

# The numbers are those of onnx.proto, which never change.
_TENSOR: Final[dict[int, Any]] = dict.fromkeys((4, 5, 6, 7, 9, 10, 11))
_SPARSE_TENSOR: Final[dict[int, Any]] = {1: _TENSOR, 2: _TENSOR}
_GRAPH: Final[dict[int, Any]] = {}
_ATTRIBUTE: Final[dict[int, Any]] = {
    **dict.fromkeys((4, 7, 8, 9)),  # a text, floats, ints, texts
    5: _TENSOR,
    6: _GRAPH,
    10: _TENSOR,
    11: _GRAPH,
    22: _SPARSE_TENSOR,
    23: _SPARSE_TENSOR,
}
_NODE: Final[dict[int, Any]] = {5: _ATTRIBUTE}
_GRAPH.update({1: _NODE, 5: _TENSOR, 15: _SPARSE_TENSOR})
_FUNCTION: Final[dict[int, Any]] = {7: _NODE, 11: _ATTRIBUTE}
_MODEL: Final[dict[int, Any]] = {7: _GRAPH, 20: {1: _GRAPH, 2: _GRAPH}, 25: _FUNCTION}


def read_graph(path: str) -> Any | None:
    """Return the `onnx.ModelProto` of a file without the values of its large tensors; do not change it.

    Tensors and attributes of more than `LARGEST_VALUE` bytes have no values, though dims, type, name and where external
    data lies; external data is not read. The last two models stay in memory for as long as their files are the same.
    None when the `onnx` package is not installed or the file is in ORT's own format. Raises `FailureError` for a file
    that is not there, cannot be read or is no model.
    """
    file = Path(path).expanduser().absolute()
    try:
        found = os.stat(file)  # noqa: PTH116 Path.stat raises ValueError for a name that no file may have, as this does
    except (OSError, ValueError) as error:
        raise failure_error(
            FailureKind.NO_SUCH_FILE,
            f"There is no file {file.name} in {file.parent}.",
            hint="Choose the model again.",
            detail=str(error),
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise not_a_model(file, "It is no regular file.")
    try:
        return _graph_of(str(file), found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise failure_error(
            FailureKind.NO_SUCH_FILE,
            f"{file.name} cannot be read.",
            hint="Check that you may read the file.",
            detail=str(error),
        ) from error


def graphs_of(model: Any) -> Iterator[Any]:
    """Give the main graph, the model's own functions, and each graph that a node of theirs holds.

    They are `GraphProto` and `FunctionProto`; both have `node`, the latter has no initializers.
    """
    waiting = [model.graph, *model.functions]
    while waiting:
        graph = waiting.pop(0)
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    waiting.append(attribute.g)
                waiting.extend(attribute.graphs)


def nodes_of(model: Any) -> Iterator[Any]:
    """Give every node: of the main graph, of subgraphs and of functions."""
    for graph in graphs_of(model):
        yield from graph.node


def tensors_of(model: Any) -> Iterator[Any]:
    """Give every tensor: initializers and those that nodes hold; of sparse ones, values and indices."""
    for graph in graphs_of(model):
        yield from getattr(graph, "initializer", ())
        yield from _parts(getattr(graph, "sparse_initializer", ()))
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                if attribute.HasField("sparse_tensor"):
                    yield from _parts((attribute.sparse_tensor,))
                yield from attribute.tensors
                yield from _parts(attribute.sparse_tensors)


def not_a_model(file: Path, detail: str, hint: str = "") -> FailureError:
    """Return the failure of a file that is no model. Without a hint, it is that of any such file."""
    return failure_error(
        FailureKind.NOT_A_MODEL,
        f"{file.name} is not an ONNX model.",
        hint=hint or lfs_hint(file) or "Choose a file that an ONNX exporter wrote, mostly one that ends in .onnx.",
        detail=detail,
    )


def lfs_hint(file: Path) -> str:
    """Return what to do about a file that stands in for one that Git LFS has; empty for any other file."""
    if not file.is_file():  # a pipe would wait for somebody to write into it
        return ""
    try:
        with file.open("rb") as stream:
            is_pointer = stream.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return ""
    return "It is only a pointer of Git LFS: fetch the file itself with “git lfs pull”." if is_pointer else ""


def is_ort_format(path: str) -> bool:
    """Whether a file is a model in ORT's own format (`.ort`), which ORT alone reads. Raises `OSError`."""
    with open(path, "rb") as stream:  # noqa: PTH123
        return stream.read(8)[4:] == _ORT_FORMAT


@functools.lru_cache(maxsize=2)
def _graph_of(path: str, mtime_ns: int, size: int) -> Any | None:
    del mtime_ns  # part of the key alone
    try:
        import onnx
    except ImportError:
        return None
    if is_ort_format(path):
        if Path(path).suffix != ".ort":
            raise not_a_model(
                Path(path), "It is in ORT's own format.", "Rename it so that it ends in .ort: ORT goes by that."
            )
        return None
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 a folder or a vanished file is told by the caller
            skeleton = b"".join(_kept(stream, 0, size, _MODEL, 0))
    except ValueError as error:
        raise not_a_model(Path(path), str(error)) from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(skeleton)
    except Exception as error:  # protobuf's own class, which has moved between its versions
        raise not_a_model(Path(path), f"{type(error).__name__}: {error}") from error
    if not model.HasField("graph") or not (model.graph.node or model.graph.output):
        raise not_a_model(Path(path), "The file holds no graph.")
    return model


def _parts(sparse_tensors: Iterable[Any]) -> Iterator[Any]:
    for tensor in sparse_tensors:
        yield tensor.values
        yield tensor.indices


def _kept(stream: IO[bytes], begin: int, end: int, fields: _Fields, depth: int) -> Iterator[bytes]:
    """Give the bytes of a message without what `fields` drops. Raises `ValueError` for what is no message."""
    if depth > _MOST_NESTED:
        raise ValueError("Its parts are nested too deeply.")
    place = kept_from = begin
    while place < end:
        tag, content, after = _field(stream, place, end)
        number = tag >> 3
        if number in fields:
            within = fields[number]
            if within is None or after - content > LARGEST_VALUE:
                yield _read(stream, kept_from, place)
                kept_from = after
                if within is not None:
                    inner = b"".join(_kept(stream, content, after, within, depth + 1))
                    yield _varint(tag) + _varint(len(inner)) + inner
        place = after
    yield _read(stream, kept_from, end)


def _field(stream: IO[bytes], place: int, end: int) -> tuple[int, int, int]:
    """Return a field's tag, where its content begins and where the next field does. Raises `ValueError`."""
    head = _read(stream, place, min(end, place + _LONGEST_HEAD))
    tag, used = _number(head, 0)
    match tag & 7:
        case 0:
            after = place + _number(head, used)[1]
        case 1:
            after = place + used + 8
        case 2:
            length, used = _number(head, used)
            after = place + used + length
        case 5:
            after = place + used + 4
        case _:
            raise ValueError(f"At byte {place} is nothing that a model holds.")
    if tag >> 3 == 0:
        raise ValueError(f"At byte {place} is nothing that a model holds.")
    if after > end:
        raise ValueError(f"What begins at byte {place} should go on to byte {after}, but ends at {end}.")
    return tag, place + used, after


def _number(data: bytes, begin: int) -> tuple[int, int]:
    """Return the number at `begin`, seven bits a byte, and where it ends. Raises `ValueError`."""
    value = 0
    for index in range(begin, min(len(data), begin + 10)):
        value |= (data[index] & 0x7F) << (7 * (index - begin))
        if data[index] < 0x80:
            return value, index + 1
    raise ValueError("A number has no end.")


def _varint(value: int) -> bytes:
    """Return a number as seven bits a byte."""
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _read(stream: IO[bytes], begin: int, end: int) -> bytes:
    stream.seek(begin)
    data = stream.read(end - begin)
    if len(data) < end - begin:
        raise ValueError(f"The file ends at byte {begin + len(data)}.")
    return data
