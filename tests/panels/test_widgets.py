"""What several panels use."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSortFilterProxyModel, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QPalette, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels.widgets import ActionButton, ElidedLabel, FailureBox, MutedLabel, PaletteWatcher, TableView
from gui.records.failure import Failure, FailureKind
from gui.settings import ColorScheme

from ..finding import child, click_row, shown_texts

FAILURE = Failure(kind=FailureKind.REFUSED_BY_EP, message="It refused.", hint="Ask again.", detail="raw words")


def clipped() -> str:
    return QGuiApplication.clipboard().text()


def table(qtbot: QtBot, rows: list[list[str]]) -> TableView:
    """A table of these texts, sorted by nothing."""
    view = TableView("Things")
    model = QStandardItemModel(view)
    model.setHorizontalHeaderLabels(["One", "Two", "Three"])
    for row in rows:
        model.appendRow([QStandardItem(cell) for cell in row])
    proxy = QSortFilterProxyModel(view)
    proxy.setSourceModel(model)
    view.setModel(proxy)
    qtbot.addWidget(view)
    view.resize(400, 200)
    with qtbot.waitActive(view):
        view.show()
        view.activateWindow()
    return view


# ---- Tables ----


@pytest.mark.usefixtures("clipboard")
def test_that_copying_takes_the_rows_as_they_are_shown_with_the_titles_above(qtbot: QtBot) -> None:
    view = table(qtbot, [["a", "1", "x"], ["b", "2", "y"], ["c", "3", "z"]])
    view.model().sort(0, Qt.SortOrder.DescendingOrder)
    click_row(qtbot, view, 2)
    click_row(qtbot, view, 0, Qt.KeyboardModifier.ControlModifier)
    qtbot.keySequence(view, QKeySequence(QKeySequence.StandardKey.Copy))
    assert clipped() == "One\tTwo\tThree\nc\t3\tz\na\t1\tx"


@pytest.mark.usefixtures("clipboard")
def test_that_a_single_row_is_copied_without_titles_and_hidden_columns(qtbot: QtBot) -> None:
    view = table(qtbot, [["a", "1", "x"], ["b", "2", "y"]])
    view.hideColumn(1)
    view.selectRow(1)
    view.copy_rows()
    assert clipped() == "b\ty"


@pytest.mark.usefixtures("clipboard")
def test_that_tabs_and_line_ends_in_a_cell_do_not_break_the_copied_rows(qtbot: QtBot) -> None:
    view = table(qtbot, [["a\tb", "1\n2", ""]])
    view.selectRow(0)
    view.copy_rows()
    assert clipped() == "a b\t1 2\t"


@pytest.mark.usefixtures("clipboard")
def test_that_copying_nothing_leaves_the_clipboard_alone(qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText("before")
    table(qtbot, [["a", "1", "x"]]).copy_rows()
    assert clipped() == "before"


def test_that_an_empty_table_shows_its_hint_and_a_filled_one_does_not(qtbot: QtBot) -> None:
    for rows, differs in (([], True), ([["a", "1", "x"]], False)):
        view = table(qtbot, rows)
        before = view.grab().toImage()
        view.empty_hint = "Nothing here yet."
        view.viewport().update()
        assert (view.grab().toImage() != before) is differs


def test_that_columns_fit_their_cells_but_not_beyond_the_limit(qtbot: QtBot) -> None:
    view = table(qtbot, [["a long text in the first column of all", "a long text in the second column", "x"]])
    view.fit_columns({1: 10})
    header = view.horizontalHeader()
    assert header.sectionSize(0) >= view.sizeHintForColumn(0)
    assert header.sectionSize(1) == 10 * view.fontMetrics().averageCharWidth()


def test_that_a_column_made_wider_by_hand_stays_so(qtbot: QtBot) -> None:
    view = table(qtbot, [["a", "1", "x"]])
    view.fit_columns()
    view.horizontalHeader().resizeSection(0, 333)
    view.fit_columns()
    assert view.horizontalHeader().sectionSize(0) == 333


# ---- Buttons and labels ----


def test_that_an_action_button_is_its_action(qtbot: QtBot) -> None:
    action = QAction("&Run it…")
    action.setIconText("Run it…")
    action.setToolTip("Run it: at once")
    button = ActionButton(action)
    qtbot.addWidget(button)
    assert (button.text(), button.toolTip(), button.isEnabled()) == ("Run it…", "Run it: at once", True)
    with qtbot.waitSignal(action.triggered):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    action.setEnabled(False)
    action.setIconText("Later")
    assert (button.text(), button.isEnabled()) == ("Later", False)


def test_that_an_elided_label_keeps_the_whole_text_in_its_tip(qtbot: QtBot) -> None:
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.resize(60, 20)
    label.show_text("a line that is much longer than the label is wide")
    label.show()
    assert label.sizePolicy().horizontalPolicy().name == "Ignored"
    assert label.toolTip() == label.accessibleName() == "a line that is much longer than the label is wide"
    wide = label.grab().toImage()
    label.show_text("a line that ends otherwise than the label is big")
    assert label.grab().toImage() != wide  # both ends are drawn


def test_that_secondary_text_is_muted_on_every_ground(qtbot: QtBot) -> None:
    label = MutedLabel("later")
    qtbot.addWidget(label)
    colors = set()
    for scheme in (ColorScheme.LIGHT, ColorScheme.DARK, ColorScheme.SYSTEM):
        theme.apply_color_scheme(scheme)
        QApplication.processEvents()
        color = label.palette().color(label.foregroundRole())
        assert color == theme.muted(QGuiApplication.palette())
        assert color != QGuiApplication.palette().color(QPalette.ColorRole.WindowText)
        colors.add(color.name())
    assert len(colors) == 2


def test_that_the_palette_watcher_tells_of_its_parents_colours(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    watcher = PaletteWatcher(widget)
    palette = widget.palette()
    palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.red)
    with qtbot.waitSignal(watcher.changed, timeout=1000):
        widget.setPalette(palette)


# ---- Failures ----


@pytest.fixture
def box(qtbot: QtBot) -> FailureBox:
    box = FailureBox()
    qtbot.addWidget(box)
    return box


def test_that_a_failure_is_shown_in_plain_words_with_the_raw_ones_behind_details(qtbot: QtBot, box: FailureBox) -> None:
    assert not box.isVisible()
    box.show_failure(FAILURE)
    raw = child(box, QPlainTextEdit, "Details of the failure")
    assert shown_texts(box) == ["It refused.\nAsk again."]
    assert not raw.isVisible()
    qtbot.mouseClick(child(box, QToolButton, "Details"), Qt.MouseButton.LeftButton)
    assert raw.isVisible()
    assert raw.toPlainText() == "raw words"


def test_that_there_are_no_details_to_open_without_raw_words(box: FailureBox) -> None:
    box.show_failure(Failure(kind=FailureKind.STOPPED, message="Stopped."))
    assert shown_texts(box) == ["Stopped."]
    assert not child(box, QToolButton, "Details").isVisible()


@pytest.mark.usefixtures("clipboard")
def test_that_copying_a_failure_takes_the_sentence_and_the_raw_words(qtbot: QtBot, box: FailureBox) -> None:
    box.show_failure(FAILURE)
    qtbot.mouseClick(child(box, QToolButton, "Details"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(child(box, QPushButton, "Copy"), Qt.MouseButton.LeftButton)
    assert clipped() == "It refused. Ask again.\n\nraw words"


def test_that_closing_a_failure_hides_it_and_says_so(qtbot: QtBot, box: FailureBox) -> None:
    box.show_failure(FAILURE)
    with qtbot.waitSignal(box.closed, timeout=1000):
        qtbot.mouseClick(child(box, QToolButton, "Close this message"), Qt.MouseButton.LeftButton)
    assert not box.isVisible()
    assert box.failure is None


def test_that_open_details_stay_for_the_same_failure_and_close_for_another(qtbot: QtBot, box: FailureBox) -> None:
    box.show_failure(FAILURE)
    raw = child(box, QPlainTextEdit, "Details of the failure")
    qtbot.mouseClick(child(box, QToolButton, "Details"), Qt.MouseButton.LeftButton)
    box.show_failure(Failure(kind=FAILURE.kind, message="It refused.", hint="Ask again.", detail="raw words"))
    assert raw.isVisible()
    box.show_failure(Failure(kind=FAILURE.kind, message="Another.", detail="other words"))
    assert not raw.isVisible()
    assert raw.toPlainText() == "other words"


def test_that_markup_in_the_words_of_an_ep_is_shown_as_it_is(box: FailureBox) -> None:
    box.show_failure(Failure(kind=FailureKind.REFUSED_BY_EP, message="<b>no</b> <img src=x>"))
    label = next(
        label for label in box.findChildren(QWidget) if getattr(label, "text", str)() == "<b>no</b> <img src=x>"
    )
    assert label.textFormat() is Qt.TextFormat.PlainText  # type: ignore[attr-defined]
