"""A trial's way out of one window and into another, with real engines behind both."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QTableView
from pytestqt.qtbot import QtBot

from gui.keeping import kept_trial_of
from gui.panels.trial_pages import TrialPages
from gui.records.kept_trial import KeptTrial
from gui.records.result import Outcome

from .clean_python import CleanPython
from .conftest import SAMPLE_MODELS, DoubleFactory
from .explorer import Session, running_explorer
from .finding import rows_of, shown_texts
from .keepers import TIMEOUT_MS

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"


def save(session: Session, path: Path) -> None:
    """Save the trial that is shown, through the menu."""
    window = session.explorer.window
    window.actions_.save_trial.trigger()
    (dialog,) = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(path))
    session.qtbot.waitUntil(lambda: window.status.currentMessage() == f"Saved: {path}", timeout=TIMEOUT_MS)


def tabs_of(session: Session) -> list[list[str]]:
    """What each tab of the trial shows; the remarks and the profile's invitation are this window's."""
    (pages,) = session.explorer.window.findChildren(TrialPages)
    found = []
    for number in (1, 2, 3, 5):
        pages.setCurrentIndex(number)
        page = pages.currentWidget()
        assert page is not None
        found.append([*shown_texts(page), *(str(rows_of(view.model())) for view in page.findChildren(QTableView))])
    assert all(found)
    return found


def test_that_a_trial_that_was_saved_is_the_same_in_a_fresh_window(
    qtbot: QtBot, tmp_path: Path, double_library: DoubleFactory, tail_model: Path
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    path = tmp_path / "handed over.json"
    with running_explorer(qtbot, tmp_path / "first", tail_model) as session:
        session.add("part", double_library("name=PartEp"))
        session.select_device_of("part")
        trial = session.run_trial()
        assert trial.outcome is Outcome.FINISHED, trial.failure
        before, measures, tabs = kept_trial_of(trial), session.measures(), tabs_of(session)
        save(session, path)
    with running_explorer(qtbot, tmp_path / "second", path) as session:
        qtbot.waitUntil(lambda: bool(session.state.trials), timeout=TIMEOUT_MS)
        (opened,) = session.state.trials
        assert session.state.current_trial is opened
        assert kept_trial_of(opened) == before
        assert (session.measures(), tabs_of(session)) == (measures, tabs)
        check_what_is_known(before)
        session.explorer.window.actions_.use_setup.trigger()
        qtbot.waitUntil(lambda: session.is_ready() and session.state.model is not None, timeout=TIMEOUT_MS)
        session.explorer.window.setups.load_wanted()
        qtbot.waitUntil(lambda: session.state.library("part") is not None and session.is_ready(), timeout=TIMEOUT_MS)
        again = session.run_trial()
        assert (again.number, again.is_opened) == (2, False)
        assert again.facts.placement == opened.facts.placement
        assert again.settings == opened.settings


def check_what_is_known(kept: KeptTrial) -> None:
    """A trial of the window tells where it ran as well as one of the command line."""
    assert kept.environment is not None
    assert [device.ep_name for device in kept.devices] == ["PartEp"]
    (library,) = kept.libraries
    assert library.check is not None
    assert len(library.check.sha256) == 64


def test_that_the_script_that_the_window_copies_runs_without_it(qtbot: QtBot, tmp_path: Path) -> None:
    with running_explorer(qtbot, tmp_path, TINY) as session:
        trial = session.run_trial()
        session.explorer.window.actions_.copy_script.trigger()
        text = QGuiApplication.clipboard().text()
    assert trial.facts.placement is not None
    (tmp_path / "clean").mkdir()
    done = CleanPython(tmp_path / "clean").run_script(text)
    assert (done.code, done.errors) == (0, "")
    assert "CPUExecutionProvider" in done.out
