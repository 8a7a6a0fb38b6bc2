"""Which rows of a comparison belong together, which of them is the baseline, and which have a number of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .check import Agreement
from .compared import Compared
from .dimensions import asked_for
from .kept_trial import model_name
from .placement import PlacementVerdict
from .result import Outcome

CPU_EP = "CPUExecutionProvider"

Sizes = tuple[tuple[str, int], ...]
"""Names of free dimensions and their sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Rows of one model and the same sizes: only those can be compared by latency."""

    model: str
    """The model's name; empty when all rows are of one."""
    sizes: Sizes
    """Those that differ among the rows of this model."""
    rows: tuple[int, ...]
    """Their indices, in the order given."""

    @property
    def text(self) -> str:
        """What tells them from the others: `tiny_mlp, batch 8`."""
        return ", ".join(part for part in (self.model, sizes_text(self.sizes)) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traits:
    """What tells the model of a row from others; empty is not known. Not how many nodes it has: each EP fuses its own
    way, so that two EPs differ in that with one model.
    """

    name: str
    inputs: frozenset[tuple[str, str]]
    outputs: frozenset[tuple[str, str]]
    sizes: frozenset[tuple[str, int]]
    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    def fits(self, other: _Traits) -> bool:
        """Whether both may be of one model."""
        if self.name != other.name:
            return False
        for mine, others in ((self.inputs, other.inputs), (self.outputs, other.outputs)):
            if mine and others and mine != others:
                return False
        shapes = dict(other.shapes)
        return self.sizes != other.sizes or all(shapes.get(name, shape) == shape for name, shape in self.shapes)


def _traits_of(row: Compared) -> _Traits:
    facts = row.facts
    return _Traits(
        name=model_name(row.settings.model_path),
        inputs=frozenset((fact.name, fact.type) for fact in facts.inputs),
        outputs=frozenset((info.name, info.type) for info in facts.outputs),
        sizes=frozenset((entry.name, entry.size) for entry in facts.dimensions),
        shapes=tuple((fact.name, fact.shape) for fact in facts.inputs if fact.shape is not None),
    )


def models_of(rows: Sequence[Compared]) -> tuple[int, ...]:
    """Return a number for each row, the same for those of one model, counted from 0 in their order.

    Models are told apart by the name of their file and by their inputs and outputs, as far as these are known.
    """
    models: list[dict[_Traits, None]] = []
    numbers = []
    for row in rows:
        traits = _traits_of(row)
        fitting = (number for number, known in enumerate(models) if all(traits.fits(other) for other in known))
        number = next(fitting, len(models))
        if number == len(models):
            models.append({})
        models[number][traits] = None
        numbers.append(number)
    return tuple(numbers)


def model_names(rows: Sequence[Compared]) -> tuple[str, ...]:
    """Return the name of each model, different ones, in the order of their numbers; see `models_of`."""
    firsts: dict[int, Compared] = {}
    for number, row in zip(models_of(rows), rows, strict=True):
        firsts.setdefault(number, row)
    paths = [row.settings.model_path for row in firsts.values()]
    for names in ([model_name(path) for path in paths], paths):
        if len(set(names)) == len(names):
            return tuple(names)
    return tuple(f"{path} ({number})" for number, path in enumerate(paths, 1))  # the file has been replaced


def sizes_of(row: Compared) -> dict[str, int]:
    """Return the sizes of a row's free dimensions; where its session was never made, those that were chosen."""
    return {entry.name: entry.size for entry in row.facts.dimensions or row.settings.dimensions}


def varying_dimensions(rows: Sequence[Compared]) -> tuple[str, ...]:
    """Return the free dimensions whose sizes differ among rows of one model, without those that follow from others."""
    models = models_of(rows)
    found: dict[str, None] = {}
    for model in dict.fromkeys(models):
        of_model = [row for row, number in zip(rows, models, strict=True) if number == model]
        found.update(dict.fromkeys(_varying(of_model)))
    return tuple(found)


def _varying(rows: Sequence[Compared]) -> tuple[str, ...]:
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


def alike_rows(rows: Sequence[Compared]) -> tuple[Alike, ...]:
    """Return the rows by their model and by the sizes that differ, in the order given."""
    models, names = models_of(rows), model_names(rows)
    found: list[Alike] = []
    for model, name in enumerate(names):
        indices = [index for index, number in enumerate(models) if number == model]
        varying = _varying([rows[index] for index in indices])
        groups: dict[Sizes, tuple[int, ...]] = {}
        for index in indices:
            sizes = sizes_of(rows[index])
            key = tuple((entry, sizes.get(entry, 1)) for entry in varying)
            groups[key] = (*groups.get(key, ()), index)
        shown = name if len(names) > 1 else ""
        found += [Alike(model=shown, sizes=sizes, rows=those) for sizes, those in groups.items()]
    return tuple(found)


def sizes_text(sizes: Sizes) -> str:
    """Return sizes in words: `batch 8, sequence 32`."""
    return ", ".join(f"{name} {size}" for name, size in sizes)


def group_names(rows: Sequence[Compared], alike: Alike) -> dict[int, str]:
    """Return the labels of rows of the same model and sizes without these, as long as they still differ."""
    labels = {index: rows[index].label for index in alike.rows}
    short = {index: _without(label, alike, rows[index]) for index, label in labels.items()}
    return short if all(short.values()) and len(set(short.values())) == len(short) else labels


def _without(label: str, alike: Alike, row: Compared) -> str:
    all_sizes = tuple((entry.name, entry.size) for entry in row.facts.dimensions or row.settings.dimensions)
    texts = (sizes_text(alike.sizes), sizes_text(all_sizes), alike.model)
    endings = [f", {text}" for text in texts if text]
    while (ending := next((entry for entry in endings if label.endswith(entry)), None)) is not None:
        label = label.removesuffix(ending)
    return label


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
    """Return the row among these that differs from `wanted` in nothing but its model and sizes, if there is one; rather
    one that was measured.
    """
    order = sorted(indices, key=lambda index: len(rows[index].samples) == 0)
    alike = (index for index in order if _target_key(rows[index]) == _target_key(wanted))
    named_alike = (index for index in order if rows[index].target_text == wanted.target_text)
    return next(alike, next(named_alike, None))


def _target_key(row: Compared) -> tuple[object, ...]:
    settings = row.settings
    how = (settings.session, settings.binding, settings.callers, settings.pause_ms, settings.intra_op_threads)
    return settings.target, settings.options, settings.second_options, how, row.machine, row.onnxruntime
