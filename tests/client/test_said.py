"""What is printed while a library is registered belongs to the request, and has come when it is answered."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.client.client import EngineClient
from gui.records.failure import Failure, FailureKind
from gui.records.protocol import Inventory

from ..conftest import DoubleFactory
from ..keepers import TIMEOUT_MS, outcome_of
from .conftest import Heard


def test_that_the_lines_a_library_prints_are_there_with_the_answer(
    qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory
) -> None:
    request = ready_client.register("double", str(double_library("stderr=to stderr,stdout=to stdout,lines=3")))
    said: list[str] = []
    request.succeeded.connect(lambda _inventory: said.extend(request.said))
    assert isinstance(outcome_of(qtbot, request), Inventory)
    assert sorted(said) == ["to stderr"] * 3 + ["to stdout"] * 3


def test_that_the_lines_of_a_library_that_refuses_are_there_with_the_failure(
    qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory
) -> None:
    request = ready_client.register("double", str(double_library("devices=error,stderr=no licence")))
    failure = outcome_of(qtbot, request)
    assert isinstance(failure, Failure)
    assert "no licence" in request.said


def test_that_the_lines_of_a_library_that_dies_are_there_with_the_death(
    qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory
) -> None:
    request = ready_client.register("double", str(double_library("devices=abort,stderr=last words")))
    failure = outcome_of(qtbot, request)
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.DIED
    assert "last words" in request.said


def test_that_each_request_has_its_own_lines_and_the_marks_are_seen_by_nobody(
    qtbot: QtBot, ready_client: EngineClient, heard: Heard, double_library: DoubleFactory
) -> None:
    one = ready_client.register("one", str(double_library("stderr=of one")))
    other = ready_client.register("other", str(double_library("stderr=of the other")))
    outcome_of(qtbot, other)
    assert [line for line in one.said if line.startswith("of")] == ["of one"]
    assert [line for line in other.said if line.startswith("of")] == ["of the other"]
    assert not any("\x1e" in record.message or "ends" in record.message for record in heard.records)
    assert heard.find("of one") is not None  # the log has them all the same


def test_that_a_flood_of_lines_keeps_the_last(
    qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory
) -> None:
    request = ready_client.register("double", str(double_library("stderr=x,lines=5000")))
    assert isinstance(outcome_of(qtbot, request), Inventory)
    assert request.said == ["x"] * 200


def test_that_an_answer_does_not_wait_for_ever_for_lines_that_cannot_come(
    qtbot: QtBot, ready_client: EngineClient, tmp_path: Path
) -> None:
    """A library that closes stderr: no mark comes through it any more."""
    source = tmp_path / "mute.c"
    source.write_text("#include <unistd.h>\n__attribute__((constructor)) static void mute(void) { close(2); }\n")
    library = tmp_path / "libmute.so"
    try:
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    except OSError:
        pytest.skip("gcc is not installed")
    failure = outcome_of(qtbot, ready_client.register("mute", str(library)))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.NOT_AN_EP_LIBRARY


def test_that_a_request_is_begun_when_its_turn_comes(
    qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory
) -> None:
    order: list[str] = []
    first = ready_client.register("first", str(double_library("devices=slow,slow_ms=100")))
    second = ready_client.list_devices()
    for name, request in (("first", first), ("second", second)):
        request.begun.connect(lambda name=name: order.append(f"{name} begun"))
        request.succeeded.connect(lambda _answer, name=name: order.append(f"{name} done"))
    qtbot.waitUntil(lambda: len(order) == 4, timeout=TIMEOUT_MS)
    assert order.index("first begun") < order.index("first done")
    assert order.index("second begun") < order.index("second done")
    assert order[0] == "first begun"
    assert os.getpid() != ready_client.process_id()


def test_that_an_ep_that_dies_of_a_question_about_hardware_is_told_with_its_name(
    qtbot: QtBot, ready_client: EngineClient, double_library: DoubleFactory
) -> None:
    outcome_of(qtbot, ready_client.register("double", str(double_library("explain=abort"))))
    failure = outcome_of(qtbot, ready_client.explain_hardware("double"))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.DIED
    assert "asking “double” about the hardware" in failure.message
