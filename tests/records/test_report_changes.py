"""What differs between two reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gui.records.device import Device, DeviceType, HardwareDevice, MemoryInfo, with_keys
from gui.records.failure import Failure, FailureKind
from gui.records.library import Library, LibraryState
from gui.records.library_check import LibraryCheck
from gui.records.report import DeviceReport
from gui.records.report_changes import Change, ChangeKind, Part, changes_markdown, changes_summary, compare_reports

from .examples import DEVICE, GREETING, LIBRARY
from .test_markdown import cells

Row = tuple[str, str, str, str | None, str | None]
FULL = DeviceReport(
    created="2026-01-01T00:00:00Z",
    environment=GREETING,
    libraries=(LIBRARY, replace(LIBRARY, name="other")),
    devices=(DEVICE, replace(DEVICE, key="second")),
    hardware=(DEVICE.device, DEVICE.device),
)


def report(*devices: Device, libraries: Sequence[Library] = (), **fields: Any) -> DeviceReport:
    """A report of devices, with the keys that the engine would give them."""
    return DeviceReport(
        created="2026-01-01T00:00:00Z",
        environment=fields.pop("environment", GREETING),
        libraries=tuple(libraries),
        devices=with_keys(devices),
        **fields,
    )


def card(
    slot: str = "1", *, vendor_id: int = 0x10DE, device_id: int = 1, driver: str = "30", vendor: str = "Maker"
) -> HardwareDevice:
    """A graphics card in a slot."""
    metadata = (("slot", slot), ("driver", driver))
    return HardwareDevice(
        type=DeviceType.GPU, vendor=vendor, vendor_id=vendor_id, device_id=device_id, metadata=metadata
    )


def gpu(hardware: HardwareDevice | None = None, **fields: Any) -> Device:
    """A card as the EP “fast” of the library “lib” offers it."""
    values: dict[str, Any] = {"ep_name": "fast", "library": "lib", "device": hardware or card(), **fields}
    return Device(**values)


def library(name: str = "lib", **fields: Any) -> Library:
    return Library(name=name, path=fields.pop("path", f"/eps/lib{name}.so"), **fields)


def rows(old: DeviceReport, new: DeviceReport) -> list[Row]:
    """The changes, without the part."""
    return [
        (change.kind.value, change.item, change.field, change.old, change.new) for change in compare_reports(old, new)
    ]


def test_that_a_report_differs_in_nothing_from_itself() -> None:
    assert compare_reports(FULL, FULL) == ()


def test_that_another_process_at_another_time_is_no_change() -> None:
    other = replace(FULL, created="2027-01-01T00:00:00Z", environment=replace(GREETING, process_id=7))
    assert compare_reports(FULL, other) == ()


def test_that_what_changed_one_way_changed_back_the_other_way() -> None:
    new = report(gpu(card(driver="31")), gpu(card(vendor_id=2), ep_name="x"), libraries=[library()])
    mirrored = {ChangeKind.CAME: ChangeKind.WENT, ChangeKind.WENT: ChangeKind.CAME}
    there = {
        replace(change, kind=mirrored.get(change.kind, change.kind), old=change.new, new=change.old)
        for change in compare_reports(FULL, new)
    }
    assert there == set(compare_reports(new, FULL))
    assert len(there) > 3


# ---- The environment and the libraries ----


def test_that_each_value_of_the_environment_is_compared() -> None:
    other = replace(GREETING, onnxruntime="1.33.0", cpu_count=16, cpu="")
    assert compare_reports(report(), report(environment=other)) == tuple(
        Change(kind=ChangeKind.CHANGED, part=Part.ENVIRONMENT, item=item, old=old, new=new)
        for item, old, new in (
            ("onnxruntime", "1.32.0", "1.33.0"),
            ("CPU", "Some CPU", ""),
            ("Logical CPUs", "8", "16"),
        )
    )


@pytest.mark.parametrize(
    ("then", "now", "change"),
    [
        ({}, {"state": LibraryState.LOADED}, ("changed", "state", "not loaded", "loaded")),
        ({}, {"path": "/new/liblib.so"}, ("changed", "path", "/eps/liblib.so", "/new/liblib.so")),
        ({"device_keys": ("a", "b")}, {}, ("changed", "devices", "2", "0")),
        ({}, {"error": Failure(kind=FailureKind.DIED, message="Gone.")}, ("came", "error", None, "engine died: Gone.")),
        ({"error": Failure(kind=FailureKind.DIED, message="Gone.")}, {}, ("went", "error", "engine died: Gone.", None)),
        (
            {"error": Failure(kind=FailureKind.DIED, message="Gone.")},
            {"error": Failure(kind=FailureKind.HANGS, message="Gone.")},
            ("changed", "error", "engine died: Gone.", "hangs: Gone."),
        ),
        (
            {"check": LibraryCheck(path="", version="1")},
            {"check": LibraryCheck(path="", version="2")},
            ("changed", "version", "1", "2"),
        ),
        (
            {"check": LibraryCheck(path="", size_bytes=1)},
            {"check": LibraryCheck(path="", size_bytes=1 << 40)},
            ("changed", "size", "1 bytes", "1099511627776 bytes"),
        ),
        (
            {"check": LibraryCheck(path="", sha256="ab")},
            {"check": LibraryCheck(path="", sha256="cd")},
            ("changed", "SHA-256", "ab", "cd"),
        ),
    ],
)
def test_that_each_value_of_a_library_is_compared(
    then: dict[str, Any], now: dict[str, Any], change: tuple[str, str, str | None, str | None]
) -> None:
    kind, field, old, new = change
    changes = rows(report(libraries=[library(**then)]), report(libraries=[library(**now)]))
    assert changes == [(kind, "lib", field, old, new)]


def test_that_a_file_that_only_one_side_looked_at_is_no_change() -> None:
    check = LibraryCheck(path="/x", size_bytes=1, sha256="ab", version="1")
    seen, unseen = report(libraries=[library(check=check)]), report(libraries=[library()])
    partly = report(libraries=[library(check=replace(check, sha256="", version=""))])
    for old, new in ((seen, unseen), (unseen, seen), (seen, partly), (partly, seen)):
        assert compare_reports(old, new) == ()


def test_that_a_library_under_another_name_is_known_by_its_file() -> None:
    old = report(libraries=[library("a", path="/x/libfast.so"), library("b", path="/x/libslow.so")])
    new = report(libraries=[library("c", path=r"D:\y\libfast.so"), library("b", path="/x/libslow.so")])
    assert rows(old, new) == [
        ("changed", "c", "name", "a", "c"),
        ("changed", "c", "path", "/x/libfast.so", r"D:\y\libfast.so"),
    ]


def test_that_the_name_of_a_library_weighs_more_than_its_file() -> None:
    old = report(libraries=[library("a", path="/x/one.so"), library("b", path="/x/two.so")])
    new = report(libraries=[library("a", path="/x/two.so"), library("b", path="/x/one.so")])
    assert [(item, field) for _kind, item, field, *_ in rows(old, new)] == [("a", "path"), ("b", "path")]


# ---- Devices that are the same ----


def test_that_an_updated_driver_does_not_make_another_device() -> None:
    old, new = report(gpu(card(driver="30"))), report(gpu(card(driver="31")))
    assert old.devices[0].key != new.devices[0].key
    assert rows(old, new) == [("changed", "fast · GPU Maker", "hardware metadata: driver", "30", "31")]


def test_that_equal_cards_stay_in_their_slots_when_the_ep_tells_other_things() -> None:
    old = report(*(gpu(card(slot), ep_metadata=(("mode", "a"),)) for slot in "123"))
    new = report(*(gpu(card(slot), ep_metadata=(("mode", "b"),)) for slot in "32"))
    assert rows(old, new) == [
        ("changed", "fast · GPU Maker", "EP metadata: mode", "a", "b"),
        ("changed", "fast · GPU Maker #2", "EP metadata: mode", "a", "b"),
        ("went", "fast · GPU Maker", "", "vendor 0x10DE, device 0x0001", None),
    ]


def test_that_a_rebuilt_ep_offers_the_same_devices_in_whichever_order() -> None:
    old = report(*(gpu(ep_metadata=(("mode", mode), ("version", "1"))) for mode in "ab"))
    new = report(*(gpu(ep_metadata=(("mode", mode), ("version", "2"))) for mode in "ba"))
    assert [row[2:] for row in rows(old, new)] == [("EP version", "1", "2")] * 2


def test_that_equal_cards_of_two_libraries_stay_with_theirs() -> None:
    old, new = (
        report(*(gpu(card(driver=driver), library=name) for name in names))
        for driver, names in (("1", "ab"), ("2", "ba"))
    )
    assert {row[2] for row in rows(old, new)} == {"hardware metadata: driver"}


def test_that_of_equal_devices_those_that_are_too_many_come_or_go() -> None:
    five, three = report(*[gpu()] * 5), report(*[gpu()] * 3)
    ids = "vendor 0x10DE, device 0x0001"
    numbers = ["fast · GPU Maker #4", "fast · GPU Maker #5"]
    assert rows(five, three) == [("went", item, "", ids, None) for item in numbers]
    assert rows(three, five) == [("came", item, "", None, ids) for item in numbers]


def test_that_a_device_is_known_when_another_library_offers_it() -> None:
    assert rows(report(gpu(library=None)), report(gpu(library="new"))) == [
        ("changed", "fast · GPU Maker", "library", "built in", "new")
    ]


def test_that_a_card_that_took_the_place_of_another_is_told_by_its_values() -> None:
    other, same = card(vendor_id=0x1002, device_id=0x744C, vendor="Other"), gpu(card("9", device_id=9), library="else")
    assert rows(report(same, gpu()), report(gpu(other), same)) == [
        ("changed", "fast · GPU Other", "vendor", "Maker", "Other"),
        ("changed", "fast · GPU Other", "vendor ID", "0x10DE", "0x1002"),
        ("changed", "fast · GPU Other", "device ID", "0x0001", "0x744C"),
    ]


def test_that_nobody_guesses_which_of_several_cards_was_exchanged() -> None:
    old = report(gpu(card(device_id=1)), gpu(card(device_id=2)))
    assert rows(old, report(gpu(card(device_id=3)))) == [
        ("came", "fast · GPU Maker", "", None, "vendor 0x10DE, device 0x0003"),
        ("went", "fast · GPU Maker", "", "vendor 0x10DE, device 0x0001", None),
        ("went", "fast · GPU Maker #2", "", "vendor 0x10DE, device 0x0002", None),
    ]


def test_that_another_kind_of_hardware_is_another_device() -> None:
    npu = gpu(replace(card(), type=DeviceType.NPU))
    assert [row[:2] for row in rows(report(gpu()), report(npu))] == [
        ("came", "fast · NPU Maker"),
        ("went", "fast · GPU Maker"),
    ]


def test_that_devices_without_a_key_are_known_by_what_they_are() -> None:
    """Keys are optional in a report, so that they tell nothing where they are empty."""
    old = replace(report(), devices=(gpu(card("1")), gpu(card("2", device_id=2))))
    assert compare_reports(old, replace(old, devices=old.devices[::-1])) == ()


# ---- Values of devices ----


@pytest.mark.parametrize(
    ("then", "now", "changes"),
    [
        ({"ep_vendor": "A"}, {"ep_vendor": "B"}, [("changed", "EP vendor", "A", "B")]),
        ({}, {"ep_metadata": (("version", "2"),)}, [("came", "EP version", None, "2")]),
        (
            {"ep_metadata": (("version", "1"), ("k", "1"), ("gone", "x"), ("e", ""))},
            {"ep_metadata": (("new", "y"), ("e", ""), ("k", "2"), ("version", "2"))},
            [
                ("changed", "EP version", "1", "2"),
                ("came", "EP metadata: new", None, "y"),
                ("changed", "EP metadata: k", "1", "2"),
                ("went", "EP metadata: gone", "x", None),
            ],
        ),
        ({}, {"ep_metadata": (("k", ""),)}, [("came", "EP metadata: k", None, "")]),
        ({"ep_options": (("o", "1"),)}, {"ep_options": (("o", "2"),)}, [("changed", "EP option: o", "1", "2")]),
        ({"device": card("1")}, {"device": card("2")}, [("changed", "hardware metadata: slot", "1", "2")]),
        ({"device": card()}, {"device": card(vendor="X")}, [("changed", "vendor", "Maker", "X")]),
        (
            {"memory_info": (MemoryInfo(kind="D", name="Old", fields=(("id", "0"),)),)},
            {"memory_info": (MemoryInfo(kind="D", name="New", fields=(("id", "1"),)),)},
            [("changed", "memory D: name", "Old", "New"), ("changed", "memory D: id", "0", "1")],
        ),
        (
            {"memory_info": (MemoryInfo(kind="D", name="d"),)},
            {"memory_info": (MemoryInfo(kind="H", name="h"),)},
            [("came", "memory H", None, "h"), ("went", "memory D", "d", None)],
        ),
        (
            {"memory_info": (MemoryInfo(kind="D", name="d"),)},
            {"memory_info": (MemoryInfo(kind="D", name="d"), MemoryInfo(kind="D", name="e"))},
            [("came", "memory D #2", None, "e")],
        ),
    ],
)
def test_that_each_value_of_a_device_is_compared(
    then: dict[str, Any], now: dict[str, Any], changes: list[tuple[str, str, str | None, str | None]]
) -> None:
    told = rows(report(gpu(**then)), report(gpu(**now)))
    assert [(kind, field, old, new) for kind, _item, field, old, new in told] == changes


def test_that_the_order_of_metadata_is_no_change() -> None:
    old, new = (report(gpu(ep_metadata=tuple((key, "1") for key in keys))) for keys in ("ab", "ba"))
    assert compare_reports(old, new) == ()


# ---- Hardware ----


def test_that_hardware_is_compared_when_both_reports_have_it() -> None:
    old = report(hardware=(card("1"), card("2"), card("1", device_id=5)))
    new = report(hardware=(card("2"), card("1", device_id=6), card("1", device_id=5, driver="31")))
    assert rows(old, new) == [
        ("came", "GPU Maker #2", "", None, "vendor 0x10DE, device 0x0006"),
        ("changed", "GPU Maker #3", "hardware metadata: driver", "30", "31"),
        ("went", "GPU Maker", "", "vendor 0x10DE, device 0x0001", None),
    ]
    assert {change.part for change in compare_reports(old, new)} == {Part.HARDWARE}


def test_that_hardware_that_one_report_does_not_tell_of_is_no_change() -> None:
    untold, none, one = report(hardware=None), report(hardware=()), report(hardware=(card(),))
    assert [compare_reports(a, b) for a, b in ((untold, one), (one, untold))] == [(), ()]
    assert [row[0] for row in rows(none, one)] == ["came"]


# ---- All together ----


def test_that_changes_are_in_the_order_of_the_parts_and_of_the_new_report() -> None:
    old = report(
        gpu(ep_name="stays"), gpu(ep_name="goes"), libraries=[library("stays"), library("goes")], hardware=(card(),)
    )
    new = report(
        gpu(ep_name="comes"),
        gpu(card(driver="31"), ep_name="stays"),
        libraries=[library("comes"), library("stays", state=LibraryState.LOADED)],
        environment=replace(GREETING, numpy="3"),
        hardware=(),
    )
    changes = compare_reports(old, new)
    assert [(change.part.value, change.kind.value, change.item.split(" ")[0]) for change in changes] == [
        ("environment", "changed", "numpy"),
        ("library", "came", "comes"),
        ("library", "changed", "stays"),
        ("library", "went", "goes"),
        ("device", "came", "comes"),
        ("device", "changed", "stays"),
        ("device", "went", "goes"),
        ("hardware", "went", "GPU"),
    ]
    assert compare_reports(old, new) == changes


def test_that_no_device_of_very_many_is_lost() -> None:
    old = report(*(gpu(card(str(n), driver="30")) for n in range(1024)))
    new = report(*(gpu(card(str(n), driver="31")) for n in range(1000)))
    changes = compare_reports(old, new)
    assert [change.kind for change in changes].count(ChangeKind.WENT) == 24
    assert {(change.old, change.new) for change in changes if change.kind is ChangeKind.CHANGED} == {("30", "31")}
    assert len(changes) == 1024
    assert len({(change.kind, change.item) for change in changes}) == 1024


# ---- In words ----


def change(kind: ChangeKind, part: Part, field: str = "") -> Change:
    return Change(kind=kind, part=part, item="it", field=field, old="o", new="n")


CAME, WENT, CHANGED = ChangeKind


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([], "Nothing has changed."),
        ([change(CAME, Part.DEVICE)], "1 device came."),
        (
            [
                *[change(CHANGED, Part.LIBRARY, "state")] * 3,
                change(WENT, Part.LIBRARY),
                *[change(CAME, Part.DEVICE)] * 2,
            ],
            "2 devices came, 1 library went, 3 values changed.",
        ),
        ([change(CHANGED, Part.ENVIRONMENT)], "1 value changed."),
        ([change(CAME, Part.DEVICE, "EP option: a"), change(WENT, Part.LIBRARY, "error")], "2 values changed."),
        (
            [change(WENT, Part.HARDWARE), *[change(CAME, Part.LIBRARY)] * 2, *[change(CAME, Part.HARDWARE)] * 2],
            "2 libraries came, 2 pieces of hardware came, 1 piece of hardware went.",
        ),
    ],
)
def test_that_changes_are_counted_in_one_sentence(changes: list[Change], sentence: str) -> None:
    assert changes_summary(changes) == sentence


def test_that_changes_are_a_table_in_markdown_with_what_is_compared() -> None:
    old = report(gpu(), gpu(ep_metadata=(("k|", ""),)))
    new = replace(
        report(gpu(), gpu(ep_metadata=(("k|", "`x`\ny"),)), libraries=[library("new")]),
        created="2027-01-01T00:00:00Z",
        environment=replace(GREETING, onnxruntime="1.33.0"),
    )
    lines = changes_markdown(compare_reports(old, new), old, new).splitlines()
    assert lines[2:6] == [
        "- Then: 2026-01-01T00:00:00Z, onnxruntime 1.32.0, Linux",
        "- Now: 2027-01-01T00:00:00Z, onnxruntime 1.33.0, Linux",
        "",
        "1 library came, 2 values changed.",
    ]
    assert [cells(line) for line in lines[9:]] == [
        ["changed", "environment", "`onnxruntime`", "", "`1.32.0`", "`1.33.0`"],
        ["came", "library", "`new`", "", "–", "`/eps/libnew.so`"],
        ["changed", "device", "`fast · GPU Maker #2`", "EP metadata: k|", "(empty)", "`` `x`↵y ``"],
    ]


def test_that_no_changes_are_said_in_markdown_without_a_table() -> None:
    text = changes_markdown((), FULL, FULL)
    assert text.endswith("\n\nNothing has changed.\n")
    assert "|" not in text
