"""The page of EP options: typed with proposals, explained, and a second EP with its own."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QTableView
from pytestqt.qtbot import QtBot

from gui.models.option_table import KEY_COLUMN, NOTE_COLUMN, VALUE_COLUMN
from gui.panels.option_view import OptionChoice
from gui.panels.options_page import OptionsPage
from gui.records.device import DeviceType

from ..finding import action_named, child, click_index, rows_of, show, shown_texts
from ..models.makers import device

CPU = device("cpu", ep_name="CPUExecutionProvider", vendor="Maker")
GGML = device("ggml", ep_name="ggml", library="ggml", vendor="Maker")
GPU = device("gpu", ep_name="ggml", library="ggml", type=DeviceType.GPU)
QNN = device("qnn", ep_name="qnn", library="qnn", vendor="Maker")
NPUS = tuple(
    device(f"npu{number}", ep_name="OpenVINOExecutionProvider", library="ov", type=DeviceType.NPU)
    for number in range(2)
)
MINE = device("mine", ep_name="MyEp", library="mine", ep_options=(("mode", "fast"),))
BARE = device("bare", ep_name="BareEp", library="bare")
ALL = (CPU, GGML, GPU, QNN, *NPUS, MINE, BARE)
GONE = "old/OldEp/GPU:0001:0002/0123#0"


class Hands:
    """A page as narrow as in the window, and how often it told of a change."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.page = OptionsPage()
        self.told = 0
        self.page.choices_changed.connect(self._count)
        show(qtbot, self.page, 396, 300)
        self.view = child(self.page, QTableView, "EP options")
        self.second = child(self.page, QTableView, "Options of the second EP")
        self.then = child(self.page, QComboBox, "Second EP")

    def _count(self) -> None:
        self.told += 1

    def target(self, *first: object, by_policy: bool = False) -> None:
        self.page.show_target(tuple(entry for entry in ALL if entry in first), ALL, by_policy=by_policy)

    def open(self, row: int, column: int, view: QTableView | None = None) -> QLineEdit:
        """Click into a cell; what is typed into."""
        view = view or self.view
        click_index(self.qtbot, view, view.model().index(row, column))
        return self.editor(view)

    def editor(self, view: QTableView | None = None) -> QLineEdit:
        (editor,) = [edit for edit in (view or self.view).viewport().findChildren(QLineEdit) if edit.isVisible()]
        return editor

    def choice(self) -> OptionChoice:
        (choice,) = [box for box in self.view.viewport().findChildren(OptionChoice) if box.isVisible()]
        return choice

    def is_editing(self) -> bool:
        return self.view.state() is QTableView.State.EditingState

    def enter(self, row: int, column: int, text: str, view: QTableView | None = None) -> None:
        editor = self.open(row, column, view)
        editor.selectAll()
        self.qtbot.keyClicks(editor, text)
        self.qtbot.keyClick(editor, Qt.Key.Key_Return)
        area = (view or self.view).viewport()
        self.qtbot.waitUntil(lambda: not area.findChildren(QLineEdit), timeout=5000)

    def choose_then(self, text: str) -> None:
        """Choose a second EP as the list that drops down does."""
        index = self.then.findText(text)
        assert index >= 0, [self.then.itemText(row) for row in range(self.then.count())]
        self.then.setFocus()
        self.then.showPopup()
        area = self.then.view()
        self.qtbot.waitUntil(area.isVisible, timeout=5000)
        area.setCurrentIndex(self.then.model().index(index, 0))
        self.qtbot.keyClick(area, Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: not area.isVisible(), timeout=5000)

    def then_texts(self) -> list[str]:
        return [self.then.itemText(row) for row in range(self.then.count())]

    def details(self) -> str:
        """The last of the labels that are to be seen."""
        labels = [label for label in self.page.findChildren(QLabel) if label.isVisible() and label.wordWrap()]
        (label,) = labels
        return label.text()


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    return Hands(qtbot)


# ---- Typing ----


def test_that_an_option_is_typed_as_key_and_value(hands: Hands) -> None:
    hands.target(BARE)
    hands.enter(0, KEY_COLUMN, "some.key")
    hands.enter(0, VALUE_COLUMN, "some value")
    hands.enter(1, KEY_COLUMN, "other=1")
    assert hands.page.options == (("some.key", "some value"), ("other", "1"))
    assert hands.told == 3
    assert hands.page.problem() is None


