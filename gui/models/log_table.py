"""The log as a bounded table, filtered by severity and text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import QCoreApplication, QModelIndex, QObject

from ..records.log import LogRecord, LogSeverity
from .table import Column, FilterProxy, Index, RecordTableModel

MAX_RECORDS: Final = 10_000


def _tr(text: str) -> str:
    return QCoreApplication.translate("LogTable", text)


def severity_text(severity: LogSeverity) -> str:
    """Return the severity as a word."""
    return {
        LogSeverity.VERBOSE: _tr("Verbose"),
        LogSeverity.INFO: _tr("Info"),
        LogSeverity.WARNING: _tr("Warning"),
        LogSeverity.ERROR: _tr("Error"),
        LogSeverity.FATAL: _tr("Fatal"),
    }[severity]


class LogTableModel(RecordTableModel[LogRecord]):
    """One row a message; the oldest go when there are more than `MAX_RECORDS`."""

    def __init__(self, parent: QObject | None = None) -> None:
        columns = (
            Column[LogRecord](
                title=_tr("Time"),
                text=lambda record: datetime.fromtimestamp(record.time).strftime("%H:%M:%S.%f")[:-3],
                sort=lambda record: record.time,
            ),
            Column[LogRecord](
                title=_tr("Severity"),
                text=lambda record: severity_text(record.severity),
                sort=lambda record: int(record.severity),
            ),
            Column[LogRecord](title=_tr("Source"), text=lambda record: record.source),
            Column[LogRecord](title=_tr("Message"), text=lambda record: record.message),
        )
        super().__init__(columns, id, parent)

    def clear(self) -> None:
        """Remove all records."""
        self.beginResetModel()
        self._rows.clear()
        self.endResetModel()

    def append(self, records: Sequence[LogRecord]) -> None:
        """Add records at the end."""
        records = records[-MAX_RECORDS:]
        if not records:
            return
        excess = len(self._rows) + len(records) - MAX_RECORDS
        if excess > 0:
            self.beginRemoveRows(QModelIndex(), 0, excess - 1)
            del self._rows[:excess]
            self.endRemoveRows()
        first = len(self._rows)
        self.beginInsertRows(QModelIndex(), first, first + len(records) - 1)
        self._rows.extend(records)
        self.endInsertRows()


class LogFilterProxy(FilterProxy):
    """Lets through what is at least as severe as asked, and holds the words of the filter."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._least = LogSeverity.VERBOSE

    def set_least_severity(self, severity: LogSeverity) -> None:
        """Leave out what is less severe."""
        if severity is not self._least:
            with self.filter_change():
                self._least = severity

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Qt's."""
        severity = self.severity_of(source_row)
        if severity is not None and severity < self._least:
            return False
        return super().filterAcceptsRow(source_row, source_parent)

    def severity_of(self, source_row: int) -> LogSeverity | None:
        """Return how severe the message of a row is; None for what is let through anyhow."""
        model = self.sourceModel()
        return model.row(source_row).severity if isinstance(model, LogTableModel) else None
