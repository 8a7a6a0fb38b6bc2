"""The colours and icons of verdicts: each derived from the palette, so that words on them read in light and dark."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QColor, QIcon, QPalette

from .. import theme
from ..models.verdict_texts import Tone

_HUES: Final = {Tone.GOOD: 130, Tone.DOUBTFUL: 38, Tone.BAD: 2}
_TINT: Final = 0.2
_WEAK_TINT: Final = 0.07


def tone_color(palette: QPalette, tone: Tone) -> QColor:
    """Return the colour of icons and lines of that tone, which stands out from the palette's ground."""
    if tone is Tone.PLAIN:
        return theme.muted(palette)
    color = theme.chart_color(palette, _HUES[tone])
    return color if theme.is_dark(palette) else theme.mixed(color, palette.color(QPalette.ColorRole.WindowText), 0.25)


def tone_ground(palette: QPalette, tone: Tone) -> QColor:
    """Return a ground of that tone on which the palette's own text reads."""
    share = _WEAK_TINT if tone is Tone.PLAIN else _TINT
    return theme.mixed(palette.color(QPalette.ColorRole.Window), tone_color(palette, tone), share)


def alarm_colors(palette: QPalette, tone: Tone) -> tuple[QColor, QColor]:
    """Return ground and text of an alarm: a strong red with light text for what is bad, else a tinted ground."""
    if tone is Tone.BAD:
        ground = QColor.fromHsl(_HUES[tone], 190, 90)
        light = palette.color(QPalette.ColorRole.WindowText if theme.is_dark(palette) else QPalette.ColorRole.Base)
        return ground, theme.mixed(light, QColor.fromHsl(0, 0, 255), 0.7)
    text = palette.color(QPalette.ColorRole.WindowText)
    return theme.mixed(palette.color(QPalette.ColorRole.Window), tone_color(palette, tone), 0.32), text


def tone_icon(name: str, palette: QPalette, tone: Tone) -> QIcon:
    """Return an icon in the colour of a tone; in a selected row it has the colour of its text."""
    return theme.icon(name, with_text(palette, tone_color(palette, tone)))


def with_text(palette: QPalette, text: QColor, ground: QColor | None = None) -> QPalette:
    """Return a palette with other colours of text, and of ground."""
    changed = QPalette(palette)
    changed.setColor(QPalette.ColorRole.WindowText, text)
    if ground is not None:
        changed.setColor(QPalette.ColorRole.Window, ground)
    return changed


def contrast(one: QColor, other: QColor) -> float:
    """Return the contrast of two colours by WCAG 2, from 1 to 21; text needs 4.5."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: QColor) -> float:
    parts = (color.redF(), color.greenF(), color.blueF())
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
