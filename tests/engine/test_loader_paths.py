"""Where loaders look: compared with ld.so where it runs, told by hand-made files for the other systems."""

from __future__ import annotations

import importlib.util
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from gui.engine.binary_contents import read_contents
from gui.engine.binary_headers import read_header
from gui.engine.loader_paths import (
    ElfLoader,
    Loader,
    MacLoader,
    NeededSearch,
    WindowsLoader,
    find_needed,
    parse_ld_cache,
)

from ..doubles import build
from .library_files import FACTORY, compiled, mach_o_bytes, pe_with_exports

pytestmark = pytest.mark.skipif(importlib.util.find_spec("lief") is None, reason="LIEF is not installed")
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tells about ld.so")


def search(path: Path, loader: Loader | None = None) -> NeededSearch:
    header = read_header(str(path))
    return find_needed(str(path), header, read_contents(str(path), header), loader)


def places(path: Path, loader: Loader | None = None) -> dict[str, str | None]:
    return {library.name: library.path for library in search(path, loader).libraries}


def loads(path: Path, **environment: str) -> bool:
    """Whether ld.so itself finds all."""
    program = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], env={**os.environ, **environment}, capture_output=True, check=False
    )
    return done.returncode == 0


def library_with_bundled(folder: Path, *flags: str, bundled_in: str = "", rpath_of_middle: str = "") -> Path:
    """libep.so needs libmiddle.so, which needs libinner.so; both lie in a folder below."""
    below = folder / bundled_in
    inner = compiled(below / "libinner.so", "int inner = 1;", "-Wl,-soname,libinner.so")
    own = [rpath_of_middle] if rpath_of_middle else []
    middle = compiled(
        below / "libmiddle.so", "int middle = 1;", "-Wl,-soname,libmiddle.so", "-Wl,--no-as-needed", str(inner), *own
    )
    hints = ("-Wl,--no-as-needed", str(middle), f"-Wl,-rpath-link,{below}")
    return compiled(folder / "libep.so", FACTORY, *hints, *flags)


RUNPATH = "-Wl,--enable-new-dtags"
RPATH = "-Wl,--disable-new-dtags"


# ---- Linux ----


@linux_only
@pytest.mark.parametrize("origin", ["$ORIGIN", "${ORIGIN}"])
def test_that_a_bundled_library_and_what_it_needs_are_found_by_rpath(tmp_path: Path, origin: str) -> None:
    path = library_with_bundled(tmp_path, RPATH, f"-Wl,-rpath,{origin}/libs", bundled_in="libs")
    found = search(path)
    assert found.missing == ()
    assert places(path)["libmiddle.so"] == str(tmp_path / "libs" / "libmiddle.so")
    assert places(path)["libinner.so"] == str(tmp_path / "libs" / "libinner.so")  # RPATH holds for them, too
    assert [library.needed_by for library in found.libraries if library.name == "libinner.so"] == ["libmiddle.so"]
    assert loads(path)


@linux_only
def test_that_runpath_does_not_hold_for_what_the_bundled_libraries_need(tmp_path: Path) -> None:
    path = library_with_bundled(tmp_path, RUNPATH, "-Wl,-rpath,$ORIGIN/libs", bundled_in="libs")
    assert search(path).missing == ("libinner.so",)
    assert not loads(path)


@linux_only
def test_that_a_bundled_library_has_a_runpath_of_its_own(tmp_path: Path) -> None:
    path = library_with_bundled(
        tmp_path, RUNPATH, "-Wl,-rpath,$ORIGIN/libs", bundled_in="libs", rpath_of_middle="-Wl,-rpath,$ORIGIN"
    )
    assert search(path).missing == ()
    assert loads(path)


@linux_only
def test_that_a_library_beside_is_not_found_without_a_search_path(tmp_path: Path) -> None:
    path = library_with_bundled(tmp_path)
    assert search(path).missing == ("libmiddle.so",)
    assert not loads(path)


@linux_only
def test_that_the_environment_names_folders(tmp_path: Path) -> None:
    path = library_with_bundled(tmp_path, bundled_in="libs")
    folders = f"/nowhere:{tmp_path}/libs"
    assert search(path, ElfLoader({"LD_LIBRARY_PATH": folders})).missing == ()
    assert loads(path, LD_LIBRARY_PATH=folders)
    assert search(path, ElfLoader({})).missing == ("libmiddle.so",)


@linux_only
def test_that_rpath_comes_before_the_environment_and_runpath_after_it(tmp_path: Path) -> None:
    elsewhere = compiled(tmp_path / "elsewhere" / "libmiddle.so", "int middle = 2;", "-Wl,-soname,libmiddle.so")
    loader = ElfLoader({"LD_LIBRARY_PATH": str(elsewhere.parent)})
    by_rpath = library_with_bundled(tmp_path / "a", RPATH, "-Wl,-rpath,$ORIGIN/libs", bundled_in="libs")
    by_runpath = library_with_bundled(tmp_path / "b", RUNPATH, "-Wl,-rpath,$ORIGIN/libs", bundled_in="libs")
    assert places(by_rpath, loader)["libmiddle.so"] == str(tmp_path / "a/libs/libmiddle.so")
    assert places(by_runpath, loader)["libmiddle.so"] == str(elsewhere)


