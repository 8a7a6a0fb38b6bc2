"""What became of compiling a model: where it was saved, how long it took, and the way to a trial of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from .. import theme
from ..models.texts import count_text, size_text, time_text
from ..records.trial import CompiledModel
from ..state import Compilation, State
from .widgets import FailureBox


class CompileBox(QFrame):
    """Hidden until something was compiled."""

    use_requested = Signal(str)
    """The path of the compiled model."""
    dismissed = Signal()

    def __init__(self, state: State, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._text = QLabel(self)
        self._use = QPushButton(self.tr("Use it"), self)
        self._dismiss = QToolButton(self)
        self._failure = FailureBox(self)
        self._build()
        self._use.clicked.connect(self._on_use)
        self._dismiss.clicked.connect(self.dismissed)
        self._failure.closed.connect(self.dismissed)
        state.compilation_changed.connect(self._show)
        self._show()

    def _build(self) -> None:
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._use.setToolTip(self.tr("Choose the compiled model for the next trial"))
        self._dismiss.setIcon(theme.icon("remove"))
        self._dismiss.setAutoRaise(True)
        self._dismiss.setAccessibleName(self.tr("Dismiss"))
        self._dismiss.setToolTip(self.tr("Dismiss"))
        row = QHBoxLayout()
        row.addWidget(self._text, 1)
        row.addWidget(self._use)
        row.addWidget(self._dismiss, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 4, 4)
        column.addLayout(row)
        column.addWidget(self._failure)

    def _show(self) -> None:
        compilation = self._state.compilation
        self.setVisible(compilation is not None)
        if compilation is None:
            return
        self._failure.show_failure(compilation.failure)
        self._text.setText(self._words(compilation))
        self._text.setToolTip(compilation.path)
        self._use.setVisible(compilation.result is not None)
        self._dismiss.setVisible(compilation.result is not None)  # a failure has one of its own

    def _words(self, compilation: Compilation) -> str:
        name, target = compilation.model_name, compilation.target_text
        if compilation.result is not None:
            return self._result_words(compilation.result)
        if compilation.failure is not None:
            return self.tr("{0} was not compiled for {1}.").format(name, target)
        if compilation.stopping:
            return self.tr("Compiling {0} for {1}: stopping…").format(name, target)
        return self.tr("Compiling {0} for {1}…").format(name, target)

    def _result_words(self, result: CompiledModel) -> str:
        text = self.tr("Compiled in {0}: {1}, {2}").format(
            time_text(result.duration_ns), Path(result.path).name, size_text(result.size_bytes)
        )
        if len(result.files) > 1:
            text += self.tr(" in {0} files").format(count_text(len(result.files)))
        if result.context_nodes is not None:
            text += self.tr("; EPContext nodes: {0}, others: {1}").format(
                count_text(result.context_nodes), count_text(result.other_nodes)
            )
        return text + "."

    def _on_use(self) -> None:
        compilation = self._state.compilation
        if compilation is not None and compilation.result is not None:
            self.use_requested.emit(compilation.result.path)
