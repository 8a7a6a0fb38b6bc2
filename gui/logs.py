"""Brings Python's logging, uncaught errors and Qt's own messages into the window's log."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from .records.log import LogRecord, LogSeverity

_OF_QT = {
    QtMsgType.QtDebugMsg: LogSeverity.VERBOSE,
    QtMsgType.QtInfoMsg: LogSeverity.INFO,
    QtMsgType.QtWarningMsg: LogSeverity.WARNING,
    QtMsgType.QtCriticalMsg: LogSeverity.ERROR,
    QtMsgType.QtFatalMsg: LogSeverity.FATAL,
}


class LogSource(QObject):
    """Emits on the thread that logs; connected slots of the window run on the window's."""

    logged = Signal(tuple)
    """Of `LogRecord`."""
    bug_met = Signal(str)
    """The traceback of an error nobody expected."""

    def install(self) -> None:
        """Take over from now on."""
        logging.getLogger().addHandler(_Handler(self))
        logging.getLogger().setLevel(logging.INFO)
        sys.excepthook = self._on_uncaught
        threading.excepthook = self._on_uncaught_in_thread
        qInstallMessageHandler(self._on_qt_message)

    def emit_record(self, severity: LogSeverity, source: str, message: str) -> None:
        """Log one message."""
        self.logged.emit((LogRecord(time=time.time(), severity=severity, source=source, message=message),))

    def _on_uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        print(text, file=sys.stderr)
        self.emit_record(LogSeverity.FATAL, "window", text)
        self.bug_met.emit(text)

    def _on_uncaught_in_thread(self, arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value or arguments.exc_type()
        self._on_uncaught(arguments.exc_type, error, arguments.exc_traceback)

    def _on_qt_message(self, kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        print(text, file=sys.stderr)
        self.emit_record(_OF_QT.get(kind, LogSeverity.INFO), "Qt", text)


class _Handler(logging.Handler):
    def __init__(self, source: LogSource) -> None:
        super().__init__()
        self._source = source

    def emit(self, record: logging.LogRecord) -> None:
        """Logging's."""
        severity = LogSeverity(max(0, min(4, record.levelno // 10 - 1 if record.levelno >= 20 else 0)))
        self._source.emit_record(severity, "window", record.getMessage())
