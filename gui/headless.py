"""The engine without a window: asks and waits. Survives the same deaths as the window's client. No Qt here."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

from .headless_check import check_library
from .records.codec import DecodeError, StringMap, from_json, to_json
from .records.comparison import RoundFacts, RoundLimits
from .records.device import Incompatibility
from .records.engine_command import engine_command, engine_environment
from .records.failure import Failure, FailureError, FailureKind, failure_error
from .records.library import Library, LibraryState
from .records.log import LogRecord, record_of_stderr_line, strip_ansi
from .records.model import ModelDescription
from .records.policies import PolicyOutcome
from .records.process_exit import exit_of_return_code
from .records.profile import Profile
from .records.protocol import EventKind, Explanation, Greeting, Inventory, Op, decode_line, decode_mark, encode_line
from .records.trial import CompiledModel, Policy, TrialFacts, TrialSettings
from .records.trial_log import TrialLog, TrialLogLine

START_SECONDS: Final = 60.0
GRACE_SECONDS: Final = 3.0
_LAST_LINES: Final = 40
_SAID_LINES: Final = 100
_LAST_WORDS_S: Final = 0.5
_STEP_SECONDS: Final = 0.5
if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _CREATION_FLAGS = 0
_INTERRUPT: Final = b""
"""Stands for Ctrl-C among the engine's lines, which are never empty."""

EventSink = Callable[[dict[str, Any]], object]


