"""What ORT and the EPs said during one trial."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QVBoxLayout, QWidget

from ..models.texts import count_text
from ..models.trial_log_table import TrialLogFilterProxy, TrialLogTableModel, line_that_matters
from ..trial_run import TrialRun
from .log_panel import LogFilterBar
from .widgets import MutedLabel, TableView

_MESSAGE_COLUMN = 4


class TrialLogPage(QWidget):
    """The messages of a trial, opened at the line that matters; follows those that come while it runs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trial: TrialRun | None = None
        self._seen: tuple[int, bool] | None = None
        self._model = TrialLogTableModel(self)
        self._proxy = TrialLogFilterProxy(self)
        self._proxy.setSourceModel(self._model)
        self._view = TableView(self.tr("Log of the trial"), self)
        self._head = LogFilterBar(self._proxy, self._view, self)
        self._left_out = MutedLabel(parent=self)
        self._build()
        self.show_trial(None)

    def _build(self) -> None:
        self._view.setModel(self._proxy)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        header, metrics = self._view.horizontalHeader(), self._view.fontMetrics()
        for column, text in enumerate(("creating session", "00:00:00.000", "Warning___", "onnxruntime__")):
            header.resizeSection(column, metrics.horizontalAdvance(text) + 12)
        header.setSectionResizeMode(_MESSAGE_COLUMN, QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self._head)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._left_out)

    def show_trial(self, trial: TrialRun | None) -> None:
        """Show what was said during a trial so far; costs little when nothing more was."""
        is_other = trial is not self._trial
        seen = None if trial is None else (len(trial.log), trial.failure is not None)
        self._view.empty_hint = self._hint(trial)
        self._view.viewport().update()
        if not is_other and seen == self._seen:
            return
        has_failed = seen is not None and seen[1] and (self._seen is None or not self._seen[1])
        bar = self._view.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 1
        self._trial, self._seen = trial, seen
        self._model.show_lines(() if trial is None else trial.log.lines)
        left_out = 0 if trial is None else trial.log.left_out
        self._left_out.setVisible(left_out > 0)
        self._left_out.setText(self.tr("{0} messages in between were left out.").format(count_text(left_out)))
        if is_other or has_failed:
            self.show_what_matters()
        elif at_end:
            self._view.scrollToBottom()

    def show_what_matters(self) -> None:
        """Select and scroll to the line to look at first."""
        number = None if self._trial is None else line_that_matters(self._trial)
        if number is None:
            return
        index = self._proxy.mapFromSource(self._model.index(number, 0))
        if index.isValid():
            self._view.choose_row(index.row())
            self._view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _hint(self, trial: TrialRun | None) -> str:
        if trial is None:
            return self.tr("What ONNX Runtime and the EPs say during a trial is listed here.")
        if not len(trial.log):
            return self.tr("Nothing said yet.") if trial.is_running else self.tr("Nothing was said during this trial.")
        return self.tr("No message holds these words.")
