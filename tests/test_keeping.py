"""The window's trials kept and brought back: nothing is lost on the way, and nothing of another machine taken over."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from gui.keeping import kept_trial_of, trial_run_of
from gui.records.kept_trial import KeptTrial
from gui.records.library import LibraryState
from gui.records.result import Outcome
from gui.records.trial import Policy, Target, TrialFacts, TrialSettings
from gui.records.trial_log import TrialLogLine

from .models.makers import device, library, record, trial
from .records.examples import SETTINGS
from .records.test_trial_file import KEPT

WHOLE = replace(KEPT, profile=replace(KEPT.profile, trace_path="", trace_bytes=0)) if KEPT.profile else KEPT


def test_that_a_kept_trial_comes_back_whole() -> None:
    back = kept_trial_of(trial_run_of(WHOLE, 7, "trial.json"))
    assert [entry.name for entry in fields(KeptTrial) if not _same(back, WHOLE, entry.name)] == []
    assert back == WHOLE


def _same(one: KeptTrial, other: KeptTrial, name: str) -> bool:
    return bool(np.array_equal(getattr(one, name), getattr(other, name)))


def test_that_a_trace_of_another_machine_is_not_looked_for_here() -> None:
    assert KEPT.profile is not None
    found = trial_run_of(replace(KEPT, profile=replace(KEPT.profile, trace_path="/etc/passwd")), 1, "trial.json")
    assert found.profile is not None
    assert found.profile.trace_path == ""


def test_that_an_opened_trial_says_so_and_is_settled() -> None:
    opened = trial_run_of(KEPT, 3, "trial.json")
    assert (opened.number, opened.file_name, opened.is_opened, opened.is_settled) == (3, "trial.json", True, True)
    assert opened.statistics() == KEPT.statistics
    assert not trial(1, 5, outcome=Outcome.FINISHED).is_opened


def test_that_the_lines_of_the_log_that_are_not_there_stay_counted() -> None:
    assert trial_run_of(KEPT, 1, "a").log.left_out == KEPT.log_left_out
    many = tuple(TrialLogLine(stage="measuring", record=record(str(number))) for number in range(2000))
    log = trial_run_of(replace(KEPT, log=many, log_left_out=3), 1, "a").log
    assert (log.lines, log.left_out, len(log)) == (many, 3, 2003)


def test_that_statistics_that_a_file_lacks_follow_from_its_samples() -> None:
    opened = trial_run_of(replace(KEPT, statistics=None, samples=np.array([3, 1, 2], np.int64)), 1, "a")
    assert opened.exact is not None
    assert opened.exact.median_ns == 2


def test_that_devices_a_policy_took_are_kept_and_others_are_not() -> None:
    taken, other = device("taken"), device("other")
    run = trial(
        1,
        5,
        settings=TrialSettings(model_path="/m.onnx", target=Target(policy=Policy.DEFAULT)),
        outcome=Outcome.FINISHED,
        facts=TrialFacts(target_devices=("taken",)),
        reachable=(other, taken),
        libraries=(library("fast", LibraryState.LOADED),),
    )
    kept = kept_trial_of(run)
    assert kept.devices == (taken,)
    assert [entry.name for entry in kept.libraries] == ["fast"]


def test_that_a_running_trial_cannot_be_kept() -> None:
    run = trial(1, 5)
    assert not run.is_settled
    with pytest.raises(ValueError, match="when it has ended"):
        kept_trial_of(run)


def test_that_a_target_that_a_file_of_0_1_does_not_tell_in_words_is_told() -> None:
    settings = replace(SETTINGS, target=Target(policy=Policy.PREFER_GPU))
    assert trial_run_of(replace(KEPT, target_text="", settings=settings), 1, "a").target_text == "PREFER_GPU"
