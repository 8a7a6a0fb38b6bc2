"""Trying the policies: told while it goes on, stopped, survived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.policy_keeper import PolicyKeeper
from gui.records.failure import FailureKind
from gui.records.library import CPU_EP_NAME, LibraryState
from gui.records.policies import PolicyOutcome
from gui.records.trial import Policy, StopRule, TrialSettings
from gui.state import EngineStatus, State

from .conftest import ORT_VERSION, DoubleFactory
from .keepers import TIMEOUT_MS, TINY_MODEL, Keepers, running_keepers

pytestmark = pytest.mark.skipif(ORT_VERSION < (1, 24), reason="GPU doubles need onnxruntime 1.24")

GPU_POLICIES = {Policy.PREFER_GPU, Policy.MAX_PERFORMANCE}


class Heard:
    """What the keeper has told."""

    def __init__(self, keeper: PolicyKeeper) -> None:
        self.asked: list[Policy] = []
        self.outcomes: dict[Policy, PolicyOutcome] = {}
        self.ends = 0
        keeper.asked.connect(self.asked.append)
        keeper.outcome_received.connect(self._take)
        keeper.ended.connect(self._end)

    def _take(self, outcome: PolicyOutcome) -> None:
        assert outcome.policy not in self.outcomes
        self.outcomes[outcome.policy] = outcome

    def _end(self) -> None:
        self.ends += 1

    def kinds(self) -> dict[Policy, FailureKind | None]:
        failures = ((policy, entry.failure) for policy, entry in self.outcomes.items())
        return {policy: None if failure is None else failure.kind for policy, failure in failures}


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        yield keepers


@pytest.fixture
def heard(keepers: Keepers) -> Heard:
    return Heard(keepers.policies)


def wait_for_end(qtbot: QtBot, heard: Heard) -> None:
    qtbot.waitUntil(lambda: heard.ends > 0, timeout=TIMEOUT_MS)


def test_that_all_policies_are_tried_in_their_order_and_the_state_is_busy_meanwhile(
    qtbot: QtBot, keepers: Keepers, heard: Heard, double_library: DoubleFactory
) -> None:
    keepers.add("double", double_library("type=GPU"))
    assert keepers.policies.explain(str(TINY_MODEL))
    assert keepers.policies.is_running
    assert keepers.state.is_busy
    assert keepers.state.work == "trying policies"
    wait_for_end(qtbot, heard)
    assert (heard.asked, list(heard.outcomes)) == (list(Policy), list(Policy))
    assert {policy for policy, entry in heard.outcomes.items() if entry.ep_name == "double"} == GPU_POLICIES
    assert (keepers.state.work, keepers.policies.is_running, heard.ends) == ("", False, 1)


def test_that_an_engine_that_dies_of_a_policy_is_its_failure_and_the_rest_goes_on_with_all_libraries(
    qtbot: QtBot, keepers: Keepers, heard: Heard, double_library: DoubleFactory
) -> None:
    keepers.add("deadly", double_library("type=GPU,create=abort"))
    keepers.add("good", double_library("name=Good"))
    keepers.policies.explain("")
    wait_for_end(qtbot, heard)
    assert {policy for policy, kind in heard.kinds().items() if kind is FailureKind.DIED} == GPU_POLICIES
    others = {entry.ep_name for policy, entry in heard.outcomes.items() if policy not in GPU_POLICIES}
    assert others == {"Good"}  # those after a death, too
    failure = heard.outcomes[Policy.PREFER_GPU].failure
    assert failure is not None
    assert "PREFER_GPU" in failure.message
    assert "SIGABRT" in failure.message
    keepers.wait_until_ready()
    assert set(keepers.states().values()) == {LibraryState.LOADED}
    assert len(keepers.deaths) == len(GPU_POLICIES)


def test_that_one_that_hangs_is_stopped_with_its_engine_and_those_left_are_told_as_stopped(
    qtbot: QtBot, keepers: Keepers, heard: Heard, double_library: DoubleFactory
) -> None:
    keepers.add("hanging", double_library("type=GPU,create=hang,trace=1"))
    keepers.policies.explain("")
    qtbot.waitUntil(lambda: keepers.has_said("double: create"), timeout=TIMEOUT_MS)
    keepers.policies.stop()
    keepers.policies.stop()  # once more changes nothing
    wait_for_end(qtbot, heard)
    kinds = heard.kinds()
    done = list(Policy)[: list(Policy).index(Policy.PREFER_GPU)]
    assert {kinds[policy] for policy in done} == {None}
    assert {kinds[policy] for policy in Policy if policy not in done} == {FailureKind.STOPPED}
    assert heard.asked[-1] is Policy.PREFER_GPU  # the one that hung
    assert not keepers.policies.is_running
    keepers.wait_for_death()
    assert keepers.library("hanging").state is LibraryState.LOADED
    heard.outcomes.clear()
    assert keepers.policies.explain("")  # from the beginning
    keepers.policies.stop()
    qtbot.waitUntil(lambda: not keepers.state.is_busy, timeout=TIMEOUT_MS)


def test_that_a_model_that_is_gone_fails_every_policy(
    qtbot: QtBot, keepers: Keepers, heard: Heard, tmp_path: Path
) -> None:
    keepers.policies.explain(str(tmp_path / "gone.onnx"))
    wait_for_end(qtbot, heard)
    assert set(heard.kinds().values()) == {FailureKind.NO_SUCH_FILE}


def test_that_a_library_that_shall_go_ends_it(
    qtbot: QtBot, keepers: Keepers, heard: Heard, double_library: DoubleFactory
) -> None:
    keepers.add("hanging", double_library("type=GPU,create=hang,trace=1"))
    keepers.policies.explain("")
    qtbot.waitUntil(lambda: keepers.has_said("double: create"), timeout=TIMEOUT_MS)
    keepers.libraries.unregister("hanging")
    wait_for_end(qtbot, heard)
    keepers.wait_until_ready()
    assert keepers.library("hanging").state is LibraryState.NOT_LOADED
    assert heard.kinds()[Policy.MIN_OVERALL_POWER] is FailureKind.STOPPED


def test_that_an_engine_replaced_on_purpose_ends_it(
    qtbot: QtBot, keepers: Keepers, heard: Heard, double_library: DoubleFactory
) -> None:
    keepers.add("hanging", double_library("type=GPU,create=hang,trace=1"))
    keepers.policies.explain("")
    qtbot.waitUntil(lambda: keepers.has_said("double: create"), timeout=TIMEOUT_MS)
    keepers.client.restart()
    wait_for_end(qtbot, heard)
    assert len(heard.outcomes) == len(Policy)
    keepers.wait_until_ready()


def test_that_nothing_is_tried_while_the_engine_is_at_other_work(qtbot: QtBot, keepers: Keepers, heard: Heard) -> None:
    trial = keepers.run(
        TrialSettings(model_path=str(TINY_MODEL), target=keepers.target(), stop_rule=StopRule(seconds=60))
    )
    assert not keepers.policies.explain("")
    keepers.policies.stop()  # which stops nothing of others
    assert not trial.stopping
    keepers.trials.stop()
    keepers.wait_for_end(trial)
    assert (heard.asked, heard.ends) == ([], 0)
    assert keepers.policies.explain("")
    wait_for_end(qtbot, heard)
    assert {entry.ep_name for entry in heard.outcomes.values()} == {CPU_EP_NAME}


def test_that_nothing_is_tried_without_an_engine(qtbot: QtBot) -> None:
    state = State()
    keeper = PolicyKeeper(EngineClient(), state)
    assert state.engine_status is EngineStatus.STARTING
    assert not keeper.explain("")
    assert not state.is_busy
