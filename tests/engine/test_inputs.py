"""The inputs of a trial: generated the same everywhere, of the type and shape a model asks for, as ORT takes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest
from onnx import helper

from gui.engine import inputs
from gui.engine.elements import ELEMENTS, Element
from gui.engine.inputs import MadeInputs, as_ort_values, make_inputs, sizes_of_files
from gui.records.engine_command import PACKAGE_ROOT
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.inputs import Fill, InputSource, SourceKind
from gui.records.model import Dimension, TensorInfo

from .tiny_models import (
    FLOAT,
    FLOATS_OF_BITS,
    INT64,
    STRING,
    bytes_of,
    identity,
    map_type,
    optional_type,
    sequence_type,
    session_of,
    session_with,
    tensor_type,
)

DTYPES: dict[str, Any] = {
    "float": np.float32,
    "double": np.float64,
    "float16": np.float16,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "bool": np.bool_,
    "string": np.object_,
}
EVERY_TYPE = pytest.mark.parametrize("element", DTYPES)
EVERY_ELEMENT = pytest.mark.parametrize("element", ELEMENTS.values(), ids=lambda element: element.name)


def tensor(element: str = "float", *shape: Dimension, name: str = "x") -> TensorInfo:
    return TensorInfo(name=name, type=f"tensor({element})", shape=shape)


def typed(type_text: str, *shape: Dimension, name: str = "x") -> TensorInfo:
    return TensorInfo(name=name, type=type_text, shape=shape)


def make(info: TensorInfo, seed: int = 0, sizes: dict[str, int] | None = None, **source: Any) -> MadeInputs:
    sources = (InputSource(name=info.name, **source),) if source else ()
    return make_inputs((info,), sizes or {}, seed, sources)


def generate(info: TensorInfo, seed: int = 0, **sizes: int) -> npt.NDArray[Any]:
    feeds = make(info, seed, sizes).feeds
    assert list(feeds) == [info.name]
    values: npt.NDArray[Any] = feeds[info.name]
    return values


def failure_of(*tensors: TensorInfo, **fields: Any) -> Failure:
    with pytest.raises(FailureError) as caught:
        make_inputs(tensors, {}, 0, **fields)
    assert caught.value.failure.hint
    return caught.value.failure


@EVERY_TYPE
def test_that_an_input_has_the_type_and_shape_asked_for(element: str) -> None:
    values = generate(tensor(element, 2, "N", 3), N=5)
    assert values.dtype == DTYPES[element]
    assert values.shape == (2, 5, 3)


@EVERY_TYPE
def test_that_the_same_seed_gives_the_same_values(element: str) -> None:
    info = tensor(element, 1000)
    np.testing.assert_array_equal(generate(info, 7), generate(info, 7))


@EVERY_TYPE
def test_that_another_seed_gives_other_values(element: str) -> None:
    info = tensor(element, 1000)
    assert (generate(info, 7) != generate(info, 8)).any()


@EVERY_TYPE
def test_that_each_input_has_values_of_its_own(element: str) -> None:
    values = make_inputs((tensor(element, 1000, name="a"), tensor(element, 1000, name="b")), {}, 0).feeds
    assert (values["a"] != values["b"]).any()


def test_that_the_values_of_an_input_do_not_depend_on_the_others() -> None:
    alone = generate(tensor("float", 100, name="b"))
    together = make_inputs((tensor("float", 100, name="a"), tensor("float", 100, name="b")), {}, 0).feeds
    np.testing.assert_array_equal(together["b"], alone)


def test_that_another_process_generates_the_same_values() -> None:
    program = (
        "from gui.engine.inputs import make_inputs\n"
        "from gui.records.model import TensorInfo\n"
        "info = TensorInfo(name='x', type='tensor(float)', shape=(50,))\n"
        "print(make_inputs((info,), {}, 3).feeds['x'].tobytes().hex())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PACKAGE_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == generate(tensor("float", 50), 3).tobytes().hex()


@pytest.mark.parametrize(
    ("element", "digits"),
    [
        *(("float", "e0cf553e6e034a3f"), ("float16", "ae32503ab63b"), ("double", "7fae46cd6d40e93f")),
        *(("int8", "b978f3b5ea"), ("bool", "000101000000000001")),
        ("uint16", "000001000100000000000000000000000100"),
    ],
)
def test_that_values_are_what_they_always_were(element: str, digits: str) -> None:
    count = len(digits) // 2 // np.dtype(DTYPES[element]).itemsize
    assert generate(tensor(element, count), 5).tobytes().hex() == digits


@pytest.mark.parametrize("element", ["float", "double", "float16"])
def test_that_floats_are_spread_from_zero_to_one(element: str) -> None:
    values = generate(tensor(element, 10_000)).astype(np.float64)
    assert values.min() >= 0
    assert values.max() <= 1
    assert np.histogram(values, bins=10, range=(0, 1))[0].min() > 800


@pytest.mark.parametrize("element", ["int8", "uint8"])
def test_that_bytes_use_their_whole_range(element: str) -> None:
    values = generate(tensor(element, 20_000))
    bounds = np.iinfo(DTYPES[element])
    assert (values.min(), values.max()) == (bounds.min, bounds.max)


@pytest.mark.parametrize("element", ["int16", "int32", "int64", "uint16", "uint32", "uint64"])
def test_that_wider_integers_are_zero_or_one(element: str) -> None:
    assert set(generate(tensor(element, 1000)).tolist()) == {0, 1}


def test_that_truths_and_strings_come_in_both_kinds() -> None:
    assert set(generate(tensor("bool", 100)).tolist()) == {False, True}
    assert set(generate(tensor("string", 100)).tolist()) == {"a", "b"}


@pytest.mark.parametrize("element", ["float", "int8", "uint8", "int64", "uint64", "bfloat16", "int4"])
def test_that_the_default_is_the_fill_that_says_the_same(element: str) -> None:
    known = ELEMENTS[element]
    fields: dict[str, Any] = {"fill": Fill.UNIFORM, "low": 0, "high": 1}
    if known.is_integer:
        narrow = known.high - known.low <= 255
        fields = {"fill": Fill.INTEGERS, "low": known.low if narrow else 0, "high": known.high if narrow else 1}
    session = session_with(element, None)
    (default,), (chosen,) = (
        session.run_with_ort_values(["y"], as_ort_values(made.feeds))
        for made in (make(tensor(element, 99)), make(tensor(element, 99), **fields))
    )
    assert bytes_of(default) == bytes_of(chosen)


# ---- Shapes ----


def test_that_a_free_dimension_is_one_unless_told() -> None:
    assert generate(tensor("float", "N", None, 3)).shape == (1, 1, 3)


def test_that_a_free_dimension_is_found_by_its_name_or_place() -> None:
    info = tensor("float", "N", None, 3)
    assert make(info, 0, {"N": 4, "x[1]": 5, "x[2]": 9, "other": 7}).feeds["x"].shape == (4, 5, 3)


def test_that_inputs_share_a_dimension_of_the_same_name() -> None:
    values = make_inputs((tensor("float", "N", name="a"), tensor("int64", "N", 2, name="b")), {"N": 6}, 0).feeds
    assert (values["a"].shape, values["b"].shape) == ((6,), (6, 2))


@pytest.mark.parametrize("info", [tensor("float"), TensorInfo(name="x", type="tensor(float)", shape=None)])
def test_that_a_scalar_or_an_unknown_rank_gives_one_value(info: TensorInfo) -> None:
    assert generate(info).shape == ()


@EVERY_TYPE
def test_that_a_scalar_is_an_array_all_the_same(element: str) -> None:
    values = generate(tensor(element))
    assert isinstance(values, np.ndarray)
    assert values.dtype == DTYPES[element]


def test_that_an_empty_dimension_stays_empty() -> None:
    assert generate(tensor("float", 0, 3)).shape == (0, 3)


def test_that_no_inputs_give_no_values() -> None:
    made = make_inputs((), {"N": 3}, 0)
    assert made.feeds == {}
    assert made.facts == ()


def test_that_a_shape_is_taken_only_where_the_model_leaves_it_open() -> None:
    free = TensorInfo(name="x", type="tensor(float)", shape=None)
    assert make(free, shape=(2, 3)).feeds["x"].shape == (2, 3)
    assert make(tensor("float", 4), shape=(2, 3)).feeds["x"].shape == (4,)


# ---- What is told ----


def test_that_facts_tell_what_each_input_got_in_the_models_order() -> None:
    optional = typed("optional(tensor(float))", 2, name="c")
    sources = (
        InputSource(name="c", kind=SourceKind.OMITTED),
        InputSource(name="a", fill=Fill.ONES),
    )
    made = make_inputs(
        (tensor("float", 2, "N", name="a"), tensor("int64", name="b"), optional), {"N": 3}, 0, sources, {"b": "why"}
    )
    assert [(fact.name, fact.type, fact.shape, fact.reason) for fact in made.facts] == [
        ("a", "tensor(float)", (2, 3), ""),
        ("b", "tensor(int64)", (), "why"),
        ("c", "optional(tensor(float))", None, ""),
    ]
    assert made.facts[0].source is sources[1]
    assert made.facts[2].source is sources[0]
    assert list(made.feeds) == ["a", "b"]


# ---- As ORT takes them ----


@EVERY_ELEMENT
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3)], ids=str)
@pytest.mark.parametrize("kind", [Fill.AUTOMATIC, Fill.ONES])
def test_that_every_type_runs_as_it_was_made(element: Element, shape: tuple[int, ...], kind: Fill) -> None:
    session = session_with(element.name, *shape)
    info = TensorInfo(name="x", type=session.get_inputs()[0].type, shape=shape)
    made = make(info, fill=kind)
    (fact,) = made.facts
    assert (fact.type, fact.shape) == (f"tensor({element.name})", shape)
    if element.is_text:
        (found,) = session.run(["y"], made.feeds)
        assert found.tolist() == made.feeds["x"].tolist()
        return
    (result,) = session.run_with_ort_values(["y"], as_ort_values(made.feeds))
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", as_ort_values(made.feeds)["x"])
    binding.bind_output("y")
    session.run_with_iobinding(binding)
    assert tuple(result.shape()) == shape
    assert bytes_of(result) == bytes_of(binding.get_outputs()[0])
    if kind is Fill.ONES and np.prod(shape):
        one = np.array(1, FLOATS_OF_BITS.get(element.name, element.storage))
        if result.data_type() != info.type:
            one = np.array(1, np.float32 if element.is_float else np.int8)
        assert bytes_of(result) == one.tobytes() * int(np.prod(shape))
    if not element.is_bits:
        np.testing.assert_array_equal(session.run(None, made.feeds)[0], result.numpy())


@pytest.mark.parametrize("element", ["float", "int64", "string", "bool", "float16"])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_that_sequences_have_entries_of_their_tensors_type(element: str, length: int) -> None:
    session = identity(sequence_type(tensor_type(element, 2, "N")))
    info = typed(session.get_inputs()[0].type, 2, "N")
    made = make(info, sizes={"N": 4}, length=length)
    (found,) = session.run(None, made.feeds)
    assert len(found) == length
    assert all(entry.shape == (2, 4) and entry.dtype == DTYPES[element] for entry in found)
    assert len({str(entry.tolist()) for entry in found}) == length
    assert made.facts[0].shape is None


def test_that_a_sequence_has_one_entry_unless_told() -> None:
    info = TensorInfo(name="x", type="seq(tensor(float))", shape=None)
    (entry,) = make(info).feeds["x"]
    assert entry.shape == (1,)


@pytest.mark.parametrize(("key", "keys"), [(STRING, ["a", "b", "c"]), (INT64, [0, 1, 2])])
def test_that_maps_have_as_many_keys_as_asked_for(key: int, keys: list[Any]) -> None:
    node = helper.make_node(
        "DictVectorizer",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        **{"string_vocabulary" if key == STRING else "int64_vocabulary": keys},
    )
    session = session_of([node], {"x": map_type(key, FLOAT)}, {"y": tensor_type("float", 1, 3)})
    made = make(typed(session.get_inputs()[0].type), fill=Fill.VALUES, value="1.5,2,-3", length=3)
    assert list(made.feeds["x"]) == keys
    assert session.run(None, made.feeds)[0].tolist() == [[1.5, 2, -3]]
    assert len(make(typed(session.get_inputs()[0].type)).feeds["x"]) == 1


def test_that_a_map_has_different_keys_whatever_its_length() -> None:
    keys = list(make(typed("map(string,tensor(float))"), length=1000).feeds["x"])
    assert len(set(keys)) == 1000
    assert keys[25:28] == ["z", "aa", "ab"]


def test_that_a_sequence_of_maps_has_a_key_in_each() -> None:
    value = make(typed("seq(map(int64,tensor(float)))"), length=3).feeds["x"]
    assert [list(entry) for entry in value] == [[0], [0], [0]]
    assert all(isinstance(entry[0], float) for entry in value)


@pytest.mark.parametrize("within", ["tensor(float)", "seq(tensor(float))"])
def test_that_optionals_are_given_or_left_out(within: str) -> None:
    inner = tensor_type("float", 2)
    kind = optional_type(inner if within == "tensor(float)" else sequence_type(inner))
    nodes = [helper.make_node("OptionalHasElement", ["x"], ["y"]), helper.make_node("Identity", ["z"], ["w"])]
    session = session_of(nodes, {"x": kind, "z": inner}, {"y": tensor_type("bool"), "w": inner})
    infos = (typed(f"optional({within})", 2), tensor("float", 2, name="z"))
    given = make_inputs(infos, {}, 0)
    assert session.run(["y"], given.feeds)[0]
    omitted = make_inputs(infos, {}, 0, (InputSource(name="x", kind=SourceKind.OMITTED),), initializers=())
    assert not session.run(["y"], omitted.feeds)[0]
    assert not session.run_with_ort_values(["y"], as_ort_values(omitted.feeds))[0].numpy()
    assert given.facts[0].shape == ((2,) if within == "tensor(float)" else None)


def test_that_an_initializer_may_be_left_out_or_overridden() -> None:
    weight = helper.make_tensor("w", FLOAT, [2], [5.0, 5.0])
    two = tensor_type("float", 2)
    session = session_of([helper.make_node("Add", ["x", "w"], ["y"])], {"x": two, "w": two}, {"y": two}, (weight,))
    infos = (tensor("float", 2), tensor("float", 2, name="w"))
    zeros = InputSource(name="x", fill=Fill.ZEROS)
    kept = make_inputs(infos, {}, 0, (zeros, InputSource(name="w", kind=SourceKind.OMITTED)), initializers={"w"})
    assert session.run(None, kept.feeds)[0].tolist() == [5, 5]
    given = make_inputs(infos, {}, 0, (InputSource(name="w", fill=Fill.ONES), zeros), initializers={"w"})
    assert session.run(None, given.feeds)[0].tolist() == [1, 1]


def test_that_what_is_no_tensor_of_numbers_makes_no_ort_value() -> None:
    for info, what in (
        (tensor("string", 2), "text"),
        (typed("seq(tensor(float))", 2), "no tensor"),
        (typed("map(int64,tensor(float))"), "no tensor"),
    ):
        with pytest.raises(FailureError) as caught:
            as_ort_values(make(info).feeds)
        failure = caught.value.failure
        assert failure.kind is FailureKind.UNSUPPORTED_INPUT
        assert f"x is {what}" in failure.message
        assert "IO binding" in failure.hint


# ---- What cannot be given ----


@pytest.mark.parametrize(
    "type_text",
    [
        *("tensor(complex64)", "tensor(float4e2m1)", "sparse_tensor(float)", "map(int32,tensor(float))"),
        *("seq(tensor(complex64))", "optional(tensor(complex64))", "map(string,tensor(int64))", "opaque(a,b)"),
        *("seq(map(int64,tensor(double)))", "map(int64,tensor(string))"),
    ],
)
@pytest.mark.parametrize("kind", [SourceKind.GENERATED, SourceKind.FILE])
def test_that_a_type_that_cannot_be_given_is_refused_by_name(type_text: str, kind: SourceKind) -> None:
    source = InputSource(name="odd", kind=kind, path="odd.npy")
    failure = failure_of(tensor("float", 1), typed(type_text, 1, name="odd"), sources=(source,))
    assert failure.kind is FailureKind.UNSUPPORTED_INPUT
    assert "odd" in failure.message
    assert type_text in failure.message


def test_that_a_map_without_entries_is_refused() -> None:
    source = InputSource(name="x", length=0)
    failure = failure_of(typed("map(int64,tensor(float))"), sources=(source,))
    assert failure.kind is FailureKind.BAD_INPUT
    assert "entry" in failure.message


def test_that_a_source_for_no_input_is_refused_with_those_there_are() -> None:
    failure = failure_of(tensor(name="a"), tensor(name="b"), sources=(InputSource(name="c"),))
    assert failure.kind is FailureKind.BAD_INPUT
    assert failure.message == "The model has no input c."
    assert failure.hint == "Its inputs are: a, b."


def test_that_a_tensor_that_the_model_needs_cannot_be_left_out() -> None:
    source = InputSource(name="x", kind=SourceKind.OMITTED)
    failure = failure_of(tensor(), tensor(name="w"), sources=(source,), initializers={"w"})
    assert failure.kind is FailureKind.BAD_INPUT
    assert "x cannot be left out" in failure.message


def test_that_inputs_larger_than_memory_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_available_bytes", lambda: 2**30)
    with pytest.raises(FailureError) as caught:
        generate(tensor("float", "N", 1 << 30), N=1 << 30)
    failure = caught.value.failure
    assert failure.kind is FailureKind.OUT_OF_MEMORY
    assert "4,294,967,296.0 GiB" in failure.message
    assert "1.0 GiB" in failure.message


def test_that_the_inputs_together_must_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_available_bytes", lambda: 2000)
    parts = tuple(tensor("uint8", 501, name=name) for name in "ab")
    assert generate(parts[0]).shape == (501,)
    with pytest.raises(FailureError):
        make_inputs(parts, {}, 0)


def test_that_sequences_maps_and_files_must_fit_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "x.npy"
    np.save(file, np.zeros(5000, np.float32))
    monkeypatch.setattr(inputs, "_available_bytes", lambda: 20_000)
    for info, source in (
        (typed("seq(tensor(uint8))", 1000), InputSource(name="x", length=10)),
        (typed("map(int64,tensor(float))"), InputSource(name="x", length=1000)),
        (tensor("float", 5000), InputSource(name="x", kind=SourceKind.FILE, path=str(file))),
        (tensor("string", 1000), InputSource(name="x")),
    ):
        failure = failure_of(info, sources=(source,))
        assert failure.kind is FailureKind.OUT_OF_MEMORY


# ---- Sizes that files determine ----


@pytest.fixture
def npy(tmp_path: Path) -> Any:
    def save(name: str, *shape: int) -> InputSource:
        path = tmp_path / f"{name}.npy"
        np.save(path, np.zeros(shape, np.float32))
        return InputSource(name=name, kind=SourceKind.FILE, path=str(path))

    return save


def test_that_files_determine_the_free_dimensions(npy: Any) -> None:
    infos = (
        tensor("float", "N", 3, None, name="a"),
        tensor("float", "N", "M", name="b"),
        tensor("float", "K", name="c"),
    )
    sources = (npy("b", 4, 5), npy("a", 4, 3, 6), InputSource(name="c"))
    assert sizes_of_files(infos, sources, {}) == {"N": 4, "M": 5, "a[2]": 6}
    assert sizes_of_files(infos, sources, {"N": 4, "K": 2}) == {"M": 5, "a[2]": 6}


def test_that_files_that_do_not_agree_are_both_named(npy: Any) -> None:
    infos = (tensor("float", "N", name="a"), tensor("float", "N", name="b"))
    with pytest.raises(FailureError) as caught:
        sizes_of_files(infos, (npy("a", 2), npy("b", 3)), {})
    failure = caught.value.failure
    assert failure.kind is FailureKind.BAD_INPUT
    assert failure.message == "The file of b says N = 3, but the file of a says 2."


def test_that_one_file_may_contradict_itself(npy: Any) -> None:
    with pytest.raises(FailureError) as caught:
        sizes_of_files((tensor("float", "N", "N", name="a"),), (npy("a", 2, 3),), {})
    assert caught.value.failure.message == "The file of a says N = 3, but another axis of it says 2."


def test_that_a_size_chosen_otherwise_is_named(npy: Any) -> None:
    with pytest.raises(FailureError) as caught:
        sizes_of_files((tensor("float", "N", name="a"),), (npy("a", 2),), {"N": 7})
    failure = caught.value.failure
    assert failure.message == "The file of a says N = 2, but 7 is chosen."
    assert "N = 2" in failure.hint


def test_that_files_of_another_rank_determine_nothing(npy: Any) -> None:
    assert sizes_of_files((tensor("float", "N", name="a"),), (npy("a", 2, 3),), {}) == {}
    assert sizes_of_files((TensorInfo(name="a", type="tensor(float)", shape=None),), (npy("a", 2, 3),), {}) == {}


def test_that_a_missing_file_is_told_before_a_session_is_made() -> None:
    source = InputSource(name="x", kind=SourceKind.FILE, path="/no/such/x.npy")
    with pytest.raises(FailureError) as caught:
        sizes_of_files((tensor("float", "N"),), (source,), {})
    assert caught.value.failure.kind is FailureKind.BAD_INPUT_FILE


def test_that_inputs_are_copied_by_no_binding() -> None:
    """ORT keeps to numpy's memory, so the arrays must live as long as the values."""
    made = make(tensor("bfloat16", 1000), fill=Fill.ONES)
    value = made.feeds["x"]
    del made
    assert isinstance(value, ort.OrtValue)
    assert bytes_of(value) == b"\x80\x3f" * 1000
