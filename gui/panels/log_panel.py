"""The log: everything ORT, the EPs and the engine say."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..models.log_table import MAX_RECORDS, LogFilterProxy, LogTableModel, severity_text
from ..records.log import LogRecord, LogSeverity
from .widgets import TableView

_BATCH_MS = 100


class LogFilterBar(QWidget):
    """The head of a log: how severe its messages must be, what words they must hold, and *Copy all*."""

    def __init__(self, proxy: LogFilterProxy, view: TableView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._proxy = proxy
        self._view = view
        self._severity = QComboBox(self)
        self._filter = QLineEdit(self)
        for severity in LogSeverity:
            text = severity_text(severity)
            only = severity is LogSeverity.FATAL
            self._severity.addItem(text if only else self.tr("{0} and worse").format(text), severity)
        self._severity.setCurrentIndex(0)
        self._filter.setPlaceholderText(self.tr("Filter messages"))
        self._filter.setClearButtonEnabled(True)
        self._filter.setAccessibleName(self.tr("Filter messages"))
        label = QLabel(self.tr("&Show"), self)
        label.setBuddy(self._severity)
        copy = QPushButton(self.tr("Copy all"), self)
        copy.setToolTip(self.tr("Copy all messages that are shown"))
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.addWidget(label)
        self.row.addWidget(self._severity)
        self.row.addWidget(self._filter, 1)
        self.row.addWidget(copy)
        self._severity.currentIndexChanged.connect(self._on_severity)
        self._filter.textChanged.connect(self._proxy.set_filter_text)
        copy.clicked.connect(self._copy_all)

    def _on_severity(self) -> None:
        self._proxy.set_least_severity(LogSeverity(self._severity.currentData()))

    def _copy_all(self) -> None:
        self._view.selectAll()
        self._view.copy_rows()
        self._view.clearSelection()


class LogPanel(QWidget):
    """A bounded table, filtered by severity and words. Records are shown in batches."""

    unseen_changed = Signal(int)
    """Warnings and worse that came while the panel was not to be seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = LogTableModel(self)
        self._proxy = LogFilterProxy(self)
        self._proxy.setSourceModel(self._model)
        self._view = TableView(self.tr("Log"), self)
        self._head = LogFilterBar(self._proxy, self._view, self)
        self._pending: list[LogRecord] = []
        self._unseen = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_BATCH_MS)
        self._build()
        self._timer.timeout.connect(self._flush)

    def _build(self) -> None:
        clear = QPushButton(self.tr("Clear"), self)
        clear.clicked.connect(self.clear)
        self._head.row.addWidget(clear)
        self._view.setModel(self._proxy)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._view.empty_hint = self.tr("Nothing said yet.")
        header = self._view.horizontalHeader()
        header.setStretchLastSection(True)
        metrics = self._view.fontMetrics()
        for column, text in enumerate(("00:00:00.000", "Warning___", "onnxruntime__")):
            header.resizeSection(column, metrics.horizontalAdvance(text) + 16)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self._head)
        layout.addWidget(self._view, 1)

    def add(self, records: Sequence[LogRecord]) -> None:
        """Take records; they are shown with the next batch."""
        self._pending.extend(records)
        del self._pending[:-MAX_RECORDS]
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Empty the log."""
        self._pending.clear()
        self._model.clear()

    def mark_seen(self) -> None:
        """Forget what was unseen: the panel is to be seen now."""
        if self._unseen:
            self._unseen = 0
            self.unseen_changed.emit(0)

    def _flush(self) -> None:
        records, self._pending = self._pending, []
        bar = self._view.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 1
        self._model.append(records)
        if at_end:
            self._view.scrollToBottom()
        if self.visibleRegion().isEmpty():  # also behind another tab, where Qt takes it for visible
            bad = sum(record.severity >= LogSeverity.WARNING for record in records)
            if bad:
                self._unseen += bad
                self.unseen_changed.emit(self._unseen)
