from __future__ import annotations

import math
import statistics as stdlib
from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from gui.records.samples import Nanoseconds
from gui.records.statistics import (
    LatencyStatistics,
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


@pytest.mark.parametrize("percent", ["1", "7", "50", "55", "90", "95", "99", "99.9", "99.99", "100"])
def test_that_the_rank_is_exact_for_every_count(percent: str) -> None:
    share = Fraction(percent) / 100
    # 19,990,000 and 19,997,000 are among those where 99.9 in floats is a rank too high.
    for count in [*range(1, 3000), 10**6, 10**6 + 1, 19_990_000, 19_997_000, 19_999_999, 20_000_000]:
        assert nearest_rank(count, float(percent)) == math.ceil(share * count) - 1


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


# ---- Against a table worked out by hand ----

BY_HAND: tuple[tuple[str, list[int], LatencyStatistics, float | None], ...] = (
    # Nearest rank: the ceil(p/100 n)-th of the sorted samples. Deviation: square root of the squares' sum over n - 1.
    # The last entry is the variation, deviation over mean. 4 s of measuring: throughput is n / 4.
    (
        "one",
        [5],
        LatencyStatistics(
            count=1,
            min_ns=5,
            median_ns=5,
            mean_ns=5.0,
            p90_ns=5,
            p95_ns=5,
            p99_ns=5,
            p999_ns=5,
            max_ns=5,
            std_ns=None,
            throughput_per_s=0.25,
        ),
        None,
    ),
    (
        # Ranks 1.5, 2.7, 2.85, 2.97 and 2.997, rounded up: 2, 3, 3, 3, 3. Squares 1 + 0 + 1 over 2.
        "three, out of order",
        [3, 1, 2],
        LatencyStatistics(
            count=3,
            min_ns=1,
            median_ns=2,
            mean_ns=2.0,
            p90_ns=3,
            p95_ns=3,
            p99_ns=3,
            p999_ns=3,
            max_ns=3,
            std_ns=1.0,
            throughput_per_s=0.75,
        ),
        0.5,
    ),
    (
        # The median is the 2nd, not the mean of the middle two. Squares 2.25 + 0.25 + 0.25 + 2.25, over 3.
        "four, an even count",
        [40, 10, 30, 20],
        LatencyStatistics(
            count=4,
            min_ns=10,
            median_ns=20,
            mean_ns=25.0,
            p90_ns=40,
            p95_ns=40,
            p99_ns=40,
            p999_ns=40,
            max_ns=40,
            std_ns=12.909944487358056,
            throughput_per_s=1.0,
        ),
        0.5163977794943222,
    ),
    (
        # Median rank 3, p90 rank 5.4 -> 6. Squares 2 (625 + 225 + 25) = 1750, over 5: 350; its root. The interval is
        # from the first to the last: outside of these is the median with 2 / 2^6 = 3.1 %.
        "six, the fewest with an interval",
        [60, 50, 40, 30, 20, 10],
        LatencyStatistics(
            count=6,
            min_ns=10,
            median_ns=30,
            mean_ns=35.0,
            p90_ns=60,
            p95_ns=60,
            p99_ns=60,
            p999_ns=60,
            max_ns=60,
            std_ns=18.708286933869708,
            throughput_per_s=1.5,
            median_low_ns=10,
            median_high_ns=60,
        ),
        0.5345224838248488,
    ),
    (
        # Squares 9 + 3 · 1 + 0 + 0 + 4 + 16 = 32, over 7. From the second to the last but one would leave out
        # 2 (1 + 8) / 2^8 = 7.0 %, the first and the last leave out 0.8 %.
        "eight, with ties",
        [2, 4, 4, 4, 5, 5, 7, 9],
        LatencyStatistics(
            count=8,
            min_ns=2,
            median_ns=4,
            mean_ns=5.0,
            p90_ns=9,
            p95_ns=9,
            p99_ns=9,
            p999_ns=9,
            max_ns=9,
            std_ns=2.138089935299395,
            throughput_per_s=2.0,
            median_low_ns=2,
            median_high_ns=9,
        ),
        0.427617987059879,
    ),
    (
        # Of n equal steps the variance is n (n + 1) / 12. 2 (1 + 10) / 2^10 = 2.1 % lie outside of the second and the
        # last but one, 2 (1 + 10 + 45) / 2^10 = 10.9 % of the third and the last but two.
        "ten",
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        LatencyStatistics(
            count=10,
            min_ns=1,
            median_ns=5,
            mean_ns=5.5,
            p90_ns=9,
            p95_ns=10,
            p99_ns=10,
            p999_ns=10,
            max_ns=10,
            std_ns=3.0276503540974917,
            throughput_per_s=2.5,
            median_low_ns=2,
            median_high_ns=9,
        ),
        0.5504818825631803,
    ),
    (
        # The textbooks' table for the sign test: the 40th and the 61st of 100.
        "a hundred",
        list(range(100, 0, -1)),
        LatencyStatistics(
            count=100,
            min_ns=1,
            median_ns=50,
            mean_ns=50.5,
            p90_ns=90,
            p95_ns=95,
            p99_ns=99,
            p999_ns=100,
            max_ns=100,
            std_ns=29.011491975882016,
            throughput_per_s=25.0,
            median_low_ns=40,
            median_high_ns=61,
        ),
        0.5744849896214261,
    ),
    (
        # n (n + 1) / 12 again: 334,833.5 and its root. Ranks of the interval: 1000 - 0.98 · 44.72 - 0.5 = 955.67, so
        # the 956th, and the 956th from the end.
        "two thousand",
        list(range(1, 2001)),
        LatencyStatistics(
            count=2000,
            min_ns=1,
            median_ns=1000,
            mean_ns=1000.5,
            p90_ns=1800,
            p95_ns=1900,
            p99_ns=1980,
            p999_ns=1998,
            max_ns=2000,
            std_ns=577.4945887192364,
            throughput_per_s=500.0,
            median_low_ns=956,
            median_high_ns=1045,
        ),
        0.5772059857263732,
    ),
    (
        "twenty equal ones",
        [7] * 20,
        LatencyStatistics(
            count=20,
            min_ns=7,
            median_ns=7,
            mean_ns=7.0,
            p90_ns=7,
            p95_ns=7,
            p99_ns=7,
            p999_ns=7,
            max_ns=7,
            std_ns=0.0,
            throughput_per_s=5.0,
            median_low_ns=7,
            median_high_ns=7,
        ),
        0.0,
    ),
)


@pytest.mark.parametrize(
    ("samples", "expected", "variation"),
    [pytest.param(*row[1:], id=row[0]) for row in BY_HAND],
)
def test_that_statistics_are_those_of_the_table(
    samples: list[int], expected: LatencyStatistics, variation: float | None
) -> None:
    summary = summarize(np.array(samples, np.int64), 4_000_000_000)
    assert summary is not None
    for field in fields(LatencyStatistics):
        got, wanted = getattr(summary, field.name), getattr(expected, field.name)
        assert got == (pytest.approx(wanted, rel=1e-14) if isinstance(wanted, float) else wanted), field.name
    assert summary.variation == (None if variation is None else pytest.approx(variation, rel=1e-14))


@pytest.mark.parametrize(
    ("count", "is_p99_rough", "is_p999_rough"),
    [(1, True, True), (199, True, True), (200, False, True), (1999, False, True), (2000, False, False)],
)
def test_that_tails_of_few_samples_are_called_rough(count: int, is_p99_rough: bool, is_p999_rough: bool) -> None:
    summary = summarize(random_samples(count))
    assert summary is not None
    assert (summary.is_p99_rough, summary.is_p999_rough) == (is_p99_rough, is_p999_rough)


def test_that_a_tail_that_is_not_rough_has_two_samples_beyond_it() -> None:
    assert [count - 1 - nearest_rank(count, 99) for count in (199, 200)] == [1, 2]
    assert [count - 1 - nearest_rank(count, 99.9) for count in (1999, 2000)] == [1, 2]


# ---- Against scipy ----


def latencies(kind: str, count: int) -> Nanoseconds:
    """Samples as latencies come: about a millisecond, with noise, with a tail, or few different ones."""
    random = np.random.default_rng(count)
    values = {
        "normal": lambda: random.normal(1e6, 1e4, count),
        "lognormal": lambda: random.lognormal(math.log(1e6), 0.5, count),
        "ties": lambda: random.integers(10, 14, count) * 100_000,
    }[kind]()
    return np.asarray(values).astype(np.int64)


@pytest.mark.parametrize("kind", ["normal", "lognormal", "ties"])
@pytest.mark.parametrize("count", COUNTS[1:])
def test_that_statistics_are_those_of_scipy_and_numpy(kind: str, count: int) -> None:
    samples = latencies(kind, count)
    summary = summarize(samples)
    assert summary is not None
    assert summary.mean_ns == pytest.approx(stats.tmean(samples), rel=1e-12)
    assert summary.std_ns == pytest.approx(stats.tstd(samples), rel=1e-12)
    assert summary.variation == pytest.approx(stats.variation(samples, ddof=1), rel=1e-12)
    assert (summary.min_ns, summary.max_ns) == (stats.tmin(samples), stats.tmax(samples))
    percentiles = np.percentile(samples, (50, 90, 95, 99), method="inverted_cdf")
    assert [summary.median_ns, summary.p90_ns, summary.p95_ns, summary.p99_ns] == percentiles.tolist()
    # numpy's 99.9 is a float, a rank too high for some counts; a rank out of whole numbers is not.
    assert summary.p999_ns == np.sort(samples)[-(-999 * count // 1000) - 1]


@pytest.mark.parametrize("kind", ["normal", "lognormal", "ties"])
@pytest.mark.parametrize("count", [count for count in COUNTS if count >= 6])
def test_that_the_interval_of_the_median_is_that_of_scipy(kind: str, count: int) -> None:
    samples = latencies(kind, count)
    summary = summarize(samples)
    assert summary is not None
    interval = stats.quantile_test(samples, p=0.5).confidence_interval(0.95)
    assert (summary.median_low_ns, summary.median_high_ns) == (interval.low, interval.high)
    assert median_interval(samples) == (interval.low, interval.high)


@pytest.mark.parametrize("counts", [range(6, 3000), range(3000, 20_000_000, 99_991)])
def test_that_the_ranks_cover_the_median_as_the_binomial_tells(counts: range) -> None:
    wider = 0
    for count in counts:
        ranks = median_ranks(count)
        assert ranks is not None
        low, high = ranks
        assert high == count - 1 - low
        as_it_is, narrower, narrower_by_two = 1 - 2 * stats.binom.cdf([low, low + 1, low + 2], count, 0.5)
        assert as_it_is >= 0.95
        assert narrower_by_two < 0.95  # the approximation of many may be one rank too wide, not two
        wider += narrower >= 0.95
    assert wider <= len(counts) / 100


@pytest.mark.parametrize("count", [6, 20, 37, 101, 200, 1001])
def test_that_the_interval_holds_the_true_median_in_at_least_94_percent_of_2000_draws(count: int) -> None:
    """Of a skewed distribution, of which the median is known: ln 2 of the mean."""
    draws = (np.random.default_rng(count).exponential(1e9, (2000, count))).astype(np.int64)
    truth = 1e9 * math.log(2)
    summaries = [summarize(draw) for draw in draws]
    held = sum(
        summary is not None
        and summary.median_low_ns is not None
        and summary.median_high_ns is not None
        and summary.median_low_ns <= truth <= summary.median_high_ns
        for summary in summaries
    )
    assert held >= 0.94 * len(draws)
    assert held < len(draws)  # one that always holds it would be too wide


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


@pytest.mark.parametrize(("percent", "expected"), [(0.1, False), (2.0, True), (5.0, True)])
def test_that_samples_are_stable_when_the_interval_is_narrow_enough(percent: float, expected: bool) -> None:
    samples = np.array([1000, 1010] * 50 + [1005] * 5, np.int64)
    assert is_stable(samples, percent) is expected
    assert not is_stable(samples[:29], 50.0)
