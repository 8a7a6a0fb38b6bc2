"""Messages of ONNX test data sets: tensors, sequences, maps and optionals, none taken for another."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.engine import input_files
from gui.engine.elements import ELEMENTS, Element
from gui.engine.inputs import as_ort_values, make_inputs
from gui.records.failure import FailureError, FailureKind
from gui.records.model import TensorInfo

from .file_inputs import check_damaged, failure_of, info, read, same, some, source_of
from .tiny_models import bytes_of, session_with

EVERY = pytest.mark.parametrize("element", ELEMENTS.values(), ids=lambda element: element.name)


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
    monkeypatch.setitem(sys.modules, "onnx", None)
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
    check_damaged(protos[kind]().SerializeToString(), tmp_path / "x.pb", seed=11, tensor=tensor)
