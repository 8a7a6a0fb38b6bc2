"""The text of scripts: what is in it and what is not, how paths are written, and what no script can be made of."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.engine.elements import ELEMENTS
from gui.records.device import Device, DeviceType, HardwareDevice, with_keys
from gui.records.inputs import Fill, InputFact, InputSource, SourceKind
from gui.records.library import Library, LibraryState
from gui.records.log import LogSeverity
from gui.records.model import TensorInfo
from gui.records.placement import COUNTED_NOTE, Placement
from gui.records.protocol import Greeting
from gui.records.script_elements import SCRIPT_ELEMENTS
from gui.records.script_parts import STATISTICS_CODE
from gui.records.setup import SetupLibrary
from gui.records.statistics import median_ranks, nearest_rank, summarize
from gui.records.trial import (
    Binding,
    DimensionSize,
    ExecutionMode,
    Optimization,
    Policy,
    SessionSettings,
    Stage,
    StopRule,
    Target,
    TrialFacts,
    TrialSettings,
)
from gui.records.trial_script import trial_script

CPU, NPU = with_keys(
    (
        Device(ep_name="CPUExecutionProvider", device=HardwareDevice(type=DeviceType.CPU, vendor_id=0x1022)),
        Device(
            ep_name="SomeEp",
            ep_metadata=(("version", "1.2.3"), ("library_path", "/some.so"), ("kind", "b")),
            device=HardwareDevice(type=DeviceType.NPU, vendor_id=0x8086, device_id=0x7D1D, metadata=(("slot", "1"),)),
            library="some",
        ),
    )
)
LIBRARIES = (
    Library(name="other", path="/other.so", state=LibraryState.LOADED),
    Library(name="some", path="/some.so", state=LibraryState.LOADED),
    Library(name="broken", path="/broken.so", state=LibraryState.FAILED),
)
FACT = InputFact(name="x", type="tensor(float)", shape=(2, 3), source=InputSource(name="x", fill=Fill.UNIFORM))
FACTS = TrialFacts(
    stage=Stage.CHECKING,
    session_creation_ns=5,
    placement=(Placement(ep_name="SomeEp", node_count=4, op_types=()),),
    inputs=(FACT,),
    outputs=(TensorInfo(name="y", type="tensor(float)", shape=(2, 3)),),
)
GREETING = Greeting(
    protocol=1,
    application="0.9",
    onnxruntime="1.30.0",
    python="3.11.7 (main)",
    platform="Linux",
    numpy="2.4.6",
    process_id=1,
    cpu="A CPU",
)
ON_CPU = TrialSettings(model_path="/m.onnx", target=Target(device_keys=(CPU.key,)))
ON_NPU = replace(ON_CPU, target=Target(device_keys=(NPU.key,)))
EVERYTHING = replace(
    ON_NPU,
    target=Target(device_keys=(NPU.key,), second_keys=(CPU.key,)),
    options=(("mode", "fast"),),
    second_options=(("threads", "2"),),
    dimensions=(DimensionSize(name="batch", size=4), DimensionSize(name="x[1]", size=3)),
    stop_rule=StopRule(seconds=2.5, stable_percent=1),
    intra_op_threads=3,
    session=SessionSettings(
        optimization=Optimization.DISABLED,
        inter_op_threads=2,
        execution_mode=ExecutionMode.PARALLEL,
        memory_pattern=False,
        memory_arena=False,
        deterministic=True,
        log_severity=LogSeverity.ERROR,
        strict=True,
        config=(("a.b", "c"),),
        optimized_model_path="/o.onnx",
    ),
    binding=Binding.IO_BINDING,
    callers=2,
    pause_ms=1.5,
    run_timeout_s=3,
)


def script(
    settings: TrialSettings = ON_CPU, facts: TrialFacts | None = FACTS, environment: Greeting | None = GREETING
) -> str:
    return trial_script(settings, (CPU, NPU), LIBRARIES, facts, environment)


def with_input(**changes: Any) -> TrialFacts:
    return replace(FACTS, inputs=(replace(FACT, **changes),))


def lines_of(text: str, holding: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if holding in line]


# ---- What is in it ----


def test_that_only_what_is_other_than_ort_has_it_is_set() -> None:
    assert lines_of(script(), "options.") == [
        'options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")',
        "options.add_provider_for_devices(devices, {})",
    ]


def test_that_all_that_is_chosen_is_set_in_the_order_of_the_engine() -> None:
    assert lines_of(script(EVERYTHING), "    options.") == [
        "options.intra_op_num_threads = 3",
        "options.inter_op_num_threads = 2",
        "options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL",
        "options.execution_mode = ort.ExecutionMode.ORT_PARALLEL",
        "options.enable_mem_pattern = False",
        "options.enable_cpu_mem_arena = False",
        "options.use_deterministic_compute = True",
        "options.log_severity_level = 3",
        'options.optimized_model_filepath = "/o.onnx"',
        'options.add_session_config_entry("a.b", "c")',
        'options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")',
        'options.add_free_dimension_override_by_name("batch", 4)',
        'options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")',
        'options.add_provider_for_devices(devices, {"mode": "fast"})',
        'options.add_provider_for_devices(devices, {"threads": "2"})',
    ]


def test_that_a_device_is_named_by_what_identifies_it_and_not_by_its_version() -> None:
    (line,) = lines_of(script(ON_NPU), "find_device(brought")
    assert line == ('find_device(brought["some"], "SomeEp", "NPU", 0x8086, 0x7d1d, {"kind": "b"}, {"slot": "1"}),')
    (line,) = lines_of(script(), "find_device(brought")
    assert line == 'find_device(brought[""], "CPUExecutionProvider", "CPU", 0x1022, 0x0000, {}, {}),'


def test_that_only_the_libraries_of_the_target_are_registered() -> None:
    assert lines_of(script(ON_NPU), '.so"') == ['"some": "/some.so",']
    assert "register" not in script(ON_CPU)


def test_that_a_policy_has_all_libraries_that_were_loaded() -> None:
    settings = replace(
        ON_CPU, target=Target(policy=Policy.PREFER_NPU), options=(("mode", "fast"), ("ep.someep.only", "1"))
    )
    text = script(settings)
    assert lines_of(text, '.so"') == ['"other": "/other.so",', '"some": "/some.so",']
    assert lines_of(text, "policy(") == [
        "options.set_provider_selection_policy(ort.OrtExecutionProviderDevicePolicy.PREFER_NPU)"
    ]
    assert lines_of(text, "_entry(")[1:] == [
        'options.add_session_config_entry("ep.someep.only", "1")',
        'options.add_session_config_entry(f"ep.{ep_name.lower()}." + "mode", "fast")',
    ]


def test_that_libraries_of_a_set_up_serve_as_well() -> None:
    text = trial_script(ON_NPU, (NPU,), (SetupLibrary(name="some", path="/else.so"),), FACTS, None)
    assert lines_of(text, '.so"') == ['"some": "/else.so",']


def test_that_the_head_says_where_the_record_it_prints_has_gaps() -> None:
    text = script(ON_NPU, facts=replace(FACTS, notes=(COUNTED_NOTE,)))
    assert lines_of(text, "ORT's own record")
    assert not lines_of(script(ON_NPU), "ORT's own record")


def test_that_the_head_says_what_it_repeats_and_what_it_needs() -> None:
    head = script(ON_NPU).partition("\n\n")[0].splitlines()
    assert head[:3] == [
        "# Repeats a trial of ORT Device Explorer 0.9: m.onnx on SomeEp (NPU).",
        "# There it was placed so: SomeEp: 4 nodes.",
        "# It ran with onnxruntime 1.30.0, numpy 2.4.6 and Python 3.11.7 on Linux, A CPU.",
    ]
    assert "# It needs: python -m pip install onnxruntime==1.30.0 numpy==2.4.6" in head
    assert "# It needs: python -m pip install onnxruntime numpy" in script(environment=None)


@pytest.mark.parametrize(
    ("changes", "package"),
    [
        ({"source": InputSource(name="x", kind=SourceKind.FILE, path="/x.pb")}, "onnx"),
        ({"source": InputSource(name="x", kind=SourceKind.IMAGE, path="/x.png"), "shape": (3, 4, 4)}, "pillow"),
        ({"type": "tensor(float8e5m2)"}, "ml_dtypes"),
    ],
)
def test_that_further_packages_are_asked_for_only_where_they_are_used(changes: dict[str, Any], package: str) -> None:
    asked = f" numpy==2.4.6 {package}"
    assert asked in script(facts=with_input(**changes))
    assert package not in script().partition("def ")[0].replace("onnxruntime", "").replace(".onnx", "")


def test_that_an_input_that_is_left_out_is_only_spoken_of() -> None:
    text = script(facts=with_input(source=InputSource(name="x", kind=SourceKind.OMITTED), shape=None))
    assert lines_of(text, "# x:") == ["# x: tensor(float), left out"]
    assert "feeds[" not in text


def test_that_dimensions_without_a_name_in_the_model_are_no_overrides() -> None:
    facts = replace(FACTS, dimensions=(DimensionSize(name="batch", size=2), DimensionSize(name="x[1]", size=3)))
    assert lines_of(script(facts=facts), "override") == ['options.add_free_dimension_override_by_name("batch", 2)']


# ---- How it is written ----


@pytest.mark.parametrize(
    "path",
    [
        "/a b/it's.onnx",
        '/a "quote".onnx',
        "/both ' and \".onnx",
        "C:\\new\\table.onnx",
        "/grün/日本.onnx",
        "/\udc80.onnx",
        "/line\nbreak # {x}.onnx",
        '/"""; import os #.onnx',
    ],
)
def test_that_any_path_is_what_it_was(path: str) -> None:
    source = InputSource(name="x", kind=SourceKind.FILE, path=path + ".npy")
    text = script(replace(ON_CPU, model_path=path), with_input(source=source, name=path))
    text.encode("utf-8")
    tree = ast.parse(text)
    values = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {path, path + ".npy"} <= values
    (model,) = (node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MODEL")
    assert ast.literal_eval(model.value) == path


@pytest.mark.parametrize("element", SCRIPT_ELEMENTS)
@pytest.mark.parametrize("settings", [ON_CPU, EVERYTHING], ids=["plain", "everything"])
def test_that_ruff_has_nothing_to_say_by_its_own_rules(tmp_path: Path, settings: TrialSettings, element: str) -> None:
    facts = with_input(type=f"tensor({element})", source=InputSource(name="x"))
    if element in ("bfloat16", "string"):
        facts = replace(facts, outputs=(TensorInfo(name="y", type=f"tensor({element})", shape=(1,)),))
    text = script(settings, facts)
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", str(tmp_path / "script.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("settings", [ON_CPU, ON_NPU, EVERYTHING])
def test_that_nothing_of_this_application_is_imported(settings: TrialSettings) -> None:
    roots = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(script(settings)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert roots - sys.stdlib_module_names == {"numpy", "onnxruntime"}


def test_that_the_same_trial_gives_the_same_text() -> None:
    assert script(EVERYTHING) == script(EVERYTHING)


# ---- What cannot be expressed ----


@pytest.mark.parametrize("facts", [None, TrialFacts()])
def test_that_a_trial_without_inputs_has_no_script(facts: TrialFacts | None) -> None:
    with pytest.raises(ValueError, match=r"^The trial ended before its inputs were made, .*\.$"):
        script(facts=facts)


def test_that_a_model_without_inputs_has_one() -> None:
    assert "feeds = {}\n    return feeds" in script(facts=replace(FACTS, inputs=()))


def test_that_a_device_that_is_not_known_is_told() -> None:
    with pytest.raises(ValueError, match=r"^What identifies the device some/SomeEp/.* is not known\.$"):
        trial_script(ON_NPU, (CPU,), LIBRARIES, FACTS, None)
    with pytest.raises(ValueError, match=r"^Where the library “some” of this trial lies is not known\.$"):
        trial_script(ON_NPU, (NPU,), (), FACTS, None)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"type": "seq(tensor(float))", "shape": None}, "its shape is not known"),
        ({"type": "tensor(complex64)"}, "ONNX Runtime takes no"),
        (
            {"type": "seq(tensor(bfloat16))", "source": InputSource(name="x", kind=SourceKind.FILE, path="/x.pb")},
            "from a .pb file",
        ),
        ({"source": InputSource(name="x", kind=SourceKind.IMAGE, path="/x.png"), "shape": (2,)}, "of an image"),
    ],
)
def test_that_an_input_that_cannot_be_repeated_is_told(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=rf"^The input x cannot be repeated in a script: .*{why}.*\.$"):
        script(facts=with_input(**changes))


