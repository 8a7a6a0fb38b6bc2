"""The trials of the store as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QLocale, Qt

from gui.models.history_table import HistoryTableModel, when_text
from gui.models.verdict_texts import Tone
from gui.records.check import Agreement
from gui.records.placement import PlacementVerdict
from gui.records.result import Outcome
from gui.store.summaries import TrialSummary

from .makers import ModelTester, column_named

DESCENDING = Qt.SortOrder.DescendingOrder

pytestmark = pytest.mark.usefixtures("qapp")  # a timer of the model's waits for an application


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


def summary(number: int, **fields: Any) -> TrialSummary:
    """A trial that came into the store as the one with this number."""
    plain: dict[str, Any] = {
        "number": number,
        "id": f"id-{number}",
        "created": f"2026-01-02T03:{number // 60 % 60:02d}:{number % 60:02d}.000+00:00",
        "deleted_at": None,
        "model_name": "net",
        "model_path": "/models/net.onnx",
        "sizes": "",
        "target": "CPUExecutionProvider",
        "eps": "CPUExecutionProvider",
        "verdict": PlacementVerdict.ALL,
        "agreement": Agreement.IDENTICAL,
        "outcome": Outcome.FINISHED,
        "failure": "",
        "median_ns": 1000,
        "median_low_ns": 900,
        "median_high_ns": 1100,
        "p90_ns": 2000,
        "p99_ns": 3000,
        "sample_count": 200,
        "throughput_per_s": 950.0,
        "machine": "Some CPU, Linux",
        "onnxruntime": "1.30.0",
        "tags": (),
        "note": "",
    }
    return TrialSummary(**{**plain, **fields})


def model_of(*rows: TrialSummary) -> HistoryTableModel:
    model = HistoryTableModel(lambda _outcome: None, lambda _name, _tone: None)
    model.set_rows(rows)
    return model


def ids(model: HistoryTableModel) -> list[int]:
    return [row.number for row in model.rows]


def cell(model: HistoryTableModel, title: str, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> Any:
    return model.index(0, column_named(model, title)).data(role)


def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = HistoryTableModel(lambda _outcome: None, lambda _name, _tone: None)
    qtmodeltester.check(model)
    model.set_rows([summary(number) for number in range(1, 6)])
    model.add_rows([summary(6, outcome=Outcome.FAILED)])
    model.set_filter_text("net")
    model.set_outcome(Outcome.FAILED)
    model.sort(1, DESCENDING)
    model.set_outcome(None)
    model.remove_rows(["id-2", "id-6"])
    model.set_rows(())


def test_that_the_newest_come_first_also_of_one_moment() -> None:
    same = "2026-01-02T03:04:05.678+00:00"
    model = model_of(summary(1, created=""), summary(2, created=same), summary(3, created=same), summary(4, created=""))
    assert ids(model) == [3, 2, 4, 1]
    model.sort(0)
    assert ids(model) == [1, 4, 2, 3]
    model.sort(-1)
    assert ids(model) == [3, 2, 4, 1]


def test_that_a_trial_is_told_in_words_with_its_interval_in_the_tip() -> None:
    model = model_of(
        summary(
            1, sizes="batch=4, length=1", tags=("a", "b"), note="two\nlines", sample_count=1_234_567, median_ns=1250
        )
    )
    shown = {title: cell(model, title) for title in ("Model", "Placement", "Outputs", "Outcome", "Tags", "Note")}
    assert shown == {
        "Model": "net, batch=4",
        "Placement": "all",
        "Outputs": "identical",
        "Outcome": "finished",
        "Tags": "a, b",
        "Note": "two lines",
    }
    assert cell(model, "Median") == "1.250 µs"
    assert cell(model, "Samples") == "1234567"
    tip = Qt.ItemDataRole.ToolTipRole
    assert cell(model, "Median", tip) == "95 % interval of the median: 0.900–1.100 µs"
    assert cell(model, "Note", tip) == "two\nlines"
    assert cell(model, "Model", tip) == "/models/net.onnx\nbatch=4, length=1"
    assert "CPUExecutionProvider" in cell(model, "Placement", tip)


def test_that_the_cell_of_a_comparison_is_told_with_its_mark() -> None:
    tones: list[tuple[str, Tone]] = []
    model = HistoryTableModel(lambda _outcome: None, lambda name, tone: tones.append((name, tone)))
    model.set_rows([summary(1), summary(2, comparison="c", cell_label="ggml, batch 8", cell=2)])
    icon, tip = Qt.ItemDataRole.DecorationRole, Qt.ItemDataRole.ToolTipRole
    assert (cell(model, "Comparison"), cell(model, "Comparison", icon)) == ("ggml, batch 8", None)
    assert tones == [("compare", Tone.PLAIN)]
    assert cell(model, "Comparison", tip) == "“ggml, batch 8”, number 3 of a comparison"
    model.remove_rows(["id-2"])
    assert (cell(model, "Comparison"), cell(model, "Comparison", icon)) == ("", None)
    assert cell(model, "Comparison", tip) == "A trial by itself"
    assert len(tones) == 1


def test_that_sorting_by_the_comparison_puts_the_trials_of_each_together() -> None:
    def part(number: int, comparison: str, cell: int) -> TrialSummary:
        return summary(number, comparison=comparison, cell=cell, cell_label=f"{'zyx'[cell]}")

    model = model_of(summary(1), part(2, "z", 1), part(3, "a", 0), part(4, "z", 0), summary(5), part(6, "a", 2))
    model.sort(column_named(model, "Comparison"))
    assert ids(model) == [4, 2, 3, 6, 5, 1]
    model.sort(column_named(model, "Comparison"), DESCENDING)
    assert ids(model) == [6, 3, 2, 4, 5, 1]
    model.set_filter_text("Z ")
    assert ids(model) == [3, 4]


def test_that_a_later_state_takes_the_place_of_an_earlier_also_for_the_filter() -> None:
    model = model_of(summary(1), summary(2, outcome=Outcome.STOPPED))
    model.set_filter_text("net")
    model.update_rows([summary(2, sample_count=900, note="grown"), summary(7)])
    assert [(row.number, row.sample_count) for row in model.rows] == [(2, 900), (1, 200)]
    model.set_filter_text("grown")
    assert ids(model) == [2]
    assert model.total == 2


def test_that_what_is_not_known_is_a_dash() -> None:
    bare = summary(
        1,
        created="",
        verdict=PlacementVerdict.UNKNOWN,
        agreement=None,
        median_ns=None,
        p90_ns=None,
        p99_ns=None,
        throughput_per_s=None,
        machine="",
        onnxruntime="",
        outcome=Outcome.FAILED,
        failure="It fell over.",
    )
    model = model_of(bare)
    for title in ("When", "Placement", "Outputs", "Median", "p90", "p99", "Throughput", "Machine", "ORT"):
        assert cell(model, title) == "–", title
    assert cell(model, "Outcome", Qt.ItemDataRole.ToolTipRole) == "It fell over."
    assert when_text("no time") == "–"


def test_that_icons_are_asked_for_by_what_they_tell() -> None:
    outcomes: list[Outcome] = []
    tones: list[tuple[str, Tone]] = []
    model = HistoryTableModel(outcomes.append, lambda name, tone: tones.append((name, tone)))
    model.set_rows([summary(1, verdict=PlacementVerdict.NONE, agreement=Agreement.DIFFERENT, outcome=Outcome.STOPPED)])
    for title in ("Placement", "Outputs", "Outcome"):
        cell(model, title, Qt.ItemDataRole.DecorationRole)
    assert tones == [("warning", Tone.BAD), ("differs", Tone.DOUBTFUL)]
    assert outcomes == [Outcome.STOPPED]


@pytest.mark.parametrize(
    ("title", "field", "values"),
    [
        ("Median", "median_ns", [9, 10_000_000_000, None]),
        ("p90", "p90_ns", [9, 10, None]),
        ("p99", "p99_ns", [9, 10, None]),
        ("Samples", "sample_count", [0, 9, 10]),
        ("Throughput", "throughput_per_s", [9.0, 10.0, None]),
        ("ORT", "onnxruntime", ["1.9.0", "1.30.0", ""]),
        ("Target", "target", ["a", "B", ""]),
        ("Machine", "machine", ["a", "B", ""]),
        ("Model", "model_name", ["a", "B", "c"]),
        ("Tags", "tags", [("a",), ("B",), ()]),
        ("Note", "note", ["a", "B", ""]),
        ("Placement", "verdict", [PlacementVerdict.NONE, PlacementVerdict.PART, PlacementVerdict.UNKNOWN]),
        ("Outputs", "agreement", [Agreement.IDENTICAL, Agreement.DIFFERENT, None]),
        ("Outcome", "outcome", [Outcome.FAILED, Outcome.FINISHED, Outcome.STOPPED]),
    ],
)
def test_that_each_column_sorts_by_its_value_and_the_unknown_last(title: str, field: str, values: list[Any]) -> None:
    model = model_of(*(summary(number, **{field: value}) for number, value in enumerate(values)))
    empty = values[2] in (None, "", (), PlacementVerdict.UNKNOWN)
    model.sort(column_named(model, title))
    assert ids(model) == [0, 1, 2]
    model.sort(column_named(model, title), DESCENDING)
    assert ids(model) == ([1, 0, 2] if empty else [2, 1, 0])


def test_that_every_column_can_be_sorted_by() -> None:
    model = model_of(summary(1), summary(2))
    for column in range(model.columnCount()):
        model.sort(column)
        assert sorted(ids(model)) == [1, 2]


def test_that_words_outcome_and_placement_filter_together() -> None:
    model = model_of(
        summary(1, tags=("Night",), note="warm"),
        summary(2, tags=("night",), outcome=Outcome.FAILED),
        summary(3, verdict=PlacementVerdict.PART, tags=("night",)),
    )
    model.set_filter_text("NIGHT")
    assert ids(model) == [3, 2, 1]
    model.set_filter_text("night warm")
    assert ids(model) == [1]
    model.set_filter_text(" night ")
    model.set_outcome(Outcome.FINISHED)
    assert ids(model) == [3, 1]
    model.set_verdict(PlacementVerdict.PART)
    assert ids(model) == [3]
    assert model.total == 3
    model.set_outcome(None)
    model.set_verdict(None)
    model.set_filter_text("2026-01-02")
    assert ids(model) == [3, 2, 1]


def test_that_filters_hold_for_trials_that_come_and_change() -> None:
    model = model_of(summary(1))
    model.set_filter_text("other")
    model.add_rows([summary(2, model_path="/models/other.onnx")])
    assert ids(model) == [2]
    model.set_rows([summary(1, note="other"), summary(2)])
    assert ids(model) == [1]
    model.remove_rows(["id-1"])
    assert (ids(model), model.total) == ([], 1)


def test_that_rows_are_found_by_their_ids() -> None:
    model = model_of(*(summary(number) for number in range(1, 6)))
    assert model.row_numbers({"id-5", "id-2", "gone"}) == [0, 3]
    assert model.row_numbers(set()) == []
    model.add_rows([summary(6, tags=("b", "A"))])
    assert model.known_tags == ("A", "b")


def test_that_twenty_thousand_trials_are_sorted_and_filtered_rightly() -> None:
    medians = [int(median) for median in np.random.default_rng(0).permutation(20_000)]
    rows = [summary(number, median_ns=median, note=f"n{number % 7}") for number, median in enumerate(medians)]
    model = model_of(*rows)
    model.sort(column_named(model, "Median"), DESCENDING)
    assert [row.median_ns for row in model.rows] == sorted(medians, reverse=True)
    model.set_filter_text("n3")
    assert model.rowCount() == sum(number % 7 == 3 for number in range(20_000))
    model.sort(column_named(model, "Samples"))
    assert ids(model) == [number for number in reversed(range(20_000)) if number % 7 == 3]
