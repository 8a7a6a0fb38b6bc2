"""Libraries whose code stays in memory after they were unregistered."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gui.engine.mapped import still_mapped

from ..conftest import DoubleFactory, StartEngine
from ..doubles import build
from ..engine_process import EngineProcess


@pytest.fixture
def staying_library(tmp_path: Path) -> Path:
    try:
        return build.staying_double(tmp_path)
    except build.DoubleUnavailableError as error:
        pytest.skip(str(error))


def test_that_a_library_that_lets_go_is_not_mapped(engine: EngineProcess, double_library: DoubleFactory) -> None:
    engine.register("double", double_library(""))
    assert engine.unregister("double").still_mapped == ()


def test_that_a_library_that_stays_is_told_until_it_is_registered_again(
    start_engine: StartEngine, staying_library: Path
) -> None:
    engine = start_engine()
    engine.register("one", staying_library)
    assert engine.unregister("one").still_mapped == (str(staying_library),)
    assert engine.inventory().still_mapped == (str(staying_library),)
    assert engine.register("two", staying_library).still_mapped == ()


def test_that_a_library_registered_under_another_name_is_not_told(
    start_engine: StartEngine, staying_library: Path
) -> None:
    engine = start_engine()
    engine.register("one", staying_library)
    engine.register("two", staying_library)
    assert engine.unregister("one").still_mapped == ()
    assert engine.unregister("two").still_mapped == (str(staying_library),)


def test_that_a_library_that_stays_is_told_also_when_its_file_is_gone(
    start_engine: StartEngine, staying_library: Path
) -> None:
    engine = start_engine()
    engine.register("one", staying_library)
    staying_library.unlink()
    assert engine.unregister("one").still_mapped == (str(staying_library),)


def test_that_a_link_is_followed(start_engine: StartEngine, staying_library: Path, tmp_path: Path) -> None:
    engine = start_engine()
    link = tmp_path / "liblink.so"
    link.symlink_to(staying_library)
    engine.register("one", link)
    assert engine.unregister("one").still_mapped == (str(link),)


def test_that_a_file_nobody_loaded_is_not_mapped(double_library: DoubleFactory, tmp_path: Path) -> None:
    copy = shutil.copy(double_library(""), tmp_path / "libcopy.so")
    assert still_mapped([str(copy), str(tmp_path / "libgone.so")]) == ()
