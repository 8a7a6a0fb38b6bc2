"""The charts: what they draw, follow, and how they take colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QPalette, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels.latency_charts import LatencyCharts
from gui.records.result import Outcome
from gui.records.trial import StopRule, Target, TrialSettings
from gui.settings import ColorScheme
from gui.trial_run import TrialRun

from ..finding import child, show
from ..models.makers import trial

MS = 1_000_000


class Charts:
    """Charts to be looked at, one trial after the other."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.widget = LatencyCharts()
        show(qtbot, self.widget, 900, 300)
        self.over_time = child(self.widget, pg.PlotWidget, "Latency over iteration")
        self.distribution = child(self.widget, pg.PlotWidget, "Histogram of latencies")

    def curve(self) -> tuple[Any, Any]:
        """Iterations and latencies (ns) as drawn."""
        (item,) = self.over_time.listDataItems()
        x, y = item.getData()
        return np.array([] if x is None else x), np.round(np.array([] if y is None else y) * 1e9)

    def bars(self) -> tuple[Any, Any]:
        """The edges (ns) and heights of the histogram."""
        (item,) = self.distribution.listDataItems()
        edges, heights = item.getData()
        return edges * 1e9, heights

    def notes(self, plot: Any) -> list[str]:
        """The texts in a plot: beside its lines, and in its corner."""
        items = [item for item in plot.scene().items() if isinstance(item, pg.TextItem) and item.isVisible()]
        return [text for item in items if (text := item.toPlainText())]

    def view(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The ranges of iteration and latency to be seen."""
        x, y = self.over_time.getViewBox().viewRange()
        return (x[0], x[1]), (y[0] * 1e9, y[1] * 1e9)

    def zoom(self) -> None:
        """Turn the wheel over the middle of the chart."""
        viewport = self.over_time.viewport()
        middle = QPointF(viewport.rect().center())
        event = QWheelEvent(
            middle,
            QPointF(viewport.mapToGlobal(middle.toPoint())),
            QPoint(0, 0),
            QPoint(0, 480),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(viewport, event)


@pytest.fixture
def charts(qtbot: QtBot) -> Charts:
    return Charts(qtbot)


def ended(*samples_ns: int) -> TrialRun:
    return trial(1, *samples_ns, outcome=Outcome.FINISHED)


def measured_by(rule: StopRule, samples: Any) -> TrialRun:
    settings = TrialSettings(model_path="/m.onnx", target=Target(device_keys=("cpu",)), stop_rule=rule)
    run = trial(1, settings=settings)
    run.series.append(np.asarray(samples, np.int64))
    return run


# ---- What is drawn ----


def test_that_each_of_a_few_samples_is_drawn_at_its_iteration(charts: Charts) -> None:
    charts.widget.show_trial(ended(30_000, 10_000, 20_000))
    x, y = charts.curve()
    assert sorted(set(zip(x.tolist(), y.tolist(), strict=True))) == [(1, 30_000), (2, 10_000), (3, 20_000)]


def test_that_a_long_trial_is_drawn_by_few_points_that_keep_its_extremes(charts: Charts) -> None:
    samples = np.random.default_rng(1).integers(50_000, 60_000, 250_001)
    samples[123_457], samples[7] = 5 * MS, 1_000
    run = measured_by(StopRule(iterations=250_001), samples)
    charts.widget.show_trial(run)
    x, y = charts.curve()
    assert 1_000 < len(x) < 5_000
    assert (y.min(), y.max()) == (1_000, 5 * MS)
    assert x[0] == 1
    assert 249_000 < x[-1] <= 250_001
    assert np.all(np.diff(x) >= 0)
    assert abs(x[int(y.argmax())] - 123_458) < 500


def test_that_the_histogram_counts_every_sample_but_those_beyond_which_it_names(charts: Charts) -> None:
    charts.widget.show_trial(ended(*range(10_000, 10_099), 9 * MS))
    edges, heights = charts.bars()
    assert len(edges) == len(heights) + 1
    assert heights.sum() == 99
    assert edges[0] == pytest.approx(10_000)
    assert edges[-1] < 9 * MS
    assert "1 beyond ▸" in charts.notes(charts.distribution)


def test_that_the_histogram_of_a_long_trial_stands_for_all_its_samples(charts: Charts) -> None:
    charts.widget.show_trial(measured_by(StopRule(seconds=1), np.arange(10_000, 110_000)))
    _edges, heights = charts.bars()
    assert heights.sum() == pytest.approx(100_000)


def test_that_median_and_p90_are_named_in_both_charts(charts: Charts) -> None:
    charts.widget.show_trial(ended(*(MS * n for n in range(1, 11))))
    for plot in (charts.over_time, charts.distribution):
        assert {"median 5.000 ms", "p90 9.000 ms"} <= set(charts.notes(plot))


def test_that_slow_samples_outside_the_view_are_named_in_the_corner(charts: Charts) -> None:
    charts.widget.show_trial(ended(*[10_000, 10_100] * 50, 80 * MS))
    (_, high) = charts.view()[1]
    assert high < MS
    assert any("slower, up to 80.00 ms" in note for note in charts.notes(charts.over_time))


def test_that_without_a_trial_there_is_nothing_to_see(charts: Charts) -> None:
    charts.widget.show_trial(ended(1, 2, 3))
    for run in (None, trial(2)):
        charts.widget.show_trial(run)
        assert len(charts.curve()[0]) == 0
        assert charts.bars()[1].sum() == 0
        assert charts.notes(charts.over_time) == []
        assert charts.notes(charts.distribution) == []


def test_that_a_single_sample_is_to_be_seen(charts: Charts) -> None:
    charts.widget.show_trial(ended(70_000))
    (left, right), (low, high) = charts.view()
    assert left < 1 < right
    assert low < 70_000 < high
    assert charts.bars()[1].sum() == 1
    assert "median 70.00 µs" in charts.notes(charts.over_time)


# ---- What it follows ----


def test_that_a_running_trial_grows_within_the_iterations_it_will_have(charts: Charts) -> None:
    run = measured_by(StopRule(iterations=1000), [10_000] * 10)
    charts.widget.show_trial(run)
    assert charts.view()[0] == pytest.approx((0, 1010))
    run.series.append(np.full(90, 20_000, np.int64))
    charts.widget.redraw_samples()
    charts.widget.redraw_histogram()
    assert charts.curve()[0].max() == 100
    assert charts.view()[1][1] > 20_000
    assert charts.bars()[1].sum() == 100
    assert charts.view()[0] == pytest.approx((0, 1010))


def test_that_a_trial_by_time_shows_what_it_has_so_far(charts: Charts) -> None:
    run = measured_by(StopRule(seconds=5), [10_000] * 10)
    charts.widget.show_trial(run)
    run.series.append(np.full(90, 10_000, np.int64))
    charts.widget.redraw_samples()
    assert charts.view()[0] == pytest.approx((0, 101))


def test_that_a_stopped_trial_shows_the_samples_it_has(charts: Charts) -> None:
    run = measured_by(StopRule(iterations=1000), [10_000] * 10)
    run.outcome = Outcome.STOPPED
    charts.widget.show_trial(run)
    assert charts.view()[0] == pytest.approx((0, 10.1))


def test_that_a_zoomed_chart_stays_until_a_double_click_lets_it_follow_again(charts: Charts) -> None:
    run = measured_by(StopRule(seconds=5), range(10_000, 12_000))
    charts.widget.show_trial(run)
    everything = charts.view()
    charts.zoom()
    zoomed = charts.view()
    assert zoomed[0][1] - zoomed[0][0] < everything[0][1] - everything[0][0]
    run.series.append(np.arange(12_000, 14_000))
    charts.widget.redraw_samples()
    assert charts.view() == zoomed
    charts.qtbot.mouseDClick(charts.over_time.viewport(), Qt.MouseButton.LeftButton)
    assert charts.view()[0] == pytest.approx((0, 4000 * 1.01))
    run.series.append(np.arange(14_000, 15_000))
    charts.widget.redraw_samples()
    assert charts.view()[0] == pytest.approx((0, 5000 * 1.01))


def test_that_a_zoomed_chart_stays_when_the_trial_ends(charts: Charts) -> None:
    run = measured_by(StopRule(iterations=5000), range(10_000, 12_000))
    charts.widget.show_trial(run)
    charts.zoom()
    zoomed = charts.view()
    run.outcome = Outcome.FINISHED
    charts.widget.show_trial(run)
    assert charts.view() == zoomed


def test_that_the_range_of_a_running_trial_holds_all_samples_and_little_more(charts: Charts) -> None:
    run = measured_by(StopRule(seconds=5), [10_000] * 10)
    charts.widget.show_trial(run)
    for _ in range(60):
        run.series.append(np.full(7, 10_000 + 100 * len(run.series), np.int64))
        charts.widget.redraw_samples()
        (left, right), (low, high) = charts.view()
        assert left <= 1
        assert len(run.series) <= right <= 1.5 * len(run.series)
        assert low < 10_000
        assert high > run.series.values[int(0.9 * len(run.series))]
    run.outcome = Outcome.STOPPED
    charts.widget.show_trial(run)
    assert charts.view()[0] == pytest.approx((0, 1.01 * len(run.series)))


def test_that_zooming_into_a_long_trial_draws_its_single_samples(charts: Charts) -> None:
    samples = np.arange(100_000, 300_000)
    charts.widget.show_trial(measured_by(StopRule(seconds=5), samples))
    while charts.view()[0][1] - charts.view()[0][0] > 500:
        charts.zoom()
    (left, right), _ = charts.view()
    x, y = charts.curve()
    drawn = dict(zip(x.tolist(), y.tolist(), strict=True))
    inside = [number for number in drawn if left <= number <= right]
    assert len(inside) == pytest.approx(right - left, abs=2)
    assert all(drawn[number] == 100_000 + number - 1 for number in inside)


def test_that_another_trial_is_shown_whole_after_zooming_into_one(charts: Charts) -> None:
    charts.widget.show_trial(ended(*range(10_000, 12_000)))
    charts.zoom()
    charts.widget.show_trial(ended(*range(50_000, 50_100)))
    assert charts.view()[0] == pytest.approx((0, 101))
    assert charts.curve()[0].max() == 100


# ---- Colours ----


def test_that_ground_lines_and_axes_follow_the_palette(charts: Charts) -> None:
    charts.widget.show_trial(ended(*range(10_000, 10_100)))

    def colors() -> tuple[str, str, str]:
        (curve,) = charts.over_time.listDataItems()
        ground = charts.over_time.backgroundBrush().color()
        return (
            ground.name(),
            curve.opts["pen"].color().name(),
            charts.over_time.getAxis("left").textPen().color().name(),
        )

    light = colors()
    assert light[0] == charts.widget.palette().color(QPalette.ColorRole.Base).name()
    picture = charts.widget.grab().toImage()
    try:
        theme.apply_color_scheme(ColorScheme.DARK)
        dark_ground = theme._palette(dark=True).color(QPalette.ColorRole.Base).name()
        charts.qtbot.waitUntil(lambda: colors()[0] == dark_ground, timeout=1000)
        assert all(dark != before for dark, before in zip(colors(), light, strict=True))
        assert QColor(colors()[1]).lightness() > QColor(light[1]).lightness()
        assert charts.widget.grab().toImage() != picture
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)
    charts.qtbot.waitUntil(lambda: colors() == light, timeout=1000)
