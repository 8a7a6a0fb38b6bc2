from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gui.records.engine_command import PACKAGE_ROOT, engine_command, engine_environment, inspector_command


def test_that_the_package_root_holds_the_package() -> None:
    assert (PACKAGE_ROOT / "gui" / "engine" / "__main__.py").is_file()


def test_that_the_application_is_found_from_any_folder_and_the_folder_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('the folder was searched')", encoding="ascii")
    program = "import gui, numpy; print(gui.__file__)"
    begin = engine_command()[: engine_command().index("-m")]
    done = subprocess.run(
        [*begin, "-c", program], cwd=tmp_path, env=engine_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == PACKAGE_ROOT / "gui" / "__init__.py"


def test_that_the_engine_runs_under_this_python() -> None:
    assert engine_command()[0] == sys.executable


def test_that_the_environment_keeps_what_was_there_and_changes_nothing_outside() -> None:
    base = {"PYTHONPATH": "/elsewhere", "LANG": "C"}
    environment = engine_environment(base)
    assert environment["LANG"] == "C"
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(PACKAGE_ROOT), "/elsewhere"]
    assert base == {"PYTHONPATH": "/elsewhere", "LANG": "C"}


def test_that_without_a_search_path_there_is_no_empty_entry() -> None:
    assert engine_environment({})["PYTHONPATH"] == str(PACKAGE_ROOT)  # an empty entry would be the current folder


def test_that_the_environment_of_this_process_is_the_base() -> None:
    assert engine_environment().items() >= {key: os.environ[key] for key in os.environ if key != "PYTHONPATH"}.items()


def test_that_the_inspector_is_started_like_the_engine() -> None:
    assert inspector_command()[:-1] == engine_command()[:-1]
    assert inspector_command()[-1] == "gui.engine.inspector"
