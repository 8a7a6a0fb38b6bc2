"""What the command line says and writes: lines on the console, files."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TextIO

from .records.failure import Failure, FailureError, FailureKind, failure_error

_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What a terminal may obey instead of showing it, or what turns the text around it."""


class OutputError(Exception):
    """What is said reaches nobody: the reader has closed its pipe, or the place that takes it is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def prepare_output() -> None:
    """Have characters replaced that the console cannot show, also where others print, as argparse does."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace" if stream is sys.stdout else "backslashreplace")


def flush_output() -> None:
    """Hand on what is said and still waits. Raises `OutputError`."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        raise OutputError(error) from error


def output_lost(lost: OutputError) -> int:
    """Let go of a console that takes nothing, in one line unless its reader just left; returns the exit code."""
    _to_nowhere(sys.stdout)
    if not isinstance(lost.error, BrokenPipeError):
        complain(f"Nothing more can be printed: {lost.error.strerror or lost.error}.")
    return 1


def _to_nowhere(stream: TextIO) -> None:
    """Have what still waits in a stream thrown away, so that it is not tried again when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def plain(text: str) -> str:
    """Return a text with control characters as escapes: labels and messages may come from files of others."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def say(text: str) -> None:
    """Print a line, also where the console cannot show every character. Raises `OutputError`."""
    _print(plain(text) + "\n")


def _print(text: str) -> None:
    if sys.stdout is None:  # closed by whoever started it
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    except OSError as error:
        raise OutputError(error) from error


def say_table(rows: list[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    shown = [(plain(name), plain(" ".join(value.split()))) for name, value in rows]
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        say(f"{name:<{width}}  {value}")


def say_columns(rows: list[tuple[str, ...]]) -> None:
    """Print rows of as many cells each, the first being their titles, in columns."""
    rows = [tuple(plain(" ".join(cell.split())) for cell in row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def complain(text: str) -> None:
    """Print one line on stderr; where that is gone there is nobody left to be told."""
    if sys.stderr is None:
        return
    try:
        print("ort-device-explorer: " + plain(" ".join(text.split())), file=sys.stderr, flush=True)
    except OSError:
        _to_nowhere(sys.stderr)


def fail(failure: Failure) -> int:
    """Print a failure in one line on stderr and return the exit code."""
    complain(str(failure))
    return 1


def write_text(target: str, text: str) -> None:
    """Write to a file, or to the console for `-`. A file that is there is replaced only by a whole new one.

    Raises `FailureError`, and `OutputError` for the console.
    """
    if target == "-":
        _print(text)
        return
    data = text.encode("utf-8", "surrogateescape")
    try:
        _replace(Path(target).expanduser().resolve(), data)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.") from error


def write_all(files: Iterable[tuple[str, Callable[[], str]]]) -> bool:
    """Write files, names and how their texts are made, and return whether all could be.

    One that cannot be written is told in a line, and keeps no other from being written. The console, `-`, is last: it
    may have gone.
    """
    is_well = True
    for target, text in sorted(files, key=lambda file: file[0] == "-"):
        try:
            write_text(target, text())
        except FailureError as error:
            fail(error.failure)
            is_well = False
    return is_well


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
