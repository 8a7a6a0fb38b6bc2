"""Images as inputs: upright, resized, with the layout, the channels and the scale that were chosen."""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gui.engine.elements import ELEMENTS
from gui.engine.inputs import as_ort_values, make_inputs, sizes_of_files
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.inputs import ChannelOrder, ImageLayout, ImageReading, ImageScaling, InputFact, InputSource, SourceKind
from gui.records.model import Dimension, TensorInfo

from .tiny_models import FLOATS_OF_BITS, bytes_of, session_with

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def info(element: str, *shape: Dimension, name: str = "x") -> TensorInfo:
    return TensorInfo(name=name, type=f"tensor({element})", shape=shape)


def source_of(path: Path, name: str = "x", **reading: Any) -> InputSource:
    return InputSource(name=name, kind=SourceKind.IMAGE, path=str(path), image=ImageReading(**reading))


def read(tensor: TensorInfo, path: Path, sizes: dict[str, int] | None = None, **reading: Any) -> tuple[Any, InputFact]:
    made = make_inputs((tensor,), sizes or {}, 0, (source_of(path, tensor.name, **reading),))
    return made.feeds[tensor.name], made.facts[0]


def failure_of(tensor: TensorInfo, path: Path, **reading: Any) -> Failure:
    with pytest.raises(FailureError) as caught:
        read(tensor, path, **reading)
    assert caught.value.failure.hint
    return caught.value.failure


@pytest.fixture
def corners(tmp_path: Path) -> Path:
    """An image of 3 columns and 2 rows: red, green, blue over three white ones."""
    image = Image.new("RGB", (3, 2), WHITE)
    for column, colour in enumerate((RED, GREEN, BLUE)):
        image.putpixel((column, 0), colour)
    image.save(tmp_path / "corners.png")
    return tmp_path / "corners.png"


def pixels_of(values: Any, channels_first: bool = True) -> Any:
    """Return rows, columns, channels of the first image."""
    return (values[0].transpose(1, 2, 0) if channels_first else values[0]).tolist()


# ---- Layout, channels, scale ----


def test_that_an_image_is_laid_out_by_channels_first(corners: Path) -> None:
    values, fact = read(info("float", 1, 3, 2, 3), corners, scaling=ImageScaling.BYTES)
    assert values.dtype == np.float32
    assert values.flags.c_contiguous
    assert pixels_of(values)[0] == [list(RED), list(GREEN), list(BLUE)]
    assert fact.shape == (1, 3, 2, 3)
    assert fact.note == "3x2, NCHW, RGB, 0 to 255"


def test_that_an_image_is_laid_out_by_channels_last(corners: Path) -> None:
    values, fact = read(info("uint8", 1, 2, 3, 3), corners, layout=ImageLayout.CHANNELS_LAST)
    assert pixels_of(values, channels_first=False)[0] == [list(RED), list(GREEN), list(BLUE)]
    assert fact.note == "3x2, NHWC, RGB, 0 to 255, because the input holds uint8"


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        *(((1, 3, 224, 224), "NCHW"), ((1, 224, 224, 3), "NHWC"), ((1, 1, 28, 28), "NCHW"), ((1, 28, 28, 1), "NHWC")),
        *(((1, 4, 8, 8), "NCHW"), ((3, 8, 8), "CHW"), ((8, 8, 3), "HWC"), ((2, 3, 8, 8), "NCHW")),
        *(((None, 3, None, None), "NCHW"), (("N", "H", "W", 3), "NHWC"), (("N", "C", "H", "W"), "NCHW")),
    ],
    ids=str,
)
def test_that_the_layout_is_seen_in_the_shape(shape: tuple[Dimension, ...], layout: str, corners: Path) -> None:
    values, fact = read(info("float", *shape), corners)
    assert f", {layout}, " in fact.note
    assert all(size == found for size, found in zip(shape, values.shape, strict=True) if isinstance(size, int))


@pytest.mark.parametrize(
    "shape", [(1, 224, 224, None), (1, 2, 224, 224), (4,), (2, 3), (1, 1, 3, 8, 8), (1, 0, 3, 3)], ids=str
)
def test_that_a_shape_of_no_image_is_refused_with_its_sizes(shape: tuple[Dimension, ...], corners: Path) -> None:
    failure = failure_of(info("float", *shape), corners)
    assert failure.kind is FailureKind.BAD_INPUT
    assert info("float", *shape).shape_text in failure.message
    assert "1, 3 or 4 channels" in failure.hint


