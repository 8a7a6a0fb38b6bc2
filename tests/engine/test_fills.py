"""Generated values: every fill of every element type has the type, the shape and the range asked for."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gui.engine import fills
from gui.engine.elements import ELEMENTS, Element, is_finite
from gui.engine.fills import filled
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.inputs import Fill, InputSource

from .tiny_models import FLOATS_OF_BITS

EVERY = pytest.mark.parametrize("element", ELEMENTS.values(), ids=lambda element: element.name)
WHOLE = pytest.mark.parametrize("element", [it for it in ELEMENTS.values() if it.is_integer], ids=lambda it: it.name)
SHAPES = [(), (0, 3), (7,), (2, 3, 4)]


def fill(name: str, kind: Fill, *shape: int, seed: int = 0, **fields: Any) -> np.ndarray[Any, Any]:
    source = InputSource(name="x", fill=kind, **fields)
    return filled("x", ELEMENTS[name], shape, source, np.random.default_rng(seed))


def failure_of(name: str, kind: Fill, *shape: int, **fields: Any) -> Failure:
    with pytest.raises(FailureError) as caught:
        fill(name, kind, *shape, **fields)
    failure = caught.value.failure
    assert failure.kind is FailureKind.BAD_INPUT
    assert failure.hint
    return failure


def numbers(element: Element, array: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return what the values stand for."""
    if element.is_bits:
        array = array.view(FLOATS_OF_BITS[element.name])
    return array.astype(np.float64)


@EVERY
@pytest.mark.parametrize("kind", Fill)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_that_every_fill_gives_type_shape_and_range(element: Element, kind: Fill, shape: tuple[int, ...]) -> None:
    low = 1 if element.least > 0 else 0
    fields: dict[str, Any] = {"low": low, "high": 2 if element.name not in ("bool", "int2") else 1}
    fields["value"] = ",".join(["1"] * math.prod(shape)) if kind is Fill.VALUES else "1"
    if kind is Fill.ZEROS and element.least > 0:
        assert "cannot hold 0" in failure_of(element.name, kind, *shape).message
        return
    values = fill(element.name, kind, *shape, **fields)
    assert values.dtype == element.storage
    assert values.shape == shape
    found = numbers(element, values) if not (element.is_text and kind is Fill.AUTOMATIC) else np.zeros(1)
    bounds = {
        Fill.AUTOMATIC: (element.low, element.high) if element.is_integer else (0, 1),
        Fill.UNIFORM: (low, 2),
        Fill.NORMAL: (-10, 10),
        Fill.ZEROS: (0, 0),
        Fill.INTEGERS: (low, 2),
    }.get(kind, (1, 1))
    assert ((found >= bounds[0]) & (found <= bounds[1])).all()


@EVERY
@pytest.mark.parametrize("kind", [Fill.AUTOMATIC, Fill.UNIFORM, Fill.NORMAL, Fill.INTEGERS])
def test_that_values_vary(element: Element, kind: Fill) -> None:
    low, high = (1, 8) if element.least > 0 else (0, 1)
    values = fill(element.name, kind, 1000, low=low, high=high)
    is_constant = kind is Fill.UNIFORM and element.is_integer  # of [0, 1) there is but 0
    assert (len(set(values.tolist())) > 1) != is_constant


