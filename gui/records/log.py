"""Log records, and how lines of native stderr become some."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum


class LogSeverity(IntEnum):
    """OrtLoggingLevel."""

    VERBOSE = 0
    INFO = 1
    WARNING = 2
    ERROR = 3
    FATAL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One message."""

    time: float
    """Seconds since the epoch."""
    severity: LogSeverity
    source: str
    """Who says so: `onnxruntime`, `engine`, `native` (what a library printed), `window`."""
    message: str


_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_ORT_LINE = re.compile(r"^\d{4}-\d\d-\d\d[ T][\d:.]+ \[([VIWEF]):(\w+):([^,\]]*), ([^\]]*)\] (.*)$", re.DOTALL)
_LETTERS = dict(zip("VIWEF", LogSeverity, strict=True))
_CONTROL = dict.fromkeys((*range(9), *range(11, 32), 127))


def strip_ansi(text: str) -> str:
    """Return `text` without terminal colours and control characters."""
    return _ANSI.sub("", text).translate(_CONTROL)


def record_of_stderr_line(line: str, time: float) -> LogRecord:
    """Return the record of one line of the engine's stderr: ORT's own form is taken apart, the rest is `native`."""
    text = strip_ansi(line).rstrip()
    found = _ORT_LINE.match(text)
    if found is None:
        return LogRecord(time=time, severity=_guess_severity(text), source="native", message=text)
    letter, source, _logid, _place, message = found.groups()
    return LogRecord(time=time, severity=_LETTERS[letter], source=source, message=message)


def _guess_severity(text: str) -> LogSeverity:
    head = text[:80].lower()
    if re.search(r"\b(fatal|abort(ed|ing)?|terminate called|assertion .*failed)\b", text[:400].lower()):
        return LogSeverity.FATAL
    if re.search(r"\b(error|failed|exception)\b", head):
        return LogSeverity.ERROR
    if re.search(r"\bwarn(ing)?\b", head):
        return LogSeverity.WARNING
    return LogSeverity.INFO
