"""Libraries that take their engine along, and what becomes of the others."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.records.failure import FailureKind
from gui.records.library import LibraryState
from gui.records.trial import StopRule, TrialSettings

from .conftest import DoubleFactory
from .doubles import build
from .keepers import TIMEOUT_MS, TINY_MODEL, Keepers, open_settings, running_keepers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX, the doubles are for Linux")

LOADED, NOT_LOADED, FAILED = LibraryState.LOADED, LibraryState.NOT_LOADED, LibraryState.FAILED


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    return tmp_path / "settings.ini"


@pytest.fixture
def keepers(qtbot: QtBot, ini: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, ini) as keepers:
        yield keepers


def remembered(ini: Path) -> dict[str, tuple[bool, bool]]:
    """What a start right now would find: whether to load each library, and whether it killed an engine."""
    return {entry.library.name: (entry.load, entry.library.killed_engine) for entry in open_settings(ini).libraries}


def kill(qtbot: QtBot, keepers: Keepers) -> None:
    """Kill the engine from outside and wait until the next is ready and has its libraries."""
    os.kill(keepers.client.process_id(), signal.SIGKILL)
    keepers.wait_for_death()


# ---- At load ----


@pytest.mark.parametrize("orders", ["load=segv", "factory=abort", "devices=exit"])
def test_that_a_library_that_kills_the_engine_failed_and_the_others_are_back(
    keepers: Keepers, ini: Path, double_library: DoubleFactory, orders: str
) -> None:
    keepers.add("good", double_library("count=2"))
    keepers.libraries.add([("bad", str(double_library(orders)))])
    keepers.wait_for_death()
    assert keepers.states() == {"good": LOADED, "bad": FAILED}
    bad = keepers.library("bad")
    assert bad.killed_engine
    assert bad.error is not None
    assert bad.error.kind is FailureKind.DIED
    assert "while loading “bad”" in bad.error.message
    assert keepers.failed_libraries == [bad]
    assert keepers.owners() == [None, "good", "good"]
    assert len(keepers.deaths) == 1
    assert remembered(ini) == {"good": (True, False), "bad": (False, True)}


def test_that_a_library_that_is_cut_short_after_it_was_read_kills_no_window(
    keepers: Keepers, double_library: DoubleFactory, tmp_path: Path
) -> None:
    """Its reading would have told; here the file changes between that and its loading."""
    path = Path(shutil.copy(double_library(""), tmp_path / "libcut.so"))
    half = build.truncated_copy(double_library(""), tmp_path).read_bytes()
    check = keepers.libraries._inspector.check((str(path),))
    with keepers.qtbot.waitSignal(check.checked, timeout=TIMEOUT_MS):
        pass
    path.write_bytes(half)
    with keepers.qtbot.waitSignal(keepers.client.register("cut", str(path)).failed, timeout=TIMEOUT_MS) as failed:
        pass
    assert "SIGBUS" in failed.args[0].message
    keepers.wait_for_death()


def test_that_a_library_that_hangs_can_be_stopped(
    qtbot: QtBot, keepers: Keepers, ini: Path, double_library: DoubleFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    keepers.add("good", double_library(""))
    keepers.libraries.add([("hang", str(double_library("devices=hang,trace=1")))])
    qtbot.waitUntil(lambda: keepers.has_said("double: devices"), timeout=TIMEOUT_MS)
    keepers.libraries.stop("hang")
    keepers.wait_for_death()
    assert keepers.states() == {"good": LOADED, "hang": FAILED}
    hang = keepers.library("hang")
    assert hang.killed_engine
    assert hang.error is not None
    assert hang.error.kind is FailureKind.STOPPED
    assert [death.intended for death in keepers.deaths] == [True]
    assert keepers.owners() == [None, "good"]
    assert remembered(ini) == {"good": (True, False), "hang": (False, True)}


def test_that_the_next_start_does_not_load_what_killed_an_engine(
    qtbot: QtBot, ini: Path, double_library: DoubleFactory
) -> None:
    good, bad = str(double_library("")), str(double_library("devices=abort"))
    with running_keepers(qtbot, ini) as first:
        first.libraries.add([("good", good), ("bad", bad)])
        first.wait_for_death()
    with running_keepers(qtbot, ini) as second:
        assert second.states() == {"good": LOADED, "bad": FAILED}
        assert second.library("bad").error == first.library("bad").error
        assert second.deaths == []
        second.libraries.load("bad")  # asked for
        second.wait_for_death()
        assert second.states() == {"good": LOADED, "bad": FAILED}


def test_that_the_library_after_one_that_kills_is_loaded_all_the_same(
    keepers: Keepers, ini: Path, double_library: DoubleFactory
) -> None:
    bad, other, good = double_library("factory=abort"), double_library("load=exit"), double_library("")
    keepers.libraries.add([("bad", str(bad)), ("other", str(other)), ("good", str(good))])
    keepers.wait_for_death(2)
    assert keepers.states() == {"bad": FAILED, "other": FAILED, "good": LOADED}
    assert keepers.library("other").killed_engine
    assert len(keepers.deaths) == 2
    assert remembered(ini) == {"bad": (False, True), "other": (False, True), "good": (True, False)}


# ---- At unregistering ----


@pytest.mark.parametrize("action", ["abort", "segv", "exit"])
def test_that_dying_while_it_is_unregistered_is_being_unregistered(
    keepers: Keepers, ini: Path, double_library: DoubleFactory, action: str
) -> None:
    keepers.add("good", double_library(""))
    keepers.add("bad", double_library(f"release={action}"))
    keepers.libraries.unregister("bad")
    keepers.wait_for_death()
    assert keepers.states() == {"good": LOADED, "bad": NOT_LOADED}
    assert keepers.owners() == [None, "good"]
    assert remembered(ini) == {"good": (True, False), "bad": (False, False)}
    assert any("“bad” is gone with its engine" in notice for notice in keepers.notices)
    assert keepers.failed_libraries == []


def test_that_unregistering_that_hangs_can_be_stopped(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    keepers.add("good", double_library(""))
    keepers.add("bad", double_library("release=hang,trace=1"))
    keepers.libraries.unregister("bad")
    qtbot.waitUntil(lambda: keepers.has_said("double: release"), timeout=TIMEOUT_MS)
    keepers.libraries.unregister("bad")  # once more: the same as stop
    keepers.wait_for_death()
    assert keepers.states() == {"good": LOADED, "bad": NOT_LOADED}
    assert keepers.owners() == [None, "good"]


def test_that_a_session_in_the_way_does_not_keep_a_library(keepers: Keepers, double_library: DoubleFactory) -> None:
    """A refusal of the engine to unregister is answered by another engine."""
    keepers.add("good", double_library(""))
    keepers.add("bad", double_library("count=2"))
    keepers.client.unregister("bad")  # behind the keeper's back, so that the engine does not know it any more
    keepers.libraries.unregister("bad")
    keepers.wait_for_death()
    assert keepers.states() == {"good": LOADED, "bad": NOT_LOADED}
    assert keepers.owners() == [None, "good"]


# ---- For reasons of its own ----


def test_that_devices_and_selection_stay_while_their_libraries_are_loaded_again(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.add("one", double_library("count=2"))
    keepers.add("two", double_library(""))
    chosen = (keepers.library("one").device_keys[1], keepers.library("two").device_keys[0])
    keepers.state.select_devices(chosen)
    seen: list[list[str | None]] = []
    selections: list[tuple[str, ...]] = []
    keepers.state.devices_changed.connect(lambda: seen.append(keepers.owners()))
    keepers.state.selection_changed.connect(lambda: selections.append(keepers.state.selected_keys))
    kill(qtbot, keepers)
    assert keepers.states() == {"one": LOADED, "two": LOADED}
    assert keepers.state.selected_keys == chosen
    assert selections == []
    assert all(owners == [None, "one", "one", "two"] for owners in seen)


def test_that_a_library_that_cannot_be_loaded_again_takes_its_devices_along(
    qtbot: QtBot, keepers: Keepers, double_library: DoubleFactory, tmp_path: Path
) -> None:
    path = tmp_path / "vanishing.so"
    path.write_bytes(double_library("").read_bytes())
    keepers.add("good", double_library(""))
    keepers.add("vanishing", path)
    keepers.state.select_devices(keepers.library("vanishing").device_keys)
    path.unlink()
    kill(qtbot, keepers)
    assert keepers.states() == {"good": LOADED, "vanishing": FAILED}
    assert not keepers.library("vanishing").killed_engine
    assert keepers.owners() == [None, "good"]
    assert keepers.state.selected_keys == (keepers.state.devices[0].key,)


def test_that_a_library_to_be_unregistered_is_not_loaded_again(
    qtbot: QtBot, keepers: Keepers, ini: Path, double_library: DoubleFactory
) -> None:
    keepers.add("good", double_library(""))
    keepers.add("first", double_library(""))
    keepers.add("second", double_library(""))
    rule = StopRule(seconds=3600)
    trial = keepers.run(TrialSettings(model_path=str(TINY_MODEL), target=keepers.target(), stop_rule=rule))
    qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)
    keepers.libraries.unregister("first")  # asked for, behind the trial
    keepers.libraries.unregister("second")  # not even asked for
    kill(qtbot, keepers)
    assert keepers.states() == {"good": LOADED, "first": NOT_LOADED, "second": NOT_LOADED}
    assert keepers.owners() == [None, "good"]
    assert remembered(ini) == {"good": (True, False), "first": (False, False), "second": (False, False)}


def test_that_a_library_stopped_before_it_is_loaded_again_takes_its_devices_along(
    qtbot: QtBot, keepers: Keepers, ini: Path, double_library: DoubleFactory
) -> None:
    keepers.add("good", double_library(""))
    keepers.add("unwanted", double_library(""))
    with qtbot.waitSignal(keepers.client.died, timeout=TIMEOUT_MS):
        os.kill(keepers.client.process_id(), signal.SIGKILL)
    assert keepers.owners() == [None, "good", "unwanted"]
    keepers.libraries.stop("unwanted")
    assert keepers.owners() == [None, "good"]
    keepers.wait_until_ready()
    assert keepers.states() == {"good": LOADED, "unwanted": NOT_LOADED}
    assert remembered(ini) == {"good": (True, False), "unwanted": (False, False)}
