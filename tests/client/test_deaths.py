"""Engines that die, hang, do not start, or speak otherwise."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.client.requests import PendingRequest
from gui.records.failure import Failure, FailureKind
from gui.records.log import LogSeverity
from gui.records.protocol import PROTOCOL_VERSION, Inventory
from gui.records.samples import encode_samples
from gui.records.trial import Stage, Target, TrialFacts, TrialSettings

from ..conftest import DoubleFactory
from ..keepers import TIMEOUT_MS, outcome_of
from .conftest import Heard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX, the doubles are for Linux")

FAKE_ENGINE = Path(__file__).with_name("fake_engine.py")
UseCommand = Callable[..., None]


@pytest.fixture
def use_command(monkeypatch: pytest.MonkeyPatch) -> UseCommand:
    """Have engines started by another command."""

    def use(*command: str) -> None:
        monkeypatch.setattr("gui.client.client.engine_command", lambda: list(command))

    return use


@pytest.fixture
def use_program(use_command: UseCommand) -> UseCommand:
    """Have a Python program started in place of the engine."""
    return lambda program: use_command(sys.executable, "-I", "-S", "-c", program)


@pytest.fixture
def use_fake(use_command: UseCommand) -> UseCommand:
    """Have the fake engine started; see there for its arguments."""

    def use(protocol: int, *lines: str) -> None:
        use_command(sys.executable, "-I", "-S", str(FAKE_ENGINE), str(protocol), *lines)

    return use


def wait_for_the_next(qtbot: QtBot, client: EngineClient, heard: Heard, engines: int = 2) -> None:
    qtbot.waitUntil(lambda: len(heard.greetings) >= engines, timeout=TIMEOUT_MS)
    assert isinstance(outcome_of(qtbot, client.list_devices()), Inventory)


def failures_of(*requests: PendingRequest) -> list[Failure]:
    """A list that grows by the failures of these requests, in order."""
    failures: list[Failure] = []
    for request in requests:
        request.failed.connect(failures.append)
    return failures


# ---- Dying ----


def test_that_a_killed_engine_is_replaced_and_its_end_told_in_words(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard
) -> None:
    before = ready_client.process_id()
    with qtbot.waitSignal(ready_client.died, timeout=TIMEOUT_MS):
        os.kill(before, signal.SIGKILL)
    assert str(heard.deaths[0]) == "it was killed, signal 9 SIGKILL"
    assert not heard.deaths[0].intended
    wait_for_the_next(qtbot, ready_client, heard)
    assert ready_client.process_id() not in (0, before)
    assert heard.given_up == []


def test_that_the_oldest_request_died_and_the_others_were_not_begun(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard, double_library: DoubleFactory
) -> None:
    requests = [
        ready_client.register("slow", str(double_library("devices=slow,slow_ms=60000,trace=1"))),
        ready_client.list_devices(),
        ready_client.describe_model("/no/such/model"),
    ]
    failures = failures_of(*requests)
    at_death: list[int] = []
    ready_client.died.connect(lambda _exit: at_death.append(len(failures)))
    qtbot.waitUntil(lambda: heard.find("double: devices") is not None, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(ready_client.died, timeout=TIMEOUT_MS):
        os.kill(ready_client.process_id(), signal.SIGKILL)
    unavailable = FailureKind.ENGINE_UNAVAILABLE
    assert [failure.kind for failure in failures] == [FailureKind.DIED, unavailable, unavailable]
    assert at_death == [3]  # requests fail before the death is told
    assert failures[0].message == "The engine died while loading “slow”: it was killed, signal 9 SIGKILL."
    assert "double: devices" in failures[0].detail  # the last lines of stderr
    wait_for_the_next(qtbot, ready_client, heard)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("abort", "it aborted, signal 6 SIGABRT"),
        ("segv", "a memory error (segmentation fault), signal 11 SIGSEGV"),
        ("exit", "it exited with code 3"),
    ],
)
def test_that_a_death_in_a_library_is_told_in_words(
    qtbot: QtBot,
    ready_client: EngineClient,
    heard: Heard,
    double_library: DoubleFactory,
    action: str,
    words: str,
) -> None:
    failure = outcome_of(qtbot, ready_client.register("bad", str(double_library(f"factory={action}"))))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.DIED
    assert failure.message == f"The engine died while loading “bad”: {words}."
    wait_for_the_next(qtbot, ready_client, heard)


def test_that_a_death_in_a_trial_is_told_with_its_stage(
    qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory, add_model: Path
) -> None:
    inventory = outcome_of(qtbot, ready_client.register("bad", str(double_library("compile=abort"))))
    assert isinstance(inventory, Inventory)
    target = Target(device_keys=(inventory.devices[-1].key,))
    failure = outcome_of(qtbot, ready_client.run_trial(TrialSettings(model_path=str(add_model), target=target)))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.DIED
    assert "running the trial (stage: creating session): it aborted" in failure.message


# ---- Not starting ----


def test_that_three_deaths_while_starting_are_enough(
    qtbot: QtBot, client: EngineClient, heard: Heard, use_program: UseCommand
) -> None:
    use_program("import os; os.write(2, b'no luck\\n'); os._exit(3)")
    with qtbot.waitSignal(client.gave_up, timeout=TIMEOUT_MS):
        client.start()
    assert [death.code for death in heard.deaths] == [3, 3, 3]
    assert heard.given_up == heard.deaths[-1:]
    assert heard.given_up[0].last_lines == ("no luck",)
    assert client.process_id() == 0
    failure = outcome_of(qtbot, client.list_devices())
    assert failure.kind is FailureKind.ENGINE_UNAVAILABLE


def test_that_restarting_tries_again_after_giving_up(
    qtbot: QtBot, client: EngineClient, heard: Heard, use_program: UseCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_program("raise SystemExit(3)")
    with qtbot.waitSignal(client.gave_up, timeout=TIMEOUT_MS):
        client.start()
    with qtbot.waitSignal(client.gave_up, timeout=TIMEOUT_MS):
        client.restart()
    assert len(heard.deaths) == 6  # again three
    monkeypatch.undo()
    with qtbot.waitSignal(client.ready, timeout=TIMEOUT_MS):
        client.restart()
    assert isinstance(outcome_of(qtbot, client.list_devices()), Inventory)


def test_that_a_program_that_is_not_there_is_given_up(
    qtbot: QtBot, client: EngineClient, heard: Heard, use_command: UseCommand
) -> None:
    use_command("/no/such/python", "-m", "gui.engine")
    with qtbot.waitSignal(client.gave_up, timeout=TIMEOUT_MS):
        client.start()
    assert heard.given_up[0].last_lines  # why
    assert client.process_id() == 0


def test_that_deaths_count_in_a_row_only(
    qtbot: QtBot, client: EngineClient, heard: Heard, use_program: UseCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_program("raise SystemExit(3)")
    deaths = 0

    def mend(_exit: object) -> None:
        nonlocal deaths
        deaths += 1
        if deaths == 2:
            monkeypatch.undo()
            monkeypatch.setattr("gui.client.client._SETTLED_MS", 10)

    client.died.connect(mend)
    with qtbot.waitSignal(client.ready, timeout=TIMEOUT_MS):
        client.start()
    qtbot.waitUntil(lambda: client._deaths_in_a_row == 0, timeout=TIMEOUT_MS)
    use_program("raise SystemExit(3)")
    with qtbot.waitSignal(client.gave_up, timeout=TIMEOUT_MS):
        os.kill(client.process_id(), signal.SIGKILL)
    assert len(heard.deaths) == 2 + 3


def test_that_an_engine_that_keeps_dying_soon_after_its_greeting_is_given_up(
    qtbot: QtBot, client: EngineClient, heard: Heard
) -> None:
    client.ready.connect(lambda _greeting: os.kill(client.process_id(), signal.SIGKILL))
    with qtbot.waitSignal(client.gave_up, timeout=TIMEOUT_MS):
        client.start()
    assert len(heard.deaths) == 3
    assert client.process_id() == 0


# ---- Ended on purpose ----


def test_that_a_restart_stops_what_is_under_way(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard, double_library: DoubleFactory
) -> None:
    request = ready_client.register("slow", str(double_library("devices=slow,slow_ms=60000,trace=1")))
    failures = failures_of(request)
    qtbot.waitUntil(lambda: heard.find("double: devices") is not None, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(ready_client.died, timeout=TIMEOUT_MS):
        ready_client.restart()
    assert heard.deaths[0].intended
    assert [failure.kind for failure in failures] == [FailureKind.STOPPED]
    assert failures[0].message == "Stopped while loading “slow”."
    wait_for_the_next(qtbot, ready_client, heard)


@pytest.mark.parametrize("orders", ["load=hang", "factory=hang", "devices=hang"])
def test_that_cancelling_a_library_that_hangs_kills_its_engine(
    qtbot: QtBot,
    ready_client: EngineClient,
    heard: Heard,
    double_library: DoubleFactory,
    monkeypatch: pytest.MonkeyPatch,
    orders: str,
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    request = ready_client.register("hang", str(double_library(f"{orders},trace=1")))
    qtbot.waitUntil(lambda: heard.find("double: load") is not None, timeout=TIMEOUT_MS)
    ready_client.cancel(request)
    failure = outcome_of(qtbot, request)
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.STOPPED
    assert [death.intended for death in heard.deaths] == [True]
    wait_for_the_next(qtbot, ready_client, heard)


# ---- Speaking otherwise ----


def test_that_an_engine_of_another_protocol_is_given_up(
    qtbot: QtBot, client: EngineClient, heard: Heard, use_fake: UseCommand
) -> None:
    use_fake(PROTOCOL_VERSION + 1)
    with qtbot.waitSignal(client.gave_up, timeout=TIMEOUT_MS):
        client.start()
    assert len(heard.deaths) == 3
    assert heard.greetings == []
    record = heard.find(f"protocol {PROTOCOL_VERSION + 1}")
    assert record is not None
    assert (record.severity, record.source) == (LogSeverity.ERROR, "window")


@pytest.mark.parametrize(
    "line",
    [
        '{"id": null, "event": "gossip"}',
        '{"id": null, "event": "log", "record": {}}',
        '{"id": 1, "event": "samples", "stage": "dancing", "samples": "", "elapsed_ns": 0}',
        '{"id": 1, "event": "samples", "stage": "measuring", "samples": "???", "elapsed_ns": 0}',
        '{"event": "stage"}',
        '{"neither": "nor"}',
        "not JSON",
    ],
)
def test_that_a_message_not_understood_is_logged_and_passed_over(
    qtbot: QtBot, client: EngineClient, heard: Heard, use_fake: UseCommand, line: str
) -> None:
    use_fake(PROTOCOL_VERSION, line, '{"id": {id}, "ok": {"libraries": [], "devices": []}}')
    client.start()
    assert isinstance(outcome_of(qtbot, client.list_devices()), Inventory)
    assert [record.severity for record in heard.records] == [LogSeverity.ERROR]
    assert heard.deaths == []


def test_that_the_time_of_a_long_trial_comes_through(qtbot: QtBot, client: EngineClient, use_fake: UseCommand) -> None:
    elapsed_ns = 24 * 3600 * 10**9  # beyond 32 bits, as after 2.2 seconds already
    batch = {"event": "samples", "stage": "measuring", "samples": encode_samples(np.array([7], np.int64))}
    use_fake(PROTOCOL_VERSION, json.dumps({**batch, "id": 1, "elapsed_ns": elapsed_ns}), '{"id": {id}, "ok": {}}')
    heard: list[tuple[Stage, list[int], int]] = []
    settings = TrialSettings(model_path="/net.onnx", target=Target(device_keys=("cpu",)))
    client.start()
    request = client.run_trial(settings)
    request.samples_received.connect(lambda stage, samples, elapsed: heard.append((stage, samples.tolist(), elapsed)))
    assert isinstance(outcome_of(qtbot, request), TrialFacts)
    assert heard == [(Stage.MEASURING, [7], elapsed_ns)]


@pytest.mark.parametrize("ok", ['{"devices": []}', "[]", "null", '{"libraries": 3, "devices": []}'])
def test_that_an_answer_not_understood_fails_the_request(
    qtbot: QtBot, client: EngineClient, use_fake: UseCommand, ok: str
) -> None:
    use_fake(PROTOCOL_VERSION, f'{{"id": {{id}}, "ok": {ok}}}')
    client.start()
    failure = outcome_of(qtbot, client.list_devices())
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.INTERNAL
    assert failure.detail


def test_that_an_answer_to_nobody_is_passed_over(
    qtbot: QtBot, client: EngineClient, heard: Heard, use_fake: UseCommand
) -> None:
    answer = '"ok": {"libraries": [], "devices": []}'
    use_fake(PROTOCOL_VERSION, f'{{"id": 999, {answer}}}', f'{{"id": {{id}}, {answer}}}')
    client.start()
    assert isinstance(outcome_of(qtbot, client.list_devices()), Inventory)
    assert heard.records == []
