"""Which target gets the most done at which size, in a sentence: latencies of different sizes say nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .compared import Compared
from .comparison_groups import Alike, group_names, is_own_number
from .comparison_ratio import NOISE_PERCENT
from .comparison_sentences import names_text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rate:
    """How many items a second a target gets done at a size."""

    name: str
    size: int
    value: float


def most_done(rows: Sequence[Compared], groups: Sequence[Alike]) -> str | None:
    """Return the sentence for groups of one model; None unless one dimension varies, and throughput is known of rows of
    two sizes at least whose number is their own.
    """
    dimensions = {name for group in groups for name, _size in group.sizes}
    if len(dimensions) != 1:
        return None
    (dimension,) = dimensions
    rates = [rate for group in groups for rate in _rates(rows, group)]
    if len({rate.size for rate in rates}) < 2:
        return None
    least = max(rate.value for rate in rates) / (1 + NOISE_PERCENT / 100)
    top = sorted((rate for rate in rates if rate.value >= least), key=lambda rate: -rate.value)
    if len({rate.name for rate in rates}) == 1:
        return _of_one(dimension, rates, top)
    if len(top) > 1:
        places = [f"{rate.name} at {dimension} {rate.size}" for rate in top]
        return f"{names_text(places)} get the most done: about {_rate_text(top[0].value)} items a second."
    best = top[0]
    other = max((rate for rate in rates if rate.name != best.name), key=lambda rate: rate.value)
    return (
        f"{best.name} gets the most done at {dimension} {best.size}: {_rate_text(best.value)} items a second "
        f"({other.name} at {dimension} {other.size}: {_rate_text(other.value)})."
    )


def _of_one(dimension: str, rates: Sequence[_Rate], top: Sequence[_Rate]) -> str:
    name, text = top[0].name, f"{_rate_text(top[0].value)} items a second"
    sizes = f"{dimension} {names_text([str(size) for size in sorted({rate.size for rate in top})], 'or')}"
    rest = sorted((rate for rate in rates if rate not in top), key=lambda rate: rate.size)
    if not rest:
        return f"{name} gets as much done at {sizes}: about {text}."
    smallest = min(rate.size for rate in top)
    other = rest[0] if rest[0].size < smallest else rest[-1]
    return f"{name} gets the most done at {sizes}: {text} ({dimension} {other.size}: {_rate_text(other.value)})."


def _rates(rows: Sequence[Compared], group: Alike) -> list[_Rate]:
    names, ((_name, size),) = group_names(rows, group), group.sizes
    found = []
    for index in group.rows:
        statistics = rows[index].statistics
        throughput = None if statistics is None else statistics.throughput_per_s
        if throughput and is_own_number(rows[index]):
            found.append(_Rate(name=names[index], size=size, value=throughput * size))
    return found


def _rate_text(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
