from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

import pytest

from gui.records.codec import DecodeError, StringMap, from_json, string_map, to_json
from gui.records.device import Device, HardwareDevice
from gui.records.log import LogRecord
from gui.records.model import TensorInfo
from gui.records.trial import StopRule, Target, TrialFacts, TrialSettings

from .examples import DEVICE, FACTS, RECORDS, SETTINGS


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_that_a_record_comes_back_from_json_text_as_it_was(record: Any) -> None:
    again = from_json(type(record), json.loads(json.dumps(to_json(record))))
    assert again == record
    assert repr(again) == repr(record)  # a float is a float again, a tuple a tuple


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_that_json_names_every_field(record: Any) -> None:
    assert list(to_json(record)) == [field.name for field in fields(record)]


def records_within(value: Any) -> list[Any]:
    """Return a record and all that it holds."""
    if isinstance(value, tuple):
        return [record for entry in value for record in records_within(entry)]
    if not is_dataclass(value):
        return []
    return [value, *(record for field in fields(value) for record in records_within(getattr(value, field.name)))]


def test_that_the_examples_leave_no_field_at_its_default() -> None:
    """Else the round trips above say nothing of that field."""
    everything = records_within(RECORDS)
    left = {
        f"{kind.__name__}.{field.name}"
        for kind in {type(record) for record in everything}
        for field in fields(kind)
        if all(getattr(record, field.name) == field.default for record in everything if type(record) is kind)
    }
    assert left == set()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_that_keys_of_a_newer_peer_are_passed_over(record: Any) -> None:
    assert from_json(type(record), {**to_json(record), "from_the_future": [{"a": None}]}) == record


def test_that_unknown_keys_are_passed_over_inside_too() -> None:
    data = to_json(DEVICE)
    data["device"]["clock_mhz"] = 2000
    assert from_json(Device, data) == DEVICE


def test_that_a_string_map_is_an_object_in_json_and_keeps_its_order() -> None:
    assert list(to_json(SETTINGS)["options"].items()) == [("b", "1"), ("a", "2")]
    assert from_json(TrialSettings, to_json(SETTINGS)).options == (("b", "1"), ("a", "2"))


def test_that_a_string_map_holds_text_only() -> None:
    assert string_map({1: None, "b": 2.5}) == (("1", "None"), ("b", "2.5"))


def test_that_an_enum_is_its_value_in_json() -> None:
    assert to_json(FACTS)["stage"] == "closing"
    assert to_json(FACTS)["ending"] == "stopped"


def test_that_missing_keys_take_the_default() -> None:
    assert from_json(TrialFacts, {}) == TrialFacts()


def test_that_a_whole_number_will_do_for_a_float() -> None:
    seconds = from_json(StopRule, {"seconds": 2}).seconds
    assert (seconds, type(seconds)) == (2.0, float)


def test_that_a_dimension_keeps_the_kind_it_came_with() -> None:
    data = {"name": "x", "type": "t", "shape": [1, "1", None]}
    assert from_json(TensorInfo, data).shape == (1, "1", None)


@pytest.mark.parametrize(
    ("record_type", "data", "place"),
    [
        (TrialSettings, None, "TrialSettings"),
        (TrialSettings, [], "TrialSettings"),
        (TrialSettings, {}, "TrialSettings"),  # nothing that must be there is
        (TrialSettings, {**to_json(SETTINGS), "model_path": 1}, "TrialSettings.model_path"),
        (TrialSettings, {**to_json(SETTINGS), "warmup": "10"}, "TrialSettings.warmup"),
        (TrialSettings, {**to_json(SETTINGS), "warmup": 1.5}, "TrialSettings.warmup"),
        (TrialSettings, {**to_json(SETTINGS), "warmup": True}, "TrialSettings.warmup"),
        (TrialSettings, {**to_json(SETTINGS), "warmup": None}, "TrialSettings.warmup"),
        (TrialSettings, {**to_json(SETTINGS), "warmup": -1}, "TrialSettings"),
        (TrialSettings, {**to_json(SETTINGS), "options": [["a", "b"]]}, "TrialSettings.options"),
        (TrialSettings, {**to_json(SETTINGS), "target": {"policy": "FASTEST"}}, "TrialSettings.target.policy"),
        (TrialSettings, {**to_json(SETTINGS), "target": {"device_keys": "a"}}, "TrialSettings.target.device_keys"),
        (
            TrialSettings,
            {**to_json(SETTINGS), "dimensions": [{"name": "a", "size": 1}, {"name": "b", "size": "2"}]},
            "TrialSettings.dimensions[1].size",
        ),
        (TrialSettings, {**to_json(SETTINGS), "dimensions": [{"name": "a", "size": 0}]}, "TrialSettings.dimensions[0]"),
        (TensorInfo, {"name": "x", "type": "t", "shape": [1, 2.5]}, "TensorInfo.shape[1]"),
        (HardwareDevice, {"type": "TPU"}, "HardwareDevice.type"),
        (HardwareDevice, {"type": ["GPU"]}, "HardwareDevice.type"),
        (StopRule, {"seconds": True}, "StopRule.seconds"),
        (StopRule, {"seconds": 10**400}, "StopRule.seconds"),
        (LogRecord, {"time": 0, "severity": 9, "source": "", "message": ""}, "LogRecord.severity"),
        (Target, {}, "Target"),
    ],
)
def test_that_a_wrong_kind_is_refused_with_its_place(record_type: type[Any], data: Any, place: str) -> None:
    with pytest.raises(DecodeError) as caught:
        from_json(record_type, data)
    assert str(caught.value).startswith(f"{place}: ")


class _Colour(Enum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class _Inner:
    colours: tuple[_Colour, ...] = ()
    names: StringMap = ()


@dataclass(frozen=True, kw_only=True)
class _Outer:
    inner: _Inner | None = None
    many: tuple[_Inner, ...] | None = None


@pytest.mark.parametrize(
    "record",
    [
        _Outer(),
        _Outer(inner=_Inner(colours=(_Colour.RED,), names=(("a", "b"),))),
        _Outer(many=()),
        _Outer(many=(_Inner(),)),
    ],
)
def test_that_optional_and_nested_fields_come_back(record: _Outer) -> None:
    assert from_json(_Outer, json.loads(json.dumps(to_json(record)))) == record


def test_that_a_missing_value_is_told_from_an_empty_one() -> None:
    assert to_json(_Outer()) == {"inner": None, "many": None}
    assert to_json(_Outer(many=())) == {"inner": None, "many": []}
