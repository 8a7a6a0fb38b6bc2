"""Element types: numbers, bits and packed bytes, compared with ml_dtypes, onnx and ONNX Runtime."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto

from gui.engine.elements import (
    ELEMENTS,
    bits_of_floats,
    element_name,
    element_of,
    is_finite,
    packed,
    stored,
    takes,
    unpacked,
    without_optional,
)
from gui.records.failure import FailureError, FailureKind

from .tiny_models import FLOATS_OF_BITS, PACKED, bytes_of, cast

EVERY = pytest.mark.parametrize("element", ELEMENTS.values(), ids=str)
OF_BITS = pytest.mark.parametrize("name", FLOATS_OF_BITS)
EVERY_PACKED = pytest.mark.parametrize("name", PACKED)


@EVERY
def test_that_numbers_are_those_of_onnx(element: Any) -> None:
    assert getattr(TensorProto, element.name.upper() if element.name != "float" else "FLOAT") == element.onnx_number


@EVERY
def test_that_ort_spells_elements_so(element: Any) -> None:
    if element.is_text:
        pytest.skip("ONNX Runtime makes no OrtValue of text")
    try:
        value = ort.OrtValue.ortvalue_from_shape_and_type([2], element.onnx_number)
    except RuntimeError:
        assert element.name in ("int2", "uint2", "float8e8m0")
        pytest.skip("this onnxruntime does not know it")
    assert element_of(value.data_type()) is element


@pytest.mark.parametrize(
    "text", ["seq(tensor(float))", "tensor(complex64)", "optional(tensor(float))", "tensor(float", ""]
)
def test_that_what_is_no_tensor_of_known_elements_has_none(text: str) -> None:
    assert element_of(text) is None


def test_that_optionals_are_looked_into_and_others_left() -> None:
    assert without_optional("optional(seq(tensor(float)))") == "seq(tensor(float))"
    assert without_optional("tensor(float)") == "tensor(float)"


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        *(("f4", "float"), ("f8", "double"), ("f2", "float16"), ("?", "bool"), ("U3", "string"), ("S3", "string")),
        *(("O", "string"), ("u8", "uint64"), ("c8", "complex64"), ("M8[s]", "datetime64[s]")),
        *((dtype, name) for name, dtype in (FLOATS_OF_BITS | PACKED).items()),
    ],
)
def test_that_types_of_arrays_are_named_as_ort_does(dtype: Any, name: str) -> None:
    assert element_name(np.dtype(dtype)) == name


# ---- Bits ----


def interesting_floats() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Every power of two with its neighbours and halves, random numbers, and what is special."""
    random = np.random.default_rng(0)
    powers = np.ldexp(np.float64(1), np.arange(-149, 128))
    parts = [(powers * factor).astype(np.float32) for factor in (1, 1.0625, 1.125, 1.1875, 1.25, 1.5, 1.75, 1.9375)]
    parts.append(random.normal(0, 100, 10_000).astype(np.float32))
    parts.append(random.integers(0, 2**32, 20_000, dtype=np.uint32).view(np.float32))
    parts.append(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 65504, 65520, 3.4e38, 448, 464, 480], np.float32))
    values = np.concatenate(parts)
    return np.concatenate([values, -values])


@OF_BITS
def test_that_floats_are_rounded_as_ml_dtypes_does(name: str) -> None:
    values = interesting_floats()
    with np.errstate(all="ignore"):
        expected = values.astype(FLOATS_OF_BITS[name])
        found = bits_of_floats(ELEMENTS[name], values).view(FLOATS_OF_BITS[name])
        np.testing.assert_array_equal(found.astype(np.float32), expected.astype(np.float32))


def test_that_a_scalar_keeps_its_shape() -> None:
    assert bits_of_floats(ELEMENTS["bfloat16"], np.ones((), np.float32)).shape == ()


def test_that_bfloat16_is_rounded_as_ort_does() -> None:
    values = interesting_floats()
    values = values[np.isfinite(values)]
    (found,) = cast("float", "bfloat16", None).run_with_ort_values(
        ["y"], {"x": ort.OrtValue.ortvalue_from_numpy(values)}
    )
    bits = np.frombuffer(bytes_of(found), np.uint16)
    np.testing.assert_array_equal(bits_of_floats(ELEMENTS["bfloat16"], values), bits)


@OF_BITS
def test_that_every_pattern_of_bits_is_known_to_be_finite_or_not(name: str) -> None:
    element = ELEMENTS[name]
    every = np.arange(256 ** np.dtype(element.storage).itemsize).astype(element.storage)
    expected = np.isfinite(every.view(FLOATS_OF_BITS[name]).astype(np.float32))
    assert [is_finite(element, every[index : index + 1]) for index in range(len(every))] == expected.tolist()


@EVERY
def test_that_limits_are_those_of_the_type(element: Any) -> None:
    if not element.is_float:
        assert element.limit == element.least == 0
        return
    dtype: Any = FLOATS_OF_BITS.get(element.name, element.storage)
    bounds = ml_dtypes.finfo(dtype)
    assert (element.limit, element.least) == (float(bounds.max), float(bounds.min))


