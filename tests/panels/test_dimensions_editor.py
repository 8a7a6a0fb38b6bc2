"""Sizes of free dimensions, one or several each."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QScrollArea
from pytestqt.qtbot import QtBot

from gui.panels.dimensions_editor import DimensionsEditor, parsed_sizes
from gui.records.model import TensorInfo
from gui.records.setup import MAX_TRIALS, DimensionSweep
from gui.records.trial import DimensionSize

from ..finding import child, show, shown_texts

CACHE = (
    TensorInfo(name="ids", type="tensor(int64)", shape=("batch", "past + new")),
    TensorInfo(name="cache", type="tensor(float)", shape=("batch", "past", "new", None)),
)
CACHE_NAMES = ("batch", "past + new", "past", "new", "cache[3]")


@pytest.fixture
def editor(qtbot: QtBot) -> DimensionsEditor:
    editor = DimensionsEditor()
    show(qtbot, editor, 400, 120)
    return editor


def sizes(editor: DimensionsEditor) -> dict[str, int]:
    return {entry.name: entry.size for entry in editor.sizes}


def sweeps(editor: DimensionsEditor) -> dict[str, tuple[int, ...]]:
    return {sweep.name: sweep.sizes for sweep in editor.sweeps}


def field(editor: DimensionsEditor, name: str) -> QLineEdit:
    return child(editor, QLineEdit, f"Size of {name}")


def type_into(qtbot: QtBot, editor: DimensionsEditor, name: str, text: str) -> None:
    """Type a text into a field, without leaving it."""
    line = field(editor, name)
    line.setFocus()
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, text)


def told(editor: DimensionsEditor) -> list[str]:
    """What is said below the fields."""
    return [text for text in shown_texts(editor) if " = " not in text and text not in CACHE_NAMES]


# ---- Sizes ----


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" , ", ()),
        ("8", (8,)),
        (" 1, 2,4 ; 8 ", (1, 2, 4, 8)),
        ("1 2", (1, 2)),
        ("3,3", (3, 3)),
        ("1000000000", (10**9,)),
    ],
)
def test_that_sizes_are_separated_by_commas_spaces_or_semicolons(text: str, expected: tuple[int, ...]) -> None:
    assert parsed_sizes(text) == expected


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "a", "1,024", "1000000001", "²", "1_0", "9" * 5000])
def test_that_what_is_no_list_of_sizes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{0,20}$"):
        parsed_sizes(text)


def test_that_dimensions_not_seen_before_are_left_to_the_engine(editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch", "x[1]"))
    assert sizes(editor) == {}
    assert field(editor, "batch").placeholderText() == "1"
    assert editor.sweeps == ()
    assert editor.problem() is None


def test_that_a_size_typed_is_used_and_kept_while_other_models_are_chosen(
    qtbot: QtBot, editor: DimensionsEditor
) -> None:
    editor.show_dimensions(("batch", "sequence"))
    type_into(qtbot, editor, "batch", "16")
    assert sizes(editor) == {"batch": 16}
    editor.show_dimensions(("height",))
    assert sizes(editor) == {}
    editor.show_dimensions(("sequence", "batch"))
    assert sizes(editor) == {"batch": 16}


def test_that_several_sizes_make_a_sweep_of_which_the_first_is_the_size(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch", "sequence"))
    type_into(qtbot, editor, "batch", "2;4 8")
    assert sizes(editor) == {"batch": 2}
    assert sweeps(editor) == {"batch": (2, 4, 8)}
    type_into(qtbot, editor, "sequence", "1,2")
    assert told(editor) == ["sequence", "6 trials, one for each combination of sizes"]


def test_that_sizes_and_sweeps_are_remembered_for_models_shown_and_to_come(editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    editor.remember(
        (DimensionSize(name="batch", size=2), DimensionSize(name="later", size=5)),
        (DimensionSweep(name="batch", sizes=(2, 4)),),
    )
    assert field(editor, "batch").text() == "2, 4"
    editor.show_dimensions(("later", "batch"))
    assert sizes(editor) == {"later": 5, "batch": 2}
    assert sweeps(editor) == {"batch": (2, 4)}


def test_that_a_field_is_written_tidily_when_it_is_left(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch", "sequence"))
    type_into(qtbot, editor, "batch", "1;2  4")
    qtbot.keyClick(field(editor, "batch"), Qt.Key.Key_Tab)
    assert field(editor, "batch").text() == "1, 2, 4"
    assert field(editor, "sequence").hasFocus()


# ---- Signals ----


def test_that_each_key_is_a_change_but_sizes_are_told_when_the_field_is_left(
    qtbot: QtBot, editor: DimensionsEditor
) -> None:
    editor.show_dimensions(("batch", "sequence"))
    with qtbot.assertNotEmitted(editor.sizes_changed), qtbot.waitSignals([editor.changed] * 2, timeout=1000):
        type_into(qtbot, editor, "batch", "16")
    with qtbot.waitSignal(editor.sizes_changed, timeout=1000):
        qtbot.keyClick(field(editor, "batch"), Qt.Key.Key_Return)
    with qtbot.assertNotEmitted(editor.sizes_changed):
        qtbot.keyClick(field(editor, "batch"), Qt.Key.Key_Tab)  # nothing was typed since


def test_that_more_sizes_behind_the_same_first_are_not_told(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    type_into(qtbot, editor, "batch", "1")
    qtbot.keyClick(field(editor, "batch"), Qt.Key.Key_Return)
    with qtbot.assertNotEmitted(editor.sizes_changed):
        type_into(qtbot, editor, "batch", "1, 2")
        qtbot.keyClick(field(editor, "batch"), Qt.Key.Key_Return)


def test_that_sizes_that_cannot_be_used_are_not_told(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    with qtbot.assertNotEmitted(editor.sizes_changed):
        type_into(qtbot, editor, "batch", "x")
        qtbot.keyClick(field(editor, "batch"), Qt.Key.Key_Return)


# ---- What is wrong ----


def test_that_a_field_that_is_no_list_of_sizes_says_so_at_once(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch", "sequence"))
    type_into(qtbot, editor, "batch", "1,x")
    problem = editor.problem()
    assert problem is not None
    assert problem.startswith("“x” is no size for batch")
    assert told(editor)[-1] == problem
    (mark,) = field(editor, "batch").actions()
    assert mark.isVisible()
    assert mark.toolTip() == problem
    assert not field(editor, "sequence").actions()[0].isVisible()
    type_into(qtbot, editor, "batch", "1")
    assert editor.problem() is None
    assert told(editor) == ["sequence"]
    assert not mark.isVisible()


def test_that_a_field_emptied_again_leaves_its_size_to_the_engine(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    type_into(qtbot, editor, "batch", "4")
    type_into(qtbot, editor, "batch", " ")
    assert editor.problem() is None
    assert sizes(editor) == {}
    editor.remember((DimensionSize(name="batch", size=4),))
    editor.remember(())
    assert sizes(editor) == {}


def test_that_more_combinations_than_are_run_in_a_row_are_refused(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch", "sequence"))
    editor.remember((), tuple(DimensionSweep(name=name, sizes=tuple(range(1, 12))) for name in ("batch", "sequence")))
    assert f"121 trials; at most {MAX_TRIALS}" in str(editor.problem())
    type_into(qtbot, editor, "batch", "1")
    assert editor.problem() is None


# ---- Dimensions that follow from others ----


def test_that_what_follows_from_others_is_told_and_not_asked_for(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(CACHE_NAMES, CACHE)
    assert set(editor._fields) == {"batch", "past", "new", "cache[3]"}
    assert "past + new = 2" in shown_texts(editor)
    type_into(qtbot, editor, "past", "7")
    assert "past + new = 8" in shown_texts(editor)


def test_that_what_follows_from_several_sizes_is_told_of_each(qtbot: QtBot, editor: DimensionsEditor) -> None:
    editor.show_dimensions(CACHE_NAMES, CACHE)
    type_into(qtbot, editor, "batch", "1, 2")
    type_into(qtbot, editor, "past", "1, 2, 4, 8, 16")
    assert "past + new = 2, 3, 5, 9, …" in shown_texts(editor)


def test_that_an_expression_that_comes_to_less_than_nothing_is_a_problem(
    qtbot: QtBot, editor: DimensionsEditor
) -> None:
    editor.show_dimensions(("all", "past", "all - past"))
    assert editor.problem() is None
    type_into(qtbot, editor, "past", "1, 3")
    assert "all - past comes to -2" in str(editor.problem())
    assert "all - past = ?" in shown_texts(editor)


# ---- How it looks ----


def test_that_tips_name_the_inputs_that_have_the_dimension(editor: DimensionsEditor) -> None:
    editor.show_dimensions(CACHE_NAMES, CACHE)
    assert "Used by ids, cache" in field(editor, "batch").toolTip()
    assert "Used by cache\n" in field(editor, "cache[3]").toolTip()
    (derived,) = (label for label in editor.findChildren(QLabel) if label.text() == "past + new = 2")
    assert "Used by ids" in derived.toolTip()


def test_that_a_model_without_free_dimensions_takes_no_room(editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    assert editor.isVisible()
    editor.show_dimensions(())
    assert not editor.isVisible()
    assert editor.sizes == ()


def test_that_the_same_dimensions_again_leave_the_fields_alone(editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    line = field(editor, "batch")
    editor.show_dimensions(("batch",))
    assert field(editor, "batch") is line


def test_that_many_dimensions_are_scrolled_and_none_is_cut(qtbot: QtBot, editor: DimensionsEditor) -> None:
    names = tuple(f"dimension_{number}" for number in range(24))
    editor.show_dimensions(names)
    editor.setMaximumHeight(120)
    (area,) = editor.findChildren(QScrollArea)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 100, timeout=1000)
    last = field(editor, names[-1])
    assert last.visibleRegion().isEmpty()
    field(editor, names[-2]).setFocus()
    qtbot.keyClick(field(editor, names[-2]), Qt.Key.Key_Tab)
    assert last.hasFocus()
    qtbot.waitUntil(lambda: last.visibleRegion().boundingRect() == last.rect(), timeout=1000)
    assert area.horizontalScrollBar().maximum() == 0


def test_that_a_long_name_is_cut_in_its_label_and_whole_in_its_tip(editor: DimensionsEditor) -> None:
    name = "a_dimension_with_a_name_that_is_longer_than_any_label_could_be"
    editor.show_dimensions((name,))
    (label,) = (label for label in editor.findChildren(QLabel) if label.buddy() is not None)
    assert "…" in label.text()
    assert label.toolTip().startswith(name)
    assert label.buddy() is field(editor, name)
