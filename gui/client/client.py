"""Asks the engine, tells what it says, and starts a new one when it dies."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from ..records.codec import DecodeError, StringMap, from_json, to_json
from ..records.comparison import RoundFacts, RoundLimits
from ..records.engine_command import engine_command, engine_environment
from ..records.failure import Failure, FailureKind
from ..records.inputs import InputProposals
from ..records.log import LogRecord, LogSeverity, record_of_stderr_line
from ..records.model import ModelDescription
from ..records.placement import PlacedNodes
from ..records.policies import PolicyOutcome
from ..records.process_exit import ProcessExit
from ..records.profile import Profile
from ..records.protocol import PROTOCOL_VERSION, EventKind, Explanation, Greeting, Inventory, Op, StderrMark
from ..records.samples import decode_samples
from ..records.trial import CompiledModel, Policy, Stage, TrialFacts, TrialSettings
from ..records.trial_log import TrialLogLine
from .process import EngineProcess
from .requests import PendingRequest

GRACE_MS: Final = 3000
"""What has not ended so long after it was asked to is killed."""
_SHUTDOWN_MS: Final = 500
_MAX_DEATHS_IN_A_ROW: Final = 3
_SETTLED_MS: Final = 10_000
"""An engine that lived so long has started well."""
_LAST_WORDS_MS: Final = 500
"""So long an answer waits for the lines that were printed before it: stderr is a pipe of its own."""
_MOST_WAITS: Final = 10
"""As long as lines come, an answer waits so many times."""
_SAID_LINES: Final = 200
_DARING: Final = (
    Op.REGISTER,
    Op.UNREGISTER,
    Op.EXPLAIN_HARDWARE,
    Op.RUN_TRIAL,
    Op.OPEN_SESSION,
    Op.MEASURE_ROUND,
    Op.CLOSE_SESSION,
    Op.COMPILE,
    Op.PROFILE,
    Op.EXPLAIN_POLICY,
)
"""What an engine may die of: those who asked for it do not ask again by themselves."""
_LOGGED: Final = (Op.RUN_TRIAL, Op.OPEN_SESSION, Op.CLOSE_SESSION, Op.PROFILE)
"""What is said while they are done is told to those who asked."""
_MARKED: Final = (Op.REGISTER, *_LOGGED)
"""The engine marks in stderr where they begin and end."""


class EngineClient(QObject):
    """The one way to the engine. Requests may be made at any time; those made before it is ready wait in its pipe."""

    ready = Signal(Greeting)
    died = Signal(ProcessExit)
    """After the requests under way have failed; a new engine is on its way unless `gave_up` follows."""
    gave_up = Signal(ProcessExit)
    """It died three times in a row by itself, before its greeting or soon after; `restart` tries again."""
    log_received = Signal(tuple)
    """Of `LogRecord`."""
    closed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: EngineProcess | None = None
        self._pending: dict[int, PendingRequest] = {}
        self._last_id = 0
        self._greeting: Greeting | None = None
        self._deaths_in_a_row = 0
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.timeout.connect(self._on_settled)
        self._closing = False
        self._leaving = False  # the engine has said that it gives up on itself
        self._listening: PendingRequest | None = None  # what is printed now belongs to it
        self._printing_stage = ""  # the stage that the lines of stderr have come to
        self._held: dict[int, dict[str, Any]] = {}  # answers that wait for what was printed before them
        self._lines_heard = 0

    @property
    def greeting(self) -> Greeting | None:
        """What the running engine said first; None while there is none ready."""
        return self._greeting

    def start(self) -> None:
        """Start an engine, unless one is running."""
        if self._process is not None or self._closing:
            return
        process = EngineProcess(engine_command(), engine_environment(), self)
        process.message_received.connect(self._on_message)
        process.stderr_received.connect(self._on_stderr)
        process.marked.connect(self._on_mark)
        process.ended.connect(self._on_ended)
        self._process = process
        process.start()

    def restart(self) -> None:
        """Replace the engine by a fresh one; requests under way fail as stopped."""
        self._deaths_in_a_row = 0
        if self._process is None:
            self.start()
        else:
            self._process.kill()

    def close(self) -> None:
        """End the engine for good; `closed` tells when it is gone."""
        self._closing = True
        if self._process is None:
            self.closed.emit()
            return
        self._process.send({"id": self._next_id(), "op": Op.SHUTDOWN.value})
        QTimer.singleShot(_SHUTDOWN_MS, self._kill)

    def process_id(self) -> int:
        """The engine's process id, 0 when there is none."""
        return 0 if self._process is None else self._process.process_id()

    def register(self, name: str, path: str) -> PendingRequest:
        """Register a library; answered with the `Inventory` there is then."""
        return self._request(Op.REGISTER, self.tr("loading “{0}”").format(name), Inventory, name=name, path=path)

    def unregister(self, name: str) -> PendingRequest:
        """Unregister a library; answered with the `Inventory` that is left."""
        return self._request(Op.UNREGISTER, self.tr("unregistering “{0}”").format(name), Inventory, name=name)

    def list_devices(self) -> PendingRequest:
        """Ask for the `Inventory`."""
        return self._request(Op.DEVICES, self.tr("listing devices"), Inventory)

    def explain_hardware(self, name: str) -> PendingRequest:
        """Ask the EPs of a library about hardware they do not offer; answered with an `Explanation`."""
        doing = self.tr("asking “{0}” about the hardware").format(name)
        return self._request(Op.EXPLAIN_HARDWARE, doing, Explanation, name=name)

    def describe_model(self, path: str) -> PendingRequest:
        """Ask for the `ModelDescription` of a file."""
        return self._request(Op.DESCRIBE_MODEL, self.tr("reading the model"), ModelDescription, path=path)

    def propose_inputs(self, path: str, sizes: dict[str, int]) -> PendingRequest:
        """Ask what is taken for the inputs of a model with these sizes; answered with `InputProposals`."""
        return self._request(
            Op.PROPOSE_INPUTS, self.tr("choosing input values"), InputProposals, path=path, sizes=sizes
        )

    def compile(self, settings: TrialSettings, path: str) -> PendingRequest:
        """Compile the model of a trial for its target into a file; answered with a `CompiledModel`."""
        doing = self.tr("compiling the model")
        return self._request(Op.COMPILE, doing, CompiledModel, settings=to_json(settings), path=path)

    def run_trial(self, settings: TrialSettings) -> PendingRequest:
        """Run a trial; answered with its final `TrialFacts`."""
        return self._request(Op.RUN_TRIAL, self.tr("running the trial"), TrialFacts, settings=to_json(settings))

    def open_session(self, trial_id: str, settings: TrialSettings) -> PendingRequest:
        """Begin a trial that is measured in rounds; answered with the `TrialFacts` after its warm-up."""
        doing = self.tr("creating a session")
        return self._request(Op.OPEN_SESSION, doing, TrialFacts, trial=trial_id, settings=to_json(settings))

    def measure_round(self, trial_id: str, limits: RoundLimits) -> PendingRequest:
        """Measure some runs of a trial that is open; answered with `RoundFacts`."""
        doing = self.tr("measuring a round")
        return self._request(Op.MEASURE_ROUND, doing, RoundFacts, trial=trial_id, limits=to_json(limits))

    def close_session(self, trial_id: str, *, check: bool) -> PendingRequest:
        """End a trial that is open, and compare its outputs or not; answered with its final `TrialFacts`."""
        doing = self.tr("closing a session")
        return self._request(Op.CLOSE_SESSION, doing, TrialFacts, trial=trial_id, check=check)

    def profile(self, settings: TrialSettings) -> PendingRequest:
        """Profile the model of a trial on its target, in a session of its own; answered with a `Profile`."""
        return self._request(Op.PROFILE, self.tr("profiling"), Profile, settings=to_json(settings))

    def explain_policy(self, policy: Policy, model_path: str, ep_options: StringMap = ()) -> PendingRequest:
        """Ask what a policy takes for a model (an empty path: a tiny one); answered with a `PolicyOutcome`."""
        doing = self.tr("trying the policy {0}").format(policy.value)
        return self._request(
            Op.EXPLAIN_POLICY, doing, PolicyOutcome, policy=policy.value, path=model_path, options=dict(ep_options)
        )

    def cancel(self, request: PendingRequest) -> None:
        """Ask for the end of a request; what has not ended after the grace period is killed with its engine."""
        if self._process is None or request.id not in self._pending:
            return
        self._process.send({"id": self._next_id(), "op": Op.CANCEL.value, "request": request.id})
        timer = QTimer(request)
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: self._end_by_force(request))
        timer.start(GRACE_MS)

    def _request(self, op: Op, doing: str, answer_type: type[Any], **parameters: Any) -> PendingRequest:
        request = PendingRequest(self._next_id(), op, doing, answer_type, self)
        self._pending[request.id] = request
        if self._process is None:
            QTimer.singleShot(0, request, lambda: self._fail_if_pending(request.id, self._unavailable()))
        else:
            self._process.send({"id": request.id, "op": op.value, **parameters})
        return request

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _end_by_force(self, request: PendingRequest) -> None:
        """Kill the engine that is at the request. One that still waits fails alone: the engine will pass it over."""
        if next(iter(self._pending), None) == request.id:
            self._kill()
        else:
            message = self.tr("Stopped before {0} was begun.").format(request.doing)
            self._fail_if_pending(request.id, Failure(kind=FailureKind.STOPPED, message=message))

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _on_message(self, message: dict[str, Any]) -> None:
        try:
            if "event" in message:
                self._on_event(message)
            elif message.get("leaving") is True:
                self._leaving = True
                self._held[message["id"]] = message  # told when the engine is gone: nothing more can be asked of it
                self._kill()
            elif self._must_wait(message):
                self._held[message["id"]] = message
                self._deliver_when_quiet(message["id"], self._lines_heard, _MOST_WAITS)
            else:
                self._answer(message)
        except (ValueError, KeyError) as error:  # a DecodeError, or an enum without the value
            self._log(LogSeverity.ERROR, "window", f"A message of the engine could not be understood: {error}")

    def _must_wait(self, message: dict[str, Any]) -> bool:
        """Whether lines printed before this answer are still on their way."""
        request = self._pending.get(message.get("id", 0))
        return request is not None and request.op in _MARKED and request.is_begun and not request.is_heard

    def _deliver_when_quiet(self, request_id: int, heard: int, waits: int) -> None:
        """Deliver an answer once no more lines come, if the mark at their end does not come before."""

        def look() -> None:
            if self._lines_heard == heard or waits == 1:
                self._deliver(request_id)
            elif request_id in self._held:
                self._deliver_when_quiet(request_id, self._lines_heard, waits - 1)

        QTimer.singleShot(_LAST_WORDS_MS, self, look)

    def _deliver(self, request_id: int) -> None:
        message = self._held.pop(request_id, None)
        if message is not None:
            self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        if "error" in message:
            self._fail_if_pending(message.get("id"), from_json(Failure, message["error"]))
        else:
            self._succeed(message)

    def _succeed(self, message: dict[str, Any]) -> None:
        request = self._pending.get(message["id"])
        if request is None:  # the answer to a cancel or a shutdown
            return
        try:
            answer = message["ok"] if request.answer_type is None else from_json(request.answer_type, message["ok"])
        except DecodeError as error:
            self._fail_if_pending(request.id, self._not_understood(error))
            return
        del self._pending[request.id]
        request.succeeded.emit(answer)
        request.deleteLater()

    def _fail_if_pending(self, request_id: Any, failure: Failure) -> None:
        request = self._pending.pop(request_id, None)
        if request is not None:
            request.failed.emit(failure)
            request.deleteLater()

    def _on_event(self, message: dict[str, Any]) -> None:
        kind = EventKind(message["event"])
        if kind is EventKind.GREETING:
            self._on_greeting(from_json(Greeting, message["greeting"]))
        elif kind is EventKind.LOG:
            record = from_json(LogRecord, message["record"])
            self._hear_ort(record)
            self.log_received.emit((record,))
        elif (request := self._pending.get(message["id"])) is not None:
            if kind is EventKind.BEGUN:
                request.is_begun = True
                request.begun.emit()
            elif kind is EventKind.STAGE:
                facts = from_json(TrialFacts, message["facts"])
                request.stage = facts.stage
                request.facts_received.emit(facts)
            elif kind is EventKind.NODES:
                request.nodes_received.emit(from_json(PlacedNodes, message["nodes"]))
            elif kind is EventKind.SAMPLES:
                samples = decode_samples(message["samples"])
                request.samples_received.emit(Stage(message["stage"]), samples, message["elapsed_ns"])

    def _on_greeting(self, greeting: Greeting) -> None:
        if greeting.protocol != PROTOCOL_VERSION:
            self._log(LogSeverity.ERROR, "window", f"The engine speaks protocol {greeting.protocol}; it is replaced.")
            self._deaths_in_a_row += 1  # the kill is intended and not counted, but the next may speak it, too
            self._kill()
            return
        self._greeting = greeting
        self._settling.start(_SETTLED_MS)
        self.ready.emit(greeting)

    def _on_settled(self) -> None:
        self._deaths_in_a_row = 0

    def _on_stderr(self, lines: list[str], left_out: int) -> None:
        now = time.time()
        self._lines_heard += len(lines) + left_out
        records = [record_of_stderr_line(line, now) for line in lines]
        if left_out:
            text = self.tr("{0} lines before these were left out.").format(left_out)
            records.insert(0, LogRecord(time=now, severity=LogSeverity.WARNING, source="window", message=text))
        self._hear_printed(tuple(records))
        self.log_received.emit(tuple(records))

    def _on_mark(self, mark: StderrMark) -> None:
        self._printing_stage = mark.stage
        if not mark.ends:
            self._listening = self._pending.get(mark.request)
            return
        if self._listening is not None:
            self._listening.is_heard = True
            self._listening = None
        self._deliver(mark.request)

    def _hear_printed(self, records: tuple[LogRecord, ...]) -> None:
        """Take lines of stderr for the request they belong to."""
        request = self._listening
        if request is not None and request.op in _LOGGED:
            request.logged.emit(tuple(TrialLogLine(stage=self._printing_stage, record=entry) for entry in records))
        elif request is not None:
            self._keep_said(request, tuple(record.message for record in records))

    def _hear_ort(self, record: LogRecord) -> None:
        """Take a message of ORT's, which comes among the answers: it belongs to the request being done."""
        request = next((entry for entry in self._pending.values() if entry.is_begun and entry.op in _LOGGED), None)
        if request is not None:
            stage = "" if request.stage is None else request.stage.value
            request.logged.emit((TrialLogLine(stage=stage, record=record),))
        elif self._listening is not None and self._listening.op is Op.REGISTER:
            self._keep_said(self._listening, (record.message,))

    @staticmethod
    def _keep_said(request: PendingRequest, lines: tuple[str, ...]) -> None:
        request.said = [*request.said, *lines][-_SAID_LINES:]

    def _on_ended(self, process_exit: ProcessExit) -> None:
        process_exit = replace(process_exit, intended=process_exit.intended or self._closing or self._leaving)
        was_daring = any(request.op in _DARING for request in self._pending.values())
        self._greeting = None
        self._listening = None
        self._settling.stop()
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        for request_id in tuple(self._held):  # answered in time, although it died right after
            self._deliver(request_id)
        self._fail_all(process_exit)
        self._leaving = False
        if self._closing:
            self.closed.emit()
            return
        if not was_daring and not process_exit.intended:
            self._deaths_in_a_row += 1
        self.died.emit(process_exit)
        if self._deaths_in_a_row >= _MAX_DEATHS_IN_A_ROW:
            self.gave_up.emit(process_exit)
        else:
            self.start()

    def _fail_all(self, process_exit: ProcessExit) -> None:
        """Fail what was under way: the oldest was being done, for the engine does one job at a time."""
        failures: list[tuple[int, Failure]] = []
        for index, request in enumerate(self._pending.values()):
            was_done = index == 0 and not self._leaving  # else it had answered, and this one still waited
            failures.append((request.id, self._death(request, process_exit) if was_done else self._unavailable()))
        for request_id, failure in failures:
            self._fail_if_pending(request_id, failure)

    def _death(self, request: PendingRequest, process_exit: ProcessExit) -> Failure:
        doing = request.doing
        if request.stage is not None:
            doing = self.tr("{0} (stage: {1})").format(doing, request.stage.value)
        detail = "\n".join(process_exit.last_lines)
        if process_exit.intended:
            return Failure(
                kind=FailureKind.STOPPED,
                message=self.tr("Stopped while {0}.").format(doing),
                hint=self.tr("Its engine was replaced by a fresh one; nothing else is lost."),
                detail=detail,
            )
        return Failure(
            kind=FailureKind.DIED,
            message=self.tr("The engine died while {0}: {1}.").format(doing, process_exit),
            hint=self.tr("A fresh engine has taken over; nothing else is lost."),
            detail=detail,
        )

    def _not_understood(self, error: DecodeError) -> Failure:
        return Failure(
            kind=FailureKind.INTERNAL,
            message=self.tr("The engine's answer could not be understood."),
            hint=self.tr("Please report it with the details."),
            detail=str(error),
        )

    def _unavailable(self) -> Failure:
        return Failure(
            kind=FailureKind.ENGINE_UNAVAILABLE,
            message=self.tr("The engine ended before this was begun."),
            hint=self.tr("Try again."),
        )

    def _log(self, severity: LogSeverity, source: str, text: str) -> None:
        self.log_received.emit((LogRecord(time=time.time(), severity=severity, source=source, message=text),))
