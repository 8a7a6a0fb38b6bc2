"""The pre-flight of one library file: what reading it tells, before anything loads it."""

from __future__ import annotations

import datetime as dt
import filecmp
import hashlib
import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..records.failure import Failure, FailureError, FailureKind
from ..records.library_check import Finding, LibraryCheck, Mark, NeededLibrary
from .binary_contents import (
    BRIDGE,
    BRIDGE_HOST,
    CREATE,
    RELEASE,
    BinaryContents,
    LiefMissingError,
    UnreadableError,
    read_contents,
)
from .binary_headers import (
    BinaryFormat,
    BinaryHeader,
    HeaderError,
    process_architecture,
    process_format,
    read_header,
)
from .failures import check_library_file
from .loader_paths import find_needed

_FILE_VERSION: Final = re.compile(r"\.(?:so\.(\d+(?:\.\d+)+)|(\d+(?:\.\d+)+)\.dylib)$")
_BRIDGE_NAME: Final = re.compile(r"(lib)?onnxruntime_providers_shared\.(so|dll|dylib)")
_NOT_READ: Final = "not available: the package LIEF is not installed"
_MOST_NAMED: Final = 4


def check_library(path: str) -> LibraryCheck:
    """Read one file and say what is known of it as an EP library for this process.

    The check names `path` as it was given. It never raises for what is wrong with the file.
    """
    check = LibraryCheck(path=path)
    try:
        _check_is_file(path)
        check = _with_file(check)
    except FailureError as error:
        topic = "format" if error.failure.kind is FailureKind.NOT_A_LIBRARY else "file"
        if topic == "format" and Path(path).is_file():
            check = _with_file(check)
        return _failed(check, topic, _finding_text(error.failure), error.failure)
    except OSError as error:
        failure = _failure(path, FailureKind.NO_SUCH_FILE, "{0} cannot be read.", "Check that you may read the file.")
        return _failed(check, "file", "cannot be read", replace(failure, detail=str(error)))
    try:
        header = read_header(path)
    except HeaderError as error:
        return _no_library(check, str(error))
    check = replace(check, format=header.format.value, architecture=", ".join(header.architectures))
    if not header.is_library:
        return _no_library(check, f"it is {_with_article(header.description)}")
    return _with_contents(check, header)


