"""Files given as inputs: names in archives, headers, which file is for which input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gui.models.input_files import ArrayHeader, PlacedFiles, archive_entries, array_header, is_file, place_files
from gui.records.inputs import InputSource, SourceKind
from gui.records.model import TensorInfo

INPUTS = tuple(TensorInfo(name=name, type="tensor(float)", shape=(1, 3, 8, 8)) for name in ("x", "mask", "a/b:0"))
SCALE = (TensorInfo(name="scale", type="tensor(float)", shape=()),)


def touched(folder: Path, *names: str) -> tuple[str, ...]:
    for name in names:
        (folder / name).touch()
    return tuple(str(folder / name) for name in names)


def placed(
    *paths: str, chosen: str | None = None, images: tuple[str, ...] = (), image_input: str | None = None
) -> PlacedFiles:
    return place_files(paths, INPUTS, SCALE, images=frozenset(images), chosen=chosen, image_input=image_input)


def names_of(files: PlacedFiles) -> dict[str, str]:
    """Input and file name of each source."""
    return {source.name: Path(source.path).name for source in files.sources}


# ---- What lies in them ----


def test_that_the_arrays_of_an_archive_are_named(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    arrays: dict[str, Any] = {"x": np.zeros(2), "a/b:0": np.ones(3)}
    np.savez(path, **arrays)
    assert archive_entries(str(path)) == ("x", "a/b:0")


def test_that_what_is_no_archive_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="zip"):
        archive_entries(str(path))
    with pytest.raises(OSError, match="No such file"):
        archive_entries(str(tmp_path / "none.npz"))


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.zeros((2, 3), np.float32), "float"),
        (np.zeros((2, 3), ">f8"), "double"),
        (np.zeros((2, 3), np.float16), "float16"),
        (np.zeros((2, 3), np.uint8), "uint8"),
        (np.zeros((2, 3), ">i8"), "int64"),
        (np.zeros((2, 3), np.bool_), "bool"),
        (np.full((2, 3), "ab"), "string"),
    ],
)
def test_that_a_header_tells_type_and_shape(tmp_path: Path, array: npt.NDArray[Any], kind: str) -> None:
    path, archive = tmp_path / "x.npy", tmp_path / "x.npz"
    np.save(path, array)
    np.savez_compressed(archive, x=array, other=np.zeros(7))
    expected = ArrayHeader(type=kind, shape=(2, 3))
    assert array_header(str(path)) == expected
    assert array_header(str(archive), "x") == expected


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_that_headers_of_all_versions_are_read(tmp_path: Path, version: tuple[int, int]) -> None:
    path = tmp_path / "x.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.zeros((4, 0), np.int32), version=version)
    assert array_header(str(path)) == ArrayHeader(type="int32", shape=(4, 0))


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x08\x00{'descr", b"PK\x03\x04", b"x" * 99])
def test_that_a_broken_file_has_no_header(tmp_path: Path, content: bytes) -> None:
    for name in ("x.npy", "x.npz"):
        path = tmp_path / name
        path.write_bytes(content)
        assert array_header(str(path), "x") is None


def test_that_no_file_is_none_whatever_its_name(tmp_path: Path) -> None:
    assert not is_file(str(tmp_path))
    assert not is_file("a" * 5000)
    assert not is_file("nul\0l.npy")
    assert array_header(str(tmp_path / "none.npy")) is None


# ---- Which is for which input ----


def test_that_files_go_to_the_inputs_they_are_named_after(tmp_path: Path) -> None:
    paths = touched(tmp_path, "mask.npy", "x.npy", "scale.pb", "a_b_0.npy")
    assert names_of(placed(*paths)) == {"mask": "mask.npy", "x": "x.npy", "scale": "scale.pb", "a/b:0": "a_b_0.npy"}


def test_that_numbered_files_go_to_inputs_by_position(tmp_path: Path) -> None:
    paths = touched(tmp_path, "input_1.pb", "input_0.pb", "input_3.pb")
    files = placed(*paths)
    assert names_of(files) == {"mask": "input_1.pb", "x": "input_0.pb"}
    assert files.left == (paths[2],)


def test_that_the_arrays_of_an_archive_go_to_inputs_by_name(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, mask=np.zeros(2), other=np.zeros(2), x=np.zeros(2))
    files = placed(str(path))
    assert [(source.name, source.entry) for source in files.sources] == [("mask", "mask"), ("x", "x")]
    assert files.left == ()


def test_that_arrays_numpy_named_go_to_inputs_by_position(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, np.zeros(2), np.ones(2))
    assert [(source.name, source.entry) for source in placed(str(path)).sources] == [("x", "arr_0"), ("mask", "arr_1")]


def test_that_one_array_of_any_name_is_for_the_chosen_input(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, data=np.zeros(2))
    assert placed(str(path), chosen="mask").sources == (
        InputSource(name="mask", kind=SourceKind.FILE, path=str(path), entry="data"),
    )
    assert placed(str(path)) == PlacedFiles(left=(str(path),))


def test_that_one_single_file_is_for_the_chosen_or_the_only_input(tmp_path: Path) -> None:
    paths = touched(tmp_path, "values.npy", "more.npy")
    assert names_of(placed(paths[0], chosen="mask")) == {"mask": "values.npy"}
    assert placed(paths[0]).left == paths[:1]
    assert placed(*paths, chosen="mask") == PlacedFiles(left=paths)
    only = place_files(paths[:1], INPUTS[:1], (), images=frozenset(), chosen=None)
    assert names_of(only) == {"x": "values.npy"}


def test_that_a_name_counts_more_than_what_is_chosen(tmp_path: Path) -> None:
    assert names_of(placed(*touched(tmp_path, "x.npy"), chosen="mask")) == {"x": "x.npy"}


def test_that_an_image_goes_where_images_fit(tmp_path: Path) -> None:
    (cat,) = touched(tmp_path, "cat.JPG")
    (source,) = placed(cat, chosen="mask", images=("x", "mask")).sources
    assert (source.name, source.kind) == ("mask", SourceKind.IMAGE)
    assert names_of(placed(cat, chosen="mask", images=("x",), image_input="x")) == {"x": "cat.JPG"}
    assert placed(cat, chosen="mask").left == (cat,)
    (named,) = touched(tmp_path, "mask.png")
    assert placed(named, images=("x",)).left == (named,)


def test_that_files_of_other_kinds_are_left(tmp_path: Path) -> None:
    paths = touched(tmp_path, "x.txt", "x.onnx")
    assert placed(*paths, chosen="x") == PlacedFiles(left=paths)


def test_that_a_broken_archive_is_left(tmp_path: Path) -> None:
    paths = touched(tmp_path, "x.npz")
    assert placed(*paths) == PlacedFiles(left=paths)


def test_that_a_folder_stands_for_the_inputs_in_it(tmp_path: Path) -> None:
    touched(tmp_path, "input_0.pb", "input_2.pb", "input_10.pb", "output_0.pb", "notes.txt")
    files = placed(str(tmp_path))
    assert names_of(files) == {"x": "input_0.pb", "a/b:0": "input_2.pb"}
    assert [Path(path).name for path in files.left] == ["input_10.pb"]


def test_that_the_folder_of_a_model_stands_for_its_first_data_set(tmp_path: Path) -> None:
    for number in (10, 2):
        folder = tmp_path / f"test_data_set_{number}"
        folder.mkdir()
        touched(folder, "input_0.pb")
    (source,) = placed(str(tmp_path)).sources
    assert Path(source.path).parent.name == "test_data_set_2"


def test_that_a_folder_without_inputs_is_left(tmp_path: Path) -> None:
    assert placed(str(tmp_path), chosen="x") == PlacedFiles(left=(str(tmp_path),))
