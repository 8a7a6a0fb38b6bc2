from __future__ import annotations

import math
import statistics as stdlib
from fractions import Fraction

import numpy as np
import pytest

from gui.records.samples import Nanoseconds
from gui.records.statistics import (
    histogram,
    is_stable,
    median_interval,
    median_ranks,
    nearest_rank,
    summarize,
)

COUNTS = [1, 2, 3, 4, 9, 10, 11, 19, 20, 21, 99, 100, 101, 199, 200, 1000, 12_345]


def random_samples(count: int) -> Nanoseconds:
    return np.random.default_rng(count).integers(1, 10_000, count, dtype=np.int64)


def percentile_by_definition(samples: Nanoseconds, percent: int) -> int:
    """The smallest sample that at least `percent` percent of all samples do not exceed, in whole numbers only."""
    for candidate in sorted(samples.tolist()):
        if int((samples <= candidate).sum()) * 100 >= percent * len(samples):
            return int(candidate)
    raise AssertionError("the slowest sample is such a one")


@pytest.mark.parametrize("count", COUNTS)
def test_that_percentiles_are_nearest_rank(count: int) -> None:
    samples = random_samples(count)
    summary = summarize(samples)
    assert summary is not None
    got = (summary.median_ns, summary.p90_ns, summary.p95_ns, summary.p99_ns)
    assert got == tuple(percentile_by_definition(samples, percent) for percent in (50, 90, 95, 99))
    inverted_cdf = np.percentile(samples, (50, 90, 95, 99), method="inverted_cdf")
    assert got == tuple(int(value) for value in inverted_cdf)


@pytest.mark.parametrize("count", COUNTS)
def test_that_a_percentile_is_a_latency_that_happened(count: int) -> None:
    samples = random_samples(count)
    summary = summarize(samples)
    assert summary is not None
    assert {summary.median_ns, summary.p90_ns, summary.p95_ns, summary.p99_ns} <= set(samples.tolist())


@pytest.mark.parametrize("percent", [1, 7, 50, 55, 90, 95, 99, 100])
def test_that_the_rank_is_exact_for_every_count(percent: int) -> None:
    for count in [*range(1, 3000), 10**6, 10**6 + 1, 19_999_999, 20_000_000]:
        assert nearest_rank(count, percent) == (percent * count + 99) // 100 - 1


@pytest.mark.parametrize("count", COUNTS)
def test_that_mean_deviation_and_extremes_are_those_of_the_textbook(count: int) -> None:
    samples = random_samples(count)
    summary = summarize(samples)
    assert summary is not None
    assert summary.count == count
    assert (summary.min_ns, summary.max_ns) == (min(samples.tolist()), max(samples.tolist()))
    assert summary.mean_ns == pytest.approx(stdlib.fmean(samples.tolist()))
    if count > 1:
        assert summary.std_ns == pytest.approx(stdlib.stdev(samples.tolist()))


def test_that_a_single_sample_has_no_deviation() -> None:
    summary = summarize(np.array([7], np.int64))
    assert summary is not None
    assert summary.std_ns is None


def test_that_there_are_no_statistics_of_nothing() -> None:
    assert summarize(np.empty(0, np.int64), 5) is None


def test_that_throughput_is_samples_over_measuring_time() -> None:
    samples = np.full(10, 1_000, np.int64)
    summary = summarize(samples, 2_000_000_000)
    assert summary is not None
    assert summary.throughput_per_s == 5.0  # not the million a second that the latencies alone would promise


def test_that_throughput_is_unknown_without_the_measuring_time() -> None:
    summary = summarize(np.array([1], np.int64), 0)
    assert summary is not None
    assert summary.throughput_per_s is None


def test_that_a_part_of_the_samples_stands_for_all_in_count_and_throughput_only() -> None:
    part = random_samples(100)
    summary, of_part = summarize(part, 10**9, 5000), summarize(part, 10**9)
    assert summary is not None
    assert of_part is not None
    assert (summary.count, summary.throughput_per_s) == (5000, 5000.0)
    assert (summary.median_ns, summary.p99_ns, summary.mean_ns) == (of_part.median_ns, of_part.p99_ns, of_part.mean_ns)


def test_that_the_samples_are_left_in_their_order() -> None:
    samples = random_samples(1000)
    before = samples.copy()
    summarize(samples)
    histogram(samples)
    np.testing.assert_array_equal(samples, before)


