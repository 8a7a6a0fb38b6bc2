"""Looks whether everything is there before anything heavy is imported, and says what mends it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path
from typing import Final

_NEEDED: Final = ("numpy", "onnxruntime")
_NEEDED_BY_WINDOW: Final = ("PySide6", "pyqtgraph")
_OLDEST_ORT: Final = (1, 27, 0)
_DISTRIBUTIONS: Final = (
    "onnxruntime",
    "onnxruntime_gpu",
    "onnxruntime_directml",
    "onnxruntime_windowsml",
    "onnxruntime_openvino",
    "onnxruntime_rocm",
    "pyside6",
    "pyside6_essentials",
)
_QT_LIBRARIES: Final = {
    # What Qt's own modules load on Linux, and Debian's package for each.
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
}
_X11_LIBRARIES: Final = {
    # What Qt's xcb plugin loads: without one of them Qt ends the process while it starts.
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
}


def engine_problem() -> str | None:
    """Return what the engine misses and the command that mends it, or None."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return _missing_packages(missing)
    version = _ort_version()
    if version is not None and _numbers(version) < _OLDEST_ORT:
        oldest = ".".join(map(str, _OLDEST_ORT))
        return (
            f"ORT Device Explorer needs onnxruntime {oldest} or newer; {version} is installed.\n"
            f"Update it with:  {_pip('--upgrade', 'onnxruntime')}"
        )
    return None


def window_problem() -> str | None:
    """Return what the window misses and the command that mends it, or None."""
    missing = [name for name in (*_NEEDED, *_NEEDED_BY_WINDOW) if importlib.util.find_spec(name) is None]
    if missing:
        return _missing_packages(missing)
    return engine_problem() or _broken_qt_problem() or _library_problem() or _display_problem()


def tell(problem: str) -> None:
    """Say it in the console, and where there is none to read it, in a message box of the system."""
    stream = sys.stderr
    if stream is not None:
        stream.write(problem + "\n")
        stream.flush()
        if stream.isatty():
            return
    _message_box(problem)


def _missing_packages(names: list[str]) -> str:
    packages = ["PySide6-Essentials" if name == "PySide6" else name for name in names]
    if "PySide6" in names and sys.version_info < (3, 12):
        packages[names.index("PySide6")] = '"PySide6-Essentials!=6.12.0"'
    verb = "is" if len(names) == 1 else "are"
    return (
        f"ORT Device Explorer needs {', '.join(names)}, which {verb} not installed.\nInstall with:  {_pip(*packages)}"
    )


def _pip(*arguments: str) -> str:
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m pip install {' '.join(arguments)}"


def _ort_version() -> str | None:
    return _installed_version("onnxruntime", "onnxruntime*")  # None for a build of one's own: the engine will tell


def _installed_version(package: str, distributions: str) -> str | None:
    """Return the version of the distribution that brought a package, by the name of its folder beside it.

    `importlib.metadata` would do, and takes a tenth of the time in which the window is to be there.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent.parent
    for entry in sorted(folder.glob(f"{distributions}.dist-info")):
        name, _, version = entry.name.removesuffix(".dist-info").rpartition("-")
        if (entry / "METADATA").exists() and name.lower().replace("-", "_") in _DISTRIBUTIONS:
            return version
    return None


def _numbers(version: str) -> tuple[int, ...]:
    parts = []
    for part in version.split(".")[:3]:
        digits = "".join(character for character in part if character.isdigit())
        parts.append(int(digits or 0))
    return tuple(parts)


def _broken_qt_problem() -> str | None:
    """PySide6 6.12.0 loses references of True and None, which ends a process on Python before 3.12."""
    has_immortal_singletons = sys.version_info >= (3, 12)
    if has_immortal_singletons or _installed_version("PySide6", "[Pp][Yy][Ss]ide6*") != "6.12.0":
        return None
    return "PySide6 6.12.0 crashes on Python before 3.12.\nInstall another with:  " + _pip(
        '"PySide6-Essentials!=6.12.0"'
    )


def _library_problem() -> str | None:
    if not sys.platform.startswith("linux"):
        return None
    needed = dict(_QT_LIBRARIES)
    if _will_use_x11():
        needed.update(_X11_LIBRARIES)
    missing = [library for library in needed if not _can_load(library)]
    if not missing:
        return None
    packages = " ".join(needed[library] for library in missing)
    verb = "is" if len(missing) == 1 else "are"
    return (
        f"Qt needs {', '.join(missing)}, which {verb} not installed.\n"
        f"On Debian or Ubuntu, install with:  sudo apt-get install -y {packages}"
    )


def _will_use_x11() -> bool:
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform:
        return platform.startswith("xcb")
    return bool(os.environ.get("DISPLAY")) and not os.environ.get("WAYLAND_DISPLAY")


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _display_problem() -> str | None:
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if not sys.platform.startswith("linux") or any(os.environ.get(name) for name in variables):
        return None
    return (
        "There is no screen here: neither DISPLAY nor WAYLAND_DISPLAY is set.\n"
        "Start it on a desktop, or without a window:  python main.py --report devices.json"
    )


def _message_box(text: str) -> None:
    """Show a box of the system, by whatever it has; without anything the text in the console has to do."""
    import shutil
    import subprocess

    title = "ORT Device Explorer"
    if sys.platform == "win32":
        ctypes.windll.user32.MessageBoxW(None, text, title, 0x10)
        return
    commands = (
        ["zenity", "--error", f"--title={title}", "--no-markup", f"--text={text}"],
        ["kdialog", "--title", title, "--error", text],
        ["xmessage", "-center", "-title", title, text],
    )
    if sys.platform == "darwin":
        script = "on run {t, x}\ndisplay alert t message x as critical\nend run"
        commands = (["osascript", "-e", script, title, text],)
    elif not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    for command in commands:
        program = shutil.which(command[0])
        if program is not None:
            subprocess.run([program, *command[1:]], check=False, capture_output=True)
            return
