"""Everything that is known of a model, as groups of key and value."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication, QLocale

from ..records.codec import StringMap
from ..records.model import ModelDescription, TensorInfo, dimension_name
from .detail_tree import DetailGroup
from .input_types import short_type
from .texts import DASH, count_text, size_text


def _tr(text: str) -> str:
    return QCoreApplication.translate("ModelTree", text)


def model_groups(description: ModelDescription) -> tuple[DetailGroup, ...]:
    """Return what is known of a model; what the reader could not tell is *not available*."""
    return (
        DetailGroup(title=_tr("Model"), pairs=_facts(description)),
        DetailGroup(title=_tr("Operator sets"), pairs=description.opsets),
        DetailGroup(title=_tr("Inputs"), pairs=_tensors(description.inputs)),
        DetailGroup(title=_tr("Outputs"), pairs=_tensors(description.outputs)),
        DetailGroup(title=_tr("Initializers that inputs may override"), pairs=_or_unknown(description.initializers)),
        DetailGroup(title=_tr("Free dimensions"), pairs=_dimensions(description)),
        DetailGroup(title=_tr("External data files"), pairs=_files(description)),
        DetailGroup(title=_tr("Compiled for"), pairs=tuple((name, "EPContext") for name in description.context_eps)),
        DetailGroup(title=_tr("Metadata"), pairs=description.metadata),
        DetailGroup(title=_tr("Operators"), pairs=_operators(description)),
    )


def filtered(groups: Iterable[DetailGroup], text: str) -> tuple[DetailGroup, ...]:
    """Return the pairs that hold each word of a text, in key, value or title; groups without any are left out."""
    words = text.casefold().split()
    if not words:
        return tuple(groups)
    found = []
    for group in groups:
        title = group.title.casefold()
        pairs = tuple(pair for pair in group.pairs if _holds("\t".join((title, *pair)).casefold(), words))
        if pairs:
            found.append(DetailGroup(title=group.title, pairs=pairs))
    return tuple(found)


def _holds(text: str, words: list[str]) -> bool:
    return all(word in text for word in words)


def _facts(description: ModelDescription) -> StringMap:
    external = description.external_files
    beside = sum(file.size_bytes for file in external or ())
    facts = [(_tr("File"), description.path), (_tr("Size"), _exact_size(description.size_bytes))]
    if beside:
        facts.append((_tr("External data of it"), _exact_size(beside)))
    facts += [
        (_tr("Nodes of the main graph"), _number(description.node_count)),
        (_tr("Graph"), description.graph_name or DASH),
        (_tr("Description"), description.description or DASH),
        (_tr("Producer"), description.producer or DASH),
        (_tr("Domain"), description.domain or DASH),
        (_tr("Model version"), _number(description.model_version)),
        (_tr("IR version"), _number(description.ir_version)),
    ]
    return tuple(facts)


def _tensors(tensors: tuple[TensorInfo, ...]) -> StringMap:
    return tuple((tensor.name, f"{short_type(tensor.type)} {_shape(tensor)}") for tensor in tensors)


def _shape(tensor: TensorInfo) -> str:
    return _tr("of unknown rank") if tensor.shape is None else tensor.shape_text


def _or_unknown(tensors: tuple[TensorInfo, ...] | None) -> StringMap:
    return _unknown() if tensors is None else _tensors(tensors)


def _dimensions(description: ModelDescription) -> StringMap:
    users: dict[str, dict[str, None]] = {}
    for tensor in description.inputs:
        for axis, size in enumerate(tensor.shape or ()):
            if not isinstance(size, int):
                users.setdefault(dimension_name(tensor, axis), {})[tensor.name] = None
    asked = description.free_dimensions
    return tuple(
        (name, (_tr("of {0}") if name in asked else _tr("of {0}; follows from others")).format(", ".join(found)))
        for name, found in users.items()
    )


def _files(description: ModelDescription) -> StringMap:
    files = description.external_files
    return _unknown() if files is None else tuple((file.name, _exact_size(file.size_bytes)) for file in files)


def _operators(description: ModelDescription) -> StringMap:
    counts = description.op_counts
    return _unknown() if counts is None else tuple((entry.op_type, count_text(entry.count)) for entry in counts)


def _unknown() -> StringMap:
    return ((_tr("not available"), ""),)


def _number(number: int | None) -> str:
    return _tr("not available") if number is None else count_text(number)


def _exact_size(size_bytes: int) -> str:
    if size_bytes < 1024:
        return _tr("{0} bytes").format(QLocale().toString(size_bytes))
    return _tr("{0} ({1} bytes)").format(size_text(size_bytes), QLocale().toString(size_bytes))
