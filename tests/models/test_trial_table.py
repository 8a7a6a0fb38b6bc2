"""The trials as a table, and the measures of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QLocale, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from gui.models.table import FilterProxy
from gui.models.texts import DASH
from gui.models.trial_table import MeasureTableModel, TrialTableModel, measures, outcome_text
from gui.records.check import Agreement, OutputCheck
from gui.records.failure import Failure, FailureKind
from gui.records.placement import OpCount, Placement
from gui.records.result import Outcome
from gui.records.trial import Stage, TrialFacts
from gui.trial_run import TrialRun

from .makers import ModelTester, column_named, texts, trial

FAILURE = Failure(kind=FailureKind.DIED, message="The engine died.", hint="Look out.")
MIXED = (
    Placement(ep_name="ggml", node_count=12, op_types=(OpCount(op_type="MatMul", count=12),)),
    Placement(ep_name="CPUExecutionProvider", node_count=2, op_types=(OpCount(op_type="Neg", count=2),)),
)


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


def trial_table() -> TrialTableModel:
    """The table without icons."""
    return TrialTableModel(lambda _trial: None, lambda _verdict: None)


def measured(run: TrialRun | None) -> dict[str, str]:
    return {measure.name: measure.value for measure in measures(run)}


def test_that_the_trial_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = trial_table()
    qtmodeltester.check(model)
    first, second = trial(1), trial(2, 5, 7)
    model.set_rows([first])
    model.set_rows([first, second])
    first.series.append(np.array([9], np.int64))
    model.update_row(first)
    assert texts(model, column_named(model, "Samples")) == ["1", "2"]
    model.set_rows([second])
    assert texts(model) == ["2"]


def test_that_the_proxy_of_trials_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model, proxy = trial_table(), FilterProxy()
    proxy.setSourceModel(model)
    qtmodeltester.check(proxy)
    proxy.sort(0, Qt.SortOrder.DescendingOrder)
    model.set_rows([trial(1), trial(2), trial(10)])
    assert texts(proxy) == ["10", "2", "1"]


def test_that_the_measure_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = MeasureTableModel()
    qtmodeltester.check(model)
    for run in (None, trial(1), trial(1, 5, 6), trial(2, *range(1000)), trial(1)):
        model.set_rows(measures(run))
    assert texts(model, 1)[0] == DASH


@pytest.mark.parametrize("title", ["Median", "p90", "p99"])
def test_that_latencies_sort_by_time_whatever_their_unit(title: str) -> None:
    model, proxy = trial_table(), FilterProxy()
    proxy.setSourceModel(model)
    model.set_rows([trial(1, 3_000_000_000), trial(2, 900), trial(3, 1_000_000_000), trial(4), trial(5, 20_000_000)])
    column = column_named(proxy, title)
    proxy.sort(column)
    assert texts(proxy, column) == [DASH, "0.900 µs", "20.00 ms", "1.000 s", "3.000 s"]


def test_that_sample_counts_sort_as_numbers() -> None:
    model, proxy = trial_table(), FilterProxy()
    proxy.setSourceModel(model)
    model.set_rows([trial(1, *range(10)), trial(2, *range(9))])
    proxy.sort(column_named(proxy, "Samples"))
    assert texts(proxy) == ["2", "1"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "preparing"),
        ({"facts": TrialFacts(stage=Stage.MEASURING)}, "measuring"),
        ({"facts": TrialFacts(stage=Stage.MEASURING), "stopping": True}, "stopping…"),
        ({"outcome": Outcome.FINISHED}, "finished"),
        ({"outcome": Outcome.STOPPED, "failure": FAILURE}, "stopped"),
        ({"outcome": Outcome.FAILED, "failure": FAILURE}, "failed: engine died"),
        ({"outcome": Outcome.FAILED}, "failed: "),
    ],
)
def test_that_the_outcome_is_told_in_words(change: dict[str, Any], said: str) -> None:
    assert outcome_text(trial(1, **change)) == said


def test_that_a_failed_trial_says_why_in_the_tip() -> None:
    model = trial_table()
    model.set_rows([trial(1, outcome=Outcome.FAILED, failure=FAILURE)])
    index = model.index(0, column_named(model, "Outcome"))
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "The engine died. Look out."


def placed(number: int, placement: tuple[Placement, ...] | None, **fields: Any) -> TrialRun:
    return trial(number, facts=TrialFacts(placement=placement, wanted_eps=("ggml",), **fields))


def test_that_the_placement_is_told_in_few_words_and_sorts_by_its_share() -> None:
    model, proxy = trial_table(), FilterProxy()
    proxy.setSourceModel(model)
    model.set_rows([placed(1, MIXED[:1]), placed(2, MIXED), placed(3, MIXED[1:]), placed(4, None)])
    column = column_named(model, "Placement")
    assert texts(model, column) == ["all 12", "12 of 14", "none of 2", DASH]
    assert "ggml ran 12 of 14 nodes" in model.index(1, column).data(Qt.ItemDataRole.ToolTipRole)
    proxy.sort(column)
    assert texts(proxy, column) == [DASH, "none of 2", "12 of 14", "all 12"]


def test_that_the_outputs_are_told_in_a_word() -> None:
    model = trial_table()
    checks = [None, *(OutputCheck(agreement=agreement) for agreement in Agreement)]
    model.set_rows([placed(number, None, check=check) for number, check in enumerate(checks)])
    column = column_named(model, "Outputs")
    assert texts(model, column) == [DASH, "identical", "within", "differ", "not checked"]


@pytest.mark.parametrize("run", [None, trial(1)], ids=["no trial", "no samples"])
def test_that_measures_not_known_yet_are_dashes(run: TrialRun | None) -> None:
    values = measured(run)
    assert set(values.values()) == {DASH}
    assert list(values) == [
        *("Median", "Median, 95 % interval", "Mean", "Min", "p90", "p95", "p99", "p99.9", "Max"),
        *("Std deviation", "Coefficient of variation", "Samples", "Throughput"),
        *("Session creation", "First run", "Warm-up mean", "Ran on"),
    ]


def test_that_the_measures_are_those_of_the_samples() -> None:
    facts = TrialFacts(session_creation_ns=2_000_000, first_run_ns=40_000, placement=MIXED)
    run = trial(1, *(number * 1000 for number in range(1, 201)), facts=facts, elapsed_ns=2_000_000_000)
    run.warmup.append(np.array([2000, 4000], np.int64))
    assert measured(run) == {
        "Median": "100.0 µs",
        "Median, 95 % interval": "86.0–115.0 µs",
        "Mean": "100.5 µs",
        "Min": "1.000 µs",
        "p90": "180.0 µs",
        "p95": "190.0 µs",
        "p99": "198.0 µs",
        "p99.9 ≈ slowest": "200.0 µs",
        "Max": "200.0 µs",
        "Std deviation": "57.88 µs",
        "Coefficient of variation": "57.6 %",
        "Samples": "200",
        "Throughput": "100.0 /s",
        "Session creation": "2.000 ms",
        "First run": "40.00 µs",
        "Warm-up mean": "3.000 µs",
        "Ran on": "ggml 12/14, CPUExecutionProvider 2/14",
    }


def test_that_a_single_sample_has_no_deviation_and_no_throughput_without_time() -> None:
    values = measured(trial(1, 5000))
    assert (values["Std deviation"], values["Throughput"], values["Median"]) == (DASH, DASH, "5.000 µs")


@pytest.mark.parametrize(
    ("count", "rough"),
    [
        (1, ["p99 ≈ slowest", "p99.9 ≈ slowest"]),
        (199, ["p99 ≈ slowest", "p99.9 ≈ slowest"]),
        (200, ["p99.9 ≈ slowest"]),
        (1999, ["p99.9 ≈ slowest"]),
        (2000, []),
    ],
)
def test_that_percentiles_of_few_samples_are_called_what_they_are_and_greyed(count: int, rough: list[str]) -> None:
    grey = QColor(1, 2, 3)
    model = MeasureTableModel(rough_color=lambda: grey)
    model.set_rows(measures(trial(1, *range(count))))
    assert [measure.name for measure in model.rows if measure.is_rough] == rough
    assert all(measure.tip.startswith("Rough") for measure in model.rows if measure.is_rough)
    greyed = [
        row
        for row in range(model.rowCount())
        if all(model.index(row, column).data(Qt.ItemDataRole.ForegroundRole) == grey for column in (0, 1))
    ]
    assert [texts(model)[row] for row in greyed] == rough


def test_that_a_percentile_keeps_its_row_when_its_name_changes() -> None:
    model = MeasureTableModel()
    model.set_rows(measures(trial(1, *range(100))))
    kept = QPersistentModelIndex(model.index(texts(model).index("p99 ≈ slowest"), 0))
    model.set_rows(measures(trial(1, *range(300))))
    assert kept.data() == "p99"


def test_that_a_model_wholly_on_one_ep_needs_no_node_counts() -> None:
    run = trial(1, facts=TrialFacts(placement=MIXED[:1]))
    assert measured(run)["Ran on"] == "ggml"


def test_that_the_tip_of_ran_on_lists_the_operators_of_each_ep() -> None:
    many = tuple(OpCount(op_type=f"Op{number}", count=1) for number in range(13))
    placement = (MIXED[0], replace(MIXED[1], op_types=many))
    tip = measures(trial(1, facts=TrialFacts(placement=placement)))[-1].tip
    assert "ggml: MatMul ×12\n" in tip
    assert tip.endswith("Op11 ×1…")
