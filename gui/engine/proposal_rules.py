"""What operators want of those inputs of theirs that must not be just any numbers: indices, axes, lengths, steps.

Each rule takes a node, the input's index and its value and returns a want, or None where any number will do. Shapes and
sizes are described in `proposal_shape_rules`.
"""

from __future__ import annotations

from typing import Final

from .proposal_graph import Node, Value
from .proposal_shape_rules import SHAPE_RULES
from .proposal_wants import Rule, Want, between, constant

_STRING: Final = 8
_INT32: Final = 6
_INTEGERS: Final = frozenset({2, 3, 4, 5, 6, 7, 12, 13, 21, 22})
_CONTRIB: Final = "com.microsoft."


def rule_for(node: Node, index: int) -> Rule | None:
    """Return the rule of a node's input, if there is one."""
    return RULES.get((node.type, index))


# ---- Indices ----


def _index_along(axis_attribute: str, default: int) -> Rule:
    def rule(node: Node, _index: int, _value: Value) -> Want | None:
        return _indices(node, 0, node.whole(axis_attribute, default), f"indices of {_name(node)} into")

    return rule


def _rows_of(data: int, words: str) -> Rule:
    """The rule of indices into the rows of another input of the node."""

    def rule(node: Node, _index: int, _value: Value) -> Want | None:
        return _indices(node, data, 0, words)

    return rule


def _indices(node: Node, data: int, axis: int, words: str) -> Want | None:
    source = node.input(data)
    rows = None if source is None else source.size(axis)
    if rows is None:
        return constant(0, f"{words} an unknown number of rows: the first")
    return between(0, max(rows - 1, 0), f"{words} {rows} {'row' if rows == 1 else 'rows'}")


def _nd_indices(node: Node, _index: int, value: Value) -> Want | None:
    """Of GatherND and ScatterND: the last axis holds one index for each of the first axes of the data."""
    data = node.input(0)
    if data is None or data.shape is None:
        return constant(0, f"indices of {_name(node)}: the first")
    batch = node.whole("batch_dims", 0)
    depth = value.size(-1)
    sizes = data.shape[batch:] if depth is None else data.shape[batch : batch + depth]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes) or not known:
        return constant(0, f"indices of {_name(node)}: the first")
    return between(0, max(min(known) - 1, 0), f"indices of {_name(node)} into [{', '.join(map(str, known))}]")


def _hot_index(node: Node, _index: int, _value: Value) -> Want | None:
    depth = node.constant(1)
    output = node.output()
    classes = int(depth[0]) if depth else None if output is None else output.size(node.whole("axis", -1))
    return None if classes is None else between(0, classes - 1, f"indices of OneHot into {classes}", is_needed=False)


def _depth(node: Node, _index: int, _value: Value) -> Want | None:
    output = node.output()
    size = None if output is None else output.size(node.whole("axis", -1))
    return constant(10 if size is None else size, "depth of OneHot", is_needed=size is not None)


def _class_label(node: Node, _index: int, _value: Value) -> Want | None:
    scores = node.input(0)
    classes = None if scores is None else scores.size(1)
    return constant(0, "class labels") if classes is None else between(0, classes - 1, f"labels of {classes} classes")


def _unpool_index(node: Node, _index: int, _value: Value) -> Want | None:
    pooled, output = node.input(0), node.output()
    counts = [value.count for value in (output, pooled) if value is not None and value.count is not None]
    if not counts:
        return constant(0, "indices of MaxUnpool: the first")
    return between(0, max(counts[0] - 1, 0), f"indices of MaxUnpool into {counts[0]} places")


def _window_index(node: Node, _index: int, _value: Value) -> Want | None:
    """Of TensorScatter: where in the cache the update begins."""
    cache, update = node.input(0), node.input(1)
    axis = node.whole("axis", -2)
    sizes = [None if value is None else value.size(axis) for value in (cache, update)]
    if sizes[0] is None or sizes[1] is None:
        return constant(0, "where the update begins in the cache")
    return between(0, max(sizes[0] - sizes[1], 0), f"where an update of {sizes[1]} begins in a cache of {sizes[0]}")


def _rotary_position(node: Node, index: int, value: Value) -> Want | None:
    cache = node.input(1 if index == 3 else 2)
    rows = None if cache is None else cache.size(0)
    if rows is None:
        return constant(0, "positions of RotaryEmbedding: the first")
    if value.count == 1:  # then it is where the sequence begins
        return constant(0, "where the sequence begins in the cache of RotaryEmbedding")
    return between(0, rows - 1, f"positions of RotaryEmbedding into {rows} rows")


