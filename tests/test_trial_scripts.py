"""*Copy as Python*: scripts are run where this application is not, and find what the trial in the engine found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from gui.engine.elements import ELEMENTS, Element
from gui.engine.inputs import MadeInputs, make_inputs
from gui.records.check import CheckSettings
from gui.records.device import Device
from gui.records.failure import FailureError
from gui.records.inputs import (
    ChannelOrder,
    Fill,
    ImageLayout,
    ImageReading,
    ImageScaling,
    InputSource,
    SourceKind,
)
from gui.records.model import TensorInfo
from gui.records.trial import (
    Binding,
    DimensionSize,
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

from .clean_python import CleanPython, ScriptRun, content_of_pb
from .conftest import SAMPLE_MODELS, DoubleFactory
from .console import only_complaint, read_json, run_main
from .engine.tiny_models import bytes_of
from .engine_process import EngineProcess

CPU = "CPUExecutionProvider"
TINY, IMAGE, TEXT = (SAMPLE_MODELS / f"{name}.onnx" for name in ("tiny_mlp", "image_classifier", "text_transformer"))
FEW = StopRule(iterations=40)

Repeat = Callable[..., ScriptRun]
"""Takes settings; runs the trial and its script, compares them and returns how the script ended."""


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> CleanPython:
    return CleanPython(tmp_path_factory.mktemp("clean python"))


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess() as engine:
        engine.greeting()
        yield engine


@pytest.fixture
def repeat(engine: EngineProcess, clean: CleanPython, tmp_path: Path) -> Iterator[Repeat]:
    """Libraries are unregistered after the test."""

    def run(settings: TrialSettings) -> ScriptRun:
        settings = replace(settings, outputs_folder=str(tmp_path / "outputs"), check=CheckSettings(enabled=False))
        inventory = engine.inventory()
        facts = engine.run_trial(settings)
        text = trial_script(settings, inventory.devices, inventory.libraries, facts, engine.greeting())
        assert "gui" not in text.split()
        done = clean.run_script(text)
        assert done.code == 0, done.errors
        assert facts.placement is not None
        assert done.found["placement"] == {part.ep_name: part.node_count for part in facts.placement}
        assert done.found["outputs"] == {
            output.name: {
                "shape": None if output.shape is None else list(output.shape),
                "blake2b": hashlib.blake2b(
                    content_of_pb(tmp_path / "outputs" / f"output_{number}.pb", output.type)
                ).hexdigest(),
            }
            for number, output in enumerate(facts.outputs)
        }
        assert len(done.found["samples_ns"]) == done.found["statistics"]["samples"]
        if settings.stop_rule.iterations is not None:
            assert len(done.found["samples_ns"]) == facts.sample_count
        return done

    yield run
    for library in engine.inventory().libraries:
        engine.unregister(library.name)


def device_of(engine: EngineProcess, ep_name: str, number: int = 0) -> Device:
    return [device for device in engine.inventory().devices if device.ep_name == ep_name][number]


def on(engine: EngineProcess, ep_name: str = CPU, number: int = 0) -> Target:
    return Target(device_keys=(device_of(engine, ep_name, number).key,))


def settings_of(model: Path, target: Target, **others: Any) -> TrialSettings:
    given = {"warmup": 3, "stop_rule": FEW, "intra_op_threads": 1, **others}
    return TrialSettings(model_path=str(model), target=target, **given)


# ---- Targets ----


def test_that_a_trial_on_the_cpu_is_repeated(engine: EngineProcess, repeat: Repeat) -> None:
    done = repeat(settings_of(TINY, on(engine), seed=7))
    assert "placement         CPUExecutionProvider: 8 nodes" in done.out
    assert "median" in done.out
    assert done.errors == ""


@pytest.mark.ggml
@pytest.mark.parametrize("options", [(), (("weights", "f32"), ("threads", "1"))])
def test_that_a_trial_on_ggml_is_repeated_with_its_options(
    engine: EngineProcess, repeat: Repeat, ggml_library: Path, options: tuple[tuple[str, str], ...]
) -> None:
    engine.register("ggml", ggml_library)
    done = repeat(settings_of(TINY, on(engine, "ggml"), options=options))
    assert set(done.found["placement"]) == {"ggml"}


@pytest.mark.parametrize("policy", [Policy.PREFER_CPU, Policy.PREFER_NPU])
def test_that_a_policy_is_repeated_with_all_libraries(
    engine: EngineProcess, repeat: Repeat, double_library: DoubleFactory, add_model: Path, policy: Policy
) -> None:
    engine.register("one", double_library("type=NPU,name=OneEp"))
    engine.register("two", double_library("type=GPU,name=TwoEp"))
    options = (("mode", "fast"), ("ep.oneep.other", "1"))
    done = repeat(settings_of(add_model, Target(policy=policy), options=options))
    assert set(done.found["placement"]) == ({"OneEp"} if policy is Policy.PREFER_NPU else {CPU})


def test_that_a_policy_without_libraries_is_repeated(repeat: Repeat) -> None:
    assert set(repeat(settings_of(TINY, Target(policy=Policy.MAX_EFFICIENCY))).found["placement"]) == {CPU}


def test_that_the_right_one_of_equal_devices_is_found(
    engine: EngineProcess, repeat: Repeat, double_library: DoubleFactory, add_model: Path
) -> None:
    library = double_library("count=3,name=Triple,meta.kind=odd")
    engine.register("first", library)
    engine.register("second", library)
    target = Target(device_keys=tuple(device.key for device in engine.inventory().devices if device.key[-2:] == "#2"))
    for key in target.device_keys:
        assert set(repeat(settings_of(add_model, Target(device_keys=(key,)))).found["placement"]) == {"Triple"}
    assert len(target.device_keys) == 2


def test_that_several_devices_of_an_ep_are_handed_over_together(
    engine: EngineProcess, repeat: Repeat, double_library: DoubleFactory, add_model: Path
) -> None:
    engine.register("pair", double_library("count=2,type=GPU+NPU,name=Pair"))
    keys = tuple(device.key for device in engine.inventory().devices if device.ep_name == "Pair")
    assert len(keys) == 2
    repeat(settings_of(add_model, Target(device_keys=keys), options=(("mode", "both"),)))


def test_that_the_second_choice_gets_what_the_first_leaves(
    engine: EngineProcess, repeat: Repeat, double_library: DoubleFactory, tail_model: Path
) -> None:
    engine.register("first", double_library("claim=Add,name=FirstEp"))
    engine.register("second", double_library("claim=Mul,name=SecondEp,factor=2"))
    first, second = (device_of(engine, name).key for name in ("FirstEp", "SecondEp"))
    target = Target(device_keys=(first,), second_keys=(second,))
    done = repeat(settings_of(tail_model, target, options=(("a", "1"),), second_options=(("b", "2"),)))
    assert done.found["placement"] == {"FirstEp": 1, "SecondEp": 1, CPU: 1}


def test_that_a_device_that_is_gone_is_told_with_those_that_are_there(
    engine: EngineProcess, clean: CleanPython, double_library: DoubleFactory, add_model: Path, tmp_path: Path
) -> None:
    library = tmp_path / "lib.so"
    library.write_bytes(double_library("name=Gone,type=NPU").read_bytes())
    engine.register("gone", double_library("name=Gone,type=NPU"))
    inventory = engine.inventory()
    settings = settings_of(add_model, on(engine, "Gone"))
    facts = engine.run_trial(settings)
    engine.unregister("gone")
    libraries = tuple(replace(entry, path=str(library)) for entry in inventory.libraries)
    done = clean.run_script(trial_script(settings, inventory.devices, libraries, facts, None))
    assert done.code == 1
    assert "A device of this trial is not here: Gone, NPU, vendor" in done.errors
    assert f"There are:\n  {CPU}, CPU" in done.errors  # the file took the orders of its name: it has none
    libraries = tuple(replace(entry, path=str(tmp_path / "no.so")) for entry in inventory.libraries)
    done = clean.run_script(trial_script(settings, inventory.devices, libraries, facts, None))
    assert (done.code, done.errors) == (1, f"The library gone is not there: {tmp_path / 'no.so'}\n")


def test_that_a_trial_that_strict_refused_fails_in_the_script_too(
    engine: EngineProcess, clean: CleanPython, double_library: DoubleFactory, tail_model: Path
) -> None:
    engine.register("strict", double_library("name=StrictEp"))
    inventory = engine.inventory()
    settings = settings_of(tail_model, on(engine, "StrictEp"), session=SessionSettings(strict=True))
    request = engine.start_trial(settings)
    with pytest.raises(FailureError):
        engine.answer(request, TrialFacts)
    facts = engine.facts(request)[-1]
    engine.unregister("strict")
    done = clean.run_script(trial_script(settings, inventory.devices, inventory.libraries, facts, None))
    assert done.code == 1
    assert "fallback to CPU EP has been explicitly disabled" in done.errors


# ---- Sessions and runs ----


def test_that_settings_of_the_session_do_no_harm(engine: EngineProcess, repeat: Repeat, tmp_path: Path) -> None:
    session = SessionSettings(
        optimization=Optimization.BASIC,
        inter_op_threads=2,
        memory_pattern=False,
        memory_arena=False,
        deterministic=True,
        config=(("session.intra_op.allow_spinning", "0"),),
        optimized_model_path=str(tmp_path / "optimised.onnx"),
    )
    repeat(settings_of(TINY, on(engine), session=session))


def test_that_free_dimensions_have_the_sizes_of_the_trial(engine: EngineProcess, repeat: Repeat) -> None:
    sizes = (DimensionSize(name="batch", size=2), DimensionSize(name="sequence", size=5))
    done = repeat(settings_of(TEXT, on(engine), dimensions=sizes))
    assert [output["shape"][0] for output in done.found["outputs"].values()] == [2] * len(done.found["outputs"])


@pytest.mark.parametrize("callers", [1, 3])
@pytest.mark.parametrize("binding", Binding)
def test_that_binding_and_callers_are_repeated(
    engine: EngineProcess, repeat: Repeat, binding: Binding, callers: int
) -> None:
    repeat(settings_of(TINY, on(engine), binding=binding, callers=callers))


@pytest.mark.parametrize("callers", [1, 2])
def test_that_measuring_ends_when_the_median_is_stable(engine: EngineProcess, repeat: Repeat, callers: int) -> None:
    rule = StopRule(seconds=60, stable_percent=50)
    done = repeat(settings_of(TINY, on(engine), stop_rule=rule, callers=callers))
    low, high = done.found["statistics"]["median_95_ns"]
    median = done.found["statistics"]["median_ns"]
    assert max(high - median, median - low) <= median / 2
    assert done.found["measured_ns"] < 60e9


@pytest.mark.parametrize("callers", [1, 2])
def test_that_measuring_ends_after_a_time_with_its_pauses(engine: EngineProcess, repeat: Repeat, callers: int) -> None:
    done = repeat(settings_of(TINY, on(engine), stop_rule=StopRule(seconds=0.2), callers=callers, pause_ms=5))
    assert done.found["measured_ns"] >= 0.1e9
    assert 1 < len(done.found["samples_ns"]) <= callers * 41


def test_that_a_run_that_takes_too_long_ends_the_script(
    engine: EngineProcess, clean: CleanPython, double_library: DoubleFactory, add_model: Path
) -> None:
    engine.register("slow", double_library("name=SlowEp,delay_us=300000"))
    inventory = engine.inventory()
    settings = settings_of(add_model, on(engine, "SlowEp"), run_timeout_s=30.0, stop_rule=StopRule(iterations=1))
    facts = engine.run_trial(replace(settings, warmup=0))
    engine.unregister("slow")
    lasting = trial_script(replace(settings, warmup=0), inventory.devices, inventory.libraries, facts, None)
    assert clean.run_script(lasting).code == 0
    ending = trial_script(replace(settings, run_timeout_s=0.05), inventory.devices, inventory.libraries, facts, None)
    done = clean.run_script(ending)
    assert done.code == 1
    assert "a run took longer than 0.05 s" in done.errors


def test_that_the_statistics_are_those_of_the_trial_by_definition(engine: EngineProcess, repeat: Repeat) -> None:
    from gui.records.statistics import summarize

    found = repeat(settings_of(TINY, on(engine), stop_rule=StopRule(iterations=1500))).found
    told, ours = found["statistics"], summarize(np.array(found["samples_ns"]), found["measured_ns"])
    assert ours is not None
    assert told["median_95_ns"] == [ours.median_low_ns, ours.median_high_ns]
    for name in ("min_ns", "median_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns"):
        assert told[name] == getattr(ours, name)
    assert told["mean_ns"] == pytest.approx(ours.mean_ns)
    assert told["std_ns"] == pytest.approx(ours.std_ns)
    assert told["throughput_per_s"] == pytest.approx(ours.throughput_per_s)


# ---- Inputs, in whole scripts ----


@pytest.mark.parametrize("kind", ["npy", "npz", "pb"])
def test_that_inputs_come_from_files_with_odd_names(
    engine: EngineProcess, repeat: Repeat, tmp_path: Path, kind: str
) -> None:
    values = np.random.default_rng(1).random((3, 32), np.float32)
    path = tmp_path / f"it's “grün” \\ and so.{kind}"
    entry = ""
    if kind == "npy":
        np.save(path, np.asfortranarray(values.astype(">f4")))
    elif kind == "npz":
        np.savez(path, other=values[:1], mine=values)
        entry = "mine"
    else:
        path.write_bytes(numpy_helper.from_array(values).SerializeToString())
    source = InputSource(name="features", kind=SourceKind.FILE, path=str(path), entry=entry)
    done = repeat(settings_of(TINY, on(engine), inputs=(source,)))
    assert [output["shape"][0] for output in done.found["outputs"].values()] == [3]


def test_that_an_image_is_an_input(engine: EngineProcess, repeat: Repeat, tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 255, (50, 70, 3), np.uint8, endpoint=True)
    Image.fromarray(pixels).save(tmp_path / "a picture.png")
    name = onnx.load(str(IMAGE)).graph.input[0].name
    reading = ImageReading(scaling=ImageScaling.IMAGENET, channels=ChannelOrder.BGR)
    source = InputSource(name=name, kind=SourceKind.IMAGE, path=str(tmp_path / "a picture.png"), image=reading)
    repeat(settings_of(IMAGE, on(engine), inputs=(source,), dimensions=(DimensionSize(name="batch", size=2),)))


def model_of(path: Path, nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], *constants: Any) -> Path:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_value_info(name, kind) for name, kind in inputs.items()],
        [helper.make_value_info(name, kind) for name, kind in outputs.items()],
        list(constants),
    )
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)]), str(path))
    return path


def test_that_types_that_numpy_lacks_go_in_and_come_out(engine: EngineProcess, repeat: Repeat, tmp_path: Path) -> None:
    bfloat16, int4 = (helper.make_tensor_type_proto(kind, [2, 3]) for kind in (TensorProto.BFLOAT16, TensorProto.INT4))
    model = model_of(
        tmp_path / "bits.onnx",
        [helper.make_node("Identity", ["a"], ["x"]), helper.make_node("Cast", ["b"], ["y"], to=TensorProto.INT8)],
        {"a": bfloat16, "b": int4},
        {"x": bfloat16, "y": helper.make_tensor_type_proto(TensorProto.INT8, [2, 3])},
    )
    repeat(settings_of(model, on(engine)))
    repeat(settings_of(model, on(engine), binding=Binding.IO_BINDING))


def test_that_sequences_texts_and_what_is_left_out_are_repeated(
    engine: EngineProcess, repeat: Repeat, tmp_path: Path
) -> None:
    floats = helper.make_tensor_type_proto(TensorProto.FLOAT, ["n", 2])
    texts = helper.make_tensor_type_proto(TensorProto.STRING, [3])
    sequence = helper.make_sequence_type_proto(floats)
    model = model_of(
        tmp_path / "lists.onnx",
        [
            helper.make_node("Identity", ["s"], ["t"]),
            helper.make_node("Identity", ["words"], ["same"]),
            helper.make_node("Add", ["k", "k"], ["sum"]),
        ],
        {"s": sequence, "words": texts, "k": helper.make_tensor_type_proto(TensorProto.FLOAT, [2])},
        {"t": sequence, "same": texts, "sum": helper.make_tensor_type_proto(TensorProto.FLOAT, [2])},
        numpy_helper.from_array(np.ones(2, np.float32), "k"),
    )
    sources = (InputSource(name="s", length=3), InputSource(name="k", kind=SourceKind.OMITTED))
    done = repeat(settings_of(model, on(engine), inputs=sources, dimensions=(DimensionSize(name="n", size=4),)))
    assert done.found["outputs"]["t"]["shape"] is None


# ---- Inputs, value by value ----


def script_inputs(tensor: TensorInfo, made: MadeInputs, seed: int) -> dict[str, Any]:
    """Return what the function of a script makes of what the engine took."""
    facts = TrialFacts(stage=Stage.CREATING_SESSION, inputs=made.facts)
    settings = TrialSettings(model_path="m.onnx", target=Target(policy=Policy.DEFAULT), seed=seed)
    names: dict[str, Any] = {"__name__": "script"}
    exec(trial_script(settings, (), (), facts, None), names)  # noqa: S102 our own text
    feeds: dict[str, Any] = names["make_inputs"]()
    return feeds


def assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, ort.OrtValue):
        assert (one.data_type(), one.shape()) == (other.data_type(), other.shape())
        assert bytes_of(one) == bytes_of(other)
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.flags.c_contiguous) == (other.dtype, other.shape, True)
        assert one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes()
    elif isinstance(one, list):
        for mine, its in zip(one, other, strict=True):
            assert_same(mine, its)
    else:
        assert one == other


def compare(tensor: TensorInfo, source: InputSource, seed: int = 3, **sizes: int) -> None:
    made = make_inputs((tensor,), sizes, seed, (source,))
    feeds = script_inputs(tensor, made, seed)
    assert feeds.keys() == made.feeds.keys()
    for name, value in made.feeds.items():
        assert_same(value, feeds[name])


FILLS = {
    "automatic": InputSource(name="x"),
    "uniform": InputSource(name="x", fill=Fill.UNIFORM, low=-1, high=6),
    "uniform by halves": InputSource(name="x", fill=Fill.UNIFORM, low=0.5, high=1.5),
    "normal": InputSource(name="x", fill=Fill.NORMAL, low=1, high=2.5),
    "wide normal": InputSource(name="x", fill=Fill.NORMAL, low=0, high=1e5),
    "zeros": InputSource(name="x", fill=Fill.ZEROS),
    "ones": InputSource(name="x", fill=Fill.ONES),
    "constant": InputSource(name="x", fill=Fill.CONSTANT, value="1"),
    "integers": InputSource(name="x", fill=Fill.INTEGERS, low=0, high=1),
    "values": InputSource(name="x", fill=Fill.VALUES, value="0, 1, 1, 0, 1, 1"),
}


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("element", ELEMENTS.values(), ids=lambda element: element.name)
def test_that_generated_values_are_bit_for_bit_those_of_the_engine(element: Element, fill: str) -> None:
    tensor = TensorInfo(name="x", type=f"tensor({element.name})", shape=(2, 3))
    try:
        make_inputs((tensor,), {}, 0, (FILLS[fill],))
    except FailureError:
        return  # the type does not hold such values: a trial has none of them
    except (ort.capi.onnxruntime_pybind11_state.NotImplemented, RuntimeError):
        pytest.skip(f"this onnxruntime has no {element.name}")
    compare(tensor, FILLS[fill])


@pytest.mark.parametrize(
    ("element", "source"),
    [
        ("float", InputSource(name="x", fill=Fill.CONSTANT, value="nan")),
        ("float", InputSource(name="x", fill=Fill.CONSTANT, value="-0.0")),
        ("double", InputSource(name="x", fill=Fill.UNIFORM, low=-1.7e308, high=1.7e308)),
        ("bfloat16", InputSource(name="x", fill=Fill.CONSTANT, value="-inf")),
        ("uint64", InputSource(name="x", fill=Fill.INTEGERS, low=0, high=2**64 - 1)),
        ("int64", InputSource(name="x", fill=Fill.NORMAL, low=0, high=1e19)),
        ("int64", InputSource(name="x", fill=Fill.CONSTANT, value="0x7f")),
        ("int32", InputSource(name="x", fill=Fill.UNIFORM, low=5, high=5)),
        ("string", InputSource(name="x", fill=Fill.CONSTANT, value='it\'s "so"\n\\')),
        ("string", InputSource(name="x", fill=Fill.VALUES, value='"a, b", \'c\', grün, , "", \\n')),
        ("bool", InputSource(name="x", fill=Fill.VALUES, value="true, no, 1, 0, yes, false")),
        ("float16", InputSource(name="x", fill=Fill.VALUES, value="1e-3, 0.1, 65504, -1, inf, nan")),
    ],
)
def test_that_values_at_the_edge_are_those_of_the_engine(element: str, source: InputSource) -> None:
    compare(TensorInfo(name="x", type=f"tensor({element})", shape=(3, "n")), source, n=2)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3)])
def test_that_scalars_and_nothing_have_their_shape(shape: tuple[int, ...]) -> None:
    for fill in (Fill.UNIFORM, Fill.CONSTANT):
        compare(TensorInfo(name="x", type="tensor(float)", shape=shape), InputSource(name="x", fill=fill, value="2"))


@pytest.mark.parametrize("element", ["int8", "uint8", "float", "bool", "int4"])
@pytest.mark.parametrize("fill", [Fill.UNIFORM, Fill.NORMAL])
def test_that_more_than_a_million_values_are_drawn_as_the_engine_draws_them(element: str, fill: Fill) -> None:
    source = InputSource(name="x", fill=fill, low=0, high=3)
    compare(TensorInfo(name="x", type=f"tensor({element})", shape=(2, 1 << 20, 1)), source)


@pytest.mark.parametrize(
    "type_text",
    ["seq(tensor(float))", "seq(tensor(string))", "optional(tensor(int64))", "optional(seq(tensor(float)))"],
)
def test_that_sequences_and_optionals_are_those_of_the_engine(type_text: str) -> None:
    compare(TensorInfo(name="x", type=type_text, shape=(2, "n")), InputSource(name="x", length=3), n=2)


@pytest.mark.parametrize("key", ["int64", "string"])
@pytest.mark.parametrize("within", ["map({},tensor(float))", "seq(map({},tensor(float)))"])
def test_that_maps_are_those_of_the_engine(key: str, within: str) -> None:
    source = InputSource(name="x", length=28, fill=Fill.UNIFORM, low=-1, high=1)
    compare(TensorInfo(name="x", type=within.format(key), shape=()), source)


# ---- Files, value by value ----


ARRAYS = {
    "float": np.arange(6, dtype=">f4").reshape(2, 3),
    "double": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "string": np.array([["a", "ü"], ["", "c"]]),
    "bool": np.array([True, False]),
    "bfloat16": np.arange(6).astype(ml_dtypes.bfloat16).reshape(2, 3),
    "float8e4m3fn": np.arange(6).astype(ml_dtypes.float8_e4m3fn),
    "float8e5m2": np.arange(6).astype(ml_dtypes.float8_e5m2).reshape(3, 2),
    "int4": np.array([-8, 7, 1, -1, 3], np.int8),
    "uint4": np.arange(7).astype(ml_dtypes.uint4),
}


@pytest.mark.parametrize("is_archive", [False, True])
@pytest.mark.parametrize("element", ARRAYS)
def test_that_arrays_of_numpy_files_are_those_of_the_engine(tmp_path: Path, element: str, is_archive: bool) -> None:
    values = ARRAYS[element]
    path = tmp_path / ("x.npz" if is_archive else "x.npy")
    if is_archive:
        np.savez(path, only=values)
    else:
        np.save(path, values)
    compare(
        TensorInfo(name="x", type=f"tensor({element})", shape=values.shape),
        InputSource(name="x", kind=SourceKind.FILE, path=str(path)),
    )


def test_that_bits_of_the_other_byte_order_and_bytes_of_text_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "bits.npy", np.arange(6, dtype=">u2"))
    np.save(tmp_path / "text.npy", np.array(["ü".encode(), b"b"]))
    for element, name, count in (("bfloat16", "bits", 6), ("string", "text", 2)):
        source = InputSource(name="x", kind=SourceKind.FILE, path=str(tmp_path / f"{name}.npy"))
        compare(TensorInfo(name="x", type=f"tensor({element})", shape=(count,)), source)


def pb_values() -> dict[str, tuple[str, Any]]:
    floats = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3))
    texts = helper.make_tensor("t", TensorProto.STRING, [2, 3], ["a", "ü", "", "d", "e", "f"])
    bits = TensorProto(data_type=TensorProto.BFLOAT16, dims=[2, 3], int32_data=[0, 1, 2, 3, 4, 0xFFFF])
    raw = TensorProto(data_type=TensorProto.FLOAT8E5M2, dims=[2, 3], raw_data=bytes(range(6)))
    packed = TensorProto(data_type=TensorProto.INT4, dims=[2, 3], raw_data=b"\x21\x43\xf5")
    sequence = onnx.SequenceProto(elem_type=onnx.SequenceProto.TENSOR, tensor_values=[floats, floats])
    whole = onnx.OptionalProto(name="o", elem_type=onnx.OptionalProto.TENSOR, tensor_value=floats)
    nothing = onnx.OptionalProto(name="o", elem_type=onnx.OptionalProto.TENSOR)
    listed = onnx.OptionalProto(elem_type=onnx.OptionalProto.SEQUENCE, sequence_value=sequence)
    unlisted = onnx.OptionalProto(elem_type=onnx.OptionalProto.SEQUENCE)
    entries = onnx.MapProto(key_type=TensorProto.STRING, string_keys=[b"k", "ü".encode()])
    one = numpy_helper.from_array(np.array(1.5, np.float32))
    entries.values.CopyFrom(onnx.SequenceProto(elem_type=onnx.SequenceProto.TENSOR, tensor_values=[one, one]))
    return {
        "tensor": ("tensor(float)", floats),
        "texts": ("tensor(string)", texts),
        "bits": ("tensor(bfloat16)", bits),
        "raw bits": ("tensor(float8e5m2)", raw),
        "packed": ("tensor(int4)", packed),
        "sequence": ("seq(tensor(float))", sequence),
        "optional": ("optional(tensor(float))", whole),
        "bare optional": ("optional(tensor(float))", floats),
        "empty optional": ("optional(tensor(float))", nothing),
        "optional sequence": ("optional(seq(tensor(float)))", listed),
        "bare optional sequence": ("optional(seq(tensor(float)))", sequence),
        "empty optional sequence": ("optional(seq(tensor(float)))", unlisted),
        "map": ("map(string,tensor(float))", entries),
    }


@pytest.mark.parametrize("case", pb_values())
def test_that_values_of_pb_files_are_those_of_the_engine(tmp_path: Path, case: str) -> None:
    type_text, message = pb_values()[case]
    path = tmp_path / "x.pb"
    path.write_bytes(message.SerializeToString())
    compare(
        TensorInfo(name="x", type=type_text, shape=(2, 3)),
        InputSource(name="x", kind=SourceKind.FILE, path=str(path)),
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "I;16", "P"])
@pytest.mark.parametrize(
    ("element", "shape"),
    [
        ("float", (1, 3, 20, 30)),
        ("uint8", (20, 30, 3)),
        ("int8", (2, 20, 30, 4)),
        ("float16", (1, 20, 30)),
        ("bfloat16", (1, 3, 7, 9)),
        ("float", ("b", "c", "h", "w")),
    ],
)
def test_that_images_are_those_of_the_engine(tmp_path: Path, mode: str, element: str, shape: Any) -> None:
    path = tmp_path / "x.png"
    pixels = np.random.default_rng(0).integers(0, 255, (25, 40, 4), np.uint8, endpoint=True)
    if mode == "I;16":
        Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257).save(path)
    else:
        Image.fromarray(pixels).convert(mode).save(path)
    tensor = TensorInfo(name="x", type=f"tensor({element})", shape=shape)
    for scaling in ImageScaling:
        if scaling is ImageScaling.IMAGENET and shape not in ((1, 3, 20, 30), ("b", "c", "h", "w")):
            continue
        for order in ChannelOrder:
            reading = ImageReading(scaling=scaling, channels=order)
            compare(tensor, InputSource(name="x", kind=SourceKind.IMAGE, path=str(path), image=reading))


def test_that_an_image_that_lies_on_its_side_and_a_chosen_layout_are_kept(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.default_rng(0).integers(0, 255, (4, 3, 3), np.uint8, endpoint=True)
    Image.fromarray(pixels).save(tmp_path / "x.png", exif=exif)
    reading = ImageReading(layout=ImageLayout.CHANNELS_LAST)
    source = InputSource(name="x", kind=SourceKind.IMAGE, path=str(tmp_path / "x.png"), image=reading)
    compare(TensorInfo(name="x", type="tensor(float)", shape=(1, 3, 4, 3)), source)
    compare(TensorInfo(name="x", type="tensor(float)", shape=("n", "h", "w", 3)), source)


# ---- From the command line ----


def test_that_the_command_line_writes_the_script_of_a_trial(tmp_path: Path, clean: CleanPython) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "30", "--python", "trial.py", "--output", "trial.json")
    assert (done.code, done.complaints) == (0, [])
    repeated = clean.run_script((tmp_path / "trial.py").read_text(encoding="utf-8"))
    assert repeated.code == 0, repeated.errors
    result = read_json(tmp_path / "trial.json")
    placement = {part["ep_name"]: part["node_count"] for part in result["facts"]["placement"]}
    assert repeated.found["placement"] == placement
    assert len(repeated.found["samples_ns"]) == 30


def test_that_each_of_several_trials_has_a_script_of_its_own(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "3", "--dim", "batch=1,2", "--python", "trial.py")
    assert done.code == 0
    for number in (1, 2):
        text = (tmp_path / f"trial-{number}.py").read_text(encoding="utf-8")
        assert f'options.add_free_dimension_override_by_name("batch", {number})' in text
    assert not (tmp_path / "trial.py").exists()


def test_that_a_script_can_be_printed(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "3", "--python", "-")
    assert done.code == 0
    assert '\nif __name__ == "__main__":\n    main()\n' in done.out


def test_that_a_trial_without_a_script_says_why(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", tmp_path / "no.onnx", "--iterations", "3", "--python", "trial.py")
    assert done.code == 1
    assert any("There is no script of this trial. The trial ended before" in line for line in done.complaints)
    assert not (tmp_path / "trial.py").exists()


def test_that_the_script_replaces_nothing_that_the_trial_reads(tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    model.write_bytes(TINY.read_bytes())
    done = run_main(tmp_path, "--run", model, "--iterations", "3", "--python", model)
    assert done.code == 1
    assert model.read_bytes() == TINY.read_bytes()
    assert "--python would replace m.onnx, which the trial reads." in only_complaint(done)
