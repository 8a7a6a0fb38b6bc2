"""What `--run` runs: from arguments alone, and from a set-up with arguments beside it. No engine is needed for that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gui.cli import read_arguments
from gui.named_devices import device_named
from gui.records.check import CheckSettings, Tolerance, default_tolerance
from gui.records.device import Device, DeviceType, HardwareDevice, with_keys
from gui.records.failure import FailureError, FailureKind
from gui.records.inputs import (
    ChannelOrder,
    Fill,
    ImageLayout,
    ImageReading,
    ImageScaling,
    InputSource,
    SourceKind,
)
from gui.records.library import Library, LibraryState
from gui.records.log import LogSeverity
from gui.records.setup import DimensionSweep, Setup, SetupLibrary
from gui.records.setup_file import parse_setup, setup_json
from gui.records.trial import (
    Binding,
    DimensionSize,
    ExecutionMode,
    Optimization,
    Policy,
    SessionSettings,
    StopRule,
    Target,
    TrialSettings,
)
from gui.run_setup import RunOrder


def made(ep_name: str, library: str | None = None, device_type: DeviceType = DeviceType.CPU) -> Device:
    return Device(ep_name=ep_name, library=library, device=HardwareDevice(type=device_type, vendor="Maker"))


CPU, FAST, FAST_2, SLOW = DEVICES = with_keys(
    [
        made("CPUExecutionProvider"),
        made("Fast", "fast", DeviceType.GPU),
        made("Fast", "fast", DeviceType.GPU),
        made("Slow", "slow", DeviceType.NPU),
    ]
)


def order(*arguments: str | Path) -> RunOrder:
    return RunOrder(read_arguments(["--run", *map(str, arguments)]))


def libraries(folder: Path) -> tuple[Library, ...]:
    return tuple(
        Library(name=name, path=str(folder / f"{name}.so"), state=LibraryState.LOADED) for name in ("fast", "slow")
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A set-up in which nothing is as it is by itself; its files are there."""
    for name in ("net.onnx", "fast.so", "slow.so", "x.npy", "cat.png"):
        (tmp_path / name).touch()
    setup = Setup(
        settings=TrialSettings(
            model_path=str(tmp_path / "net.onnx"),
            target=Target(device_keys=(FAST.key,), second_keys=(SLOW.key,)),
            options=(("mode", "fast"), ("level", "1")),
            second_options=(("power", "low"),),
            dimensions=(DimensionSize(name="batch", size=2), DimensionSize(name="length", size=16)),
            warmup=3,
            stop_rule=StopRule(seconds=30, stable_percent=2),
            intra_op_threads=2,
            seed=5,
            inputs=(
                InputSource(name="x", kind=SourceKind.FILE, path=str(tmp_path / "x.npy")),
                InputSource(
                    name="image",
                    kind=SourceKind.IMAGE,
                    path=str(tmp_path / "cat.png"),
                    image=ImageReading(scaling=ImageScaling.BYTES),
                ),
            ),
            session=SessionSettings(optimization=Optimization.BASIC, config=(("a", "1"),), strict=True),
            binding=Binding.IO_BINDING,
            callers=2,
            pause_ms=1.5,
            run_timeout_s=9.0,
            outputs_folder=str(tmp_path / "out"),
            check=CheckSettings(
                enabled=False,
                tolerances=(
                    Tolerance(type="float", absolute=0.5, relative=0.25),
                    Tolerance(type="double", absolute=0.1, relative=0),
                ),
            ),
        ),
        sweeps=(DimensionSweep(name="batch", sizes=(2, 4)), DimensionSweep(name="length", sizes=(16, 32))),
        libraries=tuple(SetupLibrary(name=entry.name, path=entry.path) for entry in libraries(tmp_path)),
        devices=(FAST, SLOW),
    )
    path = tmp_path / "setup.json"
    path.write_text(setup_json(setup, tmp_path), encoding="utf-8")
    return path


def setup_from(saved: Path, *arguments: str, devices: tuple[Device, ...] = DEVICES) -> Setup:
    return order(saved, *arguments).setup(libraries(saved.parent), devices)


def refused(saved: Path, *arguments: str, devices: tuple[Device, ...] = DEVICES) -> FailureError:
    with pytest.raises(FailureError) as raised:
        setup_from(saved, *arguments, devices=devices)
    return raised.value


# ---- From arguments alone ----


def test_that_a_model_alone_runs_on_the_cpu_with_what_is_usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    setup = order("net.onnx").setup((), DEVICES)
    assert setup.settings == TrialSettings(model_path=str(tmp_path / "net.onnx"), target=Target(device_keys=(CPU.key,)))
    assert (setup.sweeps, setup.libraries, setup.devices) == ((), (), (CPU,))