class HeadlessEngine:
    """One engine process after the other: a dead one is replaced, with the libraries that were loaded."""

    def __init__(self, *, show_stderr: bool = False) -> None:
        self._show_stderr = show_stderr
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._stderr_reader: threading.Thread | None = None
        self._said: deque[str] = deque(maxlen=_SAID_LINES)
        self._is_listening = False
        self._printing_stage = ""
        self._log: TrialLog | None = None
        self._log_lock = threading.Lock()
        self._heard = threading.Event()
        self._last_id = 0
        self._stage = ""
        self._loaded: dict[str, str] = {}
        self.greeting: Greeting | None = None
        self.is_interrupted = False
        """Whether Ctrl-C was pressed since `interrupts_in_turn` was entered."""

    @property
    def is_running(self) -> bool:
        """Whether there is an engine that can be asked."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Greeting:
        """Start an engine and return its greeting. Raises `FailureError`."""
        self._lines = queue.SimpleQueue()
        self._last_lines.clear()
        self._process = subprocess.Popen(
            engine_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=engine_environment(),
            # Ctrl-C in a console goes to a whole group: it shall end the trial, not the engine.
            process_group=None if sys.platform == "win32" else 0,
            creationflags=_CREATION_FLAGS,
        )
        assert self._process.stdout is not None  # noqa: S101
        assert self._process.stderr is not None  # noqa: S101
        threading.Thread(target=self._read_lines, args=(self._process.stdout, self._lines), daemon=True).start()
        self._stderr_reader = threading.Thread(target=self._read_stderr, args=(self._process.stderr,), daemon=True)
        self._stderr_reader.start()
        message = self._next(time.monotonic() + START_SECONDS, "starting")
        self.greeting = from_json(Greeting, message["greeting"])
        return self.greeting

    def close(self) -> None:
        """End the engine."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was not sent to a dead engine
                    continue

    def load(self, libraries: list[tuple[str, str]], timeout_s: float) -> tuple[Library, ...]:
        """Load libraries, name and path each, and return what became of each; none of them can end it all."""
        return tuple(self._load(name, str(Path(path).expanduser().absolute()), timeout_s) for name, path in libraries)

    def load_all(self, libraries: list[tuple[str, str]], timeout_s: float) -> tuple[Library, ...]:
        """Load libraries, none of which may fail. Raises `FailureError` with the first failure."""
        loaded = self.load(libraries, timeout_s)
        for library in loaded:
            if library.error is not None:
                raise FailureError(library.error)
        return loaded

    def inventory(self) -> Inventory:
        """Return what is loaded and all devices. Raises `FailureError`."""
        return from_json(Inventory, self._ask(Op.DEVICES, "listing devices"))

    def explain_hardware(self, name: str, timeout_s: float) -> tuple[Incompatibility, ...]:
        """Return what the EPs of a loaded library say of hardware they do not offer; nothing when that kills them."""
        try:
            answer = self._ask(
                Op.EXPLAIN_HARDWARE, f"asking “{name}” about the hardware", timeout_s=timeout_s, name=name
            )
        except FailureError as error:
            if error.failure.kind in (FailureKind.DIED, FailureKind.STOPPED):
                self._replace()
            return ()
        return from_json(Explanation, answer).incompatibilities

    def run_trial(self, settings: TrialSettings, on_event: EventSink, log: TrialLog | None = None) -> dict[str, Any]:
        """Run a trial and return its facts' JSON; Ctrl-C stops it. Raises `FailureError`.

        What is said meanwhile is added to `log`.
        """
        with self.interrupts_in_turn(), self._logged(log):
            return self._ask(Op.RUN_TRIAL, "running the trial", on_event=on_event, settings=to_json(settings))

    def open_session(self, trial_id: str, settings: TrialSettings, on_event: EventSink, log: TrialLog) -> TrialFacts:
        """Begin a trial that is measured in rounds, and return what is known after its warm-up.

        This and the next two are called within `interrupts_in_turn`: Ctrl-C ends what is under way. They raise
        `FailureError`; what is said meanwhile is added to `log`.
        """
        with self._logged(log):
            answer = self._ask(
                Op.OPEN_SESSION, "creating a session", on_event=on_event, trial=trial_id, settings=to_json(settings)
            )
        return from_json(TrialFacts, answer)

    def measure_round(self, trial_id: str, limits: RoundLimits, on_event: EventSink, log: TrialLog) -> RoundFacts:
        """Measure some runs of a trial that is open. What is printed meanwhile carries no marks: nothing is awaited."""
        self._log = log
        try:
            answer = self._ask(
                Op.MEASURE_ROUND, "measuring a round", on_event=on_event, trial=trial_id, limits=to_json(limits)
            )
        finally:
            self._log = None
        return from_json(RoundFacts, answer)

    def close_session(self, trial_id: str, on_event: EventSink, log: TrialLog, *, check: bool) -> TrialFacts:
        """End a trial that is open, its outputs compared or not, and return all that is known of it."""
        with self._logged(log):
            answer = self._ask(Op.CLOSE_SESSION, "closing a session", on_event=on_event, trial=trial_id, check=check)
        return from_json(TrialFacts, answer)

    @contextmanager
    def interrupts_in_turn(self) -> Iterator[None]:
        """Let Ctrl-C wait its turn among the engine's lines, so that it cuts no batch of samples in two."""
        self.is_interrupted = False
        before = signal.signal(signal.SIGINT, self._on_interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.is_interrupted = True
        self._lines.put(_INTERRUPT)

    def compile(self, settings: TrialSettings, path: str, on_event: EventSink) -> CompiledModel:
        """Compile the model of a trial for its target into a file; Ctrl-C stops it. Raises `FailureError`."""
        with self.interrupts_in_turn():
            answer = self._ask(
                Op.COMPILE, "compiling the model", on_event=on_event, settings=to_json(settings), path=path
            )
        return from_json(CompiledModel, answer)

    def describe_model(self, path: str) -> ModelDescription:
        """Return the description of a model file. Raises `FailureError`."""
        return from_json(ModelDescription, self._ask(Op.DESCRIBE_MODEL, "reading the model", path=path))

    def explain_policy(
        self, policy: Policy, model_path: str, timeout_s: float, ep_options: StringMap = ()
    ) -> PolicyOutcome:
        """Return what a policy takes for a model (an empty path: a tiny one), also when that costs the engine.

        Raises `FailureError` when there is no engine any more.
        """
        self.revive()
        doing = f"trying the policy {policy.value}"
        try:
            options = dict(ep_options)
            answer = self._ask(
                Op.EXPLAIN_POLICY, doing, timeout_s=timeout_s, policy=policy.value, path=model_path, options=options
            )
        except FailureError as error:
            return PolicyOutcome(policy=policy, failure=error.failure)
        return from_json(PolicyOutcome, answer)

    def profile(self, settings: TrialSettings) -> Profile:
        """Profile the model of a trial on its target; Ctrl-C stops it. Raises `FailureError`."""
        with self.interrupts_in_turn():
            answer = self._ask(Op.PROFILE, "profiling", on_event=lambda _message: None, settings=to_json(settings))
        return from_json(Profile, answer)

    def revive(self) -> None:
        """Start another engine with the same libraries if this one is dead. Raises `FailureError`."""
        if not self.is_running:
            self._replace()

    def _load(self, name: str, path: str, timeout_s: float) -> Library:
        library = Library(name=name, path=path, state=LibraryState.LOADED, check=check_library(path))
        if library.check is not None and library.check.failure is not None:
            return replace(library, state=LibraryState.FAILED, error=library.check.failure)
        self._said.clear()
        self._heard.clear()
        try:
            answer = self._ask(Op.REGISTER, f"loading “{name}”", timeout_s=timeout_s, name=name, path=path)
            self._heard.wait(_LAST_WORDS_S)
        except FailureError as error:
            failure = error.failure
            if failure.kind is FailureKind.STOPPED:
                failure = self._hung(name, timeout_s, failure)
            killed = failure.kind in (FailureKind.DIED, FailureKind.HANGS)
            said = tuple(self._said)
            if killed:
                self._replace()
            return replace(library, state=LibraryState.FAILED, error=failure, killed_engine=killed, said=said)
        self._loaded[name] = path
        inventory = from_json(Inventory, answer)
        told = next((entry for entry in inventory.libraries if entry.name == name), library)
        return replace(
            library,
            device_keys=told.device_keys,
            registration_ns=told.registration_ns,
            said=tuple(self._said),
        )

    @staticmethod
    def _hung(name: str, timeout_s: float, failure: Failure) -> Failure:
        return Failure(
            kind=FailureKind.HANGS,
            message=f"“{name}” was stopped: it was still loading after {timeout_s:g} seconds.",
            hint="Allow it more time with --timeout, or ask the EP's makers.",
            detail=failure.detail,
        )

    def _replace(self) -> None:
        self.close()
        self.start()
        for name, path in self._loaded.items():
            self._ask(Op.REGISTER, f"loading “{name}” again", timeout_s=START_SECONDS, name=name, path=path)

    def _ask(
        self,
        op: Op,
        doing: str,
        *,
        timeout_s: float | None = None,
        on_event: EventSink | None = None,
        **parameters: Any,
    ) -> dict[str, Any]:
        request_id = self._send(op, **parameters)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._stage = ""
        while True:
            try:
                message = self._next(deadline, doing)
            except KeyboardInterrupt:
                if on_event is None:
                    raise
                if deadline is None:
                    self._send(Op.CANCEL, request=request_id)
                    deadline = time.monotonic() + GRACE_SECONDS
                else:  # asked twice: no more patience
                    deadline = time.monotonic()
                continue
            if message.get("event") == EventKind.LOG.value:
                self._hear(from_json(LogRecord, message["record"]), registering=op is Op.REGISTER)
            if message.get("id") != request_id:
                continue
            if message.get("leaving") is True:  # it has given up on itself: nothing more can be asked of it
                self.close()
            if "error" in message:
                raise FailureError(from_json(Failure, message["error"]))
            if "ok" in message:
                answer: dict[str, Any] = message["ok"]
                return answer
            if message.get("event") == EventKind.STAGE.value:
                self._stage = message["facts"]["stage"]
            if on_event is not None:
                on_event(message)

    def _hear(self, record: LogRecord, *, registering: bool) -> None:
        """Take a message of ORT's that came as an event: newer versions do not print what they are asked to tell."""
        self._last_lines.append(record.message)
        if registering:
            self._said.append(record.message)
        self._note(self._stage, record)
        if self._show_stderr:
            print(f"{record.source}, {record.severity.name.lower()}: {record.message}", file=sys.stderr)

    def _send(self, op: Op, **parameters: Any) -> int:
        self._last_id += 1
        if self._process is None or self._process.stdin is None:
            raise failure_error(FailureKind.ENGINE_UNAVAILABLE, "There is no engine.")
        try:
            self._process.stdin.write(encode_line({"id": self._last_id, "op": op.value, **parameters}))
            self._process.stdin.flush()
        except OSError:  # it is dead; the next reading tells how
            pass
        return self._last_id

    def _next(self, deadline: float | None, doing: str) -> dict[str, Any]:
        """Return the next message. Raises `FailureError` when the engine died, or did not answer in time."""
        if self._stage:
            doing = f"{doing} (stage: {self._stage})"
        try:
            line = self._next_line(deadline)
        except queue.Empty:
            self.close()
            message = f"Stopped while {doing}: it did not answer in time."
            raise failure_error(FailureKind.STOPPED, message, detail="\n".join(self._last_lines)) from None
        if line == _INTERRUPT:
            raise KeyboardInterrupt
        if line is not None:
            try:
                return decode_line(line)
            except DecodeError as error:
                raise failure_error(FailureKind.INTERNAL, f"The engine sent what is no message: {error}.") from error
        assert self._process is not None  # noqa: S101
        assert self._stderr_reader is not None  # noqa: S101
        self._stderr_reader.join(1.0)  # its last words; whoever inherited the pipe may keep it open
        process_exit = exit_of_return_code(self._process.wait())
        raise failure_error(
            FailureKind.DIED,
            f"The engine died while {doing}: {process_exit}.",
            hint="" if self._show_stderr else "Add --verbose to see what it printed.",
            detail="\n".join(self._last_lines),
        )

    def _next_line(self, deadline: float | None) -> bytes | None:
        """Return the next line, None at the end. Raises `queue.Empty` when there is none in time.

        It waits in small steps: a Ctrl-C that comes just before Python falls asleep is not noticed until it wakes up.
        """
        while True:
            left = _STEP_SECONDS if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                return self._lines.get(timeout=min(left, _STEP_SECONDS))
            except queue.Empty:
                if deadline is not None and left <= _STEP_SECONDS:
                    raise

    @contextmanager
    def _logged(self, log: TrialLog | None) -> Iterator[None]:
        """Add what is said meanwhile to `log`, also what was printed before the answer and comes after it."""
        self._heard.clear()
        self._log = log
        try:
            yield
        finally:
            if log is not None:
                self._heard.wait(_LAST_WORDS_S)
            self._log = None

    def _note(self, stage: str, record: LogRecord) -> None:
        """Add a message to the trial's log, if one is kept. Called on both of the reading threads."""
        with self._log_lock:
            if self._log is not None:
                self._log.add((TrialLogLine(stage=stage, record=record),))

    @staticmethod
    def _read_lines(stream: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
        try:
            for line in stream:
                lines.put(line)
        except (OSError, ValueError):  # closed under the reader
            pass
        lines.put(None)

    def _read_stderr(self, stream: IO[bytes]) -> None:
        try:
            for line in stream:
                raw = line.decode("utf-8", "replace").rstrip()
                mark = decode_mark(raw)
                if mark is not None:
                    self._is_listening, self._printing_stage = not mark.ends, mark.stage
                    if mark.ends:
                        self._heard.set()
                    continue
                text = strip_ansi(raw)
                if not text:  # a mark stands on a line of its own, whatever was printed before
                    continue
                self._last_lines.append(text)
                if self._is_listening:
                    record = record_of_stderr_line(raw, time.time())
                    self._said.append(record.message)
                    self._note(self._printing_stage, record)
                if self._show_stderr:
                    print(text, file=sys.stderr)
        except (OSError, ValueError):
            return
