"""Models chosen, read, and what is proposed for their inputs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.records.failure import FailureKind

from .conftest import SAMPLE_MODELS, DoubleFactory
from .keepers import TIMEOUT_MS, TINY_MODEL, Keepers, running_keepers

TEXT_MODEL = SAMPLE_MODELS / "text_transformer.onnx"


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        yield keepers


# ---- Models ----


def test_that_a_chosen_model_is_described(qtbot: QtBot, keepers: Keepers) -> None:
    keepers.models.choose(str(TINY_MODEL))
    model = keepers.state.model
    assert model is not None
    assert model.is_loading
    with qtbot.waitSignal(keepers.state.model_changed, timeout=TIMEOUT_MS):
        pass
    model = keepers.state.model
    assert model is not None
    assert not model.is_loading
    assert model.failure is None
    assert model.description is not None
    assert model.description.path == str(TINY_MODEL)
    assert model.description.inputs


def test_that_a_file_that_is_no_model_says_why(qtbot: QtBot, keepers: Keepers, tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("no model")
    with qtbot.waitSignal(keepers.models.model_failed, timeout=TIMEOUT_MS) as failed:
        keepers.models.choose(str(path))
    model = keepers.state.model
    assert model is not None
    assert (model.failure, model.description, model.is_loading) == (failed.args[0], None, False)
    assert model.failure is not None
    assert model.failure.kind is FailureKind.NOT_A_MODEL


def test_that_reloading_reads_the_file_again(qtbot: QtBot, keepers: Keepers, tmp_path: Path) -> None:
    path = tmp_path / "late.onnx"
    with qtbot.waitSignal(keepers.models.model_failed, timeout=TIMEOUT_MS):
        keepers.models.choose(str(path))
    path.write_bytes(TINY_MODEL.read_bytes())
    keepers.models.reload()
    qtbot.waitUntil(lambda: described(keepers), timeout=TIMEOUT_MS)
    assert keepers.state.model is not None
    assert keepers.state.model.failure is None


def described(keepers: Keepers) -> bool:
    return keepers.state.model is not None and keepers.state.model.description is not None


@pytest.mark.parametrize("first", [TINY_MODEL, Path("/no/such/model.onnx")], ids=["good", "bad"])
def test_that_the_answer_for_another_model_is_passed_over(qtbot: QtBot, keepers: Keepers, first: Path) -> None:
    other = SAMPLE_MODELS / "image_classifier.onnx"
    seen: list[str] = []
    failures: list[object] = []
    keepers.models.model_failed.connect(failures.append)

    def note() -> None:
        model = keepers.state.model
        if model is not None and model.description is not None:
            seen.append(model.description.path)

    keepers.state.model_changed.connect(note)
    keepers.models.choose(str(first))
    keepers.models.choose(str(other))
    qtbot.waitUntil(lambda: described(keepers), timeout=TIMEOUT_MS)
    assert keepers.state.model is not None
    assert keepers.state.model.path == str(other)
    assert seen == [str(other)]
    assert failures == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_that_the_next_engine_reads_a_model_that_the_last_did_not_come_to(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.libraries.add([("slow", str(double_library("devices=slow,slow_ms=60000,trace=1")))])
    keepers.models.choose(str(TINY_MODEL))
    qtbot.waitUntil(lambda: keepers.has_said("double: devices"), timeout=TIMEOUT_MS)
    os.kill(keepers.client.process_id(), signal.SIGKILL)
    keepers.wait_for_death()
    qtbot.waitUntil(lambda: described(keepers), timeout=TIMEOUT_MS)


# ---- Proposals ----


def proposed(keepers: Keepers) -> dict[str, str]:
    """The fills proposed, by input."""
    proposals = keepers.state.proposals
    assert proposals is not None
    return {entry.source.name: entry.source.fill.value for entry in proposals.proposals}


def choose(qtbot: QtBot, keepers: Keepers, model: Path) -> None:
    keepers.models.choose(str(model))
    qtbot.waitUntil(lambda: described(keepers), timeout=TIMEOUT_MS)


def test_that_values_are_proposed_for_the_inputs_of_the_model(qtbot: QtBot, keepers: Keepers) -> None:
    choose(qtbot, keepers, TEXT_MODEL)
    with qtbot.waitSignal(keepers.state.proposals_changed, timeout=TIMEOUT_MS):
        keepers.models.propose({"batch": 2, "sequence": 8})
    assert set(proposed(keepers)) == {"input_ids", "attention_mask"}


def test_that_the_proposals_of_another_model_are_gone(qtbot: QtBot, keepers: Keepers) -> None:
    choose(qtbot, keepers, TEXT_MODEL)
    keepers.models.propose({})
    keepers.models.choose(str(TINY_MODEL))  # before the answer has come
    qtbot.waitUntil(lambda: described(keepers), timeout=TIMEOUT_MS)
    assert keepers.state.proposals is None
    with qtbot.waitSignal(keepers.state.proposals_changed, timeout=TIMEOUT_MS):
        keepers.models.propose({})
    assert "input_ids" not in proposed(keepers)


def test_that_nothing_is_proposed_without_a_model(qtbot: QtBot, keepers: Keepers) -> None:
    keepers.models.propose({})
    choose(qtbot, keepers, TINY_MODEL)
    assert keepers.state.proposals is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_that_the_next_engine_is_asked_for_proposals_that_the_last_did_not_come_to(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory
) -> None:
    choose(qtbot, keepers, TEXT_MODEL)
    keepers.libraries.add([("slow", str(double_library("devices=slow,slow_ms=60000,trace=1")))])
    keepers.models.propose({"batch": 3})
    qtbot.waitUntil(lambda: keepers.has_said("double: devices"), timeout=TIMEOUT_MS)
    os.kill(keepers.client.process_id(), signal.SIGKILL)
    qtbot.waitUntil(lambda: keepers.state.proposals is not None, timeout=TIMEOUT_MS)
    keepers.wait_until_ready()
