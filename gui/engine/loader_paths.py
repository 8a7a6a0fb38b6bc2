"""Where the system's loader would find the libraries that a library needs. Looks at files only; loads nothing.

It follows the rules of ld.so(8), of LoadLibraryEx with LOAD_WITH_ALTERED_SEARCH_PATH (as ORT calls it) and of dyld(1),
as far as they can be known from outside: what else the process has loaded by then may satisfy a need, too.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from ..records.library_check import NeededLibrary
from .binary_contents import BinaryContents, LiefMissingError, UnreadableError, read_contents
from .binary_headers import BinaryFormat, BinaryHeader, HeaderError, process_format, read_header

_MOST_LIBRARIES: Final = 500
_LD_CACHE: Final = "/etc/ld.so.cache"
_LD_CACHE_MAGIC: Final = b"glibc-ld.so.cache1.1"
_MULTIARCH: Final = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu", "i686": "i386-linux-gnu"}
_ALWAYS_ON_WINDOWS: Final = ("api-ms-win-", "ext-ms-")
_PART_OF_WINDOWS: Final = "part of Windows"
_DYLD_CACHE: Final = ("/usr/lib/", "/System/")


@dataclass(frozen=True, slots=True)
class Asker:
    """A library that asks for others."""

    path: str
    header: BinaryHeader
    contents: BinaryContents
    chain: tuple[Asker, ...] = ()
    """Those for whose sake it is loaded, the nearest first: their search paths count, too."""

    @property
    def folder(self) -> str:
        """Where it lies, by the name under which it is loaded: loaders do not resolve links for that."""
        return os.path.dirname(os.path.abspath(self.path))  # noqa: PTH100, PTH120 Path.resolve would follow links


@dataclass(frozen=True, slots=True)
class Place:
    """Where a library was found."""

    path: str
    is_systems: bool
    """One of the system's own: what it needs in turn is not looked for."""


class Loader(Protocol):
    """The rules of one system's loader."""

    def find(self, name: str, asker: Asker) -> Place | None:
        """Return where the library that `asker` calls `name` would be taken from."""

    def key(self, name: str) -> str:
        """Return what two names of the same library have in common."""


@dataclass(frozen=True, slots=True)
class NeededSearch:
    """What a library needs."""

    libraries: tuple[NeededLibrary, ...]
    truncated: tuple[str, ...] = ()
    """Names of those found whose files end too early: mapping them ends the process."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of those that were not found."""
        return tuple(library.name for library in self.libraries if library.path is None)


def find_needed(
    path: str, header: BinaryHeader, contents: BinaryContents, loader: Loader | None = None
) -> NeededSearch:
    """Look for all that a library needs, and for what those found outside the system's folders need in turn.

    A library that several ask for is listed once: the loader, too, takes the first one for all.
    """
    loader = loader or system_loader()
    found: dict[str, NeededLibrary] = {}
    truncated: list[str] = []
    askers = [Asker(path, header, contents)]
    for asker in askers:  # grows meanwhile: the loader, too, goes breadth first
        for name in asker.contents.needed:
            if loader.key(name) in found or len(found) >= _MOST_LIBRARIES:
                continue
            place = loader.find(name, asker)
            found[loader.key(name)] = NeededLibrary(
                name=name, path=place.path if place else None, needed_by=Path(asker.path).name
            )
            if place is None or place.is_systems:
                continue
            if _is_truncated(place.path):
                truncated.append(name)
            elif (next_asker := _asker(place.path, (asker, *asker.chain))) is not None:
                askers.append(next_asker)
    return NeededSearch(tuple(found.values()), tuple(truncated))


def system_loader() -> Loader:
    """Return the rules of this system."""
    if process_format() is BinaryFormat.PE:
        return WindowsLoader()
    return MacLoader() if process_format() is BinaryFormat.MACH_O else ElfLoader()


def _asker(path: str, chain: tuple[Asker, ...] = ()) -> Asker | None:
    try:
        header = read_header(path)
        return Asker(path, header, read_contents(path, header, exports=False), chain)
    except (OSError, HeaderError, UnreadableError, LiefMissingError):  # then its own needs remain unknown
        return None


def _is_truncated(path: str) -> bool:
    try:
        return read_header(path).loaded_end > os.stat(path).st_size  # noqa: PTH116
    except (OSError, HeaderError):
        return False


def _fits(path: str, asker: Asker) -> bool:
    """Whether a file is there and for the same kind of process; others are passed over by the loaders."""
    try:
        header = read_header(path)
    except (OSError, ValueError):
        return False
    if not header.architectures:
        return header.format is asker.header.format
    wanted = asker.header
    if wanted.format is BinaryFormat.MACH_O:
        return header.format is wanted.format and bool({*header.architectures} & {*wanted.architectures})
    return header.architectures == wanted.architectures and header.bits == wanted.bits


