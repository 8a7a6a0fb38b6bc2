"""The plain script that `truth.py` compares trials with: no window, no engine, `session.run` in a loop.

    python tests/benchmarks/bare_loop.py MODEL SAMPLES.npy --iterations N --warmup N --dim NAME=SIZE …

writes the samples (int64 nanoseconds) to SAMPLES.npy. One first run and the warm-up are not among them. Session and
inputs are those of a trial: one intra-op thread, the free dimensions fixed, the generated inputs of seed 0.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import onnxruntime as ort

from gui.engine.inputs import make_inputs
from gui.engine.models import describe_model
from gui.engine.proposals import propose_inputs


def main() -> None:
    """Do what the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("samples", type=Path)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--warmup", type=int, required=True)
    parser.add_argument("--dim", action="append", default=[])
    arguments = parser.parse_args()
    sizes = {name: int(size) for name, _, size in (entry.partition("=") for entry in arguments.dim)}

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    session = ort.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    proposed = tuple(entry.source for entry in propose_inputs(arguments.model, sizes).proposals)
    feeds = make_inputs(describe_model(arguments.model).inputs, sizes, 0, proposed).feeds
    names = [output.name for output in session.get_outputs()]
    for _ in range(1 + arguments.warmup):
        session.run(names, feeds)

    clock, samples = time.perf_counter_ns, [0] * arguments.iterations
    for index in range(arguments.iterations):
        began = clock()
        session.run(names, feeds)
        samples[index] = clock() - began
    np.save(arguments.samples, np.array(samples, np.int64))


if __name__ == "__main__":
    main()
