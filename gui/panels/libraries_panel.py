"""The libraries: what is loaded, what failed and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QToolButton, QVBoxLayout, QWidget

from .. import theme
from ..models.library_table import LibraryTableModel
from ..models.table import ROW_ROLE
from ..records.failure import Failure
from ..records.library import Library, LibraryState
from ..records.library_remarks import remarks_of
from ..state import State
from .check_box import CheckBox
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
    reload_requested = Signal(str)
    keep_waiting_requested = Signal(str)
    stop_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, state: State, add_actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._model = LibraryTableModel(self._icon_of, self)
        self._view = TableView(self.tr("Libraries"), self)
        self._check = CheckBox(self)
        self._failure = FailureBox(self)
        self._dismissed: dict[str, Failure] = {}
        self._told: tuple[str, Failure] | None = None
        self._unregister = self._action(self.tr("Unregister"), "unregister", self.unregister_requested)
        self._load = self._action(self.tr("Load"), "load", self.load_requested)
        self._reload = self._action(self.tr("Reload"), "reload", self.reload_requested)
        self._stop = self._action(self.tr("Stop loading"), "stop", self.stop_requested)
        self._remove = self._action(self.tr("Remove from list"), "remove", self.remove_requested)
        self._unregister.setShortcut(QKeySequence(self.tr("Ctrl+Del")))
        self._remove.setShortcut(QKeySequence.StandardKey.Delete)
        self._reload.setShortcut(QKeySequence(self.tr("Ctrl+F5")))
        self._reload.setToolTip(
            self.tr("Reload: unregister the library and load its file anew, which may have been rebuilt (Ctrl+F5)")
        )
        for action in (self._unregister, self._remove, self._reload):
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._build(add_actions)
        self._connect()
        self._show_libraries()

    def _build(self, add_actions: Sequence[QAction]) -> None:
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
        self._view.addActions([self._unregister, self._reload, self._load, self._stop, self._remove])
        buttons = QHBoxLayout()
        for action in add_actions:
            buttons.addWidget(ActionButton(action, self))
        buttons.addStretch(1)
        for action in (self._reload, self._remove):
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
        layout.addWidget(self._check)
        self._view.setMinimumHeight(self._view.verticalHeader().defaultSectionSize() * 4)

    def _connect(self) -> None:
        self._state.libraries_changed.connect(self._show_libraries)
        self._state.devices_changed.connect(self._show_selected)
        self._state.hardware_changed.connect(self._show_selected)
        self._view.selectionModel().selectionChanged.connect(self._show_selected)
        self._failure.closed.connect(self._on_dismissed)

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            for action, name in (
                (self._unregister, "unregister"),
                (self._load, "load"),
                (self._reload, "reload"),
                (self._stop, "stop"),
                (self._remove, "remove"),
            ):
                action.setIcon(theme.icon(name, self.palette()))
            self._show_libraries()

    def select(self, name: str) -> None:
        """Select the library of that name."""
        row = self._model.row_number(name)
        if row is not None:
            self._view.choose_row(row)

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
        self._forget_dismissed()
        had = len(self._model.rows)
        self._model.set_rows(self._state.libraries)
        if self._selected() is None or len(self._model.rows) > had:
            self._view.choose_row(len(self._model.rows) - 1)
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
        self._view.fit_columns({0: 19, 2: 25})

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
        self._reload.setEnabled(is_away or state is LibraryState.LOADED)
        self._stop.setEnabled(state in (LibraryState.LOADING, LibraryState.UNREGISTERING))
        self._load.setEnabled(is_away)
        self._remove.setEnabled(is_away)
        self._check.show_check(library.check if library is not None else None)
        self._show_told(library)

    def _show_told(self, library: Library | None) -> None:
        """Show why the library failed, or what else is to be known of it."""
        told = None if library is None else library.error
        if library is not None and told is None:
            told = _as_one(
                remarks_of(library, self._state.libraries, self._state.devices, self._state.incompatibilities)
            )
        if library is None or told is None or self._dismissed.get(library.name) == told:
            self._told = None
            self._failure.show_failure(None)
        elif (library.name, told) != self._told:
            self._told = (library.name, told)
            self._failure.set_choices(*self._choices_for(library))
            self._failure.show_failure(told)
        QTimer.singleShot(0, self._view, self._show_current)  # when what is told has taken its room

    def _show_current(self) -> None:
        self._view.scrollTo(self._view.currentIndex())

    def _choices_for(self, library: Library) -> tuple[tuple[str, Callable[[], None]], ...]:
        if not library.overdue:
            return ()
        return (
            (self.tr("Keep waiting"), partial(self.keep_waiting_requested.emit, library.name)),
            (self.tr("Stop"), partial(self.stop_requested.emit, library.name)),
        )

    def _on_dismissed(self) -> None:
        if self._told is not None:
            name, told = self._told
            self._dismissed[name] = told
            self._told = None

    def _forget_dismissed(self) -> None:
        """What is tried anew, or gone, may be told again."""
        for name in tuple(self._dismissed):
            library = self._state.library(name)
            if library is None or (library.state is LibraryState.LOADING and not library.overdue):
                del self._dismissed[name]

    def _icon_of(self, library: Library) -> QIcon:
        return theme.icon(_ICONS[library.state], self.palette())


def _as_one(remarks: Sequence[Failure]) -> Failure | None:
    """Return several remarks as one to show."""
    if not remarks:
        return None
    first, *others = remarks
    if not others:
        return first
    texts = [f"{first.message}\n{first.hint}", *(f"{other.message}\n{other.hint}" for other in others)]
    return replace(first, message="\n\n".join(texts), hint="")