def _first_fit(folders: Iterable[str], name: str, asker: Asker) -> str | None:
    path = next((path for folder in folders if _fits(path := os.path.join(folder, name), asker)), None)  # noqa: PTH118
    if path is None:
        return None
    short = os.path.normpath(path)  # for people: `lib/../../x.libs`; but the dots may lead through a link
    return short if os.path.realpath(short) == os.path.realpath(path) else path


def _own_program() -> Asker | None:
    """This Python's program file: its search paths count for all that it loads."""
    return _asker(os.path.realpath(sys.executable))


def _onnxruntime_files(*patterns: str) -> Iterator[str]:
    """Yield files of the installed onnxruntime that are loaded before any EP library; nothing is imported for it."""
    try:
        spec = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return
    if spec is not None and spec.origin:
        for pattern in patterns:
            yield from map(str, sorted((Path(spec.origin).parent / "capi").glob(pattern)))


def _brought_by(path: str, loader: Loader) -> dict[str, str]:
    """Return by key where those libraries lie that a file brings into the process, the system's left out."""
    asker = _asker(path)
    if asker is None:
        return {}
    needed = find_needed(path, asker.header, asker.contents, loader).libraries
    return {loader.key(library.name): library.path for library in needed if library.path is not None}


# ---- Linux ----


@dataclass
class ElfLoader:
    """ld.so, for a library that the process opens with dlopen."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    knows_loaded: bool = True
    """Whether what Python and onnxruntime have brought into the process counts."""

    def key(self, name: str) -> str:
        """Return the name itself."""
        return name

    def find(self, name: str, asker: Asker) -> Place | None:
        """Search as ld.so does, and last what is loaded by then (it looks there first; what matters is whether)."""
        if "/" in name:
            return Place(name, False) if _fits(name, asker) else None
        if path := _first_fit(self._own_folders(asker), name, asker):
            return Place(path, False)
        cached = next((path for path in _ld_cache().get(name, ()) if _fits(path, asker)), None)
        if path := cached or _first_fit(_linux_folders(), name, asker):
            return Place(path, True)
        path = self._loaded.get(name)
        return Place(path, True) if path and _fits(path, asker) else None

    def _own_folders(self, asker: Asker) -> Iterator[str]:
        if not asker.contents.runpaths:
            for link in (asker, *asker.chain, *self._program):
                if not link.contents.runpaths:
                    yield from _expanded(link.contents.rpaths, link)
        for folder in self.environment.get("LD_LIBRARY_PATH", "").replace(";", ":").split(":"):
            if folder:
                yield folder
        yield from _expanded(asker.contents.runpaths, asker)

    @functools.cached_property
    def _program(self) -> tuple[Asker, ...]:
        program = _own_program() if self.knows_loaded else None
        return (program,) if program else ()

    @functools.cached_property
    def _loaded(self) -> dict[str, str]:
        if not self.knows_loaded:
            return {}
        plain = ElfLoader(self.environment, knows_loaded=False)
        loaded: dict[str, str] = {}
        for path in (os.path.realpath(sys.executable), *_onnxruntime_files("onnxruntime_pybind11_state*.so")):
            loaded |= _brought_by(path, plain)
        # `import onnxruntime` opens this one itself. The wheels' libonnxruntime.so.1 is not opened by it: tried.
        return loaded | {Path(path).name: path for path in _onnxruntime_files("libonnxruntime_providers_shared.so")}


def _expanded(folders: Iterable[str], asker: Asker) -> Iterator[str]:
    for folder in folders:
        for library_folder in ("lib64", f"lib/{_multiarch()}", "lib") if "$LIB" in _unbraced(folder) else ("",):
            text = _unbraced(folder).replace("$ORIGIN", asker.folder).replace("$LIB", library_folder)
            yield text.replace("$PLATFORM", platform.machine())


def _unbraced(folder: str) -> str:
    for name in ("ORIGIN", "LIB", "PLATFORM"):
        folder = folder.replace(f"${{{name}}}", f"${name}")
    return folder


def _multiarch() -> str:
    return _MULTIARCH.get(platform.machine(), f"{platform.machine()}-linux-gnu")


def _linux_folders() -> tuple[str, ...]:
    names = (f"lib/{_multiarch()}", "lib64", "lib")
    folders = tuple(f"{root}/{name}" for root in ("", "/usr") for name in names)
    # musl has no cache and looks there by itself; glibc looks there only if its cache does
    return folders if Path(_LD_CACHE).exists() else (*folders, "/usr/local/lib")


@functools.cache
def _ld_cache() -> dict[str, tuple[str, ...]]:
    try:
        return parse_ld_cache(Path(_LD_CACHE).read_bytes())
    except OSError:  # musl, or a minimal container
        return {}


def parse_ld_cache(data: bytes) -> dict[str, tuple[str, ...]]:
    """Return the paths by name of glibc's cache of libraries; of one in another form nothing.

    The form is that of glibc's sysdeps/generic/dl-cache.h (struct cache_file_new), which may follow an older one.
    """
    data = data[max(data.find(_LD_CACHE_MAGIC), 0) :]
    if not data.startswith(_LD_CACHE_MAGIC):
        return {}
    found: dict[str, list[str]] = {}
    try:
        (count,) = struct.unpack_from("=I", data, 20)
        for index in range(count):
            _, name_at, path_at = struct.unpack_from("=iII", data, 48 + 24 * index)
            name, path = (os.fsdecode(data[at : data.index(b"\0", at)]) for at in (name_at, path_at))
            found.setdefault(name, []).append(path)
    except (struct.error, ValueError):  # damaged: what was read until then is right
        pass
    return {name: tuple(paths) for name, paths in found.items()}


# ---- Windows ----


@dataclass
class WindowsLoader:
    """LoadLibraryEx with LOAD_WITH_ALTERED_SEARCH_PATH: the first library's own folder takes the program's place."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    knows_loaded: bool = True

    def key(self, name: str) -> str:
        """Return the name in small letters."""
        return name.lower()

    def find(self, name: str, asker: Asker) -> Place | None:
        """Search the folder of the library that is opened, Windows' own, and those of PATH."""
        if name.lower().startswith(_ALWAYS_ON_WINDOWS):
            return Place(_PART_OF_WINDOWS, True)
        opened = asker.chain[-1] if asker.chain else asker
        if path := _first_fit([opened.folder], name, asker):
            return Place(path, False)
        root = self.environment.get("SystemRoot", r"C:\Windows")
        if path := _first_fit([os.path.join(root, "System32"), root], name, asker):  # noqa: PTH118
            return Place(path, True)
        folders = [folder.strip('"') for folder in self.environment.get("PATH", "").split(os.pathsep) if folder]
        if path := _first_fit(folders, name, asker):
            return Place(path, False)
        loaded = self._loaded.get(name.lower()) or self._beside_python(name, asker)
        return Place(loaded, True) if loaded else None

    def _beside_python(self, name: str, asker: Asker) -> str | None:
        is_pythons = name.lower().startswith(("python3", "vcruntime140"))
        return _first_fit([sys.base_prefix], name, asker) if is_pythons and self.knows_loaded else None

    @functools.cached_property
    def _loaded(self) -> dict[str, str]:
        loaded: dict[str, str] = {}
        for path in _onnxruntime_files("onnxruntime_pybind11_state*.pyd") if self.knows_loaded else ():
            loaded |= _brought_by(path, WindowsLoader(self.environment, knows_loaded=False))
        return loaded