def test_that_an_unknown_key_is_taken_where_others_are_known(hands: Hands) -> None:
    hands.target(GGML)
    hands.enter(0, KEY_COLUMN, "brand_new=x")
    assert rows_of(hands.view.model())[0] == ["brand_new", "x", "not checked: ORT accepts anything"]
    assert hands.page.problem() is None


def test_that_known_keys_drop_down_with_what_they_are(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((("threads", "4"),), (), ())
    hands.open(1, KEY_COLUMN)
    choice = hands.choice()
    texts = [choice.itemText(row) for row in range(choice.count())]
    assert "weights" in texts
    assert "threads" not in texts
    tip = str(choice.itemData(choice.findText("weights"), Qt.ItemDataRole.ToolTipRole))
    assert "Takes: f16, f32, q8_0" in tip
    hands.qtbot.keyClick(choice, Qt.Key.Key_Escape)


def test_that_a_key_chosen_from_the_list_leads_on_to_its_value(hands: Hands) -> None:
    hands.target(GGML)
    hands.open(0, KEY_COLUMN)
    choice = hands.choice()
    choice.showPopup()
    hands.qtbot.waitUntil(choice.view().isVisible, timeout=5000)
    assert hands.is_editing()
    choice.view().setCurrentIndex(choice.model().index(choice.findText("weights"), 0))
    assert hands.details().startswith("How the weights of matrix products are kept")
    hands.qtbot.keyClick(choice.view(), Qt.Key.Key_Return)
    hands.qtbot.waitUntil(lambda: hands.view.currentIndex().column() == VALUE_COLUMN, timeout=5000)
    assert hands.page.options == (("weights", ""),)
    values = hands.choice()
    assert [values.itemText(row) for row in range(values.count())] == ["f16", "f32", "q8_0"]
    assert values.line.placeholderText() == "default f16"
    assert values.accessibleName() == "Value of weights"
    hands.qtbot.keyClicks(values.line, "q8_0")
    hands.qtbot.keyClick(values.line, Qt.Key.Key_Return)
    hands.qtbot.waitUntil(lambda: not hands.is_editing(), timeout=5000)
    assert hands.page.options == (("weights", "q8_0"),)


def test_that_known_keys_are_proposed_by_any_part_of_their_name(hands: Hands) -> None:
    hands.target(QNN)
    editor = hands.open(0, KEY_COLUMN)
    hands.qtbot.keyClicks(editor, "FP16")
    completer = hands.choice().completer()
    assert completer is not None
    popup = completer.popup()
    assert popup is not None
    hands.qtbot.waitUntil(popup.isVisible, timeout=5000)
    model = completer.completionModel()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["enable_htp_fp16_precision"]
    hands.qtbot.keyClick(popup, Qt.Key.Key_Down)
    assert hands.details().startswith("Compute a float32 model in float16")
    hands.qtbot.keyClick(popup, Qt.Key.Key_Return)
    hands.qtbot.waitUntil(lambda: bool(hands.page.options), timeout=5000)
    assert hands.page.options == (("enable_htp_fp16_precision", ""),)


def test_that_anything_can_be_typed_where_values_are_offered(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((("weights", "f16"),), (), ())
    hands.enter(0, VALUE_COLUMN, "q2_k")
    assert hands.page.options == (("weights", "q2_k"),)
    assert rows_of(hands.view.model())[0][NOTE_COLUMN] == "takes only f16, f32, q8_0"
    assert hands.page.problem() is None
    assert "“q2_k” is not among what it takes" in hands.details()


def test_that_escape_leaves_the_option_as_it_was(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((("weights", "f16"),), (), ())
    editor = hands.open(0, VALUE_COLUMN)
    hands.qtbot.keyClicks(editor, "x")
    hands.qtbot.keyClick(editor, Qt.Key.Key_Escape)
    hands.qtbot.waitUntil(lambda: not hands.is_editing(), timeout=5000)
    assert hands.page.options == (("weights", "f16"),)


def test_that_what_is_typed_is_taken_when_the_focus_goes(hands: Hands) -> None:
    hands.target(GGML)
    editor = hands.open(0, KEY_COLUMN)
    hands.qtbot.keyClicks(editor, "threads=2")
    hands.then.setFocus()
    hands.qtbot.waitUntil(lambda: hands.page.options == (("threads", "2"),), timeout=5000)


def test_that_what_is_typed_is_taken_when_the_focus_is_taken_away(hands: Hands) -> None:
    """The panel does that before it asks for a run."""
    hands.target(GGML)
    hands.page.set_choices((("weights", "f16"),), (), ())
    hands.qtbot.keyClicks(hands.open(0, VALUE_COLUMN), "f32")
    focused = hands.page.focusWidget()
    assert focused is not None
    focused.clearFocus()
    assert hands.page.options == (("weights", "f32"),)


# ---- The keyboard ----


def test_that_tab_goes_from_cell_to_cell_and_passes_over_the_notes(hands: Hands) -> None:
    hands.target(BARE)
    hands.qtbot.keyClicks(hands.open(0, KEY_COLUMN), "a")
    for text in ("1", "b", "2"):
        hands.qtbot.keyClick(hands.editor(), Qt.Key.Key_Tab)
        hands.qtbot.keyClicks(hands.editor(), text)
    hands.qtbot.keyClick(hands.editor(), Qt.Key.Key_Backtab)
    assert hands.editor().text() == "b"
    hands.qtbot.keyClick(hands.editor(), Qt.Key.Key_Backtab)
    assert hands.editor().text() == "1"
    assert hands.page.options == (("a", "1"), ("b", "2"))


def test_that_tab_leaves_the_table_when_nothing_is_edited(hands: Hands) -> None:
    hands.target(BARE)
    hands.view.setFocus()
    hands.qtbot.keyClick(hands.view, Qt.Key.Key_Tab)
    assert hands.then.hasFocus()


def test_that_delete_removes_the_row(hands: Hands) -> None:
    hands.page.set_choices((("a", "1"), ("b", "2")), (), ())
    hands.view.setFocus()
    hands.view.setCurrentIndex(hands.view.model().index(0, VALUE_COLUMN))
    hands.qtbot.keyClick(hands.view, Qt.Key.Key_Delete)
    assert hands.page.options == (("b", "2"),)
    assert hands.told == 1


def test_that_there_is_nothing_to_remove_in_the_empty_row(hands: Hands) -> None:
    hands.page.set_choices((("a", "1"),), (), ())
    remove = action_named(hands.view, "Remove option")
    hands.view.setCurrentIndex(hands.view.model().index(0, 0))
    assert remove.isEnabled()
    hands.view.setCurrentIndex(hands.view.model().index(1, 0))
    assert not remove.isEnabled()


def test_that_a_click_on_a_note_selects_the_row_and_edits_nothing(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((("threads", "4"),), (), ())
    click_index(hands.qtbot, hands.view, hands.view.model().index(0, NOTE_COLUMN))
    assert not hands.is_editing()
    assert hands.details().startswith("Threads of ggml's CPU backend")


# ---- What is said ----


@pytest.mark.parametrize(
    ("first", "by_policy", "told"),
    [
        ((), False, "No device is selected."),
        ((GGML,), False, "Known options not used yet: 11."),
        ((MINE,), False, "Known options not used yet: 1."),
        ((BARE,), False, "This EP names no options. Type key and value"),
        ((CPU,), False, "ONNX Runtime CPU takes no options."),
        ((GGML,), True, "A key goes to every plugin EP"),
    ],
)
def test_that_an_empty_table_says_what_may_be_typed(
    hands: Hands, first: tuple[object, ...], by_policy: bool, told: str
) -> None:
    hands.target(*first, by_policy=by_policy)
    assert hands.details().startswith(told)


def test_that_the_target_is_named_above_the_table(hands: Hands) -> None:
    hands.target(GGML, GPU)
    assert "Options of ggml (CPU Maker, GPU)" in shown_texts(hands.page)
    hands.target(by_policy=True)
    assert "Options of every plugin EP" in shown_texts(hands.page)


def test_that_the_current_option_is_explained(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((("weights", "f16"), ("mine", "1")), (), ())
    hands.view.setCurrentIndex(hands.view.model().index(0, 0))
    assert hands.details() == (
        "How the weights of matrix products are kept; what is smaller rounds more. Takes f16, f32, q8_0. Default: f16."
    )
    hands.view.setCurrentIndex(hands.view.model().index(1, 1))
    assert hands.details().startswith("Not checked")


def test_that_the_same_options_are_told_anew_for_another_ep(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((("threads", "4"),), (), ())
    hands.target(QNN)
    assert rows_of(hands.view.model())[0][NOTE_COLUMN] == "not checked: ORT accepts anything"
    assert hands.page.options == (("threads", "4"),)
    assert hands.told == 0


def test_that_what_a_session_echoed_is_offered_from_then_on(hands: Hands) -> None:
    hands.target(BARE)
    hands.page.learn("BAREEP", (("speed", "9"),))
    hands.page.learn("BareEp", (("depth", "1"),))
    hands.open(0, KEY_COLUMN)
    choice = hands.choice()
    assert [choice.itemText(row) for row in range(choice.count())] == ["depth", "speed"]
    hands.qtbot.keyClicks(choice.line, "speed=1")
    hands.qtbot.keyClick(choice.line, Qt.Key.Key_Return)
    hands.qtbot.waitUntil(lambda: bool(hands.page.options), timeout=5000)
    assert rows_of(hands.view.model())[0] == ["speed", "1", "echoed by an earlier session"]


def test_that_learning_does_not_disturb_what_is_being_typed(hands: Hands) -> None:
    hands.target(GGML)
    editor = hands.open(0, KEY_COLUMN)
    hands.qtbot.keyClicks(editor, "thr")
    hands.page.learn("ggml", (("new", "1"),))
    hands.target(GGML)
    assert hands.editor().text() == "thr"
    assert hands.is_editing()


# ---- A second EP ----


def test_that_the_devices_of_other_eps_can_come_second(hands: Hands) -> None:
    hands.target(GGML)
    assert hands.then_texts() == [
        "nothing else",
        "qnn (CPU Maker)",
        "OpenVINOExecutionProvider (NPU) #1",
        "OpenVINOExecutionProvider (NPU) #2",
        "MyEp (CPU)",
        "BareEp (CPU)",
    ]
    assert [hands.then.itemData(row) for row in range(3)] == ["", "qnn", "npu0"]
    assert "always comes last by itself" in hands.then.toolTip()


def test_that_a_second_ep_has_a_table_of_its_own(hands: Hands) -> None:
    hands.target(GGML)
    assert not hands.second.isVisible()
    hands.choose_then("MyEp (CPU)")
    assert hands.second.isVisible()
    assert hands.page.second_keys == ("mine",)
    hands.enter(0, KEY_COLUMN, "mode=slow", hands.second)
    assert hands.page.second_options == (("mode", "slow"),)
    assert rows_of(hands.second.model())[0][NOTE_COLUMN] == "from ep_options"
    assert hands.page.options == ()
    assert "in ep_options, as “fast”" in hands.details()
    assert hands.told == 2


def test_that_without_a_second_ep_there_are_no_options_for_it(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((), ("mine",), (("mode", "slow"),))
    hands.choose_then("nothing else")
    assert (hands.page.second_keys, hands.page.second_options) == ((), ())
    assert not hands.second.isVisible()
    hands.choose_then("MyEp (CPU)")
    assert hands.page.second_options == (("mode", "slow"),)


def test_that_choices_are_shown_and_given_back_without_telling(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((("threads", "4"),), ("npu1",), (("load_config", "{}"),))
    assert hands.page.options == (("threads", "4"),)
    assert hands.page.second_keys == ("npu1",)
    assert hands.page.second_options == (("load_config", "{}"),)
    assert hands.then.currentText() == "OpenVINOExecutionProvider (NPU) #2"
    assert hands.told == 0
    assert hands.page.problem() is None


def test_that_a_second_ep_that_is_gone_is_kept_and_named(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((), (GONE,), (("a", "1"),))
    assert hands.then.currentText() == "OldEp – not there"
    assert not hands.then.itemIcon(hands.then.currentIndex()).isNull()
    assert hands.page.second_keys == (GONE,)
    assert hands.page.second_options == (("a", "1"),)
    assert "The second EP is not there." in str(hands.page.problem())
    hands.choose_then("qnn (CPU Maker)")
    assert hands.page.problem() is None
    assert "OldEp – not there" not in hands.then_texts()


def test_that_a_second_ep_that_comes_back_is_shown_as_any(hands: Hands) -> None:
    hands.page.set_choices((), ("qnn",), ())
    hands.page.show_target((GGML,), (CPU, GGML), by_policy=False)
    assert hands.then.currentText() == "qnn – not there"
    hands.page.show_target((GGML,), ALL, by_policy=False)
    assert hands.then.currentText() == "qnn (CPU Maker)"


def test_that_several_devices_of_a_second_ep_stay_together(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((), ("npu0", "npu1"), ())
    assert hands.then.currentText() == "OpenVINOExecutionProvider (NPU, NPU)"
    assert hands.page.problem() is None
    hands.choose_then("OpenVINOExecutionProvider (NPU, NPU)")
    assert hands.page.second_keys == ("npu0", "npu1")
    assert hands.told == 0


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (("ggml",), "First and second choice belong to the same EP."),
        (("qnn", "npu0"), "The devices of the second choice belong to different EPs."),
        (("qnn", GONE), "The second EP is not there."),
    ],
)
def test_that_a_second_choice_that_cannot_be_is_a_problem_with_a_way_out(
    hands: Hands, keys: tuple[str, ...], told: str
) -> None:
    hands.page.set_choices((), keys, ())
    hands.target(GPU)
    assert str(hands.page.problem()).startswith(told)
    hands.page.set_choices((), ("qnn",), ())
    assert hands.page.problem() is None


def test_that_what_is_wrong_with_the_second_options_is_a_problem(hands: Hands) -> None:
    hands.target(GGML)
    hands.page.set_choices((), ("qnn",), (("a", "1"), ("a", "2")))
    assert "“a” is there twice" in str(hands.page.problem())
    hands.page.set_choices((("b", "1"), ("b", "2")), ("qnn",), ())
    assert "“b” is there twice" in str(hands.page.problem())


def test_that_it_is_said_that_nothing_is_left_after_orts_cpu_ep(hands: Hands) -> None:
    hands.target(CPU)
    assert "nothing is left for a second EP" in hands.then.toolTip()
    hands.target(GGML)
    assert "nothing is left" not in hands.then.toolTip()


# ---- A policy ----


def test_that_under_a_policy_there_is_one_table_and_full_keys(hands: Hands) -> None:
    hands.page.set_choices((("ep.ggml.threads", "0"), ("threads", "2")), ("qnn",), (("a", "1"), ("a", "2")))
    hands.target(by_policy=True)
    assert not hands.then.isVisible()
    assert not hands.second.isVisible()
    assert hands.page.problem() is None  # what is hidden is not used
    notes = [row[NOTE_COLUMN] for row in rows_of(hands.view.model())]
    assert notes[0] == "takes only a whole number from 1"
    assert notes[1].startswith("Threads of ggml's CPU backend")
    hands.open(2, KEY_COLUMN)
    choice = hands.choice()
    texts = [choice.itemText(row) for row in range(choice.count())]
    assert {"weights", "ep.ggml.weights", "ep.qnn.soc_model", "ep.myep.mode"} <= set(texts)
    assert "ep.ggml.threads" not in texts


# ---- How it looks ----


def test_that_nothing_is_wider_than_the_panel(hands: Hands) -> None:
    hands.target(QNN)
    hands.page.set_choices((("htp_graph_finalization_optimization_mode", "3"),), ("npu0",), (("load_config", "{}"),))
    QGuiApplication.processEvents()
    assert hands.page.minimumSizeHint().width() <= 396
    assert hands.page.minimumSizeHint().height() <= 250
    for view in (hands.view, hands.second):
        assert not view.horizontalScrollBar().isVisible()
        assert view.viewport().height() >= 2 * view.rowHeight(0)


def test_that_columns_sized_by_hand_stay_so(hands: Hands) -> None:
    header = hands.view.horizontalHeader()
    narrow = header.sectionSize(KEY_COLUMN)
    hands.page.resize(500, 300)
    hands.qtbot.waitUntil(lambda: header.sectionSize(KEY_COLUMN) > narrow, timeout=5000)
    header.resizeSection(KEY_COLUMN, 90)
    hands.page.resize(396, 300)
    hands.qtbot.waitUntil(lambda: hands.view.width() < 396, timeout=5000)
    assert header.sectionSize(KEY_COLUMN) == 90
