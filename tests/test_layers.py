"""Which part of the program may import which: the table of ARCHITECTURE.md, read against every import in `gui`."""

from __future__ import annotations

import ast
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from gui.records.engine_command import PACKAGE_ROOT, engine_environment

QT = ("PySide6",)
QT_CORE = ("PySide6.QtCore",)
KEEPERS = (
    "gui.libraries",
    "gui.library_steps",
    "gui.hardware_keeper",
    "gui.trials",
    "gui.engine_keeper",
    "gui.model_keeper",
    "gui.compile_keeper",
    "gui.profile_keeper",
    "gui.policy_keeper",
    "gui.comparison_keeper",
    "gui.trial_work",
)
WIDGETS = (*QT, "gui.records", "gui.models", "gui.panels", "gui.dialogs")
NEAR_STATE = ("gui.state", "gui.settings", "gui.theme", "gui.trial_run", "gui.comparison_run", "gui.keeping")

RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    # Modules by name, the first pattern that fits; what they may import beside the standard library. A name allows the
    # module and all in it, but `gui` itself only `gui/__init__.py`, which holds the version.
    ("gui", ()),
    ("gui.records*", ("numpy", "gui.records")),
    ("gui.engine", ()),
    (
        "gui.engine.*",
        (
            "gui",
            "numpy",
            "onnxruntime",
            "onnx",
            "psutil",
            "pynvml",
            "lief",
            "PIL",
            "ml_dtypes",
            "gui.records",
            "gui.engine",
        ),
    ),
    ("gui.store*", ("numpy", "gui.records", "gui.store")),
    ("gui.client*", (*QT_CORE, "gui.records", "gui.client")),
    ("gui.models.compare_plan", (*QT_CORE, "gui.records", "gui.models", "gui.targets")),
    ("gui.models.history_table", (*QT_CORE, "PySide6.QtGui", "gui.records", "gui.models", "gui.store")),
    ("gui.models*", (*QT_CORE, "PySide6.QtGui", "gui.records", "gui.models", "gui.trial_run")),
    ("gui.panels.history_panel", (*WIDGETS, *NEAR_STATE, "gui", "gui.store")),
    ("gui.panels.*chart*", ("gui", "numpy", "pyqtgraph", *WIDGETS, *NEAR_STATE)),
    ("gui.panels*", ("gui", *WIDGETS, *NEAR_STATE)),
    ("gui.dialogs*", ("gui", *WIDGETS, *NEAR_STATE)),
    ("gui.trial_run", ("numpy", "gui.records")),
    ("gui.comparison_run", ("gui.records", "gui.trial_run")),
    ("gui.experiment*", ("gui.records", "gui.comparison_run", "gui.experiment_plan", "gui.experiment_cell")),
    ("gui.memory", ("psutil",)),
    ("gui.settings", (*QT_CORE, "gui.records")),
    ("gui.state", (*QT_CORE, "gui.records", "gui.trial_run", "gui.comparison_run")),
    ("gui.theme", (*QT, "gui.records", "gui.settings")),
    ("gui.logs", (*QT_CORE, "gui.records")),
    *(
        (
            name,
            (
                *QT_CORE,
                "gui.records",
                "gui.client",
                "gui.state",
                "gui.settings",
                "gui.trial_run",
                "gui.library_steps",
                "gui.targets",
                "gui.trial_work",
                "gui.comparison_run",
                "gui.experiment",
                "gui.memory",
            ),
        )
        for name in KEEPERS
    ),
    ("gui.archive_worker", (*QT_CORE, "gui.records", "gui.store")),
    (
        "gui.trial_archive",
        (
            *QT_CORE,
            "gui.records",
            "gui.state",
            "gui.trial_run",
            "gui.comparison_run",
            "gui.keeping",
            "gui.archive_worker",
        ),
    ),
    ("gui.history", (*QT, "gui.panels", "gui.trial_archive")),
    ("gui.targets", (*QT_CORE, "gui.records")),
    ("gui.preflight", ()),
    ("gui.headless_check", ("gui.records",)),
    ("gui.headless", ("gui.records", "gui.headless_check")),
    ("gui.headless_trial", ("gui.records", "gui.trial_summary")),
    (
        "gui.headless_comparison",
        ("gui.records", "gui.headless", "gui.headless_trial", "gui.experiment", "gui.comparison_run", "gui.memory"),
    ),
    ("gui.named_devices", ("gui.records",)),
    ("gui.compare_targets", ("gui.records", "gui.named_devices")),
    ("gui.compare_arguments", ("gui.arguments", "gui.records", "gui.compare_targets")),
    ("gui.compare_order", ("gui.records", "gui.run_setup", "gui.trial_summary", "gui.compare_targets")),
    (
        "gui.compare_command",
        (
            "gui.records",
            "gui.console",
            "gui.written_places",
            "gui.comparison_output",
            "gui.compare_order",
            "gui.headless",
            "gui.headless_trial",
            "gui.headless_comparison",
        ),
    ),
    ("gui.comparison_output", ("gui.records", "gui.console")),
    ("gui.written_places", ("gui.records",)),
    ("gui.console", ("gui.records",)),
    ("gui.arguments", ("gui.records",)),
    ("gui.run_setup", ("gui.records", "gui.named_devices")),
    ("gui.trial_summary", ("gui.records",)),
    ("gui.commands", ("gui.records", "gui.headless", "gui.console", "gui.arguments")),
    ("gui.profile_command", ("gui.records", "gui.headless", "gui.console")),
    (
        "gui.run_command",
        (
            "gui.records",
            "gui.headless",
            "gui.headless_trial",
            "gui.console",
            "gui.run_setup",
            "gui.trial_summary",
            "gui.profile_command",
            "gui.export_command",
            "gui.written_places",
        ),
    ),
    (
        "gui.export_command",
        ("gui.records", "gui.console", "gui.trial_summary", "gui.comparison_output", "gui.written_places"),
    ),
    (
        "gui.cli",
        (
            "gui",
            "gui.records",
            "gui.preflight",
            "gui.arguments",
            "gui.console",
            "gui.commands",
            "gui.run_command",
            "gui.compare_arguments",
            "gui.compare_command",
            "gui.export_command",
            "gui.app",
        ),
    ),
    ("gui.library_dialogs", (*WIDGETS, "gui.client", "gui.libraries", "gui.settings", "gui.state")),
    ("gui.reports", (*WIDGETS, "gui.settings", "gui.state")),
    ("gui.compilations", (*QT, "gui.records", "gui.settings", "gui.state", "gui.targets", "gui.compile_keeper")),
    ("gui.profiles", (*QT, "gui.settings", "gui.trial_run", "gui.profile_keeper")),
    ("gui.policies", (*WIDGETS, "gui.state", "gui.policy_keeper")),
    (
        "gui.comparisons",
        (
            *WIDGETS,
            "gui.settings",
            "gui.state",
            "gui.trial_run",
            "gui.comparison_run",
            "gui.experiment",
            "gui.comparison_keeper",
        ),
    ),
    ("gui.keeping", ("gui.records", "gui.trial_run", "gui.targets")),
    ("gui.file_jobs", (*QT_CORE, "gui.records")),
    (
        "gui.handover",
        (
            *WIDGETS,
            "gui.settings",
            "gui.state",
            "gui.trial_run",
            "gui.comparison_run",
            "gui.keeping",
            "gui.file_jobs",
        ),
    ),
    ("gui.menus", (*QT, "gui.actions")),
    ("gui.window_layout", (*QT, "gui.settings")),
    (
        "gui.failure_log",
        (*QT_CORE, "gui.records", "gui.state", "gui.logs", "gui.trial_run", "gui.comparison_run"),
    ),
    ("gui.model_files", (*QT, "gui.theme", "gui.settings", "gui.state", "gui.model_keeper")),
    ("gui.dropped_files", ("gui.models", "gui.library_dialogs")),
    ("gui.setups", (*WIDGETS, "gui.settings", "gui.state")),
    ("gui.actions", (*QT, "gui.records", "gui.settings", "gui.theme")),
    (
        "gui.main_window",
        (
            *WIDGETS,
            *NEAR_STATE,
            *KEEPERS,
            "gui",
            "gui.client",
            "gui.actions",
            "gui.logs",
            "gui.library_dialogs",
            "gui.reports",
            "gui.compilations",
            "gui.policies",
            "gui.profiles",
            "gui.handover",
            "gui.dropped_files",
            "gui.menus",
            "gui.setups",
            "gui.history",
            "gui.trial_archive",
            "gui.comparison_keeper",
            "gui.comparisons",
            "gui.window_layout",
            "gui.failure_log",
            "gui.model_files",
        ),
    ),
    (
        "gui.app",
        (
            *(*QT, *NEAR_STATE, *KEEPERS, "gui.comparison_keeper", "gui.trial_archive"),
            *("gui", "gui.records", "gui.client", "gui.main_window", "gui.logs"),
        ),
    ),
)


