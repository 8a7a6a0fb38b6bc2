"""What is known of a trial while it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gui.records.result import Outcome
from gui.records.statistics import summarize
from gui.records.trial import Stage, StopRule, Target, TrialFacts, TrialSettings
from gui.trial_run import LIVE_SAMPLES, TrialRun


def run(rule: StopRule | None = None, samples: Any = (), **fields: Any) -> TrialRun:
    settings = TrialSettings(
        model_path="/net.onnx", target=Target(device_keys=("cpu",)), stop_rule=rule or StopRule(iterations=10)
    )
    trial = TrialRun(number=1, settings=settings, model_name="net", target_text="CPU", devices=(), **fields)
    trial.series.append(np.asarray(samples, np.int64))
    return trial


def skewed(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Samples whose extremes a subsample misses."""
    samples = np.random.default_rng(0).integers(1000, 2000, count)
    samples[1], samples[count - 2] = 1, 10**9
    return samples.astype(np.int64)


def test_that_a_trial_begins_running_with_nothing_known() -> None:
    trial = run()
    assert trial.is_running
    assert trial.statistics() is None
    assert trial.exact_statistics() is None
    assert trial.warmup_mean_ns() is None
    assert (trial.progress, trial.seconds_left, trial.is_estimate) == (0.0, None, False)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.RUNNING])
def test_that_any_outcome_ends_it(outcome: Outcome) -> None:
    assert not run(outcome=outcome).is_running


def test_that_two_trials_are_never_equal() -> None:
    assert run() != run()


@pytest.mark.parametrize(
    ("rule", "count", "elapsed_s", "progress"),
    [
        (StopRule(iterations=10), 0, 1.0, 0.0),
        (StopRule(iterations=10), 4, 1.0, 0.4),
        (StopRule(iterations=10), 10, 1.0, 1.0),
        (StopRule(seconds=4.0), 7, 1.0, 0.25),
        (StopRule(seconds=4.0), 7, 5.0, 1.0),
        (StopRule(iterations=10), 12, 1.0, 1.0),  # callers that ended at the same time
        (StopRule(seconds=4.0, stable_percent=1.0), 7, 2.0, None),
        (StopRule(seconds=4.0, stable_percent=1.0), 7, 4.0, None),
    ],
)
def test_that_progress_goes_by_the_stop_rule_and_is_unknown_until_stable(
    rule: StopRule, count: int, elapsed_s: float, progress: float | None
) -> None:
    assert run(rule, range(count), elapsed_ns=int(elapsed_s * 1e9)).progress == progress


@pytest.mark.parametrize(
    ("rule", "count", "left"),
    [
        (StopRule(iterations=10), 4, 3.0),  # 4 in 2 s, 6 to go
        (StopRule(iterations=10), 10, 0.0),
        (StopRule(seconds=5.0), 4, 3.0),
        (StopRule(seconds=1.0), 4, 0.0),
        (StopRule(iterations=10), 0, None),
        (StopRule(iterations=10), 12, 0.0),  # never less than nothing
        (StopRule(seconds=5.0, stable_percent=1.0), 4, 3.0),
        (StopRule(seconds=1.0, stable_percent=1.0), 4, 0.0),
        (StopRule(seconds=5.0, stable_percent=1.0), 0, None),
    ],
)
def test_that_the_time_left_is_known_while_it_measures(rule: StopRule, count: int, left: float | None) -> None:
    trial = run(rule, range(count), elapsed_ns=2_000_000_000, facts=TrialFacts(stage=Stage.MEASURING))
    assert trial.seconds_left == left


@pytest.mark.parametrize(
    ("rule", "sooner"),
    [
        (StopRule(iterations=10), False),
        (StopRule(seconds=5.0), False),
        (StopRule(seconds=5.0, stable_percent=1.0), True),
    ],
)
def test_that_only_until_stable_may_end_before_the_time_left_is_over(rule: StopRule, sooner: bool) -> None:
    assert run(rule).may_end_sooner is sooner


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.MEASURING])
def test_that_the_time_left_is_not_known_in_other_stages(stage: Stage) -> None:
    assert run(None, range(4), elapsed_ns=10**9, facts=TrialFacts(stage=stage)).seconds_left is None


def test_that_few_samples_are_summarized_exactly_while_it_runs() -> None:
    samples = skewed(LIVE_SAMPLES)
    trial = run(None, samples, elapsed_ns=10**9)
    assert not trial.is_estimate
    assert trial.statistics() == trial.exact_statistics() == summarize(samples, 10**9)


def test_that_many_samples_are_estimated_with_their_true_count_and_extremes() -> None:
    samples = skewed(10 * LIVE_SAMPLES)
    trial = run(None, samples, elapsed_ns=10**9)
    assert trial.is_estimate
    estimate, exact = trial.statistics(), summarize(samples, 10**9)
    assert estimate is not None
    assert exact is not None
    assert (estimate.count, estimate.min_ns, estimate.max_ns) == (len(samples), 1, 10**9)
    assert estimate.throughput_per_s == exact.throughput_per_s
    assert estimate.median_ns == pytest.approx(exact.median_ns, rel=0.05)
    assert trial.exact_statistics() == exact


def test_that_exact_statistics_take_over_once_they_are_there() -> None:
    trial = run(None, skewed(2 * LIVE_SAMPLES))
    trial.exact = trial.exact_statistics()
    assert not trial.is_estimate
    assert trial.statistics() is trial.exact


def test_that_statistics_follow_new_samples_and_are_kept_between() -> None:
    trial = run(None, [10, 20, 30])
    first = trial.statistics()
    assert trial.statistics() is first
    trial.series.append(np.array([1], np.int64))
    second = trial.statistics()
    assert second is not None
    assert (second.count, second.min_ns) == (4, 1)


def test_that_the_warm_up_is_no_part_of_the_statistics() -> None:
    trial = run(None, [10])
    trial.warmup.append(np.array([1000, 3000], np.int64))
    assert trial.warmup_mean_ns() == 2000.0
    statistics = trial.statistics()
    assert statistics is not None
    assert (statistics.count, statistics.max_ns) == (1, 10)
