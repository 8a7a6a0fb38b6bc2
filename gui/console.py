"""What the command line says and writes: lines on the console, files."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .records.failure import Failure, FailureKind, failure_error


def say(text: str, end: str = "\n") -> None:
    """Print also where the console cannot show every character."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + end)


def say_table(rows: list[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        say(f"{name:<{width}}  {' '.join(value.split())}")


def say_columns(rows: list[tuple[str, ...]]) -> None:
    """Print rows of as many cells each, the first being their titles, in columns."""
    rows = [tuple(" ".join(cell.split()) for cell in row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def complain(text: str) -> None:
    """Print one line on stderr."""
    print("ort-device-explorer: " + " ".join(text.split()), file=sys.stderr)


def fail(failure: Failure) -> int:
    """Print a failure in one line on stderr and return the exit code."""
    complain(str(failure))
    return 1


def write_text(target: str, text: str) -> None:
    """Write to a file, or to the console for `-`. A file that is there is replaced only by a whole new one.

    Raises `FailureError`.
    """
    if target == "-":
        say(text, end="")
        return
    data = text.encode("utf-8", "surrogateescape")
    try:
        _replace(Path(target).expanduser().resolve(), data)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.") from error


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # a device or a pipe, which must stay one, or a folder, which fails
        path.write_bytes(data)
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = part.open("xb")
    except PermissionError:
        if not path.exists():
            raise
        path.write_bytes(data)  # its folder takes no new files, but it may be written itself
        return
    try:
        with file:
            file.write(data)
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
