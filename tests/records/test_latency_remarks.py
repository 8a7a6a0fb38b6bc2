"""What is said of latencies: each sentence where it is true, and none where it is not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from gui.records.latency_remarks import Remark, RemarkKind, latency_remarks
from gui.records.samples import Nanoseconds
from gui.records.statistics import summarize

Values = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Values]

MS = 1_000_000


def remarks(
    samples: npt.ArrayLike, *, callers: int = 1, intra_op_threads: int = 1, cpu_count: int = 8
) -> tuple[Remark, ...]:
    whole: Nanoseconds = np.asarray(samples).astype(np.int64)
    return latency_remarks(
        whole, summarize(whole), callers=callers, intra_op_threads=intra_op_threads, cpu_count=cpu_count
    )


def kinds(samples: npt.ArrayLike) -> list[RemarkKind]:
    return [remark.kind for remark in remarks(samples)]


def only(samples: npt.ArrayLike, kind: RemarkKind) -> Remark:
    """The one remark of a kind."""
    (remark,) = [remark for remark in remarks(samples) if remark.kind is kind]
    assert remark.advice
    return remark


def noisy(count: int, seed: int = 1, *, level: float = 5 * MS, noise: float = 0.01) -> Values:
    """Normal noise about a level."""
    return np.random.default_rng(seed).normal(level, noise * level, count)


def with_beginning(length: int, factor: float, *, count: int = 1000, seed: int = 1) -> Values:
    samples = noisy(count, seed)
    samples[:length] *= factor
    return samples


def two_levels(
    count: int, share: float, *, fast: float = 3.5 * MS, slow: float = 14 * MS, noise: float = 0.05, seed: int = 1
) -> Values:
    """Samples about two levels in random order, exactly `share` of them about the slow one."""
    random = np.random.default_rng(seed)
    levels = np.full(count, fast)
    levels[: round(count * share)] = slow
    return random.permutation(levels) * random.normal(1, noise, count)


# ---- Nothing to say ----


def test_that_nothing_is_said_without_samples() -> None:
    assert remarks([]) == ()
    assert latency_remarks(np.ones(5, np.int64), None, callers=9, intra_op_threads=9, cpu_count=1) == ()


@pytest.mark.parametrize("count", [6, 29, 30, 31, 200, 5000, 250_001])
def test_that_nothing_is_said_of_equal_samples(count: int) -> None:
    assert remarks(np.full(count, 5 * MS)) == ()


def test_that_clean_series_are_left_alone() -> None:
    """1 % of noise, 200 seeds: hardly any remark, of any kind."""
    alarms: Counter[RemarkKind] = Counter()
    for seed in range(200):
        count = int(np.random.default_rng(seed + 1000).integers(200, 2001))
        alarms.update(kinds(noisy(count, seed)))
    assert alarms.total() <= 4, alarms


DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda random, count: random.normal(5 * MS, 0.1 * 5 * MS, count),
    "log-normal": lambda random, count: 5 * MS * random.lognormal(0, 0.5, count),
    "heavy log-normal": lambda random, count: 5 * MS * random.lognormal(0, 1.5, count),
    "exponential": lambda random, count: MS + random.exponential(5 * MS, count),
    "uniform": lambda random, count: random.uniform(MS, 9 * MS, count),
}


@pytest.mark.parametrize("draw", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS.keys())
@pytest.mark.parametrize(("count", "seeds"), [(50, 400), (100, 400), (1000, 100), (10_000, 20), (100_000, 4)])
def test_that_samples_of_one_distribution_have_no_course_and_one_level(draw: Draw, count: int, seeds: int) -> None:
    alarms: Counter[RemarkKind] = Counter()
    for seed in range(seeds):
        alarms.update(kinds(draw(np.random.default_rng(seed), count)))
    assert alarms[RemarkKind.BIMODAL] <= seeds / 200
    assert alarms[RemarkKind.WARMING_UP] <= seeds / 40
    assert alarms[RemarkKind.DRIFTING] <= seeds / 40


# ---- Warming up ----


@pytest.mark.parametrize(
    ("length", "factor", "said", "advised"),
    [
        (4, 1.3, "first 4 runs were 31 % slower", "about 10 runs"),
        (10, 1.3, "first 10 runs were 31 % slower", "about 20 runs"),
        (50, 3.0, "first 50 runs were 200 % slower", "about 100 runs"),
        (150, 1.04, "first 15", "about 200 runs"),
        (300, 0.8, "first 300 runs were 20 % faster", "about 500 runs"),
    ],
)
def test_that_a_beginning_unlike_the_rest_is_told(length: int, factor: float, said: str, advised: str) -> None:
    samples = with_beginning(length, factor)
    assert kinds(samples) == [RemarkKind.WARMING_UP]
    remark = only(samples, RemarkKind.WARMING_UP)
    assert said in remark.text
    assert advised in remark.advice


@pytest.mark.parametrize(
    "samples",
    [
        with_beginning(3, 1.3),  # three slow ones may be chance
        with_beginning(100, 1.02),  # too little to matter
        with_beginning(15, 2.0, count=29),  # too few to tell the beginning from the rest
        np.roll(with_beginning(100, 1.3), 500),  # slow in the middle
        np.roll(with_beginning(100, 1.3), -100),  # slow at the end
    ],
)
def test_that_nothing_is_said_of_a_warm_up_that_is_none(samples: Values) -> None:
    assert RemarkKind.WARMING_UP not in kinds(samples)


@pytest.mark.parametrize("lasting", [5, 20, 60])
def test_that_a_warm_up_that_fades_is_told_until_it_is_within_a_few_percent(lasting: float) -> None:
    """A beginning 50 % slower that fades by the exponential law: within 2 % after ln(25) time constants."""
    samples = noisy(1000, noise=0.002) * (1 + 0.5 * np.exp(-np.arange(1000) / lasting))
    assert kinds(samples) == [RemarkKind.WARMING_UP]
    text = only(samples, RemarkKind.WARMING_UP).text
    length = int(text.partition("the first ")[2].partition(" ")[0])
    assert length == pytest.approx(lasting * math.log(25), rel=0.1, abs=2)


def test_that_the_rest_after_a_warm_up_is_judged_by_itself() -> None:
    """A slow beginning is no second level; a drift after it is one."""
    slow_start = with_beginning(250, 4.0)
    assert kinds(slow_start) == [RemarkKind.WARMING_UP]
    drifting = slow_start * np.concatenate([np.ones(250), np.linspace(1, 1.2, 750)])
    assert kinds(drifting) == [RemarkKind.WARMING_UP, RemarkKind.DRIFTING]
    assert "after that, the last third" in only(drifting, RemarkKind.DRIFTING).text


# ---- Drifting ----


@pytest.mark.parametrize(
    ("drift", "said", "advised"),
    [
        (0.06, "4.0 % slower", "Likely heat"),
        (0.3, "19 % slower", "Likely heat"),
        (-0.06, "4.0 % faster", "raise the warm-up"),
        (-0.3, "21 % faster", "raise the warm-up"),
    ],
)
def test_that_a_steady_change_is_told_with_its_direction(drift: float, said: str, advised: str) -> None:
    """Of a line that rises by d over the whole, the thirds' medians are those at 1/6 and 5/6."""
    samples = noisy(1000) * (1 + drift * np.linspace(0, 1, 1000))
    assert kinds(samples) == [RemarkKind.DRIFTING]
    remark = only(samples, RemarkKind.DRIFTING)
    assert said in remark.text
    assert advised in remark.advice


