"""What is known of a model before it runs: its inputs, outputs and free dimensions."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import StringMap

Dimension = int | str | None
"""A fixed size, the name of a free dimension, or None for a free dimension without a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One input or output of a model."""

    name: str
    type: str
    """As ORT spells it: `tensor(float)`, `seq(tensor(int64))`, …"""
    shape: tuple[Dimension, ...] | None = None
    """One entry a dimension; None when the rank is unknown or it is no tensor."""

    @property
    def shape_text(self) -> str:
        """The shape as people write it: `[batch, 3, 224, 224]`."""
        if self.shape is None:
            return "unknown"
        return "[" + ", ".join("?" if size is None else str(size) for size in self.shape) + "]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """A model file as read, before any session was made of it."""

    path: str
    size_bytes: int
    """Of the file and of the external data files it names."""
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    node_count: int | None = None
    """Nodes of the main graph; None when the reader cannot tell."""
    producer: str = ""
    graph_name: str = ""
    description: str = ""
    opsets: StringMap = ()
    """Operator set versions by domain; the default domain is `ai.onnx`."""

    @property
    def free_dimensions(self) -> tuple[str, ...]:
        """The names under which sizes are asked for, in the order of the inputs; see `dimension_name`."""
        names: dict[str, None] = {}
        for tensor in self.inputs:
            for axis, size in enumerate(tensor.shape or ()):
                if not isinstance(size, int):
                    names[dimension_name(tensor, axis)] = None
        return tuple(names)


def dimension_name(tensor: TensorInfo, axis: int) -> str:
    """Return the name of a free dimension of `tensor`: its own, or `input[axis]` when it has none."""
    size = (tensor.shape or ())[axis]
    return size if isinstance(size, str) and size else f"{tensor.name}[{axis}]"
