"""What the window does to explain the selection policies: shows the dialog, and runs the policy chosen there."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from .dialogs.policies import PoliciesDialog
from .panels.trial_panel import TrialPanel
from .policy_keeper import PolicyKeeper
from .records.trial import Policy
from .state import State


class Policies(QObject):
    """Shows the dialog and passes on what is wished there."""

    def __init__(self, window: QWidget, state: State, keeper: PolicyKeeper, panel: TrialPanel) -> None:
        super().__init__(window)
        self._window = window
        self._state = state
        self._keeper = keeper
        self._panel = panel
        self._dialog: PoliciesDialog | None = None

    def show(self) -> None:
        """Show the dialog and have the policies tried, or bring the one that is open to the front."""
        if self._dialog is not None:
            self._dialog.raise_()
            self._dialog.activateWindow()
            return
        dialog = self._dialog = PoliciesDialog(self._state, self._window)
        dialog.finished.connect(self._on_finished)
        dialog.explain_requested.connect(self._explain)
        dialog.stop_requested.connect(self._keeper.stop)
        dialog.run_requested.connect(self._run)
        self._keeper.asked.connect(dialog.show_asked)
        self._keeper.outcome_received.connect(dialog.add_outcome)
        self._keeper.ended.connect(dialog.end)
        dialog.show()
        dialog.start()

    def _explain(self, model_path: str) -> None:
        options = self._panel.policy_options()
        if self._dialog is not None:
            self._dialog.show_options(options)
        if not self._keeper.explain(model_path, options) and self._dialog is not None:
            self._dialog.refuse()

    def _run(self, policy: Policy) -> None:
        self._panel.target.choose(policy)
        problem = self._panel.problem()
        if problem is not None:
            self._state.post(problem)
        self._panel.request_run()

    def _on_finished(self) -> None:
        self._dialog = None
