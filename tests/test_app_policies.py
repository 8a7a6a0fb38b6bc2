"""The policy explainer in the whole application: opened, run, and one of the policies run from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QTableView
from pytestqt.qtbot import QtBot

from gui.dialogs.policies import PoliciesDialog
from gui.records.library import CPU_EP_NAME
from gui.records.result import Outcome
from gui.records.trial import Policy, Target

from .conftest import ORT_VERSION, DoubleFactory
from .explorer import Session, running_explorer
from .finding import child, click_row, rows_of, wait_until_gone
from .keepers import TIMEOUT_MS

pytestmark = pytest.mark.skipif(ORT_VERSION < (1, 24), reason="GPU doubles need onnxruntime 1.24")


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path, add_model: Path) -> Iterator[Session]:
    with running_explorer(qtbot, tmp_path, add_model) as session:
        yield session


def opened(session: Session) -> PoliciesDialog:
    """Open the dialog from the menu's action."""
    session.explorer.window.actions_.explain_policies.trigger()
    dialog = session.explorer.window.findChild(PoliciesDialog)
    assert dialog is not None
    return dialog


def wait_until_idle(session: Session) -> None:
    session.qtbot.waitUntil(lambda: not session.state.is_busy, timeout=TIMEOUT_MS)
    session.wait_until_ready()


def test_that_a_policy_run_from_the_dialog_uses_what_the_dialog_said(
    session: Session, double_library: DoubleFactory
) -> None:
    session.add("gpu", double_library("type=GPU,name=Fast"))
    dialog = opened(session)
    wait_until_idle(session)
    view = child(dialog, QTableView, "Policies")
    row = list(Policy).index(Policy.PREFER_GPU)
    assert rows_of(view.model())[row][2:4] == ["Fast (GPU, Double Hardware)", "ok"]
    click_row(session.qtbot, view, row)
    session.press(child(dialog, QPushButton, "Run this policy"))
    trial = session.state.running_trial
    assert trial is not None
    session.wait_for_end(trial)
    assert trial.settings.target == Target(policy=Policy.PREFER_GPU)
    assert trial.outcome is Outcome.FINISHED
    assert trial.facts.providers[0] == "Fast"
    assert session.explorer.window.trial_panel.target.policy is Policy.PREFER_GPU


def test_that_a_library_that_kills_engines_is_two_rows_and_the_application_goes_on(
    session: Session, double_library: DoubleFactory
) -> None:
    session.add("gpu", double_library("type=GPU,create=abort"))
    dialog = opened(session)
    wait_until_idle(session)
    rows = {row[0]: row for row in rows_of(child(dialog, QTableView, "Policies").model())}
    assert "died" in rows["PREFER_GPU"][3]
    assert "died" in rows["MAX_PERFORMANCE"][3]
    assert rows["DEFAULT"][2].startswith(CPU_EP_NAME)
    assert child(dialog, QPushButton, "Try again").isEnabled()


def test_that_the_stop_action_ends_it_and_closing_the_dialog_does_too(
    session: Session, double_library: DoubleFactory
) -> None:
    session.add("gpu", double_library("type=GPU,create=hang"))
    dialog = opened(session)
    assert session.explorer.window.actions_.stop.isEnabled()
    session.explorer.window.actions_.stop.trigger()
    wait_until_idle(session)
    assert rows_of(child(dialog, QTableView, "Policies").model())[-1][3] == "stopped"
    session.press(child(dialog, QPushButton, "Try again"))
    assert session.state.is_busy
    dialog.close()
    wait_until_gone(session.qtbot, dialog)
    wait_until_idle(session)


def test_that_there_is_one_dialog_which_comes_anew_after_it_was_closed(session: Session) -> None:
    first = opened(session)
    assert opened(session) is first
    wait_until_idle(session)
    session.qtbot.mouseClick(child(first, QPushButton, "Close"), Qt.MouseButton.LeftButton)
    wait_until_gone(session.qtbot, first)
    assert opened(session).isVisible()
    wait_until_idle(session)
