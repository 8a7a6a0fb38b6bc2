from __future__ import annotations

import math
from typing import Any

import pytest

from gui.records.trial import (
    MAX_ITERATIONS,
    MAX_SECONDS,
    MAX_WARMUP,
    DimensionSize,
    Policy,
    StopRule,
    Target,
    TrialSettings,
)


def test_that_a_target_is_devices_or_a_policy() -> None:
    assert Target(device_keys=("a",)).policy is None
    assert Target(policy=Policy.PREFER_NPU).device_keys == ()


@pytest.mark.parametrize("fields", [{}, {"device_keys": ("a",), "policy": Policy.DEFAULT}])
def test_that_a_target_is_never_both_or_neither(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either devices or a policy"):
        Target(**fields)


@pytest.mark.parametrize("fields", [{}, {"iterations": 1, "seconds": 1.0}])
def test_that_a_stop_rule_is_never_both_or_neither(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either iterations or seconds"):
        StopRule(**fields)


@pytest.mark.parametrize(
    "fields",
    [{"iterations": 1}, {"iterations": MAX_ITERATIONS}, {"seconds": 1e-9}, {"seconds": MAX_SECONDS}],
)
def test_that_the_limits_of_a_stop_rule_are_allowed(fields: dict[str, Any]) -> None:
    rule = StopRule(**fields)
    assert {"iterations": rule.iterations, "seconds": rule.seconds} == {"iterations": None, "seconds": None, **fields}


@pytest.mark.parametrize(
    "fields",
    [
        {"iterations": 0},
        {"iterations": -1},
        {"iterations": MAX_ITERATIONS + 1},
        {"seconds": 0.0},
        {"seconds": -1.0},
        {"seconds": MAX_SECONDS + 1},
        {"seconds": math.nan},
        {"seconds": math.inf},
    ],
)
def test_that_a_stop_rule_beyond_the_limits_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        StopRule(**fields)


@pytest.mark.parametrize("size", [0, -1])
def test_that_a_dimension_is_at_least_one(size: int) -> None:
    assert DimensionSize(name="batch", size=1).size == 1
    with pytest.raises(ValueError, match="batch"):
        DimensionSize(name="batch", size=size)


@pytest.mark.parametrize(
    "fields",
    [
        {"warmup": -1},
        {"warmup": MAX_WARMUP + 1},
        {"intra_op_threads": -1},
        {"intra_op_threads": 1025},
        {"seed": -1},
    ],
)
def test_that_settings_beyond_the_limits_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        TrialSettings(model_path="m", target=Target(device_keys=("a",)), **fields)


@pytest.mark.parametrize("fields", [{"warmup": 0}, {"warmup": MAX_WARMUP}, {"intra_op_threads": 1024}, {"seed": 2**63}])
def test_that_the_limits_of_settings_are_allowed(fields: dict[str, Any]) -> None:
    settings = TrialSettings(model_path="m", target=Target(device_keys=("a",)), **fields)
    assert {name: getattr(settings, name) for name in fields} == fields
