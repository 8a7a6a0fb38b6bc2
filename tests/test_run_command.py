"""`--run` as a shell sees it: trials of models and set-ups, results, exit codes, lines on stderr."""

from __future__ import annotations

import importlib
import importlib.util
import json
import statistics
from pathlib import Path

import numpy as np
import pytest

from gui.records.identity import now_text
from gui.records.trial import Policy
from gui.records.trial_file import parse_trial_file

from .conftest import SAMPLE_MODELS, DoubleFactory
from .console import only_complaint, read_json, run_main, with_library
from .engine.test_compiler import quantised_model

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"


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
    assert table["Ran on"].startswith("CPUExecutionProvider ran all ")
    assert table["Outputs"] == "identical to the CPU's"
    assert table["Outcome"] == "finished"
    assert table["Ended"] == "after 300 runs"
    assert table["Input"] == "features, tensor(float) [1, 32]: uniform 0 to 1"
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
    assert len(result["libraries"][0]["check"]["sha256"]) == 64
    assert result["registrations"][0]["library"] == "good"
    assert result["registrations"][0]["duration_ns"] > 0
    assert result["facts"]["placement"][0]["ep_name"] == "GoodEp"
    assert {"ep_name": "GoodEp", "options": {"mode": "fast"}} in result["facts"]["provider_options"]
    assert result["facts"]["outputs"][0]["shape"] == [3, 4]
    assert (result["settings"]["intra_op_threads"], result["settings"]["seed"]) == (1, 5)


def test_that_what_is_written_is_a_trial_file_that_opens_again(tmp_path: Path) -> None:
    before = now_text()
    done = run_main(tmp_path, "--run", TINY, "--iterations", "9", "--output", "trial.json")
    assert done.code == 0
    kept = parse_trial_file((tmp_path / "trial.json").read_bytes())
    assert before <= kept.created <= now_text()
    assert (len(kept.samples), kept.elapsed_ns) == (9, kept.facts.measured_ns)
    assert kept.target_text.startswith("CPUExecutionProvider")
    assert kept.nodes is not None
    assert kept.environment is not None


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
    assert result["settings"]["target"] == {"device_keys": [], "policy": policy.value, "second_keys": []}
    assert [device["ep_name"] for device in result["target_devices"]] == ["CPUExecutionProvider"]
    assert policy.value in done.out


def test_that_few_samples_are_not_sold_as_a_percentile(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "5")
    assert "(rough: fewer than 200 samples)" in done.out
    assert "(rough: fewer than 2000 samples)" in done.out


def test_that_inputs_come_from_files_and_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "values.npz", mine=np.ones((3, 32), ">f4"))
    arguments = ("--input", "features=values.npz:mine", "--iterations", "5", "--save-outputs", "outputs")
    done = run_main(tmp_path, "--run", TINY, *arguments, "--output", "trial.json")
    assert (done.code, done.complaints) == (0, [])
    assert "Input             features, tensor(float) [3, 32]: values.npz: mine; byte order changed" in done.out
    (saved,) = (tmp_path / "outputs").iterdir()
    assert f"Saved             {saved}\n" in done.out
    result = read_json(tmp_path / "trial.json")
    (fact,) = result["facts"]["inputs"]
    assert (fact["shape"], fact["source"]["entry"]) == ([3, 32], "mine")
    assert result["facts"]["outputs"][0]["shape"][0] == 3
    assert result["facts"]["saved_files"] == [str(saved)]


