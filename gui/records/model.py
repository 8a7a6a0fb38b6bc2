"""What is known of a model before it runs: its inputs, outputs and free dimensions."""

from __future__ import annotations

from dataclasses import dataclass

from .codec import StringMap
from .dimensions import asked_for
from .placement import OpCount

Dimension = int | str | None
"""A fixed size, the name of a free dimension, or None for a free dimension without a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One input or output of a model."""

    name: str
    type: str
    """As ORT spells it: `tensor(float)`, `seq(tensor(int64))`, …"""
    shape: tuple[Dimension, ...] | None = None
    """One entry a dimension, none for a scalar; None when the rank is unknown. Of a sequence, an optional or a map it
    is that of the tensors within."""

    @property
    def shape_text(self) -> str:
        """The shape as people write it: `[batch, 3, 224, 224]`."""
        if self.shape is None:
            return "unknown"
        return "[" + ", ".join("?" if size is None else str(size) for size in self.shape) + "]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalFile:
    """A file beside the model that holds weights of it."""

    name: str
    """As the model spells it, relative to its own folder."""
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """A model file as read, before any session was made of it. None stands for what the reader cannot tell."""

    path: str
    size_bytes: int
    """Of the file and of the external data files it names."""
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    initializers: tuple[TensorInfo, ...] | None = None
    """Those that an input of the same name may override (`get_overridable_initializers`)."""
    node_count: int | None = None
    """Nodes of the main graph."""
    op_counts: tuple[OpCount, ...] | None = None
    """Of the main graph, the subgraphs and the model's own functions, most frequent first; an operator outside
    `ai.onnx` has its domain in front: `com.microsoft.Gelu`."""
    external_files: tuple[ExternalFile, ...] | None = None
    producer: str = ""
    domain: str = ""
    model_version: int | None = None
    ir_version: int | None = None
    graph_name: str = ""
    description: str = ""
    opsets: StringMap = ()
    """Operator set versions by domain; the default domain is `ai.onnx`."""
    metadata: StringMap = ()
    """The model's own `metadata_props`."""
    context_eps: tuple[str, ...] = ()
    """The EPs for which nodes were compiled (`EPContext` and its attribute `source`)."""

    @property
    def free_names(self) -> tuple[str, ...]:
        """All free dimensions of the inputs, each once, in their order; see `dimension_name`."""
        return free_names(self.inputs)

    @property
    def free_dimensions(self) -> tuple[str, ...]:
        """Those whose sizes are asked for: not the ones that follow from others, see `records.dimensions`."""
        return asked_for(self.free_names)


def free_names(tensors: tuple[TensorInfo, ...]) -> tuple[str, ...]:
    """Return the free dimensions of these inputs, each once, in their order; see `dimension_name`."""
    names: dict[str, None] = {}
    for tensor in tensors:
        for axis, size in enumerate(tensor.shape or ()):
            if not isinstance(size, int):
                names[dimension_name(tensor, axis)] = None
    return tuple(names)


def dimension_name(tensor: TensorInfo, axis: int) -> str:
    """Return the name of a free dimension of `tensor`: its own, or `input[axis]` when it has none."""
    size = (tensor.shape or ())[axis]
    return size if isinstance(size, str) and size else f"{tensor.name}[{axis}]"
