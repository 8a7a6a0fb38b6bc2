"""Types of inputs, what they can be filled with, what is wrong with a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.models.input_types import (
    ValueType,
    checked_value,
    element_count,
    fills_for,
    looks_like_image,
    may_be_left_out,
    parsed_shape,
    real_number,
    short_type,
    source_problem,
    takes_image,
    value_type,
    whole_number,
)
from gui.records.inputs import Fill, InputSource, SourceKind
from gui.records.model import TensorInfo


def tensor(kind: str = "tensor(float)", shape: tuple[int | str | None, ...] | None = (2, 3)) -> TensorInfo:
    return TensorInfo(name="x", type=kind, shape=shape)


# ---- Types ----


@pytest.mark.parametrize(
    ("text", "element", "is_optional", "has_entries"),
    [
        ("tensor(float)", "float", False, False),
        ("seq(tensor(int64))", "int64", False, True),
        ("map(int64,tensor(float))", "float", False, True),
        ("optional(tensor(float16))", "float16", True, False),
        ("optional(seq(tensor(string)))", "string", True, True),
        ("sparse_tensor(float)", "", False, False),
    ],
)
def test_that_a_type_is_taken_apart(text: str, element: str, is_optional: bool, has_entries: bool) -> None:
    assert value_type(text) == ValueType(element=element, is_optional=is_optional, has_entries=has_entries)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("tensor(float)", "float"),
        ("optional(seq(tensor(int64)))", "optional(seq(int64))"),
        ("map(string,tensor(float))", "map(string, float)"),
        ("sparse_tensor(float)", "sparse_tensor(float)"),
    ],
)
def test_that_types_are_short_in_a_narrow_column(text: str, short: str) -> None:
    assert short_type(text) == short


def test_that_only_fills_that_suit_the_type_are_offered() -> None:
    assert Fill.NORMAL in fills_for(tensor("tensor(bfloat16)"))
    assert fills_for(tensor("tensor(int4)"))[0] is Fill.INTEGERS
    assert not {Fill.UNIFORM, Fill.NORMAL} & set(fills_for(tensor("tensor(int64)")))
    assert fills_for(tensor("tensor(string)")) == (Fill.CONSTANT, Fill.VALUES)
    assert Fill.VALUES not in fills_for(tensor("seq(tensor(float))"))


def test_that_images_suit_tensors_of_numbers_with_three_or_four_axes() -> None:
    assert takes_image(tensor(shape=(1, 3, None, None)))
    assert takes_image(tensor("tensor(uint8)", (224, 224, 3)))
    assert not takes_image(tensor(shape=(2, 3)))
    assert not takes_image(tensor(shape=None))
    assert not takes_image(tensor("tensor(string)", (1, 3, 4)))
    assert not takes_image(tensor("optional(tensor(float))", (1, 3, 4, 4)))


def test_that_an_input_looks_like_an_image_by_its_channels() -> None:
    assert looks_like_image(tensor(shape=("batch", 3, 224, 224)))
    assert looks_like_image(tensor(shape=(None, None, None, 4)))
    assert not looks_like_image(tensor(shape=("batch", 12, "past", 64)))
    assert not looks_like_image(tensor(shape=None))


def test_that_optionals_and_initializers_may_be_left_out() -> None:
    assert may_be_left_out(tensor("optional(tensor(float))"), is_initializer=False)
    assert may_be_left_out(tensor(), is_initializer=True)
    assert not may_be_left_out(tensor(), is_initializer=False)


def test_that_values_are_counted_by_shape_sizes_or_the_shape_chosen() -> None:
    assert element_count(tensor(shape=()), None, {}) == 1
    assert element_count(tensor(shape=("n", 3, None)), None, {"n": 2, "x[2]": 4}) == 24
    assert element_count(tensor(shape=("n", 3)), None, {}) is None
    assert element_count(tensor(shape=None), (2, 5), {}) == 10
    assert element_count(tensor(shape=None), None, {}) is None


# ---- Numbers as typed ----


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1, 9_007_199_254_740_993])
def test_that_whole_numbers_keep_all_their_digits(number: int) -> None:
    assert whole_number(f" {number} ", "int64") == number


@pytest.mark.parametrize(
    ("text", "element", "words"),
    [
        ("1.5", "int64", "not a whole number"),
        ("1_0", "int64", "not a whole number"),
        ("", "int64", "missing"),
        ("9223372036854775808", "int64", "9223372036854775807"),
        ("-1", "uint64", "0 to 18446744073709551615"),
        ("8", "int4", "-8 to 7"),
        ("2", "bool", "neither 0 nor 1"),
    ],
)
def test_that_what_is_no_whole_number_of_the_type_is_said(text: str, element: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        whole_number(text, element)


def test_that_real_numbers_are_finite_and_fit_the_type() -> None:
    assert real_number("-1e-3", "float") == -0.001
    for text, words in (
        ("x", "not a number"),
        ("inf", "finite"),
        ("nan", "finite"),
        ("7e4", "float16"),
        ("1_0", "not"),
    ):
        with pytest.raises(ValueError, match=words):
            real_number(text, "float16")


def test_that_single_values_are_checked_by_their_type() -> None:
    for text, element in (("TRUE", "bool"), ("0", "bool"), ("", "string"), ("nan", "float"), ("255", "uint8")):
        checked_value(text, element)
    for text, element in (("yes", "bool"), ("256", "uint8"), ("a", "float"), ("", "float")):
        with pytest.raises(ValueError, match=r"\w"):
            checked_value(text, element)


@pytest.mark.parametrize(
    ("text", "shape"),
    [("", None), ("[]", ()), ("2, 3", (2, 3)), ("[2,3]", (2, 3)), ("2 x 3 × 4", (2, 3, 4)), ("0", (0,))],
)
def test_that_shapes_are_read_as_people_write_them(text: str, shape: tuple[int, ...] | None) -> None:
    assert parsed_shape(text) == shape


@pytest.mark.parametrize("text", ["-1", "a", "2,,b", "1.5", "9999999999"])
def test_that_what_is_no_shape_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="not a shape"):
        parsed_shape(text)


# ---- A source beside its input ----


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (InputSource(name="x", fill=Fill.CONSTANT, value="1.5"), "not a whole number"),
        (InputSource(name="x", fill=Fill.INTEGERS, low=-1, high=3), "uint8"),
        (InputSource(name="x", fill=Fill.VALUES, value="1, 2, 3"), "3 values; the tensor has 6"),
        (InputSource(name="x", fill=Fill.VALUES, value=" "), "separated by commas"),
        (InputSource(name="x", fill=Fill.VALUES, value="1,2,3,4,5,256"), "256 does not fit"),
        (InputSource(name="x", kind=SourceKind.OMITTED), "optional"),
        (InputSource(name="x", kind=SourceKind.FILE, path="/no/such.npy"), "no file /no/such.npy"),
        (InputSource(name="x", kind=SourceKind.FILE, path="/no/such.txt"), ".npz or .pb"),
        (InputSource(name="x", kind=SourceKind.IMAGE, path="/no/such.png"), "three or four axes"),
    ],
)
def test_that_a_source_that_cannot_be_used_says_why(source: InputSource, words: str) -> None:
    problem = source_problem(tensor("tensor(uint8)"), source)
    assert problem is not None
    assert words in problem


def test_that_a_source_that_fits_has_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "x.NPY"
    file.touch()
    for source in (
        InputSource(name="x"),
        InputSource(name="x", fill=Fill.NORMAL, low=0, high=2),
        InputSource(name="x", fill=Fill.VALUES, value="1, 2, 3, 4, 5, nan"),
        InputSource(name="x", kind=SourceKind.FILE, path=str(file)),
    ):
        assert source_problem(tensor(), source) is None
    assert source_problem(tensor(), InputSource(name="x", kind=SourceKind.OMITTED), is_initializer=True) is None


def test_that_values_are_not_counted_where_a_size_is_free() -> None:
    values = InputSource(name="x", fill=Fill.VALUES, value="1, 2")
    assert source_problem(tensor(shape=("n",)), values) is None


def test_that_an_image_must_be_there_and_be_called_so(tmp_path: Path) -> None:
    image = tensor(shape=(1, 3, 8, 8))
    wrong = source_problem(image, InputSource(name="x", kind=SourceKind.IMAGE, path="/no/such.npy"))
    assert wrong is not None
    assert "PNG" in wrong
    gone = source_problem(image, InputSource(name="x", kind=SourceKind.IMAGE, path="/no/such.png"))
    assert gone == "There is no file /no/such.png."
