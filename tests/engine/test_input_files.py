"""Inputs from files: what fits is taken as it is, what does not is told with expected and found."""

from __future__ import annotations

import io
import lzma
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.engine import input_files
from gui.engine.elements import ELEMENTS, Element
from gui.engine.inputs import as_ort_values, make_inputs
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.inputs import InputFact, InputSource, SourceKind
from gui.records.model import Dimension, TensorInfo

from .test_elements import FLOATS_OF_BITS, PACKED
from .test_inputs import bytes_of
from .tiny_models import session_with

EVERY = pytest.mark.parametrize("element", ELEMENTS.values(), ids=lambda element: element.name)
NUMPYS = pytest.mark.parametrize(
    "element", [it for it in ELEMENTS.values() if not it.is_bits and not it.is_packed], ids=lambda it: it.name
)


def info(element: str = "float", *shape: Dimension) -> TensorInfo:
    return TensorInfo(name="x", type=f"tensor({element})", shape=shape)


def source_of(path: Path, entry: str = "") -> InputSource:
    return InputSource(name="x", kind=SourceKind.FILE, path=str(path), entry=entry)


def read(tensor: TensorInfo, path: Path, entry: str = "", **sizes: int) -> tuple[Any, InputFact]:
    made = make_inputs((tensor,), sizes, 0, (source_of(path, entry),))
    return made.feeds.get("x"), made.facts[0]


def failure_of(tensor: TensorInfo, path: Path, entry: str = "", **sizes: int) -> Failure:
    with pytest.raises(FailureError) as caught:
        read(tensor, path, entry, **sizes)
    failure = caught.value.failure
    assert failure.hint
    return failure


def some(element: Element, *shape: int) -> np.ndarray[Any, Any]:
    """Return values of the element's own type, of ml_dtypes where numpy has none."""
    if element.is_text:
        return np.full(shape, "grün")
    dtype: Any = (FLOATS_OF_BITS | PACKED).get(element.name, element.storage)
    low, high = (max(element.low, 0), min(element.high, 9)) if element.high else (1, 9)
    numbers = np.random.default_rng(0).integers(low, high, shape, endpoint=True)
    return np.asarray(numbers.astype(np.float32 if element.is_bits else element.storage).astype(dtype))


def same(one: Any, other: Any) -> bool:
    return bool(np.asarray(one).tolist() == np.asarray(other).tolist())


# ---- .npy ----


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


