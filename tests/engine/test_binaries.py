"""What reading a library file tells: real libraries, cut ones, hand-made ones of other systems."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gui.engine import binaries, binary_contents, binary_headers
from gui.engine.binaries import check_library
from gui.engine.binary_headers import BinaryFormat, read_header
from gui.records.codec import from_json, to_json
from gui.records.failure import FailureKind
from gui.records.library_check import Finding, LibraryCheck, Mark

from ..conftest import DoubleFactory
from ..doubles import build
from .library_files import FACTORY, compiled, mach_o_bytes, pe_bytes, pe_with_exports, universal_bytes

TOPICS = ["file", "format", "completeness", "architecture", "exports", "needed libraries", "version"]
ON_LINUX = sys.platform.startswith("linux")
linux_only = pytest.mark.skipif(not ON_LINUX, reason="ELF files are foreign here")
with_lief = pytest.mark.skipif(importlib.util.find_spec("lief") is None, reason="LIEF is not installed")


def finding(check: LibraryCheck, topic: str) -> Finding:
    (found,) = [entry for entry in check.findings if entry.topic == topic]
    return found


@pytest.fixture(autouse=True)
def well_formed_checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What holds for every check is looked at for each that these tests make."""
    made: list[LibraryCheck] = []

    def remember(path: str) -> LibraryCheck:
        made.append(_check(path))
        return made[-1]

    _check = check_library
    monkeypatch.setitem(globals(), "check_library", remember)
    yield
    for check in made:
        topics = [entry.topic for entry in check.findings]
        assert topics == [topic for topic in TOPICS if topic in topics]
        assert not any("\n" in entry.text or entry.text.endswith(".") or not entry.text for entry in check.findings)
        assert (check.failure is not None) == any(entry.mark is Mark.BAD for entry in check.findings)
        if check.failure is not None:
            assert check.failure.message.endswith(".")
            assert check.failure.hint.endswith(".")
            assert Path(check.path).name in check.failure.message
        assert from_json(LibraryCheck, to_json(check)) == check


@linux_only
@with_lief
def test_that_a_sound_library_is_good_in_every_topic(double_library: DoubleFactory) -> None:
    path = double_library("")
    check = check_library(str(path))
    assert check.failure is None
    assert [entry.topic for entry in check.findings] == TOPICS[:-1]  # it has no version
    assert {entry.mark for entry in check.findings} == {Mark.GOOD}
    assert (check.path, check.format, check.version) == (str(path), "ELF", "")
    assert check.architecture == binary_headers.process_architecture()
    assert finding(check, "architecture").text == f"{check.architecture}, as this process"
    assert finding(check, "exports").text == "CreateEpFactories and ReleaseEpFactory"
    assert finding(check, "format").text == f"ELF shared library, {64 if sys.maxsize > 1 << 32 else 32} bit"
    assert all(library.path and Path(library.path).exists() for library in check.needed)


def test_that_size_time_and_digest_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ep.dll"
    path.write_bytes(pe_bytes())
    os.utime(path, (1_700_000_000, 1_700_000_000))
    check = check_library(str(path))
    assert check.size_bytes == 1024
    assert check.sha256 == hashlib.sha256(pe_bytes()).hexdigest()
    assert dt.datetime.fromisoformat(check.modified) == dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)
    assert finding(check, "file") == Finding(topic="file", mark=Mark.GOOD, text="1.0 KiB, readable")


# ---- No library ----


