"""The sources that the user set for the inputs of each model seen in this sitting."""

from __future__ import annotations

from dataclasses import dataclass

from ..records.inputs import InputSource
from ..records.model import ModelDescription
from .input_table import is_automatic


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    source: InputSource
    type: str
    """Of the input when the source was set; empty when that was not known."""


class KeptSources:
    """Keeps sources by the model's path and the input's name; those of no path are for the next model asked for."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, _Kept]] = {}

    def set_all(self, path: str, sources: tuple[InputSource, ...]) -> None:
        """Keep these sources, and no others, for a model whose inputs need not be known yet."""
        self._kept[path] = {source.name: _Kept(source=source, type="") for source in sources}

    def put(self, path: str, name: str, source: InputSource | None) -> None:
        """Keep a source for one input of a model, or none."""
        kept = self._kept.setdefault(path, {})
        kept.pop(name, None)
        if source is not None:
            kept[name] = _Kept(source=source, type="")

    def for_model(self, description: ModelDescription) -> dict[str, InputSource]:
        """Return what is kept for a model, without sources whose input is gone, of another type, or left alone."""
        kept = self._kept.setdefault(description.path, {})
        kept.update(self._kept.pop("", {}))
        inputs = {tensor.name: tensor for tensor in description.inputs}
        tensors = {tensor.name: tensor for tensor in description.initializers or ()} | inputs
        found = {}
        for name, entry in tuple(kept.items()):
            tensor = tensors.get(name)
            if tensor is None or entry.type not in ("", tensor.type):
                continue
            kept[name] = _Kept(source=entry.source, type=tensor.type)
            if not is_automatic(entry.source, tensor, is_initializer=name not in inputs):
                found[name] = entry.source
        return found
