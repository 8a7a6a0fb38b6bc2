"""Outputs: type, shape, whether finite, and saved as ONNX test data sets have them; in each way of running."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from gui.engine import outputs as module
from gui.engine import tensor_files
from gui.engine.elements import ELEMENTS, Element
from gui.engine.inputs import as_ort_values, make_inputs
from gui.engine.outputs import non_finite, numpy_of, output_info, run_needs_ort_values, save_outputs
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.inputs import Fill, InputSource, SourceKind
from gui.records.model import TensorInfo

from .tiny_models import (
    FLOAT,
    FLOATS_OF_BITS,
    PACKED,
    cast,
    identity,
    optional_type,
    sequence_type,
    session_of,
    session_with,
    tensor_type,
)

EVERY = pytest.mark.parametrize("element", ELEMENTS.values(), ids=lambda element: element.name)


def session_giving(element: str, *shape: int | str | None) -> Any:
    """A session with such an output y, and floats or the same as input x."""
    if element in PACKED:
        return cast("int8" if ELEMENTS[element].low < 0 else "uint8", element, *shape)
    if element == "float8e8m0":
        return cast("float", element, *shape)
    return identity(tensor_type(element, *shape))


def feeds_of(session: Any, *shape: int, value: str = "1") -> dict[str, Any]:
    tensor = TensorInfo(name="x", type=session.get_inputs()[0].type, shape=shape)
    return make_inputs((tensor,), {}, 0, (InputSource(name="x", fill=Fill.CONSTANT, value=value),)).feeds


def run_as_needed(session: Any, feeds: dict[str, Any]) -> Any:
    """Return the output y in the way that the engine chooses."""
    if run_needs_ort_values(session):
        return session.run_with_ort_values(["y"], as_ort_values(feeds))[0]
    return session.run(["y"], feeds)[0]


@EVERY
def test_that_ort_values_are_asked_for_where_run_fails(element: Element) -> None:
    session = session_giving(element.name, 2)
    feeds = feeds_of(session, 2)
    if run_needs_ort_values(session):
        with pytest.raises(RuntimeError, match="No corresponding Numpy type"):
            session.run(["y"], feeds)
    else:
        assert session.run(["y"], feeds)[0].shape == (2,)


def test_that_sequences_and_maps_come_as_they_are() -> None:
    assert not run_needs_ort_values(identity(sequence_type(tensor_type("float", 2))))
    assert not run_needs_ort_values(identity(optional_type(tensor_type("float", 2))))


@EVERY
@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (2, 3)], ids=str)
def test_that_every_type_is_told_and_saved_as_it_is(element: Element, shape: tuple[int, ...], tmp_path: Path) -> None:
    session = session_giving(element.name, *shape)
    value = run_as_needed(session, feeds_of(session, *shape))
    kind = session.get_outputs()[0].type
    assert output_info("y", value, kind) == TensorInfo(name="y", type=f"tensor({element.name})", shape=shape)
    assert list(non_finite(["y"], [value], [kind])) == []
    (path,) = save_outputs(str(tmp_path / "new" / "folder"), ["y"], [value], [kind])
    assert path == str(tmp_path / "new" / "folder" / "output_0.pb")
    proto = onnx.TensorProto.FromString(Path(path).read_bytes())
    assert (proto.name, proto.data_type, tuple(proto.dims)) == ("y", element.onnx_number, shape)
    array = numpy_helper.to_array(proto)
    expected = np.full(shape, "1") if element.is_text else np.ones(shape, array.dtype)
    assert array.tolist() == expected.tolist()
    assert array.dtype == np.dtype((FLOATS_OF_BITS | PACKED).get(element.name, element.storage))


@EVERY
def test_that_a_saved_output_is_an_input_again(element: Element, tmp_path: Path) -> None:
    session = session_giving(element.name, 3)
    value = run_as_needed(session, feeds_of(session, 3))
    (path,) = save_outputs(str(tmp_path), ["y"], [value], [f"tensor({element.name})"])
    tensor = TensorInfo(name="x", type=f"tensor({element.name})", shape=(3,))
    feeds = make_inputs((tensor,), {}, 0, (InputSource(name="x", kind=SourceKind.FILE, path=path),)).feeds
    found = numpy_of(run_as_needed(session_with(element.name, 3), feeds))
    is_as_written = found.dtype == element.storage and not element.is_packed
    assert found.tolist() == (numpy_of(value).tolist() if is_as_written else [1, 1, 1])


@pytest.mark.parametrize("name", ["float", "double", "float16", *FLOATS_OF_BITS])
@pytest.mark.parametrize("number", [np.inf, np.nan])
def test_that_what_is_not_finite_is_named_in_every_float(name: str, number: float) -> None:
    session = session_giving(name, 2)
    kind = f"tensor({name})"
    if session.get_inputs()[0].type == kind:
        array = np.zeros(2, FLOATS_OF_BITS.get(name, ELEMENTS[name].storage))
        with np.errstate(all="ignore"):
            array[1] = number  # some know no infinity, and take NaN for it
        bits, onnx_number = array.view(ELEMENTS[name].storage), ELEMENTS[name].onnx_number
        feed = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, onnx_number) if name in FLOATS_OF_BITS else array
        result = run_as_needed(session, {"x": feed})
        is_finite = False
    else:
        result = run_as_needed(session, {"x": np.array([1, number], np.float32)})
        is_finite = number == np.inf  # ORT casts it to the largest number
    found = list(non_finite(["a", "y"], [np.zeros(1), result], ["tensor(double)", kind]))
    assert found == ([] if is_finite else ["y"])


def test_that_sequences_and_maps_are_looked_into() -> None:
    good, bad = np.zeros(2, np.float32), np.array([1, np.nan], np.float32)
    names = ["a", "b", "c", "d", "e", "f", "g"]
    values = [[good, bad], [good], {"x": 1.0, "y": float("inf")}, {1: 1.0}, [{1: float("nan")}], None, {"a": "text"}]
    assert list(non_finite(names, values)) == ["a", "c", "e"]


def test_that_missing_ml_dtypes_hide_no_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert list(non_finite(["y"], [np.array([0x7F], np.uint8)], ["tensor(float8e4m3fn)"])) == ["y"]
    assert list(non_finite(["y"], [np.array([0x7F], np.uint8)], ["tensor(uint8)"])) == []


# ---- Sequences, maps, optionals ----


@pytest.mark.parametrize("length", [0, 1, 3])
@pytest.mark.parametrize("element", ["float", "string", "int64", "bool"])
def test_that_a_sequence_is_told_and_saved(element: str, length: int, tmp_path: Path) -> None:
    session = identity(sequence_type(tensor_type(element, 2)))
    kind = session.get_inputs()[0].type
    feeds = make_inputs(
        (TensorInfo(name="x", type=kind, shape=(2,)),), {}, 0, (InputSource(name="x", length=length),)
    ).feeds
    (value,) = session.run(["y"], feeds)
    assert output_info("y", value, kind) == TensorInfo(name="y", type=kind, shape=None)
    (path,) = save_outputs(str(tmp_path), ["y"], [value], [kind])
    proto = onnx.SequenceProto.FromString(Path(path).read_bytes())
    assert (proto.name, proto.elem_type) == ("y", onnx.SequenceProto.TENSOR)
    found = numpy_helper.to_list(proto)
    assert [entry.tolist() for entry in found] == [entry.tolist() for entry in feeds["x"]]
    assert all(entry.data_type == ELEMENTS[element].onnx_number for entry in proto.tensor_values)


@pytest.mark.parametrize("keys", [["a", "b"], [4, 5]])
def test_that_a_sequence_of_maps_is_told_and_saved(keys: list[Any], tmp_path: Path) -> None:
    is_text = isinstance(keys[0], str)
    node = helper.make_node(
        "ZipMap",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        **{"classlabels_strings" if is_text else "classlabels_int64s": keys},
    )
    within = helper.make_map_type_proto(8 if is_text else 7, helper.make_tensor_type_proto(FLOAT, []))
    session = session_of([node], {"x": tensor_type("float", None, 2)}, {"y": sequence_type(within)})
    kind = session.get_outputs()[0].type
    (value,) = session.run(["y"], {"x": np.array([[1, 2], [3, 4]], np.float32)})
    assert output_info("y", value, kind).type == kind == f"seq(map({'string' if is_text else 'int64'},tensor(float)))"
    (path,) = save_outputs(str(tmp_path), ["y"], [value], [kind])
    proto = onnx.SequenceProto.FromString(Path(path).read_bytes())
    assert proto.elem_type == onnx.SequenceProto.MAP
    first, second = proto.map_values
    assert list(first.string_keys if is_text else first.keys) == [key.encode() if is_text else key for key in keys]
    assert [numpy_helper.to_array(entry).item() for entry in second.values.tensor_values] == [3, 4]
    assert {entry.data_type for entry in first.values.tensor_values} == {FLOAT}


@pytest.mark.parametrize("is_given", [True, False])
@pytest.mark.parametrize("way", ["run", "values"])
def test_that_an_optional_is_told_and_saved(is_given: bool, way: str, tmp_path: Path) -> None:
    session = identity(optional_type(tensor_type("float", 2)))
    kind = session.get_outputs()[0].type
    feeds = {"x": np.ones(2, np.float32)} if is_given else {}
    if way == "run":
        (value,) = session.run(["y"], feeds)
    else:
        (value,) = session.run_with_ort_values(["y"], as_ort_values(feeds))
    info = output_info("y", value, kind)
    assert (info.type, info.shape) == (("tensor(float)", (2,)) if is_given else ("optional(tensor(float))", None))
    assert list(non_finite(["y"], [value], [kind])) == []
    (path,) = save_outputs(str(tmp_path), ["y"], [value], [kind])
    proto = onnx.OptionalProto.FromString(Path(path).read_bytes())
    assert (proto.name, proto.elem_type, proto.HasField("tensor_value")) == ("y", onnx.OptionalProto.TENSOR, is_given)
    if is_given:
        assert numpy_helper.to_array(proto.tensor_value).tolist() == [1, 1]


@pytest.mark.parametrize("is_given", [True, False])
def test_that_an_optional_sequence_is_saved(is_given: bool, tmp_path: Path) -> None:
    session = identity(optional_type(sequence_type(tensor_type("float", 2))))
    (value,) = session.run(["y"], {"x": [np.ones(2, np.float32)]} if is_given else {})
    (path,) = save_outputs(str(tmp_path), ["y"], [value], [session.get_outputs()[0].type])
    proto = onnx.OptionalProto.FromString(Path(path).read_bytes())
    assert proto.elem_type == onnx.OptionalProto.SEQUENCE
    assert len(proto.sequence_value.tensor_values) == is_given


# ---- IO binding ----


@pytest.mark.parametrize("element", ["float", "int8", "bfloat16", "int4", "float8e5m2"])
def test_that_bound_outputs_are_told_and_saved_too(element: str, tmp_path: Path) -> None:
    session = session_giving(element, 3)
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", as_ort_values(feeds_of(session, 3))["x"])
    binding.bind_output("y")
    session.run_with_iobinding(binding)
    (value,) = binding.get_outputs()
    kind = f"tensor({element})"
    assert output_info("y", value, kind) == TensorInfo(name="y", type=kind, shape=(3,))
    (path,) = save_outputs(str(tmp_path), ["y"], [value], [kind])
    assert numpy_helper.to_array(onnx.TensorProto.FromString(Path(path).read_bytes())).tolist() == [1, 1, 1]


def test_that_a_bound_sequence_is_told_but_not_saved(tmp_path: Path) -> None:
    two = tensor_type("float", 2)
    session = session_of([helper.make_node("SequenceConstruct", ["x"], ["y"])], {"x": two}, {"y": sequence_type(two)})
    (value,) = session.run_with_ort_values(["y"], as_ort_values({"x": np.ones(2, np.float32)}))
    kind = "seq(tensor(float))"
    assert output_info("y", value, kind) == TensorInfo(name="y", type=kind, shape=None)
    assert list(non_finite(["y"], [value], [kind])) == []
    failure = failure_of(tmp_path, value, kind)
    assert "y cannot be saved as .pb: a seq(tensor(float)) cannot be read from an OrtValue" in failure.message


# ---- Saving ----


def failure_of(folder: Path, value: Any, kind: str = "tensor(float)") -> Failure:
    with pytest.raises(FailureError) as caught:
        save_outputs(str(folder), ["y"], [value], [kind])
    assert caught.value.failure.kind is FailureKind.BAD_SETTING
    assert caught.value.failure.hint
    return caught.value.failure


def test_that_outputs_are_numbered_in_their_order(tmp_path: Path) -> None:
    values = [np.full(1, number, np.float32) for number in range(3)]
    paths = save_outputs(str(tmp_path), ["c", "a", "b/d"], values, ["tensor(float)"] * 3)
    assert [Path(path).name for path in paths] == ["output_0.pb", "output_1.pb", "output_2.pb"]
    protos = [onnx.TensorProto.FromString(Path(path).read_bytes()) for path in paths]
    assert [(proto.name, numpy_helper.to_array(proto).item()) for proto in protos] == [("c", 0), ("a", 1), ("b/d", 2)]


def test_that_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert str(file) in failure_of(file, np.ones(1, np.float32)).message
    assert "cannot be saved" in failure_of(file / "within", np.ones(1, np.float32)).message


def test_that_a_missing_onnx_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    failure = failure_of(tmp_path, np.ones(1, np.float32))
    assert "package onnx" in failure.message


def test_that_an_output_too_large_for_a_message_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_files, "MAX_MESSAGE_BYTES", (1 << 16) + 100)
    assert save_outputs(str(tmp_path), ["y"], [np.zeros(25, np.float32)], ["tensor(float)"])
    assert "y cannot be saved as .pb: it is larger than" in failure_of(tmp_path, np.zeros(26, np.float32)).message


def test_that_a_type_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert "tensor(complex64) cannot be written" in failure_of(tmp_path, np.ones(1), "tensor(complex64)").message


def test_that_what_has_no_declared_type_is_told_by_its_value() -> None:
    assert output_info("y", np.zeros((2, 3))).type == "tensor(double)"
    assert output_info("y", np.zeros(2, object)).type == "tensor(string)"
    assert output_info("y", [1]).type == "list"
    assert module.numpy_of(None) is None