def test_that_every_option_reaches_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = (
        "net.onnx --device Fast:1 --option mode=fast --second-device Slow --second-option power=low "
        "--input x=x.npz:a --input image=cat.png --fill y=integers:0:9 --shape y=2,3 --length z=4 "
        "--dim batch=1,8 --dim length=16 --image-scaling imagenet --image-layout NHWC --image-colors BGR --seed 7 "
        "--warmup 0 --stable 1.5 --seconds 20 --callers 3 --pause 2.5 --io-binding --run-timeout 4 "
        "--threads 2 --inter-threads 3 --parallel --optimization extended --strict --no-memory-pattern --no-arena "
        "--deterministic --log-severity 1 --config ep.a=b --save-outputs out --save-optimized opt.onnx "
        "--tolerance float=0.5:0.25 --tolerance int8=1 --tolerance float16=0.005:0.01"
    )
    setup = order(*arguments.split()).setup(libraries(tmp_path), DEVICES)
    assert setup.settings == TrialSettings(
        model_path=str(tmp_path / "net.onnx"),
        target=Target(device_keys=(FAST_2.key,), second_keys=(SLOW.key,)),
        options=(("mode", "fast"),),
        second_options=(("power", "low"),),
        dimensions=(DimensionSize(name="batch", size=1), DimensionSize(name="length", size=16)),
        warmup=0,
        stop_rule=StopRule(seconds=20, stable_percent=1.5),
        intra_op_threads=2,
        seed=7,
        inputs=(
            InputSource(name="x", kind=SourceKind.FILE, path=str(tmp_path / "x.npz"), entry="a"),
            InputSource(
                name="image",
                kind=SourceKind.IMAGE,
                path=str(tmp_path / "cat.png"),
                image=ImageReading(
                    layout=ImageLayout.CHANNELS_LAST, scaling=ImageScaling.IMAGENET, channels=ChannelOrder.BGR
                ),
            ),
            InputSource(name="y", fill=Fill.INTEGERS, low=0, high=9, shape=(2, 3)),
            InputSource(name="z", length=4),
        ),
        session=SessionSettings(
            optimization=Optimization.EXTENDED,
            inter_op_threads=3,
            execution_mode=ExecutionMode.PARALLEL,
            memory_pattern=False,
            memory_arena=False,
            deterministic=True,
            log_severity=LogSeverity.INFO,
            strict=True,
            config=(("ep.a", "b"),),
            optimized_model_path=str(tmp_path / "opt.onnx"),
        ),
        binding=Binding.IO_BINDING,
        callers=3,
        pause_ms=2.5,
        run_timeout_s=4.0,
        outputs_folder=str(tmp_path / "out"),
        check=CheckSettings(  # without the one that is the default
            tolerances=(
                Tolerance(type="float", absolute=0.5, relative=0.25),
                Tolerance(type="int8", absolute=1, relative=0),
            )
        ),
    )
    assert setup.sweeps == (DimensionSweep(name="batch", sizes=(1, 8)),)
    assert [library.name for library in setup.libraries] == ["fast", "slow"]
    assert setup.devices == (FAST_2, SLOW)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--iterations", "5"], StopRule(iterations=5)),
        (["--seconds", "5"], StopRule(seconds=5)),
        (["--stable", "5"], StopRule(seconds=60, stable_percent=5)),
    ],
)
def test_that_the_stop_rule_is_the_one_given(arguments: list[str], rule: StopRule) -> None:
    assert order("net.onnx", *arguments).setup((), DEVICES).settings.stop_rule == rule


def test_that_libraries_are_loaded_in_the_order_given() -> None:
    assert order("net.onnx", "--library", "b=/b.so", "--library", "a=/a.so").libraries() == [
        ("b", "/b.so"),
        ("a", "/a.so"),
    ]


def test_that_a_policy_takes_no_device_along() -> None:
    setup = order("net.onnx", "--policy", "PREFER_NPU").setup(libraries(Path("/eps")), DEVICES)
    assert setup.settings.target == Target(policy=Policy.PREFER_NPU)
    assert [library.name for library in setup.libraries] == ["fast", "slow"]


# ---- Devices by name ----


@pytest.mark.parametrize(
    ("wish", "device"),
    [
        ("Fast", FAST),
        ("Fast:0", FAST),
        ("Fast:1", FAST_2),
        ("CPUExecutionProvider", CPU),
        ("cpu", CPU),
        ("fast:1", FAST_2),
    ],
)
def test_that_a_device_is_named_by_its_ep_and_a_number(wish: str, device: Device) -> None:
    assert device_named(wish, DEVICES) == device


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("NoEp", "There is no device NoEp; EPs here: CPU, Fast, Slow."),
        ("Fast:2", "Fast has 2 device(s), counted from 0; there is no Fast:2."),
        ("", "There is no device ; EPs here:"),
    ],
)
def test_that_a_device_that_is_not_there_is_named_beside_those_that_are(wish: str, said: str) -> None:
    with pytest.raises(FailureError) as raised:
        device_named(wish, DEVICES)
    assert raised.value.failure.message.startswith(said)