def library_version(path: str, contents: BinaryContents | None) -> str:
    """Return the library's own version: as it states it, or as its file's names tell; empty when neither does.

    Names are the one it has, that of the file a link leads to, and those of equal files beside it (a wheel cannot hold
    links, so `libx.so` and `libx.so.1.8.1` are copies). A single number is no version, but that of an interface.
    """
    if contents is not None and contents.version:
        return contents.version
    file = Path(path)
    names = [file.name, Path(os.path.realpath(path)).name]
    siblings = sorted(file.parent.glob(f"{_escaped(file.name)}.*"))
    names += [other.name for other in siblings if _FILE_VERSION.search(other.name) and is_same_file(other, file)]
    for name in names:
        if found := _FILE_VERSION.search(name):
            return found[1] or found[2]
    return ""


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both are one file, or one is a copy of the other."""
    try:
        if one.samefile(other):
            return True
        return one.stat().st_size == other.stat().st_size and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def size_text(size_bytes: int) -> str:
    """Return the size of a file in three significant digits or so: `15.7 MiB`."""
    if size_bytes < 1024:
        return f"{size_bytes} bytes"
    if size_bytes < 1024**2:
        return f"{size_bytes / 1024:.1f} KiB"
    return f"{size_bytes / 1024**2:.1f} MiB"


# ---- The file ----


def _check_is_file(path: str) -> None:
    try:
        is_special = not (stat.S_ISREG(mode := os.stat(path).st_mode) or stat.S_ISDIR(mode))  # noqa: PTH116
    except (OSError, ValueError):  # the next check finds the words
        is_special = False
    if is_special:  # to open a pipe would be to wait
        raise FailureError(
            _failure(path, FailureKind.NOT_A_LIBRARY, "{0} is not a file.", "Choose the library's own file.")
        )
    check_library_file(path)


def _with_file(check: LibraryCheck) -> LibraryCheck:
    with Path(check.path).open("rb") as stream:
        facts = os.fstat(stream.fileno())
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    modified = dt.datetime.fromtimestamp(int(facts.st_mtime), dt.UTC)
    check = replace(check, size_bytes=facts.st_size, modified=modified.isoformat(), sha256=sha256)
    return _found(check, "file", Mark.GOOD, f"{size_text(facts.st_size)}, readable")


# ---- Inside ----


def _with_contents(check: LibraryCheck, header: BinaryHeader) -> LibraryCheck:
    contents: BinaryContents | None = None
    missing_lief = ""
    is_truncated = header.loaded_end > check.size_bytes
    if not is_truncated:  # what is cut off may end LIEF
        try:
            contents = read_contents(check.path, header)
        except LiefMissingError as error:
            missing_lief = str(error)
        except UnreadableError as error:
            return _no_library(check, f"it begins like {_with_article(header.description)}, but is damaged", str(error))
    check = _found(check, "format", Mark.GOOD, header.description)
    check = _with_completeness(check, header)
    check = _with_architecture(check, header, contents)
    if contents is not None:
        check = _with_exports(check, contents)
        check = _with_needed(check, header, contents)
    else:
        why = _NOT_READ if missing_lief else "not looked at, for the file is truncated"
        check = _found(check, "exports", Mark.UNKNOWN, why)
        check = _found(check, "needed libraries", Mark.UNKNOWN, why)
    version = library_version(check.path, contents)
    return _found(replace(check, version=version), "version", Mark.NOTE, version) if version else check


def _with_completeness(check: LibraryCheck, header: BinaryHeader) -> LibraryCheck:
    lacking = header.loaded_end - check.size_bytes
    if lacking > 0:
        failure = _failure(
            check.path,
            FailureKind.TRUNCATED,
            "{0} is truncated: it ends before what has to be loaded.",
            "Get the file again: a download or a copy of it was interrupted.",
            f"The file has {check.size_bytes} bytes; its headers reach to byte {header.loaded_end}.",
        )
        return _failed(check, "completeness", f"truncated: at least {size_text(lacking)} are missing", failure)
    if header.whole_end > check.size_bytes:
        part = "signature" if header.format is BinaryFormat.PE else "section table"
        return _found(check, "completeness", Mark.DOUBTFUL, f"the end is missing, with the {part}")
    return _found(check, "completeness", Mark.GOOD, "all parts lie within the file")


def _with_architecture(check: LibraryCheck, header: BinaryHeader, contents: BinaryContents | None) -> LibraryCheck:
    topic = "architecture"
    if not header.architectures:
        return _found(check, topic, Mark.UNKNOWN, "not told before the file ends")
    made_for, here = check.architecture, process_architecture()
    if header.format is not process_format():
        made_for = f"{header.format.system} on {made_for}"
        this = process_format().system
        return _wrong_architecture(
            check, f"made for {made_for}; this is {this}", f"made for {made_for}, and this is {this}"
        )
    if not here:
        return _found(
            check, topic, Mark.UNKNOWN, f"made for {made_for}; which processor this process is for is unknown"
        )
    if here in header.architectures:
        return _found(check, topic, Mark.GOOD, f"{made_for}, as this process" if made_for == here else made_for)
    if contents is not None and contents.is_hybrid and here == "x86-64":
        return _found(check, topic, Mark.GOOD, f"{made_for} and x86-64 in one, as this process")
    return _wrong_architecture(
        check, f"made for {made_for}; this process is {here}", f"made for {made_for}, and this process is {here}"
    )


def _wrong_architecture(check: LibraryCheck, text: str, words: str) -> LibraryCheck:
    failure = _failure(
        check.path,
        FailureKind.WRONG_ARCHITECTURE,
        f"{{0}} is {words}.",
        "Get the build for this system and processor.",
    )
    return _failed(check, "architecture", text, failure)


def _with_exports(check: LibraryCheck, contents: BinaryContents) -> LibraryCheck:
    topic = "exports"
    missing = [name for name in (CREATE, RELEASE) if name not in contents.exports]
    is_bridge = BRIDGE in contents.exports
    if not missing:
        text = f"{CREATE} and {RELEASE}"
        if is_bridge:
            return _found(check, topic, Mark.NOTE, f"{text}; {BRIDGE}, too, as a provider-bridge library has")
        return _found(check, topic, Mark.GOOD, text)
    is_host = BRIDGE_HOST in contents.exports or _BRIDGE_NAME.fullmatch(Path(check.path).name) is not None
    if CREATE in missing and (is_bridge or is_host):
        failure = _failure(
            check.path,
            FailureKind.NOT_AN_EP_LIBRARY,
            "{0} is a provider-bridge library, part of an onnxruntime package, not a plugin.",
            "It is used through the onnxruntime package it belongs to: install that one and name the provider in "
            "`providers=[…]`.",
            f"It has no {CREATE}, but {BRIDGE if is_bridge else BRIDGE_HOST}.",
        )
        return _failed(check, topic, f"no {CREATE}; a provider-bridge library, not a plugin", failure)
    names = " and no ".join(missing)
    failure = _failure(
        check.path,
        FailureKind.NOT_AN_EP_LIBRARY,
        f"{{0}} is a library, but not an EP library: it has no {names}.",
        "Choose the library that holds the EP's factory; helper libraries beside it load by themselves.",
    )
    return _failed(check, topic, f"no {names}", failure)


def _with_needed(check: LibraryCheck, header: BinaryHeader, contents: BinaryContents) -> LibraryCheck:
    topic = "needed libraries"
    if header.format is not process_format() or process_architecture() not in ("", *header.architectures):
        own = Path(check.path).name
        check = replace(check, needed=tuple(NeededLibrary(name=name, needed_by=own) for name in contents.needed))
        return _found(check, topic, Mark.UNKNOWN, f"{len(contents.needed)} named, not looked for on this computer")
    search = find_needed(check.path, header, contents)
    check = replace(check, needed=search.libraries)
    problems = [f"{_listed(search.missing)} not found"] if search.missing else []
    problems += [f"{_listed(search.truncated)} truncated"] if search.truncated else []
    if problems:
        return _found(check, topic, Mark.DOUBTFUL, "; ".join(problems))
    count = len(search.libraries)
    text = "none" if not count else "found" if count == 1 else f"all {count} found"
    return _found(check, topic, Mark.GOOD, text)


def _listed(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    left = len(names) - _MOST_NAMED
    if left > 1:
        return f"{', '.join(names[:_MOST_NAMED])} and {left} more are"
    return f"{', '.join(names[:-1])} and {names[-1]} are"


# ---- Words ----


def _found(check: LibraryCheck, topic: str, mark: Mark, text: str) -> LibraryCheck:
    return replace(check, findings=(*check.findings, Finding(topic=topic, mark=mark, text=text)))


def _failed(check: LibraryCheck, topic: str, text: str, failure: Failure) -> LibraryCheck:
    """Add a bad finding; the first one's failure is the check's."""
    return _found(replace(check, failure=check.failure or failure), topic, Mark.BAD, text)


def _no_library(check: LibraryCheck, why: str, detail: str = "") -> LibraryCheck:
    failure = _failure(
        check.path,
        FailureKind.NOT_A_LIBRARY,
        f"{{0}} is not a shared library: {why}.",
        "EP libraries end in .so, .dll or .dylib and come with the EP's package.",
        detail,
    )
    return _failed(check, "format", why, failure)


def _failure(path: str, kind: FailureKind, message: str, hint: str, detail: str = "") -> Failure:
    return Failure(kind=kind, message=message.format(Path(path).name), hint=hint, detail=detail)


def _finding_text(failure: Failure) -> str:
    """Return a failure of `check_library_file` as a finding."""
    if failure.kind is FailureKind.NO_SUCH_FILE:
        return "cannot be read" if "cannot be read" in failure.message else "not there"
    if "folder" in failure.message:
        return "a folder"
    return "not a shared library"


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'AEIOU' else 'a'} {words}"


def _escaped(name: str) -> str:
    """Return a file name as a pattern that it alone fits."""
    return re.sub(r"([*?\[])", r"[\1]", name)
