"""Trials handed over by the window: scripts, files, reports, charts, and back; the state is set by the test."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox, QTableView
from pytestqt.qtbot import QtBot

from gui.comparison_run import ComparisonRun, Phase
from gui.keeping import kept_trial_of
from gui.panels.setup_bar import SetupBar
from gui.panels.trial_pages import TrialPages
from gui.records.comparison_file import comparison_file_json, parse_comparison_file
from gui.records.device import with_keys
from gui.records.identity import new_id
from gui.records.kept_trial import KeptTrial
from gui.records.result import RESULT_FORMAT, Outcome
from gui.records.samples import SampleSeries
from gui.records.statistics import summarize
from gui.records.trial import Stage, Target, TrialFacts, TrialSettings
from gui.records.trial_file import parse_trial_file, trial_file_json
from gui.records.trial_report import trial_markdown
from gui.state import EngineStatus
from gui.trial_run import TrialRun

from .finding import child, rows_of, shown_texts
from .keepers import TIMEOUT_MS
from .models.makers import device, trial
from .records.compared_trials import THREE
from .records.examples import GREETING
from .records.test_trial_file import KEPT
from .test_main_window import drop, mime_of
from .window import Idle, idle_window

(CPU,) = with_keys([device("", ep_name="CPUExecutionProvider")])
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def idle(qtbot: QtBot, tmp_path: Path) -> Iterator[Idle]:
    """A window whose engine has greeted, with the folder of trials in `tmp_path`."""
    with idle_window(qtbot, tmp_path / "settings.ini") as idle:
        idle.state.set_engine(EngineStatus.READY, GREETING)
        idle.state.set_devices((CPU,))
        idle.settings.trial_folder = str(tmp_path)
        QGuiApplication.clipboard().clear()
        yield idle
        QGuiApplication.clipboard().clear()


def ended(number: int, *samples_ns: int) -> TrialRun:
    """A trial that has finished on the CPU."""
    settings = TrialSettings(model_path="/models/net.onnx", target=Target(device_keys=(CPU.key,)))
    run = trial(
        number, *samples_ns, settings=settings, environment=GREETING, reachable=(CPU,), outcome=Outcome.FINISHED
    )
    run.devices = (CPU,)
    run.facts = TrialFacts(stage=Stage.CHECKING, wanted_eps=("CPUExecutionProvider",))
    run.exact = summarize(run.series.values)
    return run


def added(idle: Idle, *samples_ns: int) -> TrialRun:
    run = ended(1 + len(idle.state.trials), *samples_ns)
    idle.state.add_trial(run)
    return run


def wait_for_notice(idle: Idle, words: str) -> None:
    idle.qtbot.waitUntil(lambda: words in idle.window.status.currentMessage(), timeout=TIMEOUT_MS)


def trial_file(folder: Path, kept: KeptTrial = KEPT, name: str = "trial.json") -> Path:
    path = folder / name
    path.write_bytes(trial_file_json(kept).encode("utf-8", "surrogateescape"))
    return path


def opened(idle: Idle, path: Path) -> TrialRun:
    """Open a file and return the trial that came of it."""
    before = len(idle.state.trials)
    idle.window.handover.open_path(str(path))
    idle.qtbot.waitUntil(lambda: len(idle.state.trials) > before, timeout=TIMEOUT_MS)
    return idle.state.trials[-1]


def message(idle: Idle) -> QMessageBox:
    """The box that tells of a failure, once it is there; it is closed with the test."""
    idle.qtbot.waitUntil(lambda: bool(idle.window.findChildren(QMessageBox)), timeout=TIMEOUT_MS)
    (box,) = idle.window.findChildren(QMessageBox)
    assert box.isVisible()
    return box


def dialog(idle: Idle) -> QFileDialog:
    (found,) = idle.window.findChildren(QFileDialog)
    return found


# ---- When ----


def test_that_a_trial_is_offered_once_it_has_ended_and_its_numbers_are_exact(idle: Idle) -> None:
    actions = idle.window.actions_.of_a_trial
    run = ended(1, 5, 6, 7)
    run.outcome, run.exact = Outcome.RUNNING, None
    idle.state.add_trial(run)
    assert not any(action.isEnabled() for action in actions)
    run.outcome = Outcome.FINISHED
    idle.state.trial_changed.emit(run)  # millions of samples: the statistics are still computed
    assert not any(action.isEnabled() for action in actions)
    run.exact = summarize(run.series.values)
    idle.state.trial_changed.emit(run)
    assert all(action.isEnabled() for action in actions)
    idle.state.remove_trials((run,))
    assert not any(action.isEnabled() for action in actions)
    assert idle.window.actions_.open_trial.isEnabled()


def test_that_the_list_of_trials_offers_all_of_it(idle: Idle) -> None:
    view = child(idle.window.latency_panel, QTableView, "Trials of this sitting")
    actions = idle.window.actions_
    assert {*actions.of_a_trial, actions.open_trial} <= set(view.actions())
    (plot, _other) = idle.window.latency_panel.charts.plots
    assert actions.save_chart in plot.actions()


# ---- A script ----


def test_that_the_script_of_a_trial_without_inputs_is_refused_in_a_sentence(idle: Idle) -> None:
    run = added(idle, 5, 6)
    run.facts = TrialFacts()
    idle.window.actions_.copy_script.trigger()
    box = message(idle)
    assert box.text() == "There is no script of this trial."
    assert box.informativeText() == "The trial ended before its inputs were made, so what they were is not known."
    assert QGuiApplication.clipboard().text() == ""


def test_that_the_script_is_copied_and_saved(idle: Idle, tmp_path: Path) -> None:
    added(idle, 5, 6)
    idle.window.actions_.copy_script.trigger()
    text = QGuiApplication.clipboard().text()
    compile(text, "script.py", "exec")
    assert "import onnxruntime" in text
    assert "on the clipboard" in idle.window.status.currentMessage()
    idle.window.actions_.save_script.trigger()
    found = dialog(idle)
    assert Path(found.selectedFiles()[0]).name.startswith("net_CPUExecutionProvider_")
    found.fileSelected.emit(str(tmp_path / "again.py"))
    wait_for_notice(idle, "Saved: ")
    assert (tmp_path / "again.py").read_text(encoding="utf-8") == text


# ---- Saved, exported, copied ----


def test_that_a_trial_is_saved_whole_and_the_folder_remembered(idle: Idle, tmp_path: Path) -> None:
    run = added(idle, 5, 6, 7)
    folder = tmp_path / "handed over"
    folder.mkdir()
    idle.window.actions_.save_trial.trigger()
    found = dialog(idle)
    assert Path(found.selectedFiles()[0]).name == f"net_CPUExecutionProvider_{run.created[:10]}.json"
    found.fileSelected.emit(str(folder / "it.json"))
    wait_for_notice(idle, f"Saved: {folder / 'it.json'}")
    assert parse_trial_file((folder / "it.json").read_bytes()) == kept_trial_of(run)
    assert idle.settings.trial_folder == str(folder)


@pytest.mark.parametrize("ending", ["html", "md", "csv", "json", "svg"])
def test_that_the_ending_says_what_is_exported(idle: Idle, tmp_path: Path, ending: str) -> None:
    run = added(idle, 5, 6, 7)
    path = tmp_path / f"it.{ending}"
    idle.window.handover.export_as((run,), str(path))
    wait_for_notice(idle, "Saved: ")
    heads = {"html": "<!DOCTYPE html>", "md": "# net on", "csv": "index,stage", "json": "{", "svg": "<svg"}
    assert path.read_text(encoding="utf-8").startswith(heads[ending])


def test_that_summaries_are_those_of_the_trials_selected(idle: Idle, tmp_path: Path) -> None:
    runs = [added(idle, 10 * number, 10 * number + 1) for number in (1, 2, 3)]
    view = child(idle.window.latency_panel, QTableView, "Trials of this sitting")
    view.selectRow(0)
    for row, modifier in ((0, Qt.KeyboardModifier.NoModifier), (2, Qt.KeyboardModifier.ControlModifier)):
        idle.qtbot.mouseClick(view.viewport(), LEFT, modifier, view.visualRect(view.model().index(row, 1)).center())
    idle.window.actions_.export_trial.trigger()
    dialog(idle).fileSelected.emit(str(tmp_path / "all.summary.csv"))
    wait_for_notice(idle, "Saved: ")
    with (tmp_path / "all.summary.csv").open(encoding="utf-8", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [runs[0].id, runs[2].id]


def test_that_an_ending_that_says_nothing_is_refused(idle: Idle, tmp_path: Path) -> None:
    idle.window.handover.export_as((added(idle, 5),), str(tmp_path / "it.docx"))
    assert "it.docx" in message(idle).text()
    assert not (tmp_path / "it.docx").exists()


def test_that_a_place_that_cannot_be_written_is_told(idle: Idle, tmp_path: Path) -> None:
    idle.window.handover.export_as((added(idle, 5),), str(tmp_path / "nowhere" / "it.csv"))
    box = message(idle)
    assert box.text().endswith("cannot be written.")
    assert box.detailedText() != ""


def test_that_the_report_is_copied_as_markdown(idle: Idle) -> None:
    run = added(idle, 5, 6, 7)
    idle.window.actions_.copy_trial_report.trigger()
    assert QGuiApplication.clipboard().text() == trial_markdown(kept_trial_of(run))


def test_that_the_charts_are_saved_as_they_are_seen_also_from_another_tab(idle: Idle, tmp_path: Path) -> None:
    run = added(idle, *range(1000, 1300))
    idle.window.findChildren(TrialPages)[0].setCurrentIndex(3)
    idle.window.actions_.save_chart.trigger()
    dialog(idle).fileSelected.emit(str(tmp_path / "it.png"))
    wait_for_notice(idle, "Saved: ")
    image = QImage(str(tmp_path / "it.png"))
    charts = idle.window.latency_panel.charts
    assert image.width() > 2 * charts.width()
    colors = {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
    assert len(colors) > 10
    idle.window.handover.save_chart_as(run, str(tmp_path / "it.svg"))
    wait_for_notice(idle, "it.svg")
    assert (tmp_path / "it.svg").read_text(encoding="utf-8").startswith("<svg ")


# ---- Opened ----


def test_that_an_opened_trial_stands_in_the_list_with_a_mark_and_its_machine(idle: Idle, tmp_path: Path) -> None:
    added(idle, 5, 6)
    run = opened(idle, trial_file(tmp_path))
    assert idle.state.current_trial is run
    assert run.number == 2
    view = child(idle.window.latency_panel, QTableView, "Trials of this sitting")
    assert [row[0] for row in rows_of(view.model())] == ["1", "2 (file)"]
    tip = view.model().index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "from trial.json" in tip
    assert "Some CPU, Linux" in tip
    assert any("from trial.json, Some CPU, Linux" in text for text in shown_texts(idle.window.latency_panel))
    assert kept_trial_of(run).samples.tolist() == KEPT.samples.tolist()
    assert idle.settings.trial_folder == str(tmp_path)


def test_that_every_tab_of_an_opened_trial_can_be_seen(idle: Idle, tmp_path: Path) -> None:
    opened(idle, trial_file(tmp_path))
    (pages,) = idle.window.findChildren(TrialPages)
    seen = []
    for number in range(pages.count()):
        pages.setCurrentIndex(number)
        seen.append(shown_texts(idle.window.latency_panel))
    assert len(seen) == 6
    assert len({tuple(texts) for texts in seen}) == 6


def test_that_the_same_trial_opened_again_is_shown_and_not_listed_twice(idle: Idle, tmp_path: Path) -> None:
    run = added(idle, 5, 6)
    path = trial_file(tmp_path, kept_trial_of(run))
    added(idle, 7, 8)
    idle.window.handover.open_path(str(path))
    wait_for_notice(idle, "in the list already, as #1")
    assert idle.state.current_trial is run
    assert len(idle.state.trials) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (trial_file_json(KEPT)[:-200], "it is not JSON"),
        (json.dumps({"format": f"{RESULT_FORMAT[:-1]}2"}), "made by a newer version"),
        (json.dumps({"format": "ort-device-explorer set-up 1"}), "is a set-up, not a trial"),
        (json.dumps({"format": RESULT_FORMAT, "samples_ns": [], "warmup_ns": []}), "damaged"),
    ],
    ids=["cut", "newer", "set-up", "damaged"],
)
def test_that_a_file_that_cannot_be_opened_is_told_in_words(idle: Idle, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text, encoding="utf-8")
    idle.window.handover.open_path(str(path))
    box = message(idle)
    assert words in box.text()
    assert box.informativeText() != ""
    assert box.text() == idle.window.status.currentMessage()
    assert idle.state.trials == ()


def test_that_a_file_that_is_not_there_is_told(idle: Idle, tmp_path: Path) -> None:
    idle.window.handover.open_path(str(tmp_path / "gone.json"))
    assert message(idle).text().startswith("gone.json cannot be read: ")


def test_that_only_trials_are_taken_for_trials(idle: Idle, tmp_path: Path) -> None:
    is_trial = idle.window.handover.is_trial
    path = trial_file(tmp_path)
    assert is_trial(str(path))
    assert not is_trial(str(path.rename(tmp_path / "trial.txt")))
    assert not is_trial(str(tmp_path / "gone.json"))
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"note": f'"format": "{RESULT_FORMAT}"'}), encoding="utf-8")
    assert not is_trial(str(other))


def test_that_dropped_trials_are_opened_beside_each_other(idle: Idle, tmp_path: Path) -> None:
    other = replace(KEPT, id="00000000-0000-4000-8000-000000000000", samples=np.array([1, 2], np.int64))
    paths = (trial_file(tmp_path), trial_file(tmp_path, other, "other.json"))
    assert drop(idle.window, mime_of(*paths)).isAccepted()
    idle.qtbot.waitUntil(lambda: len(idle.state.trials) == 2, timeout=TIMEOUT_MS)
    assert {run.id for run in idle.state.trials} == {KEPT.id, other.id}
    assert sorted(run.number for run in idle.state.trials) == [1, 2]


def test_that_an_opened_trial_does_not_disturb_one_that_runs(idle: Idle, tmp_path: Path) -> None:
    running = trial(1, 5)
    idle.state.add_trial(running)
    opened(idle, trial_file(tmp_path))
    assert idle.state.running_trial is running
    assert running.series.values.tolist() == [5]


# ---- Its set-up ----


def test_that_the_set_up_of_an_opened_trial_is_used(idle: Idle, tmp_path: Path) -> None:
    settings = TrialSettings(model_path=str(tmp_path / "net.onnx"), target=Target(device_keys=(CPU.key,)), warmup=77)
    opened(idle, trial_file(tmp_path, replace(KEPT, settings=settings, devices=(CPU,), libraries=())))
    idle.window.actions_.use_setup.trigger()
    assert idle.state.model is not None
    assert idle.state.model.path == str(tmp_path / "net.onnx")
    assert idle.window.trial_panel.choices().run.warmup == 77


def test_that_what_the_set_up_of_an_opened_trial_misses_here_is_told(idle: Idle, tmp_path: Path) -> None:
    opened(idle, trial_file(tmp_path))
    idle.window.actions_.use_setup.trigger()
    (bar,) = idle.window.findChildren(SetupBar)
    idle.qtbot.waitUntil(lambda: any("/m.onnx" in text for text in shown_texts(bar)), timeout=TIMEOUT_MS)


# ---- Many samples ----


def test_that_a_million_samples_are_saved_and_opened_exactly(idle: Idle, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(1, 1 << 40, 1_000_000)
    run = ended(1, 5)
    run.series = SampleSeries()
    run.series.append(samples)
    run.exact = summarize(samples)
    idle.state.add_trial(run)
    idle.window.handover.export_as((run,), str(tmp_path / "many.json"))
    idle.qtbot.waitUntil((tmp_path / "many.json").exists, timeout=TIMEOUT_MS)
    wait_for_notice(idle, "Saved: ")
    idle.state.remove_trials((run,))
    back = opened(idle, tmp_path / "many.json")
    assert np.array_equal(back.series.values, samples)
    assert back.exact == run.exact


# ---- Comparisons ----


def comparison_file(folder: Path, *trials: KeptTrial, baseline: int | None = None) -> Path:
    path = folder / "comparison.json"
    path.write_text(comparison_file_json(trials, baseline, ("It was noisy.",)), encoding="utf-8")
    return path


def open_comparison(idle: Idle, path: Path) -> tuple[tuple[TrialRun, ...], TrialRun | None]:
    """Open a file and return the trials that are to be compared, and the baseline."""
    assert idle.window.handover.is_trial(str(path))
    with idle.qtbot.waitSignal(idle.window.handover.comparison_opened, timeout=TIMEOUT_MS) as caught:
        idle.window.handover.open_path(str(path))
    trials, baseline, notes = caught.args
    assert notes == ("It was noisy.",)
    return trials, baseline


def test_that_a_comparison_that_is_opened_lists_its_trials_and_has_them_compared(idle: Idle, tmp_path: Path) -> None:
    trials, baseline = open_comparison(idle, comparison_file(tmp_path, *THREE, baseline=1))
    assert idle.state.trials == trials
    assert [kept_trial_of(run) for run in trials] == list(THREE)
    assert baseline is trials[1]
    comparison = idle.state.comparison
    assert comparison is not None
    assert comparison.notes == ("It was noisy.",)


def test_that_trials_of_a_comparison_that_are_listed_are_not_listed_twice(idle: Idle, tmp_path: Path) -> None:
    first = opened(idle, trial_file(tmp_path, THREE[1]))
    trials, baseline = open_comparison(idle, comparison_file(tmp_path, *THREE))
    assert trials[1] is first
    assert len(idle.state.trials) == len(THREE)
    assert baseline is trials[0]


def test_that_a_damaged_comparison_is_told_and_nothing_is_listed(idle: Idle, tmp_path: Path) -> None:
    path = comparison_file(tmp_path, *THREE)
    path.write_text(path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    idle.window.handover.open_path(str(path))
    assert "comparison.json is not a comparison: it is not JSON" in message(idle).text()
    assert idle.state.trials == ()


def test_that_the_comparison_that_is_shown_is_written_as_its_ending_says(idle: Idle, tmp_path: Path) -> None:
    handover = idle.window.handover
    with idle.qtbot.waitSignal(handover.comparison_offered, check_params_cb=bool):
        open_comparison(idle, comparison_file(tmp_path, *THREE, baseline=1))
    run = idle.state.comparison
    assert run is not None
    assert [trial.id for trial in run.runs] == [kept.id for kept in THREE]
    handover.export_comparison_as(run, str(tmp_path / "chart.png"))
    wait_for_notice(idle, "chart.png")
    assert QImage(str(tmp_path / "chart.png")).width() > 100
    for name in ("again.json", "r.md"):
        handover.export_comparison_as(run, str(tmp_path / name))
        wait_for_notice(idle, name)
    again = parse_comparison_file((tmp_path / "again.json").read_bytes())
    assert (again.trials, again.baseline) == (THREE, 1)
    handover.copy_comparison_report()
    report = QGuiApplication.clipboard().text()
    assert report == (tmp_path / "r.md").read_text(encoding="utf-8")
    assert report.startswith("# net: comparison of 3")


def test_that_a_comparison_under_way_is_not_handed_over(idle: Idle) -> None:
    run = ComparisonRun(id=new_id(), runs=(added(idle, 5, 6, 7),), phase=Phase.MEASURING)
    idle.state.show_comparison(run)
    idle.window.handover.copy_comparison_report()
    assert QGuiApplication.clipboard().text() == ""
    idle.window.handover.save_comparison()
    assert not idle.window.findChildren(QFileDialog)