# ---- From a set-up ----


def test_that_a_set_up_is_run_as_it_is(saved: Path) -> None:
    setup = setup_from(saved)
    assert setup.settings.target == Target(device_keys=(FAST.key,), second_keys=(SLOW.key,))
    assert setup == parse_setup(saved.read_bytes(), saved.parent)


FLOAT_BY_ITSELF = f"float={default_tolerance('float').absolute}:{default_tolerance('float').relative}"
CHANGES: list[tuple[list[str], dict[str, Any]]] = [
    (["--iterations", "9"], {"stop_rule": StopRule(iterations=9)}),
    (["--seconds", "9"], {"stop_rule": StopRule(seconds=9)}),
    (["--stable", "9"], {"stop_rule": StopRule(seconds=60, stable_percent=9)}),
    (["--warmup", "0"], {"warmup": 0}),
    (["--threads", "0"], {"intra_op_threads": 0}),
    (["--seed", "0"], {"seed": 0}),
    (["--callers", "1"], {"callers": 1}),
    (["--pause", "0"], {"pause_ms": 0.0}),
    (["--run-timeout", "1"], {"run_timeout_s": 1.0}),
    (["--save-outputs", "/else"], {"outputs_folder": "/else"}),
    (
        ["--tolerance", FLOAT_BY_ITSELF, "--tolerance", "int8=1"],  # who gives one wants it to be compared
        {
            "check": CheckSettings(
                tolerances=(
                    Tolerance(type="double", absolute=0.1, relative=0),
                    Tolerance(type="int8", absolute=1, relative=0),
                )
            )
        },
    ),
    (["--option", "level=2", "--option", "new=3"], {"options": (("mode", "fast"), ("level", "2"), ("new", "3"))}),
    (["--second-option", "power=high"], {"second_options": (("power", "high"),)}),
    (
        ["--second-device", "CPUExecutionProvider"],
        {"target": Target(device_keys=(FAST.key,), second_keys=(CPU.key,)), "second_options": ()},
    ),
    (
        ["--device", "Fast:1"],
        {"target": Target(device_keys=(FAST_2.key,)), "second_options": ()},
    ),
    (
        ["--device", "Slow"],
        {"target": Target(device_keys=(SLOW.key,)), "options": (), "second_options": ()},
    ),
    (
        ["--policy", "MAX_PERFORMANCE", "--option", "a=b"],
        {"target": Target(policy=Policy.MAX_PERFORMANCE), "options": (("a", "b"),), "second_options": ()},
    ),
]


@pytest.mark.parametrize(("arguments", "fields"), CHANGES, ids=[" ".join(arguments) for arguments, _ in CHANGES])
def test_that_what_is_given_beside_a_set_up_counts_instead_and_nothing_else_changes(
    saved: Path, arguments: list[str], fields: dict[str, Any]
) -> None:
    assert setup_from(saved, *arguments).settings == replace(setup_from(saved).settings, **fields)


def test_that_options_of_the_session_are_changed_one_by_one(saved: Path) -> None:
    before = setup_from(saved).settings.session
    changed = setup_from(saved, "--config", "b=2", "--no-arena", "--optimization", "all").settings.session
    assert changed == replace(
        before, config=(("a", "1"), ("b", "2")), memory_arena=False, optimization=Optimization.ALL
    )


@pytest.mark.parametrize("is_enabled", [True, False])
def test_that_the_comparison_is_switched_off_and_its_tolerances_stay(saved: Path, is_enabled: bool) -> None:
    text = saved.read_text(encoding="utf-8")
    assert text.count('"enabled": false') == 1
    saved.write_text(text.replace('"enabled": false', f'"enabled": {str(is_enabled).lower()}'), encoding="utf-8")
    before, after = setup_from(saved).settings.check, setup_from(saved, "--no-check").settings.check
    assert (before.enabled, after.enabled) == (is_enabled, False)
    assert after.tolerances == before.tolerances != ()


def test_that_only_the_inputs_named_are_changed(saved: Path) -> None:
    before = {source.name: source for source in setup_from(saved).settings.inputs}
    inputs = setup_from(saved, "--fill", "x=ones", "--image-layout", "NHWC").settings.inputs
    found = {source.name: source for source in inputs}
    assert found["x"] == InputSource(name="x", fill=Fill.ONES)
    image = ImageReading(scaling=ImageScaling.BYTES, layout=ImageLayout.CHANNELS_LAST)
    assert found["image"] == replace(before["image"], image=image)


