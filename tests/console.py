"""The command line as a process of its own: `python main.py …` in a folder of the test's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAIN = Path(__file__).resolve().parents[1] / "main.py"


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    complaints: list[str]
    """The lines on stderr."""


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment with changes; None takes a variable away."""
    variables: dict[str, str | None] = {**os.environ, **changes}
    return {name: value for name, value in variables.items() if value is not None}


def run_main(folder: Path, *arguments: str | Path, **changes: str | None) -> Done:
    """Run `main.py` in `folder` and wait for its end."""
    command = [sys.executable, str(MAIN), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment(**changes), capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    return Done(code=done.returncode, out=done.stdout, complaints=done.stderr.splitlines())


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file."""
    found = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def with_library(name: str, library: Path) -> tuple[str, str]:
    """The arguments that load a library."""
    return "--library", f"{name}={library}"


def only_complaint(done: Done) -> str:
    """The one line on stderr of a command that failed."""
    assert done.code == 1
    (line,) = done.complaints
    prefix, _, complaint = line.partition(": ")
    assert prefix == "ort-device-explorer"
    return complaint
