"""The device report from the window: saved, copied, compared; the state is set by the test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMessageBox, QTableView
from pytestqt.qtbot import QtBot

from gui.dialogs.compare_reports import CompareReportsDialog
from gui.records.codec import to_json
from gui.records.library import LibraryState
from gui.records.report import DeviceReport
from gui.records.report_file import read_report
from gui.records.report_markdown import report_markdown
from gui.records.result import RESULT_FORMAT
from gui.state import EngineStatus

from .finding import child, rows_of, wait_until_gone
from .models.makers import device, gpu, library, told
from .records.examples import GREETING
from .test_main_window import drop, mime_of
from .window import Idle, idle_window

CPU = device("cpu", ep_name="CPUExecutionProvider")
LIBRARY = library("fast", LibraryState.LOADED, device_keys=("gpu",))


@pytest.fixture
def idle(qtbot: QtBot, tmp_path: Path) -> Iterator[Idle]:
    """A window whose engine has just greeted and told of a device."""
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        idle.state.set_engine(EngineStatus.READY, GREETING)
        idle.state.set_libraries((LIBRARY,))
        idle.state.set_devices((CPU,))
        idle.state.set_hardware((gpu(),))
        idle.state.set_incompatibilities("fast", (told(gpu(), "no driver", library="fast"),))
        QGuiApplication.clipboard().clear()
        yield idle
        QGuiApplication.clipboard().clear()


@pytest.fixture
def silent(qtbot: QtBot, tmp_path: Path) -> Iterator[Idle]:
    """A window whose engine has not said anything yet."""
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        QGuiApplication.clipboard().clear()
        yield idle


def current(idle: Idle) -> DeviceReport:
    report = idle.window.reports.current()
    assert report is not None
    return report


def message(idle: Idle) -> QMessageBox:
    """The message box that is open; there must be one."""
    (box,) = idle.window.findChildren(QMessageBox)
    assert box.isVisible()
    return box


def comparisons(idle: Idle) -> list[CompareReportsDialog]:
    return [dialog for dialog in idle.window.findChildren(CompareReportsDialog) if dialog.isVisible()]


def changes(dialog: CompareReportsDialog) -> list[list[str]]:
    """What the table of changes shows."""
    return rows_of(child(dialog, QTableView, "Changes").model())


def undated(text: str) -> list[str]:
    """The lines of a report without the one that says when it was made."""
    lines = text.splitlines()
    kept = [line for line in lines if not line.startswith("Created: ")]
    assert len(kept) == len(lines) - 1
    return kept


def saved(idle: Idle, folder: Path) -> Path:
    """A report of what the window shows now."""
    path = folder / "before.json"
    idle.window.reports.save_as(str(path))
    assert path.is_file()
    return path


# ---- What is in it ----


def test_that_the_report_holds_all_that_the_window_shows(idle: Idle) -> None:
    report = current(idle)
    assert report == DeviceReport(
        created=report.created,
        environment=GREETING,
        libraries=(LIBRARY,),
        devices=(CPU,),
        hardware=(gpu(),),
        incompatibilities=(told(gpu(), "no driver", library="fast"),),
    )
    assert report.created.endswith("+00:00")


# ---- Save ----


def test_that_a_report_saved_as_json_is_read_as_it_was(idle: Idle, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    idle.window.reports.save_as(str(path))
    assert read_report(path.read_bytes(), path.name) == replace(
        current(idle), created=json.loads(path.read_text(encoding="utf-8"))["created"]
    )
    assert idle.window.status.currentMessage() == f"The device report is saved: {path}"
    assert idle.settings.report_folder == str(tmp_path)


@pytest.mark.parametrize("name", ["report.md", "REPORT.MD", "report.markdown"])
def test_that_a_report_saved_under_a_name_of_markdown_is_markdown(idle: Idle, tmp_path: Path, name: str) -> None:
    idle.window.reports.save_as(str(tmp_path / name))
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "CPUExecutionProvider" in text


def test_that_a_report_takes_the_place_of_an_older_one(idle: Idle, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old", encoding="utf-8")
    idle.window.reports.save_as(str(path))
    assert read_report(path.read_bytes(), path.name).devices == (CPU,)
    assert [entry.name for entry in tmp_path.glob("report*")] == ["report.json"]


def test_that_a_library_whose_path_is_no_utf_8_does_not_hinder_the_report(idle: Idle, tmp_path: Path) -> None:
    idle.state.set_libraries((replace(LIBRARY, path="/a b/ä/\udcff.so"),))
    for name in ("report.json", "report.md"):
        idle.window.reports.save_as(str(tmp_path / name))
        assert (tmp_path / name).stat().st_size > 0
    again = read_report((tmp_path / "report.json").read_bytes(), "report.json")
    assert again.libraries[0].path == "/a b/ä/\udcff.so"


@pytest.mark.parametrize("name", ["gone/report.json", "folder"])
def test_that_a_report_that_cannot_be_written_says_so(idle: Idle, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    idle.window.reports.save_as(str(path))
    box = message(idle)
    assert box.text() == f"{path} cannot be written."
    assert box.informativeText() == "Choose another folder."
    assert box.detailedText()  # the system's own words
    assert idle.window.status.currentMessage() == box.text()
    assert idle.settings.report_folder == ""
    box.accept()
    wait_until_gone(idle.qtbot, box)


def test_that_a_report_is_saved_where_a_file_dialog_says(idle: Idle, tmp_path: Path) -> None:
    idle.settings.report_folder = str(tmp_path)
    idle.window.actions_.save_report.trigger()
    (dialog,) = idle.window.findChildren(QFileDialog)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    assert Path(dialog.directory().path()) == tmp_path
    proposed = Path(dialog.selectedFiles()[0]).name
    assert proposed.startswith("devices-")
    assert proposed.endswith(".json")
    child(dialog, QLineEdit, "File name:").setText("mine")
    dialog.accept()
    wait_until_gone(idle.qtbot, dialog)
    assert read_report((tmp_path / "mine.json").read_bytes(), "mine.json").environment == GREETING


def test_that_the_kind_chosen_in_the_file_dialog_is_the_kind_that_is_saved(idle: Idle, tmp_path: Path) -> None:
    idle.settings.report_folder = str(tmp_path)
    idle.window.actions_.save_report.trigger()
    (dialog,) = idle.window.findChildren(QFileDialog)
    _json, markdown = dialog.nameFilters()
    dialog.selectNameFilter(markdown)
    dialog.filterSelected.emit(markdown)  # as when it is chosen by hand
    child(dialog, QLineEdit, "File name:").setText("mine")
    dialog.accept()
    wait_until_gone(idle.qtbot, dialog)
    assert (tmp_path / "mine.md").read_text(encoding="utf-8").startswith("# ")


# ---- Copy ----


def test_that_the_report_is_copied_as_markdown(idle: Idle) -> None:
    idle.window.actions_.copy_report.trigger()
    assert undated(QGuiApplication.clipboard().text()) == undated(report_markdown(current(idle)))
    assert "clipboard" in idle.window.status.currentMessage()


# ---- Compare ----


def test_that_a_saved_report_is_compared_with_what_is_there_now(idle: Idle, tmp_path: Path) -> None:
    path = saved(idle, tmp_path)
    idle.settings.report_folder = ""
    idle.state.set_devices((CPU, device("gpu", ep_name="Fast", library="fast")))
    idle.window.reports.compare_with(str(path))
    (dialog,) = comparisons(idle)
    assert not dialog.isModal()
    assert dialog.windowTitle() == "Changes since before.json"
    came = [row for row in changes(dialog) if row[:2] == ["came", "device"]]
    assert len(came) == 1
    assert "Fast" in came[0][2]
    assert idle.settings.report_folder == str(tmp_path)


def test_that_nothing_changed_is_said(idle: Idle, tmp_path: Path) -> None:
    idle.window.reports.compare_with(str(saved(idle, tmp_path)))
    (dialog,) = comparisons(idle)
    assert changes(dialog) == []


def test_that_two_reports_are_compared_beside_each_other(idle: Idle, tmp_path: Path) -> None:
    path = saved(idle, tmp_path)
    idle.window.reports.compare_with(str(path))
    idle.window.reports.compare_with(str(path))
    first, second = comparisons(idle)
    first.reject()
    wait_until_gone(idle.qtbot, first)
    assert comparisons(idle) == [second]


def test_that_a_report_to_compare_with_is_chosen_by_a_file_dialog(idle: Idle, tmp_path: Path) -> None:
    path = saved(idle, tmp_path)
    idle.window.actions_.compare_report.trigger()
    (dialog,) = idle.window.findChildren(QFileDialog)
    assert Path(dialog.directory().path()) == tmp_path
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFile
    child(dialog, QLineEdit, "File name:").setText(str(path))
    dialog.accept()
    wait_until_gone(idle.qtbot, dialog)
    assert len(comparisons(idle)) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it.json is not a device report: it is not JSON."),
        (b"\x00\xff", "it.json is not text in UTF-8."),
        (b"[1]", "it.json is not a device report."),
        (json.dumps({"format": RESULT_FORMAT}).encode(), "it.json is the result of a trial, not a device report."),
        (
            b'{"format": "ort-device-explorer report 9"}',
            "it.json was made by a newer version of ORT Device Explorer.",
        ),
    ],
    ids=["empty", "bytes", "a list", "a result", "newer"],
)
def test_that_another_file_is_no_report_and_said_to_be_none(
    idle: Idle, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "it.json"
    path.write_bytes(content)
    idle.window.reports.compare_with(str(path))
    box = message(idle)
    assert box.text() == sentence
    assert box.informativeText()
    assert idle.window.status.currentMessage() == sentence
    assert comparisons(idle) == []
    assert idle.settings.report_folder == ""
    idle.wait_for_log(sentence)
    box.accept()
    wait_until_gone(idle.qtbot, box)


def test_that_the_details_of_a_damaged_report_are_behind_a_button(idle: Idle, tmp_path: Path) -> None:
    data = to_json(current(idle))
    del data["devices"]
    path = tmp_path / "it.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    idle.window.reports.compare_with(str(path))
    assert "but damaged" in message(idle).text()
    assert "devices" in message(idle).detailedText()


def test_that_markup_in_a_file_name_stays_text(idle: Idle, tmp_path: Path) -> None:
    path = tmp_path / "<b>it<br>.json"
    path.write_text("{}", encoding="utf-8")
    idle.window.reports.compare_with(str(path))
    box = message(idle)
    assert box.text() == "<b>it<br>.json is not a device report."
    assert box.textFormat() is Qt.TextFormat.PlainText


def test_that_a_report_that_cannot_be_read_says_why(idle: Idle, tmp_path: Path) -> None:
    idle.window.reports.compare_with(str(tmp_path / "gone.json"))
    assert message(idle).text() == "gone.json cannot be read: No such file or directory."


def test_that_a_folder_is_no_report(idle: Idle, tmp_path: Path) -> None:
    (tmp_path / "it.json").mkdir()
    idle.window.reports.compare_with(str(tmp_path / "it.json"))
    assert "it.json cannot be read" in message(idle).text()


def test_that_a_file_too_large_for_a_report_is_not_read(idle: Idle, tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    with path.open("wb") as file:
        file.truncate(65 << 20)  # of zeros, which take no room
    idle.window.reports.compare_with(str(path))
    assert "too large" in message(idle).text()


# ---- Before the first greeting ----


def test_that_nothing_happens_before_the_engine_has_said_what_it_is(silent: Idle, tmp_path: Path) -> None:
    reports, path = silent.window.reports, tmp_path / "report.json"
    reports.save_as(str(path))
    reports.copy()
    reports.compare_with(str(tmp_path / "gone.json"))
    assert reports.current() is None
    assert not path.exists()
    assert QGuiApplication.clipboard().text() == ""
    assert silent.window.findChildren(QMessageBox) == []
    assert comparisons(silent) == []


def test_that_reports_are_offered_from_the_first_greeting_on(silent: Idle) -> None:
    actions = silent.window.actions_
    offered = (actions.save_report, actions.copy_report, actions.compare_report)
    assert not any(action.isEnabled() for action in offered)
    silent.state.set_engine(EngineStatus.READY, GREETING)
    assert all(action.isEnabled() for action in offered)
    silent.state.set_engine(EngineStatus.STARTING)  # the next engine; what was known is still there
    assert all(action.isEnabled() for action in offered)


# ---- Drop ----


def test_that_a_dropped_report_is_compared_and_not_taken_for_a_model(idle: Idle, tmp_path: Path) -> None:
    path = saved(idle, tmp_path).rename(tmp_path / "Before.JSON")
    assert drop(idle.window, mime_of(path)).isAccepted()
    (dialog,) = comparisons(idle)
    assert dialog.windowTitle() == "Changes since Before.JSON"
    assert idle.state.model is None


def test_that_a_report_is_compared_beside_a_model_that_is_dropped_with_it(idle: Idle, tmp_path: Path) -> None:
    path = saved(idle, tmp_path)
    drop(idle.window, mime_of(path, tmp_path / "net.onnx"))
    assert len(comparisons(idle)) == 1
    assert idle.state.model is not None
    assert idle.state.model.path == str(tmp_path / "net.onnx")
