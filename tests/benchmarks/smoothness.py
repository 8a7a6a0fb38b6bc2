"""Does the window answer while samples stream in at full speed? The gaps of its event loop, in milliseconds.

    python -m tests.benchmarks.smoothness [--seconds 20] [--repeats 2]

The smallest sample model (about 5 µs a run, one thread) runs in the engine for `--seconds`; the real window is open and
its chart live. A timer in the window's loop ticks each millisecond: a gap is the time between two ticks, so about 1 ms
of it is the timer's own, and the rest is how long a click would have waited. The trial's beginning and end (session,
last redraw, exact statistics of all samples) are part of it. The same window without a trial, in turn with it, tells
what the screen and the machine do by themselves.

Then what took the time: the functions of the window that were recorded, by wrapping them at run time, and for the
longest gaps which of them ran in each. A function's time holds that of the functions it calls; what none of them
explains is Qt's painting and what else runs on the machine.

Bounds, for the worst repeat with a trial: p99 of the gaps at most 20 ms, the longest at most 100 ms.
"""

from __future__ import annotations

import argparse
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from .harness import (
    MODELS,
    Bound,
    Call,
    CallRecord,
    let_live,
    open_window,
    print_calls,
    print_heading,
    run_trial,
    screen,
)

if TYPE_CHECKING:
    from gui.app import Explorer

_TICK_MS: Final = 1
_AFTERWARDS_S: Final = 0.5
_P99_LIMIT_MS: Final = 20.0
_LONGEST_LIMIT_MS: Final = 100.0
_SHOWN_GAPS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gaps:
    """The ticks of one stretch of time, `perf_counter_ns`."""

    ticks_ns: npt.NDArray[np.int64]

    @property
    def gaps_ms(self) -> npt.NDArray[np.float64]:
        """The times between them."""
        return np.diff(self.ticks_ns) / 1e6

    @property
    def p99_ms(self) -> float:
        """The 99th percentile of the gaps."""
        return float(np.percentile(self.gaps_ms, 99))

    @property
    def longest_ms(self) -> float:
        """The longest gap."""
        return float(self.gaps_ms.max())

    def __str__(self) -> str:
        gaps = self.gaps_ms
        late = float(gaps[gaps > 16].sum() / gaps.sum())
        return (
            f"{len(gaps):>6} gaps: median {np.median(gaps):.2f} ms, p99 {self.p99_ms:.2f} ms, "
            f"longest {self.longest_ms:.1f} ms; {late:.2%} of the time in gaps over 16 ms"
        )


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description="Gaps of the window's event loop while samples stream in.")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a trial measures (20)")
    parser.add_argument("--repeats", type=int, default=2, help="trials, each beside an idle stretch (2)")
    arguments = parser.parse_args()
    streaming: list[_Gaps] = []
    with screen() as where:
        print_heading("smoothness: gaps of the window's event loop while a 5 µs model streams its samples", where)
        record = _recorded()
        with open_window() as explorer:
            explorer.window.open_model(str(MODELS / "tiny_mlp.onnx"))
            let_live(2.0)  # the engine describes the model, the window settles
            for repeat in range(1, arguments.repeats + 1):
                print(f"\nrepeat {repeat}")
                with _ticking() as ticks:
                    let_live(arguments.seconds)
                print(f"  idle      {_Gaps(ticks_ns=np.array(ticks, np.int64))}", flush=True)
                streaming.append(_stream(explorer, record, arguments.seconds))
    print()
    print(Bound(name="p99 gap", figure=max(gaps.p99_ms for gaps in streaming), limit=_P99_LIMIT_MS, unit=" ms"))
    longest = max(gaps.longest_ms for gaps in streaming)
    print(Bound(name="longest gap", figure=longest, limit=_LONGEST_LIMIT_MS, unit=" ms"))


def _stream(explorer: Explorer, record: CallRecord, seconds: float) -> _Gaps:
    """Run one trial and print its gaps and what took the time."""
    record.calls.clear()
    with _ticking() as ticks:
        trial = run_trial(explorer, MODELS / "tiny_mlp.onnx", sizes={"batch": 1}, warmup=50, seconds=seconds)
        let_live(_AFTERWARDS_S)
    gaps = _Gaps(ticks_ns=np.array(ticks, np.int64))
    statistics = trial.exact
    assert statistics is not None
    redraws = [call for call in record.calls if call.name == "LatencyPanel._redraw"]
    print(f"  streaming {gaps}")
    print(
        f"    {statistics.count} samples received (median {statistics.median_ns / 1e3:.2f} µs), {len(redraws)} redraws"
    )
    print_calls(record.calls)
    _print_longest(gaps, record)
    return gaps


def _print_longest(gaps: _Gaps, record: CallRecord) -> None:
    began = int(gaps.ticks_ns[0])
    for index in np.argsort(gaps.gaps_ms)[::-1][:_SHOWN_GAPS]:
        start, end = int(gaps.ticks_ns[index]), int(gaps.ticks_ns[index + 1])
        inside = sorted(record.between(start, end), key=lambda call: -call.duration_ms)
        names = ", ".join(f"{call.name} {call.duration_ms:.1f}" for call in _outermost(inside)[:6])
        print(f"    gap of {(end - start) / 1e6:>6.1f} ms, {(start - began) / 1e9:>6.2f} s after Run: {names or '-'}")


def _outermost(calls: list[Call]) -> list[Call]:
    """Leave out the calls made within others; the longest come first in `calls`."""
    kept: list[Call] = []
    for call in calls:
        if not any(other.began_ns <= call.began_ns and call.ended_ns <= other.ended_ns for other in kept):
            kept.append(call)
    return kept


def _recorded() -> CallRecord:
    """Record what the window does with samples and to draw them; before any of it is made."""
    import pyqtgraph as pg

    from gui.client.process import EngineProcess
    from gui.panels.latency_charts import LatencyCharts
    from gui.panels.latency_panel import LatencyPanel
    from gui.panels.widgets import ElidedLabel, TableView
    from gui.trial_run import TrialRun
    from gui.trials import TrialKeeper

    record = CallRecord()
    for owner, name in (
        (EngineProcess, "_read_messages"),
        (TrialKeeper, "_on_samples"),
        (TrialKeeper, "_end"),
        (TrialRun, "_estimated"),
        (TrialRun, "exact_statistics"),
        (LatencyPanel, "_redraw"),
        (LatencyPanel, "_show_numbers"),
        (LatencyPanel, "_on_trial_changed"),
        (LatencyPanel, "_on_trials"),
        (LatencyCharts, "show_trial"),
        (LatencyCharts, "redraw_samples"),
        (LatencyCharts, "redraw_histogram"),
        (pg.GraphicsView, "paintEvent"),
        (TableView, "paintEvent"),
        (ElidedLabel, "paintEvent"),
    ):
        record.wrap(owner, name)
    record.watch_garbage_collection()
    return record


@contextmanager
def _ticking() -> Iterator[array[int]]:
    """Take the time each millisecond in the window's loop."""
    from PySide6.QtCore import Qt, QTimer

    ticks = array("q")
    clock = time.perf_counter_ns
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(_TICK_MS)
    timer.timeout.connect(lambda: ticks.append(clock()))
    timer.start()
    yield ticks
    timer.stop()


if __name__ == "__main__":
    main()
