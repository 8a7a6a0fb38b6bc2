"""Reloading what was rebuilt, fresh engines for what stays in memory, what is new, what is asked only once."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.client.inspector import Inspection
from gui.records.failure import FailureKind
from gui.records.library import LibraryState
from gui.records.library_remarks import remarks_of
from gui.records.trial import StopRule, TrialSettings

from .conftest import DoubleFactory
from .doubles import build
from .keepers import TIMEOUT_MS, TINY_MODEL, Keepers, running_keepers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the doubles are for Linux")

LOADED, NOT_LOADED, FAILED = LibraryState.LOADED, LibraryState.NOT_LOADED, LibraryState.FAILED


@pytest.fixture
def keepers(qtbot: QtBot, tmp_path: Path) -> Iterator[Keepers]:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        yield keepers


@pytest.fixture
def rebuilt(tmp_path: Path, double_library: DoubleFactory) -> Path:
    """A library that a test builds anew in its place, as a linker does: another file under the same name."""
    path = tmp_path / "libbuilt--version=1.0.0.so"
    shutil.copy(double_library(""), path)
    return path


def versions(keepers: Keepers, library: str) -> list[str]:
    return [device.ep_version for device in keepers.state.devices if device.library == library]


def kinds(keepers: Keepers, name: str) -> list[FailureKind]:
    state = keepers.state
    return [
        remark.kind
        for remark in remarks_of(keepers.library(name), state.libraries, state.devices, state.incompatibilities)
    ]


# ---- Reload ----


def test_that_reload_takes_the_file_that_was_rebuilt_on_disk(
    keepers: Keepers, tmp_path: Path, double_library: DoubleFactory
) -> None:
    keepers.add("other", double_library(""))
    keepers.add("ep", build.double_of_version(tmp_path / "libep.so", "1.0.1"))
    before = keepers.library("ep").check
    assert versions(keepers, "ep") == ["1.0.1"]
    build.double_of_version(tmp_path / "libep.so", "2.0.0")
    keepers.libraries.reload("ep")
    keepers.wait_until_ready()
    assert keepers.library("ep").state is LOADED
    assert versions(keepers, "ep") == ["2.0.0"]
    assert keepers.library("ep").check != before
    assert keepers.library("other").state is LOADED


def test_that_reload_works_when_the_file_was_overwritten_in_its_place(
    keepers: Keepers, tmp_path: Path, double_library: DoubleFactory
) -> None:
    """What `cp` does: the code in the engine's memory is another one under its feet, which may kill it."""
    double_library("")  # skips where there is no compiler
    library = build.double_of_version(tmp_path / "libep.so", "1.0.1")
    keepers.add("ep", library)
    library.write_bytes(build.double_of_version(tmp_path / "libnew.so", "2.0.0").read_bytes())
    keepers.libraries.reload("ep")
    keepers.wait_until_ready()
    assert keepers.library("ep").state is LOADED
    assert versions(keepers, "ep") == ["2.0.0"]


def test_that_reload_of_a_library_that_does_not_let_go_takes_a_fresh_engine(
    keepers: Keepers, tmp_path: Path, double_library: DoubleFactory
) -> None:
    keepers.add("good", double_library(""))
    keepers.add("ep", build.staying_double(tmp_path))
    keepers.libraries.reload("ep")
    keepers.wait_for_death()
    assert keepers.states() == {"good": LOADED, "ep": LOADED}
    assert keepers.deaths[0].intended


@pytest.mark.parametrize("orders", ["release=abort", "release=segv", "release=exit"])
def test_that_reload_of_a_library_that_dies_in_its_release_loads_it_in_the_next_engine(
    keepers: Keepers, double_library: DoubleFactory, orders: str
) -> None:
    keepers.add("ep", double_library(orders))
    keepers.libraries.reload("ep")
    keepers.wait_for_death()
    assert keepers.library("ep").state is LOADED
    assert keepers.owners() == [None, "ep"]


def test_that_reload_of_a_file_that_became_unusable_says_so_and_leaves_the_others(
    keepers: Keepers, rebuilt: Path, double_library: DoubleFactory
) -> None:
    keepers.add("good", double_library(""))
    keepers.add("ep", rebuilt)
    rebuilt.unlink()
    keepers.libraries.reload("ep")
    keepers.wait_until_ready()
    library = keepers.library("ep")
    assert library.state is FAILED
    assert library.error is not None
    assert library.error.kind is FailureKind.NO_SUCH_FILE
    assert keepers.owners() == [None, "good"]


def test_that_reload_of_a_failed_library_tries_its_file_again(
    keepers: Keepers, tmp_path: Path, double_library: DoubleFactory
) -> None:
    path = tmp_path / "liblate.so"
    assert keepers.add("late", path).state is FAILED
    shutil.copy(double_library(""), path)
    keepers.libraries.reload("late")
    keepers.wait_until_ready()
    assert keepers.library("late").state is LOADED
    assert keepers.library("late").error is None


def test_that_reload_stops_the_trial_that_uses_the_library(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    keepers.add("ep", double_library("delay_us=1000"))
    settings = TrialSettings(
        model_path=str(add_model), target=keepers.target("ep"), stop_rule=StopRule(seconds=3600), warmup=0
    )
    trial = keepers.run(settings)
    keepers.qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)
    keepers.libraries.reload("ep")
    keepers.wait_for_end(trial)
    keepers.wait_until_ready()
    assert keepers.library("ep").state is LOADED
    assert len(trial.series) > 0
    assert not keepers.deaths