def test_that_io_binding_of_optional_outputs_is_refused_as_the_engine_does() -> None:
    facts = replace(FACTS, outputs=(TensorInfo(name="y", type="optional(tensor(float))", shape=None),))
    with pytest.raises(ValueError, match="optional output"):
        script(replace(ON_CPU, binding=Binding.IO_BINDING), facts)


# ---- The table of elements ----


def test_that_scripts_know_the_same_elements_as_the_engine() -> None:
    assert list(SCRIPT_ELEMENTS) == list(ELEMENTS)


@pytest.mark.parametrize("name", ELEMENTS)
def test_that_an_element_is_to_scripts_what_it_is_to_the_engine(name: str) -> None:
    ours, engines = SCRIPT_ELEMENTS[name], ELEMENTS[name]
    storage = object if ours.storage == "object" else getattr(np, ours.storage.removeprefix("np."))
    assert np.dtype(storage) == np.dtype(engines.storage)
    for field in ("onnx_number", "is_float", "is_bits", "packed_bits", "limit", "least", "is_integer", "is_text"):
        assert getattr(ours, field) == getattr(engines, field), field
    if ours.is_integer:
        assert (ours.low, ours.high) == (engines.low, engines.high)


def test_that_a_script_has_the_same_statistics_as_we_have() -> None:
    """The definitions stand twice, since a script must do without us: they must not drift apart."""
    code: dict[str, Any] = {"math": math, "np": np}
    exec(STATISTICS_CODE, code)  # noqa: S102 our own text
    counts = [*range(1, 120), 250, 999, 1000, 1001, 4321, 99_999, 1_000_000, 19_990_000]
    for count in counts:
        assert code["median_ranks"](count) == median_ranks(count)
        for percent in (50, 90, 95, 99, 99.9):
            assert code["nearest_rank"](count, percent) == nearest_rank(count, percent)
    for count in (1, 5, 200, 3000):
        samples = np.random.default_rng(count).lognormal(14, 0.3, count).astype(np.int64)
        told, ours = code["statistics_of"](samples, 10**9), summarize(samples, 10**9)
        assert ours is not None
        interval = None if ours.median_low_ns is None else [ours.median_low_ns, ours.median_high_ns]
        assert told["median_95_ns"] == interval
        for name in ("min_ns", "median_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns"):
            assert told[name] == getattr(ours, name)
        assert told["mean_ns"] == pytest.approx(ours.mean_ns)
        assert told["std_ns"] == (None if ours.std_ns is None else pytest.approx(ours.std_ns))
        assert told["throughput_per_s"] == ours.throughput_per_s
