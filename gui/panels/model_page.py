"""What is known of the model before it runs, to be searched and copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ..models.detail_tree import DetailGroup
from ..models.model_tree import filtered, model_groups
from ..records.model import ModelDescription
from .details_view import DetailsView
from .widgets import MutedLabel


class ModelPage(QWidget):
    """Groups of key and value, and a field that leaves those with the words typed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._description: ModelDescription | None = None
        self._groups: tuple[DetailGroup, ...] = ()
        self._filter = QLineEdit(self)
        self._view = DetailsView(self.tr("What is known of the model"), self)
        self._hint = MutedLabel(parent=self)
        self._build()
        self._filter.textChanged.connect(self._show)
        self._show()

    def _build(self) -> None:
        self._filter.setPlaceholderText(self.tr("Filter by name or value"))
        self._filter.setAccessibleName(self.tr("Filter what is known of the model"))
        self._filter.setClearButtonEnabled(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self._filter)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._hint, 1)

    def show_model(self, description: ModelDescription | None) -> None:
        """Show what is known of a model."""
        if description != self._description:
            self._description = description
            self._groups = () if description is None else model_groups(description)
            self._show()

    def _show(self) -> None:
        shown = filtered(self._groups, self._filter.text())
        self._view.show_groups(shown)
        self._view.setVisible(bool(shown))
        self._hint.setVisible(not shown)
        self._filter.setEnabled(bool(self._groups))
        if self._groups:
            self._hint.setText(self.tr("Nothing known of the model holds these words."))
        else:
            self._hint.setText(self.tr("Choose a model to see what it is made of."))
