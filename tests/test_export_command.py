"""`--export` and `--show` as a shell sees them."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gui.records.comparison_file import comparison_file_json, parse_comparison_file
from gui.records.trial_file import parse_trial_file, trial_file_json

from .conftest import SAMPLE_MODELS
from .console import MAIN, only_complaint, run_main
from .records.compared_trials import THREE
from .records.test_trial_file import BARE, KEPT

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"
RUN = ("--run", TINY, "--iterations", "20", "--warmup", "2")
posix = pytest.mark.skipif(sys.platform == "win32", reason="devices and closed pipes are POSIX")


def saved(folder: Path, name: str = "trial.json") -> str:
    (folder / name).write_bytes(trial_file_json(KEPT).encode("utf-8", "surrogateescape"))
    return name


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_that_a_run_is_exported_as_all_that_is_named(tmp_path: Path) -> None:
    names = ("t.json", "t.csv", "t.md", "t.html", "t.svg", "t.summary.csv")
    done = run_main(tmp_path, *RUN, *(part for name in names for part in ("--export", name)))
    assert (done.code, done.complaints) == (0, [])
    kept = parse_trial_file((tmp_path / "t.json").read_bytes())
    assert [int(row["latency_ns"]) for row in rows(tmp_path / "t.csv")[3:]] == kept.samples.tolist()
    assert kept.statistics is not None
    (summary,) = rows(tmp_path / "t.summary.csv")
    assert (summary["id"], summary["median_ns"]) == (kept.id, str(kept.statistics.median_ns))
    markdown, html = ((tmp_path / name).read_text(encoding="utf-8") for name in ("t.md", "t.html"))
    assert markdown.startswith("# tiny_mlp on ")
    assert (tmp_path / "t.svg").read_text(encoding="utf-8").strip() in html


def test_that_several_trials_are_numbered_and_summed_up_in_one_file(tmp_path: Path) -> None:
    done = run_main(tmp_path, *RUN, "--dim", "batch=1,2", "--export", "t.csv", "--export", "all.summary.csv")
    assert (done.code, done.complaints) == (0, [])
    assert len(rows(tmp_path / "t-1.csv")) == len(rows(tmp_path / "t-2.csv")) == 23
    assert [row["dimensions"] for row in rows(tmp_path / "all.summary.csv")] == ["batch=1", "batch=2"]


def test_that_a_trial_that_failed_is_exported_too(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--run", "gone.onnx", "--export", "t.md")
    assert done.code == 1
    assert "- **Failed while preparing: " in (tmp_path / "t.md").read_text(encoding="utf-8")


def test_that_a_saved_trial_is_shown_and_converted_without_running(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--show", saved(tmp_path), "--export", "report.html", "--export", "again.json")
    assert (done.code, done.complaints) == (0, [])
    table = dict(line.split("  ", 1) for line in done.out.splitlines())
    assert table["Outcome"].strip() == "failed"
    assert table["Remark"].strip() == "Two levels. Pin the threads."
    assert "<!DOCTYPE html>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert parse_trial_file((tmp_path / "again.json").read_bytes()) == KEPT


def test_that_several_saved_trials_are_shown_and_summed_up(tmp_path: Path) -> None:
    (tmp_path / "bare.json").write_text(trial_file_json(BARE), encoding="utf-8")
    done = run_main(tmp_path, "--show", saved(tmp_path), "bare.json", "--export", "all.summary.csv")
    assert (done.code, done.complaints) == (0, [])
    assert done.out.count("Outcome ") == 2
    summaries = rows(tmp_path / "all.summary.csv")
    assert [row["id"] for row in summaries] == [KEPT.id, BARE.id]
    assert "ratio" in summaries[0]


def test_that_several_saved_trials_are_exported_as_their_comparison(tmp_path: Path) -> None:
    for kept in THREE:
        (tmp_path / f"{kept.target_text[:3]}.json").write_text(trial_file_json(kept), encoding="utf-8")
    exports = ("--export", "it.html", "--export", "it.json", "--baseline", "GGM")
    done = run_main(tmp_path, "--show", "CPU.json", "ggm.json", "NPU.json", *exports)
    assert (done.code, done.complaints) == (0, [])
    found = parse_comparison_file((tmp_path / "it.json").read_bytes())
    assert (found.trials, found.baseline) == (THREE, 1)
    assert "net: comparison of 3" in (tmp_path / "it.html").read_text(encoding="utf-8")
    assert not list(tmp_path.glob("it-*"))
    assert any(line.startswith("ggml ") and "  baseline  " in line for line in done.out.splitlines())
    again = run_main(tmp_path, "--show", "it.json", "--baseline", "cpu")
    assert again.code == 0
    assert "CPU " in next(line for line in again.out.splitlines() if "  baseline  " in line)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["CPU.json"], "A trial alone is compared with nothing"),
        (["CPU.json", "ggm.json"], "There is no “GPU” in this comparison; there are CPU, ggml."),
    ],
)
def test_that_a_baseline_that_is_not_there_is_said_before_anything_is_written(
    tmp_path: Path, names: list[str], words: str
) -> None:
    for kept in THREE:
        (tmp_path / f"{kept.target_text[:3]}.json").write_text(trial_file_json(kept), encoding="utf-8")
    done = run_main(tmp_path, "--show", *names, "--baseline", "GPU", "--export", "it.md")
    assert words in only_complaint(done)
    assert not (tmp_path / "it.md").exists()


@posix
@pytest.mark.parametrize("place", ["closed", "/dev/full"])
def test_that_files_are_written_though_nothing_can_be_printed(tmp_path: Path, place: str) -> None:
    if place == "closed":
        reader, out = os.pipe()
        os.close(reader)
    elif Path(place).exists():
        out = os.open(place, os.O_WRONLY)
    else:
        pytest.skip("there is no full device here")
    command = [sys.executable, str(MAIN), "--show", saved(tmp_path), "--export", "it.md"]
    try:
        done = subprocess.run(
            command, cwd=tmp_path, stdout=out, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    finally:
        os.close(out)
    assert (tmp_path / "it.md").stat().st_size > 0
    assert done.returncode == 1
    said = "" if place == "closed" else "ort-device-explorer: Nothing more can be printed: No space left on device.\n"
    assert done.stderr == said


def test_that_labels_of_others_do_not_command_the_terminal(tmp_path: Path) -> None:
    odd = replace(THREE[1], comparison=None, target_text="\x1b]0;gotcha\x07 \u202egpj")
    (tmp_path / "c.json").write_text(comparison_file_json((THREE[0], odd)), encoding="utf-8")
    done = run_main(tmp_path, "--show", "c.json")
    assert done.code == 0
    assert "\\x1b]0;gotcha\\x07 \\u202egpj" in done.out
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out)


def test_that_notes_of_a_comparison_are_shown(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(comparison_file_json(THREE, notes=("All were stable.",)), encoding="utf-8")
    done = run_main(tmp_path, "--show", "c.json", "--export", "it.json")
    assert done.out.splitlines()[-1] == "Note: All were stable."
    assert parse_comparison_file((tmp_path / "it.json").read_bytes()).notes == ("All were stable.",)


def test_that_one_that_cannot_be_read_keeps_all_from_being_written(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--show", saved(tmp_path), "gone.json", "--export", "all.summary.csv")
    assert only_complaint(done).startswith("gone.json cannot be read: ")
    assert not (tmp_path / "all.summary.csv").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"format": "ort-device-explorer trial 9"}'])
def test_that_a_file_that_is_no_trial_is_told_in_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    assert "odd.json" in only_complaint(run_main(tmp_path, "--show", "odd.json"))


def test_that_what_is_shown_is_not_replaced(tmp_path: Path) -> None:
    name = saved(tmp_path)
    before = (tmp_path / name).read_bytes()
    assert "would replace" in only_complaint(run_main(tmp_path, "--show", name, "--export", name))
    assert (tmp_path / name).read_bytes() == before


def test_that_an_export_does_not_replace_what_is_written_beside_it(tmp_path: Path) -> None:
    done = run_main(tmp_path, *RUN, "--output", "t.json", "--export", "t.json")
    assert "are the same file" in only_complaint(done)
    assert not (tmp_path / "t.json").exists()
