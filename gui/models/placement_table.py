"""Which EP got which nodes: a table of EP and operator, and one of the nodes' names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QCoreApplication, QLocale, QModelIndex, QObject, Qt
from PySide6.QtGui import QIcon

from ..records.placement import NodeGroup, PlacedNodes, Placement, node_total
from .table import Column, Index, RecordTableModel
from .texts import count_text

_NO_PARENT: Final = QModelIndex()
_Node = tuple[str, str, str]
"""Name, operator, EP."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("PlacementTable", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOp:
    """The nodes of one operator type on one EP."""

    ep_name: str
    op_type: str
    count: int
    share: float
    """Of all nodes of the model, from 0 to 1."""
    is_wanted: bool
    """Whether the EP is one of those that were to run the model."""
    groups: tuple[NodeGroup, ...] = ()
    """The names, by the operator's domain."""


def placed_ops(
    placement: tuple[Placement, ...] | None, nodes: PlacedNodes | None, wanted: tuple[str, ...]
) -> tuple[PlacedOp, ...]:
    """Return what was placed, operator by operator."""
    total = node_total(placement)
    groups: dict[tuple[str, str], list[NodeGroup]] = {}
    for group in () if nodes is None else nodes.groups:
        groups.setdefault((group.ep_name, group.op_type), []).append(group)
    return tuple(
        PlacedOp(
            ep_name=part.ep_name,
            op_type=entry.op_type,
            count=entry.count,
            share=entry.count / total,
            is_wanted=part.ep_name in wanted,
            groups=tuple(groups.get((part.ep_name, entry.op_type), ())),
        )
        for part in placement or ()
        for entry in part.op_types
    )


class PlacementTableModel(RecordTableModel[PlacedOp]):
    """One row an operator on an EP. `wanted_icon` gives the icon of an EP that was, or was not, to run the model."""

    def __init__(self, wanted_icon: Callable[[bool], QIcon | None], parent: QObject | None = None) -> None:
        columns = (
            Column[PlacedOp](
                title=_tr("EP"),
                text=lambda row: row.ep_name,
                icon=lambda row: wanted_icon(row.is_wanted),
                tip=lambda row: (
                    row.ep_name if row.is_wanted else _tr("{0}: not what was to run the model").format(row.ep_name)
                ),
            ),
            Column[PlacedOp](title=_tr("Operator"), text=lambda row: row.op_type, tip=_operator_tip),
            Column[PlacedOp](
                title=_tr("Nodes"),
                text=lambda row: count_text(row.count),
                sort=lambda row: row.count,
                is_number=True,
            ),
            Column[PlacedOp](
                title=_tr("Share"),
                text=lambda row: _share_text(row.share),
                sort=lambda row: row.share,
                is_number=True,
                header_tip=_tr("Of all nodes of the model, by their number, not by their time"),
            ),
        )
        super().__init__(columns, lambda row: (row.ep_name, row.op_type), parent)


def _share_text(share: float) -> str:
    """Return a share so that a few of many do not read as none, nor all but a few as all."""
    percent = round(share * 100, 1)
    if share > 0 and percent < 0.1:
        return _tr("< {0} %").format(QLocale().toString(0.1, "f", 1))
    if share < 1 and percent > 99.9:
        return _tr("> {0} %").format(QLocale().toString(99.9, "f", 1))
    return _tr("{0} %").format(QLocale().toString(percent, "f", 1))


def _operator_tip(row: PlacedOp) -> str:
    domains = dict.fromkeys(group.domain or "ai.onnx" for group in row.groups)
    return f"{row.op_type} ({', '.join(domains)})" if domains else row.op_type


class NodeTableModel(QAbstractTableModel):
    """One row a node: its name, operator and EP.

    It filters and sorts by itself: a proxy would ask Python for each of 20,000 rows, at each key and several times a
    row while it sorts, which takes seconds.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._titles = (_tr("Node"), _tr("Operator"), _tr("EP"))
        self._all: list[_Node] = []
        self._folded: list[str] | None = None
        self._shown: list[_Node] = []
        self._words: tuple[str, ...] = ()
        self._order: tuple[int, bool] | None = None

    @property
    def total(self) -> int:
        """How many there are, shown or not."""
        return len(self._all)

    def show_nodes(self, rows: Iterable[PlacedOp]) -> None:
        """Show the nodes of these operators, in ORT's order until a column is chosen to sort by."""
        nameless = _tr("(no name)")
        self._all = [
            (name or nameless, group.op_type, group.ep_name)
            for row in rows
            for group in row.groups
            for name in group.names
        ]
        self._folded = None
        self._show()

    def set_filter_text(self, text: str) -> None:
        """Show only nodes that hold each of the words."""
        words = tuple(text.casefold().split())
        if words != self._words:
            self._words = words
            self._show()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt's."""
        self._order = (column, order is Qt.SortOrder.DescendingOrder) if column >= 0 else None
        self._show()

    def _show(self) -> None:
        shown: Sequence[_Node] = self._all
        if self._words:
            if self._folded is None:
                self._folded = ["\t".join(node).casefold() for node in self._all]
            found = zip(self._all, self._folded, strict=True)
            shown = [node for node, text in found if all(word in text for word in self._words)]
        if self._order is not None:
            column, backwards = self._order
            shown = sorted(shown, key=itemgetter(column), reverse=backwards)
        self.beginResetModel()
        self._shown = list(shown)
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt's."""
        return 0 if parent.isValid() else len(self._titles)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if index.isValid() and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._shown[index.row()][index.column()]
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """Qt's."""
        known = orientation is Qt.Orientation.Horizontal and 0 <= section < len(self._titles)
        return self._titles[section] if known and role == Qt.ItemDataRole.DisplayRole else None