def test_that_the_sizes_named_take_the_place_of_size_and_sweep(saved: Path) -> None:
    one = setup_from(saved, "--dim", "batch=7")
    assert one.settings.dimensions == (DimensionSize(name="batch", size=7), DimensionSize(name="length", size=16))
    assert one.sweeps == (DimensionSweep(name="length", sizes=(16, 32)),)
    several = setup_from(saved, "--dim", "new=7,9")
    assert several.settings.dimensions[-1] == DimensionSize(name="new", size=7)
    assert several.sweeps[-1] == DimensionSweep(name="new", sizes=(7, 9))


def test_that_too_many_trials_of_a_set_up_and_its_arguments_are_refused(saved: Path) -> None:
    failure = refused(saved, "--dim", f"new={','.join(map(str, range(1, 31)))}").failure
    assert "these sizes make 120 trials; at most 100" in failure.message


def test_that_a_library_given_takes_the_place_of_that_of_the_set_up(saved: Path) -> None:
    folder = saved.parent
    found = order(saved, "--library", "slow=/mine.so", "--library", "more=/more.so").libraries()
    assert found == [("fast", str(folder / "fast.so")), ("slow", "/mine.so"), ("more", "/more.so")]


# ---- What is missing ----


def test_that_a_library_of_the_set_up_that_is_gone_is_named(saved: Path) -> None:
    (saved.parent / "slow.so").unlink()
    with pytest.raises(FailureError) as raised:
        order(saved).libraries()
    failure = raised.value.failure
    assert failure.kind is FailureKind.NO_SUCH_FILE
    assert failure.message == f"The library “slow” of the set-up is not there: {saved.parent}/slow.so."
    assert "--library slow=PATH" in failure.hint
    assert ("slow", "/mine.so") in order(saved, "--library", "slow=/mine.so").libraries()


def test_that_another_target_does_without_a_library_that_is_gone(saved: Path) -> None:
    (saved.parent / "fast.so").unlink()
    wish = order(saved, "--device", "CPUExecutionProvider")
    assert wish.libraries() == [("slow", str(saved.parent / "slow.so"))]
    setup = wish.setup(libraries(saved.parent)[1:], (CPU, SLOW))
    assert setup.settings.target == Target(device_keys=(CPU.key,))


def test_that_a_device_that_is_gone_is_named_and_another_target_helps(saved: Path) -> None:
    failure = refused(saved, devices=(CPU, SLOW)).failure
    assert failure.kind is FailureKind.DEVICE_VANISHED
    assert failure.message == "The device Fast (GPU, Maker) of the library “fast” is not there. Choose another one."
    assert setup_from(saved, "--device", "Slow", devices=(CPU, SLOW)).settings.target.device_keys == (SLOW.key,)


def test_that_a_model_and_an_input_file_that_are_gone_are_named_together(saved: Path) -> None:
    (saved.parent / "net.onnx").unlink()
    (saved.parent / "x.npy").unlink()
    failure = refused(saved).failure
    assert failure.kind is FailureKind.NO_SUCH_FILE
    assert "The model is not there: " in failure.message
    assert "The file of the input “x” is not there: " in failure.message
    assert "“x”" not in refused(saved, "--fill", "x=ones").failure.message


def test_that_the_place_of_other_hardware_is_remarked(saved: Path) -> None:
    (other,) = with_keys([replace(SLOW, key="", device=replace(SLOW.device, vendor="Other", vendor_id=7))])
    wish = order(saved)
    setup = wish.setup(libraries(saved.parent), (CPU, FAST, other))
    assert setup.settings.target.second_keys == (other.key,)
    assert wish.remarks == ("Slow (NPU, Maker) is not there; Slow (NPU, Other) takes its place.",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "setup.json cannot be read: No such file or directory."),
        ("{}", "setup.json is not a set-up."),
        ('{"format": "ort-device-explorer report 1"}', "setup.json is a device report, not a set-up."),
    ],
)
def test_that_a_file_that_is_no_set_up_is_said_to_be_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "setup.json").write_text(content, encoding="utf-8")
    with pytest.raises(FailureError) as raised:
        order("setup.json")
    assert raised.value.failure.kind is FailureKind.NOT_A_SETUP
    assert raised.value.failure.message == message


def test_that_a_second_device_beside_a_policy_of_the_set_up_is_refused(saved: Path) -> None:
    setup = setup_from(saved, "--policy", "PREFER_GPU")
    saved.write_text(setup_json(setup, saved.parent), encoding="utf-8")
    assert "no second choice without a first" in refused(saved, "--second-device", "Slow").failure.message
