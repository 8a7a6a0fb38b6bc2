"""What several panels use: a table view that copies rows, a hint over an empty view, a box for a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..records.failure import Failure

_FITTED_ROWS: Final = 50
"""Beside those in view; a column is not measured by all of a thousand rows."""


def rows_as_tsv(view: QAbstractItemView, *, with_header: bool = True) -> str:
    """Return the selected rows of a view as lines of tab-separated cells, hidden columns left out."""
    model = view.model()
    rows = sorted({index.row() for index in view.selectionModel().selectedIndexes()})
    hidden = view.isColumnHidden if isinstance(view, QTableView) else lambda _column: False
    columns = [column for column in range(model.columnCount()) if not hidden(column)]
    lines = []
    if with_header:
        titles = (model.headerData(column, Qt.Orientation.Horizontal) for column in columns)
        lines.append("\t".join(str(title or "") for title in titles))
    lines += ["\t".join(_cell(model, row, column) for column in columns) for row in rows]
    return "\n".join(lines)


def _cell(model: QAbstractItemModel, row: int, column: int) -> str:
    value = model.index(row, column).data()
    return "" if value is None else str(value).replace("\t", " ").replace("\n", " ")


class TableView(QTableView):
    """A table of whole rows: sortable, copied as tab-separated text, with a hint while it is empty."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 7)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setResizeContentsPrecision(_FITTED_ROWS)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.empty_hint = ""
        self._fitted: set[int] = set()
        copy = QAction(self.tr("Copy rows"), self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy_rows)
        self.addAction(copy)

    def fit_columns(self, widest: dict[int, int] | None = None) -> None:
        """Make each column as wide as its title and its cells need, some no wider than so many characters.

        What was made wider by hand stays so.
        """
        header, metrics = self.horizontalHeader(), self.fontMetrics()
        for column in range(self.model().columnCount()):
            title = str(self.model().headerData(column, Qt.Orientation.Horizontal) or "")
            needed = max(metrics.horizontalAdvance(title) + 10, self.sizeHintForColumn(column) + 4)
            if widest is not None and column in widest:
                needed = min(needed, metrics.averageCharWidth() * widest[column])
            if header.sectionSize(column) < needed or column not in self._fitted:
                header.resizeSection(column, needed)
                if self.model().rowCount():
                    self._fitted.add(column)

    def choose_row(self, row: int) -> None:
        """Select one row and no other, whatever keys are held down: `selectRow` with Ctrl adds to the selection."""
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(self.model().index(row, 0), flags)

    def copy_rows(self) -> None:
        """Put the selected rows on the clipboard, with the titles of the columns above several of them."""
        rows = {index.row() for index in self.selectionModel().selectedIndexes()}
        if rows:
            QGuiApplication.clipboard().setText(rows_as_tsv(self, with_header=len(rows) > 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's; writes the hint over an empty table."""
        super().paintEvent(event)
        if self.empty_hint and self.model() is not None and self.model().rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(theme.muted(self.palette()))
            area = self.viewport().rect().adjusted(14, 6, -14, -6)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.empty_hint)
            painter.end()


class TickDelegate(QStyledItemDelegate):
    """Draws cells with a box to be ticked so that it can be seen in dark colours, too."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Qt's."""
        super().initStyleOption(option, index)
        option.palette = theme.tick_palette(option.palette)


class ActionButton(QPushButton):
    """A push button for an action: its text, icon, tip and whether it can be used are the action's."""

    def __init__(self, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = action
        action.changed.connect(self._follow)
        self.clicked.connect(action.trigger)
        self._follow()

    def _follow(self) -> None:
        self.setText(self._action.iconText())
        self.setIcon(self._action.icon())
        self.setToolTip(self._action.toolTip())
        self.setEnabled(self._action.isEnabled())


class ElidedLabel(QLabel):
    """A line of text that is cut, in the middle by default, where it does not fit; its tip is the whole text."""

    def __init__(self, parent: QWidget | None = None, *, cut: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle) -> None:
        super().__init__(parent)
        self._cut = cut
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), self._cut, self.width())
        painter.drawText(self.rect(), int(self.alignment()), text)
        painter.end()

    def show_text(self, text: str) -> None:
        """Show a line."""
        self.setText(text)
        self.setToolTip(text)
        self.setAccessibleName(text)


