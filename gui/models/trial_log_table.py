"""The messages of one trial as a table, each with the stage it was said in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QCoreApplication, QModelIndex, QObject

from ..records.log import LogSeverity
from ..records.trial_log import TrialLogLine
from ..trial_run import TrialRun
from .log_table import LogFilterProxy, severity_text
from .table import Column, RecordTableModel


def _tr(text: str) -> str:
    return QCoreApplication.translate("TrialLogTable", text)


class TrialLogTableModel(RecordTableModel[TrialLogLine]):
    """One row a message."""

    def __init__(self, parent: QObject | None = None) -> None:
        columns = (
            Column[TrialLogLine](
                title=_tr("Stage"), text=lambda line: line.stage, header_tip=_tr("What the trial was about to do")
            ),
            Column[TrialLogLine](
                title=_tr("Time"),
                text=lambda line: datetime.fromtimestamp(line.record.time).strftime("%H:%M:%S.%f")[:-3],
                sort=lambda line: line.record.time,
            ),
            Column[TrialLogLine](
                title=_tr("Severity"),
                text=lambda line: severity_text(line.record.severity),
                sort=lambda line: int(line.record.severity),
            ),
            Column[TrialLogLine](title=_tr("Source"), text=lambda line: line.record.source),
            Column[TrialLogLine](title=_tr("Message"), text=lambda line: line.record.message),
        )
        super().__init__(columns, id, parent)

    def show_lines(self, lines: Sequence[TrialLogLine]) -> None:
        """Show these messages; those that came after the ones shown are added, so that what is selected stays."""
        shown = len(self._rows)
        grows = 0 < shown <= len(lines) and self._rows[0] is lines[0] and self._rows[-1] is lines[shown - 1]
        if not grows:
            self.beginResetModel()
            self._rows = list(lines)
            self.endResetModel()
        elif shown < len(lines):
            self.beginInsertRows(QModelIndex(), shown, len(lines) - 1)
            self._rows.extend(lines[shown:])
            self.endInsertRows()


class TrialLogFilterProxy(LogFilterProxy):
    """The same filter for the messages of a trial."""

    def severity_of(self, source_row: int) -> LogSeverity | None:
        """Return how severe the message of a row is."""
        model = self.sourceModel()
        return model.row(source_row).record.severity if isinstance(model, TrialLogTableModel) else None


def line_that_matters(trial: TrialRun) -> int | None:
    """Return the number of the message to look at first: of a failed trial the last error, else the last one."""
    lines = trial.log.lines
    if trial.failure is not None:
        for number in reversed(range(len(lines))):
            if lines[number].record.severity >= LogSeverity.ERROR:
                return number
    return len(lines) - 1 if lines else None
