"""What is said while a trial runs belongs to it, each line with its stage, and has come when the trial is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.client.requests import PendingRequest
from gui.records.failure import Failure, FailureKind
from gui.records.log import LogSeverity
from gui.records.placement import PlacedNodes
from gui.records.protocol import Inventory
from gui.records.trial import StopRule, Target, TrialFacts, TrialSettings
from gui.records.trial_log import TrialLog, placement_reasons

from ..conftest import DoubleFactory
from ..keepers import outcome_of
from .conftest import Heard

_STAGES = {
    "create": "creating session",
    "capability": "creating session",
    "compile": "creating session",
}


class Trials:
    """Runs trials of the add model on doubles and listens."""

    def __init__(self, qtbot: QtBot, client: EngineClient, model: Path) -> None:
        self._qtbot, self._client, self._model = qtbot, client, model

    def load(self, library: Path, name: str = "double") -> tuple[str, ...]:
        inventory = outcome_of(self._qtbot, self._client.register(name, str(library)))
        assert isinstance(inventory, Inventory)
        return tuple(device.key for device in inventory.devices if device.library == name)

    def start(self, keys: tuple[str, ...], **fields: Any) -> tuple[PendingRequest, TrialLog]:
        fields = {"stop_rule": StopRule(iterations=3), "warmup": 2, **fields}
        settings = TrialSettings(model_path=str(self._model), target=Target(device_keys=keys), **fields)
        request, log = self._client.run_trial(settings), TrialLog()
        request.logged.connect(log.add)
        return request, log

    def run(self, keys: tuple[str, ...], **fields: Any) -> tuple[Any, TrialLog]:
        request, log = self.start(keys, **fields)
        return outcome_of(self._qtbot, request), log


@pytest.fixture
def trials(qtbot: QtBot, ready_client: EngineClient, add_model: Path) -> Trials:
    return Trials(qtbot, ready_client, add_model)


def test_that_what_an_ep_prints_has_the_stage_it_was_printed_in(trials: Trials, double_library: DoubleFactory) -> None:
    answer, log = trials.run(trials.load(double_library("trace=1")))
    assert isinstance(answer, TrialFacts)
    said = [(line.stage, line.record.message.removeprefix("double: ")) for line in log.lines]
    for stage, where in _STAGES.items():
        assert (where, stage) in said
    computes = [stage for stage, text in said if text == "compute"]
    assert computes == ["first run"] + ["warming up"] * 2 + ["measuring"] * 3 + ["checking"]


def test_that_a_message_of_ort_has_its_stage_and_severity(trials: Trials, double_library: DoubleFactory) -> None:
    """ORT only logs an EP's refusal to say what it takes, and runs everything on the CPU."""
    answer, log = trials.run(trials.load(double_library("capability=error,text=no licence")))
    assert isinstance(answer, TrialFacts)
    line = next(line for line in log.lines if "no licence" in line.record.message)
    assert (line.stage, line.record.severity) == ("creating session", LogSeverity.ERROR)
    assert placement_reasons(log.lines, ("double",)) == (line.record.message,)


def test_that_the_last_words_of_an_ep_that_dies_are_there_with_the_failure(
    trials: Trials, double_library: DoubleFactory
) -> None:
    failure, log = trials.run(trials.load(double_library("trace=1,compute=abort,run_after=3")))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.DIED
    assert log.lines[-1].stage == "measuring"
    assert "double: compute" in [line.record.message for line in log.lines]


def test_that_two_trials_in_a_row_have_their_own_lines(
    qtbot: QtBot, trials: Trials, heard: Heard, double_library: DoubleFactory
) -> None:
    keys = trials.load(double_library("trace=1"))
    first, first_log = trials.start(keys)
    second, second_log = trials.start(keys, stop_rule=StopRule(iterations=1), warmup=0)
    outcome_of(qtbot, second)
    assert first is not second
    for log, count in ((first_log, 7), (second_log, 3)):
        assert sum(line.record.message == "double: compute" for line in log.lines) == count
    assert not any("\x1e" in record.message or "enters" in record.message for record in heard.records)


def test_that_the_names_of_the_nodes_come_once_with_their_ep(
    qtbot: QtBot, trials: Trials, double_library: DoubleFactory
) -> None:
    request, _log = trials.start(trials.load(double_library("claim=Add")))
    received: list[PlacedNodes] = []
    request.nodes_received.connect(received.append)
    facts = outcome_of(qtbot, request)
    assert isinstance(facts, TrialFacts)
    (nodes,) = received
    assert {(group.ep_name, group.op_type, group.names) for group in nodes.groups} == {
        ("double", "Add", ("add",)),
        ("CPUExecutionProvider", "Mul", ("mul",)),
    }
    assert nodes.left_out == 0


def test_that_a_flood_keeps_the_first_and_the_last_lines(trials: Trials, double_library: DoubleFactory) -> None:
    _answer, log = trials.run(trials.load(double_library("trace=1")), stop_rule=StopRule(iterations=5000))
    assert 500 <= len(log.lines) <= 2000  # of lines that come all at once only the last are read
    assert log.left_out == len(log) - len(log.lines)
    assert log.lines[0].record.message == "double: create"
    assert log.lines[-1].stage in ("measuring", "closing", "checking")
