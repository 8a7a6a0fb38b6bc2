"""The outputs against the CPU's as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QLocale, Qt

from gui.models.check_table import CheckTableModel, tolerance_text
from gui.models.table import FilterProxy
from gui.models.texts import DASH
from gui.records.check import Agreement, OutputDifference, Tolerance

from .makers import ModelTester, column_named, texts

TOLERANCE = Tolerance(type="float", absolute=1e-3, relative=0.01)


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


def difference(name: str, agreement: Agreement = Agreement.WITHIN, **fields: Any) -> OutputDifference:
    fields.setdefault("element_count", 1000)
    return OutputDifference(name=name, type="tensor(float)", agreement=agreement, **fields)


def shown(row: OutputDifference) -> dict[str, str]:
    model = CheckTableModel(lambda _agreement: None)
    model.set_rows([row])
    columns = range(model.columnCount())
    titles = [model.headerData(column, Qt.Orientation.Horizontal) for column in columns]
    return {title: model.index(0, column).data() for column, title in enumerate(titles)}


def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model, proxy = CheckTableModel(lambda _agreement: None), FilterProxy()
    qtmodeltester.check(model)
    proxy.setSourceModel(model)
    model.set_rows([difference("a", max_absolute=2e-5), difference("b"), difference("c", max_absolute=0.1)])
    proxy.sort(column_named(proxy, "Max difference"))
    assert texts(proxy) == ["b", "a", "c"]
    model.set_rows([])


def test_that_an_output_is_told_in_full() -> None:
    assert shown(
        difference(
            "y",
            Agreement.DIFFERENT,
            shape=(1, 1000),
            max_absolute=1.5234,
            max_relative=0.0123,
            cosine=0.99999998,
            snr_db=71.34,
            top1_agreement=0.5,
            mismatches=871,
            nan_count=3,
        )
    ) == {
        "Output": "y",
        "Agreement": "differs",
        "Max difference": "1.52",
        "SNR (dB)": "71.3",
        "Top-1": "50 %",
        "Beyond tolerance": "871 of 1000",
        "Max relative": "0.0123",
        "Cosine": "0.999999980",
        "NaN / Inf": "3 / 0, CPU 0 / 0",
        "Type": "tensor(float)",
        "Shape": "1 × 1000",
    }


def test_that_what_has_no_meaning_is_a_dash() -> None:
    found = shown(difference("y", Agreement.NOT_CHECKED))
    for title in ("Max difference", "SNR (dB)", "Top-1", "Beyond tolerance", "Max relative", "Cosine", "Shape"):
        assert found[title] == DASH, title
    assert found["NaN / Inf"] == "none"


@pytest.mark.parametrize(("share", "text"), [(1.0, "100 %"), (0.999999, "99.99 %"), (0.0, "0 %")])
def test_that_one_of_a_million_is_not_rounded_away(share: float, text: str) -> None:
    assert shown(difference("y", top1_agreement=share))["Top-1"] == text


@pytest.mark.parametrize(("cosine", "text"), [(1.0, "1.0000"), (0.9123, "0.9123"), (1 - 3e-9, "0.9999999970")])
def test_that_a_cosine_below_one_does_not_read_as_one(cosine: float, text: str) -> None:
    assert shown(difference("y", cosine=cosine))["Cosine"] == text


def test_that_the_tolerance_and_the_note_are_in_the_tip() -> None:
    model = CheckTableModel(lambda _agreement: None)
    model.set_rows([difference("y", tolerance=TOLERANCE, note="Shapes differ.")])
    tip = model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "|a − b| ≤ 0.001 + 0.01 · |b|" in tip
    assert tip.endswith("Shapes differ.")
    assert "exactly" in tolerance_text(None)
