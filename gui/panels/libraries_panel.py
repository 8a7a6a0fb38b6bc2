"""The libraries: what is loaded, what failed and why."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QToolButton, QVBoxLayout, QWidget

from .. import theme
from ..models.library_table import LibraryTableModel
from ..models.table import ROW_ROLE
from ..records.library import Library, LibraryState
from ..state import State
from .widgets import ActionButton, FailureBox, TableView

_ICONS = {
    LibraryState.LOADED: "loaded",
    LibraryState.LOADING: "loading",
    LibraryState.UNREGISTERING: "loading",
    LibraryState.FAILED: "failed",
    LibraryState.NOT_LOADED: "not-loaded",
}
_ACTION_COLUMN = 3


class LibrariesPanel(QWidget):
    """A row a library, each with the button of what can be done with it."""

    unregister_requested = Signal(str)
    load_requested = Signal(str)
    stop_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, state: State, add_action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._model = LibraryTableModel(self._icon_of, self)
        self._view = TableView(self.tr("Libraries"), self)
        self._failure = FailureBox(self)
        self._dismissed: Library | None = None
        self._unregister = self._action(self.tr("Unregister"), "unregister", self.unregister_requested)
        self._load = self._action(self.tr("Load"), "load", self.load_requested)
        self._stop = self._action(self.tr("Stop loading"), "stop", self.stop_requested)
        self._remove = self._action(self.tr("Remove from list"), "remove", self.remove_requested)
        self._unregister.setShortcut(QKeySequence(self.tr("Ctrl+Del")))
        self._remove.setShortcut(QKeySequence.StandardKey.Delete)
        for action in (self._unregister, self._remove):
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._build(add_action)
        self._connect()
        self._show_libraries()

    def _build(self, add_action: QAction) -> None:
        self._view.setModel(self._model)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._view.empty_hint = self.tr(
            "No EP library loaded yet.\nAdd one, or drop its file here. ONNX Runtime's own CPU device is always there."
        )
        header = self._view.horizontalHeader()
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 6)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header.setSectionResizeMode(_ACTION_COLUMN, QHeaderView.ResizeMode.ResizeToContents)
        self._view.addActions([self._unregister, self._load, self._stop, self._remove])
        buttons = QHBoxLayout()
        buttons.addWidget(ActionButton(add_action, self))
        buttons.addStretch(1)
        for action in (self._load, self._remove):
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setAutoRaise(True)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._failure)

    def _connect(self) -> None:
        self._state.libraries_changed.connect(self._show_libraries)
        self._view.selectionModel().selectionChanged.connect(self._show_selected)
        self._failure.closed.connect(self._on_dismissed)

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            for action, name in (
                (self._unregister, "unregister"),
                (self._load, "load"),
                (self._stop, "stop"),
                (self._remove, "remove"),
            ):
                action.setIcon(theme.icon(name, self.palette()))
            self._show_libraries()

    def select(self, name: str) -> None:
        """Select the library of that name."""
        row = self._model.row_number(name)
        if row is not None:
            self._view.selectRow(row)

    def _action(self, text: str, icon_name: str, wish: object) -> QAction:
        action = QAction(theme.icon(icon_name), text, self)
        action.triggered.connect(partial(self._ask, wish))
        return action

    def _ask(self, wish: object, _checked: bool = False) -> None:
        library = self._selected()
        if library is not None:
            wish.emit(library.name)  # type: ignore[attr-defined]  # a bound signal has no type of its own

    def _selected(self) -> Library | None:
        indexes = self._view.selectionModel().selectedRows()
        found = indexes[0].data(ROW_ROLE) if indexes else None
        return found if isinstance(found, Library) else None

    def _show_libraries(self) -> None:
        had = len(self._model.rows)
        self._model.set_rows(self._state.libraries)
        if self._selected() is None or len(self._model.rows) > had:
            self._view.selectRow(len(self._model.rows) - 1)
        self._place_buttons()
        self._show_selected()

    def _place_buttons(self) -> None:
        for row, library in enumerate(self._model.rows):
            index = self._model.index(row, _ACTION_COLUMN)
            button = self._view.indexWidget(index)
            if not isinstance(button, QToolButton):
                button = QToolButton(self._view)
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                button.clicked.connect(partial(self._on_button, library.name))
                self._view.setIndexWidget(index, button)
            text, icon_name = self._button_of(library)
            button.setText(text)
            button.setIcon(theme.icon(icon_name, self.palette()))
            button.setToolTip(f"{text}: {library.name}")
            button.setAccessibleName(f"{text}: {library.name}")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._view.fit_columns({0: 14, 2: 28})

    def _button_of(self, library: Library) -> tuple[str, str]:
        match library.state:
            case LibraryState.LOADED:
                return self.tr("Unregister"), "unregister"
            case LibraryState.LOADING | LibraryState.UNREGISTERING:
                return self.tr("Stop"), "stop"
        return self.tr("Load"), "load"

    def _on_button(self, name: str) -> None:
        library = self._state.library(name)
        if library is None:
            return
        self.select(name)
        match library.state:
            case LibraryState.LOADED:
                self.unregister_requested.emit(name)
            case LibraryState.LOADING | LibraryState.UNREGISTERING:
                self.stop_requested.emit(name)
            case _:
                self.load_requested.emit(name)

    def _show_selected(self) -> None:
        library = self._selected()
        state = library.state if library is not None else None
        is_away = state in (LibraryState.NOT_LOADED, LibraryState.FAILED)
        self._unregister.setEnabled(state is LibraryState.LOADED)
        self._stop.setEnabled(state in (LibraryState.LOADING, LibraryState.UNREGISTERING))
        self._load.setEnabled(is_away)
        self._remove.setEnabled(is_away)
        error = library.error if library is not None and library != self._dismissed else None
        self._failure.show_failure(error)

    def _on_dismissed(self) -> None:
        self._dismissed = self._selected()

    def _icon_of(self, library: Library) -> QIcon:
        return theme.icon(_ICONS[library.state], self.palette())
