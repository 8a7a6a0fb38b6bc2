"""Does a trial measure what a plain script measures? Median and p99 of a trial over those of a bare loop.

    python -m tests.benchmarks.truth [--repeats 7] [--seconds 3] [--model image|text] [--control]

A trial runs in the engine of the real window, which is open with its chart live; the bare loop (`bare_loop.py`) is a
process of its own without Qt. Both have the same model, inputs, warm-up, number of iterations and one intra-op thread;
they run in turn, A B A B …, and each ratio is that of two neighbours. What is printed last are the medians of these
ratios: 1.00 says that neither the engine nor the window beside it changes what is measured.

`--control` runs the bare loop twice a repeat and prints the second over the first: how far from 1 this machine is by
itself. Where that is not near 1, the other ratios tell little.

Bounds, for each model: ratio of the medians at most 1.03, of the p99 at most 1.15.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gui.records.statistics import LatencyStatistics, summarize

from .harness import MODELS, Bound, CallRecord, interpreter, open_window, print_heading, run_trial, screen

if TYPE_CHECKING:
    from gui.app import Explorer

_BARE_LOOP: Final = Path(__file__).with_name("bare_loop.py")
_WARMUP: Final = 50
_MEDIAN_LIMIT: Final = 1.03
_P99_LIMIT: Final = 1.15


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """A model and the sizes of its free dimensions."""

    model: Path
    sizes: dict[str, int]


_LOADS: Final = {
    "image": _Load(model=MODELS / "image_classifier.onnx", sizes={"batch": 1}),
    "text": _Load(model=MODELS / "text_transformer.onnx", sizes={"batch": 1, "sequence": 32}),
}


@dataclass(slots=True)
class _Ratios:
    medians: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)

    def add(self, measured: LatencyStatistics, against: LatencyStatistics) -> str:
        """Take a pair and return its ratios as text."""
        self.medians.append(measured.median_ns / against.median_ns)
        self.p99s.append(measured.p99_ns / against.p99_ns)
        return f"{self.medians[-1]:>9.3f}{self.p99s[-1]:>9.3f}"

    def summary(self) -> str:
        """The medians of the paired ratios, and how far they are spread."""
        return (
            f"median {statistics.median(self.medians):.3f} ({min(self.medians):.3f} to {max(self.medians):.3f}), "
            f"p99 {statistics.median(self.p99s):.3f} ({min(self.p99s):.3f} to {max(self.p99s):.3f})"
        )


def main() -> None:
    """Run the benchmark and print what came out."""
    arguments = _arguments()
    record = CallRecord()
    with screen() as where:
        print_heading("truth: a trial in the engine with the window open and its chart live over a bare loop", where)
        from gui.panels.latency_panel import LatencyPanel

        record.wrap(LatencyPanel, "_redraw")
        with open_window() as explorer:
            for name in [arguments.model] if arguments.model else list(_LOADS):
                _compare(explorer, record, _LOADS[name], arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trials in the open window against a bare loop.")
    parser.add_argument("--repeats", type=int, default=7, help="pairs a model (7)")
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long each trial and each loop takes (3)")
    parser.add_argument("--model", choices=list(_LOADS), help="only this model")
    parser.add_argument("--control", action="store_true", help="compare the bare loop with itself, too")
    return parser.parse_args()


def _compare(explorer: Explorer, record: CallRecord, load: _Load, arguments: argparse.Namespace) -> None:
    trial_as_first = _bare(load, 200)
    iterations = max(100, round(arguments.seconds * 1e9 / trial_as_first.mean_ns))
    sizes = ", ".join(f"{name}={size}" for name, size in load.sizes.items())
    print(f"\n{load.model.name} ({sizes}), {iterations} iterations after {_WARMUP} of warm-up, 1 thread")
    control_title = f"{'control':>12}" if arguments.control else ""
    print(f"{'':>4}{'median ms':>20}{'p99 ms':>20}{'ratios':>14}{'':>9}{control_title}")
    control_title = f"{'median':>12}{'p99':>9}" if arguments.control else ""
    print(
        f"{'':>4}{'window':>10}{'bare':>10}{'window':>10}{'bare':>10}{'median':>9}{'p99':>9}{'redraws':>9}{control_title}"
    )
    explorer.window.open_model(str(load.model))
    ratios, control = _Ratios(), _Ratios()
    for repeat in range(1, arguments.repeats + 1):
        redraws = len(record.calls)
        trial = run_trial(explorer, load.model, sizes=load.sizes, warmup=_WARMUP, iterations=iterations)
        measured, redraws = trial.exact, len(record.calls) - redraws
        bare = _bare(load, iterations)
        assert measured is not None
        medians = f"{measured.median_ns / 1e6:>10.4f}{bare.median_ns / 1e6:>10.4f}"
        p99s = f"{measured.p99_ns / 1e6:>10.4f}{bare.p99_ns / 1e6:>10.4f}"
        line = f"{repeat:>3}:{medians}{p99s}{ratios.add(measured, bare)}{redraws:>9}"
        if arguments.control:
            line += "   " + control.add(_bare(load, iterations), bare)
        print(line, flush=True)
    print(f"window over bare: {ratios.summary()}")
    if arguments.control:
        print(f"bare over bare:   {control.summary()}")
    print(Bound(name="ratio of medians", figure=statistics.median(ratios.medians), limit=_MEDIAN_LIMIT))
    print(Bound(name="ratio of p99", figure=statistics.median(ratios.p99s), limit=_P99_LIMIT), flush=True)


def _bare(load: _Load, iterations: int) -> LatencyStatistics:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        file = Path(folder) / "samples.npy"
        sizes = [f"--dim={name}={size}" for name, size in load.sizes.items()]
        numbers = [f"--iterations={iterations}", f"--warmup={_WARMUP}"]
        subprocess.run([interpreter(), str(_BARE_LOOP), str(load.model), str(file), *numbers, *sizes], check=True)
        found = summarize(np.load(file))
    assert found is not None
    return found


if __name__ == "__main__":
    main()
