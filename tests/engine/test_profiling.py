"""Profiles by a real engine: what they hold for ORT's CPU EP, plugin EPs, loops and large models, and how they fail."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.engine.profiling import cost_note
from gui.records.codec import to_json
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.inputs import InputSource, SourceKind
from gui.records.profile import FUSED, Profile, ep_times, share_of_nodes, slowdown, unexplained_share
from gui.records.protocol import Op
from gui.records.trial import Binding, ExecutionMode, SessionSettings, Stage, TrialSettings

from ..conftest import SAMPLE_MODELS, StartEngine
from ..engine_process import EngineEndedError, EngineProcess
from .conftest import Register, settings_for
from .onnx_models import save, value

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"
CPU = "CPUExecutionProvider"


@pytest.fixture(autouse=True)
def _no_traces_left() -> Iterator[None]:
    before = traces()
    yield
    for folder in traces() - before:
        shutil.rmtree(folder)


def traces() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("ort-device-explorer-profile-*"))


def cpu_settings(engine: EngineProcess, model: Path, **fields: object) -> TrialSettings:
    settings = settings_for(model, engine.inventory().devices[0].key)
    return replace(settings, dimensions=(), **fields)  # type: ignore[arg-type]


def request_profile(engine: EngineProcess, settings: TrialSettings) -> int:
    return engine.send(Op.PROFILE, settings=to_json(settings))


def profiled(engine: EngineProcess, settings: TrialSettings) -> Profile:
    return engine.answer(request_profile(engine, settings), Profile)


def failure_of(engine: EngineProcess, settings: TrialSettings) -> Failure:
    with pytest.raises(FailureError) as caught:
        profiled(engine, settings)
    return caught.value.failure


def loop_model(path: Path) -> Path:
    """A Loop of 5 turns, with MatMul and an If around Exp in its body, after a Relu."""
    then = helper.make_graph([helper.make_node("Exp", ["acc"], ["t"], name="exp")], "then", [], [value("t", 64, 64)])
    other = helper.make_graph([helper.make_node("Neg", ["acc"], ["e"], name="neg")], "else", [], [value("e", 64, 64)])
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["before", "w"], ["acc"], name="mm"),
            helper.make_node("If", ["go"], ["after"], then_branch=then, else_branch=other, name="branch"),
            helper.make_node("Identity", ["go"], ["go_on"], name="same"),
        ],
        "body",
        [value("turn", element=TensorProto.INT64), value("go", element=TensorProto.BOOL), value("before", 64, 64)],
        [value("go_on", element=TensorProto.BOOL), value("after", 64, 64)],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Relu", ["x"], ["r"], name="relu"),
            helper.make_node("Loop", ["turns", "always", "r"], ["y"], body=body, name="loop"),
        ],
        "g",
        [value("x", 64, 64)],
        [value("y", 64, 64)],
        [
            numpy_helper.from_array(np.zeros((64, 64), np.float32), "w"),
            numpy_helper.from_array(np.array(5, np.int64), "turns"),
            numpy_helper.from_array(np.array(True), "always"),
        ],
    )
    return save(path, graph)


def long_model(path: Path, count: int) -> Path:
    """A row of so many nodes which no optimiser takes out."""
    nodes = [helper.make_node("Neg", [f"v{n}"], [f"v{n + 1}"], name=f"neg{n}") for n in range(count)]
    return save(path, helper.make_graph(nodes, "g", [value("v0", 1)], [value(f"v{count}", 1)]))


# ---- ORT's own EP ----


@pytest.mark.parametrize("binding", list(Binding))
def test_that_a_profile_tells_where_the_time_of_a_run_goes(engine: EngineProcess, binding: Binding) -> None:
    request = request_profile(engine, cpu_settings(engine, TINY, binding=binding))
    profile = engine.answer(request, Profile)
    assert engine.stages(request) == [
        *(Stage.PREPARING, Stage.CREATING_SESSION, Stage.WARMING_UP, Stage.CLOSING),
        *(Stage.CREATING_SESSION, Stage.WARMING_UP, Stage.MEASURING, Stage.CLOSING),
    ]
    assert 1 <= profile.runs <= 500
    assert 0 < profile.nodes_ns < profile.wall_ns
    assert sum(op.total_ns for op in profile.ops) == profile.nodes_ns
    assert sum(entry.total_ns for entry in profile.nodes) == profile.nodes_ns
    assert sum(share_of_nodes(profile, op.total_ns) for op in profile.ops) == pytest.approx(1)
    assert sum(op.node_count for op in profile.ops) == profile.node_total == len(profile.nodes)
    assert {entry.calls for entry in profile.nodes} == {profile.runs}
    assert [name for name, _ns in ep_times(profile)] == [CPU]
    assert all(entry.output_shapes.startswith("float[") for entry in profile.nodes)
    assert {op.op_type for op in profile.ops} & {"Gemm", "MatMul", "FusedGemm"}
    assert [op.total_ns for op in profile.ops] == sorted((op.total_ns for op in profile.ops), reverse=True)
    assert 0 < (unexplained_share(profile) or 0) < 1


def test_that_what_profiling_costs_is_measured_and_said(engine: EngineProcess) -> None:
    profile = profiled(engine, cpu_settings(engine, SAMPLE_MODELS / "text_transformer.onnx"))
    assert profile.plain_median_ns > 0
    assert (slowdown(profile) or 0) > 1
    assert profile.notes[0].startswith("Under the profiler a run took")


def test_that_the_trace_lies_where_the_profile_says(engine: EngineProcess) -> None:
    profile = profiled(engine, cpu_settings(engine, TINY))
    path = Path(profile.trace_path)
    assert path.stat().st_size == profile.trace_bytes > 0
    assert path.read_text(encoding="utf-8").startswith("[")


def test_that_what_a_trial_writes_is_not_written_again(engine: EngineProcess, tmp_path: Path) -> None:
    place = tmp_path / "optimised.onnx"
    session = SessionSettings(optimized_model_path=str(place))
    settings = cpu_settings(engine, TINY, session=session, outputs_folder=str(tmp_path / "outputs"))
    profiled(engine, settings)
    assert list(tmp_path.iterdir()) == []


def test_that_what_runs_within_a_loop_is_counted_once(engine: EngineProcess, tmp_path: Path) -> None:
    profile = profiled(engine, cpu_settings(engine, loop_model(tmp_path / "loop.onnx")))
    calls = {entry.name: entry.calls // profile.runs for entry in profile.nodes}
    assert {name: calls[name] for name in ("relu", "loop", "mm", "branch", "exp")} == {
        "relu": 1,
        "loop": 1,
        "mm": 5,
        "branch": 5,
        "exp": 5,
    }
    assert profile.nodes_ns < profile.wall_ns
    assert sum(entry.total_ns for entry in profile.nodes) == profile.nodes_ns
    assert any("Loop" in note and "its own" in note for note in profile.notes)


def test_that_overlapping_nodes_are_said_to_be(engine: EngineProcess) -> None:
    session = SessionSettings(execution_mode=ExecutionMode.PARALLEL, inter_op_threads=2)
    profile = profiled(engine, cpu_settings(engine, TINY, session=session))
    assert profile.nodes
    assert any("overlap" in note for note in profile.notes)


def test_that_a_model_of_20_000_nodes_gives_a_trace_of_bounded_size(engine: EngineProcess, tmp_path: Path) -> None:
    profile = profiled(engine, cpu_settings(engine, long_model(tmp_path / "long.onnx", 20_000)))
    assert profile.node_total == 20_000
    assert len(profile.nodes) == 500
    assert profile.trace_bytes < 200_000_000
    assert 1 <= profile.runs < 10
    assert [(op.op_type, op.node_count) for op in profile.ops] == [("Neg", 20_000)]


# ---- Plugin EPs ----


def test_that_a_slow_node_of_a_plugin_ep_is_the_slowest(
    engine: EngineProcess, register: Register, tail_model: Path
) -> None:
    profile = profiled(engine, settings_for(tail_model, *register(engine, "delay_us=3000,name=Slow")))
    slowest = profile.nodes[0]
    assert (slowest.ep_name, slowest.op_type) == ("Slow", FUSED)
    assert slowest.name != FUSED
    assert slowest.total_ns / profile.runs >= 3_000_000
    assert slowest.max_ns >= 3_000_000
    assert [(op.op_type, op.ep_name) for op in profile.ops] == [(FUSED, "Slow"), ("Neg", CPU)]
    assert [name for name, _ns in ep_times(profile)] == ["Slow", CPU]
    assert engine.unregister("double").libraries == ()


@pytest.mark.ggml
def test_that_the_subgraph_of_a_real_ep_is_one_node(engine: EngineProcess, ggml_library: Path) -> None:
    (library,) = engine.register("ggml", ggml_library).libraries
    settings = replace(settings_for(SAMPLE_MODELS / "text_transformer.onnx", library.device_keys[0]), dimensions=())
    profile = profiled(engine, settings)
    assert (profile.ops[0].op_type, profile.ops[0].ep_name) == (FUSED, "ggml")
    assert share_of_nodes(profile, profile.ops[0].total_ns) > 0.5
    assert profile.nodes[0].name.startswith("ggml")


# ---- Failed, stopped, dead ----


def test_that_an_ep_that_fails_is_quoted_and_leaves_no_trace(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    before = traces()
    keys = register(engine, "compute=error,text=no power")
    failure = failure_of(engine, settings_for(add_model, *keys))
    assert failure.kind is FailureKind.RUN_FAILED
    assert "no power" in failure.message
    assert traces() == before
    assert engine.unregister("double").libraries == ()


def test_that_a_strict_session_refuses_as_the_trial_does(
    engine: EngineProcess, register: Register, tail_model: Path
) -> None:
    settings = replace(settings_for(tail_model, *register(engine)), session=SessionSettings(strict=True))
    assert failure_of(engine, settings).kind is FailureKind.FALLS_BACK


def test_that_an_input_that_does_not_fit_is_told_before_a_session_is_made(
    engine: EngineProcess, tmp_path: Path
) -> None:
    np.save(tmp_path / "wrong.npy", np.zeros((1, 3), np.float32))
    source = InputSource(name="features", kind=SourceKind.FILE, path=str(tmp_path / "wrong.npy"))
    request = request_profile(engine, cpu_settings(engine, TINY, inputs=(source,)))
    with pytest.raises(FailureError) as caught:
        engine.answer(request, Profile)
    assert caught.value.failure.hint
    assert engine.stages(request) == [Stage.PREPARING]


def test_that_profiling_can_be_stopped_between_runs(engine: EngineProcess, register: Register, add_model: Path) -> None:
    before = traces()
    keys = register(engine, "delay_us=100000")
    request = request_profile(engine, settings_for(add_model, *keys))
    engine.wait_for_stage(request, Stage.WARMING_UP)
    engine.send(Op.CANCEL, request=request)
    with pytest.raises(FailureError) as caught:
        engine.answer(request, Profile)
    assert caught.value.failure.kind is FailureKind.STOPPED
    assert Stage.MEASURING not in engine.stages(request)
    assert engine.stages(request)[-1] is Stage.CLOSING
    assert traces() == before
    assert engine.unregister("double").libraries == ()


def test_that_an_ep_that_dies_takes_the_engine_along_and_the_stage_tells_where(
    start_engine: StartEngine, register: Register, add_model: Path
) -> None:
    engine = start_engine()
    keys = register(engine, "compute=abort,run_after=1")
    request = request_profile(engine, settings_for(add_model, *keys))
    with pytest.raises(EngineEndedError):
        engine.answer(request, Profile)
    assert engine.stages(request)[-1] is Stage.WARMING_UP


def test_that_a_trace_that_cannot_be_written_is_a_failure_with_a_next_step(
    start_engine: StartEngine, tmp_path: Path
) -> None:
    engine = start_engine({"TMPDIR": str(tmp_path)})
    request = request_profile(engine, cpu_settings(engine, long_model(tmp_path / "long.onnx", 2000)))
    engine.wait_for_stage(request, Stage.WARMING_UP)
    for folder in tmp_path.glob("ort-device-explorer-profile-*"):
        shutil.rmtree(folder)
    with pytest.raises(FailureError) as caught:
        engine.answer(request, Profile)
    assert "no trace" in caught.value.failure.message
    assert str(tmp_path) in caught.value.failure.hint


# ---- What it costs, in words ----


@pytest.mark.parametrize(
    ("profiled_ns", "plain_ns", "nodes_ns", "said"),
    [
        (1_050_000, 1_000_000, 900_000, "hardly longer than without (1.050 ms against 1.000 ms)."),
        (610_000, 270_000, 265_000, "2.3 × as long (610.0 µs against 270.0 µs): read the shares rather than the times"),
        (800_000, 80_000, 400_000, "At least 80 % of the nodes' time is the profiler's own"),
    ],
)
def test_that_the_cost_is_told_by_how_much_of_the_nodes_time_it_is(
    profiled_ns: int, plain_ns: int, nodes_ns: int, said: str
) -> None:
    assert said in cost_note(profiled_ns, plain_ns, nodes_ns)