# ---- Staying in memory ----


def test_that_a_library_that_stays_in_memory_is_left_behind_with_its_engine(
    keepers: Keepers, tmp_path: Path, double_library: DoubleFactory
) -> None:
    keepers.add("good", double_library(""))
    keepers.add("stays", build.staying_double(tmp_path))
    keepers.libraries.unregister("stays")
    keepers.wait_for_death()
    assert keepers.states() == {"good": LOADED, "stays": NOT_LOADED}
    assert keepers.owners() == [None, "good"]
    assert any("stays in memory" in notice for notice in keepers.notices)


# ---- What is new ----


def test_that_the_devices_that_came_last_are_new_and_those_before_are_not(
    keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.add("one", double_library("count=2"))
    assert keepers.state.new_keys == set(keepers.library("one").device_keys)
    keepers.add("other", double_library(""))
    assert keepers.state.new_keys == set(keepers.library("other").device_keys)


def test_that_devices_that_came_back_after_a_death_are_not_new(keepers: Keepers, double_library: DoubleFactory) -> None:
    keepers.add("good", double_library("count=2"))
    keepers.add("bad", double_library("devices=abort"))
    assert keepers.state.new_keys == set()


# ---- Remarks ----


def test_that_a_library_without_a_device_is_told_with_what_it_printed(
    keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.add("none", double_library("count=0,stderr=unsupported driver 1.2"))
    library = keepers.library("none")
    assert "unsupported driver 1.2" in library.said
    assert kinds(keepers, "none") == [FailureKind.NO_DEVICES]


def test_that_a_library_without_a_device_is_told_with_what_ort_knows(
    keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.add("none", double_library("count=0,reasons=4,text=no backend"))
    keepers.qtbot.waitUntil(lambda: bool(keepers.state.incompatibilities), timeout=TIMEOUT_MS)
    (remark,) = remarks_of(
        keepers.library("none"), keepers.state.libraries, keepers.state.devices, keepers.state.incompatibilities
    )
    assert "something it depends on is missing: no backend" in remark.message
    keepers.libraries.unregister("none")
    keepers.wait_until_ready()
    assert keepers.state.incompatibilities == ()


def test_that_the_same_file_and_the_same_ep_name_are_told(keepers: Keepers, double_library: DoubleFactory) -> None:
    library = double_library("name=Dup")
    keepers.add("one", library)
    assert kinds(keepers, "one") == []
    keepers.add("other", library)
    assert kinds(keepers, "one") == [FailureKind.ALREADY_LOADED, FailureKind.SAME_EP_NAME]


def test_that_a_library_that_dies_of_a_question_is_asked_once_and_stays_loaded(
    keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.libraries.add([("shy", str(double_library("explain=abort")))])
    keepers.wait_for_death()
    keepers.wait_until_ready()
    assert keepers.library("shy").state is LOADED
    keepers.add("next", double_library(""))
    assert len(keepers.deaths) == 1
    assert keepers.states() == {"shy": LOADED, "next": LOADED}


# ---- Patience ----


def test_that_waiting_on_asks_again_later_and_a_late_answer_is_welcome(
    keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.libraries.patience_ms = 100
    hangs: list[str] = []
    keepers.libraries.library_hangs.connect(hangs.append)
    keepers.libraries.library_hangs.connect(keepers.libraries.keep_waiting)
    library = keepers.add("slow", double_library("devices=slow,slow_ms=600"))
    assert len(hangs) >= 2
    assert library.state is LOADED
    assert not library.overdue


def test_that_a_library_that_waits_for_a_trial_does_not_hang(
    keepers: Keepers, double_library: DoubleFactory, add_model: Path
) -> None:
    """Its turn has not come: that is not its fault."""
    hangs: list[str] = []
    keepers.libraries.library_hangs.connect(hangs.append)
    keepers.libraries.patience_ms = 300
    settings = TrialSettings(
        model_path=str(TINY_MODEL), target=keepers.target(), stop_rule=StopRule(seconds=1.0), warmup=0
    )
    trial = keepers.run(settings)
    keepers.libraries.add([("waits", str(double_library("")))])
    keepers.wait_for_end(trial)
    keepers.wait_until_ready()
    assert keepers.library("waits").state is LOADED
    assert hangs == []


# ---- The reader of files ----


def test_that_a_library_whose_reading_is_stopped_is_not_loaded(keepers: Keepers, double_library: DoubleFactory) -> None:
    keepers.libraries.add([("one", str(double_library(""))), ("next", str(double_library("count=2")))])
    keepers.libraries.stop("one")
    keepers.wait_until_ready()
    assert keepers.states() == {"one": NOT_LOADED, "next": LOADED}


def test_that_a_library_is_tried_although_reading_its_file_killed_the_reader(
    keepers: Keepers, double_library: DoubleFactory
) -> None:
    keepers.libraries.add([("one", str(double_library("")))])
    assert keepers.libraries._under_way is not None
    inspection = keepers.libraries._under_way[1]
    assert isinstance(inspection, Inspection)
    assert inspection._process is not None
    keepers.qtbot.waitUntil(lambda: inspection._process is None or inspection._process.process_id() > 0)
    os.kill(inspection._process.process_id(), signal.SIGSEGV)
    keepers.wait_until_ready()
    library = keepers.library("one")
    assert library.state is LOADED
    assert library.check is not None
    assert [finding.mark.value for finding in library.check.findings] == ["doubtful"]
    assert "SIGSEGV" in library.check.findings[0].text
