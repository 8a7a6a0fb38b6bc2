"""The file of a trial: there and back, what 0.1 wrote, files that are none."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.records.codec import to_json
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.kept_trial import KeptTrial, clean_tags, model_name
from gui.records.latency_remarks import Remark, RemarkKind
from gui.records.log import LogRecord, LogSeverity
from gui.records.policies import POLICIES_FORMAT
from gui.records.profile import PROFILE_FORMAT
from gui.records.report import REPORT_FORMAT
from gui.records.result import RESULT_FORMAT, Outcome
from gui.records.samples import Nanoseconds
from gui.records.setup import SETUP_FORMAT
from gui.records.statistics import summarize
from gui.records.trial import TrialFacts
from gui.records.trial_file import parse_trial_file, trial_file_json
from gui.records.trial_log import TrialLogLine

from .examples import (
    DEVICE,
    FACTS,
    FAILURE,
    GREETING,
    LIBRARY,
    LIBRARY_CHECK,
    PART,
    PLACED_NODES,
    PROFILE,
    SETTINGS,
    STATISTICS,
)

OF_0_1 = Path(__file__).with_name("trial_0_1.json")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "trial_file.md"

KEPT = KeptTrial(
    id="7b9c0d1e-2f3a-4b5c-8d6e-0f1a2b3c4d5e",
    created="2026-01-02T03:04:05.678+00:00",
    settings=SETTINGS,
    outcome=Outcome.FAILED,
    facts=FACTS,
    failure=FAILURE,
    statistics=STATISTICS,
    remarks=(Remark(kind=RemarkKind.BIMODAL, text="Two levels.", advice="Pin the threads."),),
    samples=np.array([(1 << 63) - 1, 0, (1 << 53) + 1], np.int64),
    warmup=np.array([3, 1 << 40], np.int64),
    elapsed_ns=77,
    log=(
        TrialLogLine(
            stage="measuring", record=LogRecord(time=2.5, severity=LogSeverity.ERROR, source="ggml", message="no")
        ),
    ),
    log_left_out=5,
    nodes=PLACED_NODES,
    environment=GREETING,
    devices=(DEVICE,),
    target_text="ggml, then the CPU",
    libraries=(replace(LIBRARY, check=LIBRARY_CHECK),),
    registrations=(("ggml", 1 << 40), ("other", None)),
    profile=PROFILE,
    comparison=PART,
    tags=("baseline", "two words"),
    note="ä note\nof two lines",
)
BARE = KeptTrial(settings=SETTINGS, outcome=Outcome.STOPPED, facts=TrialFacts())


def changed(**values: Any) -> str:
    """The text of a trial's file with other values at its top."""
    return json.dumps({**json.loads(trial_file_json(KEPT)), **values})


def without(*keys: str) -> str:
    data = json.loads(trial_file_json(KEPT))
    return json.dumps({key: value for key, value in data.items() if key not in keys})


def refusal(text: str | bytes) -> Failure:
    with pytest.raises(FailureError) as caught:
        parse_trial_file(text, "some.json")
    failure = caught.value.failure
    assert failure.kind is FailureKind.NOT_A_TRIAL
    assert failure.message.startswith("some.json ")
    assert failure.message.endswith(".")
    assert len(failure.message) < 400
    assert failure.hint
    return failure


# ---- There and back ----


def test_that_no_field_of_the_example_is_as_a_bare_trial_has_it() -> None:
    """Else the tests below could not tell whether it is carried."""
    same = {"settings"}  # which has no default
    for entry in fields(KeptTrial):
        ours, bare = getattr(KEPT, entry.name), getattr(BARE, entry.name)
        assert (entry.name in same) == (np.array_equal(ours, bare) if isinstance(ours, np.ndarray) else ours == bare)


@pytest.mark.parametrize("name", [entry.name for entry in fields(KeptTrial)])
def test_that_each_field_comes_back_as_it_was(name: str) -> None:
    found = getattr(parse_trial_file(trial_file_json(KEPT)), name)
    if isinstance(found, np.ndarray):
        assert found.dtype == np.int64
        assert found.tolist() == getattr(KEPT, name).tolist()
    else:
        assert found == getattr(KEPT, name)


@pytest.mark.parametrize("kept", [KEPT, BARE])
def test_that_a_trial_comes_back_from_text_and_from_bytes(kept: KeptTrial) -> None:
    text = trial_file_json(kept)
    assert parse_trial_file(text) == kept
    assert parse_trial_file(text.encode("utf-8")) == kept
    assert parse_trial_file(b"\xef\xbb\xbf" + text.encode("utf-8")) == kept  # as editors on Windows save it


def test_that_trials_which_differ_in_one_sample_are_not_equal() -> None:
    assert replace(KEPT, samples=KEPT.samples - np.array([0, 0, 0])) == KEPT
    assert replace(KEPT, samples=KEPT.samples - np.array([0, 0, 1])) != KEPT
    assert replace(KEPT, note="") != KEPT


def test_that_a_million_samples_come_back_exactly() -> None:
    samples: Nanoseconds = np.random.default_rng(0).integers(0, 1 << 62, 1_000_000, np.int64)
    assert np.array_equal(parse_trial_file(trial_file_json(replace(BARE, samples=samples))).samples, samples)


