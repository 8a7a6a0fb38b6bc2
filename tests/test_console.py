"""What the command line says and writes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gui import console
from gui.records.failure import Failure, FailureError, FailureKind

from .console import MAIN

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and devices are POSIX")


def test_that_a_file_is_replaced_by_a_whole_new_one_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    path.write_text("old and longer", encoding="utf-8")
    console.write_text(str(path), "new ä\udcff\n")
    assert path.read_bytes() == "new ä".encode() + b"\xff\n"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_that_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "it.json", tmp_path / "link.json"
    path.touch()
    path.chmod(0o640)
    link.symlink_to(path)
    console.write_text(str(link), "new")
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
def test_that_a_full_disk_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    """A process whose files may hold 1000 bytes stands for the disk: what goes beyond fails while it is written."""
    path = tmp_path / "it.json"
    path.write_text("old", encoding="utf-8")
    program = (
        "import resource, signal, sys\n"
        "from gui import console\n"
        "from gui.records.failure import FailureError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    console.write_text(sys.argv[1], 'x' * 5000)\n"
        "except FailureError as error:\n"
        "    sys.exit(console.fail(error.failure))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=MAIN.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"ort-device-explorer: {path} cannot be written: File too large. Choose another file.\n"
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_that_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        console.write_text(str(path), "said")
        assert os.read(reader, 100) == b"said"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize("target", ["gone/it.json", "folder"])
def test_that_what_cannot_be_written_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FailureError) as raised:
        console.write_text(target, "text")
    failure = raised.value.failure
    assert failure.kind is FailureKind.BAD_SETTING
    assert failure.message.startswith(f"{target} cannot be written: ")
    assert failure.hint == "Choose another file."


def test_that_a_dash_is_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    console.write_text("-", "{}\n")
    assert capsys.readouterr().out == "{}\n"


def test_that_a_table_has_its_values_below_each_other_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    console.say_table([("Model", "/m.onnx"), ("Throughput", "two\nlines  here")])
    assert capsys.readouterr().out == "Model       /m.onnx\nThroughput  two lines here\n"


def test_that_what_a_terminal_would_obey_is_shown_instead(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("a\x1b[31m\x9b\u202eb")
    console.say_columns([("Row", "Next"), ("\x07", "x")])
    console.complain("\x1b]0;it")
    captured = capsys.readouterr()
    assert captured.out == "a\\x1b[31m\\x9b\\u202eb\nRow   Next\n\\x07  x\n"
    assert captured.err == "ort-device-explorer: \\x1b]0;it\n"


def test_that_a_file_that_cannot_be_written_is_told_and_the_others_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "gone" / "bad.txt"
    assert not console.write_all([("-", lambda: "said\n"), (str(bad), lambda: "x"), (str(good), lambda: "y")])
    assert good.read_text(encoding="utf-8") == "y"
    captured = capsys.readouterr()
    assert captured.out == "said\n"
    assert "bad.txt cannot be written: " in captured.err
    assert console.write_all([(str(good), lambda: "z")])


def test_that_a_failure_is_one_line_on_stderr_and_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure(kind=FailureKind.DIED, message="It\ndied.", hint="Try again.", detail="long")
    assert console.fail(failure) == 1
    captured = capsys.readouterr()
    assert captured.err == "ort-device-explorer: It died. Try again.\n"
    assert captured.out == ""
