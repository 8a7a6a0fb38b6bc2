"""The charts of a comparison: what each draws of its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDoubleSpinBox, QLabel
from pytestqt.qtbot import QtBot

from gui.keeping import compared_run
from gui.models.comparison_table import ComparisonRow, styles_of
from gui.panels.comparison_chart_plot import ComparisonPlot, LatencyAxis
from gui.panels.comparison_charts import ComparisonCharts, ComparisonPage
from gui.records.check import Agreement
from gui.records.comparison_answer import varying_dimension
from gui.records.result import Outcome
from gui.records.trial import TrialFacts
from gui.trial_run import TrialRun

from ..finding import child, show
from ..models.comparison_makers import BEGAN_NS, CPU, DIED, add_rounds, cell, checked, on, sweep

MS = 1_000_000
NONE: frozenset[int] = frozenset()


def rows_of(*runs: TrialRun, baseline: int | None = 0) -> tuple[ComparisonRow, ...]:
    found = [compared_run(run) for run in runs]
    dimension = varying_dimension(found)
    styles = styles_of(found, dimension, 8)
    return tuple(
        ComparisonRow(
            number=number,
            style=styles[number],
            trial=run,
            compared=found[number],
            is_baseline=number == baseline,
            items=None if dimension is None else run.settings.dimensions[0].size,
        )
        for number, run in enumerate(runs)
    )


class Charts:
    """Charts to be looked at, one page at a time."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.widget = ComparisonCharts()
        show(qtbot, self.widget, 900, 320)

    def look_at(
        self, page: ComparisonPage, *runs: TrialRun, chosen: frozenset[int] = NONE, baseline: int | None = 0
    ) -> None:
        rows = rows_of(*runs, baseline=baseline)
        self.widget.show_page(page)
        self.widget.show_rows(rows, chosen, varying_dimension([row.compared for row in rows]))

    def plot(self, name: str) -> Any:
        return child(self.widget, ComparisonPlot, name)

    def labels(self, name: str) -> list[str]:
        """Those beside the rows, from top to bottom."""
        return [text for _place, text in self.plot(name).getAxis("left")._tickLevels[0]]

    def notes(self, name: str) -> list[str]:
        items = [item for item in self.plot(name).scene().items() if isinstance(item, pg.TextItem)]
        seen = sorted((item for item in items if item.isVisible()), key=lambda item: item.pos().y())
        return [text for item in seen if (text := item.toPlainText())]


@pytest.fixture
def charts(qtbot: QtBot) -> Charts:
    return Charts(qtbot)


def two() -> tuple[TrialRun, TrialRun]:
    return cell(0, CPU, 2.6 * MS, count=2), cell(1, "ggml", 2.0 * MS, count=2)


def dead(number: int, label: str = "cuda") -> TrialRun:
    return cell(number, label, None, outcome=Outcome.FAILED, failure=DIED, facts=TrialFacts())


# ---- Medians ----


def test_that_each_row_has_its_median_with_its_interval_and_says_it(charts: Charts) -> None:
    cpu, ggml = two()
    charts.look_at(ComparisonPage.MEDIANS, cpu, ggml)
    shapes = charts.widget.medians.shapes
    for shape, run in zip(shapes, (cpu, ggml), strict=True):
        exact = run.exact
        assert exact is not None
        assert exact.median_low_ns is not None
        assert exact.median_high_ns is not None
        assert shape.middle == pytest.approx(exact.median_ns / 1e9)
        assert shape.reach == pytest.approx((exact.median_low_ns / 1e9, exact.median_high_ns / 1e9))
    assert charts.labels("Medians with intervals") == [CPU, "ggml"]
    said = charts.notes("Medians with intervals")
    assert said[0].endswith("ms  ·  baseline")
    (left, right), _y = charts.plot("Medians with intervals").getViewBox().viewRange()
    assert left < 2.0e-3
    assert right > 2.6e-3


