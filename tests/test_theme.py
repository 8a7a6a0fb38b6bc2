"""Icons and colours by the palette."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from gui import theme
from gui.settings import ColorScheme

ICONS = sorted(path.stem for path in (theme.RESOURCES / "icons").glob("*.svg"))
ROLES = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


@pytest.fixture(autouse=True)
def _system_colors(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply_color_scheme(ColorScheme.SYSTEM)


def contrast(one: QColor, other: QColor) -> float:
    """The contrast of two colours as WCAG 2 defines it: 1 to 21."""

    def luminance(color: QColor) -> float:
        parts = (color.redF(), color.greenF(), color.blueF())
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("scheme", "dark"), [(ColorScheme.LIGHT, False), (ColorScheme.DARK, True)])
def test_that_a_scheme_is_used_also_where_the_platform_has_none(scheme: ColorScheme, dark: bool) -> None:
    theme.apply_color_scheme(scheme)
    assert theme.is_dark(QGuiApplication.palette()) is dark
    theme.apply_color_scheme(scheme)
    assert theme.is_dark(QGuiApplication.palette()) is dark


def test_that_the_colours_of_the_system_come_back() -> None:
    before = QGuiApplication.palette()
    theme.apply_color_scheme(ColorScheme.DARK)
    theme.apply_color_scheme(ColorScheme.SYSTEM)
    assert QGuiApplication.palette() == before


@pytest.mark.parametrize("dark", [False, True])
def test_that_boxes_to_be_ticked_can_be_seen(dark: bool) -> None:
    palette = theme._palette(dark=dark)
    box = theme.tick_palette(palette).color(QPalette.ColorRole.Base)
    grounds = [QPalette.ColorRole.Window, QPalette.ColorRole.Base, QPalette.ColorRole.AlternateBase]
    if dark:
        assert all(contrast(box, palette.color(ground)) >= 1.8 for ground in grounds)
        assert contrast(palette.color(QPalette.ColorRole.Text), box) >= 4.5
    else:  # there Fusion's outline is dark enough
        assert box == palette.color(QPalette.ColorRole.Base)


@pytest.mark.parametrize("kind", ["QCheckBox", "QRadioButton"])
def test_that_boxes_have_the_palette_of_the_scheme(kind: str) -> None:
    theme.apply_color_scheme(ColorScheme.DARK)
    base = QPalette.ColorRole.Base

    def ticks(kind: str) -> QPalette:
        return QApplication.palette(kind)  # type: ignore[call-overload,no-any-return]

    assert ticks(kind).color(base) == theme.tick_palette(QApplication.palette()).color(base)
    theme.apply_color_scheme(ColorScheme.LIGHT)
    assert ticks(kind).color(base) == QApplication.palette().color(base)


@pytest.mark.parametrize("dark", [False, True])
def test_that_text_can_be_read_on_its_ground(dark: bool) -> None:
    palette = theme._palette(dark=dark)
    for ground in (QPalette.ColorRole.Window, QPalette.ColorRole.Base, QPalette.ColorRole.AlternateBase):
        for text in ROLES:
            assert contrast(palette.color(text), palette.color(ground)) >= 7
        assert contrast(theme.muted(palette), palette.color(ground)) >= 4.5
    selected = palette.color(QPalette.ColorRole.HighlightedText), palette.color(QPalette.ColorRole.Highlight)
    assert contrast(*selected) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("hue", [205, 130, 28])
def test_that_lines_of_the_charts_stand_out_from_the_ground(dark: bool, hue: int) -> None:
    palette = theme._palette(dark=dark)
    assert contrast(theme.chart_color(palette, hue), palette.color(QPalette.ColorRole.Base)) >= 3


def test_that_mixing_goes_from_one_colour_to_the_other() -> None:
    red, blue = QColor("#ff0000"), QColor("#0000ff")
    assert theme.mixed(red, blue, 0).name() == "#ff0000"
    assert theme.mixed(red, blue, 1).name() == "#0000ff"
    assert theme.mixed(red, blue, 0.5).name() == "#800080"


@pytest.mark.parametrize("name", ICONS)
def test_that_every_icon_is_drawn_in_every_size(qapp: QApplication, name: str) -> None:
    for size in (16, 24, 32):
        image = theme.icon(name).pixmap(size, size).toImage()
        assert (image.width(), image.height()) == (size, size)
        assert any(image.pixelColor(x, y).alpha() > 128 for x in range(size) for y in range(size))


@pytest.mark.parametrize("name", [name for name in ICONS if name != "application"])
def test_that_icons_take_the_colour_of_the_text(qapp: QApplication, name: str) -> None:
    light, dark = theme._palette(dark=False), theme._palette(dark=True)
    one, other = (theme.icon(name, palette).pixmap(24, 24).toImage() for palette in (light, dark))
    assert one != other
    disabled = theme.icon(name, dark).pixmap(24, 24, QIcon.Mode.Disabled).toImage()
    assert disabled != other


def test_that_the_window_has_an_icon_of_its_own(qapp: QApplication) -> None:
    assert not theme.application_icon().pixmap(64, 64).isNull()


def test_that_the_samples_are_there() -> None:
    assert {path.name for path in theme.sample_models()} >= {
        "image_classifier.onnx",
        "text_transformer.onnx",
        "tiny_mlp.onnx",
    }
