"""What each selection policy takes for a model, side by side, and ORT's order of preference."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..models.policy_table import PolicyRow, PolicyTableModel
from ..panels.widgets import FailureBox, MutedLabel, TableView
from ..records.codec import StringMap
from ..records.library import LibraryState
from ..records.policies import PolicyMark, PolicyOutcome, mark_of, nodes_text, order_text, taken_text, warning_of
from ..records.trial import Policy
from ..state import EngineStatus, State

_LARGE_BYTES: Final = 64 * 1024 * 1024
"""A larger model is loaded fourteen times only when the user says so."""
_MODEL, _TINY = 0, 1


class PoliciesDialog(QDialog):
    """Asks for the policies to be tried and shows what comes of it. To be shown beside the window, not before it."""

    explain_requested = Signal(str)
    """The path of the model; empty for the tiny one. `refuse` answers when it cannot be done now."""
    stop_requested = Signal()
    run_requested = Signal(object)
    """A `Policy`."""

    def __init__(self, state: State, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("What would each policy take?"))
        self._state = state
        self._is_running = False
        self._is_stopping = False
        self._tried_path: str | None = None
        self._tried_libraries: frozenset[tuple[str, str]] = frozenset()
        self._changed = ""
        self._model = PolicyTableModel(_icon, self)
        self._view = TableView(self.tr("Policies"), self)
        self._which = QComboBox(self)
        self._intro = MutedLabel(parent=self)
        self._note = QLabel(self)
        self._order_title = QLabel(self)
        self._order = QListWidget(self)
        self._told = QLabel(self)
        self._failure = FailureBox(self)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self._run = QPushButton(self.tr("&Run this policy"), self)
        self._again = QPushButton(self.tr("&Try again"), self)
        self._stop = QPushButton(self.tr("&Stop"), self)
        self._build()
        self._connect()
        self._show_choices()
        self._which.setCurrentIndex(_MODEL if self._model_is_small() else _TINY)
        self._show_order()
        self._follow()

    def _build(self) -> None:
        intro = self._intro
        intro.setWordWrap(True)
        self.show_options(())
        label = QLabel(self.tr("Try with the &model"), self)
        label.setBuddy(self._which)
        self._which.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        head = QHBoxLayout()
        head.addWidget(label)
        head.addWidget(self._which)
        head.addWidget(self._note, 1)
        self._view.setModel(self._model)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._view.horizontalHeader().setStretchLastSection(True)
        rows = len(Policy) + 1
        self._view.setMinimumHeight(rows * self._view.verticalHeader().defaultSectionSize() + 24)
        self._order_title.setBuddy(self._order)
        self._order.setMinimumHeight(self.fontMetrics().height() * 4)
        self._told.setWordWrap(True)
        for text in (self._note, self._told):
            text.setTextFormat(Qt.TextFormat.PlainText)
        self._told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for button in (self._run, self._again, self._stop):
            self._buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        for button in self._buttons.findChildren(QPushButton):
            button.setAutoDefault(False)
        self._run.setToolTip(self.tr("Choose the selected policy as the target and run the trial's model with it"))
        self._again.setToolTip(self.tr("Try all policies again, with the libraries that are loaded now"))
        self._stop.setToolTip(self.tr("Stop; what hangs ends with its engine after a few seconds"))
        layout = QVBoxLayout(self)
        layout.addWidget(intro)
        layout.addLayout(head)
        layout.addWidget(self._view)
        layout.addWidget(self._told)
        layout.addWidget(self._failure)
        layout.addWidget(self._order_title)
        layout.addWidget(self._order, 1)
        layout.addWidget(self._buttons)
        self.resize(1060, 450)
        self._view.setFocus()

    def _connect(self) -> None:
        state = self._state
        for signal in (state.engine_changed, state.work_changed, state.compilation_changed, state.waiting_changed):
            signal.connect(self._follow)
        state.trial_added.connect(self._follow)
        state.trial_changed.connect(self._on_trial_changed)
        state.libraries_changed.connect(self._on_libraries_changed)
        state.model_changed.connect(self._on_model_changed)
        self._which.activated.connect(self._on_chosen)
        self._view.selectionModel().selectionChanged.connect(self._show_selected)
        self._view.doubleClicked.connect(self._request_run)
        self._run.clicked.connect(self._request_run)
        self._again.clicked.connect(self.start)
        self._stop.clicked.connect(self._request_stop)
        self._buttons.rejected.connect(self.reject)
        self.finished.connect(self._request_stop)

    # ------------------------------------------------------------- one go

    def start(self) -> None:
        """Ask for all policies to be tried."""
        if self._is_running:
            return
        self._is_running = True
        self._is_stopping = False
        self._changed = ""
        self._tried_path = self._path()
        self._tried_libraries = self._loaded()
        self._model.set_rows([PolicyRow(policy=policy) for policy in Policy])
        self._view.clearSelection()
        self._show_order()
        self._fit()
        self._follow()
        self.explain_requested.emit(self._tried_path)

    def show_options(self, ep_options: StringMap) -> None:
        """Tell which EP options are used: those of the trial as it stands in the window."""
        used = ", ".join(f"{key} = {value}" for key, value in ep_options)
        options = self.tr("with the trial's EP options ({0})").format(used) if used else self.tr("without EP options")
        text = self.tr("A session is really made with each policy, {0}, free dimensions being 1. Nothing is run in it.")
        self._intro.setText(text.format(options))

    def refuse(self) -> None:
        """Tell that they cannot be tried now: the engine is busy, or there is none."""
        self._is_running = False
        self._changed = self.tr("The engine is at other work: try again when it is done.")
        self._follow()

    def show_asked(self, policy: Policy) -> None:
        """A policy is being tried from now on."""
        if self._is_running:
            self._model.update_row(PolicyRow(policy=policy, is_tried=True))
            self._fit()
            self._follow()

    def add_outcome(self, outcome: PolicyOutcome) -> None:
        """Show what came of a policy."""
        if not self._is_running:  # left over from a dialog that was closed
            return
        device = next((device for device in self._state.devices if device.key == outcome.device_key), None)
        self._model.update_row(PolicyRow(policy=outcome.policy, outcome=outcome, device=device))
        self._fit()
        self._show_order()
        self._show_selected()

    def end(self) -> None:
        """All has been tried, or it was stopped."""
        if not self._is_running:
            return
        self._is_running = False
        if self._selected() is None:
            self._select(self._most_telling())
        self._show_order()
        self._follow()

    def _most_telling(self) -> int:
        """Return the row to open on: the first that failed, else the first with a warning, else the first."""
        marks = [row.outcome and mark_of(row.outcome, row.device) for row in self._model.rows]
        return next((marks.index(mark) for mark in (PolicyMark.FAILED, PolicyMark.WARNING) if mark in marks), 0)

    def _request_stop(self) -> None:
        if self._is_running and not self._is_stopping:
            self._is_stopping = True
            self._follow()
            self.stop_requested.emit()

    # ------------------------------------------------------------ the model

    def _path(self) -> str:
        model = self._state.model
        return "" if model is None or self._which.currentIndex() == _TINY else model.path

    def _model_is_small(self) -> bool:
        model = self._state.model
        return model is not None and model.description is not None and model.description.size_bytes <= _LARGE_BYTES

    def _show_choices(self) -> None:
        """Name the two models; one that cannot be used cannot be chosen."""
        model = self._state.model
        usable = model is not None and model.description is not None
        name = self.tr("none chosen") if model is None else Path(model.path).name
        before = self._which.currentIndex()
        self._which.clear()
        self._which.addItems([self.tr("chosen in the window: {0}").format(name), self.tr("a tiny one, built in")])
        item = self._which.model()
        self._which.setCurrentIndex(before if usable and before >= 0 else _TINY)
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        if not usable and hasattr(item, "item"):
            item.item(_MODEL).setFlags(item.item(_MODEL).flags() & ~flags)

    def _on_chosen(self) -> None:
        if self._path() == self._tried_path:
            return
        if self._can_start():
            self.start()
        else:
            self._changed = self.tr("Another model is chosen: try again.")
            self._follow()

    def _on_model_changed(self) -> None:
        self._show_choices()
        if self._tried_path and self._tried_path != self._path():
            self._changed = self.tr("The model has changed: try again.")
        self._follow()

    # -------------------------------------------------------- the libraries

    def _loaded(self) -> frozenset[tuple[str, str]]:
        """Those that policies choose from; after a death they are on their way back."""
        there = (LibraryState.LOADED, LibraryState.LOADING)
        return frozenset((entry.name, entry.path) for entry in self._state.libraries if entry.state in there)

    def _on_libraries_changed(self) -> None:
        if self._tried_path is not None and self._loaded() != self._tried_libraries:
            self._changed = self.tr("Libraries have changed: try again.")
        self._follow()

    # -------------------------------------------------------- what is shown

    def _selected(self) -> PolicyRow | None:
        indexes = self._view.selectionModel().selectedRows()
        return self._model.row(indexes[0].row()) if indexes else None

    def _select(self, row: int) -> None:
        self._view.choose_row(row)

    def _show_selected(self) -> None:
        row = self._selected()
        outcome = None if row is None else row.outcome
        self._failure.show_failure(None if outcome is None else outcome.failure)
        text = ""
        if row is not None and outcome is not None and outcome.failure is None:
            taken = self.tr("{0} takes {1}.").format(row.policy.value, taken_text(outcome, row.device))
            text = " ".join(part for part in (taken, warning_of(outcome, row.device), nodes_text(outcome)) if part)
        self._told.setText(text)
        self._told.setVisible(bool(text))
        self._follow()

    def _show_order(self) -> None:
        orders = [row.outcome.order for row in self._model.rows if row.outcome is not None and row.outcome.order]
        texts = order_text(orders[0], self._state.devices) if orders else ()
        lines = [self.tr("{0}. {1}").format(number, text) for number, text in enumerate(texts, start=1)]
        if [self._order.item(row).text() for row in range(self._order.count())] != lines:
            self._order.clear()
            self._order.addItems(lines)
        if lines:
            title = self.tr("ORT's &order of preference, before a policy narrows it")
        elif self._is_running or not self._model.rows:
            title = self.tr("ORT's &order of preference")
        else:
            title = self.tr(
                "ORT's &order of preference is not known: no policy got so far, or this ORT does not tell it"
            )
        self._order_title.setText(title)

    def _fit(self) -> None:
        self._view.fit_columns({1: 33, 2: 36, 3: 50, 4: 22})

    def _can_start(self) -> bool:
        return not self._is_running and not self._state.is_busy and self._state.engine_status is EngineStatus.READY

    def _follow(self) -> None:
        """Show what can be done, and where it stands."""
        model, row = self._state.model, self._selected()
        self._again.setVisible(not self._is_running)
        self._again.setEnabled(self._can_start())
        self._stop.setVisible(self._is_running)
        self._stop.setEnabled(not self._is_stopping)
        has_model = model is not None and model.description is not None
        self._run.setEnabled(self._can_start() and row is not None and has_model)
        self._which.setEnabled(not self._is_running)
        self._note.setText(self._standing())

    def _standing(self) -> str:
        if self._is_stopping and self._is_running:
            return self.tr("Stopping…")
        if self._is_running:
            done = sum(row.outcome is not None for row in self._model.rows)
            return self.tr("{0} of {1} tried…").format(done, len(Policy))
        return self._changed

    def _on_trial_changed(self) -> None:
        if self._again.isEnabled() != self._can_start():  # samples come often
            self._follow()

    def _request_run(self) -> None:
        row = self._selected()
        if row is not None and self._run.isEnabled():
            self.run_requested.emit(row.policy)


def _icon(name: str) -> QIcon:
    return theme.icon(name)  # in the application's colours; a method would keep the closed dialog alive