def test_that_numbers_with_an_infinity_are_not_finite() -> None:
    assert is_finite(ELEMENTS["float16"], np.zeros(3, np.float16))
    assert not is_finite(ELEMENTS["float16"], np.array([0, np.inf], np.float16))
    assert is_finite(ELEMENTS["int8"], np.zeros(3, np.int8))
    assert is_finite(ELEMENTS["float"], np.zeros(0, np.float32))


def test_that_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert bits_of_floats(ELEMENTS["bfloat16"], np.ones(1, np.float32)).tolist() == [0x3F80]
    with pytest.raises(FailureError) as caught:
        bits_of_floats(ELEMENTS["float8e5m2"], np.ones(1, np.float32))
    failure = caught.value.failure
    assert failure.kind is FailureKind.UNSUPPORTED_INPUT
    assert "float8e5m2" in failure.message
    assert "pip install ml_dtypes" in failure.hint


# ---- Two and four bits ----


@EVERY_PACKED
@pytest.mark.parametrize("count", range(10))
def test_that_packed_values_come_back(name: str, count: int) -> None:
    element = ELEMENTS[name]
    values = np.random.default_rng(count).integers(element.low, element.high, count, element.storage, endpoint=True)
    data = packed(element, values)
    assert len(data) == -(-count * element.packed_bits // 8)
    back = unpacked(element, data, count)
    assert back.dtype == element.storage
    assert back.tolist() == values.tolist()


@EVERY_PACKED
def test_that_ort_reads_packed_values_so(name: str) -> None:
    element = ELEMENTS[name]
    every = np.arange(element.low, element.high + 1, dtype=element.storage)[:-1]  # an uneven number
    session = cast(name, "int8" if element.low < 0 else "uint8", None)
    value = ort.OrtValue.ortvalue_from_shape_and_type([len(every)], element.onnx_number)
    data = packed(element, every)
    assert value.tensor_size_in_bytes() == len(data)
    ctypes.memmove(value.data_ptr(), data, len(data))
    assert session.run(None, {"x": value})[0].tolist() == every.tolist()


def test_that_too_few_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="1 bytes cannot hold 3 values of 4 bits"):
        unpacked(ELEMENTS["int4"], b"\0", 3)


# ---- What arrays are taken ----


@EVERY
def test_that_an_array_of_the_type_itself_is_taken(element: Any) -> None:
    dtype = np.dtype((FLOATS_OF_BITS | PACKED).get(element.name, element.storage))
    assert takes(element, dtype)
    array = np.zeros((2, 3), dtype) if not element.is_text else np.full((2, 3), "a", object)
    result = stored(element, array)
    assert result.dtype == element.storage
    assert result.shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *(("float", "f8"), ("int64", "i4"), ("bool", "u1"), ("uint8", "i1"), ("float16", "u2"), ("bfloat16", "f2")),
        *(("bfloat16", "i2"), ("bfloat16", "V3"), ("float8e5m2", ml_dtypes.float8_e4m3fn), ("float8e5m2", "V2")),
        *(("int4", "u1"), ("uint4", "i1"), ("int4", ml_dtypes.uint4), ("uint16", ml_dtypes.bfloat16), ("uint8", "V1")),
        *(("float", "U3"), ("string", "f4"), ("bfloat16", [("a", "u1"), ("b", "u1")])),
    ],
)
def test_that_an_array_of_another_type_is_not_taken(name: str, dtype: Any) -> None:
    assert not takes(ELEMENTS[name], np.dtype(dtype))


@OF_BITS
def test_that_bare_bits_are_taken_for_a_type_without_numbers(name: str) -> None:
    element, size = ELEMENTS[name], np.dtype(ELEMENTS[name].storage).itemsize
    bits = np.array([0x38, 0x40], element.storage)
    for array in (bits, bits.view(f"V{size}"), bits.view(FLOATS_OF_BITS[name])):
        assert takes(element, array.dtype)
        assert stored(element, array).tolist() == [0x38, 0x40]


@EVERY_PACKED
def test_that_small_whole_numbers_are_taken_from_bytes_and_from_ml_dtypes(name: str) -> None:
    element = ELEMENTS[name]
    every = np.arange(element.low, element.high + 1, dtype=element.storage)
    named = every.astype(PACKED[name])
    for array in (every, named, named.view("V1")):
        assert takes(element, array.dtype)
        assert stored(element, array).tolist() == every.tolist()


def test_that_numbers_too_large_for_four_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="between -9 and 3"):
        stored(ELEMENTS["int4"], np.array([-9, 3], np.int8))


@pytest.mark.parametrize("array", [np.array(["a", "ü"]), np.array([b"a", "ü".encode()]), np.array([b"a", "ü"], object)])
def test_that_text_becomes_what_ort_reads_right(array: Any) -> None:
    result = stored(ELEMENTS["string"], array)
    assert result.dtype == object
    assert result.tolist() == ["a", "ü"]


def test_that_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        stored(ELEMENTS["string"], np.array([b"\xff\xfe"]))
