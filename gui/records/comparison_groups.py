"""Which rows of a comparison belong together, which of them is the baseline, and which have a number of their own."""

from __future__ import annotations

from collections.abc import Sequence

from .check import Agreement
from .compared import Compared
from .dimensions import asked_for
from .placement import PlacementVerdict
from .result import Outcome

CPU_EP = "CPUExecutionProvider"

Sizes = tuple[tuple[str, int], ...]
"""Names of free dimensions and their sizes."""


def sizes_of(row: Compared) -> dict[str, int]:
    """Return the sizes of a row's free dimensions; where its session was never made, those that were chosen."""
    return {entry.name: entry.size for entry in row.facts.dimensions or row.settings.dimensions}


def varying_dimensions(rows: Sequence[Compared]) -> tuple[str, ...]:
    """Return the free dimensions whose sizes differ among the rows, without those that follow from others."""
    sizes = [sizes_of(row) for row in rows]
    names = asked_for(name for entry in sizes for name in entry)
    return tuple(name for name in names if len({entry.get(name, 1) for entry in sizes}) > 1)


def varying_dimension(rows: Sequence[Compared]) -> str | None:
    """Return the one free dimension whose size differs among the rows; None when it is none or several."""
    names = varying_dimensions(rows)
    return names[0] if len(names) == 1 else None


def items_of(row: Compared, dimension: str | None) -> int:
    """Return how many items a run works on: the size of that dimension, 1 without one."""
    return 1 if dimension is None else sizes_of(row).get(dimension, 1)


def by_sizes(rows: Sequence[Compared]) -> dict[Sizes, tuple[int, ...]]:
    """Return the indices of the rows of the same sizes, by those of the sizes that differ, in the order given."""
    names = varying_dimensions(rows)
    found: dict[Sizes, tuple[int, ...]] = {}
    for index, row in enumerate(rows):
        sizes = sizes_of(row)
        key = tuple((name, sizes.get(name, 1)) for name in names)
        found[key] = (*found.get(key, ()), index)
    return found


def sizes_text(sizes: Sizes) -> str:
    """Return sizes in words: `batch 8, sequence 32`."""
    return ", ".join(f"{name} {size}" for name, size in sizes)


def group_names(rows: Sequence[Compared], indices: Sequence[int], sizes: Sizes) -> dict[int, str]:
    """Return the labels of rows of the same sizes without these, as long as they still differ."""
    labels = {index: rows[index].label for index in indices}
    ending = f", {sizes_text(sizes)}"
    short = {index: label.removesuffix(ending) for index, label in labels.items()}
    return short if all(short.values()) and len(set(short.values())) == len(short) else labels


def is_own_number(row: Compared) -> bool:
    """Whether a row's latency is that of its target: measured, on the EP that was wanted, with the right outputs."""
    return (
        len(row.samples) > 0
        and row.outcome is not Outcome.FAILED
        and row.verdict not in (PlacementVerdict.NONE, PlacementVerdict.EMPTY)
        and (row.facts.check is None or row.facts.check.agreement is not Agreement.DIFFERENT)
    )


def default_baseline(rows: Sequence[Compared]) -> int | None:
    """Return the row that others are compared with when nobody has chosen: the one planned, else ORT's CPU EP, else the
    first that was measured; None when none was.
    """
    measured = [index for index, row in enumerate(rows) if len(row.samples)]
    planned = [index for index, row in enumerate(rows) if row.part is not None and row.part.is_baseline]
    own = [index for index in measured if is_own_number(rows[index])]
    on_cpu = [index for index in own if rows[index].facts.wanted_eps == (CPU_EP,)]
    wishes = ([index for index in planned if len(rows[index].samples)], planned, on_cpu, own, measured)
    return next((wish[0] for wish in wishes if wish), None)


def row_of_same_target(rows: Sequence[Compared], indices: Sequence[int], wanted: Compared) -> int | None:
    """Return the measured row among these that differs from `wanted` in nothing but its sizes, if there is one."""
    measured = [index for index in indices if len(rows[index].samples)]
    alike = (index for index in measured if _target_key(rows[index]) == _target_key(wanted))
    named_alike = (index for index in measured if rows[index].target_text == wanted.target_text)
    return next(alike, next(named_alike, None))


def _target_key(row: Compared) -> tuple[object, ...]:
    settings = row.settings
    how = (settings.session, settings.binding, settings.callers, settings.pause_ms, settings.intra_op_threads)
    return settings.target, settings.options, settings.second_options, how, row.machine, row.onnxruntime
