"""A model's graph as the proposals look at it: where each value goes, its shape and, for small constants, its numbers.

Values of subgraphs are joined to those outside: what a loop hands to its body, what a branch takes from around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Shape = tuple[int | None, ...]
MOST_NODES_TO_INFER: Final = 20_000
"""Shapes of larger graphs are taken as declared."""
_MOST_NUMBERS: Final = 4096


@dataclass(slots=True, eq=False)
class Value:
    """One value of the graph: an input, an initializer, what a node gives."""

    name: str
    unknown: set[str]
    """Of the graph: the values that were asked for a shape or type they do not fully have."""
    known_shape: Shape | None = None
    known_element: int = 0
    tensor: Any = None
    """The TensorProto of a constant."""
    producer: Node | None = None
    uses: list[tuple[Node, int]] = field(default_factory=list)
    """The nodes that take it, and as which of their inputs."""
    also: list[Value] = field(default_factory=list)
    """The values it becomes elsewhere: in a body, behind a branch."""

    @property
    def shape(self) -> Shape | None:
        """The sizes of its axes, None for each that is unknown; None where even the rank is unknown."""
        if self.known_shape is None or None in self.known_shape:
            self.unknown.add(self.name)
        return self.known_shape

    @property
    def element(self) -> int:
        """The type of its elements as in `TensorProto.DataType`; 0 when unknown."""
        if self.known_element == 0:
            self.unknown.add(self.name)
        return self.known_element

    @property
    def count(self) -> int | None:
        """How many elements it has; None when unknown."""
        shape = self.shape
        if shape is None or None in shape:
            return None
        return math.prod(size for size in shape if size is not None)

    def size(self, axis: int) -> int | None:
        """Return the size of an axis, counted from the end when negative; None when unknown."""
        shape = self.shape
        if shape is None or not -len(shape) <= axis < len(shape):
            return None
        return shape[axis]

    @property
    def rank(self) -> int | None:
        """How many axes it has; None when unknown."""
        shape = self.shape
        return None if shape is None else len(shape)

    def numbers(self) -> npt.NDArray[Any] | None:
        """Return the numbers of a small constant; None when it is none, or its data was not read."""
        tensor = self.tensor
        if tensor is None or tensor.external_data or math.prod(tensor.dims) > _MOST_NUMBERS:
            return None
        from onnx import numpy_helper

        try:
            array = np.asarray(numpy_helper.to_array(tensor))
        except (ValueError, TypeError):  # without its data
            return None
        return array if array.size == math.prod(tensor.dims) and array.dtype.kind in "biuf" else None


@dataclass(slots=True, eq=False)
class Body:
    """A subgraph of a node."""

    inputs: list[Value]
    outputs: list[Value]


@dataclass(slots=True, eq=False)
class Node:
    """A node with its values; inputs and outputs left out are None."""

    type: str
    """With the domain in front unless that is `ai.onnx`."""
    version: int
    """Of the operator set of its domain."""
    attributes: dict[str, Any]
    inputs: list[Value | None]
    outputs: list[Value | None]
    bodies: dict[str, Body]

    def input(self, index: int) -> Value | None:
        """Return an input; None when it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def output(self, index: int = 0) -> Value | None:
        """Return an output; None when it is left out."""
        return self.outputs[index] if index < len(self.outputs) else None

    def whole(self, name: str, default: int) -> int:
        """Return an attribute that is a whole number."""
        attribute = self.attributes.get(name)
        return default if attribute is None else int(attribute.i)

    def wholes(self, name: str) -> list[int] | None:
        """Return an attribute that is a list of whole numbers; None when it is not there."""
        attribute = self.attributes.get(name)
        return None if attribute is None else [int(number) for number in attribute.ints]

    def text(self, name: str, default: str) -> str:
        """Return an attribute that is a text."""
        attribute = self.attributes.get(name)
        return default if attribute is None else bytes(attribute.s).decode("utf-8", "replace")

    def constant(self, index: int) -> list[float] | None:
        """Return the numbers of an input that is a small constant, flat; else None."""
        value = self.input(index)
        numbers = None if value is None else value.numbers()
        return None if numbers is None else [number.item() for number in numbers.ravel()]


