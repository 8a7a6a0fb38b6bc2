"""Tolerances, and what several outputs come to together."""

from __future__ import annotations

import math

import pytest

from gui.engine.elements import ELEMENTS
from gui.records.check import (
    DEFAULT_TOLERANCES,
    TOLERANCE_TYPES,
    Agreement,
    CheckSettings,
    OutputCheck,
    OutputDifference,
    Tolerance,
    default_tolerance,
    worst,
)
from gui.records.codec import from_json, to_json

OWN = Tolerance(type="float", absolute=0.5, relative=0.25)


@pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf])
@pytest.mark.parametrize("part", ["absolute", "relative"])
def test_that_a_tolerance_is_a_number_of_at_least_0(part: str, value: float) -> None:
    with pytest.raises(ValueError, match="a tolerance of float must be a number of at least 0"):
        Tolerance(type="float", **{"absolute": 0.0, "relative": 0.0, part: value})


def test_that_a_type_has_one_tolerance() -> None:
    with pytest.raises(ValueError, match="two tolerances"):
        CheckSettings(tolerances=(OWN, OWN))


def test_that_the_tolerance_given_counts_then_the_default_and_all_else_is_exact() -> None:
    settings = CheckSettings(tolerances=(OWN,))
    assert settings.tolerance("float") == OWN
    assert settings.tolerance("float16") == Tolerance(type="float16", absolute=5e-3, relative=1e-2)
    assert settings.tolerance("int64") == Tolerance(type="int64", absolute=0, relative=0)


def test_that_a_tolerance_can_be_given_for_every_number_and_nothing_else() -> None:
    assert sorted(TOLERANCE_TYPES) == sorted(set(ELEMENTS) - {"bool", "string"})
    assert {entry.type for entry in DEFAULT_TOLERANCES} <= {name for name in ELEMENTS if ELEMENTS[name].is_float}


def test_that_only_tolerances_other_than_the_defaults_are_kept() -> None:
    before = CheckSettings(enabled=False, tolerances=(OWN, Tolerance(type="int8", absolute=1, relative=0)))
    half = Tolerance(type="float16", absolute=1, relative=1)
    changed = before.with_tolerances([default_tolerance("int8"), half, default_tolerance("double")])
    assert changed == CheckSettings(enabled=False, tolerances=(OWN, half))
    assert changed.with_tolerances(map(default_tolerance, TOLERANCE_TYPES)) == CheckSettings(enabled=False)


@pytest.mark.parametrize(
    ("found", "together"),
    [
        ((), Agreement.NOT_CHECKED),
        ((Agreement.IDENTICAL, Agreement.IDENTICAL), Agreement.IDENTICAL),
        ((Agreement.IDENTICAL, Agreement.WITHIN), Agreement.WITHIN),
        ((Agreement.WITHIN, Agreement.NOT_CHECKED), Agreement.NOT_CHECKED),
        ((Agreement.NOT_CHECKED, Agreement.DIFFERENT, Agreement.IDENTICAL), Agreement.DIFFERENT),
    ],
)
def test_that_the_worst_output_speaks_for_all(found: tuple[Agreement, ...], together: Agreement) -> None:
    outputs = tuple(OutputDifference(name="y", type="tensor(float)", agreement=agreement) for agreement in found)
    assert worst(outputs) is together


def test_that_a_check_comes_back_from_json() -> None:
    output = OutputDifference(
        name="y",
        type="tensor(float)",
        shape=(2, 3),
        agreement=Agreement.DIFFERENT,
        element_count=6,
        mismatches=2,
        max_absolute=0.5,
        max_relative=1.5,
        cosine=0.9,
        snr_db=10.5,
        top1_agreement=0.5,
        nan_count=1,
        tolerance=OWN,
        note="A note.",
    )
    check = OutputCheck(agreement=Agreement.DIFFERENT, outputs=(output,), reference="The CPU.")
    assert from_json(OutputCheck, to_json(check)) == check