@EVERY
@pytest.mark.parametrize("kind", [Fill.AUTOMATIC, Fill.UNIFORM, Fill.NORMAL, Fill.INTEGERS])
def test_that_large_arrays_hold_what_small_ones_begin_with(
    element: Element, kind: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fill(element.name, kind, 1000, low=1, high=1)
    monkeypatch.setattr(fills, "_CHUNK", 64)
    parts = fill(element.name, kind, 1000, low=1, high=1)
    assert parts.tolist() == whole.tolist()


# ---- Floating point ----


@pytest.mark.parametrize("name", ["float", "double", "float16", "bfloat16"])
def test_that_uniform_values_are_spread_over_their_range(name: str) -> None:
    values = numbers(ELEMENTS[name], fill(name, Fill.UNIFORM, 20_000, low=-3, high=5))
    counts = np.histogram(values, bins=8, range=(-3, 5))[0]
    assert counts.sum() == 20_000
    assert counts.min() > 2200


@pytest.mark.parametrize("name", ["float", "double", "float16", "bfloat16"])
def test_that_normal_values_have_mean_and_deviation(name: str) -> None:
    values = numbers(ELEMENTS[name], fill(name, Fill.NORMAL, 20_000, low=5, high=2))
    assert abs(values.mean() - 5) < 0.1
    assert abs(values.std() - 2) < 0.1


@pytest.mark.parametrize("name", [it.name for it in ELEMENTS.values() if it.is_float])
def test_that_normal_values_beyond_the_type_are_cut_off(name: str) -> None:
    element = ELEMENTS[name]
    values = fill(name, Fill.NORMAL, 1000, low=1, high=min(element.limit * 2, 1e308))
    assert is_finite(element, values)
    assert numbers(element, values).max() == element.limit


def test_that_the_widest_range_of_double_is_no_infinity() -> None:
    values = fill("double", Fill.UNIFORM, 1000, low=-1.7e308, high=1.7e308)
    assert np.isfinite(values).all()
    assert values.min() < -1e308
    assert values.max() > 1e308


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("float16", {"kind": Fill.INTEGERS, "high": 70_000}),
        ("float16", {"kind": Fill.UNIFORM, "high": 1e6}),
        ("float", {"kind": Fill.UNIFORM, "low": -1e39}),
        ("float8e4m3fn", {"kind": Fill.NORMAL, "low": 1000}),
        ("float8e5m2", {"kind": Fill.CONSTANT, "value": "100000"}),
        ("float", {"kind": Fill.CONSTANT, "value": "1e39"}),
        ("double", {"kind": Fill.CONSTANT, "value": "-1e309"}),
        ("float8e8m0", {"kind": Fill.CONSTANT, "value": "-1"}),
        ("float8e8m0", {"kind": Fill.ZEROS}),
    ],
)
def test_that_a_float_that_becomes_infinite_is_refused(name: str, fields: dict[str, Any]) -> None:
    failure = failure_of(name, fields["kind"], 2, **{key: value for key, value in fields.items() if key != "kind"})
    assert f"holds {name}, which cannot hold" in failure.message


@pytest.mark.parametrize("name", ["float", "double", "float16", "bfloat16", "float8e5m2"])
def test_that_infinity_and_nan_are_taken_when_asked_for(name: str) -> None:
    values = numbers(ELEMENTS[name], fill(name, Fill.VALUES, 3, value="inf, -inf, nan"))
    assert values.tolist()[:2] == [math.inf, -math.inf]
    assert math.isnan(values[2])


def test_that_bfloat16_is_rounded_not_cut() -> None:
    assert fill("bfloat16", Fill.CONSTANT, value="1.00390625").view(ml_dtypes.bfloat16) == 1.0
    assert fill("bfloat16", Fill.CONSTANT, value="1.01171875").view(ml_dtypes.bfloat16) == 1.015625


# ---- Whole numbers ----


@WHOLE
def test_that_a_range_of_integers_includes_both_ends(element: Element) -> None:
    low, high = max(element.low, -3), min(element.high, 3)
    assert set(fill(element.name, Fill.INTEGERS, 500, low=low, high=high).tolist()) == set(range(low, high + 1))


@WHOLE
def test_that_a_range_reaches_the_bounds_of_its_type(element: Element) -> None:
    assert fill(element.name, Fill.INTEGERS, low=element.high, high=element.high) == element.high
    assert fill(element.name, Fill.INTEGERS, low=element.low, high=element.low) == element.low
    assert fill(element.name, Fill.INTEGERS, 50, low=element.low, high=element.high).dtype == element.storage


@WHOLE
@pytest.mark.parametrize("kind", [Fill.INTEGERS, Fill.UNIFORM, Fill.CONSTANT, Fill.VALUES])
def test_that_what_a_whole_type_cannot_hold_is_refused_with_its_bounds(element: Element, kind: Fill) -> None:
    for bound in (element.low - 1, element.high + 1):
        fields: dict[str, Any] = {"low": bound, "high": bound, "value": str(bound)}
        failure = failure_of(element.name, kind, 1, **fields)
        assert failure.message == f"The input x holds {element.name}, which cannot hold {bound}."
        assert failure.hint == f"Stay between {element.low} and {element.high}."


@WHOLE
def test_that_normal_whole_numbers_are_cut_off_at_the_bounds(element: Element) -> None:
    values = fill(element.name, Fill.NORMAL, 1000, low=0, high=1e20)
    assert values.min() == element.low
    assert values.max() >= element.high - 2047


def test_that_uniform_whole_numbers_leave_out_the_end() -> None:
    assert set(fill("int64", Fill.UNIFORM, 500, low=-1.5, high=2).tolist()) == {-1, 0, 1}
    assert set(fill("int32", Fill.UNIFORM, 50, low=4, high=4).tolist()) == {4}


