"""A comparison on a real engine without a window: Ctrl-C, and the loss of the engine."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import psutil
import pytest

from gui.headless import HeadlessEngine
from gui.headless_comparison import HeadlessComparison, ProgressLine
from gui.headless_trial import Surroundings
from gui.records.comparison import ComparisonCell, ComparisonPlan
from gui.records.result import Outcome
from gui.records.trial import StopRule, Target, TrialSettings

from .conftest import SAMPLE_MODELS


@pytest.fixture
def engine() -> Iterator[HeadlessEngine]:
    engine = HeadlessEngine()
    engine.start()
    yield engine
    engine.close()


def comparison(
    engine: HeadlessEngine, progress: Callable[[str], None], *, seconds: float, rounds: int
) -> HeadlessComparison:
    """The CPU twice."""
    devices = engine.inventory().devices
    settings = TrialSettings(
        model_path=str(SAMPLE_MODELS / "tiny_mlp.onnx"),
        target=Target(device_keys=(devices[0].key,)),
        stop_rule=StopRule(seconds=seconds),
        warmup=1,
    )
    cells = tuple(ComparisonCell(label=label, target_text="CPU", settings=settings) for label in ("one", "other"))
    plan = ComparisonPlan(cells=cells, rounds=rounds)
    return HeadlessComparison(engine, plan, Surroundings(libraries=(), devices=devices), progress)


def test_that_ctrl_c_ends_it_in_order_and_keeps_what_was_measured(engine: HeadlessEngine) -> None:
    def press(text: str) -> None:
        if text.startswith("Round 2 of 10"):
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    trials = comparison(engine, press, seconds=1, rounds=10).run()
    assert signal.getsignal(signal.SIGINT) is before
    assert [kept.outcome for kept in trials] == [Outcome.STOPPED, Outcome.STOPPED]
    for kept in trials:
        assert kept.comparison is not None
        assert 1 <= len(kept.comparison.rounds) <= 2
        assert sum(entry.sample_count for entry in kept.comparison.rounds) == len(kept.samples) > 0
    assert engine.is_running  # its sessions were closed, not killed


def test_that_an_engine_that_is_lost_between_two_rounds_is_replaced_and_no_row_is_blamed(
    engine: HeadlessEngine,
) -> None:
    assert engine.greeting is not None
    first = engine.greeting.process_id

    def kill(text: str) -> None:
        is_first = engine.greeting is not None and engine.greeting.process_id == first
        if text.startswith("Round 3 of 4") and is_first and engine.is_running:
            process = psutil.Process(first)
            process.kill()
            while engine.is_running:  # which takes its exit code
                pass

    trials = comparison(engine, kill, seconds=0.04, rounds=4).run()
    assert [kept.outcome for kept in trials] == [Outcome.FINISHED, Outcome.FINISHED]
    for kept in trials:
        assert kept.comparison is not None
        assert [entry.number for entry in kept.comparison.rounds] == [1, 2, 3, 4]
        assert kept.statistics is not None
        assert kept.statistics.count == len(kept.samples) == sum(entry.sample_count for entry in kept.comparison.rounds)


def test_that_progress_is_no_part_of_what_is_piped(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    line.show("Round 1 of 2")
    line.clear()
    assert capsys.readouterr() == ("", "")
