"""A trial lets go of its session in its closing stage, however it ends. In this process, with a fake session."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from gui.engine import ort
from gui.engine.cancellation import Cancellation
from gui.engine.references import References
from gui.engine.registry import Registry
from gui.engine.trial import Trial, TrialListener
from gui.records.check import CheckSettings
from gui.records.failure import Failure, FailureError
from gui.records.trial import Policy, Stage, StopRule, Target, TrialFacts, TrialSettings

from ..conftest import SAMPLE_MODELS
from .fake_session import FakeSession


class Session(FakeSession):
    """One whose runs fail from `good_runs` on, and which knows whether garbage was collected while it ran."""

    good_runs = 1000
    alive: ClassVar[weakref.WeakSet[Session]] = weakref.WeakSet()

    def __init__(self, path: str, options: Any, enable_fallback: int) -> None:
        super().__init__(path, options, enable_fallback)
        self.runs = 0
        self.garbage_was_collected: list[bool] = []
        Session.alive.add(self)

    def run(self, names: list[str], feeds: dict[str, Any], options: Any) -> list[Any]:
        if self.runs == self.good_runs:
            raise RuntimeError("no luck")
        self.runs += 1
        self.garbage_was_collected.append(gc.isenabled())
        return super().run(names, feeds, options)


@pytest.fixture(autouse=True)
def fake_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(ort, "InferenceSession", Session)
    yield
    gc.collect()
    assert not Session.alive


class Seen:
    """What a trial told, and how many sessions were alive at each stage."""

    def __init__(self) -> None:
        self.alive: dict[Stage, int] = {}
        self.collecting: list[bool] = []

    def tell(self, facts: TrialFacts) -> None:
        self.alive[facts.stage] = len(Session.alive)
        for session in Session.alive:
            self.collecting = session.garbage_was_collected


def fail(failure: Failure) -> None:
    raise AssertionError(f"the engine gave up: {failure}")


def make_trial(seen: Seen) -> Trial:
    settings = TrialSettings(
        model_path=str(SAMPLE_MODELS / "tiny_mlp.onnx"),
        target=Target(policy=Policy.DEFAULT),
        warmup=2,
        stop_rule=StopRule(iterations=5),
        check=CheckSettings(enabled=False),
    )
    listener = TrialListener(
        tell=seen.tell,
        nodes=lambda _nodes: None,
        send=lambda _stage, _samples, _elapsed: None,
        give_up=fail,
    )
    return Trial(settings, Registry(), References(), Cancellation(), listener)


def test_that_the_session_is_gone_after_the_closing_stage() -> None:
    seen = Seen()
    trial = make_trial(seen)
    assert trial.run().sample_count == 5
    assert seen.alive[Stage.CLOSING] == 1
    assert not Session.alive  # though the trial itself still is there


@pytest.mark.parametrize("good_runs", [0, 1, 4])
def test_that_the_session_of_a_failed_trial_is_gone_before_the_failure_is_told(
    monkeypatch: pytest.MonkeyPatch, good_runs: int
) -> None:
    monkeypatch.setattr(Session, "good_runs", good_runs)
    seen = Seen()
    trial = make_trial(seen)
    with pytest.raises(FailureError) as caught:
        trial.run()
    assert "no luck" in caught.value.failure.message
    assert seen.alive[Stage.CLOSING] == 1
    assert not Session.alive  # nor does the traceback of the error, which is still there, hold it


def test_that_no_garbage_is_collected_while_runs_are_timed() -> None:
    seen = Seen()
    make_trial(seen).run()
    assert seen.collecting == [True, *[False] * (2 + 5)]
    assert gc.isenabled()


def test_that_garbage_is_collected_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "good_runs", 3)
    with pytest.raises(FailureError):
        make_trial(Seen()).run()
    assert gc.isenabled()