def test_that_an_unknown_rank_is_no_image(corners: Path) -> None:
    assert "unknown" in failure_of(TensorInfo(name="x", type="tensor(float)", shape=None), corners).message


def test_that_a_layout_that_is_chosen_decides(corners: Path) -> None:
    values, _ = read(info("float", 1, 224, 224, None), corners, layout=ImageLayout.CHANNELS_LAST)
    assert values.shape == (1, 224, 224, 3)
    failure = failure_of(info("float", 1, 3, 224, 224), corners, layout=ImageLayout.CHANNELS_LAST)
    assert failure.kind is FailureKind.BAD_INPUT


@pytest.mark.parametrize(
    ("scaling", "red", "note"),
    [
        (ImageScaling.UNIT, [1, 0, 0], "0 to 1"),
        (ImageScaling.SYMMETRIC, [1, -1, -1], "-1 to 1"),
        (ImageScaling.BYTES, [255, 0, 0], "0 to 255"),
        (ImageScaling.IMAGENET, [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225], "ImageNet mean and deviation"),
    ],
)
@pytest.mark.parametrize("order", ChannelOrder)
def test_that_values_are_scaled_by_channel(
    scaling: ImageScaling, red: list[float], note: str, order: ChannelOrder, corners: Path
) -> None:
    values, fact = read(info("float", 1, 3, 2, 3), corners, scaling=scaling, channels=order)
    expected = red if order is ChannelOrder.RGB else red[::-1]
    np.testing.assert_allclose(pixels_of(values)[0][0], expected, rtol=1e-5)
    assert fact.note == f"3x2, NCHW, {order.value}, {note}"


@pytest.mark.parametrize("scaling", ImageScaling)
@pytest.mark.parametrize(
    ("element", "red", "note"),
    [
        ("uint8", [255, 0, 0], "0 to 255"),
        ("int8", [127, -128, -128], "-128 to 127, because the input holds int8"),
        ("int32", [255, 0, 0], "0 to 255"),
        ("uint64", [255, 0, 0], "0 to 255"),
    ],
)
def test_that_whole_numbers_are_not_scaled_and_that_is_told(
    element: str, red: list[int], note: str, scaling: ImageScaling, corners: Path
) -> None:
    values, fact = read(info(element, 1, 3, 2, 3), corners, scaling=scaling)
    assert values.dtype == ELEMENTS[element].storage
    assert pixels_of(values)[0][0] == red
    reason = "" if scaling is ImageScaling.BYTES or element == "int8" else f", because the input holds {element}"
    assert fact.note.endswith(note + reason)


@pytest.mark.parametrize("element", [it.name for it in ELEMENTS.values() if it.is_float])
@pytest.mark.parametrize("scaling", ImageScaling)
def test_that_every_float_reaches_the_model_finite(element: str, scaling: ImageScaling, corners: Path) -> None:
    feed, _ = read(info(element, 1, 3, 2, 3), corners, scaling=scaling)
    (result,) = session_with(element, 1, 3, 2, 3).run_with_ort_values(["y"], as_ort_values({"x": feed}))
    dtype = (
        np.float32 if result.data_type() == "tensor(float)" else FLOATS_OF_BITS.get(element, ELEMENTS[element].storage)
    )
    values = np.frombuffer(bytes_of(result), dtype).astype(np.float64).reshape(1, 3, 2, 3)
    assert np.isfinite(values).all()
    assert values[0, 0, 0, 0] == values[0, 0].max()
    assert values.max() > (0.9 if element != "float8e8m0" else 0)


@pytest.mark.parametrize("kind", ["tensor(string)", "tensor(bool)", "tensor(int4)", "seq(tensor(float))"])
def test_that_other_types_are_refused(kind: str, corners: Path) -> None:
    failure = failure_of(TensorInfo(name="x", type=kind, shape=(1, 3, 2, 3)), corners)
    assert failure.kind is FailureKind.BAD_INPUT
    assert kind in failure.message


def test_that_an_optional_tensor_takes_an_image(corners: Path) -> None:
    values, _ = read(TensorInfo(name="x", type="optional(tensor(uint8))", shape=(1, 3, 2, 3)), corners)
    assert pixels_of(values)[0][0] == list(RED)


