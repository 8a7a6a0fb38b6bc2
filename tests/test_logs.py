"""What is said comes into the window's log: by Python's logging, by Qt, and by errors nobody expected."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import QObject, Signal, qCritical, qDebug, qInstallMessageHandler, qWarning
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.logs import LogSource
from gui.records.log import LogRecord, LogSeverity


@contextmanager
def kept_hooks() -> Iterator[None]:
    """Give back the hooks of the whole process, which belong to pytest."""
    root, excepthook, thread_hook = logging.getLogger(), sys.excepthook, threading.excepthook
    handlers, level = root.handlers[:], root.level
    message_handler = qInstallMessageHandler(None)
    qInstallMessageHandler(message_handler)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook, threading.excepthook = excepthook, thread_hook
        qInstallMessageHandler(message_handler)


class Heard:
    """What a source told."""

    def __init__(self, source: LogSource) -> None:
        self.records: list[LogRecord] = []
        self.bugs: list[str] = []
        source.logged.connect(self._on_logged)
        source.bug_met.connect(self.bugs.append)

    def _on_logged(self, records: tuple[LogRecord, ...]) -> None:
        self.records += records

    def said(self) -> list[tuple[LogSeverity, str, str]]:
        return [(record.severity, record.source, record.message) for record in self.records]


@pytest.fixture
def source(qapp: QApplication) -> Iterator[LogSource]:
    source = LogSource()
    with kept_hooks():
        source.install()
        yield source


@pytest.fixture
def heard(source: LogSource) -> Heard:
    return Heard(source)


class Slot(QObject):
    called = Signal()

    def fail(self) -> None:
        raise ValueError("a slot failed")


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (logging.INFO, LogSeverity.INFO),
        (logging.WARNING, LogSeverity.WARNING),
        (logging.ERROR, LogSeverity.ERROR),
        (logging.CRITICAL, LogSeverity.FATAL),
        (logging.WARNING + 5, LogSeverity.WARNING),
        (90, LogSeverity.FATAL),
    ],
)
def test_that_pythons_levels_become_severities(heard: Heard, level: int, severity: LogSeverity) -> None:
    logging.getLogger("gui.settings").log(level, "the %s cannot be used", "setting")
    assert heard.said() == [(severity, "window", "the setting cannot be used")]


def test_that_debug_messages_of_others_stay_out(heard: Heard) -> None:
    logging.getLogger("someone").debug("chatter")
    assert heard.said() == []


def test_that_qt_messages_are_logged_and_stay_on_stderr(heard: Heard, capsys: pytest.CaptureFixture[str]) -> None:
    qDebug("fine")
    qWarning("hm")
    qCritical("oh")
    assert heard.said() == [
        (LogSeverity.VERBOSE, "Qt", "fine"),
        (LogSeverity.WARNING, "Qt", "hm"),
        (LogSeverity.ERROR, "Qt", "oh"),
    ]
    assert capsys.readouterr().err == "fine\nhm\noh\n"


def test_that_an_error_in_a_slot_is_a_bug_with_its_traceback(heard: Heard, capsys: pytest.CaptureFixture[str]) -> None:
    slot = Slot()
    slot.called.connect(slot.fail)
    slot.called.emit()
    (bug,) = heard.bugs
    assert bug.startswith("Traceback")
    assert "in fail" in bug
    assert bug.rstrip().endswith("ValueError: a slot failed")
    assert heard.said() == [(LogSeverity.FATAL, "window", bug)]
    assert "a slot failed" in capsys.readouterr().err


def test_that_an_error_in_a_thread_is_told_on_the_windows_thread(qtbot: QtBot, source: LogSource, heard: Heard) -> None:
    threads: list[threading.Thread] = []

    class Listener(QObject):
        def listen(self, _text: str) -> None:
            threads.append(threading.current_thread())

    listener = Listener()
    source.bug_met.connect(listener.listen)
    thread = threading.Thread(target=lambda: 1 / 0)
    with qtbot.waitSignal(source.bug_met, timeout=5000):
        thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(threads), timeout=5000)
    assert "ZeroDivisionError" in heard.bugs[0]
    assert threads == [threading.main_thread()]


def test_that_an_interrupt_is_no_bug(heard: Heard, capsys: pytest.CaptureFixture[str]) -> None:
    error = KeyboardInterrupt()
    sys.excepthook(KeyboardInterrupt, error, None)
    assert heard.bugs == []
    assert heard.said() == []
    assert "KeyboardInterrupt" in capsys.readouterr().err