def name_of(path: Path) -> str:
    """Return the name of the module in a file of the package."""
    parts = path.relative_to(PACKAGE_ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted((PACKAGE_ROOT / "gui").rglob("*.py"))}


def imports_of(source: str, name: str, *, is_package: bool) -> list[tuple[int, str]]:
    """Return line and full name of all that a module imports, wherever in it, relative imports resolved.

    Of `from a import b` it is `a.b` where that is a module of ours or a part of PySide6, else `a`.
    """
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.extend((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name.split(".") if is_package else name.split(".")[:-1]
                above = package[: len(package) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.append((node.lineno, whole if whole in MODULES or base == "PySide6" else base))
    return found


def is_allowed(imported: str, allowed: tuple[str, ...]) -> bool:
    if imported.partition(".")[0] in sys.stdlib_module_names:
        return True
    return any(imported == name or (name != "gui" and imported.startswith(f"{name}.")) for name in allowed)


def wrong_imports(source: str, name: str, *, is_package: bool = False) -> list[str]:
    """Return the imports of a module that its rule does not allow, each with its line."""
    allowed = next((allowed for pattern, allowed in RULES if fnmatch(name, pattern)), None)
    if allowed is None:
        return [f"{name} has no rule in this file and no place in ARCHITECTURE.md"]
    return [
        f"{name}:{line} imports {imported}"
        for line, imported in imports_of(source, name, is_package=is_package)
        if not is_allowed(imported, allowed)
    ]


# ---- Every module ----


@pytest.mark.parametrize("name", list(MODULES))
def test_that_a_module_imports_only_what_its_layer_may(name: str) -> None:
    path = MODULES[name]
    source = path.read_text(encoding="utf-8")
    assert wrong_imports(source, name, is_package=path.name == "__init__.py") == []


def test_that_the_root_package_imports_nothing() -> None:
    assert imports_of(MODULES["gui"].read_text(encoding="utf-8"), "gui", is_package=True) == []


def test_that_the_start_script_imports_nothing_before_it_looked_at_python() -> None:
    """main.py tells in words of a Python that is too old: so its own imports are few, and none at its top is ours."""
    tree = ast.parse((PACKAGE_ROOT / "main.py").read_text(encoding="utf-8"))
    at_the_top = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert at_the_top == ["import sys"]


def test_that_every_rule_has_a_module() -> None:
    for pattern, _allowed in RULES:
        assert any(fnmatch(name, pattern) for name in MODULES), pattern


# ---- The rules themselves ----


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("gui.records.device", "import PySide6"),
        ("gui.records.device", "from ..client import client"),
        ("gui.records.device", "from .. import theme"),
        ("gui.records.device", "import onnxruntime as ort"),
        ("gui.records.device", "import psutil"),
        ("gui.engine.server", "from PySide6.QtCore import QObject"),
        ("gui.engine.server", "from PySide6 import QtCore"),
        ("gui.engine.server", "from ..client.requests import PendingRequest"),
        ("gui.engine.server", "from .. import settings"),
        ("gui.store.store", "from PySide6.QtCore import QObject"),
        ("gui.store.store", "from ..state import State"),
        ("gui.panels.history_panel", "from ..trial_archive import TrialArchive"),
        ("gui.trial_archive", "from .panels.history_panel import HistoryPanel"),
        ("gui.client.client", "from ..engine.ort import VERSION"),
        ("gui.client.client", "import onnxruntime.capi"),
        ("gui.client.client", "from PySide6.QtGui import QIcon"),
        ("gui.client.client", "from ..state import State"),
        ("gui.models.table", "from PySide6 import QtCore, QtWidgets"),
        ("gui.models.table", "from ..panels.widgets import TableView"),
        ("gui.models.table", "from gui.state import State"),
        ("gui.panels.widgets", "import pyqtgraph as pg"),
        ("gui.panels.widgets", "from ..client.client import EngineClient"),
        ("gui.panels.widgets", "from ..libraries import LibraryKeeper"),
        ("gui.panels.widgets", "from .. import main_window"),
        ("gui.panels.latency_charts", "from ..engine.trial import Trial"),
        ("gui.dialogs.bug_report", "from pyqtgraph.graphicsItems import PlotItem"),
        ("gui.state", "from .panels.widgets import TableView"),
        ("gui.state", "def f():\n    from PySide6.QtWidgets import QWidget"),
        ("gui.commands", "if TYPE_CHECKING:\n    from PySide6.QtCore import QObject"),
        ("gui.cli", "import PySide6.QtCore"),
        ("gui.app", "from .engine.server import Server"),
        ("gui.app", "import onnxruntime"),
        ("gui.brand_new", ""),
        ("gui.brand_new.part", "import os"),
    ],
)
def test_that_an_arrow_that_runs_the_wrong_way_is_found(name: str, line: str) -> None:
    assert len(wrong_imports(line, name)) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("gui.records.device", "import os.path, numpy.typing as npt"),
        ("gui.records.device", "from .codec import StringMap"),
        ("gui.engine.server", "from .. import __version__"),
        ("gui.engine.server", "from . import ort"),
        ("gui.engine.ort", "from onnxruntime.capi import _pybind_state"),
        ("gui.client.client", "from PySide6 import QtCore"),
        ("gui.panels.latency_charts", "import pyqtgraph as pg"),
        ("gui.panels.widgets", "from .. import theme"),
    ],
)
def test_that_an_arrow_that_runs_the_right_way_is_none(name: str, line: str) -> None:
    assert wrong_imports(line, name) == []


