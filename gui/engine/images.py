"""Makes tensors of image files: turned upright, resized, with the channels, the order and the scale chosen."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from ..records.failure import FailureError, FailureKind, failure_error
from ..records.inputs import ChannelOrder, ImageLayout, ImageScaling, InputSource
from ..records.model import TensorInfo, dimension_name
from .elements import Array, Element, bits_of_floats, element_of, without_optional

_MODES: Final = {1: "L", 3: "RGB", 4: "RGBA"}
_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION: Final = np.array([0.229, 0.224, 0.225], np.float32)
_ORIENTATION: Final = 0x0112
_ON_ITS_SIDE: Final = (5, 6, 7, 8)
_PICTURES: Final = "Choose a PNG, JPEG, BMP, GIF, TIFF or WebP file."


@dataclass(frozen=True, slots=True)
class _Plan:
    """The axes and sizes of an image input."""

    batch: int | None
    """None without such an axis."""
    channels: int
    height: int
    width: int
    channels_first: bool

    @property
    def shape(self) -> tuple[int, ...]:
        area = (self.height, self.width)
        inner = (self.channels, *area) if self.channels_first else (*area, self.channels)
        return inner if self.batch is None else (self.batch, *inner)

    @property
    def layout(self) -> str:
        layout = ImageLayout.CHANNELS_FIRST if self.channels_first else ImageLayout.CHANNELS_LAST
        return layout.value if self.batch is not None else layout.value[1:]


def image_shape(tensor: TensorInfo, source: InputSource, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape that an image gets: free height and width are the image's own, a free batch is 1.

    Raises `FailureError` as `read_image` does.
    """
    _element(tensor)
    with _opened(source) as image:
        return _plan(tensor, source, sizes, _upright_size(image)).shape


def read_image(tensor: TensorInfo, source: InputSource, sizes: Mapping[str, int]) -> tuple[Array, str]:
    """Return an image as the tensor of an input, in its element's storage, and what was done to it.

    Inputs of whole numbers get 0 to 255 whatever the scaling, those of int8 the same less 128. Raises `FailureError`
    when the input has no shape or type of an image, or the file is none.
    """
    element = _element(tensor)
    with _opened(source) as image:
        from PIL import Image, ImageOps

        plan = _plan(tensor, source, sizes, _upright_size(image))
        upright = _of_eight_bits(ImageOps.exif_transpose(image))
        before = upright.size
        pixels = upright.convert(_MODES[plan.channels]).resize((plan.width, plan.height), Image.Resampling.BILINEAR)
        values = np.asarray(pixels, np.uint8).reshape(plan.height, plan.width, plan.channels)
    if source.image.channels is ChannelOrder.BGR and plan.channels >= 3:
        values = values[:, :, [2, 1, 0, *range(3, plan.channels)]]
    scaled, scale_note = _scaled(values, source, element)
    if plan.channels_first:
        scaled = scaled.transpose(2, 0, 1)
    scaled = np.ascontiguousarray(scaled)
    if plan.batch is not None:
        scaled = np.repeat(scaled[np.newaxis], plan.batch, axis=0)
    notes = [f"{before[0]}x{before[1]}"]
    if before != (plan.width, plan.height):
        notes[0] += f" resized to {plan.width}x{plan.height}"
    order = source.image.channels.value + ("A" if plan.channels == 4 else "") if plan.channels >= 3 else "grey"
    notes += [plan.layout, order, scale_note]
    if plan.batch is not None and plan.batch > 1:
        notes.append(f"{plan.batch} times")
    return scaled, ", ".join(notes)


def _element(tensor: TensorInfo) -> Element:
    element = element_of(without_optional(tensor.type))
    if element is None or element.is_text or element.name == "bool" or element.is_packed:
        raise failure_error(
            FailureKind.BAD_INPUT,
            f"The input {tensor.name} is a {tensor.type}, which no image can fill.",
            hint="Give it an array.",
        )
    return element


