"""Profiles: shares and their file form."""

from __future__ import annotations

import json

import pytest

from gui.records.codec import from_json
from gui.records.profile import (
    FUSED,
    PROFILE_FORMAT,
    NodeTime,
    OpTime,
    Profile,
    ep_times,
    profile_json,
    share_of_nodes,
    slowdown,
    unexplained_share,
)
from gui.records.trial import Target, TrialSettings

PROFILE = Profile(
    runs=2,
    wall_ns=10_000,
    nodes_ns=8000,
    run_median_ns=5200,
    plain_median_ns=2600,
    ops=(
        OpTime(op_type="Add", ep_name="CPU", node_count=2, total_ns=3000),
        OpTime(op_type=FUSED, ep_name="Fast", node_count=1, total_ns=4000),
        OpTime(op_type="Neg", ep_name="CPU", node_count=1, total_ns=1000),
    ),
    nodes=(NodeTime(name="f", op_type=FUSED, ep_name="Fast", calls=2, total_ns=4000, max_ns=2500),),
    node_total=4,
    notes=("It was so.",),
)


def empty(*, wall_ns: int = 0, nodes_ns: int = 0) -> Profile:
    return Profile(runs=1, wall_ns=wall_ns, nodes_ns=nodes_ns, run_median_ns=1, plain_median_ns=0)


def test_that_shares_are_of_the_time_of_all_nodes() -> None:
    assert [share_of_nodes(PROFILE, op.total_ns) for op in PROFILE.ops] == [0.375, 0.5, 0.125]
    assert share_of_nodes(empty(), 5) == 0


def test_that_the_time_of_each_ep_is_that_of_its_operators_the_slowest_first() -> None:
    assert ep_times(PROFILE) == (("CPU", 4000), ("Fast", 4000))
    assert ep_times(empty()) == ()


def test_that_what_no_node_explains_is_the_rest_of_the_run() -> None:
    assert unexplained_share(PROFILE) == pytest.approx(0.2)


@pytest.mark.parametrize("profile", [empty(), empty(wall_ns=10, nodes_ns=11)], ids=["no time", "overlapping nodes"])
def test_that_there_is_no_rest_where_it_cannot_be_known(profile: Profile) -> None:
    assert unexplained_share(profile) is None


def test_that_the_slowdown_is_against_a_run_without_the_profiler() -> None:
    assert slowdown(PROFILE) == 2
    assert slowdown(empty()) is None


def test_that_the_file_form_holds_the_profile_and_explains_its_fields() -> None:
    settings = TrialSettings(model_path="/m.onnx", target=Target(device_keys=("cpu",)))
    data = json.loads(json.dumps(profile_json(PROFILE, settings, None)))
    assert data["format"] == PROFILE_FORMAT == "ort-device-explorer profile 1"
    assert from_json(Profile, data["profile"]) == PROFILE
    assert from_json(TrialSettings, data["settings"]) == settings
    for entry in data["about"]:
        name = entry.removeprefix("profile.")
        assert name == "profile" or name in data["profile"], entry
