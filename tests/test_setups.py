"""Set-ups from the window: saved, opened, and what they miss here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from gui.records.device import Device, DeviceType, HardwareDevice, with_keys
from gui.records.inputs import Fill, InputSource
from gui.records.library import Library, LibraryState
from gui.records.model import ModelDescription, TensorInfo
from gui.records.result import RESULT_FORMAT
from gui.records.setup import DimensionSweep, Setup, SetupLibrary
from gui.records.setup_file import parse_setup, setup_json
from gui.records.trial import (
    Binding,
    DimensionSize,
    Optimization,
    Policy,
    SessionSettings,
    StopRule,
    Target,
    TrialSettings,
)
from gui.setups import Setups
from gui.state import EngineStatus, ModelChoice

from .conftest import DoubleFactory
from .explorer import Session, running_explorer
from .finding import child, wait_until_gone
from .keepers import TIMEOUT_MS
from .records.examples import GREETING
from .test_main_window import drop, mime_of
from .window import Idle, idle_window


def made(ep_name: str, library: str | None = None, device_type: DeviceType = DeviceType.CPU) -> Device:
    return Device(ep_name=ep_name, library=library, device=HardwareDevice(type=device_type, vendor="Maker"))


CPU, FAST, SLOW = with_keys(
    [
        made("CPUExecutionProvider"),
        made("Fast", "fast", DeviceType.GPU),
        made("Slow", "slow", DeviceType.NPU),
    ]
)
SETTINGS = TrialSettings(
    model_path="net.onnx",
    target=Target(device_keys=(FAST.key,), second_keys=(SLOW.key,)),
    options=(("mode", "fast"),),
    second_options=(("power", "low"),),
    dimensions=(DimensionSize(name="batch", size=2),),
    warmup=3,
    stop_rule=StopRule(seconds=30, stable_percent=2),
    intra_op_threads=2,
    seed=5,
    inputs=(InputSource(name="x", fill=Fill.UNIFORM, low=3, high=4),),
    session=SessionSettings(optimization=Optimization.BASIC, config=(("ep.a", "1"),), strict=True),
    binding=Binding.IO_BINDING,
    callers=2,
    pause_ms=1.5,
    run_timeout_s=9.0,
    outputs_folder="out",
)
SWEEPS = (DimensionSweep(name="batch", sizes=(2, 4)),)


class Said:
    """What the set-ups of a window have said last."""

    def __init__(self, setups: Setups) -> None:
        self.told: tuple[str, ...] = ()
        self.wanted: tuple[SetupLibrary, ...] = ()
        setups.told.connect(self._on_told)
        setups.libraries_wanted.connect(self._on_wanted)

    def _on_told(self, told: tuple[str, ...]) -> None:
        self.told = told

    def _on_wanted(self, wanted: tuple[SetupLibrary, ...]) -> None:
        self.wanted = wanted


@pytest.fixture
def idle(qtbot: QtBot, tmp_path: Path) -> Iterator[Idle]:
    """A window whose engine has just told of its own device."""
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        idle.state.set_engine(EngineStatus.READY, GREETING)
        idle.state.set_devices((CPU,))
        yield idle


@pytest.fixture
def said(idle: Idle) -> Said:
    return Said(idle.window.setups)


def setup_in(folder: Path, **fields: object) -> Setup:
    """A set-up whose model and libraries are files in a folder."""
    for name in ("net.onnx", "fast.so", "slow.so"):
        (folder / name).touch()
    (folder / "out").mkdir(exist_ok=True)
    settings = replace(SETTINGS, model_path=str(folder / "net.onnx"), outputs_folder=str(folder / "out"))
    return Setup(
        settings=replace(settings, **fields),  # type: ignore[arg-type]
        sweeps=SWEEPS,
        libraries=tuple(SetupLibrary(name=name, path=str(folder / f"{name}.so")) for name in ("fast", "slow")),
        devices=(FAST, SLOW),
    )


def saved(folder: Path, setup: Setup, name: str = "setup.json") -> str:
    path = folder / name
    path.write_text(setup_json(setup, folder), encoding="utf-8")
    return str(path)


def loaded(folder: Path, state: LibraryState = LibraryState.LOADED) -> tuple[Library, ...]:
    return tuple(Library(name=name, path=str(folder / f"{name}.so"), state=state) for name in ("fast", "slow"))


def describe(idle: Idle, path: str) -> None:
    """Let the model be read: its one input is `x`, float [batch]."""
    tensor = TensorInfo(name="x", type="tensor(float)", shape=("batch",))
    idle.state.set_model(
        ModelChoice(
            path=path, description=ModelDescription(path=path, size_bytes=1, inputs=(tensor,), outputs=(tensor,))
        )
    )


def arrive(idle: Idle, folder: Path, *devices: Device) -> None:
    """Let the libraries be loaded and their devices come."""
    idle.state.set_libraries(loaded(folder))
    idle.state.set_devices((CPU, *devices))


def open_all(idle: Idle, folder: Path) -> Setup:
    """Open a set-up whose all is there, its model read."""
    setup = setup_in(folder)
    arrive(idle, folder, FAST, SLOW)
    idle.window.setups.open_path(saved(folder, setup))
    describe(idle, setup.settings.model_path)
    return setup


# ---- Opening ----


def test_that_a_set_up_fills_the_trial_panel_and_asks_for_its_model(idle: Idle, said: Said, tmp_path: Path) -> None:
    setup = open_all(idle, tmp_path)
    assert idle.state.selected_keys == (FAST.key,)
    assert idle.window.trial_panel.problem() is None
    shown = idle.window.trial_panel.setup()
    assert shown == setup
    idle.qtbot.waitUntil(lambda: not idle.window.setups._review_timer.isActive(), timeout=TIMEOUT_MS)
    assert (said.told, said.wanted) == ((), ())
    assert idle.settings.recent_setups == (str(tmp_path / "setup.json"),)
    assert idle.settings.setup_folder == str(tmp_path)
    assert "setup.json" in idle.window.status.currentMessage()


def test_that_a_set_up_of_a_policy_chooses_it(idle: Idle, tmp_path: Path) -> None:
    policy = Target(policy=Policy.PREFER_NPU)
    setup = replace(setup_in(tmp_path, target=policy, second_options=()), libraries=(), devices=())
    idle.window.setups.open_path(saved(tmp_path, setup))
    describe(idle, setup.settings.model_path)
    assert idle.window.trial_panel.setup() == setup


def test_that_the_set_up_of_a_trials_result_is_opened(idle: Idle, tmp_path: Path) -> None:
    arrive(idle, tmp_path, FAST, SLOW)
    setup = setup_in(tmp_path)
    data = json.loads(setup_json(setup, None))
    data |= {"format": RESULT_FORMAT, "target_devices": data["devices"], "samples_ns": [1, 2]}
    path = tmp_path / "trial.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    idle.window.setups.open_path(str(path))
    describe(idle, setup.settings.model_path)
    assert idle.window.trial_panel.setup() == replace(setup, sweeps=())


def test_that_sources_of_the_model_before_stay_its_own(idle: Idle, tmp_path: Path) -> None:
    describe(idle, "/before.onnx")
    open_all(idle, tmp_path)
    describe(idle, "/before.onnx")
    assert idle.window.trial_panel.inputs.sources == ()


def test_that_sources_that_the_set_up_does_not_hold_are_not_kept(idle: Idle, tmp_path: Path) -> None:
    open_all(idle, tmp_path)
    assert idle.window.trial_panel.inputs.sources == SETTINGS.inputs
    idle.window.setups.open_path(saved(tmp_path, setup_in(tmp_path, inputs=()), "bare.json"))
    describe(idle, str(tmp_path / "net.onnx"))
    assert idle.window.trial_panel.inputs.sources == ()


# ---- What it misses ----


def test_that_files_that_are_gone_are_told_and_the_rest_is_kept(idle: Idle, said: Said, tmp_path: Path) -> None:
    setup = setup_in(tmp_path)
    path = saved(tmp_path, setup)
    for name in ("net.onnx", "fast.so", "slow.so"):
        (tmp_path / name).unlink()
    idle.window.setups.open_path(path)
    assert [sentence.partition(":")[0] for sentence in said.told] == [
        "The model is not there",
        "The library “fast” is not there",
        "The library “slow” is not there",
        "The device Fast (GPU, Maker) of the library “fast” is not there. Choose another one.",
        "The device Slow (NPU, Maker) of the library “slow” is not there. Choose another one.",
    ]
    assert said.wanted == ()
    assert idle.window.status.currentMessage() == said.told[0]
    choices = idle.window.trial_panel.choices()
    assert (choices.options, choices.second_keys) == (SETTINGS.options, SETTINGS.target.second_keys)
    assert choices.run.warmup == SETTINGS.warmup
    assert choices.session == SETTINGS.session


def test_that_another_model_chosen_ends_the_talk_of_the_one_that_is_gone(
    idle: Idle, said: Said, tmp_path: Path
) -> None:
    arrive(idle, tmp_path, FAST, SLOW)
    setup = setup_in(tmp_path)
    (tmp_path / "net.onnx").rename(tmp_path / "other.onnx")
    idle.window.setups.open_path(saved(tmp_path, setup))
    assert len(said.told) == 1
    idle.window.open_model(str(tmp_path / "other.onnx"))
    idle.qtbot.waitUntil(lambda: said.told == (), timeout=TIMEOUT_MS)


def test_that_libraries_that_are_not_loaded_are_wanted_and_not_loaded(idle: Idle, said: Said, tmp_path: Path) -> None:
    setup = setup_in(tmp_path)
    idle.window.setups.open_path(saved(tmp_path, setup))
    assert said.wanted == setup.libraries
    assert said.told == ()
    assert idle.state.libraries == ()
    assert "“fast”, “slow”" in idle.window.status.currentMessage()


def test_that_devices_are_chosen_when_their_libraries_have_come(idle: Idle, said: Said, tmp_path: Path) -> None:
    setup = setup_in(tmp_path)
    idle.window.setups.open_path(saved(tmp_path, setup))
    describe(idle, setup.settings.model_path)
    assert idle.state.selected_keys == (CPU.key,)
    idle.state.set_libraries(loaded(tmp_path, LibraryState.LOADING))
    idle.qtbot.waitUntil(lambda: said.wanted == (), timeout=TIMEOUT_MS)
    assert said.told == ()  # they are on their way
    arrive(idle, tmp_path, FAST, SLOW)
    assert idle.state.selected_keys == (FAST.key,)
    assert idle.window.trial_panel.setup() == setup


def test_that_devices_that_come_under_other_keys_are_chosen_too(idle: Idle, said: Said, tmp_path: Path) -> None:
    setup = setup_in(tmp_path)
    idle.window.setups.open_path(saved(tmp_path, setup))
    describe(idle, setup.settings.model_path)
    fast, slow = with_keys(
        replace(device, key="", ep_metadata=(("driver", "9"),), library=f"my {device.library}")
        for device in (FAST, SLOW)
    )
    arrive(idle, tmp_path, fast, slow)
    assert idle.state.selected_keys == (fast.key,)
    assert idle.window.trial_panel.choices().second_keys == (slow.key,)
    assert idle.window.trial_panel.choices().options == SETTINGS.options
    idle.qtbot.waitUntil(lambda: said.wanted == (), timeout=TIMEOUT_MS)


def test_that_devices_the_user_has_chosen_meanwhile_stay_chosen(idle: Idle, tmp_path: Path) -> None:
    setup = setup_in(tmp_path)
    idle.window.setups.open_path(saved(tmp_path, setup))
    other = with_keys([made("Other", "other")])[0]
    idle.state.set_devices((CPU, other))
    idle.window.devices_panel.selection_requested.emit((other.key,))
    changed = with_keys(replace(device, key="", ep_metadata=(("a", "b"),)) for device in (FAST, SLOW))
    arrive(idle, tmp_path, other, *changed)
    assert idle.state.selected_keys == (other.key,)


def test_that_before_the_engine_has_told_its_devices_none_is_said_to_be_gone(qtbot: QtBot, tmp_path: Path) -> None:
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        said = Said(idle.window.setups)
        idle.state.set_libraries(loaded(tmp_path, LibraryState.LOADING))
        idle.window.setups.open_path(saved(tmp_path, setup_in(tmp_path)))
        assert (said.told, said.wanted) == ((), ())
        idle.state.set_engine(EngineStatus.READY, GREETING)
        idle.state.set_devices((CPU,))
        arrive(idle, tmp_path, SLOW)
        qtbot.waitUntil(lambda: len(said.told) == 1, timeout=TIMEOUT_MS)
        assert "Fast (GPU, Maker)" in said.told[0]
        assert idle.window.status.currentMessage() == said.told[0]
        idle.state.set_devices((CPU, FAST, SLOW))
        qtbot.waitUntil(lambda: said.told == (), timeout=TIMEOUT_MS)
        assert idle.state.selected_keys == (FAST.key,)


def test_that_what_comes_of_a_complete_set_up_later_is_not_told(idle: Idle, said: Said, tmp_path: Path) -> None:
    open_all(idle, tmp_path)
    idle.state.set_libraries(())
    idle.state.set_devices((CPU,))
    idle.qtbot.waitUntil(lambda: not idle.window.setups._review_timer.isActive(), timeout=TIMEOUT_MS)
    assert (said.told, said.wanted) == ((), ())


def test_that_what_is_missing_can_be_dismissed_for_good(idle: Idle, said: Said, tmp_path: Path) -> None:
    idle.window.setups.open_path(saved(tmp_path, setup_in(tmp_path)))
    assert said.wanted
    idle.window.setups.dismiss()
    assert (said.told, said.wanted) == ((), ())
    idle.state.set_devices((CPU, SLOW))
    idle.qtbot.waitUntil(lambda: not idle.window.setups._review_timer.isActive(), timeout=TIMEOUT_MS)
    assert (said.told, said.wanted) == ((), ())


def test_that_another_device_in_its_place_is_told(idle: Idle, said: Said, tmp_path: Path) -> None:
    (other,) = with_keys([replace(FAST, key="", device=replace(FAST.device, vendor="Other", vendor_id=7))])
    arrive(idle, tmp_path, other, SLOW)
    idle.window.setups.open_path(saved(tmp_path, setup_in(tmp_path)))
    assert said.told == ("Fast (GPU, Maker) is not there; Fast (GPU, Other) takes its place.",)
    assert idle.state.selected_keys == (other.key,)


# ---- Loading what it needs ----


def test_that_wanted_libraries_are_added_under_their_names(idle: Idle, tmp_path: Path) -> None:
    idle.window.setups.open_path(saved(tmp_path, setup_in(tmp_path)))
    idle.window.setups.load_wanted()
    assert [(library.name, library.path) for library in idle.state.libraries] == [
        ("fast", str(tmp_path / "fast.so")),
        ("slow", str(tmp_path / "slow.so")),
    ]


def test_that_one_of_the_list_is_loaded_and_another_of_its_name_left_alone(idle: Idle, tmp_path: Path) -> None:
    listed = (
        Library(name="mine", path=str(tmp_path / "fast.so")),
        Library(name="slow", path="/elsewhere/slow.so", state=LibraryState.FAILED),
    )
    idle.state.set_libraries(listed)
    idle.window.setups.open_path(saved(tmp_path, setup_in(tmp_path)))
    idle.window.setups.load_wanted()
    assert [(library.name, library.path, library.state) for library in idle.state.libraries] == [
        ("mine", str(tmp_path / "fast.so"), LibraryState.LOADING),
        ("slow", "/elsewhere/slow.so", LibraryState.FAILED),
        ("slow-2", str(tmp_path / "slow.so"), LibraryState.LOADING),
    ]


# ---- Files that cannot be opened ----


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it.json is not a set-up: it is not JSON."),
        (b"{}", "it.json is not a set-up."),
        (b'{"format": "ort-device-explorer report 1"}', "it.json is a device report, not a set-up."),
        (b'{"format": "ort-device-explorer set-up 9"}', "it.json was made by a newer version of ORT Device Explorer."),
        (b'{"format": "ort-device-explorer set-up 1"}', "it.json is a set-up, but damaged: settings is missing."),
    ],
)
def test_that_a_file_that_is_no_set_up_changes_nothing_and_is_told(
    idle: Idle, said: Said, tmp_path: Path, content: bytes, sentence: str
) -> None:
    before = idle.window.trial_panel.choices()
    path = tmp_path / "it.json"
    path.write_bytes(content)
    idle.window.setups.open_path(str(path))
    assert said.told[0] == sentence
    assert len(said.told) == 2  # and what to do
    assert idle.window.status.currentMessage() == sentence
    assert idle.window.trial_panel.choices() == before
    assert idle.settings.recent_setups == ()
    idle.wait_for_log(sentence)


def test_that_a_set_up_that_is_gone_leaves_the_recent_ones(idle: Idle, said: Said, tmp_path: Path) -> None:
    path = saved(tmp_path, setup_in(tmp_path))
    idle.window.setups.open_path(path)
    Path(path).unlink()
    idle.window.setups.open_path(path)
    assert said.told == ("setup.json cannot be read: No such file or directory.",)
    assert idle.settings.recent_setups == ()


def test_that_a_folder_and_a_file_too_large_are_not_read(idle: Idle, said: Said, tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    idle.window.setups.open_path(str(tmp_path / "folder.json"))
    assert said.told[0].startswith("folder.json cannot be read: ")
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(65 << 20)  # of zeros, which take no room
    idle.window.setups.open_path(str(tmp_path / "large.json"))
    assert said.told == ("large.json cannot be read: it is too large for a set-up.",)


# ---- Saving ----


def test_that_a_saved_set_up_is_read_as_it_was(idle: Idle, said: Said, tmp_path: Path) -> None:
    setup = open_all(idle, tmp_path)
    path = tmp_path / "mine.json"
    path.write_text("old", encoding="utf-8")
    idle.window.setups.save_as(str(path))
    assert parse_setup(path.read_bytes(), tmp_path) == setup
    assert [entry.name for entry in tmp_path.glob("mine*")] == ["mine.json"]
    assert idle.settings.recent_setups[0] == str(path)
    assert idle.window.status.currentMessage() == f"The set-up is saved: {path}"
    assert said.told == ()


def test_that_a_set_up_is_saved_where_a_file_dialog_says(idle: Idle, tmp_path: Path) -> None:
    setup = open_all(idle, tmp_path)
    idle.window.setups.save()
    (dialog,) = idle.window.findChildren(QFileDialog)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    assert Path(dialog.directory().path()) == tmp_path
    assert Path(dialog.selectedFiles()[0]).name == "net.json"
    child(dialog, QLineEdit, "File name:").setText("mine")
    dialog.accept()
    wait_until_gone(idle.qtbot, dialog)
    assert parse_setup((tmp_path / "mine.json").read_bytes(), tmp_path) == setup


def test_that_a_set_up_is_opened_by_a_file_dialog(idle: Idle, tmp_path: Path) -> None:
    path = saved(tmp_path, setup_in(tmp_path))
    idle.settings.setup_folder = str(tmp_path)
    idle.window.setups.open()
    (dialog,) = idle.window.findChildren(QFileDialog)
    assert Path(dialog.directory().path()) == tmp_path
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFile
    child(dialog, QLineEdit, "File name:").setText(path)
    dialog.accept()
    wait_until_gone(idle.qtbot, dialog)
    assert idle.settings.recent_setups == (path,)
    assert idle.window.trial_panel.choices().run.warmup == SETTINGS.warmup


@pytest.mark.parametrize("name", ["gone/setup.json", "folder"])
def test_that_a_set_up_that_cannot_be_written_is_told_with_why(
    idle: Idle, said: Said, tmp_path: Path, name: str
) -> None:
    open_all(idle, tmp_path)
    (tmp_path / "folder").mkdir()
    path = str(tmp_path / name)
    idle.window.setups.save_as(path)
    assert said.told[0].startswith(f"{path} cannot be written: ")
    assert said.told[1] == "Choose another folder."
    assert idle.window.status.currentMessage() == said.told[0]
    assert path not in idle.settings.recent_setups
    assert idle.settings.setup_folder == str(tmp_path)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only for root")
def test_that_a_read_only_place_keeps_what_is_there(idle: Idle, said: Said, tmp_path: Path) -> None:
    open_all(idle, tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "it.json").write_text("old", encoding="utf-8")
    folder.chmod(0o555)
    idle.window.setups.save_as(str(folder / "it.json"))
    folder.chmod(0o755)
    assert "cannot be written" in said.told[0]
    assert (folder / "it.json").read_text(encoding="utf-8") == "old"


def test_that_a_set_up_that_is_not_complete_is_not_saved(idle: Idle, said: Said, tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    idle.window.setups.save_as(str(path))
    assert said.told == ("The set-up is not complete yet.", "Choose a model first.")
    assert not path.exists()
    idle.window.setups.dismiss()
    idle.window.setups.save()
    assert said.told == ("The set-up is not complete yet.", "Choose a model first.")
    assert idle.window.findChildren(QFileDialog) == []


# ---- Which files are set-ups ----


def test_that_set_ups_are_told_from_other_files_by_their_beginning(idle: Idle, tmp_path: Path) -> None:
    setups = idle.window.setups
    text = setup_json(setup_in(tmp_path), None)
    cases = {
        "a.json": (text, True),
        "B.JSON": ("\ufeff" + text, True),
        "small.json": (text.replace("\n", "").replace('": ', '":'), True),
        "c.txt": (text, False),
        "report.json": ('{"format": "ort-device-explorer report 1"}', False),
        "trial.json": (json.dumps({"format": RESULT_FORMAT, "note": "ort-device-explorer set-up 1"}), False),
        "empty.json": ("", False),
    }
    for name, (content, _is_one) in cases.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert {name: setups.is_setup(str(tmp_path / name)) for name in cases} == {
        name: is_one for name, (_content, is_one) in cases.items()
    }
    (tmp_path / "folder.json").mkdir()
    assert not setups.is_setup(str(tmp_path / "folder.json"))
    assert not setups.is_setup(str(tmp_path / "gone.json"))


def test_that_a_dropped_set_up_is_opened(idle: Idle, tmp_path: Path) -> None:
    path = saved(tmp_path, setup_in(tmp_path))
    mime: QMimeData = mime_of(Path(path))
    assert drop(idle.window, mime).isAccepted()
    assert idle.settings.recent_setups == (path,)
    assert idle.window.trial_panel.choices().run.warmup == SETTINGS.warmup


# ---- Recent ones ----


def test_that_the_recent_menu_opens_them_and_tells_equal_names_apart(idle: Idle, tmp_path: Path) -> None:
    menu = QMenu(idle.window)
    idle.window.setups.fill_recent(menu)
    (none,) = menu.actions()
    assert not none.isEnabled()
    (tmp_path / "a & b").mkdir()
    first = saved(tmp_path, setup_in(tmp_path, warmup=1))
    second = saved(tmp_path / "a & b", setup_in(tmp_path, warmup=2))
    third = saved(tmp_path, setup_in(tmp_path, warmup=3), "third.json")
    for path in (first, second, third):
        idle.settings.add_recent_setup(path)
    idle.window.setups.fill_recent(menu)
    assert [action.text() for action in menu.actions()] == [
        "third.json",
        f"setup.json – {tmp_path}/a && b",
        f"setup.json – {tmp_path}",
    ]
    assert [action.toolTip() for action in menu.actions()] == [third, second, first]
    menu.actions()[1].trigger()
    assert idle.window.trial_panel.choices().run.warmup == 2
    assert idle.settings.recent_setups == (second, third, first)


# ---- With an engine ----


def test_that_a_library_is_loaded_from_the_bar_and_its_device_runs_the_set_up(
    qtbot: QtBot, tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    library = double_library("name=GoodEp")
    with running_explorer(qtbot, tmp_path, add_model) as session:
        session.add("good", library)
        session.select_device_of("good")
        path = str(tmp_path / "setup.json")
        session.explorer.window.setups.save_as(path)
        session.press(session.library_button("good"))  # unregister it
        qtbot.waitUntil(lambda: session.library("good").state is LibraryState.NOT_LOADED, timeout=TIMEOUT_MS)
        session.explorer.libraries.remove("good")
        session.wait_until_ready()
        assert session.state.selected_keys[0].startswith("/CPUExecutionProvider")
        session.explorer.window.setups.open_path(path)
        bar = session.explorer.window.trial_panel.setup_bar
        qtbot.waitUntil(bar.isVisible, timeout=TIMEOUT_MS)
        session.press(child(bar, QPushButton, "Load"))
        qtbot.waitUntil(lambda: session.state.library("good") is not None, timeout=TIMEOUT_MS)
        session.wait_until_ready()
        qtbot.waitUntil(lambda: not bar.isVisible(), timeout=TIMEOUT_MS)
        trial = session.run_trial()
        assert trial.facts.placement is not None
        assert trial.facts.placement[0].ep_name == "GoodEp"


def wait_for_samples(session: Session, count: int) -> None:
    trial = session.state.running_trial
    assert trial is not None
    session.qtbot.waitUntil(lambda: len(trial.series) > count, timeout=TIMEOUT_MS)


def test_that_a_set_up_opened_while_a_trial_runs_leaves_it_alone(
    qtbot: QtBot, tmp_path: Path, add_model: Path, tail_model: Path
) -> None:
    with running_explorer(qtbot, tmp_path, add_model) as session:
        window = session.explorer.window
        path = str(tmp_path / "setup.json")
        window.setups.save_as(path)
        window.open_model(str(tail_model))
        session.wait_until_ready()
        choices = window.trial_panel.choices()
        window.trial_panel.show_choices(replace(choices, run=choices.run.with_stop_rule(StopRule(seconds=3600))))
        trial = session.start_trial()
        wait_for_samples(session, 100)
        before = len(trial.series)
        window.setups.open_path(path)
        wait_for_samples(session, before + 1000)
        assert trial.is_running
        assert trial.settings.model_path == str(tail_model)
        assert session.state.model is not None
        assert session.state.model.path == str(add_model)
        window.actions_.stop.trigger()
        session.wait_for_end(trial)
        assert trial.failure is None
        assert window.trial_panel.problem() is None
        assert session.run_trial().settings.model_path == str(add_model)


def test_that_the_window_opens_with_a_set_up(qtbot: QtBot, tmp_path: Path, add_model: Path) -> None:
    with running_explorer(qtbot, tmp_path, add_model) as session:
        path = tmp_path / "setup.json"
        choices = session.explorer.window.trial_panel.choices()
        session.explorer.window.trial_panel.show_choices(
            replace(choices, run=replace(choices.run, iterations=33).with_stop_rule(StopRule(iterations=33)))
        )
        session.explorer.window.setups.save_as(str(path))
    with running_explorer(qtbot, tmp_path / "other", path) as session:
        assert session.state.model is not None
        assert session.state.model.path == str(add_model)
        assert not session.explorer.window.trial_panel.setup_bar.isVisible()
        trial = session.run_trial()
        assert trial.settings.stop_rule == StopRule(iterations=33)


def test_that_dismissing_hides_the_bar(idle: Idle, tmp_path: Path) -> None:
    bar = idle.window.trial_panel.setup_bar
    assert not bar.isVisible()
    idle.window.setups.open_path(saved(tmp_path, setup_in(tmp_path)))
    assert bar.isVisible()
    idle.qtbot.mouseClick(child(bar, QToolButton, "Dismiss"), Qt.MouseButton.LeftButton)
    assert not bar.isVisible()
