"""The engine's two threads: the main thread reads requests and can always answer; the worker does all ORT work."""

from __future__ import annotations

import os
import platform
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import __version__
from ..records.codec import DecodeError, from_json, string_map, to_json
from ..records.comparison import RoundFacts, RoundLimits
from ..records.failure import Failure, FailureError, FailureKind
from ..records.inputs import InputProposals
from ..records.log import LogRecord, LogSeverity
from ..records.placement import PlacedNodes
from ..records.policies import PolicyOutcome
from ..records.profile import Profile
from ..records.protocol import PROTOCOL_VERSION, EventKind, Greeting, Inventory, Op, StderrMark, encode_mark
from ..records.samples import Nanoseconds, encode_samples
from ..records.trial import CompiledModel, Policy, Stage, TrialFacts, TrialSettings
from . import ort
from .cancellation import Cancellation
from .channel import Channel
from .compiler import compile_model
from .models import describe_model
from .open_trials import OpenTrials
from .policies import explain_policy
from .profiling import profile_model
from .proposals import propose_inputs
from .references import References
from .registry import Registry
from .trial import Trial, TrialListener

_LOGS_PER_SECOND = 1000


@dataclass(slots=True)
class _Job:
    """A request that waits for the worker or is being done."""

    id: int
    op: Op
    message: dict[str, Any]
    cancellation: Cancellation = field(default_factory=Cancellation)
    begun: bool = False