def test_that_a_row_without_samples_says_why_in_its_place(charts: Charts) -> None:
    charts.look_at(ComparisonPage.MEDIANS, two()[0], dead(1))
    assert [shape.line for shape in charts.widget.medians.shapes] == [0]
    assert charts.notes("Medians with intervals")[1] == "failed: engine died"


@pytest.mark.parametrize(
    ("facts", "said"),
    [(on("ggml", ran=CPU), "None on ggml"), (on("ggml", check=checked(Agreement.DIFFERENT)), "Outputs differ")],
)
def test_that_a_number_that_is_not_its_own_is_hollow_and_says_so(charts: Charts, facts: TrialFacts, said: str) -> None:
    charts.look_at(ComparisonPage.MEDIANS, two()[0], cell(1, "ggml", 2.0 * MS, facts=facts))
    assert [shape.is_hollow for shape in charts.widget.medians.shapes] == [False, True]
    assert charts.notes("Medians with intervals")[1].endswith(said)


def test_that_latencies_a_decade_apart_are_drawn_on_a_logarithmic_axis(charts: Charts) -> None:
    charts.look_at(ComparisonPage.MEDIANS, cell(0, CPU, 0.1 * MS), cell(1, "slow", 30 * MS))
    assert charts.widget.medians.shapes[0].middle == pytest.approx(-4.0, abs=0.05)
    charts.look_at(ComparisonPage.MEDIANS, *two())
    assert charts.widget.medians.shapes[0].middle == pytest.approx(2.6e-3, rel=0.05)


def test_that_rows_that_were_not_chosen_step_back(charts: Charts) -> None:
    charts.look_at(ComparisonPage.MEDIANS, *two())
    plain = [shape.color for shape in charts.widget.medians.shapes]
    charts.look_at(ComparisonPage.MEDIANS, *two(), chosen=frozenset({1}))
    faded = [shape.color for shape in charts.widget.medians.shapes]
    assert faded[1] == plain[1]
    assert faded[0] != plain[0]


def test_that_many_rows_can_be_scrolled_to(charts: Charts) -> None:
    charts.look_at(ComparisonPage.MEDIANS, *(cell(number, f"t{number}", MS, count=60) for number in range(60)))
    bar = charts.widget.medians.verticalScrollBar()
    charts.qtbot.waitUntil(lambda: bar.maximum() > 0, timeout=5000)
    assert len(charts.labels("Medians with intervals")) == 60


# ---- Distributions ----


def test_that_a_box_stands_between_the_quartiles_with_whiskers_from_p5_to_p95(charts: Charts) -> None:
    cpu, ggml = two()
    charts.look_at(ComparisonPage.DISTRIBUTIONS, cpu, ggml)
    shape = charts.widget.distributions._boxes.shapes[0]
    p5, q1, median, q3, p95 = np.percentile(cpu.series.values, (5, 25, 50, 75, 95), method="inverted_cdf") / 1e9
    assert shape.reach == pytest.approx((p5, p95))
    assert shape.box == pytest.approx((q1, q3))
    assert shape.middle == pytest.approx(median)


def test_that_the_share_of_runs_rises_from_none_at_the_fastest_to_all_at_the_slowest(charts: Charts) -> None:
    cpu, ggml = two()
    charts.look_at(ComparisonPage.DISTRIBUTIONS, cpu, ggml, dead(2))
    curves = [item for item in charts.plot("Share of runs up to a latency").listDataItems() if item.isVisible()]
    assert len(curves) == 2
    x, y = curves[0].getData()
    values = np.sort(cpu.series.values) / 1e9
    assert (x[0], x[-1]) == pytest.approx((values[0], values[-1]))
    assert (y[0], y[-1]) == (0.0, 1.0)
    assert (np.diff(y) >= 0).all()
    share = y[np.searchsorted(x, values[119], "right") - 1]
    assert share == pytest.approx(0.5, abs=0.01)


# ---- Over time ----