@pytest.mark.parametrize(
    ("name", "kind", "topic"),
    [
        ("gone.so", FailureKind.NO_SUCH_FILE, "file"),
        ("x" * 300 + ".so", FailureKind.NO_SUCH_FILE, "file"),
        ("a\0b.so", FailureKind.NO_SUCH_FILE, "file"),
        ("folder", FailureKind.NOT_A_LIBRARY, "format"),
        ("dangling", FailureKind.NO_SUCH_FILE, "file"),
    ],
)
def test_that_what_is_no_file_fails_at_once(tmp_path: Path, name: str, kind: FailureKind, topic: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    check = check_library(f"{tmp_path}/{name}")
    assert check.failure is not None
    assert check.failure.kind is kind
    assert [(entry.topic, entry.mark) for entry in check.findings] == [(topic, Mark.BAD)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_that_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.so"
    os.mkfifo(path)
    check = check_library(str(path))
    assert check.failure is not None
    assert check.failure.kind is FailureKind.NOT_A_LIBRARY


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_that_a_file_that_may_not_be_read_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.so"
    path.write_bytes(b"\x7fELF")
    path.chmod(0)
    check = check_library(str(path))
    assert check.failure is not None
    assert check.failure.kind is FailureKind.NO_SUCH_FILE
    assert finding(check, "file").text == "cannot be read"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text\n",
        b"\x7fELF" + b"\0" * 5000,
        b"\x7fELF\x02\x01\x01" + b"\xff" * 5000,
        b"MZ" + b"\0" * 5000,
        b"MZ" + b"\xff" * 5000,
        b"\xcf\xfa\xed\xfe" + b"\xff" * 5000,
        b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + b"\0" * 5000,  # a Java class
        b"\xca\xfe\xba\xbe\x00\x00\x00\x02" + b"\0" * 5000,
    ],
)
def test_that_a_file_without_sense_is_no_library(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nonsense{0}.so"
    path.write_bytes(content)
    check = check_library(str(path))
    assert check.failure is not None
    assert check.failure.kind in (FailureKind.NOT_A_LIBRARY, FailureKind.TRUNCATED)
    assert check.size_bytes == len(content)
    if len(content) > 5 and content[8:] == b"\0" * (len(content) - 8):
        assert check.failure.kind is FailureKind.NOT_A_LIBRARY


def test_that_a_program_and_an_object_file_are_no_libraries(tmp_path: Path, double_library: DoubleFactory) -> None:
    windows_program, elf = tmp_path / "ep.exe", bytearray(double_library("").read_bytes())
    windows_program.write_bytes(pe_bytes(is_library=False))
    object_file = tmp_path / "ep.o"
    elf[16:18] = (1).to_bytes(2, sys.byteorder)
    object_file.write_bytes(elf)
    for path, words in ((windows_program, "a PE program, 64 bit"), (object_file, "an ELF object file, 64 bit")):
        check = check_library(str(path))
        assert check.failure is not None
        assert check.failure.kind is FailureKind.NOT_A_LIBRARY
        assert words in finding(check, "format").text


# ---- Completeness ----


def loads(path: Path) -> bool:
    program = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=False)
    return done.returncode == 0


