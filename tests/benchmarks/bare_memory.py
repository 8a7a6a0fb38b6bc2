"""The plain script that `large_model.py` compares the engine's memory with: onnxruntime, numpy and nothing else.

    python tests/benchmarks/bare_memory.py MODEL RUNS

opens the model with one intra-op thread and runs it. It says `imported`, `ran` and `closed` on stdout and waits for a
line of stdin after each, so that whoever started it can look at its memory.
"""

import sys

import numpy as np
import onnxruntime as ort


def wait_after(word: str) -> None:
    """Say how far it is and wait for a line."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
    sys.stdin.readline()


wait_after("imported")
options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
generator = np.random.default_rng(0)
feeds = {entry.name: generator.random(entry.shape, np.float32) for entry in session.get_inputs()}
for _ in range(int(sys.argv[2])):
    outputs = session.run(None, feeds)
wait_after("ran")
del session
wait_after("closed")
