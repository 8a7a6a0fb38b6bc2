"""The engine without a window: Ctrl-C, and what becomes of loaded libraries when an engine dies."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gui import headless
from gui.headless import HeadlessEngine
from gui.records.failure import FailureError, FailureKind
from gui.records.library import LibraryState
from gui.records.protocol import EventKind
from gui.records.trial import StopRule, Target, TrialSettings

from .conftest import SAMPLE_MODELS, DoubleFactory
from .console import MAIN, Done, environment, read_json, with_library
from .keepers import forbid_core_dumps, is_running

posix = pytest.mark.skipif(sys.platform == "win32", reason="process groups and signals are POSIX")


@pytest.fixture
def engine() -> Iterator[HeadlessEngine]:
    forbid_core_dumps()
    engine = HeadlessEngine()
    engine.start()
    yield engine
    engine.close()


def test_that_libraries_loaded_before_a_death_are_loaded_again(
    engine: HeadlessEngine, double_library: DoubleFactory
) -> None:
    first = engine.greeting
    libraries = engine.load(
        [
            ("one", str(double_library("name=OneEp"))),
            ("bad", str(double_library("load=segv"))),
            ("two", str(double_library("name=TwoEp"))),
        ],
        60,
    )
    assert [library.state for library in libraries] == [LibraryState.LOADED, LibraryState.FAILED, LibraryState.LOADED]
    assert [library.killed_engine for library in libraries] == [False, True, False]
    assert [library.registration_ns is None for library in libraries] == [False, True, False]
    assert engine.greeting is not None
    assert engine.greeting != first
    assert [device.library for device in engine.inventory().devices] == [None, "one", "two"]


def test_that_a_closed_engine_is_gone_and_can_be_closed_again(engine: HeadlessEngine) -> None:
    assert engine.greeting is not None
    process_id = engine.greeting.process_id
    engine.close()
    engine.close()
    assert not is_running(process_id)
    with pytest.raises(FailureError) as raised:
        engine.inventory()
    assert raised.value.failure.kind is FailureKind.ENGINE_UNAVAILABLE


def test_that_an_engine_that_does_not_answer_in_time_is_ended(
    engine: HeadlessEngine, double_library: DoubleFactory
) -> None:
    assert engine.greeting is not None
    process_id = engine.greeting.process_id
    (library,) = engine.load([("hang", str(double_library("factory=hang")))], 0.3)
    assert library.error is not None
    assert library.error.message == "“hang” was stopped: it was still loading after 0.3 seconds."
    assert not is_running(process_id)


@posix
def test_that_a_second_ctrl_c_waits_no_longer(
    engine: HeadlessEngine, double_library: DoubleFactory, add_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headless, "GRACE_SECONDS", 3600.0)
    engine.load([("hang", str(double_library("compute=hang,run_after=500,delay_us=200")))], 60)
    key = engine.inventory().devices[-1].key
    settings = TrialSettings(
        model_path=str(add_model), target=Target(device_keys=(key,)), stop_rule=StopRule(seconds=3600)
    )
    batches: list[str] = []

    def press_twice_at_first(message: dict[str, Any]) -> None:
        if message["event"] == EventKind.SAMPLES.value:
            if not batches:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
            batches.append(message["samples"])

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(FailureError) as raised:
        engine.run_trial(settings, press_twice_at_first)
    assert raised.value.failure.kind is FailureKind.STOPPED
    assert batches  # the one that was being read when Ctrl-C came was read to its end
    assert signal.getsignal(signal.SIGINT) is before


def test_that_a_dead_engine_is_revived_with_its_libraries_and_a_live_one_left_alone(
    engine: HeadlessEngine, double_library: DoubleFactory, add_model: Path
) -> None:
    engine.load([("bad", str(double_library("name=BadEp,compile=abort"))), ("good", str(double_library()))], 60)
    devices = engine.inventory().devices
    settings = TrialSettings(model_path=str(add_model), target=Target(device_keys=(devices[1].key,)))
    first = engine.greeting
    engine.revive()
    assert engine.greeting is first
    with pytest.raises(FailureError) as raised:
        engine.run_trial(settings, lambda _message: None)
    assert raised.value.failure.kind is FailureKind.DIED
    engine.revive()
    assert engine.greeting != first
    assert engine.inventory().devices == devices


def test_that_an_engine_that_gives_up_on_itself_answers_first_and_is_revived(
    engine: HeadlessEngine, double_library: DoubleFactory, add_model: Path
) -> None:
    engine.load([("hang", str(double_library("compute=hang,run_after=500,delay_us=200")))], 60)
    devices = engine.inventory().devices
    settings = TrialSettings(
        model_path=str(add_model),
        target=Target(device_keys=(devices[1].key,)),
        stop_rule=StopRule(seconds=3600),
        run_timeout_s=0.5,
    )
    assert engine.greeting is not None
    process_id = engine.greeting.process_id
    with pytest.raises(FailureError) as raised:
        engine.run_trial(settings, lambda _message: None)
    assert raised.value.failure.kind is FailureKind.TIMED_OUT
    assert not is_running(process_id)
    engine.revive()
    assert engine.inventory().devices == devices


def test_that_a_compilation_tells_its_stages_and_fails_with_its_reason(engine: HeadlessEngine, tmp_path: Path) -> None:
    key = engine.inventory().devices[0].key
    settings = TrialSettings(model_path=str(SAMPLE_MODELS / "tiny_mlp.onnx"), target=Target(device_keys=(key,)))
    stages: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        if message["event"] == EventKind.STAGE.value:
            stages.append(message["facts"]["stage"])

    with pytest.raises(FailureError) as raised:
        engine.compile(settings, str(tmp_path / "out.onnx"), listen)
    assert raised.value.failure.kind is FailureKind.NOTHING_COMPILED
    assert stages == ["preparing", "compiling"]


class Shell:
    """A command in a process group of its own, as a console has it."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        # What runs the tests in the background may have Ctrl-C ignored, which is inherited; a console has not.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self._process = subprocess.Popen(
            [sys.executable, str(MAIN), *map(str, arguments), "--verbose"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        signal.signal(signal.SIGINT, before)
        self.lines: list[str] = []
        self._came = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._came:
                self.lines.append(line.rstrip("\n"))
                self._came.notify()

    def wait_for(self, line: str) -> None:
        with self._came:
            assert self._came.wait_for(lambda: line in self.lines, timeout=60), self.lines

    def engine(self) -> int:
        (child,) = psutil.Process(self._process.pid).children()
        return int(child.pid)

    def press_ctrl_c(self) -> None:
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> Done:
        """Wait for the end of the command."""
        code = self._process.wait(timeout=60)
        self._reader.join()
        assert self._process.stdout is not None
        return Done(code=code, out=self._process.stdout.read(), complaints=self.lines)

    def close(self) -> None:
        """Let nothing of it live on."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def start_shell(tmp_path: Path) -> Iterator[Callable[..., Shell]]:
    """Start commands that end with the test."""
    started: list[Shell] = []

    def start(*arguments: str | Path) -> Shell:
        started.append(Shell(tmp_path, *arguments))
        return started[-1]

    yield start
    for shell in started:
        shell.close()


@posix
def test_that_ctrl_c_ends_a_trial_which_is_still_summed_up_and_written(
    start_shell: Callable[..., Shell], tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    # From the 500th run on the double says so and goes on.
    library = double_library("name=SlowEp,compute=slow,run_after=500,delay_us=200,slow_ms=1,trace=1")
    shell = start_shell(
        *("--run", add_model, *with_library("slow", library), "--device", "SlowEp"),
        *("--seconds", "3600", "--output", "trial.json"),
    )
    shell.wait_for("double: compute")
    engine = shell.engine()
    shell.press_ctrl_c()
    done = shell.end()
    assert done.code == 0
    assert not any("Traceback" in line or "KeyboardInterrupt" in line for line in done.complaints)
    result = read_json(tmp_path / "trial.json")
    assert result["outcome"] == "stopped"
    assert result["facts"]["ending"] == "stopped"
    assert len(result["samples_ns"]) == result["statistics"]["count"] >= 400
    assert re.search(r"^Outcome +stopped$", done.out, re.MULTILINE)
    assert not is_running(engine)


@posix
def test_that_ctrl_c_ends_a_trial_that_hangs_and_keeps_its_samples(
    start_shell: Callable[..., Shell], tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = double_library("name=HangEp,compute=hang,run_after=1000,delay_us=200,trace=1")
    shell = start_shell(
        *("--run", add_model, *with_library("hang", library), "--device", "HangEp"),
        *("--seconds", "3600", "--output", "trial.json"),
    )
    shell.wait_for("double: compute")
    engine = shell.engine()
    shell.press_ctrl_c()
    done = shell.end()
    assert done.code == 1
    assert done.complaints[-1].startswith("ort-device-explorer: Stopped while running the trial (stage: measuring)")
    result = read_json(tmp_path / "trial.json")
    assert result["outcome"] == "stopped"
    assert 50 < len(result["samples_ns"]) < 1000
    assert not is_running(engine)


@posix
def test_that_ctrl_c_while_a_library_hangs_ends_the_command(
    start_shell: Callable[..., Shell], double_library: DoubleFactory
) -> None:
    shell = start_shell("--report", "-", *with_library("hang", double_library("devices=hang,trace=1")))
    shell.wait_for("double: devices")
    engine = shell.engine()
    shell.press_ctrl_c()
    done = shell.end()
    assert done.code == 1
    assert done.complaints[-1] == "ort-device-explorer: Stopped."
    assert not any("Traceback" in line for line in done.complaints)
    assert not is_running(engine)