# ---- The histogram ----


@pytest.mark.parametrize("bins", [1, 2, 60])
@pytest.mark.parametrize("count", COUNTS)
def test_that_every_sample_is_in_a_bin_or_beyond(count: int, bins: int) -> None:
    samples = random_samples(count)
    drawn = histogram(samples, bins)
    assert drawn is not None
    assert len(drawn.counts) == bins
    assert len(drawn.edges_ns) == bins + 1
    assert drawn.counts.sum() + drawn.beyond == count


@pytest.mark.parametrize("count", COUNTS)
def test_that_counts_are_those_between_the_edges(count: int) -> None:
    samples = random_samples(count)
    drawn = histogram(samples, 7)
    assert drawn is not None
    for column in range(7):
        low, high = drawn.edges_ns[column], drawn.edges_ns[column + 1]
        inside = (samples >= low) & ((samples < high) if column < 6 else (samples <= high))
        assert drawn.counts[column] == inside.sum()
    assert drawn.beyond == (samples > drawn.edges_ns[-1]).sum()


def test_that_one_slow_sample_does_not_press_the_others_into_one_bin() -> None:
    samples = np.append(np.arange(1000, 2000, dtype=np.int64), 10**12)
    drawn = histogram(samples, 50)
    assert drawn is not None
    assert drawn.beyond == 1
    assert np.count_nonzero(drawn.counts) >= 20


@pytest.mark.parametrize("count", [1, 5, 1000])
def test_that_equal_samples_make_a_histogram(count: int) -> None:
    drawn = histogram(np.full(count, 71_000, np.int64))
    assert drawn is not None
    assert (drawn.counts[0], drawn.beyond) == (count, 0)
    assert np.all(np.diff(drawn.edges_ns) > 0)


def test_that_bins_are_equally_wide_and_begin_at_the_fastest() -> None:
    samples = random_samples(1000)
    drawn = histogram(samples, 10)
    assert drawn is not None
    assert drawn.edges_ns[0] == samples.min()
    widths = np.diff(drawn.edges_ns)
    np.testing.assert_allclose(widths, widths[0])


def test_that_there_is_no_histogram_of_nothing() -> None:
    assert histogram(np.empty(0, np.int64)) is None


# ---- The interval of the median ----


@pytest.mark.parametrize("count", [6, 7, 10, 11, 29, 30, 99, 100, 500, 1000])
def test_that_the_interval_of_the_median_is_the_narrowest_with_95_percent(count: int) -> None:
    """By the definition: the chance that a rank lies above the median is that of so many coins showing heads."""
    ranks = median_ranks(count)
    assert ranks is not None
    low, high = ranks
    assert high == count - 1 - low

    def coverage(first: int) -> Fraction:
        outside = sum(math.comb(count, heads) for heads in range(first + 1))
        return 1 - 2 * Fraction(outside, 2**count)

    assert coverage(low) >= Fraction(95, 100)
    assert coverage(low + 1) < Fraction(95, 100)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_that_few_samples_have_no_interval(count: int) -> None:
    assert median_ranks(count) is None
    assert median_interval(np.arange(count, dtype=np.int64)) is None


def test_that_the_approximation_for_many_samples_meets_the_exact_ranks() -> None:
    exact, approximate = median_ranks(1000), median_ranks(1001)
    assert exact is not None
    assert approximate is not None
    assert abs(exact[0] - approximate[0]) <= 1
    assert abs(exact[1] - approximate[1]) <= 1


def test_that_the_interval_holds_the_true_median_about_19_times_of_20() -> None:
    random = np.random.default_rng(11)
    held = 0
    for _ in range(1000):
        interval = median_interval((random.exponential(1000, 101) * 1000).astype(np.int64))
        assert interval is not None
        held += interval[0] <= 1000 * 1000 * math.log(2) <= interval[1]
    assert 930 <= held <= 985


@pytest.mark.parametrize(("percent", "expected"), [(0.1, False), (2.0, True), (5.0, True)])
def test_that_samples_are_stable_when_the_interval_is_narrow_enough(percent: float, expected: bool) -> None:
    samples = np.array([1000, 1010] * 50 + [1005] * 5, np.int64)
    assert is_stable(samples, percent) is expected
    assert not is_stable(samples[:29], 50.0)
