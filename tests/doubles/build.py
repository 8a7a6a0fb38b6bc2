"""Build libraries for tests: the plugin EP of `double_ep.c`, and files which can't be loaded. Linux with gcc only."""

import atexit
import functools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ORDERS_VARIABLE = "DOUBLE_EP"
"""The environment variable from which every double takes orders; those in its file name win."""

_SOURCE = Path(__file__).with_name("double_ep.c")
_LONGEST_FILE_NAME = 255
_MACHINE_OFFSET = 18  # of e_machine in an ELF header, two bytes
_MACHINE_X86_64 = 62
_MACHINE_AARCH64 = 183


class DoubleUnavailableError(RuntimeError):
    """No double can be had on this machine; the text says why. Tests that need one skip with it as the reason."""


def _compile(target: Path, *sources_and_flags: str) -> Path:
    """Run gcc to make the shared library `target`."""
    if not sys.platform.startswith("linux"):
        raise DoubleUnavailableError(f"the double EP is for Linux, this is {sys.platform}")
    compiler = shutil.which("gcc")
    if compiler is None:
        raise DoubleUnavailableError("gcc is not installed; it builds the double EP")
    flags = ["-std=c11", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra"]
    command = [compiler, *flags, "-o", str(target), *sources_and_flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DoubleUnavailableError(f"gcc could not build the double EP:\n{done.stderr}")
    return target


@functools.cache
def _compiled_double() -> Path:
    """The library without orders, compiled once a process and removed at its end."""
    directory = Path(tempfile.mkdtemp(prefix="double-ep-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return _compile(directory / "libdouble_ep.so", str(_SOURCE))


def build_double(directory: Path, orders: str = "", name: str = "libdouble_ep") -> Path:
    """Put a double that follows `orders` into `directory` and return its path.

    `orders` are spelled as in the head of `double_ep.c`, parted by commas ("compile=abort,count=3"), and become part of
    the file name, so that any number of differing doubles fit into one process. Each is a file of its own: the loader
    knows a library by its inode, so links to one file would be one library with the orders of the first.

    Raises DoubleUnavailableError where it can't be built, ValueError for orders that don't fit into a file name (those
    can still be given by the environment, see `double_environment`).
    """
    file_name = "--".join([name, *filter(None, orders.split(","))]) + ".so"
    if "/" in file_name or "--" in orders or len(os.fsencode(file_name)) > _LONGEST_FILE_NAME:
        raise ValueError(f"orders that don't fit into a file name: {orders!r}")
    return Path(shutil.copy(_compiled_double(), directory / file_name))


def double_of_version(path: Path, version: str) -> Path:
    """A build of the double whose EP has this version: another one in the place of `path`, as a linker makes it."""
    built = _compile(path.with_suffix(".new"), str(_SOURCE), f'-DDEFAULT_VERSION="{version}"')
    return built.replace(path)


def staying_double(directory: Path) -> Path:
    """A double whose code stays in memory when it is unloaded, as that of OpenVINO's EP does."""
    return _compile(directory / "libstaying_ep.so", str(_SOURCE), "-Wl,-z,nodelete")


def double_environment(orders: str) -> dict[str, str]:
    """This process's environment with `orders` for every double which a child process loads."""
    return {**os.environ, ORDERS_VARIABLE: orders}


def truncated_copy(library: Path, directory: Path) -> Path:
    """Half of `library`, as an interrupted download leaves it: loading it ends the process with SIGBUS."""
    target = directory / f"{library.stem}-truncated.so"
    content = library.read_bytes()
    target.write_bytes(content[: len(content) // 2])
    return target


def missing_dependency(directory: Path) -> Path:
    """A double linked against `libnot_installed.so`, which isn't there any more."""
    dependency = directory / "libnot_installed.so"
    empty = directory / "not_installed.c"
    empty.write_text("int not_installed;\n", encoding="ascii")
    _compile(dependency, str(empty))
    target = directory / "libmissing_dependency.so"
    # The directory is not put into the library's own search path, and the double uses nothing of the dependency.
    _compile(target, str(_SOURCE), "-Wl,--no-as-needed", f"-L{directory}", "-lnot_installed")
    empty.unlink()
    dependency.unlink()
    return target


def wrong_architecture(directory: Path) -> Path:
    """A double whose ELF header says it is for another processor than this machine's."""
    target = directory / "libwrong_architecture.so"
    content = bytearray(_compiled_double().read_bytes())
    machine = _MACHINE_X86_64 if platform.machine() == "aarch64" else _MACHINE_AARCH64
    content[_MACHINE_OFFSET : _MACHINE_OFFSET + 2] = machine.to_bytes(2, sys.byteorder)
    target.write_bytes(content)
    return target


def system_library() -> Path:
    """The C library, which loads well and is no execution provider."""
    try:
        mappings = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise DoubleUnavailableError(f"the loaded libraries can't be listed: {error}") from error
    for mapping in mappings:
        fields = mapping.split(maxsplit=5)
        if len(fields) == 6 and Path(fields[5]).name.startswith(("libc.so", "libc-", "ld-musl")):
            return Path(fields[5])
    raise DoubleUnavailableError("no C library among the loaded ones")
