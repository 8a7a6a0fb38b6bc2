from __future__ import annotations

import signal
import sys

import pytest

from gui.records.process_exit import ProcessExit, exit_of_return_code

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@posix
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGSEGV, "a memory error (segmentation fault), signal 11 SIGSEGV"),
        (signal.SIGABRT, "it aborted, signal 6 SIGABRT"),
        (signal.SIGKILL, "it was killed, signal 9 SIGKILL"),
        (signal.SIGUSR2, "it crashed, signal 12 SIGUSR2"),
    ],
)
def test_that_a_signal_is_told_in_words_with_its_name(number: int, words: str) -> None:
    assert str(ProcessExit(code=number, crashed=True)) == words


@posix
def test_that_an_unknown_signal_keeps_its_number() -> None:
    assert str(ProcessExit(code=200, crashed=True)) == "it crashed with signal 200"


def test_that_an_exit_code_is_told_as_one() -> None:
    assert str(ProcessExit(code=11, crashed=False)) == "it exited with code 11"


def test_that_an_intended_end_is_no_crash_in_words() -> None:
    assert str(ProcessExit(code=9, crashed=True, intended=True)) == "it was stopped"


@posix
@pytest.mark.parametrize(("return_code", "code", "crashed"), [(0, 0, False), (3, 3, False), (-11, 11, True)])
def test_that_a_negative_return_code_is_a_signal(return_code: int, code: int, crashed: bool) -> None:
    ended = exit_of_return_code(return_code, last_lines=("bye",))
    assert (ended.code, ended.crashed, ended.intended, ended.last_lines) == (code, crashed, False, ("bye",))


@pytest.mark.parametrize(
    ("return_code", "crashed", "words"),
    [
        (-1073741819, True, "a memory error (access violation), code 0xC0000005"),
        (0xC0000409, True, "it aborted (stack buffer overrun or fast fail), code 0xC0000409"),
        (0xC0001234, True, "it crashed, code 0xC0001234"),
        (3, False, "it exited with code 3"),
    ],
)
def test_that_windows_codes_are_told_in_words(
    monkeypatch: pytest.MonkeyPatch, return_code: int, crashed: bool, words: str
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    ended = exit_of_return_code(return_code)
    assert ended.crashed is crashed
    assert str(ended) == words