def test_that_grey_and_transparent_inputs_get_their_channels(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (10, 200, 30, 128)).save(tmp_path / "x.png")
    values, fact = read(info("uint8", 1, 4, 2, 2), tmp_path / "x.png")
    assert pixels_of(values)[0][0] == [10, 200, 30, 128]
    assert ", RGBA, " in fact.note
    values, fact = read(info("uint8", 1, 4, 2, 2), tmp_path / "x.png", channels=ChannelOrder.BGR)
    assert pixels_of(values)[0][0] == [30, 200, 10, 128]
    assert ", BGRA, " in fact.note
    values, fact = read(info("uint8", 1, 1, 2, 2), tmp_path / "x.png")
    assert pixels_of(values)[0][0] == [round(0.299 * 10 + 0.587 * 200 + 0.114 * 30)]
    assert ", grey, " in fact.note


def test_that_imagenets_mean_is_for_three_channels(corners: Path) -> None:
    failure = failure_of(info("float", 1, 1, 2, 3), corners, scaling=ImageScaling.IMAGENET)
    assert failure.kind is FailureKind.BAD_INPUT
    assert "three channels; x has 1" in failure.message


# ---- Sizes ----


def test_that_an_image_is_resized_to_the_input(tmp_path: Path) -> None:
    gradient = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    Image.fromarray(gradient).save(tmp_path / "x.png")
    values, fact = read(info("uint8", 1, 1, 24, 32), tmp_path / "x.png")
    assert values.shape == (1, 1, 24, 32)
    np.testing.assert_allclose(values[0, 0, 5, 1:-1], np.arange(32)[1:-1] * 8 + 2, atol=1)
    assert fact.note.startswith("64x48 resized to 32x24, NCHW, grey")


def test_that_free_sides_are_those_of_the_image(corners: Path) -> None:
    tensor = info("float", "N", 3, "H", None)
    assert read(tensor, corners)[0].shape == (1, 3, 2, 3)
    assert sizes_of_files((tensor,), (source_of(corners),), {}) == {"H": 2, "x[3]": 3}
    values, fact = read(tensor, corners, {"H": 5, "N": 2})
    assert values.shape == (2, 3, 5, 3)
    assert fact.note == "3x2 resized to 3x5, NCHW, RGB, 0 to 1, 2 times"


def test_that_all_images_of_a_batch_are_the_same(corners: Path) -> None:
    values, _ = read(info("float", 3, 3, 2, 3), corners)
    assert (values == values[:1]).all()


def test_that_an_image_follows_other_files_and_the_sizes_chosen(corners: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.zeros((4, 7, 9), np.float32))
    tensors = (info("float", "N", 3, "H", "W", name="x"), info("float", "N", "H", "W", name="m"))
    sources = (source_of(corners), InputSource(name="m", kind=SourceKind.FILE, path=str(tmp_path / "m.npy")))
    sizes = sizes_of_files(tensors, sources, {})
    assert sizes == {"N": 4, "H": 7, "W": 9}
    assert make_inputs(tensors, sizes, 0, sources).feeds["x"].shape == (4, 3, 7, 9)
    assert sizes_of_files(tensors[:1], sources[:1], {"H": 20, "N": 2}) == {"W": 3}


def test_that_two_images_need_not_be_of_the_same_size(corners: Path, tmp_path: Path) -> None:
    Image.new("RGB", (10, 10)).save(tmp_path / "large.png")
    tensors = tuple(info("float", 1, 3, "H", "W", name=name) for name in "ab")
    sources = (source_of(corners, "a"), source_of(tmp_path / "large.png", "b"))
    assert sizes_of_files(tensors, sources, {}) == {"H": 2, "W": 3}


# ---- Kinds of images ----


@pytest.mark.parametrize("orientation", range(1, 9))
def test_that_photographs_are_turned_upright(orientation: int, tmp_path: Path) -> None:
    upright = Image.new("L", (16, 32), 0)
    upright.paste(255, (0, 0, 8, 8))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    image = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "x.jpg", exif=exif, quality=100)
    values, fact = read(info("uint8", 1, 1, None, None), tmp_path / "x.jpg")
    assert values.shape == (1, 1, 32, 16)
    assert fact.note.startswith("16x32, ")
    assert values[0, 0, 2, 2] > 240
    assert values[0, 0, 2, 13] < 15
    assert values[0, 0, 29, 2] < 15


