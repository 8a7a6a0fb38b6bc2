"""The dialog that says where the values of an input come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.dialogs.input_source import InputSourceDialog
from gui.records.inputs import (
    ChannelOrder,
    Fill,
    ImageLayout,
    ImageReading,
    ImageScaling,
    InputProposal,
    InputSource,
    SourceKind,
)
from gui.records.model import TensorInfo

from ..finding import child, shown_texts, spoken_name

IDS = TensorInfo(name="ids", type="tensor(int64)", shape=("batch", 3))
MASK = TensorInfo(name="mask", type="tensor(float)", shape=(2,))
PICTURE = TensorInfo(name="pixels", type="tensor(float)", shape=("batch", 3, 8, 8))
OPTIONAL = TensorInfo(name="opt", type="optional(seq(tensor(float)))")
PROPOSED = InputProposal(
    source=InputSource(name="ids", fill=Fill.INTEGERS, low=0, high=30521), reason="indices of Gather into 30522 rows"
)


class Hands:
    """A dialog, filled in by its fields."""

    def __init__(
        self,
        qtbot: QtBot,
        tensor: TensorInfo,
        source: InputSource | None = None,
        proposal: InputProposal | None = None,
        *,
        is_initializer: bool = False,
        sizes: dict[str, int] | None = None,
    ) -> None:
        self.qtbot = qtbot
        self._window = QWidget()
        qtbot.addWidget(self._window)
        self.dialog = InputSourceDialog(
            tensor, source, proposal, is_initializer=is_initializer, sizes=sizes, parent=self._window
        )
        self.sources: list[InputSource | None] = []
        self.dialog.source_chosen.connect(self.sources.append)
        with qtbot.waitActive(self.dialog):
            self.dialog.open()
            self.dialog.activateWindow()

    @property
    def ok(self) -> QPushButton:
        (box,) = self.dialog.findChildren(QDialogButtonBox)
        return box.button(QDialogButtonBox.StandardButton.Ok)

    def choose(self, kind: str) -> None:
        """Click on a radio button."""
        button = child(self.dialog, QRadioButton, kind)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, button.height() // 2))
        assert button.isChecked()

    def kinds(self) -> list[str]:
        return [spoken_name(button) for button in self.dialog.findChildren(QRadioButton)]

    def chosen(self) -> str:
        (button,) = (button for button in self.dialog.findChildren(QRadioButton) if button.isChecked())
        return spoken_name(button)

    def combo(self, name: str) -> QComboBox:
        (found,) = (box for box in self.dialog.findChildren(QComboBox) if box.isVisible() and spoken_name(box) == name)
        return found

    def pick(self, name: str, text: str) -> None:
        """Choose an entry of a combo box by the keyboard."""
        combo = self.combo(name)
        number = combo.findText(text)
        assert number >= 0, text
        combo.setFocus()
        self.qtbot.keyClick(combo, Qt.Key.Key_Home)
        for _ in range(number):
            self.qtbot.keyClick(combo, Qt.Key.Key_Down)
        assert combo.currentText() == text

    def entries(self, name: str) -> list[str]:
        combo = self.combo(name)
        return [combo.itemText(row) for row in range(combo.count())]

    def line(self, name: str) -> QLineEdit:
        found = [line for line in self.dialog.findChildren(QLineEdit) if line.isVisible() and spoken_name(line) == name]
        assert len(found) == 1, f"{len(found)} fields “{name}”"
        return found[0]

    def write(self, name: str, text: str) -> None:
        line = self.line(name)
        line.setFocus()
        line.selectAll()
        self.qtbot.keyClick(line, Qt.Key.Key_Delete)
        self.qtbot.keyClicks(line, text)

    def says(self, words: str) -> bool:
        return any(words in text for text in shown_texts(self.dialog))

    def accept(self) -> InputSource | None:
        """Press OK and return what was chosen."""
        with self.qtbot.waitSignals([self.dialog.source_chosen, self.dialog.accepted], timeout=1000):
            self.qtbot.mouseClick(self.ok, Qt.MouseButton.LeftButton)
        (source,) = self.sources
        return source


# ---- Which kinds ----


def test_that_only_kinds_that_suit_the_input_are_offered(qtbot: QtBot) -> None:
    assert Hands(qtbot, IDS).kinds() == ["Automatic", "Generated", "From a file"]
    assert Hands(qtbot, PICTURE).kinds() == ["Automatic", "Generated", "From a file", "From an image"]
    assert Hands(qtbot, OPTIONAL).kinds() == ["Automatic", "Generated", "From a file", "Left out"]
    assert Hands(qtbot, MASK, is_initializer=True).kinds() == [
        "Left out: the model's own value",
        "Generated",
        "From a file",
    ]


def test_that_automatic_says_what_and_why(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS, None, PROPOSED)
    assert hands.chosen() == "Automatic"
    assert hands.says("integers 0 to 30521")
    assert hands.says("indices of Gather into 30522 rows")
    assert hands.accept() is None


def test_that_the_head_names_input_type_and_shape(qtbot: QtBot) -> None:
    assert Hands(qtbot, IDS).says("ids  ·  int64  ·  [batch, 3]")


def test_that_an_optional_can_be_left_out(qtbot: QtBot) -> None:
    hands = Hands(qtbot, OPTIONAL)
    hands.choose("Left out")
    assert hands.accept() == InputSource(name="opt", kind=SourceKind.OMITTED)


def test_that_an_initializer_left_out_has_no_source(qtbot: QtBot) -> None:
    hands = Hands(qtbot, MASK, InputSource(name="mask", fill=Fill.ONES), is_initializer=True)
    assert hands.chosen() == "Generated"
    hands.choose("Left out: the model's own value")
    assert hands.accept() is None


def test_that_the_kind_is_chosen_by_the_keyboard_too(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS, None, PROPOSED)
    first = child(hands.dialog, QRadioButton, "Automatic")
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert hands.chosen() == "Generated"
    assert hands.combo("Fill").isVisible()


# ---- Generated ----


def test_that_generating_begins_with_what_was_proposed(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS, None, PROPOSED)
    hands.choose("Generated")
    assert hands.accept() == PROPOSED.source


def test_that_only_fills_that_suit_the_type_are_offered(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS, InputSource(name="ids", fill=Fill.ONES))
    assert hands.entries("Fill") == ["integer range", "zeros", "ones", "constant", "values"]
    assert Hands(qtbot, MASK, InputSource(name="mask", fill=Fill.ONES)).entries("Fill")[:2] == ["uniform", "normal"]


def test_that_a_fill_of_the_engines_choice_is_offered_though_it_is_unusual(qtbot: QtBot) -> None:
    proposal = InputProposal(source=InputSource(name="ids", fill=Fill.UNIFORM, low=0, high=5))
    hands = Hands(qtbot, IDS, None, proposal)
    hands.choose("Generated")
    assert hands.combo("Fill").currentText() == "uniform"


def test_that_integers_of_64_bits_keep_all_their_digits(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS, None, PROPOSED)
    hands.choose("Generated")
    hands.write("From", "-9223372036854775808")
    hands.write("To, included", "9223372036854775807")
    assert hands.accept() == InputSource(name="ids", fill=Fill.INTEGERS, low=-(2**63), high=2**63 - 1)


def test_that_a_source_is_shown_with_all_its_digits(qtbot: QtBot) -> None:
    source = InputSource(name="mask", fill=Fill.NORMAL, low=0.1, high=12345678.125)
    hands = Hands(qtbot, MASK, source)
    assert (hands.line("Mean").text(), hands.line("Deviation").text()) == ("0.1", "12345678.125")
    assert hands.accept() == source


def test_that_what_is_wrong_is_said_at_once_and_cannot_be_accepted(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS, None, PROPOSED)
    hands.choose("Generated")
    for low, words in (("1.5", "“1.5” is not a whole number."), ("", "missing"), ("40000", "ends before it begins")):
        hands.write("From", low)
        assert hands.says(words)
        assert not hands.ok.isEnabled()
    hands.write("From", "7")
    assert not hands.says("begins")
    assert hands.ok.isEnabled()


def test_that_a_wrong_field_of_one_kind_does_not_stand_in_the_way_of_another(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS, None, PROPOSED)
    hands.choose("Generated")
    hands.write("From", "x")
    hands.choose("Automatic")
    assert hands.ok.isEnabled()
    assert not hands.says("not a whole number")


def test_that_a_constant_is_kept_as_text(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS, InputSource(name="ids", fill=Fill.ONES))
    hands.pick("Fill", "constant")
    assert not hands.ok.isEnabled()
    hands.write("Value", "9007199254740993")
    assert hands.accept() == InputSource(name="ids", fill=Fill.CONSTANT, value="9007199254740993")


def test_that_values_are_counted_while_they_are_typed(qtbot: QtBot) -> None:
    hands = Hands(qtbot, MASK, InputSource(name="mask", fill=Fill.VALUES, value="1"))
    assert hands.says("1 of 2 values")
    assert not hands.ok.isEnabled()
    (edit,) = hands.dialog.findChildren(QPlainTextEdit)
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, "0.5")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    qtbot.keyClicks(edit, "nan")
    assert hands.says("2 of 2 values")
    assert hands.accept() == InputSource(name="mask", fill=Fill.VALUES, value="0.5, nan")


def test_that_values_for_a_free_size_are_counted_by_the_size_chosen_but_not_refused(qtbot: QtBot) -> None:
    source = InputSource(name="ids", fill=Fill.VALUES, value="1, 2, 3")
    hands = Hands(qtbot, IDS, source, sizes={"batch": 2})
    assert hands.says("3 of 6 values")
    assert hands.accept() == source


def test_that_entries_and_shape_are_asked_for_where_the_model_leaves_them_open(qtbot: QtBot) -> None:
    hands = Hands(qtbot, OPTIONAL)
    hands.choose("Generated")
    hands.pick("Fill", "automatic")
    spin = child(hands.dialog, QSpinBox, "Entries")
    spin.setFocus()
    spin.selectAll()
    qtbot.keyClicks(spin, "4")
    hands.write("Shape", "2, x")
    assert not hands.ok.isEnabled()
    hands.write("Shape", "[2, 3]")
    assert hands.accept() == InputSource(name="opt", length=4, shape=(2, 3))


def test_that_an_automatic_fill_without_more_is_automatic(qtbot: QtBot) -> None:
    hands = Hands(qtbot, OPTIONAL)
    hands.choose("Generated")
    hands.pick("Fill", "automatic")
    assert hands.accept() is None


def test_that_what_is_known_of_shape_and_entries_is_not_asked_for(qtbot: QtBot) -> None:
    hands = Hands(qtbot, MASK, InputSource(name="mask", fill=Fill.ONES))
    labels = shown_texts(hands.dialog)
    assert "&Entries" not in labels
    assert "&Shape" not in labels
    assert not any(line.isVisible() for line in hands.dialog.findChildren(QLineEdit))


# ---- Files ----


def test_that_a_file_is_shown_with_what_is_expected_and_found(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "ids.npy"
    np.save(path, np.zeros((2, 4), np.int32))
    hands = Hands(qtbot, IDS)
    hands.choose("From a file")
    assert hands.says("Choose a file")
    assert not hands.ok.isEnabled()
    hands.line("File of values").setText(str(path))
    assert hands.says("int64 [batch, 3]")
    assert hands.says("int32 [2, 4]")
    assert hands.accept() == InputSource(name="ids", kind=SourceKind.FILE, path=str(path))


def test_that_a_file_that_is_not_there_cannot_be_chosen(qtbot: QtBot) -> None:
    hands = Hands(qtbot, IDS)
    hands.choose("From a file")
    hands.write("File of values", "/no/such.npy")
    assert hands.says("There is no file /no/such.npy.")
    assert not hands.ok.isEnabled()
    hands.write("File of values", "/no/such.csv")
    assert hands.says("end in .npy, .npz or .pb")


def test_that_the_arrays_of_an_archive_are_offered_the_inputs_own_first(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, other=np.zeros((7,)), ids=np.zeros((1, 3), np.int64))
    hands = Hands(qtbot, IDS)
    hands.choose("From a file")
    hands.line("File of values").setText(str(path))
    assert hands.entries("Array") == ["other", "ids"]
    assert hands.combo("Array").currentText() == "ids"
    assert hands.says("int64 [1, 3]")
    hands.pick("Array", "other")
    assert hands.says("double [7]")
    assert hands.accept() == InputSource(name="ids", kind=SourceKind.FILE, path=str(path), entry="other")


def test_that_the_array_chosen_before_is_chosen_again(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, one=np.zeros(1), two=np.zeros(2), ids=np.zeros(3))
    source = InputSource(name="ids", kind=SourceKind.FILE, path=str(path), entry="two")
    hands = Hands(qtbot, IDS, source)
    assert hands.chosen() == "From a file"
    assert hands.accept() == source


def test_that_a_broken_archive_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    path.write_bytes(b"nothing")
    hands = Hands(qtbot, IDS)
    hands.choose("From a file")
    hands.line("File of values").setText(str(path))
    assert hands.says("cannot be read")
    assert not hands.ok.isEnabled()


def test_that_a_file_is_chosen_by_a_dialog(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "ids.npy"
    np.save(path, np.zeros((1, 3), np.int64))
    hands = Hands(qtbot, IDS)
    hands.choose("From a file")
    (browse,) = (
        button for button in hands.dialog.findChildren(QPushButton) if button.isVisible() and "Browse" in button.text()
    )
    qtbot.mouseClick(browse, Qt.MouseButton.LeftButton)
    (chooser,) = hands.dialog.findChildren(QFileDialog)
    chooser.setDirectory(str(tmp_path))
    chooser.selectFile(str(path))
    with qtbot.waitSignal(chooser.fileSelected, timeout=5000):
        chooser.accept()
    assert hands.line("File of values").text() == str(path)


def test_that_a_file_can_be_given_beforehand(qtbot: QtBot, tmp_path: Path) -> None:
    hands = Hands(qtbot, IDS)
    hands.dialog.choose_file(str(tmp_path / "ids.pb"))
    assert hands.chosen() == "From a file"
    assert hands.line("File of values").text() == str(tmp_path / "ids.pb")


# ---- Images ----


@pytest.fixture
def cat(tmp_path: Path) -> str:
    """An image twice as wide as high."""
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("orange"))
    path = str(tmp_path / "cat.png")
    assert image.save(path)
    return path


def test_that_an_image_is_shown_small_with_its_true_size(qtbot: QtBot, cat: str) -> None:
    hands = Hands(qtbot, PICTURE)
    hands.choose("From an image")
    assert hands.says("Choose an image.")
    hands.line("Image").setText(cat)
    assert hands.says("400 × 200 pixels · Resized to fit [batch, 3, 8, 8]")
    preview = child(hands.dialog, QLabel, "Preview of the image")
    assert preview.isVisible()
    assert (preview.pixmap().width(), preview.pixmap().height()) == (160, 80)
    assert preview.pixmap().toImage().pixelColor(80, 40) == QColor("orange")


def test_that_an_image_is_read_as_chosen(qtbot: QtBot, cat: str) -> None:
    hands = Hands(qtbot, PICTURE)
    hands.choose("From an image")
    hands.line("Image").setText(cat)
    hands.pick("Layout", "NHWC, channels last")
    hands.pick("Scaling", "ImageNet mean and deviation")
    hands.pick("Colours", "BGR")
    reading = ImageReading(layout=ImageLayout.CHANNELS_LAST, scaling=ImageScaling.IMAGENET, channels=ChannelOrder.BGR)
    source = InputSource(name="pixels", kind=SourceKind.IMAGE, path=cat, image=reading)
    assert hands.accept() == source
    again = Hands(qtbot, PICTURE, source)
    assert again.chosen() == "From an image"
    assert again.accept() == source


def test_that_whole_numbers_take_an_image_as_it_is(qtbot: QtBot) -> None:
    hands = Hands(qtbot, TensorInfo(name="pixels", type="tensor(uint8)", shape=(8, 8, 3)))
    hands.choose("From an image")
    assert hands.entries("Scaling") == ["0 to 255"]


def test_that_a_file_that_is_no_image_has_no_preview(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(b"no image")
    hands = Hands(qtbot, PICTURE)
    hands.choose("From an image")
    hands.line("Image").setText(str(path))
    assert not child(hands.dialog, QLabel, "Preview of the image").isVisible()
    assert not hands.says("pixels ·")
    hands.line("Image").setText(str(tmp_path / "none.png"))
    assert hands.says("There is no file")
    assert not hands.ok.isEnabled()
