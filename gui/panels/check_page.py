"""Whether a trial's outputs are right: each against the CPU's."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QSortFilterProxyModel, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractItemView, QLabel, QVBoxLayout, QWidget

from ..models.check_table import CheckTableModel
from ..models.table import SORT_ROLE
from ..models.verdict_texts import Tone, check_hint, check_sentence
from ..records.check import Agreement, OutputCheck
from ..trial_run import TrialRun
from .tones import tone_icon
from .widgets import TableView

_LOOKS: Final = {
    Agreement.IDENTICAL: (Tone.GOOD, "loaded"),
    Agreement.WITHIN: (Tone.GOOD, "loaded"),
    Agreement.DIFFERENT: (Tone.BAD, "differs"),
    Agreement.NOT_CHECKED: (Tone.PLAIN, "unknown"),
}
_WIDEST: Final = {0: 28, 9: 24, 10: 24}


class CheckPage(QWidget):
    """A sentence, a row an output, and what else is to be known of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._check: OutputCheck | None = None
        self._sentence = QLabel(self)
        self._model = CheckTableModel(self._icon_of, self)
        self._proxy = QSortFilterProxyModel(self)
        self._view = TableView(self.tr("Outputs against the CPU's"), self)
        self._notes = QLabel(self)
        self._build()
        self.show_trial(None)

    def _build(self) -> None:
        for label in (self._sentence, self._notes):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._proxy.setSourceModel(self._model)
        self._proxy.setSortRole(SORT_ROLE)
        self._view.setModel(self._proxy)
        self._view.setSortingEnabled(True)
        self._view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self._sentence)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._notes)

    def show_trial(self, trial: TrialRun | None) -> None:
        """Show what is known of a trial's outputs; costs little when nothing of it has changed."""
        check = None if trial is None else trial.facts.check
        hint = check_hint(trial)
        self._view.empty_hint = hint
        self._view.viewport().update()
        self._sentence.setText("" if hint else check_sentence(trial))
        self._sentence.setVisible(not hint)
        if check == self._check:
            return
        self._check = check
        outputs = () if check is None else check.outputs
        self._model.set_rows(outputs)
        self._view.fit_columns(_WIDEST)
        notes = "\n".join(f"{entry.name}: {entry.note}" for entry in outputs if entry.note)
        self._notes.setText(notes)
        self._notes.setVisible(bool(notes))

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._model.set_rows(self._model.rows)

    def _icon_of(self, agreement: Agreement) -> QIcon:
        tone, name = _LOOKS[agreement]
        return tone_icon(name, self.palette(), tone)
