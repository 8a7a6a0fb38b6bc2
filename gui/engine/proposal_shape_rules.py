"""What operators want of those inputs of theirs that say how large something is to be, or along which axis.

Where the model declares the shape of what comes out, the numbers are those that lead to it; elsewhere those that leave
the shape as it is, or are the plainest ones that run.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final

from .proposal_graph import Node, Value
from .proposal_wants import Rule, Want, between, constant, each

_FAR: Final = 2**31 - 1
_WINDOW: Final = 16


def _static(value: Value | None) -> tuple[int, ...] | None:
    """Return a shape of which every size is known."""
    if value is None or value.shape is None:
        return None
    known = tuple(size for size in value.shape if size is not None)
    return known if len(known) == len(value.shape) else None


# ---- Shapes ----


def _reshaped(node: Node, _index: int, value: Value) -> Want | None:
    count, output, data = value.count, _static(node.output()), node.input(0)
    if output is not None and count in (None, len(output)):
        return each(output, "the shape that Reshape's output is declared to have")
    shape = _static(data)
    if shape is not None and len(shape) == count:
        return each(shape, "the shape Reshape has already")
    return None if not count else each([-1] + [1] * (count - 1), "a shape for Reshape: all on the first axis")


def _expanded(node: Node, _index: int, value: Value) -> Want | None:
    count, output = value.count, _static(node.output())
    if output is not None and count is not None and 0 < count <= len(output):
        return each(output[-count:], "the shape that Expand's output is declared to have")
    return constant(1, "shape of Expand: as it is")


def _tiled(node: Node, _index: int, _value: Value) -> Want | None:
    data, output = _static(node.input(0)), _static(node.output())
    if data and output and len(data) == len(output) and all(data):
        return each([new // old for new, old in zip(output, data, strict=True)], "repeats of Tile to its output")
    return constant(1, "repeats of Tile: once")


def _filled(node: Node, _index: int, value: Value) -> Want | None:
    output = _static(node.output())
    if output is not None and value.count in (None, len(output)):
        return each(output, "the shape that ConstantOfShape's output is declared to have")
    return constant(1, "sizes for ConstantOfShape", is_needed=False)


def _chosen_axes(node: Node, index: int, rank: int, count: int) -> list[int] | None:
    """Return the axes a node's input of that index names; all of the first ones when they are to be chosen, too."""
    if node.input(index) is None:
        return list(range(count))
    known = node.constant(index)
    return list(range(count)) if known is None else [int(axis) % rank for axis in known]


