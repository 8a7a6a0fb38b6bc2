"""The charts of a comparison as SVG: a row for each trial, in its place, with title, units and machine."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from gui.records.comparison_chart import comparison_svg
from gui.records.comparison_table import compared_trials
from gui.records.kept_trial import KeptTrial
from gui.records.statistics import summarize
from gui.records.svg_parts import MEDIAN, SAMPLES

from .compared_trials import THREE, dead, row
from .test_trial_chart import parsed, texts
from .test_trial_report import NASTY

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*trials: KeptTrial) -> ET.Element:
    return parsed(comparison_svg(compared_trials(trials)))


def medians(picture: ET.Element) -> list[float]:
    """Where the medians stand, from the left: the baselines' first."""
    squares = [float(mark.attrib["x"]) + 4 for mark in picture.iter(f"{SVG}rect") if mark.attrib["height"] == "8"]
    return squares + [float(mark.attrib["cx"]) for mark in picture.iter(f"{SVG}circle")]


def test_that_it_has_title_units_machine_and_a_name_for_each_row() -> None:
    said = texts(drawn(*THREE))
    assert said[0] == "net: comparison of 3"
    assert said[1] == "Some CPU, Linux, onnxruntime 1.32.0 · 2026-02-03"
    assert {"CPU (baseline)", "ggml", "NPU"} <= set(said)
    assert "Median and its 95 % interval (ms)" in said


def test_that_the_faster_one_stands_further_left() -> None:
    baseline, other = medians(drawn(*THREE))
    assert other < baseline


def test_that_all_that_is_drawn_of_a_row_has_one_colour() -> None:
    colors: dict[int, set[str]] = {}
    for mark in drawn(row("CPU", 0, 2_000_000), row("ggml", 1, 1_000_000)).iter():
        found = {mark.attrib.get("fill", ""), mark.attrib.get("stroke", "")} & {MEDIAN, SAMPLES}
        place = re.search(r"[VH]?(\d+\.\d)H", mark.attrib.get("d", "")) if mark.tag == f"{SVG}path" else None
        y = mark.attrib.get("cy") or (place and mark.attrib["d"].split("M")[2].split("H")[0].split(" ")[1])
        if mark.tag == f"{SVG}rect":
            y = str(float(mark.attrib["y"]) + float(mark.attrib["height"]) / 2)
        if found and y:
            colors.setdefault(round(float(y)), set()).update(found)
    assert sorted(colors.values(), key=min) == [{MEDIAN}, {SAMPLES}]


def test_that_a_row_without_samples_says_what_became_of_it() -> None:
    said = texts(drawn(*THREE))
    assert said.count("failed, no samples") == 2  # in either chart
    nothing = drawn(dead("NPU", 0), dead("GPU", 1))
    assert texts(nothing).count("failed, no samples") == 4
    assert medians(nothing) == []


def test_that_medians_far_apart_are_on_a_logarithmic_axis() -> None:
    picture = drawn(row("CPU", 0, 1_000_000), row("a", 1, 10_000_000), row("b", 2, 100_000_000))
    assert "Median and its 95 % interval (ms), logarithmic" in texts(picture)
    first, second, third = medians(picture)
    assert third - second == pytest.approx(second - first, rel=0.05)


@pytest.mark.parametrize("samples", [[5], [0, 0], [7] * 9, [1, 1 << 62]])
def test_that_odd_samples_are_drawn_with_numbers_alone(samples: list[int]) -> None:
    values = np.array(samples, np.int64)
    kept = replace(THREE[0], samples=values, statistics=summarize(values), comparison=None)
    text = comparison_svg(compared_trials((kept, THREE[1])))
    assert not re.search(r"\b(nan|inf)\b", text)


def test_that_names_of_others_do_not_break_it() -> None:
    assert any(said.startswith("</td>") for said in texts(drawn(replace(THREE[0], target_text=NASTY, comparison=None))))