def test_that_rows_are_drawn_over_the_time_since_the_comparison_began(charts: Charts) -> None:
    charts.look_at(ComparisonPage.OVER_TIME, *two(), dead(2))
    lines = charts.widget.over_time._item.lines
    assert [line.times_s[0] for line in lines] == pytest.approx([0.016, 1.012], abs=0.01)
    assert len(lines[0].times_s) == 20
    assert lines[0].medians[0] == pytest.approx(2.6e-3, rel=0.1)
    assert [entry.label for entry in charts.widget.over_time._legend.entries] == [CPU, "ggml"]
    bottom = charts.plot("Latency over time").getAxis("bottom")
    assert bottom.labelText == "Time since the comparison began"


def test_that_a_row_measured_by_itself_is_drawn_over_its_own_time(charts: Charts) -> None:
    cpu, ggml = two()
    part = ggml.comparison
    assert part is not None
    later = tuple(replace(entry, began_ns=entry.began_ns + 10**12) for entry in part.rounds)
    ggml.comparison = replace(part, rounds=later, is_alone=True)
    charts.look_at(ComparisonPage.OVER_TIME, cpu, ggml)
    lines = charts.widget.over_time._item.lines
    assert lines[1].times_s[0] == pytest.approx(0.012, abs=0.01)
    bottom = charts.plot("Latency over time").getAxis("bottom")
    assert bottom.labelText == "Time since its own beginning"


def test_that_new_rounds_are_drawn_beside_those_that_were_there(charts: Charts) -> None:
    run = cell(0, CPU, 2 * MS, rounds=4, outcome=Outcome.RUNNING)
    charts.look_at(ComparisonPage.OVER_TIME, run)
    add_rounds(run, 3, 2 * MS)
    charts.look_at(ComparisonPage.OVER_TIME, run)
    (line,) = charts.widget.over_time._item.lines
    assert len(line.times_s) == 7
    (_left, right), _y = charts.plot("Latency over time").getViewBox().viewRange()
    assert right > 12


def test_that_a_view_that_was_zoomed_into_stays_until_a_double_click(charts: Charts) -> None:
    run = cell(0, CPU, 2 * MS, rounds=4, outcome=Outcome.RUNNING)
    charts.look_at(ComparisonPage.OVER_TIME, run)
    plot = charts.plot("Latency over time")
    plot.getViewBox().setRange(xRange=(1.0, 2.0), padding=0)
    plot.getViewBox().sigRangeChangedManually.emit([True, True])
    add_rounds(run, 3, 2 * MS)
    charts.look_at(ComparisonPage.OVER_TIME, run)
    assert plot.getViewBox().viewRange()[0] == pytest.approx([1.0, 2.0])
    charts.qtbot.mouseDClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 60))
    assert plot.getViewBox().viewRange()[0][1] > 12


def test_that_slower_runs_that_are_not_shown_are_named(charts: Charts) -> None:
    run = cell(0, CPU, 2 * MS, outcome=Outcome.RUNNING)
    part = run.comparison
    assert part is not None
    run.series.append(np.array([90 * MS], np.int64))
    last = replace(part.rounds[-1], number=21, began_ns=BEGAN_NS + 10**11, sample_count=1, measured_ns=90 * MS)
    run.comparison = replace(part, rounds=(*part.rounds, last))
    charts.look_at(ComparisonPage.OVER_TIME, run)
    assert charts.notes("Latency over time") == ["▲ slowest 90.00 ms"]


# ---- Throughput ----


def test_that_throughput_says_how_to_get_it_when_no_sizes_differ(charts: Charts) -> None:
    charts.look_at(ComparisonPage.THROUGHPUT, *two())
    texts = [label.text() for label in charts.widget.throughput.findChildren(QLabel) if label.isVisible()]
    assert any("give a free dimension of the model several" in text for text in texts)
    assert charts.widget.throughput.sentence == ""
    assert charts.widget.plots == ()


def budget_of(charts: Charts) -> QDoubleSpinBox:
    return child(charts.widget, QDoubleSpinBox, "Latency budget")


