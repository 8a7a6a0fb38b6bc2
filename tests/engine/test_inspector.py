"""The inspector as its own process: one line in, lines out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gui.records.codec import from_json
from gui.records.engine_command import engine_environment, inspector_command
from gui.records.failure import Failure, FailureKind
from gui.records.library_check import FoundLibrary, LibraryCheck

from ..conftest import DoubleFactory


def ask(line: str | dict[str, Any] | None) -> list[dict[str, Any]]:
    """Send one line and return all that is answered; the process ends by itself, having said nothing else."""
    text = "" if line is None else line if isinstance(line, str) else json.dumps(line)
    done = subprocess.run(
        inspector_command(),
        input=f"{text}\n" if text else "",
        env=engine_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(answer) for answer in done.stdout.splitlines()]


def test_that_each_file_is_named_before_it_is_read(double_library: DoubleFactory, tmp_path: Path) -> None:
    paths = [str(double_library("")), str(tmp_path / "gone.so"), str(tmp_path)]
    *events, last = ask({"id": 7, "op": "inspect", "paths": paths})
    assert last == {"id": 7, "ok": {}}
    assert {event["id"] for event in events} == {7}
    assert [event["event"] for event in events] == ["checking", "checked"] * 3
    assert [event["path"] for event in events[::2]] == paths
    checks = [from_json(LibraryCheck, event["check"]) for event in events[1::2]]
    assert [check.path for check in checks] == paths
    assert [check.failure.kind if check.failure else None for check in checks] == [
        None,
        FailureKind.NO_SUCH_FILE,
        FailureKind.NOT_A_LIBRARY,
    ]


def test_that_a_name_that_is_no_utf_8_comes_back_as_it_was(tmp_path: Path) -> None:
    path = f"{tmp_path}/lib\udcff{{0}}.so"
    try:
        Path(path).write_bytes(b"text")
    except OSError:
        pytest.skip("this file system wants UTF-8")
    _, checked, _ = ask({"id": 1, "op": "inspect", "paths": [path]})
    check = from_json(LibraryCheck, checked["check"])
    assert check.path == path
    assert check.failure is not None
    assert check.failure.kind is FailureKind.NOT_A_LIBRARY


def test_that_libraries_are_found_and_folders_that_cannot_be_read_told(
    double_library: DoubleFactory, tmp_path: Path
) -> None:
    library = double_library("")
    gone = str(tmp_path / "gone")
    *events, last = ask({"id": 2, "op": "find", "folders": [str(library.parent), gone]})
    assert last["id"] == 2
    (problem,) = last["ok"]["problems"]
    assert problem.startswith(f"{gone} cannot be read: ")
    assert {event["event"] for event in events} == {"found"}
    found = [from_json(FoundLibrary, event["library"]) for event in events]
    assert str(library) in [entry.path for entry in found if entry.folder == str(library.parent)]


@pytest.mark.parametrize(
    ("request_line", "request_id"),
    [
        ({"id": 3, "op": "register"}, 3),
        ({"id": 3}, 3),
        ({"id": 3, "op": "inspect", "paths": "/a.so"}, 3),
        ({"id": 3, "op": "find", "folders": [1]}, 3),
        ("no JSON", None),
        ("[]", None),
    ],
)
def test_that_another_request_is_refused(request_line: str | dict[str, Any], request_id: int | None) -> None:
    (answer,) = ask(request_line)
    assert answer["id"] == request_id
    failure = from_json(Failure, answer["error"])
    assert failure.kind is FailureKind.BAD_REQUEST
    assert failure.message.endswith(".")


def test_that_it_ends_without_a_word_when_nobody_asks() -> None:
    assert ask(None) == []


def test_that_it_holds_neither_ort_nor_numpy_nor_qt(double_library: DoubleFactory) -> None:
    program = (
        "import sys\n"
        "from gui.engine import inspector\n"
        "inspector._inspect([sys.argv[1]], lambda event, value: None)\n"
        "inspector._find([], lambda event, value: None)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    command = [*inspector_command()[:-2], "-c", program, str(double_library(""))]
    done = subprocess.run(command, env=engine_environment(), capture_output=True, text=True, check=True)
    roots = set(done.stdout.split())
    assert "gui" in roots
    assert not roots & {"onnxruntime", "numpy", "PySide6", "onnx", "psutil"}


def test_that_lief_is_left_alone_until_a_file_is_read() -> None:
    program = "import sys, gui.engine.inspector, gui.engine.discovery; sys.exit('lief' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], env=engine_environment(), check=True)