@linux_only
def test_that_a_library_cut_anywhere_is_told_so_and_the_loader_agrees(
    double_library: DoubleFactory, tmp_path: Path
) -> None:
    content = double_library("").read_bytes()
    loaded_end = read_header(str(double_library(""))).loaded_end
    lengths = {len(content) * tenth // 10 for tenth in range(1, 10)}
    for length in sorted({*lengths, 4, 5, 16, 63, 64, 100, 600, loaded_end - 1, loaded_end, len(content) - 1}):
        path = tmp_path / f"libcut-{length}.so"
        path.write_bytes(content[:length])
        check = check_library(str(path))
        if length < loaded_end:
            assert check.failure is not None, length
            assert check.failure.kind is FailureKind.TRUNCATED
            assert finding(check, "completeness").text.startswith("truncated")
        else:  # only tables are gone that the loader does not read: it may be tried
            assert check.failure is None, length
            assert finding(check, "completeness").mark is Mark.DOUBTFUL
            assert loads(path), length
    whole = tmp_path / "libwhole.so"
    whole.write_bytes(content)
    assert finding(check_library(str(whole)), "completeness").mark is Mark.GOOD
    assert loads(whole)


@linux_only
def test_that_the_architecture_of_half_a_file_is_still_told(double_library: DoubleFactory, tmp_path: Path) -> None:
    check = check_library(str(build.truncated_copy(double_library(""), tmp_path)))
    assert check.failure is not None
    assert check.failure.kind is FailureKind.TRUNCATED
    assert str(check.size_bytes) in check.failure.detail
    assert finding(check, "architecture").mark is Mark.GOOD
    assert finding(check, "exports").mark is finding(check, "needed libraries").mark is Mark.UNKNOWN


def test_that_an_elf_library_of_32_bit_is_read_too(tmp_path: Path) -> None:
    ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    fields = (3, 40, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    header = ident + b"".join(
        value.to_bytes(size, "little") for value, size in zip(fields, (2, 2, *[4] * 5, *[2] * 6), strict=True)
    )
    load = b"".join(value.to_bytes(4, "little") for value in (1, 0, 0, 0, 200, 200, 5, 4096))
    path = tmp_path / "libarm.so"
    path.write_bytes(header + load)
    told = read_header(str(path))
    assert (told.description, told.architectures, told.loaded_end) == ("ELF shared library, 32 bit", ("Arm",), 200)
    failure = check_library(str(path)).failure
    assert failure is not None
    assert failure.kind is FailureKind.TRUNCATED


@pytest.mark.parametrize("length", range(100, 1024, 100))
def test_that_a_cut_dll_is_truncated(tmp_path: Path, length: int) -> None:
    path = tmp_path / "ep.dll"
    path.write_bytes(pe_bytes()[:length])
    failure = check_library(str(path)).failure
    assert failure is not None
    assert failure.kind is FailureKind.TRUNCATED


def test_that_a_dll_without_its_signature_may_be_tried(tmp_path: Path) -> None:
    path = tmp_path / "ep.dll"
    path.write_bytes(pe_bytes(signature=(0x400, 0x100)))
    completeness = finding(check_library(str(path)), "completeness")
    assert (completeness.mark, completeness.text) == (Mark.DOUBTFUL, "the end is missing, with the signature")


@pytest.mark.parametrize("content", [mach_o_bytes(), universal_bytes((0x100000C, mach_o_bytes()))])
def test_that_a_cut_dylib_is_truncated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ep.dylib"
    path.write_bytes(content)
    assert finding(check_library(str(path)), "completeness").mark is Mark.GOOD
    loaded_end = read_header(str(path)).loaded_end
    assert loaded_end > len(content) // 2
    for tenth in range(1, 11):
        path.write_bytes(content[: loaded_end * tenth // 10 - 1])
        failure = check_library(str(path)).failure
        assert failure is not None
        assert failure.kind is FailureKind.TRUNCATED


# ---- Architecture ----


@linux_only
def test_that_another_processor_is_told_with_both_names(double_library: DoubleFactory, tmp_path: Path) -> None:
    double_library("")
    check = check_library(str(build.wrong_architecture(tmp_path)))
    here = binary_headers.process_architecture()
    other = "x86-64" if here == "AArch64" else "AArch64"
    assert check.failure is not None
    assert check.failure.kind is FailureKind.WRONG_ARCHITECTURE
    assert finding(check, "architecture").text == f"made for {other}; this process is {here}"
    assert finding(check, "needed libraries").mark is Mark.UNKNOWN


@linux_only
@with_lief
def test_that_a_library_of_another_system_is_of_the_wrong_architecture(tmp_path: Path) -> None:
    path = tmp_path / "ep.dll"
    path.write_bytes(pe_with_exports("CreateEpFactories", "ReleaseEpFactory", needs=("kernel32.dll", "foo.dll")))
    check = check_library(str(path))
    assert check.failure is not None
    assert check.failure.kind is FailureKind.WRONG_ARCHITECTURE
    assert check.failure.message == "ep.dll is made for Windows on x86-64, and this is Linux."
    assert finding(check, "exports").mark is Mark.GOOD
    assert [library.name for library in check.needed] == ["kernel32.dll", "foo.dll"]


@with_lief
@pytest.mark.parametrize(("machine", "expected"), [("arm64", Mark.GOOD), ("x86_64", Mark.GOOD), ("riscv64", Mark.BAD)])
def test_that_one_fitting_part_of_a_universal_library_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, expected: Mark
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: machine)
    path = tmp_path / "libep.dylib"
    slices = (0x1000007, mach_o_bytes(cpu=0x1000007, version=(2, 0, 0))), (0x100000C, mach_o_bytes())
    path.write_bytes(universal_bytes(*slices))
    check = check_library(str(path))
    assert check.architecture == "x86-64, AArch64"
    assert finding(check, "architecture").mark is expected
    assert finding(check, "exports").mark is Mark.GOOD
    if expected is Mark.GOOD:
        assert check.version == ("1.8.1" if machine == "arm64" else "2.0.0")
        assert finding(check, "needed libraries").text == "@rpath/libbundled.dylib is not found"


def test_that_a_processor_without_a_name_is_unknown_not_wrong(
    double_library: DoubleFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "abacus")
    check = check_library(str(double_library("")))
    assert check.failure is None
    assert finding(check, "architecture").mark is Mark.UNKNOWN


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", "x86-64"),
        ("linux", "aarch64", "AArch64"),
        ("linux", "armv7l", "Arm"),
        ("darwin", "arm64", "AArch64"),
        ("linux", "riscv64", "RISC-V 64"),
    ],
)
def test_that_this_process_is_named_like_files_are(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, expected: str
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("sys.maxsize", (1 << 63) - 1)
    assert binary_headers.process_architecture() == expected


def test_that_windows_is_asked_for_the_process_not_for_the_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("platform.machine", lambda: "ARM64")
    monkeypatch.setattr("sysconfig.get_platform", lambda: "win-amd64")
    assert binary_headers.process_architecture() == "x86-64"
    assert binary_headers.process_format() is BinaryFormat.PE


# ---- Exports ----


@with_lief
@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("int CreateEpFactories(void) { return 0; }", "no ReleaseEpFactory"),
        ("int ReleaseEpFactory(void) { return 0; }", "no CreateEpFactories"),
        ("", "no CreateEpFactories and no ReleaseEpFactory"),
        # What is hidden, or wanted from elsewhere, is not offered.
        (f"#pragma GCC visibility push(hidden)\n{FACTORY}", "no CreateEpFactories and no ReleaseEpFactory"),
        (
            "int CreateEpFactories(void); int both(void) { return CreateEpFactories(); }",
            "no CreateEpFactories and no ReleaseEpFactory",
        ),
    ],
)
def test_that_a_missing_export_is_named(tmp_path: Path, source: str, missing: str) -> None:
    check = check_library(str(compiled(tmp_path / "libhalf.so", source)))
    assert check.failure is not None
    assert check.failure.kind is FailureKind.NOT_AN_EP_LIBRARY
    assert finding(check, "exports") == Finding(topic="exports", mark=Mark.BAD, text=missing)
    assert missing in check.failure.message


