"""`--report` and `--run` as a shell sees them: files, exit codes, lines on stderr."""

from __future__ import annotations

import json
import os
import statistics
import sys
from pathlib import Path

import pytest

from gui import __version__
from gui.records.codec import from_json
from gui.records.report import DeviceReport
from gui.records.trial import Policy

from .conftest import ORT_VERSION, SAMPLE_MODELS, DoubleFactory
from .console import Done, read_json, run_main, with_library

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"


def only_complaint(done: Done) -> str:
    """The one line on stderr of a command that failed."""
    assert done.code == 1
    (line,) = done.complaints
    prefix, _, complaint = line.partition(": ")
    assert prefix == "ort-device-explorer"
    return complaint


# ---- Reports ----


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
    assert json.loads(loud.out)["libraries"] == json.loads(quiet.out)["libraries"]


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


# ---- Trials ----


def test_that_a_trial_is_summed_up_and_written_with_all_its_samples(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "300", "--warmup", "7", "--output", "trial.json")
    assert (done.code, done.complaints) == (0, [])
    result = read_json(tmp_path / "trial.json")
    samples = result["samples_ns"]
    assert len(samples) == 300
    assert all(isinstance(sample, int) and sample > 0 for sample in samples)
    assert len(result["warmup_ns"]) == 7
    assert result["outcome"] == "finished"
    assert result["failure"] is None
    assert result["statistics"]["count"] == 300
    assert result["statistics"]["median_ns"] == statistics.median_low(samples)
    assert result["statistics"]["max_ns"] == max(samples)
    assert result["facts"]["ending"] == "iterations"
    assert [device["ep_name"] for device in result["target_devices"]] == ["CPUExecutionProvider"]
    table = dict(line.split("  ", 1) for line in done.out.splitlines())
    table = {name: value.strip() for name, value in table.items()}
    assert table["Model"] == str(TINY)
    assert table["Ran on"].startswith("CPUExecutionProvider (")
    assert table["Outcome"] == "finished"
    assert table["Samples"] == "300"
    assert {"Session creation", "First run", "Min", "Median", "Mean", "p90", "p95", "p99", "Max", "Throughput"} <= set(
        table
    )


def test_that_a_trial_runs_on_the_device_named_with_options_and_dimensions(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("good", double_library("name=GoodEp,count=2"))
    done = run_main(
        tmp_path,
        *("--run", add_model, *library, "--device", "GoodEp:1", "--option", "mode=fast", "--dim", "N=3"),
        *("--iterations", "50", "--threads", "1", "--seed", "5", "--output", "trial.json"),
    )
    assert (done.code, done.complaints) == (0, [])
    result = read_json(tmp_path / "trial.json")
    (key,) = result["settings"]["target"]["device_keys"]
    assert key.endswith("#1")
    assert [device["key"] for device in result["target_devices"]] == [key]
    assert [entry["name"] for entry in result["libraries"]] == ["good"]
    assert result["facts"]["placement"][0]["ep_name"] == "GoodEp"
    assert {"ep_name": "GoodEp", "options": {"mode": "fast"}} in result["facts"]["provider_options"]
    assert result["facts"]["outputs"][0]["shape"] == [3, 4]
    assert (result["settings"]["intra_op_threads"], result["settings"]["seed"]) == (1, 5)


def test_that_a_trial_can_end_after_a_time(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--seconds", "0.2", "--output", "trial.json")
    assert done.code == 0
    result = read_json(tmp_path / "trial.json")
    assert result["facts"]["ending"] == "seconds"
    assert result["facts"]["measured_ns"] >= 0.15e9
    assert result["statistics"]["count"] == len(result["samples_ns"]) > 10


@pytest.mark.parametrize("policy", [Policy.DEFAULT, Policy.PREFER_NPU])
def test_that_a_policy_chooses_the_device(tmp_path: Path, policy: Policy) -> None:
    done = run_main(tmp_path, "--run", TINY, "--policy", policy.value, "--iterations", "5", "--output", "trial.json")
    assert done.code == 0
    result = read_json(tmp_path / "trial.json")
    assert result["settings"]["target"] == {"device_keys": [], "policy": policy.value}
    assert [device["ep_name"] for device in result["target_devices"]] == ["CPUExecutionProvider"]
    assert policy.value in done.out


def test_that_few_samples_are_not_sold_as_a_percentile(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "5")
    assert "(fewer than 100 samples)" in done.out


# ---- Trials that fail ----


def test_that_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    complaint = only_complaint(run_main(tmp_path, "--run", "gone.onnx"))
    assert complaint == "The model file is not there. Choose the model again."


def test_that_a_file_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.onnx").write_text("notes")
    complaint = only_complaint(run_main(tmp_path, "--run", "notes.onnx"))
    assert complaint.startswith("The file is not an ONNX model.")


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("NoEp", "There is no device NoEp; EPs here: CPUExecutionProvider, GoodEp."),
        ("GoodEp:2", "GoodEp has 2 device(s), counted from 0; there is no GoodEp:2."),
        ("NoEp:0", "There is no device NoEp:0; EPs here: CPUExecutionProvider, GoodEp."),
    ],
)
def test_that_a_device_that_is_not_there_is_named_beside_those_that_are(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory, device: str, said: str
) -> None:
    library = with_library("good", double_library("name=GoodEp,count=2"))
    done = run_main(tmp_path, "--run", add_model, *library, "--device", device, "--output", "trial.json")
    assert only_complaint(done).startswith(said)
    assert done.out == ""
    assert not (tmp_path / "trial.json").exists()


