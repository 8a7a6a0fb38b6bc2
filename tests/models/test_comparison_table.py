"""The rows of a comparison as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QColor

from gui.keeping import compared_run
from gui.models.comparison_table import (
    OUTCOME,
    P99,
    RATE,
    RATIO,
    ComparisonRow,
    ComparisonTableModel,
    doubt_text,
    outcome_text,
    ratio_text,
    sizes_text,
    styles_of,
)
from gui.models.table import SORT_ROLE, FilterProxy
from gui.records.check import Agreement
from gui.records.comparison_answer import Ratio, Verdict
from gui.records.result import Outcome
from gui.records.trial import Stage, TrialFacts
from gui.trial_run import TrialRun

from .comparison_makers import CPU, DIED, cell, checked, on, sweep
from .makers import ModelTester, column_named, texts

GREY = QColor("grey")


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


def table() -> ComparisonTableModel:
    """The table without icons."""
    return ComparisonTableModel(
        swatch=lambda _row: None,
        outcome_icon=lambda _row: None,
        verdict_icon=lambda _verdict: None,
        rough_color=lambda: GREY,
    )


def row_of(run: TrialRun, number: int = 0, **fields: Any) -> ComparisonRow:
    return ComparisonRow(number=number, style=number, trial=run, compared=compared_run(run), **fields)


def ratio(value: float, low: float | None, high: float | None, verdict: Verdict) -> Ratio:
    return Ratio(value=value, low=low, high=high, verdict=verdict, is_paired=True)


def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = table()
    qtmodeltester.check(model)
    first, second = row_of(cell(0, CPU, 2_000_000)), row_of(cell(1, "ggml", 1_000_000), 1)
    model.set_rows([first])
    model.set_rows([first, second])
    model.set_dimension("batch")
    assert texts(model) == [CPU, "ggml"]
    model.set_rows([second])
    assert texts(model) == ["ggml"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (ratio(1.314, 1.241, 1.379, Verdict.FASTER), "1.31 × faster (1.24–1.38)"),
        (ratio(0.5, 0.4, 0.625, Verdict.SLOWER), "2.00 × slower (1.60–2.50)"),
        (ratio(12.34, 12.0, 12.9, Verdict.FASTER), "12.3 × faster (12.0–12.9)"),
        (ratio(1.3, None, None, Verdict.FASTER), "1.30 × faster"),
        (ratio(1.004, 0.99, 1.02, Verdict.NO_DIFFERENCE), "no difference"),
        (ratio(1.4, None, None, Verdict.TOO_FEW), "too few rounds"),
        (None, "–"),
    ],
)
def test_that_a_ratio_is_told_as_faster_or_slower_with_its_interval(found: Ratio | None, said: str) -> None:
    assert ratio_text(row_of(cell(0, CPU, 1_000_000), ratio=found)) == said


def test_that_the_baseline_is_called_so() -> None:
    assert ratio_text(row_of(cell(0, CPU, 1_000_000), is_baseline=True)) == "baseline"


def test_that_rows_are_sorted_by_how_fast_they_are_and_not_by_the_words_for_it() -> None:
    model = table()
    rows = [
        row_of(cell(0, "slow", 1), 0, ratio=ratio(0.5, 0.4, 0.6, Verdict.SLOWER)),
        row_of(cell(1, "much faster", 1), 1, ratio=ratio(12.0, 11.0, 13.0, Verdict.FASTER)),
        row_of(cell(2, "base", 1), 2, is_baseline=True),
        row_of(cell(3, "dead", None, outcome=Outcome.FAILED, failure=DIED), 3),
        row_of(cell(4, "faster", 1), 4, ratio=ratio(2.0, 1.9, 2.1, Verdict.FASTER)),
    ]
    model.set_rows(rows)
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    proxy.sort(RATIO, Qt.SortOrder.DescendingOrder)
    assert texts(proxy) == ["much faster", "faster", "base", "slow", "dead"]


@pytest.mark.parametrize("column", range(table().columnCount()))
def test_that_every_column_can_be_sorted_whatever_became_of_the_rows(column: int) -> None:
    model = table()
    failed = cell(1, "dead", None, outcome=Outcome.FAILED, failure=DIED, facts=TrialFacts())
    model.set_rows([row_of(cell(0, CPU, 1_000_000, batch=4)), row_of(failed, 1)])
    values = [model.index(number, column).data(SORT_ROLE) for number in range(2)]
    assert {type(value) for value in values} in ({str}, {float})


def test_that_sizes_are_sorted_as_numbers() -> None:
    model = table()
    runs = [cell(number, f"batch {size}", 1_000_000, batch=size) for number, size in enumerate((16, 2, 8))]
    model.set_rows([row_of(run, number) for number, run in enumerate(runs)])
    proxy = FilterProxy()
    proxy.setSourceModel(model)
    proxy.sort(column_named(model, "Sizes"))
    assert texts(proxy) == ["batch 2", "batch 8", "batch 16"]


def test_that_a_failed_row_says_why_in_the_row_and_what_to_do_in_its_tip() -> None:
    model = table()
    run = cell(0, "cuda", None, outcome=Outcome.FAILED, failure=DIED, facts=TrialFacts(stage=Stage.CREATING_SESSION))
    model.set_rows([row_of(run)])
    index = model.index(0, OUTCOME)
    assert index.data() == "failed: engine died: The engine ended while it created the session."
    assert "Try another driver." in index.data(Qt.ItemDataRole.ToolTipRole)
    assert model.index(0, RATE).data() == "–"


def test_that_a_running_row_tells_its_rounds_and_one_that_waits_that_it_does() -> None:
    measured = cell(0, CPU, 1_000_000, rounds=6, outcome=Outcome.RUNNING)
    assert outcome_text(row_of(measured)) == "6 of 20 rounds"
    waiting = cell(1, "ggml", None, outcome=Outcome.RUNNING, facts=TrialFacts(stage=Stage.CREATING_SESSION))
    assert outcome_text(row_of(waiting)) == "waits"
    assert outcome_text(row_of(waiting, is_current=True)) == "creating session"
    stopped = cell(2, "webgpu", 1_000_000, rounds=3, outcome=Outcome.STOPPED)
    assert outcome_text(row_of(stopped)) == "stopped, 3 of 20 rounds"


def test_that_a_row_measured_by_itself_says_so() -> None:
    run = cell(0, CPU, 1_000_000)
    assert run.comparison is not None
    run.comparison = replace(run.comparison, is_alone=True, is_made_anew=True)
    model = table()
    model.set_rows([row_of(run)])
    tip = model.index(0, OUTCOME).data(Qt.ItemDataRole.ToolTipRole)
    assert model.index(0, OUTCOME).data() == "finished, by itself"
    assert "not by turns" in tip
    assert "want of memory" in tip


def test_that_a_p99_of_few_samples_is_grey_and_said_to_be_rough() -> None:
    model = table()
    few, many = cell(0, CPU, 1_000_000, a_round=5), cell(1, "ggml", 1_000_000, a_round=20)
    model.set_rows([row_of(few), row_of(many, 1)])
    assert model.index(0, P99).data(Qt.ItemDataRole.ForegroundRole) == GREY
    assert "Rough" in model.index(0, P99).data(Qt.ItemDataRole.ToolTipRole)
    assert model.index(1, P99).data(Qt.ItemDataRole.ForegroundRole) is None


def test_that_throughput_is_that_of_items_where_sizes_differ() -> None:
    model = table()
    run = cell(0, CPU, 1_000_000, batch=8)
    plain, items = row_of(run), row_of(run, items=8)
    assert plain.rate_per_s is not None
    assert items.rate_per_s == pytest.approx(8 * plain.rate_per_s)
    assert model.headerData(RATE, Qt.Orientation.Horizontal) == "Throughput"
    model.set_dimension("batch")
    assert model.headerData(RATE, Qt.Orientation.Horizontal) == "Items"
    model.set_dimension(None)
    assert model.headerData(RATE, Qt.Orientation.Horizontal) == "Throughput"


@pytest.mark.parametrize(
    ("facts", "is_own", "doubt"),
    [
        (on("ggml", check=checked(Agreement.WITHIN)), True, ""),
        (on("ggml", ran=CPU), False, "None on ggml"),
        (on("ggml", check=checked(Agreement.DIFFERENT)), False, "Outputs differ"),
    ],
)
def test_that_a_number_is_a_targets_own_only_where_it_ran_and_was_right(
    facts: TrialFacts, is_own: bool, doubt: str
) -> None:
    row = row_of(cell(0, "ggml", 1_000_000, facts=facts))
    assert row.is_own is is_own
    assert doubt_text(row) == doubt


def test_that_sizes_are_told_in_words() -> None:
    assert sizes_text(cell(0, CPU, 1_000, batch=8)) == "batch 8"
    assert sizes_text(cell(0, CPU, 1_000)) == ""


def test_that_rows_have_colours_of_their_own_and_sizes_of_a_target_the_same_one() -> None:
    rows = [compared_run(run) for run in sweep().runs]
    assert styles_of(rows, None, 8) == tuple(range(10))
    styles = styles_of(rows, "batch", 8)
    assert len(set(styles)) == 10
    assert [style % 8 for style in styles] == [0] * 5 + [1] * 5
