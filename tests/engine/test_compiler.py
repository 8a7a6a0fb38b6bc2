"""Models compiled to EPContext: what a real EP writes, and every way in which it ends otherwise."""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.records.codec import to_json
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.protocol import Op
from gui.records.trial import CompiledModel, Stage, StopRule, Target, TrialSettings

from ..conftest import SAMPLE_MODELS, StartEngine
from ..engine_process import EngineEndedError, EngineProcess
from .conftest import Register, settings_for

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"


def compile_request(engine: EngineProcess, settings: TrialSettings, path: Path) -> int:
    return engine.send(Op.COMPILE, settings=to_json(settings), path=str(path))


def failure_of(engine: EngineProcess, settings: TrialSettings, path: Path) -> Failure:
    with pytest.raises(FailureError) as caught:
        engine.answer(compile_request(engine, settings, path), CompiledModel)
    return caught.value.failure


def no_drafts_left() -> bool:
    return not list(Path(tempfile.gettempdir()).glob("ort-device-explorer-*/*.onnx"))


def quantised_model(path: Path) -> Path:
    """Save x -> Q -> DQ -> MatMul -> Q -> DQ of static shape: what QNN's HTP takes."""
    weights = np.random.default_rng(0).integers(0, 255, (16, 8), dtype=np.uint8)
    constants = {
        "scale": np.array(0.02, np.float32),
        "zero": np.array(128, np.uint8),
        "w": weights,
        "out_scale": np.array(0.1, np.float32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "scale", "zero"], ["xd"]),
        helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["wd"]),
        helper.make_node("MatMul", ["xd", "wd"], ["m"]),
        helper.make_node("QuantizeLinear", ["m", "out_scale", "zero"], ["mq"]),
        helper.make_node("DequantizeLinear", ["mq", "out_scale", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "quantised",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 8])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    return path


# ---- Refused, failed, stopped, dead ----


def test_that_the_cpu_ep_compiles_nothing_and_writes_nothing(engine: EngineProcess, tmp_path: Path) -> None:
    target = tmp_path / "out.onnx"
    target.write_bytes(b"what was there")
    failure = failure_of(engine, settings_for(TINY, engine.inventory().devices[0].key), target)
    assert failure.kind is FailureKind.NOTHING_COMPILED
    assert failure.hint
    assert target.read_bytes() == b"what was there"
    assert no_drafts_left()


def test_that_an_ep_that_compiles_but_writes_no_context_is_told(
    engine: EngineProcess, register: Register, add_model: Path, tmp_path: Path
) -> None:
    failure = failure_of(engine, settings_for(add_model, *register(engine)), tmp_path / "out.onnx")
    assert failure.kind is FailureKind.NOTHING_COMPILED
    assert list(tmp_path.iterdir()) == []
    assert engine.unregister("double").libraries == ()


def test_that_an_ep_that_fails_to_compile_is_quoted(
    engine: EngineProcess, register: Register, add_model: Path, tmp_path: Path
) -> None:
    keys = register(engine, "compile=error,text=no licence")
    failure = failure_of(engine, settings_for(add_model, *keys), tmp_path / "out.onnx")
    assert failure.kind is FailureKind.COMPILE_FAILED
    assert "no licence" in failure.message


def test_that_compiling_tells_its_stages_and_can_be_stopped(
    engine: EngineProcess, register: Register, add_model: Path, tmp_path: Path
) -> None:
    keys = register(engine, "compile=slow,slow_ms=3000")
    request = compile_request(engine, settings_for(add_model, *keys), tmp_path / "out.onnx")
    engine.wait_for_stage(request, Stage.COMPILING)
    engine.send(Op.CANCEL, request=request)
    with pytest.raises(FailureError) as caught:
        engine.answer(request, CompiledModel)
    assert caught.value.failure.kind is FailureKind.STOPPED
    assert engine.stages(request) == [Stage.PREPARING, Stage.COMPILING]
    assert list(tmp_path.iterdir()) == []


