"""Every place in which an EP library can misbehave, and every way: what it is called, and that nothing else is lost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from gui.records.failure import FailureKind
from gui.records.library import LibraryState
from gui.records.result import Outcome
from gui.records.trial import Stage, StopRule, TrialSettings

from .conftest import DoubleFactory
from .doubles import build
from .keepers import TIMEOUT_MS, Keepers, running_keepers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX, the doubles are for Linux")

LOADED, NOT_LOADED, FAILED = LibraryState.LOADED, LibraryState.NOT_LOADED, LibraryState.FAILED
ENDS = {"abort": "signal 6 SIGABRT", "segv": "signal 11 SIGSEGV", "exit": "exited with code 3"}
LOADING_PLACES = ("load", "factory", "devices")
TRIAL_PLACES = {
    "create": Stage.CREATING_SESSION,
    "capability": Stage.CREATING_SESSION,
    "compile": Stage.CREATING_SESSION,
    "compute": Stage.FIRST_RUN,
}


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path, double_library: DoubleFactory) -> Iterator[Keepers]:
    """Keepers with a good library; whatever a test does, it stays, an engine answers, and no process is left behind."""
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        assert keepers.add("good", double_library("count=2")).state is LOADED
        yield keepers
        keepers.wait_until_ready()
        assert keepers.library("good").state is LOADED
        assert keepers.owners().count("good") == 2
        with qtbot.waitSignal(keepers.client.list_devices().succeeded, timeout=TIMEOUT_MS):
            pass
        # Not even as zombies; what read the file may be on its way out.
        qtbot.waitUntil(
            lambda: [child.pid for child in psutil.Process().children()] == [keepers.client.process_id()],
            timeout=TIMEOUT_MS,
        )


def settings_on(keepers: Keepers, model: Path, library: str = "bad") -> TrialSettings:
    return TrialSettings(
        model_path=str(model), target=keepers.target(library), warmup=1, stop_rule=StopRule(iterations=20)
    )


def wait_until_it_is_tried(keepers: Keepers, place: str) -> None:
    """Wait until a double with `trace=1` has said that it is there."""
    keepers.qtbot.waitUntil(lambda: keepers.has_said(f"double: {place}"), timeout=TIMEOUT_MS)


# ---- Loading ----


@pytest.mark.parametrize("place", LOADING_PLACES)
@pytest.mark.parametrize("action", list(ENDS))
def test_that_a_library_that_dies_while_it_is_loaded_is_said_to_have_died(
    keepers: Keepers, double_library: DoubleFactory, place: str, action: str
) -> None:
    library = keepers.add("bad", double_library(f"{place}={action}"))
    assert library.state is FAILED
    assert library.error is not None
    assert library.error.kind is FailureKind.DIED
    assert ENDS[action] in library.error.message
    assert library.killed_engine


@pytest.mark.parametrize("place", LOADING_PLACES)
def test_that_a_library_that_hangs_while_it_is_loaded_is_said_to_hang(
    keepers: Keepers, double_library: DoubleFactory, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    keepers.libraries.patience_ms = 200
    with keepers.qtbot.waitSignal(keepers.libraries.library_hangs, timeout=TIMEOUT_MS):
        keepers.libraries.add([("bad", str(double_library(f"{place}=hang")))])
    assert keepers.library("bad").overdue
    keepers.libraries.stop("bad")
    keepers.wait_until_ready()
    library = keepers.library("bad")
    assert library.state is FAILED
    assert library.error is not None
    assert library.error.kind is FailureKind.HANGS


@pytest.mark.parametrize("place", ["factory", "devices"])
def test_that_a_library_that_returns_an_error_is_said_to_refuse_in_its_own_words(
    keepers: Keepers, double_library: DoubleFactory, place: str
) -> None:
    library = keepers.add("bad", double_library(f"{place}=error,text=no licence here"))
    assert library.error is not None
    assert library.error.kind is FailureKind.REFUSED_BY_EP
    assert "no licence here" in library.error.message
    assert not keepers.deaths


@pytest.mark.parametrize("place", LOADING_PLACES)
def test_that_a_library_that_is_slow_is_loaded_all_the_same(
    keepers: Keepers, double_library: DoubleFactory, place: str
) -> None:
    library = keepers.add("bad", double_library(f"{place}=slow,slow_ms=300"))
    assert library.state is LOADED
    assert library.error is None
    assert not keepers.deaths


# ---- Trials ----


@pytest.mark.parametrize("place", list(TRIAL_PLACES))
@pytest.mark.parametrize("action", list(ENDS))
def test_that_a_library_that_dies_in_a_trial_is_told_with_the_stage(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path, place: str, action: str
) -> None:
    keepers.add("bad", double_library(f"{place}={action}"))
    trial = keepers.run(settings_on(keepers, add_model))
    keepers.wait_for_end(trial)
    keepers.wait_until_ready()
    assert trial.outcome is Outcome.FAILED
    assert trial.failure is not None
    assert trial.failure.kind is FailureKind.DIED
    assert ENDS[action] in trial.failure.message
    assert f"stage: {TRIAL_PLACES[place].value}" in trial.failure.message
    assert keepers.library("bad").state is LOADED


@pytest.mark.parametrize("place", list(TRIAL_PLACES))
def test_that_a_trial_that_hangs_is_stopped_when_asked_to(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    keepers.add("bad", double_library(f"{place}=hang,trace=1"))
    trial = keepers.run(settings_on(keepers, add_model))
    wait_until_it_is_tried(keepers, place)
    keepers.trials.stop()
    keepers.wait_for_end(trial)
    keepers.wait_until_ready()
    assert trial.outcome is Outcome.STOPPED
    assert trial.failure is not None
    assert trial.failure.kind is FailureKind.STOPPED
    assert TRIAL_PLACES[place].value in trial.failure.message


@pytest.mark.parametrize(
    ("place", "code", "kind"),
    [
        ("create", 1, FailureKind.RUN_FAILED),
        ("create", 11, FailureKind.REFUSED_BY_EP),
        ("compile", 1, FailureKind.RUN_FAILED),
        ("compile", 11, FailureKind.REFUSED_BY_EP),
        ("compute", 1, FailureKind.RUN_FAILED),
        ("compute", 11, FailureKind.REFUSED_BY_EP),
    ],
)
def test_that_an_error_in_a_trial_is_quoted(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path, place: str, code: int, kind: FailureKind
) -> None:
    keepers.add("bad", double_library(f"{place}=error,code={code},text=not with me"))
    trial = keepers.run(settings_on(keepers, add_model))
    keepers.wait_for_end(trial)
    assert trial.outcome is Outcome.FAILED
    assert trial.failure is not None
    assert trial.failure.kind is kind
    assert "not with me" in trial.failure.message
    assert not keepers.deaths


def test_that_an_error_in_the_capabilities_leaves_the_model_to_the_cpu(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("bad", double_library("capability=error"))
    trial = keepers.run(settings_on(keepers, add_model))
    keepers.wait_for_end(trial)
    assert trial.outcome is Outcome.FINISHED
    assert trial.facts.placement is not None
    assert [part.ep_name for part in trial.facts.placement] == ["CPUExecutionProvider"]


@pytest.mark.parametrize("place", list(TRIAL_PLACES))
def test_that_a_slow_library_runs_all_the_same(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path, place: str
) -> None:
    keepers.add("bad", double_library(f"{place}=slow,slow_ms=5"))
    trial = keepers.run(settings_on(keepers, add_model))
    keepers.wait_for_end(trial)
    assert trial.outcome is Outcome.FINISHED


# ---- Letting go ----


@pytest.mark.parametrize("action", list(ENDS))
def test_that_unregistering_succeeds_although_the_library_dies_of_it(
    keepers: Keepers, double_library: DoubleFactory, action: str
) -> None:
    keepers.add("bad", double_library(f"release={action}"))
    keepers.libraries.unregister("bad")
    keepers.wait_for_death()
    assert keepers.library("bad").state is NOT_LOADED
    assert keepers.library("bad").error is None
    assert "bad" not in keepers.owners()


def test_that_unregistering_succeeds_although_the_library_hangs(
    keepers: Keepers, double_library: DoubleFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to press Stop: what does not let go in time goes with its engine."""
    monkeypatch.setattr("gui.libraries._UNREGISTER_MS", 200)
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    keepers.add("bad", double_library("release=hang"))
    keepers.libraries.unregister("bad")
    keepers.wait_for_death()
    assert keepers.library("bad").state is NOT_LOADED


