"""The list of libraries: added, loaded, unregistered, removed, remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.records.failure import FailureKind
from gui.records.library import CPU_EP_NAME, Library, LibraryState
from gui.records.trial import StopRule, TrialSettings
from gui.settings import RememberedLibrary

from .conftest import DoubleFactory
from .keepers import TIMEOUT_MS, TINY_MODEL, Keepers, open_settings, running_keepers

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


# ---- Coming and going ----


def test_that_an_added_library_is_loaded_with_its_devices(
    keepers: Keepers, ini: Path, double_library: DoubleFactory
) -> None:
    library = keepers.add("double", double_library("count=2"))
    assert (library.state, len(library.device_keys), library.error) == (LOADED, 2, None)
    assert keepers.owners() == [None, "double", "double"]
    assert {device.key for device in keepers.state.devices if device.library} == set(library.device_keys)
    assert library.registration_ns is not None
    assert remembered(ini) == {"double": (True, False)}
    assert any("“double” is loaded" in notice for notice in keepers.notices)


def test_that_an_unregistered_library_stays_in_the_list_without_devices(
    keepers: Keepers, ini: Path, double_library: DoubleFactory
) -> None:
    keepers.add("double", double_library(""))
    keepers.libraries.unregister("double")
    assert keepers.library("double").state is LibraryState.UNREGISTERING
    keepers.wait_until_ready()
    library = keepers.library("double")
    assert (library.state, library.device_keys, keepers.owners()) == (NOT_LOADED, (), [None])
    assert remembered(ini) == {"double": (False, False)}
    keepers.libraries.load("double")
    keepers.wait_until_ready()
    assert keepers.owners() == [None, "double"]
    assert keepers.deaths == []


def test_that_only_a_library_that_is_not_loaded_can_be_removed(
    keepers: Keepers, ini: Path, double_library: DoubleFactory
) -> None:
    keepers.add("double", double_library(""))
    keepers.libraries.remove("double")
    assert keepers.states() == {"double": LOADED}
    keepers.libraries.unregister("double")
    keepers.wait_until_ready()
    keepers.libraries.remove("double")
    assert keepers.states() == {}
    assert remembered(ini) == {}


def test_that_two_registrations_of_one_file_come_and_go_apart(keepers: Keepers, double_library: DoubleFactory) -> None:
    path = str(double_library(""))
    keepers.libraries.add([("one", path), ("two", path)])
    keepers.wait_until_ready()
    assert keepers.owners() == [None, "one", "two"]
    keepers.libraries.unregister("one")
    keepers.wait_until_ready()
    assert keepers.owners() == [None, "two"]
    assert keepers.states() == {"one": NOT_LOADED, "two": LOADED}


@pytest.mark.parametrize("name", ["double", "", " ", " spaced", "new\nline", CPU_EP_NAME])
def test_that_a_name_that_cannot_be_is_refused_at_once(
    keepers: Keepers, double_library: DoubleFactory, name: str
) -> None:
    path = str(double_library(""))
    keepers.libraries.add([("double", path), (name, path), ("other", path)])
    assert list(keepers.states()) == ["double", "other"]
    assert [(library.name, library.state) for library in keepers.failed_libraries] == [(name, FAILED)]
    error = keepers.failed_libraries[0].error
    assert error is not None
    assert error.kind is (FailureKind.NAME_IN_USE if name == "double" else FailureKind.BAD_NAME)
    keepers.wait_until_ready()
    assert keepers.states() == {"double": LOADED, "other": LOADED}


@pytest.mark.parametrize(
    ("orders", "kind"),
    [("devices=error", FailureKind.REFUSED_BY_EP), ("gone", FailureKind.NO_SUCH_FILE)],
)
def test_that_a_refused_library_failed_and_killed_nothing(
    keepers: Keepers, ini: Path, double_library: DoubleFactory, tmp_path: Path, orders: str, kind: FailureKind
) -> None:
    path = tmp_path / "gone.so" if orders == "gone" else double_library(orders)
    library = keepers.add("bad", path)
    assert (library.state, library.killed_engine) == (FAILED, False)
    assert library.error is not None
    assert library.error.kind is kind
    assert keepers.failed_libraries == [library]
    assert remembered(ini) == {"bad": (False, False)}
    assert (keepers.owners(), keepers.deaths) == ([None], [])
    keepers.libraries.remove("bad")
    assert keepers.states() == {}


def test_that_a_failed_library_can_be_loaded_once_it_is_mended(
    keepers: Keepers, double_library: DoubleFactory, tmp_path: Path
) -> None:
    path = tmp_path / "late.so"
    assert keepers.add("late", path).state is FAILED
    path.write_bytes(double_library("").read_bytes())
    keepers.libraries.load("late")
    keepers.wait_until_ready()
    library = keepers.library("late")
    assert (library.state, library.error) == (LOADED, None)


def test_that_refresh_tells_the_devices_anew(qtbot: QtBot, keepers: Keepers) -> None:
    keepers.state.set_devices(())
    with qtbot.waitSignal(keepers.state.devices_changed, timeout=TIMEOUT_MS):
        keepers.libraries.refresh()
    assert keepers.owners() == [None]


@pytest.mark.ggml
def test_that_a_real_ep_is_loaded(keepers: Keepers, ggml_library: Path) -> None:
    assert keepers.add("ggml", ggml_library).state is LOADED
    assert "ggml" in keepers.owners()


# ---- Remembering ----


def test_that_libraries_are_remembered_in_order_and_as_they_were(
    qtbot: QtBot, ini: Path, double_library: DoubleFactory, tmp_path: Path
) -> None:
    with running_keepers(qtbot, ini) as first:
        first.add("loaded", double_library("count=2"))
        first.add("unregistered", double_library(""))
        first.add("refused", tmp_path / "gone.so")
        first.libraries.unregister("unregistered")
        first.wait_until_ready()
    with running_keepers(qtbot, ini) as second:
        assert second.states() == {"loaded": LOADED, "unregistered": NOT_LOADED, "refused": NOT_LOADED}
        assert second.owners() == [None, "loaded", "loaded"]
        assert second.library("loaded").device_keys == first.library("loaded").device_keys


def test_that_a_library_added_before_the_engine_is_ready_is_remembered_and_loaded(
    qtbot: QtBot, ini: Path, double_library: DoubleFactory
) -> None:
    with running_keepers(qtbot, ini) as keepers:
        with qtbot.waitSignal(keepers.client.died, timeout=TIMEOUT_MS):
            keepers.client.restart()
        keepers.libraries.add([("double", str(double_library("")))])
        assert keepers.client.greeting is None
        assert remembered(ini) == {"double": (True, False)}
        keepers.wait_until_ready()
        assert keepers.states() == {"double": LOADED}


def test_that_libraries_restored_beside_a_ready_engine_are_loaded(
    keepers: Keepers, double_library: DoubleFactory
) -> None:
    library = Library(name="double", path=str(double_library("")))
    keepers.settings.libraries = (RememberedLibrary(library=library, load=True),)
    keepers.libraries.restore()
    keepers.wait_until_ready()
    assert keepers.states() == {"double": LOADED}


def test_that_while_it_loads_a_library_is_remembered_as_one_that_kills(
    qtbot: QtBot, keepers: Keepers, ini: Path, double_library: DoubleFactory
) -> None:
    keepers.add("good", double_library(""))
    keepers.add("spare", double_library(""))
    keepers.libraries.unregister("spare")
    keepers.wait_until_ready()
    keepers.libraries.add(
        [("slow", str(double_library("devices=slow,slow_ms=300"))), ("next", str(double_library("")))]
    )
    during = {"good": (True, False), "spare": (False, False), "slow": (True, True), "next": (True, False)}
    qtbot.waitUntil(lambda: remembered(ini) == during, timeout=TIMEOUT_MS)
    assert keepers.libraries.loading() == "slow"
    keepers.libraries.remove("spare")  # remembers the list again
    del during["spare"]
    assert remembered(ini) == during
    assert not keepers.library("slow").killed_engine  # nothing of this in the window
    keepers.wait_until_ready()
    assert remembered(ini) == dict.fromkeys(("good", "slow", "next"), (True, False))


def test_that_a_library_that_was_loading_when_the_window_died_waits_to_be_asked_for(
    qtbot: QtBot, ini: Path, double_library: DoubleFactory
) -> None:
    suspect = Library(name="suspect", path=str(double_library("")), state=LibraryState.LOADING, killed_engine=True)
    good = Library(name="good", path=str(double_library("count=2")), state=LOADED)
    open_settings(ini).libraries = tuple(RememberedLibrary(library=library, load=True) for library in (suspect, good))
    with running_keepers(qtbot, ini) as keepers:
        assert keepers.states() == {"suspect": FAILED, "good": LOADED}
        error = keepers.library("suspect").error
        assert error is not None
        assert error.kind is FailureKind.DIED
        keepers.libraries.load("suspect")
        keepers.wait_until_ready()
        assert keepers.states() == {"suspect": LOADED, "good": LOADED}
        assert remembered(ini) == {"suspect": (True, False), "good": (True, False)}


# ---- Stopping what has not begun ----


def busy(qtbot: QtBot, keepers: Keepers) -> None:
    """Keep the engine at a trial that does not end by itself."""
    rule = StopRule(seconds=3600)
    trial = keepers.run(TrialSettings(model_path=str(TINY_MODEL), target=keepers.target(), stop_rule=rule))
    qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)


def test_that_a_library_stopped_before_its_turn_is_just_not_loaded(
    qtbot: QtBot, keepers: Keepers, ini: Path, double_library: DoubleFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    busy(qtbot, keepers)
    path = str(double_library(""))
    keepers.libraries.add([("first", path), ("second", path)])  # the first is asked for, behind the trial
    keepers.libraries.stop("second")
    assert keepers.library("second").state is NOT_LOADED
    keepers.libraries.unregister("first")  # while it is loading: the same as stop
    qtbot.waitUntil(lambda: keepers.library("first").state is not LibraryState.LOADING, timeout=TIMEOUT_MS)
    assert keepers.states() == {"first": NOT_LOADED, "second": NOT_LOADED}
    assert remembered(ini) == {"first": (False, False), "second": (False, False)}
    assert keepers.failed_libraries == []
    assert keepers.deaths == []
    assert keepers.state.running_trial is not None
    keepers.trials.stop()
    keepers.libraries.load("first")
    keepers.wait_until_ready()
    assert keepers.library("first").state is LOADED


def test_that_unregistering_stopped_before_its_turn_leaves_it_loaded(
    qtbot: QtBot, keepers: Keepers, ini: Path, double_library: DoubleFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.client.client.GRACE_MS", 100)
    keepers.add("double", double_library(""))
    busy(qtbot, keepers)  # on the CPU device, so that it need not make way
    keepers.libraries.unregister("double")
    keepers.libraries.unregister("double")  # once more: the same as stop
    qtbot.waitUntil(lambda: keepers.library("double").state is LOADED, timeout=TIMEOUT_MS)
    assert keepers.owners() == [None, "double"]
    assert remembered(ini) == {"double": (True, False)}
    assert keepers.deaths == []
    keepers.trials.stop()
    keepers.libraries.unregister("double")
    keepers.wait_until_ready()
    assert keepers.states() == {"double": NOT_LOADED}
    assert keepers.deaths == []
