"""Free dimensions: names and expressions of names."""

from __future__ import annotations

import pytest

from gui.records.dimensions import MAX_SIZE, asked_for, names_in, with_derived


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("past + sequence", {"past", "sequence"}),
        ("2*batch", {"batch"}),
        ("(height - 1) // 2 + 1", {"height"}),
        ("a * (b % c) / a", {"a", "b", "c"}),
        ("batch", set()),
        ("7", set()),
        ("", set()),
        ("1.5 * batch", set()),
        ("True * batch", set()),
        ("batch ** 2", set()),
        ("-batch", set()),
        ("max(batch, 2)", set()),
        ("batch.size + 1", set()),
        ("batch size", set()),
        ("input[0]", set()),
        ("a + ", set()),
        ("(" * 5000, set()),
    ],
)
def test_that_the_names_of_an_expression_are_those_of_whole_number_arithmetic(expression: str, names: set[str]) -> None:
    assert names_in(expression) == names


def test_that_sizes_are_asked_for_but_not_those_that_follow_from_others() -> None:
    assert asked_for(["batch", "past", "past + sequence", "sequence", "batch", "2*batch"]) == (
        "batch",
        "past",
        "sequence",
    )


def test_that_an_expression_of_names_that_are_no_dimensions_is_just_a_name() -> None:
    assert asked_for(["batch-size", "batch"]) == ("batch-size", "batch")
    assert with_derived(["batch-size", "batch"], {"batch": 4}) == {"batch-size": 1, "batch": 4}


def test_that_sizes_not_given_are_one_and_expressions_follow() -> None:
    names = ["past + sequence", "past", "sequence", "2 * past", "past // 2", "past / 2", "past % 3", "past - 1"]
    assert with_derived(names, {"past": 8}) == {
        "past + sequence": 9,
        "past": 8,
        "sequence": 1,
        "2 * past": 16,
        "past // 2": 4,
        "past / 2": 4,
        "past % 3": 2,
        "past - 1": 7,
    }


def test_that_a_size_given_for_an_expression_counts_before_what_it_comes_to() -> None:
    assert with_derived(["a", "a + 1"], {"a": 2, "a + 1": 9}) == {"a": 2, "a + 1": 9}


def test_that_an_expression_may_come_to_nothing_but_not_to_less() -> None:
    assert with_derived(["a", "a - 1"], {"a": 1}) == {"a": 1, "a - 1": 0}
    with pytest.raises(ValueError, match="the dimension a - 2 comes to -1"):
        with_derived(["a", "a - 2"], {"a": 1})


def test_that_an_expression_that_grows_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match=f"comes to {MAX_SIZE * 2}"):
        with_derived(["a", "a * 2"], {"a": MAX_SIZE})


@pytest.mark.parametrize("expression", ["a // (a - 1)", "a / (a - 1)", "a % (a - 1)"])
def test_that_a_division_by_zero_is_named(expression: str) -> None:
    with pytest.raises(ValueError, match="divides by zero"):
        with_derived(["a", expression], {"a": 1})


def test_that_expressions_of_expressions_are_asked_for_only_when_a_part_is_unknown() -> None:
    assert asked_for(["a", "a + 1", "b", "a * b"]) == ("a", "b")
    assert with_derived(["a", "b", "a * b"], {"a": 3, "b": 5})["a * b"] == 15
