"""What a model is run with: the values of its inputs, the sizes of its dimensions, the seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QLineEdit, QPushButton, QRadioButton, QSpinBox, QTableView
from pytestqt.qtbot import QtBot

from gui import theme
from gui.dialogs.input_source import InputSourceDialog
from gui.models.input_table import VALUES_COLUMN
from gui.panels.inputs_page import MAX_SEED, InputsPage
from gui.panels.widgets import FailureBox, TableView
from gui.records.inputs import Fill, InputProposal, InputProposals, InputSource, SourceKind
from gui.records.model import ModelDescription, TensorInfo
from gui.records.setup import DimensionSweep
from gui.records.trial import DimensionSize
from gui.settings import ColorScheme

from ..finding import action_named, child, click_index, click_row, rows_of, show, wait_until_gone

NET = ModelDescription(
    path="/models/net.onnx",
    size_bytes=2048,
    inputs=(
        TensorInfo(name="ids", type="tensor(int64)", shape=("batch", "sequence")),
        TensorInfo(name="pixels", type="tensor(float)", shape=("batch", 3, 8, 8)),
    ),
    outputs=(),
    initializers=(TensorInfo(name="scale", type="tensor(float)", shape=()),),
)
OTHER = ModelDescription(
    path="/models/other.onnx",
    size_bytes=1,
    inputs=(TensorInfo(name="ids", type="tensor(int64)", shape=("batch", "height")),),
    outputs=(),
)
PROPOSALS = InputProposals(
    proposals=(
        InputProposal(source=InputSource(name="ids", fill=Fill.INTEGERS, low=0, high=9), reason="indices into 10 rows"),
        InputProposal(source=InputSource(name="pixels", fill=Fill.UNIFORM)),
        InputProposal(source=InputSource(name="scale", kind=SourceKind.OMITTED)),
    )
)
ONES = InputSource(name="ids", fill=Fill.ONES)


class Hands:
    """A page, used by mouse and keyboard."""

    def __init__(self, qtbot: QtBot, *, height: int = 330) -> None:
        self.qtbot = qtbot
        self.page = InputsPage()
        show(qtbot, self.page, 396, height)
        self.view = child(self.page, QTableView, "Inputs")
        (self.box,) = self.page.findChildren(FailureBox)

    def values(self) -> list[str]:
        return [row[VALUES_COLUMN] for row in rows_of(self.view.model())]

    def sources(self) -> tuple[InputSource, ...]:
        return self.page.sources

    def press(self, name: str) -> None:
        self.qtbot.mouseClick(child(self.page, QPushButton, name), Qt.MouseButton.LeftButton)

    def dialog(self) -> InputSourceDialog:
        """The dialog that was just opened."""
        (dialog,) = self.page.findChildren(InputSourceDialog)
        self.qtbot.waitUntil(dialog.isVisible, timeout=1000)
        return dialog

    def accept(self, dialog: InputSourceDialog) -> None:
        (buttons,) = dialog.findChildren(QDialogButtonBox)
        self.qtbot.mouseClick(buttons.button(QDialogButtonBox.StandardButton.Ok), Qt.MouseButton.LeftButton)
        wait_until_gone(self.qtbot, dialog)

    def generate(self, dialog: InputSourceDialog) -> None:
        """Choose “Generated” in a dialog."""
        button = child(dialog, QRadioButton, "Generated")
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))
        assert button.isChecked()

    def file_dialog(self) -> QFileDialog:
        """The file dialog that was just opened."""
        (chooser,) = self.page.findChildren(QFileDialog)
        return chooser

    def choose(self, chooser: QFileDialog, path: Path) -> None:
        """Choose a file or folder in a file dialog."""
        chooser.setDirectory(str(path.parent))
        chooser.selectFile(str(path))
        with self.qtbot.waitSignal(self.page.inputs_changed, timeout=5000):
            chooser.accept()

    def type_size(self, name: str, text: str) -> QLineEdit:
        line = child(self.page, QLineEdit, f"Size of {name}")
        line.setFocus()
        line.selectAll()
        self.qtbot.keyClicks(line, text)
        return line


@pytest.fixture
def hands(qtbot: QtBot) -> Hands:
    """A page with a model and what is proposed for it."""
    hands = Hands(qtbot)
    hands.page.show_model(NET)
    hands.page.show_proposals(PROPOSALS)
    return hands


def set_only(page: InputsPage, *sources: InputSource, model_path: str | None = None) -> None:
    page.set_choices(sources, 0, (), (), model_path=model_path)


# ---- What is shown ----


def test_that_without_a_model_there_is_nothing_to_do(qtbot: QtBot) -> None:
    hands = Hands(qtbot)
    assert rows_of(hands.view.model()) == []
    assert isinstance(hands.view, TableView)
    assert "open or drop an ONNX file" in hands.view.empty_hint
    assert (hands.sources(), hands.page.sizes, hands.page.sweeps) == ((), (), ())
    assert hands.page.problem() is None
    assert not child(hands.page, QPushButton, "Values…").isEnabled()
    assert not child(hands.page, QPushButton, "Load files…").isEnabled()
    assert hands.page.take_files(["/x.npy"]) == ("/x.npy",)


def test_that_inputs_then_initializers_are_shown_with_their_values(hands: Hands) -> None:
    assert rows_of(hands.view.model()) == [
        ["ids", "int64", "[batch, sequence]", "automatic: integers 0 to 9"],
        ["pixels", "float", "[batch, 3, 8, 8]", "automatic: uniform 0 to 1"],
        ["scale", "float", "[]", "model's own value"],
    ]
    assert hands.page.sizes == ()
    assert hands.sources() == ()


def test_that_proposals_of_one_model_are_not_shown_for_another(hands: Hands) -> None:
    hands.page.show_model(OTHER)
    assert hands.values() == ["automatic"]
    hands.page.show_proposals(None)
    assert hands.values() == ["automatic"]


def test_that_the_same_model_again_leaves_proposals_alone(hands: Hands) -> None:
    hands.page.show_model(replace(NET))
    assert hands.values()[0] == "automatic: integers 0 to 9"


def test_that_a_model_without_inputs_says_so(hands: Hands) -> None:
    hands.page.show_model(replace(OTHER, inputs=()))
    assert isinstance(hands.view, TableView)
    assert hands.view.empty_hint == "This model has no inputs."


def test_that_the_values_get_the_most_of_a_narrow_table(hands: Hands) -> None:
    header = hands.view.horizontalHeader()
    wide = [header.sectionSize(column) for column in range(4)]
    assert sum(wide) == hands.view.viewport().width()
    assert max(wide) == wide[VALUES_COLUMN]
    hands.page.resize(900, 330)
    assert header.sectionSize(2) >= hands.view.sizeHintForColumn(2)


def test_that_a_width_set_by_hand_stays(hands: Hands) -> None:
    header = hands.view.horizontalHeader()
    header.resizeSection(0, 60)
    hands.page.resize(600, 330)
    assert header.sectionSize(0) == 60


def test_that_table_and_dimensions_share_the_least_room(qtbot: QtBot) -> None:
    hands = Hands(qtbot, height=260)
    names = tuple(f"size_{number}" for number in range(24))
    hands.page.show_model(replace(OTHER, inputs=(TensorInfo(name="x", type="tensor(float)", shape=names),)))
    qtbot.waitUntil(lambda: hands.page.dimensions.height() > 60, timeout=1000)
    assert hands.page.height() == 260
    assert hands.page.minimumSizeHint().width() <= 396
    assert hands.view.viewport().height() >= 2 * hands.view.verticalHeader().defaultSectionSize()
    assert hands.page.dimensions.geometry().bottom() < 260


def test_that_what_is_automatic_follows_the_colours(hands: Hands) -> None:
    index = hands.view.model().index(0, VALUES_COLUMN)
    light = index.data(Qt.ItemDataRole.ForegroundRole)
    assert light == theme.muted(QGuiApplication.palette())
    theme.apply_color_scheme(ColorScheme.DARK)
    try:
        hands.qtbot.waitUntil(lambda: index.data(Qt.ItemDataRole.ForegroundRole) != light, timeout=1000)
        assert index.data(Qt.ItemDataRole.ForegroundRole) == theme.muted(QGuiApplication.palette())
    finally:
        theme.apply_color_scheme(ColorScheme.SYSTEM)


# ---- Sources, one by one ----


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2])
def test_that_a_key_opens_the_dialog_of_the_row(hands: Hands, key: Qt.Key) -> None:
    click_row(hands.qtbot, hands.view, 1)
    hands.qtbot.keyClick(hands.view, key)
    assert hands.dialog().windowTitle() == "Values of pixels"


def test_that_a_double_click_opens_the_dialog_of_the_row(hands: Hands) -> None:
    index = hands.view.model().index(2, VALUES_COLUMN)
    click_index(hands.qtbot, hands.view, index)
    area = hands.view.visualRect(index)
    hands.qtbot.mouseDClick(hands.view.viewport(), Qt.MouseButton.LeftButton, pos=area.center())
    assert hands.dialog().windowTitle() == "Values of scale"


def test_that_the_button_opens_the_dialog_and_what_is_chosen_is_set(hands: Hands) -> None:
    hands.press("Values…")
    dialog = hands.dialog()
    hands.generate(dialog)
    with hands.qtbot.waitSignal(hands.page.inputs_changed, timeout=1000):
        hands.accept(dialog)
    assert hands.sources() == (InputSource(name="ids", fill=Fill.INTEGERS, low=0, high=9),)
    assert hands.values()[0] == "integers 0 to 9"


def test_that_a_cancelled_dialog_sets_nothing(hands: Hands) -> None:
    hands.press("Values…")
    dialog = hands.dialog()
    with hands.qtbot.assertNotEmitted(hands.page.inputs_changed):
        hands.qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        wait_until_gone(hands.qtbot, dialog)
    assert hands.sources() == ()


def test_that_what_a_dialog_tells_is_for_the_model_it_was_opened_for(hands: Hands) -> None:
    hands.press("Values…")
    dialog = hands.dialog()
    hands.generate(dialog)
    hands.page.show_model(OTHER)
    hands.accept(dialog)
    assert hands.sources() == ()
    hands.page.show_model(NET)
    assert [source.name for source in hands.sources()] == ["ids"]


def test_that_selected_rows_go_back_to_automatic(hands: Hands) -> None:
    set_only(hands.page, ONES, InputSource(name="pixels", fill=Fill.ZEROS))
    click_row(hands.qtbot, hands.view, 2)
    assert not action_named(hands.view, "Back to automatic").isEnabled()
    click_row(hands.qtbot, hands.view, 0)
    with hands.qtbot.waitSignal(hands.page.inputs_changed, timeout=1000):
        action_named(hands.view, "Back to automatic").trigger()
    assert [source.name for source in hands.sources()] == ["pixels"]
    click_row(hands.qtbot, hands.view, 1)
    hands.qtbot.keyClick(hands.view, Qt.Key.Key_Delete)
    assert hands.sources() == ()
    assert hands.values()[:2] == ["automatic: integers 0 to 9", "automatic: uniform 0 to 1"]


def test_that_a_file_of_any_name_is_chosen_for_the_row(hands: Hands, tmp_path: Path) -> None:
    path = tmp_path / "anything.npy"
    np.save(path, np.zeros((1, 1), np.int64))
    click_row(hands.qtbot, hands.view, 0)
    action_named(hands.view, "Choose file…").trigger()
    hands.choose(hands.file_dialog(), path)
    assert hands.sources() == (InputSource(name="ids", kind=SourceKind.FILE, path=str(path)),)
    assert hands.page.problem() is None


def test_that_an_archive_without_the_inputs_array_asks_which(hands: Hands, tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, one=np.zeros((1, 1), np.int64), two=np.zeros(2))
    click_row(hands.qtbot, hands.view, 0)
    action_named(hands.view, "Choose file…").trigger()
    chooser = hands.file_dialog()
    chooser.setDirectory(str(tmp_path))
    chooser.selectFile(str(path))
    chooser.accept()
    dialog = hands.dialog()
    assert child(dialog, QRadioButton, "From a file").isChecked()
    hands.accept(dialog)
    assert hands.sources() == (InputSource(name="ids", kind=SourceKind.FILE, path=str(path), entry="one"),)


def test_that_one_row_only_can_choose_a_file(hands: Hands) -> None:
    click_row(hands.qtbot, hands.view, 0)
    assert action_named(hands.view, "Choose file…").isEnabled()
    click_row(hands.qtbot, hands.view, 1, Qt.KeyboardModifier.ShiftModifier)
    assert not action_named(hands.view, "Choose file…").isEnabled()


# ---- Files for several inputs ----


def test_that_files_go_to_the_inputs_they_are_named_after(hands: Hands, tmp_path: Path) -> None:
    for name in ("pixels.npy", "scale.npy", "notes.txt"):
        (tmp_path / name).touch()
    paths = [str(tmp_path / name) for name in ("pixels.npy", "scale.npy", "notes.txt")]
    with hands.qtbot.waitSignal(hands.page.inputs_changed, timeout=1000):
        left = hands.page.take_files(paths)
    assert left == (paths[2],)
    assert hands.values() == ["automatic: integers 0 to 9", "pixels.npy", "scale.npy"]
    assert hands.box.failure is not None
    assert hands.box.failure.message == "No input takes notes.txt."
    assert hands.page.take_files(paths[:2]) == ()
    assert hands.box.failure is None


def test_that_one_single_file_is_for_the_selected_input(hands: Hands, tmp_path: Path) -> None:
    path = tmp_path / "anything.npy"
    path.touch()
    click_row(hands.qtbot, hands.view, 1)
    assert hands.page.take_files([str(path)]) == ()
    assert [source.name for source in hands.sources()] == ["pixels"]


def test_that_an_image_goes_to_the_input_that_takes_images(hands: Hands, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.touch()
    click_row(hands.qtbot, hands.view, 0)
    assert hands.page.take_files([str(path)]) == ()
    assert hands.sources() == (InputSource(name="pixels", kind=SourceKind.IMAGE, path=str(path)),)


def test_that_many_files_that_fit_nothing_are_counted(hands: Hands) -> None:
    hands.page.take_files([f"/data/{number}.txt" for number in range(5)])
    assert hands.box.failure is not None
    assert hands.box.failure.message == "No input takes 0.txt, 1.txt, 2.txt and 2 more."
    assert hands.box.failure.detail.count("\n") == 4
    hands.page.show_model(OTHER)
    assert hands.box.failure is None


@pytest.mark.parametrize("entry", ["Files…", "Data set folder…"])
def test_that_files_or_a_folder_are_chosen_by_the_button(hands: Hands, tmp_path: Path, entry: str) -> None:
    folder = tmp_path / "test_data_set_0"
    folder.mkdir()
    for name in ("input_0.pb", "input_1.pb", "output_0.pb"):
        (folder / name).touch()
    menu = child(hands.page, QPushButton, "Load files…").menu()
    (action,) = (action for action in menu.actions() if action.text().replace("&", "") == entry)
    action.trigger()
    hands.choose(hands.file_dialog(), folder / "input_1.pb" if entry == "Files…" else folder)
    expected = ["pixels"] if entry == "Files…" else ["ids", "pixels"]
    assert [source.name for source in hands.sources()] == expected


# ---- Kept while other models are shown ----


def test_that_sources_come_back_with_their_model(hands: Hands) -> None:
    set_only(hands.page, ONES)
    hands.page.show_model(OTHER)
    assert hands.sources() == ()
    hands.page.show_model(None)
    hands.page.show_model(NET)
    assert hands.sources() == (ONES,)


def test_that_a_source_of_an_input_that_is_gone_or_of_another_type_is_dropped(hands: Hands) -> None:
    set_only(hands.page, ONES)
    floats = replace(NET.inputs[0], type="tensor(float)")
    for inputs in ((floats, NET.inputs[1]), NET.inputs[1:]):
        hands.page.show_model(replace(NET, inputs=inputs))
        assert hands.sources() == ()


def test_that_choices_set_before_a_model_is_shown_are_for_the_next_one(qtbot: QtBot) -> None:
    page = Hands(qtbot).page
    sweep = DimensionSweep(name="batch", sizes=(2, 4))
    page.set_choices((ONES,), 7, (DimensionSize(name="batch", size=2),), (sweep,))
    page.show_model(NET)
    assert page.sources == (ONES,)
    assert page.seed == 7
    assert page.sizes == (DimensionSize(name="batch", size=2),)
    assert page.sweeps == (sweep,)


def test_that_choices_for_another_model_wait_for_it(hands: Hands) -> None:
    set_only(hands.page, ONES, model_path=OTHER.path)
    assert hands.sources() == ()
    hands.page.show_model(OTHER)
    assert hands.sources() == (ONES,)


def test_that_set_choices_replace_those_before(hands: Hands) -> None:
    set_only(hands.page, ONES)
    set_only(hands.page, InputSource(name="pixels", fill=Fill.ZEROS))
    assert [source.name for source in hands.sources()] == ["pixels"]


def test_that_a_source_that_says_no_more_than_automatic_is_absent(hands: Hands) -> None:
    set_only(hands.page, InputSource(name="ids"), InputSource(name="scale", kind=SourceKind.OMITTED))
    assert hands.sources() == ()


# ---- Seed, sizes, problems ----


def test_that_the_seed_is_typed(hands: Hands) -> None:
    box = child(hands.page, QSpinBox, "Seed")
    assert (box.minimum(), box.maximum()) == (0, MAX_SEED)
    box.selectAll()
    with hands.qtbot.waitSignal(hands.page.inputs_changed, timeout=1000):
        hands.qtbot.keyClicks(box, "42")
    assert hands.page.seed == 42


def test_that_sizes_are_told_when_a_field_is_left_and_not_on_every_key(hands: Hands) -> None:
    with (
        hands.qtbot.assertNotEmitted(hands.page.sizes_changed),
        hands.qtbot.waitSignal(hands.page.inputs_changed, timeout=1000),
    ):
        line = hands.type_size("batch", "16, 32")
    with hands.qtbot.waitSignal(hands.page.sizes_changed, timeout=1000) as told:
        hands.qtbot.keyClick(line, Qt.Key.Key_Return)
    assert told.args == [{"batch": 16}]
    assert hands.page.sweeps == (DimensionSweep(name="batch", sizes=(16, 32)),)


def test_that_another_model_tells_no_sizes_by_itself(hands: Hands) -> None:
    with (
        hands.qtbot.assertNotEmitted(hands.page.sizes_changed),
        hands.qtbot.waitSignal(hands.page.inputs_changed, timeout=1000),
    ):
        hands.page.show_model(OTHER)


def test_that_a_wrong_size_is_the_pages_problem(hands: Hands) -> None:
    hands.type_size("sequence", "x")
    problem = hands.page.problem()
    assert problem is not None
    assert "sequence" in problem
    assert hands.page.dimensions.problem() == problem


def test_that_a_source_that_cannot_be_used_is_the_pages_problem(hands: Hands) -> None:
    set_only(hands.page, InputSource(name="pixels", kind=SourceKind.FILE, path="/no/such.npy"))
    assert hands.page.problem() == "pixels: There is no file /no/such.npy."
    assert hands.view.model().index(1, VALUES_COLUMN).data(Qt.ItemDataRole.DecorationRole) is not None
    set_only(hands.page, ONES)
    assert hands.page.problem() is None
