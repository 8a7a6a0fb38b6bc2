"""Proposes values for the inputs of a model with which it runs: indices that exist, masks, lengths, shapes.

What an input's uses in the graph ask for comes first, then what its name says, then what its type allows. Without the
graph (the `onnx` package is not installed) names and types are all there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..records.dimensions import with_derived
from ..records.inputs import Fill, InputProposal, InputProposals, InputSource, SourceKind
from ..records.model import TensorInfo, dimension_name, free_names
from .graphs import read_graph
from .models import describe_model
from .proposal_graph import ModelGraph, Shape, with_shapes_between, without_functions
from .proposal_rules import rule_for
from .proposal_wants import Number, Want, WantFinder

_FLOATS: Final = frozenset(
    {
        *("float", "double", "float16", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"),
        *("float8e8m0", "float4e2m1"),
    }
)
_WHOLE: Final = {f"{sign}int{bits}": bits for sign in ("", "u") for bits in (2, 4, 8, 16, 32, 64)}
_WIDE_BITS: Final = 16
"""From here on whole numbers are mostly indices, counts or flags, below they are quantised data."""
_OWN_VALUE: Final = "the model's own value"
_ELEMENT: Final = re.compile(r"tensor\((\w+)\)")
_MASK: Final = re.compile(r"masks?(?:$|[^a-z])")
_PADDING: Final = re.compile(r"pad(?:ding)?_mask")
_LENGTH: Final = re.compile(r"(?:^|[^a-z])(?:seq)?(?:len|lens|length|lengths)(?:$|[^a-z])")
_TOKEN_TYPES: Final = re.compile(r"token_type|segment_id")
_POSITIONS: Final = re.compile(r"position|cache_pos")
_RATE: Final = re.compile(r"(?:^|_)(?:sr|sample_rate|sampling_rate)$")
_SEQUENCE: Final = re.compile(r"seq|time|frame|len|token|sample")


def propose_inputs(path: str, sizes: dict[str, int]) -> InputProposals:
    """Return a source for each input of the model file at `path`, none of them automatic, with its reason.

    `sizes` are those of the free dimensions by `records.model.dimension_name`; those missing are 1, or follow from
    others. Initializers that may be overridden come last, left out. Raises `FailureError`.
    """
    description = describe_model(path)
    inputs = description.inputs
    chosen = _chosen_sizes(inputs, sizes)
    shapes = {tensor.name: _shape_of(tensor, chosen) for tensor in inputs}
    wants = _wants_of_graph(read_graph(path), shapes)
    proposals = []
    for tensor in inputs:
        shape = shapes[tensor.name]
        asked = [want for want in wants.get(tensor.name, []) if want.reason]
        asked += _wants_of_name(tensor, shape, inputs, shapes)
        proposals.append(_proposal(tensor, shape, asked))
    overridable = description.initializers or ()
    proposals += [
        InputProposal(source=InputSource(name=tensor.name, kind=SourceKind.OMITTED), reason=_OWN_VALUE)
        for tensor in overridable
    ]
    return InputProposals(proposals=tuple(proposals))


def _chosen_sizes(inputs: tuple[TensorInfo, ...], sizes: Mapping[str, int]) -> dict[str, int]:
    names = free_names(inputs)
    try:
        return with_derived(names, sizes)
    except ValueError:  # told where the trial makes its inputs
        return {name: sizes.get(name, 1) for name in names}


def _shape_of(tensor: TensorInfo, sizes: Mapping[str, int]) -> tuple[int, ...] | None:
    if tensor.shape is None:
        return None
    return tuple(
        size if isinstance(size, int) else sizes[dimension_name(tensor, axis)] for axis, size in enumerate(tensor.shape)
    )


def _wants_of_graph(model: Any | None, shapes: Mapping[str, tuple[int, ...] | None]) -> dict[str, list[Want]]:
    """Return what the graph wants of each input."""
    if model is None:
        return {}
    known: dict[str, Shape] = {name: shape for name, shape in shapes.items() if shape is not None}
    model = without_functions(model)
    wants, is_complete = _found_wants(model, known)
    if not is_complete:
        inferred = with_shapes_between(model, known)
        if inferred is not None:
            wants, _ = _found_wants(inferred, known)
    return wants


def _found_wants(model: Any, shapes: Mapping[str, Shape]) -> tuple[dict[str, list[Want]], bool]:
    """Return what is wanted of each input, and whether all shapes were known that this depends on."""
    graph = ModelGraph(model, shapes)
    finder = WantFinder(rule_for)
    return {name: finder.wants(value) for name, value in graph.inputs.items()}, not graph.unknown


# ---- What a name says ----


def _wants_of_name(
    tensor: TensorInfo,
    shape: tuple[int, ...] | None,
    inputs: Sequence[TensorInfo],
    shapes: Mapping[str, tuple[int, ...] | None],
) -> list[Want]:
    name, element = _plain(tensor.name), _element_of(tensor)
    if _PADDING.search(name) and element == "bool":
        return [Want(low=0, high=0, reason="mask: nothing is padding", is_needed=False)]
    if _MASK.search(name) and (element in _WHOLE or element == "bool" or element in _FLOATS):
        return [Want(low=1, high=1, reason="mask: all kept", is_needed=False)]
    if element not in _WHOLE or _WHOLE[element] < _WIDE_BITS:
        return []
    if _LENGTH.search(name) and shape is not None and len(shape) <= 1:
        found = _sequence_of(tensor, inputs, shapes)
        if found is not None:
            size, of = found
            return [Want(low=size, high=size, reason=f"length of the sequence of {of}", is_needed=False)]
    if _TOKEN_TYPES.search(name):
        return [Want(low=0, high=0, reason="one token type", is_needed=False)]
    if _POSITIONS.search(name) and shape:
        return [Want(low=0, high=max(shape[-1] - 1, 0), reason="positions in the sequence", is_needed=False)]
    if _RATE.search(name):
        return [Want(low=16_000, high=16_000, reason="a sample rate", is_needed=False)]
    return []


def _sequence_of(
    lengths: TensorInfo, inputs: Sequence[TensorInfo], shapes: Mapping[str, tuple[int, ...] | None]
) -> tuple[int, str] | None:
    """Return the size of the sequence axis of the input that these lengths are of, and that input's name."""
    stem = re.split(r"_?len|_?seq", _plain(lengths.name), maxsplit=1)[0]
    others = [tensor for tensor in inputs if tensor is not lengths and len(shapes[tensor.name] or ()) >= 2]
    others.sort(key=lambda tensor: not (stem and _plain(tensor.name).startswith(stem)))
    for tensor in others:
        shape, declared = shapes[tensor.name] or (), tensor.shape or ()
        free = [axis for axis, size in enumerate(declared) if axis > 0 and not isinstance(size, int)]
        named = [axis for axis in free if _SEQUENCE.search(str(declared[axis]).lower())]
        axis = (named or free or [1])[-1]
        return shape[axis], tensor.name
    return None


