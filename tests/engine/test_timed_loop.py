"""The timed loop under a clock that only the timed function moves: what is a sample, and when samples are sent."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from gui.engine import timed_loop as loop_module
from gui.engine.cancellation import Cancellation
from gui.engine.timed_loop import BATCH_NS, ConcurrentLoop, Limits, TimedLoop
from gui.records.samples import Nanoseconds
from gui.records.statistics import MIN_STABLE_SAMPLES, is_stable
from gui.records.trial import Ending, Stage

MS = 1_000_000


@dataclass
class Bench:
    """A clock, a function that takes time on it, and what was sent."""

    durations: Callable[[int], int] = lambda _call: 10 * MS
    now: int = 5_000 * MS
    calls: int = 0
    batches: list[list[int]] = field(default_factory=list)
    elapsed: list[int] = field(default_factory=list)
    fail_at: int | None = None
    cancel_at: int | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)
    pause_s: float = 0.0

    def clock(self) -> int:
        return self.now

    def run(self, name: str, value: int) -> None:
        assert (name, value) == ("name", 7)
        if self.calls == self.fail_at:
            raise RuntimeError("no luck")
        self.now += self.durations(self.calls)
        self.calls += 1
        if self.calls == self.cancel_at:
            self.cancellation.request()

    def send(self, stage: Stage, samples: Nanoseconds, elapsed_ns: int) -> None:
        assert stage is Stage.MEASURING
        self.batches.append(samples.tolist())
        self.elapsed.append(elapsed_ns)
        self.now += 3 * MS  # sending takes time that belongs to no sample

    def loop(self) -> TimedLoop:
        return TimedLoop((self.run, ("name", 7)), self.cancellation, self.send, pause_s=self.pause_s)

    @property
    def samples(self) -> list[int]:
        return [sample for batch in self.batches for sample in batch]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    monkeypatch.setattr(loop_module, "time", SimpleNamespace(perf_counter_ns=made.clock))
    return made


def test_that_a_sample_is_the_time_of_one_call_and_nothing_else(bench: Bench) -> None:
    bench.durations = lambda call: (call + 1) * MS
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=20))
    assert bench.samples == [(call + 1) * MS for call in range(20)]
    assert (loop.count, bench.calls) == (20, 20)


def test_that_samples_are_sent_when_the_interval_is_over_and_at_the_end(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=10))
    calls_per_batch = -(-BATCH_NS // (10 * MS))
    assert [len(batch) for batch in bench.batches] == [calls_per_batch, calls_per_batch, 10 - 2 * calls_per_batch]


def test_that_the_elapsed_time_holds_the_sending_between(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=10))
    assert bench.elapsed == [40 * MS, (80 + 3) * MS, (100 + 6) * MS]
    assert loop.elapsed_ns == bench.elapsed[-1]


def test_that_fast_calls_are_sent_before_the_buffer_is_too_small(bench: Bench) -> None:
    bench.durations = lambda call: call % 7
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=200_000))
    assert loop.count == 200_000
    np.testing.assert_array_equal(bench.samples, np.arange(200_000) % 7)
    assert len(bench.batches) > 1


def test_that_a_time_rule_ends_with_the_call_that_passes_it(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(seconds=0.025))
    assert (loop.count, loop.elapsed_ns) == (3, 30 * MS)
    assert bench.batches == [[10 * MS] * 3]


def test_that_a_call_longer_than_the_time_rule_is_one_sample(bench: Bench) -> None:
    bench.durations = lambda _call: 10_000 * MS
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(seconds=0.001))
    assert bench.samples == [10_000 * MS]


def test_that_a_cancelled_loop_sends_what_it_has(bench: Bench) -> None:
    bench.cancel_at = 6
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=1_000_000))
    assert (loop.count, len(bench.samples), bench.calls) == (6, 6, 6)


def test_that_a_loop_cancelled_before_it_began_calls_nothing(bench: Bench) -> None:
    bench.cancellation.request()
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=10))
    assert (loop.count, bench.calls, bench.batches) == (0, 0, [])


@pytest.mark.parametrize("fail_at", [0, 1, 4, 6])
def test_that_the_samples_before_a_failure_are_sent(bench: Bench, fail_at: int) -> None:
    bench.fail_at = fail_at
    loop = bench.loop()
    with pytest.raises(RuntimeError, match="no luck"):
        loop.measure(Stage.MEASURING, Limits(iterations=10))
    assert (loop.count, len(bench.samples)) == (fail_at, fail_at)


def test_that_a_loop_counts_anew_each_time(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=10))
    loop.measure(Stage.MEASURING, Limits(iterations=3))
    assert (loop.count, loop.elapsed_ns) == (3, 30 * MS)
    assert len(bench.samples) == 13


# ---- Why a loop ended ----


@pytest.mark.parametrize(
    ("limits", "ending"),
    [
        (Limits(iterations=5), Ending.ITERATIONS),
        (Limits(seconds=0.05), Ending.SECONDS),
        (Limits(iterations=5, seconds=100), Ending.ITERATIONS),
        (Limits(iterations=500, seconds=0.05), Ending.SECONDS),
        (Limits(seconds=100, stable_percent=1), Ending.STABLE),
        (Limits(seconds=0.05, stable_percent=1), Ending.SECONDS),
    ],
)
def test_that_a_loop_tells_why_it_ended(bench: Bench, limits: Limits, ending: Ending) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, limits)
    assert loop.ending is ending


def test_that_a_cancelled_loop_was_stopped_and_a_failed_one_has_no_ending(bench: Bench) -> None:
    bench.cancel_at = 3
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=1000))
    assert loop.ending is Ending.STOPPED
    failing = Bench(fail_at=2)
    loop = failing.loop()
    with pytest.raises(RuntimeError, match="no luck"):
        loop.measure(Stage.MEASURING, Limits(iterations=1000))
    assert loop.ending is None


# ---- Until stable ----


def test_that_a_steady_function_is_stable_with_the_fewest_samples(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(seconds=1000, stable_percent=1))
    assert MIN_STABLE_SAMPLES <= loop.count < MIN_STABLE_SAMPLES * 1.5
    assert loop.count == len(bench.samples)


def test_that_a_scattered_function_takes_as_many_samples_as_the_percentage_needs(bench: Bench) -> None:
    spread = np.random.default_rng(5).integers(50, 150, 100_000)
    bench.durations = lambda call: int(spread[call]) * 10_000
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(seconds=10_000, stable_percent=5))
    assert loop.ending is Ending.STABLE
    taken = np.array(bench.samples)
    assert is_stable(taken, 5)
    assert not is_stable(taken[: int(len(taken) / 1.5)], 5)
    bench.calls, bench.batches = 0, []
    loop.measure(Stage.MEASURING, Limits(seconds=10_000, stable_percent=1))
    assert len(bench.samples) > 5 * len(taken)


# ---- Pauses ----


def test_that_a_pause_lies_between_two_calls_and_in_no_sample(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        bench.now += int(seconds * 1e9)
        return False

    bench.pause_s = 0.5
    monkeypatch.setattr(bench.cancellation, "wait", wait)
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(iterations=4))
    assert bench.samples == [10 * MS] * 4
    assert waited == [0.5] * 4
    assert loop.elapsed_ns >= 3 * 500 * MS


def test_that_a_time_rule_cuts_a_pause_short(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        bench.now += int(seconds * 1e9)
        return False

    bench.pause_s = 3600
    monkeypatch.setattr(bench.cancellation, "wait", wait)
    loop = bench.loop()
    loop.measure(Stage.MEASURING, Limits(seconds=1))
    assert (loop.count, loop.ending) == (1, Ending.SECONDS)
    assert waited == [pytest.approx(0.99)]


def test_that_a_cancellation_ends_a_long_pause() -> None:
    """In real time: the loop sleeps until it is woken up."""
    cancellation = Cancellation()
    sent: list[int] = []
    loop = TimedLoop(
        (lambda: None, ()), cancellation, lambda _stage, batch, _elapsed: sent.append(len(batch)), pause_s=3600
    )
    timer = threading.Timer(0.05, cancellation.request)
    timer.start()
    loop.measure(Stage.MEASURING, Limits(iterations=10))
    timer.join()
    assert (loop.count, loop.ending, sum(sent)) == (1, Ending.STOPPED, 1)


# ---- A function that does not come back ----


def test_that_what_was_not_sent_can_be_rescued_and_is_not_sent_twice() -> None:
    cancellation, sent = Cancellation(), list[int]()
    inside, leave = threading.Event(), threading.Event()
    calls = itertools.count()

    def function() -> None:
        if next(calls) == 5:
            inside.set()
            assert leave.wait(30)

    loop = TimedLoop((function, ()), cancellation, lambda _stage, batch, _elapsed: sent.append(len(batch)))
    thread = threading.Thread(target=loop.measure, args=(Stage.MEASURING, Limits(iterations=8)))
    thread.start()
    assert inside.wait(30)
    loop.rescue()
    assert sum(sent) == 5
    loop.rescue()
    assert sum(sent) == 5
    leave.set()
    thread.join()
    assert (loop.count, sum(sent)) == (8, 8)


def test_that_a_job_that_is_stuck_when_it_shall_end_is_rescued() -> None:
    cancellation, rescued = Cancellation(), threading.Event()
    cancellation.when_stuck(rescued.set)
    assert not rescued.is_set()
    cancellation.request()
    assert rescued.wait(30)


# ---- Several callers ----


def concurrent(
    count: int, function: Callable[[], object], sent: list[int], cancellation: Cancellation
) -> ConcurrentLoop:
    def send(_stage: Stage, batch: Nanoseconds, _elapsed: int) -> None:
        sent.extend(batch.tolist())

    return ConcurrentLoop([(function, ())] * count, cancellation, send)


@pytest.mark.parametrize("callers", [2, 3, 8])
def test_that_callers_share_the_iterations(callers: int) -> None:
    sent: list[int] = []
    calls = itertools.count()
    loop = concurrent(callers, lambda: next(calls), sent, Cancellation())
    loop.measure(Stage.MEASURING, Limits(iterations=1000))
    assert (loop.count, len(sent), next(calls), loop.ending) == (1000, 1000, 1000, Ending.ITERATIONS)


def test_that_callers_run_at_the_same_time() -> None:
    """Each waits for the others inside the call: one after the other they would never meet."""
    meeting = threading.Barrier(4)
    sent: list[int] = []
    loop = concurrent(4, lambda: meeting.wait(30), sent, Cancellation())
    loop.measure(Stage.MEASURING, Limits(iterations=4))
    assert len(sent) == 4


def test_that_the_throughput_of_callers_is_that_of_the_wall_clock() -> None:
    sent: list[int] = []
    pause = threading.Event()
    loop = concurrent(4, lambda: pause.wait(0.01), sent, Cancellation())
    loop.measure(Stage.MEASURING, Limits(iterations=80))
    assert sum(sent) > 1.5 * loop.elapsed_ns  # the calls overlap
    assert loop.elapsed_ns >= max(sent)


def test_that_the_first_error_of_a_caller_ends_all_and_keeps_the_samples() -> None:
    sent: list[int] = []
    calls = itertools.count()

    def function() -> None:
        if next(calls) >= 50:
            raise RuntimeError("no luck")

    loop = concurrent(3, function, sent, Cancellation())
    with pytest.raises(RuntimeError, match="no luck"):
        loop.measure(Stage.MEASURING, Limits(iterations=100_000))
    assert (loop.count, len(sent), loop.ending) == (50, 50, None)


def test_that_callers_end_when_they_shall_or_when_time_is_up_or_when_it_is_stable() -> None:
    cancellation, sent = Cancellation(), list[int]()
    pause = threading.Event()
    loop = concurrent(2, lambda: pause.wait(0.001), sent, cancellation)
    endings = []
    loop.measure(Stage.MEASURING, Limits(seconds=0.05))
    endings.append(loop.ending)
    assert loop.elapsed_ns >= 0.05e9
    loop.measure(Stage.MEASURING, Limits(seconds=60, stable_percent=50))
    endings.append(loop.ending)
    timer = threading.Timer(0.05, cancellation.request)
    timer.start()
    loop.measure(Stage.MEASURING, Limits(seconds=60))
    timer.join()
    endings.append(loop.ending)
    assert endings == [Ending.SECONDS, Ending.STABLE, Ending.STOPPED]


# ---- Cancelling ----


class Options:
    """Stands for both of ORT's option objects: notes what is asked of it."""

    def __init__(self) -> None:
        self.terminate = False
        self.load_cancelled = False

    def set_load_cancellation_flag(self, flag: bool) -> None:
        self.load_cancelled = flag


