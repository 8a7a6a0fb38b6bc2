"""What a comparison says: ratios with their intervals, and the answer in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

NOISE_PERCENT = 2.0
"""A difference of less is not told: two sessions of one model on one device can differ by as much."""


class Verdict(Enum):
    """How a row's median latency compares with that of the baseline."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no difference larger than the noise"
    TOO_FEW = "too few rounds to tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The median latency of the baseline over that of a row: 1.31 says that the row is 1.31 times as fast."""

    value: float
    low: float | None
    """The lower end of the 99 % interval; None where there is too little to say."""
    high: float | None
    verdict: Verdict
    is_paired: bool
    """Whether both were measured by turns; else drift between them is part of the difference."""


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
    """The answer for these rows."""


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
