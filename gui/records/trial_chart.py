"""The charts of a trial as SVG, drawn here: latency over iteration, and beside it the distribution of the latencies.

They are for reports, which are read on light and on dark ground: text and axes take the colour of the text around them.
"""

from __future__ import annotations

import numpy as np

from .kept_trial import KeptTrial, machine_text
from .markdown import clean_text
from .samples import Nanoseconds
from .statistics import LatencyStatistics, histogram
from .svg_parts import MEDIAN, P90, SAMPLES, Axis, head, label, tick_text
from .units import time_text, time_unit

_WIDTH, _HEIGHT = 920, 344
_TOP, _BOTTOM = 58, 282
_LEFT_PLOT, _RIGHT_PLOT = (66, 568), (640, 904)
_LABEL_HEIGHT = 14


def chart_svg(kept: KeptTrial) -> str:
    """Return the charts of a trial with title, units and machine; without samples a picture that says so."""
    title = clean_text(f"{kept.model_name} on {kept.target_text}")
    under = " · ".join(part for part in (environment_text(kept), kept.created[:10]) if part)
    parts = [
        *head(_WIDTH, _HEIGHT, _described(kept, title)),
        label(_LEFT_PLOT[0], 20, title, size=15, weight="bold"),
        label(_LEFT_PLOT[0], _HEIGHT - 8, clean_text(under), opacity=0.75),
    ]
    statistics = kept.statistics
    if statistics is None or not len(kept.samples):
        parts.append(label(_LEFT_PLOT[0], _TOP + 20, "No samples were taken."))
    else:
        parts += _over_time(kept.samples, statistics)
        parts += _distribution(kept.samples, statistics)
    return "\n".join([*parts, "</svg>"]) + "\n"


def environment_text(kept: KeptTrial) -> str:
    """Return machine and ORT in words; empty when they are not known."""
    environment = kept.environment
    if environment is None:
        return ""
    return f"{machine_text(environment)}, onnxruntime {environment.onnxruntime}"


def _described(kept: KeptTrial, title: str) -> str:
    if kept.statistics is None:
        return f"{title}: no samples"
    return f"{title}: latency over iteration and histogram, median {time_text(kept.statistics.median_ns)}"