def _sequence_place(node: Node, _index: int, _value: Value) -> Want | None:
    return constant(0, f"position of {_name(node)}: the first")


# ---- Lengths ----


def _recurrent_length(node: Node, _index: int, _value: Value) -> Want | None:
    return _length_of(node, 1 if node.whole("layout", 0) else 0)


def _reversed_length(node: Node, _index: int, _value: Value) -> Want | None:
    return _length_of(node, node.whole("time_axis", 0))


def _cached_length(node: Node, _index: int, _value: Value) -> Want | None:
    """Of Attention: how many entries of the keys are no padding."""
    keys = node.input(1)
    size = None if keys is None else keys.size(-2 if keys.rank == 4 else 1)
    return constant(1 if size is None else size, "length of the keys")


def _length_of(node: Node, axis: int) -> Want | None:
    data = node.input(0)
    size = None if data is None else data.size(axis)
    return constant(1 if size is None else size, f"length of the sequence of {_name(node)}")


def _query_total(node: Node) -> int:
    query, past = node.input(0), node.input(3)
    earlier = 0 if past is None else past.size(2) or 0
    return earlier + (1 if query is None else query.size(1) or 1)


def _group_length(node: Node, index: int, _value: Value) -> Want | None:
    total = _query_total(node)
    if index == 5:
        return constant(total - 1, "the last position of GroupQueryAttention")
    return constant(total, "past and present length of GroupQueryAttention")


def _key_mask(node: Node, index: int, value: Value) -> Want | None:
    """Of the attention of `com.microsoft`: a mask, or the length of each sequence."""
    if value.rank != 1 or node.input(0) is None:
        return constant(1, "mask: all kept", is_needed=False)
    data = node.input(0 if index == 3 else 1) or node.input(0)
    size = None if data is None else data.size(1)
    return constant(1 if size is None else size, f"length of the sequence of {_name(node)}")


# ---- Single numbers ----


def _just(number: float, words: str, *, is_needed: bool = True) -> Rule:
    def rule(_node: Node, _index: int, _value: Value) -> Want | None:
        return constant(number, words, is_needed=is_needed)

    return rule


def _divisor(node: Node, _index: int, value: Value) -> Want | None:
    if value.element not in _INTEGERS:
        return None
    return between(1, 7 if value.element in (21, 22) else 127, f"divisors of {_name(node)}, never 0")


def _shift(_node: Node, _index: int, value: Value) -> Want | None:
    bits = {2: 8, 4: 16, 12: 32, 13: 64}.get(value.element, 8)
    return between(0, bits - 1, f"shifts of BitShift over {bits} bits")


def _boxes_kept(node: Node, _index: int, _value: Value) -> Want | None:
    boxes = node.input(0)
    count = None if boxes is None else boxes.size(1)
    return constant(count or 10, "boxes NonMaxSuppression may keep of each class", is_needed=False)


def _zero_of(node: Node, _index: int, _value: Value) -> Want | None:
    data = node.input(0)
    is_int32 = data is not None and data.element == _INT32
    return constant(0, "zero point of 32-bit data") if is_int32 else None


def _zero_of_channels(node: Node, _index: int, value: Value) -> Want | None:
    return constant(0, f"zero points of {_name(node)}, one a channel") if (value.count or 0) > 1 else None


def _clipped_to(_node: Node, index: int, _value: Value) -> Want | None:
    return constant(index - 1, "lower bound of Clip" if index == 1 else "upper bound of Clip", is_needed=False)


def _read_text(_node: Node, _index: int, value: Value) -> Want | None:
    """Of a Cast from text: the text of a number."""
    return Want(text="1", reason="text that Cast reads as a number") if value.element == _STRING else None


def _compared(node: Node, index: int, value: Value) -> Want | None:
    """Of whole numbers that the graph compares with those it knows, as a sample rate or a token with all there are."""
    known = node.constant(1 - index)
    if not known or value.element not in _INTEGERS:
        return None
    if len(known) > 1:
        return between(min(known), max(known), "the numbers that Equal compares it with", is_needed=False)
    return constant(known[0], "the number that Equal compares it with", is_needed=False) if value.count == 1 else None


def _search_length(extra: int, words: str) -> Rule:
    def rule(node: Node, _index: int, _value: Value) -> Want | None:
        ids = node.input(0)
        return constant((1 if ids is None else ids.size(1) or 1) + extra, words)

    return rule


