"""Free session-config entries: a table of key and value that proposes the well-known keys."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QHeaderView,
    QLineEdit,
    QListView,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..models.option_table import OptionTableModel
from ..records.codec import StringMap, from_json
from .widgets import MutedLabel, TableView

CATALOGUE_FORMAT: Final = "ort-device-explorer session-config keys 1"
MAX_KEY_LENGTH: Final = 1024
"""ORT's."""
_Index = QModelIndex | QPersistentModelIndex
_KEY_COLUMN, _VALUE_COLUMN = 0, 1
_SHOWN_ROWS: Final = 2
_PROPOSALS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigKey:
    """A key that ORT is known to read."""

    key: str
    description: str
    """One sentence."""
    values: tuple[str, ...] = ()
    """All that it takes; none where any text may do."""
    default: str = ""
    """Empty where there is none or it depends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigCatalogue:
    """`resources/session_config.json`."""

    format: str
    source: str
    """Where the keys are documented."""
    version: str
    """Of ORT."""
    keys: tuple[ConfigKey, ...]


@cache
def config_catalogue() -> ConfigCatalogue:
    """Return the catalogue that ships with the application, read once when it is first needed."""
    path = theme.RESOURCES / "session_config.json"
    return from_json(ConfigCatalogue, json.loads(path.read_text(encoding="utf-8")))


def known_key(key: str) -> ConfigKey | None:
    """Return what is known of a key; None for one that is not in the catalogue."""
    return next((entry for entry in config_catalogue().keys if entry.key == key), None) if key else None


class SessionConfigTable(QWidget):
    """The entries, and what the one that is current means."""

    entries_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = OptionTableModel(self)
        self.view = TableView(self.tr("Session-config entries"), self)
        self._delegate = _EntryDelegate(self.view)
        self._remove = QAction(self.tr("Remove entry"), self.view)
        self._about = MutedLabel(parent=self)
        self._build()
        self._model.options_changed.connect(self.entries_changed)
        self._model.options_changed.connect(self._show_meaning)
        self._model.modelReset.connect(self._show_meaning)
        self.view.selectionModel().currentChanged.connect(self._show_meaning)
        self._show_meaning()

    def _build(self) -> None:
        view = self.view
        view.setModel(self._model)
        view.setItemDelegate(self._delegate)
        trigger = QAbstractItemView.EditTrigger
        view.setEditTriggers(trigger.AnyKeyPressed | trigger.EditKeyPressed | trigger.DoubleClicked)
        view.clicked.connect(view.edit)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        view.setShowGrid(True)
        view.setToolTip(
            self.tr("add_session_config_entry: type a key and a value, or key=value. ORT takes unknown keys, too.")
        )
        header = view.horizontalHeader()
        for column in range(self._model.columnCount()):
            view.setColumnHidden(column, column > _VALUE_COLUMN)
        header.setSectionResizeMode(_KEY_COLUMN, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_VALUE_COLUMN, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(_VALUE_COLUMN, view.fontMetrics().averageCharWidth() * 14)
        rows = view.verticalHeader().defaultSectionSize()
        view.setMinimumHeight(header.sizeHint().height() + _SHOWN_ROWS * rows + 4)
        # The page takes a height of its own from the wrapped text: without this it would want room for many rows.
        view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._remove.setShortcut(QKeySequence.StandardKey.Delete)
        self._remove.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._remove.triggered.connect(self._remove_current)
        view.addAction(self._remove)
        self._about.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(view, 1)
        layout.addWidget(self._about)

    @property
    def entries(self) -> StringMap:
        """Keys and values as typed."""
        return self._model.options

    def show_entries(self, entries: StringMap) -> None:
        """Show these entries; tells of it when they are others."""
        if entries != self.entries:
            self._model.set_options(entries)

    def problem(self) -> str | None:
        """Return what is wrong with the entries, in one sentence with what to do, or None."""
        return self._model.problem() or next(filter(None, map(self._problem_of, dict(self.entries))), None)

    def _problem_of(self, key: str) -> str | None:
        if key == "session.record_ep_graph_assignment_info":
            return self.tr("“{0}” is always switched on, to tell where a model ran. Remove the entry.").format(key)
        if key == "session.compile_only":
            return self.tr("“{0}” is ORT's own. Remove the entry; to compile a model, choose Compile.").format(key)
        field = self._fields().get(key)
        if field is not None:
            return self.tr("“{0}” has a field of its own: set “{1}” and remove the entry.").format(key, field)
        if len(key) > MAX_KEY_LENGTH:
            return self.tr("The key “{0}…” is longer than ORT takes. Shorten it.").format(key[:40])
        return None

    def _fields(self) -> dict[str, str]:
        """Return the keys that fields of the page stand for; as entries, ORT passes all but the first over."""
        return {
            "session.disable_cpu_ep_fallback": self.tr("Strict"),
            "session.intra_op_num_threads": self.tr("Intra-op"),
            "session.inter_op_num_threads": self.tr("Inter-op"),
            "session.execution_mode": self.tr("Execution"),
            "session.graph_optimization_level": self.tr("Optimise"),
            "session.log_severity_level": self.tr("Log"),
            "session.enable_mem_pattern": self.tr("Memory pattern"),
            "session.enable_cpu_mem_arena": self.tr("Memory arena"),
            "session.use_deterministic_compute": self.tr("Deterministic"),
            "session.optimized_model_filepath": self.tr("Save optimised"),
        }

    def _show_meaning(self) -> None:
        row = self.view.currentIndex().row()
        key = str(self._model.index(row, _KEY_COLUMN).data() or "").strip() if row >= 0 else ""
        known = known_key(key)
        self._about.setText(self._meaning(known) if known is not None else "")
        self._about.setVisible(known is not None)
        self._remove.setEnabled(0 <= row < self._model.rowCount() - 1)

    def _meaning(self, known: ConfigKey) -> str:
        if known.values and known.default:
            takes = self.tr("Values: {0}; default {1}.").format(", ".join(known.values), known.default)
        elif known.default:
            takes = self.tr("Default {0}.").format(known.default)
        else:
            takes = self.tr("Values: {0}.").format(", ".join(known.values)) if known.values else ""
        return f"{known.description} {takes}".strip()

    def _remove_current(self) -> None:
        self._model.remove_row(self.view.currentIndex().row())


class _EntryDelegate(QStyledItemDelegate):
    """Proposes keys, and the values of the key in the same row."""

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, index: _Index) -> QWidget:
        """Qt's."""
        edit = QLineEdit(parent)
        edit.setFrame(False)
        key = str(index.model().index(index.row(), _KEY_COLUMN).data() or "").strip()
        if index.column() == _KEY_COLUMN:
            edit.setAccessibleName(self.tr("Key"))
            _propose(edit, ((entry.key, entry.description) for entry in config_catalogue().keys))
            return edit
        edit.setAccessibleName(self.tr("Value of {0}").format(key) if key else self.tr("Value"))
        known = known_key(key)
        if known is not None and known.values:
            _propose(edit, ((value, known.description) for value in known.values))
        return edit


def _propose(edit: QLineEdit, entries: Iterable[tuple[str, str]]) -> None:
    """Propose texts, each with a tip, while something is typed into a line."""
    completer = QCompleter(edit)
    model = QStandardItemModel(completer)
    for text, tip in entries:
        item = QStandardItem(text)
        item.setToolTip(tip)
        model.appendRow(item)
    completer.setModel(model)
    completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
    completer.setFilterMode(Qt.MatchFlag.MatchContains)
    completer.setMaxVisibleItems(_PROPOSALS)
    popup = QListView()
    completer.setPopup(popup)
    texts = (model.item(row).text() for row in range(model.rowCount()))
    widest = max((popup.fontMetrics().horizontalAdvance(text) for text in texts), default=0)
    popup.setMinimumWidth(widest + popup.fontMetrics().averageCharWidth() * 6)
    edit.setCompleter(completer)
