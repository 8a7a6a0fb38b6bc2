"""Shows what differs between a saved device report and another."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QLocale, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..models.change_table import ChangeTableModel
from ..models.table import FilterProxy
from ..panels.widgets import MutedLabel, TableView
from ..records.report import DeviceReport
from ..records.report_changes import ChangeKind, changes_markdown, changes_summary, compare_reports


class CompareReportsDialog(QDialog):
    """The changes as a table, counted above it. To be shown beside the window, not before it."""

    def __init__(self, old: DeviceReport, old_name: str, new: DeviceReport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Changes since {0}").format(old_name))
        self._old, self._new = old, new
        self._changes = compare_reports(old, new)
        self._model = ChangeTableModel(_icon_of, self)
        self._proxy = FilterProxy(self)
        self._view = TableView(self.tr("Changes"), self)
        self._filter = QLineEdit(self)
        self._count = MutedLabel(parent=self)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self._copy = self._buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self._proxy.setSourceModel(self._model)
        self._build(old_name)
        self._connect()
        self._model.set_rows(self._changes)  # after the view stopped sorting, which takes long for thousands
        self._view.fit_columns({2: 37, 3: 28, 4: 27, 5: 20})
        self._show_hint()

    def _build(self, old_name: str) -> None:
        headline = QLabel(changes_summary(self._changes), self)
        headline.setTextFormat(Qt.TextFormat.PlainText)
        headline.setWordWrap(True)
        font = headline.font()
        font.setBold(True)
        headline.setFont(font)
        layout = QVBoxLayout(self)
        layout.addWidget(headline)
        for text in (
            self.tr("Then: {0}, {1}").format(old_name, self._made(self._old)),
            self.tr("Now: {0}").format(self._made(self._new)),
        ):
            label = MutedLabel(text, self)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setWordWrap(True)
            layout.addWidget(label)
        self._filter.setPlaceholderText(self.tr("Filter changes (Ctrl+F)"))
        self._filter.setClearButtonEnabled(True)
        self._filter.setAccessibleName(self.tr("Filter changes"))
        row = QHBoxLayout()
        row.addWidget(self._filter, 1)
        row.addWidget(self._count)
        layout.addLayout(row)
        self._build_view()
        layout.addWidget(self._view, 1)
        layout.addWidget(self._buttons)
        self._copy.setToolTip(self.tr("Copy all changes as Markdown, for an issue or a mail"))
        for button in self._buttons.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter in the filter shall not close the dialog
        self.resize(900, 520)
        self._view.setFocus()

    def _build_view(self) -> None:
        self._view.setModel(self._proxy)
        self._view.setSortingEnabled(True)
        self._view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._view.horizontalHeader().setStretchLastSection(True)

    def _connect(self) -> None:
        self._filter.textChanged.connect(self._proxy.set_filter_text)
        self._filter.textChanged.connect(self._show_hint)
        self._copy.clicked.connect(self._copy_all)
        self._buttons.rejected.connect(self.reject)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self._focus_filter)

    def _made(self, report: DeviceReport) -> str:
        environment = report.environment
        return self.tr("{0}, onnxruntime {1}, {2}").format(
            self._time(report.created), environment.onnxruntime, environment.platform
        )

    def _time(self, created: str) -> str:
        """Return when a report was made in the user's words and time zone; as it is written when that is no time."""
        time = QDateTime.fromString(created, Qt.DateFormat.ISODate)
        return QLocale().toString(time.toLocalTime(), QLocale.FormatType.ShortFormat) if time.isValid() else created

    def _show_hint(self) -> None:
        shown, total = self._proxy.rowCount(), len(self._changes)
        self._view.empty_hint = self.tr("No change holds these words.") if total else self.tr("Nothing has changed.")
        self._count.setText(self.tr("{0} of {1}").format(shown, total))
        self._count.setVisible(shown != total)

    def _focus_filter(self) -> None:
        self._filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._filter.selectAll()

    def _copy_all(self) -> None:
        QGuiApplication.clipboard().setText(changes_markdown(self._changes, self._old, self._new))


def _icon_of(kind: ChangeKind) -> QIcon:
    return theme.icon(kind.value)  # in the application's colours; a method would keep the closed dialog alive
