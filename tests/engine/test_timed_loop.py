"""The timed loop under a clock that only the timed function moves: what is a sample, and when samples are sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from gui.engine import trial as trial_module
from gui.engine.trial import BATCH_NS, Cancellation, TimedLoop
from gui.records.samples import Nanoseconds
from gui.records.trial import Stage

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
        return TimedLoop(self.run, ("name", 7), self.cancellation, self.send)

    @property
    def samples(self) -> list[int]:
        return [sample for batch in self.batches for sample in batch]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    monkeypatch.setattr(trial_module, "time", SimpleNamespace(perf_counter_ns=made.clock))
    return made


def test_that_a_sample_is_the_time_of_one_call_and_nothing_else(bench: Bench) -> None:
    bench.durations = lambda call: (call + 1) * MS
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=20, seconds=None)
    assert bench.samples == [(call + 1) * MS for call in range(20)]
    assert (loop.count, bench.calls) == (20, 20)


def test_that_samples_are_sent_when_the_interval_is_over_and_at_the_end(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=10, seconds=None)
    calls_per_batch = -(-BATCH_NS // (10 * MS))
    assert [len(batch) for batch in bench.batches] == [calls_per_batch, calls_per_batch, 10 - 2 * calls_per_batch]


def test_that_the_elapsed_time_holds_the_sending_between(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=10, seconds=None)
    assert bench.elapsed == [40 * MS, (80 + 3) * MS, (100 + 6) * MS]
    assert loop.elapsed_ns == bench.elapsed[-1]


def test_that_fast_calls_are_sent_before_the_buffer_is_too_small(bench: Bench) -> None:
    bench.durations = lambda call: call % 7
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=200_000, seconds=None)
    assert loop.count == 200_000
    np.testing.assert_array_equal(bench.samples, np.arange(200_000) % 7)
    assert len(bench.batches) > 1


def test_that_a_time_rule_ends_with_the_call_that_passes_it(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=None, seconds=0.025)
    assert (loop.count, loop.elapsed_ns) == (3, 30 * MS)
    assert bench.batches == [[10 * MS] * 3]


def test_that_a_call_longer_than_the_time_rule_is_one_sample(bench: Bench) -> None:
    bench.durations = lambda _call: 10_000 * MS
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=None, seconds=0.001)
    assert bench.samples == [10_000 * MS]


def test_that_a_cancelled_loop_sends_what_it_has(bench: Bench) -> None:
    bench.cancel_at = 6
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=1_000_000, seconds=None)
    assert (loop.count, len(bench.samples), bench.calls) == (6, 6, 6)


def test_that_a_loop_cancelled_before_it_began_calls_nothing(bench: Bench) -> None:
    bench.cancellation.request()
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=10, seconds=None)
    assert (loop.count, bench.calls, bench.batches) == (0, 0, [])


@pytest.mark.parametrize("fail_at", [0, 1, 4, 6])
def test_that_the_samples_before_a_failure_are_sent(bench: Bench, fail_at: int) -> None:
    bench.fail_at = fail_at
    loop = bench.loop()
    with pytest.raises(RuntimeError, match="no luck"):
        loop.measure(Stage.MEASURING, iterations=10, seconds=None)
    assert (loop.count, len(bench.samples)) == (fail_at, fail_at)


def test_that_a_loop_counts_anew_each_time(bench: Bench) -> None:
    loop = bench.loop()
    loop.measure(Stage.MEASURING, iterations=10, seconds=None)
    loop.measure(Stage.MEASURING, iterations=3, seconds=None)
    assert (loop.count, loop.elapsed_ns) == (3, 30 * MS)
    assert len(bench.samples) == 13


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