def _vocabulary(node: Node, _index: int, _value: Value) -> Want | None:
    size = node.whole("vocab_size", -1)
    return between(0, size - 1, f"tokens out of {size}") if size > 0 else None


def _name(node: Node) -> str:
    return node.type.rpartition(".")[2]


def _entries(names: str, index: int, rule: Rule) -> dict[tuple[str, int], Rule]:
    return {(name, index): rule for name in names.split()}


_EMBED: Final = f"{_CONTRIB}EmbedLayerNormalization {_CONTRIB}QEmbedLayerNormalization"
_SEARCHES: Final = tuple(f"{_CONTRIB}{name}" for name in ("BeamSearch", "GreedySearch", "Sampling"))
_IMAGE_ASKED_FOR: Final = "bytes of an encoded image, which cannot be generated: choose a file"

RULES: Final[dict[tuple[str, int], Rule]] = {
    **SHAPE_RULES,
    **_entries("Gather GatherElements ScatterElements Scatter", 1, _index_along("axis", 0)),
    **_entries(f"{_CONTRIB}GatherBlockQuantized", 1, _index_along("gather_axis", 0)),
    **_entries(f"GatherND ScatterND {_CONTRIB}GatherND", 1, _nd_indices),
    ("ai.onnx.ml.ArrayFeatureExtractor", 1): _index_along("axis", -1),
    **_entries(_EMBED, 0, _rows_of(2, "tokens out of")),
    **_entries(_EMBED, 1, _rows_of(4, "token types out of")),
    **_entries(_EMBED, 8, _rows_of(3, "positions out of")),
    (f"{_CONTRIB}EmbedLayerNormalization", 7): _just(1, "mask: all kept", is_needed=False),
    ("OneHot", 0): _hot_index,
    ("OneHot", 1): _depth,
    **_entries("NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss", 1, _class_label),
    ("MaxUnpool", 1): _unpool_index,
    ("TensorScatter", 2): _window_index,
    ("RotaryEmbedding", 3): _rotary_position,
    (f"{_CONTRIB}RotaryEmbedding", 1): _rotary_position,
    ("RoiAlign", 2): _rows_of(0, "images of RoiAlign out of"),
    (f"{_CONTRIB}CropAndResize", 2): _rows_of(0, "images of CropAndResize out of"),
    ("SequenceAt", 1): _sequence_place,
    ("SequenceErase", 1): _sequence_place,
    ("SequenceInsert", 2): _sequence_place,
    **_entries("RNN LSTM GRU", 4, _recurrent_length),
    ("ReverseSequence", 1): _reversed_length,
    ("Attention", 6): _cached_length,
    **_entries(f"{_CONTRIB}GroupQueryAttention", 5, _group_length),
    **_entries(f"{_CONTRIB}GroupQueryAttention", 6, _group_length),
    **_entries(f"{_CONTRIB}Attention", 3, _key_mask),
    **_entries(f"{_CONTRIB}MultiHeadAttention", 4, _key_mask),
    ("If", 0): _just(1, "condition of If: true", is_needed=False),
    ("Loop", 1): _just(1, "condition of Loop: true", is_needed=False),
    ("Dropout", 2): _just(0, "training mode of Dropout: off", is_needed=False),
    **_entries("Div Mod", 1, _divisor),
    ("BitShift", 1): _shift,
    ("NonMaxSuppression", 2): _boxes_kept,
    ("DequantizeLinear", 2): _zero_of,
    **_entries("QLinearConv QLinearMatMul", 5, _zero_of_channels),
    **_entries("ConvInteger MatMulInteger", 3, _zero_of_channels),
    **_entries("Clip", 1, _clipped_to),
    **_entries("Clip", 2, _clipped_to),
    ("Cast", 0): _read_text,
    **_entries("Equal", 0, _compared),
    **_entries("Equal", 1, _compared),
    ("ImageDecoder", 0): _just(0, _IMAGE_ASKED_FOR),
    **{(name, 0): _vocabulary for name in _SEARCHES},
    **{(name, 1): _search_length(8, "longest text to generate") for name in _SEARCHES},
    **{(name, 2): _just(1, "shortest text to generate") for name in _SEARCHES},
    (_SEARCHES[0], 3): _just(2, "beams of the search"),
    (_SEARCHES[0], 4): _just(1, "texts to return"),
    **_entries(_SEARCHES[0], 5, _just(1, "length penalty: none")),
    **_entries(_SEARCHES[0], 6, _just(1, "repetition penalty: none")),
    **_entries(" ".join(_SEARCHES[1:]), 3, _just(1, "repetition penalty: none")),
}
