"""`python main.py` as a process: what it says when it cannot open its window, and how it ends when it can."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from .console import MAIN, environment, run_main
from .keepers import forbid_core_dumps, is_running

NO_SCREEN = {"DISPLAY": None, "WAYLAND_DISPLAY": None, "QT_QPA_PLATFORM": None}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a screen")
def test_that_without_a_screen_one_sentence_is_said_and_no_traceback(tmp_path: Path) -> None:
    done = run_main(tmp_path, **NO_SCREEN)
    assert done.code == 1
    assert done.complaints == [
        "There is no screen here: neither DISPLAY nor WAYLAND_DISPLAY is set.",
        "Start it on a desktop, or without a window:  python main.py --report devices.json",
    ]


@pytest.mark.parametrize(("module", "needed"), [("PySide6", "PySide6"), ("onnxruntime", "onnxruntime")])
def test_that_a_missing_package_is_named_without_a_traceback(tmp_path: Path, module: str, needed: str) -> None:
    """A finder that knows nothing of a package stands for a Python that lacks it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\nreal = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, *rest: None if name == {module!r} else real(name, *rest)\n"
    )
    done = run_main(tmp_path, PYTHONPATH=str(tmp_path), DISPLAY=None, WAYLAND_DISPLAY=None)
    assert done.code == 1
    first, command = done.complaints
    assert first == f"ORT Device Explorer needs {needed}, which is not installed."
    assert command.startswith(f"Install with:  {sys.executable} -m pip install ")


@pytest.mark.parametrize("version", [(3, 10, 12), (3, 8), (2, 7)])
def test_that_an_old_python_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert runpy.run_path(str(MAIN))["main"]() == 1
    said = capsys.readouterr().err
    assert said.startswith(f"ORT Device Explorer needs Python 3.11 or newer; this is {version[0]}.{version[1]}.\n")


def test_that_ctrl_c_while_modules_are_imported_is_no_traceback(tmp_path: Path) -> None:
    """An import that is interrupted stands for the first moments."""
    (tmp_path / "dataclasses.py").write_text("raise KeyboardInterrupt\n", encoding="ascii")
    done = run_main(tmp_path, "--report", "r.json", PYTHONPATH=str(tmp_path))
    assert (done.code, done.complaints) == (1, ["ort-device-explorer: Stopped."])


def test_that_help_is_readable_on_any_console(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--help", PYTHONIOENCODING="ascii")
    assert (done.code, done.complaints) == (0, [])
    assert "--compare" in done.out


def test_that_main_can_be_read_by_an_old_python() -> None:
    import ast

    ast.parse(MAIN.read_text(encoding="utf-8"), feature_version=(3, 7))


# ---- The window as a process ----


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the application with something done to it first, on settings of the test's own; it ends with the test."""
    forbid_core_dumps()
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        variables = environment(
            QT_QPA_PLATFORM="offscreen",
            XDG_CONFIG_HOME=str(tmp_path / "config"),
            XDG_DATA_HOME=str(tmp_path / "data"),
            PYTHONPATH=str(MAIN.parent),
        )
        command = f"import sys\nfrom gui import app\n{code}\nsys.exit(app.run(*sys.argv[1:]))"
        process = subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            cwd=tmp_path,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


CLOSE_WHEN_READY = """
class Closing(app.Explorer):
    def start(self):
        super().start()
        self.client.ready.connect(self._on_ready)
    def _on_ready(self, greeting):
        print(greeting.process_id, self._model)
        self.window.close()
app.Explorer = Closing
"""
TELL_WHEN_READY = """
class Telling(app.Explorer):
    def start(self):
        super().start()
        self.client.ready.connect(lambda greeting: print(greeting.process_id, flush=True))
app.Explorer = Telling
"""
FAIL_WHEN_READY = """
from PySide6.QtCore import QTimer
from gui.dialogs.bug_report import BugReportDialog
class Failing(app.Explorer):
    def start(self):
        super().start()
        self.client.ready.connect(self._on_ready)
        self.log.bug_met.connect(self._on_bug)
    def _on_ready(self, greeting):
        raise ValueError("of our own")
    def _on_bug(self, text):
        QTimer.singleShot(0, self.window, self._end)
    def _end(self):
        print(self.window.findChild(BugReportDialog) is not None)
        self.window.close()
app.Explorer = Failing
"""


def test_that_closing_the_window_ends_the_application_and_its_engine(start: Start, tmp_path: Path) -> None:
    process = start(CLOSE_WHEN_READY, "net.onnx")
    out, _err = process.communicate(timeout=60)
    engine, model = out.split()
    assert process.returncode == 0
    assert model == "net.onnx"
    assert not is_running(int(engine))
    (settings,) = (tmp_path / "config").rglob("*.ini")
    assert "geometry" in settings.read_text()
    (crash,) = (tmp_path / "data").rglob("crash.log")
    assert crash.read_text() == ""


def test_that_an_error_of_our_own_is_shown_and_the_application_goes_on(start: Start) -> None:
    process = start(FAIL_WHEN_READY)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == "True\n"
    assert "ValueError: of our own" in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_that_a_crash_of_the_window_is_recorded_and_takes_the_engine_along(start: Start, tmp_path: Path) -> None:
    process = start(TELL_WHEN_READY)
    assert process.stdout is not None
    engine = psutil.Process(int(process.stdout.readline()))
    process.send_signal(signal.SIGSEGV)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGSEGV
    (crash,) = (tmp_path / "data").rglob("crash.log")
    assert "Fatal Python error: Segmentation fault" in crash.read_text()
    psutil.wait_procs([engine], timeout=30)
    assert not engine.is_running()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_that_ctrl_c_in_the_console_ends_window_and_engine(start: Start) -> None:
    process = start(TELL_WHEN_READY)
    assert process.stdout is not None
    engine = psutil.Process(int(process.stdout.readline()))
    os.kill(process.pid, signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert "Traceback" not in err
    psutil.wait_procs([engine], timeout=30)
    assert not engine.is_running()
