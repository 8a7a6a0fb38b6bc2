"""A client whose engine ends with the test, and what it said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.records.log import LogRecord
from gui.records.process_exit import ProcessExit
from gui.records.protocol import Greeting

from ..keepers import TIMEOUT_MS, end_client, forbid_core_dumps


@dataclass
class Heard:
    """All that a client's signals told, in order."""

    greetings: list[Greeting] = field(default_factory=list)
    deaths: list[ProcessExit] = field(default_factory=list)
    given_up: list[ProcessExit] = field(default_factory=list)
    batches: list[tuple[LogRecord, ...]] = field(default_factory=list)

    @property
    def records(self) -> list[LogRecord]:
        """All log records."""
        return [record for batch in self.batches for record in batch]

    def find(self, words: str) -> LogRecord | None:
        """The first log record that holds these words."""
        return next((record for record in self.records if words in record.message), None)


@pytest.fixture
def client(qtbot: QtBot) -> Iterator[EngineClient]:
    """A client without an engine yet; closed at the end, when a process must not be left."""
    forbid_core_dumps()
    client = EngineClient()
    yield client
    end_client(qtbot, client)
    assert client.process_id() == 0


@pytest.fixture
def heard(client: EngineClient) -> Heard:
    """What the client tells from now on."""
    heard = Heard()
    client.ready.connect(heard.greetings.append)
    client.died.connect(heard.deaths.append)
    client.gave_up.connect(heard.given_up.append)
    client.log_received.connect(heard.batches.append)
    return heard


@pytest.fixture
def ready_client(qtbot: QtBot, client: EngineClient, heard: Heard) -> EngineClient:
    """The client with an engine that is ready."""
    with qtbot.waitSignal(client.ready, timeout=TIMEOUT_MS):
        client.start()
    return client