def _plain(name: str) -> str:
    """Return a name in small letters, without what exporters put around it."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.partition(":")[0])
    return re.split(r"[./]", name)[-1].lower()


# ---- From wants to a source ----


def _proposal(tensor: TensorInfo, shape: tuple[int, ...] | None, wants: Sequence[Want]) -> InputProposal:
    element = _element_of(tensor)
    want = _agreed(wants, shape)
    if want is None:
        return InputProposal(source=_source_of_type(tensor.name, element))
    source = _source_of_want(tensor.name, element, want)
    return InputProposal(source=source, reason=want.reason)


def _agreed(wants: Sequence[Want], shape: tuple[int, ...] | None) -> Want | None:
    """Return the want that meets all that is needed, and what is only helpful where that is left possible."""
    needed = [want for want in wants if want.is_needed]
    helpful = [want for want in wants if not want.is_needed]
    agreed: Want | None = None
    for want in (*needed, *helpful):
        agreed = want if agreed is None else _both(agreed, want)
    if agreed is None or agreed.numbers is None:
        return agreed
    count = 1
    for size in shape or ():
        count *= size
    return agreed if shape is None or len(agreed.numbers) == count else agreed.as_range()


def _both(first: Want, second: Want) -> Want:
    """Return what meets both wants; the first where they cannot be met together."""
    if first.text is not None or second.text is not None:
        return first
    if first.numbers is not None and second.numbers is not None:
        if len(first.numbers) != len(second.numbers):
            return first
        numbers = tuple(other if one is None else one for one, other in zip(first.numbers, second.numbers, strict=True))
        return Want(numbers=numbers, reason=first.reason, is_needed=first.is_needed)
    if first.numbers is not None:
        return first
    if second.numbers is not None:
        known = [number for number in second.numbers if number is not None]
        return second if all(first.low <= number <= first.high for number in known) else first
    low, high = max(first.low, second.low), min(first.high, second.high)
    if low > high:
        return first
    narrower = first if (first.low, first.high) == (low, high) else second
    return Want(low=low, high=high, reason=narrower.reason, is_needed=first.is_needed)


def _source_of_want(name: str, element: str, want: Want) -> InputSource:
    if want.text is not None:
        return InputSource(name=name, fill=Fill.CONSTANT, value=want.text)
    if want.numbers is not None:
        known = [number for number in want.numbers if number is not None]
        numbers = [(known[0] if known else 1) if number is None else number for number in want.numbers]
        if len(set(numbers)) == 1:
            return _constant(name, numbers[0])
        return InputSource(name=name, fill=Fill.VALUES, value=", ".join(_number_text(number) for number in numbers))
    low, high = _within(element, want.low), _within(element, want.high)
    if low == high:
        return _constant(name, low)
    return InputSource(name=name, fill=Fill.INTEGERS, low=low, high=high)


def _constant(name: str, number: Number) -> InputSource:
    if number in (0, 1):
        return InputSource(name=name, fill=Fill.ONES if number else Fill.ZEROS)
    return InputSource(name=name, fill=Fill.CONSTANT, value=_number_text(number))


def _number_text(number: Number) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _within(element: str, number: Number) -> Number:
    """Return a number, or what comes nearest to it in the element type."""
    if element not in _WHOLE:
        return number
    low, high = _bounds(element)
    return min(max(number, low), high)


def _bounds(element: str) -> tuple[int, int]:
    bits = _WHOLE[element]
    return (0, 2**bits - 1) if element.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _source_of_type(name: str, element: str) -> InputSource:
    if element == "bool":
        return InputSource(name=name, fill=Fill.ONES)
    if element == "string":
        return InputSource(name=name, fill=Fill.CONSTANT, value="a")
    if element in _WHOLE:
        low, high = _bounds(element) if _WHOLE[element] < _WIDE_BITS else (0, 1)
        return InputSource(name=name, fill=Fill.INTEGERS, low=low, high=high)
    return InputSource(name=name, fill=Fill.UNIFORM, low=0, high=1)


def _element_of(tensor: TensorInfo) -> str:
    """Return the type of the elements, of the tensors within where it is a sequence or an optional."""
    found = _ELEMENT.search(tensor.type)
    return found.group(1) if found else ""
