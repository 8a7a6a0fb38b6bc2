"""What the charts of reports are drawn of: SVG as text. Text and axes take the colour of the text around them, for
reports are read on light and on dark ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

TICKS = 5
SAMPLES, MEDIAN, P90 = "#3b86d1", "#2a9a4b", "#c2701c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """From values to pixels; `high` is above `low`, and of a logarithmic one both are above 0."""

    low: float
    high: float
    start: float
    end: float
    is_logarithmic: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value."""
        if self.is_logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, *, whole: bool = False) -> list[float]:
        """Return round values in its range."""
        if self.is_logarithmic:
            return self._decades()
        rough = (self.high - self.low) / TICKS
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
        step = max(1.0, step) if whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def _decades(self) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        factors = (1, 2, 5) if last - first <= 3 else (1,)
        values = (10.0**exponent * factor for exponent in range(first, last + 1) for factor in factors)
        return [value for value in values if self.low <= value <= self.high]


def head(width: int, height: int, description: str) -> list[str]:
    """Return the beginning of a picture; `</svg>` ends it."""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="currentColor">'
    )
    return [opening, f"<title>{escape(description)}</title>"]


def tick_text(value: float, ticks: list[float]) -> str:
    """Return a number with as many decimals as its axis needs."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(value) or 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{decimals}f}"


def label(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 0,
    color: str = "",
    anchor: str = "start",
    weight: str = "",
    opacity: float = 1.0,
) -> str:
    """Return a line of text; `anchor` says which part of it is at `x`."""
    looks = "".join(
        f' {name}="{value}"'
        for name, value in (
            ("font-size", size),
            ("fill", color),
            ("font-weight", weight),
            ("text-anchor", "" if anchor == "start" else anchor),
            ("opacity", "" if opacity == 1.0 else opacity),
        )
        if value
    )
    return f'<text x="{x:.1f}" y="{y:.1f}"{looks}>{escape(words)}</text>'