def test_that_a_change_of_less_than_three_percent_is_no_drift() -> None:
    ends = [noisy(3000, noise=0.001) * (1 + change * np.linspace(0, 1, 3000)) for change in (0.043, 0.047)]
    assert [kinds(samples) for samples in ends] == [[], [RemarkKind.DRIFTING]]  # 2.85 and 3.11 % between the thirds


def test_that_a_change_within_the_noise_is_no_drift() -> None:
    """The same 10 % up: told where the medians of the thirds are known well enough, not where their intervals meet."""
    course = 1 + 0.1 * np.linspace(0, 1, 60)
    assert RemarkKind.DRIFTING in kinds(noisy(60, noise=0.01) * course)
    assert RemarkKind.DRIFTING not in kinds(noisy(60, noise=0.3) * course)


def test_that_a_step_late_in_the_trial_is_a_drift_and_no_warm_up() -> None:
    found = kinds(with_beginning(500, 1.5))
    assert RemarkKind.DRIFTING in found
    assert RemarkKind.WARMING_UP not in found


@pytest.mark.parametrize("count", [17, 18])
def test_that_a_drift_needs_six_samples_in_each_third(count: int) -> None:
    samples = np.linspace(5 * MS, 10 * MS, count)
    assert (RemarkKind.DRIFTING in kinds(samples)) is (count == 18)


# ---- Bimodal ----


