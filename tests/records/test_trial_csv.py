"""Trials as CSV, as a program reads it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from gui.records.kept_trial import KeptTrial
from gui.records.result import Outcome
from gui.records.trial import TrialFacts
from gui.records.trial_csv import SAMPLE_COLUMNS, SUMMARY_COLUMNS, samples_csv, summaries_csv

from .examples import SETTINGS
from .test_trial_file import KEPT


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def summary_of(kept: KeptTrial) -> dict[str, str]:
    columns, row = read(summaries_csv((kept,)))
    return dict(zip(columns, row, strict=True))


def test_that_every_run_is_a_line_and_exact() -> None:
    assert read(samples_csv(KEPT)) == [
        list(SAMPLE_COLUMNS),
        ["1", "first run", "0"],
        ["1", "warming up", "3"],
        ["2", "warming up", str(1 << 40)],
        ["1", "measuring", str((1 << 63) - 1)],
        ["2", "measuring", "0"],
        ["3", "measuring", str((1 << 53) + 1)],
    ]


def test_that_a_trial_without_runs_has_titles_alone() -> None:
    bare = KeptTrial(settings=SETTINGS, outcome=Outcome.STOPPED, facts=TrialFacts())
    assert read(samples_csv(bare)) == [list(SAMPLE_COLUMNS)]


def test_that_a_summary_has_a_line_for_each_trial() -> None:
    other = replace(KEPT, id="00000000-0000-4000-8000-000000000000")
    rows = read(summaries_csv((KEPT, other)))
    assert rows[0] == list(SUMMARY_COLUMNS)
    assert [row[0] for row in rows[1:]] == [KEPT.id, other.id]
    assert {len(row) for row in rows} == {len(SUMMARY_COLUMNS)}


def test_that_a_summary_tells_numbers_in_the_c_locale_and_verdicts() -> None:
    found = summary_of(KEPT)
    assert (found["median_ns"], found["mean_ns"], found["median_high_ns"]) == ("1", "1.5", "2")
    assert (found["placement"], found["wanted_nodes"], found["nodes"]) == ("all nodes", "3", "3")
    assert (found["dimensions"], found["options"]) == ("batch=4", "b=1 a=2 c=3")
    assert (found["outcome"], found["failure"]) == ("failed", "Refused: “no”.")


def test_that_what_is_not_known_is_empty_and_not_zero() -> None:
    found = summary_of(KeptTrial(settings=SETTINGS, outcome=Outcome.STOPPED, facts=TrialFacts()))
    assert found["samples"] == "0"
    assert {found[name] for name in ("median_ns", "nodes", "first_run_ns", "memory_peak_bytes", "cpu")} == {""}


def test_that_no_name_is_a_formula_or_a_line_of_its_own() -> None:
    found = summary_of(replace(KEPT, target_text="=cmd|' /C calc'!A0", tags=("+a\nb",)))
    assert found["target"] == "'=cmd|' /C calc'!A0"
    assert found["tags"] == "'+a b"
