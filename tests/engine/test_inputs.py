"""Generated inputs: the same everywhere, of the type and shape a model asks for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gui.engine import inputs
from gui.engine.inputs import generate_inputs
from gui.records.engine_command import PACKAGE_ROOT
from gui.records.failure import FailureError, FailureKind
from gui.records.model import Dimension, TensorInfo

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


def tensor(element: str = "float", *shape: Dimension, name: str = "x") -> TensorInfo:
    return TensorInfo(name=name, type=f"tensor({element})", shape=shape)


def generate(info: TensorInfo, seed: int = 0, **sizes: int) -> npt.NDArray[Any]:
    values = generate_inputs((info,), sizes, seed)
    assert list(values) == [info.name]
    return values[info.name]


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
    values = generate_inputs((tensor(element, 1000, name="a"), tensor(element, 1000, name="b")), {}, 0)
    assert (values["a"] != values["b"]).any()


def test_that_the_values_of_an_input_do_not_depend_on_the_others() -> None:
    alone = generate(tensor("float", 100, name="b"))
    together = generate_inputs((tensor("float", 100, name="a"), tensor("float", 100, name="b")), {}, 0)
    np.testing.assert_array_equal(together["b"], alone)


def test_that_another_process_generates_the_same_values() -> None:
    program = (
        "from gui.engine.inputs import generate_inputs\n"
        "from gui.records.model import TensorInfo\n"
        "info = TensorInfo(name='x', type='tensor(float)', shape=(50,))\n"
        "print(generate_inputs((info,), {}, 3)['x'].tobytes().hex())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PACKAGE_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == generate(tensor("float", 50), 3).tobytes().hex()


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


# ---- Shapes ----


def test_that_a_free_dimension_is_one_unless_told() -> None:
    assert generate(tensor("float", "N", None, 3)).shape == (1, 1, 3)


def test_that_a_free_dimension_is_found_by_its_name_or_place() -> None:
    info = tensor("float", "N", None, 3)
    assert generate_inputs((info,), {"N": 4, "x[1]": 5, "x[2]": 9, "other": 7}, 0)["x"].shape == (4, 5, 3)


def test_that_inputs_share_a_dimension_of_the_same_name() -> None:
    values = generate_inputs((tensor("float", "N", name="a"), tensor("int64", "N", 2, name="b")), {"N": 6}, 0)
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
    assert generate_inputs((), {"N": 3}, 0) == {}


# ---- What can't be generated ----


@pytest.mark.parametrize(
    "type_text",
    ["seq(tensor(float))", "map(string,tensor(float))", "optional(tensor(float))", "tensor(bfloat16)", "tensor(int4)"],
)
def test_that_a_type_without_values_is_refused_by_name(type_text: str) -> None:
    with pytest.raises(FailureError) as caught:
        generate_inputs((tensor("float", 1), TensorInfo(name="odd", type=type_text, shape=(1,))), {}, 0)
    failure = caught.value.failure
    assert failure.kind is FailureKind.UNSUPPORTED_INPUT
    assert "odd" in failure.message
    assert type_text in failure.message


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
        generate_inputs(parts, {}, 0)
