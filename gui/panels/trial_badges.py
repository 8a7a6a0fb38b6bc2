"""What is true of a trial in a line of badges: words and an icon on a coloured ground; a click tells more."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from .. import theme
from ..models.verdict_texts import TrialPage, Verdict, median_verdict, outputs_verdict, placement_verdict
from ..trial_run import TrialRun
from .tones import tone_color, tone_ground, tone_icon

_ICON: Final = 16
_MARGIN: Final = 7
_GAP: Final = 5


class TrialBadge(QAbstractButton):
    """One verdict. Where there is little room it says the same in fewer words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verdict: Verdict | None = None
        self._is_short = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.hide()

    @property
    def verdict(self) -> Verdict | None:
        """What is shown."""
        return self._verdict

    def show_verdict(self, verdict: Verdict | None) -> bool:
        """Show a verdict, or nothing; return whether that is another one than before."""
        if verdict == self._verdict:
            return False
        self._verdict = verdict
        self.setVisible(verdict is not None)
        if verdict is not None:
            self.setAccessibleName(verdict.text)
            self.setAccessibleDescription(verdict.tip)
            self.setToolTip(verdict.tip if verdict.text in verdict.tip else f"{verdict.text}\n{verdict.tip}")
            self._show_text()
        return True

    def set_short(self, is_short: bool) -> None:
        """Say it in few words, or in all."""
        self._is_short = is_short
        self._show_text()

    def width_of(self, *, short: bool) -> int:
        """Return how wide it is in few words, or in all."""
        if self._verdict is None:
            return 0
        text = self._verdict.short if short else self._verdict.text
        return self.fontMetrics().horizontalAdvance(text) + 2 * _MARGIN + _ICON + _GAP

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(self.width_of(short=self._is_short), self.fontMetrics().height() + 6)

    def minimumSizeHint(self) -> QSize:
        """Qt's; cut off in the end, rather than making the window wider."""
        return QSize(_ICON + 2 * _MARGIN, self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Qt's."""
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().leaveEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's."""
        if self._verdict is None:
            return
        palette, tone = self.palette(), self._verdict.tone
        color, ground = tone_color(palette, tone), tone_ground(palette, tone)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        stands_out = self.underMouse() or self.hasFocus()
        painter.setPen(palette.color(QPalette.ColorRole.Highlight) if self.hasFocus() else color)
        painter.setBrush(ground)
        if not stands_out:
            painter.setPen(theme.mixed(color, ground, 0.5))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1).toRectF().translated(0.5, 0.5), 4, 4)
        top = (self.height() - _ICON) // 2
        tone_icon(self._verdict.icon, palette, tone).paint(painter, QRect(_MARGIN, top, _ICON, _ICON))
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        area = self.rect().adjusted(_MARGIN + _ICON + _GAP, 0, -_MARGIN + 2, 0)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()

    def _show_text(self) -> None:
        if self._verdict is not None:
            self.setText(self._verdict.short if self._is_short else self._verdict.text)
            self.updateGeometry()
            self.update()


class TrialBadges(QWidget):
    """The badges of a trial in one line: placement, outputs, and how sure the median is."""

    page_requested = Signal(TrialPage)
    """Where more is told about the one that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._badges = tuple(TrialBadge(self) for _ in range(3))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        for badge in self._badges:
            layout.addWidget(badge)
            badge.clicked.connect(self._on_clicked)
        layout.addStretch(1)

    def show_trial(self, trial: TrialRun | None) -> None:
        """Show what is known of a trial so far."""
        self.setVisible(trial is not None)
        found: tuple[Verdict | None, ...] = (None, None, None)
        if trial is not None:
            found = (placement_verdict(trial), outputs_verdict(trial), median_verdict(trial))
        changed = [badge.show_verdict(verdict) for badge, verdict in zip(self._badges, found, strict=True)]
        if any(changed):
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; fewer words where there is less room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Say as much as fits: the median gives way first, then the outputs, then the placement."""
        shown = [badge for badge in self._badges if badge.verdict is not None]
        room = self.width() - _GAP * len(shown)
        full = len(shown)
        while full and sum(badge.width_of(short=number >= full) for number, badge in enumerate(shown)) > room:
            full -= 1
        for number, badge in enumerate(shown):
            badge.set_short(number >= full)

    def _on_clicked(self) -> None:
        badge = self.sender()
        if isinstance(badge, TrialBadge) and badge.verdict is not None:
            self.page_requested.emit(badge.verdict.page)
