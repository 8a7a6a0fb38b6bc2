"""A session that was run last is given time to rest before another one is measured."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from types import SimpleNamespace

import pytest

from gui.engine import open_trials, settling, trial
from gui.engine.cancellation import Cancellation
from gui.engine.open_trials import OpenTrials
from gui.engine.references import References
from gui.engine.registry import Registry
from gui.engine.settling import Rest, time_to_rest
from gui.engine.trial import TrialListener
from gui.records.check import CheckSettings
from gui.records.comparison import RoundLimits
from gui.records.failure import Failure
from gui.records.trial import Policy, Target, TrialSettings

from ..conftest import SAMPLE_MODELS

REST_S = 0.05
SETTINGS = TrialSettings(
    model_path=str(SAMPLE_MODELS / "tiny_mlp.onnx"),
    target=Target(policy=Policy.DEFAULT),
    warmup=0,
    intra_op_threads=1,
    check=CheckSettings(enabled=False),
)


class Process(Cancellation):
    """A process whose threads use as much of each span of time as told; its clocks only move while it is waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, shares: Iterable[float]) -> None:
        super().__init__()
        self._shares = iter(shares)
        self.now_ns = self.used_ns = 0
        clocks = SimpleNamespace(process_time_ns=lambda: self.used_ns, perf_counter_ns=lambda: self.now_ns)
        monkeypatch.setattr(settling, "time", clocks)

    def wait(self, seconds: float) -> bool:
        self.now_ns += round(seconds * 1e9)
        self.used_ns += round(seconds * 1e9 * next(self._shares))
        return self.is_requested()


@pytest.mark.parametrize(
    ("shares", "looks"),
    [
        ([0, 0], 0),
        ([0.05, 0.05], 0),  # what stands around the runs
        ([1, 2, 0.4, 0, 0], 3),
        ([1, 0, 1, 0, 0], 3),  # others had the processors meanwhile
        ([0, 1, 0, 0], 2),
    ],
)
def test_that_the_time_to_rest_ends_with_the_last_use(
    monkeypatch: pytest.MonkeyPatch, shares: list[float], looks: int
) -> None:
    assert time_to_rest(Process(monkeypatch, shares)) == pytest.approx(0.02 * looks)


@pytest.mark.parametrize("shares", [[1], [1, 0]])
def test_that_a_process_that_never_rests_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, shares: list[float]
) -> None:
    process = Process(monkeypatch, itertools.cycle(shares))
    assert time_to_rest(process) == 0
    assert process.now_ns < 1e9


def test_that_nothing_is_waited_for_once_it_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    cancellation, rest = Cancellation(), Rest()
    cancellation.request()
    rest.begins(3600)
    rest.wait(cancellation)  # or this test never ends
    process = Process(monkeypatch, [1])  # asked for a second time it would raise
    process.request()
    assert time_to_rest(process) == 0


def test_that_a_round_waits_for_the_rest_of_another_trial_and_not_for_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[None] = []

    class CountingRest(Rest):
        def wait(self, cancellation: Cancellation) -> None:
            waits.append(None)
            super().wait(cancellation)

    monkeypatch.setattr(trial, "time_to_rest", lambda _cancellation: REST_S)
    monkeypatch.setattr(open_trials, "Rest", CountingRest)
    trials = OpenTrials(Registry(), References())
    for name in ("a", "b"):
        trials.open(name, SETTINGS, Cancellation(), listener())
    waits.clear()
    ends = 0
    for name, count in (("a", 1), ("a", 1), ("b", 2), ("b", 2), ("a", 3)):
        waited_before = len(waits)
        facts = trials.measure_round(name, RoundLimits(iterations=1), Cancellation(), listener())
        assert len(waits) == count
        if ends and count > waited_before:
            assert facts.began_ns - ends >= REST_S * 1e9
        ends = facts.began_ns + facts.measured_ns
    for name in ("a", "b"):
        trials.close(name, Cancellation(), listener(), check=False)


def listener() -> TrialListener:
    def give_up(failure: Failure) -> None:
        raise AssertionError(f"the engine gave up: {failure}")

    return TrialListener(
        tell=lambda _facts: None,
        nodes=lambda _nodes: None,
        send=lambda _stage, _samples, _elapsed: None,
        give_up=give_up,
    )
