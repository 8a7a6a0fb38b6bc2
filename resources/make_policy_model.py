"""Write the tiny model with which the policy explainer tries what a policy takes, when no model of the user's is asked.

    python resources/make_policy_model.py [FILE]

It is no sample to be run: it lies beside the folder of those. Its shapes are fixed and its operators those that nearly
every execution provider has. The input meets an Add first, so that an EP that takes single nodes takes the one at which
the input arrives; between an Add and a MatMul in this order there is nothing that ORT would fuse. The same bytes come
out on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8
OPSET = 13
FEATURES = 16
FILE = Path(__file__).resolve().parent / "policy_model.onnx"


def policy_model() -> onnx.ModelProto:
    """Return `y = relu((x + shift) @ weight)` with x and y float32 of shape [1, 16]."""
    random = np.random.RandomState(seed=4)
    shift = (random.random_sample([FEATURES]) * 2.0 - 1.0).astype(np.float32)
    weight = (random.random_sample([FEATURES, FEATURES]) * 2.0 - 1.0).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["x", "shift"], ["shifted"], name="add"),
            helper.make_node("MatMul", ["shifted", "weight"], ["product"], name="product"),
            helper.make_node("Relu", ["product"], ["y"], name="relu"),
        ],
        "policy_model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, FEATURES])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, FEATURES])],
        [numpy_helper.from_array(shift, "shift"), numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="ort-device-explorer",
        producer_version="1",
        doc_string="A tiny model with random weights to try selection policies with.",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def write_policy_model(file: Path) -> None:
    """Write the model to a file."""
    file.write_bytes(policy_model().SerializeToString(deterministic=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the model, say where and return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    file = Path(given[0]) if given else FILE
    write_policy_model(file)
    sys.stdout.write(f"{file}  {file.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
