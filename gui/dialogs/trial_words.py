"""Asks for the tags and the note of kept trials."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from ..panels.widgets import MutedLabel
from ..records.kept_trial import clean_tags

_Words = tuple[str, tuple[str, ...], str]
"""Id, tags, note."""


class TrialWordsDialog(QDialog):
    """Two fields. Of several trials it shows the tags that all have and the note where all have the same."""

    words_chosen = Signal(tuple, object, object)
    """Ids of trials, their tags (a tuple) or None, their note or None: None stays as it is. May come several times."""

    def __init__(self, trials: tuple[_Words, ...], known_tags: tuple[str, ...], parent: QWidget | None = None) -> None:
        """`trials` are ids, tags and notes; `known_tags` those to be offered while one types."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._trials = trials
        self._common = tuple(tag for tag in trials[0][1] if all(tag in tags for _id, tags, _note in trials))
        notes = {note for _id, _tags, note in trials}
        self._note_before = notes.pop() if len(notes) == 1 else None
        self._tags = QLineEdit(", ".join(self._common), self)
        self._note = QPlainTextEdit(self._note_before or "", self)
        standard = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(standard.Ok | standard.Cancel, self)
        self._build(known_tags)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    def _build(self, known_tags: tuple[str, ...]) -> None:
        count = len(self._trials)
        title = self.tr("Tags and note") if count == 1 else self.tr("Tags and note of {0} trials").format(count)
        self.setWindowTitle(title)
        self._tags.setPlaceholderText(self.tr("Words, separated by commas"))
        self._tags.setCompleter(_TagCompleter(known_tags, self._tags))
        self._note.setTabChangesFocus(True)
        if self._note_before is None:
            self._note.setPlaceholderText(self.tr("Their notes differ; what is written here replaces all of them."))
        form = QFormLayout()
        form.addRow(self.tr("&Tags"), self._tags)
        form.addRow(self.tr("&Note"), self._note)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        if count > 1:
            hint = MutedLabel(self.tr("Tags that only some of them have stay with these."), self)
            hint.setWordWrap(True)
            layout.addWidget(hint)
        layout.addWidget(self._buttons)
        self.resize(460, 230)
        self._tags.setFocus()

    def accept(self) -> None:
        """Qt's; tells what has changed, trials that get the same together."""
        tags = clean_tags(self._tags.text().split(","))
        note = self._note.toPlainText()
        has_note = note != (self._note_before or "")
        groups: dict[tuple[str, ...], list[str]] = {}
        for trial_id, before, _note in self._trials:
            own = (tag for tag in before if tag not in self._common)
            groups.setdefault(clean_tags((*tags, *own)), []).append(trial_id)
        has_tags = tags != self._common
        if has_tags:
            for wanted, ids in groups.items():
                self.words_chosen.emit(tuple(ids), wanted, note if has_note else None)
        elif has_note:
            self.words_chosen.emit(tuple(entry[0] for entry in self._trials), None, note)
        super().accept()


class _TagCompleter(QCompleter):
    """Completes the tag behind the last comma."""

    def __init__(self, tags: tuple[str, ...], field: QLineEdit) -> None:
        super().__init__(field)
        self._field = field
        self.setModel(QStringListModel(list(tags), self))
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def splitPath(self, path: str) -> list[str]:
        """Qt's."""
        return [path.rpartition(",")[2].strip()]

    def pathFromIndex(self, index: object) -> str:
        """Qt's."""
        before, comma, _last = self._field.text().rpartition(",")
        return f"{before}{comma} {index.data()}".strip()  # type: ignore[attr-defined]