def test_that_an_ep_that_dies_while_compiling_takes_the_engine_along_and_leaves_the_file(
    start_engine: StartEngine, register: Register, add_model: Path, tmp_path: Path
) -> None:
    engine, target = start_engine(), tmp_path / "out.onnx"
    target.write_bytes(b"what was there")
    keys = register(engine, "compile=abort")
    request = compile_request(engine, settings_for(add_model, *keys), target)
    with pytest.raises(EngineEndedError):
        engine.answer(request, CompiledModel)
    assert engine.stages(request)[-1] is Stage.COMPILING
    assert target.read_bytes() == b"what was there"


@pytest.mark.parametrize("place", ["missing/out.onnx", "model.onnx", ""])
def test_that_a_place_that_cannot_be_written_is_refused_first(
    engine: EngineProcess, register: Register, add_model: Path, tmp_path: Path, place: str
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(add_model.read_bytes())
    keys = register(engine, "compile=abort")  # were it tried, it would end the engine
    failure = failure_of(engine, settings_for(model, *keys), tmp_path / place)
    assert failure.kind is FailureKind.BAD_SETTING
    assert failure.hint
    assert model.read_bytes() == add_model.read_bytes()


# ---- Real EPs ----


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime_qnn") is None, reason="needs onnxruntime-qnn")
def test_that_qnn_compiles_a_quantised_model_that_runs_afterwards(engine: EngineProcess, tmp_path: Path) -> None:
    import onnxruntime_qnn

    (library,) = engine.register("qnn", onnxruntime_qnn.get_library_path()).libraries
    options = (("backend_path", onnxruntime_qnn.get_qnn_htp_path()),)
    settings = replace(
        settings_for(quantised_model(tmp_path / "q.onnx"), *library.device_keys[-1:], options=options), dimensions=()
    )
    target = tmp_path / "compiled" / "q_ctx.onnx"
    target.parent.mkdir()
    done = engine.answer(compile_request(engine, settings, target), CompiledModel)
    assert done.path == str(target)
    assert done.files[0] == str(target)
    assert sorted(done.files) == sorted(str(file) for file in target.parent.iterdir())
    assert done.size_bytes == sum(file.stat().st_size for file in target.parent.iterdir())
    assert (done.context_nodes or 0) >= 1
    assert done.duration_ns > 0
    description = engine.describe_model(target)
    assert [name.casefold() for name in description.context_eps] == ["qnn"]
    facts = engine.run_trial(replace(settings, model_path=str(target), stop_rule=StopRule(iterations=3), warmup=0))
    assert facts.sample_count == 3
    assert facts.placement is not None
    assert [part.ep_name for part in facts.placement if part.ep_name == "qnn"] == ["qnn"]
    again = failure_of(engine, replace(settings, model_path=str(target)), tmp_path / "twice.onnx")
    assert again.kind is FailureKind.NOTHING_COMPILED
    assert "compiled already" in again.message


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime_ep_webgpu") is None, reason="needs onnxruntime-ep-webgpu")
def test_that_compiling_for_a_virtual_gpu_ends_the_engine_and_nothing_else(
    start_engine: StartEngine, tmp_path: Path
) -> None:
    """onnxruntime-ep-webgpu 0.4 aborts when it compiles without a GPU."""
    import onnxruntime_ep_webgpu

    engine = start_engine()
    inventory = engine.register("gpu.virtual", onnxruntime_ep_webgpu.get_library_path())
    keys = inventory.libraries[0].device_keys
    settings = replace(settings_for(TINY, "x"), target=Target(device_keys=keys), dimensions=())
    request = compile_request(engine, settings, tmp_path / "out.onnx")
    with pytest.raises(EngineEndedError):
        engine.answer(request, CompiledModel)
    assert engine.stages(request)[-1] is Stage.COMPILING
    assert not (tmp_path / "out.onnx").exists()
