"""What the nodes of a graph want of a value, followed from where it is used back to the input it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .proposal_graph import Node, Value

Number = int | float
_DEEPEST: Final = 40
_MOST_VALUES: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What one use asks of a value: a range of whole numbers, or the numbers one by one."""

    low: Number = 0
    high: Number = 0
    numbers: tuple[Number | None, ...] | None = None
    """One an element, in row-major order; None where any will do."""
    text: str | None = None
    """Of a text that is to be read as something."""
    reason: str
    is_needed: bool = True
    """Whether other values make the run fail, or only less sensible."""

    def mapped(self, function: Callable[[Number], Number]) -> Want:
        """Return the same want on the other side of a function."""
        if self.text is not None:
            return self
        if self.numbers is not None:
            return replace(self, numbers=tuple(None if number is None else function(number) for number in self.numbers))
        low, high = sorted((function(self.low), function(self.high)))
        return replace(self, low=low, high=high)

    def as_range(self) -> Want | None:
        """Return it for elements that are moved or repeated: their order is lost."""
        if self.numbers is None:
            return self
        known = [number for number in self.numbers if number is not None]
        if not known or min(known) != max(known):
            return None
        return replace(self, low=known[0], high=known[0], numbers=None)


def constant(number: Number, reason: str, *, is_needed: bool = True) -> Want:
    """Return the want of one number everywhere."""
    return Want(low=number, high=number, reason=reason, is_needed=is_needed)


def between(low: Number, high: Number, reason: str, *, is_needed: bool = True) -> Want:
    """Return the want of whole numbers in a range, both ends included."""
    return Want(low=low, high=max(low, high), reason=reason, is_needed=is_needed)


def each(numbers: Sequence[Number], reason: str, *, is_needed: bool = True) -> Want:
    """Return the want of these numbers, in their order."""
    return Want(numbers=tuple(numbers), reason=reason, is_needed=is_needed)


Rule = Callable[[Node, int, Value], Want | None]
"""Says what a node wants of a value as its input of that index."""


class WantFinder:
    """Finds what is wanted of values. `rule_for` gives the rule of a node's input, if there is one."""

    def __init__(self, rule_for: Callable[[Node, int], Rule | None]) -> None:
        self._rule_for = rule_for
        self._found: dict[int, list[Want]] = {}

    def wants(self, value: Value, depth: int = 0) -> list[Want]:
        """Return all wants of a value, those of what becomes of it included."""
        known = self._found.get(id(value))
        if known is not None:
            return known
        if depth > _DEEPEST or len(self._found) > _MOST_VALUES:
            return []
        self._found[id(value)] = found = []  # a loop that hands a value round comes here again
        for node, index in value.uses:
            want = self._want_of(node, index, value)
            if want is not None:
                found.append(want)
            for given, back in _passed_on(node, index, value):
                found.extend(
                    want for want in (back(later) for later in self.wants(given, depth + 1)) if want is not None
                )
        for other in value.also:
            found.extend(self.wants(other, depth + 1))
        return found

    def _want_of(self, node: Node, index: int, value: Value) -> Want | None:
        rule = self._rule_for(node, index)
        try:
            return rule(node, index, value) if rule is not None else self._trip_count(node, index)
        except (ArithmeticError, LookupError, ValueError):  # a node that is not as its operator says: ORT refuses it
            return None

    def _trip_count(self, node: Node, index: int) -> Want | None:
        """Return how often a loop may run: what its counter is used for bounds it."""
        if node.type != "Loop" or index != 0 or "body" not in node.bodies:
            return None
        counter = node.bodies["body"].inputs[0]
        highest = [want.high for want in self.wants(counter, 1) if want.is_needed and want.numbers is None]
        carried = len(node.inputs) - 2
        sizes = [given.size(0) for given in node.outputs[carried:] if given is not None and given.rank]
        limits = [high + 1 for high in highest] + [size for size in sizes if size is not None]
        return constant(min(limits, default=2), "runs of the Loop's body")


