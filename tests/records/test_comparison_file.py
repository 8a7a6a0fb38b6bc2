"""The file of a comparison: there and back, and files that are none."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gui.records.comparison import COMPARISON_FORMAT
from gui.records.comparison_file import comparison_file_json, parse_comparison_file
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.kept_files import COMPARISON_FILE, HEAD_BYTES, TRIAL_FILE, kind_of
from gui.records.report_file import read_report
from gui.records.result import RESULT_FORMAT
from gui.records.setup_file import parse_setup
from gui.records.trial_file import parse_trial_file, trial_file_json

from .compared_trials import COMPARISON_ID, CREATED, THREE
from .test_trial_file import BARE, KEPT

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "trial_file.md"


def changed(**values: Any) -> str:
    return json.dumps({**json.loads(comparison_file_json(THREE)), **values})


def trials(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    found = json.loads(comparison_file_json(THREE))["trials"]
    return [{**entry, **change} for entry, change in zip(found, changes, strict=False)]


def rounds(*counts: int) -> dict[str, Any]:
    part = json.loads(comparison_file_json(THREE))["trials"][0]["comparison"]
    return {"comparison": {**part, "rounds": [{**part["rounds"][0], "sample_count": count} for count in counts]}}


def refusal(text: str | bytes) -> Failure:
    with pytest.raises(FailureError) as caught:
        parse_comparison_file(text, "some.json")
    failure = caught.value.failure
    assert failure.kind is FailureKind.NOT_A_TRIAL
    assert failure.message.startswith("some.json ")
    assert failure.hint
    return failure


@pytest.mark.parametrize("one_line", [True, False])
def test_that_each_trial_comes_back_with_all_its_samples(one_line: bool) -> None:
    text = comparison_file_json(THREE, one_line=one_line)
    assert parse_comparison_file(text).trials == THREE
    assert parse_comparison_file(b"\xef\xbb\xbf" + text.encode()).trials == THREE
    assert text.count("\n") == 1 or not one_line


def test_that_trials_of_one_comparison_keep_its_id_and_baseline() -> None:
    found = parse_comparison_file(comparison_file_json(THREE))
    assert (found.id, found.created, found.baseline) == (COMPARISON_ID, CREATED, 0)
    assert parse_comparison_file(comparison_file_json(THREE, 1)).baseline == 1


def test_that_notes_come_back_and_files_without_them_have_none() -> None:
    text = comparison_file_json(THREE, notes=("All medians were stable.", "Sessions were made anew."))
    assert parse_comparison_file(text).notes == ("All medians were stable.", "Sessions were made anew.")
    data = json.loads(text)
    del data["notes"]
    assert parse_comparison_file(json.dumps(data)).notes == ()


def test_that_trials_put_together_are_a_comparison_of_their_own() -> None:
    found = parse_comparison_file(comparison_file_json((THREE[1], BARE)))
    assert found.id not in ("", COMPARISON_ID)
    assert found.baseline is None
    assert found.trials == (THREE[1], BARE)


def test_that_each_trial_in_it_is_a_trial_file() -> None:
    for entry, kept in zip(trials({}, {}, {}), THREE, strict=True):
        assert parse_trial_file(json.dumps(entry)) == kept


def test_that_names_that_are_no_text_can_be_written() -> None:
    odd = replace(THREE[0], settings=replace(THREE[0].settings, model_path="/m\udcff.onnx"))
    text = comparison_file_json((odd, THREE[1]))
    assert parse_comparison_file(text.encode("utf-8")).trials[0] == odd


def test_that_the_first_bytes_tell_what_a_file_is() -> None:
    assert kind_of(comparison_file_json(THREE).encode()[:HEAD_BYTES]) is COMPARISON_FILE
    assert kind_of(trial_file_json(KEPT).encode()[:HEAD_BYTES]) is TRIAL_FILE
    assert kind_of(b'{"format": "ort-device-explorer set-up 1"}') is None


def test_that_the_file_explains_its_keys_and_the_document_has_a_row_for_each() -> None:
    data = json.loads(comparison_file_json(THREE))
    assert set(data["about"]) <= set(data)
    assert set(data["about_trials"]) - {key for key in data["about_trials"] if "." in key} <= set(data["trials"][0])
    text = DOCUMENT.read_text(encoding="utf-8").split("## The comparison file")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a comparison: it is not JSON"),
        ("[1]", "is not a comparison"),
        ("[" * 100_000, "nested too deeply"),
        (trial_file_json(KEPT), "is a trial, not a comparison"),
        (changed(format=COMPARISON_FORMAT.replace("1", "2")), "made by a newer version"),
        (changed(trials=3), "damaged: trials: expected an array"),
        (changed(trials=[]), "damaged: trials: there is none"),
        (changed(trials=[3]), r"damaged: trials[0]: expected an object"),
        (changed(id=3), "damaged: id"),
        (changed(baseline=3), "damaged: baseline: there is no trial 3"),
        (changed(trials=trials({}, {"outcome": "odd"})), "damaged: trials[1].outcome: 'odd' is not a valid Outcome"),
        (changed(trials=trials({"samples_ns": [1.5]})), "damaged: trials[0]: samples_ns: expected integers"),
        (changed(trials=trials({}, {"id": THREE[0].id})), "damaged: trials: two have the same id"),
        (changed(trials=trials({}, {"format": RESULT_FORMAT.replace("1", "2")})), "(trials[1]) was made by a newer"),
        (changed(trials=trials({}, {"format": COMPARISON_FORMAT})), "(trials[1]) is a comparison, not a trial."),
        (changed(trials=trials({}, {"format": 1})), "(trials[1]) is not a trial."),
        (changed(trials=trials({"samples_ns": [5] * 999})), "have 1000 samples, of which 999 are there"),
        (
            changed(trials=trials(rounds(-1, 1001))),
            "damaged: trials[0]: comparison.rounds: a number of samples is below 0",
        ),
        (changed(notes="odd"), "damaged: notes"),
    ],
)
def test_that_what_is_no_comparison_is_refused_with_what_is_wrong(text: str, words: str) -> None:
    assert words in refusal(text).message


@pytest.mark.parametrize("key", ["settings", "format"])
def test_that_what_is_missing_is_named_with_its_trial(key: str) -> None:
    data = json.loads(comparison_file_json(THREE))
    del data["trials"][1][key]
    assert f"damaged: trials[1].{key} is missing" in refusal(json.dumps(data)).message


def test_that_others_say_that_it_is_a_comparison() -> None:
    text = comparison_file_json(THREE)
    for reads, words in (
        (lambda: parse_trial_file(text, "c.json"), "c.json is a comparison, not a trial."),
        (lambda: parse_setup(text, None, "c.json"), "c.json is a comparison, not a set-up."),
        (lambda: read_report(text, "c.json"), "c.json is a comparison of trials, not a device report."),
    ):
        with pytest.raises(FailureError) as caught:
            reads()
        assert caught.value.failure.message == words
