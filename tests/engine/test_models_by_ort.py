"""What ORT tells of a model where the onnx package cannot."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import onnxruntime
import pytest
from onnx import helper

from gui.records.failure import FailureKind
from gui.records.model import ModelDescription, TensorInfo

from ..conftest import StartEngine
from ..engine_process import EngineProcess
from .onnx_models import WEIGHTS, adding_weights, external, failure_of, save, value


@pytest.fixture
def engine_without_onnx(start_engine: StartEngine, tmp_path: Path) -> EngineProcess:
    """An engine whose Python has no onnx package."""
    folder = tmp_path / "hides onnx"
    folder.mkdir()
    (folder / "onnx.py").write_text("raise ModuleNotFoundError('No module named onnx')\n")
    return start_engine({**os.environ, "PYTHONPATH": str(folder)})


def test_that_ort_describes_a_model_without_the_onnx_package(
    engine_without_onnx: EngineProcess, tmp_path: Path
) -> None:
    path = adding_weights(tmp_path / "m.onnx", 8)
    model = onnx.load(str(path))
    model.producer_name, model.domain, model.model_version, model.doc_string = "maker", "org.example", 7, " what\n"
    helper.set_model_props(model, {"labels": "cat"})
    path.write_bytes(model.SerializeToString())
    assert engine_without_onnx.describe_model(path) == ModelDescription(
        path=str(path),
        size_bytes=path.stat().st_size,
        inputs=(TensorInfo(name="x", type="tensor(float)", shape=("N",)),),
        outputs=engine_without_onnx.describe_model(path).outputs,
        initializers=(
            TensorInfo(name="w", type="tensor(float)", shape=("M",)),
            TensorInfo(name="unused", type="tensor(float)", shape=(3,)),
        ),
        producer="maker",
        domain="org.example",
        model_version=7,
        graph_name="g",
        description="what",
        metadata=(("labels", "cat"),),
    )


def test_that_the_onnx_package_is_advised_where_ort_does_not_know_an_operator(
    engine_without_onnx: EngineProcess, tmp_path: Path
) -> None:
    graph = helper.make_graph([helper.make_node("Unheard", ["x"], ["y"])], "g", [value("x", 1)], [value("y", 1)])
    failure = failure_of(lambda: engine_without_onnx.describe_model(save(tmp_path / "m.onnx", graph)))
    assert failure.kind is FailureKind.UNSUPPORTED_MODEL
    assert "onnx package" in failure.hint


def test_that_missing_data_keeps_its_kind_without_the_onnx_package(
    engine_without_onnx: EngineProcess, tmp_path: Path
) -> None:
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [value("x", WEIGHTS.size)],
        [value("y", WEIGHTS.size)],
        [external("w", "gone.bin")],
    )
    failure = failure_of(lambda: engine_without_onnx.describe_model(save(tmp_path / "m.onnx", graph)))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA


@pytest.fixture
def ort_model(tmp_path: Path) -> Path:
    """A model in ORT's own format."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "m.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    source = adding_weights(tmp_path / "m.onnx", 8)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    return tmp_path / "m.ort"


def test_that_ort_describes_what_is_in_its_own_format(engine: EngineProcess, ort_model: Path) -> None:
    description = engine.describe_model(ort_model)
    assert description.inputs == (TensorInfo(name="x", type="tensor(float)", shape=("N",)),)
    assert description.initializers is not None
    assert description.initializers[0] == TensorInfo(name="w", type="tensor(float)", shape=("M",))
    assert description.size_bytes == ort_model.stat().st_size
    assert description.op_counts is None
    assert description.node_count is None
    assert description.external_files is None


def test_that_ort_s_own_format_under_another_ending_is_told(engine: EngineProcess, ort_model: Path) -> None:
    """ORT goes by the ending, so it would not run either."""
    path = ort_model.rename(ort_model.with_name("renamed.onnx"))
    failure = failure_of(lambda: engine.describe_model(path))
    assert failure.kind is FailureKind.NOT_A_MODEL
    assert ".ort" in failure.hint
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf):
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_that_a_damaged_file_of_ort_s_own_format_is_no_crash(engine: EngineProcess, ort_model: Path) -> None:
    ort_model.write_bytes(ort_model.read_bytes()[:200])
    assert failure_of(lambda: engine.describe_model(ort_model)).detail
    assert engine.is_alive()
