"""`--profile` as a shell sees it: what is printed and written, and what keeps it from being so."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.records.codec import from_json
from gui.records.profile import FUSED, PROFILE_FORMAT, Profile

from .conftest import SAMPLE_MODELS, DoubleFactory
from .console import Done, only_complaint, read_json, run_main, with_library

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"


def profiled(folder: Path, *arguments: str | Path) -> Done:
    """Run a short trial and profile it; temporary files go to the folder `tmp`."""
    (folder / "tmp").mkdir(exist_ok=True)
    return run_main(folder, "--iterations", "5", *arguments, TMPDIR=str(folder / "tmp"))


def test_that_a_profile_is_printed_and_written_after_the_trial(
    tmp_path: Path, tail_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("slow", double_library("name=Slow,delay_us=3000"))
    done = profiled(
        tmp_path,
        *("--run", tail_model, *library, "--device", "Slow"),
        *("--output", "trial.json", "--profile", "profile.json", "--trace", "trace.json"),
    )
    assert (done.code, done.complaints) == (0, [])
    data = read_json(tmp_path / "profile.json")
    assert data["format"] == PROFILE_FORMAT
    assert data["settings"]["model_path"] == str(tail_model)
    profile = from_json(Profile, data["profile"])
    assert profile.nodes[0].ep_name == "Slow"
    assert (profile.trace_path, profile.trace_bytes) == (
        str(tmp_path / "trace.json"),
        (tmp_path / "trace.json").stat().st_size,
    )
    lines = done.out.splitlines()
    assert any(line.startswith("Nodes on Slow") for line in lines)
    head = next(number for number, line in enumerate(lines) if line.split()[:2] == ["Operator", "EP"])
    assert lines[head + 1].startswith(FUSED)
    assert read_json(tmp_path / "trial.json")["outcome"] == "finished"
    assert list((tmp_path / "tmp").glob("ort-device-explorer-*")) == []


def test_that_without_a_wish_for_the_trace_nothing_of_it_is_left(tmp_path: Path) -> None:
    done = profiled(tmp_path, "--run", TINY, "--profile", "profile.json")
    assert (done.code, done.complaints) == (0, [])
    assert read_json(tmp_path / "profile.json")["profile"]["trace_path"] == ""
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["profile.json", "tmp"]
    assert list((tmp_path / "tmp").glob("ort-device-explorer-*")) == []


def test_that_each_trial_of_a_row_has_a_profile_of_its_own(tmp_path: Path, add_model: Path) -> None:
    done = profiled(tmp_path, "--run", add_model, "--dim", "N=1,3", "--profile", "p.json", "--trace", "t.json")
    assert (done.code, done.complaints) == (0, [])
    shapes = [read_json(tmp_path / f"p-{number}.json")["profile"]["nodes"][0]["output_shapes"] for number in (1, 2)]
    assert shapes == ["float[1,4]", "float[3,4]"]
    assert sorted(file.name for file in tmp_path.glob("t-*.json")) == ["t-1.json", "t-2.json"]


def test_that_an_ep_that_dies_in_the_profile_leaves_the_trial(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("double", double_library("compute=abort,run_after=40"))
    done = profiled(
        tmp_path,
        *("--run", add_model, *library, "--device", "double", "--warmup", "1"),
        *("--output", "trial.json", "--profile", "profile.json"),
    )
    assert "died while profiling" in only_complaint(done)
    assert read_json(tmp_path / "trial.json")["outcome"] == "finished"
    assert not (tmp_path / "profile.json").exists()


def test_that_a_trial_that_failed_is_not_profiled(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = with_library("double", double_library("compute=error,text=no power"))
    done = profiled(tmp_path, "--run", add_model, *library, "--device", "double", "--profile", "profile.json")
    assert "no power" in only_complaint(done)
    assert not (tmp_path / "profile.json").exists()


@pytest.mark.parametrize("option", ["--profile", "--trace"])
def test_that_a_place_without_a_folder_is_told_before_the_trial(tmp_path: Path, option: str) -> None:
    others = () if option == "--profile" else ("--profile", "profile.json")
    done = profiled(tmp_path, "--run", TINY, *others, option, "missing/it.json")
    assert "there is no folder" in only_complaint(done)
    assert done.out == ""


def test_that_two_results_do_not_go_into_one_file(tmp_path: Path) -> None:
    done = profiled(tmp_path, "--run", TINY, "--profile", "it.json", "--trace", "it.json")
    assert "--profile and --trace are the same file" in only_complaint(done)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "p.json"), "--profile goes with --run"),
        (("--run", "m.onnx", "--trace", "t.json"), "--trace goes with --profile"),
        (("--run", "m.onnx", "--profile", "p.json", "--compile", "c.onnx"), "--profile: not allowed with argument"),
    ],
)
def test_that_options_that_do_not_go_together_are_wrong_usage(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run_main(tmp_path, *arguments)
    assert done.code == 2
    assert said in done.complaints[-1]
