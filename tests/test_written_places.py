"""Where the command line may write."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gui.records.failure import FailureError
from gui.written_places import check_places


def refusal(*paths: Path, read: tuple[str, ...] = ()) -> str:
    with pytest.raises(FailureError) as caught:
        check_places({f"--export {path}": str(path) for path in paths}, read, reader="the trial")
    return caught.value.failure.message


def test_that_a_new_file_a_file_that_is_there_and_the_console_are_places(tmp_path: Path) -> None:
    (tmp_path / "old.md").touch()
    places = {"--output": "-", "--export old.md": str(tmp_path / "old.md"), "--export new.md": str(tmp_path / "new.md")}
    check_places({**places, "--profile": None}, (), reader="the trial")


def test_that_a_folder_and_a_place_without_a_folder_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} cannot be written: it is a folder."
    assert refusal(tmp_path / "gone" / "it.md").endswith(f"there is no folder {tmp_path / 'gone'}.")


def test_that_what_is_read_is_not_replaced(tmp_path: Path) -> None:
    place = tmp_path / "model.onnx"
    assert refusal(place, read=(str(place),)) == f"--export {place} would replace model.onnx, which the trial reads."


@pytest.mark.skipif(sys.platform == "win32", reason="modes of folders are POSIX")
def test_that_a_folder_that_takes_nothing_is_refused_but_a_file_in_it_may_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    (folder / "old.md").touch()
    folder.chmod(0o500)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write everywhere")
        message = refusal(folder / "new.md")
        assert message.endswith(f"nothing may be written in the folder {folder}.")
        check_places({"--export": str(folder / "old.md")}, (), reader="the trial")
    finally:
        folder.chmod(0o700)
