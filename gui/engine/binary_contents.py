"""What LIEF reads out of a library file: exports, the libraries it needs, its version. Nothing is loaded.

LIEF is native code that is given files of unknown origin: this belongs into a process that may die.
"""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from .binary_headers import BinaryFormat, BinaryHeader, process_architecture

CREATE: Final = "CreateEpFactories"
RELEASE: Final = "ReleaseEpFactory"
BRIDGE: Final = "GetProvider"
BRIDGE_HOST: Final = "Provider_GetHost"
ASKED_EXPORTS: Final = (CREATE, RELEASE, BRIDGE, BRIDGE_HOST)
"""The exports that tell what kind of library it is; others are not looked at."""

_MACH_O_CPUS: Final = {"x86": "X86", "x86-64": "X86_64", "Arm": "ARM", "AArch64": "ARM64"}
_MACH_O_NEEDS: Final = ("LOAD_DYLIB", "REEXPORT_DYLIB", "LOAD_UPWARD_DYLIB")  # weak and lazy ones may be absent

_DEFINED_OUTSIDE: Final = 0x0F  # N_SECT | N_EXT: LIEF counts as exported only what a table of newer linkers names


class LiefMissingError(Exception):
    """The package LIEF is not installed, or cannot be loaded; the text says which."""


class UnreadableError(Exception):
    """LIEF makes nothing of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryContents:
    """What LIEF read of one file."""

    exports: frozenset[str] = frozenset()
    """Those of `ASKED_EXPORTS` that it has."""
    needed: tuple[str, ...] = ()
    """The libraries that the system's loader must find, as the file names them."""
    rpaths: tuple[str, ...] = ()
    """ELF's DT_RPATH, Mach-O's LC_RPATH; as they are written, with `$ORIGIN` or `@loader_path`."""
    runpaths: tuple[str, ...] = ()
    """ELF's DT_RUNPATH."""
    version: str = ""
    """As the file itself states it: PE and Mach-O."""
    is_hybrid: bool = False
    """Whether it is a PE library of AArch64 and x86-64 at once (Arm64X)."""


def read_contents(path: str, header: BinaryHeader, *, exports: bool = True) -> BinaryContents:
    """Read a whole, sound-looking file; without `exports` only what loading it brings along.

    Raises `LiefMissingError` or `UnreadableError`.
    """
    lief = _lief()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers in the file that LIEF has no name for
            if header.format is BinaryFormat.ELF:
                return _elf(lief, path, exports=exports)
            return _pe(lief, path) if header.format is BinaryFormat.PE else _mach_o(lief, path)
    except UnreadableError:
        raise
    except Exception as error:  # native code: some faults it finds only when asked for a part
        raise UnreadableError(f"{type(error).__name__}: {error}") from error


def _lief() -> ModuleType:
    try:
        import lief
    except ImportError as error:
        raise LiefMissingError(str(error)) from error
    lief.logging.disable()  # it would print to stdout what it thinks of the file
    return lief


def _parsed(parse: Any, path: str, config: Any) -> Any:
    binary = parse(path, config)
    if binary is None:
        raise UnreadableError("LIEF finds no library in it")
    return binary


def _elf(lief: Any, path: str, *, exports: bool) -> BinaryContents:
    config = lief.ELF.ParserConfig()
    config.parse_dyn_symbols = exports
    for unused in ("relocations", "symtab_symbols", "symbol_versions", "notes", "overlay"):
        setattr(config, f"parse_{unused}", False)
    binary = _parsed(lief.ELF.parse, path, config)
    tags = lief.ELF.DynamicEntry.TAG
    rpath, runpath = binary.get(tags.RPATH), binary.get(tags.RUNPATH)
    found = [name for name in ASKED_EXPORTS if exports and _exports(binary.get_dynamic_symbol(name))]
    return BinaryContents(
        exports=frozenset(found),
        needed=tuple(os.fsdecode(name) for name in binary.libraries),
        rpaths=_folders(rpath.rpath) if rpath else (),
        runpaths=_folders(runpath.runpath) if runpath else (),
    )


def _exports(symbol: Any) -> bool:
    return symbol is not None and bool(symbol.exported)


def _folders(text: str | bytes) -> tuple[str, ...]:
    return tuple(folder for folder in os.fsdecode(text).split(":") if folder)


def _pe(lief: Any, path: str) -> BinaryContents:
    config = lief.PE.ParserConfig()
    for unused in ("signature", "reloc", "exceptions"):
        setattr(config, f"parse_{unused}", False)
    binary = _parsed(lief.PE.parse, path, config)
    export = binary.get_export()
    names = {os.fsdecode(entry.name) for entry in export.entries} if export else set()
    return BinaryContents(
        exports=frozenset(names.intersection(ASKED_EXPORTS)),
        needed=tuple(dict.fromkeys(os.fsdecode(entry.name) for entry in binary.imports)),
        version=_pe_version(binary),
        is_hybrid=bool(getattr(binary, "is_arm64x", False)),
    )


def _pe_version(binary: Any) -> str:
    """Return the text that Windows shows as the file's version, or else the four numbers."""
    manager = binary.resources_manager if binary.has_resources else None
    stated = getattr(manager, "version", None) or []
    for resource in stated if isinstance(stated, list) else [stated]:
        strings = resource.string_file_info
        for table in strings.children if strings else ():
            text = str(table.get("FileVersion") or "").strip("\0 ").replace(", ", ".")
            if re.match(r"\d+(\.\d+)+", text):
                return text
        info = resource.file_info
        numbers = [
            half for pair in (info.file_version_ms, info.file_version_ls) for half in (pair >> 16, pair & 0xFFFF)
        ]
        if any(numbers):
            return ".".join(map(str, numbers))
    return ""


def _mach_o(lief: Any, path: str) -> BinaryContents:
    config = lief.MachO.ParserConfig()
    config.parse_dyld_exports = True
    config.parse_dyld_bindings = config.parse_dyld_rebases = False
    binaries = _parsed(lief.MachO.parse, path, config)
    cpus = lief.MachO.Header.CPU_TYPE
    wanted = getattr(cpus, _MACH_O_CPUS.get(process_architecture(), "ANY"))
    binary = next((part for part in binaries if part.header.cpu_type == wanted), None) or next(iter(binaries), None)
    if binary is None:
        raise UnreadableError("LIEF finds no library in it")
    exported = [
        *binary.exported_symbols,
        *(part for part in binary.symbols if part.raw_type & 0x1F == _DEFINED_OUTSIDE),
    ]
    names = {os.fsdecode(symbol.name).removeprefix("_") for symbol in exported}
    kinds = [getattr(lief.MachO.LoadCommand.TYPE, kind) for kind in _MACH_O_NEEDS]
    own = next((part for part in binary.libraries if part.command == lief.MachO.LoadCommand.TYPE.ID_DYLIB), None)
    version = own.current_version if own else []
    return BinaryContents(
        exports=frozenset(names.intersection(ASKED_EXPORTS)),
        needed=tuple(os.fsdecode(part.name) for part in binary.libraries if part.command in kinds),
        rpaths=tuple(os.fsdecode(part.path) for part in binary.rpaths),
        version=".".join(map(str, version)) if any(version) else "",
    )
