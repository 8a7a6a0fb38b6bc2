"""The real window, comparing the CPU with itself again and again until it is killed; `kills.py` starts it.

    python -m tests.benchmarks.killed_window FOLDER

Settings and store lie in the folder. Three cells, three rounds, a tenth of a second each. On stdout, a line each:

- `engine PROCESS` for each engine that has greeted
- `running COMPARISON` as a comparison begins
- `measured TRIAL` when a trial has ended with all that was planned, whatever is shown of it
- `finished TRIAL SAMPLES` when a table of the window says that it is finished: looked at after each signal that could
  have changed one, before anything is painted
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QTableView

from gui.app import Explorer
from gui.comparison_run import ComparisonRun
from gui.models.comparison_table import OUTCOME, ComparisonRow
from gui.models.table import ROW_ROLE
from gui.records.comparison import ComparisonCell, ComparisonPlan
from gui.records.result import Outcome
from gui.records.trial import StopRule, Target, TrialSettings
from gui.settings import Settings
from gui.state import EngineStatus
from gui.trial_run import TrialRun

from ..models.makers import column_named
from .harness import MODELS

ROUNDS = 3
CELLS = 3
_SECONDS = 0.3
_TABLES = ("Trials of this sitting", "Rows of the comparison")


class Comparer(QObject):
    """Runs one comparison after the other, and tells what the window shows."""

    def __init__(self, explorer: Explorer) -> None:
        super().__init__()
        self._explorer = explorer
        self._told: set[tuple[str, str]] = set()
        self._has_begun = False
        state, keeper = explorer.state, explorer.comparer
        state.engine_changed.connect(self._on_engine)
        state.devices_changed.connect(self._begin)
        state.trial_changed.connect(self._on_trial)
        state.comparison_changed.connect(self._look)
        keeper.ended.connect(self._on_ended)

    def _on_engine(self) -> None:
        state = self._explorer.state
        if state.engine_status is EngineStatus.READY and state.greeting is not None:
            self._tell("engine", str(state.greeting.process_id))
        self._begin()

    def _begin(self) -> None:
        state = self._explorer.state
        if not self._has_begun and state.engine_status is EngineStatus.READY and state.devices:
            self._has_begun = True
            self._run_soon()

    def _on_ended(self, _comparison: ComparisonRun) -> None:
        self._run_soon()

    def _run_soon(self) -> None:
        QTimer.singleShot(0, self, self._run)

    def _run(self) -> None:
        settings = TrialSettings(
            model_path=str(MODELS / "tiny_mlp.onnx"),
            target=Target(device_keys=(self._explorer.state.devices[0].key,)),
            stop_rule=StopRule(seconds=_SECONDS),
        )
        cells = tuple(
            ComparisonCell(label=f"CPU {number}", target_text="CPU", settings=settings)
            for number in range(1, CELLS + 1)
        )
        plan = ComparisonPlan(cells=cells, rounds=ROUNDS)
        self._explorer.comparer.run(plan)
        self._tell("running", plan.id)

    def _on_trial(self, trial: TrialRun) -> None:
        if trial.outcome is Outcome.FINISHED:
            self._tell("measured", trial.id)
        self._look()

    def _look(self) -> None:
        """Tell of those rows of the window's tables that say “finished” now."""
        for view in self._explorer.window.findChildren(QTableView):
            if view.accessibleName() in _TABLES:
                self._look_at(view)

    def _look_at(self, view: QTableView) -> None:
        model = view.model()
        for number in range(model.rowCount()):
            row = model.index(number, 0).data(ROW_ROLE)
            column = OUTCOME if isinstance(row, ComparisonRow) else column_named(model, "Outcome")
            trial = row.trial if isinstance(row, ComparisonRow) else row
            if model.index(number, column).data() == "finished":
                self._tell("finished", f"{trial.id} {len(trial.series)}")

    def _tell(self, what: str, of: str) -> None:
        if (what, of) not in self._told:
            self._told.add((what, of))
            os.write(1, f"{what} {of}\n".encode())  # at once: no buffer is lost with the process


def main() -> int:
    """Run until killed."""
    application = QApplication(sys.argv[:1])
    application.setApplicationName("ort-device-explorer")
    ini = Path(sys.argv[1]) / "settings.ini"
    explorer = Explorer(Settings(QSettings(str(ini), QSettings.Format.IniFormat)))
    comparer = Comparer(explorer)
    explorer.start()
    code = application.exec()
    comparer.deleteLater()
    return code


if __name__ == "__main__":
    sys.exit(main())
