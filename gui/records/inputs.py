"""Where the values of a model's inputs come from: generated, a file, an image, or left out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

Number = int | float
MAX_LENGTH = 1_000_000
ARRAY_SUFFIXES = (".npy", ".npz", ".pb")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


class SourceKind(Enum):
    """Where the values of one input come from."""

    GENERATED = "generated"
    FILE = "file"
    """`.npy`, `.npz` (one array of it, by name) or a `.pb` as in ONNX test data sets."""
    IMAGE = "image"
    OMITTED = "left out"
    """Nothing is given: an optional stays empty, an initializer keeps the model's own value."""


class Fill(Enum):
    """How values are generated, from the trial's seed and the input's name."""

    AUTOMATIC = "automatic"
    """What the engine proposes for this input of this model; see `InputProposal`."""
    UNIFORM = "uniform"
    """Evenly in [low, high)."""
    NORMAL = "normal"
    """With mean `low` and standard deviation `high`."""
    ZEROS = "zeros"
    ONES = "ones"
    CONSTANT = "constant"
    """`value` everywhere."""
    INTEGERS = "integer range"
    """Whole numbers from `low` to `high`, both included."""
    VALUES = "values"
    """The entries of `value`, separated by commas, in row-major order: as many as the tensor has."""


class ImageLayout(Enum):
    """The order of an image input's axes."""

    AUTOMATIC = "automatic"
    """From the shape: the axis of 1, 3 or 4 is that of the channels."""
    CHANNELS_FIRST = "NCHW"
    CHANNELS_LAST = "NHWC"


class ImageScaling(Enum):
    """What the 8-bit values of an image become."""

    UNIT = "0 to 1"
    SYMMETRIC = "-1 to 1"
    BYTES = "0 to 255"
    IMAGENET = "ImageNet mean and deviation"
    """(x / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225), by channel R, G, B."""


class ChannelOrder(Enum):
    """The order of an image's colours."""

    RGB = "RGB"
    BGR = "BGR"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReading:
    """How an image file becomes a tensor. It is resized to the input's height and width (bilinear)."""

    layout: ImageLayout = ImageLayout.AUTOMATIC
    scaling: ImageScaling = ImageScaling.UNIT
    channels: ChannelOrder = ChannelOrder.RGB


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSource:
    """The values of one input. Only the fields that its `kind` and `fill` name are looked at."""

    name: str
    """The input's, or an overridable initializer's."""
    kind: SourceKind = SourceKind.GENERATED
    fill: Fill = Fill.AUTOMATIC
    low: Number = 0
    high: Number = 1
    value: str = ""
    """As text, so that whole numbers of 64 bits, `true` and strings keep what they are."""
    shape: tuple[int, ...] | None = None
    """For an input whose rank the model leaves open; None leaves it to the engine (a scalar)."""
    length: int = 1
    """Entries of a sequence or a map."""
    path: str = ""
    entry: str = ""
    """Which array of an `.npz`; empty for the one with the input's name."""
    image: ImageReading = ImageReading()

    def __post_init__(self) -> None:
        if not 0 <= self.length <= MAX_LENGTH:
            raise ValueError(f"{self.name}: the length must be between 0 and {MAX_LENGTH}")
        if self.shape is not None and any(size < 0 for size in self.shape):
            raise ValueError(f"{self.name}: a size of its shape is negative")
        if any(isinstance(bound, float) and not math.isfinite(bound) for bound in (self.low, self.high)):
            raise ValueError(f"{self.name}: the bounds must be finite numbers")
        if self.fill in (Fill.UNIFORM, Fill.INTEGERS) and self.low > self.high:
            raise ValueError(f"{self.name}: the range ends before it begins")
        if self.fill is Fill.NORMAL and self.high < 0:
            raise ValueError(f"{self.name}: the standard deviation is negative")
        if self.kind in (SourceKind.FILE, SourceKind.IMAGE) and not self.path:
            raise ValueError(f"{self.name}: no file is named")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputProposal:
    """What the engine takes for an input that is left to it, and why. The source is never AUTOMATIC."""

    source: InputSource
    reason: str = ""
    """As in “indices of Gather into 30522 rows”; empty for what its type alone says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputProposals:
    """One proposal an input, in the model's order; initializers that may be overridden follow, left out."""

    proposals: tuple[InputProposal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFact:
    """What an input got in a trial."""

    name: str
    type: str
    shape: tuple[int, ...] | None = None
    """None for what is no tensor."""
    source: InputSource
    """As it was used: with an AUTOMATIC one replaced by the proposal."""
    reason: str = ""
    """Of the proposal."""
    note: str = ""
    """What was done to a file's data: resized, byte order, layout; empty when nothing was."""


def source_text(source: InputSource) -> str:
    """Return where values come from, as in `uniform 0 to 1`, `cat.png (NCHW, 0 to 1, RGB)`, `left out`."""
    match source.kind:
        case SourceKind.OMITTED:
            return SourceKind.OMITTED.value
        case SourceKind.FILE:
            name = _file_name(source.path)
            return f"{name}: {source.entry}" if source.entry else name
        case SourceKind.IMAGE:
            reading = source.image
            layout = "" if reading.layout is ImageLayout.AUTOMATIC else f"{reading.layout.value}, "
            return f"{_file_name(source.path)} ({layout}{reading.scaling.value}, {reading.channels.value})"
    return _fill_text(source)


def _fill_text(source: InputSource) -> str:
    match source.fill:
        case Fill.UNIFORM:
            return f"uniform {source.low:g} to {source.high:g}"
        case Fill.NORMAL:
            return f"normal, mean {source.low:g}, deviation {source.high:g}"
        case Fill.INTEGERS:
            return f"integers {int(source.low)} to {int(source.high)}"
        case Fill.CONSTANT:
            return f"constant {source.value}"
        case Fill.VALUES:
            return f"values {source.value}"
    return str(source.fill.value)


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]