def test_that_relative_imports_are_resolved_from_modules_and_packages() -> None:
    assert imports_of("from . import ort", "gui.engine.server", is_package=False) == [(1, "gui.engine.ort")]
    assert imports_of("from . import server", "gui.engine", is_package=True) == [(1, "gui.engine.server")]
    assert imports_of("from ..records.codec import to_json", "gui.engine", is_package=True) == [
        (1, "gui.records.codec")
    ]
    assert imports_of("from .. import __version__", "gui.engine.server", is_package=False) == [(1, "gui")]


# ---- Fresh processes ----


def roots_after_importing(*names: str) -> set[str]:
    """Import modules in a fresh process and return the first parts of all names in its `sys.modules`."""
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *names],
        capture_output=True,
        text=True,
        check=False,
        env={**engine_environment(), "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


QT_ROOTS = {"PySide6", "shiboken6", "pyqtgraph"}
RECORDS = [name for name in MODULES if name.startswith("gui.records")]
COMMAND_LINE = ["gui.cli", "gui.commands", "gui.compare_command", "gui.headless", "gui.preflight", "gui.run_command"]


def test_that_the_records_bring_neither_qt_nor_ort() -> None:
    roots = roots_after_importing(*RECORDS)
    assert "gui" in roots
    assert not roots & {*QT_ROOTS, "onnxruntime"}


def test_that_the_engine_brings_no_qt() -> None:
    roots = roots_after_importing("gui.engine.server")
    assert "onnxruntime" in roots
    assert not roots & QT_ROOTS


@pytest.mark.parametrize("name", COMMAND_LINE)
def test_that_the_command_line_brings_neither_qt_nor_ort(name: str) -> None:
    roots = roots_after_importing(name)
    assert "gui" in roots
    assert not roots & {*QT_ROOTS, "onnxruntime"}


def test_that_the_arguments_are_read_before_numpy_is_needed() -> None:
    """gui.preflight tells of missing packages in words: what runs before it must not need them."""
    assert "numpy" not in roots_after_importing("gui.preflight")


def test_that_the_window_brings_no_ort() -> None:
    roots = roots_after_importing("gui.app")
    assert {"PySide6", "pyqtgraph"} <= roots
    assert not roots & {"onnxruntime", "onnx"}
    assert "sqlite3" not in roots  # the store is opened when the window is there


def test_that_the_start_script_brings_nothing_by_being_imported() -> None:
    assert not roots_after_importing("main") & {*QT_ROOTS, "onnxruntime", "numpy"}
