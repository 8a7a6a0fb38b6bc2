"""Icons and colours that follow the palette, and the choice between light and dark."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from .records.engine_command import PACKAGE_ROOT
from .settings import ColorScheme

RESOURCES: Final = PACKAGE_ROOT / "resources"
_SIZES: Final = (16, 32)
_SCHEMES: Final = {
    ColorScheme.SYSTEM: Qt.ColorScheme.Unknown,
    ColorScheme.LIGHT: Qt.ColorScheme.Light,
    ColorScheme.DARK: Qt.ColorScheme.Dark,
}


def apply_color_scheme(scheme: ColorScheme) -> None:
    """Make the application light, dark, or what the system says."""
    hints = QGuiApplication.styleHints()
    hints.setColorScheme(_SCHEMES[scheme])
    wanted_dark = scheme is ColorScheme.DARK
    if scheme is ColorScheme.SYSTEM:
        QGuiApplication.setPalette(QPalette())
    elif is_dark(QGuiApplication.palette()) != wanted_dark:
        # Platforms without a theme of their own (bare X11) leave the wish unheard.
        QGuiApplication.setPalette(_palette(dark=wanted_dark))
    _show_ticks()


def _show_ticks() -> None:
    """Let boxes to be ticked stand out from a dark ground: Fusion draws their outline darker than it."""
    if not isinstance(QApplication.instance(), QApplication):
        return
    palette = QApplication.palette()
    for kind in ("QCheckBox", "QRadioButton"):
        # The stubs of PySide say bytes, it takes text.
        QApplication.setPalette(tick_palette(palette) if is_dark(palette) else QPalette(), kind)  # type: ignore[arg-type]


def tick_palette(palette: QPalette) -> QPalette:
    """Return a palette in which the ground of what can be ticked can be told from that around it."""
    role = QPalette.ColorRole
    ticks = QPalette(palette)
    if is_dark(palette):
        ticks.setColor(role.Base, mixed(palette.color(role.Base), palette.color(role.Text), 0.35))
    return ticks


def _palette(*, dark: bool) -> QPalette:
    """Return a palette made of one ground and one button colour, from which Qt derives the others."""
    if not dark:
        return QPalette(QColor("#f0f0f0"), QColor("#efefef"))
    ground, base, text = QColor("#2b2d30"), QColor("#1f2123"), QColor("#dfe1e5")
    palette = QPalette(QColor("#3a3d41"), ground)
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    for which, color in (
        (role.Base, base),
        (role.AlternateBase, QColor("#26282b")),
        (role.ToolTipBase, QColor("#3a3d41")),
        (role.Highlight, QColor("#2f65a8")),
        (role.Link, QColor("#6cb0f3")),
        (role.PlaceholderText, mixed(text, base, 0.45)),
    ):
        palette.setColor(which, color)
    for which in (role.Text, role.WindowText, role.ButtonText, role.ToolTipText, role.HighlightedText):
        palette.setColor(which, text)
        palette.setColor(group.Disabled, which, mixed(text, ground, 0.55))
    return palette


def is_dark(palette: QPalette) -> bool:
    """Whether the palette has light text on dark ground."""
    return (
        palette.color(QPalette.ColorRole.Window).lightness() < palette.color(QPalette.ColorRole.WindowText).lightness()
    )


def muted(palette: QPalette) -> QColor:
    """The colour of secondary text: between text and ground, readable on both."""
    return mixed(palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window), 0.35)


def mixed(one: QColor, other: QColor, share: float) -> QColor:
    """Return `one` with a share (0 to 1) of `other`."""
    return QColor.fromRgbF(
        one.redF() * (1 - share) + other.redF() * share,
        one.greenF() * (1 - share) + other.greenF() * share,
        one.blueF() * (1 - share) + other.blueF() * share,
    )


def chart_color(palette: QPalette, hue: int) -> QColor:
    """Return a colour of that hue (0 to 359) that stands out from the palette's ground."""
    return QColor.fromHsl(hue, 190, 165 if is_dark(palette) else 95)


def icon(name: str, palette: QPalette | None = None) -> QIcon:
    """Return the icon of that name in `resources/icons`, drawn in the palette's text colours."""
    palette = palette or QGuiApplication.palette()
    result = QIcon()
    group, role = QPalette.ColorGroup, QPalette.ColorRole
    for mode, color in (
        (QIcon.Mode.Normal, palette.color(group.Active, role.WindowText)),
        (QIcon.Mode.Disabled, palette.color(group.Disabled, role.WindowText)),
        (QIcon.Mode.Selected, palette.color(group.Active, role.HighlightedText)),
    ):
        for size in _SIZES:
            result.addPixmap(_pixmap(name, size, color.name()), mode)
    return result


def application_icon() -> QIcon:
    """Return the icon of the window, in its own colours."""
    return QIcon(str(RESOURCES / "icons" / "application.svg"))


@cache
def _svg_text(name: str) -> str:
    return (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")


@cache
def _pixmap(name: str, size: int, color: str) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_svg_text(name).replace("#000", color).replace("currentColor", color).encode()))
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def sample_models() -> tuple[Path, ...]:
    """Return the model files that ship with the application."""
    return tuple(sorted((RESOURCES / "models").glob("*.onnx")))