class ModelGraph:
    """The values of a model, found through its inputs. `model` is an onnx ModelProto with or without its weights."""

    def __init__(self, model: Any, shapes: Mapping[str, Shape]) -> None:
        """`shapes` are those of the inputs with the free dimensions chosen."""
        self.unknown: set[str] = set()
        """The values that were asked for a shape or type they do not fully have: `with_shapes_between` may know it."""
        self._versions = {entry.domain or "ai.onnx": int(entry.version) for entry in model.opset_import}
        self._values: dict[str, Value] = {}
        self.node_count = 0
        scope: dict[str, Value] = {}
        self._read_graph(model.graph, scope)
        self.inputs = {entry.name: scope[entry.name] for entry in model.graph.input}
        for name, shape in shapes.items():
            if name in self.inputs:
                self.inputs[name].known_shape = shape

    def _read_graph(self, graph: Any, outer: dict[str, Value]) -> Body:
        """Read a graph whose nodes may take the values of `outer`, too; add its own to that."""
        scope, known = outer, {}
        for entry in (*graph.value_info, *graph.output, *graph.input):
            known[entry.name] = entry
        for entry in graph.input:
            scope[entry.name] = _value_of_info(entry, self.unknown)
        for tensor in graph.initializer:
            scope[tensor.name] = self._constant(tensor)
        for proto in graph.node:
            self._read_node(proto, scope, known)
        return Body(
            inputs=[scope[entry.name] for entry in graph.input],
            outputs=[scope.get(entry.name) or _value_of_info(entry, self.unknown) for entry in graph.output],
        )

    def _read_node(self, proto: Any, scope: dict[str, Value], known: Mapping[str, Any]) -> None:
        self.node_count += 1
        domain = proto.domain or "ai.onnx"
        node = Node(
            type=proto.op_type if domain == "ai.onnx" else f"{domain}.{proto.op_type}",
            version=self._versions.get(domain, 1),
            attributes={attribute.name: attribute for attribute in proto.attribute},
            inputs=[scope.get(name) if name else None for name in proto.input],
            outputs=[],
            bodies={},
        )
        for name in proto.output:
            if not name:
                node.outputs.append(None)
                continue
            value = _value_of_info(known[name], self.unknown) if name in known else Value(name, self.unknown)
            value.producer = node
            node.outputs.append(value)
        for index, taken in enumerate(node.inputs):
            if taken is not None:
                taken.uses.append((node, index))
        if node.type == "Constant" and node.outputs[0] is not None:
            _fill_constant(node.outputs[0], node)
        for attribute in proto.attribute:
            if attribute.HasField("g"):
                node.bodies[attribute.name] = self._read_graph(attribute.g, dict(scope))
        _join_bodies(node)
        scope.update({value.name: value for value in node.outputs if value is not None})

    def _constant(self, tensor: Any) -> Value:
        return Value(
            tensor.name, self.unknown, known_shape=tuple(tensor.dims), known_element=tensor.data_type, tensor=tensor
        )


def without_functions(model: Any) -> Any:
    """Return a model with its own functions put in where they are called; itself when that cannot be done."""
    if not model.functions:
        return model
    from onnx import inliner

    try:
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError, TypeError):  # of a model that onnx takes for wrong
        return model


def with_shapes_between(model: Any, shapes: Mapping[str, Shape]) -> Any | None:
    """Return a copy of a model with the shapes between its nodes, as far as they follow from those of the inputs.

    None for a graph of more than `MOST_NODES_TO_INFER` nodes, and for one that onnx takes for wrong.
    """
    if len(model.graph.node) > MOST_NODES_TO_INFER:
        return None
    import onnx
    from onnx import shape_inference

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for entry in copy.graph.input:
        shape = shapes.get(entry.name)
        if shape is None or entry.type.WhichOneof("value") != "tensor_type":
            continue
        for dimension, size in zip(entry.type.tensor_type.shape.dim, shape, strict=False):
            if size is not None and not dimension.HasField("dim_value"):
                dimension.dim_value = size
    try:
        return shape_inference.infer_shapes(copy, data_prop=True)
    except (RuntimeError, ValueError, TypeError):
        return None


def _join_bodies(node: Node) -> None:
    """Join what a node hands into its bodies and takes out of them."""
    if node.type == "If":
        for body in node.bodies.values():
            _join(body.outputs, node.outputs)
    elif node.type == "Loop" and "body" in node.bodies:
        body = node.bodies["body"]
        _join(node.inputs[2:], body.inputs[2:])
        _join(node.inputs[1:2], body.inputs[1:2])
        _join(body.outputs[1:], node.outputs)
    elif node.type in ("Scan", "SequenceMap") and "body" in node.bodies:
        body = node.bodies["body"]
        skipped = 1 if node.type == "Scan" and node.version < 9 else 0
        _join(node.inputs[skipped:], body.inputs)
        _join(body.outputs, node.outputs)


def _join(given: Iterable[Value | None], taken: Iterable[Value | None]) -> None:
    for one, other in zip(given, taken, strict=False):
        if one is not None and other is not None:
            one.also.append(other)
            other.known_element = other.known_element or one.known_element


def _fill_constant(value: Value, node: Node) -> None:
    from onnx import helper

    for name, attribute in node.attributes.items():
        if name == "value":
            value.tensor = attribute.t
        elif name in ("value_int", "value_float", "value_ints", "value_floats"):
            kind = helper.np_dtype_to_tensor_dtype(np.dtype(np.int64 if "int" in name else np.float32))
            numbers = helper.get_attribute_value(attribute)
            several = name.endswith("s")
            value.tensor = helper.make_tensor(
                value.name, kind, [len(numbers)] if several else [], list(numbers) if several else [numbers]
            )
    if value.tensor is not None:
        value.known_shape, value.known_element = tuple(value.tensor.dims), value.tensor.data_type


def _value_of_info(entry: Any, unknown: set[str]) -> Value:
    """Return the value of a ValueInfoProto; of a sequence or an optional, shape and type are those of the tensors."""
    kind = entry.type
    while kind.WhichOneof("value") in ("sequence_type", "optional_type"):
        which = kind.WhichOneof("value")
        kind = (kind.sequence_type if which == "sequence_type" else kind.optional_type).elem_type
    if kind.WhichOneof("value") != "tensor_type":
        return Value(entry.name, unknown)
    tensor = kind.tensor_type
    if not tensor.HasField("shape"):
        return Value(entry.name, unknown, known_element=tensor.elem_type)
    shape = tuple(int(size.dim_value) if size.HasField("dim_value") else None for size in tensor.shape.dim)
    return Value(entry.name, unknown, known_shape=shape, known_element=tensor.elem_type)