class MutedLabel(QLabel):
    """Secondary text in a colour between text and ground; follows the palette."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._mute()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._mute()

    def _mute(self) -> None:
        color = theme.muted(QGuiApplication.palette())
        if self.palette().color(self.foregroundRole()) != color:  # what is set here changes the palette again
            palette = QPalette()  # all other colours stay the application's, whose changes are heard by them
            palette.setColor(self.foregroundRole(), color)
            self.setPalette(palette)


class WrappingFrame(QFrame):
    """A frame around text that wraps: it takes the height that the text needs."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; the text wraps anew."""
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        """Qt's."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        """Take the height that the wrapped text needs: a layout around would cut it off."""
        layout = self.layout()
        if layout is not None:
            self.setMinimumHeight(max(0, layout.totalHeightForWidth(self.width())))


class FailureBox(WrappingFrame):
    """A failure in the place where the user asked: sentence, next step, raw text behind *Details*."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._failure: Failure | None = None
        self._icon = QLabel(self)
        self._message = QLabel(self)
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = QToolButton(self)
        self._details.setText(self.tr("Details"))
        self._details.setCheckable(True)
        self._copy = QPushButton(self.tr("Copy"), self)
        self._close = QToolButton(self)
        self._close.setAutoRaise(True)
        self._close.setToolTip(self.tr("Close this message"))
        self._close.setAccessibleName(self.tr("Close this message"))
        self._text = QPlainTextEdit(self)
        self._text.setReadOnly(True)
        self._text.setAccessibleName(self.tr("Details of the failure"))
        self._text.setFixedHeight(self.fontMetrics().height() * 7)
        self._choices = QHBoxLayout()
        self._build()
        self.hide()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._message, 1)
        head.addWidget(self._details, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 6, 6)
        layout.addLayout(head)
        layout.addLayout(self._choices)
        layout.addWidget(self._text)
        layout.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignRight)
        self._details.toggled.connect(self._text.setVisible)
        self._details.toggled.connect(self._copy.setVisible)
        self._copy.clicked.connect(self._copy_all)
        self._close.clicked.connect(self.dismiss)
        self._tint()

    @property
    def failure(self) -> Failure | None:
        """What is shown."""
        return self._failure

    def show_failure(self, failure: Failure | None) -> None:
        """Show a failure, or nothing."""
        if failure == self._failure:
            return
        self._failure = failure
        self.setVisible(failure is not None)
        self._details.setChecked(False)
        self._text.hide()
        self._copy.hide()
        if failure is not None:
            self._message.setText(f"{failure.message}\n{failure.hint}".strip())
            self._message.setAccessibleName(str(failure))
            self._details.setVisible(bool(failure.detail))
            self._text.setPlainText(failure.detail)

    def set_choices(self, *choices: tuple[str, Callable[[], None]]) -> None:
        """Offer what can be done about it, a button each: its text, and what a click on it does."""
        while (item := self._choices.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if choices:
            self._choices.addStretch(1)
        for text, choose in choices:
            button = QPushButton(text, self)
            button.clicked.connect(lambda _checked=False, choose=choose: choose())
            self._choices.addWidget(button)

    def dismiss(self) -> None:
        """Close the message."""
        self.show_failure(None)
        self.closed.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        size = self.fontMetrics().height() + 4
        self._icon.setPixmap(theme.icon("warning", self.palette()).pixmap(size, size))
        self._close.setIcon(theme.icon("remove", self.palette()))

    def _copy_all(self) -> None:
        if self._failure is not None:
            QGuiApplication.clipboard().setText(f"{self._failure}\n\n{self._failure.detail}")


class PaletteWatcher(QObject):
    """Tells when the application's colours have changed, for what is not a widget or caches colours."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        parent.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's."""
        if watched is self.parent() and event.type() is QEvent.Type.PaletteChange:
            self.changed.emit()
        return False