@pytest.mark.parametrize(("kind", "low", "high"), [(Fill.INTEGERS, 0.2, 0.8), (Fill.UNIFORM, 0.5, 1)])
def test_that_a_range_without_a_whole_number_is_refused(kind: Fill, low: float, high: float) -> None:
    assert "no whole number" in failure_of("int64", kind, 2, low=low, high=high).message


def test_that_large_numbers_are_exact() -> None:
    assert fill("int64", Fill.INTEGERS, low=2**53 + 1, high=2**53 + 1) == 2**53 + 1
    assert fill("uint64", Fill.CONSTANT, value=str(2**64 - 1)) == 2**64 - 1
    assert fill("int64", Fill.VALUES, 2, value=f"{-(2**63)},{2**63 - 1}").tolist() == [-(2**63), 2**63 - 1]


@pytest.mark.parametrize("name", ["float", "string"])
def test_that_a_range_wider_than_64_bits_is_refused(name: str) -> None:
    assert "wider than 64 bits" in failure_of(name, Fill.INTEGERS, 2, low=-5, high=2**63).message


# ---- From text ----


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        *(("float", "1.5", 1.5), ("float", " -2e3 ", -2000), ("double", "0.1", 0.1), ("float16", "65504", 65504)),
        *(
            ("int8", "-3", -3),
            ("uint8", "0x10", 16),
            ("int32", "0b11", 3),
            ("int64", "007", 7),
            ("int16", "1_000", 1000),
        ),
        *(("bool", "true", True), ("bool", "False", False), ("bool", "1", True), ("bool", "no", False)),
        *(("string", "", ""), ("string", "a, b", "a, b"), ("string", " x ", " x "), ("uint4", "15", 15)),
    ],
)
def test_that_a_constant_is_read_by_its_type(name: str, text: str, value: Any) -> None:
    assert fill(name, Fill.CONSTANT, 2, value=text).tolist() == [value, value]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        *(("float", "one", "a number"), ("float", "", "a number"), ("int8", "1.5", "a whole number")),
        *(("int8", "true", "a whole number"), ("bool", "2", "true or false"), ("bfloat16", "1,5", "a number")),
    ],
)
@pytest.mark.parametrize("kind", [Fill.CONSTANT, Fill.VALUES])
def test_that_text_of_another_type_is_quoted(name: str, text: str, wanted: str, kind: Fill) -> None:
    value = f'"{text}"' if kind is Fill.VALUES else text
    assert failure_of(name, kind, 1, value=value).message == f"The input x holds {name}; “{text}” is not {wanted}."


def test_that_values_are_taken_in_row_major_order() -> None:
    assert fill("int32", Fill.VALUES, 2, 3, value="1, 2, 3, 4,5,6").tolist() == [[1, 2, 3], [4, 5, 6]]
    assert fill("int32", Fill.VALUES, 2, 3, value="1,2,3\n4,5,6\n").tolist() == [[1, 2, 3], [4, 5, 6]]


def test_that_text_with_commas_stands_between_quotes() -> None:
    assert fill("string", Fill.VALUES, 3, value='"a, b","say ""no""",""').tolist() == ["a, b", 'say "no"', ""]


def test_that_no_values_fit_an_empty_tensor() -> None:
    assert fill("float", Fill.VALUES, 0, 3, value="").shape == (0, 3)


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", ""])
def test_that_too_few_or_too_many_values_are_counted(text: str) -> None:
    found = len(text.split(",")) if text else 0
    message = failure_of("float", Fill.VALUES, 2, 2, value=text).message
    assert message == f"The input x has 4 values in the shape [2, 2]; {found} are given."


def test_that_an_open_quote_is_told() -> None:
    failure = failure_of("string", Fill.VALUES, 1, value='"a')
    assert "cannot be told apart" in failure.message
    assert "double quotes" in failure.hint


# ---- Text and truths ----


def test_that_text_is_made_of_numbers() -> None:
    assert set(fill("string", Fill.INTEGERS, 100, low=3, high=4).tolist()) == {"3", "4"}
    assert fill("string", Fill.ONES, 2).tolist() == ["1", "1"]
    for kind in (Fill.UNIFORM, Fill.NORMAL):
        assert all(isinstance(text, str) and math.isfinite(float(text)) for text in fill("string", kind, 20))


@pytest.mark.parametrize(("kind", "share"), [(Fill.UNIFORM, 0.5), (Fill.NORMAL, 0.84), (Fill.INTEGERS, 0.5)])
def test_that_truths_come_in_both_kinds(kind: Fill, share: float) -> None:
    fields = {"low": 1, "high": 1} if kind is Fill.NORMAL else {"low": 0, "high": 1}
    assert abs(fill("bool", kind, 5000, **fields).mean() - share) < 0.03