@pytest.mark.parametrize("watched_first", [True, False])
def test_that_a_cancellation_reaches_ort_whichever_comes_first(watched_first: bool) -> None:
    cancellation, session_options, run_options = Cancellation(), Options(), Options()
    assert not cancellation.is_requested()
    steps = [
        lambda: cancellation.watch(session_options=session_options, run_options=run_options),
        cancellation.request,
    ]
    for step in steps if watched_first else reversed(steps):
        step()
    assert cancellation.is_requested()
    assert run_options.terminate
    assert session_options.load_cancelled


def test_that_nothing_is_cancelled_unasked() -> None:
    cancellation, options = Cancellation(), Options()
    cancellation.watch(session_options=options, run_options=options)
    assert (cancellation.is_requested(), options.terminate, options.load_cancelled) == (False, False, False)


def test_that_what_was_let_go_is_not_cancelled_any_more() -> None:
    """A request to end a job may come when it is done, and its run options are those of the next one."""
    cancellation, options, rescued = Cancellation(), Options(), list[None]()
    cancellation.watch(session_options=options, run_options=options)
    cancellation.when_stuck(lambda: rescued.append(None))
    cancellation.let_go()
    cancellation.request()
    assert cancellation.is_requested()
    assert (options.terminate, options.load_cancelled, rescued) == (False, False, [])