def test_that_keys_nobody_knows_are_passed_over() -> None:
    settings = {**to_json(SETTINGS), "later": 1}
    assert parse_trial_file(changed(later={"a": [1]}, settings=settings)) == KEPT


def test_that_the_file_explains_fields_that_are_there() -> None:
    for kept in (KEPT, BARE):
        data = json.loads(trial_file_json(kept))
        assert data["format"] == RESULT_FORMAT
        for path in data["about"]:
            place = data
            for key in path.split("."):
                assert key in place
                place = place[key]


def test_that_the_document_has_a_row_for_each_key_and_no_other() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").split("## Keys")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(json.loads(trial_file_json(KEPT)))


def test_that_each_key_has_a_line_of_its_own() -> None:
    lines = trial_file_json(KEPT).splitlines()
    assert len(lines) == len(json.loads(trial_file_json(KEPT))) + 2
    assert lines[-2] == '  "samples_ns": [9223372036854775807, 0, 9007199254740993]'


# ---- Version 0.1 ----


def test_that_a_result_of_version_0_1_is_a_trial() -> None:
    data = json.loads(OF_0_1.read_text(encoding="utf-8"))
    assert "p999_ns" not in data["statistics"]
    kept = parse_trial_file(OF_0_1.read_bytes())
    assert kept.samples.tolist() == data["samples_ns"]
    assert kept.warmup.tolist() == data["warmup_ns"]
    assert (kept.created, kept.outcome, kept.log, kept.profile) == ("", Outcome.FINISHED, (), None)
    assert kept.model_name == "image_classifier"
    assert kept.statistics == summarize(kept.samples, kept.facts.measured_ns)
    assert kept.statistics is not None
    told = to_json(kept.statistics)
    assert {key: told[key] for key in data["statistics"]} == data["statistics"]


def test_that_a_file_without_an_id_gets_the_same_one_each_time_and_another_one_another() -> None:
    text = OF_0_1.read_text(encoding="utf-8")
    first = parse_trial_file(text).id
    assert parse_trial_file(text.encode()).id == first
    assert parse_trial_file(OF_0_1.read_bytes()).id == first
    assert parse_trial_file(text.replace('"seed": 0', '"seed": 1')).id != first


def test_that_what_a_trial_of_0_1_says_is_kept_when_it_is_written_again() -> None:
    kept = parse_trial_file(OF_0_1.read_bytes())
    assert parse_trial_file(trial_file_json(kept)) == kept


# ---- Files that are none ----


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("[1]", "is not a trial"),
        ("{}", "is not a trial"),
        (json.dumps({"format": 3}), "is not a trial"),
        (json.dumps({"format": "something else 1"}), "is not a trial"),
        (json.dumps({"format": RESULT_FORMAT.replace("1", "x")}), "is not a trial"),
        (json.dumps({"format": RESULT_FORMAT.replace("1", "2")}), "made by a newer version"),
        (json.dumps({"format": SETUP_FORMAT}), "is a set-up, not a trial"),
        (json.dumps({"format": REPORT_FORMAT}), "is a device report, not a trial"),
        (json.dumps({"format": PROFILE_FORMAT}), "is a profile, not a trial"),
        (json.dumps({"format": POLICIES_FORMAT}), "is a table of policies, not a trial"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_that_what_is_no_trial_is_refused_with_what_it_is(text: str, words: str) -> None:
    assert words in refusal(text).message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (without("settings"), "settings is missing"),
        (without("samples_ns"), "samples_ns: expected an array"),
        (changed(samples_ns=[1, 2.0]), "samples_ns: expected integers"),
        (changed(samples_ns=[1, True]), "samples_ns: expected integers"),
        (changed(samples_ns=[1 << 63]), "samples_ns: a number is too large"),
        (changed(warmup_ns=[-1]), "a latency is less than 0"),
        (changed(outcome="running"), "a trial is kept when it has ended"),
        (changed(outcome="odd"), "outcome: 'odd' is not a valid Outcome"),
        (changed(id="../../etc"), "the id is no UUID"),
        (changed(created="yesterday"), "the time is not one in UTC"),
        (changed(created="2026-01-01T00:00:00+02:00"), "the time is not one in UTC"),
        (changed(elapsed_ns=1 << 63), "elapsed_ns: 9223372036854775808 is out of range"),
        (changed(statistics={**to_json(STATISTICS), "max_ns": 1 << 63}), "statistics.max_ns: "),
        (changed(note="x" * 10, tags="y" * 10_000), "tags: expected an array"),
    ],
)
def test_that_a_damaged_trial_names_the_field(text: str, words: str) -> None:
    message = refusal(text).message
    assert message.startswith("some.json is a trial, but damaged: ")
    assert words in message


# ---- Names ----


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a b/net.v2.onnx", "net.v2"),
        (r"C:\models\net.onnx", "net"),
        (r"\\server\share\net.onnx", "net"),
        (r"/a/back\slash.onnx", r"back\slash"),
        ("net", "net"),
        (".onnx", ".onnx"),
    ],
)
def test_that_a_model_is_named_after_its_file_on_either_system(path: str, name: str) -> None:
    assert model_name(path) == name


def test_that_tags_are_trimmed_and_come_once() -> None:
    assert clean_tags([" a ", "b\tc\n d", "a", "", " "]) == ("a", "b c d")