_Back = Callable[[Want], Want | None]
_SAME_ORDER: Final = frozenset(
    {
        *("Identity", "Cast", "CastLike", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout", "Clip"),
        *("Optional", "OptionalGetElement", "Round", "Floor", "Ceil", "Abs"),
    }
)
"""What the first input holds comes out in the same order."""
_OTHER_ORDER: Final = frozenset(
    {
        *("Transpose", "Expand", "Tile", "Pad", "SequenceAt", "ConcatFromSequence", "SplitToSequence", "ReduceMax"),
        *("ReduceMin", "SequenceErase", "DepthToSpace", "SpaceToDepth", "ReverseSequence", "MaxPool"),
    }
)
"""What comes out is taken from the first input."""
_OF_EACH: Final = frozenset({"Min", "Max", "SequenceConstruct"})
"""What comes out is taken from all inputs."""


def _passed_on(node: Node, index: int, value: Value) -> list[tuple[Value, _Back]]:
    """Return the values that hold what a node takes there, and the way back for what is wanted of them."""
    given = [output for output in node.outputs if output is not None]
    if not given:
        return []
    if node.type in _SAME_ORDER:
        return [(given[0], lambda want: want)] if index == 0 else []
    if node.type in _OTHER_ORDER:
        return [(given[0], Want.as_range)] if index == 0 else []
    if node.type in _OF_EACH or (node.type == "Where" and index > 0) or (node.type == "SequenceInsert" and index < 2):
        return [(given[0], Want.as_range)]
    if node.type == "Concat":
        return [(given[0], _of_part(node, index))]
    if node.type == "Split" and index == 0:
        return [(part, _of_split(node, part, value)) for part in given]
    if node.type in ("Slice", "Gather") and index == 0:
        return [(given[0], _of_chosen(node, value))]
    shift = _undone(node, index)
    return [(given[0], shift)] if shift is not None else []


def _of_part(node: Node, index: int) -> _Back:
    """Return the way back from a Concat to one of its inputs."""
    counts = [None if entry is None else entry.count for entry in node.inputs[: index + 1]]
    entry = node.inputs[index]

    def back(want: Want) -> Want | None:
        if want.numbers is None:
            return want
        if entry is None or entry.rank != 1 or any(count is None for count in counts):
            return want.as_range()
        ends = sum(count for count in counts if count is not None)
        return replace(want, numbers=want.numbers[ends - (counts[-1] or 0) : ends])

    return back


def _of_split(node: Node, part: Value, value: Value) -> _Back:
    """Return the way back from a part of a list that Split makes to that list."""

    def back(want: Want) -> Want | None:
        count, sizes = value.count, node.constant(1) or node.wholes("split")
        if count is None or value.rank != 1:
            return want.as_range()
        if sizes is None:
            each_part = -(-count // len(node.outputs))
            sizes = [min(each_part, count - each_part * index) for index in range(len(node.outputs))]
        begin = int(sum(sizes[: node.outputs.index(part)]))
        length = int(sizes[node.outputs.index(part)])
        numbers = (want.low,) * length if want.numbers is None and want.low == want.high else want.numbers
        if numbers is None or len(numbers) != length:
            return want.as_range()
        whole: list[Number | None] = [None] * count
        whole[begin : begin + length] = numbers
        return replace(want, numbers=tuple(whole))

    return back


def _of_chosen(node: Node, value: Value) -> _Back:
    """Return the way back from a Slice or Gather of a list to that list."""

    def back(want: Want) -> Want | None:
        count = value.count
        if count is None or value.rank != 1:
            return want.as_range()
        places = _places(node, count)
        numbers = want.numbers if want.numbers is not None else None
        if places is None or (numbers is not None and len(numbers) != len(places)):
            return want.as_range()
        if numbers is None:
            if len(places) == count or want.low != want.high:
                return want
            numbers = (want.low,) * len(places)
        whole: list[Number | None] = [None] * count
        for place, number in zip(places, numbers, strict=True):
            whole[place] = number
        return replace(want, numbers=tuple(whole))

    return back


def _places(node: Node, count: int) -> list[int] | None:
    """Return which entries of a list a Slice or Gather takes, when that is fixed."""
    if node.type == "Gather":
        indices = node.constant(1)
        if indices is None or any(not -count <= place < count for place in indices):
            return None
        return [int(place) % count for place in indices]
    if node.version < 10:
        starts, ends, steps = node.wholes("starts") or [], node.wholes("ends") or [], [1]
    else:
        starts = [int(number) for number in node.constant(1) or []]
        ends = [int(number) for number in node.constant(2) or []]
        steps = [int(number) for number in (node.constant(4) or [])] if node.input(4) is not None else [1]
    if not (len(starts) == len(ends) == len(steps) == 1) or steps[0] == 0:
        return None
    return list(range(count))[slice(starts[0], ends[0] if abs(ends[0]) < 2**31 - 1 else None, steps[0])]


def _undone(node: Node, index: int) -> _Back | None:
    """Return the way back through a sum, difference, product or quotient with a constant."""
    if node.type not in ("Add", "Sub", "Mul", "Div") or len(node.inputs) != 2:
        return None
    known = node.constant(1 - index)
    if not known or min(known) != max(known):
        return None
    number = known[0]
    if node.type == "Add":
        return lambda want: want.mapped(lambda result: result - number)
    if node.type == "Sub":
        if index == 0:
            return lambda want: want.mapped(lambda result: result + number)
        return lambda want: want.mapped(lambda result: number - result)
    if number == 0 or (node.type == "Div" and index == 1):
        return None
    if node.type == "Mul":
        return lambda want: _through_product(want, number)
    return lambda want: _through_quotient(want, number)


def _through_product(want: Want, number: Number) -> Want:
    if want.numbers is not None:
        return want.mapped(lambda result: _whole(result / number))
    low, high = sorted((want.low / number, want.high / number))
    return replace(want, low=math.ceil(low), high=max(math.ceil(low), math.floor(high)))


def _through_quotient(want: Want, number: Number) -> Want:
    if want.numbers is not None or number < 0:
        return want.mapped(lambda result: _whole(result * number))
    widest = (want.high + 1) * number - 1 if float(number).is_integer() else want.high * number
    return replace(want, low=_whole(want.low * number), high=math.floor(widest))


def _whole(number: float) -> Number:
    return round(number) if float(number).is_integer() else number
