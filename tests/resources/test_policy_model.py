"""The tiny model that policies are tried with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from gui.records.engine_command import PACKAGE_ROOT

RESOURCES = PACKAGE_ROOT / "resources"
MODEL = RESOURCES / "policy_model.onnx"


def test_that_the_script_writes_the_shipped_bytes(tmp_path: Path) -> None:
    file = tmp_path / "made.onnx"
    script = RESOURCES / "make_policy_model.py"
    done = subprocess.run([sys.executable, str(script), str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == MODEL.read_bytes()


def test_that_its_shapes_are_fixed_and_an_add_meets_the_input() -> None:
    graph = onnx.load(MODEL).graph
    assert [node.op_type for node in graph.node] == ["Add", "MatMul", "Relu"]
    assert graph.node[0].input[0] == graph.input[0].name
    dims = [dim for value in (*graph.input, *graph.output) for dim in value.type.tensor_type.shape.dim]
    assert [dim.dim_value for dim in dims] == [1, 16, 1, 16]


def test_that_ort_runs_it() -> None:
    session = ort.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"], enable_fallback=0)
    (output,) = session.run(None, {"x": np.ones((1, 16), np.float32)})
    assert output.shape == (1, 16)
    assert output.min() == 0.0
    assert output.max() > 0.0
