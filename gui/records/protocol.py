"""The protocol between the window (or the command line) and the engine: one JSON object a line, UTF-8, both ways.

Requests are `{"id": n, "op": …, …}`; answers `{"id": n, "ok": …}` or `{"id": n, "error": {kind, message, hint,
detail}}`; events `{"id": n or null, "event": …, …}`, where the id is that of the request they belong to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .codec import DecodeError
from .device import Device
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
    DESCRIBE_MODEL = "describe_model"
    """`path` -> `ModelDescription`"""
    RUN_TRIAL = "run_trial"
    """`settings` -> `TrialFacts`; events STAGE and SAMPLES"""
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
    STAGE = "stage"
    """`facts`: `TrialFacts`, before the stage is entered"""
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
