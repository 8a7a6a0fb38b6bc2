"""What reading a library file tells without loading it, and libraries found on this computer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .failure import Failure


class Mark(Enum):
    """How a finding is marked."""

    GOOD = "good"
    NOTE = "note"
    """To be known; neither good nor bad."""
    DOUBTFUL = "doubtful"
    """The library may fail to load, or load and not work."""
    BAD = "bad"
    """The library cannot be loaded here; the check's `failure` says so, too."""
    UNKNOWN = "not available"
    """It could not be found out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a check."""

    topic: str
    """Two or three words: “format”, “architecture”, “exports”."""
    mark: Mark
    text: str
    """One line, no full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededLibrary:
    """A library that another one asks the system's loader for."""

    name: str
    """As the file names it: `libfoo.so.1`, `foo.dll`."""
    path: str | None = None
    """Where it was found; None when it was not."""
    needed_by: str = ""
    """The file name of the library that asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCheck:
    """The pre-flight of one library file."""

    path: str
    """Absolute."""
    size_bytes: int = 0
    modified: str = ""
    """ISO 8601, UTC."""
    sha256: str = ""
    """Of the whole file, in hexadecimal digits."""
    format: str = ""
    """`ELF`, `PE` or `Mach-O`; empty for another file."""
    architecture: str = ""
    """`x86-64`, `AArch64`, …; of a universal binary all, parted by commas."""
    version: str = ""
    """The library's own version, where the file tells it."""
    needed: tuple[NeededLibrary, ...] = ()
    """Direct ones first, then what those found beside the library need in turn."""
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None
    """Why it certainly cannot be registered here; None when that has to be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLibrary:
    """An EP library that lies on this computer."""

    path: str
    """Absolute."""
    distribution: str = ""
    """The installed Python distribution it belongs to; empty for one found in a folder."""
    distribution_version: str = ""
    library_version: str = ""
    """The library's own version, where the file tells it."""
    ep_name: str = ""
    """The EP name that the package states; empty when it states none."""
    folder: str = ""
    """The folder added by the user in which it was found."""
