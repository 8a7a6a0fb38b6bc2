"""Badges, alarms and remarks: words, icons and colours that read."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gui import theme
from gui.models.verdict_texts import Alarm, Tone, TrialPage
from gui.panels.tones import alarm_colors, contrast, tone_color, tone_ground
from gui.panels.trial_badges import TrialBadge, TrialBadges
from gui.panels.trial_banner import AlarmStrip, TrialBanner
from gui.records.check import Agreement, OutputCheck
from gui.records.latency_remarks import Remark, RemarkKind
from gui.records.placement import Placement
from gui.records.trial import TrialFacts
from gui.trial_run import TrialRun

from ..finding import child, show, shown_texts
from ..models.makers import trial

PALETTES = {dark: theme._palette(dark=dark) for dark in (False, True)}
ALARM = Alarm(text="None ran.", said="No device.", tip="All of it.", tone=Tone.BAD, page=TrialPage.PLACEMENT)
MILD = Alarm(text="It took the CPU.", tip="Why.", tone=Tone.DOUBTFUL, page=TrialPage.OUTPUTS)


def whole() -> TrialRun:
    placement = (Placement(ep_name="ggml", node_count=12),)
    check = OutputCheck(agreement=Agreement.WITHIN)
    facts = TrialFacts(placement=placement, wanted_eps=("ggml",), check=check)
    return trial(1, *range(1000, 1200), facts=facts)


# ---- Colours ----


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("tone", list(Tone))
def test_that_words_read_on_every_ground(dark: bool, tone: Tone) -> None:
    palette = PALETTES[dark]
    text = palette.color(QPalette.ColorRole.WindowText)
    assert contrast(text, tone_ground(palette, tone)) >= 4.5
    assert contrast(tone_color(palette, tone), tone_ground(palette, tone)) >= 3  # an icon
    ground, words = alarm_colors(palette, tone)
    assert contrast(words, ground) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_that_an_alarm_stands_out_from_the_window(dark: bool) -> None:
    palette = PALETTES[dark]
    ground, _ = alarm_colors(palette, Tone.BAD)
    assert ground.hslSaturation() > 150
    assert 0 <= ground.hslHue() < 15
    assert contrast(ground, palette.color(QPalette.ColorRole.Window)) >= 1.5


def test_that_contrast_is_that_of_wcag() -> None:
    assert contrast(QColor("#000"), QColor("#fff")) == pytest.approx(21)
    assert contrast(QColor("#777"), QColor("#fff")) == pytest.approx(4.48, abs=0.01)


# ---- Badges ----


def test_that_badges_are_named_and_a_click_tells_where_more_is(qtbot: QtBot) -> None:
    badges = TrialBadges()
    show(qtbot, badges, 900, 40)
    badges.show_trial(whole())
    for name, page in (
        ("All 12 nodes on ggml", TrialPage.PLACEMENT),
        ("Outputs within tolerance of the CPU's", TrialPage.OUTPUTS),
    ):
        badge = child(badges, TrialBadge, name)
        assert badge.toolTip()
        with qtbot.waitSignal(badges.page_requested) as asked:
            qtbot.mouseClick(badge, Qt.MouseButton.LeftButton)
        assert asked.args == [page]


def test_that_badges_say_less_where_there_is_less_room_and_keep_their_names(qtbot: QtBot) -> None:
    badges = TrialBadges()
    show(qtbot, badges, 900, 40)
    badges.show_trial(whole())
    found = badges.findChildren(TrialBadge)
    assert [badge.text() for badge in found] == [badge.accessibleName() for badge in found]
    names = [badge.accessibleName() for badge in found]
    badges.resize(sum(badge.width_of(short=True) for badge in found) + 30, 40)
    assert [badge.text() for badge in found] == [
        "All on ggml",
        "Outputs within tolerance",
        found[2].verdict.short if found[2].verdict else "",
    ]
    assert [badge.accessibleName() for badge in found] == names


def test_that_without_a_trial_there_is_no_badge(qtbot: QtBot) -> None:
    badges = TrialBadges()
    show(qtbot, badges, 900, 40)
    badges.show_trial(whole())
    badges.show_trial(None)
    assert badges.isHidden()
    assert all(badge.verdict is None for badge in badges.findChildren(TrialBadge))


# ---- Alarms ----


def test_that_alarms_stand_below_each_other_and_go(qtbot: QtBot) -> None:
    banner = TrialBanner()
    qtbot.addWidget(banner)
    banner.show_alarms((ALARM, MILD))
    show(qtbot, banner, 500, 120)
    assert shown_texts(banner) == ["None ran.", "It said: No device.", "It took the CPU."]
    banner.show_alarms((MILD,))
    assert shown_texts(banner) == ["It took the CPU."]
    banner.show_alarms(())
    assert banner.isHidden()


def test_that_the_button_of_an_alarm_tells_where_more_is(qtbot: QtBot) -> None:
    banner = TrialBanner()
    qtbot.addWidget(banner)
    banner.show_alarms((ALARM, MILD))
    show(qtbot, banner, 500, 120)
    for name, page in (("Placement", TrialPage.PLACEMENT), ("Outputs", TrialPage.OUTPUTS)):
        with qtbot.waitSignal(banner.page_requested) as asked:
            qtbot.mouseClick(child(banner, QPushButton, name), Qt.MouseButton.LeftButton)
        assert asked.args == [page]


def test_that_a_long_alarm_is_shown_whole(qtbot: QtBot) -> None:
    strip = AlarmStrip()
    qtbot.addWidget(strip)
    strip.show_alarm(Alarm(text="None of the nodes ran on it. " * 8, tip="", tone=Tone.BAD, page=TrialPage.PLACEMENT))
    show(qtbot, strip, 400, 20)
    lines = strip.fontMetrics().height()
    qtbot.waitUntil(lambda: strip.height() >= 4 * lines, timeout=5000)


# ---- Remarks ----


def remark(text: str) -> Remark:
    return Remark(kind=RemarkKind.DRIFTING, text=text, advice="Wait.")
