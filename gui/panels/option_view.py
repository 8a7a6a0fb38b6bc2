"""The view of an option table: known keys and values are offered while typing, anything else can be typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeySequence, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QComboBox,
    QCompleter,
    QHeaderView,
    QLineEdit,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from .. import theme
from ..models.known_options import tip_of
from ..models.option_table import KEY_COLUMN, NOTE_COLUMN, VALUE_COLUMN, OptionTableModel
from .widgets import TableView

_Index = QModelIndex | QPersistentModelIndex
_SHARES: Final = {KEY_COLUMN: 0.36, VALUE_COLUMN: 0.21}
"""Of the width; the note takes the rest."""
_SHOWN_ROWS: Final = 2
_PROPOSALS: Final = 14


class OptionView(TableView):
    """An editable table of options: Tab goes from cell to cell while one is edited, Delete removes a row."""

    current_row_changed = Signal()
    """Also when the view gets the focus."""
    key_highlighted = Signal(str)
    """While a key is being chosen from the list."""

    def __init__(self, model: OptionTableModel, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._options = model
        self._is_sized_by_hand = False
        self._is_sizing = False
        self._remove = QAction(self.tr("Remove option"), self)
        self.setModel(model)
        delegate = OptionDelegate(model, self)
        delegate.key_highlighted.connect(self.key_highlighted)
        self.setItemDelegate(delegate)
        self._build()
        self.clicked.connect(self._edit_clicked)
        self._remove.triggered.connect(self._remove_current)
        self.selectionModel().currentChanged.connect(self._on_current)
        self._options.options_changed.connect(self._on_current)
        model.modelReset.connect(self._on_current)
        self._on_current()

    def _build(self) -> None:
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.AnyKeyPressed | trigger.EditKeyPressed | trigger.DoubleClicked)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setShowGrid(True)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(NOTE_COLUMN, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 6)
        header.sectionResized.connect(self._on_section_resized)
        rows = self.verticalHeader().defaultSectionSize()
        self.setMinimumHeight(header.sizeHint().height() + _SHOWN_ROWS * rows + 4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._remove.setShortcut(QKeySequence.StandardKey.Delete)
        self._remove.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.addAction(self._remove)

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Qt's; Tab passes over the notes, which cannot be edited."""
        index = super().moveCursor(action, modifiers)
        if not index.isValid() or index.column() != NOTE_COLUMN:
            return index
        if action is QAbstractItemView.CursorAction.MoveNext:
            return self.model().index((index.row() + 1) % self.model().rowCount(), KEY_COLUMN)
        if action is QAbstractItemView.CursorAction.MovePrevious:
            return index.siblingAtColumn(VALUE_COLUMN)
        return index

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt's."""
        super().focusInEvent(event)
        self.current_row_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; the columns keep their shares of the width until one is made wider or narrower by hand."""
        if not self._is_sized_by_hand:
            self._is_sizing = True
            for column, share in _SHARES.items():
                self.horizontalHeader().resizeSection(column, round(self.viewport().width() * share))
            self._is_sizing = False
        super().resizeEvent(event)

    def _on_section_resized(self, column: int) -> None:
        if not self._is_sizing and column != NOTE_COLUMN:
            self._is_sized_by_hand = True

    def _edit_clicked(self, index: QModelIndex) -> None:
        if index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.edit(index)

    def _remove_current(self) -> None:
        self._options.remove_row(self.currentIndex().row())
        self._on_current()

    def _on_current(self) -> None:
        self._remove.setEnabled(0 <= self.currentIndex().row() < self._options.rowCount() - 1)
        self.current_row_changed.emit()


class OptionDelegate(QStyledItemDelegate):
    """Offers the known keys that are not there yet, and the values of a known option that has a list of them."""

    key_highlighted = Signal(str)

    def __init__(self, options: OptionTableModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._options = options

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, index: _Index) -> QWidget:
        """Qt's."""
        row, is_key = index.row(), index.column() == KEY_COLUMN
        known = self._options.known(row)
        if is_key:
            offered = [(known.key, tip_of(known, "")) for known in self._options.offered_keys(row)]
            name, hint = self.tr("Option"), self.tr("key or key=value")
        else:
            offered = [] if known is None else [(value, "") for value in known.values]
            key = str(self._options.index(row, KEY_COLUMN).data())
            name = self.tr("Value of {0}").format(key) if key else self.tr("Value")
            hint = self.tr("default {0}").format(known.default) if known is not None and known.default else ""
        editor: OptionLine | OptionChoice = OptionChoice(parent, offered) if offered else OptionLine(parent)
        editor.line.setPlaceholderText(hint)
        editor.setAccessibleName(name)
        if isinstance(editor, OptionChoice):
            editor.activated.connect(lambda: self._take(editor, goes_on=is_key))
            if is_key:
                editor.text_highlighted.connect(self.key_highlighted)
        return editor

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        """Qt's."""
        if isinstance(editor, OptionLine | OptionChoice):
            editor.show_text(str(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:
        """Qt's."""
        if isinstance(editor, OptionLine | OptionChoice):
            model.setData(index, editor.line.text())

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        """Qt's; notes are muted, and the empty row says what it is for."""
        super().initStyleOption(option, index)
        is_empty_row = index.row() == index.model().rowCount() - 1
        if is_empty_row and index.column() == KEY_COLUMN:
            option.text = self.tr("add an option…")
            option.features |= QStyleOptionViewItem.ViewItemFeature.HasDisplay
        if is_empty_row or index.column() == NOTE_COLUMN:
            option.palette.setColor(QPalette.ColorRole.Text, theme.muted(option.palette))

    def _take(self, editor: QWidget, *, goes_on: bool) -> None:
        """Take what was chosen from the list; after a key, go on to its value."""
        hint = QAbstractItemDelegate.EndEditHint
        self.commitData.emit(editor)
        self.closeEditor.emit(editor, hint.EditNextItem if goes_on else hint.NoHint)


class OptionLine(QLineEdit):
    """Any text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrame(False)

    @property
    def line(self) -> QLineEdit:
        """What is typed into."""
        return self

    def show_text(self, text: str) -> None:
        """Begin with this text."""
        self.setText(text)


class OptionChoice(QComboBox):
    """A list to choose from, by any part of a text; anything else can be typed."""

    text_highlighted = Signal(str)
    """Of the list that drops down, or of the proposals while something is typed."""

    def __init__(self, parent: QWidget, offered: Iterable[tuple[str, str]]) -> None:
        """Each text offered has a tip, which may be empty."""
        super().__init__(parent)
        self.line = QLineEdit(self)
        """What is typed into."""
        self.setLineEdit(self.line)
        self.line.setFrame(False)
        self.setFrame(False)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMaxVisibleItems(_PROPOSALS)
        for text, tip in offered:
            self.addItem(text)
            self.setItemData(self.count() - 1, tip or None, Qt.ItemDataRole.ToolTipRole)
        completer = QCompleter(self.model(), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setMaxVisibleItems(_PROPOSALS)
        self.setCompleter(completer)
        widest = self.view().sizeHintForColumn(0) + self.fontMetrics().averageCharWidth() * 4
        for popup in (self.view(), completer.popup()):
            if popup is not None:
                popup.setMinimumWidth(widest)
        self.textHighlighted.connect(self.text_highlighted)
        completer.highlighted.connect(self.text_highlighted)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt's."""
        super().focusInEvent(event)
        self.installEventFilter(self)  # before the completer's own, which has just been installed anew

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's; closes the proposals when the focus goes: open ones keep a view from taking what was typed."""
        completer = self.completer()
        popup = None if completer is None else completer.popup()
        if watched is self and popup is not None and isinstance(event, QFocusEvent) and event.lostFocus():
            popup.setVisible(popup.isVisible() and event.reason() is Qt.FocusReason.PopupFocusReason)
        return super().eventFilter(watched, event)

    def show_text(self, text: str) -> None:
        """Begin with this text, all of it selected."""
        exactly = Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchCaseSensitive
        self.setCurrentIndex(self.findText(text, exactly))
        self.setEditText(text)
        self.line.selectAll()
