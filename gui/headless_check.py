"""A library file read without a window, before it is loaded: in a process that may die of it. No Qt here."""

from __future__ import annotations

import subprocess
from typing import Final

from .records.codec import DecodeError, from_json
from .records.engine_command import engine_environment, inspector_command
from .records.library_check import Finding, LibraryCheck, Mark
from .records.process_exit import exit_of_return_code
from .records.protocol import decode_line, encode_line

_CHECK_SECONDS: Final = 60.0


def check_library(path: str) -> LibraryCheck:
    """Read a library file without loading it, in a process that may die of it."""
    request = encode_line({"id": 1, "op": "inspect", "paths": [path]})
    try:
        done = subprocess.run(
            inspector_command(),
            input=request,
            env=engine_environment(),
            capture_output=True,
            check=False,
            timeout=_CHECK_SECONDS,
        )
        for line in done.stdout.splitlines():
            message = decode_line(line)
            if message.get("event") == "checked":
                return from_json(LibraryCheck, message["check"])
        problem = f"reading it ended the process that read it: {exit_of_return_code(done.returncode)}"
    except (subprocess.TimeoutExpired, DecodeError, OSError) as error:
        problem = f"it could not be read: {error}"
    return LibraryCheck(path=path, findings=(Finding(topic="file", mark=Mark.DOUBTFUL, text=problem),))
