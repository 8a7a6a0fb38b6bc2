"""What a model of 1.5 GB with external data costs the engine in memory, over what it costs a plain script.

    python -m tests.benchmarks.large_model [--pairs 3] [--megabytes 1540] [--folder DIR]

Makes the model in a temporary folder: MatMuls in a row, their weights in a file beside it. Then a plain script
(`bare_memory.py`) and the engine open it and run it on the CPU with one thread, in turn, A B A B …; the engine
describes it first, as it does when one is chosen. What is compared is how much each has grown since onnxruntime was
imported (the engine: since its greeting), read from /proc:

- the peak (VmHWM) over all of it,
- resident memory while the session is there and has run, of its own (RssAnon) and mapped from files (RssFile; pages of
  the page cache that other processes share),
- resident memory when the session is gone. It has no bound: what the C library keeps for later is chance.

Bounds, for the medians of the ratios of pairs: peak and resident memory of the engine at most 1.2 times that of the
script. Exits with 1 when one is broken. Linux only; needs the disk space of the model once, the memory twice.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from gui.records.protocol import Op
from gui.records.trial import Ending, Stage, StopRule, Target, TrialFacts, TrialSettings

from ..engine_process import EngineProcess
from .harness import Bound, interpreter, print_heading

_SCRIPT: Final = Path(__file__).with_name("bare_memory.py")
_WIDTH: Final = 4096
_LAYER_BYTES: Final = 4 * _WIDTH * _WIDTH
_RUNS: Final = 6
"""Of the script. The engine's trial is stopped once it has measured some and its memory was read."""
_LIMIT: Final = 1.2
_SPARE_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of a process, in bytes."""

    peak: int
    resident: int
    own: int
    mapped: int

    def since(self, before: Memory) -> Memory:
        """How much each has grown; the peak, over what was resident then."""
        return Memory(
            peak=self.peak - before.resident,
            resident=self.resident - before.resident,
            own=self.own - before.own,
            mapped=self.mapped - before.mapped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much a process has grown: with the session there, and after it."""

    running: Memory
    closed: Memory

    def __str__(self) -> str:
        running, closed = self.running, self.closed
        figures = (closed.peak, running.resident, running.own, running.mapped, closed.resident)
        return "".join(f"{figure / 2**20:>10.1f}" for figure in figures)


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=1540, help="how large the weights are (1540)")
    parser.add_argument("--folder", type=Path, help="where the model is made, for a while")
    arguments = parser.parse_args()
    print_heading("large_model: memory of the engine over that of a plain script", "without a window")
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=arguments.folder) as name:
        layers = max(1, round(arguments.megabytes * 1e6 / _LAYER_BYTES))
        model = make_model(Path(name), layers)
        size = sum(file.stat().st_size for file in model.parent.iterdir())
        print(f"{layers} MatMuls of {_WIDTH} by {_WIDTH}, {size / 1e9:.3f} GB; 1 thread")
        return compare(model, arguments.pairs)


def make_model(folder: Path, layers: int) -> Path:
    """Write a chain of MatMuls with their weights in `weights.bin`, one layer in memory at a time."""
    free = shutil.disk_usage(folder).free
    if free < layers * _LAYER_BYTES + _SPARE_BYTES:
        sys.exit(f"{folder} has {free / 1e9:.1f} GB left: too little for the model; name another place with --folder")
    generator = np.random.default_rng(0)
    with (folder / "weights.bin").open("wb") as stream:
        for _ in range(layers):
            weights = generator.standard_normal((_WIDTH, _WIDTH), np.float32)
            weights /= _WIDTH**0.5  # keeps the values at their size from layer to layer
            stream.write(weights.data)
    initializers = []
    for layer in range(layers):
        tensor = TensorProto(name=f"w{layer}", data_type=TensorProto.FLOAT, dims=[_WIDTH, _WIDTH])
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": "weights.bin", "offset": layer * _LAYER_BYTES, "length": _LAYER_BYTES}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        initializers.append(tensor)
    graph = helper.make_graph(
        [helper.make_node("MatMul", [f"x{layer}", f"w{layer}"], [f"x{layer + 1}"]) for layer in range(layers)],
        "chain",
        [helper.make_tensor_value_info("x0", TensorProto.FLOAT, [1, _WIDTH])],
        [helper.make_tensor_value_info(f"x{layers}", TensorProto.FLOAT, [1, _WIDTH])],
        initializers,
    )
    path = folder / "large.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), str(path))
    return path


def compare(model: Path, pairs: int) -> int:
    """Run both in turn, print what came out, and return the exit code."""
    print("growth in MiB since onnxruntime was imported")
    print(f"{'':>10}{'peak':>10}{'resident':>10}{'own':>10}{'mapped':>10}{'closed':>10}")
    peaks, residents = [], []
    for _ in range(pairs):
        script, engine = of_the_script(model), of_the_engine(model)
        print(f"{'script':<10}{script}\n{'engine':<10}{engine}", flush=True)
        peaks.append(engine.closed.peak / script.closed.peak)
        residents.append(engine.running.resident / script.running.resident)
    bounds = [
        Bound(name="engine's peak over the script's", figure=statistics.median(peaks), limit=_LIMIT),
        Bound(name="engine's resident memory over the script's", figure=statistics.median(residents), limit=_LIMIT),
    ]
    for bound in bounds:
        print(bound)
    return 0 if all(bound.figure <= bound.limit for bound in bounds) else 1


def of_the_script(model: Path) -> Growth:
    """Run the plain script and return how much it has grown."""
    arguments = [interpreter(), str(_SCRIPT), str(model), str(_RUNS)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        found = {}
        assert process.stdin is not None
        assert process.stdout is not None
        for word in ("imported", "ran", "closed"):
            said = process.stdout.readline().strip()
            assert said == word, f"the plain script said {said!r} rather than {word!r}"
            found[word] = memory_of(process.pid)
            process.stdin.write("\n")
            process.stdin.flush()
    assert process.returncode == 0
    before = found["imported"]
    return Growth(running=found["ran"].since(before), closed=found["closed"].since(before))


def of_the_engine(model: Path) -> Growth:
    """Have an engine describe the model and run a trial of it; return how much the engine has grown."""
    with EngineProcess() as engine:
        engine.greeting()
        before = memory_of(engine.process_id)
        description = engine.describe_model(model)
        assert description.size_bytes == sum(file.stat().st_size for file in model.parent.iterdir())
        cpu = engine.inventory().devices[0].key
        request = engine.start_trial(
            TrialSettings(
                model_path=str(model),
                target=Target(device_keys=(cpu,)),
                warmup=1,
                stop_rule=StopRule(seconds=600),
                intra_op_threads=1,
            )
        )
        engine.wait_for_samples(request, Stage.MEASURING)
        running = memory_of(engine.process_id)
        engine.send(Op.CANCEL, request=request)
        facts = engine.answer(request, TrialFacts)
        assert facts.ending is Ending.STOPPED, "the trial was over before its memory was read"
        closed = memory_of(engine.process_id)
    return Growth(running=running.since(before), closed=closed.since(before))


def memory_of(process_id: int) -> Memory:
    """Return the memory of a process as the kernel counts it."""
    lines = Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines()
    figures = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.strip()}
    peak, resident, own, mapped = (int(figures[name]) << 10 for name in ("VmHWM", "VmRSS", "RssAnon", "RssFile"))
    return Memory(peak=peak, resident=resident, own=own, mapped=mapped)


if __name__ == "__main__":
    sys.exit(main())