@linux_only
def test_that_a_library_for_another_processor_is_passed_over(tmp_path: Path) -> None:
    path = library_with_bundled(tmp_path, RPATH, "-Wl,-rpath,$ORIGIN/other:$ORIGIN/libs", bundled_in="libs")
    other = tmp_path / "other" / "libmiddle.so"
    other.parent.mkdir()
    content = bytearray((tmp_path / "libs" / "libmiddle.so").read_bytes())
    content[18:20] = (8).to_bytes(2, sys.byteorder)
    other.write_bytes(content)
    assert places(path)["libmiddle.so"] == str(tmp_path / "libs" / "libmiddle.so")
    assert loads(path)


@linux_only
def test_that_the_origin_is_where_the_name_lies_not_where_a_link_leads(tmp_path: Path) -> None:
    path = library_with_bundled(tmp_path / "real", RPATH, "-Wl,-rpath,$ORIGIN/libs", bundled_in="libs")
    link = tmp_path / "libep.so"
    link.symlink_to(path)
    assert search(link).missing == ("libmiddle.so",)
    assert not loads(link)


@linux_only
def test_that_libraries_that_need_each_other_come_to_an_end(tmp_path: Path) -> None:
    flags = ("-Wl,--no-as-needed", "-Wl,-rpath,$ORIGIN")
    one = compiled(tmp_path / "libone.so", "int one = 1;", "-Wl,-soname,libone.so")
    two = compiled(tmp_path / "libtwo.so", "int two = 1;", "-Wl,-soname,libtwo.so", *flags, str(one))
    compiled(one, "int one = 1;", "-Wl,-soname,libone.so", *flags, str(two))
    path = compiled(tmp_path / "libep.so", FACTORY, *flags, str(one))
    assert search(path).missing == ()
    assert {"libone.so", "libtwo.so"} <= {library.name for library in search(path).libraries}


@linux_only
def test_that_the_systems_libraries_are_found_where_the_loader_finds_them(tmp_path: Path) -> None:
    path = compiled(tmp_path / "libep.so", FACTORY, "-Wl,--no-as-needed", "-lm")
    try:
        c_library = build.system_library()
    except build.DoubleUnavailableError as error:
        pytest.skip(str(error))
    found = places(path)
    assert len(found) >= 2
    c_path = next(place for name, place in found.items() if name.startswith("libc."))
    assert c_path is not None
    assert Path(c_path).samefile(c_library)