def _padded(node: Node, _index: int, value: Value) -> Want | None:
    data, output, count = _static(node.input(0)), _static(node.output()), value.count
    if data is None or output is None or len(data) != len(output) or not count:
        return constant(0, "pads: none")
    axes = _chosen_axes(node, 3, len(data), count // 2)
    if axes is None or len(axes) * 2 != count:
        return constant(0, "pads: none")
    added = [output[axis] - data[axis] for axis in axes]
    before = [number // 2 for number in added]
    return each([*before, *(number - first for number, first in zip(added, before, strict=True))], "pads to the output")


def _sliced(node: Node, index: int, value: Value) -> Want | None:
    data, output, count = node.input(0), node.output(), value.count
    if index == 1:
        return constant(0, "starts of Slice: the beginning", is_needed=False)
    if index == 4:
        return constant(1, "steps of Slice")
    if index == 3:
        return None if count is None else each(range(count), "axes of Slice: the first ones")
    rank = None if data is None else data.rank
    axes = None if rank is None or count is None else _chosen_axes(node, 3, rank, count)
    starts = node.constant(1) if node.input(1) is not None else None
    if axes is None or len(axes) != count or (starts is not None and any(starts)):
        return constant(_FAR, "ends of Slice: the end", is_needed=False)
    sizes = [None if output is None else output.size(axis) for axis in axes]
    ends = [_FAR if size is None else size for size in sizes]
    return each(ends, "ends of Slice: its output's sizes, or the end", is_needed=False)


def _scaled(node: Node, index: int, value: Value) -> Want | None:
    """Of Resize and Upsample: by how much, to which size, from which region."""
    if node.type == "Resize" and node.version > 10 and index == 1:
        half = (value.count or 0) // 2
        return each([0] * half + [1] * half, "region of Resize: all of it") if half else None
    data, output = _static(node.input(0)), _static(node.output())
    axes = node.wholes("axes")
    if axes is None:
        axes = list(range(len(data or output or ())))
    if index == 3:
        shape = output or data
        if shape is None or value.count not in (None, len(axes)):
            return constant(1, "sizes of Resize")
        return each([shape[axis] for axis in axes], "sizes of Resize: those of its output")
    if data and output and all(data):
        return each([output[axis] / data[axis] for axis in axes], f"scales of {node.type} to its output")
    return constant(1, f"scales of {node.type}: as it is")


def _split(node: Node, _index: int, value: Value) -> Want | None:
    axis, data = node.whole("axis", 0), node.input(0)
    sizes = [None if part is None else part.size(axis) for part in node.outputs]
    known = [size for size in sizes if size is not None]
    if node.type == "Split" and sizes and len(known) == len(sizes):
        return each(known, "sizes of Split's outputs")
    whole, count = None if data is None else data.size(axis), value.count
    if whole is None or not count:
        return constant(1, f"sizes for {node.type}")
    if node.type == "SplitToSequence" and value.rank == 0:
        return between(1, whole, f"sizes of the parts of {whole}")
    return each([whole // count + (place < whole % count) for place in range(count)], f"parts of {whole}")


def _cropped(node: Node, _index: int, _value: Value) -> Want | None:
    shape = _static(node.output()) or _static(node.input(0))
    if shape is None:
        return constant(1, f"sizes for {node.type}")
    axes = node.wholes("axes") or list(range(len(shape)))
    return each([shape[axis] for axis in axes], f"the shape that {node.type}'s output is declared to have")


def _unpooled(node: Node, _index: int, value: Value) -> Want | None:
    output, data = _static(node.output()), _static(node.input(0))
    if output is not None:
        return each(output, "the shape that MaxUnpool's output is declared to have")
    kernel = node.wholes("kernel_shape") or []
    strides = node.wholes("strides") or [1] * len(kernel)
    if data is None or value.count != len(kernel) + 2:
        return None
    sizes = [(size - 1) * step + width for size, step, width in zip(data[2:], strides, kernel, strict=True)]
    return each([*data[:2], *sizes], "the shape of MaxUnpool's output")


def _of_columns(node: Node, index: int, value: Value) -> Want | None:
    """Of Col2Im: the image's shape and the block's, which fit the columns."""
    data, output = _static(node.input(0)), _static(node.output())
    axes = value.count
    if data is None or not axes or len(data) != 3:
        return None
    strides = node.wholes("strides") or [1] * axes
    dilations = node.wholes("dilations") or [1] * axes
    pads = node.wholes("pads") or [0] * (2 * axes)
    channels = None if output is None else output[1]
    # Where the output is not declared, a block of 1 and an image of as many places as there are columns fit.
    image = list(output[2:]) if output is not None else [1] * (axes - 1) + [data[2]]
    given = node.constant(1 if index == 2 else 2)
    if index == 1 and given is not None and output is None:
        return each(
            [
                (places - 1) * stride + dilation * (int(block) - 1) + 1 - pads[axis] - pads[axis + axes]
                for axis, (places, stride, dilation, block) in enumerate(
                    zip([1] * (axes - 1) + [data[2]], strides, dilations, given, strict=True)
                )
            ],
            "shape of Col2Im's image",
        )
    if index == 1:
        return each(image, "shape of Col2Im's image")
    if given is not None and output is None:
        image = [int(size) for size in given]
    volume = data[1] // channels if channels else None
    for block in _blocks(data[1], volume, axes):
        spans = zip(image, block, strides, dilations, strict=True)
        places = [
            (size + pads[axis] + pads[axis + axes] - dilation * (width - 1) - 1) // stride + 1
            for axis, (size, width, stride, dilation) in enumerate(spans)
        ]
        if min(places) > 0 and math.prod(places) == data[2]:
            return each(block, "shape of Col2Im's blocks")
    return constant(1, "shape of Col2Im's blocks")


def _blocks(rows: int, volume: int | None, axes: int) -> list[tuple[int, ...]]:
    sides = range(1, min(volume or rows, 64) + 1)
    found = (block for block in itertools.product(sides, repeat=axes) if rows % math.prod(block) == 0)
    return [block for block in itertools.islice(found, 10_000) if volume is None or math.prod(block) == volume]


def _grid_size(node: Node, _index: int, value: Value) -> Want | None:
    """Of AffineGrid: batch, channels (which do not matter) and the grid's sizes."""
    output, theta = _static(node.output()), node.input(0)
    if output is not None:
        return each([output[0], 1, *output[1:-1]], "size of AffineGrid's output")
    batch = None if theta is None else theta.size(0)
    return each([batch or 1, 1] + [4] * ((value.count or 4) - 2), "a size for AffineGrid")


# ---- Axes ----


def _axes(node: Node, _index: int, value: Value) -> Want | None:
    count = value.count
    data, output = _static(node.input(0)), _static(node.output())
    if count is None:
        return constant(0, f"axes of {node.type}")
    if count == 0:
        return None
    axes = _fitting_axes(node, data, output, count)
    return each(axes, f"{'axis' if count == 1 else 'axes'} of {node.type}")


def _fitting_axes(node: Node, data: Sequence[int] | None, output: Sequence[int] | None, count: int) -> list[int]:
    """Return axes that lead to the declared output, or the first ones that are possible."""
    if node.type == "Unsqueeze":
        long, short = output, data
    elif node.type == "Squeeze" or not node.whole("keepdims", 1):
        long, short = data, output
    else:
        if data is not None and output is not None and len(data) == len(output):
            changed = [axis for axis, (old, new) in enumerate(zip(data, output, strict=True)) if old != new]
            same = [axis for axis, size in enumerate(output) if axis not in changed and size == 1]
            return sorted((changed + same + [axis for axis in range(len(data)) if axis not in changed + same])[:count])
        return list(range(count))
    if long is not None and short is not None and len(long) == len(short) + count:
        for axes in itertools.combinations(range(len(long)), count):
            rest = [size for axis, size in enumerate(long) if axis not in axes]
            if rest == list(short) and (node.type.startswith("Reduce") or all(long[axis] == 1 for axis in axes)):
                return list(axes)
    if node.type == "Squeeze" and data is not None:
        return ([axis for axis, size in enumerate(data) if size == 1] + list(range(len(data))))[:count]
    return list(range(count))


def _one_axis(node: Node, _index: int, _value: Value) -> Want | None:
    data = node.input(0)
    rank = None if data is None else data.rank
    return constant(0, f"axis of {node.type}") if not rank else between(0, rank - 1, f"axis of {node.type}")


# ---- Counts and steps ----


def _top(node: Node, _index: int, _value: Value) -> Want | None:
    data, output = node.input(0), node.output()
    axis = node.whole("axis", -1)
    asked = None if output is None else output.size(axis)
    if asked is not None:
        return constant(asked, "K of TopK: its output's size")
    most = None if data is None else data.size(axis)
    return constant(1, "K of TopK") if most is None else between(1, most, f"K of TopK, at most {most}")


def _range(node: Node, index: int, _value: Value) -> Want | None:
    starts, limits, steps = (node.constant(place) for place in range(3))
    start = starts[0] if starts else 0
    backwards = bool(limits and limits[0] < start) or bool(steps and steps[0] < 0)
    step = steps[0] if steps else (-1 if backwards else 1)
    output = node.output()
    size = None if output is None else output.size(0)
    wanted = 10 if size is None else size
    if index == 0:
        return constant(0 if not limits else limits[0] - wanted * step, "start of Range", is_needed=False)
    if index == 1:
        return constant(start + wanted * step, f"limit of Range, for {wanted} numbers", is_needed=size is not None)
    return constant(step, "delta of Range")


def _transformed(node: Node, index: int, _value: Value) -> Want | None:
    """Of DFT: its length and its axis."""
    data, output = node.input(0), node.output()
    rank = None if data is None else data.rank
    axes = node.constant(2)
    axis = int(axes[0]) if axes else node.whole("axis", 1 if node.version < 20 else -2)
    if node.version >= 20 and node.input(2) is not None and axes is None:
        axis = 1
    if index == 2:
        return constant(1 if rank is None or rank > 2 else 0, "axis of DFT")
    if node.whole("onesided", 0):
        given = data if node.whole("inverse", 0) else output
        size = None if given is None else given.size(axis)
        return constant(2 * (size - 1) if size and size > 1 else 1, "length of DFT")
    size = (None if output is None else output.size(axis)) or (None if data is None else data.size(axis))
    return constant(size or 1, "length of DFT")


def _framed(node: Node, index: int, _value: Value) -> Want | None:
    """Of STFT: step and length of the frames."""
    signal, window, output = node.input(0), node.input(2), node.output()
    length = None if signal is None else signal.size(1)
    frame = None if window is None else window.count
    known = node.constant(3)
    bins = None if output is None else output.size(2)
    if frame is None and known:
        frame = int(known[0])
    if frame is None and bins is not None:
        frame = 2 * (bins - 1) if node.whole("onesided", 1) else bins
    if frame is None:
        frame = min(length or 1, 256)
    if index == 3:
        return constant(frame, "length of STFT's frames")
    frames = None if output is None else output.size(1)
    if length is not None and frames is not None and frames > 1:
        return constant(max(1, (length - frame) // (frames - 1)), "step of STFT, for its output's frames")
    return constant(max(1, frame // 4), "step of STFT: a quarter of a frame")


def _window(node: Node, _index: int, _value: Value) -> Want | None:
    output = node.output()
    size = None if output is None else output.size(0)
    return constant(size or _WINDOW, f"size of {node.type}")


def _mel(node: Node, index: int, _value: Value) -> Want | None:
    output = _static(node.output())
    bins, length = (output[1], 2 * (output[0] - 1)) if output and len(output) == 2 else (8, 256)
    rates = node.constant(2)
    rate = rates[0] if rates else 16_000
    numbers = (bins, length, rate, 0, rate / 2)
    words = ("bands", "length of the DFT", "sample rate", "lowest frequency", "highest frequency")
    return constant(numbers[index], f"{words[index]} of MelWeightMatrix")


def _entries(names: str, index: int, rule: Rule) -> dict[tuple[str, int], Rule]:
    return {(name, index): rule for name in names.split()}


_REDUCTIONS: Final = (
    "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare"
)

SHAPE_RULES: Final[dict[tuple[str, int], Rule]] = {
    ("Reshape", 1): _reshaped,
    ("Expand", 1): _expanded,
    ("Tile", 1): _tiled,
    ("ConstantOfShape", 0): _filled,
    **_entries("Pad com.microsoft.Pad", 1, _padded),
    **{("Slice", index): _sliced for index in (1, 2, 3, 4)},
    **{("Resize", index): _scaled for index in (1, 2, 3)},
    ("Upsample", 1): _scaled,
    **_entries("Split SplitToSequence", 1, _split),
    ("CenterCropPad", 1): _cropped,
    ("com.microsoft.CropAndResize", 3): lambda _node, _index, _value: constant(7, "size of CropAndResize"),
    ("MaxUnpool", 2): _unpooled,
    ("Col2Im", 1): _of_columns,
    ("Col2Im", 2): _of_columns,
    ("AffineGrid", 1): _grid_size,
    **_entries(f"{_REDUCTIONS} Squeeze Unsqueeze", 1, _axes),
    ("CumSum", 1): _one_axis,
    ("TopK", 1): _top,
    **{("Range", index): _range for index in (0, 1, 2)},
    ("DFT", 1): _transformed,
    ("DFT", 2): _transformed,
    ("STFT", 1): _framed,
    ("STFT", 3): _framed,
    **_entries("HannWindow HammingWindow BlackmanWindow", 0, _window),
    **{("MelWeightMatrix", index): _mel for index in range(5)},
}
