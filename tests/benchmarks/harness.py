"""What the benchmarks share: a screen, the real window with settings of its own, a record of calls, the bounds."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Qt is imported only once there is a screen
    from PySide6.QtCore import QObject, SignalInstance

    from gui.app import Explorer
    from gui.trial_run import TrialRun

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "resources" / "models"
LIMIT_S = 120.0
"""How long a benchmark waits for what must come, before it gives up; nothing is measured by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A figure and the most it may be."""

    name: str
    figure: float
    limit: float
    unit: str = ""

    def __str__(self) -> str:
        verdict = "met" if self.figure <= self.limit else "not met"
        return f"bound {self.name} <= {self.limit:g}{self.unit}: {verdict} ({self.figure:.3f}{self.unit})"


def print_heading(text: str, screen: str) -> None:
    """Say what is measured, where, and how busy the machine is with other things."""
    busy = _busy_percent()
    others = "" if busy is None else f", {busy:.0f}% busy before the start"
    print(text)
    print(f"{screen}; {os.cpu_count()} CPUs{others}; Python {sys.version.split()[0]}", flush=True)
    if busy is not None and busy > 5:
        print("THE MACHINE IS NOT IDLE: what is printed below tells little")


def _busy_percent(seconds: float = 2.0) -> float | None:
    """How much of all CPUs is in use, over some seconds in which this process sleeps; None where it can't be told."""
    counters = Path("/proc/stat")
    if not counters.exists():
        return None

    def idle_and_total() -> tuple[int, int]:
        times = [int(number) for number in counters.read_text(encoding="ascii").splitlines()[0].split()[1:9]]
        return times[3] + times[4], sum(times)

    idle, total = idle_and_total()
    time.sleep(seconds)
    idle_then, total_then = idle_and_total()
    return 100 * (1 - (idle_then - idle) / max(1, total_then - total))


def interpreter() -> str:
    """The Python of this process, for others that are to run on the same."""
    return sys.executable


# ---- A screen ----


@contextmanager
def screen() -> Iterator[str]:
    """Make sure there is a screen, before Qt is imported; gives what it is in words.

    On Linux without one, an Xvfb is started for as long; without that the windows are drawn into memory.
    """
    variables = ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY")
    named = next((f"{name}={os.environ[name]}" for name in variables if os.environ.get(name)), None)
    xvfb = shutil.which("Xvfb")
    if named is not None or not sys.platform.startswith("linux"):
        yield f"on the screen {named}" if named is not None else "on the desktop"
    elif xvfb is not None:
        with _virtual_screen(xvfb) as display:
            os.environ["DISPLAY"] = display
            yield f"on an Xvfb of its own ({display}, no window manager)"
            del os.environ["DISPLAY"]
    else:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        yield "OFFSCREEN, as there is neither a screen nor Xvfb: windows are drawn, but nowhere shown"
        del os.environ["QT_QPA_PLATFORM"]