def _of_eight_bits(image: Any) -> Any:
    """Return an image as it is, or one of 16 or 32 bits a pixel with 8: Pillow would cut off what is above 255."""
    if not image.mode.startswith(("I", "F")):
        return image
    from PIL import Image

    values = np.asarray(image, np.float64)
    if not image.mode.startswith("F") and values.size and values.max() > 255:
        values /= 257  # 65535 becomes 255
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _scaled(values: Array, source: InputSource, element: Element) -> tuple[Array, str]:
    """Return height, width, channels of bytes as the element's storage, and a note of the range."""
    if element.name == "int8":
        return (values ^ np.uint8(0x80)).view(np.int8), "-128 to 127, because the input holds int8"
    if not element.is_float:
        chosen = source.image.scaling is ImageScaling.BYTES
        note = "" if chosen else f", because the input holds {element.name}"
        return values.astype(element.storage), ImageScaling.BYTES.value + note
    floats: Array = values.astype(np.float32)
    match source.image.scaling:
        case ImageScaling.UNIT:
            floats /= 255
        case ImageScaling.SYMMETRIC:
            floats = floats / np.float32(127.5) - 1
        case ImageScaling.IMAGENET:
            if values.shape[2] != 3:
                raise failure_error(
                    FailureKind.BAD_INPUT,
                    f"ImageNet's mean and deviation are for three channels; {source.name} has {values.shape[2]}.",
                    hint="Choose another scaling.",
                )
            by_channel = slice(None, None, -1 if source.image.channels is ChannelOrder.BGR else 1)
            floats = (floats / 255 - _MEAN[by_channel]) / _DEVIATION[by_channel]
    if not element.is_bits:
        return floats.astype(element.storage, copy=False), source.image.scaling.value
    floats = np.clip(floats, element.least, element.limit)  # 8 bits may not reach to 255
    return bits_of_floats(element, floats), source.image.scaling.value


def _plan(tensor: TensorInfo, source: InputSource, sizes: Mapping[str, int], own: tuple[int, int]) -> _Plan:
    shape = tensor.shape
    if shape is None or len(shape) not in (3, 4):
        _tell_no_image(tensor)
    first = len(shape) - 3  # the axis after that of the batch
    layout = source.image.layout
    channels_first = layout is ImageLayout.CHANNELS_FIRST
    if layout is ImageLayout.AUTOMATIC:
        front, back = shape[first], shape[-1]
        if front in _MODES or back in _MODES:
            channels_first = front in _MODES
        elif all(not isinstance(size, int) for size in shape[first:]):
            channels_first = True  # all free: ONNX's own order
        else:
            _tell_no_image(tensor)

    def size_of(axis: int, otherwise: int) -> int:
        size = shape[axis]
        return size if isinstance(size, int) else sizes.get(dimension_name(tensor, axis), otherwise)

    width, height = own
    channel_axis, height_axis = (first, first + 1) if channels_first else (first + 2, first)
    plan = _Plan(
        batch=size_of(0, 1) if first else None,
        channels=size_of(channel_axis, 3),
        height=size_of(height_axis, height),
        width=size_of(height_axis + 1, width),
        channels_first=channels_first,
    )
    if plan.channels not in _MODES or plan.height < 1 or plan.width < 1:
        _tell_no_image(tensor)
    return plan


def _tell_no_image(tensor: TensorInfo) -> NoReturn:
    raise failure_error(
        FailureKind.BAD_INPUT,
        f"The input {tensor.name} has the shape {tensor.shape_text}, which is not that of an image.",
        hint="An image needs three or four axes with 1, 3 or 4 channels; choose the layout, or give an array.",
    )


def _upright_size(image: Any) -> tuple[int, int]:
    """Return width and height as the image is to be seen; its orientation may lie on its side."""
    width, height = image.size
    return (height, width) if image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE else (width, height)


@contextmanager
def _opened(source: InputSource) -> Iterator[Any]:
    """Open the image. What goes wrong with the file becomes a failure, also while it is used."""
    name = Path(source.path).name
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise failure_error(
            FailureKind.BAD_INPUT_FILE,
            f"{name} needs the package Pillow to be read, which the engine's Python lacks.",
            hint="Install it: python -m pip install pillow. Or give the input an array.",
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of large or odd images that it reads all the same
            with Image.open(source.path) as image:
                yield image
    except FailureError:
        raise
    except FileNotFoundError as error:
        message = f"The image of {source.name} is not there: {source.path}."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint="Choose the file again.") from error
    except Image.DecompressionBombError as error:
        message = f"{name} is too large an image to be opened safely."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint="Make it smaller.", detail=str(error)) from error
    except MemoryError as error:
        message = f"{name} does not fit into memory."
        raise failure_error(FailureKind.OUT_OF_MEMORY, message, hint="Make it smaller.") from error
    except IsADirectoryError as error:
        message = f"{name or source.path} is a folder, not an image."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint="Choose a file inside it.") from error
    except PermissionError as error:
        message, hint = f"{name} cannot be read: permission denied.", "Check that you may read the file."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint=hint, detail=str(error)) from error
    except UnidentifiedImageError as error:
        message = f"{name} is no image that can be read."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint=_PICTURES, detail=str(error)) from error
    except (OSError, ValueError, TypeError, SyntaxError, EOFError, IndexError, KeyError, struct.error) as error:
        message = f"{name} is damaged."
        raise failure_error(FailureKind.BAD_INPUT_FILE, message, hint=_PICTURES, detail=str(error)) from error
