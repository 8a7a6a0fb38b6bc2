"""Real and hand-made library files for the tests of what reads them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ..doubles import build

FACTORY = "int CreateEpFactories(void) { return 0; }\nint ReleaseEpFactory(void) { return 0; }\n"
DOUBLE_SOURCE = Path(build.__file__).with_name("double_ep.c")


def compiled(target: Path, source: str, *flags: str) -> Path:
    """Compile C source to a shared library, or skip."""
    target.parent.mkdir(parents=True, exist_ok=True)
    file = target.with_suffix(".c")
    file.write_text(source or "int nothing;\n", encoding="ascii")
    try:
        return build._compile(target, str(file), *flags)
    except build.DoubleUnavailableError as error:
        pytest.skip(str(error))
    finally:
        file.unlink()


def pe_bytes(*, machine: int = 0x8664, is_library: bool = True, signature: tuple[int, int] = (0, 0)) -> bytes:
    """A PE file of 64 bit with one section of 512 bytes, and a place for certificates."""
    start = 0x80
    optional = bytearray(240)
    struct.pack_into("<H", optional, 0, 0x20B)
    struct.pack_into("<QII", optional, 24, 0x180000000, 0x1000, 0x200)  # base, alignments
    struct.pack_into("<HH", optional, 48, 6, 0)
    struct.pack_into("<II", optional, 56, 0x2000, 0x200)
    struct.pack_into("<I", optional, 108, 16)
    struct.pack_into("<II", optional, 112 + 4 * 8, *signature)
    header = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0x2022 if is_library else 0x22)
    section = struct.pack("<8s6IHHI", b".text", 0x200, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x60000020)
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", start)
    head = head.ljust(start, b"\0") + b"PE\0\0" + header + bytes(optional) + section
    return head.ljust(0x200, b"\0") + b"\xc3" * 0x200


def pe_with_exports(*names: str, needs: tuple[str, ...] = ()) -> bytes:
    """A PE library that LIEF writes: with these exports, and libraries that it needs."""
    lief = pytest.importorskip("lief")
    binary = lief.PE.Factory.create(lief.PE.PE_TYPE.PE32_PLUS)
    text = lief.PE.Section(".text")
    text.content = [0xC3] * 64
    binary.add_section(text)
    made = binary.get()
    made.header.add_characteristic(lief.PE.Header.CHARACTERISTICS.DLL)
    made.set_export(lief.PE.Export("ep.dll", [lief.PE.ExportEntry(name, 0x1000) for name in names]))
    for name in needs:
        made.add_import(name).add_entry("something")
    config = lief.PE.Builder.config_t()
    config.exports = config.imports = True
    return bytes(made.write_to_bytes(config))


def mach_o_bytes(
    *,
    cpu: int = 0x0100000C,
    version: tuple[int, int, int] = (1, 8, 1),
    needs: tuple[str, ...] = ("/usr/lib/libSystem.B.dylib", "@rpath/libbundled.dylib"),
    rpaths: tuple[str, ...] = ("@loader_path/libs",),
    exports: tuple[str, ...] = ("CreateEpFactories", "ReleaseEpFactory"),
) -> bytes:
    """A Mach-O library of 64 bit: one segment, a symbol table, an identity, the libraries needed."""
    whole = 0x2000

    def text_command(command: int, fixed: bytes, text: str) -> bytes:
        body = fixed + text.encode() + b"\0"
        body = body.ljust((len(body) + 7) // 8 * 8, b"\0")
        return struct.pack("<II", command, 8 + len(body)) + body

    number = version[0] << 16 | version[1] << 8 | version[2]
    commands = [
        struct.pack("<II16sQQQQIIII", 0x19, 72, b"__TEXT", 0, 0x1000, 0, 0x1000, 5, 5, 0, 0),
        struct.pack("<II16sQQQQIIII", 0x19, 72, b"__LINKEDIT", 0x1000, 0x1000, 0x1000, whole - 0x1000, 1, 1, 0, 0),
        text_command(0x0D, struct.pack("<IIII", 24, 1, number, 0x10000), "@rpath/libep.dylib"),
        *(text_command(0x0C, struct.pack("<IIII", 24, 1, 0x10000, 0x10000), name) for name in needs),
        *(text_command(0x8000001C, struct.pack("<I", 12), name) for name in rpaths),
    ]
    strings = b"\0"
    symbols = b""
    for name in exports:
        symbols += struct.pack("<IBBHQ", len(strings), 0x0F, 1, 0, 0x800)  # N_SECT | N_EXT
        strings += f"_{name}".encode() + b"\0"
    commands.append(struct.pack("<6I", 0x02, 24, 0x1000, len(exports), 0x1000 + len(symbols), len(strings)))
    body = b"".join(commands)
    head = struct.pack("<8I", 0xFEEDFACF, cpu, 0, 6, len(commands), len(body), 0x85, 0) + body
    return (head.ljust(0x1000, b"\0") + symbols + strings).ljust(whole, b"\0")


def universal_bytes(*slices: tuple[int, bytes]) -> bytes:
    """A universal library of slices, each with its processor."""
    table, body, offset = b"", b"", 0x4000
    for cpu, content in slices:
        table += struct.pack(">5I", cpu, 0, offset + len(body), len(content), 14)
        body += content.ljust(0x4000, b"\0")
    return (struct.pack(">II", 0xCAFEBABE, len(slices)) + table).ljust(offset, b"\0") + body
