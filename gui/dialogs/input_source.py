"""Where the values of one input come from: left to the engine, generated, a file, an image, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QRadioButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ..models.input_table import described, is_automatic
from ..models.input_types import may_be_left_out, short_type, source_problem, takes_image
from ..panels.widgets import ElidedLabel, MutedLabel
from ..records.inputs import InputProposal, InputSource, SourceKind
from ..records.model import TensorInfo
from .image_page import ImagePage
from .source_pages import FilePage, GeneratedPage, SourcePage


class InputSourceDialog(QDialog):
    """Radio buttons for the kinds of source that suit the input, and the fields of the one chosen."""

    source_chosen = Signal(object)
    """`InputSource`, or None: what `source` returns when *OK* is pressed."""

    def __init__(
        self,
        tensor: TensorInfo,
        source: InputSource | None,
        proposal: InputProposal | None,
        *,
        is_initializer: bool = False,
        sizes: Mapping[str, int] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`sizes` are those of the free dimensions, to tell how many values there must be."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Values of {0}").format(tensor.name))
        self._tensor = tensor
        self._is_initializer = is_initializer
        self._proposal = proposal
        self._group = QButtonGroup(self)
        self._stack = QStackedWidget(self)
        self._kinds: list[SourceKind | None] = []
        """Of the buttons, by their ids; None stands for what happens when nothing is set."""
        self._pages: dict[SourceKind, SourcePage] = {}
        self._problem = QLabel(self)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        self._build(source, sizes or {})
        self._restore(source)
        self._group.idToggled.connect(self._on_toggled)
        for page in self._pages.values():
            page.changed.connect(self._check)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._check()

    def source(self) -> InputSource | None:
        """Return what is chosen; None leaves the input to the engine, an initializer its own value.

        Raises `ValueError` with a sentence when it cannot be used; *OK* cannot be pressed then.
        """
        kind = self._kinds[self._group.checkedId()]
        if kind is None:
            return None
        if kind is SourceKind.OMITTED:
            return InputSource(name=self._tensor.name, kind=SourceKind.OMITTED)
        found = self._pages[kind].source()
        problem = source_problem(self._tensor, found, is_initializer=self._is_initializer)
        if problem is not None:
            raise ValueError(problem)
        return None if is_automatic(found, self._tensor, is_initializer=self._is_initializer) else found

    def accept(self) -> None:
        """Qt's; tells what is chosen, when it can be used."""
        if self._buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled():
            self.source_chosen.emit(self.source())
            super().accept()

    def choose_file(self, path: str) -> None:
        """Choose a file, with its fields to be seen."""
        self._pages[SourceKind.FILE].show_source(InputSource(name=self._tensor.name, kind=SourceKind.FILE, path=path))
        self._group.button(self._kinds.index(SourceKind.FILE)).setChecked(True)

    def _build(self, source: InputSource | None, sizes: Mapping[str, int]) -> None:
        head = ElidedLabel(self)
        head.show_text(f"{self._tensor.name}  ·  {short_type(self._tensor.type)}  ·  {self._tensor.shape_text}")
        font = head.font()
        font.setBold(True)
        head.setFont(font)
        layout = QVBoxLayout(self)
        layout.addWidget(head)
        layout.addSpacing(4)
        for text, kind in self._choices():
            button = QRadioButton(text, self)
            self._group.addButton(button, len(self._kinds))
            self._kinds.append(kind)
            self._stack.addWidget(self._page_of(kind, source, sizes))
            layout.addWidget(button)
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        layout.addWidget(line)
        layout.addWidget(self._stack, 1)
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._problem.setMinimumHeight(2 * self.fontMetrics().height())  # a sentence of two lines squeezes no field
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons)
        self.resize(480, self.sizeHint().height())

    def _choices(self) -> list[tuple[str, SourceKind | None]]:
        own = self.tr("&Left out: the model's own value")
        choices: list[tuple[str, SourceKind | None]] = [
            (own if self._is_initializer else self.tr("&Automatic"), None),
            (self.tr("&Generated"), SourceKind.GENERATED),
            (self.tr("From a &file"), SourceKind.FILE),
        ]
        if takes_image(self._tensor):
            choices.append((self.tr("From an i&mage"), SourceKind.IMAGE))
        if may_be_left_out(self._tensor, is_initializer=False):
            choices.append((self.tr("&Left out"), SourceKind.OMITTED))
        return choices

    def _page_of(self, kind: SourceKind | None, source: InputSource | None, sizes: Mapping[str, int]) -> QWidget:
        match kind:
            case SourceKind.GENERATED:
                known = (source, self._proposal.source if self._proposal is not None else None)
                fills = tuple(entry.fill for entry in known if entry is not None and entry.kind is SourceKind.GENERATED)
                page: SourcePage = GeneratedPage(self._tensor, sizes, also=fills, parent=self)
            case SourceKind.FILE:
                page = FilePage(self._tensor, self)
            case SourceKind.IMAGE:
                page = ImagePage(self._tensor, self)
            case _:
                return self._words(kind)
        self._pages[kind] = page
        return page

    def _words(self, kind: SourceKind | None) -> QWidget:
        """Return what is to be said of a choice that has no fields."""
        if kind is SourceKind.OMITTED:
            text, reason = self.tr("The optional input stays empty."), ""
        elif self._is_initializer:
            text, reason = self.tr("The model keeps the value it was saved with."), ""
        elif self._proposal is None:
            text, reason = self.tr("Values that suit the input are generated from the seed."), ""
        else:
            text, reason = described(self._tensor, self._proposal.source), self._proposal.reason
        words = QWidget(self)
        layout = QVBoxLayout(words)
        layout.setContentsMargins(0, 0, 0, 0)
        for label in (QLabel(text, words), MutedLabel(reason, words)):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setVisible(bool(label.text()))
            layout.addWidget(label)
        layout.addStretch(1)
        return words

    def _restore(self, source: InputSource | None) -> None:
        proposed = self._proposal.source if self._proposal is not None else None
        for start in (source, proposed, InputSource(name=self._tensor.name)):
            if start is not None and start.kind is SourceKind.GENERATED:
                self._pages[SourceKind.GENERATED].show_source(start)
                break
        kind = source.kind if source is not None else None
        if source is not None and kind in self._pages and kind is not SourceKind.GENERATED:
            self._pages[kind].show_source(source)
        chosen = self._kinds.index(kind) if kind in self._kinds else 0
        self._group.button(chosen).setChecked(True)
        self._stack.setCurrentIndex(chosen)

    def _on_toggled(self, number: int, checked: bool) -> None:
        if checked:
            self._stack.setCurrentIndex(number)
            self._check()

    def _check(self) -> None:
        try:
            self.source()
            problem = ""
        except ValueError as error:
            problem = str(error)
        self._problem.setText(problem)
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not problem)
