"""The answer of a comparison for the rows of the same sizes, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .comparison_ratio import Ratio, Verdict, ratio_texts

_FEW_NAMES = 4
_ALIKE = 1.005
"""Less than this would be written as 1.00."""

Relation = Callable[[int, int], Ratio]
"""How the first row compares with the second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which rows the fastest one is told from. Only rows whose number is their own."""

    fastest: int
    told: tuple[int, ...] = ()
    """Those it is faster than, the fastest of them first."""
    ties: tuple[int, ...] = ()
    """Those that differ from it by no more than the noise."""
    too_few: tuple[int, ...] = ()
    """Those that too few rounds, or samples, tell nothing of."""

    @property
    def top(self) -> tuple[int, ...]:
        """The fastest and those within its noise, in the order of the rows."""
        return tuple(sorted((self.fastest, *self.ties)))

    @property
    def counted(self) -> int:
        """How many rows there are."""
        return 1 + len(self.told) + len(self.ties) + len(self.too_few)


def standing_of(speeds: Mapping[int, float], relation: Relation, baseline: int) -> Standing:
    """Return how the rows stand. `speeds` are estimates for all rows that count, at least one, relative to anything."""
    order = sorted(speeds, key=lambda index: (-speeds[index], index))
    fastest = order[0]
    for index in order[1:]:  # of rows that were not all measured by turns the estimates may be no order
        if relation(fastest, index).verdict is Verdict.SLOWER:
            fastest = index
    others = [index for index in order if index != fastest]
    verdicts = {index: relation(fastest, index).verdict for index in others}
    if fastest == baseline or verdicts.get(baseline) is Verdict.NO_DIFFERENCE:
        # The ratios to the baseline have narrower intervals than others: what they tell holds.
        for index in others:
            if index != baseline and relation(index, baseline).verdict is Verdict.SLOWER:
                verdicts[index] = Verdict.FASTER
    return Standing(
        fastest=fastest,
        told=tuple(index for index in others if verdicts[index] is Verdict.FASTER),
        ties=tuple(index for index in others if verdicts[index] in (Verdict.NO_DIFFERENCE, Verdict.SLOWER)),
        too_few=tuple(index for index in others if verdicts[index] is Verdict.TOO_FEW),
    )


def standing_text(
    standing: Standing, names: Mapping[int, str], relation: Relation, baseline: int, end: str = ""
) -> str:
    """Return the answer as a sentence. The baseline may be a row whose number is not its own.

    `end` is how the baseline ended before its last round: `failed after 7 rounds`.
    """
    fastest = standing.fastest
    name = names[fastest]
    if standing.counted == 1:
        if fastest == baseline:
            return f"There is nothing to compare {name} with."
        return _pair_text(names, relation, fastest, baseline, end)
    if baseline in standing.too_few or not (standing.told or standing.ties):
        return _too_few_text(standing, names, relation, baseline)
    doubt = f"; {_not_told(names, relation, fastest, standing.too_few)}" if standing.too_few else ""
    if standing.ties:
        return f"{_ties_text(standing, names, relation, baseline)}{doubt}."
    other = baseline if baseline in standing.told else standing.told[0]
    text = f"{_faster_text(relation(fastest, other))} {names[other]}"
    if standing.counted == 2 and other == baseline:
        return f"{name} is {_with_interval(text, relation(fastest, other))}."
    following = ", the next" if other != baseline and len(standing.told) > 1 else ""
    lead = f"{name} is" if standing.too_few else f"{name} is the fastest:"
    return f"{lead} {_with_interval(text, relation(fastest, other))}{following}{doubt}."


def names_text(names: Sequence[str], word: str = "and") -> str:
    """Return names as a list in words: `CPU, ggml and NPU:0`; of many only the first.

    Names with commas of their own are quoted: `“CPU, batch 8” and “ggml, batch 8”`.
    """
    if len(names) > 1 and any("," in name for name in names):
        names = [f"“{name}”" for name in names]
    if len(names) > _FEW_NAMES:
        return f"{', '.join(names[: _FEW_NAMES - 1])} {word} {len(names) - _FEW_NAMES + 1} more"
    return f" {word} ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _ties_text(standing: Standing, names: Mapping[int, str], relation: Relation, baseline: int) -> str:
    top = standing.top
    if not standing.told:
        if len(top) == 2:
            base = baseline if baseline in top else standing.fastest
            other = top[0] if top[1] == base else top[1]
            ratio = relation(other, base)
            return f"No difference larger than the noise between {names[other]} and {names[base]}{_range_text(ratio)}"
        return f"No difference larger than the noise between {names_text([names[index] for index in top])}"
    together = names_text([names[index] for index in top])
    other = baseline if baseline in standing.told else standing.told[0]
    # Of those at the top the baseline is the one to name, for its is the ratio which the table shows.
    one = standing.fastest
    if baseline in top and relation(baseline, other).verdict is Verdict.FASTER:
        one = baseline
    ratio = relation(one, other)
    text = _with_interval(f"{_faster_text(ratio)} {names[other]}", ratio)
    following = ", the next" if other != baseline and len(standing.told) > 1 else ""
    return (
        f"{together} are the fastest, with no difference larger than the noise between them; "
        f"{names[one]} is {text}{following}"
    )


def _pair_text(names: Mapping[int, str], relation: Relation, row: int, base: int, end: str) -> str:
    """Return how the only row that counts compares with a baseline that does not."""
    ratio = relation(row, base)
    match ratio.verdict:
        case Verdict.TOO_FEW:
            told = _not_told(names, relation, row, (base,), is_first=True)
            return f"{told}, which {end}." if end else f"{told}."
        case Verdict.NO_DIFFERENCE:
            return f"No difference larger than the noise between {names[row]} and {names[base]}{_range_text(ratio)}."
    return f"{names[row]} is {_with_interval(f'{_faster_text(ratio)} {names[base]}', ratio)}."


def _too_few_text(standing: Standing, names: Mapping[int, str], relation: Relation, baseline: int) -> str:
    fastest = standing.fastest
    others = (*standing.told, *standing.ties, *standing.too_few)
    other = baseline if baseline in others else min(standing.too_few)
    text = _not_told(names, relation, fastest, standing.too_few, is_first=True)
    ratio = relation(fastest, other)
    if ratio.value < _ALIKE:
        return f"{text}: so far {names[fastest]} and {names[other]} are equally fast."
    lead = "" if standing.counted == 2 else "the fastest, "
    return f"{text}: so far {names[fastest]} is {lead}{_faster_text(ratio)} {names[other]}."


def _not_told(
    names: Mapping[int, str], relation: Relation, row: int, others: Sequence[int], *, is_first: bool = False
) -> str:
    few = "rounds" if all(relation(row, other).rounds is not None for other in others) else "samples"
    told = f"oo few {few} to tell {names[row]} from {names_text([names[index] for index in sorted(others)], 'or')}"
    return f"{'T' if is_first else 't'}{told}"


def _faster_text(ratio: Ratio) -> str:
    if ratio.value < 1:
        return f"{_texts(ratio.inverse)[0]} × slower than"
    return f"{_texts(ratio)[0]} × faster than"


def _with_interval(text: str, ratio: Ratio) -> str:
    shown = ratio.inverse if ratio.value < 1 else ratio
    _value, *ends = _texts(shown)
    return f"{text} (99 % interval {ends[0]} to {ends[1]})" if ends else text


def _range_text(ratio: Ratio) -> str:
    _value, *ends = _texts(ratio)
    return f" ({ends[0]} to {ends[1]})" if ends else ""


def _texts(ratio: Ratio) -> tuple[str, ...]:
    ends = () if ratio.low is None or ratio.high is None else (ratio.low, ratio.high)
    return ratio_texts((ratio.value, *ends))