@contextmanager
def _virtual_screen(xvfb: str) -> Iterator[str]:
    readable, writable = os.pipe()
    arguments = [xvfb, "-displayfd", str(writable), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"]
    process = subprocess.Popen(arguments, pass_fds=(writable,), stderr=subprocess.DEVNULL)
    os.close(writable)
    try:
        with os.fdopen(readable, encoding="ascii") as pipe:
            number = pipe.readline().strip()  # empty when it ended without a screen
        if not number:
            raise RuntimeError(f"Xvfb did not start (exit code {process.wait()})")
        yield f":{number}"
    finally:
        process.terminate()
        process.wait()


def private_environment(folder: Path) -> dict[str, str]:
    """The variables that keep settings and crash file of a window under a folder, on Linux: a first start."""
    names = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {name: str(folder / name) for name in names}


# ---- The window ----


@contextmanager
def open_window(width: int = 1280, height: int = 800) -> Iterator[Explorer]:
    """Open the real window with a real engine and wait until the CPU is in its table; end both afterwards."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        os.environ.update(private_environment(folder))
        from PySide6.QtCore import QSettings
        from PySide6.QtWidgets import QApplication

        from gui.app import Explorer
        from gui.settings import Settings

        application = QApplication.instance() or QApplication(sys.argv[:1])
        application.setApplicationName("ort-device-explorer")
        explorer = Explorer(Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)))
        explorer.log.bug_met.connect(_first_only(_report_bug))
        explorer.window.resize(width, height)
        explorer.start()
        try:
            wait_until(lambda: bool(explorer.state.devices), explorer.state.devices_changed)
            yield explorer
        finally:
            closed: list[bool] = []
            explorer.archive.closed.connect(lambda: closed.append(True))
            explorer.window.close()
            wait_until(lambda: bool(closed), explorer.archive.closed)


def _report_bug(text: str) -> None:
    sys.stderr.write(f"THE WINDOW MET A BUG, what follows may mean nothing:\n{text}\n")


def _first_only(function: Callable[[str], None]) -> Callable[[str], None]:
    """A bug may come again with each batch of samples."""
    called: list[bool] = []

    def once(text: str) -> None:
        if not called:
            called.append(True)
            function(text)

    return once


def wait_until(condition: Callable[[], bool], *signals: SignalInstance) -> None:
    """Let the window live until a condition holds, looked at after each of the signals. Raises TimeoutError."""
    from PySide6.QtCore import QEventLoop

    if condition():
        return
    loop = QEventLoop()

    def look(*_payload: object) -> None:
        if condition():
            loop.quit()

    for signal in signals:
        signal.connect(look)
    ended = run_loop(loop, LIMIT_S)
    for signal in signals:
        signal.disconnect(look)
    if not ended:
        raise TimeoutError("what should have come did not come")


def let_live(seconds: float) -> None:
    """Let the window live for so long."""
    from PySide6.QtCore import QEventLoop

    run_loop(QEventLoop(), seconds)


def run_loop(loop: QObject, limit_s: float) -> bool:
    """Run an event loop; return whether it was quit before the limit."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer

    assert isinstance(loop, QEventLoop)
    late: list[bool] = []

    def give_up() -> None:
        late.append(True)
        loop.quit()

    timer = QTimer()
    timer.setSingleShot(True)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(give_up)
    timer.start(round(limit_s * 1000))
    loop.exec()
    timer.stop()
    return not late


def run_trial(
    explorer: Explorer,
    model: Path,
    *,
    sizes: Mapping[str, int],
    warmup: int,
    iterations: int | None = None,
    seconds: float | None = None,
) -> TrialRun:
    """Run a trial on the CPU with one thread, as the window's Run does, until its exact statistics are shown."""
    from gui.records.trial import DimensionSize, StopRule, Target, TrialSettings

    state = explorer.state
    cpu = next(device for device in state.devices if device.ep_name == "CPUExecutionProvider")
    explorer.trials.run(
        TrialSettings(
            model_path=str(model),
            target=Target(device_keys=(cpu.key,)),
            dimensions=tuple(DimensionSize(name=name, size=size) for name, size in sizes.items()),
            warmup=warmup,
            stop_rule=StopRule(iterations=iterations, seconds=seconds),
            intra_op_threads=1,
        )
    )
    trial = state.running_trial
    if trial is None:
        raise RuntimeError("the trial was not started")
    wait_until(lambda: trial.exact is not None or trial.failure is not None, state.trial_changed)
    if trial.failure is not None:
        raise RuntimeError(str(trial.failure))
    if len(trial.series) + trial.series.dropped != trial.facts.sample_count:
        raise RuntimeError(f"the engine sent {trial.facts.sample_count} samples, {len(trial.series)} arrived")
    return trial


# ---- What takes the time ----


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a recorded function; `perf_counter_ns`."""

    name: str
    began_ns: int
    ended_ns: int

    @property
    def duration_ms(self) -> float:
        """How long it took, with all it called."""
        return (self.ended_ns - self.began_ns) / 1e6


class CallRecord:
    """Records when methods ran, by wrapping them in this process: the product knows nothing of it.

    Wrap before any object is made: connections hold what they found then.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._collection_began_ns = 0

    def wrap(self, owner: type[Any], name: str) -> None:
        """Record every call of a method from now on, as `Owner.name`."""
        method, calls, clock = getattr(owner, name), self.calls, time.perf_counter_ns
        label = f"{owner.__name__}.{name}"
        count = method.__code__.co_argcount  # a signal gives a wrapper all it has, not what the method takes

        @functools.wraps(method)
        def recorded(*arguments: Any) -> Any:
            own_thread = "" if threading.current_thread() is threading.main_thread() else " (a thread of its own)"
            began = clock()
            try:
                return method(*arguments[:count])
            finally:
                calls.append(Call(label + own_thread, began, clock()))

        setattr(owner, name, recorded)

    def watch_garbage_collection(self) -> None:
        """Record Python's garbage collections, too, as `gc <generation>`."""
        gc.callbacks.append(self._on_collection)

    def between(self, began_ns: int, ended_ns: int) -> list[Call]:
        """The calls that ran in a span of time, or in a part of it."""
        return [call for call in self.calls if call.ended_ns > began_ns and call.began_ns < ended_ns]

    def _on_collection(self, phase: str, details: dict[str, int]) -> None:
        now = time.perf_counter_ns()
        if phase == "start":
            self._collection_began_ns = now
        else:
            self.calls.append(Call(f"gc {details['generation']}", self._collection_began_ns, now))


def print_calls(calls: Sequence[Call]) -> None:
    """Print count, median, longest and sum of the calls, function by function."""
    names = dict.fromkeys(call.name for call in calls)
    rows = {name: [call.duration_ms for call in calls if call.name == name] for name in names}
    print(f"    {'function (with all it calls)':<52}{'calls':>7}{'median ms':>11}{'max ms':>9}{'sum ms':>10}")
    for name, times in sorted(rows.items(), key=lambda row: -sum(row[1])):
        middle, longest, total = statistics.median(times), max(times), sum(times)
        print(f"    {name:<52}{len(times):>7}{middle:>11.3f}{longest:>9.2f}{total:>10.1f}")
