"""What is to be said of a trial's latencies, below its charts: few of them and a line each, unless asked for all."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from .. import theme
from ..records.latency_remarks import Remark
from .widgets import ElidedLabel

_FEW: Final = 2


class RemarkLines(QWidget):
    """Shows two remarks, cut where they do not fit; all of them as a whole when the button beside them is pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._remarks: tuple[Remark, ...] = ()
        self._lines: list[tuple[QLabel, ElidedLabel]] = []
        self._whole = QLabel(self)
        self._more = QToolButton(self)
        self._more.setAccessibleName(self.tr("All remarks"))
        self._more.setCheckable(True)
        self._more.setAutoRaise(True)
        self._more.hide()
        self._whole.setWordWrap(True)
        self._whole.setTextFormat(Qt.TextFormat.PlainText)
        self._whole.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._whole.hide()
        self._more.toggled.connect(self._show)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(2, 0, 0, 0)
        self._grid.setHorizontalSpacing(5)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self._more, 0, 2, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def show_remarks(self, remarks: tuple[Remark, ...]) -> None:
        """Show these remarks."""
        if remarks == self._remarks:
            return
        self._remarks = remarks
        while len(self._lines) < len(remarks):
            icon, text = QLabel(self), ElidedLabel(self, cut=Qt.TextElideMode.ElideRight)
            self._grid.addWidget(icon, len(self._lines), 0)
            self._grid.addWidget(text, len(self._lines), 1)
            self._lines.append((icon, text))
        self._grid.addWidget(self._whole, len(self._lines), 0, 1, 2)
        self._whole.setText("\n".join(f"{remark.text} {remark.advice}".strip() for remark in remarks))
        for (_, line), remark in zip(self._lines, remarks, strict=False):
            line.show_text(f"{remark.text} {remark.advice}".strip())
            line.setToolTip(f"{remark.text}\n{remark.advice}".strip())
        self._tint()
        self._more.setChecked(False)
        self._show()
        self.setVisible(bool(remarks))

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def _show(self) -> None:
        count, is_whole = len(self._remarks), self._more.isChecked()
        shown = 0 if is_whole else min(count, _FEW)
        for number, line in enumerate(self._lines):
            for widget in line:
                widget.setVisible(number < shown)
        self._whole.setVisible(is_whole)
        self._more.setVisible(count > 0)
        rest = self.tr("+{0} more").format(count - _FEW) if count > _FEW else self.tr("More")
        self._more.setText(self.tr("Less") if is_whole else rest)
        self._more.setToolTip(self._whole.text())

    def _tint(self) -> None:
        size = self.fontMetrics().height()
        for icon, _ in self._lines:
            icon.setPixmap(theme.icon("note", self.palette()).pixmap(size, size))
