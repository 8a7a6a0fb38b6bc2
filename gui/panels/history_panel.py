"""The history: every trial that was kept, found again, opened, described and deleted."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QHideEvent, QIcon, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..dialogs.trial_words import TrialWordsDialog
from ..models.history_table import HistoryTableModel, outcome_text, placement_text
from ..models.texts import DASH, count_text
from ..models.verdict_texts import Tone
from ..records.failure import Failure, FailureKind
from ..records.placement import PlacementVerdict
from ..records.result import Outcome
from ..store.summaries import TrialSummary
from .tones import tone_icon
from .undo_bar import UndoBar
from .widgets import FailureBox, MutedLabel, TableView

_LOOK_MS: Final = 5000
_SOON_MS: Final = 200
_MOST_OPENED: Final = 100
_OUTCOME_ICONS: Final = {Outcome.FINISHED: "loaded", Outcome.STOPPED: "stopped", Outcome.FAILED: "failed"}
_WIDEST: Final = {1: 28, 2: 30, 11: 24, 12: 24, 13: 36, 14: 40}


class HistoryPanel(QWidget):
    """Asks by signals and shows what it is told. While it is not to be seen it asks for nothing."""

    read_requested = Signal()
    """All summaries are wanted."""
    new_requested = Signal()
    """The summaries that came since are wanted."""
    look_requested = Signal()
    """It shall be found out whether another window has changed something."""
    open_requested = Signal(tuple)
    """The ids of trials to be shown, the oldest first."""
    compare_requested = Signal(tuple)
    """The ids of trials to be compared, the oldest first."""
    comparison_requested = Signal(str)
    """The id of a comparison of which all trials are to be compared."""
    words_chosen = Signal(tuple, object, object)
    """As the dialog for tags and note tells them."""
    delete_requested = Signal(tuple)
    restore_requested = Signal(tuple)
    """The ids of trials."""
    again_requested = Signal()
    """What failed shall be tried again."""
    failure_dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = HistoryTableModel(self._outcome_icon, self._tone_icon, self)
        self._view = TableView(self.tr("History"), self)
        self._filter = QLineEdit(self)
        self._outcomes = QComboBox(self)
        self._verdicts = QComboBox(self)
        self._count = MutedLabel(parent=self)
        self._failure = FailureBox(self)
        self._open = QAction(self.tr("&Open"), self)
        self._compare = QAction(self.tr("&Compare"), self)
        self._edit = QAction(self.tr("&Tags and note…"), self)
        self._delete = QAction(self.tr("&Delete"), self)
        self._undo = QAction(self.tr("&Undo"), self)
        self._undo_bar = UndoBar(self._undo, self)
        self._deleted: list[tuple[str, ...]] = []
        self._kept_selection: tuple[set[str], str, int] = (set(), "", 0)
        self._has_read = self._is_reading = False
        self._is_stale = True
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._build()
        self._connect()
        self._show_count()
        self._on_selection()

    # ---- Built ----

    def _build(self) -> None:
        self._filter.setPlaceholderText(self.tr("Filter trials (Ctrl+F)"))
        self._filter.setToolTip(
            self.tr("Words that model, target, EP, machine, version, failure, tags, note or date (2026-01-31) hold")
        )
        self._filter.setClearButtonEnabled(True)
        self._filter.setAccessibleName(self.tr("Filter trials"))
        self._outcomes.addItem(self.tr("Any outcome"), None)
        for outcome in _OUTCOME_ICONS:
            self._outcomes.addItem(outcome_text(outcome), outcome)
        self._outcomes.setAccessibleName(self.tr("Outcome"))
        self._verdicts.addItem(self.tr("Any placement"), None)
        for verdict in PlacementVerdict:
            word = placement_text(verdict)
            text = self.tr("not known") if word == DASH else self.tr("{0} of the nodes").format(word)
            self._verdicts.addItem(text, verdict)
        self._verdicts.setAccessibleName(self.tr("Placement"))
        self._build_actions()
        view, header = self._view, self._view.horizontalHeader()
        self._model.modelAboutToBeReset.connect(self._keep_selection)  # before the view hears of it
        view.setModel(self._model)
        # By the view's own it asks for each title whether all of 100,000 rows are selected, each time it is drawn.
        header.setSelectionModel(QItemSelectionModel(self._model, header))
        view.setSortingEnabled(True)
        with QSignalBlocker(header):
            header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.addActions([self._open, self._compare, self._edit, self._delete, self._undo])
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self._assemble()

    def _build_actions(self) -> None:
        for action, keys, tip in (
            (self._open, ("Return", "Enter"), self.tr("Show the selected trials below the chart (Enter)")),
            (self._compare, ("Ctrl+Return", "Ctrl+Enter"), ""),
            (self._edit, ("F2",), self.tr("Describe the selected trials (F2)")),
            (self._delete, ("Del",), self.tr("Delete the selected trials; it can be undone (Del)")),
            (self._undo, ("Ctrl+Z",), self.tr("Bring back what was deleted last (Ctrl+Z)")),
        ):
            action.setShortcuts([QKeySequence(key) for key in keys])
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.setToolTip(tip)
        self._undo.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._undo.setEnabled(False)
        self.addAction(self._undo)

    def _assemble(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._filter, 1)
        head.addWidget(self._outcomes)
        head.addWidget(self._verdicts)
        head.addWidget(self._count)
        for action in (self._open, self._compare, self._edit, self._delete):
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setAutoRaise(True)
            head.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self._failure)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._undo_bar)

    def _connect(self) -> None:
        self._filter.textChanged.connect(self._model.set_filter_text)
        self._outcomes.currentIndexChanged.connect(self._on_outcome)
        self._verdicts.currentIndexChanged.connect(self._on_verdict)
        self._model.modelReset.connect(self._on_reset)
        self._view.doubleClicked.connect(self._open.trigger)
        self._view.selectionModel().selectionChanged.connect(self._on_selection)
        self._open.triggered.connect(self._ask_open)
        self._compare.triggered.connect(self._ask_compare)
        self._edit.triggered.connect(self._ask_words)
        self._delete.triggered.connect(self._ask_delete)
        self._undo.triggered.connect(self._ask_undo)
        self._undo_bar.dismissed.connect(self._forget_deleted)
        self._failure.closed.connect(self.failure_dismissed)
        self._look.timeout.connect(self.look_requested)
        self._soon.timeout.connect(self._refresh)

    # ---- What is told ----

    def show_rows(self, rows: list[TrialSummary]) -> None:
        """Show these trials, in the order in which they came into the store."""
        is_first = not self._has_read
        self._has_read, self._is_reading = True, False
        self._model.set_rows(rows)
        if is_first:
            self._fit_columns()
        if self._is_stale and self.isVisible():
            self._soon.start()

    def add_rows(self, rows: list[TrialSummary]) -> None:
        """Show trials that came into the store after all others."""
        if self._has_read:
            was_empty = self._model.total == 0
            self._model.add_rows(rows)
            if was_empty:
                self._fit_columns()

    def update_rows(self, rows: list[TrialSummary]) -> None:
        """Show a later state of trials."""
        if self._has_read and self.isVisible():
            self._model.update_rows(rows)
        else:
            self._is_stale = True

    def note_kept(self) -> None:
        """Hear that a trial came into the store."""
        if self._has_read and self.isVisible() and not self._is_stale:
            self.new_requested.emit()
        else:
            self._is_stale = True

    def note_changed(self) -> None:
        """Hear that something in the store has changed."""
        self._is_stale = True
        if self.isVisible():
            self._soon.start()

    def show_deleted(self, ids: tuple[str, ...]) -> None:
        """Take deleted trials away, and offer to bring them back."""
        row = self._view.currentIndex().row()
        self._model.remove_rows(ids)
        self._deleted.append(ids)
        self._show_undo()
        if self._model.rowCount() and not self._view.selectionModel().hasSelection():
            self._view.choose_row(min(max(row, 0), self._model.rowCount() - 1))

    def show_failure(self, failure: Failure | None) -> None:
        """Show what is wrong with the store, or that nothing is any more."""
        had_one = self._failure.failure is not None
        can_try = failure is not None and failure.kind is FailureKind.STORE_UNUSABLE
        self._failure.set_choices(*(((self.tr("Try again"), self.again_requested.emit),) if can_try else ()))
        self._failure.show_failure(failure)
        self._is_reading = False
        self._show_count()
        if failure is None and had_one:
            self.note_changed()

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self._filter.setFocus()
        self._filter.selectAll()

    # ---- What is seen ----

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's."""
        super().showEvent(event)
        self._look.start()
        if self._is_stale:
            self._refresh()
        else:
            self.look_requested.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt's."""
        super().hideEvent(event)
        self._look.stop()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._view.viewport().update()

    def _refresh(self) -> None:
        if not self._is_reading:  # else what is told then is stale, and read anew
            self._is_reading, self._is_stale = True, False
            self.read_requested.emit()

    def _fit_columns(self) -> None:
        self._view.fit_columns(_WIDEST)

    def _keep_selection(self) -> None:
        current = self._view.currentIndex().row()
        shown = self._model.rowCount()
        ids = {self._model.row(number).id for number in self._selected_rows()}
        current_id = self._model.row(current).id if 0 <= current < shown else ""
        self._kept_selection = (ids, current_id, self._view.verticalScrollBar().value())

    def _on_reset(self) -> None:
        ids, current_id, scrolled = self._kept_selection
        chosen, last = QItemSelection(), self._model.columnCount() - 1
        for first, end in _ranges(self._model.row_numbers(ids)):
            chosen.select(self._model.index(first, 0), self._model.index(end, last))
        selection, flags = self._view.selectionModel(), QItemSelectionModel.SelectionFlag
        current = self._model.row_numbers({current_id} if current_id else set())
        if current:
            selection.setCurrentIndex(self._model.index(current[0], 0), flags.NoUpdate)
        selection.select(chosen, flags.ClearAndSelect)
        self._view.verticalScrollBar().setValue(scrolled)
        self._show_count()
        self._on_selection()

    def _selected_rows(self) -> list[int]:
        """Return the numbers of the selected rows, from top to bottom; by ranges, for there may be many."""
        ranges = self._view.selectionModel().selection().toList()
        return sorted({row for part in ranges for row in range(part.top(), part.bottom() + 1)})

    def _selected(self) -> list[TrialSummary]:
        return [self._model.row(number) for number in self._selected_rows()]

    def _on_selection(self) -> None:
        chosen = self._selected_rows()
        for action in (self._open, self._edit, self._delete):
            action.setEnabled(bool(chosen))
        is_part = len(chosen) == 1 and self._model.row(chosen[0]).comparison is not None
        self._compare.setEnabled(is_part or len(chosen) > 1)
        self._compare.setText(self.tr("Open its &comparison") if is_part else self.tr("&Compare"))
        whole = self.tr("Compare this trial with the others of its comparison (Ctrl+Enter)")
        self._compare.setToolTip(whole if is_part else self.tr("Compare the selected trials (Ctrl+Enter)"))

    def _show_count(self) -> None:
        shown, total = self._model.rowCount(), self._model.total
        text = self.tr("1 trial") if total == 1 else self.tr("{0} trials").format(count_text(total))
        if shown != total:
            text = self.tr("{0} of {1}").format(count_text(shown), text)
        self._count.setText(text if self._has_read else "")
        if not self._has_read:
            hint = self.tr("The history is being read…")
            if self._failure.failure is not None:
                hint = self.tr("The history cannot be read.")
        elif total:
            hint = self.tr("No trial passes the filter.")
        else:
            hint = self.tr("No trial was kept yet. Each is kept here as soon as it has ended.")
        self._view.empty_hint = hint
        self._view.viewport().update()

    def _outcome_icon(self, outcome: Outcome) -> QIcon | None:
        name = _OUTCOME_ICONS.get(outcome)
        return None if name is None else theme.icon(name, self.palette())

    def _tone_icon(self, name: str, tone: Tone) -> QIcon:
        return tone_icon(name, self.palette(), tone)

    # ---- What is asked for ----

    def _on_outcome(self) -> None:
        self._model.set_outcome(self._outcomes.currentData())

    def _on_verdict(self) -> None:
        self._model.set_verdict(self._verdicts.currentData())

    def _ask_open(self) -> None:
        chosen = self._selected_to_open()
        if chosen:
            self.open_requested.emit(tuple(row.id for row in chosen))

    def _ask_compare(self) -> None:
        chosen = self._selected_to_open()
        if len(chosen) > 1:
            self.compare_requested.emit(tuple(row.id for row in chosen))
        elif chosen and chosen[0].comparison is not None:
            self.comparison_requested.emit(chosen[0].comparison)

    def _selected_to_open(self) -> list[TrialSummary]:
        """Return the selected trials, the oldest first; none when they are too many, which is said."""
        chosen = sorted(self._selected(), key=lambda row: row.number)
        if len(chosen) <= _MOST_OPENED:
            return chosen
        self._failure.show_failure(
            Failure(
                kind=FailureKind.BAD_SETTING,
                message=self.tr("{0} trials are selected; at most {1} open at a time.").format(
                    count_text(len(chosen)), count_text(_MOST_OPENED)
                ),
                hint=self.tr("Select fewer."),
            )
        )
        return []

    def _ask_words(self) -> None:
        chosen = self._selected()
        if chosen:
            trials = tuple((row.id, row.tags, row.note) for row in chosen)
            dialog = TrialWordsDialog(trials, self._model.known_tags, self)
            dialog.words_chosen.connect(self.words_chosen)
            dialog.open()

    def _ask_delete(self) -> None:
        ids = tuple(row.id for row in self._selected())
        if ids:
            self.delete_requested.emit(ids)

    def _ask_undo(self) -> None:
        if self._deleted:
            self.restore_requested.emit(self._deleted.pop())
            self._show_undo()

    def _forget_deleted(self) -> None:
        self._deleted.clear()
        self._show_undo()

    def _show_undo(self) -> None:
        self._undo.setEnabled(bool(self._deleted))
        if not self._deleted:
            self._undo_bar.show_text("")
            return
        count = len(self._deleted[-1])
        one, many = self.tr("1 trial deleted."), self.tr("{0} trials deleted.").format(count_text(count))
        self._undo_bar.show_text(one if count == 1 else many)


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Return the first and last of each run of numbers that follow each other."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