@pytest.mark.parametrize("orders", ["release=slow,slow_ms=200", "release=error"])
def test_that_unregistering_succeeds_in_the_same_engine_where_it_can(
    keepers: Keepers, double_library: DoubleFactory, orders: str
) -> None:
    keepers.add("bad", double_library(orders))
    keepers.libraries.unregister("bad")
    keepers.wait_until_ready()
    assert keepers.library("bad").state is NOT_LOADED
    assert not keepers.deaths


# ---- Files, and EPs that do not fit ----


def test_that_half_a_library_is_not_tried(keepers: Keepers, double_library: DoubleFactory, tmp_path: Path) -> None:
    library = keepers.add("bad", build.truncated_copy(double_library(""), tmp_path))
    assert library.error is not None
    assert library.error.kind is FailureKind.TRUNCATED
    assert not keepers.deaths


def test_that_a_library_of_another_processor_is_not_tried(keepers: Keepers, tmp_path: Path) -> None:
    library = keepers.add("bad", build.wrong_architecture(tmp_path))
    assert library.error is not None
    assert library.error.kind is FailureKind.WRONG_ARCHITECTURE


def test_that_a_missing_dependency_is_named_before_and_after(keepers: Keepers, tmp_path: Path) -> None:
    library = keepers.add("bad", build.missing_dependency(tmp_path))
    assert library.error is not None
    assert library.error.kind is FailureKind.MISSING_DEPENDENCY
    assert "libnot_installed.so" in library.error.message
    assert library.check is not None
    assert any("libnot_installed.so" in finding.text for finding in library.check.findings)


