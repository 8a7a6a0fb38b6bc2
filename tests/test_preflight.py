"""What is missing is named with the command that mends it, before anything heavy is imported."""

from __future__ import annotations

import ctypes
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from gui import preflight

from .console import environment

ONLY_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names packages of Debian")
REAL_LOADER, REAL_PYTHON = ctypes.CDLL, sys.executable


@pytest.fixture(autouse=True)
def _screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desktop on which all is well."""
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    monkeypatch.setattr(sys, "executable", "/opt/python")


@pytest.fixture
def take_away(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Take packages away."""
    real = importlib.util.find_spec

    def take(*names: str) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in names else real(name))

    return take


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str, str], None]:
    """Have a package of a distribution's version."""
    real = importlib.util.find_spec

    def put(package: str, distribution: str, version: str) -> None:
        origin = tmp_path / package / "__init__.py"
        info = tmp_path / f"{distribution}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").touch()

        def find(name: str) -> ModuleSpec | None:
            return ModuleSpec(name, None, origin=str(origin)) if name == package else real(name)

        monkeypatch.setattr(importlib.util, "find_spec", find)

    return put


@pytest.fixture
def take_libraries(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Take shared libraries away."""

    def take(*names: str) -> None:
        def load(name: str) -> object:
            if name in names:
                raise OSError(f"{name}: cannot open shared object file")
            return object()

        monkeypatch.setattr(ctypes, "CDLL", load)

    return take


# ---- All is well ----


def test_that_here_nothing_is_missing() -> None:
    assert preflight.engine_problem() is None
    assert preflight.window_problem() is None


# ---- Packages ----


def test_that_a_missing_package_is_named_with_the_command_that_installs_it(take_away: Callable[..., None]) -> None:
    take_away("onnxruntime")
    expected = (
        "ORT Device Explorer needs onnxruntime, which is not installed.\n"
        "Install with:  /opt/python -m pip install onnxruntime"
    )
    assert preflight.engine_problem() == expected
    assert preflight.window_problem() == expected


def test_that_all_missing_packages_are_named_at_once(take_away: Callable[..., None]) -> None:
    take_away("numpy", "pyqtgraph")
    assert preflight.window_problem() == (
        "ORT Device Explorer needs numpy, pyqtgraph, which are not installed.\n"
        "Install with:  /opt/python -m pip install numpy pyqtgraph"
    )


def test_that_without_a_window_no_qt_is_needed(take_away: Callable[..., None]) -> None:
    take_away("PySide6", "pyqtgraph")
    assert preflight.engine_problem() is None
    assert preflight.window_problem() is not None


@pytest.mark.parametrize(
    ("version", "package"), [((3, 11), '"PySide6-Essentials!=6.12.0"'), ((3, 12), "PySide6-Essentials")]
)
def test_that_pyside_is_installed_in_a_version_that_works(
    take_away: Callable[..., None], monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], package: str
) -> None:
    take_away("PySide6", "pyqtgraph")
    monkeypatch.setattr(sys, "version_info", version)
    problem = preflight.window_problem()
    assert problem is not None
    assert problem.endswith(f"pip install {package} pyqtgraph")


def test_that_a_path_with_a_space_is_quoted(take_away: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/my programs/python")
    take_away("numpy")
    problem = preflight.engine_problem()
    assert problem is not None
    assert problem.endswith('"/my programs/python" -m pip install numpy')


# ---- Versions ----


@pytest.mark.parametrize("distribution", ["onnxruntime", "onnxruntime_gpu", "onnxruntime_directml"])
@pytest.mark.parametrize("version", ["1.9.0", "1.26.9", "0.5"])
def test_that_an_old_onnxruntime_is_named_with_the_command_that_updates_it(
    install: Callable[[str, str, str], None], distribution: str, version: str
) -> None:
    install("onnxruntime", distribution, version)
    problem = preflight.engine_problem()
    assert problem is not None
    assert f"or newer; {version} is installed." in problem
    assert problem.endswith("/opt/python -m pip install --upgrade onnxruntime")
    assert preflight.window_problem() == problem


@pytest.mark.parametrize("version", ["1.27.0", "1.27.1", "1.100.0", "1.28.0.dev20260101", "2.0"])
def test_that_a_newer_onnxruntime_is_taken(install: Callable[[str, str, str], None], version: str) -> None:
    install("onnxruntime", "onnxruntime", version)
    assert preflight.engine_problem() is None


def test_that_an_ep_package_is_not_taken_for_onnxruntime(install: Callable[[str, str, str], None]) -> None:
    install("onnxruntime", "onnxruntime_ggml", "0.2.0")
    assert preflight.engine_problem() is None


@pytest.mark.parametrize(
    ("python", "pyside", "broken"),
    [
        ((3, 11), "6.12.0", True),
        ((3, 12), "6.12.0", False),
        ((3, 11), "6.11.3", False),
        ((3, 11), "6.12.1", False),
    ],
)
@pytest.mark.parametrize("distribution", ["pyside6_essentials", "PySide6_Essentials", "PySide6"])
def test_that_pyside_6_12_0_is_refused_where_it_crashes(
    install: Callable[[str, str, str], None],
    monkeypatch: pytest.MonkeyPatch,
    python: tuple[int, int],
    pyside: str,
    broken: bool,
    distribution: str,
) -> None:
    install("PySide6", distribution, pyside)
    monkeypatch.setattr(sys, "version_info", python)
    problem = preflight.window_problem()
    if broken:
        assert problem is not None
        assert problem.startswith("PySide6 6.12.0 crashes on Python before 3.12.")
        assert problem.endswith('pip install "PySide6-Essentials!=6.12.0"')
    else:
        assert problem is None
    assert preflight.engine_problem() is None


# ---- Libraries of the system ----


@ONLY_LINUX
def test_that_a_missing_library_of_qt_is_named_with_its_package(take_libraries: Callable[..., None]) -> None:
    take_libraries("libEGL.so.1")
    assert preflight.window_problem() == (
        "Qt needs libEGL.so.1, which is not installed.\n"
        "On Debian or Ubuntu, install with:  sudo apt-get install -y libegl1"
    )


@ONLY_LINUX
def test_that_all_missing_libraries_of_x11_are_named_at_once(take_libraries: Callable[..., None]) -> None:
    take_libraries("libxcb-cursor.so.0", "libxkbcommon-x11.so.0")
    assert preflight.window_problem() == (
        "Qt needs libxcb-cursor.so.0, libxkbcommon-x11.so.0, which are not installed.\n"
        "On Debian or Ubuntu, install with:  sudo apt-get install -y libxcb-cursor0 libxkbcommon-x11-0"
    )


@ONLY_LINUX
@pytest.mark.parametrize(
    ("variables", "needs_x11"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, False),
        ({"QT_QPA_PLATFORM": "xcb"}, True),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}, False),
    ],
)
def test_that_x11_is_looked_at_only_where_it_will_be_used(
    take_libraries: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    needs_x11: bool,
) -> None:
    monkeypatch.delenv("DISPLAY")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    take_libraries("libxcb-cursor.so.0")
    assert (preflight.window_problem() is not None) is needs_x11


@ONLY_LINUX
def test_that_the_libraries_looked_for_are_there_where_qt_works() -> None:
    """On this machine, on which the README's packages are installed: a misspelt name could never be found."""
    for name in (*preflight._QT_LIBRARIES, *preflight._X11_LIBRARIES):
        REAL_LOADER(name)


# ---- No screen ----


@ONLY_LINUX
def test_that_without_a_screen_the_way_without_a_window_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    problem = preflight.window_problem()
    assert problem is not None
    assert problem.startswith("There is no screen here: neither DISPLAY nor WAYLAND_DISPLAY is set.")
    assert "main.py --report devices.json" in problem
    assert preflight.engine_problem() is None


# ---- Telling ----


def test_that_the_problem_goes_to_stderr_and_into_a_box(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = tmp_path / "shown.txt"
    zenity = tmp_path / "zenity"
    zenity.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{shown}"\n')
    zenity.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    preflight.tell("Something is missing.\nInstall it with:  pip")
    assert capsys.readouterr().err == "Something is missing.\nInstall it with:  pip\n"
    assert shown.read_text().endswith("--text=Something is missing.\nInstall it with:  pip\n")


def test_that_no_box_is_tried_without_a_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    marker = tmp_path / "called"
    for name in ("zenity", "kdialog", "xmessage"):
        (tmp_path / name).write_text(f"#!/bin/sh\n: > '{marker}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DISPLAY")
    preflight.tell("Something is missing.")
    assert not marker.exists()


def test_that_looking_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom gui import preflight\npreflight.window_problem()\n"
        "print(sorted({'numpy', 'onnxruntime', 'PySide6', 'pyqtgraph', 'subprocess'} & set(sys.modules)))"
    )
    root = Path(preflight.__file__).parents[1]
    variables = environment(QT_QPA_PLATFORM="offscreen")
    done = subprocess.run(
        [REAL_PYTHON, "-c", code], cwd=root, env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
