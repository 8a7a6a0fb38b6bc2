"""Ratios of rows of comparisons, and when a difference is told."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from gui.records.comparison_answer import (
    answer_of,
)
from gui.records.comparison_ratio import MIN_ROUNDS_TO_TELL, NOISE_PERCENT, Verdict, ratio_of, ratio_texts

from .simulated_rows import (
    COMPARISON,
    MS,
    NAMES,
    ROUNDS,
    alone,
    by_itself,
    course,
    drawn,
    quiet,
    row,
)

# ---- Ratios: by turns ----


def test_that_by_turns_the_ratio_is_that_of_the_rounds_medians_with_the_signed_rank_interval() -> None:
    base, other = quiet("CPU", 5.0, 1), quiet("ggml", 4.0, 2)
    logs = np.log([np.median(part) for part in np.split(base.samples, ROUNDS)]) - np.log(
        [np.median(part) for part in np.split(other.samples, ROUNDS)]
    )
    found = ratio_of(other, base)
    assert found.low is not None
    assert found.high is not None
    inside, outside = math.log(found.low) * (1 + 1e-9), math.log(found.low) * (1 - 1e-9)
    assert stats.wilcoxon(logs - inside, method="exact").pvalue > 0.01
    assert stats.wilcoxon(logs - outside, method="exact").pvalue <= 0.01
    pairs = [(a + b) / 2 for index, a in enumerate(logs) for b in logs[index:]]
    assert found.value == pytest.approx(math.exp(np.median(pairs)))
    assert found.is_paired
    assert found.verdict is Verdict.FASTER
    assert found.value == pytest.approx(1.25, rel=0.01)


def test_that_of_an_even_number_of_runs_the_median_is_nearest_rank_as_in_the_tables() -> None:
    base, other = row("CPU", [4 * MS, 9 * MS] * 20), row("ggml", [2 * MS, 3 * MS] * 20)
    assert ratio_of(other, base).value == pytest.approx(2.0)
    assert ratio_of(by_itself(other), by_itself(base)).value == pytest.approx(2.0)


def test_that_a_ratio_knows_how_many_rounds_it_is_of() -> None:
    base, other = quiet("CPU", 5.0), quiet("ggml", 4.0)
    assert (ratio_of(other, base).rounds, ratio_of(other, base).inverse.rounds) == (ROUNDS, ROUNDS)
    assert ratio_of(by_itself(other), base).rounds is None


def test_that_common_drift_hides_ten_percent_only_when_not_measured_by_turns() -> None:
    told, told_apart = 0, 0
    for seed in range(100):
        machine = course(seed, spread=0.1)
        base = row("CPU", drawn(seed + 1000, 5.5, machine).astype(np.int64))
        other = row("ggml", drawn(seed + 2000, 5.0, machine).astype(np.int64))
        told += ratio_of(other, base).verdict is Verdict.FASTER
        told_apart += ratio_of(by_itself(other), by_itself(base)).verdict is Verdict.FASTER
    assert told == 100
    assert told_apart <= 20


def test_that_of_a_thousand_equal_pairs_hardly_any_is_told() -> None:
    """Rounds as noisy as the machine: without the floor 1 % may be told, so at most 23 (four standard deviations)."""
    outside = claims = 0
    for seed in range(1000):
        machine = course(seed, spread=0.1)
        rows = [row(name, drawn(seed + step, 5, machine, noise=0.05, runs=3).astype(np.int64)) for name, step in NAMES]
        found = ratio_of(rows[1], rows[0])
        assert found.low is not None
        assert found.high is not None
        outside += not found.low <= 1 <= found.high
        claims += found.verdict is not Verdict.NO_DIFFERENCE
    assert 0 < outside <= 23
    assert claims <= outside


def test_that_a_lasting_difference_below_the_floor_is_no_difference() -> None:
    """Two sessions of one model differ by a percent for good: the interval tells so, the verdict does not."""
    found = ratio_of(quiet("again", 4.95), quiet("CPU", 5.0))
    assert found.low is not None
    assert found.low > 1
    assert found.verdict is Verdict.NO_DIFFERENCE
    assert NOISE_PERCENT == 2.0
    assert ratio_of(quiet("again", 4.8), quiet("CPU", 5.0)).verdict is Verdict.FASTER
    assert ratio_of(quiet("CPU", 5.0), quiet("again", 4.8)).verdict is Verdict.SLOWER


def test_that_only_rounds_of_both_are_compared() -> None:
    """The one that was stopped has not seen the slow end of the other."""
    base, other = quiet("CPU", 5.0), quiet("ggml", 4.0)
    slow_end = base.samples.copy()
    slow_end[10 * 15 :] *= 3
    assert other.part is not None
    stopped = replace(other, samples=other.samples[: 10 * 15], part=replace(other.part, rounds=other.part.rounds[:10]))
    assert ratio_of(stopped, replace(base, samples=slow_end)).value == pytest.approx(1.25, rel=0.01)


@pytest.mark.parametrize(("rounds", "is_told"), [(MIN_ROUNDS_TO_TELL - 1, False), (MIN_ROUNDS_TO_TELL, True)])
def test_that_an_interval_needs_eight_rounds(rounds: int, is_told: bool) -> None:
    found = ratio_of(row("ggml", [4 * MS] * 80, rounds=rounds), row("CPU", [5 * MS] * 80, rounds=rounds))
    assert found.value == pytest.approx(1.25)
    assert (found.low is not None, found.high is not None) == (is_told, is_told)
    assert found.verdict is (Verdict.FASTER if is_told else Verdict.TOO_FEW)


def test_that_rounds_whose_samples_were_not_kept_are_left_out() -> None:
    """Of a trial with more samples than are kept the last are missing."""
    base, other = quiet("CPU", 5.0), quiet("ggml", 4.0)
    assert ratio_of(replace(other, samples=other.samples[: 7 * 15 + 1]), base).low is not None
    assert ratio_of(replace(other, samples=other.samples[: 7 * 15]), base).low is None


def test_that_without_a_common_round_there_is_an_estimate_and_no_interval() -> None:
    base, other = row("CPU", [5 * MS] * 20), row("ggml", [4 * MS] * 20)
    assert other.part is not None
    later = tuple(replace(entry, number=entry.number + 100) for entry in other.part.rounds)
    found = ratio_of(replace(other, part=replace(other.part, rounds=later)), base)
    assert found.value == pytest.approx(1.25)
    assert (found.verdict, found.rounds, found.is_paired) == (Verdict.TOO_FEW, 0, False)


def test_that_more_comparisons_at_once_have_wider_intervals() -> None:
    base, other = quiet("CPU", 5.0), quiet("ggml", 4.0)
    one, many = ratio_of(other, base), ratio_of(other, base, comparisons=9)
    assert one.low is not None
    assert one.high is not None
    assert many.low is not None
    assert many.high is not None
    assert many.low < one.low < one.value == many.value < one.high < many.high
    eight = [row(name, [level * MS] * 8, rounds=8) for name, level in (("CPU", 5), ("a", 4), ("b", 3))]
    assert [found and found.verdict for found in answer_of(eight[:2]).ratios] == [None, Verdict.FASTER]
    assert [found and found.verdict for found in answer_of(eight).ratios] == [None, Verdict.TOO_FEW, Verdict.TOO_FEW]


# ---- Ratios: not by turns ----


@pytest.mark.parametrize("change", [by_itself, alone])
def test_that_rows_not_measured_by_turns_are_compared_by_blocks(change: object) -> None:
    assert callable(change)
    base, other = quiet("CPU", 5.0), change(quiet("ggml", 4.0))
    found = ratio_of(other, base)
    assert not found.is_paired
    assert found.verdict is Verdict.FASTER
    assert found.low is not None
    assert found.high is not None
    blocks = [np.log([np.median(part) for part in np.split(each.samples, 20)]) for each in (base, other)]
    for shift, is_in in ((found.low * 1.00001, True), (found.low / 1.00001, False)):
        chance = stats.mannwhitneyu(blocks[0] - math.log(shift), blocks[1], method="exact").pvalue
        assert bool(chance > 0.01) is is_in


@pytest.mark.parametrize(("count", "is_told"), [(7, False), (8, True), (50, True)])
def test_that_rows_not_measured_by_turns_need_eight_samples(count: int, is_told: bool) -> None:
    found = ratio_of(by_itself(row("ggml", [4 * MS] * count)), by_itself(row("CPU", [5 * MS] * 300)))
    assert (found.verdict is Verdict.FASTER) is is_told
    assert (found.low is not None) is is_told


def test_that_rows_of_two_comparisons_are_not_paired() -> None:
    base, other = quiet("CPU", 5.0), quiet("ggml", 4.0)
    assert other.part is not None
    assert not ratio_of(replace(other, part=replace(other.part, id=COMPARISON[:-1] + "0")), base).is_paired


# ---- What is no measurement ----


def test_that_a_ratio_needs_samples() -> None:
    with pytest.raises(ValueError, match="without samples"):
        ratio_of(row("ggml", []), row("CPU", [MS] * 20))


def test_that_latencies_of_zero_are_no_error() -> None:
    """A clock may be too coarse for a very small model."""
    found = ratio_of(row("ggml", [0] * 40), row("CPU", [0] * 40))
    assert (found.value, found.verdict) == (1.0, Verdict.NO_DIFFERENCE)
    assert math.isfinite(ratio_of(row("ggml", [0] * 40), row("CPU", [MS] * 40)).value)


# ---- As text ----


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((1.3, 1.24, 1.38), ("1.30", "1.24", "1.38")),
        ((1.0031, 1.001, 1.0052), ("1.003", "1.001", "1.005")),
        ((12.43, 11.91, 12.9), ("12.4", "11.9", "12.9")),
        ((9.996, 9.99, 10.2), ("10.0", "10.0", "10.2")),
        ((1234.5, 1200.4, 1300), ("1234", "1200", "1300")),
        ((0.98, 0.91, 1.03), ("0.98", "0.91", "1.03")),
        ((1.25,), ("1.25",)),
    ],
)
def test_that_digits_show_how_wide_the_interval_is(values: tuple[float, ...], texts: tuple[str, ...]) -> None:
    assert ratio_texts(values) == texts