@pytest.mark.parametrize("count", [50, 200, 1000, 100_000, 300_000])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_that_two_clusters_are_told_with_their_levels_and_shares(count: int, share: float) -> None:
    remark = only(two_levels(count, share), RemarkKind.BIMODAL)
    words = remark.text.split()
    told = {f"{words[i]} {words[i + 1]}" for i in range(len(words) - 1) if words[i + 1] == "%"}
    # Of many samples a part is looked at, so a percent more or less.
    assert all(
        abs(float(text.split()[0]) - percent) <= 1.1
        for text, percent in zip(sorted(told), sorted((100 * share, 100 - 100 * share)), strict=False)
    )
    levels = [float(words[i - 1]) for i in range(len(words)) if words[i].strip(":;,") == "ms"]
    assert levels == pytest.approx([3.5, 14], rel=0.05)


@pytest.mark.parametrize("slow", range(305, 316))
def test_that_the_shares_of_both_levels_make_a_hundred(slow: int) -> None:
    words = only(two_levels(1000, slow / 1000), RemarkKind.BIMODAL).text.split()
    assert sum(int(words[i - 1]) for i in range(len(words)) if words[i] == "%") == 100


def test_that_a_quarter_of_the_samples_ten_percent_slower_is_told() -> None:
    assert kinds(two_levels(1000, 0.25, fast=5 * MS, slow=5.5 * MS, noise=0.005)) == [RemarkKind.BIMODAL]


@pytest.mark.parametrize(
    "samples",
    [
        two_levels(1000, 0.05),  # few slow ones are a tail
        two_levels(1000, 0.95),
        two_levels(1000, 0.5, fast=5 * MS, slow=5.2 * MS, noise=0.001),  # too close to matter
        two_levels(1000, 0.5, fast=5 * MS, slow=6 * MS, noise=0.1),  # one runs into the other
        two_levels(29, 0.5),  # too few
        np.random.default_rng(1).integers(40, 42, 1000) * 100_000,  # the ticks of a coarse clock
    ],
)
def test_that_what_are_not_two_clusters_is_not_bimodal(samples: Values) -> None:
    assert RemarkKind.BIMODAL not in kinds(samples)


def test_that_three_even_levels_are_not_called_two() -> None:
    levels = np.random.default_rng(1).choice([5 * MS, 10 * MS, 15 * MS], 3000)
    assert RemarkKind.BIMODAL not in kinds(levels * noisy(3000, level=1))


def test_that_a_few_very_slow_ones_do_not_hide_two_clusters() -> None:
    samples = two_levels(1000, 0.3)
    samples[100::200] = 900 * MS
    assert kinds(samples) == [RemarkKind.BIMODAL, RemarkKind.OUTLIERS]


@pytest.mark.parametrize(("intra_op_threads", "told"), [(0, True), (2, True), (1, False)])
def test_that_taken_cores_are_named_as_a_reason_for_two_levels(intra_op_threads: int, told: bool) -> None:
    found = remarks(two_levels(200, 0.3), intra_op_threads=intra_op_threads, cpu_count=2)
    (remark,) = [remark for remark in found if remark.kind is RemarkKind.BIMODAL]
    assert ("steal time" in remark.advice) is told
    assert "power mode" in remark.advice


def test_that_alternating_samples_are_bimodal_however_many() -> None:
    """A part that takes every second sample would see one of the levels only."""
    samples = np.tile([3.5 * MS, 14 * MS], 250_000)
    assert RemarkKind.BIMODAL in kinds(samples)


# ---- Outliers ----


def test_that_samples_over_twice_the_p99_are_told_and_counted() -> None:
    samples = noisy(1000, level=10 * MS)
    samples[[10, 500, 990]] = [30 * MS, 90 * MS, 25 * MS]
    assert kinds(samples) == [RemarkKind.OUTLIERS]
    text = only(samples, RemarkKind.OUTLIERS).text
    assert "3 of 1,000 runs" in text
    assert "90.00 ms" in text
    assert "likely thermal or noise" in text


def test_that_the_bound_of_an_outlier_is_twice_the_p99() -> None:
    samples = np.full(300, 10 * MS)
    samples[7] = 20 * MS
    assert kinds(samples) == []
    samples[7] += 1
    assert "one of 300 runs" in only(samples, RemarkKind.OUTLIERS).text


@pytest.mark.parametrize("count", [199, 200])
def test_that_outliers_need_a_p99_that_is_not_rough(count: int) -> None:
    samples = np.full(count, 10 * MS)
    samples[50] = 900 * MS
    assert kinds(samples) == ([RemarkKind.OUTLIERS] if count >= 200 else [])


def test_that_outliers_are_counted_among_all_of_many_samples() -> None:
    samples = np.full(600_000, 10 * MS)
    samples[::1000] = 90 * MS
    assert "600 of 600,000 runs" in only(samples, RemarkKind.OUTLIERS).text


# ---- Call overhead ----


