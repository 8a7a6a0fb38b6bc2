"""When each sample was taken, and what of many is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gui.panels.comparison_chart_lines import TimeLine
from gui.records.result import Outcome
from gui.trial_run import TrialRun

from ..models.comparison_makers import BEGAN_NS, CPU, add_rounds, cell
from ..models.makers import trial

MS = 1_000_000


def line_of(run: TrialRun, origin_ns: int | None = BEGAN_NS) -> TimeLine:
    line = TimeLine()
    line.update(run, origin_ns)
    return line


def test_that_a_round_stands_where_it_began_and_its_samples_follow_each_other() -> None:
    run = cell(1, "ggml", 2 * MS, count=2, rounds=3, a_round=4)
    envelope = line_of(run).envelope(-1.0, 100.0, 1000)
    assert list(envelope.lows) == list(run.series.values) == list(envelope.highs)
    for number in range(3):
        times = envelope.times_s[4 * number : 4 * number + 4]
        assert times[0] == pytest.approx(2.0 * number + 1.0)
        assert np.diff(times) == pytest.approx(run.series.values[4 * number : 4 * number + 3] / 1e9, rel=1e-6)


def test_that_samples_of_one_round_are_joined_and_those_of_two_are_not() -> None:
    envelope = line_of(cell(0, CPU, MS, rounds=2, a_round=3)).envelope(-1.0, 100.0, 1000)
    assert list(envelope.joined) == [True, True, False, True, True, False]


def test_that_pauses_and_callers_are_part_of_the_time() -> None:
    """The wall-clock time of a round counts, not the sum of its latencies."""
    run = cell(0, CPU, MS, rounds=1, a_round=10)
    part = run.comparison
    assert part is not None
    run.comparison = replace(part, rounds=(replace(part.rounds[0], measured_ns=100 * MS),))
    line = line_of(run)
    assert line.end_s == pytest.approx(0.1)
    assert line.envelope(0, 1, 100).times_s[-1] > 0.08


def test_that_later_rounds_are_added_to_those_that_are_there() -> None:
    run = cell(0, CPU, MS, rounds=2, outcome=Outcome.RUNNING)
    line = line_of(run)
    add_rounds(run, 3, MS)
    line.update(run, BEGAN_NS)
    whole = line_of(run)
    for one, other in zip(line.medians, whole.medians, strict=True):
        assert list(one) == list(other)
    assert len(line.medians[0]) == 5
    assert list(line.envelope(-1, 99, 10_000).times_s) == list(whole.envelope(-1, 99, 10_000).times_s)


def test_that_a_round_whose_samples_have_not_come_yet_waits_for_them() -> None:
    run = cell(0, CPU, MS, rounds=2, outcome=Outcome.RUNNING)
    part = run.comparison
    assert part is not None
    run.comparison = replace(part, rounds=(*part.rounds, replace(part.rounds[-1], number=3)))
    line = line_of(run)
    assert len(line.medians[0]) == 2
    run.series.append(np.full(12, MS, np.int64))
    line.update(run, BEGAN_NS)
    assert len(line.medians[0]) == 3


def test_that_rounds_follow_each_other_when_the_clock_was_set_back() -> None:
    run = cell(0, CPU, MS, rounds=2)
    part = run.comparison
    assert part is not None
    run.comparison = replace(part, rounds=(part.rounds[0], replace(part.rounds[1], began_ns=BEGAN_NS - 10**10)))
    assert (np.diff(line_of(run).envelope(-1, 99, 1000).times_s) > 0).all()


def test_that_the_extremes_of_many_samples_are_drawn_whatever_is_seen() -> None:
    run = cell(0, CPU, MS, rounds=4, a_round=50_000, period_ns=10**12)
    values = run.series.values
    line = line_of(run)
    whole = line.envelope(-1.0, 10_000.0, 300)
    assert len(whole.times_s) <= 300
    assert (int(whole.lows.min()), int(whole.highs.max())) == (int(values.min()), int(values.max()))
    first = values[:50_000]
    part = line.envelope(0.0, 200.0, 300)
    assert int(part.highs[part.times_s < 100].max()) == int(first.max())


def test_that_zoomed_in_each_sample_is_drawn_at_its_time() -> None:
    run = cell(0, CPU, MS, rounds=2, a_round=50_000, period_ns=10**12)
    line = line_of(run)
    left, right = 20.0, 20.1
    envelope = line.envelope(left, right, 400)
    times = np.concatenate(([0], np.cumsum(run.series.values[:49_999]))) / 1e9
    seen = (times >= left) & (times <= right)
    inside = (envelope.times_s >= left) & (envelope.times_s <= right)
    assert envelope.times_s[inside] == pytest.approx(times[seen], rel=1e-6)
    assert list(envelope.lows[inside]) == list(run.series.values[:50_000][seen])
    assert envelope.times_s[0] < left
    assert envelope.times_s[-1] > right


def test_that_a_trial_by_itself_begins_at_zero_and_takes_its_wall_clock_time() -> None:
    run = trial(1, *[MS] * 1000, outcome=Outcome.FINISHED)
    run.elapsed_ns = 4_000 * MS
    line = line_of(run, None)
    assert line.end_s == pytest.approx(4.0)
    envelope = line.envelope(-1, 9, 5000)
    assert envelope.times_s[0] == 0
    assert envelope.joined[:-1].all()
    assert 30 <= len(line.medians[0]) <= 40


def test_that_nothing_is_drawn_of_what_is_not_there() -> None:
    assert not len(line_of(cell(0, CPU, None)).envelope(0, 1, 100).times_s)
    run = cell(0, CPU, MS)
    assert len(line_of(run).envelope(50_000.0, 60_000.0, 100).times_s) <= 64
