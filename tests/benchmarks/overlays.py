"""Do many samples pan and zoom smoothly, and how much of the window's memory does each take?

    python -m tests.benchmarks.overlays [--samples 1000000] [--rows 20] [--frames 120]

Two charts, each in a window of its own: *latency over iteration* of one trial with so many samples (`LatencyPanel`),
and *over time* of a comparison of so many rows, which have so many samples together, then as many each
(`ComparisonPanel`).
The samples arrive in batches and rounds, as from an engine. Then the view is moved and zoomed as by a hand, a frame
each: a turn of the wheel or a drag, at a place that moves, and the window is drawn before the next. What is counted is
the time from the wish until the frame is painted, whatever else the machine does; the processor time of this process
tells how much of it was its own.

Memory is what the process holds more after the samples have come and the chart is drawn than before (resident set),
over the number of samples.

Bounds: the median frame at least 30 a second in each chart, at most 40 bytes a sample. Exits with 1 when one is missed.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .harness import Bound, print_heading, screen

if TYPE_CHECKING:  # Qt is imported only once there is a screen
    from PySide6.QtWidgets import QWidget

_FRAME_MS: Final = 1000 / 30
_MOST_BYTES: Final = 40.0
_BATCH: Final = 5000
_ROUNDS: Final = 20
_MEDIAN_NS: Final = 400_000
_BEGAN_NS: Final = 1_790_000_000_000_000_000
_SIZES: Final = ((1280, 800), (1900, 1150))


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description="Panning and zooming through many samples.")
    parser.add_argument("--samples", type=int, default=1_000_000, help="of the trial, and of all rows (1000000)")
    parser.add_argument("--rows", type=int, default=20, help="of the comparison (20)")
    parser.add_argument("--frames", type=int, default=120, help="drawn for each figure (120)")
    arguments = parser.parse_args()
    bounds: list[Bound] = []
    with screen() as where:
        print_heading("overlays: panning and zooming through many samples", where)
        from PySide6.QtWidgets import QApplication

        application = QApplication.instance() or QApplication(sys.argv[:1])
        assert isinstance(application, QApplication)
        _warm_up()
        bounds += _one_trial(arguments.samples, arguments.frames)
        each = arguments.samples // arguments.rows
        bounds += _overlaid(arguments.rows, each, arguments.frames)
        bounds += _overlaid(arguments.rows, arguments.samples, arguments.frames)
    print()
    for bound in bounds:
        print(bound)
    if any(bound.figure > bound.limit for bound in bounds):
        raise SystemExit(1)


def _warm_up() -> None:
    """Draw both charts once with few samples: what the libraries load and keep is not the samples'."""
    _one_trial(20_000, 5, is_told=False)
    _overlaid(2, 20_000, 5, is_told=False)


# ---- One trial ----


def _one_trial(samples: int, frames: int, *, is_told: bool = True) -> list[Bound]:
    from gui.panels.latency_panel import LatencyPanel, TrialListActions
    from gui.records.result import Outcome
    from gui.state import State

    before = _resident_bytes()
    state = State()
    panel = LatencyPanel(state, TrialListActions(of_list=(), of_trial=(), of_charts=()))
    _show(panel, _SIZES[0])
    trial = _trial(0, 1)
    state.add_trial(trial)
    for first in range(0, samples, _BATCH):
        _append(trial, min(_BATCH, samples - first), seed=first)
    trial.outcome, trial.exact = Outcome.FINISHED, trial.exact_statistics()
    state.trial_changed.emit(trial)
    name = f"one trial of {samples} samples"
    plot = panel.charts.plots[0]
    bounds = _figures(name, panel, plot, samples, before, frames) if is_told else []
    _close(panel)
    return bounds


# ---- Overlaid ----


