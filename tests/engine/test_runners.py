"""The ways of running a session."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gui.engine import ort
from gui.engine.runners import Runner
from gui.records.trial import Binding

from ..conftest import SAMPLE_MODELS

FEEDS = {"features": np.zeros((1, 32), np.float32)}


def session() -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(SAMPLE_MODELS / "tiny_mlp.onnx"), options)


@pytest.mark.parametrize("binding", list(Binding))
def test_that_a_call_returns_the_outputs(binding: Binding) -> None:
    runner = Runner(session(), FEEDS, binding, ort.RunOptions())
    (call,) = runner.calls(1)
    function, arguments = call
    (output,) = runner.outputs_of(call, function(*arguments))
    value = output.numpy() if isinstance(output, ort.OrtValue) else output
    (wanted,) = session().run(None, FEEDS)
    assert np.array_equal(value, wanted)


@pytest.mark.parametrize("binding", list(Binding))
def test_that_python_finds_what_it_looks_for_in_each_run_with_io_binding(binding: Binding) -> None:
    """onnxruntime's `run_with_iobinding` asks for this entry each time; raising and catching where it is missing takes
    several times the run of a small model.
    """
    options = ort.RunOptions()
    Runner(session(), FEEDS, binding, options)
    if binding is Binding.IO_BINDING:
        assert options.get_run_config_entry("gpu_graph_id") == "0"
    else:
        with pytest.raises(RuntimeError):
            options.get_run_config_entry("gpu_graph_id")
