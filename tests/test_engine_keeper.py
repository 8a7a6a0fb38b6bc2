"""Where the engine stands, in the state and in one line."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.engine_keeper import EngineKeeper
from gui.records.failure import FailureKind
from gui.state import EngineStatus, State

from .keepers import TIMEOUT_MS, end_client, forbid_core_dumps

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.fixture
def client(qtbot: QtBot) -> Iterator[EngineClient]:
    forbid_core_dumps()
    client = EngineClient()
    yield client
    end_client(qtbot, client)


@pytest.fixture
def state(client: EngineClient) -> Iterator[State]:
    state = State()
    keeper = EngineKeeper(client, state)
    yield state
    keeper.deleteLater()


@pytest.fixture
def notices(state: State) -> list[str]:
    notices: list[str] = []
    state.notice_posted.connect(notices.append)
    return notices


def wait_for(qtbot: QtBot, state: State, status: EngineStatus) -> None:
    qtbot.waitUntil(lambda: state.engine_status is status, timeout=TIMEOUT_MS)


def test_that_the_state_follows_an_engine_that_dies_and_its_successor(
    qtbot: QtBot, client: EngineClient, state: State, notices: list[str]
) -> None:
    seen: list[EngineStatus] = []
    state.engine_changed.connect(lambda: seen.append(state.engine_status))
    client.start()
    wait_for(qtbot, state, EngineStatus.READY)
    first = state.greeting
    assert first == client.greeting is not None
    with qtbot.waitSignal(client.died, timeout=TIMEOUT_MS):
        os.kill(client.process_id(), signal.SIGKILL)
    assert state.engine_status is EngineStatus.STARTING
    assert state.greeting == first
    wait_for(qtbot, state, EngineStatus.READY)
    assert seen == [EngineStatus.READY, EngineStatus.STARTING, EngineStatus.READY]
    assert state.greeting != first
    assert len(notices) == 1
    assert "it was killed, signal 9 SIGKILL" in notices[0]


def test_that_a_restart_is_not_called_a_death(
    qtbot: QtBot, client: EngineClient, state: State, notices: list[str]
) -> None:
    client.start()
    wait_for(qtbot, state, EngineStatus.READY)
    with qtbot.waitSignal(client.died, timeout=TIMEOUT_MS):
        client.restart()
    wait_for(qtbot, state, EngineStatus.READY)
    assert len(notices) == 1
    assert "died" not in notices[0]


def test_that_giving_up_says_why_until_a_restart_helps(
    qtbot: QtBot, client: EngineClient, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-I", "-S", "-c", "import os; os.write(2, b'no onnxruntime\\n'); os._exit(3)"]
    monkeypatch.setattr("gui.client.client.engine_command", lambda: command)
    client.start()
    wait_for(qtbot, state, EngineStatus.GAVE_UP)
    failure = state.engine_failure
    assert failure is not None
    assert failure.kind is FailureKind.ENGINE_UNAVAILABLE
    assert "it exited with code 3" in failure.message
    assert failure.detail == "no onnxruntime"
    monkeypatch.undo()
    client.restart()
    wait_for(qtbot, state, EngineStatus.READY)
    assert state.engine_failure is None
