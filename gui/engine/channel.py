"""The engine's end of the protocol: lines in, lines out, away from file descriptors 0 and 1."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from ..records.protocol import decode_line, encode_line

_LINUX_F_SETPIPE_SZ = 1031
_LINUX_IOLBF = 1
_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 16


class Channel:
    """Sends and receives messages. `send` may be called on any thread, `messages` on one."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._lock = threading.Lock()

    @classmethod
    def from_standard_streams(cls) -> Channel:
        """Take descriptors 0 and 1 over and leave there what native code may use: the null device, and stderr."""
        read_fd, write_fd = os.dup(0), os.dup(1)
        null_fd = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null_fd, 0)
        os.close(null_fd)
        os.dup2(2, 1)
        _flush_native_stdout_by_line()
        _make_binary(read_fd, write_fd)
        _enlarge_pipe(write_fd)
        return cls(read_fd, write_fd)

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; when nobody listens any more the process ends, for there is nothing left to do."""
        data = memoryview(encode_line(message))
        with self._lock:
            while data:
                try:
                    data = data[os.write(self._write_fd, data) :]
                except OSError:
                    os._exit(0)

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield messages until the other side hangs up. Raises `DecodeError` for a line that is none."""
        pending = b""
        while chunk := os.read(self._read_fd, _READ_BYTES):
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield decode_line(line)


def _flush_native_stdout_by_line() -> None:
    """Have C's stdout written line by line: a pipe would get it 4 KiB at a time, and nothing when the engine dies."""
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None)
        libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _LINUX_IOLBF, 0)


def _make_binary(*descriptors: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        for descriptor in descriptors:
            msvcrt.setmode(descriptor, os.O_BINARY)


def _enlarge_pipe(descriptor: int) -> None:
    """Make room for a full batch of samples, so that the timed loop does not wait for the reader."""
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(descriptor, _LINUX_F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:  # not a pipe, or the user's quota of pipe memory is used up: smaller works too
            return