def test_that_a_trial_ends_when_its_median_is_stable(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--stable", "50", "--seconds", "60", "--output", "trial.json")
    assert done.code == 0
    assert "Ended             the median is stable within 50 %\n" in done.out
    result = read_json(tmp_path / "trial.json")
    assert result["facts"]["ending"] == "stable"
    assert result["facts"]["measured_ns"] < 60e9


def test_that_callers_binding_and_pause_are_run_and_said(tmp_path: Path) -> None:
    arguments = ("--callers", "2", "--io-binding", "--pause", "1", "--iterations", "40", "--output", "trial.json")
    done = run_main(tmp_path, "--run", TINY, *arguments)
    assert done.code == 0
    assert "Callers           2 at once" in done.out
    assert "Handed over by    IO binding\n" in done.out
    assert "Pause             1 ms between two runs\n" in done.out
    result = read_json(tmp_path / "trial.json")
    assert len(result["samples_ns"]) == 40
    assert result["facts"]["measured_ns"] >= 19e6  # 20 runs of each caller, with 19 pauses between them


def test_that_options_of_the_session_reach_ort(tmp_path: Path) -> None:
    arguments = "--parallel --inter-threads 2 --threads 1 --no-arena --no-memory-pattern --deterministic"
    done = run_main(
        tmp_path,
        *("--run", TINY, "--log-severity", "0", "--optimization", "basic", "--verbose"),
        *arguments.split(),
        *("--config", "session.use_env_allocators=0", "--save-optimized", "opt.onnx", "--iterations", "5"),
    )
    assert done.code == 0
    (told,) = [line for line in done.complaints if "Session Options {" in line]
    for words in (
        *("execution_mode:1", "enable_mem_pattern:0", "enable_cpu_mem_arena:0", "graph_optimization_level:1"),
        *("use_deterministic_compute:1", "session.use_env_allocators: 0"),
    ):
        assert words in told
    assert (tmp_path / "opt.onnx").stat().st_size > 0
    assert f"Saved             {tmp_path / 'opt.onnx'}\n" in done.out


def test_that_a_second_ep_gets_what_the_first_leaves(
    tmp_path: Path, tail_model: Path, double_library: DoubleFactory
) -> None:
    libraries = (
        *with_library("first", double_library("name=FirstEp")),
        *with_library("second", double_library("name=SecondEp")),
    )
    done = run_main(
        tmp_path,
        *("--run", tail_model, *libraries, "--device", "FirstEp", "--second-device", "SecondEp"),
        *("--option", "a=1", "--second-option", "b=2", "--iterations", "5", "--output", "trial.json"),
    )
    assert (done.code, done.complaints) == (0, [])
    assert "Target            FirstEp (CPU" in done.out
    assert ", then SecondEp (CPU" in done.out
    result = read_json(tmp_path / "trial.json")
    options = {entry["ep_name"]: entry["options"] for entry in result["facts"]["provider_options"]}
    assert (options["FirstEp"], options["SecondEp"]) == ({"a": "1"}, {"b": "2"})
    assert [device["ep_name"] for device in result["target_devices"]] == ["FirstEp", "SecondEp"]


# ---- Several trials ----


def test_that_each_size_is_a_trial_with_files_of_its_own(tmp_path: Path) -> None:
    arguments = ("--dim", "batch=1,3", "--iterations", "5", "--output", "trial.json", "--save-outputs", "out")
    done = run_main(tmp_path, "--run", TINY, *arguments)
    assert (done.code, done.complaints) == (0, [])
    for number, size in ((1, 1), (2, 3)):
        assert f"Trial {number} of 2: batch={size}\n" in done.out
        result = read_json(tmp_path / f"trial-{number}.json")
        assert result["settings"]["dimensions"] == [{"name": "batch", "size": size}]
        assert result["facts"]["outputs"][0]["shape"][0] == size
        assert list((tmp_path / f"out-{number}").iterdir())
    *_rest, first, second = done.out.splitlines()
    assert first.startswith("batch=1  median ")
    assert second.startswith("batch=3  median ")


def test_that_results_of_several_trials_on_the_console_are_a_line_each(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--dim", "batch=1,3", "--iterations", "5", "--output", "-")
    results = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
    assert [result["settings"]["dimensions"][0]["size"] for result in results] == [1, 3]


@pytest.mark.parametrize(
    ("orders", "arguments", "complaint"),
    [
        ("compute=abort,run_after=300", (), "The engine died while running the trial (stage: measuring): it aborted"),
        ("compute=hang,run_after=300", ("--run-timeout", "0.5"), "A run took longer than 0.5 s"),
    ],
    ids=["death", "timeout"],
)
def test_that_a_trial_that_costs_the_engine_does_not_keep_the_next_from_running(
    tmp_path: Path,
    add_model: Path,
    double_library: DoubleFactory,
    orders: str,
    arguments: tuple[str, ...],
    complaint: str,
) -> None:
    library = with_library("bad", double_library(f"name=BadEp,delay_us=200,{orders}"))
    done = run_main(
        tmp_path,
        *("--run", add_model, *library, "--device", "BadEp", "--dim", "N=1,2", "--iterations", "100000"),
        *("--output", "trial.json", *arguments),
    )
    assert done.code == 1
    assert len(done.complaints) == 2
    assert all(line.startswith(f"ort-device-explorer: {complaint}") for line in done.complaints)
    for number in (1, 2):
        result = read_json(tmp_path / f"trial-{number}.json")
        assert result["outcome"] == "failed"
        assert len(result["samples_ns"]) > 50
        assert f"Samples           {len(result['samples_ns'])}\n" in done.out
    assert done.out.splitlines()[-1].endswith(" /s (failed)")


# ---- Set-ups ----


def test_that_a_saved_set_up_runs_the_same_trials_again(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("good", double_library("name=GoodEp,count=2"))
    (tmp_path / "net.onnx").write_bytes(add_model.read_bytes())
    first = run_main(
        tmp_path,
        *("--run", "net.onnx", *library, "--device", "GoodEp:1", "--option", "mode=fast", "--dim", "N=2,4"),
        *("--fill", "x=integers:1:9", "--iterations", "30", "--save-setup", "set-up.json", "--output", "first.json"),
    )
    assert (first.code, first.complaints) == (0, [])
    data = read_json(tmp_path / "set-up.json")
    assert data["settings"]["model_path"] == "net.onnx"
    assert [entry["name"] for entry in data["libraries"]] == ["good"]
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    tmp_path.rename(moved)
    again = run_main(moved, "--run", "set-up.json", "--output", "again.json")
    assert (again.code, again.complaints) == (0, [])
    for number in (1, 2):
        before, after = (read_json(moved / f"{name}-{number}.json") for name in ("first", "again"))
        assert after["settings"] == {**before["settings"], "model_path": str(moved / "net.onnx")}
        assert [device["key"] for device in after["target_devices"]] == before["settings"]["target"]["device_keys"]


def test_that_the_result_of_a_trial_is_run_again_with_what_is_given_beside_it(tmp_path: Path) -> None:
    run_main(tmp_path, "--run", TINY, "--iterations", "5", "--seed", "7", "--output", "trial.json")
    done = run_main(tmp_path, "--run", "trial.json", "--iterations", "9", "--output", "again.json")
    assert (done.code, done.complaints) == (0, [])
    before, after = read_json(tmp_path / "trial.json"), read_json(tmp_path / "again.json")
    rule = {**before["settings"]["stop_rule"], "iterations": 9}
    assert after["settings"] == {**before["settings"], "stop_rule": rule}
    assert len(after["samples_ns"]) == 9


def test_that_what_a_set_up_misses_is_one_line(tmp_path: Path, add_model: Path, double_library: DoubleFactory) -> None:
    library = tmp_path / "libmine.so"
    library.write_bytes(double_library("name=GoodEp").read_bytes())
    (tmp_path / "net.onnx").write_bytes(add_model.read_bytes())
    arguments = ("--device", "mine", "--iterations", "5", "--save-setup", "it.json")
    assert run_main(tmp_path, "--run", "net.onnx", *with_library("mine", library), *arguments).code == 0
    library.unlink()
    complaint = only_complaint(run_main(tmp_path, "--run", "it.json"))
    assert complaint.startswith(f"The library “mine” of the set-up is not there: {library}.")
    done = run_main(tmp_path, "--run", "it.json", "--device", "CPUExecutionProvider")
    assert (done.code, done.complaints) == (0, [])
    other = with_library("mine", double_library("name=OtherEp"))
    complaint = only_complaint(run_main(tmp_path, "--run", "it.json", *other))
    assert complaint.startswith("The device mine (CPU")
    (tmp_path / "net.onnx").unlink()
    complaint = only_complaint(run_main(tmp_path, "--run", "it.json", "--device", "CPUExecutionProvider"))
    assert complaint == f"The model is not there: {tmp_path / 'net.onnx'}. Choose it where it lies now."


def test_that_a_set_up_that_cannot_be_written_is_one_line_before_anything_is_run(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--save-setup", "no/such/folder/s.json")
    assert only_complaint(done).startswith("no/such/folder/s.json cannot be written: ")
    assert done.out == ""


# ---- Compiled models ----


def test_that_a_model_an_ep_cannot_compile_is_one_line(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    complaint = only_complaint(run_main(tmp_path, "--run", add_model, "--compile", "out.onnx"))
    assert complaint.startswith("The target compiles no node of this model.")
    library = with_library("bad", double_library("name=BadEp,compile=abort"))
    done = run_main(tmp_path, "--run", add_model, *library, "--device", "BadEp", "--compile", "out.onnx")
    assert only_complaint(done).startswith("The engine died while compiling the model (stage: compiling): it aborted")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime_qnn") is None, reason="needs onnxruntime-qnn")
def test_that_a_compiled_model_is_summed_up_and_runs(tmp_path: Path) -> None:
    onnxruntime_qnn = importlib.import_module("onnxruntime_qnn")
    quantised_model(tmp_path / "net.onnx")
    target = (
        *with_library("qnn", onnxruntime_qnn.get_library_path()),
        *("--device", "qnn", "--option", f"backend_path={onnxruntime_qnn.get_qnn_htp_path()}"),
    )
    done = run_main(tmp_path, "--run", "net.onnx", *target, "--compile", "ctx.onnx")
    assert done.code == 0
    table = dict(line.split("  ", 1) for line in done.out.splitlines())
    assert table["Compiled"].strip().startswith("in ")
    assert "1 EPContext" in table["Nodes"]
    assert str(tmp_path / "ctx.onnx") in done.out
    assert run_main(tmp_path, "--run", "ctx.onnx", *target, "--iterations", "5").code == 0


# ---- Trials that fail ----


def test_that_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    complaint = only_complaint(run_main(tmp_path, "--run", "gone.onnx"))
    assert complaint.startswith("There is no file gone.onnx in ")


def test_that_a_file_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.onnx").write_text("notes")
    complaint = only_complaint(run_main(tmp_path, "--run", "notes.onnx"))
    assert complaint.startswith("notes.onnx is not an ONNX model.")


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("NoEp", "There is no device NoEp; EPs here: CPU, GoodEp."),
        ("GoodEp:2", "GoodEp has 2 device(s), counted from 0; there is no GoodEp:2."),
        ("NoEp:0", "There is no device NoEp:0; EPs here: CPU, GoodEp."),
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


def test_that_a_result_that_cannot_be_written_is_one_line_before_anything_is_run(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "5", "--output", "no/such/folder/t.json")
    assert only_complaint(done).startswith("no/such/folder/t.json cannot be written: ")
    assert done.out == ""


# ---- Nothing that is read is written over ----


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--output", "mine.onnx"), "--output would replace mine.onnx"),
        (("--save-setup", "mine.onnx"), "--save-setup would replace mine.onnx"),
        (("--input", "features=x.npy", "--output", "link.npy"), "--output would replace x.npy"),
        (("--output", "z.json", "--save-setup", "z.json"), "--output would replace the set-up"),
        (("--output", "no/such/z.json"), "there is no folder"),
    ],
)
def test_that_what_would_be_lost_is_refused_before_the_work(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    model, values = tmp_path / "mine.onnx", tmp_path / "x.npy"
    model.write_bytes(TINY.read_bytes())
    np.save(values, np.ones((1, 32), np.float32))
    (tmp_path / "link.npy").symlink_to(values)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    done = run_main(tmp_path, "--run", model, "--iterations", "3", *arguments)
    assert done.code == 1
    assert words in only_complaint(done)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_that_a_size_for_no_dimension_of_the_model_is_told(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", TINY, "--iterations", "3", "--dim", "nosuch=4")
    assert done.code == 0
    assert "No input has the free dimension nosuch; they have: batch." in done.out
