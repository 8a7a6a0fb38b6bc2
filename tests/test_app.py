"""The whole application."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot
from gui.records.result import Outcome
from .explorer import running_explorer


def test_one(qtbot: QtBot, tmp_path: Path) -> None:
    with running_explorer(qtbot, tmp_path) as s:
        t = s.run_trial()
        assert t.outcome is Outcome.FINISHED
        print(s.measures())
