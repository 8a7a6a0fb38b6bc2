"""The child process: lines out, lines in, how it ended. Small Python programs stand for an engine here."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from gui.client.process import EngineProcess
from gui.records.engine_command import engine_environment
from gui.records.process_exit import ProcessExit

from ..keepers import TIMEOUT_MS


@dataclass
class Child:
    """A program as an engine process, and what it said."""

    process: EngineProcess
    messages: list[dict[str, Any]] = field(default_factory=list)
    readings: list[tuple[list[str], int]] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The lines of stderr that were let through."""
        return [line for lines, _left_out in self.readings for line in lines]


class Children:
    """Runs programs to their end."""

    def __init__(self, qtbot: QtBot) -> None:
        self._qtbot = qtbot
        self._children: list[Child] = []

    def child(self, program: str, *command: str) -> Child:
        """Prepare a program, or another command."""
        whole = command or (sys.executable, "-I", "-S", "-c", "import os, sys\n" + program)
        child = Child(EngineProcess(whole, engine_environment()))
        child.process.message_received.connect(child.messages.append)
        child.process.stderr_received.connect(lambda lines, left_out: child.readings.append((lines, left_out)))
        self._children.append(child)
        return child

    def run(self, program: str) -> tuple[Child, ProcessExit]:
        """Run a program to its end."""
        child = self.child(program)
        return child, self.end_of(child)

    def end_of(self, child: Child) -> ProcessExit:
        """Start a child and wait for its end."""
        with self._qtbot.waitSignal(child.process.ended, timeout=TIMEOUT_MS) as ended:
            child.process.start()
        process_exit = ended.args[0]
        assert isinstance(process_exit, ProcessExit)
        return process_exit

    def kill_all(self) -> None:
        """End what a failed test left."""
        for child in self._children:
            if child.process.is_alive():
                with self._qtbot.waitSignal(child.process.ended, timeout=TIMEOUT_MS):
                    child.process.kill()


@pytest.fixture
def children(qtbot: QtBot) -> Iterator[Children]:
    children = Children(qtbot)
    yield children
    children.kill_all()


def test_that_a_message_in_pieces_arrives_whole(children: Children) -> None:
    child, _ = children.run(
        """
import time
for piece in (b'{"a"', b': 1}\\n{"b": "', "ü".encode()[:1], "ü".encode()[1:], b'"}\\n{"c": 3}\\n'):
    os.write(1, piece)
    time.sleep(0.02)  # in the child: so that the pieces are read apart
"""
    )
    assert child.messages == [{"a": 1}, {"b": "ü"}, {"c": 3}]


def test_that_a_line_that_is_no_message_is_told_and_passed_over(children: Children) -> None:
    child, _ = children.run("""os.write(1, b'{"a": 1}\\nhello\\n[]\\n{"b": 2}\\n')""")
    assert child.messages == [{"a": 1}, {"b": 2}]
    assert len(child.lines) == 2
    assert all("no message" in line for line in child.lines)


def test_that_what_is_sent_before_it_runs_arrives(children: Children) -> None:
    child = children.child("""os.write(1, b'{"got": ' + sys.stdin.buffer.readline().strip() + b'}\\n')""")
    child.process.start()
    child.process.send({"id": 7})
    children._qtbot.waitUntil(lambda: not child.process.is_alive(), timeout=TIMEOUT_MS)
    assert child.messages == [{"got": {"id": 7}}]


def test_that_the_last_lines_are_kept_without_colours(children: Children) -> None:
    program = "for n in range(100): os.write(2, b'\\x1b[31mline %d\\x1b[0m\\n' % n)\nos.write(2, b'no line end')"
    _, process_exit = children.run(program)
    assert process_exit.last_lines == (*(f"line {number}" for number in range(61, 100)), "no line end")


def test_that_a_flood_is_bounded_and_counted(children: Children) -> None:
    count = 300_000
    child, process_exit = children.run(
        f"data = b'x\\n' * {count} + b'last\\n'\nwhile data: data = data[os.write(2, data):]"
    )
    assert max(len(lines) for lines, _ in child.readings) <= 500
    assert sum(len(lines) + left_out for lines, left_out in child.readings) == count + 1
    assert len(child.lines) < count / 10
    assert process_exit.last_lines[-1] == "last"


def test_that_a_line_without_an_end_does_not_grow_for_ever(children: Children) -> None:
    size = 1_000_000
    child, _ = children.run(f"data = b'x' * {size}\nwhile data: data = data[os.write(2, data):]")
    assert "".join(child.lines) == "x" * size
    assert max(len(line) for line in child.lines) <= 1 << 18


def test_that_stderr_that_is_no_text_is_shown_all_the_same(children: Children) -> None:
    child, _ = children.run("os.write(2, b'bad \\xff byte\\n')")
    assert child.lines == ["bad \ufffd byte"]


def test_that_blank_lines_are_left_out(children: Children) -> None:
    child, process_exit = children.run("os.write(2, b'\\n\\na\\n\\n')")
    assert child.lines == ["a"]
    assert process_exit.last_lines == ("a",)


def test_that_an_exit_code_is_told(children: Children) -> None:
    _, process_exit = children.run("os._exit(3)")
    assert (process_exit.code, process_exit.crashed, process_exit.intended) == (3, False, False)
    assert str(process_exit) == "it exited with code 3"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_that_a_signal_is_told_in_words(children: Children) -> None:
    program = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.abort()"
    _, process_exit = children.run(program)
    assert (process_exit.code, process_exit.crashed) == (signal.SIGABRT, True)
    assert "it aborted" in str(process_exit)


def test_that_a_kill_is_intended(children: Children) -> None:
    child = children.child("import time\nos.write(1, b'{}\\n')\ntime.sleep(600)")
    with children._qtbot.waitSignal(child.process.message_received, timeout=TIMEOUT_MS):
        child.process.start()
    with children._qtbot.waitSignal(child.process.ended, timeout=TIMEOUT_MS) as ended:
        child.process.kill()
    assert ended.args[0].intended
    assert not child.process.is_alive()


def test_that_a_program_that_is_not_there_ends_with_the_reason(children: Children) -> None:
    process_exit = children.end_of(children.child("", "/no/such/python"))
    assert not process_exit.intended
    assert process_exit.last_lines
