"""Numbers by the user's locale."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale

from gui.models.texts import DASH, count_text, duration_text, rate_text, size_text, time_text


@pytest.fixture
def german() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.German, QLocale.Country.Germany))
    yield
    QLocale.setDefault(before)


@pytest.mark.usefixtures("german")
def test_that_numbers_follow_the_locale() -> None:
    assert time_text(1_234_000) == "1,234 ms"
    assert count_text(1_234_567) == "1.234.567"
    assert rate_text(1.5) == "1,500 /s"
    assert size_text(1536) == "1,5 KiB"


def test_that_what_is_not_known_is_a_dash() -> None:
    assert time_text(None) == count_text(None) == rate_text(None) == DASH


def test_that_zero_is_not_a_dash() -> None:
    assert DASH not in (time_text(0), count_text(0), rate_text(0.0))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (4.4, "4 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (-1, "0 s")],
)
def test_that_durations_are_told_as_people_wait(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
