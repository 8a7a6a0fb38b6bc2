"""The device report as a document."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from gui.records.device import Device, DeviceType, HardwareDevice, Incompatibility
from gui.records.failure import Failure, FailureKind
from gui.records.library import Library, LibraryState
from gui.records.library_check import Finding, LibraryCheck, Mark
from gui.records.report import DeviceReport
from gui.records.report_markdown import environment_pairs, file_name_of, report_markdown

from .examples import DEVICE, GREETING, LIBRARY
from .test_markdown import cells

CPU = HardwareDevice(type=DeviceType.CPU, vendor="AMD", vendor_id=0x1022)
NPU = HardwareDevice(type=DeviceType.NPU, vendor="Maker", vendor_id=0x8086, device_id=0x7D1D, metadata=(("k", "v|w"),))


def document(**fields: Any) -> str:
    """The document of a report that holds what is given and nothing else."""
    empty = DeviceReport(created="2026-01-01T00:00:00+00:00", environment=GREETING, libraries=(), devices=())
    return report_markdown(replace(empty, **fields))


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next of its rank or above."""
    (rank,) = re.findall(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    body = text.split(f"\n{rank} {title}\n")[1]
    return re.split(rf"^#{{1,{len(rank)}}} ", body, flags=re.MULTILINE)[0].strip()


def rows(text: str) -> list[list[str]]:
    """The rows of the first table of a text."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| ---")) + 1
    count = next((n for n, line in enumerate(lines[first:]) if not line.startswith("|")), len(lines) - first)
    return [cells(line) for line in lines[first : first + count]]


def test_that_the_document_has_its_parts_in_order_and_ends_with_one_newline() -> None:
    text = document(libraries=(LIBRARY,), devices=(DEVICE,), hardware=(CPU,))
    assert re.findall("^##? (.*)$", text, re.MULTILINE) == [
        "Device report",
        "Environment",
        "Libraries",
        "Devices",
        "Hardware",
        "Incompatibilities",
    ]
    assert text.startswith("# Device report\n\nCreated: 2026-01-01T00:00:00+00:00\n")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_that_what_is_not_there_is_said_to_be_none_or_not_available() -> None:
    text = document()
    assert [section(text, title) for title in ("Libraries", "Devices")] == ["None.", "None."]
    assert section(text, "Hardware").startswith("Not available")
    assert section(text, "Incompatibilities") == "Not available."
    known = document(hardware=())
    assert (section(known, "Hardware"), section(known, "Incompatibilities")) == ("None.", "None told.")


def test_that_the_environment_is_told_without_the_number_of_its_process() -> None:
    told = dict(rows(section(document(), "Environment")))
    assert told == dict(environment_pairs(GREETING))
    assert (told["onnxruntime"], told["CPU"], told["Logical CPUs"]) == ("1.32.0", "Some CPU", "8")
    assert "42" not in told.values()  # GREETING.process_id


def test_that_a_library_is_told_with_its_file_its_state_and_its_version() -> None:
    check = LibraryCheck(path="/eps/libfast.so", size_bytes=12, sha256="abcd", modified="2026", version="1.2")
    library = Library(
        name="fast", path="/eps/libfast.so", state=LibraryState.LOADED, device_keys=("a", "b"), check=check
    )
    text = document(libraries=(library,))
    assert rows(section(text, "Libraries")) == [["fast", "libfast.so", "loaded", "2", "1.2"]]
    told = section(text, "Library fast")
    assert "Path: `/eps/libfast.so`" in told
    assert "12 bytes, modified 2026, SHA-256 `abcd`" in told


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/eps/libfast.so", "libfast.so"),
        ("/eps/odd\\name.so", "odd\\name.so"),
        (r"C:\eps\fast.dll", "fast.dll"),
        ("C:/eps/fast.dll", "fast.dll"),
        (r"\\server\share\fast.dll", "fast.dll"),
        ("fast.so", "fast.so"),
        ("", ""),
    ],
)
def test_that_the_file_name_is_that_of_the_system_the_report_comes_from(path: str, name: str) -> None:
    assert file_name_of(path) == name


def test_that_an_error_is_told_with_its_kind_its_next_step_and_its_raw_words() -> None:
    error = Failure(kind=FailureKind.REFUSED_BY_EP, message="No <b>.", hint="Ask.", detail="raw\n```\nwords")
    text = document(libraries=(Library(name="x", path="/x.so", state=LibraryState.FAILED, error=error),))
    told = section(text, "Library x")
    assert r"Error (refused by the EP): No \<b\>. Ask." in told
    assert "Details:\n\n````text\nraw\n```\nwords\n````" in told


def test_that_findings_are_a_list_with_words_for_marks() -> None:
    findings = tuple(Finding(topic=mark.name.lower(), mark=mark, text=f"it is *{mark.name}*") for mark in Mark)
    library = Library(name="x", path="/x.so", check=LibraryCheck(path="/x.so", findings=findings))
    told = section(document(libraries=(library,)), "Library x").splitlines()
    assert [line for line in told if line.startswith("-")] == [
        r"- **good**, good: it is \*GOOD\*",
        r"- **note**, note: it is \*NOTE\*",
        r"- **doubtful**, doubtful: it is \*DOUBTFUL\*",
        r"- **bad**, bad: it is \*BAD\*",
        r"- **unknown**, not available: it is \*UNKNOWN\*",
    ]


@pytest.mark.parametrize(
    ("state", "keys", "is_quoted"),
    [
        (LibraryState.FAILED, (), True),
        (LibraryState.LOADED, (), True),
        (LibraryState.FAILED, ("k",), True),
        (LibraryState.LOADED, ("k",), False),
    ],
)
def test_that_what_a_library_printed_is_quoted_when_it_failed_or_has_no_device(
    state: LibraryState, keys: tuple[str, ...], is_quoted: bool
) -> None:
    library = Library(name="x", path="/x.so", state=state, device_keys=keys, said=("needs *a driver*",))
    told = section(document(libraries=(library,)), "Library x")
    assert ("```text\nneeds *a driver*\n```" in told) is is_quoted


def test_that_no_more_than_the_last_40_lines_are_quoted() -> None:
    said = tuple(f"line {number}." for number in range(100))
    library = Library(name="x", path="/x.so", state=LibraryState.FAILED, said=said)
    told = section(document(libraries=(library,)), "Library x")
    assert re.findall(r"line (\d+)\.", told) == [str(number) for number in range(60, 100)]
    assert "the last 40 of 100 lines" in told


def test_that_each_device_is_a_row_and_a_section_with_all_that_is_told_of_it() -> None:
    own = Device(ep_name="CPUExecutionProvider", ep_vendor="Microsoft", device=CPU)
    text = document(devices=(DEVICE, own))
    assert rows(section(text, "Devices")) == [
        ["1", "ggml", "GPU", "Someone", "1.2", "Maker", "0x10DE", "0x0007", "virtual", "ggml"],
        ["2", "CPUExecutionProvider", "CPU", "Microsoft", "", "AMD", "0x1022", "0x0000", "no", "built in"],
    ]
    told = section(text, "1. ggml · GPU Maker")
    tables = {title: rows(told.split(f"{title}:\n")[1]) for title in re.findall(r"^(\w.*):$", told, re.MULTILINE)}
    assert tables == {
        "EP metadata": [["`version`", "`1.2`"], ["`backend`", "`ggml`"]],
        "EP options": [["`threads`", "`4`"]],
        "Hardware metadata": [["`is_virtual`", "`1`"]],
        "Memory: DEFAULT": [["`name`", "`Cuda`"], ["`id`", "`0`"]],
    }
    nothing = section(text, "2. CPUExecutionProvider · CPU AMD")
    assert nothing == "None told: EP metadata, EP options, Hardware metadata, Memory info."


def test_that_metadata_with_pipes_backticks_and_lines_stays_in_its_cell() -> None:
    odd = replace(DEVICE, ep_metadata=(("a|b", "`c`|\n<d>"),), ep_options=(), memory_info=())
    told = section(document(devices=(odd,)), "1. ggml · GPU Maker")
    assert rows(told) == [["`a|b`", "`` `c`|↵<d> ``"]]


def test_that_hardware_is_told_with_the_eps_that_offer_it() -> None:
    offers = [Device(ep_name=name, device=CPU) for name in ("One", "Two", "One")]
    text = document(devices=tuple(offers), hardware=(CPU, NPU))
    assert rows(section(text, "Hardware")) == [
        ["CPU", "AMD", "0x1022", "0x0000", "One, Two", ""],
        ["NPU", "Maker", "0x8086", "0x7D1D", "no EP", "`k=v|w`"],
    ]


def test_that_incompatibilities_are_told_in_words() -> None:
    entries = (
        Incompatibility(ep_name="Fast", library="fast", hardware=NPU, reasons=("driver",), notes="get\n5.0"),
        Incompatibility(ep_name="Own", hardware=CPU, offered=True, notes="slow", error_code=7),
    )
    first, second = section(document(hardware=(), incompatibilities=entries), "Incompatibilities").splitlines()
    assert first.startswith("- **Fast** (library fast): NPU Maker is not offered")
    assert "driver" in first
    assert first.endswith("get 5.0")
    assert second.startswith("- **Own** (built in): CPU AMD is offered, but")
    assert "7" in second


def test_that_the_document_can_be_written_as_utf_8_whatever_the_file_is_called() -> None:
    text = document(libraries=(LIBRARY,))  # its path holds a byte that is no UTF-8
    assert "/a b/ä/\ufffd.so".encode() in text.encode()
