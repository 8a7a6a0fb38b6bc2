"""What is remembered between two starts, and what becomes of values that cannot be used."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QByteArray, QSettings

from gui.records.check import CheckSettings, Tolerance
from gui.records.failure import Failure, FailureKind
from gui.records.inputs import InputSource, SourceKind
from gui.records.library import Library, LibraryState
from gui.records.setup import DimensionSweep
from gui.records.trial import (
    MAX_ITERATIONS,
    MAX_SECONDS,
    MAX_WARMUP,
    Binding,
    DimensionSize,
    Optimization,
    Policy,
    SessionSettings,
    StopRule,
)
from gui.settings import ColorScheme, RememberedLibrary, RunChoices, Settings, StopKind, TrialChoices

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
RUN = RunChoices(
    warmup=3,
    stop_kind=StopKind.STABLE,
    iterations=77,
    seconds=2.5,
    stable_percent=0.5,
    longest_s=90.0,
    binding=Binding.IO_BINDING,
    callers=4,
    pause_ms=1.5,
    run_timeout_s=9.0,
    outputs_folder="/out, here",
    check=CheckSettings(enabled=False, tolerances=(Tolerance(type="float", absolute=0.5, relative=0.25),)),
)
CHOICES = TrialChoices(
    model_path="/models/net, final.onnx",
    policy=Policy.PREFER_NPU,
    device_keys=("a/b", "c, d"),
    second_keys=("e",),
    options=(("mode", "a=b, c"),),
    second_options=(("power", "low"),),
    dimensions=(DimensionSize(name="batch", size=4),),
    sweeps=(DimensionSweep(name="batch", sizes=(4, 8)),),
    inputs=(InputSource(name="x", kind=SourceKind.FILE, path="/data/ä, ö.npz", entry="x"),),
    seed=5,
    session=SessionSettings(optimization=Optimization.BASIC, config=(("ep.a", "b"),), strict=True),
    intra_op_threads=2,
    run=RUN,
)
VALUES: dict[str, Any] = {
    "geometry": QByteArray(b"\x00geometry"),
    "dock_state": QByteArray(b"\x01docks"),
    "color_scheme": ColorScheme.DARK,
    "library_folder": "/opt/eps, mine",
    "model_folder": "/models",
    "compiled_folder": "/compiled",
    "setup_folder": "/set-ups",
    "trial_choices": CHOICES,
    "libraries": LIBRARIES,
}
DEFAULTS: dict[str, Any] = {
    "geometry": QByteArray(),
    "dock_state": QByteArray(),
    "color_scheme": ColorScheme.SYSTEM,
    "library_folder": "",
    "model_folder": "",
    "compiled_folder": "",
    "setup_folder": "",
    "recent_models": (),
    "recent_setups": (),
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
        ("setup_folder", "folders/setup", ["a", "b"]),
        ("recent_setups", "trial/recent_setups", "{not json"),
        ("recent_setups", "trial/recent_setups", '{"a": 1}'),
        ("trial_choices", "trial/choices", "{not json"),
        ("trial_choices", "trial/choices", "[]"),
        ("trial_choices", "trial/choices", '{"policy": "PREFER_TOASTER"}'),
        ("trial_choices", "trial/choices", '{"run": {"warmup": "many"}}'),
        ("trial_choices", "trial/choices", '{"run": {"iterations": true}}'),
        ("trial_choices", "trial/choices", '{"run": {"warmup": -1}}'),
        ("trial_choices", "trial/choices", f'{{"run": {{"warmup": {MAX_WARMUP + 1}}}}}'),
        ("trial_choices", "trial/choices", '{"run": {"iterations": 0}}'),
        ("trial_choices", "trial/choices", f'{{"run": {{"iterations": {MAX_ITERATIONS + 1}}}}}'),
        ("trial_choices", "trial/choices", '{"run": {"seconds": 0}}'),
        ("trial_choices", "trial/choices", '{"run": {"seconds": NaN}}'),
        ("trial_choices", "trial/choices", f'{{"run": {{"seconds": {MAX_SECONDS + 1}}}}}'),
        ("trial_choices", "trial/choices", '{"run": {"stop_kind": "tired"}}'),
        ("trial_choices", "trial/choices", '{"run": {"stable_percent": 0.01}}'),
        ("trial_choices", "trial/choices", '{"run": {"longest_s": 0}}'),
        ("trial_choices", "trial/choices", '{"run": {"callers": 0}}'),
        ("trial_choices", "trial/choices", '{"run": {"pause_ms": -1}}'),
        ("trial_choices", "trial/choices", '{"run": {"run_timeout_s": 0}}'),
        ("trial_choices", "trial/choices", '{"run": {"check": {"enabled": 1}}}'),
        ("trial_choices", "trial/choices", '{"run": {"check": {"tolerances": [{"type": "float"}]}}}'),
        ("trial_choices", "trial/choices", '{"intra_op_threads": 1025}'),
        ("trial_choices", "trial/choices", '{"seed": -1}'),
        ("trial_choices", "trial/choices", '{"sweeps": [{"name": "batch", "sizes": []}]}'),
        ("trial_choices", "trial/choices", '{"inputs": [{"name": "x", "kind": "file"}]}'),
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
    settings = written(ini, "trial/choices", '{"seed": 4, "batch_size": 8, "run": {"warmup": 2, "speed": 9}}')
    assert settings.trial_choices == TrialChoices(seed=4, run=RunChoices(warmup=2))


def test_that_choices_of_an_older_version_compare_outputs_as_is_usual(ini: Path) -> None:
    settings = written(ini, "trial/choices", '{"run": {"warmup": 2}}')
    assert settings.trial_choices.run == RunChoices(warmup=2, check=CheckSettings())


@pytest.mark.parametrize("kind", ["model", "setup"])
def test_that_recent_files_come_newest_first_each_once(ini: Path, kind: str) -> None:
    settings = opened(ini)
    add, remove = getattr(settings, f"add_recent_{kind}"), getattr(settings, f"remove_recent_{kind}")
    for path in ("/a", "/b, c", "/d", "/a"):
        add(path)
    assert getattr(settings, f"recent_{kind}s") == ("/a", "/d", "/b, c")
    remove("/d")
    remove("/never")
    settings._store.sync()
    assert getattr(opened(ini), f"recent_{kind}s") == ("/a", "/b, c")


@pytest.mark.parametrize("kind", ["model", "setup"])
def test_that_only_ten_recent_files_are_kept(ini: Path, kind: str) -> None:
    settings = opened(ini)
    for number in range(12):
        getattr(settings, f"add_recent_{kind}")(f"/{number}")
    assert getattr(settings, f"recent_{kind}s") == tuple(f"/{number}" for number in range(11, 1, -1))


@pytest.mark.parametrize("kind", ["model", "setup"])
def test_that_what_is_no_path_among_recent_files_is_left_out(ini: Path, kind: str) -> None:
    settings = written(ini, f"trial/recent_{kind}s", '["/a", 3, null, "/b"]')
    assert getattr(settings, f"recent_{kind}s") == ("/a", "/b")


def test_that_recent_models_and_set_ups_are_kept_apart(ini: Path) -> None:
    settings = opened(ini)
    settings.add_recent_model("/m.onnx")
    settings.add_recent_setup("/s.json")
    assert (settings.recent_models, settings.recent_setups) == (("/m.onnx",), ("/s.json",))


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
    [
        {"warmup": -1},
        {"iterations": 0},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"longest_s": 0.0},
        {"stable_percent": 51.0},
        {"callers": 257},
        {"pause_ms": float("nan")},
        {"run_timeout_s": 0.0},
    ],
)
def test_that_a_choice_of_how_to_run_out_of_its_range_cannot_be_made(choice: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of its range"):
        RunChoices(**choice)


@pytest.mark.parametrize("choice", [{"intra_op_threads": -1}, {"seed": -1}])
def test_that_a_choice_out_of_its_range_cannot_be_made(choice: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of its range"):
        TrialChoices(**choice)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (StopKind.ITERATIONS, StopRule(iterations=77)),
        (StopKind.SECONDS, StopRule(seconds=2.5)),
        (StopKind.STABLE, StopRule(seconds=90, stable_percent=0.5)),
    ],
)
def test_that_the_chosen_stop_rule_is_made_of_its_own_numbers_and_taken_back(kind: StopKind, rule: StopRule) -> None:
    chosen = replace(RUN, stop_kind=kind)
    assert chosen.stop_rule == rule
    assert RUN.with_stop_rule(rule) == chosen


def test_that_a_stop_rule_taken_over_leaves_the_numbers_of_the_others() -> None:
    changed = RUN.with_stop_rule(StopRule(seconds=7))
    assert changed == replace(RUN, stop_kind=StopKind.SECONDS, seconds=7)
    assert changed.with_stop_rule(StopRule(iterations=9)) == replace(
        RUN, stop_kind=StopKind.ITERATIONS, iterations=9, seconds=7
    )