@with_lief
def test_that_the_c_library_is_no_ep_library() -> None:
    try:
        path = build.system_library()
    except build.DoubleUnavailableError as error:
        pytest.skip(str(error))
    check = check_library(str(path))
    assert check.failure is not None
    assert check.failure.kind is FailureKind.NOT_AN_EP_LIBRARY


@with_lief
@pytest.mark.parametrize("export", ["GetProvider", "Provider_GetHost"])
def test_that_a_provider_bridge_library_is_told_apart(tmp_path: Path, export: str) -> None:
    library = compiled(tmp_path / "libonnxruntime_providers_x.so", f"int {export}(void) {{ return 0; }}")
    check = check_library(str(library))
    assert check.failure is not None
    assert check.failure.kind is FailureKind.NOT_AN_EP_LIBRARY
    assert "is a provider-bridge library, part of an onnxruntime package, not a plugin." in check.failure.message
    assert "`providers=[…]`" in check.failure.hint
    assert export in check.failure.detail


@with_lief
def test_that_the_bridge_of_the_installed_onnxruntime_is_one() -> None:
    spec = importlib.util.find_spec("onnxruntime")
    assert spec is not None
    assert spec.origin is not None
    bridges = sorted((Path(spec.origin).parent / "capi").glob("*onnxruntime_providers_shared.*"))
    if not bridges:
        pytest.skip("this onnxruntime has no bridge library")
    check = check_library(str(bridges[0]))
    assert check.failure is not None
    assert "provider-bridge" in check.failure.message


@with_lief
def test_that_a_plugin_that_is_a_bridge_library_too_may_be_tried(tmp_path: Path) -> None:
    check = check_library(str(compiled(tmp_path / "libboth.so", FACTORY + "int GetProvider(void) { return 0; }")))
    assert check.failure is None
    assert finding(check, "exports").mark is Mark.NOTE
    assert "GetProvider" in finding(check, "exports").text


# ---- Needed libraries ----


@linux_only
@with_lief
def test_that_a_missing_library_is_named_and_no_certain_failure(double_library: DoubleFactory, tmp_path: Path) -> None:
    double_library("")
    check = check_library(str(build.missing_dependency(tmp_path)))
    assert check.failure is None
    needed = finding(check, "needed libraries")
    assert (needed.mark, needed.text) == (Mark.DOUBTFUL, "libnot_installed.so is not found")
    (missing,) = [library for library in check.needed if library.path is None]
    assert (missing.name, missing.needed_by) == ("libnot_installed.so", "libmissing_dependency.so")


@linux_only
@with_lief
def test_that_a_truncated_library_beside_it_is_named(tmp_path: Path) -> None:
    bundled = compiled(tmp_path / "libbundled.so", "int bundled = 1; char room[100000] = {1};")
    path = compiled(tmp_path / "libep.so", FACTORY, "-Wl,--no-as-needed", str(bundled), "-Wl,-rpath,$ORIGIN")
    bundled.write_bytes(bundled.read_bytes()[:50_000])
    needed = finding(check_library(str(path)), "needed libraries")
    # Linked by its path, it has no soname, so that path is what is asked for.
    assert needed.mark is Mark.DOUBTFUL
    assert needed.text.endswith("libbundled.so is truncated")


def test_that_many_missing_libraries_are_not_all_named() -> None:
    assert binaries._listed(("a", "b")) == "a and b are"
    assert binaries._listed(("a", "b", "c", "d", "e")) == "a, b, c, d and e are"
    assert binaries._listed(tuple("abcdefg")) == "a, b, c, d and 3 more are"