@pytest.mark.parametrize("ending", ["png", "bmp", "gif", "tiff", "webp", "jpg"])
def test_that_the_usual_formats_are_read(ending: str, tmp_path: Path) -> None:
    Image.new("RGB", (16, 8), (200, 100, 0)).save(tmp_path / f"x.{ending}")
    values, _ = read(info("uint8", 1, 3, 8, 16), tmp_path / f"x.{ending}")
    np.testing.assert_allclose(pixels_of(values)[3][7], (200, 100, 0), atol=6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_that_white_is_white_whatever_the_images_own_mode(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("x.tiff" if mode in ("CMYK", "F", "I") else "x.png")
    if mode in ("I;16", "I"):
        values = np.full((2, 2), 65535, np.uint16 if mode == "I;16" else np.int32)
        Image.fromarray(values).save(path)
    elif mode == "F":
        Image.fromarray(np.full((2, 2), 255, np.float32)).save(path)
    else:
        Image.new("RGB", (2, 2), WHITE).convert(mode).save(path)
    with Image.open(path) as image:
        assert image.mode == mode
    assert read(info("uint8", 1, 3, 2, 2), path)[0].tolist() == np.full((1, 3, 2, 2), 255).tolist()


def test_that_sixteen_bits_are_scaled_not_cut_off(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16)).save(tmp_path / "x.png")
    assert read(info("uint8", 1, 1, 1, 3), tmp_path / "x.png")[0].tolist() == [[[[0, 100, 255]]]]


# ---- Files that cannot be used ----


def test_that_what_is_no_image_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no image", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    for name, words in (
        ("x.png", "x.png is no image"),
        ("none.png", "is not there"),
        ("folder", "is a folder"),
    ):
        failure = failure_of(info("float", 1, 3, 8, 8), tmp_path / name)
        assert failure.kind is FailureKind.BAD_INPUT_FILE
        assert words in failure.message


def test_that_an_image_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(stream, "png")
    (tmp_path / "x.png").write_bytes(stream.getvalue()[:2000])
    failure = failure_of(info("float", 1, 3, 8, 8), tmp_path / "x.png")
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert failure.message == "x.png is damaged."
    assert failure.detail


def test_that_an_image_that_swells_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (2000, 2000)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    failure = failure_of(info("float", 1, 3, 8, 8), tmp_path / "x.png")
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert "too large" in failure.message
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3_000_000)  # Pillow warns, but reads it
    assert read(info("float", 1, 3, 8, 8), tmp_path / "x.png")[0].shape == (1, 3, 8, 8)


@pytest.mark.parametrize("ending", ["png", "jpeg", "gif", "bmp", "tiff", "webp"])
def test_that_whatever_is_damaged_is_a_failure_and_no_crash(ending: str, tmp_path: Path) -> None:
    stream, dice = io.BytesIO(), random.Random(3)  # noqa: S311 the same damage each time
    kinds: list[FailureKind] = []
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))
    picture.save(stream, ending, **({"exif": exif} if ending in ("png", "jpeg", "webp") else {}))
    path = tmp_path / f"x.{ending}"
    for _ in range(150):
        broken = bytearray(stream.getvalue())
        for _ in range(dice.randint(1, 6)):
            broken[dice.randrange(min(len(broken), 200))] = dice.randrange(256)
        if dice.random() < 0.4:
            del broken[dice.randrange(len(broken)) :]
        path.write_bytes(bytes(broken))
        try:
            read(info("float", 1, 3, 8, 8), path)
        except FailureError as error:
            kinds.append(error.failure.kind)
    assert len(kinds) > 30
    assert set(kinds) <= {FailureKind.BAD_INPUT_FILE, FailureKind.OUT_OF_MEMORY}


def test_that_a_missing_package_is_named(corners: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    failure = failure_of(info("float", 1, 3, 2, 3), corners)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert "pip install pillow" in failure.hint


def test_that_a_huge_target_is_refused_before_it_is_made(corners: Path) -> None:
    with pytest.raises(FailureError) as caught:
        read(info("float", 1, 3, "H", "W"), corners, {"H": 1_000_000, "W": 1_000_000})
    assert caught.value.failure.kind is FailureKind.OUT_OF_MEMORY
