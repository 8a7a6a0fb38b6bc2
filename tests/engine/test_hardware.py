"""The hardware ORT found, and what EPs say of it."""

from __future__ import annotations

import sys

import pytest

from gui.engine.hardware import reasons_in_words
from gui.records.device import Incompatibility
from gui.records.failure import FailureError, FailureKind
from gui.records.protocol import Explanation, Op

from ..conftest import StartEngine
from ..engine_process import EngineEndedError, EngineProcess
from .conftest import Register


def explain(engine: EngineProcess, name: str = "double") -> tuple[Incompatibility, ...]:
    return engine.call(Op.EXPLAIN_HARDWARE, Explanation, name=name).incompatibilities


def test_that_the_hardware_holds_what_orts_own_device_runs_on(engine: EngineProcess) -> None:
    inventory = engine.inventory()
    assert inventory.hardware is not None
    assert inventory.devices[0].device in inventory.hardware


def test_that_an_ep_that_offers_all_there_is_has_nothing_to_explain(engine: EngineProcess, register: Register) -> None:
    register(engine, "")
    offered = {entry.hardware for entry in explain(engine) if entry.offered}
    assert offered == set()
    assert not any(entry.hardware == engine.inventory().devices[0].device for entry in explain(engine))


def test_that_hardware_an_ep_does_not_offer_is_told_also_without_a_reason(
    engine: EngineProcess, register: Register
) -> None:
    register(engine, "type=NPU")
    hardware = engine.inventory().hardware
    assert hardware is not None
    told = explain(engine)
    assert {entry.hardware for entry in told} == set(hardware)
    assert {(entry.offered, entry.reasons, entry.notes) for entry in told} == {(False, (), "")}
    assert {(entry.ep_name, entry.library) for entry in told} == {("double", "double")}


def test_that_the_reasons_are_words_and_the_notes_the_eps_own(engine: EngineProcess, register: Register) -> None:
    register(engine, "count=0,reasons=5,text=driver 1.2 is old,code=42")
    first = explain(engine)[0]
    assert first.reasons == ("the driver does not fit", "something it depends on is missing")
    assert (first.notes, first.error_code, first.offered) == ("driver 1.2 is old", 42, False)


def test_that_a_warning_about_hardware_that_is_offered_is_told_as_one(
    engine: EngineProcess, register: Register
) -> None:
    register(engine, "reasons=2,text=slow here")
    cpu = engine.inventory().devices[0].device
    (entry,) = (entry for entry in explain(engine) if entry.hardware == cpu)
    assert entry.offered
    assert entry.reasons == ("the hardware does not fit",)


def test_that_an_ep_that_refuses_to_explain_is_left_alone(engine: EngineProcess, register: Register) -> None:
    register(engine, "type=NPU,explain=error")
    assert explain(engine) == ()


def test_that_a_library_that_is_not_registered_cannot_be_asked(engine: EngineProcess) -> None:
    with pytest.raises(FailureError) as caught:
        explain(engine, "nobody")
    assert caught.value.failure.kind is FailureKind.NOT_REGISTERED


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_that_an_ep_that_dies_of_the_question_takes_its_engine_along(
    start_engine: StartEngine, register: Register
) -> None:
    engine = start_engine()
    register(engine, "explain=segv")
    with pytest.raises(EngineEndedError):
        explain(engine)


@pytest.mark.parametrize(
    ("bitmask", "words"),
    [
        (0, ()),
        (1, ("the driver does not fit",)),
        (6, ("the hardware does not fit", "something it depends on is missing")),
        (1 << 31, ("the EP gives no known reason",)),
        (-(1 << 31), ("the EP gives no known reason",)),  # the binding may tell it as a signed number
        (16 | 1, ("the driver does not fit", "reason 0x10")),
    ],
)
def test_that_each_reason_has_its_words(bitmask: int, words: tuple[str, ...]) -> None:
    assert reasons_in_words(bitmask) == words
