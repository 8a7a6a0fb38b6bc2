"""A real engine process over pipes, for tests that talk to it without Qt: `gui.engine`, started as the window does."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

import numpy as np

from gui.records.codec import from_json, to_json
from gui.records.comparison import RoundFacts, RoundLimits
from gui.records.engine_command import engine_command, engine_environment
from gui.records.failure import Failure, FailureError
from gui.records.log import LogRecord
from gui.records.model import ModelDescription
from gui.records.process_exit import ProcessExit, exit_of_return_code
from gui.records.protocol import EventKind, Greeting, Inventory, Op, decode_line, encode_line
from gui.records.samples import Nanoseconds, decode_samples
from gui.records.trial import Stage, TrialFacts, TrialSettings

LIMIT_S = 60.0
"""How long a test waits for what must come, before it fails; nothing is measured by it."""

_T = TypeVar("_T")


class EngineEndedError(Exception):
    """The engine ended while something was expected of it."""

    def __init__(self, process_exit: ProcessExit) -> None:
        super().__init__("\n".join([f"the engine ended: {process_exit}", *process_exit.last_lines]))
        self.process_exit = process_exit


@dataclass(slots=True)
class _Heard:
    """What a thread has read of one stream so far."""

    items: list[Any] = field(default_factory=list)
    ended: bool = False


class EngineProcess:
    """One engine from its start to its end. Use it as a context manager: on leaving, the process is gone."""

    def __init__(self, environment: Mapping[str, str] | None = None, folder: Path | None = None) -> None:
        self._process = subprocess.Popen(
            engine_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=engine_environment(environment),
            cwd=folder,
        )
        _forbid_core_dumps(self._process.pid)
        self._changed = threading.Condition()
        self._messages, self._stderr = _Heard(), _Heard()
        self._threads = [
            self._read(self._process.stdout, self._messages, decode_line),
            self._read(self._process.stderr, self._stderr, lambda line: line.decode("utf-8", "replace").rstrip("\n")),
        ]
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    # ---- Asking ----

    def send(self, op: Op, **parameters: Any) -> int:
        """Send a request and return its id."""
        self._last_id += 1
        self.send_bytes(encode_line({"id": self._last_id, "op": op.value, **parameters}))
        return self._last_id

    def send_bytes(self, data: bytes) -> None:
        """Send what may be no request at all."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(data)
        stdin.flush()

    def hang_up(self) -> None:
        """End the engine's input, as a window does that is gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def start_trial(self, settings: TrialSettings) -> int:
        """Ask for a trial and return the request's id."""
        return self.send(Op.RUN_TRIAL, settings=to_json(settings))

    def start_open(self, trial: str, settings: TrialSettings) -> int:
        """Ask for a trial to be opened and return the request's id."""
        return self.send(Op.OPEN_SESSION, trial=trial, settings=to_json(settings))

    def start_round(self, trial: str, limits: RoundLimits) -> int:
        """Ask for a round of an open trial and return the request's id."""
        return self.send(Op.MEASURE_ROUND, trial=trial, limits=to_json(limits))

    def start_close(self, trial: str, *, check: bool) -> int:
        """Ask for the end of an open trial and return the request's id."""
        return self.send(Op.CLOSE_SESSION, trial=trial, check=check)

    def call(self, op: Op, answer_type: type[_T], **parameters: Any) -> _T:
        """Ask and wait for the answer. Raises `FailureError` with the failure when it is one."""
        return self.answer(self.send(op, **parameters), answer_type)

    def register(self, name: str, path: Path | str) -> Inventory:
        """Register a library. Raises `FailureError`."""
        return self.call(Op.REGISTER, Inventory, name=name, path=str(path))

    def unregister(self, name: str) -> Inventory:
        """Unregister a library. Raises `FailureError`."""
        return self.call(Op.UNREGISTER, Inventory, name=name)

    def inventory(self) -> Inventory:
        """Return what is there."""
        return self.call(Op.DEVICES, Inventory)

    def describe_model(self, path: Path | str) -> ModelDescription:
        """Have a model described. Raises `FailureError`."""
        return self.call(Op.DESCRIBE_MODEL, ModelDescription, path=str(path))

    def run_trial(self, settings: TrialSettings) -> TrialFacts:
        """Run a trial to its end. Raises `FailureError`."""
        return self.answer(self.start_trial(settings), TrialFacts)

    def open_session(self, trial: str, settings: TrialSettings) -> TrialFacts:
        """Open a trial. Raises `FailureError`."""
        return self.answer(self.start_open(trial, settings), TrialFacts)

    def measure_round(self, trial: str, limits: RoundLimits) -> RoundFacts:
        """Measure a round of an open trial. Raises `FailureError`."""
        return self.answer(self.start_round(trial, limits), RoundFacts)

    def close_session(self, trial: str, *, check: bool = True) -> TrialFacts:
        """Close an open trial. Raises `FailureError`."""
        return self.answer(self.start_close(trial, check=check), TrialFacts)

    # ---- What came back ----

    def answer(self, request_id: int, answer_type: type[_T]) -> _T:
        """Wait for the answer to a request. Raises `FailureError` with the failure when it is one."""
        message = self.wait_for(lambda entry: entry.get("id") == request_id and "event" not in entry)
        if "error" in message:
            raise FailureError(from_json(Failure, message["error"]))
        return from_json(answer_type, message["ok"])

    def ok(self, request_id: int) -> dict[str, Any]:
        """Wait for the raw answer to a request that must not fail."""
        message = self.wait_for(lambda entry: entry.get("id") == request_id and "event" not in entry)
        assert "ok" in message, message
        answer: dict[str, Any] = message["ok"]
        return answer

    def greeting(self) -> Greeting:
        """Wait for the greeting."""
        return from_json(Greeting, self.wait_for(lambda entry: entry.get("event") == "greeting")["greeting"])

    def messages(self) -> list[dict[str, Any]]:
        """Return all messages so far, in order."""
        with self._changed:
            return list(self._messages.items)

    def logs(self) -> list[LogRecord]:
        """Return the log records sent so far."""
        return [from_json(LogRecord, entry["record"]) for entry in self.messages() if entry.get("event") == "log"]

    def facts(self, request_id: int) -> list[TrialFacts]:
        """Return what a trial told when it entered each of its stages so far."""
        return [from_json(TrialFacts, entry["facts"]) for entry in self._events(request_id, EventKind.STAGE)]

    def stages(self, request_id: int) -> list[Stage]:
        """Return the stages a trial told so far."""
        return [facts.stage for facts in self.facts(request_id)]

    def batches(self, request_id: int, stage: Stage) -> list[Nanoseconds]:
        """Return the batches of samples of one stage of a trial so far."""
        return [
            decode_samples(entry["samples"])
            for entry in self._events(request_id, EventKind.SAMPLES)
            if entry["stage"] == stage.value
        ]

    def samples(self, request_id: int, stage: Stage = Stage.MEASURING) -> Nanoseconds:
        """Return the samples of one stage of a trial so far, shape (n,), nanoseconds."""
        return np.concatenate([np.empty(0, np.int64), *self.batches(request_id, stage)])

    def stderr(self) -> list[str]:
        """Return the lines of stderr so far."""
        with self._changed:
            return list(self._stderr.items)

    # ---- Waiting ----

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message and return it. Raises `EngineEndedError` when none comes any more."""
        message: dict[str, Any] = self._wait_for(self._messages, wanted)
        return message

    def wait_for_stage(self, request_id: int, stage: Stage) -> None:
        """Wait until a trial has told that it enters a stage."""
        self.wait_for(
            lambda entry: (
                entry.get("id") == request_id
                and entry.get("event") == "stage"
                and entry["facts"]["stage"] == stage.value
            )
        )

    def wait_for_samples(self, request_id: int, stage: Stage = Stage.MEASURING) -> None:
        """Wait until a trial has sent samples of a stage."""
        self.wait_for(
            lambda entry: (
                entry.get("id") == request_id and entry.get("event") == "samples" and entry["stage"] == stage.value
            )
        )

    def wait_for_stderr(self, text: str) -> str:
        """Wait for a line of stderr that holds `text` and return it."""
        line: str = self._wait_for(self._stderr, lambda entry: text in entry)
        return line

    def wait_for_end(self) -> ProcessExit:
        """Wait until the engine has ended by itself and all it said was read; return how it ended."""
        return_code = self._process.wait(timeout=LIMIT_S)
        for thread in self._threads:
            thread.join(timeout=LIMIT_S)
            assert not thread.is_alive(), "somebody holds the dead engine's pipes"
        return exit_of_return_code(return_code, last_lines=tuple(self.stderr()[-40:]))

    @property
    def process_id(self) -> int:
        """The engine's process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process, if it still runs, and close its pipes."""
        self._process.kill()
        self.wait_for_end()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:  # what was written last was never read
                continue

    # ---- Inside ----

    def _events(self, request_id: int, kind: EventKind) -> list[dict[str, Any]]:
        return [
            entry for entry in self.messages() if entry.get("id") == request_id and entry.get("event") == kind.value
        ]

    def _read(self, pipe: IO[bytes] | None, heard: _Heard, understand: Callable[[bytes], Any]) -> threading.Thread:
        assert pipe is not None

        def read() -> None:
            try:
                for line in pipe:
                    item = understand(line)
                    with self._changed:
                        heard.items.append(item)
                        self._changed.notify_all()
            finally:
                with self._changed:
                    heard.ended = True
                    self._changed.notify_all()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def _wait_for(self, heard: _Heard, wanted: Callable[[Any], bool]) -> Any:
        seen = 0

        def found() -> bool:
            nonlocal seen
            while seen < len(heard.items):
                if wanted(heard.items[seen]):
                    return True
                seen += 1
            return heard.ended

        with self._changed:
            in_time = self._changed.wait_for(found, timeout=LIMIT_S)
            if seen < len(heard.items):
                return heard.items[seen]
        if not in_time:
            raise TimeoutError("\n".join(["the engine did not say what it should", *self.stderr()[-40:]]))
        raise EngineEndedError(self.wait_for_end())


def _forbid_core_dumps(process_id: int) -> None:
    """Keep engines that are meant to crash from leaving core files."""
    if sys.platform == "linux":
        import resource

        resource.prlimit(process_id, resource.RLIMIT_CORE, (0, 0))
