"""The engine as a child process: lines out, lines in, and how it ended. Asynchronous throughout."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from ..records.codec import DecodeError
from ..records.log import strip_ansi
from ..records.process_exit import ProcessExit
from ..records.protocol import StderrMark, decode_line, decode_mark, encode_line

_LAST_LINES: Final = 40
_LINES_AT_ONCE: Final = 500
"""Of one reading of stderr: an EP that prints in a loop must not take the window's time."""


class EngineProcess(QObject):
    """One engine process, from its start to its end."""

    message_received = Signal(dict)
    stderr_received = Signal(list, int)
    """Lines of text, and how many more there were that are left out."""
    marked = Signal(StderrMark)
    """A request begins, enters a stage or ends at this place among the lines of stderr."""
    ended = Signal(ProcessExit)

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = QProcess(self)
        self._process.setProgram(command[0])
        self._process.setArguments(list(command[1:]))
        variables = QProcessEnvironment()
        for name, value in environment.items():
            variables.insert(name, value)
        self._process.setProcessEnvironment(variables)
        self._pending_out = b""
        self._pending_err = b""
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._killed_on_purpose = False
        self._process.readyReadStandardOutput.connect(self._read_messages)
        self._process.readyReadStandardError.connect(self._read_stderr)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    def start(self) -> None:
        """Start the process; returns at once."""
        self._process.start()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; what is sent before the process runs is kept for it."""
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            self._process.write(encode_line(message))

    def kill(self) -> None:
        """End the process at once; `ended` tells when it is gone."""
        self._killed_on_purpose = True
        self._process.kill()

    def is_alive(self) -> bool:
        """Whether it is starting or running."""
        return self._process.state() is not QProcess.ProcessState.NotRunning

    def process_id(self) -> int:
        """The process id, 0 when it does not run."""
        return int(self._process.processId())

    def _read_messages(self) -> None:
        data = self._pending_out + bytes(self._process.readAllStandardOutput().data())
        *lines, self._pending_out = data.split(b"\n")
        for line in lines:
            try:
                message = decode_line(line)
            except DecodeError as error:
                self.stderr_received.emit([f"error: the engine sent a line that is no message: {error}"], 0)
            else:
                self.message_received.emit(message)

    def _read_stderr(self) -> None:
        data = self._pending_err + bytes(self._process.readAllStandardError().data())
        *lines, self._pending_err = data.split(b"\n")
        if len(self._pending_err) > 1 << 16:  # a line without an end
            lines.append(self._pending_err)
            self._pending_err = b""
        self._take_stderr(lines)

    def _take_stderr(self, lines: list[bytes]) -> None:
        """Pass lines on, with the marks between them in their places."""
        plain: list[bytes] = []
        for line in lines:
            mark = decode_mark(line.decode("utf-8", "replace").rstrip())
            if mark is None:
                plain.append(line)
                continue
            self._pass_on(plain)
            plain = []
            self.marked.emit(mark)
        self._pass_on(plain)

    def _pass_on(self, lines: list[bytes]) -> None:
        kept = lines[-_LINES_AT_ONCE:]
        texts = [text for line in kept if (text := line.decode("utf-8", "replace").rstrip())]
        if texts:
            self._last_lines.extend(strip_ansi(text) for text in texts[-_LAST_LINES:])
            self.stderr_received.emit(texts, len(lines) - len(kept))

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read_messages()
        self._read_stderr()
        self._take_stderr([self._pending_err])
        self._pending_err = b""
        self._end(code, crashed=status is QProcess.ExitStatus.CrashExit)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:  # no `finished` follows
            self._last_lines.append(self._process.errorString())
            self._end(-1, crashed=False)

    def _end(self, code: int, *, crashed: bool) -> None:
        self.ended.emit(
            ProcessExit(
                code=code,
                crashed=crashed,
                intended=self._killed_on_purpose,
                last_lines=tuple(self._last_lines),
            )
        )