def test_that_an_ep_named_with_a_colon_and_number_is_that_ep(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("Ep:0", double_library())  # the double takes its registration name
    done = run_main(tmp_path, "--run", add_model, *library, "--device", "Ep:0", "--iterations", "5")
    assert done.code == 0
    assert "Ep:0 (CPU" in done.out


def test_that_a_library_that_fails_ends_a_trial_before_it_begins(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("bad", double_library("load=abort"))
    done = run_main(tmp_path, "--run", add_model, *library, "--output", "trial.json")
    assert only_complaint(done).startswith("The engine died while loading “bad”: it aborted, signal 6 SIGABRT.")
    assert not (tmp_path / "trial.json").exists()


def test_that_an_error_of_the_ep_is_one_line_in_its_own_words(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("bad", double_library("name=BadEp,compile=error,text=Out of ink"))
    done = run_main(tmp_path, "--run", add_model, *library, "--device", "BadEp", "--output", "trial.json")
    assert "Out of ink" in only_complaint(done)
    result = read_json(tmp_path / "trial.json")
    assert result["outcome"] == "failed"
    assert "Out of ink" in result["failure"]["message"]
    assert result["samples_ns"] == []


def test_that_the_samples_before_an_eps_death_are_written(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("bad", double_library("name=BadEp,compute=abort,run_after=1000,delay_us=200"))
    done = run_main(
        tmp_path,
        *("--run", add_model, *library, "--device", "BadEp", "--iterations", "100000", "--output", "trial.json"),
    )
    complaint = only_complaint(done)
    assert complaint.startswith("The engine died while running the trial (stage: measuring): it aborted")
    result = read_json(tmp_path / "trial.json")
    assert 50 < len(result["samples_ns"]) < 1000
    assert result["statistics"]["count"] == len(result["samples_ns"])
    assert result["outcome"] == "failed"
    assert result["failure"]["kind"] == "engine died"
    assert 0 < result["statistics"]["throughput_per_s"] < 5000  # a run takes 200 µs at least
    assert result["facts"]["placement"][0]["ep_name"] == "BadEp"
    assert f"Samples           {len(result['samples_ns'])}\n" in done.out


def test_that_a_result_that_cannot_be_written_is_one_line_after_the_summary(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "5", "--output", "no/such/folder/t.json")
    assert only_complaint(done).startswith("no/such/folder/t.json cannot be written: ")
    assert "Median" in done.out
