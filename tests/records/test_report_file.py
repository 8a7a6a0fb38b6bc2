"""The file of a device report, and files that are none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gui.records.codec import to_json
from gui.records.device import DeviceType, HardwareDevice, Incompatibility
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.library_check import LibraryCheck
from gui.records.report import REPORT_FORMAT, DeviceReport
from gui.records.report_file import read_report, report_json
from gui.records.result import RESULT_FORMAT

from .examples import DEVICE, GREETING, LIBRARY

CARD = HardwareDevice(type=DeviceType.GPU, vendor="Maker", vendor_id=1, device_id=2, metadata=(("a", "b"),))
REPORT = DeviceReport(
    created="2026-01-01T00:00:00Z",
    environment=GREETING,
    libraries=(LIBRARY, replace(LIBRARY, name="ä", check=LibraryCheck(path="/x"), said=("one",))),
    devices=(DEVICE,),
    hardware=(CARD,),
    incompatibilities=(Incompatibility(ep_name="ep", hardware=CARD, reasons=("old",)),),
)


def refusal(text: str | bytes) -> Failure:
    with pytest.raises(FailureError) as caught:
        read_report(text, "some.json")
    failure = caught.value.failure
    assert failure.kind is FailureKind.NOT_A_REPORT
    assert failure.message.startswith("some.json ")
    assert failure.message.endswith(".")
    assert failure.hint
    return failure


def changed(**values: Any) -> str:
    """The text of a report with other values at its top."""
    return json.dumps({**to_json(REPORT), **values})


def test_that_a_report_comes_back_as_it_was_from_text_and_from_bytes() -> None:
    text = report_json(REPORT)
    assert read_report(text, "x") == REPORT
    assert read_report(text.encode(), "x") == REPORT
    assert read_report(b"\xef\xbb\xbf" + text.encode(), "x") == REPORT  # as editors on Windows save it


def test_that_the_file_is_indented_by_two_readable_and_ends_with_one_newline() -> None:
    text = report_json(REPORT)
    assert text.startswith(f'{{\n  "format": "{REPORT_FORMAT}",\n  "created"')
    assert '"name": "ä"' in text
    assert text.endswith("\n}\n")
    assert json.loads(text) == to_json(REPORT)


@pytest.mark.parametrize("surrogates", [(0xDCFF,), (0xD800,), (0xDFFF, 0xD800)])
def test_that_a_file_name_that_is_no_text_can_be_written_and_read(surrogates: tuple[int, ...]) -> None:
    odd = "".join(map(chr, surrogates))
    report = replace(REPORT, libraries=(replace(LIBRARY, path=f"/a/{odd}.so"),))
    assert read_report(report_json(report).encode("utf-8"), "x") == report


def test_that_a_file_with_raw_bytes_of_a_file_name_is_read() -> None:
    """As --report wrote it at first."""
    raw = json.dumps(to_json(REPORT), ensure_ascii=False).encode("utf-8", "surrogateescape")
    assert b"/\xff.so" in raw
    assert read_report(raw, "x") == REPORT


def test_that_a_report_of_the_first_version_is_read() -> None:
    data = to_json(REPORT)
    del data["hardware"], data["incompatibilities"]
    for library in data["libraries"]:
        for newer in ("check", "said", "overdue"):
            del library[newer]
    report = read_report(json.dumps(data), "x")
    assert report.hardware is None
    assert report.incompatibilities == ()
    assert (report.libraries[0], report.devices) == (LIBRARY, REPORT.devices)


@pytest.mark.parametrize("text", ["", "{", "devices: none", b"\x00\x01", '{"format": }', "1" * 5000 + "x"])
def test_that_what_is_not_json_is_refused(text: str | bytes) -> None:
    failure = refusal(text)
    assert failure.message == "some.json is not a device report: it is not JSON."
    assert failure.detail


@pytest.mark.parametrize(
    "text",
    ["null", "[]", "7", "{}", '{"format": 1}', '{"format": "report 1"}', changed(format="ort-device-explorer report")],
)
def test_that_json_that_is_no_report_is_refused(text: str) -> None:
    assert refusal(text).message == "some.json is not a device report."


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "", "²", "1" * 5000])
def test_that_a_format_without_a_usable_number_is_no_report(number: str) -> None:
    assert (
        refusal(changed(format=f"ort-device-explorer report {number}")).message == "some.json is not a device report."
    )


def test_that_the_result_of_a_trial_is_named_as_such() -> None:
    message = "some.json is the result of a trial, not a device report."
    assert refusal(json.dumps({"format": RESULT_FORMAT})).message == message
    assert refusal(json.dumps({"format": RESULT_FORMAT.replace("1", "9")})).message == message


def test_that_a_report_of_a_newer_version_is_refused_as_such() -> None:
    failure = refusal(changed(format="ort-device-explorer report 2"))
    assert "newer version" in failure.message
    assert failure.detail == "format: ort-device-explorer report 2"


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"devices": None}, "DeviceReport.devices"),
        ({"environment": {}}, "DeviceReport.environment"),
        ({"libraries": [to_json(LIBRARY), {"name": "x"}]}, "DeviceReport.libraries[1]"),
        ({"hardware": [{"type": "TPU"}]}, "DeviceReport.hardware[0].type"),
    ],
)
def test_that_a_damaged_report_is_refused_with_the_place(values: dict[str, Any], place: str) -> None:
    failure = refusal(changed(**values))
    assert "damaged" in failure.message
    assert failure.detail.startswith(f"{place}: ")


def test_that_the_place_of_damage_is_told_in_few_words() -> None:
    assert len(refusal(changed(created=["x" * 100_000])).detail) <= 1000


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"format": ' + "[" * 200_000, "[" * 200_000 + "]" * 200_000],
    ids=["open", "inside", "whole"],
)
def test_that_what_is_nested_too_deeply_is_refused(text: str) -> None:
    assert refusal(text).message == "some.json is not a device report: it is nested too deeply."


@pytest.mark.parametrize(
    "raw", [report_json(REPORT).encode("utf-16"), report_json(REPORT).encode("utf-16-le") + b"\xff", b"\xff\xfe\xfd"]
)
def test_that_a_file_of_another_encoding_is_refused_as_such(raw: bytes) -> None:
    assert refusal(raw).message == "some.json is not text in UTF-8."