def _overlaid(rows: int, samples: int, frames: int, *, is_told: bool = True) -> list[Bound]:
    from PySide6.QtGui import QAction

    from gui.comparison_run import ComparisonRun
    from gui.panels.comparison_charts import ComparisonPage
    from gui.panels.comparison_panel import ComparisonActions, ComparisonPanel
    from gui.records.result import Outcome
    from gui.state import State

    before = _resident_bytes()
    state = State()
    panel = ComparisonPanel(state, ComparisonActions(compare=QAction("Compare…")))
    _show(panel, _SIZES[0])
    panel.charts.show_page(ComparisonPage.OVER_TIME)
    trials = tuple(_trial(number, rows) for number in range(rows))
    for round_number in range(1, _ROUNDS + 1):
        for trial in trials:
            _measure_round(trial, samples // _ROUNDS, round_number)
    for trial in trials:
        trial.outcome, trial.exact = Outcome.FINISHED, trial.exact_statistics()
    state.show_comparison(ComparisonRun(id="b", runs=trials))
    name = f"{rows} trials overlaid, {samples} samples each"
    bounds = _figures(name, panel, panel.charts.over_time.plot, rows * samples, before, frames) if is_told else []
    _close(panel)
    return bounds


def _trial(number: int, rows: int) -> Any:
    """Return a trial under way, a cell among so many."""
    from gui.records.comparison import ComparisonPart
    from gui.records.trial import Stage, Target, TrialFacts, TrialSettings
    from gui.trial_run import TrialRun

    return TrialRun(
        number=number + 1,
        settings=TrialSettings(model_path="/models/net.onnx", target=Target(device_keys=(f"device {number}",))),
        model_name="net",
        target_text=f"device {number}",
        devices=(),
        facts=TrialFacts(stage=Stage.MEASURING),
        comparison=ComparisonPart(
            id="b",
            created="2026-11-25T10:00:00Z",
            label=f"device {number}",
            cell=number,
            cell_count=rows,
            is_baseline=number == 0,
            planned_rounds=_ROUNDS,
        ),
    )


def _append(trial: Any, count: int, seed: int) -> int:
    """Let samples arrive as from an engine; return how long they took together."""
    median = _MEDIAN_NS * (1 + 0.1 * (trial.number - 1))
    taken = (median * np.random.default_rng(seed).lognormal(0.0, 0.06, count)).astype(np.int64)
    trial.series.append(taken)
    measured = int(taken.sum())
    trial.elapsed_ns += measured
    return measured


def _measure_round(trial: Any, count: int, number: int) -> None:
    from dataclasses import replace

    from gui.records.comparison import Round

    part = trial.comparison
    # The slowest row is about four times the first: a round of all of them has room in this.
    turn_ns = round(count * _MEDIAN_NS * 4.5)
    began = _BEGAN_NS + ((number - 1) * part.cell_count + part.cell) * turn_ns
    measured = _append(trial, count, seed=1000 * part.cell + number)
    told = Round(number=number, position=part.cell + 1, began_ns=began, sample_count=count, measured_ns=measured)
    trial.comparison = replace(part, rounds=(*part.rounds, told))


# ---- What is measured ----


class _Paints:
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        from PySide6.QtCore import QEvent, QObject

        owner = self
        self.count = 0

        class Watcher(QObject):
            def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
                owner.count += event.type() is QEvent.Type.Paint
                return False

        self._watcher = Watcher(widget)
        widget.installEventFilter(self._watcher)


def _show(widget: QWidget, size: tuple[int, int]) -> None:
    widget.resize(*size)
    widget.show()
    _draw(widget)


def _close(widget: QWidget) -> None:
    from PySide6.QtCore import QCoreApplication, QEvent

    widget.close()
    widget.deleteLater()
    QCoreApplication.sendPostedEvents(widget, QEvent.Type.DeferredDelete)
    gc.collect()


def _draw(widget: QWidget) -> None:
    from PySide6.QtWidgets import QApplication

    QApplication.processEvents()
    widget.repaint()


def _figures(name: str, panel: QWidget, plot: Any, samples: int, before: int, frames: int) -> list[Bound]:
    _draw(panel)
    gc.collect()
    per_sample = (_resident_bytes() - before) / samples
    print(f"\n{name}: {per_sample:.1f} bytes a sample")
    bounds = [Bound(name=f"{name}: memory a sample", figure=per_sample, limit=_MOST_BYTES, unit=" bytes")]
    for size in _SIZES:
        panel.resize(*size)
        _draw(panel)
        for kind, move in (("zoom", _zoom), ("pan", _pan)):
            plot.mouseDoubleClickEvent(_double_click(plot))
            _draw(panel)
            used = time.process_time()
            times = _frame_times(plot, move, frames)
            used = (time.process_time() - used) * 1000 / frames
            median, p95 = float(np.median(times)), float(np.percentile(times, 95))
            print(
                f"  {size[0]} × {size[1]}, {kind}: median {median:.1f} ms ({1000 / median:.0f} a second), "
                f"p95 {p95:.1f} ms, longest {max(times):.1f} ms; processor {used:.1f} ms",
                flush=True,
            )
            label = f"{name}: frame, {kind}, {size[0]} × {size[1]}"
            bounds.append(Bound(name=label, figure=median, limit=_FRAME_MS, unit=" ms"))
    return bounds


def _frame_times(plot: Any, move: Callable[[Any, int, int], None], frames: int) -> list[float]:
    """Return how long each frame took from the wish until it was painted, milliseconds."""
    from PySide6.QtWidgets import QApplication

    paints = _Paints(plot.viewport())
    times = []
    for frame in range(frames):
        painted = paints.count
        began = time.perf_counter_ns()
        move(plot, frame, frames)
        while paints.count == painted:
            QApplication.processEvents()
        times.append((time.perf_counter_ns() - began) / 1e6)
    return times


def _zoom(plot: Any, frame: int, frames: int) -> None:
    """Turn the wheel: in for half of the frames, at a place that moves, then out again."""
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    steps = 40 if frame < frames // 2 else -40
    port = plot.viewport()
    at = QPointF(port.width() * (0.3 + 0.4 * frame / frames), port.height() * 0.5)
    event = QWheelEvent(
        at,
        QPointF(port.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(port, event)


def _pan(plot: Any, frame: int, frames: int) -> None:
    """Drag by a few pixels, to one side and back, in a view of a third of all."""
    box = plot.getViewBox()
    if frame == 0:
        box.scaleBy((1 / 3, 1.0))
        box.sigRangeChangedManually.emit(box.state["mouseEnabled"])
    (left, right), _y = box.viewRange()
    step = (right - left) / 120 * (1 if frame < frames // 2 else -1)
    box.translateBy(x=step)
    box.sigRangeChangedManually.emit(box.state["mouseEnabled"])


def _double_click(plot: Any) -> Any:
    from PySide6.QtCore import QEvent, QPointF, Qt
    from PySide6.QtGui import QMouseEvent

    at = QPointF(plot.width() / 2, plot.height() / 2)
    button = Qt.MouseButton.LeftButton
    return QMouseEvent(QEvent.Type.MouseButtonDblClick, at, at, button, button, Qt.KeyboardModifier.NoModifier)


def _resident_bytes() -> int:
    """Return how much memory the process holds now."""
    gc.collect()
    status = Path("/proc/self/statm")
    if status.exists():
        import os

        return int(status.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import psutil

    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    main()
