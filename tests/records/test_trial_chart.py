"""The charts of a trial as SVG: whole, of all samples, with title, units and machine."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from gui.records.samples import Nanoseconds
from gui.records.statistics import summarize
from gui.records.trial_chart import chart_svg

from .test_trial_report import GOOD, NASTY

SVG = "{http://www.w3.org/2000/svg}"


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 it was made here


def drawn(samples: Nanoseconds) -> ET.Element:
    """The picture of a trial with these samples, which must be XML."""
    return parsed(chart_svg(replace(GOOD, samples=samples, statistics=summarize(samples))))


def texts(picture: ET.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def line_of(picture: ET.Element) -> list[tuple[float, float]]:
    """The points of the latencies over the iterations."""
    (line,) = picture.iter(f"{SVG}polyline")
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in line.attrib["points"].split())]


def test_that_it_has_title_units_and_machine() -> None:
    said = texts(drawn(GOOD.samples))
    assert said[0] == f"m on {GOOD.target_text}"
    assert said[1] == "Some CPU, Linux, onnxruntime 1.32.0 · 2026-01-02"
    assert {"Iteration", "Latency (ms)", "Samples"} <= set(said)
    assert {"median 1.000 ms", "p90 1.000 ms"} <= set(said)


def test_that_each_sample_is_drawn_where_there_are_few() -> None:
    points = line_of(drawn(np.array([1000, 3000, 2000], np.int64)))
    assert len(points) == 3
    assert points[1][1] < points[2][1] < points[0][1]  # y counts downwards
    assert points[0][0] < points[1][0] < points[2][0]


def test_that_of_many_the_fastest_and_the_slowest_of_each_column_are_drawn() -> None:
    samples = np.full(1_000_000, 2000, np.int64)
    samples[123_456] = 1000
    points = line_of(drawn(samples))
    assert len(points) < 2500
    lowest = max(points, key=lambda point: point[1])
    left, right = points[0][0], points[-1][0]
    assert (lowest[0] - left) / (right - left) == pytest.approx(0.123, abs=0.005)


def test_that_samples_beyond_the_picture_are_counted_and_stay_in_it() -> None:
    samples = np.concatenate((np.arange(1000, 1200), [90_000, 80_000])).astype(np.int64)
    picture = drawn(samples)
    assert "▲ 2 slower, up to 90.00 µs" in texts(picture)
    assert "2 beyond ▸" in texts(picture)
    assert min(y for _x, y in line_of(picture)) >= 58


@pytest.mark.parametrize("samples", [[5], [7, 7, 7], [1, 1 << 62], [0, 0]], ids=["one", "equal", "huge", "zero"])
def test_that_odd_samples_are_drawn_with_numbers_alone(samples: list[int]) -> None:
    text = ET.tostring(drawn(np.array(samples, np.int64)), encoding="unicode")
    assert not re.search(r"\b(nan|inf)\b", text)


def test_that_without_samples_it_says_so() -> None:
    picture = parsed(chart_svg(replace(GOOD, samples=GOOD.samples[:0], statistics=None)))
    assert "No samples were taken." in texts(picture)


def test_that_names_of_others_do_not_break_it() -> None:
    text = chart_svg(replace(GOOD, target_text=NASTY))
    assert "</td><script>" in texts(parsed(text))[0]
