"""Colours of the rows of a comparison: apart for all eyes, and from their ground."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from gui import theme
from gui.panels.series_styles import COLOR_COUNT, series_style
from gui.panels.tones import contrast
from gui.settings import ColorScheme

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
EYES = {
    "all": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LEAST_DISTANCE = 15.0
"""In CIE Lab, where 2.3 can just be seen."""


@pytest.fixture(params=[ColorScheme.LIGHT, ColorScheme.DARK])
def palette(request: pytest.FixtureRequest, qapp: QApplication) -> QPalette:
    before = QGuiApplication.palette()
    theme.apply_color_scheme(request.param)
    found = QPalette(QGuiApplication.palette())
    theme.apply_color_scheme(ColorScheme.SYSTEM)
    QGuiApplication.setPalette(before)
    return found


def lab_of(color: QColor, eye: str) -> npt.NDArray[np.float64]:
    """The colour as an eye sees it, in CIE Lab."""
    parts = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(EYES[eye]) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ seen / np.array([0.95047, 1.0, 1.08883])
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("eye", EYES)
def test_that_colours_are_told_apart(palette: QPalette, eye: str) -> None:
    colors = [lab_of(series_style(palette, number).color, eye) for number in range(COLOR_COUNT)]
    distances = [float(np.linalg.norm(one - other)) for one, other in combinations(colors, 2)]
    assert min(distances) >= LEAST_DISTANCE


def test_that_colours_stand_out_from_their_ground(palette: QPalette) -> None:
    ground = palette.color(QPalette.ColorRole.Base)
    for number in range(COLOR_COUNT):
        assert contrast(series_style(palette, number).color, ground) >= 3


def test_that_rows_beyond_the_colours_have_other_lines(palette: QPalette) -> None:
    styles = [series_style(palette, number) for number in range(5 * COLOR_COUNT)]
    assert len({(style.color.name(), style.line) for style in styles}) == 5 * COLOR_COUNT


def test_that_a_row_that_steps_back_is_nearer_to_its_ground(palette: QPalette) -> None:
    ground = palette.color(QPalette.ColorRole.Base)
    for number in range(COLOR_COUNT):
        faded, plain = series_style(palette, number, faded=True), series_style(palette, number)
        assert contrast(faded.color, ground) < contrast(plain.color, ground)
