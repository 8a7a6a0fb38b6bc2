"""What `onnx_suite` goes by: outputs are the same only to the bit, about the same only within the tolerance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from .onnx_cases import Value, files_of, read_value

ONE = np.float32(1)
NEXT = np.nextafter(ONE, np.float32(2))
OTHER_NAN = np.array([0x7FC00001], np.uint32).view(np.float32)[0]


def written(folder: Path, value: Any, kind: str = "tensor(float)") -> Value:
    file = folder / "value.pb"
    if kind.startswith("optional("):
        proto = numpy_helper.from_optional(value)
    elif kind.startswith("seq("):
        proto = numpy_helper.from_list(value)
    else:
        proto = numpy_helper.from_array(np.asarray(value))
    file.write_bytes(proto.SerializeToString())
    return read_value(file, kind)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([ONE, 2], [ONE, 2], True),
        ([ONE, 2], [NEXT, 2], False),
        ([np.nan, ONE], [OTHER_NAN, ONE], True),
        ([np.nan, ONE], [ONE, ONE], False),
        ([np.nan, ONE], [np.nan, NEXT], False),
        ([0.0, np.nan], [-0.0, np.nan], False),
        ([[ONE, 2]], [ONE, 2], False),
        ([], [], True),
    ],
)
def test_that_arrays_are_equal_only_with_the_same_shape_and_bits(
    tmp_path: Path, one: Any, other: Any, same: bool
) -> None:
    first = written(tmp_path, np.asarray(one, np.float32))
    assert first.equals(written(tmp_path, np.asarray(other, np.float32))) is same


def test_that_the_element_type_is_part_of_a_value(tmp_path: Path) -> None:
    first = written(tmp_path, np.zeros(2, np.int32))
    assert not first.equals(written(tmp_path, np.zeros(2, np.uint32)))
    assert not first.resembles(written(tmp_path, np.zeros(2, np.uint32)))


def test_that_texts_are_compared(tmp_path: Path) -> None:
    first = written(tmp_path, np.array(["a", "ü"], object), "tensor(string)")
    assert first.equals(written(tmp_path, np.array(["a", "ü"], object), "tensor(string)"))
    assert not first.equals(written(tmp_path, np.array(["a", "u"], object), "tensor(string)"))


def test_that_a_sequence_equals_one_with_the_same_entries_and_nothing_else(tmp_path: Path) -> None:
    ones, twos = np.ones(2, np.float32), np.full(2, 2, np.float32)
    first = written(tmp_path, [ones, twos], "seq(tensor(float))")
    assert first.equals(written(tmp_path, [ones, twos], "seq(tensor(float))"))
    assert first.equals(written(tmp_path, [ones, twos], "optional(seq(tensor(float)))"))
    assert not first.equals(written(tmp_path, [twos, ones], "seq(tensor(float))"))
    assert not first.equals(written(tmp_path, [ones], "seq(tensor(float))"))
    assert not written(tmp_path, [ones], "seq(tensor(float))").equals(written(tmp_path, ones))


def test_that_what_is_only_close_is_not_equal(tmp_path: Path) -> None:
    first = written(tmp_path, np.array([1, np.nan], np.float32))
    second = written(tmp_path, np.array([1.0005, np.nan], np.float32))
    assert not first.equals(second)
    assert first.is_close(second, 1e-3, 0)
    assert not first.is_close(second, 1e-4, 0)


def test_that_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    file = tmp_path / "output_0.pb"
    file.write_bytes(b"\xff\xff\xff")
    with pytest.raises(ValueError, match=r"output_0\.pb holds no tensor"):
        read_value(file, "tensor(float)")


def test_that_files_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        (tmp_path / f"input_{number}.pb").touch()
    assert [file.name for file in files_of(tmp_path, "input")] == ["input_0.pb", "input_2.pb", "input_10.pb"]
