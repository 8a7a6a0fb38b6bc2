from __future__ import annotations

import pytest

from gui.records.units import hex_id, scaled_time, size_text, time_text, time_unit


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (None, "–"),
        (0, "0.000 µs"),
        (71, "0.071 µs"),
        (71_234, "71.23 µs"),
        (999_000, "999.0 µs"),
        (1_000_000, "1.000 ms"),
        (12_345_678, "12.35 ms"),
        (123_456_789, "123.5 ms"),
        (1_000_000_000, "1.000 s"),
        (3_600e9, "3600.0 s"),
        (-1_500_000, "-1.500 ms"),
    ],
)
def test_that_a_time_has_the_unit_that_suits_it_and_about_four_digits(nanoseconds: float | None, text: str) -> None:
    assert time_text(nanoseconds) == text


@pytest.mark.parametrize("nanoseconds", [0, 1, 999, 1_000, 999_999, 1_000_000, 10**9, 10**12])
def test_that_value_and_unit_together_are_the_time(nanoseconds: int) -> None:
    value, unit, _decimals = scaled_time(nanoseconds)
    assert time_unit(nanoseconds)[0] == unit
    assert value * {"µs": 1e3, "ms": 1e6, "s": 1e9}[unit] == pytest.approx(nanoseconds)


@pytest.mark.parametrize(("number", "text"), [(0, "0x0000"), (0x10DE, "0x10DE"), (0x12345, "0x12345")])
def test_that_an_id_has_four_digits_at_least(number: int, text: str) -> None:
    assert hex_id(number) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536 * 1024, "1.5 MiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_that_a_size_has_the_unit_that_suits_it(size: int, text: str) -> None:
    assert size_text(size) == text
