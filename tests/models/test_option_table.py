"""EP options as an editable table, with what is known of each."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.models.known_options import known_options
from gui.models.option_table import MAX_KEY_LENGTH, MAX_VALUE_LENGTH, NOTE_COLUMN, OptionTableModel
from gui.records.codec import StringMap
from gui.records.device import Device

from .makers import ModelTester, device, texts

GGML = device("ggml", ep_name="ggml", library="ggml")
MINE = device("mine", ep_name="MyEp", library="mine", ep_options=(("mode", "fast"),))


@pytest.fixture
def model() -> OptionTableModel:
    model = OptionTableModel()
    model.set_options((("threads", "4"), ("mode", "fast")))
    return model


def tell(model: OptionTableModel, *devices: Device) -> None:
    model.set_known(known_options(devices, {}), tuple(device.ep_name for device in devices))


def notes(model: OptionTableModel) -> list[str]:
    return texts(model, NOTE_COLUMN)


def cells(model: OptionTableModel) -> list[tuple[str, str]]:
    return [(model.index(row, 0).data(), model.index(row, 1).data()) for row in range(model.rowCount())]


def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = OptionTableModel()
    qtmodeltester.check(model)
    model.setData(model.index(0, 0), "threads=4")
    model.setData(model.index(1, 1), "fast")
    model.remove_row(0)
    assert cells(model) == [("", "fast"), ("", "")]
    tell(model, GGML)
    model.set_options((("threads", "4"),))
    tell(model, MINE)
    model.set_options(())
    assert cells(model) == [("", "")]


def test_that_an_empty_row_waits_at_the_end(model: OptionTableModel) -> None:
    assert cells(model) == [("threads", "4"), ("mode", "fast"), ("", "")]
    assert model.options == (("threads", "4"), ("mode", "fast"))


def test_that_every_cell_can_be_edited(model: OptionTableModel) -> None:
    indexes = [model.index(row, column) for row in range(3) for column in range(2)]
    assert all(model.flags(index) & Qt.ItemFlag.ItemIsEditable for index in indexes)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("device=gpu", ("device", "gpu")),
        (" device = gpu ", ("device", "gpu")),
        ("path=a=b", ("path", "a=b")),
        ("flag=", ("flag", "")),
        ("device", ("device", "")),
    ],
)
def test_that_a_key_may_be_pasted_with_its_value(model: OptionTableModel, text: str, pair: tuple[str, str]) -> None:
    assert model.setData(model.index(2, 0), text)
    assert model.options[2] == pair
    assert model.rowCount() == 4  # another empty one


def test_that_an_equals_sign_in_a_value_is_part_of_it(model: OptionTableModel) -> None:
    assert model.setData(model.index(0, 1), "a=b")
    assert model.options[0] == ("threads", "a=b")


def test_that_a_new_key_keeps_the_value(model: OptionTableModel) -> None:
    assert model.setData(model.index(0, 0), "intra_threads")
    assert model.options[0] == ("intra_threads", "4")


def test_that_leaving_the_empty_row_empty_adds_nothing(qtbot: QtBot, model: OptionTableModel) -> None:
    with qtbot.assertNotEmitted(model.options_changed):
        assert not model.setData(model.index(2, 0), "  ")
    assert model.rowCount() == 3


def test_that_each_change_is_told(qtbot: QtBot, model: OptionTableModel) -> None:
    with qtbot.waitSignal(model.options_changed):
        model.setData(model.index(0, 1), "8")
    with qtbot.waitSignal(model.options_changed):
        model.setData(model.index(2, 0), "new")
    with qtbot.waitSignal(model.options_changed):
        model.remove_row(0)
    with qtbot.waitSignal(model.options_changed):
        model.set_options(())


def test_that_only_rows_that_are_there_can_be_removed(qtbot: QtBot, model: OptionTableModel) -> None:
    with qtbot.assertNotEmitted(model.options_changed):
        model.remove_row(2)  # the empty one at the end
        model.remove_row(-1)
    model.remove_row(0)
    assert model.options == (("mode", "fast"),)


def test_that_a_row_emptied_by_hand_is_no_option(model: OptionTableModel) -> None:
    model.setData(model.index(0, 0), "")
    model.setData(model.index(0, 1), " ")
    assert model.options == (("mode", "fast"),)
    assert model.problem() is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((), None),
        ((("a", "1"), ("b", "1")), None),
        ((("a", ""),), None),
        ((("a", "1"), ("", "loose")), "The option value “loose” has no key. Type options as key and value."),
        ((("a", "1"), (" a ", "2")), "The option “a” is there twice. Remove one."),
    ],
)
def test_that_the_problem_is_one_sentence(options: StringMap, problem: str | None) -> None:
    model = OptionTableModel()
    model.set_options(options)
    assert model.problem() == problem


def test_that_other_roles_cannot_be_set(model: OptionTableModel) -> None:
    assert not model.setData(model.index(0, 0), "x", int(Qt.ItemDataRole.ToolTipRole))
    assert model.options[0] == ("threads", "4")


def test_that_the_header_names_the_columns(model: OptionTableModel) -> None:
    titles = [model.headerData(column, Qt.Orientation.Horizontal) for column in range(4)]
    assert titles == ["Option", "Value", "Known as", None]


# ---- What is known ----


def test_that_each_option_says_how_it_is_known(model: OptionTableModel) -> None:
    model.set_options((("mode", "slow"), ("threads", "4"), ("", "")))
    tell(model, MINE)
    assert notes(model) == ["from ep_options", "not checked: ORT accepts anything", "", ""]
    tell(model, GGML)
    assert notes(model)[0] == "not checked: ORT accepts anything"
    assert notes(model)[1].startswith("Threads of ggml's CPU backend")


def test_that_a_value_that_is_not_allowed_is_marked_but_no_problem(qapp: QApplication) -> None:
    model = OptionTableModel(warning=lambda: QIcon(QPixmap(4, 4)))
    tell(model, GGML)
    model.set_options((("threads", "none"), ("device", "cpu")))
    marks = [model.index(row, NOTE_COLUMN).data(Qt.ItemDataRole.DecorationRole) is not None for row in range(3)]
    assert marks == [True, False, False]
    assert notes(model)[0] == "takes only a whole number from 1"
    assert model.problem() is None


def test_that_without_a_mark_the_words_are_the_same(model: OptionTableModel) -> None:
    tell(model, GGML)
    model.setData(model.index(0, 1), "none")
    assert notes(model)[0] == "takes only a whole number from 1"
    assert model.index(0, NOTE_COLUMN).data(Qt.ItemDataRole.DecorationRole) is None


def test_that_a_key_in_other_letters_is_not_taken_for_the_known_one(model: OptionTableModel) -> None:
    tell(model, GGML)
    model.set_options((("Threads", "4"),))
    assert notes(model)[0] == "perhaps threads is meant; not checked"
    assert model.known(0) is None


def test_that_what_is_a_problem_stands_in_the_row_as_well(model: OptionTableModel) -> None:
    model.set_options((("a", "1"), ("b", "2"), (" a ", "3"), ("", "4")))
    assert notes(model) == ["is there twice", "not checked: ORT accepts anything", "is there twice", "has no key", ""]
    model.setData(model.index(2, 0), "c")
    assert notes(model)[0] == "not checked: ORT accepts anything"


def test_that_notes_are_no_part_of_what_is_typed(qtbot: QtBot, model: OptionTableModel) -> None:
    index = model.index(0, NOTE_COLUMN)
    assert not index.flags() & Qt.ItemFlag.ItemIsEditable
    with qtbot.assertNotEmitted(model.options_changed):
        assert not model.setData(index, "x")
        tell(model, GGML)


def test_that_learning_more_tells_of_new_notes_only_when_there_are(qtbot: QtBot, model: OptionTableModel) -> None:
    with qtbot.waitSignal(model.dataChanged):
        tell(model, GGML)
    with qtbot.assertNotEmitted(model.dataChanged):
        tell(model, GGML)


def test_that_a_tip_tells_all_in_every_cell_of_a_row(model: OptionTableModel) -> None:
    tell(model, GGML)
    tips = [model.index(0, column).data(Qt.ItemDataRole.ToolTipRole) for column in range(3)]
    assert "Type: whole number" in tips[0]
    assert len(set(tips)) == 1
    assert model.index(2, 0).data(Qt.ItemDataRole.ToolTipRole) is None


def test_that_only_keys_that_are_not_there_are_offered(model: OptionTableModel) -> None:
    tell(model, GGML)
    everything = [known.key for known in model.offered_keys(-1)]
    assert "threads" not in everything
    assert [known.key for known in model.offered_keys(2)] == everything
    assert {known.key for known in model.offered_keys(0)} == {*everything, "threads"}


def test_that_what_an_ep_ignores_is_offered_only_where_it_is_set() -> None:
    model = OptionTableModel()
    tell(model, device("ov", ep_name="OpenVINOExecutionProvider"))
    model.set_options((("num_streams", "4"),))
    assert "load_config" in {known.key for known in model.offered_keys(1)}
    assert "num_streams" in {known.key for known in model.offered_keys(0)}
    assert "precision" not in {known.key for known in model.offered_keys(0)}
    assert notes(model)[0] == "ignored by the EP: set NUM_STREAMS in load_config"


# ---- What ORT does not take ----


@pytest.mark.parametrize("by", [-1, 0, 1])
def test_that_a_key_may_be_as_long_as_ort_takes_it_with_the_ep_before_it(by: int) -> None:
    model = OptionTableModel()
    tell(model, GGML)
    model.set_options((("k" * (MAX_KEY_LENGTH - len("ep.ggml.") + by), "1"),))
    problem = model.problem()
    assert (problem is not None) == (by > 0)
    assert problem is None or ("k" * 40 + "…” is longer than ORT takes" in problem and "in all" in problem)


def test_that_a_full_key_is_as_long_as_it_is() -> None:
    model = OptionTableModel()
    tell(model, GGML)
    full = "ep.ggml." + "k" * (MAX_KEY_LENGTH - len("ep.ggml."))
    model.set_options(((full, "1"),))
    assert model.problem() is None
    model.set_options(((full + "k", "1"),))
    assert model.problem() is not None


def test_that_a_value_may_be_as_long_as_ort_takes_it() -> None:
    model = OptionTableModel()
    model.set_options((("a", "v" * MAX_VALUE_LENGTH),))
    assert model.problem() is None
    model.set_options((("a", "v" * (MAX_VALUE_LENGTH + 1)),))
    assert "The value of “a” is longer than ORT takes" in str(model.problem())


@pytest.mark.parametrize("pair", [("a\0b", "1"), ("ab", "1\0")])
def test_that_a_null_character_is_a_problem(pair: tuple[str, str]) -> None:
    model = OptionTableModel()
    model.set_options((pair,))
    assert "The option “ab” holds a null character" in str(model.problem())