class Server:
    """Serves one peer over a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._open: dict[int, _Job] = {}
        self._lock = threading.Lock()
        self._registry = Registry()
        self._references = References()
        self._trials = OpenTrials(self._registry, self._references)

    def serve(self) -> int:
        """Serve until the peer hangs up or asks for the end; does not return when a job is still under way."""
        _die_with_parent()
        if ort.set_logger_callback is not None:
            ort.set_logger_callback(_LogForwarder(self._channel), LogSeverity.WARNING.value)
        self._send_event(None, EventKind.GREETING, greeting=to_json(greeting()))
        threading.Thread(target=self._work, name="worker", daemon=True).start()
        try:
            for message in self._channel.messages():
                self._receive(message)
        except DecodeError as error:
            print(f"engine: the peer does not speak the protocol: {error}", file=sys.stderr)
        return _leave()

    def _receive(self, message: dict[str, Any]) -> None:
        request_id = message.get("id")
        try:
            op = Op(message.get("op"))
        except ValueError:
            op = None
        if not isinstance(request_id, int) or op is None:
            self._send_error(request_id, _bad_request(f"Unknown request: {str(message)[:200]}"))
        elif op is Op.SHUTDOWN:
            self._send_ok(request_id, {})
            _leave()
        elif op is Op.PING:
            self._send_ok(request_id, {})
        elif op is Op.CANCEL:
            self._cancel(message.get("request"))
            self._send_ok(request_id, {})
        else:
            self._take(_Job(request_id, op, message))

    def _take(self, job: _Job) -> None:
        with self._lock:
            is_new = self._open.setdefault(job.id, job) is job
        if is_new:
            self._jobs.put(job)
        else:
            self._send_error(job.id, _bad_request(f"The request {job.id} is still under way."))

    def _cancel(self, request_id: Any) -> None:
        """Ask the job that is being done to end; one that waits behind it ends here and now."""
        with self._lock:
            job = self._open.get(request_id) if isinstance(request_id, int) else None
            if job is not None and not job.begun:
                del self._open[job.id]
        if job is None:
            return
        job.cancellation.request()
        if not job.begun:
            self._send_error(job.id, Failure(kind=FailureKind.STOPPED, message="It was stopped before it began."))

    def _work(self) -> None:
        """The worker thread: one job at a time, each answered whatever happens."""
        handlers: dict[Op, Callable[[_Job], Any]] = {
            Op.REGISTER: self._register,
            Op.UNREGISTER: lambda job: self._registry.unregister(_text(job, "name")),
            Op.DEVICES: lambda _job: self._registry.inventory(),
            Op.EXPLAIN_HARDWARE: lambda job: self._registry.explain_hardware(_text(job, "name")),
            Op.DESCRIBE_MODEL: lambda job: describe_model(_text(job, "path")),
            Op.PROPOSE_INPUTS: _propose_inputs,
            Op.RUN_TRIAL: self._run_trial,
            Op.OPEN_SESSION: self._open_session,
            Op.MEASURE_ROUND: self._measure_round,
            Op.CLOSE_SESSION: self._close_session,
            Op.COMPILE: self._compile,
            Op.PROFILE: self._profile,
            Op.EXPLAIN_POLICY: self._explain_policy,
        }
        while True:
            job = self._jobs.get()
            with self._lock:
                if self._open.get(job.id) is not job:  # stopped while it waited
                    continue
                job.begun = True
            self._send_event(job.id, EventKind.BEGUN)
            try:
                answer = to_json(handlers[job.op](job))
                self._send_ok(job.id, answer)
            except FailureError as error:
                self._send_error(job.id, error.failure)
            except Exception as error:  # noqa: BLE001 a bug of ours must not leave the request without an answer
                self._send_error(job.id, _internal(error))
            finally:
                with self._lock:
                    del self._open[job.id]
                job.cancellation.let_go()

    def _register(self, job: _Job) -> Inventory:
        with _marked(job.id):
            return self._registry.register(_text(job, "name"), _text(job, "path"))

    def _run_trial(self, job: _Job) -> TrialFacts:
        settings = from_json(TrialSettings, job.message.get("settings"))
        with _marked(job.id):
            return Trial(settings, self._registry, self._references, job.cancellation, self._listener(job)).run()

    def _open_session(self, job: _Job) -> TrialFacts:
        trial_id, settings = _text(job, "trial"), from_json(TrialSettings, job.message.get("settings"))
        with _marked(job.id):
            return self._trials.open(trial_id, settings, job.cancellation, self._listener(job))

    def _measure_round(self, job: _Job) -> RoundFacts:
        trial_id, limits = _text(job, "trial"), from_json(RoundLimits, job.message.get("limits"))
        return self._trials.measure_round(trial_id, limits, job.cancellation, self._listener(job))

    def _close_session(self, job: _Job) -> TrialFacts:
        trial_id, check = _text(job, "trial"), job.message.get("check")
        if not isinstance(check, bool):
            raise FailureError(_bad_request(f"{job.op.value} needs “check” as true or false."))
        with _marked(job.id):
            return self._trials.close(trial_id, job.cancellation, self._listener(job), check=check)

    def _listener(self, job: _Job) -> TrialListener:
        """Return what sends all that a trial tells to the peer, as events of a job."""

        def tell_nodes(nodes: PlacedNodes) -> None:
            self._send_event(job.id, EventKind.NODES, nodes=to_json(nodes))

        def send(stage: Stage, samples: Nanoseconds, elapsed_ns: int) -> None:
            encoded = encode_samples(samples)
            self._send_event(job.id, EventKind.SAMPLES, stage=stage.value, samples=encoded, elapsed_ns=elapsed_ns)

        def give_up(failure: Failure) -> None:
            self._channel.send({"id": job.id, "error": to_json(failure), "leaving": True})
            _leave()

        return TrialListener(tell=self._stage_teller(job), nodes=tell_nodes, send=send, give_up=give_up)

    def _stage_teller(self, job: _Job) -> Callable[[TrialFacts], None]:
        """Return what tells the stages of a job, on both ways to the peer."""

        def tell(facts: TrialFacts) -> None:
            _mark_stderr(StderrMark(request=job.id, stage=facts.stage.value))
            self._send_event(job.id, EventKind.STAGE, facts=to_json(facts))

        return tell

    def _compile(self, job: _Job) -> CompiledModel:
        settings = from_json(TrialSettings, job.message.get("settings"))

        def tell(facts: TrialFacts) -> None:
            self._send_event(job.id, EventKind.STAGE, facts=to_json(facts))

        return compile_model(settings, _text(job, "path"), self._registry, job.cancellation, tell)

    def _profile(self, job: _Job) -> Profile:
        settings = from_json(TrialSettings, job.message.get("settings"))
        with _marked(job.id):
            return profile_model(settings, self._registry, job.cancellation, self._stage_teller(job))

    def _explain_policy(self, job: _Job) -> PolicyOutcome:
        try:
            policy = Policy(_text(job, "policy"))
        except ValueError as error:
            raise FailureError(_bad_request(f"There is no such policy: {error}.")) from error
        options = job.message.get("options", {})
        if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
            raise FailureError(_bad_request(f"{job.op.value} needs “options” as an object of text."))
        path = _text(job, "path")
        return explain_policy(policy, path, string_map(options), self._registry, job.cancellation)

    def _send_ok(self, request_id: Any, answer: dict[str, Any]) -> None:
        self._channel.send({"id": request_id, "ok": answer})

    def _send_error(self, request_id: Any, failure: Failure) -> None:
        self._channel.send({"id": request_id, "error": to_json(failure)})

    def _send_event(self, request_id: int | None, kind: EventKind, **payload: Any) -> None:
        self._channel.send({"id": request_id, "event": kind.value, **payload})


class _LogForwarder:
    """ORT's logger callback: called on whatever thread logs, with the GIL held. Lets so many a second through."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._second = 0
        self._sent = 0
        self._left_out = 0

    def __call__(self, severity: int, _category: str, _logid: str, _place: str, message: str) -> None:
        now = time.time()
        if int(now) != self._second:
            if self._left_out:
                self._send(now, LogSeverity.WARNING, f"{self._left_out} more messages in that second were left out.")
            self._second, self._sent, self._left_out = int(now), 0, 0
        if self._sent >= _LOGS_PER_SECOND:
            self._left_out += 1
            return
        self._sent += 1
        self._send(now, LogSeverity(severity), message)

    def _send(self, now: float, severity: LogSeverity, message: str) -> None:
        record = LogRecord(time=now, severity=severity, source="onnxruntime", message=message)
        self._channel.send({"id": None, "event": EventKind.LOG.value, "record": to_json(record)})


