"""Trials that are measured in rounds, through the client: what its requests tell, and how they end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.client.requests import PendingRequest
from gui.records.comparison import RoundFacts, RoundLimits
from gui.records.failure import Failure, FailureKind
from gui.records.placement import PlacedNodes
from gui.records.protocol import Inventory
from gui.records.samples import Nanoseconds
from gui.records.trial import Ending, Stage, Target, TrialFacts, TrialSettings
from gui.records.trial_log import TrialLog

from ..conftest import DoubleFactory
from ..keepers import TIMEOUT_MS, outcome_of
from .conftest import Heard

TRIAL = "5f0e7b1c-0000-4000-8000-000000000001"


class Told:
    """What one request tells."""

    def __init__(self, request: PendingRequest) -> None:
        self.stages: list[Stage] = []
        self.nodes: list[PlacedNodes] = []
        self.samples: dict[Stage, list[int]] = {Stage.WARMING_UP: [], Stage.MEASURING: []}
        self.log = TrialLog()
        request.facts_received.connect(lambda facts: self.stages.append(facts.stage))
        request.nodes_received.connect(self.nodes.append)
        request.samples_received.connect(self._add)
        request.logged.connect(self.log.add)

    def _add(self, stage: Stage, samples: Nanoseconds, _elapsed_ns: int) -> None:
        self.samples[stage] += np.asarray(samples).tolist()


@pytest.fixture
def keys(qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory) -> tuple[str, ...]:
    """The devices of a double that tells of what it does."""
    return load(qtbot, ready_client, double_library("trace=1"))


def load(qtbot: QtBot, client: EngineClient, library: Path) -> tuple[str, ...]:
    inventory = outcome_of(qtbot, client.register("double", str(library)))
    assert isinstance(inventory, Inventory)
    return tuple(device.key for device in inventory.devices if device.library == "double")


def settings(model: Path, keys: tuple[str, ...]) -> TrialSettings:
    return TrialSettings(model_path=str(model), target=Target(device_keys=keys), warmup=2)


def printed(told: Told) -> list[tuple[str, str]]:
    return [(line.stage, line.record.message) for line in told.log.lines if line.record.message == "double: compute"]


def test_that_samples_facts_and_log_of_each_step_come_with_its_request(
    qtbot: QtBot, ready_client: EngineClient, add_model: Path, keys: tuple[str, ...]
) -> None:
    opening = ready_client.open_session(TRIAL, settings(add_model, keys))
    told = Told(opening)
    facts = outcome_of(qtbot, opening)
    assert isinstance(facts, TrialFacts)
    assert told.stages == [Stage.PREPARING, Stage.CREATING_SESSION, Stage.FIRST_RUN, Stage.WARMING_UP]
    assert len(told.nodes) == 1
    assert (len(told.samples[Stage.WARMING_UP]), told.samples[Stage.MEASURING]) == (2, [])
    assert printed(told) == [("first run", "double: compute")] + [("warming up", "double: compute")] * 2
    for count in (3, 5):
        measuring = ready_client.measure_round(TRIAL, RoundLimits(iterations=count))
        told = Told(measuring)
        answer = outcome_of(qtbot, measuring)
        assert isinstance(answer, RoundFacts)
        assert (answer.sample_count, answer.lead_in_runs, answer.stopped) == (count, 1, False)
        assert len(told.samples[Stage.MEASURING]) == count
        assert len(told.samples[Stage.WARMING_UP]) == 1
        assert told.stages == []
    closing = ready_client.close_session(TRIAL, check=True)
    told = Told(closing)
    last = outcome_of(qtbot, closing)
    assert isinstance(last, TrialFacts)
    assert (last.sample_count, last.warmup_runs, last.ending) == (8, 2 + 2, Ending.ITERATIONS)
    assert last.check is not None
    assert told.stages == [Stage.CHECKING, Stage.CLOSING, Stage.CHECKING]
    assert printed(told)[-1] == ("checking", "double: compute")


def test_that_a_round_is_stopped_by_cancelling_it_and_the_engine_stays(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard, add_model: Path, keys: tuple[str, ...]
) -> None:
    outcome_of(qtbot, ready_client.open_session(TRIAL, settings(add_model, keys)))
    measuring = ready_client.measure_round(TRIAL, RoundLimits(seconds=3600))
    with qtbot.waitSignal(measuring.samples_received, timeout=TIMEOUT_MS):
        pass
    ready_client.cancel(measuring)
    answer = outcome_of(qtbot, measuring)
    assert isinstance(answer, RoundFacts)
    assert answer.stopped
    again = outcome_of(qtbot, ready_client.measure_round(TRIAL, RoundLimits(iterations=2)))
    assert isinstance(again, RoundFacts)
    assert (again.sample_count, again.stopped) == (2, False)
    assert heard.deaths == []


def test_that_an_ep_that_dies_in_a_round_fails_its_request_as_died(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard, add_model: Path, double_library: DoubleFactory
) -> None:
    keys = load(qtbot, ready_client, double_library("compute=abort,run_after=6"))
    outcome_of(qtbot, ready_client.open_session(TRIAL, settings(add_model, keys)))
    measuring = ready_client.measure_round(TRIAL, RoundLimits(iterations=100))
    waiting = ready_client.measure_round(TRIAL, RoundLimits(iterations=100))
    failures: list[Failure] = []
    waiting.failed.connect(failures.append)
    failure = outcome_of(qtbot, measuring)
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.DIED
    assert "measuring a round" in failure.message
    qtbot.waitUntil(lambda: bool(heard.deaths), timeout=TIMEOUT_MS)
    assert [entry.kind for entry in failures] == [FailureKind.ENGINE_UNAVAILABLE]
    again = outcome_of(qtbot, ready_client.measure_round(TRIAL, RoundLimits(iterations=1)))
    assert isinstance(again, Failure)
    assert again.kind is FailureKind.BAD_REQUEST  # the fresh engine has no trial open