def test_that_each_target_is_a_line_through_its_sizes(charts: Charts) -> None:
    charts.look_at(ComparisonPage.THROUGHPUT, *sweep().runs, baseline=None)
    plot = charts.plot("Throughput over latency")
    curves = [item for item in plot.listDataItems() if isinstance(item, pg.PlotDataItem)]
    assert [len(curve.getData()[0]) for curve in curves] == [5, 5]
    assert (np.diff(curves[0].getData()[0]) > 0).all()
    legend = charts.widget.throughput._legend.entries
    assert [entry.label for entry in legend] == [CPU, "ggml"]
    sizes = sorted(charts.notes("Throughput over latency"), key=int)
    assert sizes == ["1", "1", "2", "2", "4", "4", "8", "8", "16", "16"]


def test_that_the_best_within_the_budget_is_said(charts: Charts) -> None:
    charts.look_at(ComparisonPage.THROUGHPUT, *sweep().runs, baseline=None)
    budget_of(charts).setValue(5.0)
    assert charts.widget.throughput.sentence.startswith("Within 5 ms: ggml, batch 4, 9")
    assert charts.widget.throughput.sentence.endswith(" items/s.")
    budget_of(charts).setValue(0.5)
    assert charts.widget.throughput.sentence.startswith(
        "Nothing is within 0.5 ms; the fastest is ggml, batch 1 with 1."
    )


def test_that_the_budget_line_can_be_dragged(charts: Charts) -> None:
    charts.look_at(ComparisonPage.THROUGHPUT, *sweep().runs, baseline=None)
    line = charts.widget.throughput._budget_line
    line.setPos(np.log10(9e-3))
    assert budget_of(charts).value() == pytest.approx(9.0, rel=0.001)
    assert charts.widget.throughput.sentence.startswith("Within 9 ms: ggml, batch 8,")
    assert line.movable


def test_that_a_budget_that_was_chosen_stays_while_more_is_measured(charts: Charts) -> None:
    charts.look_at(ComparisonPage.THROUGHPUT, *sweep().runs, baseline=None)
    budget_of(charts).setValue(7.0)
    charts.look_at(ComparisonPage.THROUGHPUT, *sweep().runs, baseline=None)
    assert budget_of(charts).value() == 7.0


def test_that_a_size_whose_number_is_not_its_own_does_not_win(charts: Charts) -> None:
    runs = sweep().runs
    for run in runs[5:]:
        run.facts = on("ggml", ran=CPU)
    charts.look_at(ComparisonPage.THROUGHPUT, *runs, baseline=None)
    budget_of(charts).setValue(5.0)
    assert charts.widget.throughput.sentence.startswith(f"Within 5 ms: {CPU}, batch 2,")


# ---- The axis ----


def test_that_numbers_of_an_axis_have_units(qtbot: QtBot) -> None:
    axis = LatencyAxis("bottom")
    axis.setRange(0.0, 0.004)
    assert axis.tickStrings([0.0, 0.001, 0.0025], 1.0, 0.0005) == ["0", "1.0 ms", "2.5 ms"]
    axis.set_log(True)
    assert axis.tickStrings([-6.0, -5 + np.log10(2), 0.0], 1.0, 1.0) == ["1 µs", "20 µs", "1 s"]


@pytest.mark.parametrize("span", [(-6.0, 1.0), (-3.0, -2.0), (-3.0, -2.9), (-3.0, -2.999)])
def test_that_a_logarithmic_axis_has_a_few_numbers_whatever_is_seen(span: tuple[float, float]) -> None:
    axis = LatencyAxis("bottom")
    axis.set_log(True)
    places = axis.tickValues(*span, 400.0)[0][1]
    assert 2 <= len(places) <= 24
    assert all(span[0] <= place <= span[1] for place in places)
    texts = axis.tickStrings(places, 1.0, 1.0)
    assert len(set(texts)) == len(texts)