# ---- Version ----


@linux_only
@with_lief
@pytest.mark.parametrize("copied", [True, False])
def test_that_the_version_is_read_from_another_name_of_the_file(
    double_library: DoubleFactory, tmp_path: Path, copied: bool
) -> None:
    content = double_library("").read_bytes()
    versioned, plain = tmp_path / "libep.so.1.8.1", tmp_path / "libep.so"
    versioned.write_bytes(content)
    if copied:
        plain.write_bytes(content)
    else:
        plain.symlink_to("libep.so.1.8.1")
    for path in (plain, versioned):
        check = check_library(str(path))
        assert check.version == "1.8.1"
        assert finding(check, "version") == Finding(topic="version", mark=Mark.NOTE, text="1.8.1")


def test_that_a_version_is_not_guessed(double_library: DoubleFactory, tmp_path: Path) -> None:
    content = double_library("").read_bytes()
    (tmp_path / "libep.so").write_bytes(content)
    (tmp_path / "libep.so.2.0.0").write_bytes(content + b"another one")
    (tmp_path / "libep.so.2").write_bytes(content)  # the number of an interface
    for name in ("libep.so", "libep.so.2"):
        check = check_library(str(tmp_path / name))
        assert check.version == ""
        assert "version" not in [entry.topic for entry in check.findings]


@with_lief
def test_that_the_version_of_a_dll_is_that_which_windows_shows(tmp_path: Path) -> None:
    pip = importlib.util.find_spec("pip")
    starter = Path(str(pip.origin)).parent / "_vendor/distlib/t64.exe" if pip else Path("none")
    if not starter.is_file():
        pytest.skip("pip brings no program for Windows, the one PE file with a version at hand")
    content = bytearray(starter.read_bytes())
    flags = int.from_bytes(content[0x3C:0x40], "little") + 22
    content[flags + 1] |= 0x20  # a library
    path = tmp_path / "ep.dll"
    path.write_bytes(content)
    check = check_library(str(path))
    assert check.format == "PE"
    assert check.version == "1.1.0.14"


# ---- Without LIEF ----


def test_that_without_lief_the_headers_are_still_read(
    double_library: DoubleFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lief", None)
    check = check_library(str(double_library("")))
    assert check.failure is None
    assert [entry.topic for entry in check.findings] == TOPICS[:-1]
    for topic in ("exports", "needed libraries"):
        assert finding(check, topic).mark is Mark.UNKNOWN
        assert finding(check, topic).text == "not available: the package LIEF is not installed"
    assert finding(check, "completeness").mark is Mark.GOOD
    failure = check_library(str(build.truncated_copy(double_library(""), tmp_path))).failure
    assert failure is not None
    assert failure.kind is FailureKind.TRUNCATED


def test_that_a_file_that_lief_refuses_is_damaged(
    double_library: DoubleFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, header: object) -> None:
        raise binary_contents.UnreadableError("no dynamic table")

    monkeypatch.setattr(binaries, "read_contents", refuse)
    check = check_library(str(double_library("")))
    assert check.failure is not None
    assert check.failure.kind is FailureKind.NOT_A_LIBRARY
    assert check.failure.detail == "no dynamic table"
    assert finding(check, "format").text.endswith("but is damaged")


@with_lief
def test_that_whatever_stands_in_the_headers_there_is_a_check(double_library: DoubleFactory, tmp_path: Path) -> None:
    """Bytes changed at random, the same ones each time, where most of the tables are."""
    chance = random.Random(4)  # noqa: S311
    sources = (double_library("").read_bytes(), pe_with_exports("x", needs=("a.dll",)), mach_o_bytes())
    for _ in range(300):
        content = bytearray(chance.choice(sources))
        for _ in range(chance.choice((1, 5, 20))):
            content[chance.randrange(min(len(content), chance.choice((64, 512, 4096))))] = chance.randrange(256)
        path = tmp_path / "libodd.so"
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        assert check_library(str(path)).sha256 == hashlib.sha256(content).hexdigest()


# ---- A real plugin EP ----


@pytest.mark.ggml
@linux_only
@with_lief
def test_that_a_real_plugin_with_bundled_libraries_is_good(ggml_library: Path) -> None:
    check = check_library(str(ggml_library))
    assert check.failure is None
    assert {entry.mark for entry in check.findings} == {Mark.GOOD}
    bundled = [library for library in check.needed if library.path and "onnxruntime_ggml.libs" in library.path]
    assert [library.name.split("-")[0] for library in bundled] == ["libgomp"]
    assert ".." not in str(bundled[0].path)
