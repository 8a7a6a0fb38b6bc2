"""How the values of arguments are read, and which are refused."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui import arguments
from gui.records.check import Tolerance
from gui.records.inputs import Fill, InputSource, SourceKind


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("x=zeros", InputSource(name="x", fill=Fill.ZEROS)),
        ("x=ones", InputSource(name="x", fill=Fill.ONES)),
        ("x=automatic", InputSource(name="x")),
        ("x=omitted", InputSource(name="x", kind=SourceKind.OMITTED)),
        ("x=uniform:-1:1.5", InputSource(name="x", fill=Fill.UNIFORM, low=-1, high=1.5)),
        ("x=normal:0:1e-3", InputSource(name="x", fill=Fill.NORMAL, low=0, high=0.001)),
        ("x=integers:0:99", InputSource(name="x", fill=Fill.INTEGERS, low=0, high=99)),
        ("x=integers:0:18446744073709551615", InputSource(name="x", fill=Fill.INTEGERS, low=0, high=2**64 - 1)),
        ("x=constant:1", InputSource(name="x", fill=Fill.CONSTANT, value="1")),
        ("x=constant:a:b=c", InputSource(name="x", fill=Fill.CONSTANT, value="a:b=c")),
        ("x=constant:", InputSource(name="x", fill=Fill.CONSTANT, value="")),
        ("x=values:1,2,3", InputSource(name="x", fill=Fill.VALUES, value="1,2,3")),
        ("in:0=values:true", InputSource(name="in:0", fill=Fill.VALUES, value="true")),
    ],
)
def test_that_a_spec_of_values_is_read(text: str, source: InputSource) -> None:
    assert arguments.fill_source(text) == source


def test_that_whole_numbers_of_a_spec_stay_whole() -> None:
    source = arguments.fill_source("x=uniform:0:9007199254740993")
    assert (source.low, source.high) == (0, 9007199254740993)
    assert isinstance(source.high, int)


@pytest.mark.parametrize(
    ("text", "kind", "path", "entry"),
    [
        ("x=/data/x.npy", SourceKind.FILE, "/data/x.npy", ""),
        ("x=/data/X.NPY", SourceKind.FILE, "/data/X.NPY", ""),
        ("x=/data/input_0.pb", SourceKind.FILE, "/data/input_0.pb", ""),
        ("x=/data/all.npz", SourceKind.FILE, "/data/all.npz", ""),
        ("x=/data/all.npz:weights", SourceKind.FILE, "/data/all.npz", "weights"),
        ("x=/data/all.npz:a.npz:b", SourceKind.FILE, "/data/all.npz:a.npz", "b"),
        ("x=/a=b/cat.JPG", SourceKind.IMAGE, "/a=b/cat.JPG", ""),
        ("x=/pictures/cat.webp", SourceKind.IMAGE, "/pictures/cat.webp", ""),
    ],
)
def test_that_a_file_is_read_by_its_ending(text: str, kind: SourceKind, path: str, entry: str) -> None:
    assert arguments.file_source(text) == InputSource(name="x", kind=kind, path=path, entry=entry)


def test_that_files_are_found_from_the_folder_of_the_command_and_from_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert arguments.file_source("x=data/x.npy").path == str(tmp_path / "data" / "x.npy")
    assert arguments.file_source("x=~/x.npy").path == "/home/me/x.npy"


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        (arguments.sizes, "batch=4", ("batch", (4,))),
        (arguments.sizes, "batch=1, 2,4 ,1", ("batch", (1, 2, 4))),
        (arguments.sizes, "a + b=3", ("a + b", (3,))),
        (arguments.shape, "x=2,0,3", ("x", (2, 0, 3))),
        (arguments.shape, "x=scalar", ("x", ())),
        (arguments.length, "x=0", ("x", 0)),
        (arguments.number(0.1, 50), "0.1", 0.1),
        (arguments.number(0.1, 50), "50", 50.0),
        (arguments.seconds, "0.5", 0.5),
        (arguments.tolerance, "float16=0.5:1e-3", Tolerance(type="float16", absolute=0.5, relative=0.001)),
        (arguments.tolerance, "int8 = 1", Tolerance(type="int8", absolute=1, relative=0)),
        (arguments.tolerance, "float= 0 : 0 ", Tolerance(type="float", absolute=0, relative=0)),
    ],
)
def test_that_sizes_and_numbers_are_read(reader: Callable[[str], Any], text: str, value: Any) -> None:
    assert reader(text) == value


@pytest.mark.parametrize(
    ("reader", "text", "complaint"),
    [
        (arguments.fill_source, "zeros", "“zeros” is not of the form NAME=VALUE"),
        (arguments.fill_source, "x=zero", "“zero” is none of automatic, zeros, ones"),
        (arguments.fill_source, "x=zeros:1", "“zeros:1” is none of"),
        (arguments.fill_source, "x=constant", "“constant” is none of"),
        (arguments.fill_source, "x=uniform:1", "“x=uniform:1”: two numbers are needed"),
        (arguments.fill_source, "x=uniform:a:1", "“x=uniform:a:1”: “a” is not a number"),
        (arguments.fill_source, "x=uniform:0:nan", "“x=uniform:0:nan”: x: the bounds must be finite numbers"),
        (arguments.fill_source, "x=uniform:2:1", "“x=uniform:2:1”: x: the range ends before it begins"),
        (arguments.fill_source, "x=normal:0:-1", "“x=normal:0:-1”: x: the standard deviation is negative"),
        (arguments.fill_source, "x=integers:0:1.5", "“x=integers:0:1.5”: “1.5” is not a whole number"),
        (arguments.file_source, "x=data.csv", "“data.csv” is neither .npy, .npz, .pb nor an image"),
        (arguments.file_source, "x=", "“x=” is not of the form NAME=VALUE"),
        (arguments.sizes, "batch=1,0", "“0” is not a whole number from 1 to"),
        (arguments.sizes, "batch=1,,2", "“” is not a whole number from 1 to"),
        (arguments.shape, "x=-1", "“-1” is not a whole number from 0 to"),
        (arguments.length, "x=1000001", "“1000001” is not a whole number from 0 to 1000000"),
        (arguments.number(0.1, 50), "0", "“0” is not a number from 0.1 to 50"),
        (arguments.number(0.1, 50), "50.1", "“50.1” is not a number from 0.1 to 50"),
        (arguments.number(0, 50), "nan", "“nan” is not a number from 0 to 50"),
        (arguments.number(0, 50), "x", "“x” is not a number from 0 to 50"),
        (arguments.tolerance, "float", "“float” is not of the form NAME=VALUE"),
        (arguments.tolerance, "half=1", "“half” is none of the types float, double, float16"),
        (arguments.tolerance, "string=1", "“string” is none of the types"),
        (arguments.tolerance, "bool=1", "“bool” is none of the types"),
        (arguments.tolerance, "float=-1", "“-1” is not a number from 0 to"),
        (arguments.tolerance, "float=1:nan", "“nan” is not a number from 0 to"),
        (arguments.tolerance, "float=inf", "“inf” is not a number from 0 to"),
        (arguments.tolerance, "float=1:2:3", "“2:3” is not a number from 0 to"),
        (arguments.tolerance, "float=:1", "“” is not a number from 0 to"),
        (arguments.tolerance, "float=1:", "“” is not a number from 0 to"),
    ],
)
def test_that_what_cannot_be_read_is_refused_in_words(reader: Callable[[str], Any], text: str, complaint: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        reader(text)
    assert str(refused.value).startswith(complaint)
