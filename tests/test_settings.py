"""What is remembered between two starts, and what becomes of values that cannot be used."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QByteArray, QSettings

from gui.records.failure import Failure, FailureKind
from gui.records.library import Library, LibraryState
from gui.records.trial import MAX_ITERATIONS, MAX_SECONDS, MAX_WARMUP, DimensionSize, Policy
from gui.settings import ColorScheme, RememberedLibrary, Settings, TrialChoices

LIBRARIES = (
    RememberedLibrary(library=Library(name="ggml", path="/opt/ä, ö/lib.so", state=LibraryState.LOADED), load=True),
    RememberedLibrary(
        library=Library(
            name="bad",
            path="/opt/bad.so",
            state=LibraryState.FAILED,
            error=Failure(kind=FailureKind.DIED, message="It died.", detail="a\nb"),
            killed_engine=True,
        ),
        load=False,
    ),
)
CHOICES = TrialChoices(
    model_path="/models/net, final.onnx",
    policy=Policy.PREFER_NPU,
    warmup=3,
    iterations=77,
    seconds=2.5,
    by_seconds=True,
    intra_op_threads=2,
    options=(("mode", "a=b, c"),),
    dimensions=(DimensionSize(name="batch", size=4),),
    device_keys=("a/b", "c, d"),
)
VALUES: dict[str, Any] = {
    "geometry": QByteArray(b"\x00geometry"),
    "dock_state": QByteArray(b"\x01docks"),
    "color_scheme": ColorScheme.DARK,
    "library_folder": "/opt/eps, mine",
    "model_folder": "/models",
    "trial_choices": CHOICES,
    "libraries": LIBRARIES,
}
DEFAULTS: dict[str, Any] = {
    "geometry": QByteArray(),
    "dock_state": QByteArray(),
    "color_scheme": ColorScheme.SYSTEM,
    "library_folder": "",
    "model_folder": "",
    "recent_models": (),
    "trial_choices": TrialChoices(),
    "libraries": (),
}


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    return tmp_path / "settings.ini"


def opened(ini: Path) -> Settings:
    return Settings(QSettings(str(ini), QSettings.Format.IniFormat))


def written(ini: Path, key: str, value: Any) -> Settings:
    """Settings in whose file another hand wrote a value."""
    store = QSettings(str(ini), QSettings.Format.IniFormat)
    store.setValue(key, value)
    store.sync()
    return opened(ini)


@pytest.mark.parametrize("name", DEFAULTS)
def test_that_every_property_has_its_default(ini: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    assert getattr(opened(ini), name) == DEFAULTS[name]
    assert opened(ini).splitter_state("main") == QByteArray()
    assert caplog.records == []


@pytest.mark.parametrize("name", VALUES)
def test_that_what_is_set_is_there_at_the_next_start(ini: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    first = opened(ini)
    setattr(first, name, VALUES[name])
    assert getattr(first, name) == VALUES[name]
    first._store.sync()
    assert getattr(opened(ini), name) == VALUES[name]
    assert caplog.records == []


def test_that_the_libraries_are_in_the_file_at_once(ini: Path) -> None:
    settings = opened(ini)
    settings.libraries = LIBRARIES
    assert "ggml" in ini.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("geometry", "window/geometry", "not bytes"),
        ("dock_state", "window/state", ["a", "b"]),
        ("color_scheme", "window/color_scheme", "pink"),
        ("color_scheme", "window/color_scheme", ["dark", "light"]),
        ("library_folder", "folders/library", ["a", "b"]),
        ("model_folder", "folders/model", ["a", "b"]),
        ("recent_models", "trial/recent_models", "{not json"),
        ("recent_models", "trial/recent_models", '{"a": 1}'),
        ("recent_models", "trial/recent_models", '"text"'),
        ("trial_choices", "trial/choices", "{not json"),
        ("trial_choices", "trial/choices", "[]"),
        ("trial_choices", "trial/choices", '{"policy": "PREFER_TOASTER"}'),
        ("trial_choices", "trial/choices", '{"warmup": "many"}'),
        ("trial_choices", "trial/choices", '{"iterations": true}'),
        ("trial_choices", "trial/choices", '{"warmup": -1}'),
        ("trial_choices", "trial/choices", f'{{"warmup": {MAX_WARMUP + 1}}}'),
        ("trial_choices", "trial/choices", '{"iterations": 0}'),
        ("trial_choices", "trial/choices", f'{{"iterations": {MAX_ITERATIONS + 1}}}'),
        ("trial_choices", "trial/choices", '{"seconds": 0}'),
        ("trial_choices", "trial/choices", '{"seconds": NaN}'),
        ("trial_choices", "trial/choices", f'{{"seconds": {MAX_SECONDS + 1}}}'),
        ("trial_choices", "trial/choices", '{"intra_op_threads": 1025}'),
        ("trial_choices", "trial/choices", '{"dimensions": [{"name": "batch", "size": 0}]}'),
        ("trial_choices", "trial/choices", '{"options": ["mode"]}'),
        ("libraries", "libraries/list", "{not json"),
        ("libraries", "libraries/list", '{"a": 1}'),
        ("libraries", "libraries/list", "[3]"),
        ("libraries", "libraries/list", '[{"load": true}]'),
        ("libraries", "libraries/list", '[{"load": true, "library": {"name": "a", "path": "/a", "state": "odd"}}]'),
    ],
)
def test_that_a_value_that_cannot_be_used_falls_back_and_is_logged(
    ini: Path, caplog: pytest.LogCaptureFixture, name: str, key: str, value: Any
) -> None:
    settings = written(ini, key, value)
    assert getattr(settings, name) == DEFAULTS[name]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert key in caplog.text


def test_that_a_splitter_state_that_is_none_falls_back_and_is_logged(
    ini: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert written(ini, "splitters/main", "odd").splitter_state("main") == QByteArray()
    assert "splitters/main" in caplog.text


def test_that_a_file_that_is_no_settings_file_gives_the_defaults(ini: Path) -> None:
    ini.write_bytes(b"\x00\xff garbage [[[ = = \n%%%\n")
    settings = opened(ini)
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS


def test_that_one_bad_library_does_not_take_the_others_along(ini: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(ini).libraries = LIBRARIES
    text = str(QSettings(str(ini), QSettings.Format.IniFormat).value("libraries/list"))
    settings = written(ini, "libraries/list", text.replace("[", '[{"load": 1}, ', 1))
    assert settings.libraries == LIBRARIES
    assert len(caplog.records) == 1


def test_that_choices_of_a_newer_version_are_read_as_far_as_they_are_known(ini: Path) -> None:
    settings = written(ini, "trial/choices", '{"warmup": 4, "batch_size": 8}')
    assert settings.trial_choices == TrialChoices(warmup=4)


def test_that_recent_models_come_newest_first_each_once(ini: Path) -> None:
    settings = opened(ini)
    for path in ("/a", "/b, c", "/d", "/a"):
        settings.add_recent_model(path)
    assert settings.recent_models == ("/a", "/d", "/b, c")
    settings.remove_recent_model("/d")
    settings.remove_recent_model("/never")
    settings._store.sync()
    assert opened(ini).recent_models == ("/a", "/b, c")


def test_that_only_ten_recent_models_are_kept(ini: Path) -> None:
    settings = opened(ini)
    for number in range(12):
        settings.add_recent_model(f"/{number}")
    assert settings.recent_models == tuple(f"/{number}" for number in range(11, 1, -1))


def test_that_what_is_no_path_among_recent_models_is_left_out(ini: Path) -> None:
    assert written(ini, "trial/recent_models", '["/a", 3, null, "/b"]').recent_models == ("/a", "/b")


def test_that_the_layout_can_be_forgotten_alone(ini: Path) -> None:
    settings = opened(ini)
    for name, value in VALUES.items():
        setattr(settings, name, value)
    settings.set_splitter_state("main", QByteArray(b"split"))
    assert settings.splitter_state("main") == QByteArray(b"split")
    settings.forget_layout()
    assert settings.geometry == settings.dock_state == settings.splitter_state("main") == QByteArray()
    kept = ("color_scheme", "library_folder", "model_folder", "trial_choices", "libraries")
    assert {name: getattr(settings, name) for name in kept} == {name: VALUES[name] for name in kept}


@pytest.mark.parametrize(
    "choice",
    [{"warmup": -1}, {"iterations": 0}, {"seconds": 0.0}, {"seconds": float("nan")}, {"intra_op_threads": -1}],
)
def test_that_a_choice_out_of_its_range_cannot_be_made(choice: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of its range"):
        TrialChoices(**choice)
