"""Reads library files and looks for some, each wish in a process of its own, which may die of what it reads."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from ..records.codec import DecodeError, from_json
from ..records.engine_command import engine_environment, inspector_command
from ..records.failure import Failure, FailureKind
from ..records.library_check import Finding, FoundLibrary, LibraryCheck, Mark
from ..records.process_exit import ProcessExit
from .process import EngineProcess

_LIMIT_MS: Final = 60_000
"""What is not read by then lies on a file system that does not answer."""


class Inspection(QObject):
    """One wish: `checked` or `found` for each library, then `ended`, once."""

    checked = Signal(LibraryCheck)
    found = Signal(FoundLibrary)
    ended = Signal(object, tuple)
    """A `Failure` or None, and what could not be looked at, a line each."""

    def __init__(self, message: dict[str, Any], parent: QObject) -> None:
        super().__init__(parent)
        self._message = message
        self._left = list(message.get("paths", ()))
        self._process: EngineProcess | None = None
        self._ok: dict[str, Any] | None = None
        self._failure: Failure | None = None
        self._reading = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LIMIT_MS)
        self._timer.timeout.connect(self.stop)

    def start(self) -> None:
        """Start the process that reads."""
        process = EngineProcess(inspector_command(), engine_environment(), self)
        process.message_received.connect(self._on_message)
        process.ended.connect(self._on_ended)
        self._process = process
        process.start()
        paths = {"paths": self._left} if self._left else {}
        process.send({**self._message, **paths})
        self._timer.start()

    def stop(self) -> None:
        """End it at once."""
        self._left = self._left[:1]
        if self._process is not None:
            self._process.kill()

    def _on_message(self, message: dict[str, Any]) -> None:
        try:
            if "ok" in message:
                self._ok = message["ok"]
            elif "error" in message:
                self._failure = from_json(Failure, message["error"])
            elif message["event"] == "checking":
                self._reading = message["path"]
            elif message["event"] == "checked":
                self._tell_checked(from_json(LibraryCheck, message["check"]))
            elif message["event"] == "found":
                self.found.emit(from_json(FoundLibrary, message["library"]))
        except (DecodeError, KeyError) as error:
            self._failure = Failure(
                kind=FailureKind.INTERNAL,
                message=self.tr("What reads library files gave an answer that is not understood."),
                hint=self.tr("Please report it with the details."),
                detail=str(error),
            )

    def _tell_checked(self, check: LibraryCheck) -> None:
        self._timer.start()
        self._reading = ""
        if check.path in self._left:
            self._left.remove(check.path)
        self.checked.emit(check)

    def _on_ended(self, process_exit: ProcessExit) -> None:
        self._timer.stop()
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        if self._left:
            self._tell_checked(self._unreadable(self._reading or self._left[0], process_exit))
        if self._left:  # these are read by a process that has not seen that file
            self.start()
            return
        if self._message["op"] == "find" and self._ok is None and self._failure is None:
            self._failure = self._death(process_exit)
        self.ended.emit(self._failure, tuple((self._ok or {}).get("problems", ())))
        self.deleteLater()

    def _unreadable(self, path: str, process_exit: ProcessExit) -> LibraryCheck:
        text = self.tr("reading it ended the process that read it: {0}").format(process_exit)
        finding = Finding(topic=self.tr("file"), mark=Mark.DOUBTFUL, text=text)
        return LibraryCheck(path=path, findings=(finding,))

    def _death(self, process_exit: ProcessExit) -> Failure:
        if process_exit.intended:
            return Failure(kind=FailureKind.STOPPED, message=self.tr("The search was stopped."))
        return Failure(
            kind=FailureKind.DIED,
            message=self.tr("What looks for libraries died: {0}.").format(process_exit),
            hint=self.tr("What was found until then is listed; add other libraries by their files."),
            detail="\n".join(process_exit.last_lines),
        )


class Inspector(QObject):
    """Starts inspections. Several may run at a time."""

    closed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: list[Inspection] = []
        self._closing = False

    def check(self, paths: tuple[str, ...]) -> Inspection:
        """Read these files, absolute paths."""
        return self._start({"id": 1, "op": "inspect", "paths": list(paths)})

    def find(self, folders: tuple[str, ...]) -> Inspection:
        """Look for EP libraries among the installed Python distributions and in these folders."""
        return self._start({"id": 1, "op": "find", "folders": list(folders)})

    def close(self) -> None:
        """End what is running; `closed` tells when nothing runs any more."""
        self._closing = True
        for inspection in self._running:
            inspection.stop()
        if not self._running:
            self.closed.emit()

    def _start(self, message: dict[str, Any]) -> Inspection:
        inspection = Inspection(message, self)
        self._running.append(inspection)
        inspection.ended.connect(self._on_ended)
        inspection.start()
        return inspection

    def _on_ended(self) -> None:
        ended = self.sender()
        self._running = [inspection for inspection in self._running if inspection is not ended]
        if self._closing and not self._running:
            self.closed.emit()
