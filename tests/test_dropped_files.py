"""What files are for that are dropped on the window."""

from __future__ import annotations

from pathlib import Path

from gui.dropped_files import Dropped, sort_files


def test_that_each_file_goes_where_it_belongs(tmp_path: Path) -> None:
    paths = (
        "a.so",
        "b.so.1",
        "c.dll",
        "net.onnx",
        "net.ort",
        "x.npy",
        "x.NPZ",
        "input_0.pb",
        "cat.JPG",
        "up.json",
        "re.json",
        "trial.json",
    )
    dropped = sort_files((*paths, str(tmp_path)), lambda path: path == "up.json", lambda path: path == "trial.json")
    assert dropped == Dropped(
        libraries=("a.so", "b.so.1", "c.dll"),
        setups=("up.json",),
        trials=("trial.json",),
        reports=("re.json",),
        values=("x.npy", "x.NPZ", "input_0.pb", "cat.JPG", str(tmp_path)),
        models=("net.onnx", "net.ort"),
    )


def test_that_nothing_dropped_is_nothing() -> None:
    assert sort_files((), lambda _path: True, lambda _path: True) == Dropped()