# ---- .npz ----


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_that_an_archives_array_is_found_by_name(save: Any, tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    save(path, x=np.array([1.0, 2.0], np.float32), other=np.asfortranarray(np.ones((2, 3), np.float32)))
    assert read(info("float", 2), path)[0].tolist() == [1, 2]
    feed, fact = read(info("float", 2, 3), path, "other")
    assert same(feed, np.ones((2, 3)))
    assert fact.note == "made contiguous"


def test_that_the_only_array_of_an_archive_needs_no_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", something=np.ones(2, np.float32))
    assert read(info("float", 2), tmp_path / "one.npz")[0].tolist() == [1, 1]


def test_that_what_an_archive_holds_is_listed_when_the_name_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, a=np.ones(2), b=np.ones(3))
    failure = failure_of(info("float", 2), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert failure.message == "all.npz has no array “x”; there are: a, b."
    assert "“c”" in failure_of(info("float", 2), path, "c").message
    many: dict[str, Any] = {f"n{number}": np.ones(1) for number in range(20)}
    np.savez(path, **many)
    assert failure_of(info("float", 2), path).message.endswith("n10, n11, ….")
    np.savez(path)
    assert "there are: none" in failure_of(info("float", 2), path).message


def test_that_the_array_of_an_archive_is_named_when_it_does_not_fit(tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", x=np.ones(2), y=np.ones((1, 1), np.float32))
    assert failure_of(info("float", 2), tmp_path / "all.npz").message == "x expects float, all.npz holds float64."
    assert "y of all.npz has the wrong rank" in failure_of(info("float", 2), tmp_path / "all.npz", "y").message


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


def test_that_pickled_objects_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", np.array(["a", None], object))
    for name in ("x.npy", "x.npz"):
        failure = failure_of(info("string", 1), tmp_path / name)
        assert failure.kind is FailureKind.BAD_INPUT_FILE
        assert failure.message == f"{name} holds Python objects, which are not read: they could run code."


def npy_bytes(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def with_head(head: str, data: bytes = b"", version: int = 1) -> bytes:
    text = head.encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 if version == 1 else 4, "little") + text + data


DAMAGED: dict[str, bytes] = {
    "empty": b"",
    "no array at all": b"hello world, this is text",
    "cut in its magic": npy_bytes(np.ones(3, np.float32))[:5],
    "cut in its head": npy_bytes(np.ones(3, np.float32))[:40],
    "cut in its data": npy_bytes(np.ones(3, np.float32))[:-1],
    "a newer version": b"\x93NUMPY\x09\x00" + npy_bytes(np.ones(3, np.float32))[8:],
    "a head of gigabytes": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100,
    "no dictionary": with_head("[1, 2]"),
    "no shape": with_head("{'descr': '<f4', 'fortran_order': False}"),
    "a negative size": with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}", b"0" * 12),
    "a size that is none": with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}", b"0" * 12),
    "an odd type": with_head("{'descr': 'hello', 'fortran_order': False, 'shape': (3,)}", b"0" * 12),
    "code": with_head("__import__('os').abort()"),
    "deep": with_head("(" * 5000),
    "more than there is": with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,)}", b"0" * 12),
    "no text": with_head("", version=3) + b"\xff",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_that_a_damaged_array_is_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(DAMAGED[name])
    failure = failure_of(info("float", 3), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert failure.message == "x.npy is damaged, or no .npy file."
    assert failure.detail


@pytest.mark.parametrize("name", DAMAGED)
def test_that_a_damaged_array_in_an_archive_is_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", DAMAGED[name])
    failure = failure_of(info("float", 3), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert failure.message == "x.npz is damaged, or no .npz file."


def test_that_an_array_written_by_python_2_is_read(tmp_path: Path) -> None:
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 1L), }"
    (tmp_path / "x.npy").write_bytes(with_head(head, np.ones(3, "<f4").tobytes()))
    assert same(read(info("float", 3, 1), tmp_path / "x.npy")[0], np.ones((3, 1)))


def test_that_text_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([b"\xff\xfe"]))
    failure = failure_of(info("string", 1), tmp_path / "x.npy")
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert "not UTF-8" in failure.message