# ---- macOS ----


@dataclass
class MacLoader:
    """dyld."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def key(self, name: str) -> str:
        """Return the install name itself."""
        return name

    def find(self, name: str, asker: Asker) -> Place | None:
        """Search as dyld does; what the system brings lies in its cache, not in files."""
        if name.startswith(_DYLD_CACHE):
            return Place(name, True)
        base = name.rpartition("/")[2]
        before = [f"{folder}/{base}" for folder in self._listed("DYLD_LIBRARY_PATH", "")]
        after = [f"{folder}/{base}" for folder in self._listed("DYLD_FALLBACK_LIBRARY_PATH", "/usr/local/lib:/usr/lib")]
        candidates = [*before, *self._named(name, asker), *after]
        return next((Place(path, False) for path in candidates if _fits(path, asker)), None)

    def _named(self, name: str, asker: Asker) -> Iterator[str]:
        if not name.startswith("@rpath/"):
            yield _without_tokens(name, asker)
            return
        for link in (asker, *asker.chain):
            for folder in link.contents.rpaths:
                yield f"{_without_tokens(folder, link)}/{name.removeprefix('@rpath/')}"

    def _listed(self, variable: str, default: str) -> list[str]:
        return [folder for folder in self.environment.get(variable, default).split(":") if folder]


def _without_tokens(text: str, asker: Asker) -> str:
    program = os.path.dirname(os.path.realpath(sys.executable))  # noqa: PTH120
    return text.replace("@loader_path", asker.folder, 1).replace("@executable_path", program, 1)
