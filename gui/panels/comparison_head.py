"""What a comparison says, above its charts: the answer first, what weakens it, and while it runs how far it is."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .. import theme
from ..comparison_run import ComparisonRun, Phase
from ..models.texts import count_text, duration_text
from ..models.verdict_texts import Tone
from .tones import tone_icon
from .widgets import ActionButton, ElidedLabel, MutedLabel, WrappingFrame

_FEW: Final = 2
_LARGER: Final = 1.25
_SHORT: Final = 100
"""Characters; a longer answer is bold, but no larger than other text."""
_STEPS: Final = 1000


class ComparisonHead(WrappingFrame):
    """Sentences, progress, and the buttons that stop a comparison and let it go on."""

    stop_requested = Signal()
    resume_requested = Signal()

    def __init__(self, compare: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._answer = QLabel(self)
        self._about = MutedLabel(parent=self)
        self._lines = SentenceLines(self)
        self._progress = QProgressBar(self)
        self._doing = ElidedLabel(self, cut=Qt.TextElideMode.ElideRight)
        self._stop = QPushButton(self.tr("Stop"), self)
        self._resume = QPushButton(self.tr("Resume"), self)
        self._compare = ActionButton(compare, self)
        self._running = QWidget(self)
        self._build()
        self._tint()

    def _build(self) -> None:
        self._answer.setWordWrap(True)
        self._answer.setTextFormat(Qt.TextFormat.PlainText)
        self._answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._progress.setRange(0, _STEPS)
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName(self.tr("Progress of the comparison"))
        self._progress.setMaximumHeight(self.fontMetrics().height())
        self._progress.setMaximumWidth(self.fontMetrics().averageCharWidth() * 34)
        self._stop.setToolTip(self.tr("Stop the comparison; what is measured so far is kept, and it can be resumed"))
        self._resume.setToolTip(self.tr("Measure the rounds that are missing"))
        self._stop.clicked.connect(self.stop_requested)
        self._resume.clicked.connect(self.resume_requested)
        progress = QHBoxLayout(self._running)
        progress.setContentsMargins(0, 0, 0, 0)
        progress.addWidget(self._progress, 1)
        progress.addWidget(self._doing, 2)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._answer)
        words.addWidget(self._about)
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addLayout(words, 1)
        for button in (self._stop, self._resume, self._compare):
            top.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addWidget(self._running)
        layout.addWidget(self._lines)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    @property
    def answer(self) -> str:
        """The sentence that is shown large."""
        return self._answer.text()

    @property
    def doing(self) -> str:
        """What is being done; empty when nothing is."""
        return self._doing.text() if self._running.isVisibleTo(self) else ""

    def show_answer(self, text: str, about: str, further: tuple[str, ...], cautions: tuple[str, ...]) -> None:
        """Show the answer, what the comparison is of, further sentences, and what weakens the answer."""
        if text != self._answer.text():
            font = self.font()
            font.setPointSizeF(font.pointSizeF() * (_LARGER if len(text) <= _SHORT else 1.0))
            font.setBold(True)
            self._answer.setFont(font)
            self._answer.setText(text)
            self._answer.setAccessibleName(text)
        self._about.setText(about)
        self._about.setToolTip(about)
        self._lines.show_lines((*((caution, True) for caution in cautions), *((line, False) for line in further)))

    def show_progress(self, comparison: ComparisonRun, label: str) -> None:
        """Show how far it is; `label` is that of the row being worked on, empty for none."""
        running = comparison.is_running
        self._running.setVisible(running)
        self._stop.setVisible(running)
        self._stop.setEnabled(not comparison.stopping)
        self._resume.setVisible(comparison.can_resume)
        self._compare.setVisible(not running)
        if not running:
            return
        # Until the first session is there nobody knows how long it will take: the bar then only moves.
        is_known = comparison.phase is not Phase.OPENING
        self._progress.setRange(0, _STEPS if is_known else 0)
        if is_known:
            self._progress.setValue(round(comparison.progress * _STEPS))
        self._doing.show_text(" · ".join(self._doing_texts(comparison, label)))

    def _doing_texts(self, comparison: ComparisonRun, label: str) -> list[str]:
        if comparison.stopping:
            return [self.tr("stopping…")]
        parts = []
        match comparison.phase:
            case Phase.OPENING:
                text = self.tr("creating the session of {0}") if label else self.tr("creating sessions")
                parts.append(text.format(label))
            case Phase.CLOSING:
                text = self.tr("checking the outputs of {0}") if label else self.tr("checking outputs")
                parts.append(text.format(label))
            case _:
                if comparison.plan is not None:
                    round_text = self.tr("round {0} of {1}")
                    parts.append(
                        round_text.format(count_text(max(1, comparison.round)), count_text(comparison.plan.rounds))
                    )
                if label:
                    parts.append(self.tr("measuring {0}").format(label))
        if comparison.seconds_left is not None:
            parts.append(self.tr("about {0} left").format(duration_text(comparison.seconds_left)))
        return parts

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        self._stop.setIcon(theme.icon("stop"))
        self._resume.setIcon(theme.icon("run"))


class SentenceLines(QWidget):
    """Shows two sentences, cut where they do not fit; all of them as a whole when the button beside them is pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sentences: tuple[tuple[str, bool], ...] = ()
        self._icons = [QLabel(self) for _ in range(_FEW)]
        self._lines = [ElidedLabel(self, cut=Qt.TextElideMode.ElideRight) for _ in range(_FEW)]
        self._whole = QLabel(self)
        self._more = QToolButton(self)
        self._more.setCheckable(True)
        self._more.setAutoRaise(True)
        self._more.setAccessibleName(self.tr("All sentences"))
        self._more.toggled.connect(self._show)
        self._whole.setWordWrap(True)
        self._whole.setTextFormat(Qt.TextFormat.PlainText)
        self._whole.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        for number, (icon, line) in enumerate(zip(self._icons, self._lines, strict=True)):
            grid.addWidget(icon, number, 0)
            grid.addWidget(line, number, 1)
        grid.addWidget(self._whole, _FEW, 0, 1, 2)
        grid.addWidget(self._more, 0, 2, _FEW + 1, 1, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def show_lines(self, sentences: tuple[tuple[str, bool], ...]) -> None:
        """Show sentences, each with whether it weakens the answer."""
        if sentences == self._sentences:
            return
        self._sentences = sentences
        for line, (text, _is_caution) in zip(self._lines, sentences, strict=False):
            line.show_text(text)
        self._whole.setText("\n".join(text for text, _is_caution in sentences))
        self._more.setToolTip(self._whole.text())
        self._tint()
        self._show()
        self.setVisible(bool(sentences))

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's; what fits now may not have fitted before."""
        super().resizeEvent(event)
        self._offer_more()

    def _show(self) -> None:
        is_whole = self._more.isChecked()
        for number, (icon, line) in enumerate(zip(self._icons, self._lines, strict=True)):
            is_shown = not is_whole and number < len(self._sentences)
            icon.setVisible(is_shown)
            line.setVisible(is_shown)
        self._whole.setVisible(is_whole)
        self._offer_more()

    def _offer_more(self) -> None:
        """Offer all sentences where some are hidden or cut off."""
        hidden = len(self._sentences) - _FEW
        room = self.width() - self._icons[0].sizeHint().width() - self._more.sizeHint().width()
        metrics = self.fontMetrics()
        is_cut = any(metrics.horizontalAdvance(text) > room for text, _is_caution in self._sentences[:_FEW])
        is_whole = self._more.isChecked()
        self._more.setVisible(is_whole or hidden > 0 or is_cut)
        more = self.tr("+{0} more").format(hidden) if hidden > 0 else self.tr("More")
        self._more.setText(self.tr("Less") if is_whole else more)

    def _tint(self) -> None:
        size = self.fontMetrics().height()
        for icon, (_text, is_caution) in zip(self._icons, self._sentences, strict=False):
            tone = Tone.DOUBTFUL if is_caution else Tone.PLAIN
            drawn = tone_icon("warning" if is_caution else "note", self.palette(), tone)
            icon.setPixmap(drawn.pixmap(size, size))
