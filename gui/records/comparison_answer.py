"""What a comparison says: ratios with their intervals, and the answer in sentences.

How ratios and intervals are found stands at the head of `comparison_ratio`. A row whose number is not its own (none of
its nodes ran where they should, its outputs are wrong, it failed) keeps its number and its ratio, but is never called
the fastest.

Whether a row is told from the baseline is decided by the intervals to the baseline. Which rows are the fastest is a
question of each against each, so that the other intervals are wider: as many as there are pairs hold at once.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .compared import Compared, early_end
from .comparison_groups import (
    Alike,
    alike_rows,
    default_baseline,
    group_names,
    is_own_number,
    items_of,
    row_of_same_target,
    sizes_text,
    varying_dimension,
)
from .comparison_ratio import NOISE_PERCENT, Ratio, Timings, Verdict, ratio_between, ratio_of, ratio_texts, timings_of
from .comparison_remarks import cautions_of, not_counted
from .comparison_sentences import names_text, standing_of, standing_text
from .comparison_throughput import most_done
from .result import Outcome

__all__ = [
    "NOISE_PERCENT",
    "Answer",
    "Group",
    "Ratio",
    "Verdict",
    "answer_of",
    "is_own_number",
    "items_of",
    "ratio_of",
    "ratio_texts",
    "varying_dimension",
]

_MOST_SIZES = 6
"""A sentence for each of so many sizes; the table has them all."""
_NOTHING = "There is nothing to compare with."


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of the same model and sizes: only those can be compared by latency."""

    model: str
    """The model's name; empty when all rows are of one."""
    sizes_text: str
    """“batch 8”; empty when all rows of this model have the same sizes."""
    rows: tuple[int, ...]
    """The indices of its rows, in the order given."""
    baseline: int | None
    """The index of the row that the others are compared with; None when none of them was measured."""
    fastest: int | None
    """The index of the fastest row whose number is its own: nodes ran on the wanted EP, outputs are right."""
    sentence: str
    """The answer for these rows, after their model and sizes where there are several. Groups of which the same is to be
    said share it; empty where something else is said: how much gets done at which size.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the rows of a comparison say together."""

    sentences: tuple[str, ...]
    """The answer, the most important first; never empty."""
    groups: tuple[Group, ...]
    ratios: tuple[Ratio | None, ...]
    """One a row, to the baseline of its group; None for the baseline itself and for what has no samples."""
    cautions: tuple[str, ...] = ()
    """What weakens the answer: not measured by turns, different machines, different models or inputs."""