def test_that_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, x=np.ones(3, np.float32))
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    path.write_bytes(bytes(data))
    failure = failure_of(info("float", 3), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert "password" in failure.detail


def test_that_an_archive_that_swells_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file of gigabytes of zeros: its head says so before they are unpacked."""
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as stream:
        stream.write(with_head(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({1 << 25},)}}"))
        for _ in range(128):
            stream.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    from gui.engine import inputs

    monkeypatch.setattr(inputs, "_available_bytes", lambda: 1 << 27)
    monkeypatch.setattr(input_files, "read_array", lambda *_: pytest.fail("it was unpacked"))
    assert failure_of(info("float", "N"), path).kind is FailureKind.OUT_OF_MEMORY


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_that_whatever_is_damaged_is_a_failure_and_no_crash(method: int, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("x.npy", npy_bytes(np.arange(300, dtype=np.float32)))
    _damage(stream.getvalue(), tmp_path / "x.npz", seed=method)


def test_that_whatever_is_damaged_in_an_array_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    _damage(npy_bytes(np.arange(30, dtype=np.float32)), tmp_path / "x.npy", seed=7)


@pytest.mark.parametrize(
    "kind", ["tensor(float)", "optional(tensor(float))", "seq(tensor(float))", "map(int64,tensor(float))"]
)
def test_that_whatever_is_damaged_in_a_message_is_a_failure_and_no_crash(kind: str, tmp_path: Path) -> None:
    array = np.arange(30, dtype=np.float32)
    protos: dict[str, Callable[[], Any]] = {
        "tensor(float)": lambda: numpy_helper.from_array(array, "x"),
        "optional(tensor(float))": lambda: numpy_helper.from_optional(array, "x"),
        "seq(tensor(float))": lambda: numpy_helper.from_list([array, array], "x"),
        "map(int64,tensor(float))": lambda: numpy_helper.from_dict({1: np.float32(2)}, "x"),
    }
    tensor = TensorInfo(name="x", type=kind, shape=None)
    _damage(protos[kind]().SerializeToString(), tmp_path / "x.pb", seed=11, tensor=tensor)


def _damage(data: bytes, path: Path, seed: int, tensor: TensorInfo | None = None) -> None:
    dice, failed = random.Random(seed), 0  # noqa: S311 the same damage each time
    tensor = TensorInfo(name="x", type="tensor(float)", shape=None) if tensor is None else tensor
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        if dice.random() < 0.3:
            del broken[dice.randrange(len(broken)) :]
        path.write_bytes(bytes(broken))
        try:
            read(tensor, path)
        except FailureError:
            failed += 1
    assert failed > 30


def test_that_lzma_errors_are_known() -> None:
    """They derive from Exception alone."""
    assert not issubclass(lzma.LZMAError, (OSError, ValueError, RuntimeError))


# ---- .pb ----


def proto_of(element: Element, array: np.ndarray[Any, Any]) -> Any:
    if element.is_text:
        return helper.make_tensor("x", TensorProto.STRING, array.shape, [text.encode() for text in array.ravel()])
    return numpy_helper.from_array(array, "x")


def save(proto: Any, path: Path) -> Path:
    path.write_bytes(proto.SerializeToString())
    return path


@EVERY
@pytest.mark.parametrize("is_raw", [True, False])
@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (2, 3)], ids=str)
def test_that_tensors_of_every_type_reach_the_model_as_they_are(
    element: Element, is_raw: bool, shape: tuple[int, ...], tmp_path: Path
) -> None:
    array = some(element, *shape)
    proto = proto_of(element, array)
    if not is_raw:
        numbers = array.astype(np.float32) if element.is_bits or element.is_packed else array
        if element.name == "float8e8m0":
            pytest.skip("onnx cannot write them so")
        proto = helper.make_tensor("x", element.onnx_number, shape, numbers.ravel().tolist())
    session = session_with(element.name, *shape)
    feed, fact = read(info(element.name, *shape), save(proto, tmp_path / "input_0.pb"))
    assert fact.shape == shape
    assert fact.note == ""
    if element.is_text:
        assert same(session.run(None, {"x": feed})[0], array)
        return
    (result,) = session.run_with_ort_values(["y"], as_ort_values({"x": feed}))
    if result.data_type() == f"tensor({element.name})":
        assert bytes_of(result) == array.tobytes()
    else:
        assert same(result.numpy(), array.astype(np.float32))


@EVERY
def test_that_a_tensor_of_another_type_is_told_with_expected_and_found(element: Element, tmp_path: Path) -> None:
    other = ELEMENTS["uint16" if element.name != "uint16" else "bfloat16"]
    path = save(proto_of(other, some(other, 2)), tmp_path / "x.pb")
    failure = failure_of(info(element.name, 2), path)
    assert failure.kind is FailureKind.BAD_INPUT
    assert failure.message == f"x expects {element.name}, x.pb holds {other.name}."


def test_that_a_type_that_ort_lacks_is_named(tmp_path: Path) -> None:
    path = save(numpy_helper.from_array(np.ones(2, np.complex64)), tmp_path / "x.pb")
    assert failure_of(info("float", 2), path).message == "x expects float, x.pb holds complex64."


def test_that_a_tensor_of_another_shape_is_told(tmp_path: Path) -> None:
    path = save(numpy_helper.from_array(np.ones((2, 3), np.float32)), tmp_path / "x.pb")
    assert "x expects [N, 4], the file holds [2, 3]" in failure_of(info("float", "N", 4), path).message


def test_that_a_tensor_whose_values_lie_elsewhere_is_told(tmp_path: Path) -> None:
    proto = TensorProto(name="x", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    proto.external_data.add(key="location", value="/etc/passwd")
    failure = failure_of(info("float", 2), save(proto, tmp_path / "x.pb"))
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert "in another file" in failure.message


@pytest.mark.parametrize(
    "proto",
    [
        TensorProto(data_type=TensorProto.FLOAT, dims=[3], raw_data=b"\0" * 8),
        TensorProto(data_type=TensorProto.FLOAT, dims=[-1], raw_data=b"\0" * 8),
        TensorProto(data_type=TensorProto.FLOAT, dims=[3], float_data=[1.0]),
        TensorProto(dims=[2], raw_data=b"\0" * 8),
        numpy_helper.from_list([np.ones(2, np.float32)], "x"),
        numpy_helper.from_list([], "x"),
        numpy_helper.from_dict({1: np.float32(1)}, "x"),
        helper.make_model(helper.make_graph([], "g", [], [])),
    ],
    ids=["too few", "negative", "too few floats", "no type", "sequence", "empty sequence", "map", "model"],
)
def test_that_what_is_no_such_tensor_is_told(proto: Any, tmp_path: Path) -> None:
    failure = failure_of(TensorInfo(name="x", type="tensor(float)", shape=None), save(proto, tmp_path / "x.pb"))
    assert failure.kind in (FailureKind.BAD_INPUT_FILE, FailureKind.BAD_INPUT)
    assert "x.pb" in failure.message


def test_that_a_sequence_is_read_from_its_message(tmp_path: Path) -> None:
    tensor = TensorInfo(name="x", type="seq(tensor(float))", shape=None)
    arrays = [np.ones(2, np.float32), np.zeros((3, 1), np.float32)]
    feed, fact = read(tensor, save(numpy_helper.from_list(arrays, "x"), tmp_path / "x.pb"))
    assert [entry.tolist() for entry in feed] == [[1, 1], [[0], [0], [0]]]
    assert fact.shape is None
    assert read(tensor, save(numpy_helper.from_list([], "x"), tmp_path / "x.pb"))[0] == []


@pytest.mark.parametrize("type_text", ["seq(tensor(float))", "map(int64,tensor(float))"])
def test_that_a_tensor_is_no_sequence_and_no_map(type_text: str, tmp_path: Path) -> None:
    tensor = TensorInfo(name="x", type=type_text, shape=None)
    for name in ("x", ""):
        for array in (np.ones(2, np.float32), np.float32(1)):
            path = save(numpy_helper.from_array(np.asarray(array), name), tmp_path / "x.pb")
            failure = failure_of(tensor, path)
            assert failure.kind is FailureKind.BAD_INPUT_FILE
            assert type_text in failure.message


def test_that_entries_of_another_type_are_told(tmp_path: Path) -> None:
    tensor = TensorInfo(name="x", type="seq(tensor(float))", shape=None)
    path = save(numpy_helper.from_list([np.ones(2)], "x"), tmp_path / "x.pb")
    assert failure_of(tensor, path).message == "x expects float, x.pb holds double."
    path = save(numpy_helper.from_list([{1: np.float32(2)}], "x"), tmp_path / "x.pb")
    assert "a sequence of something else" in failure_of(tensor, path).message


@pytest.mark.parametrize(("key", "value"), [("int64", {3: 1.5, -2: 2.0}), ("string", {"ä": 1.5, "b": 2.0})])
def test_that_a_map_is_read_from_its_message(key: str, value: dict[Any, float], tmp_path: Path) -> None:
    tensor = TensorInfo(name="x", type=f"map({key},tensor(float))", shape=None)
    proto = numpy_helper.from_dict({index: np.float32(number) for index, number in enumerate(value.values())}, "x")
    del proto.keys[:]
    proto.key_type = TensorProto.STRING if key == "string" else TensorProto.INT64
    names = proto.string_keys if key == "string" else proto.keys
    names.extend(name.encode() if isinstance(name, str) else name for name in value)
    assert read(tensor, save(proto, tmp_path / "x.pb"))[0] == value
    other = TensorInfo(name="x", type=f"map({'string' if key == 'int64' else 'int64'},tensor(float))", shape=None)
    assert "x expects" in failure_of(other, tmp_path / "x.pb").message


@pytest.mark.parametrize("is_wrapped", [True, False])
@pytest.mark.parametrize("name", ["x", ""])
@pytest.mark.parametrize("array", [np.float32(7), np.ones(2, np.float32), np.ones((0, 2), np.float32)], ids=str)
def test_that_an_optional_is_read_wrapped_or_as_what_it_holds(
    is_wrapped: bool, name: str, array: Any, tmp_path: Path
) -> None:
    tensor = TensorInfo(name="x", type="optional(tensor(float))", shape=tuple(None for _ in np.shape(array)))
    values = np.asarray(array)
    proto = numpy_helper.from_optional(values, name) if is_wrapped else numpy_helper.from_array(values, name)
    path = save(proto, tmp_path / "x.pb")
    feed, fact = read(tensor, path)
    assert same(feed, values)
    assert fact.shape == values.shape
    assert input_files.head_of(tensor, source_of(path), {}).shape == values.shape


@pytest.mark.parametrize("is_raw", [True, False])
def test_that_a_scalar_of_bytes_is_no_optional_of_a_sequence(is_raw: bool, tmp_path: Path) -> None:
    """Its type has the number that speaks of a sequence in the other message."""
    proto = TensorProto(data_type=TensorProto.INT8, **({"raw_data": b"\5"} if is_raw else {"int32_data": [5]}))
    tensor = TensorInfo(name="x", type="optional(tensor(int8))", shape=())
    assert read(tensor, save(proto, tmp_path / "x.pb"))[0] == 5


@pytest.mark.parametrize("kind", [0, 1, 3])
def test_that_an_empty_optional_is_left_out(kind: int, tmp_path: Path) -> None:
    tensor = TensorInfo(name="x", type="optional(tensor(float))", shape=(2,))
    path = save(numpy_helper.from_optional(None, "x", dtype=kind), tmp_path / "x.pb")
    made = make_inputs((tensor,), {}, 0, (source_of(path),))
    assert made.feeds == {}
    assert made.facts[0].shape is None


def test_that_an_optional_sequence_is_read(tmp_path: Path) -> None:
    tensor = TensorInfo(name="x", type="optional(seq(tensor(float)))", shape=None)
    arrays = [np.ones(2, np.float32)]
    for proto in (numpy_helper.from_optional(arrays, "x"), numpy_helper.from_list(arrays, "x")):
        (entry,) = read(tensor, save(proto, tmp_path / "x.pb"))[0]
        assert entry.tolist() == [1, 1]


def test_that_the_shape_is_known_without_the_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proto = numpy_helper.from_array(np.zeros((300, 1, 2), np.float32), "x")
    path = save(proto, tmp_path / "x.pb")
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    head = input_files.head_of(info("float", "N", 1, 2), source_of(path), {})
    assert head.shape == (300, 1, 2)
    assert head.size_bytes == path.stat().st_size


def test_that_a_missing_onnx_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(numpy_helper.from_array(np.ones(2, np.float32), "x"), tmp_path / "x.pb")
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    failure = failure_of(info("float", 2), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert "needs the package onnx" in failure.message
    assert "pip install onnx" in failure.hint


def test_that_a_file_larger_than_messages_can_be_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "x.pb"
    path.write_bytes(numpy_helper.from_array(np.ones(2, np.float32)).SerializeToString())
    os.truncate(path, (1 << 31) + 5)  # a hole: it takes no room
    with pytest.raises(FailureError) as caught:
        input_files.read_value(info("float", 2), source_of(path), {})
    assert "2 GiB" in caught.value.failure.message
    assert ".npy" in caught.value.failure.hint
