"""What a comparison says: ratios with their intervals, and the answer in sentences.

How ratios and intervals are found stands at the head of `comparison_ratio`. A row whose number is not its own (none of
its nodes ran where they should, its outputs are wrong, it failed) keeps its number and its ratio, but is never called
the fastest.

Whether a row is told from the baseline is decided by the intervals to the baseline. Which rows are the fastest is a
question of each against each, so that the other intervals are wider: as many as there are pairs hold at once.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .compared import Compared
from .comparison_groups import (
    Sizes,
    by_sizes,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of the same sizes: only those can be compared by latency."""

    sizes_text: str
    """“batch 8”; empty when all rows have the same sizes."""
    rows: tuple[int, ...]
    """The indices of its rows, in the order given."""
    baseline: int | None
    """The index of the row that the others are compared with; None when none of them was measured."""
    fastest: int | None
    """The index of the fastest row whose number is its own: nodes ran on the wanted EP, outputs are right."""
    sentence: str
    """The answer for these rows, after their sizes where there are several."""


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


class _Comparison:
    """The rows while they are compared."""

    def __init__(self, rows: Sequence[Compared], baseline: int | None) -> None:
        self._rows = rows
        self._timings = {index: timings_of(row) for index, row in enumerate(rows) if len(row.samples)}
        self._groups = by_sizes(rows)
        self._chosen = default_baseline(rows) if baseline is None else baseline
        self._baselines = {sizes: self._baseline_of(indices) for sizes, indices in self._groups.items()}
        counts = [len(self._measured(indices)) for indices in self._groups.values()]
        self._comparisons = sum(max(0, count - 1) for count in counts)
        self._pairs = sum(count * (count - 1) // 2 for count in counts)
        self._ratios: dict[int, Ratio] = {}
        for sizes, indices in self._groups.items():
            base = self._baselines[sizes]
            for index in self._measured(indices):
                if base is not None and index != base:
                    self._ratios[index] = self._ratio(index, base, self._comparisons)

    def answer(self) -> Answer:
        """Return the answer."""
        groups = tuple(self._group(sizes, indices) for sizes, indices in self._groups.items())
        return Answer(
            sentences=(*self._sentences(groups), *not_counted(self._rows)),
            groups=groups,
            ratios=tuple(self._ratios.get(index) for index in range(len(self._rows))),
            cautions=cautions_of(self._rows, self._groups.values(), self._ratios),
        )

    def _sentences(self, groups: Sequence[Group]) -> tuple[str, ...]:
        if not self._rows:
            return ("There is nothing to compare.",)
        if not self._timings:
            return ("Nothing was measured.",)
        if len(groups) == 1:
            return (groups[0].sentence,)
        told = tuple(group.sentence for group in groups[:_MOST_SIZES])
        rest = len(groups) - _MOST_SIZES
        return told if rest <= 0 else (*told, f"And {rest} more {'size' if rest == 1 else 'sizes'}.")

    def _group(self, sizes: Sizes, indices: Sequence[int]) -> Group:
        fastest, sentence = self._said(sizes, indices, self._baselines[sizes])
        text = sizes_text(sizes)
        return Group(
            sizes_text=text,
            rows=tuple(indices),
            baseline=self._baselines[sizes],
            fastest=fastest,
            sentence=f"{text}: {sentence}" if text else sentence,
        )

    def _said(self, sizes: Sizes, indices: Sequence[int], base: int | None) -> tuple[int | None, str]:
        """Return the fastest row of a group and its sentence."""
        if base is None:
            return None, "Nothing was measured."
        names = group_names(self._rows, indices, sizes)
        speeds = self._speeds(indices, base)
        if not speeds:
            measured = names_text([names[index] for index in self._measured(indices)])
            return None, f"No number is that of its target: {measured}."

        @functools.cache
        def relation(row: int, other: int) -> Ratio:
            if other == base:
                return self._ratios[row]
            if row == base:
                return self._ratios[other].inverse
            return self._ratio(row, other, self._pairs)

        standing = standing_of(speeds, relation, base)
        return standing.fastest, standing_text(standing, names, relation, base)

    def _baseline_of(self, indices: Sequence[int]) -> int | None:
        """Return the row of these sizes that the others are compared with."""
        measured = self._measured(indices)
        if self._chosen is None or not measured:
            return None
        if self._chosen in measured:
            return self._chosen
        if self._chosen not in indices:
            alike = row_of_same_target(self._rows, indices, self._rows[self._chosen])
            if alike is not None:
                return alike
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