def test_that_a_system_library_is_no_ep_library(keepers: Keepers) -> None:
    library = keepers.add("bad", build.system_library())
    assert library.error is not None
    assert library.error.kind is FailureKind.NOT_AN_EP_LIBRARY


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("libgone.so", None, FailureKind.NO_SUCH_FILE),
        ("libtext.so", b"text", FailureKind.NOT_A_LIBRARY),
        ("libempty.so", b"", FailureKind.NOT_A_LIBRARY),
    ],
)
def test_that_what_is_no_library_is_said(
    keepers: Keepers, tmp_path: Path, name: str, content: bytes | None, kind: FailureKind
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    library = keepers.add("bad", tmp_path / name)
    assert library.error is not None
    assert library.error.kind is kind


def test_that_an_ep_for_a_newer_ort_is_said(keepers: Keepers, double_library: DoubleFactory) -> None:
    library = keepers.add("bad", double_library("api=99"))
    assert library.error is not None
    assert library.error.kind is FailureKind.NEEDS_NEWER_ORT


@pytest.mark.parametrize("count", [0, 1, 8])
def test_that_a_library_is_loaded_with_as_many_devices_as_it_offers(
    keepers: Keepers, double_library: DoubleFactory, count: int
) -> None:
    library = keepers.add("bad", double_library(f"count={count}"))
    assert library.state is LOADED
    assert len(library.device_keys) == keepers.owners().count("bad") == count


def test_that_a_name_in_use_is_refused(keepers: Keepers, double_library: DoubleFactory) -> None:
    keepers.libraries.add([("good", str(double_library("")))])
    assert [library.error.kind for library in keepers.failed_libraries if library.error] == [FailureKind.NAME_IN_USE]
    keepers.wait_until_ready()
