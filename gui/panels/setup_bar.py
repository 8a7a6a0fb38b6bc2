"""What the set-up opened last misses here, and the way to get it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from .. import theme
from ..records.setup import SetupLibrary


class SetupBar(QFrame):
    """Hidden while nothing is to be said."""

    load_requested = Signal()
    """Load the libraries that the set-up needs."""
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told: tuple[str, ...] = ()
        self._wanted: tuple[SetupLibrary, ...] = ()
        self._text = QLabel(self)
        self._load = QPushButton(self.tr("Load"), self)
        self._dismiss = QToolButton(self)
        self._build()
        self._load.clicked.connect(self.load_requested)
        self._dismiss.clicked.connect(self.dismissed)
        self._show()

    def _build(self) -> None:
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._load.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._dismiss.setIcon(theme.icon("remove"))
        self._dismiss.setAutoRaise(True)
        self._dismiss.setAccessibleName(self.tr("Dismiss"))
        self._dismiss.setToolTip(self.tr("Dismiss"))
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 4, 4, 4)
        row.addWidget(self._text, 1)
        row.addWidget(self._load)
        row.addWidget(self._dismiss, 0, Qt.AlignmentFlag.AlignTop)

    def show_told(self, sentences: tuple[str, ...]) -> None:
        """Show what is to be said of the set-up; none when all is well."""
        self._told = sentences
        self._show()

    def show_wanted(self, libraries: tuple[SetupLibrary, ...]) -> None:
        """Show the libraries that the set-up needs and that are not loaded."""
        self._wanted = libraries
        self._show()

    def _show(self) -> None:
        sentences = [*self._told]
        if self._wanted:
            names = ", ".join(f"“{library.name}”" for library in self._wanted)
            sentences.insert(0, self.tr("This set-up needs libraries that are not loaded: {0}.").format(names))
        self._text.setText(" ".join(sentences))
        self._text.setToolTip("\n".join(library.path for library in self._wanted))
        self._load.setVisible(bool(self._wanted))
        self.setVisible(bool(sentences))
