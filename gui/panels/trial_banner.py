"""What must not be missed about a trial, over the whole width above its charts."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from .. import theme
from ..models.verdict_texts import Alarm, Tone, TrialPage
from .tones import alarm_colors, tone_color, with_text
from .widgets import ElidedLabel, WrappingFrame

_ICON: Final = 20


class AlarmStrip(WrappingFrame):
    """One alarm: a sentence on a coloured ground, what the EP said about it, and a button to more."""

    page_requested = Signal(TrialPage)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._alarm: Alarm | None = None
        self._icon = QLabel(self)
        self._text = QLabel(self)
        self._said = ElidedLabel(self)
        self._more = QPushButton(self)
        self._build()

    def _build(self) -> None:
        self.setAutoFillBackground(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._more.clicked.connect(self._on_more)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._text)
        words.addWidget(self._said)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(7, 3, 4, 3)
        layout.setSpacing(7)
        layout.addWidget(self._icon)
        layout.addLayout(words, 1)
        layout.addWidget(self._more)

    @property
    def alarm(self) -> Alarm | None:
        """What is shown."""
        return self._alarm

    def show_alarm(self, alarm: Alarm) -> None:
        """Show an alarm."""
        if alarm == self._alarm:
            return
        self._alarm = alarm
        font = self.font()
        font.setBold(alarm.tone is Tone.BAD)
        self._text.setFont(font)
        self._text.setText(alarm.text)
        self._text.setToolTip(alarm.tip)
        self._text.setAccessibleName(alarm.text)
        self._said.setVisible(bool(alarm.said))
        self._said.show_text(self.tr("It said: {0}").format(alarm.said))
        self._said.setToolTip(alarm.tip)
        self._more.setText(self.tr("Placement") if alarm.page is TrialPage.PLACEMENT else self.tr("Outputs"))
        self._more.setToolTip(alarm.tip)
        self.setToolTip(alarm.tip)
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        if self._alarm is None:
            return
        plain = QGuiApplication.palette()
        ground, text = alarm_colors(plain, self._alarm.tone)
        shown = (self.palette().color(self.backgroundRole()), self.palette().color(self.foregroundRole()))
        if shown != (ground, text):  # what is set here changes the palette again
            self.setPalette(with_text(plain, text, ground))
            self._more.setPalette(plain)
        color = text if self._alarm.tone is Tone.BAD else tone_color(plain, self._alarm.tone)
        self._icon.setPixmap(theme.icon("warning", with_text(plain, color)).pixmap(_ICON, _ICON))

    def _on_more(self) -> None:
        if self._alarm is not None:
            self.page_requested.emit(self._alarm.page)


class TrialBanner(QWidget):
    """The alarms of a trial, one strip each; nothing where there is none."""

    page_requested = Signal(TrialPage)
    """Where more is told about an alarm."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strips: list[AlarmStrip] = []
        self._alarms: tuple[Alarm, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What is shown."""
        return self._alarms

    def show_alarms(self, alarms: tuple[Alarm, ...]) -> None:
        """Show these alarms."""
        if alarms == self._alarms:
            return
        self._alarms = alarms
        while len(self._strips) < len(alarms):
            strip = AlarmStrip(self)
            strip.page_requested.connect(self.page_requested)
            strip.setAcceptDrops(False)  # files dropped anywhere are the window's
            self._column.addWidget(strip)
            self._strips.append(strip)
        for number, strip in enumerate(self._strips):
            strip.setVisible(number < len(alarms))
            if number < len(alarms):
                strip.show_alarm(alarms[number])
        self.setVisible(bool(alarms))
