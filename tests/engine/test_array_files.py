"""Files of numpy: arrays are found in archives, and nothing in a file is trusted."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.engine import input_files, inputs
from gui.records.failure import FailureKind

from .file_inputs import check_damaged, failure_of, info, read, same

# ---- .npz ----


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_that_an_archives_array_is_found_by_name(save: Any, tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    save(path, x=np.array([1.0, 2.0], np.float32), other=np.asfortranarray(np.ones((2, 3), np.float32)))
    assert read(info("float", 2), path)[0].tolist() == [1, 2]
    feed, fact = read(info("float", 2, 3), path, "other")
    assert same(feed, np.ones((2, 3)))
    assert fact.note == "made contiguous"


def test_that_the_only_array_of_an_archive_needs_no_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", something=np.ones(2, np.float32))
    assert read(info("float", 2), tmp_path / "one.npz")[0].tolist() == [1, 1]


def test_that_what_an_archive_holds_is_listed_when_the_name_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, a=np.ones(2), b=np.ones(3))
    failure = failure_of(info("float", 2), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert failure.message == "all.npz has no array “x”; there are: a, b."
    assert "“c”" in failure_of(info("float", 2), path, "c").message
    many: dict[str, Any] = {f"n{number}": np.ones(1) for number in range(20)}
    np.savez(path, **many)
    assert failure_of(info("float", 2), path).message.endswith("n10, n11, ….")
    np.savez(path)
    assert "there are: none" in failure_of(info("float", 2), path).message


def test_that_the_array_of_an_archive_is_named_when_it_does_not_fit(tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", x=np.ones(2), y=np.ones((1, 1), np.float32))
    assert failure_of(info("float", 2), tmp_path / "all.npz").message == "x expects float, all.npz holds float64."
    assert "y of all.npz has the wrong rank" in failure_of(info("float", 2), tmp_path / "all.npz", "y").message


# ---- Files that cannot be used ----


def test_that_pickled_objects_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", np.array(["a", None], object))
    for name in ("x.npy", "x.npz"):
        failure = failure_of(info("string", 1), tmp_path / name)
        assert failure.kind is FailureKind.BAD_INPUT_FILE
        assert failure.message == f"{name} holds Python objects, which are not read: they could run code."


def npy_bytes(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def with_head(head: str, data: bytes = b"", version: int = 1) -> bytes:
    text = head.encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 if version == 1 else 4, "little") + text + data


DAMAGED: dict[str, bytes] = {
    "empty": b"",
    "no array at all": b"hello world, this is text",
    "cut in its magic": npy_bytes(np.ones(3, np.float32))[:5],
    "cut in its head": npy_bytes(np.ones(3, np.float32))[:40],
    "cut in its data": npy_bytes(np.ones(3, np.float32))[:-1],
    "a newer version": b"\x93NUMPY\x09\x00" + npy_bytes(np.ones(3, np.float32))[8:],
    "a head of gigabytes": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100,
    "no dictionary": with_head("[1, 2]"),
    "no shape": with_head("{'descr': '<f4', 'fortran_order': False}"),
    "a negative size": with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}", b"0" * 12),
    "a size that is none": with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}", b"0" * 12),
    "an odd type": with_head("{'descr': 'hello', 'fortran_order': False, 'shape': (3,)}", b"0" * 12),
    "code": with_head("__import__('os').abort()"),
    "deep": with_head("(" * 5000),
    "more than there is": with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,)}", b"0" * 12),
    "no text": with_head("", version=3) + b"\xff",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_that_a_damaged_array_is_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(DAMAGED[name])
    failure = failure_of(info("float", 3), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert failure.message == "x.npy is damaged, or no .npy file."
    assert failure.detail


@pytest.mark.parametrize("name", DAMAGED)
def test_that_a_damaged_array_in_an_archive_is_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", DAMAGED[name])
    failure = failure_of(info("float", 3), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert failure.message == "x.npz is damaged, or no .npz file."


def test_that_an_array_written_by_python_2_is_read(tmp_path: Path) -> None:
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 1L), }"
    (tmp_path / "x.npy").write_bytes(with_head(head, np.ones(3, "<f4").tobytes()))
    assert same(read(info("float", 3, 1), tmp_path / "x.npy")[0], np.ones((3, 1)))


def test_that_text_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([b"\xff\xfe"]))
    failure = failure_of(info("string", 1), tmp_path / "x.npy")
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert "not UTF-8" in failure.message


def test_that_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, x=np.ones(3, np.float32))
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    path.write_bytes(bytes(data))
    failure = failure_of(info("float", 3), path)
    assert failure.kind is FailureKind.BAD_INPUT_FILE
    assert "password" in failure.detail


def test_that_an_archive_that_swells_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file of gigabytes of zeros: its head says so before they are unpacked."""
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as stream:
        stream.write(with_head(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({1 << 25},)}}"))
        for _ in range(128):
            stream.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    monkeypatch.setattr(inputs, "_available_bytes", lambda: 1 << 27)
    monkeypatch.setattr(input_files, "read_array", lambda *_: pytest.fail("it was unpacked"))
    assert failure_of(info("float", "N"), path).kind is FailureKind.OUT_OF_MEMORY


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_that_whatever_is_damaged_is_a_failure_and_no_crash(method: int, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("x.npy", npy_bytes(np.arange(300, dtype=np.float32)))
    check_damaged(stream.getvalue(), tmp_path / "x.npz", seed=method)


def test_that_whatever_is_damaged_in_an_array_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    check_damaged(npy_bytes(np.arange(30, dtype=np.float32)), tmp_path / "x.npy", seed=7)
