"""The arguments: what is taken, what is refused, and where it leads."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable

import pytest

from gui import __version__, cli, commands, preflight, run_command
from gui.records.inputs import Fill, InputSource
from gui.records.trial import Optimization, Policy

from .console import MAIN

Dispatched = list[tuple[str, argparse.Namespace]]


@pytest.fixture
def dispatched(monkeypatch: pytest.MonkeyPatch) -> Dispatched:
    """What the command line would have done, and with which arguments."""
    done: Dispatched = []

    def pretend(what: str) -> Callable[[argparse.Namespace], int]:
        def do(arguments: argparse.Namespace) -> int:
            done.append((what, arguments))
            return 0

        return do

    monkeypatch.setattr(preflight, "window_problem", lambda: pytest.fail("no window is asked for"))
    monkeypatch.setattr(commands, "run_report", pretend("report"))
    monkeypatch.setattr(run_command, "run", pretend("trial"))
    return done


RUN = ["--run", "m.onnx"]
REPORT = ["--report", "r.json"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["m.onnx", *RUN], "unexpected argument: m.onnx"),
        (["m.onnx", *REPORT], "unexpected argument: m.onnx"),
        (["m.onnx", "n.onnx"], "unrecognized arguments: n.onnx"),
        ([*RUN, *REPORT], "not allowed with argument"),
        (["--rep", "r.json"], "unrecognized arguments"),
        (["--report"], "expected one argument"),
        (["--run"], "expected one argument"),
        (["--library", "a=/x.so"], "--library goes with --report, --run, --compare or --explain-policies"),
        (["m.onnx", "--library", "a=/x.so"], "--library goes with --report, --run, --compare or --explain-policies"),
        (["--timeout", "3"], "--timeout and --verbose go with"),
        (["--verbose"], "--timeout and --verbose go with"),
        ([*REPORT, "--device", "x"], "--device goes with --run"),
        ([*REPORT, "--policy", "DEFAULT"], "--policy goes with --run"),
        ([*REPORT, "--option", "a=b"], "--option goes with --run"),
        ([*REPORT, "--dim", "a=1"], "--dim goes with --run"),
        ([*REPORT, "--warmup", "0"], "--warmup goes with --run"),
        ([*REPORT, "--iterations", "1"], "--iterations goes with --run"),
        ([*REPORT, "--seconds", "1"], "--seconds goes with --run"),
        ([*REPORT, "--threads", "0"], "--threads goes with --run"),
        ([*REPORT, "--seed", "0"], "--seed goes with --run"),
        ([*REPORT, "--output", "o"], "--output goes with --run"),
        ([*REPORT, "--explain-policies"], "not allowed with argument"),
        (["--explain-policies", "m.onnx", "n.onnx"], "unexpected argument: n.onnx"),
        (["--explain-policies", "--policy", "DEFAULT"], "--policy goes with --run"),
        ([*REPORT, "--input", "x=x.npy"], "--input goes with --run"),
        ([*REPORT, "--fill", "x=ones"], "--fill goes with --run"),
        ([*REPORT, "--shape", "x=1"], "--shape goes with --run"),
        ([*REPORT, "--length", "x=1"], "--length goes with --run"),
        ([*REPORT, "--image-scaling", "unit"], "--image-scaling goes with --run"),
        ([*REPORT, "--image-layout", "NCHW"], "--image-layout goes with --run"),
        ([*REPORT, "--image-colors", "BGR"], "--image-colors goes with --run"),
        ([*REPORT, "--stable", "1"], "--stable goes with --run"),
        ([*REPORT, "--callers", "2"], "--callers goes with --run"),
        ([*REPORT, "--pause", "0"], "--pause goes with --run"),
        ([*REPORT, "--io-binding"], "--io-binding goes with --run"),
        ([*REPORT, "--run-timeout", "1"], "--run-timeout goes with --run"),
        ([*REPORT, "--no-check"], "--no-check goes with --run"),
        ([*REPORT, "--tolerance", "float=1"], "--tolerance goes with --run"),
        ([*REPORT, "--inter-threads", "0"], "--inter-threads goes with --run"),
        ([*REPORT, "--parallel"], "--parallel goes with --run"),
        ([*REPORT, "--optimization", "all"], "--optimization goes with --run"),
        ([*REPORT, "--strict"], "--strict goes with --run"),
        ([*REPORT, "--no-memory-pattern"], "--no-memory-pattern goes with --run"),
        ([*REPORT, "--no-arena"], "--no-arena goes with --run"),
        ([*REPORT, "--deterministic"], "--deterministic goes with --run"),
        ([*REPORT, "--log-severity", "0"], "--log-severity goes with --run"),
        ([*REPORT, "--config", "a=b"], "--config goes with --run"),
        ([*REPORT, "--second-device", "x"], "--second-device goes with --run"),
        ([*REPORT, "--second-option", "a=b"], "--second-option goes with --run"),
        ([*REPORT, "--save-outputs", "o"], "--save-outputs goes with --run"),
        ([*REPORT, "--save-optimized", "o"], "--save-optimized goes with --run"),
        ([*REPORT, "--save-setup", "o"], "--save-setup goes with --run"),
        ([*REPORT, "--compile", "o"], "--compile goes with --run"),
        (["--device", ""], "--device goes with --run"),
        ([*REPORT, "--export", "t.csv"], "--export goes with --run"),
        ([*RUN, "--export", "t.docx"], "“t.docx” ends in none of .summary.csv, .csv"),
        ([*RUN, "--export", "-"], "ends in none of"),
        ([*RUN, "--compile", "c.onnx", "--export", "t.md"], "--export: not allowed with argument --compile"),
        ([*RUN, "--show", "t.json"], "not allowed with argument"),
        (["--show"], "expected at least one argument"),
        (["--show", "t.json", "--device", "x"], "--device goes with --run"),
        (["--show", "t.json", "--library", "a=/x.so"], "--library goes with --report"),
        (["--show", "t.json", "--verbose"], "--timeout and --verbose go with"),
        (["setup.json", "--strict"], "--strict goes with --run"),
        ([*RUN, "--device", "x", "--policy", "DEFAULT"], "not allowed with argument"),
        ([*RUN, "--iterations", "1", "--seconds", "1"], "not allowed with argument"),
        ([*RUN, "--iterations", "1", "--stable", "1"], "argument --stable: not allowed with argument --iterations"),
        ([*RUN, "--policy", "DEFAULT", "--second-device", "x"], "--second-device: not allowed with argument --policy"),
        ([*RUN, "--policy", "DEFAULT", "--second-option", "a=b"], "--second-option: not allowed with"),
        ([*RUN, "--second-device", "x"], "--second-device goes with --device"),
        ([*RUN, "--device", "x", "--second-option", "a=b"], "--second-option goes with --second-device"),
        ([*RUN, "--compile", "c.onnx", "--output", "o"], "argument --output: not allowed with argument --compile"),
        ([*RUN, "--compile", "c.onnx", "--save-outputs", "o"], "--save-outputs: not allowed with argument --compile"),
        ([*RUN, "--optimization", "some"], "invalid choice: 'some'"),
        ([*RUN, "--image-scaling", "0..1"], "invalid choice: '0..1'"),
        ([*RUN, "--log-severity", "5"], "“5” is not a whole number from 0 to 4"),
        ([*RUN, "--callers", "0"], "“0” is not a whole number from 1 to"),
        ([*RUN, "--stable", "0"], "“0” is not a number from 0.1 to 50"),
        ([*RUN, "--pause", "-1"], "“-1” is not a number from 0 to"),
        ([*RUN, "--run-timeout", "0"], "“0” is not a number of seconds"),
        ([*RUN, "--tolerance", "half=1"], "“half” is none of the types float, double"),
        ([*RUN, "--tolerance", "float=1", "--tolerance", "float=2"], "--tolerance float is given twice"),
        ([*RUN, "--tolerance", "float=1", "--no-check"], "argument --tolerance: not allowed with argument --no-check"),
        ([*RUN, "--fill", "x=some"], "“some” is none of automatic, zeros"),
        ([*RUN, "--input", "x=x.csv"], "“x.csv” is neither"),
        ([*RUN, "--fill", "x=ones", "--input", "x=x.npy"], "--input or --fill x is given twice"),
        ([*RUN, "--config", "a=1", "--config", "a=2"], "--config a is given twice"),
        ([*RUN, "--shape", "x=1", "--shape", "x=2"], "--shape x is given twice"),
        (
            [*RUN, "--dim", "a=1,2,3,4,5,6,7,8,9,10,11", "--dim", "b=1,2,3,4,5,6,7,8,9,10"],
            "make 110 trials; at most 100",
        ),
        ([*RUN, "--policy", "FASTEST"], "invalid choice: 'FASTEST'"),
        ([*REPORT, "--library", "x.so"], "“x.so” is not of the form NAME=VALUE"),
        ([*REPORT, "--library", "=x.so"], "“=x.so” is not of the form NAME=VALUE"),
        ([*REPORT, "--library", "a="], "“a=” is not of the form NAME=VALUE"),
        ([*REPORT, "--library", "a=1", "--library", "a=2"], "--library a is given twice"),
        ([*RUN, "--option", "a=1", "--option", "a=2"], "--option a is given twice"),
        ([*RUN, "--dim", "a=1", "--dim", "a=2"], "--dim a is given twice"),
        ([*RUN, "--dim", "a"], "“a” is not of the form NAME=VALUE"),
        ([*RUN, "--dim", "a=0"], "“0” is not a whole number from 1 to"),
        ([*RUN, "--dim", "a=x"], "“x” is not a whole number"),
        ([*RUN, "--iterations", "0"], "“0” is not a whole number from 1 to"),
        ([*RUN, "--iterations", "1e3"], "“1e3” is not a whole number"),
        ([*RUN, "--warmup", "-1"], "“-1” is not a whole number from 0 to"),
        ([*RUN, "--threads", "1025"], "“1025” is not a whole number from 0 to 1024"),
        ([*RUN, "--seed", "-1"], "“-1” is not a whole number from 0 to"),
        ([*RUN, "--seconds", "0"], "“0” is not a number of seconds above 0, up to"),
        ([*RUN, "--seconds", "nan"], "“nan” is not a number of seconds"),
        ([*RUN, "--seconds", "inf"], "“inf” is not a number of seconds"),
        ([*REPORT, "--timeout", "soon"], "“soon” is not a number of seconds"),
    ],
)
def test_that_wrong_usage_is_refused_in_one_line_with_code_2(
    capsys: pytest.CaptureFixture[str], dispatched: Dispatched, arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    usage, _, line = capsys.readouterr().err.rstrip("\n").rpartition("\n")
    assert usage.startswith("usage: main.py")
    assert line.startswith("main.py: error: ")
    assert complaint in line
    assert dispatched == []


def test_that_a_report_gets_its_libraries_in_order(dispatched: Dispatched) -> None:
    assert cli.main([*REPORT, "--library", "b=/x y/b.so", "--library", "a=c=d.so", "--timeout", "2.5"]) == 0
    ((what, arguments),) = dispatched
    assert (what, arguments.report) == ("report", "r.json")
    assert arguments.library == [("b", "/x y/b.so"), ("a", "c=d.so")]
    assert arguments.timeout == 2.5


def test_that_a_trial_gets_what_is_given_and_nothing_for_the_rest(dispatched: Dispatched) -> None:
    cli.main(
        [
            *(*RUN, "--dim", "batch=4,8", "--option", "mode=a=b", "--warmup", "0", "--policy", "PREFER_NPU"),
            *("--fill", "x=ones", "--strict", "--optimization", "basic", "--stable", "2.5", "--seconds", "9"),
        ]
    )
    ((what, arguments),) = dispatched
    given = {name: value for name, value in vars(arguments).items() if value is not None and value not in ([], "")}
    assert given.pop("verbose") is False
    assert what == "trial"
    assert given == {
        "run": "m.onnx",
        "dim": [("batch", (4, 8))],
        "option": [("mode", "a=b")],
        "policy": Policy.PREFER_NPU.value,
        "warmup": 0,
        "timeout": 60.0,
        "fill": [InputSource(name="x", fill=Fill.ONES)],
        "strict": True,
        "optimization": Optimization.BASIC.value,
        "stable": 2.5,
        "seconds": 9.0,
    }


def test_that_beside_a_set_up_a_second_device_needs_no_first(dispatched: Dispatched) -> None:
    assert cli.main(["--run", "setup.JSON", "--second-device", "x", "--second-option", "a=b"]) == 0
    assert len(dispatched) == 1


def test_that_what_the_engine_misses_is_told_before_anything_is_done(
    capsys: pytest.CaptureFixture[str], dispatched: Dispatched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "engine_problem", lambda: "It needs more.")
    monkeypatch.setattr(preflight, "_message_box", lambda _text: None)
    assert cli.main(REPORT) == 1
    assert capsys.readouterr().err == "It needs more.\n"
    assert dispatched == []


def test_that_the_window_is_opened_with_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from gui import app

    opened: list[str | None] = []
    monkeypatch.setattr(preflight, "window_problem", lambda: None)

    def pretend(model: str | None) -> int:
        opened.append(model)
        return 0

    monkeypatch.setattr(app, "run", pretend)
    assert cli.main(["m.onnx"]) == 0
    assert cli.main(["setup.json"]) == 0
    assert cli.main([]) == 0
    assert opened == ["m.onnx", "setup.json", None]


def test_that_an_interrupt_before_the_trial_is_one_line_and_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_arguments: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "run_report", interrupted)
    assert cli.main(REPORT) == 1
    assert capsys.readouterr().err == "ort-device-explorer: Stopped.\n"


def test_that_version_and_help_tell_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"ORT Device Explorer {__version__}\n"
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    told = capsys.readouterr().out
    assert all(policy.value in told for policy in Policy)
    assert "Exit codes: 0 done, 1 the trial or a row of the comparison failed" in told


def test_that_the_help_is_in_groups_and_fits_a_console(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    told = capsys.readouterr().out
    groups = [line for line in told.splitlines() if line.startswith("with --run: ")]
    assert groups == [
        f"with --run: {title}:"
        for title in ("where", "inputs", "measuring", "right or wrong", "session", "what is written")
    ]
    assert max(map(len, told.splitlines())) <= 120
    assert "None" not in told
    assert "%" not in told


def test_that_neither_qt_nor_onnxruntime_is_imported_without_a_window() -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['main.py', '--report', '-']; sys.path.insert(0, {str(MAIN.parent)!r})\n"
        "try:\n"
        f"    runpy.run_path({str(MAIN)!r}, run_name='__main__')\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(found & {'PySide6', 'shiboken6', 'pyqtgraph', 'onnxruntime', 'gui'}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr.strip() == "['gui']"
    assert '"CPUExecutionProvider"' in done.stdout
