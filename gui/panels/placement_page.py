"""Which EP got which nodes of a trial's model, and what was said about it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSortFilterProxyModel, Qt
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ..models.placement_table import NodeTableModel, PlacedOp, PlacementTableModel, placed_ops
from ..models.table import ROW_ROLE, SORT_ROLE
from ..models.texts import count_text
from ..models.verdict_texts import Tone, placement_hint
from ..records.placement import PlacedNodes, Placement, PlacementVerdict, verdict_text
from ..records.trial_log import placement_reasons
from ..trial_run import TrialRun
from .tones import tone_icon
from .widgets import MutedLabel, TableView

_MOST_LINES = 4


class PlacementPage(QWidget):
    """The verdict, the reasons given, a table of EP and operator, and the names of the nodes of the selected rows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Placement, ...] | None = None
        self._nodes: PlacedNodes | None = None
        self._log_seen: tuple[int, int] | None = None
        self._sentence = QLabel(self)
        self._said_title = MutedLabel(self.tr("What was said while the session was created:"), self)
        self._said = QPlainTextEdit(self)
        self._ops = PlacementTableModel(self._icon_of, self)
        self._proxy = QSortFilterProxyModel(self)
        self._op_view = TableView(self.tr("EPs and operators"), self)
        self._names = NodeTableModel(self)
        self._name_view = TableView(self.tr("Nodes"), self)
        self._filter = QLineEdit(self)
        self._count = MutedLabel(parent=self)
        self._node_side = QWidget(self)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._build()
        self._connect()
        self.show_trial(None)

    def _build(self) -> None:
        self._sentence.setWordWrap(True)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._said.setReadOnly(True)
        self._said.setAccessibleName(self.tr("What was said while the session was created"))
        self._proxy.setSourceModel(self._ops)
        self._proxy.setSortRole(SORT_ROLE)
        self._proxy.setSortCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._op_view.setModel(self._proxy)
        self._op_view.setSortingEnabled(True)
        self._op_view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._op_view.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._name_view.setModel(self._names)
        self._name_view.setSortingEnabled(True)
        self._name_view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._name_view.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for view in (self._op_view, self._name_view):
            view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        character = self.fontMetrics().averageCharWidth()
        for view, widths in ((self._op_view, (16, 13, 8, 12)), (self._name_view, (20, 14, 12))):
            for column, characters in enumerate(widths):
                view.horizontalHeader().resizeSection(column, character * characters)
        self._filter.setPlaceholderText(self.tr("Filter nodes"))
        self._filter.setAccessibleName(self.tr("Filter nodes"))
        self._filter.setClearButtonEnabled(True)
        self._assemble()

    def _assemble(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._filter, 1)
        head.addWidget(self._count)
        right = QVBoxLayout(self._node_side)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(3)
        right.addLayout(head)
        right.addWidget(self._name_view, 1)
        self.splitter.addWidget(self._op_view)
        self.splitter.addWidget(self._node_side)
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self._sentence)
        layout.addWidget(self._said_title)
        layout.addWidget(self._said)
        layout.addWidget(self.splitter, 1)

    def _connect(self) -> None:
        self._filter.textChanged.connect(self._names.set_filter_text)
        self._names.modelReset.connect(self._show_count)
        self._op_view.selectionModel().selectionChanged.connect(self._show_names)

    def show_trial(self, trial: TrialRun | None) -> None:
        """Show what is known of a trial's placement; costs little when nothing of it has changed."""
        self._show_reasons(trial)
        placement = None if trial is None else trial.facts.placement
        nodes = None if trial is None else trial.nodes
        hint = placement_hint(trial)
        wanted = () if trial is None else trial.facts.wanted_eps
        self._sentence.setText(verdict_text(placement, wanted))
        self._sentence.setVisible(bool(self._sentence.text()))
        self._op_view.empty_hint = hint
        self._op_view.viewport().update()
        self._node_side.setVisible(not hint)
        if placement == self._shown and nodes is self._nodes:
            return
        self._shown, self._nodes = placement, nodes
        self._ops.set_rows(placed_ops(placement, nodes, wanted))
        self._show_names()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._ops.set_rows(self._ops.rows)

    def _show_reasons(self, trial: TrialRun | None) -> None:
        seen = None if trial is None else (id(trial), len(trial.log))
        if seen == self._log_seen:
            return
        self._log_seen = seen
        is_whole = trial is None or trial.verdict is PlacementVerdict.ALL
        reasons = () if trial is None or is_whole else placement_reasons(trial.log.lines, trial.facts.wanted_eps)
        text = "\n".join(reasons)
        self._said_title.setVisible(bool(reasons))
        self._said.setVisible(bool(reasons))
        if text != self._said.toPlainText():
            self._said.setPlainText(text)
        self._fit_reasons()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; the reasons wrap anew."""
        super().resizeEvent(event)
        self._fit_reasons()

    def _fit_reasons(self) -> None:
        """Give the reasons the lines they need, few of them."""
        metrics, width = self._said.fontMetrics(), max(1, self.width() - 30)
        lines = sum(1 + metrics.horizontalAdvance(text) // width for text in self._said.toPlainText().splitlines())
        self._said.setFixedHeight(metrics.lineSpacing() * min(_MOST_LINES, max(1, lines)) + 12)

    def _show_names(self) -> None:
        rows = [index.data(ROW_ROLE) for index in self._op_view.selectionModel().selectedRows()]
        chosen = [row for row in rows if isinstance(row, PlacedOp)]
        self._names.show_nodes(chosen or self._ops.rows)
        self._show_count()

    def _show_count(self) -> None:
        shown, total = self._names.rowCount(), self._names.total
        left_out = 0 if self._nodes is None else self._nodes.left_out
        text = self.tr("{0} of {1} nodes").format(count_text(shown), count_text(total))
        if shown == total:
            text = self.tr("1 node") if total == 1 else self.tr("{0} nodes").format(count_text(total))
        if left_out:
            text += self.tr(", names of {0} left out").format(count_text(left_out))
        self._count.setText(text)
        self._name_view.empty_hint = (
            self.tr("The names of the nodes are not known.") if not total else self.tr("No node holds these words.")
        )

    def _icon_of(self, is_wanted: bool) -> QIcon:
        tone, name = (Tone.GOOD, "loaded") if is_wanted else (Tone.DOUBTFUL, "part")
        return tone_icon(name, self.palette(), tone)
