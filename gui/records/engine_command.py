"""How an engine process is started: the same command for the window and the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the `gui` package."""


def engine_command() -> list[str]:
    """Return program and arguments. `-P` keeps modules of the current folder out; faulthandler tells where it died."""
    return [sys.executable, "-P", "-X", "utf8", "-X", "faulthandler", "-m", "gui.engine"]


def inspector_command() -> list[str]:
    """Return program and arguments of the process that reads library files without loading them."""
    return [*engine_command()[:-1], "gui.engine.inspector"]


def engine_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return `base` (the environment of this process) with what the engine needs to find this application."""
    environment = dict(os.environ if base is None else base)
    others = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PACKAGE_ROOT), others)))
    return environment
