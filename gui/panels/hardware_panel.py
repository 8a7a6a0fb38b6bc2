"""The hardware there is at all, whether an EP offers it or not, and why not."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractItemView, QSplitter, QVBoxLayout, QWidget

from .. import theme
from ..models.hardware_table import HardwareRow, HardwareTableModel, hardware_details, hardware_rows
from ..models.table import ROW_ROLE, FilterProxy
from ..records.device import DeviceType
from ..state import EngineStatus, State
from .details_view import DetailsView
from .widgets import TableView


class HardwarePanel(QWidget):
    """A row a piece of hardware, and beside it what the EPs say of it."""

    def __init__(self, state: State, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._model = HardwareTableModel(self._icon_of, self)
        self._proxy = FilterProxy(self)
        self._view = TableView(self.tr("Hardware"), self)
        self._details = DetailsView(self.tr("What EPs say of the selected hardware"), self)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._build()
        state.hardware_changed.connect(self._show_hardware)
        state.devices_changed.connect(self._show_hardware)
        state.engine_changed.connect(self._show_hardware)
        self._view.selectionModel().selectionChanged.connect(self._show_details)
        self._show_hardware()

    def _build(self) -> None:
        self._proxy.setSourceModel(self._model)
        self._view.setModel(self._proxy)
        self._view.setSortingEnabled(True)
        self._view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._view.horizontalHeader().setStretchLastSection(True)
        self.splitter.addWidget(self._view)
        self.splitter.addWidget(self._details)
        self.splitter.setStretchFactor(0, 5)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([650, 260])
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.addWidget(self.splitter)

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._show_hardware()

    def _show_hardware(self) -> None:
        state = self._state
        if state.engine_status is EngineStatus.GAVE_UP:
            hint = self.tr("There is no engine. Choose Restart engine.")
        elif state.engine_status is EngineStatus.READY and state.devices:
            hint = (
                self.tr("This version of onnxruntime does not tell which hardware it found.")
                if state.hardware is None
                else self.tr("ONNX Runtime found no hardware.")
            )
        else:
            hint = self.tr("The engine is starting; what it finds appears here.")
        self._view.empty_hint = hint
        self._model.set_rows(hardware_rows(state.hardware or (), state.devices, state.incompatibilities))
        self._view.fit_columns({4: 32, 5: 32})
        self._view.viewport().update()
        if self._model.rows and not self._view.selectionModel().hasSelection():
            self._view.choose_row(0)
        self._show_details()

    def _show_details(self) -> None:
        indexes = self._view.selectionModel().selectedRows()
        row = indexes[0].data(ROW_ROLE) if indexes else None
        self._details.show_groups(hardware_details(row) if isinstance(row, HardwareRow) else ())

    def _icon_of(self, kind: DeviceType) -> QIcon:
        return theme.icon(kind.value.lower(), self.palette())
