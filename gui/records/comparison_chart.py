"""The charts of a comparison as SVG: the medians with their intervals, and beside them box plots, a row a trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .compared import Compared
from .comparison_table import ComparedTrials
from .kept_trial import KeptTrial
from .markdown import clean_text
from .samples import Nanoseconds
from .statistics import nearest_rank
from .svg_parts import MEDIAN, SAMPLES, Axis, head, label, tick_text
from .trial_chart import environment_text
from .units import time_unit

_WIDTH, _TOP, _ROW, _FOOT = 920, 66, 26, 66
_NAMES, _LEFT_PLOT, _RIGHT_PLOT = 204, (212, 536), (584, 904)
_LONGEST_NAME = 32
_WIDE = 30
"""Medians that differ by more are drawn on a logarithmic axis: the fast ones would all stand at its left end."""
_BOX = (5, 25, 50, 75, 95)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    """One of the two plots: where it stands, and what is drawn of each row that has samples."""

    place: tuple[int, int]
    title: str
    values: tuple[tuple[float, ...] | None, ...]
    """Of each row, ascending; None of one without samples."""
    draw: Callable[[Axis, float, tuple[float, ...], bool], list[str]]


def comparison_svg(found: ComparedTrials) -> str:
    """Return the charts of compared trials with title, units and machines; a row without samples says what it is."""
    order = found.order
    rows = [found.rows[number] for number in order]
    baselines = {place for place, number in enumerate(order) if number in found.baselines}
    bottom = _TOP + max(1, len(rows)) * _ROW + 6
    title, height = clean_text(found.title), bottom + _FOOT
    parts = [
        *head(_WIDTH, height, f"{title}: medians with their intervals, and box plots"),
        label(10, 20, title, size=15, weight="bold"),
        label(10, height - 8, clean_text(_under(found.trials)), opacity=0.75),
        *(_name(row, place, is_baseline=place in baselines) for place, row in enumerate(rows)),
    ]
    unit, size = time_unit(float(max((row.statistics.median_ns for row in rows if row.statistics), default=0)))
    for plot in _plots(rows, unit, size):
        parts += _drawn(plot, rows, bottom, baselines)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _under(trials: Sequence[KeptTrial]) -> str:
    """Return machines, ORT and date of the trials, each once."""
    environments = dict.fromkeys(environment_text(kept) for kept in trials)
    days = sorted({kept.created[:10] for kept in trials if kept.created})
    told = [text for text in environments if text]
    where = told[0] if len(told) == 1 else f"{len(told)} environments" if told else ""
    when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else ""
    return " · ".join(part for part in (where, when) if part)


def _name(row: Compared, number: int, *, is_baseline: bool) -> str:
    name = clean_text(row.label)
    most = _LONGEST_NAME - (11 if is_baseline else 0)
    name = name if len(name) <= most else f"{name[: most - 1]}…"
    words = f"{name} (baseline)" if is_baseline else name
    return label(_NAMES, _middle(number) + 4, words, anchor="end", weight="bold" if is_baseline else "")


def _middle(number: int) -> float:
    return _TOP + (number + 0.5) * _ROW


def _plots(rows: Sequence[Compared], unit: str, size: float) -> tuple[_Plot, _Plot]:
    medians = tuple(_median_values(row, size) for row in rows)
    boxes = tuple(_box_values(row.samples, size) if len(row.samples) else None for row in rows)
    return (
        _Plot(place=_LEFT_PLOT, title=f"Median and its 95 % interval ({unit})", values=medians, draw=_median),
        _Plot(place=_RIGHT_PLOT, title=f"5 %, quartiles, 95 % of the samples ({unit})", values=boxes, draw=_box),
    )


def _median_values(row: Compared, size: float) -> tuple[float, ...] | None:
    """Return the lower end of the interval, the median and the upper end; the median alone where it has none."""
    found = row.statistics
    if found is None:
        return None
    low, high = found.median_low_ns, found.median_high_ns
    values = (found.median_ns,) if low is None or high is None else (low, found.median_ns, high)
    return tuple(value / size for value in values)


def _box_values(samples: Nanoseconds, size: float) -> tuple[float, ...]:
    ranks = [nearest_rank(len(samples), percent) for percent in _BOX]
    ordered = np.partition(samples, sorted(set(ranks)))
    return tuple(int(ordered[rank]) / size for rank in ranks)


def _drawn(plot: _Plot, rows: Sequence[Compared], bottom: float, baselines: set[int]) -> list[str]:
    left, right = plot.place
    axis = _axis(plot)
    suffix = ", logarithmic" if axis.is_logarithmic else ""
    parts = [
        f'<path d="M{left} {_TOP}V{bottom}H{right}" fill="none" stroke="currentColor" stroke-opacity="0.55"/>',
        label((left + right) / 2, _TOP - 12, plot.title + suffix, anchor="middle"),
    ]
    ticks = axis.ticks()
    for value in ticks:
        place = axis.at(value)
        words = f"{value:g}" if axis.is_logarithmic else tick_text(value, ticks)
        parts.append(f'<path d="M{place:.1f} {_TOP}V{bottom}" stroke="currentColor" stroke-opacity="0.12"/>')
        parts.append(label(place, bottom + 15, words, anchor="middle", opacity=0.85))
    for number, (row, values) in enumerate(zip(rows, plot.values, strict=True)):
        if values is None:
            parts.append(label(left + 8, _middle(number) + 4, f"{row.outcome.value}, no samples", opacity=0.75))
        else:
            parts += plot.draw(axis, _middle(number), values, number in baselines)
    return parts


def _axis(plot: _Plot) -> Axis:
    """Return an axis on which all values of a plot have room, that of a single one too."""
    left, right = plot.place
    found = [values for values in plot.values if values is not None]
    low = min((values[0] for values in found), default=0.0)
    high = max((values[-1] for values in found), default=1.0)
    middles = [values[len(values) // 2] for values in found]
    if low > 0 and max(middles, default=0.0) > _WIDE * min(middles, default=0.0):
        return Axis(low=low / 1.3, high=high * 1.3, start=left, end=right, is_logarithmic=True)
    room = max(0.08 * (high - low), 0.02 * high, 1e-6)
    return Axis(low=max(0.0, low - room), high=high + room, start=left, end=right)


def _median(axis: Axis, y: float, values: tuple[float, ...], is_baseline: bool) -> list[str]:
    middle, color = axis.at(values[len(values) // 2]), _color(is_baseline=is_baseline)
    parts = []
    if len(values) > 1:
        low, high = axis.at(values[0]), axis.at(values[-1])
        ends = f"M{low:.1f} {y - 5:.1f}V{y + 5:.1f}M{low:.1f} {y:.1f}H{high:.1f}M{high:.1f} {y - 5:.1f}V{y + 5:.1f}"
        parts.append(f'<path d="{ends}" fill="none" stroke="{color}" stroke-width="1.5"/>')
    if is_baseline:
        parts.append(f'<rect x="{middle - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{color}"/>')
    else:
        parts.append(f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>')
    return parts


def _box(axis: Axis, y: float, values: tuple[float, ...], is_baseline: bool) -> list[str]:
    low, first, middle, third, high = (axis.at(value) for value in values)
    color = _color(is_baseline=is_baseline)
    whiskers = f"M{low:.1f} {y - 4:.1f}V{y + 4:.1f}M{low:.1f} {y:.1f}H{first:.1f}"
    whiskers += f"M{third:.1f} {y:.1f}H{high:.1f}M{high:.1f} {y - 4:.1f}V{y + 4:.1f}"
    place = f'x="{first:.1f}" y="{y - 7:.1f}" width="{max(1.0, third - first):.1f}" height="14"'
    return [
        f'<path d="{whiskers}" fill="none" stroke="{color}"/>',
        f'<rect {place} fill="{color}" fill-opacity="0.35" stroke="{color}"/>',
        f'<path d="M{middle:.1f} {y - 7:.1f}V{y + 7:.1f}" stroke="{color}" stroke-width="2.5"/>',
    ]


def _color(*, is_baseline: bool) -> str:
    """Return the colour of all that is drawn of a row."""
    return MEDIAN if is_baseline else SAMPLES