@linux_only
def test_that_only_what_onnxruntime_brings_into_the_process_counts_as_loaded(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("onnxruntime")
    assert spec is not None
    assert spec.origin is not None
    capi = Path(spec.origin).parent / "capi"
    bridge = capi / "libonnxruntime_providers_shared.so"
    if not bridge.is_file():
        pytest.skip("this onnxruntime has no bridge library")
    path = compiled(tmp_path / "libep.so", FACTORY, "-Wl,--no-as-needed", str(bridge))
    assert places(path)["libonnxruntime_providers_shared.so"] == str(bridge)
    program = "import ctypes, sys, onnxruntime; ctypes.CDLL(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    for ort_library in capi.glob("libonnxruntime.so.*"):
        other = compiled(tmp_path / "libother.so", FACTORY, "-Wl,--no-as-needed", str(ort_library))
        done = subprocess.run([sys.executable, "-c", program, str(other)], capture_output=True, check=False)
        assert (search(other).missing == ()) == (done.returncode == 0)


def ld_cache(*entries: tuple[str, str]) -> bytes:
    strings_at = 48 + 24 * len(entries)
    strings, table = b"", b""
    for name, path in entries:
        name_at = strings_at + len(strings)
        path_at = name_at + len(name) + 1
        strings += f"{name}\0{path}\0".encode()
        table += struct.pack("=iIIIQ", 0x303, name_at, path_at, 0, 0)
    return b"glibc-ld.so.cache1.1" + struct.pack("=II20x", len(entries), len(strings)) + table + strings


def test_that_the_loaders_cache_is_read_behind_an_older_one_too() -> None:
    data = ld_cache(("liba.so.1", "/lib/liba.so.1"), ("liba.so.1", "/opt/liba.so.1"), ("libb.so", "/lib/libb.so"))
    expected = {"liba.so.1": ("/lib/liba.so.1", "/opt/liba.so.1"), "libb.so": ("/lib/libb.so",)}
    assert parse_ld_cache(data) == expected
    assert parse_ld_cache(b"ld.so-1.7.0\0" + b"\1" * 100 + data) == expected


def test_that_a_cache_in_another_form_or_cut_off_is_no_error() -> None:
    data = ld_cache(("liba.so.1", "/lib/liba.so.1"), ("libb.so", "/lib/libb.so"))
    assert parse_ld_cache(b"") == parse_ld_cache(b"something else") == {}
    for length in range(len(data)):
        assert set(parse_ld_cache(data[:length])) <= {"liba.so.1", "libb.so"}


@linux_only
@pytest.mark.skipif(not Path("/etc/ld.so.cache").exists(), reason="this system has no such cache")
def test_that_the_cache_of_this_system_is_understood() -> None:
    found = parse_ld_cache(Path("/etc/ld.so.cache").read_bytes())
    assert any(Path(path).exists() for path in found.get("libc.so.6", ()))


# ---- Windows ----


@pytest.fixture
def windows(tmp_path: Path) -> dict[str, str]:
    """Windows' own folder and one of PATH, and who lives there."""
    system = tmp_path / "Windows" / "System32"
    on_path = tmp_path / "bin"
    for folder in (system, on_path, tmp_path / "ep"):
        folder.mkdir(parents=True)
    (system / "kernel32.dll").write_bytes(pe_with_exports("x", needs=("deeper.dll",)))
    (on_path / "cuda.dll").write_bytes(pe_with_exports("x", needs=("beside.dll", "gone.dll")))
    return {"SystemRoot": str(tmp_path / "Windows"), "PATH": str(on_path)}


def test_that_a_dll_is_searched_beside_in_windows_and_on_the_path(windows: dict[str, str], tmp_path: Path) -> None:
    needs = ("api-ms-win-crt-heap-l1-1-0.dll", "kernel32.dll", "cuda.dll", "missing.dll", "beside.dll")
    path = tmp_path / "ep" / "ep.dll"
    path.write_bytes(pe_with_exports("CreateEpFactories", needs=needs))
    (tmp_path / "ep" / "beside.dll").write_bytes(pe_with_exports("x"))
    loader = WindowsLoader(windows, knows_loaded=False)
    found = places(path, loader)
    assert list(found) == [*needs, "gone.dll"]  # deeper.dll is the system's own affair
    assert found["api-ms-win-crt-heap-l1-1-0.dll"] == "part of Windows"
    assert found["kernel32.dll"] == str(tmp_path / "Windows" / "System32" / "kernel32.dll")
    assert found["cuda.dll"] == str(tmp_path / "bin" / "cuda.dll")
    assert found["beside.dll"] == str(tmp_path / "ep" / "beside.dll")
    assert search(path, loader).missing == ("missing.dll", "gone.dll")


def test_that_the_folder_of_the_opened_dll_serves_those_it_needs(windows: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "ep" / "ep.dll"
    path.write_bytes(pe_with_exports("CreateEpFactories", needs=("cuda.dll",)))
    (tmp_path / "ep" / "gone.dll").write_bytes(pe_with_exports("x"))  # cuda.dll lies elsewhere and needs it
    assert search(path, WindowsLoader(windows, knows_loaded=False)).missing == ("beside.dll",)


# ---- macOS ----


def test_that_a_dylib_is_searched_by_its_rpaths(tmp_path: Path) -> None:
    path = tmp_path / "libep.dylib"
    path.write_bytes(mach_o_bytes())  # @rpath is @loader_path/libs
    bundled = tmp_path / "libs" / "libbundled.dylib"
    loader = MacLoader({})
    assert search(path, loader).missing == ("@rpath/libbundled.dylib",)
    bundled.parent.mkdir()
    bundled.write_bytes(mach_o_bytes(needs=("@loader_path/libinner.dylib", "@rpath/libs/libfar.dylib"), rpaths=()))
    (bundled.parent / "libinner.dylib").write_bytes(mach_o_bytes(needs=(), rpaths=()))
    found = places(path, loader)
    assert found["/usr/lib/libSystem.B.dylib"] == "/usr/lib/libSystem.B.dylib"  # it lies in dyld's cache
    assert found["@rpath/libbundled.dylib"] == str(bundled)
    assert found["@loader_path/libinner.dylib"] == str(bundled.parent / "libinner.dylib")
    assert search(path, loader).missing == ("@rpath/libs/libfar.dylib",)
    far = bundled.parent / "libs" / "libfar.dylib"  # the rpath of the one that asked for it serves it, too
    far.parent.mkdir()
    far.write_bytes(mach_o_bytes(needs=(), rpaths=()))
    assert search(path, loader).missing == ()


def test_that_a_dylib_for_another_processor_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "libep.dylib"
    path.write_bytes(mach_o_bytes(needs=("libother.dylib",)))
    (tmp_path / "libother.dylib").write_bytes(mach_o_bytes(cpu=0x1000007, needs=(), rpaths=()))
    loader = MacLoader({"DYLD_FALLBACK_LIBRARY_PATH": str(tmp_path)})
    assert search(path, loader).missing == ("libother.dylib",)
    (tmp_path / "libother.dylib").write_bytes(mach_o_bytes(needs=(), rpaths=()))
    assert search(path, loader).missing == ()