def _over_time(samples: Nanoseconds, statistics: LatencyStatistics) -> list[str]:
    """Return latencies in their order, up to well beyond p95: slower ones are counted above."""
    left, right = _LEFT_PLOT
    spread = max(statistics.p95_ns - statistics.min_ns, statistics.median_ns // 50, 1)
    top = min(statistics.max_ns, statistics.p95_ns + 4 * spread)
    room = 0.1 * (top - statistics.min_ns) + 0.02 * statistics.min_ns + 1
    low, high = statistics.min_ns - room, top + room
    unit, size = time_unit(high)
    x = Axis(low=0, high=max(2, len(samples)) * 1.01, start=left, end=right)
    y = Axis(low=low / size, high=high / size, start=_BOTTOM, end=_TOP)
    points = _points(samples, right - left)
    path = " ".join(f"{x.at(number + 1):.1f},{y.at(min(value, high) / size):.1f}" for number, value in points)
    parts = [
        *_frame(_LEFT_PLOT, x, y, ("Iteration", f"Latency ({unit})")),
        f'<polyline points="{path}" fill="none" stroke="{SAMPLES}"/>',
    ]
    if len(samples) == 1:
        parts.append(f'<circle cx="{x.at(1):.1f}" cy="{y.at(points[0][1] / size):.1f}" r="3" fill="{SAMPLES}"/>')
    for label_x, color, dash, name, value in (
        (left + 90, MEDIAN, "", "median", statistics.median_ns),
        (left + 230, P90, ' stroke-dasharray="6 4"', "p90", statistics.p90_ns),
    ):
        place = y.at(value / size)
        parts.append(f'<path d="M{left} {place:.1f}H{right}" stroke="{color}" stroke-width="1.5"{dash}/>')
        parts.append(label(label_x, _TOP - 8, f"{name} {time_text(value)}", color=color, weight="bold"))
    slower = int(np.count_nonzero(samples > high))
    if slower:
        parts.append(label(right, _TOP - 8, f"▲ {slower} slower, up to {time_text(statistics.max_ns)}", anchor="end"))
    return parts


def _distribution(samples: Nanoseconds, statistics: LatencyStatistics) -> list[str]:
    found = histogram(samples)
    if found is None:
        return []
    left, right = _RIGHT_PLOT
    edges = found.edges_ns
    unit, size = time_unit(float(edges[-1]))
    x = Axis(low=float(edges[0]) / size, high=float(edges[-1]) / size, start=left, end=right)
    y = Axis(low=0, high=float(found.counts.max()) * 1.3, start=_BOTTOM, end=_TOP)  # room for the labels
    bars = []
    for number, count in enumerate(found.counts.tolist()):
        if count:
            begin, end = x.at(edges[number] / size), x.at(edges[number + 1] / size)
            bars.append(f"M{begin:.1f} {_BOTTOM}V{y.at(count):.1f}H{end:.1f}V{_BOTTOM}Z")
    parts = [
        *_frame(_RIGHT_PLOT, x, y, (f"Latency ({unit})", "Samples"), whole_y=True),
        f'<path d="{"".join(bars)}" fill="{SAMPLES}" fill-opacity="0.45" stroke="{SAMPLES}" stroke-width="0.7"/>',
    ]
    for row, (color, dash, name, value) in enumerate(
        (
            (MEDIAN, "", "median", statistics.median_ns),
            (P90, ' stroke-dasharray="6 4"', "p90", statistics.p90_ns),
        )
    ):
        place = x.at(value / size)
        if place > right:
            continue
        is_right = place > (left + right) / 2
        parts.append(f'<path d="M{place:.1f} {_TOP}V{_BOTTOM}" stroke="{color}" stroke-width="1.5"{dash}/>')
        label_x, anchor = (place - 5, "end") if is_right else (place + 5, "start")
        label_y = _TOP + 12 + row * (_LABEL_HEIGHT + 2)
        parts.append(label(label_x, label_y, f"{name} {time_text(value)}", color=color, anchor=anchor, weight="bold"))
    if found.beyond:
        parts.append(label(right, _TOP - 8, f"{found.beyond} beyond ▸", anchor="end"))
    return parts


def _points(samples: Nanoseconds, columns: int) -> list[tuple[int, int]]:
    """Return index and latency of what is drawn: all, or the fastest and the slowest of each column of pixels."""
    if len(samples) <= 2 * columns:
        return list(enumerate(samples.tolist()))
    starts = np.arange(0, len(samples), -(-len(samples) // columns))
    lows, highs = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return [
        (start, value)
        for start, low, high in zip(starts.tolist(), lows.tolist(), highs.tolist(), strict=True)
        for value in (low, high)
    ]


def _frame(plot: tuple[int, int], x: Axis, y: Axis, titles: tuple[str, str], *, whole_y: bool = False) -> list[str]:
    """Return axes with numbers and titles."""
    left, right = plot
    parts = [f'<path d="M{left} {_TOP}V{_BOTTOM}H{right}" fill="none" stroke="currentColor" stroke-opacity="0.55"/>']
    x_ticks, y_ticks = x.ticks(whole=titles[0] == "Iteration"), y.ticks(whole=whole_y)
    for value in x_ticks:
        place = x.at(value)
        parts.append(f'<path d="M{place:.1f} {_TOP}V{_BOTTOM}" stroke="currentColor" stroke-opacity="0.12"/>')
        parts.append(label(place, _BOTTOM + 15, tick_text(value, x_ticks), anchor="middle", opacity=0.85))
    for value in y_ticks:
        place = y.at(value)
        parts.append(f'<path d="M{left} {place:.1f}H{right}" stroke="currentColor" stroke-opacity="0.12"/>')
        parts.append(label(left - 6, place + 4, tick_text(value, y_ticks), anchor="end", opacity=0.85))
    parts.append(label((left + right) / 2, _BOTTOM + 31, titles[0], anchor="middle"))
    parts.append(label(left - 6, _TOP - 8, titles[1], anchor="start" if left < 100 else "middle"))
    return parts
