"""Runs that take too long are ended, or the engine gives up on itself; the samples before them are kept."""

from __future__ import annotations

import itertools
import threading

import pytest

from gui.engine import run_watch
from gui.engine.cancellation import Cancellation
from gui.engine.run_watch import RunTimedOutError, RunWatch


class Options:
    """Stands for ORT's RunOptions: a run that looks at it ends."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    @property
    def terminate(self) -> bool:
        return self._ended.is_set()

    @terminate.setter
    def terminate(self, value: bool) -> None:
        if value:
            self._ended.set()

    def wait(self) -> None:
        assert self._ended.wait(30)


def never() -> None:
    raise AssertionError("the engine must not give up")


def test_that_a_quick_run_is_left_alone_and_gives_its_result() -> None:
    options = Options()
    with RunWatch(30, Cancellation(), options, never) as watch:
        function, arguments = watch.guarded((lambda a, b: a + b, (2, 3)))
        assert [function(*arguments) for _ in range(1000)] == [5] * 1000
    assert (watch.is_overdue, options.terminate) == (False, False)


def test_that_what_a_run_raises_comes_through() -> None:
    def function() -> None:
        raise KeyError("own")

    with RunWatch(30, Cancellation(), Options(), never) as watch:
        guarded, _ = watch.guarded((function, ()))
        with pytest.raises(KeyError, match="own"):
            guarded()
    assert not watch.is_overdue


def test_that_a_run_that_takes_too_long_is_asked_to_end_and_is_no_sample() -> None:
    options = Options()
    with RunWatch(0.05, Cancellation(), options, never) as watch:
        function, _ = watch.guarded((options.wait, ()))
        with pytest.raises(RunTimedOutError):
            function()
    assert watch.is_overdue
    assert options.terminate


def test_that_the_longest_of_several_callers_counts() -> None:
    options, calls = Options(), itertools.count()
    with RunWatch(0.05, Cancellation(), options, never) as watch:
        quick, _ = watch.guarded((lambda: next(calls), ()))
        slow, _ = watch.guarded((options.wait, ()))

        def run_slow() -> None:
            with pytest.raises(RunTimedOutError):
                slow()

        thread = threading.Thread(target=run_slow)
        thread.start()
        while thread.is_alive():
            quick()
        thread.join()
    assert watch.is_overdue


def test_that_the_engine_gives_up_when_a_run_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_watch, "_GRACE_S", 0.1)
    options, given_up = Options(), threading.Event()
    with RunWatch(0.05, Cancellation(), options, given_up.set) as watch:
        function, _ = watch.guarded((given_up.wait, (30,)))
        with pytest.raises(RunTimedOutError):
            function(30)
    assert given_up.is_set()
    assert options.terminate


def test_that_a_trial_that_was_stopped_is_left_to_its_own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_watch, "_GRACE_S", 0.0)
    cancellation, leave = Cancellation(), threading.Event()
    cancellation.request()
    timer = threading.Timer(0.3, leave.set)
    with RunWatch(0.02, cancellation, Options(), never) as watch:
        function, _ = watch.guarded((leave.wait, ()))
        timer.start()
        with pytest.raises(RunTimedOutError):
            function()
    timer.join()


def test_that_nobody_looks_at_the_runs_once_the_watch_is_over() -> None:
    with RunWatch(30, Cancellation(), Options(), never) as watch:
        function, _ = watch.guarded((lambda: 1, ()))
        assert function() == 1
        assert "run watch" in [thread.name for thread in threading.enumerate()]
    assert "run watch" not in [thread.name for thread in threading.enumerate()]
