"""Requests to a real engine and what comes back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.records.failure import Failure, FailureKind
from gui.records.log import LogSeverity
from gui.records.model import ModelDescription
from gui.records.protocol import PROTOCOL_VERSION, Inventory
from gui.records.trial import Ending, Stage, StopRule, Target, TrialFacts, TrialSettings

from ..conftest import DoubleFactory
from ..keepers import TIMEOUT_MS, TINY_MODEL, is_running, outcome_of
from .conftest import Heard


def cpu_settings(qtbot: QtBot, client: EngineClient, **fields: Any) -> TrialSettings:
    inventory = outcome_of(qtbot, client.list_devices())
    assert isinstance(inventory, Inventory)
    target = Target(device_keys=(inventory.devices[0].key,))
    return TrialSettings(model_path=str(TINY_MODEL), target=target, **fields)


# ---- Becoming ready ----


def test_that_the_greeting_makes_it_ready(qtbot: QtBot, client: EngineClient, heard: Heard) -> None:
    before = client.greeting
    with qtbot.waitSignal(client.ready, timeout=TIMEOUT_MS) as ready:
        client.start()
    assert [before, client.greeting] == [None, *heard.greetings] == [None, *ready.args]
    assert client.greeting is not None
    assert client.greeting.protocol == PROTOCOL_VERSION
    assert client.greeting.process_id == client.process_id() != os.getpid()
    assert heard.deaths == []


def test_that_requests_made_before_it_is_ready_are_answered(qtbot: QtBot, client: EngineClient, heard: Heard) -> None:
    client.start()
    devices, model = client.list_devices(), client.describe_model(str(TINY_MODEL))
    assert heard.greetings == []
    inventory = outcome_of(qtbot, devices)
    assert isinstance(inventory, Inventory)
    assert [device.ep_name for device in inventory.devices] == ["CPUExecutionProvider"]
    assert len(heard.greetings) == 1
    assert isinstance(outcome_of(qtbot, model), ModelDescription)


def test_that_starting_twice_starts_one_engine(ready_client: EngineClient, heard: Heard) -> None:
    process_id = ready_client.process_id()
    ready_client.start()
    assert ready_client.process_id() == process_id
    assert len(heard.greetings) == 1


def test_that_a_request_without_an_engine_fails(qtbot: QtBot, client: EngineClient) -> None:
    failure = outcome_of(qtbot, client.list_devices())
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.ENGINE_UNAVAILABLE


# ---- Requests ----


def test_that_a_library_comes_and_goes(qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory) -> None:
    path = str(double_library("count=2"))
    inventory = outcome_of(qtbot, ready_client.register("double", path))
    assert isinstance(inventory, Inventory)
    assert [library.name for library in inventory.libraries] == ["double"]
    assert [device.library for device in inventory.devices] == [None, "double", "double"]
    inventory = outcome_of(qtbot, ready_client.unregister("double"))
    assert isinstance(inventory, Inventory)
    assert (inventory.libraries, len(inventory.devices)) == ((), 1)


def test_that_a_refusal_is_a_failure_with_a_kind(qtbot: QtBot, ready_client: EngineClient, tmp_path: Path) -> None:
    failure = outcome_of(qtbot, ready_client.register("gone", str(tmp_path / "gone.so")))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.NO_SUCH_FILE
    assert "gone.so" in failure.message


def test_that_a_request_is_answered_once(qtbot: QtBot, ready_client: EngineClient) -> None:
    answers: list[Any] = []
    request = ready_client.list_devices()
    request.succeeded.connect(answers.append)
    request.failed.connect(answers.append)
    with qtbot.waitSignal(request.destroyed, timeout=TIMEOUT_MS):
        pass
    assert len(answers) == 1


def test_that_answers_go_to_those_who_asked(qtbot: QtBot, ready_client: EngineClient, tmp_path: Path) -> None:
    requests = [
        ready_client.describe_model(str(TINY_MODEL)),
        ready_client.describe_model(str(tmp_path / "gone.onnx")),
        ready_client.list_devices(),
    ]
    kinds: dict[int, type] = {}
    for number, request in enumerate(requests):
        request.succeeded.connect(lambda answer, number=number: kinds.update({number: type(answer)}))
        request.failed.connect(lambda failure, number=number: kinds.update({number: type(failure)}))
    qtbot.waitUntil(lambda: len(kinds) == 3, timeout=TIMEOUT_MS)
    assert kinds == {0: ModelDescription, 1: Failure, 2: Inventory}


def test_that_a_trial_tells_its_stages_and_samples(qtbot: QtBot, ready_client: EngineClient) -> None:
    settings = cpu_settings(qtbot, ready_client, warmup=3, stop_rule=StopRule(iterations=50))
    stages: list[Stage] = []
    samples: dict[Stage, int] = {}

    def count(stage: Stage, batch: Any, elapsed_ns: int) -> None:
        assert batch.dtype == np.int64
        assert elapsed_ns >= batch.sum()
        samples[stage] = samples.get(stage, 0) + len(batch)

    request = ready_client.run_trial(settings)
    request.facts_received.connect(lambda facts: stages.append(facts.stage))
    request.samples_received.connect(count)
    facts = outcome_of(qtbot, request)
    assert isinstance(facts, TrialFacts)
    assert facts.ending is Ending.ITERATIONS
    assert samples == {Stage.WARMING_UP: 3, Stage.MEASURING: 50}
    *before, last = stages
    assert last is Stage.CHECKING
    assert set(before) == {stage for stage in Stage if stage is not Stage.COMPILING}
    assert request.stage is Stage.CHECKING


# ---- Stopping ----


def test_that_what_ends_by_itself_when_cancelled_is_not_killed(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 1500)
    settings = cpu_settings(qtbot, ready_client, stop_rule=StopRule(seconds=3600))
    request = ready_client.run_trial(settings)
    with qtbot.waitSignal(request.samples_received, timeout=TIMEOUT_MS):
        pass
    ready_client.cancel(request)
    facts = outcome_of(qtbot, request)
    assert isinstance(facts, TrialFacts)
    assert facts.ending is Ending.STOPPED
    with qtbot.assertNotEmitted(ready_client.died, wait=1600):  # the grace period ends in here
        pass
    assert heard.deaths == []


def test_that_a_request_that_waits_its_turn_is_stopped_alone(
    qtbot: QtBot,
    ready_client: EngineClient,
    heard: Heard,
    double_library: DoubleFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    process_id = ready_client.process_id()
    slow = ready_client.register("slow", str(double_library("devices=slow,slow_ms=1500,trace=1")))
    # Within a library the engine answers nothing, not even this: the client itself lets the request go.
    qtbot.waitUntil(lambda: heard.find("double: devices") is not None, timeout=TIMEOUT_MS)
    waiting = ready_client.list_devices()
    ready_client.cancel(waiting)
    failure = outcome_of(qtbot, waiting)
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.STOPPED
    inventory = outcome_of(qtbot, slow)
    assert isinstance(inventory, Inventory)
    assert [library.name for library in inventory.libraries] == ["slow"]
    assert isinstance(outcome_of(qtbot, ready_client.list_devices()), Inventory)
    assert (heard.deaths, ready_client.process_id()) == ([], process_id)


def test_that_cancelling_what_has_ended_does_nothing(
    qtbot: QtBot, ready_client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 50)
    request = ready_client.list_devices()
    outcome_of(qtbot, request)
    with qtbot.assertNotEmitted(ready_client.died, wait=200):
        ready_client.cancel(request)


# ---- What it prints ----


def test_that_what_a_library_prints_is_logged_without_colours(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard, double_library: DoubleFactory
) -> None:
    orders = "stderr=\x1b[31mwarning: red\x1b[0m,stdout=plain words"
    outcome_of(qtbot, ready_client.register("loud", str(double_library(orders))))
    qtbot.waitUntil(lambda: heard.find("red") is not None, timeout=TIMEOUT_MS)
    record = heard.find("red")
    assert record is not None
    assert (record.message, record.source, record.severity) == ("warning: red", "native", LogSeverity.WARNING)
    qtbot.waitUntil(lambda: heard.find("plain words") is not None, timeout=TIMEOUT_MS)


def test_that_a_flood_of_lines_is_bounded_and_the_answer_comes_through(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard, double_library: DoubleFactory
) -> None:
    count = 300_000
    library = double_library(f"stderr=x,lines={count}")
    inventory = outcome_of(qtbot, ready_client.register("flood", str(library)))
    assert isinstance(inventory, Inventory)
    assert max(len(batch) for batch in heard.batches) <= 501
    qtbot.waitUntil(lambda: heard.find("were left out") is not None, timeout=TIMEOUT_MS)
    assert len(heard.records) < count / 2


# ---- Closing ----


def test_that_closing_ends_the_engine_for_good(qtbot: QtBot, ready_client: EngineClient, heard: Heard) -> None:
    process_id = ready_client.process_id()
    with qtbot.waitSignal(ready_client.closed, timeout=TIMEOUT_MS):
        ready_client.close()
    assert not is_running(process_id)
    ready_client.start()
    assert ready_client.process_id() == 0
    assert heard.deaths == []


def test_that_a_client_never_started_closes(qtbot: QtBot, client: EngineClient) -> None:
    with qtbot.waitSignal(client.closed, timeout=TIMEOUT_MS):
        client.close()


def test_that_closing_while_it_starts_ends_it(qtbot: QtBot, client: EngineClient, heard: Heard) -> None:
    client.start()
    process_id = client.process_id()
    with qtbot.waitSignal(client.closed, timeout=TIMEOUT_MS):
        client.close()
    assert process_id
    assert not is_running(process_id)
    assert heard.deaths == []


def test_that_closing_ends_an_engine_whose_library_hangs(
    qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory
) -> None:
    process_id = ready_client.process_id()
    request = ready_client.register("hang", str(double_library("devices=hang,trace=1")))
    failures: list[Failure] = []
    request.failed.connect(failures.append)
    with qtbot.waitSignal(ready_client.log_received, timeout=TIMEOUT_MS):
        pass  # the trace: it is in the library now
    with qtbot.waitSignal(ready_client.closed, timeout=TIMEOUT_MS):
        ready_client.close()
    assert not is_running(process_id)
    assert [failure.kind for failure in failures] == [FailureKind.STOPPED]


def test_that_a_trial_cut_off_by_closing_is_stopped_and_not_dead(qtbot: QtBot, ready_client: EngineClient) -> None:
    request = ready_client.run_trial(cpu_settings(qtbot, ready_client, stop_rule=StopRule(seconds=3600)))
    failures: list[Failure] = []
    request.failed.connect(failures.append)
    with qtbot.waitSignal(request.samples_received, timeout=TIMEOUT_MS):
        pass
    with qtbot.waitSignal(ready_client.closed, timeout=TIMEOUT_MS):
        ready_client.close()
    assert [failure.kind for failure in failures] == [FailureKind.STOPPED]
