"""Libraries that load: what is registered, what its devices say, and what is left afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gui.records.device import DeviceType
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.library import CPU_EP_NAME, LibraryState
from gui.records.trial import Ending

from ..conftest import ORT_VERSION, DoubleFactory, StartEngine
from ..engine_process import EngineProcess
from .conftest import Register, settings_for, unmaps_libraries

since_1_24 = pytest.mark.skipif(ORT_VERSION < (1, 24), reason="needs onnxruntime 1.24")


def failure_of(action: Callable[[], object]) -> Failure:
    with pytest.raises(FailureError) as caught:
        action()
    return caught.value.failure


# ---- Registering ----


def test_that_an_engine_begins_with_the_devices_of_ort_alone(engine: EngineProcess) -> None:
    inventory = engine.inventory()
    assert inventory.libraries == ()
    assert [(device.ep_name, device.library) for device in inventory.devices] == [(CPU_EP_NAME, None)]


def test_that_a_library_is_told_with_its_state_and_the_keys_of_its_devices(
    engine: EngineProcess, double_library: DoubleFactory
) -> None:
    path = double_library("count=3")
    inventory = engine.register("mine", path)
    (library,) = inventory.libraries
    assert (library.name, library.path, library.state) == ("mine", str(path), LibraryState.LOADED)
    assert library.device_keys == tuple(device.key for device in inventory.devices if device.library == "mine")
    assert len(set(library.device_keys)) == 3
    assert engine.inventory() == inventory


def test_that_every_field_of_a_device_is_copied(engine: EngineProcess, double_library: DoubleFactory) -> None:
    path = double_library("name=Foo,vendor=Bar,version=2.5.0,meta.serial=42,option.mode=fast")
    device = engine.register("mine", path).devices[-1]
    assert (device.ep_name, device.ep_vendor, device.ep_version) == ("Foo", "Bar", "2.5.0")
    assert dict(device.ep_metadata)["serial"] == "42"
    assert dict(device.ep_options) == {"mode": "fast"}
    assert device.library == "mine"
    assert device.type is DeviceType.CPU
    assert device.device == engine.inventory().devices[0].device  # the same processor as that of ORT's own provider


@since_1_24
def test_that_the_hardware_of_a_device_is_copied(engine: EngineProcess, double_library: DoubleFactory) -> None:
    path = double_library("type=NPU+GPU+CPU,count=3,virtual=1,device_vendor=Maker")
    devices = engine.register("mine", path).devices[1:]
    assert [device.type for device in devices] == [DeviceType.NPU, DeviceType.GPU, DeviceType.CPU]
    assert [device.is_virtual for device in devices] == [True, True, False]
    assert devices[0].device.vendor == "Maker"


def test_that_each_library_is_told_with_the_time_its_registration_took(
    engine: EngineProcess, register: Register
) -> None:
    register(engine, "count=1", "quick")
    register(engine, "factory=slow,slow_ms=150", "slow")
    quick, slow = engine.inventory().libraries
    assert slow.registration_ns is not None
    assert slow.registration_ns >= 150_000_000
    assert quick.registration_ns is not None
    assert quick.registration_ns > 0
    engine.unregister("quick")
    (left,) = engine.inventory().libraries
    assert left == slow


def test_that_a_library_without_devices_is_registered_all_the_same(engine: EngineProcess, register: Register) -> None:
    assert register(engine, "count=0") == ()
    assert [library.name for library in engine.inventory().libraries] == ["double"]


def test_that_many_devices_have_a_key_each(engine: EngineProcess, register: Register) -> None:
    assert len(set(register(engine, "factories=4,count=8"))) == 32


def test_that_one_file_under_two_names_gives_devices_of_both(engine: EngineProcess, register: Register) -> None:
    one, two = register(engine, "name=fixed", "one"), register(engine, "name=fixed", "two")
    owners = {device.key: device.library for device in engine.inventory().devices if device.library is not None}
    assert owners == {one[0]: "one", two[0]: "two"}


def test_that_an_engine_gives_the_same_keys_as_another(
    engine: EngineProcess, start_engine: StartEngine, register: Register
) -> None:
    register(engine, "count=2,name=other", "first")
    keys = register(engine, "count=3")
    assert register(start_engine(), "count=3") == keys  # also without the library loaded before it


def test_that_a_key_survives_unregistering_and_registering(engine: EngineProcess, register: Register) -> None:
    keys = register(engine, "count=2")
    engine.unregister("double")
    assert register(engine, "count=2") == keys


@pytest.mark.parametrize("name", ["a b", "日本", "a.virtual", "a/b", "x" * 300])
def test_that_unusual_names_can_be_registered(engine: EngineProcess, register: Register, name: str) -> None:
    assert len(register(engine, "", name)) == 1
    assert [library.name for library in engine.unregister(name).libraries] == []


def test_that_a_relative_path_is_made_absolute(start_engine: StartEngine, double_library: DoubleFactory) -> None:
    path = double_library("")
    engine = start_engine(folder=path.parent)
    (library,) = engine.register("mine", path.name).libraries
    assert Path(library.path) == path


def test_that_spaces_and_letters_of_any_script_in_a_path_do_no_harm(
    engine: EngineProcess, double_library: DoubleFactory, tmp_path: Path
) -> None:
    folder = tmp_path / "ä folder “日本”"
    folder.mkdir()
    path = folder / "libplain.so"
    path.write_bytes(double_library("").read_bytes())
    (library,) = engine.register("mine", path).libraries
    assert library.path == str(path)


# ---- Names that can't be had ----


def test_that_a_name_is_given_once(engine: EngineProcess, register: Register, double_library: DoubleFactory) -> None:
    keys = register(engine, "")
    failure = failure_of(lambda: engine.register("double", double_library("count=2")))
    assert failure.kind is FailureKind.NAME_IN_USE
    assert "“double”" in failure.message
    assert failure.hint
    (library,) = engine.inventory().libraries
    assert (library.path, library.device_keys) == (str(double_library("")), keys)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0b", " a", CPU_EP_NAME])
def test_that_an_unusable_name_is_refused_before_anything_is_loaded(
    engine: EngineProcess, double_library: DoubleFactory, name: str
) -> None:
    failure = failure_of(lambda: engine.register(name, double_library("load=abort")))
    assert failure.kind is FailureKind.BAD_NAME
    assert engine.inventory().libraries == ()


# ---- Unregistering ----


def test_that_unregistering_takes_the_devices_away_and_leaves_the_others(
    engine: EngineProcess, register: Register
) -> None:
    register(engine, "count=2", "one")
    two = register(engine, "count=3", "two")
    inventory = engine.unregister("one")
    assert [library.name for library in inventory.libraries] == ["two"]
    assert tuple(device.key for device in inventory.devices if device.library is not None) == two
    assert {device.library for device in inventory.devices} == {None, "two"}
    assert engine.inventory() == inventory


def test_that_a_library_left_behind_still_runs(engine: EngineProcess, register: Register, add_model: Path) -> None:
    register(engine, "count=2", "one")
    two = register(engine, "", "two")
    engine.unregister("one")
    assert engine.run_trial(settings_for(add_model, *two)).ending is Ending.ITERATIONS


def test_that_the_provider_of_ort_can_not_be_unregistered(engine: EngineProcess) -> None:
    assert failure_of(lambda: engine.unregister(CPU_EP_NAME)).kind is FailureKind.BUILT_IN
    assert [device.ep_name for device in engine.inventory().devices] == [CPU_EP_NAME]


@pytest.mark.parametrize("name", ["never", "", "CPU"])
def test_that_what_is_not_registered_can_not_be_unregistered(engine: EngineProcess, name: str) -> None:
    failure = failure_of(lambda: engine.unregister(name))
    assert failure.kind is FailureKind.NOT_REGISTERED
    assert f"“{name}”" in failure.message


def test_that_a_library_is_unregistered_once(engine: EngineProcess, register: Register) -> None:
    register(engine, "")
    engine.unregister("double")
    assert failure_of(lambda: engine.unregister("double")).kind is FailureKind.NOT_REGISTERED


@unmaps_libraries
def test_that_a_library_is_let_go_of_after_a_trial(engine: EngineProcess, register: Register, add_model: Path) -> None:
    mapped = Path(f"/proc/{engine.process_id}/maps")
    engine.run_trial(settings_for(add_model, *register(engine, "vendor=let go of")))
    assert "vendor=let go of" in mapped.read_text(encoding="utf-8")
    engine.unregister("double")
    assert "vendor=let go of" not in mapped.read_text(encoding="utf-8")


def test_that_a_library_can_come_and_go_again_and_again(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    for _ in range(5):
        assert engine.run_trial(settings_for(add_model, *register(engine, ""))).sample_count == 20
        engine.unregister("double")
