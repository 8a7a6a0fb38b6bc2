"""Finds EP libraries: in the installed Python distributions and in folders. Nothing is imported or loaded."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import mmap
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ..records.library_check import FoundLibrary
from .binaries import is_same_file, library_version
from .binary_contents import CREATE, BinaryContents, LiefMissingError, UnreadableError, read_contents
from .binary_headers import HeaderError, read_header
from .ep_names import stated_ep_name

_LIBRARY_NAME: Final = re.compile(r"\.(so(\.\d+)*|dll|dylib)$", re.IGNORECASE)
_EXTENSION_MODULE: Final = re.compile(r"\.(cpython-\w+(-[\w-]+)?|abi3|pypy\w+(-[\w-]+)?)\.so$")
_ORT_ITSELF: Final = re.compile(r"(lib)?onnxruntime\.(so|dll|dylib|\d)")  # it mentions the factory that it looks for
_VERSION_SUFFIX: Final = re.compile(r"(?<=\.so)(\.\d+)+$|(\.\d+)+(?=\.dylib$)")
_DEEPEST: Final = 6
_MOST_FILES: Final = 20_000
_FOLDERS_WITHOUT: Final = frozenset({".git", "__pycache__", "node_modules"})


def find_libraries(folders: Iterable[str], problems: list[str] | None = None) -> Iterator[FoundLibrary]:
    """Yield the EP libraries of the installed distributions, then those in `folders` that belong to none of them.

    A library with several names (links, or the copies that a wheel holds instead) comes once. What could not be looked
    at is added to `problems`, a line each.
    """
    problems = [] if problems is None else problems
    seen = _Seen()
    yield from _in_distributions(seen, problems)
    for folder in folders:
        for path in seen.new(_walk(folder, problems)):
            if (found := _ep_library(path)) is not None:
                yield FoundLibrary(path=str(path), library_version=found, folder=folder)


class _Seen:
    """Tells new files from other names of known ones."""

    def __init__(self) -> None:
        self._real: set[str] = set()
        self._by_plain_name: dict[Path, list[Path]] = {}

    def new(self, paths: Iterable[Path]) -> Iterator[Path]:
        """Yield the files that come for the first time; of several names the one without a version must come first."""
        for path in paths:
            real = os.path.realpath(path)
            if real in self._real or not _mentions_ep(path):
                continue
            others = self._by_plain_name.setdefault(path.with_name(_plain_name(path.name)), [])
            self._real.add(real)
            if not any(is_same_file(path, other) for other in others):
                others.append(path)
                yield path


def _plain_name(name: str) -> str:
    return _VERSION_SUFFIX.sub("", name)


def _rank(path: Path) -> tuple[str, str, int, str]:
    """Return what sorts the names of one library together, the one without a version first."""
    return (str(path.parent), _plain_name(path.name), len(path.name), path.name)


def _is_library_name(name: str) -> bool:
    if _LIBRARY_NAME.search(name) is None or _EXTENSION_MODULE.search(name) is not None:
        return False
    return _ORT_ITSELF.match(name.rpartition("/")[2]) is None


# ---- Distributions ----


def _in_distributions(seen: _Seen, problems: list[str]) -> Iterator[FoundLibrary]:
    for distribution in importlib.metadata.distributions():
        try:
            paths = [path for path in _files_of(distribution, problems) if path.is_file()]
        except (OSError, ValueError, csv.Error) as error:
            problems.append(f"the file list of a Python distribution cannot be read: {error}")
            continue
        for path in seen.new(sorted(paths, key=_rank)):
            if (version := _ep_library(path)) is not None:
                yield FoundLibrary(
                    path=str(path),
                    distribution=distribution.metadata["Name"] or "",
                    distribution_version=distribution.version or "",
                    library_version=version,
                    ep_name=_ep_name(path, distribution),
                )


def _files_of(distribution: importlib.metadata.Distribution, problems: list[str]) -> Iterator[Path]:
    """Yield the libraries of a distribution, and those in the folder that an editable one leads to."""
    record = distribution.read_text("RECORD")
    if record is not None:  # by hand: Distribution.files makes an object of each file, and looks for each on the disk
        names: Iterable[str] = (row[0] for row in csv.reader(record.splitlines()) if row)
    else:
        names = map(str, distribution.files or ())
    for name in names:
        if _is_library_name(name):
            yield Path(os.path.normpath(str(distribution.locate_file(name))))
    project = _editable_project(distribution)
    if project is not None:
        yield from _walk(project, problems)


def _editable_project(distribution: importlib.metadata.Distribution) -> str | None:
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if not origin.get("dir_info", {}).get("editable"):
            return None
        url = urllib.parse.urlsplit(origin["url"])
    except (ValueError, AttributeError, KeyError, TypeError):  # written by some tool that has its own idea of it
        return None
    return urllib.request.url2pathname(url.path) if url.scheme == "file" else None


def _ep_name(path: Path, distribution: importlib.metadata.Distribution) -> str:
    """Return the EP name that the package around a library states: the nearest folder above that is a package."""
    root = Path(os.path.normpath(str(distribution.locate_file(""))))
    for folder in path.parents[:_DEEPEST]:
        if folder == root:
            break
        if (folder / "__init__.py").is_file():
            return stated_ep_name(folder)
    return ""


# ---- Folders ----


def _walk(folder: str, problems: list[str]) -> Iterator[Path]:
    """Yield the libraries in a folder and those below it, folder by folder; links to folders are not followed."""
    left = _MOST_FILES
    waiting = [(folder, 1)]
    while waiting:
        current, depth = waiting.pop()
        libraries: list[Path] = []
        below: list[tuple[str, int]] = []
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if depth < _DEEPEST and entry.name not in _FOLDERS_WITHOUT:
                            below.append((entry.path, depth + 1))
                        continue
                    left -= 1
                    if left < 0:
                        break
                    if _is_library_name(entry.name) and entry.is_file():
                        libraries.append(Path(entry.path))
        except (OSError, ValueError) as error:
            problems.append(f"{current} cannot be read: {getattr(error, 'strerror', None) or error}")
        yield from sorted(libraries, key=_rank)
        if left < 0:
            problems.append(f"{folder} holds too many files: only {_MOST_FILES:,} were looked at")
            return
        waiting.extend(sorted(below, reverse=True))


# ---- Files ----


def _mentions_ep(path: Path) -> bool:
    """Whether the factory's name stands somewhere in the file: that rules most out quickly."""
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(CREATE.encode()) >= 0
    except (OSError, ValueError):  # empty, or may not be read: nothing to register either way
        return False


def _ep_library(path: Path) -> str | None:
    """Return the version of an EP library, which may be empty; None for another file.

    What cannot be looked into counts as one: the check of the file says what is wrong with it.
    """
    contents: BinaryContents | None = None
    try:
        header = read_header(str(path))
        if not header.is_library:
            return None
        if header.loaded_end <= path.stat().st_size:
            contents = read_contents(str(path), header)
            if CREATE not in contents.exports:
                return None
    except (OSError, HeaderError):
        return None
    except (LiefMissingError, UnreadableError):
        contents = None
    return library_version(str(path), contents)
