"""What the headers of a library file tell: format, processor, and how long the file has to be. Nothing is loaded."""

from __future__ import annotations

import platform
import struct
import sys
import sysconfig
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Final


class BinaryFormat(Enum):
    """The formats of libraries that systems load."""

    ELF = "ELF"
    PE = "PE"
    MACH_O = "Mach-O"

    @property
    def system(self) -> str:
        """The system that loads it, as people call it."""
        return {"ELF": "Linux", "PE": "Windows", "Mach-O": "macOS"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryHeader:
    """The headers of one file."""

    format: BinaryFormat
    description: str
    """`ELF shared library, 64 bit`."""
    bits: int = 0
    """32 or 64; 0 where the file does not tell, or holds both."""
    is_library: bool = True
    """False for a program or an object file."""
    architectures: tuple[str, ...] = ()
    """More than one in a universal binary; none where the file ends before it."""
    loaded_end: int = 0
    """How many bytes the file needs for all that the loader maps."""
    whole_end: int = 0
    """How many it needs for the tables that the loader leaves alone, too."""


class HeaderError(ValueError):
    """The file is no library of any system; the text says why, without a full stop."""


class _CutOffError(Exception):
    """The file ends before `end`, where a header reaches to."""

    def __init__(self, end: int) -> None:
        super().__init__(end)
        self.end = end


_ELF_MACHINES: Final = {
    3: "x86",
    8: "MIPS",
    20: "PowerPC",
    21: "PowerPC 64",
    22: "s390x",
    40: "Arm",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
    258: "LoongArch",
}
_PE_MACHINES: Final = {0x14C: "x86", 0x8664: "x86-64", 0x1C0: "Arm", 0x1C4: "Arm", 0xAA64: "AArch64"}
_MACH_O_MACHINES: Final = {7: "x86", 0x1000007: "x86-64", 12: "Arm", 0x100000C: "AArch64", 18: "PowerPC"}
_THIS_MACHINE: Final = {  # of platform.machine(): that of 64 bit, and that of a process of 32 bit on it
    "x86_64": ("x86-64", "x86"),
    "amd64": ("x86-64", "x86"),
    "i386": ("x86", "x86"),
    "i686": ("x86", "x86"),
    "aarch64": ("AArch64", "Arm"),
    "arm64": ("AArch64", "Arm"),
    "riscv64": ("RISC-V 64", "RISC-V 32"),
    "ppc64le": ("PowerPC 64 LE", "PowerPC"),
    "ppc64": ("PowerPC 64", "PowerPC"),
    "s390x": ("s390x", "s390x"),
    "loongarch64": ("LoongArch 64", "LoongArch 32"),
}
_ELF_TYPES: Final = {1: "object file", 2: "program", 3: "shared library", 4: "core dump"}
_MACH_O_TYPES: Final = {1: "object file", 2: "program", 6: "library", 8: "bundle"}
_ELF_LOAD: Final = 1
_ELF_SHARED: Final = 3
_PE_IS_DLL: Final = 0x2000
_FURTHEST_PE_HEADER: Final = 1 << 20  # linkers put it within the first few hundred bytes
_MOST_SLICES: Final = 30  # the same four bytes begin a Java class, whose version number then stands for the count


def process_architecture() -> str:
    """Return the processor that libraries must be for to load into this process; empty when it has no name here."""
    is_64_bit = sys.maxsize > 1 << 32
    if sys.platform == "win32":  # platform.machine() tells of the computer, not of a process that it emulates
        return {"win-amd64": "x86-64", "win-arm64": "AArch64", "win32": "x86"}.get(sysconfig.get_platform(), "")
    machine = platform.machine().lower()
    if machine.startswith("armv"):
        return "Arm"
    names = _THIS_MACHINE.get(machine, ("", ""))
    return names[0] if is_64_bit else names[1]


def process_format() -> BinaryFormat:
    """Return the format of the libraries that this system loads."""
    return {"win32": BinaryFormat.PE, "darwin": BinaryFormat.MACH_O}.get(sys.platform, BinaryFormat.ELF)


def read_header(path: str) -> BinaryHeader:
    """Read the headers of a file. Raises `HeaderError` where it is no library, OSError where it cannot be read.

    Of a file that ends within its headers `loaded_end` is the end of the first part that is missing.
    """
    with Path(path).open("rb") as stream:
        magic = stream.read(4)
        file_format = _format_of(magic)
        try:
            if file_format is BinaryFormat.ELF:
                return _elf(stream)
            if file_format is BinaryFormat.PE:
                return _pe(stream)
            return _mach_o(stream, magic)
        except _CutOffError as cut:
            description = f"{file_format.value} file"
            return BinaryHeader(format=file_format, description=description, loaded_end=cut.end, whole_end=cut.end)


def _format_of(magic: bytes) -> BinaryFormat:
    if magic == b"\x7fELF":
        return BinaryFormat.ELF
    if magic[:2] == b"MZ":
        return BinaryFormat.PE
    if magic in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"):
        return BinaryFormat.MACH_O
    raise HeaderError("it does not begin like a library")


def _take(stream: BinaryIO, layout: str, offset: int) -> tuple[int, ...]:
    """Read whole numbers from one place of the file."""
    size = struct.calcsize(layout)
    data = _bytes(stream, offset, size)
    values: tuple[int, ...] = struct.unpack(layout, data)
    return values


def _bytes(stream: BinaryIO, offset: int, size: int) -> bytes:
    if offset + size > stream.seek(0, 2):
        raise _CutOffError(offset + size)
    stream.seek(offset)
    return stream.read(size)


# ---- ELF ----


def _elf(stream: BinaryIO) -> BinaryHeader:
    elf_class, order_code, version = _take(stream, "3B", 4)
    if elf_class not in (1, 2) or order_code not in (1, 2) or version != 1:
        raise HeaderError("its ELF header makes no sense")
    bits, order = 32 * elf_class, "<>"[order_code - 1]
    layout = f"{order}HHIQQQIHHHHHH" if bits == 64 else f"{order}HHIIIIIHHHHHH"
    kind, machine, _, _, programs, sections, _, _, program_size, program_count, section_size, section_count, _ = _take(
        stream, layout, 16
    )
    kind_name = _ELF_TYPES.get(kind, "file of an unknown kind")
    loaded_end = 0
    if kind == _ELF_SHARED:
        loaded_end = _elf_loaded_end(stream, order, bits, (programs, program_size, program_count))
    return BinaryHeader(
        format=BinaryFormat.ELF,
        description=f"ELF {kind_name}, {bits} bit",
        bits=bits,
        is_library=kind == _ELF_SHARED,
        architectures=(_elf_machine(machine, bits, order),),
        loaded_end=loaded_end,
        whole_end=max(loaded_end, sections + section_size * section_count if sections else 0),
    )


def _elf_loaded_end(stream: BinaryIO, order: str, bits: int, table: tuple[int, int, int]) -> int:
    start, size, count = table
    layout = f"{order}IIQQQQQQ" if bits == 64 else f"{order}IIIIIIII"
    if size != struct.calcsize(layout) or not count:
        raise HeaderError("its ELF header names nothing to load")
    ends: list[int] = []
    for fields in struct.iter_unpack(layout, _bytes(stream, start, size * count)):
        offset, length = (fields[2], fields[5]) if bits == 64 else (fields[1], fields[4])
        if fields[0] == _ELF_LOAD:
            ends.append(offset + length)
    if not ends:
        raise HeaderError("its ELF header names nothing to load")
    return max(ends)


def _elf_machine(machine: int, bits: int, order: str) -> str:
    name = _ELF_MACHINES.get(machine, f"processor {machine}")
    if name in ("RISC-V", "LoongArch"):
        return f"{name} {bits}"
    if name == "x86-64" and bits == 32:
        return "x32"
    if name in ("PowerPC 64", "MIPS") and order == "<":
        return f"{name} LE"
    if name in ("AArch64", "Arm") and order == ">":
        return f"{name} BE"
    return name


# ---- PE ----


def _pe(stream: BinaryIO) -> BinaryHeader:
    (start,) = _take(stream, "<I", 0x3C)
    if start > _FURTHEST_PE_HEADER:
        raise HeaderError("it is a program for DOS")
    if _bytes(stream, start, 4) != b"PE\0\0":
        raise HeaderError("it is a program for DOS")
    machine, count, _, _, _, optional_size, flags = _take(stream, "<HHIIIHH", start + 4)
    optional = start + 24
    (magic,) = _take(stream, "<H", optional)
    bits = {0x10B: 32, 0x20B: 64}.get(magic)
    if bits is None:
        raise HeaderError("its PE header makes no sense")
    loaded_end = 0
    for fields in struct.iter_unpack("<8s8I", _bytes(stream, optional + optional_size, 40 * count)):
        size, offset = fields[3], fields[4]
        loaded_end = max(loaded_end, offset + size if size and offset else 0)
    is_library = bool(flags & _PE_IS_DLL)
    return BinaryHeader(
        format=BinaryFormat.PE,
        description=f"PE {'dynamic-link library' if is_library else 'program'}, {bits} bit",
        bits=bits,
        is_library=is_library,
        architectures=(_PE_MACHINES.get(machine, f"processor 0x{machine:X}"),),
        loaded_end=loaded_end,
        whole_end=max(loaded_end, _pe_signature_end(stream, optional, optional_size, bits)),
    )


def _pe_signature_end(stream: BinaryIO, optional: int, optional_size: int, bits: int) -> int:
    """Return where the certificates end: the one part that is named by its place in the file."""
    entry = (112 if bits == 64 else 96) + 4 * 8
    if optional_size < entry + 8:
        return 0
    offset, size = _take(stream, "<II", optional + entry)
    return offset + size if size else 0


# ---- Mach-O ----


def _mach_o(stream: BinaryIO, magic: bytes) -> BinaryHeader:
    if magic[0] != 0xCA:
        return _slice(stream, 0)
    (count,) = _take(stream, ">I", 4)
    if not 0 < count <= _MOST_SLICES:
        raise HeaderError("it begins like a universal library of macOS, but is none")
    layout = ">IIQQII" if magic[3] == 0xBF else ">5I"
    table = _bytes(stream, 8, count * struct.calcsize(layout))
    entries = list(struct.iter_unpack(layout, table))
    ends = [offset + size for _, _, offset, size, *_ in entries]
    architectures = tuple(_MACH_O_MACHINES.get(cpu, f"processor 0x{cpu:X}") for cpu, *_ in entries)
    try:
        slices = [_slice(stream, entry[2]) for entry in entries]
    except _CutOffError as cut:
        ends.append(cut.end)
        slices = []
    return BinaryHeader(
        format=BinaryFormat.MACH_O,
        description="Mach-O library, universal",
        is_library=all(part.is_library for part in slices),
        architectures=architectures,
        loaded_end=max(ends + [part.loaded_end for part in slices]),
    )


def _slice(stream: BinaryIO, start: int) -> BinaryHeader:
    magic, cpu, _, kind, count, size, _ = _take(stream, "<7I", start)
    bits = {0xFEEDFACF: 64, 0xFEEDFACE: 32}.get(magic)
    if bits is None:
        raise HeaderError("its Mach-O header makes no sense")
    commands = _bytes(stream, start + (32 if bits == 64 else 28), size)
    loaded_end = position = 0
    for _ in range(count):
        if position + 8 > size:
            raise HeaderError("its Mach-O header makes no sense")
        command, length = struct.unpack_from("<II", commands, position)
        if length < 8 or position + length > size:
            raise HeaderError("its Mach-O header makes no sense")
        layout = {0x19: "<QQ", 0x01: "<II"}.get(command)  # LC_SEGMENT_64 and LC_SEGMENT
        place = position + (40 if command == 0x19 else 32)
        if layout and place + struct.calcsize(layout) <= position + length:
            offset, filled = struct.unpack_from(layout, commands, place)
            loaded_end = max(loaded_end, start + offset + filled)
        position += length
    kind_name = _MACH_O_TYPES.get(kind, "file of an unknown kind")
    return BinaryHeader(
        format=BinaryFormat.MACH_O,
        description=f"Mach-O {kind_name}, {bits} bit",
        bits=bits,
        is_library=kind in (6, 8),
        architectures=(_MACH_O_MACHINES.get(cpu, f"processor 0x{cpu:X}"),),
        loaded_end=loaded_end,
        whole_end=loaded_end,
    )