def answer_of(rows: Sequence[Compared], baseline: int | None = None) -> Answer:
    """Return what rows with different labels say together.

    `baseline` is the index of the row that others are compared with; None leaves it to what the rows say (the one
    planned, else ORT's CPU EP, else the first that was measured). Among other sizes it is the row of the same target.
    """
    if baseline is not None and not 0 <= baseline < len(rows):
        raise ValueError(f"the baseline is no row: {baseline}")
    return _Comparison(rows, baseline).answer()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What is to be said of a group by itself."""

    text: str
    fastest: int | None = None
    is_lonely: bool = False
    """Whether there is nothing to compare its only row with."""


class _Comparison:
    """The rows while they are compared."""

    def __init__(self, rows: Sequence[Compared], baseline: int | None) -> None:
        self._rows = rows
        self._timings = {index: timings_of(row) for index, row in enumerate(rows) if len(row.samples)}
        self._groups = alike_rows(rows)
        self._chosen = default_baseline(rows) if baseline is None else baseline
        self._baselines = [self._baseline_of(group.rows) for group in self._groups]
        counts = [len(self._measured(group.rows)) for group in self._groups]
        self._comparisons = sum(max(0, count - 1) for count in counts)
        self._pairs = sum(count * (count - 1) // 2 for count in counts)
        self._ratios: dict[int, Ratio] = {}
        self._bases: dict[int, int] = {}
        for group, base in zip(self._groups, self._baselines, strict=True):
            for index in self._measured(group.rows):
                if base is not None and index != base:
                    self._bases[index] = base
                    self._ratios[index] = self._ratio(index, base, self._comparisons)

    def answer(self) -> Answer:
        """Return the answer."""
        groups, further = self._told()
        return Answer(
            sentences=(*self._sentences(groups, further), *not_counted(self._rows)),
            groups=groups,
            ratios=tuple(self._ratios.get(index) for index in range(len(self._rows))),
            cautions=cautions_of(
                self._rows,
                [group.rows for group in self._groups],
                {index: (ratio, self._bases[index]) for index, ratio in self._ratios.items()},
            ),
        )

    def _sentences(self, groups: Sequence[Group], further: Sequence[str]) -> tuple[str, ...]:
        if not self._rows:
            return ("There is nothing to compare.",)
        if not self._timings:
            return ("Nothing was measured.",)
        sentences = tuple(dict.fromkeys(group.sentence for group in groups if group.sentence))
        told = sentences[:_MOST_SIZES]
        rest = sum(group.sentence in sentences[_MOST_SIZES:] for group in groups)
        more = (f"And {rest} more {'size' if rest == 1 else 'sizes'}.",) if rest else ()
        return (*told, *more, *further)

    def _told(self) -> tuple[tuple[Group, ...], tuple[str, ...]]:
        """Return the groups with their sentences, and what is to be said of several together."""
        said = [self._said(group, base) for group, base in zip(self._groups, self._baselines, strict=True)]
        done = {model: self._most_done(model) for model in dict.fromkeys(group.model for group in self._groups)}
        bodies = [
            "" if one.is_lonely and done[group.model] else one.text
            for group, one in zip(self._groups, said, strict=True)
        ]
        lonely = [number for number, body in enumerate(bodies) if body and said[number].is_lonely]
        if len(lonely) > 1:
            for number in lonely:
                bodies[number] = _NOTHING
        shared = {body for body, one in zip(bodies, said, strict=True) if one.fastest is None or body == _NOTHING}
        groups = tuple(
            Group(
                model=group.model,
                sizes_text=sizes_text(group.sizes),
                rows=group.rows,
                baseline=self._baselines[number],
                fastest=said[number].fastest,
                sentence=self._with_places(bodies, number, shared),
            )
            for number, group in enumerate(self._groups)
        )
        return groups, tuple(sentence for sentence in done.values() if sentence)

    def _with_places(self, bodies: Sequence[str], number: int, shared: Collection[str]) -> str:
        """Return the sentence of a group after its sizes; one of `shared` after those of all of which it is said."""
        body = bodies[number]
        alike = [other for other, text in enumerate(bodies) if text == body] if body in shared else [number]
        places = [self._groups[other].text for other in alike if self._groups[other].text]
        if body == _NOTHING and len(places) == len(bodies):
            return "No two rows are of the same model and sizes: there is nothing to compare."
        return f"{names_text(places)}: {body}" if body and places else body

    def _most_done(self, model: str) -> str:
        """Return which target gets the most done at which size, where that can be said."""
        text = most_done(self._rows, [group for group in self._groups if group.model == model])
        return "" if text is None else f"{model}: {text}" if model else text

    def _said(self, group: Alike, base: int | None) -> _Said:
        """Return what is to be said of a group by itself."""
        if base is None:
            return _Said(text="Nothing was measured.")
        names = group_names(self._rows, group)
        speeds = self._speeds(group.rows, base)
        if not speeds:
            measured = names_text([names[index] for index in self._measured(group.rows)])
            return _Said(text=f"No number is that of its target: {measured}.")

        @functools.cache
        def relation(row: int, other: int) -> Ratio:
            if other == base:
                return self._ratios[row]
            if row == base:
                return self._ratios[other].inverse
            return self._ratio(row, other, self._pairs)

        standing = standing_of(speeds, relation, base)
        text = standing_text(standing, names, relation, base, early_end(self._rows[base]))
        return _Said(
            text=f"{text.removesuffix('.')}{self._missing_text(group, names)}.",
            fastest=standing.fastest,
            is_lonely=standing.counted == 1 and standing.fastest == base,
        )

    def _missing_text(self, group: Alike, names: Mapping[int, str]) -> str:
        """Return what is to be said of a baseline that has no samples, so that another row takes its place."""
        wanted = self._wanted_baseline(group.rows)
        if wanted is None or wanted in self._timings:
            return ""
        match self._rows[wanted].outcome:
            case Outcome.FAILED:
                return f"; {names[wanted]}, the baseline, failed"
            case Outcome.RUNNING:  # its turn is still to come
                return ""
        return f"; {names[wanted]}, the baseline, was not measured"

    def _wanted_baseline(self, indices: Sequence[int]) -> int | None:
        """Return the row that the others should be compared with, measured or not."""
        if self._chosen is None or self._chosen in indices:
            return self._chosen
        return row_of_same_target(self._rows, indices, self._rows[self._chosen])

    def _baseline_of(self, indices: Sequence[int]) -> int | None:
        """Return the row of these sizes that the others are compared with."""
        measured = self._measured(indices)
        if self._chosen is None or not measured:
            return None
        wanted = self._wanted_baseline(indices)
        if wanted in measured:
            return wanted
        own = [index for index in measured if is_own_number(self._rows[index])] or measured
        first = own[0]
        return max(own, key=lambda index: 1.0 if index == first else self._ratio(index, first).value)

    def _speeds(self, indices: Sequence[int], base: int) -> Mapping[int, float]:
        """Return how fast those rows are whose number is their own, relative to the baseline."""
        own = [index for index in indices if is_own_number(self._rows[index])]
        return {index: 1.0 if index == base else self._ratios[index].value for index in own}

    def _measured(self, indices: Sequence[int]) -> tuple[int, ...]:
        return tuple(index for index in indices if index in self._timings)

    def _ratio(self, row: int, base: int, comparisons: int = 1) -> Ratio:
        timings: Mapping[int, Timings] = self._timings
        return ratio_between(timings[row], timings[base], comparisons=comparisons)
