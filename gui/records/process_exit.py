"""How a process ended, in words."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass

_SIGNAL_WORDS = {
    "SIGABRT": "it aborted",
    "SIGBUS": "it read memory that is not there (bus error)",
    "SIGFPE": "an arithmetic error",
    "SIGILL": "an instruction this processor does not have",
    "SIGKILL": "it was killed",
    "SIGSEGV": "a memory error (segmentation fault)",
    "SIGTERM": "it was asked to end",
    "SIGSYS": "a forbidden system call",
}
_WINDOWS_WORDS = {
    0xC0000005: "a memory error (access violation)",
    0xC0000409: "it aborted (stack buffer overrun or fast fail)",
    0xC00000FD: "a stack overflow",
    0xC0000135: "a DLL was not found",
    0xC000001D: "an instruction this processor does not have",
    0xC0000374: "a damaged heap",
    0x40000015: "it aborted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessExit:
    """The end of a process. `code` is the exit code, or the signal's number when `crashed` on a POSIX system."""

    code: int
    crashed: bool
    intended: bool = False
    """Whether the window ended it on purpose."""
    last_lines: tuple[str, ...] = ()
    """The last lines it wrote to stderr."""

    def __str__(self) -> str:
        if self.intended:
            return "it was stopped"
        if not self.crashed:
            return f"it exited with code {self.code}"
        if sys.platform == "win32":
            code = self.code & 0xFFFFFFFF
            return f"{_WINDOWS_WORDS.get(code, 'it crashed')}, code 0x{code:08X}"
        try:
            name = signal.Signals(self.code).name
        except ValueError:
            return f"it crashed with signal {self.code}"
        return f"{_SIGNAL_WORDS.get(name, 'it crashed')}, signal {self.code} {name}"


def exit_of_return_code(return_code: int, *, intended: bool = False, last_lines: tuple[str, ...] = ()) -> ProcessExit:
    """Return the `ProcessExit` of a `subprocess` return code, which is negative for a signal on POSIX."""
    if sys.platform == "win32":
        crashed = return_code & 0xFFFFFFFF >= 0x40000000
        return ProcessExit(code=return_code, crashed=crashed, intended=intended, last_lines=last_lines)
    crashed = return_code < 0
    return ProcessExit(code=abs(return_code), crashed=crashed, intended=intended, last_lines=last_lines)
