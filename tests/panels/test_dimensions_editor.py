"""Sizes of free dimensions."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSpinBox
from pytestqt.qtbot import QtBot

from gui.panels.dimensions_editor import DimensionsEditor

from ..finding import child, show


@pytest.fixture
def editor(qtbot: QtBot) -> DimensionsEditor:
    editor = DimensionsEditor()
    show(qtbot, editor, 400, 100)
    return editor


def sizes(editor: DimensionsEditor) -> dict[str, int]:
    return {entry.name: entry.size for entry in editor.sizes}


def test_that_dimensions_not_seen_before_are_one(editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch", "x[1]"))
    assert sizes(editor) == {"batch": 1, "x[1]": 1}


def test_that_a_size_typed_is_used_and_kept_while_other_models_are_chosen(
    qtbot: QtBot, editor: DimensionsEditor
) -> None:
    editor.show_dimensions(("batch", "sequence"))
    box = child(editor, QSpinBox, "Size of batch")
    box.selectAll()
    with qtbot.waitSignal(editor.sizes_changed, timeout=1000):
        qtbot.keyClicks(box, "16")
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert sizes(editor) == {"batch": 16, "sequence": 1}
    editor.show_dimensions(("height",))
    assert sizes(editor) == {"height": 1}
    editor.show_dimensions(("sequence", "batch"))
    assert sizes(editor) == {"sequence": 1, "batch": 16}


def test_that_sizes_stay_in_a_range_that_can_be_run(editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    box = child(editor, QSpinBox, "Size of batch")
    box.setValue(0)
    assert sizes(editor) == {"batch": 1}


def test_that_a_model_without_free_dimensions_takes_no_room(editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    assert editor.isVisible()
    editor.show_dimensions(())
    assert not editor.isVisible()
    assert editor.sizes == ()


def test_that_the_same_dimensions_again_leave_the_fields_alone(editor: DimensionsEditor) -> None:
    editor.show_dimensions(("batch",))
    box = child(editor, QSpinBox, "Size of batch")
    editor.show_dimensions(("batch",))
    assert child(editor, QSpinBox, "Size of batch") is box


def test_that_a_long_name_is_cut_in_its_label_and_whole_in_its_tip(editor: DimensionsEditor) -> None:
    name = "a_dimension_with_a_name_that_is_longer_than_any_label_could_be"
    editor.show_dimensions((name,))
    (label,) = editor.findChildren(QLabel)
    assert "…" in label.text()
    assert label.toolTip() == name
    assert label.buddy() is child(editor, QSpinBox, f"Size of {name}")
