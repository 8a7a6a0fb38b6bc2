"""Inputs from files: what fits is taken as it is, what does not is told with expected and found."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gui.engine.elements import ELEMENTS, Element
from gui.engine.inputs import as_ort_values
from gui.records.failure import FailureKind
from gui.records.model import TensorInfo

from .file_inputs import failure_of, info, read, same, some
from .tiny_models import FLOATS_OF_BITS, bytes_of, session_with

EVERY = pytest.mark.parametrize("element", ELEMENTS.values(), ids=lambda element: element.name)
NUMPYS = pytest.mark.parametrize(
    "element", [it for it in ELEMENTS.values() if not it.is_bits and not it.is_packed], ids=lambda it: it.name
)


@EVERY
@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (2, 3)], ids=str)
def test_that_arrays_of_every_type_reach_the_model_as_they_are(
    element: Element, shape: tuple[int, ...], tmp_path: Path
) -> None:
    array, path = some(element, *shape), tmp_path / "x.npy"
    np.save(path, array)
    session = session_with(element.name, *shape)
    feed, fact = read(info(element.name, *shape), path)
    assert fact.shape == shape
    if element.is_text:
        assert same(session.run(None, {"x": feed})[0], array)
        return
    (result,) = session.run_with_ort_values(["y"], as_ort_values({"x": feed}))
    if result.data_type() == f"tensor({element.name})":
        assert bytes_of(result) == array.tobytes()
    else:
        assert same(result.numpy(), array.astype(np.float32))
    lacks_name = element.is_bits or element.is_packed
    assert fact.note == (f"read as {element.name}" if lacks_name else "")


@NUMPYS
def test_that_the_byte_order_and_the_layout_are_made_right(element: Element, tmp_path: Path) -> None:
    if element.is_text:
        array: np.ndarray[Any, Any] = np.array([["ab", "ü"], ["c", "日本"], ["", "x"]])
    else:
        array = some(element, 3, 2)
    swapped = np.asfortranarray(array.astype(array.dtype.newbyteorder(">")))
    path = tmp_path / "x.npy"
    np.save(path, swapped)
    feed, fact = read(info(element.name, 3, 2), path)
    assert same(feed, array)
    assert feed.flags.c_contiguous
    assert feed.dtype.isnative
    has_order = array.dtype.itemsize > 1
    assert fact.note == ("byte order changed, made contiguous" if has_order else "made contiguous")


def test_that_a_vector_or_a_scalar_of_another_byte_order_is_not_made_contiguous(tmp_path: Path) -> None:
    for shape in ((), (3,)):
        np.save(tmp_path / "x.npy", np.ones(shape, ">f4"))
        feed, fact = read(info("float", *shape), tmp_path / "x.npy")
        assert same(feed, np.ones(shape))
        assert feed.shape == shape
        assert fact.note == "byte order changed"


@pytest.mark.parametrize("name", FLOATS_OF_BITS)
def test_that_bare_bits_are_taken_and_that_is_told(name: str, tmp_path: Path) -> None:
    element = ELEMENTS[name]
    np.save(tmp_path / "x.npy", np.array([0x38, 0x41], np.dtype(element.storage).newbyteorder(">")))
    feed, fact = read(info(name, 2), tmp_path / "x.npy")
    assert bytes_of(feed) == np.array([0x38, 0x41], element.storage).tobytes()
    order = "byte order changed, " if name == "bfloat16" else ""
    assert fact.note == f"{order}read as {name}"


@pytest.mark.parametrize("name", ["int4", "uint2"])
def test_that_small_numbers_are_taken_from_bytes_that_hold_no_larger_ones(name: str, tmp_path: Path) -> None:
    element = ELEMENTS[name]
    np.save(tmp_path / "x.npy", np.array([element.low, element.high, 1], element.storage))
    feed, _ = read(info(name, 3), tmp_path / "x.npy")
    session = session_with(name, 3)
    assert session.run(None, {"x": feed})[0].tolist() == [element.low, element.high, 1]
    np.save(tmp_path / "x.npy", np.array([element.high + 1, 0, 0], element.storage))
    failure = failure_of(info(name, 3), tmp_path / "x.npy")
    assert failure.kind is FailureKind.BAD_INPUT
    assert f"the {name} of x cannot hold" in failure.message
    assert failure.hint == f"Stay between {element.low} and {element.high}."


@pytest.mark.parametrize(
    ("element", "dtype", "found", "hint"),
    [
        ("float", "f8", "float64", "array.astype(np.float32)"),
        ("double", "f4", "float32", "array.astype(np.float64)"),
        ("int64", "i4", "int32", "array.astype(np.int64)"),
        ("bool", "u1", "uint8", "array.astype(np.bool_)"),
        ("float16", ">f4", "float32", "array.astype(np.float16)"),
        ("string", "f4", "float32", "array.astype(str)"),
        ("float", "U3", "text", "array.astype(np.float32)"),
        ("bfloat16", "f4", "float32", "bits as uint16"),
        ("int4", "i4", "int32", "as int8"),
        ("float", "c8", "complex64", "array.astype(np.float32)"),
        ("uint8", ml_dtypes.float8_e5m2, "void8", "array.astype(np.uint8)"),
    ],
)
def test_that_another_type_is_never_converted_silently(
    element: str, dtype: Any, found: str, hint: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(3, dtype))
    failure = failure_of(info(element, 3), path)
    assert failure.kind is FailureKind.BAD_INPUT
    assert failure.message == f"x expects {element}, x.npy holds {found}."
    assert hint in failure.hint


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 3, 2), "x.npy has the wrong rank: x expects [N, 3], the file holds [4, 3, 2]."),
        ((3,), "x.npy has the wrong rank: x expects [N, 3], the file holds [3]."),
        ((4, 2), "x.npy has the wrong shape: x expects [N, 3], the file holds [4, 2]."),
    ],
)
def test_that_another_shape_is_told_with_expected_and_found(
    shape: tuple[int, ...], message: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape, np.float32))
    failure = failure_of(info("float", "N", 3), tmp_path / "x.npy")
    assert failure.kind is FailureKind.BAD_INPUT
    assert failure.message == message


def test_that_a_size_chosen_otherwise_is_part_of_what_is_expected(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 3, 5), np.float32))
    failure = failure_of(info("float", "N", 3, None), tmp_path / "x.npy", N=2)
    assert "x expects [N = 2, 3, ?], the file holds [4, 3, 5]" in failure.message
    assert read(info("float", "N", 3, None), tmp_path / "x.npy", N=4)[1].shape == (4, 3, 5)


def test_that_an_unknown_rank_takes_any_shape(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 3, 5), np.float32))
    assert read(TensorInfo(name="x", type="tensor(float)", shape=None), tmp_path / "x.npy")[1].shape == (4, 3, 5)


def test_that_an_optional_tensor_takes_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones(2, np.float32))
    feed, fact = read(TensorInfo(name="x", type="optional(tensor(float))", shape=(2,)), tmp_path / "x.npy")
    assert feed.tolist() == [1, 1]
    assert fact.shape == (2,)


@pytest.mark.parametrize("kind", ["seq(tensor(float))", "map(int64,tensor(float))"])
def test_that_an_array_is_no_sequence_and_no_map(kind: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones(2, np.float32))
    failure = failure_of(TensorInfo(name="x", type=kind, shape=None), tmp_path / "x.npy")
    assert failure.kind is FailureKind.BAD_INPUT
    assert kind in failure.message
    assert ".pb" in failure.hint


# ---- Files that cannot be used ----


def test_that_a_missing_file_a_folder_and_another_ending_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder.npy"
    folder.mkdir()
    text = tmp_path / "x.txt"
    text.write_text("1 2 3", encoding="utf-8")
    for path, words in (
        (tmp_path / "none.npy", "is not there"),
        (folder, "is a folder"),
        (text, "cannot be read as values of x"),
        (tmp_path / ("n" * 300 + ".npy"), "cannot be reached"),
    ):
        failure = failure_of(info("float", 2), path)
        assert failure.kind is FailureKind.BAD_INPUT_FILE
        assert words in failure.message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files here")
def test_that_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.npy")
    assert failure_of(info("float", 2), tmp_path / "x.npy").kind is FailureKind.BAD_INPUT_FILE


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.pb"])
def test_that_a_file_that_may_not_be_read_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    path.write_bytes(b"x")

    def refuse(*_arguments: Any, **_more: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    failure = failure_of(info("float", 2), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert f"{name} cannot be read: " in failure.message
    assert "ermission denied" in failure.message
