"""What a trial is exported as, by the ending of a name."""

from __future__ import annotations

import pytest

from gui.records.export_kinds import ENDINGS, ExportKind, export_kind
from gui.records.trial_exports import export_text
from gui.records.trial_file import parse_trial_file

from .test_trial_report import GOOD


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", ExportKind.SAMPLES),
        ("a.summary.CSV", ExportKind.SUMMARIES),
        ("/x.y/report.MD", ExportKind.MARKDOWN),
        ("r.htm", ExportKind.HTML),
        ("c.svg", ExportKind.CHART),
        ("t.json", ExportKind.TRIAL),
        ("t.txt", None),
        ("csv", None),
        ("-", None),
    ],
)
def test_that_the_ending_says_the_kind(name: str, kind: ExportKind | None) -> None:
    assert export_kind(name) is kind


def test_that_each_kind_begins_as_it_should() -> None:
    heads = {
        ExportKind.SUMMARIES: "id,created,",
        ExportKind.SAMPLES: "index,stage,latency_ns",
        ExportKind.MARKDOWN: "# m on ",
        ExportKind.HTML: "<!DOCTYPE html>",
        ExportKind.CHART: "<svg ",
        ExportKind.TRIAL: '{\n  "format"',
    }
    assert set(heads) == set(ExportKind)
    for kind, head in heads.items():
        assert export_text(kind, (GOOD,)).startswith(head), kind
        assert kind.value[0] in ENDINGS


def test_that_an_exported_trial_is_read_as_it_was() -> None:
    assert parse_trial_file(export_text(ExportKind.TRIAL, (GOOD,))) == GOOD
