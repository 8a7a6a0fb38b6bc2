"""`--report` as a shell sees it: files, exit codes, lines on stderr."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from gui import __version__
from gui.records.codec import from_json
from gui.records.report import DeviceReport

from .conftest import ORT_VERSION, DoubleFactory
from .console import only_complaint, read_json, run_main, with_library


def test_that_bad_libraries_are_part_of_a_report_and_cost_the_good_ones_nothing(
    tmp_path: Path, double_library: DoubleFactory
) -> None:
    text = tmp_path / "notes.so"
    text.write_text("notes")
    done = run_main(
        tmp_path,
        *("--report", "devices.json", "--timeout", "2"),
        *with_library("good", double_library("name=GoodEp,count=2,meta.color=red,option.mode=fast")),
        *with_library("abort", double_library("devices=abort")),
        *with_library("text", text),
        *with_library("hang", double_library("devices=hang")),
        *with_library("gone", tmp_path / "gone.so"),
        *with_library("last", double_library("name=LastEp")),
    )
    assert done.code == 0
    report = read_json(tmp_path / "devices.json")
    libraries = {entry["name"]: entry for entry in report["libraries"]}
    assert [*libraries] == ["good", "abort", "text", "hang", "gone", "last"]
    assert {name: entry["state"] for name, entry in libraries.items()} == {
        "good": "loaded",
        "abort": "failed",
        "text": "failed",
        "hang": "failed",
        "gone": "failed",
        "last": "loaded",
    }
    kinds = {name: entry["error"]["kind"] for name, entry in libraries.items() if entry["error"] is not None}
    assert kinds == {"abort": "engine died", "text": "not a library", "hang": "hangs", "gone": "no such file"}
    assert "signal 6 SIGABRT" in libraries["abort"]["error"]["message"]
    assert "Fatal Python error: Aborted" in libraries["abort"]["error"]["detail"]
    assert [(device["ep_name"], device["library"]) for device in report["devices"]] == [
        ("CPUExecutionProvider", None),
        ("GoodEp", "good"),
        ("GoodEp", "good"),
        ("LastEp", "last"),
    ]
    assert [line.split(":")[1].strip() for line in done.complaints] == ["abort", "text", "hang", "gone"]


def test_that_a_report_names_every_field_of_a_device_as_ort_does(tmp_path: Path, double_library: DoubleFactory) -> None:
    library = double_library("name=GoodEp,vendor=Maker,version=1.2.3,meta.color=red,option.mode=fast")
    done = run_main(tmp_path, "--report", "devices.json", *with_library("good", library))
    assert (done.code, done.complaints) == (0, [])
    report = read_json(tmp_path / "devices.json")
    assert report["format"] == "ort-device-explorer report 1"
    assert report["environment"]["application"] == __version__
    assert report["environment"]["onnxruntime"].startswith(f"{ORT_VERSION[0]}.{ORT_VERSION[1]}")
    (entry,) = report["libraries"]
    assert (entry["path"], entry["state"], entry["error"]) == (str(library), "loaded", None)
    device = report["devices"][1]
    assert entry["device_keys"] == [device["key"]]
    assert (device["ep_name"], device["ep_vendor"]) == ("GoodEp", "Maker")
    assert device["ep_metadata"] == {"color": "red", "library_path": str(library), "version": "1.2.3"}
    assert device["ep_options"] == {"mode": "fast"}
    assert set(device["device"]) == {"type", "vendor", "vendor_id", "device_id", "metadata"}
    assert device["device"]["type"] == "CPU"
    assert device["device"] == report["devices"][0]["device"]
    assert isinstance(device["device"]["vendor_id"], int)
    from_json(DeviceReport, report)  # it can be read back whole


def test_that_a_report_can_go_to_the_console_and_use_relative_paths(
    tmp_path: Path, double_library: DoubleFactory
) -> None:
    (tmp_path / "mine.so").write_bytes(double_library("name=GoodEp").read_bytes())
    done = run_main(tmp_path, "--report", "-", "--library", "mine=mine.so")
    assert done.code == 0
    report = json.loads(done.out)
    assert report["libraries"][0]["path"] == str(tmp_path / "mine.so")
    assert [device["ep_name"] for device in report["devices"]] == ["CPUExecutionProvider", "mine"]
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.so"]


@pytest.mark.skipif(sys.platform == "win32", reason="there, names of files are text")
def test_that_a_path_that_is_no_text_is_written_so_that_json_can_hold_it(tmp_path: Path) -> None:
    path = os.fsdecode(b"/nowhere/lib\xff.so")
    done = run_main(tmp_path, "--report", "devices.json", "--library", f"odd={path}")
    assert done.code == 0
    (library,) = json.loads((tmp_path / "devices.json").read_text(encoding="utf-8"))["libraries"]
    assert library["path"] == path


def test_that_what_an_ep_prints_is_shown_only_when_asked_for(tmp_path: Path, double_library: DoubleFactory) -> None:
    library = with_library("loud", double_library("stdout=to stdout,stderr=to stderr"))
    quiet = run_main(tmp_path, "--report", "-", *library)
    assert quiet.complaints == []
    json.loads(quiet.out)  # and nothing but the report on stdout
    loud = run_main(tmp_path, "--report", "-", "--verbose", *library)
    assert {"to stdout", "to stderr"} <= set(loud.complaints)
    told = [json.loads(done.out)["libraries"] for done in (loud, quiet)]
    assert all(library.pop("registration_ns") > 0 for libraries in told for library in libraries)
    assert told[0] == told[1]


@pytest.mark.parametrize("target", ["no/such/folder/r.json", "."])
def test_that_a_file_that_cannot_be_written_is_one_line_and_code_1(tmp_path: Path, target: str) -> None:
    complaint = only_complaint(run_main(tmp_path, "--report", target))
    assert complaint.startswith(f"{target} cannot be written: ")


def test_that_an_engine_that_cannot_start_is_one_line_and_code_1(tmp_path: Path) -> None:
    broken = tmp_path / "onnxruntime"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('a DLL is missing')")
    complaint = only_complaint(run_main(tmp_path, "--report", "-", PYTHONPATH=str(tmp_path)))
    assert complaint == ("The engine died while starting: it exited with code 1. Add --verbose to see what it printed.")
    loud = run_main(tmp_path, "--report", "-", "--verbose", PYTHONPATH=str(tmp_path))
    assert any("a DLL is missing" in line for line in loud.complaints)
