"""The protocol between the window (or the command line) and the engine: one JSON object a line, UTF-8, both ways.

Requests are `{"id": n, "op": …, …}`; answers `{"id": n, "ok": …}` or `{"id": n, "error": {kind, message, hint,
detail}}`; events `{"id": n or null, "event": …, …}`, where the id is that of the request they belong to.

What native code prints goes to stderr. Around the loading of a library, around a trial and before each of its stages
the engine writes a mark there, so that its peer can tell which lines were printed meanwhile; see `encode_mark`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .codec import DecodeError
from .device import Device, HardwareDevice, Incompatibility
from .library import Library

PROTOCOL_VERSION = 1


class Op(Enum):
    """What an engine can be asked to do."""

    REGISTER = "register"
    """`name`, `path` -> `Inventory`"""
    UNREGISTER = "unregister"
    """`name` -> `Inventory`"""
    DEVICES = "devices"
    """-> `Inventory`"""
    EXPLAIN_HARDWARE = "explain_hardware"
    """`name` of a library -> `Explanation`"""
    DESCRIBE_MODEL = "describe_model"
    """`path` -> `ModelDescription`"""
    PROPOSE_INPUTS = "propose_inputs"
    """`path`, `sizes` (an object of free dimensions) -> `InputProposals`"""
    RUN_TRIAL = "run_trial"
    """`settings` -> `TrialFacts`; events STAGE and SAMPLES"""
    OPEN_SESSION = "open_session"
    """`trial` (a UUID), `settings` -> `TrialFacts`: a trial's inputs, session, first run and warm-up; it stays open
    under that id. Events STAGE, NODES and SAMPLES (warming up)"""
    MEASURE_ROUND = "measure_round"
    """`trial`, `limits` (`RoundLimits`) -> `RoundFacts`: some of the runs of a trial that is open; events SAMPLES,
    those of the lead-in as warming up"""
    CLOSE_SESSION = "close_session"
    """`trial`, `check` (whether its outputs are compared now) -> `TrialFacts`: ends a trial that is open; events
    STAGE"""
    COMPILE = "compile"
    """`settings`, `path` (of the file to write) -> `CompiledModel`; events STAGE"""
    PROFILE = "profile"
    """`settings` -> `Profile`; events STAGE"""
    EXPLAIN_POLICY = "explain_policy"
    """`policy`, `path` of the model (empty for a tiny one of the engine's), `options` (an object of EP options) ->
    `PolicyOutcome`"""
    CANCEL = "cancel"
    """`request` (an id) -> `{}`; the request itself is answered too. Answered at once, while work is under way."""
    PING = "ping"
    """-> `{}`, at once"""
    SHUTDOWN = "shutdown"
    """-> `{}`, then the engine exits"""


class EventKind(Enum):
    """What an engine tells unasked."""

    GREETING = "greeting"
    """`greeting`: `Greeting`; the first line of all"""
    LOG = "log"
    """`record`: `LogRecord`"""
    BEGUN = "begun"
    """The worker has taken the request up: it waited for others until then."""
    STAGE = "stage"
    """`facts`: `TrialFacts`, before the stage is entered"""
    NODES = "nodes"
    """`nodes`: `PlacedNodes` of a trial, once its session is there"""
    SAMPLES = "samples"
    """`stage` (warming up or measuring), `samples`: see `records.samples`, `elapsed_ns` since that stage began"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What an engine says first."""

    protocol: int
    application: str
    """The version of this application that the engine belongs to."""
    onnxruntime: str
    python: str
    platform: str
    numpy: str
    process_id: int
    cpu: str = ""
    cpu_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The libraries registered in an engine and all devices it reaches."""

    libraries: tuple[Library, ...]
    devices: tuple[Device, ...]
    hardware: tuple[HardwareDevice, ...] | None = None
    """What ORT found on the machine, offered by an EP or not; None where the binding does not tell."""
    still_mapped: tuple[str, ...] = ()
    """Files of unregistered libraries whose code is in the engine's memory all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the EPs of a library say of the hardware that ORT found: one entry a piece they do not offer or warn of."""

    incompatibilities: tuple[Incompatibility, ...] = ()


_MARK = "\x1e"
_BEGINS, _ENDS, _ENTERS = "begins", "ends", "enters "


@dataclass(frozen=True, slots=True, kw_only=True)
class StderrMark:
    """Where in stderr a request begins, enters a stage, or ends."""

    request: int
    stage: str = ""
    """The stage it enters there."""
    ends: bool = False


def encode_mark(mark: StderrMark) -> bytes:
    """Return the lines for stderr that hold a mark, whatever was printed before."""
    word = f"{_ENTERS}{mark.stage}" if mark.stage else _ENDS if mark.ends else _BEGINS
    return f"\n{_MARK}{mark.request} {word}\n".encode("ascii")


def decode_mark(line: str) -> StderrMark | None:
    """Return the mark that a line of stderr is, else None."""
    number, _, word = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not number.isdecimal():
        return None
    if word.startswith(_ENTERS) and len(word) > len(_ENTERS):
        return StderrMark(request=int(number), stage=word.removeprefix(_ENTERS))
    return StderrMark(request=int(number), ends=word == _ENDS) if word in (_BEGINS, _ENDS) else None


def encode_line(message: dict[str, Any]) -> bytes:
    """Return a message as one line. All but ASCII is escaped: file names may hold what UTF-8 cannot."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def decode_line(line: bytes) -> dict[str, Any]:
    """Return the message of one line. Raises `DecodeError` when it is no JSON object."""
    try:
        message = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not a line of JSON: {error}") from error
    if not isinstance(message, dict):
        raise DecodeError("not a JSON object")
    return message
