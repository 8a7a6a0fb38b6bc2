from __future__ import annotations

import json

import numpy as np

from gui.records.codec import from_json
from gui.records.device import Device
from gui.records.library import Library
from gui.records.protocol import Greeting
from gui.records.result import RESULT_FORMAT, Outcome, TrialResult, result_json
from gui.records.trial import TrialFacts

from .examples import DEVICE, FACTS, FAILURE, GREETING, LIBRARY, SETTINGS, STATISTICS

RESULT = TrialResult(settings=SETTINGS, outcome=Outcome.FINISHED, facts=FACTS, statistics=STATISTICS, failure=FAILURE)


def test_that_a_saved_trial_holds_everything_told_of_it() -> None:
    samples, warmup = np.array([1 << 62, 2], np.int64), np.array([3], np.int64)
    written = result_json(
        RESULT, samples=samples, warmup=warmup, environment=GREETING, libraries=(LIBRARY,), devices=(DEVICE,)
    )
    data = json.loads(json.dumps(written))
    assert data["format"] == RESULT_FORMAT
    assert from_json(TrialResult, data) == RESULT
    assert from_json(Greeting, data["environment"]) == GREETING
    assert [from_json(Library, entry) for entry in data["libraries"]] == [LIBRARY]
    assert [from_json(Device, entry) for entry in data["target_devices"]] == [DEVICE]
    assert (data["samples_ns"], data["warmup_ns"]) == ([1 << 62, 2], [3])


def test_that_every_field_explained_is_there() -> None:
    nothing = np.empty(0, np.int64)
    result = TrialResult(settings=SETTINGS, outcome=Outcome.STOPPED, facts=TrialFacts())
    data = result_json(result, samples=nothing, warmup=nothing, environment=None, libraries=(), devices=())
    assert (data["environment"], data["statistics"], data["samples_ns"]) == (None, None, [])
    for path in data["about"]:
        place = data
        for key in path.split("."):
            assert key in place
            place = place[key]