@pytest.mark.parametrize(
    ("median", "said"), [(6_000, "dominates it"), (8_001, "is about 50 % of it"), (99_999, "is about 4.0 % of it")]
)
def test_that_a_short_run_is_said_to_be_the_call_in_part(median: int, said: str) -> None:
    samples = np.full(300, median)
    assert kinds(samples) == [RemarkKind.CALL_OVERHEAD]
    assert said in only(samples, RemarkKind.CALL_OVERHEAD).text


def test_that_a_tenth_of_a_millisecond_is_not_short() -> None:
    assert kinds(np.full(300, 100_000)) == []


# ---- More threads than cores ----


@pytest.mark.parametrize(
    ("callers", "threads", "cores", "said"),
    [
        (1, 5, 4, "5 intra-op threads compute at once, on 4 cores."),
        (5, 1, 4, "5 callers compute at once, on 4 cores."),
        # The callers are threads of their runs; the session's others are one less than asked for.
        (2, 4, 4, "2 callers and the 3 other intra-op threads that they share compute at once, 5 on 4 cores."),
        (2, 0, 4, "ORT's own choice of threads takes all of 4 cores, and of 2 callers each but one adds another."),
        (1, 2, 1, "2 intra-op threads compute at once, on 1 core."),
    ],
)
def test_that_more_threads_than_cores_are_told(callers: int, threads: int, cores: int, said: str) -> None:
    (remark,) = remarks(np.full(300, MS), callers=callers, intra_op_threads=threads, cpu_count=cores)
    assert remark.kind is RemarkKind.OVERSUBSCRIBED
    assert remark.text == f"More threads than cores: {said}"
    assert remark.advice


@pytest.mark.parametrize(
    ("callers", "threads", "cores"), [(1, 0, 1), (1, 0, 4), (1, 4, 4), (4, 1, 4), (2, 3, 4), (9, 9, 0), (9, 0, 0)]
)
def test_that_threads_that_have_a_core_each_are_not_too_many(callers: int, threads: int, cores: int) -> None:
    assert remarks(np.full(300, MS), callers=callers, intra_op_threads=threads, cpu_count=cores) == ()


# ---- Few samples ----


@pytest.mark.parametrize(("count", "said"), [(1, "1 run cannot"), (2, "2 runs cannot"), (5, "5 runs cannot")])
def test_that_too_few_for_an_interval_are_told(count: int, said: str) -> None:
    samples = np.full(count, MS)
    assert kinds(samples) == [RemarkKind.FEW_SAMPLES]
    assert said in only(samples, RemarkKind.FEW_SAMPLES).text


def test_that_a_wide_interval_of_the_median_is_told() -> None:
    """Of six samples it is from the fastest to the slowest; the median is the third."""
    samples = [900_000, 950_000, 1_000_000, 1_000_000, 1_010_000, 1_200_000]
    assert kinds(samples) == [RemarkKind.FEW_SAMPLES]
    text = only(samples, RemarkKind.FEW_SAMPLES).text
    assert "between 900.0 µs and 1.200 ms with 95 % (-10 %, +20 % of the one measured)" in text


@pytest.mark.parametrize(("slowest", "expected"), [(1_050_000, []), (1_050_001, [RemarkKind.FEW_SAMPLES])])
def test_that_five_percent_to_a_side_are_not_wide(slowest: int, expected: list[RemarkKind]) -> None:
    assert kinds([950_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, slowest]) == expected


def test_that_more_of_the_same_samples_are_enough() -> None:
    assert kinds(noisy(20, noise=0.15)) == [RemarkKind.FEW_SAMPLES]
    assert kinds(noisy(2000, noise=0.15)) == []


# ---- All together ----


def test_that_the_samples_are_left_as_they_are() -> None:
    samples = two_levels(1000, 0.3).astype(np.int64)
    before = samples.copy()
    samples.flags.writeable = False
    remarks(samples)
    np.testing.assert_array_equal(samples, before)


def test_that_zeros_are_no_error() -> None:
    assert kinds(np.zeros(300)) == [RemarkKind.CALL_OVERHEAD]
    assert RemarkKind.FEW_SAMPLES in kinds([0, 0, 0, 0, 0, 7])


def test_that_of_many_samples_the_first_runs_are_counted_as_they_were() -> None:
    """1,000,000 samples are looked at in part; the beginning is told in runs all the same."""
    text = only(with_beginning(10_000, 1.3, count=1_000_000), RemarkKind.WARMING_UP).text
    length = int(text.partition("the first ")[2].partition(" ")[0].replace(",", ""))
    assert length == pytest.approx(10_000, abs=50)
