"""`--compare`, and `--show` of several trials, as a shell sees them; the engine and its deaths are real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gui.cli import read_arguments
from gui.records.comparison_file import KeptComparison, parse_comparison_file
from gui.records.device import Device, DeviceType, HardwareDevice, with_keys
from gui.records.failure import FailureKind
from gui.records.result import Outcome
from gui.records.setup import Setup
from gui.records.setup_file import setup_json
from gui.records.trial import StopRule, Target, TrialSettings
from gui.records.trial_file import trial_file_json

from .conftest import SAMPLE_MODELS, DoubleFactory
from .console import MAIN, only_complaint, run_main, with_library
from .records.compared_trials import THREE

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals, terminals and full devices are POSIX")
SHORT = ("--rounds", "8", "--iterations", "80", "--warmup", "1")


def saved(folder: Path, name: str = "c.json") -> KeptComparison:
    return parse_comparison_file((folder / name).read_bytes())


# ---- Measured ----


def test_that_a_target_is_compared_with_itself_by_turns_and_the_file_opens_again(tmp_path: Path) -> None:
    exports = ("--export", "r.html", "--export", "s.csv", "--output", "c.json")
    done = run_main(tmp_path, "--compare", TINY, "--targets", "cpu,cpu", "--dim", "batch=1,2", *SHORT, *exports)
    assert (done.code, done.complaints) == (0, [])
    found = saved(tmp_path)
    labels = [kept.comparison.label for kept in found.trials if kept.comparison is not None]
    assert labels == ["CPU, batch 1", "CPU, batch 2", "CPU (2), batch 1", "CPU (2), batch 2"]
    for kept in found.trials:
        part = kept.comparison
        assert part is not None
        assert (part.id, kept.outcome) == (found.id, Outcome.FINISHED)
        assert [entry.number for entry in part.rounds] == list(range(1, 9))
        assert sum(entry.sample_count for entry in part.rounds) == len(kept.samples) == 80
        assert len(kept.warmup) == kept.facts.warmup_runs == 1 + 8  # one before each round
        assert kept.facts.check is not None
        assert kept.nodes is not None
        assert kept.environment is not None
        assert [entry.ep_name for entry in kept.devices] == ["CPUExecutionProvider"]
    orders = {tuple(entry.position for entry in kept.comparison.rounds) for kept in found.trials if kept.comparison}
    assert len(orders) > 1
    titles = next(line for line in done.out.splitlines() if line.startswith("Row "))
    assert "Items a second (batch)" in titles
    assert (tmp_path / "s.csv").read_text(encoding="utf-8").count("\n") == 1 + 4 * 80
    shown = run_main(tmp_path, "--show", "c.json", "--export", "r.md", "--export", "again.html")
    assert (shown.code, shown.complaints) == (0, [])
    assert shown.out == done.out
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == (tmp_path / "r.html").read_text(encoding="utf-8")
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("# tiny_mlp: comparison of 4")


def test_that_a_target_that_kills_the_engine_is_a_row_and_the_rest_goes_on(
    tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    dying = with_library("dying", double_library("compute=abort,run_after=3,name=Dying"))
    good = with_library("good", double_library("name=Good"))
    done = run_main(
        tmp_path,
        *("--compare", add_model, *dying, *good, "--targets", "cpu,dying,good+mode=fast"),
        *("--baseline", "good, mode=fast", "--option", "level=1", *SHORT, "--output", "c.json"),
    )
    assert done.code == 1
    (complaint,) = done.complaints
    assert complaint.startswith("ort-device-explorer: Dying: The engine died while ")
    cpu, dead, fast = saved(tmp_path).trials
    assert [kept.outcome for kept in (cpu, dead, fast)] == [Outcome.FINISHED, Outcome.FAILED, Outcome.FINISHED]
    assert dead.failure is not None
    assert dead.failure.kind is FailureKind.DIED
    assert len(cpu.samples) == len(fast.samples) == 80
    assert cpu.settings.options == ()
    assert fast.settings.options == (("level", "1"), ("mode", "fast"))
    assert [library.name for library in fast.libraries] == ["good"]
    assert saved(tmp_path).baseline == 2
    assert "failed while" in done.out


def save_setup(path: Path, model: Path, threads: int = 1) -> None:
    """Write a set-up of one run on the CPU."""
    (cpu,) = with_keys([Device(ep_name="CPUExecutionProvider", device=HardwareDevice(type=DeviceType.CPU))])
    settings = TrialSettings(
        model_path=str(model),
        target=Target(device_keys=(cpu.key,)),
        intra_op_threads=threads,
        stop_rule=StopRule(iterations=1),
    )
    path.write_text(setup_json(Setup(settings=settings, devices=(cpu,)), None), encoding="utf-8")


def test_that_set_ups_are_compared_and_their_stop_rules_do_not_count(tmp_path: Path) -> None:
    save_setup(tmp_path / "one.json", TINY, 1)
    save_setup(tmp_path / "two.json", TINY, 2)
    done = run_main(tmp_path, "--compare", "one.json", "two.json", *SHORT, "--baseline", "TWO", "--output", "-")
    assert done.code == 0
    found = parse_comparison_file(done.out)
    assert [kept.settings.intra_op_threads for kept in found.trials] == [1, 2]
    assert [len(kept.samples) for kept in found.trials] == [80, 80]
    assert found.baseline == 1


def test_that_more_runs_than_were_asked_for_are_noted_also_in_the_file(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--compare", TINY, "--targets", "cpu,cpu", "--iterations", "3", "--output", "c.json")
    assert done.code == 0
    note = "20 rounds of one run make 20 for each row, not 3."
    assert f"Note: {note}" in done.out.splitlines()
    assert saved(tmp_path).notes == (note,)


@posix
def test_that_a_file_that_cannot_be_written_keeps_no_other_from_it(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no full device here")
    (tmp_path / "full.md").symlink_to("/dev/full")
    exports = ("--export", "full.md", "--export", "r.html", "--output", "c.json")
    done = run_main(tmp_path, "--compare", TINY, "--targets", "cpu,cpu", *SHORT, *exports)
    assert "full.md cannot be written: No space left on device." in only_complaint(done)
    assert len(saved(tmp_path).trials) == 2
    assert (tmp_path / "r.html").exists()
    assert "CPU (2)" in done.out


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_that_the_wish_to_end_ends_it_in_order_and_what_was_measured_is_written(
    tmp_path: Path, number: signal.Signals
) -> None:
    terminal, out = os.openpty()
    arguments = ("--compare", TINY, "--targets", "cpu,cpu", "--seconds", "10", "--output", "c.json")
    process = subprocess.Popen(
        [sys.executable, str(MAIN), *map(str, arguments)], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=out
    )
    os.close(out)
    shown = b""
    while b"Round 2 of 20" not in shown:
        shown += os.read(terminal, 4096)
    process.send_signal(number)
    if number is signal.SIGTERM:  # else the terminal goes with it
        while b"closing" not in shown:
            shown += os.read(terminal, 4096)
    os.close(terminal)
    assert process.wait(timeout=60) == 1
    assert [kept.outcome for kept in saved(tmp_path).trials] == [Outcome.STOPPED, Outcome.STOPPED]
    assert all(len(kept.samples) for kept in saved(tmp_path).trials)


# ---- What cannot be compared ----


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--targets", "cpu"], "--targets goes with --compare"),
        (["--rounds", "3"], "--rounds goes with --compare"),
        (["--compare", "m.onnx", "--rounds", "0"], "not a whole number from 1 to 1000"),
        (["--compare", "m.onnx", "--targets", "cpu,,ggml"], "a target has no name"),
        (["--compare", "m.onnx", "--targets", "policy:FASTEST"], "“FASTEST” is none of the policies DEFAULT, "),
        (["--compare", "m.onnx", "--targets", "cpu+fast"], "“fast” is not of the form NAME=VALUE"),
        (["--compare", "m.onnx", "--device", "x"], "--device: not allowed with argument --compare; see --targets"),
        (["--compare", "m.onnx", "--profile", "p.json"], "--profile: not allowed with argument --compare"),
        (["--compare", "m.onnx", "n.onnx"], "several must all be set-ups"),
        (["--compare", "a.json", "b.json", "--targets", "cpu"], "not allowed with several set-ups"),
        (["--compare", "m.onnx", "--run", "m.onnx"], "not allowed with argument"),
    ],
)
def test_that_wrong_usage_is_said_in_a_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        read_arguments(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--targets", "cpu"], "There is nothing to compare CPU with."),
        (["--targets", "cpu,cpu", "--baseline", "GPU"], "There is no “GPU” in this comparison; there are CPU, CPU (2)"),
        (["--targets", "cpu,cpu", "--output", "no/c.json"], "there is no folder"),
        (["--targets", "cpu,cpu", "--output", str(SAMPLE_MODELS)], "it is a folder"),
        (
            ["--targets", "cpu,cpu", "--dim", "batch=1", "--dim", "foo=1,2"],
            "has the free dimension foo; they have: batch",
        ),
        (["--targets", "cpu,cpu", "--output", "c.json", "--export", "c.json"], "are the same file"),
    ],
)
def test_that_what_cannot_be_compared_is_said_before_anything_is_measured(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    assert words in only_complaint(run_main(tmp_path, "--compare", TINY, *arguments))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "words"), [("none.onnx", "none.onnx"), ("notes.onnx", "not an ONNX model")])
def test_that_a_model_that_cannot_be_read_is_said_before_anything_is_measured(
    tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "notes.onnx").write_text("notes", encoding="utf-8")
    done = run_main(tmp_path, "--compare", name, "--targets", "cpu,cpu", "--output", "c.json")
    assert words in only_complaint(done)
    assert done.out == ""
    assert not (tmp_path / "c.json").exists()


def test_that_set_ups_of_different_models_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(TINY.read_bytes())
    save_setup(tmp_path / "a.json", TINY)
    save_setup(tmp_path / "b.json", other)
    done = run_main(tmp_path, "--compare", "a.json", "b.json")
    assert done.code == 1
    said = "These set-ups use different models: tiny_mlp, other. A comparison is of one model."
    assert done.complaints[-1] == f"ort-device-explorer: {said}"


# ---- Shown ----


def test_that_several_trials_that_are_shown_are_compared(tmp_path: Path) -> None:
    names = []
    for kept in THREE:
        names.append(f"{kept.id}.json")
        (tmp_path / names[-1]).write_text(trial_file_json(kept), encoding="utf-8")
    done = run_main(tmp_path, "--show", *names)
    assert (done.code, done.complaints) == (0, [])
    assert "ggml is 1.9" in done.out or "ggml is 2.0" in done.out
    (dead,) = [line for line in done.out.splitlines() if line.startswith("NPU ") and "–" in line]
    assert dead.endswith("failed while creating session")
