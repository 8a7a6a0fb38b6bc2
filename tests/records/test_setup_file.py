"""The file of a set-up, files that are none, and set-ups found again on another machine."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.records.check import CheckSettings, Tolerance
from gui.records.codec import to_json
from gui.records.device import Device, DeviceType, HardwareDevice, with_keys
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.inputs import InputSource, SourceKind
from gui.records.kept_trial import KeptTrial
from gui.records.library import Library, LibraryState
from gui.records.report import DeviceReport
from gui.records.report_file import report_json
from gui.records.result import Outcome
from gui.records.setup import SETUP_FORMAT, DimensionSweep, Setup, SetupLibrary
from gui.records.setup_file import device_text, parse_setup, resolve, setup_json, setup_of
from gui.records.trial import DimensionSize, Policy, SessionSettings, StopRule, Target, TrialFacts, TrialSettings
from gui.records.trial_file import trial_file_json

from .examples import DEVICE, FACTS, GREETING, LIBRARY


def made(ep_name: str = "CPUExecutionProvider", library: str | None = None, **fields: Any) -> Device:
    """A device, with hardware of which `type`, `vendor`, `vendor_id`, `device_id` and `metadata` may be given."""
    fields.setdefault("type", DeviceType.CPU)
    return Device(ep_name=ep_name, library=library, device=HardwareDevice(**fields))


CPU, FAST, SECOND = with_keys(
    [
        made(vendor="AMD", vendor_id=0x1022),
        made("Fast", "fast", type=DeviceType.GPU, vendor="Maker", vendor_id=1, device_id=2),
        made("Fast", "fast", type=DeviceType.GPU, vendor="Maker", vendor_id=1, device_id=2),
    ]
)
LOADED = (
    Library(name="fast", path="/eps/libfast.so", state=LibraryState.LOADED),
    Library(name="other", path="/eps/libother.so", state=LibraryState.LOADED),
    Library(name="resting", path="/eps/libresting.so"),
)


def settings(folder: str = "/models", **fields: Any) -> TrialSettings:
    fields.setdefault("target", Target(device_keys=(FAST.key,), second_keys=(CPU.key,)))
    return TrialSettings(
        **{
            "model_path": f"{folder}/net.onnx",
            "dimensions": (DimensionSize(name="batch", size=1),),
            "stop_rule": StopRule(seconds=60, stable_percent=1.5),
            "inputs": (
                InputSource(name="x", kind=SourceKind.FILE, path=f"{folder}/data/x.npy"),
                InputSource(name="y", low=1, high=2),
            ),
            "session": SessionSettings(strict=True, config=(("ep.a", "b"),), optimized_model_path=f"{folder}/opt.onnx"),
            "outputs_folder": f"{folder}/out",
            **fields,
        }
    )


def setup(folder: str = "/models", **fields: Any) -> Setup:
    return Setup(
        settings=settings(folder, **fields),
        sweeps=(DimensionSweep(name="batch", sizes=(1, 4)),),
        libraries=(SetupLibrary(name="fast", path="/eps/libfast.so"),),
        devices=(CPU, FAST),
    )


def refusal(text: str | bytes) -> Failure:
    with pytest.raises(FailureError) as caught:
        parse_setup(text, None, "some.json")
    failure = caught.value.failure
    assert failure.kind is FailureKind.NOT_A_SETUP
    assert failure.message.startswith("some.json ")
    assert failure.message.endswith(".")
    assert failure.hint
    return failure


def changed(**values: Any) -> str:
    """The text of a set-up with other values at its top."""
    return json.dumps({"format": SETUP_FORMAT, **to_json(setup()), **values})


def changed_settings(**values: Any) -> str:
    return changed(settings={**to_json(settings()), **values})


# ---- What a set-up takes along ----


def test_that_a_set_up_holds_the_devices_of_its_target_and_their_libraries() -> None:
    found = setup_of(settings(), (), LOADED, (CPU, FAST, SECOND))
    assert found.devices == (CPU, FAST)
    assert found.libraries == (SetupLibrary(name="fast", path="/eps/libfast.so"),)
    assert found.settings == settings()


def test_that_a_set_up_of_a_policy_holds_all_libraries_that_are_loaded_and_no_device() -> None:
    found = setup_of(settings(target=Target(policy=Policy.PREFER_GPU)), (), LOADED, (CPU, FAST))
    assert [library.name for library in found.libraries] == ["fast", "other"]
    assert found.devices == ()


# ---- There and back ----


@pytest.mark.parametrize("base", [None, Path("/models"), Path("/elsewhere")])
def test_that_a_set_up_comes_back_as_it_was_from_text_and_from_bytes(base: Path | None) -> None:
    text = setup_json(setup(), base)
    assert parse_setup(text, base) == setup()
    assert parse_setup(text.encode(), base) == setup()
    assert parse_setup(b"\xef\xbb\xbf" + text.encode(), base) == setup()  # as editors on Windows save it


def test_that_the_file_says_what_it_is_and_explains_its_fields() -> None:
    text = setup_json(setup(), Path("/models"))
    assert text.startswith(f'{{\n  "format": "{SETUP_FORMAT}",\n  "about": {{')
    assert text.endswith("\n}\n")
    data = json.loads(text)
    assert set(data["about"]) == set(data) - {"format", "about"}


def test_that_a_path_that_is_no_utf_8_can_be_written_and_comes_back() -> None:
    odd = setup("/models/ä\udcff")
    text = setup_json(odd, Path("/models"))
    assert "ä" in text
    assert parse_setup(text.encode("utf-8"), Path("/models")) == odd


def test_that_a_set_up_without_what_may_be_left_out_is_one() -> None:
    text = json.dumps(
        {"format": SETUP_FORMAT, "settings": {"model_path": "net.onnx", "target": {"policy": "PREFER_CPU"}}}
    )
    assert parse_setup(text, Path("/here")) == Setup(
        settings=TrialSettings(model_path="/here/net.onnx", target=Target(policy=Policy.PREFER_CPU))
    )


def test_that_how_outputs_are_compared_comes_back() -> None:
    check = CheckSettings(enabled=False, tolerances=(Tolerance(type="float", absolute=0.5, relative=0.25),))
    text = setup_json(setup(check=check), Path("/models"))
    assert json.loads(text)["settings"]["check"] == {
        "enabled": False,
        "tolerances": [{"type": "float", "absolute": 0.5, "relative": 0.25}],
    }
    assert parse_setup(text, Path("/models")).settings.check == check


def test_that_an_older_set_up_compares_outputs_as_is_usual() -> None:
    older = to_json(settings())
    del older["check"]
    assert parse_setup(changed(settings=older), None).settings.check == CheckSettings()


@pytest.mark.parametrize(
    "check",
    [
        {"enabled": "yes"},
        {"tolerances": [{"type": "float", "absolute": -1, "relative": 0}]},
        {"tolerances": [{"type": "float", "absolute": 1}]},
        {"tolerances": [{"type": "float", "absolute": 1, "relative": 0}] * 2},
    ],
)
def test_that_a_set_up_with_an_odd_tolerance_is_refused(check: dict[str, Any]) -> None:
    assert "settings.check" in refusal(changed_settings(check=check)).message


def test_that_what_a_newer_version_adds_is_passed_over() -> None:
    assert parse_setup(changed(colour="red"), None) == setup()
    assert parse_setup(changed_settings(colour="red"), None) == setup()


# ---- Paths ----


def test_that_paths_in_the_folder_of_the_file_and_below_are_relative_to_it_and_others_absolute() -> None:
    data = json.loads(setup_json(setup(), Path("/models")))
    assert data["folder"] == "/models"
    assert data["settings"]["model_path"] == "net.onnx"
    assert [source["path"] for source in data["settings"]["inputs"]] == ["data/x.npy", ""]
    assert data["settings"]["session"]["optimized_model_path"] == "opt.onnx"
    assert data["settings"]["outputs_folder"] == "out"
    assert data["libraries"][0]["path"] == "/eps/libfast.so"


def test_that_a_set_up_without_a_folder_keeps_every_path_absolute() -> None:
    data = json.loads(setup_json(setup(), None))
    assert "folder" not in data
    assert data["settings"]["model_path"] == "/models/net.onnx"


def test_that_a_folder_can_be_moved_as_a_whole(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "data").mkdir(parents=True)
    (before / "net.onnx").touch()
    (before / "data" / "x.npy").touch()
    text = setup_json(setup(str(before)), before)
    before.rename(after)
    assert parse_setup(text, after) == setup(str(after))


def test_that_the_file_can_be_moved_alone(tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "data").mkdir(parents=True)
    (models / "net.onnx").touch()
    (models / "data" / "x.npy").touch()
    found = parse_setup(setup_json(setup(str(models)), models), tmp_path / "desk").settings
    assert found.model_path == str(models / "net.onnx")
    assert found.inputs[0].path == str(models / "data" / "x.npy")
    assert found.outputs_folder == str(tmp_path / "desk" / "out")  # what is written goes where the set-up is


def test_that_of_two_copies_the_one_beside_the_file_is_taken(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "net.onnx").touch()
    text = setup_json(setup(str(first)), first)
    shutil.copytree(first, second)
    assert parse_setup(text, second).settings.model_path == str(second / "net.onnx")


def test_that_what_is_nowhere_is_looked_for_beside_the_file(tmp_path: Path) -> None:
    text = setup_json(setup(str(tmp_path / "gone")), tmp_path / "gone")
    assert parse_setup(text, tmp_path).settings.model_path == str(tmp_path / "net.onnx")


@pytest.mark.parametrize("path", ["C:\\models\\net.onnx", "\\\\host\\share\\net.onnx", "/models/net.onnx"])
def test_that_a_path_absolute_on_another_system_stays_what_it_is(path: str) -> None:
    assert parse_setup(changed_settings(model_path=path), Path("/here")).settings.model_path == path


def test_that_a_relative_path_may_lead_out_of_the_folder() -> None:
    found = parse_setup(changed_settings(model_path="../nets/net.onnx"), Path("/here/set-ups"))
    assert found.settings.model_path == "/here/nets/net.onnx"


# ---- Files that are none ----


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "some.json is not a set-up: it is not JSON."),
        (b"\x89PNG\xff\xfe", "some.json is not a set-up: it is not JSON."),
        ("[" * 200_000, "some.json is not a set-up: it is nested too deeply."),
        ("[]", "some.json is not a set-up."),
        ("{}", "some.json is not a set-up."),
        ('{"format": 1}', "some.json is not a set-up."),
        ('{"format": "other 1"}', "some.json is not a set-up."),
        ('{"format": "ort-device-explorer set-up"}', "some.json is not a set-up."),
        ('{"format": "ort-device-explorer set-up 0"}', "some.json is not a set-up."),
        (
            '{"format": "ort-device-explorer set-up 2"}',
            "some.json was made by a newer version of ORT Device Explorer.",
        ),
        (
            '{"format": "ort-device-explorer trial 7"}',
            "some.json was made by a newer version of ORT Device Explorer.",
        ),
    ],
)
def test_that_another_file_is_said_to_be_no_set_up(text: str | bytes, message: str) -> None:
    assert refusal(text).message == message


def test_that_a_device_report_is_called_one() -> None:
    report = DeviceReport(created="now", environment=GREETING, libraries=(LIBRARY,), devices=(DEVICE,))
    failure = refusal(report_json(report))
    assert failure.message == "some.json is a device report, not a set-up."
    assert "Compare with report" in failure.hint


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (json.dumps({"format": SETUP_FORMAT}), "settings is missing"),
        (changed(settings=3), "settings: expected an object, got 3"),
        (changed(settings={"target": {"policy": "DEFAULT"}}), "settings.model_path is missing"),
        (changed_settings(warmup="ten"), "settings.warmup: expected int, got 'ten'"),
        (changed_settings(warmup=-1), "settings: warm-up must be between 0 and 1000000 runs"),
        (changed_settings(target={}), "settings.target: a target is either devices or a policy"),
        (changed_settings(inputs=[{"name": "x", "kind": "file"}]), "settings.inputs[0]: x: no file is named"),
        (changed_settings(binding="magic"), "settings.binding: 'magic' is not a valid Binding"),
        (changed(sweeps=[{"name": "a", "sizes": [0]}]), "sweeps[0]: the sizes of a must be at least 1"),
        (changed(libraries=[{"name": "a"}]), "libraries[0].path is missing"),
        (changed(devices="all"), "devices: expected an array, got 'all'"),
    ],
)
def test_that_a_damaged_set_up_names_the_field(text: str, where: str) -> None:
    assert refusal(text).message == f"some.json is a set-up, but damaged: {where}."


def test_that_a_long_wrong_value_does_not_fill_the_window() -> None:
    assert len(refusal(changed_settings(warmup="x" * 100_000)).message) < 400


def test_that_a_value_nested_too_deeply_is_refused() -> None:
    deep = "[" * 400 + "]" * 400
    text = changed_settings().replace('"warmup": 10', f'"warmup": {deep}')
    assert "damaged" in refusal(text).message


# ---- The result of a trial ----


def result_of(trial: TrialSettings, facts: TrialFacts, devices: tuple[Device, ...]) -> dict[str, Any]:
    kept = KeptTrial(
        settings=trial,
        outcome=Outcome.FINISHED,
        facts=facts,
        samples=np.arange(3),
        warmup=np.arange(2),
        environment=GREETING,
        libraries=LOADED[:2],
        devices=devices,
    )
    found: dict[str, Any] = json.loads(trial_file_json(kept))
    return found


def test_that_the_set_up_of_a_trial_is_read_from_its_result() -> None:
    text = json.dumps(result_of(settings(), FACTS, (CPU, FAST)))
    assert parse_setup(text, Path("/here")) == Setup(
        settings=settings(), libraries=(SetupLibrary(name="fast", path="/eps/libfast.so"),), devices=(CPU, FAST)
    )


def test_that_the_set_up_of_a_policys_trial_wants_all_libraries_but_no_device() -> None:
    trial = settings(target=Target(policy=Policy.PREFER_GPU))
    found = parse_setup(json.dumps(result_of(trial, FACTS, (FAST,))), None)
    assert [library.name for library in found.libraries] == ["fast", "other"]
    assert found.devices == ()


def test_that_a_damaged_result_names_the_field() -> None:
    data = result_of(settings(), FACTS, ())
    data["settings"]["seed"] = -1
    message = refusal(json.dumps(data)).message
    assert message == "some.json is the result of a trial, but damaged: settings: the seed must not be negative."


# ---- Found again ----


@pytest.fixture
def here(tmp_path: Path) -> Setup:
    """A set-up whose files are there."""
    (tmp_path / "data").mkdir()
    for name in ("net.onnx", "data/x.npy", "libfast.so"):
        (tmp_path / name).touch()
    return replace(setup(str(tmp_path)), libraries=(SetupLibrary(name="fast", path=str(tmp_path / "libfast.so")),))


def test_that_a_set_up_whose_all_is_there_misses_nothing_and_stays_as_it_is(here: Setup) -> None:
    found = resolve(here, (CPU, FAST, SECOND), LOADED)
    assert found.setup == here
    assert (found.missing, found.changed, found.wanted) == ((), (), ())


def rebuilt(*devices: Device, **fields: Any) -> tuple[Device, ...]:
    """The devices with other fields, and the keys they have then."""
    return with_keys(replace(device, key="", **fields) for device in devices)


def test_that_a_device_whose_description_has_changed_is_found_by_what_it_is(here: Setup) -> None:
    new = rebuilt(FAST, SECOND, ep_metadata=(("driver", "9"),))
    assert {device.key for device in new}.isdisjoint({FAST.key, SECOND.key})
    found = resolve(here, (CPU, *new), LOADED)
    assert found.setup.settings.target == Target(device_keys=(new[0].key,), second_keys=(CPU.key,))
    assert found.setup.devices == (CPU, new[0])
    assert (found.missing, found.changed) == ((), ())


def test_that_the_second_of_equal_devices_is_found_as_the_second(here: Setup) -> None:
    wish = replace(here, settings=replace(here.settings, target=Target(device_keys=(SECOND.key,))), devices=(SECOND,))
    new = rebuilt(FAST, SECOND, ep_metadata=(("driver", "9"),))
    assert resolve(wish, new, LOADED).setup.settings.target.device_keys == (new[1].key,)
    alone = resolve(wish, new[:1], LOADED)  # the second card was taken out, and the one left is the only one
    assert alone.setup.settings.target.device_keys == (new[0].key,)


def test_that_two_devices_do_not_become_one(here: Setup) -> None:
    wish = replace(
        here, settings=replace(here.settings, target=Target(device_keys=(FAST.key, SECOND.key))), devices=(FAST, SECOND)
    )
    (only,) = rebuilt(FAST, ep_metadata=(("driver", "9"),))
    found = resolve(wish, (CPU, only), LOADED)
    assert found.setup.settings.target.device_keys == (only.key,)
    assert len(found.missing_devices) == 1


def test_that_among_devices_alike_the_one_described_alike_is_taken(here: Setup) -> None:
    def described(slot: str, driver: str) -> Device:
        return made("Fast", "fast", vendor_id=1, metadata=(("slot", slot), ("driver", driver)))

    (_first, second) = with_keys([described("1", "8"), described("2", "8")])
    wish = replace(here, settings=replace(here.settings, target=Target(device_keys=(second.key,))), devices=(second,))
    new = with_keys([described("1", "9"), described("2", "9")])
    assert resolve(wish, new, LOADED).setup.settings.target.device_keys == (new[1].key,)


def test_that_the_same_ep_under_another_registration_name_is_taken_when_it_is_the_only_one(here: Setup) -> None:
    other = rebuilt(FAST, library="quick")
    found = resolve(here, (CPU, *other), LOADED[1:])
    assert found.setup.settings.target.device_keys == (other[0].key,)
    assert (found.missing, found.changed, found.wanted) == ((), (), ())
    twice = resolve(here, (CPU, *rebuilt(FAST, SECOND, library="quick")), LOADED)
    assert twice.setup.settings.target == here.settings.target
    assert len(twice.missing_devices) == 1


def test_that_the_only_device_of_an_ep_takes_the_place_of_other_hardware_and_that_is_said(here: Setup) -> None:
    """Else no set-up for the CPU could be used on a machine with a processor of another make."""
    (other,) = with_keys([made(vendor="Intel", vendor_id=0x8086)])
    found = resolve(here, (other, FAST), LOADED)
    assert found.setup.settings.target.second_keys == (other.key,)
    assert found.missing == ()
    assert found.changed == (
        "CPUExecutionProvider (CPU, AMD) is not there; CPUExecutionProvider (CPU, Intel) takes its place.",
    )


def test_that_another_kind_of_device_takes_no_place(here: Setup) -> None:
    (npu,) = with_keys([made("Fast", "fast", type=DeviceType.NPU)])
    found = resolve(here, (CPU, npu), LOADED)
    assert found.missing_devices == (
        "The device Fast (GPU 0x0002, Maker) of the library “fast” is not there. Choose another one.",
    )


def test_that_a_choice_of_which_nothing_is_there_keeps_its_keys_and_is_named(here: Setup) -> None:
    found = resolve(here, (CPU,), LOADED)
    assert found.setup == here
    assert found.missing == found.missing_devices
    assert len(found.missing) == 1


def test_that_of_devices_partly_there_those_there_are_chosen_and_the_others_named(here: Setup) -> None:
    wish = replace(
        here, settings=replace(here.settings, target=Target(device_keys=(FAST.key, SECOND.key))), devices=(FAST, SECOND)
    )
    found = resolve(wish, (CPU, FAST), LOADED)
    assert found.setup.settings.target.device_keys == (FAST.key,)
    assert len(found.missing_devices) == 1


def test_that_a_device_of_which_only_the_key_is_known_is_found_by_it_alone(here: Setup) -> None:
    bare = replace(here, devices=())
    assert resolve(bare, (CPU, FAST), LOADED).setup == bare
    assert resolve(bare, (CPU, *rebuilt(FAST, library="quick")), LOADED).missing_devices == (
        f"The device {FAST.key} is not there. Choose another one.",
    )


def test_that_a_library_that_can_be_loaded_is_wanted_and_its_devices_are_awaited(here: Setup) -> None:
    resting = (replace(LOADED[0], state=LibraryState.FAILED),)
    for libraries in ((), resting):
        found = resolve(here, (CPU,), libraries)
        assert found.wanted == here.libraries
        assert found.missing == ()


def test_that_a_library_on_its_way_is_not_asked_for(here: Setup) -> None:
    coming = (replace(LOADED[0], state=LibraryState.LOADING),)
    elsewhere = (Library(name="mine", path=here.libraries[0].path, state=LibraryState.LOADED),)
    for libraries in (coming, elsewhere):
        assert resolve(here, (CPU,), libraries).wanted == ()


def test_that_a_library_is_not_asked_for_when_its_device_is_there_by_another_name(here: Setup) -> None:
    assert resolve(here, (CPU, *rebuilt(FAST, library="quick")), ()).wanted == ()


def test_that_a_policy_wants_all_its_libraries(here: Setup) -> None:
    by_policy = replace(here, settings=replace(here.settings, target=Target(policy=Policy.PREFER_GPU)), devices=())
    assert resolve(by_policy, (CPU,), ()).wanted == here.libraries
    assert resolve(by_policy, (CPU,), LOADED).wanted == ()


def test_that_each_file_that_is_gone_is_named_with_what_to_do(here: Setup, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "net.onnx").unlink()
    (tmp_path / "libfast.so").unlink()
    found = resolve(here, (CPU,), ())
    assert found.missing_files == (
        f"The model is not there: {tmp_path}/net.onnx. Choose it where it lies now.",
        f"The file of the input “x” is not there: {tmp_path}/data/x.npy. Choose another one for it.",
        f"The library “fast” is not there: {tmp_path}/libfast.so. Add it where it lies now, under that name.",
    )
    assert found.setup == here
    assert found.wanted == ()


def test_that_a_path_that_can_be_none_is_just_not_there(here: Setup) -> None:
    odd = replace(here, settings=replace(here.settings, model_path="/a\0b" + "c" * 5000))
    assert len(resolve(odd, (CPU, FAST), LOADED).missing_files) == 1


def test_that_devices_are_told_apart_in_few_words() -> None:
    assert device_text(CPU) == "CPUExecutionProvider (CPU, AMD)"
    assert device_text(FAST) == "Fast (GPU 0x0002, Maker)"
    assert device_text(made("Bare")) == "Bare (CPU)"
