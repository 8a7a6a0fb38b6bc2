"""How long does it take to open the store with 100,000 trials and to have all of them for a table?

    python -m tests.benchmarks.store [--trials 100000] [--samples 200]

Trials like that of version 0.1's file in tests/records, each with samples and an id of its own, the models and targets
of a few dozen kinds. Filled once, then opened in fresh processes: the clock runs from just before `TrialStore` is made
until the list of summaries is there. The first one, which fills the disk cache, is thrown away. Also: searching,
loading one trial, keeping one (a transaction, waited for until the disk has it), bytes a trial and a sample.

Bound: the median of opening and reading all summaries at most one second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from gui.records.identity import new_id
from gui.records.kept_trial import KeptTrial
from gui.records.samples import Nanoseconds
from gui.records.statistics import summarize
from gui.records.trial_file import parse_trial_file
from gui.store.sample_blobs import pack_samples
from gui.store.store import TrialStore

from .harness import ROOT, Bound, interpreter, print_heading

_EXAMPLE: Final = ROOT / "tests" / "records" / "trial_0_1.json"
_AT_ONCE: Final = 1000
_LIMIT_S: Final = 1.0
_OPEN: Final = """
import json, sys, time
from pathlib import Path
from gui.store.store import TrialStore
began = time.perf_counter()
store = TrialStore(Path(sys.argv[1]))
opened = time.perf_counter()
found = store.summaries()
read = time.perf_counter()
some = store.summaries(words="net-7 gpu")
searched = time.perf_counter()
store.load(found[len(found) // 2].id)
loaded = time.perf_counter()
print(json.dumps([len(found), len(some), opened - began, read - opened, searched - read, loaded - searched]))
"""


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description="The store of trials, full.")
    parser.add_argument("--trials", type=int, default=100_000, help="trials in the store (100,000)")
    parser.add_argument("--samples", type=int, default=200, help="samples of each (200)")
    parser.add_argument("--repeats", type=int, default=7, help="fresh processes, one more is thrown away (7)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder) / "trials.sqlite"
        print_heading(f"store: {arguments.trials} trials with {arguments.samples} samples each", f"in {folder}")
        began = time.perf_counter()
        _fill(path, arguments.trials, arguments.samples)
        print(
            f"filled in {time.perf_counter() - began:.0f} s; {path.stat().st_size / arguments.trials:.0f} bytes a trial"
        )
        runs = [_opened(path) for _ in range(arguments.repeats + 1)][1:]
        for place, name in enumerate(("opening", "all summaries", "a search", "loading one trial"), start=2):
            print(f"{name:<18} {1000 * statistics.median(run[place] for run in runs):8.1f} ms")
        print(f"{'keeping one trial':<18} {1000 * statistics.median(_kept(path, 20)):8.1f} ms")
        print(
            Bound(name="open and read", figure=statistics.median(r[2] + r[3] for r in runs), limit=_LIMIT_S, unit=" s")
        )
    samples = _latencies(np.random.default_rng(1), 1_000_000)
    print(f"{len(pack_samples(samples)) / len(samples):.2f} bytes a sample of a trial with a million")


def _fill(path: Path, count: int, samples: int) -> None:
    with TrialStore(path) as store:
        for trials in _in_parts(islice(_trials(samples), count)):
            store.keep(*trials)


def _in_parts(trials: Iterator[KeptTrial]) -> Iterator[list[KeptTrial]]:
    while part := list(islice(trials, _AT_ONCE)):
        yield part


def _trials(samples: int) -> Iterator[KeptTrial]:
    example = parse_trial_file(_EXAMPLE.read_bytes())
    source, began = np.random.default_rng(0), datetime(2026, 1, 1, tzinfo=UTC)
    number = 0
    while True:
        values = _latencies(source, samples)
        yield replace(
            example,
            id=new_id(),
            created=(began + timedelta(minutes=number)).isoformat(timespec="milliseconds"),
            settings=replace(example.settings, model_path=f"/home/someone/models/net-{number % 40}.onnx"),
            target_text=("CPUExecutionProvider", "ggml (GPU)", "OpenVINOExecutionProvider (NPU)")[number % 3],
            samples=values,
            statistics=summarize(values, int(values.sum())),
            tags=(("baseline",), (), ("night", "driver 32"))[number % 3],
        )
        number += 1


def _latencies(source: np.random.Generator, count: int) -> Nanoseconds:
    """Latencies about 100 µs, with some that are three times as long."""
    values = source.lognormal(0, 0.05, count) * 100e3
    values[source.random(count) < 0.01] *= 3
    return values.astype(np.int64)


def _opened(path: Path) -> list[float]:
    done = subprocess.run(
        [interpreter(), "-c", _OPEN, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    times: list[float] = json.loads(done.stdout)
    return times


def _kept(path: Path, count: int) -> list[float]:
    """Seconds that keeping one trial takes, of so many."""
    with TrialStore(path) as store:
        return [_timed(store, kept) for kept in islice(_trials(200), count)]


def _timed(store: TrialStore, kept: KeptTrial) -> float:
    began = time.perf_counter()
    store.keep(kept)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
