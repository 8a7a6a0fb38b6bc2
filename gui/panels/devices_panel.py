"""The devices as a table, and beside it everything known of the selected one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..models.device_table import DeviceFilterProxy, DeviceTableModel, device_details, devices_text
from ..models.table import ROW_ROLE
from ..records.device import Device, DeviceType
from ..state import EngineStatus, State
from .details_view import DetailsView
from .widgets import MutedLabel, TableView


class DevicesPanel(QWidget):
    """Table, filter and details. The selection is the state's: a trial's target can be made of it."""

    selection_requested = Signal(tuple)
    """The keys of the devices that shall be selected."""

    def __init__(self, state: State, refresh_action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._model = DeviceTableModel(self._icon_of, self._mark_of, self)
        self._proxy = DeviceFilterProxy(self)
        self._proxy.setSourceModel(self._model)
        self._view = TableView(self.tr("Devices"), self)
        self._tree = DetailsView(self.tr("Details of the selected device"), self)
        self._filter = QLineEdit(self)
        self._count = MutedLabel(parent=self)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._showing = False
        self._build(refresh_action)
        self._connect()
        self._show_devices()

    def _build(self, refresh_action: QAction) -> None:
        self._filter.setPlaceholderText(self.tr("Filter devices, metadata too (Ctrl+F)"))
        self._filter.setClearButtonEnabled(True)
        self._filter.setAccessibleName(self.tr("Filter devices"))
        refresh = QToolButton(self)
        refresh.setDefaultAction(refresh_action)
        refresh.setAutoRaise(True)
        head = QHBoxLayout()
        head.addWidget(self._filter, 1)
        head.addWidget(self._count)
        head.addWidget(refresh)
        self._view.setModel(self._proxy)
        self._view.setSortingEnabled(True)
        self._view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._view.horizontalHeader().setStretchLastSection(True)
        self._view.empty_hint = self.tr("The engine is starting; its devices appear here.")
        self.splitter.addWidget(self._view)
        self.splitter.addWidget(self._tree)
        self.splitter.setStretchFactor(0, 5)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([645, 205])
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.splitter, 1)

    def _connect(self) -> None:
        self._filter.textChanged.connect(self._proxy.set_filter_text)
        self._filter.textChanged.connect(self._show_count)
        self._state.devices_changed.connect(self._show_devices)
        self._state.engine_changed.connect(self._show_count)
        self._state.selection_changed.connect(self._show_selection)
        self._view.selectionModel().selectionChanged.connect(self._on_selection)

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._model.set_rows(self._state.devices)

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self._filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._filter.selectAll()

    def _show_devices(self) -> None:
        self._showing = True
        self._model.set_rows(self._state.devices)
        self._showing = False
        self._view.fit_columns({0: 26, 1: 19, 3: 13, 4: 12})
        self._show_count()
        self._show_selection()

    def _show_count(self) -> None:
        shown, total = self._proxy.rowCount(), len(self._model.rows)
        self._count.setText(devices_text(total) if shown == total else self.tr("{0} of {1}").format(shown, total))
        if total:
            self._view.empty_hint = self.tr("No device matches the filter.")
        elif self._state.engine_status is EngineStatus.GAVE_UP:
            self._view.empty_hint = self.tr("There is no engine. Choose Restart engine.")
        else:
            self._view.empty_hint = self.tr("The engine is starting; its devices appear here.")
        self._view.viewport().update()

    def _show_selection(self) -> None:
        chosen = set(self._state.selected_keys)
        selection = QItemSelection()
        for row, device in enumerate(self._model.rows):
            if device.key in chosen:
                index = self._proxy.mapFromSource(self._model.index(row, 0))
                if index.isValid():
                    selection.select(index, index)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self._showing = True
        self._view.selectionModel().select(selection, flags)
        self._showing = False
        self._show_details()

    def _on_selection(self) -> None:
        """Wish for what was selected by hand; devices hidden by the filter do not stay selected unseen."""
        if self._showing:
            return
        devices = [index.data(ROW_ROLE) for index in self._view.selectionModel().selectedRows()]
        self.selection_requested.emit(tuple(device.key for device in devices if isinstance(device, Device)))

    def _show_details(self) -> None:
        devices = self._state.selected_devices
        self._tree.show_groups(device_details(devices[0]) if devices else ())

    def _mark_of(self, device: Device) -> QIcon | None:
        return theme.icon("new", self.palette()) if device.key in self._state.new_keys else None

    def _icon_of(self, kind: DeviceType) -> QIcon:
        return theme.icon(kind.value.lower(), self.palette())