def greeting() -> Greeting:
    """Return what this process is."""
    return Greeting(
        protocol=PROTOCOL_VERSION,
        application=__version__,
        onnxruntime=ort.VERSION,
        python=platform.python_version(),
        platform=platform.platform(),
        numpy=np.__version__,
        process_id=os.getpid(),
        cpu=_cpu_name(),
        cpu_count=os.cpu_count() or 0,
    )


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:  # noqa: PTH123 not a file to keep
            for line in stream:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _propose_inputs(job: _Job) -> InputProposals:
    sizes = job.message.get("sizes")
    if not isinstance(sizes, dict) or not all(type(size) is int for size in sizes.values()):
        raise FailureError(_bad_request(f"{job.op.value} needs “sizes” as an object of whole numbers."))
    return propose_inputs(_text(job, "path"), sizes)


def _text(job: _Job, key: str) -> str:
    value = job.message.get(key)
    if not isinstance(value, str):
        raise FailureError(_bad_request(f"{job.op.value} needs “{key}” as text."))
    return value


def _bad_request(message: str) -> Failure:
    return Failure(kind=FailureKind.BAD_REQUEST, message=message)


def _internal(error: Exception) -> Failure:
    if isinstance(error, DecodeError):
        return Failure(kind=FailureKind.BAD_SETTING, message=f"The settings cannot be used: {error}.")
    return Failure(
        kind=FailureKind.INTERNAL,
        message=f"The engine met an error it did not expect: {error}",
        hint="Please report it with the details.",
        detail="".join(traceback.format_exception(error)),
    )


@contextmanager
def _marked(request_id: int) -> Iterator[None]:
    """Mark in stderr where a request begins and ends."""
    _mark_stderr(StderrMark(request=request_id))
    try:
        yield
    finally:
        _mark_stderr(StderrMark(request=request_id, ends=True))


def _mark_stderr(mark: StderrMark) -> None:
    sys.stderr.flush()
    try:
        os.write(2, encode_mark(mark))
    except OSError:  # the library closed it: then there are no lines to tell apart
        return


def _leave() -> int:
    """End at once, whatever the worker is in: an orderly exit would wait for it, or crash in an EP's exit code."""
    sys.stderr.flush()
    os._exit(0)


def _die_with_parent() -> None:
    """On Linux, have the kernel end this process with its parent, also while a library hangs with the GIL held."""
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
